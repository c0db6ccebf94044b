/* Whose head is followed: what the endpoints' statuses say, and when they are looked at. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/feed_internal.h"
#include "proto/encoding.h"

/* --- asking --- */

static void ask(struct feed *feed, uint32_t endpoint)
{
    if (feed->endpoints[endpoint].asking)
        return;
    feed->endpoints[endpoint].asking = true;
    if (endpoint == feed->own)
        feed->own_asked_ms = zclock_mono();
    feed_ask_status(feed, endpoint);
}

static void ask_others(struct feed *feed)
{
    feed->others_asked_ms = zclock_mono();
    for (uint32_t e = 0; e < feed->endpoint_count; e++)
        if (e != feed->own)
            ask(feed, e);
}

void feed_survey(struct feed *feed)
{
    feed->survey_ms = zclock_mono();
    ask(feed, feed->own);
    ask_others(feed);
}

static bool any_asking(const struct feed *feed)
{
    bool asking = false;
    for (uint32_t e = 0; e < feed->endpoint_count; e++)
        asking |= feed->endpoints[e].asking;
    return asking;
}

/* --- trust --- */

bool feed_is_suspect(const struct feed *feed, uint32_t endpoint)
{
    return zclock_mono() < feed->endpoints[endpoint].suspect_until_ms;
}

void feed_suspect(struct feed *feed, uint32_t endpoint)
{
    feed->endpoints[endpoint].suspect_until_ms =
        feed->config.follow ? zclock_mono() + FEED_SUSPECT_MS : INT64_MAX;
}

/* Another hash than that of the chain which was verified: it is on a fork, or does not tell the truth. */
static bool contradicts(const struct feed *feed, uint32_t endpoint)
{
    const struct endpoint *e = &feed->endpoints[endpoint];
    const uint8_t *known = feed_known_hash(feed, e->latest);
    return e->usable && known && memcmp(known, e->latest_hash, HASH_SIZE) != 0;
}

static void doubt(struct feed *feed, uint32_t endpoint)
{
    const struct endpoint *e = &feed->endpoints[endpoint];
    char line[FAULT_MAX], hash[HEX_TEXT(HASH_SIZE)];
    if (feed_is_suspect(feed, endpoint))
        return;
    hex_encode_upper(e->latest_hash, HASH_SIZE, hash);
    snprintf(line, sizeof line,
             "%s shows hash %s for block %llu, which is not that of the chain: it is not followed",
             feed_url(feed, endpoint), hash, (unsigned long long)e->latest);
    feed_note(feed, line);
    feed_suspect(feed, endpoint);
}

void feed_judge_own(struct feed *feed)
{
    bool conflict = contradicts(feed, feed->own);
    if (conflict && feed->live)
        doubt(feed, feed->own);
    feed->shown.conflict = conflict;
}

/* --- what one's own node shows --- */

static bool shows_the_same(const struct feed_own *a, const struct feed_own *b)
{
    return a->answers == b->answers && a->ours == b->ours && a->catching_up == b->catching_up &&
           a->conflict == b->conflict && a->latest.n == b->latest.n &&
           memcmp(a->hash, b->hash, HASH_SIZE) == 0 &&
           memcmp(a->address, b->address, ADDRESS_SIZE) == 0;
}

static void show_own(struct feed *feed, const struct reply_status *status, const char *why)
{
    const struct feed_own before = feed->shown;
    struct feed_own *shown = &feed->shown;
    shown->answers = status != NULL;
    snprintf(shown->why, sizeof shown->why, "%s", status ? "" : why);
    if (status) {
        shown->ours = true;
        shown->catching_up = status->catching_up;
        shown->earliest = height_at(feed->endpoints[feed->own].earliest);
        shown->latest = height_at(feed->endpoints[feed->own].latest);
        memcpy(shown->hash, status->latest_hash, HASH_SIZE);
        memcpy(shown->address, status->address, ADDRESS_SIZE);
        shown->seen_ms = zclock_mono();
        feed_judge_own(feed);
    }
    if (!shows_the_same(&before, shown) && feed->config.own_changed)
        feed->config.own_changed(feed->config.owner, feed);
}

/* Before the range has been read one waits for it, which is noted by itself. */
static void hear_own(struct feed *feed, const struct reply_status *status, const char *why)
{
    show_own(feed, status, why);
    if (!status && feed->live && !feed->silent)
        feed_note(feed, why);
    feed->silent = !status && feed->live;
}

/* --- who leads --- */

/* One's own node shows less than what is known to be there, or nothing at all. */
static bool own_is_silent(const struct feed *feed, int64_t now)
{
    const struct endpoint *own = &feed->endpoints[feed->own];
    return !own->usable || feed_is_suspect(feed, feed->own) || own->latest < feed->top.n ||
           (own->asking && now - feed->own_asked_ms >= FEED_OTHERS_MS) ||
           (feed->trouble_ms > 0 && now - feed->trouble_ms < FEED_TROUBLE_MS);
}

