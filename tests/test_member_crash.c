/* The agent is killed after every effect of a turn in turn, comes back with the journal as of the last
 * PERSIST that was carried out, with none, or with a damaged one, and finishes: in the set, the node running,
 * nothing left paused (PROTOCOL section 4: the journal and the chain together decide, the chain wins). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/member_world.h"

#define BLOCKS_MAX 150

static struct member_world world;

static int end(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

/* One way to die. */
struct crash {
    int64_t after;        /* effects */
    int64_t again;        /* and once more, that many effects after the start; negative: no */
    uint32_t dead_blocks; /* until it is started again */
    enum coord_journal journal;
    bool forced;
    bool slow; /* the runtime takes its time: the node is down for some blocks */
};

static bool is_over(const struct member_world *w)
{
    enum coord_state state = world_state(w);
    return w->alive && (state == COORD_DONE || state == COORD_IDLE) && w->node.up &&
           world_in_set(w, US) && coord_memory(&w->core)->step == STEP_NONE &&
           coord_memory(&w->core)->errand == ERRAND_NONE;
}

/* Starts the agent again; the daemon repeats a wish that no journal remembers, as it sees by the version. */
static void start_again(struct member_world *w, const struct crash *crash, int64_t again)
{
    world_blocks(w, crash->dead_blocks);
    w->crash_after = again;
    world_start(w, crash->journal);
    bool wanted = coord_memory(&w->core)->errand != ERRAND_NONE || w->reinits > 0;
    if (w->alive && !wanted && !crash->forced)
        world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
}

/* The runtime's answers come some blocks after its steps. */
static void let_it_run(struct member_world *w, const struct crash *crash)
{
    w->manual = crash->slow && w->ended != STEP_NONE;
    world_blocks(w, crash->slow ? 2 : 1);
    w->manual = false;
    world_answer(w);
    world_wait(w, 0);
}

static void begin(struct member_world *w, const struct crash *crash)
{
    world_open(w, NULL);
    world_start(w, JOURNAL_KEPT);
    world_to(w, 4);
    w->effects = 0;
    w->crash_after = crash->after;
    world_command(w, crash->forced ? COMMAND_FORCE : COMMAND_REBOOT, WORLD_WORK_MS);
}

/* A forced turn is the operator's: he says when it is over, and says it again after a crash. */
static void say_unpause(struct member_world *w, const struct crash *crash)
{
    if (crash->forced && w->alive && !world_in_set(w, US) && world_state(w) <= COORD_OFFLINE)
        world_command(w, COMMAND_UNPAUSE, 0);
}

/* Returns the number of blocks it took, or BLOCKS_MAX. */
static uint32_t run(struct member_world *w, const struct crash *crash)
{
    int64_t again = crash->again;
    begin(w, crash);
    for (uint32_t i = 0; i < BLOCKS_MAX; i++) {
        let_it_run(w, crash);
        say_unpause(w, crash);
        if (!w->alive) {
            start_again(w, crash, again);
            again = -1;
        }
        if (i > 20 && is_over(w))
            return i;
    }
    return BLOCKS_MAX;
}

static void check(struct member_world *w, const struct crash *crash)
{
    uint32_t blocks = run(w, crash);
    bool reboots = crash->forced || w->reinits >= 1;
    if (blocks == BLOCKS_MAX || !reboots || w->self.status != COORD_ACTIVE)
        fprintf(stderr,
                "killed after effect %lld and %lld, journal %d, %u blocks dead: left in %s\n%s\n",
                (long long)crash->after, (long long)crash->again, (int)crash->journal,
                crash->dead_blocks, coord_state_name(world_state(w)), w->story);
    assert_true(blocks < BLOCKS_MAX);
    assert_int_equal(w->self.status, COORD_ACTIVE);
    assert_true(reboots);
    assert_true(world_sent(w, TX_JOIN) <= w->charter.joins_max);
}

static int64_t effects_of_a_turn(bool forced)
{
    struct crash none = {.after = -1, .again = -1, .forced = forced};
    assert_true(run(&world, &none) < BLOCKS_MAX);
    int64_t effects = world.effects;
    return effects;
}

static void every_point(struct crash crash)
{
    int64_t effects = effects_of_a_turn(crash.forced);
    assert_true(effects >= (crash.forced ? 20 : 40));
    for (crash.after = 0; crash.after < effects; crash.after++)
        check(&world, &crash);
}

