/* The modelled KIRA chain, held against what running networks of sekai v0.4.13 did. */
#include "sim/valset.h"
#include "tests/chain_world.h"

static void assert_account(struct world *w, uint32_t validator, uint64_t paid, uint64_t sequence)
{
    const struct model_record *record = model_record(w->chain, validator);

    assert_int_equal(record->balance, WORLD_BALANCE - paid);
    assert_int_equal(record->sequence, sequence);
}

/* --- pause, unpause, activate --- */

static void test_pause_leaves_two_blocks_later(void **state)
{
    struct world w;
    struct model_tx tx;
    const struct view_change *changes;

    (void)state;
    world_start(&w, CHAIN_KIRA, 4, 1);
    world_run(&w, 9);
    tx = world_tx(&w, 2, MSG_PAUSE);
    assert_result(model_check(w.chain, &tx), 0, "");
    assert_true(world_block(&w, &tx, 1));
    assert_result(w.results[0], 0, "");
    assert_true(w.results[0].charged && w.results[0].sequenced);
    assert_account(&w, 2, 100, 1);
    assert_int_equal(world_status(&w, 2), STATUS_PAUSED);
    assert_int_equal(model_active_count(w.chain), 3);
    assert_true(model_in_set(w.chain, 2) && !model_in_next_set(w.chain, 2));
    assert_int_equal(model_set_changes(w.chain, &changes), 0);
    world_run(&w, 1);
    assert_false(model_in_set(w.chain, 2)); /* what /status shows as voting_power 0 */
    assert_int_equal(model_set_changes(w.chain, &changes), 1);
    assert_int_equal(changes[0].validator, 2);
    assert_int_equal(changes[0].power, 0);
    world_run(&w, 1);
    assert_int_equal(model_set_changes(w.chain, &changes), 0);
    assert_string_equal(w.sets[10], "0123");
    assert_string_equal(w.sets[11], "0123");
    assert_string_equal(w.sets[12], "013");
    assert_string_equal(w.sets[13], "013");
    assert_int_equal(world_do(&w, 2, MSG_UNPAUSE), 0);
    world_run(&w, 1);
    assert_int_equal(model_set_changes(w.chain, &changes), 1);
    assert_int_equal(changes[0].power, 1);
    assert_string_equal(w.sets[14], "013");
    assert_string_equal(w.sets[15], "0123");
    world_end(&w);
}

/* 3 of 5 with min_validators 4: the chain counts records and lets them all go. */
static void test_records_guard_stops_nothing(void **state)
{
    struct world w;
    struct model_tx txs[3];

    (void)state;
    world_start(&w, CHAIN_KIRA, 5, 4);
    for (uint32_t v = 0; v < 3; v++)
        txs[v] = world_tx(&w, v, MSG_PAUSE);
    assert_true(world_block(&w, txs, 3));
    for (uint32_t i = 0; i < 3; i++)
        assert_result(w.results[i], 0, "");
    world_run(&w, 1);
    assert_string_equal(w.sets[3], "34");
    world_end(&w);
}

static void test_records_guard_at_its_number(void **state)
{
    struct world w;

    (void)state;
    world_start(&w, CHAIN_KIRA, 4, 4);
    assert_int_equal(world_do(&w, 0, MSG_PAUSE), 11);
    assert_account(&w, 0, 100, 1);
    world_end(&w);
    world_start(&w, CHAIN_KIRA, 1, 1);
    model_properties(w.chain)->min_validators = 0;
    assert_int_equal(world_do(&w, 0, MSG_PAUSE), 11);
    world_end(&w);
}

/* The guard in KIP_54's own wording: ACTIVE members are counted, also within one block. */
static void test_guard_of_active_members(void **state)
{
    struct world w;
    struct model_tx txs[3];

    (void)state;
    world_start(&w, CHAIN_KIRA, 5, 3);
    model_properties(w.chain)->guard = true;
    for (uint32_t v = 0; v < 3; v++)
        txs[v] = world_tx(&w, v, MSG_PAUSE);
    assert_true(world_block(&w, txs, 3));
    assert_result(w.results[1], 0, "");
    assert_result(w.results[2], 11, "customslashing");
    world_run(&w, 3);
    assert_int_equal(world_do(&w, 0, MSG_UNPAUSE),
                     0); /* V(h+2), not yet V(h+1) of the next block */
    assert_int_equal(world_do(&w, 2, MSG_PAUSE), 0);
    assert_int_equal(world_do(&w, 3, MSG_PAUSE), 11);
    assert_string_equal(w.sets[w.height + 1], "034");
    world_end(&w);
}

