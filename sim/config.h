/* What to simulate: one struct that the command line and scenario files fill through one table of
 * keys.
 *
 * Every world key is a long option of `stagger sim` and a line of a scenario file:
 *
 *     --reboot lognormal:300s,0.4          reboot lognormal:300s,0.4
 *     --min-validators 67                  min-validators 67
 *
 * Durations are written 300s, 5m, 2h, 250ms; fractions 0.1, 10% or 2/3. Options given on the
 * command line win over those of the scenario file.
 */
#ifndef STAGGER_SIM_CONFIG_H
#define STAGGER_SIM_CONFIG_H

#include <stddef.h>

#include "sim/model.h"

#define CONFIG_ERROR_MAX 512
#define FAULT_WHO_MAX 16
#define FREEZE_DEFAULT (-1)
#define FREEZE_OFF (-2)
#define GOSSIP_SPEAKERS 8
#define GOSSIP_SPEAKERS_MAX 1024

enum strategy {
    STRATEGY_DRAW,
    STRATEGY_ALL_AT_ONCE,
    STRATEGY_RANDOM_DELAY,
    STRATEGY_ONE_LOCK,
    STRATEGY_CENTRAL,
    STRATEGY_OMNISCIENT,
    STRATEGY_COUNT,
};

struct duration { /* how long a reboot takes */
    enum { DURATION_CONSTANT, DURATION_LOGNORMAL, DURATION_LIST } kind;
    int64_t median_ms;
    double sigma;
    int64_t *list_ms; /* owned by the config; validator i takes entry i modulo the count */
    uint32_t list_count;
};

/* What hostile validators do; bits. */
enum hostile_kind {
    HOSTILE_PAUSE = 1,     /* pause without a permit, come back some minutes later */
    HOSTILE_CHARTER = 2,   /* join with another charter */
    HOSTILE_CLASS = 4,     /* join with a false class */
    HOSTILE_NO_SHOW = 8,   /* join and never go */
    HOSTILE_GREEDY = 16,   /* take turn after turn */
    HOSTILE_GOSSIP = 32,   /* forge and contradict gossip records, or flood */
    HOSTILE_PROPOSER = 64, /* put unsigned transactions in others' names into blocks */
    HOSTILE_ALL = 127,
};

enum fault_kind {
    FAULT_CRASH_AGENT,    /* agents die and start again `for` later; default 5 s */
    FAULT_CRASH_HOST,     /* host and agent go down by accident for `for` */
    FAULT_LOSE_HOST,      /* ... for good */
    FAULT_LOSE_JOURNAL,   /* the agent dies, its journal is gone, it starts again after `for` */
    FAULT_DAMAGE_JOURNAL, /* as above, but the journal is there and damaged */
    FAULT_PARTITION,      /* `who` against the rest, both ways, for `for` */
    FAULT_DEAF,           /* `who` hears nobody, but is heard */
    FAULT_MUTE,           /* `who` is heard by nobody, but hears */
    FAULT_SLOW,           /* links of `who` take `by` longer, for `for` */
    FAULT_CATCH_UP,       /* the nodes of `who` take `by` longer to get in step, for `for` */
    FAULT_PRUNED,         /* the agents of `who` lose every block and set from before now */
    FAULT_LAG,            /* the RPC of `who` shows blocks `count` blocks late, for `for` */
    FAULT_SKEW,           /* the clocks of `who` are `by` wrong from now on; may be negative */
    FAULT_LOSS,           /* gossip loses `fraction` of its frames, for `for` */
    FAULT_OPERATOR_PAUSE, /* the operators of `who` pause by hand and unpause `for` later */
    FAULT_MAINTENANCE,    /* the operators of `who` ask their agents for maintenance of `for` */
    FAULT_HOLD,           /* the operators of `who` hold their agents for `for` */
    FAULT_UNFREEZE,       /* the operators of `who` end a freeze */
    FAULT_MIN_VALIDATORS, /* a vote sets min_validators to `count` */
    FAULT_UPGRADE,        /* a soft upgrade is set for `for` from now; `fraction` vote YES */
    FAULT_VOTE,           /* `who` vote YES on it */
    FAULT_BAD_IMAGE,      /* from now on a `fraction` of the reboots never come back */
    FAULT_TRUSTEES,       /* DCL: the trustees disable `who` */
    FAULT_FATAL_PAIR,     /* `who`, paused, unpauses and pauses in one block: KIRA dies */
    FAULT_AGREE,          /* all agents adopt the common charter */
    FAULT_KIND_COUNT,
};

