/* Everything else that holds a member back (PROTOCOL section 2, withholding): the operator's own limits,
 * peers, hours, other charters, missing history, and chains without empty blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/member_world.h"

static struct member_world world;

static int end(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static bool told(const struct member_world *w, enum coord_reason reason)
{
    return world_told(w, coord_reason_sentence(reason));
}

static void tell_peers(struct member_world *w, struct coord_peers peers)
{
    world_event(w, (struct coord_event){.kind = EVENT_PEERS, .peers = peers});
}

/* --- peers, hours, store, funds, history --- */

static void peers_hold_back_and_let_go(void **state)
{
    (void)state;
    static const struct {
        struct coord_peers peers;
        enum coord_reason reason;
    } cases[] = {
        {{.head = {10}}, REASON_PEERS_AHEAD},
        {{.head = {9}}, REASON_NONE},
        {{.conflict = true}, REASON_PEERS_CONFLICT},
        {{.failures = 2}, REASON_PEERS_FAILED},
        {{.failures = 1}, REASON_NONE},
        {{.domain_out = 3}, REASON_DOMAIN},
        {{.domain_out = 2}, REASON_NONE},
    };
    struct world_setup setup = world_usual();
    setup.policy.failures_max = 2;
    setup.policy.domain_max = 3;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct member_world *w = world_begin(&world, &setup);
        tell_peers(w, cases[i].peers);
        world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
        assert_int_equal(w->send_count, cases[i].reason == REASON_NONE);
        assert_true(cases[i].reason == REASON_NONE || told(w, cases[i].reason));
        tell_peers(w, (struct coord_peers){.known = true});
        world_until(w, COORD_PAUSED);
    }
}

/* Between the join and the permit. */
static void a_conflict_leaves_the_permit_unused(void **state)
{
    (void)state;
    struct member_world *w = world_begin_turn(&world, COORD_WAITING);
    tell_peers(w, (struct coord_peers){.conflict = true});
    world_to(w, 9);
    assert_true(world_told(w, "epoch 2: the permit is left unused: others see another"));
    assert_int_equal(world_sent(w, TX_PAUSE), 0);
}

