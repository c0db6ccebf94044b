/* What systemd is told of a service of Type=notify: READY=1, STATUS=..., RELOADING=1, STOPPING=1, and WATCHDOG=1 twice as
 * often as WatchdogSec asks for. That comes from the event loop, so it stops when the loop does.
 *
 * Without $NOTIFY_SOCKET nothing is told and no timer runs.
 */
#ifndef STAGGER_NODE_NOTIFY_H
#define STAGGER_NODE_NOTIFY_H

#include <czmq.h>

struct notify;

struct notify *notify_create(zloop_t *loop); /* NULL: memory */
void notify_destroy(struct notify **notify);

/* "READY=1", "STATUS=...". RELOADING=1 gets the instant that systemd wants with it. */
void notify_tell(const struct notify *notify, const char *state);

#endif
