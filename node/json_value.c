#include "node/json_value.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "node/table.h"
#include "proto/encoding.h"

#define TEXT_MAX 4096
#define HEX_BYTES_MAX 64

json_t *json_text(const char *text)
{
    char valid[TEXT_MAX];
    return json_string(text_utf8(text, valid, sizeof valid));
}

json_t *json_hex(const uint8_t *bytes, size_t size)
{
    char text[HEX_TEXT(HEX_BYTES_MAX)];
    assert(size <= HEX_BYTES_MAX);
    hex_encode_upper(bytes, size, text);
    return json_string(text);
}

json_t *json_number(uint64_t number)
{
    char text[24];
    if (number <= INT64_MAX)
        return json_integer((json_int_t)number);
    (void)snprintf(text, sizeof text, "%" PRIu64, number);
    return json_string(text);
}

void json_print(json_t *object)
{
    assert(object);
    json_dumpf(object, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(object);
}
