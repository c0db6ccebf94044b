#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/encoding.h"
#include "sim/devnet_block.h"
#include "sim/devnet_rpc_internal.h"

#define TIME_TEXT 48
#define INT64_TEXT 24
#define PER_PAGE 30
#define PER_PAGE_MAX 100

json_t *rpc_json_text(const char *text)
{
    json_t *value = json_string(text);
    if (value)
        return value;
    char *plain = strdup(text);
    for (char *at = plain; at && *at; at++)
        if ((unsigned char)*at > 0x7e)
            *at = '?';
    value = plain ? json_string(plain) : NULL;
    free(plain);
    return value;
}

json_t *rpc_json_number(int64_t number)
{
    char text[INT64_TEXT];
    int length = snprintf(text, sizeof text, "%" PRId64, number);
    return json_stringn_nocheck(text, (size_t)length);
}

json_t *rpc_json_hex(const void *bytes, size_t size)
{
    char text[HEX_TEXT(64)];
    if (size > 64)
        return NULL;
    hex_encode_upper(bytes, size, text);
    return json_stringn_nocheck(text, size * 2);
}

json_t *rpc_json_base64(const void *bytes, size_t size)
{
    char small[BASE64_TEXT(64)];
    if (size == 0)
        return json_null();
    char *text = size <= 64 ? small : malloc(BASE64_TEXT(size));
    if (!text)
        return NULL;
    base64_encode(bytes, size, text);
    json_t *value = json_stringn_nocheck(text, strlen(text));
    if (text != small)
        free(text);
    return value;
}

/* RFC 3339 with as many digits behind the second as it takes. */
json_t *rpc_json_time(const struct time_stamp *time)
{
    char text[TIME_TEXT], nanos[12] = "";
    struct tm tm;
    time_t seconds = (time_t)time->seconds;
    if (!gmtime_r(&seconds, &tm))
        return NULL;
    if (time->nanos > 0) {
        size_t length =
            (size_t)snprintf(nanos, sizeof nanos, ".%09" PRId32, time->nanos % 1000000000);
        while (nanos[length - 1] == '0')
            nanos[--length] = '\0';
    }
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", tm.tm_year + 1900,
             tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, nanos);
    return json_string_nocheck(text);
}

static json_t *json_hash(const struct hash *hash)
{
    return rpc_json_hex(hash->bytes, hash->none ? 0 : HASH_SIZE);
}

json_t *rpc_json_block_id(const struct block_id *id)
{
    return json_pack("{s:o,s:{s:i,s:o}}", "hash", json_hash(&id->hash), "parts", "total",
                     (int)id->parts_total, "hash", json_hash(&id->parts_hash));
}

static json_t *json_version(const struct header *header)
{
    json_t *version = json_pack("{s:o}", "block", rpc_json_number((int64_t)header->version_block));
    if (version && header->version_app > 0)
        json_object_set_new(version, "app", rpc_json_number((int64_t)header->version_app));
    return version;
}

json_t *rpc_json_header(const struct header *h)
{
    return json_pack(
        "{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", /* */
        "version", json_version(h), "chain_id", rpc_json_text(h->chain_id), "height",
        rpc_json_number(h->height), "time", rpc_json_time(&h->time), "last_block_id",
        rpc_json_block_id(&h->last_block_id), "last_commit_hash", json_hash(&h->last_commit_hash),
        "data_hash", json_hash(&h->data_hash), "validators_hash", json_hash(&h->validators_hash),
        "next_validators_hash", json_hash(&h->next_validators_hash), "consensus_hash",
        json_hash(&h->consensus_hash), "app_hash", rpc_json_hex(h->app_hash, h->app_hash_size),
        "last_results_hash", json_hash(&h->last_results_hash), "evidence_hash",
        json_hash(&h->evidence_hash), "proposer_address", rpc_json_hex(h->proposer, ADDRESS_SIZE));
}

static json_t *json_signature(const struct commit_sig *sig)
{
    bool absent = sig->flag == COMMIT_ABSENT;
    struct time_stamp zero = {.seconds = TIME_STAMP_ZERO_S};
    return json_pack("{s:i,s:o,s:o,s:o}", "block_id_flag", (int)sig->flag, "validator_address",
                     rpc_json_hex(sig->address, absent ? 0 : ADDRESS_SIZE), "timestamp",
                     rpc_json_time(absent ? &zero : &sig->time), "signature",
                     rpc_json_base64(sig->signature, absent ? 0 : sig->signature_size));
}

