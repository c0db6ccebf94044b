/* The invariants of coord/README.md, looked at after every step and every block. They judge the draw only:
 * what the other strategies break is counted in their row. */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/world.h"

struct checks {
    bool *live_at_boundary; /* [count] live members when the present epoch was drawn */
    bool *by_permit;        /* [count] whose pause of this epoch had a permit */
    uint64_t *membership;   /* [count] height of the latest membership transaction that happened */
    uint32_t *joins;        /* [count] of agents, in this round */
    struct height round;
    struct height boundary;
    bool by_power;
    int64_t live, floor, reserve; /* sums of power where powers differ */
    int64_t quorum;               /* min_validators beside them, which counts */
    int64_t budget, foreign;      /* permits and members */
    uint32_t paused;              /* by permit in this epoch */
    uint32_t permits_open;        /* permits of this epoch not used yet */
    bool upgrade_checked;
};

bool checks_create(struct world *w)
{
    struct checks *c = calloc(1, sizeof *c);
    if (!c)
        return false;
    w->checks = c;
    c->live_at_boundary = calloc(w->count, sizeof *c->live_at_boundary);
    c->by_permit = calloc(w->count, sizeof *c->by_permit);
    c->membership = calloc(w->count, sizeof *c->membership);
    c->joins = calloc(w->count, sizeof *c->joins);
    return c->live_at_boundary && c->by_permit && c->membership && c->joins;
}

void checks_destroy(struct world *w)
{
    struct checks *c = w->checks;
    if (!c)
        return;
    free(c->live_at_boundary);
    free(c->by_permit);
    free(c->membership);
    free(c->joins);
    free(c);
    w->checks = NULL;
}

void checks_violate(struct world *w, const char *invariant, uint32_t validator, const char *format,
                    ...)
{
    struct result *r = w->result;
    if (!world_draws(w))
        return;
    if (r->violation_count < VIOLATIONS_KEPT) {
        struct violation *x = &r->violations[r->violation_count];
        va_list arguments;
        *x = (struct violation){
            .invariant = invariant, .height = model_height(w->chain).n, .validator = validator};
        va_start(arguments, format);
        vsnprintf(x->text, sizeof x->text, format, arguments);
        va_end(arguments);
    }
    r->violation_count++;
}

/* --- after a step --- */

static void check_send(struct world *w, uint32_t v, const struct coord_effects *effects, uint32_t i)
{
    const struct coord_effect *e = &effects->list[i];
    const struct coord *core = &w->agents[v].core;
    if (effects->list[0].kind != EFFECT_PERSIST || core->memory.flight.kind != e->send.tx)
        checks_violate(w, "durable-first", v,
                       "transaction %d is sent before the journal knows of it", (int)e->send.tx);
    if (e->send.tx == TX_PAUSE && e->send.timeout.n == 0)
        checks_violate(w, "pause-expires", v, "a pause without a timeout_height");
    bool forced_back = core->plan.pending && !core->plan.voted_yes;
    if ((e->send.tx == TX_UNPAUSE || e->send.tx == TX_ACTIVATE) && !w->hosts[v].synced &&
        !forced_back && w->hosts[v].up)
        checks_violate(w, "unpause-in-step", v, "asks back into the set while its node catches up");
}

/* By what the agent itself could see when it stopped its node. */
static void check_stop(struct world *w, uint32_t v)
{
    const struct coord *core = &w->agents[v].core;
    const struct view *judge = world_judge(w);
    const struct view_pulse *p = view_pulse(judge, core->head);
    const struct draw *d = view_draw(judge, charter_boundary(&w->charter, core->head));
    if (model_in_set(w->chain, v))
        checks_violate(w, "stop-out-of-set", v, "stops its node as a member of the set of %llu",
                       (unsigned long long)model_height(w->chain).n + 1);
    int64_t live = p && d && d->by_power ? p->live_weight : p ? p->live : INT64_MAX;
    if (d && live < d->floor && !core->memory.forced)
        checks_violate(w, "stop-above-floor", v,
                       "stops its node with %lld live against a floor of %lld", (long long)live,
                       (long long)d->floor);
}

void checks_step(struct world *w, uint32_t v, const struct coord *before,
                 const struct coord_effects *effects)
{
    const struct coord *after = &w->agents[v].core;
    if (!coord_memory_valid(&after->memory))
        checks_violate(
            w, "legal-state", v, "from %s to %s with a memory that no journal would take",
            coord_state_name(before->memory.state), coord_state_name(after->memory.state));
    for (uint32_t i = 0; i < effects->count; i++) {
        if (effects->list[i].kind == EFFECT_PERSIST && i != 0)
            checks_violate(w, "durable-first", v, "the journal is written after effect %u", i);
        if (effects->list[i].kind == EFFECT_SEND)
            check_send(w, v, effects, i);
        if (effects->list[i].kind == EFFECT_RUNTIME && effects->list[i].step == STEP_STOP)
            check_stop(w, v);
    }
}

/* --- after a transaction --- */

