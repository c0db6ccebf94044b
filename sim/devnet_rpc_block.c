#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/devnet_rpc_internal.h"

#define BLOCKCHAIN_MAX 20

static const struct block_id no_id = {.hash.none = true, .parts_hash.none = true};

/* --- /block, /header --- */

static json_t *json_txs(const struct stored_block *block)
{
    json_t *txs = json_array();
    for (uint32_t i = 0; i < block->tx_count && txs; i++) {
        const struct tx_bytes *tx = &block->txs[i];
        json_t *text = tx->size > 0 ? rpc_json_base64(tx->bytes, tx->size) : json_string("");
        if (json_array_append_new(txs, text) != 0) {
            json_decref(txs);
            return NULL;
        }
    }
    return txs;
}

static json_t *json_block(const struct stored_block *block)
{
    return json_pack("{s:o,s:{s:o,s:o,s:{s:[]},s:o}}", "block_id", rpc_json_block_id(&block->id),
                     "block", "header", rpc_json_header(&block->header), "data",
                     json_pack("{s:o}", "txs", json_txs(block)), "evidence", "evidence",
                     "last_commit", rpc_json_commit(&block->last_commit));
}

static json_t *no_block(void)
{
    return json_pack("{s:o,s:n}", "block_id", rpc_json_block_id(&no_id), "block");
}

static json_t *block_at(struct rpc_call *call, int64_t height)
{
    struct stored_block block;
    if (!devnet_ledger_read(call->rpc->ledger, height, &block))
        return no_block();
    json_t *result = json_block(&block);
    stored_block_clear(&block);
    return result;
}

json_t *rpc_block(struct rpc_call *call)
{
    int64_t height;
    if (!rpc_height(call, &call->args[0], devnet_ledger_head(call->rpc->ledger), &height))
        return NULL;
    return block_at(call, height);
}

json_t *rpc_block_by_hash(struct rpc_call *call)
{
    const struct rpc_arg *hash = &call->args[0];
    int64_t height = devnet_ledger_find_block(call->rpc->ledger, hash->bytes, hash->size);
    return height ? block_at(call, height) : no_block();
}

static json_t *header_at(struct rpc_call *call, int64_t height)
{
    struct stored_block block;
    if (!devnet_ledger_read(call->rpc->ledger, height, &block))
        return json_pack("{s:n}", "header");
    json_t *result = json_pack("{s:o}", "header", rpc_json_header(&block.header));
    stored_block_clear(&block);
    return result;
}

json_t *rpc_header(struct rpc_call *call)
{
    int64_t height;
    if (!rpc_height(call, &call->args[0], devnet_ledger_head(call->rpc->ledger), &height))
        return NULL;
    return header_at(call, height);
}

json_t *rpc_header_by_hash(struct rpc_call *call)
{
    const struct rpc_arg *hash = &call->args[0];
    int64_t height = devnet_ledger_find_block(call->rpc->ledger, hash->bytes, hash->size);
    return header_at(call, height);
}

/* --- /commit --- */

static json_t *json_signed(const struct header *header, const struct commit *commit, bool canonical)
{
    return json_pack("{s:{s:o,s:o},s:b}", "signed_header", "header", rpc_json_header(header),
                     "commit", rpc_json_commit(commit), "canonical", canonical);
}

/* Of the last block what the node has seen, which more signatures may still join; of others what the next block
 * says. */
json_t *rpc_commit(struct rpc_call *call)
{
    struct stored_block block, next;
    int64_t height, head = devnet_ledger_head(call->rpc->ledger);
    if (!rpc_height(call, &call->args[0], head, &height))
        return NULL;
    if (!devnet_ledger_read(call->rpc->ledger, height, &block))
        return json_null();
    json_t *result;
    if (height == head) {
        result = json_signed(&block.header, &block.seen_commit, false);
    } else if (devnet_ledger_read(call->rpc->ledger, height + 1, &next)) {
        result = json_signed(&block.header, &next.last_commit, true);
        stored_block_clear(&next);
    } else {
        result = rpc_fail(call, "block %" PRId64 " cannot be read", height + 1);
    }
    stored_block_clear(&block);
    return result;
}

/* --- /block_results --- */

/* A power of 0 is left out, as gogoproto has it. */
static json_t *json_update(const struct member *member)
{
    json_t *update = json_pack("{s:{s:{s:s,s:{s:o}}}}", "pub_key", "Sum", "type",
                               "tendermint.crypto.PublicKey_Ed25519", "value", "ed25519",
                               rpc_json_base64(member->public_key, ED25519_KEY_SIZE));
    if (update && member->power != 0)
        json_object_set_new(update, "power", rpc_json_number(member->power));
    return update;
}

/* null for an empty list, as Go has it. */
static json_t *json_updates(const struct stored_block *block)
{
    json_t *updates = block->update_count ? json_array() : json_null();
    for (uint32_t i = 0; i < block->update_count; i++)
        json_array_append_new(updates, json_update(&block->updates[i]));
    return updates;
}

