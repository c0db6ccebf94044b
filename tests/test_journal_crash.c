/* The journal under a kill at every operation of the disk, with and without a loss of power, and under a full disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/journal_life.h"

#define SEEDS 24
#define STEPS_ALL 3

/* --- kills --- */

/* How many operations of the disk a whole life makes. */
static int64_t operations_of_a_life(void)
{
    struct sim *sim = calloc(1, sizeof *sim);
    struct life life;
    assert_non_null(sim);
    sim_open(sim, 1);
    life_begin(&life, sim);
    assert_true(life_open(&life));
    assert_true(life_steps(&life));
    life_end(&life);
    int64_t count = sim->operations;
    sim_close(sim);
    free(sim);
    return count;
}

/* Dies at one operation, starts again, dies again soon after, ... and at the end lives. */
static void die_at(struct sim *sim, int64_t point, uint64_t seed, bool power)
{
    struct life life;
    sim_open(sim, seed * 1000003 + (uint64_t)point);
    life_begin(&life, sim);
    sim->die_at = point;
    for (int lives = 0; lives < STEPS_ALL; lives++) {
        if (life_open(&life))
            (void)life_steps(&life);
        life_drop(&life);
        sim_restart(sim, power);
        if (lives + 2 < STEPS_ALL)
            sim->die_at = (int64_t)sim_chance(sim, 60);
    }
    assert_true(life_open(&life));
    assert_true(life_steps(&life));
    life_end(&life);
}

static void kill_everywhere(bool power)
{
    struct sim *sim = calloc(1, sizeof *sim);
    assert_non_null(sim);
    int64_t count = operations_of_a_life();
    assert_true(count > 50);
    for (int64_t point = 0; point < count; point++)
        for (uint64_t seed = 0; seed < SEEDS; seed++)
            die_at(sim, point, seed, power);
    sim_close(sim);
    free(sim);
}

static void test_power_lost_at_every_operation(void **state)
{
    (void)state;
    kill_everywhere(true);
}

static void test_killed_at_every_operation(void **state)
{
    (void)state;
    kill_everywhere(false);
}

/* --- a disk that is full, or fails --- */

static void full_at(struct sim *sim, int64_t room)
{
    struct life life;
    sim_open(sim, 5);
    life_begin(&life, sim);
    assert_true(life_open(&life));
    life_memory(&life);
    assert_true(life_sync(&life));
    sim->room = room;
    struct fault fault = {""};
    bool failed = false;
    for (int i = 0; i < 12; i++) {
        life_memory(&life);
        life_sent(&life, i % 3 == 0);
        life_block(&life);
        if (i % 5 == 4 && !life_rotate(&life))
            failed = true;
        if (!journal_sync(life.journal, &fault)) {
            failed = true;
            assert_non_null(strstr(fault.text, "free the disk"));
            assert_non_null(strstr(fault.text, "No space left"));
            assert_string_equal(journal_trouble(life.journal), fault.text);
        }
    }
    assert_true(failed);
    sim->room = -1;
    assert_true(life_sync(&life)); /* everything, also what was appended before */
    assert_null(journal_trouble(life.journal));
    life_drop(&life);
    sim_restart(sim, true);
    assert_true(life_open(&life));
    assert_int_equal(life.found.memory.expected_ms, 13);
    assert_int_equal(life.found.head.n, 12);
    life_end(&life);
}

static void test_full_disk_at_every_byte_count(void **state)
{
    (void)state;
    struct sim *sim = calloc(1, sizeof *sim);
    assert_non_null(sim);
    for (int64_t room = 0; room < 30000; room += 97)
        full_at(sim, room);
    sim_close(sim);
    free(sim);
}

/* As above, and the power is lost while it is full. */
static void test_full_disk_and_a_crash(void **state)
{
    (void)state;
    struct sim *sim = calloc(1, sizeof *sim);
    assert_non_null(sim);
    for (int64_t room = 0; room < 30000; room += 61) {
        struct life life;
        sim_open(sim, (uint64_t)room);
        life_begin(&life, sim);
        assert_true(life_open(&life));
        sim->room = room;
        (void)life_steps(&life);
        life_drop(&life);
        sim_restart(sim, true);
        bool opened = life_open(&life);
        life_drop(&life);
        sim_restart(sim, room % 2);
        sim->room = -1;
        assert_true(opened || life.found.kind == JOURNAL_NONE);
        assert_true(life_open(&life));
        assert_true(life_steps(&life));
        life_end(&life);
    }
    sim_close(sim);
    free(sim);
}

