/* What the drivers know without asking: meanings of codes, fees, what an upgrade asks of a
 * validator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/chain.h"

static void meaning(const struct chain_driver *driver, const char *codespace, uint32_t code,
                    const char *log, enum chain_meaning expected)
{
    const struct chain_advice *advice = chain_advice(driver, codespace, code, log);
    assert_non_null(advice);
    if (advice->meaning != expected)
        fail_msg("%s %u \"%s\": %s", codespace, code, log, advice->name);
}

static void test_meanings(void **state)
{
    (void)state;
    meaning(&chain_kira, "", 0, "", CHAIN_MEANS_OK);
    meaning(&chain_kira, "customslashing", 8, "", CHAIN_MEANS_DONE_BEFORE);
    meaning(&chain_kira, "customslashing", 7, "", CHAIN_MEANS_DONE_BEFORE);
    meaning(&chain_kira, "customslashing", 6, "", CHAIN_MEANS_DONE_BEFORE);
    meaning(&chain_kira, "customslashing", 5, "Can NOT pause inactivated validator",
            CHAIN_MEANS_FINAL);
    meaning(&chain_kira, "customslashing", 5,
            "Can NOT activate inactivate validator, jail time remaining 593 seconds",
            CHAIN_MEANS_WAIT);
    meaning(&chain_kira, "customslashing", 11, "", CHAIN_MEANS_FINAL);
    meaning(&chain_kira, "sdk", 4, "please verify account number (0)", CHAIN_MEANS_WAIT);
    meaning(&chain_kira, "sdk", 19, "", CHAIN_MEANS_SENT);
    meaning(&chain_kira, "sdk", 20, "", CHAIN_MEANS_WAIT);
    meaning(&chain_kira, "sdk", 30, "", CHAIN_MEANS_TOO_LATE);
    meaning(&chain_kira, "sdk", 32, "", CHAIN_MEANS_SEQUENCE);
    meaning(&chain_kira, "sdk", 5, "", CHAIN_MEANS_FINAL);
    meaning(&chain_kira, "validator", 605, "", CHAIN_MEANS_FINAL); /* another chain's */
    meaning(&chain_dcl, "validator", 604, "", CHAIN_MEANS_DONE_BEFORE);
    meaning(&chain_dcl, "validator", 605, "", CHAIN_MEANS_DONE_BEFORE);
    meaning(&chain_dcl, "staking", 4, "", CHAIN_MEANS_JOINED);
    meaning(&chain_dcl, "validator", 601, "", CHAIN_MEANS_JOINED);
    meaning(&chain_dcl, "sdk", 4, "signature verification failed", CHAIN_MEANS_WAIT);
    meaning(&chain_dcl, "sdk", 32, "", CHAIN_MEANS_SEQUENCE);
}

/* Every code of the tables has words, none is there twice, and the particular rows stand first. */
static void check_table(const struct chain_advice *table, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_true(strlen(table[i].name) > 3 && strlen(table[i].advice) > 10);
        assert_true(table[i].code != 0 && table[i].codespace[0]);
        for (uint32_t j = 0; j < i; j++) {
            bool same = table[i].code == table[j].code &&
                        strcmp(table[i].codespace, table[j].codespace) == 0;
            assert_false(same && !table[j].log_has);
        }
    }
}

static void test_tables(void **state)
{
    (void)state;
    check_table(chain_kira.advice, chain_kira.advice_count);
    check_table(chain_dcl.advice, chain_dcl.advice_count);
    check_table(chain_sdk_codes, chain_sdk_code_count);
    for (uint32_t code = 2; code <= 41; code++)
        assert_int_equal(chain_advice(&chain_kira, "sdk", code, "")->code, code);
    for (uint32_t code = 601; code <= 605; code++)
        assert_int_equal(chain_advice(&chain_dcl, "validator", code, "")->code, code);
    for (uint32_t code = 801; code <= 803; code++)
        assert_int_equal(chain_advice(&chain_dcl, "dclupgrade", code, "")->code, code);
    assert_int_equal(chain_advice(&chain_kira, "undefined", 1, "")->code, 1);
    assert_int_equal(chain_advice(&chain_kira, "sdk", 111222, "")->code, 111222);
}

