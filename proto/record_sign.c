#include "proto/record.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "proto/encoding.h"

#define STATEMENT_MAX 384
#define MESSAGE_MAX (64 + RECORD_MAX)

bool record_network_set(struct record_network *network, const char *chain_id, const char *prefix,
                        struct fault *fault)
{
    static const char domain[] = "stagger/network/1";
    char text[sizeof domain + CHAIN_ID_MAX];
    size_t length = strlen(chain_id);
    uint8_t address[ACCOUNT_ADDRESS_SIZE] = {0};
    char probe[BECH32_TEXT_MAX];
    if (length == 0 || length >= CHAIN_ID_MAX)
        return fault_set(fault, "chain id \"%.80s\": expected 1 to %d characters", chain_id,
                         CHAIN_ID_MAX - 1);
    for (size_t i = 0; i < length; i++)
        if (chain_id[i] <= ' ' || chain_id[i] > '~')
            return fault_set(fault, "chain id \"%.80s\": expected printable ASCII", chain_id);
    if (strlen(prefix) >= RECORD_PREFIX_MAX ||
        !bech32_encode(prefix, address, sizeof address, probe))
        return fault_set(fault, "prefix \"%.80s\": expected that of an account address", prefix);
    memset(network, 0, sizeof *network);
    memcpy(network->chain_id, chain_id, length);
    memcpy(network->prefix, prefix, strlen(prefix));
    int size = snprintf(text, sizeof text, "%s%s", domain, chain_id);
    bool done =
        size > 0 && EVP_Digest(text, (size_t)size, network->hash, NULL, EVP_sha256(), NULL) == 1;
    assert(done);
    return true;
}

/* --- the binding --- */

static size_t write_statement(const struct record_network *network,
                              const struct record_binding *binding, char text[STATEMENT_MAX])
{
    char validator[HEX_TEXT(ADDRESS_SIZE)], identity[HEX_TEXT(RECORD_KEY_SIZE)];
    char curve[HEX_TEXT(RECORD_KEY_SIZE)];
    hex_encode(binding->validator, ADDRESS_SIZE, validator);
    hex_encode(binding->identity, RECORD_KEY_SIZE, identity);
    hex_encode(binding->curve, RECORD_KEY_SIZE, curve);
    int size = snprintf(text, STATEMENT_MAX,
                        "stagger/gossip/1\nchain %s\nvalidator %s\nserial %llu\nidentity %s\n"
                        "curve %s\n",
                        network->chain_id, validator, (unsigned long long)binding->serial, identity,
                        curve);
    assert(size > 0 && size < STATEMENT_MAX);
    return (size_t)size;
}

size_t record_document(const struct record_network *network, const struct record_binding *binding,
                       char text[RECORD_DOCUMENT_MAX])
{
    char statement[STATEMENT_MAX], data[BASE64_TEXT(STATEMENT_MAX)], signer[BECH32_TEXT_MAX];
    uint8_t address[ACCOUNT_ADDRESS_SIZE];
    size_t length = write_statement(network, binding, statement);
    base64_encode((const uint8_t *)statement, length, data);
    account_address(binding->account, address);
    bool encoded = bech32_encode(network->prefix, address, sizeof address, signer);
    assert(encoded);
    /* keys in the order of the alphabet, no blanks: the canonical form of amino-JSON */
    int size = snprintf(text, RECORD_DOCUMENT_MAX,
                        "{\"account_number\":\"0\",\"chain_id\":\"\",\"fee\":{\"amount\":[],"
                        "\"gas\":\"0\"},\"memo\":\"\",\"msgs\":[{\"type\":\"sign/MsgSignData\","
                        "\"value\":{\"data\":\"%s\",\"signer\":\"%s\"}}],\"sequence\":\"0\"}",
                        data, signer);
    assert(size > 0 && size < RECORD_DOCUMENT_MAX);
    return (size_t)size;
}

bool record_bind(const struct record_network *network, struct record_binding *binding,
                 const uint8_t account_key[ACCOUNT_KEY_SIZE])
{
    char text[RECORD_DOCUMENT_MAX];
    if (!account_public(account_key, binding->account))
        return false;
    size_t size = record_document(network, binding, text);
    return account_sign(account_key, (const uint8_t *)text, size, binding->signature);
}

bool record_binding_verify(const struct record_network *network,
                           const struct record_binding *binding)
{
    char text[RECORD_DOCUMENT_MAX];
    size_t size = record_document(network, binding, text);
    return account_verify(binding->account, (const uint8_t *)text, size, binding->signature);
}

/* --- the identity key --- */

static EVP_PKEY *secret_key(const uint8_t seed[RECORD_KEY_SIZE])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, RECORD_KEY_SIZE);
    assert(key); /* every seed is one */
    return key;
}

void record_identity(const uint8_t seed[RECORD_KEY_SIZE], uint8_t identity[RECORD_KEY_SIZE])
{
    size_t size = RECORD_KEY_SIZE;
    EVP_PKEY *key = secret_key(seed);
    int done = EVP_PKEY_get_raw_public_key(key, identity, &size);
    assert(done == 1 && size == RECORD_KEY_SIZE);
    EVP_PKEY_free(key);
}

/* What is signed: a word of its own, the chain, the record. */
static size_t write_message(const struct record_network *network, const uint8_t *bytes, size_t size,
                            uint8_t message[MESSAGE_MAX])
{
    static const char domain[] = "stagger/record/1";
    size_t at = sizeof domain - 1;
    assert(at + HASH_SIZE + size <= MESSAGE_MAX);
    memcpy(message, domain, at);
    memcpy(message + at, network->hash, HASH_SIZE);
    memcpy(message + at + HASH_SIZE, bytes, size);
    return at + HASH_SIZE + size;
}

size_t record_seal(const struct record_network *network, const struct record *record,
                   const uint8_t seed[RECORD_KEY_SIZE], uint8_t bytes[RECORD_MAX],
                   struct fault *fault)
{
    uint8_t message[MESSAGE_MAX];
    size_t signature = RECORD_SIGNATURE_SIZE;
    size_t size = record_encode(record, bytes, fault);
    if (size == 0)
        return 0;
    size_t length = write_message(network, bytes, size, message);
    EVP_PKEY *key = secret_key(seed);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = context && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestSign(context, bytes + size, &signature, message, length) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    if (done)
        return size + RECORD_SIGNATURE_SIZE;
    fault_set(fault, "record: it could not be signed; memory is short");
    return 0;
}

bool record_verify(const struct record_network *network, const uint8_t *bytes, size_t size)
{
    uint8_t message[MESSAGE_MAX];
    struct record_peek peek;
    struct record_binding binding;
    struct fault fault;
    if (!record_peek(bytes, size, &peek, &fault) ||
        !record_binding_decode(peek.binding, &binding, &fault))
        return false;
    size_t length = write_message(network, bytes, peek.signed_size, message);
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, binding.identity, RECORD_KEY_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = key && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestVerify(context, bytes + peek.signed_size, RECORD_SIGNATURE_SIZE, message,
                                 length) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return good;
}
