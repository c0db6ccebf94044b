/* Runs of a network: one, with its trace, or many seeds on all cores. */
#ifndef STAGGER_SIM_RUN_H
#define STAGGER_SIM_RUN_H

#include "sim/progress.h"
#include "sim/world.h"

enum {
    RUN_WELL = 0,
    RUN_INPUT = 1,    /* a usage or input error */
    RUN_VIOLATED = 3, /* an invariant was violated */
    RUN_UNDONE = 4,   /* agents are undone that could have been done */
    RUN_STOPPED = 5,  /* the chain stopped for good */
};

struct run {
    const struct sim_config *config;
    const struct genesis *genesis;
    uint64_t seed;
    FILE *trace;                  /* NULL: none */
    struct progress *progress;    /* NULL: none; of 1000 */
    bool keep;                    /* keep the world, with its history for the page */
    struct world *world;          /* out, if kept: to be destroyed by the caller */
    struct result result;         /* out */
    char error[CONFIG_ERROR_MAX]; /* out: empty if all went well */
};

/* Returns false with run->error when the configuration does not fit the network or the trace could not be
 * written. */
bool run_one(struct run *run);

struct run_seeds { /* first, first + step, ... */
    uint64_t first, step, count;
};

/* The seeds that a configuration asks for: all of --seeds, or those of its shard. */
struct run_seeds run_seeds(const struct sim_config *config);

/* Runs these seeds on `jobs` threads; results are in the order of the seeds. One error of any of
 * them is returned in `error`. */
bool run_many(const struct sim_config *config, const struct genesis *genesis,
              const struct run_seeds *seeds, uint32_t jobs, struct result *results,
              char error[CONFIG_ERROR_MAX]);

/* The exit status that a run deserves; strategies other than the draw are only there to be compared. */
int run_status(const struct result *result);
int run_worse(int a, int b);

/* Tells on standard error which of the scenario's expectations the run did not meet; returns how many. */
uint32_t run_judge(const struct sim_config *config, const struct result *result, int status);

#endif
