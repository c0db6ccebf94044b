/* The modelled DCL chain, held against what running networks of DCL 1.5 did. */
#include "tests/chain_world.h"

static struct model_tx trustees(struct world *w, uint32_t validator)
{
    struct model_tx tx = world_tx(w, VALIDATOR_NONE, MSG_TRUSTEE_DISABLE);

    tx.msgs[0].validator = validator;
    return tx;
}

static void test_disable_leaves_two_blocks_later(void **state)
{
    struct world w;
    struct model_tx tx;

    (void)state;
    world_start(&w, CHAIN_DCL, 4, 1);
    world_run(&w, 23);
    tx = world_tx(&w, 1, MSG_PAUSE);
    tx.fee = 0;
    tx.gas = 0;
    assert_result(model_check(w.chain, &tx), 0, "");
    assert_true(world_block(&w, &tx, 1));
    assert_result(w.results[0], 0, "");
    assert_true(w.results[0].sequenced && !w.results[0].charged);
    assert_int_equal(model_record(w.chain, 1)->sequence, 2);
    assert_int_equal(model_record(w.chain, 1)->balance, WORLD_BALANCE);
    assert_int_equal(world_status(&w, 1), STATUS_PAUSED);
    world_run(&w, 2);
    assert_string_equal(w.sets[24], "0123");
    assert_string_equal(w.sets[25], "0123");
    assert_string_equal(w.sets[26], "023");
    assert_int_equal(world_do(&w, 1, MSG_UNPAUSE), 0);
    world_run(&w, 2);
    assert_string_equal(w.sets[28], "023");
    assert_string_equal(w.sets[29], "0123");
    assert_int_equal(model_validators(w.chain)->total_power, 40);
    world_end(&w);
}

static void test_create_validator_changes_nothing(void **state)
{
    struct world w;
    struct model_tx tx;

    (void)state;
    world_start(&w, CHAIN_DCL, 4, 1);
    tx = world_tx(&w, 2, MSG_CREATE_VALIDATOR);
    tx.memo_size = 256;
    assert_result(model_check(w.chain, &tx), 0, "");
    assert_true(world_block(&w, &tx, 1));
    assert_result(w.results[0], 4, "staking");
    assert_true(w.results[0].sequenced && !w.results[0].charged);
    assert_int_equal(model_record(w.chain, 2)->sequence, 2);
    assert_int_equal(world_do(&w, 2, MSG_PAUSE), 0);
    assert_int_equal(world_do(&w, 2, MSG_CREATE_VALIDATOR), 4);
    assert_int_equal(world_status(&w, 2), STATUS_PAUSED);
    world_end(&w);
}

static void test_create_validator_of_a_new_record(void **state)
{
    struct model_record records[3];
    struct world w;

    (void)state;
    for (uint32_t v = 0; v < 3; v++)
        world_record(&records[v], v, CHAIN_DCL);
    records[2].status = STATUS_NONE;
    records[2].power = 10;
    world_create(&w, CHAIN_DCL, records, 3, 1);
    assert_int_equal(world_do(&w, 2, MSG_PAUSE), 3);
    assert_int_equal(world_do(&w, 2, MSG_CREATE_VALIDATOR), 0);
    world_run(&w, 2);
    assert_string_equal(w.sets[3], "01");
    assert_string_equal(w.sets[4], "012");
    assert_int_equal(model_active_count(w.chain), 3);
    world_end(&w);
}

/* With 100 members the pool is full, and that is looked at first. */
static void test_full_pool(void **state)
{
    enum { POOL = 100 };
    static struct model_record records[POOL];
    struct model_config config = {
        .kind = CHAIN_DCL, .initial_height = {1}, .records = records, .record_count = POOL};
    struct world w = {0};
    struct model_tx tx;

    (void)state;
    for (uint32_t v = 0; v < POOL; v++)
        world_record(&records[v], v, CHAIN_DCL);
    w.chain = model_create(&config);
    tx = world_tx(&w, 0, MSG_CREATE_VALIDATOR);
    (void)model_begin(w.chain, height_at(1), 0, NULL, 0);
    assert_result(model_deliver(w.chain, &tx), 601, "validator");
    assert_true(model_end(w.chain));
    world_end(&w);
}

