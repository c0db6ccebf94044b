/* What tx_draft() refuses, field by field, and how it says so; the memo of a join. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tx_text.h"

/* A text of this many characters; one buffer, good until the next call. */
static const char *filled(size_t size)
{
    static char text[8192];
    assert_true(size < sizeof text);
    memset(text, 'x', size);
    text[size] = '\0';
    return text;
}

static void refused(const struct tx_request *request, const char *begin)
{
    struct fault fault = tx_text_refused(request);
    if (strncmp(fault.text, begin, strlen(begin)) != 0)
        fail_msg("the fault is \"%s\", it should begin with \"%s\"", fault.text, begin);
}

static void taken(const struct tx_request *request)
{
    size_t size;
    free(tx_text_build(request, &size));
}

static void common_fields(void **state)
{
    (void)state;
    const struct tx_request good = tx_text_request();
    struct tx_request request = good;
    request.gas = 0;
    refused(&request, "gas: 0");
    request.gas = (uint64_t)INT64_MAX + 1;
    refused(&request, "gas: ");
    request.gas = INT64_MAX;
    taken(&request);
    request = good;
    request.public_key[0] = 4;
    refused(&request, "public key: ");
    request = good;
    request.chain_id = "";
    refused(&request, "chain id: 0 bytes");
    request.chain_id = NULL;
    refused(&request, "chain id: 0 bytes");
    request.chain_id = filled(50);
    taken(&request);
    request.chain_id = filled(51);
    refused(&request, "chain id: 51 bytes");
    request.chain_id = "a\nb";
    refused(&request, "chain id: byte 2");
}

static void prefixes(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",   "Kira",        "ki ra",        "kir\xc3\xa4",
                                        NULL, "kiravaloper", "cosmosvalcons"};
    struct tx_request request = tx_text_request();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        request.prefix = wrong[i];
        refused(&request, "prefix: ");
    }
    request.prefix = filled(44); /* 44 + "valoper" + '1' + 32 + 6 = 90 */
    taken(&request);
    request.prefix = filled(45);
    refused(&request, "prefix: ");
    request.prefix = filled(2000);
    refused(&request, "prefix: ");
}

static void memos(void **state)
{
    (void)state;
    struct tx_request request = tx_text_request();
    request.memo = filled(256);
    taken(&request);
    request.memo = filled(257);
    refused(&request, "memo: 257 bytes; expected 0 to 256");
    request.memo = "lines\nand\ttabs, \xf0\x9f\x98\x80 \xe4\xb8\xad";
    taken(&request);
    static const char *const wrong[] = {
        "\x80",         "a\xc3",        "a\xc3z",           "\xc0\x80",
        "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
        "\xff"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        request.memo = wrong[i];
        refused(&request, "memo: byte ");
    }
}

static void fees(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "uk", "1kex", "u kex", "uk\xc3\xa4x"};
    struct tx_request request = tx_text_request();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        request.fee_denom = wrong[i];
        refused(&request, "fee denom: ");
    }
    request.fee_denom = filled(128);
    taken(&request);
    request.fee_denom = filled(129);
    refused(&request, "fee denom: ");
    request.fee_denom = "ukex";
    request.fee_amount = 0;
    size_t size;
    struct tx_decoded tx;
    struct fault fault;
    uint8_t *raw = tx_text_build(&request, &size);
    assert_true(tx_decode(raw, size, &tx, &fault));
    assert_int_equal(tx.fee_count, 0);
    tx_decoded_destroy(&tx);
    free(raw);
}

static void joins(void **state)
{
    (void)state;
    uint8_t key[32] = {0};
    struct tx_request request = tx_text_request();
    request.action = TX_DO_JOIN;
    refused(&request, "memo: a join writes its own"); /* neither */
    request.class_minutes = 1;
    taken(&request);
    request.memo = "also this";
    refused(&request, "memo: a join writes its own"); /* both */
    request.class_minutes = 0;
    taken(&request); /* the carrier with another memo */
    request.memo = NULL;
    request.class_minutes = 241;
    refused(&request, "class: 241 minutes; expected 1 to 240");
    request.class_minutes = 240;
    request.fee_denom = NULL;
    refused(&request, "fee denom: missing");
    request.chain = CHAIN_DCL;
    refused(&request, "consensus key: missing");
    request.consensus_key = key;
    refused(&request, "moniker: 0 bytes");
    request.moniker = filled(70);
    taken(&request);
    request.moniker = filled(71);
    refused(&request, "moniker: 71 bytes");
}

static void votes(void **state)
{
    (void)state;
    struct tx_request request = tx_text_request();
    request.action = TX_DO_VOTE;
    request.option = 1;
    refused(&request, "proposal: 0");
    request.proposal = 1;
    taken(&request);
    request.option = 0;
    refused(&request, "option: 0");
    request.option = 5;
    refused(&request, "option: 5");
}