/* Minutes of the UTC day by header time; the story begins at midnight. */
static void only_within_the_hours(void **state)
{
    (void)state;
    static const struct {
        int32_t from, to;
        bool inside;
    } cases[] = {{0, 0, true},      {0, 60, true},      {1, 60, false},
                 {1380, 60, true},  {1380, 1, true},    {1380, 0, false},
                 {600, 660, false}, {1439, 1438, true}, {720, 720, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world_setup setup = world_usual();
        setup.policy.hours_from_min = cases[i].from;
        setup.policy.hours_to_min = cases[i].to;
        struct member_world *w = world_begin(&world, &setup);
        world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
        assert_int_equal(w->send_count, cases[i].inside);
        assert_int_equal(told(w, REASON_HOURS), !cases[i].inside);
    }
}

static void a_broken_store_begins_nothing(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    world_event(w, (struct coord_event){.kind = EVENT_STORE, .store_works = false});
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_to(w, 12);
    assert_true(told(w, REASON_STORE));
    assert_int_equal(w->send_count, 0);
    world_event(w, (struct coord_event){.kind = EVENT_STORE, .store_works = true});
    world_until(w, COORD_DONE);
}

/* Nor is the node stopped: paused is as far as it goes. */
static void a_store_that_breaks_when_paused(void **state)
{
    (void)state;
    struct member_world *w = world_begin_turn(&world, COORD_PAUSED);
    world_event(w, (struct coord_event){.kind = EVENT_STORE, .store_works = false});
    world_blocks(w, 10);
    assert_int_equal(world_state(w), COORD_PAUSED);
    assert_true(w->node.up);
    world_event(w, (struct coord_event){.kind = EVENT_STORE, .store_works = true});
    world_until(w, COORD_DONE);
    assert_int_equal(w->reinits, 1);
}

static void no_funds_no_join(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    w->self.funded = false;
    world_tell_self(w);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    assert_true(told(w, REASON_FUNDS));
    assert_int_equal(w->send_count, 0);
    w->self.funded = true;
    world_tell_self(w);
    assert_int_equal(w->send_count, 1);
}

static void a_node_that_catches_up_joins_nothing(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    w->node.catching_up = true;
    world_tell_node(w);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    assert_true(told(w, REASON_CATCHING_UP));
    assert_int_equal(w->send_count, 0);
}

/* A view that begins in the middle of the chain does not know all that the draw needs. */
static void an_incomplete_history_joins_nothing(void **state)
{
    (void)state;
    struct member_world *w = &world;
    world_open(w, NULL);
    world_begin_late(w, 4000);
    world_start(w, JOURNAL_KEPT);
    world_block(w);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_blocks(w, 100);
    assert_true(told(w, REASON_HISTORY));
    assert_int_equal(w->send_count, 0);
    while (w->height < 4000 + FOREIGN_BLOCKS + 200)
        world_block(w);
    assert_true(w->send_count > 0);
}

/* --- the operator's own floor and cap --- */

/* Of `agents` members alike, how many join at once when only `max_offline` may be out. */
static uint32_t joins_at_once(uint32_t agents, int64_t max_offline, int64_t own_floor)
{
    struct world_setup setup = world_usual();
    setup.members = agents;
    setup.policy.max_offline = max_offline;
    setup.policy.own_floor = own_floor;
    struct member_world *w = world_begin(&world, &setup);
    world_to(w, 6);
    uint32_t count = 0;
    for (uint32_t v = 0; v < agents; v++) {
        w->core.self = v;
        w->core.memory.expected_ms = WORLD_WORK_MS;
        count += coord_may_join(&w->core, w->view) == REASON_NONE;
    }
    w->core.self = US;
    world_close(w);
    return count;
}

static void the_lottery_thins_the_line(void **state)
{
    (void)state;
    assert_int_equal(joins_at_once(40, 0, 0), 40);
    assert_in_range(joins_at_once(40, 2, 0), 1, 6);
    assert_in_range(joins_at_once(40, 10, 0), 4, 18);
    assert_in_range(joins_at_once(40, 0, 38), 1, 6);
    assert_int_equal(joins_at_once(40, 0, 40), 0);
    assert_int_equal(joins_at_once(40, 40, 0), 40);
}

/* Nobody else wants: sooner or later the lottery lets us. */
static void the_lottery_lets_everybody_in_at_last(void **state)
{
    (void)state;
    struct world_setup setup = world_usual();
    setup.members = 40;
    setup.policy.max_offline = 1;
    uint32_t drawn_blanks = 0;
    for (uint64_t height = 6; height < 12; height++) {
        struct member_world *w = world_begin(&world, &setup);
        world_to(w, height);
        world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
        drawn_blanks += told(w, REASON_WOULD_WITHHOLD);
        world_to(w, height + 3 * 8);
        assert_true(world_sent(w, TX_JOIN) > 0);
        world_until(w, COORD_DONE);
    }
    assert_true(drawn_blanks >= 3);
}

static void beyond_the_own_cap_the_permit_is_left_unused(void **state)
{
    (void)state;
    struct world_setup setup = world_usual();
    setup.policy.max_offline = 1;
    struct member_world *w = world_begin(&world, &setup);
    world_put(w, 9, false);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_until(w, COORD_WAITING);
    world_until(w, COORD_JOINING);
    assert_true(told(w, REASON_OWN_CAP));
    assert_int_equal(world_sent(w, TX_PAUSE), 0);
    world_blocks(w, 9);
    assert_true(told(w, REASON_WOULD_WITHHOLD));
}

static void below_the_own_floor_the_permit_is_left_unused(void **state)
{
    (void)state;
    struct world_setup setup = world_usual();
    setup.policy.own_floor = 9;
    struct member_world *w = world_begin(&world, &setup);
    world_put(w, 9, false);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_until(w, COORD_WAITING);
    world_until(w, COORD_JOINING);
    assert_true(told(w, REASON_OWN_FLOOR));
    assert_int_equal(world_sent(w, TX_PAUSE), 0);
}

/* --- charters --- */

static void half_of_the_members_play_by_another_charter(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    for (uint32_t v = 1; v <= 5; v++)
        world_foreign_join(w, v);
    world_to(w, 6);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_to(w, 12);
    assert_true(told(w, REASON_FOREIGN_HALF));
    assert_int_equal(w->send_count, 0);
}

static void four_of_ten_are_not_half(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    for (uint32_t v = 1; v <= 4; v++)
        world_foreign_join(w, v);
    world_to(w, 6);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    assert_int_equal(world_sent(w, TX_JOIN), 1);
}

/* A vote has changed min_validators: everybody's joins are foreign at once, and we join anew all the same. */
static void a_new_charter_joins_anew(void **state)
{
    (void)state;
    struct member_world *w = &world;
    world_open(w, NULL);
    world_second_charter(w, 2);
    world_start(w, JOURNAL_KEPT);
    world_to(w, 4);
    for (uint32_t v = 1; v <= 7; v++)
        world_join(w, v, 20);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_to(w, 6);
    assert_int_equal(world_state(w), COORD_WAITING);
    uint32_t old = world_last_send(w, TX_JOIN)->charter;
    world_change_charter(w);
    assert_true(2 * view_draw(w->view, height_at(6))->foreign >= 10);
    assert_int_equal(world_sent(w, TX_JOIN), 2);
    assert_int_not_equal(world_last_send(w, TX_JOIN)->charter, old);
    world_until(w, COORD_WAITING);
}

/* --- chains without empty blocks --- */

static struct member_world *begin_rare(void)
{
    struct world_setup setup = world_usual();
    setup.chain = CHAIN_DCL;
    setup.rare_blocks = true;
    return world_begin(&world, &setup);
}

static void a_permit_waits_for_the_next_block(void **state)
{
    (void)state;
    struct member_world *w = begin_rare();
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_to(w, 6);
    assert_true(world_told(w, "-> permit"));
    assert_int_equal(world_sent(w, TX_PAUSE), 0);
    world_to(w, 7);
    assert_int_equal(world_sent(w, TX_PAUSE), 1);
    assert_int_equal(world_last_send(w, TX_PAUSE)->timeout.n, 9);
    world_until(w, COORD_DONE);
    assert_int_equal(w->reinits, 1);
}

/* Block E+1 shows that three have gone silent, which the k commits up to E did not. */
static void the_recheck_withholds(void **state)
{
    (void)state;
    struct member_world *w = begin_rare();
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_to(w, 6);
    for (uint32_t v = 1; v <= 3; v++)
        w->silent[v] = true;
    world_to(w, 7);
    assert_true(told(w, REASON_RECHECK));
    assert_int_equal(world_sent(w, TX_PAUSE), 0);
}

/* The chain stands still behind the boundary that gave us the permit: a join of ours moves it on. */
static void a_join_moves_a_still_chain(void **state)
{
    (void)state;
    struct member_world *w = begin_rare();
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_to(w, 6);
    world_wait(w, 19999);
    assert_int_equal(world_sent(w, TX_JOIN), 1);
    world_wait(w, 16 * 5000);
    assert_int_equal(world_sent(w, TX_JOIN), 2);
    assert_true(world_told(w, "the chain is still; join number 2 moves it on"));
    world_block(w);
    assert_int_equal(world_sent(w, TX_PAUSE), 1);
}

/* Refused by CheckTx, it rests like any other transaction. */
static void a_join_that_moves_the_chain_is_refused(void **state)
{
    (void)state;
    struct member_world *w = begin_rare();
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_to(w, 6);
    world_fate(w, TX_JOIN, FATE_REFUSED, 100);
    world_wait(w, 20000 + 16 * 5000);
    uint32_t sent = world_sent(w, TX_JOIN);
    assert_in_range(sent, 2, 1 + 16 * 5000 / 5000 + 1);
    world_fate(w, TX_JOIN, FATE_TAKEN, 0);
    world_wait(w, 5000);
    assert_int_equal(world_sent(w, TX_JOIN), sent + 1);
    world_block(w);
    assert_int_equal(world_sent(w, TX_PAUSE), 1);
}

/* Two of J are kept for joining; no join number J + 1 under any circumstances. */
static void moving_the_chain_stays_within_j(void **state)
{
    (void)state;
    struct member_world *w = begin_rare();
    for (uint32_t v = 1; v <= 3; v++)
        w->silent[v] = true;
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    for (uint32_t i = 0; i < 50; i++) {
        world_block(w);
        world_wait(w, 2 * MINUTE_MS);
    }
    assert_true(world_sent(w, TX_JOIN) >= 3);
    assert_true(world_sent(w, TX_JOIN) <= 6);
}

/* A join that no draw has counted yet is worth a block: else we would wait for others to need one. */
static void a_still_chain_does_not_hide_a_join(void **state)
{
    (void)state;
    struct member_world *w = begin_rare();
    world_to(w, 7);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_block(w);
    assert_int_equal(world_state(w), COORD_WAITING);
    world_wait(w, 2 * MINUTE_MS);
    assert_int_equal(world_sent(w, TX_JOIN), 2);
}

/* Every permit is refused by the recheck, every join is used up: J joins, and then the next round. */
static void all_joins_of_a_round_are_spent(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    world_fate(w, TX_PAUSE, FATE_FAILED, 8);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_to(w, 58);
    assert_int_equal(world_sent(w, TX_JOIN), 8);
    assert_true(told(w, REASON_JOINS_EXHAUSTED));
    world_to(w, 60);
    assert_int_equal(world_sent(w, TX_JOIN), 9);
    world_until(w, COORD_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(peers_hold_back_and_let_go, end),
        cmocka_unit_test_teardown(a_conflict_leaves_the_permit_unused, end),
        cmocka_unit_test_teardown(only_within_the_hours, end),
        cmocka_unit_test_teardown(a_broken_store_begins_nothing, end),
        cmocka_unit_test_teardown(a_store_that_breaks_when_paused, end),
        cmocka_unit_test_teardown(no_funds_no_join, end),
        cmocka_unit_test_teardown(a_node_that_catches_up_joins_nothing, end),
        cmocka_unit_test_teardown(an_incomplete_history_joins_nothing, end),
        cmocka_unit_test_teardown(the_lottery_thins_the_line, end),
        cmocka_unit_test_teardown(the_lottery_lets_everybody_in_at_last, end),
        cmocka_unit_test_teardown(beyond_the_own_cap_the_permit_is_left_unused, end),
        cmocka_unit_test_teardown(below_the_own_floor_the_permit_is_left_unused, end),
        cmocka_unit_test_teardown(half_of_the_members_play_by_another_charter, end),
        cmocka_unit_test_teardown(four_of_ten_are_not_half, end),
        cmocka_unit_test_teardown(a_new_charter_joins_anew, end),
        cmocka_unit_test_teardown(a_permit_waits_for_the_next_block, end),
        cmocka_unit_test_teardown(the_recheck_withholds, end),
        cmocka_unit_test_teardown(a_join_moves_a_still_chain, end),
        cmocka_unit_test_teardown(a_join_that_moves_the_chain_is_refused, end),
        cmocka_unit_test_teardown(moving_the_chain_stays_within_j, end),
        cmocka_unit_test_teardown(a_still_chain_does_not_hide_a_join, end),
        cmocka_unit_test_teardown(all_joins_of_a_round_are_spent, end),
    };
    return cmocka_run_group_tests_name("member_limits", tests, NULL, NULL);
}
