#include "sim/model_rules.h"

#include <assert.h>

#define POOR_SEND_MAX 1000000 /* poor_network_max_bank_send */
#define SLASHING "customslashing"
#define GOV "customgov"

/* codespace customslashing */
enum {
    SLASHING_NO_RECORD = 2,
    SLASHING_JAILED = 4,
    SLASHING_INACTIVE = 5,
    SLASHING_NOT_INACTIVE = 6,
    SLASHING_NOT_PAUSED = 7,
    SLASHING_PAUSED = 8,
    SLASHING_POOR = 11,
};

/* codespace customgov */
enum {
    GOV_PERMISSION = 5,
    GOV_NO_PROPOSAL = 21,
    GOV_ENDED = 28,
};

struct model_properties model_properties_default(uint64_t min_validators)
{
    return (struct model_properties){
        .min_validators = min_validators,
        .min_tx_fee = 100,
        .max_tx_fee = 1000000,
        .pause_fee = 100,
        .unpause_fee = 100,
        .activate_fee = 100,
        .activate_failure_fee = 1000,
        .mischance_confidence = 10,
        .max_mischance = 110,
        .mischance_rank_decrease = 10,
        .inactive_rank_percent = 50,
        .downtime_inactive_s = 600,
    };
}

/* --- ante --- */

static uint64_t execution_fee(const struct model_properties *p, enum msg_kind kind)
{
    switch (kind) {
    case MSG_PAUSE:
        return p->pause_fee;
    case MSG_UNPAUSE:
        return p->unpause_fee;
    case MSG_ACTIVATE:
        return p->activate_fee > p->activate_failure_fee ? p->activate_fee
                                                         : p->activate_failure_fee;
    default:
        return 0;
    }
}

uint64_t model_execution_fee(const struct model *chain, const struct model_tx *tx)
{
    const struct model_msg *msgs = model_messages(tx);
    uint64_t sum = 0;

    for (uint32_t i = 0; i < tx->msg_count; i++)
        sum += execution_fee(&chain->properties, msgs[i].kind);
    return sum;
}

static uint64_t least_fee(const struct model *chain, enum msg_kind kind)
{
    uint64_t fee = execution_fee(&chain->properties, kind);

    return fee > chain->properties.min_tx_fee ? fee : chain->properties.min_tx_fee;
}

/* Only the first message is looked at: the chain stops at the first that it allows. */
static bool allowed_when_poor(const struct model_msg *msg)
{
    switch (msg->kind) {
    case MSG_SEND:
        return msg->amount <= POOR_SEND_MAX;
    case MSG_PAUSE:
    case MSG_UNPAUSE:
    case MSG_ACTIVATE:
    case MSG_VOTE_YES:
    case MSG_GOVERN:
        return true;
    default:
        return false;
    }
}

static struct model_result admit(const struct model *chain, const struct model_tx *tx,
                                 uint64_t balance)
{
    const struct model_properties *p = &chain->properties;
    const struct model_msg *msgs = model_messages(tx);

    if (tx->fee < p->min_tx_fee || tx->fee > p->max_tx_fee)
        return model_refuse_for(SDK_INVALID, "sdk", REASON_FEE_RANGE);
    if (tx->fee < model_execution_fee(chain, tx))
        return model_refuse_for(SDK_INVALID, "sdk", REASON_FEE_EXECUTION);
    if (tx->unknown)
        return model_refuse(SDK_UNKNOWN_ACCOUNT, "sdk");
    if (balance < tx->fee)
        return model_refuse(SDK_FUNDS, "sdk");
    if (chain->registered < p->min_validators && !allowed_when_poor(msgs))
        return model_refuse_for(SDK_INVALID, "sdk",
                                msgs->kind == MSG_SEND ? REASON_POOR_SEND : REASON_POOR_TYPE);
    return model_ok();
}

/* --- messages --- */

static void move(struct model *chain, uint32_t validator, enum model_status status,
                 enum model_queue queue)
{
    model_set_status(chain, validator, status);
    model_touch(chain, validator, queue);
}

