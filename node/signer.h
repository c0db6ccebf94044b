/* Who signs: a key of the store, a raw key file (offline transactions and the devnet), or a command of the
 * operator's that keeps the key elsewhere. A signer signs documents of one account and shows no key.
 *
 * The external command is run without a shell and found through PATH:
 *
 *     COMMAND... show    prints    {"public_key":"<66 hex digits>"}         once, when the signer is made
 *     COMMAND... sign    reads     {"sign_doc":"<base64>","address":"<40 hex digits>","public_key":"<66 hex digits>"}
 *                        prints    {"signature":"<128 hex digits>"}         once a signature, r || s
 *
 * Each is one JSON object in one line; further members of an answer are ignored, so that later versions can say
 * more. The command ends with status 0, within the time, and prints at most SIGNER_ANSWER_MAX bytes; its standard
 * error is ours. It signs the SHA-256 of the decoded sign_doc. What it answers is verified before it is used: the
 * signature must be of this document by this key. One with s in the upper half, as many key stores make them, is
 * brought to the lower half, which is the same signature to the chain. Nothing that it prints is repeated in a fault.
 *
 * Signing waits for the command, so the caller's loop stands still up to timeout_ms.
 */
#ifndef STAGGER_NODE_SIGNER_H
#define STAGGER_NODE_SIGNER_H

#include "proto/account.h"

#define SIGNER_ANSWER_MAX 4096

struct signer;

/* The raw private key as 64 hex digits (a line break may follow) in a file that only its owner can read. */
struct signer *signer_from_file(const char *path, struct fault *fault);

/* A key of the store (node/keys.h), opened with the passphrase. directory NULL: where keys lie by default. */
struct signer *signer_from_store(const char *directory, const char *name, const char *passphrase,
                                 struct fault *fault);

/* argv ends with NULL and is copied. timeout_ms is of one run of the command. */
struct signer *signer_from_command(char *const argv[], int64_t timeout_ms, struct fault *fault);

void signer_public_key(const struct signer *signer, uint8_t public_key[ACCOUNT_PUBLIC_SIZE]);

/* Signs SHA-256(message), as account_sign(). */
MUST_CHECK bool signer_sign(struct signer *signer, const uint8_t *message, size_t size,
                            uint8_t signature[ACCOUNT_SIGNATURE_SIZE], struct fault *fault);

void signer_destroy(struct signer **signer); /* wipes the key */

#endif
