/* Queries of DCL. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/app_query.h"

#define VALIDATOR "/zigbeealliance.distributedcomplianceledger.validator.Query/"
#define UPGRADE "/zigbeealliance.distributedcomplianceledger.dclupgrade.Query/"
#define AUTH "/zigbeealliance.distributedcomplianceledger.dclauth.Query/"

static void not_found(struct app_answer *answer)
{
    app_ask_not_found(answer, "not found");
}

static uint32_t valoper_find(const struct app *app, const struct answer_request *request,
                             struct app_answer *answer)
{
    uint8_t address[ACCOUNT_ADDRESS_SIZE];
    if (!app_ask_address_read(app, "valoper", request->text[0], address, answer))
        return VALIDATOR_NONE;
    uint32_t v = app_account_find(app, address);
    if (v < app->genesis.count)
        return v;
    not_found(answer);
    return VALIDATOR_NONE;
}

static const struct app_disabling *disabling_of(const struct app *app, enum app_stage stage,
                                                uint32_t validator)
{
    for (uint32_t i = 0; i < app->trust.disabling_count; i++) {
        const struct app_disabling *d = &app->trust.disablings[i];
        if (d->stage == stage && d->validator == validator)
            return d;
    }
    return NULL;
}

/* --- validators --- */

static void validator_fill(const struct app *app, uint32_t v, struct answer_validator *to)
{
    const struct model_record *record = model_record(app->model, v);
    const struct app_disabling *by_vote = disabling_of(app, STAGE_ACCEPTED, v);
    bool active = record->status == STATUS_ACTIVE;
    *to = (struct answer_validator){.moniker = record->moniker,
                                    .power = active ? (int32_t)record->power : 0,
                                    .jailed = !active};
    memcpy(to->account, app->accounts[v]->address, ACCOUNT_ADDRESS_SIZE);
    memcpy(to->key, app->genesis.validators[v].consensus_key, ED25519_KEY_SIZE);
    if (!active)
        to->reason = record->trustee_disabled && by_vote ? by_vote->approvals.list[0].info->bytes
                                                         : "disabled by a node admin";
}

static size_t account_key(const struct app_ask_list *list, uint32_t item,
                          uint8_t key[ANSWER_KEY_MAX])
{
    uint32_t v = list->app->by_account[item];
    memcpy(key, list->app->accounts[v]->address, ACCOUNT_ADDRESS_SIZE);
    return ACCOUNT_ADDRESS_SIZE;
}

static bool has_power(const struct app_ask_list *list, uint32_t item)
{
    uint32_t v = list->app->by_account[item];
    return model_record(list->app->model, v)->status == STATUS_ACTIVE;
}

static void validator_list(const struct app *app, const struct answer_request *request, bool powers,
                           struct app_answer *answer)
{
    struct app_ask_list list = {.app = app,
                                .count = app->genesis.count,
                                .key = account_key,
                                .matches = powers ? has_power : NULL};
    if (!app_ask_page_run(&list, request, answer))
        return;
    struct answer_validator *found = calloc(list.hit_count + 1, sizeof *found);
    assert(found);
    for (uint32_t i = 0; i < list.hit_count; i++)
        validator_fill(app, app->by_account[list.hits[i]], &found[i]);
    answer->value = (powers ? answer_dcl_powers : answer_dcl_validators)(
        app->genesis.prefix, found, list.hit_count, &list.tail, &answer->size);
    free(found);
    free(list.hits);
}

static void validator(const struct app *app, const struct answer_request *request,
                      struct app_answer *answer)
{
    struct answer_validator found;
    uint32_t v = valoper_find(app, request, answer);
    if (v == VALIDATOR_NONE)
        return;
    validator_fill(app, v, &found);
    answer->value = answer_dcl_validators(app->genesis.prefix, &found, 1, NULL, &answer->size);
}

static void power(const struct app *app, const struct answer_request *request,
                  struct app_answer *answer)
{
    struct answer_validator found;
    uint32_t v = valoper_find(app, request, answer);
    if (v == VALIDATOR_NONE)
        return;
    validator_fill(app, v, &found);
    if (found.power == 0)
        not_found(answer);
    else
        answer->value = answer_dcl_powers(app->genesis.prefix, &found, 1, NULL, &answer->size);
}

/* --- decisions of trustees --- */

static void grants_fill(const struct app *app, const struct app_grants *from,
                        struct answer_grant to[ANSWER_GRANTS], uint32_t *count)
{
    *count = from->count;
    for (uint32_t i = 0; i < from->count; i++) {
        memcpy(to[i].account, app->accounts[from->list[i].account]->address, ACCOUNT_ADDRESS_SIZE);
        to[i].time_s = from->list[i].time_s;
        to[i].info = app_ask_bytes(from->list[i].info);
    }
}

static void disabling_fill(const struct app *app, const struct app_disabling *from,
                           struct answer_decision *to)
{
    memcpy(to->creator, app->accounts[from->creator]->address, ACCOUNT_ADDRESS_SIZE);
    memcpy(to->validator, app->accounts[from->validator]->address, ACCOUNT_ADDRESS_SIZE);
    grants_fill(app, &from->approvals, to->approvals, &to->approval_count);
    grants_fill(app, &from->rejects, to->rejects, &to->reject_count);
}

