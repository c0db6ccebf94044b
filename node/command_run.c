/* `stagger run`: the agent as a process. What it does stands in agent.h; here are its settings, its log, the signals and
 * the service manager. */
#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/agent.h"
#include "node/commands.h"
#include "node/settings_check.h"
#include "node/lean.h"
#include "node/notify.h"
#include "node/options.h"
#include "node/signals.h"
#include "proto/utc.h"

#define COMMAND "run"
#define LEAN_FIRST_MS 5000 /* when the start is over, as a rule */
#define LEAN_MS 60000
#define VERSIONS_MAX 1000 /* of the settings, by SIGHUP */

enum wish { WISH_CHECK, WISH_PRINT, WISH_COUNT };

struct run {
    int argc;
    char **argv;
    bool wishes[WISH_COUNT];
    /* Parts of the agent hold on to the settings that they began with, so none goes before the end. */
    struct settings *settings[VERSIONS_MAX];
    uint32_t version;
    bool journal; /* standard error is systemd's journal */
    zloop_t *loop;
    struct notify *notify;
    struct signals *signals;
    struct agent *agent;
};

static const struct option_row own[WISH_COUNT] = {
    [WISH_CHECK] = {"check-config", NULL,
                    "check everything that can be checked without the network, and end", false},
    [WISH_PRINT] = {"print-config", NULL,
                    "print every setting with where it comes from, without secrets, and end",
                    false},
};

static bool on_option(void *owner, uint32_t option, const char *value, struct fault *fault)
{
    struct run *run = owner;
    (void)value;
    (void)fault;
    run->wishes[option] = true;
    return true;
}

/* Every setting there is. */
static enum options_outcome settings_read(struct run *run, struct settings **settings)
{
    enum setting all[SETTING_COUNT];
    for (enum setting i = 0; i < SETTING_COUNT; i++)
        all[i] = i;
    const struct options_spec spec = {
        .command = COMMAND,
        .about = "The agent: it runs beside one validator and takes its turns. It is told what to "
                 "do by\nstagger reboot, pause, hold and others, and shows what it does with "
                 "stagger status.\n\nSIGHUP reads the settings again; SIGTERM and SIGINT end it, "
                 "at any moment: the next\nstart finishes what it was doing.",
        .settings = all,
        .setting_count = SETTING_COUNT,
        .own = own,
        .own_count = WISH_COUNT,
        .take = on_option,
    };
    return options_parse(&spec, run, run->argc, run->argv, settings);
}

/* --- the log --- */

/* $JOURNAL_STREAM names device and inode of the descriptor that systemd gave us; a shell may have put another one in
 * its place. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char own_stream[64];
    struct stat about;
    if (!stream || fstat(STDERR_FILENO, &about) != 0)
        return false;
    snprintf(own_stream, sizeof own_stream, "%ju:%ju", (uintmax_t)about.st_dev,
             (uintmax_t)about.st_ino);
    return strcmp(stream, own_stream) == 0;
}

static void on_say(void *owner, enum coord_level level, const char *text)
{
    static const int syslog[] = {
        [LEVEL_DEBUG] = 7, [LEVEL_INFO] = 6, [LEVEL_UNUSUAL] = 4, [LEVEL_BROKEN] = 3};
    static const char *const names[] = {[LEVEL_DEBUG] = "debug",
                                        [LEVEL_INFO] = "info",
                                        [LEVEL_UNUSUAL] = "unusual",
                                        [LEVEL_BROKEN] = "broken"};
    const struct run *run = owner;
    char now[UTC_TEXT_MAX];
    if (run->journal)
        fprintf(stderr, "<%d>%s\n", syslog[level], text);
    else
        fprintf(stderr, "%s %s: %s\n", utc_text(zclock_time(), now), names[level], text);
}

static void on_notify(void *owner, const char *state)
{
    const struct run *run = owner;
    notify_tell(run->notify, state);
}

/* --- signals --- */

/* What takes effect while the agent runs. */
static bool is_live(enum setting setting)
{
    return strcmp(setting_row(setting)->section, "limits") == 0 || setting == SETTING_AGENT_LOG ||
           setting == SETTING_AGENT_EXPECTED;
}

static void say_the_rest(const struct run *run, const struct settings *fresh)
{
    char line[200];
    for (enum setting i = 0; i < SETTING_COUNT; i++) {
        if (is_live(i) || settings_same(run->settings[0], fresh, i))
            continue;
        snprintf(line, sizeof line, "%s.%s has changed: it takes effect at the next start",
                 setting_row(i)->section, setting_row(i)->key);
        on_say((void *)run, LEVEL_UNUSUAL, line);
    }
}

