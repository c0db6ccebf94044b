/* Transactions in the modelled chain: accounts, ante rules, and messages that run all or nothing. */
#include <assert.h>

#include "sim/model_rules.h"

#define UNDEFINED_INTERNAL 1 /* codespace undefined */

/* --- accounts and ante --- */

/* CheckTx's view of an account: a copy of the committed one, made when it is first needed after a
 * commit. Delivery needs it too, before it changes the record. */
static struct model_account *check_account(struct model *chain, uint32_t signer)
{
    struct model_account *account = &chain->accounts[signer];

    if (account->stamp != chain->stamp) {
        account->stamp = chain->stamp;
        account->sequence = chain->records[signer].sequence;
        account->balance = chain->records[signer].balance;
    }
    return account;
}

/* As committed. */
static struct model_account outside_account(const struct model_tx *tx)
{
    if (tx->outsider)
        return (struct model_account){.sequence = tx->outsider->sequence,
                                      .balance = tx->outsider->balance};
    return (struct model_account){.sequence = tx->sequence, .balance = UINT64_MAX};
}

/* As CheckTx sees it, like check_account(). */
static struct model_account check_outsider(const struct model *chain, const struct model_tx *tx)
{
    struct model_outsider *outsider = tx->outsider;

    if (!outsider)
        return outside_account(tx);
    if (outsider->stamp != chain->stamp) {
        outsider->stamp = chain->stamp;
        outsider->checked_sequence = outsider->sequence;
        outsider->checked_balance = outsider->balance;
    }
    return (struct model_account){.sequence = outsider->checked_sequence,
                                  .balance = outsider->checked_balance};
}

static bool names_validator(enum msg_kind kind)
{
    return kind == MSG_PAUSE || kind == MSG_UNPAUSE || kind == MSG_ACTIVATE ||
           kind == MSG_CREATE_VALIDATOR;
}

static struct model_result check_messages(const struct model *chain, const struct model_tx *tx)
{
    const struct model_msg *msgs = model_messages(tx);

    assert(tx->msg_count <= (tx->many ? MODEL_MANY_MAX : MODEL_MSGS_MAX));
    for (uint32_t i = 0; i < tx->msg_count; i++) {
        if (!(chain->rules->messages >> msgs[i].kind & 1))
            return model_refuse(SDK_DECODE, "sdk");
    }
    if (tx->msg_count == 0)
        return model_refuse_for(SDK_INVALID, "sdk", REASON_NO_MESSAGE);
    for (uint32_t i = 0; i < tx->msg_count; i++) {
        if (msgs[i].kind == MSG_SEND && msgs[i].amount == 0)
            return model_refuse(SDK_COINS, "sdk");
    }
    return model_ok();
}

/* The chain asks the named validator's account for its signature. An outsider names itself, a validator that
 * does not exist. */
static bool is_signed(const struct model_tx *tx)
{
    const struct model_msg *msgs = model_messages(tx);

    for (uint32_t i = 0; i < tx->msg_count; i++) {
        if (!names_validator(msgs[i].kind))
            continue;
        if (msgs[i].validator != tx->signer || (tx->signer == VALIDATOR_NONE && !tx->outsider))
            return false;
    }
    return !tx->forged;
}

static struct model_result judge(const struct model *chain, const struct model_tx *tx,
                                 struct height height, const struct model_account *account)
{
    struct model_result r = check_messages(chain, tx);

    if (r.code)
        return r;
    if (chain->rules->fees && tx->gas == 0)
        return model_refuse(SDK_GAS, "sdk");
    if (tx->timeout_height > 0 && tx->timeout_height < height.n)
        return model_refuse(SDK_TIMEOUT, "sdk");
    if (tx->memo_size > MODEL_MEMO_MAX)
        return model_refuse(SDK_MEMO, "sdk");
    r = chain->rules->admit(chain, tx, account->balance);
    if (r.code)
        return r;
    if (tx->sequence != account->sequence)
        return model_refuse(SDK_SEQUENCE, "sdk");
    if (!is_signed(tx))
        return model_refuse(SDK_UNAUTHORIZED, "sdk");
    return model_ok();
}