static void test_refused_in_block(void **state)
{
    struct world w;
    struct model_tx tx;

    (void)state;
    world_start(&w, CHAIN_DCL, 4, 1);
    tx = world_tx(&w, 0, MSG_UNPAUSE);
    assert_result(model_check(w.chain, &tx), 0, "");
    assert_true(world_block(&w, &tx, 1));
    assert_result(w.results[0], 605, "validator");
    assert_true(w.results[0].sequenced);
    assert_int_equal(world_do(&w, 0, MSG_PAUSE), 0);
    assert_int_equal(world_do(&w, 0, MSG_PAUSE), 604);
    assert_int_equal(model_record(w.chain, 0)->sequence, 4);
    world_end(&w);
}

static void test_ante(void **state)
{
    struct world w;
    struct model_tx good, tx;

    (void)state;
    world_start(&w, CHAIN_DCL, 4, 1);
    world_run(&w, 9);
    good = tx = world_tx(&w, 1, MSG_PAUSE);
    tx.sequence = 0;
    assert_result(model_check(w.chain, &tx), 32, "sdk");
    tx = good;
    tx.forged = true;
    assert_result(model_check(w.chain, &tx), 4, "sdk");
    tx = good;
    tx.msgs[0].validator = 2;
    assert_result(model_check(w.chain, &tx), 4, "sdk");
    tx = good;
    tx.memo_size = 257;
    assert_result(model_check(w.chain, &tx), 12, "sdk");
    tx = good;
    tx.timeout_height = 8;
    assert_result(model_check(w.chain, &tx), 30, "sdk");
    tx.timeout_height = 9;
    assert_result(model_check(w.chain, &tx), 0, "");
    assert_true(world_block(&w, &tx, 1));
    assert_result(w.results[0], 30, "sdk");
    assert_false(w.results[0].sequenced);
    tx.msgs[0].kind = MSG_ACTIVATE;
    assert_result(model_check(w.chain, &tx), 2, "sdk");
    world_end(&w);
}

static void test_trustees(void **state)
{
    struct world w;
    struct model_tx tx;
    const struct model_change *changes;

    (void)state;
    world_start(&w, CHAIN_DCL, 4, 1);
    tx = trustees(&w, 2);
    assert_true(world_block(&w, &tx, 1));
    assert_result(w.results[0], 0, "");
    assert_true(model_record(w.chain, 2)->trustee_disabled);
    assert_int_equal(world_status(&w, 2), STATUS_PAUSED);
    assert_int_equal(model_changes(w.chain, &changes), 1);
    assert_int_equal(changes[0].validator, 2);
    assert_false(changes[0].enters);
    assert_string_equal(changes[0].why, "trustees");
    world_run(&w, 1);
    assert_string_equal(w.sets[3], "013");
    assert_true(world_block(&w, &tx, 1));
    assert_result(w.results[0], 603, "validator");
    assert_int_equal(world_do(&w, 2, MSG_PAUSE), 604);
    assert_int_equal(world_do(&w, 2, MSG_UNPAUSE), 0); /* the chain does not mind */
    assert_false(model_record(w.chain, 2)->trustee_disabled);
    world_run(&w, 1);
    assert_string_equal(w.sets[7], "0123");
    tx = trustees(&w, 99);
    assert_true(world_block(&w, &tx, 1));
    assert_result(w.results[0], 3, "staking");
    world_end(&w);
}

/* By the trustees of one that its admin had disabled: still out, and now theirs. */
static void test_trustees_after_admin(void **state)
{
    struct world w;
    struct model_tx tx;
    const struct model_change *changes;

    (void)state;
    world_start(&w, CHAIN_DCL, 4, 1);
    assert_int_equal(world_do(&w, 2, MSG_PAUSE), 0);
    tx = trustees(&w, 2);
    assert_true(world_block(&w, &tx, 1));
    assert_result(w.results[0], 0, "");
    assert_true(model_record(w.chain, 2)->trustee_disabled);
    assert_int_equal(model_changes(w.chain, &changes), 0);
    world_end(&w);
}

