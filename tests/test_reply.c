/* Readers of replies: values of every version, and what is refused with which words. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/field.h"
#include "tests/reply_flat.h"

#define TEXT_MAX 65536
#define OWN STAGGER_SOURCE_DIR "/tests/data/replies"

static size_t load(const char *folder, const char *name, char *text)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("%s: %s", path, strerror(errno));
    size_t size = fread(text, 1, TEXT_MAX - 1, file);
    assert_true(size < TEXT_MAX - 1);
    (void)fclose(file);
    text[size] = '\0';
    return size;
}

/* Reads what stands at "result" without the envelope, which is another test's matter. */
static bool read_text(const char *text, size_t size, const char *kind, struct flat *flat,
                      struct fault *fault)
{
    json_t *tree = rpc_parse(text, size, fault);
    if (tree == NULL)
        return false;
    const json_t *result = json_object_get(tree, "result");
    assert_non_null(result);
    bool good = reply_kind_of(kind)->read(result, flat, fault);
    json_decref(tree);
    return good;
}

/* --- values --- */

struct expected {
    const char *name, *value;
};

#define EXPECT(folder, file, kind, ...)                                                            \
    expect(folder, file, kind, (const struct expected[]){__VA_ARGS__, {NULL, NULL}})

static void expect(const char *folder, const char *file, const char *kind,
                   const struct expected *expected)
{
    char *text = malloc(TEXT_MAX);
    struct flat flat = {0};
    struct fault fault;
    assert_non_null(text);
    size_t size = load(folder, file, text);
    if (!read_text(text, size, kind, &flat, &fault))
        fail_msg("%s: %s", file, fault.text);
    for (; expected->name; expected++)
        if (strcmp(flat_value(&flat, expected->name), expected->value) != 0)
            fail_msg("%s: %s is %s, expected %s", file, expected->name,
                     flat_value(&flat, expected->name), expected->value);
    flat_free(&flat);
    free(text);
}

static void test_status(void **state)
{
    (void)state;
    EXPECT(OWN, "status-0.34.json", "status", {"chain_id", "test-1"}, {"version", "0.34.24"},
           {"moniker", "validator \xc3\xa9 one"}, {"tx_index", "1"},
           {"latest_height", "1234567890123"}, {"earliest_height", "1"},
           {"latest_time_ms", "1709296245987"}, {"catching_up", "0"}, {"voting_power", "10"});
    EXPECT(OWN, "status-0.38-start.json", "status", {"tx_index", "0"}, {"latest_height", "0"},
           {"latest_hash", "0000000000000000000000000000000000000000000000000000000000000000"},
           {"latest_time_ms", "0"}, {"catching_up", "1"}, {"voting_power", "0"});
}

static void test_validators(void **state)
{
    (void)state;
    EXPECT(OWN, "validators-0.34.json", "validators", {"height", "77"}, {"total", "3"},
           {"members[0].power", "10"}, {"members[2].power", "1"});
    EXPECT(OWN, "validators-1.0-page.json", "validators", {"height", "5"}, {"total", "102"},
           {"members[1].power", "1"});
}

static void test_blocks(void **state)
{
    (void)state;
    EXPECT(OWN, "block-0.34.json", "block", {"version_block", "11"}, {"version_app", "0"},
           {"time", "1709251199.000000001"}, {"txs[0].bytes", "66697273743d31"},
           {"txs[1].bytes", ""}, {"txs", "3"}, {"commit.height", "8"}, {"commit.round", "1"},
           {"sigs[1].flag", "1"}, {"sigs[1].time", "-62135596800.000000000"},
           {"sigs[1].signature", ""}, {"sigs[2].flag", "3"}, {"sigs", "3"});
    EXPECT(OWN, "block-0.37-first.json", "block", {"height", "1"}, {"last_block_id.hash", ""},
           {"last_block_id.total", "0"}, {"app_hash", ""}, {"txs", "0"}, {"commit.height", "0"},
           {"sigs", "0"});
    EXPECT(OWN, "block-1.0-evidence.json", "block", {"evidence", "1"}, {"txs", "0"});
    EXPECT(OWN, "blockchain-0.37.json", "blockchain", {"last_height", "12"}, {"height", "12"},
           {"ids[0].txs", "0"}, {"ids[1].txs", "31"});
}

