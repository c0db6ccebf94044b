#include "proto/wire.h"

#include <assert.h>
#include <string.h>

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_LENGTH = 2 };

size_t wire_varint(uint8_t out[WIRE_VARINT_MAX], uint64_t value)
{
    size_t size = 0;
    for (; value >= 0x80; value >>= 7)
        out[size++] = (uint8_t)(value | 0x80);
    out[size++] = (uint8_t)value;
    return size;
}

static void put(struct wire *wire, const void *bytes, size_t size)
{
    assert(size <= WIRE_MAX - wire->size);
    if (size)
        memcpy(wire->bytes + wire->size, bytes, size);
    wire->size += size;
}

static void put_varint(struct wire *wire, uint64_t value)
{
    uint8_t out[WIRE_VARINT_MAX];
    put(wire, out, wire_varint(out, value));
}

static void put_tag(struct wire *wire, uint32_t field, enum wire_type type)
{
    put_varint(wire, (uint64_t)field << 3 | type);
}

void wire_uint(struct wire *wire, uint32_t field, uint64_t value)
{
    if (!value)
        return;
    put_tag(wire, field, WIRE_VARINT);
    put_varint(wire, value);
}

void wire_int(struct wire *wire, uint32_t field, int64_t value)
{
    wire_uint(wire, field, (uint64_t)value);
}

void wire_sfixed64(struct wire *wire, uint32_t field, int64_t value)
{
    if (!value)
        return;
    uint8_t out[8];
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)((uint64_t)value >> (8 * i));
    put_tag(wire, field, WIRE_FIXED64);
    put(wire, out, sizeof out);
}

void wire_bytes_head(struct wire *wire, uint32_t field, size_t size)
{
    if (!size)
        return;
    put_tag(wire, field, WIRE_LENGTH);
    put_varint(wire, size);
}

void wire_bytes(struct wire *wire, uint32_t field, const void *bytes, size_t size)
{
    wire_bytes_head(wire, field, size);
    put(wire, bytes, size);
}

void wire_message(struct wire *wire, uint32_t field, const struct wire *message)
{
    put_tag(wire, field, WIRE_LENGTH);
    put_varint(wire, message->size);
    put(wire, message->bytes, message->size);
}
