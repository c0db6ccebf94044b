/* A network of gossip instances in one process: latency, loss, cuts, hostile peers. Connections behave as those of
 * ZeroMQ: a dialler sends at once, the other end hears of it with the first frame, and nobody is told of an end. */
#ifndef STAGGER_TESTS_GOSSIP_WORLD_H
#define STAGGER_TESTS_GOSSIP_WORLD_H

#include "proto/gossip.h"

#define WORLD_SERIAL 1700000000

struct world_keys {
    uint8_t account[ACCOUNT_KEY_SIZE], identity[RECORD_KEY_SIZE];
    struct record_binding binding;
};

struct world_node {
    struct gossip *gossip;
    struct world_keys keys;
    struct record fields; /* said by world_say() */
    bool cut, deaf_to_dials;
    uint32_t *conns; /* by peer number */
};

struct world_conn {
    uint32_t from, to;           /* who dialled whom */
    uint32_t from_peer, to_peer; /* GOSSIP_PEER_NONE: not up, or over */
};

struct world_frame {
    int64_t at_ms;
    uint64_t order;
    uint32_t conn;
    bool forth; /* from the dialler */
    uint8_t *bytes;
    size_t size;
};

struct world {
    struct record_network network;
    struct gossip_pool *pool;
    struct gossip_member *members;
    struct world_node *nodes;
    uint32_t count;
    struct world_conn *conns;
    uint32_t conn_count, conn_room;
    struct world_frame *frames; /* a heap */
    uint32_t frame_count, frame_room;
    uint64_t order, random;
    uint32_t loss_percent;
    int64_t now_ms, latency_ms;
    uint64_t sent, sent_bytes;
};

/* The keys of validator `number`, its binding signed. */
void world_keys_make(const struct record_network *network, uint32_t number, uint64_t serial,
                     struct world_keys *keys);
struct gossip_member world_member(const struct record_network *network, uint32_t number);
struct gossip_seed world_seed(const struct record_network *network, uint32_t number);

/* `count` agents that know one another as members and the first of them as their seed; every `hidden`-th (0: none)
 * can only dial. peers_max as in the configuration. */
void world_begin(struct world *w, uint32_t count, uint32_t hidden, uint32_t peers_max,
                 uint64_t seed);
void world_end(struct world *w);
void world_run(struct world *w, int64_t ms);

/* Lets an agent say its fields; returns the sequence number, 0 when there was nothing to say. */
uint64_t world_say(struct world *w, uint32_t node);

/* Starts an agent again, without its journal. */
void world_restart(struct world *w, uint32_t node);

/* How many agents hold this version of a node's record, or hold it to be void. */
uint32_t world_heard(const struct world *w, uint32_t node, uint64_t sequence);
uint32_t world_voids(const struct world *w, uint32_t node);

/* Whether all agents that are not cut hold the same. */
bool world_level(const struct world *w);

/* Bytes of the network's own arrays and of frames on their way, which are no instance's. */
size_t world_bytes(const struct world *w);

uint32_t world_below(struct world *w, uint32_t bound);

#endif
