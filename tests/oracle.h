/* The oracle: PROTOCOL sections 1, 2 and 8 once more, slowly, to judge coord/view.c.
 *
 * It shares with the view the types of its input and not a line of its logic. It keeps all that ever
 * happened in plain arrays and forgets nothing; every question is answered by reading the history again:
 *
 *     oracle_draw(E):  for every boundary b from the first of E's round up to E
 *                          read all transactions before b, all last commits, all sets
 *                          permits at b  ->  joins used up at b
 *
 * so nothing that was computed for one boundary can spoil the next. What the view keeps up to date with
 * each block (counts, latest joins, reference size), the oracle counts anew; a difference is a bug of one.
 *
 * Readings that the text leaves open, chosen here and named where they are used:
 *   O1 powers are "unequal" when they differ among those who make up N, each with the power that it last
 *      had in one of the sets of (E-M, E]; N is the sum of these. What lies further back, an onlooker who
 *      came later cannot know.
 *   O2 with unequal powers a second budget by count, min(l - min_validators, ramp) - x, holds as well; the
 *      ramp is a count and left out of the first.
 *   O3 a pause followed a join when a join that counts stands between it and the pause before it; the
 *      class for "overdue" is that join's, also when its sender joined once more afterwards.
 *   O4 the recheck takes l, and with it f, from block E+1; back and out of the ramp stay as they were at E.
 */
#ifndef STAGGER_TESTS_ORACLE_H
#define STAGGER_TESTS_ORACLE_H

#include "coord/view.h"

#define ORACLE_VALIDATORS_MAX 128

struct oracle;

/* The answer for one boundary. Fields are named as in struct draw and mean the same. */
struct oracle_draw {
    bool by_power;
    int64_t members, live, foreign, reference, floor, reserve, budget;
    int64_t budget_count;
    int64_t terms[3]; /* by enum view_term; INT64_MAX where a term does not apply */
    uint32_t member_count, live_count, foreign_count, reference_count;
    uint32_t candidates, used_up, permits, out, back;
    uint32_t overdue;
    struct height overdue_since;
    bool rechecked;
    uint32_t recheck; /* only when rechecked */
    uint32_t order[ORACLE_VALIDATORS_MAX];
    enum view_reason reason[ORACLE_VALIDATORS_MAX];
    uint32_t rank[ORACLE_VALIDATORS_MAX];
};

/* One validator after the latest block whose results are known; named as in struct view_validator. */
struct oracle_validator {
    struct height join;
    uint32_t join_index, join_class, join_charter;
    struct height pause;
    uint32_t pause_index;
    uint32_t joins, turns;
};

/* Begins with V(chain_first). Ends the program when memory is short: this is a test's tool. */
struct oracle *oracle_create(const struct charter *charter, enum chain_kind chain,
                             struct height chain_first, const struct view_change *set,
                             uint32_t count);
void oracle_destroy(struct oracle **oracle);

/* Validators are numbers below ORACLE_VALIDATORS_MAX, the same as the view's; an address is given before
 * its validator first appears. */
void oracle_enrol(struct oracle *oracle, uint32_t validator, const uint8_t address[ADDRESS_SIZE]);

/* Same calls in the same order as view_block() and view_results(). */
void oracle_block(struct oracle *oracle, const struct view_block *block);
void oracle_results(struct oracle *oracle, const struct view_tx *txs, uint32_t count);

/* Whether a draw is made at E: a boundary that was read, with E - k >= the chain's first height. */
bool oracle_is_drawn(const struct oracle *oracle, struct height boundary);

/* The draw of a boundary for which oracle_is_drawn(). */
void oracle_draw(const struct oracle *oracle, struct height boundary, struct oracle_draw *draw);

/* The state of one validator, as struct view_validator has it. */
struct oracle_validator oracle_validator(const struct oracle *oracle, uint32_t validator);

/* Whether the validator stands in V(h) and whether its signature stands in block h's last commit. */
bool oracle_in_set(const struct oracle *oracle, uint32_t validator, struct height h);
bool oracle_signed(const struct oracle *oracle, uint32_t validator, struct height h);

/* How many members of V(h+1) are live at h, as section 1 counts them at a boundary. */
uint32_t oracle_live(const struct oracle *oracle, struct height h);

/* The key of the draw order (section 2). */
void oracle_key(const struct charter *charter, struct height boundary,
                const uint8_t hash[HASH_SIZE], const uint8_t address[ADDRESS_SIZE],
                uint8_t key[HASH_SIZE]);

#endif
