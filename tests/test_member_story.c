/* A member's turns, told as stories: what it says, sends and does, line by line.
 *
 * Ten members, blocks every 6 s, boundaries at the multiples of 3, rounds of 60 blocks. The work takes 31 s,
 * which makes one whole minute out of the set: CLASS 1.
 */
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

static void a_whole_turn(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_until(w, COORD_DONE);
    world_story(w, "the operator says reboot\n"
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
                   "run stop\n"
                   "head 8: stopping the node, back in about 31 s\n"
                   "-> OFFLINE\n"
                   "the runtime finished: stop\n"
                   "run reinitialise\n"
                   "the runtime finished: reinitialise\n"
                   "run start\n"
                   "the runtime finished: start\n"
                   "the node is started; waiting until it is in step with the chain\n"
                   "-> SYNCING\n"
                   "send unpause until 19\n"
                   "head 9: in step with the chain, asking back into the set\n"
                   "-> UNPAUSING\n"
                   "head 10: back since block 10, waiting to be seen signing\n"
                   "-> SETTLING\n"
                   "head 15: done, signing again since block 13\n"
                   "-> DONE\n");
}

static const char effects_of_a_turn[] =
    "operator\n"
    "  persist JOINING\n"
    "  the operator says reboot\n"
    "  announce\n"
    "  send join until 14, 1 minutes\n"
    "  head 4: asking for a turn of 1 minutes\n"
    "  -> JOINING\n"
    "included\n"
    "  persist JOINING\n"
    "block\n"
    "  persist WAITING\n"
    "  announce\n"
    "  head 5: our join stands in block 5\n"
    "  -> WAITING\n"
    "block\n"
    "  persist PAUSING\n"
    "  epoch 2: rank 1 of 1 candidates, budget 3 -> permit\n"
    "  announce\n"
    "  send pause until 9\n"
    "  -> PAUSING\n"
    "included\n"
    "  persist PAUSING\n"
    "block\n"
    "  persist PAUSED\n"
    "  announce\n"
    "  head 7: our pause happened in block 7\n"
    "  -> PAUSED\n"
    "block\n"
    "  persist OFFLINE\n"
    "  announce\n"
    "  head 8: out of the set; 9 live members, floor 7\n"
    "  announce\n"
    "  run stop\n"
    "  head 8: stopping the node, back in about 31 s\n"
    "  -> OFFLINE\n"
    "runtime\n"
    "  persist OFFLINE\n"
    "  the runtime finished: stop\n"
    "  run reinitialise\n"
    "runtime\n"
    "  persist OFFLINE\n"
    "  the runtime finished: reinitialise\n"
    "  run start\n"
    "runtime\n"
    "  persist SYNCING\n"
    "  the runtime finished: start\n"
    "  ask node\n"
    "  announce\n"
    "  ask self\n"
    "  the node is started; waiting until it is in step with the chain\n"
    "  -> SYNCING\n"
    "node\n"
    "  persist UNPAUSING\n"
    "  announce\n"
    "  send unpause until 19\n"
    "  head 9: in step with the chain, asking back into the set\n"
    "  -> UNPAUSING\n"
    "included\n"
    "  persist UNPAUSING\n"
    "block\n"
    "  persist SETTLING\n"
    "  announce\n"
    "  head 10: back since block 10, waiting to be seen signing\n"
    "  -> SETTLING\n"
    "block\n"
    "  persist DONE\n"
    "  announce\n"
    "  head 15: done, signing again since block 13\n"
    "  -> DONE\n";

static void every_effect_of_a_turn(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    w->tale = TALE_WHOLE;
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_until(w, COORD_DONE);
    world_story(w, effects_of_a_turn);
}

/* Five others ask for longer turns; three places an epoch. A permit that is left unused costs its join. */
static void not_drawn_and_then_drawn(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    w->tale = TALE_WHOLE;
    for (uint32_t v = 1; v <= 5; v++)
        world_join(w, v, 10 + v);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_until(w, COORD_PAUSING);
    world_story(w, "operator\n"
                   "  persist JOINING\n"
                   "  the operator says reboot\n"
                   "  announce\n"
                   "  send join until 14, 1 minutes\n"
                   "  head 4: asking for a turn of 1 minutes\n"
                   "  -> JOINING\n"
                   "included\n"
                   "  persist JOINING\n"
                   "block\n"
                   "  persist WAITING\n"
                   "  announce\n"
                   "  head 5: our join stands in block 5\n"
                   "  -> WAITING\n"
                   "block\n"
                   "  epoch 2: rank 6 of 6 candidates, budget 3 -> wait\n"
                   "block\n"
                   "  persist PAUSING\n"
                   "  epoch 3: rank 3 of 3 candidates, budget 3 -> permit\n"
                   "  announce\n"
                   "  send pause until 12\n"
                   "  -> PAUSING\n");
}

