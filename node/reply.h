/* Replies of CometBFT's RPC (0.34, 0.37, 0.38, 1.x), from JSON to values. Strict: 64-bit numbers are decimal
 * strings without sign games or blanks, hashes are hex of the right length, bytes are base64; a field that is
 * missing, of another type or out of range is a fault that names its path. Fields that are not needed are
 * not read. What is absent in some version is said at its member.
 *
 * Every reader takes the "result" of the JSON-RPC envelope. Structs that own memory have a _destroy().
 */
#ifndef STAGGER_NODE_REPLY_H
#define STAGGER_NODE_REPLY_H

#include <jansson.h>

#include "proto/header.h"

#define REPLY_MONIKER_MAX 128
#define REPLY_LOG_MAX 1024
#define REPLY_CODESPACE_MAX 64
#define REPLY_MEMBERS_MAX 16384

struct reply_status {
    char node_id[64], chain_id[HEADER_CHAIN_ID_MAX], version[32], moniker[REPLY_MONIKER_MAX];
    bool tx_index;
    uint8_t latest_hash[HASH_SIZE]; /* zero before the first block */
    int64_t latest_height, earliest_height;
    int64_t latest_time_ms; /* Unix */
    bool catching_up;
    uint8_t address[ADDRESS_SIZE], public_key[ED25519_KEY_SIZE]; /* consensus */
    int64_t voting_power;                                        /* in V(latest + 1) */
};

struct reply_validators { /* one page */
    int64_t height;
    struct member *members;
    uint32_t count, total;
};

struct reply_block {
    struct block_id id;
    struct header header;
    struct tx_bytes *txs; /* all of their bytes in one allocation */
    uint32_t tx_count;
    uint32_t evidence_count;
    struct commit last_commit;
    void *memory; /* owned: what the pointers above point into */
};

struct reply_commit {
    struct header header;
    struct commit commit;
    bool canonical;
};

struct reply_result {
    struct tx_result bound;                                  /* code, data, gas */
    char codespace[REPLY_CODESPACE_MAX], log[REPLY_LOG_MAX]; /* cut */
};

struct reply_results {
    int64_t height;
    struct reply_result *results;
    uint32_t count;
    struct member *updates; /* validator_updates; power 0: leaves. address is computed */
    uint32_t update_count;
    void *memory;
};

struct reply_headers { /* blockchain: newest first */
    int64_t last_height;
    struct header *headers;
    struct block_id *ids;
    uint32_t *tx_counts;
    uint32_t count;
};

struct reply_query { /* abci_query */
    uint32_t code;
    char codespace[REPLY_CODESPACE_MAX], log[REPLY_LOG_MAX];
    uint8_t *value;
    size_t value_size;
    int64_t height;
};

struct reply_broadcast {
    uint32_t code;
    char codespace[REPLY_CODESPACE_MAX], log[REPLY_LOG_MAX];
    uint8_t hash[HASH_SIZE];
};

struct reply_tx {
    uint8_t hash[HASH_SIZE];
    int64_t height;
    uint32_t index;
    struct reply_result result; /* bound.data is NULL */
    uint8_t *bytes;
    size_t size;
};

struct reply_consensus {
    int64_t height;
    int32_t round, step;
    uint32_t prevotes_have, prevotes_of; /* validators, from the bit array of the latest round */
    uint32_t precommits_have, precommits_of; /* likewise */
};

struct reply_abci_info {
    char data[64], version[64];
    uint64_t app_version;
    int64_t last_height; /* 0 when omitted */
};

MUST_CHECK bool reply_status(const json_t *result, struct reply_status *out, struct fault *fault);
MUST_CHECK bool reply_validators(const json_t *result, struct reply_validators *out,
                                 struct fault *fault);
MUST_CHECK bool reply_block(const json_t *result, struct reply_block *out, struct fault *fault);
MUST_CHECK bool reply_commit(const json_t *result, struct reply_commit *out, struct fault *fault);
MUST_CHECK bool reply_header(const json_t *result, struct header *out, struct fault *fault);
MUST_CHECK bool reply_results(const json_t *result, struct reply_results *out, struct fault *fault);
MUST_CHECK bool reply_headers(const json_t *result, struct reply_headers *out, struct fault *fault);
MUST_CHECK bool reply_query(const json_t *result, struct reply_query *out, struct fault *fault);
MUST_CHECK bool reply_broadcast(const json_t *result, struct reply_broadcast *out,
                                struct fault *fault);
MUST_CHECK bool reply_tx(const json_t *result, struct reply_tx *out, struct fault *fault);
MUST_CHECK bool reply_consensus(const json_t *result, struct reply_consensus *out,
                                struct fault *fault);
MUST_CHECK bool reply_abci_info(const json_t *result, struct reply_abci_info *out,
                                struct fault *fault);

void reply_validators_destroy(struct reply_validators *reply);
void reply_block_destroy(struct reply_block *reply);
void reply_commit_destroy(struct reply_commit *reply);
void reply_results_destroy(struct reply_results *reply);
void reply_headers_destroy(struct reply_headers *reply);
void reply_query_destroy(struct reply_query *reply);
void reply_tx_destroy(struct reply_tx *reply);

#endif
