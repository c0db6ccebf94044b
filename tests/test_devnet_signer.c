/* A devnet validator's signatures: one for each height and round, whatever is asked, and across every restart. */
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

#include "sim/devnet_node_signer.h"

static char folder[64], path[100];
static struct devnet_key key;

static int make_folder(void **state)
{
    size_t size = ED25519_KEY_SIZE;
    (void)state;
    strcpy(folder, "/tmp/stagger-signer-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/state.json", folder);
    memset(key.seed, 7, sizeof key.seed);
    EVP_PKEY *pkey =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key.seed, sizeof key.seed);
    assert_true(pkey && EVP_PKEY_get_raw_public_key(pkey, key.public_key, &size) == 1);
    EVP_PKEY_free(pkey);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static struct devnet_signer opened(void)
{
    struct devnet_signer signer;
    struct fault fault;
    if (!devnet_signer_open(&signer, path, &key, &fault))
        fail_msg("%s", fault.text);
    return signer;
}

static struct devnet_ballot ballot_of(int64_t height, int32_t round, uint8_t block, int64_t time_s)
{
    struct devnet_ballot ballot = {.chain_id = "vote-1", .height = height, .round = round};
    memset(ballot.id.hash.bytes, block, HASH_SIZE);
    memset(ballot.id.parts_hash.bytes, block + 1, HASH_SIZE);
    ballot.id.parts_total = 1;
    ballot.time = (struct time_stamp){time_s, 5000};
    return ballot;
}

static bool sign(struct devnet_signer *signer, struct devnet_ballot *ballot, uint8_t *signature)
{
    struct fault fault;
    return devnet_signer_sign(signer, ballot, signature, &fault);
}

static void signatures_are_right(void **state)
{
    struct devnet_signer signer = opened();
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    (void)state;
    for (int64_t height = 1; height < 20; height++) {
        struct devnet_ballot ballot = ballot_of(height, (int32_t)(height % 3), 9, 1000 + height);
        assert_true(sign(&signer, &ballot, signature));
        assert_true(devnet_vote_check(&ballot, key.public_key, signature));
        assert_int_equal(ballot.time.seconds, 1000 + height);
    }
}

static void one_for_each_height_and_round(void **state)
{
    struct devnet_signer signer = opened();
    uint8_t first[ED25519_SIGNATURE_SIZE], again[ED25519_SIGNATURE_SIZE];
    struct devnet_ballot ballot = ballot_of(5, 1, 1, 100);
    (void)state;
    assert_true(sign(&signer, &ballot, first));
    static const struct {
        int64_t height;
        int32_t round;
        uint8_t block;
    } refused[] = {{5, 1, 2}, {5, 0, 1}, {5, 0, 2}, {4, 9, 1}, {0, 0, 1}};
    for (int restart = 0; restart < 2; restart++) {
        for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
            ballot = ballot_of(refused[i].height, refused[i].round, refused[i].block, 200);
            assert_false(sign(&signer, &ballot, again));
        }
        ballot = ballot_of(5, 1, 1, 300); /* the very same: its old time, its old signature */
        assert_true(sign(&signer, &ballot, again));
        assert_int_equal(ballot.time.seconds, 100);
        assert_memory_equal(first, again, sizeof first);
        signer = opened();
    }
    ballot = ballot_of(5, 2, 2, 300);
    assert_true(sign(&signer, &ballot, again));
}

/* Hashes whose bytes look like the time's field. */
static void the_time_is_found_among_lookalikes(void **state)
{
    struct devnet_signer signer = opened();
    uint8_t first[ED25519_SIGNATURE_SIZE], again[ED25519_SIGNATURE_SIZE];
    (void)state;
    for (int64_t height = 1; height < 60; height++) {
        struct devnet_ballot ballot = ballot_of(height, 0, 0x2a, height * 977);
        ballot.time.nanos = (int32_t)(height % 2 ? 0 : height * 1000003);
        ballot.id.hash.bytes[height % 31 + 1] = (uint8_t)height;
        ballot.id.hash.bytes[height % 30 + 2] = 0x08;
        struct devnet_ballot same = ballot;
        assert_true(sign(&signer, &ballot, first));
        same.time = (struct time_stamp){1, 1};
        assert_true(sign(&signer, &same, again));
        assert_int_equal(same.time.seconds, height * 977);
        assert_memory_equal(first, again, sizeof first);
    }
}

static void write_state(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void damaged_states_stop_it(void **state)
{
    static const char *const damaged[] = {
        "",
        "{}",
        "{\"height\":\"5\"}",
        "{\"height\":\"-5\",\"round\":0,\"step\":0}",
        "[]",
        "{\"height\":\"5\",\"round\":0,\"step\":9}",
        "{\"height\":\"x\",\"round\":0,\"step\":3}",
        "{\"height\":\"5\",\"round\":0,\"step\":3,\"signature\":\"AA==\",\"signbytes\":\"00\"}",
        "{\"height\":\"5\",\"round\":0,\"step\":3,\"signature\":\"AA==\"}",
        "{\"height\":\"5\",\"round\":99999999999,\"step\":3}",
    };
    struct devnet_signer signer;
    struct fault fault;
    (void)state;
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        write_state(damaged[i]);
        assert_false(devnet_signer_open(&signer, path, &key, &fault));
        assert_non_null(strstr(fault.text, "state.json: expected"));
    }
}

/* What CometBFT itself writes. */
static void a_new_state_is_read(void **state)
{
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    (void)state;
    write_state("{\n  \"height\": \"0\",\n  \"round\": 0,\n  \"step\": 0\n}");
    struct devnet_signer signer = opened();
    struct devnet_ballot ballot = ballot_of(1, 0, 1, 1);
    assert_true(sign(&signer, &ballot, signature));
    write_state(
        "{\"height\":\"41\",\"round\":2,\"step\":2}"); /* a prevote; nothing of it is known */
    signer = opened();
    ballot = ballot_of(41, 2, 1, 1);
    assert_false(sign(&signer, &ballot, signature));
    ballot = ballot_of(41, 3, 1, 1);
    assert_true(sign(&signer, &ballot, signature));
}

static void nothing_leaves_that_is_not_written(void **state)
{
    uint8_t signature[ED25519_SIGNATURE_SIZE] = {0}, zero[ED25519_SIGNATURE_SIZE] = {0};
    char part[110];
    (void)state;
    struct devnet_signer signer = opened();
    struct devnet_ballot ballot = ballot_of(3, 0, 1, 1);
    snprintf(part, sizeof part, "%s.part", path);
    assert_int_equal(mkdir(part, 0700), 0); /* in the way */
    assert_false(sign(&signer, &ballot, signature));
    assert_memory_equal(signature, zero, sizeof zero);
    assert_int_equal(rmdir(part), 0);
    assert_true(sign(&signer, &ballot, signature));
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(signatures_are_right),
        in_folder(one_for_each_height_and_round),
        in_folder(the_time_is_found_among_lookalikes),
        in_folder(damaged_states_stop_it),
        in_folder(a_new_state_is_read),
        in_folder(nothing_leaves_that_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
