/* The view: whose turn it is, computed from blocks alone (PROTOCOL sections 1, 2 and 8).
 *
 * A view knows nothing of "me". An agent, the simulator, `stagger turns` and any onlooker feed it the same
 * blocks and get the same answers:
 *
 *     view_begin(first block, its validator set)
 *         |
 *         v          header h, last commit, transactions, V(h+1)
 *     view_block(h) ------------------------------------------> at a boundary: the draw of the epoch
 *         |          results of block h
 *     view_results(h)
 *         |
 *     view_block(h+1) ...
 *
 * The order of the two calls is the rule "joins and happened pauses count up to E-1, a pause in E counts
 * whatever its result": the draw of boundary E is made in view_block(E), before the results of E are known.
 *
 * Terms are those of PROTOCOL section 1. Worked example: n = 100 members, all live, 30 candidates,
 * min_validators 67, phi 2/3, reserve 100/25 = 4. The floor is max(67, floor(200/3) + 1) = 67, the budget
 * min(100 - 67 - 4, 100 - 3 * 4 - 1) = 29: the first 29 of the 30 in draw order hold a permit.
 *
 * Memory: everything is allocated by view_create(); no other call allocates. Ring buffers keep what an
 * agent that lags needs: the last VIEW_BLOCKS_KEPT blocks and the last draws.
 *
 * Invariants of a view, asserted:
 *   V1 blocks come in ascending order, without a gap, each followed by its results.
 *   V2 permits <= candidates, and the sum of the permits' weight <= budget.
 *   V3 a validator that is gone, silent or no member is no candidate.
 */
#ifndef STAGGER_COORD_VIEW_H
#define STAGGER_COORD_VIEW_H

#include "coord/charter.h"

#define VIEW_VALIDATORS_MAX 16384 /* records a view can know; 10,000 are promised */
#define VIEW_BLOCKS_KEPT 48       /* a reader may lag this many blocks behind a shared view */
#define CLASS_MIN 1               /* minutes a join may ask for */
#define CLASS_MAX 240

enum chain_kind { CHAIN_KIRA, CHAIN_DCL };

/* What the view reads of a transaction's message; the rest of the chain's messages is TX_OTHER. On DCL
 * disable-node is TX_PAUSE, enable-node is TX_UNPAUSE. */
enum tx_kind { TX_OTHER, TX_JOIN, TX_PAUSE, TX_UNPAUSE, TX_ACTIVATE };

struct view_tx {
    uint32_t validator; /* the message's validator; for a join the signer's */
    enum tx_kind kind;
    uint32_t index;         /* order within the block */
    uint32_t code;          /* result; read by view_results() only */
    const char *codespace;  /* "" for none */
    uint32_t class_minutes; /* of a join */
    uint32_t charter;       /* of a join: struct charter's id */
};

struct view_change {
    uint32_t validator;
    int64_t power; /* 0: leaves */
};

struct view_block {
    struct height height;
    struct instant time;     /* the header's */
    const uint8_t *hash;     /* HASH_SIZE bytes */
    const uint32_t *missing; /* members of V(h-1) whose signature is not in this last commit */
    uint32_t missing_count;
    const struct view_tx *txs; /* results are not read */
    uint32_t tx_count;
    const struct view_change *changes; /* V(h+1) against V(h) */
    uint32_t change_count;
};

/* Why a validator holds no permit at a boundary. The order of the list is the order in which the rule
 * looks: the first that applies is the answer. */
enum view_reason {
    VIEW_PERMIT,         /* it holds one */
    VIEW_NOT_MEMBER,     /* not in V(E+1) */
    VIEW_NO_JOIN,        /* never joined, or its last join is out of memory */
    VIEW_PAUSED_SINCE,   /* its turn is over: a pause happened after its latest join */
    VIEW_FOREIGN,        /* its latest join names another charter */
    VIEW_OLD_ROUND,      /* its latest join belongs to an earlier round */
    VIEW_TOO_MANY_JOINS, /* more than J joins in this round */
    VIEW_GONE,           /* a pause of it stands in the boundary block */
    VIEW_SILENT,         /* no signature in the last k commits */
    VIEW_TOO_HEAVY,      /* unequal powers: it would not fit though everybody were live */
    VIEW_USED_UP,        /* it held a permit after its latest join */
    VIEW_BEYOND_BUDGET,  /* candidate, but its rank lies behind the budget */
};

/* Which term of the budget was the smallest. */
enum view_term { TERM_FLOOR, TERM_TWO_THIRDS, TERM_RAMP };

/* Weights are counts when all powers known to the view are equal, otherwise sums of power (section 8). */
struct draw {
    struct epoch epoch;
    struct height boundary; /* E */
    struct instant time;    /* header time of E */
    bool complete;          /* the view knew all that section 2 demands when it drew */
    bool by_power;          /* the six weights below are powers, not counts */
    int64_t members, live, foreign, reference; /* n, l, x, N */
    int64_t floor, reserve;                    /* F, r */
    int64_t budget;                            /* B, by weight */
    uint32_t budget_count; /* B, by count: what min_validators and the ramp allow as well */
    enum view_term term;
    uint32_t member_count, live_count, foreign_count, reference_count;
    uint32_t candidates, used_up, permits;
    uint32_t out, back; /* of those who paused in this round: not live again, live again */
    uint32_t overdue;   /* section 2, freeze */
    struct height
        overdue_since;     /* the earliest pause of an overdue validator, HEIGHT_NEVER if none */
    uint32_t recheck;      /* permits that still fit when liveness is judged by block E+1 alone */
    bool rechecked;        /* block E+1 has been read */
    const uint32_t *order; /* candidates in draw order; the first `permits` of them hold one */
};

