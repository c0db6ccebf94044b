#include "sim/valset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW 2 /* largest distance between two priorities, in total powers */

static int compare_addresses(const void *a, const void *b)
{
    const struct model_record *const *left = a;
    const struct model_record *const *right = b;

    return memcmp((*left)->address, (*right)->address, ADDRESS_SIZE);
}

bool valset_rank(const struct model_record *records, uint32_t count, uint32_t *ranks)
{
    const struct model_record **sorted = calloc(count ? count : 1, sizeof(*sorted));

    if (!sorted)
        return false;
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = &records[i];
    qsort(sorted, count, sizeof(*sorted), compare_addresses);
    for (uint32_t i = 0; i < count; i++) {
        assert(i == 0 || compare_addresses(&sorted[i - 1], &sorted[i]) < 0);
        ranks[sorted[i] - records] = i;
    }
    free(sorted);
    return true;
}

static int64_t add_clip(int64_t a, int64_t b)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return b < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

static int64_t sub_clip(int64_t a, int64_t b)
{
    int64_t difference;

    if (__builtin_sub_overflow(a, b, &difference))
        return b > 0 ? INT64_MIN : INT64_MAX;
    return difference;
}

static int64_t floor_div(int64_t a, int64_t positive)
{
    int64_t quotient = a / positive;

    return a % positive < 0 ? quotient - 1 : quotient;
}

/* Rounded down. A sum of priorities may need more than 64 bits, so halves are summed apart. */
static int64_t average(const struct model_set *set)
{
    const int64_t half = INT64_C(1) << 32;
    int64_t n = set->count, high = 0, low = 0, quotient;

    for (uint32_t i = 0; i < set->count; i++) {
        int64_t p = set->members[i].priority;
        int64_t h = floor_div(p, half);

        high += h;
        low += p - h * half;
    }
    quotient = floor_div(high, n);
    return quotient * half + floor_div((high - quotient * n) * half + low, n);
}

static void centre(struct model_set *set)
{
    int64_t shift = average(set);

    if (shift == 0)
        return;
    for (uint32_t i = 0; i < set->count; i++)
        set->members[i].priority = sub_clip(set->members[i].priority, shift);
}

static void scale(struct model_set *set)
{
    int64_t window = WINDOW * set->total_power;
    int64_t min = INT64_MAX, max = INT64_MIN, distance, ratio;

    for (uint32_t i = 0; i < set->count; i++) {
        int64_t p = set->members[i].priority;

        min = p < min ? p : min;
        max = p > max ? p : max;
    }
    distance = sub_clip(max, min);
    if (distance <= window)
        return;
    ratio = add_clip(distance, window - 1) / window;
    for (uint32_t i = 0; i < set->count; i++)
        set->members[i].priority /= ratio;
}

static uint32_t rotate(struct model_set *set)
{
    struct model_member *first = &set->members[0];

    for (uint32_t i = 0; i < set->count; i++) {
        struct model_member *m = &set->members[i];

        m->priority = add_clip(m->priority, m->power);
        if (m->priority > first->priority)
            first = m;
    }
    first->priority = sub_clip(first->priority, set->total_power);
    return first->validator;
}

void valset_increment(struct model_set *set, uint32_t times)
{
    assert(set->count > 0 && set->total_power > 0);
    assert(times > 0);

    scale(set);
    centre(set);
    for (uint32_t i = 0; i < times; i++)
        set->proposer = rotate(set);
}

const struct model_member *valset_find(const struct model_set *set, const uint32_t *ranks,
                                       uint32_t validator)
{
    uint32_t low = 0, high = set->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (ranks[set->members[middle].validator] < ranks[validator])
            low = middle + 1;
        else
            high = middle;
    }
    if (low == set->count || set->members[low].validator != validator)
        return NULL;
    return &set->members[low];
}

static int compare_changes(const void *a, const void *b)
{
    const struct valset_change *left = a, *right = b;

    return (left->rank > right->rank) - (left->rank < right->rank);
}