static void test_change_and_reverse_in_one_block(void **state)
{
    struct world w;
    struct model_tx txs[2];
    const struct model_change *changes;

    (void)state;
    world_start(&w, CHAIN_DCL, 4, 1);
    txs[0] = world_tx(&w, 1, MSG_PAUSE);
    txs[1] = world_tx(&w, 1, MSG_UNPAUSE);
    txs[1].sequence++;
    assert_true(world_block(&w, txs, 2));
    assert_result(w.results[1], 0, "");
    txs[0] = trustees(&w, 1);
    txs[1].sequence++;
    assert_true(world_block(&w, txs, 2));
    assert_result(w.results[1], 0, "");
    assert_int_equal(model_changes(w.chain, &changes), 0);
    world_run(&w, 2);
    assert_string_equal(w.sets[4], "0123");
    assert_int_equal(world_do(&w, 1, MSG_PAUSE), 0);
    world_run(&w, 2);
    txs[0] = world_tx(&w, 1, MSG_UNPAUSE);
    txs[1] = world_tx(&w, 1, MSG_PAUSE);
    txs[1].sequence++;
    assert_true(world_block(&w, txs, 2)); /* what would kill KIRA */
    assert_result(w.results[1], 0, "");
    world_run(&w, 2);
    assert_string_equal(w.sets[w.height], "023");
    world_end(&w);
}

static void test_messages_all_or_nothing(void **state)
{
    struct world w;
    struct model_tx tx;

    (void)state;
    world_start(&w, CHAIN_DCL, 4, 1);
    tx = world_tx(&w, 1, MSG_PAUSE);
    tx.msgs[tx.msg_count++] = (struct model_msg){MSG_TRUSTEE_DISABLE, 2, 0};
    tx.msgs[tx.msg_count++] = (struct model_msg){MSG_CREATE_VALIDATOR, 1, 0};
    assert_true(world_block(&w, &tx, 1));
    assert_result(w.results[0], 4, "staking");
    assert_int_equal(world_status(&w, 1), STATUS_ACTIVE);
    assert_int_equal(world_status(&w, 2), STATUS_ACTIVE);
    assert_false(model_record(w.chain, 2)->trustee_disabled);
    assert_int_equal(model_active_count(w.chain), 4);
    world_run(&w, 2);
    assert_string_equal(w.sets[3], "0123");
    world_end(&w);
}

static void test_last_member_kills(void **state)
{
    struct world w;
    struct model_tx txs[2];

    (void)state;
    world_start(&w, CHAIN_DCL, 2, 1);
    txs[0] = world_tx(&w, 0, MSG_PAUSE);
    txs[1] = world_tx(&w, 1, MSG_PAUSE);
    assert_result(model_check(w.chain, &txs[1]), 0, "");
    assert_false(world_block(&w, txs, 2));
    assert_result(w.results[1], 0, "");
    assert_non_null(strstr(model_dead(w.chain), "empty set"));
    world_end(&w);
}

static void test_silence_costs_nothing(void **state)
{
    struct world w;

    (void)state;
    world_start(&w, CHAIN_DCL, 4, 1);
    w.missing[w.missing_count++] = 3;
    world_run(&w, 300);
    assert_int_equal(world_status(&w, 3), STATUS_ACTIVE);
    assert_string_equal(w.sets[300], "0123");
    world_end(&w);
}

static void test_double_signer_has_no_account(void **state)
{
    struct model_record records[3];
    struct world w;
    struct model_tx tx;

    (void)state;
    for (uint32_t v = 0; v < 3; v++)
        world_record(&records[v], v, CHAIN_DCL);
    records[2].status = STATUS_JAILED;
    world_create(&w, CHAIN_DCL, records, 3, 1);
    tx = world_tx(&w, 2, MSG_UNPAUSE);
    assert_result(model_check(w.chain, &tx), 9, "sdk");
    tx = trustees(&w, 2);
    assert_true(world_block(&w, &tx, 1));
    assert_result(w.results[0], 0, "");
    assert_int_equal(world_status(&w, 2), STATUS_JAILED);
    assert_string_equal(w.sets[1], "01");
    assert_int_equal(model_fee(w.chain, MSG_PAUSE), 0);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_disable_leaves_two_blocks_later),
        cmocka_unit_test(test_create_validator_changes_nothing),
        cmocka_unit_test(test_create_validator_of_a_new_record),
        cmocka_unit_test(test_full_pool),
        cmocka_unit_test(test_refused_in_block),
        cmocka_unit_test(test_ante),
        cmocka_unit_test(test_trustees),
        cmocka_unit_test(test_trustees_after_admin),
        cmocka_unit_test(test_change_and_reverse_in_one_block),
        cmocka_unit_test(test_messages_all_or_nothing),
        cmocka_unit_test(test_last_member_kills),
        cmocka_unit_test(test_silence_costs_nothing),
        cmocka_unit_test(test_double_signer_has_no_account),
    };

    return cmocka_run_group_tests_name("chain_dcl", tests, NULL, NULL);
}