static void test_no_room_for_a_first_journal(void **state)
{
    (void)state;
    struct sim *sim = calloc(1, sizeof *sim);
    struct life life;
    struct fault fault;
    assert_non_null(sim);
    for (int64_t room = 0; room < 16384; room += 4096) {
        sim_open(sim, 3);
        life_begin(&life, sim);
        sim->room = room;
        assert_false(journal_open_on(&life.disk, LIFE_OWNER, (struct instant){1}, &life.journal,
                                     &life.found, &fault));
        assert_non_null(strstr(fault.text, "free the disk"));
        sim->room = -1;
        assert_true(life_open(&life));
        assert_int_equal(life.found.kind, JOURNAL_NONE);
        life_end(&life);
    }
    sim_close(sim);
    free(sim);
}

/* A sync that fails may leave the kernel with pages that count as written and are not: what the buffer holds is written
 * again, and so is what a process that died in between had left. */
static void test_failed_sync_loses_nothing(void **state)
{
    (void)state;
    struct sim *sim = calloc(1, sizeof *sim);
    assert_non_null(sim);
    for (int restart = 0; restart < 2; restart++)
        for (uint64_t seed = 0; seed < 100; seed++) {
            struct life life;
            sim_open(sim, seed);
            life_begin(&life, sim);
            assert_true(life_open(&life));
            assert_true(life_steps(&life));
            life_memory(&life);
            sim->sync_fails = 1;
            assert_false(life_sync(&life));
            assert_non_null(journal_trouble(life.journal));
            if (restart) {
                life_drop(&life);
                sim_restart(sim, false);
                assert_true(life_open(&life));
            }
            assert_true(life_sync(&life));
            uint64_t latest = life.appended.memory;
            life_drop(&life);
            sim_restart(sim, true);
            assert_true(life_open(&life));
            assert_int_equal(life.found.memory.expected_ms, latest);
            life_end(&life);
        }
    sim_close(sim);
    free(sim);
}

/* A disk that stays full for days: memory and transaction go on, blocks end in a gap, the next start goes on. */
static void test_gap_after_a_long_time_without_room(void **state)
{
    (void)state;
    struct sim *sim = calloc(1, sizeof *sim);
    struct life life;
    struct fault fault;
    assert_non_null(sim);
    sim_open(sim, 9);
    life_begin(&life, sim);
    assert_true(life_open(&life));
    life_memory(&life);
    assert_true(life_sync(&life));
    sim->room = 0;
    while (!journal_has_gap(life.journal))
        life_block(&life);
    assert_in_range(life.appended.block, 10000, 100000); /* more than half a day of 6 s */
    uint64_t kept = life.appended.block;
    for (int i = 0; i < 100; i++)
        life_block(&life);
    life_memory(&life);
    assert_false(journal_sync(life.journal, &fault));
    assert_false(life_rotate(&life));
    sim->room = -1;
    assert_true(journal_sync(life.journal, &fault));
    assert_false(life_rotate(&life)); /* not before the next start */
    life.synced.memory = life.appended.memory;
    life_drop(&life);
    sim_restart(sim, true);
    assert_true(life_open(&life));
    assert_int_equal(life.found.memory.expected_ms, 2);
    assert_in_range(life.found.head.n, kept - 1, kept);
    assert_false(journal_has_gap(life.journal));
    assert_true(life_steps(&life));
    life_end(&life);
    sim_close(sim);
    free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_power_lost_at_every_operation),
        cmocka_unit_test(test_killed_at_every_operation),
        cmocka_unit_test(test_full_disk_at_every_byte_count),
        cmocka_unit_test(test_full_disk_and_a_crash),
        cmocka_unit_test(test_no_room_for_a_first_journal),
        cmocka_unit_test(test_failed_sync_loses_nothing),
        cmocka_unit_test(test_gap_after_a_long_time_without_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
