/* A small world for one member: a chain of n validators written by hand, our node on it, and a shell that
 * carries out the effects of one core and writes down what it does.
 *
 *     world_open(&w, NULL);                    ten validators, the view of a fresh chain
 *     world_start(&w, JOURNAL_KEPT);           EVENT_START, questions are answered at once
 *     world_command(&w, COMMAND_REBOOT, MINUTE_MS);
 *     world_join(&w, 3, 5);                    what the next block shall hold
 *     world_block(&w);                         commits it and shows it to us
 *     world_story(&w, "...");                  what was done since the last look, line by line
 *
 * We are validator 0, called US. A transaction of ours stands in the next block with code 0, unless
 * world_fate() says otherwise. A membership transaction in block h changes V(h+2). The runtime does its
 * steps at once and well, unless told otherwise. Blocks come every 6 s; the agent's clock is the header's.
 *
 * With ten members N is 10, the floor 7, the reserve 0 and the budget 3. A world must not be moved, and must
 * be all zero before it is opened first; opening it anew ends the one before.
 */
#ifndef STAGGER_TESTS_MEMBER_WORLD_H
#define STAGGER_TESTS_MEMBER_WORLD_H

#include "coord/coord.h"

#define WORLD_MAX 40 /* validators */
#define WORLD_TXS_MAX 48
#define WORLD_SENDS_MAX 1024
#define WORLD_NEWS_MAX 16
#define WORLD_STORY_MAX 131072
#define WORLD_START_MS INT64_C(86400000) /* header time of block 0: the midnight of some day */
#define WORLD_BLOCK_MS 6000
#define MINUTE_MS INT64_C(60000)
#define WORLD_WORK_MS 31000 /* with what surrounds it one minute out of the set: CLASS 1 */
#define US 0

/* What becomes of a transaction of ours. */
enum world_fate {
    FATE_TAKEN,   /* in the next block, with code 0 if the chain allows it */
    FATE_LOST,    /* in no block */
    FATE_REFUSED, /* by CheckTx, with code 4 */
    FATE_FAILED,  /* in the next block, with code 9 */
};

/* How much the story tells. */
enum world_tale {
    TALE_PLAIN, /* sentences from info on, transactions, the runtime, moves */
    TALE_WHOLE, /* every event that had an effect, and every effect */
    TALE_NONE,
};

struct world_setup {
    uint32_t members;
    enum chain_kind chain;
    bool rare_blocks; /* no empty blocks */
    uint32_t joins_max;
    uint32_t epoch_blocks;
    struct coord_policy policy;
};

struct world_send {
    enum tx_kind kind;
    struct height at, timeout; /* our head when it was sent */
    uint32_t class_minutes, charter;
    bool urgent; /* to return without a YES vote, by the clock */
};

struct world_node {
    bool up, stuck; /* stuck: it runs and shows no block */
    bool catching_up;
    bool foreign_key;
    uint32_t new_blocks;
    uint64_t lag;
};

struct member_world {
    struct world_setup setup;
    struct charter charter;
    struct view *view;
    struct view *other; /* of another charter, fed alike; NULL for none */
    struct coord core;
    bool alive;
    bool twice;  /* every event that may be repeated is */
    bool manual; /* questions and steps wait for the test */

    /* the chain */
    uint64_t height;
    int64_t block_ms;                      /* from one block to the next */
    struct instant time;                   /* of the latest header */
    bool next[WORLD_MAX], want[WORLD_MAX]; /* V(height + 1), V(height + 2) */
    bool will[WORLD_MAX];                  /* as the block to come decides */
    bool silent[WORLD_MAX];
    struct view_tx txs[WORLD_TXS_MAX];
    uint32_t tx_count;
    struct coord_self self; /* as the chain has us */

    /* our transactions */
    struct world_send pool[WORLD_SENDS_MAX];
    uint32_t pool_count;
    enum world_fate fate[TX_ACTIVATE + 1];
    uint32_t fate_left[TX_ACTIVATE + 1];
    struct coord_event news[WORLD_NEWS_MAX]; /* EVENT_INCLUDED, not delivered yet */
    uint32_t news_count;
    enum tx_kind refused; /* EVENT_REFUSED, not delivered yet */
    uint32_t refused_code;

