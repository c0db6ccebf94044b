#include "tests/reply_flat.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/encoding.h"

/* --- lines --- */

static void *grow(void *memory, size_t size)
{
    void *grown = realloc(memory, size);
    assert(grown != NULL);
    return grown;
}

static void append(struct flat *flat, const char *bytes, size_t size)
{
    while (flat->used + size + 1 > flat->room) {
        flat->room = flat->room == 0 ? 4096 : flat->room * 2;
        flat->text = grow(flat->text, flat->room);
    }
    memcpy(flat->text + flat->used, bytes, size);
    flat->used += size;
    flat->text[flat->used] = '\0';
}

static void add(struct flat *flat, const char *name, bool number, const char *bytes, size_t size)
{
    if (flat->count == flat->lines_room) {
        flat->lines_room = flat->lines_room == 0 ? 128 : flat->lines_room * 2;
        flat->lines = grow(flat->lines, flat->lines_room * sizeof *flat->lines);
    }
    struct flat_line *line = &flat->lines[flat->count++];
    *line = (struct flat_line){.name = flat->used, .number = number};
    append(flat, name, strlen(name));
    append(flat, "=", 1);
    line->value = flat->used;
    append(flat, bytes, size);
    line->end = flat->used;
    append(flat, "\n", 1);
}

static void add_text(struct flat *flat, const char *name, const char *text)
{
    add(flat, name, false, text, strlen(text));
}

static void add_number(struct flat *flat, const char *name, int64_t value)
{
    char text[24];
    add(flat, name, true, text, (size_t)snprintf(text, sizeof text, "%" PRId64, value));
}

static void add_unsigned(struct flat *flat, const char *name, uint64_t value)
{
    char text[24];
    add(flat, name, true, text, (size_t)snprintf(text, sizeof text, "%" PRIu64, value));
}

static void add_derived(struct flat *flat, const char *name, int64_t value)
{
    char text[24];
    add(flat, name, false, text, (size_t)snprintf(text, sizeof text, "%" PRId64, value));
}

static void add_bytes(struct flat *flat, const char *name, const uint8_t *bytes, size_t size)
{
    char *text = malloc(HEX_TEXT(size));
    assert(text != NULL);
    hex_encode(bytes, size, text);
    add_text(flat, name, text);
    free(text);
}

static void add_hash(struct flat *flat, const char *name, const struct hash *hash)
{
    add_bytes(flat, name, hash->bytes, hash->none ? 0 : sizeof hash->bytes);
}

static void add_time(struct flat *flat, const char *name, const struct time_stamp *time)
{
    char text[40];
    (void)snprintf(text, sizeof text, "%" PRId64 ".%09" PRId32, time->seconds, time->nanos);
    add_text(flat, name, text);
}

static const char *entry(char text[48], const char *list, uint32_t index, const char *name)
{
    (void)snprintf(text, 48, "%s[%" PRIu32 "].%s", list, index, name);
    return text;
}

void flat_clear(struct flat *flat)
{
    flat->used = flat->count = 0;
}

void flat_free(struct flat *flat)
{
    free(flat->text);
    free(flat->lines);
    *flat = (struct flat){0};
}

const char *flat_value(struct flat *flat, const char *name)
{
    for (uint32_t i = 0; i < flat->count; i++) {
        const struct flat_line *line = &flat->lines[i];
        if (line->value - line->name - 1 == strlen(name) &&
            memcmp(flat->text + line->name, name, strlen(name)) == 0) {
            flat->text[line->end] = '\0'; /* it was the line break */
            return flat->text + line->value;
        }
    }
    fprintf(stderr, "no line %s\n", name);
    abort();
}

/* --- parts --- */

