/* Why we wait, about how long, and the line that we stand in. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "node/agent_desk.h"
#include "node/json_value.h"
#include "node/turns.h"
#include "proto/input.h"

#define BLOCK_MS_GUESS 6000 /* before two blocks are known */
#define LEAVE_BLOCKS 3      /* from a permit: the pause, and two until the set is without us */
#define RETURN_BLOCKS 5 /* a block of the node's own, the unpause, two into the set, one signed */
#define MINUTE_MS INT64_C(60000)
#define ESTIMATE_MAX_MS (INT64_C(30) * 86400 * 1000) /* beyond that nobody knows */

/* --- why --- */

static struct agent_reason because(const char *code, const char *sentence)
{
    struct agent_reason reason = {.code = code};
    snprintf(reason.sentence, sizeof reason.sentence, "%s", sentence);
    return reason;
}

/* The node as it is, where the core says only that it is not as it should be. */
static struct agent_reason because_node(const struct agent *agent, enum coord_reason reason)
{
    const struct coord_node *node = &agent->core.node;
    struct agent_reason why = because("node", coord_reason_sentence(reason));
    if (!node->known || !node->reachable)
        return because("node", "our node does not answer: start it, or correct chain.node");
    if (!node->key_matches)
        return because("node", "our node signs with another key than the validator's: check which "
                               "priv_validator_key.json it uses, and chain.node");
    if (node->lag > 0)
        snprintf(why.sentence, sizeof why.sentence,
                 "our node is %" PRIu64 " blocks behind%s; it takes part again when it has them",
                 node->lag, node->catching_up ? " and catches up" : "");
    else if (node->catching_up)
        return because("node", "our node is catching up; it takes part again when it is done");
    return why;
}

static struct agent_reason because_core(const struct agent *agent, enum coord_reason reason)
{
    struct agent_reason why = {.code = NULL};
    if (reason == REASON_NONE)
        return why;
    if (reason == REASON_CATCHING_UP && agent->core.node.known) {
        why = because_node(agent, reason);
        why.code = coord_reason_code(reason);
        return why;
    }
    why = because(coord_reason_code(reason), coord_reason_sentence(reason));
    if (reason == REASON_RECOVERING && agent->feed && feed_own(agent->feed)->why[0])
        snprintf(why.sentence, sizeof why.sentence, "%.300s; start the node, or correct chain.node",
                 feed_own(agent->feed)->why);
    if (reason == REASON_FUNDS && !agent_funds_sentence(agent, why.sentence, sizeof why.sentence))
        return because(why.code, coord_reason_sentence(reason));
    return why;
}

void agent_no_place(const struct draw *d, enum view_reason reason, uint32_t rank, char *text,
                    size_t size)
{
    if (reason == VIEW_BEYOND_BUDGET)
        snprintf(text, size, "epoch %" PRIu64 ": place %u of %u in line, the budget is %" PRId64,
                 d->epoch.n, rank + 1, d->candidates, d->budget);
    else
        snprintf(text, size, "epoch %" PRIu64 ": %s", d->epoch.n, view_reason_sentence(reason));
}

/* What stands against a turn whatever the draw says. */
static enum coord_reason standing(const struct agent *agent)
{
    enum coord_reason reason = coord_may_join(&agent->core, agent_view(agent));
    switch (reason) {
    case REASON_HOLD:
    case REASON_FROZEN:
    case REASON_STORE:
    case REASON_CATCHING_UP:
    case REASON_NOT_MEMBER:
    case REASON_NO_YES_VOTE:
    case REASON_WINDOW:
    case REASON_PEERS_AHEAD:
    case REASON_PEERS_CONFLICT:
    case REASON_PEERS_FAILED:
    case REASON_DOMAIN:
    case REASON_HOURS:
        return reason;
    default:
        return REASON_NONE;
    }
}

/* In line: what the present draw says, and with a permit in hand what keeps us from using it. */
static struct agent_reason why_in_line(const struct agent *agent)
{
    const struct view *view = agent_view(agent);
    const struct draw *d = agent_draw(agent);
    uint32_t rank;
    if (standing(agent) != REASON_NONE)
        return because_core(agent, standing(agent));
    if (!d)
        return because("no-draw", "the chain is too young for a first draw");
    enum view_reason reason = view_reason(view, d, agent->core.self, &rank);
    if (reason == VIEW_PERMIT)
        return because_core(agent, coord_may_pause(&agent->core, view, d, rank));
    if (reason == VIEW_NO_JOIN || reason == VIEW_PAUSED_SINCE || reason == VIEW_OLD_ROUND ||
        reason == VIEW_USED_UP)
        return because("next-draw", "the next draw is the first that counts our join");
    struct agent_reason why = {.code = view_reason_code(reason)};
    agent_no_place(d, reason, rank, why.sentence, sizeof why.sentence);
    return why;
}

