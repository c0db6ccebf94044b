/* A runtime on its own, for tests: takes commands from standard input, prints what it is told.
 *
 *     runtime_tool DIR [--FLAG=VALUE...]         DIR/kept holds what the runtime keeps
 *         step stop|reinit|start|restore, supervise, rest, aim TARGET, check TARGET, quit, stop
 *     ended stop ok TEXT    progress TEXT    changed up TEXT    checked ok TEXT    fault TEXT    aimed TEXT
 *
 *     $RUNTIME_TOOL_DIE=N kills it (SIGKILL) before the Nth of its calls to the kernel that change something, so
 *     that a test can end it at every point; $RUNTIME_TOOL_FORGETS=1: nothing can be kept.
 *
 *     runtime_tool node                          a node: see node()
 *
 * The node appends to $DAEMON_HOME/data/events what it does. It holds a lock of its own, and says "second" when there is
 * another one. $DAEMON_HOME/data/behave holds words: deaf (to SIGTERM), crash, child (leaves one when it ends).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* flock and its like behind the wraps */
#endif

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/runtime.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define ROOM 4096

/* --- the end at every point --- */

static long calls_left = -1, calls;

static void point(void)
{
    calls++;
    if (calls_left > 0 && --calls_left == 0)
        (void)kill(getpid(), SIGKILL);
}

#define WRAP(result, name, parameters, arguments)                                                  \
    result __real_##name parameters;                                                               \
    result __wrap_##name parameters;                                                               \
    result __wrap_##name parameters                                                                \
    {                                                                                              \
        point();                                                                                   \
        return __real_##name arguments;                                                            \
    }

WRAP(int, flock, (int fd, int how), (fd, how))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, ftruncate, (int fd, off_t size), (fd, size))
WRAP(ssize_t, pwrite, (int fd, const void *bytes, size_t size, off_t at), (fd, bytes, size, at))
WRAP(int, renameat, (int from, const char *a, int to, const char *b), (from, a, to, b))
WRAP(int, symlinkat, (const char *text, int fd, const char *name), (text, fd, name))
WRAP(int, unlinkat, (int fd, const char *name, int flags), (fd, name, flags))
WRAP(ssize_t, send, (int fd, const void *bytes, size_t size, int flags), (fd, bytes, size, flags))
WRAP(int, pidfd_send_signal, (int fd, int number, siginfo_t *info, unsigned flags),
     (fd, number, info, flags))
WRAP(pid_t, fork, (void), ())

/* --- a node --- */

static volatile sig_atomic_t term;

static void on_term(int number)
{
    (void)number;
    term = 1;
}

__attribute__((format(printf, 1, 2))) static void event(const char *format, ...)
{
    char path[ROOM], text[ROOM];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    snprintf(path, sizeof path, "%s/data/events", getenv("DAEMON_HOME"));
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, text, (size_t)length) != length)
        exit(90);
    (void)close(fd);
}

static bool behaves(const char *word)
{
    char path[ROOM], text[ROOM] = "";
    snprintf(path, sizeof path, "%s/data/behave", getenv("DAEMON_HOME"));
    FILE *file = fopen(path, "r");
    size_t got = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        (void)fclose(file);
    text[got] = '\0';
    return strstr(text, word) != NULL;
}

static int node(const char *path)
{
    char lock[ROOM];
    struct sigaction action = {.sa_handler = on_term};
    sigset_t block, before;
    sigemptyset(&block);
    sigaddset(&block, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &block, &before);
    (void)sigaction(SIGTERM, &action, NULL);
    snprintf(lock, sizeof lock, "%s/data/lock", getenv("DAEMON_HOME"));
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0) {
        event("second %ld\n", (long)getpid());
        return 91;
    }
    event("start %ld %s\n", (long)getpid(), path);
    printf("a node begins\n");
    if (behaves("crash")) {
        printf("no such \001 database\n");
        return 3;
    }
    if (behaves("child") && fork() == 0) {
        event("child %ld\n", (long)getpid());
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
        while (pause() < 0 && !term)
            continue;
        _exit(0);
    }
    fflush(stdout);
    while (!term || behaves("deaf"))
        (void)sigsuspend(&before);
    event("end %ld\n", (long)getpid());
    return 0;
}

/* --- a runtime --- */

struct tool {
    zloop_t *loop;
    const char *dir;
    struct runtime *runtime;
    char line[ROOM];
    size_t length;
    bool stop_node;
};

static const char *const steps[] = {"none", "stop", "reinit", "start", "restore"};
static const char *const healths[] = {"unknown", "down", "starting", "up"};

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

static void on_ended(void *owner, enum coord_step_kind step, bool ok, const char *text)
{
    (void)owner;
    say("ended %s %s %s", steps[step], ok ? "ok" : "failed", text);
}

static void on_progress(void *owner, int percent, const char *text)
{
    (void)owner, (void)percent;
    say("progress %s", text);
}

static void on_changed(void *owner, enum runtime_health health, const char *text)
{
    (void)owner;
    say("changed %s %s", healths[health], text);
}

static void on_checked(void *owner, bool ok, const char *text)
{
    (void)owner;
    say("checked %s %s", ok ? "ok" : "failed", text);
}

