/* Building a world from a configuration and a network, and letting it run. */
#include "sim/world.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coord/digest.h"

#define UNTIL_TURNS                                                                                \
    60 /* without --until: so many turns beside those that must follow one another ... */
#define UNTIL_MORE_MS (INT64_C(24) * 3600 * 1000) /* ... and a day */
#define LOWER_OUT_BLOCKS 2  /* of its turn a validator is out for at least these blocks ... */
#define LOWER_TURN_BLOCKS 4 /* ... and a place is taken for these, beside the reboot */

static uint32_t member_count(const struct genesis *g)
{
    uint32_t members = 0;
    for (uint32_t v = 0; v < g->record_count; v++)
        members += g->records[v].status == STATUS_ACTIVE;
    return members;
}

static bool check_room(const struct charter *c, uint32_t members, char error[CONFIG_ERROR_MAX])
{
    if (c->min_validators <= members)
        return true;
    snprintf(error, CONFIG_ERROR_MAX,
             "--min-validators: %" PRIu64 " is above the %" PRIu32
             " active validators of this network; give %" PRIu32 " or less",
             c->min_validators, members, members);
    return false;
}

bool world_charter(const struct sim_config *config, const struct genesis *g,
                   struct charter *charter, char error[CONFIG_ERROR_MAX])
{
    uint32_t members = member_count(g);
    int64_t block_ms = config->block_time_ms;
    uint64_t min = config->min_validators ? config->min_validators : g->properties.min_validators;
    struct charter c = charter_default(g->chain_id, min, block_ms);
    c.epoch_blocks = config->epoch_blocks ? config->epoch_blocks : c.epoch_blocks;
    c.live_blocks = config->live_blocks ? config->live_blocks : c.live_blocks;
    c.round_blocks = config->round_blocks ? config->round_blocks : c.round_blocks;
    c.joins_max = config->joins_max ? config->joins_max : c.joins_max;
    c.reference_blocks = config->reference_blocks ? config->reference_blocks : c.reference_blocks;
    c.phi_num = config->phi_num;
    c.phi_den = config->phi_den;
    c.reserve = config->reserve;
    c.order = config->order;
    c.ramp = config->ramp;
    c.ramp_a = config->ramp_a;
    c.ramp_b = config->ramp_b;
    charter_seal(&c);
    const char *wrong = charter_check(&c, config->empty_block_ms == 0);
    if (wrong) {
        snprintf(error, CONFIG_ERROR_MAX, "charter: %s", wrong);
        return false;
    }
    *charter = c;
    return check_room(&c, members, error);
}

/* --- who is who --- */

/* `number` of the candidates, drawn from the seed: a partial shuffle. */
static void pick_some(struct world *w, uint32_t *from, uint32_t count, uint32_t number,
                      uint64_t label, enum role role)
{
    struct random random = random_stream(w->seed, STREAM_ROLES, label);
    for (uint32_t i = 0; i < number && i < count; i++) {
        uint32_t j = i + (uint32_t)random_below(&random, count - i), swap = from[i];
        from[i] = from[j];
        from[j] = swap;
        w->roles[from[i]] = (uint8_t)role;
    }
}

static uint32_t part_of(double fraction, uint32_t count)
{
    double part = fraction * count + 0.5;
    return part < 0 ? 0 : part > count ? count : (uint32_t)part;
}

static bool assign_roles(struct world *w, char error[CONFIG_ERROR_MAX])
{
    const struct sim_config *config = w->config;
    uint32_t *members = calloc(w->count, sizeof *members), count = 0;
    assert(members);
    for (uint32_t v = 0; v < w->count; v++)
        if (w->genesis->records[v].status == STATUS_ACTIVE)
            members[count++] = v;
    if (config->agents > (int64_t)count) {
        snprintf(error, CONFIG_ERROR_MAX,
                 "--agents: %" PRId64 " is above the %" PRIu32 " active validators; give less",
                 config->agents, count);
        free(members);
        return false;
    }
    for (uint32_t i = 0; i < count; i++)
        w->roles[members[i]] = config->agents < 0 ? ROLE_AGENT : ROLE_BYSTANDER;
    uint32_t hostile = part_of(config->hostile, count);
    pick_some(w, members, count, hostile, 0, ROLE_HOSTILE);
    uint32_t rest = count - hostile;
    if (config->agents < 0)
        pick_some(w, members + hostile, rest, part_of(config->no_agent, count), 1, ROLE_BYSTANDER);
    else
        pick_some(w, members + hostile, rest, (uint32_t)config->agents, 1, ROLE_AGENT);
    w->result->members = count;
    free(members);
    return true;
}

