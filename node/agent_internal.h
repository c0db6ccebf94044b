/* The agent from within: one struct, and the few functions that its parts call in each other.
 *
 *     agent.c          life: from the configuration to a running core, and the way back
 *     agent_file.c     agent.json: who we are
 *     agent_step.c     events into the core, effects out; the one place that calls coord_step()
 *     agent_chain.c    what the chain is asked: self, plan, properties, one's own node
 *     agent_send.c     transactions: built, kept, sent, resumed
 *     agent_blocks.c   the feed: blocks into view and journal, the charter, the pace
 *     agent_peers.c    gossip: who may be heard, our record, what the others say
 *     agent_runtime.c  steps of the runtime, and its word for the journal
 *     agent_warn.c     what the operator should know though nothing waits for it
 *     agent_control.c  commands from the socket; agent_desk.h names its parts
 *     agent_status.c   what `status`, `turns`, `explain`, `ok-to-stop` answer
 */
#ifndef STAGGER_NODE_AGENT_INTERNAL_H
#define STAGGER_NODE_AGENT_INTERNAL_H

#include "node/agent.h"
#include "node/chain.h"
#include "node/control.h"
#include "node/feed.h"
#include "node/journal.h"
#include "node/runtime.h"
#include "node/transport_zmq.h"
#include "node/wake.h"

#define AGENT_SAID_MAX 256 /* sentences kept for `explain` */
#define AGENT_TX_MAX 4096  /* bytes; ours are a few hundred */
#define AGENT_WARNED_MAX 16
#define AGENT_IDLE_POLL_MS 1000
#define AGENT_TURN_POLL_MS 50 /* while a block may matter at once */
#define AGENT_BEGIN_ANEW_MS 5000

/* How far the agent has come since its start. */
enum agent_stage {
    AGENT_CONNECTING, /* the chain has not answered yet, or not with what we need */
    AGENT_READING,    /* blocks are read */
    AGENT_RUNNING,    /* the core runs */
};

struct agent_said {
    struct instant at;
    uint64_t height;
    enum coord_level level;
    char text[300];
};

struct agent {
    const struct settings *settings;
    zloop_t *loop;
    struct agent_config config;

    /* who we are; known is false before the chain or agent.json has told */
    bool known;
    char chain_id[CHAIN_ID_MAX];
    uint8_t account[ACCOUNT_ADDRESS_SIZE];
    uint8_t validator[ADDRESS_SIZE];
    char moniker[80];
    bool has_key; /* our node has shown the validator's consensus key: DCL's join repeats it */
    uint8_t consensus_key[ED25519_KEY_SIZE];
    struct signer *signer;

    struct rpc *rpc;
    struct chain *chain;

    enum agent_stage stage;
    char waiting_for
        [FAULT_MAX]; /* one sentence with a remedy; "" in AGENT_RUNNING when all is well */

    struct journal *journal;    /* NULL before it could be opened */
    struct journal_found found; /* its pointers are void by now */
    bool has_history;           /* the journal can give back the blocks */
    int journal_timer;          /* tries again while the disk is full */

    struct charter charter;
    struct feed *feed;
    bool feed_ready; /* its range has been read */
    bool hasty;

    struct coord_policy policy;
    struct coord core;
    bool started;          /* EVENT_START has been given */
    uint32_t self;         /* in the view */
    bool stepping;         /* within coord_step() and its effects */
    int64_t clock_base_ms; /* less zclock_mono(): agent_clock() */
    struct wake *wake;     /* at coord_deadline()'s instant: */
    struct instant time_at;

    struct height
        own_tx; /* the latest block if it holds a transaction of ours whose result is not yet known */

    uint64_t send_ticket; /* chain_submit() under way */
    enum tx_kind send_kind;
    struct height send_timeout; /* as the core knows it */
    struct tx_request send_request;
    struct chain_sent flight; /* what was last kept of it; its bytes: */
    uint8_t flight_bytes[AGENT_TX_MAX];
    size_t flight_size;
    char send_trouble[FAULT_MAX]; /* what became of the latest transaction, "" when it went well */

    uint64_t self_ticket, plan_ticket, records_ticket;
    bool self_again;
    bool self_wanted;      /* by the core; otherwise it hears of it only when it has changed */
    int64_t self_asked_ms; /* zclock_mono() */
    struct height
        node_since; /* what our node showed first after its latest start, HEIGHT_NONE: not yet */
    int64_t node_started_ms;                 /* zclock_mono() of that start, 0: before ours */
    int64_t node_asked_ms;                   /* of a question that is not yet answered, 0: none */
    int64_t plan_asked_ms, records_asked_ms; /* zclock_mono() */
    int64_t
        clock_off_ms; /* our clock less the chain's, when that is more than block times explain */
    int64_t
        block_seen_ms; /* zclock_mono() of the latest block that came while we followed, 0: none */
    bool clock_odd;    /* the latest block alone says that a clock is off */
    int beat_timer, connect_timer;

    struct gossip *gossip; /* NULL: off, or not yet */
    struct transport *transport;
    struct agent_peers *peers; /* what agent_peers.c keeps beside them */

    struct runtime *runtime;
    struct runtime_facts facts;
    bool runtime_is_blank; /* made before the journal was there */
    char runtime_kept[RUNTIME_KEPT_MAX], runtime_text[RUNTIME_TEXT_MAX];
    char failure[RUNTIME_TEXT_MAX];         /* of the latest step that failed, for our record */
    char runtime_trouble[RUNTIME_TEXT_MAX]; /* why the node is down, "" when it is not */
    int runtime_percent;
    enum coord_step_kind runtime_step; /* under way */
    bool stop_waits; /* a STOP, for the block that holds our last signature, or: */
    struct wake *stop_wake;

