/* Who signs. The external commands of these tests are this program itself, called with a word for how it misbehaves:
 *     test_signer WORD... show|sign
 */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/keys.h"
#include "node/signer.h"
#include "proto/encoding.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define KEY_HEX "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
#define OTHER_HEX "2102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
#define PUBLIC_HEX "0284bf7562262bbd6940085748f3be6afa52ae317155181ece31b66351ccffa4b0"
#define ADDRESS_HEX "587c9bfc87a837a056f716c2f9de891adbc46c90"
#define LONG_MS 60000 /* more than any of these commands takes */
#define SHORT_MS 2000 /* of commands that never end */
#define STDIN_ROOM ((size_t)4 << 20)
#define LARGE_SIZE ((size_t)1 << 20)

static char self[4096];

/* --- the commands --- */

static void key_of(const char *hex, uint8_t key[ACCOUNT_KEY_SIZE])
{
    if (!hex_decode(hex, strlen(hex), key, ACCOUNT_KEY_SIZE))
        exit(90);
}

static int show(const char *hex)
{
    uint8_t key[ACCOUNT_KEY_SIZE], public_key[ACCOUNT_PUBLIC_SIZE];
    char text[HEX_TEXT(ACCOUNT_PUBLIC_SIZE)];
    key_of(hex, key);
    if (!account_public(key, public_key))
        return 91;
    hex_encode(public_key, sizeof public_key, text);
    printf("{\"public_key\":\"%s\"}\n", text);
    return 0;
}

/* The document that standard input asks to be signed; whatever is not as the header says ends the program. */
static size_t request_read(uint8_t *document, size_t room)
{
    static char text[STDIN_ROOM];
    size_t length = fread(text, 1, sizeof text, stdin), size = 0;
    json_t *request = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    const char *encoded = json_string_value(json_object_get(request, "sign_doc"));
    const char *address = json_string_value(json_object_get(request, "address"));
    const char *public_key = json_string_value(json_object_get(request, "public_key"));
    if (!encoded || !address || !public_key || json_object_size(request) != 3 ||
        text[length - 1] != '\n' || memchr(text, '\n', length) != text + length - 1)
        exit(92);
    if (strcmp(address, ADDRESS_HEX) != 0 || strcmp(public_key, PUBLIC_HEX) != 0)
        exit(93);
    if (!base64_decode(encoded, strlen(encoded), document, room, &size))
        exit(94);
    json_decref(request);
    return size;
}

static void signature_print(const uint8_t signature[ACCOUNT_SIGNATURE_SIZE], const char *more)
{
    char text[HEX_TEXT(ACCOUNT_SIGNATURE_SIZE)];
    hex_encode(signature, ACCOUNT_SIGNATURE_SIZE, text);
    printf("{\"signature\":\"%s\"%s}\n", text, more);
    fflush(stdout);
}

/* s becomes the group's order less s: a valid signature whose s is in the other half. */
static void signature_flip(uint8_t signature[ACCOUNT_SIGNATURE_SIZE])
{
    static const char ORDER[] = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    uint8_t order[32];
    int borrow = 0;
    key_of(ORDER, order);
    for (int i = 31; i >= 0; i--) {
        int digit = order[i] - signature[32 + i] - borrow;
        borrow = digit < 0;
        signature[32 + i] = (uint8_t)(digit + (borrow ? 256 : 0));
    }
}

static int sign(const char *how)
{
    static uint8_t document[STDIN_ROOM];
    uint8_t key[ACCOUNT_KEY_SIZE], signature[ACCOUNT_SIGNATURE_SIZE];
    size_t size = request_read(document, sizeof document);
    key_of(strcmp(how, "other-key") == 0 ? OTHER_HEX : KEY_HEX, key);
    if (strcmp(how, "other-document") == 0)
        document[0] ^= 1;
    if (!account_sign(key, document, size, signature))
        return 95;
    if (strcmp(how, "upper-half") == 0)
        signature_flip(signature);
    signature_print(signature, strcmp(how, "more") == 0 ? ",\"counter\":[1,{}]" : "");
    return 0;
}

/* Whether a descriptor is open that only the caller should have. */
static int descriptors_check(void)
{
    DIR *folder = opendir("/proc/self/fd");
    const struct dirent *entry;
    while (folder && (entry = readdir(folder)) != NULL)
        if (atoi(entry->d_name) > 2 && atoi(entry->d_name) != dirfd(folder))
            return 96;
    return folder ? closedir(folder) : 97;
}

static void never_end(const char *pid_file)
{
    FILE *file = fopen(pid_file, "w");
    if (file) {
        fprintf(file, "%ld\n", (long)getpid());
        fclose(file);
    }
    signal(SIGTERM, SIG_IGN);
    alarm(LONG_MS / 1000); /* but for a test that went wrong */
    for (;;)
        pause();
}

