/* The devnet's application on KIRA, line by line what running networks of sekai v0.4.13 answered: the stage in
 * which a transaction is refused, code, codespace and words, what it costs, and the sets of H, H + 1, H + 2. */
#include "tests/app_world.h"

#define SLASHING "customslashing"

/* --- pause, unpause, activate --- */

static void test_pause_changes_the_set_two_blocks_later(void **state)
{
    struct app_world w;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 5, 1);
    app_world_run(&w, 9);
    struct world_cost before = world_cost(&w, 3);
    world_add(&w, tx_pause(&w, 3));
    assert_true(app_world_block(&w));
    assert_int_equal(w.results[0].code, 0);
    assert_string_equal(w.results[0].codespace, "");
    world_assert_cost(&w, 3, before, 100, 1);
    assert_int_equal(world_status(&w, 3), STATUS_PAUSED);
    assert_int_equal(w.update_count, 1);
    assert_int_equal(w.updates[0].power, 0);
    assert_memory_equal(w.updates[0].public_key, w.validators[3].consensus_key, ED25519_KEY_SIZE);
    app_world_run(&w, 3);
    assert_string_equal(w.sets[10], "01234");
    assert_string_equal(w.sets[11], "01234");
    assert_string_equal(w.sets[12], "0124");
    assert_int_equal(w.update_count, 0);
    assert_int_equal(world_do(&w, tx_unpause(&w, 3)), 0);
    assert_int_equal(w.updates[0].power, 1);
    app_world_run(&w, 1);
    assert_string_equal(w.sets[15], "0124");
    assert_string_equal(w.sets[16], "01234");
    app_world_end(&w);
}

/* 3 of 5 with min_validators 4: all code 0, the set falls to 2. */
static void test_the_chains_guard_stops_nothing(void **state)
{
    struct app_world w;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 5, 4);
    for (uint32_t v = 0; v < 3; v++)
        world_add(&w, tx_pause(&w, v));
    assert_true(app_world_block(&w));
    for (uint32_t v = 0; v < 3; v++)
        assert_int_equal(w.results[v].code, 0);
    app_world_run(&w, 1);
    assert_string_equal(w.sets[3], "34");
    app_world_end(&w);
}

static void test_guard_counts_active_members(void **state)
{
    struct app_world w;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 5, 3);
    w.genesis.properties.guard = true;
    app_world_begin(&w);
    assert_int_equal(world_do(&w, tx_pause(&w, 0)), 0);
    assert_int_equal(world_do(&w, tx_pause(&w, 1)), 0);
    struct world_cost before = world_cost(&w, 2);
    assert_int_equal(world_do(&w, tx_pause(&w, 2)), 11);
    assert_refused(w.results[0], 11, SLASHING,
                   world_failed(0, "pause not allowed on poor network"));
    world_assert_cost(&w, 2, before, 100, 1);
    app_world_run(&w, 2);
    assert_string_equal(w.sets[w.height + 1], "234");
    assert_int_equal(world_do(&w, tx_unpause(&w, 0)), 0);
    app_world_run(&w, 2);
    assert_int_equal(world_do(&w, tx_pause(&w, 2)), 0);
    app_world_end(&w);
}

static void test_records_as_few_as_min_validators_cannot_pause(void **state)
{
    struct app_world w;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 4);
    assert_int_equal(world_do(&w, tx_pause(&w, 0)), 11);
    assert_refused(w.results[0], 11, SLASHING,
                   world_failed(0, "pause not allowed on poor network"));
    app_world_end(&w);
    app_world_start(&w, CHAIN_KIRA, 1, 1);
    assert_int_equal(world_do(&w, tx_pause(&w, 0)), 11);
    app_world_end(&w);
}

