#include "tests/light_world.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 4 /* entries of a list among the spots */

/* --- keys: the seed of a member's key is its number --- */

static EVP_PKEY *make_key(uint32_t number)
{
    uint8_t seed[ED25519_KEY_SIZE] = {0};
    memcpy(seed, &number, sizeof number);
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);
    assert(key);
    return key;
}

static struct member make_member(uint32_t number, int64_t power)
{
    struct member member = {.power = power};
    size_t size = ED25519_KEY_SIZE;
    EVP_PKEY *key = make_key(number);
    int ok = EVP_PKEY_get_raw_public_key(key, member.public_key, &size);
    assert(ok);
    EVP_PKEY_free(key);
    member_address(member.public_key, member.address);
    return member;
}

static EVP_PKEY *key_of(const struct member *member)
{
    for (uint32_t number = 0; number < 2 * LIGHT_MEMBERS_MAX; number++) {
        struct member candidate = make_member(number, 1);
        if (memcmp(candidate.public_key, member->public_key, ED25519_KEY_SIZE) == 0)
            return make_key(number);
    }
    abort(); /* nobody's key */
}

static void sign_with(EVP_PKEY *key, struct commit *commit, const char *chain_id, uint32_t index)
{
    struct commit_sig *sig = &commit->sigs[index];
    uint8_t vote[COMMIT_VOTE_MAX];
    size_t size = commit_vote_bytes(commit, chain_id, index, vote);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    sig->signature_size = ED25519_SIGNATURE_SIZE;
    int ok = EVP_DigestSignInit(context, NULL, NULL, NULL, key);
    ok &= EVP_DigestSign(context, sig->signature, &sig->signature_size, vote, size);
    assert(ok);
    EVP_MD_CTX_free(context);
}

void light_world_sign(struct commit *commit, const char *chain_id, const struct member *members,
                      uint32_t index)
{
    EVP_PKEY *key = key_of(&members[index]);
    sign_with(key, commit, chain_id, index);
    EVP_PKEY_free(key);
}

/* --- making --- */

static void fill(void *bytes, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)(seed * 31 + i * 7 + 1);
}

static void make_lists(struct light_world *w)
{
    for (uint32_t i = 0; i < LIGHT_TXS; i++) {
        fill(w->tx_memory[i], LIGHT_TX_SIZE, 40 + i);
        fill(w->data_memory[i], LIGHT_TX_SIZE, 50 + i);
        w->txs[i] = (struct tx_bytes){w->tx_memory[i], LIGHT_TX_SIZE - i};
        w->results[i] =
            (struct tx_result){i, w->data_memory[i], LIGHT_TX_SIZE - i, 200000, 70000 + i};
    }
}

static void make_header(const struct light_world *w, struct header *header, int64_t height)
{
    memset(header, 0, sizeof *header);
    header->version_block = 11;
    header->version_app = 1;
    (void)snprintf(header->chain_id, sizeof header->chain_id, "light-1");
    header->height = height;
    header->time = (struct time_stamp){1700000000 + height, 5000};
    fill(header->consensus_hash.bytes, HASH_SIZE, 1);
    header->app_hash_size = 32;
    fill(header->app_hash, header->app_hash_size, 2);
    memcpy(header->proposer, w->members[0].address, ADDRESS_SIZE);
    data_hash(NULL, 0, header->evidence_hash.bytes);
}

static void make_id(const struct header *header, struct block_id *id)
{
    header_hash(header, id->hash.bytes);
    id->parts_total = 3;
    fill(id->parts_hash.bytes, HASH_SIZE, (unsigned)header->height);
}

