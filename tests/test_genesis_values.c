/* The pieces beneath the genesis reader: bech32, single values, and the JSON stream itself. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/bech32.h"
#include "sim/genesis_value.h"
#include "sim/json_stream.h"
#include "tests/genesis_text.h"

/* --- bech32 --- */

static const char *decoded(const char *text, struct bech32 *into)
{
    return bech32_decode(text, strlen(text), into);
}

/* Of BIP-173. */
static void test_bech32_valid(void **state)
{
    static const char *const TEXTS[] = {
        "A12UEL5L",
        "a12uel5l",
        "an83characterlonghumanreadablepartthatcontainsthenumber1and"
        "theexcludedcharactersbio1tt5tgs",
        "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
        "?1ezyfcl",
    };
    struct bech32 into;
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        assert_null(decoded(TEXTS[i], &into));
    }
    assert_null(decoded("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", &into));
    assert_string_equal(into.prefix, "abcdef");
    assert_int_equal(into.size, 20);
    assert_int_equal(into.bytes[0], 0x00);
    assert_int_equal(into.bytes[1], 0x44);
    assert_null(decoded("A12UEL5L", &into));
    assert_string_equal(into.prefix, "a");
    assert_int_equal(into.size, 0);
    (void)state;
}

static void test_bech32_invalid(void **state)
{
    static const char *const CASES[][2] = {
        {" 1nwldj5", "no bech32 text can have"},
        {"\x7f"
         "1axkwrx",
         "no bech32 text can have"},
        {"an84characterslonghumanreadablepartthatcontainsthenumber1and"
         "theexcludedcharactersbio1569pvx",
         "longer than 90"},
        {"pzry9x0s0muk", "prefix"},
        {"1pzry9x0s0muk", "prefix"},
        {"x1b4n0q5v", "does not use"},
        {"li1dgmt3", "too short"},
        {"A1G7SGD8", "checksum"},
        {"10a06t8", "prefix"},
        {"1qzzfhee", "prefix"},
        {"a12UEL5L", "mixes"},
        {"", "prefix"},
        {"kira1dm6y7nf2zey39x43jrs7ymx2lxgtt9ecuq4hxv", "checksum"},
    };
    struct bech32 into;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        const char *wrong = decoded(CASES[i][0], &into);
        assert_non_null(wrong);
        if (strstr(wrong, CASES[i][1]) == NULL) {
            fail_msg("%s: %s", CASES[i][0], wrong);
        }
    }
    assert_non_null(bech32_decode("a\0b1qqqqqqqq", 12, &into));
    (void)state;
}

/* Fewer than five bits may be left behind the last byte, and they must be zero. */
static void test_bech32_left_over_bits(void **state)
{
    struct bech32 into;
    assert_null(decoded("split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", &into));
    assert_null(decoded("x1qqmkfy3s", &into)); /* 00000 000|00 */
    assert_int_equal(into.size, 1);
    assert_non_null(decoded("x1qpxqa3vz", &into));  /* 00000 000|01 */
    assert_non_null(decoded("x1qm7ssx4", &into));   /* 00000 */
    assert_non_null(decoded("x1qqqn0an5s", &into)); /* 00000 000|00 00000 */
    (void)state;
}

static void test_bech32_round_trip(void **state)
{
    char text[BECH32_TEXT_MAX];
    uint8_t bytes[BECH32_BYTES_MAX];
    struct bech32 into;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 37 + 11);
    }
    for (size_t size = 0; size <= 40; size++) {
        assert_true(bech32_encode("kiravaloper", bytes, size, text));
        assert_null(decoded(text, &into));
        assert_string_equal(into.prefix, "kiravaloper");
        assert_int_equal(into.size, size);
        assert_memory_equal(into.bytes, bytes, size);
        text[size / 2 + 12] ^= 1;
        assert_non_null(decoded(text, &into));
    }
    assert_true(bech32_encode("a", bytes, sizeof(bytes), text));
    assert_false(bech32_encode("kiravaloper", bytes, sizeof(bytes), text));
    assert_string_equal(text, "");
    assert_false(bech32_encode("", bytes, 1, text));
    assert_false(bech32_encode("Kira", bytes, 1, text));
    (void)state;
}

