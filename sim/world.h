/* One simulated network: the chain, the hosts, the agents, the network between them, people and enemies.
 *
 *     queue ──> blocks.c   rounds, proposals, commits, mempool ──> model.h
 *           ──> agents.c   events to coord_step(), its effects back
 *           ──> hosts.c    nodes that stop, start, crash and catch up
 *           ──> talk.c     gossip: the daemon's own, on links of mesh.h
 *           ──> faults.c   what the scenario or the seed's fault set does
 *           ──> hostile.c  validators that break the rules
 *           ──> plain.c    the other strategies, for comparison
 *           <── checks.c   the invariants, after every step and every block
 *
 * Agents under the same charter that have seen the same blocks share one view; test_view_trace
 * shows that views of their own answer the same. Time is in milliseconds on the chain's clock. Nothing here reads a clock.
 */
#ifndef STAGGER_SIM_WORLD_H
#define STAGGER_SIM_WORLD_H

#include "coord/coord.h"
#include "coord/mutation.h"
#include "sim/config.h"
#include "sim/genesis.h"
#include "sim/progress.h"
#include "sim/queue.h"
#include "sim/random.h"
#include "sim/report.h"
#include "sim/trace.h"

#define VIEWS_MAX 12
#define INBOX_MAX 4
#define RPC_MS 5

enum happening_kind {
    HAPPEN_PROPOSE, /* what: token */
    HAPPEN_COMMIT,  /* what: token */
    HAPPEN_SHOW,    /* an agent's node shows it the head; what: agent's generation */
    HAPPEN_TIMER,   /* what: agent's generation */
    HAPPEN_SELF,    /* answers to what an agent asked; what: its generation */
    HAPPEN_NODE,
    HAPPEN_REFUSED,     /* what: generation << 32 | tx kind << 24 | code */
    HAPPEN_STEP,        /* a runtime step ended; what: node generation << 8 | step << 1 | ok */
    HAPPEN_SYNCED,      /* what: node generation */
    HAPPEN_HOST_UP,     /* after an accident; what: node generation */
    HAPPEN_AGENT_START, /* what: agent's generation */
    HAPPEN_TALK,        /* an instance of gossip gets its time; what: the mesh's token */
    HAPPEN_FRAME,       /* of gossip arrives; what: the mesh's number */
    HAPPEN_FAULT,       /* who: its number */
    HAPPEN_FAULT_END,
    HAPPEN_BY_HAND, /* an operator unpauses */
    HAPPEN_HOSTILE,
    HAPPEN_PLAIN, /* a plain strategy's validator acts */
};

/* Labels of the random streams. */
enum stream {
    STREAM_HASH = 1,
    STREAM_BLOCKS,
    STREAM_LATENCY,
    STREAM_REBOOT,
    STREAM_FORECAST,
    STREAM_ROLES,
    STREAM_FAIL,
    STREAM_GOSSIP,
    STREAM_FAULTS,
    STREAM_WHO,
    STREAM_HOSTILE,
    STREAM_PLAIN,
    STREAM_MEMPOOL,
    STREAM_VOTES,
};

struct host {
    bool up, synced, lost, hung;
    int64_t busy_ms;                /* until when its reinitialisation takes */
    bool fault;                     /* it is down by accident, not by choice */
    bool chosen;                    /* it went down by choice */
    bool rebooted;                  /* was down by choice and came up again */
    bool returned;                  /* seen signing after that */
    uint32_t tries;                 /* reinitialisations begun */
    uint32_t generation;            /* one more each time it goes down */
    uint64_t synced_height;         /* head when it got in step */
    uint64_t down_height;           /* head when it went down */
    uint32_t cut, deaf, mute, slow; /* how many faults say so at the moment */
    int64_t slow_ms, skew_ms, catch_up_ms;
    uint64_t lag;          /* blocks its RPC shows late */
    int64_t latency_ms;    /* one way, to anybody */
    int64_t changed_ms;    /* when it last went up or down */
    bool up_before;        /* at the latest commit, if it has changed since */
    int64_t reboot_ms;     /* how long its reboot takes */
    uint64_t enter_height; /* first height of its latest stay in the set; 0: never left */
};

struct inbox {
    enum tx_kind tx;
    uint64_t height;
    uint32_t code;
    bool happened;
};

struct agent {
    bool exists, wants, alive;
    struct coord core;
    struct coord_memory journal;
    enum coord_journal journal_state;
    uint32_t generation;
    uint32_t view; /* under which charter */
    uint64_t wake_block, shown;
    int64_t timer_ms;
    bool show_due;
    int32_t crash_after; /* effects until it dies; -1: it does not */
    int64_t dead_ms;     /* for how long, then */
    int64_t expected_ms;
    uint32_t inbox_count;
    struct inbox inbox[INBOX_MAX];
};

