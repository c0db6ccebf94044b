/* One height after the other: what a block says of the one before, and what the one behind says of it. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/feed_internal.h"
#include "proto/encoding.h"

static void fail_at(struct feed *feed, enum call_kind kind, uint64_t height, uint32_t endpoint,
                    const struct fault *fault)
{
    struct fault whole;
    feed_blame(feed, kind, height, endpoint, fault, &whole);
    feed_fail(feed, &whole);
}

/* While following, a block behind one that the view does not have yet: either may be the wrong one. */
static void reject_both(struct feed *feed, const struct slot *slot, const struct fault *fault)
{
    struct fault whole;
    feed_blame(feed, CALL_BLOCK, slot->height, slot->block_from, fault, &whole);
    feed_suspect(feed, slot->block_from);
    feed_suspect(feed, feed->leader);
    if (feed->endpoint_count == 1)
        feed_fail(feed, &whole);
    else
        feed_stand_back(feed, whole.text, true);
}

/* A block that stands by itself but not on the block before: taken from another node. One's own is believed where the
 * range is read once. */
static void replace_block(struct feed *feed, struct slot *slot, const struct fault *fault)
{
    uint64_t height = slot->height;
    uint32_t tried = slot->block_tried, from = slot->block_from;
    bool full = slot->full;
    if (!feed->config.follow && from == feed->own) {
        fail_at(feed, CALL_BLOCK, height, from, fault);
        return;
    }
    if (feed->config.follow && height != feed->first.n && height != feed->base.slot.height + 1) {
        reject_both(feed, slot, fault);
        return;
    }
    enum call_kind kind = full ? CALL_BLOCK : CALL_HEADERS;
    if (!feed_contradicted(feed, kind, height, from, &tried, fault))
        return;
    feed_slot_reset(slot);
    slot->height = height;
    slot->full = full;
    slot->block_tried = tried;
    feed_ask(feed, kind, height, 1, tried);
}

/* Header h on header h-1. Both hash to their own ids, so a difference is one between two stories; only the parts of
 * the earlier id are bound by nothing but the later header. */
static bool links(struct feed *feed, const struct slot *before, struct slot *slot)
{
    struct fault fault;
    if (!header_check_next_header(&before->header, &slot->header, &fault)) {
        replace_block(feed, slot, &fault);
        return false;
    }
    if (feed->config.follow || block_id_equal(&before->id, &slot->header.last_block_id))
        return true; /* parts are nothing to the view, and to a seal only those of the top */
    char said[HEX_TEXT(HASH_SIZE)], bound[HEX_TEXT(HASH_SIZE)];
    hex_encode_upper(before->id.parts_hash.bytes, HASH_SIZE, said);
    hex_encode_upper(slot->header.last_block_id.parts_hash.bytes, HASH_SIZE, bound);
    fault_set(
        &fault,
        "block_id.parts: total %u, hash %s; last_block_id of header %llu says total %u, hash %s",
        before->id.parts_total, said, (unsigned long long)slot->height,
        slot->header.last_block_id.parts_total, bound);
    fail_at(feed, CALL_BLOCK, before->height, before->block_from, &fault);
    return false;
}

static bool results_bound(const struct slot *before, const struct slot *slot, struct fault *fault)
{
    const struct reply_results *r = &before->results;
    if (r->height < 0 || (uint64_t)r->height != before->height)
        return fault_set(fault, "height: %lld, asked for %llu", (long long)r->height,
                         (unsigned long long)before->height);
    if (r->count != before->block.tx_count)
        return fault_set(fault, "txs_results: %u of %u transactions", r->count,
                         before->block.tx_count);
    struct tx_result *bound = feed_room(NULL, r->count ? r->count : 1, sizeof *bound);
    for (uint32_t i = 0; i < r->count; i++)
        bound[i] = r->results[i].bound;
    bool ok = header_check_results(&slot->header, bound, r->count, fault);
    free(bound);
    return ok;
}

