/* Blocks and draws judged: by PROTOCOL sections 1 and 2 once more, in the few words that a small world needs.
 * Nothing here is taken from the view but to be compared. */
#include <assert.h>
#include <inttypes.h>

#include "tests/model/search.h"

static bool powers_differ(const struct search_world *w)
{
    for (uint32_t v = 1; v < w->count; v++)
        if (w->power[v] != w->power[0])
            return true;
    return false;
}

static int64_t weight_of(const struct search *s, uint32_t v)
{
    return powers_differ(s->world) ? s->world->power[v] : 1;
}

static int64_t weigh(const struct search *s, uint32_t mask)
{
    int64_t weight = 0;
    for (uint32_t v = 0; v < s->world->count; v++)
        weight += mask >> v & 1 ? weight_of(s, v) : 0;
    return weight;
}

static int64_t count_of(uint32_t mask)
{
    int64_t count = 0;
    for (; mask; mask &= mask - 1)
        count++;
    return count;
}

/* --- a block --- */

static void judge_pause(struct search *s, const struct link *link, uint32_t v, struct ledger *l)
{
    if (!(l->permits >> v & 1))
        search_fail(s, "pause-by-permit", v, "paused in %" PRIu64 " without a permit of %" PRIu64,
                    link->height, l->boundary);
    if (l->used >> v & 1)
        search_fail(s, "one-pause", v, "paused twice in the epoch of %" PRIu64, l->boundary);
    l->used |= 1u << v;
    if (weigh(s, l->used) > l->budget)
        search_fail(s, "budget", v, "pauses of weight %" PRId64 ", budget %" PRId64,
                    weigh(s, l->used), l->budget);
}

static void judge_tx(struct search *s, struct link *link, uint32_t v)
{
    struct ledger *l = &link->ledger;
    if (link->kind[v] < TX_PAUSE || link->code[v] != 0)
        return;
    if (v < s->world->agents && l->membership[v] && link->height < l->membership[v] + 2)
        search_fail(s, "spacing", v, "membership transactions in blocks %" PRIu64 " and %" PRIu64,
                    l->membership[v], link->height);
    l->membership[v] = link->height;
    if (link->kind[v] == TX_PAUSE && v < s->world->agents)
        judge_pause(s, link, v, l);
}

/* The budget takes foreign members for gone, as far as there was room for that: those were not lost otherwise. */
static void judge_floor(struct search *s, const struct link *link)
{
    const struct ledger *l = &link->ledger;
    uint32_t present = link->signing & ~link->silent;
    uint32_t lost = l->live & ~present;
    if (!present || !link->wanted)
        search_fail(s, "chain-lives", VALIDATOR_NONE, "nobody is left");
    if (!l->boundary)
        return;
    if (weigh(s, lost & l->permits) > l->budget)
        search_fail(s, "budget", VALIDATOR_NONE, "more left by permit than the budget allows");
    int64_t live = weigh(s, present), room = weigh(s, l->live) - l->floor - s->world->reserve;
    uint32_t expected = room >= weigh(s, l->foreign) ? l->foreign : 0;
    int64_t otherwise = weigh(s, lost & ~l->used & ~expected);
    if (room >= 0 && live < l->floor && otherwise <= s->world->reserve)
        search_fail(s, "floor", VALIDATOR_NONE, "%" PRId64 " live at %" PRIu64 ", floor %" PRId64,
                    live, link->height, l->floor);
}

void judge_block(struct search *s, struct link *link)
{
    for (uint32_t v = 0; v < s->world->count; v++)
        judge_tx(s, link, v);
    judge_floor(s, link);
}

/* --- a draw --- */

/* In V(E+1), no pause in block E, a signature in the last commit of one of the last k blocks. */
static uint32_t live_by_hand(const struct search *s, const struct link *links, uint32_t at)
{
    uint32_t gone = 0, signers = 0;
    for (uint32_t v = 0; v < s->world->count; v++)
        gone |= (uint32_t)(links[at].kind[v] == TX_PAUSE) << v;
    for (uint32_t back = 1; back <= s->charter.live_blocks; back++)
        signers |= links[at - back].signing & ~links[at - back].silent;
    return links[at].next & ~gone & signers;
}

/* In V(E+1), and the latest join names another charter: those of strangers do. */
static uint32_t foreign_by_hand(const struct search *s, const struct link *link)
{
    uint32_t foreign = 0;
    for (uint32_t v = s->world->agents; v < s->world->count; v++)
        foreign |= (uint32_t)(link->ledger.asks[v].join > link->ledger.asks[v].pause) << v;
    return foreign & link->next;
}

/* A member so heavy that no budget could ever hold it is no candidate. */
static bool is_too_heavy(const struct search *s, uint32_t v)
{
    int64_t all = weigh(s, UINT32_MAX), r = s->world->reserve;
    int64_t by_floor = all - (2 * all / 3 + 1) - r, by_thirds = all - 3 * r - 1;
    return weight_of(s, v) > (by_floor < by_thirds ? by_floor : by_thirds);
}

bool judge_asks(const struct search *s, const struct link *link, uint32_t v)
{
    const struct ask *a = &link->ledger.asks[v];
    uint64_t round = charter_round(&s->charter, height_at(link->height - 1)).n;
    return v < s->world->agents && a->join >= round && a->join > a->pause && a->join >= a->permit &&
           a->join > 0 && !is_too_heavy(s, v);
}