static void test_commits(void **state)
{
    (void)state;
    EXPECT(OWN, "commit-0.34.json", "commit", {"height", "8"}, {"canonical", "1"},
           {"sigs[1].flag", "1"}, {"sigs[2].time", "1709251202.500000000"});
    EXPECT(OWN, "commit-1.0-tip.json", "commit", {"commit.round", "2"}, {"canonical", "0"},
           {"sigs[0].flag", "3"}, {"sigs[1].signature", ""});
    EXPECT(OWN, "header-0.37.json", "header", {"height", "4"}, {"version_app", "1"});
    EXPECT(OWN, "header-1.0-first.json", "header", {"height", "1"}, {"app_hash", ""});
}

static void test_results(void **state)
{
    (void)state;
    EXPECT(OWN, "block_results-0.34.json", "block_results", {"height", "9"},
           {"results[0].data", "0a05"}, {"results[0].gas_used", "61234"}, {"results[1].code", "5"},
           {"results[1].data", ""},
           {"results[1].log", "insufficient funds?"
                              "?<tag>"},
           {"results[1].gas_wanted", "-1"}, {"results[1].gas_used", "9223372036854775807"},
           {"results[2].code", "4294967295"}, {"results[2].codespace", "x"}, {"results", "3"},
           {"updates[0].power", "7"}, {"updates[1].power", "0"});
    EXPECT(OWN, "block_results-0.38.json", "block_results", {"results", "0"}, {"updates", "1"});
    EXPECT(OWN, "block_results-1.0.json", "block_results", {"results", "1"},
           {"updates[0].power", "25"}, {"updates[1].power", "0"}, {"updates", "2"});
    EXPECT(OWN, "tx-0.34.json", "tx", {"height", "9"}, {"index", "2"}, {"results[0].log", "[]"});
    EXPECT(OWN, "tx-1.0.json", "tx", {"results[0].code", "11"}, {"results[0].codespace", "sdk"});
}

static void test_answers(void **state)
{
    (void)state;
    EXPECT(OWN, "abci_query-0.34.json", "abci_query", {"code", "0"}, {"value", "0a0568656c6c6f"},
           {"height", "216"});
    EXPECT(OWN, "abci_query-1.0-empty.json", "abci_query", {"value", ""});
    EXPECT(OWN, "abci_query-0.38-refused.json", "abci_query", {"code", "6"}, {"codespace", "sdk"},
           {"log", "no query path found for ?this"}, {"value", ""});
    EXPECT(OWN, "broadcast_tx_sync-1.0-refused.json", "broadcast_tx_sync", {"code", "32"});
    EXPECT(OWN, "consensus_state-0.38.json", "consensus_state", {"height", "61"}, {"round", "1"},
           {"step", "4"}, {"prevotes_have", "3"}, {"prevotes_of", "4"}, {"precommits_have", "1"},
           {"precommits_of", "4"});
    EXPECT(OWN, "abci_info-empty.json", "abci_info", {"data", ""}, {"last_height", "0"});
    EXPECT(OWN, "abci_info-1.0.json", "abci_info", {"data", "SekaiApp"}, {"version", "v0.4.13"},
           {"app_version", "18446744073709551615"}, {"last_height", "216"});
}

static void test_captured(void **state)
{
    const char *shared = getenv("STAGGER_SHARED");
    char folder[400], path[512];
    (void)state;
    (void)snprintf(folder, sizeof folder, "%s/fixtures",
                   shared != NULL ? shared : STAGGER_SOURCE_DIR "/../shared");
    (void)snprintf(path, sizeof path, "%s/README.md", folder);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        skip();
    (void)fclose(file);
    EXPECT(folder, "cometbft-0.37.4/status.json", "status", {"chain_id", "chain-L0dEUR"},
           {"latest_height", "60"}, {"version", "0.37.4"},
           {"latest_hash", "6c21f5425ffaf9448615f29977d907c35a53258cffa49d491a4e74d704d0ac28"});
    EXPECT(folder, "cometbft-0.37.4/block_results.json", "block_results", {"updates[0].power", "5"},
           {"updates[0].key", "c5336a833590d4f477731470648622b75b37c1a3432ead57202f7524132f67b0"});
    EXPECT(folder, "cometbft-0.37.4/abci_info.json", "abci_info", {"data", "{\"size\":0}"},
           {"last_height", "60"});
    EXPECT(folder, "cometbft-0.37.4/consensus_state.json", "consensus_state", {"prevotes_of", "4"});
    EXPECT(folder, "dcl-1.5.2/block_results_disable.json", "block_results",
           {"updates[0].power", "0"}, {"results[0].gas_wanted", "-1"});
    EXPECT(folder, "sekai-0.4.13/commit.json", "commit", {"version_app", "0"}, {"height", "196"},
           {"sigs", "2"}, {"canonical", "1"});
    EXPECT(folder, "sekai-0.4.13/validators.json", "validators", {"total", "2"});
    EXPECT(folder, "sekai-0.4.13/tx_pause.json", "tx", {"height", "193"}, {"results[0].code", "0"});
    EXPECT(folder, "sekai-0.4.13/broadcast_tx_sync_bad_sequence.json", "broadcast_tx_sync",
           {"code", "32"}, {"codespace", "sdk"},
           {"log", "account sequence mismatch, expected 1, got 8: incorrect account sequence"});
}