/* What each change is on its own; the changes are sorted. */
static enum valset_error check_each(const struct valset_change *changes, uint32_t count,
                                    uint32_t *culprit)
{
    for (uint32_t i = 0; i < count; i++) {
        *culprit = changes[i].validator;
        if (i > 0 && changes[i].rank == changes[i - 1].rank)
            return VALSET_DUPLICATE;
        if (changes[i].power < 0 || changes[i].power > VALSET_POWER_MAX)
            return VALSET_POWER;
    }
    return VALSET_OK;
}

/* What they are together, measured against the set. */
struct sums {
    uint32_t entering, leaving;
    int64_t removed; /* power that leaves */
    int64_t lost;    /* power that members who stay give up, <= 0 */
    int64_t gained;  /* what members gain and who is new brings; clipped */
    uint32_t absent; /* who is to leave and is not there; VALIDATOR_NONE */
};

static struct sums sum_changes(const struct model_set *set, const uint32_t *ranks,
                               const struct valset_change *changes, uint32_t count)
{
    struct sums s = {.absent = VALIDATOR_NONE};

    for (uint32_t i = 0; i < count; i++) {
        const struct valset_change *c = &changes[i];
        const struct model_member *m = valset_find(set, ranks, c->validator);
        int64_t delta = c->power - (m ? m->power : 0);

        assert(ranks[c->validator] == c->rank);
        if (c->power == 0) {
            s.leaving++;
            s.removed += m ? m->power : 0;
            if (!m && s.absent == VALIDATOR_NONE)
                s.absent = c->validator;
            continue;
        }
        s.entering += m ? 0 : 1;
        if (delta < 0)
            s.lost += delta;
        else
            s.gained = add_clip(s.gained, delta);
    }
    return s;
}

static enum valset_error check_all(const struct model_set *set, const struct sums *s,
                                   uint32_t *culprit)
{
    *culprit = VALIDATOR_NONE;
    if (s->entering == 0 && s->leaving == set->count)
        return VALSET_EMPTY;
    *culprit = s->absent;
    if (s->absent != VALIDATOR_NONE)
        return VALSET_ABSENT;
    if (add_clip(set->total_power - s->removed + s->lost, s->gained) > VALSET_POWER_MAX)
        return VALSET_OVERFLOW;
    return VALSET_OK;
}

static void append(struct model_set *set, struct model_member member)
{
    set->members[set->count++] = member;
    set->total_power += member.power;
}

/* Merges two lists that both ascend by rank; where both name one validator the change counts. */
static void merge(struct model_set *to, const struct model_set *from, const uint32_t *ranks,
                  const struct valset_change *changes, uint32_t count, int64_t newcomer)
{
    uint32_t i = 0;

    for (uint32_t j = 0; j < count; j++) {
        const struct valset_change *c = &changes[j];
        struct model_member member = {c->validator, c->power, newcomer};

        while (i < from->count && ranks[from->members[i].validator] < c->rank)
            append(to, from->members[i++]);
        if (i < from->count && from->members[i].validator == c->validator)
            member.priority = from->members[i++].priority;
        if (c->power > 0)
            append(to, member);
    }
    while (i < from->count)
        append(to, from->members[i++]);
}

static void copy(struct model_set *to, const struct model_set *from)
{
    memcpy(to->members, from->members, from->count * sizeof(*from->members));
    to->count = from->count;
    to->total_power = from->total_power;
    to->proposer = from->proposer;
}

enum valset_error valset_update(struct model_set *to, const struct model_set *from,
                                const uint32_t *ranks, struct valset_change *changes,
                                uint32_t count, uint32_t *culprit)
{
    uint32_t ignored;
    uint32_t *who = culprit ? culprit : &ignored;
    enum valset_error error;
    struct sums s;
    int64_t before_removals;

    assert(to->members && to->members != from->members);
    if (count == 0) {
        copy(to, from);
        return VALSET_OK;
    }
    qsort(changes, count, sizeof(*changes), compare_changes);
    error = check_each(changes, count, who);
    if (error)
        return error;
    s = sum_changes(from, ranks, changes, count);
    error = check_all(from, &s, who);
    if (error)
        return error;
    before_removals = from->total_power + s.lost + s.gained;
    to->count = 0;
    to->total_power = 0;
    to->proposer = from->proposer;
    merge(to, from, ranks, changes, count, -(before_removals + (before_removals >> 3)));
    scale(to);
    centre(to);
    return VALSET_OK;
}
