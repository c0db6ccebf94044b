/* Blocks that the devnet makes: a block computed by other means, the captured history of sekaid made anew from its
 * parts, times, votes. Data is looked for in $STAGGER_SHARED, by default ../shared beside the tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/reply.h"
#include "proto/block.h"
#include "proto/encoding.h"
#include "sim/devnet_block.h"

#define HEIGHTS 150
#define PATH_SIZE 512

static void assert_hash(const struct hash *hash, const char *expected)
{
    char text[HEX_TEXT(HASH_SIZE)];
    assert_false(hash->none);
    hex_encode_upper(hash->bytes, HASH_SIZE, text);
    assert_string_equal(text, expected);
}

static struct hash repeated(uint8_t byte)
{
    struct hash hash = {.none = false};
    memset(hash.bytes, byte, HASH_SIZE);
    return hash;
}

/* --- one block whose bytes and hashes a program in Python, written from CometBFT's .proto files, has made --- */

static struct commit_sig vector_sigs[4];

static struct commit vector_commit(void)
{
    for (uint8_t i = 0; i < 4; i++) {
        struct commit_sig *sig = &vector_sigs[i];
        *sig = (struct commit_sig){.flag = i == 3 ? COMMIT_NIL : COMMIT_FOR_BLOCK,
                                   .time = {1700000000 + i, i ? 123456789 : 0},
                                   .signature_size = 64};
        memset(sig->address, 16 + i, ADDRESS_SIZE);
        memset(sig->signature, 32 + i, 64);
    }
    vector_sigs[1] = (struct commit_sig){.flag = COMMIT_ABSENT, .time = {TIME_STAMP_ZERO_S, 0}};
    return (struct commit){6, 1, {repeated(1), 2, repeated(2)}, vector_sigs, 4};
}

static struct header vector_header(const struct commit *commit, const struct tx_bytes *txs)
{
    struct header header = {
        .version_block = 11,
        .chain_id = "vector-1",
        .height = 7,
        .time = {1700000002, 5},
        .last_block_id = commit->block_id,
        .validators_hash = repeated(3),
        .next_validators_hash = repeated(4),
        .consensus_hash = repeated(5),
        .app_hash_size = HASH_SIZE,
        .last_results_hash = repeated(7),
    };
    memset(header.app_hash, 6, HASH_SIZE);
    memset(header.proposer, 18, ADDRESS_SIZE);
    commit_hash(commit, header.last_commit_hash.bytes);
    data_hash(txs, 3, header.data_hash.bytes);
    data_hash(NULL, 0, header.evidence_hash.bytes);
    return header;
}

static void a_block_of_four_parts(void **state)
{
    (void)state;
    static uint8_t small[10], large[200000], medium[300];
    struct tx_bytes txs[] = {{small, sizeof small}, {large, sizeof large}, {medium, sizeof medium}};
    memset(small, 7, sizeof small);
    memset(medium, 9, sizeof medium);
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (uint8_t)(i * 131 + (i >> 8));
    struct commit commit = vector_commit();
    struct header header = vector_header(&commit, txs);
    struct block_id id;
    size_t size;
    uint8_t *block = block_encode(&header, txs, 3, &commit, &size);
    assert_non_null(block);
    block_identify(&header, block, size, &id);
    free(block);
    assert_int_equal(size, 201130);
    assert_int_equal(id.parts_total, 4);
    assert_hash(&id.hash, "C36AA82EB8D2FA463C6CACE6ADFDA2F72989CCB6B8DCA559D1663763B0040C85");
    assert_hash(&id.parts_hash, "1057D67F0296E7BC06FC28F6038BAE292CFA2DBD4699114C37820C75932E82D6");
}

static void parameters_hash_as_captured(void **state)
{
    (void)state;
    struct hash hash = {.none = false};
    devnet_consensus_hash(hash.bytes);
    assert_hash(&hash, "048091BC7DDC283F77BFBF91D73C44DA58C3DF8A9CBC867405D8B7F3DAADA22F");
}

/* --- the captured history --- */

struct history {
    struct reply_block blocks[HEIGHTS + 1];
    struct reply_validators next[HEIGHTS + 1]; /* V(height + 1) */
};

