/* The member: what one validator's agent does next (PROTOCOL sections 2, 4 and 7).
 *
 *     chain, peers, host, clock, operator -- event --> coord_step(core, &event, &effects) -- effects --> shell
 *
 * A step is a plain function of the member's state, the event and the view that the event carries. It reads
 * no clock, opens nothing, draws no entropy and allocates nothing. The shell (the daemon or the simulator)
 * carries the effects out in order; PERSIST is always the first, and nothing after it may run until the
 * memory is durable. A failed call to the outside world is an event of its own, never an error return.
 *
 *     IDLE -> JOINING -> WAITING -> PAUSING -> PAUSED -> LEFT -> OFFLINE -> SYNCING -> UNPAUSING -> SETTLING -> DONE
 *                 ^         |          |                  |                                ^           |
 *                 +---------+----------+                  +------ floor too low -----------+           |
 *                 +------------------------ turn given back, work still wanted ------------------------+
 *
 * Worked example: at boundary 300 our rank is 3 of budget 29, so the step persists "PAUSING, timeout 303"
 * and sends a pause with timeout_height 303. Block 301 holds it with code 0: PAUSED. Block 302 arrives and
 * V(303) is without us: LEFT; 71 live members against a floor of 67: OFFLINE, the runtime is told to stop.
 *
 * Invariants, asserted here or checked by the simulator after every step:
 *   M1 a state changes only along the table of coord_moves().
 *   M2 at most one transaction is in flight as far as the agent can know (a journal was lost, a refusal
 *      was none), and it is durable before it is sent.
 *   M3 a pause is sent only with a permit (or by force) and carries timeout_height = E + W.
 *   M4 the runtime is told to stop only when block H + 1 is committed and V(H + 2) is without us.
 *   M5 an unpause is sent only when the node is in step with the chain, but for a forced one (section 7).
 *   M6 between two membership transactions of ours that happened lies at least one committed block.
 *   M7 no join number J + 1 is sent.
 *
 * Memory: struct coord is a plain value of the caller; nothing in it points anywhere but to the policy.
 */
#ifndef STAGGER_COORD_COORD_H
#define STAGGER_COORD_COORD_H

#include "coord/view.h"

enum coord_state {
    COORD_IDLE,
    COORD_JOINING,
    COORD_WAITING,
    COORD_PAUSING,
    COORD_PAUSED,
    COORD_LEFT,
    COORD_OFFLINE,
    COORD_SYNCING,
    COORD_UNPAUSING,
    COORD_SETTLING,
    COORD_DONE,
    COORD_STATE_COUNT,
};

/* What the turn is for. */
enum coord_errand {
    ERRAND_NONE,
    ERRAND_REBOOT,      /* stop, reinitialise and start the node through the runtime */
    ERRAND_MAINTENANCE, /* the operator works by hand and says when the node may return */
};

enum coord_step_kind { STEP_NONE, STEP_STOP, STEP_REINIT, STEP_START, STEP_RESTORE };

