/* The chain of a devnet's chain process: its application, its block log, and between them everything that the next
 * block is made from.
 *
 *     chain_state_open()     replays the log into the application and checks every block on the way
 *     chain_state_draft()    the next block, as it is proposed
 *     chain_state_commit()   its votes are enough: run, stored, synced; then it is the last block
 *
 * S1  Whatever stood in the log when it was opened stands in it for good.
 * S2  A block whose record is in the log is committed; the application has run exactly these.
 * S3  A block that cannot be applied is stored unapplied, and no block follows it, after a restart neither.
 */
#ifndef STAGGER_SIM_DEVNET_CHAIN_STATE_H
#define STAGGER_SIM_DEVNET_CHAIN_STATE_H

#include "sim/devnet_chain_set.h"
#include "sim/store.h"

struct chain_state {
    const struct app_genesis *genesis; /* not owned, as the path */
    const char *log_path;
    struct app *app;
    struct store *store;
    struct member *all;                       /* by validator */
    int64_t height;                           /* of the next block */
    struct chain_set last_set, set, next_set; /* V(height - 1), V(height), V(height + 1) */
    bool first;                               /* no block yet; what follows is empty then */
    struct header last_header;
    struct block_id last_id;
    struct chain_votes last_votes; /* also those that came late */
    uint32_t last_tx_count;
    uint8_t app_hash[HASH_SIZE], results_hash[HASH_SIZE];
    bool stopped, by_plan;
    char words[DEVNET_WORDS_MAX];
};

/* A block that is proposed; its transactions are the mempool's first. */
struct chain_block {
    struct header header;
    struct block_id id;
    uint64_t size;
    uint32_t tx_count;
};

/* False with a fault: the log is another chain's or cannot be read, or it ends with a block that cannot be
 * applied; `stopped` then says so, and the fault has the chain's words. */
MUST_CHECK bool chain_state_open(struct chain_state *state, const char *log_path,
                                 const struct app_genesis *genesis, struct fault *fault);
void chain_state_close(struct chain_state *state);

/* The block of the next height from the first of these transactions, as many as fit. */
void chain_state_draft(const struct chain_state *state, uint32_t proposer,
                       const struct tx_bytes *txs, uint32_t tx_count, struct chain_block *block);

/* results: one for each of its transactions, the caller's to clear. False when it could not be stored: the process
 * must end then. The block may turn out to stop the chain: `stopped`. */
MUST_CHECK bool chain_state_commit(struct chain_state *state, const struct chain_block *block,
                                   const struct tx_bytes *txs, const struct chain_votes *votes,
                                   struct app_result *results, struct fault *fault);

#endif