/* How long a head may stand before others are looked at too. */
static int64_t still_ms(const struct feed *feed)
{
    int64_t blocks = 3 * view_block_ms(feed->view, view_head(feed->view));
    if (blocks <= 0 || blocks > FEED_STILL_MS)
        return FEED_STILL_MS;
    return blocks < FEED_OTHERS_MS ? FEED_OTHERS_MS : blocks;
}

static bool own_is_still(const struct feed *feed, int64_t now)
{
    return now - feed->moved_ms >= still_ms(feed);
}

static bool is_better(const struct endpoint *a, const struct endpoint *b)
{
    int64_t now = zclock_mono();
    if (now < a->suspect_until_ms || now < b->suspect_until_ms)
        return a->suspect_until_ms < b->suspect_until_ms;
    return a->latest > b->latest;
}

/* The highest head above `least`. Those that were found wrong are heard only when there is nobody else, and in turn. */
static uint32_t best_other(const struct feed *feed, uint64_t least)
{
    uint32_t best = RPC_ANY;
    for (uint32_t e = 0; e < feed->endpoint_count; e++)
        if (e != feed->own && feed->endpoints[e].usable &&
            (best == RPC_ANY || is_better(&feed->endpoints[e], &feed->endpoints[best])))
            best = e;
    return best != RPC_ANY && feed->endpoints[best].latest > least ? best : RPC_ANY;
}

/* Who leads above `least`; RPC_ANY: nobody. */
static uint32_t choose(const struct feed *feed, uint64_t least, bool others)
{
    const struct endpoint *own = &feed->endpoints[feed->own];
    uint32_t other = others ? best_other(feed, least) : RPC_ANY;
    bool has = own->usable && own->latest > least;
    bool behind = own->catching_up && other != RPC_ANY &&
                  feed->endpoints[other].latest > own->latest && !feed_is_suspect(feed, other);
    if (has && !behind && !feed_is_suspect(feed, feed->own))
        return feed->own;
    return other == RPC_ANY && has ? feed->own : other;
}

/* --- gaps --- */

static bool is_there(const struct feed *feed, uint64_t height)
{
    for (uint32_t e = 0; e < feed->endpoint_count; e++)
        if (feed->endpoints[e].usable && feed->endpoints[e].earliest <= height &&
            height <= feed->endpoints[e].latest)
            return true;
    return false;
}

static void end_in_gap(struct feed *feed, uint64_t height)
{
    struct fault fault;
    fault_set(&fault,
              "block %llu, which follows on what is known, exists nowhere any more: the first that "
              "%s has is %llu; what is known is of no use, and blocks are read anew",
              (unsigned long long)height, feed_url(feed, feed->own),
              (unsigned long long)feed->endpoints[feed->own].earliest);
    feed_stop(feed, FEED_GAP, &fault);
}

/* Nobody who is usable has this height. Those who do not answer may have it: they are waited for, not forever. */
static void judge_gap(struct feed *feed, uint64_t height)
{
    int64_t now = zclock_mono();
    const struct endpoint *own = &feed->endpoints[feed->own];
    bool all = true;
    for (uint32_t e = 0; e < feed->endpoint_count; e++)
        all &= feed->endpoints[e].usable;
    if (own->usable && own->earliest > height && feed->gap_ms == 0) {
        feed->gap_ms = now; /* the others as of now */
        ask_others(feed);
    }
    if (!own->usable || own->earliest <= height || any_asking(feed))
        return;
    if (all || now - feed->gap_ms >= FEED_GAP_MS)
        end_in_gap(feed, height);
    else
        feed_lost(feed, "the next block is with nobody who answers; the others are waited for");
}

/* --- beginning --- */

static void wait_for(struct feed *feed, const struct fault *fault)
{
    feed_lost(feed, fault->text);
}

static void begin_kept(struct feed *feed)
{
    struct fault fault = {""};
    uint64_t head = view_head(feed->view).n;
    switch (feed_kept_judge(feed, &fault)) {
    case KEPT_GO:
        feed_start_range(feed, choose(feed, head - 1, true));
        break;
    case KEPT_WAIT:
        wait_for(feed, &fault);
        break;
    case KEPT_GAP:
        judge_gap(feed, head);
        break;
    case KEPT_FORK:
        feed_stop(feed, FEED_FORK, &fault);
        break;
    }
}

static void begin(struct feed *feed)
{
    struct fault fault;
    uint32_t leader = choose(feed, 0, true);
    if (feed->endpoints[feed->own].foreign) {
        fault_set(&fault, "%s", feed->shown.why);
        feed_stop(feed, feed->config.kept ? FEED_FORK : FEED_FAILED, &fault);
    } else if (feed->config.kept) {
        begin_kept(feed);
    } else if (leader != RPC_ANY) {
        feed_start_range(feed, leader);
    } else {
        fault_set(&fault, "%s has no block yet", feed_url(feed, feed->own));
        if (!feed->shown.answers)
            fault_set(&fault, "%s", feed->shown.why);
        wait_for(feed, &fault);
    }
}