/* One join, one turn, whether the turn was taken or not. */
static void a_join_is_used_up(void **state)
{
    (void)state;
    struct member_world *w = world_begin_turn(&world, COORD_WAITING);
    world_command(w, COMMAND_HOLD, 0);
    world_to(w, 8);
    world_command(w, COMMAND_UNHOLD, 0);
    world_until(w, COORD_PAUSED);
    world_story(
        w,
        "the operator says hold\n"
        "epoch 2: rank 1 of 1 candidates, budget 3 -> permit\n"
        "epoch 2: the permit is left unused: the operator holds this agent; `stagger unhold` lets it go on\n"
        "head 6: not now: the operator holds this agent; `stagger unhold` lets it go on\n"
        "-> JOINING\n"
        "the operator says unhold\n"
        "send join until 18, 1 minutes\n"
        "head 8: asking for a turn of 1 minutes\n"
        "-> WAITING\n"
        "epoch 4: rank 1 of 1 candidates, budget 3 -> permit\n"
        "send pause until 15\n"
        "-> PAUSING\n"
        "head 13: our pause happened in block 13\n"
        "-> PAUSED\n");
}

/* Three are out, so the budget is 0; who still waits when a round begins joins anew. */
static void a_new_round(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    for (uint32_t v = 1; v <= 3; v++)
        world_put(w, v, false);
    world_to(w, 55);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_to(w, 62);
    world_put(w, 1, true);
    world_put(w, 2, true);
    world_until(w, COORD_PAUSED);
    world_story(w, "the operator says reboot\n"
                   "send join until 65, 1 minutes\n"
                   "head 55: asking for a turn of 1 minutes\n"
                   "-> JOINING\n"
                   "-> WAITING\n"
                   "send join until 70, 1 minutes\n"
                   "head 60: asking for a turn of 1 minutes\n"
                   "-> JOINING\n"
                   "-> WAITING\n"
                   "epoch 22: rank 1 of 1 candidates, budget 2 -> permit\n"
                   "send pause until 69\n"
                   "-> PAUSING\n"
                   "head 67: our pause happened in block 67\n"
                   "-> PAUSED\n");
}

static void a_pause_times_out(void **state)
{
    (void)state;
    struct member_world *w = world_begin_turn(&world, COORD_WAITING);
    world_fate(w, TX_PAUSE, FATE_LOST, 1);
    world_until(w, COORD_PAUSED);
    world_story(w, "epoch 2: rank 1 of 1 candidates, budget 3 -> permit\n"
                   "send pause until 9\n"
                   "-> PAUSING\n"
                   "head 9: our pause stands in no block up to 9, it can no longer happen\n"
                   "send join until 19, 1 minutes\n"
                   "head 9: asking for a turn of 1 minutes\n"
                   "-> JOINING\n"
                   "-> WAITING\n"
                   "epoch 4: rank 1 of 1 candidates, budget 3 -> permit\n"
                   "send pause until 15\n"
                   "-> PAUSING\n"
                   "head 13: our pause happened in block 13\n"
                   "-> PAUSED\n");
}

static void a_pause_is_refused_in_its_block(void **state)
{
    (void)state;
    struct member_world *w = world_begin_turn(&world, COORD_WAITING);
    world_fate(w, TX_PAUSE, FATE_FAILED, 1);
    world_until(w, COORD_PAUSED);
    world_story(w, "epoch 2: rank 1 of 1 candidates, budget 3 -> permit\n"
                   "send pause until 9\n"
                   "-> PAUSING\n"
                   "our pause was refused in block 7 with code 9\n"
                   "send join until 16, 1 minutes\n"
                   "head 6: asking for a turn of 1 minutes\n"
                   "-> JOINING\n"
                   "-> WAITING\n"
                   "epoch 3: rank 1 of 1 candidates, budget 3 -> permit\n"
                   "send pause until 12\n"
                   "-> PAUSING\n"
                   "head 10: our pause happened in block 10\n"
                   "-> PAUSED\n");
}

