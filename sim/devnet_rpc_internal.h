/* Inside the RPC: one call of one method.
 *
 *     exchange  = one HTTP request: one call, or the calls of a list; answered when none of them waits any more
 *     call      = method, parameters, and a result or an error
 */
#ifndef STAGGER_SIM_DEVNET_RPC_INTERNAL_H
#define STAGGER_SIM_DEVNET_RPC_INTERNAL_H

#include <jansson.h>

#include "sim/devnet_rpc.h"

#define RPC_ARGS_MAX 5
#define RPC_ERROR_MAX 512
#define RPC_BATCH_MAX 256

#define RPC_PARSE_ERROR (-32700)
#define RPC_INVALID_REQUEST (-32600)
#define RPC_METHOD_NOT_FOUND (-32601)
#define RPC_INVALID_PARAMS (-32602)
#define RPC_INTERNAL_ERROR (-32603)

/* --- parameters (devnet_rpc_args.c) --- */

enum rpc_type {
    RPC_INT,
    RPC_BOOL,
    RPC_STRING,
    RPC_BYTES, /* base64 in JSON */
    RPC_HEX,   /* bytes too, hex in JSON */
};

struct rpc_param {
    const char *name;
    enum rpc_type type;
};

struct rpc_arg {
    bool given;
    int64_t number; /* or 0, 1 of a bool */
    uint8_t *bytes; /* of bytes and strings, which end with a NUL; owned */
    size_t size;
};

/* False with the words in `fault`. */
MUST_CHECK bool rpc_arg_from_json(enum rpc_type type, const json_t *value, struct rpc_arg *arg,
                                  struct fault *fault);
MUST_CHECK bool rpc_arg_from_text(enum rpc_type type, const char *text, struct rpc_arg *arg,
                                  struct fault *fault);
void rpc_args_clear(struct rpc_arg args[RPC_ARGS_MAX]);

/* --- calls (devnet_rpc.c) --- */

struct rpc_ticket; /* a call that waits */

struct rpc_call {
    const struct devnet_rpc *rpc;
    struct rpc_arg args[RPC_ARGS_MAX];
    struct rpc_ticket *ticket; /* of this call, for who answers it later */
    bool later;                /* set by a method whose ticket will be answered */
    int code;                  /* of the error, when the method gives NULL */
    char data[RPC_ERROR_MAX];
};

/* Methods give a new reference, or NULL with an error (or none: memory is short), or NULL and `later`. */
typedef json_t *rpc_method(struct rpc_call *call);

/* error -32603 with these words; returns NULL. */
__attribute__((format(printf, 2, 3))) json_t *rpc_fail(struct rpc_call *call, const char *format,
                                                       ...);

/* Exactly once for a call that waits. result: stolen; NULL: error -32603 with `data`. */
void rpc_ticket_answer(struct rpc_ticket *ticket, json_t *result, const char *data);

struct rpc_route {
    const char *name;
    rpc_method *method;
    struct rpc_param params[RPC_ARGS_MAX + 1]; /* ends with a name of NULL */
};
const struct rpc_route *rpc_routes(size_t *count);

/* --- JSON of what chains are made of (devnet_rpc_json.c); all NULL when memory is short --- */

json_t *rpc_json_text(const char *text); /* bytes that are no UTF-8 become '?' */
json_t *rpc_json_number(int64_t value);  /* as a string */
json_t *rpc_json_hex(const void *bytes, size_t size);
json_t *rpc_json_base64(const void *bytes, size_t size); /* null for none */
json_t *rpc_json_time(const struct time_stamp *time);
json_t *rpc_json_block_id(const struct block_id *id);
json_t *rpc_json_header(const struct header *header);
json_t *rpc_json_commit(const struct commit *commit);
json_t *rpc_json_public_key(const uint8_t key[ED25519_KEY_SIZE]);
json_t *rpc_json_result(const struct app_result *result); /* of a transaction in a block */
json_t *rpc_json_check(const struct app_result *result);  /* of CheckTx */
json_t *rpc_json_params(void);                            /* CometBFT's consensus parameters */

/* CometBFT's rule for a height that is asked for: false with its words in the call. */
bool rpc_height(struct rpc_call *call, const struct rpc_arg *arg, int64_t latest, int64_t *height);
int64_t rpc_latest_uncommitted(const struct devnet_rpc *rpc);

/* Rows and pages. */
int64_t rpc_per_page(const struct rpc_arg *arg);
bool rpc_page(struct rpc_call *call, const struct rpc_arg *page, int64_t per_page, uint32_t total,
              uint32_t *from, uint32_t *count);

/* --- methods --- */

rpc_method rpc_health, rpc_status, rpc_net_info, rpc_genesis, rpc_genesis_chunked, rpc_validators,
    rpc_consensus_params, rpc_consensus_state, rpc_abci_info, rpc_abci_query;
rpc_method rpc_block, rpc_block_by_hash, rpc_header, rpc_header_by_hash, rpc_commit,
    rpc_block_results, rpc_blockchain;
rpc_method rpc_tx, rpc_check_tx, rpc_broadcast_async, rpc_broadcast_sync, rpc_broadcast_commit,
    rpc_unconfirmed, rpc_num_unconfirmed;

#endif
