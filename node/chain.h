/* One network, asked and changed through one interface; what KIRA and DCL do differently stands in
 * two drivers.
 *
 *     topics --> chain_ask() --> calls, pages, checks --> chain_facts() --> chain_asked()
 *     action --> chain_submit() --> account, fee, draft, signature --> persist hook --> broadcast
 *                     ^                                                                  |
 *                     +----- re-signed only when the old bytes are dead ---- watch <----+--> done()
 *
 * Nothing blocks: calls and timers belong to the zloop. Every ask, submission and comparison ends
 * in exactly one callback, never from within the call that started it, unless it is cancelled or
 * the chain destroyed.
 *
 * Facts. A topic is read as a whole: all pages, of records at one height where the node still has
 * it and otherwise again when the total changes midway; the set of V(latest + 1) with one height on
 * every page, checked against the next_validators_hash of header `latest`. Each topic knows when it
 * was read; a topic that fails leaves the others alone.
 *
 * Several endpoints. Before the first ask and then every CHAIN_COMPARE_MS they are compared
 * (chain_compare()). One that lags, names another chain or is disproved by a commit is not used
 * while another is there, and stands in chain_warning(); so does one whose answer to a question was
 * none, for as long. Two that contradict each other without
 * proof make every ask and submission fail, naming both.
 *
 * A submission holds to these:
 *   S1 nothing is sent before the persist hook has returned true for exactly those bytes.
 *   S2 while bytes may be in a mempool or a block, only the same bytes are sent again.
 *   S3 other bytes are signed only when the old ones were refused by everybody they were shown to,
 *      or their sequence is used up and no block up to there holds them.
 *   S4 "included" means found in a block, "timed out" that no block up to timeout_height holds it.
 * So a lost answer, a restart and a second process with the same key cost time, but never a second
 * action.
 *
 * Worked example: sequence 7 is signed, kept and sent; the connection breaks. The next node says
 * code 32, expected 8. The bytes may have been taken, so nothing new is signed: block 120 is
 * searched. It holds our hash: included. Had it held another transaction of the account, sequence 7
 * would be gone, and 8 would be signed, kept and sent.
 */
#ifndef STAGGER_NODE_CHAIN_H
#define STAGGER_NODE_CHAIN_H

#include "coord/coord.h"
#include "node/reply.h"
#include "node/rpc.h"
#include "node/signer.h"
#include "proto/query.h"
#include "proto/tx.h"

#define CHAIN_COMPARE_MS 30000
#define CHAIN_LAG_BLOCKS 2 /* an endpoint lags when it is more than this many blocks */
#define CHAIN_LAG_MS                                                                               \
    2000 /* and this behind the best by header time: what two looks may differ by */
#define CHAIN_GAS_DEFAULT 200000
#define CHAIN_TIMEOUT_BLOCKS 20 /* of a submission that names no timeout_height */

/* --- what a code means --- */

enum chain_meaning {
    CHAIN_MEANS_OK,          /* code 0 */
    CHAIN_MEANS_DONE_BEFORE, /* it is so already; ask for the own status to be sure */
    CHAIN_MEANS_SENT,        /* the node has it in its mempool already */
    CHAIN_MEANS_WAIT,        /* the same bytes may pass later */
    CHAIN_MEANS_SEQUENCE,    /* the account's sequence is another one */
    CHAIN_MEANS_TOO_LATE,    /* behind its timeout_height; changed nothing, cost nothing */
    CHAIN_MEANS_JOINED,      /* DCL: the refusal with which a join counts */
    CHAIN_MEANS_FINAL,       /* refused, and will be refused again */
};

struct chain_advice {
    const char *codespace;
    uint32_t code;
    const char
        *log_has; /* NULL, or what the log must contain: the more particular row stands first */
    enum chain_meaning meaning;
    const char *name;   /* "already paused" */
    const char *advice; /* a sentence: what the operator should do */
};

/* --- drivers --- */

