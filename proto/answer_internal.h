/* What the parts of answer_*.c share: pieces of an answer, in its arena. */
#ifndef STAGGER_PROTO_ANSWER_INTERNAL_H
#define STAGGER_PROTO_ANSWER_INTERNAL_H

#include "cosmos.pb-c.h"
#include "proto/answer.h"
#include "proto/bounded.h"

#define ANSWER_BUDGET ((size_t)256 << 20)
#define ANSWER_ED25519 "/cosmos.crypto.ed25519.PubKey"
#define ANSWER_SECP256K1 "/cosmos.crypto.secp256k1.PubKey"

/* Packs, and ends the arena. */
uint8_t *answer_pack(struct arena *arena, const ProtobufCMessage *message, size_t *size);

void *answer_take(struct arena *arena, size_t count, size_t size); /* cleared */
ProtobufCBinaryData answer_copy(struct arena *arena, const void *bytes, size_t size);
ProtobufCBinaryData answer_inner(struct arena *arena, const ProtobufCMessage *message);

/* Bech32 with the network's prefix and a kind: "", "valoper" or "valcons". */
ProtobufCBinaryData answer_address(struct arena *arena, const char *prefix, const char *kind,
                                   const uint8_t address[ACCOUNT_ADDRESS_SIZE]);

/* An Any that holds a public key. */
Cosmos__Any *answer_key(struct arena *arena, const char *type_url, const uint8_t *key, size_t size);

Cosmos__Timestamp *answer_time(struct arena *arena, int64_t ms);
Cosmos__PageResponse *answer_tail(struct arena *arena,
                                  const struct answer_tail *tail); /* NULL of NULL */

#endif
