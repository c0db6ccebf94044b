/* What the files of the mesh share.
 *
 *     mesh.c          keys, life, what is said and thought
 *     mesh_link.c     connections, frames and time
 *     mesh_hostile.c  what bad speakers send
 */
#ifndef STAGGER_SIM_MESH_INTERNAL_H
#define STAGGER_SIM_MESH_INTERNAL_H

#include "coord/digest.h"
#include "proto/gossip.h"
#include "sim/mesh.h"
#include "sim/random.h"

#define LINK_NONE UINT32_MAX

struct route { /* of a peer: its link, unless that has been used again since */
    uint32_t link, turn;
};

struct speaker {
    struct gossip *gossip; /* NULL: its agent is down */
    struct record_binding binding;
    uint8_t identity[RECORD_KEY_SIZE];
    struct gossip_seed at; /* where it is dialled; without an endpoint it is hidden */
    uint64_t sequence;     /* highest used, as its journal has it */
    uint64_t said;         /* highest ever used */
    bool bad, forgetful;   /* forgetful: has lost its journal at least once */
    struct route routes[GOSSIP_PEERS_DEFAULT];
    uint64_t token; /* of the wake-up that counts */
    struct instant wake;
};

struct link {
    uint32_t ends[2];  /* speakers; 0 has dialled 1 */
    uint32_t peers[2]; /* their numbers for it, GOSSIP_PEER_NONE: not up */
    uint32_t turn;     /* one more each time it is over */
};

struct frame {
    uint32_t link, turn;
    uint8_t to; /* end of the link */
    size_t size;
    uint8_t *bytes;
};

struct numbers { /* of links or frames: given out, given back */
    uint32_t *free, count, free_count, room;
};

struct mesh {
    struct mesh_world world;
    struct record_network network;
    uint32_t charter;
    uint64_t seed;
    struct random random; /* of the bad */
    struct digest *digest;
    struct gossip_pool *pool;
    struct speaker *speakers;
    uint32_t count;
    struct gossip_seed seeds[GOSSIP_SEEDS_MAX];
    uint32_t seed_count;
    struct gossip_member *members;
    uint32_t member_count;
    struct link *links;
    struct numbers link_numbers;
    struct frame *frames;
    struct numbers frame_numbers;
    uint8_t scratch[GOSSIP_FRAME_MAX];
};

/* --- mesh_link.c --- */
void link_begin(struct speaker *speaker);               /* no peer has a link */
void link_end_all(struct mesh *mesh, uint32_t speaker); /* its process is gone */
void link_clear(struct mesh *mesh);                     /* all memory */
void link_follow(struct mesh *mesh, uint32_t speaker);  /* does what the instance wants done */
void link_send(struct mesh *mesh, uint32_t speaker, uint32_t peer, const uint8_t *bytes,
               size_t size);

#endif
