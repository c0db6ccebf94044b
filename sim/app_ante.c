/* From bytes to what the modelled chain judges, and its refusals in the words of the real one. */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/bech32.h"
#include "sim/app_internal.h"

#define PANIC 111222 /* codespace undefined */
#define GOV "customgov"
#define GOV_NO_VOTER 3
#define GOV_NO_CONTENT 39
#define DCL_INFO_MAX 4096
#define COINS_TEXT_MAX 256

void app_refuse(struct app_result *result, uint32_t code, const char *codespace, const char *format,
                ...)
{
    va_list arguments;
    assert(strlen(codespace) < sizeof result->codespace);
    result->code = code;
    strcpy(result->codespace, codespace);
    va_start(arguments, format);
    (void)vsnprintf(result->log, sizeof result->log, format, arguments);
    va_end(arguments);
}

/* --- coins --- */

enum coin_state { COIN_GOOD, COIN_ZERO, COIN_NEGATIVE, COIN_BROKEN };

/* More than a balance can be is as much as one can be. */
static enum coin_state coin_value(const struct tx_coin *coin, uint64_t *value)
{
    const char *digit = coin->amount;
    bool negative = *digit == '-';
    *value = 0;
    digit += negative;
    if (!*digit)
        return COIN_BROKEN;
    for (; *digit; digit++) {
        if (*digit < '0' || *digit > '9')
            return COIN_BROKEN;
        uint64_t units = (uint64_t)(*digit - '0');
        *value = *value > (UINT64_MAX - units) / 10 ? UINT64_MAX : *value * 10 + units;
    }
    if (*value == 0)
        return COIN_ZERO;
    return negative ? COIN_NEGATIVE : COIN_GOOD;
}

/* As Go prints them: "1ukex,2lol"; cut where there is no more room. */
static const char *coins_text(const struct tx_coin *coins, uint32_t count,
                              char text[COINS_TEXT_MAX])
{
    size_t at = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < count && at < COINS_TEXT_MAX; i++)
        at += (size_t)snprintf(text + at, COINS_TEXT_MAX - at, "%s%.80s%.80s", i ? "," : "",
                               coins[i].amount, coins[i].denom);
    return text;
}

/* Each denom once, ascending, and more than nothing of it. */
static bool coins_valid(const struct tx_coin *coins, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t value;
        if (coin_value(&coins[i], &value) != COIN_GOOD)
            return false;
        if (i > 0 && strcmp(coins[i - 1].denom, coins[i].denom) >= 0)
            return false;
    }
    return count > 0;
}

/* --- messages --- */

static bool kira_kind(enum tx_message_kind kind, enum msg_kind *to)
{
    switch (kind) {
    case TX_MESSAGE_SEND:
        *to = MSG_SEND;
        return true;
    case TX_MESSAGE_PAUSE:
        *to = MSG_PAUSE;
        return true;
    case TX_MESSAGE_UNPAUSE:
        *to = MSG_UNPAUSE;
        return true;
    case TX_MESSAGE_ACTIVATE:
        *to = MSG_ACTIVATE;
        return true;
    case TX_MESSAGE_SUBMIT_PROPOSAL:
    case TX_MESSAGE_VOTE:
        *to = MSG_GOVERN;
        return true;
    default: /* also claim-validator: the seats are those of the genesis */
        return false;
    }
}

static bool dcl_kind(enum tx_message_kind kind, enum answer_act_kind act, enum msg_kind *to)
{
    switch (kind) {
    case TX_MESSAGE_DISABLE_NODE:
        *to = MSG_PAUSE;
        return true;
    case TX_MESSAGE_ENABLE_NODE:
        *to = MSG_UNPAUSE;
        return true;
    case TX_MESSAGE_CREATE_VALIDATOR:
        *to = MSG_CREATE_VALIDATOR;
        return true;
    default:
        *to = MSG_OTHER;
        return act >= ACT_PROPOSE_UPGRADE;
    }
}

