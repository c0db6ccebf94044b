#include "sim/genesis_reader.h"

#include <stdlib.h>
#include <string.h>

#include "proto/encoding.h"
#include "sim/genesis_schema.h"
#include "sim/genesis_value.h"

static bool roster_grow(struct genesis_roster *roster)
{
    uint32_t capacity = roster->capacity == 0 ? 64 : roster->capacity * 2;
    struct model_record *records = realloc(roster->records, capacity * sizeof(*records));
    roster->records = records == NULL ? roster->records : records;
    struct genesis_key *accounts = realloc(roster->accounts, capacity * sizeof(*accounts));
    roster->accounts = accounts == NULL ? roster->accounts : accounts;
    struct genesis_key *members = realloc(roster->members, capacity * sizeof(*members));
    roster->members = members == NULL ? roster->members : members;
    if (records == NULL || accounts == NULL || members == NULL) {
        return false;
    }
    roster->capacity = capacity;
    return true;
}

static bool roster_add(struct genesis_roster *roster, struct json_stream *stream,
                       const struct genesis_draft *draft)
{
    if (roster->count == VIEW_VALIDATORS_MAX) {
        return json_fail(stream, "",
                         "there are more than %d records; at most as many expected; cut the list",
                         VIEW_VALIDATORS_MAX);
    }
    if (roster->count == roster->capacity && !roster_grow(roster)) {
        return json_fail(stream, "", "out of memory; a few MB expected; free some");
    }
    uint32_t i = roster->count++;
    roster->records[i] = draft->record;
    roster->accounts[i].record = i;
    memcpy(roster->accounts[i].address, draft->account, ADDRESS_SIZE);
    roster->members[i].record = i;
    memcpy(roster->members[i].address, draft->record.address, ADDRESS_SIZE);
    return true;
}

static bool list_take(struct genesis_roster *roster, struct json_stream *stream,
                      const struct json_value *value)
{
    if (!genesis_take_container(stream, value, JSON_LIST, true)) {
        return false;
    }
    if (value->kind == JSON_LIST) {
        if (roster->listed) {
            return json_fail(stream, "", "the list is given twice; one expected; " GENESIS_REMEDY);
        }
        roster->listed = true;
        const char *place = json_place(stream, "", roster->place);
        if (place != roster->place) {
            strcpy(roster->place, "top level");
        }
    }
    return true;
}

static void draft_begin(struct genesis_draft *draft, enum model_status status)
{
    memset(draft, 0, sizeof(*draft));
    draft->record.status = status;
    draft->record.power = 1;
    draft->record.balance = GENESIS_BALANCE_DEFAULT;
}

static bool kira_take(struct genesis_reader *reader, struct json_stream *stream,
                      const struct json_value *value)
{
    struct genesis_draft *draft = &reader->draft;
    if (!genesis_take_container(stream, value, JSON_OBJECT, false)) {
        return false;
    }
    if (value->kind == JSON_OBJECT) {
        draft_begin(draft, STATUS_NONE);
        return true;
    }
    if (!draft->has_account) {
        return json_fail(stream, ".val_key",
                         "missing; a ...valoper1... address expected; " GENESIS_REMEDY);
    }
    if (!draft->has_key) {
        return json_fail(stream, ".pub_key",
                         "missing; an ed25519 public key expected; " GENESIS_REMEDY);
    }
    if (draft->record.status == STATUS_NONE) {
        return json_fail(stream, ".status",
                         "missing; ACTIVE, INACTIVE, PAUSED or JAILED expected; " GENESIS_REMEDY);
    }
    memcpy(draft->record.address, draft->key_address, ADDRESS_SIZE);
    return roster_add(&reader->kira, stream, draft);
}

static bool plain_take(struct genesis_reader *reader, struct json_stream *stream,
                       const struct json_value *value)
{
    struct genesis_draft *draft = &reader->draft;
    if (!genesis_take_container(stream, value, JSON_OBJECT, false)) {
        return false;
    }
    if (value->kind == JSON_OBJECT) {
        draft_begin(draft, STATUS_ACTIVE);
        return true;
    }
    if (!draft->has_address && !draft->has_key) {
        return json_fail(stream, ".pub_key",
                         "missing; an ed25519 public key expected; " GENESIS_REMEDY);
    }
    if (draft->has_address && draft->has_key &&
        memcmp(draft->record.address, draft->key_address, ADDRESS_SIZE) != 0) {
        return json_fail(stream, ".address",
                         "does not belong to pub_key; the first 20 bytes of its SHA-256 expected; "
                         "correct or drop the address");
    }
    if (!draft->has_power) {
        return json_fail(stream, ".power",
                         "missing; a number of at least 1 expected; give each its power");
    }
    if (draft->has_key) {
        memcpy(draft->record.address, draft->key_address, ADDRESS_SIZE);
    }
    return roster_add(&reader->plain, stream, draft);
}

