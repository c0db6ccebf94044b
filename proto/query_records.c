#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dcl.pb-c.h"
#include "kira.pb-c.h"
#include "proto/encoding.h"
#include "proto/query_internal.h"

#define KIRA_VALIDATORS "/kira.staking.Query/Validators"
#define DCL_VALIDATOR "/zigbeealliance.distributedcomplianceledger.validator.Query/"
#define KEY_BEFORE "PubKeyEd25519{" /* how Go prints an ed25519 key; '}' ends it */
#define ED25519_TYPE "/cosmos.crypto.ed25519.PubKey"

static void records_ask_kira(const char *address, const uint8_t *key, size_t key_size,
                             struct query *query)
{
    Kira__QueryValidatorsRequest request = KIRA__QUERY_VALIDATORS_REQUEST__INIT;
    Cosmos__PageRequest page;
    query_page_request(&page, key, key_size);
    request.pagination = &page;
    request.address = bounded_text(address);
    query_pack(query, KIRA_VALIDATORS, &request.base);
}

static void page_ask_dcl(const char *path, const uint8_t *key, size_t key_size, struct query *query)
{
    Dcl__QueryPageRequest request = DCL__QUERY_PAGE_REQUEST__INIT;
    Cosmos__PageRequest page;
    query_page_request(&page, key, key_size);
    request.pagination = &page;
    query_pack(query, path, &request.base);
}

void query_records(enum chain_kind chain, const uint8_t *key, size_t key_size, struct query *query)
{
    if (chain == CHAIN_KIRA)
        records_ask_kira("", key, key_size, query);
    else
        page_ask_dcl(DCL_VALIDATOR "ValidatorAll", key, key_size, query);
}

void query_record(enum chain_kind chain, const char *address, struct query *query)
{
    if (chain == CHAIN_KIRA)
        records_ask_kira(address, NULL, 0, query);
    else
        query_by_text(query, DCL_VALIDATOR "Validator", address);
}

void query_disabled(const uint8_t *key, size_t key_size, struct query *query)
{
    page_ask_dcl(DCL_VALIDATOR "DisabledValidatorAll", key, key_size, query);
}

void query_disabled_one(const char *valoper, struct query *query)
{
    query_by_text(query, DCL_VALIDATOR "DisabledValidator", valoper);
}

static bool status_read(const ProtobufCBinaryData *text, enum coord_status *status,
                        struct fault *fault)
{
    static const struct {
        const char *word;
        enum coord_status status;
    } words[] = {{"ACTIVE", COORD_ACTIVE},
                 {"INACTIVE", COORD_INACTIVE},
                 {"PAUSED", COORD_IS_PAUSED},
                 {"JAILED", COORD_JAILED}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (query_is(text, words[i].word)) {
            *status = words[i].status;
            return true;
        }
    }
    return fault_set(fault, "status: ACTIVE, INACTIVE, PAUSED or JAILED was expected");
}

/* "PubKeyEd25519{64 hex digits}" */
static bool key_text_read(const ProtobufCBinaryData *text, uint8_t key[ED25519_KEY_SIZE],
                          struct fault *fault)
{
    const size_t before = strlen(KEY_BEFORE), digits = ED25519_KEY_SIZE * 2;
    if (text->len == before + digits + 1 && memcmp(text->data, KEY_BEFORE, before) == 0 &&
        text->data[text->len - 1] == '}' &&
        hex_decode((const char *)text->data + before, digits, key, ED25519_KEY_SIZE))
        return true;
    return fault_set(fault, "pubkey: an ed25519 key in hex was expected");
}

static bool consensus_read(const Kira__QueryValidator *from, uint8_t consensus[ADDRESS_SIZE],
                           struct fault *fault)
{
    uint8_t key[ED25519_KEY_SIZE], expected[ADDRESS_SIZE];
    if (from->proposer.len != ADDRESS_SIZE * 2 ||
        !hex_decode((const char *)from->proposer.data, from->proposer.len, consensus, ADDRESS_SIZE))
        return fault_set(fault, "proposer: 40 hex digits were expected");
    if (!key_text_read(&from->pubkey, key, fault))
        return false;
    member_address(key, expected);
    if (memcmp(expected, consensus, ADDRESS_SIZE) != 0)
        return fault_set(fault, "proposer: it is not the address of the key in pubkey");
    return true;
}