/* Whom the message wants to be signed by; NULL when it names nobody. */
static const uint8_t *message_signer(const struct app_tx *tx, uint32_t i)
{
    const struct tx_message *message = &tx->decoded.messages[i];
    const struct answer_act *act = &tx->acts[i];
    if (act->kind >= ACT_PROPOSE_UPGRADE)
        return act->has_creator ? act->creator : NULL;
    return message->has_signer ? message->signer : NULL;
}

static bool send_check(const struct tx_message *message, struct app_result *result)
{
    char text[COINS_TEXT_MAX];
    if (!message->has_signer || !message->has_recipient) {
        app_refuse(result, SDK_ADDRESS, "sdk", "invalid %s address: invalid address",
                   message->has_signer ? "to" : "from");
        return false;
    }
    if (!coins_valid(message->amount, message->amount_count)) {
        app_refuse(result, SDK_COINS, "sdk", "%s: invalid coins",
                   coins_text(message->amount, message->amount_count, text));
        return false;
    }
    return true;
}

static bool proposal_check(const struct app_tx *tx, uint32_t i, struct app_result *result)
{
    if (!tx->decoded.messages[i].has_signer)
        app_refuse(result, SDK_ADDRESS, "sdk", "proposer: invalid address");
    else if (tx->acts[i].kind == ACT_OTHER_PROPOSAL && tx->acts[i].type_url.size == 0)
        app_refuse(result, GOV_NO_CONTENT, GOV, "missing content: invalid proposal content");
    else
        return true;
    return false;
}

/* What trustees and node admins write; DCL checks it by its own validator. */
static bool act_check(const struct app_tx *tx, uint32_t i, struct app_result *result)
{
    const struct answer_act *act = &tx->acts[i];
    bool upgrade = act->kind >= ACT_PROPOSE_UPGRADE && act->kind <= ACT_REJECT_UPGRADE;
    if (!message_signer(tx, i))
        app_refuse(result, SDK_ADDRESS, "sdk", "Invalid Address: invalid address");
    else if (act->kind >= ACT_PROPOSE_DISABLE && !act->has_validator)
        app_refuse(result, SDK_ADDRESS, "sdk", "Invalid validator address: invalid address");
    else if (upgrade && act->name.size == 0)
        app_refuse(result, SDK_INVALID, "sdk", "name cannot be empty: invalid request");
    else if (act->kind == ACT_PROPOSE_UPGRADE && act->height <= 0)
        app_refuse(result, SDK_INVALID, "sdk", "height must be greater than 0: invalid request");
    else if (upgrade && act->name.size >= APP_NAME_MAX)
        app_refuse(result, SDK_INVALID, "sdk", "name: at most %d bytes: invalid request",
                   APP_NAME_MAX - 1);
    else if (act->info.size > DCL_INFO_MAX)
        app_refuse(result, SDK_INVALID, "sdk", "info: at most %d bytes: invalid request",
                   DCL_INFO_MAX);
    else
        return true;
    return false;
}

/* The same bytes under another network's prefix are no address here. Broken ones are refused elsewhere. */
static bool prefixes_check(const struct app_tx *tx, uint32_t i, struct app_result *result)
{
    const char *prefix = tx->app->genesis.prefix;
    enum msg_kind kind = tx->messages[i].kind;
    for (uint32_t a = 0; a < ANSWER_ADDRESSES_MAX; a++) {
        const struct tx_bytes *text = &tx->acts[i].addresses[a];
        struct bech32 found;
        if (text->size == 0 || bech32_decode((const char *)text->bytes, text->size, &found) != NULL)
            continue;
        const char *tail = bech32_prefix_ends(&found, "valoper") ? "valoper" : "";
        size_t length = strlen(prefix);
        if (strncmp(found.prefix, prefix, length) == 0 && strcmp(found.prefix + length, tail) == 0)
            continue;
        bool panics = tx->app->genesis.kind == CHAIN_KIRA && kind != MSG_SEND;
        app_refuse(result, panics ? PANIC : SDK_ADDRESS, panics ? "undefined" : "sdk",
                   "%sinvalid Bech32 prefix; expected %s%s, got %.90s: %s",
                   panics ? "recovered: " : "", prefix, tail, found.prefix,
                   panics ? "panic" : "invalid address");
        return false;
    }
    return true;
}