/* --- refusals --- */

#define HEIGHT "\"1234567890123\""

static const char *const no_numbers[] = {
    "\"05\"", "\"-0\"",  "\" 5\"",  "\"5 \"",       "\"\"",
    "\"-\"",  "\"5e3\"", "\"0x5\"", "\"5\\u0000\"", "\"9223372036854775808\""};

static const struct {
    const char *find, *put;
} no_times[] = {
    {"2024-02-29T", "2023-02-29T"}, {"2024-02-29T23", "2024-02-29T24"},
    {"2024-02-29T", "2024-02-29t"}, {"000000001Z", "000000001+00:00"},
    {"000000001Z", "0000000001Z"},  {".000000001Z", ".Z"},
    {"2024-02-29", "0000-02-29"},
};

static const struct {
    const char *file, *find, *put, *fault; /* the first `find` becomes `put` */
} refusals[] = {
    /* numbers are texts, and texts such as Go writes */
    {"status-0.34.json", HEIGHT, "1234567890123",
     "status.sync_info.latest_block_height: is a number, expected a whole number in quotation"},
    {"status-0.34.json", HEIGHT, "\"+5\"",
     "status.sync_info.latest_block_height: \"+5\" is no whole number"},
    {"status-0.34.json", HEIGHT, "\"-1\"", "-1 is not between 0 and"},
    {"status-0.34.json", HEIGHT, "null", "is null, expected"},
    {"abci_info-1.0.json", "18446744073709551615", "18446744073709551616", "no whole number of 64"},
    {"abci_info-1.0.json", "18446744073709551615", "-1", "no whole number of 64"},
    {"tx-0.34.json", "\"index\":2", "\"index\":\"2\"",
     "tx.index: is text, expected a whole number without quotation marks"},
    {"tx-0.34.json", "\"index\":2", "\"index\":2.0", "tx.index: is a number, expected a whole"},
    {"tx-0.34.json", "\"index\":2", "\"index\":-0", "reply: has the number -0"},
    {"tx-0.34.json", "\"index\":2", "\"index\":-1", "tx.index: -1 is not between 0 and 4294967295"},
    {"tx-0.34.json", "\"index\":2", "\"index\":4294967296", "is not between"},
    {"tx-0.34.json", "\"index\":2", "\"index\":02", "reply: is no JSON"},
    {"commit-0.34.json", "\"round\":0", "\"round\":2147483648", "commit.round: 2147483648 is not"},
    {"status-0.34.json", "\"catching_up\":false", "\"catching_up\":\"false\"", "expected true or"},
    {"status-0.34.json", "\"catching_up\":false", "\"catching_up\":0", "expected true or false"},
    /* names */
    {"status-0.34.json", "\"network\"", "\"netwark\"", "status.node_info.network: is missing"},
    {"status-0.34.json", "\"sync_info\":{", "\"sync_info\":[],\"x\":{",
     "status.sync_info: is a list, expected an object"},
    {"abci_info-1.0.json", "\"version\"", "\"versiom\"",
     "abci_info.response: version is missing, and \"versiom\" is not known"},
    {"block_results-0.34.json", "\"power\"", "\"pawer\"",
     "validator_updates[0]: power is missing, and \"pawer\" is not known"},
    {"block-1.0-evidence.json", "\"app\"", "\"abb\"", "version: app is missing, and \"abb\" is"},
    {"tx-1.0.json", "\"codespace\"", "\"codespice\"", "tx.tx_result: codespace is missing"},
    {"abci_query-0.34.json", "\"value\"", "\"walue\"", "value is missing, and \"walue\""},
    {"status-0.34.json", "\"id\":\"", "\"id\":\"1\",\"id\":\"", "duplicate object key"},
    /* bytes */
    {"commit-0.34.json", "\"data_hash\":\"", "\"data_hash\":\"AB", "is no hex of 32 bytes"},
    {"commit-0.34.json", "\"data_hash\":\"4", "\"data_hash\":\"G", "is no hex of 32 bytes"},
    {"commit-0.34.json", "\"app_hash\":\"", "\"app_hash\":\"A", "header.app_hash: "},
    {"block_results-1.0.json", "pub_key_bytes\":\"", "pub_key_bytes\":\"AAAA", "of 32 bytes"},
    {"abci_query-0.34.json", "CgVoZWxsbw==", "CgVoZWxsbx==", "response.value: \"CgVoZWxsbx==\" is"},
    {"abci_query-0.34.json", "CgVoZWxsbw==", "CgVoZWxsbw=", "is no base64"},
    {"abci_query-0.34.json", "CgVoZWxsbw==", "CgVo\\nZWxsbw", "is no base64"},
    {"abci_query-0.34.json", "\"CgVoZWxsbw==\"", "5", "response.value: is a number, expected base"},
    {"tx-0.34.json", "\"tx\":\"AAEC", "\"tx\":\"AAED", "tx.hash: is not the SHA-256 of tx"},
    {"tx-0.34.json", "\"code\":0,\"data\":\"CgU=\"", "\"data\":5", "tx.tx_result.code: is missing"},
    /* keys and addresses */
    {"validators-0.34.json", "tendermint/PubKeyEd25519", "tendermint/PubKeySecp256k1",
     "validators.validators[0].pub_key.type: \"tendermint/PubKeySecp256k1\" is not tendermint/PubK"},
    {"block_results-1.0.json", "\"ed25519\"", "\"bls12_381\"", "is not ed25519"},
    {"block_results-0.38.json", "PublicKey_Ed25519", "PublicKey_Secp256K1", "is not tendermint.cr"},
    /* one page */
    {"validators-0.34.json", "\"count\":\"3\"", "\"count\":\"2\"",
     "validators.count: is 2, but there are 3 validators"},
    {"validators-0.34.json", "\"total\":\"3\"", "\"total\":\"2\"", "3 is not between 1 and 2"},
    {"validators-0.34.json", "\"total\":\"3\"", "\"total\":\"16385\"", "not between 1 and 16384"},
    {"validators-0.34.json", "\"voting_power\":\"10\"", "\"voting_power\":\"0\"",
     "validators.validators[0].voting_power: 0 is not between 1 and 1152921504606846975"},
    {"validators-0.34.json", "\"voting_power\":\"10\"", "\"voting_power\":\"1152921504606846975\"",
     "more voting power together"},
    /* votes */
    {"commit-0.34.json", "\"block_id_flag\":1", "\"block_id_flag\":4", "4 is none of 1 (absent)"},
    {"commit-0.34.json", "\"block_id_flag\":1", "\"block_id_flag\":2",
     "validator_address: \"\" is"},
    {"commit-0.34.json", "\"block_id_flag\":2", "\"block_id_flag\":1", "validator_address: \""},
    {"commit-0.34.json", "0001-01-01T00:00:00Z\",\"signature\":null",
     "0001-01-01T00:00:00Z\",\"signature\":\"AAAA\"", "signature: \"AAAA\" is not "},
    /* the state of a round */
    {"consensus_state-0.38.json", "61/1/4", "61/3/4", "height_vote_set: has no votes of round 3"},
    {"consensus_state-0.38.json", "61/1/4", "61/1/9", "is not such as \"61/0/1\""},
    {"consensus_state-0.38.json", "61/1/4", "61/1", "is not such as"},
    {"consensus_state-0.38.json", "61/1/4", "61/1/4/", "is not such as"},
    {"consensus_state-0.38.json", "BA{4:xx_x", "BA{5:xx_x", "is no list of votes"},
    {"consensus_state-0.38.json", "BA{4:xx_x", "BA{4:xx_y", "is no list of votes"},
    /* control characters where they are not cut out */
    {"status-0.34.json", "\"test-1\"", "\"test\\u001b1\"", "network: has a control character"},
    {"status-0.34.json", "\"test-1\"", "\"test\\u009b1\"", "network: has a control character"},
    {"status-0.34.json", "\"on\"", "\"onn\"", "tx_index: \"onn\" is not off"},
};

