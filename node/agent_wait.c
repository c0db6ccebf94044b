/* Who waits for what, and what they are told meanwhile. */
#include <assert.h>
#include <string.h>

#include "node/agent_desk.h"
#include "node/json_value.h"

/* --- judging --- */

enum verdict { STILL, REACHED, FAILED };

struct judgement {
    enum verdict verdict;
    const char *code, *text;
};

static const struct judgement still = {STILL, NULL, NULL};

static struct judgement judged(enum verdict verdict, const char *code, const char *text)
{
    return (struct judgement){verdict, code, text};
}

static bool is_between_turns(const struct agent *agent)
{
    enum coord_state state = agent->core.memory.state;
    return state == COORD_IDLE || state == COORD_JOINING || state == COORD_WAITING ||
           state == COORD_DONE;
}

static bool is_idle(const struct agent *agent)
{
    const struct coord_memory *m = &agent->core.memory;
    return (m->state == COORD_IDLE || m->state == COORD_DONE) && m->errand == ERRAND_NONE &&
           m->later_ms == 0 && m->step == STEP_NONE;
}

/* Out of the set, and nothing that the agent could do about it; NULL: not so. */
static const char *barred(const struct agent *agent)
{
    enum coord_reason told = agent->core.told;
    enum coord_state state = agent->core.memory.state;
    bool stuck = told == REASON_JAILED || told == REASON_TRUSTEES ||
                 (told == REASON_BY_HAND && state == COORD_IDLE);
    return stuck ? coord_reason_sentence(told) : NULL;
}

static struct judgement judge_out(const struct agent *agent, const struct agent_waiter *waiter)
{
    const struct coord_memory *m = &agent->core.memory;
    bool by_hand = m->errand == ERRAND_MAINTENANCE;
    if (m->state == COORD_OFFLINE && by_hand)
        return judged(REACHED, "out",
                      "out of the set: the node may be stopped now; `stagger unpause` when it is "
                      "back");
    if (waiter->commanded && !by_hand)
        return judged(FAILED, "called-off", "the pause was called off");
    if (m->state == COORD_OFFLINE)
        return judged(REACHED, "out", "out of the set: the runtime is at the node");
    return still;
}

static struct judgement judge_back(const struct agent *agent)
{
    if (!agent_is_ready(agent))
        return still;
    if (is_between_turns(agent) && agent_in_set(agent))
        return judged(REACHED, "back", "in the set");
    const char *why = barred(agent);
    return why ? judged(FAILED, "barred", why) : still;
}

static struct judgement judge_done(const struct agent *agent, const struct agent_waiter *waiter)
{
    bool rebooted = waiter->commanded && waiter->own == COMMAND_REBOOT;
    if (!is_idle(agent))
        return still;
    if (agent->core.memory.failed)
        return judged(FAILED, "gave-up",
                      "the work was given up and the version before restored; `stagger explain` "
                      "says why");
    if (rebooted && !waiter->installed)
        return judged(FAILED, "called-off", "the reboot was called off");
    const char *why = agent_is_ready(agent) && !agent_in_set(agent) ? barred(agent) : NULL;
    if (why)
        return judged(FAILED, "barred", why);
    return judged(REACHED, "done", rebooted ? "rebooted, and in the set again" : "nothing is open");
}

static struct judgement judge(const struct agent *agent, const struct agent_waiter *waiter)
{
    if (!agent->started || agent->core.recovering || waiter->goal == GOAL_NONE)
        return still; /* or what the chain will say of us is not known yet */
    switch (waiter->goal) {
    case GOAL_OUT:
        return judge_out(agent, waiter);
    case GOAL_BACK:
        return judge_back(agent);
    case GOAL_DONE:
        return judge_done(agent, waiter);
    default:
        return is_idle(agent) && agent->core.memory.flight.kind == TX_OTHER
                   ? judged(REACHED, "idle", "nothing is under way")
                   : still;
    }
}

/* --- telling --- */

static uint32_t hash_of(const char *text)
{
    uint32_t hash = 2166136261u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash;
}