static struct agent_reason because_inactive(const struct agent *agent)
{
    struct agent_reason why = {.code = "inactive"};
    char time[TURNS_TIME_MAX];
    snprintf(why.sentence, sizeof why.sentence,
             "the chain made this validator INACTIVE for blocks that it missed, and takes it back "
             "from %s on; the agent sees to it then: keep the node running",
             turns_time(agent->core.own.inactive_until, time));
    return why;
}

static struct agent_reason why_not_back(const struct agent *agent)
{
    const struct coord_node *node = &agent->core.node;
    enum coord_reason told = agent->core.told;
    if (told == REASON_JAILED || told == REASON_TRUSTEES)
        return because_core(agent, told);
    if (agent->core.own.status == COORD_INACTIVE &&
        instant_since(agent->core.own.inactive_until, agent_chain_time(agent)) > 0)
        return because_inactive(agent);
    if (agent->core.memory.flight.refused && agent->send_trouble[0])
        return because("send", agent->send_trouble);
    if (agent->core.memory.state != COORD_SYNCING)
        return because_core(agent, REASON_NONE);
    if (!node->known || (node->reachable && node->key_matches && !node->catching_up && !node->lag))
        return because("node", node->known ? "our node has shown no new block yet"
                                           : "our node does not answer yet");
    return because_node(agent, REASON_CATCHING_UP);
}

static struct agent_reason why_between_turns(const struct agent *agent)
{
    const struct coord_memory *m = &agent->core.memory;
    enum coord_reason told = agent->core.told;
    if (!agent_in_set(agent))
        return because_core(agent, told == REASON_NONE ? REASON_NOT_MEMBER : told);
    if (m->errand == ERRAND_NONE)
        return because_core(agent, m->held ? REASON_HOLD : m->frozen ? REASON_FROZEN : REASON_NONE);
    if (m->flight.kind != TX_OTHER && !m->flight.refused)
        return because_core(agent, REASON_NONE);
    enum coord_reason reason = coord_may_join(&agent->core, agent_view(agent));
    if (reason == REASON_NONE && m->flight.refused && agent->send_trouble[0])
        return because("send", agent->send_trouble);
    return because_core(agent, reason);
}

struct agent_reason agent_why(const struct agent *agent)
{
    if (agent->waiting_for[0])
        return because("agent", agent->waiting_for);
    if (!agent->started)
        return because("agent", agent_state_sentence(agent));
    if (agent->core.store_broken)
        return because_core(agent, REASON_STORE);
    enum coord_state state = agent->core.memory.state;
    if (state == COORD_SYNCING || state == COORD_UNPAUSING)
        return why_not_back(agent);
    if (!agent_is_ready(agent))
        return because_core(agent, state == COORD_OFFLINE ? REASON_NONE : REASON_CATCHING_UP);
    switch (state) {
    case COORD_WAITING:
        return why_in_line(agent);
    case COORD_IDLE:
    case COORD_DONE:
    case COORD_JOINING:
        return why_between_turns(agent);
    default:
        return because_core(agent, REASON_NONE);
    }
}

json_t *agent_why_json(const struct agent *agent)
{
    const struct agent_reason why = agent_why(agent);
    if (!why.code)
        return json_null();
    return json_pack("{s:s, s:o}", "code", why.code, "sentence", json_text(why.sentence));
}

/* --- how long --- */

static int64_t block_ms(const struct agent *agent)
{
    int64_t ms = view_block_ms(agent_view(agent), view_head(agent_view(agent)));
    return ms > 0 ? ms : BLOCK_MS_GUESS;
}

__attribute__((format(printf, 3, 4))) static struct agent_estimate guess(const char *what,
                                                                         int64_t in_ms,
                                                                         const char *format, ...)
{
    struct agent_estimate e = {.what = what};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(e.from, sizeof e.from, format, arguments);
    va_end(arguments);
    e.known = in_ms >= 0 && in_ms <= ESTIMATE_MAX_MS;
    e.in_ms = e.known ? in_ms : 0;
    return e;
}

static int64_t until_next_draw(const struct agent *agent)
{
    const struct view *view = agent_view(agent);
    struct height head = view_head(view);
    uint64_t blocks =
        view_charter(view)->epoch_blocks - (head.n - charter_boundary(view_charter(view), head).n);
    return (int64_t)blocks * block_ms(agent);
}