/* What a message says about itself, before anything is looked up. */
static bool message_check(const struct app_tx *tx, uint32_t i, struct app_result *result)
{
    const struct tx_message *message = &tx->decoded.messages[i];
    if (!prefixes_check(tx, i, result))
        return false;
    if (tx->acts[i].kind >= ACT_PROPOSE_UPGRADE)
        return act_check(tx, i, result);
    if (message->kind == TX_MESSAGE_SEND)
        return send_check(message, result);
    if (message->kind == TX_MESSAGE_SUBMIT_PROPOSAL)
        return proposal_check(tx, i, result);
    if (message->kind == TX_MESSAGE_CREATE_VALIDATOR && !message->name[0])
        app_refuse(result, SDK_INVALID, "sdk", "Moniker is a required field: invalid request");
    else if (message->has_signer)
        return true;
    else if (message->kind == TX_MESSAGE_VOTE)
        app_refuse(result, GOV_NO_VOTER, GOV, "empty proposer key");
    else
        app_refuse(result, PANIC, "undefined", "recovered: %s names no address: panic",
                   message->type_url);
    return false;
}

static bool messages_take(struct app_tx *tx, struct app_result *result)
{
    const struct tx_decoded *decoded = &tx->decoded;
    tx->model.msg_count = decoded->message_count;
    tx->model.many = tx->messages;
    if (decoded->message_count == 0) {
        app_refuse(result, SDK_INVALID, "sdk",
                   "must contain at least one message: invalid request");
        return false;
    }
    if (decoded->message_count > MODEL_MANY_MAX) {
        app_refuse(result, SDK_INVALID, "sdk", "%" PRIu32 " messages, at most %d: invalid request",
                   decoded->message_count, MODEL_MANY_MAX);
        return false;
    }
    for (uint32_t i = 0; i < decoded->message_count; i++) {
        const struct tx_message *message = &decoded->messages[i];
        struct model_msg *msg = &tx->messages[i];
        msg->validator = VALIDATOR_NONE;
        if (tx->app->genesis.kind == CHAIN_KIRA
                ? kira_kind(message->kind, &msg->kind)
                : dcl_kind(message->kind, tx->acts[i].kind, &msg->kind))
            continue;
        app_refuse(result, SDK_DECODE, "sdk", "unable to resolve type URL %.200s: tx parse error",
                   message->type_url);
        return false;
    }
    return true;
}

static bool messages_check(struct app_tx *tx, struct app_result *result)
{
    for (uint32_t i = 0; i < tx->model.msg_count; i++) {
        const struct tx_message *message = &tx->decoded.messages[i];
        if (!message_check(tx, i, result))
            return false;
        if (message->kind == TX_MESSAGE_SEND)
            (void)coin_value(&message->amount[0], &tx->messages[i].amount);
    }
    return true;
}

/* --- the transaction --- */

/* Every message by the same account, and one signature. */
static bool signers_check(struct app_tx *tx, struct app_result *result)
{
    uint32_t signers = 0;
    for (uint32_t i = 0; i < tx->model.msg_count; i++) {
        uint32_t before = 0;
        while (before < i &&
               memcmp(message_signer(tx, before), message_signer(tx, i), ACCOUNT_ADDRESS_SIZE) != 0)
            before++;
        signers += before == i;
    }
    memcpy(tx->signer, message_signer(tx, 0), ACCOUNT_ADDRESS_SIZE);
    if (tx->decoded.signature_count == 0)
        app_refuse(result, SDK_NO_SIGNATURE, "sdk", "no signatures supplied");
    else if (tx->decoded.signature_count != signers)
        app_refuse(result, SDK_UNAUTHORIZED, "sdk",
                   "wrong number of signers; expected %" PRIu32 ", got %" PRIu32 ": unauthorized",
                   signers, tx->decoded.signature_count);
    else if (signers > 1 || tx->decoded.signer_count != 1)
        app_refuse(result, SDK_UNAUTHORIZED, "sdk",
                   "invalid number of signer;  expected: %" PRIu32 ", got %" PRIu32
                   ": unauthorized",
                   signers, tx->decoded.signer_count);
    else
        return true;
    return false;
}

