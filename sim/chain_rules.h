/* Inside the modelled chain: what chain.c (blocks, sets, accounts) and the rules of the two chains
 * (chain_kira.c, chain_dcl.c) share. Nobody else includes this.
 *
 *     chain.c                               chain_kira.c, chain_dcl.c
 *     chain_check, chain_deliver  ------->  admit: fees, poor network, revoked accounts
 *     chain_deliver               ------->  handle: one message
 *     chain_begin                 ------->  begin: upgrade module, counters
 *     chain_end                   ------->  update: what becomes of a validator that was touched
 *
 * A validator is touched when a rule decided something about its membership in this block;
 * chain_end() asks about the touched ones only.
 */
#ifndef STAGGER_SIM_CHAIN_RULES_H
#define STAGGER_SIM_CHAIN_RULES_H

#include "sim/valset.h"

#define CHAIN_DEAD_MAX 256

/* KIRA's removing and reactivating queues, which exclude each other: the later entry removes the
 * earlier. */
enum chain_queue { QUEUE_NONE, QUEUE_LEAVE, QUEUE_ENTER };

enum chain_update { UPDATE_NONE, UPDATE_LEAVE, UPDATE_ENTER };

/* Bits of chain->flags. In block h: */
enum chain_flag {
    IN_LAST = 1, /* member of V(h-1), whose signatures this block counts */
    IN_SET = 2,  /* of V(h) */
    IN_NEXT = 4, /* of V(h+1), to which this block's updates apply */
    MISSING = 8, /* named by chain_begin() */
    TOUCHED = 16,
};

/* CheckTx's own state of an account, good for one block. */
struct chain_account {
    uint64_t stamp; /* chain->stamp when it was copied from the record */
    uint64_t sequence, balance;
};

/* The proposers of the rounds of the next block, as far as they were asked for. */
struct chain_rotation {
    bool started;
    uint32_t round;
    struct chain_set set;
};

struct chain_rules {
    uint32_t messages; /* bit 1 << kind for each message that the chain knows */
    bool fees;         /* it takes gas and fees */

    /* Ante rules between memo and sequence; balance is that of the signer's account. */
    struct chain_result (*admit)(const struct chain *chain, const struct chain_tx *tx,
                                 uint64_t balance);

    /* Runs one message. On a refusal nothing has changed. */
    struct chain_result (*handle)(struct chain *chain, uint32_t signer,
                                  const struct chain_msg *msg);

    void (*begin)(struct chain *chain);

    /* What the end of the block tells CometBFT about a touched validator; may note it. */
    enum chain_update (*update)(struct chain *chain, uint32_t validator);
    uint64_t (*fee)(const struct chain *chain, enum msg_kind kind);
};

extern const struct chain_rules chain_rules_kira;
extern const struct chain_rules chain_rules_dcl;

struct chain {
    const struct chain_rules *rules;
    struct chain_properties properties;
    struct chain_plan plan;
    struct chain_record *records;
    uint32_t record_count;
    uint32_t registered;  /* records of any status but NONE */
    uint32_t active;      /* ACTIVE records */
    uint32_t active_next; /* ACTIVE records that are members of V(h+1) */
    uint8_t *flags;       /* of enum chain_flag */
    uint8_t *queues;      /* of enum chain_queue */
    uint32_t *touched, touched_count;
    uint32_t *ranks;

    struct height height; /* last block that was applied */
    int64_t time_ms;      /* of the block begun last */
    bool in_block, stored_only;
    char dead[CHAIN_DEAD_MAX]; /* empty while it lives */

    struct chain_set set, next; /* V(height+1), V(height+2) */
    struct chain_rotation *rotation;
    struct valset_change *updates;
    struct view_change *set_changes;  /* V(height+1) against V(height) */
    struct view_change *next_changes; /* V(height+2) against V(height+1) */
    uint32_t set_change_count, next_change_count;
    struct chain_change *changes;
    uint32_t change_count;

    struct chain_account *accounts;
    uint64_t stamp;
};

static inline struct chain_result chain_ok(void)
{
    return (struct chain_result){0, "", false, false};
}

static inline struct chain_result chain_refuse(uint32_t code, const char *codespace)
{
    return (struct chain_result){code, codespace, false, false};
}

/* The only way in which a status changes; keeps the counts. */
void chain_set_status(struct chain *chain, uint32_t validator, enum chain_status status);

/* Decides about a validator's membership; chain_end() will ask the rules about it. */
void chain_touch(struct chain *chain, uint32_t validator, enum chain_queue queue);

/* Lists a change that the chain makes by itself, if it changes the set. */
void chain_note(struct chain *chain, uint32_t validator, const char *why);

#endif
