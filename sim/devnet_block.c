#include "sim/devnet_block.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/block.h"
#include "proto/merkle.h"
#include "proto/wire.h"

#define NANOS_PER_MS 1000000
#define NANOS_PER_S 1000000000

/* --- time --- */

struct time_stamp devnet_time_of_ms(int64_t unix_ms)
{
    int64_t rest = unix_ms % 1000;
    rest += rest < 0 ? 1000 : 0;
    return (struct time_stamp){(unix_ms - rest) / 1000, (int32_t)(rest * NANOS_PER_MS)};
}

int64_t devnet_time_ms(const struct time_stamp *time)
{
    return time->seconds * 1000 + time->nanos / NANOS_PER_MS;
}

int devnet_time_compare(const struct time_stamp *a, const struct time_stamp *b)
{
    if (a->seconds != b->seconds)
        return a->seconds < b->seconds ? -1 : 1;
    return (a->nanos > b->nanos) - (a->nanos < b->nanos);
}

static struct time_stamp at_least(struct time_stamp time, const struct time_stamp *behind)
{
    struct time_stamp least = {behind->seconds, behind->nanos + NANOS_PER_MS};
    if (least.nanos >= NANOS_PER_S) {
        least.seconds++;
        least.nanos -= NANOS_PER_S;
    }
    return devnet_time_compare(&time, &least) < 0 ? least : time;
}

struct time_stamp devnet_vote_time(const struct time_stamp *now, const struct time_stamp *block)
{
    return at_least(*now, block);
}

struct weighted {
    struct time_stamp time;
    int64_t power;
};

static int by_time(const void *a, const void *b)
{
    const struct weighted *x = a, *y = b;
    return devnet_time_compare(&x->time, &y->time);
}

/* The first, in ascending order, at which half of the power that signed (rounded down) is reached. */
static struct time_stamp weighted_median(struct weighted *votes, uint32_t count, int64_t total)
{
    int64_t left = total / 2;
    qsort(votes, count, sizeof *votes, by_time);
    for (uint32_t i = 0; i < count; i++) {
        if (left <= votes[i].power)
            return votes[i].time;
        left -= votes[i].power;
    }
    return (struct time_stamp){.seconds = TIME_STAMP_ZERO_S};
}

struct time_stamp devnet_block_time(const struct commit *commit, const struct member *members,
                                    const struct time_stamp *last)
{
    struct weighted *votes = calloc((size_t)commit->count + 1, sizeof *votes);
    uint32_t count = 0;
    int64_t total = 0;
    assert(votes);
    for (uint32_t i = 0; i < commit->count; i++) {
        if (commit->sigs[i].flag == COMMIT_ABSENT)
            continue;
        votes[count++] = (struct weighted){commit->sigs[i].time, members[i].power};
        total += members[i].power;
    }
    struct time_stamp median = weighted_median(votes, count, total);
    free(votes);
    return at_least(median, last);
}

/* --- a block --- */

int devnet_member_compare(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    if (x->power != y->power)
        return x->power > y->power ? -1 : 1;
    return memcmp(x->address, y->address, ADDRESS_SIZE);
}

void devnet_consensus_hash(uint8_t hash[HASH_SIZE])
{
    struct wire params = {0};
    wire_int(&params, 1, DEVNET_BLOCK_BYTES_MAX);
    wire_int(&params, 2, -1);
    struct digest *digest = digest_create();
    assert(digest); /* as in merkle.h */
    digest_sha256(digest, &(struct digest_piece){params.bytes, params.size}, 1, hash);
    digest_destroy(&digest);
}

uint32_t devnet_block_fit(const struct tx_bytes *txs, uint32_t count, uint32_t member_count)
{
    uint64_t used = BLOCK_OVERHEAD_MAX + BLOCK_HEADER_MAX + BLOCK_COMMIT_MAX(member_count);
    uint32_t fitting = 0;
    while (fitting < count) {
        used += block_tx_size(txs[fitting].size);
        if (used > DEVNET_BLOCK_BYTES_MAX)
            break;
        fitting++;
    }
    return fitting;
}

static void fill_header(const struct devnet_draft *draft, const struct commit *last_commit,
                        struct header *h)
{
    *h = (struct header){
        .version_block = DEVNET_BLOCK_VERSION,
        .height = draft->height,
        .time = draft->time,
        .last_block_id = last_commit->block_id,
        .app_hash_size = HASH_SIZE,
    };
    (void)snprintf(h->chain_id, sizeof h->chain_id, "%s", draft->chain_id);
    commit_hash(last_commit, h->last_commit_hash.bytes);
    data_hash(draft->txs, draft->tx_count, h->data_hash.bytes);
    members_hash(draft->members, draft->member_count, h->validators_hash.bytes);
    members_hash(draft->next_members, draft->next_count, h->next_validators_hash.bytes);
    devnet_consensus_hash(h->consensus_hash.bytes);
    data_hash(NULL, 0, h->evidence_hash.bytes);
    if (draft->first) {
        data_hash(NULL, 0, h->app_hash);
        results_hash(NULL, 0, h->last_results_hash.bytes);
    } else {
        memcpy(h->app_hash, draft->app_hash, HASH_SIZE);
        memcpy(h->last_results_hash.bytes, draft->last_results_hash, HASH_SIZE);
    }
    memcpy(h->proposer, draft->proposer, ADDRESS_SIZE);
}

bool devnet_block_make(const struct devnet_draft *draft, struct header *header, struct block_id *id,
                       uint64_t *size)
{
    struct commit none = {.block_id = {.hash.none = true, .parts_hash.none = true}};
    const struct commit *last_commit = draft->first ? &none : draft->last_commit;
    size_t bytes;
    assert(draft->first || (last_commit && last_commit->height == draft->height - 1));
    fill_header(draft, last_commit, header);
    uint8_t *block = block_encode(header, draft->txs, draft->tx_count, last_commit, &bytes);
    if (!block)
        return false;
    block_identify(header, block, bytes, id);
    *size = bytes;
    free(block);
    return true;
}

/* --- votes --- */

size_t devnet_vote_bytes(const struct devnet_ballot *ballot, uint8_t bytes[COMMIT_VOTE_MAX])
{
    struct commit_sig sig = {.flag = COMMIT_FOR_BLOCK, .time = ballot->time};
    struct commit commit = {
        .height = ballot->height,
        .round = ballot->round,
        .block_id = ballot->id,
        .sigs = &sig,
        .count = 1,
    };
    return commit_vote_bytes(&commit, ballot->chain_id, 0, bytes);
}

bool devnet_vote_sign(const struct devnet_ballot *ballot, const uint8_t seed[ED25519_KEY_SIZE],
                      uint8_t signature[ED25519_SIGNATURE_SIZE])
{
    uint8_t vote[COMMIT_VOTE_MAX];
    size_t size = devnet_vote_bytes(ballot, vote), signed_size = ED25519_SIGNATURE_SIZE;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_KEY_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = key && context && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
              EVP_DigestSign(context, signature, &signed_size, vote, size) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return ok;
}

bool devnet_vote_check(const struct devnet_ballot *ballot,
                       const uint8_t public_key[ED25519_KEY_SIZE],
                       const uint8_t signature[ED25519_SIGNATURE_SIZE])
{
    uint8_t vote[COMMIT_VOTE_MAX];
    size_t size = devnet_vote_bytes(ballot, vote);
    ERR_set_mark();
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, ED25519_KEY_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = key && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
              EVP_DigestVerify(context, signature, ED25519_SIGNATURE_SIZE, vote, size) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    ERR_pop_to_mark();
    return ok;
}
