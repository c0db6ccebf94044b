#include "proto/account.h"

#include <assert.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/provider.h>
#include <secp256k1.h>

static void sha256(const void *data, size_t size, uint8_t hash[HASH_SIZE])
{
    bool done = EVP_Digest(data, size, hash, NULL, EVP_sha256(), NULL) == 1;
    assert(done);
}

static bool ripemd160(OSSL_LIB_CTX *library, const uint8_t *data, size_t size,
                      uint8_t hash[ACCOUNT_ADDRESS_SIZE])
{
    EVP_MD *ripemd = EVP_MD_fetch(library, "RIPEMD160", NULL);
    bool done = ripemd && EVP_Digest(data, size, hash, NULL, ripemd, NULL) == 1;
    EVP_MD_free(ripemd);
    return done;
}

/* OpenSSL 3.0 before 3.0.7 keeps RIPEMD-160 in its legacy provider, which is loaded nowhere else. */
static bool ripemd160_legacy(const uint8_t *data, size_t size, uint8_t hash[ACCOUNT_ADDRESS_SIZE])
{
    OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *legacy = library ? OSSL_PROVIDER_load(library, "legacy") : NULL;
    bool done = legacy && ripemd160(library, data, size, hash);
    if (legacy)
        OSSL_PROVIDER_unload(legacy);
    OSSL_LIB_CTX_free(library);
    return done;
}

void account_address(const uint8_t public_key[ACCOUNT_PUBLIC_SIZE],
                     uint8_t address[ACCOUNT_ADDRESS_SIZE])
{
    uint8_t hash[HASH_SIZE];
    sha256(public_key, ACCOUNT_PUBLIC_SIZE, hash);
    bool done =
        ripemd160(NULL, hash, sizeof hash, address) || ripemd160_legacy(hash, sizeof hash, address);
    assert(done);
}

bool account_public(const uint8_t key[ACCOUNT_KEY_SIZE], uint8_t public_key[ACCOUNT_PUBLIC_SIZE])
{
    secp256k1_context *context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    secp256k1_pubkey point;
    size_t size = ACCOUNT_PUBLIC_SIZE;
    bool made = secp256k1_ec_pubkey_create(context, &point, key) == 1;
    if (made)
        secp256k1_ec_pubkey_serialize(context, public_key, &size, &point, SECP256K1_EC_COMPRESSED);
    else
        memset(public_key, 0, ACCOUNT_PUBLIC_SIZE);
    secp256k1_context_destroy(context);
    return made;
}

bool account_public_check(const uint8_t public_key[ACCOUNT_PUBLIC_SIZE])
{
    secp256k1_pubkey point;
    return secp256k1_ec_pubkey_parse(secp256k1_context_static, &point, public_key,
                                     ACCOUNT_PUBLIC_SIZE) == 1;
}

bool account_sign(const uint8_t key[ACCOUNT_KEY_SIZE], const uint8_t *message, size_t size,
                  uint8_t signature[ACCOUNT_SIGNATURE_SIZE])
{
    uint8_t hash[HASH_SIZE];
    sha256(message, size, hash);
    secp256k1_context *context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    secp256k1_ecdsa_signature signed_hash;
    /* the library's own nonces are those of RFC 6979, and its signatures have s in the lower half */
    bool made = secp256k1_ecdsa_sign(context, &signed_hash, hash, key,
                                     secp256k1_nonce_function_rfc6979, NULL) == 1;
    if (made)
        secp256k1_ecdsa_signature_serialize_compact(context, signature, &signed_hash);
    else
        memset(signature, 0, ACCOUNT_SIGNATURE_SIZE);
    secp256k1_context_destroy(context);
    return made;
}

bool account_verify(const uint8_t public_key[ACCOUNT_PUBLIC_SIZE], const uint8_t *message,
                    size_t size, const uint8_t signature[ACCOUNT_SIGNATURE_SIZE])
{
    uint8_t hash[HASH_SIZE];
    secp256k1_pubkey point;
    secp256k1_ecdsa_signature given;
    sha256(message, size, hash);
    return secp256k1_ec_pubkey_parse(secp256k1_context_static, &point, public_key,
                                     ACCOUNT_PUBLIC_SIZE) == 1 &&
           secp256k1_ecdsa_signature_parse_compact(secp256k1_context_static, &given, signature) ==
               1 &&
           secp256k1_ecdsa_verify(secp256k1_context_static, &given, hash, &point) == 1;
}

bool account_parse(const char *text, const char *prefix, uint8_t address[ACCOUNT_ADDRESS_SIZE],
                   struct fault *fault)
{
    struct bech32 decoded;
    const char *wrong = bech32_decode(text, strlen(text), &decoded);
    if (wrong)
        return fault_set(fault, "\"%.100s\" is no address: %s", text, wrong);
    if (strcmp(decoded.prefix, prefix) != 0)
        return fault_set(fault,
                         "\"%.100s\" is an address of \"%s\"; expected one that begins with "
                         "\"%s1\"",
                         text, decoded.prefix, prefix);
    if (decoded.size != ACCOUNT_ADDRESS_SIZE)
        return fault_set(fault, "\"%.100s\" holds %zu bytes; an account has %d", text, decoded.size,
                         ACCOUNT_ADDRESS_SIZE);
    memcpy(address, decoded.bytes, ACCOUNT_ADDRESS_SIZE);
    return true;
}
