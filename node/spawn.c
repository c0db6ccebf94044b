#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* close_range, pidfd_open */
#endif

#include "node/spawn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_USUAL "/usr/local/bin:/usr/bin:/bin"
#define HELD_FD 3
#define WAY_FD 4 /* to us, closed by exec */
#define FIRST_FREE_FD 5

extern char **environ;

/* --- in the child: nothing here but what may be called between fork and exec --- */

static void signals_default(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (int i = 1; i < NSIG; i++)
        (void)sigaction(i, &action, NULL); /* refused for KILL and STOP */
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The descriptors are above the numbers that they get. */
static bool descriptors_place(const struct spawn *spawn, int input, int output, int held, int way)
{
    bool good = dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
                dup2(output, STDERR_FILENO) >= 0 && dup2(way, WAY_FD) >= 0 &&
                fcntl(WAY_FD, F_SETFD, FD_CLOEXEC) == 0;
    if (spawn->held >= 0)
        good = good && dup2(held, HELD_FD) >= 0;
    else
        (void)close(HELD_FD);
    (void)close_range(FIRST_FREE_FD, ~0U, 0);
    return good;
}

static int raised(int fd)
{
    return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
}

__attribute__((noreturn)) static void child(const struct spawn *spawn, const char *path, int way)
{
    char go;
    int wrong = 0;
    int input = raised(open("/dev/null", O_RDONLY)), output = raised(spawn->output);
    int held = raised(spawn->held);
    way = raised(way);
    if (spawn->session)
        (void)setsid();
    else
        (void)setpgid(0, 0);
    if (!descriptors_place(spawn, input, output, held, way))
        _exit(127);
    if (read(WAY_FD, &go, 1) != 1)
        _exit(127); /* nobody is left who wants it */
    signals_default();
    if (!spawn->dir || chdir(spawn->dir) == 0)
        (void)execve(path, spawn->argv, spawn->environment);
    wrong = errno;
    (void)!write(WAY_FD, &wrong, sizeof wrong);
    _exit(127);
}

/* --- in the parent --- */

/* 0: it is executed. */
static int child_release(int way)
{
    int wrong = 0;
    ssize_t got;
    if (send(way, "g", 1, MSG_NOSIGNAL) != 1)
        return 0; /* it has ended already: whoever watches it will see */
    do
        got = read(way, &wrong, sizeof wrong);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof wrong ? wrong : 0;
}

static int child_begin(const struct spawn *spawn, pid_t pid, int way, struct identity *identity)
{
    if (!spawn->session)
        (void)setpgid(pid, pid); /* whichever of the two is first */
    if (!identity_of(pid, identity))
        return ESRCH;
    errno = EIO;
    if (spawn->named && !spawn->named(spawn->owner, identity))
        return errno;
    return child_release(way);
}

/* Where the shell would find it; no shell is asked, here or when it turns out to be none of the kernel's formats. */
static bool path_find(const char *name, char path[PATH_MAX])
{
    const char *folders = getenv("PATH");
    struct stat about;
    if (strchr(name, '/'))
        return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX;
    for (folders = folders ? folders : PATH_USUAL; *folders; folders += *folders == ':') {
        size_t length = strcspn(folders, ":");
        int needed = snprintf(path, PATH_MAX, "%.*s/%s", length ? (int)length : 1,
                              length ? folders : ".", name);
        if (needed < PATH_MAX && stat(path, &about) == 0 && S_ISREG(about.st_mode) &&
            access(path, X_OK) == 0)
            return true;
        folders += length;
    }
    errno = ENOENT;
    return false;
}

/* No handler of ours may run in the child. */
static pid_t fork_quietly(const struct spawn *spawn, const char *path, int ways[2])
{
    sigset_t all, before;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(ways[0]);
        child(spawn, path, ways[1]);
    }
    int wrong = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = wrong;
    return pid;
}

int spawn_run(const struct spawn *spawn, struct identity *identity)
{
    int ways[2], process = -1;
    char path[PATH_MAX];
    assert(spawn->argv[0] && spawn->output >= 0);
    if (!path_find(spawn->argv[0], path) ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ways) != 0)
        return -1;
    pid_t pid = fork_quietly(spawn, path, ways);
    int wrong = pid < 0 ? errno : 0;
    (void)close(ways[1]);
    if (pid > 0) {
        process = pidfd_open(pid, 0);
        wrong = process < 0 ? errno : child_begin(spawn, pid, ways[0], identity);
    }
    (void)close(ways[0]);
    if (wrong && pid > 0) {
        (void)kill(pid, SIGKILL); /* at most it was about to end */
        (void)waitpid(pid, NULL, 0);
        if (process >= 0)
            (void)close(process);
    }
    errno = wrong;
    return wrong ? -1 : process;
}

/* --- what goes with it --- */

static bool same_name(const char *a, const char *b)
{
    size_t length = strcspn(a, "=");
    return length == strcspn(b, "=") && strncmp(a, b, length) == 0;
}

static bool among(const char *variable, char *const *list)
{
    for (; list && *list; list++)
        if (same_name(variable, *list))
            return true;
    return false;
}

char **spawn_environment(char *const *extra)
{
    static char *const ours_alone[] = {"NOTIFY_SOCKET=",
                                       "WATCHDOG_PID=",
                                       "WATCHDOG_USEC=",
                                       "LISTEN_PID=",
                                       "LISTEN_FDS=",
                                       "LISTEN_FDNAMES=",
                                       NULL};
    size_t count = 1, used = 0;
    for (char **at = environ; at && *at; at++)
        count++;
    for (char *const *at = extra; at && *at; at++)
        count++;
    char **all = calloc(count, sizeof *all);
    if (!all)
        return NULL;
    for (char **at = environ; at && *at; at++)
        if (!among(*at, ours_alone) && !among(*at, extra))
            all[used++] = *at;
    for (char *const *at = extra; at && *at; at++)
        all[used++] = *at;
    return all;
}

int spawn_output(const char *path, int64_t max_bytes, struct fault *fault)
{
    struct stat about;
    char old[PATH_MAX];
    if (stat(path, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > max_bytes &&
        snprintf(old, sizeof old, "%s.1", path) < (int)sizeof old)
        (void)rename(path, old); /* if it cannot be moved it grows */
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
    if (fd < 0) {
        (void)fault_set(fault, "%.200s: cannot be written: %s", path, strerror(errno));
        return -1;
    }
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    return fd;
}

int spawn_status(pid_t pid)
{
    int status;
    if (waitpid(pid, &status, WNOHANG) != pid)
        return INT_MIN;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

void spawn_status_text(int status, char *out, size_t size)
{
    if (status == INT_MIN)
        snprintf(out, size, "ended");
    else if (status < 0)
        snprintf(out, size, "was ended by signal %d (%s)", -status, strsignal(-status));
    else
        snprintf(out, size, "ended with status %d", status);
}
