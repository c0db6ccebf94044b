#include "proto/bounded.h"

#include <stdlib.h>
#include <string.h>

#include "proto/shorten_internal.h"

static void *take(void *data, size_t size)
{
    return arena_alloc(data, size);
}

static void leave(void *data, void *pointer)
{
    (void)data;
    (void)pointer;
}

void *bounded_unpack(struct arena *arena, const ProtobufCMessageDescriptor *descriptor,
                     const uint8_t *bytes, size_t size, const char *what, struct fault *fault)
{
    ProtobufCAllocator allocator = {.alloc = take, .free = leave, .allocator_data = arena};
    static const uint8_t nothing[1];
    /* a message of no bytes is one with all its fields left out; memcpy and friends want a pointer even so */
    void *message =
        protobuf_c_message_unpack(descriptor, &allocator, size, size > 0 ? bytes : nothing);
    size_t shorter = 0;
    const uint8_t *again =
        message ? NULL : shorten(arena, descriptor, size > 0 ? bytes : nothing, size, &shorter);
    if (again && shorter < size)
        message = protobuf_c_message_unpack(descriptor, &allocator, shorter, again);
    if (!message)
        fault_set(fault, "%s: %zu bytes that are no %s, or too much to unpack", what, size,
                  descriptor->short_name);
    return message;
}

ProtobufCBinaryData bounded_pack(struct arena *arena, const ProtobufCMessage *message)
{
    ProtobufCBinaryData packed = {.len = protobuf_c_message_get_packed_size(message)};
    packed.data = packed.len > 0 ? arena_alloc(arena, packed.len) : NULL;
    if (packed.data)
        protobuf_c_message_pack(message, packed.data);
    else
        packed.len = 0;
    return packed;
}

uint8_t *bounded_pack_owned(const ProtobufCMessage *message, size_t *size)
{
    *size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(*size > 0 ? *size : 1);
    if (bytes)
        protobuf_c_message_pack(message, bytes);
    return bytes;
}

ProtobufCBinaryData bounded_text(const char *text)
{
    return bounded_bytes((const uint8_t *)text, text ? strlen(text) : 0);
}

ProtobufCBinaryData bounded_bytes(const uint8_t *bytes, size_t size)
{
    /* packing only reads through this pointer, though its type does not say so */
    return (ProtobufCBinaryData){.len = size,
                                 .data = size > 0 ? (uint8_t *)(uintptr_t)bytes : NULL};
}