/* The chain counts records of any status; KIP_54 speaks of active validators. */
static bool is_too_few_to_pause(const struct model *chain)
{
    uint64_t count = chain->properties.guard ? chain->active_next : chain->registered;

    return count <= chain->properties.min_validators || count <= 1;
}

static struct model_result pause_validator(struct model *chain, uint32_t validator)
{
    if (is_too_few_to_pause(chain))
        return model_refuse(SLASHING_POOR, SLASHING);
    switch (model_status_of(chain->records, chain->record_count, validator)) {
    case STATUS_NONE:
        return model_refuse(SLASHING_NO_RECORD, SLASHING);
    case STATUS_JAILED:
        return model_refuse(SLASHING_JAILED, SLASHING);
    case STATUS_INACTIVE:
        return model_refuse(SLASHING_INACTIVE, SLASHING);
    case STATUS_PAUSED:
        return model_refuse(SLASHING_PAUSED, SLASHING);
    case STATUS_ACTIVE:
        break;
    }
    move(chain, validator, STATUS_PAUSED, QUEUE_LEAVE);
    return model_ok();
}

static struct model_result unpause_validator(struct model *chain, uint32_t validator)
{
    enum model_status status = model_status_of(chain->records, chain->record_count, validator);

    if (status == STATUS_NONE)
        return model_refuse(SLASHING_NO_RECORD, SLASHING);
    if (status != STATUS_PAUSED)
        return model_refuse(SLASHING_NOT_PAUSED, SLASHING);
    move(chain, validator, STATUS_ACTIVE, QUEUE_ENTER);
    return model_ok();
}

static struct model_result activate_validator(struct model *chain, uint32_t validator)
{
    enum model_status status = model_status_of(chain->records, chain->record_count, validator);
    struct model_record *record;

    if (status == STATUS_NONE)
        return model_refuse(SLASHING_NO_RECORD, SLASHING);
    record = &chain->records[validator];
    if (status != STATUS_INACTIVE)
        return model_refuse(SLASHING_NOT_INACTIVE, SLASHING);
    if (chain->time_ms < record->inactive_until_ms)
        return model_refuse(SLASHING_INACTIVE, SLASHING);
    record->mischance = 0;
    record->mischance_confidence = 0;
    move(chain, validator, STATUS_ACTIVE, QUEUE_ENTER);
    return model_ok();
}

static struct model_result vote_yes(struct model *chain, uint32_t voter)
{
    if (!chain->plan.pending)
        return model_refuse(GOV_NO_PROPOSAL, GOV);
    if (chain->plan.processed)
        return model_refuse(GOV_ENDED, GOV);
    if (voter == VALIDATOR_NONE)
        return model_ok();
    if (!chain->records[voter].can_vote)
        return model_refuse(GOV_PERMISSION, GOV);
    chain->records[voter].voted_yes = true;
    return model_ok();
}

static struct model_result handle(struct model *chain, uint32_t signer, const struct model_msg *msg)
{
    switch (msg->kind) {
    case MSG_SEND:
        if (signer != VALIDATOR_NONE && chain->records[signer].balance < msg->amount)
            return model_refuse(SDK_FUNDS, "sdk");
        return model_ok();
    case MSG_PAUSE:
        return pause_validator(chain, msg->validator);
    case MSG_UNPAUSE:
        return unpause_validator(chain, msg->validator);
    case MSG_ACTIVATE:
        return activate_validator(chain, msg->validator);
    case MSG_VOTE_YES:
        return vote_yes(chain, signer);
    default:
        return model_ok();
    }
}

/* --- the upgrade module --- */

/* Whoever is out already gets a power of 0 once more, which the end of the block will not survive;
 * INACTIVE ones alone are spared. */
