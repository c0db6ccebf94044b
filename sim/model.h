/* The modelled chain: a block-level state machine of KIRA's sekai and of DCL, without time and
 * without a network. The simulator drives it block by block; the local devnet puts sockets around
 * it.
 *
 * One block goes through the model like this, as in CometBFT with an ABCI application:
 *
 *     model_check(tx)*        CheckTx of one node: ante rules only, its own expected sequences
 *     model_begin(h, t, ...)  the upgrade module, counters of who signed block h-1, inactivation
 *     model_deliver(tx)*      ante rules again, then the message handlers
 *     model_end()             validator updates: V(h+2); a fatal pair stops the chain for good
 *
 * Worked example, KIRA, members 0..3 of one power, block 20 holds a pause of validator 2:
 *
 *     block        18    19    20    21    22
 *     V(block)    0123  0123  0123  0123  013      the pause of block 20 changes V(22)
 *     counted in   19    20    21     -            signatures of block b count in b+1, for who is
 *                                                  ACTIVE there: 2 is PAUSED from 20 on
 *
 * Ante rules are looked at in the chain's own order, the first that fails is the answer:
 *
 *     code  codespace sdk unless said otherwise; nothing is charged and no sequence used
 *       2   a message that this chain does not know
 *      18   no message
 *      10   KIRA: a send of nothing
 *      11   KIRA: gas limit 0
 *      30   timeout_height below the last height (CheckTx), below this block's (in a block)
 *      12   memo longer than MODEL_MEMO_MAX
 *      18   KIRA: fee out of range, or less than the messages' execution fees together
 *       9   the chain has no account of the signer
 *       5   KIRA: balance below the fee
 *      18   KIRA: poor network and the first message is none that it allows
 *       9   DCL: the account is gone (its validator was caught signing twice)
 *      32   sequence
 *       4   forged, or a message names another validator than the signer's
 *
 * A transaction that passes pays (KIRA) what it offers and uses its sequence, whatever its messages
 * do. The messages run in order, all or nothing; the code is that of the first that fails. KIRA,
 * codespace customslashing: pause 11 (count <= min_validators or <= 1), 2 no record, 4 JAILED, 5
 * INACTIVE, 8 PAUSED; unpause 2, 7 not PAUSED; activate 2, 6 not INACTIVE, 5 too early. A send of
 * more than one has: sdk 5. A vote, codespace customgov: 21 no plan, 28 too late, 5 no permission.
 * DCL, codespace validator: disable 604 when disabled, enable 605 when not, 601 a full pool of 100
 * at create-validator; codespace staking: 4 at create-validator of what exists, 3 for what does
 * not.
 *
 * The upgrade module (KIRA): the first block at upgrade_time or later pauses every record that may
 * vote and has not voted YES, whatever its status, but leaves INACTIVE ones alone. The next block
 * clears the plan, or is the one at which the chain halts.
 *
 * What stops a chain for good: a power of 0 for one that is not in V(h+1) (KIRA: unpause or
 * activate and then pause in one block, or the upgrade module's pause of one that was PAUSED or
 * JAILED already), and an empty set.
 *
 * Invariants, asserted:
 *   C1 V(h+1) and V(h+2) are never empty, and ascend by address.
 *   C2 blocks come in ascending order, without a gap, none after the chain's death.
 *   C3 a record's status and power change through the chain only: what model_record() gives is for
 *      votes, permissions and balances.
 *   C4 `missing` names members of V(height-1).
 *
 * Who keeps accounts of others than validators, and runs messages that are nothing to validators (the devnet),
 * lends both to each transaction: `outsider` and `handler`.
 *
 * Rules, codes and constants are those of the real chains: sekai v0.4.13 (pause, unpause, activate,
 * records guard, mischance and rank, fee range, the upgrade module that pauses who did not vote
 * YES) and DCL 1.5 (disable-node, enable-node, trustees' disable, create-validator as the carrier
 * of a join, no fees). The set follows CometBFT 0.37: updates of block H belong to V(H+2),
 * proposers rotate by priority.
 *
 * A record is a validator's entry on the chain; its number is its index everywhere in the
 * simulator.
 */
#ifndef STAGGER_SIM_MODEL_H
#define STAGGER_SIM_MODEL_H

#include "coord/view.h"

#define MODEL_MONIKER_MAX 80
#define MODEL_MSGS_MAX 4
#define MODEL_MANY_MAX 256
#define MODEL_MEMO_MAX 256
#define MODEL_RANK_MAX INT64_MAX

/* As kira.staking.ValidatorStatus; DCL uses ACTIVE, PAUSED (disabled) and JAILED. */
enum model_status {
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
    MSG_GOVERN,           /* KIRA: a proposal or a vote, run by the transaction's handler */
};