static void make_agents(struct world *w)
{
    for (uint32_t v = 0; v < w->count; v++) {
        struct agent *a = &w->agents[v];
        struct random random = random_stream(w->seed, STREAM_ROLES, UINT64_C(1000) + v);
        a->exists = a->wants = w->roles[v] == ROLE_AGENT;
        a->crash_after = -1;
        a->timer_ms = INT64_MAX;
        bool other = a->exists && random_unit(&random) < w->config->other_charter;
        a->view = other ? w->other_view : 0;
        w->result->agents += a->wants;
    }
    w->undone = w->result->agents;
}

/* --- views --- */

/* A view of V(first), which begins at block `first`. */
static struct view *make_view(const struct world *w, const struct charter *charter,
                              struct height first)
{
    struct view_config config = {
        .charter = *charter,
        .chain = w->config->chain,
        .empty_blocks = w->config->empty_block_ms == 0,
        .capacity = w->count,
    };
    struct view *view = view_create(&config);
    const struct model_set *set = model_validators(w->chain);
    struct view_change *members = calloc(set->count, sizeof *members);
    assert(view && members);
    for (uint32_t v = 0; v < w->count; v++)
        view_enrol(view, w->genesis->records[v].address);
    for (uint32_t i = 0; i < set->count; i++)
        members[i] = (struct view_change){set->members[i].validator, set->members[i].power};
    view_begin(view, height_at(w->genesis->initial_height), first, members, set->count);
    free(members);
    return view;
}

static void add_view(struct world *w, const struct charter *charter)
{
    assert(w->view_count < VIEWS_MAX);
    w->views[w->view_count++] = make_view(w, charter, height_at(w->genesis->initial_height));
}

uint32_t world_late_view(struct world *w)
{
    if (w->view_count == VIEWS_MAX)
        return w->view_count - 1;
    w->views[w->view_count] = make_view(w, &w->charter, height_after(model_height(w->chain), 1));
    return w->view_count++;
}

/* One for the common charter, one for each that a vote will bring, and the other charter's last. */
static bool make_views(struct world *w, char error[CONFIG_ERROR_MAX])
{
    add_view(w, &w->charter);
    if (MUTATIONS_BUILT)
        w->judge = make_view(w, &w->charter, height_at(w->genesis->initial_height));
    w->fault_views = calloc((size_t)w->fault_count + 1, sizeof *w->fault_views);
    assert(w->fault_views);
    for (uint32_t i = 0; i < w->fault_count; i++) {
        struct charter c = w->charter;
        if (w->faults[i].kind != FAULT_MIN_VALIDATORS)
            continue;
        c.min_validators = (uint64_t)w->faults[i].count;
        charter_seal(&c);
        if (!check_room(&c, w->result->members, error))
            return false;
        if (w->view_count + 1 >= VIEWS_MAX) {
            snprintf(error, CONFIG_ERROR_MAX,
                     "min-validators: more than %d votes in one scenario; take some out",
                     VIEWS_MAX - 2);
            return false;
        }
        w->fault_views[i] = w->view_count;
        add_view(w, &c);
    }
    if (w->config->other_charter > 0) {
        struct charter c = w->charter;
        c.settle_blocks++;
        charter_seal(&c);
        w->other_view = w->view_count;
        add_view(w, &c);
    }
    return true;
}

/* --- figures that need no run --- */

/* With everybody in the reference. */
static int64_t first_floor(const struct world *w)
{
    int64_t n = w->result->members, num = w->charter.phi_num, den = w->charter.phi_den;
    int64_t floor = n / den * num + n % den * num / den + 1;
    return floor > (int64_t)w->charter.min_validators ? floor : (int64_t)w->charter.min_validators;
}

