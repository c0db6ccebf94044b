#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pipe2, posix_spawn_file_actions_addclosefrom_np */
#endif

#include "node/filter.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS_PER_S 1000
#define NS_PER_MS 1000000
#define PIECE_SIZE 512
#define POLL_MAX_MS 1000000

extern char **environ;

/* One run: descriptors are -1 when they are closed. */
struct run {
    struct filter *filter;
    pid_t pid;
    int process, input, output; /* process: readable when the command has ended */
    size_t sent;
    int64_t deadline_ms;
    bool ended, too_much;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

static void fd_close(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* --- start --- */

/* Both ends above the standard descriptors, which a caller may have closed. ends[0] is read from. */
static bool pipe_make(int ends[2])
{
    int low[2];
    ends[0] = ends[1] = -1;
    if (pipe2(low, O_CLOEXEC) != 0)
        return false;
    for (int i = 0; i < 2; i++)
        ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    (void)close(low[0]);
    (void)close(low[1]);
    return ends[0] >= 0 && ends[1] >= 0;
}

static int spawn_with(struct run *run, int input, int output, posix_spawn_file_actions_t *actions,
                      posix_spawnattr_t *attributes)
{
    sigset_t none, defaults;
    sigemptyset(&none);
    sigfillset(&defaults);
    sigdelset(&defaults, SIGKILL);
    sigdelset(&defaults, SIGSTOP);
    int wrong = posix_spawn_file_actions_adddup2(actions, input, STDIN_FILENO);
    wrong = wrong ? wrong : posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO);
    wrong = wrong ? wrong : posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
    wrong = wrong ? wrong : posix_spawnattr_setsigmask(attributes, &none);
    wrong = wrong ? wrong : posix_spawnattr_setsigdefault(attributes, &defaults);
    wrong = wrong ? wrong : posix_spawnattr_setpgroup(attributes, 0);
    wrong = wrong ? wrong
                  : posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK |
                                                             POSIX_SPAWN_SETSIGDEF |
                                                             POSIX_SPAWN_SETPGROUP);
    return wrong ? wrong
                 : posix_spawnp(&run->pid, run->filter->argv[0], actions, attributes,
                                run->filter->argv, environ);
}

/* Returns 0 or what went wrong. */
static int spawn(struct run *run, int input, int output)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int wrong = posix_spawn_file_actions_init(&actions);
    if (wrong)
        return wrong;
    wrong = posix_spawnattr_init(&attributes);
    if (!wrong) {
        wrong = spawn_with(run, input, output, &actions, &attributes);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return wrong;
}

static bool nonblocking(int fd)
{
    return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0;
}

/* Returns 0 or what went wrong; the command runs when pid is not 0. */
static int run_start(struct run *run)
{
    int to[2] = {-1, -1}, from[2] = {-1, -1};
    int wrong = pipe_make(to) && pipe_make(from) ? 0 : errno;
    if (!wrong)
        wrong = spawn(run, to[0], from[1]);
    fd_close(&to[0]);
    fd_close(&from[1]);
    run->input = to[1];
    run->output = from[0];
    if (wrong)
        return wrong;
    run->process = pidfd_open(run->pid, 0);
    if (run->process < 0 || !nonblocking(run->input) || !nonblocking(run->output))
        return errno;
    return 0;
}

/* --- while it runs --- */

/* The caller has held back SIGPIPE. */
static void input_send(struct run *run)
{
    const struct filter *filter = run->filter;
    ssize_t done = write(run->input, filter->input + run->sent, filter->input_size - run->sent);
    if (done > 0)
        run->sent += (size_t)done;
    if (run->sent == filter->input_size || (done < 0 && errno != EAGAIN && errno != EINTR))
        fd_close(&run->input);
}

/* Takes what is there. */
static void output_take(struct run *run)
{
    struct filter *filter = run->filter;
    char piece[PIECE_SIZE];
    ssize_t got;
    do {
        got = read(run->output, piece, sizeof piece);
        if (got > 0 && (size_t)got > filter->room - filter->output_size) {
            run->too_much = true;
            return;
        }
        if (got > 0) {
            memcpy(filter->output + filter->output_size, piece, (size_t)got);
            filter->output_size += (size_t)got;
        }
    } while (got > 0 || (got < 0 && errno == EINTR));
    if (got == 0 || errno != EAGAIN)
        fd_close(&run->output);
}

