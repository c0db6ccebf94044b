/* Coming back, told as stories: whom the chain, the trustees or somebody's hand put out of the set, and who
 * may end it (PROTOCOL sections 4 and 7). */
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

/* The chain has put us out of the set; our node runs. */
static void thrown_out(struct member_world *w, enum coord_status status)
{
    w->self.status = status;
    world_put(w, US, false);
}

static void inactive_waits_for_its_time(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    w->self.inactive_until = instant_after(w->time, 20 * WORLD_BLOCK_MS);
    thrown_out(w, COORD_INACTIVE);
    world_until(w, COORD_UNPAUSING);
    world_until(w, COORD_DONE);
    world_story(w, "head 6: out of the set without a turn; coming back\n"
                   "-> UNPAUSING\n"
                   "send activate until 34\n"
                   "head 24: in step with the chain, activating\n"
                   "head 25: back since block 25, waiting to be seen signing\n"
                   "-> SETTLING\n"
                   "head 30: done, signing again since block 28\n"
                   "-> DONE\n");
}

/* The node came back and does not sign: the chain throws us out again before the turn is over. */
static void inactive_while_settling(void **state)
{
    (void)state;
    struct member_world *w = world_begin_turn(&world, COORD_SETTLING);
    w->silent[US] = true;
    world_blocks(w, 4);
    thrown_out(w, COORD_INACTIVE);
    world_blocks(w, 3);
    w->silent[US] = false;
    world_until(w, COORD_DONE);
    world_story(w, "send activate until 26\n"
                   "head 16: in step with the chain, activating\n"
                   "-> UNPAUSING\n"
                   "head 17: back since block 17, waiting to be seen signing\n"
                   "-> SETTLING\n"
                   "head 22: done, signing again since block 20\n"
                   "-> DONE\n");
}

/* Activating is asking back into the set as well: not before the node is in step. */
static void inactive_and_not_in_step(void **state)
{
    (void)state;
    struct member_world *w = world_begin_turn(&world, COORD_SETTLING);
    w->silent[US] = true;
    w->node.catching_up = true;
    world_blocks(w, 4);
    thrown_out(w, COORD_INACTIVE);
    world_blocks(w, 20);
    assert_int_equal(world_sent(w, TX_ACTIVATE), 0);
    w->silent[US] = w->node.catching_up = false;
    world_until(w, COORD_DONE);
    assert_int_equal(world_sent(w, TX_ACTIVATE), 1);
}

static void jailed_is_said_and_nothing_else(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    world_command(w, COMMAND_HOLD, 0);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    thrown_out(w, COORD_JAILED);
    world_to(w, 30);
    world_command(w, COMMAND_UNHOLD, 0);
    world_to(w, 60);
    assert_int_equal(w->send_count, 0);
    world_story(w,
                "the operator says hold\n"
                "the operator says reboot\n"
                "head 4: not now: the operator holds this agent; `stagger unhold` lets it go on\n"
                "head 6: not now: this validator is not in the set\n"
                "head 6: not now: this validator is jailed; only governance can help\n"
                "the operator says unhold\n");
}

/* Governance helps while we ask back: the chain then has us as inactive. */
static void jailed_while_away_and_unjailed(void **state)
{
    (void)state;
    struct member_world *w = world_begin_offline(&world);
    thrown_out(w, COORD_JAILED);
    world_come_back(w);
    world_blocks(w, 20);
    assert_int_equal(world_state(w), COORD_UNPAUSING);
    assert_int_equal(world_told_times(w, coord_reason_sentence(REASON_JAILED)), 1);
    w->self.status = COORD_INACTIVE;
    world_until(w, COORD_DONE);
}

static struct world_setup dcl(void)
{
    struct world_setup setup = world_usual();
    setup.chain = CHAIN_DCL;
    return setup;
}

static void disabled_by_trustees(void **state)
{
    (void)state;
    struct world_setup setup = dcl();
    struct member_world *w = world_begin(&world, &setup);
    thrown_out(w, COORD_IS_PAUSED);
    w->self.by_trustees = true;
    world_to(w, 40);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_to(w, 60);
    assert_int_equal(w->send_count, 0);
    assert_true(world_told(w, coord_reason_sentence(REASON_TRUSTEES)));
    assert_true(world_told_times(w, "\n") <= 4);
}