static bool basics_check(struct app_tx *tx, struct app_result *result)
{
    const struct tx_decoded *decoded = &tx->decoded;
    char text[COINS_TEXT_MAX];
    uint64_t value;
    if (tx->app->genesis.kind == CHAIN_KIRA && decoded->gas == 0) {
        app_refuse(result, SDK_GAS, "sdk",
                   "out of gas in location: ReadFlat; gasWanted: 0, gasUsed: 1000: out of gas");
        return false;
    }
    if (decoded->gas > INT64_MAX) {
        app_refuse(result, SDK_INVALID, "sdk",
                   "invalid gas supplied; %" PRIu64 " > %" PRId64 ": invalid request", decoded->gas,
                   INT64_MAX);
        return false;
    }
    for (uint32_t i = 0; i < decoded->fee_count; i++) {
        enum coin_state state = coin_value(&decoded->fee[i], &value);
        if (state == COIN_GOOD || state == COIN_ZERO)
            continue;
        app_refuse(result, SDK_FEE, "sdk", "invalid fee provided: %s: insufficient fee",
                   coins_text(decoded->fee, decoded->fee_count, text));
        return false;
    }
    return signers_check(tx, result);
}

static void fee_take(struct app_tx *tx)
{
    for (uint32_t i = 0; i < tx->decoded.fee_count; i++) {
        uint64_t value;
        (void)coin_value(&tx->decoded.fee[i], &value);
        if (strcmp(tx->decoded.fee[i].denom, tx->app->genesis.denom) != 0)
            tx->foreign_fee = true;
        tx->model.fee = tx->model.fee > UINT64_MAX - value ? UINT64_MAX : tx->model.fee + value;
    }
    if (tx->foreign_fee)
        tx->model.fee = 0;
}

/* The key is the account's once it has one; before, that of the transaction, if it is the account's. */
static bool signature_right(const struct app_tx *tx)
{
    struct tx_decoded decoded = tx->decoded;
    const struct app_account *account = tx->account;
    if (!account)
        return false;
    if (account->has_key) {
        memcpy(decoded.public_key, account->key, ACCOUNT_PUBLIC_SIZE);
        decoded.has_public_key = true;
    } else if (!decoded.has_public_key ||
               memcmp(decoded.signer, account->address, ACCOUNT_ADDRESS_SIZE) != 0) {
        return false;
    }
    return tx_verify(&decoded, tx->app->genesis.chain_id, account->number);
}

static void signer_take(struct app_tx *tx, bool fresh)
{
    tx->account_index = app_account_find(tx->app, tx->signer);
    if (tx->account_index < tx->app->account_count)
        tx->account = tx->app->accounts[tx->account_index];
    tx->model.unknown = !tx->account;
    tx->model.signer = tx->account ? tx->account->validator : VALIDATOR_NONE;
    if (tx->account && tx->model.signer == VALIDATOR_NONE)
        tx->model.outsider = &tx->account->own;
    for (uint32_t i = 0; i < tx->model.msg_count; i++)
        tx->messages[i].validator = tx->model.signer;
    tx->fresh = fresh;
    tx->model.forged = fresh || !signature_right(tx);
}

bool app_ante_read(struct app_tx *tx, const uint8_t *bytes, size_t size, bool fresh,
                   struct app_result *result)
{
    struct fault fault;
    if (!tx_decode(bytes, size, &tx->decoded, &fault)) {
        app_refuse(result, SDK_DECODE, "sdk", "%s: tx parse error", fault.text);
        return false;
    }
    arena_begin(&tx->memory, 5 * ARENA_BUDGET(size));
    if (answer_fields_known(&tx->decoded, bytes, size, &tx->memory, &fault))
        tx->acts = answer_acts_read(&tx->decoded, &tx->memory, &fault);
    if (!tx->acts) {
        app_refuse(result, SDK_DECODE, "sdk", "%s: tx parse error", fault.text);
        return false;
    }
    if (!messages_take(tx, result) || !messages_check(tx, result) || !basics_check(tx, result))
        return false;
    tx->model.memo_size =
        tx->decoded.memo_size > UINT32_MAX ? UINT32_MAX : (uint32_t)tx->decoded.memo_size;
    tx->model.gas = tx->decoded.gas;
    tx->model.sequence = tx->decoded.sequence;
    tx->model.timeout_height = tx->decoded.timeout_height;
    fee_take(tx);
    signer_take(tx, fresh);
    return true;
}

