/* The rare branches of coord/ that no story passes: values at the ends of their range, memory that runs
 * short, events at moments when they mean nothing. tests/COVERAGE.md names what is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "tests/member_world.h"

static struct member_world world;

static int end(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

/* --- memory that runs short: the linker sends these calls here (--wrap) --- */

static int64_t calls_left = INT64_MAX; /* until calls fail */

void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);
EVP_MD *__wrap_EVP_MD_fetch(OSSL_LIB_CTX *context, const char *algorithm, const char *properties);
EVP_MD *__real_EVP_MD_fetch(OSSL_LIB_CTX *context, const char *algorithm, const char *properties);
EVP_MD_CTX *__wrap_EVP_MD_CTX_new(void);
EVP_MD_CTX *__real_EVP_MD_CTX_new(void);
int __wrap_EVP_DigestInit_ex2(EVP_MD_CTX *context, const EVP_MD *type, const OSSL_PARAM *params);
int __real_EVP_DigestInit_ex2(EVP_MD_CTX *context, const EVP_MD *type, const OSSL_PARAM *params);

static bool runs_short(void)
{
    return calls_left-- <= 0;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return runs_short() ? NULL : __real_calloc(count, size);
}

EVP_MD *__wrap_EVP_MD_fetch(OSSL_LIB_CTX *context, const char *algorithm, const char *properties)
{
    return runs_short() ? NULL : __real_EVP_MD_fetch(context, algorithm, properties);
}

EVP_MD_CTX *__wrap_EVP_MD_CTX_new(void)
{
    return runs_short() ? NULL : __real_EVP_MD_CTX_new();
}

int __wrap_EVP_DigestInit_ex2(EVP_MD_CTX *context, const EVP_MD *type, const OSSL_PARAM *params)
{
    return runs_short() ? 0 : __real_EVP_DigestInit_ex2(context, type, params);
}

static struct view_config small_config(uint32_t capacity)
{
    struct charter charter = charter_default("edge-1", 1, WORLD_BLOCK_MS);
    return (struct view_config){
        .charter = charter, .chain = CHAIN_KIRA, .empty_blocks = true, .capacity = capacity};
}

/* Every call of view_create() that can fail fails once; nothing leaks, which the sanitizers see. */
static void a_view_without_memory(void **state)
{
    (void)state;
    struct view_config config = small_config(4);
    struct view *view = NULL;
    int64_t calls = 0;
    for (; !view; calls++) {
        calls_left = calls;
        view = view_create(&config);
        calls_left = INT64_MAX;
        assert_true(calls < 1000);
    }
    assert_true(calls > 25 * 3);
    view_destroy(&view);
    assert_null(view);
    view_destroy(&view); /* nothing */
}

/* --- charter --- */

static void refused(struct charter charter, const char *field)
{
    const char *wrong = charter_check(&charter, true);
    assert_non_null(wrong);
    assert_memory_equal(wrong, field, strlen(field));
}

static void absurd_charters(void **state)
{
    (void)state;
    struct charter usual = charter_default("edge-1", 1, WORLD_BLOCK_MS), c;
    assert_null(charter_check(&usual, true));
    c = usual, c.reference_blocks = UINT64_MAX, refused(c, "reference_blocks");
    c = usual, c.phi_den = 0, refused(c, "phi");
    c = usual, c.phi_num = 2000000, c.phi_den = 3000000, refused(c, "phi");
    c = usual, c.phi_num = c.phi_den, refused(c, "phi");
    c = usual, c.reserve = INT64_MAX, refused(c, "reserve");
    c = usual, c.reserve = -2, refused(c, "reserve");
    c = usual, c.min_validators = UINT64_MAX, refused(c, "min_validators");
    c = usual, c.min_validators = 0, refused(c, "min_validators");
}

/* --- view --- */

static uint32_t enrol(struct view *view, uint8_t first, uint8_t last)
{
    uint8_t address[ADDRESS_SIZE] = {first};
    address[ADDRESS_SIZE - 1] = last;
    return view_enrol(view, address);
}

