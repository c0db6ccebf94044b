#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/reply_parts.h"

#define EVIDENCE_MAX 65536
#define HEADERS_MAX 100 /* the node gives 20 at most */

void *reply_allocate(size_t count, size_t size)
{
    if (count == 0)
        return NULL;
    void *memory = calloc(count, size);
    assert(memory != NULL);
    return memory;
}

/* --- headers --- */

bool reply_block_id(const struct field *object, const char *name, struct block_id *out)
{
    struct field at, parts;
    return field_in(object, name, &at) && field_hash(&at, "hash", &out->hash) &&
           field_in(&at, "parts", &parts) && field_uint32(&parts, "total", &out->parts_total) &&
           field_hash(&parts, "hash", &out->parts_hash);
}

/* {"block":"11","app":"1"}; each is left out when it is 0 */
static bool read_version(const struct field *header, struct header *out)
{
    static const char *const known[] = {"block", "app", NULL};
    struct field at;
    bool has_block, has_app;
    if (!field_in(header, "version", &at) || !field_optional(&at, "block", known, &has_block) ||
        !field_optional(&at, "app", known, &has_app))
        return false;
    return (!has_block || field_uint64(&at, "block", &out->version_block)) &&
           (!has_app || field_uint64(&at, "app", &out->version_app));
}

static bool read_hashes(const struct field *at, struct header *out)
{
    return field_hash(at, "last_commit_hash", &out->last_commit_hash) &&
           field_hash(at, "data_hash", &out->data_hash) &&
           field_hash(at, "validators_hash", &out->validators_hash) &&
           field_hash(at, "next_validators_hash", &out->next_validators_hash) &&
           field_hash(at, "consensus_hash", &out->consensus_hash) &&
           field_hex_any(at, "app_hash", out->app_hash, sizeof out->app_hash,
                         &out->app_hash_size) &&
           field_hash(at, "last_results_hash", &out->last_results_hash) &&
           field_hash(at, "evidence_hash", &out->evidence_hash);
}

static bool read_header(const struct field *object, struct header *out)
{
    struct field at;
    return field_in(object, "header", &at) && read_version(&at, out) &&
           field_text(&at, "chain_id", out->chain_id, sizeof out->chain_id) &&
           field_int64(&at, "height", 1, INT64_MAX, &out->height) &&
           field_time(&at, "time", &out->time) &&
           reply_block_id(&at, "last_block_id", &out->last_block_id) && read_hashes(&at, out) &&
           field_hex(&at, "proposer_address", out->proposer, sizeof out->proposer);
}

bool reply_header(const json_t *result, struct header *out, struct fault *fault)
{
    struct field top = field_top(result, "header", fault);
    *out = (struct header){0};
    if (read_header(&top, out))
        return true;
    *out = (struct header){0};
    return false;
}

/* --- commits --- */

/* An absent vote has nothing: an empty address, Go's zero time, no signature. */
static bool read_absent(const struct field *at, struct commit_sig *out)
{
    struct field signature;
    if (!field_is_text(at, "validator_address", "") ||
        !field_is_text(at, "timestamp", "0001-01-01T00:00:00Z") ||
        !field_time(at, "timestamp", &out->time) || !field_in(at, "signature", &signature))
        return false;
    return json_is_null(signature.value) || field_is_text(at, "signature", "");
}

static bool read_vote(const struct field *at, struct commit_sig *out)
{
    out->signature_size = sizeof out->signature;
    return field_hex(at, "validator_address", out->address, sizeof out->address) &&
           field_time(at, "timestamp", &out->time) &&
           field_base64(at, "signature", out->signature, sizeof out->signature);
}

static bool read_sig(const struct field *at, struct commit_sig *out)
{
    struct field flag_at;
    int32_t flag;
    if (!field_int32(at, "block_id_flag", 0, &flag) || !field_in(at, "block_id_flag", &flag_at))
        return false;
    switch (flag) {
    case COMMIT_ABSENT:
        out->flag = COMMIT_ABSENT;
        return read_absent(at, out);
    case COMMIT_FOR_BLOCK:
        out->flag = COMMIT_FOR_BLOCK;
        return read_vote(at, out);
    case COMMIT_NIL:
        out->flag = COMMIT_NIL;
        return read_vote(at, out);
    default:
        return field_wrong(&flag_at, "%d is none of 1 (absent), 2 (for the block), 3 (for none)",
                           (int)flag);
    }
}

static bool read_sigs(const struct field *commit, struct commit *out)
{
    struct field list;
    uint32_t count;
    if (!field_list(commit, "signatures", REPLY_MEMBERS_MAX, &list, &count))
        return false;
    out->sigs = reply_allocate(count, sizeof *out->sigs);
    for (; out->count < count; out->count++) {
        struct field at = field_entry(&list, out->count);
        if (!read_sig(&at, &out->sigs[out->count]))
            return false;
    }
    return true;
}

