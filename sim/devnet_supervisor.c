/* The supervisor: makes or opens DIR, starts everything, stays with it, and stops everything.
 *
 *     prepare    DIR, its lock, settings, leftovers of a killed run, ports
 *     start      chain process, then nodes; until each answers and has the first block
 *     stay       SIGCHLD: one ended, devnet.json says so    DEVNET_SIGNAL_START: start one
 *     stop       SIGINT, SIGTERM, SIGHUP: nodes first, then the chain process
 *
 * With --external-nodes the nodes are others' children: they are neither started nor ended here, only followed.
 */
#define _XOPEN_SOURCE 700 /* realpath() */

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim/devnet_internal.h"

#define LOOK_MS 50 /* between two questions to what is starting */
#define LIVE_MS 1000
#define LIVE_ASKED_MAX 3 /* nodes, until one answers */
#define CHILD_GRACE_MS 10000
#define CHAIN_SLOT DEVNET_NODES_MAX

struct supervisor {
    struct devnet_dir dir;
    int signals; /* signalfd */
    struct devnet_watch watch;
    bool stopping, ending, up, failed, terminal, detached, external;
    struct fault fault; /* when `failed` */
    pid_t pids[DEVNET_NODES_MAX + 1];
    int64_t height;
};

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static uint32_t slot_of(uint32_t process)
{
    return process == DEVNET_CHAIN ? CHAIN_SLOT : process;
}

static void say(const struct supervisor *supervisor, const struct fault *line)
{
    printf("%s%s\n", supervisor->terminal ? "\r\033[K" : "", line->text);
    fflush(stdout);
}

static bool give_up(struct supervisor *supervisor)
{
    supervisor->failed = true;
    return false;
}

/* --- prepare --- */

static bool lock(const char *path, struct fault *fault)
{
    struct devnet_dir dir = {.path = strdup(path)};
    bool held = false;
    bool good = dir.path && devnet_lock_take(&dir, DEVNET_SUPERVISOR, &held, fault);
    if (held)
        (void)fault_set(fault,
                        "%s: a devnet runs here already (process %ld); end it with `stagger "
                        "devnet stop --dir DIR`, or choose another --dir",
                        path, (long)devnet_lock_holder(&dir, DEVNET_SUPERVISOR));
    free(dir.path);
    return good;
}

static bool make(const char *path, const struct devnet_options *options, struct fault *fault)
{
    const uint64_t *number = options->number;
    uint16_t base = (uint16_t)number[OPTION_BASE_PORT];
    if (number[OPTION_EMPTY_BLOCKS] < number[OPTION_BLOCK_TIME])
        return fault_set(fault,
                         "--empty-blocks: shorter than the block time; choose at least that");
    if (!options->given[OPTION_BASE_PORT] &&
        !devnet_port_choose((uint32_t)number[OPTION_VALIDATORS], &base, fault))
        return false;
    return devnet_make(path, options, base, fault);
}

/* What a run that was killed left behind: processes, their socket, devnet.json. */
static void leftovers_clean(const struct devnet_dir *dir, const char *socket, bool nodes)
{
    char path[DEVNET_PATH_MAX];
    uint32_t ended = devnet_processes_end(dir, nodes);
    bool stale = devnet_exists(devnet_dir_file(dir, "devnet.json", path)) || devnet_exists(socket);
    if (ended > 0)
        fprintf(stderr,
                "stagger devnet: the last run was killed; ended %u process%s of it and "
                "cleaned up\n",
                ended, ended == 1 ? "" : "es");
    else if (stale)
        fprintf(stderr, "stagger devnet: the last run was killed; cleaned up after it\n");
    (void)unlink(socket);
    devnet_public_remove(dir);
}

static bool settle(struct devnet_dir *dir, const struct devnet_options *options,
                   struct fault *fault)
{
    char socket[DEVNET_SOCKET_MAX];
    memcpy(socket, dir->socket, sizeof socket);
    if (!devnet_settings_merge(dir, options, fault))
        return false;
    leftovers_clean(dir, socket, !options->given[OPTION_EXTERNAL_NODES]);
    return devnet_agents_write(dir, fault) && devnet_ports_check(dir, fault);
}

