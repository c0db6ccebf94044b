/* What an operator says to the core, and what the core says to it. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "node/agent_desk.h"
#include "node/json_value.h"

/* --- what would become of it --- */

struct rehearsal {
    bool refused;
    enum coord_reason reason;
};

static struct coord_event event_of(enum coord_command command, int64_t expected_ms)
{
    struct coord_event event = {.kind = EVENT_OPERATOR};
    event.operator.command = command;
    event.operator.expected_ms = expected_ms;
    return event;
}

/* Refusals of a command, as told apart from those of the turn that it asks for: the state machine never gives these
 * two reasons, and a force that is not refused is on its way at once. */
static struct rehearsal rehearse(const struct agent *agent, enum coord_command command)
{
    struct coord core = agent->core;
    struct coord_effects effects;
    struct coord_event event = event_of(command, 0);
    struct rehearsal result = {.refused = false};
    event.now = agent_clock(agent);
    event.view = agent_view(agent);
    coord_step(&core, &event, &effects);
    bool begun = core.memory.state == COORD_PAUSING && agent->core.memory.state != COORD_PAUSING;
    for (uint32_t i = 0; i < effects.count && !result.refused; i++) {
        const struct coord_effect *effect = &effects.list[i];
        if (effect->kind != EFFECT_SAY)
            continue;
        enum coord_reason reason = effect->say.reason;
        bool said = reason == REASON_BUSY || reason == REASON_NOT_PAUSED;
        result.refused = said || (command == COMMAND_FORCE && !begun && reason != REASON_NONE);
        result.reason = reason;
    }
    return result;
}

/* --- saying it --- */

static void keep_reason(struct agent *agent, const char *reason)
{
    snprintf(agent->reason, sizeof agent->reason, "%s", reason);
    if (agent->journal)
        journal_append_note(agent->journal, agent_now(), NOTE_REASON, reason);
}

static json_t *answer_of(const struct agent *agent, uint64_t said_before,
                         const struct rehearsal *rehearsed)
{
    json_t *object = json_pack("{s:b}", "ok", !rehearsed->refused);
    if (rehearsed->refused) {
        json_object_set_new(object, "status", json_integer(COMMAND_REFUSED));
        json_object_set_new(object, "code", json_string(coord_reason_code(rehearsed->reason)));
        json_object_set_new(object, "text", json_string(coord_reason_sentence(rehearsed->reason)));
    } else if (agent->core.store_broken)
        json_object_set_new(object, "note", json_string(coord_reason_sentence(REASON_STORE)));
    json_object_set_new(object, "state", json_string(coord_state_name(agent->core.memory.state)));
    json_object_set_new(object, "state_sentence", json_string(agent_state_sentence(agent)));
    json_object_set_new(object, "said", agent_said_since(agent, said_before, LEVEL_DEBUG));
    json_object_set_new(object, "why", agent_why_json(agent));
    json_object_set_new(object, "estimate", agent_estimate_json(agent));
    return object;
}

/* What a pause by force puts at risk; NULL: nothing beyond what a permit would. */
static json_t *risks_json(const struct agent *agent)
{
    const struct view *view = agent_view(agent);
    const struct view_pulse *pulse = view_pulse(view, view_head(view));
    const struct draw *d = agent_draw(agent);
    json_t *list = json_array();
    char text[300];
    if (agent->core.plan.pending && !agent->core.plan.voted_yes)
        json_array_append_new(
            list,
            json_string("an upgrade is pending and this validator has not voted YES: if it is "
                        "still paused at upgrade_time the chain stops for good; the agent "
                        "unpauses it in time only while it runs and reaches a node, so vote "
                        "YES or be back long before"));
    int64_t live = d && d->by_power ? pulse->live_weight : pulse->live;
    int64_t ours = d && d->by_power ? view_validator(view, agent->core.self)->power : 1;
    if (d && live - ours < d->floor) {
        snprintf(text, sizeof text,
                 "%" PRId64 " are live and the floor is %" PRId64
                 ": without us it is broken, and a few more that fail stop the chain",
                 live, d->floor);
        json_array_append_new(list, json_string(text));
    } else if (d && d->budget <= (int64_t)d->permits) {
        snprintf(text, sizeof text,
                 "the budget of epoch %" PRIu64 " is %" PRId64
                 " and spoken for: what is left is the reserve for accidents",
                 d->epoch.n, d->budget);
        json_array_append_new(list, json_string(text));
    }
    if (json_array_size(list) > 0)
        return list;
    json_decref(list);
    return NULL;
}

static enum coord_command command_of(const struct agent_request *request)
{
    switch (request->question) {
    case ASK_PAUSE:
        return request->force ? COMMAND_FORCE : COMMAND_PAUSE;
    case ASK_REBOOT:
        return COMMAND_REBOOT;
    case ASK_UNPAUSE:
        return COMMAND_UNPAUSE;
    case ASK_HOLD:
        return COMMAND_HOLD;
    case ASK_UNHOLD:
        return COMMAND_UNHOLD;
    case ASK_UNFREEZE:
        return COMMAND_UNFREEZE;
    default:
        assert(!(bool)"no command of an operator");
        return COMMAND_HOLD;
    }
}

