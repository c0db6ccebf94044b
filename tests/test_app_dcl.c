/* The devnet's application on DCL: rules and codes of DCL 1.5. */
#include "tests/app_world.h"

/* "... with address=VALOPER ..." */
static const char *failed_about(const struct app_world *w, uint32_t v, const char *before,
                                const char *behind)
{
    char valoper[BECH32_TEXT_MAX], words[400];
    world_address(w, v, "valoper", valoper);
    snprintf(words, sizeof words, "%s%s%s", before, valoper, behind);
    return world_failed(0, words);
}

static void test_disable_and_enable(void **state)
{
    struct app_world w;
    (void)state;
    app_world_start(&w, CHAIN_DCL, 4, 1);
    app_world_run(&w, 23);
    assert_int_equal(world_sequence(&w, 0), 1); /* the genesis transaction used one */
    assert_int_equal(world_do(&w, tx_pause(&w, 0)), 0);
    assert_int_equal(world_sequence(&w, 0), 2);
    assert_int_equal(world_balance(&w, 0), WORLD_BALANCE); /* no fees */
    assert_int_equal(w.results[0].gas_wanted, -1);
    app_world_run(&w, 2);
    assert_string_equal(w.sets[24], "0123");
    assert_string_equal(w.sets[25], "0123");
    assert_string_equal(w.sets[26], "123");
    assert_int_equal(world_do(&w, tx_pause(&w, 0)), 604);
    assert_refused(w.results[0], 604, "validator",
                   failed_about(&w, 0, "Disabled validator with address=",
                                " already exists on the ledger: disabled validator already exist"));
    assert_int_equal(world_sequence(&w, 0), 3);
    assert_int_equal(world_do(&w, tx_unpause(&w, 0)), 0);
    assert_int_equal(w.updates[0].power, 10);
    app_world_run(&w, 2);
    assert_string_equal(w.sets[w.height], "0123");
    assert_int_equal(world_do(&w, tx_unpause(&w, 1)), 605);
    assert_refused(w.results[0], 605, "validator",
                   failed_about(&w, 1, "Disabled validator with address=",
                                " does not exist on the ledger: disabled validator does not "
                                "exist"));
    app_world_end(&w);
}

static void test_disable_and_enable_in_one_block_is_nothing(void **state)
{
    struct app_world w;
    (void)state;
    app_world_start(&w, CHAIN_DCL, 4, 1);
    world_add(&w, tx_pause(&w, 2));
    world_add(&w, tx_unpause(&w, 2));
    assert_true(app_world_block(&w));
    assert_int_equal(w.results[1].code, 0);
    assert_int_equal(w.update_count, 0);
    app_world_end(&w);
}

static void test_the_last_validator_kills(void **state)
{
    struct app_world w;
    (void)state;
    app_world_start(&w, CHAIN_DCL, 3, 1);
    assert_int_equal(world_do(&w, tx_pause(&w, 0)), 0);
    assert_int_equal(world_do(&w, tx_pause(&w, 1)), 0);
    app_world_run(&w, 2);
    world_add(&w, tx_pause(&w, 2));
    assert_false(app_world_block(&w));
    assert_non_null(strstr(app_dead(w.app), "would result in empty set"));
    assert_int_equal(world_status(&w, 2), STATUS_ACTIVE);
    assert_int_equal(world_sequence(&w, 2), 1);
    app_world_end(&w);
}

static void test_create_validator_carries_a_join(void **state)
{
    struct app_world w;
    struct world_tx tx;
    (void)state;
    app_world_start(&w, CHAIN_DCL, 4, 1);
    tx = tx_create(&w, 1, "v1");
    strcpy(tx.memo, "stagger/join/1 3 0");
    tx.timeout_height = 9;
    assert_int_equal(world_do(&w, tx), 4);
    assert_refused(w.results[0], 4, "staking",
                   world_failed(0,
                                "validator already exist for this operator address; must use new "
                                "validator operator address"));
    assert_int_equal(world_sequence(&w, 1), 2);
    assert_int_equal(w.update_count, 0);
    tx = tx_create(&w, 1, "");
    world_check(&w, tx);
    assert_int_equal(w.check.code, 18);
    app_world_end(&w);
}

