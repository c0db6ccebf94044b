/* Replicas of the devnet's application: fed with the same blocks, they have the same hash after each. Blocks are
 * drawn at random, most of what is in them is nonsense, and what the chain refuses as a whole must leave no trace. */
#include "tests/app_world.h"

#define BLOCKS 120
#define ROUNDS 12

static uint64_t draw(uint64_t *seed, uint64_t below)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed % below;
}

static struct world_tx kira_tx(struct app_world *w, uint64_t *seed, uint32_t v)
{
    char amount[24];
    switch (draw(seed, 9)) {
    case 0:
        return tx_pause(w, v);
    case 1:
        return tx_unpause(w, v);
    case 2:
        return tx_activate(w, v);
    case 3:
        return tx_upgrade(w, v, "up", w->time_ms / 1000 + (int64_t)draw(seed, 90), true);
    case 4:
        return tx_cancel(w, v, "up");
    case 5:
    case 6:
        return tx_vote(w, v, draw(seed, 8), (uint32_t)draw(seed, 5));
    default:
        snprintf(amount, sizeof amount, "%u", (unsigned)draw(seed, 5000));
        return tx_send(w, v, (uint32_t)draw(seed, 20), amount);
    }
}

static struct world_tx dcl_tx(struct app_world *w, uint64_t *seed, uint32_t v)
{
    static const char *const what[] = {"Propose", "Approve", "Reject"};
    static const char *const names[] = {"a", "b", "c"};
    const char *verb = what[draw(seed, 3)];
    switch (draw(seed, 5)) {
    case 0:
        return tx_pause(w, v);
    case 1:
        return tx_unpause(w, v);
    case 2:
        return tx_create(w, v, "name");
    case 3:
        return tx_disable_act(w, v, verb, (uint32_t)draw(seed, 8));
    default:
        return tx_upgrade_act(w, v, verb, names[draw(seed, 3)],
                              strcmp(verb, "Propose") == 0 ? 300 : 0);
    }
}

static void block_draw(struct app_world *w, uint64_t *seed)
{
    uint64_t count = draw(seed, 5);
    for (uint64_t i = 0; i < count; i++) {
        uint32_t v = (uint32_t)draw(seed, w->genesis.count);
        bool kira = w->genesis.kind == CHAIN_KIRA;
        struct world_tx tx = kira ? kira_tx(w, seed, v) : dcl_tx(w, seed, v);
        while (draw(seed, 3) == 0 && tx.message_count < 4) {
            struct world_tx other = kira ? kira_tx(w, seed, v) : dcl_tx(w, seed, v);
            tx_also(&tx, &other);
        }
        if (draw(seed, 12) == 0)
            tx.break_signature = true;
        if (draw(seed, 12) == 0)
            tx.sequence++;
        if (kira)
            snprintf(tx.fee_amount, sizeof tx.fee_amount, "%u", 100 + (unsigned)draw(seed, 3000));
        (void)world_check(w, tx); /* CheckTx is each node's own and changes no state */
        world_put(w, tx);
    }
}

/* The same block again, in another replica. */
struct copy {
    uint8_t *txs[WORLD_TXS];
    size_t sizes[WORLD_TXS];
    uint32_t count;
};

static void copy_take(struct copy *copy, const struct app_world *w)
{
    copy->count = w->tx_count;
    for (uint32_t i = 0; i < w->tx_count; i++) {
        copy->txs[i] = malloc(w->sizes[i]);
        memcpy(copy->txs[i], w->txs[i], w->sizes[i]);
        copy->sizes[i] = w->sizes[i];
    }
}

