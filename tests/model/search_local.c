/* One agent and its host: what may happen to them, one step of the real core with every crash point, and the
 * checks that need no other validator. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/model/search.h"

struct stage {
    const struct scene *scene;
    struct local now;
    const struct view *view;
    int64_t now_ms;
    bool crashes;
    outcome_taker *take;
    void *taker;
};

static uint32_t slot_of(enum tx_kind kind)
{
    return kind == TX_JOIN ? 0 : kind == TX_PAUSE ? 1 : 2;
}

static enum tx_kind kind_of(uint32_t slot)
{
    return slot == 0 ? TX_JOIN : slot == 1 ? TX_PAUSE : TX_UNPAUSE;
}

static const struct link *link_at(const struct scene *scene, uint64_t height)
{
    return &scene->links[height - scene->search->world->first];
}

struct local local_fresh(uint64_t first)
{
    struct local local;
    memset(&local, 0, sizeof local);
    local.up = true;
    local.seen = first - 1;
    return local;
}

/* --- checks of a step --- */

/* Who has lost a journal, or was told of a refusal that is none, cannot know what is in flight. */
static void check_in_flight(const struct stage *g, const struct coord_effect *e)
{
    struct search *s = g->scene->search;
    const struct local *l = &g->now;
    uint64_t next = g->scene->height + 1;
    bool certain = g->scene->self >= s->world->lossy && g->scene->self >= s->world->refused;
    if (e->send.tx == TX_PAUSE && l->pool[1] >= next && l->pool[1] != e->send.timeout.n)
        search_fail(s, "one-pause", g->scene->self,
                    "a pause until %" PRIu64 " while one until %" PRIu64 " can still happen",
                    e->send.timeout.n, l->pool[1]);
    for (uint32_t i = 0; i < POOL_KINDS && certain; i++)
        if (l->pool[i] >= next)
            search_fail(s, "one-in-flight", g->scene->self,
                        "transaction %d is sent while %d can still happen", (int)e->send.tx,
                        (int)kind_of(i));
}

static void check_pause(const struct stage *g, const struct coord_effect *e)
{
    struct search *s = g->scene->search;
    const struct charter *c = &s->charter;
    struct height boundary = charter_boundary(c, g->now.core.head);
    const struct ledger *l = &link_at(g->scene, g->now.core.head.n)->ledger;
    if (e->send.timeout.n != boundary.n + c->epoch_blocks)
        search_fail(s, "pause-expires", g->scene->self,
                    "a pause with timeout_height %" PRIu64 " by the draw of %" PRIu64,
                    e->send.timeout.n, boundary.n);
    if (l->boundary != boundary.n || !(l->permits >> g->scene->self & 1))
        search_fail(s, "pause-by-permit", g->scene->self, "a pause without a permit of %" PRIu64,
                    boundary.n);
}

static void check_send(const struct stage *g, const struct coord_effects *effects,
                       const struct coord_effect *e)
{
    struct search *s = g->scene->search;
    const struct local *l = &g->now;
    if (effects->list[0].kind != EFFECT_PERSIST || l->core.memory.flight.kind != e->send.tx)
        search_fail(s, "durable-first", g->scene->self,
                    "transaction %d is sent before it is stored", (int)e->send.tx);
    if (e->send.timeout.n <= l->core.head.n)
        search_fail(s, "pause-expires", g->scene->self, "transaction %d is sent too late",
                    (int)e->send.tx);
    check_in_flight(g, e);
    if (e->send.tx == TX_PAUSE)
        check_pause(g, e);
    if (e->send.tx == TX_UNPAUSE && !(l->up && (l->synced == 0 || l->seen > l->synced)))
        search_fail(s, "unpause-in-step", g->scene->self, "an unpause by a node that is not back");
}

/* By what the agent itself could see. A step done again after a restart is not a new one. */
static void check_stop(const struct stage *g)
{
    struct search *s = g->scene->search;
    const struct link *head = link_at(g->scene, g->scene->height);
    const struct coord *core = &g->now.core;
    if ((head->next | head->wanted) >> g->scene->self & 1)
        search_fail(s, "stop-out-of-set", g->scene->self,
                    "the node stops at %" PRIu64 " and is in one of the two next sets",
                    g->scene->height);
    if (core->head.n == 0)
        return;
    const struct link *seen = link_at(g->scene, core->head.n);
    if (seen->live < seen->ledger.floor)
        search_fail(s, "stop-above-floor", g->scene->self,
                    "the node stops with %" PRId64 " live against a floor of %" PRId64, seen->live,
                    seen->ledger.floor);
}

