/* Answers of abci_query: values, what is refused, and that no change of any byte does harm. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/reply.h"
#include "node/rpc.h"
#include "proto/encoding.h"
#include "tests/query_text.h"

#define FILE_MAX (64 << 10)

static void same_hex(const uint8_t *bytes, size_t size, const char *hex)
{
    char text[256];
    assert_true(HEX_TEXT(size) <= sizeof text);
    hex_encode(bytes, size, text);
    assert_string_equal(text, hex);
}

/* --- requests --- */

static void test_requests(void **state)
{
    (void)state;
    struct query query;
    uint8_t key[] = {1, 2};
    query_records(CHAIN_KIRA, NULL, 0, &query);
    assert_string_equal(query.path, "/kira.staking.Query/Validators");
    same_hex(query.request, query.size, "3a051880042001");
    query_records(CHAIN_KIRA, key, sizeof key, &query);
    same_hex(query.request, query.size, "3a070a020102188004");
    query_record(CHAIN_KIRA, "kira1abc", &query);
    same_hex(query.request, query.size, "0a086b697261316162633a051880042001");
    query_records(CHAIN_DCL, NULL, 0, &query);
    assert_string_equal(query.path, "/zigbeealliance.distributedcomplianceledger.validator.Query/"
                                    "ValidatorAll");
    same_hex(query.request, query.size, "0a051880042001");
    query_ballots(CHAIN_KIRA, &query);
    same_hex(query.request, query.size, "120418642801");
    query_votes(300, &query);
    same_hex(query.request, query.size, "08ac02");
    query_balance("kira1abc", "ukex", &query);
    same_hex(query.request, query.size, "0a086b697261316162631204756b6578");
    query_properties(&query);
    assert_int_equal(query.size, 0);
    query_plan(CHAIN_KIRA, true, &query);
    assert_string_equal(query.path, "/kira.upgrade.Query/NextPlan");
    query_plan(CHAIN_DCL, true, &query);
    assert_string_equal(query.path, "/cosmos.upgrade.v1beta1.Query/CurrentPlan");
}

/* --- values --- */

static uint8_t *own(const char *name, size_t *size)
{
    return query_bytes(query_reader(name)->own, size);
}

static void test_records(void **state)
{
    (void)state;
    size_t size;
    struct query_page page;
    struct fault fault;
    uint8_t *bytes = own("records", &size);
    assert_true(query_records_read(CHAIN_KIRA, bytes, size, &page, &fault));
    assert_int_equal(page.count, 3);
    assert_int_equal(page.total, 7);
    same_hex(page.next_key, page.next_key_size, "002a");
    assert_string_equal(page.records[1].moniker, "zw\xc3\xb6lf");
    same_hex(page.records[0].consensus, 20, "34750f98bd59fcfc946da45aaabe933be154a4b5");
    same_hex(page.records[0].account, 20, "1111111111111111111111111111111111111111");
    assert_int_equal(page.records[0].status, COORD_ACTIVE);
    assert_int_equal(page.records[1].status, COORD_IS_PAUSED);
    assert_int_equal(page.records[2].status, COORD_JAILED);
    assert_int_equal(page.records[2].rank, 5);
    assert_int_equal(page.records[2].streak, 4);
    query_page_destroy(&page);
    assert_true(query_records_read(CHAIN_KIRA, bytes, 0, &page, &fault)); /* nobody */
    assert_int_equal(page.count, 0);
    query_page_destroy(&page);
    free(bytes);
}

static void test_records_dcl(void **state)
{
    (void)state;
    size_t size, key_size;
    uint8_t key[QUERY_KEY_MAX];
    struct query_page page;
    struct fault fault;
    uint8_t *bytes = own("records_dcl", &size);
    assert_true(query_records_read(CHAIN_DCL, bytes, size, &page, &fault));
    free(bytes);
    assert_int_equal(page.count, 3);
    assert_int_equal(page.records[0].status, COORD_ACTIVE);
    assert_int_equal(page.records[0].power, 10);
    assert_int_equal(page.records[1].status, COORD_JAILED);
    bytes = own("disabled", &size);
    assert_true(query_disabled_read(bytes, size, page.records, page.count, key, &key_size, &fault));
    free(bytes);
    assert_int_equal(key_size, 0);
    assert_int_equal(page.records[1].status, COORD_IS_PAUSED);
    assert_true(page.records[1].by_trustees);
    assert_int_equal(page.records[0].status, COORD_ACTIVE);
    query_page_destroy(&page);
}

