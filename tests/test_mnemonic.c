/* Mnemonics and derivation against the vectors of BIP-39 and BIP-32, and what people mistype. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "node/hd.h"
#include "node/keys.h"
#include "node/mnemonic.h"
#include "proto/encoding.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define ABANDON_11                                                                                 \
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon"
#define ABANDON ABANDON_11 " about"

static void hex_expect(const uint8_t *bytes, size_t size, const char *expected)
{
    char text[HEX_TEXT(64)];
    assert_true(size <= 64);
    hex_encode(bytes, size, text);
    assert_string_equal(text, expected);
}

/* --- BIP-39 --- */

/* Entropy, mnemonic, and the seed with the passphrase TREZOR. */
static const char *const VECTORS[][3] = {
    {"00000000000000000000000000000000", ABANDON,
     "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf1"
     "41630c7a3c4ab7c81b2f001698e7463b04"},
    {"7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
     "legal winner thank year wave sausage worth useful legal winner thank yellow",
     "2e8905819b8723fe2c1d161860e5ee1830318dbf49a83bd451cfb8440c28bd6fa457fe1296106559a3c80937a1c106"
     "9be3a3a5bd381ee6260e8d9739fce1f607"},
    {"ffffffffffffffffffffffffffffffff", "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong",
     "ac27495480225222079d7be181583751e86f571027b0497b5b5d11218e0a8a13332572917f0f8e5a589620c6f15b11"
     "c61dee327651a14c34e18231052e48c069"},
    {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo "
     "vote",
     "dd48c104698c30cfe2b6142103248622fb7bb0ff692eebb00089b32d22484e1613912f0a5b694407be899ffd31ed39"
     "92c456cdf60f5d4564b8ba3f05a69890ad"},
    {"9e885d952ad362caeb4efe34a8e91bd2",
     "ozone drill grab fiber curtain grace pudding thank cruise elder eight picnic",
     "274ddc525802f7c828d8ef7ddbcdc5304e87ac3535913611fbbfa986d0c9e5476c91689f9c8a54fd55bd38606aa6a8"
     "595ad213d4c9c9f9aca3fb217069a41028"},
    {"6610b25967cdcca9d59875f5cb50b0ea75433311869e930b",
     "gravity machine north sort system female filter attitude volume fold club stay feature off"
     "ice ecology stable narrow fog",
     "628c3827a8823298ee685db84f55caa34b5cc195a778e52d45f59bcf75aba68e4d7590e101dc414bc1bbd5737666fb"
     "bef35d1f1903953b66624f910feef245ac"},
    {"f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f",
     "void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing "
     "screen patrol group space point ten exist slush involve unfold",
     "01f5bced59dec48e362f2c45b5de68b9fd6c92c6634f44d6d40aab69056506f0e35524a518034ddc1192e1dacd32c1"
     "ed3eaa3c3b131c88ed8e7e54c49a5d0998"},
};

#define BARE_SEED                                                                                  \
    "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc1"                             \
    "9a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4"
static const char *const VECTOR_BARE[3] = {"00000000000000000000000000000000", ABANDON, BARE_SEED};

static void vector_check(const char *const vector[3], const char *further)
{
    uint8_t entropy[MNEMONIC_ENTROPY_MAX], seed[MNEMONIC_SEED_SIZE];
    size_t size = strlen(vector[0]) / 2;
    struct mnemonic made, read;
    struct fault fault;
    assert_true(hex_decode(vector[0], 2 * size, entropy, size));
    mnemonic_from_entropy(entropy, size, &made);
    assert_string_equal(made.text, vector[1]);
    assert_true(mnemonic_read(vector[1], strlen(vector[1]), &read, &fault));
    assert_string_equal(read.text, vector[1]);
    assert_int_equal(read.words, made.words);
    mnemonic_seed(&read, further, seed);
    hex_expect(seed, sizeof seed, vector[2]);
}

static void test_standard_vectors(void **state)
{
    for (size_t i = 0; i < LENGTH(VECTORS); i++)
        vector_check(VECTORS[i], "TREZOR");
    vector_check(VECTOR_BARE, "");
    (void)state;
}

