/* libFuzzer entry of the record decoder: any bytes as a record; what it accepts it writes again, byte for byte. */
#include <assert.h>
#include <string.h>

#include "proto/record.h"

#define FIELDS_AT (3 + RECORD_BINDING_SIZE + 8)
#define TAG_LAST 12 /* that this version knows */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where the fields of later versions begin. */
static size_t known_size(const uint8_t *bytes, size_t size)
{
    size_t at = FIELDS_AT;
    while (at < size && bytes[at] <= TAG_LAST)
        at += 2 + (size_t)bytes[at + 1];
    return at;
}

static void assert_canonical(const uint8_t *data, size_t size, const struct record *record)
{
    uint8_t again[RECORD_MAX];
    struct fault fault;
    size_t written = record_encode(record, again, &fault);
    assert(written == known_size(data, size - RECORD_SIGNATURE_SIZE));
    assert(again[0] == data[0] && memcmp(again + 3, data + 3, written - 3) == 0);
}

static void decode(const uint8_t *data, size_t size)
{
    struct record record;
    struct record_peek peek;
    struct fault fault = {""};
    bool peeked = record_peek(data, size, &peek, &fault);
    if (!record_decode(data, size, &record, &fault)) {
        assert(fault.text[0] != '\0');
        return;
    }
    assert(peeked && record_extent(data, size) == size && record_version(data) == RECORD_VERSION);
    assert(peek.sequence == record.sequence && peek.serial == record.binding.serial);
    assert_canonical(data, size, &record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t fitted[RECORD_MAX];
    assert(record_extent(data, size) <= size);
    decode(data, size);
    if (size < 3 || size > sizeof fitted)
        return 0;
    memcpy(fitted, data, size); /* once more, with a head that lets the fields be seen */
    fitted[0] = RECORD_VERSION;
    fitted[1] = (uint8_t)(size >> 8);
    fitted[2] = (uint8_t)size;
    decode(fitted, size);
    return 0;
}