static void print_much(void)
{
    for (int i = 0; i < 2 * SIGNER_ANSWER_MAX; i++)
        putchar(' ');
    fflush(stdout);
    for (;;)
        pause();
}

static int misbehave(const char *how, const char *file)
{
    if (strcmp(how, "slow") == 0)
        never_end(file);
    if (strcmp(how, "slow-closed") == 0) {
        close(STDOUT_FILENO);
        never_end(file);
    }
    if (strcmp(how, "much") == 0)
        print_much();
    if (strcmp(how, "killed") == 0)
        raise(SIGKILL);
    if (strcmp(how, "status") == 0) {
        puts("{\"signature\":\"\"}");
        return 7;
    }
    if (strcmp(how, "leak") == 0)
        puts("Error: key " KEY_HEX " not found");
    if (strcmp(how, "half") == 0)
        fputs("{\"signature\":\"00", stdout);
    if (strcmp(how, "short") == 0)
        puts("{\"signature\":\"00\"}");
    if (strcmp(how, "twice") == 0)
        puts("{\"signature\":\"00\",\"signature\":\"00\"}");
    if (strcmp(how, "null") == 0)
        puts("{\"signature\":null}");
    if (strcmp(how, "list") == 0)
        puts("[\"signature\"]");
    if (strcmp(how, "zeros") == 0) {
        static const uint8_t NONE[ACCOUNT_SIGNATURE_SIZE];
        signature_print(NONE, "");
    }
    return 0; /* "silent" */
}

/* Leaves a child behind that keeps standard output open. */
static int sign_and_leave(const char *file)
{
    if (fork() == 0) {
        close(STDERR_FILENO);
        never_end(file);
    }
    return sign("good");
}

static int command(int argc, char **argv)
{
    const char *how = argv[1], *what = argv[argc - 1];
    if (strcmp(what, "show") == 0 && strncmp(how, "show-", 5) != 0)
        return show(KEY_HEX);
    if (strcmp(how, "show-leak") == 0 || strcmp(how, "show-none") == 0) {
        puts(
            strcmp(how, "show-leak") == 0
                ? KEY_HEX
                : "{\"public_key\":\"0500000000000000000000000000000000000000000000000000000000000000"
                  "00\"}");
        return 0;
    }
    if (strcmp(how, "descriptors") == 0 && descriptors_check() != 0)
        return descriptors_check();
    if (strcmp(how, "leaving") == 0)
        return sign_and_leave(argv[2]);
    if (strcmp(how, "good") == 0 || strcmp(how, "more") == 0 || strcmp(how, "upper-half") == 0 ||
        strcmp(how, "descriptors") == 0 || strncmp(how, "other-", 6) == 0)
        return sign(how);
    return misbehave(how, argc > 3 ? argv[2] : "/dev/null");
}

/* --- the tests --- */

static const uint8_t DOCUMENT[] = "a document \0 with a zero byte";

static struct signer *signer_of(const char *how, const char *more, int64_t timeout_ms)
{
    char first[32], second[128];
    char *argv[] = {self, first, more ? second : NULL, NULL};
    struct fault fault;
    snprintf(first, sizeof first, "%s", how);
    snprintf(second, sizeof second, "%s", more ? more : "");
    struct signer *signer = signer_from_command(argv, timeout_ms, &fault);
    memset(first, 'x', sizeof first); /* the words were copied */
    memset(second, 'x', sizeof second);
    if (!signer)
        fail_msg("%s: %s", how, fault.text);
    return signer;
}

static void signature_expect(struct signer *signer, const uint8_t *document, size_t size)
{
    uint8_t key[ACCOUNT_KEY_SIZE], expected[ACCOUNT_SIGNATURE_SIZE],
        signature[ACCOUNT_SIGNATURE_SIZE], public_key[ACCOUNT_PUBLIC_SIZE];
    char text[HEX_TEXT(ACCOUNT_PUBLIC_SIZE)];
    struct fault fault;
    key_of(KEY_HEX, key);
    assert_true(account_sign(key, document, size, expected));
    if (!signer_sign(signer, document, size, signature, &fault))
        fail_msg("%s", fault.text);
    assert_memory_equal(signature, expected, sizeof expected);
    signer_public_key(signer, public_key);
    hex_encode(public_key, sizeof public_key, text);
    assert_string_equal(text, PUBLIC_HEX);
}

static void test_commands_that_sign(void **state)
{
    static const char *const GOOD[] = {"good", "more", "upper-half", "descriptors"};
    for (size_t i = 0; i < LENGTH(GOOD); i++) {
        struct signer *signer = signer_of(GOOD[i], NULL, LONG_MS);
        signature_expect(signer, DOCUMENT, sizeof DOCUMENT);
        signature_expect(signer, DOCUMENT, 1);
        signer_destroy(&signer);
        assert_null(signer);
    }
    (void)state;
}