static void test_list_is_sorted(void **state)
{
    for (size_t i = 0; i + 1 < MNEMONIC_LIST; i++)
        assert_true(strcmp(mnemonic_words[i], mnemonic_words[i + 1]) < 0);
    assert_string_equal(mnemonic_words[MNEMONIC_LIST - 1], "zoo");
    (void)state;
}

static void test_new_ones_differ_and_read_back(void **state)
{
    static const uint32_t WORDS[] = {12, 15, 18, 21, 24};
    for (size_t i = 0; i < LENGTH(WORDS); i++) {
        struct mnemonic one, other, read;
        struct fault fault;
        assert_true(mnemonic_new(WORDS[i], &one) && mnemonic_new(WORDS[i], &other));
        assert_string_not_equal(one.text, other.text);
        assert_true(mnemonic_read(one.text, strlen(one.text), &read, &fault));
        assert_int_equal(read.words, WORDS[i]);
        assert_memory_equal(&read, &one, sizeof read);
    }
    (void)state;
}

static void test_forms_that_people_type(void **state)
{
    static const char TYPED[] =
        "\n\t abandon ABANDON Abandon\r\nabandon   abandon abandon abandon\n"
        "abandon abandon\vabandon abandon aboUT \n\n";
    struct mnemonic read;
    struct fault fault;
    assert_true(mnemonic_read(TYPED, strlen(TYPED), &read, &fault));
    assert_string_equal(read.text, ABANDON);
    (void)state;
}

static void refused(const char *text, size_t length, const char *expected)
{
    struct mnemonic read;
    struct fault fault;
    assert_false(mnemonic_read(text, length, &read, &fault));
    if (!strstr(fault.text, expected))
        fail_msg("\"%s\" does not say \"%s\"", fault.text, expected);
    assert_string_equal(read.text, "");
}

static void test_mistakes_are_named(void **state)
{
    static const char *const CASES[][2] = {
        {"", "has 0 words"},
        {"abandon", "has 1 word;"},
        {ABANDON_11, "has 11 words"},
        {ABANDON " about", "has 13 words"},
        {ABANDON " " ABANDON " about", "has 25 words"},
        {"abandn " ABANDON_11,
         "word 1 is not in the English list of BIP-39; did you mean \"abandon\"?"},
        {ABANDON_11 " abuot",
         "word 12 is not in the English list of BIP-39; did you mean \"about\"?"},
        {ABANDON_11 " zo", "did you mean \"zoo\"?"},
        {ABANDON_11 " zooz", "did you mean \"zoo\"?"},
        {ABANDON_11 " zzzzzzzz", "word 12 is not in the English list of BIP-39; look at"},
        {ABANDON_11 " abandonabandonabandonabandon", "word 12 is not in"},
        {ABANDON_11 " caf\xc3\xa9", "word 12 is not in"},
        {ABANDON_11 " abandon", "checksum does not match"},
        {"about " ABANDON_11, "checksum does not match"},
    };
    for (size_t i = 0; i < LENGTH(CASES); i++)
        refused(CASES[i][0], strlen(CASES[i][0]), CASES[i][1]);
    /* a zero byte is a character like any other that no word has, the end of a word of the list included */
    refused(ABANDON_11 " zoo\0\0\0\0\0\0\0", sizeof ABANDON_11 + 11, "word 12 is not in");
    (void)state;
}

/* Every word but the right ones (1 in 16 for a checksum of four bits) is noticed. */
static void test_checksum_counts(void **state)
{
    uint32_t taken = 0;
    for (uint32_t i = 0; i < MNEMONIC_LIST; i++) {
        char text[MNEMONIC_TEXT_MAX];
        struct mnemonic read;
        struct fault fault;
        int length = snprintf(text, sizeof text, ABANDON_11 " %s", mnemonic_words[i]);
        taken += mnemonic_read(text, (size_t)length, &read, &fault) ? 1 : 0;
    }
    assert_int_equal(taken, MNEMONIC_LIST / 16);
    (void)state;
}

/* --- BIP-32 --- */

static void derive_expect(const char *seed_hex, const char *path_text, const char *expected)
{
    uint8_t seed[HD_SEED_MAX];
    size_t size = strlen(seed_hex) / 2;
    struct hd_path path;
    struct secret_key key;
    struct fault fault;
    assert_true(hex_decode(seed_hex, 2 * size, seed, size));
    assert_true(hd_path_read(path_text, &path, &fault));
    assert_true(hd_derive(seed, size, &path, &key, &fault));
    hex_expect(key.bytes, sizeof key.bytes, expected);
}