static void test_signing(void **state)
{
    (void)state;
    size_t size;
    struct query_signing s;
    struct fault fault;
    uint8_t *bytes = own("signing", &size);
    assert_true(query_signing_read(bytes, size, &s, &fault));
    assert_int_equal(s.inactive_until_ms, 1790000600207);
    assert_int_equal(s.mischance_confidence, 10);
    assert_int_equal(s.mischance, 111);
    assert_int_equal(s.last_present_block, 60);
    assert_int_equal(s.missed_blocks, 124);
    assert_int_equal(s.produced_blocks, 64);
    free(bytes);
}

static void test_properties(void **state)
{
    (void)state;
    size_t size;
    struct query_properties p;
    struct fault fault;
    uint8_t *bytes = own("properties", &size);
    assert_true(query_properties_read(bytes, size, &p, &fault));
    assert_int_equal(p.min_tx_fee, 100);
    assert_int_equal(p.max_tx_fee, 1000000);
    assert_int_equal(p.min_validators, 1);
    assert_int_equal(p.mischance_confidence, 10);
    assert_int_equal(p.max_mischance, 110);
    assert_int_equal(p.unjail_max_time_s, 600);
    assert_int_equal(p.downtime_inactive_duration_s, 600);
    assert_string_equal(p.vote_quorum, "0.330000000000000000");
    free(bytes);
    assert_false(query_properties_read((const uint8_t *)"", 0, &p, &fault));
    assert_non_null(strstr(fault.text, "properties"));
}

