/* The journal in a directory: what is found again, who is refused, what a rotation keeps, what it costs. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/journal_code.h"
#include "tests/journal_life.h"

#define NOW ((struct instant){INT64_C(1700000001000)})

static struct sim sim;

static void make_folder(char path[64])
{
    strcpy(path, "journal-test-XXXXXX");
    assert_non_null(mkdtemp(path));
}

static void remove_folder(const char *path)
{
    static const char *const names[] = {"journal", "journal.1", "journal.lock", "journal.new",
                                        "journal.damaged"};
    char name[128];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(name, sizeof name, "%s/%s", path, names[i]);
        unlink(name);
    }
    assert_int_equal(rmdir(path), 0);
}

static struct journal *open_in(const char *path, struct journal_found *found)
{
    struct journal *journal;
    struct fault fault = {""};
    if (!journal_open(path, LIFE_OWNER, NOW, &journal, found, &fault))
        fail_msg("%s", fault.text);
    return journal;
}

static void test_a_directory(void **state)
{
    (void)state;
    char path[64], deeper[80], name[128];
    struct journal_found found;
    struct stat about;
    struct fault fault;
    uint8_t bytes[] = "the bytes of a pause";
    make_folder(path);
    snprintf(deeper, sizeof deeper, "%s/agent", path);
    struct journal *journal = open_in(deeper, &found);
    assert_int_equal(found.kind, JOURNAL_NONE);
    assert_false(found.sent || found.history);
    struct coord_memory memory = life_memory_of(7);
    struct chain_sent sent = {.bytes = bytes, .size = sizeof bytes, .sequence = 9};
    journal_append_memory(journal, &memory);
    journal_append_sent(journal, TX_PAUSE, &sent);
    journal_append_note(journal, NOW, NOTE_REASON, "new\nkernel");
    journal_append_note(journal, NOW, NOTE_RUNTIME, "stopped unit 'sekaid'");
    assert_true(journal_sync(journal, &fault));
    journal_close(&journal);
    journal = open_in(deeper, &found);
    assert_int_equal(found.kind, JOURNAL_KEPT);
    assert_int_equal(found.memory.expected_ms, 7);
    assert_true(found.sent);
    assert_int_equal(found.tx, TX_PAUSE);
    assert_string_equal(found.flight.bytes, bytes);
    assert_string_equal(found.reason, "new kernel");
    assert_string_equal(found.runtime, "stopped unit 'sekaid'");
    snprintf(name, sizeof name, "%s/journal", deeper);
    assert_int_equal(stat(name, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    journal_append_sent(journal, TX_OTHER, NULL);
    assert_true(journal_rotate(journal, NULL, NULL, NOW, &fault));
    journal_close(&journal);
    journal = open_in(deeper, &found);
    assert_int_equal(found.memory.expected_ms, 7);
    assert_false(found.sent);
    assert_string_equal(found.reason, "new kernel");
    journal_close(&journal);
    remove_folder(deeper);
    remove_folder(path);
}

static void test_who_is_refused(void **state)
{
    (void)state;
    char path[64], name[128];
    struct journal_found found;
    struct journal *journal, *other;
    struct fault fault;
    make_folder(path);
    journal = open_in(path, &found);
    struct coord_memory memory = life_memory_of(3);
    journal_append_memory(journal, &memory);
    assert_false(journal_open(path, LIFE_OWNER, NOW, &other, &found, &fault));
    assert_null(other);
    snprintf(name, sizeof name, "another agent uses this journal (process %ld)", (long)getpid());
    assert_non_null(strstr(fault.text, name));
    assert_non_null(strstr(fault.text, path));
    journal_close(&journal);
    assert_false(journal_open(path, "story-2 00", NOW, &other, &found, &fault));
    assert_non_null(strstr(fault.text, "belongs to \"" LIFE_OWNER "\", not to \"story-2 00\""));
    snprintf(name, sizeof name, "%s/journal", path);
    assert_false(journal_open(name, LIFE_OWNER, NOW, &other, &found, &fault));
    assert_non_null(strstr(fault.text, "expected a directory"));
    snprintf(name, sizeof name, "%s/not/there", path);
    assert_false(journal_open(name, LIFE_OWNER, NOW, &other, &found, &fault));
    assert_non_null(strstr(fault.text, "cannot be created"));
    journal = open_in(path, &found); /* none of that changed anything */
    assert_int_equal(found.memory.expected_ms, 3);
    journal_close(&journal);
    remove_folder(path);
}

