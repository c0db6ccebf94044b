/* The view against the oracle: hundreds of random worlds, every field of every draw, every reason.
 *
 *     STAGGER_WORLDS=5000 test_view_oracle     more worlds than usual
 *     STAGGER_SEED=123 test_view_oracle        one world again
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/history.h"
#include "tests/oracle.h"

#define WORLDS 500
#define DRAWS_KEPT 8
#define REASONS (VIEW_BEYOND_BUDGET + 1)

/* What the worlds have shown, to be sure that they show everything. */
struct coverage {
    uint64_t draws, by_power, permits, reasons[REASONS], terms[3], overdue, several_overdue;
    uint64_t recheck_cut, shrunk, freed_late, cut_short;
};

struct trial {
    struct history h;
    struct oracle *oracle;
    struct view *view;
    uint32_t enrolled;
    uint64_t boundary; /* being compared, for messages */
    struct {
        uint64_t boundary;
        struct oracle_draw draw;
    } kept[DRAWS_KEPT];
    uint32_t largest_reference;
    struct coverage *seen;
};

static uint64_t number_from_env(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static void differ(const struct trial *t, const char *what, uint64_t view, uint64_t oracle)
{
    print_error("seed %" PRIu64 ", boundary or block %" PRIu64 ": %s is %" PRId64
                " in the view, %" PRId64 " in the oracle\n",
                t->h.seed, t->boundary, what, (int64_t)view, (int64_t)oracle);
    fail_msg("repeat with: STAGGER_SEED=%" PRIu64 " test_view_oracle", t->h.seed);
}

static void same(const struct trial *t, const char *what, uint64_t view, uint64_t oracle)
{
    if (view != oracle)
        differ(t, what, view, oracle);
}

#define SAME(t, a, b, field) same((t), #field, (uint64_t)(a)->field, (uint64_t)(b)->field)

static void same_weights(const struct trial *t, const struct draw *a, const struct oracle_draw *b)
{
    SAME(t, a, b, by_power);
    SAME(t, a, b, members);
    SAME(t, a, b, live);
    SAME(t, a, b, foreign);
    SAME(t, a, b, reference);
    SAME(t, a, b, floor);
    SAME(t, a, b, reserve);
    SAME(t, a, b, budget);
    SAME(t, a, b, budget_count);
    SAME(t, a, b, member_count);
    SAME(t, a, b, live_count);
    SAME(t, a, b, foreign_count);
    SAME(t, a, b, reference_count);
    for (int i = 0; i < 3; i++)
        if (b->terms[i] < b->terms[a->term] && !(b->by_power && a->term == TERM_RAMP))
            differ(t, "term", (uint64_t)a->term, (uint64_t)i);
}

static void same_counts(const struct trial *t, const struct draw *a, const struct oracle_draw *b)
{
    SAME(t, a, b, candidates);
    SAME(t, a, b, used_up);
    SAME(t, a, b, permits);
    SAME(t, a, b, out);
    SAME(t, a, b, back);
    SAME(t, a, b, overdue);
    SAME(t, a, b, overdue_since.n);
    for (uint32_t i = 0; i < b->candidates; i++)
        same(t, "order[i]", a->order[i], b->order[i]);
}

static void same_recheck(const struct trial *t, const struct draw *a, const struct oracle_draw *b)
{
    if (b->rechecked || t->boundary == t->h.height.n)
        SAME(t, a, b, rechecked);
    if (!t->h.shape.empty_blocks && b->rechecked)
        SAME(t, a, b, recheck);
}

static void same_reasons(const struct trial *t, const struct draw *a, const struct oracle_draw *b)
{
    for (uint32_t v = 0; v < t->enrolled; v++) {
        uint32_t rank = 0;
        char what[64];
        snprintf(what, sizeof what, "reason of validator %u", v);
        same(t, what, view_reason(t->view, a, v, &rank), b->reason[v]);
        snprintf(what, sizeof what, "rank of validator %u", v);
        same(t, what, rank, b->rank[v]);
        assert_int_equal(view_reason(t->view, a, v, NULL), b->reason[v]);
    }
}

static void same_draw(struct trial *t, const struct draw *a, const struct oracle_draw *b)
{
    same(t, "boundary", a->boundary.n, t->boundary);
    same(t, "epoch", a->epoch.n, t->boundary / t->h.shape.charter.epoch_blocks);
    same(t, "whether complete", a->complete, true);
    same_weights(t, a, b);
    same_counts(t, a, b);
    same_recheck(t, a, b);
    same_reasons(t, a, b);
}

static void note(struct trial *t, const struct draw *a, const struct oracle_draw *b)
{
    struct coverage *c = t->seen;
    c->draws++;
    c->by_power += b->by_power;
    c->permits += b->permits;
    c->terms[a->term]++;
    c->overdue += b->overdue > 0;
    c->several_overdue += b->overdue > 1;
    c->cut_short += b->by_power && b->permits && b->permits < b->candidates;
    for (uint32_t v = 0; v < t->enrolled; v++)
        c->reasons[b->reason[v]]++;
    c->shrunk += b->reference_count < t->largest_reference;
    if (b->reference_count > t->largest_reference)
        t->largest_reference = b->reference_count;
}

/* The last draws must keep their answers while the view moves on. */
static void same_older(struct trial *t)
{
    uint64_t head = t->h.height.n;
    uint32_t i = (uint32_t)history_pick(&t->h, 0, DRAWS_KEPT - 1);
    t->boundary = t->kept[i].boundary;
    if (!t->boundary || t->boundary + VIEW_BLOCKS_KEPT <= head + 1)
        return;
    const struct draw *a = view_draw(t->view, height_at(t->boundary));
    if (!a)
        differ(t, "whether an older draw is kept", false, true);
    same_draw(t, a, &t->kept[i].draw);
}

static void keep(struct trial *t, const struct oracle_draw *draw)
{
    uint32_t slot = (uint32_t)(t->boundary / t->h.shape.charter.epoch_blocks % DRAWS_KEPT);
    t->kept[slot].boundary = t->boundary;
    t->kept[slot].draw = *draw;
}

/* Once block E+1 is read the draw of E knows whether it still fits. It matters where blocks are rare. */
static void follow_recheck(struct trial *t)
{
    struct oracle_draw b;
    if (!oracle_is_drawn(t->oracle, height_before(t->h.height, 1)))
        return;
    if (t->h.shape.empty_blocks && history_pick(&t->h, 0, 7))
        return;
    t->boundary = t->h.height.n - 1;
    oracle_draw(t->oracle, height_at(t->boundary), &b);
    const struct draw *a = view_draw(t->view, height_at(t->boundary));
    if (!a)
        differ(t, "whether the last draw is kept", false, true);
    same_draw(t, a, &b);
    t->seen->recheck_cut += b.recheck < b.permits;
    keep(t, &b);
}

static void follow_draw(struct trial *t, const struct draw *a)
{
    struct oracle_draw b;
    bool drawn = oracle_is_drawn(t->oracle, t->h.height);
    t->boundary = t->h.height.n;
    same(t, "whether a draw is made", a != NULL, drawn);
    if (!drawn)
        return;
    oracle_draw(t->oracle, t->h.height, &b);
    same_draw(t, a, &b);
    assert_ptr_equal(view_draw(t->view, t->h.height), a);
    note(t, a, &b);
    keep(t, &b);
    for (uint32_t i = 0; i < b.permits; i++)
        history_permit(&t->h, b.order[i],
                       height_after(t->h.height, t->h.shape.charter.epoch_blocks));
}

static void same_pulse(struct trial *t)
{
    uint64_t head = t->h.height.n, first = t->h.shape.first.n;
    uint64_t h = head - history_pick(&t->h, 0, VIEW_BLOCKS_KEPT - 2);
    if (h > head || h < first)
        return;
    t->boundary = h;
    uint32_t members = 0;
    for (uint32_t v = 0; v < t->enrolled; v++) {
        struct height at = height_at(h);
        members += oracle_in_set(t->oracle, v, height_at(h + 1));
        same(t, "whether a member", view_in_set(t->view, v, at), oracle_in_set(t->oracle, v, at));
        same(t, "whether signed", view_signed(t->view, v, at), oracle_signed(t->oracle, v, at));
    }
    const struct view_pulse *pulse = view_pulse(t->view, height_at(h));
    if (!pulse)
        differ(t, "whether a block is kept", false, true);
    same(t, "a block's members", pulse->members, members);
    if (h >= first + t->h.shape.charter.live_blocks)
        same(t, "a block's live", pulse->live, oracle_live(t->oracle, height_at(h)));
}

static void same_validator(struct trial *t)
{
    uint32_t v = (uint32_t)history_pick(&t->h, 0, t->enrolled - 1);
    const struct view_validator *a = view_validator(t->view, v);
    struct oracle_validator b = oracle_validator(t->oracle, v);
    t->boundary = t->h.height.n;
    SAME(t, a, &b, join.n);
    SAME(t, a, &b, pause.n);
    SAME(t, a, &b, joins);
    SAME(t, a, &b, turns);
    if (b.join.n) {
        SAME(t, a, &b, join_index);
        SAME(t, a, &b, join_class);
        SAME(t, a, &b, join_charter);
    }
    if (b.pause.n)
        SAME(t, a, &b, pause_index);
}

static void enrol_known(struct trial *t)
{
    for (; t->enrolled < t->h.known; t->enrolled++) {
        const uint8_t *address = t->h.address[t->enrolled];
        assert_int_equal(view_enrol(t->view, address), t->enrolled);
        oracle_enrol(t->oracle, t->enrolled, address);
    }
}

static struct view *create_view(const struct history_shape *shape)
{
    struct view_config config = {
        .charter = shape->charter,
        .chain = shape->chain,
        .empty_blocks = shape->empty_blocks,
        .capacity = HISTORY_VALIDATORS_MAX,
    };
    assert_null(charter_check(&shape->charter, shape->empty_blocks));
    struct view *view = view_create(&config);
    assert_non_null(view);
    return view;
}

static void trial_begin(struct trial *t, uint64_t seed, const struct history_shape *shape,
                        struct coverage *seen)
{
    memset(t, 0, sizeof *t);
    t->seen = seen;
    history_begin(&t->h, seed, shape);
    t->view = create_view(shape);
    t->oracle =
        oracle_create(&shape->charter, shape->chain, shape->first, t->h.set, t->h.set_count);
    enrol_known(t);
    view_begin(t->view, shape->first, shape->first, t->h.set, t->h.set_count);
}

static void trial_end(struct trial *t)
{
    view_destroy(&t->view);
    assert_null(t->view);
    oracle_destroy(&t->oracle);
}

static void run_world(uint64_t seed, struct coverage *seen)
{
    struct trial trial, *t = &trial;
    struct history_shape shape = history_shape(seed);
    trial_begin(t, seed, &shape, seen);
    for (uint32_t i = 0; i < shape.blocks; i++) {
        history_next(&t->h);
        enrol_known(t);
        oracle_block(t->oracle, &t->h.block);
        const struct draw *a = view_block(t->view, &t->h.block);
        follow_draw(t, a);
        follow_recheck(t);
        view_results(t->view, t->h.txs, t->h.tx_count);
        oracle_results(t->oracle, t->h.txs, t->h.tx_count);
        same_older(t);
        same_pulse(t);
        same_validator(t);
    }
    trial_end(t);
}

/* A thousandth of the draws or of the validators' reasons is enough, but nothing may be missing. */
static void demand_coverage(const struct coverage *c)
{
    assert_true(c->permits > 1000 && c->by_power > 1000);
    for (int i = 0; i < 3; i++)
        assert_true(c->terms[i] > 100);
    for (int i = 0; i < REASONS; i++)
        if (i != VIEW_NO_JOIN || c->reasons[i] == 0)
            assert_true(c->reasons[i] > 100);
    assert_true(c->overdue > 100 && c->several_overdue > 10);
    assert_true(c->recheck_cut > 10 && c->shrunk > 100 && c->cut_short > 10);
}

static void view_agrees_with_oracle(void **state)
{
    (void)state;
    struct coverage seen = {0};
    uint64_t only = number_from_env("STAGGER_SEED", 0);
    uint64_t worlds = number_from_env("STAGGER_WORLDS", WORLDS);
    if (only) {
        run_world(only, &seen);
        return;
    }
    for (uint64_t seed = 1; seed <= worlds; seed++)
        run_world(seed, &seen);
    print_message("%" PRIu64 " draws, %" PRIu64 " permits\n", seen.draws, seen.permits);
    if (worlds >= WORLDS)
        demand_coverage(&seen);
}

/* --- a view that starts in the middle --- */

/* A long, small world: what is older than Z and M must be forgotten at the right block. */
static struct history_shape long_shape(uint64_t seed)
{
    struct history_shape shape = history_shape(seed);
    shape.blocks = 3200;
    shape.members = shape.members > 9 ? 9 : shape.members;
    shape.validators = shape.members;
    shape.join = shape.join > 40 ? 40 : shape.join;
    /* so rare for half of the validators that joins grow old */
    if (seed % 2)
        shape.join = 1;
    if (seed % 4 == 1)
        shape.foreign = 500;
    return shape;
}

/* What section 2 asks of one who acts: the blocks of the round and from E-Z on, and the sets of
 * (E-L-M, E], as far as the chain has them. */
static bool demands_met(const struct history_shape *shape, uint64_t first, uint64_t boundary)
{
    const struct charter *c = &shape->charter;
    uint64_t round = (boundary - 1) / c->round_blocks * c->round_blocks;
    uint64_t sets = height_before(height_at(boundary), c->round_blocks + c->reference_blocks).n + 1;
    uint64_t memory = height_before(height_at(boundary), FOREIGN_BLOCKS).n;
    if (first == shape->first.n)
        return true;
    return first <= round && first <= memory && first <= sets;
}

/* Whoever has no join in memory may be said to have an old one, or none: both views cannot know alike. */
static void same_late_reasons(struct trial *t, struct view *late, const struct draw *a,
                              const struct oracle_draw *b)
{
    for (uint32_t v = 0; v < t->enrolled; v++) {
        enum view_reason reason = view_reason(late, a, v, NULL);
        if (reason == VIEW_NO_JOIN || reason == VIEW_PAUSED_SINCE)
            assert_true(b->reason[v] == VIEW_NO_JOIN || b->reason[v] == VIEW_PAUSED_SINCE);
        else
            same(t, "late view's reason", reason, b->reason[v]);
    }
}

static void same_late_draw(struct trial *t, struct view *late, const struct draw *a, uint64_t first)
{
    if (!a || !oracle_is_drawn(t->oracle, t->h.height))
        return;
    t->boundary = t->h.height.n;
    bool met = demands_met(&t->h.shape, first, t->boundary);
    if (a->complete && !met)
        differ(t, "late view's completeness", true, met);
    if (!a->complete && met && demands_met(&t->h.shape, first, t->boundary - 200))
        differ(t, "late view's completeness, 200 blocks on", false, met);
    if (!a->complete)
        return;
    struct oracle_draw b;
    oracle_draw(t->oracle, t->h.height, &b);
    same_weights(t, a, &b);
    SAME(t, a, &b, candidates);
    SAME(t, a, &b, used_up);
    SAME(t, a, &b, permits);
    SAME(t, a, &b, out);
    SAME(t, a, &b, back);
    for (uint32_t i = 0; i < b.candidates; i++)
        same(t, "late view's order[i]", a->order[i], b.order[i]);
    same_late_reasons(t, late, a, &b);
}

static void begin_late(const struct trial *t, struct view *late)
{
    struct view_change set[HISTORY_VALIDATORS_MAX];
    uint32_t count = 0;
    for (uint32_t v = 0; v < t->h.known; v++) {
        view_enrol(late, t->h.address[v]);
        if (t->h.now[v])
            set[count++] = (struct view_change){v, t->h.now[v]};
    }
    view_begin(late, t->h.shape.first, t->h.height, set, count);
}

static void run_late(uint64_t seed, struct coverage *seen)
{
    struct trial trial, *t = &trial;
    struct history_shape shape = long_shape(seed);
    trial_begin(t, seed, &shape, seen);
    struct view *late = create_view(&shape);
    uint64_t first = shape.first.n + history_pick(&t->h, 1, 300);
    for (uint32_t i = 0; i < shape.blocks; i++) {
        history_next(&t->h);
        oracle_block(t->oracle, &t->h.block);
        const struct draw *a = view_block(t->view, &t->h.block);
        if (i % 16 == 0 || t->h.height.n > shape.first.n + FOREIGN_BLOCKS)
            follow_draw(t, a);
        if (t->h.height.n == first)
            begin_late(t, late);
        if (t->h.height.n >= first) {
            same_late_draw(t, late, view_block(late, &t->h.block), first);
            view_results(late, t->h.txs, t->h.tx_count);
        }
        view_results(t->view, t->h.txs, t->h.tx_count);
        oracle_results(t->oracle, t->h.txs, t->h.tx_count);
    }
    view_destroy(&late);
    trial_end(t);
}

static void late_view_agrees_once_complete(void **state)
{
    (void)state;
    struct coverage seen = {0};
    uint64_t only = number_from_env("STAGGER_SEED", 0);
    for (uint64_t seed = only ? only : 1; seed <= (only ? only : 12); seed++)
        run_late(seed, &seen);
    if (!only)
        assert_true(seen.reasons[VIEW_NO_JOIN] > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(view_agrees_with_oracle),
        cmocka_unit_test(late_view_agrees_once_complete),
    };
    return cmocka_run_group_tests_name("view_oracle", tests, NULL, NULL);
}
