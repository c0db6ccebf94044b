/* When a member does not join, or leaves a permit unused (PROTOCOL section 2, withholding and freeze;
 * section 7, hazards). Every rule here only withholds: none of them can widen what the draw allows. */
#include <assert.h>
#include <string.h>

#include "coord/coord_internal.h"

#define TURN_BLOCKS                                                                                \
    10 /* blocks around the work: permit, pause, two to leave, unpause, two to enter */
#define OUT_BLOCKS                                                                                 \
    2 /* of them, those that a validator is out of the set, beside its node's start */
#define SYNC_MS 5000        /* a node's start and handshake */
#define BLOCK_MS_GUESS 6000 /* before two blocks are known */
#define BLOCK_MS_MAX 60000  /* a chain without empty blocks makes them when it is asked to */
#define PEER_LEAD_BLOCKS 5
#define STAND_BACK_PARTS 3
#define STAND_BACK_BLOCKS 2 /* from the first joins to the blocks that show them */
#define MINUTE_MS INT64_C(60000)
#define DAY_MIN 1440

struct coord_policy coord_policy_default(void)
{
    return (struct coord_policy){
        .freeze = COORD_FREEZE_DEFAULT,
        .window_margin_ms = 2 * MINUTE_MS,
        .attempts_max = 3,
        .retry_ms = 5000,
        .still_ms = 20000,
    };
}

static int64_t usual_block_ms(int64_t block_ms)
{
    if (block_ms <= 0) /* headers that go back in time tell nothing */
        return BLOCK_MS_GUESS;
    return block_ms < BLOCK_MS_MAX ? block_ms : BLOCK_MS_MAX;
}

static int64_t out_of_set_ms(int64_t expected_ms, int64_t block_ms)
{
    return expected_ms + OUT_BLOCKS * usual_block_ms(block_ms) + SYNC_MS;
}

uint32_t coord_class(int64_t expected_ms, int64_t block_ms)
{
    int64_t out_ms = out_of_set_ms(expected_ms, block_ms);
    int64_t minutes = (out_ms + MINUTE_MS - 1) / MINUTE_MS;
    return minutes < CLASS_MIN ? CLASS_MIN : minutes > CLASS_MAX ? CLASS_MAX : (uint32_t)minutes;
}

struct instant rules_chain_now(const struct coord *c, struct instant now)
{
    int64_t since_ms = instant_since(now, c->head_seen);
    return instant_after(c->head_time, since_ms > 0 ? since_ms : 0);
}

bool rules_window_closed(const struct coord *c, const struct view *view, struct instant chain_now)
{
    if (!c->plan.pending || MUTATED(WINDOW_STAYS_OPEN))
        return false;
    int64_t around_ms = TURN_BLOCKS * usual_block_ms(view_block_ms(view, c->head)) + SYNC_MS;
    int64_t needed_ms = c->memory.expected_ms + around_ms + c->policy->window_margin_ms;
    return instant_after(chain_now, needed_ms).ms > c->plan.upgrade_time.ms;
}

bool rules_must_return(const struct coord *c, struct instant chain_now)
{
    return c->plan.pending && !c->plan.voted_yes && !MUTATED(WINDOW_STAYS_OPEN) &&
           instant_since(c->plan.upgrade_time, chain_now) < c->policy->window_margin_ms;
}

static int64_t freeze_limit(const struct coord *c, const struct draw *draw)
{
    if (c->policy->freeze != COORD_FREEZE_DEFAULT)
        return c->policy->freeze;
    int64_t z = ((int64_t)draw->member_count + 19) / 20;
    return z > 2 ? z : 2;
}

bool rules_update_freeze(struct coord *c, const struct view *view, const struct draw *draw)
{
    struct coord_memory *m = &c->memory;
    struct coord_memory before = *m;
    if (m->pardoned > draw->overdue)
        m->pardoned = draw->overdue;
    bool over = c->policy->freeze != COORD_FREEZE_OFF &&
                draw->overdue >= m->pardoned + freeze_limit(c, draw);
    if (over && (!m->frozen || draw->overdue_since.n < m->frozen_since.n))
        m->frozen_since = draw->overdue_since;
    if (over)
        m->frozen = true;
    else if (view_first(view).n <= m->frozen_since.n) /* a view that begins later cannot tell */
        m->frozen = false;
    return before.frozen != m->frozen || before.pardoned != m->pardoned ||
           before.frozen_since.n != m->frozen_since.n;
}

static enum coord_reason node_reason(const struct coord *c)
{
    if (!c->node.known || !c->node.reachable || c->node.catching_up || !c->node.key_matches)
        return REASON_CATCHING_UP;
    return REASON_NONE;
}

