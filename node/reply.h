/* Replies of CometBFT's RPC (0.34, 0.37, 0.38, 1.x), from JSON to values. Strict: 64-bit numbers are decimal
 * strings without sign games or blanks, hashes are hex of the right length, bytes are base64; a field that is
 * missing, of another type or out of range is a fault that names its path (node/field.h). Fields that are not
 * needed are not read.
 *
 * Every reader takes the "result" of the JSON-RPC envelope. It returns true with all of *out written, or false
 * with a fault and *out all zero. Structs that own memory have a _destroy(), which may be called on zeros.
 *
 * How versions differ, told by what is there and never by the version's name:
 *
 *     block_results     0.34, 0.37 begin_ and end_block_events; 0.38, 1.x finalize_block_events: not read
 *     validator_updates 0.34 to 0.38 {"pub_key":{"Sum":{...}},"power":"5"}
 *                       1.x {"power":"5","pub_key_bytes":"...","pub_key_type":"ed25519"}
 *     left out when 0   power of an update, version.block and version.app of a header, all of abci_info
 *
 * What can be checked within one reply is: an address is that of its key, a transaction has its hash, a page has
 * as many entries as it says. What hashes and signatures bind is for proto/header.h.
 */
#ifndef STAGGER_NODE_REPLY_H
#define STAGGER_NODE_REPLY_H

#include <jansson.h>

#include "proto/header.h"

#define REPLY_MONIKER_MAX 128
#define REPLY_LOG_MAX 1024
#define REPLY_CODESPACE_MAX 64
#define REPLY_MEMBERS_MAX 16384
#define REPLY_TXS_MAX 131072            /* in one block */
#define REPLY_POWER_MAX (INT64_MAX / 8) /* of all members together: CometBFT's own limit */

struct reply_status {
    char node_id[64], chain_id[HEADER_CHAIN_ID_MAX], version[32], moniker[REPLY_MONIKER_MAX];
    bool tx_index;
    uint8_t latest_hash[HASH_SIZE]; /* zero before the first block */
    int64_t latest_height, earliest_height;
    int64_t latest_time_ms; /* Unix */
    bool catching_up;
    uint8_t address[ADDRESS_SIZE], public_key[ED25519_KEY_SIZE]; /* consensus */
    int64_t voting_power; /* in V(latest + 1); 0: not a member */
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

struct reply_headers { /* blockchain: newest first, 20 at most */
    int64_t last_height;
    struct header *headers;
    struct block_id *ids;
    uint32_t *tx_counts;
    uint32_t count;
};

struct reply_query { /* abci_query */
    uint32_t code;
    char codespace[REPLY_CODESPACE_MAX], log[REPLY_LOG_MAX];
    uint8_t *value; /* NULL when there is none */
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

/* Votes are those of the round under way; the reply may list later rounds, too, whose votes came early. */
struct reply_consensus {
    int64_t height;
    int32_t round, step;                 /* 1 new height, 2 new round, 3 propose ... 8 commit */
    uint32_t prevotes_have, prevotes_of; /* validators, not power */
    uint32_t precommits_have, precommits_of;
};

struct reply_abci_info {
    char data[64], version[64]; /* "" when left out; data is cut */
    uint64_t app_version;
    int64_t last_height;
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
