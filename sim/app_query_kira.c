/* Queries of KIRA. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proto/encoding.h"
#include "sim/app_query.h"

/* --- validators --- */

static const int statuses[] = {[STATUS_NONE] = 0,
                               [STATUS_ACTIVE] = 1,
                               [STATUS_INACTIVE] = 2,
                               [STATUS_PAUSED] = 3,
                               [STATUS_JAILED] = 4};
static const char *const status_words[] = {"UNDEFINED", "ACTIVE", "INACTIVE", "PAUSED", "JAILED"};

static void validator_fill(const struct app *app, uint32_t v, struct answer_validator *to)
{
    const struct model_record *record = model_record(app->model, v);
    *to = (struct answer_validator){.moniker = record->moniker,
                                    .status = statuses[record->status],
                                    .rank = record->rank,
                                    .streak = record->streak,
                                    .identity = (uint64_t)v + 1,
                                    .since_ms = app->genesis.time_ms};
    memcpy(to->account, app->accounts[v]->address, ACCOUNT_ADDRESS_SIZE);
    memcpy(to->key, app->genesis.validators[v].consensus_key, ED25519_KEY_SIZE);
}

static size_t account_key(const struct app_ask_list *list, uint32_t item,
                          uint8_t key[ANSWER_KEY_MAX])
{
    uint32_t v = list->app->by_account[item];
    memcpy(key, list->app->accounts[v]->address, ACCOUNT_ADDRESS_SIZE);
    return ACCOUNT_ADDRESS_SIZE;
}

static size_t consensus_key(const struct app_ask_list *list, uint32_t item,
                            uint8_t key[ANSWER_KEY_MAX])
{
    uint32_t v = list->app->by_consensus[item];
    memcpy(key, model_record(list->app->model, v)->address, ADDRESS_SIZE);
    return ADDRESS_SIZE;
}

/* A filter that is empty lets all pass. */
static bool passes(const char *filter, const char *text)
{
    return !*filter || strcmp(filter, text) == 0;
}

static bool validator_matches(const struct app_ask_list *list, uint32_t item)
{
    const struct app *app = list->app;
    const struct answer_request *request = list->request;
    struct answer_validator v;
    char text[BECH32_TEXT_MAX], valoper[BECH32_TEXT_MAX];
    char key[HEX_TEXT(ED25519_KEY_SIZE) + 16] = "PubKeyEd25519{", proposer[HEX_TEXT(ADDRESS_SIZE)];
    uint8_t address[ADDRESS_SIZE];
    validator_fill(app, app->by_account[item], &v);
    app_address_text(app, "", v.account, text);
    app_address_text(app, "valoper", v.account, valoper);
    hex_encode_upper(v.key, ED25519_KEY_SIZE, key + strlen(key));
    strcat(key, "}");
    member_address(v.key, address);
    hex_encode_upper(address, ADDRESS_SIZE, proposer);
    return passes(request->text[0], text) && passes(request->text[1], valoper) &&
           passes(request->text[2], key) && passes(request->text[3], v.moniker) &&
           (!*request->text[4] || strcasecmp(request->text[4], status_words[v.status]) == 0) &&
           passes(request->text[5], proposer);
}

static bool status_check(const char *status, struct app_answer *answer)
{
    if (!*status || strcasecmp(status, "ACTIVE") == 0 || strcasecmp(status, "INACTIVE") == 0 ||
        strcasecmp(status, "PAUSED") == 0)
        return true;
    app_ask_refuse(answer, SDK_INVALID, "sdk",
                   "rpc error: code = InvalidArgument desc = invalid validator status %s: "
                   "invalid request",
                   status);
    return false;
}

static void validators(const struct app *app, const struct answer_request *request,
                       struct app_answer *answer)
{
    uint32_t count = app->genesis.count;
    struct app_ask_list list = {.app = app,
                                .request = request,
                                .count = count,
                                .key = account_key,
                                .matches = validator_matches};
    if (!status_check(request->text[4], answer) || !app_ask_page_run(&list, request, answer))
        return;
    struct answer_validator *found = calloc(count, sizeof *found);
    uint8_t(*actors)[ACCOUNT_ADDRESS_SIZE] = calloc(count, sizeof *actors);
    assert(found && actors);
    for (uint32_t i = 0; i < list.hit_count; i++)
        validator_fill(app, app->by_account[list.hits[i]], &found[i]);
    for (uint32_t i = 0; i < count; i++)
        memcpy(actors[i], app->accounts[app->by_account[i]]->address, ACCOUNT_ADDRESS_SIZE);
    answer->value = answer_validators(app->genesis.prefix, found, list.hit_count,
                                      (const uint8_t(*)[ACCOUNT_ADDRESS_SIZE])actors, count,
                                      &list.tail, &answer->size);
    free(actors);
    free(found);
    free(list.hits);
}

