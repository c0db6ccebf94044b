#include <assert.h>
#include <string.h>

#include "proto/gossip_internal.h"

uint32_t gossip_count(const struct gossip *gossip)
{
    return gossip->count;
}

struct gossip_entry gossip_entry(const struct gossip *gossip, uint32_t member)
{
    assert(member < gossip->count);
    const struct slot *slot = &gossip->slots[member];
    struct gossip_entry entry = {.address = slot->address, .is_void = slot->is_void};
    if (!slot->record)
        return entry;
    entry.known = true;
    entry.heard_ms = gossip->clock_ms - slot->heard_ms;
    entry.record = slot->record->bytes;
    entry.record_size = slot->record->size;
    if (slot->is_void) {
        entry.other = slot->other->bytes;
        entry.other_size = slot->other->size;
    }
    return entry;
}

bool gossip_record(const struct gossip *gossip, uint32_t member, struct record *record)
{
    struct fault fault;
    if (member >= gossip->count)
        return false;
    const struct slot *slot = &gossip->slots[member];
    return slot->record && !slot->is_void &&
           record_decode(slot->record->bytes, slot->record->size, record, &fault);
}

/* --- opinions --- */

/* The gist of another's valid record; NULL for ourselves, the unheard and the void. */
static const struct gist *other_gist(const struct gossip *g, uint32_t i)
{
    const struct slot *slot = &g->slots[i];
    return i != g->own && slot->record && !slot->is_void ? &slot->record->gist : NULL;
}

/* Likewise, when it is fresh and names a head. */
static const struct gist *fresh_gist(const struct gossip *g, uint32_t i)
{
    const struct gist *gist = other_gist(g, i);
    bool fresh = gist && g->clock_ms - g->slots[i].heard_ms <= GOSSIP_FRESH_MS;
    return fresh && gist->head.n > 0 ? gist : NULL;
}

static bool third_reached(const struct gossip *g, uint64_t height)
{
    uint32_t heard = 0, reached = 0;
    for (uint32_t i = 0; i < g->count; i++) {
        const struct gist *gist = fresh_gist(g, i);
        heard += gist != NULL;
        reached += gist && gist->head.n >= height;
    }
    return 3 * reached > heard;
}

/* The greatest height that more than a third have reached, by halving the range. */
static struct height common_head(const struct gossip *g)
{
    uint64_t low = 0, high = 0;
    for (uint32_t i = 0; i < g->count; i++) {
        const struct gist *gist = fresh_gist(g, i);
        if (gist && gist->head.n > high)
            high = gist->head.n;
    }
    while (low < high) {
        uint64_t middle = high - (high - low) / 2;
        if (third_reached(g, middle))
            low = middle;
        else
            high = middle - 1;
    }
    return height_at(low);
}

static bool third_differs(const struct gossip *g,
                          bool (*hash_at)(void *, struct height, uint8_t[HASH_SIZE]), void *context)
{
    uint32_t heard = 0, differ = 0;
    uint8_t ours[HASH_SIZE];
    for (uint32_t i = 0; i < g->count; i++) {
        const struct gist *gist = fresh_gist(g, i);
        heard += gist != NULL;
        differ += gist && hash_at(context, gist->head, ours) &&
                  memcmp(gist->head_hash, ours, HASH_SIZE) != 0;
    }
    return 3 * differ > heard;
}

static uint64_t own_domain(const struct gossip *g)
{
    const struct slot *slot = g->own == VALIDATOR_NONE ? NULL : &g->slots[g->own];
    return slot && slot->record ? slot->record->gist.domain : 0;
}

struct coord_peers gossip_opinion(const struct gossip *gossip,
                                  bool (*hash_at)(void *context, struct height height,
                                                  uint8_t hash[HASH_SIZE]),
                                  void *context)
{
    const struct gossip *g = gossip;
    uint64_t domain = own_domain(g);
    struct coord_peers peers = {.head = common_head(g)};
    for (uint32_t i = 0; i < g->count; i++) {
        const struct gist *gist = other_gist(g, i);
        if (!gist)
            continue;
        peers.known = true;
        peers.failures += gist->failed;
        peers.domain_out += domain != 0 && gist->domain == domain && gist->phase >= COORD_PAUSED &&
                            gist->phase <= COORD_UNPAUSING;
    }
    peers.conflict = hash_at && third_differs(g, hash_at, context);
    return peers;
}

struct gossip_stats gossip_stats(const struct gossip *gossip)
{
    const struct gossip *g = gossip;
    struct gossip_stats stats = g->stats;
    stats.members = g->count;
    for (uint32_t i = 0; i < g->count; i++) {
        stats.known += g->slots[i].record != NULL;
        stats.voids += g->slots[i].is_void;
    }
    for (uint32_t i = 0; i < g->peers_end; i++) {
        stats.peers += g->peers[i].used;
        stats.bound += g->peers[i].used && g->peers[i].bound;
    }
    stats.silent_ms = g->clock_ms - g->heard_ms;
    return stats;
}
