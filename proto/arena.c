#include "proto/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_FIRST ((size_t)4 << 10)
#define BLOCK_LARGEST ((size_t)1 << 20)

struct arena_block {
    struct arena_block *older;
    size_t size;
    alignas(max_align_t) char bytes[];
};

void arena_begin(struct arena *arena, size_t budget)
{
    *arena = (struct arena){.left = budget};
}

void arena_end(struct arena *arena)
{
    while (arena->newest) {
        struct arena_block *older = arena->newest->older;
        free(arena->newest);
        arena->newest = older;
    }
    *arena = (struct arena){0};
}

/* A block in which `size` bytes fit, twice as large as the one before it where that is more. */
static bool block_add(struct arena *arena, size_t size)
{
    size_t wish = arena->newest ? arena->newest->size * 2 : BLOCK_FIRST;
    if (wish > BLOCK_LARGEST)
        wish = BLOCK_LARGEST;
    if (wish < size)
        wish = size;
    struct arena_block *block = malloc(sizeof *block + wish);
    if (!block)
        return false;
    block->older = arena->newest;
    block->size = wish;
    arena->newest = block;
    arena->at = block->bytes;
    arena->end = block->bytes + wish;
    return true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    const size_t unit = alignof(max_align_t);
    if (size > arena->left)
        return NULL;
    size_t taken = (size + unit - 1) / unit * unit;
    taken = taken > 0 ? taken : unit;
    if (taken > arena->left ||
        ((size_t)(arena->end - arena->at) < taken && !block_add(arena, taken)))
        return NULL;
    char *piece = arena->at;
    assert((uintptr_t)piece % unit == 0);
    arena->at += taken;
    arena->left -= taken;
    return piece;
}

char *arena_text(struct arena *arena, const uint8_t *bytes, size_t size)
{
    char *text = size < SIZE_MAX ? arena_alloc(arena, size + 1) : NULL;
    if (!text)
        return NULL;
    if (size > 0)
        memcpy(text, bytes, size);
    text[size] = '\0';
    return text;
}
