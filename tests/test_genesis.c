/* What genesis_read() understands, and the one line that it says where it does not. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/genesis_text.h"

static void read_well(const struct text *text, struct genesis *genesis)
{
    char error[GENESIS_ERROR_MAX];
    if (!sample_read(text, genesis, error)) {
        fail_msg("refused: %s", error);
    }
    assert_string_equal(error, "");
}

/* The line names the file and holds every one of the words, a list ended by NULL. */
static void line_check(const char *error, const char *const *words)
{
    assert_ptr_equal(strchr(error, '\n'), NULL);
    assert_int_equal(strncmp(error, "g.json: ", 8), 0);
    for (; *words != NULL; words++) {
        if (strstr(error, *words) == NULL) {
            fail_msg("\"%s\" is not in: %s", *words, error);
        }
    }
    const char *first = strchr(error, ';');
    assert_non_null(first);
    assert_non_null(strchr(first + 1, ';'));
}

static void read_badly(const struct text *text, const char *const *words)
{
    struct genesis genesis;
    char error[GENESIS_ERROR_MAX];
    if (sample_read(text, &genesis, error)) {
        fail_msg("accepted, but should say %s", words[0]);
    }
    assert_null(genesis.records);
    line_check(error, words);
}

/* --- what is read --- */

static void full_check(const struct genesis *genesis)
{
    const struct model_record *alpha = &genesis->records[0], *beta = alpha + 1, *last = alpha + 2;
    assert_int_equal(genesis->record_count, 3);
    assert_string_equal(alpha->moniker, "ALPHA");
    assert_string_equal(beta->moniker, "Beta \xc3\xa9");
    assert_string_equal(last->moniker, "validator 2");
    assert_int_equal(alpha->status, STATUS_ACTIVE);
    assert_int_equal(beta->status, STATUS_PAUSED);
    assert_int_equal(last->status, STATUS_INACTIVE);
    assert_int_equal(beta->rank, 101);
    assert_int_equal(beta->streak, 11);
    assert_int_equal(alpha->sequence, 23);
    assert_int_equal(beta->sequence, 5);
    assert_int_equal(last->sequence, 0);
    assert_int_equal(alpha->balance, 954121);
    assert_int_equal(beta->balance, 0);
    assert_int_equal(last->balance, GENESIS_BALANCE_DEFAULT);
    assert_true(alpha->voted_yes && !beta->voted_yes && !last->voted_yes);
    assert_true(alpha->can_vote && beta->can_vote && last->can_vote);
    assert_int_equal(last->mischance, 51);
    assert_int_equal(last->mischance_confidence, 26);
    assert_int_equal(last->last_present, 70);
    assert_int_equal(last->missed_blocks, 76);
    assert_int_equal(last->produced_blocks, 170320);
    assert_int_equal(last->inactive_until_ms, INT64_C(1634110834470));
    for (uint32_t i = 0; i < 3; i++) {
        uint8_t address[ADDRESS_SIZE];
        sample_address(i, address);
        assert_memory_equal(genesis->records[i].address, address, ADDRESS_SIZE);
        assert_int_equal(genesis->records[i].power, 1);
    }
}

static void test_everything_is_read(void **state)
{
    struct genesis genesis;
    struct text text = sample_full();
    read_well(&text, &genesis);
    full_check(&genesis);
    assert_int_equal(genesis.kind, CHAIN_KIRA);
    assert_false(genesis.plain);
    assert_string_equal(genesis.chain_id, "full-1");
    assert_int_equal(genesis.initial_height, 77);
    assert_int_equal(genesis.genesis_time_ms, INT64_C(1762351467622));
    const struct model_properties *properties = &genesis.properties;
    assert_int_equal(properties->min_tx_fee, 100);
    assert_int_equal(properties->max_tx_fee, 1000000);
    assert_int_equal(properties->mischance_rank_decrease, 7);
    assert_int_equal(properties->max_mischance, 50);
    assert_int_equal(properties->mischance_confidence, 25);
    assert_int_equal(properties->inactive_rank_percent, 50);
    assert_int_equal(properties->min_validators, 2);
    assert_int_equal(properties->downtime_inactive_s, 900);
    assert_int_equal(properties->pause_fee, 101);
    assert_int_equal(properties->unpause_fee, 102);
    assert_int_equal(properties->activate_fee, 103);
    assert_int_equal(properties->activate_failure_fee, 104);
    assert_true(genesis.plan.pending && genesis.plan.instate && !genesis.plan.processed);
    assert_int_equal(genesis.plan.upgrade_time_ms, INT64_C(1641573000000));
    assert_string_equal(genesis.plan_name, "upgrade-118");
    genesis_clear(&genesis);
    text_clear(&text);
    (void)state;
}

