/* What `stagger tx` prints on standard output. The keys of its JSON stand in node/COMMANDS.md. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "node/command_tx.h"
#include "node/json_value.h"
#include "node/table.h"
#include "proto/encoding.h"

#define TEXT_MAX 4096
#define LABEL_COLUMNS 16

static void line(const char *label, const char *text)
{
    char shown[TEXT_MAX];
    printf("%-*s %s\n", LABEL_COLUMNS, label, text_shown(text, shown, sizeof shown));
}

static void number_line(const char *label, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    line(label, text);
}

static void coin_text(const struct tx_request *request, char out[TX_DENOM_MAX + 32])
{
    if (request->fee_denom && request->fee_amount)
        snprintf(out, TX_DENOM_MAX + 32, "%" PRIu64 "%s", request->fee_amount, request->fee_denom);
    else
        snprintf(out, TX_DENOM_MAX + 32, "none");
}

/* --- offline --- */

void tx_show_made(const struct tx_wish *wish, const struct tx_request *request,
                  const struct tx_made *made)
{
    char address[BECH32_TEXT_MAX], hash[HEX_TEXT(HASH_SIZE)];
    char *bytes = malloc(HEX_TEXT(made->size));
    assert(bytes);
    hex_encode(made->bytes, made->size, bytes);
    hex_encode_upper(made->hash, HASH_SIZE, hash);
    tx_request_address(request, address);
    if (wish->json)
        json_print(json_pack("{s:s,s:s,s:s}", "tx", bytes, "hash", hash, "address", address));
    else
        printf("%-*s %s\n%-*s %s\n%-*s %s\n", LABEL_COLUMNS, "tx", bytes, LABEL_COLUMNS, "hash",
               hash, LABEL_COLUMNS, "address", address);
    free(bytes);
}

/* --- drafts --- */

/* The address of 20 bytes with a prefix such as "kiravaloper". */
static void address_text(const struct tx_request *request, const char *tail,
                         const uint8_t address[ACCOUNT_ADDRESS_SIZE], char out[BECH32_TEXT_MAX])
{
    char prefix[BECH32_TEXT_MAX];
    snprintf(prefix, sizeof prefix, "%.60s%s", request->prefix, tail);
    if (!bech32_encode(prefix, address, ACCOUNT_ADDRESS_SIZE, out))
        out[0] = '\0';
}

static const char *option_name(uint32_t option)
{
    static const char *const names[] = {"unspecified", "yes", "abstain", "no", "veto"};
    return option < sizeof names / sizeof names[0] ? names[option] : "unknown";
}

static json_t *message_json(const struct tx_request *request, const struct tx_message *message)
{
    char text[BECH32_TEXT_MAX];
    json_t *object = json_object();
    json_object_set_new(object, "type_url", json_text(message->type_url));
    if (message->has_validator) {
        address_text(request, "valoper", message->validator, text);
        json_object_set_new(object, "validator", json_string(text));
    }
    if (message->has_recipient) {
        address_text(request, "", message->recipient, text);
        json_object_set_new(object, "recipient", json_string(text));
    }
    if (message->amount_count)
        json_object_set_new(object, "amount",
                            json_pack("{s:s,s:s}", "denom", message->amount[0].denom, "amount",
                                      message->amount[0].amount));
    if (message->kind == TX_MESSAGE_VOTE) {
        json_object_set_new(object, "proposal", json_number(message->proposal));
        json_object_set_new(object, "option", json_string(option_name(message->option)));
    }
    if (message->name[0])
        json_object_set_new(object, "name", json_text(message->name));
    return object;
}

