/* What a chain that runs a transaction needs of it beyond tx.h: the contents of proposals, the trustees' messages,
 * and in what words addresses stand, because a chain refuses those of another network though their bytes are the
 * same. For the devnet; the daemon has no use for them.
 */
#ifndef STAGGER_PROTO_ANSWER_ACT_H
#define STAGGER_PROTO_ANSWER_ACT_H

#include "proto/header.h"
#include "proto/tx.h"

#define ANSWER_ADDRESSES_MAX 2

enum answer_act_kind {
    ACT_NONE, /* another message: only its addresses are read */
    ACT_UPGRADE_PROPOSAL,
    ACT_CANCEL_PROPOSAL,
    ACT_OTHER_PROPOSAL,
    ACT_PROPOSE_UPGRADE,
    ACT_APPROVE_UPGRADE,
    ACT_REJECT_UPGRADE,
    ACT_PROPOSE_DISABLE,
    ACT_APPROVE_DISABLE,
    ACT_REJECT_DISABLE,
};

struct answer_act {
    enum answer_act_kind kind;
    struct tx_bytes name;                                  /* of the plan */
    struct tx_bytes title, description, type_url, content; /* KIRA; the last two of its Any */
    int64_t upgrade_time_s;                                /* KIRA */
    bool instate, skip_handler;                            /* KIRA */
    bool has_creator, has_validator;                       /* DCL; the latter of disabling */
    uint8_t creator[ACCOUNT_ADDRESS_SIZE], validator[ACCOUNT_ADDRESS_SIZE];
    int64_t height, time_s;          /* DCL: plan's height, time that the sender gave */
    struct tx_bytes plan_info, info; /* DCL */
    struct tx_bytes
        addresses[ANSWER_ADDRESSES_MAX]; /* all that are bech32 text; unused ones are empty */
};

/* One act for each message, in the arena; NULL when a message is broken or memory is short. */
const struct answer_act *answer_acts_read(const struct tx_decoded *tx, struct arena *arena,
                                          struct fault *fault);

/* Whether every field of the transaction is one that the chain knows, as far as it is known here. */
MUST_CHECK bool answer_fields_known(const struct tx_decoded *tx, const uint8_t *bytes, size_t size,
                                    struct arena *arena, struct fault *fault);

#endif
