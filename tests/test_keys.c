/* The store of sealed keys: what is written comes back, and nothing else does. scrypt is cheap in here. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "node/keys.h"
#include "proto/encoding.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define CHEAP ((struct keys_cost){16, 1, 1})
#define PASSPHRASE "a passphrase of the test"
#define PATH_ROOM (KEYS_PATH_MAX + 64)

static const struct secret_key KEY = {{1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                       12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
                                       23, 24, 25, 26, 27, 28, 29, 30, 31, 32}};
#define KEY_PUBLIC "0284bf7562262bbd6940085748f3be6afa52ae317155181ece31b66351ccffa4b0"

static struct sealed_key sealed_of(const char *name)
{
    struct sealed_key sealed;
    struct fault fault;
    assert_true(keys_seal(name, &KEY, PASSPHRASE, CHEAP, &sealed, &fault));
    return sealed;
}

/* --- sealing --- */

static void test_round_trip(void **state)
{
    struct sealed_key sealed = sealed_of("validator"), read;
    char text[KEYS_FILE_MAX], public_hex[HEX_TEXT(ACCOUNT_PUBLIC_SIZE)];
    struct secret_key key;
    struct fault fault;
    size_t size = sealed_write(&sealed, text);
    assert_true(size < KEYS_FILE_MAX && text[size - 1] == '\n');
    assert_true(sealed_read(text, size, &read, &fault));
    assert_memory_equal(&read, &sealed, sizeof read);
    hex_encode(read.public_key, sizeof read.public_key, public_hex);
    assert_string_equal(public_hex, KEY_PUBLIC);
    assert_true(keys_unseal(&read, PASSPHRASE, &key, &fault));
    assert_memory_equal(&key, &KEY, sizeof key);
    (void)state;
}

static void test_what_is_shipped_costs_what_is_documented(void **state)
{
    struct sealed_key sealed;
    struct secret_key key;
    struct fault fault;
    char text[KEYS_FILE_MAX];
    assert_true(keys_seal("real", &KEY, PASSPHRASE, KEYS_COST, &sealed, &fault));
    sealed_write(&sealed, text);
    assert_non_null(strstr(text, "\"n\": 131072, \"r\": 8, \"p\": 1,"));
    assert_true(keys_unseal(&sealed, PASSPHRASE, &key, &fault));
    assert_memory_equal(&key, &KEY, sizeof key);
    (void)state;
}

static void test_wrong_passphrases(void **state)
{
    static const char *const OTHERS[] = {"", "a", PASSPHRASE " ", "A passphrase"};
    static const struct secret_key WIPED = {{0}};
    struct sealed_key sealed = sealed_of("validator");
    for (size_t i = 0; i < LENGTH(OTHERS); i++) {
        struct secret_key key = KEY;
        struct fault fault;
        assert_false(keys_unseal(&sealed, OTHERS[i], &key, &fault));
        assert_non_null(strstr(fault.text, "key validator: the passphrase is wrong"));
        assert_null(strstr(fault.text, PASSPHRASE));
        assert_memory_equal(&key, &WIPED, sizeof key);
    }
    (void)state;
}

/* Two seals of one key share nothing that tells so but the public key. */
static void test_seals_differ(void **state)
{
    struct sealed_key one = sealed_of("validator"), other = sealed_of("validator");
    assert_memory_not_equal(one.salt, other.salt, sizeof one.salt);
    assert_memory_not_equal(one.nonce, other.nonce, sizeof one.nonce);
    assert_memory_not_equal(one.ciphertext, other.ciphertext, sizeof one.ciphertext);
    (void)state;
}

static void test_no_key_is_not_sealed(void **state)
{
    struct secret_key none = {{0}};
    struct sealed_key sealed;
    struct fault fault;
    assert_false(keys_seal("x", &none, PASSPHRASE, CHEAP, &sealed, &fault));
    memset(&none, 0xff, sizeof none);
    assert_false(keys_seal("x", &none, PASSPHRASE, CHEAP, &sealed, &fault));
    (void)state;
}

/* --- the text --- */

