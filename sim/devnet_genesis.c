/* genesis.json of a devnet: in the shape that the chain itself writes, as far as anybody looks. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/encoding.h"
#include "proto/utc.h"
#include "sim/devnet_internal.h"
#include "sim/genesis.h"

#define ED25519_URL "/cosmos.crypto.ed25519.PubKey"
#define SECP256K1_URL "/cosmos.crypto.secp256k1.PubKey"
#define BASE_ACCOUNT_URL "/cosmos.auth.v1beta1.BaseAccount"
#define NUMBER_TEXT 24

/* --- texts --- */

static void bech32_text(const char *prefix, const char *tail, const uint8_t *address,
                        char text[BECH32_TEXT_MAX])
{
    char whole[APP_PREFIX_MAX + 16];
    (void)snprintf(whole, sizeof whole, "%s%s", prefix, tail);
    bool good = bech32_encode(whole, address, ADDRESS_SIZE, text);
    assert(good);
    (void)good;
}

void devnet_account_text(const struct app_genesis *genesis, uint32_t node,
                         char text[BECH32_TEXT_MAX])
{
    uint8_t address[ACCOUNT_ADDRESS_SIZE];
    account_address(genesis->validators[node].account_key, address);
    bech32_text(genesis->prefix, "", address, text);
}

static json_t *number_json(uint64_t number) /* as Cosmos writes them: a string */
{
    char text[NUMBER_TEXT];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    return json_string(text);
}

static json_t *key_json(const char *url, const uint8_t *key, size_t size)
{
    char text[BASE64_TEXT(64)];
    assert(size <= 64);
    base64_encode(key, size, text);
    return json_pack("{s:s,s:s}", "@type", url, "key", text);
}

struct names { /* of one validator */
    char account[BECH32_TEXT_MAX], operator[BECH32_TEXT_MAX], consensus[BECH32_TEXT_MAX];
    char hex[HEX_TEXT(ADDRESS_SIZE)];
};

static void names_make(struct names *names, const char *prefix, const struct devnet_seat *seat)
{
    uint8_t account[ACCOUNT_ADDRESS_SIZE], member[ADDRESS_SIZE];
    account_address(seat->account_public, account);
    member_address(seat->consensus.public_key, member);
    bech32_text(prefix, "", account, names->account);
    bech32_text(prefix, "valoper", account, names->operator);
    bech32_text(prefix, "valcons", member, names->consensus);
    hex_encode_upper(member, sizeof member, names->hex);
}

/* --- KIRA --- */

static json_t *template_read(void)
{
    json_error_t wrong;
    size_t size = 1;
    for (const char *const *line = devnet_kira_json; *line; line++)
        size += strlen(*line);
    char *text = calloc(1, size), *end = text;
    if (!text)
        return NULL;
    for (const char *const *line = devnet_kira_json; *line; line++)
        end = stpcpy(end, *line);
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &wrong);
    free(text);
    return json;
}

static json_t *at(json_t *json, const char *a, const char *b, const char *c)
{
    json = a ? json_object_get(json, a) : json;
    json = b ? json_object_get(json, b) : json;
    return c ? json_object_get(json, c) : json;
}

/* Takes the element, also when it fails; `good` says how it went so far. */
static bool put(json_t *list, json_t *element, bool good)
{
    return json_array_append_new(list, element) == 0 && good;
}

static bool kira_add(json_t *app, const struct devnet_seat *seat, uint32_t index, const char *time)
{
    struct names names;
    names_make(&names, "kira", seat);
    char moniker[MODEL_MONIKER_MAX + 2];
    (void)snprintf(moniker, sizeof moniker, "\"%s\"", seat->moniker); /* sekaid writes the quotes */
    json_t *account =
        json_pack("{s:s,s:s,s:n,s:o,s:s}", "@type", BASE_ACCOUNT_URL, "address", names.account,
                  "pub_key", "account_number", number_json(index), "sequence", "0");
    json_t *balance = json_pack("{s:s,s:[{s:s,s:s}]}", "address", names.account, "coins", "denom",
                                "ukex", "amount", DEVNET_BALANCE);
    json_t *actor =
        json_pack("{s:s,s:[s],s:s,s:[s,s,s,s],s:{s:[],s:[]},s:o}", "address", names.account,
                  "roles", "1", "status", "ACTIVE", "votes", "VOTE_OPTION_YES",
                  "VOTE_OPTION_ABSTAIN", "VOTE_OPTION_NO", "VOTE_OPTION_NO_WITH_VETO",
                  "permissions", "blacklist", "whitelist", "skin", number_json(index + 1));
    json_t *record =
        json_pack("{s:o,s:s,s:s,s:s,s:s,s:[]}", "id", number_json(index + 1), "address",
                  names.account, "key", "moniker", "value", moniker, "date", time, "verifiers");
    json_t *validator =
        json_pack("{s:s,s:o,s:s,s:s,s:s}", "val_key", names.operator, "pub_key",
                  key_json(ED25519_URL, seat->consensus.public_key, ED25519_KEY_SIZE), "status",
                  "ACTIVE", "rank", "0", "streak", "0");
    bool good = put(at(app, "auth", "accounts", NULL), account, true);
    good = put(at(app, "bank", "balances", NULL), balance, good);
    good = put(at(app, "customgov", "network_actors", NULL), actor, good);
    good = put(at(app, "customgov", "identity_records", NULL), record, good);
    return put(at(app, "customstaking", "validators", NULL), validator, good);
}

