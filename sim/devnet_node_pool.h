/* A node's mempool: transactions that clients gave to it and that no block holds yet.
 *
 *     submit --> known already? --> CheckTx of the own replica --> to the chain process --> its verdict
 *                                                                                            |
 *        the client's answer <------------------------------------------------- taken, known, full, refused
 *                                                                                            |
 *        with broadcast_tx_commit  <------------------------------------- in a block, or DEVNET_COMMIT_MS over
 *
 * The chain process's word goes before the node's own where it can know more: it sees what came in through other
 * nodes. So what the own replica refuses for its sequence alone is shown to it as well. Without the chain process
 * (dead, stopped) the own CheckTx is the answer, and what passed is sent when it is back.
 *
 * After each block what is left is checked anew, in order; what no longer passes is dropped. Transactions that were
 * seen are remembered as CometBFT does: the last DEVNET_CACHE_MAX, without those that a check or a block refused.
 */
#ifndef STAGGER_SIM_DEVNET_NODE_POOL_H
#define STAGGER_SIM_DEVNET_NODE_POOL_H

#include "sim/devnet_wire.h"
#include "sim/store.h"

#define DEVNET_CACHE_MAX 10000
#define DEVNET_POOL_MAX 5000
#define DEVNET_POOL_BYTES_MAX ((size_t)64 << 20)
#define DEVNET_CHECK_MS 1000   /* that the chain process has for its verdict */
#define DEVNET_COMMIT_MS 10000 /* that broadcast_tx_commit waits for a block */

struct devnet_pool;

enum devnet_wait { WAIT_NOTHING, WAIT_CHECK, WAIT_BLOCK };

enum devnet_fate {
    FATE_CHECKED,  /* `check` is the answer */
    FATE_REFUSED,  /* `words` are: JSON-RPC error -32603 */
    FATE_INCLUDED, /* in `block` at `index` */
};

struct devnet_outcome { /* lives as long as the call */
    enum devnet_fate fate;
    uint8_t hash[HASH_SIZE];
    const struct app_result *check;
    const char *words;
    const struct stored_block *block;
    uint32_t index;
};

/* Called once for each submission, maybe before devnet_pool_submit() returns. */
typedef void devnet_pool_done(void *ticket, enum devnet_wait wait,
                              const struct devnet_outcome *outcome);

/* False: the frame is lost, the chain process is away. */
typedef bool devnet_pool_send(void *context, const struct devnet_frame *frame);

struct devnet_pool_config {
    struct app *app;
    devnet_pool_send *send;
    devnet_pool_done *done;
    void *context; /* of send */
};

struct devnet_pool *devnet_pool_create(const struct devnet_pool_config *config);
void devnet_pool_destroy(struct devnet_pool **pool); /* who still waits is refused */

/* Until the first new block since the start a node refuses everything, see app_check(); but not where there has never
 * been a block. A mempool is made fresh. */
void devnet_pool_unfresh(struct devnet_pool *pool);

/* A ticket's wait is over at once with WAIT_NOTHING. */
void devnet_pool_submit(struct devnet_pool *pool, const uint8_t *bytes, size_t size,
                        enum devnet_wait wait, void *ticket, int64_t now_ms);

void devnet_pool_answer(struct devnet_pool *pool, const struct devnet_tx_answer *answer);
void devnet_pool_block(struct devnet_pool *pool, const struct stored_block *block);
void devnet_pool_link(struct devnet_pool *pool, bool up); /* the chain process came or went */
void devnet_pool_tick(struct devnet_pool *pool, int64_t now_ms);

uint32_t devnet_pool_count(const struct devnet_pool *pool);
size_t devnet_pool_bytes(const struct devnet_pool *pool);
struct tx_bytes devnet_pool_tx(const struct devnet_pool *pool, uint32_t index); /* oldest first */

#endif
