/* Bech32 (BIP-173), as Cosmos chains write addresses: kira1..., kiravaloper1..., kiravalcons1...
 *
 *     kiravaloper 1 dm6y7nf2zey39x43jrs7ymx2lxgtt9e c0xf57s
 *     prefix        data, five bits a character     checksum, six characters
 *
 * The separator is the last '1'. Both cases are allowed, but not mixed. Data is turned back into
 * bytes; the bits left over (fewer than five) must be zero.
 */
#ifndef STAGGER_PROTO_BECH32_H
#define STAGGER_PROTO_BECH32_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BECH32_TEXT_MAX 91  /* 90 characters and the terminator */
#define BECH32_BYTES_MAX 50 /* of (90 - 1 - 1 - 6) * 5 / 8, rounded up */

struct bech32 {
    char prefix[BECH32_TEXT_MAX]; /* lower case */
    uint8_t bytes[BECH32_BYTES_MAX + 2];
    size_t size; /* of bytes */
};

/* Returns NULL on success, otherwise what is wrong with the text, a static clause such as "its
 * checksum does not match". `text` needs no terminator. */
const char *bech32_decode(const char *text, size_t length, struct bech32 *decoded);

/* Whether the prefix ends in `tail`: networks differ in what stands before "valoper". */
bool bech32_prefix_ends(const struct bech32 *decoded, const char *tail);

/* Writes prefix (1 to 83 characters, lower case) and bytes as text. Returns false when they do not
 * fit into 90 characters or the prefix has an impossible character; text is then empty. */
bool bech32_encode(const char *prefix, const uint8_t *bytes, size_t size,
                   char text[BECH32_TEXT_MAX]);

#endif
