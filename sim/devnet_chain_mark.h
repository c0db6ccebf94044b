/* The last round for which nodes were asked to sign, kept in a file: {"height":"43","round":0,"block_id":"HEX"}.
 *
 * It is written and synced before the first of them is asked, and a chain process that starts again goes on with
 * the round behind it: so nobody is ever asked for two blocks at one height and round.
 */
#ifndef STAGGER_SIM_DEVNET_CHAIN_MARK_H
#define STAGGER_SIM_DEVNET_CHAIN_MARK_H

#include "proto/header.h"

struct chain_mark {
    int64_t height; /* 0: none yet */
    int32_t round;
    struct block_id id;
};

/* A file that is not there is no mark. */
MUST_CHECK bool chain_mark_read(const char *path, struct chain_mark *mark, struct fault *fault);
MUST_CHECK bool chain_mark_write(const char *path, const struct chain_mark *mark,
                                 struct fault *fault);

#endif