static enum agent_goal goal_of(enum coord_command command)
{
    return command == COMMAND_UNPAUSE                             ? GOAL_BACK
           : command == COMMAND_PAUSE || command == COMMAND_FORCE ? GOAL_OUT
                                                                  : GOAL_DONE;
}

static int64_t expected_of(const struct agent *agent, const struct agent_request *request)
{
    return request->expected_ms != EXPECTED_UNSAID
               ? request->expected_ms
               : settings_ms(agent->settings, SETTING_AGENT_EXPECTED);
}

/* The client is told first, so that what it waits for comes behind the answer to its command. */
static void say_command(struct agent *agent, struct control_client *client,
                        const struct agent_request *request, const struct rehearsal *rehearsed)
{
    enum coord_command command = command_of(request);
    uint64_t before = agent->said_count;
    bool forced = command == COMMAND_FORCE && agent_is_ready(agent);
    json_t *risks = forced ? risks_json(agent) : NULL;
    bool reasoned = request->question == ASK_PAUSE || request->question == ASK_REBOOT;
    if (!rehearsed->refused && reasoned)
        keep_reason(agent, request->reason);
    struct coord_event event = event_of(command, expected_of(agent, request));
    agent_event(agent, &event);
    json_t *object = answer_of(agent, before, rehearsed);
    if (risks)
        json_object_set_new(object, "risks", risks);
    if (!request->wait || rehearsed->refused) {
        control_answer(client, object);
        return;
    }
    json_object_set_new(object, "more", json_true());
    control_more(client, object);
    agent_wait(agent, (struct agent_waiter){
                          .client = client,
                          .goal = goal_of(command),
                          .commanded = true,
                          .own = command,
                          .shown = {.said_count = agent->said_count},
                      });
}

/* --- a reboot to something new: what, is looked at first --- */

static void refuse_reboot(struct control_client *client, const char *code, const char *text)
{
    control_answer(client, agent_refusal(COMMAND_REFUSED, code, text));
}

static void begin_reboot(struct agent *agent, struct control_client *client,
                         const struct agent_request *request)
{
    struct rehearsal rehearsed = rehearse(agent, COMMAND_REBOOT);
    struct fault fault;
    if (!rehearsed.refused && !runtime_aim(agent->runtime, request->target, &fault)) {
        refuse_reboot(client, "target", fault.text);
        return;
    }
    say_command(agent, client, request, &rehearsed);
}

static void on_checked(void *owner, bool ok, const char *text)
{
    struct agent *agent = owner;
    struct control_client *client = agent->desk->checking;
    agent->desk->check_open = false;
    agent->desk->checking = NULL;
    if (!client)
        return; /* nobody waits for it any more */
    if (!ok)
        refuse_reboot(client, "target", text);
    else if (!agent_is_ready(agent))
        refuse_reboot(client, "not-ready", "the agent has lost the chain meanwhile; try again");
    else
        begin_reboot(agent, client, &agent->desk->reboot);
}

static void check_reboot(struct agent *agent, struct control_client *client,
                         const struct agent_request *request)
{
    struct rehearsal rehearsed = rehearse(agent, COMMAND_REBOOT);
    if (rehearsed.refused)
        say_command(agent, client, request, &rehearsed);
    else if (!agent->runtime || runtime_kind(agent->runtime) == RUNTIME_NONE)
        refuse_reboot(client, "no-runtime",
                      "runtime.driver is none: this agent cannot stop and start the node; set a "
                      "driver, or use `stagger pause` and do it by hand");
    else if (agent->desk->check_open)
        refuse_reboot(client, "busy", "another reboot's target is being looked at; try again");
    else if (!request->target[0])
        begin_reboot(agent, client, request);
    else {
        agent->desk->check_open = true;
        agent->desk->checking = client;
        agent->desk->reboot = *request;
        runtime_check(agent->runtime, request->target, on_checked);
    }
}

void agent_operator_gone(struct agent *agent, const struct control_client *client)
{
    if (agent->desk->checking == client)
        agent->desk->checking = NULL;
}

/* --- all of them --- */

/* The core hears commands as soon as it runs, also while the chain is out of sight. */
static bool is_heard(const struct agent *agent)
{
    return agent->started && agent->feed_ready && agent_view(agent);
}

void agent_operator(struct agent *agent, struct control_client *client,
                    const struct agent_request *request)
{
    if (!is_heard(agent)) {
        const struct agent_reason why = agent_why(agent);
        char text[FAULT_MAX + 40];
        snprintf(text, sizeof text, "the agent is not ready: %s",
                 why.code ? why.sentence : agent_state_sentence(agent));
        control_answer(client, agent_refusal(COMMAND_NO_NETWORK, "not-ready", text));
        return;
    }
    if (request->question == ASK_REBOOT) {
        check_reboot(agent, client, request);
        return;
    }
    struct rehearsal rehearsed = rehearse(agent, command_of(request));
    say_command(agent, client, request, &rehearsed);
}
