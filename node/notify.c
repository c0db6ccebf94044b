#include "node/notify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

struct notify {
    zloop_t *loop;
    bool heard; /* there is somebody to tell */
    int timer;  /* of the watchdog, -1: none */
};

static int on_watchdog(zloop_t *loop, int timer, void *owner)
{
    (void)loop;
    (void)timer;
    notify_tell(owner, "WATCHDOG=1");
    return 0;
}

static void watch(struct notify *notify)
{
    uint64_t limit_us;
    if (sd_watchdog_enabled(0, &limit_us) <= 0)
        return;
    size_t half_ms = (size_t)(limit_us / 2000);
    notify->timer = zloop_timer(notify->loop, half_ms ? half_ms : 1, 0, on_watchdog, notify);
    notify_tell(notify, "WATCHDOG=1");
}

struct notify *notify_create(zloop_t *loop)
{
    const char *socket = getenv("NOTIFY_SOCKET");
    struct notify *notify = calloc(1, sizeof *notify);
    if (!notify)
        return NULL;
    *notify = (struct notify){.loop = loop, .heard = socket && *socket, .timer = -1};
    if (notify->heard)
        watch(notify);
    return notify;
}

void notify_destroy(struct notify **notify)
{
    if (!*notify)
        return;
    if ((*notify)->timer >= 0)
        zloop_timer_end((*notify)->loop, (*notify)->timer);
    free(*notify);
    *notify = NULL;
}

void notify_tell(const struct notify *notify, const char *state)
{
    struct timespec now;
    if (!notify->heard)
        return;
    if (strcmp(state, "RELOADING=1") != 0) {
        (void)sd_notify(0, state);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    (void)sd_notifyf(0, "%s\nMONOTONIC_USEC=%" PRId64, state,
                     (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}