static void test_derivation_vector_1(void **state)
{
    static const char SEED[] = "000102030405060708090a0b0c0d0e0f";
    static const char *const KEYS[][2] = {
        {"m", "e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35"},
        {"m/0'", "edb2e14f9ee77d26dd93b4ecede8d16ed408ce149b6cd80b0715a2d911a0afea"},
        {"0h/1", "3c6cb8d0f6a264c91ea8b5030fadaa8e538b020f0a387421a12de9319dc93368"},
        {"0'/1/2H", "cbce0d719ecf7431d88e6a89fa1483e02e35092af60c042b1df2ff59fa424dca"},
        {"m/0'/1/2'/2", "0f479245fb19a38a1954c5c7c0ebab2f9bdfd96a17563ef28a6a4b1a2a764ef4"},
        {"0'/1/2'/2/1000000000",
         "471b76e389e528d6de6d816857e012c5455051cad6660850e58372a6c3e6e7c8"},
    };
    for (size_t i = 0; i < LENGTH(KEYS); i++)
        derive_expect(SEED, KEYS[i][0], KEYS[i][1]);
    (void)state;
}

static void test_derivation_vector_2(void **state)
{
    static const char SEED[] =
        "fffcf9f6f3f0edeae7e4e1dedbd8d5d2cfccc9c6c3c0bdbab7b4b1aeaba8a5a29f9c999693908d8a8784817e7b"
        "7875726f6c696663605d5a5754514e4b484542";
    static const char *const KEYS[][2] = {
        {"m", "4b03d6fc340455b363f51020ad3ecca4f0850280cf436c70c727923f6db46c3e"},
        {"m/0", "abe74a98f6c7eabee0428f53798f0ab8aa1bd37873999041703c742f15ac7e1e"},
        {"m/0/2147483647'", "877c779ad9687164e9c2f4f0f4ff0340814392330693ce95a58fe18fd52e6e93"},
        {"m/0/2147483647'/1", "704addf544a06e5ee4bea37098463c23613da32020d604506da8c0518e1da4b7"},
        {"m/0/2147483647'/1/2147483646'",
         "f1c7c871a54a804afe328b4c83a1c33b8e5ff48f5087273f04efa83b247d6a2d"},
        {"m/0/2147483647'/1/2147483646'/2",
         "bb7d39bdb83ecf58f2fd82b6d918341cbef428661ef01ab97c28a4842125ac23"},
    };
    for (size_t i = 0; i < LENGTH(KEYS); i++)
        derive_expect(SEED, KEYS[i][0], KEYS[i][1]);
    (void)state;
}

static void test_paths_that_are_none(void **state)
{
    static const char *const PATHS[] = {"",
                                        "m/",
                                        "/",
                                        "44'//0",
                                        "44'/118'/",
                                        "44''",
                                        "x",
                                        "m44",
                                        "-1",
                                        "+1",
                                        " 1",
                                        "1 ",
                                        "2147483648",
                                        "00",
                                        "01/2",
                                        "1'h",
                                        "M/1",
                                        "1/m",
                                        "0x2",
                                        "99999999999999999999",
                                        "1/2/3/4/5/6/7/8/9/10/11"};
    for (size_t i = 0; i < LENGTH(PATHS); i++) {
        struct hd_path path;
        struct fault fault;
        if (hd_path_read(PATHS[i], &path, &fault))
            fail_msg("\"%s\" was taken", PATHS[i]);
    }
    (void)state;
}

/* --- texts that hold a key --- */

static void address_expect(const char *text, const char *path_text, const char *prefix,
                           const char *expected)
{
    uint8_t public_key[ACCOUNT_PUBLIC_SIZE], address[ACCOUNT_ADDRESS_SIZE];
    char shown[BECH32_TEXT_MAX];
    struct hd_path path;
    struct secret_key key;
    struct fault fault;
    enum keys_text kind;
    assert_true(hd_path_read(path_text, &path, &fault));
    if (!keys_from_text(text, strlen(text), &path, &key, &kind, &fault))
        fail_msg("%s", fault.text);
    assert_true(account_public(key.bytes, public_key));
    account_address(public_key, address);
    assert_true(bech32_encode(prefix, address, sizeof address, shown));
    assert_string_equal(shown, expected);
}

