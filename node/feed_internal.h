/* What the files of the feed share.
 *
 *     feed.c          life, the end, questions
 *     feed_head.c     status of the endpoints: who leads, what one's own node shows, when is looked
 *     feed_range.c    from which height to which: the first range, then round after round; standing back
 *     feed_kept.c     a view from a journal
 *     feed_ask.c      calls: who is asked, who next, what comes back
 *     feed_slot.c     the window of heights under way; checks of what stands by itself
 *     feed_chain.c    one height after the other: checks against the block before; the seal
 *     feed_facts.c    the short form of a block: what the view needs
 *     feed_map.c      accounts to validators, as of a place in the chain
 *     feed_replay.c   the short forms into the view
 *     feed_set.c      validator sets
 */
#ifndef STAGGER_NODE_FEED_INTERNAL_H
#define STAGGER_NODE_FEED_INTERNAL_H

#include "node/feed.h"
#include "node/reply.h"
#include "proto/tx.h"

#define FEED_WINDOW 256 /* heights from the one before the next on */
#define FEED_AHEAD 4    /* full blocks held per call in flight */
#define FEED_HEADERS 20 /* what one blockchain reply holds */
#define FEED_PAGE 100   /* members a page */
#define FEED_SETS_KEPT 64
/* Of a set. Validators have a power of 1 or 10; with this one no sum that the view makes can overflow. */
#define FEED_POWER_MAX (INT64_C(1) << 48)
#define FEED_SIGNATURES 50000 /* verified without being asked to */
#define FEED_TRIES 6          /* of one endpoint that gives no answer, */
#define FEED_TRIES_MS 20000   /* and how long after the first another is begun */
#define FEED_IN_FLIGHT_MAX 32

/* While following. */
#define FEED_MEMBERS_KEPT 6400 /* in sets that may come back */
#define FEED_FACTS_KEPT 256    /* room for short forms between two rounds */
#define FEED_LATE_MS 2000      /* an answer that takes longer is asked of another as well */
#define FEED_OTHERS_MS 1000    /* between two looks at others than one's own node */
#define FEED_STILL_MS 15000    /* at most, until an own node that shows nothing new is doubted */
#define FEED_PAUSE_MS 250      /* before a round that failed is begun again */
#define FEED_TROUBLE_MS 5000   /* how long others are looked at after such a round */
#define FEED_GAP_MS 30000 /* how long those who do not answer are waited for before it is a gap */
#define FEED_SUSPECT_MS 600000

/* --- sets --- */

struct set {
    uint32_t refs, count;
    struct member *members; /* in the order of the chain */
    uint32_t *index;        /* of the view, by member */
    uint8_t hash[HASH_SIZE];
};

/* A set while its pages come in. */
struct set_ask {
    uint64_t height;  /* 0: not asked for */
    uint32_t attempt; /* answers to an earlier one are too late */
    uint32_t tried;   /* endpoints, a bit each */
    uint32_t total, here;
    struct member *members;
    struct set *set; /* held, when complete and checked */
};

/* --- the short form --- */

/* What a transaction's message is to the view, or a claim: an account becomes a validator's. */
struct deed {
    bool claim;
    enum tx_kind kind;
    uint32_t index; /* of the transaction in its block */
    uint8_t who[ACCOUNT_ADDRESS_SIZE];
    uint8_t consensus[ADDRESS_SIZE]; /* of a claim */
    uint32_t class_minutes, charter;
    uint32_t code;
    const char *codespace; /* static */
};

struct facts {
    struct height height;
    struct instant time;
    uint8_t hash[HASH_SIZE];
    uint32_t *missing;
    struct view_change *changes;
    struct deed *deeds;
    uint32_t missing_count, change_count, deed_count;
};

/* --- accounts --- */

struct map_row {
    uint8_t account[ACCOUNT_ADDRESS_SIZE];
    uint64_t since; /* height and place from which on it counts */
    uint32_t since_index;
    uint32_t validator;
    bool claimed; /* a claim was read */
};

