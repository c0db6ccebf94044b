/* The devnet's chain process: who signs, who is absent, kills at any moment, hostile neighbours, the end of a chain.
 *
 *     test_devnet_chain TOOL        STAGGER_KILLS=500 for longer
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/devnet_fake.h"

#define REACH_MS 8000

static const char *tool;

static const struct fake_config quick = {4, 40, 40, 400};

static uint32_t absent_of(const struct stored_block *block)
{
    uint32_t absent = 0;
    for (uint32_t i = 0; i < block->last_commit.count; i++)
        absent += block->last_commit.sigs[i].flag == COMMIT_ABSENT;
    return absent;
}

static uint32_t absent_at(const struct fake_world *w, int64_t height)
{
    struct stored_block block = fake_block(w, height);
    uint32_t absent = absent_of(&block);
    stored_block_clear(&block);
    return absent;
}

/* Four nodes, blocks up to this height. */
static void begin(struct fake_world *w, const struct fake_config *config, int64_t height)
{
    fake_world_start(w, tool, config);
    fake_chain_start(w);
    fake_nodes_start(w, 4);
    assert_true(fake_reach(w, height, REACH_MS));
}

/* The same where the nodes have to wait for somebody to listen. */
static void begin_nodes_first(struct fake_world *w, const struct fake_config *config,
                              int64_t height)
{
    fake_world_start(w, tool, config);
    fake_nodes_start(w, 4);
    fake_chain_start(w);
    assert_true(fake_reach(w, height, REACH_MS));
}

static void end(struct fake_world *w)
{
    fake_verify(w);
    fake_world_end(w);
}

/* --- who signs --- */

static void four_make_blocks(void **state)
{
    (void)state;
    struct fake_world w;
    uint32_t proposed[4] = {0};
    fake_world_start(&w, tool, &quick);
    fake_nodes_start(&w, 4); /* before anybody listens */
    fake_chain_start(&w);
    assert_true(fake_reach(&w, 12, 8000));
    assert_int_equal(fake_chain_stop(&w), 0);
    int64_t head = fake_verify(&w);
    struct stored_block first = fake_block(&w, 1);
    assert_int_equal(devnet_time_ms(&first.header.time), w.genesis.time_ms);
    stored_block_clear(&first);
    for (int64_t h = 5; h <= 12 && h <= head; h++) {
        struct stored_block block = fake_block(&w, h);
        assert_int_equal(absent_of(&block), 0); /* also who was not needed */
        assert_int_equal(block.seen_commit.round, 0);
        for (uint32_t i = 0; i < 4; i++)
            proposed[i] +=
                memcmp(block.header.proposer, block.members[i].member.address, ADDRESS_SIZE) == 0;
        stored_block_clear(&block);
    }
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(proposed[i], 2);
    fake_world_end(&w);
}

static void one_of_four_is_absent(void **state)
{
    (void)state;
    struct fake_world w;
    begin(&w, &quick, 4);
    fake_node_kill(&w, 2);
    int64_t from = w.height + 2;
    assert_true(fake_reach(&w, from + 5, 9000));
    uint32_t rounds = 0;
    for (int64_t h = from; h <= from + 5; h++) {
        struct stored_block block = fake_block(&w, h);
        assert_int_equal(absent_of(&block), h == from ? absent_of(&block) : 1);
        rounds += block.seen_commit.round == 1; /* its turn to propose went to the next */
        stored_block_clear(&block);
    }
    assert_in_range(rounds, 1, 2);
    fake_node_start(&w, 2);
    int64_t back = w.height + 3;
    assert_true(fake_reach(&w, back + 1, 5000));
    assert_int_equal(absent_at(&w, back + 1), 0);
    end(&w);
}

static void two_of_four_make_no_block(void **state)
{
    (void)state;
    struct fake_world w;
    begin(&w, &quick, 3);
    fake_node_kill(&w, 0);
    fake_node_kill(&w, 3);
    fake_run(&w, 300);
    int64_t stuck = w.height;
    fake_run(&w, 1500);
    assert_int_equal(w.height, stuck);
    fake_node_start(&w, 3);
    assert_true(fake_reach(&w, stuck + 3, 5000));
    fake_node_start(&w, 0);
    assert_true(fake_reach(&w, stuck + 6, 5000));
    end(&w);
}

