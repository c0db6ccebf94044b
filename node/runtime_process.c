/* The driver "process": cosmovisor's part, and a process that outlives us (node/daemon.h). */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/cosmovisor.h"
#include "node/daemon.h"
#include "node/runtime.h"
#include "node/wake.h"
#include "proto/input.h"

#define STAY_MS 1000        /* what ends sooner after its start has not started */
#define PAUSE_MAX_MS 60000  /* between two tries of a node that ends again and again */
#define SETTLED_MS 60000    /* a node that ran for so long begins anew with the first pause */
#define GRACE_MAX_MS 600000 /* as in the settings */
#define PAUSE_MIN_MS 10
#define WHERE_MAX 64

enum doing { DOING_NOTHING, DOING_STOP, DOING_START };
enum on_stop { ON_STOP_LEAVE, ON_STOP_STOP };

struct process {
    struct runtime *runtime;
    const struct settings *settings;
    struct cosmovisor tree;
    struct daemon *daemon;
    char **args;
    int64_t grace_ms, pause_first_ms, pause_ms;
    bool wanted;       /* meant to be up */
    bool due_to_start; /* the wake is for that */
    int64_t begun_ms;  /* the present process, or our taking over of it */
    const struct runtime_job *job;
    enum doing doing;
    struct wake *wake;
    char installed[RUNTIME_TARGET_MAX];
};

/* --- settings, and cosmovisor's names in the environment where they are unset --- */

static const char *text_of(const struct settings *settings, enum setting setting,
                           const char *variable, struct fault *fault)
{
    const char *text = settings_text(settings, setting);
    const char *usual = getenv(variable);
    if (text)
        return text;
    if (usual && *usual)
        return usual;
    (void)fault_set(fault, "process.%s: not set, and neither is %s in the environment; expected %s",
                    setting_row(setting)->key, variable, setting_row(setting)->help);
    return NULL;
}

/* As Go writes durations: "1m30s", "1.5h", "500ms". */
static bool go_duration(const char *text, int64_t *ms)
{
    char part[INPUT_DURATION_MAX];
    int64_t one_ms;
    *ms = 0;
    while (*text) {
        size_t digits = strspn(text, "0123456789.");
        size_t length = digits + strspn(text + digits, "hms");
        if (digits == 0 || length >= sizeof part)
            return false;
        snprintf(part, sizeof part, "%.*s", (int)length, text);
        if (!input_duration(part, &one_ms) || one_ms > GRACE_MAX_MS)
            return false;
        *ms += one_ms;
        text += length;
    }
    return *ms > 0 && *ms <= GRACE_MAX_MS;
}

static bool ms_of(const struct settings *settings, enum setting setting, const char *variable,
                  int64_t *ms, struct fault *fault)
{
    const char *usual = getenv(variable);
    *ms = settings_ms(settings, setting);
    if (!settings_is_default(settings, setting) || !usual || !*usual)
        return true;
    return go_duration(usual, ms) ||
           fault_set(fault,
                     "%s in the environment: \"%.20s\" is not accepted; expected a time such as "
                     "30s or 1m30s, at most 10m, or process.%s in the settings",
                     variable, usual, setting_row(setting)->key);
}

static bool settings_take(struct process *process, struct fault *fault)
{
    const struct settings *settings = process->settings;
    const char *home = text_of(settings, SETTING_PROCESS_HOME, "DAEMON_HOME", fault);
    const char *name = home ? text_of(settings, SETTING_PROCESS_NAME, "DAEMON_NAME", fault) : NULL;
    if (!name || !cosmovisor_open(&process->tree, home, name, fault) ||
        !ms_of(settings, SETTING_PROCESS_GRACE, "DAEMON_SHUTDOWN_GRACE", &process->grace_ms,
               fault) ||
        !ms_of(settings, SETTING_PROCESS_RESTART, "DAEMON_RESTART_DELAY", &process->pause_first_ms,
               fault))
        return false;
    if (process->pause_first_ms < PAUSE_MIN_MS)
        process->pause_first_ms = PAUSE_MIN_MS;
    process->pause_ms = process->pause_first_ms;
    process->args = settings_words(settings_text(settings, SETTING_PROCESS_ARGS), fault);
    return process->args || fault_within(fault, "process.args");
}

