/* Exhaustive search of small worlds with the real core. What it covers and what not: SEARCH.md.
 *
 *     history   block by block: who is included, with which result, which beacon, who is silent
 *        |
 *        |  given a history, agents do not influence one another: what they know of each other stands
 *        |  in blocks. So of each agent the search keeps not one state but the set of all states in
 *        v  which it can be by now, whatever its delays, crashes and restarts were.
 *     node of the search = (what the chain knows, one set of local states for each agent)
 *
 * A block may hold any transaction that some local state of its sender has in flight, and it narrows the
 * set to the states that have it. Nothing is lost by this and nothing added: a choice of one local state
 * from each set is a world that can come about, and every world is such a choice.
 *
 *     search_table.c   digests, tables
 *     search_world.c   the worlds
 *     search_local.c   one agent and its host: one step of it, crash points, checks of a step
 *     search_sets.c    sets of local states, closed under everything that may happen between two blocks
 *     search_chain.c   blocks, the chain's answers, what of a history matters
 *     search_judge.c   the draw by hand, checks of a block
 *     search_replay.c  what a violation looks like, told
 *     search_broken.c  broken variants of the rules, which the checks must notice
 *     search_drain.c   the faults stop: everybody must come back
 *     search.c         depth first over histories, the command line
 */
#ifndef STAGGER_TESTS_MODEL_SEARCH_H
#define STAGGER_TESTS_MODEL_SEARCH_H

#include "coord/coord.h"
#include "coord/digest.h"
#include "tests/model/search_table.h"

#define MEMBERS_MAX 5
#define LINKS_MAX 32 /* blocks of one history, the drain's not counted */
#define ORDERS_MAX 120
#define LAG_MAX 2
#define BLOCK_MS 6000
#define POOL_KINDS 3 /* join, pause, unpause */
#define INBOX_MAX 3

/* --- a world --- */

/* In which runs a world is searched: in --quick ones, in those without an option, with --deep. */
enum effort { EFFORT_QUICK, EFFORT_USUAL, EFFORT_DEEP };

struct search_world {
    const char *name, *about;
    enum effort effort;
    uint32_t count;     /* validators, */
    uint32_t agents;    /* the first of them with an agent that wants a reboot, */
    uint32_t strangers; /* those after them, who do as they like; the rest just sign */
    int64_t power[MEMBERS_MAX];
    uint64_t first, last; /* heights */
    uint32_t live_blocks; /* k */
    int64_t reserve;
    int64_t expected_ms;
    /* how many agents, from the first on, meet this as often as can be: */
    uint32_t lossy;   /* a crash that takes the journal with it */
    uint32_t refused; /* CheckTx refuses, or its answer is lost on the way */
    uint32_t failing; /* a transaction stands in a block with a code */
    uint32_t ahead;   /* a view that has taken in more blocks than its reader has seen */
    bool foreign_joins, by_hand, falls_silent; /* what strangers may do in any block */
};

extern const struct search_world search_worlds[];
extern const uint32_t search_world_count;

struct charter search_charter(const struct search_world *world);

/* --- one agent, its host, and what it has in flight --- */

struct notice {
    enum tx_kind kind;
    uint64_t height;
    uint32_t code;
};

struct local {
    struct coord core; /* as validator 0; all zero while the agent is dead */
    struct coord_memory journal;
    uint64_t pool[POOL_KINDS]; /* timeouts of what may still reach a block, 0: none */
    uint64_t seen;             /* latest block that the node has shown */
    uint64_t synced; /* block at which the node started, 0 when it has shown a later one */
    struct notice inbox[INBOX_MAX]; /* EVENT_INCLUDED, not delivered yet */
    uint32_t inbox_count;
    enum coord_step_kind runtime; /* under way */
    bool reinit;                  /* under way or ahead of `runtime` */
    bool rebooted;                /* what the turn is for is done */
    bool lost;                    /* the journal, and no other has been written since */
    bool alive, up, ask_self, ask_node;
};

