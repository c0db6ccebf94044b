#include "tests/genesis_text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "proto/bech32.h"

/* --- text --- */

static void text_reserve(struct text *text, size_t more)
{
    if (text->size + more + 1 > text->capacity) {
        text->capacity = (text->size + more + 1) * 2;
        text->data = realloc(text->data, text->capacity);
        assert(text->data != NULL);
    }
}

void text_add(struct text *text, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int added = vsnprintf(NULL, 0, format, args);
    assert(added >= 0);
    text_reserve(text, (size_t)added);
    vsnprintf(text->data + text->size, (size_t)added + 1, format, again);
    text->size += (size_t)added;
    va_end(again);
    va_end(args);
}

void text_clear(struct text *text)
{
    free(text->data);
    memset(text, 0, sizeof(*text));
}

struct text text_replaced(const struct text *text, const char *from, const char *to)
{
    struct text changed = {0};
    const char *place = strstr(text->data, from);
    assert(place != NULL);
    text_add(&changed, "%.*s%s%s", (int)(place - text->data), text->data, to, place + strlen(from));
    return changed;
}

/* --- keys and addresses --- */

void sample_key(uint32_t n, uint8_t key[32])
{
    char seed[32];
    int length = snprintf(seed, sizeof(seed), "key %" PRIu32, n);
    SHA256((const uint8_t *)seed, (size_t)length, key);
}

void sample_address(uint32_t n, uint8_t address[ADDRESS_SIZE])
{
    uint8_t key[32], hash[SHA256_DIGEST_LENGTH];
    sample_key(n, key);
    SHA256(key, sizeof(key), hash);
    memcpy(address, hash, ADDRESS_SIZE);
}

const char *sample_account(const char *prefix, uint32_t n, char piece[PIECE_MAX])
{
    char seed[32];
    uint8_t hash[SHA256_DIGEST_LENGTH];
    int length = snprintf(seed, sizeof(seed), "account %" PRIu32, n);
    SHA256((const uint8_t *)seed, (size_t)length, hash);
    bool written = bech32_encode(prefix, hash, ADDRESS_SIZE, piece);
    assert(written);
    return piece;
}

const char *sample_consensus(uint32_t n, char piece[PIECE_MAX])
{
    uint8_t address[ADDRESS_SIZE];
    sample_address(n, address);
    bool written = bech32_encode("kiravalcons", address, ADDRESS_SIZE, piece);
    assert(written);
    return piece;
}