static void with_the_journal(void **state)
{
    (void)state;
    every_point((struct crash){.again = -1, .dead_blocks = 1});
}

static void with_the_journal_at_once(void **state)
{
    (void)state;
    every_point((struct crash){.again = -1});
}

/* Longer than any transaction of ours lives. */
static void with_the_journal_after_a_while(void **state)
{
    (void)state;
    every_point((struct crash){.again = -1, .dead_blocks = 12});
}

/* Longer than the view remembers. */
static void with_the_journal_after_long(void **state)
{
    (void)state;
    every_point((struct crash){.again = -1, .dead_blocks = 55});
}

static void with_the_journal_and_a_slow_runtime(void **state)
{
    (void)state;
    every_point((struct crash){.again = -1, .dead_blocks = 2, .slow = true});
}

static void without_a_journal(void **state)
{
    (void)state;
    for (uint32_t dead = 0; dead < 4; dead++)
        every_point((struct crash){.again = -1, .dead_blocks = dead, .journal = JOURNAL_NONE});
}

static void without_a_journal_and_a_slow_runtime(void **state)
{
    (void)state;
    every_point(
        (struct crash){.again = -1, .dead_blocks = 1, .journal = JOURNAL_NONE, .slow = true});
}

static void with_a_damaged_journal(void **state)
{
    (void)state;
    every_point((struct crash){.again = -1, .dead_blocks = 5, .journal = JOURNAL_DAMAGED});
}

static void killed_twice(void **state)
{
    (void)state;
    for (int64_t again = 0; again < 12; again++)
        every_point((struct crash){.again = again, .dead_blocks = 1});
}

static void killed_twice_without_a_journal(void **state)
{
    (void)state;
    for (int64_t again = 0; again < 12; again++)
        every_point((struct crash){.again = again, .dead_blocks = 1, .journal = JOURNAL_NONE});
}

/* By force there was no join: only the journal, or the operator, knows that the pause is to end. */
static void a_forced_turn(void **state)
{
    (void)state;
    every_point((struct crash){.again = -1, .dead_blocks = 1, .forced = true});
    every_point(
        (struct crash){.again = -1, .dead_blocks = 1, .forced = true, .journal = JOURNAL_NONE});
}

/* A journal that PERSIST wrote is a valid one; what cannot be one is refused. */
static void journals_that_cannot_be(void **state)
{
    (void)state;
    struct member_world *w = world_begin_turn(&world, COORD_PAUSED);
    const struct coord_memory good = w->journal;
    assert_true(coord_memory_valid(&good));
    struct coord_memory bad[9];
    for (size_t i = 0; i < 9; i++)
        bad[i] = good;
    bad[0].state = COORD_STATE_COUNT;
    bad[1].state = COORD_LEFT; /* a step passes through it, none ends in it */
    bad[2].errand = (enum coord_errand)7;
    bad[3].step = (enum coord_step_kind)9;
    bad[4].flight.kind = (enum tx_kind)5;
    bad[5].expected_ms = -1;
    bad[6].pause = HEIGHT_NONE;
    bad[7].attempts = UINT32_MAX;
    bad[8].later_ms = -1;
    for (size_t i = 0; i < 9; i++)
        assert_false(coord_memory_valid(&bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(with_the_journal, end),
        cmocka_unit_test_teardown(with_the_journal_at_once, end),
        cmocka_unit_test_teardown(with_the_journal_after_a_while, end),
        cmocka_unit_test_teardown(with_the_journal_after_long, end),
        cmocka_unit_test_teardown(with_the_journal_and_a_slow_runtime, end),
        cmocka_unit_test_teardown(without_a_journal, end),
        cmocka_unit_test_teardown(without_a_journal_and_a_slow_runtime, end),
        cmocka_unit_test_teardown(with_a_damaged_journal, end),
        cmocka_unit_test_teardown(killed_twice, end),
        cmocka_unit_test_teardown(killed_twice_without_a_journal, end),
        cmocka_unit_test_teardown(a_forced_turn, end),
        cmocka_unit_test_teardown(journals_that_cannot_be, end),
    };
    return cmocka_run_group_tests_name("member_crash", tests, NULL, NULL);
}