/* Moves the first object of app_state behind its other members, as many times as there are. */
static void test_sections_in_any_order(void **state)
{
    static const char OPEN[] = "\"app_state\":{", CLOSE[] = "},\"validators\":[]}";
    struct text text = sample_full();
    char *begin = strstr(text.data, OPEN) + strlen(OPEN), *end = strstr(text.data, CLOSE);
    for (int turn = 0; turn < 5; turn++) {
        char *cut = begin;
        for (int depth = 0; depth > 0 || *cut != ','; cut++) {
            depth += (*cut == '{') - (*cut == '}');
        }
        struct text turned = {0};
        text_add(&turned, "%.*s%.*s,%.*s%s", (int)(begin - text.data), text.data,
                 (int)(end - cut - 1), cut + 1, (int)(cut - begin), begin, end);
        assert_int_equal(turned.size, text.size);
        struct genesis genesis;
        read_well(&turned, &genesis);
        full_check(&genesis);
        genesis_clear(&genesis);
        memcpy(text.data, turned.data, text.size);
        text_clear(&turned);
    }
    text_clear(&text);
    (void)state;
}

static void test_defaults(void **state)
{
    struct genesis genesis;
    struct text text = sample_small(2);
    struct model_properties properties = model_properties_default(1);
    read_well(&text, &genesis);
    assert_int_equal(genesis.initial_height, 1);
    assert_int_equal(genesis.genesis_time_ms, 0);
    assert_int_equal(genesis.properties.min_validators, 1);
    assert_int_equal(genesis.properties.max_tx_fee, properties.max_tx_fee);
    assert_int_equal(genesis.properties.pause_fee, properties.pause_fee);
    assert_false(genesis.plan.pending || genesis.records[0].can_vote ||
                 genesis.records[0].voted_yes);
    assert_string_equal(genesis.records[1].moniker, "validator 1");
    assert_int_equal(genesis.records[1].balance, GENESIS_BALANCE_DEFAULT);
    genesis_clear(&genesis);
    text_clear(&text);
    (void)state;
}

static void test_other_spellings(void **state)
{
    static const char *const CASES[][2] = {
        {"\"status\":\"PAUSED\"", "\"status\":3"},
        {"\"status\":\"PAUSED\"", "\"status\":\"3\""},
        {"\"rank\":\"101\"", "\"rank\":101"},
        {"\"0.5\"", "\"50\""},
        {"\"0.5\"", "50"},
        {"\"0.5\"", "\"0.499500000000000000\""},
        {"\"900s\"", "\"900\""},
        {"\"900s\"", "\"900.25s\""},
        {"\"upgrade_time\":\"1641573000\"", "\"upgrade_time\":1641573000"},
        {"\"option\":\"VOTE_OPTION_YES\"", "\"option\":\"1\""},
        {"\"proposalID\":\"668\"", "\"proposal_id\":668"},
        {"\"jail_max_time\":\"86400\"", "\"min_validators\":\"2\""},
        {"\"current_plan\":null", "\"current_plan\":{\"name\":\"old\",\"upgrade_time\":\"-\"}"},
        {"\"ALPHA\\\"", "\"\\u0007 ALPHA \\\""},
    };
    struct text text = sample_full();
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct genesis genesis;
        struct text changed = text_replaced(&text, CASES[i][0], CASES[i][1]);
        read_well(&changed, &genesis);
        full_check(&genesis);
        assert_int_equal(genesis.properties.inactive_rank_percent, 50);
        assert_int_equal(genesis.properties.downtime_inactive_s, 900);
        genesis_clear(&genesis);
        text_clear(&changed);
    }
    text_clear(&text);
    (void)state;
}

static void test_initial_height(void **state)
{
    static const char *const CASES[][2] = {
        {"\"0\"", "1"}, {"0", "1"},
        {"null", "1"},  {"\"4611686018427387904\"", "4611686018427387904"},
        {"9", "9"},     {"\"007\"", "7"},
    };
    struct text text = sample_full();
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct genesis genesis;
        char shown[32];
        struct text changed = text_replaced(&text, "\"77\"", CASES[i][0]);
        read_well(&changed, &genesis);
        snprintf(shown, sizeof(shown), "%" PRIu64, genesis.initial_height);
        assert_string_equal(shown, CASES[i][1]);
        genesis_clear(&genesis);
        text_clear(&changed);
    }
    text_clear(&text);
    (void)state;
}