static enum coord_reason peers_reason(const struct coord *c)
{
    if (!c->peers.known)
        return REASON_NONE;
    if (c->peers.head.n > height_after(c->head, PEER_LEAD_BLOCKS).n)
        return REASON_PEERS_AHEAD;
    if (c->peers.conflict)
        return REASON_PEERS_CONFLICT;
    if (c->policy->failures_max && c->peers.failures >= c->policy->failures_max)
        return REASON_PEERS_FAILED;
    if (c->policy->domain_max && c->peers.domain_out >= c->policy->domain_max)
        return REASON_DOMAIN;
    return REASON_NONE;
}

static bool outside_hours(const struct coord_policy *p, struct instant chain_now)
{
    if (p->hours_from_min == p->hours_to_min)
        return false;
    int32_t minute = (int32_t)(chain_now.ms / MINUTE_MS % DAY_MIN);
    bool inside = p->hours_from_min < p->hours_to_min
                      ? minute >= p->hours_from_min && minute < p->hours_to_min
                      : minute >= p->hours_from_min || minute < p->hours_to_min;
    return !inside;
}

/* What stands against a turn whatever the draw says; joining and pausing ask it alike. */
static enum coord_reason standing_reason(const struct coord *c, const struct view *view)
{
    struct instant chain_now = c->head_time;
    if (c->memory.held)
        return REASON_HOLD;
    if (c->recovering)
        return REASON_RECOVERING;
    if (c->store_broken)
        return REASON_STORE;
    if (c->memory.frozen)
        return REASON_FROZEN;
    if (!coord_in_set(c, view))
        return REASON_NOT_MEMBER;
    if (c->plan.pending && !c->plan.voted_yes && !MUTATED(WINDOW_STAYS_OPEN))
        return REASON_NO_YES_VOTE;
    if (rules_window_closed(c, view, chain_now))
        return REASON_WINDOW;
    if (outside_hours(c->policy, chain_now))
        return REASON_HOURS;
    enum coord_reason reason = node_reason(c);
    return reason != REASON_NONE ? reason : peers_reason(c);
}