static void validator_by_address(const struct app *app, const struct answer_request *request,
                                 struct app_answer *answer)
{
    struct answer_validator found;
    uint32_t v = request->has_address ? app_account_find(app, request->address) : UINT32_MAX;
    if (v < app->genesis.count) {
        validator_fill(app, v, &found);
        answer->value = answer_validator(&found, &answer->size);
        return;
    }
    app_ask_refuse(answer, SDK_NOT_FOUND, "sdk", "validator not found: key not found");
}

/* --- uptime --- */

static void signing_fill(const struct app *app, uint32_t v, struct answer_signing *to)
{
    const struct model_record *record = model_record(app->model, v);
    *to = (struct answer_signing){
        .inactive_until_ms = record->inactive_until_ms,
        .mischance_confidence = (int64_t)record->mischance_confidence,
        .mischance = (int64_t)record->mischance,
        .last_present = (int64_t)record->last_present,
        .missed = (int64_t)record->missed_blocks,
        .produced = (int64_t)record->produced_blocks,
    };
    memcpy(to->consensus, record->address, ADDRESS_SIZE);
}

static void signing_infos(const struct app *app, const struct answer_request *request,
                          struct app_answer *answer)
{
    struct app_ask_list list = {.app = app, .count = app->genesis.count, .key = consensus_key};
    if (!app_ask_page_run(&list, request, answer))
        return;
    struct answer_signing *infos = calloc(list.hit_count + 1, sizeof *infos);
    struct answer_validator *about = calloc(list.hit_count + 1, sizeof *about);
    assert(infos && about);
    for (uint32_t i = 0; i < list.hit_count; i++) {
        signing_fill(app, app->by_consensus[list.hits[i]], &infos[i]);
        validator_fill(app, app->by_consensus[list.hits[i]], &about[i]);
    }
    answer->value = answer_signings(app->genesis.prefix, infos, list.hit_count,
                                    request->flag ? about : NULL, &list.tail, &answer->size);
    free(about);
    free(infos);
    free(list.hits);
}

static uint32_t consensus_find(const struct app *app, const uint8_t address[ADDRESS_SIZE])
{
    uint32_t v = 0;
    while (v < app->genesis.count &&
           memcmp(model_record(app->model, v)->address, address, ADDRESS_SIZE) != 0)
        v++;
    return v;
}

static void signing_info(const struct app *app, const struct answer_request *request,
                         struct app_answer *answer)
{
    uint8_t address[ADDRESS_SIZE];
    char what[ANSWER_TEXT_MAX + 64] = "SigningInfo not found for validator ";
    struct answer_signing info;
    struct answer_validator about;
    if (!app_ask_address_read(app, "valcons", request->text[0], address, answer))
        return;
    uint32_t v = consensus_find(app, address);
    if (v == app->genesis.count) {
        app_ask_not_found(answer, strcat(what, request->text[0]));
        return;
    }
    signing_fill(app, v, &info);
    validator_fill(app, v, &about);
    answer->value =
        answer_signing(app->genesis.prefix, &info, request->flag ? &about : NULL, &answer->size);
}

/* --- properties and fees --- */

static void network_properties(const struct app *app, const struct answer_request *request,
                               struct app_answer *answer)
{
    const struct model_properties *p = model_properties(app->model);
    const struct answer_properties properties = {
        .min_tx_fee = p->min_tx_fee,
        .max_tx_fee = p->max_tx_fee,
        .min_validators = p->min_validators,
        .minimum_proposal_end_s = (uint64_t)app->genesis.proposal_end_s,
        .proposal_enactment_s = (uint64_t)app->genesis.proposal_enactment_s,
        .mischance_confidence = p->mischance_confidence,
        .max_mischance = p->max_mischance,
        .mischance_rank_decrease = p->mischance_rank_decrease,
        .downtime_inactive_s = p->downtime_inactive_s,
        .inactive_rank_percent = p->inactive_rank_percent,
        .min_proposal_end_blocks = APP_PROPOSAL_END_BLOCKS,
        .min_proposal_enactment_blocks = APP_PROPOSAL_ENACTMENT_BLOCKS,
        .poor_network_max_bank_send = APP_POOR_SEND_MAX,
    };
    (void)request;
    answer->value = answer_properties(&properties, &answer->size);
}

static void poor_messages(const struct app *app, const struct answer_request *request,
                          struct app_answer *answer)
{
    (void)app;
    (void)request;
    answer->value = answer_poor_messages(&answer->size);
}

