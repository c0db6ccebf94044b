/* Headers, validator sets and commits of CometBFT: what their hashes and signatures bind.
 *
 *     header h:   last_block_id ----------> header h-1 (hash, parts)
 *                 last_commit_hash -------> the last commit of block h
 *                 data_hash --------------> its transactions
 *                 validators_hash --------> V(h)
 *                 next_validators_hash ---> V(h+1)
 *                 last_results_hash ------> code, data, gas of the results of block h-1
 *     commit of h: ed25519 signatures of V(h) over (type, height, round, block id, time, chain id)
 *
 * So one commit that carries more than two thirds of a set that is known binds everything behind it: headers
 * backwards by last_block_id, what a header binds by its hashes. Encodings are those of CometBFT 0.34 to 1.x,
 * which agree in everything that is hashed here: lists are Merkle trees (merkle.h) over protobuf messages
 * (wire.h), a header is the tree of its fourteen fields.
 *
 * What no hash binds, though it stands in the same replies:
 *
 *     last_commit's height, block id   equal to height - 1 and last_block_id: header_check_commit()
 *     last_commit's round              by its signatures only: commit_verify() with V(h-1)
 *     a member's address               follows from its key: header_check_members(), commit_verify()
 *     proposer_priority, codespace, log, events       nothing
 *
 * I1  A check that succeeds has seen every byte of what it names; there is no early end.
 * I2  Two different values never give the same hashed bytes.
 * I3  Signatures are those of RFC 8032 with s below the group's order. Newer nodes let a few more pass
 *     (ZIP 215), which no honest signer makes; a commit with one of them is refused here.
 */
#ifndef STAGGER_PROTO_HEADER_H
#define STAGGER_PROTO_HEADER_H

#include <stddef.h>

#include "coord/units.h"
#include "proto/fault.h"

#define ED25519_KEY_SIZE 32
#define ED25519_SIGNATURE_SIZE 64
#define HEADER_CHAIN_ID_MAX 64

#define COMMIT_VOTE_MAX 256                /* bytes that one vote signs */
#define COMMIT_POWER_MAX (INT64_MAX / 8)   /* total of a set, as CometBFT has it */
#define TIME_STAMP_ZERO_S (-62135596800LL) /* 0001-01-01, the time of who is absent */

struct hash { /* 32 bytes, or none: the first block has no last block */
    bool none;
    uint8_t bytes[HASH_SIZE];
};

struct time_stamp { /* google.protobuf.Timestamp */
    int64_t seconds;
    int32_t nanos;
};

struct block_id {
    struct hash hash;
    uint32_t parts_total;
    struct hash parts_hash;
};

struct header {
    uint64_t version_block, version_app;
    char chain_id[HEADER_CHAIN_ID_MAX];
    int64_t height;
    struct time_stamp time;
    struct block_id last_block_id;
    struct hash last_commit_hash, data_hash, validators_hash, next_validators_hash;
    struct hash consensus_hash;
    uint8_t app_hash[64]; /* of any length up to 64 */
    size_t app_hash_size;
    struct hash last_results_hash, evidence_hash;
    uint8_t proposer[ADDRESS_SIZE];
};

enum commit_flag { COMMIT_ABSENT = 1, COMMIT_FOR_BLOCK = 2, COMMIT_NIL = 3 };

struct commit_sig {
    enum commit_flag flag;
    uint8_t address[ADDRESS_SIZE]; /* zero when absent */
    struct time_stamp time;        /* 0001-01-01 when absent */
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    size_t signature_size; /* 0 when absent */
};

struct commit {
    int64_t height;
    int32_t round;
    struct block_id block_id;
    struct commit_sig *sigs; /* in the order of the set */
    uint32_t count;
};

struct member {
    uint8_t address[ADDRESS_SIZE];
    uint8_t public_key[ED25519_KEY_SIZE];
    int64_t power;
};

struct tx_bytes {
    const uint8_t *bytes;
    size_t size;
};

struct tx_result { /* what last_results_hash binds */
    uint32_t code;
    const uint8_t *data;
    size_t data_size;
    int64_t gas_wanted, gas_used;
};

bool hash_equal(const struct hash *a, const struct hash *b);
bool block_id_equal(const struct block_id *a, const struct block_id *b);

void header_hash(const struct header *header, uint8_t hash[HASH_SIZE]);
void commit_hash(const struct commit *commit, uint8_t hash[HASH_SIZE]);
void members_hash(const struct member *members, uint32_t count, uint8_t hash[HASH_SIZE]);
void data_hash(const struct tx_bytes *txs, uint32_t count, uint8_t hash[HASH_SIZE]);
void results_hash(const struct tx_result *results, uint32_t count, uint8_t hash[HASH_SIZE]);

/* The consensus address of an ed25519 key: the first 20 bytes of its SHA-256. */
void member_address(const uint8_t public_key[ED25519_KEY_SIZE], uint8_t address[ADDRESS_SIZE]);

/* The bytes that entry `index`, which is not absent, has signed; returns how many. Votes for nil sign no
 * block id. */
size_t commit_vote_bytes(const struct commit *commit, const char *chain_id, uint32_t index,
                         uint8_t bytes[COMMIT_VOTE_MAX]);

/* Whether V(h) has committed this block: as many entries as members, each in its member's place, every
 * signature that is there is right, also those for nil, and those for the block hold more than two thirds of
 * the power. A set with a member twice, an address that is not its key's, or a power below 1 is refused. */
MUST_CHECK bool commit_verify(const struct commit *commit, const char *chain_id,
                              const struct block_id *block_id, int64_t height,
                              const struct member *members, uint32_t count, struct fault *fault);

/* As a `header` binds it; each names what differs. */
MUST_CHECK bool header_check_id(const struct header *header, const struct block_id *block_id,
                                struct fault *fault); /* the hash in it; parts are the commit's */
MUST_CHECK bool header_check_members(const struct header *header, const struct member *members,
                                     uint32_t count, struct fault *fault); /* V(height) */
MUST_CHECK bool header_check_next(const struct header *header, const struct member *members,
                                  uint32_t count, struct fault *fault); /* V(height + 1) */
MUST_CHECK bool header_check_commit(const struct header *header, const struct commit *last_commit,
                                    struct fault *fault);
MUST_CHECK bool header_check_data(const struct header *header, const struct tx_bytes *txs,
                                  uint32_t count, struct fault *fault);
MUST_CHECK bool header_check_results(const struct header *next, const struct tx_result *results,
                                     uint32_t count, struct fault *fault); /* of height - 1 */
/* Evidence is not read: where there is none, evidence_hash must say so, and the other way round. */
MUST_CHECK bool header_check_evidence(const struct header *header, uint32_t count,
                                      struct fault *fault);
/* `next` follows `header`: height, chain id, last_block_id, validators_hash, time. */
MUST_CHECK bool header_check_next_header(const struct header *header, const struct header *next,
                                         struct fault *fault);

#endif
