/* DCL: what trustees decide by vote. The scheduled plan stands beside the model; who is disabled stands in it: a
 * record that is PAUSED was disabled by the trustees when it says so, else by its own admin. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/app_internal.h"

#define UPGRADE "dclupgrade"
#define VALIDATOR "validator"

enum {
    STAKING_NO_RECORD = 3,
    PROPOSAL_EXISTS = 602,
    NO_PROPOSAL = 603,
    DISABLED_EXISTS = 604,
    UPGRADE_EXISTS = 801,
    NO_UPGRADE = 802,
    UPGRADE_APPROVED = 803,
};

static struct model_result refuse(struct app_tx *tx, uint32_t code, const char *codespace,
                                  const char *format, const char *a, const char *b)
    __attribute__((format(printf, 4, 0)));

/* `format` takes two texts, or one, or none. */
static struct model_result refuse(struct app_tx *tx, uint32_t code, const char *codespace,
                                  const char *format, const char *a, const char *b)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(tx->words, sizeof tx->words, format, a, b);
#pragma GCC diagnostic pop
    return app_no(code, codespace);
}

/* --- grants --- */

static uint32_t approvals_needed(const struct app *app)
{
    return (2 * app->genesis.trustees + 2) / 3;
}

static uint32_t rejects_needed(const struct app *app)
{
    return app->genesis.trustees - approvals_needed(app) + 1;
}

bool app_is_trustee(const struct app *app, uint32_t account)
{
    return account < app->genesis.trustees; /* accounts of validators come first, in their order */
}

static bool has_grant(const struct app_grants *grants, uint32_t account)
{
    for (uint32_t i = 0; i < grants->count; i++) {
        if (grants->list[i].account == account)
            return true;
    }
    return false;
}

static void grant_add(struct app_grants *grants, uint32_t account, const struct answer_act *act)
{
    assert(grants->count < APP_GRANTS_MAX);
    grants->list[grants->count++] =
        (struct app_grant){account, act->time_s, app_text_make(act->info.bytes, act->info.size)};
}

static void grant_drop(struct app_grants *grants, uint32_t account)
{
    for (uint32_t i = 0; i < grants->count; i++) {
        if (grants->list[i].account != account)
            continue;
        app_text_drop(grants->list[i].info);
        memmove(&grants->list[i], &grants->list[i + 1],
                (--grants->count - i) * sizeof *grants->list);
        return;
    }
}

static void grants_drop(struct app_grants *grants)
{
    for (uint32_t i = 0; i < grants->count; i++)
        app_text_drop(grants->list[i].info);
    grants->count = 0;
}

static void grants_keep(const struct app_grants *grants)
{
    for (uint32_t i = 0; i < grants->count; i++)
        (void)app_text_keep(grants->list[i].info);
}

/* --- the state, as a whole --- */

static void upgrade_drop(struct app_upgrade *upgrade)
{
    app_text_drop(upgrade->name);
    app_text_drop(upgrade->info);
    grants_drop(&upgrade->approvals);
    grants_drop(&upgrade->rejects);
}

static void upgrade_keep(const struct app_upgrade *upgrade)
{
    (void)app_text_keep(upgrade->name);
    (void)app_text_keep(upgrade->info);
    grants_keep(&upgrade->approvals);
    grants_keep(&upgrade->rejects);
}

static void *list_copy(const void *list, size_t size)
{
    if (size == 0)
        return NULL;
    void *copy = malloc(size);
    assert(copy);
    memcpy(copy, list, size);
    return copy;
}

void app_trust_copy(struct app_trust *to, const struct app_trust *from)
{
    *to = *from;
    to->upgrades = list_copy(from->upgrades, from->upgrade_count * sizeof *from->upgrades);
    to->disablings = list_copy(from->disablings, from->disabling_count * sizeof *from->disablings);
    for (uint32_t i = 0; i < to->upgrade_count; i++)
        upgrade_keep(&to->upgrades[i]);
    for (uint32_t i = 0; i < to->disabling_count; i++) {
        grants_keep(&to->disablings[i].approvals);
        grants_keep(&to->disablings[i].rejects);
    }
    if (to->planned)
        upgrade_keep(&to->plan);
}