/* Without `follow` one's own node must answer, and everybody has been heard. */
static void begin_once(struct feed *feed)
{
    struct fault fault;
    if (feed->endpoints[feed->own].usable) {
        feed_start_range(feed, feed->own);
        return;
    }
    fault_set(&fault, "%s", feed->shown.why);
    feed_fail(feed, &fault);
}

/* One's own node is enough when it has all that is wanted, or the others take too long. */
static bool can_begin(const struct feed *feed)
{
    const struct endpoint *own = &feed->endpoints[feed->own];
    if (!any_asking(feed))
        return true;
    if (own->asking || !own->usable || own->catching_up)
        return false;
    if (zclock_mono() - feed->survey_ms >= FEED_LATE_MS)
        return true;
    uint64_t head = view_head(feed->view).n;
    return feed->config.kept && own->earliest <= head && head <= own->latest;
}

static void surveyed(struct feed *feed)
{
    if (feed->config.follow && can_begin(feed))
        begin(feed);
    else if (!feed->config.follow && !any_asking(feed))
        begin_once(feed);
}

/* --- what comes back --- */

static const char *unusable(struct feed *feed, uint32_t endpoint, const struct reply_status *status,
                            struct fault *fault)
{
    const char *expected = feed->config.charter.chain_id;
    feed->endpoints[endpoint].foreign = strcmp(status->chain_id, expected) != 0;
    if (feed->endpoints[endpoint].foreign) {
        fault_set(fault, "%s belongs to chain \"%s\", expected \"%s\"", feed_url(feed, endpoint),
                  status->chain_id, expected);
        return fault->text;
    }
    if (status->latest_height < 0 || status->earliest_height < 0 ||
        status->earliest_height > (status->latest_height > 1 ? status->latest_height : 1)) {
        fault_set(fault, "%s: its blocks are from %lld to %lld", feed_url(feed, endpoint),
                  (long long)status->earliest_height, (long long)status->latest_height);
        return fault->text;
    }
    return NULL;
}

static void keep_status(struct endpoint *e, const struct reply_status *status)
{
    e->latest = (uint64_t)status->latest_height;
    e->earliest = status->earliest_height > 1 ? (uint64_t)status->earliest_height : 1;
    memcpy(e->latest_hash, status->latest_hash, HASH_SIZE);
    e->catching_up = status->catching_up;
}

/* At the head: whoever shows more is followed. */
static void go_on(struct feed *feed)
{
    int64_t now = zclock_mono();
    if (feed->phase != FEED_LIVE || (feed->live && !feed->told) || now < feed->pause_until_ms)
        return;
    bool others = own_is_silent(feed, now) || own_is_still(feed, now);
    uint32_t leader = choose(feed, feed->top.n, others);
    if (leader == RPC_ANY)
        return;
    if (is_there(feed, feed->next))
        feed_start_round(feed, leader);
    else
        judge_gap(feed, feed->next);
}

void feed_take_status(struct feed *feed, uint32_t endpoint, const struct reply_status *status,
                      const char *why)
{
    struct endpoint *e = &feed->endpoints[endpoint];
    struct fault fault;
    const char *wrong = status ? unusable(feed, endpoint, status, &fault) : why;
    e->asking = false;
    e->usable = !wrong;
    if (!wrong)
        keep_status(e, status);
    if (endpoint == feed->own)
        hear_own(feed, wrong ? NULL : status, wrong);
    else if (feed->config.follow && contradicts(feed, endpoint))
        doubt(feed, endpoint);
    if (feed->phase == FEED_SURVEY)
        surveyed(feed);
    go_on(feed);
}

/* --- looking --- */

static void look_at_others(struct feed *feed, int64_t now)
{
    int64_t apart = own_is_silent(feed, now) ? FEED_OTHERS_MS : still_ms(feed);
    if (now - feed->others_asked_ms >= apart &&
        (own_is_silent(feed, now) || own_is_still(feed, now)))
        ask_others(feed);
}

void feed_head_look(struct feed *feed, bool now_or_never)
{
    int64_t now = zclock_mono();
    if (feed->phase == FEED_SURVEY) {
        if (!any_asking(feed) && now - feed->survey_ms >= FEED_OTHERS_MS)
            feed_survey(feed);
        else
            surveyed(feed);
        return;
    }
    if (now_or_never || feed->phase == FEED_LIVE || now - feed->own_asked_ms >= FEED_OTHERS_MS)
        ask(feed, feed->own);
    look_at_others(feed, now);
}

int feed_tick(zloop_t *loop, int timer, void *owner)
{
    struct feed *feed = owner;
    (void)loop;
    (void)timer;
    feed_hedge(feed);
    if (feed->phase != FEED_STOPPED && feed->phase != FEED_BACK)
        feed_head_look(feed, false);
    feed_settle(feed);
    return 0;
}
