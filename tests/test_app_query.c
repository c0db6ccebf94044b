/* Answers of the devnet's application to abci_query: what the daemon's own readers make of them, and the captured
 * replies of running networks, byte by byte where everything in them is known, else field by field. */
#include "proto/encoding.h"
#include "proto/query.h"
#include "tests/app_world.h"

#define KIRA_FIXTURES "sekai-0.4.13"
#define DCL_FIXTURES "dcl-1.5.2"

/* --- captured replies --- */

/* "value" of the captured reply; skips the test when there are none here. The caller frees it. */
static uint8_t *captured(const char *folder, const char *name, size_t *size)
{
    const char *shared = getenv("STAGGER_SHARED");
    char path[1024], text[1 << 16], *value, *end;
    snprintf(path, sizeof path, "%s/fixtures/%s/abci_query_%s.json",
             shared ? shared : STAGGER_SOURCE_DIR "/../shared", folder, name);
    FILE *file = fopen(path, "r");
    if (!file)
        skip();
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    value = strstr(text, "\"value\":");
    assert_non_null(value);
    value = strchr(value + 8, '"') + 1;
    end = strchr(value, '"');
    uint8_t *bytes = malloc((size_t)(end - value) + 4);
    assert_true(
        base64_decode(value, (size_t)(end - value), bytes, (size_t)(end - value) + 4, size));
    return bytes;
}

/* --- shapes: the paths of all fields in a message, each once, in order of their first appearance --- */

struct shape {
    char paths[64][32];
    uint32_t count;
};

