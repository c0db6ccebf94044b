/* Keys of one seed: BIP-32, private derivation.
 *
 *     seed --HMAC-SHA-512, key "Bitcoin seed"--> master {key, chain code}
 *     node --HMAC-SHA-512, keyed by its chain code, over
 *                0 || key || index'      hardened, index + 2^31
 *                public key || index     otherwise                --> {tweak, chain code of the child}
 *     key of the child = key + tweak, modulo the order of secp256k1
 *
 * Cosmos wallets and both chains use 44'/118'/0'/0/0: purpose, coin, account, change, address.
 *
 * About one index in 2^127 gives no key; the standard says to take the next one, which is the user's to ask for.
 */
#ifndef STAGGER_NODE_HD_H
#define STAGGER_NODE_HD_H

#include <stddef.h>

#include "node/secret.h"

#define HD_PATH "44'/118'/0'/0/0"
#define HD_DEPTH_MAX 10
#define HD_HARDENED 0x80000000u
#define HD_SEED_MIN 16
#define HD_SEED_MAX 64

struct hd_path {
    uint32_t index[HD_DEPTH_MAX]; /* with HD_HARDENED where it is */
    uint32_t depth;               /* 0: the master's own key */
};

/* "44'/118'/0'/0/0", "m/44h/118h/0h/0/0", "m". */
MUST_CHECK bool hd_path_read(const char *text, struct hd_path *path, struct fault *fault);

/* The private key. A fault when this path of this seed gives none. */
MUST_CHECK bool hd_derive(const uint8_t *seed, size_t size, const struct hd_path *path,
                          struct secret_key *key, struct fault *fault);

#endif