enum role {
    ROLE_ABSENT,
    ROLE_BYSTANDER,
    ROLE_AGENT,
    ROLE_HOSTILE
}; /* ABSENT: no member at the start */

struct hit { /* whom a fault has hit */
    uint32_t *who, count;
};

struct pending {
    struct model_tx tx;
    uint32_t origin;
    int64_t arrive_ms;
};

struct talk;   /* talk.c */
struct plain;  /* plain.c */
struct checks; /* checks.c */
struct hostile;

struct world {
    const struct sim_config *config;
    const struct genesis *genesis;
    uint64_t seed;
    struct charter charter;
    struct coord_policy policy;
    int64_t now_ms, start_ms;
    struct queue queue;
    struct model *chain;
    uint32_t count; /* records */
    struct host *hosts;
    struct agent *agents;
    uint8_t *roles;
    struct view *views[VIEWS_MAX];
    uint32_t view_count;
    struct view *judge; /* in builds with mutations only */
    struct trace *trace;
    struct result *result;
    struct progress *progress; /* of 1000; NULL: nobody looks */

    /* blocks.c */
    struct pending *mempool;
    uint32_t mempool_count, mempool_room;
    uint64_t tx_ids;
    uint32_t round;
    uint64_t propose_token;
    int64_t proposed_ms, header_ms, committed_ms, first_block_ms;
    bool stalled; /* no quorum */
    bool moved;   /* a block is due at the usual pace, though the chain may make no empty ones */
    uint32_t *missing, missing_count, *missing_next, missing_next_count; /* [count] */
    struct view_tx *block_txs;
    uint64_t *block_timeouts;
    uint8_t *block_authors;
    uint32_t block_tx_count, block_tx_room;
    uint8_t hash[HASH_SIZE];
    struct digest *digest;
    struct random blocks_random, mempool_random;

    struct talk *talk;
    struct plain *plain;
    struct checks *checks;
    struct hostile *hostile;
    struct fault *faults; /* the scenario's and the seed's */
    uint32_t fault_count;
    struct hit *hits;      /* [fault_count] */
    uint32_t *fault_views; /* [fault_count] the view of the charter that a vote brings */
    uint32_t faults_left;
    bool plan_told;
    double loss, bad_image;
    uint32_t other_view;  /* of the other charter, if there is one */
    uint32_t charter_now; /* view of the common charter */

    uint32_t undone;       /* agents that have neither returned nor been lost */
    uint32_t places;       /* most that can be out at once */
    int64_t longest_ms;    /* the longest turn */
    uint64_t quiet_blocks; /* blocks since anything moved */
    bool over, opened;

    /* for the page; NULL without it */
    struct report_point *points;
    uint32_t point_count, point_room;
    struct report_bar *bars;
    uint32_t bar_count, bar_room;
    uint32_t *open_bars; /* [2 * count] index + 1: out of the set, down */
    bool keep_history;
};

/* --- world.c --- */

/* Builds a world; NULL with a sentence when the configuration does not fit the network. */
struct world *world_create(const struct sim_config *config, const struct genesis *genesis,
                           uint64_t seed, struct trace *trace, struct result *result,
                           char error[CONFIG_ERROR_MAX]);
void world_run(struct world *world);
void world_destroy(struct world **world);

/* The charter of this configuration over this network, or a sentence why there is none. */
bool world_charter(const struct sim_config *config, const struct genesis *genesis,
                   struct charter *charter, char error[CONFIG_ERROR_MAX]);

static inline struct view *world_view(const struct world *w)
{
    return w->views[w->charter_now];
}

/* What the checks look at: a view that no mutation touches. In ordinary builds it is the agents' own. */
static inline struct view *world_judge(const struct world *w)
{
    return w->judge ? w->judge : world_view(w);
}

static inline void world_later(struct world *w, int64_t in_ms, enum happening_kind kind,
                               uint32_t who, uint64_t what)
{
    queue_put(&w->queue, w->now_ms + (in_ms > 0 ? in_ms : 0), kind, who, what);
}

static inline bool world_draws(const struct world *w)
{
    return w->config->strategy == STRATEGY_DRAW;
}

/* A view under the common charter of an agent that lacks all blocks so far; its number. */
uint32_t world_late_view(struct world *w);

/* --- blocks.c --- */
void blocks_start(struct world *w);
void blocks_propose(struct world *w, uint64_t token);
void blocks_commit(struct world *w, uint64_t token);
void blocks_poke(struct world *w); /* somebody came back: a stalled chain may go on */

