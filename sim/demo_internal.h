/* What the files of the demo share. Nobody else includes this.
 *
 *     demo.c            the command; from one phase to the next, and the end
 *     demo_options.c    the command line
 *     demo_place.c      the directory: nodes' trees, agents' settings
 *     demo_child.c      processes: started, followed, ended to the last one
 *     demo_watch.c      what can be seen: blocks, nodes
 *     demo_judge.c      what the blocks say (demo_judge.h)
 *     demo_table.c      the table in a terminal, or lines
 *     demo_end.c        the summary and the page
 *
 *     DIR/net/            the devnet's own directory
 *     DIR/agent/N/        agent.conf, log, what the agent keeps
 *     DIR/node/N/cosmovisor/{genesis,upgrades/v2}/bin/node
 */
#ifndef STAGGER_SIM_DEMO_INTERNAL_H
#define STAGGER_SIM_DEMO_INTERNAL_H

#include "sim/demo_judge.h"
#include "sim/devnet_internal.h"

#define DEMO_VALIDATORS_MIN 4 /* fewer have no budget at all */
#define DEMO_VALIDATORS_MAX 40
#define DEMO_VERSION_OLD "v1"
#define DEMO_VERSION_NEW "v2"
#define DEMO_DOING_MAX 96

enum demo_option {
    DEMO_CHAIN,
    DEMO_VALIDATORS,
    DEMO_BLOCK_TIME,
    DEMO_REBOOT,
    DEMO_DIR,
    DEMO_KEEP,
    DEMO_HTML,
    DEMO_HELP,
    DEMO_OPTION_COUNT,
};

struct demo_options {
    bool given[DEMO_OPTION_COUNT];
    uint64_t number[DEMO_OPTION_COUNT]; /* durations in ms */
    const char *text[DEMO_OPTION_COUNT];
};

MUST_CHECK bool demo_options_read(int argc, char **argv, struct demo_options *options,
                                  struct fault *fault);
void demo_usage(FILE *out);

/* --- processes --- */

struct demo_child {
    pid_t pid; /* 0: none; stays once it has ended */
    bool runs;
    int status; /* waitpid()'s, once it has ended */
    char log[DEVNET_PATH_MAX];
};

/* Starts this program with these words behind its name, in a session of its own; what it says goes to the log. */
MUST_CHECK bool demo_child_start(struct demo_child *child, char *const *words, const char *log,
                                 struct fault *fault);

/* Until a child ended, a signal for us came (demo->signal), or so long. */
struct demo;
void demo_wait(struct demo *demo, int64_t timeout_ms);

/* Ends the children first, in order, then whatever of theirs is left: nothing runs when this returns. */
void demo_children_end(struct demo *demo);

/* "agent 3 ended with status 1: its last words; see LOG" */
void demo_child_fault(const struct demo_child *child, const char *name, struct fault *fault);

/* --- the demo --- */

enum demo_phase {
    DEMO_BEGINNING,
    DEMO_NETWORK, /* the chain process is starting */
    DEMO_AGENTS,  /* agents start their nodes; until everybody signs */
    DEMO_ASKING,  /* each agent is told to reboot its node */
    DEMO_TURNS,   /* they go, and come back */
    DEMO_OVER,
};

struct demo_node { /* of one validator, as one sees it from outside */
    struct demo_child agent, key, ask;
    int64_t ask_again_ms;             /* monotonic */
    bool asked;                       /* its agent has taken the order */
    pid_t pid;                        /* of the node; 0: it is down */
    char version[DEVNET_VERSION_MAX]; /* that it shows; "": not asked yet */
    int64_t height;                   /* likewise; 0 */
    int64_t down_ms;                  /* Unix: since when it is down */
    char said[DEMO_DOING_MAX];        /* in the lines, last */
};

struct demo {
    struct demo_options options;
    uint32_t count;
    enum demo_phase phase, phase_said;
    char *dir;          /* absolute */
    bool remove;        /* at the end */
    uint16_t base_port; /* nodes, then the agents' gossip */
    char program[DEVNET_PATH_MAX];
    struct charter charter;

    int signals; /* signalfd */
    int signal;  /* that ended us; 0 */
    bool failed;
    struct fault fault;

    struct demo_child devnet;
    struct devnet_dir net;
    bool net_open;
    struct store *store;
    struct judge *judge;
    struct demo_node nodes[DEMO_VALIDATORS_MAX];
    struct report_bar *downs; /* times in which a node was down */
    uint32_t down_count;

    int64_t start_ms, limit_ms; /* monotonic */
    bool terminal;
    uint32_t lines; /* of the table that stands in the terminal */
};

bool demo_fail(struct demo *demo); /* with demo->fault; returns false */
int64_t demo_now_ms(void);         /* monotonic */

/* --- the directory --- */

MUST_CHECK bool demo_place_make(struct demo *demo);   /* dir, and what the devnet does not make */
MUST_CHECK bool demo_place_agents(struct demo *demo); /* settings; the devnet is up */
void demo_place_remove(struct demo *demo);            /* when it is ours to remove */

MUST_CHECK bool demo_keys_make(struct demo *demo); /* of gossip: starts who makes them */
bool demo_keys_ready(const struct demo *demo);

/* "DIR/NAME/N/FILE"; returns path. */
const char *demo_file(const struct demo *demo, const char *name, uint32_t validator,
                      const char *file, char path[DEVNET_PATH_MAX]);

/* --- what can be seen --- */

void demo_watch(struct demo *demo); /* new blocks, nodes that come and go */
bool demo_versions_new(
    struct demo *demo); /* every node shows the new version on its RPC, asked now */

/* What a validator is doing, from the blocks and its node alone. */
void demo_doing(const struct demo *demo, uint32_t validator, char text[DEMO_DOING_MAX]);

/* --- words --- */

void demo_table(struct demo *demo);       /* now: the table anew, or the lines that are new */
void demo_table_clear(struct demo *demo); /* nothing of it is in the way of what follows */
bool demo_end(struct demo *demo);         /* summary and page; whether all is true */

#endif
