#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "node/command_tx.h"
#include "node/table.h"
#include "proto/encoding.h"

#define MONIKER_SIZE 71 /* 70 bytes are what DCL takes */
#define MEMPOOL_MAX 100 /* transactions that CometBFT shows at once */
#define FACTS_FOR_ALL (CHAIN_STATUS | CHAIN_ACCOUNT | CHAIN_PROPERTIES | CHAIN_FEES)
#define FACTS_OF_VALIDATOR (CHAIN_RECORDS | CHAIN_SET | CHAIN_PLAN | CHAIN_VOTES | CHAIN_SELF)

struct online {
    const struct tx_wish *wish;
    const struct settings *settings;
    struct signer *signer;
    struct tx_request *request;
    struct session *session;
    const struct chain_facts *facts;
    uint8_t account[ACCOUNT_ADDRESS_SIZE];
    char moniker[MONIKER_SIZE];
    uint8_t consensus_key[ED25519_KEY_SIZE];
    struct fault fault;
};

static enum command_status fail(const struct online *online, enum command_status status)
{
    options_say(online->wish->command, "%s", online->fault.text);
    return status;
}

static void note(const struct online *online, const char *text)
{
    options_say(online->wish->command, "note: %s", text);
}

static bool needs_validator(const struct online *online)
{
    return tx_is_membership(online->request->action) || online->request->action == TX_DO_JOIN;
}

/* --- what waits or has just happened --- */

/* Whether the bytes are a transaction that changes this validator's place in the set. */
static bool is_own_membership(const struct online *online, const uint8_t *bytes, size_t size)
{
    struct tx_decoded tx;
    struct tx_entry entry;
    struct fault unused;
    bool found = false;
    if (!tx_decode(bytes, size, &tx, &unused))
        return false;
    for (uint32_t i = 0; i < tx.message_count; i++)
        if (tx_entry(online->request->chain, &tx, i, &entry) && entry.kind != TX_JOIN &&
            memcmp(entry.who, online->account, sizeof entry.who) == 0)
            found = true;
    tx_decoded_destroy(&tx);
    return found;
}

/* Whatever is the latest by now: what has left the mempool since that was read stands in it, or further back. */
static bool latest_block_read(struct online *online, bool *found)
{
    struct reply_block block;
    json_t *result = session_call(online->session, "block", NULL, online->facts->status_at.endpoint,
                                  NULL, &online->fault);
    if (!result)
        return false;
    bool good = reply_block(result, &block, &online->fault);
    json_decref(result);
    if (!good)
        return false;
    for (uint32_t i = 0; i < block.tx_count; i++)
        *found = *found || is_own_membership(online, block.txs[i].bytes, block.txs[i].size);
    reply_block_destroy(&block);
    return true;
}

static bool waiting_decode(const struct online *online, const char *text, bool *found)
{
    size_t length = strlen(text), size;
    uint8_t *bytes = malloc(BASE64_BYTES(length));
    assert(bytes);
    bool good = base64_decode(text, length, bytes, BASE64_BYTES(length), &size);
    if (good)
        *found = *found || is_own_membership(online, bytes, size);
    free(bytes);
    return good;
}

/* A node may keep its mempool to itself: then the account's sequence alone keeps two transactions apart. */
static bool mempool_read(struct online *online, bool *found)
{
    char limit[16];
    bool refused = false;
    snprintf(limit, sizeof limit, "%d", MEMPOOL_MAX);
    json_t *result =
        session_call(online->session, "unconfirmed_txs", json_pack("{s:s}", "limit", limit),
                     online->facts->status_at.endpoint, &refused, &online->fault);
    if (!result && refused) {
        note(online, "the node does not show its mempool; whether another transaction of this "
                     "validator waits there is not known");
        return true;
    }
    if (!result)
        return false;
    const json_t *txs = json_object_get(result, "txs");
    bool good = json_is_array(txs) || json_is_null(txs);
    for (size_t i = 0; good && i < json_array_size(txs); i++) {
        const char *text = json_string_value(json_array_get(txs, i));
        good = text && waiting_decode(online, text, found);
    }
    json_decref(result);
    return good ||
           fault_set(&online->fault, "unconfirmed_txs.txs: expected a list of base64 texts");
}

/* --- guards --- */

static uint64_t min_validators(const struct online *online)
{
    if (settings_given(online->settings, SETTING_CHARTER_MIN_VALIDATORS))
        return settings_whole(online->settings, SETTING_CHARTER_MIN_VALIDATORS);
    uint64_t own = online->facts->properties.min_validators;
    return own ? own : 1;
}