static size_t member_hex(const char *text, const char *before, uint8_t *bytes, size_t size)
{
    const char *at = strstr(text, before);
    assert_non_null(at);
    assert_true(hex_decode(at + strlen(before), 2 * size, bytes, size));
    return (size_t)(at - text);
}

/* Opens a file as node/KEYS.md tells it, with nothing of ours. */
static void test_format_is_as_documented(void **state)
{
    struct sealed_key sealed = sealed_of("validator");
    char text[KEYS_FILE_MAX];
    uint8_t salt[32], nonce[12], tag[16], ciphertext[32], checksum[32], digest[32], with[32],
        key[48];
    size_t size = sealed_write(&sealed, text);
    int written = 0;
    member_hex(text, "\"salt\": \"", salt, sizeof salt);
    member_hex(text, "\"nonce\": \"", nonce, sizeof nonce);
    size_t clear = member_hex(text, "  \"tag\": \"", tag, sizeof tag);
    member_hex(text, "  \"ciphertext\": \"", ciphertext, sizeof ciphertext);
    size_t summed = member_hex(text, "  \"sha256\": \"", checksum, sizeof checksum);
    SHA256((const uint8_t *)text, summed, digest);
    assert_memory_equal(checksum, digest, sizeof digest);
    assert_string_equal(text + size - 4, "\"\n}\n");
    assert_int_equal(EVP_PBE_scrypt(PASSPHRASE, strlen(PASSPHRASE), salt, sizeof salt, 16, 1, 1, 0,
                                    with, sizeof with),
                     1);
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    assert_true(EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, with, nonce) &&
                EVP_DecryptUpdate(cipher, NULL, &written, (const uint8_t *)text, (int)clear) &&
                EVP_DecryptUpdate(cipher, key, &written, ciphertext, sizeof ciphertext) &&
                EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) &&
                EVP_DecryptFinal_ex(cipher, key + 32, &written));
    EVP_CIPHER_CTX_free(cipher);
    assert_memory_equal(key, &KEY, sizeof KEY);
    (void)state;
}

static void text_refused(const char *text, size_t size, const char *what)
{
    struct sealed_key read;
    struct fault fault;
    if (sealed_read(text, size, &read, &fault))
        fail_msg("%s is taken", what);
    assert_true(strlen(fault.text) > 0 && !strchr(fault.text, '\n'));
}

/* No altered file gives a key: every byte with every other value, and every byte left out, doubled, or the last. */
static void test_every_byte_counts(void **state)
{
    struct sealed_key sealed = sealed_of("validator");
    char text[KEYS_FILE_MAX], altered[KEYS_FILE_MAX + 1], what[64];
    size_t size = sealed_write(&sealed, text);
    for (size_t i = 0; i < size; i++) {
        snprintf(what, sizeof what, "byte %zu altered", i);
        memcpy(altered, text, size);
        for (int value = 0; value < 256; value++) {
            altered[i] = (char)value;
            if (altered[i] != text[i])
                text_refused(altered, size, what);
        }
        memcpy(altered + i, text + i + 1, size - i - 1);
        text_refused(altered, size - 1, "a byte less");
        altered[i] = text[i];
        memcpy(altered + i + 1, text + i, size - i);
        text_refused(altered, size + 1, "a byte more");
        text_refused(text, i, "a truncated file");
    }
    (void)state;
}

/* With the checksum made anew: the tag covers all that it should. */
static void forged_refused(const struct sealed_key *forged, const char *what)
{
    struct sealed_key read;
    struct secret_key key;
    struct fault fault;
    char text[KEYS_FILE_MAX];
    size_t size = sealed_write(forged, text);
    if (!sealed_read(text, size, &read, &fault))
        return;
    if (keys_unseal(&read, PASSPHRASE, &key, &fault))
        fail_msg("a forged %s is taken", what);
    assert_non_null(strstr(fault.text, "the passphrase is wrong (or the file was forged"));
}

static void forge_bytes(struct sealed_key *sealed, uint8_t *bytes, size_t size, const char *what)
{
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ 1u << bit % 8);
        forged_refused(sealed, what);
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ 1u << bit % 8);
    }
}

