#include <assert.h>
#include <string.h>

#include "proto/gossip_internal.h"

#define BAR_MS 60000
#define STRANGER_MS 5000 /* an incoming connection greets within this time */
#define DIAL_MS 10000    /* a dialled one answers within this time */
#define REDIAL_MS 1000
#define REDIAL_MAX_MS 60000
#define SEED_REDIAL_MAX_MS 15000
#define REPLACE_MS 60000
#define SILENT_MS 5000   /* of two connections the silent one is the dead one */
#define UNANSWERED_MAX 8 /* digests without a frame in return */
#define SEEK_DIALS 16    /* under way at once while we are cut off */
#define SEEK_ROOM 4
#define ROOM_US 62500 /* newcomers that displace others: 16 a second, 32 at once */
#define ROOMS_US 2000000
#define FEW 4 /* with fewer connections the seeds are asked again */

/* --- keys --- */

static const uint8_t *curve_of(const struct slot *slot)
{
    struct record_peek peek;
    struct fault fault;
    if (!slot->record || !record_peek(slot->record->bytes, slot->record->size, &peek, &fault))
        return NULL;
    return peek.binding + ADDRESS_SIZE + 8 + ACCOUNT_PUBLIC_SIZE + RECORD_KEY_SIZE;
}

static uint32_t slot_with(const struct gossip *g, const uint8_t curve[RECORD_KEY_SIZE])
{
    for (uint32_t i = 0; i < g->count; i++) {
        const uint8_t *bound = curve_of(&g->slots[i]);
        if (bound && memcmp(bound, curve, RECORD_KEY_SIZE) == 0)
            return i;
    }
    return VALIDATOR_NONE;
}

static struct seed *seed_with(struct gossip *g, const uint8_t curve[RECORD_KEY_SIZE])
{
    for (uint32_t i = 0; i < g->seed_count; i++)
        if (memcmp(g->seeds[i].at.curve, curve, RECORD_KEY_SIZE) == 0)
            return &g->seeds[i];
    return NULL;
}

static bool is_barred(const struct gossip *g, const uint8_t curve[RECORD_KEY_SIZE], int64_t at_ms)
{
    for (uint32_t i = 0; i < BARRED; i++)
        if (g->barred[i].until_ms > at_ms &&
            memcmp(g->barred[i].curve, curve, RECORD_KEY_SIZE) == 0)
            return true;
    return false;
}

enum gossip_admission gossip_admits(const struct gossip *gossip,
                                    const uint8_t curve[RECORD_KEY_SIZE], struct instant now)
{
    int64_t passed = instant_since(now, gossip->now);
    if (is_barred(gossip, curve, gossip->clock_ms + (passed > 0 ? passed : 0)))
        return GOSSIP_BARRED;
    return slot_with(gossip, curve) != VALIDATOR_NONE ? GOSSIP_BOUND : GOSSIP_STRANGER;
}

void peer_bar(struct gossip *g, struct peer *peer)
{
    struct barred *barred = &g->barred[g->barred_next++ % BARRED];
    memcpy(barred->curve, peer->curve, RECORD_KEY_SIZE);
    barred->until_ms = g->clock_ms + BAR_MS;
    peer->drop = true;
    g->stats.frames_bad++;
}

/* --- what a peer is owed --- */

void peer_owe(struct peer *peer, uint32_t slot)
{
    bit_set(peer->owe, slot);
    peer->owes = true;
}

void peer_want(struct peer *peer, uint32_t slot)
{
    bit_set(peer->want, slot);
    peer->wants = true;
}

void peer_clear(struct gossip *g, struct peer *peer)
{
    memset(peer->owe, 0, g->words * sizeof *peer->owe);
    memset(peer->want, 0, g->words * sizeof *peer->want);
    peer->owes = peer->wants = false;
}

uint32_t peers_bound(const struct gossip *g, uint32_t found[GOSSIP_PEERS_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < g->peers_end; i++)
        if (g->peers[i].used && g->peers[i].bound && !g->peers[i].drop && !g->peers[i].bye)
            found[count++] = i;
    return count;
}

/* --- up and down --- */

