/* The RPC of a devnet's node over a log made by hand: an empty chain, blocks, proofs, pages, errors, and what the
 * mempool answers in every turn that a transaction can take. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coord/digest.h"
#include "proto/encoding.h"
#include "tests/devnet_desk.h"

static int open_desk(void **state)
{
    *state = desk_open(3);
    return 0;
}

static int close_desk(void **state)
{
    struct desk *d = *state;
    desk_close(&d);
    return 0;
}

/* "result.header.height": a text of the reply; "" where there is none. Dots in names do not happen. */
static const char *text_at(const json_t *reply, const char *path)
{
    char copy[200], *rest = copy;
    snprintf(copy, sizeof copy, "%s", path);
    for (char *key = strtok_r(copy, ".", &rest); key && reply; key = strtok_r(NULL, ".", &rest))
        reply = json_is_array(reply) ? json_array_get(reply, (size_t)atoi(key))
                                     : json_object_get(reply, key);
    return json_is_string(reply) ? json_string_value(reply) : "";
}

#define assert_reply(expression, path, expected)                                                   \
    do {                                                                                           \
        json_t *reply_ = (expression);                                                             \
        assert_non_null(reply_);                                                                   \
        assert_string_equal(text_at(reply_, path), expected);                                      \
        json_decref(reply_);                                                                       \
    } while (0)

static void assert_error(json_t *reply, int code, const char *data)
{
    const json_t *error = json_object_get(reply, "error");
    assert_int_equal(json_integer_value(json_object_get(error, "code")), code);
    if (data)
        assert_string_equal(text_at(error, "data"), data);
    json_decref(reply);
}

/* --- a chain without a block --- */

