/* Events into the core, effects out: the one place that calls coord_step(). */
#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "node/agent_internal.h"

#define STORE_RETRY_MS 1000

static int on_store_retry(zloop_t *loop, int timer, void *owner);

/* --- a hook for tests --- */

void agent_point(struct agent *agent)
{
    if (agent->die_at > 0 && --agent->die_at == 0)
        (void)raise(SIGKILL);
}

/* --- the journal --- */

static void tell_store(struct agent *agent, bool works)
{
    struct coord_event event = {.kind = EVENT_STORE, .store_works = works};
    agent_event(agent, &event);
}

bool agent_sync(struct agent *agent)
{
    struct fault fault;
    agent_point(agent);
    bool good = journal_sync(agent->journal, &fault);
    agent_point(agent);
    if (good)
        return true;
    if (agent->journal_timer < 0) {
        agent_say(agent, LEVEL_BROKEN, "%s: %s", settings_text(agent->settings, SETTING_AGENT_DIR),
                  fault.text);
        agent->journal_timer = zloop_timer(agent->loop, STORE_RETRY_MS, 0, on_store_retry, agent);
    }
    return false;
}

static int on_store_retry(zloop_t *loop, int timer, void *owner)
{
    struct agent *agent = owner;
    struct fault fault;
    if (!journal_sync(agent->journal, &fault))
        return 0;
    zloop_timer_end(loop, timer);
    agent->journal_timer = -1;
    agent_say(agent, LEVEL_UNUSUAL, "the journal can be written again");
    tell_store(agent, true);
    return 0;
}

/* --- effects --- */

static void say(struct agent *agent, const struct coord_say *what)
{
    char text[300];
    agent_say(agent, what->level, "%s", coord_sentence(what, text, sizeof text));
}

/* False: nothing that follows may be carried out. */
static bool perform(struct agent *agent, const struct coord_effect *effect)
{
    switch (effect->kind) {
    case EFFECT_PERSIST:
        journal_append_memory(agent->journal, coord_memory(&agent->core));
        return agent_sync(agent);
    case EFFECT_SEND:
        agent_send(agent, effect);
        return true;
    case EFFECT_RUNTIME:
        agent_runtime_step(agent, effect->step);
        return true;
    case EFFECT_ASK_SELF:
        agent_ask_self(agent);
        return true;
    case EFFECT_ASK_NODE:
        agent_ask_node(agent);
        return true;
    case EFFECT_ANNOUNCE:
        agent_peers_announce(agent);
        return true;
    case EFFECT_SAY:
        say(agent, &effect->say);
        return true;
    }
    assert(!(bool)"an effect that coord.h does not name");
    return false;
}

void agent_event(struct agent *agent, struct coord_event *event)
{
    struct coord_effects effects;
    if (!agent->started && event->kind != EVENT_START)
        return;
    if (event->kind ==
        EVENT_OPERATOR) /* judged by what the chain shows now, however long we wanted to sleep */
        agent_show_head(agent);
    assert(!agent->stepping);
    agent->stepping = true;
    event->now = agent_clock(agent);
    event->view = agent_view(agent);
    agent_point(agent);
    coord_step(&agent->core, event, &effects);
    journal_append_event(agent->journal, &agent->core, event, &effects);
    bool durable = true;
    for (uint32_t i = 0; durable && i < effects.count; i++) {
        agent_point(agent);
        durable = perform(agent, &effects.list[i]);
        agent_point(agent);
    }
    agent->stepping = false;
    if (!durable && !agent->core.store_broken)
        tell_store(agent, false);
    agent_runtime_follow(agent);
    agent_arm(agent);
    agent_changed(agent);
}

/* --- when to step again --- */

/* Whether a block may matter at once: from the wish for a turn on until its pause is out of the way, and on the way back. */
static bool in_haste(const struct agent *agent)
{
    switch (agent->core.memory.state) {
    case COORD_JOINING:
    case COORD_WAITING:
    case COORD_PAUSING:
    case COORD_PAUSED:
    case COORD_LEFT:
    case COORD_SYNCING:
    case COORD_UNPAUSING:
    case COORD_SETTLING:
        return true;
    case COORD_OFFLINE:
        return agent->stop_waits;
    default:
        return false;
    }
}

void agent_arm(struct agent *agent)
{
    struct coord_deadline deadline = coord_deadline(&agent->core, agent_view(agent));
    agent_pace(agent, in_haste(agent));
    if (deadline.at.ms == agent->time_at.ms)
        return;
    agent->time_at = deadline.at;
    int64_t delay_ms = instant_since(deadline.at, agent_clock(agent));
    if (deadline.at.ms == INSTANT_NEVER.ms)
        wake_stop(agent->wake);
    else
        wake_set(agent->wake, delay_ms > 0 ? delay_ms : 0);
}

void agent_time(void *owner)
{
    struct agent *agent = owner;
    agent->time_at = INSTANT_NEVER;
    struct coord_event event = {.kind = EVENT_TIME};
    agent_event(agent, &event);
}

/* --- the start --- */

void agent_start_core(struct agent *agent)
{
    const struct view *view = agent_view(agent);
    agent->self = view_find(view, agent->validator);
    assert(agent->self != VALIDATOR_NONE); /* agent_blocks.c has looked */
    coord_init(&agent->core, &agent->policy, agent->self);
    journal_append_core(agent->journal, &agent->core);
    agent->started = true;
    struct coord_event event = {.kind = EVENT_START};
    event.start.journal = agent->found.kind;
    event.start.memory = agent->found.memory;
    agent_event(agent, &event);
    agent_send_resume(agent);
}
