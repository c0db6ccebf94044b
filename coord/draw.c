/* The rule of PROTOCOL section 2, from a view that has just taken in a boundary block. */
#include <assert.h>
#include <string.h>

#include "coord/view_internal.h"

#define DRAW_TAG "stagger/draw/1"
#define OVERDUE_MIN_MS (INT64_C(10) * 60 * 1000)

/* Weights are counts unless two powers differ among those who stand in the sets that the rule reads. */
bool view_by_power(const struct view *v)
{
    int64_t first = 0;
    for (uint32_t i = 0; i < v->count; i++) {
        const struct track *t = &v->tracks[i];
        if (!t->seen.n || t->seen.n + v->config.charter.reference_blocks <= v->head.n)
            continue;
        int64_t power = t->seen_power;
        if (first && power != first)
            return true;
        first = power;
    }
    return false;
}

bool view_complete(const struct view *v, struct height boundary)
{
    if (MUTATED(DRAW_WITHOUT_BLOCKS))
        return true;
    const struct charter *c = &v->config.charter;
    uint64_t since = charter_round(c, height_before(boundary, 1)).n;
    uint64_t foreign = height_before(height_at(since), FOREIGN_BLOCKS).n;
    uint64_t sets = height_before(boundary, (uint64_t)c->round_blocks + c->reference_blocks).n + 1;
    since = foreign < since ? foreign : since;
    since = sets < since ? sets : since;
    return v->first.n <= (since > v->chain_first.n ? since : v->chain_first.n);
}

static void count_sets(const struct view *v, struct draw *d)
{
    uint64_t memory = v->config.charter.reference_blocks;
    for (uint32_t i = 0; i < v->count; i++) {
        const struct track *t = &v->tracks[i];
        bool out = MUTATED(REFERENCE_RATCHETS) && !track_member(t);
        if (t->seen.n && t->seen.n + memory > d->boundary.n && !out) {
            d->reference_count++;
            d->reference += d->by_power ? t->seen_power : 1;
        }
        if (!track_member(t) && !MUTATED(REGISTERED_COUNTED))
            continue;
        int64_t weight = d->by_power ? v->validators[i].power : 1;
        d->member_count++;
        d->members += weight;
        if (track_live(v, t)) {
            d->live_count++;
            d->live += weight;
        }
    }
}

/* With unequal powers: a member that would not fit though everybody else were live. Were it a candidate, the list
 * of permits would stop at it for good, and nobody behind it would ever have a turn. */
static bool never_fits(const struct view *v, const struct draw *d, uint32_t i)
{
    const struct charter *c = &v->config.charter;
    if (!d->by_power)
        return false;
    int64_t reserve = c->reserve == RESERVE_DEFAULT ? d->reference / 25 : c->reserve;
    int64_t by_floor = d->reference - d->floor - reserve;
    int64_t by_thirds = d->reference - 3 * reserve - 1;
    return v->validators[i].power > (by_floor < by_thirds ? by_floor : by_thirds);
}

/* Everything but the rank: who would stand in line, and why the others would not. */
static enum view_reason judge(const struct view *v, const struct draw *d, uint32_t i)
{
    const struct charter *c = &v->config.charter;
    const struct view_validator *val = &v->validators[i];
    const struct track *t = &v->tracks[i];
    if (!track_member(t))
        return VIEW_NOT_MEMBER;
    if (!val->join.n || val->join.n + FOREIGN_BLOCKS < d->boundary.n)
        return VIEW_NO_JOIN;
    if (view_paused_since_join(val))
        return VIEW_PAUSED_SINCE;
    if (val->join_charter != c->id)
        return VIEW_FOREIGN;
    if (val->join.n < charter_round(c, height_before(d->boundary, 1)).n)
        return VIEW_OLD_ROUND;
    if (val->joins > c->joins_max)
        return VIEW_TOO_MANY_JOINS;
    if (track_gone(v, t))
        return VIEW_GONE;
    if (!track_live(v, t))
        return VIEW_SILENT;
    if (never_fits(v, d, i))
        return VIEW_TOO_HEAVY;
    return val->permit.n > val->join.n ? VIEW_USED_UP : VIEW_BEYOND_BUDGET;
}

