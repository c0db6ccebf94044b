#include "proto/gossip.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/gossip_internal.h"

#define LEAP_MS 3600000 /* a clock that is set forward counts as an hour at most */
#define CLOCK_FIRST_MS 3600000

/* --- time and chance --- */

void clock_advance(struct gossip *g, struct instant now)
{
    int64_t passed = instant_since(now, g->now);
    g->now = now;
    if (passed > 0)
        g->clock_ms += passed < LEAP_MS ? passed : LEAP_MS;
}

static uint64_t random_bits(struct gossip *g)
{
    g->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = g->random;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint32_t random_under(struct gossip *g, uint32_t bound)
{
    assert(bound > 0);
    return (uint32_t)((random_bits(g) >> 32) * bound >> 32);
}

int64_t jittered(struct gossip *g, int64_t ms)
{
    return ms / 2 + random_under(g, (uint32_t)ms + 1);
}

bool limit_take(int64_t *limit_us, int64_t clock_ms, int64_t cost_us, int64_t burst_us)
{
    int64_t clock_us = clock_ms * 1000;
    int64_t from_us = *limit_us > clock_us ? *limit_us : clock_us;
    if (from_us + cost_us - clock_us > burst_us)
        return false;
    *limit_us = from_us + cost_us;
    return true;
}

/* --- life --- */

static bool check_config(const struct gossip_config *c, struct fault *fault)
{
    uint8_t identity[RECORD_KEY_SIZE];
    record_identity(c->identity, identity);
    if (memcmp(identity, c->binding.identity, sizeof identity) != 0)
        return fault_set(fault, "gossip binding: it names another identity key than ours; sign a "
                                "new one");
    if (c->binding.serial == 0 || c->binding.serial > RECORD_SERIAL_MAX ||
        !record_binding_verify(&c->network, &c->binding))
        return fault_set(fault,
                         "gossip binding: its signature is not that of the account for "
                         "chain %s; sign a new one",
                         c->network.chain_id);
    if (c->seed_count > GOSSIP_SEEDS_MAX)
        return fault_set(fault, "gossip seeds: %u; expected at most %d", c->seed_count,
                         GOSSIP_SEEDS_MAX);
    for (uint32_t i = 0; i < c->seed_count; i++)
        if (!record_endpoint_check(c->seeds[i].endpoint))
            return fault_set(fault, "gossip seed %u: expected \"tcp://HOST:PORT\"", i + 1);
    if (c->peers_max > GOSSIP_PEERS_MAX)
        return fault_set(fault, "gossip peers: %u; expected at most %d", c->peers_max,
                         GOSSIP_PEERS_MAX);
    return true;
}

static void copy_config(struct gossip *g, const struct gossip_config *c)
{
    g->network = c->network;
    g->charter = c->charter;
    g->binding = c->binding;
    g->own_sequence = c->sequence;
    g->random = c->random_seed;
    g->peers_max = c->peers_max ? c->peers_max : GOSSIP_PEERS_DEFAULT;
    g->beat_ms = c->beat_ms > 0 ? c->beat_ms : GOSSIP_BEAT_MS;
    g->digest_ms = c->digest_ms > 0 ? c->digest_ms : GOSSIP_DIGEST_MS;
    memcpy(g->identity, c->identity, sizeof g->identity);
    g->seed_count = c->seed_count;
    for (uint32_t i = 0; i < c->seed_count; i++)
        g->seeds[i].at = c->seeds[i];
}

static bool take_memory(struct gossip *g, const struct gossip_config *c)
{
    g->peers = calloc(g->peers_max, sizeof *g->peers);
    g->slots = calloc(1, sizeof *g->slots);
    g->news = calloc(1, sizeof *g->news);
    g->bits = calloc(1, sizeof *g->bits);
    g->own_pool = !c->pool;
    g->pool = c->pool ? c->pool : gossip_pool_create(&g->network);
    if (g->pool)
        g->pool->instances++;
    return g->peers && g->slots && g->news && g->bits && g->pool;
}

struct gossip *gossip_create(const struct gossip_config *config, struct instant now,
                             struct fault *fault)
{
    if (!check_config(config, fault))
        return NULL;
    assert(!config->pool ||
           memcmp(config->pool->network.hash, config->network.hash, HASH_SIZE) == 0);
    struct gossip *g = calloc(1, sizeof *g);
    if (!g) {
        fault_set(fault, "gossip: memory is short");
        return NULL;
    }
    copy_config(g, config);
    if (!take_memory(g, config)) {
        fault_set(fault, "gossip: memory is short");
        gossip_destroy(&g);
        return NULL;
    }
    g->own = VALIDATOR_NONE;
    g->now = now;
    g->clock_ms = g->heard_ms = CLOCK_FIRST_MS;
    g->beat_at = g->clock_ms;
    g->digest_at = g->clock_ms + random_under(g, (uint32_t)g->digest_ms);
    g->keep_at = g->clock_ms;
    g->hurry = HURRY_MAX;
    g->replace_at = g->clock_ms + jittered(g, 60000);
    return g;
}

void gossip_destroy(struct gossip **gossip)
{
    struct gossip *g = *gossip;
    if (!g)
        return;
    for (uint32_t i = 0; i < g->count; i++)
        slot_clear(g, &g->slots[i]);
    if (g->pool)
        g->pool->instances--;
    if (g->pool && g->own_pool)
        gossip_pool_destroy(&g->pool);
    free(g->slots);
    free(g->news);
    free(g->bits);
    free(g->peers);
    memset(g->identity, 0, sizeof g->identity);
    free(g);
    *gossip = NULL;
}

/* --- members --- */

static int compare_slots(const void *a, const void *b)
{
    return memcmp(((const struct slot *)a)->address, ((const struct slot *)b)->address,
                  ADDRESS_SIZE);
}

/* Sorted, without those that are named twice; returns how many are left. */
static uint32_t arrange(struct slot *slots, uint32_t count)
{
    uint32_t kept = 0;
    qsort(slots, count, sizeof *slots, compare_slots);
    for (uint32_t i = 0; i < count; i++)
        if (kept == 0 || compare_slots(&slots[kept - 1], &slots[i]) != 0)
            slots[kept++] = slots[i];
    return kept;
}

uint32_t gossip_find(const struct gossip *gossip, const uint8_t address[ADDRESS_SIZE])
{
    uint32_t bucket = bucket_of(address);
    uint32_t low = gossip->bucket_first[bucket], high = gossip->bucket_first[bucket + 1];
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = memcmp(gossip->slots[middle].address, address, ADDRESS_SIZE);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return VALIDATOR_NONE;
}

/* Moves what the old slots hold into the new ones; the rest is forgotten. */
static void carry_over(struct gossip *g, struct slot *slots, uint8_t *news, uint32_t count)
{
    g->news_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t old = gossip_find(g, slots[i].address);
        if (old == VALIDATOR_NONE ||
            memcmp(g->slots[old].account, slots[i].account, ACCOUNT_ADDRESS_SIZE) != 0)
            continue;
        slots[i] = g->slots[old];
        news[i] = g->news[old];
        g->news_count += news[i] > 0;
        g->slots[old].record = g->slots[old].other = NULL;
    }
    for (uint32_t i = 0; i < g->count; i++)
        slot_clear(g, &g->slots[i]);
}