static void empty_chain(void **state)
{
    struct desk *d = *state;
    assert_reply(desk_call(d, "status", "{}"), "result.sync_info.latest_block_height", "0");
    assert_reply(desk_call(d, "status", "{}"), "result.sync_info.latest_block_time",
                 "1970-01-01T00:00:00Z");
    assert_reply(desk_call(d, "status", "{}"), "result.validator_info.voting_power", "1");
    assert_reply(desk_call(d, "block", "{}"), "result.block_id.hash", "");
    assert_reply(desk_call(d, "validators", "{}"), "result.total", "3");
    assert_reply(desk_call(d, "validators", "{}"), "result.block_height", "1");
    assert_error(desk_call(d, "block_results", "{}"), -32603,
                 "could not find results for height #0");
    assert_error(desk_call(d, "blockchain", "{}"), -32603,
                 "min height 1 can't be greater than max height 0");
    assert_error(desk_call(d, "block", "{\"height\":\"1\"}"), -32603,
                 "height 1 must be less than or equal to the current blockchain height 0");
    static const char *const all[] = {"abci_info",     "commit",   "consensus_params",
                                      "header",        "health",   "consensus_state",
                                      "header",        "genesis",  "num_unconfirmed_txs",
                                      "block_by_hash", "net_info", "unconfirmed_txs"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        json_decref(desk_call(d, all[i], "{}"));
    assert_int_equal(d->answers, 9 + sizeof all / sizeof *all);
}

/* --- blocks --- */

static struct tx_bytes join_of(struct desk *d, uint32_t validator)
{
    struct tx_bytes tx;
    tx.bytes = fake_tx(&d->w, validator, FAKE_JOIN, &tx.size);
    return tx;
}

static void drop_txs(struct tx_bytes *txs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        free((void *)(uintptr_t)txs[i].bytes);
}

static void blocks_are_shown(void **state)
{
    struct desk *d = *state;
    struct tx_bytes tx = join_of(d, 1);
    desk_block(d, NULL, 0);
    desk_block(d, &tx, 1);
    desk_block(d, NULL, 0);
    assert_reply(desk_call(d, "status", "{}"), "result.sync_info.latest_block_height", "3");
    assert_reply(desk_call(d, "block", "{\"height\":\"2\"}"), "result.block.header.height", "2");
    assert_reply(desk_call(d, "block", "{\"height\":\"1\"}"), "result.block.last_commit.height",
                 "0");
    assert_reply(desk_call(d, "block_results", "{\"height\":\"2\"}"),
                 "result.txs_results.0.gas_wanted", "0");
    json_t *commit = desk_call(d, "commit", "{\"height\":\"2\"}"),
           *last = desk_call(d, "commit", "[null]");
    assert_true(json_is_true(json_object_get(json_object_get(commit, "result"), "canonical")));
    assert_true(json_is_false(json_object_get(json_object_get(last, "result"), "canonical")));
    json_decref(commit);
    json_decref(last);
    assert_reply(desk_call(d, "blockchain", "{\"maxHeight\":\"2\"}"),
                 "result.block_metas.0.num_txs", "1");
    assert_reply(desk_call(d, "validators", "{\"height\":\"4\"}"), "result.block_height", "4");
    assert_error(desk_call(d, "validators", "{\"height\":\"5\"}"), -32603,
                 "height 5 must be less than or equal to the current blockchain height 4");
    assert_error(desk_call(d, "validators", "{\"page\":\"3\",\"per_page\":\"2\"}"), -32603,
                 "page should be within [1, 2] range, given 3");
    d->rpc.catching_up = true; /* then the next height is not its own yet */
    assert_error(desk_call(d, "validators", "{\"height\":\"4\"}"), -32603,
                 "height 4 must be less than or equal to the current blockchain height 3");
    drop_txs(&tx, 1);
}

static void base64_of(const json_t *text, uint8_t *bytes, size_t room, size_t *size)
{
    assert_true(
        base64_decode(json_string_value(text), json_string_length(text), bytes, room, size));
}

/* Climbs from the leaf to the root as a light client does. */
static void climb(const json_t *proof, uint8_t hash[HASH_SIZE])
{
    struct digest *digest = digest_create();
    const json_t *aunts = json_object_get(proof, "aunts");
    uint32_t index = (uint32_t)atoi(text_at(proof, "index")),
             total = (uint32_t)atoi(text_at(proof, "total"));
    uint8_t mark = 1, aunt[HASH_SIZE + 3];
    size_t size, depth = json_array_size(aunts);
    bool left[32];
    for (size_t i = 0; i < depth; i++) { /* from the root down */
        uint32_t half = 1;
        while (half * 2 < total)
            half *= 2;
        left[depth - 1 - i] = index < half;
        total = left[depth - 1 - i] ? half : total - half;
        index -= left[depth - 1 - i] ? 0 : half;
    }
    assert_int_equal(total, 1);
    base64_of(json_object_get(proof, "leaf_hash"), aunt, sizeof aunt, &size);
    memcpy(hash, aunt, HASH_SIZE);
    for (size_t i = 0; i < depth; i++) {
        base64_of(json_array_get(aunts, i), aunt, sizeof aunt, &size);
        const uint8_t *a = left[i] ? hash : aunt, *b = left[i] ? aunt : hash;
        struct digest_piece pieces[] = {{&mark, 1}, {a, HASH_SIZE}, {b, HASH_SIZE}};
        digest_sha256(digest, pieces, 3, hash);
    }
    digest_destroy(&digest);
}

static void transactions_are_proved(void **state)
{
    struct desk *d = *state;
    struct tx_bytes txs[5];
    for (uint32_t i = 0; i < 5; i++)
        txs[i] = join_of(d, i % 3);
    desk_block(d, NULL, 0);
    desk_block(d, txs, 5);
    for (uint32_t i = 0; i < 5; i++) {
        uint8_t hash[HASH_SIZE];
        char text[HEX_TEXT(HASH_SIZE) + 2] = "0x", root[HEX_TEXT(HASH_SIZE)];
        tx_hash(txs[i].bytes, txs[i].size, hash);
        hex_encode_upper(hash, HASH_SIZE, text + 2);
        assert_reply(desk_get(d, "/tx", "hash", text), "result.hash", text + 2);
        d->params[1] = (struct desk_param){"prove", "true"};
        char params[200];
        char base64[BASE64_TEXT(HASH_SIZE)];
        base64_encode(hash, HASH_SIZE, base64);
        snprintf(params, sizeof params, "{\"hash\":\"%s\",\"prove\":true}", base64);
        json_t *reply = desk_call(d, "tx", params);
        const json_t *proof = json_object_get(json_object_get(reply, "result"), "proof");
        climb(json_object_get(proof, "proof"), hash);
        hex_encode_upper(hash, HASH_SIZE, root);
        assert_string_equal(text_at(proof, "root_hash"), root);
        json_decref(reply);
    }
    assert_error(desk_get(d, "/tx", "hash", "0x0011"), -32603, "tx (0011) not found");
    assert_error(desk_get(d, "/tx", "hash", ""), -32603, "transaction hash cannot be empty");
    drop_txs(txs, 5);
}

static void a_dead_chain_answers(void **state)
{
    struct desk *d = *state;
    struct tx_bytes txs[2];
    desk_block(d, NULL, 0);
    txs[0].bytes = fake_tx(&d->w, 1, FAKE_PAUSE, &txs[0].size);
    desk_block(d, txs, 1);
    desk_block(d, NULL, 0);
    desk_block(d, NULL, 0);
    free((void *)(uintptr_t)txs[0].bytes);
    txs[0].bytes = fake_tx(&d->w, 1, FAKE_UNPAUSE, &txs[0].size);
    txs[1].bytes = fake_tx(&d->w, 1, FAKE_PAUSE, &txs[1].size);
    desk_block(d, txs, 2);
    assert_false(devnet_ledger_applied(d->rpc.ledger));
    assert_non_null(app_dead(devnet_ledger_app(d->rpc.ledger)));
    assert_reply(desk_call(d, "status", "{}"), "result.sync_info.latest_block_height", "5");
    assert_reply(desk_call(d, "abci_info", "{}"), "result.response.last_block_height", "4");
    assert_reply(desk_call(d, "block", "{}"), "result.block.header.height", "5");
    assert_reply(desk_call(d, "validators", "{}"), "result.total", "2");
    json_decref(desk_call(d, "block_results", "{}"));
    json_decref(desk_call(d, "consensus_state", "{}"));
    assert_true(d->status == 200);
    drop_txs(txs, 2);
}

/* --- requests that are none --- */

static void requests_are_read_strictly(void **state)
{
    struct desk *d = *state;
    static const char *const nonsense[] = {
        "{",   "5",    "[5]", "\"x\"", "{\"id\":[],\"method\":\"a\"}", "{\"id\":1,\"method\":{}}",
        "nul", "[[]]", "{}x"};
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        assert_error(desk_post(d, nonsense[i]), -32700, NULL);
        assert_int_equal(d->status, 500);
    }
    assert_error(desk_call(d, "subscribe", "{}"), -32601, "");
    assert_error(desk_call(d, "block", "{\"height\":4}"), -32602,
                 "error converting json params to arguments: invalid 64-bit integer encoding "
                 "\"4\", expected string");
    assert_error(desk_call(d, "block", "{\"height\":\" 4\"}"), -32602, NULL);
    assert_error(desk_call(d, "block", "[\"1\",\"2\"]"), -32602, NULL);
    assert_error(desk_get(d, "/block", "height", "0x4"), -32602,
                 "error converting http params to arguments: got a hex string arg, but expected "
                 "'int64'");
    assert_int_equal(d->status, 500);
    assert_null(desk_get(d, "/nothing", NULL, NULL));
    assert_int_equal(d->status, 404);
    assert_null(desk_get(d, "/", NULL, NULL));
    assert_int_equal(d->status, 200);
    json_decref(desk_post(d, "{\"method\":\"health\"}")); /* a notification */
    assert_string_equal(d->answer, "");
    json_decref(desk_post(d, "{\"id\":2.5,\"method\":\"health\"}"));
    assert_string_equal(d->answer, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}");
    json_decref(desk_post(d, "[{\"id\":\"a\",\"method\":\"health\"},{\"id\":2,\"method\":\"x\"}]"));
    assert_string_equal(
        d->answer,
        "[{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{}},{\"jsonrpc\":\"2.0\",\"id\":2,"
        "\"error\":{\"code\":-32601,\"message\":\"Method not found\"}}]");
}