/* --- refusals --- */

static void refuse_invalid(const struct app_tx *tx, enum model_reason reason,
                           struct app_result *result)
{
    const struct model_properties *p = model_properties(tx->app->model);
    const char *denom = tx->app->genesis.denom;
    char fee[COINS_TEXT_MAX];
    coins_text(tx->decoded.fee, tx->decoded.fee_count, fee);
    if (tx->foreign_fee)
        app_refuse(result, SDK_INVALID, "sdk",
                   "currency you are trying to use was not whitelisted as fee payment: "
                   "invalid request");
    else if (reason == REASON_FEE_RANGE)
        app_refuse(result, SDK_INVALID, "sdk",
                   "fee %s(%" PRIu64 ") is out of range [%" PRIu64 ", %" PRIu64
                   "]%s: invalid request",
                   fee, tx->model.fee, p->min_tx_fee, p->max_tx_fee, denom);
    else if (reason == REASON_FEE_EXECUTION)
        app_refuse(result, SDK_INVALID, "sdk",
                   "fee %s(%" PRIu64 ") is less than max execution fee %" PRIu64
                   "%s: invalid request",
                   fee, tx->model.fee, model_execution_fee(tx->app->model, &tx->model), denom);
    else
        app_refuse(result, SDK_INVALID, "sdk", "%s on poor network: invalid request",
                   reason == REASON_POOR_SEND ? "only restricted amount send is allowed"
                                              : "invalid transaction type");
}

/* What the model refused, in words. */
void app_ante_refuse(const struct app_tx *tx, const struct model_result *refused,
                     struct height height, struct app_result *result)
{
    const struct app *app = tx->app;
    char address[BECH32_TEXT_MAX], fee[COINS_TEXT_MAX];
    app_address_text(app, "", tx->signer, address);
    switch (refused->code) {
    case SDK_TIMEOUT:
        app_refuse(result, SDK_TIMEOUT, "sdk",
                   "block height: %" PRIu64 ", timeout height: %" PRIu64 ": tx timeout height",
                   height.n, tx->model.timeout_height);
        break;
    case SDK_MEMO:
        app_refuse(result, SDK_MEMO, "sdk",
                   "maximum number of characters is %d but received %" PRIu32
                   " characters: memo too large",
                   MODEL_MEMO_MAX, tx->model.memo_size);
        break;
    case SDK_INVALID:
        refuse_invalid(tx, refused->reason, result);
        break;
    case SDK_UNKNOWN_ACCOUNT:
        app_refuse(result, SDK_UNKNOWN_ACCOUNT, "sdk", "account %s does not exist: unknown address",
                   address);
        break;
    case SDK_FUNDS:
        app_refuse(
            result, SDK_FUNDS, "sdk",
            "spendable balance %s is smaller than %s: insufficient funds: insufficient funds",
            app_coin(app, refused->balance, address),
            coins_text(tx->decoded.fee, tx->decoded.fee_count, fee));
        break;
    case SDK_SEQUENCE:
        app_refuse(result, SDK_SEQUENCE, "sdk",
                   "account sequence mismatch, expected %" PRIu64 ", got %" PRIu64
                   ": incorrect account sequence",
                   refused->expected, tx->model.sequence);
        break;
    default:
        app_refuse(result, SDK_UNAUTHORIZED, "sdk",
                   "signature verification failed; please verify account number (%" PRIu64
                   ") and chain-id (%s): unauthorized",
                   tx->fresh ? 0 : tx->account->number, app->genesis.chain_id);
        break;
    }
}

const char *app_coin(const struct app *app, uint64_t amount, char text[BECH32_TEXT_MAX])
{
    text[0] = '\0';
    if (amount > 0) /* Go leaves out coins of nothing */
        (void)snprintf(text, BECH32_TEXT_MAX, "%" PRIu64 "%s", amount, app->genesis.denom);
    return text;
}
