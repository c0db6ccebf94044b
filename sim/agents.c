/* Agents: the very core of the daemon, fed with events and obeyed in its effects. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "sim/world.h"

#define RESTART_MS 5000
#define CODE_SHIFT 24
#define FAR_RPC_FACTOR 2 /* another node's RPC, when one's own is down */

static struct view *view_of(const struct world *w, uint32_t v)
{
    return w->views[w->agents[v].view];
}

static struct instant clock_of(const struct world *w, uint32_t v)
{
    return (struct instant){w->now_ms + w->hosts[v].skew_ms};
}

/* The latest block that the agent's node shows. */
static uint64_t shown_head(const struct world *w, uint32_t v)
{
    uint64_t head = model_height(w->chain).n, lag = w->hosts[v].lag;
    return head >= w->genesis->initial_height + lag ? head - lag : 0;
}

struct height agent_head(const struct world *w, uint32_t v)
{
    uint64_t known = w->agents[v].core.head.n;
    uint64_t shown = host_sees(w, v) ? shown_head(w, v) : 0;
    return height_at(shown > known ? shown : known);
}

static void show_if_due(struct world *w, uint32_t v)
{
    struct agent *a = &w->agents[v];
    uint64_t head = shown_head(w, v);
    if (!a->alive || a->show_due || head < a->wake_block || head <= a->shown || !host_sees(w, v))
        return;
    const struct host *h = &w->hosts[v];
    int64_t delay_ms = h->latency_ms + (h->slow ? h->slow_ms : 0);
    if (head == model_height(w->chain).n && w->committed_ms < w->now_ms)
        delay_ms = RPC_MS; /* it came long ago; only now does the agent want it */
    a->show_due = true;
    world_later(w, delay_ms, HAPPEN_SHOW, v, a->generation);
}

static void set_wake(struct world *w, uint32_t v)
{
    struct agent *a = &w->agents[v];
    struct coord_deadline d = coord_deadline(&a->core, view_of(w, v));
    a->wake_block = d.block.n;
    int64_t at_ms = d.at.ms == INT64_MAX ? INT64_MAX : d.at.ms - w->hosts[v].skew_ms;
    if (at_ms != INT64_MAX && (at_ms < a->timer_ms || a->timer_ms <= w->now_ms)) {
        a->timer_ms = at_ms > w->now_ms ? at_ms : w->now_ms + 1;
        queue_put(&w->queue, a->timer_ms, HAPPEN_TIMER, v, a->generation);
    }
    show_if_due(w, v);
}

/* --- effects --- */

static void send(struct world *w, uint32_t v, const struct coord_effect *e)
{
    static const enum msg_kind kinds[] = {
        [TX_PAUSE] = MSG_PAUSE, [TX_UNPAUSE] = MSG_UNPAUSE, [TX_ACTIVATE] = MSG_ACTIVATE};
    const struct host *h = &w->hosts[v];
    struct agent *a = &w->agents[v];
    enum msg_kind carrier = w->config->chain == CHAIN_KIRA ? MSG_SEND : MSG_CREATE_VALIDATOR;
    enum msg_kind kind = e->send.tx == TX_JOIN ? carrier : kinds[e->send.tx];
    struct model_tx tx = blocks_tx(w, v, kind, a->core.memory.forced ? BY_OPERATOR : BY_AGENT);
    tx.timeout_height = e->send.timeout.n;
    if (e->send.tx == TX_JOIN)
        blocks_join_memo(w, &tx, e->send.class_minutes, e->send.charter);
    if (e->send.tx == TX_UNPAUSE)
        host_forced(w, v);
    int64_t delay_ms =
        h->latency_ms + (int64_t)random_below(&w->mempool_random, (uint64_t)h->latency_ms + 1);
    delay_ms = (delay_ms + (h->slow ? h->slow_ms : 0)) * (h->up ? 1 : FAR_RPC_FACTOR);
    bool too_early = h->up && model_height(w->chain).n <= h->synced_height && h->generation > 0;
    uint32_t code = 4;
    if (too_early || !blocks_submit(w, v, &tx, delay_ms, &code)) {
        uint64_t what = (uint64_t)a->generation << 32 | (uint64_t)e->send.tx << CODE_SHIFT | code;
        world_later(w, RPC_MS, HAPPEN_REFUSED, v, what);
    }
}

