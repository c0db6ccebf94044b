/* Genesis files for tests, made of parts: small, with real addresses. */
#ifndef STAGGER_TESTS_GENESIS_TEXT_H
#define STAGGER_TESTS_GENESIS_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "sim/genesis.h"

#define PIECE_MAX 512

struct text { /* grows; always terminated once something was added */
    char *data;
    size_t size, capacity;
};

void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_clear(struct text *text);

/* A copy of `text` with the first `from` (which must be there) replaced. */
struct text text_replaced(const struct text *text, const char *from, const char *to);

/* Validator n's public key and addresses, invented but consistent. */
void sample_key(uint32_t n, uint8_t key[32]);
void sample_address(uint32_t n, uint8_t address[ADDRESS_SIZE]); /* consensus */
const char *sample_account(const char *prefix, uint32_t n, char piece[PIECE_MAX]);
const char *sample_consensus(uint32_t n, char piece[PIECE_MAX]); /* kiravalcons1... */
const char *sample_base64(const uint8_t *bytes, size_t size, char piece[PIECE_MAX]);
const char *sample_hex(const uint8_t *bytes, size_t size, char piece[PIECE_MAX]);

/* {"val_key": ..., "pub_key": ..., "status": ...} of validator n. */
const char *sample_record(uint32_t n, const char *status, char piece[PIECE_MAX]);

/* {"address": ..., "pub_key": ..., "power": ..., "name": ...} of CometBFT's list. */
const char *sample_plain(uint32_t n, int64_t power, char piece[PIECE_MAX]);

/* The least that is a KIRA genesis: `count` ACTIVE validators. */
struct text sample_small(uint32_t count);

/* Three validators (ACTIVE, PAUSED, INACTIVE) with everything that the reader knows about them. */
struct text sample_full(void);

/* Reads a genesis from memory under the name "g.json". */
bool sample_read(const struct text *text, struct genesis *genesis, char error[GENESIS_ERROR_MAX]);

#endif
