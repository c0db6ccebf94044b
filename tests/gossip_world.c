#include "tests/gossip_world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_MS 5
#define START_MS 1700000000000

uint32_t world_below(struct world *w, uint32_t bound)
{
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((w->random >> 33) % bound);
}

/* --- who there is --- */

static void fill(uint8_t *bytes, size_t size, uint32_t number, uint32_t what)
{
    uint64_t state = ((uint64_t)what << 32) + number + 1;
    for (size_t i = 0; i < size; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bytes[i] = (uint8_t)(state >> 56);
    }
}

void world_keys_make(const struct record_network *network, uint32_t number, uint64_t serial,
                     struct world_keys *keys)
{
    memset(keys, 0, sizeof *keys);
    fill(keys->account, sizeof keys->account, number, 1);
    keys->account[0] = 1; /* below the order of the group */
    fill(keys->identity, sizeof keys->identity, number, 2);
    keys->identity[0] = (uint8_t)serial; /* another binding, other keys */
    fill(keys->binding.curve, sizeof keys->binding.curve, number, 3);
    fill(keys->binding.validator, sizeof keys->binding.validator, number, 4);
    keys->binding.serial = serial;
    record_identity(keys->identity, keys->binding.identity);
    bool bound = record_bind(network, &keys->binding, keys->account);
    assert(bound);
}

struct gossip_member world_member(const struct record_network *network, uint32_t number)
{
    struct world_keys keys;
    struct gossip_member member;
    world_keys_make(network, number, WORLD_SERIAL, &keys);
    memcpy(member.address, keys.binding.validator, ADDRESS_SIZE);
    account_address(keys.binding.account, member.account);
    return member;
}

struct gossip_seed world_seed(const struct record_network *network, uint32_t number)
{
    struct world_keys keys;
    struct gossip_seed seed = {.endpoint = ""};
    world_keys_make(network, number, WORLD_SERIAL, &keys);
    snprintf(seed.endpoint, sizeof seed.endpoint, "tcp://agent.example:%u", number + 1);
    memcpy(seed.curve, keys.binding.curve, RECORD_KEY_SIZE);
    return seed;
}

static void start(struct world *w, uint32_t node, uint32_t peers_max)
{
    struct world_node *n = &w->nodes[node];
    struct gossip_seed seed = world_seed(&w->network, 0);
    struct fault fault;
    const struct gossip_config config = {.network = w->network,
                                         .charter = 7,
                                         .binding = n->keys.binding,
                                         .seeds = &seed,
                                         .seed_count = 1,
                                         .random_seed = w->random + node,
                                         .pool = w->pool,
                                         .peers_max = peers_max};
    struct gossip_config own = config;
    memcpy(own.identity, n->keys.identity, sizeof own.identity);
    n->gossip = gossip_create(&own, (struct instant){w->now_ms}, &fault);
    assert(n->gossip);
    bool allowed = gossip_allow(n->gossip, w->members, w->count, (struct instant){w->now_ms});
    assert(allowed);
    for (uint32_t i = 0; i < GOSSIP_PEERS_MAX; i++)
        n->conns[i] = UINT32_MAX;
}

void world_begin(struct world *w, uint32_t count, uint32_t hidden, uint32_t peers_max,
                 uint64_t seed)
{
    struct fault fault;
    *w = (struct world){.count = count, .random = seed, .now_ms = START_MS, .latency_ms = 10};
    bool set = record_network_set(&w->network, "localnet-1", "kira", &fault);
    assert(set);
    w->pool = gossip_pool_create(&w->network);
    w->nodes = calloc(count, sizeof *w->nodes);
    w->members = calloc(count, sizeof *w->members);
    for (uint32_t i = 0; i < count; i++)
        w->members[i] = world_member(&w->network, i);
    for (uint32_t i = 0; i < count; i++) {
        struct world_node *n = &w->nodes[i];
        n->conns = calloc(GOSSIP_PEERS_MAX, sizeof *n->conns);
        world_keys_make(&w->network, i, WORLD_SERIAL, &n->keys);
        n->deaf_to_dials = hidden > 0 && i > 0 && i % hidden == 0;
        if (!n->deaf_to_dials) {
            n->fields.endpoint_count = 1;
            memcpy(n->fields.endpoints[0], world_seed(&w->network, i).endpoint,
                   sizeof n->fields.endpoints[0]);
        }
        start(w, i, peers_max);
        world_say(w, i);
    }
}

