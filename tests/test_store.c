/* The devnet's block log: round trip, a writer that died at every byte, flipped bits, readers beside a writer. */
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

#include "sim/store.h"

static char path[] = "/tmp/stagger-store-XXXXXX";

static struct stored_block example(int64_t height)
{
    static uint8_t tx[] = {1, 2, 3}, data[] = {9};
    static char events[] = "[]";
    static struct tx_bytes txs[] = {{tx, sizeof tx}};
    static struct app_result results[1];
    static struct commit_sig sigs[2];
    static struct stored_member members[2];
    static struct member updates[1];
    struct stored_block block = {
        .id = {.parts_total = 1}, .size = 321, .txs = txs, .results = results};
    results[0] = (struct app_result){.code = 7, .codespace = "sdk", .log = "no", .data = data};
    results[0].data_size = 1;
    results[0].gas_used = -1;
    results[0].events = events;
    sigs[1] = (struct commit_sig){.flag = COMMIT_FOR_BLOCK, .time = {5, 999}, .signature_size = 64};
    members[1].priority = -4;
    members[1].member.power = 10;
    block.tx_count = 1;
    block.applied = true;
    block.header.height = height;
    block.header.app_hash_size = 3;
    strcpy(block.header.chain_id, "log-1");
    block.last_commit = (struct commit){.height = height - 1, .sigs = sigs, .count = 2};
    block.seen_commit = (struct commit){.height = height, .round = 2, .sigs = sigs, .count = 2};
    block.members = members;
    block.member_count = 2;
    block.updates = updates;
    block.update_count = 1;
    return block;
}

static void assert_example(const struct store *store, int64_t height)
{
    struct stored_block block, expected = example(height);
    struct fault fault;
    assert_true(store_read(store, height, &block, &fault));
    assert_memory_equal(&block.header, &expected.header, sizeof block.header);
    assert_int_equal(block.size, 321);
    assert_int_equal(block.tx_count, 1);
    assert_memory_equal(block.txs[0].bytes, expected.txs[0].bytes, 3);
    assert_int_equal(block.results[0].code, 7);
    assert_int_equal(block.results[0].gas_used, -1);
    assert_string_equal(block.results[0].log, "no");
    assert_string_equal(block.results[0].events, "[]");
    assert_int_equal(block.seen_commit.round, 2);
    assert_int_equal(block.last_commit.sigs[1].time.nanos, 999);
    assert_int_equal(block.members[1].priority, -4);
    assert_int_equal(block.update_count, 1);
    stored_block_clear(&block);
}

static struct store *open_log(bool writer)
{
    struct fault fault;
    struct store *store = store_open(path, writer, &fault);
    if (!store)
        fail_msg("%s", fault.text);
    return store;
}

static void append(struct store *store, int64_t height)
{
    struct stored_block block = example(height);
    struct fault fault;
    assert_true(store_append(store, &block, &fault));
}

static off_t size_now(void)
{
    struct stat stat_now;
    assert_int_equal(stat(path, &stat_now), 0);
    return stat_now.st_size;
}

static int make_file(void **state)
{
    (void)state;
    strcpy(path + strlen(path) - 6, "XXXXXX");
    int file = mkstemp(path);
    return file < 0 ? -1 : close(file);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void blocks_survive_a_restart(void **state)
{
    (void)state;
    struct store *store = open_log(true);
    assert_int_equal(store_head(store), 0);
    for (int64_t height = 41; height < 44; height++)
        append(store, height);
    store_close(&store);
    store = open_log(true);
    assert_int_equal(store_first(store), 41);
    assert_int_equal(store_head(store), 43);
    assert_example(store, 42);
    append(store, 44);
    assert_example(store, 44);
    store_close(&store);
}

static void a_reader_follows_a_writer(void **state)
{
    (void)state;
    struct store *writer = open_log(true);
    struct store *reader = open_log(false);
    assert_false(store_refresh(reader));
    append(writer, 1);
    append(writer, 2);
    assert_int_equal(store_head(reader), 0);
    assert_true(store_refresh(reader));
    assert_int_equal(store_head(reader), 2);
    assert_example(reader, 2);
    store_close(&reader);
    store_close(&writer);
}

/* A log of two blocks, and its sizes with one and with both. */
static void two_blocks(off_t *one, off_t *two)
{
    struct store *store = open_log(true);
    append(store, 1);
    *one = size_now();
    append(store, 2);
    *two = size_now();
    store_close(&store);
}

/* The writer died when any number of bytes of the second block were written. */
static void a_torn_tail_is_cut(void **state)
{
    (void)state;
    struct store *store;
    off_t one, two;
    two_blocks(&one, &two);
    for (off_t size = two - 1; size >= one; size--) {
        assert_int_equal(truncate(path, size), 0);
        struct store *reader = open_log(false);
        assert_int_equal(store_head(reader), 1);
        store = open_log(true);
        assert_int_equal(store_head(store), 1);
        assert_int_equal(size_now(), one);
        append(store, 2);
        assert_true(store_refresh(reader));
        assert_example(reader, 2);
        store_close(&reader);
        store_close(&store);
    }
}

static void a_flipped_bit_is_noticed(void **state)
{
    (void)state;
    struct store *store;
    off_t one, two;
    two_blocks(&one, &two);
    int file = open(path, O_RDWR);
    for (off_t at = one; at < two; at += 3) {
        uint8_t byte, wrong;
        assert_int_equal(pread(file, &byte, 1, at), 1);
        wrong = byte ^ 0x10;
        assert_int_equal(pwrite(file, &wrong, 1, at), 1);
        store = open_log(false);
        assert_int_equal(store_head(store), 1);
        store_close(&store);
        assert_int_equal(pwrite(file, &byte, 1, at), 1);
    }
    close(file);
}

static void another_file_is_refused(void **state)
{
    (void)state;
    struct fault fault;
    int file = open(path, O_WRONLY);
    assert_int_equal(write(file, "something else altogether\n", 26), 26);
    close(file);
    assert_null(store_open(path, true, &fault));
    assert_non_null(strstr(fault.text, "no block log"));
    assert_int_equal(size_now(), 26);
    assert_null(store_open("/nowhere/blocks.log", true, &fault));
    assert_non_null(strstr(fault.text, "/nowhere/blocks.log"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(blocks_survive_a_restart, make_file, remove_file),
        cmocka_unit_test_setup_teardown(a_reader_follows_a_writer, make_file, remove_file),
        cmocka_unit_test_setup_teardown(a_torn_tail_is_cut, make_file, remove_file),
        cmocka_unit_test_setup_teardown(a_flipped_bit_is_noticed, make_file, remove_file),
        cmocka_unit_test_setup_teardown(another_file_is_refused, make_file, remove_file),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
