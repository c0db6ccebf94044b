/* Keys, addresses and signatures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/account.h"
#include "proto/encoding.h"

static void from_hex(const char *hex, uint8_t *bytes, size_t size)
{
    assert_true(hex_decode(hex, strlen(hex), bytes, size));
}

static void same_hex(const uint8_t *bytes, size_t size, const char *hex)
{
    char text[256];
    assert_true(HEX_TEXT(size) <= sizeof text);
    hex_encode(bytes, size, text);
    assert_string_equal(text, hex);
}

static void a_known_key_gives_its_addresses(void **state)
{
    (void)state;
    uint8_t key[ACCOUNT_KEY_SIZE], public_key[ACCOUNT_PUBLIC_SIZE], address[ACCOUNT_ADDRESS_SIZE];
    char text[BECH32_TEXT_MAX];
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(i + 1);
    assert_true(account_public(key, public_key));
    same_hex(public_key, sizeof public_key,
             "0284bf7562262bbd6940085748f3be6afa52ae317155181ece31b66351ccffa4b0");
    assert_true(account_public_check(public_key));
    account_address(public_key, address);
    assert_true(bech32_encode("kira", address, sizeof address, text));
    assert_string_equal(text, "kira1tp7fhly84qm6q4hhzmp0nh5frtdugmysv9fm3y");
    assert_true(bech32_encode("kiravaloper", address, sizeof address, text));
    assert_string_equal(text, "kiravaloper1tp7fhly84qm6q4hhzmp0nh5frtdugmyslr4cfg");
}

/* The order of the group; keys lie below it. */
#define ORDER "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
#define ORDER_LESS_1 "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140"

static void keys_that_are_none(void **state)
{
    (void)state;
    uint8_t key[ACCOUNT_KEY_SIZE] = {0}, public_key[ACCOUNT_PUBLIC_SIZE];
    uint8_t signature[ACCOUNT_SIGNATURE_SIZE], zero[ACCOUNT_SIGNATURE_SIZE] = {0};
    const uint8_t message[] = "m";
    assert_false(account_public(key, public_key));
    assert_false(account_sign(key, message, 1, signature));
    assert_memory_equal(signature, zero, sizeof zero);
    from_hex(ORDER, key, sizeof key);
    assert_false(account_public(key, public_key));
    assert_memory_equal(public_key, zero, sizeof public_key);
    assert_false(account_sign(key, message, 1, signature));
    from_hex(ORDER_LESS_1, key, sizeof key);
    assert_true(account_public(key, public_key));
    assert_true(account_sign(key, message, 1, signature));
    assert_true(account_verify(public_key, message, 1, signature));
}

/* Widely used vectors of RFC 6979 on secp256k1 with SHA-256: (key, message, signature). */
static const struct {
    const char *key, *message, *signature;
} nonces[] = {
    {"0000000000000000000000000000000000000000000000000000000000000001", "Satoshi Nakamoto",
     "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
     "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5"},
    {ORDER_LESS_1, "Satoshi Nakamoto",
     "fd567d121db66e382991534ada77a6bd3106f0a1098c231e47993447cd6af2d0"
     "6b39cd0eb1bc8603e159ef5c20a5c8ad685a45b06ce9bebed3f153d10d93bed5"},
};

static void nonces_follow_rfc_6979(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof nonces / sizeof nonces[0]; i++) {
        uint8_t key[ACCOUNT_KEY_SIZE], signature[ACCOUNT_SIGNATURE_SIZE];
        from_hex(nonces[i].key, key, sizeof key);
        assert_true(account_sign(key, (const uint8_t *)nonces[i].message, strlen(nonces[i].message),
                                 signature));
        same_hex(signature, sizeof signature, nonces[i].signature);
    }
}