struct chain_driver {
    enum chain_kind kind;
    const char *name;   /* "kira", "dcl" */
    const char *prefix; /* of accounts: "kira", "cosmos" */
    const char *denom;  /* of fees: "ukex"; NULL: the chain takes none */
    bool empty_blocks;
    bool actions[TX_DO_REJECT_UPGRADE + 1];          /* by enum tx_action: which the chain knows */
    const char *fee_types[TX_DO_REJECT_UPGRADE + 1]; /* name in the table of execution fees, NULL */
    uint32_t topics; /* that the chain has; others are known and empty */
    const struct chain_advice *advice;
    uint32_t advice_count;
};

extern const struct chain_driver chain_kira, chain_dcl;
extern const struct chain_advice chain_sdk_codes[]; /* what both chains inherit */
extern const uint32_t chain_sdk_code_count;
const struct chain_driver *chain_driver(enum chain_kind kind);
const struct chain_driver *chain_driver_named(const char *name); /* NULL: no such chain */

/* What to make of a result. Never NULL; codes of no table get a row that says so. */
const struct chain_advice *chain_advice(const struct chain_driver *driver, const char *codespace,
                                        uint32_t code, const char *log);

/* The sequence in "account sequence mismatch, expected 8, got 7". False when the log is none of
 * those. */
bool chain_expected_sequence(const char *log, uint64_t *expected);

/* The fee of one action: max(min_tx_fee, max(execution, failure)). False with a fault when that is
 * above max_tx_fee. 0 where there are no fees. */
MUST_CHECK bool chain_fee(const struct chain_driver *driver, enum tx_action action,
                          const struct query_properties *properties, const struct query_fees *fees,
                          uint64_t *amount, struct fault *fault);

/* Fees of join, pause, unpause and activate together, what a turn can cost, and 1 that the join
 * moves. */
MUST_CHECK bool chain_turn_fees(const struct chain_driver *driver,
                                const struct query_properties *properties,
                                const struct query_fees *fees, uint64_t *amount,
                                struct fault *fault);

/* --- one network --- */

struct chain;

struct chain_config {
    zloop_t *loop;   /* borrowed, as is rpc */
    struct rpc *rpc; /* endpoint 0 is one's own node */
    const struct chain_driver *driver;
    const char *prefix;   /* NULL: the driver's */
    const char *denom;    /* NULL: the driver's */
    const char *chain_id; /* NULL: whatever the nodes name, if they agree */
    int64_t poll_ms;  /* between two looks at the head while a submission is watched, 0: 1,000 */
    bool compare_off; /* no comparison by itself */
};

/* NULL with a fault when prefix, denom or chain id cannot be one. Texts are copied. */
struct chain *chain_create(const struct chain_config *config, struct fault *fault);
void chain_destroy(
    struct chain **chain); /* asks and submissions under way end without a callback */

const struct chain_driver *chain_driver_of(const struct chain *chain);
const char *chain_prefix(const struct chain *chain);
const char *chain_denom(const struct chain *chain); /* NULL: no fees */
struct rpc *chain_rpc(const struct chain *chain);

/* --- asking --- */

enum chain_topic {
    CHAIN_STATUS = 1 << 0,     /* of the node that answers */
    CHAIN_RECORDS = 1 << 1,    /* every validator that is registered */
    CHAIN_SET = 1 << 2,        /* V(latest + 1) */
    CHAIN_PROPERTIES = 1 << 3, /* KIRA */
    CHAIN_FEES = 1 << 4,       /* KIRA; asks for the properties too */
    CHAIN_PLAN = 1 << 5,       /* current and next */
    CHAIN_VOTES = 1 << 6,      /* on plans that are pending; asks for the plan too */
    CHAIN_ACCOUNT = 1 << 7,    /* needs an account */
    CHAIN_SELF = 1 << 8,       /* needs an account; asks for status, set, account and fees too */
    CHAIN_EVERYTHING = (1 << 9) - 1,
};

struct chain_stamp {
    bool known;
    int64_t height;    /* of the state it was read from; of several pages the lowest */
    int64_t read_ms;   /* zclock_mono() */
    uint32_t endpoint; /* who answered (the last page) */
};