/* An account and its validator's address are the same bytes under two prefixes. */
static void test_bech32_of_kira(void **state)
{
    char text[BECH32_TEXT_MAX];
    struct bech32 account, validator;
    assert_null(decoded("kira1dm6y7nf2zey39x43jrs7ymx2lxgtt9ecuq4hxu", &account));
    assert_null(decoded("kiravaloper1dm6y7nf2zey39x43jrs7ymx2lxgtt9ec0xf57s", &validator));
    assert_int_equal(account.size, ADDRESS_SIZE);
    assert_memory_equal(account.bytes, validator.bytes, ADDRESS_SIZE);
    assert_true(bech32_prefix_ends(&validator, "valoper") &&
                !bech32_prefix_ends(&account, "valoper"));
    assert_true(bech32_encode("kiravaloper", account.bytes, account.size, text));
    assert_string_equal(text, "kiravaloper1dm6y7nf2zey39x43jrs7ymx2lxgtt9ec0xf57s");
    (void)state;
}

/* --- values --- */

static void test_numbers(void **state)
{
    static const char *const BAD[] = {"",
                                      "-1",
                                      "+1",
                                      "1.0",
                                      "1e3",
                                      " 1",
                                      "1 ",
                                      "0x1",
                                      "4611686018427387905",
                                      "18446744073709551616",
                                      "99999999999999999999999999999999"};
    uint64_t number = 5;
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        assert_false(genesis_number(BAD[i], strlen(BAD[i]), &number));
    }
    assert_int_equal(number, 5);
    assert_true(genesis_number("00004611686018427387904", 23, &number) &&
                number == GENESIS_NUMBER_MAX);
    assert_true(genesis_number("123456", 3, &number) && number == 123);
    assert_true(genesis_amount("99999999999999999999999999", 26, &number) &&
                number == GENESIS_NUMBER_MAX);
    assert_true(genesis_amount("4611686018427387903", 19, &number) &&
                number == GENESIS_NUMBER_MAX - 1);
    assert_false(genesis_amount("1.5", 3, &number));
    (void)state;
}

static void test_percent_and_seconds(void **state)
{
    static const struct {
        const char *text;
        uint64_t percent, seconds; /* 999: refused */
    } CASES[] = {
        {"50", 50, 50},     {"0", 0, 0},         {"100", 100, 100},
        {"101", 999, 101},  {"0.5", 50, 0},      {"0.500000000000000000", 50, 0},
        {"1.0", 100, 1},    {"1.004", 100, 1},   {"1.005", 999, 1},
        {"0.005", 1, 0},    {"0.004", 0, 0},     {"0.075000", 8, 0},
        {"2.0", 999, 2},    {".5", 999, 999},    {"5.", 999, 999},
        {"0.5x", 999, 999}, {"-1", 999, 999},    {"", 999, 999},
        {"10s", 999, 10},   {"s", 999, 999},     {"1.5s", 999, 1},
        {"1m", 999, 999},   {"0.5.5", 999, 999},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        uint64_t percent = 999, seconds = 999;
        size_t length = strlen(CASES[i].text);
        bool percents = genesis_percent(CASES[i].text, length, &percent);
        bool lasts = genesis_seconds(CASES[i].text, length, &seconds);
        if (percent != CASES[i].percent || seconds != CASES[i].seconds) {
            fail_msg("%s: %" PRIu64 "%%, %" PRIu64 " s", CASES[i].text, percent, seconds);
        }
        assert_true(percents == (percent != 999) && lasts == (seconds != 999));
    }
    (void)state;
}

