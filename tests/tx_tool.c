/* Builds and reads transactions for tests/tx_vectors.py: one JSON request a line on standard input, one JSON
 * answer a line on standard output.
 *
 *     {"action":"pause","chain":"kira","key":"64 hex digits","chain_id":"localnet-1",...}
 *         {"tx":"hex","body":"hex","auth":"hex","hash":"hex","sign_hash":"hex","address":"kira1..."}
 *     {"decode":"hex"}
 *         {"memo":...,"sequence":...,...}
 *
 * A request that is refused gives {"fault":"..."}. Keys are those of struct tx_request.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "proto/encoding.h"
#include "proto/tx.h"

static const char *const actions[] = {
    [TX_DO_JOIN] = "join",
    [TX_DO_PAUSE] = "pause",
    [TX_DO_UNPAUSE] = "unpause",
    [TX_DO_ACTIVATE] = "activate",
    [TX_DO_VOTE] = "vote",
    [TX_DO_SUBMIT_UPGRADE] = "submit-upgrade",
    [TX_DO_CANCEL_UPGRADE] = "cancel-upgrade",
    [TX_DO_APPROVE_UPGRADE] = "approve-upgrade",
    [TX_DO_REJECT_UPGRADE] = "reject-upgrade",
};

struct job {
    struct tx_request request;
    struct tx_plan plan;
    struct tx_resource resources[TX_RESOURCES_MAX + 1];
    uint8_t key[ACCOUNT_KEY_SIZE], consensus_key[32];
};

static const char *text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* 64-bit numbers are text: JSON's own reach to INT64_MAX only. */
static uint64_t number(const json_t *object, const char *name)
{
    const char *digits = text(object, name);
    return digits ? strtoull(digits, NULL, 10) : 0;
}

