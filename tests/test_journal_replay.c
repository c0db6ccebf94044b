/* What an agent did, through the journal and once more: a member's life recorded, replayed, and falsified. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/journal_replay.h"
#include "tests/journal_record.h"
#include "tests/journal_sim.h"

#define EFFECTS_MAX 100

static struct member_world w;
static struct sim sim;

struct seen {
    char sentences[65536];
    size_t used;
    uint32_t steps, openings, notes, moves;
};

static void take_step(void *owner, const struct replay_step *step)
{
    struct seen *seen = owner;
    char text[300];
    seen->steps++;
    seen->moves += step->before != coord_memory(step->core)->state;
    for (uint32_t i = 0; i < step->effects->count; i++) {
        const struct coord_effect *e = &step->effects->list[i];
        if (e->kind != EFFECT_SAY || e->say.level == LEVEL_DEBUG)
            continue;
        int size = snprintf(seen->sentences + seen->used, sizeof seen->sentences - seen->used,
                            "%s\n", coord_sentence(&e->say, text, sizeof text));
        assert_true(size > 0);
        seen->used += (size_t)size;
        assert_true(seen->used < sizeof seen->sentences);
    }
}

static void take_opening(void *owner, const struct replay_opening *opening)
{
    (void)opening;
    ((struct seen *)owner)->openings++;
}

static void take_note(void *owner, const struct replay_note *note)
{
    assert_int_equal(note->kind, NOTE_REASON);
    ((struct seen *)owner)->notes++;
}

static struct replay_result replay(const char *name, struct seen *seen)
{
    const struct journal_disk disk = sim_disk(&sim);
    struct replay_result result;
    struct replay_listener listener = {.owner = seen};
    struct journal *recording = recorder.journal; /* what replay does is not recorded */
    recorder.journal = NULL;
    if (seen) {
        *seen = (struct seen){.steps = 0};
        listener.stepped = take_step;
        listener.opened = take_opening;
        listener.noted = take_note;
    }
    journal_replay(&disk, name, &listener, &result);
    recorder.journal = recording;
    return result;
}

static void begin(uint64_t falsify, bool falsify_say)
{
    sim_open(&sim, 1);
    recorder = (struct recorder){.falsify = falsify, .falsify_say = falsify_say};
}

static void test_a_turn(void **state)
{
    (void)state;
    static struct seen seen;
    begin(0, false);
    const struct journal_disk disk = sim_disk(&sim);
    record_turn(&w, &disk);
    /* the agent still runs: what it has not written yet is not there */
    struct fault fault;
    assert_true(journal_sync(recorder.journal, &fault));
    struct replay_result result = replay(JOURNAL_NAME, &seen);
    assert_string_equal(result.fault.text, "");
    assert_int_equal(result.verdict, REPLAY_SAME);
    assert_int_equal(result.steps, recorder.events);
    assert_int_equal(result.runs, 2);
    assert_int_equal(result.blocks, w.height);
    assert_int_equal(seen.steps, result.steps);
    assert_int_equal(seen.openings, 2);
    assert_int_equal(seen.notes, 1);
    assert_in_range(seen.moves, 10, 30);
    assert_non_null(strstr(seen.sentences, "started without a journal"));
    assert_non_null(strstr(seen.sentences, "rank "));
    assert_non_null(strstr(seen.sentences, "the runtime failed to reinitialise, attempt 1"));
    assert_non_null(strstr(seen.sentences, "started in SYNCING, as the journal says"));
    assert_non_null(strstr(seen.sentences, "done, signing again"));
    record_close();
    world_close(&w);
    sim_close(&sim);
}

