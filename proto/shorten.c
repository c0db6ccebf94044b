#include "proto/shorten_internal.h"

#include <stdbool.h>
#include <string.h>

#include "proto/wire.h"

enum { VARINT = 0, FIXED_64 = 1, BYTES = 2, FIXED_32 = 5 };
#define FIELD_MAX ((1u << 29) - 1)

struct source {
    const uint8_t *bytes;
    size_t size, at;
};

struct target {
    uint8_t *bytes;
    size_t size;
};

static bool read_number(struct source *s, uint64_t *value)
{
    *value = 0;
    for (uint32_t shift = 0; shift < 70; shift += 7) {
        if (s->at == s->size)
            return false;
        uint8_t byte = s->bytes[s->at++];
        if (shift < 64)
            *value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return shift < 63 || byte <= 1;
    }
    return false;
}

static void write_number(struct target *t, uint64_t value)
{
    t->size += wire_varint(t->bytes + t->size, value);
}

static bool copy(struct source *s, struct target *t, uint64_t size)
{
    if (s->size - s->at < size)
        return false;
    memcpy(t->bytes + t->size, s->bytes + s->at, size);
    s->at += size;
    t->size += size;
    return true;
}

static bool copy_bytes(struct arena *arena, const ProtobufCMessageDescriptor *descriptor,
                       uint32_t field, struct source *s, struct target *t)
{
    const ProtobufCFieldDescriptor *known =
        protobuf_c_message_descriptor_get_field(descriptor, field);
    uint64_t size;
    if (!read_number(s, &size) || s->size - s->at < size)
        return false;
    if (!known || known->type != PROTOBUF_C_TYPE_MESSAGE) {
        write_number(t, size);
        return copy(s, t, size);
    }
    size_t inner_size = 0;
    uint8_t *inner = shorten(arena, known->descriptor, s->bytes + s->at, (size_t)size, &inner_size);
    if (!inner)
        return false;
    s->at += size;
    write_number(t, inner_size);
    memcpy(t->bytes + t->size, inner, inner_size);
    t->size += inner_size;
    return true;
}

static bool copy_field(struct arena *arena, const ProtobufCMessageDescriptor *descriptor,
                       struct source *s, struct target *t)
{
    uint64_t tag, value;
    if (!read_number(s, &tag) || tag >> 3 == 0 || tag >> 3 > FIELD_MAX)
        return false;
    write_number(t, tag);
    switch (tag & 7) {
    case VARINT:
        if (!read_number(s, &value))
            return false;
        write_number(t, value);
        return true;
    case FIXED_64:
        return copy(s, t, 8);
    case FIXED_32:
        return copy(s, t, 4);
    case BYTES:
        return copy_bytes(arena, descriptor, (uint32_t)(tag >> 3), s, t);
    default:
        return false;
    }
}

uint8_t *shorten(struct arena *arena, const ProtobufCMessageDescriptor *descriptor,
                 const uint8_t *bytes, size_t size, size_t *shorter)
{
    struct source source = {.bytes = bytes, .size = size};
    /* no field grows, and a byte more, so that empty messages have an address */
    struct target target = {.bytes = arena_alloc(arena, size + 1)};
    while (target.bytes && source.at < size)
        if (!copy_field(arena, descriptor, &source, &target))
            return NULL;
    *shorter = target.size;
    return target.bytes;
}