static void reload(struct run *run)
{
    struct settings *fresh = NULL;
    struct fault fault;
    char line[FAULT_MAX + 40];
    if (run->version + 1 == VERSIONS_MAX) {
        on_say(run, LEVEL_UNUSUAL, "settings were read too often; start the agent anew");
        return;
    }
    if (settings_read(run, &fresh) != OPTIONS_GO) {
        on_say(run, LEVEL_UNUSUAL, "the settings stay as they were");
        return;
    }
    if (agent_reload(run->agent, fresh, &fault)) {
        run->settings[++run->version] = fresh;
        say_the_rest(run, fresh);
        return;
    }
    snprintf(line, sizeof line, "%s; the settings stay as they were", fault.text);
    on_say(run, LEVEL_UNUSUAL, line);
    settings_destroy(&fresh);
}

static bool on_signal(void *owner, int number)
{
    struct run *run = owner;
    if (number != SIGHUP) {
        notify_tell(run->notify, "STOPPING=1");
        return false;
    }
    notify_tell(run->notify, "RELOADING=1");
    reload(run);
    notify_tell(run->notify, "READY=1");
    return true;
}

/* --- memory --- */

static int on_lean(zloop_t *loop, int timer, void *owner)
{
    (void)timer;
    lean_now();
    zloop_timer(loop, LEAN_MS, 1, on_lean, owner);
    return 0;
}

/* --- life --- */

static bool open_all(struct run *run, struct fault *fault)
{
    struct agent_config config = {
        .settings = run->settings[0], .notify = on_notify, .say = on_say, .owner = run};
    zsys_handler_set(NULL); /* signals are ours */
    run->loop = zloop_new();
    if (!run->loop)
        return fault_set(fault, "out of memory");
    run->notify = notify_create(run->loop);
    run->signals = run->notify ? signals_create(run->loop, on_signal, run) : NULL;
    if (!run->signals)
        return fault_set(fault, "out of memory, or of file descriptors (ulimit -n)");
    config.loop = run->loop;
    run->agent = agent_create(&config, fault);
    return run->agent != NULL;
}

static void close_all(struct run *run)
{
    if (run->agent)
        agent_destroy(&run->agent);
    if (run->signals)
        signals_destroy(&run->signals);
    if (run->notify)
        notify_destroy(&run->notify);
    if (run->loop)
        zloop_destroy(&run->loop);
}

static enum command_status serve(struct run *run)
{
    struct fault fault;
    run->journal = stderr_is_journal();
    if (!open_all(run, &fault)) {
        options_say(COMMAND, "%s", fault.text);
        close_all(run);
        return COMMAND_USAGE;
    }
    zloop_timer(run->loop, LEAN_FIRST_MS, 1, on_lean, run);
    (void)zloop_start(run->loop);
    close_all(run);
    return COMMAND_DONE;
}

static void on_checked(void *owner, bool is_fault, const char *line)
{
    (void)owner;
    options_say(COMMAND, "%s%s", is_fault ? "" : "note: ", line);
}

static enum command_status check(const struct run *run)
{
    if (settings_check(run->settings[0], on_checked, NULL) > 0)
        return COMMAND_USAGE;
    if (!run->wishes[WISH_PRINT])
        puts("ok");
    return COMMAND_DONE;
}

static enum command_status obey(struct run *run)
{
    enum command_status status = COMMAND_DONE;
    if (run->wishes[WISH_PRINT])
        settings_print(run->settings[0], stdout);
    if (run->wishes[WISH_CHECK])
        status = check(run);
    if (!run->wishes[WISH_PRINT] && !run->wishes[WISH_CHECK])
        return serve(run);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    options_say(COMMAND, "standard output could not be written");
    return COMMAND_USAGE;
}

int command_run(int argc, char **argv)
{
    struct run *run = calloc(1, sizeof *run);
    assert(run);
    run->argc = argc;
    run->argv = argv;
    lean_begin();
    enum options_outcome outcome = settings_read(run, &run->settings[0]);
    int status = outcome == OPTIONS_HELP ? COMMAND_DONE : COMMAND_USAGE;
    if (outcome == OPTIONS_GO)
        status = (int)obey(run);
    for (uint32_t i = 0; i <= run->version; i++)
        settings_destroy(&run->settings[i]);
    free(run);
    return status;
}