/* --- the mempool --- */

static void submit(struct desk *d, const char *method, const struct tx_bytes *tx)
{
    char *text = malloc(BASE64_TEXT(tx->size) + 16);
    assert_non_null(text);
    strcpy(text, "[\"");
    base64_encode(tx->bytes, tx->size, text + 2);
    strcat(text, "\"]");
    json_decref(desk_call(d, method, text));
    free(text);
}

static void assert_code(const struct desk *d, int code)
{
    json_t *reply = desk_answer(d);
    const json_t *result = json_object_get(reply, "result");
    assert_non_null(result);
    assert_int_equal(json_integer_value(json_object_get(result, "code")), code);
    json_decref(reply);
}

static void verdict(struct desk *d, enum devnet_verdict verdict, uint32_t code, const char *words)
{
    struct devnet_tx_answer answer = {.verdict = verdict, .code = code, .codespace = "sdk"};
    answer.serial = d->sent[d->sent_count - 1].serial;
    snprintf(answer.words, sizeof answer.words, "%s", words);
    devnet_pool_answer(d->rpc.pool, &answer);
}

static void the_chain_process_decides(void **state)
{
    struct desk *d = *state;
    struct tx_bytes txs[4];
    for (uint32_t i = 0; i < 4; i++)
        txs[i] = join_of(d, i % 3);
    devnet_pool_link(d->rpc.pool, true);
    submit(d, "broadcast_tx_sync", &txs[0]);
    assert_int_equal(d->status, 0); /* it waits */
    verdict(d, TX_TAKEN, 0, "");
    assert_code(d, 0);
    submit(d, "broadcast_tx_sync", &txs[0]);
    assert_error(desk_answer(d), -32603, "tx already exists in cache");
    submit(d, "broadcast_tx_sync", &txs[1]);
    verdict(d, TX_REFUSED, 13, "too little");
    assert_code(d, 13);
    submit(d, "broadcast_tx_sync", &txs[2]);
    verdict(d, TX_FULL, 0, "mempool is full");
    assert_error(desk_answer(d), -32603, "mempool is full");
    submit(d, "broadcast_tx_sync", &txs[3]);
    verdict(d, TX_KNOWN, 0, "");
    assert_error(desk_answer(d), -32603, "tx already exists in cache");
    assert_int_equal(devnet_pool_count(d->rpc.pool), 1);
    verdict(d, TX_REFUSED, 5, "late"); /* of one that is gone */
    assert_reply(desk_call(d, "num_unconfirmed_txs", "{}"), "result.n_txs", "1");
    drop_txs(txs, 4);
}

