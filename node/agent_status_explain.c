/* Would we get a permit now; and what the core said, epoch by epoch. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "node/agent_desk.h"
#include "node/json_value.h"
#include "node/turns.h"

/* --- ok to stop? --- */

static void add_reason(json_t *reasons, const char *code, const char *sentence)
{
    json_array_append_new(reasons,
                          json_pack("{s:s, s:o}", "code", code, "sentence", json_text(sentence)));
}

static void add_core(json_t *reasons, enum coord_reason reason)
{
    if (reason != REASON_NONE)
        add_reason(reasons, coord_reason_code(reason), coord_reason_sentence(reason));
}

/* What the draw has left beside the permits that it gave, for one of our weight. */
static bool has_room(const struct agent *agent, const struct draw *d)
{
    const struct view *view = agent_view(agent);
    int64_t spent = 0;
    for (uint32_t r = 0; r < d->permits; r++)
        spent += d->by_power ? view_validator(view, d->order[r])->power : 1;
    int64_t ours = d->by_power ? view_validator(view, agent->core.self)->power : 1;
    return d->permits < d->budget_count && spent + ours <= d->budget;
}

/* Not in line is no obstacle: the question is what a join would have got. */
static bool asks_for_nothing(enum view_reason reason)
{
    return reason == VIEW_NO_JOIN || reason == VIEW_PAUSED_SINCE || reason == VIEW_FOREIGN ||
           reason == VIEW_OLD_ROUND || reason == VIEW_USED_UP;
}

static void look_at_draw(const struct agent *agent, json_t *reasons)
{
    const struct draw *d = agent_draw(agent);
    char text[200];
    uint32_t rank;
    if (!d) {
        add_reason(reasons, "no-draw", "the chain is too young for a first draw");
        return;
    }
    enum view_reason reason = view_reason(agent_view(agent), d, agent->core.self, &rank);
    bool spent = view_validator(agent_view(agent), agent->core.self)->pause.n > d->boundary.n;
    if (reason == VIEW_PERMIT && spent)
        reason = VIEW_PAUSED_SINCE;
    if (reason == VIEW_PERMIT) {
        add_core(reasons, coord_may_pause(&agent->core, agent_view(agent), d, rank));
    } else if (!asks_for_nothing(reason)) {
        agent_no_place(d, reason, rank, text, sizeof text);
        add_reason(reasons, view_reason_code(reason), text);
    } else if (!d->complete) {
        add_core(reasons, REASON_HISTORY);
    } else if (!has_room(agent, d)) {
        snprintf(text, sizeof text,
                 "epoch %" PRIu64 ": the budget is %" PRId64 " and %u hold a permit", d->epoch.n,
                 d->budget, d->permits);
        add_reason(reasons, "no-room", text);
    }
}

/* In the middle of a turn the answer is the turn's own. */
static const char *within_turn(const struct agent *agent, json_t *reasons)
{
    switch (agent->core.memory.state) {
    case COORD_OFFLINE:
        return "out of the set by a turn of ours: the node may be stopped";
    case COORD_IDLE:
    case COORD_JOINING:
    case COORD_WAITING:
    case COORD_DONE:
        if (agent_in_set(agent))
            return NULL;
        if (!agent->core.node.catching_up && agent->core.memory.flight.kind == TX_OTHER)
            return "not in the set: nobody misses the node";
        add_core(reasons, agent->core.node.catching_up ? REASON_CATCHING_UP : REASON_BUSY);
        return NULL;
    default:
        add_reason(reasons, coord_reason_code(REASON_BUSY), agent_state_sentence(agent));
        return NULL;
    }
}

/* Who wants no turn has not said how long it would take, and has not looked who stands in line. */
static struct coord as_if_wanted(const struct agent *agent)
{
    struct coord core = agent->core;
    if (!agent_wants_turn(agent)) {
        core.memory.expected_ms = settings_ms(agent->settings, SETTING_AGENT_EXPECTED);
        core.stood = height_at(1);
    }
    return core;
}

static const char *judge_stop(const struct agent *agent, json_t *reasons)
{
    if (!agent_is_ready(agent) && !(agent->started && agent->core.memory.state == COORD_OFFLINE)) {
        const struct agent_reason why = agent_why(agent);
        add_reason(reasons, why.code ? why.code : "agent", why.code ? why.sentence : "starting");
        return NULL;
    }
    const char *yes = within_turn(agent, reasons);
    if (yes || json_array_size(reasons) > 0)
        return yes;
    const struct coord core = as_if_wanted(agent);
    add_core(reasons, coord_may_join(&core, agent_view(agent)));
    look_at_draw(agent, reasons);
    return json_array_size(reasons) == 0
               ? "a permit would be given now: `stagger pause` takes it, then the node may be stopped"
               : NULL;
}

static json_t *terms_json(const struct agent *agent, const struct draw *d);

json_t *agent_ok_to_stop(const struct agent *agent)
{
    json_t *reasons = json_array();
    const char *yes = judge_stop(agent, reasons);
    const struct draw *d = agent_is_ready(agent) ? agent_draw(agent) : NULL;
    json_t *object = json_pack(
        "{s:b, s:b, s:o, s:o}", "ok", 1, "ok_to_stop", yes != NULL, "reasons", reasons, "text",
        json_text(
            yes ? yes
                : json_string_value(json_object_get(json_array_get(reasons, 0), "sentence"))));
    json_object_set_new(object, "draw", d ? terms_json(agent, d) : json_null());
    json_object_set_new(object, "estimate", agent_estimate_json(agent));
    return object;
}