static void actions_of_the_other_chain(void **state)
{
    static const struct {
        enum chain_kind chain;
        enum tx_action action;
    } wrong[] = {{CHAIN_DCL, TX_DO_ACTIVATE},        {CHAIN_DCL, TX_DO_VOTE},
                 {CHAIN_DCL, TX_DO_CANCEL_UPGRADE},  {CHAIN_KIRA, TX_DO_APPROVE_UPGRADE},
                 {CHAIN_KIRA, TX_DO_REJECT_UPGRADE}, {CHAIN_KIRA, (enum tx_action)99}};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct tx_request request = tx_text_request();
        request.chain = wrong[i].chain;
        request.action = wrong[i].action;
        refused(&request, wrong[i].chain == CHAIN_DCL ? "action: DCL" : "action: KIRA");
    }
}

static struct tx_plan kira_plan(void)
{
    return (struct tx_plan){
        .name = "up1", .upgrade_time = 1800000000, .old_chain_id = "a-1", .new_chain_id = "a-2"};
}

static struct tx_request proposal(const struct tx_plan *plan)
{
    struct tx_request request = tx_text_request();
    request.action = TX_DO_SUBMIT_UPGRADE;
    request.title = "title";
    request.plan = plan;
    return request;
}

static void kira_proposals(void **state)
{
    (void)state;
    struct tx_plan plan = kira_plan();
    struct tx_request request = proposal(&plan);
    taken(&request);
    request.title = NULL;
    refused(&request, "title: 0 bytes");
    request.title = filled(129);
    refused(&request, "title: 129 bytes");
    request.title = "title";
    request.description = filled(1025);
    refused(&request, "description: 1025 bytes");
    request.description = filled(1024);
    taken(&request);
    request.plan = NULL;
    refused(&request, "plan: missing");
    request.plan = &plan;
    plan.name = "";
    refused(&request, "plan's name: 0 bytes");
    plan.name = filled(128);
    refused(&request, "plan's name: 128 bytes");
}

static void kira_plans(void **state)
{
    (void)state;
    struct tx_plan plan = kira_plan();
    struct tx_request request = proposal(&plan);
    plan.upgrade_time = 0;
    refused(&request, "plan's upgrade time: 0");
    plan = kira_plan();
    plan.max_enrolment_s = -1;
    refused(&request, "plan's max_enrolment_duration: -1");
    plan = kira_plan();
    plan.old_chain_id = NULL;
    refused(&request, "plan's old chain id: 0");
    plan = kira_plan();
    plan.new_chain_id = filled(51);
    refused(&request, "plan's new chain id: 51");
    plan = kira_plan();
    plan.rollback_checksum = filled(129);
    refused(&request, "plan's rollback checksum: 129");
    plan = kira_plan();
    plan.memo = filled(1025);
    refused(&request, "plan's memo: 1025");
}

static void resources(void **state)
{
    (void)state;
    struct tx_resource list[TX_RESOURCES_MAX + 1];
    struct tx_plan plan = kira_plan();
    struct tx_request request = proposal(&plan);
    for (size_t i = 0; i <= TX_RESOURCES_MAX; i++)
        list[i] = (struct tx_resource){"sekai", "https://example.org", "v1", NULL};
    plan.resources = list;
    plan.resource_count = TX_RESOURCES_MAX;
    taken(&request);
    plan.resource_count++;
    refused(&request, "plan: 33 resources; at most 32");
    plan.resource_count = 2;
    list[1].id = NULL;
    refused(&request, "plan: resource id: 0 bytes");
    list[1].id = "x";
    list[1].url = filled(512);
    refused(&request, "plan: resource url: 512 bytes");
    list[1].url = NULL;
    list[1].version = "v\x01";
    refused(&request, "plan: resource version: byte 2");
    list[1].version = NULL;
    list[1].checksum = filled(129);
    refused(&request, "plan: resource checksum: 129 bytes");
}

static void dcl_plans(void **state)
{
    (void)state;
    struct tx_plan plan = {.name = "v2", .height = 0};
    struct tx_request request = proposal(&plan);
    request.chain = CHAIN_DCL;
    refused(&request, "plan's height: 0");
    plan.height = 1;
    taken(&request);
    plan.info = filled(2048);
    refused(&request, "plan's info: 2048");
    plan.info = NULL;
    request.description = filled(4097);
    refused(&request, "info: 4097");
    request.action = TX_DO_APPROVE_UPGRADE;
    refused(&request, "info: 4097");
    request.description = filled(4096);
    plan.height = 0; /* votes name the plan only */
    taken(&request);
}

