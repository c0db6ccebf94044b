/* The judge of a network that ran: chains that went well, and each thing that it must notice. */
#include "proto/tx.h"
#include "sim/demo_judge.h"
#include "sim/devnet_block.h"
#include "tests/app_world.h"

#define VALIDATORS 7
#define FLOOR 5

struct play {
    struct app_world w;
    struct charter charter;
    struct judge *judge;
    uint8_t addresses[VALIDATORS][ADDRESS_SIZE];
};

static void play_begin(struct play *p)
{
    app_world_start(&p->w, CHAIN_KIRA, VALIDATORS, FLOOR);
    p->charter = charter_default(p->w.genesis.chain_id, FLOOR, 1000);
    p->judge = judge_create(&p->w.genesis, &p->charter, p->w.step_ms);
    assert_non_null(p->judge);
    for (uint32_t i = 0; i < VALIDATORS; i++)
        member_address(p->w.genesis.validators[i].consensus_key, p->addresses[i]);
}

static void play_end(struct play *p)
{
    judge_destroy(&p->judge);
    assert_null(p->judge);
    app_world_end(&p->w);
}

/* --- blocks --- */

static bool is_missing(const struct app_world *w, uint32_t validator)
{
    for (uint32_t i = 0; i < w->missing_count; i++)
        if (w->missing[i] == validator)
            return true;
    return false;
}

static void commit_fill(const struct play *p, struct commit *commit,
                        struct commit_sig sigs[VALIDATORS])
{
    uint64_t height = p->w.height - 1;
    *commit = (struct commit){.height = (int64_t)height, .sigs = sigs};
    if (height < p->w.genesis.initial_height.n)
        return;
    for (const char *v = p->w.sets[height]; *v; v++)
        sigs[commit->count++].flag =
            is_missing(&p->w, (uint32_t)(*v - '0')) ? COMMIT_ABSENT : COMMIT_FOR_BLOCK;
}

static uint32_t members_fill(const struct play *p, struct stored_member members[VALIDATORS])
{
    uint32_t count = 0;
    for (const char *v = p->w.sets[p->w.height]; *v; v++, count++) {
        memcpy(members[count].member.address, p->addresses[*v - '0'], ADDRESS_SIZE);
        members[count].member.power = 1;
    }
    return count;
}

/* The next block, with what was put into it, before the judge. */
static void block(struct play *p)
{
    struct tx_bytes txs[WORLD_TXS];
    struct commit_sig sigs[VALIDATORS] = {{0}};
    struct stored_member members[VALIDATORS] = {{{{0}, {0}, 0}, 0}};
    struct stored_block stored = {.txs = txs, .results = p->w.results, .applied = true};
    stored.tx_count = p->w.tx_count;
    for (uint32_t i = 0; i < stored.tx_count; i++) {
        uint8_t *copy = malloc(p->w.sizes[i]);
        assert_non_null(copy);
        memcpy(copy, p->w.txs[i], p->w.sizes[i]);
        txs[i] = (struct tx_bytes){copy, p->w.sizes[i]};
    }
    assert_true(app_world_block(&p->w));
    stored.header.height = (int64_t)p->w.height;
    stored.header.time = devnet_time_of_ms(p->w.time_ms);
    memcpy(stored.id.hash.bytes, &p->w.height, sizeof p->w.height);
    commit_fill(p, &stored.last_commit, sigs);
    stored.members = members;
    stored.member_count = members_fill(p, members);
    stored.updates = p->w.updates;
    stored.update_count = p->w.update_count;
    judge_block(p->judge, &stored);
    for (uint32_t i = 0; i < stored.tx_count; i++)
        free((void *)txs[i].bytes);
}

static void blocks(struct play *p, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        block(p);
}

/* So that the next block is the first behind a boundary. */
static void to_boundary(struct play *p)
{
    do
        block(p);
    while (p->w.height % p->charter.epoch_blocks != 0);
}