static void check_pause(struct world *w, const struct view_tx *tx, uint64_t timeout)
{
    struct checks *c = w->checks;
    const struct view *view = w->views[w->agents[tx->validator].view];
    bool common = view_charter(view)->id == view_charter(world_judge(w))->id;
    view = common ? world_judge(w) : view; /* who plays by another charter has permits of its own */
    uint64_t head = model_height(w->chain).n;
    struct height boundary = charter_boundary(&w->charter, height_at(head - 1));
    const struct draw *draw = view_draw(view, boundary);
    if (timeout != boundary.n + w->charter.epoch_blocks)
        checks_violate(w, "pause-expires", tx->validator, "timeout_height %llu, want %llu",
                       (unsigned long long)timeout,
                       (unsigned long long)(boundary.n + w->charter.epoch_blocks));
    if (!draw || view_reason(view, draw, tx->validator, NULL) != VIEW_PERMIT)
        checks_violate(w, "pause-by-permit", tx->validator,
                       "paused without a permit of boundary %llu", (unsigned long long)boundary.n);
    if (c->by_permit[tx->validator])
        checks_violate(w, "one-pause", tx->validator, "paused twice in one epoch");
    c->by_permit[tx->validator] = true;
    if (!common)
        return;
    c->permits_open -= c->permits_open > 0;
    c->paused++;
    if (c->paused > c->budget)
        checks_violate(w, "budget", tx->validator, "pause number %u of an epoch with budget %lld",
                       c->paused, (long long)c->budget);
}

/* Hostile members and people by hand: they owe no permit, but may have one, and then it is used. */
static void note_other_pause(struct world *w, const struct view_tx *tx)
{
    struct checks *c = w->checks;
    const struct view *view = world_judge(w);
    struct height before = height_before(model_height(w->chain), 1);
    const struct draw *draw = view_draw(view, charter_boundary(&w->charter, before));
    if (!draw || c->by_permit[tx->validator] ||
        view_reason(view, draw, tx->validator, NULL) != VIEW_PERMIT)
        return;
    c->by_permit[tx->validator] = true;
    c->permits_open -= c->permits_open > 0;
    c->paused++;
}

static void count_tx(struct world *w, const struct view_tx *tx)
{
    w->result->joins +=
        tx->kind == TX_JOIN && view_join_counts(w->config->chain, tx->code, tx->codespace);
    w->result->pauses += tx->kind == TX_PAUSE && tx->code == 0;
    if (tx->kind != TX_OTHER)
        w->quiet_blocks = 0;
}

void checks_tx(struct world *w, const struct view_tx *tx, uint64_t timeout, enum model_author by)
{
    struct checks *c = w->checks;
    uint64_t head = model_height(w->chain).n;
    bool membership = tx->kind == TX_PAUSE || tx->kind == TX_UNPAUSE || tx->kind == TX_ACTIVATE;
    count_tx(w, tx);
    if (c->round.n != charter_round(&w->charter, height_at(head)).n) {
        c->round = charter_round(&w->charter, height_at(head));
        memset(c->joins, 0, w->count * sizeof *c->joins);
    }
    bool join = tx->kind == TX_JOIN && view_join_counts(w->config->chain, tx->code, tx->codespace);
    if (by == BY_AGENT && world_draws(w)) {
        if (join && ++c->joins[tx->validator] > w->charter.joins_max)
            checks_violate(w, "joins-bounded", tx->validator, "join number %u of the round",
                           c->joins[tx->validator]);
        if (tx->kind == TX_PAUSE && tx->code == 0)
            check_pause(w, tx, timeout);
        if (membership && tx->code == 0 && c->membership[tx->validator] &&
            head < c->membership[tx->validator] + 2)
            checks_violate(
                w, "spacing", tx->validator, "two membership transactions in blocks %llu and %llu",
                (unsigned long long)c->membership[tx->validator], (unsigned long long)head);
    }
    if (by != BY_AGENT && world_draws(w) && tx->kind == TX_PAUSE && tx->code == 0)
        note_other_pause(w, tx);
    if (membership && tx->code == 0)
        c->membership[tx->validator] = head;
}

/* --- after a block --- */

static void begin_epoch(struct world *w, const struct draw *d)
{
    struct checks *c = w->checks;
    w->result->permits += d->permits;
    w->result->permits_unused += c->permits_open;
    c->permits_open = d->permits;
    c->boundary = d->boundary;
    c->by_power = d->by_power;
    c->live = d->live;
    c->floor = d->floor;
    c->budget = d->permits;
    c->reserve = d->reserve;
    c->foreign = d->foreign_count;
    c->quorum = d->by_power ? (int64_t)w->charter.min_validators : 0;
    c->paused = 0;
    for (uint32_t v = 0; v < w->count; v++) {
        c->live_at_boundary[v] = view_live(world_judge(w), v);
        c->by_permit[v] = false;
    }
    if ((uint64_t)d->floor < w->result->floor)
        w->result->floor = (uint64_t)d->floor;
}

/* As of the block's header time, which lies a moment before its commit. */
static bool up_at_header(const struct world *w, uint32_t v)
{
    const struct host *h = &w->hosts[v];
    return h->changed_ms <= w->header_ms ? h->up : h->up_before;
}