static json_t *plan_json(const struct tx_plan *plan)
{
    json_t *resources = json_array();
    for (uint32_t i = 0; i < plan->resource_count; i++) {
        const struct tx_resource *r = &plan->resources[i];
        json_array_append_new(resources,
                              json_pack("{s:s?,s:s?,s:s?,s:s?}", "id", r->id, "url", r->url,
                                        "version", r->version, "checksum", r->checksum));
    }
    return json_pack(
        "{s:s?,s:o,s:I,s:s?,s:s?,s:s?,s:I,s:s?,s:b,s:b,s:b,s:I,s:s?}", "name", plan->name,
        "resources", resources, "upgrade_time", (json_int_t)plan->upgrade_time, "old_chain_id",
        plan->old_chain_id, "new_chain_id", plan->new_chain_id, "rollback_checksum",
        plan->rollback_checksum, "max_enrolment_duration", (json_int_t)plan->max_enrolment_s,
        "memo", plan->memo, "instate", plan->instate, "reboot_required", plan->reboot_required,
        "skip_handler", plan->skip_handler, "height", (json_int_t)plan->height, "info", plan->info);
}

static void draft_json(const struct tx_request *request, const struct tx_decoded *tx)
{
    char address[BECH32_TEXT_MAX], fee[TX_DENOM_MAX + 32];
    json_t *object = json_object(), *messages = json_array();
    tx_request_address(request, address);
    coin_text(request, fee);
    for (uint32_t i = 0; i < tx->message_count; i++)
        json_array_append_new(messages, message_json(request, &tx->messages[i]));
    json_object_set_new(object, "dry_run", json_true());
    json_object_set_new(object, "chain_id", json_text(request->chain_id));
    json_object_set_new(object, "address", json_string(address));
    json_object_set_new(object, "account_number", json_number(request->account_number));
    json_object_set_new(object, "sequence", json_number(tx->sequence));
    json_object_set_new(object, "fee", tx->fee_count ? json_string(fee) : json_null());
    json_object_set_new(object, "gas", json_number(tx->gas));
    json_object_set_new(object, "timeout_height", json_number(tx->timeout_height));
    json_object_set_new(object, "memo", json_text(tx->memo));
    json_object_set_new(object, "messages", messages);
    if (request->action == TX_DO_SUBMIT_UPGRADE)
        json_object_set_new(object, "plan", plan_json(request->plan));
    json_print(object);
}

static void message_lines(const struct tx_request *request, const struct tx_message *message)
{
    char text[BECH32_TEXT_MAX], coin[256];
    line("message", message->type_url);
    if (message->has_validator) {
        address_text(request, "valoper", message->validator, text);
        line("  validator", text);
    }
    if (message->has_recipient) {
        address_text(request, "", message->recipient, text);
        line("  recipient", text);
    }
    if (message->amount_count) {
        snprintf(coin, sizeof coin, "%.80s%.130s", message->amount[0].amount,
                 message->amount[0].denom);
        line("  amount", coin);
    }
    if (message->kind == TX_MESSAGE_VOTE) {
        number_line("  proposal", message->proposal);
        line("  option", option_name(message->option));
    }
    if (message->name[0])
        line("  name", message->name);
}

static void plan_lines(const struct tx_request *request)
{
    json_t *plan = plan_json(request->plan), *value;
    const char *key;
    json_object_foreach(plan, key, value)
    {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII);
        bool empty = json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0);
        if (text && !empty && strcmp(key, "name") != 0)
            printf("  %-*s %s\n", LABEL_COLUMNS - 2, key, text);
        free(text);
    }
    json_decref(plan);
}

static void draft_lines(const struct tx_request *request, const struct tx_decoded *tx)
{
    char address[BECH32_TEXT_MAX], fee[TX_DENOM_MAX + 32];
    tx_request_address(request, address);
    coin_text(request, fee);
    puts("Nothing was sent. This would be:");
    for (uint32_t i = 0; i < tx->message_count; i++)
        message_lines(request, &tx->messages[i]);
    if (request->action == TX_DO_SUBMIT_UPGRADE)
        plan_lines(request);
    line("signer", address);
    line("chain id", request->chain_id);
    number_line("account number", request->account_number);
    number_line("sequence", tx->sequence);
    line("fee", fee);
    number_line("gas limit", tx->gas);
    if (tx->timeout_height)
        number_line("timeout height", tx->timeout_height);
    else
        line("timeout height", "none");
    line("memo", tx->memo);
}

