/* The window of heights under way: what is asked for each, and the checks of what stands by itself. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/feed_internal.h"

struct slot *feed_slot(struct feed *feed, uint64_t height)
{
    return &feed->slots[height % FEED_WINDOW];
}

static void drop_results(struct slot *slot)
{
    if (slot->results_here)
        reply_results_destroy(&slot->results);
    slot->results_here = false;
}

static void drop_block(struct slot *slot)
{
    if (slot->here && slot->full)
        reply_block_destroy(&slot->block);
    slot->here = false;
}

void feed_slot_reset(struct slot *slot)
{
    drop_results(slot);
    drop_block(slot);
    struct set_ask next = slot->next;
    feed_set_reset(&next);
    *slot = (struct slot){.next = next};
}

/* --- what is asked --- */

/* Headers are asked for so many at a time that one endpoint has them all. */
static uint32_t header_count(const struct feed *feed, uint64_t from, uint64_t limit)
{
    uint64_t end = from + FEED_HEADERS;
    if (end > limit)
        end = limit;
    for (uint32_t e = 0; e < feed->endpoint_count; e++)
        if (feed->endpoints[e].earliest > from && feed->endpoints[e].earliest < end)
            end = feed->endpoints[e].earliest;
    return (uint32_t)(end - from);
}

static void lost(struct feed *feed, uint64_t height)
{
    struct fault fault;
    fault_set(&fault, "block %llu: no node that was given has it", (unsigned long long)height);
    feed_trouble(feed, &fault);
}

static void open_slots(struct feed *feed, uint64_t height, uint32_t count, bool full)
{
    for (uint32_t i = 0; i < count; i++) {
        struct slot *slot = feed_slot(feed, height + i);
        assert(slot->height == 0);
        slot->height = height + i;
        slot->full = full;
    }
    feed->asked = height + count - 1;
    if (!feed_ask(feed, full ? CALL_BLOCK : CALL_HEADERS, height, count, 0))
        lost(feed, height);
}

void feed_schedule(struct feed *feed)
{
    while (feed->phase == FEED_RANGE && feed->asked < feed->top.n) {
        uint64_t height = feed->asked + 1, held = height + 1 - feed->next;
        bool full = height >= feed->full_from.n;
        if (full && held > (uint64_t)feed->config.in_flight_max * FEED_AHEAD)
            return;
        uint64_t room =
            feed->next + FEED_WINDOW - 1 - height; /* the slot before `next` is in use */
        uint64_t limit = feed->full_from.n < feed->top.n + 1 ? feed->full_from.n : feed->top.n + 1;
        uint32_t count = full ? 1 : header_count(feed, height, limit);
        if (room < count)
            return;
        open_slots(feed, height, count, full);
    }
}

void feed_want_results(struct feed *feed, struct slot *slot, uint32_t tried)
{
    slot->results_wanted = true;
    if (!feed_ask(feed, CALL_RESULTS, slot->height, 1, tried))
        lost(feed, slot->height);
}

static void want_set(struct feed *feed, struct slot *slot)
{
    const struct header *h = &slot->header;
    bool changes = !hash_equal(&h->validators_hash, &h->next_validators_hash);
    bool thorough = feed->thorough && slot->full;
    struct set *kept = feed_set_kept(feed, &h->next_validators_hash);
    if (changes && kept && !thorough)
        slot->next.set = feed_set_hold(kept);
    else if (changes || thorough)
        feed_set_ask(feed, &slot->next, slot->height + 1);
}

/* V(first): by the header of the first block itself. Where it does not change it is V(first + 1) too. */
static void want_first_set(struct feed *feed, const struct slot *slot)
{
    const struct header *h = &slot->header;
    bool changes = !hash_equal(&h->validators_hash, &h->next_validators_hash);
    bool itself = changes || feed->thorough;
    feed_set_ask(feed, &feed->first_set, slot->height + !itself);
}

bool feed_first_set_elsewhere(struct feed *feed)
{
    const struct header *h = &feed_slot(feed, feed->first.n)->header;
    if (feed->first_set.height != feed->first.n ||
        !hash_equal(&h->validators_hash, &h->next_validators_hash))
        return false;
    feed_set_ask(feed, &feed->first_set, feed->first.n + 1);
    return true;
}

/* Of a kept head they may have been given long ago. */
bool feed_wants_results(const struct feed *feed, const struct slot *slot)
{
    bool given =
        feed->config.kept && slot->height == feed->first.n && !feed->config.kept_results_due;
    return slot->here && slot->full && (slot->block.tx_count > 0 || feed->thorough) && !given;
}

