/* Merkle trees of RFC 6962, as CometBFT hashes lists with them, fed leaf by leaf.
 *
 *     leaf  = SHA-256(00 || its bytes)              root of five leaves:     r
 *     node  = SHA-256(01 || left || right)                                  / \
 *     root of no leaves = SHA-256()                                        n   e
 *                                                                         / \
 * A left subtree is always complete: it has the largest power of two      n   n
 * of leaves that is less than all. So the complete subtrees to the left  a b c d
 * are the 1 bits of the number of leaves, and one hash for each of them is all that is kept.
 */
#ifndef STAGGER_PROTO_MERKLE_H
#define STAGGER_PROTO_MERKLE_H

#include "coord/digest.h"

#define MERKLE_PIECES_MAX 4 /* of one leaf */

struct merkle {
    struct digest *digest;
    uint64_t count;               /* of leaves so far */
    uint32_t depth;               /* of `stack` */
    uint8_t stack[64][HASH_SIZE]; /* complete subtrees, the largest first */
};

/* The digest is made here and freed by merkle_root(), which ends the tree. Memory for it is 200 bytes, and
 * not to have it is treated as a bug. */
void merkle_begin(struct merkle *merkle);
void merkle_leaf(struct merkle *merkle, const void *bytes, size_t size);
void merkle_leaf_pieces(struct merkle *merkle, const struct digest_piece *pieces, size_t count);
void merkle_root(struct merkle *merkle, uint8_t root[HASH_SIZE]);

#endif
