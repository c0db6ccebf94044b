/* libFuzzer entry of gossip: the bytes are a script of what peers send and when; some frames are genuine, some are
 * genuine with a change, some are anything. What is known at the end must be signed by whom it names. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/gossip_world.h"

#define MEMBERS 4
#define VERSIONS 3
#define SCRIPT_MAX 256 /* steps */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct lab { /* made once */
    struct record_network network;
    struct world_keys keys[MEMBERS];
    struct gossip_member members[MEMBERS];
    struct gossip_pool *pool;
    uint8_t records[MEMBERS][VERSIONS][RECORD_MAX];
    size_t sizes[MEMBERS][VERSIONS];
};

struct script {
    const uint8_t *at;
    size_t left;
    struct gossip *g;
    bool up[GOSSIP_PEERS_MAX];
    int64_t now_ms;
};

/* Version 2 contradicts version 1. */
static void write_record(struct lab *lab, uint32_t who, uint32_t version)
{
    const struct record r = {.binding = lab->keys[who].binding,
                             .sequence = version == 0 ? 1 : 2,
                             .expected_ms = version,
                             .endpoints = {"tcp://a:1"},
                             .endpoint_count = 1};
    struct fault fault;
    lab->sizes[who][version] =
        record_seal(&lab->network, &r, lab->keys[who].identity, lab->records[who][version], &fault);
    assert(lab->sizes[who][version] > 0);
}

static struct lab *the_lab(void)
{
    static struct lab lab;
    struct fault fault;
    if (lab.pool)
        return &lab;
    bool set = record_network_set(&lab.network, "localnet-1", "kira", &fault);
    lab.pool = gossip_pool_create(&lab.network);
    assert(set && lab.pool);
    for (uint32_t i = 0; i < MEMBERS; i++) {
        world_keys_make(&lab.network, i, WORLD_SERIAL, &lab.keys[i]);
        lab.members[i] = world_member(&lab.network, i);
        for (uint32_t v = 0; v < VERSIONS; v++)
            write_record(&lab, i, v);
    }
    return &lab;
}

static uint8_t next(struct script *s)
{
    if (s->left == 0)
        return 0;
    s->left--;
    return *s->at++;
}

static void receive(struct script *s, uint32_t peer, const uint8_t *frame, size_t size)
{
    if (!s->up[peer])
        return;
    uint8_t *exact = malloc(size + 1); /* so that reading beyond it is seen */
    assert(exact);
    memcpy(exact + 1, frame, size);
    gossip_receive(s->g, peer, exact + 1, size, (struct instant){s->now_ms});
    free(exact);
}

static void orders(struct script *s)
{
    static uint8_t frame[GOSSIP_FRAME_MAX];
    struct gossip_seed dial;
    uint32_t peer, sent = 0;
    size_t size;
    while (gossip_next_send(s->g, &peer, frame, &size)) {
        assert(s->up[peer] && size >= 2 && size <= GOSSIP_FRAME_MAX);
        assert(++sent < 10000);
    }
    while (gossip_next_drop(s->g, &peer)) {
        gossip_peer_down(s->g, peer, (struct instant){s->now_ms});
        s->up[peer] = false;
    }
    while (gossip_next_dial(s->g, &dial))
        assert(record_endpoint_check(dial.endpoint));
}

static void say_hello(struct lab *lab, struct script *s, uint32_t peer, uint32_t who)
{
    uint8_t hello[3 + HASH_SIZE + 4 + RECORD_BINDING_SIZE] = {GOSSIP_VERSION, 1, next(s)};
    memcpy(hello + 3, lab->network.hash, HASH_SIZE);
    record_binding_encode(&lab->keys[who].binding, hello + 3 + HASH_SIZE + 4);
    receive(s, peer, hello, sizeof hello);
}