static void test_times(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } CASES[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"0001-01-01T00:00:00Z", 0},
        {"2000-02-29T12:00:00.5Z", INT64_C(951825600500)},
        {"2025-11-05T14:04:27.622890386Z", INT64_C(1762351467622)},
        {"2025-11-05T16:04:27.622+02:00", INT64_C(1762351467622)},
        {"2025-11-05T12:34:27.622-01:30", INT64_C(1762351467622)},
        {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
        {"9999-12-31T23:59:59.999-01:00", -1},
        {"2100-02-29T00:00:00Z", -1},
        {"2025-13-01T00:00:00Z", -1},
        {"2025-00-01T00:00:00Z", -1},
        {"2025-04-31T00:00:00Z", -1},
        {"2025-04-30T24:00:00Z", -1},
        {"2025-04-30T00:00:00", -1},
        {"2025-04-30T00:00:00.Z", -1},
        {"2025-04-30T00:00:00+2:00", -1},
        {"2025-04-30 00:00:00Z", -1},
        {"2025-04-30T00:00:00Zz", -1},
        {"20a5-04-30T00:00:00Z", -1},
        {"", -1},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        int64_t ms = 7;
        bool read = genesis_time(CASES[i].text, strlen(CASES[i].text), &ms);
        if (read != (CASES[i].ms >= 0) || (read && ms != CASES[i].ms)) {
            fail_msg("%s: %d, %" PRId64, CASES[i].text, read, ms);
        }
        assert_true(read || ms == 7);
    }
    (void)state;
}

static void key_check(uint32_t n, const char *text)
{
    uint8_t expected[ADDRESS_SIZE], address[ADDRESS_SIZE] = {0};
    sample_address(n, expected);
    if (!genesis_key_address(text, strlen(text), address)) {
        fail_msg("refused: %s", text);
    }
    assert_memory_equal(address, expected, ADDRESS_SIZE);
}

static void test_key_shapes(void **state)
{
    static const uint8_t AMINO[] = {0x16, 0x24, 0xde, 0x64, 0x20}, PROTOBUF[] = {0x0a, 0x20};
    char text[PIECE_MAX], wrapped[PIECE_MAX + 32];
    uint8_t amino[37], protobuf[34];
    for (uint32_t n = 0; n < 20; n++) {
        memcpy(amino, AMINO, sizeof(AMINO));
        sample_key(n, amino + sizeof(AMINO));
        memcpy(protobuf, PROTOBUF, sizeof(PROTOBUF));
        sample_key(n, protobuf + sizeof(PROTOBUF));
        key_check(n, sample_base64(amino + 5, 32, text));
        key_check(n, sample_base64(amino, 37, text));
        key_check(n, sample_base64(protobuf, 34, text));
        key_check(n, sample_hex(amino + 5, 32, text));
        snprintf(wrapped, sizeof(wrapped), "PubKeyEd25519{%s}", text);
        key_check(n, wrapped);
        key_check(n, sample_hex(amino, 37, text));
        assert_true(bech32_encode("kiravalconspub", amino, 37, text));
        key_check(n, text);
    }
    (void)state;
}

static void test_key_errors(void **state)
{
    char text[PIECE_MAX];
    uint8_t address[ADDRESS_SIZE], bytes[80] = {0};
    static const size_t SIZES[] = {0, 20, 31, 33, 34, 36, 37, 38, 64};
    for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
        sample_base64(bytes, SIZES[i], text);
        assert_false(genesis_key_address(text, strlen(text), address));
        sample_hex(bytes, SIZES[i], text);
        text[2 * SIZES[i]] = '\0';
        assert_false(genesis_key_address(text, strlen(text), address));
    }
    sample_base64(bytes, 32, text);
    assert_true(genesis_key_address(text, 44, address));
    assert_false(genesis_key_address(text, 43, address));
    text[42] = 'B'; /* bits behind the last byte */
    assert_false(genesis_key_address(text, 44, address));
    text[42] = '*';
    assert_false(genesis_key_address(text, 44, address));
    assert_true(bech32_encode("kira", bytes, 32, text));
    assert_false(genesis_key_address(text, strlen(text), address));
    memset(text, 'A', sizeof(text));
    assert_false(genesis_key_address(text, sizeof(text), address));
    (void)state;
}

