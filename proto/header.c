#include "proto/header.h"

#include <assert.h>
#include <string.h>

#include "proto/header_internal.h"
#include "proto/merkle.h"

bool hash_equal(const struct hash *a, const struct hash *b)
{
    if (a->none || b->none)
        return a->none && b->none;
    return memcmp(a->bytes, b->bytes, HASH_SIZE) == 0;
}

bool block_id_equal(const struct block_id *a, const struct block_id *b)
{
    return hash_equal(&a->hash, &b->hash) && a->parts_total == b->parts_total &&
           hash_equal(&a->parts_hash, &b->parts_hash);
}

void header_wire_hash(struct wire *wire, uint32_t field, const struct hash *hash)
{
    wire_bytes(wire, field, hash->bytes, hash->none ? 0 : HASH_SIZE);
}

void header_wire_time(struct wire *wire, const struct time_stamp *time)
{
    wire_int(wire, 1, time->seconds);
    wire_int(wire, 2, time->nanos);
}

void header_wire_block_id(struct wire *wire, const struct block_id *id)
{
    struct wire parts = {0};
    wire_uint(&parts, 1, id->parts_total);
    header_wire_hash(&parts, 2, &id->parts_hash);
    header_wire_hash(wire, 1, &id->hash);
    wire_message(wire, 2, &parts);
}

/* --- a header: the tree of its fields --- */

static void leaf(struct merkle *tree, struct wire *wire)
{
    merkle_leaf(tree, wire->bytes, wire->size);
    wire->size = 0;
}

/* Single values are wrapped in a message with field 1; a hash that is none is an empty leaf. */
static void hash_leaf(struct merkle *tree, const struct hash *hash)
{
    struct wire wire = {0};
    header_wire_hash(&wire, 1, hash);
    leaf(tree, &wire);
}

static void bytes_leaf(struct merkle *tree, const void *bytes, size_t size)
{
    struct wire wire = {0};
    wire_bytes(&wire, 1, bytes, size);
    leaf(tree, &wire);
}

static void first_leaves(struct merkle *tree, const struct header *header)
{
    struct wire wire = {0};
    wire_uint(&wire, 1, header->version_block);
    wire_uint(&wire, 2, header->version_app);
    leaf(tree, &wire);
    bytes_leaf(tree, header->chain_id, strnlen(header->chain_id, HEADER_CHAIN_ID_MAX));
    wire_int(&wire, 1, header->height);
    leaf(tree, &wire);
    header_wire_time(&wire, &header->time);
    leaf(tree, &wire);
    header_wire_block_id(&wire, &header->last_block_id);
    leaf(tree, &wire);
}

void header_hash(const struct header *header, uint8_t hash[HASH_SIZE])
{
    assert(header->app_hash_size <= sizeof header->app_hash);
    struct merkle tree;
    merkle_begin(&tree);
    first_leaves(&tree, header);
    hash_leaf(&tree, &header->last_commit_hash);
    hash_leaf(&tree, &header->data_hash);
    hash_leaf(&tree, &header->validators_hash);
    hash_leaf(&tree, &header->next_validators_hash);
    hash_leaf(&tree, &header->consensus_hash);
    bytes_leaf(&tree, header->app_hash, header->app_hash_size);
    hash_leaf(&tree, &header->last_results_hash);
    hash_leaf(&tree, &header->evidence_hash);
    bytes_leaf(&tree, header->proposer, ADDRESS_SIZE);
    merkle_root(&tree, hash);
}

/* --- what a header binds --- */

/* SimpleValidator { PublicKey = 1 { ed25519 = 1 }, voting_power = 2 } */
void members_hash(const struct member *members, uint32_t count, uint8_t hash[HASH_SIZE])
{
    struct merkle tree;
    merkle_begin(&tree);
    for (uint32_t i = 0; i < count; i++) {
        struct wire key = {0}, wire = {0};
        wire_bytes(&key, 1, members[i].public_key, ED25519_KEY_SIZE);
        wire_message(&wire, 1, &key);
        wire_int(&wire, 2, members[i].power);
        leaf(&tree, &wire);
    }
    merkle_root(&tree, hash);
}

/* The leaves are the transactions' hashes, not the transactions. */
void data_hash(const struct tx_bytes *txs, uint32_t count, uint8_t hash[HASH_SIZE])
{
    struct merkle tree;
    merkle_begin(&tree);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t tx[HASH_SIZE];
        struct digest_piece piece = {txs[i].bytes, txs[i].size};
        digest_sha256(tree.digest, &piece, 1, tx);
        merkle_leaf(&tree, tx, HASH_SIZE);
    }
    merkle_root(&tree, hash);
}

/* ExecTxResult { code = 1, data = 2, gas_wanted = 5, gas_used = 6 }, the rest left out. Data may be of any
 * size and is hashed where it lies. */
static void result_leaf(struct merkle *tree, const struct tx_result *result)
{
    struct wire before = {0}, after = {0};
    wire_uint(&before, 1, result->code);
    wire_bytes_head(&before, 2, result->data_size);
    wire_int(&after, 5, result->gas_wanted);
    wire_int(&after, 6, result->gas_used);
    struct digest_piece pieces[] = {
        {before.bytes, before.size},
        {result->data, result->data_size},
        {after.bytes, after.size},
    };
    merkle_leaf_pieces(tree, pieces, 3);
}

void results_hash(const struct tx_result *results, uint32_t count, uint8_t hash[HASH_SIZE])
{
    struct merkle tree;
    merkle_begin(&tree);
    for (uint32_t i = 0; i < count; i++)
        result_leaf(&tree, &results[i]);
    merkle_root(&tree, hash);
}
