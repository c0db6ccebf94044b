/* What goes wrong: the timed faults of a scenario and the random ones of a named set. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/world.h"

#define FAULTS_RANDOM_MAX 5000
#define HOUR_MS 3600000.0
#define CRASH_MS 5000
#define SHORT_MS (60 * 1000)
#define HOST_MS (4 * 60 * 1000)
#define LAG_BLOCKS_MAX 8
#define SLOW_MS 3000
#define SKEW_MS (10 * 60 * 1000)
#define NOTICE_MS (10 * 60 * 1000) /* until an operator acts on what the agent says */
#define RETRY_MS 5000
#define LOOK_AGAIN_MS (2 * 60 * 1000)
#define CRASH_EFFECTS 4
#define KIND_BITS 8
#define VALIDATOR_BITS 14
#define HORIZON_TURNS 6 /* random faults stop after so many reboots' time */

/* --- making them --- */

static void add(struct world *w, const struct fault *fault)
{
    w->faults = realloc(w->faults, (w->fault_count + 1) * sizeof *w->faults);
    assert(w->faults);
    w->faults[w->fault_count++] = *fault;
}

struct draw_of_faults {
    enum fault_kind kind;
    double per_agent_hour;
    int64_t for_ms;
};

static void add_random(struct world *w, struct random *random, const struct draw_of_faults *d,
                       const uint32_t *agents, uint32_t count, int64_t horizon_ms)
{
    double mean_ms = d->per_agent_hour > 0 ? HOUR_MS / (d->per_agent_hour * count) : 0;
    int64_t at_ms = 0;
    while (mean_ms > 0 && w->fault_count < FAULTS_RANDOM_MAX) {
        at_ms += random_exponential_ms(random, mean_ms);
        if (at_ms > horizon_ms)
            return;
        struct fault f = {.kind = d->kind, .at_ms = at_ms, .for_ms = d->for_ms};
        f.for_ms = d->for_ms / 2 + (int64_t)random_below(random, (uint64_t)d->for_ms + 1);
        f.count = 1 + (int64_t)random_below(random, LAG_BLOCKS_MAX);
        f.by_ms =
            d->kind == FAULT_SKEW ? (int64_t)random_below(random, 2 * SKEW_MS) - SKEW_MS : SLOW_MS;
        snprintf(f.who, sizeof f.who, "%u", agents[random_below(random, count)]);
        add(w, &f);
    }
}

static void add_fault_set(struct world *w, const struct fault_set *set)
{
    const struct draw_of_faults draws[] = {
        {FAULT_CRASH_AGENT, set->crash_agent, CRASH_MS},
        {FAULT_CRASH_HOST, set->crash_host, HOST_MS},
        {FAULT_LOSE_JOURNAL, set->lose_journal, CRASH_MS},
        {FAULT_PARTITION, set->partition, SHORT_MS},
        {FAULT_LAG, set->lag, SHORT_MS},
        {FAULT_SLOW, set->slow, SHORT_MS},
        {FAULT_SKEW, set->skew, SHORT_MS},
        {FAULT_OPERATOR_PAUSE, set->operator_pause, HOST_MS},
    };
    struct random random = random_stream(w->seed, STREAM_FAULTS, 0);
    uint32_t *agents = calloc(w->count, sizeof *agents), count = 0;
    int64_t longest_ms = 0;
    for (uint32_t v = 0; agents && v < w->count; v++) {
        if (!w->agents[v].wants)
            continue;
        agents[count++] = v;
        longest_ms = w->hosts[v].reboot_ms > longest_ms ? w->hosts[v].reboot_ms : longest_ms;
    }
    for (size_t i = 0; count && i < sizeof draws / sizeof *draws; i++)
        add_random(w, &random, &draws[i], agents, count, HORIZON_TURNS * longest_ms);
    if (set->loss > w->loss)
        w->loss = set->loss;
    free(agents);
}

bool faults_create(struct world *w)
{
    const struct fault_set *set = fault_set_find(w->config->faults_name);
    w->loss = w->config->loss;
    for (uint32_t i = 0; i < w->config->fault_count; i++)
        add(w, &w->config->faults[i]);
    if (set)
        add_fault_set(w, set);
    w->hits = calloc((size_t)w->fault_count + 1, sizeof *w->hits);
    for (uint32_t i = 0; w->hits && i < w->fault_count; i++)
        world_later(w, w->config->block_time_ms + w->faults[i].at_ms, HAPPEN_FAULT, i, 0);
    return w->hits != NULL;
}

