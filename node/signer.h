/* Who signs: a key of the store, a raw key file (offline transactions and the devnet), or a command of the
 * operator's that keeps the key elsewhere. A signer signs documents of one account and shows no key.
 *
 * The external command is run without a shell, once a signature: `COMMAND... sign` gets one JSON line on
 * standard input, {"sign_doc":"<base64>","address":"...","public_key":"<hex>"}, and prints
 * {"signature":"<128 hex digits>"}; `COMMAND... show` prints {"public_key":"<66 hex digits>"}. What it prints
 * is verified before it is used, limited in size and time, and never trusted with anything else.
 */
#ifndef STAGGER_NODE_SIGNER_H
#define STAGGER_NODE_SIGNER_H

#include "proto/account.h"

struct signer;

/* The raw private key as 64 hex digits (a line break may follow) in a file that only its owner can read. */
struct signer *signer_from_file(const char *path, struct fault *fault);

/* A key of the store (node/keys.h), opened with the passphrase. */
struct signer *signer_from_store(const char *directory, const char *name, const char *passphrase,
                                 struct fault *fault);

/* argv ends with NULL and is copied. */
struct signer *signer_from_command(char *const argv[], int64_t timeout_ms, struct fault *fault);

void signer_public_key(const struct signer *signer, uint8_t public_key[ACCOUNT_PUBLIC_SIZE]);

/* Signs SHA-256(message), as account_sign(). */
MUST_CHECK bool signer_sign(struct signer *signer, const uint8_t *message, size_t size,
                            uint8_t signature[ACCOUNT_SIGNATURE_SIZE], struct fault *fault);

void signer_destroy(struct signer **signer); /* wipes the key */

#endif