const char *sample_base64(const uint8_t *bytes, size_t size, char piece[PIECE_MAX])
{
    static const char ALPHABET[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t used = 0;
    for (size_t i = 0; i < size; i += 3) {
        uint32_t three = (uint32_t)bytes[i] << 16;
        three |= i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0;
        three |= i + 2 < size ? bytes[i + 2] : 0;
        for (uint32_t k = 0; k < 4; k++) {
            bool padding = i + k > size;
            piece[used++] = padding ? '=' : ALPHABET[three >> (18 - 6 * k) & 63];
        }
    }
    piece[used] = '\0';
    return piece;
}

const char *sample_hex(const uint8_t *bytes, size_t size, char piece[PIECE_MAX])
{
    for (size_t i = 0; i < size; i++) {
        snprintf(piece + 2 * i, 3, "%02X", bytes[i]);
    }
    return piece;
}

/* --- files --- */

const char *sample_record(uint32_t n, const char *status, char piece[PIECE_MAX])
{
    char account[PIECE_MAX], key_text[PIECE_MAX];
    uint8_t key[32];
    sample_key(n, key);
    snprintf(piece, PIECE_MAX,
             "{\"val_key\":\"%.90s\",\"pub_key\":{\"@type\":\"/cosmos.crypto.ed25519.PubKey\","
             "\"key\":\"%.90s\"},\"status\":\"%s\",\"rank\":\"%" PRIu32 "\",\"streak\":\"%" PRIu32
             "\"}",
             sample_account("kiravaloper", n, account), sample_base64(key, 32, key_text), status,
             100 + n, 10 + n);
    return piece;
}

const char *sample_plain(uint32_t n, int64_t power, char piece[PIECE_MAX])
{
    char hex[PIECE_MAX], key_text[PIECE_MAX];
    uint8_t key[32], address[ADDRESS_SIZE];
    sample_key(n, key);
    sample_address(n, address);
    snprintf(piece, PIECE_MAX,
             "{\"address\":\"%.90s\",\"pub_key\":{\"type\":\"tendermint/PubKeyEd25519\","
             "\"value\":\"%.90s\"},\"power\":\"%" PRId64 "\",\"name\":\"node %" PRIu32 "\"}",
             sample_hex(address, ADDRESS_SIZE, hex), sample_base64(key, 32, key_text), power, n);
    return piece;
}

struct text sample_small(uint32_t count)
{
    char piece[PIECE_MAX];
    struct text text = {0};
    text_add(&text, "{\"chain_id\":\"small-1\",\"app_state\":{\"customstaking\":{\"validators\":[");
    for (uint32_t i = 0; i < count; i++) {
        text_add(&text, "%s%s", i == 0 ? "" : ",", sample_record(i, "ACTIVE", piece));
    }
    text_add(&text, "]}}}");
    return text;
}

static void governance_add(struct text *text)
{
    char piece[PIECE_MAX];
    text_add(text, "\"customgov\":{\"default_denom\":\"ukex\",\"bech32_prefix\":\"kira\",");
    text_add(text, "\"identity_records\":[");
    text_add(text,
             "{\"id\":\"1\",\"address\":\"%s\",\"key\":\"moniker\",\"value\":\"\\\"ALPHA\\\"\"},",
             sample_account("kira", 0, piece));
    text_add(text, "{\"value\":\"node id\",\"key\":\"validator_node_id\",\"address\":\"%s\"},",
             sample_account("kira", 0, piece));
    text_add(text, "{\"value\":\"nobody\",\"key\":\"moniker\",\"address\":\"%s\"},",
             sample_account("kira", 99, piece));
    text_add(text, "{\"value\":\"Beta \\u00e9\",\"key\":\"moniker\",\"address\":\"%s\"}],",
             sample_account("kira", 1, piece));
    text_add(text, "\"network_properties\":{\"min_tx_fee\":\"100\",\"max_tx_fee\":1000000,"
                   "\"mischance_rank_decrease_amount\":\"7\",\"max_mischance\":\"50\","
                   "\"mischance_confidence\":\"25\",\"inactive_rank_decrease_percent\":\"0.5\","
                   "\"min_validators\":\"2\",\"jail_max_time\":\"86400\",\"vote_quorum\":[1,{}]},");
    text_add(
        text,
        "\"execution_fees\":[{\"transaction_type\":\"pause\",\"execution_fee\":\"101\"},"
        "{\"execution_fee\":103,\"failure_fee\":\"104\",\"transaction_type\":\"activate\"},"
        "{\"transaction_type\":\"unpause\",\"execution_fee\":\"102\",\"failure_fee\":\"1\"}],");
    text_add(
        text,
        "\"votes\":[{\"option\":\"VOTE_OPTION_YES\",\"proposal_id\":\"668\",\"voter\":\"%s\"},",
        sample_account("kira", 0, piece));
    text_add(text, "{\"option\":\"VOTE_OPTION_NO\",\"proposal_id\":\"668\",\"voter\":\"%s\"},",
             sample_account("kira", 1, piece));
    text_add(text, "{\"option\":1,\"proposal_id\":667,\"voter\":\"%s\"}]},",
             sample_account("kira", 2, piece));
}

static void accounts_add(struct text *text)
{
    char piece[PIECE_MAX];
    text_add(text, "\"auth\":{\"accounts\":[{\"address\":\"%s\",\"sequence\":\"23\"},",
             sample_account("kira", 0, piece));
    text_add(text, "{\"base_account\":{\"sequence\":\"5\",\"address\":\"%s\"},\"name\":\"m\"},",
             sample_account("kira", 1, piece));
    text_add(text, "{\"address\":\"0x00\",\"sequence\":\"9\"}]},");
    text_add(text,
             "\"bank\":{\"balances\":[{\"coins\":[{\"denom\":\"gold\",\"amount\":\"3\"},"
             "{\"amount\":\"954121\",\"denom\":\"ukex\"}],\"address\":\"%s\"},",
             sample_account("kira", 0, piece));
    text_add(text, "{\"address\":\"%s\",\"coins\":[{\"denom\":\"gold\",\"amount\":\"4\"}]}]},",
             sample_account("kira", 1, piece));
}

static void slashing_add(struct text *text)
{
    char piece[PIECE_MAX];
    text_add(text,
             "\"customslashing\":{\"params\":{\"downtime_inactive_duration\":\"900s\"},"
             "\"signing_infos\":[{\"address\":\"%s\",",
             sample_consensus(2, piece));
    text_add(text, "\"validator_signing_info\":{\"address\":\"%s\",", piece);
    text_add(
        text,
        "\"inactive_until\":\"2021-10-13T07:40:34.470554945Z\",\"last_present_block\":\"70\","
        "\"mischance\":\"51\",\"mischance_confidence\":\"26\",\"missed_blocks_counter\":\"76\","
        "\"produced_blocks_counter\":\"170320\",\"start_height\":\"1\"}}]},");
}

struct text sample_full(void)
{
    char piece[PIECE_MAX];
    struct text text = {0};
    text_add(&text, "{\"genesis_time\":\"2025-11-05T14:04:27.622890386Z\",\"chain_id\":\"full-1\","
                    "\"initial_height\":\"77\",\"app_state\":{");
    governance_add(&text);
    accounts_add(&text);
    slashing_add(&text);
    text_add(&text, "\"customstaking\":{\"validators\":[%s,", sample_record(0, "ACTIVE", piece));
    text_add(&text, "%s,", sample_record(1, "PAUSED", piece));
    text_add(&text, "%s]},", sample_record(2, "INACTIVE", piece));
    text_add(&text,
             "\"upgrade\":{\"current_plan\":null,\"next_plan\":{\"name\":\"upgrade-118\","
             "\"upgrade_time\":\"1641573000\",\"instate_upgrade\":true,\"proposalID\":\"668\","
             "\"processed_no_vote_validators\":false}}},\"validators\":[]}");
    return text;
}

bool sample_read(const struct text *text, struct genesis *genesis, char error[GENESIS_ERROR_MAX])
{
    FILE *file = fmemopen(text->data, text->size, "rb");
    assert(file != NULL);
    bool read = genesis_read_file(file, "g.json", genesis, error);
    fclose(file);
    return read;
}
