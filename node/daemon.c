#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* fallocate, pidfd_send_signal */
#endif

#include "node/daemon.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/spawn.h"
#include "node/wake.h"

#define PATH_ROOM 4096
#define LOG_START_MAX ((int64_t)16 << 20) /* at a start a longer one is moved to LOG.1 */
#define LOG_MAX ((int64_t)128 << 20) /* while it runs the beginning of a longer one is dropped, */
#define LOG_KEPT ((int64_t)64 << 20) /* down to this much */
#define LOG_BLOCK ((int64_t)1 << 20)
#define LOOK_MS 60000
#define UNSEEN_MS 500 /* the lock is held by somebody whom we cannot see */
#define KILLED_MS 5000

struct daemon {
    struct daemon_config config;
    char lock_path[PATH_ROOM], log_path[PATH_ROOM];
    bool runs;
    struct identity identity; /* of the one that is watched; pid 0: not seen */
    int process;              /* its pidfd, or -1 */
    bool leftover;            /* the process itself is gone, this is a child of its */
    bool stopping, killed;
    struct wake *due;  /* SIGKILL, or another look for who holds the lock */
    struct wake *trim; /* of the log */
    off_t log_from;    /* where the output of the present process begins */
    char text[DAEMON_TEXT_MAX];
};

/* --- the lock --- */

/* A descriptor of the file, or -1 with errno; *locked when we hold the lock with it. */
static int lock_open(const struct daemon *daemon, bool *locked)
{
    int fd = open(daemon->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    *locked = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (fd >= 0 && !*locked && errno != EWOULDBLOCK) {
        int wrong = errno;
        (void)close(fd);
        errno = wrong;
        return -1;
    }
    return fd;
}

/* Whether /proc/PID/fdinfo/FD tells of a lock of the kind that we take. */
static bool holds_lock(const char *pid, const char *fd)
{
    char path[PATH_ROOM], text[2048];
    snprintf(path, sizeof path, "/proc/%s/fdinfo/%s", pid, fd);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (file >= 0)
        (void)close(file);
    text[got > 0 ? got : 0] = '\0';
    return strstr(text, "FLOCK") != NULL;
}

static bool is_holder(const char *pid, const struct stat *locked)
{
    char path[PATH_ROOM];
    struct stat about;
    struct dirent *entry;
    bool found = false;
    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    DIR *folder = opendir(path);
    while (folder && !found && (entry = readdir(folder)) != NULL)
        found = fstatat(dirfd(folder), entry->d_name, &about, 0) == 0 &&
                about.st_dev == locked->st_dev && about.st_ino == locked->st_ino &&
                holds_lock(pid, entry->d_name);
    if (folder)
        (void)closedir(folder);
    return found;
}

/* The oldest process that holds the lock of this open file; false: none that we can see. */
static bool holder_find(int fd, struct identity *oldest)
{
    struct stat locked;
    struct identity one;
    struct dirent *entry;
    DIR *folder = fstat(fd, &locked) == 0 ? opendir("/proc") : NULL;
    *oldest = (struct identity){0};
    while (folder && (entry = readdir(folder)) != NULL) {
        long pid = strtol(entry->d_name, NULL, 10);
        if (pid > 0 && pid != getpid() && is_holder(entry->d_name, &locked) &&
            identity_of((pid_t)pid, &one) && (oldest->pid == 0 || one.start < oldest->start))
            *oldest = one;
    }
    if (folder)
        (void)closedir(folder);
    return oldest->pid != 0;
}

/* --- watching --- */

static void look(struct daemon *daemon);

static void unwatch(struct daemon *daemon)
{
    zmq_pollitem_t item = {.fd = daemon->process};
    if (daemon->process < 0)
        return;
    zloop_poller_end(daemon->config.loop, &item);
    (void)close(daemon->process);
    daemon->process = -1;
}

static int on_process(zloop_t *loop, zmq_pollitem_t *item, void *argument)
{
    struct daemon *daemon = argument;
    int status = spawn_status(daemon->identity.pid);
    (void)loop, (void)item;
    unwatch(daemon);
    if (!daemon->leftover)
        spawn_status_text(status, daemon->text, sizeof daemon->text);
    daemon->leftover = true;
    daemon->identity.pid = 0;
    look(daemon);
    return 0;
}

static void watch(struct daemon *daemon, const struct identity *identity, int process)
{
    zmq_pollitem_t item = {.fd = process, .events = ZMQ_POLLIN};
    daemon->identity = *identity;
    daemon->process = process;
    daemon->runs = true;
    int failed = zloop_poller(daemon->config.loop, &item, on_process, daemon);
    assert(failed == 0);
}

static void signal_send(struct daemon *daemon, int number)
{
    if (daemon->process >= 0)
        (void)pidfd_send_signal(daemon->process, number, NULL, 0);
}

/* TERM and the time of the KILL, to whom is watched now. */
static void stop_begin(struct daemon *daemon)
{
    daemon->stopping = true;
    daemon->killed = daemon->config.grace_ms == 0;
    signal_send(daemon, daemon->killed ? SIGKILL : SIGTERM);
    if (!daemon->killed)
        wake_set(daemon->due, daemon->config.grace_ms);
}

static void gone(struct daemon *daemon)
{
    char text[DAEMON_TEXT_MAX];
    memcpy(text, daemon->text, sizeof text);
    daemon->runs = daemon->stopping = daemon->killed = daemon->leftover = false;
    wake_stop(daemon->due);
    daemon->config.ended(daemon->config.owner, text);
}

/* The one that was watched is gone. Is the lock free, or who holds it? */
static void look(struct daemon *daemon)
{
    bool locked;
    struct identity identity;
    int fd = lock_open(daemon, &locked), process = -1;
    if (fd < 0 ||
        (!locked && (!holder_find(fd, &identity) || (process = identity_open(&identity)) < 0)))
        wake_set(daemon->due, UNSEEN_MS);
    if (fd >= 0)
        (void)close(fd);
    if (locked) {
        gone(daemon);
    } else if (process >= 0) {
        watch(daemon, &identity, process);
        stop_begin(daemon);
    }
}

static void on_due(void *owner)
{
    struct daemon *daemon = owner;
    if (daemon->process < 0) {
        look(daemon);
        return;
    }
    daemon->killed = true;
    signal_send(daemon, SIGKILL);
}

/* --- the log --- */

/* Drops the beginning of a file that is being appended to; where the file system cannot do that it frees the room. */
static void on_trim(void *owner)
{
    struct daemon *daemon = owner;
    struct stat about;
    int fd = open(daemon->log_path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && fstat(fd, &about) == 0 && about.st_blocks * 512 > LOG_MAX) {
        int64_t drop = (about.st_size - LOG_KEPT) / LOG_BLOCK * LOG_BLOCK;
        if (drop > 0 && fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, drop) != 0)
            (void)fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, drop);
    }
    if (fd >= 0)
        (void)close(fd);
    wake_set(daemon->trim, LOOK_MS);
}

