/* What the modelled KIRA chain does by itself at the beginning of a block (uptime, upgrades), its
 * proposers, and the transactions of a running network once more. */
#include "sim/valset.h"
#include "tests/chain_world.h"

static void assert_dead(const struct world *w, const char *words)
{
    const char *why = model_dead(w->chain);

    assert_non_null(why);
    assert_non_null(strstr(why, words));
}

static void assert_change(const struct world *w, uint32_t validator, const char *why)
{
    const struct model_change *changes;

    assert_int_equal(model_changes(w->chain, &changes), 1);
    assert_int_equal(changes[0].validator, validator);
    assert_false(changes[0].enters);
    assert_string_equal(changes[0].why, why);
}

/* --- uptime --- */

/* Signs until its rank is 51, then is silent: INACTIVE in block last_present + 121, not before. */
static void test_silence(void **state)
{
    struct world w;
    struct model_record *record;
    uint64_t present = 52;

    (void)state;
    world_start(&w, CHAIN_KIRA, 4, 1);
    world_run(&w, (uint32_t)present);
    record = model_record(w.chain, 2);
    assert_int_equal(record->rank, 51);
    assert_int_equal(record->streak, 51);
    assert_int_equal(record->produced_blocks, 51); /* the first block has no last commit */
    assert_int_equal(record->last_present, present);
    w.missing[w.missing_count++] = 2;
    world_run(&w, 10);
    assert_int_equal(record->mischance_confidence, 10);
    assert_int_equal(record->mischance, 0);
    assert_int_equal(record->streak, 51);
    world_run(&w, 1);
    assert_int_equal(record->mischance, 1);
    assert_int_equal(record->rank, 41);
    assert_int_equal(record->streak, 0);
    world_run(&w, 109);
    assert_int_equal(record->status, STATUS_ACTIVE);
    assert_int_equal(w.change_count, 0);
    world_run(&w, 1);
    assert_int_equal(w.height, present + 121);
    assert_int_equal(record->status, STATUS_INACTIVE);
    assert_int_equal(w.change_count, 1);
    assert_change(&w, 2, "inactive");
    assert_int_equal(record->mischance_confidence, 10);
    assert_int_equal(record->mischance, 111);
    assert_int_equal(record->missed_blocks, 121);
    assert_int_equal(record->last_present, present);
    assert_int_equal(record->rank, 0);
    assert_int_equal(record->streak, 0);
    assert_true(record->inactive_until_ms == w.time_ms + 600000);
    assert_int_equal(model_active_count(w.chain), 3);
    world_run(&w, 5);
    assert_string_equal(w.sets[present + 122], "0123");
    assert_string_equal(w.sets[present + 123], "013");
    assert_int_equal(record->missed_blocks, 121);
    world_end(&w);
}

static void test_inactive_may_only_activate(void **state)
{
    struct world w;
    struct model_record *record;

    (void)state;
    world_start(&w, CHAIN_KIRA, 4, 1);
    w.missing[w.missing_count++] = 2;
    world_run(&w, 122);
    record = model_record(w.chain, 2);
    assert_int_equal(record->status, STATUS_INACTIVE);
    assert_int_equal(world_do(&w, 2, MSG_PAUSE), 5);
    assert_int_equal(world_do(&w, 2, MSG_UNPAUSE), 7);
    assert_int_equal(world_do(&w, 2, MSG_ACTIVATE), 5);
    assert_int_equal(record->mischance, 111);
    w.missing_count = 0;
    w.time_ms = record->inactive_until_ms - 2 * BLOCK_MS;
    world_run(&w, 1);
    assert_int_equal(world_do(&w, 2, MSG_ACTIVATE), 0);
    assert_int_equal(record->status, STATUS_ACTIVE);
    assert_int_equal(record->mischance, 0);
    assert_int_equal(record->mischance_confidence, 0);
    assert_int_equal(record->missed_blocks, 121);
    assert_int_equal(record->sequence, 4);
    assert_int_equal(record->balance, WORLD_BALANCE - 100 - 100 - 1000 - 1000);
    world_run(&w, 1);
    assert_string_equal(w.sets[w.height], "013");
    assert_string_equal(w.sets[w.height + 1], "0123");
    world_end(&w);
}

static void test_activate_then_pause_kills(void **state)
{
    struct world w;
    struct model_tx txs[2];

    (void)state;
    world_start(&w, CHAIN_KIRA, 4, 1);
    w.missing[w.missing_count++] = 2;
    world_run(&w, 122);
    w.time_ms += 600000;
    txs[0] = world_tx(&w, 2, MSG_ACTIVATE);
    txs[1] = world_tx(&w, 2, MSG_PAUSE);
    txs[1].sequence++;
    assert_false(world_block(&w, txs, 2));
    assert_dead(&w, "failed to find validator 03");
    world_end(&w);
}

