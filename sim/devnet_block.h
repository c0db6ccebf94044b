/* A devnet's blocks: header, last commit, parts and id as CometBFT 0.37 computes them, votes, and the time of a
 * block. Pure: no clock, no socket, no file.
 *
 *     header h:  time = weighted median of the last commit's times (genesis time for the first block)
 *                last_block_id, last_commit_hash   of h - 1; the first has none, and the hash of no signatures
 *                consensus_hash   of the parameters that sekai starts with
 *                app_hash, last_results_hash   of h - 1; SHA-256 of nothing for the first
 *     id:        hash = header's; parts: the whole block in protobuf, cut into pieces of 64 KiB, a Merkle tree
 *
 * A commit's entries, a set's members and everything hashed of them are in CometBFT's order: the most power
 * first, then ascending by address.
 */
#ifndef STAGGER_SIM_DEVNET_BLOCK_H
#define STAGGER_SIM_DEVNET_BLOCK_H

#include "proto/header.h"

#define DEVNET_BLOCK_VERSION 11
#define DEVNET_BLOCK_BYTES_MAX 22020096 /* consensus parameter block.max_bytes; max_gas is -1 */

/* What the next block is made of. */
struct devnet_draft {
    const char *chain_id;
    int64_t height;
    bool first;                       /* of the chain */
    struct time_stamp time;           /* devnet_block_time(), or the genesis's */
    const struct commit *last_commit; /* of height - 1, and its block id; not read: first */
    const struct member *members, *next_members; /* V(h), V(h + 1) */
    uint32_t member_count, next_count;
    uint8_t app_hash[HASH_SIZE], last_results_hash[HASH_SIZE]; /* not read: first */
    const uint8_t *proposer;                                   /* address */
    const struct tx_bytes *txs;
    uint32_t tx_count;
};

/* Fills header, id and the block's size in bytes. False when memory is short. */
MUST_CHECK bool devnet_block_make(const struct devnet_draft *draft, struct header *header,
                                  struct block_id *id, uint64_t *size);

/* How many of the transactions, from the first on, fit into a block. */
uint32_t devnet_block_fit(const struct tx_bytes *txs, uint32_t count, uint32_t member_count);

/* HashedParams { block_max_bytes, block_max_gas } */
void devnet_consensus_hash(uint8_t hash[HASH_SIZE]);

/* The weighted median of the commit's times, but at least 1 ms behind `last`. Members are V(commit->height). */
struct time_stamp devnet_block_time(const struct commit *commit, const struct member *members,
                                    const struct time_stamp *last);

/* CometBFT's order of a set, for qsort() over members or structs that begin with one. */
int devnet_member_compare(const void *a, const void *b);

/* --- time --- */

struct time_stamp devnet_time_of_ms(int64_t unix_ms);
int64_t devnet_time_ms(const struct time_stamp *time); /* rounded down */
int devnet_time_compare(const struct time_stamp *a, const struct time_stamp *b);

/* What a node writes into its vote: `now`, but at least 1 ms behind the block's time. */
struct time_stamp devnet_vote_time(const struct time_stamp *now, const struct time_stamp *block);

/* --- votes: precommits for a block --- */

struct devnet_ballot {
    const char *chain_id;
    int64_t height;
    int32_t round;
    struct block_id id;
    struct time_stamp time;
};

/* The canonical bytes that are signed; returns how many. */
size_t devnet_vote_bytes(const struct devnet_ballot *ballot, uint8_t bytes[COMMIT_VOTE_MAX]);

/* seed: the first 32 bytes of a CometBFT private key. False when OpenSSL fails. */
MUST_CHECK bool devnet_vote_sign(const struct devnet_ballot *ballot,
                                 const uint8_t seed[ED25519_KEY_SIZE],
                                 uint8_t signature[ED25519_SIGNATURE_SIZE]);
MUST_CHECK bool devnet_vote_check(const struct devnet_ballot *ballot,
                                  const uint8_t public_key[ED25519_KEY_SIZE],
                                  const uint8_t signature[ED25519_SIGNATURE_SIZE]);

#endif
