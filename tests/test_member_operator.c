/* What the operator may say and what comes of it, told as stories: maintenance by hand, force, hold, freeze,
 * and the window before an upgrade (PROTOCOL sections 2 and 7). */
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

/* The latest refusal of a command, as the story tells it. */
static bool refused(const struct member_world *w, enum coord_reason reason)
{
    return world_told(w, coord_reason_sentence(reason));
}

/* --- by hand --- */

/* The same guard as for a reboot, and then the node is the operator's until he says so. */
static void maintenance_by_hand(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    world_command(w, COMMAND_PAUSE, WORLD_WORK_MS);
    world_until(w, COORD_OFFLINE);
    w->node.up = false;
    world_blocks(w, 20);
    w->node = (struct world_node){.up = true};
    world_command(w, COMMAND_UNPAUSE, 0);
    world_until(w, COORD_DONE);
    world_story(w, "the operator says pause\n"
                   "send join until 14, 1 minutes\n"
                   "head 4: asking for a turn of 1 minutes\n"
                   "-> JOINING\n"
                   "-> WAITING\n"
                   "epoch 2: rank 1 of 1 candidates, budget 3 -> permit\n"
                   "send pause until 9\n"
                   "-> PAUSING\n"
                   "head 7: our pause happened in block 7\n"
                   "-> PAUSED\n"
                   "head 8: out of the set; 9 live members, floor 7\n"
                   "head 8: the node may be stopped by hand now; say unpause when it is back\n"
                   "-> OFFLINE\n"
                   "the operator says unpause\n"
                   "the node is started; waiting until it is in step with the chain\n"
                   "-> SYNCING\n"
                   "send unpause until 39\n"
                   "head 29: in step with the chain, asking back into the set\n"
                   "-> UNPAUSING\n"
                   "head 30: back since block 30, waiting to be seen signing\n"
                   "-> SETTLING\n"
                   "head 35: done, signing again since block 33\n"
                   "-> DONE\n");
    assert_int_equal(w->reinits, 0);
}

/* What the node said before the operator worked on it is stale: in step means in step since then. */
static void maintenance_over_and_the_node_not_heard(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    world_command(w, COMMAND_PAUSE, WORLD_WORK_MS);
    world_until(w, COORD_OFFLINE);
    w->manual = true;
    w->node.catching_up = true;
    world_command(w, COMMAND_UNPAUSE, 0);
    world_tell_self(w);
    assert_int_equal(world_sent(w, TX_UNPAUSE), 0);
    assert_true(w->ask_node);
}

/* Nobody started it: it has to run before we can return. */
static void maintenance_over_with_the_node_down(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    world_command(w, COMMAND_PAUSE, WORLD_WORK_MS);
    world_until(w, COORD_OFFLINE);
    w->node.up = false;
    world_blocks(w, 3);
    world_forget(w);
    world_command(w, COMMAND_UNPAUSE, 0);
    world_until(w, COORD_DONE);
    assert_true(world_told(w, "run start\n"));
    assert_true(world_in_set(w, US));
}

static void busy_in_every_state_of_a_turn(void **state)
{
    (void)state;
    static const enum coord_state states[] = {COORD_PAUSING, COORD_PAUSED, COORD_OFFLINE,
                                              COORD_SYNCING, COORD_UNPAUSING};
    static const enum coord_command commands[] = {COMMAND_REBOOT, COMMAND_PAUSE, COMMAND_FORCE};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        struct member_world *w = world_begin(&world, NULL);
        world_command(w, COMMAND_PAUSE, WORLD_WORK_MS);
        world_fate(w, TX_UNPAUSE, FATE_LOST, 1);
        world_until(w, states[i] < COORD_OFFLINE ? states[i] : COORD_OFFLINE);
        w->node.catching_up = states[i] == COORD_SYNCING;
        world_answer(w);
        if (states[i] > COORD_OFFLINE)
            world_command(w, COMMAND_UNPAUSE, 0);
        assert_int_equal(world_state(w), states[i]);
        for (size_t c = 0; c < sizeof commands / sizeof *commands; c++) {
            world_forget(w);
            world_command(w, commands[c], WORLD_WORK_MS);
            assert_true(refused(w, REASON_BUSY));
        }
    }
}