struct model_msg {
    enum msg_kind kind;
    uint32_t validator; /* whom the message names: the signer, but for a trustees' disable */
    uint64_t amount;    /* of a send, in the fee denom */
};

/* What a code leaves open. */
enum model_reason {
    REASON_PLAIN,
    REASON_NO_MESSAGE,
    REASON_FEE_RANGE,
    REASON_FEE_EXECUTION, /* less than the messages' execution fees together */
    REASON_POOR_TYPE,     /* poor network: the first message is none that it allows */
    REASON_POOR_SEND,     /* poor network: more than it lets one send */
};

/* Codes of codespace sdk, which both chains have. */
enum model_sdk_code {
    SDK_DECODE = 2,
    SDK_UNAUTHORIZED = 4,
    SDK_FUNDS = 5,
    SDK_UNKNOWN_REQUEST = 6,
    SDK_ADDRESS = 7,
    SDK_UNKNOWN_ACCOUNT = 9,
    SDK_COINS = 10,
    SDK_GAS = 11,
    SDK_MEMO = 12,
    SDK_FEE = 13,
    SDK_NO_SIGNATURE = 15,
    SDK_INVALID = 18,
    SDK_NOT_FOUND = 22,
    SDK_HEIGHT = 26,
    SDK_TIMEOUT = 30,
    SDK_SEQUENCE = 32,
};

struct model_result {
    uint32_t code;
    const char *codespace; /* static; "" for none */
    bool charged;          /* the fee was taken */
    bool sequenced;        /* a sequence was used */
    enum model_reason reason;
    uint32_t message;           /* when sequenced: the one that was refused */
    uint64_t expected, balance; /* the sequence and balance that the account had */
};

/* An account of no validator, kept by the caller. */
struct model_outsider {
    uint64_t sequence, balance; /* as committed */
    uint64_t stamp, checked_sequence,
        checked_balance; /* CheckTx's view: the chain's, zero at first */
};

/* Runs the messages that name no validator's record, in their places among the others, when they are delivered.
 * *then is what the chain is to run in addition, MSG_OTHER when it is called: nothing. If any message of the
 * transaction is refused, also a later one, what the handler did is to be taken back after model_deliver(). */
struct model_handler {
    struct model_result (*handle)(void *context, uint32_t message, struct model_msg *then);
    void *context;
};

enum model_author { BY_AGENT, BY_OPERATOR, BY_HOSTILE };

struct model_tx {
    /* Record whose account signs and pays. VALIDATOR_NONE: some other account (a trustee's), whose
     * sequence and balance are not modelled. */
    uint32_t signer;
    bool forged;                     /* signature, chain id or account number do not verify */
    bool unknown;                    /* the chain has no account of the signer */
    struct model_outsider *outsider; /* of VALIDATOR_NONE: its account; NULL: not modelled */
    uint32_t msg_count;              /* 1 .. MODEL_MSGS_MAX */
    struct model_msg msgs[MODEL_MSGS_MAX];
    const struct model_msg *many;        /* instead of msgs, up to MODEL_MANY_MAX; NULL: msgs */
    const struct model_handler *handler; /* NULL: the chain runs all messages itself */
    uint32_t memo_size;                  /* characters */
    uint64_t fee;                        /* in the fee denom; ignored on DCL */
    uint64_t gas;
    uint64_t sequence;
    uint64_t timeout_height; /* 0: none */
    /* what the memo says, for traces and the view; the chain does not read it */
    bool join;
    uint32_t join_class, join_charter;
    enum model_author by;
    uint64_t id; /* the simulator's own, unique */
};

struct model_record {
    uint8_t address[ADDRESS_SIZE];
    char moniker[MODEL_MONIKER_MAX];
    enum model_status status;
    int64_t power; /* what it has, or would have, in the set */
    int64_t rank, streak;
    uint64_t mischance, mischance_confidence, missed_blocks, produced_blocks;
    uint64_t last_present; /* height */
    int64_t inactive_until_ms;
    uint64_t sequence, balance; /* of its account, as committed */
    bool can_vote;              /* holds the upgrade vote permission (KIRA 29) */
    bool voted_yes;             /* on the pending plan; cleared with it */
    bool trustee_disabled;      /* DCL: disabled by the trustees' vote */
};

struct model_properties {
    uint64_t min_validators;
    uint64_t min_tx_fee, max_tx_fee;
    /* execution fees */
    uint64_t pause_fee, unpause_fee, activate_fee, activate_failure_fee;
    uint64_t mischance_confidence, max_mischance;
    uint64_t mischance_rank_decrease;
    uint64_t inactive_rank_percent; /* rank lost on becoming inactive, in percent: 50 */
    uint64_t downtime_inactive_s;
    bool guard; /* count ACTIVE members, not records: KIP_54's own wording */
};

