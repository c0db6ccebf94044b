/* Broken variants of the rules, so that tests can show that the checkers would notice.
 *
 * Only the library that tests/mutations builds defines STAGGER_MUTATIONS. Everywhere else MUTATED() is the
 * constant false and leaves nothing behind: a test looks for it in the command. Each variant is named after
 * what it leaves out; tests/mutations/README.md lists them with the checker that catches them.
 */
#ifndef STAGGER_COORD_MUTATION_H
#define STAGGER_COORD_MUTATION_H

#include <stdbool.h>

#define MUTATIONS(X)                                                                               \
    X(NO_TIMEOUT)            /* a pause without timeout_height */                                  \
    X(LATE_TIMEOUT)          /* a timeout of E + W + 1 */                                          \
    X(GONE_NOT_COUNTED)      /* a pause in the boundary block makes nobody gone */                 \
    X(OTHER_SET)             /* the members are read from V(E), not V(E+1) */                      \
    X(JOIN_OVERLOOKED)       /* the joins of every fourth validator are not seen */                \
    X(FAILED_PAUSE_HAPPENED) /* a refused pause counts as happened */                              \
    X(DRAW_WITHOUT_BLOCKS)   /* an agent draws though it lacks blocks */                           \
    X(FOREIGN_IGNORED)       /* members under other charters are not subtracted */                 \
    X(USED_UP_WITHOUT)       /* a join is used up by waiting in line */                            \
    X(NEVER_USED_UP)         /* a permit does not use the join up */                               \
    X(ROUND_FORGETS)         /* permits of a round's first boundary use nothing up */              \
    X(BUDGET_PLUS_ONE)       /* one permit too many */                                             \
    X(REGISTERED_COUNTED)    /* every record is a live member */                                   \
    X(MEMBERS_ARE_LIVE)      /* silent members count as live */                                    \
    X(OFFLINE_EARLY)         /* the node stops before V(H+2) */                                    \
    X(NO_CHECK_AT_LEFT)      /* no second look at the floor */                                     \
    X(PAUSE_WITH_UNPAUSE)    /* the next pause goes out together with the unpause */               \
    X(UNPAUSE_EARLY)         /* an unpause before the node has caught up */                        \
    X(REFERENCE_RATCHETS)    /* the reference forgets who is out */                                \
    X(WINDOW_STAYS_OPEN)     /* turns go on before upgrade_time, YES vote or not */                \
    X(REFUSED_JOIN_COUNTS)   /* a join counts whatever its result */

#ifdef STAGGER_MUTATIONS
enum mutation {
    MUTATION_NONE,
#define MUTATION_NAME(name) MUTATION_##name,
    MUTATIONS(MUTATION_NAME)
#undef MUTATION_NAME
        MUTATION_COUNT,
};

/* Whether this variant is the one under test; notes that the place was reached. */
bool mutation_active(enum mutation mutation);

/* Agents are mutated, those who judge them are not: true from here on for what an agent does. */
void mutation_within(bool agent);
#define MUTATED(name) mutation_active(MUTATION_##name)
#define MUTATIONS_BUILT true
#else
#define MUTATED(name) false
#define MUTATIONS_BUILT false
static inline void mutation_within(bool agent)
{
    (void)agent;
}
#endif

#endif