static void read_line(struct history *history, int height, const char *text)
{
    struct fault fault = {""};
    json_t *tree = json_loads(text, 0, NULL);
    const json_t *block = json_object_get(json_object_get(tree, "block"), "result");
    const json_t *next = json_object_get(json_object_get(tree, "next_validators"), "result");
    assert_true(block && next);
    if (!reply_block(block, &history->blocks[height], &fault) ||
        !reply_validators(next, &history->next[height], &fault))
        fail_msg("height %d: %s", height, fault.text);
    json_decref(tree);
}

static struct history *history_read(void)
{
    const char *shared = getenv("STAGGER_SHARED");
    char path[PATH_SIZE], command[PATH_SIZE + 32], *line = NULL;
    size_t room = 0;
    struct history *history = calloc(1, sizeof *history);
    assert_non_null(history);
    (void)snprintf(path, sizeof path, "%s%s/fixtures/sekai-0.4.13/history.jsonl.gz",
                   shared ? "" : STAGGER_SOURCE_DIR, shared ? shared : "/../shared");
    FILE *file = fopen(path, "rb");
    if (!file) {
        free(history);
        return NULL;
    }
    fclose(file);
    (void)snprintf(command, sizeof command, "gzip -dc '%s'", path);
    FILE *lines = popen(command, "r");
    assert_non_null(lines);
    for (int height = 1; height <= HEIGHTS; height++) {
        assert_true(getline(&line, &room, lines) > 0);
        read_line(history, height, line);
    }
    pclose(lines);
    free(line);
    return history;
}

static void history_free(struct history *history)
{
    for (int height = 1; height <= HEIGHTS; height++) {
        reply_block_destroy(&history->blocks[height]);
        reply_validators_destroy(&history->next[height]);
    }
    free(history);
}

/* V(height); the first block's is V(2) there. */
static const struct reply_validators *set_at(const struct history *history, int height)
{
    return &history->next[height > 1 ? height - 1 : 1];
}

/* A block from what stands before it, its transactions, and the two hashes of the application. */
static void make_again(const struct history *history, int height)
{
    const struct reply_block *block = &history->blocks[height];
    const struct reply_validators *now = set_at(history, height), *next = &history->next[height];
    struct devnet_draft draft = {
        .chain_id = "localnet-1",
        .height = height,
        .first = height == 1,
        .time = block->header.time,
        .last_commit = &block->last_commit,
        .members = now->members,
        .next_members = next->members,
        .member_count = now->count,
        .next_count = next->count,
        .proposer = block->header.proposer,
        .txs = block->txs,
        .tx_count = block->tx_count,
    };
    struct header header;
    struct block_id id;
    uint64_t size;
    memcpy(draft.app_hash, block->header.app_hash, HASH_SIZE);
    memcpy(draft.last_results_hash, block->header.last_results_hash.bytes, HASH_SIZE);
    if (height > 1)
        draft.time = devnet_block_time(&block->last_commit, set_at(history, height - 1)->members,
                                       &history->blocks[height - 1].header.time);
    assert_int_equal(devnet_time_compare(&draft.time, &block->header.time), 0);
    assert_true(devnet_block_make(&draft, &header, &id, &size));
    assert_int_equal(block->id.parts_total, 1);
    assert_true(block_id_equal(&id, &block->id));
}

static void the_history_comes_out_again(void **state)
{
    (void)state;
    struct history *history = history_read();
    if (!history)
        skip();
    for (int height = 1; height <= HEIGHTS; height++)
        make_again(history, height);
    history_free(history);
}

/* --- limits --- */

static void a_block_takes_what_fits(void **state)
{
    (void)state;
    static uint8_t large[1 << 20];
    struct tx_bytes txs[30];
    for (int i = 0; i < 30; i++)
        txs[i] = (struct tx_bytes){large, sizeof large};
    /* 22020096 is 21 times 1 MiB; overheads cost one */
    assert_int_equal(devnet_block_fit(txs, 30, 4), 20);
    assert_int_equal(devnet_block_fit(txs, 7, 4), 7);
    assert_int_equal(devnet_block_fit(txs, 0, 4), 0);
    /* to the byte: what is left for the 21st, with its tag and three bytes of length */
    uint64_t left = 22020096 - (11 + 626 + 94 + 109 * 4) - 20 * ((1 << 20) + 4);
    txs[20].size = (size_t)left - 4;
    assert_int_equal(devnet_block_fit(txs, 21, 4), 21);
    txs[20].size++;
    assert_int_equal(devnet_block_fit(txs, 21, 4), 20);
}