struct map {
    struct map_row *rows; /* by account, then by since */
    uint32_t count, room;
};

/* --- calls --- */

enum call_kind { CALL_STATUS, CALL_HEADERS, CALL_BLOCK, CALL_RESULTS, CALL_SET, CALL_COMMIT };

struct call {
    struct call *before, *after;
    struct feed *feed;
    enum call_kind kind;
    uint64_t height;      /* of headers: the lowest */
    uint32_t count;       /* of headers */
    uint32_t page;        /* of a set, from 1 */
    struct set_ask *into; /* of a set, with the attempt it belongs to */
    uint32_t attempt;
    uint32_t endpoint;
    uint32_t tried, tries; /* endpoints, a bit each; of this endpoint */
    int64_t since_ms;      /* zclock_mono() of the first try, */
    int64_t sent_ms;       /* and of this one */
    uint64_t ticket;       /* 0: waits to be sent */
};

/* --- slots --- */

struct slot {
    uint64_t height; /* 0: empty */
    bool full;       /* a block, not a header only */
    bool here;       /* the block is there, and right in itself */
    bool results_wanted, results_here;
    uint32_t block_from, results_from; /* endpoints */
    uint32_t block_tried, results_tried;
    struct header header;
    struct block_id id;
    struct reply_block block;
    struct reply_results results;
    struct set_ask next; /* V(height + 1) */
};

/* FEED_LIVE: at the head of whoever leads, until somebody shows more. FEED_BACK: a round has failed; what is still on
 * the stack finds nothing to do, and feed_settle() begins anew below it. */
enum feed_phase {
    FEED_IDLE,
    FEED_SURVEY,
    FEED_RANGE,
    FEED_SEAL,
    FEED_LIVE,
    FEED_BACK,
    FEED_STOPPED
};

struct endpoint {
    bool asking;  /* for its status */
    bool usable;  /* its latest status was one of our chain */
    bool foreign; /* it was one of another chain */
    bool catching_up;
    int64_t suspect_until_ms; /* contradicted by a hash: used last */
    uint64_t earliest, latest;
    uint8_t latest_hash[HASH_SIZE]; /* as its status has it */
};

/* The commit of a round's top block. */
enum seal_state { SEAL_NONE, SEAL_ASKED, SEAL_HERE, SEAL_REFUSED };

struct seal {
    enum seal_state state;
    struct reply_commit commit;
    uint32_t endpoint, tried;
    char why[FAULT_MAX]; /* SEAL_REFUSED */
};

/* The latest block that the view has, to begin anew behind it. */
struct base {
    struct slot slot; /* without the block's content but for tx_count; height 0: none */
    struct set *older, *before, *now;
};

struct kept_hash {
    uint64_t height;
    uint8_t hash[HASH_SIZE];
};

struct seen { /* beside the view's own table, by validator */
    bool first_member, member;
    struct height since;
    struct instant since_ms, pause_ms;
};

struct feed {
    struct feed_config config;
    enum feed_phase phase;
    struct view *view;

    struct endpoint endpoints[RPC_ENDPOINTS_MAX];
    uint32_t endpoint_count, own, leader;
    struct feed_own shown;
    int64_t survey_ms, own_asked_ms, others_asked_ms; /* zclock_mono(), as below */
    int64_t moved_ms;                                 /* the view got a block */
    int64_t trouble_ms, pause_until_ms;               /* a round failed */
    int64_t gap_ms;                                   /* since then it looks like a gap */

    struct call *first_call, *last_call; /* all calls, sent or waiting, oldest first */
    uint32_t in_flight;
    uint64_t requests;

    struct height first, full_from, top, head;
    bool thorough, chain_begins;
    uint64_t next, asked; /* next height to be checked; highest asked for */
    struct slot slots[FEED_WINDOW];