static enum runtime_health health(void *driver)
{
    const struct process *process = driver;
    if (daemon_runs(process->daemon))
        return process->doing == DOING_START ? RUNTIME_STARTING : RUNTIME_UP;
    return process->wanted ? RUNTIME_STARTING : RUNTIME_DOWN;
}

/* --- start --- */

static char **argv_make(char *path, char **args)
{
    size_t count = 0;
    while (args[count])
        count++;
    char **argv = calloc(count + 2, sizeof *argv);
    assert(argv);
    argv[0] = path;
    memcpy(argv + 1, args, count * sizeof *argv);
    return argv;
}

static bool run(struct process *process, char *path, struct fault *fault)
{
    char home[sizeof process->tree.home + 16], name[sizeof process->tree.name + 16];
    snprintf(home, sizeof home, "DAEMON_HOME=%s", process->tree.home);
    snprintf(name, sizeof name, "DAEMON_NAME=%s", process->tree.name);
    char *environment[] = {home, name, NULL};
    char **argv = argv_make(path, process->args);
    struct daemon_start start = {argv, environment};
    bool good = daemon_start(process->daemon, &start, fault);
    free(argv);
    return good;
}

static bool link_exists(const struct process *process)
{
    char path[COSMOVISOR_PATH_MAX], text[2];
    snprintf(path, sizeof path, "%s/cosmovisor/current", process->tree.home);
    return readlink(path, text, sizeof text) >= 0;
}

/* Starts what is current. Without a link that is genesis, and gets one. */
static bool launch(struct process *process, struct fault *fault)
{
    char path[COSMOVISOR_PATH_MAX], version[RUNTIME_TARGET_MAX];
    process->due_to_start = false;
    if (!cosmovisor_current(&process->tree, version, fault) ||
        !cosmovisor_binary(&process->tree, version, path, fault) ||
        (!link_exists(process) && !cosmovisor_switch(&process->tree, version, false, fault)) ||
        !run(process, path, fault))
        return false;
    process->begun_ms = zclock_mono();
    return true;
}

static void say_runs(struct process *process)
{
    runtime_changed(process->runtime, "%s runs (pid %d)", process->tree.name,
                    daemon_pid(process->daemon));
}

/* After it ended by itself, or could not be started. */
static void start_later(struct process *process, const char *why)
{
    char pause[INPUT_DURATION_MAX];
    int64_t pause_ms = process->pause_ms;
    process->pause_ms = pause_ms * 2 < PAUSE_MAX_MS ? pause_ms * 2 : PAUSE_MAX_MS;
    if (process->pause_ms < pause_ms)
        process->pause_ms = pause_ms; /* the first pause may be longer than that */
    process->due_to_start = true;
    wake_set(process->wake, pause_ms);
    input_duration_text(pause_ms, pause);
    runtime_changed(process->runtime, "%s; it is started again in %s", why, pause);
}

static void start_now(struct process *process)
{
    struct fault fault;
    if (launch(process, &fault))
        say_runs(process);
    else
        start_later(process, fault.text);
}

/* --- steps --- */

static void end(struct process *process, bool ok, const char *text)
{
    process->job = NULL;
    process->doing = DOING_NOTHING;
    runtime_ended(process->runtime, ok, "%s", text);
}

static void fail(struct process *process, const struct fault *fault)
{
    process->wanted = false;
    end(process, false, fault->text);
}