/* In the block; the fee is kept, the sequence used. */
static void test_what_is_already_so_is_refused_in_the_block(void **state)
{
    struct app_world w;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    assert_int_equal(world_do(&w, tx_pause(&w, 1)), 0);
    struct world_cost before = world_cost(&w, 1);
    assert_int_equal(world_do(&w, tx_pause(&w, 1)), 8);
    assert_refused(w.results[0], 8, SLASHING,
                   world_failed(0, "Can NOT pause already paused validator: validator paused"));
    world_assert_cost(&w, 1, before, 100, 1);
    before = world_cost(&w, 0);
    assert_int_equal(world_do(&w, tx_unpause(&w, 0)), 7);
    assert_refused(w.results[0], 7, SLASHING,
                   world_failed(0, "Can NOT unpause NOT paused validator: validator not paused"));
    world_assert_cost(&w, 0, before, 100, 1);
    before = world_cost(&w, 2);
    assert_int_equal(world_do(&w, tx_activate(&w, 2)), 6);
    assert_refused(w.results[0], 6, SLASHING,
                   world_failed(0, "Can NOT activate NOT inactivated validator: validator not "
                                   "inactivated; cannot be activated"));
    world_assert_cost(&w, 2, before, 1000, 1);
    assert_null(w.results[0].data);
    assert_non_null(w.results[0].events); /* those of the fee */
    app_world_end(&w);
}

/* --- CheckTx --- */

static void test_fees(void **state)
{
    struct app_world w;
    struct world_tx tx;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    struct world_cost before = world_cost(&w, 0);
    tx = tx_activate(&w, 0);
    strcpy(tx.fee_amount, "100");
    world_check(&w, tx);
    assert_refused(w.check, 18, "sdk",
                   "fee 100ukex(100) is less than max execution fee 1000ukex: invalid request");
    tx = tx_pause(&w, 0);
    strcpy(tx.fee_amount, "1");
    world_check(&w, tx);
    assert_refused(w.check, 18, "sdk",
                   "fee 1ukex(1) is out of range [100, 1000000]ukex: invalid request");
    strcpy(tx.fee_amount, "10000000");
    world_check(&w, tx);
    assert_refused(
        w.check, 18, "sdk",
        "fee 10000000ukex(10000000) is out of range [100, 1000000]ukex: invalid request");
    tx.fee_amount[0] = '\0';
    world_check(&w, tx);
    assert_refused(w.check, 18, "sdk",
                   "fee (0) is out of range [100, 1000000]ukex: invalid request");
    strcpy(tx.fee_amount, "100");
    strcpy(tx.fee_denom, "lol");
    world_check(&w, tx);
    assert_refused(w.check, 18, "sdk",
                   "currency you are trying to use was not whitelisted as fee payment: invalid "
                   "request");
    strcpy(tx.fee_amount, "-100");
    world_check(&w, tx);
    assert_refused(w.check, 13, "sdk", "invalid fee provided: -100lol: insufficient fee");
    world_assert_cost(&w, 0, before, 0, 0);
    tx = tx_pause(&w, 0);
    strcpy(tx.fee_amount, "250");
    assert_int_equal(world_do(&w, tx), 0);
    world_assert_cost(&w, 0, before, 250, 1);
    app_world_end(&w);
}

static void test_fee_that_the_account_does_not_have(void **state)
{
    struct app_world w;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    w.validators[0].balance = 99;
    app_world_begin(&w);
    assert_int_equal(world_check(&w, tx_pause(&w, 0)), 5);
    assert_refused(w.check, 5, "sdk",
                   "spendable balance 99ukex is smaller than 100ukex: insufficient funds: "
                   "insufficient funds");
    app_world_end(&w);
}