static void check_runtime(const struct stage *g, const struct coord_effects *effects,
                          const struct coord_effect *e)
{
    if (effects->list[0].kind != EFFECT_PERSIST)
        search_fail(g->scene->search, "durable-first", g->scene->self,
                    "the runtime is told before it is stored");
    if (e->step == STEP_STOP)
        check_stop(g);
}

static void check_step(const struct stage *g, const struct coord *before,
                       const struct coord_effects *effects, bool started)
{
    struct search *s = g->scene->search;
    const struct coord *after = &g->now.core;
    bool persists = effects->count > 0 && effects->list[0].kind == EFFECT_PERSIST;
    if (!coord_memory_valid(&after->memory))
        search_fail(s, "legal-state", g->scene->self, "a memory that no journal would take back");
    if (!started && before->memory.state != after->memory.state && !persists)
        search_fail(s, "durable-first", g->scene->self, "from %s to %s without PERSIST",
                    coord_state_name(before->memory.state), coord_state_name(after->memory.state));
    for (uint32_t i = 0; i < effects->count; i++) {
        const struct coord_effect *e = &effects->list[i];
        if (e->kind == EFFECT_PERSIST && i > 0)
            search_fail(s, "durable-first", g->scene->self, "PERSIST is effect %u", i);
        if (e->kind == EFFECT_SEND)
            check_send(g, effects, e);
        if (e->kind == EFFECT_RUNTIME)
            check_runtime(g, effects, e);
    }
}

/* --- carrying out --- */

static void put_in_flight(struct local *l, const struct coord_effect *e)
{
    uint64_t *timeout = &l->pool[slot_of(e->send.tx)];
    *timeout = e->send.timeout.n > *timeout ? e->send.timeout.n : *timeout;
}

static void carry_out(struct stage *g, const struct coord_effect *e)
{
    struct local *l = &g->now;
    switch (e->kind) {
    case EFFECT_PERSIST:
        l->journal = *coord_memory(&l->core);
        l->lost = false;
        return;
    case EFFECT_SEND:
        if (e->send.timeout.n > g->scene->height)
            put_in_flight(l, e);
        return;
    case EFFECT_RUNTIME:
        l->runtime = e->step;
        l->up &= e->step != STEP_STOP;
        l->reinit |= e->step == STEP_REINIT;
        return;
    case EFFECT_ASK_SELF:
        l->ask_self = true;
        return;
    case EFFECT_ASK_NODE:
        l->ask_node = true;
        return;
    case EFFECT_ANNOUNCE:
    case EFFECT_SAY:
        return;
    }
}

static void die(const struct stage *g, uint32_t carried_out)
{
    struct local dead = g->now;
    memset(&dead.core, 0, sizeof dead.core);
    memset(dead.inbox, 0, sizeof dead.inbox);
    dead.inbox_count = 0;
    dead.alive = dead.ask_self = dead.ask_node = false;
    g->take(g->taker, &dead, carried_out);
}

static void carry_out_all(struct stage *g, const struct coord_effects *effects)
{
    for (uint32_t i = 0; i <= effects->count; i++) {
        g->scene->search->count.crash_points += g->crashes;
        /* narration and questions leave nothing behind: to die after them is to die before them */
        bool lasting = i == 0 || (effects->list[i - 1].kind == EFFECT_PERSIST ||
                                  effects->list[i - 1].kind == EFFECT_SEND ||
                                  effects->list[i - 1].kind == EFFECT_RUNTIME);
        if (g->crashes && lasting)
            die(g, i);
        if (i < effects->count)
            carry_out(g, &effects->list[i]);
    }
}

static void give(struct stage *g, struct coord_event event)
{
    struct search *s = g->scene->search;
    struct coord_effects effects;
    struct coord before = g->now.core;
    event.now.ms = g->now_ms;
    event.view = g->view;
    g->now.core.self = g->scene->self;
    g->now.core.policy = &s->policy;
    s->count.steps++;
    coord_step(&g->now.core, &event, &effects);
    check_step(g, &before, &effects, event.kind == EVENT_START);
    carry_out_all(g, &effects);
}

/* --- events --- */

static void lose_journal(struct local *l)
{
    memset(&l->journal, 0, sizeof l->journal);
    l->lost = true;
}