static bool on_keep(void *owner, const char *kept)
{
    char path[ROOM], beside[ROOM];
    const struct tool *tool = owner;
    if (getenv("RUNTIME_TOOL_FORGETS"))
        return false;
    snprintf(path, sizeof path, "%s/kept", tool->dir);
    snprintf(beside, sizeof beside, "%s/kept.new", tool->dir);
    point();
    FILE *file = fopen(beside, "w");
    assert(file);
    fputs(kept, file);
    (void)fclose(file);
    point();
    int failed = rename(beside, path);
    assert(!failed);
    return true;
}

static void step(struct tool *tool, const char *name)
{
    for (size_t i = 1; i < LENGTH(steps); i++)
        if (strcmp(steps[i], name) == 0)
            runtime_step(tool->runtime, (enum coord_step_kind)i);
}

static void aim(struct tool *tool, const char *target)
{
    struct fault fault;
    if (runtime_aim(tool->runtime, target, &fault))
        say("aimed %s", runtime_target(tool->runtime));
    else
        say("fault %s", fault.text);
}

/* -1 ends the loop. */
static int obey(struct tool *tool, char *line)
{
    char *rest = strchr(line, ' ');
    if (rest)
        *rest++ = '\0';
    rest = rest ? rest : line + strlen(line);
    if (strcmp(line, "step") == 0)
        step(tool, rest);
    else if (strcmp(line, "supervise") == 0)
        runtime_supervise(tool->runtime);
    else if (strcmp(line, "rest") == 0)
        runtime_rest(tool->runtime);
    else if (strcmp(line, "aim") == 0)
        aim(tool, rest);
    else if (strcmp(line, "check") == 0)
        runtime_check(tool->runtime, rest, on_checked);
    else if (strcmp(line, "state") == 0)
        say("state %s target=%s installed=%s kept=%s", healths[runtime_health(tool->runtime)],
            runtime_target(tool->runtime), runtime_installed(tool->runtime),
            runtime_kept(tool->runtime));
    else if (strcmp(line, "quit") == 0 || strcmp(line, "stop") == 0) {
        tool->stop_node = *line == 's';
        return -1;
    }
    return 0;
}

static int on_input(zloop_t *loop, zmq_pollitem_t *item, void *argument)
{
    struct tool *tool = argument;
    char c;
    (void)loop;
    ssize_t got = read(item->fd, &c, 1);
    if (got <= 0)
        return -1;
    if (c != '\n') {
        assert(tool->length + 1 < sizeof tool->line);
        tool->line[tool->length++] = c;
        return 0;
    }
    tool->line[tool->length] = '\0';
    tool->length = 0;
    return obey(tool, tool->line);
}

static bool flag_take(struct settings *settings, const char *flag, struct fault *fault)
{
    char name[64];
    const char *value = strchr(flag, '=');
    assert(value && strncmp(flag, "--", 2) == 0);
    snprintf(name, sizeof name, "%.*s", (int)(value - flag - 2), flag + 2);
    for (enum setting i = 0; i < SETTING_COUNT; i++)
        if (setting_row(i)->flag && strcmp(setting_row(i)->flag, name) == 0)
            return settings_read_flag(settings, i, value + 1, fault);
    return fault_set(fault, "there is no --%s", name);
}

static void kept_read(const char *dir, char kept[RUNTIME_KEPT_MAX])
{
    char path[ROOM];
    snprintf(path, sizeof path, "%s/kept", dir);
    FILE *file = fopen(path, "r");
    size_t got = file ? fread(kept, 1, RUNTIME_KEPT_MAX - 1, file) : 0;
    kept[got] = '\0';
    if (file)
        (void)fclose(file);
}

static int serve(struct tool *tool, struct settings *settings)
{
    struct fault fault;
    char kept[RUNTIME_KEPT_MAX];
    struct runtime_facts facts = {"chain-1", "00112233445566778899AABBCCDDEEFF00112233", 4711, 2};
    struct runtime_config config = {.loop = tool->loop,
                                    .settings = settings,
                                    .facts = &facts,
                                    .dir = tool->dir,
                                    .kept = kept,
                                    .owner = tool,
                                    .ended = on_ended,
                                    .progress = on_progress,
                                    .changed = on_changed,
                                    .keep = on_keep};
    kept_read(tool->dir, kept);
    tool->runtime = runtime_create(&config, &fault);
    if (!tool->runtime) {
        say("fault %s", fault.text);
        return 1;
    }
    zmq_pollitem_t input = {.fd = STDIN_FILENO, .events = ZMQ_POLLIN};
    zloop_poller(tool->loop, &input, on_input, tool);
    zloop_poller_set_tolerant(tool->loop, &input);
    say("ready %s", runtime_name(tool->runtime));
    (void)zloop_start(tool->loop);
    runtime_destroy(&tool->runtime, tool->stop_node);
    say("calls %ld", calls);
    return 0;
}

int main(int argc, char **argv)
{
    struct fault fault;
    const char *die = getenv("RUNTIME_TOOL_DIE");
    if (argc == 2 && strcmp(argv[1], "node") == 0)
        return node(argv[0]);
    assert(argc >= 2);
    zsys_handler_set(NULL);
    struct settings *settings = settings_create();
    struct tool tool = {.loop = zloop_new(), .dir = argv[1]};
    bool good = true;
    for (int i = 2; good && i < argc; i++)
        good = flag_take(settings, argv[i], &fault);
    if (!good)
        say("fault %s", fault.text);
    calls_left = die ? strtol(die, NULL, 10) : -1;
    int status = good ? serve(&tool, settings) : 1;
    zloop_destroy(&tool.loop);
    settings_destroy(&settings);
    return status;
}