/* The same again while the permit lasts, not before the retry is due. */
static void a_pause_is_refused_before_any_block(void **state)
{
    (void)state;
    struct member_world *w = world_begin_turn(&world, COORD_WAITING);
    world_fate(w, TX_PAUSE, FATE_REFUSED, 1);
    world_until(w, COORD_PAUSING);
    world_wait(w, 4999);
    assert_int_equal(world_sent(w, TX_PAUSE), 1);
    world_wait(w, 1);
    assert_int_equal(world_sent(w, TX_PAUSE), 2);
    world_until(w, COORD_PAUSED);
    world_story(w, "epoch 2: rank 1 of 1 candidates, budget 3 -> permit\n"
                   "send pause until 9\n"
                   "-> PAUSING\n"
                   "our pause was refused before any block with code 4; trying again\n"
                   "send pause until 9\n"
                   "head 7: our pause happened in block 7\n"
                   "-> PAUSED\n");
}

/* Others dropped out since the draw: do not go offline, come back, try again when they are back. */
static void the_floor_breaks_before_the_node_stops(void **state)
{
    (void)state;
    struct member_world *w = world_begin_turn(&world, COORD_PAUSING);
    for (uint32_t v = 1; v <= 3; v++)
        world_put(w, v, false);
    world_until(w, COORD_SETTLING);
    assert_true(w->node.up);
    world_story(w, "head 7: our pause happened in block 7\n"
                   "-> PAUSED\n"
                   "head 8: out of the set; 6 live members, floor 7\n"
                   "head 8: only 6 live members against a floor of 7: not going offline\n"
                   "send unpause until 18\n"
                   "head 8: in step with the chain, asking back into the set\n"
                   "-> UNPAUSING\n"
                   "head 9: back since block 9, waiting to be seen signing\n"
                   "-> SETTLING\n");
    for (uint32_t v = 1; v <= 3; v++)
        world_put(w, v, true);
    world_until(w, COORD_SYNCING);
    world_story(w, "send join until 24, 1 minutes\n"
                   "head 14: asking for a turn of 1 minutes\n"
                   "-> JOINING\n"
                   "-> WAITING\n"
                   "epoch 6: rank 1 of 1 candidates, budget 3 -> permit\n"
                   "send pause until 21\n"
                   "-> PAUSING\n"
                   "head 19: our pause happened in block 19\n"
                   "-> PAUSED\n"
                   "head 20: out of the set; 9 live members, floor 7\n"
                   "run stop\n"
                   "head 20: stopping the node, back in about 31 s\n"
                   "-> OFFLINE\n"
                   "the runtime finished: stop\n"
                   "run reinitialise\n"
                   "the runtime finished: reinitialise\n"
                   "run start\n"
                   "the runtime finished: start\n"
                   "the node is started; waiting until it is in step with the chain\n"
                   "-> SYNCING\n");
}

/* While the node is away the validator is unpaused by somebody else: nothing is left to send. */
static void unpaused_by_somebody_else(void **state)
{
    (void)state;
    struct member_world *w = world_begin_offline(&world);
    world_blocks(w, 3);
    world_tx(w, US, TX_UNPAUSE, 0);
    world_blocks(w, 2);
    world_come_back(w);
    world_until(w, COORD_DONE);
    world_story(w, "the runtime finished: stop\n"
                   "run reinitialise\n"
                   "the runtime finished: reinitialise\n"
                   "run start\n"
                   "the runtime finished: start\n"
                   "the node is started; waiting until it is in step with the chain\n"
                   "-> SYNCING\n"
                   "-> SETTLING\n"
                   "head 17: done, signing again since block 15\n"
                   "-> DONE\n");
    assert_int_equal(world_sent(w, TX_UNPAUSE), 0);
}

