/* Who runs: locks by flock(), and signals to who holds them. */
#define _GNU_SOURCE /* flock(), pidfd_open() */

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

#include "sim/devnet_internal.h"

#define LOCK_TEXT_MAX 64
#define TRIES 400 /* of 5 ms: how long who has just got a lock may take to say who it is */
#define NODE_GRACE_MS 10000

const char *devnet_process_name(uint32_t process, char text[DEVNET_TEXT_MAX])
{
    if (process == DEVNET_SUPERVISOR)
        (void)snprintf(text, DEVNET_TEXT_MAX, "the supervisor");
    else if (process == DEVNET_CHAIN)
        (void)snprintf(text, DEVNET_TEXT_MAX, "chain process");
    else
        (void)snprintf(text, DEVNET_TEXT_MAX, "node %u", process % 100000);
    return text;
}

const char *devnet_process_file(const struct devnet_dir *dir, uint32_t process, const char *name,
                                char path[DEVNET_PATH_MAX])
{
    char inner[64];
    if (process < DEVNET_CHAIN)
        return devnet_node_file(dir, process, name, path);
    (void)snprintf(inner, sizeof inner, "%s%s", process == DEVNET_CHAIN ? "chain/" : "", name);
    return devnet_dir_file(dir, inner, path);
}

/* When the kernel started that process, in its ticks; 0 when there is none. */
static unsigned long long start_of(long pid)
{
    char path[64], text[1024];
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = descriptor < 0 ? -1 : read(descriptor, text, sizeof text - 1);
    if (descriptor >= 0)
        close(descriptor);
    if (size <= 0)
        return 0;
    text[size] = '\0';
    const char *at = strrchr(text, ')'); /* behind the name, which may hold anything: field 3 */
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at, NULL, 10) : 0;
}

static void pause_briefly(void)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

/* The live process that the file names; 0 when it names none. */
static pid_t named(int descriptor)
{
    char text[LOCK_TEXT_MAX];
    long pid;
    unsigned long long start;
    ssize_t size = pread(descriptor, text, sizeof text - 1, 0);
    text[size > 0 ? size : 0] = '\0';
    if (sscanf(text, "%ld %llu", &pid, &start) != 2 || pid <= 0 || start_of(pid) != start)
        return 0;
    return (pid_t)pid;
}

/* *held: somebody else has it, and not only to look. */
static bool lock_try(int descriptor, bool *held)
{
    for (int i = 0; i < TRIES; i++) {
        if (flock(descriptor, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return false;
        *held = named(descriptor) != 0;
        if (*held)
            return false;
        pause_briefly();
    }
    return false;
}

bool devnet_lock_take(const struct devnet_dir *dir, uint32_t process, bool *held,
                      struct fault *fault)
{
    char path[DEVNET_PATH_MAX], text[LOCK_TEXT_MAX];
    devnet_process_file(dir, process, "lock", path);
    *held = false;
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return fault_set(fault, "%s: %s; a directory that can be written expected", path,
                         strerror(errno));
    if (!lock_try(descriptor, held)) {
        char name[DEVNET_TEXT_MAX];
        (void)fault_set(fault, "%s: %s runs already (process %ld)", dir->path,
                        devnet_process_name(process, name), (long)named(descriptor));
        close(descriptor);
        return false;
    }
    int size = snprintf(text, sizeof text, "%ld %llu\n", (long)getpid(), start_of(getpid()));
    if (ftruncate(descriptor, 0) != 0 || pwrite(descriptor, text, (size_t)size, 0) != size) {
        (void)fault_set(fault, "%s: cannot be written: %s; free the disk", path, strerror(errno));
        close(descriptor);
        return false;
    }
    return true; /* held until the process ends: the descriptor stays open */
}

pid_t devnet_lock_holder(const struct devnet_dir *dir, uint32_t process)
{
    char path[DEVNET_PATH_MAX];
    int descriptor = open(devnet_process_file(dir, process, "lock", path), O_RDONLY | O_CLOEXEC);
    pid_t holder = 0;
    if (descriptor < 0)
        return 0;
    for (int i = 0; i < TRIES && flock(descriptor, LOCK_SH | LOCK_NB) != 0; i++) {
        holder = named(descriptor);
        if (holder != 0)
            break;
        pause_briefly(); /* it has the lock and has not written yet, or looks as we do */
    }
    close(descriptor);
    return holder;
}

pid_t devnet_lock_last(const struct devnet_dir *dir, uint32_t process)
{
    char path[DEVNET_PATH_MAX], text[LOCK_TEXT_MAX];
    int descriptor = open(devnet_process_file(dir, process, "lock", path), O_RDONLY | O_CLOEXEC);
    ssize_t size = descriptor < 0 ? 0 : pread(descriptor, text, sizeof text - 1, 0);
    if (descriptor >= 0)
        close(descriptor);
    text[size > 0 ? size : 0] = '\0';
    return (pid_t)strtol(text, NULL, 10);
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static bool gone_by(int pidfd, int64_t until_ms)
{
    struct pollfd wait = {.fd = pidfd, .events = POLLIN};
    for (;;) {
        int64_t left = until_ms - now_ms();
        int ready = poll(&wait, 1, left > 0 ? (int)left : 0);
        if (ready > 0)
            return true;
        if (ready == 0 || errno != EINTR)
            return false;
    }
}

/* A descriptor of who holds the lock, or -1: an id could be another process's by the time it is used. */
static int holder_open(const struct devnet_dir *dir, uint32_t process)
{
    pid_t pid = devnet_lock_holder(dir, process);
    int pidfd = pid > 0 ? pidfd_open(pid, 0) : -1;
    if (pidfd >= 0 && devnet_lock_holder(dir, process) != pid) {
        close(pidfd);
        return -1;
    }
    return pidfd;
}

bool devnet_process_end(const struct devnet_dir *dir, uint32_t process, int signal,
                        int64_t timeout_ms)
{
    int pidfd = holder_open(dir, process);
    if (pidfd < 0)
        return false;
    bool gone =
        pidfd_send_signal(pidfd, signal, NULL, 0) == 0 && gone_by(pidfd, now_ms() + timeout_ms);
    close(pidfd);
    return gone;
}

static void end_all(const int *pidfds, uint32_t count)
{
    int64_t until = now_ms() + NODE_GRACE_MS;
    for (uint32_t i = 0; i < count; i++)
        if (pidfds[i] >= 0)
            (void)pidfd_send_signal(pidfds[i], SIGTERM, NULL, 0);
    for (uint32_t i = 0; i < count; i++) {
        if (pidfds[i] >= 0 && !gone_by(pidfds[i], until)) {
            (void)pidfd_send_signal(pidfds[i], SIGKILL, NULL, 0);
            (void)gone_by(pidfds[i], now_ms() + NODE_GRACE_MS);
        }
        if (pidfds[i] >= 0)
            close(pidfds[i]);
    }
}

uint32_t devnet_processes_end(const struct devnet_dir *dir, bool nodes)
{
    int pidfds[DEVNET_NODES_MAX];
    uint32_t found = 0, count = nodes ? dir->genesis.count : 0;
    assert(dir->genesis.count <= DEVNET_NODES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        pidfds[i] = holder_open(dir, i);
        found += pidfds[i] >= 0 ? 1 : 0;
    }
    end_all(pidfds, count);
    pidfds[0] = holder_open(dir, DEVNET_CHAIN);
    found += pidfds[0] >= 0 ? 1 : 0;
    end_all(pidfds, 1);
    return found;
}