/* --- the encoding, as JOURNAL.md has it --- */

static void check_bytes(struct code *code, const char *hex)
{
    char text[512];
    assert_false(code->bad);
    for (size_t i = 0; i < code->at; i++)
        snprintf(text + 2 * i, 3, "%02x", code->into[i]);
    assert_string_equal(text, hex);
}

static void test_bytes_of_a_memory(void **state)
{
    (void)state;
    struct code code = {0};
    struct coord_memory memory = {
        .state = COORD_PAUSING,
        .errand = ERRAND_REBOOT,
        .flight = {.kind = TX_PAUSE, .timeout = {303}},
        .membership = {290},
        .expected_ms = 31000,
        .frozen = true,
        .frozen_since = {UINT64_MAX},
    };
    code_memory(&code, &memory);
    check_bytes(&code, "01"
                       "03"
                       "01"
                       "00"
                       "020000af02"
                       "00"
                       "a202"
                       "00"
                       "b0e403"
                       "00"
                       "00"
                       "0000000001"
                       "00"
                       "ffffffffffffffffff01");
    struct coord_memory back = {.state = COORD_IDLE};
    struct code reading = code_read(code.into, code.at);
    code_memory(&reading, &back);
    assert_true(code_finished(&reading));
    assert_int_equal(back.flight.timeout.n, 303);
    assert_int_equal(back.frozen_since.n, UINT64_MAX);
    for (size_t size = 0; size < code.at; size++) {
        reading = code_read(code.into, size);
        code_memory(&reading, &back);
        assert_false(code_finished(&reading));
    }
    code_end(&code);
}

static void test_numbers(void **state)
{
    (void)state;
    static const int64_t values[] = {0, 1, -1, 63, 64, -64, -65, INT64_MAX, INT64_MIN};
    struct code code = {0};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        code_signed(&code, values[i]);
    struct code reading = code_read(code.into, code.at);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        assert_int_equal(code_signed(&reading, 5), values[i]);
    assert_true(code_finished(&reading));
    code_end(&code);
    static const struct {
        const char *bytes;
        size_t size;
    } wrong[] = {
        {"\x80", 1},                                          /* goes on */
        {"\x80\x00", 2},                                      /* longer than it need be */
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10},     /* 65 bits */
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x01", 11}, /* 11 bytes */
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        reading = code_read((const uint8_t *)wrong[i].bytes, wrong[i].size);
        assert_int_equal(code_number(&reading, 0), 0);
        assert_false(code_finished(&reading));
    }
}

/* --- history --- */

static void feed(struct life *life, const struct view_tx *txs, uint32_t count,
                 const struct view_change *change, const uint32_t *missing)
{
    uint8_t hash[HASH_SIZE];
    uint64_t height = view_head(life->view).n + 1;
    memset(hash, (int)(height * 7) & 255, sizeof hash);
    struct view_block block = {.height = {height}, .hash = hash, .txs = txs, .tx_count = count};
    block.time.ms = NOW.ms + (int64_t)height * 6000;
    block.changes = change;
    block.change_count = change != NULL;
    block.missing = missing;
    block.missing_count = missing != NULL;
    (void)view_block(life->view, &block);
    journal_append_block(life->journal, life->view, &block);
    view_results(life->view, txs, count);
    journal_append_results(life->journal, life->view, txs, count);
    life->appended.block = height;
}

static struct view_tx tx_of(const struct life *life, uint32_t validator, enum tx_kind kind)
{
    return (struct view_tx){.validator = validator,
                            .kind = kind,
                            .codespace = "",
                            .class_minutes = 5,
                            .charter = life->config.charter.id};
}

/* Everybody joins now and then; validator 4 pauses in block `pause` and stays away. */
static void feed_up_to(struct life *life, uint64_t height, uint64_t pause)
{
    while (view_head(life->view).n < height) {
        uint64_t next = view_head(life->view).n + 1;
        struct view_tx tx = tx_of(life, (uint32_t)(next % 4), TX_JOIN);
        struct view_change change = {4, 0};
        if (next + 5 == pause)
            tx = tx_of(life, 4, TX_JOIN);
        if (next == pause)
            tx = tx_of(life, 4, TX_PAUSE);
        feed(life, &tx, next % 11 == 0 || next + 5 == pause || next == pause,
             next == pause + 1 ? &change : NULL, NULL);
    }
}

