#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "node/command_tx.h"

#define CHAIN_NAME(kind) ((kind) == CHAIN_KIRA ? "KIRA" : "DCL")

bool tx_chain_choose(const struct tx_wish *wish, struct settings *settings, struct fault *fault)
{
    enum chain_kind kind = settings_chain_kind(settings);
    uint32_t bit = kind == CHAIN_KIRA ? TX_ON_KIRA : TX_ON_DCL;
    if (wish->verb->chains & bit)
        return true;
    enum chain_kind other = kind == CHAIN_KIRA ? CHAIN_DCL : CHAIN_KIRA;
    if (!settings_is_default(settings, SETTING_CHAIN_KIND))
        return fault_set(fault, "%s exists on %s only, and the chain is %s", wish->verb->name,
                         CHAIN_NAME(other), CHAIN_NAME(kind));
    return settings_read_flag(settings, SETTING_CHAIN_KIND, other == CHAIN_KIRA ? "kira" : "dcl",
                              fault);
}

/* --- the request --- */

static bool fee_take(const struct settings *settings, const struct chain_driver *driver,
                     struct tx_request *request, struct fault *fault)
{
    const char *denom = settings_text(settings, SETTING_CHAIN_DENOM);
    request->fee_denom = denom ? denom : driver->denom;
    if (!settings_given(settings, SETTING_TX_FEE))
        return true;
    if (!driver->denom)
        return fault_set(fault, "fee: DCL takes none; leave it out");
    request->fee_amount = settings_coin(settings, SETTING_TX_FEE, &denom);
    if (request->fee_amount == 0)
        return fault_set(fault,
                         "fee: 0 is refused, since no KIRA network takes a transaction without a "
                         "fee; give at least the network's min_tx_fee");
    request->fee_denom = denom;
    return true;
}

/* Offline, --memo in the place of --class gives the carrier alone, with whatever its memo says. */
static bool join_take(const struct tx_wish *wish, struct tx_request *request, struct fault *fault)
{
    bool has_memo = wish->memo && *wish->memo;
    bool carrier = wish->offline && has_memo && !wish->has_class && !wish->has_charter;
    if (has_memo && !carrier)
        return fault_set(fault, "--memo: a join writes its own memo; leave it out");
    if (!wish->has_class && !carrier)
        return fault_set(fault, "--class is missing: the expected time out of the set in minutes");
    if (request->chain == CHAIN_KIRA && (wish->has_consensus_key || wish->moniker))
        return fault_set(fault, "--consensus-key and --moniker belong to a join on DCL");
    request->class_minutes = wish->class_minutes;
    request->charter = wish->charter;
    request->consensus_key = wish->has_consensus_key ? wish->consensus_key : NULL;
    request->moniker = wish->moniker;
    return true;
}

static bool vote_take(const struct tx_wish *wish, struct tx_request *request, struct fault *fault)
{
    if (!wish->has_proposal)
        return fault_set(fault,
                         "--proposal is missing: its number, as `stagger chain plan` shows it");
    if (!wish->option)
        return fault_set(fault, "--option is missing: yes, abstain, no or veto");
    request->proposal = wish->proposal;
    request->option = wish->option;
    return true;
}

/* On KIRA the plan has a memo of its own, which the chain keeps; that is what --memo means there. */
static bool plan_take(struct tx_wish *wish, struct tx_request *request, struct fault *fault)
{
    bool submits = request->action == TX_DO_SUBMIT_UPGRADE;
    if (!wish->plan.name)
        return fault_set(fault, "--name is missing: the name of the plan");
    if (request->chain == CHAIN_KIRA && submits) {
        if (!wish->has_upgrade_time)
            return fault_set(fault, "--upgrade-time is missing: such as 2026-12-24T18:00:00Z");
        if (!wish->plan.old_chain_id || !wish->plan.new_chain_id)
            return fault_set(fault, "--%s-chain-id is missing; a soft upgrade has the same twice",
                             wish->plan.old_chain_id ? "new" : "old");
        wish->plan.memo = wish->memo ? wish->memo : wish->plan.memo;
        request->memo = NULL;
    }
    wish->plan.resources = wish->resources;
    wish->plan.resource_count = wish->resource_count;
    request->plan = &wish->plan;
    request->title = wish->title ? wish->title : wish->plan.name;
    request->description = wish->description;
    if (request->chain == CHAIN_DCL && !submits)
        request->description = wish->plan.info;
    request->time_s = (int64_t)time(NULL);
    return true;
}

static bool action_take(struct tx_wish *wish, struct tx_request *request, struct fault *fault)
{
    switch (request->action) {
    case TX_DO_JOIN:
        return join_take(wish, request, fault);
    case TX_DO_VOTE:
        return vote_take(wish, request, fault);
    case TX_DO_SUBMIT_UPGRADE:
    case TX_DO_CANCEL_UPGRADE:
    case TX_DO_APPROVE_UPGRADE:
    case TX_DO_REJECT_UPGRADE:
        return plan_take(wish, request, fault);
    case TX_DO_PAUSE:
    case TX_DO_UNPAUSE:
    case TX_DO_ACTIVATE:
        break;
    }
    return true;
}

bool tx_request_make(struct tx_wish *wish, const struct settings *settings,
                     const struct signer *signer, struct tx_request *request, struct fault *fault)
{
    const struct chain_driver *driver = chain_driver(settings_chain_kind(settings));
    const char *prefix = settings_text(settings, SETTING_CHAIN_PREFIX);
    *request = (struct tx_request){
        .chain = driver->kind,
        .action = wish->verb->action,
        .prefix = prefix ? prefix : driver->prefix,
        .chain_id = settings_text(settings, SETTING_CHAIN_ID),
        .account_number = wish->account_number,
        .sequence = wish->sequence,
        .gas = settings_whole(settings, SETTING_TX_GAS),
        .timeout_height = wish->timeout_height,
        .memo = wish->memo,
    };
    signer_public_key(signer, request->public_key);
    return fee_take(settings, driver, request, fault) && action_take(wish, request, fault);
}

void tx_request_address(const struct tx_request *request, char text[BECH32_TEXT_MAX])
{
    uint8_t address[ACCOUNT_ADDRESS_SIZE];
    account_address(request->public_key, address);
    if (!bech32_encode(request->prefix, address, sizeof address, text))
        text[0] = '\0';
}

bool tx_make(const struct tx_request *request, struct signer *signer, struct tx_made *made,
             struct fault *fault)
{
    struct tx_draft draft;
    uint8_t signature[ACCOUNT_SIGNATURE_SIZE] = {0};
    *made = (struct tx_made){0};
    if (!tx_draft(request, &draft, fault))
        return false;
    bool good =
        !signer || signer_sign(signer, draft.sign_doc, draft.sign_doc_size, signature, fault);
    if (good && !tx_assemble(&draft, signature, &made->bytes, &made->size))
        good = fault_set(fault, "out of memory");
    tx_draft_destroy(&draft);
    if (good)
        tx_hash(made->bytes, made->size, made->hash);
    return good;
}

void tx_made_destroy(struct tx_made *made)
{
    free(made->bytes);
    *made = (struct tx_made){0};
}
