#include "sim/model_rules.h"

#define POOL_MAX 100 /* MaxNodes */

/* codespace staking */
enum {
    STAKING_NO_RECORD = 3,
    STAKING_EXISTS = 4,
};

/* codespace validator */
enum {
    VALIDATOR_POOL_FULL = 601,
    VALIDATOR_NO_PROPOSAL = 603,
    VALIDATOR_DISABLED = 604,
    VALIDATOR_NOT_DISABLED = 605,
};

/* A double sign costs the account as well. */
static struct model_result admit(const struct model *chain, const struct model_tx *tx,
                                 uint64_t balance)
{
    (void)balance;
    if (tx->unknown)
        return model_refuse(SDK_UNKNOWN_ACCOUNT, "sdk");
    if (tx->signer != VALIDATOR_NONE && chain->records[tx->signer].status == STATUS_JAILED)
        return model_refuse(SDK_UNKNOWN_ACCOUNT, "sdk");
    return model_ok();
}

static void move(struct model *chain, uint32_t validator, enum model_status status)
{
    model_set_status(chain, validator, status);
    model_touch(chain, validator, QUEUE_NONE);
}

static struct model_result disable(struct model *chain, uint32_t validator)
{
    enum model_status status = chain->records[validator].status;

    if (status == STATUS_NONE)
        return model_refuse(STAKING_NO_RECORD, "staking");
    if (status != STATUS_ACTIVE)
        return model_refuse(VALIDATOR_DISABLED, "validator");
    move(chain, validator, STATUS_PAUSED);
    return model_ok();
}

/* Also of one that the trustees disabled: the chain does not mind. */
static struct model_result enable(struct model *chain, uint32_t validator)
{
    if (chain->records[validator].status != STATUS_PAUSED)
        return model_refuse(VALIDATOR_NOT_DISABLED, "validator");
    chain->records[validator].trustee_disabled = false;
    move(chain, validator, STATUS_ACTIVE);
    return model_ok();
}

/* The pool is looked at before the record. */
static struct model_result create(struct model *chain, uint32_t validator)
{
    if (chain->next.count == POOL_MAX)
        return model_refuse(VALIDATOR_POOL_FULL, "validator");
    if (chain->records[validator].status != STATUS_NONE)
        return model_refuse(STAKING_EXISTS, "staking");
    move(chain, validator, STATUS_ACTIVE);
    return model_ok();
}

/* Nothing is asked about power: disabling the last member is accepted too. */
static struct model_result disable_by_trustees(struct model *chain, uint32_t validator)
{
    struct model_record *record;

    if (validator >= chain->record_count || chain->records[validator].status == STATUS_NONE)
        return model_refuse(STAKING_NO_RECORD, "staking");
    record = &chain->records[validator];
    if (record->trustee_disabled)
        return model_refuse(VALIDATOR_NO_PROPOSAL, "validator");
    record->trustee_disabled = true;
    if (record->status == STATUS_ACTIVE)
        move(chain, validator, STATUS_PAUSED);
    return model_ok();
}

static struct model_result handle(struct model *chain, uint32_t signer, const struct model_msg *msg)
{
    (void)signer;
    switch (msg->kind) {
    case MSG_PAUSE:
        return disable(chain, msg->validator);
    case MSG_UNPAUSE:
        return enable(chain, msg->validator);
    case MSG_CREATE_VALIDATOR:
        return create(chain, msg->validator);
    case MSG_TRUSTEE_DISABLE:
        return disable_by_trustees(chain, msg->validator);
    default:
        return model_ok();
    }
}

/* No downtime rules, on purpose, and no plan by time. */
static void begin(struct model *chain)
{
    (void)chain;
}

/* The end of a block compares with the power last told to CometBFT, so a change and its reverse in
 * one block are no change. */
static enum model_update update(struct model *chain, uint32_t validator)
{
    const struct model_record *record = &chain->records[validator];
    bool is = chain->flags[validator] & IN_NEXT;
    bool will_be = record->status == STATUS_ACTIVE;

    if (is == will_be)
        return UPDATE_NONE;
    if (will_be)
        return UPDATE_ENTER;
    if (record->trustee_disabled)
        model_note(chain, validator, "trustees");
    return UPDATE_LEAVE;
}

static uint64_t no_fee(const struct model *chain, enum msg_kind kind)
{
    (void)chain;
    (void)kind;
    return 0;
}

const struct model_rules model_rules_dcl = {
    .messages = 1u << MSG_OTHER | 1u << MSG_PAUSE | 1u << MSG_UNPAUSE | 1u << MSG_CREATE_VALIDATOR |
                1u << MSG_TRUSTEE_DISABLE,
    .fees = false,
    .admit = admit,
    .handle = handle,
    .begin = begin,
    .update = update,
    .fee = no_fee,
};
