#include "tests/made_chain.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "made_chain: %s\n", #condition);                                       \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#define START_S 1795000000
#define BLOCK_MS 5300

/* --- random numbers: splitmix64 --- */

static uint64_t random64(struct made *made)
{
    uint64_t z = made->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint32_t made_random(struct made *made, uint32_t below)
{
    return (uint32_t)(random64(made) % below);
}

void made_bytes(struct made *made, uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)random64(made);
}

static void random_hash(struct made *made, struct hash *hash)
{
    hash->none = false;
    made_bytes(made, hash->bytes, HASH_SIZE);
}

/* --- sets --- */

/* The chain's order: the most power first, then by address. */
static int place(const struct made *made, uint32_t a, uint32_t b)
{
    const struct member *x = &made->validators[a].member, *y = &made->validators[b].member;
    if (x->power != y->power)
        return x->power > y->power ? -1 : 1;
    return memcmp(x->address, y->address, ADDRESS_SIZE);
}

void made_set_put(struct made *made, struct made_set *set, uint32_t validator, bool in)
{
    struct made_set old = *set;
    set->count = 0;
    bool placed = !in;
    for (uint32_t i = 0; i < old.count; i++) {
        if (old.list[i] == validator)
            continue;
        if (!placed && place(made, validator, old.list[i]) < 0) {
            set->list[set->count++] = validator;
            placed = true;
        }
        set->list[set->count++] = old.list[i];
    }
    if (!placed)
        set->list[set->count++] = validator;
}

void made_members(const struct made *made, const struct made_set *set, struct member *members)
{
    for (uint32_t i = 0; i < set->count; i++)
        members[i] = made->validators[set->list[i]].member;
}

static struct hash set_hash(const struct made *made, const struct made_set *set)
{
    struct member members[MADE_VALIDATORS_MAX];
    struct hash hash = {.none = false};
    made_members(made, set, members);
    members_hash(members, set->count, hash.bytes);
    return hash;
}

/* --- the beginning --- */

static void make_validator(struct made *made, uint32_t i)
{
    struct made_validator *v = &made->validators[i];
    uint8_t seed[ED25519_KEY_SIZE];
    size_t size = ED25519_KEY_SIZE;
    made_bytes(made, seed, sizeof seed);
    v->signing = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);
    CHECK(v->signing && EVP_PKEY_get_raw_public_key(v->signing, v->member.public_key, &size));
    member_address(v->member.public_key, v->member.address);
    v->member.power = made->config.chain == CHAIN_DCL ? 10 : 1;
    if (made->config.unequal)
        v->member.power += i % 3;
    do
        made_bytes(made, v->key, sizeof v->key);
    while (!account_public(v->key, v->public_key));
    account_address(v->public_key, v->account);
    snprintf(v->moniker, sizeof v->moniker, "v%u", i);
    v->claimed = v->active = i + made->config.late < made->config.validators;
}

struct made *made_create(const struct made_config *config)
{
    CHECK(config->validators <= MADE_VALIDATORS_MAX && config->late + 4 <= config->validators);
    struct made *made = calloc(1, sizeof *made);
    CHECK(made);
    made->config = *config;
    made->random = config->seed;
    made->height = config->first - 1;
    for (uint32_t i = 0; i < config->validators; i++) {
        make_validator(made, i);
        if (made->validators[i].claimed)
            made_set_put(made, &made->next, i, true);
    }
    made->after = made->next;
    return made;
}

static void drop_txs(struct made *made)
{
    for (uint32_t i = 0; i < made->tx_count; i++)
        free(made->txs[i].bytes);
    made->tx_count = 0;
}

void made_destroy(struct made **made)
{
    for (uint32_t i = 0; i < (*made)->config.validators; i++)
        EVP_PKEY_free((*made)->validators[i].signing);
    drop_txs(*made);
    free(*made);
    *made = NULL;
}

/* --- the last commit --- */

static void sign(struct made *made, uint32_t i)
{
    uint8_t vote[COMMIT_VOTE_MAX];
    struct commit_sig *sig = &made->sigs[i];
    size_t size = commit_vote_bytes(&made->last_commit, made->header.chain_id, i, vote);
    bool forged = made->config.fork && made->height > made->config.fork;
    uint32_t signer = made->before.list[forged ? (i + 1) % made->before.count : i];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    sig->signature_size = ED25519_SIGNATURE_SIZE;
    CHECK(ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, made->validators[signer].signing) == 1 &&
          EVP_DigestSign(ctx, sig->signature, &sig->signature_size, vote, size) == 1);
    EVP_MD_CTX_free(ctx);
}