static void start(struct stage *g, bool kept)
{
    struct local *l = &g->now;
    struct coord_event event = {.kind = EVENT_START};
    event.start.journal = kept ? JOURNAL_KEPT : JOURNAL_NONE;
    if (kept)
        event.start.memory = l->journal;
    else
        lose_journal(l);
    coord_init(&l->core, &g->scene->search->policy, g->scene->self);
    l->alive = true;
    give(g, event);
}

static void tell_node(struct stage *g)
{
    struct local *l = &g->now;
    struct coord_event event = {.kind = EVENT_NODE};
    event.node.reachable = l->up;
    event.node.catching_up = !l->up;
    event.node.key_matches = true;
    event.node.new_blocks = l->up && (l->synced == 0 || l->seen > l->synced);
    l->ask_node = false;
    give(g, event);
}

static void tell_self(struct stage *g, uint64_t height)
{
    struct coord_event event = {.kind = EVENT_SELF};
    bool paused = link_at(g->scene, height)->paused >> g->scene->self & 1;
    event.own.status = paused ? COORD_IS_PAUSED : COORD_ACTIVE;
    event.own.funded = true;
    g->now.ask_self = false;
    give(g, event);
}

static void tell_included(struct stage *g)
{
    struct local *l = &g->now;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < l->inbox_count; i++) {
        const struct notice n = l->inbox[i];
        if (n.height > l->seen) {
            l->inbox[kept++] = n;
            continue;
        }
        struct coord_event event = {.kind = EVENT_INCLUDED};
        event.included.tx = n.kind;
        event.included.height = height_at(n.height);
        event.included.code = n.code;
        event.included.happened = n.code == 0;
        give(g, event);
    }
    memset(&l->inbox[kept], 0, (INBOX_MAX - kept) * sizeof *l->inbox);
    l->inbox_count = kept;
}

static void show(struct stage *g, uint64_t height)
{
    g->now.seen = height;
    tell_included(g);
    if (g->now.core.memory.state == COORD_SYNCING)
        tell_node(g);
    give(g, (struct coord_event){.kind = EVENT_BLOCK, .block = {height}});
}

static void end_step(struct stage *g)
{
    struct local *l = &g->now;
    struct coord_event event = {.kind = EVENT_RUNTIME};
    event.runtime.step = l->runtime;
    event.runtime.ok = true;
    bool starts = l->runtime == STEP_START || l->runtime == STEP_RESTORE;
    if (l->reinit && l->runtime != STEP_STOP) {
        l->rebooted = true; /* a start waits for the reinitialisation before it */
        l->reinit = false;
    }
    if (starts && !l->up) {
        l->up = true;
        l->synced = g->scene->height;
    }
    l->runtime = STEP_NONE;
    if (l->alive)
        give(g, event); /* it ends whether or not the agent is there to hear it */
}

static void refuse(struct stage *g, enum tx_kind kind, bool in_truth)
{
    struct coord_event event = {.kind = EVENT_REFUSED};
    event.refused.tx = kind;
    event.refused.code = 32;
    if (in_truth)
        g->now.pool[slot_of(kind)] = 0;
    give(g, event);
}

/* When it wants to try again what was refused or has failed. */
static int64_t due_ms(const struct local *l)
{
    const struct coord *c = &l->core;
    return c->retry.ms < c->again.ms ? c->retry.ms : c->again.ms;
}

static void perform(struct stage *g, const struct action *action)
{
    switch (action->kind) {
    case ACT_START_KEPT:
    case ACT_START_LOST:
        start(g, action->kind == ACT_START_KEPT);
        return;
    case ACT_COMMAND: {
        struct coord_event event = {.kind = EVENT_OPERATOR};
        event.operator.command = COMMAND_REBOOT;
        event.operator.expected_ms = g->scene->search->world->expected_ms;
        give(g, event);
        return;
    }
    case ACT_SHOW:
        show(g, action->height);
        return;
    case ACT_RUNTIME:
        end_step(g);
        return;
    case ACT_SELF:
        tell_self(g, action->height);
        return;
    case ACT_NODE:
        tell_node(g);
        return;
    case ACT_REFUSE:
    case ACT_DOUBT:
        refuse(g, action->tx, action->kind == ACT_REFUSE);
        return;
    case ACT_TIME:
        g->now_ms = due_ms(&g->now);
        give(g, (struct coord_event){.kind = EVENT_TIME});
        return;
    }
}

