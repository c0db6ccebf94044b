/* Small scenes of the view, written by hand: what random worlds meet too rarely.
 *
 * Ten validators with equal powers on a fresh chain: N = 10, F = floor(20 / 3) + 1 = 7, r = 0, so the
 * budget is 3 while all are live.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/oracle.h"

#define CAST 10
#define TXS_MAX 16

/* A chain, and a view that follows it; a second view and the oracle may look on. */
struct scene {
    struct charter charter;
    struct view *view, *late;
    struct oracle *oracle;
    uint64_t height;
    int64_t power[CAST]; /* V(h+1) */
    uint8_t address[CAST][ADDRESS_SIZE];
    /* of the block to come */
    struct view_tx txs[TXS_MAX];
    uint32_t tx_count, missing[CAST], missing_count;
    struct view_change changes[CAST];
    uint32_t change_count;
};

static struct view *create_view(const struct scene *s)
{
    struct view_config config = {
        .charter = s->charter, .chain = CHAIN_KIRA, .empty_blocks = false, .capacity = CAST};
    struct view *view = view_create(&config);
    assert_non_null(view);
    for (uint32_t v = 0; v < CAST; v++)
        assert_int_equal(view_enrol(view, s->address[v]), v);
    return view;
}

static uint32_t list_set(const struct scene *s, struct view_change set[CAST])
{
    uint32_t count = 0;
    for (uint32_t v = 0; v < CAST; v++)
        if (s->power[v])
            set[count++] = (struct view_change){v, s->power[v]};
    return count;
}

static void scene_begin_with(struct scene *s, const int64_t power[CAST], uint64_t reference_blocks)
{
    struct view_change set[CAST];
    memset(s, 0, sizeof *s);
    s->charter = charter_default("scene-1", 1, 6000);
    s->charter.round_blocks = 60;
    s->charter.reference_blocks = reference_blocks;
    charter_seal(&s->charter);
    for (uint32_t v = 0; v < CAST; v++) {
        s->power[v] = power[v];
        memset(s->address[v], (int)(v + 1), ADDRESS_SIZE);
    }
    uint32_t count = list_set(s, set);
    s->oracle = oracle_create(&s->charter, CHAIN_KIRA, height_at(1), set, count);
    for (uint32_t v = 0; v < CAST; v++)
        oracle_enrol(s->oracle, v, s->address[v]);
    s->view = create_view(s);
    view_begin(s->view, height_at(1), height_at(1), set, count);
}

static void scene_begin(struct scene *s, const int64_t power[CAST])
{
    scene_begin_with(s, power, 120);
}

static void scene_end(struct scene *s)
{
    view_destroy(&s->view);
    view_destroy(&s->late);
    oracle_destroy(&s->oracle);
}

static void send(struct scene *s, uint32_t validator, enum tx_kind kind, uint32_t code)
{
    assert_true(s->tx_count < TXS_MAX);
    s->txs[s->tx_count] = (struct view_tx){
        .validator = validator,
        .kind = kind,
        .index = s->tx_count,
        .code = code,
        .codespace = "",
        .class_minutes = 5,
        .charter = s->charter.id,
    };
    s->tx_count++;
}

static void change(struct scene *s, uint32_t validator, int64_t power)
{
    s->changes[s->change_count++] = (struct view_change){validator, power};
    s->power[validator] = power;
}

/* Gives the block to all; returns the draw of the first view. */
static const struct draw *commit(struct scene *s)
{
    uint8_t hash[HASH_SIZE];
    s->height++;
    memset(hash, (int)(s->height % 251), sizeof hash);
    struct view_block block = {
        .height = height_at(s->height),
        .time = {(int64_t)s->height * 6000},
        .hash = hash,
        .missing = s->missing,
        .missing_count = s->missing_count,
        .txs = s->txs,
        .tx_count = s->tx_count,
        .changes = s->changes,
        .change_count = s->change_count,
    };
    oracle_block(s->oracle, &block);
    const struct draw *draw = view_block(s->view, &block);
    view_results(s->view, s->txs, s->tx_count);
    oracle_results(s->oracle, s->txs, s->tx_count);
    if (s->late) {
        (void)view_block(s->late, &block);
        view_results(s->late, s->txs, s->tx_count);
    }
    s->tx_count = s->missing_count = s->change_count = 0;
    return draw;
}

static const struct draw *commit_to(struct scene *s, uint64_t height)
{
    const struct draw *draw = NULL;
    while (s->height < height)
        draw = commit(s);
    return draw;
}

/* A second view that gets its first block next. */
static void begin_late(struct scene *s)
{
    struct view_change set[CAST];
    uint32_t count = list_set(s, set);
    s->late = create_view(s);
    view_begin(s->late, height_at(1), height_at(s->height + 1), set, count);
}

static void send_joins(struct scene *s, uint32_t from, uint32_t to)
{
    for (uint32_t v = from; v <= to; v++)
        send(s, v, TX_JOIN, 0);
}