static void say(struct world *w, uint32_t v, const struct coord_say *what)
{
    char text[300];
    if (w->trace)
        trace_say(w->trace, w->now_ms, v, coord_sentence(what, text, sizeof text));
}

static void perform(struct world *w, uint32_t v, const struct coord_effect *e)
{
    struct agent *a = &w->agents[v];
    switch (e->kind) {
    case EFFECT_PERSIST:
        a->journal = *coord_memory(&a->core);
        a->journal_state = JOURNAL_KEPT;
        return;
    case EFFECT_SEND:
        send(w, v, e);
        return;
    case EFFECT_RUNTIME:
        host_step(w, v, e->step);
        return;
    case EFFECT_ASK_SELF:
        world_later(w, RPC_MS, HAPPEN_SELF, v, a->generation);
        return;
    case EFFECT_ASK_NODE:
        world_later(w, RPC_MS, HAPPEN_NODE, v, a->generation);
        return;
    case EFFECT_ANNOUNCE:
        talk_news(w, v);
        return;
    case EFFECT_SAY:
        say(w, v, &e->say);
        return;
    }
    assert(!(bool)"an effect that coord.h does not name");
}

void agents_event(struct world *w, uint32_t v, struct coord_event *event)
{
    struct agent *a = &w->agents[v];
    struct coord_effects effects;
    if (!a->alive)
        return;
    struct coord before = a->core;
    event->now = clock_of(w, v);
    event->view = view_of(w, v);
    mutation_within(true);
    coord_step(&a->core, event, &effects);
    mutation_within(false);
    w->result->steps++;
    checks_step(w, v, &before, &effects);
    for (uint32_t i = 0; i < effects.count && a->alive; i++) {
        if (a->crash_after == 0) {
            agents_die(w, v, a->dead_ms);
            return;
        }
        a->crash_after -= a->crash_after > 0;
        perform(w, v, &effects.list[i]);
    }
    if (a->alive)
        set_wake(w, v);
}

static void show(struct world *w, uint32_t v);

/* --- life and death --- */

/* The upgrade is still wanted by whoever has not had it, also when the agent has forgotten: the daemon sees
 * by its node's version. */
static void want_reboot(struct world *w, uint32_t v)
{
    struct agent *a = &w->agents[v];
    bool told = a->core.memory.errand != ERRAND_NONE || a->core.memory.later_ms > 0;
    if (w->opened && a->wants && a->alive && !w->hosts[v].rebooted && !told &&
        !a->core.memory.failed)
        agents_command(w, v, COMMAND_REBOOT, a->expected_ms);
}

static void start(struct world *w, uint32_t v)
{
    struct agent *a = &w->agents[v];
    a->alive = true;
    a->generation++;
    a->shown = 0;
    a->show_due = false;
    a->timer_ms = INT64_MAX;
    a->inbox_count = 0;
    a->crash_after = -1;
    coord_init(&a->core, &w->policy, v);
    talk_up(w, v);
    struct coord_event event = {.kind = EVENT_START};
    event.start.journal = a->journal_state;
    event.start.memory = a->journal;
    agents_event(w, v, &event);
    talk_news(w, v);
    if (model_plan(w->chain)->pending)
        agents_tell_plan(w, v);
    if (a->journal_state != JOURNAL_KEPT || a->core.memory.lost)
        want_reboot(w, v);
}

void agents_die(struct world *w, uint32_t v, int64_t for_ms)
{
    struct agent *a = &w->agents[v];
    if (!a->alive)
        return;
    a->alive = false;
    a->generation++;
    a->crash_after = -1;
    talk_down(w, v);
    if (!w->hosts[v].lost)
        world_later(w, for_ms ? for_ms : RESTART_MS, HAPPEN_AGENT_START, v, a->generation);
}