static struct peer *free_peer(struct gossip *g)
{
    for (uint32_t i = 0; i < g->peers_max; i++)
        if (!g->peers[i].used)
            return &g->peers[i];
    return NULL;
}

/* Many strangers: one of them, by chance, makes room. Who is genuine has greeted long before its turn. */
static void crowd_out(struct gossip *g)
{
    uint32_t strangers[GOSSIP_PEERS_MAX], count = 0;
    for (uint32_t i = 0; i < g->peers_end; i++) {
        const struct peer *p = &g->peers[i];
        if (p->used && !p->bound && !p->outbound && !p->drop)
            strangers[count++] = i;
    }
    if (count >= GOSSIP_STRANGERS || (count > 0 && count >= g->peers_max / 4))
        g->peers[strangers[random_under(g, count)]].drop = true;
}

uint32_t gossip_peer_up(struct gossip *gossip, const uint8_t curve[RECORD_KEY_SIZE], bool outbound,
                        struct instant now)
{
    struct gossip *g = gossip;
    clock_advance(g, now);
    if (is_barred(g, curve, g->clock_ms) || memcmp(curve, g->binding.curve, RECORD_KEY_SIZE) == 0)
        return GOSSIP_PEER_NONE;
    if (!outbound)
        crowd_out(g);
    struct peer *p = free_peer(g);
    if (!p)
        return GOSSIP_PEER_NONE;
    *p = (struct peer){.used = true,
                       .outbound = outbound,
                       .hello = true,
                       .slot = outbound ? slot_with(g, curve) : VALIDATOR_NONE,
                       .up_ms = g->clock_ms,
                       .heard_ms = g->clock_ms,
                       .owe = p->owe,
                       .want = p->want};
    memcpy(p->curve, curve, RECORD_KEY_SIZE);
    if (p->owe)
        peer_clear(g, p);
    uint32_t index = (uint32_t)(p - g->peers);
    if (index >= g->peers_end)
        g->peers_end = index + 1;
    return index;
}

/* When the next attempt is due: soon after a connection that worked, ever later after one that did not. */
static int64_t redial_at(struct gossip *g, bool worked, uint8_t *fails, int64_t max_ms)
{
    *fails = worked ? 0 : *fails < 10 ? *fails + 1 : 10;
    int64_t wait_ms = (int64_t)REDIAL_MS << *fails;
    return g->clock_ms + jittered(g, wait_ms < max_ms ? wait_ms : max_ms);
}

void gossip_peer_down(struct gossip *gossip, uint32_t peer, struct instant now)
{
    struct gossip *g = gossip;
    assert(peer < g->peers_max && g->peers[peer].used);
    struct peer *p = &g->peers[peer];
    struct seed *seed = seed_with(g, p->curve);
    clock_advance(g, now);
    bool worked = p->bound && g->clock_ms - p->up_ms >= DIAL_MS;
    p->used = false;
    if (!p->outbound)
        return;
    if (seed)
        seed->dial_ms = redial_at(g, worked, &seed->dial_fails, SEED_REDIAL_MAX_MS);
    if (p->slot != VALIDATOR_NONE) {
        struct slot *slot = &g->slots[p->slot];
        slot->dial_ms = redial_at(g, worked, &slot->dial_fails, REDIAL_MAX_MS);
    }
}

/* Of two connections with one agent both ends keep the same: the one that the lower address dialled, unless it
 * is silent; of two in one direction the newer. */
static struct peer *worse(const struct gossip *g, struct peer *older, struct peer *newer)
{
    if (older->outbound == newer->outbound || g->clock_ms - older->heard_ms > SILENT_MS)
        return older;
    bool we_dial = memcmp(g->binding.validator, g->slots[newer->slot].address, ADDRESS_SIZE) < 0;
    return newer->outbound == we_dial ? older : newer;
}

/* Sends one of the other connections of this member away, if it has any. */
static bool end_double(struct gossip *g, struct peer *peer)
{
    bool found = false;
    for (uint32_t i = 0; i < g->peers_end; i++) {
        struct peer *p = &g->peers[i];
        if (p == peer || !p->used || !p->bound || p->bye || p->drop || p->slot != peer->slot)
            continue;
        worse(g, p, peer)->bye = true;
        found = true;
    }
    return found;
}