static void compare_views(const struct view *a, const struct view *b)
{
    struct height boundary = charter_boundary(view_charter(a), view_head(a));
    const struct draw *one = view_draw(a, boundary), *other = view_draw(b, boundary);
    assert_int_equal(view_head(a).n, view_head(b).n);
    assert_int_equal(view_count(a), view_count(b));
    assert_true(one && other && one->complete && other->complete);
    assert_int_equal(one->budget, other->budget);
    assert_int_equal(one->reference, other->reference);
    assert_int_equal(one->permits, other->permits);
    assert_int_equal(one->overdue, other->overdue);
    assert_int_equal(one->overdue_since.n, other->overdue_since.n);
    for (uint32_t v = 0; v < view_count(a); v++) {
        uint32_t rank, other_rank;
        assert_memory_equal(view_validator(a, v)->address, view_validator(b, v)->address,
                            ADDRESS_SIZE);
        assert_int_equal(view_reason(a, one, v, &rank), view_reason(b, other, v, &other_rank));
        assert_int_equal(rank, other_rank);
        assert_int_equal(view_in_set(a, v, view_head(a)), view_in_set(b, v, view_head(b)));
    }
}

static void begin_life(struct life *life)
{
    sim_open(&sim, 1);
    life_begin(life, &sim);
    assert_true(life_open(life));
    life_memory(life);
}

static struct view *read_back(struct life *life)
{
    struct fault fault = {""};
    struct view *view = journal_view(life->journal, &life->config, &fault);
    assert_string_equal(fault.text, "");
    assert_non_null(view);
    return view;
}

/* Both views go on over some epochs and stay the same. */
static void go_on(struct life *life, struct view *copy)
{
    for (int i = 0; i < 100; i++) {
        uint64_t next = view_head(life->view).n + 1;
        struct view_tx tx = tx_of(life, (uint32_t)(next % 4), TX_JOIN);
        uint8_t hash[HASH_SIZE];
        memset(hash, (int)(next * 7) & 255, sizeof hash);
        struct view_block block = {.height = {next}, .hash = hash, .txs = &tx};
        block.time.ms = NOW.ms + (int64_t)next * 6000;
        block.tx_count = next % 11 == 0;
        (void)view_block(copy, &block);
        view_results(copy, &tx, block.tx_count);
        feed(life, &tx, block.tx_count, NULL, NULL);
        compare_views(life->view, copy);
    }
}

static void test_rotation_keeps_what_is_demanded(void **state)
{
    (void)state;
    struct life life;
    struct fault fault;
    begin_life(&life);
    feed_up_to(&life, 6000, UINT64_MAX);
    assert_true(journal_sync(life.journal, &fault));
    size_t before = sim_find(&sim, "journal")->now_size;
    assert_true(journal_rotate(life.journal, life.view, &life.core, NOW, &fault));
    assert_true(sim_find(&sim, "journal")->now_size < before / 2 + 8192);
    assert_int_equal(sim_find(&sim, "journal.1")->now_size, before);
    struct view *copy = read_back(&life);
    /* 6,000 begins a round: round of block 5,999 less Z; the sets reach less far */
    assert_int_equal(view_first(copy).n, 5940 - 2400);
    compare_views(life.view, copy);
    go_on(&life, copy);
    view_destroy(&copy);
    life.synced = life.appended;
    life_drop(&life);
    sim_restart(&sim, false);
    life.synced.block = 0; /* not synced by the life's own hands */
    assert_true(life_open(&life));
    life_end(&life);
    sim_close(&sim);
}

static void test_rotation_follows_who_is_out(void **state)
{
    (void)state;
    struct life life;
    struct fault fault;
    begin_life(&life);
    feed_up_to(&life, 6000, 2000);
    assert_true(journal_rotate(life.journal, life.view, &life.core, NOW, &fault));
    struct view *copy = read_back(&life);
    assert_int_equal(view_first(copy).n, 1995);
    compare_views(life.view, copy);
    assert_int_equal(view_draw(copy, view_head(copy))->overdue, 1);
    go_on(&life, copy);
    view_destroy(&copy);
    feed_up_to(&life, 16000, UINT64_MAX);
    assert_true(journal_rotate(life.journal, life.view, &life.core, NOW, &fault));
    copy = read_back(&life); /* but not for ever */
    assert_in_range(view_first(copy).n, 16000 - 3 * 2520, 16000 - 2400);
    view_destroy(&copy);
    life_end(&life);
    sim_close(&sim);
}

