/* The mempool of a devnet's chain process: transactions in the order in which they came, and the cache of those
 * that were seen, with CometBFT's limits and words.
 *
 * A transaction is known (TX_KNOWN) from when it was taken until 10000 others have come, also behind its block;
 * one that CheckTx, a later check or its block refused may come again. After a restart nothing is known.
 */
#ifndef STAGGER_SIM_DEVNET_CHAIN_POOL_H
#define STAGGER_SIM_DEVNET_CHAIN_POOL_H

#include "sim/devnet_wire.h"

#define POOL_TXS_MAX 5000
#define POOL_BYTES_MAX ((uint64_t)1 << 28)
#define POOL_CACHE_MAX 10000

struct chain_pool;

struct chain_pool *chain_pool_create(void);
void chain_pool_destroy(struct chain_pool **pool);

/* Checks and takes one; fills the answer, but for its serial. */
void chain_pool_add(struct chain_pool *pool, struct app *app, const uint8_t *bytes, size_t size,
                    struct devnet_tx_answer *answer);

/* What waits, in order; the pool's until it is changed. */
uint32_t chain_pool_count(const struct chain_pool *pool);
const struct tx_bytes *chain_pool_txs(const struct chain_pool *pool);

/* After a block with the first `count` of them: they leave, and what is left is checked anew. */
void chain_pool_commit(struct chain_pool *pool, struct app *app, const struct app_result *results,
                       uint32_t count);

#endif
