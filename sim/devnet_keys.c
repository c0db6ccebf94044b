/* Keys of a devnet's validators, and the files that hold them. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "proto/encoding.h"
#include "sim/devnet_internal.h"

#define PAIR_SIZE (2 * ED25519_KEY_SIZE) /* as CometBFT writes a private key: seed and public key */
#define STATE_TEXT "{\n  \"height\": \"0\",\n  \"round\": 0,\n  \"step\": 0\n}\n"

/* --- making --- */

static bool secret_make(uint8_t secret[32], const char *label, uint32_t index, bool seeded,
                        uint64_t seed)
{
    char text[96];
    if (!seeded)
        return RAND_priv_bytes(secret, 32) == 1;
    int size = snprintf(text, sizeof text, "stagger devnet/%s/%llu/%u", label,
                        (unsigned long long)seed, index);
    return SHA256((const uint8_t *)text, (size_t)size, secret) != NULL;
}

static bool ed25519_finish(struct devnet_key *key)
{
    size_t size = ED25519_KEY_SIZE;
    EVP_PKEY *pair =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key->seed, ED25519_KEY_SIZE);
    bool good = pair && EVP_PKEY_get_raw_public_key(pair, key->public_key, &size) == 1;
    EVP_PKEY_free(pair);
    return good;
}

bool devnet_seat_make(struct devnet_seat *seat, uint32_t index, bool seeded, uint64_t seed,
                      struct fault *fault)
{
    (void)snprintf(seat->moniker, sizeof seat->moniker, "validator-%u", index);
    bool good = secret_make(seat->account, "account", index, seeded, seed) &&
                account_public(seat->account, seat->account_public) &&
                secret_make(seat->consensus.seed, "consensus", index, seeded, seed) &&
                ed25519_finish(&seat->consensus) &&
                secret_make(seat->node.seed, "node", index, seeded, seed) &&
                ed25519_finish(&seat->node);
    return good || fault_set(fault, "the keys of validator %u cannot be made; try again", index);
}

void devnet_seat_clear(struct devnet_seat *seat)
{
    OPENSSL_cleanse(seat, sizeof *seat);
}

void devnet_node_id(const struct devnet_seat *seat, char text[DEVNET_NODE_ID_TEXT])
{
    uint8_t address[ADDRESS_SIZE];
    member_address(seat->node.public_key, address);
    hex_encode(address, sizeof address, text);
}

/* --- files --- */

static json_t *private_json(const struct devnet_key *key)
{
    char text[BASE64_TEXT(PAIR_SIZE)];
    uint8_t pair[PAIR_SIZE];
    memcpy(pair, key->seed, ED25519_KEY_SIZE);
    memcpy(pair + ED25519_KEY_SIZE, key->public_key, ED25519_KEY_SIZE);
    base64_encode(pair, sizeof pair, text);
    json_t *json = json_pack("{s:s,s:s}", "type", "tendermint/PrivKeyEd25519", "value", text);
    OPENSSL_cleanse(pair, sizeof pair);
    OPENSSL_cleanse(text, sizeof text);
    return json;
}

static json_t *validator_json(const struct devnet_key *key)
{
    char address[HEX_TEXT(ADDRESS_SIZE)], text[BASE64_TEXT(ED25519_KEY_SIZE)];
    uint8_t bytes[ADDRESS_SIZE];
    member_address(key->public_key, bytes);
    hex_encode_upper(bytes, sizeof bytes, address);
    base64_encode(key->public_key, ED25519_KEY_SIZE, text);
    return json_pack("{s:s,s:{s:s,s:s},s:o}", "address", address, "pub_key", "type",
                     "tendermint/PubKeyEd25519", "value", text, "priv_key", private_json(key));
}

static bool json_put(const struct devnet_dir *dir, uint32_t node, const char *name, json_t *json,
                     struct fault *fault)
{
    char path[DEVNET_PATH_MAX];
    bool good = devnet_write_json(devnet_node_file(dir, node, name, path), 0600, json, fault);
    json_decref(json);
    return good;
}

static bool account_put(const struct devnet_dir *dir, uint32_t node, const uint8_t *key,
                        struct fault *fault)
{
    char path[DEVNET_PATH_MAX], text[HEX_TEXT(ACCOUNT_KEY_SIZE) + 1];
    hex_encode(key, ACCOUNT_KEY_SIZE, text);
    strcat(text, "\n");
    bool good = devnet_write(devnet_node_file(dir, node, "account.key", path), 0600, text, fault);
    OPENSSL_cleanse(text, sizeof text);
    return good;
}

bool devnet_seat_write(const struct devnet_dir *dir, uint32_t node, const struct devnet_seat *seat,
                       struct fault *fault)
{
    char path[DEVNET_PATH_MAX];
    return account_put(dir, node, seat->account, fault) &&
           json_put(dir, node, "priv_validator_key.json", validator_json(&seat->consensus),
                    fault) &&
           json_put(dir, node, "node_key.json",
                    json_pack("{s:o}", "priv_key", private_json(&seat->node)), fault) &&
           devnet_write(devnet_node_file(dir, node, "priv_validator_state.json", path), 0600,
                        STATE_TEXT, fault);
}

bool devnet_consensus_key(const struct devnet_dir *dir, uint32_t node, struct devnet_key *key,
                          struct fault *fault)
{
    char path[DEVNET_PATH_MAX];
    uint8_t pair[BASE64_BYTES(BASE64_TEXT(PAIR_SIZE))];
    const char *text = NULL;
    size_t length = 0, size = 0;
    assert(node < dir->genesis.count);
    devnet_node_file(dir, node, "priv_validator_key.json", path);
    json_t *json = devnet_read_json(path, fault);
    if (!json)
        return false;
    bool good = json_unpack(json, "{s:{s:s%}}", "priv_key", "value", &text, &length) == 0 &&
                base64_decode(text, length, pair, sizeof pair, &size) && size == PAIR_SIZE;
    json_decref(json);
    if (!good)
        return fault_set(fault, "%s: priv_key.value: 64 bytes in base64 expected; restore the file",
                         path);
    memcpy(key->seed, pair, ED25519_KEY_SIZE);
    OPENSSL_cleanse(pair, sizeof pair);
    if (ed25519_finish(key) &&
        memcmp(key->public_key, dir->genesis.validators[node].consensus_key, ED25519_KEY_SIZE) == 0)
        return true;
    OPENSSL_cleanse(key, sizeof *key);
    return fault_set(fault, "%s: not the key that genesis.json names; restore the file", path);
}