/* The core sees the same blocks through another charter: both views can be had back. */
static void test_another_charter(void **state)
{
    (void)state;
    struct life life;
    begin_life(&life);
    feed_up_to(&life, 500, UINT64_MAX);
    struct view *copy = read_back(&life);
    compare_views(life.view, copy);
    view_destroy(&copy);
    life.config.charter.min_validators = 4;
    charter_seal(&life.config.charter);
    copy = read_back(&life);
    assert_int_equal(view_charter(copy)->min_validators, 4);
    assert_int_equal(view_draw(copy, height_at(498))->floor, 4);
    assert_int_equal(view_draw(copy, height_at(498))->foreign_count, 4);
    view_destroy(&copy);
    life_end(&life);
    sim_close(&sim);
}

/* --- sizes --- */

static void test_ten_thousand_validators(void **state)
{
    (void)state;
    enum { COUNT = VIEW_VALIDATORS_MAX };
    struct life life;
    struct fault fault;
    struct view_change *set = calloc(COUNT, sizeof *set);
    uint32_t *missing = calloc(COUNT, sizeof *missing);
    uint8_t hash[HASH_SIZE] = {1};
    assert_true(set && missing);
    begin_life(&life);
    view_destroy(&life.view);
    life.config.capacity = COUNT;
    life.view = view_create(&life.config);
    assert_non_null(life.view);
    for (uint32_t v = 0; v < COUNT; v++) {
        uint8_t address[ADDRESS_SIZE] = {(uint8_t)v, (uint8_t)(v >> 8), 7};
        assert_int_equal(view_enrol(life.view, address), v);
        set[v] = (struct view_change){v, INT64_C(1) << 48};
        missing[v] = v;
    }
    view_begin(life.view, height_at(1), height_at(1), set, COUNT);
    journal_append_begin(life.journal, &life.config, life.view, height_at(1), height_at(1), set,
                         COUNT);
    struct view_block block = {.height = {1}, .hash = hash, .missing = missing, .changes = set};
    block.missing_count = block.change_count = COUNT;
    (void)view_block(life.view, &block);
    journal_append_block(life.journal, life.view, &block);
    assert_true(journal_results_due(life.journal));
    assert_true(journal_rotate(life.journal, life.view, &life.core, NOW, &fault));
    struct view *copy = read_back(&life);
    assert_int_equal(view_count(copy), COUNT);
    assert_true(view_in_set(copy, COUNT - 1, height_at(2)));
    view_destroy(&copy);
    life_end(&life);
    free(set);
    free(missing);
    sim_close(&sim);
}

/* A day of blocks, none of which needs a sync: the journal syncs by itself now and then, and holds little. */
static void test_an_idle_day(void **state)
{
    (void)state;
    struct life life;
    struct fault fault;
    struct coord_effects effects = {.count = 1};
    begin_life(&life);
    assert_true(journal_sync(life.journal, &fault));
    uint32_t syncs = sim.syncs;
    size_t before = sim_find(&sim, "journal")->now_size;
    for (uint64_t height = 1; height <= 14400; height++) {
        struct coord_event event = {.kind = EVENT_BLOCK, .now = NOW, .block = {height}};
        feed(&life, NULL, 0, NULL, NULL);
        journal_append_event(life.journal, &life.core, &event, &effects);
    }
    size_t bytes = sim_find(&sim, "journal")->now_size - before;
    print_message("an idle day of 14,400 blocks: %zu bytes, %" PRIu32 " syncs\n", bytes,
                  sim.syncs - syncs);
    assert_in_range(bytes / 14400, 1, 170);
    assert_in_range(sim.syncs - syncs, 1, 40);
    assert_false(journal_is_long(life.journal));
    life_end(&life);
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_directory),
        cmocka_unit_test(test_who_is_refused),
        cmocka_unit_test(test_bytes_of_a_memory),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_rotation_keeps_what_is_demanded),
        cmocka_unit_test(test_rotation_follows_who_is_out),
        cmocka_unit_test(test_another_charter),
        cmocka_unit_test(test_ten_thousand_validators),
        cmocka_unit_test(test_an_idle_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