static void test_known_addresses(void **state)
{
    static const char RAW[] = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20";
    static const char KIRA[] = "kira1tp7fhly84qm6q4hhzmp0nh5frtdugmysv9fm3y";
    address_expect(ABANDON, HD_PATH, "cosmos", "cosmos19rl4cm2hmr8afy4kldpxz3fka4jguq0auqdal4");
    address_expect(ABANDON "\n", "m/44h/118h/0h/0/0", "cosmosvaloper",
                   "cosmosvaloper19rl4cm2hmr8afy4kldpxz3fka4jguq0ae5egnx");
    address_expect(RAW, HD_PATH, "kira", KIRA);
    address_expect("0x0102030405060708090A0b0c0d0e0f101112131415161718191a1b1c1d1E1F20\r\n",
                   HD_PATH, "kira", KIRA);
    address_expect("\n  0X0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20  ",
                   HD_PATH, "kiravaloper", "kiravaloper1tp7fhly84qm6q4hhzmp0nh5frtdugmyslr4cfg");
    (void)state;
}

static void text_refused(const char *text, const struct hd_path *path, const char *expected)
{
    static const struct secret_key WIPED = {{0}};
    struct secret_key key;
    struct fault fault;
    enum keys_text kind;
    memset(&key, 0xff, sizeof key);
    bool taken = keys_from_text(text, strlen(text), path, &key, &kind, &fault);
    if (taken || !strstr(fault.text, expected))
        fail_msg("\"%s\": %s", text, taken ? "taken" : fault.text);
    if (path && strlen(text) > 40) /* no piece of it in the line */
        assert_null(strstr(fault.text, text + strlen(text) - 20));
    if (!strstr(expected, "empty") && !strstr(expected, "JSON") && !strstr(expected, "sekaid"))
        assert_memory_equal(&key, &WIPED, sizeof key); /* whatever was read of it is wiped */
}

#define D63 "102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
#define ORDER "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"

static void test_texts_that_hold_no_key(void **state)
{
    static const char *const CASES[][2] = {
        {"", "is empty"},
        {" \n\t", "is empty"},
        {D63, "has 63 hex digits; expected 64"},
        {"00" D63, "has 65 hex digits; expected 64"},
        {"0x" D63, "has 63 hex digits; expected 64"},
        {"0x", "has 0 hex digits"},
        {"g" D63, "character 1 is no hex digit"},
        {"0x0g" D63, "character 4 is no hex digit"},
        {ORDER, "zero, or not below the order"},
        {ZERO, "zero, or not below the order"},
        {"-----BEGIN TENDERMINT PRIVATE KEY-----\nkdf: bcrypt\nsalt: 00\ntype: secp256k1\n\nabc=\n",
         "`sekaid keys export NAME --unarmored-hex --unsafe`"},
        {"{\"address\":\"\",\"priv_key\":{\"type\":\"tendermint/PrivKeyEd25519\",\"value\":\"\"}}",
         "is JSON"},
        {"0102 0304", "the mnemonic: has 2 words"},
        {ABANDON_11, "the mnemonic: has 11 words"},
    };
    struct hd_path path;
    struct fault fault;
    assert_true(hd_path_read(HD_PATH, &path, &fault));
    for (size_t i = 0; i < LENGTH(CASES); i++)
        text_refused(CASES[i][0], &path, CASES[i][1]);
    text_refused(ABANDON, NULL, "`stagger keys import`");
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_standard_vectors),
        cmocka_unit_test(test_list_is_sorted),
        cmocka_unit_test(test_new_ones_differ_and_read_back),
        cmocka_unit_test(test_forms_that_people_type),
        cmocka_unit_test(test_mistakes_are_named),
        cmocka_unit_test(test_checksum_counts),
        cmocka_unit_test(test_derivation_vector_1),
        cmocka_unit_test(test_derivation_vector_2),
        cmocka_unit_test(test_paths_that_are_none),
        cmocka_unit_test(test_known_addresses),
        cmocka_unit_test(test_texts_that_hold_no_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
