/* From which height to which: the first range, then one round after the other up to the head of whoever leads; and
 * what is left of a round that fails. */
#include <assert.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "node/feed_internal.h"

/* --- the first range --- */

static uint64_t earliest_of_all(const struct feed *feed)
{
    uint64_t earliest = UINT64_MAX;
    for (uint32_t e = 0; e < feed->endpoint_count; e++)
        if (feed->endpoints[e].usable && feed->endpoints[e].earliest < earliest)
            earliest = feed->endpoints[e].earliest;
    return earliest;
}

/* What section 2 demands for a draw at the boundary: blocks from Z before its round on, sets of the reference. */
static void demand(const struct charter *c, struct height boundary, uint64_t *blocks,
                   uint64_t *sets)
{
    *blocks = height_before(charter_round(c, height_before(boundary, 1)), FOREIGN_BLOCKS).n;
    *sets = height_before(boundary, (uint64_t)c->round_blocks + c->reference_blocks).n + 1;
    if (*sets > *blocks)
        *sets = *blocks;
}

static uint64_t at_least(uint64_t value, uint64_t least)
{
    return value > least ? value : least;
}

static void set_first(struct feed *feed, struct height boundary)
{
    const struct feed_config *config = &feed->config;
    uint64_t earliest = earliest_of_all(feed), blocks = 0, sets = 0;
    if (!config->everything)
        demand(&config->charter, boundary, &blocks, &sets);
    feed->first = height_at(at_least(sets, earliest));
    feed->full_from = height_at(at_least(blocks, feed->first.n));
    feed->top = feed->head;
    if (!config->follow && !config->everything && boundary.n + 1 < feed->head.n)
        feed->top = height_at(boundary.n + 1);
    if (feed->first.n > feed->top.n)
        feed->first = feed->full_from = feed->top;
}

static void set_range(struct feed *feed, struct height boundary)
{
    const struct feed_config *config = &feed->config;
    if (config->kept) {
        feed->first = feed->full_from = view_head(feed->view);
        feed->top = feed->head;
    } else {
        set_first(feed, boundary);
    }
    uint64_t count = feed->top.n - feed->first.n + 1;
    feed->thorough = config->thorough || (!config->kept && count <= config->thorough_below);
    if (feed->thorough)
        feed->full_from = feed->first;
    feed->next = feed->first.n;
    feed->asked = feed->first.n - 1;
}

void feed_start_range(struct feed *feed, uint32_t leader)
{
    const struct charter *c = &feed->config.charter;
    struct height boundary = feed->config.kept ? HEIGHT_NONE : feed->config.boundary;
    struct fault fault;
    assert(leader != RPC_ANY);
    feed->leader = leader;
    feed->head = height_at(feed->endpoints[leader].latest);
    if (feed->head.n == 0 || boundary.n > feed->head.n) {
        fault_set(&fault, "the boundary is block %llu, but the head of %s is %llu",
                  (unsigned long long)boundary.n, feed_url(feed, leader),
                  (unsigned long long)feed->head.n);
        if (feed->head.n == 0)
            fault_set(&fault, "%s has no block yet", feed_url(feed, leader));
        feed_fail(feed, &fault);
        return;
    }
    if (boundary.n == 0)
        boundary = charter_boundary(c, feed->head);
    feed->phase = FEED_RANGE;
    feed->gap_ms = 0;
    set_range(feed, boundary);
    feed_schedule(feed);
}

/* --- rounds --- */

/* The newest block of one's own node may stand on its word, once the view is level with it. */
static bool needs_seal(const struct feed *feed)
{
    const struct endpoint *own = &feed->endpoints[feed->own];
    const struct slot *top = &feed->slots[feed->top.n % FEED_WINDOW];
    if (!feed->live || feed->leader != feed->own)
        return true;
    bool another = top->here && top->height == feed->top.n && top->block_from != feed->own;
    return another && (own->latest != feed->top.n ||
                       memcmp(own->latest_hash, top->id.hash.bytes, HASH_SIZE) != 0);
}

static void ask_seal(struct feed *feed)
{
    struct fault fault;
    feed->seal.state = SEAL_ASKED;
    if (feed_ask(feed, CALL_COMMIT, feed->top.n, 1, 0))
        return;
    fault_set(&fault, "commit of block %llu: nobody to ask", (unsigned long long)feed->top.n);
    feed_trouble(feed, &fault);
}

void feed_start_round(struct feed *feed, uint32_t leader)
{
    struct slot *before = feed_slot(feed, feed->next - 1);
    assert(feed->phase == FEED_LIVE && before->height == feed->next - 1);
    assert(feed->endpoints[leader].latest >= feed->next);
    feed->leader = leader;
    feed->head = feed->top = height_at(feed->endpoints[leader].latest);
    feed->phase = FEED_RANGE;
    feed->gap_ms = 0;
    if (!before->results_wanted && feed_wants_results(feed, before))
        feed_want_results(feed, before, 0);
    feed_schedule(feed);
    if (feed->phase == FEED_RANGE && needs_seal(feed))
        ask_seal(feed);
}