/* --- time --- */

static struct time_stamp median(const int64_t *seconds, const int64_t *powers, uint32_t count,
                                int64_t last)
{
    struct commit_sig sigs[8];
    struct member members[8];
    for (uint32_t i = 0; i < count; i++) {
        sigs[i] = (struct commit_sig){.flag = seconds[i] ? COMMIT_FOR_BLOCK : COMMIT_ABSENT,
                                      .time = {seconds[i], 7}};
        members[i] = (struct member){.power = powers[i]};
    }
    struct commit commit = {.sigs = sigs, .count = count};
    return devnet_block_time(&commit, members, &(struct time_stamp){last, 999500000});
}

static void times_are_weighted_medians(void **state)
{
    (void)state;
    const int64_t one[] = {1, 1, 1, 1, 1}, heavy[] = {1, 1, 10, 1, 1};
    assert_int_equal(median((int64_t[]){50, 10, 40, 20, 30}, one, 5, 0).seconds, 20);
    assert_int_equal(median((int64_t[]){50, 10, 40, 20}, one, 4, 0).seconds, 20);
    assert_int_equal(median((int64_t[]){50, 10, 0, 20}, one, 4, 0).seconds, 10);
    assert_int_equal(median((int64_t[]){50, 10, 40, 20, 30}, heavy, 5, 0).seconds, 40);
    assert_int_equal(median((int64_t[]){50}, one, 1, 0).seconds, 50);
    /* behind the last block by 1 ms at least, whatever clocks say */
    struct time_stamp time = median((int64_t[]){50, 10, 40, 20, 30}, one, 5, 300);
    assert_int_equal(time.seconds, 301);
    assert_int_equal(time.nanos, 500000);
}

static void times_of_votes_and_milliseconds(void **state)
{
    (void)state;
    struct time_stamp block = {100, 5}, now = {100, 1000004}, vote = devnet_vote_time(&now, &block);
    assert_int_equal(vote.nanos, 1000005);
    now.nanos = 1000006;
    vote = devnet_vote_time(&now, &block);
    assert_int_equal(vote.nanos, 1000006);
    for (int64_t ms = -2001; ms < 2001; ms += 7) {
        struct time_stamp time = devnet_time_of_ms(ms);
        assert_true(time.nanos >= 0 && time.nanos < 1000000000);
        assert_int_equal(devnet_time_ms(&time), ms);
    }
}

/* --- votes --- */

static void votes_are_signed_and_checked(void **state)
{
    (void)state;
    /* RFC 8032, 7.1, TEST 1: its secret and public key */
    uint8_t seed[ED25519_KEY_SIZE], key[ED25519_KEY_SIZE], signature[ED25519_SIGNATURE_SIZE];
    assert_true(hex_decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", 64,
                           seed, sizeof seed));
    assert_true(hex_decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", 64,
                           key, sizeof key));
    struct devnet_ballot ballot = {"vote-1", 9, 2, {repeated(1), 1, repeated(2)}, {1700000000, 3}};
    assert_true(devnet_vote_sign(&ballot, seed, signature));
    assert_true(devnet_vote_check(&ballot, key, signature));
    ballot.round = 3;
    assert_false(devnet_vote_check(&ballot, key, signature));
    ballot.round = 2;
    ballot.id.parts_hash.bytes[31] ^= 1;
    assert_false(devnet_vote_check(&ballot, key, signature));
    ballot.id.parts_hash.bytes[31] ^= 1;
    signature[0] ^= 1;
    assert_false(devnet_vote_check(&ballot, key, signature));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_of_four_parts),
        cmocka_unit_test(parameters_hash_as_captured),
        cmocka_unit_test(the_history_comes_out_again),
        cmocka_unit_test(a_block_takes_what_fits),
        cmocka_unit_test(times_are_weighted_medians),
        cmocka_unit_test(times_of_votes_and_milliseconds),
        cmocka_unit_test(votes_are_signed_and_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