static void test_large_document(void **state)
{
    struct signer *signer = signer_of("good", NULL, LONG_MS);
    uint8_t *document = malloc(LARGE_SIZE);
    assert_non_null(document);
    for (size_t i = 0; i < LARGE_SIZE; i++)
        document[i] = (uint8_t)(i * 7 + i / 251);
    signature_expect(signer, document, LARGE_SIZE);
    free(document);
    signer_destroy(&signer);
    (void)state;
}

static void sign_refused(const char *how, const char *more, int64_t timeout_ms,
                         const char *expected)
{
    static uint8_t
        document[LARGE_SIZE]; /* more than a pipe holds: whoever does not read it blocks nobody */
    struct signer *signer = signer_of(how, more, LONG_MS);
    uint8_t signature[ACCOUNT_SIGNATURE_SIZE];
    struct fault fault;
    signer_destroy(&signer);
    signer = signer_of(how, more, timeout_ms);
    bool made = signer_sign(signer, document, sizeof document, signature, &fault);
    if (made || !strstr(fault.text, expected))
        fail_msg("%s: %s", how, made ? "signed" : fault.text);
    assert_null(strstr(fault.text, KEY_HEX));
    signer_destroy(&signer);
}

static void test_commands_that_misbehave(void **state)
{
    static const char *const CASES[][2] = {
        {"silent", "its answer to \"sign\" was not understood; expected {\"signature\":\"<128 hex"},
        {"leak", "was not understood"},
        {"half", "was not understood"},
        {"short", "was not understood"},
        {"twice", "was not understood"},
        {"null", "was not understood"},
        {"list", "was not understood"},
        {"zeros", "its signature is not of this document by its key"},
        {"other-key", "its signature is not of this document by its key"},
        {"other-document", "its signature is not of this document by its key"},
        {"much", "printed more than 4096 bytes"},
        {"status", "exit status 7"},
        {"killed", "was ended by signal 9"},
    };
    for (size_t i = 0; i < LENGTH(CASES); i++)
        sign_refused(CASES[i][0], NULL, LONG_MS, CASES[i][1]);
    (void)state;
}

static long pid_read(const char *path)
{
    long pid = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld", &pid), 1);
    fclose(file);
    assert_true(pid > 1);
    return pid;
}

static void test_commands_that_never_end(void **state)
{
    static const char *const SLOW[] = {"slow", "slow-closed"};
    char path[] = "/tmp/stagger-test-signer-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < LENGTH(SLOW); i++) {
        sign_refused(SLOW[i], path, SHORT_MS, "did not end within 2000 ms");
        assert_int_equal(kill((pid_t)pid_read(path), 0), -1); /* killed, and nobody's zombie */
        assert_int_equal(errno, ESRCH);
    }
    unlink(path);
    (void)state;
}

/* What a child of the command holds open is not waited for. */
static void test_command_that_leaves_a_child(void **state)
{
    char path[] = "/tmp/stagger-test-signer-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    struct signer *signer = signer_of("leaving", path, LONG_MS);
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    signature_expect(signer, DOCUMENT, sizeof DOCUMENT);
    clock_gettime(CLOCK_MONOTONIC, &to);
    assert_true((to.tv_sec - from.tv_sec) * 1000 < LONG_MS / 2);
    signer_destroy(&signer);
    /* the child may still be on its way to writing its number */
    struct stat about;
    while (stat(path, &about) == 0 && about.st_size == 0)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    kill((pid_t)pid_read(path), SIGKILL);
    unlink(path);
    (void)state;
}

static void test_commands_that_show_no_key(void **state)
{
    static const char *const CASES[][2] = {
        {"show-leak", "its answer to \"show\" was not understood"},
        {"show-none", "its public key is none of secp256k1"},
    };
    for (size_t i = 0; i < LENGTH(CASES); i++) {
        char word[32];
        char *argv[] = {self, word, NULL};
        struct fault fault;
        snprintf(word, sizeof word, "%s", CASES[i][0]);
        assert_null(signer_from_command(argv, LONG_MS, &fault));
        if (!strstr(fault.text, CASES[i][1]) || strstr(fault.text, KEY_HEX))
            fail_msg("%s: %s", word, fault.text);
    }
    (void)state;
}

