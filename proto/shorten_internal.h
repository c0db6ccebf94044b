/* The same message with every tag and length in its shortest form. Inside proto/ only.
 *
 * Go takes numbers of up to ten bytes wherever one stands, so that a pause may reach a block with a tag written as
 * 8a 80 80 80 80 00 instead of 0a. protobuf-c stops reading at five. A pause that the chain has seen and we have not would
 * spoil the draw (PROTOCOL section 3), so what protobuf-c refuses is brought into the common form and tried again.
 */
#ifndef STAGGER_PROTO_SHORTEN_INTERNAL_H
#define STAGGER_PROTO_SHORTEN_INTERNAL_H

#include <protobuf-c/protobuf-c.h>

#include "proto/arena.h"

/* The bytes, in the arena and not more than before; NULL when they are no message at all. */
uint8_t *shorten(struct arena *arena, const ProtobufCMessageDescriptor *descriptor,
                 const uint8_t *bytes, size_t size, size_t *shorter);

#endif