static void add_block_id(struct flat *flat, const char *name, const struct block_id *id)
{
    char text[64];
    (void)snprintf(text, sizeof text, "%s.hash", name);
    add_hash(flat, text, &id->hash);
    (void)snprintf(text, sizeof text, "%s.total", name);
    add_unsigned(flat, text, id->parts_total);
    (void)snprintf(text, sizeof text, "%s.parts", name);
    add_hash(flat, text, &id->parts_hash);
}

static void add_header(struct flat *flat, const struct header *header)
{
    add_unsigned(flat, "version_block", header->version_block);
    add_unsigned(flat, "version_app", header->version_app);
    add_text(flat, "chain_id", header->chain_id);
    add_number(flat, "height", header->height);
    add_time(flat, "time", &header->time);
    add_block_id(flat, "last_block_id", &header->last_block_id);
    add_hash(flat, "last_commit_hash", &header->last_commit_hash);
    add_hash(flat, "data_hash", &header->data_hash);
    add_hash(flat, "validators_hash", &header->validators_hash);
    add_hash(flat, "next_validators_hash", &header->next_validators_hash);
    add_hash(flat, "consensus_hash", &header->consensus_hash);
    add_bytes(flat, "app_hash", header->app_hash, header->app_hash_size);
    add_hash(flat, "last_results_hash", &header->last_results_hash);
    add_hash(flat, "evidence_hash", &header->evidence_hash);
    add_bytes(flat, "proposer", header->proposer, sizeof header->proposer);
}

static void add_commit(struct flat *flat, const struct commit *commit)
{
    char name[48];
    add_number(flat, "commit.height", commit->height);
    add_number(flat, "commit.round", commit->round);
    add_block_id(flat, "commit.block_id", &commit->block_id);
    for (uint32_t i = 0; i < commit->count; i++) {
        const struct commit_sig *sig = &commit->sigs[i];
        add_number(flat, entry(name, "sigs", i, "flag"), sig->flag);
        add_bytes(flat, entry(name, "sigs", i, "address"), sig->address, sizeof sig->address);
        add_time(flat, entry(name, "sigs", i, "time"), &sig->time);
        add_bytes(flat, entry(name, "sigs", i, "signature"), sig->signature, sig->signature_size);
    }
    add_derived(flat, "sigs", commit->count);
}

static void add_result(struct flat *flat, uint32_t i, const struct reply_result *result)
{
    char name[48];
    add_unsigned(flat, entry(name, "results", i, "code"), result->bound.code);
    add_bytes(flat, entry(name, "results", i, "data"), result->bound.data, result->bound.data_size);
    add_number(flat, entry(name, "results", i, "gas_wanted"), result->bound.gas_wanted);
    add_number(flat, entry(name, "results", i, "gas_used"), result->bound.gas_used);
    add_text(flat, entry(name, "results", i, "codespace"), result->codespace);
    add_text(flat, entry(name, "results", i, "log"), result->log);
}

/* What failed leaves nothing behind. */
static bool is_zero(const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++)
        if (at[i] != 0)
            return false;
    return true;
}

static bool failed(const void *reply, size_t size, const struct fault *fault)
{
    assert(is_zero(reply, size));
    assert(fault->text[0] != '\0' && strchr(fault->text, '\n') == NULL);
    return false;
}

/* --- readers --- */

static bool read_status(const json_t *result, struct flat *flat, struct fault *fault)
{
    struct reply_status reply;
    if (!reply_status(result, &reply, fault))
        return failed(&reply, sizeof reply, fault);
    add_text(flat, "node_id", reply.node_id);
    add_text(flat, "chain_id", reply.chain_id);
    add_text(flat, "version", reply.version);
    add_text(flat, "moniker", reply.moniker);
    add_derived(flat, "tx_index", reply.tx_index);
    add_bytes(flat, "latest_hash", reply.latest_hash, sizeof reply.latest_hash);
    add_number(flat, "latest_height", reply.latest_height);
    add_number(flat, "earliest_height", reply.earliest_height);
    add_derived(flat, "latest_time_ms", reply.latest_time_ms);
    add_derived(flat, "catching_up", reply.catching_up);
    add_bytes(flat, "address", reply.address, sizeof reply.address);
    add_bytes(flat, "public_key", reply.public_key, sizeof reply.public_key);
    add_number(flat, "voting_power", reply.voting_power);
    return true;
}

