#include "proto/header.h"

#include <assert.h>
#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "proto/encoding.h"
#include "proto/header_internal.h"
#include "proto/merkle.h"

#define PRECOMMIT 2 /* SignedMsgType */

/* --- the bytes that are hashed and signed --- */

static bool is_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i])
            return false;
    return true;
}

void header_wire_sig(struct wire *wire, const struct commit_sig *sig)
{
    assert(sig->signature_size <= sizeof sig->signature);
    struct wire time = {0};
    bool unnamed = sig->flag == COMMIT_ABSENT && is_zero(sig->address, ADDRESS_SIZE);
    wire_int(wire, 1, (int64_t)sig->flag);
    wire_bytes(wire, 2, sig->address, unnamed ? 0 : ADDRESS_SIZE);
    header_wire_time(&time, &sig->time);
    wire_message(wire, 3, &time);
    wire_bytes(wire, 4, sig->signature, sig->signature_size);
}

void commit_hash(const struct commit *commit, uint8_t hash[HASH_SIZE])
{
    struct merkle tree;
    merkle_begin(&tree);
    for (uint32_t i = 0; i < commit->count; i++) {
        struct wire wire = {0};
        header_wire_sig(&wire, &commit->sigs[i]);
        merkle_leaf(&tree, wire.bytes, wire.size);
    }
    merkle_root(&tree, hash);
}

/* CanonicalVote { type = 1, height = 2, round = 3, block_id = 4, timestamp = 5, chain_id = 6 }, with its
 * length before it. */
size_t commit_vote_bytes(const struct commit *commit, const char *chain_id, uint32_t index,
                         uint8_t bytes[COMMIT_VOTE_MAX])
{
    assert(index < commit->count && commit->sigs[index].flag != COMMIT_ABSENT);
    const struct commit_sig *sig = &commit->sigs[index];
    struct wire wire = {0}, inner = {0};
    wire_int(&wire, 1, PRECOMMIT);
    wire_sfixed64(&wire, 2, commit->height);
    wire_sfixed64(&wire, 3, commit->round);
    if (sig->flag == COMMIT_FOR_BLOCK) {
        header_wire_block_id(&inner, &commit->block_id);
        wire_message(&wire, 4, &inner);
        inner.size = 0;
    }
    header_wire_time(&inner, &sig->time);
    wire_message(&wire, 5, &inner);
    wire_bytes(&wire, 6, chain_id, strnlen(chain_id, HEADER_CHAIN_ID_MAX));
    size_t head = wire_varint(bytes, wire.size);
    assert(head + wire.size <= COMMIT_VOTE_MAX);
    memcpy(bytes + head, wire.bytes, wire.size);
    return head + wire.size;
}

/* --- the set --- */

static void address_of(struct digest *digest, const uint8_t public_key[ED25519_KEY_SIZE],
                       uint8_t address[ADDRESS_SIZE])
{
    uint8_t hash[HASH_SIZE];
    struct digest_piece piece = {public_key, ED25519_KEY_SIZE};
    digest_sha256(digest, &piece, 1, hash);
    memcpy(address, hash, ADDRESS_SIZE);
}

void member_address(const uint8_t public_key[ED25519_KEY_SIZE], uint8_t address[ADDRESS_SIZE])
{
    struct digest *digest = digest_create();
    assert(digest); /* as in merkle.h */
    address_of(digest, public_key, address);
    digest_destroy(&digest);
}

const struct member *members_misaddressed(const struct member *members, uint32_t count)
{
    const struct member *wrong = NULL;
    struct digest *digest = digest_create();
    assert(digest);
    for (uint32_t i = 0; i < count && !wrong; i++) {
        uint8_t address[ADDRESS_SIZE];
        address_of(digest, members[i].public_key, address);
        if (memcmp(address, members[i].address, ADDRESS_SIZE) != 0)
            wrong = &members[i];
    }
    digest_destroy(&digest);
    return wrong;
}

static int by_address(const void *a, const void *b)
{
    const struct member *const *x = a, *const *y = b;
    return memcmp((*x)->address, (*y)->address, ADDRESS_SIZE);
}

/* A member that is twice in `sorted`, or NULL. */
static const struct member *repeated(const struct member **sorted, uint32_t count)
{
    qsort(sorted, count, sizeof *sorted, by_address);
    for (uint32_t i = 1; i < count; i++)
        if (by_address(&sorted[i - 1], &sorted[i]) == 0)
            return sorted[i];
    return NULL;
}

/* A commit under verification. */
struct check {
    const struct commit *commit;
    const char *chain_id;
    const struct member *members;
    uint32_t count;
    struct fault *fault;
};

/* "commit of block 57: WHAT", of an entry or member: "validator 3, 2FEC..., WHAT". Returns false. */
static bool refuse(const struct check *c, const char *what)
{
    return fault_set(c->fault, "commit of block %" PRId64 ": %s", c->commit->height, what);
}