static bool record_read_kira(const Kira__QueryValidator *from, struct query_record *to,
                             struct fault *fault)
{
    uint8_t valoper[ACCOUNT_ADDRESS_SIZE];
    if (!query_address(&from->address, "", "address", to->account, fault) ||
        !query_address(&from->valkey, "valoper", "valkey", valoper, fault))
        return false;
    if (memcmp(valoper, to->account, sizeof valoper) != 0)
        return fault_set(fault, "valkey: it is not the address of the same account");
    to->rank = from->rank;
    to->streak = from->streak;
    QUERY_SAY(from->moniker, to->moniker);
    return consensus_read(from, to->consensus, fault) &&
           status_read(&from->status, &to->status, fault) &&
           query_not_negative(from->rank, "rank", fault) &&
           query_not_negative(from->streak, "streak", fault);
}

static bool record_read_dcl(struct arena *arena, const Dcl__Validator *from,
                            struct query_record *to, struct fault *fault)
{
    if (!query_address(&from->owner, "valoper", "owner", to->account, fault))
        return false;
    if (!from->pub_key || !query_is(&from->pub_key->type_url, ED25519_TYPE))
        return fault_set(fault, "pubKey: an ed25519 key was expected");
    Cosmos__PubKey *key =
        bounded_unpack(arena, &cosmos__pub_key__descriptor, from->pub_key->value.data,
                       from->pub_key->value.len, "pubKey", fault);
    bool good = key && (key->key.len == ED25519_KEY_SIZE ||
                        fault_set(fault, "pubKey.key: 32 bytes were expected"));
    if (good)
        member_address(key->key.data, to->consensus);
    to->status = from->jailed ? COORD_JAILED : COORD_ACTIVE;
    to->power = from->power;
    if (from->description)
        QUERY_SAY(from->description->moniker, to->moniker);
    return good && query_not_negative(from->power, "power", fault);
}

/* Says where: "validators[3]: status: ...". */
static bool entry_fault(const char *list, size_t index, struct fault *fault)
{
    char where[48];
    snprintf(where, sizeof where, "%s[%zu]", list, index);
    return fault_within(fault, where);
}

/* More entries than a page was to have are not worth reading. */
static bool count_check(size_t count, const char *what, struct fault *fault)
{
    return count <= QUERY_PAGE_MAX ||
           fault_set(fault, "%s: at most %d entries were asked for, here are %zu", what,
                     QUERY_PAGE_MAX, count);
}

static bool page_start(struct query_page *page, size_t count, const Cosmos__PageResponse *from,
                       struct fault *fault)
{
    if (!count_check(count, "validators", fault))
        return false;
    page->records = calloc(count ? count : 1, sizeof *page->records);
    if (!page->records)
        return fault_set(fault, "validators: out of memory");
    page->count = (uint32_t)count;
    return query_next_key(from, page->next_key, &page->next_key_size, &page->total, "validators",
                          fault);
}

static bool page_take_kira(const Kira__QueryValidatorsResponse *reply, struct query_page *page,
                           struct fault *fault)
{
    bool good = reply && page_start(page, reply->n_validators, reply->pagination, fault);
    for (size_t i = 0; good && i < reply->n_validators; i++) {
        good = record_read_kira(reply->validators[i], &page->records[i], fault) ||
               entry_fault("validators", i, fault);
    }
    return good;
}

static bool page_take_dcl(struct arena *arena, const Dcl__QueryAllValidatorResponse *reply,
                          struct query_page *page, struct fault *fault)
{
    bool good = reply && page_start(page, reply->n_validator, reply->pagination, fault);
    for (size_t i = 0; good && i < reply->n_validator; i++) {
        good = record_read_dcl(arena, reply->validator[i], &page->records[i], fault) ||
               entry_fault("validator", i, fault);
    }
    return good;
}