static void test_expected(void **state)
{
    (void)state;
    uint64_t expected = 0;
    assert_true(chain_expected_sequence(
        "account sequence mismatch, expected 1, got 8: incorrect account sequence", &expected));
    assert_true(expected == 1);
    assert_true(chain_expected_sequence(
        "x: account sequence mismatch, expected 18446744073709551615, got 0", &expected));
    assert_true(expected == UINT64_MAX);
    static const char *const wrong[] = {
        "",
        "account sequence mismatch, expected ",
        "account sequence mismatch, expected -1, got 8",
        "account sequence mismatch, expected 18446744073709551616, got 8",
        "account sequence mismatch, expected 7",
        "account sequence mismatch, expected 7x, got 8",
        "expected 7, got 8",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(chain_expected_sequence(wrong[i], &expected));
}

static void test_fees(void **state)
{
    (void)state;
    struct query_fee list[] = {{"activate", 100, 1000}, {"pause", 700, 100}, {"send", 1, 1}};
    struct query_fees fees = {list, 3};
    struct query_properties properties = {.min_tx_fee = 250, .max_tx_fee = 1000};
    struct fault fault;
    uint64_t amount;
    assert_true(chain_fee(&chain_kira, TX_DO_PAUSE, &properties, &fees, &amount, &fault));
    assert_int_equal(amount, 700);
    assert_true(chain_fee(&chain_kira, TX_DO_UNPAUSE, &properties, &fees, &amount, &fault));
    assert_int_equal(amount, 250);
    assert_true(chain_fee(&chain_kira, TX_DO_ACTIVATE, &properties, &fees, &amount, &fault));
    assert_int_equal(amount, 1000);
    assert_true(chain_turn_fees(&chain_kira, &properties, &fees, &amount, &fault));
    assert_int_equal(amount, 1 + 250 + 700 + 250 + 1000);
    properties.max_tx_fee = 999;
    assert_false(chain_fee(&chain_kira, TX_DO_ACTIVATE, &properties, &fees, &amount, &fault));
    assert_non_null(strstr(fault.text, "max_tx_fee"));
    assert_false(chain_turn_fees(&chain_kira, &properties, &fees, &amount, &fault));
    assert_true(chain_turn_fees(&chain_dcl, &properties, &fees, &amount, &fault));
    assert_int_equal(amount, 0);
    properties = (struct query_properties){.min_tx_fee = UINT64_MAX, .max_tx_fee = UINT64_MAX};
    assert_true(chain_turn_fees(&chain_kira, &properties, &fees, &amount, &fault));
    assert_true(amount == UINT64_MAX);
}

static void test_names(void **state)
{
    (void)state;
    assert_ptr_equal(chain_driver_named("kira"), &chain_kira);
    assert_ptr_equal(chain_driver_named("dcl"), &chain_dcl);
    assert_null(chain_driver_named("cosmos"));
    assert_ptr_equal(chain_driver(CHAIN_DCL), &chain_dcl);
    assert_true(chain_kira.actions[TX_DO_ACTIVATE] && !chain_dcl.actions[TX_DO_ACTIVATE]);
    assert_true(chain_dcl.actions[TX_DO_APPROVE_UPGRADE] &&
                !chain_kira.actions[TX_DO_APPROVE_UPGRADE]);
}

static void test_ballot(void **state)
{
    (void)state;
    struct query_vote votes[] = {{{1}, 1}, {{2}, 3}, {{5}, 1}};
    uint8_t voters[][ACCOUNT_ADDRESS_SIZE] = {{1}, {2}};
    struct chain_ballot ballot = {
        .votes = votes, .vote_count = 3, .voters = voters, .voter_count = 2};
    const uint8_t one[ACCOUNT_ADDRESS_SIZE] = {1}, two[ACCOUNT_ADDRESS_SIZE] = {2},
                  five[ACCOUNT_ADDRESS_SIZE] = {5}, none[ACCOUNT_ADDRESS_SIZE] = {9};
    assert_true(chain_voted_yes(&ballot, one) && chain_voted_yes(&ballot, five));
    assert_false(chain_voted_yes(&ballot, two) || chain_voted_yes(&ballot, none));
    assert_true(chain_may_vote(&ballot, two) && !chain_may_vote(&ballot, none));
    ballot.voters = NULL;
    assert_true(chain_may_vote(&ballot, none));
}

static void test_config(void **state)
{
    (void)state;
    static const struct {
        const char *prefix, *denom, *chain_id;
        bool good;
    } rows[] = {{NULL, NULL, NULL, true},     {"test", "utest", "x-1", true},
                {"", NULL, NULL, false},      {"Kira", NULL, NULL, false},
                {"k ira", NULL, NULL, false}, {NULL, "u", NULL, false},
                {NULL, "1ukex", NULL, false}, {NULL, "uk ex", NULL, false},
                {NULL, NULL, "", false},      {NULL, "ukex,", NULL, false}};
    const char *url = "http://127.0.0.1:1";
    zloop_t *loop = zloop_new();
    struct rpc_config config = {.urls = &url, .url_count = 1};
    struct fault fault;
    struct rpc *rpc = rpc_create(loop, &config, &fault);
    assert_non_null(rpc);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct chain_config one = {.loop = loop,
                                   .rpc = rpc,
                                   .driver = &chain_kira,
                                   .prefix = rows[i].prefix,
                                   .denom = rows[i].denom,
                                   .chain_id = rows[i].chain_id};
        struct chain *chain = chain_create(&one, &fault);
        if ((chain != NULL) != rows[i].good)
            fail_msg("row %zu", i);
        if (chain)
            assert_string_equal(chain_prefix(chain), rows[i].prefix ? rows[i].prefix : "kira");
        chain_destroy(&chain);
        assert_null(chain);
    }
    rpc_destroy(&rpc);
    zloop_destroy(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meanings), cmocka_unit_test(test_tables),
        cmocka_unit_test(test_expected), cmocka_unit_test(test_fees),
        cmocka_unit_test(test_names),    cmocka_unit_test(test_ballot),
        cmocka_unit_test(test_config),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