static void refuse(const char *file, const char *find, const char *put, const char *words)
{
    char *text = malloc(TEXT_MAX), *changed = malloc(TEXT_MAX);
    struct flat flat = {0};
    struct fault fault = {""};
    assert_non_null(text);
    assert_non_null(changed);
    (void)load(OWN, file, text);
    const char *at = strstr(text, find);
    if (at == NULL)
        fail_msg("%s has no %s", file, find);
    int length =
        snprintf(changed, TEXT_MAX, "%.*s%s%s", (int)(at - text), text, put, at + strlen(find));
    if (read_text(changed, (size_t)length, file, &flat, &fault))
        fail_msg("%s with %s is read", file, put);
    if (strstr(fault.text, words) == NULL)
        fail_msg("%s with %s: \"%s\" has no \"%s\"", file, put, fault.text, words);
    flat_free(&flat);
    free(text);
    free(changed);
}

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof no_numbers / sizeof no_numbers[0]; i++)
        refuse("status-0.34.json", HEIGHT, no_numbers[i], "is no whole number");
    for (size_t i = 0; i < sizeof no_times / sizeof no_times[0]; i++)
        refuse("header-0.37.json", no_times[i].find, no_times[i].put, "is no time such as");
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        refuse(refusals[i].file, refusals[i].find, refusals[i].put, refusals[i].fault);
}

