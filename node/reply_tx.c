#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "node/reply_parts.h"

#define UPDATE_KEY_TYPE "tendermint.crypto.PublicKey_Ed25519" /* 0.34 to 0.38 */
#define UPDATE_KEY_TYPE_1 "ed25519"                           /* 1.x */

bool reply_explanation(const struct field *at, const char *const known[],
                       char codespace[REPLY_CODESPACE_MAX], char log[REPLY_LOG_MAX])
{
    bool has_codespace, has_log;
    if (!field_optional(at, "codespace", known, &has_codespace) ||
        !field_optional(at, "log", known, &has_log))
        return false;
    return (!has_codespace || field_text_cut(at, "codespace", codespace, REPLY_CODESPACE_MAX)) &&
           (!has_log || field_text_cut(at, "log", log, REPLY_LOG_MAX));
}

bool reply_tx_result(const struct field *at, struct reply_result *out)
{
    static const char *const known[] = {"code",     "data",   "log",       "info", "gas_wanted",
                                        "gas_used", "events", "codespace", NULL};
    return field_uint32(at, "code", &out->bound.code) &&
           field_int64(at, "gas_wanted", INT64_MIN, INT64_MAX, &out->bound.gas_wanted) &&
           field_int64(at, "gas_used", INT64_MIN, INT64_MAX, &out->bound.gas_used) &&
           reply_explanation(at, known, out->codespace, out->log);
}

/* --- block_results --- */

static bool read_update_key(const struct field *at, uint8_t key[ED25519_KEY_SIZE])
{
    struct field outer, sum, value;
    return field_in(at, "pub_key", &outer) && field_in(&outer, "Sum", &sum) &&
           field_is_text(&sum, "type", UPDATE_KEY_TYPE) && field_in(&sum, "value", &value) &&
           field_base64(&value, "ed25519", key, ED25519_KEY_SIZE);
}

static bool read_update_key_1(const struct field *at, uint8_t key[ED25519_KEY_SIZE])
{
    return field_is_text(at, "pub_key_type", UPDATE_KEY_TYPE_1) &&
           field_base64(at, "pub_key_bytes", key, ED25519_KEY_SIZE);
}

static bool read_update(const struct field *at, struct member *out)
{
    static const char *const known[] = {"pub_key", "pub_key_bytes", "pub_key_type", "power", NULL};
    bool has_power;
    if (!field_optional(at, "power", known, &has_power) ||
        (has_power && !field_int64(at, "power", 0, REPLY_POWER_MAX, &out->power)))
        return false;
    if (field_has(at, "pub_key_bytes") ? !read_update_key_1(at, out->public_key)
                                       : !read_update_key(at, out->public_key))
        return false;
    member_address(out->public_key, out->address);
    return true;
}

static bool read_updates(const struct field *top, struct reply_results *out)
{
    struct field list;
    uint32_t count;
    if (!field_list(top, "validator_updates", REPLY_MEMBERS_MAX, &list, &count))
        return false;
    out->updates = reply_allocate(count, sizeof *out->updates);
    for (; out->update_count < count; out->update_count++) {
        struct field at = field_entry(&list, out->update_count);
        if (!read_update(&at, &out->updates[out->update_count]))
            return false;
    }
    return true;
}

/* Room for the data of all results. */
static bool measure_data(const struct field *list, uint32_t count, size_t *room)
{
    *room = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct field at = field_entry(list, i), data;
        if (!field_in(&at, "data", &data))
            return false;
        *room += field_base64_room(&data);
    }
    return true;
}

static bool read_results(const struct field *top, struct reply_results *out)
{
    struct field list;
    uint32_t count;
    size_t room, used = 0, size;
    if (!field_list(top, "txs_results", REPLY_TXS_MAX, &list, &count) ||
        !measure_data(&list, count, &room))
        return false;
    uint8_t *bytes = out->memory = reply_allocate(room, 1);
    out->results = reply_allocate(count, sizeof *out->results);
    for (; out->count < count; out->count++, used += size) {
        struct field at = field_entry(&list, out->count), data;
        struct reply_result *result = &out->results[out->count];
        if (!reply_tx_result(&at, result) || !field_in(&at, "data", &data) ||
            !field_base64_any(&data, bytes + used, room - used, &size))
            return false;
        result->bound.data = size == 0 ? NULL : bytes + used;
        result->bound.data_size = size;
    }
    return true;
}

bool reply_results(const json_t *result, struct reply_results *out, struct fault *fault)
{
    struct field top = field_top(result, "block_results", fault);
    *out = (struct reply_results){0};
    if (field_int64(&top, "height", 1, INT64_MAX, &out->height) && read_results(&top, out) &&
        read_updates(&top, out))
        return true;
    reply_results_destroy(out);
    return false;
}

void reply_results_destroy(struct reply_results *reply)
{
    free(reply->results);
    free(reply->updates);
    free(reply->memory);
    *reply = (struct reply_results){0};
}

