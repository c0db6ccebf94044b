/* Random histories of a chain for property tests: blocks with joins, pauses, silence and sets that change,
 * all from one seed. They obey what a chain guarantees (heights without gaps, transactions in order, a
 * membership transaction of block h changes V(h+2), only members are missing, never an empty set) and
 * otherwise nothing: joins may be foreign, refused, repeated or sent by outsiders, pauses may come without
 * a permit, and the chain itself may throw anyone out or let anyone in.
 *
 * What a chain never does, but an implementation must not depend on, is left in on purpose: a set may
 * change without reason, and the results handed to view_block() are noise.
 */
#ifndef STAGGER_TESTS_HISTORY_H
#define STAGGER_TESTS_HISTORY_H

#include "coord/view.h"

#define HISTORY_VALIDATORS_MAX 48
#define HISTORY_TXS_MAX 256

/* How the powers of a world's validators are chosen. */
enum history_power {
    POWER_ONE,      /* all 1 */
    POWER_EQUAL,    /* all the same, more than 1 */
    POWER_SMALL,    /* 1 to 9 */
    POWER_LARGE,    /* up to a million million */
    POWER_ONE_ODD,  /* all the same but for one late newcomer */
    POWER_CHANGING, /* small, and the chain changes them */
};

/* Chances are out of 1,000 and per block and validator. */
struct history_shape {
    struct charter charter; /* sealed */
    enum chain_kind chain;
    bool empty_blocks;
    struct height first;
    uint32_t blocks;
    uint32_t members; /* at the start; the others come later */
    uint32_t validators;
    enum history_power power;
    uint32_t join, foreign, use, stray_pause, refusal, unpause, silence, wake, miss, by_chain;
    int64_t step_ms; /* largest time between two blocks */
};

struct history {
    uint64_t seed, random;
    struct history_shape shape;
    uint32_t
        known; /* validators that have appeared; the caller enrols new ones before each block */
    uint8_t address[HISTORY_VALIDATORS_MAX][ADDRESS_SIZE];
    int64_t power[HISTORY_VALIDATORS_MAX];
    int64_t past[HISTORY_VALIDATORS_MAX], now[HISTORY_VALIDATORS_MAX];  /* V(h-1), V(h) */
    int64_t next[HISTORY_VALIDATORS_MAX], want[HISTORY_VALIDATORS_MAX]; /* V(h+1), V(h+2) */
    bool silent[HISTORY_VALIDATORS_MAX];
    uint64_t permit[HISTORY_VALIDATORS_MAX];        /* good up to this height */
    struct height height;                           /* of the latest block */
    struct view_change set[HISTORY_VALIDATORS_MAX]; /* V(first) */
    uint32_t set_count;
    /* the latest block */
    struct view_block block;
    uint8_t hash[HASH_SIZE];
    uint32_t missing[HISTORY_VALIDATORS_MAX];
    struct view_change changes[HISTORY_VALIDATORS_MAX];
    struct view_tx txs[HISTORY_TXS_MAX];   /* with results */
    struct view_tx blind[HISTORY_TXS_MAX]; /* the same with noise for results */
    uint32_t tx_count;
};

/* The shape that belongs to a seed. Its charter lies within the bounds. */
struct history_shape history_shape(uint64_t seed);

/* Begins a history; set and set_count are V(first). */
void history_begin(struct history *history, uint64_t seed, const struct history_shape *shape);

/* Makes the next block: block (for view_block), then txs and tx_count (for view_results). */
void history_next(struct history *history);

/* Tells the validator that it holds a permit up to that height, so that it may use it. */
void history_permit(struct history *history, uint32_t validator, struct height until);

/* A number from low to high. */
uint64_t history_pick(struct history *history, uint64_t low, uint64_t high);

#endif