/* Entry 1 is absent, entry 2 for nil, where `gaps`. `first` is the number of the first member's key. */
static void make_commit(struct commit *commit, const struct header *header,
                        const struct block_id *id, const struct member *members, uint32_t first,
                        bool gaps)
{
    commit->height = header->height;
    commit->round = 1;
    commit->block_id = *id;
    for (uint32_t i = 0; i < commit->count; i++) {
        struct commit_sig *sig = &commit->sigs[i];
        sig->time = (struct time_stamp){TIME_STAMP_ZERO_S, 0};
        sig->flag = !gaps || i == 0 || i > 2 ? COMMIT_FOR_BLOCK
                    : i == 1                 ? COMMIT_ABSENT
                                             : COMMIT_NIL;
        if (sig->flag == COMMIT_ABSENT)
            continue;
        EVP_PKEY *key = make_key(first + i);
        memcpy(sig->address, members[i].address, ADDRESS_SIZE);
        sig->time = (struct time_stamp){header->time.seconds + 1, 1000 + (int32_t)i};
        sign_with(key, commit, header->chain_id, i);
        EVP_PKEY_free(key);
    }
}

/* The next set: the same people, the second one gone and a new one at the end. Entries 1 and 2, which do not
 * sign, have little power. */
static void make_sets(struct light_world *w)
{
    for (uint32_t i = 0; i < w->count; i++) {
        w->members[i] = make_member(i, i == 1 || i == 2 ? 1 : 100);
        w->next_members[i] = make_member(i + 1, 10 + i);
    }
    w->last_commit = (struct commit){.sigs = w->last_sigs, .count = w->count};
    w->commit = (struct commit){.sigs = w->sigs, .count = w->count};
}

void light_world_make(struct light_world *w, uint32_t count)
{
    assert(count >= 4 && count <= LIGHT_MEMBERS_MAX);
    memset(w, 0, sizeof *w);
    w->count = count;
    make_sets(w);
    make_lists(w);
    make_header(w, &w->before, 7);
    make_header(w, &w->now, 8);
    fill(&w->before.last_block_id.hash.bytes, HASH_SIZE, 3);
    members_hash(w->members, count, w->before.validators_hash.bytes);
    members_hash(w->next_members, count, w->before.next_validators_hash.bytes);
    make_id(&w->before, &w->before_id);
    make_commit(&w->last_commit, &w->before, &w->before_id, w->members, 0, true);
    w->now.last_block_id = w->before_id;
    w->now.validators_hash = w->before.next_validators_hash;
    w->now.next_validators_hash = w->before.validators_hash;
    commit_hash(&w->last_commit, w->now.last_commit_hash.bytes);
    data_hash(w->txs, LIGHT_TXS, w->now.data_hash.bytes);
    results_hash(w->results, LIGHT_TXS, w->now.last_results_hash.bytes);
    make_id(&w->now, &w->now_id);
    make_commit(&w->commit, &w->now, &w->now_id, w->next_members, 1, false);
}

/* --- checking --- */

bool light_world_check(const struct light_world *w, struct fault *fault)
{
    const struct commit *last = &w->last_commit;
    return header_check_id(&w->before, &w->before_id, fault) &&
           header_check_id(&w->now, &w->now_id, fault) &&
           header_check_next_header(&w->before, &w->now, fault) &&
           header_check_members(&w->before, w->members, w->count, fault) &&
           header_check_next(&w->before, w->next_members, w->count, fault) &&
           header_check_members(&w->now, w->next_members, w->count, fault) &&
           header_check_commit(&w->now, last, fault) &&
           header_check_data(&w->now, w->txs, LIGHT_TXS, fault) &&
           header_check_results(&w->now, w->results, LIGHT_TXS, fault) &&
           header_check_evidence(&w->now, 0, fault) &&
           commit_verify(last, w->before.chain_id, &w->before_id, 7, w->members, w->count, fault) &&
           commit_verify(&w->commit, w->now.chain_id, &w->now_id, 8, w->next_members, w->count,
                         fault);
}

/* --- spots --- */

struct list {
    struct light_spot *spots;
    uint32_t count;
};

static void add(struct list *list, const char *name, void *bytes, size_t size, const char *fault)
{
    assert(list->count < LIGHT_SPOTS_MAX);
    list->spots[list->count++] = (struct light_spot){name, bytes, size, fault};
}

