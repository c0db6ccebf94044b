/* Life: from the settings to a running core, and the way back. */
#include "node/agent.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "node/account_open.h"
#include "node/agent_internal.h"
#include "node/file.h"
#include "node/limits.h"
#include "node/session.h"
#include "proto/encoding.h"
#include "proto/input.h"

#define BEAT_MS 1000

/* --- for all parts --- */

struct instant agent_now(void)
{
    return (struct instant){zclock_time()};
}

struct instant agent_clock(const struct agent *agent)
{
    return (struct instant){agent->clock_base_ms + zclock_mono()};
}

const struct view *agent_view(const struct agent *agent)
{
    return agent->feed ? feed_view(agent->feed) : NULL;
}

void agent_say(struct agent *agent, enum coord_level level, const char *format, ...)
{
    struct agent_said *said = &agent->said[agent->said_count++ % AGENT_SAID_MAX];
    agent_point(agent); /* sending and the runtime tell each of their steps here */
    va_list list;
    va_start(list, format);
    vsnprintf(said->text, sizeof said->text, format, list);
    va_end(list);
    said->at = agent_now();
    said->level = level;
    said->height = agent->facts.height;
    if (agent->config.say &&
        level >= (enum coord_level)settings_choice(agent->settings, SETTING_AGENT_LOG))
        agent->config.say(agent->config.owner, level, said->text);
}

void agent_wait_for(struct agent *agent, const char *format, ...)
{
    char text[FAULT_MAX];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (strcmp(text, agent->waiting_for) == 0)
        return;
    bool is_new = agent_gist(text) != agent_gist(agent->waiting_for);
    memcpy(agent->waiting_for, text, sizeof text);
    if (text[0] && is_new)
        agent_say(agent, LEVEL_UNUSUAL, "%s", text);
    agent_changed(agent);
}

void agent_changed(struct agent *agent)
{
    char status[200];
    agent_control_changed(agent);
    if (!agent->config.notify)
        return;
    if (agent->started && !agent->told_ready) {
        agent->told_ready = true;
        agent->config.notify(agent->config.owner, "READY=1");
    }
    const char *what = agent->waiting_for[0] ? agent->waiting_for
                       : agent->started      ? coord_state_name(agent->core.memory.state)
                                             : "starting";
    snprintf(status, sizeof status, "STATUS=%.180s", what);
    if (strcmp(status, agent->notified) == 0)
        return;
    memcpy(agent->notified, status, sizeof status);
    agent->config.notify(agent->config.owner, status);
}

/* --- the journal --- */

static bool open_journal(struct agent *agent, struct fault *fault)
{
    char owner[JOURNAL_OWNER_MAX], validator[2 * ADDRESS_SIZE + 1];
    hex_encode(agent->validator, ADDRESS_SIZE, validator);
    snprintf(owner, sizeof owner, "%s %s", agent->chain_id, validator);
    if (!journal_open(settings_text(agent->settings, SETTING_AGENT_DIR), owner, agent_now(),
                      &agent->journal, &agent->found, fault))
        return false;
    const struct journal_found *found = &agent->found;
    if (found->kind == JOURNAL_DAMAGED)
        agent_say(agent, LEVEL_BROKEN, "%s", found->text);
    if (found->torn > 0)
        agent_say(agent, LEVEL_INFO, "%" PRIu64 " bytes of the journal were torn by a crash",
                  found->torn);
    agent->has_history = found->history;
    if (found->kind == JOURNAL_KEPT) {
        snprintf(agent->runtime_kept, sizeof agent->runtime_kept, "%.499s", found->runtime);
        snprintf(agent->reason, sizeof agent->reason, "%.199s", found->reason);
        agent_send_found(agent);
    }
    return true;
}

/* --- who we are --- */

static void tell_facts(struct agent *agent)
{
    snprintf(agent->facts.chain_id, sizeof agent->facts.chain_id, "%s", agent->chain_id);
    hex_encode(agent->validator, ADDRESS_SIZE, agent->facts.validator);
}

/* At the first start of all the runtime was there before the journal: it knows of nothing that was kept. */
static bool open_the_rest(struct agent *agent, struct fault *fault)
{
    tell_facts(agent);
    if (!agent->journal && !open_journal(agent, fault))
        return false;
    if (agent->runtime && agent->runtime_kept[0] && agent->runtime_is_blank)
        runtime_destroy(&agent->runtime, false);
    agent->runtime_is_blank = false;
    return agent->runtime || agent_runtime_start(agent, fault);
}

bool agent_identify(struct agent *agent, struct fault *fault)
{
    bool news = !agent->known;
    if (news && !agent_file_write(agent, fault))
        return false;
    agent->known = true;
    if (!open_the_rest(agent, fault))
        return false;
    return agent->gossip || agent_peers_start(agent, fault);
}

/* --- creation --- */

static int on_beat(zloop_t *loop, int timer, void *owner)
{
    struct agent *agent = owner;
    struct fault fault;
    (void)loop;
    (void)timer;
    agent_chain_beat(agent);
    if (agent->journal && journal_is_long(agent->journal) && agent->feed_ready &&
        !journal_rotate(agent->journal, agent_view(agent), agent->started ? &agent->core : NULL,
                        agent_now(), &fault))
        agent_say(agent, LEVEL_UNUSUAL, "%s", fault.text);
    return 0;
}