static void start_ended(struct process *process)
{
    char text[RUNTIME_TEXT_MAX];
    bool back = process->job->step == STEP_RESTORE;
    process->doing = DOING_NOTHING;
    say_runs(process);
    snprintf(text, sizeof text, "%s runs (pid %d)%s%.150s", process->tree.name,
             daemon_pid(process->daemon), back ? ", restored: " : "",
             back ? runtime_installed(process->runtime) : "");
    end(process, true, text);
}

/* Ends when it has stayed for a moment, whether it was started now or by somebody before. */
static void start_step(struct process *process)
{
    struct fault fault;
    process->wanted = true;
    process->doing = DOING_START;
    if (process->due_to_start)
        return; /* it ends again and again: the pause is kept, and the step with it */
    if (!daemon_runs(process->daemon) && !launch(process, &fault)) {
        fail(process, &fault);
        return;
    }
    int64_t left_ms = process->begun_ms + STAY_MS - zclock_mono();
    say_runs(process);
    if (left_ms > 0)
        wake_set(process->wake, left_ms);
    else
        start_ended(process);
}

static bool install(struct process *process, const char *version, bool back, struct fault *fault)
{
    char path[COSMOVISOR_PATH_MAX], before[RUNTIME_TARGET_MAX];
    if (!cosmovisor_current(&process->tree, before, fault))
        return false; /* there would be no way back */
    if (!*version)
        return cosmovisor_binary(&process->tree, before, path, fault);
    return cosmovisor_switch(&process->tree, version, back, fault);
}

/* The node is down. */
static void stopped(struct process *process)
{
    struct fault fault;
    char text[RUNTIME_TEXT_MAX];
    const struct runtime_job *job = process->job;
    bool back = job->step == STEP_RESTORE;
    process->doing = DOING_NOTHING;
    process->pause_ms = process->pause_first_ms;
    if (job->step == STEP_STOP) {
        snprintf(text, sizeof text, "%s is down", process->tree.name);
        end(process, true, text);
    } else if (!install(process, back ? job->previous : job->target, back, &fault)) {
        fail(process, &fault);
    } else if (back) {
        start_step(process);
    } else {
        snprintf(text, sizeof text, "current is %.200s", runtime_installed(process->runtime));
        end(process, true, text);
    }
}

static void stop_step(struct process *process)
{
    char grace[INPUT_DURATION_MAX];
    bool was_down = health(process) == RUNTIME_DOWN;
    process->wanted = process->due_to_start = false;
    wake_stop(process->wake);
    if (!daemon_runs(process->daemon)) {
        if (!was_down)
            runtime_changed(process->runtime, "%s is down", process->tree.name);
        stopped(process);
        return;
    }
    process->doing = DOING_STOP;
    input_duration_text(process->grace_ms, grace);
    runtime_progress(process->runtime, -1, "waiting for %s (pid %d) to end, at most %s",
                     process->tree.name, daemon_pid(process->daemon), grace);
    daemon_stop(process->daemon);
}

static void step(void *driver, const struct runtime_job *job)
{
    struct process *process = driver;
    assert(!process->job);
    process->job = job;
    if (job->step == STEP_START)
        start_step(process);
    else
        stop_step(process);
}

/* --- what happens --- */

static void on_start_failed(struct process *process, const char *text)
{
    char line[DAEMON_TEXT_MAX], told[RUNTIME_TEXT_MAX];
    daemon_last_line(process->daemon, line);
    snprintf(told, sizeof told, "%s %.60s right after its start%s%.100s", process->tree.name, text,
             *line ? "; its last line: " : "", line);
    process->wanted = false;
    wake_stop(process->wake);
    runtime_changed(process->runtime, "%s is down", process->tree.name);
    end(process, false, told);
}