static void enter_candidate(struct view *v, struct draw *d, uint32_t i,
                            const uint8_t hash[HASH_SIZE])
{
    const struct charter *c = &v->config.charter;
    const struct view_validator *val = &v->validators[i];
    uint8_t height[8];
    for (int b = 0; b < 8; b++)
        height[b] = (uint8_t)(d->boundary.n >> (56 - 8 * b));
    struct entry *e = &v->entries[d->candidates++];
    e->validator = i;
    e->turns = val->turns;
    e->class_minutes = c->order == ORDER_LONG_FIRST ? val->join_class : 0;
    const struct digest_piece pieces[] = {
        {DRAW_TAG, sizeof DRAW_TAG - 1}, {c->chain_id, strlen(c->chain_id)},
        {height, sizeof height},         {hash, HASH_SIZE},
        {val->address, ADDRESS_SIZE},
    };
    digest_sha256(v->digest, pieces, sizeof pieces / sizeof *pieces, e->key);
}

/* Of those who paused in this round (the ramp): who is live again and who is not. */
static void count_turns(const struct view *v, struct draw *d)
{
    uint64_t round = charter_round(&v->config.charter, height_before(d->boundary, 1)).n;
    for (uint32_t i = 0; i < v->count; i++) {
        if (!v->validators[i].pause.n || v->validators[i].pause.n < round)
            continue;
        bool live = track_live(v, &v->tracks[i]);
        d->back += live;
        d->out += !live;
    }
}

/* The freeze. A validator that is live at a boundary is back for good: its pause no longer lasts. */
static void count_overdue(struct view *v, struct draw *d)
{
    for (uint32_t i = 0; i < v->count; i++) {
        struct view_validator *val = &v->validators[i];
        const struct track *t = &v->tracks[i];
        if (!val->paused_after_join)
            continue;
        int64_t grace_ms = (int64_t)t->pause_class * 3 * 60 * 1000;
        grace_ms = grace_ms > OVERDUE_MIN_MS ? grace_ms : OVERDUE_MIN_MS;
        if (track_live(v, t)) {
            val->paused_after_join = false;
        } else if (instant_since(d->time, t->pause_time) >= grace_ms) {
            d->overdue++;
            d->overdue_since = val->pause.n < d->overdue_since.n ? val->pause : d->overdue_since;
        }
    }
}

static void count_candidates(struct view *v, struct draw_slot *s, const uint8_t hash[HASH_SIZE])
{
    struct draw *d = &s->draw;
    s->covered = v->count;
    for (uint32_t i = 0; i < v->count; i++) {
        enum view_reason reason = judge(v, d, i);
        s->reason[i] = (uint8_t)reason;
        s->rank[i] = UINT32_MAX;
        if (reason == VIEW_BEYOND_BUDGET)
            enter_candidate(v, d, i, hash);
        d->used_up += reason == VIEW_USED_UP;
        if (reason == VIEW_FOREIGN) {
            d->foreign_count++;
            d->foreign += d->by_power ? v->validators[i].power : 1;
        }
    }
}

static bool entry_before(const struct view *v, const struct entry *a, const struct entry *b)
{
    if (a->turns != b->turns)
        return a->turns < b->turns;
    if (a->class_minutes != b->class_minutes)
        return a->class_minutes > b->class_minutes;
    int order = memcmp(a->key, b->key, HASH_SIZE);
    if (order == 0)
        order = memcmp(v->validators[a->validator].address, v->validators[b->validator].address,
                       ADDRESS_SIZE);
    return order < 0;
}

static void sift_down(struct view *v, uint32_t root, uint32_t count)
{
    struct entry *e = v->entries, moving = e[root];
    for (uint32_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && entry_before(v, &e[child], &e[child + 1]))
            child++;
        if (!entry_before(v, &moving, &e[child]))
            break;
        e[root] = e[child];
    }
    e[root] = moving;
}

/* Heap sort: in place, so that a draw allocates nothing (qsort may). */
static void sort_entries(struct view *v, uint32_t count)
{
    for (uint32_t i = count / 2; i-- > 0;)
        sift_down(v, i, count);
    for (uint32_t last = count; last-- > 1;) {
        struct entry top = v->entries[0];
        v->entries[0] = v->entries[last];
        v->entries[last] = top;
        sift_down(v, 0, last);
    }
}

/* floor(num * n / den) without overflow. */
static int64_t fraction_of(int64_t n, int64_t num, int64_t den)
{
    return n / den * num + n % den * num / den;
}

static void set_floor(const struct charter *c, struct draw *d)
{
    int64_t part = fraction_of(d->reference, c->phi_num, c->phi_den) + 1;
    d->floor = part > (int64_t)c->min_validators ? part : (int64_t)c->min_validators;
    d->reserve = c->reserve == RESERVE_DEFAULT ? d->members / 25 : c->reserve;
}

