/* Signals as events of a zloop. They are held back from every thread and read from a descriptor (signalfd), so no call is
 * ever interrupted and nothing runs at a moment that the loop has not chosen.
 *
 * To be made before any thread is, and before sockets: threads inherit what is held back. So do children: whoever
 * starts one resets its signal mask (posix_spawnattr_setsigmask()).
 */
#ifndef STAGGER_NODE_SIGNALS_H
#define STAGGER_NODE_SIGNALS_H

#include <czmq.h>

struct signals;

/* SIGHUP, SIGINT and SIGTERM; SIGPIPE is ignored from now on. due() returns false to end the loop. NULL when the system
 * has no descriptor left. */
struct signals *signals_create(zloop_t *loop, bool (*due)(void *owner, int signal), void *owner);

/* They do again what they did before. */
void signals_destroy(struct signals **signals);

#endif