/* DCL would take our enable-node: it is we who must not send it. */
static void disabled_by_trustees_while_away(void **state)
{
    (void)state;
    struct world_setup setup = dcl();
    struct member_world *w = world_begin(&world, &setup);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_until(w, COORD_PAUSED);
    w->manual = true;
    world_blocks(w, 2);
    w->self.by_trustees = true;
    world_come_back(w);
    world_blocks(w, 30);
    assert_int_equal(world_sent(w, TX_UNPAUSE), 0);
    assert_true(world_told(w, coord_reason_sentence(REASON_TRUSTEES)));
}

/* Somebody paused us by hand: so it stays, and it is said once. */
static void paused_by_hand_stays_paused(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    world_tx(w, US, TX_PAUSE, 0);
    world_to(w, 30);
    world_story(
        w,
        "head 6: not now: this validator was paused by hand and stays so; `stagger unpause` ends it\n");
    assert_int_equal(w->send_count, 0);
}

static void paused_by_hand_with_work_left(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    world_tx(w, US, TX_PAUSE, 0);
    world_to(w, 10);
    world_forget(w);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_to(w, 40);
    assert_int_equal(w->send_count, 0);
    assert_int_equal(world_told_times(w, coord_reason_sentence(REASON_BY_HAND)), 1);
}

/* In line when somebody's hand pauses us: no join is spent on a turn that cannot be. */
static void paused_by_hand_in_line(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    for (uint32_t v = 1; v <= 3; v++)
        world_put(w, v, false);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_to(w, 9);
    world_tx(w, US, TX_PAUSE, 0);
    world_to(w, 20);
    assert_int_equal(world_sent(w, TX_JOIN), 1);
}

/* And ended by the operator, through the agent; the work that waited is done after it. */
static void paused_by_hand_ended_by_command(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    world_tx(w, US, TX_PAUSE, 0);
    world_to(w, 10);
    world_forget(w);
    world_command(w, COMMAND_UNPAUSE, 0);
    world_until(w, COORD_DONE);
    world_story(w, "the operator says unpause\n"
                   "send unpause until 20\n"
                   "head 10: in step with the chain, asking back into the set\n"
                   "-> UNPAUSING\n"
                   "head 11: back since block 11, waiting to be seen signing\n"
                   "-> SETTLING\n"
                   "head 16: done, signing again since block 14\n"
                   "-> DONE\n");
}

/* A pause by hand of long ago, and no journal: it is not the pause of the turn that is taken now. */
static void an_old_pause_is_not_ours(void **state)
{
    (void)state;
    struct member_world *w = &world;
    world_open(w, NULL);
    world_blocks(w, 3);
    world_tx(w, US, TX_PAUSE, 0);
    world_blocks(w, 3);
    world_tx(w, US, TX_UNPAUSE, 0);
    world_to(w, 13);
    world_start(w, JOURNAL_NONE);
    world_block(w);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_until(w, COORD_DONE);
    assert_int_equal(w->reinits, 1);
    assert_int_equal(world_sent(w, TX_PAUSE), 1);
    assert_true(world_in_set(w, US));
}

/* Without a journal the blocks tell whose pause it was: after a join of our own it is ours to end. */
static void a_lost_journal_and_a_pause_of_ours(void **state)
{
    (void)state;
    struct member_world *w = world_begin_turn(&world, COORD_PAUSED);
    world_kill(w);
    world_blocks(w, 3);
    world_start(w, JOURNAL_NONE);
    world_until(w, COORD_DONE);
    world_story(w, "KILLED\n"
                   "started without a journal: the chain alone decides\n"
                   "head 11: out of the set without a turn; coming back\n"
                   "send unpause until 21\n"
                   "head 11: in step with the chain, asking back into the set\n"
                   "-> UNPAUSING\n"
                   "head 12: back since block 12, waiting to be seen signing\n"
                   "-> SETTLING\n"
                   "head 17: done, signing again since block 15\n"
                   "-> DONE\n");
}

static void a_lost_journal_and_a_pause_by_hand(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    world_tx(w, US, TX_PAUSE, 0);
    world_kill(w);
    world_blocks(w, 3);
    world_start(w, JOURNAL_NONE);
    world_blocks(w, 20);
    world_story(
        w,
        "KILLED\n"
        "started without a journal: the chain alone decides\n"
        "head 8: not now: this validator was paused by hand and stays so; `stagger unpause` ends it\n");
    assert_int_equal(world_state(w), COORD_IDLE);
}