static bool status_take(struct json_stream *stream, const struct json_value *value,
                        enum model_status *status)
{
    static const char *const NAMES[] = {"", "ACTIVE", "INACTIVE", "PAUSED", "JAILED"};
    static const char *const NUMBERS[] = {"", "1", "2", "3", "4"};
    char shown[JSON_SHOWN_MAX];
    for (int i = STATUS_ACTIVE; i <= STATUS_JAILED; i++) {
        if (genesis_value_is(value, NAMES[i]) || genesis_value_is(value, NUMBERS[i])) {
            *status = (enum model_status)i;
            return true;
        }
    }
    return json_fail(
        stream, "", "%s is no status; ACTIVE, INACTIVE, PAUSED or JAILED expected; " GENESIS_REMEDY,
        json_shown(value, shown));
}

static bool hex_take(struct genesis_draft *draft, struct json_stream *stream,
                     const struct json_value *value)
{
    char shown[JSON_SHOWN_MAX];
    if (value->kind == JSON_NULL || genesis_value_is(value, "")) {
        return true;
    }
    draft->has_address =
        value->kind == JSON_STRING &&
        hex_decode(value->text, value->length, draft->record.address, ADDRESS_SIZE);
    return draft->has_address ||
           json_fail(stream, "",
                     "%s is no address; 40 hexadecimal digits expected; correct or drop it",
                     json_shown(value, shown));
}

static bool power_take(struct genesis_draft *draft, struct json_stream *stream,
                       const struct json_value *value)
{
    if (value->kind == JSON_NULL) {
        return true;
    }
    if (!genesis_take_int(stream, value, &draft->record.power)) {
        return false;
    }
    draft->has_power = true;
    if (draft->record.power < 1 || draft->record.power > GENESIS_POWER_MAX) {
        return json_fail(stream, "",
                         "%lld is no power; 1 to 2^60 - 1 expected; correct it or drop the record",
                         (long long)draft->record.power);
    }
    return true;
}

/* Whether a key's type says ed25519, however it is spelt. */
static bool ed25519(const struct json_value *value)
{
    static const char WANTED[] = "ed25519";
    size_t length = strlen(WANTED);
    for (size_t i = 0; i + length <= value->length; i++) {
        size_t same = 0;
        while (same < length && (value->text[i + same] | 0x20) == (WANTED[same] | 0x20)) {
            same++;
        }
        if (same == length) {
            return true;
        }
    }
    return false;
}

static bool key_take(struct genesis_draft *draft, struct json_stream *stream,
                     const struct json_value *value)
{
    char shown[JSON_SHOWN_MAX];
    bool skipped =
        value->kind == JSON_NULL || value->kind == JSON_OBJECT || value->kind == JSON_END;
    if (value->field == FIELD_KEY && skipped) {
        return true;
    }
    if (value->field == FIELD_KEY_TYPE) {
        return ed25519(value) ||
               json_fail(
                   stream, "",
                   "%s is no type of key known here; an ed25519 key expected; " GENESIS_REMEDY,
                   json_shown(value, shown));
    }
    draft->has_key = value->kind == JSON_STRING &&
                     genesis_key_address(value->text, value->length, draft->key_address);
    return draft->has_key ||
           json_fail(stream, "",
                     "%s is no public key; 32 bytes of ed25519 in base64 expected; " GENESIS_REMEDY,
                     json_shown(value, shown));
}

bool genesis_record_take(struct genesis_reader *reader, struct json_stream *stream,
                         const struct json_value *value)
{
    struct genesis_draft *draft = &reader->draft;
    switch (value->field) {
    case FIELD_KIRA_LIST:
        return list_take(&reader->kira, stream, value);
    case FIELD_KIRA:
        return kira_take(reader, stream, value);
    case FIELD_PLAIN_LIST:
        return list_take(&reader->plain, stream, value);
    case FIELD_PLAIN:
        return plain_take(reader, stream, value);
    case FIELD_VAL_KEY:
        return genesis_take_address(stream, value, "valoper", draft->account, &draft->has_account);
    case FIELD_STATUS:
        return status_take(stream, value, &draft->record.status);
    case FIELD_RANK:
        return genesis_take_int(stream, value, &draft->record.rank);
    case FIELD_STREAK:
        return genesis_take_int(stream, value, &draft->record.streak);
    case FIELD_ADDRESS:
        return hex_take(draft, stream, value);
    case FIELD_POWER:
        return power_take(draft, stream, value);
    case FIELD_NAME:
        if (value->kind == JSON_STRING) {
            genesis_moniker(value->text, value->length, draft->record.moniker, MODEL_MONIKER_MAX);
        }
        return true;
    default:
        return key_take(draft, stream, value);
    }
}
