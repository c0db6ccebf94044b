/* The state of gossip: what one agent knows of all others (PROTOCOL section 6). Records and peers in, frames
 * out; no sockets, no clock (time is given), no entropy (a seed is given). The daemon and the simulator run it.
 *
 *                 gossip_peer_up/down   gossip_receive   gossip_tick        gossip_own
 *                          |                  |               |                  |
 *     sockets  ------------+------------------+---------------+                  +---- the agent
 *        ^                                    v
 *        |      one slot a validator: the record of the highest rank, or a proof against it
 *        |                                    |
 *        +---- gossip_next_send, _next_dial, _next_drop           gossip_record, gossip_opinion ---> the agent
 *
 * Terms
 *   member     a validator of the chain's recent sets, with its account: gossip_allow(). Nobody else is heard.
 *   rank       (serial of the binding, void, sequence) in this order; a slot keeps what ranks highest.
 *   void       two different records of one rank prove that their author equivocates. Both are kept as the
 *              proof and ignored; it is void until the membership forgets it, or its account signs a new binding.
 *   news       what is pushed: to GOSSIP_FANOUT random peers a beat, for GOSSIP_ROUNDS beats.
 *   quiet      a record that differs from its predecessor in its head only. It is not pushed; digests carry it.
 *   stranger   a connection whose CURVE key has not yet been bound by a HELLO. Nothing else of it is heard.
 *   level      two agents whose digests are equal.
 *
 * Repair. Every two seconds or so an agent sends one peer 64 hashes, one for each range of addresses. The peer
 * answers with the ranks in those that differ (or that they are level); what is newer on one side is asked for,
 * what is newer on the other side is sent. An agent that hears nobody asks five times as often, so one that was
 * cut off is level soon after the cut ends, and one that finds a difference asks again at once.
 *
 * Worked example, 100 agents, 20 % of the frames lost: a record is pushed 4 x 4 times by everybody who hears it,
 * 12.8 of them arrive; one agent in 360,000 hears of it by digest only. Each beat multiplies those who know by
 * about 4, so a beat of 80 ms reaches all in some 600 ms.
 *
 * Peers. Up to GOSSIP_MESH other agents everybody is connected with everybody: of two agents that can both be
 * dialled the one with the lower address dials, the other after a while. Above, each dials members at random until
 * it has GOSSIP_PARTIAL connections, those that came in counted too, and replaces one of them every minute; who
 * cannot be dialled dials more, and hears as much. Seeds are never forgotten: they are dialled until they answer,
 * also when no record names them. A peer is answered on the connection on
 * which it came, so an agent that nobody can dial takes part fully.
 *
 * Whom to believe. Signed records are all that is ever taken over, so a peer can only withhold. A frame that no
 * honest peer sends (malformed, forged, too long) ends the connection and bars its CURVE key for a minute; frames
 * of a later version are answered with what we speak. Frames, bytes, connections, and new versions of one
 * record have rates; what exceeds them is dropped and repaired later.
 *
 * Memory: all of it is taken by gossip_create(), gossip_allow() and gossip_pool_create(), but for records
 * (one allocation each, RECORD_MAX and some 200 bytes at most). Whatever arrives, n members and p peers take no
 * more than
 *
 *     fixed              16 KB
 *     n * 2 records      the newest and the one before it, or the two of a proof
 *     n * 160 bytes      slots, and the index of the records
 *     p * (256 + n / 4)  peers_max peers: what each is owed and is to be asked for, one bit a member each
 *
 * With a shared pool one copy of a record serves all instances, verified once: 1,000 instances of 1,000
 * members take some 170 MB. No queue of frames is kept: what is owed is a bit, its frame is made when
 * it can be sent, and holds what is newest then. So a slow reader costs nothing.
 *
 *   G1 a slot's rank never falls while its member stays allowed.
 *   G2 nothing of a stranger changes a slot, and no slot changes without a verified signature.
 *   G3 own records go up in sequence, also over a lost journal (time-based) and a clock that steps back.
 *   G4 every frame given to gossip_receive() leaves at most one bounded answer behind.
 */
#ifndef STAGGER_PROTO_GOSSIP_H
#define STAGGER_PROTO_GOSSIP_H

#include "coord/coord.h"
#include "proto/record.h"