static uint32_t candidates_by_hand(const struct search *s, const struct link *link, uint32_t live)
{
    uint32_t candidates = 0;
    for (uint32_t v = 0; v < s->world->count; v++)
        candidates |= (uint32_t)judge_asks(s, link, v) << v;
    return candidates & live;
}

/* min(l - F - r, n - 3 (f + r) - 1) - x, with F from who was ever a member: here all of them. */
static int64_t budget_by_hand(const struct search *s, const struct ledger *l, uint32_t members)
{
    int64_t n = weigh(s, members), live = weigh(s, l->live), r = s->world->reserve;
    int64_t by_floor = live - l->floor - r, by_thirds = n - 3 * (n - live + r) - 1;
    int64_t budget = (by_floor < by_thirds ? by_floor : by_thirds) - weigh(s, l->foreign);
    return budget > 0 ? budget : 0;
}

/* Fewest turns first, then by key: all name the same CLASS. With unequal powers min_validators, which is 1, is
 * kept beside the weights. */
static uint32_t permits_by_hand(const struct search *s, const struct ledger *l, uint32_t candidates,
                                const uint8_t keys[MEMBERS_MAX])
{
    uint32_t line[MEMBERS_MAX], count = 0, permits = 0;
    int64_t places = count_of(l->live) - 1 - count_of(l->foreign), weight = 0;
    for (uint32_t i = 0; i < s->world->count; i++) {
        if (!(candidates >> keys[i] & 1))
            continue;
        uint32_t place = count++;
        for (; place > 0 && l->asks[keys[i]].turns < l->asks[line[place - 1]].turns; place--)
            line[place] = line[place - 1];
        line[place] = keys[i];
    }
    for (uint32_t r = 0; r < count && r < places; r++) {
        weight += weight_of(s, line[r]);
        if (weight > l->budget)
            break;
        permits |= 1u << line[r];
    }
    return permits;
}

static void choose_beacons(const struct search *s, struct link *link, uint32_t at,
                           uint32_t candidates)
{
    bool known[1 << MEMBERS_MAX] = {false};
    link->choice_count = 0;
    for (uint32_t i = 0; i < s->order_count; i++) {
        uint32_t permits = permits_by_hand(s, &link->ledger, candidates, s->orders[at][i]);
        if (!known[permits])
            link->choices[link->choice_count++] = (uint8_t)i;
        known[permits] = true;
    }
}

static uint32_t ranks(const struct draw *draw, uint32_t count)
{
    uint32_t mask = 0;
    for (uint32_t r = 0; r < count; r++)
        mask |= 1u << draw->order[r];
    return mask;
}

static void compare(struct search *s, const struct link *link, const char *what, int64_t view,
                    int64_t by_hand)
{
    if (view != by_hand)
        search_fail(s, "same-draw", VALIDATOR_NONE,
                    "%s %" PRIx64 " at %" PRIu64 ", by hand %" PRIx64, what, (uint64_t)view,
                    link->height, (uint64_t)by_hand);
}

static void compare_draw(struct search *s, const struct link *link, uint32_t candidates,
                         const struct view *view, const struct draw *draw)
{
    const struct ledger *l = &link->ledger;
    uint32_t live = 0;
    for (uint32_t v = 0; v < s->world->count; v++)
        live |= (uint32_t)view_live(view, v) << v;
    compare(s, link, "by power", draw->by_power, powers_differ(s->world));
    compare(s, link, "live", live, l->live);
    compare(s, link, "foreign", draw->foreign, weigh(s, l->foreign));
    compare(s, link, "floor", draw->floor, l->floor);
    compare(s, link, "budget", draw->budget, l->budget);
    compare(s, link, "candidates", ranks(draw, draw->candidates), candidates);
    compare(s, link, "permits", ranks(draw, draw->permits), l->permits);
}

void judge_draw(struct search *s, struct link *links, uint32_t at, const uint8_t keys[MEMBERS_MAX],
                const struct view *view, const struct draw *draw)
{
    struct link *link = &links[at];
    struct ledger *l = &link->ledger;
    int64_t all = weigh(s, UINT32_MAX);
    l->boundary = link->height;
    l->used = 0;
    l->live = live_by_hand(s, links, at);
    l->foreign = foreign_by_hand(s, link);
    l->floor = 2 * all / 3 + 1;
    l->budget = budget_by_hand(s, l, link->next);
    uint32_t candidates = candidates_by_hand(s, link, l->live);
    l->permits = permits_by_hand(s, l, candidates, keys);
    if (link->height <= s->world->last)
        choose_beacons(s, link, at, candidates);
    if (!s->blind)
        compare_draw(s, link, candidates, view, draw);
    for (uint32_t v = 0; v < s->world->count; v++)
        if (l->permits >> v & 1)
            l->asks[v].permit = link->height;
}

void judge_results(const struct search *s, struct link *links, uint32_t at)
{
    struct link *link = &links[at];
    bool round = charter_round(&s->charter, height_at(link->height)).n == link->height;
    for (uint32_t v = 0; v < s->world->count; v++) {
        struct ask *a = &link->ledger.asks[v];
        if (round)
            a->turns = 0;
        if (link->code[v] == 0 && link->kind[v] == TX_JOIN)
            a->join = link->height;
        if (link->code[v] == 0 && link->kind[v] == TX_PAUSE) {
            a->pause = link->height;
            a->turns++;
        }
    }
    link->live = at < s->charter.live_blocks ? 0 : weigh(s, live_by_hand(s, links, at));
}
