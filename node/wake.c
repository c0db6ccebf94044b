#include "node/wake.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define MS_PER_S 1000
#define NS_PER_MS 1000000

struct wake {
    zloop_t *loop;
    int fd;
    void (*due)(void *owner);
    void *owner;
};

static int on_time(zloop_t *loop, zmq_pollitem_t *item, void *argument)
{
    struct wake *wake = argument;
    uint64_t times;
    (void)loop;
    if (read(item->fd, &times, sizeof times) == (ssize_t)sizeof times)
        wake->due(wake->owner);
    return 0; /* else it was set anew in this very round of the loop */
}

struct wake *wake_create(zloop_t *loop, void (*due)(void *owner), void *owner)
{
    struct wake *wake = calloc(1, sizeof *wake);
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    zmq_pollitem_t item = {.fd = fd, .events = ZMQ_POLLIN};
    if (!wake || fd < 0 || zloop_poller(loop, &item, on_time, wake) != 0) {
        if (fd >= 0)
            (void)close(fd);
        free(wake);
        return NULL;
    }
    *wake = (struct wake){loop, fd, due, owner};
    return wake;
}

void wake_destroy(struct wake **wake)
{
    if (!*wake)
        return;
    zmq_pollitem_t item = {.fd = (*wake)->fd};
    zloop_poller_end((*wake)->loop, &item);
    (void)close((*wake)->fd);
    free(*wake);
    *wake = NULL;
}

static void set(struct wake *wake, const struct itimerspec *when)
{
    int failed = timerfd_settime(wake->fd, 0, when, NULL);
    assert(failed == 0);
}

void wake_set(struct wake *wake, int64_t after_ms)
{
    struct itimerspec when = {0};
    assert(after_ms >= 0);
    when.it_value.tv_sec = after_ms / MS_PER_S;
    when.it_value.tv_nsec = after_ms == 0 ? 1 : after_ms % MS_PER_S * NS_PER_MS;
    set(wake, &when);
}

void wake_stop(struct wake *wake)
{
    set(wake, &(struct itimerspec){0});
}