static void mark_buckets(struct gossip *g)
{
    uint32_t at = 0;
    for (uint32_t bucket = 0; bucket < BUCKETS; bucket++) {
        g->bucket_first[bucket] = at;
        while (at < g->count && bucket_of(g->slots[at].address) == bucket)
            at++;
    }
    g->bucket_first[BUCKETS] = g->count;
    g->bucket_stale = UINT64_MAX;
}

/* Peers keep their member; who is none any more is dropped, and what was owed is left to the digests. */
static void seat_peers(struct gossip *g, const struct slot *old, uint64_t *bits)
{
    for (uint32_t i = 0; i < g->peers_max; i++) {
        struct peer *p = &g->peers[i];
        p->owe = bits + (size_t)i * 2 * g->words;
        p->want = p->owe + g->words;
        p->owes = p->wants = false;
        p->place = 0;
        if (!p->used || p->slot == VALIDATOR_NONE)
            continue;
        const struct slot *was = &old[p->slot];
        p->slot = gossip_find(g, was->address);
        bool same = p->slot != VALIDATOR_NONE &&
                    memcmp(g->slots[p->slot].account, was->account, ACCOUNT_ADDRESS_SIZE) == 0;
        p->drop |= !same;
        p->bound &= same;
    }
}

static bool same_members(const struct gossip *g, const struct slot *slots, uint32_t count)
{
    bool same = count == g->count;
    for (uint32_t i = 0; same && i < count; i++)
        same = memcmp(g->slots[i].address, slots[i].address, ADDRESS_SIZE) == 0 &&
               memcmp(g->slots[i].account, slots[i].account, ACCOUNT_ADDRESS_SIZE) == 0;
    return same;
}

static void replace_members(struct gossip *g, struct slot *slots, uint32_t count, uint8_t *news,
                            uint64_t *bits)
{
    struct slot *old = g->slots;
    carry_over(g, slots, news, count);
    free(g->news);
    free(g->bits);
    g->slots = slots;
    g->news = news;
    g->bits = bits;
    g->count = count;
    g->words = (count + 63) / 64;
    mark_buckets(g);
    seat_peers(g, old, bits);
    g->own = gossip_find(g, g->binding.validator);
    free(old);
}

bool gossip_allow(struct gossip *gossip, const struct gossip_member *members, uint32_t count,
                  struct instant now)
{
    struct gossip *g = gossip;
    clock_advance(g, now);
    if (count > GOSSIP_MEMBERS_MAX)
        return false;
    struct slot *slots = calloc((size_t)count + 1, sizeof *slots);
    uint8_t *news = calloc((size_t)count + 1, sizeof *news);
    uint64_t *bits = calloc((size_t)g->peers_max * 2 * ((count + 63) / 64) + 1, sizeof *bits);
    for (uint32_t i = 0; slots && i < count; i++) {
        memcpy(slots[i].address, members[i].address, ADDRESS_SIZE);
        memcpy(slots[i].account, members[i].account, ACCOUNT_ADDRESS_SIZE);
    }
    bool room = slots && news && bits;
    uint32_t kept = room ? arrange(slots, count) : 0;
    if (!room || same_members(g, slots, kept)) {
        free(slots);
        free(news);
        free(bits);
        return room;
    }
    replace_members(g, slots, kept, news, bits);
    return true;
}