static struct answer_fees fees_of(const struct app *app)
{
    const struct model_properties *p = model_properties(app->model);
    return (struct answer_fees){p->pause_fee, p->unpause_fee, p->activate_fee,
                                p->activate_failure_fee};
}

static void all_fees(const struct app *app, const struct answer_request *request,
                     struct app_answer *answer)
{
    struct answer_fees fees = fees_of(app);
    (void)request;
    answer->value = answer_fees(&fees, &answer->size);
}

static void one_fee(const struct app *app, const struct answer_request *request,
                    struct app_answer *answer)
{
    struct answer_fees fees = fees_of(app);
    answer->value = answer_fee(&fees, request->text[0], &answer->size);
    if (!answer->value)
        app_ask_refuse(answer, SDK_INVALID, "sdk",
                       "fee does not exist for %s: fee does not exist: invalid request",
                       request->text[0]);
}

/* --- accounts --- */

void app_ask_account_fill(const struct app *app, uint32_t account, struct answer_account *to)
{
    const struct app_account *from = app->accounts[account];
    *to = (struct answer_account){.has_key = from->has_key,
                                  .number = from->number,
                                  .sequence = app_account_sequence(app, account)};
    memcpy(to->address, from->address, ACCOUNT_ADDRESS_SIZE);
    memcpy(to->key, from->key, ACCOUNT_PUBLIC_SIZE);
}

static void account(const struct app *app, const struct answer_request *request,
                    struct app_answer *answer)
{
    uint8_t address[ACCOUNT_ADDRESS_SIZE];
    char what[ANSWER_TEXT_MAX + 32] = "account ";
    struct answer_account found;
    if (!*request->text[0]) {
        app_ask_refuse(answer, SDK_INVALID, "sdk",
                       "rpc error: code = InvalidArgument desc = Address cannot be empty: "
                       "invalid request");
        return;
    }
    if (!app_ask_address_read(app, "", request->text[0], address, answer))
        return;
    uint32_t index = app_account_find(app, address);
    if (index >= app->account_count) {
        app_ask_not_found(answer, strcat(strcat(what, request->text[0]), " not found"));
        return;
    }
    app_ask_account_fill(app, index, &found);
    answer->value = answer_account(app->genesis.prefix, &found, &answer->size);
}

static void balance(const struct app *app, const struct answer_request *request,
                    struct app_answer *answer)
{
    uint8_t address[ACCOUNT_ADDRESS_SIZE];
    if (!*request->text[1]) {
        app_ask_refuse(answer, SDK_INVALID, "sdk",
                       "rpc error: code = InvalidArgument desc = invalid denom: : invalid request");
        return;
    }
    if (!app_ask_address_read(app, "", request->text[0], address, answer))
        return;
    uint32_t index = app_account_find(app, address);
    bool own = strcmp(request->text[1], app->genesis.denom) == 0;
    answer->value = answer_balance(
        request->text[1], own && index < app->account_count ? app_account_balance(app, index) : 0,
        &answer->size);
}

const struct app_ask_path app_ask_paths_kira[] = {
    {"/kira.staking.Query/Validators", ANSWER_VALIDATORS, validators},
    {"/kira.staking.Query/ValidatorByAddress", ANSWER_TEXT, validator_by_address},
    {"/kira.slashing.Query/SigningInfos", ANSWER_PAGE, signing_infos},
    {"/kira.slashing.Query/SigningInfo", ANSWER_SIGNING, signing_info},
    {"/kira.gov.Query/NetworkProperties", ANSWER_NOTHING, network_properties},
    {"/kira.gov.Query/PoorNetworkMessages", ANSWER_NOTHING, poor_messages},
    {"/kira.gov.Query/AllExecutionFees", ANSWER_NOTHING, all_fees},
    {"/kira.gov.Query/ExecutionFee", ANSWER_TEXT, one_fee},
    {"/kira.gov.Query/Proposal", ANSWER_NUMBER, app_ask_proposal},
    {"/kira.gov.Query/Proposals", ANSWER_PROPOSALS, app_ask_proposals},
    {"/kira.gov.Query/Votes", ANSWER_NUMBER, app_ask_proposal_votes},
    {"/kira.gov.Query/WhitelistedProposalVoters", ANSWER_NUMBER, app_ask_proposal_voters},
    {"/kira.upgrade.Query/CurrentPlan", ANSWER_NOTHING, app_ask_plan_current},
    {"/kira.upgrade.Query/NextPlan", ANSWER_NOTHING, app_ask_plan_next},
    {"/cosmos.auth.v1beta1.Query/Account", ANSWER_TEXT, account},
    {"/cosmos.bank.v1beta1.Query/Balance", ANSWER_TEXT, balance},
    {NULL, ANSWER_NOTHING, NULL},
};