static bool read_validators(const json_t *result, struct flat *flat, struct fault *fault)
{
    struct reply_validators reply;
    char name[48];
    if (!reply_validators(result, &reply, fault))
        return failed(&reply, sizeof reply, fault);
    assert(reply.count >= 1 && reply.count <= reply.total && reply.total <= REPLY_MEMBERS_MAX);
    add_number(flat, "height", reply.height);
    add_number(flat, "total", reply.total);
    for (uint32_t i = 0; i < reply.count; i++) {
        const struct member *member = &reply.members[i];
        assert(member->power >= 1 && member->power <= REPLY_POWER_MAX);
        add_bytes(flat, entry(name, "members", i, "address"), member->address, ADDRESS_SIZE);
        add_bytes(flat, entry(name, "members", i, "key"), member->public_key, ED25519_KEY_SIZE);
        add_number(flat, entry(name, "members", i, "power"), member->power);
    }
    reply_validators_destroy(&reply);
    return true;
}

static bool read_block(const json_t *result, struct flat *flat, struct fault *fault)
{
    struct reply_block reply;
    char name[48];
    if (!reply_block(result, &reply, fault))
        return failed(&reply, sizeof reply, fault);
    add_block_id(flat, "id", &reply.id);
    add_header(flat, &reply.header);
    for (uint32_t i = 0; i < reply.tx_count; i++)
        add_bytes(flat, entry(name, "txs", i, "bytes"), reply.txs[i].bytes, reply.txs[i].size);
    add_derived(flat, "txs", reply.tx_count);
    add_derived(flat, "evidence", reply.evidence_count);
    add_commit(flat, &reply.last_commit);
    reply_block_destroy(&reply);
    return true;
}

static bool read_commit(const json_t *result, struct flat *flat, struct fault *fault)
{
    struct reply_commit reply;
    if (!reply_commit(result, &reply, fault))
        return failed(&reply, sizeof reply, fault);
    add_header(flat, &reply.header);
    add_commit(flat, &reply.commit);
    add_derived(flat, "canonical", reply.canonical);
    reply_commit_destroy(&reply);
    return true;
}

static bool read_header(const json_t *result, struct flat *flat, struct fault *fault)
{
    struct header header;
    if (!reply_header(result, &header, fault))
        return failed(&header, sizeof header, fault);
    add_header(flat, &header);
    return true;
}

static bool read_results(const json_t *result, struct flat *flat, struct fault *fault)
{
    struct reply_results reply;
    char name[48];
    if (!reply_results(result, &reply, fault))
        return failed(&reply, sizeof reply, fault);
    add_number(flat, "height", reply.height);
    for (uint32_t i = 0; i < reply.count; i++)
        add_result(flat, i, &reply.results[i]);
    add_derived(flat, "results", reply.count);
    for (uint32_t i = 0; i < reply.update_count; i++) {
        add_bytes(flat, entry(name, "updates", i, "key"), reply.updates[i].public_key,
                  ED25519_KEY_SIZE);
        add_number(flat, entry(name, "updates", i, "power"), reply.updates[i].power);
    }
    add_derived(flat, "updates", reply.update_count);
    reply_results_destroy(&reply);
    return true;
}

static bool read_headers(const json_t *result, struct flat *flat, struct fault *fault)
{
    struct reply_headers reply;
    char name[48];
    if (!reply_headers(result, &reply, fault))
        return failed(&reply, sizeof reply, fault);
    add_number(flat, "last_height", reply.last_height);
    for (uint32_t i = 0; i < reply.count; i++) {
        add_block_id(flat, entry(name, "ids", i, "id"), &reply.ids[i]);
        add_header(flat, &reply.headers[i]);
        add_number(flat, entry(name, "ids", i, "txs"), reply.tx_counts[i]);
    }
    reply_headers_destroy(&reply);
    return true;
}