static bool make_folder(struct agent *agent, struct fault *fault)
{
    const char *dir = settings_text(agent->settings, SETTING_AGENT_DIR);
    return folder_make(dir, fault) || fault_within(fault, "agent.dir");
}

/* Names the setting as well. */
static bool refuse_account(const struct settings *settings, struct fault *fault)
{
    const struct fault why = *fault;
    enum setting way;
    if (!account_way(settings, &way, fault))
        return fault_within(fault, "account");
    return settings_refuse(settings, way, fault, "%s", why.text);
}

static bool open_account(struct agent *agent, struct fault *fault)
{
    uint8_t key[ACCOUNT_PUBLIC_SIZE];
    agent->signer = signer_from_settings(agent->settings, fault);
    if (!agent->signer)
        return refuse_account(agent->settings, fault);
    signer_public_key(agent->signer, key);
    account_address(key, agent->account);
    return true;
}

static bool open_network(struct agent *agent, struct fault *fault)
{
    agent->rpc = session_rpc(agent->settings, agent->loop, fault);
    agent->chain =
        agent->rpc ? session_network(agent->settings, agent->loop, agent->rpc, fault) : NULL;
    return agent->chain != NULL;
}

static bool open_known(struct agent *agent, struct fault *fault)
{
    if (agent->known)
        return open_the_rest(agent, fault);
    agent->runtime_is_blank = true;
    return agent_runtime_start(agent, fault);
}

static bool open_wake(struct agent *agent, struct fault *fault)
{
    agent->wake = wake_create(agent->loop, agent_time, agent);
    return agent->wake || fault_set(fault, "no timer: the process has too many files open");
}

/* A hook for tests (agent_point()). */
static uint64_t test_die_at(void)
{
    const char *text = getenv("STAGGER_TEST_DIE_AT");
    uint64_t number = 0;
    return text && input_whole(text, &number) ? number : 0;
}

static bool open_all(struct agent *agent, struct fault *fault)
{
    return open_wake(agent, fault) && limits_policy(agent->settings, &agent->policy, fault) &&
           make_folder(agent, fault) && open_account(agent, fault) &&
           agent_file_read(agent, fault) && open_network(agent, fault) &&
           agent_control_start(agent, fault) && open_known(agent, fault);
}

struct agent *agent_create(const struct agent_config *config, struct fault *fault)
{
    struct agent *agent = calloc(1, sizeof *agent);
    if (!agent) {
        fault_set(fault, "out of memory");
        return NULL;
    }
    agent->config = *config;
    agent->loop = config->loop;
    agent->settings = config->settings;
    agent->journal_timer = agent->connect_timer = agent->beat_timer = -1;
    agent->time_at = INSTANT_NEVER;
    agent->clock_base_ms = zclock_time() - zclock_mono();
    agent->runtime_percent = -1;
    agent->die_at = test_die_at();
    if (!open_all(agent, fault)) {
        agent_destroy(&agent);
        return NULL;
    }
    agent->beat_timer = zloop_timer(agent->loop, BEAT_MS, 0, on_beat, agent);
    agent_chain_connect(agent);
    return agent;
}

/* --- the end --- */

static void say_goodbye(struct agent *agent)
{
    enum coord_state state = agent->started ? agent->core.memory.state : COORD_IDLE;
    if (state >= COORD_PAUSING && state <= COORD_SETTLING)
        agent_say(agent, LEVEL_UNUSUAL,
                  "stopped in the middle of a turn (%s): the next start finishes it",
                  coord_state_name(state));
}

static void end_timer(struct agent *agent, int *timer)
{
    if (*timer >= 0)
        zloop_timer_end(agent->loop, *timer);
    *timer = -1;
}

void agent_destroy(struct agent **a)
{
    struct agent *agent = *a;
    if (!agent)
        return;
    say_goodbye(agent);
    end_timer(agent, &agent->beat_timer);
    if (agent->wake)
        wake_destroy(&agent->wake);
    if (agent->stop_wake)
        wake_destroy(&agent->stop_wake);
    end_timer(agent, &agent->journal_timer);
    end_timer(agent, &agent->connect_timer);
    agent_control_stop(agent);
    agent_peers_stop(agent);
    agent_blocks_stop(agent);
    if (agent->runtime)
        runtime_destroy(&agent->runtime, true);
    if (agent->chain)
        chain_destroy(&agent->chain);
    if (agent->rpc)
        rpc_destroy(&agent->rpc);
    if (agent->journal)
        journal_close(&agent->journal);
    if (agent->signer)
        signer_destroy(&agent->signer);
    free(agent);
    *a = NULL;
}

bool agent_reload(struct agent *agent, const struct settings *settings, struct fault *fault)
{
    struct coord_policy policy;
    if (!limits_policy(settings, &policy, fault))
        return false;
    agent->settings = settings;
    agent->policy = policy;
    if (agent->started && agent->feed_ready) {
        journal_append_core(agent->journal, &agent->core);
        struct coord_event event = {.kind = EVENT_TIME};
        agent_event(agent, &event);
    }
    agent_say(agent, LEVEL_INFO, "settings read again: limits and log level are those of now");
    return true;
}