/* How many can be out at once under the budget's own rule, as they leave one by one. */
static uint32_t most_out(const struct world *w)
{
    int64_t n = w->result->members, out = 0;
    int64_t floor = first_floor(w);
    for (;; out++) {
        int64_t left = n - out;
        int64_t reserve = w->charter.reserve == RESERVE_DEFAULT ? left / 25 : w->charter.reserve;
        if (left - floor - reserve < 1 || left - 3 * reserve - 1 < 1)
            return (uint32_t)out;
    }
}

/* With unequal powers places are no bound. What is: the power that may be out, and min_validators. */
static int64_t bound_by_power(const struct world *w)
{
    int64_t block_ms = w->config->block_time_ms, total = 0, members = w->result->members;
    int64_t count_room = members - (int64_t)w->charter.min_validators;
    double by_power = 0, by_count = 0;
    for (uint32_t v = 0; v < w->count; v++) {
        const struct model_record *r = &w->genesis->records[v];
        double out_ms = (double)(w->hosts[v].reboot_ms + LOWER_OUT_BLOCKS * block_ms);
        total += r->status == STATUS_ACTIVE ? r->power : 0;
        by_power += w->agents[v].wants ? out_ms * (double)r->power : 0;
        by_count += w->agents[v].wants ? out_ms : 0;
    }
    int64_t num = w->charter.phi_num, den = w->charter.phi_den;
    int64_t room = total - (total / den * num + total % den * num / den + 1);
    by_power = room > 0 ? by_power / (double)room : 0;
    by_count = count_room > 0 ? by_count / (double)count_room : 0;
    return (int64_t)(by_power > by_count ? by_power : by_count);
}

static void lower_bound(struct world *w)
{
    int64_t block_ms = w->config->block_time_ms, longest_ms = 0, sum_ms = 0;
    uint32_t places = most_out(w);
    w->result->floor = (uint64_t)first_floor(w);
    for (uint32_t v = 0; v < w->count; v++) {
        int64_t reboot_ms = w->hosts[v].reboot_ms;
        if (!w->agents[v].wants)
            continue;
        sum_ms += reboot_ms + LOWER_OUT_BLOCKS * block_ms;
        if (reboot_ms + LOWER_TURN_BLOCKS * block_ms > longest_ms)
            longest_ms = reboot_ms + LOWER_TURN_BLOCKS * block_ms;
    }
    int64_t by_places_ms = places ? sum_ms / places : 0;
    if (view_by_power(world_view(w)))
        by_places_ms = bound_by_power(w);
    w->places = places;
    w->result->lower_bound_s =
        (double)(by_places_ms > longest_ms ? by_places_ms : longest_ms) / 1000;
    w->longest_ms = longest_ms;
}

/* --- building --- */

static void make_chain(struct world *w)
{
    struct model_config config = {
        .kind = w->config->chain,
        .properties = w->genesis->properties,
        .initial_height = height_at(w->genesis->initial_height),
        .genesis_time_ms = w->genesis->genesis_time_ms,
        .records = w->genesis->records,
        .record_count = w->genesis->record_count,
    };
    config.properties.min_validators = w->charter.min_validators;
    config.properties.guard |= w->config->guard;
    w->chain = model_create(&config);
    assert(w->chain);
    if (w->genesis->plan.pending)
        *model_plan(w->chain) = w->genesis->plan;
    w->plan_told = w->genesis->plan.pending;
}

static void allocate(struct world *w)
{
    w->hosts = calloc(w->count, sizeof *w->hosts);
    w->agents = calloc(w->count, sizeof *w->agents);
    w->roles = calloc(w->count, sizeof *w->roles);
    w->missing = calloc(w->count, sizeof *w->missing);
    w->missing_next = calloc(w->count, sizeof *w->missing_next);
    w->open_bars = calloc(2 * (size_t)w->count, sizeof *w->open_bars);
    w->digest = digest_create();
    assert(w->hosts && w->agents && w->roles && w->missing && w->missing_next && w->open_bars &&
           w->digest);
}

