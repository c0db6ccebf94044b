/* One submission: what submit.c (fees, signature, result), submit_send.c (broadcast) and
 * submit_watch.c (inclusion) share. `loose` is the heart of it: from the first moment at which some
 * mempool may hold the bytes, nothing but the same bytes is sent, until a block holds them, none
 * ever can, or their sequence is gone.
 *
 *     prepare --> sign, keep --> send --> watch --+--> result
 *        ^                        ^  |       |    |
 *        |                        |  +-------+    |
 *        +---- never loose, other sequence        |
 *        +---- sequence used up by another -------+
 */
#ifndef STAGGER_NODE_SUBMIT_INTERNAL_H
#define STAGGER_NODE_SUBMIT_INTERNAL_H

#include "node/chain_internal.h"

#define SUBMIT_ATTEMPTS_MAX 6

struct submit {
    struct job job;
    struct chain_submission order;
    bool resumed;
    uint8_t public_key[ACCOUNT_PUBLIC_SIZE], account[ACCOUNT_ADDRESS_SIZE];
    uint64_t ask; /* ticket */
    uint32_t asks_failed;
    uint64_t expected; /* sequence that a node wants, 0: none told */
    /* the transaction */
    uint8_t *bytes;
    size_t size;
    uint8_t hash[HASH_SIZE];
    uint64_t account_number, sequence, fee, timeout_height;
    int64_t since;
    uint32_t attempt;
    /* sending */
    bool loose;
    uint32_t endpoint; /* whom we talk to */
    uint32_t tried;    /* bits of the endpoints that were shown the bytes in this round */
    int64_t sent_head, sent_ms;
    bool sent; /* some endpoint has it */
    uint32_t code;
    char codespace[REPLY_CODESPACE_MAX], log[REPLY_LOG_MAX]; /* of the latest refusal */
    int64_t refused_head; /* first head at which code 4 came, 0: did not */
    /* watching */
    int64_t head, looked, scanned, used_at, heard_ms;
    bool index_off, blocks_gone, fresh; /* fresh: nothing was looked at from this endpoint yet */
    /* heads at which the index did not know it: the latest, the one before */
    int64_t absent_head, absent_before;
    struct fault trouble; /* why nothing is heard */
    struct fault said;    /* the latest line */
    int64_t found;        /* height of the block that holds it */
    uint32_t found_index;
};

__attribute__((format(printf, 2, 3))) void submit_say(struct submit *submit, const char *format,
                                                      ...);

/* The result; frees the submission. */
__attribute__((format(printf, 3, 4))) void submit_finish(struct submit *submit,
                                                         enum chain_outcome outcome,
                                                         const char *format, ...);
void submit_included(struct submit *submit, int64_t height, uint32_t code, const char *codespace,
                     const char *log);
/* By the latest refusal. */
void submit_refused(struct submit *submit);

/* Reads account and fees, signs anew, keeps, sends. `why` is told. */
void submit_prepare(struct submit *submit, const char *why);

void submit_send(struct submit *submit); /* to the endpoints, one behind the other */

void submit_watch(struct submit *submit); /* looks at once */
void submit_wait(struct submit *submit);  /* looks at the next poll */

/* The next endpoint that may be used and is not in `tried`; RPC_ANY when there is none. */
uint32_t submit_endpoint_next(const struct submit *submit);

#endif
