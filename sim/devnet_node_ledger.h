/* What a node knows of its chain: the block log, its own replica of the application, and where transactions lie.
 *
 *     blocks.log --devnet_ledger_follow()--> every new block, in order
 *                                               |-- into the replica (app.h), its hash compared with the next header
 *                                               |-- its transactions' hashes into the index
 *                                               '-- taken(block), for whoever wants to know
 *
 * The log is written by the chain process; it need not be there yet. Of a block nothing is kept but its place in
 * the log, and of a transaction the first bytes of its hash; of the first and the last block the header.
 */
#ifndef STAGGER_SIM_DEVNET_NODE_LEDGER_H
#define STAGGER_SIM_DEVNET_NODE_LEDGER_H

#include "sim/store.h"

struct devnet_ledger;

typedef void devnet_ledger_taken(void *context, const struct stored_block *block);

/* The application becomes the ledger's, also when this fails: NULL when memory is short. */
struct devnet_ledger *devnet_ledger_create(const char *path, struct app *app,
                                           devnet_ledger_taken *taken, void *context);
void devnet_ledger_destroy(struct devnet_ledger **ledger);

/* Takes in what was appended, but at most `limit` blocks; devnet_ledger_behind() says whether there are more. False with
 * a fault when the log cannot be read, or when it is another chain's: its blocks do not give the hashes that it says. */
MUST_CHECK bool devnet_ledger_follow(struct devnet_ledger *ledger, uint32_t limit,
                                     struct fault *fault);
bool devnet_ledger_behind(const struct devnet_ledger *ledger);

int64_t devnet_ledger_first(const struct devnet_ledger *ledger); /* 0: no block yet */
int64_t devnet_ledger_head(const struct devnet_ledger *ledger);

struct devnet_ledger_mark { /* of one block */
    struct header header;
    struct block_id id;
};
/* Of the first and the last block; NULL while there is none. */
const struct devnet_ledger_mark *devnet_ledger_begin(const struct devnet_ledger *ledger);
const struct devnet_ledger_mark *devnet_ledger_end(const struct devnet_ledger *ledger);

/* Whether the last block could be applied; it could not where a chain has died or halted by plan. */
bool devnet_ledger_applied(const struct devnet_ledger *ledger);

struct app *devnet_ledger_app(const struct devnet_ledger *ledger);

/* False when there is no such block. */
MUST_CHECK bool devnet_ledger_read(const struct devnet_ledger *ledger, int64_t height,
                                   struct stored_block *block);

/* V(height) as /validators shows it, also of the two heights behind the last block; *members is owned by the caller
 * (free). False when it is not known or memory is short. */
MUST_CHECK bool devnet_ledger_members(const struct devnet_ledger *ledger, int64_t height,
                                      struct stored_member **members, uint32_t *count);

/* The block that holds the transaction, to be cleared, and its place there; false when there is none. */
MUST_CHECK bool devnet_ledger_find_tx(const struct devnet_ledger *ledger,
                                      const uint8_t hash[HASH_SIZE], struct stored_block *block,
                                      uint32_t *index);

/* The height of the block with this hash, 0 when there is none. */
int64_t devnet_ledger_find_block(const struct devnet_ledger *ledger, const uint8_t *hash,
                                 size_t size);

/* Whose the consensus address is: the validator's number; VALIDATOR_NONE when nobody's. */
uint32_t devnet_ledger_validator(const struct devnet_ledger *ledger,
                                 const uint8_t address[ADDRESS_SIZE]);

#endif