/* Who is there and does not sign costs the round; the block that comes is of a later one. */
static void a_vote_that_does_not_come(void **state)
{
    (void)state;
    struct fake_world w;
    begin(&w, &quick, 3);
    w.nodes[0].mute = w.nodes[1].mute = true;
    fake_run(&w, 1000);
    int64_t stuck = w.height;
    fake_run(&w, 500);
    assert_int_equal(w.height, stuck);
    fake_node_kill(&w, 0); /* in the middle of a round */
    fake_run(&w, 100);
    w.nodes[0].mute = w.nodes[1].mute = false;
    fake_node_start(&w, 0);
    assert_true(fake_reach(&w, stuck + 4, 5000));
    struct stored_block block = fake_block(&w, stuck + 1);
    assert_true(block.seen_commit.round > 0);
    stored_block_clear(&block);
    end(&w);
}

static void late_votes_count_until_the_next_block(void **state)
{
    (void)state;
    struct fake_world w;
    fake_world_start(&w, tool, &(struct fake_config){4, 300, 300, 400});
    fake_chain_start(&w);
    fake_nodes_start(&w, 4);
    w.nodes[1].late_ms = 100;
    assert_true(fake_reach(&w, 4, 6000));
    struct stored_block before = fake_block(&w, 3), block = fake_block(&w, 4);
    uint32_t seen = 0;
    for (uint32_t i = 0; i < before.seen_commit.count; i++)
        seen += before.seen_commit.sigs[i].flag == COMMIT_FOR_BLOCK;
    assert_int_equal(seen, 3);
    assert_int_equal(absent_of(&block), 0);
    stored_block_clear(&before);
    stored_block_clear(&block);
    w.nodes[1].late_ms = 10000; /* behind the next proposal */
    int64_t from = w.height + 3;
    assert_true(fake_reach(&w, from, 6000));
    assert_int_equal(absent_at(&w, from), 1);
    assert_true(fake_log_has(&w, "is dropped: it is late"));
    end(&w);
}

static void who_is_not_ready_is_not_asked(void **state)
{
    (void)state;
    struct fake_world w;
    fake_world_start(&w, tool, &quick);
    w.nodes[0].unready = w.nodes[1].unready = true;
    fake_chain_start(&w);
    fake_nodes_start(&w, 4);
    fake_run(&w, 600);
    assert_int_equal(w.height, 0);
    assert_int_equal(w.asked_count, 0);
    w.nodes[0].unready = w.nodes[1].unready = false;
    assert_true(fake_reach(&w, 2, 3000));
    fake_world_end(&w);
}

/* --- transactions and empty blocks --- */

static void rare_blocks(void **state)
{
    (void)state;
    struct fake_world w;
    begin(&w, &(struct fake_config){4, 50, 1500, 400}, 2); /* the first and its proof */
    int64_t start = fake_now_ms();
    assert_false(fake_reach(&w, 3, 1000));
    assert_true(fake_reach(&w, 3, 1500));
    assert_in_range(fake_now_ms() - start, 1300, 1900);
    assert_int_equal(fake_do(&w, 1, FAKE_JOIN), TX_TAKEN);
    assert_true(fake_reach(&w, 5, 700)); /* its block and the proof */
    assert_false(fake_reach(&w, 6, 1000));
    struct stored_block block = fake_block(&w, 4);
    assert_int_equal(block.tx_count, 1);
    assert_int_equal(block.results[0].code, 0);
    stored_block_clear(&block);
    end(&w);
}

static void transactions_keep_their_order(void **state)
{
    (void)state;
    struct fake_world w;
    uint8_t *txs[6];
    size_t sizes[6];
    begin(&w, &(struct fake_config){4, 400, 400, 400}, 2);
    for (int i = 0; i < 6; i++)
        txs[i] = fake_tx(&w, i % 2 ? 1 : 3, FAKE_JOIN, &sizes[i]);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(fake_send(&w, i % 4, txs[i], sizes[i]), TX_TAKEN);
    assert_int_equal(fake_send(&w, 0, txs[2], sizes[2]), TX_KNOWN);
    assert_string_equal(w.nodes[0].answer.words, "tx already exists in cache");
    int64_t height = w.height + 1;
    assert_true(fake_reach(&w, height + 1, 3000));
    struct stored_block block = fake_block(&w, height);
    assert_int_equal(block.tx_count, 6);
    for (uint32_t i = 0; i < 6; i++) {
        assert_memory_equal(block.txs[i].bytes, txs[i], sizes[i]);
        assert_int_equal(block.results[i].code, 0);
    }
    stored_block_clear(&block);
    assert_int_equal(fake_send(&w, 1, txs[0], sizes[0]), TX_KNOWN); /* also behind its block */
    w.sequences[3] = 0;
    size_t size;
    uint8_t *old = fake_tx(&w, 3, FAKE_PAUSE, &size);
    for (int i = 0; i < 2; i++) { /* what was refused may come again */
        assert_int_equal(fake_send(&w, 1, old, size), TX_REFUSED);
        assert_int_equal(w.nodes[1].answer.code, 32);
        assert_string_equal(w.nodes[1].answer.codespace, "sdk");
    }
    free(old);
    for (int i = 0; i < 6; i++)
        free(txs[i]);
    end(&w);
}