static struct agent_shown shown_now(const struct agent *agent)
{
    const struct view *view = agent_view(agent);
    const struct agent_reason why = agent_why(agent);
    return (struct agent_shown){
        .said_count = agent->said_count,
        .head = view && agent->feed_ready ? view_head(view).n : 0,
        .stage = agent->stage,
        .state = agent->core.memory.state,
        .step = agent->core.memory.step,
        .percent = agent->runtime_percent,
        .why = why.code ? hash_of(why.sentence) : 0,
    };
}

static bool is_news(const struct agent_waiter *waiter, const struct agent_shown *now)
{
    const struct agent_shown *then = &waiter->shown;
    bool same = then->said_count == now->said_count && then->stage == now->stage &&
                then->state == now->state && then->step == now->step && then->why == now->why &&
                then->percent == now->percent;
    return !same || (waiter->watch && then->head != now->head);
}

static void tell(const struct agent *agent, struct agent_waiter *waiter,
                 const struct agent_shown *now)
{
    json_t *object = waiter->watch ? agent_status(agent)
                                   : json_pack("{s:b, s:s}", "ok", 1, "state_sentence",
                                               agent_state_sentence(agent));
    json_object_set_new(object, "more", json_true());
    json_object_set_new(object, "said",
                        agent_said_since(agent, waiter->shown.said_count, LEVEL_INFO));
    if (!waiter->watch) {
        json_object_set_new(object, "why", agent_why_json(agent));
        json_object_set_new(object, "estimate", agent_estimate_json(agent));
    }
    waiter->shown = *now;
    control_more(waiter->client, object);
}

static void end_wait(struct agent_waiter *waiter, const struct judgement *how, json_t *said)
{
    struct control_client *client = waiter->client;
    json_t *object = how->verdict == REACHED ? json_pack("{s:b, s:s, s:s}", "ok", 1, "code",
                                                         how->code, "text", how->text)
                                             : agent_refusal(COMMAND_FAILED, how->code, how->text);
    json_object_set_new(object, "said", said);
    waiter->client = NULL;
    control_answer(client, object);
}

/* --- the waiters --- */

/* The reinitialisation is through when the node is being started and the errand is no more. */
static void note_installed(const struct agent *agent, struct agent_waiter *waiter)
{
    const struct coord_memory *m = &agent->core.memory;
    waiter->installed |= m->state == COORD_OFFLINE && m->step == STEP_START &&
                         m->errand == ERRAND_NONE && !m->failed;
}

static void look(struct agent *agent, struct agent_waiter *waiter, const struct agent_shown *now)
{
    note_installed(agent, waiter);
    struct judgement how = judge(agent, waiter);
    if (how.verdict != STILL)
        end_wait(waiter, &how, agent_said_since(agent, waiter->shown.said_count, LEVEL_INFO));
    else if (is_news(waiter, now))
        tell(agent, waiter, now);
}

void agent_wait_look(struct agent *agent)
{
    struct agent_shown now;
    bool known = false;
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        struct agent_waiter *waiter = &agent->desk->waiters[i];
        if (!waiter->client)
            continue;
        if (!known)
            now = shown_now(agent);
        known = true;
        look(agent, waiter, &now);
    }
}

void agent_wait(struct agent *agent, struct agent_waiter waiter)
{
    struct agent_waiter *place = agent->desk->waiters;
    while (place->client)
        place++;
    assert(place < agent->desk->waiters + CONTROL_CLIENTS_MAX);
    if (!waiter.commanded)
        waiter.shown.said_count = agent->said_count;
    waiter.shown.percent = -2; /* of nothing: so the first look is news */
    *place = waiter;
    struct agent_shown now = shown_now(agent);
    look(agent, place, &now);
}

void agent_wait_gone(struct agent *agent, const struct control_client *client)
{
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
        if (agent->desk->waiters[i].client == client)
            agent->desk->waiters[i].client = NULL;
}

void agent_wait_end(struct agent *agent)
{
    static const struct judgement stopping = {
        FAILED, "stopping",
        "the agent stops; what was asked for stands, and its next start goes on with it"};
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
        if (agent->desk->waiters[i].client)
            end_wait(&agent->desk->waiters[i], &stopping, json_array());
}