void world_end(struct world *w)
{
    for (uint32_t i = 0; i < w->count; i++) {
        gossip_destroy(&w->nodes[i].gossip);
        free(w->nodes[i].conns);
    }
    for (uint32_t i = 0; i < w->frame_count; i++)
        free(w->frames[i].bytes);
    gossip_pool_destroy(&w->pool);
    free(w->frames);
    free(w->conns);
    free(w->nodes);
    free(w->members);
}

/* --- frames on their way --- */

static bool before(const struct world_frame *a, const struct world_frame *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void swap(struct world_frame *a, struct world_frame *b)
{
    struct world_frame kept = *a;
    *a = *b;
    *b = kept;
}

static void push(struct world *w, struct world_frame frame)
{
    if (w->frame_count == w->frame_room) {
        w->frame_room = w->frame_room ? 2 * w->frame_room : 1024;
        w->frames = realloc(w->frames, w->frame_room * sizeof *w->frames);
        assert(w->frames);
    }
    uint32_t at = w->frame_count++;
    w->frames[at] = frame;
    for (; at > 0 && before(&w->frames[at], &w->frames[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&w->frames[at], &w->frames[(at - 1) / 2]);
}

static struct world_frame pop(struct world *w)
{
    struct world_frame first = w->frames[0];
    w->frames[0] = w->frames[--w->frame_count];
    for (uint32_t at = 0;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2; child++)
            if (child < w->frame_count && before(&w->frames[child], &w->frames[least]))
                least = child;
        if (least == at)
            return first;
        swap(&w->frames[at], &w->frames[least]);
        at = least;
    }
}

static void send(struct world *w, uint32_t node, uint32_t peer, const uint8_t *bytes, size_t size)
{
    uint32_t conn = w->nodes[node].conns[peer];
    const struct world_conn *c = &w->conns[conn];
    bool forth = c->from == node && c->from_peer == peer;
    uint32_t other = forth ? c->to : c->from;
    w->sent++;
    w->sent_bytes += size;
    if (w->nodes[node].cut || w->nodes[other].cut || world_below(w, 100) < w->loss_percent)
        return;
    struct world_frame frame = {.at_ms = w->now_ms + w->latency_ms / 2 +
                                         world_below(w, (uint32_t)w->latency_ms + 1),
                                .order = w->order++,
                                .conn = conn,
                                .forth = forth,
                                .bytes = malloc(size),
                                .size = size};
    memcpy(frame.bytes, bytes, size);
    push(w, frame);
}

/* --- connections --- */

static void dial(struct world *w, uint32_t node, const struct gossip_seed *to)
{
    uint32_t other = (uint32_t)strtoul(strrchr(to->endpoint, ':') + 1, NULL, 10) - 1;
    uint32_t peer =
        gossip_peer_up(w->nodes[node].gossip, to->curve, true, (struct instant){w->now_ms});
    if (peer == GOSSIP_PEER_NONE)
        return;
    if (w->conn_count == w->conn_room) {
        w->conn_room = w->conn_room ? 2 * w->conn_room : 1024;
        w->conns = realloc(w->conns, w->conn_room * sizeof *w->conns);
        assert(w->conns);
    }
    w->nodes[node].conns[peer] = w->conn_count;
    w->conns[w->conn_count++] = (struct world_conn){node, other, peer, GOSSIP_PEER_NONE};
}

static void drop(struct world *w, uint32_t node, uint32_t peer)
{
    struct world_conn *c = &w->conns[w->nodes[node].conns[peer]];
    gossip_peer_down(w->nodes[node].gossip, peer, (struct instant){w->now_ms});
    w->nodes[node].conns[peer] = UINT32_MAX;
    if (c->from == node)
        c->from_peer = GOSSIP_PEER_NONE;
    else
        c->to_peer = GOSSIP_PEER_NONE;
}

static void follow_orders(struct world *w, uint32_t node)
{
    static uint8_t frame[GOSSIP_FRAME_MAX];
    struct gossip *g = w->nodes[node].gossip;
    struct gossip_seed to;
    uint32_t peer;
    size_t size;
    while (gossip_next_drop(g, &peer))
        drop(w, node, peer);
    while (gossip_next_dial(g, &to))
        dial(w, node, &to);
    while (gossip_next_send(g, &peer, frame, &size))
        send(w, node, peer, frame, size);
}

static void arrive(struct world *w, const struct world_frame *frame)
{
    struct world_conn *c = &w->conns[frame->conn];
    const struct instant now = {w->now_ms};
    if (c->from_peer == GOSSIP_PEER_NONE) /* the dialler has closed it */
        return;
    if (!frame->forth) {
        gossip_receive(w->nodes[c->from].gossip, c->from_peer, frame->bytes, frame->size, now);
        follow_orders(w, c->from);
        return;
    }
    struct world_node *to = &w->nodes[c->to];
    if (to->deaf_to_dials)
        return;
    if (c->to_peer == GOSSIP_PEER_NONE) {
        c->to_peer = gossip_peer_up(to->gossip, w->nodes[c->from].keys.binding.curve, false, now);
        if (c->to_peer == GOSSIP_PEER_NONE)
            return;
        to->conns[c->to_peer] = frame->conn;
    }
    gossip_receive(to->gossip, c->to_peer, frame->bytes, frame->size, now);
    follow_orders(w, c->to);
}

void world_run(struct world *w, int64_t ms)
{
    for (int64_t end_ms = w->now_ms + ms; w->now_ms < end_ms; w->now_ms += STEP_MS) {
        while (w->frame_count > 0 && w->frames[0].at_ms <= w->now_ms) {
            struct world_frame frame = pop(w);
            arrive(w, &frame);
            free(frame.bytes);
        }
        for (uint32_t i = 0; i < w->count; i++) {
            if (gossip_deadline(w->nodes[i].gossip).ms > w->now_ms)
                continue;
            gossip_tick(w->nodes[i].gossip, (struct instant){w->now_ms});
            follow_orders(w, i);
        }
    }
}

uint64_t world_say(struct world *w, uint32_t node)
{
    struct world_node *n = &w->nodes[node];
    struct fault fault;
    uint64_t sequence = 0;
    enum gossip_own own =
        gossip_own(n->gossip, &n->fields, (struct instant){w->now_ms}, &sequence, &fault);
    if (own == GOSSIP_OWN_FAILED)
        return 0;
    follow_orders(w, node);
    return sequence;
}

void world_restart(struct world *w, uint32_t node)
{
    struct world_node *n = &w->nodes[node];
    for (uint32_t i = 0; i < GOSSIP_PEERS_MAX; i++)
        if (n->conns[i] != UINT32_MAX)
            drop(w, node, i);
    gossip_destroy(&n->gossip);
    start(w, node, 0);
}

size_t world_bytes(const struct world *w)
{
    size_t bytes = w->frame_room * sizeof *w->frames + w->conn_room * sizeof *w->conns +
                   w->count * (sizeof *w->nodes + sizeof *w->members +
                               GOSSIP_PEERS_MAX * sizeof *w->nodes->conns);
    for (uint32_t i = 0; i < w->frame_count; i++)
        bytes += w->frames[i].size + 32;
    return bytes;
}

/* --- what they know --- */

uint32_t world_heard(const struct world *w, uint32_t node, uint64_t sequence)
{
    uint32_t heard = 0;
    for (uint32_t i = 0; i < w->count; i++) {
        struct record r;
        uint32_t member = gossip_find(w->nodes[i].gossip, w->members[node].address);
        heard += gossip_record(w->nodes[i].gossip, member, &r) && r.sequence == sequence;
    }
    return heard;
}

uint32_t world_voids(const struct world *w, uint32_t node)
{
    uint32_t voids = 0;
    for (uint32_t i = 0; i < w->count; i++) {
        uint32_t member = gossip_find(w->nodes[i].gossip, w->members[node].address);
        voids += gossip_entry(w->nodes[i].gossip, member).is_void;
    }
    return voids;
}

static bool same_entry(const struct gossip *a, const struct gossip *b, uint32_t member)
{
    struct gossip_entry x = gossip_entry(a, member), y = gossip_entry(b, member);
    if (x.is_void && y.is_void)
        return true;
    return x.known == y.known && x.is_void == y.is_void && x.record_size == y.record_size &&
           (!x.known || memcmp(x.record, y.record, x.record_size) == 0);
}

bool world_level(const struct world *w)
{
    const struct gossip *first = NULL;
    for (uint32_t i = 0; i < w->count; i++) {
        if (w->nodes[i].cut)
            continue;
        if (!first)
            first = w->nodes[i].gossip;
        for (uint32_t m = 0; m < w->count; m++)
            if (!same_entry(first, w->nodes[i].gossip, m))
                return false;
    }
    return true;
}
