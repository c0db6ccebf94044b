#include "tests/devnet_desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct devnet_exchange {
    struct desk *desk;
};

/* In place of those of sim/devnet_http.c. */
const char *devnet_exchange_param(struct devnet_exchange *exchange, const char *name)
{
    const struct desk *desk = exchange->desk;
    for (size_t i = 0; i < DESK_PARAMS_MAX && desk->params[i].name; i++)
        if (strcmp(desk->params[i].name, name) == 0)
            return desk->params[i].text;
    return NULL;
}

void devnet_exchange_answer(struct devnet_exchange *exchange, unsigned status, const char *type,
                            char *body)
{
    struct desk *desk = exchange->desk;
    assert_non_null(type);
    free(desk->answer);
    desk->answer = body;
    desk->status = body ? status : 500;
    desk->answers++;
    free(exchange);
}

static bool keep_frame(void *context, const struct devnet_frame *frame)
{
    struct desk *desk = context;
    if (desk->away)
        return false;
    assert_int_equal(frame->kind, FRAME_TX);
    assert_true(desk->sent_count < DESK_SENT_MAX);
    desk->sent[desk->sent_count++] = frame->tx;
    return true;
}

static void pass_block(void *context, const struct stored_block *block)
{
    struct desk *desk = context;
    if (desk->rpc.pool && block->applied)
        devnet_pool_block(desk->rpc.pool, block);
}

static void open_dir(struct desk *desk, uint32_t validators)
{
    struct fake_config config = {.count = validators};
    fake_genesis(&config, &desk->w.genesis, desk->w.validators, desk->w.seeds);
    strcpy(desk->directory, "/tmp/stagger-desk-XXXXXX");
    assert_non_null(mkdtemp(desk->directory));
    snprintf(desk->log, sizeof desk->log, "%s/blocks.log", desk->directory);
    for (uint32_t i = 0; i < validators; i++)
        snprintf(desk->ids[i], sizeof desk->ids[i], "%040u", i);
    desk->dir = (struct devnet_dir){.path = desk->directory,
                                    .genesis = desk->w.genesis,
                                    .base_port = 20000,
                                    .node_ids = desk->ids};
}

struct desk *desk_open(uint32_t validators)
{
    struct desk *desk = calloc(1, sizeof *desk);
    struct fault fault = {""};
    assert_non_null(desk);
    open_dir(desk, validators);
    if (!chain_state_open(&desk->chain, desk->log, &desk->w.genesis, &fault))
        fail_msg("%s", fault.text);
    struct app *app = app_create(&desk->w.genesis, &fault);
    assert_non_null(app);
    desk->rpc = (struct devnet_rpc){.dir = &desk->dir, .proposal.hash.none = true};
    memcpy(desk->rpc.key.seed, desk->w.seeds[0], ED25519_KEY_SIZE);
    memcpy(desk->rpc.key.public_key, desk->w.validators[0].consensus_key, ED25519_KEY_SIZE);
    desk->rpc.ledger = devnet_ledger_create(desk->log, app, pass_block, desk);
    struct devnet_pool_config config = {
        .app = app, .send = keep_frame, .done = devnet_rpc_done, .context = desk};
    desk->rpc.pool = devnet_pool_create(&config);
    assert_true(desk->rpc.ledger && desk->rpc.pool);
    devnet_pool_unfresh(desk->rpc.pool);
    return desk;
}

void desk_close(struct desk **slot)
{
    struct desk *desk = *slot;
    devnet_pool_destroy(&desk->rpc.pool);
    devnet_ledger_destroy(&desk->rpc.ledger);
    chain_state_close(&desk->chain);
    (void)unlink(desk->log);
    (void)rmdir(desk->directory);
    free(desk->answer);
    free(desk);
    *slot = NULL;
}

/* --- blocks --- */

static void sign_all(struct desk *desk, const struct chain_block *block, struct chain_votes *votes)
{
    struct chain_state *chain = &desk->chain;
    struct time_stamp now = devnet_time_of_ms(chain->genesis->time_ms + 1000 * chain->height);
    chain_votes_begin(votes, &chain->set, chain->height, 0, &block->id, &block->header.time);
    for (uint32_t i = 0; i < chain->set.count; i++) {
        struct devnet_vote vote = {.height = chain->height,
                                   .time = devnet_vote_time(&now, &block->header.time)};
        struct devnet_ballot ballot = {.chain_id = chain->genesis->chain_id,
                                       .height = chain->height,
                                       .id = block->id,
                                       .time = vote.time};
        uint32_t validator = chain->set.validators[i];
        assert_true(devnet_vote_sign(&ballot, desk->w.seeds[validator], vote.signature));
        assert_int_equal(
            chain_votes_take(votes, &chain->set, chain->genesis->chain_id, validator, &vote),
            VOTE_TAKEN);
    }
}

void desk_block(struct desk *desk, const struct tx_bytes *txs, uint32_t count)
{
    struct chain_block block;
    struct chain_votes votes = {.power = 0};
    struct fault fault = {""};
    struct app_result *results = calloc(count + 1, sizeof *results);
    uint32_t proposer = model_proposer(app_model(desk->chain.app), 0);
    assert_non_null(results);
    chain_state_draft(&desk->chain, proposer, txs, count, &block);
    sign_all(desk, &block, &votes);
    if (!chain_state_commit(&desk->chain, &block, txs, &votes, results, &fault) ||
        !devnet_ledger_follow(desk->rpc.ledger, 100, &fault))
        fail_msg("%s", fault.text);
    for (uint32_t i = 0; i < count; i++)
        app_result_clear(&results[i]);
    free(results);
    chain_votes_clear(&votes);
}

/* --- requests --- */

json_t *desk_answer(const struct desk *desk)
{
    json_error_t error;
    return desk->status ? json_loads(desk->answer ? desk->answer : "", 0, &error) : NULL;
}

static json_t *ask(struct desk *desk, const char *path, const void *body, size_t size)
{
    struct devnet_exchange *exchange = calloc(1, sizeof *exchange);
    char *text = calloc(1, size + 1);
    assert_true(exchange && text);
    if (size > 0)
        memcpy(text, body, size);
    exchange->desk = desk;
    desk->status = 0;
    devnet_rpc_handle(&desk->rpc,
                      &(struct devnet_request){.path = path, .body = text, .size = size}, exchange);
    free(text);
    return desk_answer(desk);
}

json_t *desk_bytes(struct desk *desk, const void *body, size_t size)
{
    return ask(desk, "/", body, size);
}

json_t *desk_post(struct desk *desk, const char *body)
{
    return ask(desk, "/", body, strlen(body));
}

json_t *desk_get(struct desk *desk, const char *path, const char *name, const char *text)
{
    desk->params[0] = (struct desk_param){name, text};
    desk->params[1] = (struct desk_param){NULL, NULL};
    return ask(desk, path, "", 0);
}

json_t *desk_call(struct desk *desk, const char *method, const char *params)
{
    size_t size = strlen(method) + strlen(params) + 64;
    char *body = malloc(size);
    assert_non_null(body);
    snprintf(body, size, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method,
             params);
    json_t *reply = desk_post(desk, body);
    free(body);
    return reply;
}
