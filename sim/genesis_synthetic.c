#include "sim/genesis.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#define GENESIS_TIME_MS INT64_C(1735689600000) /* 2025-01-01, as good as any */
#define RANK_SPAN 100000

static uint64_t random_next(uint64_t *state) /* splitmix64 */
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Below `bound`; the bias of the remainder is far below what a simulation could show. */
static uint64_t random_below(uint64_t *state, uint64_t bound)
{
    return random_next(state) % bound;
}

static void seed_hash(const char *chain_id, uint32_t index, uint8_t hash[SHA256_DIGEST_LENGTH])
{
    char text[CHAIN_ID_MAX + 16];
    int length = snprintf(text, sizeof(text), "%s/%u", chain_id, index);
    assert(length > 0 && (size_t)length < sizeof(text));
    SHA256((const uint8_t *)text, (size_t)length, hash);
}

static void statuses_deal(struct model_record *records, uint32_t active, uint32_t inactive,
                          uint32_t paused, uint32_t count, uint64_t *random)
{
    for (uint32_t i = 0; i < count; i++) {
        records[i].status = i < active                       ? STATUS_ACTIVE
                            : i < active + inactive          ? STATUS_INACTIVE
                            : i < active + inactive + paused ? STATUS_PAUSED
                                                             : STATUS_JAILED;
    }
    for (uint32_t i = count - 1; i > 0; i--) {
        uint32_t j = (uint32_t)random_below(random, i + 1);
        enum model_status status = records[i].status;
        records[i].status = records[j].status;
        records[j].status = status;
    }
}

/* A past that fits the status: who is inactive lost half its rank and all of its streak, and some
 * of them may activate at once while others still wait. */
static void past_invent(struct model_record *record, const struct model_properties *properties,
                        uint64_t *random)
{
    uint64_t rank = random_below(random, RANK_SPAN), streak = random_below(random, rank + 1);
    uint64_t wait_ms = properties->downtime_inactive_s * 1000;
    uint64_t until = random_below(random, 2 * wait_ms + 1);
    bool stopped = record->status == STATUS_INACTIVE || record->status == STATUS_JAILED;
    record->rank = (int64_t)(stopped ? rank / 2 : rank);
    record->streak = (int64_t)(stopped ? 0 : streak);
    record->produced_blocks = rank;
    record->missed_blocks = random_below(random, rank / 100 + 1);
    if (record->status == STATUS_INACTIVE) {
        record->inactive_until_ms = GENESIS_TIME_MS - (int64_t)wait_ms + (int64_t)until;
    }
}

void genesis_synthetic(struct genesis *genesis, const char *chain_id, uint32_t active,
                       uint32_t inactive, uint32_t paused, uint32_t jailed, uint64_t min_validators)
{
    uint64_t count = (uint64_t)active + inactive + paused + jailed, random = 0;
    uint8_t hash[SHA256_DIGEST_LENGTH];
    assert(count >= 1 && count <= VIEW_VALIDATORS_MAX);
    assert(chain_id[0] != '\0' && strlen(chain_id) < CHAIN_ID_MAX);
    memset(genesis, 0, sizeof(*genesis));
    genesis->kind = CHAIN_KIRA;
    strcpy(genesis->chain_id, chain_id);
    genesis->initial_height = 1;
    genesis->genesis_time_ms = GENESIS_TIME_MS;
    genesis->properties = model_properties_default(
        min_validators == 0 ? (uint64_t)active * 2 / 3 + 1 : min_validators);
    genesis->records = calloc(count, sizeof(*genesis->records));
    assert(genesis->records != NULL);
    genesis->record_count = (uint32_t)count;
    seed_hash(chain_id, UINT32_MAX, hash);
    for (int i = 0; i < 8; i++) {
        random = random << 8 | hash[i];
    }
    statuses_deal(genesis->records, active, inactive, paused, genesis->record_count, &random);
    for (uint32_t i = 0; i < genesis->record_count; i++) {
        struct model_record *record = &genesis->records[i];
        seed_hash(chain_id, i, hash);
        memcpy(record->address, hash, ADDRESS_SIZE);
        snprintf(record->moniker, sizeof(record->moniker), "val-%04u", i);
        record->power = 1;
        record->balance = GENESIS_BALANCE_DEFAULT;
        past_invent(record, &genesis->properties, &random);
    }
}