static void test_a_full_pool(void **state)
{
    struct app_world w;
    (void)state;
    app_world_start(&w, CHAIN_DCL, 100, 1);
    assert_int_equal(world_do(&w, tx_create(&w, 1, "v1")), 601);
    assert_refused(
        w.results[0], 601, "validator",
        world_failed(0, "Pool ledger already contains maximum number of active nodes: \"100\": "
                        "maximum number of active nodes reached"));
    app_world_end(&w);
}

static void test_ante(void **state)
{
    struct app_world w;
    struct world_tx tx;
    (void)state;
    app_world_start(&w, CHAIN_DCL, 4, 1);
    app_world_run(&w, 5);
    tx = tx_pause(&w, 50);
    world_check(&w, tx);
    assert_int_equal(w.check.code, 9);
    tx = tx_pause(&w, 0);
    tx.gas = 0; /* any gas will do */
    assert_int_equal(world_check(&w, tx), 0);
    tx = tx_pause(&w, 1);
    tx.sequence = 0;
    world_check(&w, tx);
    assert_refused(w.check, 32, "sdk",
                   "account sequence mismatch, expected 1, got 0: incorrect account sequence");
    tx = tx_pause(&w, 1);
    tx.timeout_height = 4;
    world_check(&w, tx);
    assert_refused(w.check, 30, "sdk", "block height: 5, timeout height: 4: tx timeout height");
    tx = tx_pause(&w, 1);
    tx.break_signature = true;
    world_check(&w, tx);
    assert_refused(w.check, 4, "sdk",
                   "signature verification failed; please verify account number (1) and chain-id "
                   "(localnet-1): unauthorized");
    tx = tx_pause(&w, 1);
    memset(tx.memo, 'm', 257);
    assert_int_equal(world_check(&w, tx), 12);
    tx = tx_pause(&w, 1);
    tx.no_key = true; /* genesis accounts have theirs */
    assert_int_equal(world_check(&w, tx), 0);
    tx = tx_send(&w, 2, 2, "1");
    assert_int_equal(world_check(&w, tx), 2);
    app_world_end(&w);
}

/* Three trustees: two approvals disable. */
static void test_trustees_disable(void **state)
{
    struct app_world w;
    (void)state;
    app_world_start(&w, CHAIN_DCL, 4, 1);
    assert_int_equal(world_do(&w, tx_disable_act(&w, 3, "Propose", 0)), 4); /* no trustee */
    assert_refused(
        w.results[0], 4, "sdk",
        world_failed(0, "MsgProposeDisableValidator transaction should be signed by an account "
                        "with the Trustee role: unauthorized"));
    assert_int_equal(world_do(&w, tx_disable_act(&w, 0, "Approve", 3)), 603);
    assert_int_equal(world_do(&w, tx_disable_act(&w, 0, "Propose", 50)), 3);
    assert_int_equal(world_do(&w, tx_disable_act(&w, 0, "Propose", 3)), 0);
    assert_int_equal(world_status(&w, 3), STATUS_ACTIVE);
    assert_int_equal(world_do(&w, tx_disable_act(&w, 1, "Propose", 3)), 602);
    assert_int_equal(world_do(&w, tx_disable_act(&w, 0, "Approve", 3)), 4); /* twice */
    assert_int_equal(world_do(&w, tx_disable_act(&w, 1, "Approve", 3)), 0);
    assert_int_equal(world_status(&w, 3), STATUS_PAUSED);
    assert_true(model_record(app_model(w.app), 3)->trustee_disabled);
    assert_int_equal(w.update_count, 1);
    app_world_run(&w, 2);
    assert_string_equal(w.sets[w.height], "012");
    assert_int_equal(world_do(&w, tx_disable_act(&w, 0, "Propose", 3)), 604);
    /* its admin may enable it all the same */
    assert_int_equal(world_do(&w, tx_unpause(&w, 3)), 0);
    app_world_run(&w, 2);
    assert_string_equal(w.sets[w.height], "0123");
    app_world_end(&w);
}