/* One signature wipes what nine silent blocks left; a pause freezes everything, an unpause resets
 * nothing. */
static void test_counters_of_a_turn(void **state)
{
    struct world w;
    struct model_record *record;

    (void)state;
    world_start(&w, CHAIN_KIRA, 4, 1);
    record = model_record(w.chain, 1);
    world_run(&w, 5);
    w.missing[w.missing_count++] = 1;
    world_run(&w, 9);
    assert_int_equal(record->mischance_confidence, 9);
    w.missing_count = 0;
    world_run(&w, 1);
    assert_int_equal(record->mischance_confidence, 0);
    assert_int_equal(record->missed_blocks, 9);
    assert_int_equal(record->streak, 5);
    w.missing_count = 1;
    world_run(&w, 3);
    assert_int_equal(world_do(&w, 1, MSG_PAUSE), 0); /* block 19 */
    assert_int_equal(record->mischance_confidence, 4);
    world_run(&w, 30);
    assert_int_equal(record->mischance_confidence, 4);
    assert_int_equal(record->last_present, 15);
    assert_int_equal(world_do(&w, 1, MSG_UNPAUSE), 0); /* block 50, V(52) */
    world_run(&w, 2);
    assert_int_equal(record->mischance_confidence, 4);
    world_run(&w, 1); /* block 53 holds the commit of 52 */
    assert_int_equal(record->mischance_confidence, 5);
    assert_int_equal(record->streak, 5);
    world_end(&w);
}

static void test_rank_is_halved_to_even(void **state)
{
    static const int64_t ranks[][2] = {
        {101, 50}, {103, 52}, {100, 50}, {1, 0}, {0, 0}, {3, 2}, {INT64_MAX, INT64_MAX / 2 + 1}};

    (void)state;
    for (size_t i = 0; i < sizeof(ranks) / sizeof(*ranks); i++) {
        struct world w;

        world_start(&w, CHAIN_KIRA, 4, 1);
        model_properties(w.chain)->mischance_confidence = 0;
        model_properties(w.chain)->max_mischance = 0;
        model_properties(w.chain)->mischance_rank_decrease = 0;
        model_record(w.chain, 1)->rank = ranks[i][0];
        w.missing[w.missing_count++] = 1;
        world_run(&w, 2);
        assert_int_equal(world_status(&w, 1), STATUS_INACTIVE);
        assert_true(model_record(w.chain, 1)->rank == ranks[i][1]);
        world_end(&w);
    }
}

static void test_all_silent_at_once_kills(void **state)
{
    struct world w;

    (void)state;
    world_start(&w, CHAIN_KIRA, 2, 1);
    w.missing[w.missing_count++] = 0;
    w.missing[w.missing_count++] = 1;
    world_run(&w, 121);
    assert_false(world_block(&w, NULL, 0));
    assert_dead(&w, "empty set");
    world_end(&w);
}

/* --- upgrades --- */

/* Four validators, a plan for the time of block 5; all but `silent` vote YES in block 1. */
static void start_upgrade(struct world *w, bool instate, uint32_t silent)
{
    struct model_tx votes[4];
    uint32_t count = 0;

    world_start(w, CHAIN_KIRA, 4, 1);
    *model_plan(w->chain) =
        (struct model_plan){.pending = true, .upgrade_time_ms = 5 * BLOCK_MS, .instate = instate};
    for (uint32_t v = 0; v < 4; v++) {
        if (v != silent)
            votes[count++] = world_tx(w, v, MSG_VOTE_YES);
    }
    assert_true(world_block(w, votes, count));
    for (uint32_t i = 0; i < count; i++)
        assert_result(w->results[i], 0, "");
}

static void test_soft_upgrade_all_yes(void **state)
{
    struct world w;

    (void)state;
    start_upgrade(&w, true, VALIDATOR_NONE);
    world_run(&w, 3);
    assert_false(model_plan(w.chain)->processed);
    world_run(&w, 1);
    assert_true(model_plan(w.chain)->processed && model_plan(w.chain)->pending);
    world_run(&w, 1);
    assert_true(model_plan(w.chain)->processed && !model_plan(w.chain)->pending);
    assert_false(model_record(w.chain, 0)->voted_yes);
    world_run(&w, 4);
    assert_string_equal(w.sets[10], "0123");
    assert_false(model_halted_by_plan(w.chain));
    world_end(&w);
}

