/* A failing run made small: a scenario that fails in the same way and has little else in it.
 *
 *     seed 4711, --faults mixed, 52 faults          a scenario of 4 lines
 *     violates `floor` at block 311          ──>    validators 21, seed 4711,
 *                                                   at 403s crash-host 3 for 4m, ...
 *
 * First the random faults of a set become lines of their own with the times and validators that
 * the seed drew, then what is not needed goes: hostile members, failing reboots and other people,
 * then faults, by halves, quarters and so on down to one by one, as long as the run still violates
 * the same invariant, or is undone, or stops, as it was at first. Every trial is the text of a
 * scenario that is read back before it runs, so what is written in the end fails by itself.
 *
 * Habits of hostile members have no lines of their own in a scenario: `hostile` and `hostile-kinds`
 * stay where they are needed, with fewer members and kinds if that does it.
 *
 * Bounds: SHRINK_RUNS runs and SHRINK_SECONDS, of which the last run may take more. The smallest
 * that was found till then is what is written.
 */
#ifndef STAGGER_SIM_SHRINK_H
#define STAGGER_SIM_SHRINK_H

#include "sim/run.h"

#define SHRINK_RUNS 400
#define SHRINK_SECONDS 60

/* Whether the run ended in a way that can be shrunk: violated, undone or stopped, under the draw. */
bool shrink_wants(const struct result *failed);

/* Shrinks the run of `failed`, which this configuration and network gave, and writes the scenario.
 * `command` repeats the run and goes into the head of the text. Where no scenario can tell the
 * story the text says so in a comment, and false is returned. */
bool shrink_run(const struct sim_config *config, const struct genesis *genesis,
                const struct result *failed, const char *command, FILE *out);

#endif