static void sets_change_two_blocks_later(void **state)
{
    (void)state;
    struct fake_world w;
    begin(&w, &quick, 2);
    assert_int_equal(fake_do(&w, 2, FAKE_PAUSE), TX_TAKEN);
    assert_true(fake_reach(&w, w.height + 6, 5000));
    int64_t pause = 1;
    uint32_t counts[4];
    for (uint32_t txs = 0; txs == 0; pause++) {
        struct stored_block block = fake_block(&w, pause);
        txs = block.tx_count;
        assert_int_equal(block.update_count, txs);
        stored_block_clear(&block);
    }
    for (int i = 0; i < 4; i++) {
        struct stored_block block = fake_block(&w, pause - 1 + i);
        counts[i] = block.member_count;
        stored_block_clear(&block);
    }
    assert_true(counts[0] == 4 && counts[1] == 4 && counts[2] == 3 && counts[3] == 3);
    assert_int_equal(fake_do(&w, 2, FAKE_UNPAUSE), TX_TAKEN);
    assert_true(fake_reach(&w, w.height + 6, 5000));
    struct stored_block block = fake_block(&w, w.height);
    assert_int_equal(block.member_count, 4);
    stored_block_clear(&block);
    end(&w);
}

/* --- kills --- */

static uint32_t next_random(uint32_t *random)
{
    *random = *random * 1664525u + 1013904223u;
    return *random >> 8;
}

static void kill_it_at_any_moment(void **state)
{
    (void)state;
    struct fake_world w;
    uint32_t random = 7,
             kills = getenv("STAGGER_KILLS") ? (uint32_t)atoi(getenv("STAGGER_KILLS")) : 50;
    fake_world_start(&w, tool, &(struct fake_config){4, 10, 10, 200});
    fake_nodes_start(&w, 4);
    for (uint32_t i = 0; i < kills; i++) {
        fake_chain_start(&w);
        if (i % 5 == 0)
            fake_reach(&w, w.height + 1, 3000);
        fake_run(&w, 20 + next_random(&random) % 250);
        fake_chain_kill(&w);
        if (i % 7 == 3)
            fake_node_kill(&w, i % 4);
        if (i % 7 == 4)
            fake_node_start(&w, (i - 1) % 4);
        fake_run(&w, next_random(&random) % 20);
        if (i % 10 == 9)
            fake_verify(&w);
    }
    fake_chain_start(&w);
    assert_true(fake_reach(&w, w.height + 3, 9000));
    assert_true(fake_verify(&w) > kills / 2);
    fake_world_end(&w);
}

/* The vote that makes the block is held back, the chain process killed before it comes. */
static void no_round_is_asked_for_twice(void **state)
{
    (void)state;
    struct fake_world w;
    begin_nodes_first(&w, &quick, 2);
    for (uint32_t i = 0; i < 4; i++)
        w.nodes[i].mute = true;
    for (int i = 0; i < 4; i++) {
        fake_run(&w, 250);
        assert_int_equal(fake_do(&w, (uint32_t)i, FAKE_JOIN),
                         TX_TAKEN); /* another block each time */
        fake_run(&w, 450);
        fake_chain_kill(&w);
        fake_chain_start(&w);
        fake_run(&w, 300);
    }
    const struct devnet_propose *last = &w.asked[w.asked_count - 1];
    assert_true(last->round >= 4);
    for (uint32_t i = 0; i < 4; i++)
        w.nodes[i].mute = false;
    assert_true(fake_reach(&w, last->height + 2, 5000));
    end(&w);
}

static void times_ascend_although_clocks_do_not(void **state)
{
    (void)state;
    static const int64_t jumps[] = {-3600000, 0, 86400000, 0};
    struct fake_world w;
    begin_nodes_first(&w, &quick, 3);
    for (int i = 0; i < 4; i++) {
        for (uint32_t n = 0; n < 4; n++)
            w.nodes[n].clock_ms = jumps[i];
        assert_true(fake_reach(&w, w.height + 3, 5000));
    }
    for (int64_t h = 2; h <= w.height; h++) {
        struct stored_block before = fake_block(&w, h - 1), block = fake_block(&w, h);
        struct time_stamp least = devnet_vote_time(&before.header.time, &before.header.time);
        assert_true(devnet_time_compare(&least, &block.header.time) <= 0);
        stored_block_clear(&before);
        stored_block_clear(&block);
    }
    end(&w);
}