/* The answer of a node's /genesis. */
static void test_wrapped_in_an_answer(void **state)
{
    struct genesis genesis;
    struct text text = sample_full(), wrapped = {0};
    text_add(&wrapped, "{\"jsonrpc\":\"2.0\",\"id\":-1,\"result\":{\"genesis\":%s}}\n", text.data);
    read_well(&wrapped, &genesis);
    full_check(&genesis);
    genesis_clear(&genesis);
    text_clear(&wrapped);
    text_clear(&text);
    (void)state;
}

static void test_any_network_prefix(void **state)
{
    char old[PIECE_MAX], other[PIECE_MAX];
    struct genesis genesis;
    struct text text = sample_full();
    struct text changed = text_replaced(&text, sample_account("kiravaloper", 0, old),
                                        sample_account("testvaloper", 0, other));
    read_well(&changed, &genesis);
    full_check(&genesis);
    genesis_clear(&genesis);
    text_clear(&changed);
    text_clear(&text);
    (void)state;
}

/* --- CometBFT's own list --- */

static struct text plain_sample(const char *before)
{
    char piece[PIECE_MAX];
    struct text text = {0};
    text_add(&text, "{\"chain_id\":\"plain-1\",%s[%s,", before, sample_plain(0, 10, piece));
    text_add(&text, "%s]}", sample_plain(1, 20, piece));
    return text;
}

static void plain_check(const struct text *text, enum chain_kind kind)
{
    struct genesis genesis;
    uint8_t address[ADDRESS_SIZE];
    read_well(text, &genesis);
    assert_true(genesis.plain);
    assert_int_equal(genesis.kind, kind);
    assert_int_equal(genesis.record_count, 2);
    assert_int_equal(genesis.records[1].power, 20);
    assert_int_equal(genesis.records[1].status, STATUS_ACTIVE);
    assert_string_equal(genesis.records[1].moniker, "node 1");
    sample_address(1, address);
    assert_memory_equal(genesis.records[1].address, address, ADDRESS_SIZE);
    genesis_clear(&genesis);
}

static void test_plain(void **state)
{
    static const char *const BEFORE[] = {
        "\"validators\":",
        "\"app_state\":{\"staking\":{\"validators\":[{\"status\":9}]}},\"validators\":",
        "\"app_state\":{\"customstaking\":{\"validators\":[]}},\"validators\":",
        "\"app_state\":null,\"validators\":",
    };
    for (size_t i = 0; i < sizeof(BEFORE) / sizeof(BEFORE[0]); i++) {
        struct text text = plain_sample(BEFORE[i]);
        plain_check(&text, CHAIN_KIRA);
        text_clear(&text);
    }
    struct text dcl = plain_sample("\"app_state\":{\"dclauth\":{}},\"validators\":");
    plain_check(&dcl, CHAIN_DCL);
    text_clear(&dcl);
    (void)state;
}

static void test_plain_variants(void **state)
{
    char hex[PIECE_MAX], field[PIECE_MAX + 16];
    uint8_t address[ADDRESS_SIZE];
    sample_address(1, address);
    snprintf(field, sizeof(field), "\"address\":\"%s\",", sample_hex(address, ADDRESS_SIZE, hex));
    struct text text = plain_sample("\"validators\":");
    struct text bare = text_replaced(&text, field, "");
    plain_check(&bare, CHAIN_KIRA);
    struct text empty = text_replaced(&text, field, "\"address\":\"\",");
    plain_check(&empty, CHAIN_KIRA);
    struct text number = text_replaced(&text, "\"20\"", "20");
    plain_check(&number, CHAIN_KIRA);
    text_clear(&bare);
    text_clear(&empty);
    text_clear(&number);
    text_clear(&text);
    struct text consensus = plain_sample("\"consensus\":{\"validators\":");
    text_add(&consensus, "}");
    plain_check(&consensus, CHAIN_KIRA);
    text_clear(&consensus);
    (void)state;
}