void app_trust_clear(struct app_trust *trust)
{
    for (uint32_t i = 0; i < trust->upgrade_count; i++)
        upgrade_drop(&trust->upgrades[i]);
    for (uint32_t i = 0; i < trust->disabling_count; i++) {
        grants_drop(&trust->disablings[i].approvals);
        grants_drop(&trust->disablings[i].rejects);
    }
    if (trust->planned)
        upgrade_drop(&trust->plan);
    free(trust->upgrades);
    free(trust->disablings);
    *trust = (struct app_trust){0};
}

/* --- upgrades --- */

static struct app_upgrade *upgrade_find(struct app *app, enum app_stage stage, struct tx_bytes name)
{
    for (uint32_t i = 0; i < app->trust.upgrade_count; i++) {
        struct app_upgrade *u = &app->trust.upgrades[i];
        if (u->stage == stage && u->name->size == name.size &&
            memcmp(u->name->bytes, name.bytes, name.size) == 0)
            return u;
    }
    return NULL;
}

static void upgrade_remove(struct app *app, struct app_upgrade *upgrade)
{
    struct app_trust *trust = &app->trust;
    size_t at = (size_t)(upgrade - trust->upgrades);
    if (!upgrade)
        return;
    upgrade_drop(upgrade);
    memmove(upgrade, upgrade + 1, (--trust->upgrade_count - at) * sizeof *upgrade);
}

/* The one plan that is scheduled: a later one takes its place, whatever their heights. */
static void plan_schedule(struct app *app, const struct app_upgrade *upgrade)
{
    if (app->trust.planned)
        upgrade_drop(&app->trust.plan);
    app->trust.plan = *upgrade;
    app->trust.planned = true;
    upgrade_keep(&app->trust.plan);
}

static struct model_result past(struct app_tx *tx)
{
    return refuse(tx, SDK_INVALID, "sdk",
                  "upgrade cannot be scheduled in the past: invalid request", NULL, NULL);
}

static struct app_upgrade *upgrade_add(struct app *app, uint32_t creator,
                                       const struct answer_act *act)
{
    struct app_trust *trust = &app->trust;
    trust->upgrades =
        realloc(trust->upgrades, (trust->upgrade_count + 1) * sizeof *trust->upgrades);
    assert(trust->upgrades);
    struct app_upgrade *u = &trust->upgrades[trust->upgrade_count++];
    *u = (struct app_upgrade){.stage = STAGE_PROPOSED, .height = act->height, .creator = creator};
    u->name = app_text_make(act->name.bytes, act->name.size);
    u->info = app_text_make(act->plan_info.bytes, act->plan_info.size);
    grant_add(&u->approvals, creator, act);
    return u;
}

static struct model_result upgrade_propose(struct app_tx *tx, const struct answer_act *act,
                                           const char *name)
{
    struct app *app = tx->app;
    int64_t height = (int64_t)app->height.n;
    if (act->height < height)
        return past(tx);
    struct app_upgrade *old = upgrade_find(app, STAGE_PROPOSED, act->name);
    if (old && height <= old->height)
        return refuse(tx, UPGRADE_EXISTS, UPGRADE,
                      "Proposed upgrade with name=%s already exists on the ledger: proposed "
                      "upgrade already exists",
                      name, NULL);
    if (upgrade_find(app, STAGE_ACCEPTED, act->name))
        return refuse(tx, UPGRADE_APPROVED, UPGRADE,
                      "Approved upgrade with name=%s already exists on the ledger: approved "
                      "upgrade already exists",
                      name, NULL);
    upgrade_remove(app, old);
    upgrade_remove(app, upgrade_find(app, STAGE_REJECTED, act->name));
    struct app_upgrade *upgrade = upgrade_add(app, tx->account_index, act);
    if (approvals_needed(app) <= 1) {
        upgrade->stage = STAGE_ACCEPTED;
        plan_schedule(app, upgrade);
    }
    return app_ok();
}

static struct model_result upgrade_approve(struct app_tx *tx, const struct answer_act *act,
                                           struct app_upgrade *upgrade)
{
    struct app *app = tx->app;
    grant_drop(&upgrade->rejects, tx->account_index);
    grant_add(&upgrade->approvals, tx->account_index, act);
    if (upgrade->height < (int64_t)app->height.n)
        return past(tx);
    if (upgrade->approvals.count < approvals_needed(app))
        return app_ok();
    upgrade->stage = STAGE_ACCEPTED;
    plan_schedule(app, upgrade);
    return app_ok();
}

