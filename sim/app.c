#include "sim/app.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/app_internal.h"

void app_result_clear(struct app_result *result)
{
    free(result->data);
    free(result->events);
    *result = (struct app_result){0};
}

void app_answer_clear(struct app_answer *answer)
{
    free(answer->value);
    *answer = (struct app_answer){0};
}

/* --- genesis --- */

static bool validator_check(const struct app_genesis *genesis, uint32_t index, struct fault *fault)
{
    const struct app_validator *v = &genesis->validators[index];
    if (!account_public_check(v->account_key))
        return fault_set(fault, "validator %" PRIu32 ": its account's key is no point of secp256k1",
                         index);
    if (v->power < 1)
        return fault_set(fault, "validator %" PRIu32 ": power %" PRId64 "; expected 1 or more",
                         index, v->power);
    for (uint32_t i = 0; i < index; i++) {
        const struct app_validator *other = &genesis->validators[i];
        if (memcmp(other->account_key, v->account_key, ACCOUNT_PUBLIC_SIZE) == 0 ||
            memcmp(other->consensus_key, v->consensus_key, ED25519_KEY_SIZE) == 0)
            return fault_set(fault, "validators %" PRIu32 " and %" PRIu32 ": they share a key", i,
                             index);
    }
    return true;
}

static bool genesis_check(const struct app_genesis *genesis, struct fault *fault)
{
    if (genesis->count == 0 || genesis->count > 10000)
        return fault_set(fault, "genesis: %" PRIu32 " validators; expected 1 to 10000",
                         genesis->count);
    if (genesis->initial_height.n == 0)
        return fault_set(fault, "genesis: initial height 0; heights begin at 1");
    if (genesis->time_ms < 0)
        return fault_set(fault, "genesis: a time before 1970");
    if (genesis->kind == CHAIN_KIRA &&
        (genesis->proposal_end_s < 0 || genesis->proposal_enactment_s < 0 || !genesis->denom[0]))
        return fault_set(fault, "genesis: a fee denom and times of governance from 0 are needed");
    if (genesis->trustees > genesis->count || genesis->trustees > APP_GRANTS_MAX)
        return fault_set(fault, "genesis: %" PRIu32 " trustees; at most %d, and one a validator",
                         genesis->trustees, APP_GRANTS_MAX);
    for (uint32_t i = 0; i < genesis->count; i++) {
        if (!validator_check(genesis, i, fault))
            return false;
    }
    return true;
}

static void record_found(const struct app_genesis *genesis, uint32_t index,
                         struct model_record *record)
{
    const struct app_validator *v = &genesis->validators[index];
    bool kira = genesis->kind == CHAIN_KIRA;
    *record = (struct model_record){
        .status = STATUS_ACTIVE,
        .power = v->power,
        .sequence = kira ? 0 : 1, /* the genesis transaction used one */
        .balance = v->balance,
        .can_vote = kira,
    };
    member_address(v->consensus_key, record->address);
    (void)snprintf(record->moniker, sizeof record->moniker, "%s", v->moniker);
}

static void account_found(struct app *app, uint32_t index)
{
    const struct app_validator *v = &app->genesis.validators[index];
    uint8_t address[ACCOUNT_ADDRESS_SIZE];
    account_address(v->account_key, address);
    uint32_t number = app_account_create(app, address);
    struct app_account *account = app->accounts[number];
    account->validator = index;
    account->has_key = app->genesis.kind == CHAIN_DCL;
    memcpy(account->key, v->account_key, ACCOUNT_PUBLIC_SIZE);
}

static const uint8_t *address_of(const struct app *app, uint32_t validator, bool consensus)
{
    return consensus ? model_record(app->model, validator)->address
                     : app->accounts[validator]->address;
}

/* By insertion: once, and there are few. */
static uint32_t *sorted(const struct app *app, bool consensus)
{
    uint32_t count = app->genesis.count;
    uint32_t *order = calloc(count, sizeof *order);
    assert(order);
    for (uint32_t v = 0; v < count; v++) {
        uint32_t at = v;
        for (; at > 0 && memcmp(address_of(app, order[at - 1], consensus),
                                address_of(app, v, consensus), ADDRESS_SIZE) > 0;
             at--)
            order[at] = order[at - 1];
        order[at] = v;
    }
    return order;
}