/* A reader that has seen little for long, because its node is down, gets the blocks of the last moments. */
static const struct view *view_for(const struct scene *scene, const struct action *action,
                                   uint64_t seen)
{
    uint64_t oldest = scene->height - LAG_MAX;
    uint64_t height = action->kind == ACT_SHOW ? action->height : seen;
    if (height < oldest)
        height = oldest;
    if (action->ahead || height >= scene->height || height < scene->search->world->first)
        return scene->view;
    return link_at(scene, height)->view;
}

void local_act(const struct scene *scene, const struct local *from, const struct action *action,
               bool crashes, outcome_taker *take, void *taker)
{
    struct stage g = {.scene = scene, .now = *from, .crashes = crashes, .take = take};
    g.taker = taker;
    g.view = view_for(scene, action, from->seen);
    g.now_ms = (int64_t)scene->height * BLOCK_MS;
    perform(&g, action);
    take(taker, &g.now, NO_CRASH);
}

/* --- what may happen --- */

struct list {
    struct action *actions;
    uint32_t count;
    bool both; /* with the view as of the blocks shown, and with all */
};

static void offer(struct list *l, struct action action)
{
    l->actions[l->count++] = action;
    if (!l->both)
        return;
    action.ahead = true;
    l->actions[l->count++] = action;
}

static void offer_blocks(struct list *list, const struct scene *scene, const struct local *l)
{
    uint64_t oldest = scene->height - LAG_MAX, from = l->seen + (l->core.head.n > 0);
    from = from > oldest ? from : oldest;
    from = from > scene->search->world->first ? from : scene->search->world->first;
    for (uint64_t h = from; h <= scene->height; h++)
        offer(list, (struct action){.kind = ACT_SHOW, .height = h});
}

static void offer_self(struct list *list, const struct scene *scene, const struct local *l)
{
    const struct link *head = link_at(scene, scene->height);
    uint64_t shown = l->seen < scene->search->world->first ? scene->height : l->seen;
    offer(list, (struct action){.kind = ACT_SELF, .height = scene->height});
    if ((link_at(scene, shown)->paused ^ head->paused) >> scene->self & 1)
        offer(list, (struct action){.kind = ACT_SELF, .height = shown});
}

static void offer_refusals(struct list *list, const struct local *l)
{
    const struct coord_flight *flight = &l->core.memory.flight;
    if (flight->kind == TX_OTHER || flight->refused || !l->pool[slot_of(flight->kind)])
        return;
    offer(list, (struct action){.kind = ACT_REFUSE, .tx = flight->kind});
    offer(list, (struct action){.kind = ACT_DOUBT, .tx = flight->kind});
}

static bool wants_reboot(const struct local *l)
{
    const struct coord_memory *m = &l->core.memory;
    return !l->rebooted && m->errand == ERRAND_NONE && m->later_ms == 0 && !m->failed;
}

uint32_t local_actions(const struct scene *scene, const struct local *l,
                       struct action actions[ACTIONS_MAX])
{
    const struct search_world *w = scene->search->world;
    struct list list = {.actions = actions};
    if (l->runtime != STEP_NONE)
        offer(&list, (struct action){.kind = ACT_RUNTIME});
    if (!l->alive) {
        if (!l->lost)
            offer(&list, (struct action){.kind = ACT_START_KEPT});
        if (scene->self < w->lossy)
            offer(&list, (struct action){.kind = ACT_START_LOST});
        return list.count;
    }
    list.both = scene->self < w->ahead && l->seen < scene->height;
    if (l->up)
        offer_blocks(&list, scene, l);
    if (l->ask_self)
        offer_self(&list, scene, l);
    if (l->ask_node)
        offer(&list, (struct action){.kind = ACT_NODE});
    if (wants_reboot(l))
        offer(&list, (struct action){.kind = ACT_COMMAND});
    if (scene->self < w->refused)
        offer_refusals(&list, l);
    if (due_ms(l) < ((int64_t)scene->height + 1) * BLOCK_MS)
        offer(&list, (struct action){.kind = ACT_TIME});
    return list.count;
}

bool local_may_wait(const struct local *l, uint64_t height)
{
    return !l->alive || !l->up || l->seen + LAG_MAX >= height;
}

void local_block(struct local *l, uint64_t height, enum tx_kind kind, uint32_t code)
{
    if (kind != TX_OTHER) {
        memset(l->pool, 0, sizeof l->pool); /* the others carry the same sequence number */
        if (l->alive && l->inbox_count < INBOX_MAX)
            l->inbox[l->inbox_count++] = (struct notice){kind, height, code};
    }
    for (uint32_t i = 0; i < POOL_KINDS; i++)
        if (l->pool[i] <= height)
            l->pool[i] = 0;
}