static void a_reboot_waits_for_a_maintenance(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    world_command(w, COMMAND_REBOOT, 2 * MINUTE_MS + WORLD_WORK_MS);
    world_command(w, COMMAND_PAUSE, WORLD_WORK_MS);
    world_until(w, COORD_OFFLINE);
    world_command(w, COMMAND_UNPAUSE, 0);
    world_until(w, COORD_JOINING);
    assert_int_equal(w->reinits, 0);
    assert_int_equal(world_last_send(w, TX_JOIN)->class_minutes, 3);
    world_until(w, COORD_DONE);
    assert_int_equal(w->reinits, 1);
}

/* Called off before its turn, the maintenance leaves the reboot as it was. */
static void a_reboot_outlives_a_maintenance_called_off(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_command(w, COMMAND_PAUSE, WORLD_WORK_MS);
    world_command(w, COMMAND_UNPAUSE, 0);
    world_until(w, COORD_DONE);
    assert_int_equal(w->reinits, 1);
}

/* Given back before the node stops; afterwards there is nothing to unpause. */
static void a_turn_given_back(void **state)
{
    (void)state;
    struct member_world *w = world_begin_turn(&world, COORD_PAUSED);
    world_command(w, COMMAND_UNPAUSE, 0);
    world_until(w, COORD_DONE);
    world_command(w, COMMAND_UNPAUSE, 0);
    world_story(w, "the operator says unpause\n"
                   "head 8: giving the turn back: nothing stands against it\n"
                   "send unpause until 18\n"
                   "head 8: in step with the chain, asking back into the set\n"
                   "-> UNPAUSING\n"
                   "head 9: back since block 9, waiting to be seen signing\n"
                   "-> SETTLING\n"
                   "head 14: done, signing again since block 12\n"
                   "-> DONE\n"
                   "the operator says unpause\n"
                   "head 14: not now: this validator is in the set: there is nothing to unpause\n");
    assert_int_equal(w->reinits, 0);
}

/* A forced pause does not overtake a join that is on its way. */
static void force_waits_for_a_join_in_flight(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    assert_int_equal(world_sent(w, TX_JOIN), 1);
    world_command(w, COMMAND_FORCE, WORLD_WORK_MS);
    assert_true(refused(w, REASON_BUSY));
    world_block(w);
    world_command(w, COMMAND_FORCE, WORLD_WORK_MS);
    assert_int_equal(world_sent(w, TX_PAUSE), 1);
}

/* One transaction at a time, also when a wish is called off and comes back while a join is on its way. */
static void a_wish_called_off_and_back(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    world_fate(w, TX_JOIN, FATE_LOST, 1);
    world_command(w, COMMAND_PAUSE, WORLD_WORK_MS);
    world_command(w, COMMAND_UNPAUSE, 0);
    world_command(w, COMMAND_PAUSE, WORLD_WORK_MS);
    assert_int_equal(world_sent(w, TX_JOIN), 1);
    world_to(w, 13);
    assert_int_equal(world_sent(w, TX_JOIN), 1);
    world_until(w, COORD_OFFLINE);
    assert_int_equal(world_sent(w, TX_JOIN), 2);
}

/* --- force --- */

static void force_needs_no_permit(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    for (uint32_t v = 1; v <= 3; v++)
        world_put(w, v, false);
    world_to(w, 7);
    world_command(w, COMMAND_FORCE, WORLD_WORK_MS);
    world_until(w, COORD_OFFLINE);
    world_story(w, "the operator says pause by force\n"
                   "send pause until 9\n"
                   "head 7: pausing by force, without a permit\n"
                   "-> PAUSING\n"
                   "head 8: our pause happened in block 8\n"
                   "-> PAUSED\n"
                   "head 9: out of the set; 6 live members, floor 7\n"
                   "head 9: the node may be stopped by hand now; say unpause when it is back\n"
                   "-> OFFLINE\n");
}

/* A forced pause dies at the end of its epoch like any other; then the draw decides. */
static void force_that_times_out(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    world_to(w, 7);
    world_fate(w, TX_PAUSE, FATE_LOST, 1);
    world_command(w, COMMAND_FORCE, WORLD_WORK_MS);
    assert_int_equal(world_last_send(w, TX_PAUSE)->timeout.n, 9);
    world_until(w, COORD_WAITING);
    world_until(w, COORD_OFFLINE);
    assert_false(coord_memory(&w->core)->forced);
}

