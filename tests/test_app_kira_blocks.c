/* The devnet's application on KIRA through many blocks: uptime, upgrades, and the three ways in which a chain of
 * sekai v0.4.13 dies for good. */
#include "tests/app_world.h"

#define SLASHING "customslashing"

/* --- uptime --- */

static void test_a_stopped_node_becomes_inactive(void **state)
{
    struct app_world w;
    const struct model_record *record;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    app_world_run(&w, 52);
    record = model_record(app_model(w.app), 3);
    assert_int_equal(record->rank, 51);
    assert_int_equal(record->last_present, 52);
    w.missing[w.missing_count++] = 3;
    app_world_run(&w, 120);
    assert_int_equal(record->status, STATUS_ACTIVE);
    app_world_run(&w, 1); /* last present + 121 */
    assert_int_equal(record->status, STATUS_INACTIVE);
    assert_int_equal(record->mischance_confidence, 10);
    assert_int_equal(record->mischance, 111);
    assert_int_equal(record->rank, 0);
    assert_int_equal(record->streak, 0);
    app_world_run(&w, 1);
    assert_string_equal(w.sets[w.height + 1], "012");
    assert_int_equal(world_do(&w, tx_pause(&w, 3)), 5);
    assert_refused(w.results[0], 5, SLASHING,
                   world_failed(0,
                                "Can NOT pause inactivated validator: validator still inactivated; "
                                "cannot be activated"));
    w.step_ms = 1000;
    assert_int_equal(world_do(&w, tx_activate(&w, 3)), 5);
    assert_refused(w.results[0], 5, SLASHING,
                   world_failed(0, "Can NOT activate inactivate validator, jail time remaining 597 "
                                   "seconds: validator still inactivated; cannot be activated"));
    assert_int_equal(world_do(&w, tx_unpause(&w, 3)), 7);
    w.step_ms = 600000;
    app_world_run(&w, 1);
    assert_int_equal(world_do(&w, tx_activate(&w, 3)), 0);
    assert_int_equal(record->mischance, 0);
    app_world_run(&w, 1);
    assert_string_equal(w.sets[w.height + 1], "0123");
    app_world_end(&w);
}

/* --- what kills --- */

static void assert_dead(struct app_world *w, const char *words)
{
    uint8_t before[HASH_SIZE], after[HASH_SIZE];
    world_hash(w, before);
    assert_false(app_world_block(w));
    assert_non_null(app_dead(w->app));
    assert_non_null(strstr(app_dead(w->app), words));
    world_hash(w, after);
    assert_memory_equal(before, after, HASH_SIZE);
}

static void test_pause_then_unpause_is_harmless(void **state)
{
    struct app_world w;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    world_add(&w, tx_pause(&w, 1));
    world_add(&w, tx_unpause(&w, 1));
    assert_true(app_world_block(&w));
    assert_int_equal(w.results[0].code, 0);
    assert_int_equal(w.results[1].code, 0);
    assert_int_equal(w.update_count, 1); /* told once more what it has */
    assert_int_equal(w.updates[0].power, 1);
    app_world_run(&w, 3);
    assert_string_equal(w.sets[w.height + 1], "0123");
    app_world_end(&w);
}

static void test_unpause_then_pause_kills(void **state)
{
    struct app_world w;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    assert_int_equal(world_do(&w, tx_pause(&w, 1)), 0);
    app_world_run(&w, 3);
    struct world_cost before = world_cost(&w, 1);
    world_add(&w, tx_unpause(&w, 1));
    world_add(&w, tx_pause(&w, 1));
    assert_dead(&w, "failed to find validator");
    /* the state is that of before the block */
    world_assert_cost(&w, 1, before, 0, 0);
    assert_int_equal(world_status(&w, 1), STATUS_PAUSED);
    app_world_end(&w);
}

static void test_the_pair_in_one_transaction_kills_too(void **state)
{
    struct app_world w;
    struct world_tx tx, other;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    assert_int_equal(world_do(&w, tx_pause(&w, 1)), 0);
    app_world_run(&w, 3);
    tx = tx_unpause(&w, 1);
    other = tx_pause(&w, 1);
    tx_also(&tx, &other);
    strcpy(tx.fee_amount, "200");
    world_add(&w, tx);
    assert_dead(&w, "failed to find validator");
    app_world_end(&w);
}

static void test_the_last_member_kills(void **state)
{
    struct app_world w;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    for (uint32_t v = 0; v < 3; v++)
        assert_int_equal(world_do(&w, tx_pause(&w, v)), 0);
    app_world_run(&w, 3);
    world_add(&w, tx_pause(&w, 3)); /* code 0 in CheckTx */
    assert_dead(&w, "applying the validator changes would result in empty set");
    assert_int_equal(world_status(&w, 3), STATUS_ACTIVE);
    app_world_end(&w);
}

/* --- governance --- */

static int64_t now_s(const struct app_world *w)
{
    return w->time_ms / 1000;
}

/* Proposed and voted upon by the first `yes`; enacted when it returns. */
static void schedule(struct app_world *w, const char *name, int64_t time_s, bool instate,
                     uint32_t yes)
{
    assert_int_equal(world_do(w, tx_upgrade(w, 0, name, time_s, instate)), 0);
    for (uint32_t v = 0; v < yes; v++)
        world_add(w, tx_vote(w, v, 1, 1));
    app_world_run(w, 9);
}