static bool prepare(struct supervisor *supervisor, const struct devnet_options *options)
{
    struct fault *fault = &supervisor->fault;
    const char *given = options->text[OPTION_DIR];
    char settings[DEVNET_PATH_MAX];
    if (!devnet_make_folder(given, fault))
        return false;
    char *path = realpath(given, NULL);
    if (!path || strlen(path) > DEVNET_DIR_MAX || strchr(path, ';')) {
        (void)fault_set(fault, "%.200s: %s", given,
                        path ? "its whole name is too long or holds a ';'; choose another"
                             : strerror(errno));
        free(path);
        return false;
    }
    (void)snprintf(settings, sizeof settings, "%s/settings.json", path);
    bool is_new = !devnet_exists(settings);
    bool good = (!is_new || devnet_may_make(path, fault)) && lock(path, fault);
    is_new = good && !devnet_exists(settings); /* another may have made it meanwhile */
    good = good && (!is_new || make(path, options, fault)) &&
           devnet_dir_open(path, &supervisor->dir, fault) &&
           settle(&supervisor->dir, options, fault);
    free(path);
    return good;
}

/* --- events --- */

/* For who asked for the process from another terminal: "PID WORDS", it is not up and will not be. */
static void ended_write(const struct supervisor *supervisor, uint32_t process, pid_t pid,
                        const struct fault *line)
{
    char path[DEVNET_PATH_MAX], text[FAULT_MAX + 24];
    struct fault ignored;
    (void)snprintf(text, sizeof text, "%ld %s", (long)pid, line->text);
    (void)!devnet_write(devnet_process_file(&supervisor->dir, process, "ended", path), 0600, text,
                        &ignored);
}

static void spawn(struct supervisor *supervisor, uint32_t process)
{
    struct fault fault;
    pid_t pid = devnet_spawn(&supervisor->dir, process, &fault);
    supervisor->pids[slot_of(process)] = pid;
    if (pid > 0)
        return;
    ended_write(supervisor, process, 0, &fault);
    say(supervisor, &fault);
    if (!supervisor->up) {
        supervisor->fault = fault;
        supervisor->failed = true;
    }
}

static void ended(struct supervisor *supervisor, uint32_t process, int status)
{
    struct fault line, fault;
    devnet_ended_text(&supervisor->dir, process, status, &line);
    ended_write(supervisor, process, supervisor->pids[slot_of(process)], &line);
    supervisor->pids[slot_of(process)] = 0;
    if (supervisor->ending)
        return;
    if (supervisor->up) {
        if (!devnet_public_write(&supervisor->dir, false, &fault))
            say(supervisor, &fault);
        say(supervisor, &line);
    } else if (!supervisor->failed) {
        supervisor->fault = line;
        supervisor->failed = true;
    }
}

static void reap(struct supervisor *supervisor)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        for (uint32_t i = 0; i <= CHAIN_SLOT; i++)
            if (supervisor->pids[i] == pid)
                ended(supervisor, i == CHAIN_SLOT ? DEVNET_CHAIN : i, status);
}

/* Another command asks for a process; -1 is the chain's. */
static void asked(struct supervisor *supervisor, int value)
{
    uint32_t process = value == -1 ? DEVNET_CHAIN : (uint32_t)value;
    struct fault fault;
    reap(supervisor); /* its forerunner may have ended a moment ago */
    if (!supervisor->up || (value != -1 && process >= supervisor->dir.genesis.count) ||
        supervisor->pids[slot_of(process)] != 0)
        return;
    if (process != DEVNET_CHAIN && !devnet_port_check(&supervisor->dir, process, &fault))
        ended_write(supervisor, process, 0, &fault);
    else
        spawn(supervisor, process);
}

static void signal_take(struct supervisor *supervisor, const struct signalfd_siginfo *info)
{
    if ((int)info->ssi_signo == DEVNET_SIGNAL_START)
        asked(supervisor, info->ssi_int);
    else if (info->ssi_signo == SIGCHLD)
        reap(supervisor);
    else if (info->ssi_signo != SIGHUP || !supervisor->detached)
        supervisor->stopping = true;
}