/* A number that differs between members and from boundary to boundary; chance, not secrecy. */
static uint64_t lot(const struct coord *c, const struct view *view, struct height boundary)
{
    uint64_t a;
    memcpy(&a, view_validator(view, c->self)->address, sizeof a);
    uint64_t x = a ^ boundary.n * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* How many more may join before the operator's own floor or cap would leave their permits unused. */
static int64_t own_places(const struct coord *c, const struct draw *d)
{
    int64_t places = INT64_MAX;
    if (c->policy->max_offline)
        places = c->policy->max_offline - ((int64_t)d->reference_count - d->live_count);
    if (c->policy->own_floor && (int64_t)d->live_count - c->policy->own_floor < places)
        places = (int64_t)d->live_count - c->policy->own_floor;
    return places == INT64_MAX ? places : places - d->candidates;
}

bool rules_has_own_places(const struct coord *c, const struct view *view)
{
    const struct draw *d = coord_latest_draw(c, view);
    return d && own_places(c, d) > 0;
}

/* With a cap or a floor of one's own, most permits would be left unused and the joins with them: so only
 * about as many members join as there are places, more when nobody did for a while. */
static bool would_withhold(const struct coord *c, const struct view *view, const struct draw *d)
{
    int64_t places = own_places(c, d);
    if (places <= 0 || places == INT64_MAX)
        return places <= 0;
    uint64_t waiting = d->member_count > d->back ? d->member_count - d->back : 1;
    bool counted = c->thinned > 0 && c->blank.n == d->boundary.n; /* this very draw is among them */
    uint32_t blanks = c->thinned - counted;
    uint64_t stretch = blanks < 16 ? UINT64_C(1) << blanks : 65536;
    return lot(c, view, d->boundary) % waiting >= (uint64_t)places * stretch;
}

/* The next boundary at which there will be a draw. */
static struct height next_draw(const struct coord *c, const struct view *view)
{
    const struct charter *charter = view_charter(view);
    uint64_t next = charter_boundary(charter, c->head).n + charter->epoch_blocks;
    while (next < view_first(view).n + charter->live_blocks)
        next += charter->epoch_blocks;
    return height_at(next);
}

/* CLASS counts whole minutes; the order within a minute is left to chance. Who knows that its turn is among
 * the shorter ones of its class waits with its join until those before it have found a place, but never so
 * long that a place stays empty. Where all take the same time all stand back alike, and find nobody. */
static bool stands_back(const struct coord *c, const struct view *view, const struct draw *d)
{
    int64_t block_ms = view_block_ms(view, c->head);
    int64_t out_ms = out_of_set_ms(c->memory.expected_ms, block_ms);
    int64_t spare_ms =
        MINUTE_MS - 1 - (out_ms + MINUTE_MS - 1) % MINUTE_MS; /* of the class's last minute */
    int64_t parts = spare_ms * STAND_BACK_PARTS / MINUTE_MS;
    const struct view_pulse *p = view_pulse(view, c->head);
    if (parts == 0 || view_charter(view)->order != ORDER_LONG_FIRST || !view_empty_blocks(view))
        return false;
    if (c->stood.n == 0)
        return c->head.n + STAND_BACK_BLOCKS + 1 <
               next_draw(c, view).n; /* never at the cost of a draw */
    if (c->head.n < c->stood.n + STAND_BACK_BLOCKS)
        return true;
    int64_t places =
        d ? (int64_t)d->budget_count - d->permits + (d->reference_count - d->live_count) / 8 + 1
          : p->live / 4;
    return view_in_line(view, d, coord_class(c->memory.expected_ms, block_ms)) > places / parts;
}

/* As the next block, the earliest that can hold our join, will count them. */
static uint32_t joins_in_round(const struct coord *c, const struct view *view)
{
    const struct charter *charter = view_charter(view);
    struct height next = height_after(c->head, 1);
    return charter_round(charter, next).n == next.n ? 0 : view_validator(view, c->self)->joins;
}

/* A vote has changed our charter: everybody's waiting joins name the old one, ours too. If half of the members
 * counting as foreign kept us from joining anew, nobody ever would. */
static bool own_join_is_foreign(const struct coord *c, const struct view *view,
                                const struct draw *d)
{
    return view_reason(view, d, c->self, NULL) == VIEW_FOREIGN;
}

enum coord_reason coord_may_join(const struct coord *c, const struct view *view)
{
    const struct draw *d = coord_latest_draw(c, view);
    enum coord_reason reason = standing_reason(c, view);
    if (reason != REASON_NONE)
        return reason;
    if (!view_complete(view, height_after(c->head, 1)))
        return REASON_HISTORY;
    if (c->own.known && !c->own.funded)
        return REASON_FUNDS;
    if (view_validator(view, c->self)->pause.n == c->head.n)
        return REASON_SPACING; /* paused by hand: on our way out */
    if (joins_in_round(c, view) >= view_charter(view)->joins_max)
        return REASON_JOINS_EXHAUSTED;
    if (d && 2 * d->foreign >= d->members && !own_join_is_foreign(c, view, d))
        return REASON_FOREIGN_HALF;
    if (d && would_withhold(c, view, d))
        return REASON_WOULD_WITHHOLD;
    if (stands_back(c, view, d))
        return REASON_STAND_BACK;
    return REASON_NONE;
}

/* No block lies between our latest membership transaction, which may be known from the blocks only, and the
 * next one. */
static bool is_too_close(const struct coord *c, const struct view *view)
{
    struct height pause = view_validator(view, c->self)->pause;
    return c->head.n <= c->memory.membership.n || c->head.n == pause.n;
}

enum coord_reason coord_may_pause(const struct coord *c, const struct view *view,
                                  const struct draw *d, uint32_t rank)
{
    int64_t place = (int64_t)rank + 1;
    enum coord_reason reason = standing_reason(c, view);
    if (reason != REASON_NONE)
        return reason;
    if (!d->complete)
        return REASON_HISTORY;
    if (is_too_close(c, view))
        return REASON_SPACING;
    if (c->policy->own_floor && (int64_t)d->live_count - place < c->policy->own_floor)
        return REASON_OWN_FLOOR;
    if (c->policy->max_offline &&
        (int64_t)d->reference_count - d->live_count + place > c->policy->max_offline)
        return REASON_OWN_CAP;
    if (!view_empty_blocks(view) && (!d->rechecked || rank >= d->recheck))
        return REASON_RECHECK;
    assert(rank < d->permits);
    return REASON_NONE;
}

enum coord_reason rules_fatal(const struct coord *c, const struct view *view,
                              struct instant chain_now)
{
    const struct view_pulse *pulse = view_pulse(view, c->head);
    if (!pulse || !coord_in_set(c, view))
        return REASON_NOT_MEMBER;
    if (pulse->live <= 1)
        return REASON_LAST_MEMBER;
    if (is_too_close(c, view))
        return REASON_SPACING;
    if (c->plan.pending && !c->plan.voted_yes && rules_window_closed(c, view, chain_now))
        return REASON_NO_YES_VOTE;
    return REASON_NONE;
}