static void no_force_for_the_last_member(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    for (uint32_t v = 1; v < 10; v++)
        world_put(w, v, false);
    world_to(w, 7);
    world_command(w, COMMAND_FORCE, WORLD_WORK_MS);
    assert_true(refused(w, REASON_LAST_MEMBER));
    assert_int_equal(world_sent(w, TX_PAUSE), 0);
}

/* Alone among the silent is alone as well. */
static void no_force_for_the_last_live_member(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    for (uint32_t v = 1; v < 10; v++)
        w->silent[v] = true;
    world_to(w, 9);
    world_command(w, COMMAND_FORCE, WORLD_WORK_MS);
    assert_true(refused(w, REASON_LAST_MEMBER));
}

/* A pause that failed in its block changed nothing: no block has to lie behind it. */
static void force_after_a_failed_pause(void **state)
{
    (void)state;
    struct member_world *w = world_begin_turn(&world, COORD_WAITING);
    world_fate(w, TX_PAUSE, FATE_FAILED, 1);
    world_until(w, COORD_PAUSING);
    world_command(w, COMMAND_HOLD, 0); /* no new join */
    world_block(w);
    assert_true(world_told(w, "our pause was refused in block 7"));
    assert_int_equal(coord_memory(&w->core)->membership.n, 0);
    assert_int_equal(world_state(w), COORD_JOINING);
    world_command(w, COMMAND_FORCE, WORLD_WORK_MS);
    assert_int_equal(world_sent(w, TX_PAUSE), 2);
}

/* One block must lie between two membership transactions of ours. */
static void force_right_after_an_unpause(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    struct coord_event unpaused = {.kind = EVENT_INCLUDED};
    unpaused.included.tx = TX_UNPAUSE;
    unpaused.included.height = height_at(w->height);
    unpaused.included.happened = true;
    world_event(w, unpaused);
    world_command(w, COMMAND_FORCE, WORLD_WORK_MS);
    assert_true(refused(w, REASON_SPACING));
    world_block(w);
    world_command(w, COMMAND_FORCE, WORLD_WORK_MS);
    assert_int_equal(world_sent(w, TX_PAUSE), 1);
}