/* systemd tells by this variable that the standard error is its journal, which outlives us. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat about;
    char text[64];
    if (!stream || fstat(STDERR_FILENO, &about) != 0)
        return false;
    snprintf(text, sizeof text, "%ju:%ju", (uintmax_t)about.st_dev, (uintmax_t)about.st_ino);
    return strcmp(text, stream) == 0;
}

static int log_open(const struct daemon *daemon, struct fault *fault)
{
    if (stderr_is_journal())
        return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    return spawn_output(daemon->log_path, LOG_START_MAX, fault);
}

void daemon_last_line(const struct daemon *daemon, char out[DAEMON_TEXT_MAX])
{
    char text[DAEMON_TEXT_MAX] = "";
    int fd = stderr_is_journal() ? -1 : open(daemon->log_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    off_t from = size - (off_t)(sizeof text - 1);
    ssize_t got = fd < 0 ? 0
                         : pread(fd, text, sizeof text - 1,
                                 from > daemon->log_from ? from : daemon->log_from);
    if (fd >= 0)
        (void)close(fd);
    while (got > 0 && (text[got - 1] == '\n' || text[got - 1] == '\r'))
        got--;
    text[got > 0 ? got : 0] = '\0';
    for (char *at = text; *at; at++)
        if (*at != '\n' && (*at < ' ' || *at > '~'))
            *at = '?';
    const char *line = strrchr(text, '\n');
    snprintf(out, DAEMON_TEXT_MAX, "%s", line ? line + 1 : text);
}

/* --- life --- */