#define GOSSIP_VERSION 1
#define GOSSIP_FRAME_MAX 32768 /* longer frames are refused unread */
#define GOSSIP_MEMBERS_MAX 16384
#define GOSSIP_PEERS_MAX 256 /* of config.peers_max */
#define GOSSIP_PEERS_DEFAULT 128
#define GOSSIP_PEER_NONE UINT32_MAX
#define GOSSIP_STRANGERS 32 /* connections without a binding */
#define GOSSIP_SEEDS_MAX 16
#define GOSSIP_MESH 64    /* other agents up to which everybody knows everybody */
#define GOSSIP_PARTIAL 40 /* connections that each sees to above that */
#define GOSSIP_FANOUT 4
#define GOSSIP_ROUNDS 4
#define GOSSIP_BEAT_MS 80 /* jittered by half of it either way, as all beats are */
#define GOSSIP_DIGEST_MS 2000
#define GOSSIP_HEAD_MS 30000    /* a record whose head alone has changed is made no more often */
#define GOSSIP_REFRESH_MS 60000 /* a record is made anew when nothing has changed */
#define GOSSIP_FRESH_MS 300000  /* a record that is older has no opinion of heads */

struct gossip;

/* Verified records, one copy each, that instances of one chain in one process share. Not for threads. */
struct gossip_pool;
struct gossip_pool *gossip_pool_create(const struct record_network *network); /* NULL: memory */
void gossip_pool_destroy(struct gossip_pool **pool); /* after all instances that use it */
uint32_t gossip_pool_records(const struct gossip_pool *pool);

struct gossip_seed {
    char endpoint[RECORD_ENDPOINT_MAX + 1];
    uint8_t curve[RECORD_KEY_SIZE];
};

struct gossip_config {
    struct record_network network;
    uint32_t charter;
    struct record_binding binding;     /* ours, signed by our account */
    uint8_t identity[RECORD_KEY_SIZE]; /* the seed that signs our records */
    uint64_t sequence;                 /* highest that we know to have used, 0 after a loss */
    const struct gossip_seed *seeds;   /* copied */
    uint32_t seed_count;
    uint64_t random_seed;
    struct gossip_pool *pool;   /* NULL: one of its own; else of the same network */
    uint32_t peers_max;         /* 0: GOSSIP_PEERS_DEFAULT */
    int64_t beat_ms, digest_ms; /* 0: the defaults above */
};

struct gossip_member {
    uint8_t address[ADDRESS_SIZE];         /* consensus address */
    uint8_t account[ACCOUNT_ADDRESS_SIZE]; /* of the account that owns the validator */
};

/* NULL with a fault when the binding is not ours (identity, signature), a seed is malformed or memory is
 * short. Everything in the configuration is copied, the pool aside. */
struct gossip *gossip_create(const struct gossip_config *config, struct instant now,
                             struct fault *fault);
void gossip_destroy(struct gossip **gossip);

/* Who may be heard from now on: the validators of the sets of the last M blocks, ourselves among them. Records
 * of those who are gone, or whose account has changed, are forgotten and their connections dropped. False when
 * there are more than GOSSIP_MEMBERS_MAX or memory is short; then nothing has changed. */
MUST_CHECK bool gossip_allow(struct gossip *gossip, const struct gossip_member *members,
                             uint32_t count, struct instant now);

/* --- our own record --- */

enum gossip_own { GOSSIP_OWN_SAME, GOSSIP_OWN_QUIET, GOSSIP_OWN_NEWS, GOSSIP_OWN_FAILED };

/* Makes a new version of our record when the fields (binding, sequence and quiet aside) have changed, or when it
 * is time to: to be called at every change, with every block and at least every GOSSIP_REFRESH_MS. *sequence is
 * then the number used, which the caller should store: it is at least one more than any that we used or that
 * was heard of us, and at least `now`. GOSSIP_OWN_FAILED with a fault when a field is out of bounds, or we are no
 * member: then nothing is said. */
enum gossip_own gossip_own(struct gossip *gossip, const struct record *fields, struct instant now,
                           uint64_t *sequence, struct fault *fault);

/* Whether somebody else writes records with our identity key: our record is void, or a version that we do not
 * know was heard. The second is what a restart without a journal looks like, and heals by itself. */