static void make_policy(struct world *w)
{
    const struct sim_config *c = w->config;
    w->policy = coord_policy_default();
    w->policy.max_offline = c->max_offline;
    w->policy.own_floor = c->own_floor;
    w->policy.freeze = c->freeze == FREEZE_DEFAULT ? COORD_FREEZE_DEFAULT
                       : c->freeze == FREEZE_OFF   ? COORD_FREEZE_OFF
                                                   : c->freeze;
}

static void tell_world(struct world *w)
{
    bool *in_set = calloc(w->count, sizeof *in_set), *agent = calloc(w->count, sizeof *agent);
    assert(in_set && agent);
    for (uint32_t v = 0; v < w->count; v++) {
        in_set[v] = model_in_set(w->chain, v);
        agent[v] = w->agents[v].wants;
    }
    struct trace_world t = {w->config->chain, &w->charter, w->genesis->records,
                            in_set,           agent,       w->count};
    trace_world(w->trace, &t);
    free(in_set);
    free(agent);
}

struct world *world_create(const struct sim_config *config, const struct genesis *genesis,
                           uint64_t seed, struct trace *trace, struct result *result,
                           char error[CONFIG_ERROR_MAX])
{
    struct world *w = calloc(1, sizeof *w);
    assert(w);
    *w = (struct world){
        .config = config, .genesis = genesis, .seed = seed, .trace = trace, .result = result};
    w->count = genesis->record_count;
    w->now_ms = w->start_ms = genesis->genesis_time_ms;
    *result = (struct result){
        .strategy = strategy_name(config->strategy), .seed = seed, .validators = w->count};
    result->makespan_s = -1;
    allocate(w);
    if (!world_charter(config, genesis, &w->charter, error) || !assign_roles(w, error)) {
        world_destroy(&w);
        return NULL;
    }
    make_policy(w);
    make_chain(w);
    bool ok = true;
    for (uint32_t v = 0; v < w->count; v++)
        w->agents[v].wants = w->roles[v] == ROLE_AGENT;
    hosts_start(w);
    ok = faults_create(w) && make_views(w, error);
    w->faults_left = w->fault_count;
    if (ok) {
        make_agents(w);
        ok = hostile_create(w) && talk_create(w) && plain_create(w) && checks_create(w);
        assert(ok);
        lower_bound(w);
        tell_world(w);
    } else {
        world_destroy(&w);
    }
    return w;
}

void world_destroy(struct world **world)
{
    struct world *w = *world;
    if (!w)
        return;
    talk_destroy(w);
    hostile_destroy(w);
    plain_destroy(w);
    checks_destroy(w);
    faults_destroy(w);
    for (uint32_t i = 0; i < w->view_count; i++)
        view_destroy(&w->views[i]);
    view_destroy(&w->judge);
    model_destroy(&w->chain);
    digest_destroy(&w->digest);
    queue_clear(&w->queue);
    void *owned[] = {w->hosts,     w->agents,  w->roles,      w->missing,        w->missing_next,
                     w->open_bars, w->mempool, w->block_txs,  w->block_timeouts, w->block_authors,
                     w->points,    w->bars,    w->fault_views};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    free(w);
    *world = NULL;
}

/* --- running --- */

static void happen(struct world *w, const struct happening *h)
{
    switch ((enum happening_kind)h->kind) {
    case HAPPEN_PROPOSE:
        blocks_propose(w, h->what);
        return;
    case HAPPEN_COMMIT:
        blocks_commit(w, h->what);
        return;
    case HAPPEN_SYNCED:
        host_synced(w, h->who, (uint32_t)h->what);
        return;
    case HAPPEN_HOST_UP:
        if (w->hosts[h->who].generation == h->what)
            host_up(w, h->who);
        return;
    case HAPPEN_TALK:
    case HAPPEN_FRAME:
        talk_happen(w, h);
        return;
    case HAPPEN_FAULT:
        fault_begin(w, h->who);
        return;
    case HAPPEN_FAULT_END:
        fault_end(w, h->who);
        return;
    case HAPPEN_BY_HAND:
        faults_by_hand(w, h->who);
        return;
    case HAPPEN_HOSTILE:
        hostile_act(w, h->who);
        return;
    case HAPPEN_PLAIN:
        plain_act(w, h->who);
        return;
    default:
        agents_handle(w, h);
    }
}