/* The second of an account whose first went through another node. */
static void a_sequence_is_shown_to_the_chain_process(void **state)
{
    struct desk *d = *state;
    struct tx_bytes first = join_of(d, 0), second = join_of(d, 0);
    submit(d, "broadcast_tx_sync", &second); /* there is none */
    assert_code(d, 32);
    devnet_pool_link(d->rpc.pool, true);
    submit(d, "broadcast_tx_sync", &second);
    assert_int_equal(d->status, 0);
    verdict(d, TX_TAKEN, 0, "");
    assert_code(d, 0);
    struct tx_bytes both[] = {first, second};
    desk_block(d, both, 2);
    assert_int_equal(devnet_pool_count(d->rpc.pool), 0);
    drop_txs(both, 2);
}

static void without_the_chain_process(void **state)
{
    struct desk *d = *state;
    struct tx_bytes txs[] = {join_of(d, 0), join_of(d, 1)};
    d->away = true;
    submit(d, "broadcast_tx_sync", &txs[0]);
    assert_code(d, 0);
    devnet_pool_link(d->rpc.pool, true);
    submit(d, "broadcast_tx_sync", &txs[1]); /* the frame is lost */
    assert_code(d, 0);
    d->away = false;
    int64_t now_ms = zclock_mono();
    devnet_pool_tick(d->rpc.pool, now_ms + 300);
    assert_int_equal(d->sent_count, 0);
    devnet_pool_tick(d->rpc.pool, now_ms + 1100);
    assert_int_equal(d->sent_count, 2);
    verdict(d, TX_KNOWN, 0, ""); /* sent before, and taken after all */
    assert_int_equal(devnet_pool_count(d->rpc.pool), 2);
    devnet_pool_tick(d->rpc.pool, now_ms + 6000);
    assert_int_equal(d->sent_count, 4);
    desk_block(d, txs, 2);
    assert_int_equal(devnet_pool_count(d->rpc.pool), 0);
    drop_txs(txs, 2);
}

static void a_silent_chain_process(void **state)
{
    struct desk *d = *state;
    struct tx_bytes txs[] = {join_of(d, 0), join_of(d, 1)};
    devnet_pool_link(d->rpc.pool, true);
    submit(d, "broadcast_tx_sync", &txs[0]);
    assert_int_equal(d->status, 0);
    devnet_pool_tick(d->rpc.pool, zclock_mono() + DEVNET_CHECK_MS);
    assert_code(d, 0);
    submit(d, "broadcast_tx_sync", &txs[1]);
    assert_int_equal(d->status, 0);
    devnet_pool_link(d->rpc.pool, false);
    assert_code(d, 0);
    drop_txs(txs, 2);
}

static void commits_wait_for_their_block(void **state)
{
    struct desk *d = *state;
    struct tx_bytes txs[] = {join_of(d, 0), join_of(d, 1)};
    devnet_pool_link(d->rpc.pool, true);
    submit(d, "broadcast_tx_commit", &txs[0]);
    verdict(d, TX_TAKEN, 0, "");
    assert_int_equal(d->status, 0);
    desk_block(d, txs, 1);
    assert_reply(desk_answer(d), "result.height", "1");
    submit(d, "broadcast_tx_commit", &txs[1]);
    verdict(d, TX_TAKEN, 0, "");
    devnet_pool_tick(d->rpc.pool, zclock_mono() + DEVNET_COMMIT_MS);
    assert_error(desk_answer(d), -32603, "timed out waiting for tx to be included in a block");
    assert_int_equal(devnet_pool_count(d->rpc.pool), 1); /* it may still be */
    desk_block(d, txs + 1, 1);
    assert_int_equal(devnet_pool_count(d->rpc.pool), 0);
    submit(d, "broadcast_tx_sync", &txs[1]);
    assert_error(desk_answer(d), -32603, "tx already exists in cache");
    drop_txs(txs, 2);
}