/* Results of h-1 by header h. A block without transactions has an empty list of results, which is bound as well. */
static bool results_fit(struct feed *feed, struct slot *before, const struct slot *slot)
{
    struct fault fault;
    if (!before->results_here || results_bound(before, slot, &fault))
        return true;
    uint32_t tried = before->results_tried;
    if (feed_contradicted(feed, CALL_RESULTS, before->height, before->results_from, &tried,
                          &fault)) {
        reply_results_destroy(&before->results);
        before->results_here = false;
        feed_want_results(feed, before, tried);
    }
    return false;
}

/* The head is what the status of one's own node says, with its hash. While following, feed_judge_own() compares. */
static bool is_head(struct feed *feed, const struct slot *slot)
{
    const struct endpoint *own = &feed->endpoints[feed->own];
    if (feed->config.follow || own->latest != slot->height ||
        memcmp(slot->id.hash.bytes, own->latest_hash, HASH_SIZE) == 0)
        return true;
    struct fault fault;
    char hash[HEX_TEXT(HASH_SIZE)];
    hex_encode_upper(own->latest_hash, HASH_SIZE, hash);
    fault_set(&fault, "latest_block_hash is %s, which is not the hash of that block", hash);
    fail_at(feed, CALL_STATUS, slot->height, feed->own, &fault);
    return false;
}

static bool is_trusted(struct feed *feed, const struct slot *slot)
{
    if (feed->config.trusted.n != slot->height ||
        memcmp(slot->id.hash.bytes, feed->config.trusted_hash, HASH_SIZE) == 0)
        return true;
    struct fault fault;
    char hash[HEX_TEXT(HASH_SIZE)];
    hex_encode_upper(feed->config.trusted_hash, HASH_SIZE, hash);
    fault_set(&fault, "its hash is not %s, which was known before", hash);
    fail_at(feed, CALL_BLOCK, slot->height, slot->block_from, &fault);
    return false;
}

/* Thorough without being asked: as long as that takes seconds. */
static bool few_signatures(const struct feed *feed)
{
    uint64_t blocks = feed->top.n - feed->first.n + 1;
    return feed->thorough && feed->before && blocks * feed->before->count <= FEED_SIGNATURES;
}

/* Where a round goes on from a block that is believed: a set that replaces another counts when that one has signed the
 * header which promises it, and the newest of one's own node counts on its word, but not what is below. */
static bool must_be_signed(const struct feed *feed, const struct slot *slot)
{
    const struct slot *before = &feed->slots[(slot->height - 1) % FEED_WINDOW];
    bool goes_on = feed->live || (feed->config.kept && slot->height > feed->first.n + 1);
    bool changed = !hash_equal(&before->header.validators_hash, &slot->header.validators_hash);
    bool newest = slot->height == feed->top.n && feed->leader == feed->own && feed->live;
    return goes_on && (changed || newest);
}

/* The last commit of block h by V(h-1), signature by signature. */
static bool signed_by(struct feed *feed, struct slot *slot)
{
    struct fault fault;
    bool wanted = feed->config.thorough || few_signatures(feed) || must_be_signed(feed, slot);
    if (!wanted || !slot->full || !feed->before ||
        commit_verify(&slot->block.last_commit, feed->config.charter.chain_id,
                      &slot->header.last_block_id, (int64_t)slot->height - 1, feed->before->members,
                      feed->before->count, &fault))
        return true;
    fault_within(&fault, "last_commit");
    replace_block(feed, slot, &fault);
    return false;
}

static bool is_ready(struct feed *feed, const struct slot *slot)
{
    const struct header *h = &slot->header;
    const struct slot *before = feed_slot(feed, slot->height - 1);
    bool first = slot->height == feed->first.n;
    if (slot->height != feed->next || !slot->here)
        return false;
    if (!slot->next.set &&
        (slot->next.height > 0 || !hash_equal(&h->validators_hash, &h->next_validators_hash)))
        return false;
    return first ? feed->first_set.set != NULL : !before->results_wanted || before->results_here;
}

static const struct set *set_behind(const struct slot *slot, const struct set *now)
{
    return slot->next.set ? slot->next.set : now;
}

