/* Inside the block log: one block as bytes. Numbers are 8 bytes big-endian, byte strings carry their length; the
 * order is that of struct stored_block. */
#ifndef STAGGER_SIM_STORE_BLOCK_H
#define STAGGER_SIM_STORE_BLOCK_H

#include "sim/store.h"

/* The bytes, owned by the caller; NULL when memory is short. */
uint8_t *stored_block_encode(const struct stored_block *block, size_t *size);

/* False when the bytes are no block; what was filled until then is cleared. */
MUST_CHECK bool stored_block_decode(const uint8_t *bytes, size_t size, struct stored_block *block);

#endif
