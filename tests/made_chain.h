/* A small network made up block by block, with hashes and signatures as a real one has them.
 *
 *     struct made *made = made_create(&config);
 *     while (made_next(made))      block `made->height`: header, last commit, transactions, results, V(h+1)
 *         made_print(made, file);
 *
 * The same seed gives the same bytes. Validators join, pause, unpause, claim their seats and fall silent at random, and
 * do what a reader may get wrong: join memos on transactions with two messages, foreign memos, pauses that are refused or
 * late, bytes that are no transaction, joins before the claim. What of it counts, and who is drawn, is judged by oracle.h;
 * nothing here shares a line with node/feed or coord/view.
 */
#ifndef STAGGER_TESTS_MADE_CHAIN_H
#define STAGGER_TESTS_MADE_CHAIN_H

#include <openssl/evp.h>
#include <stdio.h>

#include "coord/view.h"
#include "proto/account.h"
#include "proto/header.h"

#define MADE_VALIDATORS_MAX 128
#define MADE_TXS_MAX 8

struct made_config {
    enum chain_kind chain;
    uint64_t seed, blocks;
    uint64_t first;      /* the chain's initial height */
    uint32_t validators; /* records at the end */
    uint32_t late;       /* of these, how many claim their seats on the way */
    uint32_t busy;       /* transactions in 100 blocks and validator, about */
    uint64_t fork; /* 0, or from this height on another story, signed with keys that are nobody's */
    bool unequal;  /* powers differ */
    struct charter charter;
};

struct made_validator {
    char moniker[32];
    uint8_t key[ACCOUNT_KEY_SIZE], public_key[ACCOUNT_PUBLIC_SIZE], account[ACCOUNT_ADDRESS_SIZE];
    EVP_PKEY *signing; /* ed25519 */
    struct member member;
    bool claimed, active;     /* has a record; is not paused */
    uint64_t sequence, moved; /* height of its latest change */
};

struct made_tx {
    uint8_t *bytes; /* owned */
    size_t size;
    struct view_tx entries[2]; /* what it is to the view */
    uint32_t entry_count;
    struct tx_result result;
    const char *codespace;
};

struct made_set {
    uint32_t list[MADE_VALIDATORS_MAX]; /* in the chain's order */
    uint32_t count;
};

struct made {
    struct made_config config;
    uint64_t random, height;
    struct made_validator validators[MADE_VALIDATORS_MAX];
    struct made_set before, now, next, after; /* V(h-1), V(h), V(h+1), V(h+2) so far */
    struct header header, last_header;
    struct block_id id, last_id;
    struct commit last_commit;
    struct commit_sig sigs[MADE_VALIDATORS_MAX];
    struct made_tx txs[MADE_TXS_MAX];
    uint32_t tx_count;
    struct tx_result last_results[MADE_TXS_MAX];
    uint32_t last_result_count;
};

struct made *made_create(const struct made_config *config);
void made_destroy(struct made **made);

/* The next block; false behind the last. */
bool made_next(struct made *made);

/* One line of the history: {"height","block","block_results","next_validators"}. */
void made_print(const struct made *made, FILE *out);

/* --- shared by the files of the maker --- */

uint32_t made_random(struct made *made, uint32_t below);
void made_bytes(struct made *made, uint8_t *bytes, size_t size);
void made_transactions(struct made *made); /* fills txs; changes V(h+2) in `after` */
void made_set_put(struct made *made, struct made_set *set, uint32_t validator, bool in);
void made_members(const struct made *made, const struct made_set *set, struct member *members);

#endif
