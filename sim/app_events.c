/* Events and log of a transaction's result: what the SDK's ante handlers and modules emit. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <yajl/yajl_gen.h>

#include "proto/encoding.h"
#include "sim/app_internal.h"

#define EVENT_ATTRIBUTES 3

struct event {
    const char *type; /* static */
    struct {
        const char *key; /* static */
        char *value;     /* in the list's arena */
    } attributes[EVENT_ATTRIBUTES];
    uint32_t count;
};

struct events {
    const struct app_tx *tx;
    struct arena texts;
    struct event *list;
    uint32_t count, room;
    uint32_t starts[MODEL_MANY_MAX + 1]; /* where each message's begin */
    char signer[BECH32_TEXT_MAX], valoper[BECH32_TEXT_MAX];
};

static struct event *event_add(struct events *events, const char *type)
{
    events->list = app_room(events->list, events->count, &events->room, sizeof *events->list);
    events->list[events->count] = (struct event){.type = type};
    return &events->list[events->count++];
}

static void event_set(struct events *events, const char *key, const char *value)
{
    struct event *event = &events->list[events->count - 1];
    char *copy = arena_text(&events->texts, (const uint8_t *)value, strlen(value));
    assert(copy && event->count < EVENT_ATTRIBUTES);
    event->attributes[event->count].key = key;
    event->attributes[event->count++].value = copy;
}

/* --- what happens --- */

/* Coins that move: spent, received, transferred, and who sent them. */
static void transfer_add(struct events *events, const char *recipient, const char *amount)
{
    event_add(events, "coin_spent");
    event_set(events, "spender", events->signer);
    event_set(events, "amount", amount);
    event_add(events, "coin_received");
    event_set(events, "receiver", recipient);
    event_set(events, "amount", amount);
    event_add(events, "transfer");
    event_set(events, "recipient", recipient);
    event_set(events, "sender", events->signer);
    event_set(events, "amount", amount);
    event_add(events, "message");
    event_set(events, "sender", events->signer);
}

static void collector_text(const struct app *app, char text[BECH32_TEXT_MAX])
{
    static const char name[] = "fee_collector"; /* the module's account: of the name's hash */
    uint8_t hash[HASH_SIZE];
    bool done = EVP_Digest(name, sizeof name - 1, hash, NULL, EVP_sha256(), NULL) == 1;
    assert(done);
    app_address_text(app, "", hash, text);
}

static void ante_add(struct events *events)
{
    const struct app_tx *tx = events->tx;
    char value[BECH32_TEXT_MAX + 24], fee[BECH32_TEXT_MAX], collector[BECH32_TEXT_MAX];
    char signature[BASE64_TEXT(ACCOUNT_SIGNATURE_SIZE)];
    (void)snprintf(value, sizeof value, "%s/%" PRIu64, events->signer, tx->decoded.sequence);
    base64_encode(tx->decoded.signature, ACCOUNT_SIGNATURE_SIZE, signature);
    event_add(events, "tx");
    event_set(events, "acc_seq", value);
    event_add(events, "tx");
    event_set(events, "signature", signature);
    if (tx->app->genesis.kind == CHAIN_DCL)
        return;
    app_coin(tx->app, tx->model.fee, fee);
    collector_text(tx->app, collector);
    transfer_add(events, collector, fee);
    event_add(events, "tx");
    event_set(events, "fee", fee);
    event_set(events, "fee_payer", events->signer);
}

static void send_add(struct events *events, const struct tx_message *message)
{
    char recipient[BECH32_TEXT_MAX], amount[BECH32_TEXT_MAX];
    uint64_t value = strtoull(message->amount[0].amount, NULL, 10);
    app_address_text(events->tx->app, "", message->recipient, recipient);
    transfer_add(events, recipient, app_coin(events->tx->app, value, amount));
}

static void submit_add(struct events *events, uint32_t message)
{
    const struct answer_act *act = &events->tx->acts[message];
    char number[24], content[2 * APP_NAME_MAX];
    (void)snprintf(number, sizeof number, "%" PRIu64, events->tx->numbers[message]);
    (void)snprintf(content, sizeof content, "name: \"%.*s\"",
                   (int)(act->name.size < APP_NAME_MAX ? act->name.size : APP_NAME_MAX),
                   act->name.size ? (const char *)act->name.bytes : "");
    event_add(events, "submit_proposal");
    event_set(events, "proposal_id", number);
    event_set(events, "proposal_type",
              act->kind == ACT_CANCEL_PROPOSAL ? "CancelSoftwareUpgrade" : "SoftwareUpgrade");
    event_set(events, "proposal_content", content);
}

static void vote_add(struct events *events, const struct tx_message *message)
{
    static const char *const options[] = {"VOTE_OPTION_UNSPECIFIED", "VOTE_OPTION_YES",
                                          "VOTE_OPTION_ABSTAIN", "VOTE_OPTION_NO",
                                          "VOTE_OPTION_NO_WITH_VETO"};
    char number[24], option[24];
    (void)snprintf(number, sizeof number, "%" PRIu64, message->proposal);
    (void)snprintf(option, sizeof option, "%" PRId32, (int32_t)message->option);
    event_add(events, "proposal_vote");
    event_set(events, "proposal_id", number);
    event_set(events, "voter", events->signer);
    event_set(events, "option", message->option < 5 ? options[message->option] : option);
}

