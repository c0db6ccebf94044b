/* The devnet's application behind a pipe, for app_history.py:
 *
 *     genesis CHAIN_ID TIME_MS MIN_VALIDATORS
 *     validator MONIKER ACCOUNT_KEY CONSENSUS_KEY      hex, once for each, in the order of their accounts
 *     block HEIGHT TIME_MS [MISSING ...]
 *     tx HEX
 *     end
 *
 * Each "end" is answered by a line of JSON: results, updates, and V(h + 1) with its priorities. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "proto/encoding.h"
#include "sim/app.h"

#define VALIDATORS 64
#define LINE_MAX_BYTES (1 << 20)

struct tool {
    struct app_genesis genesis;
    struct app_validator validators[VALIDATORS];
    struct app *app;
    json_t *results;
    int64_t height;
};

static void stop(const char *why)
{
    fprintf(stderr, "app_tool: %s\n", why);
    exit(1);
}

static void genesis_read(struct tool *tool, char *rest)
{
    uint64_t min_validators;
    tool->genesis = (struct app_genesis){.kind = CHAIN_KIRA,
                                         .prefix = "kira",
                                         .denom = "ukex",
                                         .initial_height = {1},
                                         .proposal_end_s = 300,
                                         .proposal_enactment_s = 300,
                                         .validators = tool->validators};
    if (sscanf(rest, "%63s %" SCNd64 " %" SCNu64, tool->genesis.chain_id, &tool->genesis.time_ms,
               &min_validators) != 3)
        stop("genesis CHAIN_ID TIME_MS MIN_VALIDATORS");
    tool->genesis.properties = model_properties_default(min_validators);
}

static void validator_read(struct tool *tool, char *rest)
{
    char account[2 * ACCOUNT_PUBLIC_SIZE + 1], consensus[2 * ED25519_KEY_SIZE + 1];
    if (tool->genesis.count == VALIDATORS)
        stop("too many validators");
    struct app_validator *v = &tool->validators[tool->genesis.count++];
    v->power = 1;
    v->balance = 150000000000000;
    if (sscanf(rest, "%79s %66s %64s", v->moniker, account, consensus) != 3 ||
        !hex_decode(account, strlen(account), v->account_key, ACCOUNT_PUBLIC_SIZE) ||
        !hex_decode(consensus, strlen(consensus), v->consensus_key, ED25519_KEY_SIZE))
        stop("validator MONIKER ACCOUNT_KEY CONSENSUS_KEY");
}

static void block_read(struct tool *tool, char *rest)
{
    struct fault fault;
    uint32_t missing[VALIDATORS], count = 0;
    int64_t time_ms;
    int used = 0;
    if (!tool->app)
        tool->app = app_create(&tool->genesis, &fault);
    if (!tool->app)
        stop(fault.text);
    if (sscanf(rest, "%" SCNd64 " %" SCNd64 "%n", &tool->height, &time_ms, &used) != 2)
        stop("block HEIGHT TIME_MS [MISSING ...]");
    for (rest += used;
         count < VALIDATORS && sscanf(rest, "%" SCNu32 "%n", &missing[count], &used) == 1;
         rest += used)
        count++;
    tool->results = json_array();
    app_begin(tool->app, height_at((uint64_t)tool->height), time_ms, missing, count);
}

static json_t *result_json(const struct app_result *result)
{
    char data[4096] = "";
    if (result->data_size > 0 && result->data_size < 3000)
        base64_encode(result->data, result->data_size, data);
    json_t *events = result->events ? json_loads(result->events, 0, NULL) : json_null();
    return json_pack("{s:i, s:s, s:s, s:s, s:I, s:I, s:o}", "code", (int)result->code, "codespace",
                     result->codespace, "log", result->log, "data", data, "gas_wanted",
                     (json_int_t)result->gas_wanted, "gas_used", (json_int_t)result->gas_used,
                     "events", events);
}

static void tx_read(struct tool *tool, const char *hex)
{
    struct app_result result;
    size_t size = strcspn(hex, " \n") / 2;
    uint8_t *bytes = malloc(size + 1);
    if (!bytes || !hex_decode(hex, size * 2, bytes, size))
        stop("tx HEX");
    app_deliver(tool->app, bytes, size, &result);
    json_array_append_new(tool->results, result_json(&result));
    app_result_clear(&result);
    free(bytes);
}

static json_t *set_json(const struct tool *tool)
{
    const struct model_set *set = model_validators(app_model(tool->app));
    json_t *list = json_array();
    for (uint32_t i = 0; i < set->count; i++) {
        char address[HEX_TEXT(ADDRESS_SIZE)];
        hex_encode_upper(model_record(app_model(tool->app), set->members[i].validator)->address,
                         ADDRESS_SIZE, address);
        json_array_append_new(list,
                              json_pack("[s, I, I]", address, (json_int_t)set->members[i].power,
                                        (json_int_t)set->members[i].priority));
    }
    return list;
}

static void end_write(struct tool *tool)
{
    struct member updates[VALIDATORS];
    uint32_t count;
    bool applied = app_end(tool->app, updates, &count);
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++) {
        char key[BASE64_TEXT(ED25519_KEY_SIZE)];
        base64_encode(updates[i].public_key, ED25519_KEY_SIZE, key);
        json_array_append_new(list, json_pack("[s, I]", key, (json_int_t)updates[i].power));
    }
    json_t *line =
        json_pack("{s:I, s:b, s:o, s:o, s:o}", "height", (json_int_t)tool->height, "applied",
                  applied, "results", tool->results, "updates", list, "set", set_json(tool));
    char *text = json_dumps(line, JSON_COMPACT);
    puts(text);
    fflush(stdout);
    free(text);
    json_decref(line);
}

int main(void)
{
    static struct tool tool;
    static char line[LINE_MAX_BYTES];
    while (fgets(line, sizeof line, stdin)) {
        if (strncmp(line, "genesis ", 8) == 0)
            genesis_read(&tool, line + 8);
        else if (strncmp(line, "validator ", 10) == 0)
            validator_read(&tool, line + 10);
        else if (strncmp(line, "block ", 6) == 0)
            block_read(&tool, line + 6);
        else if (strncmp(line, "tx ", 3) == 0)
            tx_read(&tool, line + 3);
        else if (strncmp(line, "end", 3) == 0)
            end_write(&tool);
        else
            stop("a word that is not known");
    }
    app_destroy(&tool.app);
    return 0;
}