/* --- explain --- */

/* A draw and its terms, as the words of PROTOCOL section 2 have them. */
static json_t *terms_json(const struct agent *agent, const struct draw *d)
{
    static const char *const names[] = {"floor", "two-thirds", "ramp"};
    const struct turns_terms terms = turns_terms(view_charter(agent_view(agent)), d);
    char time[TURNS_TIME_MAX];
    json_t *object = json_pack(
        "{s:I, s:I, s:s, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "epoch",
        (json_int_t)d->epoch.n, "boundary", (json_int_t)d->boundary.n, "time",
        turns_time(d->time, time), "complete", d->complete, "by_power", d->by_power, "members",
        (json_int_t)d->members, "live", (json_int_t)d->live, "foreign", (json_int_t)d->foreign,
        "reference", (json_int_t)d->reference, "floor", (json_int_t)d->floor, "reserve",
        (json_int_t)d->reserve, "budget", (json_int_t)d->budget);
    json_object_set_new(object, "candidates", json_number(d->candidates));
    json_object_set_new(object, "permit_count", json_number(d->permits));
    json_object_set_new(object, "overdue", json_number(d->overdue));
    json_object_set_new(object, "terms",
                        json_pack("{s:I, s:I, s:o, s:s}", "floor", (json_int_t)terms.by_floor,
                                  "two_thirds", (json_int_t)terms.by_thirds, "ramp",
                                  terms.ramp == INT64_MAX ? json_null() : json_integer(terms.ramp),
                                  "smallest", names[d->term]));
    return object;
}

static json_t *mine_json(const struct agent *agent, const struct draw *d)
{
    uint32_t rank;
    enum view_reason reason = view_reason(agent_view(agent), d, agent->core.self, &rank);
    return json_pack("{s:s, s:s, s:b, s:o}", "reason", view_reason_code(reason), "sentence",
                     view_reason_sentence(reason), "permit", reason == VIEW_PERMIT, "place",
                     rank == UINT32_MAX ? json_null() : json_number(rank + UINT64_C(1)));
}

/* Sentences said at heights of the epoch; NULL draw bounds: all of them. */
static json_t *said_within(const struct agent *agent, uint64_t from, uint64_t below)
{
    json_t *all = agent_said_since(agent, 0, LEVEL_DEBUG), *some = json_array();
    for (size_t i = 0; i < json_array_size(all); i++) {
        json_t *line = json_array_get(all, i);
        json_int_t height = json_integer_value(json_object_get(line, "height"));
        if ((uint64_t)height >= from && (uint64_t)height < below)
            json_array_append(some, line);
    }
    json_decref(all);
    return some;
}

static json_t *no_such_epoch(const struct agent *agent, uint64_t epoch, const struct draw *latest)
{
    char text[300];
    const char *dir = settings_text(agent->settings, SETTING_AGENT_DIR);
    if (latest && epoch > latest->epoch.n)
        snprintf(text, sizeof text, "epoch %" PRIu64 " has not begun; the present one is %" PRIu64,
                 epoch, latest->epoch.n);
    else
        snprintf(text, sizeof text,
                 "the running agent does not remember epoch %" PRIu64 ": `stagger replay %s --all` "
                 "has what it said, `stagger turns --epoch %" PRIu64 "` the draw",
                 epoch, dir, epoch);
    return agent_refusal(COMMAND_NO_NETWORK, "no-draw", text);
}

static bool is_empty(const json_t *list)
{
    return json_array_size(list) == 0;
}

json_t *agent_explain(const struct agent *agent, bool has_epoch, uint64_t epoch)
{
    bool ready = agent_is_ready(agent);
    const struct draw *d = ready ? agent_draw(agent) : NULL, *latest = d;
    json_t *said;
    if (has_epoch) {
        uint64_t blocks = agent->charter.epoch_blocks > 0 ? agent->charter.epoch_blocks : 1;
        d = ready ? view_draw(agent_view(agent), height_at(epoch * blocks)) : NULL;
        said = said_within(agent, epoch * blocks, (epoch + 1) * blocks);
    } else
        said = said_within(agent, 0, UINT64_MAX);
    if (has_epoch && !d && is_empty(said)) {
        json_decref(said);
        return no_such_epoch(agent, epoch, latest);
    }
    bool present = !has_epoch || (latest && latest->epoch.n == epoch);
    json_t *object = json_pack("{s:b, s:s, s:o}", "ok", 1, "state_sentence",
                               agent_state_sentence(agent), "said", said);
    json_object_set_new(object, "epoch",
                        has_epoch ? json_number(epoch)
                        : d       ? json_number(d->epoch.n)
                                  : json_null());
    json_object_set_new(object, "draw", d ? terms_json(agent, d) : json_null());
    json_object_set_new(object, "mine", d ? mine_json(agent, d) : json_null());
    json_object_set_new(object, "why", present ? agent_why_json(agent) : json_null());
    return object;
}
