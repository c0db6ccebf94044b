/* What the parts of chain.c share. Three kinds of job live in a chain: asks, a comparison,
 * submissions. A job owns the calls that it has under way, so that it can end at any time without
 * one of them coming back.
 *
 *     job_call(job, ...) --> rpc_call() --> call_done() --> handler(job, tag, answer)
 *
 * A job that is over is unlinked and freed first; its callback runs last and may destroy the chain.
 */
#ifndef STAGGER_NODE_CHAIN_INTERNAL_H
#define STAGGER_NODE_CHAIN_INTERNAL_H

#include "node/chain.h"

#define CHAIN_TEXT_MAX 128

struct job;
struct call;

typedef void call_handler(struct job *job, uint32_t tag, const struct rpc_answer *answer);

struct call {
    struct job *job;
    uint64_t ticket; /* of rpc.h */
    call_handler *handler;
    uint32_t tag;
    struct call *next;
};

enum job_kind { JOB_ASK, JOB_COMPARE, JOB_SUBMIT };

struct job { /* first member of every job */
    struct chain *chain;
    enum job_kind kind;
    uint64_t ticket;
    struct call *calls;
    int timer; /* of zloop, -1: none */
    void (*due)(struct job *job);
    bool waits; /* for the comparison */
    struct job *next;
};

struct compare_listener {
    uint64_t ticket;
    chain_compared *done;
    void *owner;
    struct compare_listener *next;
};

struct chain {
    zloop_t *loop;
    struct rpc *rpc;
    const struct chain_driver *driver;
    char prefix[CHAIN_TEXT_MAX], denom[CHAIN_TEXT_MAX], chain_id[HEADER_CHAIN_ID_MAX];
    bool compare_off;
    int64_t poll_ms;
    uint64_t tickets;
    struct job *jobs;
    struct chain_facts facts;
    struct chain_comparison comparison;
    int64_t
        compared_ms; /* zclock_mono() of the latest one; INT64_MIN: compare before the next use */
    struct job *comparing;
    int64_t caught_ms[RPC_ENDPOINTS_MAX]; /* when it was caught, 0: it was not */
    char caught[RPC_ENDPOINTS_MAX][FAULT_MAX];
    struct compare_listener *listeners;
};

/* --- jobs: chain.c --- */

/* A cleared job of `size` bytes, linked into the chain. */
void *job_create(struct chain *chain, enum job_kind kind, size_t size);
void job_end(struct job *job); /* cancels its calls and timer, unlinks; does not free */
struct job *job_find(struct chain *chain, enum job_kind kind, uint64_t ticket);

/* `params` is taken. endpoint as in rpc.h. */
void job_call(struct job *job, const char *method, json_t *params, uint32_t endpoint,
              call_handler *handler, uint32_t tag);
void job_query(struct job *job, const struct query *query, int64_t height, uint32_t endpoint,
               call_handler *handler, uint32_t tag); /* height 0: the latest */
void job_calls_cancel(struct job *job);

/* Calls due(job) once after so many milliseconds; replaces an earlier timer. */
void job_timer(struct job *job, int64_t ms, void (*due)(struct job *job));
void job_timer_cancel(struct job *job);

/* {"height": "12"} and the like: numbers of CometBFT are strings. */
json_t *params_height(int64_t height);
json_t *params_page(int64_t height, uint32_t page);
json_t *params_bytes(const char *name, const uint8_t *bytes, size_t size); /* base64 */

/* A proper answer: RPC_OK. Otherwise the fault says what was asked and what came. */
MUST_CHECK bool answer_good(const struct rpc_answer *answer, const char *what, struct fault *fault);

/* An abci_query's bytes, code 0. `missing` may be NULL; otherwise it is set for "not found". */
MUST_CHECK bool answer_query(const struct rpc_answer *answer, const char *what,
                             struct reply_query *reply, bool *missing, struct fault *fault);

/* Bech32 text of 20 bytes with the chain's prefix and this tail ("", "valoper", "valcons"). */
void chain_address(const struct chain *chain, const uint8_t bytes[ACCOUNT_ADDRESS_SIZE],
                   const char *tail, char text[BECH32_TEXT_MAX]);

int members_compare(const void *a, const void *b); /* by address */

/* --- comparing: compare.c, compare_block.c --- */

/* A block as one endpoint shows it: its commit, and its set where it has to be proven. */
enum block_proof { BLOCK_UNPROVEN, BLOCK_PROVEN, BLOCK_FALSE };
struct compare_block {
    uint32_t endpoint;
    int64_t height; /* 0: not asked for */
    bool silent, refused, has_header, has_commit, want_members;
    enum block_proof proof;
    struct header header;
    struct block_id id;
    struct commit commit;
    uint8_t hash[HASH_SIZE];
    struct member *members;
    uint32_t count, total;
    struct fault why; /* what is false about it, or why it is silent */
};

