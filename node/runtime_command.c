/* The driver "command": whatever the operator's commands do. What they reboot may be the host that we run on. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/identity.h"
#include "node/runtime.h"
#include "node/wake.h"
#include "proto/input.h"

#define HEALTH_MS 30000      /* between two looks */
#define HEALTH_START_MS 1000 /* while a start is waited for */
#define BOOT_PREFIX "boot:"

enum doing { DOING_NOTHING, DOING_COMMAND, DOING_HEALTH, DOING_REBOOT };

struct command {
    struct runtime *runtime;
    const struct settings *settings;
    const struct runtime_job *job;
    enum doing doing;
    bool asking; /* command.health is being run, */
    bool stale;  /* and what it will say is of the time before the step */
    enum runtime_health health;
    int64_t deadline_ms;
    struct wake *wake;
};

static void end(struct command *command, bool ok, const char *text)
{
    command->job = NULL;
    command->doing = DOING_NOTHING;
    if (settings_given(command->settings, SETTING_COMMAND_HEALTH))
        wake_set(command->wake, HEALTH_MS);
    else
        wake_stop(command->wake);
    runtime_ended(command->runtime, ok, "%s", text);
}

static int64_t timeout_ms(const struct command *command)
{
    return settings_ms(command->settings, SETTING_HOOKS_TIMEOUT);
}

static void health_set(struct command *command, enum runtime_health health, const char *text)
{
    command->health = health;
    runtime_changed(command->runtime, "%s", text);
}

/* --- health --- */

static void health_ask(struct command *command);

static void on_health_start(struct command *command, bool ok, const char *text)
{
    if (ok) {
        health_set(command, RUNTIME_UP, "the node runs");
        end(command, true, "started, and command.health says that it runs");
    } else if (zclock_mono() >= command->deadline_ms) {
        health_set(command, RUNTIME_DOWN, text);
        end(command, false, text);
    } else {
        wake_set(command->wake, HEALTH_START_MS);
    }
}

static void on_health(void *driver, bool ok, const char *text)
{
    struct command *command = driver;
    bool stale = command->stale;
    command->asking = command->stale = false;
    if (command->doing == DOING_HEALTH && stale) {
        health_ask(command);
    } else if (command->doing == DOING_HEALTH) {
        on_health_start(command, ok, text);
    } else if (command->doing == DOING_NOTHING) {
        health_set(command, ok ? RUNTIME_UP : RUNTIME_DOWN, ok ? "the node runs" : text);
        wake_set(command->wake, HEALTH_MS);
    }
}

static void health_ask(struct command *command)
{
    if (command->asking)
        return;
    command->asking = true;
    runtime_run(command->runtime, SETTING_COMMAND_HEALTH, NULL, on_health, command);
}

/* --- steps --- */

static void run(struct command *command, enum setting setting, runtime_run_done *done)
{
    command->doing = DOING_COMMAND;
    runtime_run(command->runtime, setting, command->job, done, command);
}

static void on_started(void *driver, bool ok, const char *text)
{
    struct command *command = driver;
    if (!ok) {
        end(command, false, text);
        return;
    }
    if (!settings_given(command->settings, SETTING_COMMAND_HEALTH)) {
        health_set(command, RUNTIME_UNKNOWN, "the node was started");
        end(command, true, text);
        return;
    }
    command->doing = DOING_HEALTH;
    command->deadline_ms = zclock_mono() + timeout_ms(command);
    health_set(command, RUNTIME_STARTING, "the node was started; waiting for command.health");
    health_ask(command);
}

static void on_restored(void *driver, bool ok, const char *text)
{
    struct command *command = driver;
    if (ok)
        run(command, SETTING_COMMAND_START, on_started);
    else
        end(command, false, text);
}

static void on_stopped(void *driver, bool ok, const char *text)
{
    struct command *command = driver;
    if (ok)
        health_set(command, RUNTIME_DOWN, "the node was stopped");
    end(command, ok, text);
}

/* The command is through, and the host goes down at any moment. */
static void on_reinstalled(void *driver, bool ok, const char *text)
{
    struct command *command = driver;
    if (!ok || !settings_bool(command->settings, SETTING_COMMAND_REBOOTS_HOST)) {
        end(command, ok, text);
        return;
    }
    command->doing = DOING_REBOOT;
    runtime_progress(command->runtime, -1, "waiting for the reboot of this host");
    wake_set(command->wake, timeout_ms(command));
}

