/* The other strategies, for comparison, in the same world: the same chain, hosts and reboots. Their
 * validators need no core; a place is theirs when their strategy says so. */
#include <stdlib.h>

#include "sim/world.h"

#define WAIT_MAX_MS (10 * 60 * 1000) /* random-delay: the first wait, drawn from 0 to this */
#define AGAIN_MAX_MS (60 * 1000)     /* ... and after a look that found no room */

enum plain_state { PLAIN_WAITING, PLAIN_PAUSING, PLAIN_DOWN, PLAIN_RETURNING, PLAIN_DONE };

struct plain_validator {
    enum plain_state state;
    bool looking; /* random-delay: its wait is over */
};

struct place {
    uint32_t validator;
    int64_t reboot_ms;
};

struct plain {
    struct plain_validator *validators; /* [count] */
    struct place *line;                 /* who goes first */
    uint32_t line_count, next;
    bool open, by_power;
    struct random random;
};

static void shuffle(struct plain *p)
{
    for (uint32_t i = p->line_count; i > 1; i--) {
        uint32_t j = (uint32_t)random_below(&p->random, i);
        struct place swap = p->line[i - 1];
        p->line[i - 1] = p->line[j];
        p->line[j] = swap;
    }
}

static int longest_first(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->reboot_ms != y->reboot_ms)
        return x->reboot_ms > y->reboot_ms ? -1 : 1;
    return x->validator < y->validator ? -1 : 1;
}

bool plain_create(struct world *w)
{
    if (world_draws(w))
        return true;
    struct plain *p = calloc(1, sizeof *p);
    if (!p)
        return false;
    w->plain = p;
    p->random = random_stream(w->seed, STREAM_PLAIN, 0);
    p->validators = calloc(w->count, sizeof *p->validators);
    p->line = calloc(w->count, sizeof *p->line);
    if (!p->validators || !p->line)
        return false;
    for (uint32_t v = 0; v < w->count; v++)
        if (w->agents[v].wants)
            p->line[p->line_count++] = (struct place){v, w->hosts[v].reboot_ms};
    shuffle(p);
    if (w->config->strategy == STRATEGY_OMNISCIENT)
        qsort(p->line, p->line_count, sizeof *p->line, longest_first);
    return true;
}

void plain_destroy(struct world *w)
{
    if (w->plain) {
        free(w->plain->validators);
        free(w->plain->line);
    }
    free(w->plain);
    w->plain = NULL;
}

/* As an ideal coordinator would: the transaction is at the next proposer at once. */
static bool submit(struct world *w, uint32_t v, enum msg_kind kind)
{
    struct model_tx tx = blocks_tx(w, v, kind, BY_AGENT);
    uint32_t code;
    return blocks_submit(w, v, &tx, 0, &code);
}

static void go(struct world *w, uint32_t v)
{
    if (submit(w, v, MSG_PAUSE))
        w->plain->validators[v].state = PLAIN_PAUSING;
}

static void take_down(struct world *w, uint32_t v)
{
    host_down(w, v, false);
    w->plain->validators[v].state = PLAIN_DOWN;
    world_later(w, w->hosts[v].reboot_ms, HAPPEN_PLAIN, v, 0);
}

/* The reboot is over, or a random wait is. */
void plain_act(struct world *w, uint32_t v)
{
    struct plain_validator *x = &w->plain->validators[v];
    if (x->state == PLAIN_WAITING)
        x->looking = true;
    if (x->state != PLAIN_DOWN)
        return;
    host_up(w, v);
    x->state = PLAIN_RETURNING;
}

static void come_back(struct world *w, uint32_t v)
{
    const struct host *h = &w->hosts[v];
    const struct model_record *r = model_record(w->chain, v);
    bool in_step = h->synced && model_height(w->chain).n > h->synced_height;
    if (h->returned)
        w->plain->validators[v].state = PLAIN_DONE;
    else if (in_step && r->status == STATUS_PAUSED)
        submit(w, v, MSG_UNPAUSE);
    else if (in_step && r->status == STATUS_INACTIVE && r->inactive_until_ms <= w->header_ms)
        submit(w, v, MSG_ACTIVATE);
}