static void test_forged_files(void **state)
{
    struct sealed_key sealed = sealed_of("validator"), forged = sealed;
    forge_bytes(&forged, forged.public_key, sizeof forged.public_key, "public key");
    forge_bytes(&forged, forged.salt, sizeof forged.salt, "salt");
    forge_bytes(&forged, forged.nonce, sizeof forged.nonce, "nonce");
    forge_bytes(&forged, forged.tag, sizeof forged.tag, "tag");
    forge_bytes(&forged, forged.ciphertext, sizeof forged.ciphertext, "ciphertext");
    assert_memory_equal(&forged, &sealed, sizeof forged);
    forged.name[0] = 'w';
    forged_refused(&forged, "name");
    forged = sealed;
    forged.cost = (struct keys_cost){32, 1, 1};
    forged_refused(&forged, "n");
    forged.cost = (struct keys_cost){16, 2, 1};
    forged_refused(&forged, "r");
    forged.cost = (struct keys_cost){16, 1, 2};
    forged_refused(&forged, "p");
    (void)state;
}

/* What a hostile file may write for a number or member. */
static void replaced_refused(const char *text, const char *old, const char *new,
                             const char *expected)
{
    char altered[2 * KEYS_FILE_MAX];
    struct sealed_key read;
    struct fault fault;
    const char *at = strstr(text, old);
    assert_non_null(at);
    int size = snprintf(altered, sizeof altered, "%.*s%s%s", (int)(at - text), text, new,
                        at + strlen(old));
    assert_true(size > 0 && (size_t)size < sizeof altered);
    if (sealed_read(altered, (size_t)size, &read, &fault) || !strstr(fault.text, expected))
        fail_msg("%s -> %s: \"%s\" does not say \"%s\"", old, new, fault.text, expected);
}

static void test_hostile_members(void **state)
{
    static const char *const CASES[][3] = {
        {"\"n\": 16", "\"n\": 524288", "kdf: n is no whole number from 1 to 262144"},
        {"\"n\": 16", "\"n\": 1099511627776", "kdf: n is no whole number"},
        {"\"n\": 16", "\"n\": 99999999999999999999", "no JSON"},
        {"\"n\": 16", "\"n\": -16", "kdf: n is no whole number"},
        {"\"n\": 16", "\"n\": 0", "kdf: n is no whole number"},
        {"\"n\": 16", "\"n\": 1", "kdf: n is no power of two"},
        {"\"n\": 16", "\"n\": 24", "kdf: n is no power of two"},
        {"\"n\": 16", "\"n\": 16.0", "kdf: n is no whole number"},
        {"\"n\": 16", "\"n\": 1.6e1", "kdf: n is no whole number"},
        {"\"n\": 16", "\"n\": \"16\"", "kdf: n is no whole number"},
        {"\"n\": 16", "\"n\": 16, \"n\": 16", "no JSON"},
        {"\"r\": 1", "\"r\": 9", "kdf: r is no whole number from 1 to 8"},
        {"\"p\": 1", "\"p\": 5", "kdf: p is no whole number from 1 to 4"},
        {"\"version\": 1", "\"version\": 2", "version is 2, this stagger reads version 1"},
        {"\"version\": 1", "\"version\": null", "version is missing"},
        {"\"version\": 1,", "", "version is missing"},
        {"scrypt", "argon2id", "kdf is another method"},
        {"aes-256-gcm", "aes-256-ctr", "cipher is another method"},
        {"\"kdf\": {", "\"kdf\": 1, \"x\": {", "kdf: name is missing"},
        {"validator", "../../etc/x", "the name of a key"},
        {"validator", "a\\u0000b", "no JSON"},
        {"validator", "", "the name of a key"},
        {"\"salt\": \"", "\"salt\": \"0", "salt is not 64 hex digits"},
        {"\"tag\": \"", "\"tag\": \"zz", "tag is not 32 hex digits"},
        {"\"cipher\"", "\"more\": 1,\n  \"cipher\"", "its checksum or its form"},
        {"{\n", "{\r\n", "its checksum or its form"},
        {"{\n", "[[[[[[[[[[", "no JSON"},
    };
    struct sealed_key sealed = sealed_of("validator");
    char text[KEYS_FILE_MAX];
    sealed_write(&sealed, text);
    for (size_t i = 0; i < LENGTH(CASES); i++)
        replaced_refused(text, CASES[i][0], CASES[i][1], CASES[i][2]);
    (void)state;
}

