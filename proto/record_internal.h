/* Numbers of fixed width in records and frames: big-endian, so that they compare as bytes do. */
#ifndef STAGGER_PROTO_RECORD_INTERNAL_H
#define STAGGER_PROTO_RECORD_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

static inline void store_number(uint8_t *out, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[size - 1 - i] = (uint8_t)(value >> (8 * i));
}

static inline uint64_t load_number(const uint8_t *bytes, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

#endif
