/* The command line of `stagger devnet`: one table of options, read strictly. */
#ifndef STAGGER_SIM_DEVNET_OPTIONS_H
#define STAGGER_SIM_DEVNET_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "proto/fault.h"

enum devnet_action {
    DEVNET_UP,   /* make or continue a devnet, and stay with it */
    DEVNET_STOP, /* the whole */
    DEVNET_STATUS,
    DEVNET_START, /* one process */
    DEVNET_END,   /* SIGTERM */
    DEVNET_KILL,  /* SIGKILL */
    DEVNET_RUN,   /* be that process: what the supervisor calls */
    DEVNET_HELP,
};

enum devnet_option {
    OPTION_CHAIN, /* enum chain_kind */
    OPTION_VALIDATORS,
    OPTION_CHAIN_ID,
    OPTION_MIN_VALIDATORS,
    OPTION_GUARD,
    OPTION_PROPOSAL_TIME,
    OPTION_ENACTMENT_TIME,
    OPTION_SEED,
    /* those above are the network's for good; those below may change from run to run */
    OPTION_BASE_PORT,
    OPTION_BLOCK_TIME,
    OPTION_EMPTY_BLOCKS,
    OPTION_TIMEOUT_PROPOSE,
    /* of one run */
    OPTION_DIR,
    OPTION_EXTERNAL_NODES,
    OPTION_SOFTWARE, /* of RUN */
    OPTION_DETACH,
    OPTION_HELP,
    OPTION_COUNT,
};
#define OPTION_FOR_GOOD OPTION_BASE_PORT /* the first that is not */

struct devnet_options {
    enum devnet_action action;
    uint32_t process; /* of START, END, KILL, RUN: a node, or DEVNET_CHAIN */
    bool given[OPTION_COUNT];
    uint64_t number[OPTION_COUNT]; /* durations in ms; defaults where not given */
    const char *text[OPTION_COUNT];
};

MUST_CHECK bool devnet_options_read(int argc, char **argv, struct devnet_options *options,
                                    struct fault *fault);

const char *devnet_option_name(enum devnet_option option); /* without its dashes */

void devnet_usage(FILE *out);

#endif