/* --- broadcast_tx_sync --- */

bool reply_broadcast(const json_t *result, struct reply_broadcast *out, struct fault *fault)
{
    static const char *const known[] = {"code", "data", "log", "codespace", "hash", NULL};
    struct field top = field_top(result, "broadcast_tx_sync", fault);
    *out = (struct reply_broadcast){0};
    if (field_uint32(&top, "code", &out->code) &&
        field_hex(&top, "hash", out->hash, sizeof out->hash) &&
        reply_explanation(&top, known, out->codespace, out->log))
        return true;
    *out = (struct reply_broadcast){0};
    return false;
}

/* --- tx --- */

static bool read_tx_bytes(const struct field *top, struct reply_tx *out)
{
    struct field at, hash_at;
    uint8_t hash[HASH_SIZE];
    if (!field_in(top, "tx", &at) || !field_in(top, "hash", &hash_at))
        return false;
    size_t room = field_base64_room(&at);
    out->bytes = reply_allocate(room, 1);
    if (!field_base64_any(&at, out->bytes, room, &out->size))
        return false;
    if (out->size == 0)
        return field_wrong(&at, "is empty");
    SHA256(out->bytes, out->size, hash);
    return memcmp(hash, out->hash, sizeof hash) == 0 ||
           field_wrong(&hash_at, "is not the SHA-256 of tx");
}

static bool read_tx(const struct field *top, struct reply_tx *out)
{
    struct field result;
    return field_hex(top, "hash", out->hash, sizeof out->hash) &&
           field_int64(top, "height", 1, INT64_MAX, &out->height) &&
           field_uint32(top, "index", &out->index) && field_in(top, "tx_result", &result) &&
           reply_tx_result(&result, &out->result) && read_tx_bytes(top, out);
}

bool reply_tx(const json_t *result, struct reply_tx *out, struct fault *fault)
{
    struct field top = field_top(result, "tx", fault);
    *out = (struct reply_tx){0};
    if (read_tx(&top, out))
        return true;
    reply_tx_destroy(out);
    return false;
}

void reply_tx_destroy(struct reply_tx *reply)
{
    free(reply->bytes);
    *reply = (struct reply_tx){0};
}

/* --- abci_query --- */

static bool read_value(const struct field *at, struct reply_query *out)
{
    struct field value;
    if (!field_in(at, "value", &value))
        return false;
    size_t room = field_base64_room(&value);
    out->value = reply_allocate(room, 1);
    if (!field_base64_any(&value, out->value, room, &out->value_size))
        return false;
    if (out->value_size == 0) {
        free(out->value);
        out->value = NULL;
    }
    return true;
}

static bool read_query(const struct field *top, struct reply_query *out)
{
    static const char *const known[] = {"code",  "log",      "info",   "index",     "key",
                                        "value", "proofOps", "height", "codespace", NULL};
    struct field at;
    bool has_value;
    return field_in(top, "response", &at) && field_uint32(&at, "code", &out->code) &&
           field_int64(&at, "height", 0, INT64_MAX, &out->height) &&
           reply_explanation(&at, known, out->codespace, out->log) &&
           field_optional(&at, "value", known, &has_value) && (!has_value || read_value(&at, out));
}

bool reply_query(const json_t *result, struct reply_query *out, struct fault *fault)
{
    struct field top = field_top(result, "abci_query", fault);
    *out = (struct reply_query){0};
    if (read_query(&top, out))
        return true;
    reply_query_destroy(out);
    return false;
}

void reply_query_destroy(struct reply_query *reply)
{
    free(reply->value);
    *reply = (struct reply_query){0};
}

/* --- abci_info --- */

static const char *const info_known[] = {
    "data", "version", "app_version", "last_block_height", "last_block_app_hash", NULL,
};

static bool read_info(const struct field *at, struct reply_abci_info *out)
{
    bool has_data, has_version, has_app, has_height;
    if (!field_optional(at, "data", info_known, &has_data) ||
        !field_optional(at, "version", info_known, &has_version) ||
        !field_optional(at, "app_version", info_known, &has_app) ||
        !field_optional(at, "last_block_height", info_known, &has_height))
        return false;
    return (!has_data || field_text_cut(at, "data", out->data, sizeof out->data)) &&
           (!has_version || field_text_cut(at, "version", out->version, sizeof out->version)) &&
           (!has_app || field_uint64(at, "app_version", &out->app_version)) &&
           (!has_height || field_int64(at, "last_block_height", 0, INT64_MAX, &out->last_height));
}

bool reply_abci_info(const json_t *result, struct reply_abci_info *out, struct fault *fault)
{
    struct field top = field_top(result, "abci_info", fault), at;
    *out = (struct reply_abci_info){0};
    if (field_in(&top, "response", &at) && read_info(&at, out))
        return true;
    *out = (struct reply_abci_info){0};
    return false;
}