static struct model_result upgrade_reject(struct app_tx *tx, const struct answer_act *act,
                                          struct app_upgrade *upgrade)
{
    struct app *app = tx->app;
    if (has_grant(&upgrade->approvals, tx->account_index) && upgrade->approvals.count == 1 &&
        upgrade->rejects.count == 0) {
        upgrade_remove(app, upgrade); /* withdrawn */
        return app_ok();
    }
    grant_drop(&upgrade->approvals, tx->account_index);
    grant_add(&upgrade->rejects, tx->account_index, act);
    if (upgrade->rejects.count >= rejects_needed(app))
        upgrade->stage = STAGE_REJECTED;
    return app_ok();
}

static struct model_result upgrade_vote(struct app_tx *tx, const struct answer_act *act,
                                        const char *name)
{
    bool approves = act->kind == ACT_APPROVE_UPGRADE;
    char creator[BECH32_TEXT_MAX];
    struct app_upgrade *upgrade = upgrade_find(tx->app, STAGE_PROPOSED, act->name);
    if (!upgrade)
        return refuse(tx, NO_UPGRADE, UPGRADE,
                      "Proposed upgrade with name=%s does not exist on the ledger: proposed "
                      "upgrade does not exist",
                      name, NULL);
    if (has_grant(approves ? &upgrade->approvals : &upgrade->rejects, tx->account_index)) {
        app_address_text(tx->app, "", tx->signer, creator);
        return refuse(tx, SDK_UNAUTHORIZED, "sdk",
                      approves ? "Proposed upgrade with name=%s already has approval from=%s: "
                                 "unauthorized"
                               : "Proposed upgrade with name=%s already has reject from=%s: "
                                 "unauthorized",
                      name, creator);
    }
    return approves ? upgrade_approve(tx, act, upgrade) : upgrade_reject(tx, act, upgrade);
}

/* --- disabling of validators --- */

static struct app_disabling *disabling_find(struct app *app, enum app_stage stage,
                                            uint32_t validator)
{
    for (uint32_t i = 0; i < app->trust.disabling_count; i++) {
        struct app_disabling *d = &app->trust.disablings[i];
        if (d->stage == stage && d->validator == validator)
            return d;
    }
    return NULL;
}

static void disabling_remove(struct app *app, struct app_disabling *disabling)
{
    struct app_trust *trust = &app->trust;
    size_t at = (size_t)(disabling - trust->disablings);
    if (!disabling)
        return;
    grants_drop(&disabling->approvals);
    grants_drop(&disabling->rejects);
    memmove(disabling, disabling + 1, (--trust->disabling_count - at) * sizeof *disabling);
}

/* It takes the place of what was decided before. */
static void disabling_settle(struct app *app, struct app_disabling *disabling, enum app_stage stage)
{
    uint32_t validator = disabling->validator;
    disabling_remove(app, disabling_find(app, stage, validator));
    disabling = disabling_find(app, STAGE_PROPOSED, validator); /* it may have moved */
    disabling->stage = stage;
}

static struct model_result disable(struct app *app, struct app_disabling *disabling,
                                   struct model_msg *then)
{
    *then = (struct model_msg){.kind = MSG_TRUSTEE_DISABLE, .validator = disabling->validator};
    disabling_settle(app, disabling, STAGE_ACCEPTED);
    return app_ok();
}

static struct model_result disable_propose(struct app_tx *tx, const struct answer_act *act,
                                           uint32_t validator, const char *valoper,
                                           struct model_msg *then)
{
    struct app *app = tx->app;
    struct app_trust *trust = &app->trust;
    if (validator == VALIDATOR_NONE)
        return refuse(tx, STAKING_NO_RECORD, "staking", "validator does not exist", NULL, NULL);
    if (model_record(app->model, validator)->status == STATUS_PAUSED)
        return refuse(tx, DISABLED_EXISTS, VALIDATOR,
                      "Disabled validator with address=%s already exists on the ledger: disabled "
                      "validator already exist",
                      valoper, NULL);
    if (disabling_find(app, STAGE_PROPOSED, validator))
        return refuse(tx, PROPOSAL_EXISTS, VALIDATOR,
                      "Disable proposal with validator address=%s already exists on the ledger: "
                      "disable validator propose already exists",
                      valoper, NULL);
    disabling_remove(app, disabling_find(app, STAGE_REJECTED, validator));
    trust->disablings =
        realloc(trust->disablings, (trust->disabling_count + 1) * sizeof *trust->disablings);
    assert(trust->disablings);
    struct app_disabling *d = &trust->disablings[trust->disabling_count++];
    *d = (struct app_disabling){
        .stage = STAGE_PROPOSED, .validator = validator, .creator = tx->account_index};
    grant_add(&d->approvals, tx->account_index, act);
    return approvals_needed(app) <= 1 ? disable(app, d, then) : app_ok();
}