/* A chain that stands still for good and no fault that could still end: nothing will ever happen. */
static bool nothing_can_happen(const struct world *w)
{
    return w->stalled && w->faults_left == 0 && w->now_ms - w->committed_ms > UNTIL_MORE_MS;
}

/* Nobody has joined, paused or returned for longer than any rule makes anyone wait. */
static bool nothing_moves(const struct world *w)
{
    return w->faults_left == 0 && w->quiet_blocks > 2 * (uint64_t)w->charter.round_blocks;
}

static bool all_settled(const struct world *w)
{
    for (uint32_t v = 0; world_draws(w) && v < w->count; v++) {
        const struct agent *a = &w->agents[v];
        bool at_rest = a->core.memory.state == COORD_DONE || a->core.memory.state == COORD_IDLE;
        if (a->exists && !w->hosts[v].lost && (!a->alive || !at_rest || !model_in_set(w->chain, v)))
            return false;
    }
    return true;
}

static void open_window(struct world *w)
{
    w->opened = true;
    w->first_block_ms = w->header_ms;
    for (uint32_t v = 0; w->config->open_ms && world_draws(w) && v < w->count; v++)
        if (w->agents[v].wants)
            agents_command(w, v, COMMAND_REBOOT, w->agents[v].expected_ms);
}

/* The bound on progress: twice as many of the longest turns as have to follow one another, sixty more, and a
 * day for faults and rounds. */
static int64_t last_instant(const struct world *w)
{
    if (w->config->until_ms)
        return w->start_ms + w->config->until_ms;
    int64_t hand_overs = w->places ? (w->result->agents + w->places - 1) / w->places : 0;
    return w->start_ms + w->config->open_ms + (2 * hand_overs + UNTIL_TURNS) * w->longest_ms +
           UNTIL_MORE_MS;
}

static void show_progress(struct world *w)
{
    char text[64];
    if (!w->progress)
        return;
    uint32_t agents = w->result->agents ? w->result->agents : 1;
    snprintf(text, sizeof text, "block %" PRIu64 ", %" PRIu32 " of %" PRIu32 " done",
             w->result->blocks, w->result->done, w->result->agents);
    progress_step(w->progress, (uint64_t)(agents - w->undone) * 1000 / agents, text);
}

static void after_block(struct world *w)
{
    if (!w->opened && w->now_ms - w->start_ms >= w->config->open_ms)
        open_window(w);
    bool done = w->undone == 0 && w->faults_left == 0 && all_settled(w);
    w->over |= done || nothing_moves(w);
    show_progress(w);
}

/* Undone, and neither its image nor the chain's owners stand against it. */
static bool could_be_done(const struct world *w, uint32_t v)
{
    const struct host *h = &w->hosts[v];
    const struct model_record *r = model_record(w->chain, v);
    const struct view *view = world_view(w);
    const struct draw *draw =
        view_draw(view, charter_boundary(&w->charter, model_height(w->chain)));
    bool barred = r->trustee_disabled || r->status == STATUS_JAILED ||
                  (draw && view_reason(view, draw, v, NULL) == VIEW_TOO_HEAVY);
    return w->agents[v].wants && !h->returned && !h->lost && !barred &&
           !w->agents[v].core.memory.failed;
}

static bool anybody_undone(const struct world *w)
{
    bool undone = false;
    for (uint32_t v = 0; v < w->count; v++)
        undone = undone || could_be_done(w, v);
    return undone && w->places > 0;
}

void world_run(struct world *w)
{
    struct happening next;
    int64_t until_ms = last_instant(w);
    blocks_start(w);
    talk_start(w);
    agents_start(w);
    while (!w->over && queue_take(&w->queue, &next) && next.at_ms <= until_ms) {
        uint64_t blocks = w->result->blocks;
        w->now_ms = next.at_ms;
        w->result->events++;
        happen(w, &next);
        if (w->result->blocks > blocks)
            after_block(w);
        w->over |= nothing_can_happen(w);
    }
    checks_end(w);
    w->result->undone = anybody_undone(w);
}