bool query_records_read(enum chain_kind chain, const uint8_t *bytes, size_t size,
                        struct query_page *page, struct fault *fault)
{
    *page = (struct query_page){0};
    struct arena arena;
    bool kira = chain == CHAIN_KIRA;
    void *reply = query_unpack(&arena,
                               kira ? &kira__query_validators_response__descriptor
                                    : &dcl__query_all_validator_response__descriptor,
                               bytes, size, "validators", fault);
    bool good =
        kira ? page_take_kira(reply, page, fault) : page_take_dcl(&arena, reply, page, fault);
    arena_end(&arena);
    if (!good)
        query_page_destroy(page);
    return good;
}

void query_page_destroy(struct query_page *page)
{
    free(page->records);
    *page = (struct query_page){0};
}

static void disabled_mark(const uint8_t account[ACCOUNT_ADDRESS_SIZE], bool by_admin,
                          struct query_record *records, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (memcmp(records[i].account, account, ACCOUNT_ADDRESS_SIZE) == 0) {
            records[i].status = COORD_IS_PAUSED;
            records[i].by_trustees = !by_admin;
        }
    }
}

bool query_disabled_read(const uint8_t *bytes, size_t size, struct query_record *records,
                         uint32_t count, uint8_t *next_key, size_t *next_key_size,
                         struct fault *fault)
{
    uint64_t total;
    struct arena arena;
    Dcl__QueryAllDisabledValidatorResponse *reply =
        query_unpack(&arena, &dcl__query_all_disabled_validator_response__descriptor, bytes, size,
                     "disabled", fault);
    bool good = reply && query_next_key(reply->pagination, next_key, next_key_size, &total,
                                        "disabledValidator", fault);
    good = good && count_check(reply->n_disabled_validator, "disabledValidator", fault);
    for (size_t i = 0; good && i < reply->n_disabled_validator; i++) {
        const Dcl__DisabledValidator *one = reply->disabled_validator[i];
        uint8_t account[ACCOUNT_ADDRESS_SIZE];
        good = query_address(&one->address, "valoper", "address", account, fault) ||
               entry_fault("disabledValidator", i, fault);
        if (good)
            disabled_mark(account, one->disabled_by_node_admin, records, count);
    }
    arena_end(&arena);
    return good;
}

void query_signing(const char *consensus_bech32, struct query *query)
{
    query_by_text(query, "/kira.slashing.Query/SigningInfo", consensus_bech32);
}

static bool instant_read(const Cosmos__Timestamp *from, int64_t *ms, struct fault *fault)
{
    *ms = 0;
    if (!from || from->seconds <= 0) /* none is 0001-01-01 or 1970-01-01 */
        return true;
    if (from->seconds > 253402300799 || from->nanos < 0 || from->nanos > 999999999)
        return fault_set(fault, "inactive_until: no instant before the year 10000");
    *ms = from->seconds * 1000 + from->nanos / 1000000;
    return true;
}

static bool signing_read(const Kira__ValidatorSigningInfo *from, struct query_signing *out,
                         struct fault *fault)
{
    *out = (struct query_signing){
        .mischance_confidence = from->mischance_confidence,
        .mischance = from->mischance,
        .last_present_block = from->last_present_block,
        .missed_blocks = from->missed_blocks_counter,
        .produced_blocks = from->produced_blocks_counter,
    };
    return query_address(&from->address, "valcons", "address", out->consensus, fault) &&
           instant_read(from->inactive_until, &out->inactive_until_ms, fault) &&
           query_not_negative(out->mischance_confidence, "mischance_confidence", fault) &&
           query_not_negative(out->mischance, "mischance", fault) &&
           query_not_negative(out->last_present_block, "last_present_block", fault) &&
           query_not_negative(out->missed_blocks, "missed_blocks_counter", fault) &&
           query_not_negative(out->produced_blocks, "produced_blocks_counter", fault);
}

bool query_signing_read(const uint8_t *bytes, size_t size, struct query_signing *out,
                        struct fault *fault)
{
    *out = (struct query_signing){0};
    struct arena arena;
    Kira__QuerySigningInfoResponse *reply =
        query_unpack(&arena, &kira__query_signing_info_response__descriptor, bytes, size,
                     "val_signing_info", fault);
    bool good = reply && (reply->val_signing_info ||
                          fault_set(fault, "val_signing_info: it is missing from the reply"));
    if (good && !signing_read(reply->val_signing_info, out, fault))
        good = fault_within(fault, "val_signing_info");
    arena_end(&arena);
    return good;
}