static void test_commands_that_cannot_be(void **state)
{
    char missing[] = "/nonexistent/signer", folder[] = "/tmp", word[] = "x";
    char *none[] = {NULL}, *gone[] = {missing, NULL}, *no_program[] = {folder, NULL}, *many[80];
    struct fault fault;
    assert_null(signer_from_command(none, LONG_MS, &fault));
    assert_null(signer_from_command(gone, LONG_MS, &fault));
    assert_non_null(strstr(fault.text, "/nonexistent/signer: cannot be run: No such file"));
    assert_null(signer_from_command(no_program, LONG_MS, &fault));
    for (size_t i = 0; i < LENGTH(many); i++)
        many[i] = i + 1 < LENGTH(many) ? word : NULL;
    assert_null(signer_from_command(many, LONG_MS, &fault));
    gone[0] = self;
    assert_null(signer_from_command(gone, 0, &fault));
    (void)state;
}

/* --- keys of our own --- */

static char *file_put(const char *text, mode_t mode)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/stagger-test-signer-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    return path;
}

static void test_key_file(void **state)
{
    static const char *const GOOD[] = {KEY_HEX, KEY_HEX "\n", KEY_HEX "\r\n", "0x" KEY_HEX "\n"};
    struct fault fault;
    for (size_t i = 0; i < LENGTH(GOOD); i++) {
        const char *path = file_put(GOOD[i], 0600);
        struct signer *signer = signer_from_file(path, &fault);
        if (!signer)
            fail_msg("%s", fault.text);
        signature_expect(signer, DOCUMENT, sizeof DOCUMENT);
        signer_destroy(&signer);
        unlink(path);
    }
    (void)state;
}

static void test_key_files_that_are_none(void **state)
{
    static const struct {
        const char *text, *expected;
        mode_t mode;
    } CASES[] = {
        {KEY_HEX "\n", "others can read it or write to it (mode 0644); expected 0600", 0644},
        {KEY_HEX "\n", "others can read it", 0640},
        {KEY_HEX "\n", "others can read it", 0604},
        {"", "is empty", 0600},
        {KEY_HEX "00", "has 66 hex digits; expected 64", 0600},
        {KEY_HEX "\n" KEY_HEX "\n", "a mnemonic is taken by `stagger keys import`", 0600},
        {"-----BEGIN TENDERMINT PRIVATE KEY-----\n", "--unarmored-hex --unsafe", 0600},
    };
    struct fault fault;
    for (size_t i = 0; i < LENGTH(CASES); i++) {
        const char *path = file_put(CASES[i].text, CASES[i].mode);
        assert_null(signer_from_file(path, &fault));
        if (!strstr(fault.text, CASES[i].expected) || !strstr(fault.text, path))
            fail_msg("%s", fault.text);
        assert_null(strstr(fault.text, KEY_HEX));
        unlink(path);
    }
    assert_null(signer_from_file("/tmp", &fault));
    assert_null(signer_from_file("/nonexistent", &fault));
    assert_null(signer_from_file(KEY_HEX, &fault)); /* the key where its file should be */
    assert_null(strstr(fault.text, KEY_HEX));
    (void)state;
}

static void test_stored_key(void **state)
{
    char directory[] = "/tmp/stagger-test-signer-XXXXXX", path[64];
    struct sealed_key sealed;
    struct secret_key key;
    struct fault fault;
    assert_non_null(mkdtemp(directory));
    key_of(KEY_HEX, key.bytes);
    assert_true(keys_seal("val", &key, "secret", (struct keys_cost){16, 1, 1}, &sealed, &fault));
    assert_true(keys_save(directory, &sealed, &fault));
    struct signer *signer = signer_from_store(directory, "val", "secret", &fault);
    assert_non_null(signer);
    signature_expect(signer, DOCUMENT, sizeof DOCUMENT);
    signer_destroy(&signer);
    assert_null(signer_from_store(directory, "val", "Secret", &fault));
    assert_non_null(strstr(fault.text, "the passphrase is wrong"));
    assert_null(signer_from_store(directory, "other", "secret", &fault));
    setenv("XDG_DATA_HOME", directory, 1);
    assert_null(signer_from_store(NULL, "val", "secret", &fault));
    assert_non_null(strstr(fault.text, "/stagger/keys"));
    snprintf(path, sizeof path, "%s/val.key", directory);
    unlink(path);
    rmdir(directory);
    (void)state;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands_that_sign),
        cmocka_unit_test(test_large_document),
        cmocka_unit_test(test_commands_that_misbehave),
        cmocka_unit_test(test_commands_that_never_end),
        cmocka_unit_test(test_command_that_leaves_a_child),
        cmocka_unit_test(test_commands_that_show_no_key),
        cmocka_unit_test(test_commands_that_cannot_be),
        cmocka_unit_test(test_key_file),
        cmocka_unit_test(test_key_files_that_are_none),
        cmocka_unit_test(test_stored_key),
    };
    if (argc > 2 && (strcmp(argv[argc - 1], "sign") == 0 || strcmp(argv[argc - 1], "show") == 0))
        return command(argc, argv);
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