/* --- hostile neighbours --- */

static void send_raw(zsock_t *socket, const void *bytes, size_t size, int parts)
{
    for (int i = 0; i < parts; i++) {
        zframe_t *part = zframe_new(bytes, size);
        (void)zframe_send(&part, socket, ZFRAME_DONTWAIT | (i + 1 < parts ? ZFRAME_MORE : 0));
        zframe_destroy(&part);
    }
}

static void hostile_frames(const struct fake_world *w, zsock_t *socket, uint32_t *random)
{
    static uint8_t bytes[DEVNET_FRAME_MAX + 64];
    for (size_t i = 0; i < 200; i++)
        bytes[i] = (uint8_t)next_random(random);
    bytes[0] = (uint8_t)(next_random(random) % 9);
    send_raw(socket, bytes, next_random(random) % 200, 1 + (int)(next_random(random) % 3));
    struct devnet_frame hello = {.kind = FRAME_HELLO, .hello = {1000000, INT64_MAX, true}};
    (void)devnet_wire_send(socket, NULL, &hello);
    struct devnet_frame words = {.kind = FRAME_FAILED, .failed = {.words = "over"}};
    (void)devnet_wire_send(socket, NULL, &words);
    struct devnet_frame vote = {.kind = FRAME_VOTE, .vote = {w->height + 1, 0, {5, 5}, {1}}};
    (void)devnet_wire_send(socket, NULL, &vote);
    struct devnet_frame tx = {.kind = FRAME_TX, .tx = {1, bytes, 1 + next_random(random) % 200}};
    (void)devnet_wire_send(socket, NULL, &tx);
}

static void wrong_votes_are_dropped(void **state)
{
    (void)state;
    static const char *const words[] = {"",
                                        "it has voted already",
                                        "its signature is wrong",
                                        "its time is not behind",
                                        "round 1, is dropped: it is late",
                                        "is dropped: it is late"};
    struct fake_world w;
    fake_world_start(&w, tool, &quick);
    fake_nodes_start(&w, 4);
    fake_chain_start(&w);
    for (enum fake_trick trick = TWICE; trick <= OTHER_HEIGHT; trick++) {
        w.nodes[2].trick = trick;
        fake_run(&w, 1000); /* no more than ten such lines in a second */
        assert_true(fake_reach(&w, w.height + 5, 9000));
        assert_int_equal(absent_at(&w, w.height), trick != TWICE);
        assert_true(fake_log_has(&w, words[trick]));
    }
    end(&w);
}

static void neighbours_may_be_hostile(void **state)
{
    (void)state;
    struct fake_world w;
    struct fault fault;
    static uint8_t large[DEVNET_FRAME_MAX + 64];
    uint32_t random = 3;
    begin_nodes_first(&w, &quick, 2);
    for (int i = 0; i < 60; i++) {
        zsock_t *socket = devnet_wire_connect(w.endpoint, &fault);
        assert_non_null(socket);
        hostile_frames(&w, socket, &random);
        if (i % 3 == 0) { /* in another's name */
            struct devnet_frame hello = {.kind = FRAME_HELLO, .hello = {1, 0, true}};
            (void)devnet_wire_send(socket, NULL, &hello);
            hostile_frames(&w, socket, &random);
        }
        if (i % 10 == 0)
            send_raw(socket, large, sizeof large, 1);
        fake_run(&w, 20);
        zsock_destroy(&socket);
    }
    int64_t height = w.height;
    assert_true(fake_reach(&w, height + 4, 5000));
    end(&w);
}

/* --- the end of a chain --- */

static void a_fatal_block_is_the_last(void **state)
{
    (void)state;
    struct fake_world w;
    begin_nodes_first(&w, &(struct fake_config){4, 300, 300, 400}, 2);
    assert_int_equal(fake_do(&w, 1, FAKE_PAUSE), TX_TAKEN);
    assert_true(fake_reach(&w, w.height + 4, 5000));
    int64_t height = w.height;
    assert_int_equal(fake_do(&w, 1, FAKE_UNPAUSE), TX_TAKEN);
    assert_int_equal(fake_do(&w, 1, FAKE_PAUSE), TX_TAKEN); /* in one block */
    fake_run(&w, 2500);
    assert_true(w.failed && !w.failure.by_plan);
    assert_non_null(strstr(w.failure.words, "failed to find validator"));
    assert_int_equal(w.height, height + 1);
    struct stored_block block = fake_block(&w, w.height);
    assert_false(block.applied);
    assert_int_equal(block.tx_count, 2);
    stored_block_clear(&block);
    w.failed = false; /* who comes later hears it, too */
    fake_node_kill(&w, 2);
    fake_node_start(&w, 2);
    fake_run(&w, 500);
    assert_true(w.failed);
    (void)fake_do(&w, 3, FAKE_JOIN); /* is answered */
    fake_chain_kill(&w);
    for (int i = 0; i < 2; i++) {
        fake_chain_start(&w);
        assert_int_equal(fake_chain_wait(&w, 5000), 1);
        assert_int_equal(fake_verify(&w), height + 1);
    }
    assert_true(fake_log_has(&w, "CONSENSUS FAILURE!!! "));
    fake_world_end(&w);
}

