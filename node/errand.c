#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* environ and what spawn.h needs */
#endif

#include "node/errand.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/spawn.h"
#include "node/wake.h"
#include "proto/input.h"

#define BACKLOG_MAX                                                                                \
    65536 /* bytes of output that are read in one go; of more the beginning is passed over */
#define REAP_MS 100 /* from SIGKILL to the end of any process that is not stuck in the kernel */

struct errand {
    struct errand_config config;
    struct wake *deadline;
    pid_t pid;
    int process, output, news; /* news: inotify, -1 without */
    bool waiting;              /* for the errand that was left behind */
    bool late;
    off_t read_to;
    char line[ERRAND_LINE_MAX];
    size_t line_length;
};

/* --- lines --- */

static void line_end(struct errand *errand)
{
    errand->line[errand->line_length] = '\0';
    if (errand->line_length > 0 && errand->config.line)
        errand->config.line(errand->config.owner, errand->line);
    errand->line_length = 0;
}

static void line_take(struct errand *errand, char c)
{
    if (c == '\n' || c == '\r')
        line_end(errand);
    else if (errand->line_length + 1 < sizeof errand->line)
        errand->line[errand->line_length++] = c >= ' ' && c <= '~' ? c : '?';
}

/* A command that prints without end shall fill neither the disk nor our time. */
static void output_bound(struct errand *errand)
{
    struct stat about;
    if (fstat(errand->output, &about) != 0)
        return;
    if (about.st_size > ERRAND_OUTPUT_MAX * 2 && truncate(errand->config.output, 0) == 0)
        about.st_size = 0;
    if (errand->read_to > about.st_size)
        errand->read_to = about.st_size;
    if (about.st_size - errand->read_to > BACKLOG_MAX) {
        errand->read_to = about.st_size - BACKLOG_MAX;
        errand->line_length = 0;
    }
}

static void output_take(struct errand *errand)
{
    char piece[4096];
    ssize_t got;
    output_bound(errand);
    for (size_t taken = 0; taken < BACKLOG_MAX; taken += (size_t)got) {
        got = pread(errand->output, piece, sizeof piece, errand->read_to);
        if (got <= 0)
            return;
        errand->read_to += got;
        for (ssize_t i = 0; i < got; i++)
            line_take(errand, piece[i]);
    }
}

static int on_news(zloop_t *loop, zmq_pollitem_t *item, void *argument)
{
    char events[4096];
    (void)loop;
    while (read(item->fd, events, sizeof events) > 0)
        continue;
    output_take(argument);
    return 0;
}

/* Opened before the command runs, so that nothing of it is missed. Without inotify (there are few for each user) the
 * lines come at the end. */
static bool output_open(struct errand *errand, struct fault *fault)
{
    struct stat about;
    const char *path = errand->config.output;
    errand->output = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (errand->output < 0 || fstat(errand->output, &about) != 0)
        return fault_set(fault, "%.200s: cannot be read: %s", path, strerror(errno));
    errand->read_to = about.st_size;
    errand->news = errand->config.line ? inotify_init1(IN_NONBLOCK | IN_CLOEXEC) : -1;
    zmq_pollitem_t item = {.fd = errand->news, .events = ZMQ_POLLIN};
    if (errand->news >= 0 && (inotify_add_watch(errand->news, path, IN_MODIFY) < 0 ||
                              zloop_poller(errand->config.loop, &item, on_news, errand) != 0)) {
        (void)close(errand->news);
        errand->news = -1;
    }
    return true;
}

/* --- the end --- */

static void watch_end(struct errand *errand, int *fd)
{
    zmq_pollitem_t item = {.fd = *fd};
    if (*fd < 0)
        return;
    zloop_poller_end(errand->config.loop, &item);
    (void)close(*fd);
    *fd = -1;
}

static void words_free(char *const *words)
{
    for (char *const *at = words; at && *at; at++)
        free(*at);
    free((void *)(uintptr_t)words);
}

static void errand_free(struct errand *errand)
{
    watch_end(errand, &errand->process);
    watch_end(errand, &errand->news);
    if (errand->output >= 0)
        (void)close(errand->output);
    wake_destroy(&errand->deadline);
    words_free(errand->config.argv);
    words_free(errand->config.environment);
    free((void *)(uintptr_t)errand->config.output);
    free((void *)(uintptr_t)errand->config.mark);
    free(errand);
}

static void finish(struct errand *errand, bool ok, const char *text)
{
    struct errand_config config = errand->config;
    errand_free(errand);
    config.done(config.owner, ok, text);
}

static void finish_late(struct errand *errand)
{
    char text[ERRAND_TEXT_MAX], time[INPUT_DURATION_MAX];
    input_duration_text(errand->config.timeout_ms, time);
    snprintf(text, sizeof text, "took longer than %s", time);
    finish(errand, false, text);
}

/* As long as it is not reaped its number is nobody else's, and neither is that of its group. */
static void on_ended(struct errand *errand)
{
    char text[ERRAND_TEXT_MAX];
    if (errand->late)
        (void)kill(-errand->pid, SIGKILL); /* what is left of the group */
    int status = spawn_status(errand->pid);
    output_take(errand);
    line_end(errand);
    if (errand->late) {
        finish_late(errand);
        return;
    }
    spawn_status_text(status, text, sizeof text);
    finish(errand, status == 0, text);
}