static bool kira_fill(json_t *root, const struct devnet_plan *plan, const char *time)
{
    json_t *app = json_object_get(root, "app_state");
    json_t *properties = at(app, "customgov", "network_properties", NULL);
    bool good =
        !json_object_set_new(properties, "min_validators", number_json(plan->min_validators)) &&
        !json_object_set_new(properties, "minimum_proposal_end_time",
                             number_json(plan->proposal_s)) &&
        !json_object_set_new(properties, "proposal_enactment_time",
                             number_json(plan->enactment_s)) &&
        !json_object_set_new(at(app, "customgov", NULL, NULL), "last_identity_record_id",
                             number_json(plan->count));
    for (uint32_t i = 0; good && i < plan->count; i++)
        good = kira_add(app, &plan->seats[i], i, time);
    return good;
}

/* --- DCL --- */

static json_t *dcl_account(const struct devnet_plan *plan, uint32_t index,
                           const struct names *names)
{
    json_t *roles = json_pack("[s]", "NodeAdmin");
    if (index < plan->trustees)
        (void)json_array_insert_new(roles, 0, json_string("Trustee"));
    return json_pack(
        "{s:{s:s,s:o,s:o,s:s},s:o,s:[],s:i,s:[],s:[]}", "base_account", "address", names->account,
        "pub_key", key_json(SECP256K1_URL, plan->seats[index].account_public, ACCOUNT_PUBLIC_SIZE),
        "account_number", number_json(index), "sequence", "1", "roles", roles, "approvals",
        "vendorID", 0, "rejects", "productIDs");
}

static bool dcl_add(json_t *root, const struct devnet_plan *plan, uint32_t index)
{
    const struct devnet_seat *seat = &plan->seats[index];
    struct names names;
    char key[BASE64_TEXT(ED25519_KEY_SIZE)];
    json_t *app = json_object_get(root, "app_state");
    names_make(&names, "cosmos", seat);
    base64_encode(seat->consensus.public_key, ED25519_KEY_SIZE, key);
    json_t *member = json_pack("{s:s,s:{s:s,s:s},s:o,s:s}", "address", names.hex, "pub_key", "type",
                               "tendermint/PubKeyEd25519", "value", key, "power",
                               number_json(DEVNET_DCL_POWER), "name", seat->moniker);
    json_t *validator =
        json_pack("{s:s,s:{s:s},s:o,s:i,s:b,s:s}", "owner", names.operator, "description",
                  "moniker", seat->moniker, "pubKey",
                  key_json(ED25519_URL, seat->consensus.public_key, ED25519_KEY_SIZE), "power",
                  DEVNET_DCL_POWER, "jailed", 0, "jailedReason", "");
    json_t *power = json_pack("{s:s,s:i}", "owner", names.operator, "power", DEVNET_DCL_POWER);
    json_t *account = dcl_account(plan, index, &names);
    bool good = put(json_object_get(root, "validators"), member, true);
    good = put(at(app, "dclauth", "accountList", NULL), account, good);
    good = put(at(app, "validator", "validatorList", NULL), validator, good);
    return put(at(app, "validator", "lastValidatorPowerList", NULL), power, good);
}

static json_t *dcl_make(const struct devnet_plan *plan)
{
    json_t *root = json_pack(
        "{s:s,s:s,s:s,s:{s:{s:s,s:s},s:{s:s,s:s,s:s},s:{s:[s]},s:{}},s:[],s:s,"
        "s:{s:{s:[],s:[]},s:{s:[]},s:{s:[],s:[],s:[]},s:{},s:{s:[],s:[],s:[],s:[]}}}",
        "genesis_time", "", "chain_id", "", "initial_height", "1", "consensus_params", "block",
        "max_bytes", "22020096", "max_gas", "-1", "evidence", "max_age_num_blocks", "100000",
        "max_age_duration", "172800000000000", "max_bytes", "1048576", "validator", "pub_key_types",
        "ed25519", "version", "validators", "app_hash", "", "app_state", "dclauth", "accountList",
        "pendingAccountList", "dclgenutil", "gen_txs", "dclupgrade", "proposedUpgradeList",
        "approvedUpgradeList", "rejectedUpgradeList", "upgrade", "validator", "validatorList",
        "lastValidatorPowerList", "proposedDisableValidatorList", "disabledValidatorList");
    bool good = root != NULL;
    for (uint32_t i = 0; good && i < plan->count; i++)
        good = dcl_add(root, plan, i);
    if (good)
        return root;
    json_decref(root);
    return NULL;
}

