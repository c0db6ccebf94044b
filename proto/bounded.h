/* protobuf-c through an arena: unpacking with a budget, packing into one allocation. Inside proto/ only.
 *
 * protobuf-c takes whatever a length prefix asks for and nests without a limit. Here memory comes from an arena,
 * and depth is bounded by the .proto files, in which no message contains itself.
 */
#ifndef STAGGER_PROTO_BOUNDED_H
#define STAGGER_PROTO_BOUNDED_H

#include <protobuf-c/protobuf-c.h>

#include "proto/arena.h"
#include "proto/fault.h"

/* The message, which lives in the arena and needs no freeing; NULL when the bytes are none or the budget is
 * spent. `what` names it in the fault. */
void *bounded_unpack(struct arena *arena, const ProtobufCMessageDescriptor *descriptor,
                     const uint8_t *bytes, size_t size, const char *what, struct fault *fault);

/* The packed bytes as a field's value, in the arena; data is NULL when memory is short, or the message is
 * empty. */
ProtobufCBinaryData bounded_pack(struct arena *arena, const ProtobufCMessage *message);

/* The packed bytes in an allocation of the caller's (free); NULL when memory is short. Empty messages give a
 * pointer as well. */
uint8_t *bounded_pack_owned(const ProtobufCMessage *message, size_t *size);

/* Text and bytes as a field's value, borrowed. Empty ones have no data, so that nothing is written. */
ProtobufCBinaryData bounded_text(const char *text); /* NULL is empty */
ProtobufCBinaryData bounded_bytes(const uint8_t *bytes, size_t size);

#endif
