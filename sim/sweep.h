/* Many seeds of one configuration: rows, summary, and of what fails the command that repeats it. */
#ifndef STAGGER_SIM_SWEEP_H
#define STAGGER_SIM_SWEEP_H

#include "sim/mpi_run.h"

struct sweep {
    const struct sim_config *config;
    const struct genesis *genesis;
    const struct mpi_group *group;
    const char *command; /* that repeats a run, but for its seed */
    FILE *json;          /* NULL: none */
    FILE *people;        /* for the summary */
    FILE *shrunk; /* for the scenario of the first run that fails; NULL: none was asked for */

    /* out */
    int status; /* the worst of all runs */
    uint64_t failed_count;
    struct result first_failed;
    bool told; /* something was written to `shrunk` */
    char error[CONFIG_ERROR_MAX];
};

/* Returns false with sweep->error when the configuration does not fit or memory is short. */
bool sweep_run(struct sweep *sweep);

/* Strategy number i of those that a configuration asks for; false behind the last. */
bool sweep_strategy(const struct sim_config *config, size_t i, enum strategy *strategy);

/* Notes a row: its exit status with the expectations, the row in the results. Returns the status. */
int sweep_judge(const struct sim_config *config, const struct result *row, FILE *json);

/* Ends the results with the first summary, and shows people all of them; `names` where there is
 * more than one. A NULL stream takes nothing. */
void sweep_tell(FILE *json, FILE *people, const struct summary *summaries, const char *const *names,
                size_t count);

#endif