static bool replay(struct app_world *w, struct app *replica, struct copy *copy)
{
    struct member updates[WORLD_VALIDATORS];
    uint32_t missing[WORLD_VALIDATORS], missing_count = 0, update_count;
    uint64_t height = model_height(app_model(replica)).n + 1;
    for (uint32_t i = 0; height > 1 && i < w->missing_count; i++) {
        if (strchr(w->sets[height - 1], (char)('0' + w->missing[i])))
            missing[missing_count++] = w->missing[i];
    }
    app_begin(replica, height_at(height), w->time_ms, missing, missing_count);
    for (uint32_t i = 0; i < copy->count; i++) {
        struct app_result result;
        app_deliver(replica, copy->txs[i], copy->sizes[i], &result);
        assert_int_equal(result.code, w->results[i].code);
        assert_string_equal(result.log, w->results[i].log);
        app_result_clear(&result);
        free(copy->txs[i]);
    }
    bool applied = app_end(replica, updates, &update_count);
    assert_int_equal(update_count, w->update_count);
    return applied;
}

static void assert_hashes(const struct app *a, const struct app *b)
{
    uint8_t x[HASH_SIZE], y[HASH_SIZE];
    app_hash(a, x);
    app_hash(b, y);
    assert_memory_equal(x, y, HASH_SIZE);
}

static uint32_t run(enum chain_kind kind, uint64_t seed)
{
    static struct app_world w;
    struct fault fault;
    uint32_t blocks = 0;
    app_world_start(&w, kind, 7, 1);
    w.genesis.properties.downtime_inactive_s = 3;
    w.genesis.properties.max_mischance = 5;
    app_world_begin(&w);
    struct app *replica = app_create(&w.genesis, &fault);
    assert_non_null(replica);
    for (bool alive = true; alive && blocks < BLOCKS; blocks++) {
        struct copy copy;
        uint8_t before[HASH_SIZE], after[HASH_SIZE];
        w.missing_count = draw(&seed, 4) == 0;
        w.missing[0] = 6;
        block_draw(&w, &seed);
        copy_take(&copy, &w);
        world_hash(&w, before);
        alive = app_world_block(&w);
        assert_true(replay(&w, replica, &copy) == alive);
        assert_hashes(w.app, replica);
        world_hash(&w, after);
        if (!alive)
            assert_memory_equal(before, after, HASH_SIZE);
    }
    app_destroy(&replica);
    app_world_end(&w);
    return blocks;
}

static void test_replicas_agree(void **state)
{
    uint32_t blocks = 0;
    (void)state;
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        blocks += run(CHAIN_KIRA, i * 7919);
        blocks += run(CHAIN_DCL, i * 104729);
    }
    print_message("%u blocks\n", (unsigned)blocks);
    assert_true(blocks > 2 * ROUNDS);
}

/* Money is neither made nor lost but for fees. */
static void test_balances_add_up(void **state)
{
    struct app_world w;
    uint64_t sum = 0, fees = 0;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    for (uint32_t i = 0; i < 40; i++) {
        char amount[24];
        snprintf(amount, sizeof amount, "%u", 1 + (unsigned)i);
        fees += 100;
        assert_int_equal(world_do(&w, tx_send(&w, i % 4, i * 7 % 4, amount)), 0);
    }
    for (uint32_t v = 0; v < 4; v++)
        sum += world_balance(&w, v);
    assert_int_equal(sum, 4 * WORLD_BALANCE - fees);
    app_world_end(&w);
}

/* Bytes that are cut, or changed by one bit, never stop the application. */
static void test_broken_bytes(void **state)
{
    struct app_world w;
    struct app_result result;
    size_t size;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    struct world_tx tx = tx_upgrade(&w, 0, "up1", w.time_ms / 1000 + 50, true);
    uint8_t *bytes = world_encode(&tx, &size);
    for (size_t i = 0; i < size; i++) {
        app_check(w.app, bytes, i, false, &result);
        assert_int_not_equal(result.code, 0);
        app_result_clear(&result);
        for (uint32_t bit = 0; bit < 8; bit++) {
            bytes[i] ^= (uint8_t)(1u << bit);
            app_check(w.app, bytes, size, false, &result);
            assert_int_not_equal(result.code, 0);
            app_result_clear(&result);
            bytes[i] ^= (uint8_t)(1u << bit);
        }
    }
    app_check(w.app, bytes, size, false, &result);
    assert_int_equal(result.code, 0);
    app_result_clear(&result);
    free(bytes);
    app_world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replicas_agree),
        cmocka_unit_test(test_balances_add_up),
        cmocka_unit_test(test_broken_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
