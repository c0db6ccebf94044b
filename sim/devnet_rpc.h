/* CometBFT's RPC of a node: requests in, replies out, as version 0.37 of it answers them with sekai or dcl behind.
 *
 *     POST /           one JSON-RPC request or a list of them, parameters by name or in order
 *     GET  /METHOD?..  numbers bare or quoted, bytes as 0xHEX or "text"; the reply's id is -1
 *     GET  /           the list of methods
 *
 * Parameters are as strict as there: in JSON a number of 64 bits is a string, bytes are base64 (abci_query: hex).
 * Errors have CometBFT's codes and words, and its HTTP status: 500 for a GET or a body that is no JSON, 200 for a POST.
 *
 *     -32700 no JSON    -32600 too large    -32601 no such method    -32602 parameters    -32603 the method's own
 *
 * Everything is answered from what the node has on its own side of the wall: the block log, its replica, its
 * mempool; so it goes on when the chain process is gone. Only broadcasts may wait for somebody else.
 */
#ifndef STAGGER_SIM_DEVNET_RPC_H
#define STAGGER_SIM_DEVNET_RPC_H

#include "sim/devnet_dir.h"
#include "sim/devnet_http.h"
#include "sim/devnet_node_ledger.h"
#include "sim/devnet_node_pool.h"

struct devnet_rpc { /* what the node tells its RPC; the node keeps it up to date */
    const struct devnet_dir *dir;
    uint32_t node;
    const char *software; /* the application's version; NULL: the chain's own */
    struct devnet_key key;
    struct devnet_ledger *ledger;
    struct devnet_pool *pool;
    bool catching_up;
    int64_t round_ms;         /* Unix: when the height at work began */
    int64_t voted_height;     /* what this node has signed last; 0: nothing */
    int32_t round;            /* of the height at work, as far as it was told */
    struct block_id proposal; /* likewise; hash.none: none */
};

/* The HTTP server's handler; context is a struct devnet_rpc. */
void devnet_rpc_handle(void *context, const struct devnet_request *request,
                       struct devnet_exchange *exchange);

/* The mempool's word on a broadcast. */
void devnet_rpc_done(void *ticket, enum devnet_wait wait, const struct devnet_outcome *outcome);

#endif