static void test_refused_in_block(void **state)
{
    static const struct {
        enum msg_kind kind;
        uint32_t code;
        uint64_t fee;
    } cases[] = {{MSG_PAUSE, 8, 100}, {MSG_UNPAUSE, 7, 100}, {MSG_ACTIVATE, 6, 1000}};
    struct world w;

    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t v = cases[i].kind == MSG_PAUSE ? 1 : 0;
        struct model_tx tx;

        world_start(&w, CHAIN_KIRA, 4, 1);
        assert_int_equal(world_do(&w, 1, MSG_PAUSE), 0);
        tx = world_tx(&w, v, cases[i].kind);
        assert_result(model_check(w.chain, &tx), 0, "");
        assert_true(world_block(&w, &tx, 1));
        assert_result(w.results[0], cases[i].code, "customslashing");
        assert_account(&w, v, cases[i].fee + (v == 1 ? 100 : 0), v + 1);
        world_end(&w);
    }
}

static void test_pause_then_unpause_in_one_block(void **state)
{
    struct world w;
    struct model_tx txs[2];

    (void)state;
    world_start(&w, CHAIN_KIRA, 4, 1);
    txs[0] = world_tx(&w, 1, MSG_PAUSE);
    txs[1] = world_tx(&w, 1, MSG_UNPAUSE);
    txs[1].sequence++;
    assert_true(world_block(&w, txs, 2));
    assert_result(w.results[0], 0, "");
    assert_result(w.results[1], 0, "");
    world_run(&w, 3);
    assert_string_equal(w.sets[3], "0123");
    assert_string_equal(w.sets[5], "0123");
    assert_int_equal(model_active_count(w.chain), 4);
    world_end(&w);
}

static void assert_dead(const struct world *w, const char *words)
{
    const char *why = model_dead(w->chain);

    assert_non_null(why);
    assert_non_null(strstr(why, words));
}

#define NOT_FOUND "failed to find validator 0200000000000000000000000000000000000000 to remove"

static void test_unpause_then_pause_kills(void **state)
{
    struct world w;
    struct model_tx txs[2];

    (void)state;
    world_start(&w, CHAIN_KIRA, 4, 1);
    assert_int_equal(world_do(&w, 1, MSG_PAUSE), 0);
    world_run(&w, 2);
    txs[0] = world_tx(&w, 1, MSG_UNPAUSE);
    txs[1] = world_tx(&w, 1, MSG_PAUSE);
    txs[1].sequence++;
    assert_false(world_block(&w, txs, 2));
    assert_result(w.results[0], 0, "");
    assert_result(w.results[1], 0, "");
    assert_dead(&w, NOT_FOUND);
    assert_dead(&w, "block 4 ");
    assert_int_equal(model_height(w.chain).n, 3);
    assert_int_equal(model_validators(w.chain)->count, 3);
    world_end(&w);
}

static void test_unpause_and_pause_in_one_tx_kill(void **state)
{
    struct world w;
    struct model_tx tx;

    (void)state;
    world_start(&w, CHAIN_KIRA, 4, 1);
    assert_int_equal(world_do(&w, 1, MSG_PAUSE), 0);
    world_run(&w, 2);
    tx = world_tx(&w, 1, MSG_UNPAUSE);
    tx.msgs[tx.msg_count++] = (struct model_msg){MSG_PAUSE, 1, 0};
    tx.fee = 200;
    assert_false(world_block(&w, &tx, 1));
    assert_dead(&w, NOT_FOUND);
    world_end(&w);
}

static void test_unpause_and_pause_in_two_blocks_live(void **state)
{
    struct world w;

    (void)state;
    world_start(&w, CHAIN_KIRA, 4, 1);
    assert_int_equal(world_do(&w, 1, MSG_PAUSE), 0);
    world_run(&w, 2);
    assert_int_equal(world_do(&w, 1, MSG_UNPAUSE), 0);
    assert_int_equal(world_do(&w, 1, MSG_PAUSE), 0);
    world_run(&w, 2);
    assert_string_equal(w.sets[5], "023");
    assert_string_equal(w.sets[6], "0123");
    assert_string_equal(w.sets[7], "023");
    world_end(&w);
}

