/* Validator sets: pages put together, checked against the header that promises them, and kept by hash: a
 * validator that leaves and comes back makes a set that was there before. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/feed_internal.h"

struct set *feed_set_hold(struct set *set)
{
    if (set)
        set->refs++;
    return set;
}

void feed_set_drop(struct set **set)
{
    struct set *s = *set;
    *set = NULL;
    if (!s || --s->refs > 0)
        return;
    free(s->members);
    free(s->index);
    free(s);
}

struct set *feed_set_kept(const struct feed *feed, const struct hash *hash)
{
    for (uint32_t i = 0; i < FEED_SETS_KEPT; i++)
        if (feed->kept[i] && !hash->none &&
            memcmp(feed->kept[i]->hash, hash->bytes, HASH_SIZE) == 0)
            return feed->kept[i];
    return NULL;
}

/* A follower runs for months: of large sets it keeps fewer. */
static void keep_few(struct feed *feed)
{
    uint64_t members = 0;
    for (uint32_t i = 0; i < FEED_SETS_KEPT; i++) { /* the newest first */
        struct set **set = &feed->kept[(feed->keep_at - 1 - i) % FEED_SETS_KEPT];
        members += *set ? (*set)->count : 0;
        if (i > 0 && members > FEED_MEMBERS_KEPT)
            feed_set_drop(set);
    }
}

static void keep(struct feed *feed, struct set *set)
{
    struct hash hash = {.none = false};
    memcpy(hash.bytes, set->hash, HASH_SIZE);
    if (feed_set_kept(feed, &hash))
        return;
    struct set **place = &feed->kept[feed->keep_at++ % FEED_SETS_KEPT];
    feed_set_drop(place);
    *place = feed_set_hold(set);
    if (feed->config.follow)
        keep_few(feed);
}

/* A set that the chain itself could not have, but somebody who makes up a chain could. */
static bool is_sane(struct feed *feed, const struct set *set, struct fault *fault)
{
    int64_t power = 0;
    uint32_t twice = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        int64_t *mark = &feed->powers[set->index[i]];
        twice += *mark != 0;
        *mark = 1;
        power = power <= FEED_POWER_MAX ? power + set->members[i].power : power;
    }
    for (uint32_t i = 0; i < set->count; i++)
        feed->powers[set->index[i]] = 0;
    if (twice > 0)
        return fault_set(fault, "a validator stands in it twice");
    return power <= FEED_POWER_MAX || fault_set(fault, "more power than there can be");
}

static bool enrol(struct feed *feed, struct set *set, struct fault *fault)
{
    for (uint32_t i = 0; i < set->count; i++) {
        set->index[i] = view_enrol(feed->view, set->members[i].address);
        if (set->index[i] == VALIDATOR_NONE)
            return fault_set(fault, "more than %d validators are known", VIEW_VALIDATORS_MAX);
    }
    return is_sane(feed, set, fault);
}

/* Takes the members over. */
static bool make_set(struct feed *feed, struct set_ask *into, struct fault *fault)
{
    struct set *set = feed_room(NULL, 1, sizeof *set);
    *set = (struct set){.refs = 1, .count = into->total, .members = into->members};
    into->members = NULL;
    set->index = feed_room(NULL, set->count, sizeof *set->index);
    members_hash(set->members, set->count, set->hash);
    into->set = set;
    if (!enrol(feed, set, fault))
        return false;
    keep(feed, set);
    return true;
}

void feed_set_reset(struct set_ask *into)
{
    feed_set_drop(&into->set);
    free(into->members);
    *into = (struct set_ask){.attempt = into->attempt + 1};
}

static void restart(struct feed *feed, struct set_ask *into, uint64_t height, uint32_t tried)
{
    feed_set_reset(into);
    into->height = height;
    into->tried = tried;
    if (feed_ask_page(feed, into, 1, RPC_ANY))
        return;
    struct fault fault;
    fault_set(&fault, "validators of height %llu: nobody to ask", (unsigned long long)height);
    feed_trouble(feed, &fault);
}

void feed_set_ask(struct feed *feed, struct set_ask *into, uint64_t height)
{
    restart(feed, into, height, 0);
}

/* The whole of what a page must be beside its members; what the set must be is said by a header's hash. */
static bool page_fits(const struct set_ask *into, const struct call *call,
                      const struct reply_validators *page, struct fault *fault)
{
    uint32_t first = (call->page - 1) * FEED_PAGE;
    if (page->height != (int64_t)into->height)
        return fault_set(fault, "block_height: %lld, asked for %llu", (long long)page->height,
                         (unsigned long long)into->height);
    if (page->total == 0 || page->total > REPLY_MEMBERS_MAX || first >= page->total)
        return fault_set(fault, "total: %u on page %u; expected 1 to %d", page->total, call->page,
                         REPLY_MEMBERS_MAX);
    if (call->page > 1 && page->total != into->total)
        return fault_set(fault, "total: %u on page %u, %u on page 1", page->total, call->page,
                         into->total);
    uint32_t expected = page->total - first < FEED_PAGE ? page->total - first : FEED_PAGE;
    if (page->count != expected)
        return fault_set(fault, "validators: %u on page %u of %u in all, expected %u", page->count,
                         call->page, page->total, expected);
    for (uint32_t i = 0; i < page->count; i++) {
        uint8_t address[ADDRESS_SIZE];
        member_address(page->members[i].public_key, address);
        if (memcmp(address, page->members[i].address, ADDRESS_SIZE) != 0)
            return fault_set(fault, "validators[%u].address is not that of its pub_key", i);
    }
    return true;
}

/* The header that promises the set: V(first) by that of the first block, V(h+1) by that of h. */
static bool set_fits(struct feed *feed, const struct set_ask *into, struct fault *fault)
{
    if (into == &feed->first_set && into->height == feed->first.n)
        return header_check_members(&feed_slot(feed, feed->first.n)->header, into->members,
                                    into->total, fault);
    return header_check_next(&feed_slot(feed, into->height - 1)->header, into->members, into->total,
                             fault);
}

static void complete(struct feed *feed, const struct call *call)
{
    struct set_ask *into = call->into;
    struct fault fault;
    if (!set_fits(feed, into, &fault)) {
        uint32_t tried = into->tried;
        if (feed_contradicted(feed, CALL_SET, into->height, call->endpoint, &tried, &fault))
            restart(feed, into, into->height, tried);
        return;
    }
    if (!make_set(feed, into, &fault)) {
        struct fault whole;
        feed_blame(feed, CALL_SET, into->height, call->endpoint, &fault, &whole);
        feed_fail(feed,
                  &whole); /* it is what the header promises: nobody else could say otherwise */
        return;
    }
    feed_advance(feed);
}

void feed_set_take(struct feed *feed, const struct call *call, struct reply_validators *page)
{
    struct set_ask *into = call->into;
    struct fault fault;
    if (call->attempt != into->attempt)
        return;
    if (!page_fits(into, call, page, &fault)) {
        uint32_t tried = into->tried;
        if (feed_contradicted(feed, CALL_SET, into->height, call->endpoint, &tried, &fault))
            restart(feed, into, into->height, tried);
        return;
    }
    if (call->page == 1) {
        into->total = page->total;
        into->members = feed_room(NULL, page->total, sizeof *into->members);
        for (uint32_t p = 2; (p - 1) * FEED_PAGE < page->total; p++)
            feed_ask_page(feed, into, p, call->endpoint);
    }
    memcpy(into->members + (call->page - 1) * FEED_PAGE, page->members,
           page->count * sizeof *page->members);
    into->here += page->count;
    if (into->here == into->total)
        complete(feed, call);
}
