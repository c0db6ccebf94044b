/* A made-up block as CometBFT 0.37 prints it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/encoding.h"
#include "tests/made_chain.h"

static void print_bytes(FILE *out, const uint8_t *bytes, size_t size)
{
    char *text = malloc(BASE64_TEXT(size));
    if (!text)
        abort();
    base64_encode(bytes, size, text);
    fprintf(out, "\"%s\"", text);
    free(text);
}

static void print_hex(FILE *out, const char *key, const uint8_t *bytes, size_t size)
{
    char text[HEX_TEXT(HASH_SIZE)];
    hex_encode_upper(bytes, size, text);
    fprintf(out, "\"%s\":\"%s\",", key, text);
}

static void print_hash(FILE *out, const char *key, const struct hash *hash)
{
    print_hex(out, key, hash->bytes, hash->none ? 0 : HASH_SIZE);
}

/* RFC 3339 as Go prints it: without zeros at the end. */
static void print_time(FILE *out, const char *key, const struct time_stamp *stamp)
{
    time_t seconds = (time_t)stamp->seconds;
    struct tm tm;
    char text[64], nanos[16];
    gmtime_r(&seconds, &tm);
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    snprintf(nanos, sizeof nanos, ".%09" PRId32, stamp->nanos);
    size_t size = strlen(nanos);
    while (size > 1 && nanos[size - 1] == '0')
        size--;
    fprintf(out, "\"%s\":\"%s%.*sZ\",", key, text, size > 1 ? (int)size : 0, nanos);
}

static void print_id(FILE *out, const char *key, const struct block_id *id)
{
    char hash[HEX_TEXT(HASH_SIZE)] = "", parts[HEX_TEXT(HASH_SIZE)] = "";
    if (!id->hash.none) {
        hex_encode_upper(id->hash.bytes, HASH_SIZE, hash);
        hex_encode_upper(id->parts_hash.bytes, HASH_SIZE, parts);
    }
    fprintf(out, "\"%s\":{\"hash\":\"%s\",\"parts\":{\"total\":%" PRIu32 ",\"hash\":\"%s\"}}", key,
            hash, id->parts_total, parts);
}

static void print_header(FILE *out, const struct header *h)
{
    fprintf(out,
            "{\"version\":{\"block\":\"%" PRIu64 "\"},\"chain_id\":\"%s\",\"height\":\"%" PRId64
            "\",",
            h->version_block, h->chain_id, h->height);
    print_time(out, "time", &h->time);
    print_id(out, "last_block_id", &h->last_block_id);
    fputc(',', out);
    print_hash(out, "last_commit_hash", &h->last_commit_hash);
    print_hash(out, "data_hash", &h->data_hash);
    print_hash(out, "validators_hash", &h->validators_hash);
    print_hash(out, "next_validators_hash", &h->next_validators_hash);
    print_hash(out, "consensus_hash", &h->consensus_hash);
    print_hex(out, "app_hash", h->app_hash, h->app_hash_size);
    print_hash(out, "last_results_hash", &h->last_results_hash);
    print_hash(out, "evidence_hash", &h->evidence_hash);
    char proposer[HEX_TEXT(ADDRESS_SIZE)];
    hex_encode_upper(h->proposer, ADDRESS_SIZE, proposer);
    fprintf(out, "\"proposer_address\":\"%s\"}", proposer);
}

static void print_sig(FILE *out, const struct commit_sig *sig)
{
    fprintf(out, "{\"block_id_flag\":%d,", (int)sig->flag);
    print_hex(out, "validator_address", sig->address,
              sig->flag == COMMIT_ABSENT ? 0 : ADDRESS_SIZE);
    print_time(out, "timestamp", &sig->time);
    fputs("\"signature\":", out);
    if (sig->signature_size == 0)
        fputs("null", out);
    else
        print_bytes(out, sig->signature, sig->signature_size);
    fputc('}', out);
}

static void print_commit(FILE *out, const struct commit *commit)
{
    fprintf(out, "{\"height\":\"%" PRId64 "\",\"round\":%" PRId32 ",", commit->height,
            commit->round);
    print_id(out, "block_id", &commit->block_id);
    fputs(",\"signatures\":[", out);
    for (uint32_t i = 0; i < commit->count; i++) {
        fputs(i > 0 ? "," : "", out);
        print_sig(out, &commit->sigs[i]);
    }
    fputs("]}", out);
}

static void print_block(FILE *out, const struct made *made)
{
    fputs("{", out);
    print_id(out, "block_id", &made->id);
    fputs(",\"block\":{\"header\":", out);
    print_header(out, &made->header);
    fputs(",\"data\":{\"txs\":[", out);
    for (uint32_t i = 0; i < made->tx_count; i++) {
        fputs(i > 0 ? "," : "", out);
        print_bytes(out, made->txs[i].bytes, made->txs[i].size);
    }
    fputs("]},\"evidence\":{\"evidence\":[]},\"last_commit\":", out);
    print_commit(out, &made->last_commit);
    fputs("}}", out);
}

static void print_results(FILE *out, const struct made *made)
{
    fprintf(out, "{\"height\":\"%" PRIu64 "\",\"txs_results\":%s", made->height,
            made->tx_count > 0 ? "[" : "null");
    for (uint32_t i = 0; i < made->tx_count; i++) {
        const struct made_tx *tx = &made->txs[i];
        fprintf(out,
                "%s{\"code\":%" PRIu32
                ",\"data\":null,\"log\":\"\",\"info\":\"\",\"gas_wanted\":\"%" PRId64
                "\",\"gas_used\":\"%" PRId64 "\",\"events\":[],\"codespace\":\"%s\"}",
                i > 0 ? "," : "", tx->result.code, tx->result.gas_wanted, tx->result.gas_used,
                tx->codespace);
    }
    fprintf(out,
            "%s,\"begin_block_events\":null,\"end_block_events\":null,\"validator_updates\":null,"
            "\"consensus_param_updates\":null}",
            made->tx_count > 0 ? "]" : "");
}

static void print_set(FILE *out, const struct made *made, const struct made_set *set)
{
    struct member members[MADE_VALIDATORS_MAX];
    made_members(made, set, members);
    fprintf(out, "{\"block_height\":\"%" PRIu64 "\",\"validators\":[", made->height + 1);
    for (uint32_t i = 0; i < set->count; i++) {
        fputs(i > 0 ? ",{" : "{", out);
        print_hex(out, "address", members[i].address, ADDRESS_SIZE);
        fputs("\"pub_key\":{\"type\":\"tendermint/PubKeyEd25519\",\"value\":", out);
        print_bytes(out, members[i].public_key, ED25519_KEY_SIZE);
        fprintf(out, "},\"voting_power\":\"%" PRId64 "\",\"proposer_priority\":\"%d\"}",
                members[i].power, (int)i - 3);
    }
    fprintf(out, "],\"count\":\"%" PRIu32 "\",\"total\":\"%" PRIu32 "\"}", set->count, set->count);
}

void made_print(const struct made *made, FILE *out)
{
    fprintf(out, "{\"height\":%" PRIu64 ",\"block\":", made->height);
    print_block(out, made);
    fputs(",\"block_results\":", out);
    print_results(out, made);
    fputs(",\"next_validators\":", out);
    print_set(out, made, &made->next);
    fputs("}\n", out);
}
