#include "sim/genesis_reader.h"

#include <stdlib.h>
#include <string.h>

#include "proto/bech32.h"
#include "sim/genesis_value.h"

/* --- finding records --- */

static int key_compare(const void *left, const void *right)
{
    const struct genesis_key *a = left, *b = right;
    int order = memcmp(a->address, b->address, ADDRESS_SIZE);
    return order != 0 ? order : (a->record > b->record) - (a->record < b->record);
}

void genesis_roster_sort(struct genesis_roster *roster)
{
    if (roster->count > 0) {
        qsort(roster->accounts, roster->count, sizeof(*roster->accounts), key_compare);
        qsort(roster->members, roster->count, sizeof(*roster->members), key_compare);
    }
}

static int address_compare(const void *address, const void *key)
{
    return memcmp(address, ((const struct genesis_key *)key)->address, ADDRESS_SIZE);
}

struct model_record *genesis_roster_find(const struct genesis_roster *roster,
                                         const struct genesis_key *keys,
                                         const uint8_t address[ADDRESS_SIZE])
{
    if (roster->count == 0) {
        return NULL;
    }
    const struct genesis_key *key =
        bsearch(address, keys, roster->count, sizeof(*keys), address_compare);
    return key == NULL ? NULL : &roster->records[key->record];
}

/* --- taking values --- */

bool genesis_value_is(const struct json_value *value, const char *text)
{
    bool scalar = value->kind == JSON_STRING || value->kind == JSON_NUMBER;
    return scalar && value->length == strlen(text) && memcmp(value->text, text, value->length) == 0;
}

bool genesis_take_number(struct json_stream *stream, const struct json_value *value,
                         uint64_t *number)
{
    char shown[JSON_SHOWN_MAX];
    bool scalar = value->kind == JSON_STRING || value->kind == JSON_NUMBER;
    if (value->kind == JSON_NULL ||
        (scalar && genesis_number(value->text, value->length, number))) {
        return true;
    }
    return json_fail(stream, "",
                     "%s is out of bounds; a whole number from 0 to 2^62 expected; " GENESIS_REMEDY,
                     json_shown(value, shown));
}

bool genesis_take_int(struct json_stream *stream, const struct json_value *value, int64_t *number)
{
    uint64_t taken = (uint64_t)*number;
    if (!genesis_take_number(stream, value, &taken)) {
        return false;
    }
    *number = (int64_t)taken;
    return true;
}

bool genesis_take_boolean(struct json_stream *stream, const struct json_value *value, bool *yes)
{
    char shown[JSON_SHOWN_MAX];
    if (value->kind == JSON_NULL) {
        return true;
    }
    if (value->kind != JSON_BOOLEAN) {
        return json_fail(stream, "", "%s is neither; true or false expected; " GENESIS_REMEDY,
                         json_shown(value, shown));
    }
    *yes = value->length == strlen("true");
    return true;
}

bool genesis_take_time(struct json_stream *stream, const struct json_value *value, int64_t *time_ms)
{
    char shown[JSON_SHOWN_MAX];
    if (value->kind == JSON_NULL ||
        (value->kind == JSON_STRING && genesis_time(value->text, value->length, time_ms))) {
        return true;
    }
    return json_fail(
        stream, "",
        "%s is no time; one such as \"2025-11-05T14:04:27.6Z\" expected; " GENESIS_REMEDY,
        json_shown(value, shown));
}

bool genesis_take_address(struct json_stream *stream, const struct json_value *value,
                          const char *tail, uint8_t address[ADDRESS_SIZE], bool *has)
{
    char shown[JSON_SHOWN_MAX];
    struct bech32 decoded;
    if (value->kind == JSON_NULL) {
        return true;
    }
    const char *wrong = value->kind == JSON_STRING
                            ? bech32_decode(value->text, value->length, &decoded)
                            : "it is no string";
    if (wrong == NULL && !bech32_prefix_ends(&decoded, tail)) {
        wrong = "its prefix is another one";
    }
    if (wrong == NULL && decoded.size != ADDRESS_SIZE && tail[0] != '\0') {
        wrong = "it does not hold 20 bytes";
    }
    if (wrong != NULL) {
        return json_fail(stream, "",
                         "%s is no address, %s; %s%s1... in bech32 expected; " GENESIS_REMEDY,
                         json_shown(value, shown), wrong, tail[0] == '\0' ? "kira" : "...", tail);
    }
    if (decoded.size == ADDRESS_SIZE) {
        memcpy(address, decoded.bytes, ADDRESS_SIZE);
        *has = true;
    }
    return true;
}

bool genesis_take_container(struct json_stream *stream, const struct json_value *value,
                            enum json_kind kind, bool nullable)
{
    char shown[JSON_SHOWN_MAX];
    if (value->kind == kind || value->kind == JSON_END || (nullable && value->kind == JSON_NULL)) {
        return true;
    }
    return json_fail(stream, "", "%s is given; %s expected; " GENESIS_REMEDY,
                     json_shown(value, shown), kind == JSON_LIST ? "a list" : "an object");
}
