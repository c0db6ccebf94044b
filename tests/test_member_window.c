/* Before an upgrade (PROTOCOL section 7): who may still take a turn, who gives it back, and who must return
 * whatever happens, since a validator that is paused at upgrade_time without a YES vote stops the chain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

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

static void without_a_yes_vote_nobody_joins(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    world_plan(w, 120 * MINUTE_MS, false);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_to(w, 20);
    world_story(
        w,
        "the operator says reboot\n"
        "head 4: not now: an upgrade is pending and this validator has not voted YES; vote first\n");
    world_plan(w, 120 * MINUTE_MS, true);
    world_until(w, COORD_DONE);
}

/* Proposed while we stand in line. */
static void without_a_yes_vote_a_permit_is_left_unused(void **state)
{
    (void)state;
    struct member_world *w = world_begin_turn(&world, COORD_WAITING);
    world_plan(w, 120 * MINUTE_MS, false);
    world_to(w, 12);
    world_story(
        w,
        "epoch 2: rank 1 of 1 candidates, budget 3 -> permit\n"
        "epoch 2: the permit is left unused: an upgrade is pending and this validator has not voted YES; vote first\n"
        "head 6: not now: an upgrade is pending and this validator has not voted YES; vote first\n"
        "-> JOINING\n");
}

/* The upgrade is off: the plan is no longer pending. */
static void a_plan_that_is_gone_stands_against_nothing(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    world_plan(w, MINUTE_MS, false);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_to(w, 9);
    assert_int_equal(w->send_count, 0);
    world_event(w, (struct coord_event){.kind = EVENT_PLAN});
    world_until(w, COORD_DONE);
}

/* The turn, what surrounds it and the margin must fit before upgrade_time: 31 s + 65 s + 120 s. */
static void a_turn_that_does_not_fit_is_not_begun(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    world_plan(w, 216 * 1000 - 1, true);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_to(w, 20);
    assert_true(told(w, REASON_WINDOW));
    assert_int_equal(w->send_count, 0);
    world_begin(w, NULL);
    world_plan(w, 216 * 1000, true);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    assert_int_equal(world_sent(w, TX_JOIN), 1);
}

/* It fitted when we joined, and no longer does when the permit comes. */
static void the_window_closes_while_in_line(void **state)
{
    (void)state;
    struct member_world *w = world_begin_turn(&world, COORD_WAITING);
    world_plan(w, 216 * 1000, true);
    world_to(w, 12);
    assert_true(told(w, REASON_WINDOW));
    assert_int_equal(world_sent(w, TX_PAUSE), 0);
}

static void the_window_closes_when_paused(void **state)
{
    (void)state;
    struct member_world *w = world_begin_turn(&world, COORD_PAUSED);
    world_plan(w, 200 * 1000, true);
    world_until(w, COORD_SETTLING);
    world_story(
        w, "head 8: giving the turn back: there is no time left for a turn before the upgrade\n"
           "send unpause until 18\n"
           "head 8: in step with the chain, asking back into the set\n"
           "-> UNPAUSING\n"
           "head 9: back since block 9, waiting to be seen signing\n"
           "-> SETTLING\n");
    assert_true(w->node.up);
}

/* Who has voted YES may be late: the chain goes on without it. */
static void with_a_yes_vote_nobody_is_forced_back(void **state)
{
    (void)state;
    struct member_world *w = world_begin_offline(&world);
    world_plan(w, 3 * MINUTE_MS, true);
    world_wait(w, 10 * MINUTE_MS);
    assert_int_equal(world_state(w), COORD_OFFLINE);
    assert_int_equal(world_sent(w, TX_UNPAUSE), 0);
}

/* The moment is upgrade_time less the margin, by header time; the agent's clock is ten days wrong. */
static void the_forced_return_goes_by_header_time(void **state)
{
    (void)state;
    struct member_world *w = world_begin_turn(&world, COORD_PAUSED);
    w->now.ms += INT64_C(864000000);
    w->manual = true;
    world_block(w);
    world_plan(w, 3 * MINUTE_MS, false);
    assert_int_equal(world_state(w), COORD_OFFLINE);
    world_wait(w, MINUTE_MS);
    assert_int_equal(world_sent(w, TX_UNPAUSE), 0);
    world_wait(w, 1);
    assert_int_equal(world_sent(w, TX_UNPAUSE), 1);
    assert_true(told(w, REASON_NO_YES_VOTE));
}

/* The upgrade comes `upgrade_in` after the node has stopped, and the node stays down: `blocks` are made
 * meanwhile. The unpause must be one that the chain can take at its height. */
static void return_with_the_node_down(int64_t upgrade_in_ms, uint32_t blocks)
{
    struct member_world *w = world_begin_offline(&world);
    world_plan(w, upgrade_in_ms, false);
    for (uint32_t i = 0; i < blocks; i++)
        world_commit(w);
    world_wait(w, upgrade_in_ms - 2 * MINUTE_MS + 1 - blocks * WORLD_BLOCK_MS);
    assert_int_equal(world_sent(w, TX_UNPAUSE), 1);
    uint64_t timeout = world_last_send(w, TX_UNPAUSE)->timeout.n;
    assert_true(timeout == 0 || timeout > w->height);
    world_commit(w);
    assert_int_equal(w->self.status, COORD_ACTIVE);
}