static void no_force_in_a_closing_window_without_yes(void **state)
{
    (void)state;
    static const struct {
        int64_t upgrade_in_ms;
        bool voted_yes, refused;
    } cases[] = {
        {4 * MINUTE_MS, false, false}, {3 * MINUTE_MS, false, true}, {MINUTE_MS, true, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct member_world *w = world_begin(&world, NULL);
        world_plan(w, cases[i].upgrade_in_ms, cases[i].voted_yes);
        world_command(w, COMMAND_FORCE, WORLD_WORK_MS);
        assert_int_equal(refused(w, REASON_NO_YES_VOTE), cases[i].refused);
        assert_int_equal(world_sent(w, TX_PAUSE), !cases[i].refused);
    }
}

static void no_force_out_of_the_set(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    world_tx(w, US, TX_PAUSE, 0);
    world_to(w, 8);
    world_command(w, COMMAND_FORCE, WORLD_WORK_MS);
    assert_true(refused(w, REASON_NOT_MEMBER));
}

/* Below the floor by the operator's own will: the last look before the node stops is not asked. */
static void force_below_the_floor_goes_offline(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    for (uint32_t v = 1; v <= 5; v++)
        world_put(w, v, false);
    world_to(w, 8);
    world_command(w, COMMAND_FORCE, WORLD_WORK_MS);
    world_until(w, COORD_OFFLINE);
    assert_true(world_told(w, "4 live members, floor 7\n"));
}

/* --- hold and freeze --- */

static void hold_and_unhold(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    world_command(w, COMMAND_HOLD, 0);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_to(w, 20);
    assert_int_equal(w->send_count, 0);
    world_kill(w); /* a hold survives the agent */
    world_start(w, JOURNAL_KEPT);
    world_to(w, 30);
    assert_int_equal(w->send_count, 0);
    world_command(w, COMMAND_UNHOLD, 0);
    world_until(w, COORD_PAUSED);
}

/* Two who paused after a join are not back after 10 minutes. */
static struct member_world *begin_frozen(void)
{
    struct member_world *w = world_begin(&world, NULL);
    for (uint32_t v = 1; v <= 2; v++)
        world_join(w, v, 1);
    world_block(w);
    for (uint32_t v = 1; v <= 2; v++)
        world_tx(w, v, TX_PAUSE, 0);
    w->block_ms = 100000;
    world_to(w, 12);
    w->block_ms = WORLD_BLOCK_MS;
    return w;
}

static void frozen_until_they_are_back(void **state)
{
    (void)state;
    struct member_world *w = begin_frozen();
    assert_true(world_told(w, "frozen: 2 validators are overdue"));
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_to(w, 20);
    assert_true(refused(w, REASON_FROZEN));
    assert_int_equal(w->send_count, 0);
    world_tx(w, 1, TX_UNPAUSE, 0);
    world_until(w, COORD_PAUSED);
    assert_true(world_told(w, "no longer frozen, 1 validators are overdue"));
}

/* The operator accepts the two that are overdue now; two more freeze it again. */
static void unfreeze_pardons_those_who_are_overdue(void **state)
{
    (void)state;
    struct member_world *w = begin_frozen();
    assert_true(coord_memory(&w->core)->frozen);
    world_command(w, COMMAND_UNFREEZE, 0);
    world_to(w, 15);
    assert_false(coord_memory(&w->core)->frozen);
    assert_int_equal(coord_memory(&w->core)->pardoned, 2);
    for (uint32_t v = 3; v <= 4; v++)
        world_join(w, v, 1);
    world_block(w);
    for (uint32_t v = 3; v <= 4; v++)
        world_tx(w, v, TX_PAUSE, 0);
    w->block_ms = 100000;
    world_to(w, 27);
    assert_true(coord_memory(&w->core)->frozen);
}

/* Our node shows the boundary block and the next one together: the draw between them counts all the same. */
static void frozen_though_the_boundary_was_skipped(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    for (uint32_t v = 1; v <= 2; v++)
        world_join(w, v, 1);
    world_block(w);
    for (uint32_t v = 1; v <= 2; v++)
        world_tx(w, v, TX_PAUSE, 0);
    world_to(w, 9);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_to(w, 11);
    assert_int_equal(world_state(w), COORD_WAITING);
    w->block_ms = 10 * MINUTE_MS;
    world_commit(w);
    w->block_ms = WORLD_BLOCK_MS;
    world_block(w);
    assert_int_equal(view_draw(w->view, height_at(12))->overdue, 2);
    assert_int_equal(view_reason(w->view, view_draw(w->view, height_at(12)), US, NULL),
                     VIEW_PERMIT);
    assert_int_equal(world_sent(w, TX_PAUSE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(maintenance_by_hand, end),
        cmocka_unit_test_teardown(maintenance_over_and_the_node_not_heard, end),
        cmocka_unit_test_teardown(maintenance_over_with_the_node_down, end),
        cmocka_unit_test_teardown(busy_in_every_state_of_a_turn, end),
        cmocka_unit_test_teardown(a_reboot_waits_for_a_maintenance, end),
        cmocka_unit_test_teardown(a_reboot_outlives_a_maintenance_called_off, end),
        cmocka_unit_test_teardown(a_turn_given_back, end),
        cmocka_unit_test_teardown(force_waits_for_a_join_in_flight, end),
        cmocka_unit_test_teardown(a_wish_called_off_and_back, end),
        cmocka_unit_test_teardown(force_needs_no_permit, end),
        cmocka_unit_test_teardown(force_that_times_out, end),
        cmocka_unit_test_teardown(no_force_for_the_last_member, end),
        cmocka_unit_test_teardown(no_force_for_the_last_live_member, end),
        cmocka_unit_test_teardown(force_after_a_failed_pause, end),
        cmocka_unit_test_teardown(force_right_after_an_unpause, end),
        cmocka_unit_test_teardown(no_force_in_a_closing_window_without_yes, end),
        cmocka_unit_test_teardown(no_force_out_of_the_set, end),
        cmocka_unit_test_teardown(force_below_the_floor_goes_offline, end),
        cmocka_unit_test_teardown(hold_and_unhold, end),
        cmocka_unit_test_teardown(frozen_until_they_are_back, end),
        cmocka_unit_test_teardown(unfreeze_pardons_those_who_are_overdue, end),
        cmocka_unit_test_teardown(frozen_though_the_boundary_was_skipped, end),
    };
    return cmocka_run_group_tests_name("member_operator", tests, NULL, NULL);
}