    /* our host */
    struct instant now; /* the agent's clock */
    struct world_node node, told;
    enum coord_step_kind ended; /* a step whose end the agent has not been told */
    bool ended_ok;
    enum coord_step_kind failing;
    uint32_t failing_left, reinits, restores;
    bool ask_self, ask_node;
    struct coord_memory journal;
    bool written;

    /* the record */
    int64_t crash_after; /* effects until the agent dies; negative: never */
    int64_t effects;     /* carried out since world_open() */
    enum world_tale tale;
    bool given[REASON_COUNT]; /* reasons that were said */
    bool forgetful;           /* a journal was lost: what is in flight is not known any more */
    struct world_send sends[WORLD_SENDS_MAX];
    uint32_t send_count;
    char story[WORLD_STORY_MAX];
    size_t story_used;
};

/* Ten members of a KIRA chain that makes empty blocks, and the default policy. */
struct world_setup world_usual(void);

/* NULL: world_usual(). To be ended by world_close(), which may be called twice. */
void world_open(struct member_world *w, const struct world_setup *setup);
void world_close(struct member_world *w);

/* The beginnings of most stories: an agent that has looked around, at block 4; the same with a reboot under
 * way up to some state; out of the set, with the node stopped and the runtime silent until
 * world_come_back(). The story begins after them. All return w. */
struct member_world *world_begin(struct member_world *w, const struct world_setup *setup);
struct member_world *world_begin_turn(struct member_world *w, enum coord_state state);
struct member_world *world_begin_offline(struct member_world *w);
void world_come_back(struct member_world *w);

/* (Re)starts the agent with the journal as of the last PERSIST carried out, or as if it were lost or
 * damaged. JOURNAL_KEPT where nothing was ever written is a first start with an empty journal. */
void world_start(struct member_world *w, enum coord_journal journal);

/* The agent dies where it stands; its node and what it sent live on. */
void world_kill(struct member_world *w);

/* Before world_start(): our view knows nothing before this block, which comes next. */
void world_begin_late(struct member_world *w, uint64_t height);

/* From now on a second view follows, under a charter with another min_validators; world_change_charter()
 * makes it ours, as when a vote has changed that value. */
void world_second_charter(struct member_world *w, uint64_t min_validators);
void world_change_charter(struct member_world *w);

/* --- the block to come --- */

void world_tx(struct member_world *w, uint32_t validator, enum tx_kind kind, uint32_t code);
void world_join(struct member_world *w, uint32_t validator, uint32_t class_minutes);
void world_foreign_join(struct member_world *w, uint32_t validator);

/* The chain itself puts a validator out of the set or into it, as of the block after the next. */
void world_put(struct member_world *w, uint32_t validator, bool in_set);

/* Commits the next block; world_show() lets our node show it, which a node that is down does not. */
void world_commit(struct member_world *w);
void world_show(struct member_world *w);
void world_block(struct member_world *w); /* both */
void world_blocks(struct member_world *w, uint32_t count);
void world_to(struct member_world *w, uint64_t height);

/* Blocks until the core is in that state; fails after 200. */
void world_until(struct member_world *w, enum coord_state state);

/* --- events --- */

/* One event at the agent's clock, its effects carried out; then questions are answered unless manual. */
void world_event(struct member_world *w, struct coord_event event);
void world_command(struct member_world *w, enum coord_command command, int64_t expected_ms);
void world_plan(struct member_world *w, int64_t upgrade_in_ms, bool voted_yes);
void world_tell_node(struct member_world *w);
void world_tell_self(struct member_world *w);
void world_answer(struct member_world *w); /* all that is open */

/* Lets the agent's clock run; EVENT_TIME at each instant it asks for. */
void world_wait(struct member_world *w, int64_t ms);

void world_fate(struct member_world *w, enum tx_kind kind, enum world_fate fate, uint32_t times);
void world_fail_step(struct member_world *w, enum coord_step_kind step, uint32_t times);

/* --- the record --- */

enum coord_state world_state(const struct member_world *w);
bool world_in_set(const struct member_world *w, uint32_t validator); /* in V(height + 1) */
uint32_t world_sent(const struct member_world *w, enum tx_kind kind);
const struct world_send *world_last_send(const struct member_world *w, enum tx_kind kind);

/* Compares the story since the last look with `expected` and begins a new one. */
void world_story(struct member_world *w, const char *expected);
void world_forget(struct member_world *w);

/* Whether the story since the last look holds this text. */
bool world_told(const struct member_world *w, const char *text);
uint32_t world_told_times(const struct member_world *w, const char *text);

#endif
