/* What the files of gossip share: the instance, its slots and its peers.
 *
 *     gossip.c        life, time, members
 *     gossip_ask.c    questions
 *     gossip_pool.c   verified records, one copy each
 *     gossip_merge.c  a record or a proof against its slot
 *     gossip_own.c    our own record
 *     gossip_peer.c   connections: greeting, limits, whom to dial and to drop
 *     gossip_take.c   frames in
 *     gossip_give.c   frames out
 *     gossip_beat.c   what is done in time: news, digests, housekeeping
 *
 * clock_ms is time as gossip counts it: it follows the caller's clock forwards, by at most an hour at once, and
 * stands still while that steps back.
 */
#ifndef STAGGER_PROTO_GOSSIP_INTERNAL_H
#define STAGGER_PROTO_GOSSIP_INTERNAL_H

#include "coord/digest.h"
#include "proto/gossip.h"
#include "proto/record_internal.h"

#define BUCKETS 64 /* by the first six bits of the address */
#define BUCKET_HASH_SIZE 8
#define ENTRY_SIZE (ADDRESS_SIZE + 8 + 8 + 1 + BUCKET_HASH_SIZE)
#define FRAME_HEAD 2
#define HELLO_SIZE (FRAME_HEAD + 1 + HASH_SIZE + 4 + RECORD_BINDING_SIZE)
#define DIGEST_FRAME_SIZE (FRAME_HEAD + BUCKETS * BUCKET_HASH_SIZE)
#define REFUSE_SIZE (FRAME_HEAD + 3)
#define RECORDS_BYTES 16384 /* of a frame of records: a lost one costs little */
#define BARRED 32
#define HURRY_MAX 8 /* digests that may follow one another at once */

enum frame_kind {
    FRAME_HELLO = 1,
    FRAME_RECORDS,
    FRAME_DIGEST,
    FRAME_LIST,
    FRAME_WANT,
    FRAME_PROOF,
    FRAME_BYE,
    FRAME_REFUSE = 127, /* its layout is that of all versions */
};

enum refusal { REFUSAL_VERSION = 1, REFUSAL_NETWORK };

#define HELLO_ASK 1 /* flag of a HELLO: "and who are you?" */

/* --- records --- */

/* What questions need without decoding. */
struct gist {
    uint64_t serial, sequence;
    struct height head;
    uint8_t head_hash[HASH_SIZE];
    enum coord_state phase;
    uint64_t domain; /* of its name, 0: none */
    bool failed, quiet, reachable;
};

struct kept { /* a verified record */
    uint32_t users;
    uint16_t size, signed_size;
    uint8_t digest[HASH_SIZE]; /* of the signed part: two signatures make no two records */
    uint8_t account[ACCOUNT_ADDRESS_SIZE];
    struct gist gist;
    uint8_t bytes[];
};

struct gossip_pool {
    struct record_network network;
    struct digest *sha256;
    struct kept **table; /* open addressing, a power of two */
    uint32_t room, used;
    uint32_t instances;
};

enum verdict {
    VERDICT_GOOD,
    VERDICT_FORGED,
    VERDICT_ALIEN,  /* another account's */
    VERDICT_UNREAD, /* signed by its author, but with values that we do not know */
    VERDICT_SHORT,  /* of memory */
};

struct claim { /* that these bytes are a record of the validator that this account owns */
    const uint8_t *bytes;
    size_t size;
    const uint8_t *account; /* ACCOUNT_ADDRESS_SIZE bytes */
    const struct kept
        *bound; /* a record of the same validator whose binding has been verified, or NULL */
    bool own;   /* signed by ourselves this moment, under a verified binding */
};

/* The kept copy of a record, verified unless it was before; one user more. *verified counts signatures checked. */
enum verdict pool_take(struct gossip_pool *pool, const struct claim *claim, struct kept **kept,
                       uint64_t *verified);
void pool_drop(struct gossip_pool *pool, struct kept **kept); /* one user less */
void pool_hash(struct gossip_pool *pool, const void *bytes, size_t size, uint8_t hash[HASH_SIZE]);

/* --- the instance --- */

struct slot {
    uint8_t address[ADDRESS_SIZE];
    uint8_t account[ACCOUNT_ADDRESS_SIZE];
    struct kept *record; /* NULL: not heard */
    struct kept *other;  /* the version before it; of a void slot the contradiction */
    int64_t heard_ms;    /* when record came */
    int64_t limit_us;    /* of new versions */
    int64_t dial_ms;     /* not to be dialled before */
    uint8_t dial_fails;
    bool is_void, asked; /* asked: a WANT is under way, so the answer is old news to others */
    bool linked;         /* scratch of the housekeeping */
};

struct peer {
    bool used, outbound, bound, drop;
    bool hello, digest, list, refuse, bye; /* frames due; after a BYE it is dropped */
    bool owes, wants;                      /* whether the bits below hold any */
    uint8_t curve[RECORD_KEY_SIZE];
    uint32_t slot; /* of a bound peer, or the member that we dial; VALIDATOR_NONE */
    uint32_t charter;
    uint64_t list_mask;
    int64_t up_ms, heard_ms, hello_ms;
    int64_t frames_us, bytes_us, out_us; /* limits */
    uint32_t place;                      /* where the next frame of records begins */
    uint8_t unanswered, greetings, refusal;
    uint64_t *owe, *want; /* one bit a member */
};