static int64_t wall_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

static void a_hard_upgrade_halts(void **state)
{
    (void)state;
    struct fake_world w;
    begin_nodes_first(&w, &(struct fake_config){4, 100, 100, 400}, 2);
    w.upgrade_time = wall_s() + 5;
    assert_int_equal(fake_do(&w, 0, FAKE_UPGRADE), TX_TAKEN);
    assert_true(fake_reach(&w, w.height + 2, 3000));
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(fake_do(&w, i, FAKE_YES), TX_TAKEN);
    for (int i = 0; i < 80 && !w.failed; i++)
        fake_run(&w, 100);
    assert_true(w.failed && w.failure.by_plan);
    assert_non_null(strstr(w.failure.words, "UPGRADE \"up1\" NEEDED"));
    struct stored_block last = fake_block(&w, w.height), first = fake_block(&w, w.height - 1);
    struct stored_block before = fake_block(&w, w.height - 2);
    assert_true(!last.applied && first.applied);
    assert_true(first.header.time.seconds >= w.upgrade_time);
    assert_true(before.header.time.seconds < w.upgrade_time);
    stored_block_clear(&last);
    stored_block_clear(&first);
    stored_block_clear(&before);
    assert_int_equal(fake_chain_stop(&w), 0);
    fake_chain_start(&w);
    assert_int_equal(fake_chain_wait(&w, 5000), 1);
    end(&w);
}

/* --- files --- */

static void write_file(const struct fake_world *w, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", w->directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void files_that_are_none(void **state)
{
    (void)state;
    struct fake_world w;
    fake_world_start(&w, tool, &quick);
    write_file(&w, "proposal.json", "{\"height\":\"x\"}");
    fake_chain_start(&w);
    assert_int_equal(fake_chain_wait(&w, 5000), 1);
    assert_true(fake_log_has(&w, "proposal.json: is no"));
    write_file(&w, "proposal.json", "{\"height\":\"1\",\"round\":5}");
    fake_nodes_start(&w, 4);
    fake_chain_start(&w);
    assert_true(fake_reach(&w, 2, 5000));
    struct stored_block block = fake_block(&w, 1);
    assert_int_equal(block.seen_commit.round, 6);
    stored_block_clear(&block);
    assert_int_equal(fake_chain_stop(&w), 0);
    w.config.count = 3; /* another genesis */
    fake_chain_start(&w);
    assert_int_equal(fake_chain_wait(&w, 5000), 1);
    assert_true(fake_log_has(&w, "is not what the application comes to"));
    w.config.count = 4;
    write_file(&w, "blocks.log", "something else");
    fake_chain_start(&w);
    assert_int_equal(fake_chain_wait(&w, 5000), 1);
    fake_world_end(&w);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_make_blocks),
        cmocka_unit_test(one_of_four_is_absent),
        cmocka_unit_test(two_of_four_make_no_block),
        cmocka_unit_test(a_vote_that_does_not_come),
        cmocka_unit_test(late_votes_count_until_the_next_block),
        cmocka_unit_test(who_is_not_ready_is_not_asked),
        cmocka_unit_test(rare_blocks),
        cmocka_unit_test(transactions_keep_their_order),
        cmocka_unit_test(sets_change_two_blocks_later),
        cmocka_unit_test(kill_it_at_any_moment),
        cmocka_unit_test(no_round_is_asked_for_twice),
        cmocka_unit_test(times_ascend_although_clocks_do_not),
        cmocka_unit_test(wrong_votes_are_dropped),
        cmocka_unit_test(neighbours_may_be_hostile),
        cmocka_unit_test(a_fatal_block_is_the_last),
        cmocka_unit_test(a_hard_upgrade_halts),
        cmocka_unit_test(files_that_are_none),
    };
    if (argc != 2)
        return 2;
    tool = argv[1];
    zsys_handler_set(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
