/* What the tests of transactions share: known transactions as text, a request to start from, and building. */
#ifndef STAGGER_TESTS_TX_TEXT_H
#define STAGGER_TESTS_TX_TEXT_H

#include "proto/tx.h"

/* Of the known answers: bytes 1, 2 ... 32. */
extern const uint8_t tx_text_key[ACCOUNT_KEY_SIZE];

/* Transactions that others made and chains took, in hex. */
enum tx_text_known {
    KNOWN_PAUSE, /* the three with the key above, on "localnet-1", account 3, sequence 7 */
    KNOWN_UNPAUSE,
    KNOWN_ACTIVATE,
    KNOWN_WALLET,  /* a send by a wallet, chain "testnet-9", account 669 */
    KNOWN_WALLET2, /* likewise, with zero values written out, "simd-testing", account 1 */
    KNOWN_DISABLE, /* DCL 1.5.2, "dclchain", account 0 */
    KNOWN_PROPOSE, /* likewise */
    KNOWN_COUNT
};
extern const char *const tx_text_known[KNOWN_COUNT];

/* Bytes of hex; the caller frees them. */
uint8_t *tx_text_bytes(const char *hex, size_t *size);

/* A pause on KIRA, as the known answer has it. */
struct tx_request tx_text_request(void);

/* Drafts, signs with tx_text_key and assembles; fails the test when something is refused. */
uint8_t *tx_text_build(const struct tx_request *request, size_t *size);

/* Asserts that the bytes are these. */
void tx_text_same(const char *what, const uint8_t *bytes, size_t size, const char *hex);

/* The fault of a request; fails the test when it is none. */
struct fault tx_text_refused(const struct tx_request *request);

#endif