struct fault {
    enum fault_kind kind;
    int64_t at_ms;               /* after the first block */
    char who[FAULT_WHO_MAX * 6]; /* "3", "3,5,7", "10%", "half", "out" (whoever is out), "all" */
    int64_t for_ms; /* 0: not given, to the end of the run; of an upgrade: from at_ms on */
    int64_t by_ms;
    int64_t count;
    double fraction;
    uint32_t line; /* of the scenario file */
};

enum expect_op { EXPECT_EQ, EXPECT_LE, EXPECT_GE };

struct expectation { /* "expect done all", "expect min_live >= 67", "expect exit 4" */
    char key[32];    /* a key of the results file, or "exit" */
    enum expect_op op;
    double value;
    bool all; /* "all": the number of agents */
    uint32_t line;
};

struct sim_config {
    /* world */
    char genesis[512]; /* file; empty: a synthetic network */
    enum chain_kind chain;
    uint32_t validators;     /* synthetic, all ACTIVE members; default 100 */
    uint64_t min_validators; /* 0: as the chain has it; synthetic: floor(2/3 of the set) + 1 */
    uint32_t phi_num, phi_den;
    int64_t block_time_ms;  /* default 6000 */
    int64_t empty_block_ms; /* 0: empty blocks at once; else the interval of chains without them */
    uint32_t epoch_blocks;  /* W; default 3 */
    uint32_t live_blocks, round_blocks, joins_max; /* k, L, J; 0: the charter's default */
    uint64_t reference_blocks;                     /* M; 0: default */
    int64_t reserve;                               /* RESERVE_DEFAULT or a number */
    enum draw_order order;
    bool ramp;
    uint32_t ramp_a, ramp_b;
    bool guard; /* KIRA's records guard in KIP_54's own wording */

    /* people and hosts */
    int64_t agents; /* -1: all members but no_agent */
    double no_agent;
    struct duration reboot;
    double forecast; /* relative error of an agent's own expectation */
    double fail;     /* a reboot fails: half of these lose the host, half need a second try */
    double hostile;  /* fraction of the members */
    uint32_t hostile_kinds; /* HOSTILE_* bits */
    double other_charter;   /* fraction of the agents that start with another charter */
    int64_t freeze;         /* z, FREEZE_DEFAULT or FREEZE_OFF */
    int64_t max_offline;    /* each operator's own cap; 0: none */
    int64_t own_floor;      /* each operator's own stricter floor; 0: none */

    /* network */
    double loss;        /* of gossip frames */
    int64_t latency_ms; /* median one way; default 80 */
    uint32_t gossip;    /* agents whose gossip is simulated; default GOSSIP_SPEAKERS */

    /* run */
    enum strategy strategy;
    bool compare;
    uint64_t seed_first, seed_last;
    bool many_seeds;        /* --seeds was given */
    uint32_t shard, shards; /* of the seeds, part `shard` of `shards`, from 1; 0: all */
    bool mpi;
    const char *
        *merge; /* results to put together instead of a run; an owned list of borrowed names */
    uint32_t merge_count;
    uint32_t jobs;        /* 0: as many as there are cores */
    int64_t until_ms;     /* 0: until all is done, with a generous bound */
    int64_t open_ms;      /* agents may act from here on; 0: from the first block */
    char faults_name[32]; /* of a named fault set; empty: none */
    struct fault *faults; /* owned, ascending by at_ms */
    uint32_t fault_count;
    struct expectation *expectations; /* owned */
    uint32_t expectation_count;
    char scenario[512]; /* name or file it came from; empty: none */

    /* files; empty: none, "-": standard output */
    char json[512], trace[512], html[512], shrink[512];
    bool digest;
    bool quiet; /* no progress bar, no table */
};

void config_default(struct sim_config *config);
void config_clear(struct sim_config *config);

