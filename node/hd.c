#include "node/hd.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <secp256k1.h>
#include <string.h>

#include "proto/account.h"

#define NODE_SIZE 64 /* a key and a chain code */
#define DATA_SIZE (ACCOUNT_PUBLIC_SIZE + 4)
#define MASTER_KEY "Bitcoin seed"

struct node {
    uint8_t key[ACCOUNT_KEY_SIZE], chain_code[32];
    uint8_t data[DATA_SIZE], digest[NODE_SIZE]; /* of the step under way */
};

static void node_wipe(struct node *node)
{
    OPENSSL_cleanse(node, sizeof *node);
}
#define NODE_WIPED __attribute__((cleanup(node_wipe)))

/* Reads one index and moves *text behind it and its mark. */
static bool index_read(const char **text, uint32_t *index)
{
    uint64_t value = 0;
    const char *at = *text;
    for (; *at >= '0' && *at <= '9' && value < HD_HARDENED; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    bool leading_zero = **text == '0' && at - *text > 1;
    if (at == *text || value >= HD_HARDENED || leading_zero)
        return false;
    *index = (uint32_t)value;
    if (*at == '\'' || *at == 'h' || *at == 'H') {
        *index |= HD_HARDENED;
        at++;
    }
    *text = at;
    return true;
}

bool hd_path_read(const char *text, struct hd_path *path, struct fault *fault)
{
    bool rooted = text[0] == 'm' && (text[1] == '\0' || text[1] == '/');
    const char *at = rooted ? text + 1 + (text[1] == '/') : text;
    *path = (struct hd_path){.depth = 0};
    if (rooted && text[1] == '\0')
        return true;
    for (;;) {
        if (path->depth == HD_DEPTH_MAX)
            return fault_set(fault, "the path has more than %d steps", HD_DEPTH_MAX);
        if (!index_read(&at, &path->index[path->depth++]))
            break;
        if (*at == '\0')
            return true;
        if (*at++ != '/')
            break;
    }
    return fault_set(
        fault, "is no derivation path; expected one such as %s, its numbers below 2^31", HD_PATH);
}

static void hmac_sha512(const uint8_t *key, size_t key_size, const uint8_t *data, size_t size,
                        uint8_t digest[NODE_SIZE])
{
    unsigned int written = 0;
    const void *done = HMAC(EVP_sha512(), key, (int)key_size, data, size, digest, &written);
    assert(done && written == NODE_SIZE); /* fails for lack of memory only */
}

static bool child_take(struct node *node, uint32_t index)
{
    if (index & HD_HARDENED) {
        node->data[0] = 0;
        memcpy(node->data + 1, node->key, sizeof node->key);
    } else if (!account_public(node->key, node->data))
        return false;
    for (uint32_t i = 0; i < 4; i++)
        node->data[ACCOUNT_PUBLIC_SIZE + i] = (uint8_t)(index >> (24 - 8 * i));
    hmac_sha512(node->chain_code, sizeof node->chain_code, node->data, DATA_SIZE, node->digest);
    memcpy(node->chain_code, node->digest + ACCOUNT_KEY_SIZE, sizeof node->chain_code);
    return secp256k1_ec_seckey_tweak_add(secp256k1_context_static, node->key, node->digest) == 1;
}

bool hd_derive(const uint8_t *seed, size_t size, const struct hd_path *path, struct secret_key *key,
               struct fault *fault)
{
    struct node node NODE_WIPED = {0};
    assert(size >= HD_SEED_MIN && size <= HD_SEED_MAX && path->depth <= HD_DEPTH_MAX);
    hmac_sha512((const uint8_t *)MASTER_KEY, strlen(MASTER_KEY), seed, size, node.digest);
    memcpy(node.key, node.digest, sizeof node.key);
    memcpy(node.chain_code, node.digest + sizeof node.key, sizeof node.chain_code);
    bool good = secp256k1_ec_seckey_verify(secp256k1_context_static, node.key) == 1;
    for (uint32_t i = 0; i < path->depth && good; i++)
        good = child_take(&node, path->index[i]);
    if (!good)
        return fault_set(fault, "this path gives no key of this mnemonic; take the next address");
    memcpy(key->bytes, node.key, sizeof node.key);
    return true;
}