/* True when the step is over or cannot be begun: it was ended. */
static bool rebooted(struct command *command)
{
    char boot[BOOT_ID_MAX], word[BOOT_ID_MAX + sizeof BOOT_PREFIX];
    const char *kept = runtime_kept(command->runtime);
    boot_id_read(boot);
    snprintf(word, sizeof word, BOOT_PREFIX "%s", boot);
    if (!*boot)
        end(command, false,
            "command.reboots_host: /proc/sys/kernel/random/boot_id cannot be read, so a "
            "reboot could not be noticed");
    else if (strncmp(kept, BOOT_PREFIX, strlen(BOOT_PREFIX)) == 0 && strcmp(kept, word) != 0)
        end(command, true, "this host has been rebooted");
    else if (!runtime_keep(command->runtime, word))
        end(command, false,
            "nothing was done: the boot cannot be noted, because the journal cannot be "
            "written");
    else
        return false;
    return true;
}

static void step(void *driver, const struct runtime_job *job)
{
    struct command *command = driver;
    assert(!command->job && job->step != STEP_NONE);
    command->job = job;
    command->stale = command->asking;
    wake_stop(command->wake);
    if (job->step == STEP_STOP)
        run(command, SETTING_COMMAND_STOP, on_stopped);
    else if (job->step == STEP_START)
        run(command, SETTING_COMMAND_START, on_started);
    else if (job->step == STEP_RESTORE)
        run(command, SETTING_COMMAND_RESTORE, on_restored);
    else if (!settings_bool(command->settings, SETTING_COMMAND_REBOOTS_HOST) || !rebooted(command))
        run(command, SETTING_COMMAND_REINIT, on_reinstalled);
}

static void on_wake(void *owner)
{
    struct command *command = owner;
    char text[RUNTIME_TEXT_MAX], time[INPUT_DURATION_MAX];
    if (command->doing != DOING_REBOOT) {
        health_ask(command);
        return;
    }
    input_duration_text(timeout_ms(command), time);
    snprintf(text, sizeof text,
             "command.reinit has ended well, but this host was not rebooted within %s; without a "
             "reboot set command.reboots_host = no",
             time);
    end(command, false, text);
}

/* Nothing starts a node but a step. */
static void supervise(void *driver)
{
    struct command *command = driver;
    if (!command->job && command->health == RUNTIME_UNKNOWN &&
        settings_given(command->settings, SETTING_COMMAND_HEALTH))
        health_ask(command);
}

/* What a target means is known to the commands only. */
static void check(void *driver, const char *target)
{
    runtime_checked(((struct command *)driver)->runtime, true,
                    *target ? "what it means is for command.reinit to know" : "a plain reboot");
}

static enum runtime_health health(void *driver)
{
    return ((const struct command *)driver)->health;
}

static const char *installed(void *driver)
{
    (void)driver;
    return "";
}

/* --- life --- */

static bool settings_good(const struct settings *settings, struct fault *fault)
{
    static const enum setting needed[] = {SETTING_COMMAND_STOP, SETTING_COMMAND_START};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (!settings_given(settings, needed[i]))
            return fault_set(fault,
                             "command.%s: not set, but runtime.driver is command; expected the "
                             "command that %s",
                             setting_row(needed[i])->key, setting_row(needed[i])->help);
    if (settings_bool(settings, SETTING_COMMAND_REBOOTS_HOST) &&
        !settings_given(settings, SETTING_COMMAND_REINIT))
        return fault_set(fault,
                         "command.reinit: not set, but command.reboots_host is yes; expected "
                         "the command that reboots this host");
    for (enum setting i = SETTING_COMMAND_STOP; i <= SETTING_COMMAND_HEALTH; i++)
        if (!runtime_run_check(settings, i, fault))
            return false;
    return true;
}

static void destroy(void *driver, bool stop_node)
{
    struct command *command = driver;
    (void)stop_node;
    wake_destroy(&command->wake);
    free(command);
}

static void *create(struct runtime *runtime, const struct runtime_config *config,
                    struct fault *fault)
{
    if (!settings_good(config->settings, fault))
        return NULL;
    struct command *command = calloc(1, sizeof *command);
    assert(command);
    command->runtime = runtime;
    command->settings = config->settings;
    command->wake = wake_create(config->loop, on_wake, command);
    if (command->wake)
        return command;
    (void)fault_set(fault, "the commands cannot be watched: no more descriptors");
    free(command);
    return NULL;
}

const struct runtime_driver runtime_command = {
    RUNTIME_COMMAND, "command", create, destroy, supervise, NULL, check, step, health, installed};