void faults_destroy(struct world *w)
{
    for (uint32_t i = 0; w->hits && i < w->fault_count; i++)
        free(w->hits[i].who);
    free(w->hits);
    free(w->faults);
    w->hits = NULL;
}

/* --- whom they hit --- */

static bool is_out(const struct world *w, uint32_t v)
{
    enum coord_state state = w->agents[v].core.memory.state;
    return w->agents[v].exists && state >= COORD_PAUSED && state <= COORD_UNPAUSING;
}

/* What is left to chance in a fault follows from its kind and time, so that it does not change when
 * another fault is taken out of the scenario. */
static struct random chance_of(const struct world *w, uint32_t number, uint32_t v,
                               enum stream stream)
{
    const struct fault *f = &w->faults[number];
    uint64_t label = (uint64_t)(f->at_ms + 1) << KIND_BITS | (uint64_t)f->kind;
    return random_stream(w->seed, stream, label << VALIDATOR_BITS | v);
}

/* A part of the members at the start. */
static bool is_drawn(const struct world *w, uint32_t number, uint32_t v, uint32_t percent)
{
    struct random random = chance_of(w, number, v, STREAM_WHO);
    return w->roles[v] != ROLE_ABSENT && random_below(&random, 100) < percent;
}

static bool is_listed(const char *who, uint32_t v)
{
    for (const char *p = who; *p;) {
        char *end;
        if (strtoul(p, &end, 10) == v && end != p)
            return true;
        p = *end ? end + 1 : end;
    }
    return false;
}

static bool is_hit(const struct world *w, uint32_t number, uint32_t v)
{
    const char *who = w->faults[number].who;
    size_t length = strlen(who);
    if (length == 0 || strcmp(who, "all") == 0)
        return w->roles[v] != ROLE_ABSENT;
    if (strcmp(who, "out") == 0)
        return is_out(w, v);
    if (strcmp(who, "half") == 0)
        return is_drawn(w, number, v, 50);
    if (who[length - 1] == '%')
        return is_drawn(w, number, v, (uint32_t)strtoul(who, NULL, 10));
    return is_listed(who, v);
}

static void resolve(struct world *w, uint32_t number)
{
    struct hit *hit = &w->hits[number];
    hit->who = calloc(w->count, sizeof *hit->who);
    assert(hit->who);
    for (uint32_t v = 0; v < w->count; v++)
        if (is_hit(w, number, v))
            hit->who[hit->count++] = v;
}

/* --- what they do to one validator --- */

static void crash_agent(struct world *w, uint32_t number, uint32_t v)
{
    const struct fault *f = &w->faults[number];
    struct random random = chance_of(w, number, v, STREAM_FAULTS);
    struct agent *a = &w->agents[v];
    int64_t for_ms = f->for_ms ? f->for_ms : CRASH_MS;
    if (!a->alive)
        return;
    if (f->kind == FAULT_CRASH_AGENT &&
        random_below(&random, 2)) { /* in the middle of the next step's effects */
        a->crash_after = (int32_t)random_below(&random, CRASH_EFFECTS);
        a->dead_ms = for_ms;
        return;
    }
    agents_die(w, v, for_ms);
    if (f->kind == FAULT_LOSE_JOURNAL)
        a->journal_state = JOURNAL_NONE;
    if (f->kind == FAULT_DAMAGE_JOURNAL)
        a->journal_state = JOURNAL_DAMAGED;
}

static void crash_host(struct world *w, const struct fault *f, uint32_t v)
{
    struct host *h = &w->hosts[v];
    bool for_good = f->kind == FAULT_LOSE_HOST;
    bool was_up = h->up;
    if (h->lost)
        return;
    if (for_good)
        host_lose(w, v);
    agents_die(w, v, f->for_ms ? f->for_ms : HOST_MS);
    host_down(w, v, true);
    if (was_up && !for_good)
        world_later(w, f->for_ms ? f->for_ms : HOST_MS, HAPPEN_HOST_UP, v, h->generation);
}

static void pause_by_hand(struct world *w, const struct fault *f, uint32_t v)
{
    struct model_tx tx = blocks_tx(w, v, MSG_PAUSE, BY_OPERATOR);
    uint32_t code;
    if (model_in_set(w->chain, v) && model_validators(w->chain)->count > 2)
        blocks_submit(w, v, &tx, w->hosts[v].latency_ms, &code);
    world_later(w, f->for_ms, HAPPEN_BY_HAND, v, 0);
}