/* --- the beginning --- */

static int on_process(zloop_t *loop, zmq_pollitem_t *item, void *argument);

static bool watch(struct errand *errand, int process)
{
    zmq_pollitem_t item = {.fd = process, .events = ZMQ_POLLIN};
    errand->process = process;
    return zloop_poller(errand->config.loop, &item, on_process, errand) == 0;
}

static bool mark_write(void *owner, const struct identity *identity)
{
    const struct errand *errand = owner;
    if (!errand->config.mark)
        return true;
    int fd = open(errand->config.mark, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool good = fd >= 0 && identity_write(identity, fd);
    int wrong = errno;
    if (fd >= 0)
        (void)close(fd);
    errno = wrong;
    return good;
}

/* Starts the command itself. */
static bool begin(struct errand *errand, struct fault *fault)
{
    struct identity identity;
    int output = spawn_output(errand->config.output, ERRAND_OUTPUT_MAX, fault);
    if (output < 0)
        return false;
    char **environment = spawn_environment(errand->config.environment);
    struct spawn spawn = {.argv = errand->config.argv,
                          .environment = environment,
                          .output = output,
                          .held = -1,
                          .named = mark_write,
                          .owner = errand};
    bool good = output_open(errand, fault);
    int process = good && environment ? spawn_run(&spawn, &identity) : -1;
    int wrong = environment ? errno : ENOMEM;
    free(environment);
    (void)close(output);
    if (process < 0)
        return good && fault_set(fault, "%.200s: cannot be run: %s", errand->config.argv[0],
                                 strerror(wrong));
    errand->pid = identity.pid;
    wake_set(errand->deadline, errand->config.timeout_ms);
    return watch(errand, process) || fault_set(fault, "out of memory");
}

/* The one that was left behind has ended. */
static void begin_after(struct errand *errand)
{
    struct fault fault;
    bool late = errand->late;
    errand->waiting = errand->late = false;
    watch_end(errand, &errand->process);
    if (late)
        (void)kill(-errand->pid, SIGKILL);
    if (!begin(errand, &fault))
        finish(errand, false, fault.text);
}

static int on_process(zloop_t *loop, zmq_pollitem_t *item, void *argument)
{
    struct errand *errand = argument;
    (void)loop, (void)item;
    if (errand->waiting)
        begin_after(errand);
    else
        on_ended(errand);
    return 0;
}

static void on_deadline(void *owner)
{
    struct errand *errand = owner;
    (void)kill(-errand->pid, errand->late ? SIGKILL : SIGTERM);
    if (!errand->late)
        wake_set(errand->deadline, ERRAND_GRACE_MS);
    errand->late = true;
}

/* True when there is one: then it is waited for. */
static bool left_behind(struct errand *errand)
{
    struct identity identity;
    int fd =
        errand->config.mark ? open(errand->config.mark, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    bool named = fd >= 0 && identity_read(&identity, fd);
    if (fd >= 0)
        (void)close(fd);
    int process = named ? identity_open(&identity) : -1;
    if (process < 0)
        return false;
    errand->pid = identity.pid;
    errand->waiting = true;
    wake_set(errand->deadline, errand->config.timeout_ms);
    if (watch(errand, process))
        return true;
    watch_end(errand, &errand->process);
    return false;
}

/* NULL for NULL; memory that is short is a bug of the host's that we do not survive elsewhere either. */
static char *text_copy(const char *text)
{
    char *copy = text ? strdup(text) : NULL;
    assert(copy || !text);
    return copy;
}

static char **words_copy(char *const *words)
{
    size_t count = 0;
    while (words && words[count])
        count++;
    char **copy = calloc(count + 1, sizeof *copy);
    assert(copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = text_copy(words[i]);
    return copy;
}

struct errand *errand_run(const struct errand_config *config, struct fault *fault)
{
    struct errand *errand = calloc(1, sizeof *errand);
    assert(errand && config->argv[0] && config->timeout_ms > 0 && config->done);
    *errand = (struct errand){.config = *config, .process = -1, .output = -1, .news = -1};
    errand->config.argv = words_copy(config->argv);
    errand->config.environment = words_copy(config->environment);
    errand->config.output = text_copy(config->output);
    errand->config.mark = text_copy(config->mark);
    errand->deadline = wake_create(config->loop, on_deadline, errand);
    if (errand->deadline ? left_behind(errand) || begin(errand, fault)
                         : fault_set(fault, "no more descriptors: %s", strerror(errno)))
        return errand;
    errand_free(errand);
    return NULL;
}

void errand_cancel(struct errand **errand)
{
    if (!*errand)
        return;
    struct pollfd item = {(*errand)->process, POLLIN, 0};
    (void)kill(-(*errand)->pid, SIGKILL);
    if (!(*errand)->waiting && poll(&item, 1, REAP_MS) > 0)
        (void)spawn_status((*errand)->pid);
    errand_leave(errand);
}

void errand_leave(struct errand **errand)
{
    if (!*errand)
        return;
    errand_free(*errand);
    *errand = NULL;
}