/* --- both --- */

json_t *devnet_genesis_make(const struct devnet_plan *plan)
{
    char time[UTC_TEXT_MAX];
    utc_text(plan->time_ms, time);
    json_t *root = plan->kind == CHAIN_DCL ? dcl_make(plan) : template_read();
    bool good = root && (plan->kind == CHAIN_DCL || kira_fill(root, plan, time)) &&
                !json_object_set_new(root, "genesis_time", json_string(time)) &&
                !json_object_set_new(root, "chain_id", json_string(plan->chain_id));
    if (good)
        return root;
    json_decref(root);
    return NULL;
}

/* --- reading --- */

static bool records_take(const struct genesis *found, struct app_genesis *genesis)
{
    genesis->kind = found->kind;
    genesis->time_ms = found->genesis_time_ms;
    genesis->initial_height = height_at(found->initial_height);
    genesis->properties = found->properties;
    genesis->count = found->record_count;
    (void)snprintf(genesis->chain_id, sizeof genesis->chain_id, "%s", found->chain_id);
    genesis->validators = calloc(found->record_count, sizeof *genesis->validators);
    if (!genesis->validators)
        return false;
    for (uint32_t i = 0; i < found->record_count; i++) {
        struct app_validator *validator = &genesis->validators[i];
        memcpy(validator->moniker, found->records[i].moniker, sizeof validator->moniker);
        validator->power = found->records[i].power;
        validator->balance = found->records[i].balance;
    }
    return true;
}

/* The public keys, of which the simulator's reader keeps the addresses only. */
static bool keys_take(json_t *root, struct app_genesis *genesis)
{
    json_t *list = genesis->kind == CHAIN_DCL ? json_object_get(root, "validators")
                                              : at(json_object_get(root, "app_state"),
                                                   "customstaking", "validators", NULL);
    const char *member = genesis->kind == CHAIN_DCL ? "value" : "key";
    if (json_array_size(list) != genesis->count)
        return false;
    for (uint32_t i = 0; i < genesis->count; i++) {
        uint8_t bytes[BASE64_BYTES(BASE64_TEXT(ED25519_KEY_SIZE))];
        size_t size = 0;
        json_t *key = at(json_array_get(list, i), "pub_key", member, NULL);
        if (!json_is_string(key) ||
            !base64_decode(json_string_value(key), json_string_length(key), bytes, sizeof bytes,
                           &size) ||
            size != ED25519_KEY_SIZE)
            return false;
        memcpy(genesis->validators[i].consensus_key, bytes, size);
    }
    return true;
}

static bool seconds_take(json_t *properties, const char *name, int64_t *seconds)
{
    json_t *value = json_object_get(properties, name);
    char *end;
    *seconds = json_is_string(value) ? strtoll(json_string_value(value), &end, 10) : 0;
    return *seconds > 0 && *end == '\0';
}

static bool text_take(json_t *value, char *text, size_t size)
{
    const char *given = json_string_value(value);
    if (!given || !*given || strlen(given) >= size)
        return false;
    memcpy(text, given, strlen(given) + 1);
    return true;
}

static bool chain_take(json_t *root, struct app_genesis *genesis, const char **place)
{
    json_t *governance = at(root, "app_state", "customgov", NULL);
    json_t *properties = json_object_get(governance, "network_properties");
    *place = "validators' public keys";
    if (!keys_take(root, genesis))
        return false;
    if (genesis->kind == CHAIN_DCL) {
        strcpy(genesis->prefix, "cosmos");
        return true;
    }
    *place = "bech32_prefix, default_denom, minimum_proposal_end_time or proposal_enactment_time";
    return text_take(json_object_get(governance, "bech32_prefix"), genesis->prefix,
                     sizeof genesis->prefix) &&
           text_take(json_object_get(governance, "default_denom"), genesis->denom,
                     sizeof genesis->denom) &&
           seconds_take(properties, "minimum_proposal_end_time", &genesis->proposal_end_s) &&
           seconds_take(properties, "proposal_enactment_time", &genesis->proposal_enactment_s);
}

bool devnet_genesis_read(const char *path, struct app_genesis *genesis, struct fault *fault)
{
    char error[GENESIS_ERROR_MAX];
    const char *place;
    struct genesis found;
    if (!genesis_read(path, &found, error))
        return fault_set(fault, "%s", error);
    bool good = records_take(&found, genesis);
    genesis_clear(&found);
    if (!good)
        return fault_set(fault, "%s: memory is short", path);
    json_t *root = devnet_read_json(path, fault);
    if (!root)
        return false;
    good = chain_take(root, genesis, &place);
    json_decref(root);
    return good ||
           fault_set(fault, "%s: %s: not as a devnet has it; restore the file", path, place);
}