static void test_last_member_kills(void **state)
{
    struct world w;
    struct model_tx tx;

    (void)state;
    world_start(&w, CHAIN_KIRA, 4, 1);
    for (uint32_t v = 0; v < 3; v++)
        assert_int_equal(world_do(&w, v, MSG_PAUSE), 0);
    world_run(&w, 1);
    tx = world_tx(&w, 3, MSG_PAUSE);
    assert_result(model_check(w.chain, &tx), 0, "");
    assert_false(world_block(&w, &tx, 1));
    assert_result(w.results[0], 0, "");
    assert_dead(&w, "applying the validator changes would result in empty set");
    world_end(&w);
}

/* --- ante --- */

struct ante_case {
    const char *what;
    uint64_t fee, gas, amount;
    uint32_t memo, validator;
    int64_t sequence, timeout; /* against the expected one; against the last height, 0: none */
    bool forged;
    enum msg_kind kind;
    uint32_t check, block; /* codes, codespace sdk */
};

#define LAST 9 /* the last height when the cases run */

static const struct ante_case ante_cases[] = {
    {"activate with the fee of a pause", 100, 1, 1, 0, 1, 0, 0, false, MSG_ACTIVATE, 18, 18},
    {"fee of 1", 1, 1, 1, 0, 1, 0, 0, false, MSG_PAUSE, 18, 18},
    {"fee of ten million", 10000000, 1, 1, 0, 1, 0, 0, false, MSG_PAUSE, 18, 18},
    {"most fee", 1000000, 1, 1, 0, 1, 0, 0, false, MSG_PAUSE, 0, 0},
    {"fee of 250", 250, 1, 1, 0, 1, 0, 0, false, MSG_PAUSE, 0, 0},
    {"sequence too high", 100, 1, 1, 0, 1, 5, 0, false, MSG_PAUSE, 32, 32},
    {"sequence too low", 100, 1, 1, 0, 1, -1, 0, false, MSG_PAUSE, 32, 32},
    {"bad signature", 100, 1, 1, 0, 1, 0, 0, true, MSG_PAUSE, 4, 4},
    {"bad signature and sequence", 100, 1, 1, 0, 1, 1, 0, true, MSG_PAUSE, 32, 32},
    {"another's pause", 100, 1, 1, 0, 2, 0, 0, false, MSG_PAUSE, 4, 4},
    {"another's unpause", 100, 1, 1, 0, 2, 0, 0, false, MSG_UNPAUSE, 4, 4},
    {"another's activate", 1000, 1, 1, 0, 2, 0, 0, false, MSG_ACTIVATE, 4, 4},
    {"no gas", 100, 0, 1, 0, 1, 0, 0, false, MSG_PAUSE, 11, 11},
    {"timeout long ago", 100, 1, 1, 0, 1, 0, -1, false, MSG_PAUSE, 30, 30},
    {"timeout at the last height", 100, 1, 1, 0, 1, 0, LAST, false, MSG_PAUSE, 0, 30},
    {"timeout at this height", 100, 1, 1, 0, 1, 0, LAST + 1, false, MSG_PAUSE, 0, 0},
    {"send of 1", 100, 1, 1, 60, 1, 0, 0, false, MSG_SEND, 0, 0},
    {"send of 0", 100, 1, 0, 60, 1, 0, 0, false, MSG_SEND, 10, 10},
    {"longest memo", 100, 1, 1, 256, 1, 0, 0, false, MSG_SEND, 0, 0},
    {"longer memo", 100, 1, 1, 257, 1, 0, 0, false, MSG_SEND, 12, 12},
    {"timeout before memo", 100, 1, 1, 257, 1, 0, -1, false, MSG_SEND, 30, 30},
    {"gas before timeout", 100, 0, 1, 0, 1, 0, -1, false, MSG_SEND, 11, 11},
    {"amount before gas", 100, 0, 0, 0, 1, 0, 0, false, MSG_SEND, 10, 10},
    {"memo before fee", 1, 1, 1, 257, 1, 0, 0, false, MSG_SEND, 12, 12},
    {"fee before sequence", 1, 1, 1, 0, 1, 1, 0, false, MSG_SEND, 18, 18},
    {"DCL's create-validator", 100, 1, 1, 0, 1, 0, 0, false, MSG_CREATE_VALIDATOR, 2, 2},
};

