/* A container watched from afar: the Engine's events say when to look at it, and a timer when they are silent; for
 * node/runtime_docker.c.
 *
 *     GET /events -- a line --> GET /containers/NAME/json --> seen()
 *         |                            ^            |
 *         +-- ends: once more, 5 s on  +-- 30 s ----+-- fails --> lost(), 5 s on once more
 */
#ifndef STAGGER_NODE_DOCKER_WATCH_H
#define STAGGER_NODE_DOCKER_WATCH_H

#include "node/docker.h"
#include "node/docker_pair.h"
#include "node/wake.h"

struct docker_watch {
    /* the caller's */
    struct docker *docker;
    const char *name;
    void *owner;
    void (*event)(void *owner); /* something happened to it; sends nothing */
    void (*seen)(void *owner, const struct docker_container *container);
    void (*lost)(void *owner, const char *text); /* nothing is known: one line why */

    struct docker_call *events, *call;
    struct wake *wake;
};

/* The first look is at the loop's next round. */
void docker_watch_begin(struct docker_watch *watch, zloop_t *loop);
void docker_watch_end(struct docker_watch *watch);

/* Looks at once; a look that is under way is too old. */
void docker_watch_now(struct docker_watch *watch);

#endif