/* Records of the lab, a byte of them perhaps changed; a proof when kind is 6. */
static void say_records(struct lab *lab, struct script *s, uint32_t peer)
{
    uint8_t frame[2 + 4 * RECORD_MAX] = {GOSSIP_VERSION, next(s) % 2 ? 6 : 2};
    size_t size = 2;
    for (uint32_t count = 1 + next(s) % 4; count > 0; count--) {
        uint8_t which = next(s);
        uint32_t who = which % MEMBERS, version = which / MEMBERS % VERSIONS;
        memcpy(frame + size, lab->records[who][version], lab->sizes[who][version]);
        size += lab->sizes[who][version];
    }
    uint8_t change = next(s);
    if (change)
        frame[(size_t)next(s) * 8 % size] ^= change;
    receive(s, peer, frame, size);
}

static void say_anything(struct script *s, uint32_t peer)
{
    uint8_t frame[600] = {GOSSIP_VERSION};
    size_t size = next(s) * 2u;
    for (size_t i = 0; i < size; i++)
        frame[i] = i == 0 && s->left % 8 ? GOSSIP_VERSION : next(s);
    receive(s, peer, frame, size);
}

static void connect_one(struct lab *lab, struct script *s, uint8_t how)
{
    uint32_t peer = gossip_peer_up(s->g, lab->keys[how % MEMBERS].binding.curve, how / 4 % 2,
                                   (struct instant){s->now_ms});
    if (peer != GOSSIP_PEER_NONE)
        s->up[peer] = true;
}

static void allow_some(struct lab *lab, struct script *s, uint8_t count)
{
    bool done =
        gossip_allow(s->g, lab->members, count % (MEMBERS + 1), (struct instant){s->now_ms});
    assert(done);
}

static void step(struct lab *lab, struct script *s)
{
    uint8_t what = next(s), how = next(s);
    uint32_t peer = how / 16;
    switch (what % 8) {
    case 0:
        connect_one(lab, s, how);
        break;
    case 1:
        say_hello(lab, s, peer, how % MEMBERS);
        break;
    case 2:
    case 3:
        say_records(lab, s, peer);
        break;
    case 4:
        say_anything(s, peer);
        break;
    case 5:
        s->now_ms += how * 100 - 1000;
        gossip_tick(s->g, (struct instant){s->now_ms});
        break;
    case 6:
        allow_some(lab, s, how);
        break;
    default:
        orders(s);
        break;
    }
}

static void assert_signed(const struct lab *lab, const struct script *s)
{
    for (uint32_t i = 0; i < gossip_count(s->g); i++) {
        struct gossip_entry entry = gossip_entry(s->g, i);
        struct record r;
        assert(gossip_record(s->g, i, &r) == (entry.known && !entry.is_void));
        if (!entry.known)
            continue;
        assert(record_verify(&lab->network, entry.record, entry.record_size));
        assert(memcmp(entry.record + 3, entry.address, ADDRESS_SIZE) == 0);
        assert(!entry.is_void || record_verify(&lab->network, entry.other, entry.other_size));
    }
    (void)gossip_opinion(s->g, NULL, NULL);
    (void)gossip_stats(s->g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lab *lab = the_lab();
    struct script s = {.at = data, .left = size, .now_ms = 1700000000000};
    struct gossip_config config = {.network = lab->network,
                                   .binding = lab->keys[0].binding,
                                   .pool = lab->pool,
                                   .peers_max = 16};
    struct fault fault;
    memcpy(config.identity, lab->keys[0].identity, RECORD_KEY_SIZE);
    s.g = gossip_create(&config, (struct instant){s.now_ms}, &fault);
    assert(s.g);
    allow_some(lab, &s, MEMBERS);
    for (uint32_t i = 0; i < SCRIPT_MAX && s.left > 0; i++)
        step(lab, &s);
    orders(&s);
    assert_signed(lab, &s);
    gossip_destroy(&s.g);
    assert(gossip_pool_records(lab->pool) == 0);
    return 0;
}