void tx_show_draft(const struct tx_wish *wish, const struct tx_request *request,
                   const struct tx_made *made)
{
    struct tx_decoded tx;
    struct fault fault;
    bool good = tx_decode(made->bytes, made->size, &tx, &fault);
    assert(good); /* what was built can be read */
    if (wish->json)
        draft_json(request, &tx);
    else
        draft_lines(request, &tx);
    tx_decoded_destroy(&tx);
}

/* --- sent --- */

static json_t *sent_json(const struct tx_request *request, const uint8_t hash[HASH_SIZE],
                         uint64_t sequence, uint64_t timeout_height)
{
    char address[BECH32_TEXT_MAX];
    tx_request_address(request, address);
    json_t *object = json_object();
    json_object_set_new(object, "hash", json_hex(hash, HASH_SIZE));
    json_object_set_new(object, "address", json_string(address));
    json_object_set_new(object, "sequence", json_number(sequence));
    json_object_set_new(object, "timeout_height", json_number(timeout_height));
    return object;
}

void tx_show_sent(const struct tx_wish *wish, const struct tx_request *request,
                  const uint8_t hash[HASH_SIZE])
{
    char text[HEX_TEXT(HASH_SIZE)];
    hex_encode_upper(hash, HASH_SIZE, text);
    if (wish->json) {
        json_t *object = sent_json(request, hash, request->sequence, request->timeout_height);
        json_object_set_new(object, "outcome", json_string("sent"));
        json_print(object);
    } else {
        puts(text);
    }
}

static const char *outcome_name(enum chain_outcome outcome)
{
    static const char *const names[] = {[CHAIN_INCLUDED] = "included",
                                        [CHAIN_REFUSED] = "refused",
                                        [CHAIN_TIMED_OUT] = "timed-out",
                                        [CHAIN_FAILED] = "failed"};
    return names[outcome];
}

static void result_json(const struct tx_request *request, const struct chain_result *result,
                        bool happened)
{
    json_t *object = sent_json(request, result->hash, result->sequence, result->timeout_height);
    json_object_set_new(object, "outcome", json_string(outcome_name(result->outcome)));
    json_object_set_new(object, "happened", json_boolean(happened));
    json_object_set_new(object, "fee", json_number(result->fee));
    if (result->outcome == CHAIN_INCLUDED)
        json_object_set_new(object, "height", json_number((uint64_t)result->height));
    if (result->outcome == CHAIN_INCLUDED || result->outcome == CHAIN_REFUSED) {
        json_object_set_new(object, "code", json_integer(result->code));
        json_object_set_new(object, "codespace", json_text(result->codespace));
        json_object_set_new(object, "log", json_text(result->log));
    }
    if (result->advice && result->code)
        json_object_set_new(object, "advice", json_text(result->advice->advice));
    json_object_set_new(object, "text", json_text(result->text));
    json_print(object);
}

static void result_lines(const struct chain_result *result, bool happened)
{
    char hash[HEX_TEXT(HASH_SIZE)];
    hex_encode_upper(result->hash, HASH_SIZE, hash);
    line("hash", hash);
    line("outcome", outcome_name(result->outcome));
    if (result->outcome == CHAIN_INCLUDED) {
        number_line("height", (uint64_t)result->height);
        number_line("code", result->code);
        line("happened", happened ? "yes" : "no");
    }
    if (result->code) {
        line("codespace", result->codespace);
        line("log", result->log);
        if (result->advice)
            line("advice", result->advice->advice);
    }
}

void tx_show_result(const struct tx_wish *wish, const struct tx_request *request,
                    const struct chain_result *result, bool happened)
{
    bool sent = result->outcome == CHAIN_INCLUDED || result->outcome == CHAIN_TIMED_OUT ||
                result->outcome == CHAIN_REFUSED || result->loose;
    if (wish->json)
        result_json(request, result, happened);
    else if (sent)
        result_lines(result, happened);
}