static void test_sequences(void **state)
{
    struct app_world w;
    struct world_tx tx;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    assert_int_equal(world_do(&w, tx_send(&w, 0, 0, "1")), 0);
    tx = tx_pause(&w, 0);
    tx.sequence = 6;
    world_check(&w, tx);
    assert_refused(w.check, 32, "sdk",
                   "account sequence mismatch, expected 1, got 6: incorrect account sequence");
    tx.sequence = 0;
    world_check(&w, tx);
    assert_refused(w.check, 32, "sdk",
                   "account sequence mismatch, expected 1, got 0: incorrect account sequence");
    /* CheckTx counts on what it let through */
    world_add(&w, tx_send(&w, 0, 0, "1"));
    tx = tx_pause(&w, 0);
    assert_int_equal(tx.sequence, 2);
    tx.sequence = 1;
    world_check(&w, tx);
    assert_refused(w.check, 32, "sdk",
                   "account sequence mismatch, expected 2, got 1: incorrect account sequence");
    app_world_end(&w);
}

static void test_signatures(void **state)
{
    static const char words[] = "signature verification failed; please verify account number (2) "
                                "and chain-id (localnet-1): unauthorized";
    struct app_world w;
    struct world_tx tx;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    tx = tx_pause(&w, 2);
    tx.break_signature = true;
    world_check(&w, tx);
    assert_refused(w.check, 4, "sdk", words);
    tx = tx_pause(&w, 2);
    strcpy(tx.chain_id, "localnet-2");
    world_check(&w, tx);
    assert_refused(w.check, 4, "sdk", words);
    tx = tx_pause(&w, 2);
    tx.account_number = 1;
    world_check(&w, tx);
    assert_refused(w.check, 4, "sdk", words);
    tx = tx_pause(&w, 2);
    tx.key = 1; /* somebody else's key */
    world_check(&w, tx);
    assert_refused(w.check, 4, "sdk", words);
    tx = tx_pause(&w, 2);
    tx.signatures = 0;
    world_check(&w, tx);
    assert_refused(w.check, 15, "sdk", "no signatures supplied");
    tx.signatures = 2;
    world_check(&w, tx);
    assert_refused(w.check, 4, "sdk", "wrong number of signers; expected 1, got 2: unauthorized");
    /* once the account has its key, the transaction may leave it out */
    tx = tx_pause(&w, 2);
    tx.no_key = true;
    world_check(&w, tx);
    assert_int_equal(w.check.code, 4);
    assert_int_equal(world_do(&w, tx_send(&w, 2, 2, "1")), 0);
    tx = tx_pause(&w, 2);
    tx.no_key = true;
    assert_int_equal(world_do(&w, tx), 0);
    app_world_end(&w);
}

static void test_gas_timeout_memo(void **state)
{
    struct app_world w;
    struct world_tx tx;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    app_world_run(&w, 9);
    tx = tx_pause(&w, 0);
    tx.gas = 0;
    world_check(&w, tx);
    assert_int_equal(w.check.code, 11);
    assert_string_equal(w.check.codespace, "sdk");
    assert_non_null(strstr(w.check.log, "out of gas"));
    tx = tx_pause(&w, 0);
    tx.timeout_height = 8;
    world_check(&w, tx);
    assert_refused(w.check, 30, "sdk", "block height: 9, timeout height: 8: tx timeout height");
    /* equal to the last height passes, and then stands in the next block without a cost */
    struct world_cost before = world_cost(&w, 0);
    tx.timeout_height = 9;
    world_add(&w, tx);
    assert_true(app_world_block(&w));
    assert_refused(w.results[0], 30, "sdk",
                   "block height: 10, timeout height: 9: tx timeout height");
    world_assert_cost(&w, 0, before, 0, 0);
    tx = tx_send(&w, 0, 0, "1");
    memset(tx.memo, 'm', 256);
    assert_int_equal(world_do(&w, tx), 0);
    tx = tx_send(&w, 0, 0, "1");
    memset(tx.memo, 'm', 257);
    world_check(&w, tx);
    assert_refused(w.check, 12, "sdk",
                   "maximum number of characters is 256 but received 257 characters: memo too "
                   "large");
    app_world_end(&w);
}