static void test_plain_errors(void **state)
{
    static const struct {
        const char *from, *to;
        const char *words[4];
    } CASES[] = {
        {"\"power\":\"20\"", "\"power\":\"0\"", {"validators[1].power", "2^60"}},
        {"\"power\":\"20\"", "\"power\":-1", {"validators[1].power", "-1"}},
        {"\"power\":\"20\"", "\"x\":1", {"validators[1].power", "missing"}},
        {"\"power\":\"20\"", "\"power\":\"1152921504606846976\"", {"validators[1].power", "2^60"}},
        {"\"power\":\"20\"", "\"power\":\"1152921504606846970\"", {"validators[1].power", "total"}},
        {"tendermint/PubKeyEd25519", "tendermint/PubKeySecp256k1", {"validators[0].pub_key.type"}},
        {"\"address\":\"", "\"address\":\"0", {"validators[0].address", "40 hexadecimal"}},
        {"\"value\":\"", "\"value\":\"A", {"validators[0].pub_key.value", "base64"}},
        {"\"validators\":[", "\"validators\":[7,", {"validators[0]", "an object expected"}},
        {"\"validators\":[", "\"validators\":[],\"validators\":[", {"validators", "twice"}},
    };
    struct text text = plain_sample("\"validators\":");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct text changed = text_replaced(&text, CASES[i].from, CASES[i].to);
        read_badly(&changed, CASES[i].words);
        text_clear(&changed);
    }
    char mine[PIECE_MAX], theirs[PIECE_MAX];
    uint8_t first[32], second[32];
    sample_key(0, first);
    sample_key(1, second);
    sample_base64(second, 32, mine);
    sample_base64(first, 32, theirs);
    struct text swapped = text_replaced(&text, mine, theirs);
    read_badly(&swapped, (const char *const[]){"validators[1].address", "pub_key", NULL});
    text_clear(&swapped);
    text_clear(&text);
    (void)state;
}

/* --- what is refused --- */

static void test_field_errors(void **state)
{
    static const struct {
        const char *from, *to;
        const char *words[4];
    } CASES[] = {
        {"\"77\"", "-1", {"initial_height", "-1", "2^62"}},
        {"\"77\"", "1e400", {"initial_height", "1e400"}},
        {"\"77\"", "\"4611686018427387905\"", {"initial_height", "4611686018427387905"}},
        {"\"77\"", "\"\"", {"initial_height", "\"\""}},
        {"\"77\"", "{}", {"initial_height", "an object"}},
        {"\"77\"", "true", {"initial_height", "true"}},
        {"\"full-1\"", "\"\"", {"chain_id", "1 to 63"}},
        {"\"full-1\"", "\"tab\\there\"", {"chain_id", "printable"}},
        {"\"full-1\"",
         "\"0123456789012345678901234567890123456789012345678901234567890123\"",
         {"chain_id", "1 to 63"}},
        {"\"full-1\"", "17", {"chain_id", "17"}},
        {"\"chain_id\"", "\"chain\"", {"chain_id", "missing"}},
        {"2025-11-05T", "2025-02-29T", {"genesis_time", "2025-02-29"}},
        {"\"PAUSED\"", "\"RETIRED\"", {"customstaking.validators[1].status", "RETIRED", "JAILED"}},
        {"\"PAUSED\"", "0", {"customstaking.validators[1].status", "0"}},
        {"\"PAUSED\"", "null", {"customstaking.validators[1].status", "null"}},
        {"\"rank\":\"101\"", "\"rank\":\"-5\"", {"app_state.customstaking.validators[1].rank"}},
        {"\"rank\":\"101\"", "\"rank\":1e400", {"app_state.customstaking.validators[1].rank"}},
        {"\"val_key\":\"", "\"val_key\":\"k", {"validators[0].val_key", "checksum", "valoper"}},
        {"\"val_key\":\"", "\"other\":\"", {"validators[0].val_key", "missing"}},
        {"\"pub_key\":", "\"key\":", {"app_state.customstaking.validators[0].pub_key: missing"}},
        {"Key\",\"key\":\"",
         "Key\",\"key\":\"AAAA",
         {"customstaking.validators[0].pub_key", "ed25519"}},
        {"crypto.ed25519", "crypto.secp256k1", {"validators[0].pub_key.@type", "ed25519"}},
        {"\"validators\":[{", "\"validators\":[null,{", {"validators[0]", "null"}},
        {"\"validators\":[{", "\"validators\":{\"a\":[{", {"customstaking.validators", "a list"}},
        {"\"min_validators\":\"2\"",
         "\"min_validators\":\"many\"",
         {"app_state.customgov.network_properties.min_validators", "many"}},
        {"\"0.5\"", "\"101\"", {"network_properties.inactive_rank_decrease_percent", "101"}},
        {"\"0.5\"", "\"1.01\"", {"network_properties.inactive_rank_decrease_percent", "1.01"}},
        {"\"900s\"", "\"ten\"", {"customslashing.params.downtime_inactive_duration", "600s"}},
        {"\"execution_fee\":\"101\"", "\"execution_fee\":[]", {"execution_fees[0].execution_fee"}},
        {"\"1641573000\"", "\"253402300800\"", {"upgrade.next_plan.upgrade_time", "9999"}},
        {"\"upgrade_time\"", "\"time\"", {"app_state.upgrade.next_plan.upgrade_time", "missing"}},
        {"\"instate_upgrade\":true", "\"instate_upgrade\":\"yes\"", {"next_plan.instate_upgrade"}},
        {"\"mischance\":\"51\"",
         "\"mischance\":\"x\"",
         {"app_state.customslashing.signing_infos[0].validator_signing_info.mischance"}},
        {"\"address\":\"kiravalcons", "\"address\":\"kiravalkons", {"signing_infos[0].address"}},
        {"\"sequence\":\"23\"", "\"sequence\":\"1.5\"", {"auth.accounts[0].sequence", "1.5"}},
        {"\"954121\"", "\"lots\"", {"bank.balances[0].coins[1].amount", "lots"}},
        {"\"full-1\",", "\"full-1\",,", {"byte ", "JSON expected"}},
        {"{\"genesis_time\"", "[{\"genesis_time\"", {"top level", "a list"}},
        {"\"validators\":[]}", "\"validators\":[]} x", {"byte ", "trailing"}},
    };
    struct text text = sample_full();
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct text changed = text_replaced(&text, CASES[i].from, CASES[i].to);
        read_badly(&changed, CASES[i].words);
        text_clear(&changed);
    }
    text_clear(&text);
    (void)state;
}