/* "/cosmos.bank.v1beta1.MsgSend" is of module "bank". */
static void module_set(struct events *events, const char *type_url)
{
    char module[64] = "";
    const char *from = strchr(type_url, '.');
    size_t size = from ? strcspn(from + 1, ".") : 0;
    if (size > 0 && size < sizeof module) {
        memcpy(module, from + 1, size);
        event_set(events, "module", module);
    }
}

static void message_add(struct events *events, uint32_t i)
{
    const struct tx_message *message = &events->tx->decoded.messages[i];
    event_add(events, "message");
    event_set(events, "action", message->type_url);
    event_set(events, "sender", events->signer);
    switch (message->kind) {
    case TX_MESSAGE_PAUSE:
    case TX_MESSAGE_UNPAUSE:
    case TX_MESSAGE_ACTIVATE:
        event_add(events, "message");
        event_set(events, "module", "customslashing");
        event_set(events, "sender", events->valoper);
        return;
    case TX_MESSAGE_SEND:
        module_set(events, message->type_url);
        send_add(events, message);
        return;
    case TX_MESSAGE_SUBMIT_PROPOSAL:
        module_set(events, message->type_url);
        submit_add(events, i);
        return;
    case TX_MESSAGE_VOTE:
        module_set(events, message->type_url);
        vote_add(events, message);
        return;
    default:
        module_set(events, message->type_url);
        return;
    }
}

/* --- as JSON --- */

static void word(yajl_gen gen, const char *text)
{
    (void)yajl_gen_string(gen, (const unsigned char *)text, strlen(text));
}

static void event_print(yajl_gen gen, const struct event *event, bool index)
{
    yajl_gen_map_open(gen);
    word(gen, "type");
    word(gen, event->type);
    word(gen, "attributes");
    yajl_gen_array_open(gen);
    for (uint32_t i = 0; i < event->count; i++) {
        yajl_gen_map_open(gen);
        word(gen, "key");
        word(gen, event->attributes[i].key);
        word(gen, "value");
        word(gen, event->attributes[i].value);
        if (index) {
            word(gen, "index");
            yajl_gen_bool(gen, true);
        }
        yajl_gen_map_close(gen);
    }
    yajl_gen_array_close(gen);
    yajl_gen_map_close(gen);
}

static yajl_gen gen_begin(void)
{
    yajl_gen gen = yajl_gen_alloc(NULL);
    assert(gen);
    yajl_gen_array_open(gen);
    return gen;
}

static const char *gen_text(yajl_gen gen, size_t *size)
{
    const unsigned char *text;
    yajl_gen_array_close(gen);
    yajl_gen_status status = yajl_gen_get_buf(gen, &text, size);
    assert(status == yajl_gen_status_ok);
    return (const char *)text;
}

static char *events_text(const struct events *events)
{
    yajl_gen gen = gen_begin();
    size_t size;
    for (uint32_t i = 0; i < events->count; i++)
        event_print(gen, &events->list[i], true);
    const char *text = gen_text(gen, &size);
    char *copy = malloc(size + 1);
    assert(copy);
    memcpy(copy, text, size);
    copy[size] = '\0';
    yajl_gen_free(gen);
    return copy;
}

/* The log of the first `count` messages; false when that is longer than a log can be. */
static bool log_print(const struct events *events, uint32_t count, char *log, size_t room)
{
    yajl_gen gen = gen_begin();
    size_t size;
    for (uint32_t i = 0; i < count; i++) {
        yajl_gen_map_open(gen);
        word(gen, "msg_index");
        yajl_gen_integer(gen, i);
        word(gen, "events");
        yajl_gen_array_open(gen);
        for (uint32_t e = events->starts[i]; e < events->starts[i + 1]; e++)
            event_print(gen, &events->list[e], false);
        yajl_gen_array_close(gen);
        yajl_gen_map_close(gen);
    }
    const char *text = gen_text(gen, &size);
    bool fits = size < room;
    if (fits) {
        memcpy(log, text, size);
        log[size] = '\0';
    }
    yajl_gen_free(gen);
    return fits;
}

static void success_write(struct events *events, struct app_result *result)
{
    const struct app_tx *tx = events->tx;
    struct answer_response responses[MODEL_MANY_MAX];
    char *urls = calloc(tx->model.msg_count, APP_WORDS_MAX);
    uint32_t count = tx->model.msg_count;
    assert(urls);
    for (uint32_t i = 0; i < tx->model.msg_count; i++) {
        char *url = urls + (size_t)i * APP_WORDS_MAX;
        (void)snprintf(url, APP_WORDS_MAX, "%sResponse", tx->decoded.messages[i].type_url);
        responses[i] = (struct answer_response){url, tx->numbers[i]};
    }
    result->data = answer_results(responses, tx->model.msg_count, &result->data_size);
    free(urls);
    while (!log_print(events, count, result->log, sizeof result->log))
        count--;
}

void app_events_write(const struct app_tx *tx, bool messages, struct app_result *result)
{
    struct events events = {.tx = tx};
    arena_begin(&events.texts, (size_t)64 << 20);
    app_address_text(tx->app, "", tx->signer, events.signer);
    app_address_text(tx->app, "valoper", tx->signer, events.valoper);
    ante_add(&events);
    events.starts[0] = events.count;
    for (uint32_t i = 0; messages && i < tx->model.msg_count; i++) {
        message_add(&events, i);
        events.starts[i + 1] = events.count;
    }
    if (messages)
        success_write(&events, result);
    result->events = events_text(&events);
    free(events.list);
    arena_end(&events.texts);
}
