/* Two consecutive blocks of a small network with everything that binds them, signed with keys of our own:
 *
 *     before, its id           V(now.height - 1) = members, of different powers
 *     now, its id              transactions, last commit (of `before`, one absent, one for nil), the
 *                              results of `before`; V(now.height) = next_members
 *     commit                   of `now`, by next_members
 *
 * light_world_check() runs every check there is. The spots are all the bytes that a hash or signature
 * covers: whatever is changed in them, a check must fail, and the spot says which words its fault has.
 */
#ifndef STAGGER_TESTS_LIGHT_WORLD_H
#define STAGGER_TESTS_LIGHT_WORLD_H

#include "proto/header.h"

#define LIGHT_MEMBERS_MAX 1024
#define LIGHT_TXS 3
#define LIGHT_TX_SIZE 40
#define LIGHT_SPOTS_MAX 256

struct light_world {
    uint32_t count; /* of members, at least 4 */
    struct header before, now;
    struct block_id before_id, now_id;
    struct member members[LIGHT_MEMBERS_MAX], next_members[LIGHT_MEMBERS_MAX];
    struct commit last_commit, commit;
    struct commit_sig last_sigs[LIGHT_MEMBERS_MAX], sigs[LIGHT_MEMBERS_MAX];
    uint8_t tx_memory[LIGHT_TXS][LIGHT_TX_SIZE], data_memory[LIGHT_TXS][LIGHT_TX_SIZE];
    struct tx_bytes txs[LIGHT_TXS];
    struct tx_result results[LIGHT_TXS]; /* of `before` */
};

struct light_spot {
    const char *name;
    void *bytes;
    size_t size;
    const char *fault; /* what light_world_check() says, in part */
};

void light_world_make(struct light_world *world, uint32_t count);

/* Signs entry `index` anew with its member's key, as commit and world now are. */
void light_world_sign(struct commit *commit, const char *chain_id, const struct member *members,
                      uint32_t index);

bool light_world_check(const struct light_world *world, struct fault *fault);

/* Returns how many. Large worlds show the first four entries of each list. */
uint32_t light_world_spots(struct light_world *world, struct light_spot spots[LIGHT_SPOTS_MAX]);

#endif