/* Hands a transaction to `origin`'s node; false: refused by CheckTx with `code`. The sequence is filled in. */
bool blocks_submit(struct world *w, uint32_t origin, struct model_tx *tx, int64_t delay_ms,
                   uint32_t *code);

/* A transaction of one message by `signer`, fee and gas set. */
struct model_tx blocks_tx(struct world *w, uint32_t signer, enum msg_kind kind,
                          enum model_author by);
void blocks_join_memo(struct world *w, struct model_tx *tx, uint32_t class_minutes,
                      uint32_t charter);

/* Puts a forged transaction into the block that is being made. */
void blocks_forge(struct world *w, uint32_t victim, enum msg_kind kind);
bool host_signs(const struct world *w, uint32_t v); /* up, in step and heard by the rest */

/* --- hosts.c --- */
void hosts_start(struct world *w);
void host_down(struct world *w, uint32_t v, bool fault);
void host_up(struct world *w, uint32_t v);
void host_synced(struct world *w, uint32_t v, uint32_t generation);
void host_heard_again(struct world *w, uint32_t v); /* a partition healed */
bool host_sees(const struct world *w, uint32_t v);  /* blocks reach it */
void host_forced(struct world *w, uint32_t v);
void host_lose(struct world *w, uint32_t v);
void host_step(struct world *w, uint32_t v, enum coord_step_kind step);
void hosts_seen_signing(struct world *w, int64_t time_ms); /* after a block: who is back */

/* --- agents.c --- */
void agents_start(struct world *w);
void agents_block(struct world *w); /* a block was committed */
void agents_handle(struct world *w, const struct happening *h);
void agents_event(struct world *w, uint32_t v, struct coord_event *event);
void agents_die(struct world *w, uint32_t v, int64_t for_ms);
struct height agent_head(const struct world *w, uint32_t v); /* that its node has shown it */
void agents_tell_node(struct world *w, uint32_t v);
void agents_tell_plan(struct world *w, uint32_t v);
void agents_included(struct world *w, uint32_t v, enum tx_kind tx, uint32_t code, bool happened);
void agents_command(struct world *w, uint32_t v, enum coord_command command, int64_t expected_ms);
void agents_under(struct world *w, uint32_t v, uint32_t view); /* changes its charter */

/* --- talk.c --- */
bool talk_create(struct world *w);
void talk_destroy(struct world *w);
void talk_start(struct world *w); /* before the agents */
void talk_block(struct world *w);
void talk_up(struct world *w, uint32_t v); /* its agent starts */
void talk_down(struct world *w, uint32_t v);
void talk_news(struct world *w, uint32_t v); /* its agent has something to say */
void talk_happen(struct world *w, const struct happening *h);
void talk_harm(struct world *w, uint32_t v);

/* What others tell this agent; false when it hears nobody. */
bool talk_opinion(const struct world *w, uint32_t v, struct coord_peers *peers);

/* False when `holder` has a record of the honest `about` that this one has never signed. */
bool talk_sound(const struct world *w, uint32_t *holder, uint32_t *about);

/* --- faults.c --- */
bool faults_create(struct world *w);
void faults_destroy(struct world *w);
void fault_begin(struct world *w, uint32_t number);
void fault_end(struct world *w, uint32_t number);
void faults_by_hand(struct world *w, uint32_t v);
void faults_plan_done(struct world *w, const struct model_change *changes, uint32_t count);

/* --- hostile.c --- */
bool hostile_create(struct world *w);
void hostile_destroy(struct world *w);
bool hostile_to_gossip(const struct world *w, uint32_t v); /* by its habit */
void hostile_block(struct world *w, const struct draw *draw);
void hostile_propose(struct world *w, uint32_t proposer);
void hostile_act(struct world *w, uint32_t v);

/* --- plain.c --- */
bool plain_create(struct world *w);
void plain_destroy(struct world *w);
void plain_block(struct world *w);
void plain_act(struct world *w, uint32_t v);

/* --- checks.c --- */
bool checks_create(struct world *w);
void checks_destroy(struct world *w);
void checks_step(struct world *w, uint32_t v, const struct coord *before,
                 const struct coord_effects *effects);
void checks_tx(struct world *w, const struct view_tx *tx, uint64_t timeout_height,
               enum model_author by);
void checks_block(struct world *w, const struct draw *draw);
void checks_dead(struct world *w);
void checks_end(struct world *w);
void checks_violate(struct world *w, const char *invariant, uint32_t validator, const char *format,
                    ...) __attribute__((format(printf, 4, 5)));

#endif