/* r, and the order less s: the same signature to a verifier that is not strict. */
static void negate(uint8_t signature[ACCOUNT_SIGNATURE_SIZE])
{
    uint8_t order[32];
    int borrow = 0;
    from_hex(ORDER, order, sizeof order);
    for (int i = 31; i >= 0; i--) {
        int digit = order[i] - signature[32 + i] - borrow;
        borrow = digit < 0;
        signature[32 + i] = (uint8_t)(digit + (borrow ? 256 : 0));
    }
}

static void only_the_lower_half_verifies(void **state)
{
    (void)state;
    uint8_t key[ACCOUNT_KEY_SIZE] = {7}, public_key[ACCOUNT_PUBLIC_SIZE];
    uint8_t signature[ACCOUNT_SIGNATURE_SIZE];
    const uint8_t message[] = "message";
    assert_true(account_public(key, public_key));
    assert_true(account_sign(key, message, sizeof message, signature));
    assert_true(account_verify(public_key, message, sizeof message, signature));
    assert_false(account_verify(public_key, message, sizeof message - 1, signature));
    negate(signature);
    assert_false(account_verify(public_key, message, sizeof message, signature));
    negate(signature);
    assert_true(account_verify(public_key, message, sizeof message, signature));
}

static void every_bit_of_a_signature_counts(void **state)
{
    (void)state;
    uint8_t key[ACCOUNT_KEY_SIZE] = {9, 1}, public_key[ACCOUNT_PUBLIC_SIZE];
    uint8_t signature[ACCOUNT_SIGNATURE_SIZE];
    const uint8_t message[] = "message";
    assert_true(account_public(key, public_key));
    assert_true(account_sign(key, message, sizeof message, signature));
    for (size_t bit = 0; bit < sizeof signature * 8; bit++) {
        signature[bit / 8] = (uint8_t)(signature[bit / 8] ^ 1 << bit % 8);
        assert_false(account_verify(public_key, message, sizeof message, signature));
        signature[bit / 8] = (uint8_t)(signature[bit / 8] ^ 1 << bit % 8);
    }
    memset(signature, 0xff, sizeof signature);
    assert_false(account_verify(public_key, message, sizeof message, signature));
    memset(signature, 0, sizeof signature);
    assert_false(account_verify(public_key, message, sizeof message, signature));
    public_key[0] = 5;
    assert_false(account_public_check(public_key));
    assert_false(account_verify(public_key, message, sizeof message, signature));
}

static void addresses_are_parsed_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *text, *prefix, *fault;
    } wrong[] = {
        {"kira1tp7fhly84qm6q4hhzmp0nh5frtdugmysv9fm3z", "kira", "checksum does not match"},
        {"kira1tp7fhly84qm6q4hhzmp0nh5frtdugmysv9fm3y", "cosmos", "begins with \"cosmos1\""},
        {"kira1tp7fhly84qm6q4hhzmp0nh5frtdugmysv9fm3y", "kiravaloper", "address of \"kira\""},
        {"kiravaloper1tp7fhly84qm6q4hhzmp0nh5frtdugmyslr4cfg", "kira", "\"kiravaloper\""},
        {"a12uel5l", "a", "holds 0 bytes"},
        {"", "kira", "no prefix"},
        {"kira", "kira", "no prefix"},
    };
    (void)state;
    uint8_t address[ACCOUNT_ADDRESS_SIZE];
    struct fault fault;
    assert_true(
        account_parse("KIRA1TP7FHLY84QM6Q4HHZMP0NH5FRTDUGMYSV9FM3Y", "kira", address, &fault));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(account_parse(wrong[i].text, wrong[i].prefix, address, &fault));
        if (!strstr(fault.text, wrong[i].fault))
            fail_msg("\"%s\" lacks \"%s\"", fault.text, wrong[i].fault);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_key_gives_its_addresses),
        cmocka_unit_test(keys_that_are_none),
        cmocka_unit_test(nonces_follow_rfc_6979),
        cmocka_unit_test(only_the_lower_half_verifies),
        cmocka_unit_test(every_bit_of_a_signature_counts),
        cmocka_unit_test(addresses_are_parsed_strictly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