static void test_trustees_reject(void **state)
{
    struct app_world w;
    (void)state;
    app_world_start(&w, CHAIN_DCL, 4, 1);
    assert_int_equal(world_do(&w, tx_disable_act(&w, 0, "Propose", 3)), 0);
    assert_int_equal(world_do(&w, tx_disable_act(&w, 0, "Reject", 3)), 0); /* withdrawn */
    assert_int_equal(world_do(&w, tx_disable_act(&w, 1, "Reject", 3)), 603);
    assert_int_equal(world_do(&w, tx_disable_act(&w, 0, "Propose", 3)), 0);
    assert_int_equal(world_do(&w, tx_disable_act(&w, 1, "Reject", 3)), 0);
    assert_int_equal(world_do(&w, tx_disable_act(&w, 1, "Reject", 3)), 4);
    assert_int_equal(world_do(&w, tx_disable_act(&w, 2, "Reject", 3)), 0); /* two reject */
    assert_int_equal(world_do(&w, tx_disable_act(&w, 1, "Approve", 3)), 603);
    assert_int_equal(world_status(&w, 3), STATUS_ACTIVE);
    assert_int_equal(world_do(&w, tx_disable_act(&w, 1, "Propose", 3)), 0); /* again */
    app_world_end(&w);
}

/* A later message that is refused takes back what trustees did before it. */
static void test_messages_are_all_or_nothing(void **state)
{
    struct app_world w;
    struct world_tx tx, other;
    (void)state;
    app_world_start(&w, CHAIN_DCL, 4, 1);
    assert_int_equal(world_do(&w, tx_disable_act(&w, 0, "Propose", 3)), 0);
    tx = tx_disable_act(&w, 1, "Approve", 3);
    other = tx_unpause(&w, 1);
    tx_also(&tx, &other);
    assert_int_equal(world_do(&w, tx), 605);
    assert_int_equal(world_status(&w, 3), STATUS_ACTIVE);
    assert_int_equal(w.update_count, 0);
    assert_int_equal(world_do(&w, tx_disable_act(&w, 1, "Approve", 3)), 0);
    assert_int_equal(world_status(&w, 3), STATUS_PAUSED);
    app_world_end(&w);
}

static void test_upgrades(void **state)
{
    struct app_world w;
    (void)state;
    app_world_start(&w, CHAIN_DCL, 4, 1);
    app_world_run(&w, 5);
    assert_int_equal(world_do(&w, tx_upgrade_act(&w, 3, "Propose", "u1", 20)), 4);
    assert_int_equal(world_do(&w, tx_upgrade_act(&w, 0, "Propose", "u1", 6)), 18);
    assert_refused(w.results[0], 18, "sdk",
                   world_failed(0, "upgrade cannot be scheduled in the past: invalid request"));
    assert_int_equal(world_do(&w, tx_upgrade_act(&w, 0, "Approve", "u1", 0)), 802);
    assert_refused(
        w.results[0], 802, "dclupgrade",
        world_failed(0, "Proposed upgrade with name=u1 does not exist on the ledger: proposed "
                        "upgrade does not exist"));
    assert_int_equal(world_do(&w, tx_upgrade_act(&w, 0, "Propose", "u1", 11)), 0);
    assert_int_equal(world_do(&w, tx_upgrade_act(&w, 1, "Propose", "u1", 30)), 801);
    app_world_run(&w, 2); /* height 11: stale behind it */
    assert_int_equal(world_do(&w, tx_upgrade_act(&w, 1, "Approve", "u1", 0)), 18);
    assert_int_equal(world_do(&w, tx_upgrade_act(&w, 1, "Propose", "u1", 30)), 0);
    assert_int_equal(world_do(&w, tx_upgrade_act(&w, 1, "Approve", "u1", 0)), 4);
    assert_int_equal(world_do(&w, tx_upgrade_act(&w, 2, "Approve", "u1", 0)), 0);
    assert_int_equal(world_do(&w, tx_upgrade_act(&w, 0, "Propose", "u1", 40)), 803);
    /* a second plan takes the first one's place, also with a lower height */
    assert_int_equal(world_do(&w, tx_upgrade_act(&w, 0, "Propose", "u2", 25)), 0);
    assert_int_equal(world_do(&w, tx_upgrade_act(&w, 1, "Reject", "u2", 0)), 0);
    assert_int_equal(world_do(&w, tx_upgrade_act(&w, 1, "Approve", "u2", 0)), 0); /* revote */
    while (w.height < 24)
        app_world_run(&w, 1);
    assert_false(app_world_block(&w));
    assert_null(app_dead(w.app));
    assert_string_equal(app_halted(w.app), "UPGRADE \"u2\" NEEDED at height: 25: plan info");
    assert_int_equal(model_height(app_model(w.app)).n, 24);
    app_world_end(&w);
}

