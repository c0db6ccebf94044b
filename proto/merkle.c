#include "proto/merkle.h"

#include <assert.h>
#include <string.h>

static const uint8_t leaf_mark = 0, node_mark = 1;

void merkle_begin(struct merkle *merkle)
{
    merkle->digest = digest_create();
    merkle->count = 0;
    merkle->depth = 0;
    assert(merkle->digest);
}

/* The two subtrees on top of the stack become one. */
static void join(struct merkle *merkle)
{
    assert(merkle->depth >= 2);
    uint8_t *left = merkle->stack[merkle->depth - 2], *right = merkle->stack[merkle->depth - 1];
    struct digest_piece pieces[] = {{&node_mark, 1}, {left, HASH_SIZE}, {right, HASH_SIZE}};
    digest_sha256(merkle->digest, pieces, 3, left);
    merkle->depth--;
}

void merkle_leaf_pieces(struct merkle *merkle, const struct digest_piece *pieces, size_t count)
{
    assert(count <= MERKLE_PIECES_MAX && merkle->depth < sizeof merkle->stack / HASH_SIZE);
    struct digest_piece all[1 + MERKLE_PIECES_MAX] = {{&leaf_mark, 1}};
    for (size_t i = 0; i < count; i++)
        all[1 + i] = pieces[i];
    digest_sha256(merkle->digest, all, 1 + count, merkle->stack[merkle->depth++]);
    /* as in counting: every 1 bit at the end is a complete subtree of the new leaf's size */
    for (uint64_t carry = merkle->count++; carry & 1; carry >>= 1)
        join(merkle);
}

void merkle_leaf(struct merkle *merkle, const void *bytes, size_t size)
{
    merkle_leaf_pieces(merkle, &(struct digest_piece){bytes, size}, 1);
}

void merkle_root(struct merkle *merkle, uint8_t root[HASH_SIZE])
{
    if (merkle->count == 0)
        digest_sha256(merkle->digest, NULL, 0, merkle->stack[merkle->depth++]);
    while (merkle->depth > 1)
        join(merkle);
    memcpy(root, merkle->stack[0], HASH_SIZE);
    digest_destroy(&merkle->digest);
}