/* Each step that had an effect, told falsely: replay says where. */
static void test_falsified_effects(void **state)
{
    (void)state;
    begin(0, false);
    const struct journal_disk disk = sim_disk(&sim);
    record_turn(&w, &disk);
    record_close();
    static struct seen seen;
    uint64_t events = recorder.events, found = 0;
    for (uint64_t at = 1; at <= events; at++)
        for (int say = 0; say < 2; say++) {
            begin(at, say);
            record_turn(&w, &disk);
            record_close();
            struct replay_result result = replay(JOURNAL_NAME, &seen);
            if (result.verdict == REPLAY_SAME) { /* nothing was said in it */
                assert_true(say);
                continue;
            }
            found++;
            assert_int_equal(result.verdict, REPLAY_DIFFERS);
            assert_int_equal(result.steps, at);
            assert_int_equal(seen.steps, at);
            char where[40];
            snprintf(where, sizeof where, "record %llu at byte ",
                     (unsigned long long)result.records);
            assert_non_null(strstr(result.fault.text, where));
            assert_non_null(strstr(result.fault.text, "effects in the agent"));
        }
    assert_in_range(found, events, 2 * events);
    world_close(&w);
    sim_close(&sim);
}

static void test_written_anew_at_every_move(void **state)
{
    (void)state;
    begin(0, false);
    recorder.rotate_at_turns = true;
    const struct journal_disk disk = sim_disk(&sim);
    record_turn(&w, &disk);
    record_close();
    struct replay_result result = replay(JOURNAL_NAME, NULL);
    assert_string_equal(result.fault.text, "");
    assert_int_equal(result.verdict, REPLAY_SAME);
    assert_true(result.steps < recorder.events); /* the rest stands in earlier files */
    result = replay("journal.1", NULL);
    assert_string_equal(result.fault.text, "");
    assert_int_equal(result.verdict, REPLAY_SAME);
    world_close(&w);
    sim_close(&sim);
}

/* An agent that dies after any effect and goes on: its journal tells the same. */
static void test_killed_after_every_effect(void **state)
{
    (void)state;
    uint32_t kills = 0;
    for (int64_t after = 0; after < EFFECTS_MAX; after++) {
        begin(0, false);
        const struct journal_disk disk = sim_disk(&sim);
        record_open(&disk, WORLD_START_MS);
        world_open(&w, NULL);
        world_start(&w, JOURNAL_NONE);
        world_to(&w, 4);
        w.crash_after = after;
        world_command(&w, COMMAND_REBOOT, WORLD_WORK_MS);
        for (int block = 0; block < 120; block++) {
            if (!w.alive) {
                kills++;
                record_close();
                record_open(&disk, w.now.ms);
                world_start(&w, w.written ? JOURNAL_KEPT : JOURNAL_NONE);
            }
            world_block(&w);
        }
        record_close();
        struct replay_result result = replay(JOURNAL_NAME, NULL);
        assert_string_equal(result.fault.text, "");
        assert_int_equal(result.verdict, REPLAY_SAME);
        world_close(&w);
    }
    assert_in_range(kills, 30, EFFECTS_MAX);
    sim_close(&sim);
}

static void test_damaged_and_torn(void **state)
{
    (void)state;
    begin(0, false);
    const struct journal_disk disk = sim_disk(&sim);
    record_turn(&w, &disk);
    record_close();
    struct sim_file *file = sim_find(&sim, JOURNAL_NAME);
    uint64_t all = replay(JOURNAL_NAME, NULL).steps;
    file->now[file->now_size / 2] ^= 8;
    struct replay_result result = replay(JOURNAL_NAME, NULL);
    assert_int_equal(result.verdict, REPLAY_DAMAGED);
    assert_true(result.steps > 0 && result.steps < all);
    assert_non_null(strstr(result.fault.text, "is damaged at byte"));
    file->now[file->now_size / 2] ^= 8;
    uint8_t tail[5] = {0xb7, 4, 1};
    uint8_t *bytes = malloc(file->now_size + sizeof tail);
    assert_non_null(bytes);
    memcpy(bytes, file->now, file->now_size);
    memcpy(bytes + file->now_size, tail, sizeof tail);
    sim_put(&sim, "torn", bytes, file->now_size + sizeof tail);
    free(bytes);
    result = replay("torn", NULL);
    assert_int_equal(result.verdict, REPLAY_SAME);
    assert_int_equal(result.torn, sizeof tail);
    assert_int_equal(replay("nothing", NULL).verdict, REPLAY_UNREADABLE);
    world_close(&w);
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_turn),
        cmocka_unit_test(test_falsified_effects),
        cmocka_unit_test(test_written_anew_at_every_move),
        cmocka_unit_test(test_killed_after_every_effect),
        cmocka_unit_test(test_damaged_and_torn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
