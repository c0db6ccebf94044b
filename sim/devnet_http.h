/* HTTP for a node of the devnet: a server on one port of the loopback address that lives inside a zloop, in one
 * thread, so that its handler may look at everything the loop's other handlers change.
 *
 *     client -> request -> handler(request, exchange)
 *                              |-- devnet_exchange_answer() at once, or
 *                              '-- later, from any other handler of the loop; the client waits until then
 *
 * A client that is slow costs a connection and nothing else: sockets never block, connections without a sign of
 * life are closed after DEVNET_HTTP_IDLE_S, there are at most DEVNET_HTTP_CONNECTIONS_MAX of them, and a request
 * is handed over when it is whole. Bodies above DEVNET_HTTP_BODY_MAX are marked and not kept.
 */
#ifndef STAGGER_SIM_DEVNET_HTTP_H
#define STAGGER_SIM_DEVNET_HTTP_H

#include <czmq.h>

#include "proto/fault.h"

#define DEVNET_HTTP_BODY_MAX ((size_t)2 << 20)
#define DEVNET_HTTP_CONNECTIONS_MAX 400
#define DEVNET_HTTP_IDLE_S 30

struct devnet_http;
struct devnet_exchange; /* one request and its answer; gone once it is answered */

struct devnet_request { /* lives as long as the handler's call */
    const char *path;   /* of the address, decoded, without what follows the '?' */
    const char *body;   /* what was posted; "" when nothing was */
    size_t size;
    bool too_large; /* the body was; nothing of it is here */
};

typedef void devnet_http_handler(void *context, const struct devnet_request *request,
                                 struct devnet_exchange *exchange);

/* NULL with a fault; *port_taken: because another program listens there. */
struct devnet_http *devnet_http_start(zloop_t *loop, uint16_t port, devnet_http_handler *handler,
                                      void *context, bool *port_taken, struct fault *fault);

/* Answers what still waits with status 503 and closes everything. */
void devnet_http_stop(struct devnet_http **http);

/* A parameter of the address, decoded; NULL when it is not there. Lives as long as the handler's call. */
const char *devnet_exchange_param(struct devnet_exchange *exchange, const char *name);

/* Exactly once for each exchange. body is malloc'd and becomes the server's; NULL is answered with status 500. type is
 * static. */
void devnet_exchange_answer(struct devnet_exchange *exchange, unsigned status, const char *type,
                            char *body);

#endif