static void test_decimals(void **state)
{
    (void)state;
    static const struct {
        const char *digits, *value;
    } rows[] = {{"0", "0.000000000000000000"},
                {"1", "0.000000000000000001"},
                {"1000000000000000000", "1.000000000000000000"},
                {"12500000000000000000", "12.500000000000000000"},
                {"", NULL},
                {"-1", NULL},
                {"0.33", NULL},
                {"99999999999999999999999999999999999999", NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[64] = {0x0a, 0, 0x68, 1, 0x1a};
        size_t length = strlen(rows[i].digits);
        struct query_properties p;
        struct fault fault;
        bytes[1] = (uint8_t)(4 + length);
        bytes[5] = (uint8_t)length;
        memcpy(bytes + 6, rows[i].digits, length);
        assert_int_equal(query_properties_read(bytes, 6 + length, &p, &fault),
                         rows[i].value != NULL);
        if (rows[i].value)
            assert_string_equal(p.vote_quorum, rows[i].value);
    }
}

static void test_fees(void **state)
{
    (void)state;
    size_t size;
    struct query_fees fees;
    struct fault fault;
    uint8_t *bytes = own("fees", &size);
    assert_true(query_fees_read(bytes, size, &fees, &fault));
    assert_int_equal(fees.count, 2);
    assert_string_equal(fees.fees[0].type, "activate");
    assert_int_equal(fees.fees[0].execution, 100);
    assert_int_equal(fees.fees[0].failure, 1000);
    query_fees_destroy(&fees);
    free(bytes);
}

static void check_upgrade(const struct query_plan *plan)
{
    assert_string_equal(plan->name, "up1");
    assert_int_equal(plan->upgrade_time_s, 1800000000);
    assert_int_equal(plan->max_enrolment_s, 60);
    assert_string_equal(plan->old_chain_id, "old-1");
    assert_string_equal(plan->new_chain_id, "new-1");
    assert_string_equal(plan->rollback_checksum, "abc");
    assert_true(plan->instate && plan->skip_handler);
    assert_int_equal(plan->resource_count, 1);
    assert_string_equal(plan->resources[0].url, "https://example.org/sekai");
    assert_string_equal(plan->resources[0].checksum, "sha256:00");
}

static void test_plan(void **state)
{
    (void)state;
    size_t size;
    struct query_plan plan;
    struct fault fault;
    uint8_t *bytes = own("plan", &size);
    assert_true(query_plan_read(CHAIN_KIRA, bytes, size, &plan, &fault));
    assert_true(plan.present && plan.reboot_required && plan.processed_no_vote_validators);
    assert_int_equal(plan.proposal, 5);
    check_upgrade(&plan);
    assert_true(query_plan_read(CHAIN_KIRA, bytes, 0, &plan, &fault));
    assert_false(plan.present);
    free(bytes);
    bytes = own("plan_dcl", &size);
    assert_true(query_plan_read(CHAIN_DCL, bytes, size, &plan, &fault));
    assert_string_equal(plan.name, "p2");
    assert_int_equal(plan.height, 90000);
    free(bytes);
}

static void test_votes(void **state)
{
    (void)state;
    size_t size;
    struct query_votes votes;
    struct fault fault;
    uint8_t *bytes = own("votes", &size);
    assert_true(query_votes_read(bytes, size, &votes, &fault));
    assert_int_equal(votes.count, 2);
    assert_int_equal(votes.votes[0].account[0], 0x22);
    assert_int_equal(votes.votes[0].option, 1);
    assert_int_equal(votes.votes[1].option, 4);
    query_votes_destroy(&votes);
    free(bytes);
    uint8_t(*voters)[ACCOUNT_ADDRESS_SIZE];
    uint32_t count;
    bytes = own("voters", &size);
    assert_true(query_voters_read(bytes, size, &voters, &count, &fault));
    assert_int_equal(count, 2);
    assert_int_equal(voters[0][0], 0x22);
    free(voters);
    free(bytes);
}

static void test_ballots(void **state)
{
    (void)state;
    size_t size;
    struct query_ballots ballots;
    struct fault fault;
    uint8_t *bytes = own("ballots", &size);
    assert_true(query_ballots_read(CHAIN_KIRA, bytes, size, &ballots, &fault));
    assert_int_equal(ballots.count, 2); /* one is over, one about something else */
    assert_int_equal(ballots.ballots[0].plan.proposal, 9);
    assert_int_equal(ballots.ballots[1].plan.proposal, 7);
    check_upgrade(&ballots.ballots[0].plan);
    query_ballots_destroy(&ballots);
    free(bytes);
    bytes = own("ballots_dcl", &size);
    assert_true(query_ballots_read(CHAIN_DCL, bytes, size, &ballots, &fault));
    assert_int_equal(ballots.count, 1);
    assert_int_equal(ballots.ballots[0].votes.count, 2);
    assert_int_equal(ballots.ballots[0].votes.votes[0].option, 3);
    assert_int_equal(ballots.ballots[0].votes.votes[1].option, 1);
    query_ballots_destroy(&ballots);
    free(bytes);
}

static void test_account(void **state)
{
    (void)state;
    size_t size;
    struct query_account account;
    struct fault fault;
    uint64_t amount;
    uint8_t *bytes = own("account", &size);
    assert_true(query_account_read(CHAIN_KIRA, bytes, size, &account, &fault));
    assert_true(account.exists && account.number == 669 && account.sequence == 106);
    assert_true(query_account_read(CHAIN_KIRA, bytes, 0, &account, &fault));
    assert_false(account.exists);
    free(bytes);
    bytes = own("account_dcl", &size);
    assert_true(query_account_read(CHAIN_DCL, bytes, size, &account, &fault));
    assert_true(account.exists && account.number == 2 && account.sequence == 1);
    assert_int_equal(account.address[0], 0x11);
    free(bytes);
    bytes = own("balance", &size);
    assert_true(query_balance_read(bytes, size, "ukex", &amount, &fault));
    assert_int_equal(amount, 149999999999900);
    assert_false(query_balance_read(bytes, size, "utest", &amount, &fault));
    free(bytes);
}

static void test_balance_large(void **state)
{
    (void)state;
    static const uint8_t more[] = "\x0a\x1d\x0a\x04ukex\x12\x15"
                                  "999999999999999999999";
    uint64_t amount;
    struct fault fault;
    assert_true(query_balance_read(more, sizeof more - 1, "ukex", &amount, &fault));
    assert_true(amount == UINT64_MAX);
}

/* Texts that a terminal should not get, or that are too long. */
static void test_texts(void **state)
{
    (void)state;
    static const struct {
        const char *given, *shown;
    } rows[] = {{"plain", "plain"},
                {"a\x1b[31mb", "a?[31mb"},
                {"a\nb\x7f", "a?b?"},
                {"\xe2\x80\xae"
                 "abc",
                 "???abc"},
                {"\xc3", "?"},
                {"\xc0\xaf\xed\xa0\x80", "?????"},
                {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
                {"0123456789012345678901234567890123456789012345678901234567890123456789",
                 "012345678901234567890123456789012345678901234567890123456789..."}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[128] = {0x0a, 0, 0x0a};
        size_t length = strlen(rows[i].given);
        struct query_fees fees;
        struct fault fault;
        bytes[1] = (uint8_t)(2 + length);
        bytes[3] = (uint8_t)length;
        memcpy(bytes + 4, rows[i].given, length);
        assert_true(query_fees_read(bytes, 4 + length, &fees, &fault));
        assert_string_equal(fees.fees[0].type, rows[i].shown);
        query_fees_destroy(&fees);
    }
}

/* --- what cannot be true --- */

static void replace(uint8_t *bytes, size_t size, const char *old, const char *new)
{
    size_t length = strlen(old);
    assert_int_equal(length, strlen(new));
    for (size_t i = 0; i + length <= size; i++) {
        if (memcmp(bytes + i, old, length) == 0) {
            memcpy(bytes + i, new, length);
            return;
        }
    }
    fail_msg("%s does not occur", old);
}

static void refused(const char *name, const char *old, const char *new, const char *word)
{
    size_t size;
    struct fault fault = {""};
    uint8_t *bytes = own(name, &size);
    replace(bytes, size, old, new);
    if (query_reader(name)->read(bytes, size, &fault) || !strstr(fault.text, word))
        fail_msg("%s with %s: %s", name, new, fault.text);
    free(bytes);
}

static void test_refused(void **state)
{
    (void)state;
    refused("records", "ACTIVE", "ACTIVO", "validators[0]: status");
    refused("records", "PAUSED", "paused", "validators[1]: status");
    refused("records", "34750F98", "34750F99", "proposer");
    refused("records", "PubKeyEd25519{", "PubKeyEd25518{", "pubkey");
    refused("records", "kiravaloper1", "kiravalopex1", "valkey");
    refused("records", "kira1", "kir41", "address");
    refused("records_dcl", "/cosmos.crypto.ed", "/cosmos.crypto.ex", "pubKey");
    refused("records_dcl", "cosmosvaloper1", "cosmosvalopex1", "owner");
    refused("disabled", "cosmosvaloper1", "cosmosvaloper0", "disabledValidator[0]: address");
    refused("signing", "kiravalcons1", "kiravalcont1", "val_signing_info: address");
    refused("properties", "330000000000000000", "33000000000000000x", "vote_quorum");
    refused("account", "BaseAccount", "BaseAccounx", "BaseAccount");
    refused("balance", "149999999999900", "14999999999990-", "balance.amount");
    refused("balance", "ukex", "ukey", "balance.denom");
}

static void test_too_much(void **state)
{
    (void)state;
    struct fault fault;
    size_t size = QUERY_SIZE_MAX + 1;
    uint8_t *bytes = calloc(size, 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < query_reader_count; i++)
        assert_false(query_readers[i].read(bytes, size, &fault));
    for (size_t i = 0; i < size - 1; i += 2)
        bytes[i] = 0x0a; /* four million empty messages */
    for (size_t i = 0; i < query_reader_count; i++)
        assert_false(query_readers[i].read(bytes, size - 1, &fault));
    free(bytes);
}

/* --- every change of every byte --- */

static void change_all(const struct query_reader *reader, uint8_t *bytes, size_t size)
{
    struct fault fault;
    for (size_t cut = 0; cut < size; cut++)
        (void)!reader->read(bytes, cut, &fault);
    for (size_t at = 0; at < size; at++) {
        uint8_t right = bytes[at];
        for (unsigned mask = 1; mask < 256; mask = size < 600 ? mask + 1 : mask * 2) {
            bytes[at] = right ^ (uint8_t)mask;
            fault.text[0] = '\0';
            if (!reader->read(bytes, size, &fault))
                assert_true(fault.text[0] != '\0');
        }
        bytes[at] = right;
    }
    assert_true(reader->read(bytes, size, &fault));
}

static void test_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < query_reader_count; i++) {
        size_t size;
        uint8_t *bytes = query_bytes(query_readers[i].own, &size);
        uint8_t *exact = malloc(size); /* so that a sanitizer sees every read beyond it */
        assert_non_null(exact);
        memcpy(exact, bytes, size);
        change_all(&query_readers[i], exact, size);
        free(exact);
        free(bytes);
    }
}