static bool refuse_member(const struct check *c, const struct member *member, const char *what)
{
    char address[HEX_TEXT(ADDRESS_SIZE)];
    hex_encode_upper(member->address, ADDRESS_SIZE, address);
    return fault_set(c->fault, "commit of block %" PRId64 ": validator %td, %s, %s",
                     c->commit->height, member - c->members + 1, address, what);
}

static bool check_unique(const struct check *c)
{
    const struct member **sorted = calloc((size_t)c->count + 1, sizeof *sorted);
    if (!sorted)
        return refuse(c, "memory is short");
    for (uint32_t i = 0; i < c->count; i++)
        sorted[i] = &c->members[i];
    const struct member *twice = repeated(sorted, c->count);
    free(sorted);
    return !twice || refuse_member(c, twice, "is in the set twice");
}

/* Also the set's power, which then cannot overflow, not even three times. */
static bool check_members(const struct check *c, int64_t *total)
{
    *total = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        int64_t power = c->members[i].power;
        if (power < 1 || power > COMMIT_POWER_MAX - *total)
            return refuse_member(c, &c->members[i], "has an impossible voting power");
        *total += power;
    }
    const struct member *wrong = members_misaddressed(c->members, c->count);
    if (wrong)
        return refuse_member(c, wrong, "has an address that is not its key's");
    return check_unique(c);
}

/* --- one entry --- */

/* A failure leaves nothing in OpenSSL's queue, where a TLS connection would find it. */
static bool signed_by(const uint8_t key[ED25519_KEY_SIZE], const uint8_t *bytes, size_t size,
                      const struct commit_sig *sig)
{
    ERR_set_mark();
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, ED25519_KEY_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = pkey && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, pkey) == 1 &&
              EVP_DigestVerify(context, sig->signature, sig->signature_size, bytes, size) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(pkey);
    ERR_pop_to_mark();
    return ok;
}

static bool check_absent(const struct check *c, uint32_t i)
{
    const struct commit_sig *sig = &c->commit->sigs[i];
    if (sig->signature_size || !is_zero(sig->address, ADDRESS_SIZE) ||
        sig->time.seconds != TIME_STAMP_ZERO_S || sig->time.nanos != 0)
        return refuse_member(c, &c->members[i], "is absent but has a signature, address or time");
    return true;
}

static bool check_sig(const struct check *c, uint32_t i)
{
    const struct commit_sig *sig = &c->commit->sigs[i];
    const struct member *member = &c->members[i];
    uint8_t vote[COMMIT_VOTE_MAX];
    if (sig->flag == COMMIT_ABSENT)
        return check_absent(c, i);
    if (sig->flag != COMMIT_FOR_BLOCK && sig->flag != COMMIT_NIL)
        return refuse_member(c, member, "has an unknown block_id_flag");
    if (memcmp(sig->address, member->address, ADDRESS_SIZE) != 0)
        return refuse_member(c, member, "has the entry of another validator_address in its place");
    size_t size = commit_vote_bytes(c->commit, c->chain_id, i, vote);
    if (sig->signature_size != ED25519_SIGNATURE_SIZE ||
        !signed_by(member->public_key, vote, size, sig))
        return refuse_member(c, member, "has a wrong signature");
    return true;
}

/* --- the commit --- */

static bool check_shape(const struct check *c, const struct block_id *block_id, int64_t height)
{
    const struct commit *commit = c->commit;
    if (commit->height != height)
        return fault_set(c->fault, "commit of block %" PRId64 ": its height is %" PRId64, height,
                         commit->height);
    if (commit->round < 0)
        return refuse(c, "its round is negative");
    if (commit->block_id.hash.none || !hash_equal(&commit->block_id.hash, &block_id->hash))
        return refuse(c, "its block_id.hash is not the block's");
    if (!block_id_equal(&commit->block_id, block_id))
        return refuse(c, "its block_id.parts are not the block's");
    if (commit->count != c->count)
        return fault_set(c->fault,
                         "commit of block %" PRId64 ": it has %" PRIu32 " signatures, the set has "
                         "%" PRIu32 " validators",
                         height, commit->count, c->count);
    return true;
}

bool commit_verify(const struct commit *commit, const char *chain_id,
                   const struct block_id *block_id, int64_t height, const struct member *members,
                   uint32_t count, struct fault *fault)
{
    struct check c = {commit, chain_id, members, count, fault};
    int64_t total, have = 0;
    if (!check_shape(&c, block_id, height) || !check_members(&c, &total))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!check_sig(&c, i))
            return false;
        have += commit->sigs[i].flag == COMMIT_FOR_BLOCK ? members[i].power : 0;
    }
    if (have * 3 > total * 2)
        return true;
    return fault_set(fault,
                     "commit of block %" PRId64 ": power %" PRId64 " of %" PRId64
                     " has signed it, more than two thirds are needed",
                     height, have, total);
}