static json_t *json_results(const struct stored_block *block)
{
    json_t *results = block->tx_count ? json_array() : json_null();
    for (uint32_t i = 0; i < block->tx_count; i++)
        json_array_append_new(results, rpc_json_result(&block->results[i]));
    return results;
}

static json_t *json_event(const char *type, const char *const (*attributes)[2], uint32_t count)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < count && list; i++)
        json_array_append_new(list, json_pack("{s:s,s:s,s:b}", "key", attributes[i][0], "value",
                                              attributes[i][1], "index", 1));
    return json_pack("{s:s,s:o}", "type", type, "attributes", list);
}

/* sekai mints a reward at the beginning of each block but the first, and tells of it in these events. A devnet mints
 * nothing, so the amounts are 0. The addresses are those of the modules that mint and collect, the same on each chain. */
static json_t *json_rewards(const struct devnet_rpc *rpc, int64_t height)
{
    static const char mint[] = "kira1m3h30wlvsf8llruxtpukdvsy0km2kum8c7dkxd", none[] = "0ukex",
                      collector[] = "kira17xpfvakm2amg962yls6f84z3kell8c5lqkfw2s";
    static const char *const to_mint[][2] = {{"receiver", mint}, {"amount", none}};
    static const char *const minted[][2] = {{"minter", mint}, {"amount", none}};
    static const char *const spent[][2] = {{"spender", mint}, {"amount", none}};
    static const char *const received[][2] = {{"receiver", collector}, {"amount", none}};
    static const char *const moved[][2] = {
        {"recipient", collector}, {"sender", mint}, {"amount", none}};
    if (rpc->dir->genesis.kind != CHAIN_KIRA || height <= devnet_ledger_first(rpc->ledger))
        return json_null();
    return json_pack("[o,o,o,o,o,o]", json_event("coin_received", to_mint, 2),
                     json_event("coinbase", minted, 2), json_event("coin_spent", spent, 2),
                     json_event("coin_received", received, 2), json_event("transfer", moved, 3),
                     json_event("message", moved + 1, 1));
}

json_t *rpc_block_results(struct rpc_call *call)
{
    struct stored_block block;
    int64_t height;
    if (!rpc_height(call, &call->args[0], devnet_ledger_head(call->rpc->ledger), &height))
        return NULL;
    if (!devnet_ledger_read(call->rpc->ledger, height, &block))
        return rpc_fail(call, "could not find results for height #%" PRId64, height);
    json_t *result;
    if (!block.applied && (!block.results || block.tx_count == 0))
        result = rpc_fail(call, "could not find results for height #%" PRId64, height);
    else
        result = json_pack("{s:o,s:o,s:o,s:n,s:o,s:o}", "height", rpc_json_number(height),
                           "txs_results", json_results(&block), "begin_block_events",
                           json_rewards(call->rpc, height), "end_block_events", "validator_updates",
                           json_updates(&block), "consensus_param_updates", rpc_json_params());
    stored_block_clear(&block);
    return result;
}

/* --- /blockchain --- */

/* The rows that are shown, newest first; false with CometBFT's words. */
static bool rows(struct rpc_call *call, int64_t *min, int64_t *max)
{
    int64_t first = devnet_ledger_first(call->rpc->ledger);
    int64_t head = devnet_ledger_head(call->rpc->ledger);
    *min = call->args[0].number;
    *max = call->args[1].number;
    if (*min < 0 || *max < 0) {
        (void)rpc_fail(call, "heights must be non-negative");
        return false;
    }
    *min = *min ? *min : 1;
    *max = *max && *max < head ? *max : head;
    *min = *min > first ? *min : first;
    *min = *min > *max - BLOCKCHAIN_MAX + 1 ? *min : *max - BLOCKCHAIN_MAX + 1;
    if (*min > *max)
        (void)rpc_fail(call, "min height %" PRId64 " can't be greater than max height %" PRId64,
                       *min, *max);
    return *min <= *max;
}

static json_t *json_row(const struct stored_block *block)
{
    return json_pack("{s:o,s:o,s:o,s:o}", "block_id", rpc_json_block_id(&block->id), "block_size",
                     rpc_json_number((int64_t)block->size), "header",
                     rpc_json_header(&block->header), "num_txs", rpc_json_number(block->tx_count));
}

json_t *rpc_blockchain(struct rpc_call *call)
{
    int64_t min, max;
    if (!rows(call, &min, &max))
        return NULL;
    json_t *list = json_array();
    for (int64_t height = max; height >= min && list; height--) {
        struct stored_block block;
        if (!devnet_ledger_read(call->rpc->ledger, height, &block))
            continue;
        json_array_append_new(list, json_row(&block));
        stored_block_clear(&block);
    }
    return json_pack("{s:o,s:o}", "last_height",
                     rpc_json_number(devnet_ledger_head(call->rpc->ledger)), "block_metas", list);
}