static void join(struct play *p, uint32_t validator)
{
    struct world_tx tx = tx_send(&p->w, validator, validator, "1");
    char memo[TX_JOIN_MEMO_MAX];
    tx_join_memo_text(1, p->charter.id, memo);
    strcpy(tx.memo, memo);
    world_add(&p->w, tx);
}

/* Everybody signs, and it counts from here on. */
static void settle(struct play *p)
{
    play_begin(p);
    to_boundary(p);
    to_boundary(p);
    assert_true(judge_all_live(p->judge));
    assert_int_equal(judge_floor(p->judge), FLOOR);
    judge_begin(p->judge);
}

static struct result result_of(const struct play *p)
{
    struct result result = {.strategy = "draw", .seed = 3};
    judge_result(p->judge, &result);
    assert_string_equal(result.strategy, "draw");
    assert_int_equal(result.seed, 3);
    assert_int_equal(result.agents, VALIDATORS);
    return result;
}

static void assert_violation(const struct result *result, uint32_t index, const char *invariant,
                             uint64_t height, uint32_t validator)
{
    assert_true(index < result->violation_count);
    assert_string_equal(result->violations[index].invariant, invariant);
    assert_int_equal(result->violations[index].height, height);
    assert_int_equal(result->violations[index].validator, validator);
}

/* --- what went well --- */

/* Two at a time, with permits, and back. */
static void take_turns(struct play *p, uint32_t first, uint32_t second)
{
    join(p, first);
    join(p, second);
    to_boundary(p);
    assert_true(judge_turn(p->judge, first).permit && judge_turn(p->judge, second).permit);
    world_add(&p->w, tx_pause(&p->w, first));
    world_add(&p->w, tx_pause(&p->w, second));
    block(p);
    assert_int_equal(judge_live(p->judge), FLOOR);
    assert_int_equal(judge_turn(p->judge, first).paused.n, p->w.height);
    block(p);
    assert_true(judge_turn(p->judge, first).out);
    assert_int_equal(judge_turn(p->judge, first).left.n, p->w.height + 1);
    blocks(p, 5);
    world_add(&p->w, tx_unpause(&p->w, first));
    world_add(&p->w, tx_unpause(&p->w, second));
    blocks(p, 2);
    assert_false(judge_turn(p->judge, first).out);
    assert_false(judge_turn(p->judge, first).back);
    blocks(p, 2);
    assert_true(judge_turn(p->judge, first).back && judge_turn(p->judge, second).back);
    to_boundary(p);
}

static void test_turns(void **state)
{
    (void)state;
    struct play p;
    struct report_bar *bars;
    uint32_t count;
    settle(&p);
    uint64_t begin = p.w.height;
    take_turns(&p, 0, 6);
    take_turns(&p, 1, 5);
    struct result result = result_of(&p);
    assert_int_equal(result.violation_count, 0);
    assert_int_equal(result.blocks, p.w.height - begin);
    assert_int_equal(result.blocks_below_floor, 0);
    assert_int_equal(result.min_live, FLOOR);
    assert_int_equal(result.floor, FLOOR);
    assert_int_equal(result.done, 4);
    assert_true(result.undone);
    assert_true(result.makespan_s < 0);
    assert_int_equal(result.pauses, 4);
    assert_int_equal(result.joins, 4);
    assert_int_equal(result.left_paused, 0);
    const struct report_point *points = judge_points(p.judge, &count);
    assert_int_equal(count, result.blocks + 1); /* and where it began */
    assert_int_equal(points[0].live, VALIDATORS);
    assert_int_equal(points[0].floor, FLOOR);
    assert_int_equal(judge_bars(p.judge, &bars), 4);
    assert_int_equal(bars[0].kind, BAR_OUT);
    assert_int_equal(bars[0].to_ms - bars[0].from_ms, 7 * p.w.step_ms);
    free(bars);
    play_end(&p);
}

