/* The charter: the values that all who take part must share (PROTOCOL section 1).
 *
 * Two agents with different charters compute different draws, so a join names the charter it was made
 * under, by the first eight hex digits of its hash, and members who play by another one are counted as
 * already gone. The hash is taken over a text that anyone can type; see charter_text().
 *
 *     boundary E (a multiple of W)            next boundary
 *          |                                       |
 *     -----o-------o-------o-------o---------------o----->  height
 *          |<--------- epoch, W blocks ----------->|
 *          a permit drawn at E is good for a pause in [E+1, E+W]
 */
#ifndef STAGGER_COORD_CHARTER_H
#define STAGGER_COORD_CHARTER_H

#include <stddef.h>

#include "coord/units.h"

#define CHAIN_ID_MAX 64      /* bytes of a chain id with its terminator */
#define CHARTER_TEXT_MAX 512 /* enough for every charter_text() */
#define RESERVE_DEFAULT (-1) /* reserve: floor(n / 25) */
#define FOREIGN_BLOCKS                                                                             \
    2400 /* Z, a constant of the protocol: how long a foreign join is remembered */

enum draw_order { ORDER_LONG_FIRST, ORDER_PLAIN };

struct charter {
    char chain_id[CHAIN_ID_MAX];
    uint64_t min_validators;   /* as the chain has it; >= 1 */
    uint32_t epoch_blocks;     /* W */
    uint32_t live_blocks;      /* k */
    uint32_t round_blocks;     /* L */
    uint32_t joins_max;        /* J */
    uint64_t reference_blocks; /* M */
    uint32_t phi_num, phi_den; /* phi as a fraction, 2/3 <= phi < 1 */
    int64_t reserve;           /* r, or RESERVE_DEFAULT */
    enum draw_order order;
    bool ramp; /* canaries: ramp_a + ramp_b * back - out */
    uint32_t ramp_a, ramp_b;
    uint32_t settle_blocks; /* m */
    uint32_t id;            /* first 4 bytes of the hash, set by charter_seal() */
};

/* A charter with the defaults of PROTOCOL section 1. block_ms is the chain's usual block time (> 0) and
 * makes M span at least 12 hours. Sealed. Truncates nothing: an over-long chain id is left empty and so
 * refused by charter_check(). */
struct charter charter_default(const char *chain_id, uint64_t min_validators, int64_t block_ms);

/* Returns NULL when the charter lies within the bounds of PROTOCOL section 1, otherwise a sentence that
 * names the field, its bounds and what to do. empty_blocks: whether the chain makes blocks without
 * transactions. */
const char *charter_check(const struct charter *charter, bool empty_blocks);

/* Writes the canonical text whose SHA-256 names the charter; returns its length. One "key value" line a
 * field, in the order of the struct, beginning with "stagger charter 1". */
size_t charter_text(const struct charter *charter, char text[CHARTER_TEXT_MAX]);

/* Computes charter->id. To be called after every change of another field. */
void charter_seal(struct charter *charter);

/* Whether M spans less than 12 hours of blocks of block_ms: worth a warning, not a refusal. */
bool charter_reference_is_short(const struct charter *charter, int64_t block_ms);

static inline bool charter_is_boundary(const struct charter *c, struct height h)
{
    return h.n % c->epoch_blocks == 0;
}

/* The boundary at or before h. */
static inline struct height charter_boundary(const struct charter *c, struct height h)
{
    return height_at(h.n - h.n % c->epoch_blocks);
}

/* The first block of the round that block h belongs to. */
static inline struct height charter_round(const struct charter *c, struct height h)
{
    return height_at(h.n - h.n % c->round_blocks);
}

#endif