static struct model_result disable_reject(struct app_tx *tx, const struct answer_act *act,
                                          struct app_disabling *disabling)
{
    struct app *app = tx->app;
    if (has_grant(&disabling->approvals, tx->account_index) && disabling->approvals.count == 1 &&
        disabling->rejects.count == 0) {
        disabling_remove(app, disabling);
        return app_ok();
    }
    grant_drop(&disabling->approvals, tx->account_index);
    grant_add(&disabling->rejects, tx->account_index, act);
    if (disabling->rejects.count >= rejects_needed(app))
        disabling_settle(app, disabling, STAGE_REJECTED);
    return app_ok();
}

static struct model_result disable_vote(struct app_tx *tx, const struct answer_act *act,
                                        uint32_t validator, const char *valoper,
                                        struct model_msg *then)
{
    bool approves = act->kind == ACT_APPROVE_DISABLE;
    char creator[BECH32_TEXT_MAX];
    struct app_disabling *d = disabling_find(tx->app, STAGE_PROPOSED, validator);
    if (!d)
        return refuse(tx, NO_PROPOSAL, VALIDATOR,
                      "Disable proposal with validator address=%s does not exist on the ledger: "
                      "disable validator propose does not exist",
                      valoper, NULL);
    if (has_grant(approves ? &d->approvals : &d->rejects, tx->account_index)) {
        app_address_text(tx->app, "", tx->signer, creator);
        return refuse(tx, SDK_UNAUTHORIZED, "sdk",
                      approves ? "Disabled validator with address=%s already has approval from=%s: "
                                 "unauthorized"
                               : "Disabled validator with address=%s already has reject from=%s: "
                                 "unauthorized",
                      valoper, creator);
    }
    if (!approves)
        return disable_reject(tx, act, d);
    grant_drop(&d->rejects, tx->account_index);
    grant_add(&d->approvals, tx->account_index, act);
    return d->approvals.count >= approvals_needed(tx->app) ? disable(tx->app, d, then) : app_ok();
}

/* --- messages --- */

static uint32_t validator_of(const struct app *app, const uint8_t address[ACCOUNT_ADDRESS_SIZE])
{
    uint32_t account = app_account_find(app, address);
    return account < app->account_count ? app->accounts[account]->validator : VALIDATOR_NONE;
}

struct model_result app_dcl_run(void *context, uint32_t message, struct model_msg *then)
{
    struct app_tx *tx = context;
    const struct answer_act *act = &tx->acts[message];
    const char *msg = strrchr(tx->decoded.messages[message].type_url, '.');
    char name[APP_NAME_MAX], valoper[BECH32_TEXT_MAX];
    uint32_t validator = validator_of(tx->app, act->validator);
    if (!app_is_trustee(tx->app, tx->account_index))
        return refuse(tx, SDK_UNAUTHORIZED, "sdk",
                      "%s transaction should be signed by an account with the Trustee role: "
                      "unauthorized",
                      msg ? msg + 1 : "", NULL);
    (void)snprintf(name, sizeof name, "%.*s", (int)act->name.size,
                   act->name.size ? (const char *)act->name.bytes : "");
    app_address_text(tx->app, "valoper", act->validator, valoper);
    switch (act->kind) {
    case ACT_PROPOSE_UPGRADE:
        return upgrade_propose(tx, act, name);
    case ACT_APPROVE_UPGRADE:
    case ACT_REJECT_UPGRADE:
        return upgrade_vote(tx, act, name);
    case ACT_PROPOSE_DISABLE:
        return disable_propose(tx, act, validator, valoper, then);
    default:
        return disable_vote(tx, act, validator, valoper, then);
    }
}

bool app_dcl_due(const struct app *app)
{
    return app->trust.planned && (int64_t)app->height.n >= app->trust.plan.height;
}