static void app_found(struct app *app)
{
    const struct app_genesis *genesis = &app->genesis;
    struct model_record *records = calloc(genesis->count, sizeof *records);
    assert(records);
    for (uint32_t i = 0; i < genesis->count; i++)
        record_found(genesis, i, &records[i]);
    app->model = model_create(&(struct model_config){.kind = genesis->kind,
                                                     .properties = genesis->properties,
                                                     .initial_height = genesis->initial_height,
                                                     .genesis_time_ms = genesis->time_ms,
                                                     .records = records,
                                                     .record_count = genesis->count});
    assert(app->model);
    app->before = records; /* room for them, from now on */
    for (uint32_t i = 0; i < genesis->count; i++)
        account_found(app, i);
    app->by_account = sorted(app, false);
    app->by_consensus = sorted(app, true);
    app->height = model_height(app->model);
    app->time_ms = genesis->time_ms;
    app_hash_update(app);
}

struct app *app_create(const struct app_genesis *genesis, struct fault *fault)
{
    if (!genesis_check(genesis, fault))
        return NULL;
    struct app *app = calloc(1, sizeof *app);
    assert(app);
    app->genesis = *genesis;
    app->genesis.validators = calloc(genesis->count, sizeof *genesis->validators);
    assert(app->genesis.validators);
    memcpy(app->genesis.validators, genesis->validators,
           genesis->count * sizeof *genesis->validators);
    app_found(app);
    return app;
}

void app_destroy(struct app **app)
{
    struct app *a = *app;
    if (!a)
        return;
    for (uint32_t i = 0; i < a->account_count; i++)
        free(a->accounts[i]);
    for (uint32_t i = 0; i < a->proposal_count; i++)
        app_proposal_destroy(a->proposals[i]);
    app_trust_clear(&a->trust);
    app_trust_clear(&a->trust_before);
    model_destroy(&a->model);
    free(a->accounts);
    free(a->proposals);
    free(a->changes);
    free(a->before);
    free(a->by_account);
    free(a->by_consensus);
    free(a->genesis.validators);
    free(a);
    *app = NULL;
}

/* --- transactions --- */

static void tx_end(struct app_tx *tx)
{
    app_trust_clear(&tx->trust);
    arena_end(&tx->memory);
    tx_decoded_destroy(&tx->decoded);
}

static void gas_write(const struct app_tx *tx, size_t size, struct app_result *result)
{
    /* KIRA meters no gas; DCL without an end, and about so much */
    if (tx->app->genesis.kind == CHAIN_KIRA)
        return;
    result->gas_wanted = -1;
    result->gas_used = (int64_t)(29600 + 10 * size);
}

void app_check(struct app *app, const uint8_t *bytes, size_t size, bool fresh,
               struct app_result *result)
{
    struct app_tx tx = {.app = app};
    *result = (struct app_result){0};
    if (app_ante_read(&tx, bytes, size, fresh, result)) {
        struct model_result checked = model_check(app->model, &tx.model);
        if (checked.code)
            app_ante_refuse(&tx, &checked, model_height(app->model), result);
        else
            strcpy(result->log, "[]");
        gas_write(&tx, size, result);
    }
    tx_end(&tx);
}

static void account_use(struct app_tx *tx)
{
    struct app_account *account = tx->account;
    if (account->has_key)
        return;
    account->has_key = true;
    memcpy(account->key, tx->decoded.public_key, ACCOUNT_PUBLIC_SIZE);
}

/* Runs what the ante has let through; the mark is behind what stays although a message is refused. */
static void tx_run(struct app_tx *tx, struct app_result *result)
{
    struct app *app = tx->app;
    if (tx->account)
        app_account_note(app, tx->account_index);
    uint32_t mark = app->change_count;
    app_trust_copy(&tx->trust, &app->trust);
    struct model_result delivered = model_deliver(app->model, &tx->model);
    if (!delivered.sequenced) {
        app_ante_refuse(tx, &delivered, app->height, result);
        return;
    }
    account_use(tx);
    if (delivered.code) {
        app_journal_undo(app, mark);
        app_trust_clear(&app->trust);
        app_trust_copy(&app->trust, &tx->trust);
        app_words_refuse(tx, &delivered, result);
    }
    app_events_write(tx, delivered.code == 0, result);
}

void app_deliver(struct app *app, const uint8_t *bytes, size_t size, struct app_result *result)
{
    struct app_tx tx = {.app = app};
    *result = (struct app_result){0};
    if (app->stored_only) {
        app_refuse(result, 1, "undefined", "internal error");
        return;
    }
    tx.handler.handle = app->genesis.kind == CHAIN_KIRA ? app_kira_run : app_dcl_run;
    tx.handler.context = &tx;
    tx.model.handler = &tx.handler;
    if (app_ante_read(&tx, bytes, size, false, result)) {
        tx_run(&tx, result);
        gas_write(&tx, size, result);
    }
    tx_end(&tx);
}

