/* JSON-RPC calls to the nodes of one network, over libcurl, from one event loop (czmq's zloop).
 *
 *     rpc_call(method, params) --> queue --> at most in_flight_max at once --> endpoint
 *                                              |  no answer, bad answer, 5xx: the next endpoint
 *     rpc_done(answer)  <----------------------+
 *
 * Nothing here blocks: sockets and timers belong to the loop, names are resolved by libcurl's own means. Each
 * call ends in exactly one rpc_done(), never from within rpc_call(), unless it is cancelled. An endpoint that
 * fails is rested for a while (doubling, up to a minute) and tried again; which endpoint answered is told, so
 * that callers can compare what several of them say.
 *
 * Limits: a reply is at most reply_max bytes (cut off while it arrives), nests at most RPC_DEPTH_MAX deep, has
 * no key twice in an object; whole calls have a time-out. https checks the peer's certificate.
 */
#ifndef STAGGER_NODE_RPC_H
#define STAGGER_NODE_RPC_H

#include <czmq.h>
#include <jansson.h>

#include "proto/fault.h"

#define RPC_ENDPOINTS_MAX 16
#define RPC_ANY UINT32_MAX /* whichever endpoint is well */
#define RPC_DEPTH_MAX 32

struct rpc;

struct rpc_config {
    const char *const *urls; /* http://host:port, https://..., tcp://host:port */
    uint32_t url_count;      /* 1 to RPC_ENDPOINTS_MAX */
    const char *ca_file;     /* NULL: the system's */
    int64_t timeout_ms;      /* of one try, 0: 10,000 */
    uint32_t in_flight_max;  /* 0: 16 */
    size_t reply_max;        /* bytes, 0: 64 MB */
};

enum rpc_outcome {
    RPC_OK,
    RPC_REFUSED, /* the node answered with a JSON-RPC error */
    RPC_FAILED,  /* no endpoint gave a proper answer */
};

struct rpc_answer {
    enum rpc_outcome outcome;
    uint32_t endpoint;    /* who answered; RPC_ANY when nobody did */
    const json_t *result; /* RPC_OK; borrowed for the call */
    int64_t error_code;   /* RPC_REFUSED: */
    const char *error_data;
    const char *text; /* of what is not OK: one line with the endpoint's URL */
};

typedef void rpc_done(void *owner, const struct rpc_answer *answer);

/* NULL with a fault when a URL is none. The loop is borrowed. */
struct rpc *rpc_create(zloop_t *loop, const struct rpc_config *config, struct fault *fault);
void rpc_destroy(struct rpc **rpc); /* calls under way are dropped without rpc_done() */

uint32_t rpc_endpoint_count(const struct rpc *rpc);
const char *rpc_endpoint_url(const struct rpc *rpc,
                             uint32_t endpoint); /* without user and password */

/* One call. `params` is a JSON object whose reference is taken, or NULL. endpoint: a number, or RPC_ANY.
 * Returns a ticket, never 0. */
uint64_t rpc_call(struct rpc *rpc, const char *method, json_t *params, uint32_t endpoint,
                  rpc_done *done, void *owner);
void rpc_cancel(struct rpc *rpc, uint64_t ticket);

/* The caller found this endpoint's answer wrong (a hash that does not match, a head that lags): it is used
 * last from now on. */
void rpc_distrust(struct rpc *rpc, uint32_t endpoint);

/* Parses a reply's text with all limits: the tree (json_decref), or NULL. For rpc.c and its fuzzer. */
json_t *rpc_parse(const char *text, size_t size, struct fault *fault);

#endif