static void test_nobody_active(void **state)
{
    struct text text = sample_full();
    struct text changed = text_replaced(&text, "\"ACTIVE\"", "\"JAILED\"");
    read_badly(&changed, (const char *const[]){"customstaking.validators", "none of 3", NULL});
    text_clear(&changed);
    text_clear(&text);
    (void)state;
}

static void test_neither_kind(void **state)
{
    static const char *const CASES[] = {
        "{}",
        "{\"chain_id\":\"x\",\"app_state\":{}}",
        "{\"validators\":[]}",
        "{\"validators\":null}",
        "{\"app_state\":{\"customstaking\":{\"validators\":[]}}}",
        "{\"app_state\":{\"customstaking\":{\"validators\":null}}}",
        "{\"app_state\":{\"customstaking\":[]}}",
        "{\"app_state\":7}",
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct text text = {0};
        text_add(&text, "%s", CASES[i]);
        read_badly(&text, (const char *const[]){"top level", "app_state.customstaking.validators",
                                                "sekaid export", NULL});
        text_clear(&text);
    }
    (void)state;
}

static void test_duplicates(void **state)
{
    char old[PIECE_MAX], twin[PIECE_MAX];
    uint8_t key[32];
    struct text text = sample_full();
    struct text account = text_replaced(&text, sample_account("kiravaloper", 2, old),
                                        sample_account("kiravaloper", 1, twin));
    read_badly(&account, (const char *const[]){"customstaking.validators[2].val_key",
                                               "customstaking.validators[1]", NULL});
    sample_key(2, key);
    sample_base64(key, 32, old);
    sample_key(0, key);
    struct text twins = text_replaced(&text, old, sample_base64(key, 32, twin));
    read_badly(&twins, (const char *const[]){"customstaking.validators[2].pub_key",
                                             "customstaking.validators[0]", NULL});
    text_clear(&account);
    text_clear(&twins);
    text_clear(&text);
    (void)state;
}

static void test_too_many(void **state)
{
    struct genesis genesis;
    struct text most = sample_small(VIEW_VALIDATORS_MAX);
    read_well(&most, &genesis);
    assert_int_equal(genesis.record_count, VIEW_VALIDATORS_MAX);
    assert_string_equal(genesis.records[VIEW_VALIDATORS_MAX - 1].moniker, "validator 16383");
    genesis_clear(&genesis);
    text_clear(&most);
    struct text more = sample_small(VIEW_VALIDATORS_MAX + 1);
    read_badly(&more,
               (const char *const[]){"customstaking.validators[16384]", "16384 records", NULL});
    text_clear(&more);
    (void)state;
}

