#include "tests/view_same.h"

#include <string.h>

#define FAIL_UNLESS_SAME(field)                                                                    \
    do {                                                                                           \
        if (a->field != b->field)                                                                  \
            return #field;                                                                         \
    } while (0)

static const char *weights_difference(const struct draw *a, const struct draw *b)
{
    FAIL_UNLESS_SAME(by_power);
    FAIL_UNLESS_SAME(members);
    FAIL_UNLESS_SAME(live);
    FAIL_UNLESS_SAME(foreign);
    FAIL_UNLESS_SAME(reference);
    FAIL_UNLESS_SAME(floor);
    FAIL_UNLESS_SAME(reserve);
    FAIL_UNLESS_SAME(budget);
    FAIL_UNLESS_SAME(budget_count);
    FAIL_UNLESS_SAME(term);
    return NULL;
}

static const char *counts_difference(const struct draw *a, const struct draw *b)
{
    FAIL_UNLESS_SAME(member_count);
    FAIL_UNLESS_SAME(live_count);
    FAIL_UNLESS_SAME(foreign_count);
    FAIL_UNLESS_SAME(reference_count);
    FAIL_UNLESS_SAME(candidates);
    FAIL_UNLESS_SAME(used_up);
    FAIL_UNLESS_SAME(permits);
    FAIL_UNLESS_SAME(out);
    FAIL_UNLESS_SAME(back);
    FAIL_UNLESS_SAME(overdue);
    FAIL_UNLESS_SAME(overdue_since.n);
    FAIL_UNLESS_SAME(recheck);
    FAIL_UNLESS_SAME(rechecked);
    return NULL;
}

static const char *draw_difference(const struct view *x, const struct view *y, struct height h)
{
    const struct draw *a = view_draw(x, h), *b = view_draw(y, h);
    if (!a != !b)
        return "draw";
    if (!a)
        return NULL;
    FAIL_UNLESS_SAME(epoch.n);
    FAIL_UNLESS_SAME(boundary.n);
    FAIL_UNLESS_SAME(time.ms);
    FAIL_UNLESS_SAME(complete);
    const char *other = weights_difference(a, b);
    other = other ? other : counts_difference(a, b);
    if (other)
        return other;
    if (memcmp(a->order, b->order, a->candidates * sizeof *a->order) != 0)
        return "order";
    for (uint32_t v = 0; v < view_count(x); v++) {
        uint32_t rank = 0, other_rank = 0;
        if (view_reason(x, a, v, &rank) != view_reason(y, b, v, &other_rank) || rank != other_rank)
            return "reason";
    }
    return view_in_line(x, a, 5) == view_in_line(y, b, 5) ? NULL : "in_line";
}

static const char *known_difference(const struct view_validator *a, const struct view_validator *b)
{
    if (memcmp(a->address, b->address, ADDRESS_SIZE) != 0)
        return "address";
    FAIL_UNLESS_SAME(power);
    FAIL_UNLESS_SAME(join.n);
    FAIL_UNLESS_SAME(join_index);
    FAIL_UNLESS_SAME(join_class);
    FAIL_UNLESS_SAME(join_charter);
    FAIL_UNLESS_SAME(pause.n);
    FAIL_UNLESS_SAME(pause_index);
    FAIL_UNLESS_SAME(joins);
    FAIL_UNLESS_SAME(turns);
    FAIL_UNLESS_SAME(permit.n);
    FAIL_UNLESS_SAME(paused_after_join);
    return NULL;
}

static const char *validator_difference(const struct view *x, const struct view *y, uint32_t v)
{
    uint64_t head = view_head(x).n;
    for (uint64_t back = 0; back < VIEW_BLOCKS_KEPT && back <= head; back++)
        if (view_in_set(x, v, height_at(head + 1 - back)) !=
            view_in_set(y, v, height_at(head + 1 - back)))
            return "in_set";
    for (uint64_t back = 0; back < VIEW_BLOCKS_KEPT && back < head; back++)
        if (view_signed(x, v, height_at(head - back)) != view_signed(y, v, height_at(head - back)))
            return "signed";
    if (view_live(x, v) != view_live(y, v) || view_gone(x, v) != view_gone(y, v))
        return "live";
    return known_difference(view_validator(x, v), view_validator(y, v));
}

static const char *pulse_difference(const struct view *x, const struct view *y, struct height h)
{
    const struct view_pulse *a = view_pulse(x, h), *b = view_pulse(y, h);
    if (!a != !b)
        return "pulse";
    if (!a)
        return NULL;
    FAIL_UNLESS_SAME(time.ms);
    FAIL_UNLESS_SAME(members);
    FAIL_UNLESS_SAME(live);
    FAIL_UNLESS_SAME(members_weight);
    FAIL_UNLESS_SAME(live_weight);
    if (memcmp(a->hash, b->hash, HASH_SIZE) != 0)
        return "hash";
    return view_block_ms(x, h) == view_block_ms(y, h) ? NULL : "block_ms";
}

const char *view_difference(const struct view *a, const struct view *b)
{
    const char *other = NULL;
    if (view_charter(a)->id != view_charter(b)->id || view_chain(a) != view_chain(b) ||
        view_empty_blocks(a) != view_empty_blocks(b))
        return "config";
    if (view_head(a).n != view_head(b).n || view_first(a).n != view_first(b).n ||
        view_count(a) != view_count(b))
        return "head, first or count";
    if (view_budget(a) != view_budget(b) || view_by_power(a) != view_by_power(b) ||
        view_in_line(a, NULL, 1) != view_in_line(b, NULL, 1))
        return "budget";
    for (uint32_t v = 0; v < view_count(a) && !other; v++)
        other = validator_difference(a, b, v);
    uint64_t head = view_head(a).n;
    for (uint64_t back = 0; back < VIEW_BLOCKS_KEPT && back < head && !other; back++) {
        struct height h = height_at(head - back);
        other = pulse_difference(a, b, h);
        other = other ? other : draw_difference(a, b, h);
        if (view_complete(a, h) != view_complete(b, h))
            other = "complete";
    }
    return other;
}