static void test_right_after_a_start_nothing_passes(void **state)
{
    struct app_world w;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    app_world_run(&w, 3);
    for (uint32_t v = 0; v < 2; v++) {
        world_check_fresh(&w, tx_pause(&w, v));
        assert_refused(w.check, 4, "sdk",
                       "signature verification failed; please verify account number (0) and "
                       "chain-id (localnet-1): unauthorized");
        assert_int_equal(world_check(&w, tx_pause(&w, v)), 0);
    }
    app_world_end(&w);
}

/* --- sends --- */

static void test_sends(void **state)
{
    struct app_world w;
    struct world_tx tx;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    struct world_cost before = world_cost(&w, 0);
    tx = tx_send(&w, 0, 0, "1");
    strcpy(tx.memo, "stagger/join/1 3 0");
    assert_int_equal(world_do(&w, tx), 0);
    world_assert_cost(&w, 0, before, 100, 1);
    world_check(&w, tx_send(&w, 0, 0, "0"));
    assert_refused(w.check, 10, "sdk", "0ukex: invalid coins");
    world_check(&w, tx_send(&w, 0, 0, "-5"));
    assert_int_equal(w.check.code, 10);
    /* to another validator, and to one that the chain does not know yet */
    before = world_cost(&w, 0);
    struct world_cost other = world_cost(&w, 1);
    assert_int_equal(world_do(&w, tx_send(&w, 0, 1, "5000")), 0);
    world_assert_cost(&w, 0, before, 5100, 1);
    assert_int_equal(world_balance(&w, 1), other.balance + 5000);
    assert_int_equal(world_do(&w, tx_send(&w, 0, 50, "500")), 0);
    /* more than there is: in the block, and only the fee is gone */
    before = world_cost(&w, 2);
    assert_int_equal(world_do(&w, tx_send(&w, 2, 3, "150000000000000")), 5);
    assert_refused(w.results[0], 5, "sdk",
                   world_failed(0, "spendable balance 149999999999900ukex is smaller than "
                                   "150000000000000ukex: insufficient funds"));
    world_assert_cost(&w, 2, before, 100, 1);
    app_world_end(&w);
}

static void test_an_outsider(void **state)
{
    struct app_world w;
    struct world_tx tx;
    char words[256], address[BECH32_TEXT_MAX];
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    world_address(&w, 50, "", address);
    snprintf(words, sizeof words, "account %s does not exist: unknown address", address);
    world_check(&w, tx_send(&w, 50, 0, "1"));
    assert_refused(w.check, 9, "sdk", words);
    assert_int_equal(world_do(&w, tx_send(&w, 0, 50, "1000")), 0);
    tx = tx_send(&w, 50, 1, "300");
    tx.account_number = 4;
    assert_int_equal(world_do(&w, tx), 0);
    tx = tx_pause(&w, 50); /* it has an account, and no seat */
    tx.account_number = 4;
    tx.sequence = 1;
    assert_int_equal(world_do(&w, tx), 2);
    assert_refused(w.results[0], 2, SLASHING,
                   world_failed(0, "address is not associated with any known validator"));
    tx = tx_vote(&w, 50, 1, 1);
    tx.account_number = 4;
    tx.sequence = 2;
    assert_int_equal(world_do(&w, tx), 22);
    assert_refused(w.results[0], 22, "customgov", world_failed(0, "actor is not active"));
    tx = tx_send(&w, 50, 1, "1");
    tx.account_number = 4;
    tx.sequence = 3;
    assert_int_equal(world_do(&w, tx), 0); /* 1000 - 300 - 1 - 4 * 100 are left */
    tx.sequence = 4;
    strcpy(tx.fee_amount, "300");
    assert_int_equal(world_check(&w, tx), 5);
    app_world_end(&w);
}