/* --- blocks --- */

void app_begin(struct app *app, struct height height, int64_t time_ms, const uint32_t *missing,
               uint32_t missing_count)
{
    assert(!app_dead(app) && !app_halted(app));
    for (uint32_t v = 0; v < app->genesis.count; v++)
        app->before[v] = *model_record(app->model, v);
    app->plan_before = *model_plan(app->model);
    app->plans_before = app->plans;
    app_trust_copy(&app->trust_before, &app->trust);
    app->change_count = 0;
    app->height = height;
    app->time_ms = time_ms;
    app->stored_only = model_halted_by_plan(app->model) || app_dcl_due(app);
    if (app->stored_only)
        return;
    (void)model_begin(app->model, height, time_ms, missing, missing_count);
    if (app->genesis.kind == CHAIN_KIRA)
        app_kira_begin(app);
}

/* The block was executed, and cannot be: what it did is not. */
static void block_undo(struct app *app)
{
    app_journal_undo(app, 0);
    for (uint32_t v = 0; v < app->genesis.count; v++)
        *model_record(app->model, v) = app->before[v];
    *model_plan(app->model) = app->plan_before;
    app->plans = app->plans_before;
    app_trust_clear(&app->trust);
    app_trust_copy(&app->trust, &app->trust_before);
    app->height = model_height(app->model);
}

static void halt_dcl(struct app *app)
{
    const struct app_upgrade *plan = &app->trust.plan;
    (void)snprintf(app->halted, sizeof app->halted,
                   "UPGRADE \"%s\" NEEDED at height: %" PRId64 ": %.200s", plan->name->bytes,
                   plan->height, plan->info->bytes);
}

static void halt_kira(struct app *app)
{
    const struct app_proposal *proposal = app_proposal(app, app->plans.next);
    time_t seconds = (time_t)proposal->upgrade_time_s;
    struct tm utc;
    char when[64] = "";
    if (gmtime_r(&seconds, &utc))
        (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S +0000 UTC", &utc);
    if (proposal->instate)
        (void)snprintf(app->halted, sizeof app->halted,
                       "Handler for \"%s\" instate upgrade is not set", proposal->name);
    else
        (void)snprintf(app->halted, sizeof app->halted, "UPGRADE \"%s\" NEEDED at upgrade_time=%s",
                       proposal->name, when);
}

static void member_write(const struct app *app, const struct view_change *change,
                         struct member *member)
{
    memcpy(member->address, model_record(app->model, change->validator)->address, ADDRESS_SIZE);
    memcpy(member->public_key, app->genesis.validators[change->validator].consensus_key,
           ED25519_KEY_SIZE);
    member->power = change->power;
}

/* Whoever leaves, then whoever enters, each ascending by account, as the chains tell it. */
static uint32_t updates_write(const struct app *app, struct member *updates)
{
    struct view_change *changes = calloc(app->genesis.count, sizeof *changes);
    assert(changes);
    uint32_t count = model_updates(app->model, changes), written = 0;
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t place = 0; place < app->genesis.count; place++) {
            for (uint32_t i = 0; i < count; i++) {
                if (changes[i].validator == app->by_account[place] &&
                    (changes[i].power > 0) == pass)
                    member_write(app, &changes[i], &updates[written++]);
            }
        }
    }
    free(changes);
    return written;
}

bool app_end(struct app *app, struct member *updates, uint32_t *update_count)
{
    *update_count = 0;
    if (app->stored_only || !model_end(app->model)) {
        if (app->stored_only && app->genesis.kind == CHAIN_KIRA)
            halt_kira(app);
        else if (app->stored_only)
            halt_dcl(app);
        block_undo(app);
        app_trust_clear(&app->trust_before);
        return false;
    }
    if (app->genesis.kind == CHAIN_KIRA)
        app_kira_end(app);
    app_trust_clear(&app->trust_before);
    app->change_count = 0;
    *update_count = updates_write(app, updates);
    app_hash_update(app);
    return true;
}

void app_hash(const struct app *app, uint8_t hash[HASH_SIZE])
{
    memcpy(hash, app->hash, HASH_SIZE);
}

/* --- questions --- */

const char *app_dead(const struct app *app)
{
    return model_dead(app->model);
}

const char *app_halted(const struct app *app)
{
    return app->halted[0] ? app->halted : NULL;
}

struct model *app_model(const struct app *app)
{
    return app->model;
}

const struct app_genesis *app_genesis(const struct app *app)
{
    return &app->genesis;
}
