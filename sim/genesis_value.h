/* The single values of a genesis file: how chains write numbers, times, keys and names as JSON
 * strings.
 *
 * All take a text with its length (no terminator needed) and return whether it was understood; what
 * is returned through a pointer is written on success only. Nothing here rounds through floating
 * point, and nothing knows of files or fields.
 */
#ifndef STAGGER_SIM_GENESIS_VALUE_H
#define STAGGER_SIM_GENESIS_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coord/units.h"

#define GENESIS_NUMBER_MAX ((uint64_t)1 << 62)       /* what lies beyond is no number of a chain */
#define GENESIS_TIME_MAX_MS INT64_C(253402300799999) /* the end of the year 9999 */

/* Decimal digits only, 0 to GENESIS_NUMBER_MAX. */
bool genesis_number(const char *text, size_t length, uint64_t *number);

/* The same for an amount of coins, which may be larger: it stays at GENESIS_NUMBER_MAX. */
bool genesis_amount(const char *text, size_t length, uint64_t *amount);

/* "600s", "600.5s" (cut to seconds) or "600". */
bool genesis_seconds(const char *text, size_t length, uint64_t *seconds);

/* Percent: whole numbers are percent already ("50"), with a point they are fractions
 * ("0.500000000000000000" is 50). 0 to 100, rounded to whole percent. */
bool genesis_percent(const char *text, size_t length, uint64_t *percent);

/* RFC 3339 with Z or an offset, cut to milliseconds since 1970. Times before 1970 (Go's zero time
 * is the year 1) are 0: "none". */
bool genesis_time(const char *text, size_t length, int64_t *time_ms);

/* The consensus address, SHA-256(key)[0 .. 20), of an ed25519 public key. Understands the shapes
 * that KIRA and CometBFT have used: base64 or hexadecimal digits of the 32 bytes, also with amino's
 * or protobuf's frame, PubKeyEd25519{hexadecimal digits}, and bech32 with a prefix that ends in
 * "valconspub". */
bool genesis_key_address(const char *text, size_t length, uint8_t address[ADDRESS_SIZE]);

/* Copies a moniker into `size` bytes: valid UTF-8, cut between characters, without the JSON quotes
 * that sekai's own tools put around it, control characters as spaces, no blanks at its ends. */
void genesis_moniker(const char *text, size_t length, char *moniker, size_t size);

#endif