/* Whatever the reply is, every reader refuses another call's. */
static void test_other_kinds(void **state)
{
    static const char *const files[] = {
        "status-0.34.json",          "validators-0.34.json", "block-0.34.json",
        "commit-0.34.json",          "header-0.37.json",     "block_results-0.34.json",
        "blockchain-0.37.json",      "abci_query-0.34.json", "broadcast_tx_sync-0.34.json",
        "consensus_state-0.38.json", "tx-0.34.json"};
    char *text = malloc(TEXT_MAX);
    struct flat flat = {0};
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        size_t size = load(OWN, files[i], text);
        for (uint32_t k = 0; k < REPLY_KINDS; k++) {
            struct fault fault;
            bool same = &reply_kinds[k] == reply_kind_of(files[i]);
            assert_int_equal(read_text(text, size, reply_kinds[k].name, &flat, &fault), same);
        }
    }
    flat_free(&flat);
    free(text);
}

/* --- texts by themselves --- */

static void test_times(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
        int32_t nanos;
    } times[] = {
        {"1970-01-01T00:00:00Z", 0, 0},
        {"1969-12-31T23:59:59.999999999Z", -1, 999999999},
        {"0001-01-01T00:00:00Z", -62135596800, 0},
        {"9999-12-31T23:59:59Z", 253402300799, 0},
        {"2000-02-29T12:00:00.5Z", 951825600, 500000000},
        {"2100-03-01T00:00:00.120Z", 4107542400, 120000000},
    };
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct time_stamp time;
        assert_true(field_parse_time(times[i].text, strlen(times[i].text), &time));
        assert_int_equal(time.seconds, times[i].seconds);
        assert_int_equal(time.nanos, times[i].nanos);
    }
}

static void test_numbers(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } numbers[] = {{"0", 0},
                   {"-1", -1},
                   {"9223372036854775807", INT64_MAX},
                   {"-9223372036854775808", INT64_MIN}};
    static const char *const none[] = {"",
                                       "-",
                                       "00",
                                       "-0",
                                       "01",
                                       "9223372036854775808",
                                       "1 ",
                                       "-9223372036854775809",
                                       "99999999999999999999999"};
    int64_t value;
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        assert_true(field_parse_int64(numbers[i].text, strlen(numbers[i].text), INT64_MIN,
                                      INT64_MAX, &value));
        assert_true(value == numbers[i].value);
    }
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_false(field_parse_int64(none[i], strlen(none[i]), INT64_MIN, INT64_MAX, &value));
}

/* A long moniker is cut between characters, not within one. */
static void test_cut(void **state)
{
    char text[8];
    struct fault fault;
    json_t *object = json_pack("{s:s}", "a", "12345\xe2\x82\xac\xe2\x82\xac");
    (void)state;
    assert_non_null(object);
    struct field top = field_top(object, "x", &fault);
    assert_true(field_text_cut(&top, "a", text, sizeof text));
    assert_string_equal(text, "12345");
    assert_false(field_text(&top, "a", text, sizeof text));
    assert_string_equal(fault.text, "x.a: is longer than 7 bytes");
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status),      cmocka_unit_test(test_validators),
        cmocka_unit_test(test_blocks),      cmocka_unit_test(test_commits),
        cmocka_unit_test(test_results),     cmocka_unit_test(test_answers),
        cmocka_unit_test(test_captured),    cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_other_kinds), cmocka_unit_test(test_times),
        cmocka_unit_test(test_numbers),     cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