static void test_an_empty_block_changes_no_hash(void **state)
{
    struct app_world w;
    uint8_t a[HASH_SIZE], b[HASH_SIZE];
    (void)state;
    app_world_start(&w, CHAIN_DCL, 4, 1);
    app_world_run(&w, 2);
    world_hash(&w, a);
    app_world_run(&w, 2);
    world_hash(&w, b);
    assert_memory_equal(a, b, HASH_SIZE);
    assert_int_equal(world_do(&w, tx_pause(&w, 1)), 0);
    world_hash(&w, b);
    assert_memory_not_equal(a, b, HASH_SIZE);
    app_world_end(&w);
}

static void test_log_and_data(void **state)
{
    struct app_world w;
    char account[BECH32_TEXT_MAX], expected[1024];
    (void)state;
    app_world_start(&w, CHAIN_DCL, 4, 1);
    world_address(&w, 0, "", account);
    assert_int_equal(world_do(&w, tx_pause(&w, 0)), 0);
    snprintf(expected, sizeof expected,
             "[{\"msg_index\":0,\"events\":[{\"type\":\"message\",\"attributes\":[{\"key\":"
             "\"action\",\"value\":\"/zigbeealliance.distributedcomplianceledger.validator."
             "MsgDisableValidator\"},{\"key\":\"sender\",\"value\":\"%s\"},{\"key\":\"module\","
             "\"value\":\"distributedcomplianceledger\"}]}]}]",
             account);
    assert_string_equal(w.results[0].log, expected);
    assert_int_equal(w.results[0].data_size, 85);
    assert_memory_equal(w.results[0].data, "\x12\x53\x0a\x51", 4);
    app_world_end(&w);
}

/* The same bytes as another network writes them. */
static void test_foreign_prefixes(void **state)
{
    (void)state;
    struct app_world w;
    app_world_start(&w, CHAIN_DCL, 4, 1);
    strcpy(w.genesis.prefix, "kira"); /* of the encoder, not of the chain */
    assert_int_equal(world_check(&w, tx_create(&w, 2, "again")), 7);
    assert_int_equal(world_check(&w, tx_upgrade_act(&w, 0, "Propose", "v2", 99)), 7);
    assert_int_equal(world_check(&w, tx_disable_act(&w, 0, "Propose", 2)), 7);
    assert_refused(w.check, 7, "sdk",
                   "invalid Bech32 prefix; expected cosmos, got kira: invalid address");
    strcpy(w.genesis.prefix, "cosmos");
    assert_int_equal(world_check(&w, tx_disable_act(&w, 0, "Propose", 2)), 0);
    app_world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_foreign_prefixes),
        cmocka_unit_test(test_disable_and_enable),
        cmocka_unit_test(test_disable_and_enable_in_one_block_is_nothing),
        cmocka_unit_test(test_the_last_validator_kills),
        cmocka_unit_test(test_create_validator_carries_a_join),
        cmocka_unit_test(test_a_full_pool),
        cmocka_unit_test(test_ante),
        cmocka_unit_test(test_trustees_disable),
        cmocka_unit_test(test_trustees_reject),
        cmocka_unit_test(test_messages_are_all_or_nothing),
        cmocka_unit_test(test_upgrades),
        cmocka_unit_test(test_an_empty_block_changes_no_hash),
        cmocka_unit_test(test_log_and_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