/* What waits, and can no longer pass after a block. */
static void left_overs_are_checked_anew(void **state)
{
    struct desk *d = *state;
    struct tx_bytes mine = join_of(d, 0);
    d->w.sequences[0]--;
    struct tx_bytes other;
    other.bytes = fake_tx(&d->w, 0, FAKE_PAUSE, &other.size); /* the same sequence */
    devnet_pool_link(d->rpc.pool, true);
    submit(d, "broadcast_tx_sync", &mine);
    verdict(d, TX_TAKEN, 0, "");
    desk_block(d, &other, 1);
    assert_int_equal(devnet_pool_count(d->rpc.pool), 0);
    submit(d, "broadcast_tx_sync", &mine); /* it may be sent again */
    verdict(d, TX_REFUSED, 32, "account sequence mismatch");
    assert_code(d, 32);
    drop_txs(&mine, 1);
    drop_txs(&other, 1);
}

static void a_stop_leaves_nobody_waiting(void **state)
{
    struct desk *d = *state;
    struct tx_bytes tx = join_of(d, 0);
    devnet_pool_link(d->rpc.pool, true);
    submit(d, "broadcast_tx_commit", &tx);
    assert_int_equal(d->status, 0);
    devnet_pool_destroy(&d->rpc.pool);
    assert_error(desk_answer(d), -32603, "the node is being stopped");
    drop_txs(&tx, 1);
}

/* --- the log of somebody else --- */

static void foreign_logs_are_refused(void **state)
{
    struct desk *d = *state;
    struct fault fault;
    struct app_genesis genesis = d->w.genesis;
    desk_block(d, NULL, 0);
    desk_block(d, NULL, 0);
    struct devnet_ledger *ledger =
        devnet_ledger_create("no/such/blocks.log", app_create(&genesis, &fault), NULL, NULL);
    assert_true(devnet_ledger_follow(ledger, 100, &fault)); /* it may still come */
    assert_int_equal(devnet_ledger_head(ledger), 0);
    devnet_ledger_destroy(&ledger);
    strcpy(genesis.chain_id, "other-1");
    ledger = devnet_ledger_create(d->log, app_create(&genesis, &fault), NULL, NULL);
    assert_false(devnet_ledger_follow(ledger, 100, &fault));
    assert_non_null(strstr(fault.text, "block 1 is of chain \"fake-1\""));
    devnet_ledger_destroy(&ledger);
    genesis = d->w.genesis;
    genesis.validators[0].balance++;
    ledger = devnet_ledger_create(d->log, app_create(&genesis, &fault), NULL, NULL);
    assert_false(devnet_ledger_follow(ledger, 100, &fault));
    assert_non_null(strstr(fault.text, "block 2 names another application hash"));
    devnet_ledger_destroy(&ledger);
}

static void logs_are_taken_in_slices(void **state)
{
    struct desk *d = *state;
    struct fault fault;
    for (int i = 0; i < 5; i++)
        desk_block(d, NULL, 0);
    struct devnet_ledger *ledger =
        devnet_ledger_create(d->log, app_create(&d->w.genesis, &fault), NULL, NULL);
    assert_true(devnet_ledger_follow(ledger, 2, &fault));
    assert_int_equal(devnet_ledger_head(ledger), 2);
    assert_true(devnet_ledger_behind(ledger));
    assert_true(devnet_ledger_follow(ledger, 3, &fault));
    assert_int_equal(devnet_ledger_head(ledger), 5);
    assert_false(devnet_ledger_behind(ledger));
    devnet_ledger_destroy(&ledger);
}

#define on_desk(test) cmocka_unit_test_setup_teardown(test, open_desk, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_desk(empty_chain),
        on_desk(blocks_are_shown),
        on_desk(transactions_are_proved),
        on_desk(a_dead_chain_answers),
        on_desk(requests_are_read_strictly),
        on_desk(the_chain_process_decides),
        on_desk(a_sequence_is_shown_to_the_chain_process),
        on_desk(without_the_chain_process),
        on_desk(a_silent_chain_process),
        on_desk(commits_wait_for_their_block),
        on_desk(left_overs_are_checked_anew),
        on_desk(a_stop_leaves_nobody_waiting),
        on_desk(foreign_logs_are_refused),
        on_desk(logs_are_taken_in_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
