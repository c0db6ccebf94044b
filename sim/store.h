/* The block log of a devnet: one writer, many readers, one file.
 *
 *     "stagger blocks 1\n"  record(h0)  record(h0 + 1)  ...
 *     record = size, 4 bytes big-endian | first 8 bytes of SHA-256(payload) | payload
 *
 * A block is committed when its record lies in the file; the writer syncs it before anybody hears of it. What
 * a writer that died left behind is cut off when the next one opens the log: a record that is not whole, or whose
 * digest differs, and all after it. A reader never sees such a tail: it ends at the last whole record.
 *
 * Of a block everything stands in its record that a node has to answer for it, so that answering takes no replay.
 */
#ifndef STAGGER_SIM_STORE_H
#define STAGGER_SIM_STORE_H

#include "sim/app.h"

#define STORE_RECORD_MAX ((size_t)64 << 20)

struct stored_member { /* one entry of V(h), as /validators shows it */
    struct member member;
    int64_t priority;
};

struct stored_block {
    struct header header;
    struct block_id id;
    uint64_t size; /* bytes of the block as CometBFT counts them */
    struct tx_bytes *txs;
    struct app_result
        *results; /* of each transaction; none when a halt by plan left the block unapplied */
    uint32_t tx_count;
    bool applied;
    struct commit last_commit, seen_commit; /* of h - 1, and of this block */
    struct stored_member *members;          /* V(h), in CometBFT's order */
    uint32_t member_count;
    struct member *updates; /* what the block's end changed: V(h + 2) */
    uint32_t update_count;
};

/* What stored_read() filled. Blocks that are put together by hand own nothing and are not cleared. */
void stored_block_clear(struct stored_block *block);

struct store;

/* Opens DIR/blocks.log; the writer makes it when it is missing and cuts a torn tail. NULL with a fault. */
struct store *store_open(const char *path, bool writer, struct fault *fault);
void store_close(struct store **store);

/* The writer's: appended and synced. False with a fault, and the log is as it was before. */
MUST_CHECK bool store_append(struct store *store, const struct stored_block *block,
                             struct fault *fault);

/* The readers': finds what was appended since; returns whether there was anything. */
bool store_refresh(struct store *store);

int64_t store_first(const struct store *store); /* 0 while it is empty */
int64_t store_head(const struct store *store);

/* False with a fault when there is no such height, or its record cannot be read. */
MUST_CHECK bool store_read(const struct store *store, int64_t height, struct stored_block *block,
                           struct fault *fault);

#endif