static bool truth(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

static bool bytes(const json_t *object, const char *name, uint8_t *out, size_t size)
{
    const char *hex = text(object, name);
    return hex && hex_decode(hex, strlen(hex), out, size);
}

static void put_hex(json_t *answer, const char *name, const uint8_t *data, size_t size)
{
    char *hex = malloc(HEX_TEXT(size));
    if (!hex)
        abort();
    hex_encode(data, size, hex);
    json_object_set_new(answer, name, json_string(hex));
    free(hex);
}

static void read_plan(const json_t *from, struct job *job)
{
    struct tx_plan *plan = &job->plan;
    const json_t *resources = json_object_get(from, "resources");
    plan->name = text(from, "name");
    plan->upgrade_time = (int64_t)number(from, "upgrade_time");
    plan->old_chain_id = text(from, "old_chain_id");
    plan->new_chain_id = text(from, "new_chain_id");
    plan->rollback_checksum = text(from, "rollback_checksum");
    plan->max_enrolment_s = (int64_t)number(from, "max_enrolment_s");
    plan->memo = text(from, "memo");
    plan->instate = truth(from, "instate");
    plan->reboot_required = truth(from, "reboot_required");
    plan->skip_handler = truth(from, "skip_handler");
    plan->height = (int64_t)number(from, "height");
    plan->info = text(from, "info");
    plan->resources = job->resources;
    for (size_t i = 0; i < json_array_size(resources) && i <= TX_RESOURCES_MAX; i++) {
        const json_t *resource = json_array_get(resources, i);
        job->resources[i] =
            (struct tx_resource){text(resource, "id"), text(resource, "url"),
                                 text(resource, "version"), text(resource, "checksum")};
        plan->resource_count++;
    }
    job->request.plan = plan;
}

static bool read_job(const json_t *from, struct job *job)
{
    struct tx_request *request = &job->request;
    const char *action = text(from, "action"), *chain = text(from, "chain");
    size_t found = 0;
    while (found < sizeof actions / sizeof actions[0] && action &&
           strcmp(actions[found], action) != 0)
        found++;
    request->action = (enum tx_action)found;
    request->chain = chain && strcmp(chain, "dcl") == 0 ? CHAIN_DCL : CHAIN_KIRA;
    request->prefix = text(from, "prefix");
    request->chain_id = text(from, "chain_id");
    request->account_number = number(from, "account_number");
    request->sequence = number(from, "sequence");
    request->fee_denom = text(from, "fee_denom");
    request->fee_amount = number(from, "fee_amount");
    request->gas = number(from, "gas");
    request->timeout_height = number(from, "timeout_height");
    request->memo = text(from, "memo");
    request->class_minutes = (uint32_t)number(from, "class_minutes");
    request->charter = (uint32_t)number(from, "charter");
    request->moniker = text(from, "moniker");
    if (bytes(from, "consensus_key", job->consensus_key, sizeof job->consensus_key))
        request->consensus_key = job->consensus_key;
    request->proposal = number(from, "proposal");
    request->option = (uint32_t)number(from, "option");
    request->title = text(from, "title");
    request->description = text(from, "description");
    request->time_s = (int64_t)number(from, "time_s");
    if (json_object_get(from, "plan"))
        read_plan(json_object_get(from, "plan"), job);
    return bytes(from, "key", job->key, sizeof job->key) &&
           account_public(job->key, request->public_key);
}

static void put_transaction(const struct job *job, const struct tx_draft *draft, json_t *answer)
{
    uint8_t signature[ACCOUNT_SIGNATURE_SIZE], hash[HASH_SIZE], address[ACCOUNT_ADDRESS_SIZE];
    char hex[HEX_TEXT(HASH_SIZE)], bech32[BECH32_TEXT_MAX];
    uint8_t *raw;
    size_t size;
    if (!account_sign(job->key, draft->sign_doc, draft->sign_doc_size, signature) ||
        !tx_assemble(draft, signature, &raw, &size))
        abort();
    tx_hash(raw, size, hash);
    hex_encode_upper(hash, sizeof hash, hex);
    account_address(job->request.public_key, address);
    if (!bech32_encode(job->request.prefix, address, sizeof address, bech32))
        abort();
    put_hex(answer, "tx", raw, size);
    put_hex(answer, "body", draft->body, draft->body_size);
    put_hex(answer, "auth", draft->auth, draft->auth_size);
    put_hex(answer, "signature", signature, sizeof signature);
    json_object_set_new(answer, "hash", json_string(hex));
    json_object_set_new(answer, "address", json_string(bech32));
    tx_hash(draft->sign_doc, draft->sign_doc_size, hash);
    put_hex(answer, "sign_hash", hash, sizeof hash);
    free(raw);
}

static void build(const json_t *from, json_t *answer)
{
    struct job job = {.request.chain = CHAIN_KIRA};
    struct tx_draft draft;
    struct fault fault = {"the request is none"};
    if (!read_job(from, &job) || !tx_draft(&job.request, &draft, &fault)) {
        json_object_set_new(answer, "fault", json_string(fault.text));
        return;
    }
    put_transaction(&job, &draft, answer);
    tx_draft_destroy(&draft);
}

static void put_entries(enum chain_kind chain, const struct tx_decoded *tx, json_t *entries)
{
    static const char *const kinds[] = {"other", "join", "pause", "unpause", "activate"};
    for (uint32_t i = 0; i < tx->message_count; i++) {
        struct tx_entry entry;
        if (!tx_entry(chain, tx, i, &entry))
            continue;
        json_t *line = json_pack("{s:s, s:i, s:I, s:b}", "kind", kinds[entry.kind], "class",
                                 (int)entry.class_minutes, "charter", (json_int_t)entry.charter,
                                 "foreign", (int)entry.foreign);
        put_hex(line, "who", entry.who, sizeof entry.who);
        json_array_append_new(entries, line);
    }
}

static void decode(const char *hex, const char *chain, json_t *answer)
{
    size_t size = strlen(hex) / 2;
    uint8_t *raw = malloc(size + 1);
    struct tx_decoded tx;
    struct fault fault = {"no hex"};
    if (!raw || !hex_decode(hex, strlen(hex), raw, size) || !tx_decode(raw, size, &tx, &fault)) {
        json_object_set_new(answer, "fault", json_string(fault.text));
        free(raw);
        return;
    }
    json_t *entries = json_array();
    put_entries(chain && strcmp(chain, "dcl") == 0 ? CHAIN_DCL : CHAIN_KIRA, &tx, entries);
    json_object_set_new(answer, "entries", entries);
    json_object_set_new(answer, "messages", json_integer(tx.message_count));
    json_object_set_new(answer, "signers", json_integer(tx.signer_count));
    put_hex(answer, "memo", (const uint8_t *)tx.memo, tx.memo_size);
    put_hex(answer, "signer", tx.signer, sizeof tx.signer);
    tx_decoded_destroy(&tx);
    free(raw);
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        json_error_t error;
        json_t *from = json_loads(line, JSON_ALLOW_NUL, &error), *answer = json_object();
        const char *hex = text(from, "decode");
        if (hex)
            decode(hex, text(from, "chain"), answer);
        else
            build(from, answer);
        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
        fflush(stdout);
        json_decref(answer);
        json_decref(from);
    }
    free(line);
    return 0;
}
