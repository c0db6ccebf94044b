/* Memory that is taken piece by piece and given back at once, with a budget.
 *
 * Whatever comes from outside is decoded into an arena: its budget bounds what hostile input can make us
 * allocate, and one call frees a tree of messages however decoding ended.
 *
 *     arena_begin(&arena, ARENA_BUDGET(size));
 *     ... arena_alloc(&arena, n) ... NULL when the budget is spent or memory is short
 *     arena_end(&arena);
 *
 * Blocks are taken from malloc() as they are needed, the first small, so that a large budget costs nothing
 * until it is used. Pieces are aligned for every type and never move.
 */
#ifndef STAGGER_PROTO_ARENA_H
#define STAGGER_PROTO_ARENA_H

#include <stddef.h>
#include <stdint.h>

/* For unpacking `size` bytes of protobuf. The worst input is one field every two bytes, each of them kept as
 * unknown: protobuf-c then takes some 40 bytes for each byte of input, and the bytes themselves are copied at
 * every level of nesting. */
#define ARENA_BUDGET(size) (((size_t)64 << 10) + (size)*80)

struct arena_block;

struct arena {
    struct arena_block *newest;
    size_t left;    /* bytes of the budget */
    char *at, *end; /* free part of the newest block */
};

void arena_begin(struct arena *arena, size_t budget);
void arena_end(struct arena *arena); /* may be called again */

/* `size` bytes, not cleared. */
void *arena_alloc(struct arena *arena, size_t size);

/* A copy of the bytes with a NUL behind it. */
char *arena_text(struct arena *arena, const uint8_t *bytes, size_t size);

#endif