/* Takes over whoever runs. */
static bool adopt(struct daemon *daemon, struct fault *fault)
{
    struct identity identity;
    bool locked;
    int fd = lock_open(daemon, &locked);
    if (fd < 0)
        return fault_set(fault, "%.250s: cannot be locked: %s", daemon->lock_path, strerror(errno));
    bool named = identity_read(&identity, fd);
    int process = named ? identity_open(&identity) : -1;
    if (process < 0 && !locked && holder_find(fd, &identity))
        process = identity_open(&identity);
    (void)close(fd);
    if (process >= 0) {
        watch(daemon, &identity, process);
    } else if (!locked) {
        daemon->runs = true;
        wake_set(daemon->due, UNSEEN_MS);
    }
    return true;
}

struct daemon *daemon_create(const struct daemon_config *config, struct fault *fault)
{
    struct daemon *daemon = calloc(1, sizeof *daemon);
    assert(daemon);
    daemon->config = *config;
    daemon->process = -1;
    bool fits = snprintf(daemon->lock_path, PATH_ROOM, "%s", config->lock) < PATH_ROOM &&
                snprintf(daemon->log_path, PATH_ROOM, "%s", config->log) < PATH_ROOM;
    daemon->due = wake_create(config->loop, on_due, daemon);
    daemon->trim = wake_create(config->loop, on_trim, daemon);
    daemon->config.lock = daemon->lock_path;
    daemon->config.log = daemon->log_path;
    if (!fits)
        (void)fault_set(fault, "the path of the node's home is too long");
    else if (!daemon->due || !daemon->trim)
        (void)fault_set(fault, "the node cannot be watched: no more descriptors");
    if (!fits || !daemon->due || !daemon->trim || !adopt(daemon, fault))
        daemon_destroy(&daemon);
    else
        wake_set(daemon->trim, LOOK_MS);
    return daemon;
}

void daemon_destroy(struct daemon **daemon)
{
    if (!*daemon)
        return;
    unwatch(*daemon);
    wake_destroy(&(*daemon)->due);
    wake_destroy(&(*daemon)->trim);
    free(*daemon);
    *daemon = NULL;
}

bool daemon_runs(const struct daemon *daemon)
{
    return daemon->runs;
}

int daemon_pid(const struct daemon *daemon)
{
    return daemon->process >= 0 ? (int)daemon->identity.pid : 0;
}

/* --- start and stop --- */

static bool name_write(void *owner, const struct identity *identity)
{
    return identity_write(identity, *(const int *)owner);
}

static bool start_locked(struct daemon *daemon, const struct daemon_start *start, int lock,
                         struct fault *fault)
{
    struct identity identity;
    int output = log_open(daemon, fault);
    if (output < 0)
        return false;
    daemon->log_from = lseek(output, 0, SEEK_END);
    char **environment = spawn_environment(start->environment);
    struct spawn spawn = {.argv = start->argv,
                          .environment = environment,
                          .output = output,
                          .held = lock,
                          .session = true,
                          .named = name_write,
                          .owner = &lock};
    int process = environment ? spawn_run(&spawn, &identity) : -1;
    int wrong = environment ? errno : ENOMEM;
    free(environment);
    (void)close(output);
    if (process < 0)
        return fault_set(fault, "%.250s: cannot be run: %s", start->argv[0], strerror(wrong));
    watch(daemon, &identity, process);
    return true;
}

bool daemon_start(struct daemon *daemon, const struct daemon_start *start, struct fault *fault)
{
    bool locked;
    assert(!daemon->runs);
    int fd = lock_open(daemon, &locked);
    if (fd < 0)
        return fault_set(fault, "%.250s: cannot be locked: %s", daemon->lock_path, strerror(errno));
    bool good = locked ? start_locked(daemon, start, fd, fault)
                       : fault_set(fault, "%.250s is locked: somebody else has started a node here",
                                   daemon->lock_path);
    (void)close(fd); /* the lock remains with the child */
    return good;
}

void daemon_stop(struct daemon *daemon)
{
    if (!daemon->runs || daemon->stopping)
        return;
    daemon->stopping = true;
    if (daemon->process >= 0)
        stop_begin(daemon);
}

static bool wait_for(int process, int64_t ms)
{
    struct pollfd item = {process, POLLIN, 0};
    int ready;
    do
        ready = poll(&item, 1, (int)ms);
    while (ready < 0 && errno == EINTR);
    return ready > 0;
}

void daemon_stop_waiting(struct daemon *daemon)
{
    if (daemon->process < 0)
        return;
    signal_send(daemon, SIGTERM);
    if (wait_for(daemon->process, daemon->config.grace_ms))
        return;
    signal_send(daemon, SIGKILL);
    (void)wait_for(daemon->process, KILLED_MS);
}