/* A command is judged by what the node shows now, however long the agent wanted to sleep. */
void agents_command(struct world *w, uint32_t v, enum coord_command command, int64_t expected_ms)
{
    if (w->agents[v].alive && w->agents[v].core.head.n > 0)
        show(w, v);
    struct coord_event event = {.kind = EVENT_OPERATOR, .operator= {command, expected_ms} };
    agents_event(w, v, &event);
}

void agents_start(struct world *w)
{
    for (uint32_t v = 0; v < w->count; v++) {
        struct agent *a = &w->agents[v];
        if (!a->exists || !world_draws(w))
            continue;
        start(w, v);
        if (a->wants && !w->config->open_ms)
            agents_command(w, v, COMMAND_REBOOT, a->expected_ms);
    }
}

void agents_block(struct world *w)
{
    for (uint32_t v = 0; world_draws(w) && v < w->count; v++)
        show_if_due(w, v);
    talk_block(w);
}

/* --- what reaches an agent --- */

static void deliver_inbox(struct world *w, uint32_t v, uint64_t head)
{
    struct agent *a = &w->agents[v];
    uint32_t kept = 0, count = a->inbox_count;
    struct inbox inbox[INBOX_MAX];
    memcpy(inbox, a->inbox, sizeof inbox);
    for (uint32_t i = 0; i < count; i++) {
        if (inbox[i].height > head) {
            a->inbox[kept++] = inbox[i];
            continue;
        }
        struct coord_event event = {.kind = EVENT_INCLUDED};
        event.included.tx = inbox[i].tx;
        event.included.height = height_at(inbox[i].height);
        event.included.code = inbox[i].code;
        event.included.happened = inbox[i].happened;
        agents_event(w, v, &event);
    }
    a->inbox_count = a->alive ? kept : 0;
}

void agents_included(struct world *w, uint32_t v, enum tx_kind tx, uint32_t code, bool happened)
{
    struct agent *a = &w->agents[v];
    if (a->alive && a->inbox_count < INBOX_MAX)
        a->inbox[a->inbox_count++] = (struct inbox){tx, model_height(w->chain).n, code, happened};
}

static void tell_peers(struct world *w, uint32_t v, uint64_t head)
{
    const struct agent *a = &w->agents[v];
    bool deciding = a->core.memory.errand != ERRAND_NONE && a->core.memory.state <= COORD_WAITING;
    if (!deciding || !charter_is_boundary(&w->charter, height_at(head)))
        return;
    struct coord_event event = {.kind = EVENT_PEERS};
    if (!talk_opinion(w, v, &event.peers))
        return;
    const struct coord_peers *known = &a->core.peers;
    bool same = known->conflict == event.peers.conflict &&
                known->failures == event.peers.failures &&
                known->domain_out == event.peers.domain_out;
    if (!same || event.peers.head.n > head || known->head.n > head)
        agents_event(w, v, &event);
}

static void show(struct world *w, uint32_t v)
{
    struct agent *a = &w->agents[v];
    uint32_t generation = a->generation;
    a->show_due = false;
    uint64_t head = shown_head(w, v);
    if (!host_sees(w, v) || head <= a->shown)
        return;
    a->shown = head;
    deliver_inbox(w, v, head);
    tell_peers(w, v, head);
    if (a->core.memory.state == COORD_SYNCING || a->core.memory.state == COORD_UNPAUSING)
        agents_tell_node(w, v);
    if (!a->alive || a->generation != generation)
        return;
    struct coord_event event = {.kind = EVENT_BLOCK, .block = height_at(head)};
    agents_event(w, v, &event);
}

void agents_tell_node(struct world *w, uint32_t v)
{
    const struct host *h = &w->hosts[v];
    uint64_t head = shown_head(w, v);
    struct coord_event event = {.kind = EVENT_NODE};
    event.node.reachable = h->up;
    event.node.catching_up = !h->synced || h->cut || h->deaf;
    event.node.key_matches = true;
    event.node.new_blocks = head > h->synced_height ? (uint32_t)(head - h->synced_height) : 0;
    agents_event(w, v, &event);
}

