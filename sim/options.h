/* The command line of `stagger sim`: every world key of config.h as a long option, and what to do
 * instead of a run. */
#ifndef STAGGER_SIM_OPTIONS_H
#define STAGGER_SIM_OPTIONS_H

#include <stdio.h>

#include "sim/config.h"

enum options_action {
    OPTIONS_RUN,
    OPTIONS_HELP,           /* --help, -h */
    OPTIONS_LIST_FAULTS,    /* --list-faults */
    OPTIONS_LIST_SCENARIOS, /* --list-scenarios */
};

/* Fills `config` from the defaults, the scenario, if one is named, and the options, which win over
 * it; what it held is not released. argv[0] is skipped. Returns true with the action, or false with
 * one line in `error`. In either case config_clear() is due. An action other than OPTIONS_RUN is
 * taken as soon as it is read, whatever follows it. */
bool options_read(struct sim_config *config, int argc, char **argv, enum options_action *action,
                  char error[CONFIG_ERROR_MAX]);

void options_usage(FILE *out);
void options_list_faults(FILE *out);
void options_list_scenarios(FILE *out);

#endif
