/* Hex and base64, strictly: what does not decode completely is refused, nothing is skipped or guessed.
 *
 * Lengths are in bytes; texts that are decoded need no terminator.
 */
#ifndef STAGGER_PROTO_ENCODING_H
#define STAGGER_PROTO_ENCODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEX_TEXT(bytes) ((bytes)*2 + 1)                  /* room for the text and its terminator */
#define BASE64_TEXT(bytes) ((((bytes) + 2) / 3) * 4 + 1) /* likewise */
#define BASE64_BYTES(characters) (((characters) / 4 + 1) * 3) /* room that decoding may need */

/* Exactly `size` bytes from 2 * size digits of either case. */
bool hex_decode(const char *text, size_t length, uint8_t *bytes, size_t size);
void hex_encode(const uint8_t *bytes, size_t size, char *text); /* lower case */
void hex_encode_upper(const uint8_t *bytes, size_t size,
                      char *text); /* as CometBFT prints hashes */

/* Standard alphabet with padding, no line breaks, unused bits zero. `room` bytes at `bytes`; their number
 * comes back in *size. False when the text is none or does not fit. */
bool base64_decode(const char *text, size_t length, uint8_t *bytes, size_t room, size_t *size);
void base64_encode(const uint8_t *bytes, size_t size, char *text);

#endif