/* The head of a kept view. What one's own node says is the chain; of others the next one is heard. */
static bool is_kept(struct feed *feed, struct slot *slot)
{
    struct fault fault;
    if (!feed_kept_hash(feed, slot, &fault)) {
        if (slot->block_from == feed->own)
            feed_stop(feed, FEED_FORK, &fault);
        else
            replace_block(feed, slot, &fault);
        return false;
    }
    const struct set *now = feed->first_set.set;
    if (feed_kept_sets(feed, now, set_behind(slot, now), &fault))
        return true;
    feed_stop(feed, FEED_FORK, &fault);
    return false;
}

static bool stands(struct feed *feed, struct slot *slot)
{
    struct slot *before = feed_slot(feed, slot->height - 1);
    if (slot->height == feed->first.n)
        return feed->config.kept ? is_kept(feed, slot)
                                 : is_trusted(feed, slot) && is_head(feed, slot);
    return links(feed, before, slot) && results_fit(feed, before, slot) && is_trusted(feed, slot) &&
           is_head(feed, slot) && signed_by(feed, slot);
}

static void begin(struct feed *feed, const struct slot *slot)
{
    feed->now = feed_set_hold(feed->first_set.set);
    feed->chain_begins = slot->header.last_block_id.hash.none;
    feed->begin_count = feed->now->count;
    feed->begin_set = feed_room(NULL, feed->begin_count, sizeof *feed->begin_set);
    for (uint32_t i = 0; i < feed->begin_count; i++)
        feed->begin_set[i] = (struct view_change){feed->now->index[i], feed->now->members[i].power};
}

/* Everything that can be said of this height before the one behind it holds. */
static bool take(struct feed *feed, struct slot *slot)
{
    struct slot *before = feed_slot(feed, slot->height - 1);
    struct fault fault;
    if (slot->height == feed->first.n)
        begin(feed, slot);
    else if (before->results_here)
        feed_facts_results(&feed->facts[feed->fact_count - 1], &before->results);
    struct set *after = slot->next.set ? slot->next.set : feed->now;
    if (!feed_facts_add(feed, slot, after, &fault)) {
        if (feed->config.follow)
            replace_block(feed, slot, &fault);
        else
            fail_at(feed, CALL_BLOCK, slot->height, slot->block_from, &fault);
        return false;
    }
    if (feed->config.kept && slot->height == feed->first.n)
        feed_kept_taken(feed);
    feed_set_drop(&feed->older);
    feed->older = feed->before;
    feed->before = feed->now;
    feed->now = feed_set_hold(after);
    if (before->height == slot->height - 1)
        feed_slot_reset(before);
    feed->next++;
    return true;
}

static void tell_progress(const struct feed *feed)
{
    const struct feed_progress progress = {feed->first, height_at(feed->next - 1), feed->top,
                                           feed->requests};
    if (feed->config.progress)
        feed->config.progress(feed->config.owner, &progress);
}

void feed_advance(struct feed *feed)
{
    while (feed->next <= feed->top.n) {
        struct slot *slot = feed_slot(feed, feed->next);
        if (feed->phase != FEED_RANGE || !is_ready(feed, slot) || !stands(feed, slot) ||
            !take(feed, slot))
            return;
        tell_progress(feed);
        feed_schedule(feed);
        if (feed->next > feed->top.n)
            feed_range_read(feed);
    }
}

/* --- the seal: the commit of the top block --- */

static bool commit_fits(const struct feed *feed, const struct slot *top,
                        const struct reply_commit *reply, struct fault *fault)
{
    uint8_t hash[HASH_SIZE];
    header_hash(&reply->header, hash);
    if (memcmp(hash, top->id.hash.bytes, HASH_SIZE) != 0)
        return fault_set(fault, "signed_header.header is another than that of the block");
    return commit_verify(&reply->commit, feed->config.charter.chain_id, &top->id,
                         (int64_t)top->height, feed->before->members, feed->before->count, fault);
}

/* Whether the set of the top's height has signed the header that came with the commit. */
static bool is_signed(const struct feed *feed, const struct reply_commit *reply)
{
    uint8_t hash[HASH_SIZE];
    struct fault fault;
    header_hash(&reply->header, hash);
    return !reply->commit.block_id.hash.none &&
           memcmp(hash, reply->commit.block_id.hash.bytes, HASH_SIZE) == 0 &&
           commit_verify(&reply->commit, feed->config.charter.chain_id, &reply->commit.block_id,
                         (int64_t)feed->top.n, feed->before->members, feed->before->count, &fault);
}