static void nodes_follow(struct supervisor *supervisor)
{
    struct fault fault;
    if (supervisor->external && devnet_watch_look(&supervisor->dir, &supervisor->watch) &&
        supervisor->up && !supervisor->ending &&
        !devnet_public_write(&supervisor->dir, false, &fault))
        say(supervisor, &fault);
}

/* Until something happened, or for so long; -1: for ever. */
static void wait_some(struct supervisor *supervisor, int timeout_ms)
{
    struct signalfd_siginfo info;
    struct pollfd wait[] = {{.fd = supervisor->signals, .events = POLLIN},
                            {.fd = supervisor->watch.descriptor, .events = POLLIN}};
    if (supervisor->watch.again && (timeout_ms < 0 || timeout_ms > LOOK_MS))
        timeout_ms = LOOK_MS;
    (void)poll(wait, 2, timeout_ms);
    while (read(supervisor->signals, &info, sizeof info) == (ssize_t)sizeof info)
        signal_take(supervisor, &info);
    nodes_follow(supervisor);
}

/* --- start --- */

static bool is_up(struct supervisor *supervisor, uint32_t process)
{
    struct devnet_state state;
    if (process == DEVNET_CHAIN)
        return devnet_chain_listens(&supervisor->dir);
    if (!devnet_ask(&supervisor->dir, process, 2000, &state) ||
        state.height < (int64_t)supervisor->dir.genesis.initial_height.n)
        return false;
    supervisor->height = state.height;
    return true;
}

static bool await(struct supervisor *supervisor, uint32_t process)
{
    char name[DEVNET_TEXT_MAX];
    int64_t until = now_ms() + DEVNET_UP_TIMEOUT_MS;
    while (!supervisor->stopping && !supervisor->failed && !is_up(supervisor, process)) {
        if (now_ms() > until) {
            (void)fault_set(&supervisor->fault,
                            "%s does not answer with a first block; see its log "
                            "in %s",
                            devnet_process_name(process, name), supervisor->dir.path);
            return give_up(supervisor);
        }
        wait_some(supervisor, LOOK_MS);
    }
    return !supervisor->stopping && !supervisor->failed;
}

static bool start(struct supervisor *supervisor)
{
    if (supervisor->external &&
        !devnet_watch_open(&supervisor->dir, &supervisor->watch, &supervisor->fault))
        return give_up(supervisor);
    spawn(supervisor, DEVNET_CHAIN);
    if (!await(supervisor, DEVNET_CHAIN))
        return false;
    uint32_t count = supervisor->external ? 0 : supervisor->dir.genesis.count;
    for (uint32_t i = 0; i < count && !supervisor->failed; i++)
        spawn(supervisor, i);
    for (uint32_t i = 0; i < count; i++)
        if (!await(supervisor, i))
            return false;
    supervisor->up = devnet_public_write(&supervisor->dir, true, &supervisor->fault);
    return supervisor->up || give_up(supervisor);
}

/* --- stay and stop --- */

static void live_print(struct supervisor *supervisor)
{
    struct devnet_state state;
    uint32_t live = 0, asked_of = 0, count = supervisor->dir.genesis.count;
    bool known = false;
    for (uint32_t i = 0; i < count; i++) {
        bool runs = supervisor->pids[i] != 0 || supervisor->watch.pids[i] != 0;
        live += runs ? 1 : 0;
        if (runs && !known && asked_of++ < LIVE_ASKED_MAX &&
            devnet_ask(&supervisor->dir, i, LOOK_MS * 4, &state)) {
            known = true;
            supervisor->height = state.height;
        }
    }
    printf("\r\033[Kheight %" PRId64 "  nodes %u/%u%s", supervisor->height, live, count,
           supervisor->pids[CHAIN_SLOT] ? "" : "  no chain process");
    fflush(stdout);
}

static void stay(struct supervisor *supervisor)
{
    while (!supervisor->stopping) {
        if (supervisor->terminal)
            live_print(supervisor);
        wait_some(supervisor, supervisor->terminal ? LIVE_MS : -1);
    }
}

static bool any_runs(const struct supervisor *supervisor, uint32_t from, uint32_t to)
{
    bool any = false;
    for (uint32_t i = from; i < to; i++)
        any = any || supervisor->pids[i] != 0;
    return any;
}

