/* The modelled chain: a block-level state machine of KIRA's sekai and of DCL, without time and without a
 * network. The simulator drives it block by block; the local devnet puts sockets around it.
 *
 * One block goes through the model like this, as in CometBFT with an ABCI application:
 *
 *     chain_check(tx)*        CheckTx of one node: ante rules only, its own expected sequences
 *     chain_begin(h, t, ...)  counters of who signed block h-1, inactivation, the upgrade module
 *     chain_deliver(tx)*      ante rules again, then the message handlers
 *     chain_end()             validator updates: V(h+2); a fatal combination stops the chain for good
 *
 * Rules, codes and constants are those of the real chains: sekai v0.4.13 (pause, unpause, activate, records
 * guard, mischance and rank, fee range, the upgrade module that pauses who did not vote YES) and DCL 1.5
 * (disable-node, enable-node, trustees' disable, create-validator as the carrier of a join, no fees).
 * The set follows CometBFT 0.37: updates of block H belong to V(H+2), proposers rotate by priority.
 *
 * A record is a validator's entry on the chain; its number is its index everywhere in the simulator.
 */
#ifndef STAGGER_SIM_CHAIN_H
#define STAGGER_SIM_CHAIN_H

#include "coord/view.h"

#define CHAIN_MONIKER_MAX 80
#define CHAIN_MSGS_MAX 4
#define CHAIN_MEMO_MAX 256
#define CHAIN_RANK_MAX INT64_MAX

enum chain_status { /* as kira.staking.ValidatorStatus; DCL uses ACTIVE, PAUSED (disabled) and JAILED */
    STATUS_NONE,
    STATUS_ACTIVE,
    STATUS_INACTIVE,
    STATUS_PAUSED,
    STATUS_JAILED,
};

enum msg_kind {
    MSG_OTHER,
    MSG_SEND,             /* bank send to oneself, the carrier of a join on KIRA */
    MSG_PAUSE,            /* KIRA pause, DCL disable-node */
    MSG_UNPAUSE,          /* KIRA unpause, DCL enable-node */
    MSG_ACTIVATE,         /* KIRA only */
    MSG_CREATE_VALIDATOR, /* DCL: refused for a record that exists, the carrier of a join */
    MSG_TRUSTEE_DISABLE,  /* DCL: the approval that completes a trustees' disable of `validator` */
    MSG_VOTE_YES,         /* a YES vote of the signer on the pending upgrade proposal */
};

struct chain_msg {
    enum msg_kind kind;
    uint32_t validator; /* the validator that the message names; KIRA refuses one that is not the signer */
    uint64_t amount;    /* of a send, in the fee denom */
};

enum chain_author { BY_AGENT, BY_OPERATOR, BY_HOSTILE };

struct chain_tx {
    uint32_t signer;      /* record whose account signs and pays */
    bool forged;          /* signature, chain id or account number do not verify */
    uint32_t msg_count;   /* 1 .. CHAIN_MSGS_MAX */
    struct chain_msg msgs[CHAIN_MSGS_MAX];
    uint32_t memo_size;   /* characters */
    uint64_t fee;         /* in the fee denom; ignored on DCL */
    uint64_t gas;
    uint64_t sequence;
    uint64_t timeout_height; /* 0: none */
    /* what the memo says, for traces and the view; the chain does not read it */
    bool join;
    uint32_t join_class, join_charter;
    enum chain_author by;
    uint64_t id;          /* the simulator's own, unique */
};

struct chain_result {
    uint32_t code;
    const char *codespace; /* static; "" for none */
    bool charged;          /* the fee was taken */
    bool sequenced;        /* a sequence was used */
};

struct chain_record {
    uint8_t address[ADDRESS_SIZE];
    char moniker[CHAIN_MONIKER_MAX];
    enum chain_status status;
    int64_t power;               /* what it has, or would have, in the set */
    int64_t rank, streak;
    uint64_t mischance, mischance_confidence, missed_blocks, produced_blocks;
    uint64_t last_present;       /* height */
    int64_t inactive_until_ms;
    uint64_t sequence, balance;  /* of its account, as committed */
    bool can_vote;               /* holds the upgrade vote permission (KIRA 29) */
    bool voted_yes;              /* on the pending plan */
    bool trustee_disabled;       /* DCL: disabled by the trustees' vote */
};

