/* Hex, base64, and the line of a fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/encoding.h"
#include "proto/fault.h"
#include "proto/utc.h"

static void hex_comes_back(void **state)
{
    (void)state;
    uint8_t all[256], back[256];
    char text[HEX_TEXT(256)];
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)i;
    hex_encode(all, sizeof all, text);
    assert_int_equal(strlen(text), 512);
    assert_memory_equal(text, "000102", 6);
    assert_true(hex_decode(text, 512, back, 256));
    assert_memory_equal(all, back, 256);
    hex_encode_upper(all, sizeof all, text);
    assert_string_equal(text + 500, "FAFBFCFDFEFF");
    assert_true(hex_decode(text, 512, back, 256));
    assert_memory_equal(all, back, 256);
    hex_encode(all, 0, text);
    assert_string_equal(text, "");
    assert_true(hex_decode("", 0, back, 0));
}

static void wrong_hex_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[2];
    assert_false(hex_decode("123", 3, bytes, 2));
    assert_false(hex_decode("12345", 5, bytes, 2));
    assert_false(hex_decode("1234", 4, bytes, 1));
    for (int c = 1; c < 256; c++) {
        char text[] = {'1', (char)c, '2', 'f'};
        bool digit = strchr("0123456789abcdefABCDEF", c) != NULL;
        assert_int_equal(hex_decode(text, 4, bytes, 2), digit);
    }
}

/* The examples of RFC 4648. */
static void base64_as_in_the_rfc(void **state)
{
    static const char *const texts[] = {"",         "Zg==",     "Zm8=",    "Zm9v",
                                        "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[BASE64_TEXT(6)];
        uint8_t back[6];
        size_t size;
        base64_encode((const uint8_t *)"foobar", i, text);
        assert_string_equal(text, texts[i]);
        assert_true(
            base64_decode(texts[i], strlen(texts[i]), back, i, &size)); /* room to the byte */
        assert_int_equal(size, i);
        assert_memory_equal(back, "foobar", i);
        assert_true(i == 0 || !base64_decode(texts[i], strlen(texts[i]), back, i - 1, &size));
    }
}

static void wrong_base64_is_refused(void **state)
{
    static const char *const wrong[] = {
        "Z",    "Zg",       "Zg=",  "Zg===",  "=",    "====", "Z===",  "Zh==", "Zm9=",
        "Zm=v", "Zg==Zg==", "Z g=", "Zm9v\n", "Zm9-", "Zm9_", "Zm9v=", "=m9v", "Zm9v===="};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint8_t bytes[32];
        size_t size;
        if (base64_decode(wrong[i], strlen(wrong[i]), bytes, sizeof bytes, &size))
            fail_msg("\"%s\" was taken", wrong[i]);
    }
}

static void base64_of_every_size_comes_back(void **state)
{
    (void)state;
    uint8_t bytes[100], back[BASE64_BYTES(BASE64_TEXT(100))];
    char text[BASE64_TEXT(100)];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 151 + 3);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        size_t got;
        base64_encode(bytes, size, text);
        assert_int_equal(strlen(text) + 1, BASE64_TEXT(size));
        assert_true(base64_decode(text, strlen(text), back, sizeof back, &got));
        assert_int_equal(got, size);
        assert_memory_equal(back, bytes, size);
    }
}

/* What others wrote may stand in a fault: it stays one line of printable text. */
static void faults_are_one_line(void **state)
{
    (void)state;
    struct fault fault;
    char longest[2 * FAULT_MAX];
    assert_false(fault_set(&fault, "field \"%s\"", "a\nb\x1b[2J\x7f\xc3\xa4"));
    assert_string_equal(fault.text, "field \"a?b?[2J???\"");
    assert_false(fault_within(&fault, "reply"));
    assert_string_equal(fault.text, "reply: field \"a?b?[2J???\"");
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_false(fault_set(&fault, "%s", longest));
    assert_int_equal(strlen(fault.text), FAULT_MAX - 1);
    assert_false(fault_within(&fault, "outer"));
    assert_int_equal(strlen(fault.text), FAULT_MAX - 1);
    assert_memory_equal(fault.text, "outer: xxx", 10);
}

static void times_are_written_as_text(void **state)
{
    static const struct {
        int64_t ms;
        const char *text, *whole;
    } times[] = {
        {INT64_C(1763752518298), "2025-11-21T19:15:18.298Z", "2025-11-21T19:15:18Z"},
        {0, "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00Z"},
        {INT64_C(951868799999), "2000-02-29T23:59:59.999Z", "2000-02-29T23:59:59Z"},
        {-1, "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59Z"},
        {-1000, "1969-12-31T23:59:59.000Z", "1969-12-31T23:59:59Z"},
        {INT64_MAX, "292278994-08-17T07:12:55.807Z", "292278994-08-17T07:12:55Z"},
        {INT64_MIN, "-292275055-05-16T16:47:04.192Z", "-292275055-05-16T16:47:04Z"},
    };
    char text[UTC_TEXT_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        assert_string_equal(utc_text(times[i].ms, text), times[i].text);
        assert_string_equal(utc_text_whole(times[i].ms, text), times[i].whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_comes_back),
        cmocka_unit_test(wrong_hex_is_refused),
        cmocka_unit_test(base64_as_in_the_rfc),
        cmocka_unit_test(wrong_base64_is_refused),
        cmocka_unit_test(base64_of_every_size_comes_back),
        cmocka_unit_test(faults_are_one_line),
        cmocka_unit_test(times_are_written_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