static void settle(struct feed *feed, struct slot *slot)
{
    slot->here = true;
    if (slot->height == feed->first.n)
        want_first_set(feed, slot);
    want_set(feed, slot);
    if (slot->height < feed->top.n && feed_wants_results(feed, slot))
        feed_want_results(feed, slot, 0);
    feed_advance(feed);
}

/* --- what comes back --- */

static bool header_fits(const struct feed *feed, uint64_t height, const struct header *header,
                        const struct block_id *id, struct fault *fault)
{
    if (header->height < 0 || (uint64_t)header->height != height)
        return fault_set(fault, "header.height: %lld, asked for %llu", (long long)header->height,
                         (unsigned long long)height);
    if (strcmp(header->chain_id, feed->config.charter.chain_id) != 0)
        return fault_set(fault, "header.chain_id: \"%s\", expected \"%s\"", header->chain_id,
                         feed->config.charter.chain_id);
    return header_check_id(header, id, fault);
}

static bool block_fits(const struct feed *feed, uint64_t height, const struct reply_block *block,
                       struct fault *fault)
{
    const struct header *header = &block->header;
    const struct commit *last = &block->last_commit;
    if (!header_fits(feed, height, header, &block->id, fault) ||
        !header_check_data(header, block->txs, block->tx_count, fault) ||
        !header_check_evidence(header, block->evidence_count, fault) ||
        !header_check_commit(header, last, fault))
        return false;
    if (header->last_block_id.hash.none) /* the chain's first: there is nothing to commit to */
        return (last->height == 0 && last->round == 0 && last->block_id.hash.none) ||
               fault_set(fault, "last_commit: expected none in the chain's first block");
    if (last->height < 0 || (uint64_t)last->height + 1 != height)
        return fault_set(fault, "last_commit.height: %lld, expected %llu", (long long)last->height,
                         (unsigned long long)height - 1);
    if (!block_id_equal(&last->block_id, &header->last_block_id))
        return fault_set(fault, "last_commit.block_id is not header.last_block_id");
    return true;
}

void feed_take_block(struct feed *feed, const struct call *call, struct reply_block *block)
{
    struct slot *slot = feed_slot(feed, call->height);
    struct fault fault;
    assert(slot->height == call->height && !slot->here);
    slot->block_tried = call->tried;
    if (!block_fits(feed, call->height, block, &fault)) {
        if (feed_contradicted(feed, CALL_BLOCK, call->height, call->endpoint, &slot->block_tried,
                              &fault))
            feed_ask(feed, CALL_BLOCK, call->height, 1, slot->block_tried);
        return;
    }
    slot->block_from = call->endpoint;
    slot->block = *block;
    *block = (struct reply_block){.tx_count = 0}; /* its memory is the slot's now */
    slot->header = slot->block.header;
    slot->id = slot->block.id;
    settle(feed, slot);
}

static void take_header(struct feed *feed, const struct call *call, uint64_t height,
                        const struct header *header, const struct block_id *id)
{
    struct slot *slot = feed_slot(feed, height);
    struct fault fault;
    assert(slot->height == height && !slot->here && !slot->full);
    if (!header_fits(feed, height, header, id, &fault)) {
        slot->block_tried |= call->tried;
        if (feed_contradicted(feed, CALL_HEADERS, height, call->endpoint, &slot->block_tried,
                              &fault))
            feed_ask(feed, CALL_HEADERS, height, 1, slot->block_tried);
        return;
    }
    slot->block_from = call->endpoint;
    slot->header = *header;
    slot->id = *id;
    settle(feed, slot);
}

void feed_take_headers(struct feed *feed, const struct call *call, struct reply_headers *headers)
{
    struct fault fault;
    if (headers->count != call->count) { /* a node that has pruned meanwhile, or none of ours */
        uint32_t tried = call->tried;
        fault_set(&fault, "%u of %u headers", headers->count, call->count);
        if (feed_contradicted(feed, CALL_HEADERS, call->height, call->endpoint, &tried, &fault))
            feed_ask(feed, CALL_HEADERS, call->height, call->count, tried);
        return;
    }
    for (uint32_t i = headers->count; i-- > 0 && feed->phase == FEED_RANGE;) {
        uint64_t height = call->height + headers->count - 1 - i;
        take_header(feed, call, height, &headers->headers[i], &headers->ids[i]);
    }
}

void feed_take_results(struct feed *feed, const struct call *call, struct reply_results *results)
{
    struct slot *slot = feed_slot(feed, call->height);
    assert(slot->height == call->height && slot->here && slot->full && !slot->results_here);
    slot->results_tried = call->tried;
    slot->results_from = call->endpoint;
    slot->results = *results;
    *results = (struct reply_results){.count = 0};
    slot->results_here = true;
    feed_advance(feed);
}