    struct control *control;
    struct agent_desk *desk; /* agent_desk.h: who waits for what */
    char reason[200];        /* the operator's, of the present pause */

    struct agent_said said[AGENT_SAID_MAX]; /* a ring */
    uint64_t said_count;

    uint32_t warned[AGENT_WARNED_MAX]; /* agent_gist() of the warnings in the log */
    int64_t warned_ms;                 /* zclock_mono() of the latest look at them */

    bool told_ready;
    char notified[200]; /* the latest STATUS= */

    uint64_t die_at; /* a hook for tests: at which agent_point() from now on, 0: never */
};

/* --- agent.c --- */
struct instant agent_now(void); /* Unix time */
/* The core's clock: Unix time as it was when we started, and then without the jumps of a clock that is set. */
struct instant agent_clock(const struct agent *agent);
/* A sentence for the operator: log, `explain`. */
__attribute__((format(printf, 3, 4))) void agent_say(struct agent *agent, enum coord_level level,
                                                     const char *format, ...);
/* What stands between us and work, "" for nothing; said once when it changes. */
__attribute__((format(printf, 2, 3))) void agent_wait_for(struct agent *agent, const char *format,
                                                          ...);
void agent_changed(struct agent *agent);                  /* status watchers, sd_notify */
const struct view *agent_view(const struct agent *agent); /* NULL before there is one */

/* Who we are is known: agent.json, journal, runtime, gossip. */
MUST_CHECK bool agent_identify(struct agent *agent, struct fault *fault);

/* --- agent_step.c --- */
/* A hook for tests, $STAGGER_TEST_DIE_AT=N: at the N-th of these points the process dies as by kill -9. */
void agent_point(struct agent *agent);
/* One event through the core, its effects carried out. Nothing before EVENT_START. */
void agent_event(struct agent *agent, struct coord_event *event);
void agent_time(void *agent); /* that instant has come */
void agent_start_core(struct agent *agent);
void agent_arm(struct agent *agent);  /* timer and pace for what the core waits for */
bool agent_sync(struct agent *agent); /* journal_sync() with EVENT_STORE and retries */

/* --- agent_blocks.c --- */
void agent_show_head(struct agent *agent); /* the latest block to the core, if it has not seen it */
void agent_pace(struct agent *agent, bool haste);
MUST_CHECK bool agent_blocks_start(struct agent *agent, struct fault *fault);
void agent_blocks_stop(struct agent *agent);
void agent_blocks_records(struct agent *agent); /* the records have been read anew */
/* The charter as chain and settings have it now; restarts the feed on the kept blocks when it has changed. */
void agent_charter_changed(struct agent *agent, uint64_t min_validators);

/* --- agent_chain.c --- */
void agent_chain_connect(
    struct agent *agent); /* asks until everything needed at a start is known */
void agent_ask_self(struct agent *agent);
void agent_ask_node(struct agent *agent);
void agent_tell_node(
    struct agent *agent); /* what the feed has seen of it, if it says something new */
void agent_ask_plan(struct agent *agent);
void agent_tell_plan(struct agent *agent); /* what was last read, if it says something new */
void agent_ask_records(struct agent *agent);
void agent_node_restarted(struct agent *agent);
void agent_chain_beat(struct agent *agent);  /* each second */
void agent_look_around(struct agent *agent); /* warnings that are new go to the log */

/* --- agent_file.c --- */
MUST_CHECK bool agent_file_read(struct agent *agent, struct fault *fault); /* fills `known` */
MUST_CHECK bool agent_file_write(struct agent *agent, struct fault *fault);

/* --- agent_send.c --- */
void agent_send_found(
    struct agent *agent); /* what the journal has found on its way, before its first append */
void agent_send(struct agent *agent, const struct coord_effect *effect);
void agent_send_resume(struct agent *agent);

/* --- agent_peers.c --- */
/* Gossip from the settings; does nothing with gossip.off. Needs to know who we are. */
MUST_CHECK bool agent_peers_start(struct agent *agent, struct fault *fault);
void agent_peers_stop(struct agent *agent);
void agent_peers_allow(struct agent *agent);    /* the chain's recent sets, with their accounts */
void agent_peers_announce(struct agent *agent); /* our record, from core, runtime and head */
void agent_peers_tell(struct agent *agent);     /* EVENT_PEERS if it says something new */

/* --- agent_runtime.c --- */
MUST_CHECK bool agent_runtime_start(struct agent *agent, struct fault *fault);
void agent_runtime_step(struct agent *agent, enum coord_step_kind step);
void agent_runtime_block(struct agent *agent);  /* the view has taken in one more */
void agent_runtime_follow(struct agent *agent); /* up or by hand, as the core's state says */
void agent_runtime_unheard(
    struct agent *agent); /* nobody answers: our node is started if it is down */

/* --- agent_warn.c --- */
typedef void agent_warned(void *owner, const char *line);
/* What is wrong though nothing waits for it, a line each. */
void agent_warnings(const struct agent *agent, agent_warned *tell, void *owner);
/* False when the account can pay a turn, or nobody knows. */
MUST_CHECK bool agent_funds_sentence(const struct agent *agent, char *text, size_t size);
/* A hash of a sentence without its numbers: heights and times make no other one. */
uint32_t agent_gist(const char *text);

/* --- agent_control.c, agent_status.c --- */
MUST_CHECK bool agent_control_start(struct agent *agent, struct fault *fault);
void agent_control_stop(struct agent *agent);
void agent_control_changed(struct agent *agent); /* who watches is told */
json_t *agent_status(const struct agent *agent);

#endif