enum action_kind {
    ACT_START_KEPT, /* the agent starts with its journal, */
    ACT_START_LOST, /* or without one */
    ACT_COMMAND,    /* the operator wants the reboot */
    ACT_SHOW,       /* the node shows block `height` */
    ACT_RUNTIME,    /* the step of the runtime ends */
    ACT_SELF,       /* the answer to ASK_SELF, as of block `height` */
    ACT_NODE,
    ACT_REFUSE, /* what was sent is refused and in no mempool */
    ACT_DOUBT,  /* it looks refused and is in flight all the same */
    ACT_TIME,   /* the retry's instant */
};

struct action {
    enum action_kind kind;
    uint64_t height;
    enum tx_kind tx;
    bool ahead; /* the agent's view has taken in all blocks, not only those shown */
};
#define ACTIONS_MAX 24

/* What an agent can see and ask at height h. */
struct scene {
    struct search *search;
    uint32_t self;
    uint64_t height;
    const struct link *links; /* by height - first */
    const struct view *view;  /* of all blocks */
};

typedef void outcome_taker(void *taker, const struct local *local, uint32_t crash);
#define NO_CRASH UINT32_MAX /* `crash`: effects of the last step that were carried out, else this */

/* A host that is up and an agent that was never started. */
struct local local_fresh(uint64_t first);

/* What may happen to it next; returns how many. */
uint32_t local_actions(const struct scene *scene, const struct local *local,
                       struct action actions[ACTIONS_MAX]);

/* Lets one happen; `take` gets every outcome: the agent may die after each effect. Without crashes only the
 * last is made. */
void local_act(const struct scene *scene, const struct local *from, const struct action *action,
               bool crashes, outcome_taker *take, void *taker);

/* Whether the world may go on to the next block from here: nobody alive may lag more. */
bool local_may_wait(const struct local *local, uint64_t height);

/* Block `height` is committed and holds `kind` of this agent (TX_OTHER: nothing). */
void local_block(struct local *local, uint64_t height, enum tx_kind kind, uint32_t code);

/* Sets what can make no difference any more to one value, and digests all. */
struct mark local_settle(const struct search *search, struct local *local, uint64_t height);

/* --- sets --- */

struct set {
    size_t from; /* in search.members */
    uint32_t count;
    uint32_t
        kinds; /* bit (enum tx_kind): some state can have it in the next block; bit 0: some can have none */
};

/* How a local state came about, for the replay only. */
struct origin {
    uint32_t local, parent; /* parent: index in the same list, or in the list before when `block` */
    struct action action;
    uint32_t crash;
    bool block;
};

uint32_t set_initial(struct search *s, const struct scene *scene);
uint32_t set_after_block(struct search *s, const struct scene *scene, uint32_t before,
                         enum tx_kind kind, uint32_t code);

const uint32_t *set_members(const struct search *s, uint32_t set);
const struct local *set_local(const struct search *s, uint32_t local);

/* --- the chain --- */

/* The latest blocks with a join and a pause of this validator that happened, and with a draw that gave it a
 * permit; pauses in this round. */
struct ask {
    uint64_t join, pause, permit;
    uint32_t turns;
};

/* What the checks remember, of the present epoch above all: by hand, not by the view. Masks by validator; weights
 * where powers differ, else counts. */
struct ledger {
    uint64_t boundary;
    uint32_t live, foreign, permits, used;
    int64_t floor, budget;
    struct ask asks[MEMBERS_MAX];
    uint64_t
        membership[MEMBERS_MAX]; /* the latest block with a pause or an unpause that happened */
};

struct link {
    uint64_t height;
    struct view *view; /* after this block */
    uint8_t kind[MEMBERS_MAX];
    uint32_t code[MEMBERS_MAX];
    uint32_t beacon;
    uint32_t signing, next, wanted; /* V(h), V(h+1), V(h+2) */
    uint32_t paused, silent;
    struct ledger ledger;
    int64_t live; /* as a reader of this block counts or weighs who is live */
    uint32_t sets[MEMBERS_MAX];
    struct mark glance[MEMBERS_MAX]; /* what each can see as of this block, */
    struct mark seen[MEMBERS_MAX];   /* and as of this one or, with some delay, those before */
    uint32_t choice_count; /* beacons that lead to different permits; 1 where none matters */
    uint8_t choices[ORDERS_MAX];
};

/* A beacon for every order of the validators, at every boundary. */
void chain_beacons(struct search *s);