struct room {
    int64_t weight;
    int64_t count;
    enum view_term term;
};

/* The budget at boundary E with the given live members. With unequal powers min_validators and the ramp,
 * which are counts, are kept beside the weights. */
static struct room room_for(const struct charter *c, const struct draw *d, int64_t live,
                            int64_t live_count)
{
    int64_t away = d->members - live + d->reserve;
    int64_t by_floor = live - d->floor - d->reserve + MUTATED(BUDGET_PLUS_ONE);
    int64_t by_thirds = d->members - 3 * away - 1;
    int64_t ramp = c->ramp ? c->ramp_a + (int64_t)c->ramp_b * d->back - d->out : INT64_MAX;
    struct room room = {by_floor, INT64_MAX, TERM_FLOOR};
    if (by_thirds < room.weight)
        room = (struct room){by_thirds, INT64_MAX, TERM_TWO_THIRDS};
    if (d->by_power)
        room.count = live_count - (int64_t)c->min_validators;
    int64_t *capped = d->by_power ? &room.count : &room.weight;
    if (ramp < *capped) {
        *capped = ramp;
        room.term = TERM_RAMP;
    }
    room.weight -= MUTATED(FOREIGN_IGNORED) ? 0 : d->foreign;
    room.weight = room.weight > 0 ? room.weight : 0;
    room.count = d->by_power ? room.count - d->foreign_count : room.weight;
    room.count = room.count > 0 ? room.count : 0;
    return room;
}

/* How many of the first `limit` candidates fit, in draw order; the first that does not ends the list. */
static uint32_t fit(const struct view *v, const struct draw *d, struct room room, uint32_t limit)
{
    int64_t weight = 0;
    uint32_t permits = 0;
    while (permits < limit && permits < room.count) {
        weight += d->by_power ? v->validators[d->order[permits]].power : 1;
        if (weight > room.weight)
            break;
        permits++;
    }
    return permits;
}

/* In test builds only: what uses a join up, and what does not. */
static void mutate_permits(struct view *v, const struct draw *d)
{
    const struct charter *c = &v->config.charter;
    uint64_t round = charter_round(c, height_before(d->boundary, 1)).n;
    bool first = d->boundary.n <= round + c->epoch_blocks;
    for (uint32_t r = 0; MUTATED(USED_UP_WITHOUT) && r < d->candidates; r++)
        v->validators[d->order[r]].permit = d->boundary;
    bool forget = MUTATED(NEVER_USED_UP) || (first && MUTATED(ROUND_FORGETS));
    for (uint32_t r = 0; forget && r < d->permits; r++)
        v->validators[d->order[r]].permit = HEIGHT_NONE;
}

static void hand_out(struct view *v, struct draw_slot *s)
{
    struct draw *d = &s->draw;
    struct room room = room_for(&v->config.charter, d, d->live, d->live_count);
    for (uint32_t r = 0; r < d->candidates; r++) {
        s->order[r] = v->entries[r].validator;
        s->rank[s->order[r]] = r;
    }
    d->order = s->order;
    d->budget = room.weight;
    d->budget_count = room.count > UINT32_MAX ? UINT32_MAX : (uint32_t)room.count;
    d->term = room.term;
    d->permits = d->recheck = fit(v, d, room, d->candidates);
    assert(d->permits <= d->candidates && d->permits <= d->budget);
    for (uint32_t r = 0; r < d->permits; r++) {
        s->reason[d->order[r]] = VIEW_PERMIT;
        v->validators[d->order[r]].permit = d->boundary;
    }
    mutate_permits(v, d);
}

static uint32_t class_of(const struct view_validator *v)
{
    return v->join_class < CLASS_MAX ? v->join_class : CLASS_MAX;
}

static void count_classes(const struct view *v, struct draw_slot *s)
{
    memset(s->in_line, 0, sizeof s->in_line);
    for (uint32_t r = 0; r < s->draw.candidates; r++)
        s->in_line[class_of(&v->validators[s->order[r]])]++;
    for (uint32_t c = CLASS_MAX; c > 0; c--)
        s->in_line[c - 1] += s->in_line[c];
}

/* Everything that does not depend on who stands in line, as if the head were a boundary. */
static struct draw tally(const struct view *view)
{
    const struct view_pulse *pulse = view_pulse(view, view->head);
    struct draw d = {
        .epoch = {view->head.n / view->config.charter.epoch_blocks},
        .boundary = view->head,
        .time = pulse->time,
        .complete = view_complete(view, view->head),
        .by_power = view_by_power(view),
        .overdue_since = HEIGHT_NEVER,
    };
    count_sets(view, &d);
    count_turns(view, &d);
    set_floor(&view->config.charter, &d);
    return d;
}

