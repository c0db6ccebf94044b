/* `stagger chain status`: every endpoint, and what they disagree about. */
#include <assert.h>
#include <inttypes.h>

#include "node/command_chain.h"
#include "proto/encoding.h"

static const char *verdict_name(enum chain_verdict verdict)
{
    static const char *const names[] = {
        [CHAIN_WELL] = "well",           [CHAIN_SILENT] = "silent",
        [CHAIN_LAGS] = "lags",           [CHAIN_FOREIGN] = "foreign",
        [CHAIN_DISPROVED] = "disproved", [CHAIN_CONTRADICTED] = "contradicted",
    };
    return names[verdict];
}

static const char *url_of(const struct chain_look *look, uint32_t endpoint)
{
    return rpc_endpoint_url(chain_rpc(session_chain(look->session)), endpoint);
}

static json_t *endpoint_json(const struct chain_look *look, const struct chain_witness *witness,
                             uint32_t endpoint, int64_t now)
{
    const struct reply_status *status = &witness->status;
    char time[UTC_TEXT_MAX];
    json_t *object = json_object();
    json_object_set_new(object, "url", json_text(url_of(look, endpoint)));
    json_object_set_new(object, "verdict", json_string(verdict_name(witness->verdict)));
    json_object_set_new(object, "text", json_text(witness->text));
    json_object_set_new(object, "answered", json_boolean(witness->answered));
    if (!witness->answered)
        return object;
    json_object_set_new(object, "chain_id", json_text(status->chain_id));
    json_object_set_new(object, "height", json_integer(status->latest_height));
    json_object_set_new(object, "earliest_height", json_integer(status->earliest_height));
    json_object_set_new(object, "time", json_string(utc_text_whole(status->latest_time_ms, time)));
    json_object_set_new(object, "age_ms", json_integer(now - status->latest_time_ms));
    json_object_set_new(object, "catching_up", json_boolean(status->catching_up));
    json_object_set_new(object, "tx_index", json_boolean(status->tx_index));
    json_object_set_new(object, "version", json_text(status->version));
    json_object_set_new(object, "moniker", json_text(status->moniker));
    json_object_set_new(object, "node_id", json_text(status->node_id));
    json_object_set_new(object, "validator", json_hex(status->address, ADDRESS_SIZE));
    json_object_set_new(object, "voting_power", json_integer(status->voting_power));
    if (witness->has_hash)
        json_object_set_new(object, "hash_at_common_height", json_hex(witness->hash, HASH_SIZE));
    return object;
}

static void status_json(const struct chain_look *look, const struct chain_comparison *comparison)
{
    int64_t now = now_ms();
    json_t *endpoints = json_array();
    for (uint32_t i = 0; i < comparison->count; i++)
        json_array_append_new(endpoints, endpoint_json(look, &comparison->witnesses[i], i, now));
    json_t *object = json_object();
    json_object_set_new(object, "chain",
                        json_string(chain_driver_of(session_chain(look->session))->name));
    json_object_set_new(object, "common_height",
                        comparison->height ? json_integer(comparison->height) : json_null());
    json_object_set_new(object, "best",
                        comparison->best == RPC_ANY ? json_null()
                                                    : json_text(url_of(look, comparison->best)));
    json_object_set_new(object, "endpoints", endpoints);
    json_print(object);
}

static void endpoint_row(struct table *table, const struct chain_look *look,
                         const struct chain_witness *witness, uint32_t endpoint, int64_t now)
{
    const struct reply_status *status = &witness->status;
    char age[SPAN_TEXT_MAX], address[HEX_TEXT(ADDRESS_SIZE)];
    table_cell(table, "%s", url_of(look, endpoint));
    table_cell(table, "%s", verdict_name(witness->verdict));
    if (!witness->answered) {
        for (uint32_t i = 0; i < 8; i++)
            table_cell(table, "-");
        return;
    }
    span_text(status->latest_time_ms - now, age);
    hex_encode_upper(status->address, ADDRESS_SIZE, address);
    table_cell(table, "%s", status->chain_id);
    table_cell(table, "%" PRId64, status->latest_height);
    table_cell(table, "%s", age);
    table_cell(table, "%s", status->catching_up ? "yes" : "no");
    table_cell(table, "%s", status->version);
    table_cell(table, "%s", status->moniker);
    table_cell(table, "%s", address);
    table_cell(table, "%" PRId64, status->voting_power);
}

static void status_table(const struct chain_look *look, const struct chain_comparison *comparison)
{
    int64_t now = now_ms();
    struct table *table =
        table_create("ENDPOINT VERDICT CHAIN HEIGHT> HEAD CATCHING_UP VERSION MONIKER "
                     "VALIDATOR POWER>");
    for (uint32_t i = 0; i < comparison->count; i++)
        endpoint_row(table, look, &comparison->witnesses[i], i, now);
    table_print(table, stdout);
    table_destroy(&table);
    for (uint32_t i = 0; i < comparison->count; i++) {
        char shown[FAULT_MAX];
        if (comparison->witnesses[i].text[0])
            printf("%s\n", text_shown(comparison->witnesses[i].text, shown, sizeof shown));
    }
}

enum command_status chain_look_status(struct chain_look *look)
{
    session_compare(look->session);
    const struct chain_comparison *comparison = chain_comparison(session_chain(look->session));
    assert(comparison->count > 0);
    if (look->json)
        status_json(look, comparison);
    else
        status_table(look, comparison);
    if (comparison->best != RPC_ANY)
        return COMMAND_DONE;
    fault_set(&look->fault, "no endpoint can be trusted; %s", comparison->witnesses[0].text);
    return chain_look_fail(look, COMMAND_NO_NETWORK);
}
