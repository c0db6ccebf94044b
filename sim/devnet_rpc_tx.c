#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coord/digest.h"
#include "proto/encoding.h"
#include "sim/devnet_rpc_internal.h"

#define TX_HASH_SHOWN 256 /* bytes of a hash that is looked for */
#define AUNTS_MAX 32      /* of a tree with 2^32 leaves */

/* --- proofs: Merkle trees of RFC 6962 over the transactions' hashes --- */

struct tree {
    struct digest *digest;
    const struct stored_block *block;
    uint8_t aunts[AUNTS_MAX][HASH_SIZE]; /* from the leaf upwards */
    uint32_t depth;
};

static void leaf(const struct tree *tree, uint32_t index, uint8_t out[HASH_SIZE])
{
    static const uint8_t mark = 0;
    uint8_t hash[HASH_SIZE];
    tx_hash(tree->block->txs[index].bytes, tree->block->txs[index].size, hash);
    digest_sha256(tree->digest, (struct digest_piece[]){{&mark, 1}, {hash, HASH_SIZE}}, 2, out);
}

static uint32_t split(uint32_t count)
{
    uint32_t left = 1;
    while (left * 2 < count)
        left *= 2;
    return left;
}

static void subtree(const struct tree *tree, uint32_t from, uint32_t count, uint8_t out[HASH_SIZE])
{
    static const uint8_t mark = 1;
    uint8_t left[HASH_SIZE], right[HASH_SIZE];
    if (count == 1) {
        leaf(tree, from, out);
        return;
    }
    uint32_t at = split(count);
    subtree(tree, from, at, left);
    subtree(tree, from + at, count - at, right);
    digest_sha256(tree->digest,
                  (struct digest_piece[]){{&mark, 1}, {left, HASH_SIZE}, {right, HASH_SIZE}}, 3,
                  out);
}

static void find_aunts(struct tree *tree, uint32_t from, uint32_t count, uint32_t index)
{
    if (count == 1)
        return;
    uint32_t at = split(count);
    bool in_left = index < at;
    if (in_left)
        find_aunts(tree, from, at, index);
    else
        find_aunts(tree, from + at, count - at, index - at);
    subtree(tree, in_left ? from + at : from, in_left ? count - at : at,
            tree->aunts[tree->depth++]);
}

static json_t *json_proof(const struct stored_block *block, uint32_t index)
{
    struct tree tree = {.digest = digest_create(), .block = block};
    uint8_t own[HASH_SIZE];
    json_t *aunts = json_array();
    if (!tree.digest || !aunts) {
        digest_destroy(&tree.digest);
        json_decref(aunts);
        return NULL;
    }
    leaf(&tree, index, own);
    find_aunts(&tree, 0, block->tx_count, index);
    for (uint32_t i = 0; i < tree.depth; i++)
        json_array_append_new(aunts, rpc_json_base64(tree.aunts[i], HASH_SIZE));
    digest_destroy(&tree.digest);
    const struct tx_bytes *tx = &block->txs[index];
    return json_pack("{s:o,s:o,s:{s:o,s:o,s:o,s:o}}", "root_hash",
                     rpc_json_hex(block->header.data_hash.bytes, HASH_SIZE), "data",
                     rpc_json_base64(tx->bytes, tx->size), "proof", "total",
                     rpc_json_number(block->tx_count), "index", rpc_json_number(index), "leaf_hash",
                     rpc_json_base64(own, HASH_SIZE), "aunts", aunts);
}

/* --- /tx --- */

static json_t *json_tx(const struct stored_block *block, uint32_t index, const uint8_t *hash,
                       bool prove)
{
    struct app_result none = {.code = 0}; /* of a block that was not applied */
    json_t *result =
        json_pack("{s:o,s:o,s:i,s:o,s:o}", "hash", rpc_json_hex(hash, HASH_SIZE), "height",
                  rpc_json_number(block->header.height), "index", (int)index, "tx_result",
                  rpc_json_result(block->results ? &block->results[index] : &none), "tx",
                  rpc_json_base64(block->txs[index].bytes, block->txs[index].size));
    if (result && prove)
        json_object_set_new(result, "proof", json_proof(block, index));
    return result;
}