static enum command_status guard_answer(const struct online *online,
                                        const struct tx_refusal *refusal)
{
    if (!refusal->refused)
        return COMMAND_DONE;
    if (!refusal->final && online->wish->force) {
        options_say(online->wish->command, "note: sent by force, although %s", refusal->text);
        return COMMAND_DONE;
    }
    options_say(online->wish->command, "refused: %s%s", refusal->text,
                refusal->final ? "" : "; --force sends it all the same");
    return COMMAND_REFUSED;
}

static enum command_status guards_run(struct online *online)
{
    struct liveness liveness = {0};
    struct tx_refusal refusal;
    struct tx_situation situation = {
        .denom = chain_denom(session_chain(online->session)),
        .action = online->request->action,
        .facts = online->facts,
        .min_validators = min_validators(online),
        .plan = chain_plan(session_chain(online->session), online->account),
    };
    if (tx_is_membership(situation.action) &&
        (!mempool_read(online, &situation.membership_waiting) ||
         !latest_block_read(online, &situation.membership_in_latest)))
        return fail(online, COMMAND_NO_NETWORK);
    if (situation.action == TX_DO_PAUSE &&
        !session_liveness(online->session, &liveness, &online->fault))
        return fail(online, COMMAND_NO_NETWORK);
    situation.liveness = &liveness;
    tx_guard(&situation, &refusal);
    liveness_destroy(&liveness);
    return guard_answer(online, &refusal);
}

/* --- completing the request --- */

static bool join_complete(struct online *online)
{
    const struct chain_facts *facts = online->facts;
    struct charter charter;
    if (!online->wish->has_charter) {
        if (!settings_charter(online->settings, facts->status.chain_id, min_validators(online),
                              &charter, &online->fault))
            return false;
        online->request->charter = charter.id;
    }
    if (online->request->chain != CHAIN_DCL)
        return true;
    if (!online->request->consensus_key) {
        if (!facts->self_is_node)
            return fault_set(&online->fault,
                             "--consensus-key is missing: the node that was asked has "
                             "another validator's key");
        memcpy(online->consensus_key, facts->status.public_key, sizeof online->consensus_key);
        online->request->consensus_key = online->consensus_key;
    }
    if (!online->request->moniker) {
        /* it changes nothing on the chain, so it only has to be one */
        text_shown(facts->record.moniker, online->moniker, sizeof online->moniker);
        online->request->moniker = *online->moniker ? online->moniker : "validator";
    }
    return true;
}

static bool fee_complete(struct online *online)
{
    const struct chain_facts *facts = online->facts;
    struct tx_request *request = online->request;
    const struct chain_driver *driver = chain_driver_of(session_chain(online->session));
    if (request->fee_amount || !driver->denom)
        return true;
    return chain_fee(driver, request->action, &facts->properties, &facts->fees,
                     &request->fee_amount, &online->fault);
}

static bool timeout_complete(struct online *online)
{
    uint64_t latest = (uint64_t)online->facts->status.latest_height;
    if (!online->wish->has_timeout)
        online->request->timeout_height =
            latest + settings_whole(online->settings, SETTING_TX_TIMEOUT_BLOCKS);
    if (online->request->timeout_height > latest && online->request->timeout_height <= INT64_MAX)
        return true;
    return fault_set(&online->fault,
                     "--timeout-height: expected a height above %" PRIu64 ", the latest block's",
                     latest);
}

static bool request_complete(struct online *online)
{
    const struct chain_facts *facts = online->facts;
    struct tx_request *request = online->request;
    request->chain_id = facts->status.chain_id;
    if (!facts->account.exists)
        return fault_set(&online->fault, "the account does not exist on %s; has it ever been paid?",
                         facts->status.chain_id);
    if (!online->wish->has_account_number)
        request->account_number = facts->account.number;
    if (!online->wish->has_sequence)
        request->sequence = facts->account.sequence;
    return (request->action != TX_DO_JOIN || join_complete(online)) && fee_complete(online) &&
           timeout_complete(online);
}

static void notes_tell(const struct online *online)
{
    char text[160];
    if (online->request->action == TX_DO_PAUSE) {
        snprintf(text, sizeof text,
                 "this bypasses the draw; it can happen up to block %" PRIu64 ", not later",
                 online->request->timeout_height);
        note(online, text);
    }
}

/* --- sending --- */