/* --- the directory --- */

struct store {
    char root[64], directory[128];
};

static int store_make(void **state)
{
    struct store *store = calloc(1, sizeof *store);
    assert_non_null(store);
    snprintf(store->root, sizeof store->root, "/tmp/stagger-test-keys-XXXXXX");
    assert_non_null(mkdtemp(store->root));
    snprintf(store->directory, sizeof store->directory, "%s/share/stagger/keys", store->root);
    *state = store;
    return 0;
}

static int store_drop(void **state)
{
    struct store *store = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", store->root);
    int status = system(command);
    free(store);
    return status;
}

static const char *path_of(const struct store *store, const char *file)
{
    static char path[PATH_ROOM];
    snprintf(path, sizeof path, "%s/%s", store->directory, file);
    return path;
}

static void put(const struct store *store, const char *name)
{
    struct sealed_key sealed = sealed_of(name);
    struct fault fault;
    if (!keys_save(store->directory, &sealed, &fault))
        fail_msg("%s", fault.text);
}

static unsigned mode_of(const char *path)
{
    struct stat about;
    assert_int_equal(lstat(path, &about), 0);
    return (unsigned)about.st_mode & 07777u;
}

static void load_refused(const struct store *store, const char *name, const char *expected)
{
    struct sealed_key sealed;
    struct fault fault;
    if (keys_load(store->directory, name, &sealed, &fault) || !strstr(fault.text, expected))
        fail_msg("%s: \"%s\" does not say \"%s\"", name, fault.text, expected);
}

static void test_save_and_load(void **state)
{
    const struct store *store = *state;
    struct sealed_key sealed;
    struct secret_key key;
    struct fault fault;
    mode_t before = umask(0);
    assert_true(keys_vacant(store->directory, "validator", &fault));
    put(store, "validator");
    umask(before);
    assert_false(keys_vacant(store->directory, "validator", &fault));
    assert_int_equal(mode_of(store->directory), 0700);
    assert_int_equal(mode_of(path_of(store, "validator.key")), 0600);
    assert_true(keys_load(store->directory, "validator", &sealed, &fault));
    assert_true(keys_unseal(&sealed, PASSPHRASE, &key, &fault));
    assert_memory_equal(&key, &KEY, sizeof key);
    load_refused(store, "other", "there is no key other in ");
}

static void test_existing_keys_are_kept(void **state)
{
    const struct store *store = *state;
    struct sealed_key first, second = sealed_of("validator"), read;
    struct fault fault;
    put(store, "validator");
    assert_true(keys_load(store->directory, "validator", &first, &fault));
    assert_false(keys_save(store->directory, &second, &fault));
    assert_non_null(strstr(fault.text, "there is a key validator already"));
    assert_true(keys_load(store->directory, "validator", &read, &fault));
    assert_memory_equal(&read, &first, sizeof read);
    /* a dangling link is a name that is taken, and not written through */
    assert_int_equal(symlink("/nonexistent/elsewhere", path_of(store, "link.key")), 0);
    second = sealed_of("link");
    assert_false(keys_save(store->directory, &second, &fault));
    assert_false(keys_vacant(store->directory, "link", &fault));
}

static void test_permissions_for_others(void **state)
{
    static const mode_t MODES[] = {0640, 0604, 0620, 0602, 0610, 0601, 0666};
    const struct store *store = *state;
    struct sealed_key sealed;
    struct fault fault;
    char(*names)[KEYS_NAME_MAX + 1];
    size_t count;
    put(store, "validator");
    for (size_t i = 0; i < LENGTH(MODES); i++) {
        chmod(path_of(store, "validator.key"), MODES[i]);
        load_refused(store, "validator", "validator.key: others can read it");
    }
    chmod(path_of(store, "validator.key"), 0400);
    assert_true(keys_load(store->directory, "validator", &sealed, &fault));
    for (size_t i = 0; i < LENGTH(MODES); i++) {
        chmod(store->directory, MODES[i] | 0700);
        load_refused(store, "validator", "others can look into it");
        assert_false(keys_names(store->directory, &names, &count, &fault));
        assert_false(keys_delete(store->directory, "validator", &fault));
        sealed = sealed_of("another");
        assert_false(keys_save(store->directory, &sealed, &fault));
        assert_non_null(strstr(fault.text, "chmod 700"));
    }
    chmod(store->directory, 0700);
    assert_true(keys_load(store->directory, "validator", &sealed, &fault));
}