static void test_all_done(void **state)
{
    (void)state;
    struct play p;
    settle(&p);
    int64_t begin_ms = p.w.time_ms + p.w.step_ms;
    take_turns(&p, 0, 1);
    take_turns(&p, 2, 3);
    take_turns(&p, 4, 5);
    take_turns(&p, 6, 0); /* once more, in a turn of its own */
    struct result result = result_of(&p);
    assert_int_equal(result.violation_count, 0);
    assert_int_equal(judge_back(p.judge), VALIDATORS);
    assert_false(result.undone);
    assert_true(result.makespan_s > 20 &&
                result.makespan_s * 1000 <= (double)(p.w.time_ms - begin_ms));
    play_end(&p);
}

/* --- what must be noticed --- */

static void test_without_a_permit(void **state)
{
    (void)state;
    struct play p;
    settle(&p);
    world_add(&p.w, tx_pause(&p.w, 4));
    block(&p);
    struct result result = result_of(&p);
    assert_int_equal(result.violation_count, 1);
    assert_violation(&result, 0, "pause-by-permit", p.w.height, 4);
    blocks(&p, 2);
    assert_int_equal(result_of(&p).left_paused, 1);
    play_end(&p);
}

static void test_the_same_permit_twice(void **state)
{
    (void)state;
    struct play p;
    settle(&p);
    join(&p, 2);
    to_boundary(&p);
    world_add(&p.w, tx_pause(&p.w, 2));
    block(&p);
    world_add(&p.w, tx_unpause(&p.w, 2));
    block(&p);
    world_add(&p.w, tx_pause(&p.w, 2));
    block(&p);
    struct result result = result_of(&p);
    assert_int_equal(result.pauses, 2);
    assert_int_equal(result.violation_count, 1);
    assert_violation(&result, 0, "pause-by-permit", p.w.height, 2);
    play_end(&p);
}

static void test_floor(void **state)
{
    (void)state;
    struct play p;
    settle(&p);
    for (uint32_t i = 0; i < 3; i++)
        world_put(&p.w,
                  tx_pause(&p.w, i)); /* also what the chain refuses counts as going in its block */
    block(&p);
    assert_int_equal(judge_live(p.judge), VALIDATORS - 3);
    struct result result = result_of(&p);
    assert_int_equal(result.blocks_below_floor, 1);
    assert_int_equal(result.min_live, VALIDATORS - 3);
    assert_violation(&result, 0, "floor", p.w.height, VALIDATOR_NONE);
    play_end(&p);
}

static void test_missed_blocks(void **state)
{
    (void)state;
    struct play p;
    settle(&p);
    p.w.missing[0] = 3;
    p.w.missing_count = 1;
    block(&p); /* its last commit is of a block from before it counted */
    assert_int_equal(result_of(&p).missed_blocks_in_set, 0);
    block(&p);
    struct result result = result_of(&p);
    assert_int_equal(result.missed_blocks_in_set, 1);
    assert_violation(&result, 0, "no-missed-block", p.w.height - 1, 3);
    assert_int_equal(judge_live(p.judge), VALIDATORS);
    block(&p); /* silent in three commits */
    assert_int_equal(judge_live(p.judge), VALIDATORS - 1);
    assert_false(judge_all_live(p.judge));
    play_end(&p);
}

static void test_before_it_counts(void **state)
{
    (void)state;
    struct play p;
    play_begin(&p);
    assert_int_equal(judge_head(p.judge), 0);
    assert_int_equal(judge_live(p.judge), 0);
    assert_false(judge_all_live(p.judge));
    p.w.missing[0] = 1;
    p.w.missing_count = 1;
    blocks(&p, 5);
    world_add(&p.w, tx_pause(&p.w, 4));
    blocks(&p, 5);
    struct result result = result_of(&p);
    assert_int_equal(result.violation_count, 0);
    assert_int_equal(result.blocks + result.pauses + result.missed_blocks_in_set, 0);
    assert_int_equal(judge_head(p.judge), 10);
    assert_false(judge_begun(p.judge));
    play_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_all_done),
        cmocka_unit_test(test_without_a_permit),
        cmocka_unit_test(test_the_same_permit_twice),
        cmocka_unit_test(test_floor),
        cmocka_unit_test(test_missed_blocks),
        cmocka_unit_test(test_before_it_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