/* Our own children, also one that has not got as far as its lock. */
static void children_end(struct supervisor *supervisor, uint32_t from, uint32_t to)
{
    int64_t until = now_ms() + CHILD_GRACE_MS;
    for (uint32_t i = from; i < to; i++)
        if (supervisor->pids[i] != 0)
            (void)kill(supervisor->pids[i], SIGTERM);
    while (any_runs(supervisor, from, to) && now_ms() < until)
        wait_some(supervisor, (int)(until - now_ms()));
    for (uint32_t i = from; i < to; i++)
        if (supervisor->pids[i] != 0) {
            (void)kill(supervisor->pids[i], SIGKILL);
            (void)waitpid(supervisor->pids[i], NULL, 0);
            supervisor->pids[i] = 0;
        }
}

static void stop(struct supervisor *supervisor)
{
    if (supervisor->terminal)
        printf("\r\033[Kstopping\n");
    fflush(stdout);
    supervisor->ending = true;
    children_end(supervisor, 0, CHAIN_SLOT);
    children_end(supervisor, CHAIN_SLOT, CHAIN_SLOT + 1);
    (void)unlink(supervisor->dir.socket);
    devnet_public_remove(&supervisor->dir);
}

static int signals_open(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE); /* who read our words may go */
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, DEVNET_SIGNAL_START);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* From here on nobody waits for our words: they go into DIR/log. */
static void detach(struct supervisor *supervisor, int ready)
{
    int log, none = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct fault fault;
    (void)setsid();
    supervisor->detached = true;
    supervisor->terminal = false;
    if (devnet_log_open(&supervisor->dir, DEVNET_SUPERVISOR, &log, &fault)) {
        (void)dup2(log, STDOUT_FILENO);
        (void)dup2(log, STDERR_FILENO);
        close(log);
    }
    if (none >= 0) {
        (void)dup2(none, STDIN_FILENO);
        close(none);
    }
    (void)!write(ready, "1", 1);
    close(ready);
}

/* ready: to say so through when it is up, and detach then; -1: stay in front. */
static int supervise(const struct devnet_options *options, int ready)
{
    struct supervisor *supervisor = calloc(1, sizeof *supervisor);
    assert(supervisor);
    supervisor->signals = signals_open();
    supervisor->watch.descriptor = -1;
    supervisor->external = options->given[OPTION_EXTERNAL_NODES];
    supervisor->terminal = isatty(STDOUT_FILENO) == 1 && ready < 0;
    bool prepared = prepare(supervisor, options);
    if (prepared && start(supervisor)) {
        devnet_summary_print(&supervisor->dir, ready >= 0, supervisor->external,
                             supervisor->height);
        if (ready >= 0)
            detach(supervisor, ready);
        stay(supervisor);
    }
    if (prepared)
        stop(supervisor);
    int status = !prepared || supervisor->failed ? devnet_fail(&supervisor->fault) : 0;
    devnet_watch_close(&supervisor->watch);
    devnet_dir_close(&supervisor->dir);
    close(supervisor->signals);
    free(supervisor);
    return status;
}

/* The child is the supervisor; its parent waits until it is up or gone. */
int devnet_supervise(const struct devnet_options *options)
{
    int ready[2], status;
    char byte;
    if (!options->given[OPTION_DETACH])
        return supervise(options, -1);
    struct fault fault;
    if (pipe(ready) != 0)
        return fault_set(&fault, "no pipe: %s", strerror(errno)), devnet_fail(&fault);
    (void)fcntl(ready[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(ready[1], F_SETFD, FD_CLOEXEC);
    fflush(stdout);
    pid_t child = fork();
    if (child < 0)
        return fault_set(&fault, "no process: %s", strerror(errno)), devnet_fail(&fault);
    if (child == 0) {
        close(ready[0]);
        _exit(supervise(options, ready[1]));
    }
    close(ready[1]);
    ssize_t size;
    while ((size = read(ready[0], &byte, 1)) < 0 && errno == EINTR)
        ;
    close(ready[0]);
    if (size == 1)
        return 0;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