/* Fills links[at] from the links before it and from what it names itself: kinds, codes of transactions that
 * fail without need, who is silent, the beacon. Has the block judged. Everything but the sets is set. */
void chain_link(struct search *s, struct link *links, uint32_t at);
void chain_unlink(struct link *link);

/* A view that has taken in links[0..at), for chain_extend(). */
struct view *chain_view(const struct search *s, const struct link *links, uint32_t at);

/* As chain_link(), with the view of the links before, which moves on and stays the caller's: what drain_run()
 * does, which never looks back. */
void chain_extend(struct search *s, struct link *links, uint32_t at, struct view *view);

/* Everything that decides the future from links[at] on, but for the names of the validators; parts: of each. */
struct mark chain_mark(const struct search *s, const struct link *links, uint32_t at,
                       struct mark parts[MEMBERS_MAX]);

/* --- the judge --- */

/* In this order for each block: transactions and presence, by the ledger as it was; at a boundary the draw, under
 * a beacon that sorts the validators so, compared with the view's; then what the next boundary will know. */
void judge_block(struct search *s, struct link *link);
void judge_draw(struct search *s, struct link *links, uint32_t at, const uint8_t keys[MEMBERS_MAX],
                const struct view *view, const struct draw *draw);
void judge_results(const struct search *s, struct link *links, uint32_t at);

/* Whether the validator would be a candidate at this block, if it were a boundary and the validator live. */
bool judge_asks(const struct search *s, const struct link *link, uint32_t v);

/* --- the whole --- */

struct search_count {
    uint64_t nodes, transitions, leaves, drains, drained_blocks;
    uint64_t steps, crash_points;
    double worlds; /* joint states that the nodes stand for */
};

struct search {
    const struct search_world *world;
    struct charter charter;
    struct coord_policy policy;
    uint8_t address[MEMBERS_MAX][ADDRESS_SIZE];
    struct digest *digest;
    uint32_t order_count;
    uint8_t orders[LINKS_MAX][ORDERS_MAX][MEMBERS_MAX]; /* validators by key under this beacon */
    uint8_t beacons[LINKS_MAX][ORDERS_MAX][HASH_SIZE];
    struct link links[LINKS_MAX];
    uint32_t depth;                            /* links in use */
    uint32_t choices[LINKS_MAX], choice_count; /* that lead to the block under way */

    struct table locals; /* digest -> index in local_pile */
    struct table steps;  /* (local state, what is seen) -> place in successors */
    struct table sets;   /* digest -> index in set_pile */
    struct table blocks; /* (set, block, what is seen) -> set */
    struct table visited;
    struct pile local_pile, stamps, set_pile, members, successors;
    uint32_t stamp;
    struct pile queue;

    struct search_count count;
    bool fine;  /* tell apart whatever an agent could see, not only what a step reads */
    bool plain; /* compute every step, also those known from before */
    bool blind; /* do not compare draws with those by hand, but wait for what follows from them */
    bool replaying;
    struct pile origins[LINKS_MAX][MEMBERS_MAX]; /* of the replay */
    uint64_t drains_max, drains_next;            /* how many; the leaf at which the next may be */
    const struct scene
        *stepping; /* of the agent that is being stepped, its local state and action */
    uint32_t stepping_index;
    const struct action *stepping_action;
    const uint32_t *drained; /* the local states of a drain under way, NULL: none */
};

/* Prints the violation and how to repeat it, and ends the program with status 1. */
_Noreturn void search_fail(struct search *s, const char *invariant, uint32_t validator,
                           const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Told on stdout, for the replay: a block; how the agent came to this local state; one more step. */
void replay_block(const struct search *s, const struct link *link);
void replay_agent(const struct search *s, uint32_t validator, uint32_t depth, uint32_t index);
void replay_step(const struct action *action, uint32_t crash, const struct local *local);
void replay_last(const struct action *action);

/* From a leaf and one local state of each agent on: no more faults; everybody has to come back. */
void drain_run(struct search *s, const uint32_t chosen[MEMBERS_MAX]);

/* From now on the core is this variant of coord/mutation.h; false when there is none of that name, or this
 * program was built without them. */
bool broken_choose(const char *name);

#endif