/* An upgrade that is voted upon, or accepted and not yet carried out. */
struct chain_ballot {
    struct query_plan plan;
    bool scheduled;           /* accepted: it will happen */
    struct query_vote *votes; /* owned; by account, ascending */
    uint32_t vote_count;
    /* KIRA: who may vote, by account, ascending; NULL where the chain does not tell */
    uint8_t (*voters)[ACCOUNT_ADDRESS_SIZE];
    uint32_t voter_count;
};

struct chain_facts {
    struct chain_stamp status_at;
    struct reply_status status;

    struct chain_stamp records_at;
    struct query_record *records; /* by consensus address, ascending */
    uint32_t record_count;

    struct chain_stamp set_at; /* .height: h of V(h) */
    struct member *set;        /* by address, ascending */
    uint32_t set_count;
    bool set_bound; /* a header's next_validators_hash has confirmed it */

    struct chain_stamp properties_at;
    struct query_properties properties;

    struct chain_stamp fees_at;
    struct query_fees fees;

    struct chain_stamp plan_at;
    struct query_plan current,
        next; /* DCL: the scheduled plan is `next`, `current` is never present */

    struct chain_stamp votes_at;
    struct chain_ballot *ballots; /* the scheduled one first */
    uint32_t ballot_count;

    struct chain_stamp account_at;
    uint8_t account_address[ACCOUNT_ADDRESS_SIZE];
    struct query_account account;
    uint64_t balance; /* of the fee denom; 0 where there are no fees */

    struct chain_stamp self_at;
    uint8_t self_address[ACCOUNT_ADDRESS_SIZE];
    bool self_registered;         /* a record exists */
    struct query_record record;   /* likewise */
    struct query_signing signing; /* KIRA, when registered */
    bool self_in_set;             /* V(latest + 1) */
    int64_t self_power;           /* in it */
    bool self_is_node;            /* the node asked signs with this record's consensus key */
    uint64_t turn_fees;           /* what `funded` was measured by */
    struct coord_self self;
};

/* fault is NULL when everything asked for is known. */
typedef void chain_asked(void *owner, const struct fault *fault);

/* Reads topics anew. `account` is copied, NULL when no topic needs one. Returns a ticket, never 0.
 * */
uint64_t chain_ask(struct chain *chain, uint32_t topics, const uint8_t *account, chain_asked *done,
                   void *owner);
void chain_ask_cancel(struct chain *chain, uint64_t ticket);

/* What is known; pointers hold until the loop runs again. */
const struct chain_facts *chain_facts(const struct chain *chain);

/* NULL when there is none. */
const struct query_record *chain_record_of(const struct chain_facts *facts,
                                           const uint8_t account[ACCOUNT_ADDRESS_SIZE]);
const struct query_record *chain_record_at(const struct chain_facts *facts,
                                           const uint8_t consensus[ADDRESS_SIZE]);
const struct member *chain_member_at(const struct chain_facts *facts,
                                     const uint8_t consensus[ADDRESS_SIZE]);

/* Whether this account has voted YES (DCL: approves), and whether it should: it may vote, or nobody
 * knows. */
bool chain_voted_yes(const struct chain_ballot *ballot,
                     const uint8_t account[ACCOUNT_ADDRESS_SIZE]);
bool chain_may_vote(const struct chain_ballot *ballot, const uint8_t account[ACCOUNT_ADDRESS_SIZE]);

/* What the member wants to hear (coord.h), from CHAIN_VOTES: is an upgrade pending, has this
 * account voted YES on every one. */
struct coord_plan chain_plan(const struct chain *chain,
                             const uint8_t account[ACCOUNT_ADDRESS_SIZE]);

/* --- several endpoints: node/compare.c --- */