enum gossip_double { GOSSIP_DOUBLE_NO, GOSSIP_DOUBLE_HEARD, GOSSIP_DOUBLE_VOID };
enum gossip_double gossip_double(const struct gossip *gossip);

/* --- connections --- */

/* What the transport's authentication should do with a key: only a bound key is known to be a member's. */
enum gossip_admission { GOSSIP_BOUND, GOSSIP_STRANGER, GOSSIP_BARRED };
enum gossip_admission gossip_admits(const struct gossip *gossip,
                                    const uint8_t curve[RECORD_KEY_SIZE], struct instant now);

/* A connection with the holder of this CURVE key (which the transport has proven): one that came in, with its first
 * frame, or one that we dial, as soon as dialling begins. Returns the peer's number, which is the caller's until
 * gossip_peer_down(), or GOSSIP_PEER_NONE: refused, close it. */
uint32_t gossip_peer_up(struct gossip *gossip, const uint8_t curve[RECORD_KEY_SIZE], bool outbound,
                        struct instant now);
void gossip_peer_down(struct gossip *gossip, uint32_t peer, struct instant now);

void gossip_receive(struct gossip *gossip, uint32_t peer, const uint8_t *bytes, size_t size,
                    struct instant now);
void gossip_tick(struct gossip *gossip, struct instant now);

/* The next instant at which gossip_tick() has something to do. */
struct instant gossip_deadline(const struct gossip *gossip);

/* What is to be done now; to be asked after each of the calls above until it returns false. A frame that cannot
 * be sent at once is to be thrown away: what it said is said again. */
MUST_CHECK bool gossip_next_send(struct gossip *gossip, uint32_t *peer,
                                 uint8_t frame[GOSSIP_FRAME_MAX], size_t *size);
MUST_CHECK bool gossip_next_dial(struct gossip *gossip, struct gossip_seed *dial);
MUST_CHECK bool gossip_next_drop(struct gossip *gossip,
                                 uint32_t *peer); /* then gossip_peer_down() */

/* --- questions --- */

/* Index of a member, VALIDATOR_NONE; indices change with gossip_allow(). */
uint32_t gossip_find(const struct gossip *gossip, const uint8_t address[ADDRESS_SIZE]);
uint32_t gossip_count(const struct gossip *gossip);

struct gossip_entry {
    const uint8_t *address;
    bool known;                    /* it has a record, perhaps a void one */
    bool is_void;                  /* proven to equivocate */
    int64_t heard_ms;              /* since this version came */
    const uint8_t *record, *other; /* bytes of the record, or of both of the proof; borrowed */
    size_t record_size, other_size;
};
struct gossip_entry gossip_entry(const struct gossip *gossip, uint32_t member);

/* The member's record, decoded; false when there is none or it is void. */
MUST_CHECK bool gossip_record(const struct gossip *gossip, uint32_t member, struct record *record);

/* What the others say, for EVENT_PEERS. hash_at() gives our own node's hash at a height, false when it knows
 * none; NULL leaves conflicts out. Heads and conflicts are those of fresh records; failures and members out of
 * our domain are counted however old they are, since a host that is down says nothing new. */
struct coord_peers gossip_opinion(const struct gossip *gossip,
                                  bool (*hash_at)(void *context, struct height height,
                                                  uint8_t hash[HASH_SIZE]),
                                  void *context);

struct gossip_peer {
    bool outbound, bound;
    const uint8_t *validator; /* of a bound peer, borrowed */
    uint32_t charter;         /* as its HELLO said */
    int64_t silent_ms;        /* since its last frame */
};
MUST_CHECK bool gossip_peer(const struct gossip *gossip, uint32_t peer, struct gossip_peer *about);

/* Counters since the start; records_* are outcomes of records that arrived. */
struct gossip_stats {
    uint64_t frames_in, frames_out, bytes_in, bytes_out;
    uint64_t frames_limited, frames_bad,
        frames_foreign; /* over the rate; barred; other version or chain */
    uint64_t records_new, records_old, records_stranger, records_limited, records_forged;
    uint64_t verified;     /* signatures that had to be checked */
    uint64_t proofs;       /* equivocations, found or heard */
    uint32_t peers, bound; /* now */
    uint32_t members, known, voids;
    int64_t silent_ms; /* since any bound peer was heard */
};
struct gossip_stats gossip_stats(const struct gossip *gossip);

#endif