json_t *rpc_json_commit(const struct commit *commit)
{
    json_t *sigs = json_array();
    for (uint32_t i = 0; i < commit->count && sigs; i++)
        if (json_array_append_new(sigs, json_signature(&commit->sigs[i])) != 0) {
            json_decref(sigs);
            return NULL;
        }
    return json_pack("{s:o,s:i,s:o,s:o}", "height", rpc_json_number(commit->height), "round",
                     (int)commit->round, "block_id", rpc_json_block_id(&commit->block_id),
                     "signatures", sigs);
}

json_t *rpc_json_public_key(const uint8_t key[ED25519_KEY_SIZE])
{
    return json_pack("{s:s,s:o}", "type", "tendermint/PubKeyEd25519", "value",
                     rpc_json_base64(key, ED25519_KEY_SIZE));
}

static json_t *json_events(const struct app_result *result)
{
    json_error_t error;
    json_t *events = result->events ? json_loads(result->events, 0, &error) : NULL;
    if (!json_is_array(events)) {
        json_decref(events);
        events = json_array();
    }
    return events;
}

json_t *rpc_json_result(const struct app_result *result)
{
    return json_pack("{s:I,s:o,s:o,s:s,s:o,s:o,s:o,s:o}", "code", (json_int_t)result->code, "data",
                     rpc_json_base64(result->data, result->data_size), "log",
                     rpc_json_text(result->log), "info", "", "gas_wanted",
                     rpc_json_number(result->gas_wanted), "gas_used",
                     rpc_json_number(result->gas_used), "events", json_events(result), "codespace",
                     rpc_json_text(result->codespace));
}

json_t *rpc_json_check(const struct app_result *result)
{
    json_t *check = rpc_json_result(result);
    json_t *rest = json_pack("{s:s,s:s,s:s}", "sender", "", "priority", "0", "mempool_error", "");
    if (check && rest)
        json_object_update(check, rest);
    json_decref(rest);
    return check;
}

json_t *rpc_json_params(void)
{
    return json_pack("{s:{s:o,s:s},s:{s:s,s:s,s:s},s:{s:[s]},s:{}}", "block", "max_bytes",
                     rpc_json_number(DEVNET_BLOCK_BYTES_MAX), "max_gas", "-1", "evidence",
                     "max_age_num_blocks", "100000", "max_age_duration", "172800000000000",
                     "max_bytes", "1048576", "validator", "pub_key_types", "ed25519", "version");
}

/* --- heights and pages, with CometBFT's words --- */

bool rpc_height(struct rpc_call *call, const struct rpc_arg *arg, int64_t latest, int64_t *height)
{
    int64_t first = devnet_ledger_first(call->rpc->ledger);
    *height = arg->given ? arg->number : latest;
    if (!arg->given)
        return true;
    if (*height <= 0)
        (void)rpc_fail(call, "height must be greater than 0, but got %" PRId64, *height);
    else if (*height > latest)
        (void)rpc_fail(call,
                       "height %" PRId64
                       " must be less than or equal to the current blockchain height %" PRId64,
                       *height, latest);
    else if (*height < first)
        (void)rpc_fail(call, "height %" PRId64 " is not available, lowest height is %" PRId64,
                       *height, first);
    else
        return true;
    return false;
}

/* While a node is catching up it does not look beyond what it has. */
int64_t rpc_latest_uncommitted(const struct devnet_rpc *rpc)
{
    int64_t head = devnet_ledger_head(rpc->ledger);
    int64_t initial = (int64_t)rpc->dir->genesis.initial_height.n;
    if (head == 0)
        return initial > 0 ? initial : 1;
    return rpc->catching_up ? head : head + 1;
}

int64_t rpc_per_page(const struct rpc_arg *arg)
{
    if (!arg->given || arg->number < 1)
        return PER_PAGE;
    return arg->number < PER_PAGE_MAX ? arg->number : PER_PAGE_MAX;
}

bool rpc_page(struct rpc_call *call, const struct rpc_arg *page, int64_t per_page, uint32_t total,
              uint32_t *from, uint32_t *count)
{
    int64_t pages = total > 0 ? (total - 1) / per_page + 1 : 1;
    int64_t number = page->given ? page->number : 1;
    if (number < 1 || number > pages) {
        (void)rpc_fail(call, "page should be within [1, %" PRId64 "] range, given %" PRId64, pages,
                       number);
        return false;
    }
    *from = (uint32_t)((number - 1) * per_page);
    *count = total - *from < per_page ? total - *from : (uint32_t)per_page;
    return true;
}