/* Why nothing is done. Machine-readable code and sentence: coord_reason_code(), coord_reason_sentence(). */
enum coord_reason {
    REASON_NONE,
    REASON_HOLD,            /* the operator holds the agent */
    REASON_FROZEN,          /* too many turns are overdue */
    REASON_RECOVERING,      /* just started: the chain has not been asked yet */
    REASON_STORE,           /* the journal cannot be written */
    REASON_CATCHING_UP,     /* our node is catching up, or does not answer */
    REASON_HISTORY,         /* blocks that the draw needs are missing */
    REASON_NOT_MEMBER,      /* not in the set: there is nothing to pause */
    REASON_NO_YES_VOTE,     /* an upgrade is pending and we have not voted YES */
    REASON_WINDOW,          /* not back before upgrade_time */
    REASON_FUNDS,           /* the account cannot pay join, pause, unpause and activate */
    REASON_FOREIGN_HALF,    /* half of the members play by another charter */
    REASON_JOINS_EXHAUSTED, /* J joins in this round */
    REASON_OWN_FLOOR,       /* the operator's own floor */
    REASON_OWN_CAP,         /* the operator's own cap on how many may be out */
    REASON_STAND_BACK,      /* longer turns of the same CLASS first */
    REASON_WOULD_WITHHOLD,  /* a permit would be withheld for one of the two, so no join yet */
    REASON_SPACING,         /* our last membership transaction is too close */
    REASON_LAST_MEMBER,     /* the chain would stop for good */
    REASON_RECHECK,         /* block E + 1 shows too few signatures (chains without empty blocks) */
    REASON_PEERS_AHEAD,     /* others see blocks that our node does not */
    REASON_PEERS_CONFLICT,  /* others see another hash at our height */
    REASON_PEERS_FAILED,    /* others report failures */
    REASON_DOMAIN,          /* our failure domain has enough members out */
    REASON_HOURS,           /* outside the operator's maintenance hours */
    REASON_JAILED,          /* only governance can help */
    REASON_TRUSTEES,        /* disabled by the trustees: never enabled automatically */
    REASON_BY_HAND,         /* paused by hand: stays so until the operator unpauses */
    REASON_NO_PERMIT,       /* the draw gave the place to others */
    REASON_BUSY,            /* a turn is already under way */
    REASON_NOT_PAUSED,      /* there is nothing to unpause */
    REASON_COUNT,
};

#define COORD_FREEZE_DEFAULT (-1) /* max(2, ceil(n / 20)) */
#define COORD_FREEZE_OFF (-2)

/* The operator's own settings: const, shared, local. They only withhold. */
struct coord_policy {
    int64_t own_floor;        /* live members, 0: none */
    int64_t max_offline;      /* members out at once, 0: none */
    int64_t freeze;           /* z; COORD_FREEZE_DEFAULT, COORD_FREEZE_OFF */
    int64_t window_margin_ms; /* everybody is back this long before upgrade_time */
    uint32_t domain_max;      /* members of our failure domain out at once, 0: no limit */
    uint32_t failures_max;    /* reported failures that make us wait, 0: no limit */
    int32_t hours_from_min, hours_to_min; /* minutes of the UTC day; from == to: always */
    uint32_t attempts_max; /* of a reinitialisation before the old version is restored */
    int64_t retry_ms;      /* between two attempts */
    int64_t still_ms; /* chains without empty blocks: when a waiting member moves the chain on */
};

struct coord_policy coord_policy_default(void);

/* A transaction of ours that may still reach a block. */
struct coord_flight {
    enum tx_kind kind;     /* TX_OTHER: none */
    bool refused;          /* before any block: it is not in a mempool and may be sent again */
    bool twice;            /* sent again after a refusal: if that was none, two are under way */
    struct height timeout; /* its timeout_height: no block above can hold it */
};

/* What must survive the agent. The shell stores it as a whole whenever a PERSIST effect says so. */
struct coord_memory {
    enum coord_state state;
    enum coord_errand errand;
    enum coord_step_kind step; /* of the runtime: under way, to be done again after a crash */
    struct coord_flight flight;
    struct height pause;      /* where our pause of this turn happened, HEIGHT_NONE */
    struct height membership; /* our latest membership transaction that happened */
    struct height entered;    /* where our unpause or activate happened */
    int64_t expected_ms;      /* how long the work takes, as the operator or the last turn says */
    int64_t later_ms;         /* 0, or 1 + expected_ms of a reboot that waits for a maintenance */
    uint32_t attempts;        /* of the present step */
    bool forced;              /* this turn was taken by force */
    bool held;
    bool failed; /* the last reinitialisation was given up */
    bool lost;   /* the journal was lost: a pause after a join of ours is ours to end */
    bool frozen;
    uint32_t pardoned;          /* overdue validators that the operator's unfreeze accepted */
    struct height frozen_since; /* the earliest overdue pause that the freeze is for */
};