/* The operator unpauses by hand: through the agent where there is one, else directly. */
void faults_by_hand(struct world *w, uint32_t v)
{
    uint32_t code = 0;
    if (model_record(w->chain, v)->status != STATUS_PAUSED)
        return; /* it never left, or is back already: `unpause` would call its reboot off */
    enum coord_state state = w->agents[v].core.memory.state;
    if (w->agents[v].alive && state >= COORD_PAUSING && state <= COORD_SETTLING)
        return; /* a turn of its own, or on its way back */
    if (w->agents[v].alive && world_draws(w)) {
        agents_command(w, v, COMMAND_UNPAUSE, 0);
        world_later(w, LOOK_AGAIN_MS, HAPPEN_BY_HAND, v, 0); /* the agent may die of it */
        return;
    }
    struct model_tx tx = blocks_tx(w, v, MSG_UNPAUSE, BY_OPERATOR);
    if ((w->agents[v].exists || !blocks_submit(w, v, &tx, w->hosts[v].latency_ms, &code)))
        world_later(w, RETRY_MS, HAPPEN_BY_HAND, v, 0);
}

static void fatal_pair(struct world *w, uint32_t v)
{
    struct model_tx tx = blocks_tx(w, v, MSG_UNPAUSE, BY_OPERATOR);
    uint32_t code;
    tx.msgs[tx.msg_count++] = (struct model_msg){.kind = MSG_PAUSE, .validator = v};
    tx.fee += model_fee(w->chain, MSG_PAUSE);
    blocks_submit(w, v, &tx, w->hosts[v].latency_ms, &code);
}

static void trustees_disable(struct world *w, uint32_t v)
{
    struct model_tx tx = blocks_tx(w, v, MSG_TRUSTEE_DISABLE, BY_OPERATOR);
    uint32_t code;
    tx.signer = VALIDATOR_NONE;
    blocks_submit(w, v, &tx, w->hosts[v].latency_ms, &code);
}

static void vote(struct world *w, uint32_t v)
{
    struct model_tx tx = blocks_tx(w, v, MSG_VOTE_YES, BY_OPERATOR);
    uint32_t code;
    blocks_submit(w, v, &tx, w->hosts[v].latency_ms, &code);
}

static void hit_one(struct world *w, uint32_t number, uint32_t v)
{
    const struct fault *f = &w->faults[number];
    struct host *h = &w->hosts[v];
    switch (f->kind) {
    case FAULT_CRASH_AGENT:
    case FAULT_LOSE_JOURNAL:
    case FAULT_DAMAGE_JOURNAL:
        crash_agent(w, number, v);
        return;
    case FAULT_CRASH_HOST:
    case FAULT_LOSE_HOST:
        crash_host(w, f, v);
        return;
    case FAULT_PARTITION:
        h->cut++;
        return;
    case FAULT_DEAF:
        h->deaf++;
        return;
    case FAULT_MUTE:
        h->mute++;
        return;
    case FAULT_SLOW:
        h->slow++;
        h->slow_ms = f->by_ms;
        return;
    case FAULT_CATCH_UP:
        h->catch_up_ms = f->by_ms;
        return;
    case FAULT_PRUNED:
        agents_under(w, v, w->view_count - 1);
        return;
    case FAULT_LAG:
        h->lag = (uint64_t)f->count;
        return;
    case FAULT_SKEW:
        h->skew_ms = f->by_ms;
        return;
    case FAULT_OPERATOR_PAUSE:
        pause_by_hand(w, f, v);
        return;
    case FAULT_MAINTENANCE:
        agents_command(w, v, COMMAND_PAUSE, f->for_ms);
        return;
    case FAULT_HOLD:
        agents_command(w, v, COMMAND_HOLD, 0);
        return;
    case FAULT_UNFREEZE:
        agents_command(w, v, COMMAND_UNFREEZE, 0);
        return;
    case FAULT_VOTE:
        vote(w, v);
        return;
    case FAULT_TRUSTEES:
        trustees_disable(w, v);
        return;
    case FAULT_FATAL_PAIR:
        fatal_pair(w, v);
        return;
    case FAULT_AGREE:
        agents_under(w, v, w->charter_now);
        return;
    default:
        return;
    }
}

/* --- what they do to the whole network --- */

static void schedule_upgrade(struct world *w, uint32_t number)
{
    const struct fault *f = &w->faults[number];
    struct model_plan *plan = model_plan(w->chain);
    *plan = (struct model_plan){.pending = true, .instate = true};
    plan->upgrade_time_ms = w->now_ms + f->for_ms;
    for (uint32_t v = 0; v < w->count; v++) {
        struct random random = random_stream(w->seed, STREAM_VOTES, v);
        struct model_record *r = model_record(w->chain, v);
        r->can_vote = model_in_set(w->chain, v) || w->agents[v].exists;
        r->voted_yes = r->can_vote && random_unit(&random) < f->fraction;
    }
    for (uint32_t v = 0; v < w->count; v++)
        agents_tell_plan(w, v);
}

