/* Whole blocks of CometBFT in protobuf, and what hashes of them go into a block id.
 *
 *     Block { Header = 1, Data = 2 { txs = 1 }, EvidenceList = 3, Commit = 4 }
 *     parts = the bytes cut into pieces of 64 KiB; their hash is the Merkle tree over the pieces
 *     block id = header_hash(), number of parts, hash of the parts
 *
 * Verifying a chain needs none of it: a commit signs the parts' hash together with the header's. It is for who
 * makes blocks. Evidence is always empty.
 */
#ifndef STAGGER_PROTO_BLOCK_H
#define STAGGER_PROTO_BLOCK_H

#include "proto/header.h"

#define BLOCK_PART_SIZE 65536

/* Bytes that a block may need besides its transactions, as CometBFT reckons them before it fills one. */
#define BLOCK_OVERHEAD_MAX 11
#define BLOCK_HEADER_MAX 626
#define BLOCK_COMMIT_MAX(signatures) (94 + 109 * (uint64_t)(signatures))

/* The size of a transaction in a block: its bytes, tag and length. */
uint64_t block_tx_size(size_t tx_size);

/* The encoded block, owned by the caller; NULL when memory is short. The first block's last commit has height and
 * round 0, no signatures, and a block id without hashes. */
uint8_t *block_encode(const struct header *header, const struct tx_bytes *txs, uint32_t tx_count,
                      const struct commit *last_commit, size_t *size);

/* The block id of a header and the bytes of its block. */
void block_identify(const struct header *header, const uint8_t *block, size_t size,
                    struct block_id *id);

#endif