/* How long a place is taken: by what the joins ahead of us name, in whole epochs, since only a draw hands it on. */
static int64_t place_ms(const struct agent *agent, const struct draw *d, uint32_t ahead)
{
    int64_t epoch_ms = view_charter(agent_view(agent))->epoch_blocks * block_ms(agent);
    int64_t minutes = 0;
    for (uint32_t i = 0; i < ahead; i++)
        minutes += view_validator(agent_view(agent), d->order[i])->join_class;
    int64_t mean_ms = ahead > 0 ? minutes * MINUTE_MS / ahead : MINUTE_MS;
    return (mean_ms + epoch_ms - 1) / epoch_ms * epoch_ms;
}

/* Places are handed on `places` at a time; whoever stands before us needs one of them first. */
static struct agent_estimate guess_turn(const struct agent *agent, const struct draw *d,
                                        uint32_t rank)
{
    bool in_line = rank != UINT32_MAX;
    uint32_t before = in_line ? rank : d->candidates;
    uint32_t ahead = before > d->permits ? before - d->permits : 0;
    uint32_t places = d->permits + d->out;
    int64_t soon_ms = until_next_draw(agent);
    if (places == 0 && (d->budget <= 0 || d->budget_count == 0))
        return guess("turn", -1,
                     "the budget is 0 and nobody is out who would hand on a place: it takes more "
                     "live validators");
    if (places == 0)
        return guess("turn", soon_ms, "the next draw, %" PRId64 " places and nobody else in line",
                     d->budget);
    int64_t each_ms = place_ms(agent, d, before);
    char each[INPUT_DURATION_MAX];
    input_duration_text((each_ms + 999) / 1000 * 1000, each);
    return guess("turn", soon_ms + ahead * each_ms / places,
                 "%u before us%s, %u places at a time, %s each by the joins' classes and the pace "
                 "of blocks; who is equal is drawn anew each epoch",
                 ahead, in_line ? "" : " (our join is not in line yet)", places, each);
}

/* What must change before anything can be estimated; what the next blocks settle by themselves is none of it. */
static enum coord_reason obstacle(const struct agent *agent)
{
    enum coord_reason reason = coord_may_join(&agent->core, agent_view(agent));
    bool joined = agent->core.memory.state == COORD_WAITING;
    bool passing = reason == REASON_STAND_BACK || reason == REASON_SPACING ||
                   reason == REASON_RECOVERING || reason == REASON_WOULD_WITHHOLD;
    return joined ? standing(agent) : passing ? REASON_NONE : reason;
}

static struct agent_estimate estimate_turn(const struct agent *agent)
{
    const struct draw *d = agent_draw(agent);
    uint32_t rank;
    if (agent_is_ready(agent) && obstacle(agent) != REASON_NONE)
        return guess("turn", -1, "first this has to change: %s",
                     coord_reason_sentence(obstacle(agent)));
    if (!d)
        return guess("turn", until_next_draw(agent), "the first draw of the chain");
    enum view_reason reason = view_reason(agent_view(agent), d, agent->core.self, &rank);
    if (reason == VIEW_PERMIT)
        return guess("turn", LEAVE_BLOCKS * block_ms(agent), "we hold a permit; %d blocks to leave",
                     LEAVE_BLOCKS);
    return guess_turn(agent, d, rank);
}

/* When our pause happened; INSTANT_NEVER when neither view nor feed remembers. */
static struct instant paused_at(const struct agent *agent)
{
    const struct view_pulse *pulse = view_pulse(agent_view(agent), agent->core.memory.pause);
    if (pulse)
        return pulse->time;
    if (agent->feed) {
        const struct feed_validator seen = feed_validator(agent->feed, agent->core.self);
        if (seen.pause.n == agent->core.memory.pause.n && seen.pause_ms.ms > 0)
            return seen.pause_ms;
    }
    return INSTANT_NEVER;
}

static struct agent_estimate estimate_offline(const struct agent *agent)
{
    const struct coord_memory *m = &agent->core.memory;
    struct instant since = paused_at(agent);
    char expected[INPUT_DURATION_MAX];
    int64_t around_ms = RETURN_BLOCKS * block_ms(agent);
    if (m->expected_ms == 0 || since.ms == INSTANT_NEVER.ms)
        return guess("return", -1, "%s",
                     m->errand == ERRAND_MAINTENANCE
                         ? "nobody has said how long the maintenance takes"
                         : "when this turn began is not known any more");
    input_duration_text(m->expected_ms, expected);
    int64_t left_ms =
        m->expected_ms + 2 * block_ms(agent) - instant_since(agent_chain_time(agent), since);
    return guess("return", (left_ms > 0 ? left_ms : 0) + around_ms,
                 "paused in block %" PRIu64 ", the work takes %s as was said%s, and %d blocks to "
                 "return",
                 m->pause.n, expected, left_ms < 0 ? " (that time is over)" : "", RETURN_BLOCKS);
}