/* Addresses that begin alike share a slot of the index and are told apart all the same. */
static void addresses_that_collide(void **state)
{
    (void)state;
    struct view_config config = small_config(3);
    struct view *view = view_create(&config);
    uint8_t address[ADDRESS_SIZE] = {7};
    assert_non_null(view);
    assert_int_equal(view_find(view, address), VALIDATOR_NONE);
    assert_int_equal(enrol(view, 7, 0), 0);
    assert_int_equal(enrol(view, 7, 1), 1);
    assert_int_equal(enrol(view, 7, 2), 2);
    assert_int_equal(enrol(view, 7, 1), 1);
    assert_int_equal(enrol(view, 7, 3), VALIDATOR_NONE);
    assert_int_equal(view_find(view, address), 0);
    assert_int_equal(view_count(view), 3);
    view_destroy(&view);
}

/* Before the first draw those count who have joined under our charter and not paused since. */
static void the_line_before_a_draw(void **state)
{
    (void)state;
    struct member_world *w = &world;
    world_open(w, NULL);
    world_join(w, 1, 5);
    world_join(w, 2, 3);
    world_join(w, 3, 5);
    world_foreign_join(w, 4);
    world_commit(w);
    world_tx(w, 3, TX_PAUSE, 0);
    world_commit(w);
    assert_int_equal(view_in_line(w->view, NULL, 1), 2);
    assert_int_equal(view_in_line(w->view, NULL, 4), 1);
    assert_int_equal(view_in_line(w->view, NULL, CLASS_MAX), 0);
    assert_int_equal(view_block_ms(w->view, height_at(9)), 0);
    assert_int_equal(view_block_ms(w->view, HEIGHT_NONE), 0);
}

/* --- words --- */

static void sentences_are_cut(void **state)
{
    (void)state;
    struct coord_say say = {.line = 0};
    char whole[300], text[300];
    coord_sentence(&say, whole, sizeof whole);
    for (size_t size = 1; size <= strlen(whole) + 1; size++) {
        memset(text, '!', sizeof text);
        assert_ptr_equal(coord_sentence(&say, text, size), text);
        assert_int_equal(strlen(text), size - 1);
        assert_memory_equal(text, whole, size - 1);
    }
}

/* The narration of a future version, or of a bug, names what it does not know "?". */
static void unknown_words(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    struct coord_event event = {.kind = EVENT_INCLUDED};
    event.included.height = height_at(3);
    event.included.tx = (enum tx_kind)77;
    world_event(w, event);
    event.included.tx = (enum tx_kind) - 1;
    world_event(w, event);
    assert_int_equal(world_told_times(w, "our ? was refused in block 3"), 2);
}

static void classes_at_the_ends(void **state)
{
    (void)state;
    assert_int_equal(coord_class(-MINUTE_MS, WORLD_BLOCK_MS), CLASS_MIN);
    assert_int_equal(coord_class(0, 0), CLASS_MIN);
    assert_int_equal(coord_class(0, INT64_MAX), 3);
    assert_int_equal(coord_class(24 * 60 * MINUTE_MS, WORLD_BLOCK_MS), CLASS_MAX);
}

static void memories_of_others(void **state)
{
    (void)state;
    struct coord_memory m = {.state = COORD_WAITING};
    assert_true(coord_memory_valid(&m));
    m.flight.kind = TX_PAUSE;
    assert_false(coord_memory_valid(&m));
    m = (struct coord_memory){.state = COORD_LEFT};
    assert_false(coord_memory_valid(&m));
    m = (struct coord_memory){.state = COORD_PAUSED};
    assert_false(coord_memory_valid(&m));
    m.pause = height_at(1);
    assert_true(coord_memory_valid(&m));
    m.expected_ms = -1;
    assert_false(coord_memory_valid(&m));
    m = (struct coord_memory){.later_ms = -1};
    assert_false(coord_memory_valid(&m));
    m = (struct coord_memory){.attempts = UINT32_MAX};
    assert_false(coord_memory_valid(&m));
}

/* --- events that come when they mean nothing --- */