static void test_soft_upgrade_pauses_who_did_not_vote(void **state)
{
    struct world w;

    (void)state;
    start_upgrade(&w, true, 3);
    world_run(&w, 3);
    assert_int_equal(world_status(&w, 3), STATUS_ACTIVE);
    world_run(&w, 1);
    assert_int_equal(w.height, 5);
    assert_int_equal(world_status(&w, 3), STATUS_PAUSED);
    assert_change(&w, 3, "upgrade");
    world_run(&w, 3);
    assert_string_equal(w.sets[6], "0123");
    assert_string_equal(w.sets[7], "012");
    assert_int_equal(world_do(&w, 3, MSG_UNPAUSE), 0);
    world_end(&w);
}

static void test_soft_upgrade_spares_who_may_not_vote(void **state)
{
    struct world w;

    (void)state;
    start_upgrade(&w, true, 3);
    model_record(w.chain, 3)->can_vote = false;
    world_run(&w, 6);
    assert_int_equal(world_status(&w, 3), STATUS_ACTIVE);
    world_end(&w);
}

static void test_soft_upgrade_with_a_paused_one_kills(void **state)
{
    struct world w;

    (void)state;
    start_upgrade(&w, true, 3);
    assert_int_equal(world_do(&w, 3, MSG_PAUSE), 0);
    world_run(&w, 2);
    assert_false(world_block(&w, NULL, 0));
    assert_dead(&w, "failed to find validator 04");
    assert_int_equal(w.change_count, 0);
    world_end(&w);
}

/* Paused in block 4 it still signs block 5, but V(6), which block 5's updates change, is without
 * it. */
static void test_soft_upgrade_right_after_a_pause_kills(void **state)
{
    struct world w;

    (void)state;
    start_upgrade(&w, true, 3);
    world_run(&w, 2);
    assert_int_equal(world_do(&w, 3, MSG_PAUSE), 0);
    assert_false(world_block(&w, NULL, 0));
    assert_dead(&w, "failed to find validator 04");
    world_end(&w);
}

static void test_soft_upgrade_and_status(void **state)
{
    static const struct {
        enum model_status status;
        bool dies;
    } cases[] = {{STATUS_INACTIVE, false},
                 {STATUS_JAILED, true},
                 {STATUS_PAUSED, true},
                 {STATUS_NONE, false}};

    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        struct model_record records[4];
        struct world w;

        for (uint32_t v = 0; v < 4; v++) {
            world_record(&records[v], v, CHAIN_KIRA);
            records[v].voted_yes = v != 1;
        }
        records[1].status = cases[i].status;
        world_create(&w, CHAIN_KIRA, records, 4, 1);
        *model_plan(w.chain) = (struct model_plan){.pending = true, .instate = true};
        assert_int_equal(world_block(&w, NULL, 0), !cases[i].dies);
        assert_int_equal(world_status(&w, 1), cases[i].dies ? STATUS_PAUSED : cases[i].status);
        world_end(&w);
    }
}

static void test_soft_upgrade_without_any_yes_kills(void **state)
{
    struct world w;

    (void)state;
    world_start(&w, CHAIN_KIRA, 4, 1);
    *model_plan(w.chain) = (struct model_plan){.pending = true, .instate = true};
    assert_false(world_block(&w, NULL, 0));
    assert_dead(&w, "empty set");
    world_end(&w);
}

/* The first block at upgrade_time is applied, the next is stored only. */
static void test_hard_upgrade(void **state)
{
    struct world w;
    struct model_tx tx;

    (void)state;
    start_upgrade(&w, false, 3);
    world_run(&w, 3);
    assert_false(model_halted_by_plan(w.chain));
    tx = world_tx(&w, 1, MSG_SEND);
    assert_true(world_block(&w, &tx, 1));
    assert_result(w.results[0], 0, "");
    assert_int_equal(model_height(w.chain).n, 5);
    assert_int_equal(world_status(&w, 3), STATUS_PAUSED);
    assert_true(model_halted_by_plan(w.chain));
    assert_null(model_dead(w.chain));
    tx = world_tx(&w, 1, MSG_SEND);
    assert_false(world_block(&w, &tx, 1));
    assert_result(w.results[0], 1, "undefined");
    assert_int_equal(model_record(w.chain, 1)->sequence, 2);
    assert_int_equal(model_height(w.chain).n, 5);
    assert_true(model_halted_by_plan(w.chain));
    assert_null(model_dead(w.chain));
    world_end(&w);
}

static void test_votes(void **state)
{
    struct world w;

    (void)state;
    world_start(&w, CHAIN_KIRA, 4, 1);
    assert_int_equal(world_do(&w, 0, MSG_VOTE_YES), 21);
    world_end(&w);
    start_upgrade(&w, true, 3);
    assert_true(model_record(w.chain, 0)->voted_yes);
    assert_int_equal(world_do(&w, 3, MSG_VOTE_YES), 0);
    model_record(w.chain, 2)->can_vote = false;
    assert_int_equal(world_do(&w, 2, MSG_VOTE_YES), 5);
    world_run(&w, 1);
    assert_int_equal(world_do(&w, 3, MSG_VOTE_YES), 28); /* the block that pauses the others */
    assert_int_equal(world_do(&w, 3, MSG_VOTE_YES), 21);
    world_end(&w);
}