/* Who was thrown out while it had nothing to do finds out within the blocks it asks for, whatever W is. */
static void a_member_at_rest_keeps_watch(void **state)
{
    (void)state;
    struct world_setup setup = world_usual();
    setup.epoch_blocks = 7;
    struct member_world *w = world_begin(&world, &setup);
    world_to(w, 8);
    thrown_out(w, COORD_INACTIVE);
    while (world_state(w) == COORD_IDLE && w->height < 400) {
        world_commit(w);
        if (w->height >= coord_deadline(&w->core, w->view).block.n)
            world_show(w);
    }
    assert_true(w->height <= 8 + 60 + 2 * 7);
}

/* A pause that looks refused and is under way all the same. */
static struct member_world *begin_doubt(enum world_fate fate)
{
    struct member_world *w = world_begin_turn(&world, COORD_WAITING);
    struct coord_event refused = {.kind = EVENT_REFUSED};
    refused.refused.tx = TX_PAUSE;
    refused.refused.code = 32;
    world_fate(w, TX_PAUSE, fate, 1);
    world_until(w, COORD_PAUSING);
    world_event(w, refused);
    w->forgetful = true; /* it takes for dead what is not */
    return w;
}

/* The first fails in its block, the second happens. Whoever takes the first for the end of it takes the second
 * for somebody else's, and stays out. */
static void a_pause_fails_and_its_twin_happens(void **state)
{
    (void)state;
    struct member_world *w = begin_doubt(FATE_FAILED);
    world_fate(w, TX_PAUSE, FATE_LOST, 1);
    world_wait(w, 5000);
    assert_int_equal(world_sent(w, TX_PAUSE), 2);
    world_block(w);
    assert_int_equal(world_state(w), COORD_PAUSING);
    world_tx(w, US, TX_PAUSE, 0);
    world_block(w);
    assert_int_equal(world_state(w), COORD_PAUSED);
    world_until(w, COORD_DONE);
}

/* The first happens; the agent dies before it has seen that, and hears only that the second failed. */
static void a_pause_happens_and_its_twin_fails(void **state)
{
    (void)state;
    struct member_world *w = begin_doubt(FATE_TAKEN);
    world_commit(w);
    world_wait(w, 5000);
    assert_int_equal(world_sent(w, TX_PAUSE), 2);
    world_kill(w);
    world_start(w, JOURNAL_KEPT);
    world_block(w);
    assert_true(world_told(w, "our pause was refused in block 8 with code 7"));
    assert_true(world_told(w, "our pause happened in block 7"));
    world_until(w, COORD_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(inactive_waits_for_its_time, end),
        cmocka_unit_test_teardown(inactive_while_settling, end),
        cmocka_unit_test_teardown(inactive_and_not_in_step, end),
        cmocka_unit_test_teardown(jailed_is_said_and_nothing_else, end),
        cmocka_unit_test_teardown(jailed_while_away_and_unjailed, end),
        cmocka_unit_test_teardown(disabled_by_trustees, end),
        cmocka_unit_test_teardown(disabled_by_trustees_while_away, end),
        cmocka_unit_test_teardown(paused_by_hand_stays_paused, end),
        cmocka_unit_test_teardown(paused_by_hand_with_work_left, end),
        cmocka_unit_test_teardown(paused_by_hand_in_line, end),
        cmocka_unit_test_teardown(paused_by_hand_ended_by_command, end),
        cmocka_unit_test_teardown(an_old_pause_is_not_ours, end),
        cmocka_unit_test_teardown(a_lost_journal_and_a_pause_of_ours, end),
        cmocka_unit_test_teardown(a_lost_journal_and_a_pause_by_hand, end),
        cmocka_unit_test_teardown(a_member_at_rest_keeps_watch, end),
        cmocka_unit_test_teardown(a_pause_fails_and_its_twin_happens, end),
        cmocka_unit_test_teardown(a_pause_happens_and_its_twin_fails, end),
    };
    return cmocka_run_group_tests_name("member_return", tests, NULL, NULL);
}