#define COMPARE_OWN 0  /* blocks of each endpoint: its latest, as it shows it itself ... */
#define COMPARE_BEST 1 /* ... as the best one shows it ... */
#define COMPARE_HEAD 2 /* ... and the best one's own latest, when this one is said to lag */

struct compare {
    struct job job;
    struct chain_comparison result;
    struct compare_block blocks[RPC_ENDPOINTS_MAX][3];
    uint32_t left;                         /* answers to wait for */
    uint32_t best;                         /* the highest head that is not disproved */
    bool patient;                          /* the timer runs */
    void (*next)(struct compare *compare); /* when nothing is left */
};

/* Begins to read; compare->next follows when all that was begun has ended. */
void compare_block_load(struct compare *compare, uint32_t endpoint, uint32_t which);
/* Its set as well, and then its proof: commit_verify() by a set that its header binds. */
void compare_block_prove(struct compare *compare, uint32_t endpoint, uint32_t which);
void compare_blocks_destroy(struct compare *compare);

/* Whether more than a third of `trusted`, a set that is known, has signed this proven block. */
bool compare_block_carried(const struct compare_block *block, const struct member *trusted,
                           uint32_t count);

/* Whether a comparison is wanted before the endpoints are used. */
bool compare_due(const struct chain *chain);
void compare_start(struct chain *chain); /* unless one is under way */

/* The endpoint to use: RPC_ANY while nothing is known. False with a fault when none can be trusted.
 * */
MUST_CHECK bool compare_best(const struct chain *chain, uint32_t *endpoint, struct fault *fault);

/* An endpoint that was caught is not used for a while where there is another. */
void compare_caught(struct chain *chain, uint32_t endpoint, const char *text);

/* One that gave no proper answer is left alone until the next comparison, where there is another.
 * */
void compare_doubt(struct chain *chain, uint32_t endpoint, const char *text);

/* --- asking: chain_ask.c and the files of its topics --- */

struct ask_records {
    struct query_record *records;
    uint32_t count, room, tries;
    uint64_t total;
    int64_t height; /* all pages are asked at this one, 0: at the latest */
    int64_t lowest; /* of the answers */
    bool unpinned;  /* the node no longer has the height of the first page */
    uint8_t key[QUERY_KEY_MAX];
    size_t key_size;
};

struct ask_set {
    int64_t height; /* h of V(h) */
    struct member *members;
    bool *have; /* by page */
    uint32_t total, pages, pages_left;
    bool header_known, header_refused;
    struct header header; /* of height - 1 */
    uint32_t round;       /* of asking; answers of earlier ones are not looked at */
    uint32_t refused;     /* pages that the node did not have yet */
};

struct ask_votes {
    struct chain_ballot *ballots;
    uint32_t count, left;
};

struct ask {
    struct job job;
    uint32_t wanted, left, failed;
    uint32_t endpoint, restarts;
    uint8_t account[ACCOUNT_ADDRESS_SIZE];
    chain_asked *done;
    void *owner;
    struct fault fault; /* the first one */
    struct reply_status status;
    struct ask_records records;
    struct ask_set set;
    struct ask_votes votes;
    uint32_t plans_left, account_left, self_left;
    struct query_plan plans[2];
    struct query_account account_value;
    uint64_t balance;
    int64_t height; /* of the topic's calls: the lowest so far */
    struct query_record record;
    bool registered, self_read;
    struct query_signing signing;
};

void ask_begin(struct ask *ask);  /* the comparison is over */
void ask_forget(struct ask *ask); /* frees what it has read so far, and itself */

/* A topic is over; `fault` NULL: it went well. May free the ask: nothing of it may be touched
 * afterwards. */
void ask_topic(struct ask *ask, uint32_t topic, const struct fault *fault);
struct chain_stamp ask_stamp(const struct ask *ask, int64_t height);

void ask_records_start(struct ask *ask);
void ask_set_start(struct ask *ask);   /* status is known */
void ask_votes_start(struct ask *ask); /* the plan is known */
void ask_self_start(struct ask *ask);  /* all that it rests on is known */

void facts_destroy(struct chain_facts *facts);
void ballots_destroy(struct chain_ballot *ballots, uint32_t count);

/* --- submitting: submit.c --- */

void submit_begin(struct job *job); /* the comparison is over */
void submit_forget(struct job *job);

#endif
