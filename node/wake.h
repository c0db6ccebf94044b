/* A timer in a zloop that can be set and stopped at any moment, its own callback included.
 *
 * zloop's own timers cannot serve for that: one that is ended is still called when it is due in the same round, and all
 * of them start anew with each zloop_start(). A timerfd does neither.
 */
#ifndef STAGGER_NODE_WAKE_H
#define STAGGER_NODE_WAKE_H

#include <czmq.h>

struct wake;

/* NULL when the system has no descriptor or memory left. */
struct wake *wake_create(zloop_t *loop, void (*due)(void *owner), void *owner);
void wake_destroy(struct wake **wake);

/* Calls due() once, after this time, never from within the call; replaces what was set before. */
void wake_set(struct wake *wake, int64_t after_ms);
void wake_stop(struct wake *wake);

#endif
