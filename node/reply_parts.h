/* Parts that several replies have in common; for node/reply_*.c only. */
#ifndef STAGGER_NODE_REPLY_PARTS_H
#define STAGGER_NODE_REPLY_PARTS_H

#include "node/field.h"
#include "node/reply.h"

#define REPLY_KEY_TYPE "tendermint/PubKeyEd25519" /* in all versions */

/* {"type":"tendermint/PubKeyEd25519","value":"<base64>"} at `name`, and the address beside it, which has to be
 * that of the key. */
MUST_CHECK bool reply_key(const struct field *object, const char *name,
                          uint8_t key[ED25519_KEY_SIZE], uint8_t address[ADDRESS_SIZE]);

MUST_CHECK bool reply_block_id(const struct field *object, const char *name, struct block_id *out);

/* One result of a transaction without its data; codespace and log are cut. */
MUST_CHECK bool reply_tx_result(const struct field *at, struct reply_result *out);

/* codespace and log, which only explain and may be left out. */
MUST_CHECK bool reply_explanation(const struct field *at, const char *const known[],
                                  char codespace[REPLY_CODESPACE_MAX], char log[REPLY_LOG_MAX]);

/* Zeroed memory for count > 0 entries, NULL for none; ends the program when there is no memory. */
void *reply_allocate(size_t count, size_t size);

#endif
