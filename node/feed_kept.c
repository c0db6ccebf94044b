/* A view from a journal: whether the chain still is the one that it was made from. */
#include <assert.h>
#include <string.h>

#include "node/feed_internal.h"
#include "proto/encoding.h"

static const char remedy[] =
    "the journal's history is of another chain or of a fork: check chain id and nodes; if they are "
    "right, move the journal away, and the agent begins anew";

/* --- what the view knows, for what the feed knows beside it --- */

/* The first height that the validator has been in the set, or out of it, since; as far as the view remembers. */
static struct height find_since(const struct view *view, uint32_t validator)
{
    struct height head = view_head(view), first = view_first(view);
    bool member = view_in_set(view, validator, height_after(head, 1));
    for (uint64_t back = 0; back + 2 < VIEW_BLOCKS_KEPT && head.n - back >= first.n; back++)
        if (view_in_set(view, validator, height_before(head, back)) != member)
            return height_before(height_after(head, 1), back);
    return HEIGHT_NONE;
}

static struct instant time_of(const struct view *view, struct height height)
{
    const struct view_pulse *pulse = view_pulse(view, height);
    return pulse ? pulse->time : (struct instant){0};
}

void feed_kept_begin(struct feed *feed)
{
    const struct view *view = feed->view;
    struct height head = view_head(view);
    assert(head.n > 0 && head.n >= view_first(view).n);
    feed->begun = true;
    feed->results_due = feed->config.kept_results_due;
    for (uint32_t i = 0; i < view_count(view); i++) {
        struct height since = find_since(view, i);
        feed->seen[i] = (struct seen){
            .first_member = view_in_set(view, i, head),
            .member = view_in_set(view, i, height_after(head, 1)),
            .since = since,
            .since_ms = time_of(view, height_before(since, 2)),
            .pause_ms = time_of(view, view_validator(view, i)->pause),
        };
    }
    for (uint64_t back = VIEW_BLOCKS_KEPT; back-- > 0;) {
        struct height h = height_before(head, back);
        const struct view_pulse *pulse = back < head.n ? view_pulse(view, h) : NULL;
        if (pulse)
            feed_keep_hash(feed, h, pulse->hash);
    }
}

/* Its claims have counted as well if its results have. */
void feed_kept_taken(struct feed *feed)
{
    feed->given = 1;
    if (!feed->results_due)
        feed->facts[0].deed_count = 0;
}

/* --- before anything is asked: by the endpoints' statuses --- */

static bool other_hash(const struct feed *feed, const char *url, uint64_t height,
                       const uint8_t *there, struct fault *fault)
{
    char known[HEX_TEXT(HASH_SIZE)], hash[HEX_TEXT(HASH_SIZE)];
    hex_encode_upper(feed_known_hash(feed, height), HASH_SIZE, known);
    hex_encode_upper(there, HASH_SIZE, hash);
    known[16] = hash[16] = '\0';
    return fault_set(fault, "block %llu has hash %s... in the journal and %s... at %s: %s",
                     (unsigned long long)height, known, hash, url, remedy);
}

/* One's own node cannot have the kept head, and is not about to. */
static bool is_shorter(const struct feed *feed, struct fault *fault)
{
    const struct endpoint *own = &feed->endpoints[feed->own];
    uint64_t head = view_head(feed->view).n;
    if (!own->usable || own->catching_up || own->latest + VIEW_BLOCKS_KEPT > head)
        return false;
    fault_set(fault, "the journal knows block %llu, but the chain of %s ends with block %llu: %s",
              (unsigned long long)head, feed_url(feed, feed->own), (unsigned long long)own->latest,
              remedy);
    return true;
}

enum kept_verdict feed_kept_judge(const struct feed *feed, struct fault *fault)
{
    const struct endpoint *own = &feed->endpoints[feed->own];
    uint64_t head = view_head(feed->view).n;
    bool reached = false;
    const uint8_t *known = feed_known_hash(feed, own->latest);
    if (own->usable && known && memcmp(known, own->latest_hash, HASH_SIZE) != 0) {
        (void)other_hash(feed, feed_url(feed, feed->own), own->latest, own->latest_hash, fault);
        return KEPT_FORK;
    }
    if (is_shorter(feed, fault))
        return KEPT_FORK;
    for (uint32_t e = 0; e < feed->endpoint_count; e++) {
        const struct endpoint *at = &feed->endpoints[e];
        if (at->usable && at->earliest <= head && head <= at->latest)
            return KEPT_GO;
        reached |= at->usable && head <= at->latest;
    }
    if (own->usable && own->earliest > head)
        return KEPT_GAP;
    fault_set(fault,
              "%s: nobody who answers has block %llu, where the journal ends: waiting for %s",
              own->usable ? feed_url(feed, feed->own) : feed->shown.why, (unsigned long long)head,
              reached ? "those who do not answer" : "it");
    return KEPT_WAIT;
}

/* --- by the block and the sets --- */

bool feed_kept_hash(const struct feed *feed, const struct slot *slot, struct fault *fault)
{
    const uint8_t *known = feed_known_hash(feed, slot->height);
    assert(known && slot->height == view_head(feed->view).n);
    return memcmp(known, slot->id.hash.bytes, HASH_SIZE) == 0 ||
           other_hash(feed, feed_url(feed, slot->block_from), slot->height, slot->id.hash.bytes,
                      fault);
}

static bool same_members(const struct view *view, const struct set *set, uint64_t height,
                         bool powers, struct fault *fault)
{
    uint32_t members = 0, same = 0;
    for (uint32_t i = 0; i < view_count(view); i++)
        members += view_in_set(view, i, height_at(height));
    for (uint32_t i = 0; i < set->count; i++)
        same += view_in_set(view, set->index[i], height_at(height)) &&
                (!powers || view_validator(view, set->index[i])->power == set->members[i].power);
    return (members == set->count && same == set->count) ||
           fault_set(
               fault,
               "the validators of height %llu are %u in the journal and %u on the chain, %u of "
               "them the same: %s",
               (unsigned long long)height, members, set->count, same, remedy);
}

/* Powers are known of V(head + 1) only. */
bool feed_kept_sets(const struct feed *feed, const struct set *now, const struct set *after,
                    struct fault *fault)
{
    uint64_t head = view_head(feed->view).n;
    return same_members(feed->view, now, head, false, fault) &&
           same_members(feed->view, after, head + 1, true, fault);
}