static void test_what_cannot_be_read(void **state)
{
    struct app_world w;
    struct app_result result;
    struct world_tx tx;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    app_check(w.app, (const uint8_t *)"garbage", 7, false, &result);
    assert_int_equal(result.code, 2);
    assert_string_equal(result.codespace, "sdk");
    assert_non_null(strstr(result.log, ": tx parse error"));
    app_result_clear(&result);
    tx = tx_pause(&w, 0);
    strcpy(tx.messages[0].type_url, "/kira.slashing.MsgNothing");
    world_check(&w, tx);
    assert_refused(w.check, 2, "sdk",
                   "unable to resolve type URL /kira.slashing.MsgNothing: tx parse error");
    tx = tx_pause(&w, 0);
    memcpy(tx.messages[0].value + tx.messages[0].size, "\x10\x01", 2); /* field 2 */
    tx.messages[0].size += 2;
    assert_int_equal(world_check(&w, tx), 2);
    assert_non_null(strstr(w.check.log, "errUnknownField"));
    memcpy(tx.messages[0].value + tx.messages[0].size - 2, "\x80\x40\x01", 3); /* field 1024 */
    tx.messages[0].size++;
    assert_int_equal(world_check(&w, tx), 0);
    tx.message_count = 0;
    world_check(&w, tx);
    assert_refused(w.check, 18, "sdk", "must contain at least one message: invalid request");
    tx = tx_pause(&w, 0);
    tx.messages[0].size = 0;
    world_check(&w, tx);
    assert_int_equal(w.check.code, 111222);
    assert_string_equal(w.check.codespace, "undefined");
    app_world_end(&w);
}

static void test_poor_network(void **state)
{
    struct app_world w;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 5); /* fewer records than min_validators */
    assert_int_equal(world_check(&w, tx_send(&w, 0, 0, "1000000")), 0);
    world_check(&w, tx_send(&w, 1, 1, "1000001"));
    assert_refused(w.check, 18, "sdk",
                   "only restricted amount send is allowed on poor network: invalid request");
    assert_int_equal(world_check(&w, tx_unpause(&w, 2)), 0);
    assert_int_equal(world_check(&w, tx_vote(&w, 3, 1, 1)), 0);
    app_world_end(&w);
}

/* --- several messages --- */

static void test_messages_are_all_or_nothing(void **state)
{
    struct app_world w;
    struct world_tx tx, other;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    struct world_cost before = world_cost(&w, 0);
    tx = tx_send(&w, 0, 50, "777");
    other = tx_pause(&w, 0);
    tx_also(&tx, &other);
    other = tx_vote(&w, 0, 1, 1); /* of no proposal */
    tx_also(&tx, &other);
    assert_int_equal(world_do(&w, tx), 21);
    assert_refused(w.results[0], 21, "customgov", world_failed(2, "proposal does not exist"));
    world_assert_cost(&w, 0, before, 100, 1);
    assert_int_equal(world_status(&w, 0), STATUS_ACTIVE);
    assert_int_equal(world_check(&w, tx_send(&w, 50, 0, "1")), 9);
    tx = tx_send(&w, 0, 50, "777");
    other = tx_send(&w, 0, 1, "3");
    tx_also(&tx, &other);
    before = world_cost(&w, 0);
    assert_int_equal(world_do(&w, tx), 0);
    world_assert_cost(&w, 0, before, 880, 1);
    assert_non_null(strstr(w.results[0].log, "{\"msg_index\":1,"));
    tx = tx_pause(&w, 0);
    other = tx_pause(&w, 1); /* by two accounts, and one signature */
    tx_also(&tx, &other);
    world_check(&w, tx);
    assert_refused(w.check, 4, "sdk", "wrong number of signers; expected 2, got 1: unauthorized");
    app_world_end(&w);
}

/* The same bytes as another network writes them. */
static void test_foreign_prefixes(void **state)
{
    (void)state;
    struct app_world w;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    strcpy(w.genesis.prefix, "cosmos"); /* of the encoder, not of the chain */
    world_check(&w, tx_pause(&w, 2));
    assert_refused(
        w.check, 111222, "undefined",
        "recovered: invalid Bech32 prefix; expected kiravaloper, got cosmosvaloper: panic");
    struct world_tx tx = tx_send(&w, 2, 3, "1");
    world_check(&w, tx);
    assert_refused(w.check, 7, "sdk",
                   "invalid Bech32 prefix; expected kira, got cosmos: invalid address");
    strcpy(w.genesis.prefix, "kirax"); /* begins as it should */
    assert_int_equal(world_check(&w, tx_unpause(&w, 2)), 111222);
    strcpy(w.genesis.prefix, "kira");
    assert_int_equal(world_do(&w, tx_send(&w, 2, 3, "1")), 0);
    assert_int_equal(world_do(&w, tx_pause(&w, 2)), 0);
    app_world_end(&w);
}