static bool read_query(const json_t *result, struct flat *flat, struct fault *fault)
{
    struct reply_query reply;
    if (!reply_query(result, &reply, fault))
        return failed(&reply, sizeof reply, fault);
    assert((reply.value == NULL) == (reply.value_size == 0));
    add_unsigned(flat, "code", reply.code);
    add_text(flat, "codespace", reply.codespace);
    add_text(flat, "log", reply.log);
    add_bytes(flat, "value", reply.value, reply.value_size);
    add_number(flat, "height", reply.height);
    reply_query_destroy(&reply);
    return true;
}

static bool read_broadcast(const json_t *result, struct flat *flat, struct fault *fault)
{
    struct reply_broadcast reply;
    if (!reply_broadcast(result, &reply, fault))
        return failed(&reply, sizeof reply, fault);
    add_unsigned(flat, "code", reply.code);
    add_text(flat, "codespace", reply.codespace);
    add_text(flat, "log", reply.log);
    add_bytes(flat, "hash", reply.hash, sizeof reply.hash);
    return true;
}

static bool read_tx(const json_t *result, struct flat *flat, struct fault *fault)
{
    struct reply_tx reply;
    if (!reply_tx(result, &reply, fault))
        return failed(&reply, sizeof reply, fault);
    add_bytes(flat, "hash", reply.hash, sizeof reply.hash);
    add_number(flat, "height", reply.height);
    add_unsigned(flat, "index", reply.index);
    add_result(flat, 0, &reply.result);
    add_bytes(flat, "bytes", reply.bytes, reply.size);
    reply_tx_destroy(&reply);
    return true;
}

static bool read_consensus(const json_t *result, struct flat *flat, struct fault *fault)
{
    struct reply_consensus reply;
    if (!reply_consensus(result, &reply, fault))
        return failed(&reply, sizeof reply, fault);
    add_derived(flat, "height", reply.height);
    add_derived(flat, "round", reply.round);
    add_derived(flat, "step", reply.step);
    add_derived(flat, "prevotes_have", reply.prevotes_have);
    add_derived(flat, "prevotes_of", reply.prevotes_of);
    add_derived(flat, "precommits_have", reply.precommits_have);
    add_derived(flat, "precommits_of", reply.precommits_of);
    return true;
}

static bool read_abci_info(const json_t *result, struct flat *flat, struct fault *fault)
{
    struct reply_abci_info reply;
    if (!reply_abci_info(result, &reply, fault))
        return failed(&reply, sizeof reply, fault);
    add_text(flat, "data", reply.data);
    add_text(flat, "version", reply.version);
    add_unsigned(flat, "app_version", reply.app_version);
    add_number(flat, "last_height", reply.last_height);
    return true;
}

const struct reply_kind reply_kinds[REPLY_KINDS] = {
    {"status", read_status},
    {"validators", read_validators},
    {"block", read_block},
    {"commit", read_commit},
    {"header", read_header},
    {"block_results", read_results},
    {"blockchain", read_headers},
    {"abci_query", read_query},
    {"broadcast_tx_sync", read_broadcast},
    {"tx", read_tx},
    {"consensus_state", read_consensus},
    {"abci_info", read_abci_info},
};

const struct reply_kind *reply_kind_of(const char *file_name)
{
    const struct reply_kind *best = NULL;
    for (uint32_t i = 0; i < REPLY_KINDS; i++) {
        const char *name = reply_kinds[i].name;
        if (strncmp(file_name, name, strlen(name)) == 0 &&
            (best == NULL || strlen(name) > strlen(best->name)))
            best = &reply_kinds[i];
    }
    return best;
}