static void no_yes_vote_and_the_node_down(void **state)
{
    (void)state;
    return_with_the_node_down(2 * MINUTE_MS + 5 * WORLD_BLOCK_MS, 5);
}

/* Longer than a transaction's timeout, counted from the last block that our node has shown. */
static void no_yes_vote_and_the_node_down_for_minutes(void **state)
{
    (void)state;
    return_with_the_node_down(4 * MINUTE_MS, 20);
}

/* Longer than the view remembers. */
static void no_yes_vote_and_the_node_down_for_long(void **state)
{
    (void)state;
    return_with_the_node_down(2 * MINUTE_MS + 100 * WORLD_BLOCK_MS, 100);
}

/* The agent was started anew meanwhile, and has seen no block since. */
static void no_yes_vote_and_all_of_us_down(void **state)
{
    (void)state;
    struct member_world *w = world_begin_offline(&world);
    world_kill(w);
    world_commit(w);
    w->failing = STEP_STOP;
    w->failing_left = UINT32_MAX;
    world_start(w, JOURNAL_KEPT);
    w->node.up = false;
    world_plan(w, 3 * MINUTE_MS, false);
    for (uint32_t i = 0; i < 9; i++) {
        world_wait(w, WORLD_BLOCK_MS - 1);
        world_commit(w);
    }
    assert_int_equal(world_sent(w, TX_UNPAUSE), 0);
    world_wait(w, 2 * WORLD_BLOCK_MS);
    assert_int_equal(world_sent(w, TX_UNPAUSE), 1);
    uint64_t timeout = world_last_send(w, TX_UNPAUSE)->timeout.n;
    assert_true(timeout == 0 || timeout > w->height);
}

/* It was started, and hangs. */
static void no_yes_vote_and_the_node_hangs(void **state)
{
    (void)state;
    struct member_world *w = world_begin_offline(&world);
    w->manual = false;
    world_answer(w);
    w->node.stuck = w->node.catching_up = true;
    world_answer(w);
    world_plan(w, 3 * MINUTE_MS, false);
    assert_int_equal(world_state(w), COORD_SYNCING);
    for (uint32_t i = 0; i < 10; i++)
        world_commit(w);
    world_wait(w, 1);
    assert_int_equal(world_sent(w, TX_UNPAUSE), 1);
}

/* The step that failed is tried again, also after the unpause was sent and refused meanwhile. */
static void a_forced_return_does_not_forget_the_node(void **state)
{
    (void)state;
    struct member_world *w = world_begin_turn(&world, COORD_PAUSED);
    w->setup.policy.retry_ms = 50000;
    world_fail_step(w, STEP_REINIT, 1);
    world_block(w);
    assert_int_equal(world_state(w), COORD_OFFLINE);
    world_plan(w, 2 * MINUTE_MS + 20000, false);
    world_wait(w, 20001);
    assert_int_equal(world_sent(w, TX_UNPAUSE), 1);
    world_wait(w, 60000);
    assert_int_equal(w->reinits, 1);
    assert_true(w->node.up);
}

/* Nor is a step under way begun again because a transaction is. */
static void a_refused_unpause_does_not_repeat_a_step(void **state)
{
    (void)state;
    struct member_world *w = world_begin_offline(&world);
    w->manual = false;
    world_fate(w, TX_UNPAUSE, FATE_REFUSED, 1);
    w->ended = STEP_NONE; /* the runtime is long at it */
    world_plan(w, 2 * MINUTE_MS + 20000, false);
    world_forget(w);
    world_wait(w, 60000);
    assert_int_equal(world_sent(w, TX_UNPAUSE), 2);
    assert_false(world_told(w, "run stop"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(without_a_yes_vote_nobody_joins, end),
        cmocka_unit_test_teardown(without_a_yes_vote_a_permit_is_left_unused, end),
        cmocka_unit_test_teardown(a_plan_that_is_gone_stands_against_nothing, end),
        cmocka_unit_test_teardown(a_turn_that_does_not_fit_is_not_begun, end),
        cmocka_unit_test_teardown(the_window_closes_while_in_line, end),
        cmocka_unit_test_teardown(the_window_closes_when_paused, end),
        cmocka_unit_test_teardown(with_a_yes_vote_nobody_is_forced_back, end),
        cmocka_unit_test_teardown(the_forced_return_goes_by_header_time, end),
        cmocka_unit_test_teardown(no_yes_vote_and_the_node_down, end),
        cmocka_unit_test_teardown(no_yes_vote_and_the_node_down_for_minutes, end),
        cmocka_unit_test_teardown(no_yes_vote_and_the_node_down_for_long, end),
        cmocka_unit_test_teardown(no_yes_vote_and_all_of_us_down, end),
        cmocka_unit_test_teardown(no_yes_vote_and_the_node_hangs, end),
        cmocka_unit_test_teardown(a_forced_return_does_not_forget_the_node, end),
        cmocka_unit_test_teardown(a_refused_unpause_does_not_repeat_a_step, end),
    };
    return cmocka_run_group_tests_name("member_window", tests, NULL, NULL);
}
