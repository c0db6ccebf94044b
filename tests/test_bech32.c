/* Bech32 against the examples of BIP-173, and against itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/bech32.h"

static const char *decode(const char *text, struct bech32 *decoded)
{
    size_t length = strlen(text);
    char *exact = malloc(length > 0 ? length : 1); /* without a terminator */
    assert_non_null(exact);
    memcpy(exact, text, length);
    const char *wrong = bech32_decode(exact, length, decoded);
    free(exact);
    return wrong;
}

/* The checksums of these are right; whether their data is whole bytes is another matter. */
static void valid_checksums(void **state)
{
    static const char *const valid[] = {
        "A12UEL5L",
        "a12uel5l",
        "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
        "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
        "11qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqc8247j",
        "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
        "?1ezyfcl",
    };
    (void)state;
    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++) {
        struct bech32 decoded;
        const char *wrong = decode(valid[i], &decoded);
        if (wrong && !strstr(wrong, "whole number of bytes"))
            fail_msg("%s: %s", valid[i], wrong);
    }
}

static void invalid_texts(void **state)
{
    static const char *const invalid[] = {
        " 1nwldj5",
        "\x7f"
        "1axkwrx",
        "\x80"
        "1eym55h",
        "an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1569pvx",
        "pzry9x0s0muk",
        "1pzry9x0s0muk",
        "x1b4n0q5v",
        "li1dgmt3",
        "de1lg7wt\xff",
        "A1G7SGD8",
        "10a06t8",
        "1qzzfhee",
        "a12UEL5L",
        "",
        "1",
        "kira1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
        struct bech32 decoded;
        if (!decode(invalid[i], &decoded))
            fail_msg("\"%s\" was taken", invalid[i]);
    }
}

static void every_size_comes_back(void **state)
{
    (void)state;
    uint8_t bytes[BECH32_BYTES_MAX];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + 11);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        char text[BECH32_TEXT_MAX];
        struct bech32 decoded;
        assert_int_equal(bech32_encode("k", bytes, size, text),
                         1 + 1 + (size * 8 + 4) / 5 + 6 <= 90);
        if (text[0] == '\0')
            continue;
        assert_null(decode(text, &decoded));
        assert_string_equal(decoded.prefix, "k");
        assert_int_equal(decoded.size, size);
        assert_memory_equal(decoded.bytes, bytes, size);
    }
}

/* The checksum notices every change of one character, and bytes left over are refused. */
static void every_changed_character_is_noticed(void **state)
{
    (void)state;
    char text[] = "kiravaloper1tp7fhly84qm6q4hhzmp0nh5frtdugmyslr4cfg";
    for (size_t at = 0; text[at]; at++)
        for (int c = 1; c < 256; c++) {
            struct bech32 decoded;
            char was = text[at];
            if ((char)c == was)
                continue;
            text[at] = (char)c;
            if (!bech32_decode(text, sizeof text - 1, &decoded))
                fail_msg("%s was taken", text);
            text[at] = was;
        }
}

static void prefixes(void **state)
{
    (void)state;
    char text[BECH32_TEXT_MAX], longest[85];
    const uint8_t byte = 7;
    struct bech32 decoded;
    assert_false(bech32_encode("", &byte, 1, text));
    assert_false(bech32_encode("Kira", &byte, 1, text));
    assert_false(bech32_encode("ki ra", &byte, 1, text));
    assert_int_equal(text[0], '\0');
    memset(longest, 'z', sizeof longest);
    longest[83] = '\0';
    assert_true(bech32_encode(longest, &byte, 0, text));
    assert_false(bech32_encode(longest, &byte, 1, text));
    assert_true(bech32_encode("mykiravaloper", &byte, 1, text));
    assert_null(decode(text, &decoded));
    assert_true(bech32_prefix_ends(&decoded, "valoper"));
    assert_false(bech32_prefix_ends(&decoded, "valcons"));
    assert_false(bech32_prefix_ends(&decoded, "notmykiravaloper"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_checksums),
        cmocka_unit_test(invalid_texts),
        cmocka_unit_test(every_size_comes_back),
        cmocka_unit_test(every_changed_character_is_noticed),
        cmocka_unit_test(prefixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