/* Who is silent for a while follows from the height, so that silences last; never a third of the power. */
static enum commit_flag flag_of(struct made *made, uint32_t i, int64_t *away, int64_t power)
{
    const struct made_validator *v = &made->validators[made->before.list[i]];
    uint64_t phase = (made->height / 6 + made->before.list[i] * 5) % 17;
    enum commit_flag flag = phase == 0                   ? COMMIT_ABSENT
                            : made_random(made, 40) == 0 ? COMMIT_NIL
                            : made_random(made, 40) == 0 ? COMMIT_ABSENT
                                                         : COMMIT_FOR_BLOCK;
    if (made->config.busy == 0 || 3 * (*away + v->member.power) >= power)
        return COMMIT_FOR_BLOCK;
    *away += flag == COMMIT_FOR_BLOCK ? 0 : v->member.power;
    return flag;
}

static void make_commit(struct made *made)
{
    int64_t away = 0, power = 0;
    made->last_commit = (struct commit){.block_id = {.hash.none = true, .parts_hash.none = true}};
    if (made->height == made->config.first)
        return;
    made->last_commit = (struct commit){
        .height = (int64_t)made->height - 1,
        .round = made_random(made, 12) == 0,
        .block_id = made->last_id,
        .sigs = made->sigs,
        .count = made->before.count,
    };
    for (uint32_t i = 0; i < made->before.count; i++)
        power += made->validators[made->before.list[i]].member.power;
    for (uint32_t i = 0; i < made->before.count; i++) {
        struct commit_sig *sig = &made->sigs[i];
        *sig = (struct commit_sig){.flag = flag_of(made, i, &away, power),
                                   .time = {.seconds = TIME_STAMP_ZERO_S}};
        if (sig->flag == COMMIT_ABSENT)
            continue;
        memcpy(sig->address, made->validators[made->before.list[i]].member.address, ADDRESS_SIZE);
        sig->time = made->header.time;
        sig->time.nanos = (int32_t)made_random(made, 1000000000);
        sign(made, i);
    }
}

/* --- a block --- */

static void make_header(struct made *made)
{
    struct header *h = &made->header;
    int64_t ms = (int64_t)(made->height - made->config.first) * BLOCK_MS + made_random(made, 700);
    *h = (struct header){
        .version_block = 11,
        .height = (int64_t)made->height,
        .time = {START_S + ms / 1000, (int32_t)(ms % 1000 * 1000000)},
        .last_block_id = {.hash.none = true, .parts_hash.none = true},
        .app_hash_size = HASH_SIZE,
    };
    if (made->height > made->config.first)
        h->last_block_id = made->last_id;
    snprintf(h->chain_id, sizeof h->chain_id, "%s", made->config.charter.chain_id);
    h->validators_hash = set_hash(made, &made->now);
    h->next_validators_hash = set_hash(made, &made->next);
    memset(h->consensus_hash.bytes, 0xc0, HASH_SIZE);
    made_bytes(made, h->app_hash, HASH_SIZE);
    memcpy(h->proposer, made->validators[made->now.list[0]].member.address, ADDRESS_SIZE);
    data_hash(NULL, 0, h->evidence_hash.bytes);
}

static void bind(struct made *made)
{
    struct header *h = &made->header;
    struct tx_bytes txs[MADE_TXS_MAX];
    for (uint32_t i = 0; i < made->tx_count; i++)
        txs[i] = (struct tx_bytes){made->txs[i].bytes, made->txs[i].size};
    data_hash(txs, made->tx_count, h->data_hash.bytes);
    commit_hash(&made->last_commit, h->last_commit_hash.bytes);
    results_hash(made->last_results, made->last_result_count, h->last_results_hash.bytes);
    header_hash(h, made->id.hash.bytes);
    made->id.hash.none = false;
    made->id.parts_total = 1;
    random_hash(made, &made->id.parts_hash);
}

static void keep_results(struct made *made)
{
    for (uint32_t i = 0; i < made->tx_count; i++) {
        made->last_results[i] = made->txs[i].result;
        CHECK(made->txs[i].result.data_size == 0);
    }
    made->last_result_count = made->tx_count;
}

bool made_next(struct made *made)
{
    if (made->height + 1 >= made->config.first + made->config.blocks)
        return false;
    keep_results(made);
    made->last_id = made->id;
    made->height++;
    if (made->config.fork && made->height == made->config.fork)
        made->random ^= UINT64_C(0xf0);
    made->before = made->now;
    made->now = made->next;
    made->next = made->after;
    drop_txs(made);
    made_transactions(made);
    make_header(made);
    make_commit(made);
    bind(made);
    return true;
}
