/* Answers of DCL. A message that holds one thing has the bytes of a list of one without a page behind it. */
#include <string.h>

#include "dcl.pb-c.h"
#include "proto/answer_internal.h"

static ProtobufCBinaryData borrowed(struct tx_bytes bytes)
{
    return bounded_bytes(bytes.bytes, bytes.size);
}

static Dcl__Validator *validator_make(struct arena *arena, const char *prefix,
                                      const struct answer_validator *from)
{
    Dcl__Validator *to = answer_take(arena, 1, sizeof *to);
    dcl__validator__init(to);
    to->owner = answer_address(arena, prefix, "valoper", from->account);
    to->description = answer_take(arena, 1, sizeof *to->description);
    dcl__description__init(to->description);
    to->description->moniker = bounded_text(from->moniker);
    to->pub_key = answer_key(arena, ANSWER_ED25519, from->key, ED25519_KEY_SIZE);
    to->power = from->power;
    to->jailed = from->jailed;
    to->jailed_reason = bounded_text(from->reason);
    return to;
}

uint8_t *answer_dcl_validators(const char *prefix, const struct answer_validator *validators,
                               uint32_t count, const struct answer_tail *tail, size_t *size)
{
    struct arena arena;
    Dcl__QueryAllValidatorResponse reply = DCL__QUERY_ALL_VALIDATOR_RESPONSE__INIT;
    arena_begin(&arena, ANSWER_BUDGET);
    reply.validator = answer_take(&arena, count, sizeof *reply.validator);
    for (uint32_t i = 0; i < count; i++)
        reply.validator[reply.n_validator++] = validator_make(&arena, prefix, &validators[i]);
    reply.pagination = answer_tail(&arena, tail);
    return answer_pack(&arena, &reply.base, size);
}

static Dcl__LastValidatorPower *power_make(struct arena *arena, const char *prefix,
                                           const struct answer_validator *from)
{
    Dcl__LastValidatorPower *to = answer_take(arena, 1, sizeof *to);
    dcl__last_validator_power__init(to);
    to->owner = answer_address(arena, prefix, "valoper", from->account);
    to->power = from->power;
    return to;
}

uint8_t *answer_dcl_powers(const char *prefix, const struct answer_validator *validators,
                           uint32_t count, const struct answer_tail *tail, size_t *size)
{
    struct arena arena;
    Dcl__QueryAllLastValidatorPowerResponse reply =
        DCL__QUERY_ALL_LAST_VALIDATOR_POWER_RESPONSE__INIT;
    arena_begin(&arena, ANSWER_BUDGET);
    reply.last_validator_power = answer_take(&arena, count, sizeof *reply.last_validator_power);
    for (uint32_t i = 0; i < count; i++)
        reply.last_validator_power[reply.n_last_validator_power++] =
            power_make(&arena, prefix, &validators[i]);
    reply.pagination = answer_tail(&arena, tail);
    return answer_pack(&arena, &reply.base, size);
}

/* --- what trustees decide --- */

static Dcl__Grant **grants_make(struct arena *arena, const char *prefix,
                                const struct answer_grant *from, uint32_t count)
{
    Dcl__Grant **list = answer_take(arena, count, sizeof *list);
    for (uint32_t i = 0; i < count; i++) {
        list[i] = answer_take(arena, 1, sizeof **list);
        dcl__grant__init(list[i]);
        list[i]->address = answer_address(arena, prefix, "", from[i].account);
        list[i]->time = from[i].time_s;
        list[i]->info = borrowed(from[i].info);
    }
    return list;
}

static Dcl__DisabledValidator *disabled_make(struct arena *arena, const char *prefix,
                                             const struct answer_decision *from)
{
    Dcl__DisabledValidator *to = answer_take(arena, 1, sizeof *to);
    dcl__disabled_validator__init(to);
    to->address = answer_address(arena, prefix, "valoper", from->validator);
    to->creator = answer_address(arena, prefix, "", from->creator);
    to->approvals = grants_make(arena, prefix, from->approvals, from->approval_count);
    to->n_approvals = from->approval_count;
    to->disabled_by_node_admin = from->by_admin;
    to->rejects = grants_make(arena, prefix, from->rejects, from->reject_count);
    to->n_rejects = from->reject_count;
    return to;
}

