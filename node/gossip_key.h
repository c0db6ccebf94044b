/* DIR/gossip.key: the keys with which this agent speaks to others, and the account's word that they are its validator's.
 *
 *     stagger gossip-key ------+
 *                              +--> [ identity seed, CURVE secret ] --first start, account signs--> [ ..., binding ]
 *     stagger run -------------+           unbound                                                    bound
 *
 * The two keys need neither network nor account, so they can be made on every host, and their public halves put into
 * everybody's seeds, before the first agent starts. The binding (proto/record.h) is signed at the first start that
 * knows the validator, and again only when the file says that nobody speaks under it any more: gossip_key_renew().
 *
 * The file is text of one form, and the last line is the SHA-256 of all before it:
 *
 *     stagger gossip key 1
 *     identity 9c0a...      (64 hex digits, secret)
 *     curve 41d7...         (64 hex digits, secret)
 *     chain localnet-1      (these two once it is bound)
 *     binding 5f1e...       (378 hex digits)
 *     sha256 77ab...
 *
 * A damaged file, one that others can read, and one that belongs to another chain, validator or account are faults
 * that say what to do; none is ever replaced in silence, since others know this agent by its key.
 *
 * Sequence numbers of records are not kept: they follow the clock, and what was heard of us (G3 in proto/gossip.h).
 */
#ifndef STAGGER_NODE_GOSSIP_KEY_H
#define STAGGER_NODE_GOSSIP_KEY_H

#include "node/signer.h"
#include "proto/record.h"

#define GOSSIP_KEY_NAME "gossip.key"

struct gossip_key {
    uint8_t identity[RECORD_KEY_SIZE]; /* seed */
    uint8_t secret[RECORD_KEY_SIZE];   /* x25519 */
    uint8_t curve[RECORD_KEY_SIZE];    /* its public half */
    bool bound;
    char chain_id[CHAIN_ID_MAX]; /* bound only, as is what follows */
    struct record_binding binding;
};
#define GOSSIP_KEY_WIPED __attribute__((cleanup(gossip_key_wipe)))

/* Reads the file of the folder, or makes both. */
MUST_CHECK bool gossip_key_open(const char *folder, struct gossip_key *key, struct fault *fault);

/* As gossip_key_open(), but makes nothing; *missing: there is no file, which is a fault too. */
MUST_CHECK bool gossip_key_read(const char *folder, struct gossip_key *key, bool *missing,
                                struct fault *fault);

/* Whose key it has to be. */
struct gossip_key_owner {
    const char *folder;
    const struct record_network *network;
    const uint8_t *validator; /* consensus address */
    struct signer *signer;    /* of the account that owns the validator */
};

/* Binds an unbound key and keeps it; a bound one must be the owner's. */
MUST_CHECK bool gossip_key_bind(const struct gossip_key_owner *owner, int64_t now_s,
                                struct gossip_key *key, struct fault *fault);

/* The same keys under a new binding, which outranks every earlier one. */
MUST_CHECK bool gossip_key_renew(const struct gossip_key_owner *owner, int64_t now_s,
                                 struct gossip_key *key, struct fault *fault);

void gossip_key_wipe(struct gossip_key *key);

#endif