/* False when the time is up or the output too much. */
static bool run_attend(struct run *run)
{
    if (run->filter->input_size == 0)
        fd_close(&run->input);
    while (!run->ended) {
        int64_t left_ms = run->deadline_ms - now_ms();
        struct pollfd watched[] = {{run->process, POLLIN, 0},
                                   {run->output, POLLIN, 0},
                                   {run->input, POLLOUT, 0}}; /* -1 is passed over */
        if (left_ms <= 0)
            return false;
        if (poll(watched, 3, left_ms < POLL_MAX_MS ? (int)left_ms : POLL_MAX_MS) < 0)
            continue; /* a signal: the time decides */
        run->ended = watched[0].revents != 0;
        if (watched[2].revents)
            input_send(run);
        if (run->output >= 0 && (run->ended || watched[1].revents))
            output_take(run);
        if (run->too_much)
            return false;
    }
    return true;
}

/* --- end --- */

static bool status_read(struct run *run, bool in_time, struct fault *fault)
{
    const char *name = run->filter->argv[0];
    int status = 0;
    pid_t reaped;
    if (!in_time)
        (void)kill(-run->pid, SIGKILL);
    do
        reaped = waitpid(run->pid, &status, 0);
    while (reaped < 0 && errno == EINTR);
    if (run->too_much)
        return fault_set(fault, "%.100s: printed more than %zu bytes", name, run->filter->room);
    if (!in_time)
        return fault_set(fault, "%.100s: did not end within %lld ms", name,
                         (long long)run->filter->timeout_ms);
    if (reaped == run->pid && WIFSIGNALED(status))
        return fault_set(fault, "%.100s: was ended by signal %d", name, WTERMSIG(status));
    if (reaped != run->pid || !WIFEXITED(status))
        return fault_set(fault, "%.100s: its exit status is unknown", name);
    if (WEXITSTATUS(status) != 0)
        return fault_set(fault, "%.100s: exit status %d", name, WEXITSTATUS(status));
    return true;
}

static bool run_whole(struct run *run, struct fault *fault)
{
    int wrong = run_start(run);
    if (wrong && run->pid == 0)
        return fault_set(fault, "%.100s: cannot be run: %s", run->filter->argv[0], strerror(wrong));
    bool in_time = !wrong && run_attend(run);
    bool good = status_read(run, in_time, fault);
    return wrong ? fault_set(fault, "%.100s: cannot be watched: %s", run->filter->argv[0],
                             strerror(wrong))
                 : good;
}

/* A command that ends without reading its input must not end us. */
static void pipe_signal_hold(sigset_t *before, bool *pending)
{
    sigset_t pipe_signal, waiting;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    *pending = sigpending(&waiting) == 0 && sigismember(&waiting, SIGPIPE) == 1;
    (void)pthread_sigmask(SIG_BLOCK, &pipe_signal, before);
}

static void pipe_signal_release(const sigset_t *before, bool pending)
{
    static const struct timespec AT_ONCE = {0, 0};
    sigset_t pipe_signal;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    while (!pending && sigtimedwait(&pipe_signal, NULL, &AT_ONCE) < 0 && errno == EINTR)
        continue;
    (void)pthread_sigmask(SIG_SETMASK, before, NULL);
}

bool filter_run(struct filter *filter, struct fault *fault)
{
    struct run run = {.filter = filter, .process = -1, .input = -1, .output = -1};
    sigset_t before;
    bool pending;
    assert(filter->argv[0] && filter->timeout_ms > 0);
    filter->output_size = 0;
    run.deadline_ms = now_ms() + filter->timeout_ms;
    pipe_signal_hold(&before, &pending);
    bool good = run_whole(&run, fault);
    pipe_signal_release(&before, pending);
    fd_close(&run.input);
    fd_close(&run.output);
    fd_close(&run.process);
    return good;
}