#define ADD(list, object, field, fault)                                                            \
    add(list, #object "->" #field, &(object)->field, sizeof(object)->field, fault)
#define ADD_HASH(list, object, field, fault) ADD(list, object, field.bytes, fault)

static void add_header(struct list *list, struct header *header, const char *fault)
{
    ADD(list, header, version_block, fault);
    ADD(list, header, version_app, fault);
    add(list, "header->chain_id", header->chain_id, strlen(header->chain_id), fault);
    ADD(list, header, height, fault);
    ADD(list, header, time.seconds, fault);
    ADD(list, header, time.nanos, fault);
    ADD_HASH(list, header, last_block_id.hash, fault);
    ADD(list, header, last_block_id.parts_total, fault);
    ADD_HASH(list, header, last_block_id.parts_hash, fault);
    ADD_HASH(list, header, last_commit_hash, fault);
    ADD_HASH(list, header, data_hash, fault);
    ADD_HASH(list, header, validators_hash, fault);
    ADD_HASH(list, header, next_validators_hash, fault);
    ADD_HASH(list, header, consensus_hash, fault);
    add(list, "header->app_hash", header->app_hash, header->app_hash_size, fault);
    ADD_HASH(list, header, last_results_hash, fault);
    ADD_HASH(list, header, evidence_hash, fault);
    ADD(list, header, proposer, fault);
}

static void add_id(struct list *list, struct block_id *id, const char *parts_fault)
{
    ADD_HASH(list, id, hash, "its header does not match block_id.hash");
    ADD(list, id, parts_total, parts_fault);
    ADD_HASH(list, id, parts_hash, parts_fault);
}

static void add_commit(struct list *list, struct commit *commit, const char *of_entry,
                       const char *of_rest)
{
    ADD(list, commit, height, of_rest);
    ADD(list, commit, round, "commit of block");
    ADD_HASH(list, commit, block_id.hash, of_rest);
    ADD(list, commit, block_id.parts_total, of_rest);
    ADD_HASH(list, commit, block_id.parts_hash, of_rest);
    for (uint32_t i = 0; i < SHOWN; i++) {
        struct commit_sig *sig = &commit->sigs[i];
        ADD(list, sig, flag, of_entry);
        ADD(list, sig, address, of_entry);
        ADD(list, sig, time.seconds, of_entry);
        ADD(list, sig, time.nanos, of_entry);
        add(list, "sig->signature", sig->signature, sig->signature_size, of_entry);
    }
}

static void add_members(struct list *list, struct member *members, const char *fault)
{
    for (uint32_t i = 0; i < SHOWN; i++) {
        struct member *member = &members[i];
        ADD(list, member, public_key, fault);
        ADD(list, member, power, fault);
        ADD(list, member, address, "is not its key's");
    }
}

static void add_lists(struct list *list, struct light_world *w)
{
    for (uint32_t i = 0; i < LIGHT_TXS; i++) {
        struct tx_result *result = &w->results[i];
        const char *fault =
            "block 8: the results of the block before do not match last_results_hash";
        add(list, "tx", w->tx_memory[i], w->txs[i].size,
            "block 8: its transactions do not match data_hash");
        add(list, "data", w->data_memory[i], result->data_size, fault);
        ADD(list, result, code, fault);
        ADD(list, result, gas_wanted, fault);
        ADD(list, result, gas_used, fault);
    }
}

uint32_t light_world_spots(struct light_world *w, struct light_spot spots[LIGHT_SPOTS_MAX])
{
    struct list list = {spots, 0};
    add_header(&list, &w->before, "its header does not match block_id.hash");
    add_header(&list, &w->now, "its header does not match block_id.hash");
    add_id(&list, &w->before_id, "commit of block 7: its block_id.parts are not the block's");
    add_id(&list, &w->now_id, "commit of block 8: its block_id.parts are not the block's");
    add_members(&list, w->members, "block 7: its validators do not match validators_hash");
    add_members(&list, w->next_members,
                "block 7: the validators of the next block do not match next_validators_hash");
    add_commit(&list, &w->last_commit, "block 8: its last commit does not match last_commit_hash",
               "block 8: its last commit is ");
    add_commit(&list, &w->commit, "commit of block 8: validator ", "commit of block 8: its ");
    add_lists(&list, w);
    return list.count;
}
