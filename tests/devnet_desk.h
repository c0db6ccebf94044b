/* A node's RPC without a network: a block log made block by block, a ledger and a mempool over it, and the HTTP server
 * replaced by two functions that hand over parameters and keep the answer.
 *
 *     struct desk *d = desk_open(3);
 *     desk_block(d, txs, 1);               one more block, signed by all; the ledger takes it in
 *     json_t *reply = desk_post(d, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}");
 *     desk_close(&d);
 *
 * What the mempool sends to the chain process lies in d->sent; tests answer for it with devnet_pool_answer().
 */
#ifndef STAGGER_TESTS_DEVNET_DESK_H
#define STAGGER_TESTS_DEVNET_DESK_H

#include <jansson.h>

#include "sim/devnet_chain_state.h"
#include "sim/devnet_rpc.h"
#include "tests/devnet_fake.h"

#define DESK_SENT_MAX 64
#define DESK_PARAMS_MAX 8

struct desk_param {
    const char *name, *text;
};

struct desk {
    struct fake_world w; /* its genesis and keys; nothing of it runs */
    char directory[64], log[128];
    char ids[FAKE_NODES_MAX][DEVNET_NODE_ID_TEXT];
    struct devnet_dir dir;
    struct chain_state chain; /* who writes the log */
    struct devnet_rpc rpc;
    bool away;                            /* the chain process is: nothing can be sent */
    struct devnet_tx sent[DESK_SENT_MAX]; /* without the bytes */
    uint32_t sent_count;
    struct desk_param params[DESK_PARAMS_MAX]; /* of the next request; ends with a name of NULL */
    unsigned status;                           /* of the last answer; 0: none yet */
    char *answer;
    uint32_t answers;
};

struct desk *desk_open(uint32_t validators);
void desk_close(struct desk **desk);

void desk_block(struct desk *desk, const struct tx_bytes *txs, uint32_t count);

/* The whole answer of the HTTP server, parsed; NULL when none came yet, or it is no JSON. To be dropped. */
json_t *desk_post(struct desk *desk, const char *body);
json_t *desk_bytes(struct desk *desk, const void *body, size_t size);
json_t *desk_get(struct desk *desk, const char *path, const char *name, const char *text);
json_t *desk_call(struct desk *desk, const char *method, const char *params); /* params: JSON */
json_t *desk_answer(const struct desk *desk); /* the last one again */

#endif
