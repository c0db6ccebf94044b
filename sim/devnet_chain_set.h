/* A validator set as blocks and commits have it, and the votes of one for a block. For the chain process.
 *
 * Sets are in CometBFT's order, and so are the entries of a commit: entry i is member i's. Memory that is short
 * ends the process, as in app.h.
 */
#ifndef STAGGER_SIM_DEVNET_CHAIN_SET_H
#define STAGGER_SIM_DEVNET_CHAIN_SET_H

#include "sim/devnet_block.h"
#include "sim/devnet_wire.h"

struct chain_set {
    struct member *members;
    uint32_t *validators; /* whose entry it is; an index into the genesis */
    int64_t *priorities;
    uint32_t count;
    int64_t power;
};

/* all: every validator of the genesis with its address and key. */
void chain_set_make(struct chain_set *set, const struct model_set *from, const struct member *all);
void chain_set_copy(struct chain_set *set, const struct chain_set *from);
void chain_set_clear(struct chain_set *set);
uint32_t chain_set_find(const struct chain_set *set,
                        uint32_t validator); /* UINT32_MAX: not in it */

/* --- votes for one block, of one round --- */

struct chain_votes {
    struct commit commit; /* owns its entries */
    struct time_stamp block_time;
    int64_t power; /* that has voted */
};

enum chain_vote {
    VOTE_TAKEN,
    VOTE_STRANGER, /* not in the set */
    VOTE_DOUBLE,
    VOTE_TIME, /* not behind the block's */
    VOTE_FORGED,
};

void chain_votes_begin(struct chain_votes *votes, const struct chain_set *set, int64_t height,
                       int32_t round, const struct block_id *id, const struct time_stamp *time);
void chain_votes_copy(struct chain_votes *votes, const struct chain_votes *from);
void chain_votes_clear(struct chain_votes *votes);

/* Takes a vote for this height and round. */
enum chain_vote chain_votes_take(struct chain_votes *votes, const struct chain_set *set,
                                 const char *chain_id, uint32_t validator,
                                 const struct devnet_vote *vote);

/* Whether `power` is more than two thirds of the set's. */
bool chain_set_decides(const struct chain_set *set, int64_t power);

#endif
