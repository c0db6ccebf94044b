/* The devnet's application: what sekaid or dcld is to a real node. It takes a chain's own transactions, byte by
 * byte, and gives results, validator updates and answers to abci_query. The rules of blocks, sets and
 * messages are the modelled chain's (model.h); here stand signatures, accounts, votes and encodings.
 *
 *     app_check(bytes)                  CheckTx of a node, against its last committed state
 *     app_begin(h, time, missing)
 *     app_deliver(bytes)*               results in order
 *     app_end()                         updates of V(h+2); false: the block cannot be applied
 *     app_commit(hash)                  the state's hash stands in header h+1
 *
 * It is a pure function of the genesis and the blocks: every process of a devnet runs its own replica of it, fed
 * from one log, and all of them have the same hash at the same height. Memory that is short ends the process.
 *
 * Refusals, costs and words are those of sekai v0.4.13 (cosmos-sdk 0.47.6) and DCL 1.5, in their order:
 *
 *     bytes that are no transaction, a message that is not known here       2
 *     what a message says about itself: coins 10, addresses 7, ...
 *     KIRA: gas limit 0                                                    11
 *     signatures that are missing 15, too many or too few for the signers   4
 *     then the modelled chain's own ante rules (model.h): 30, 12, 18, 9, 5, 32, 4
 *
 * KIRA knows sends, pause, unpause, activate, software upgrade proposals, their cancellation, and votes; DCL
 * disable-node, enable-node, create-validator, and what trustees propose, approve and reject. Seats are those of
 * the genesis: claim-validator is not known. Whoever gets coins has an account, numbered in order.
 *
 * Every validator of KIRA may propose, vote and veto: a third of them is a quorum, more than half of the votes
 * passes. A proposal that passed is enacted in the first block at its enactment time, and two blocks after its
 * voting's end at the earliest; the plan then is the model's. DCL's plan halts the chain at its height.
 *
 * A block that cannot be applied leaves the state as it was before it, for queries and for CheckTx.
 *
 *   A1 Two replicas that were fed the same blocks have equal hashes after each of them.
 *   A2 CheckTx and queries change no hash.
 *   A3 A transaction that is refused by its ante costs nothing; one that is refused by a message costs its fee and
 *      its sequence, and nothing else of it stays.
 *   A4 The hash of DCL changes with transactions only; KIRA's with every block.
 */
#ifndef STAGGER_SIM_APP_H
#define STAGGER_SIM_APP_H

#include "proto/header.h"
#include "proto/tx.h"
#include "sim/model.h"

#define APP_LOG_MAX 4096 /* of many messages, as many as fit */
#define APP_CODESPACE_MAX 32
#define APP_PREFIX_MAX 16
#define APP_DENOM_MAX 16

struct app;

struct app_validator { /* of the genesis; its number is its index everywhere */
    char moniker[MODEL_MONIKER_MAX];
    uint8_t account_key[ACCOUNT_PUBLIC_SIZE];
    uint8_t consensus_key[ED25519_KEY_SIZE];
    int64_t power;    /* 1 on KIRA, 10 on DCL */
    uint64_t balance; /* KIRA */
};

struct app_genesis {
    enum chain_kind kind;
    char chain_id[HEADER_CHAIN_ID_MAX];
    char prefix[APP_PREFIX_MAX]; /* "kira", "cosmos" */
    char denom[APP_DENOM_MAX];   /* "ukex"; "" on DCL */
    int64_t time_ms;             /* Unix */
    struct height initial_height;
    struct model_properties properties;
    int64_t proposal_end_s,
        proposal_enactment_s; /* KIRA: voting time, and from its end to enactment */
    uint32_t trustees;        /* DCL: the first so many validators' accounts are trustees as well */
    struct app_validator *validators;
    uint32_t count;
};

struct app_result { /* owned by the caller: app_result_clear() */
    uint32_t code;
    char codespace[APP_CODESPACE_MAX];
    char log[APP_LOG_MAX];
    uint8_t *data;
    size_t data_size;
    int64_t gas_wanted, gas_used;
    char *
        events; /* JSON: [{"type":..,"attributes":[{"key":..,"value":..,"index":true}]}]; NULL: none */
};
void app_result_clear(struct app_result *result);

struct app_answer { /* of a query; owned: app_answer_clear() */
    uint32_t code;
    char codespace[APP_CODESPACE_MAX];
    char log[APP_LOG_MAX];
    uint8_t *value; /* NULL and 0: the JSON shows null or "" as a real node does */
    size_t size;
    int64_t height;
};
void app_answer_clear(struct app_answer *answer);

/* NULL with a fault when the genesis cannot be one. */
struct app *app_create(const struct app_genesis *genesis, struct fault *fault);
void app_destroy(struct app **app);

/* Also of what waits in a mempool, anew after each block. fresh: the node has seen no new block since it started;
 * a transaction that is right otherwise is then refused with code 4, as a real node does: "please verify account
 * number (0)". */
void app_check(struct app *app, const uint8_t *bytes, size_t size, bool fresh,
               struct app_result *result);

/* missing: indices of members of V(height-1) without a signature in its last commit. */
void app_begin(struct app *app, struct height height, int64_t time_ms, const uint32_t *missing,
               uint32_t missing_count);
void app_deliver(struct app *app, const uint8_t *bytes, size_t size, struct app_result *result);

/* updates: room for as many as there are validators; power 0 leaves, and stands before who enters, each ascending
 * by account. KIRA tells a power once more that somebody has already (pause and unpause in one block). False: the
 * block is stored, not applied, and nothing more will be: app_dead(), or app_halted() when the chain halts by plan.
 * A replica that is fed the log again comes to the same end. */
bool app_end(struct app *app, struct member *updates, uint32_t *update_count);

/* Of the state after the last block that was applied; before the first one, of the genesis. */
void app_hash(const struct app *app, uint8_t hash[HASH_SIZE]);

const char *app_dead(const struct app *app);   /* the chain's words, NULL while it lives */
const char *app_halted(const struct app *app); /* "UPGRADE \"up1\" NEEDED ...", NULL otherwise */

/* Paths of the chain's own queries (reference pages); height 0: latest. Unknown paths get code 6. */
void app_query(const struct app *app, const char *path, const uint8_t *data, size_t size,
               int64_t height, struct app_answer *answer);

struct model *app_model(const struct app *app); /* sets, proposers, records */
const struct app_genesis *app_genesis(const struct app *app);

#endif