/* Height 0 without signatures is the last commit of the first block. */
static bool read_commit(const struct field *object, const char *name, struct commit *out)
{
    struct field at;
    return field_in(object, name, &at) && field_int64(&at, "height", 0, INT64_MAX, &out->height) &&
           field_int32(&at, "round", 0, &out->round) &&
           reply_block_id(&at, "block_id", &out->block_id) && read_sigs(&at, out);
}

static bool read_signed_header(const struct field *top, struct reply_commit *out)
{
    struct field at;
    return field_in(top, "signed_header", &at) && read_header(&at, &out->header) &&
           read_commit(&at, "commit", &out->commit) &&
           field_bool(top, "canonical", &out->canonical);
}

bool reply_commit(const json_t *result, struct reply_commit *out, struct fault *fault)
{
    struct field top = field_top(result, "commit", fault);
    *out = (struct reply_commit){0};
    if (read_signed_header(&top, out))
        return true;
    reply_commit_destroy(out);
    return false;
}

void reply_commit_destroy(struct reply_commit *reply)
{
    free(reply->commit.sigs);
    *reply = (struct reply_commit){0};
}

/* --- blocks --- */

static bool read_txs(const struct field *block, struct reply_block *out)
{
    struct field data, list;
    uint32_t count;
    size_t room = 0, used = 0, size;
    if (!field_in(block, "data", &data) || !field_list(&data, "txs", REPLY_TXS_MAX, &list, &count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        struct field at = field_entry(&list, i);
        room += field_base64_room(&at);
    }
    uint8_t *bytes = out->memory = reply_allocate(room, 1);
    out->txs = reply_allocate(count, sizeof *out->txs);
    for (; out->tx_count < count; out->tx_count++, used += size) {
        struct field at = field_entry(&list, out->tx_count);
        if (!field_base64_any(&at, bytes + used, room - used, &size))
            return false;
        out->txs[out->tx_count] = (struct tx_bytes){.bytes = bytes + used, .size = size};
    }
    return true;
}

static bool read_block(const struct field *top, struct reply_block *out)
{
    struct field block, evidence, list;
    return reply_block_id(top, "block_id", &out->id) && field_in(top, "block", &block) &&
           read_header(&block, &out->header) && read_txs(&block, out) &&
           field_in(&block, "evidence", &evidence) &&
           field_list(&evidence, "evidence", EVIDENCE_MAX, &list, &out->evidence_count) &&
           read_commit(&block, "last_commit", &out->last_commit);
}

bool reply_block(const json_t *result, struct reply_block *out, struct fault *fault)
{
    struct field top = field_top(result, "block", fault);
    *out = (struct reply_block){0};
    if (read_block(&top, out))
        return true;
    reply_block_destroy(out);
    return false;
}

void reply_block_destroy(struct reply_block *reply)
{
    free(reply->last_commit.sigs);
    free(reply->txs);
    free(reply->memory);
    *reply = (struct reply_block){0};
}

/* --- several headers --- */

static bool read_meta(const struct field *at, struct reply_headers *out, uint32_t i)
{
    int64_t txs;
    if (!reply_block_id(at, "block_id", &out->ids[i]) || !read_header(at, &out->headers[i]) ||
        !field_int64(at, "num_txs", 0, UINT32_MAX, &txs))
        return false;
    out->tx_counts[i] = (uint32_t)txs;
    return true;
}

static bool read_metas(const struct field *top, struct reply_headers *out)
{
    struct field list;
    uint32_t count;
    if (!field_int64(top, "last_height", 0, INT64_MAX, &out->last_height) ||
        !field_list(top, "block_metas", HEADERS_MAX, &list, &count))
        return false;
    out->headers = reply_allocate(count, sizeof *out->headers);
    out->ids = reply_allocate(count, sizeof *out->ids);
    out->tx_counts = reply_allocate(count, sizeof *out->tx_counts);
    for (; out->count < count; out->count++) {
        struct field at = field_entry(&list, out->count);
        if (!read_meta(&at, out, out->count))
            return false;
    }
    return true;
}

bool reply_headers(const json_t *result, struct reply_headers *out, struct fault *fault)
{
    struct field top = field_top(result, "blockchain", fault);
    *out = (struct reply_headers){0};
    if (read_metas(&top, out))
        return true;
    reply_headers_destroy(out);
    return false;
}

void reply_headers_destroy(struct reply_headers *reply)
{
    free(reply->headers);
    free(reply->ids);
    free(reply->tx_counts);
    *reply = (struct reply_headers){0};
}
