/* The short forms into the view. Results of a block are given when the header behind it has bound them, which is
 * just before the view takes that block. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/feed_internal.h"

/* --- hashes of the last blocks --- */

void feed_keep_hash(struct feed *feed, struct height height, const uint8_t hash[HASH_SIZE])
{
    struct kept_hash *place = &feed->hashes[height.n % FEED_HASHES_KEPT];
    place->height = height.n;
    memcpy(place->hash, hash, HASH_SIZE);
}

const uint8_t *feed_known_hash(const struct feed *feed, uint64_t height)
{
    const struct kept_hash *place = &feed->hashes[height % FEED_HASHES_KEPT];
    return height > 0 && place->height == height ? place->hash : NULL;
}

/* --- into the view --- */

/* The deeds of validators that are known in that place of the chain; returns how many. */
static uint32_t list_txs(struct feed *feed, const struct facts *facts)
{
    if (feed->tx_room < facts->deed_count) {
        feed->tx_room = 2 * facts->deed_count;
        feed->txs = feed_room(feed->txs, feed->tx_room, sizeof *feed->txs);
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < facts->deed_count; i++) {
        const struct deed *deed = &facts->deeds[i];
        uint32_t validator = feed_map_find(&feed->map, deed->who, facts->height.n, deed->index);
        if (!deed->claim && validator != VALIDATOR_NONE)
            feed->txs[count++] = (struct view_tx){
                .validator = validator,
                .kind = deed->kind,
                .index = deed->index,
                .code = deed->code,
                .codespace = deed->codespace,
                .class_minutes = deed->class_minutes,
                .charter = deed->charter,
            };
    }
    return count;
}

static void note_claims(struct feed *feed, const struct facts *facts)
{
    for (uint32_t i = 0; i < facts->deed_count; i++)
        if (facts->deeds[i].claim && facts->deeds[i].code == 0)
            feed_map_claim(feed, facts, &facts->deeds[i]);
}

static void note_changes(struct feed *feed, const struct facts *facts, struct instant decided)
{
    for (uint32_t i = 0; i < facts->change_count; i++) {
        struct seen *seen = &feed->seen[facts->changes[i].validator];
        bool member = facts->changes[i].power > 0;
        if (member == seen->member)
            continue; /* another power */
        seen->member = member;
        seen->since = height_after(facts->height, 1);
        seen->since_ms = decided;
    }
}

static void give_results(struct feed *feed, const struct facts *facts)
{
    uint32_t count = list_txs(feed, facts);
    for (uint32_t i = 0; i < count; i++)
        if (feed->txs[i].kind == TX_PAUSE && feed->txs[i].code == 0)
            feed->seen[feed->txs[i].validator].pause_ms = facts->time;
    view_results(feed->view, feed->txs, count);
    feed->results_due = false;
    if (feed->config.resulted)
        feed->config.resulted(feed->config.owner, feed->view, feed->txs, count);
}

static void give_block(struct feed *feed, const struct facts *facts, struct instant decided)
{
    uint32_t count = list_txs(feed, facts);
    const struct view_block block = {
        .height = facts->height,
        .time = facts->time,
        .hash = facts->hash,
        .missing = facts->missing,
        .missing_count = facts->missing_count,
        .txs = feed->txs,
        .tx_count = count,
        .changes = facts->changes,
        .change_count = facts->change_count,
    };
    note_changes(feed, facts, decided);
    const struct draw *draw = view_block(feed->view, &block);
    feed->results_due = true;
    feed_keep_hash(feed, facts->height, facts->hash);
    if (feed->config.taken)
        feed->config.taken(feed->config.owner, feed->view, &block);
    if (draw && feed->config.draw)
        feed->config.draw(feed->config.owner, feed, draw);
    if (feed->config.block)
        feed->config.block(feed->config.owner, feed, facts->height);
}

static void begin(struct feed *feed)
{
    struct height chain_first = feed->chain_begins ? feed->first : height_at(1);
    view_begin(feed->view, chain_first, feed->first, feed->begin_set, feed->begin_count);
    for (uint32_t i = 0; i < feed->begin_count; i++) {
        struct seen *seen = &feed->seen[feed->begin_set[i].validator];
        seen->first_member = seen->member = true;
    }
    feed->begun = true;
    const struct feed_config *config = &feed->config;
    const struct view_config made =
        feed_view_config(config->chain, config->empty_blocks, &config->charter);
    if (config->begun)
        config->begun(config->owner, &made, feed->view, chain_first, feed->first, feed->begin_set,
                      feed->begin_count);
}

/* Only the last block's short form is still needed: its results are not known yet. */
static void forget_given(struct feed *feed)
{
    for (size_t i = 0; i + 1 < feed->fact_count; i++)
        feed_facts_free(&feed->facts[i]);
    feed->facts[0] = feed->facts[feed->fact_count - 1];
    feed->fact_count = feed->given = 1;
    if (feed->fact_room > FEED_FACTS_KEPT) { /* a range has been read */
        feed->fact_room = FEED_FACTS_KEPT;
        feed->facts = feed_room(feed->facts, feed->fact_room, sizeof *feed->facts);
    }
}

void feed_replay(struct feed *feed)
{
    assert(feed->fact_count >= feed->given && feed->fact_count > 0);
    if (!feed->begun)
        begin(feed);
    /* codes of all but the last are known; claims first, so that none counts before its place */
    for (size_t i = feed->given ? feed->given - 1 : 0; i + 1 < feed->fact_count; i++)
        note_claims(feed, &feed->facts[i]);
    for (size_t i = feed->given; i < feed->fact_count; i++) {
        const struct facts *before = i > 0 ? &feed->facts[i - 1] : NULL;
        if (before && feed->results_due)
            give_results(feed, before);
        give_block(feed, &feed->facts[i], before ? before->time : feed->facts[i].time);
    }
    forget_given(feed);
}
