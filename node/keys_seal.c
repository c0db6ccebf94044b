#include "node/keys.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#define SEALING_KEY_SIZE 32
#define MEMORY_SLACK ((uint64_t)1 << 20) /* what scrypt needs besides 128 * n * r */

static_assert(SEALING_KEY_SIZE == sizeof(struct secret_key), "a sealing key is a secret key");

static void cipher_free(EVP_CIPHER_CTX **cipher)
{
    EVP_CIPHER_CTX_free(*cipher); /* wipes the key schedule */
}
#define CIPHER_FREED __attribute__((cleanup(cipher_free)))

/* The costs were bounded when they were read. */
static bool sealing_key(const struct sealed_key *sealed, const char *passphrase,
                        struct secret_key *out)
{
    const struct keys_cost *cost = &sealed->cost;
    uint64_t memory = (uint64_t)128 * cost->r * (cost->n + cost->p + 2) + MEMORY_SLACK;
    return EVP_PBE_scrypt(passphrase, strlen(passphrase), sealed->salt, sizeof sealed->salt,
                          cost->n, cost->r, cost->p, memory, out->bytes, SEALING_KEY_SIZE) == 1;
}

/* Both directions begin alike: AES-256-GCM, the sealing key, the nonce, and the clear part of the file. */
static bool cipher_begin(EVP_CIPHER_CTX *cipher, const struct sealed_key *sealed,
                         const struct secret_key *with, bool encrypts)
{
    char text[KEYS_FILE_MAX];
    int written;
    sealed_write(sealed, text);
    return cipher &&
           EVP_CipherInit_ex(cipher, EVP_aes_256_gcm(), NULL, with->bytes, sealed->nonce,
                             encrypts) == 1 &&
           EVP_CipherUpdate(cipher, NULL, &written, (const uint8_t *)text,
                            (int)sealed_clear_size(text)) == 1;
}

static bool encrypt(struct sealed_key *sealed, const struct secret_key *with,
                    const struct secret_key *key)
{
    EVP_CIPHER_CTX *cipher CIPHER_FREED = EVP_CIPHER_CTX_new();
    int written = 0, rest = 0;
    return cipher_begin(cipher, sealed, with, true) &&
           EVP_CipherUpdate(cipher, sealed->ciphertext, &written, key->bytes, sizeof key->bytes) ==
               1 &&
           EVP_CipherFinal_ex(cipher, sealed->ciphertext + written, &rest) == 1 &&
           written == sizeof key->bytes &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, KEYS_TAG_SIZE, sealed->tag) == 1;
}

static bool decrypt(const struct sealed_key *sealed, const struct secret_key *with,
                    struct secret_key *key)
{
    EVP_CIPHER_CTX *cipher CIPHER_FREED = EVP_CIPHER_CTX_new();
    uint8_t tag[KEYS_TAG_SIZE], beyond[KEYS_TAG_SIZE];
    int written = 0, rest = 0;
    memcpy(tag, sealed->tag, sizeof tag);
    return cipher_begin(cipher, sealed, with, false) &&
           EVP_CipherUpdate(cipher, key->bytes, &written, sealed->ciphertext,
                            sizeof sealed->ciphertext) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, KEYS_TAG_SIZE, tag) == 1 &&
           EVP_CipherFinal_ex(cipher, beyond, &rest) == 1 && written == sizeof key->bytes;
}

static bool memory_short(struct fault *fault)
{
    return fault_set(fault, "the sealing key could not be computed; scrypt needs up to 256 MB of "
                            "memory");
}

bool keys_seal(const char *name, const struct secret_key *key, const char *passphrase,
               struct keys_cost cost, struct sealed_key *sealed, struct fault *fault)
{
    struct secret_key with SECRET_KEY_WIPED = {{0}};
    assert(keys_name_check(name, fault) && passphrase[0] != '\0');
    *sealed = (struct sealed_key){.cost = cost};
    memcpy(sealed->name, name, strlen(name) + 1);
    if (!account_public(key->bytes, sealed->public_key))
        return fault_set(fault, "is no private key: zero, or not below the order of secp256k1");
    if (RAND_bytes(sealed->salt, sizeof sealed->salt) != 1 ||
        RAND_bytes(sealed->nonce, sizeof sealed->nonce) != 1)
        return fault_set(fault, "the system gives no random numbers");
    if (!sealing_key(sealed, passphrase, &with) || !encrypt(sealed, &with, key))
        return memory_short(fault);
    return true;
}

bool keys_unseal(const struct sealed_key *sealed, const char *passphrase, struct secret_key *key,
                 struct fault *fault)
{
    struct secret_key with SECRET_KEY_WIPED = {{0}};
    uint8_t public_key[ACCOUNT_PUBLIC_SIZE];
    if (!sealing_key(sealed, passphrase, &with))
        return memory_short(fault);
    if (!decrypt(sealed, &with, key)) {
        secret_key_wipe(key);
        return fault_set(fault,
                         "key %s: the passphrase is wrong (or the file was forged: its "
                         "checksum matches, so it is not damaged by accident)",
                         sealed->name);
    }
    if (!account_public(key->bytes, public_key) ||
        memcmp(public_key, sealed->public_key, sizeof public_key) != 0) {
        secret_key_wipe(key);
        return fault_set(fault, "key %s: the file holds another key than it names", sealed->name);
    }
    return true;
}