void feed_range_read(struct feed *feed)
{
    bool kept_only = feed->config.kept && feed->top.n == view_head(feed->view).n;
    if (kept_only || !needs_seal(feed)) {
        feed_sealed(feed);
        return;
    }
    feed->phase = FEED_SEAL;
    if (feed->seal.state == SEAL_NONE)
        ask_seal(feed);
    else
        feed_judge_seal(feed);
}

/* Of the top block no more than what the one behind it is checked against. */
static void set_base(struct feed *feed)
{
    struct slot *top = feed_slot(feed, feed->top.n);
    struct base *base = &feed->base;
    uint32_t tx_count = top->block.tx_count;
    reply_block_destroy(&top->block);
    top->block.tx_count = tx_count;
    feed_set_drop(&base->older);
    feed_set_drop(&base->before);
    feed_set_drop(&base->now);
    *base = (struct base){
        .slot = {.height = top->height,
                 .full = top->full,
                 .here = true,
                 .block_from = top->block_from,
                 .header = top->header,
                 .id = top->id},
        .older = feed_set_hold(feed->older),
        .before = feed_set_hold(feed->before),
        .now = feed_set_hold(feed->now),
    };
    base->slot.block.tx_count = tx_count;
}

static void reset_seal(struct feed *feed)
{
    reply_commit_destroy(&feed->seal.commit);
    feed->seal = (struct seal){.state = SEAL_NONE};
}

/* What a range of days took is not needed again, and the process runs for months. */
static void give_back_memory(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

void feed_sealed(struct feed *feed)
{
    assert(feed->phase == FEED_RANGE || feed->phase == FEED_SEAL);
    bool first = !feed->live, several = feed->top.n > feed->base.slot.height + 1;
    feed_replay(feed);
    reset_seal(feed);
    feed->lost = false;
    feed->live = true;
    feed->moved_ms = zclock_mono();
    if (!feed->config.follow) {
        feed_stop(feed, FEED_READ, NULL);
        return;
    }
    set_base(feed);
    if (feed->leader != feed->own) /* its word has held */
        feed->endpoints[feed->leader].suspect_until_ms = 0;
    feed->phase = FEED_LIVE;
    feed_judge_own(feed);
    if (first) {
        give_back_memory();
        feed_tell_read(feed);
    } else if (several) /* it took its time: there may be more by now */
        feed_head_look(feed, true);
}

/* --- standing back --- */

void feed_stand_back(struct feed *feed, const char *why, bool all)
{
    assert(feed->config.follow);
    if (feed->phase == FEED_STOPPED || feed->phase == FEED_BACK)
        return;
    feed->phase = FEED_BACK;
    feed->back_all = all;
    feed_drop_calls(feed);
    feed->trouble_ms = zclock_mono();
    feed->pause_until_ms = feed->trouble_ms + FEED_PAUSE_MS;
    feed_lost(feed, why);
}

void feed_trouble(struct feed *feed, const struct fault *fault)
{
    if (feed->config.follow)
        feed_stand_back(feed, fault->text, false);
    else
        feed_fail(feed, fault);
}

static void restore_set(struct set **set, struct set *from)
{
    feed_set_drop(set);
    *set = feed_set_hold(from);
}

static void drop_facts(struct feed *feed, size_t left)
{
    for (size_t i = left; i < feed->fact_count; i++)
        feed_facts_free(&feed->facts[i]);
    if (feed->fact_count > left)
        feed->fact_count = left;
}

/* Behind the latest block that the view has; without one, from the beginning. */
static void unread(struct feed *feed)
{
    const struct base *base = &feed->base;
    drop_facts(feed, base->slot.height ? feed->given : 0);
    restore_set(&feed->older, base->older);
    restore_set(&feed->before, base->before);
    restore_set(&feed->now, base->now);
    if (base->slot.height) {
        struct slot *slot = feed_slot(feed, base->slot.height);
        feed_slot_reset(slot);
        uint32_t attempt = slot->next.attempt;
        *slot = base->slot;
        slot->next.attempt = attempt;
        feed->next = base->slot.height + 1;
    } else {
        feed->given = 0;
        feed->next = feed->first.n;
        free(feed->begin_set);
        feed->begin_set = NULL;
    }
}

static void go_back(struct feed *feed)
{
    uint64_t asked = feed->asked, from = feed->next;
    if (feed->back_all)
        from = feed->base.slot.height ? feed->base.slot.height + 1 : feed->first.n;
    for (uint64_t height = from; height <= asked; height++)
        feed_slot_reset(feed_slot(feed, height));
    if (feed->back_all)
        unread(feed);
    reset_seal(feed);
    feed->top = height_at(feed->next - 1);
    feed->asked = feed->next - 1;
    if (feed->fact_count == 0) { /* nothing has been read yet */
        feed_set_reset(&feed->first_set);
        feed->phase = FEED_SURVEY;
        return;
    }
    struct slot *top = feed_slot(feed, feed->top.n);
    top->results_wanted = top->results_here;
    feed->phase = FEED_LIVE;
}

void feed_settle(struct feed *feed)
{
    if (feed->phase == FEED_BACK)
        go_back(feed);
}