enum coord_event_kind {
    EVENT_START, /* the agent starts, with what its journal held */
    EVENT_BLOCK, /* the chain has block `height`; view has taken in at least that block, and its results if it holds
                    a transaction of ours: a pause without its result is no pause yet, and none that timed out */
    EVENT_INCLUDED, /* a transaction of ours stands in a block; taken in now, acted on with EVENT_BLOCK */
    EVENT_REFUSED,  /* CheckTx refused it, or it could not be sent */
    EVENT_SELF,     /* our validator's state on the chain, as asked for */
    EVENT_NODE,     /* our node's state */
    EVENT_RUNTIME,  /* a step of the runtime ended */
    EVENT_OPERATOR, /* a command; the latest block has been delivered before it */
    EVENT_PLAN,     /* an upgrade is pending, or no longer */
    EVENT_PEERS,    /* what gossip adds up to */
    EVENT_STORE,    /* the journal failed or works again */
    EVENT_TIME,     /* the instant that coord_deadline() asked for */
    EVENT_KIND_COUNT,
};

enum coord_journal { JOURNAL_NONE, JOURNAL_KEPT, JOURNAL_DAMAGED };
enum coord_status { COORD_UNKNOWN, COORD_ACTIVE, COORD_INACTIVE, COORD_IS_PAUSED, COORD_JAILED };

enum coord_command {
    COMMAND_REBOOT,  /* the errand of an upgrade; expected_ms */
    COMMAND_PAUSE,   /* manual maintenance through the same guard; expected_ms */
    COMMAND_FORCE,   /* manual maintenance without a permit */
    COMMAND_UNPAUSE, /* manual maintenance is over, or give the turn back */
    COMMAND_HOLD,
    COMMAND_UNHOLD,
    COMMAND_UNFREEZE,
    COMMAND_COUNT,
};

/* What was last heard of each kind; `known` is false until then and again after it went stale. */
struct coord_self {
    bool known;
    enum coord_status status;
    bool by_trustees;
    bool funded;                   /* the account holds all fees of a turn */
    struct instant inactive_until; /* header time */
};

struct coord_node {
    bool known;
    bool reachable, catching_up, key_matches;
    uint64_t lag;        /* blocks behind the best head known */
    uint32_t new_blocks; /* seen since the node started */
};

struct coord_plan {
    bool pending;
    bool voted_yes;
    struct instant upgrade_time; /* header time */
};

struct coord_peers {
    bool known;
    bool conflict;      /* more than a third of those heard name another hash at our height */
    struct height head; /* a height that more than a third of those heard have reached */
    uint32_t failures, domain_out;
};

struct coord_event {
    enum coord_event_kind kind;
    struct instant now; /* the agent's own clock */
    const struct view
        *view; /* borrowed for the step; has taken in at least the blocks we have seen */
    union {
        struct {
            enum coord_journal journal;
            struct coord_memory memory; /* of JOURNAL_KEPT */
        } start;
        struct height block;
        struct {
            enum tx_kind tx;
            struct height height;
            uint32_t code;
            bool happened; /* code 0; of a join: it counts */
        } included;
        struct {
            enum tx_kind tx;
            uint32_t code;
        } refused;
        struct coord_self own;
        struct coord_node node;
        struct coord_plan plan;
        struct coord_peers peers;
        struct {
            enum coord_step_kind step;
            bool ok;
        } runtime;
        struct {
            enum coord_command command;
            int64_t expected_ms;
        } operator;
        bool store_works;
    };
};

enum coord_effect_kind {
    EFFECT_PERSIST,  /* store coord_memory(); nothing below may run before it is durable */
    EFFECT_SEND,     /* one transaction */
    EFFECT_RUNTIME,  /* carry out a step, answer with EVENT_RUNTIME */
    EFFECT_ASK_SELF, /* answer with EVENT_SELF */
    EFFECT_ASK_NODE, /* answer with EVENT_NODE now and at every change until told otherwise */
    EFFECT_ANNOUNCE, /* our gossip record has changed: state, class */
    EFFECT_SAY,      /* narration */
};