static void news_of_other_transactions(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    struct coord_event refusal = {.kind = EVENT_REFUSED}, pause = {.kind = EVENT_INCLUDED};
    refusal.refused.tx = TX_PAUSE;
    world_event(w, refusal);
    pause.included.tx = TX_PAUSE;
    pause.included.height = height_at(3);
    pause.included.happened = true;
    world_event(w, pause);
    assert_string_equal(w->story, "");
    assert_int_equal(world_state(w), COORD_IDLE);
    assert_int_equal(coord_memory(&w->core)->pause.n, 0);
    assert_int_equal(coord_memory(&w->core)->membership.n, 3);
}

/* A node that is down is started once, not at every word of it. */
static void a_node_found_down(void **state)
{
    (void)state;
    struct member_world *w = &world;
    world_open(w, NULL);
    w->manual = true;
    world_start(w, JOURNAL_NONE);
    w->node.up = false;
    world_tell_node(w);
    world_tell_node(w);
    assert_int_equal(world_told_times(w, "run start"), 1);
    assert_int_equal(coord_memory(&w->core)->step, STEP_START);
}

static void a_force_before_any_block(void **state)
{
    (void)state;
    struct member_world *w = &world;
    world_open(w, NULL);
    world_start(w, JOURNAL_KEPT);
    world_command(w, COMMAND_FORCE, MINUTE_MS);
    assert_true(world_told(w, coord_reason_sentence(REASON_BUSY)));
    assert_int_equal(w->send_count, 0);
}

/* Held, it need not look at every block. */
static void a_held_member_sleeps(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    world_command(w, COMMAND_HOLD, 0);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    assert_true(world_told(w, coord_reason_sentence(REASON_HOLD)));
    struct coord_deadline d = coord_deadline(&w->core, w->view);
    assert_int_equal(d.block.n, 6);
}

/* The node shows nothing for longer than the view remembers: what is asked then waits for a block. */
static void a_head_that_is_forgotten(void **state)
{
    (void)state;
    struct member_world *w = world_begin(&world, NULL);
    w->node.stuck = true;
    for (int i = 0; i < VIEW_BLOCKS_KEPT + 2; i++)
        world_commit(w);
    world_command(w, COMMAND_FORCE, MINUTE_MS);
    assert_true(world_told(w, coord_reason_sentence(REASON_NOT_MEMBER)));
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    assert_int_equal(w->send_count, 0);
    w->node.stuck = false;
    world_until(w, COORD_DONE);
}

/* Chains end at no height and no instant that a number holds; here the numbers end. */
static void the_end_of_numbers(void **state)
{
    (void)state;
    struct member_world *w = &world;
    world_open(w, NULL);
    world_begin_late(w, UINT64_MAX - 20);
    world_start(w, JOURNAL_KEPT);
    w->time.ms = INT64_MAX - WORLD_BLOCK_MS;
    world_block(w);
    struct coord_deadline d = coord_deadline(&w->core, w->view);
    assert_true(d.block.n == HEIGHT_NEVER.n);
    world_plan(w, 0, true);
    world_command(w, COMMAND_PAUSE, MINUTE_MS);
    assert_int_equal(coord_may_join(&w->core, w->view), REASON_HISTORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_view_without_memory),
        cmocka_unit_test(absurd_charters),
        cmocka_unit_test(addresses_that_collide),
        cmocka_unit_test_teardown(the_line_before_a_draw, end),
        cmocka_unit_test(sentences_are_cut),
        cmocka_unit_test_teardown(unknown_words, end),
        cmocka_unit_test(classes_at_the_ends),
        cmocka_unit_test(memories_of_others),
        cmocka_unit_test_teardown(news_of_other_transactions, end),
        cmocka_unit_test_teardown(a_node_found_down, end),
        cmocka_unit_test_teardown(a_force_before_any_block, end),
        cmocka_unit_test_teardown(a_held_member_sleeps, end),
        cmocka_unit_test_teardown(a_head_that_is_forgotten, end),
        cmocka_unit_test_teardown(the_end_of_numbers, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
