/* Fetching an image: POST /images/create, and its progress lines; for node/runtime_docker.c.
 *
 * An image behind a login is for the operator to fetch: no passwords of registries are kept here.
 */
#ifndef STAGGER_NODE_DOCKER_PULL_H
#define STAGGER_NODE_DOCKER_PULL_H

#include "node/docker.h"

#define DOCKER_PULL_TEXT 200

struct docker_pull {
    /* the caller's */
    struct docker *docker;
    const char *image; /* docker_image_is_valid() */
    void *owner;
    void (*say)(void *owner, int percent,
                const char *text); /* every few seconds; percent -1: unknown */
    /* It is over; not ok: text is one line. */
    void (*done)(void *owner, bool ok, const char *text);

    struct docker_call *call;
    int64_t said_ms;
    char error[DOCKER_PULL_TEXT];
};

void docker_pull(struct docker_pull *pull);
void docker_pull_end(struct docker_pull *pull); /* one under way; the Engine stops fetching */

#endif