/* Newcomers find a place with us though everybody wants one, as with a seed: by chance one of those that came to us
 * goes, or when that happens too often the newcomer. A quarter of the table stays free for greetings. */
static void make_room(struct gossip *g, struct peer *newcomer)
{
    uint32_t found[GOSSIP_PEERS_MAX], count = peers_bound(g, found), came = 0;
    if (count <= g->peers_max - g->peers_max / 4)
        return;
    for (uint32_t i = 0; i < count; i++)
        if (!g->peers[found[i]].outbound && &g->peers[found[i]] != newcomer)
            found[came++] = found[i];
    if (came > 0 && limit_take(&g->room_us, g->clock_ms, ROOM_US, ROOMS_US))
        newcomer = &g->peers[found[random_under(g, came)]];
    newcomer->bye = true;
}

void peer_greeted(struct gossip *g, struct peer *peer, uint32_t slot)
{
    bool first = !peer->bound;
    peer->slot = slot;
    peer->bound = true;
    peer->digest |= first;
    if (first && !end_double(g, peer) && !peer->outbound)
        make_room(g, peer);
}

/* --- housekeeping --- */

static void dial(struct gossip *g, const char *endpoint, const uint8_t curve[RECORD_KEY_SIZE])
{
    struct gossip_seed *to = &g->dials[g->dial_count++];
    memset(to, 0, sizeof *to);
    memcpy(to->endpoint, endpoint, strlen(endpoint));
    memcpy(to->curve, curve, RECORD_KEY_SIZE);
}

static bool dials_full(const struct gossip *g)
{
    return g->dial_count == sizeof g->dials / sizeof *g->dials;
}

static void dial_slot(struct gossip *g, struct slot *slot)
{
    struct record r;
    struct fault fault;
    slot->dial_ms = g->clock_ms + DIAL_MS;
    if (!record_decode(slot->record->bytes, slot->record->size, &r, &fault))
        return; /* it was decoded before, so it does */
    dial(g, r.endpoints[slot->dial_fails % r.endpoint_count], r.binding.curve);
}

static void dial_seeds(struct gossip *g)
{
    for (uint32_t i = 0; i < g->seed_count && !dials_full(g); i++) {
        struct seed *seed = &g->seeds[i];
        if (seed->linked || seed->dial_ms > g->clock_ms ||
            memcmp(seed->at.curve, g->binding.curve, RECORD_KEY_SIZE) == 0)
            continue;
        seed->dial_ms = g->clock_ms + DIAL_MS;
        dial(g, seed->at.endpoint, seed->at.curve);
    }
}

/* Up to `most` members, from a random one on. */
static void dial_members(struct gossip *g, uint32_t most)
{
    uint32_t from = g->count > 0 ? random_under(g, g->count) : 0;
    for (uint32_t i = 0; i < g->count && most > 0 && !dials_full(g); i++) {
        uint32_t index = (from + i) % g->count;
        struct slot *slot = &g->slots[index];
        if (index == g->own || slot->linked || !slot->record || !slot->record->gist.reachable ||
            slot->dial_ms > g->clock_ms)
            continue;
        dial_slot(g, slot);
        most--;
    }
}

static bool past_its_time(const struct gossip *g, const struct peer *p)
{
    if (p->bound)
        return p->unanswered >= UNANSWERED_MAX;
    return g->clock_ms - p->up_ms >= (p->outbound ? DIAL_MS : STRANGER_MS);
}

struct links {
    uint32_t bound, dialled; /* dialled: those that have not answered yet */
};

