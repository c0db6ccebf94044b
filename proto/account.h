/* Accounts: secp256k1 keys, addresses and their signatures, as Cosmos chains use them.
 *
 *     private key, 32 bytes
 *         |  secp256k1
 *     public key, 33 bytes, compressed
 *         |  RIPEMD-160(SHA-256())
 *     address, 20 bytes  --bech32-->  kira1..., kiravaloper1..., cosmos1..., cosmosvaloper1...
 *
 * Signatures are 64 bytes r || s over SHA-256 of the message, nonces by RFC 6979, s in the lower half, so
 * that the same message always gives the same bytes, and with them the same transaction hash.
 */
#ifndef STAGGER_PROTO_ACCOUNT_H
#define STAGGER_PROTO_ACCOUNT_H

#include <stddef.h>

#include "coord/units.h"
#include "proto/bech32.h"
#include "proto/fault.h"

#define ACCOUNT_KEY_SIZE 32
#define ACCOUNT_PUBLIC_SIZE 33
#define ACCOUNT_ADDRESS_SIZE 20
#define ACCOUNT_SIGNATURE_SIZE 64

/* False when the 32 bytes are no private key (zero, or not below the group's order). */
MUST_CHECK bool account_public(const uint8_t key[ACCOUNT_KEY_SIZE],
                               uint8_t public_key[ACCOUNT_PUBLIC_SIZE]);

/* Whether the 33 bytes are a point of the curve, compressed. */
bool account_public_check(const uint8_t public_key[ACCOUNT_PUBLIC_SIZE]);

void account_address(const uint8_t public_key[ACCOUNT_PUBLIC_SIZE],
                     uint8_t address[ACCOUNT_ADDRESS_SIZE]);

/* Signs SHA-256(message). False when the key is none. */
MUST_CHECK bool account_sign(const uint8_t key[ACCOUNT_KEY_SIZE], const uint8_t *message,
                             size_t size, uint8_t signature[ACCOUNT_SIGNATURE_SIZE]);

/* Whether it is a signature of SHA-256(message) by this key; one with s in the upper half is none. */
bool account_verify(const uint8_t public_key[ACCOUNT_PUBLIC_SIZE], const uint8_t *message,
                    size_t size, const uint8_t signature[ACCOUNT_SIGNATURE_SIZE]);

/* 20 bytes from bech32 text with exactly this prefix ("kira", "kiravaloper"). */
MUST_CHECK bool account_parse(const char *text, const char *prefix,
                              uint8_t address[ACCOUNT_ADDRESS_SIZE], struct fault *fault);

#endif