/* --- the shape of a result --- */

static void test_log_events_and_data_of_a_pause(void **state)
{
    struct app_world w;
    char account[BECH32_TEXT_MAX], valoper[BECH32_TEXT_MAX], expected[1024];
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    world_address(&w, 1, "", account);
    world_address(&w, 1, "valoper", valoper);
    assert_int_equal(world_do(&w, tx_pause(&w, 1)), 0);
    snprintf(expected, sizeof expected,
             "[{\"msg_index\":0,\"events\":[{\"type\":\"message\",\"attributes\":[{\"key\":"
             "\"action\",\"value\":\"/kira.slashing.MsgPause\"},{\"key\":\"sender\",\"value\":"
             "\"%s\"}]},{\"type\":\"message\",\"attributes\":[{\"key\":\"module\",\"value\":"
             "\"customslashing\"},{\"key\":\"sender\",\"value\":\"%s\"}]}]}]",
             account, valoper);
    assert_string_equal(w.results[0].log, expected);
    assert_int_equal(w.results[0].data_size, 35);
    assert_memory_equal(w.results[0].data, "\x12\x21\x0a\x1f/kira.slashing.MsgPauseResponse", 35);
    assert_int_equal(w.results[0].gas_wanted, 0);
    assert_int_equal(w.results[0].gas_used, 0);
    /* fees go to where the running network sent them */
    assert_non_null(strstr(w.results[0].events, "kira17xpfvakm2amg962yls6f84z3kell8c5lqkfw2s"));
    snprintf(expected, sizeof expected,
             "[{\"type\":\"tx\",\"attributes\":[{\"key\":\"acc_seq\",\"value\":\"%s/0\",\"index\":"
             "true}]},",
             account);
    assert_memory_equal(w.results[0].events, expected, strlen(expected));
    app_world_end(&w);
}

static void test_a_genesis_that_cannot_be_one(void **state)
{
    struct app_world w;
    struct fault fault;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    w.genesis.count = 0;
    assert_null(app_create(&w.genesis, &fault));
    w.genesis.count = 4;
    w.validators[3] = w.validators[1];
    assert_null(app_create(&w.genesis, &fault));
    assert_non_null(strstr(fault.text, "1 and 3"));
    w.validators[3].account_key[0] = 9;
    assert_null(app_create(&w.genesis, &fault));
    app_world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_foreign_prefixes),
        cmocka_unit_test(test_pause_changes_the_set_two_blocks_later),
        cmocka_unit_test(test_the_chains_guard_stops_nothing),
        cmocka_unit_test(test_guard_counts_active_members),
        cmocka_unit_test(test_records_as_few_as_min_validators_cannot_pause),
        cmocka_unit_test(test_what_is_already_so_is_refused_in_the_block),
        cmocka_unit_test(test_fees),
        cmocka_unit_test(test_fee_that_the_account_does_not_have),
        cmocka_unit_test(test_sequences),
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_gas_timeout_memo),
        cmocka_unit_test(test_right_after_a_start_nothing_passes),
        cmocka_unit_test(test_sends),
        cmocka_unit_test(test_an_outsider),
        cmocka_unit_test(test_what_cannot_be_read),
        cmocka_unit_test(test_poor_network),
        cmocka_unit_test(test_messages_are_all_or_nothing),
        cmocka_unit_test(test_log_events_and_data_of_a_pause),
        cmocka_unit_test(test_a_genesis_that_cannot_be_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