static void on_ended(void *owner, const char *text)
{
    struct process *process = owner;
    char why[RUNTIME_TEXT_MAX];
    snprintf(why, sizeof why, "%s %.100s", process->tree.name, text);
    if (process->doing == DOING_STOP) {
        runtime_changed(process->runtime, "%s", why);
        stopped(process);
    } else if (process->doing == DOING_START) {
        on_start_failed(process, text);
    } else if (process->wanted) {
        if (zclock_mono() - process->begun_ms >= SETTLED_MS)
            process->pause_ms = process->pause_first_ms;
        start_later(process, why);
    } else {
        runtime_changed(process->runtime, "%s", why);
    }
}

static void on_wake(void *owner)
{
    struct process *process = owner;
    if (process->doing == DOING_START && !process->due_to_start) {
        start_ended(process);
    } else if (process->doing == DOING_START) {
        process->due_to_start = false;
        start_step(process);
    } else if (process->wanted && !daemon_runs(process->daemon)) {
        start_now(process);
    }
}

static void supervise(void *driver)
{
    struct process *process = driver;
    if (process->job)
        return;
    bool began = !process->wanted;
    process->wanted = true;
    if (daemon_runs(process->daemon)) {
        if (began)
            say_runs(process);
    } else if (!process->due_to_start) {
        start_now(process);
    }
}

static void rest(void *driver)
{
    struct process *process = driver;
    if (process->job)
        return;
    process->wanted = process->due_to_start = false;
    wake_stop(process->wake);
}

static void check(void *driver, const char *target)
{
    struct process *process = driver;
    struct fault fault;
    char path[COSMOVISOR_PATH_MAX], version[RUNTIME_TARGET_MAX];
    snprintf(version, sizeof version, "%s", target);
    bool good = (*target || cosmovisor_current(&process->tree, version, &fault)) &&
                cosmovisor_binary(&process->tree, version, path, &fault);
    if (good)
        runtime_checked(process->runtime, true, "%.280s is there", path);
    else
        runtime_checked(process->runtime, false, "%s", fault.text);
}

static const char *installed(void *driver)
{
    struct process *process = driver;
    struct fault fault;
    if (!cosmovisor_current(&process->tree, process->installed, &fault))
        process->installed[0] = '\0';
    return process->installed;
}

/* --- life --- */

static void destroy(void *driver, bool stop_node)
{
    struct process *process = driver;
    bool stop =
        stop_node && settings_choice(process->settings, SETTING_PROCESS_ON_STOP) == ON_STOP_STOP;
    if (process->daemon && stop)
        daemon_stop_waiting(process->daemon);
    daemon_destroy(&process->daemon);
    wake_destroy(&process->wake);
    free(process->args);
    free(process);
}

/* The lock is the home's, so that agents with folders of their own have one node together. */
static struct daemon *take_over(struct process *process, const struct runtime_config *config,
                                struct fault *fault)
{
    char lock[COSMOVISOR_PATH_MAX], log[COSMOVISOR_PATH_MAX];
    struct daemon_config daemon = {.loop = config->loop,
                                   .lock = lock,
                                   .log = log,
                                   .grace_ms = process->grace_ms,
                                   .owner = process,
                                   .ended = on_ended};
    snprintf(lock, sizeof lock, "%s/stagger.pid", process->tree.home);
    snprintf(log, sizeof log, "%s/node.log", config->dir);
    return daemon_create(&daemon, fault);
}

static void *create(struct runtime *runtime, const struct runtime_config *config,
                    struct fault *fault)
{
    struct process *process = calloc(1, sizeof *process);
    assert(process);
    process->runtime = runtime;
    process->settings = config->settings;
    process->wake = wake_create(config->loop, on_wake, process);
    process->begun_ms = zclock_mono();
    if (!process->wake)
        (void)fault_set(fault, "the node cannot be watched: no more descriptors");
    else if (settings_take(process, fault))
        process->daemon = take_over(process, config, fault);
    if (process->daemon)
        return process;
    destroy(process, false);
    return NULL;
}

const struct runtime_driver runtime_process = {
    RUNTIME_PROCESS, "process", create, destroy, supervise, rest, check, step, health, installed};