json_t *rpc_tx(struct rpc_call *call)
{
    const struct rpc_arg *hash = &call->args[0];
    char text[HEX_TEXT(TX_HASH_SHOWN)];
    struct stored_block block;
    uint32_t index;
    if (hash->size == 0)
        return rpc_fail(call, "transaction hash cannot be empty");
    if (hash->size != HASH_SIZE ||
        !devnet_ledger_find_tx(call->rpc->ledger, hash->bytes, &block, &index)) {
        hex_encode_upper(hash->bytes, hash->size < TX_HASH_SHOWN ? hash->size : TX_HASH_SHOWN,
                         text);
        return rpc_fail(call, "tx (%s) not found", text);
    }
    hex_encode_upper(hash->bytes, HASH_SIZE, text);
    json_t *result = block.applied /* no indexer hears of a block that stops its chain */
                         ? json_tx(&block, index, hash->bytes, call->args[1].number != 0)
                         : rpc_fail(call, "tx (%s) not found", text);
    stored_block_clear(&block);
    return result;
}

/* --- broadcasts --- */

json_t *rpc_check_tx(struct rpc_call *call)
{
    struct app_result result;
    app_check(devnet_ledger_app(call->rpc->ledger), call->args[0].bytes, call->args[0].size,
              call->rpc->catching_up, &result);
    json_t *check = rpc_json_check(&result);
    app_result_clear(&result);
    return check;
}

static json_t *broadcast(struct rpc_call *call, enum devnet_wait wait)
{
    call->later = true;
    devnet_pool_submit(call->rpc->pool, call->args[0].bytes, call->args[0].size, wait, call->ticket,
                       zclock_mono());
    return NULL;
}

json_t *rpc_broadcast_async(struct rpc_call *call)
{
    return broadcast(call, WAIT_NOTHING);
}

json_t *rpc_broadcast_sync(struct rpc_call *call)
{
    return broadcast(call, WAIT_CHECK);
}

json_t *rpc_broadcast_commit(struct rpc_call *call)
{
    return broadcast(call, WAIT_BLOCK);
}

/* What CheckTx gives as data is hex here, and none of these chains gives any. */
static json_t *json_sent(const struct app_result *check, const uint8_t hash[HASH_SIZE])
{
    return json_pack("{s:I,s:s,s:o,s:o,s:o}", "code", (json_int_t)check->code, "data", "", "log",
                     rpc_json_text(check->log), "codespace", rpc_json_text(check->codespace),
                     "hash", rpc_json_hex(hash, HASH_SIZE));
}

static json_t *json_committed(const struct devnet_outcome *outcome)
{
    const struct app_result none = {.code = 0}, *delivered = &none;
    const struct stored_block *block = outcome->block;
    if (block && block->results)
        delivered = &block->results[outcome->index];
    return json_pack("{s:o,s:o,s:o,s:o}", "check_tx", rpc_json_check(outcome->check), "deliver_tx",
                     rpc_json_result(delivered), "hash", rpc_json_hex(outcome->hash, HASH_SIZE),
                     "height", rpc_json_number(block ? block->header.height : 0));
}

void devnet_rpc_done(void *ticket, enum devnet_wait wait, const struct devnet_outcome *outcome)
{
    static const struct app_result none = {.code = 0};
    json_t *result = NULL;
    if (outcome->fate == FATE_REFUSED)
        result = NULL;
    else if (wait == WAIT_BLOCK)
        result = json_committed(outcome);
    else
        result = json_sent(wait == WAIT_NOTHING ? &none : outcome->check, outcome->hash);
    rpc_ticket_answer(ticket, result, outcome->fate == FATE_REFUSED ? outcome->words : "");
}

/* --- the mempool --- */

static json_t *json_pool(const struct devnet_rpc *rpc, uint32_t shown, json_t *txs)
{
    return json_pack("{s:o,s:o,s:o,s:o}", "n_txs", rpc_json_number(shown), "total",
                     rpc_json_number(devnet_pool_count(rpc->pool)), "total_bytes",
                     rpc_json_number((int64_t)devnet_pool_bytes(rpc->pool)), "txs", txs);
}

json_t *rpc_unconfirmed(struct rpc_call *call)
{
    const struct devnet_rpc *rpc = call->rpc;
    int64_t limit = rpc_per_page(&call->args[0]);
    uint32_t count = devnet_pool_count(rpc->pool);
    uint32_t shown = count < limit ? count : (uint32_t)limit;
    json_t *txs = json_array();
    for (uint32_t i = 0; i < shown && txs; i++) {
        struct tx_bytes tx = devnet_pool_tx(rpc->pool, i);
        json_array_append_new(txs, rpc_json_base64(tx.bytes, tx.size));
    }
    return json_pool(rpc, shown, txs);
}

json_t *rpc_num_unconfirmed(struct rpc_call *call)
{
    return json_pool(call->rpc, devnet_pool_count(call->rpc->pool), json_null());
}
