/* SHA-256 without an allocation per digest: the one place of coord/ that knows a crypto library. */
#ifndef STAGGER_COORD_DIGEST_H
#define STAGGER_COORD_DIGEST_H

#include <stddef.h>

#include "coord/units.h"

struct digest; /* a reusable hashing context */

struct digest *digest_create(void); /* NULL when memory is short */
void digest_destroy(struct digest **digest);

/* One hash over the pieces in order. */
struct digest_piece {
    const void *data;
    size_t size;
};
void digest_sha256(struct digest *digest, const struct digest_piece *pieces, size_t count,
                   uint8_t out[HASH_SIZE]);

#endif