struct model_plan {
    bool pending; /* a proposal or a scheduled plan */
    int64_t upgrade_time_ms;
    bool instate;   /* soft: the chain goes on */
    bool processed; /* who did not vote YES has been paused */
};

/* One entry of a validator set, with CometBFT's rotation. */
struct model_member {
    uint32_t validator;
    int64_t power, priority;
};

struct model_set {
    struct model_member *members; /* ascending by address */
    uint32_t count;
    int64_t total_power;
    uint32_t proposer; /* of round 0 */
};

/* Decided by the chain itself in this block, without a transaction. */
struct model_change {
    uint32_t validator;
    bool enters;
    const char *why; /* static: "inactive", "upgrade"; DCL: "trustees", see model_changes() */
};

struct model; /* opaque */

struct model_config {
    enum chain_kind kind;
    struct model_properties properties;
    struct height initial_height;
    int64_t genesis_time_ms;
    const struct model_record *records; /* copied */
    uint32_t record_count;
};

/* Default properties of sekai v0.4.13 with the given min_validators. */
struct model_properties model_properties_default(uint64_t min_validators);

/* The chain before its first block: V(h0) are the ACTIVE records. NULL when memory is short.
 * Asserts that there is one, that every record (but of status NONE) has a power above 0, and that
 * no two of them share an address. */
struct model *model_create(const struct model_config *config);
void model_destroy(struct model **chain);

/* CheckTx as the node of any honest validator would do it now, against the last committed state. A
 * tx that passes raises the expected sequence of its account, and takes its fee there, until the
 * next block is committed; then what still waits in a mempool is checked anew. charged and
 * sequenced stay false. O(1). */
struct model_result model_check(struct model *chain, const struct model_tx *tx);

/* Begins block `height` (the next one). missing: members of V(height-1) without a signature in its
 * last commit. Returns the number of changes that the chain made by itself, readable by
 * model_changes() until the next model_begin(). */
uint32_t model_begin(struct model *chain, struct height height, int64_t time_ms,
                     const uint32_t *missing, uint32_t missing_count);
struct model_result model_deliver(struct model *chain, const struct model_tx *tx);

/* Ends the block and rotates the sets. Returns false when the block is stored but cannot be
 * applied: it stopped the chain for good, and model_dead() says why; or the chain halts by plan,
 * and model_dead() is NULL. model_height(), the sets and their changes are then those before it. */
bool model_end(struct model *chain);
const char *model_dead(const struct model *chain); /* NULL while it lives */

/* Whether the chain halts by plan at this point (hard upgrade): no block after the next one, and
 * that one is stored but not applied. It may be left out here; when it is given, model_begin() does
 * nothing, model_deliver() answers code 1 of codespace undefined and model_end() false. */
bool model_halted_by_plan(const struct model *chain);

/* The changes of the block begun last. model_end() may add some on DCL: a trustees' disable comes
 * in a transaction, but not in one that the validator sent. Only changes of the set are listed. */
uint32_t model_changes(const struct model *chain, const struct model_change **changes);

/* V(h+1) against V(h) for the block h that was ended last: what view_block() wants. */
uint32_t model_set_changes(const struct model *chain, const struct view_change **changes);

/* What the end of that block told CometBFT: V(h+2) against V(h+1), and powers that somebody has already. Whoever
 * leaves first. Room for as many as there are records. */
uint32_t model_updates(const struct model *chain, struct view_change *updates);

/* V(h+1) and V(h+2) after block h was ended; V(h0), V(h0 + 1) before the first block. */
const struct model_set *model_validators(const struct model *chain);
const struct model_set *model_next_validators(const struct model *chain);

/* The proposer of the next block in `round` 0, 1, ..., as a node finds it that goes through every
 * round. O(n) per round not asked for before. */
uint32_t model_proposer(const struct model *chain, uint32_t round);

bool model_in_set(const struct model *chain, uint32_t validator);      /* V(h+1) */
bool model_in_next_set(const struct model *chain, uint32_t validator); /* V(h+2) */
uint32_t model_record_count(const struct model *chain);
struct model_record *model_record(struct model *chain, uint32_t validator);
struct model_properties *model_properties(struct model *chain);
struct model_plan *model_plan(struct model *chain);
uint32_t model_active_count(const struct model *chain); /* records by status, O(1) */
struct height model_height(const struct model *chain);  /* last applied; h0 - 1 at first */

/* KIRA: what the execution fees of a transaction's messages come to. */
uint64_t model_execution_fee(const struct model *chain, const struct model_tx *tx);

/* The least fee that one transaction with this message needs now. */
uint64_t model_fee(const struct model *chain, enum msg_kind kind);

#endif