struct standing {
    uint32_t up, lost_by_permit;    /* members */
    int64_t up_weight, lost_weight; /* in the unit of the floor; lost otherwise than by permit */
};

/* The members of V(h) whose host is up at the block's time, and those that were live when the epoch was
 * drawn and are not any more for a reason that no permit explains. */
static void count_live(const struct world *w, struct standing *s)
{
    const struct checks *c = w->checks;
    const struct view *view = world_judge(w);
    struct height head = model_height(w->chain);
    for (uint32_t v = 0; v < w->count; v++) {
        bool present = view_in_set(view, v, head) && up_at_header(w, v);
        bool gone = c->live_at_boundary[v] && !present;
        int64_t weight = c->by_power ? view_validator(view, v)->power : 1;
        s->up += present;
        s->up_weight += present ? weight : 0;
        s->lost_by_permit += gone && c->by_permit[v];
        s->lost_weight += gone && !c->by_permit[v] ? weight : 0;
    }
}

static void check_members(struct world *w)
{
    struct height head = model_height(w->chain);
    for (uint32_t i = 0; i < w->missing_next_count; i++) {
        uint32_t v = w->missing_next[i];
        const struct host *h = &w->hosts[v];
        if (h->up || h->fault)
            continue;
        w->result->missed_blocks_in_set++;
        checks_violate(w, "no-missed-block", v, "a member of the set of %llu is down by choice",
                       (unsigned long long)head.n);
    }
}

static void check_floor(struct world *w, const struct standing *s)
{
    const struct checks *c = w->checks;
    bool below = s->up_weight < c->floor || (int64_t)s->up < c->quorum;
    w->result->blocks_below_floor += below;
    if ((int64_t)s->lost_by_permit >
        c->budget + c->foreign) /* who plays by another charter was counted as gone */
        checks_violate(w, "budget", VALIDATOR_NONE, "%u live members left by permit, budget %lld",
                       s->lost_by_permit, (long long)c->budget);
    bool held = c->live - c->floor - c->reserve >= 0;
    if (held && s->up_weight < c->floor && s->lost_weight <= c->reserve)
        checks_violate(w, "floor", VALIDATOR_NONE,
                       "%lld live against a floor of %lld, %lld of %lld lost otherwise",
                       (long long)s->up_weight, (long long)c->floor, (long long)s->lost_weight,
                       (long long)c->reserve);
}

static void keep_point(struct world *w, uint32_t up)
{
    if (!w->keep_history)
        return;
    if (w->point_count == w->point_room) {
        w->point_room = w->point_room ? 2 * w->point_room : 1024;
        w->points = realloc(w->points, w->point_room * sizeof *w->points);
        assert(w->points);
    }
    uint32_t set = 0;
    struct height head = model_height(w->chain);
    for (uint32_t v = 0; v < w->count; v++)
        set += view_in_set(world_judge(w), v, head);
    w->points[w->point_count++] =
        (struct report_point){head.n, w->header_ms, up, (uint32_t)w->checks->floor, set};
}

void checks_block(struct world *w, const struct draw *draw)
{
    struct checks *c = w->checks;
    struct standing s = {0};
    count_live(w, &s);
    if (w->result->blocks == 1 || s.up < w->result->min_live)
        w->result->min_live = s.up;
    check_members(w);
    if (!world_draws(w) && c->boundary.n == 0)
        c->floor = (int64_t)w->result->floor; /* the others may begin before a draw could be made */
    if (c->boundary.n > 0 || !world_draws(w))
        check_floor(w, &s);
    keep_point(w, s.up);
    if (draw)
        begin_epoch(w, draw); /* in force from the next block on */
    w->quiet_blocks++;
}

/* Did our own rules stop the chain: a transaction of an agent in the fatal block, or an agent that was away at
 * the upgrade without a YES vote? */
void checks_dead(struct world *w)
{
    bool ours = false;
    for (uint32_t i = 0; i < w->block_tx_count; i++)
        ours = ours || (w->block_authors[i] == BY_AGENT && w->block_txs[i].kind >= TX_PAUSE);
    for (uint32_t v = 0; model_plan(w->chain)->pending && v < w->count; v++) {
        enum coord_state state = w->agents[v].core.memory.state;
        bool away = state >= COORD_PAUSED && state <= COORD_UNPAUSING;
        ours = ours || (w->agents[v].exists && away && !model_record(w->chain, v)->voted_yes);
    }
    if (ours)
        checks_violate(w, "chain-lives", VALIDATOR_NONE, "%s", w->result->stopped_why);
}

void checks_end(struct world *w)
{
    struct result *r = w->result;
    r->permits_unused += w->checks->permits_open;
    for (uint32_t v = 0; v < w->count; v++) {
        const struct host *h = &w->hosts[v];
        if (w->agents[v].wants && h->up && !h->lost && !model_in_set(w->chain, v))
            r->left_paused++;
    }
    uint32_t holder, about;
    if (!talk_sound(w, &holder, &about))
        checks_violate(w, "gossip-genuine", about,
                       "validator %" PRIu32 " holds a record that this one has never signed",
                       holder);
}