uint8_t *answer_dcl_disabled(const char *prefix, const struct answer_decision *decisions,
                             uint32_t count, const struct answer_tail *tail, size_t *size)
{
    struct arena arena;
    Dcl__QueryAllDisabledValidatorResponse reply = DCL__QUERY_ALL_DISABLED_VALIDATOR_RESPONSE__INIT;
    arena_begin(&arena, ANSWER_BUDGET);
    reply.disabled_validator = answer_take(&arena, count, sizeof *reply.disabled_validator);
    for (uint32_t i = 0; i < count; i++)
        reply.disabled_validator[reply.n_disabled_validator++] =
            disabled_make(&arena, prefix, &decisions[i]);
    reply.pagination = answer_tail(&arena, tail);
    return answer_pack(&arena, &reply.base, size);
}

static Dcl__ProposedDisableValidator *disabling_make(struct arena *arena, const char *prefix,
                                                     const struct answer_decision *from)
{
    Dcl__ProposedDisableValidator *to = answer_take(arena, 1, sizeof *to);
    dcl__proposed_disable_validator__init(to);
    to->address = answer_address(arena, prefix, "valoper", from->validator);
    to->creator = answer_address(arena, prefix, "", from->creator);
    to->approvals = grants_make(arena, prefix, from->approvals, from->approval_count);
    to->n_approvals = from->approval_count;
    to->rejects = grants_make(arena, prefix, from->rejects, from->reject_count);
    to->n_rejects = from->reject_count;
    return to;
}

uint8_t *answer_dcl_disabling(const char *prefix, const struct answer_decision *decisions,
                              uint32_t count, const struct answer_tail *tail, size_t *size)
{
    struct arena arena;
    Dcl__QueryAllProposedDisableValidatorResponse reply =
        DCL__QUERY_ALL_PROPOSED_DISABLE_VALIDATOR_RESPONSE__INIT;
    arena_begin(&arena, ANSWER_BUDGET);
    reply.proposed_disable_validator =
        answer_take(&arena, count, sizeof *reply.proposed_disable_validator);
    for (uint32_t i = 0; i < count; i++)
        reply.proposed_disable_validator[reply.n_proposed_disable_validator++] =
            disabling_make(&arena, prefix, &decisions[i]);
    reply.pagination = answer_tail(&arena, tail);
    return answer_pack(&arena, &reply.base, size);
}

/* Go writes the time that a plan never has, as the year 1. */
static Cosmos__UpgradePlan *plan_make(struct arena *arena, const struct answer_decision *from)
{
    Cosmos__UpgradePlan *plan = answer_take(arena, 1, sizeof *plan);
    cosmos__upgrade_plan__init(plan);
    plan->name = borrowed(from->name);
    plan->time = answer_take(arena, 1, sizeof *plan->time);
    cosmos__timestamp__init(plan->time);
    plan->time->seconds = TIME_STAMP_ZERO_S;
    plan->height = from->height;
    plan->info = borrowed(from->info);
    return plan;
}

static Dcl__Upgrade *upgrade_make(struct arena *arena, const char *prefix,
                                  const struct answer_decision *from)
{
    Dcl__Upgrade *to = answer_take(arena, 1, sizeof *to);
    dcl__upgrade__init(to);
    to->plan = plan_make(arena, from);
    to->creator = answer_address(arena, prefix, "", from->creator);
    to->approvals = grants_make(arena, prefix, from->approvals, from->approval_count);
    to->n_approvals = from->approval_count;
    to->rejects = grants_make(arena, prefix, from->rejects, from->reject_count);
    to->n_rejects = from->reject_count;
    return to;
}

uint8_t *answer_dcl_upgrades(const char *prefix, const struct answer_decision *decisions,
                             uint32_t count, const struct answer_tail *tail, size_t *size)
{
    struct arena arena;
    Dcl__QueryAllUpgradeResponse reply = DCL__QUERY_ALL_UPGRADE_RESPONSE__INIT;
    arena_begin(&arena, ANSWER_BUDGET);
    reply.upgrade = answer_take(&arena, count, sizeof *reply.upgrade);
    for (uint32_t i = 0; i < count; i++)
        reply.upgrade[reply.n_upgrade++] = upgrade_make(&arena, prefix, &decisions[i]);
    reply.pagination = answer_tail(&arena, tail);
    return answer_pack(&arena, &reply.base, size);
}

uint8_t *answer_dcl_plan(const struct answer_decision *plan, size_t *size)
{
    struct arena arena;
    Cosmos__QueryCurrentPlanResponse reply = COSMOS__QUERY_CURRENT_PLAN_RESPONSE__INIT;
    arena_begin(&arena, ANSWER_BUDGET);
    if (plan)
        reply.plan = plan_make(&arena, plan);
    return answer_pack(&arena, &reply.base, size);
}