/* In the set again before the node was even stopped: the chain wins, and the turn is still wanted. */
static void unpaused_before_it_left(void **state)
{
    (void)state;
    struct member_world *w = world_begin_turn(&world, COORD_PAUSED);
    world_commit(w);
    world_tx(w, US, TX_UNPAUSE, 0);
    world_commit(w);
    world_commit(w);
    world_block(w);
    world_until(w, COORD_JOINING);
    world_story(w, "head 11: in the set again though we did not ask: the chain wins\n"
                   "-> SETTLING\n"
                   "send join until 24, 1 minutes\n"
                   "head 14: asking for a turn of 1 minutes\n"
                   "-> JOINING\n");
}

/* An unpause is refused because the chain has another state for us: ask, then do what fits. */
static void unpausing_from_the_wrong_state(void **state)
{
    (void)state;
    struct member_world *w = world_begin_offline(&world);
    w->self.status = COORD_INACTIVE;
    w->self.inactive_until = instant_after(w->time, 5 * WORLD_BLOCK_MS);
    world_come_back(w);
    world_until(w, COORD_DONE);
    world_story(w, "the runtime finished: stop\n"
                   "run reinitialise\n"
                   "the runtime finished: reinitialise\n"
                   "run start\n"
                   "the runtime finished: start\n"
                   "the node is started; waiting until it is in step with the chain\n"
                   "-> SYNCING\n"
                   "-> UNPAUSING\n"
                   "send activate until 23\n"
                   "head 13: in step with the chain, activating\n"
                   "head 14: back since block 14, waiting to be seen signing\n"
                   "-> SETTLING\n"
                   "head 19: done, signing again since block 17\n"
                   "-> DONE\n");
}

static void an_unpause_fails_and_is_sent_again(void **state)
{
    (void)state;
    struct member_world *w = world_begin_offline(&world);
    world_fate(w, TX_UNPAUSE, FATE_FAILED, 1);
    world_come_back(w);
    world_until(w, COORD_SETTLING);
    world_story(w, "the runtime finished: stop\n"
                   "run reinitialise\n"
                   "the runtime finished: reinitialise\n"
                   "run start\n"
                   "the runtime finished: start\n"
                   "the node is started; waiting until it is in step with the chain\n"
                   "-> SYNCING\n"
                   "send unpause until 19\n"
                   "head 9: in step with the chain, asking back into the set\n"
                   "-> UNPAUSING\n"
                   "our unpause was refused in block 10 with code 9\n"
                   "send unpause until 19\n"
                   "head 9: in step with the chain, asking back into the set\n"
                   "head 11: back since block 11, waiting to be seen signing\n"
                   "-> SETTLING\n");
}

static void an_unpause_is_lost_and_sent_again(void **state)
{
    (void)state;
    struct member_world *w = world_begin_offline(&world);
    world_fate(w, TX_UNPAUSE, FATE_LOST, 1);
    world_come_back(w);
    world_until(w, COORD_SETTLING);
    world_story(w, "the runtime finished: stop\n"
                   "run reinitialise\n"
                   "the runtime finished: reinitialise\n"
                   "run start\n"
                   "the runtime finished: start\n"
                   "the node is started; waiting until it is in step with the chain\n"
                   "-> SYNCING\n"
                   "send unpause until 19\n"
                   "head 9: in step with the chain, asking back into the set\n"
                   "-> UNPAUSING\n"
                   "head 19: our unpause stands in no block up to 19, it can no longer happen\n"
                   "send unpause until 29\n"
                   "head 19: in step with the chain, asking back into the set\n"
                   "head 20: back since block 20, waiting to be seen signing\n"
                   "-> SETTLING\n");
}

/* "Not catching up" is not enough: the right key, the head in reach and a block since the start. */
static void not_in_step_no_unpause(void **state)
{
    (void)state;
    static const struct world_node nodes[] = {{.up = true, .catching_up = true},
                                              {.up = true, .foreign_key = true},
                                              {.up = true, .lag = 3}};
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        struct member_world *w = world_begin_offline(&world);
        world_come_back(w);
        w->node = nodes[i];
        world_blocks(w, 5);
        assert_int_equal(world_state(w), COORD_SYNCING);
        assert_int_equal(world_sent(w, TX_UNPAUSE), 0);
        w->node = (struct world_node){.up = true, .lag = 2};
        world_block(w);
        assert_int_equal(world_sent(w, TX_UNPAUSE), 1);
    }
}

