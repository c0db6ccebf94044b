/* A client of the Docker Engine: its API over its unix socket, on an event loop; for node/runtime_docker.c.
 *
 *     docker_send(GET /containers/node/json) --> GET /version first, once --> GET /v1.41/containers/node/json
 *                                                     |                           |
 *     done(reply) <-----------------------------------+---------------------------+
 *
 * The API's version is the engine's own, DOCKER_API_KNOWN at most, or the oldest that the engine still speaks when
 * that is newer; it is asked for again after a failed call, since the engine may have been replaced.
 *
 * Each call ends in exactly one done(), never from within docker_send(), unless it is cancelled. What went wrong
 * is a sentence with its remedy:
 *
 *     no permission for /var/run/docker.sock: it belongs to the group docker; add the agent's user to it
 *     nothing listens on /var/run/docker.sock: start the Docker Engine (systemctl start docker)
 *     docker says: Conflict. The container name "/node" is already in use
 *
 * D1 A reply has at most DOCKER_REPLY_MAX bytes, an object of a stream DOCKER_LINE_MAX; longer ones end the call, or
 *    are passed over.
 * D2 A reply with status 2xx that is to hold JSON and does not is a failure, as is one that ends early.
 */
#ifndef STAGGER_NODE_DOCKER_H
#define STAGGER_NODE_DOCKER_H

#include <czmq.h>
#include <jansson.h>

#include "proto/fault.h"

#define DOCKER_API_KNOWN 44 /* 1.44 */
#define DOCKER_API_OLDEST 25
#define DOCKER_REPLY_MAX 1048576
#define DOCKER_LINE_MAX 16384
#define DOCKER_PATH_MAX 1024
#define DOCKER_SOCKET_MAX 108 /* with its terminator; the kernel's */

struct docker;
struct docker_call;

struct docker_reply {
    long status;      /* of HTTP; 0: none came */
    bool ok;          /* 2xx, or 304: it was so already */
    json_t *body;     /* ok: NULL without one; borrowed for the call */
    const char *text; /* not ok: one line */
};

struct docker_request {
    const char *method;
    const char *path;   /* "/containers/node/json?size=0", already escaped; copied */
    json_t *body;       /* of a POST; the reference is taken; NULL: none */
    int64_t timeout_ms; /* 0: DOCKER_TIMEOUT_MS; of a stream: of silence, 0 for ever */
    /* Not NULL: the reply is a stream of JSON objects, each on a line. Sends and cancels nothing. */
    void (*line)(void *owner, const json_t *object);
    void *owner;
    void (*done)(void *owner, const struct docker_reply *reply);
};

#define DOCKER_TIMEOUT_MS 30000

/* NULL with a fault when the socket's path is too long. The loop and the path are borrowed. */
struct docker *docker_create(zloop_t *loop, const char *socket, struct fault *fault);
void docker_destroy(struct docker **docker); /* calls under way end without a word */

struct docker_call *docker_send(struct docker *docker, const struct docker_request *request);
void docker_cancel(struct docker_call **call); /* NULL is none */

/* Writes the text with everything but letters, digits and "-_.~/:@" as %XX. False when it does not fit. */
MUST_CHECK bool docker_escape(const char *text, char *out, size_t room);

#endif