static uint64_t varint(const uint8_t **at, const uint8_t *end)
{
    uint64_t value = 0;
    for (uint32_t shift = 0; *at < end; shift += 7) {
        uint8_t byte = *(*at)++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    fail_msg("a cut number");
    return 0;
}

static void shape_note(struct shape *shape, const char *path)
{
    for (uint32_t i = 0; i < shape->count; i++) {
        if (strcmp(shape->paths[i], path) == 0)
            return;
    }
    assert_true(shape->count < 64);
    strcpy(shape->paths[shape->count++], path);
}

/* `nested` names the fields that are messages: "1 1.10 3". */
static bool is_nested(const char *nested, const char *path)
{
    char word[40];
    snprintf(word, sizeof word, " %s ", path);
    return strstr(nested, word) != NULL;
}

static void shape_read(struct shape *shape, const uint8_t *bytes, size_t size, const char *before,
                       const char *nested)
{
    const uint8_t *at = bytes, *end = bytes + size;
    while (at < end) {
        uint64_t tag = varint(&at, end), value = varint(&at, end);
        char path[32];
        snprintf(path, sizeof path, "%s%s%u", before, *before ? "." : "", (unsigned)(tag >> 3));
        shape_note(shape, path);
        if ((tag & 7) != 2)
            continue;
        assert_true(value <= (uint64_t)(end - at));
        if (is_nested(nested, path))
            shape_read(shape, at, (size_t)value, path, nested);
        at += value;
    }
}

static void assert_same_shape(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                              const char *nested)
{
    struct shape x = {0}, y = {0};
    shape_read(&x, a, a_size, "", nested);
    shape_read(&y, b, b_size, "", nested);
    for (uint32_t i = 0; i < x.count; i++) {
        uint32_t k = 0;
        while (k < y.count && strcmp(x.paths[i], y.paths[k]) != 0)
            k++;
        if (k == y.count)
            fail_msg("field %s is missing", x.paths[i]);
    }
    for (uint32_t i = 0; i < y.count; i++) {
        uint32_t k = 0;
        while (k < x.count && strcmp(y.paths[i], x.paths[k]) != 0)
            k++;
        if (k == x.count)
            fail_msg("field %s is too many", y.paths[i]);
    }
}

static struct app_answer ask(const struct app_world *w, const struct query *query)
{
    return world_ask(w, query->path, query->request, query->size);
}

/* A world in which one record of each kind stands: PAUSED, INACTIVE, the others ACTIVE. */
static void mixed_start(struct app_world *w)
{
    app_world_start(w, CHAIN_KIRA, 5, 1);
    w->genesis.proposal_end_s = 20;
    w->genesis.proposal_enactment_s = 5;
    w->genesis.time_ms += 123;
    app_world_begin(w);
    app_world_run(w, 3);
    w->missing[w->missing_count++] = 4;
    app_world_run(w, 125);
    assert_int_equal(world_do(w, tx_pause(w, 1)), 0);
    app_world_run(w, 2);
}

/* --- KIRA --- */

/* Everything in it is known: byte by byte. */
static void test_properties(void **state)
{
    static const char known[] =
        "Cr8DCGQQwIQ9GhIzMzAwMDAwMDAwMDAwMDAwMDAgFCgFMAI4AUABSApQblgKYhI1MDAwMDAwMDAwMDAwMDAwMDBo"
        "AXDAhD142ASIAQGQAcgBmgEQbW9uaWtlcix1c2VybmFtZaABgJvuAqoBEjUwMDAwMDAwMDAwMDAwMDAwMLIBEjE4"
        "MDAwMDAwMDAwMDAwMDAwMLgB4I+GD8ABqMGgAcgBZNABCtgBqMGgAeIBEjI1MDAwMDAwMDAwMDAwMDAwMOoBEDUw"
        "MDAwMDAwMDAwMDAwMDDwAcgB+AEKgAKAQIgCAZACApgCoI0GoAKAowWoAgqwAsBwuALgpxLCAhIzNTAwMDAwMDAw"
        "MDAwMDAwMDDIAoAB0AKACNgCQOACgAHoAoAE8AKAAfgCwIQ9gAOAreIEiAOA0NvD9AKQA4DUkwGYA4D1JKIDEDEw"
        "MDAwMDAwMDAwMDAwMDCoAzywAwG4AwrCAxIxMDAwMDAwMDAwMDAwMDAwMDDKAxIxMDAwMDAwMDAwMDAwMDAwMDDQ"
        "A4CA6YOx3hbYA4CA6YOx3hbiAxIzMzQwMDAwMDAwMDAwMDAwMDDoA4CHAfAD2AT6AwR0ZXN0";
    struct app_world w;
    struct query query;
    struct query_properties read;
    struct fault fault;
    uint8_t expected[1024];
    size_t size;
    (void)state;
    mixed_start(&w);
    assert_true(base64_decode(known, strlen(known), expected, sizeof expected, &size));
    query_properties(&query);
    struct app_answer answer = ask(&w, &query);
    assert_int_equal(answer.size, size);
    assert_memory_equal(answer.value, expected, size);
    assert_int_equal(answer.height, (int64_t)w.height);
    assert_true(query_properties_read(answer.value, answer.size, &read, &fault));
    assert_int_equal(read.minimum_proposal_end_time_s, 20);
    assert_string_equal(read.vote_quorum, "0.330000000000000000");
    app_answer_clear(&answer);
    app_world_end(&w);
}

static void test_poor_messages_and_fees(void **state)
{
    struct app_world w;
    struct query query;
    struct query_fees fees;
    struct fault fault;
    size_t size;
    uint8_t *expected = captured(KIRA_FIXTURES, "poor_network_messages", &size);
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    app_world_run(&w, 1);
    struct app_answer answer = world_ask(&w, "/kira.gov.Query/PoorNetworkMessages", NULL, 0);
    assert_int_equal(answer.size, size);
    assert_memory_equal(answer.value, expected, size);
    app_answer_clear(&answer);
    free(expected);
    expected = captured(KIRA_FIXTURES, "all_execution_fees", &size);
    query_fees(&query);
    answer = ask(&w, &query);
    assert_int_equal(answer.size, size); /* the types stand in any order */
    assert_memory_equal(answer.value, expected, 225);
    assert_true(query_fees_read(answer.value, answer.size, &fees, &fault));
    assert_int_equal(fees.count, 9);
    assert_string_equal(fees.fees[0].type, "activate");
    assert_int_equal(fees.fees[0].failure, 1000);
    query_fees_destroy(&fees);
    app_answer_clear(&answer);
    free(expected);
    answer = world_ask(&w, "/kira.gov.Query/ExecutionFee", (const uint8_t *)"\x0a\x05pause", 7);
    assert_memory_equal(answer.value, "\x0a\x0d\x0a\x05pause\x10\x64\x18\x64\x20\x0a", 15);
    app_answer_clear(&answer);
    app_world_end(&w);
}

static void test_records(void **state)
{
    struct app_world w;
    struct query query;
    struct query_page page;
    struct fault fault;
    (void)state;
    mixed_start(&w);
    query_records(CHAIN_KIRA, NULL, 0, &query);
    struct app_answer answer = ask(&w, &query);
    assert_true(query_records_read(CHAIN_KIRA, answer.value, answer.size, &page, &fault));
    assert_int_equal(page.count, 5);
    assert_int_equal(page.total, 5);
    assert_int_equal(page.next_key_size, 0);
    uint32_t paused = 0, inactive = 0;
    for (uint32_t i = 0; i < page.count; i++) {
        paused += page.records[i].status == COORD_IS_PAUSED;
        inactive += page.records[i].status == COORD_INACTIVE;
        if (i > 0)
            assert_true(memcmp(page.records[i - 1].account, page.records[i].account,
                               ACCOUNT_ADDRESS_SIZE) < 0);
    }
    assert_int_equal(paused, 1);
    assert_int_equal(inactive, 1);
    query_page_destroy(&page);
    size_t size;
    uint8_t *expected = captured(KIRA_FIXTURES, "validators", &size);
    assert_same_shape(expected, size, answer.value, answer.size, " 1 1.10 1.10.5 3 ");
    free(expected);
    app_answer_clear(&answer);
    app_world_end(&w);
}

/* Pages of a raw request; returns how many records, and the next key. */
static uint32_t page_count(const struct app_world *w, const uint8_t *request, size_t size,
                           struct query_page *page)
{
    struct fault fault;
    struct app_answer answer = world_ask(w, "/kira.staking.Query/Validators", request, size);
    assert_true(query_records_read(CHAIN_KIRA, answer.value, answer.size, page, &fault));
    app_answer_clear(&answer);
    return page->count;
}

static void test_pages_and_filters(void **state)
{
    static const char wrong[] = "\x2a\x06JAILED";
    struct app_world w;
    struct query query;
    struct query_page page, rest;
    uint8_t request[64] = {0x3a, 26, 0x0a, 20};
    (void)state;
    mixed_start(&w);
    assert_int_equal(page_count(&w, (const uint8_t *)"\x3a\x04\x18\x02\x20\x01", 6, &page), 2);
    assert_int_equal(page.total, 5);
    assert_int_equal(page.next_key_size, 20);
    memcpy(request + 4, page.next_key, 20);
    memcpy(request + 24, "\x18\x02\x20\x01", 4);
    assert_int_equal(page_count(&w, request, 28, &rest), 2);
    assert_memory_equal(rest.records[0].account, page.next_key, 20);
    assert_int_equal(rest.total, 0);
    memcpy(request + 4, rest.next_key, 20);
    query_page_destroy(&rest);
    assert_int_equal(page_count(&w, request, 28, &rest), 1);
    assert_int_equal(rest.next_key_size, 0);
    query_page_destroy(&rest);
    query_page_destroy(&page);
    /* offset 3, reverse */
    assert_int_equal(page_count(&w, (const uint8_t *)"\x3a\x06\x10\x03\x18\x09\x28\x01", 8, &page),
                     2);
    assert_true(memcmp(page.records[0].account, page.records[1].account, 20) > 0);
    query_page_destroy(&page);
    assert_int_equal(page_count(&w, (const uint8_t *)"\x2a\x06paused", 8, &page), 1);
    assert_string_equal(page.records[0].moniker, "v1");
    query_page_destroy(&page);
    assert_int_equal(page_count(&w, (const uint8_t *)"\x22\x02v3", 4, &page), 1);
    query_page_destroy(&page);
    assert_int_equal(page_count(&w, (const uint8_t *)"\x22\x02v9", 4, &page), 0);
    query_page_destroy(&page);
    char address[BECH32_TEXT_MAX];
    world_address(&w, 2, "", address);
    query_record(CHAIN_KIRA, address, &query);
    assert_int_equal(page_count(&w, query.request, query.size, &page), 1);
    assert_string_equal(page.records[0].moniker, "v2");
    query_page_destroy(&page);
    struct app_answer answer;
    app_query(w.app, "/kira.staking.Query/Validators", (const uint8_t *)wrong, sizeof wrong - 1, 0,
              &answer);
    assert_refused(answer, 18, "sdk",
                   "rpc error: code = InvalidArgument desc = invalid validator status JAILED: "
                   "invalid request");
    app_answer_clear(&answer);
    /* both an offset and a key */
    memcpy(request + 24, "\x10\x02\x20\x01", 4);
    app_query(w.app, "/kira.staking.Query/Validators", request, 28, 0, &answer);
    assert_int_equal(answer.code, 18);
    app_answer_clear(&answer);
    app_world_end(&w);
}

static void test_signing_infos(void **state)
{
    struct app_world w;
    struct query query;
    struct query_signing read;
    struct fault fault;
    char text[BECH32_TEXT_MAX];
    size_t size;
    (void)state;
    mixed_start(&w);
    assert_true(bech32_encode("kiravalcons", model_record(app_model(w.app), 4)->address, 20, text));
    query_signing(text, &query);
    struct app_answer answer = ask(&w, &query);
    assert_true(query_signing_read(answer.value, answer.size, &read, &fault));
    assert_int_equal(read.mischance, 111);
    assert_int_equal(read.mischance_confidence, 10);
    assert_int_equal(read.last_present_block, 3);
    assert_true(read.inactive_until_ms > w.time_ms);
    app_answer_clear(&answer);
    text[20] ^= 1;
    query_signing(text, &query);
    app_query(w.app, query.path, query.request, query.size, 0, &answer);
    assert_int_equal(answer.code, 18);
    app_answer_clear(&answer);
    answer = world_ask(&w, "/kira.slashing.Query/SigningInfos", (const uint8_t *)"\x10\x01", 2);
    app_answer_clear(&answer);
    answer = world_ask(&w, "/kira.slashing.Query/SigningInfos", NULL, 0);
    uint8_t *expected = captured(KIRA_FIXTURES, "signing_infos", &size);
    assert_same_shape(expected, size, answer.value, answer.size, " 1 1.3 3 ");
    free(expected);
    app_answer_clear(&answer);
    app_world_end(&w);
}

static void test_account_and_balance(void **state)
{
    struct app_world w;
    struct query query;
    struct query_account read;
    struct fault fault;
    char text[BECH32_TEXT_MAX];
    uint64_t amount;
    size_t size;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    assert_int_equal(world_do(&w, tx_pause(&w, 1)), 0);
    world_address(&w, 1, "", text);
    query_account(CHAIN_KIRA, text, &query);
    struct app_answer answer = ask(&w, &query);
    assert_true(query_account_read(CHAIN_KIRA, answer.value, answer.size, &read, &fault));
    assert_true(read.exists);
    assert_int_equal(read.number, 1);
    assert_int_equal(read.sequence, 1);
    uint8_t *expected = captured(KIRA_FIXTURES, "account", &size);
    assert_same_shape(expected, size, answer.value, answer.size, " 1 1.2 1.2.2 1.2.2.2 ");
    free(expected);
    app_answer_clear(&answer);
    query_balance(text, "ukex", &query);
    answer = ask(&w, &query);
    assert_memory_equal(answer.value,
                        "\x0a\x17\x0a\x04ukex\x12\x0f"
                        "149999999999900",
                        25);
    assert_true(query_balance_read(answer.value, answer.size, "ukex", &amount, &fault));
    app_answer_clear(&answer);
    query_balance(text, "lol", &query);
    answer = ask(&w, &query);
    assert_true(query_balance_read(answer.value, answer.size, "lol", &amount, &fault));
    assert_int_equal(amount, 0);
    app_answer_clear(&answer);
    world_address(&w, 60, "", text);
    query_account(CHAIN_KIRA, text, &query);
    app_query(w.app, query.path, query.request, query.size, 0, &answer);
    assert_int_equal(answer.code, 22);
    assert_string_equal(answer.codespace, "sdk");
    app_answer_clear(&answer);
    app_world_end(&w);
}

static void test_paths_and_heights(void **state)
{
    struct app_world w;
    struct app_answer answer;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    app_query(w.app, "/kira.gov.Query/NetworkProperties", NULL, 0, 0, &answer);
    assert_int_equal(answer.code, 26); /* no block yet */
    app_answer_clear(&answer);
    app_world_run(&w, 3);
    app_query(w.app, "/kira.gov.Query/Nothing", NULL, 0, 0, &answer);
    assert_refused(answer, 6, "sdk", "unknown query path: unknown request");
    assert_int_equal(answer.height, 0);
    assert_null(answer.value);
    app_answer_clear(&answer);
    static const struct {
        int64_t height;
        uint32_t code;
    } cases[] = {{3, 0}, {0, 0}, {4, 26}, {-1, 26}, {2, 18}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        app_query(w.app, "/kira.gov.Query/NetworkProperties", NULL, 0, cases[i].height, &answer);
        assert_int_equal(answer.code, cases[i].code);
        app_answer_clear(&answer);
    }
    app_query(w.app, "/kira.staking.Query/Validators", (const uint8_t *)"\x3a\x7f", 2, 0, &answer);
    assert_int_equal(answer.code, 18);
    app_answer_clear(&answer);
    app_world_end(&w);
}

static void test_proposals_and_plans(void **state)
{
    struct app_world w;
    struct query query;
    struct query_plan plan;
    struct query_votes votes;
    struct query_ballots ballots;
    struct fault fault;
    uint8_t(*voters)[ACCOUNT_ADDRESS_SIZE];
    uint32_t count;
    (void)state;
    app_world_start(&w, CHAIN_KIRA, 4, 1);
    app_world_run(&w, 1);
    query_plan(CHAIN_KIRA, true, &query);
    struct app_answer answer = ask(&w, &query);
    assert_int_equal(answer.size, 0); /* no plan: no bytes */
    app_answer_clear(&answer);
    int64_t when = w.time_ms / 1000 + 20;
    assert_int_equal(world_do(&w, tx_upgrade(&w, 0, "up1", when, true)), 0);
    for (uint32_t v = 0; v < 4; v++)
        world_add(&w, tx_vote(&w, v, 1, v < 3 ? 1 : 3));
    app_world_run(&w, 1);
    query_votes(1, &query);
    answer = ask(&w, &query);
    assert_true(query_votes_read(answer.value, answer.size, &votes, &fault));
    assert_int_equal(votes.count, 4);
    query_votes_destroy(&votes);
    app_answer_clear(&answer);
    query_voters(1, &query);
    answer = ask(&w, &query);
    assert_true(query_voters_read(answer.value, answer.size, &voters, &count, &fault));
    assert_int_equal(count, 4);
    free(voters);
    app_answer_clear(&answer);
    query_ballots(CHAIN_KIRA, &query);
    answer = ask(&w, &query);
    assert_true(query_ballots_read(CHAIN_KIRA, answer.value, answer.size, &ballots, &fault));
    assert_int_equal(ballots.count, 1);
    assert_string_equal(ballots.ballots[0].plan.name, "up1");
    assert_int_equal(ballots.ballots[0].plan.proposal, 1);
    query_ballots_destroy(&ballots);
    app_answer_clear(&answer);
    answer = world_ask(&w, "/kira.gov.Query/Proposal", (const uint8_t *)"\x08\x01", 2);
    app_answer_clear(&answer);
    app_world_run(&w, 8);
    query_plan(CHAIN_KIRA, true, &query);
    answer = ask(&w, &query);
    assert_true(query_plan_read(CHAIN_KIRA, answer.value, answer.size, &plan, &fault));
    assert_true(plan.present && plan.instate && plan.skip_handler);
    assert_int_equal(plan.upgrade_time_s, when);
    assert_string_equal(plan.resources[0].id, "sekai");
    assert_false(plan.processed_no_vote_validators);
    app_answer_clear(&answer);
    app_world_run(&w, 20);
    answer = ask(&w, &query);
    assert_int_equal(answer.size, 0);
    app_answer_clear(&answer);
    query_plan(CHAIN_KIRA, false, &query);
    answer = ask(&w, &query);
    assert_true(query_plan_read(CHAIN_KIRA, answer.value, answer.size, &plan, &fault));
    assert_true(plan.present && plan.processed_no_vote_validators);
    app_answer_clear(&answer);
    app_query(w.app, "/kira.gov.Query/Proposal", (const uint8_t *)"\x08\x09", 2, 0, &answer);
    assert_refused(answer, 18, "sdk",
                   "proposal does not exist for 9: error getting proposals: invalid request");
    app_answer_clear(&answer);
    app_world_end(&w);
}

/* --- DCL --- */

#define VALIDATOR_QUERY "/zigbeealliance.distributedcomplianceledger.validator.Query/"
#define UPGRADE_QUERY "/zigbeealliance.distributedcomplianceledger.dclupgrade.Query/"

static void test_dcl_validators(void **state)
{
    struct app_world w;
    struct query query;
    struct query_page page;
    struct fault fault;
    char valoper[BECH32_TEXT_MAX];
    uint8_t key[QUERY_KEY_MAX];
    size_t size, key_size;
    (void)state;
    app_world_start(&w, CHAIN_DCL, 4, 1);
    app_world_run(&w, 1);
    query_records(CHAIN_DCL, NULL, 0, &query);
    struct app_answer answer = ask(&w, &query);
    uint8_t *expected = captured(DCL_FIXTURES, "validators", &size);
    assert_same_shape(expected, size, answer.value, answer.size, " 1 1.2 1.3 1.3.2 2 ");
    free(expected);
    app_answer_clear(&answer);
    query_disabled(NULL, 0, &query);
    answer = ask(&w, &query);
    assert_int_equal(answer.size, 2);
    assert_memory_equal(answer.value, "\x12\x00", 2);
    app_answer_clear(&answer);
    assert_int_equal(world_do(&w, tx_pause(&w, 3)), 0);
    assert_int_equal(world_do(&w, tx_disable_act(&w, 0, "Propose", 2)), 0);
    answer = world_ask(&w, VALIDATOR_QUERY "ProposedDisableValidatorAll", NULL, 0);
    assert_true(answer.size > 50);
    app_answer_clear(&answer);
    assert_int_equal(world_do(&w, tx_disable_act(&w, 1, "Approve", 2)), 0);
    query_records(CHAIN_DCL, NULL, 0, &query);
    answer = ask(&w, &query);
    assert_true(query_records_read(CHAIN_DCL, answer.value, answer.size, &page, &fault));
    app_answer_clear(&answer);
    query_disabled(NULL, 0, &query);
    answer = ask(&w, &query);
    assert_true(query_disabled_read(answer.value, answer.size, page.records, page.count, key,
                                    &key_size, &fault));
    uint32_t by_admin = 0, by_trustees = 0;
    for (uint32_t i = 0; i < page.count; i++) {
        bool paused = page.records[i].status == COORD_IS_PAUSED;
        by_admin += paused && !page.records[i].by_trustees;
        by_trustees += paused && page.records[i].by_trustees;
    }
    assert_int_equal(by_admin, 1);
    assert_int_equal(by_trustees, 1);
    query_page_destroy(&page);
    app_answer_clear(&answer);
    world_address(&w, 2, "valoper", valoper);
    query_disabled_one(valoper, &query);
    answer = ask(&w, &query);
    app_answer_clear(&answer);
    query_record(CHAIN_DCL, valoper, &query);
    answer = ask(&w, &query);
    app_answer_clear(&answer);
    world_address(&w, 0, "valoper", valoper);
    query_disabled_one(valoper, &query);
    app_query(w.app, query.path, query.request, query.size, 0, &answer);
    assert_refused(answer, 22, "sdk", "rpc error: code = NotFound desc = not found: key not found");
    app_answer_clear(&answer);
    answer = world_ask(&w, VALIDATOR_QUERY "LastValidatorPowerAll", NULL, 0);
    app_answer_clear(&answer);
    app_world_end(&w);
}

static void test_dcl_upgrades_and_accounts(void **state)
{
    struct app_world w;
    struct query query;
    struct query_plan plan;
    struct query_ballots ballots;
    struct query_account account;
    struct fault fault;
    char text[BECH32_TEXT_MAX];
    (void)state;
    app_world_start(&w, CHAIN_DCL, 4, 1);
    app_world_run(&w, 1);
    query_plan(CHAIN_DCL, true, &query);
    struct app_answer answer = ask(&w, &query);
    assert_int_equal(answer.size, 0);
    app_answer_clear(&answer);
    assert_int_equal(world_do(&w, tx_upgrade_act(&w, 0, "Propose", "p1", 70)), 0);
    query_ballots(CHAIN_DCL, &query);
    answer = ask(&w, &query);
    assert_true(query_ballots_read(CHAIN_DCL, answer.value, answer.size, &ballots, &fault));
    assert_int_equal(ballots.count, 1);
    assert_int_equal(ballots.ballots[0].votes.count, 1);
    query_ballots_destroy(&ballots);
    app_answer_clear(&answer);
    assert_int_equal(world_do(&w, tx_upgrade_act(&w, 1, "Approve", "p1", 0)), 0);
    query_plan(CHAIN_DCL, true, &query);
    answer = ask(&w, &query);
    assert_memory_equal(answer.value,
                        "\x0a\x1e\x0a\x02p1\x12\x0b\x08\x80\x92\xb8\xc3\x98\xfe\xff\xff\xff\x01"
                        "\x18\x46\x22\x09plan info",
                        32);
    assert_int_equal(answer.size, 32);
    assert_true(query_plan_read(CHAIN_DCL, answer.value, answer.size, &plan, &fault));
    assert_int_equal(plan.height, 70);
    app_answer_clear(&answer);
    answer = world_ask(&w, UPGRADE_QUERY "ApprovedUpgrade", (const uint8_t *)"\x0a\x02p1", 4);
    app_answer_clear(&answer);
    answer = world_ask(&w, UPGRADE_QUERY "RejectedUpgradeAll", NULL, 0);
    assert_int_equal(answer.size, 2);
    app_answer_clear(&answer);
    world_address(&w, 1, "", text);
    query_account(CHAIN_DCL, text, &query);
    answer = ask(&w, &query);
    assert_true(query_account_read(CHAIN_DCL, answer.value, answer.size, &account, &fault));
    assert_int_equal(account.sequence, 2);
    assert_int_equal(account.number, 1);
    app_answer_clear(&answer);
    app_world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_properties),        cmocka_unit_test(test_poor_messages_and_fees),
        cmocka_unit_test(test_records),           cmocka_unit_test(test_pages_and_filters),
        cmocka_unit_test(test_signing_infos),     cmocka_unit_test(test_account_and_balance),
        cmocka_unit_test(test_paths_and_heights), cmocka_unit_test(test_proposals_and_plans),
        cmocka_unit_test(test_dcl_validators),    cmocka_unit_test(test_dcl_upgrades_and_accounts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