enum chain_verdict {
    CHAIN_WELL,
    CHAIN_SILENT,       /* gave no proper answer */
    CHAIN_LAGS,         /* CHAIN_LAG_BLOCKS and CHAIN_LAG_MS behind one that can prove its head */
    CHAIN_FOREIGN,      /* another chain id */
    CHAIN_DISPROVED,    /* its block at the common height has no valid commit, another's has */
    CHAIN_CONTRADICTED, /* another block than others at one height, and nothing proves either */
};

struct chain_witness {
    enum chain_verdict verdict;
    bool answered;
    struct reply_status status;
    uint8_t hash[HASH_SIZE]; /* at the common height */
    bool has_hash;
    char text[FAULT_MAX]; /* one line for the operator, "" when well */
};

struct chain_comparison {
    int64_t height; /* the common one, 0: none */
    uint32_t best;  /* the endpoint to use, RPC_ANY when there is none to be trusted */
    uint32_t count;
    struct chain_witness witnesses[RPC_ENDPOINTS_MAX];
};

typedef void chain_compared(void *owner, const struct chain_comparison *comparison);
uint64_t chain_compare(struct chain *chain, chain_compared *done, void *owner);
void chain_compare_cancel(struct chain *chain, uint64_t ticket);

/* The latest comparison; count 0 before the first. */
const struct chain_comparison *chain_comparison(const struct chain *chain);

/* A line for each endpoint that is not well, as of the latest comparison: number 0, 1 ... until
 * NULL. */
const char *chain_warning(const struct chain *chain, uint32_t number);

/* --- submitting: node/submit.c --- */

enum chain_outcome {
    CHAIN_INCLUDED,  /* in a block; its code tells whether it happened */
    CHAIN_REFUSED,   /* in no mempool, and the chain does not want it */
    CHAIN_TIMED_OUT, /* in no block up to timeout_height: it will never be */
    CHAIN_FAILED, /* not sent: no account, fee or signature, not kept; or nothing heard: `loose` */
};

struct chain_sent { /* what has to be kept to go on after a restart; pointers are borrowed */
    const uint8_t *bytes;
    size_t size;
    uint8_t hash[HASH_SIZE];
    int64_t since; /* head when it was signed: no block up to here holds it */
    uint64_t timeout_height, account_number, sequence, fee;
    uint32_t attempt; /* 1, 2 ...: how often other bytes had to be signed */
};

struct chain_result {
    enum chain_outcome outcome;
    bool
        loose; /* FAILED only: it was sent, nobody knows whether it was taken; keep it and resume */
    uint8_t hash[HASH_SIZE];
    int64_t height; /* INCLUDED */
    uint32_t code;
    char codespace[REPLY_CODESPACE_MAX], log[REPLY_LOG_MAX];
    const struct chain_advice *advice; /* NULL without a code */
    uint64_t sequence, fee, timeout_height;
    char text[FAULT_MAX]; /* one line for the operator */
};

struct chain_submission {
    /* chain, prefix, chain_id, account_number, sequence, fee_denom and public_key are filled in.
     * fee_amount 0: read live; gas 0: CHAIN_GAS_DEFAULT; timeout_height 0: CHAIN_TIMEOUT_BLOCKS
     * above the head. Texts and what else it points to must stay until the callback. */
    const struct tx_request *request;
    struct signer *signer; /* likewise */
    int64_t give_up_ms;    /* 0: 10 minutes without an answer from any endpoint */
    /* Must make it durable before it returns true. NULL: nothing is kept. */
    bool (*persist)(void *owner, const struct chain_sent *sent);
    void (*say)(void *owner, const char *line); /* progress; may be NULL */
    void (*done)(void *owner, const struct chain_result *result);
    void *owner;
};

/* Returns a ticket, never 0. */
uint64_t chain_submit(struct chain *chain, const struct chain_submission *submission);

/* Goes on with bytes kept by an earlier run: they are copied, sent again unless a block holds them,
 * and never replaced by others; request and signer of the submission are not looked at. */
uint64_t chain_resume(struct chain *chain, const struct chain_sent *sent,
                      const struct chain_submission *submission);
void chain_submit_cancel(struct chain *chain, uint64_t ticket);

#endif