/* --- proposers --- */

static void test_proposers(void **state)
{
    struct world w;

    (void)state;
    world_start(&w, CHAIN_KIRA, 4, 1);
    for (uint32_t h = 1; h <= 12; h++) {
        for (uint32_t round = 0; round < 6; round++)
            assert_int_equal(model_proposer(w.chain, round), (h - 1 + round) % 4);
        assert_int_equal(model_proposer(w.chain, 2), (h + 1) % 4);
        assert_int_equal(model_proposer(w.chain, 1), h % 4);
        world_run(&w, 1);
    }
    world_end(&w);
}

/* --- a running network --- */

/* Every membership transaction, refused ones too, of the five validators of which test_valset.c has
 * the priorities; their addresses' first bytes, and the proposers of 150 blocks by place in address
 * order. */
static const struct {
    uint64_t height;
    uint32_t validator;
    enum msg_kind kind;
    uint64_t timeout;
    uint32_t code;
} history[] = {
    {5, 4, MSG_SEND, 0, 0},      {22, 4, MSG_UNPAUSE, 0, 7},  {25, 1, MSG_PAUSE, 27, 0},
    {33, 1, MSG_UNPAUSE, 0, 0},  {37, 3, MSG_PAUSE, 39, 0},   {41, 3, MSG_PAUSE, 40, 30},
    {45, 3, MSG_UNPAUSE, 0, 0},  {49, 2, MSG_PAUSE, 51, 0},   {57, 2, MSG_UNPAUSE, 0, 0},
    {61, 4, MSG_PAUSE, 63, 0},   {69, 4, MSG_UNPAUSE, 0, 0},  {94, 1, MSG_PAUSE, 96, 0},
    {102, 1, MSG_UNPAUSE, 0, 0}, {106, 3, MSG_PAUSE, 108, 0}, {114, 3, MSG_UNPAUSE, 0, 0},
    {118, 2, MSG_PAUSE, 120, 0}, {126, 2, MSG_UNPAUSE, 0, 0},
};
static const uint8_t history_addresses[] = {0x65, 0x6c, 0x86, 0xe8, 0x66};
static const uint32_t history_order[] = {0, 4, 1, 2, 3};
static const char history_proposers[] =
    "012340123401234012340123401341340134013021302130210241024102410243024302430124301243012430"
    "124301430143014301320132013201240124012401234012340123401234";

static void test_running_network(void **state)
{
    struct model_record records[5];
    struct world w;
    uint32_t next = 0;

    (void)state;
    for (uint32_t v = 0; v < 5; v++) {
        world_record(&records[v], v, CHAIN_KIRA);
        records[v].address[0] = history_addresses[v];
    }
    world_create(&w, CHAIN_KIRA, records, 5, 1);
    for (uint64_t h = 1; h < sizeof(history_proposers); h++) {
        struct model_tx tx;
        bool has = next < sizeof(history) / sizeof(*history) && history[next].height == h;

        assert_int_equal(model_proposer(w.chain, 0), history_order[history_proposers[h - 1] - '0']);
        if (!has) {
            world_run(&w, 1);
            continue;
        }
        tx = world_tx(&w, history[next].validator, history[next].kind);
        tx.timeout_height = history[next].timeout;
        assert_true(world_block(&w, &tx, 1));
        assert_int_equal(w.results[0].code, history[next++].code);
    }
    assert_int_equal(next, sizeof(history) / sizeof(*history));
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_inactive_may_only_activate),
        cmocka_unit_test(test_activate_then_pause_kills),
        cmocka_unit_test(test_counters_of_a_turn),
        cmocka_unit_test(test_rank_is_halved_to_even),
        cmocka_unit_test(test_all_silent_at_once_kills),
        cmocka_unit_test(test_soft_upgrade_all_yes),
        cmocka_unit_test(test_soft_upgrade_pauses_who_did_not_vote),
        cmocka_unit_test(test_soft_upgrade_spares_who_may_not_vote),
        cmocka_unit_test(test_soft_upgrade_with_a_paused_one_kills),
        cmocka_unit_test(test_soft_upgrade_right_after_a_pause_kills),
        cmocka_unit_test(test_soft_upgrade_and_status),
        cmocka_unit_test(test_soft_upgrade_without_any_yes_kills),
        cmocka_unit_test(test_hard_upgrade),
        cmocka_unit_test(test_votes),
        cmocka_unit_test(test_proposers),
        cmocka_unit_test(test_running_network),
    };

    return cmocka_run_group_tests_name("chain_blocks", tests, NULL, NULL);
}
