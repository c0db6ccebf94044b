/* Inside the modelled chain: what model.c (blocks, sets), model_ante.c (accounts, transactions) and the rules of the two chains
 * (model_kira.c, model_dcl.c) share. Nobody else includes this.
 *
 *     model.c, model_ante.c                 model_kira.c, model_dcl.c
 *     model_check, model_deliver  ------->  admit: fees, poor network, revoked accounts
 *     model_deliver               ------->  handle: one message
 *     model_begin                 ------->  begin: upgrade module, counters
 *     model_end                   ------->  update: what becomes of a validator that was touched
 *
 * A validator is touched when a rule decided something about its membership in this block;
 * model_end() asks about the touched ones only.
 */
#ifndef STAGGER_SIM_MODEL_RULES_H
#define STAGGER_SIM_MODEL_RULES_H

#include "sim/valset.h"

#define MODEL_DEAD_MAX 256

/* KIRA's removing and reactivating queues, which exclude each other: the later entry removes the
 * earlier. */
enum model_queue { QUEUE_NONE, QUEUE_LEAVE, QUEUE_ENTER };

enum model_update { UPDATE_NONE, UPDATE_LEAVE, UPDATE_ENTER };

/* Bits of chain->flags. In block h: */
enum model_flag {
    IN_LAST = 1, /* member of V(h-1), whose signatures this block counts */
    IN_SET = 2,  /* of V(h) */
    IN_NEXT = 4, /* of V(h+1), to which this block's updates apply */
    MISSING = 8, /* named by model_begin() */
    TOUCHED = 16,
};

/* CheckTx's own state of an account, good for one block. */
struct model_account {
    uint64_t stamp; /* chain->stamp when it was copied from the record */
    uint64_t sequence, balance;
};

/* The proposers of the rounds of the next block, as far as they were asked for. */
struct model_rotation {
    bool started;
    uint32_t round;
    struct model_set set;
};

struct model_rules {
    uint32_t messages; /* bit 1 << kind for each message that the chain knows */
    bool fees;         /* it takes gas and fees */

    /* Ante rules between memo and sequence; balance is that of the signer's account. */
    struct model_result (*admit)(const struct model *chain, const struct model_tx *tx,
                                 uint64_t balance);

    /* Runs one message. On a refusal nothing has changed. */
    struct model_result (*handle)(struct model *chain, uint32_t signer,
                                  const struct model_msg *msg);

    void (*begin)(struct model *chain);

    /* What the end of the block tells CometBFT about a touched validator; may note it. */
    enum model_update (*update)(struct model *chain, uint32_t validator);
    uint64_t (*fee)(const struct model *chain, enum msg_kind kind);
};

extern const struct model_rules model_rules_kira;
extern const struct model_rules model_rules_dcl;

struct model {
    const struct model_rules *rules;
    struct model_properties properties;
    struct model_plan plan;
    struct model_record *records;
    uint32_t record_count;
    uint32_t registered;  /* records of any status but NONE */
    uint32_t active;      /* ACTIVE records */
    uint32_t active_next; /* ACTIVE records that are members of V(h+1) */
    uint8_t *flags;       /* of enum model_flag */
    uint8_t *queues;      /* of enum model_queue */
    uint32_t *touched, touched_count;
    uint32_t *ranks;

    struct height height; /* last block that was applied */
    int64_t time_ms;      /* of the block begun last */
    bool in_block, stored_only;
    char dead[MODEL_DEAD_MAX]; /* empty while it lives */

    struct model_set set, next; /* V(height+1), V(height+2) */
    struct model_rotation *rotation;
    struct valset_change *updates; /* of the block ended last */
    uint32_t update_count;
    struct view_change *set_changes;  /* V(height+1) against V(height) */
    struct view_change *next_changes; /* V(height+2) against V(height+1) */
    uint32_t set_change_count, next_change_count;
    struct model_change *changes;
    uint32_t change_count;

    struct model_account *accounts;
    uint64_t stamp;
};

static inline struct model_result model_ok(void)
{
    return (struct model_result){.codespace = ""};
}

static inline struct model_result model_refuse(uint32_t code, const char *codespace)
{
    return (struct model_result){.code = code, .codespace = codespace};
}

static inline struct model_result model_refuse_for(uint32_t code, const char *codespace,
                                                   enum model_reason reason)
{
    return (struct model_result){.code = code, .codespace = codespace, .reason = reason};
}

static inline const struct model_msg *model_messages(const struct model_tx *tx)
{
    return tx->many ? tx->many : tx->msgs;
}

/* Of VALIDATOR_NONE: STATUS_NONE. */
static inline enum model_status model_status_of(const struct model_record *records, uint32_t count,
                                                uint32_t validator)
{
    return validator < count ? records[validator].status : STATUS_NONE;
}

/* The only way in which a status changes; keeps the counts. */
void model_set_status(struct model *chain, uint32_t validator, enum model_status status);

/* Decides about a validator's membership; model_end() will ask the rules about it. */
void model_touch(struct model *chain, uint32_t validator, enum model_queue queue);

/* Lists a change that the chain makes by itself, if it changes the set. */
void model_note(struct model *chain, uint32_t validator, const char *why);

#endif