static void text_put(const struct store *store, const char *file, const char *text, size_t size)
{
    FILE *out = fopen(path_of(store, file), "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, size, out), size);
    fclose(out);
    chmod(path_of(store, file), 0600);
}

static void test_files_that_are_none(void **state)
{
    static char large[3 * KEYS_FILE_MAX];
    const struct store *store = *state;
    char from[PATH_ROOM], text[KEYS_FILE_MAX];
    struct sealed_key sealed = sealed_of("validator");
    size_t size = sealed_write(&sealed, text);
    put(store, "validator");
    snprintf(from, sizeof from, "%s", path_of(store, "validator.key"));
    assert_int_equal(symlink(from, path_of(store, "link.key")), 0);
    load_refused(store, "link", "link.key: cannot be opened");
    assert_int_equal(mkfifo(path_of(store, "fifo.key"), 0600), 0);
    load_refused(store, "fifo", "fifo.key: is no file"); /* and nobody waits for a writer */
    assert_int_equal(mkdir(path_of(store, "folder.key"), 0700), 0);
    load_refused(store, "folder", "folder.key: is no file");
    text_put(store, "empty.key", "", 0);
    load_refused(store, "empty", "empty.key: is damaged");
    memset(large, ' ', sizeof large);
    memcpy(large, text, size);
    text_put(store, "large.key", large, sizeof large);
    load_refused(store, "large", "large.key: is no key file of stagger: it has more than");
    text_put(store, "copy.key", text, size);
    load_refused(store, "copy", "copy.key: is the file of key validator");
    text_put(store, "cut.key", text, size / 2);
    load_refused(store, "cut", "cut.key: is damaged");
}

static void test_names_of_keys(void **state)
{
    static const char *const GOOD[] = {"a", "0", "_", "-", "abcdefghijklmnopqrstuvwxyz012345"};
    static const char *const BAD[] = {"",
                                      "A",
                                      "a.b",
                                      "a/b",
                                      "../a",
                                      "a b",
                                      "a\n",
                                      "\xc3\xa9",
                                      ".",
                                      "a\x7f",
                                      "abcdefghijklmnopqrstuvwxyz0123456"};
    struct fault fault;
    for (size_t i = 0; i < LENGTH(GOOD); i++)
        assert_true(keys_name_check(GOOD[i], &fault));
    for (size_t i = 0; i < LENGTH(BAD); i++) {
        struct sealed_key sealed;
        assert_false(keys_name_check(BAD[i], &fault));
        assert_false(keys_load("/tmp", BAD[i], &sealed, &fault));
        assert_string_equal(fault.text, "the name of a key is 1 to 32 characters of a-z 0-9 _ -");
    }
    (void)state;
}

static void test_list_and_delete(void **state)
{
    const struct store *store = *state;
    char(*names)[KEYS_NAME_MAX + 1];
    struct fault fault;
    size_t count;
    assert_true(keys_names(store->directory, &names, &count, &fault));
    assert_int_equal(count, 0);
    assert_null(names);
    put(store, "zulu");
    put(store, "alpha");
    put(store, "mike-2");
    text_put(store, ".draft-0011223344556677", "{", 1); /* of a crash */
    text_put(store, "README", "not a key", 9);
    text_put(store, "UPPER.key", "not a key", 9);
    text_put(store, ".key", "not a key", 9);
    text_put(store, "abcdefghijklmnopqrstuvwxyz0123456.key", "", 0);
    assert_true(keys_names(store->directory, &names, &count, &fault));
    assert_int_equal(count, 3);
    assert_string_equal(names[0], "alpha");
    assert_string_equal(names[1], "mike-2");
    assert_string_equal(names[2], "zulu");
    free(names);
    assert_true(keys_delete(store->directory, "mike-2", &fault));
    assert_false(keys_delete(store->directory, "mike-2", &fault));
    assert_non_null(strstr(fault.text, "there is no key mike-2"));
    assert_true(keys_vacant(store->directory, "mike-2", &fault));
}

/* Many names, so that the list grows. */
static void test_long_list(void **state)
{
    const struct store *store = *state;
    char(*names)[KEYS_NAME_MAX + 1], file[32];
    struct fault fault;
    size_t count;
    put(store, "k-first");
    for (int i = 0; i < 100; i++) {
        snprintf(file, sizeof file, "k%03d.key", i);
        text_put(store, file, "", 0);
    }
    assert_true(keys_names(store->directory, &names, &count, &fault));
    assert_int_equal(count, 101);
    assert_string_equal(names[0], "k-first");
    assert_string_equal(names[100], "k099");
    free(names);
}

static void test_saving_leaves_no_draft(void **state)
{
    const struct store *store = *state;
    struct sealed_key again = sealed_of("validator");
    struct fault fault;
    char command[256];
    put(store, "validator");
    assert_false(keys_save(store->directory, &again, &fault));
    snprintf(command, sizeof command, "test \"$(ls -A '%s')\" = validator.key", store->directory);
    assert_int_equal(system(command), 0);
}

static void test_directories_that_cannot_be(void **state)
{
    const struct store *store = *state;
    struct sealed_key sealed = sealed_of("validator");
    char path[PATH_ROOM];
    struct fault fault;
    assert_false(keys_save("", &sealed, &fault));
    assert_false(keys_save("/proc/none/keys", &sealed, &fault));
    snprintf(path, sizeof path, "%s/file", store->root);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    assert_false(keys_save(path, &sealed, &fault));
    assert_non_null(strstr(fault.text, path));
    assert_false(keys_vacant(path, "validator", &fault));
}

static void test_usual_directory(void **state)
{
    char path[KEYS_PATH_MAX];
    struct fault fault;
    setenv("HOME", "/root/of/someone", 1);
    setenv("XDG_DATA_HOME", "/data", 1);
    assert_true(keys_directory(path, &fault));
    assert_string_equal(path, "/data/stagger/keys");
    setenv("XDG_DATA_HOME", "relative", 1);
    assert_true(keys_directory(path, &fault));
    assert_string_equal(path, "/root/of/someone/.local/share/stagger/keys");
    unsetenv("XDG_DATA_HOME");
    assert_true(keys_directory(path, &fault));
    assert_string_equal(path, "/root/of/someone/.local/share/stagger/keys");
    setenv("HOME", "", 1);
    assert_false(keys_directory(path, &fault));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_what_is_shipped_costs_what_is_documented),
        cmocka_unit_test(test_wrong_passphrases),
        cmocka_unit_test(test_seals_differ),
        cmocka_unit_test(test_no_key_is_not_sealed),
        cmocka_unit_test(test_format_is_as_documented),
        cmocka_unit_test(test_every_byte_counts),
        cmocka_unit_test(test_forged_files),
        cmocka_unit_test(test_hostile_members),
        cmocka_unit_test_setup_teardown(test_save_and_load, store_make, store_drop),
        cmocka_unit_test_setup_teardown(test_existing_keys_are_kept, store_make, store_drop),
        cmocka_unit_test_setup_teardown(test_permissions_for_others, store_make, store_drop),
        cmocka_unit_test_setup_teardown(test_files_that_are_none, store_make, store_drop),
        cmocka_unit_test(test_names_of_keys),
        cmocka_unit_test_setup_teardown(test_list_and_delete, store_make, store_drop),
        cmocka_unit_test_setup_teardown(test_long_list, store_make, store_drop),
        cmocka_unit_test_setup_teardown(test_saving_leaves_no_draft, store_make, store_drop),
        cmocka_unit_test_setup_teardown(test_directories_that_cannot_be, store_make, store_drop),
        cmocka_unit_test(test_usual_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
