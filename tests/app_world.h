/* A small devnet application for tests: keys from numbers, an encoder of transactions of its own (so that what
 * the project's builder refuses can be sent as well), blocks, and every V(h) as a string of digits.
 *
 *     struct app_world w;
 *     app_world_start(&w, CHAIN_KIRA, 4, 1);
 *     world_add(&w, tx_pause(&w, 2));          into the next block; CheckTx judges it first
 *     assert_true(app_world_block(&w));
 *     assert_int_equal(w.results[0].code, 0);
 */
#ifndef STAGGER_TESTS_APP_WORLD_H
#define STAGGER_TESTS_APP_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/app.h"

#define WORLD_VALIDATORS 110
#define WORLD_TXS 16
#define WORLD_HEIGHTS 400
#define WORLD_BALANCE 150000000000000u
#define WORLD_MESSAGES 8

struct world_message {
    char type_url[128];
    uint8_t value[8192];
    size_t size;
};

struct world_tx { /* what a test may spoil before it is sent */
    struct world_message messages[WORLD_MESSAGES];
    uint32_t message_count;
    uint32_t key; /* who signs: the number of a key */
    bool no_key;  /* left out of the transaction */
    char memo[400];
    uint64_t timeout_height;
    char fee_denom[16];
    char fee_amount[32]; /* "": no coin */
    uint64_t gas, sequence, account_number;
    char chain_id[64];
    bool break_signature;
    uint32_t signatures;
};

struct app_world {
    struct app *app;
    struct app_genesis genesis;
    struct app_validator validators[WORLD_VALIDATORS];
    uint64_t height;
    int64_t time_ms, step_ms;
    uint32_t missing[WORLD_VALIDATORS], missing_count; /* who does not sign from now on */
    uint8_t *txs[WORLD_TXS];
    size_t sizes[WORLD_TXS];
    uint32_t tx_count;
    struct app_result check;              /* of the transaction that was added last */
    struct app_result results[WORLD_TXS]; /* of the last block */
    struct member updates[WORLD_VALIDATORS];
    uint32_t update_count;
    char sets[WORLD_HEIGHTS][WORLD_VALIDATORS + 1];
};

void app_world_start(struct app_world *w, enum chain_kind kind, uint32_t count,
                     uint64_t min_validators);
void app_world_begin(struct app_world *w); /* from w->genesis, which a test has changed */
void app_world_end(struct app_world *w);

/* A transaction of one message by validator v, right in everything. */
struct world_tx tx_of(struct app_world *w, uint32_t v);
struct world_tx tx_member(struct app_world *w, uint32_t v, const char *type_url);
struct world_tx tx_pause(struct app_world *w, uint32_t v);
struct world_tx tx_unpause(struct app_world *w, uint32_t v);
struct world_tx tx_activate(struct app_world *w, uint32_t v);
struct world_tx tx_send(struct app_world *w, uint32_t from, uint32_t to_key, const char *amount);
struct world_tx tx_upgrade(struct app_world *w, uint32_t v, const char *name, int64_t time_s,
                           bool instate);
struct world_tx tx_cancel(struct app_world *w, uint32_t v, const char *name);
struct world_tx tx_vote(struct app_world *w, uint32_t v, uint64_t proposal, uint32_t option);
struct world_tx tx_create(struct app_world *w, uint32_t v, const char *moniker);
struct world_tx tx_disable_act(struct app_world *w, uint32_t v, const char *what, uint32_t target);
struct world_tx tx_upgrade_act(struct app_world *w, uint32_t v, const char *what, const char *name,
                               int64_t height);
void tx_also(struct world_tx *tx, const struct world_tx *other); /* its messages behind */

uint8_t *world_encode(const struct world_tx *tx, size_t *size); /* free() */
void world_key(uint32_t number, uint8_t key[ACCOUNT_KEY_SIZE],
               uint8_t public_key[ACCOUNT_PUBLIC_SIZE], uint8_t address[ACCOUNT_ADDRESS_SIZE]);
void world_address(const struct app_world *w, uint32_t key, const char *kind,
                   char text[BECH32_TEXT_MAX]);

/* CheckTx; w->check is the answer, its code is returned. */
uint32_t world_check(struct app_world *w, struct world_tx tx);
uint32_t world_check_fresh(struct app_world *w, struct world_tx tx);
/* Into the next block, whatever CheckTx would say. */
void world_put(struct app_world *w, struct world_tx tx);
/* CheckTx, which has to pass, and into the next block. */
void world_add(struct app_world *w, struct world_tx tx);

bool app_world_block(struct app_world *w);
void app_world_run(struct app_world *w, uint32_t blocks);
uint32_t world_do(struct app_world *w, struct world_tx tx); /* in a block of its own: its code */

uint64_t world_sequence(const struct app_world *w, uint32_t v);
uint64_t world_balance(const struct app_world *w, uint32_t v);
enum model_status world_status(const struct app_world *w, uint32_t v);
void world_hash(const struct app_world *w, uint8_t hash[HASH_SIZE]);

/* What an account has, and that since then it paid so much and used so many sequences. */
struct world_cost {
    uint64_t sequence, balance;
};
struct world_cost world_cost(const struct app_world *w, uint32_t v);
void world_assert_cost(const struct app_world *w, uint32_t v, struct world_cost before,
                       uint64_t paid, uint64_t sequences);

/* The log of a message that was refused, good until the next call. */
const char *world_failed(uint32_t message, const char *words);

/* Asks, and wants an answer. */
struct app_answer world_ask(const struct app_world *w, const char *path, const uint8_t *data,
                            size_t size);

#define assert_refused(result, code_, codespace_, log_)                                            \
    do {                                                                                           \
        assert_int_equal((result).code, code_);                                                    \
        assert_string_equal((result).codespace, codespace_);                                       \
        assert_string_equal((result).log, log_);                                                   \
    } while (0)

#endif