static void run_ante_case(const struct ante_case *c)
{
    struct world w;
    struct model_tx tx;

    world_start(&w, CHAIN_KIRA, 4, 1);
    assert_int_equal(world_do(&w, 1, MSG_SEND), 0);
    world_run(&w, LAST - 1);
    tx = world_tx(&w, 1, c->kind);
    tx.fee = c->fee;
    tx.gas = c->gas;
    tx.msgs[0].amount = c->amount;
    tx.msgs[0].validator = c->validator;
    tx.memo_size = c->memo;
    tx.sequence = (uint64_t)((int64_t)tx.sequence + c->sequence);
    tx.timeout_height = c->timeout < 0 ? LAST - 1 : (uint64_t)c->timeout;
    tx.forged = c->forged;
    assert_result(model_check(w.chain, &tx), c->check, c->check ? "sdk" : "");
    assert_account(&w, 1, 100, 1);
    assert_true(world_block(&w, &tx, 1));
    assert_result(w.results[0], c->block, c->block ? "sdk" : "");
    assert_int_equal(w.results[0].charged, c->block == 0);
    assert_int_equal(w.results[0].sequenced, c->block == 0);
    assert_account(&w, 1, 100 + (c->block ? 0 : c->fee), c->block ? 1 : 2);
    assert_int_equal(world_status(&w, 2), STATUS_ACTIVE);
    world_end(&w);
}

static void test_ante(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ante_cases) / sizeof(*ante_cases); i++) {
        print_message("    %s\n", ante_cases[i].what);
        run_ante_case(&ante_cases[i]);
    }
}

static void test_check_counts_sequences_until_commit(void **state)
{
    struct world w;
    struct model_tx a, b;

    (void)state;
    world_start(&w, CHAIN_KIRA, 4, 1);
    a = world_tx(&w, 1, MSG_SEND);
    b = a;
    b.sequence = 1;
    assert_int_equal(model_check(w.chain, &b).code, 32);
    assert_int_equal(model_check(w.chain, &a).code, 0);
    assert_int_equal(model_check(w.chain, &a).code, 32);
    assert_int_equal(model_check(w.chain, &b).code, 0);
    world_begin(&w);
    assert_int_equal(model_deliver(w.chain, &a).code, 0);
    b.sequence = 2;
    assert_int_equal(model_check(w.chain, &b).code, 0);
    assert_true(world_close(&w));
    b.sequence = 1;
    assert_int_equal(model_check(w.chain, &a).code, 32);
    assert_int_equal(model_check(w.chain, &b).code, 0);
    world_end(&w);
}

/* Within a block CheckTx still sees the last committed state. */
static void test_check_sees_committed_state(void **state)
{
    struct world w;
    struct model_tx a, b;

    (void)state;
    world_start(&w, CHAIN_KIRA, 4, 1);
    a = world_tx(&w, 1, MSG_SEND);
    b = a;
    b.sequence = 1;
    world_begin(&w);
    assert_int_equal(model_deliver(w.chain, &a).code, 0);
    assert_int_equal(model_check(w.chain, &b).code, 32);
    assert_int_equal(model_check(w.chain, &a).code, 0);
    assert_true(world_close(&w));
    assert_int_equal(model_check(w.chain, &b).code, 0);
    world_end(&w);
}

static void test_balance(void **state)
{
    struct world w;
    struct model_tx txs[3];

    (void)state;
    world_start(&w, CHAIN_KIRA, 4, 1);
    model_record(w.chain, 1)->balance = 250;
    for (uint32_t i = 0; i < 3; i++) {
        txs[i] = world_tx(&w, 1, MSG_SEND);
        txs[i].sequence = i;
        assert_int_equal(model_check(w.chain, &txs[i]).code, i < 2 ? 0 : 5);
    }
    txs[1].msgs[0].amount = 51; /* 50 are left once both fees are paid */
    assert_true(world_block(&w, txs, 3));
    assert_result(w.results[0], 0, "");
    assert_result(w.results[1], 5, "sdk");
    assert_true(w.results[1].charged && w.results[1].sequenced);
    assert_result(w.results[2], 5, "sdk");
    assert_false(w.results[2].charged || w.results[2].sequenced);
    assert_int_equal(model_record(w.chain, 1)->balance, 50);
    assert_int_equal(model_record(w.chain, 1)->sequence, 2);
    world_end(&w);
}

