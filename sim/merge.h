/* The results of shards put together: what one process over all seeds would have written.
 *
 *     stagger sim --seeds 1..1000000 --shard 1/3 --json a.json
 *     stagger sim --seeds 1..1000000 --shard 2/3 --json b.json     anywhere, in any order
 *     stagger sim --seeds 1..1000000 --shard 3/3 --json c.json
 *     stagger sim --merge a.json b.json c.json --json all.json
 *
 * Rows are copied as they are, in the order of the seeds (and of the strategies, where those are
 * compared); the summary is computed anew from the rows. Files of other --seeds ranges can be
 * merged too, as long as no seed is missing between the lowest and the highest.
 *
 * Refused, with the file, the line or seed, and the remedy: a line that is no row; a file without
 * its summary at the end, or with another number of rows than that says; a seed twice, or none
 * where one belongs; shards of other worlds, seeds or divisions.
 *
 * The files are mapped, not read into memory; each row takes some 80 bytes. They must not change
 * meanwhile.
 */
#ifndef STAGGER_SIM_MERGE_H
#define STAGGER_SIM_MERGE_H

#include "sim/run.h"

/* Merges the files that config->merge names. Rows and summary go to `json`, the summary for people
 * to `people`; NULL takes nothing. *status is the exit status of one process over all seeds.
 * Returns false with one line in `error`. */
bool merge_run(const struct sim_config *config, FILE *json, FILE *people, int *status,
               char error[CONFIG_ERROR_MAX]);

#endif