static struct agent_estimate estimate_return(const struct agent *agent)
{
    int64_t ms = block_ms(agent);
    switch (agent->core.memory.state) {
    case COORD_OFFLINE:
        return estimate_offline(agent);
    case COORD_SYNCING:
        return guess("return", RETURN_BLOCKS * ms,
                     "%d blocks, as soon as the node is in step; how long that takes is the node's",
                     RETURN_BLOCKS);
    case COORD_UNPAUSING:
        return guess("return", (RETURN_BLOCKS - 1) * ms, "%d blocks to return", RETURN_BLOCKS - 1);
    default: {
        uint32_t settle = view_charter(agent_view(agent))->settle_blocks;
        return guess("return", (settle + 2) * ms, "%u blocks, of which %u with our signature",
                     settle + 2, settle);
    }
    }
}

struct agent_estimate agent_estimate(const struct agent *agent)
{
    if (!agent->started || !agent_view(agent) || !agent->feed_ready)
        return (struct agent_estimate){.what = NULL};
    switch (agent->core.memory.state) {
    case COORD_IDLE:
    case COORD_JOINING:
    case COORD_WAITING:
    case COORD_DONE:
        if (!agent_wants_turn(agent))
            return (struct agent_estimate){.what = NULL};
        return estimate_turn(agent);
    case COORD_PAUSING:
    case COORD_PAUSED:
    case COORD_LEFT:
        return guess("turn", LEAVE_BLOCKS * block_ms(agent), "%d blocks to leave the set",
                     LEAVE_BLOCKS);
    default:
        return estimate_return(agent);
    }
}

json_t *agent_estimate_json(const struct agent *agent)
{
    const struct agent_estimate e = agent_estimate(agent);
    char time[TURNS_TIME_MAX];
    if (!e.what)
        return json_null();
    json_t *object =
        json_pack("{s:s, s:b, s:o}", "what", e.what, "known", e.known, "from", json_text(e.from));
    json_object_set_new(object, "in_ms", e.known ? json_integer(e.in_ms) : json_null());
    json_object_set_new(object, "at",
                        e.known ? json_string(turns_time(instant_after(agent_now(), e.in_ms), time))
                                : json_null());
    return object;
}

/* --- the line --- */

static json_t *candidate_json(const struct agent *agent, const struct draw *d, uint32_t rank)
{
    const struct view_validator *v = view_validator(agent_view(agent), d->order[rank]);
    json_t *object = agent_validator_json(agent, d->order[rank]);
    json_object_set_new(object, "place", json_number(rank + UINT64_C(1)));
    json_object_set_new(object, "permit", json_boolean(rank < d->permits));
    json_object_set_new(object, "class_minutes", json_number(v->join_class));
    json_object_set_new(object, "turns", json_number(v->turns));
    json_object_set_new(object, "joined", json_number(v->join.n));
    json_object_set_new(object, "me", json_boolean(d->order[rank] == agent->core.self));
    return object;
}

json_t *agent_turns(const struct agent *agent)
{
    const struct draw *d = agent_is_ready(agent) ? agent_draw(agent) : NULL;
    char time[TURNS_TIME_MAX];
    uint32_t rank;
    if (!d)
        return agent_refusal(COMMAND_NO_NETWORK, "no-draw",
                             agent->waiting_for[0] ? agent->waiting_for
                                                   : "the agent has seen no draw yet");
    enum view_reason reason = view_reason(agent_view(agent), d, agent->core.self, &rank);
    json_t *order = json_array();
    for (uint32_t r = 0; r < d->candidates; r++)
        json_array_append_new(order, candidate_json(agent, d, r));
    json_t *object = json_pack(
        "{s:b, s:s, s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:b}", "ok", 1, "chain_id",
        agent->chain_id, "epoch", (json_int_t)d->epoch.n, "boundary", (json_int_t)d->boundary.n,
        "time", turns_time(d->time, time), "budget", (json_int_t)d->budget, "permit_count",
        (json_int_t)d->permits, "candidates", (json_int_t)d->candidates, "live",
        (json_int_t)d->live, "floor", (json_int_t)d->floor, "complete", d->complete);
    json_object_set_new(object, "order", order);
    json_object_set_new(object, "place",
                        rank == UINT32_MAX ? json_null() : json_number(rank + UINT64_C(1)));
    json_object_set_new(object, "reason", json_string(view_reason_code(reason)));
    json_object_set_new(object, "sentence", json_string(view_reason_sentence(reason)));
    json_object_set_new(object, "why", agent_why_json(agent));
    json_object_set_new(object, "estimate", agent_estimate_json(agent));
    return object;
}