static void pause_non_voters(struct model *chain)
{
    for (uint32_t v = 0; v < chain->record_count; v++) {
        const struct model_record *record = &chain->records[v];

        if (!record->can_vote || record->voted_yes || record->status == STATUS_NONE ||
            record->status == STATUS_INACTIVE)
            continue;
        move(chain, v, STATUS_PAUSED, QUEUE_LEAVE);
        model_note(chain, v, "upgrade");
    }
}

static void run_upgrade(struct model *chain)
{
    struct model_plan *plan = &chain->plan;

    if (!plan->pending || chain->time_ms < plan->upgrade_time_ms)
        return;
    if (!plan->processed) {
        pause_non_voters(chain);
        plan->processed = true;
        return;
    }
    assert(plan->instate);
    plan->pending = false;
    for (uint32_t v = 0; v < chain->record_count; v++)
        chain->records[v].voted_yes = false;
}

/* --- uptime --- */

/* `percent` off, rounded half to even as the SDK's decimals are; ranks up to INT64_MAX. */
static int64_t reduced(int64_t rank, uint64_t percent)
{
    int64_t keep = percent < 100 ? 100 - (int64_t)percent : 0;
    int64_t part = rank % 100 * keep;
    int64_t whole = rank / 100 * keep + part / 100;

    part %= 100;
    if (part > 50 || (part == 50 && whole % 2 != 0))
        whole++;
    return whole;
}

static void inactivate(struct model *chain, uint32_t validator)
{
    const struct model_properties *p = &chain->properties;
    struct model_record *record = &chain->records[validator];

    record->rank = reduced(record->rank, p->inactive_rank_percent);
    record->streak = 0;
    record->inactive_until_ms = chain->time_ms + (int64_t)p->downtime_inactive_s * 1000;
    move(chain, validator, STATUS_INACTIVE, QUEUE_LEAVE);
    model_note(chain, validator, "inactive");
}

static void count_signed(struct model_record *record, struct height height)
{
    record->mischance = 0;
    record->mischance_confidence = 0;
    record->produced_blocks++;
    record->last_present = height.n;
    record->streak++;
    if (record->streak > record->rank)
        record->rank = record->streak;
}

static void count_missed(struct model *chain, uint32_t validator)
{
    const struct model_properties *p = &chain->properties;
    struct model_record *record = &chain->records[validator];
    int64_t decrease = (int64_t)p->mischance_rank_decrease;

    record->missed_blocks++;
    if (record->mischance_confidence >= p->mischance_confidence)
        record->mischance++;
    else
        record->mischance_confidence++;
    if (record->mischance > 0) {
        record->streak = 0;
        record->rank = record->rank > decrease ? record->rank - decrease : 0;
    }
    if (record->mischance > p->max_mischance)
        inactivate(chain, validator);
}

static void count_signatures(struct model *chain)
{
    struct height height = height_after(chain->height, 1);

    for (uint32_t v = 0; v < chain->record_count; v++) {
        if (!(chain->flags[v] & IN_LAST) || chain->records[v].status != STATUS_ACTIVE)
            continue;
        if (chain->flags[v] & MISSING)
            count_missed(chain, v);
        else
            count_signed(&chain->records[v], height);
    }
}

static void begin(struct model *chain)
{
    run_upgrade(chain);
    count_signatures(chain);
}

static enum model_update update(struct model *chain, uint32_t validator)
{
    switch ((enum model_queue)chain->queues[validator]) {
    case QUEUE_LEAVE:
        return UPDATE_LEAVE;
    case QUEUE_ENTER:
        return UPDATE_ENTER;
    case QUEUE_NONE:
        break;
    }
    return UPDATE_NONE;
}

const struct model_rules model_rules_kira = {
    .messages = 1u << MSG_OTHER | 1u << MSG_SEND | 1u << MSG_PAUSE | 1u << MSG_UNPAUSE |
                1u << MSG_ACTIVATE | 1u << MSG_VOTE_YES | 1u << MSG_GOVERN,
    .fees = true,
    .admit = admit,
    .handle = handle,
    .begin = begin,
    .update = update,
    .fee = least_fee,
};