const struct draw *draw_make(struct view *view)
{
    struct draw_slot *s =
        &view->draws[view->head.n / view->config.charter.epoch_blocks % DRAWS_KEPT];
    s->draw = tally(view);
    count_overdue(view, &s->draw);
    count_candidates(view, s, view_pulse(view, view->head)->hash);
    sort_entries(view, s->draw.candidates);
    hand_out(view, s);
    count_classes(view, s);
    return &s->draw;
}

int64_t view_budget(const struct view *view)
{
    struct draw d = tally(view);
    return room_for(&view->config.charter, &d, d.live, d.live_count).weight;
}

void draw_recheck(struct view *view)
{
    struct height boundary = height_before(view->head, 1);
    struct draw_slot *s = &view->draws[boundary.n / view->config.charter.epoch_blocks % DRAWS_KEPT];
    struct draw *d = &s->draw;
    int64_t live = 0, live_count = 0;
    if (d->boundary.n != boundary.n)
        return;
    for (uint32_t i = 0; i < s->covered; i++) {
        const struct track *t = &view->tracks[i];
        if ((t->member >> 1 & 1) && t->gone.n != boundary.n && (t->signed_in & 1)) {
            live_count++;
            live += d->by_power ? view->validators[i].power : 1;
        }
    }
    d->recheck = fit(view, d, room_for(&view->config.charter, d, live, live_count), d->permits);
    d->rechecked = true;
}

const struct draw *view_draw(const struct view *view, struct height boundary)
{
    const struct charter *c = &view->config.charter;
    const struct draw *d = &view->draws[boundary.n / c->epoch_blocks % DRAWS_KEPT].draw;
    return boundary.n > 0 && d->boundary.n == boundary.n ? d : NULL;
}

uint32_t view_in_line(const struct view *view, const struct draw *draw, uint32_t class_minutes)
{
    uint32_t count = 0;
    assert(class_minutes <= CLASS_MAX);
    if (draw)
        return view->draws[draw->epoch.n % DRAWS_KEPT].in_line[class_minutes];
    for (uint32_t i = 0; i < view->count; i++) {
        const struct view_validator *v = &view->validators[i];
        count += v->join.n && !view_paused_since_join(v) &&
                 v->join_charter == view->config.charter.id && v->join_class >= class_minutes;
    }
    return count;
}

enum view_reason view_reason(const struct view *view, const struct draw *draw, uint32_t validator,
                             uint32_t *rank)
{
    const struct draw_slot *s = &view->draws[draw->epoch.n % DRAWS_KEPT];
    assert(&s->draw == draw);
    bool known = validator < s->covered;
    if (rank)
        *rank = known ? s->rank[validator] : UINT32_MAX;
    return known ? (enum view_reason)s->reason[validator] : VIEW_NOT_MEMBER;
}

static const struct {
    const char *code, *sentence;
} reasons[] = {
    [VIEW_PERMIT] = {"permit", "it holds a permit for this epoch"},
    [VIEW_NOT_MEMBER] = {"not-member", "it is not in the validator set"},
    [VIEW_NO_JOIN] = {"no-join", "it has not joined"},
    [VIEW_PAUSED_SINCE] = {"paused-since",
                           "it has paused since its latest join: that turn is over"},
    [VIEW_FOREIGN] = {"foreign-charter", "its latest join names another charter"},
    [VIEW_OLD_ROUND] = {"old-round", "its latest join belongs to an earlier round"},
    [VIEW_TOO_MANY_JOINS] = {"too-many-joins", "it has joined more often than a round allows"},
    [VIEW_GONE] = {"gone", "a pause of it stands in the boundary block"},
    [VIEW_SILENT] = {"silent", "none of the last commits holds its signature"},
    [VIEW_USED_UP] = {"used-up", "its latest join is used up: it has held a permit since"},
    [VIEW_TOO_HEAVY] = {"too-heavy", "its power is more than the budget can ever be"},
    [VIEW_BEYOND_BUDGET] = {"beyond-budget", "it stands in line behind the budget"},
};

const char *view_reason_code(enum view_reason reason)
{
    assert((size_t)reason < sizeof reasons / sizeof *reasons);
    return reasons[reason].code;
}

const char *view_reason_sentence(enum view_reason reason)
{
    assert((size_t)reason < sizeof reasons / sizeof *reasons);
    return reasons[reason].sentence;
}
