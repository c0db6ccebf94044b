/* Fields of protobuf messages, written by hand: for the few small messages whose bytes are hashed or signed
 * thousands of times, and whose layout the chain's consensus fixes for ever. Everything else is protobuf-c's.
 *
 *     struct wire wire = {0};
 *     wire_int(&wire, 1, flag);           08 02
 *     wire_bytes(&wire, 2, hash, 32);     12 20 ....
 *
 * As in proto3, a field with its zero value is not written, except by wire_message(): the Go code behind
 * the chain writes messages that it keeps by value even when they are empty (12 00).
 */
#ifndef STAGGER_PROTO_WIRE_H
#define STAGGER_PROTO_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define WIRE_MAX 384 /* none of these messages is longer; longer is a bug */
#define WIRE_VARINT_MAX 10

struct wire {
    size_t size;
    uint8_t bytes[WIRE_MAX];
};

void wire_uint(struct wire *wire, uint32_t field, uint64_t value);
void wire_int(struct wire *wire, uint32_t field, int64_t value); /* int32, int64, enum */
void wire_sfixed64(struct wire *wire, uint32_t field, int64_t value);
void wire_bytes(struct wire *wire, uint32_t field, const void *bytes, size_t size);
void wire_message(struct wire *wire, uint32_t field, const struct wire *message);

/* Tag and length of a bytes field whose `size` bytes follow elsewhere; nothing when there are none. */
void wire_bytes_head(struct wire *wire, uint32_t field, size_t size);

/* Just the number, returns its length: what stands before a length-delimited message. */
size_t wire_varint(uint8_t out[WIRE_VARINT_MAX], uint64_t value);

#endif