static void tell_self(struct world *w, uint32_t v)
{
    static const enum coord_status names[] = {
        [STATUS_NONE] = COORD_UNKNOWN,      [STATUS_ACTIVE] = COORD_ACTIVE,
        [STATUS_INACTIVE] = COORD_INACTIVE, [STATUS_PAUSED] = COORD_IS_PAUSED,
        [STATUS_JAILED] = COORD_JAILED,
    };
    const struct model_record *r = model_record(w->chain, v);
    uint64_t needed = model_fee(w->chain, MSG_SEND) + model_fee(w->chain, MSG_PAUSE) +
                      model_fee(w->chain, MSG_UNPAUSE) + model_fee(w->chain, MSG_ACTIVATE);
    struct coord_event event = {.kind = EVENT_SELF};
    event.own.status = names[r->status];
    event.own.by_trustees = r->trustee_disabled;
    event.own.inactive_until = (struct instant){r->inactive_until_ms};
    event.own.funded = w->config->chain == CHAIN_DCL || r->balance >= needed;
    agents_event(w, v, &event);
}

void agents_tell_plan(struct world *w, uint32_t v)
{
    const struct model_plan *plan = model_plan(w->chain);
    struct coord_event event = {.kind = EVENT_PLAN};
    event.plan.pending = plan->pending;
    event.plan.voted_yes = model_record(w->chain, v)->voted_yes;
    event.plan.upgrade_time = (struct instant){plan->upgrade_time_ms};
    agents_event(w, v, &event);
}

static void tell_refused(struct world *w, const struct happening *h)
{
    struct coord_event event = {.kind = EVENT_REFUSED};
    event.refused.tx = (enum tx_kind)(h->what >> CODE_SHIFT & 255);
    event.refused.code = (uint32_t)h->what & ((1u << CODE_SHIFT) - 1);
    agents_event(w, h->who, &event);
}

/* The step ends whether or not the agent is there to hear it. */
static void tell_step(struct world *w, const struct happening *h)
{
    struct coord_event event = {.kind = EVENT_RUNTIME};
    if (w->hosts[h->who].generation != h->what >> 8)
        return;
    event.runtime.step = (enum coord_step_kind)(h->what >> 1 & 127);
    event.runtime.ok = h->what & 1;
    if (event.runtime.step == STEP_START || event.runtime.step == STEP_RESTORE)
        host_up(w, h->who);
    agents_event(w, h->who, &event);
}

static void tell_time(struct world *w, uint32_t v)
{
    struct agent *a = &w->agents[v];
    if (a->timer_ms > w->now_ms)
        return;
    a->timer_ms = INT64_MAX;
    struct coord_event event = {.kind = EVENT_TIME};
    agents_event(w, v, &event);
}

static bool is_stale(const struct world *w, const struct happening *h)
{
    uint32_t generation = w->agents[h->who].generation;
    switch ((enum happening_kind)h->kind) {
    case HAPPEN_STEP:
        return false;
    case HAPPEN_REFUSED:
        return h->what >> 32 != generation;
    default:
        return h->what != generation;
    }
}

void agents_handle(struct world *w, const struct happening *h)
{
    if (is_stale(w, h))
        return;
    switch ((enum happening_kind)h->kind) {
    case HAPPEN_SHOW:
        show(w, h->who);
        return;
    case HAPPEN_TIMER:
        tell_time(w, h->who);
        return;
    case HAPPEN_SELF:
        tell_self(w, h->who);
        return;
    case HAPPEN_NODE:
        agents_tell_node(w, h->who);
        return;
    case HAPPEN_REFUSED:
        tell_refused(w, h);
        return;
    case HAPPEN_STEP:
        tell_step(w, h);
        return;
    default:
        start(w, h->who);
    }
}

void agents_under(struct world *w, uint32_t v, uint32_t view)
{
    struct agent *a = &w->agents[v];
    if (a->view == view)
        return;
    a->view = view;
    if (!a->alive)
        return;
    struct coord_event event = {.kind = EVENT_TIME}; /* let it look at once: it joins anew */
    agents_event(w, v, &event);
}