/* Whether there is such a decision about the validator, and what it is. */
static bool decision_find(const struct app *app, enum app_stage stage, uint32_t v,
                          struct answer_decision *to)
{
    const struct model_record *record = model_record(app->model, v);
    const struct app_disabling *found = disabling_of(app, stage, v);
    memset(to, 0, sizeof *to);
    if (stage != STAGE_ACCEPTED || (record->status == STATUS_PAUSED && record->trustee_disabled)) {
        if (found)
            disabling_fill(app, found, to);
        return found != NULL;
    }
    if (record->status != STATUS_PAUSED)
        return false;
    memcpy(to->creator, app->accounts[v]->address, ACCOUNT_ADDRESS_SIZE);
    memcpy(to->validator, app->accounts[v]->address, ACCOUNT_ADDRESS_SIZE);
    to->by_admin = true;
    return true;
}

static bool decision_matches(const struct app_ask_list *list, uint32_t item)
{
    struct answer_decision decision;
    const enum app_stage *stage = list->items;
    return decision_find(list->app, *stage, list->app->by_account[item], &decision);
}

static uint8_t *decisions_write(const struct app *app, enum app_stage stage,
                                const struct answer_decision *found, uint32_t count,
                                const struct answer_tail *tail, size_t *size)
{
    return (stage == STAGE_ACCEPTED ? answer_dcl_disabled : answer_dcl_disabling)(
        app->genesis.prefix, found, count, tail, size);
}

static void decision_one(const struct app *app, const struct answer_request *request,
                         enum app_stage stage, struct app_answer *answer)
{
    struct answer_decision found;
    uint32_t v = valoper_find(app, request, answer);
    if (v == VALIDATOR_NONE)
        return;
    if (decision_find(app, stage, v, &found))
        answer->value = decisions_write(app, stage, &found, 1, NULL, &answer->size);
    else
        not_found(answer);
}

static void decision_all(const struct app *app, const struct answer_request *request,
                         enum app_stage stage, struct app_answer *answer)
{
    struct app_ask_list list = {.app = app,
                                .items = &stage,
                                .count = app->genesis.count,
                                .key = account_key,
                                .matches = decision_matches};
    if (!app_ask_page_run(&list, request, answer))
        return;
    struct answer_decision *found = calloc(list.hit_count + 1, sizeof *found);
    assert(found);
    for (uint32_t i = 0; i < list.hit_count; i++)
        (void)decision_find(app, stage, app->by_account[list.hits[i]], &found[i]);
    answer->value = decisions_write(app, stage, found, list.hit_count, &list.tail, &answer->size);
    free(found);
    free(list.hits);
}

/* --- upgrades --- */

static void upgrade_fill(const struct app *app, const struct app_upgrade *from,
                         struct answer_decision *to)
{
    memset(to, 0, sizeof *to);
    to->name = app_ask_bytes(from->name);
    to->info = app_ask_bytes(from->info);
    to->height = from->height;
    memcpy(to->creator, app->accounts[from->creator]->address, ACCOUNT_ADDRESS_SIZE);
    grants_fill(app, &from->approvals, to->approvals, &to->approval_count);
    grants_fill(app, &from->rejects, to->rejects, &to->reject_count);
}

static int name_compare(const void *a, const void *b)
{
    const struct app_upgrade *const *x = a, *const *y = b;
    return strcmp((*x)->name->bytes, (*y)->name->bytes);
}

/* Those of one stage, ascending by name; the caller frees the list. */
static const struct app_upgrade **upgrades_of(const struct app *app, enum app_stage stage,
                                              uint32_t *count)
{
    const struct app_upgrade **list = calloc(app->trust.upgrade_count + 1, sizeof *list);
    assert(list);
    *count = 0;
    for (uint32_t i = 0; i < app->trust.upgrade_count; i++) {
        if (app->trust.upgrades[i].stage == stage)
            list[(*count)++] = &app->trust.upgrades[i];
    }
    qsort(list, *count, sizeof *list, name_compare);
    return list;
}

static size_t name_key(const struct app_ask_list *list, uint32_t item, uint8_t key[ANSWER_KEY_MAX])
{
    const struct app_upgrade *const *upgrades = list->items;
    const struct app_text *name = upgrades[item]->name;
    memcpy(key, name->bytes, name->size);
    return name->size;
}

static void upgrade_all(const struct app *app, const struct answer_request *request,
                        enum app_stage stage, struct app_answer *answer)
{
    struct app_ask_list list = {.app = app, .key = name_key};
    const struct app_upgrade **upgrades = upgrades_of(app, stage, &list.count);
    list.items = upgrades;
    if (app_ask_page_run(&list, request, answer)) {
        struct answer_decision *found = calloc(list.hit_count + 1, sizeof *found);
        assert(found);
        for (uint32_t i = 0; i < list.hit_count; i++)
            upgrade_fill(app, upgrades[list.hits[i]], &found[i]);
        answer->value = answer_dcl_upgrades(app->genesis.prefix, found, list.hit_count, &list.tail,
                                            &answer->size);
        free(found);
    }
    free(list.hits);
    free(upgrades);
}

