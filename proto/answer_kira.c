/* Answers of KIRA about validators. */
#include <assert.h>
#include <string.h>

#include "kira.pb-c.h"
#include "proto/answer_internal.h"
#include "proto/encoding.h"

#define KEY_TEXT_MAX (sizeof "PubKeyEd25519{}" + (size_t)2 * ED25519_KEY_SIZE)

static const char *status_word(int status)
{
    static const char *const words[] = {"UNDEFINED", "ACTIVE", "INACTIVE", "PAUSED", "JAILED"};
    assert(status >= 0 && (size_t)status < sizeof words / sizeof words[0]);
    return words[status];
}

/* The moniker is kept as an identity record, and told a second time as such. */
static Kira__IdentityRecord *identity_make(struct arena *arena, ProtobufCBinaryData address,
                                           const struct answer_validator *from)
{
    Kira__IdentityRecord *record = answer_take(arena, 1, sizeof *record);
    kira__identity_record__init(record);
    record->id = from->identity;
    record->address = address;
    record->key = bounded_text("moniker");
    record->value = bounded_text(from->moniker);
    record->date = answer_time(arena, from->since_ms);
    return record;
}

static void query_validator_fill(struct arena *arena, const char *prefix,
                                 const struct answer_validator *from, Kira__QueryValidator *to)
{
    char key[KEY_TEXT_MAX] = "PubKeyEd25519{", consensus[2 * ADDRESS_SIZE + 1];
    uint8_t address[ADDRESS_SIZE];
    size_t at = strlen(key);
    hex_encode_upper(from->key, ED25519_KEY_SIZE, key + at);
    strcpy(key + at + (size_t)2 * ED25519_KEY_SIZE, "}");
    member_address(from->key, address);
    hex_encode_upper(address, sizeof address, consensus);
    kira__query_validator__init(to);
    to->address = answer_address(arena, prefix, "", from->account);
    to->valkey = answer_address(arena, prefix, "valoper", from->account);
    to->pubkey = answer_copy(arena, key, strlen(key));
    to->proposer = answer_copy(arena, consensus, strlen(consensus));
    to->moniker = bounded_text(from->moniker);
    to->status = bounded_text(status_word(from->status));
    to->rank = from->rank;
    to->streak = from->streak;
    to->identity = answer_take(arena, 1, sizeof *to->identity);
    to->identity[to->n_identity++] = identity_make(arena, to->address, from);
}

static Kira__QueryValidator **query_validators_make(struct arena *arena, const char *prefix,
                                                    const struct answer_validator *validators,
                                                    uint32_t count)
{
    Kira__QueryValidator **list = answer_take(arena, count, sizeof *list);
    for (uint32_t i = 0; i < count; i++) {
        list[i] = answer_take(arena, 1, sizeof **list);
        query_validator_fill(arena, prefix, &validators[i], list[i]);
    }
    return list;
}

uint8_t *answer_validators(const char *prefix, const struct answer_validator *validators,
                           uint32_t count, const uint8_t (*actors)[ACCOUNT_ADDRESS_SIZE],
                           uint32_t actor_count, const struct answer_tail *tail, size_t *size)
{
    struct arena arena;
    Kira__QueryValidatorsResponse reply = KIRA__QUERY_VALIDATORS_RESPONSE__INIT;
    arena_begin(&arena, ANSWER_BUDGET);
    reply.validators = query_validators_make(&arena, prefix, validators, count);
    reply.n_validators = count;
    reply.actors = answer_take(&arena, actor_count, sizeof *reply.actors);
    for (uint32_t i = 0; i < actor_count; i++)
        reply.actors[reply.n_actors++] = answer_address(&arena, prefix, "", actors[i]);
    reply.pagination = answer_tail(&arena, tail);
    return answer_pack(&arena, &reply.base, size);
}

uint8_t *answer_validator(const struct answer_validator *validator, size_t *size)
{
    struct arena arena;
    Kira__Validator inner = KIRA__VALIDATOR__INIT;
    Kira__QueryValidatorResponse reply = KIRA__QUERY_VALIDATOR_RESPONSE__INIT;
    arena_begin(&arena, ANSWER_BUDGET);
    inner.val_key = bounded_bytes(validator->account, ACCOUNT_ADDRESS_SIZE);
    inner.pub_key = answer_key(&arena, ANSWER_ED25519, validator->key, ED25519_KEY_SIZE);
    inner.status = validator->status;
    inner.rank = validator->rank;
    inner.streak = validator->streak;
    reply.validator = &inner;
    return answer_pack(&arena, &reply.base, size);
}

static void signing_fill(struct arena *arena, const char *prefix, const struct answer_signing *from,
                         Kira__ValidatorSigningInfo *to)
{
    kira__validator_signing_info__init(to);
    to->address = answer_address(arena, prefix, "valcons", from->consensus);
    to->inactive_until = answer_time(arena, from->inactive_until_ms);
    to->mischance_confidence = from->mischance_confidence;
    to->mischance = from->mischance;
    to->last_present_block = from->last_present;
    to->missed_blocks_counter = from->missed;
    to->produced_blocks_counter = from->produced;
}

uint8_t *answer_signing(const char *prefix, const struct answer_signing *signing,
                        const struct answer_validator *validator, size_t *size)
{
    struct arena arena;
    Kira__ValidatorSigningInfo info;
    Kira__QueryValidator about = KIRA__QUERY_VALIDATOR__INIT;
    Kira__QuerySigningInfoResponse reply = KIRA__QUERY_SIGNING_INFO_RESPONSE__INIT;
    arena_begin(&arena, ANSWER_BUDGET);
    signing_fill(&arena, prefix, signing, &info);
    reply.val_signing_info = &info;
    reply.validator = &about;
    if (validator)
        query_validator_fill(&arena, prefix, validator, &about);
    about.moniker = (ProtobufCBinaryData){0}; /* this query leaves it out */
    return answer_pack(&arena, &reply.base, size);
}

uint8_t *answer_signings(const char *prefix, const struct answer_signing *signings, uint32_t count,
                         const struct answer_validator *validators, const struct answer_tail *tail,
                         size_t *size)
{
    struct arena arena;
    Kira__QuerySigningInfosResponse reply = KIRA__QUERY_SIGNING_INFOS_RESPONSE__INIT;
    arena_begin(&arena, ANSWER_BUDGET);
    reply.info = answer_take(&arena, count, sizeof *reply.info);
    for (uint32_t i = 0; i < count; i++) {
        reply.info[i] = answer_take(&arena, 1, sizeof **reply.info);
        signing_fill(&arena, prefix, &signings[i], reply.info[i]);
    }
    reply.n_info = count;
    if (validators) {
        reply.validators = query_validators_make(&arena, prefix, validators, count);
        reply.n_validators = count;
    }
    for (size_t i = 0; i < reply.n_validators; i++)
        reply.validators[i]->moniker = (ProtobufCBinaryData){0};
    reply.pagination = answer_tail(&arena, tail);
    return answer_pack(&arena, &reply.base, size);
}
