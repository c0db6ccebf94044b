/* What headers, commits, votes and blocks have in common. Only for header*.c, commit.c and block.c. */
#ifndef STAGGER_PROTO_HEADER_INTERNAL_H
#define STAGGER_PROTO_HEADER_INTERNAL_H

#include "proto/header.h"
#include "proto/wire.h"

void header_wire_hash(struct wire *wire, uint32_t field, const struct hash *hash);

/* google.protobuf.Timestamp */
void header_wire_time(struct wire *wire, const struct time_stamp *time);

/* BlockID { hash = 1, PartSetHeader = 2 { total = 1, hash = 2 } }, and CanonicalBlockID, which has the same
 * fields. */
void header_wire_block_id(struct wire *wire, const struct block_id *id);

/* CommitSig { block_id_flag = 1, validator_address = 2, timestamp = 3, signature = 4 } */
void header_wire_sig(struct wire *wire, const struct commit_sig *sig);

/* The first member whose address is not its key's; NULL when there is none. */
const struct member *members_misaddressed(const struct member *members, uint32_t count);

#endif