static void test_poor_network(void **state)
{
    struct world w;
    struct model_tx tx;

    (void)state;
    world_start(&w, CHAIN_KIRA, 4, 5);
    tx = world_tx(&w, 0, MSG_OTHER);
    assert_result(model_check(w.chain, &tx), 18, "sdk");
    tx.msgs[0] = (struct model_msg){MSG_SEND, 0, 1000000};
    tx.msgs[tx.msg_count++] = (struct model_msg){MSG_OTHER, 0, 0};
    assert_result(model_check(w.chain, &tx), 0, "");
    tx.sequence++;
    tx.msgs[0].amount++;
    assert_result(model_check(w.chain, &tx), 18, "sdk");
    assert_int_equal(world_do(&w, 0, MSG_PAUSE), 11);
    assert_int_equal(world_do(&w, 0, MSG_UNPAUSE), 7);
    assert_int_equal(world_do(&w, 0, MSG_ACTIVATE), 6);
    assert_int_equal(world_do(&w, 0, MSG_VOTE_YES), 21);
    world_end(&w);
}

static void test_messages_all_or_nothing(void **state)
{
    struct world w;
    struct model_tx tx;

    (void)state;
    world_start(&w, CHAIN_KIRA, 4, 1);
    tx = world_tx(&w, 1, MSG_PAUSE);
    tx.msgs[tx.msg_count++] = (struct model_msg){MSG_SEND, 1, 1};
    tx.msgs[tx.msg_count++] = (struct model_msg){MSG_PAUSE, 1, 0};
    tx.fee = 199;
    assert_result(model_check(w.chain, &tx), 18, "sdk");
    tx.fee = 200;
    assert_true(world_block(&w, &tx, 1));
    assert_result(w.results[0], 8, "customslashing");
    assert_account(&w, 1, 200, 1);
    assert_int_equal(world_status(&w, 1), STATUS_ACTIVE);
    assert_int_equal(model_active_count(w.chain), 4);
    world_run(&w, 2);
    assert_string_equal(w.sets[3], "0123");
    tx.sequence++;
    tx.msgs[2].validator = 2;
    assert_result(model_check(w.chain, &tx), 4, "sdk");
    tx.msg_count = 0;
    assert_result(model_check(w.chain, &tx), 18, "sdk");
    world_end(&w);
}

static void test_account_without_record(void **state)
{
    struct world w;
    struct model_tx tx;

    (void)state;
    world_start(&w, CHAIN_KIRA, 4, 1);
    tx = world_tx(&w, VALIDATOR_NONE, MSG_SEND);
    assert_true(world_block(&w, &tx, 1));
    assert_result(w.results[0], 0, "");
    tx.msgs[0] = (struct model_msg){MSG_PAUSE, VALIDATOR_NONE, 0};
    assert_result(model_check(w.chain, &tx), 4, "sdk");
    tx.msgs[0].validator = 1;
    assert_result(model_check(w.chain, &tx), 4, "sdk");
    world_end(&w);
}

static void test_fees(void **state)
{
    struct world w;

    (void)state;
    world_start(&w, CHAIN_KIRA, 1, 1);
    assert_int_equal(model_fee(w.chain, MSG_SEND), 100);
    assert_int_equal(model_fee(w.chain, MSG_PAUSE), 100);
    assert_int_equal(model_fee(w.chain, MSG_ACTIVATE), 1000);
    model_properties(w.chain)->min_tx_fee = 1000000; /* as on chaosnet-3 */
    assert_int_equal(model_fee(w.chain, MSG_SEND), 1000000);
    assert_int_equal(model_fee(w.chain, MSG_ACTIVATE), 1000000);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pause_leaves_two_blocks_later),
        cmocka_unit_test(test_records_guard_stops_nothing),
        cmocka_unit_test(test_records_guard_at_its_number),
        cmocka_unit_test(test_guard_of_active_members),
        cmocka_unit_test(test_refused_in_block),
        cmocka_unit_test(test_pause_then_unpause_in_one_block),
        cmocka_unit_test(test_unpause_then_pause_kills),
        cmocka_unit_test(test_unpause_and_pause_in_one_tx_kill),
        cmocka_unit_test(test_unpause_and_pause_in_two_blocks_live),
        cmocka_unit_test(test_last_member_kills),
        cmocka_unit_test(test_ante),
        cmocka_unit_test(test_check_counts_sequences_until_commit),
        cmocka_unit_test(test_check_sees_committed_state),
        cmocka_unit_test(test_balance),
        cmocka_unit_test(test_poor_network),
        cmocka_unit_test(test_messages_all_or_nothing),
        cmocka_unit_test(test_account_without_record),
        cmocka_unit_test(test_fees),
    };

    return cmocka_run_group_tests_name("chain", tests, NULL, NULL);
}