    struct set *older, *before, *now; /* V(next - 2), V(next - 1), V(next) */
    int64_t *powers;                  /* scratch, by validator: all zero between two uses */
    struct set_ask first_set;
    struct set *kept[FEED_SETS_KEPT];
    uint32_t keep_at;

    struct facts *facts; /* the first `given` of them have been given to the view */
    size_t fact_count, fact_room, given;
    bool results_due; /* the last block given lacks its results */
    bool live;        /* a round has been sealed: the view is level with what was read */
    bool back_all;    /* FEED_BACK: nothing that the view has not got is believed */
    struct seal seal;
    struct base base;
    struct kept_hash hashes[FEED_HASHES_KEPT];
    bool begun; /* view_begin() has been called, with V(first): */
    struct view_change *begin_set;
    uint32_t begin_count;

    struct query_record *records;
    struct map map;
    uint32_t *record_of; /* by validator: UINT32_MAX for none */
    struct seen *seen;   /* by validator */
    struct view_tx *txs; /* scratch */
    uint32_t tx_room;

    int end_timer, poll_timer; /* zloop's; -1 none */
    enum feed_end end;
    struct fault fault;
    bool told;     /* done(NULL) has been called */
    bool lost;     /* that it cannot go on has been noted; */
    bool silent;   /* likewise that one's own node does not answer; */
    bool unsealed; /* likewise that nobody gives the commit of the top */
};

/* --- feed.c --- */

void feed_stop(struct feed *feed, enum feed_end end, const struct fault *fault);
void feed_fail(struct feed *feed, const struct fault *fault); /* with FEED_FAILED */
void feed_note(struct feed *feed, const char *line);
void feed_lost(struct feed *feed, const char *why); /* notes it, once until a round succeeds */
void feed_tell_read(struct feed *feed);             /* done(NULL), from the loop */

/* realloc() that never fails: without memory the program ends. */
void *feed_room(void *memory, size_t count, size_t size);

/* --- feed_head.c --- */

void feed_survey(struct feed *feed);
void feed_take_status(struct feed *feed, uint32_t endpoint, const struct reply_status *status,
                      const char *why); /* status NULL: why not */
bool feed_is_suspect(const struct feed *feed, uint32_t endpoint);
void feed_suspect(struct feed *feed, uint32_t endpoint);
void feed_judge_own(struct feed *feed); /* its latest hash against the chain's */
int feed_tick(zloop_t *loop, int timer, void *feed);
void feed_head_look(struct feed *feed, bool now);

/* --- feed_range.c --- */

void feed_start_range(struct feed *feed, uint32_t leader);
void feed_start_round(struct feed *feed, uint32_t leader);
void feed_range_read(struct feed *feed); /* every height up to top has been checked */
void feed_sealed(struct feed *feed);     /* and the top block's commit, as far as there is one */

/* While following: later once more, what has been read since the view's head again if `all`. */
void feed_stand_back(struct feed *feed, const char *why, bool all);

/* While following as feed_stand_back(), otherwise the end. */
void feed_trouble(struct feed *feed, const struct fault *fault);

/* To be called at the end of whatever the loop has called. */
void feed_settle(struct feed *feed);

/* --- feed_kept.c --- */

enum kept_verdict { KEPT_GO, KEPT_WAIT, KEPT_GAP, KEPT_FORK };

void feed_kept_begin(struct feed *feed);
void feed_kept_taken(struct feed *feed); /* the short form of its head is there */
enum kept_verdict feed_kept_judge(const struct feed *feed, struct fault *fault);
bool feed_kept_hash(const struct feed *feed, const struct slot *slot, struct fault *fault);
bool feed_kept_sets(const struct feed *feed, const struct set *now, const struct set *after,
                    struct fault *fault);

/* --- feed_ask.c --- */