/* --- real files --- */

static void shared_check(const char *name, const uint32_t *counts, const char *chain_id)
{
    struct genesis genesis;
    char path[1024], error[GENESIS_ERROR_MAX];
    const char *folder = getenv("STAGGER_SHARED");
    snprintf(path, sizeof(path), "%s/data/%s",
             folder != NULL ? folder : STAGGER_SOURCE_DIR "/../shared", name);
    if (access(path, R_OK) != 0) {
        skip();
    }
    if (!genesis_read(path, &genesis, error)) {
        fail_msg("%s", error);
    }
    uint32_t found[STATUS_JAILED + 1] = {0}, named = 0;
    for (uint32_t i = 0; i < genesis.record_count; i++) {
        found[genesis.records[i].status]++;
        named += strncmp(genesis.records[i].moniker, "validator ", 10) != 0 ? 1 : 0;
    }
    for (int status = STATUS_ACTIVE; status <= STATUS_JAILED; status++) {
        assert_int_equal(found[status], counts[status - STATUS_ACTIVE]);
    }
    assert_string_equal(genesis.chain_id, chain_id);
    assert_true(named * 10 >= genesis.record_count * 9);
    genesis_clear(&genesis);
}

static void test_real_networks(void **state)
{
    shared_check("testnet-6-genesis.json", (const uint32_t[]){326, 20, 1, 4}, "testnet-6");
    shared_check("testnet-9-genesis.json", (const uint32_t[]){263, 119, 12, 6}, "testnet-9");
    shared_check("chaosnet-3-genesis.json", (const uint32_t[]){1, 0, 0, 0}, "chaosnet-3");
    (void)state;
}

/* --- synthetic networks --- */

static void test_synthetic(void **state)
{
    struct genesis first, second, other;
    uint32_t counts[STATUS_JAILED + 1] = {0}, prefix = 0;
    genesis_synthetic(&first, "synthetic-1", 90, 6, 3, 1, 0);
    genesis_synthetic(&second, "synthetic-1", 90, 6, 3, 1, 0);
    genesis_synthetic(&other, "synthetic-2", 90, 6, 3, 1, 70);
    assert_int_equal(first.record_count, 100);
    assert_memory_equal(first.records, second.records, 100 * sizeof(*first.records));
    assert_memory_not_equal(first.records[0].address, other.records[0].address, ADDRESS_SIZE);
    assert_int_equal(first.properties.min_validators, 61);
    assert_int_equal(other.properties.min_validators, 70);
    for (uint32_t i = 0; i < 100; i++) {
        const struct model_record *record = &first.records[i];
        counts[record->status]++;
        prefix += prefix == i && record->status == STATUS_ACTIVE ? 1 : 0;
        assert_true(record->power == 1 && record->balance == GENESIS_BALANCE_DEFAULT);
        assert_true(record->streak <= record->rank && record->streak >= 0);
        assert_true(record->status == STATUS_INACTIVE || record->inactive_until_ms == 0);
    }
    assert_int_equal(counts[STATUS_ACTIVE], 90);
    assert_int_equal(counts[STATUS_INACTIVE], 6);
    assert_int_equal(counts[STATUS_PAUSED], 3);
    assert_int_equal(counts[STATUS_JAILED], 1);
    assert_true(prefix < 90);
    assert_string_equal(first.records[42].moniker, "val-0042");
    assert_int_equal(first.initial_height, 1);
    genesis_clear(&first);
    genesis_clear(&second);
    genesis_clear(&other);
    assert_null(first.records);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_is_read), cmocka_unit_test(test_sections_in_any_order),
        cmocka_unit_test(test_defaults),           cmocka_unit_test(test_other_spellings),
        cmocka_unit_test(test_initial_height),     cmocka_unit_test(test_wrapped_in_an_answer),
        cmocka_unit_test(test_any_network_prefix), cmocka_unit_test(test_plain),
        cmocka_unit_test(test_plain_variants),     cmocka_unit_test(test_plain_errors),
        cmocka_unit_test(test_field_errors),       cmocka_unit_test(test_nobody_active),
        cmocka_unit_test(test_neither_kind),       cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_too_many),           cmocka_unit_test(test_real_networks),
        cmocka_unit_test(test_synthetic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
