/* A validator's signature, given once: the last vote lies in priv_validator_state.json, in CometBFT's format, before
 * the signature leaves the process, so that no kill at any moment makes it sign two blocks of one height and round.
 *
 *     asked for (height, round)   above the last one          signed, written, synced, given
 *                                 the very vote of the last   given again, with the same time
 *                                 anything else               refused
 */
#ifndef STAGGER_SIM_DEVNET_NODE_SIGNER_H
#define STAGGER_SIM_DEVNET_NODE_SIGNER_H

#include "sim/devnet_block.h"
#include "sim/devnet_dir.h"

struct devnet_signer {
    char path[DEVNET_PATH_MAX]; /* of the state */
    struct devnet_key key;
    uint8_t address[ADDRESS_SIZE];
    int64_t height; /* of the last vote; 0: none */
    int32_t round;
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    uint8_t bytes[COMMIT_VOTE_MAX]; /* that were signed */
    size_t size;
};

/* Reads the state; a file that is missing is that of a new key. False with a fault when it cannot be understood: then
 * nothing may be signed. */
MUST_CHECK bool devnet_signer_open(struct devnet_signer *signer, const char *state_path,
                                   const struct devnet_key *key, struct fault *fault);

/* The vote for ballot->height, round and id; ballot->time is the wanted time, and the signed one when this returns true.
 * False with a fault, which says why nothing was signed. */
MUST_CHECK bool devnet_signer_sign(struct devnet_signer *signer, struct devnet_ballot *ballot,
                                   uint8_t signature[ED25519_SIGNATURE_SIZE], struct fault *fault);

#endif