enum coord_level { LEVEL_DEBUG, LEVEL_INFO, LEVEL_UNUSUAL, LEVEL_BROKEN };

/* One sentence, not yet put into words: coord_sentence() does that. */
struct coord_say {
    enum coord_level level;
    uint32_t line; /* of the table of sentences */
    enum coord_reason reason;
    int64_t number[5];
};

struct coord_effect {
    enum coord_effect_kind kind;
    union {
        struct {
            enum tx_kind tx;
            struct height
                timeout; /* timeout_height, 0: none; only of a return whose head is unknown */
            uint32_t class_minutes; /* of a join */
            uint32_t charter;       /* of a join */
        } send;
        enum coord_step_kind step;
        struct coord_say say;
    };
};

#define COORD_EFFECTS_MAX 16

struct coord_effects {
    uint32_t count;
    struct coord_effect list[COORD_EFFECTS_MAX];
};

/* The next occasion on which a step can matter. Blocks below `block` need not be delivered (they may be);
 * `at` is an instant of the agent's clock for EVENT_TIME, INSTANT_NEVER for none. */
struct coord_deadline {
    struct instant at;
    struct height block;
};

struct coord {
    const struct coord_policy *policy;
    uint32_t self; /* our index in the view */
    struct coord_memory memory;
    /* everything below is learnt again after a restart */
    struct coord_node node;
    struct coord_self own;
    struct coord_plan plan;
    struct coord_peers peers;
    struct height head;
    struct instant head_time, head_seen; /* header time; our clock when it came */
    struct height woke;                  /* first head since the start */
    struct height decided;               /* latest boundary whose draw was looked at */
    struct height stood;    /* first head at which we stood back behind longer turns of our CLASS */
    struct height permit;   /* boundary of a permit that waits for block E + 1 */
    struct height asked;    /* head at which we asked for our own state */
    struct height nudged;   /* head at which our slot to move a still chain has passed */
    struct height signing;  /* first block since the return that holds our signature */
    struct instant retry;   /* not before: a refused transaction */
    struct instant again;   /* not before: a failed step */
    enum coord_reason told; /* the latest refusal: each is said once in a row */
    uint32_t thinned;       /* boundaries in a row at which the cap's lottery said no */
    struct height blank;    /* the latest of them */
    bool recovering, store_broken;
};

/* A member that has not started; EVENT_START must be its first event. */
void coord_init(struct coord *core, const struct coord_policy *policy, uint32_t self);

/* One step. `effects` is overwritten. */
void coord_step(struct coord *core, const struct coord_event *event, struct coord_effects *effects);

struct coord_deadline coord_deadline(const struct coord *core, const struct view *view);

/* What PERSIST stores. */
const struct coord_memory *coord_memory(const struct coord *core);

/* Whether a memory read back from a journal can be one that coord_step() wrote. */
bool coord_memory_valid(const struct coord_memory *memory);

/* Whether the table of states allows the move. */
bool coord_moves(enum coord_state from, enum coord_state to);
const char *coord_state_name(enum coord_state state); /* "WAITING" */

const char *coord_reason_code(enum coord_reason reason);     /* "no-yes-vote" */
const char *coord_reason_sentence(enum coord_reason reason); /* for a person, with what to do */

/* Puts a narration into words; returns `text`. */
const char *coord_sentence(const struct coord_say *say, char *text, size_t size);

/* Minutes that a join asks for: the expected work and what surrounds it, rounded up, 1 to 240. */
uint32_t coord_class(int64_t expected_ms, int64_t block_ms);

/* Would the member join, or use a permit of this rank (0: the first) in this draw? REASON_NONE: yes. These
 * are what `ok-to-stop` asks. */
enum coord_reason coord_may_join(const struct coord *core, const struct view *view);
enum coord_reason coord_may_pause(const struct coord *core, const struct view *view,
                                  const struct draw *draw, uint32_t rank);

#endif