/* The largest request that is let through fits into the memory set aside for building. */
static void the_largest_fits(void **state)
{
    (void)state;
    char url[512], name[64], sum[129];
    struct tx_resource list[TX_RESOURCES_MAX];
    struct tx_plan plan = kira_plan();
    struct tx_request request = proposal(&plan);
    memcpy(url, filled(511), sizeof url);
    memcpy(name, filled(63), sizeof name);
    memcpy(sum, filled(128), sizeof sum);
    for (size_t i = 0; i < TX_RESOURCES_MAX; i++)
        list[i] = (struct tx_resource){name, url, name, sum};
    plan.resources = list;
    plan.resource_count = TX_RESOURCES_MAX;
    plan.rollback_checksum = request.title = sum;
    request.description = plan.memo = filled(1024);
    taken(&request);
}

/* --- memos --- */

struct memo_case {
    const char *memo;
    bool join, foreign;
    uint32_t class_minutes, charter;
};

static const struct memo_case memo_cases[] = {
    {"stagger/join/1 1 00000000", true, false, 1, 0},
    {"stagger/join/1 240 ffffffff", true, false, 240, 0xffffffff},
    {"stagger/join/1 17 0123abcd", true, false, 17, 0x0123abcd},
    {"stagger/join/1 0 0123abcd", true, true, 1, 0},
    {"stagger/join/1 241 0123abcd", true, true, 1, 0},
    {"stagger/join/1 05 0123abcd", true, true, 1, 0},
    {"stagger/join/1 1000 0123abcd", true, true, 1, 0},
    {"stagger/join/1 4294967297 0123abcd", true, true, 1, 0},
    {"stagger/join/1 -5 0123abcd", true, true, 1, 0},
    {"stagger/join/1 5 0123ABCD", true, true, 1, 0},
    {"stagger/join/1 5 0123abc", true, true, 1, 0},
    {"stagger/join/1 5 0123abcde", true, true, 1, 0},
    {"stagger/join/1 5 0123abcg", true, true, 1, 0},
    {"stagger/join/1 5 0123abcd ", true, true, 1, 0},
    {"stagger/join/1 5 0123abcd\n", true, true, 1, 0},
    {"stagger/join/1  5 0123abcd", true, true, 1, 0},
    {"stagger/join/1 5  0123abcd", true, true, 1, 0},
    {"stagger/join/1\t5 0123abcd", true, true, 1, 0},
    {"stagger/join/1 5", true, true, 1, 0},
    {"stagger/join/1 5 ", true, true, 1, 0},
    {"stagger/join/1 ", true, true, 1, 0},
    {"stagger/join/1", true, true, 1, 0},
    {"stagger/join/2 5 0123abcd", true, true, 1, 0},
    {"stagger/join/", true, true, 1, 0},
    {"stagger/join", false, false, 1, 0},
    {"stagger/Join/1 5 0123abcd", false, false, 1, 0},
    {" stagger/join/1 5 0123abcd", false, false, 1, 0},
    {"", false, false, 1, 0},
};

static void memos_of_joins(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof memo_cases / sizeof memo_cases[0]; i++) {
        const struct memo_case *want = &memo_cases[i];
        struct memo_case got = {.memo = want->memo};
        size_t size = strlen(want->memo);
        char *exact = malloc(size > 0 ? size : 1); /* without a terminator */
        assert_non_null(exact);
        memcpy(exact, want->memo, size);
        got.join = tx_join_memo(exact, size, &got.class_minutes, &got.charter, &got.foreign);
        if (got.join != want->join || got.foreign != want->foreign ||
            got.class_minutes != want->class_minutes || got.charter != want->charter)
            fail_msg("\"%s\" was read as join %d, foreign %d, class %" PRIu32
                     ", charter %08" PRIx32,
                     want->memo, got.join, got.foreign, got.class_minutes, got.charter);
        free(exact);
    }
}

static void memos_are_written_and_read(void **state)
{
    (void)state;
    for (uint32_t class_minutes = CLASS_MIN; class_minutes <= CLASS_MAX; class_minutes++) {
        char memo[TX_JOIN_MEMO_MAX];
        uint32_t charter = class_minutes * 0x9e3779b1u, class_read, charter_read;
        bool foreign;
        tx_join_memo_text(class_minutes, charter, memo);
        assert_true(tx_join_memo(memo, strlen(memo), &class_read, &charter_read, &foreign));
        assert_true(!foreign && class_read == class_minutes && charter_read == charter);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(common_fields),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(memos),
        cmocka_unit_test(fees),
        cmocka_unit_test(joins),
        cmocka_unit_test(votes),
        cmocka_unit_test(actions_of_the_other_chain),
        cmocka_unit_test(kira_proposals),
        cmocka_unit_test(kira_plans),
        cmocka_unit_test(resources),
        cmocka_unit_test(dcl_plans),
        cmocka_unit_test(the_largest_fits),
        cmocka_unit_test(memos_of_joins),
        cmocka_unit_test(memos_are_written_and_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
