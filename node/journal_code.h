/* The journal's encoding of values (JOURNAL.md): one description serves writing and reading.
 *
 *     x = code_number(code, x);      writing: appends x and returns it; reading: returns what stands there
 *
 * A number is a varint of seven bits a byte, lowest first, in its shortest form; a signed one is folded first (0, -1,
 * 1, -2 ...: 0, 1, 2, 3); a choice is a number below its count; a flag is one byte, 0 or 1. Nothing depends on the
 * machine's byte order, sizes or padding. What does not fit sets `bad`, and from then on everything reads as zero.
 */
#ifndef STAGGER_NODE_JOURNAL_CODE_H
#define STAGGER_NODE_JOURNAL_CODE_H

#include "coord/coord.h"
#include "coord/digest.h"

struct code {
    bool reading, bad;
    const uint8_t *from; /* reading: borrowed */
    uint8_t *into;       /* writing: owned, until code_end() */
    size_t size, at;     /* of `from`; next byte. Writing: room, bytes written */
};

struct code code_read(const uint8_t *bytes, size_t size);
/* Everything has been read, and it was well formed. */
bool code_finished(const struct code *code);
void code_end(struct code *code);

uint64_t code_number(struct code *code, uint64_t value);
int64_t code_signed(struct code *code, int64_t value);
uint32_t code_small(struct code *code, uint32_t value);
uint32_t code_choice(struct code *code, uint32_t value, uint32_t count);
bool code_flag(struct code *code, bool value);
void code_bytes(struct code *code, void *bytes, size_t size);
/* A text of less than `room` bytes without its terminator; reading ends it with one. */
void code_text(struct code *code, char *text, size_t room);

void code_memory(struct code *code, struct coord_memory *memory);
void code_policy(struct code *code, struct coord_policy *policy);
void code_core(struct code *code, struct coord *core); /* without its policy */
void code_event(struct code *code, struct coord_event *event);
void code_config(struct code *code, struct view_config *config);
void code_write_txs(struct code *code, const struct view_tx *txs, uint32_t count, bool results);
void code_read_tx(struct code *code, struct view_tx *tx, bool results);

/* What one step did: the effects and the memory behind them, as one number. */
uint64_t code_digest(struct digest *digest, const struct coord_effects *effects,
                     const struct coord *core);

#endif