static void same_draws(const struct draw *a, const struct draw *b)
{
    assert_int_equal(a->by_power, b->by_power);
    assert_int_equal(a->members, b->members);
    assert_int_equal(a->reference, b->reference);
    assert_int_equal(a->foreign, b->foreign);
    assert_int_equal(a->budget, b->budget);
    assert_int_equal(a->used_up, b->used_up);
    assert_int_equal(a->candidates, b->candidates);
    assert_int_equal(a->permits, b->permits);
    assert_memory_equal(a->order, b->order, a->candidates * sizeof *a->order);
}

static const int64_t equals[CAST] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

/* Whoever is gone at E stays gone for the recheck, whatever it sends in block E+1. */
static void recheck_counts_the_gone_once(void **state)
{
    (void)state;
    struct scene scene, *s = &scene;
    struct oracle_draw told;
    scene_begin(s, equals);
    commit_to(s, 6);
    send_joins(s, 0, 4);
    commit_to(s, 8);
    send(s, 9, TX_PAUSE, 7);
    const struct draw *draw = commit(s);
    assert_int_equal(draw->live, 9);
    assert_int_equal(draw->permits, 2);
    send(s, 9, TX_PAUSE, 7);
    s->missing[s->missing_count++] = 8;
    commit(s);
    oracle_draw(s->oracle, height_at(9), &told);
    assert_int_equal(told.recheck, 1);
    assert_true(draw->rechecked);
    assert_int_equal(draw->recheck, 1);
    scene_end(s);
}

/* The recheck weighs members of V(E+1) by their power there, though block E+1 shows V(E+2). */
static void recheck_weighs_by_the_boundary(void **state)
{
    (void)state;
    static const int64_t powers[CAST] = {10, 10, 10, 10, 10, 10, 10, 10, 10, 20};
    struct scene scene, *s = &scene;
    struct oracle_draw told;
    scene_begin(s, powers);
    commit_to(s, 6);
    send_joins(s, 0, 4);
    const struct draw *draw = commit_to(s, 9);
    assert_true(draw->by_power);
    assert_int_equal(draw->budget, 110 - 74 - 4);
    assert_int_equal(draw->permits, 3);
    change(s, 8, 1);
    commit(s);
    oracle_draw(s->oracle, height_at(9), &told);
    assert_int_equal(told.recheck, 3);
    assert_int_equal(draw->recheck, 3);
    scene_end(s);
}

/* A foreign join that is forgotten at E may still have cut a budget earlier in E's round, and so decided
 * whose joins are used up. A view that has not seen it may not call itself complete. */
static void completeness_covers_the_rounds_foreign_joins(void **state)
{
    (void)state;
    struct scene scene, *s = &scene;
    scene_begin(s, equals);
    commit_to(s, 99);
    send(s, 9, TX_JOIN, 0);
    s->txs[0].charter ^= 1;
    commit_to(s, 102);
    begin_late(s);
    commit_to(s, 2495);
    send_joins(s, 0, 8);
    for (uint64_t boundary = 2499; boundary < 2700; boundary += 3) {
        const struct draw *whole = commit_to(s, boundary);
        const struct draw *late = view_draw(s->late, height_at(boundary));
        assert_non_null(whole);
        assert_non_null(late);
        assert_true(whole->complete);
        if (late->complete)
            same_draws(late, whole);
        else
            assert_true(boundary < 102 + FOREIGN_BLOCKS + 2 * s->charter.round_blocks);
        if (boundary % 60 == 3)
            send_joins(s, 0, 8);
    }
    scene_end(s);
}

/* Nor before it knows the sets that made up N at the round's first boundaries: (E-L-M, E]. */
static void completeness_covers_the_rounds_reference(void **state)
{
    (void)state;
    struct scene scene, *s = &scene;
    const uint64_t from = 103, memory = 3000;
    scene_begin_with(s, equals, memory);
    commit_to(s, from - 1);
    begin_late(s);
    for (uint64_t boundary = 3000; boundary < 3300; boundary += 3) {
        commit_to(s, boundary);
        const struct draw *late = view_draw(s->late, height_at(boundary));
        assert_non_null(late);
        assert_int_equal(late->complete, from + s->charter.round_blocks + memory <= boundary + 1);
    }
    scene_end(s);
}

/* A join in block E-Z is the last that makes a foreign member. */
static void foreign_joins_are_remembered_for_z_blocks(void **state)
{
    (void)state;
    struct scene scene, *s = &scene;
    scene_begin(s, equals);
    commit_to(s, 98);
    send(s, 9, TX_JOIN, 0);
    s->txs[0].charter ^= 1;
    const struct draw *draw = commit(s);
    assert_int_equal(draw->foreign, 0);
    draw = commit_to(s, 102);
    assert_int_equal(draw->foreign, 1);
    assert_int_equal(draw->budget, 2);
    draw = commit_to(s, 99 + FOREIGN_BLOCKS);
    assert_int_equal(draw->foreign, 1);
    assert_int_equal(view_reason(s->view, draw, 9, NULL), VIEW_FOREIGN);
    draw = commit_to(s, 102 + FOREIGN_BLOCKS);
    assert_int_equal(draw->foreign, 0);
    assert_int_equal(draw->budget, 3);
    assert_int_equal(view_reason(s->view, draw, 9, NULL), VIEW_NO_JOIN);
    scene_end(s);
}