/* --- what real nodes have answered --- */

static uint8_t *captured(const char *name, size_t *size)
{
    static char text[FILE_MAX];
    char path[512];
    const char *shared = getenv("STAGGER_SHARED");
    (void)snprintf(path, sizeof path, "%s%s/fixtures/%s", shared ? shared : STAGGER_SOURCE_DIR,
                   shared ? "" : "/../shared", name);
    FILE *file = fopen(path, "rb");
    if (!file)
        skip();
    size_t length = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    struct fault fault;
    struct reply_query reply;
    json_t *tree = rpc_parse(text, length, &fault);
    assert_non_null(tree);
    assert_true(reply_query(json_object_get(tree, "result"), &reply, &fault));
    json_decref(tree);
    uint8_t *bytes = malloc(reply.value_size + 1);
    assert_non_null(bytes);
    if (reply.value_size)
        memcpy(bytes, reply.value, reply.value_size);
    *size = reply.value_size;
    reply_query_destroy(&reply);
    return bytes;
}

static void test_captured(void **state)
{
    (void)state;
    static const struct {
        const char *file, *reader;
    } rows[] = {{"sekai-0.4.13/abci_query_validators.json", "records"},
                {"sekai-0.4.13/abci_query_network_properties.json", "properties"},
                {"sekai-0.4.13/abci_query_all_execution_fees.json", "fees"},
                {"sekai-0.4.13/abci_query_account.json", "account"},
                {"sekai-0.4.13/abci_query_balance.json", "balance"},
                {"sekai-0.4.13/abci_query_current_plan_none.json", "plan"},
                {"sekai-0.4.13/abci_query_next_plan_none.json", "plan"},
                {"dcl-1.5.2/abci_query_validators.json", "records_dcl"},
                {"dcl-1.5.2/abci_query_disabled.json", "disabled"},
                {"dcl-1.5.2/abci_query_current_plan.json", "plan_dcl"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t size;
        struct fault fault;
        uint8_t *bytes = captured(rows[i].file, &size);
        if (!query_reader(rows[i].reader)->read(bytes, size, &fault))
            fail_msg("%s: %s", rows[i].file, fault.text);
        change_all(query_reader(rows[i].reader), bytes, size);
        free(bytes);
    }
}

static void test_captured_values(void **state)
{
    (void)state;
    size_t size;
    struct query_page page;
    struct query_plan plan;
    struct query_account account;
    struct fault fault;
    uint8_t *bytes = captured("sekai-0.4.13/abci_query_validators.json", &size);
    assert_true(query_records_read(CHAIN_KIRA, bytes, size, &page, &fault));
    assert_int_equal(page.count, 5);
    assert_int_equal(page.total, 5);
    assert_string_equal(page.records[2].moniker, "v4");
    assert_int_equal(page.records[2].status, COORD_INACTIVE);
    assert_int_equal(page.records[0].status, COORD_IS_PAUSED);
    assert_int_equal(page.records[0].rank, 190);
    same_hex(page.records[3].consensus, 20, "8f827f2e2905787fbff3f9223b4ac7f2f6bffd49");
    query_page_destroy(&page);
    free(bytes);
    bytes = captured("dcl-1.5.2/abci_query_current_plan.json", &size);
    assert_true(query_plan_read(CHAIN_DCL, bytes, size, &plan, &fault));
    assert_string_equal(plan.name, "p2");
    assert_int_equal(plan.height, 90000);
    free(bytes);
    bytes = captured("sekai-0.4.13/abci_query_account.json", &size);
    assert_true(query_account_read(CHAIN_KIRA, bytes, size, &account, &fault));
    assert_true(account.exists && account.number == 1 && account.sequence == 1);
    free(bytes);
}

/* The list of signing infos holds what a single one holds, each as field 1. */
static void test_captured_signing(void **state)
{
    (void)state;
    size_t size, at = 0;
    int64_t until = 0;
    struct fault fault;
    uint8_t *bytes = captured("sekai-0.4.13/abci_query_signing_infos.json", &size);
    while (at < size && bytes[at] == 0x0a) {
        struct query_signing s;
        size_t length = (size_t)bytes[at + 1] + 2;
        assert_true(query_signing_read(bytes + at, length, &s, &fault));
        until = s.inactive_until_ms > until ? s.inactive_until_ms : until;
        assert_true(s.mischance == 0 || (s.mischance == 111 && s.missed_blocks == 124));
        at += length;
    }
    assert_int_equal(until / 1000, 1795284320);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_records_dcl),
        cmocka_unit_test(test_signing),
        cmocka_unit_test(test_properties),
        cmocka_unit_test(test_decimals),
        cmocka_unit_test(test_fees),
        cmocka_unit_test(test_plan),
        cmocka_unit_test(test_votes),
        cmocka_unit_test(test_ballots),
        cmocka_unit_test(test_account),
        cmocka_unit_test(test_balance_large),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_too_much),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_captured),
        cmocka_unit_test(test_captured_values),
        cmocka_unit_test(test_captured_signing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
