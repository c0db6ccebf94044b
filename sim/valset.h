/* A validator set as CometBFT 0.37 keeps it: membership, powers and the rotation of proposers.
 *
 * Equal results to CometBFT's types.ValidatorSet, priority for priority, so that a modelled chain
 * has its proposers in the very order in which a real one would. The rules:
 *
 *   increment   first scale: when max - min exceeds 2 * total power, divide every priority by
 *               ceil((max - min) / (2 * total)), truncating towards zero; then centre: subtract
 *               the average, rounded down; then `times` times: add to every priority its power,
 *               take the highest (a tie goes to the lower address), subtract the total power from
 *               it: that one proposes
 *   update      who is new begins at -(T + T/8), T the total with all updates and before the
 *               removals; who stays keeps its priority, also when its power changes; then scale and
 *               centre
 *
 * Worked example, powers 1, 1, 1, addresses a < b < c: all begin at 0. The first increment gives
 * (-2, 1, 1), proposer a; then (-1, -1, 2), b; then (0, 0, 0), c; and so on. When d joins (0, 0,
 * 0), T is 4, d begins at -4; centred by -1 that is (1, 1, 1, -3): d waits its turn.
 *
 * Members are held by ascending address, not by power as CometBFT's list is: no result depends on
 * that order. Addresses are never compared here: the caller ranks all validators by address once,
 * and a tie goes to the lower rank.
 *
 * The caller owns the members' memory: every set's array has room for all validators.
 */
#ifndef STAGGER_SIM_VALSET_H
#define STAGGER_SIM_VALSET_H

#include "sim/model.h"

#define VALSET_POWER_MAX (INT64_MAX / 8) /* of a whole set */

enum valset_error {
    VALSET_OK,
    VALSET_DUPLICATE, /* two changes of one validator */
    VALSET_POWER,     /* a power below 0 or above VALSET_POWER_MAX */
    VALSET_EMPTY,     /* nobody would remain */
    VALSET_ABSENT,    /* power 0 for one that is not in the set */
    VALSET_OVERFLOW,  /* the total would exceed VALSET_POWER_MAX */
};

struct valset_change {
    uint32_t validator;
    uint32_t rank; /* of its address among all validators */
    int64_t power; /* 0: leaves */
};

/* ranks[v] becomes the place of validator v when all are sorted by address. Returns false when
 * memory is short. Asserts that no two addresses are equal. */
bool valset_rank(const struct model_record *records, uint32_t count, uint32_t *ranks);

/* `to` becomes `from` after the changes; with none it becomes a copy. Sorts the changes. On an
 * error `to` is as it was and *culprit, which may be NULL, the validator it is about
 * (VALIDATOR_NONE for EMPTY and OVERFLOW). As in CometBFT EMPTY comes before ABSENT. `to` and
 * `from` share no memory. */
enum valset_error valset_update(struct model_set *to, const struct model_set *from,
                                const uint32_t *ranks, struct valset_change *changes,
                                uint32_t count, uint32_t *culprit);

/* Rotates the proposer `times` (>= 1) turns; the set is not empty. */
void valset_increment(struct model_set *set, uint32_t times);

/* The member entry of a validator, NULL for none. O(log n). */
const struct model_member *valset_find(const struct model_set *set, const uint32_t *ranks,
                                       uint32_t validator);

#endif