/* Marks who is connected, says hello again to those who have not answered, gives up those who never will. */
static struct links look_around(struct gossip *g)
{
    struct links links = {0, 0};
    bool silent = is_silent(g);
    for (uint32_t i = 0; i < g->count; i++)
        g->slots[i].linked = false;
    for (uint32_t i = 0; i < g->seed_count; i++)
        g->seeds[i].linked = false;
    for (uint32_t i = 0; i < g->peers_end; i++) {
        struct peer *p = &g->peers[i];
        if (!p->used || p->drop)
            continue;
        struct seed *seed = seed_with(g, p->curve);
        p->drop = past_its_time(g, p);
        p->hello |= !p->bound;
        if (seed && !(silent && p->bound))
            seed->linked = true;
        if (p->slot != VALIDATOR_NONE && !(silent && p->bound))
            g->slots[p->slot].linked = true;
        links.bound += p->bound;
        links.dialled += p->outbound && !p->bound;
    }
    return links;
}

static uint32_t others_known(const struct gossip *g)
{
    uint32_t known = 0;
    for (uint32_t i = 0; i < g->count; i++)
        known += i != g->own && g->slots[i].record;
    return known;
}

/* One of those that we dialled, seeds too, makes room for another: so no clique lasts. */
static void replace_one(struct gossip *g)
{
    uint32_t candidates[GOSSIP_PEERS_MAX], count = 0;
    for (uint32_t i = 0; i < g->peers_end; i++)
        if (g->peers[i].used && g->peers[i].outbound && g->peers[i].bound && !g->peers[i].drop)
            candidates[count++] = i;
    if (count == 0)
        return;
    struct peer *p = &g->peers[candidates[random_under(g, count)]];
    p->bye = true;
    g->slots[p->slot].dial_ms = g->clock_ms + REPLACE_MS;
}

/* Cut off: connections may be dead on either side, so some are dialled anew though they seem to be there. What is
 * still being dialled when the cut ends answers at once. */
static void seek(struct gossip *g, uint32_t dialled)
{
    uint32_t found[GOSSIP_PEERS_MAX], count = peers_bound(g, found);
    dial_seeds(g);
    if (dialled < SEEK_DIALS)
        dial_members(g, SEEK_DIALS - dialled);
    for (uint32_t i = 0; i < SEEK_ROOM && count > 0 && !free_peer(g); i++)
        g->peers[found[random_under(g, count)]].drop = true;
}

static void dial_more(struct gossip *g, const struct links *links)
{
    uint32_t most = g->peers_max * 2 / 3 < GOSSIP_PARTIAL ? g->peers_max * 2 / 3 : GOSSIP_PARTIAL;
    uint32_t have = links->bound + links->dialled;
    bool mesh = others_known(g) <= GOSSIP_MESH && g->peers_max > GOSSIP_MESH;
    if (mesh || links->bound < FEW)
        dial_seeds(g);
    if (mesh)
        dial_members(g, UINT32_MAX);
    else if (have < most)
        dial_members(g, most - have);
    if (g->clock_ms < g->replace_at)
        return;
    g->replace_at = g->clock_ms + jittered(g, REPLACE_MS);
    if (!mesh && links->bound >= most)
        replace_one(g);
}

void peers_keep(struct gossip *g)
{
    struct links links = look_around(g);
    g->dial_count = 0;
    if (is_silent(g))
        seek(g, links.dialled);
    else
        dial_more(g, &links);
}

/* --- orders --- */

bool gossip_next_dial(struct gossip *gossip, struct gossip_seed *to)
{
    if (gossip->dial_count == 0)
        return false;
    *to = gossip->dials[--gossip->dial_count];
    return true;
}

bool gossip_next_drop(struct gossip *gossip, uint32_t *peer)
{
    for (uint32_t i = 0; i < gossip->peers_end; i++)
        if (gossip->peers[i].used && gossip->peers[i].drop) {
            *peer = i;
            return true;
        }
    return false;
}

bool gossip_peer(const struct gossip *gossip, uint32_t peer, struct gossip_peer *about)
{
    if (peer >= gossip->peers_max || !gossip->peers[peer].used)
        return false;
    const struct peer *p = &gossip->peers[peer];
    *about = (struct gossip_peer){
        .outbound = p->outbound,
        .bound = p->bound,
        .validator = p->bound ? gossip->slots[p->slot].address : NULL,
        .charter = p->charter,
        .silent_ms = gossip->clock_ms - p->heard_ms,
    };
    return true;
}