/* Whether weights are powers is decided by the sets that the rule reads, not by all that ever was. */
static void powers_of_the_past_are_forgotten(void **state)
{
    (void)state;
    static const int64_t powers[CAST] = {10, 10, 10, 10, 10, 10, 10, 10, 10, 70};
    struct scene scene, *s = &scene;
    scene_begin(s, powers);
    commit_to(s, 10);
    change(s, 9, 0);
    assert_true(commit_to(s, 126)->by_power);
    begin_late(s);
    assert_false(commit_to(s, 129)->by_power);
    commit_to(s, 2640);
    send_joins(s, 0, 8);
    const struct draw *whole = commit_to(s, 2643);
    const struct draw *late = view_draw(s->late, height_at(2643));
    assert_true(late->complete);
    same_draws(late, whole);
    scene_end(s);
}

/* Who left is of the recent sets for as long as the reference counts it; who was there between boundaries only, for 64
 * blocks. */
static void recent_sets(void **state)
{
    (void)state;
    struct scene scene, *s = &scene;
    scene_begin(s, equals);
    commit_to(s, 10);
    change(s, 9, 0); /* in block 11: last seen at boundary 9 */
    commit_to(s, 128);
    assert_true(view_recent(s->view, 0));
    assert_true(view_recent(s->view, 9));
    commit(s);
    assert_true(view_recent(s->view, 0));
    assert_false(view_recent(s->view, 9));
    change(s, 9, 1); /* in block 130: in V(131) alone */
    commit(s);
    assert_true(view_recent(s->view, 9));
    change(s, 9, 0);
    commit_to(s, 193);
    assert_true(view_recent(s->view, 9));
    commit(s);
    assert_false(view_recent(s->view, 9));
    scene_end(s);
}

/* A permit is for one turn: leaving it unused costs the join and nothing else. */
static void unused_permits_use_up_the_join(void **state)
{
    (void)state;
    struct scene scene, *s = &scene;
    scene_begin(s, equals);
    commit_to(s, 6);
    send_joins(s, 0, 3);
    const struct draw *draw = commit_to(s, 9);
    assert_int_equal(draw->permits, 3);
    uint32_t last = draw->order[3];
    draw = commit_to(s, 12);
    assert_int_equal(draw->used_up, 3);
    assert_int_equal(draw->permits, 1);
    assert_int_equal(draw->order[0], last);
    send(s, last, TX_JOIN, 0);
    draw = commit_to(s, 15);
    assert_int_equal(draw->used_up, 3);
    assert_int_equal(draw->order[0], last);
    scene_end(s);
}

/* The boundary block's own pauses count as gone whatever becomes of them; its joins do not count yet. */
static void the_boundary_block_counts_by_halves(void **state)
{
    (void)state;
    struct scene scene, *s = &scene;
    uint32_t rank;
    scene_begin(s, equals);
    commit_to(s, 7);
    send_joins(s, 0, 1);
    commit(s);
    send(s, 0, TX_PAUSE, 30);
    send(s, 2, TX_JOIN, 0);
    const struct draw *draw = commit(s);
    assert_int_equal(view_reason(s->view, draw, 0, &rank), VIEW_GONE);
    assert_int_equal(rank, UINT32_MAX);
    assert_true(view_gone(s->view, 0));
    assert_false(view_gone(s->view, 1));
    assert_int_equal(view_reason(s->view, draw, 1, &rank), VIEW_PERMIT);
    assert_int_equal(view_reason(s->view, draw, 2, &rank), VIEW_NO_JOIN);
    assert_int_equal(draw->budget, 2);
    draw = commit_to(s, 12);
    assert_int_equal(view_reason(s->view, draw, 0, &rank), VIEW_PERMIT);
    assert_int_equal(view_reason(s->view, draw, 2, &rank), VIEW_PERMIT);
    assert_int_equal(view_reason(s->view, draw, 1, &rank), VIEW_USED_UP);
    scene_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unused_permits_use_up_the_join),
        cmocka_unit_test(the_boundary_block_counts_by_halves),
        cmocka_unit_test(recheck_counts_the_gone_once),
        cmocka_unit_test(recheck_weighs_by_the_boundary),
        cmocka_unit_test(powers_of_the_past_are_forgotten),
        cmocka_unit_test(recent_sets),
        cmocka_unit_test(completeness_covers_the_rounds_foreign_joins),
        cmocka_unit_test(completeness_covers_the_rounds_reference),
        cmocka_unit_test(foreign_joins_are_remembered_for_z_blocks),
    };
    return cmocka_run_group_tests_name("view_story", tests, NULL, NULL);
}