/* The upgrade is over. Who was paused by the chain for want of a YES is told so by its agent, and its operator
 * comes some minutes later. */
void faults_plan_done(struct world *w, const struct model_change *changes, uint32_t count)
{
    bool pending = model_plan(w->chain)->pending;
    for (uint32_t i = 0; i < count; i++)
        if (!changes[i].enters && strcmp(changes[i].why, "upgrade") == 0)
            world_later(w, NOTICE_MS, HAPPEN_BY_HAND, changes[i].validator, 0);
    if (w->plan_told == pending)
        return;
    w->plan_told = pending;
    for (uint32_t v = 0; v < w->count; v++)
        agents_tell_plan(w, v);
}

static void change_min_validators(struct world *w, uint32_t number)
{
    uint32_t view = w->fault_views[number];
    model_properties(w->chain)->min_validators = (uint64_t)w->faults[number].count;
    w->charter_now = view;
    for (uint32_t v = 0; v < w->count; v++)
        if (w->agents[v].exists)
            agents_under(w, v, view);
}

static void begin_maintenance_end(struct world *w, uint32_t number)
{
    for (uint32_t i = 0; i < w->hits[number].count; i++) {
        uint32_t v = w->hits[number].who[i];
        bool working = w->agents[v].core.memory.state == COORD_OFFLINE;
        if (working || w->agents[v].core.memory.errand != ERRAND_MAINTENANCE)
            agents_command(w, v, COMMAND_UNPAUSE, 0);
    }
    bool waiting = false;
    for (uint32_t i = 0; i < w->hits[number].count; i++)
        waiting |= w->agents[w->hits[number].who[i]].core.memory.errand == ERRAND_MAINTENANCE;
    if (waiting) /* somebody has not had its turn yet */
        world_later(w, w->faults[number].for_ms, HAPPEN_FAULT_END, number, 0);
}

static bool lasts(const struct fault *f)
{
    switch (f->kind) {
    case FAULT_PARTITION:
    case FAULT_DEAF:
    case FAULT_MUTE:
    case FAULT_SLOW:
    case FAULT_CATCH_UP:
    case FAULT_LAG:
    case FAULT_HOLD:
    case FAULT_LOSS:
    case FAULT_MAINTENANCE:
        return f->for_ms > 0;
    default:
        return false;
    }
}

void fault_begin(struct world *w, uint32_t number)
{
    const struct fault *f = &w->faults[number];
    w->quiet_blocks = 0;
    w->faults_left--;
    resolve(w, number);
    if (f->kind == FAULT_LOSS)
        w->loss = f->fraction;
    if (f->kind == FAULT_BAD_IMAGE)
        w->bad_image = f->fraction;
    if (f->kind == FAULT_UPGRADE)
        schedule_upgrade(w, number);
    if (f->kind == FAULT_MIN_VALIDATORS)
        change_min_validators(w, number);
    if (f->kind == FAULT_PRUNED)
        world_late_view(w);
    for (uint32_t i = 0; i < w->hits[number].count; i++)
        hit_one(w, number, w->hits[number].who[i]);
    if (lasts(f))
        world_later(w, f->for_ms, HAPPEN_FAULT_END, number, 0);
    blocks_poke(w);
}

static void end_one(struct world *w, const struct fault *f, uint32_t v)
{
    struct host *h = &w->hosts[v];
    if (f->kind == FAULT_PARTITION)
        h->cut--;
    if (f->kind == FAULT_DEAF)
        h->deaf--;
    if (f->kind == FAULT_MUTE)
        h->mute--;
    if (f->kind == FAULT_SLOW)
        h->slow--;
    if (f->kind == FAULT_LAG)
        h->lag = 0;
    if (f->kind == FAULT_CATCH_UP)
        h->catch_up_ms = 0;
    if (f->kind == FAULT_HOLD)
        agents_command(w, v, COMMAND_UNHOLD, 0);
    else
        host_heard_again(w, v);
}

void fault_end(struct world *w, uint32_t number)
{
    const struct fault *f = &w->faults[number];
    w->quiet_blocks = 0;
    if (f->kind == FAULT_MAINTENANCE) {
        begin_maintenance_end(w, number);
        return;
    }
    if (f->kind == FAULT_LOSS)
        w->loss = w->config->loss;
    for (uint32_t i = 0; i < w->hits[number].count; i++)
        end_one(w, f, w->hits[number].who[i]);
    blocks_poke(w);
}