static void test_monikers(void **state)
{
    static const char *const CASES[][2] = {
        {"plain", "plain"},
        {"\"GENESIS\"", "GENESIS"},
        {"\"a \\\"b\\\" c\\\\\"", "a \"b\" c\\"},
        {"\"half", "\"half"},
        {"\"", "\""},
        {"\"\"", ""},
        {"", ""},
        {"  \t ", ""},
        {" x\ny\x7fz ", "x y z"},
        {"\xc2\x85"
         "a\xc2\x9f"
         "b",
         "a b"},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\x80"},
        {"a\xff"
         "b\xc0\xaf"
         "c\xed\xa0\x80",
         "a?b??c???"},
        {"\xf4\x90\x80\x80", "????"},
        {"cut\xe2\x82", "cut??"},
    };
    char moniker[MODEL_MONIKER_MAX];
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        genesis_moniker(CASES[i][0], strlen(CASES[i][0]), moniker, sizeof(moniker));
        assert_string_equal(moniker, CASES[i][1]);
    }
    genesis_moniker("a\0b", 3, moniker, sizeof(moniker));
    assert_string_equal(moniker, "a b");
    (void)state;
}

static void test_long_monikers(void **state)
{
    char moniker[MODEL_MONIKER_MAX], text[200];
    memset(text, 'm', sizeof(text));
    genesis_moniker(text, sizeof(text), moniker, sizeof(moniker));
    assert_int_equal(strlen(moniker), MODEL_MONIKER_MAX - 1);
    for (size_t shift = 0; shift < 4; shift++) {
        for (size_t i = shift; i + 4 <= sizeof(text); i += 4) {
            memcpy(text + i, "\xf0\x9f\x9a\x80", 4);
        }
        genesis_moniker(text, sizeof(text), moniker, sizeof(moniker));
        size_t length = strlen(moniker);
        assert_true(length <= MODEL_MONIKER_MAX - 1 && length > MODEL_MONIKER_MAX - 5);
        assert_int_equal((length - shift) % 4, 0);
        memset(text, 'm', sizeof(text));
    }
    (void)state;
}

/* --- the stream --- */

enum { FIELD_ROOT = 1, FIELD_LIST, FIELD_ITEM, FIELD_NAME };

static const struct json_node ITEM[] = {{"name", FIELD_NAME, NULL}, {NULL, 0, NULL}};
static const struct json_node LIST[] = {{"[]", FIELD_ITEM, ITEM}, {NULL, 0, NULL}};
static const struct json_node TOP[] = {{"list", FIELD_LIST, LIST}, {NULL, 0, NULL}};
static const struct json_node ROOT = {"", FIELD_ROOT, TOP};

/* Writes what it is given as "field kind text@place ", and fails at the text "stop". */
static bool record(void *user, struct json_stream *stream, const struct json_value *value)
{
    char place[JSON_PLACE_MAX];
    struct text *log = user;
    text_add(log, "%d%c%.*s@%s ", value->field, "0bns{[."[value->kind], (int)value -> length,
             value -> text, json_place(stream, "", place));
    if (value->length == 4 && memcmp(value->text, "stop", 4) == 0) {
        return json_fail(stream, ".x", "%d reasons; none expected; go", 3);
    }
    return true;
}

static bool stream_text(const char *json, struct text *log, char error[GENESIS_ERROR_MAX])
{
    struct json_reader reader = {&ROOT, record, log};
    char copy[4096];
    size_t size = strlen(json);
    assert_true(size > 0 && size < sizeof(copy));
    memcpy(copy, json, size);
    FILE *file = fmemopen(copy, size, "rb");
    assert_non_null(file);
    bool read = json_stream_read(file, "s.json", &reader, error, GENESIS_ERROR_MAX);
    fclose(file);
    return read;
}

