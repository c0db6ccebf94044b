/* JSON-RPC calls to the nodes of one network, over libcurl, from one event loop (czmq's zloop).
 *
 *     rpc_call(method, params) --> queue --> at most in_flight_max at once --> endpoint
 *                                              |  no answer, bad answer: the next endpoint
 *     rpc_done(answer)  <----------------------+
 *
 * Nothing here blocks: sockets and timers belong to the loop, names are resolved by libcurl's own threads. Each
 * call ends in exactly one rpc_done(), never from within rpc_call(), unless it is cancelled.
 *
 * Endpoints are preferred in the order of the configuration. One that fails is rested for a while (a second,
 * doubling up to a minute) and used meanwhile only when there is nothing better; behind that it gets one call at
 * a time until a proper answer ends its rest. Which endpoint answered is told, so that callers can compare what
 * several of them say. A call that names its endpoint is tried there and nowhere else.
 *
 * What is an answer:
 *
 *     {"jsonrpc":"2.0","id":ours,"result":...}, HTTP status 200           RPC_OK
 *     {"jsonrpc":"2.0","id":ours,"error":{"code":...,"message":...}}      RPC_REFUSED, also with status 4xx or 500,
 *                                                                        and with id -1 or none: the node panicked
 *     status 429, 502, 503, 504, a redirect, anything else                no answer: the next endpoint
 *
 * I1 A reply is cut off while it arrives beyond reply_max bytes; it nests at most RPC_DEPTH_MAX deep, has at most
 *    RPC_VALUES_MAX values and RPC_CONTAINERS_MAX lists and objects (a tree takes 100 times the text's memory at
 *    worst), no name twice in an object, nothing behind it.
 * I2 A try ends within its time-out, with up to 3 seconds of it for connecting (name, TCP, TLS).
 * I3 https checks the peer's certificate against ca_file or the system's; redirects are not followed, proxies,
 *    cookies and .netrc not used; users and passwords of URLs go to their endpoint and are never shown.
 *
 * The request ids are the tickets, so an answer to another request is noticed. Integers of 64 bits in params are
 * to be strings. SIGPIPE is handled by libcurl.
 */
#ifndef STAGGER_NODE_RPC_H
#define STAGGER_NODE_RPC_H

#include <czmq.h>
#include <jansson.h>

#include "proto/fault.h"

#define RPC_ENDPOINTS_MAX 16
#define RPC_ANY UINT32_MAX /* whichever endpoint is well */
#define RPC_DEPTH_MAX 32
#define RPC_VALUES_MAX (8 << 20)
#define RPC_CONTAINERS_MAX (1 << 20)

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
    int64_t error_code;   /* RPC_REFUSED, with: */
    /* what CometBFT explains ("tx already exists in cache"), "" when it does not; as it came, so not to be shown */
    const char *error_data;
    /* one line to be shown: URL, method and what went wrong; "" when nothing did */
    const char *text;
};

/* May call and cancel, but not destroy. */
typedef void rpc_done(void *owner, const struct rpc_answer *answer);

/* NULL with a fault when a URL is none or ca_file cannot be read. The loop is borrowed; the configuration is
 * copied. */
struct rpc *rpc_create(zloop_t *loop, const struct rpc_config *config, struct fault *fault);

/* Calls under way are dropped without rpc_done(). Not from within rpc_done() or a timer of the loop, behind which
 * zloop may still call what was registered before. */
void rpc_destroy(struct rpc **rpc);

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

/* For commands: runs the loop until *done, which is looked at behind each event of this client; other handlers
 * that set it return -1. False when the loop was interrupted. */
MUST_CHECK bool rpc_wait(struct rpc *rpc, const bool *done);

/* --- text of a reply; for rpc.c and tests --- */

/* Parses a reply's text with all limits: the tree (json_decref), or NULL. */
json_t *rpc_parse(const char *text, size_t size, struct fault *fault);

struct rpc_envelope {     /* borrows the tree */
    const json_t *result; /* NULL: refused */
    int64_t error_code;
    const char *error_message, *error_data; /* "" when there is none */
};

/* What the reply to request `id` says. False when it is no proper reply to it. */
MUST_CHECK bool rpc_envelope(const json_t *reply, uint64_t id, struct rpc_envelope *out,
                             struct fault *fault);

#endif
