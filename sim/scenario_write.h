/* The way back from a configuration to the text of a scenario, as scenario_read_text() takes it.
 *
 * Only what differs from the defaults is written, a key a line, then the faults in the order in
 * which they happen:
 *
 *     validators 21
 *     hostile 0.05
 *     seed 4711
 *     at 403s crash-agent 3 for 5s
 *
 * Expectations are not written: what comes of it is a world to look at, not a test.
 */
#ifndef STAGGER_SIM_SCENARIO_WRITE_H
#define STAGGER_SIM_SCENARIO_WRITE_H

#include <stdio.h>

#include "sim/config.h"

/* Writes the world keys, the seed among them where `with_seed`. What no line can hold (a list of
 * reboots that is too long) is left out with a comment that says so, and false is returned. */
bool scenario_write_world(FILE *out, const struct sim_config *config, bool with_seed);

/* Writes "at TIME FAULT ..." and the end of the line. */
void scenario_write_fault(FILE *out, const struct fault *fault);

/* Names the world of a configuration, all but its seeds: equal worlds have equal names. */
#define WORLD_NAME_MAX 17
void scenario_world_name(const struct sim_config *config, char name[WORLD_NAME_MAX]);

#endif