static void test_stream_gives_what_is_wanted(void **state)
{
    static const char JSON[] =
        "{\"a\":[{\"name\":1}],\"list\":[{\"name\":\"A\\u0041\",\"list\":[{}]},"
        "[{\"name\":2}],{\"x\":{\"name\":3},\"name\":-1.50e+9},null,true],"
        "\"[]\":{\"name\":4}}";
    char error[GENESIS_ERROR_MAX];
    struct text log = {0};
    assert_true(stream_text(JSON, &log, error));
    assert_string_equal(log.data, "1{@top level 2[@list 3{@list[0] 4sAA@list[0].name 3.@list[0] "
                                  "3[@list[1] 3.@list[1] 3{@list[2] 4n-1.50e+9@list[2].name "
                                  "3.@list[2] 30@list[3] 3btrue@list[4] 2.@list 1.@top level ");
    text_clear(&log);
    (void)state;
}

static void test_stream_list_names_are_no_keys(void **state)
{
    char error[GENESIS_ERROR_MAX];
    struct text log = {0};
    assert_true(stream_text("{\"list\":{\"[]\":{\"name\":1},\"name\":2}}", &log, error));
    assert_string_equal(log.data, "1{@top level 2{@list 2.@list 1.@top level ");
    text_clear(&log);
    (void)state;
}

static void test_stream_errors(void **state)
{
    static const char *const CASES[][2] = {
        {"{\"list\":[{\"name\":1},{\"name\":\"stop\"}]}",
         "s.json: list[1].name.x: 3 reasons; none expected; go"},
        {"{\"list\":[{\"name\":1},",
         "s.json: byte 20 (list[0]): the text ends too early; JSON expected; copy or "
         "export the file again"},
        {"{\"list\":[{\"name\":tru}]}", "s.json: byte "},
        {"{\"a\nb\":1}", "s.json: byte "},
        {"   ", "s.json: byte 3 (top level): the text ends too early"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        char error[GENESIS_ERROR_MAX];
        struct text log = {0};
        assert_false(stream_text(CASES[i][0], &log, error));
        if (strncmp(error, CASES[i][1], strlen(CASES[i][1])) != 0) {
            fail_msg("%s", error);
        }
        text_clear(&log);
    }
    (void)state;
}

static void test_shown_values(void **state)
{
    char shown[JSON_SHOWN_MAX], text[300];
    memset(text, 'x', sizeof(text));
    memcpy(text + 38, "\xf0\x9f\x9a\x80", 4);
    struct json_value value = {JSON_STRING, 1, text, sizeof(text)};
    json_shown(&value, shown);
    assert_string_equal(shown, "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\"");
    assert_string_equal(json_shown(&(struct json_value){JSON_LIST, 1, "", 0}, shown), "a list");
    assert_string_equal(json_shown(&(struct json_value){JSON_NUMBER, 1, "17", 2}, shown), "17");
    assert_string_equal(json_shown(&(struct json_value){JSON_NULL, 1, "", 0}, shown), "null");
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bech32_valid),
        cmocka_unit_test(test_bech32_invalid),
        cmocka_unit_test(test_bech32_left_over_bits),
        cmocka_unit_test(test_bech32_round_trip),
        cmocka_unit_test(test_bech32_of_kira),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_percent_and_seconds),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_key_shapes),
        cmocka_unit_test(test_key_errors),
        cmocka_unit_test(test_monikers),
        cmocka_unit_test(test_long_monikers),
        cmocka_unit_test(test_stream_gives_what_is_wanted),
        cmocka_unit_test(test_stream_list_names_are_no_keys),
        cmocka_unit_test(test_stream_errors),
        cmocka_unit_test(test_shown_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
