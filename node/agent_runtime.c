/* The runtime's steps, and its word for the journal. */
#include <assert.h>
#include <string.h>

#include "node/agent_internal.h"

#define LAST_SIGNATURE_MS 1000

static void stop_now(void *owner);

static void on_ended(void *owner, enum coord_step_kind step, bool ok, const char *text)
{
    struct agent *agent = owner;
    agent->runtime_step = STEP_NONE;
    agent->runtime_percent = -1;
    agent_say(agent, ok ? LEVEL_INFO : LEVEL_UNUSUAL, "%s", text);
    if (!ok)
        snprintf(agent->failure, sizeof agent->failure, "%s", text);
    if (ok && (step == STEP_START || step == STEP_RESTORE) && agent->feed)
        agent_node_restarted(agent);
    struct coord_event event = {.kind = EVENT_RUNTIME};
    event.runtime.step = step;
    event.runtime.ok = ok;
    agent_event(agent, &event);
}

static void on_progress(void *owner, int percent, const char *text)
{
    struct agent *agent = owner;
    agent->runtime_percent = percent;
    snprintf(agent->runtime_text, sizeof agent->runtime_text, "%s", text);
    agent_changed(agent);
}

static void on_changed(void *owner, enum runtime_health health, const char *text)
{
    struct agent *agent = owner;
    bool up = health == RUNTIME_UP, expected = agent->runtime_step != STEP_NONE;
    if (up || !expected)
        snprintf(agent->runtime_trouble, sizeof agent->runtime_trouble, "%s", up ? "" : text);
    agent_say(agent, expected ? LEVEL_DEBUG : (up ? LEVEL_INFO : LEVEL_UNUSUAL), "%s", text);
    if (up && agent->feed && !expected)
        feed_look(agent->feed);
    agent_changed(agent);
}

/* Before there is a journal nothing is under way that would have to be kept. */
static bool on_keep(void *owner, const char *kept)
{
    struct agent *agent = owner;
    snprintf(agent->runtime_kept, sizeof agent->runtime_kept, "%s", kept);
    if (!agent->journal)
        return false;
    journal_append_note(agent->journal, agent_now(), NOTE_RUNTIME, kept);
    return agent_sync(agent);
}

bool agent_runtime_start(struct agent *agent, struct fault *fault)
{
    struct runtime_config config = {
        .loop = agent->loop,
        .settings = agent->settings,
        .facts = &agent->facts,
        .dir = settings_text(agent->settings, SETTING_AGENT_DIR),
        .kept = agent->runtime_kept,
        .owner = agent,
        .ended = on_ended,
        .progress = on_progress,
        .changed = on_changed,
        .keep = on_keep,
    };
    if (!agent->stop_wake)
        agent->stop_wake = wake_create(agent->loop, stop_now, agent);
    if (!agent->stop_wake)
        return fault_set(fault, "no timer: the process has too many files open");
    agent->runtime = runtime_create(&config, fault);
    if (!agent->runtime)
        return false;
    agent_runtime_follow(agent);
    return true;
}

/* Whether the node is meant to be up, as far as anybody knows: a turn may have taken it down. */
static bool meant_up(const struct agent *agent)
{
    const struct coord_memory *memory =
        agent->started ? coord_memory(&agent->core) : &agent->found.memory;
    if (!agent->started && (!agent->journal || agent->found.kind != JOURNAL_KEPT))
        return true;
    return memory->state != COORD_OFFLINE;
}

void agent_runtime_follow(struct agent *agent)
{
    if (!agent->runtime || agent->runtime_step != STEP_NONE)
        return;
    if (meant_up(agent))
        runtime_supervise(agent->runtime);
    else
        runtime_rest(agent->runtime);
}

/* Nobody answers. Our node may be the only one that could: it is started, whatever a turn was about to do with it; out of
 * the set it harms nobody, and the core takes the step up again. */
void agent_runtime_unheard(struct agent *agent)
{
    if (agent->runtime && !agent->started && agent->runtime_step == STEP_NONE)
        runtime_supervise(agent->runtime);
}

/* Block H+1 is the last that we sign, and a node shows it as soon as it is stored: our signature may not yet be on its way
 * then, and who stops at once is missed in a block as a member. The block behind tells that it is; where none comes,
 * a second is ten times what gossip of votes takes. */
static bool is_signing(const struct agent *agent)
{
    struct height pause = agent->core.memory.pause;
    return pause.n > 0 && view_head(agent_view(agent)).n < height_after(pause, 2).n;
}

static void stop_now(void *owner)
{
    struct agent *agent = owner;
    wake_stop(agent->stop_wake);
    agent->stop_waits = false;
    runtime_step(agent->runtime, STEP_STOP);
}

void agent_runtime_block(struct agent *agent)
{
    if (agent->stop_waits && !is_signing(agent))
        stop_now(agent);
}

void agent_runtime_step(struct agent *agent, enum coord_step_kind step)
{
    if (agent->runtime_step == step)
        return; /* under way: the core was started anew meanwhile, and will hear of its end */
    assert(agent->runtime_step == STEP_NONE);
    agent->runtime_step = step;
    agent->facts.attempt = agent->core.memory.attempts + 1;
    agent->stop_waits = step == STEP_STOP && is_signing(agent);
    if (agent->stop_waits)
        wake_set(agent->stop_wake, LAST_SIGNATURE_MS);
    else
        runtime_step(agent->runtime, step);
}