/* One block, as kept for readers that lag. live counts members of V(h+1) as section 1 does at h. */
struct view_pulse {
    struct height height;
    struct instant time;
    uint8_t hash[HASH_SIZE];
    uint32_t members, live;
    int64_t members_weight, live_weight;
};

/* What the view knows of one validator, as of the latest block. */
struct view_validator {
    uint8_t address[ADDRESS_SIZE];
    int64_t power;      /* in V(head+1), or when it last stood in a set */
    struct height join; /* latest join that counts, HEIGHT_NONE if none */
    uint32_t join_index, join_class, join_charter;
    struct height pause; /* latest pause that happened, HEIGHT_NONE if none */
    uint32_t pause_index;
    uint32_t joins, turns;  /* in the round of the latest block with results */
    struct height permit;   /* latest boundary at which it held a permit */
    bool paused_after_join; /* since its latest pause, which followed a join, live at no boundary */
};

/* Whether a pause of its own has happened after its latest join: by height, then by place in the block. */
static inline bool view_paused_since_join(const struct view_validator *v)
{
    return v->pause.n > v->join.n ||
           (v->pause.n > 0 && v->pause.n == v->join.n && v->pause_index > v->join_index);
}

struct view;

struct view_config {
    struct charter charter; /* checked and sealed by the caller */
    enum chain_kind chain;
    bool empty_blocks;
    uint32_t capacity; /* validators, <= VIEW_VALIDATORS_MAX */
};

/* A view that has seen nothing; NULL when memory is short. */
struct view *view_create(const struct view_config *config);
void view_destroy(struct view **view);

/* The index of the validator with this address, adding it if it is new; VALIDATOR_NONE when full. */
uint32_t view_enrol(struct view *view, const uint8_t address[ADDRESS_SIZE]);
uint32_t view_find(const struct view *view, const uint8_t address[ADDRESS_SIZE]);
uint32_t view_count(const struct view *view);

/* Starts at block `first`; the chain itself began at `chain_first` (<= first). set is V(first) with powers.
 * Draws are complete once everything that section 2 demands lies behind `first`, at once when
 * first == chain_first. */
void view_begin(struct view *view, struct height chain_first, struct height first,
                const struct view_change *set, uint32_t count);

/* Takes block h. Returns the draw when h is a boundary at which one is made, otherwise NULL; the draw is
 * owned by the view and stays until VIEW_BLOCKS_KEPT blocks later. */
const struct draw *view_block(struct view *view, const struct view_block *block);

/* Takes the results of the block given last. */
void view_results(struct view *view, const struct view_tx *txs, uint32_t count);

/* Whether a result makes a join count (section 1): code 0 on KIRA, its refusal on DCL. */
bool view_join_counts(enum chain_kind chain, uint32_t code, const char *codespace);

/* --- questions; all of them pure --- */

const struct charter *view_charter(const struct view *view);
enum chain_kind view_chain(const struct view *view);
bool view_empty_blocks(const struct view *view);
struct height view_head(const struct view *view);
struct height view_first(const struct view *view); /* of the blocks that it was given */
const struct view_validator *view_validator(const struct view *view, uint32_t validator);

/* The draw of boundary E; NULL when it is no boundary, none was made or it is too old. */
const struct draw *view_draw(const struct view *view, struct height boundary);

/* The budget by the latest block as if it were a boundary and nobody played by another charter: what an
 * ideal coordinator would have to give away. */
int64_t view_budget(const struct view *view);

/* Whether weights are sums of power at the moment: two powers differ among those who make up the reference. */
bool view_by_power(const struct view *view);

/* How many stand in line with at least this CLASS: candidates of the draw, or without one (NULL), the members
 * whose latest join names our charter and has not been followed by a pause. */
uint32_t view_in_line(const struct view *view, const struct draw *draw, uint32_t class_minutes);

/* Whether a draw at this height rests on every block and set that section 2 demands. */
bool view_complete(const struct view *view, struct height boundary);

/* Why `validator` holds no permit at the draw's boundary, and its place among the candidates (0 is the
 * first; UINT32_MAX for no candidate). rank may be NULL. */
enum view_reason view_reason(const struct view *view, const struct draw *draw, uint32_t validator,
                             uint32_t *rank);
const char *view_reason_code(enum view_reason reason);     /* "beyond-budget" */
const char *view_reason_sentence(enum view_reason reason); /* for a person */

/* A block of the last VIEW_BLOCKS_KEPT; NULL otherwise. */
const struct view_pulse *view_pulse(const struct view *view, struct height h);

/* Whether the validator stands in V(h), h in (head + 1 - VIEW_BLOCKS_KEPT, head + 1]. */
bool view_in_set(const struct view *view, uint32_t validator, struct height h);

/* Whether it belongs to the recent sets: stands in V(head + 1) or stood in one of the 64 sets before it, or in one that
 * the reference size counts. Who may be heard in gossip. */
bool view_recent(const struct view *view, uint32_t validator);

/* Whether it is a live member at the latest block. */
bool view_live(const struct view *view, uint32_t validator);

/* Whether a pause of it stands in the latest block, whatever its result: it may be out two blocks later. */
bool view_gone(const struct view *view, uint32_t validator);

/* Whether its signature stands in the last commit of block h, for the last VIEW_BLOCKS_KEPT blocks. */
bool view_signed(const struct view *view, uint32_t validator, struct height h);

/* Mean block time over the blocks kept up to h, in ms; 0 before there are two. */
int64_t view_block_ms(const struct view *view, struct height h);

#endif