/* CheckTx only: what a node said who was shown the bytes. */
static enum command_status sent_judge(struct online *online, const struct reply_broadcast *reply,
                                      const struct tx_made *made)
{
    const struct chain_advice *advice = chain_advice(
        chain_driver_of(session_chain(online->session)), reply->codespace, reply->code, reply->log);
    if (memcmp(reply->hash, made->hash, HASH_SIZE) != 0) {
        fault_set(&online->fault,
                  "the node took the transaction but names another hash; it may have "
                  "been sent");
        return fail(online, COMMAND_NO_NETWORK);
    }
    if (reply->code == 0 || advice->meaning == CHAIN_MEANS_SENT) {
        tx_show_sent(online->wish, online->request, made->hash);
        return COMMAND_DONE;
    }
    fault_set(&online->fault, "the chain refuses it, code %" PRIu32 " of %.40s (%s): %s",
              reply->code, reply->codespace, advice->name, advice->advice);
    return fail(online, COMMAND_FAILED);
}

static enum command_status tx_send(struct online *online, const struct tx_made *made)
{
    char *text = malloc(BASE64_TEXT(made->size));
    struct reply_broadcast reply;
    bool refused = false;
    assert(text);
    base64_encode(made->bytes, made->size, text);
    json_t *result =
        session_call(online->session, "broadcast_tx_sync", json_pack("{s:s}", "tx", text),
                     online->facts->status_at.endpoint, &refused, &online->fault);
    free(text);
    if (!result && refused && strstr(online->fault.text, "already exists in cache")) {
        tx_show_sent(online->wish, online->request, made->hash);
        return COMMAND_DONE;
    }
    if (!result)
        return fail(online, COMMAND_NO_NETWORK);
    bool good = reply_broadcast(result, &reply, &online->fault);
    json_decref(result);
    return good ? sent_judge(online, &reply, made) : fail(online, COMMAND_NO_NETWORK);
}

static enum command_status send_once(struct online *online)
{
    struct tx_made made;
    if (!tx_make(online->request, online->wish->dry_run ? NULL : online->signer, &made,
                 &online->fault)) {
        tx_made_destroy(&made);
        return fail(online, COMMAND_USAGE);
    }
    enum command_status status = COMMAND_DONE;
    if (online->wish->dry_run) {
        tx_show_draft(online->wish, online->request, &made);
    } else {
        notes_tell(online);
        status = tx_send(online, &made);
    }
    tx_made_destroy(&made);
    return status;
}

static enum command_status send_and_wait(struct online *online)
{
    struct chain_result result = {0};
    struct chain_submission submission = {
        .request = online->request,
        .signer = online->signer,
        .give_up_ms = settings_ms(online->settings, SETTING_TX_WAIT_MAX),
    };
    notes_tell(online);
    session_submit(online->session, &submission, &result);
    bool joined = online->request->action == TX_DO_JOIN &&
                  view_join_counts(online->request->chain, result.code, result.codespace);
    bool happened = result.outcome == CHAIN_INCLUDED && (result.code == 0 || joined);
    tx_show_result(online->wish, online->request, &result, happened);
    if (happened)
        return COMMAND_DONE;
    options_say(online->wish->command, "%s", result.text);
    return result.outcome == CHAIN_FAILED && !result.loose ? COMMAND_NO_NETWORK : COMMAND_FAILED;
}

static enum command_status session_use(struct online *online)
{
    uint32_t topics = FACTS_FOR_ALL | (needs_validator(online) ? FACTS_OF_VALIDATOR : 0);
    if (!session_ask(online->session, topics, online->account, &online->fault))
        return fail(online, COMMAND_NO_NETWORK);
    online->facts = session_facts(online->session);
    enum command_status status = needs_validator(online) ? guards_run(online) : COMMAND_DONE;
    if (status != COMMAND_DONE)
        return status;
    if (!request_complete(online))
        return fail(online, COMMAND_USAGE);
    return online->wish->wait && !online->wish->dry_run ? send_and_wait(online) : send_once(online);
}

enum command_status tx_online(const struct tx_wish *wish, const struct settings *settings,
                              struct signer *signer, struct tx_request *request)
{
    struct online online = {
        .wish = wish, .settings = settings, .signer = signer, .request = request};
    if (wish->wait && (wish->has_account_number || wish->has_sequence)) {
        fault_set(&online.fault, "--wait reads account number and sequence itself; leave out "
                                 "--account-number and --sequence");
        return fail(&online, COMMAND_USAGE);
    }
    account_address(request->public_key, online.account);
    online.session = session_open(wish->command, settings, &online.fault);
    if (!online.session)
        return fail(&online, COMMAND_USAGE);
    enum command_status status = session_use(&online);
    session_close(&online.session);
    return status;
}