/* The ante rules, and the account as they saw it. */
static struct model_result ante(const struct model *chain, const struct model_tx *tx,
                                struct height height, const struct model_account *account)
{
    struct model_result r = judge(chain, tx, height, account);

    r.expected = account->sequence;
    r.balance = account->balance;
    return r;
}

struct model_result model_check(struct model *chain, const struct model_tx *tx)
{
    struct model_account outside;
    struct model_account *account = &outside;
    struct model_result r;

    if (tx->signer != VALIDATOR_NONE) {
        assert(tx->signer < chain->record_count);
        account = check_account(chain, tx->signer);
    } else {
        outside = check_outsider(chain, tx);
    }
    r = ante(chain, tx, chain->height, account);
    if (r.code)
        return r;
    account->sequence++;
    if (chain->rules->fees)
        account->balance -= tx->fee;
    if (account == &outside && tx->outsider) {
        tx->outsider->checked_sequence = outside.sequence;
        tx->outsider->checked_balance = outside.balance;
    }
    return r;
}

/* --- messages --- */

struct saved {
    uint32_t validator;
    uint8_t queue;
    struct model_record record;
};

static void undo(struct model *chain, const struct saved *saved)
{
    model_set_status(chain, saved->validator, saved->record.status);
    chain->records[saved->validator] = saved->record;
    chain->queues[saved->validator] = saved->queue;
}

/* The message that the chain is to run at this place, if any was left to it. */
static struct model_result hand_over(const struct model_tx *tx, uint32_t i, struct model_msg *msg)
{
    *msg = model_messages(tx)[i];
    if (!tx->handler || names_validator(msg->kind))
        return model_ok();
    *msg = (struct model_msg){.kind = MSG_OTHER};
    return tx->handler->handle(tx->handler->context, i, msg);
}

/* All or nothing. What a message may change is the record that it names, else the signer's. */
static struct model_result run_messages(struct model *chain, const struct model_tx *tx)
{
    struct saved saved[MODEL_MANY_MAX];
    struct model_result r = model_ok();
    uint32_t done = 0;

    for (uint32_t i = 0; i < tx->msg_count && r.code == 0; i++) {
        struct model_msg msg;

        r = hand_over(tx, i, &msg);
        if (r.code == 0) {
            bool named = names_validator(msg.kind) || msg.kind == MSG_TRUSTEE_DISABLE;
            uint32_t v = named ? msg.validator : tx->signer;

            if (v < chain->record_count)
                saved[done++] = (struct saved){v, chain->queues[v], chain->records[v]};
            r = chain->rules->handle(chain, tx->signer, &msg);
        }
        r.message = i;
    }
    while (r.code != 0 && done > 0)
        undo(chain, &saved[--done]);
    return r;
}

static void use_account(struct model *chain, const struct model_tx *tx)
{
    struct model_record *record;

    if (tx->outsider) {
        (void)check_outsider(chain, tx);
        tx->outsider->sequence++;
        tx->outsider->balance -= chain->rules->fees ? tx->fee : 0;
    }
    if (tx->signer == VALIDATOR_NONE)
        return;
    record = &chain->records[tx->signer];
    (void)check_account(chain, tx->signer);
    record->sequence++;
    if (chain->rules->fees)
        record->balance -= tx->fee;
}

struct model_result model_deliver(struct model *chain, const struct model_tx *tx)
{
    struct model_account account = outside_account(tx);
    struct model_result r;

    assert(chain->in_block);
    if (chain->stored_only)
        return model_refuse(UNDEFINED_INTERNAL, "undefined");
    if (tx->signer != VALIDATOR_NONE) {
        assert(tx->signer < chain->record_count);
        account.sequence = chain->records[tx->signer].sequence;
        account.balance = chain->records[tx->signer].balance;
    }
    r = ante(chain, tx, height_after(chain->height, 1), &account);
    if (r.code)
        return r;
    use_account(chain, tx);
    r = run_messages(chain, tx);
    r.charged = chain->rules->fees;
    r.sequenced = true;
    return r;
}