/* Asks an endpoint that has the height and is not among `tried`. False when there is none. */
bool feed_ask(struct feed *feed, enum call_kind kind, uint64_t height, uint32_t count,
              uint32_t tried);
void feed_ask_status(struct feed *feed, uint32_t endpoint);
bool feed_ask_page(struct feed *feed, struct set_ask *into, uint32_t page, uint32_t endpoint);
void feed_pump(struct feed *feed);
void feed_drop_calls(struct feed *feed);
void feed_hedge(struct feed *feed); /* late answers are asked of others */
const char *feed_url(const struct feed *feed, uint32_t endpoint);
uint32_t feed_pick(const struct feed *feed, enum call_kind kind, uint64_t height, uint32_t count,
                   uint32_t tried); /* RPC_ANY: nobody */

/* "block 57 from URL: WHY" */
void feed_blame(const struct feed *feed, enum call_kind kind, uint64_t height, uint32_t endpoint,
                const struct fault *why, struct fault *whole);

/* What `endpoint` said of this height cannot be. True when somebody else can be asked: it is noted, and the caller
 * asks again; otherwise the feed has failed, or stands back. */
bool feed_contradicted(struct feed *feed, enum call_kind kind, uint64_t height, uint32_t endpoint,
                       uint32_t *tried, const struct fault *fault);

/* --- feed_set.c --- */

struct set *feed_set_hold(struct set *set);
void feed_set_drop(struct set **set);
struct set *feed_set_kept(const struct feed *feed, const struct hash *hash); /* not held; NULL */
void feed_set_ask(struct feed *feed, struct set_ask *into, uint64_t height);
void feed_set_reset(struct set_ask *into);
void feed_set_take(struct feed *feed, const struct call *call, struct reply_validators *page);

/* --- feed_slot.c --- */

struct slot *feed_slot(struct feed *feed, uint64_t height);
void feed_slot_reset(struct slot *slot);
void feed_schedule(struct feed *feed);
void feed_take_block(struct feed *feed, const struct call *call, struct reply_block *block);
void feed_take_headers(struct feed *feed, const struct call *call, struct reply_headers *headers);
void feed_take_results(struct feed *feed, const struct call *call, struct reply_results *results);
/* The set of the first block is not to be had: asked for as that of the block behind it, if it is the same one. */
bool feed_first_set_elsewhere(struct feed *feed);
void feed_want_results(struct feed *feed, struct slot *slot, uint32_t tried);
bool feed_wants_results(const struct feed *feed,
                        const struct slot *slot); /* of a slot that is here */

/* --- feed_chain.c --- */

void feed_advance(struct feed *feed);
void feed_take_commit(struct feed *feed, const struct call *call, struct reply_commit *commit);
void feed_without_commit(struct feed *feed, const char *why);
void feed_judge_seal(struct feed *feed); /* as soon as its answer is there */

/* --- feed_facts.c --- */

/* False with a fault when the last commit does not fit V(h-1). */
bool feed_facts_add(struct feed *feed, const struct slot *slot, const struct set *after,
                    struct fault *fault);
void feed_facts_results(struct facts *facts, const struct reply_results *results);
void feed_facts_free(struct facts *facts);

/* --- feed_map.c --- */

void feed_map_create(struct feed *feed);
void feed_map_claim(struct feed *feed, const struct facts *facts, const struct deed *deed);
void feed_map_refresh(struct feed *feed, struct height from); /* the records have changed */
uint32_t feed_map_find(const struct map *map, const uint8_t account[ACCOUNT_ADDRESS_SIZE],
                       uint64_t height, uint32_t index); /* VALIDATOR_NONE */

/* --- feed_replay.c --- */

void feed_replay(struct feed *feed);
void feed_keep_hash(struct feed *feed, struct height height, const uint8_t hash[HASH_SIZE]);
const uint8_t *feed_known_hash(const struct feed *feed, uint64_t height); /* NULL: not known */

#endif