/* Reinitialising fails as often as the policy allows: the version before is restored, and back it goes. */
static void a_straggler_is_restored(void **state)
{
    (void)state;
    struct member_world *w = world_begin_turn(&world, COORD_PAUSED);
    world_fail_step(w, STEP_REINIT, 3);
    world_block(w);
    world_wait(w, 4999);
    world_story(w, "head 8: out of the set; 9 live members, floor 7\n"
                   "run stop\n"
                   "head 8: stopping the node, back in about 31 s\n"
                   "-> OFFLINE\n"
                   "the runtime finished: stop\n"
                   "run reinitialise\n"
                   "BROKEN: the runtime failed to reinitialise, attempt 1\n");
    world_wait(w, 5001);
    assert_int_equal(w->restores, 1);
    world_until(w, COORD_DONE);
    world_story(w, "run reinitialise\n"
                   "BROKEN: the runtime failed to reinitialise, attempt 2\n"
                   "run reinitialise\n"
                   "BROKEN: the runtime failed to reinitialise, attempt 3\n"
                   "BROKEN: giving this version up and restoring the one before\n"
                   "run restore\n"
                   "the runtime finished: restore\n"
                   "the node is started; waiting until it is in step with the chain\n"
                   "-> SYNCING\n"
                   "send unpause until 19\n"
                   "head 9: in step with the chain, asking back into the set\n"
                   "-> UNPAUSING\n"
                   "head 10: back since block 10, waiting to be seen signing\n"
                   "-> SETTLING\n"
                   "head 15: done, signing again since block 13\n"
                   "-> DONE\n");
    assert_int_equal(w->reinits, 0);
    assert_true(coord_memory(&w->core)->failed);
}

/* `failed` speaks of the last reinitialisation: a later one that goes well ends it. */
static void success_ends_the_failure(void **state)
{
    (void)state;
    struct member_world *w = world_begin_turn(&world, COORD_PAUSED);
    world_fail_step(w, STEP_REINIT, 3);
    world_block(w);
    world_wait(w, 10000);
    world_until(w, COORD_DONE);
    assert_true(coord_memory(&w->core)->failed);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_until(w, COORD_SETTLING);
    assert_int_equal(w->reinits, 1);
    assert_false(coord_memory(&w->core)->failed);
}

/* Two failures of a step are no failure; each step has its own attempts. */
static void attempts_are_counted_by_step(void **state)
{
    (void)state;
    struct member_world *w = world_begin_turn(&world, COORD_PAUSED);
    world_fail_step(w, STEP_REINIT, 2);
    world_block(w);
    world_wait(w, 5000);
    world_fail_step(w, STEP_REINIT, 0);
    world_fail_step(w, STEP_START, 2);
    world_wait(w, 15000);
    assert_int_equal(w->reinits, 1);
    assert_int_equal(w->restores, 0);
    world_until(w, COORD_DONE);
    assert_false(coord_memory(&w->core)->failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_whole_turn, end),
        cmocka_unit_test_teardown(every_effect_of_a_turn, end),
        cmocka_unit_test_teardown(not_drawn_and_then_drawn, end),
        cmocka_unit_test_teardown(a_join_is_used_up, end),
        cmocka_unit_test_teardown(a_new_round, end),
        cmocka_unit_test_teardown(a_pause_times_out, end),
        cmocka_unit_test_teardown(a_pause_is_refused_in_its_block, end),
        cmocka_unit_test_teardown(a_pause_is_refused_before_any_block, end),
        cmocka_unit_test_teardown(the_floor_breaks_before_the_node_stops, end),
        cmocka_unit_test_teardown(unpaused_by_somebody_else, end),
        cmocka_unit_test_teardown(unpaused_before_it_left, end),
        cmocka_unit_test_teardown(unpausing_from_the_wrong_state, end),
        cmocka_unit_test_teardown(an_unpause_fails_and_is_sent_again, end),
        cmocka_unit_test_teardown(an_unpause_is_lost_and_sent_again, end),
        cmocka_unit_test_teardown(not_in_step_no_unpause, end),
        cmocka_unit_test_teardown(a_straggler_is_restored, end),
        cmocka_unit_test_teardown(success_ends_the_failure, end),
        cmocka_unit_test_teardown(attempts_are_counted_by_step, end),
    };
    return cmocka_run_group_tests_name("member_story", tests, NULL, NULL);
}