/* How many are between their pause and the block that shows them signing. */
static uint32_t count_away(const struct world *w)
{
    uint32_t away = 0;
    for (uint32_t i = 0; i < w->plain->line_count; i++) {
        enum plain_state state = w->plain->validators[w->plain->line[i].validator].state;
        away += state != PLAIN_WAITING && state != PLAIN_DONE;
    }
    return away;
}

/* `room` is in the unit of the budget: members, or a sum of power where powers differ. */
static void start_in_line(struct world *w, int64_t room)
{
    struct plain *p = w->plain;
    int64_t count = INT64_MAX; /* min_validators counts members whatever the power */
    if (p->by_power)
        count = (int64_t)view_pulse(world_view(w), model_height(w->chain))->live -
                (int64_t)w->charter.min_validators;
    for (; p->next < p->line_count && count-- > 0; p->next++) {
        uint32_t v = p->line[p->next].validator;
        room -= p->by_power ? view_validator(world_view(w), v)->power : 1;
        if (room < 0)
            return;
        go(w, v);
    }
}

static void start_next(struct world *w)
{
    struct plain *p = w->plain;
    if (p->next < p->line_count && count_away(w) == 0)
        go(w, p->line[p->next++].validator);
}

/* By the rule that the draw obeys, but at every block: there is a budget from the first block on that has k last
 * commits behind it. */
static int64_t budget(const struct world *w)
{
    const struct view *view = world_view(w);
    bool ruled = view_head(view).n >= view_first(view).n + w->charter.live_blocks;
    return ruled ? view_budget(view) : 0;
}

/* KIP_65's letter: wait at random, then look, then go; everybody looks at the same count. */
static void look_and_go(struct world *w)
{
    struct plain *p = w->plain;
    const struct view_pulse *pulse = view_pulse(world_view(w), model_height(w->chain));
    for (uint32_t i = 0; i < p->line_count; i++) {
        uint32_t v = p->line[i].validator;
        struct plain_validator *x = &p->validators[v];
        if (x->state != PLAIN_WAITING || !x->looking)
            continue;
        x->looking = false;
        if ((int64_t)pulse->live - 1 >= (int64_t)w->result->floor)
            go(w, v);
        else
            world_later(w, (int64_t)random_below(&p->random, AGAIN_MAX_MS), HAPPEN_PLAIN, v, 0);
    }
}

static void open_window(struct world *w)
{
    struct plain *p = w->plain;
    p->open = true;
    p->by_power = view_by_power(world_view(w));
    for (uint32_t i = 0; i < p->line_count; i++) {
        uint32_t v = p->line[i].validator;
        if (w->config->strategy == STRATEGY_ALL_AT_ONCE)
            take_down(w, v);
        if (w->config->strategy == STRATEGY_RANDOM_DELAY)
            world_later(w, (int64_t)random_below(&p->random, WAIT_MAX_MS), HAPPEN_PLAIN, v, 0);
    }
}

static void advance(struct world *w, uint32_t v)
{
    switch (w->plain->validators[v].state) {
    case PLAIN_PAUSING:
        if (!model_in_set(w->chain, v))
            take_down(w, v);
        else if (model_record(w->chain, v)->status == STATUS_ACTIVE)
            w->plain->validators[v].state = PLAIN_WAITING; /* the chain refused: back in line */
        return;
    case PLAIN_RETURNING:
        come_back(w, v);
        return;
    default:
        return;
    }
}

void plain_block(struct world *w)
{
    struct plain *p = w->plain;
    if (!p)
        return;
    if (!p->open && w->now_ms - w->start_ms >= w->config->open_ms)
        open_window(w);
    for (uint32_t i = 0; i < p->line_count; i++)
        advance(w, p->line[i].validator);
    if (!p->open)
        return;
    if (w->config->strategy == STRATEGY_ONE_LOCK)
        start_next(w);
    else if (w->config->strategy == STRATEGY_CENTRAL || w->config->strategy == STRATEGY_OMNISCIENT)
        start_in_line(w, budget(w));
    else if (w->config->strategy == STRATEGY_RANDOM_DELAY)
        look_and_go(w);
}
