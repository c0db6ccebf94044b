/* The gossip of a simulated network: the daemon's own code (proto/gossip.h), one instance for each agent that speaks,
 * and between them connections whose frames take their time, overtake one another and get lost.
 *
 *     talk.c ── start, stop, say, allow ──> instances of proto/gossip ── frames ──> links ── send(), wake() ──> the queue
 *        ^                                          ^                                                             |
 *        +── opinion ───────────────────────────────+───────── mesh_arrive(), mesh_wake() <─────────────────────--+
 *
 * Terms
 *   speaker    an agent whose gossip is simulated, numbered from 0. All validators are members, as the chain's sets say;
 *              who does not speak is one of whom nothing is ever heard.
 *   link       a connection. Its dialler sends at once, the other end hears of it with the first frame, and nobody is
 *              told of an end; a link whose listener has started again carries the next frame to the new process.
 *   hidden     a speaker that nobody can dial, every fifth: it takes part by dialling.
 *   bad        a hostile speaker: mesh_harm().
 *
 * Account and identity keys, bindings and records are real: derived from the seed, signed and verified as in the daemon,
 * one pool for all, so that a record is verified once. What is left out: sockets and CURVE (its keys are mere numbers, and
 * a link belongs to the one that dialled), the rate at which connections are accepted, and promptness: an instance whose
 * deadline is no hurry gets its time every MESH_IDLE_MS, and digests go every MESH_DIGEST_MS, not every two seconds. News
 * take the daemon's own beats.
 *
 *   M1 the same calls with the same seed give the same frames, on every machine
 *   M2 no instance holds an honest speaker's record to be void, unless that has lost its journal, or a version that
 *      it has not said (mesh_sound)
 */
#ifndef STAGGER_SIM_MESH_H
#define STAGGER_SIM_MESH_H

#include "coord/coord.h"

#define MESH_SPEAKERS_MAX 4096
#define MESH_IDLE_MS 5000
#define MESH_DIGEST_MS 10000
#define MESH_LOST (-1)

struct mesh;

/* What the mesh asks of the world around it. */
struct mesh_world {
    void *context;
    struct instant (*clock)(void *context, uint32_t speaker); /* its own */

    /* How long a frame takes, in ms, or MESH_LOST. */
    int64_t (*send)(void *context, uint32_t from, uint32_t to, size_t bytes);

    /* The same frame, so many ms later, to mesh_arrive(); the same token to mesh_wake(). */
    void (*carry)(void *context, int64_t in_ms, uint32_t to, uint64_t frame);
    void (*wake)(void *context, int64_t in_ms, uint32_t speaker, uint64_t token);
};

struct mesh_config {
    uint32_t charter;
    uint64_t seed;
    const uint8_t (*addresses)[ADDRESS_SIZE]; /* of the speakers; copied */
    uint32_t speakers;
    struct mesh_world world;
};

/* All of them silent; NULL when memory is short. */
struct mesh *mesh_create(const struct mesh_config *config);
void mesh_destroy(struct mesh **mesh);

/* The validators of the recent sets, for all instances from now on. */
void mesh_allow(struct mesh *mesh, const uint8_t (*addresses)[ADDRESS_SIZE], uint32_t count);

/* A speaker's agent starts, with its journal or without, and ends; each does nothing when it has already. */
void mesh_start(struct mesh *mesh, uint32_t speaker, bool journal);
void mesh_stop(struct mesh *mesh, uint32_t speaker);

/* What a speaker has to say of itself. */
struct mesh_news {
    uint32_t charter;
    enum coord_state phase;
    bool failed;
    int64_t expected_ms;
    struct height head; /* HEIGHT_NONE: none */
    uint8_t hash[HASH_SIZE];
};
void mesh_say(struct mesh *mesh, uint32_t speaker, const struct mesh_news *news);

void mesh_arrive(struct mesh *mesh, uint64_t frame);
void mesh_wake(struct mesh *mesh, uint32_t speaker, uint64_t token);

/* What a speaker makes of the others, as gossip_opinion(); unknown while its agent is down. */
struct coord_peers mesh_opinion(const struct mesh *mesh, uint32_t speaker,
                                bool (*hash_at)(void *context, struct height height,
                                                uint8_t hash[HASH_SIZE]),
                                void *context);

/* What a bad speaker does, by chance but always the same. */
enum mesh_harm {
    MESH_FORGE,      /* another's record with a higher sequence, under its old signature */
    MESH_LIE,        /* a head that nobody has */
    MESH_CONTRADICT, /* two records of one rank, really signed, each to one half of its peers */
    MESH_FLOOD,      /* hundreds of frames to one peer, and one that is no frame */
    MESH_HARMS,
};
void mesh_harm(struct mesh *mesh, uint32_t speaker,
               enum mesh_harm harm); /* it is bad from now on */

/* --- questions, for tests and checks --- */

/* False when M2 does not hold; then who holds what of whom. */
bool mesh_sound(const struct mesh *mesh, uint32_t *holder, uint32_t *about);

struct mesh_count {
    uint32_t up;      /* instances */
    uint32_t current; /* of them, those that hold the latest version of the speaker asked for */
    uint32_t voids;   /* of them, those that hold its record to be void */
    uint32_t barred;  /* frames that no honest agent sends, refused by them, of anybody */
};
struct mesh_count mesh_heard(const struct mesh *mesh, uint32_t speaker);

#endif