struct chain_properties {
    uint64_t min_validators;
    uint64_t min_tx_fee, max_tx_fee;
    uint64_t pause_fee, unpause_fee, activate_fee, activate_failure_fee; /* execution fees */
    uint64_t mischance_confidence, max_mischance;
    uint64_t mischance_rank_decrease;
    uint64_t inactive_rank_percent;   /* rank lost on becoming inactive, in percent: 50 */
    uint64_t downtime_inactive_s;
    bool guard;                       /* count ACTIVE members instead of records, KIP_54's own wording */
};

struct chain_plan {
    bool pending;                /* a proposal or a scheduled plan */
    int64_t upgrade_time_ms;
    bool instate;                /* soft: the chain goes on */
    bool processed;              /* who did not vote YES has been paused */
};

/* One entry of a validator set, with CometBFT's rotation. */
struct chain_member {
    uint32_t validator;
    int64_t power, priority;
};

struct chain_set {
    struct chain_member *members; /* ascending by address */
    uint32_t count;
    int64_t total_power;
};

struct chain_change { /* decided by the chain itself in this block, without a transaction */
    uint32_t validator;
    bool enters;
    const char *why; /* static: "inactive", "upgrade", "jailed" */
};

struct chain; /* opaque */

struct chain_config {
    enum chain_kind kind;
    struct chain_properties properties;
    struct height initial_height;
    int64_t genesis_time_ms;
    const struct chain_record *records; /* copied */
    uint32_t record_count;
};

/* Default properties of sekai v0.4.13 with the given min_validators. */
struct chain_properties chain_properties_default(uint64_t min_validators);

struct chain *chain_create(const struct chain_config *config);
void chain_destroy(struct chain **chain);

/* CheckTx as the node of any honest validator would do it now. A tx that passes raises the expected
 * sequence of its account until the next block is committed. */
struct chain_result chain_check(struct chain *chain, const struct chain_tx *tx);

/* Begins block `height` (the next one). missing: members of V(height-1) without a signature in its last
 * commit. Returns the number of changes that the chain made by itself, readable by chain_changes() until
 * the next chain_begin(). */
uint32_t chain_begin(struct chain *chain, struct height height, int64_t time_ms, const uint32_t *missing,
                     uint32_t missing_count);
struct chain_result chain_deliver(struct chain *chain, const struct chain_tx *tx);

/* Ends the block and rotates the sets. Returns false when the block stopped the chain for good;
 * chain_dead() then says why. */
bool chain_end(struct chain *chain);
const char *chain_dead(const struct chain *chain); /* NULL while it lives */

/* Whether the chain halts by plan at this point (hard upgrade): no block after the next one. */
bool chain_halted_by_plan(const struct chain *chain);

uint32_t chain_changes(const struct chain *chain, const struct chain_change **changes);

/* V(h+1) against V(h) for the block h that was ended last: what view_block() wants. */
uint32_t chain_set_changes(const struct chain *chain, const struct view_change **changes);

/* V(h+1) and V(h+2) after block h was ended; V(h0), V(h0 + 1) before the first block. */
const struct chain_set *chain_validators(const struct chain *chain);
const struct chain_set *chain_next_validators(const struct chain *chain);

/* The proposer of the next block in `round` 0, 1, ... */
uint32_t chain_proposer(const struct chain *chain, uint32_t round);

bool chain_in_set(const struct chain *chain, uint32_t validator);      /* V(h+1) */
bool chain_in_next_set(const struct chain *chain, uint32_t validator); /* V(h+2) */
uint32_t chain_record_count(const struct chain *chain);
struct chain_record *chain_record(struct chain *chain, uint32_t validator);
struct chain_properties *chain_properties(struct chain *chain);
struct chain_plan *chain_plan(struct chain *chain);
uint32_t chain_active_count(const struct chain *chain); /* records by status, O(1) */
struct height chain_height(const struct chain *chain);  /* last committed, initial_height - 1 at first */

/* The least fee that one transaction with this message needs now. */
uint64_t chain_fee(const struct chain *chain, enum msg_kind kind);

#endif