struct seed {
    struct gossip_seed at;
    int64_t dial_ms;
    uint8_t dial_fails;
    bool linked;
};

struct barred {
    uint8_t curve[RECORD_KEY_SIZE];
    int64_t until_ms;
};

struct gossip {
    struct record_network network;
    struct gossip_pool *pool;
    bool own_pool;
    uint32_t charter;
    struct record_binding binding;
    uint8_t identity[RECORD_KEY_SIZE];
    uint64_t random;
    int64_t beat_ms, digest_ms;

    struct instant now; /* the caller's, latest */
    int64_t clock_ms;
    int64_t beat_at, digest_at, keep_at, replace_at;

    struct slot *slots; /* sorted by address */
    uint8_t *news;      /* beats for which a slot's record is pushed */
    uint32_t count, news_count, words;
    uint32_t own; /* slot, VALIDATOR_NONE when we are no member */
    uint32_t bucket_first[BUCKETS + 1];
    uint64_t bucket_hash[BUCKETS], bucket_stale; /* stale: one bit a bucket */

    struct record own_fields; /* as last said */
    uint64_t own_sequence;    /* highest used or heard of us */
    int64_t own_ms;           /* when last said */
    bool own_said, own_foreign;

    struct peer *peers;
    uint64_t *bits;                           /* of all peers */
    uint32_t peers_max, peers_end, peer_next; /* end: none from there on was ever used */
    int64_t room_us;                          /* limit of newcomers that displace others */
    struct seed seeds[GOSSIP_SEEDS_MAX];
    uint32_t seed_count;
    struct gossip_seed dials[8]; /* to be dialled */
    uint32_t dial_count;
    struct barred barred[BARRED];
    uint32_t barred_next;

    int64_t heard_ms; /* any bound peer */
    uint8_t hurry;    /* digests that may follow at once */
    struct gossip_stats stats;
};

/* --- time and chance --- */

void clock_advance(struct gossip *g, struct instant now);
uint32_t random_under(struct gossip *g, uint32_t bound); /* 0 .. bound - 1; bound > 0 */
int64_t jittered(struct gossip *g, int64_t ms);          /* half of it to one and a half */

/* A leaky bucket in one number: whether `cost_us` fit when `burst_us` may be taken at once. */
bool limit_take(int64_t *limit_us, int64_t clock_ms, int64_t cost_us, int64_t burst_us);

static inline void bit_set(uint64_t *bits, uint32_t i)
{
    bits[i / 64] |= UINT64_C(1) << (i % 64);
}

static inline void bit_clear(uint64_t *bits, uint32_t i)
{
    bits[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

static inline bool bit_get(const uint64_t *bits, uint32_t i)
{
    return bits[i / 64] >> (i % 64) & 1;
}

static inline uint32_t bucket_of(const uint8_t address[ADDRESS_SIZE])
{
    return address[0] >> 2;
}

/* --- merging --- */

struct rank {
    uint64_t serial, sequence; /* of a proof the sequence is 0 */
    bool is_void;
};

struct rank slot_rank(const struct slot *slot); /* serial 0: nothing known */
int rank_compare(struct rank a, struct rank b);
void slot_clear(struct gossip *g, struct slot *slot);
void slot_changed(struct gossip *g, uint32_t index, uint8_t rounds);

/* What a record or a proof did. */
enum merge {
    MERGE_NEW,
    MERGE_OLD,      /* nothing that we do not know */
    MERGE_STRANGER, /* not of a member, or of a later version */
    MERGE_LIMITED,
    MERGE_BAD, /* no honest peer sends it */
};
enum merge merge_record(struct gossip *g, const uint8_t *bytes, size_t size);
enum merge merge_own(struct gossip *g, const uint8_t *bytes, size_t size); /* just signed */
enum merge merge_proof(struct gossip *g, const uint8_t *a, size_t a_size, const uint8_t *b,
                       size_t b_size);

/* --- peers --- */

void peer_bar(struct gossip *g, struct peer *peer); /* its key, for a while, and drops it */
void peer_owe(struct peer *peer, uint32_t slot);
void peer_want(struct peer *peer, uint32_t slot);
void peer_clear(struct gossip *g, struct peer *peer); /* what it is owed */
void peer_greeted(struct gossip *g, struct peer *peer, uint32_t slot);
uint32_t peers_bound(const struct gossip *g, uint32_t found[GOSSIP_PEERS_MAX]);
void peers_keep(struct gossip *g);      /* the housekeeping */
bool is_silent(const struct gossip *g); /* nobody is heard: it is probably we who are cut off */
void seed_answered(struct gossip *g, const uint8_t curve[RECORD_KEY_SIZE]);

/* Bucket's hash over what its slots hold. */
uint64_t bucket_digest(struct gossip *g, uint32_t bucket);
void entry_write(const struct slot *slot, uint8_t out[ENTRY_SIZE]);

#endif