/* Sets one world key from its text. Returns false with a sentence that names the key, what it was
 * given, what was expected and an example. `where` begins the sentence: "--reboot" or "file.scn:7:
 * reboot". */
bool config_set(struct sim_config *config, const char *where, const char *key, const char *value,
                char error[CONFIG_ERROR_MAX]);

/* The table of keys, which the command line, scenario files and the usage text share. A section is
 * a heading of the usage text; of the keys of one pair only one is given. */
enum config_section {
    SECTION_WORLD,
    SECTION_PEOPLE,
    SECTION_NETWORK,
    SECTION_RUN,
    SECTION_OUTPUT,
    SECTION_COUNT,
};

enum config_pair {
    PAIR_NONE,
    PAIR_NETWORK,
    PAIR_SEED,
    PAIR_STRATEGY,
    PAIR_AGENTS,
};

struct config_key {
    const char *name;     /* without the dashes */
    const char *argument; /* as the usage text shows it; NULL: a flag without a value */
    const char *example;  /* a good value; NULL for a flag */
    enum config_section section;
    enum config_pair pair;
    bool command_line; /* an option only, no line of a scenario */
    const char *about;
};

/* Key number i in the order of the usage text; NULL behind the last. */
const struct config_key *config_key(uint32_t i);
const struct config_key *config_key_find(const char *name);

/* Writes what the key accepts: "a whole number from 1 to 16384". */
void config_expected(const struct config_key *key, char expected[CONFIG_ERROR_MAX]);

/* Writes the value of a key that a scenario may hold, as config_set() reads it; "" where it is what
 * config_default() gives, or where another key speaks for it. Returns false when there is no such
 * text: a list of reboots that is too long for a line. */
#define CONFIG_TEXT_MAX 960
bool config_text(const struct sim_config *config, const struct config_key *key,
                 char text[CONFIG_TEXT_MAX]);

/* Contradictions between keys. Same contract. What depends on the network is left out when a genesis
 * names it; config_check_network() is due once that is read, with its records and active members. */
bool config_check(const struct sim_config *config, char error[CONFIG_ERROR_MAX]);
bool config_check_network(const struct sim_config *config, uint32_t records, uint32_t members,
                          char error[CONFIG_ERROR_MAX]);

/* The named fault sets of --faults: random faults drawn from the seed. */
struct fault_set {
    const char *name, *about;
    double crash_agent, crash_host, lose_journal, partition, lag, slow, skew, operator_pause, loss;
    /* expected number of faults per agent and hour of the kind; loss is a fraction of frames */
};
const struct fault_set *fault_sets(uint32_t *count);
const struct fault_set *fault_set_find(const char *name);

/* The faults of scenario files, in the order of enum fault_kind. */
struct fault_form {
    const char *name;
    const char *form;    /* what stands behind the name: "WHO for DURATION" */
    const char *example; /* a whole line */
    const char *about;
};
const struct fault_form *fault_forms(uint32_t *count); /* FAULT_KIND_COUNT of them */

/* Reads a scenario: a shipped one by name, else a file. Keys that `fixed` names (given on the
 * command line, a NULL-terminated list; NULL: none) keep their value, and so do those that they
 * exclude. Bounded: 1 MB, 10,000 lines of 1,000 characters, 1,000 faults, 200 expectations.
 * Replaces the faults and expectations of `config`, which is only good for config_clear() after a
 * failure. The language: SCENARIOS.md. */
#define SCENARIO_SIZE_MAX 1048576
#define SCENARIO_LINES_MAX 10000
#define SCENARIO_LINE_MAX 1000
#define FAULTS_MAX 1000
#define EXPECTATIONS_MAX 200
bool scenario_read(struct sim_config *config, const char *name_or_path, const char *const *fixed,
                   char error[CONFIG_ERROR_MAX]);

/* The same from memory; `name` is what error lines call it. */
bool scenario_read_text(struct sim_config *config, const char *name, const char *text, size_t size,
                        const char *const *fixed, char error[CONFIG_ERROR_MAX]);

struct scenario {
    const char *name, *about, *text; /* about: its first comment line */
};
const struct scenario *scenarios(uint32_t *count); /* generated by embed_scenarios.cmake */

const char *strategy_name(enum strategy strategy);

#endif