static void test_soft_upgrade_that_all_voted_for(void **state)
{
    struct app_world w;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    schedule(&w, "up1", now_s(&w) + 20, true, 4);
    assert_true(model_plan(app_model(w.app))->pending);
    app_world_run(&w, 20);
    assert_false(model_plan(app_model(w.app))->pending);
    assert_string_equal(w.sets[w.height + 1], "0123");
    assert_null(app_halted(w.app));
    app_world_end(&w);
}

static void test_soft_upgrade_pauses_who_did_not_vote_yes(void **state)
{
    struct app_world w;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    int64_t when = now_s(&w) + 20;
    schedule(&w, "up1", when, true, 3);
    while (now_s(&w) < when)
        app_world_run(&w, 1);
    assert_int_equal(world_status(&w, 3), STATUS_PAUSED); /* the first block at its time */
    assert_int_equal(world_status(&w, 2), STATUS_ACTIVE);
    uint64_t at = w.height;
    app_world_run(&w, 2);
    assert_string_equal(w.sets[at + 1], "0123");
    assert_string_equal(w.sets[at + 2], "012");
    app_world_end(&w);
}

static void test_soft_upgrade_with_a_paused_non_voter_kills(void **state)
{
    struct app_world w;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    int64_t when = now_s(&w) + 20;
    schedule(&w, "up1", when, true, 3);
    assert_int_equal(world_do(&w, tx_pause(&w, 3)), 0);
    while (now_s(&w) < when - 1)
        app_world_run(&w, 1);
    assert_dead(&w, "failed to find validator");
    app_world_end(&w);
}

static void test_hard_upgrade_halts(void **state)
{
    struct app_world w;
    uint8_t before[HASH_SIZE], after[HASH_SIZE];
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    int64_t when = now_s(&w) + 20;
    schedule(&w, "up1", when, false, 4);
    while (now_s(&w) < when)
        app_world_run(&w, 1); /* also the first at its time is applied */
    assert_null(app_halted(w.app));
    world_hash(&w, before);
    world_put(&w, tx_pause(&w, 0));
    assert_false(app_world_block(&w));
    assert_null(app_dead(w.app));
    assert_string_equal(app_halted(w.app),
                        "UPGRADE \"up1\" NEEDED at upgrade_time=2023-11-14 22:13:40 +0000 UTC");
    world_hash(&w, after);
    assert_memory_equal(before, after, HASH_SIZE);
    assert_int_equal(model_height(app_model(w.app)).n, w.height);
    app_world_end(&w);
}

static void test_proposals_need_a_quorum_and_a_majority(void **state)
{
    struct app_world w;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    assert_int_equal(world_do(&w, tx_upgrade(&w, 0, "a", now_s(&w) + 50, true)), 0); /* 1 */
    assert_int_equal(world_do(&w, tx_upgrade(&w, 0, "b", now_s(&w) + 50, true)), 0); /* 2 */
    assert_int_equal(world_do(&w, tx_upgrade(&w, 0, "c", now_s(&w) + 50, true)), 0); /* 3 */
    world_add(&w, tx_vote(&w, 0, 1, 1)); /* one of four is below 33 % */
    world_add(&w, tx_vote(&w, 0, 2, 1));
    world_add(&w, tx_vote(&w, 1, 2, 3)); /* half is no majority */
    for (uint32_t v = 0; v < 3; v++)
        world_add(&w, tx_vote(&w, v, 3, v < 2 ? 1 : 2));
    app_world_run(&w, 12);
    assert_true(model_plan(app_model(w.app))->pending);
    assert_int_equal(model_plan(app_model(w.app))->upgrade_time_ms, 1700000052000);
    assert_true(model_record(app_model(w.app), 1)->voted_yes);
    assert_false(model_record(app_model(w.app), 2)->voted_yes);
    /* a vote too late, a proposal too late, a time that has passed */
    assert_int_equal(world_do(&w, tx_vote(&w, 3, 3, 1)), 28);
    assert_refused(w.results[0], 28, "customgov", world_failed(0, "voting time has ended"));
    assert_int_equal(world_do(&w, tx_upgrade(&w, 0, "d", now_s(&w) + 1, true)), 1);
    assert_refused(w.results[0], 1, "upgrade", world_failed(0, "invalid upgrade time"));
    /* cancelled: nothing is scheduled any more */
    assert_int_equal(world_do(&w, tx_cancel(&w, 0, "c")), 0);
    for (uint32_t v = 0; v < 4; v++)
        world_add(&w, tx_vote(&w, v, 4, 1));
    app_world_run(&w, 9);
    assert_false(model_plan(app_model(w.app))->pending);
    app_world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stopped_node_becomes_inactive),
        cmocka_unit_test(test_pause_then_unpause_is_harmless),
        cmocka_unit_test(test_unpause_then_pause_kills),
        cmocka_unit_test(test_the_pair_in_one_transaction_kills_too),
        cmocka_unit_test(test_the_last_member_kills),
        cmocka_unit_test(test_soft_upgrade_that_all_voted_for),
        cmocka_unit_test(test_soft_upgrade_pauses_who_did_not_vote_yes),
        cmocka_unit_test(test_soft_upgrade_with_a_paused_non_voter_kills),
        cmocka_unit_test(test_hard_upgrade_halts),
        cmocka_unit_test(test_proposals_need_a_quorum_and_a_majority),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