/* Of one who leads in the place of one's own node nothing is believed without a commit: all that was read with this one
 * is read anew. A commit of another header that is right proves the block wrong, not who sent it. */
static void refuse_round(struct feed *feed, const struct fault *fault)
{
    const struct seal *seal = &feed->seal;
    const struct slot *top = feed_slot(feed, feed->top.n);
    struct fault whole;
    feed_blame(feed, CALL_COMMIT, feed->top.n, seal->endpoint, fault, &whole);
    feed_suspect(feed, top->block_from);
    if (!is_signed(feed, &seal->commit))
        feed_suspect(feed, seal->endpoint);
    feed_stand_back(feed, whole.text, true);
}

static void judge_commit(struct feed *feed)
{
    struct seal *seal = &feed->seal;
    struct fault fault;
    if (commit_fits(feed, feed_slot(feed, feed->top.n), &seal->commit, &fault)) {
        feed_sealed(feed);
        return;
    }
    if (feed->config.follow && feed->leader != feed->own) {
        refuse_round(feed, &fault);
        return;
    }
    reply_commit_destroy(&seal->commit);
    seal->state = SEAL_ASKED;
    uint64_t height = feed->top.n;
    if (feed_contradicted(feed, CALL_COMMIT, height, seal->endpoint, &seal->tried, &fault))
        feed_ask(feed, CALL_COMMIT, height, 1, seal->tried);
}

/* Nobody has it: then the block below is the last that signatures hold, and the top one stands on the word of
 * one's own node. */
static void go_without(struct feed *feed)
{
    struct slot *top = feed_slot(feed, feed->top.n);
    const struct set *older = feed->older;
    struct fault fault;
    struct fault line;
    fault_set(
        &line,
        "commit of block %llu: not to be had (%s); signatures are verified up to the block before",
        (unsigned long long)feed->top.n, feed->seal.why);
    if (!feed->unsealed)
        feed_note(feed, line.text);
    feed->unsealed = true;
    if (older && top->full &&
        !commit_verify(&top->block.last_commit, feed->config.charter.chain_id,
                       &top->header.last_block_id, (int64_t)top->height - 1, older->members,
                       older->count, &fault)) {
        fault_within(&fault, "last_commit");
        if (feed->config.follow)
            reject_both(feed, top, &fault);
        else
            fail_at(feed, CALL_BLOCK, top->height, top->block_from, &fault);
        return;
    }
    feed_sealed(feed);
}

/* The word of another than one's own node is not enough. */
static void refuse_leader(struct feed *feed)
{
    struct fault line;
    fault_set(&line, "commit of block %llu, which only %s shows: not to be had (%s)",
              (unsigned long long)feed->top.n, feed_url(feed, feed->leader), feed->seal.why);
    feed_suspect(feed, feed->leader);
    feed_stand_back(feed, line.text, true);
}

void feed_judge_seal(struct feed *feed)
{
    assert(feed->phase == FEED_SEAL);
    if (feed->seal.state == SEAL_HERE)
        judge_commit(feed);
    else if (feed->seal.state == SEAL_REFUSED && feed->leader == feed->own)
        go_without(feed);
    else if (feed->seal.state == SEAL_REFUSED)
        refuse_leader(feed);
}

void feed_take_commit(struct feed *feed, const struct call *call, struct reply_commit *commit)
{
    struct seal *seal = &feed->seal;
    assert(seal->state == SEAL_ASKED && call->height == feed->top.n);
    seal->state = SEAL_HERE;
    seal->endpoint = call->endpoint;
    seal->tried = call->tried;
    seal->commit = *commit;
    *commit = (struct reply_commit){.canonical = false}; /* its memory is the seal's now */
    if (feed->phase == FEED_SEAL)
        feed_judge_seal(feed);
}

void feed_without_commit(struct feed *feed, const char *why)
{
    feed->seal.state = SEAL_REFUSED;
    snprintf(feed->seal.why, sizeof feed->seal.why, "%s", why);
    if (feed->phase == FEED_SEAL)
        feed_judge_seal(feed);
}