static void upgrade_one(const struct app *app, const struct answer_request *request,
                        enum app_stage stage, struct app_answer *answer)
{
    struct answer_decision found;
    for (uint32_t i = 0; i < app->trust.upgrade_count; i++) {
        const struct app_upgrade *upgrade = &app->trust.upgrades[i];
        if (upgrade->stage != stage || strcmp(upgrade->name->bytes, request->text[0]) != 0)
            continue;
        upgrade_fill(app, upgrade, &found);
        answer->value = answer_dcl_upgrades(app->genesis.prefix, &found, 1, NULL, &answer->size);
        return;
    }
    not_found(answer);
}

static void current_plan(const struct app *app, const struct answer_request *request,
                         struct app_answer *answer)
{
    struct answer_decision plan;
    (void)request;
    if (app->trust.planned)
        upgrade_fill(app, &app->trust.plan, &plan);
    answer->value = answer_dcl_plan(app->trust.planned ? &plan : NULL, &answer->size);
}

/* --- accounts --- */

static void account(const struct app *app, const struct answer_request *request,
                    struct app_answer *answer)
{
    uint8_t address[ACCOUNT_ADDRESS_SIZE];
    struct answer_account found;
    if (!app_ask_address_read(app, "", request->text[0], address, answer))
        return;
    uint32_t index = app_account_find(app, address);
    if (index >= app->account_count) {
        not_found(answer);
        return;
    }
    app_ask_account_fill(app, index, &found);
    found.roles[0] = "NodeAdmin";
    found.roles[1] = app_is_trustee(app, index) ? "Trustee" : NULL;
    answer->value = answer_account_dcl(app->genesis.prefix, &found, &answer->size);
}

/* --- paths --- */

#define PATH_ABOUT(name, answering, what)                                                          \
    static void name(const struct app *app, const struct answer_request *request,                  \
                     struct app_answer *answer)                                                    \
    {                                                                                              \
        answering(app, request, what, answer);                                                     \
    }

PATH_ABOUT(validator_all, validator_list, false)
PATH_ABOUT(power_all, validator_list, true)
PATH_ABOUT(proposed_disable_one, decision_one, STAGE_PROPOSED)
PATH_ABOUT(proposed_disable_all, decision_all, STAGE_PROPOSED)
PATH_ABOUT(disabled_one, decision_one, STAGE_ACCEPTED)
PATH_ABOUT(disabled_all, decision_all, STAGE_ACCEPTED)
PATH_ABOUT(rejected_disable_one, decision_one, STAGE_REJECTED)
PATH_ABOUT(rejected_disable_all, decision_all, STAGE_REJECTED)
PATH_ABOUT(proposed_one, upgrade_one, STAGE_PROPOSED)
PATH_ABOUT(proposed_all, upgrade_all, STAGE_PROPOSED)
PATH_ABOUT(approved_one, upgrade_one, STAGE_ACCEPTED)
PATH_ABOUT(approved_all, upgrade_all, STAGE_ACCEPTED)
PATH_ABOUT(rejected_one, upgrade_one, STAGE_REJECTED)
PATH_ABOUT(rejected_all, upgrade_all, STAGE_REJECTED)

const struct app_ask_path app_ask_paths_dcl[] = {
    {VALIDATOR "Validator", ANSWER_TEXT, validator},
    {VALIDATOR "ValidatorAll", ANSWER_PAGE, validator_all},
    {VALIDATOR "LastValidatorPower", ANSWER_TEXT, power},
    {VALIDATOR "LastValidatorPowerAll", ANSWER_PAGE, power_all},
    {VALIDATOR "ProposedDisableValidator", ANSWER_TEXT, proposed_disable_one},
    {VALIDATOR "ProposedDisableValidatorAll", ANSWER_PAGE, proposed_disable_all},
    {VALIDATOR "DisabledValidator", ANSWER_TEXT, disabled_one},
    {VALIDATOR "DisabledValidatorAll", ANSWER_PAGE, disabled_all},
    {VALIDATOR "RejectedDisableValidator", ANSWER_TEXT, rejected_disable_one},
    {VALIDATOR "RejectedDisableValidatorAll", ANSWER_PAGE, rejected_disable_all},
    {UPGRADE "ProposedUpgrade", ANSWER_TEXT, proposed_one},
    {UPGRADE "ProposedUpgradeAll", ANSWER_PAGE, proposed_all},
    {UPGRADE "ApprovedUpgrade", ANSWER_TEXT, approved_one},
    {UPGRADE "ApprovedUpgradeAll", ANSWER_PAGE, approved_all},
    {UPGRADE "RejectedUpgrade", ANSWER_TEXT, rejected_one},
    {UPGRADE "RejectedUpgradeAll", ANSWER_PAGE, rejected_all},
    {AUTH "Account", ANSWER_TEXT, account},
    {"/cosmos.upgrade.v1beta1.Query/CurrentPlan", ANSWER_NOTHING, current_plan},
    {NULL, ANSWER_NOTHING, NULL},
};
