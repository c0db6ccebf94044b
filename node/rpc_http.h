/* HTTP on an event loop: curl's multi interface, whose sockets and timer are zloop's; for node/rpc.c and node/docker.c.
 *
 *     curl: "watch this socket"  --> zloop_poller --> curl_multi_socket_action
 *     curl: "call me in 20 ms"   --> timerfd -------> curl_multi_socket_action
 *     finished transfers         --> rpc_http_done()
 *
 * Transfers over one connection follow each other (keep-alive); several at once use several connections.
 */
#ifndef STAGGER_NODE_RPC_HTTP_H
#define STAGGER_NODE_RPC_HTTP_H

#include <czmq.h>

#include "node/rpc_url.h"

struct rpc_http;
struct rpc_transfer;

struct rpc_http_config {
    const char *ca_file;     /* NULL: the system's; borrowed */
    const char *unix_socket; /* NULL: TCP; borrowed */
    int64_t timeout_ms;
    size_t reply_max;
    uint32_t in_flight_max; /* connections that are kept open */
};

struct rpc_http_answer {
    long status;      /* of HTTP; 0: none came, or not all of it */
    const char *body; /* borrowed for the call */
    size_t size;
    const char *error; /* status 0: why */
};

/* The transfer is over and no longer the caller's. */
typedef void rpc_http_done(void *owner, void *subject, const struct rpc_http_answer *answer);

struct rpc_http *rpc_http_create(zloop_t *loop, const struct rpc_http_config *config,
                                 rpc_http_done *done, void *owner);
void rpc_http_destroy(struct rpc_http **http); /* transfers under way end without a word */

struct rpc_http_request {
    const struct rpc_url *url;
    const char *method; /* "POST", "GET", "DELETE" */
    const char *body;   /* of a POST */
    size_t size;
    int64_t timeout_ms; /* 0: the configuration's */
    /* NULL: the whole body is kept for the answer. Else the body of a reply with status 200 is handed out as it
     * arrives, without end, and timeout_ms is how long it may be silent (0: for ever). Drops nothing. */
    void (*part)(void *owner, void *subject, const char *bytes, size_t size);
};

/* Begins a transfer; nothing of it happens before the loop runs. The URL and the body are borrowed until it ends.
 */
struct rpc_transfer *rpc_http_send(struct rpc_http *http, const struct rpc_http_request *request,
                                   void *subject);
/* Ends one without a word; not from within part(). */
void rpc_http_drop(struct rpc_http *http, struct rpc_transfer *transfer);

/* While *until is true, handlers leave the loop (they return -1). NULL: none is looked at. */
void rpc_http_until(struct rpc_http *http, const bool *until);

#endif
