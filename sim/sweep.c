#include "sim/sweep.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/scenario_write.h"
#include "sim/shrink.h"

#define RUNS_PER_JOB 64 /* seeds between two writes of rows */
#define THREADS_MAX 64
#define COMMANDS_SHOWN 20 /* of runs that failed */
#define COMMAND_ROOM 2100

static const enum strategy compared[STRATEGY_COUNT] = {
    STRATEGY_DRAW,     STRATEGY_CENTRAL,      STRATEGY_OMNISCIENT,
    STRATEGY_ONE_LOCK, STRATEGY_RANDOM_DELAY, STRATEGY_ALL_AT_ONCE,
};

bool sweep_strategy(const struct sim_config *config, size_t i, enum strategy *strategy)
{
    if (i >= (config->compare ? STRATEGY_COUNT : 1))
        return false;
    *strategy = config->compare ? compared[i] : config->strategy;
    return true;
}

int sweep_judge(const struct sim_config *config, const struct result *row, FILE *json)
{
    int status = run_status(row);
    bool draw = strcmp(row->strategy, strategy_name(STRATEGY_DRAW)) == 0;
    if (draw && run_judge(config, row, status) > 0)
        status = run_worse(status, RUN_VIOLATED);
    if (json)
        report_json(json, row);
    return status;
}

/* --- batches --- */

static uint32_t thread_count(const struct sweep *sweep)
{
    long cores = sweep->config->mpi ? 1 : sysconf(_SC_NPROCESSORS_ONLN); /* a rank has its core */
    uint32_t jobs = sweep->config->jobs;
    uint32_t count = jobs ? jobs : cores > 0 ? (uint32_t)cores : 1;
    return count < THREADS_MAX ? count : THREADS_MAX;
}

static void note_failed(struct sweep *sweep, const struct result *row, int status)
{
    if (shrink_wants(row) && !shrink_wants(&sweep->first_failed))
        sweep->first_failed = *row;
    if (++sweep->failed_count <= COMMANDS_SHOWN)
        fprintf(stderr, "seed %" PRIu64 ": exit status %d; repeat it with: %s --seed %" PRIu64 "\n",
                row->seed, status, sweep->command, row->seed);
}

/* Rows of one batch of seeds: written, judged, and reduced to what the summary needs. */
static void take_rows(struct sweep *sweep, const struct result *rows, uint64_t count,
                      struct report_sample *samples)
{
    for (uint64_t i = 0; i < count; i++) {
        int status = sweep_judge(sweep->config, &rows[i], sweep->json);
        sweep->status = run_worse(sweep->status, status);
        samples[i] = report_sample(&rows[i]);
        if (status != RUN_WELL)
            note_failed(sweep, &rows[i], status);
    }
}

struct batch {
    struct sim_config config; /* of one strategy; borrows what the sweep's owns */
    struct run_seeds seeds;
    uint32_t threads, room; /* rows of one rank */
    struct result *own, *all;
};

/* Runs this rank's part of `count` seeds from number `done` on and brings all to rank 0. */
static bool run_part(struct sweep *sweep, struct batch *b, uint64_t done, uint64_t count)
{
    uint64_t rank = (uint64_t)sweep->group->rank, size = (uint64_t)sweep->group->size;
    uint64_t most = (count + size - 1) / size; /* of any rank */
    struct run_seeds part = {b->seeds.first + (done + rank) * b->seeds.step, b->seeds.step * size,
                             rank < count ? (count - rank - 1) / size + 1 : 0};
    memset(b->own, 0, b->room * sizeof *b->own);
    for (uint64_t i = part.count; i < most; i++) /* a place to fill up */
        b->own[i].strategy = strategy_name(b->config.strategy);
    bool ok = run_many(&b->config, sweep->genesis, &part, b->threads, b->own, sweep->error);
    if (!sweep->group->begun)
        return ok; /* its rows are all rows */
    return mpi_group_agree(sweep->group, ok, sweep->error) &&
           mpi_group_gather(sweep->group, b->own, (uint32_t)most, b->all, sweep->error);
}

static bool run_batches(struct sweep *sweep, struct batch *b, struct report_sample *samples)
{
    bool quiet = sweep->config->quiet;
    const char *name = sweep->config->compare ? strategy_name(b->config.strategy) : "seeds";
    struct progress *progress = quiet ? NULL : progress_create(name, b->seeds.count);
    uint64_t room = (uint64_t)b->room * (uint64_t)sweep->group->size;
    bool ok = true;
    for (uint64_t done = 0; ok && done < b->seeds.count;) {
        uint64_t count = b->seeds.count - done < room ? b->seeds.count - done : room;
        ok = run_part(sweep, b, done, count);
        if (ok && sweep->group->rank == 0)
            take_rows(sweep, b->all, count, samples + done);
        done += count;
        progress_step(progress, done, NULL);
    }
    progress_end(&progress);
    return ok;
}

static bool run_strategy(struct sweep *sweep, enum strategy strategy, struct summary *summary)
{
    bool first = sweep->group->rank == 0;
    struct batch b = {.config = *sweep->config, .seeds = run_seeds(sweep->config)};
    b.config.strategy = strategy;
    b.threads = thread_count(sweep);
    b.room = b.threads * RUNS_PER_JOB;
    b.own = calloc(b.room, sizeof *b.own);
    b.all = b.own;
    if (sweep->group->begun)
        b.all = calloc(first ? (size_t)b.room * (size_t)sweep->group->size : 1, sizeof *b.all);
    struct report_sample *samples = calloc(first ? b.seeds.count : 1, sizeof *samples);
    bool ok = b.own && b.all && samples;
    if (!ok)
        snprintf(sweep->error, sizeof sweep->error,
                 "--seeds: not enough memory for %" PRIu64 " rows; give a shorter range, or a part "
                 "of it with --shard",
                 b.seeds.count);
    ok = mpi_group_agree(sweep->group, ok, sweep->error) && run_batches(sweep, &b, samples);
    if (ok && first)
        *summary = report_summarise(samples, b.seeds.count);
    free(samples);
    if (b.all != b.own)
        free(b.all);
    free(b.own);
    return ok;
}

/* --- the end --- */

static void mark_shard(const struct sweep *sweep, struct summary *summary)
{
    const struct sim_config *c = sweep->config;
    if (!c->shards)
        return;
    summary->part =
        (struct summary_shard){c->shard, c->shards, c->seed_first, c->seed_last, sweep->status, ""};
    scenario_world_name(c, summary->part.world);
}

/* A scenario that says how it is to end is no news when it does. */
static bool expects_exit(const struct sim_config *config)
{
    for (uint32_t i = 0; i < config->expectation_count; i++)
        if (strcmp(config->expectations[i].key, "exit") == 0)
            return true;
    return false;
}

static void tell_failed(struct sweep *sweep)
{
    const struct sim_config *c = sweep->config;
    const struct result *failed = &sweep->first_failed;
    char command[COMMAND_ROOM];
    if (sweep->failed_count > COMMANDS_SHOWN)
        fprintf(stderr, "... and %" PRIu64 " more seeds; %" PRIu64 " have failed in all\n",
                sweep->failed_count - COMMANDS_SHOWN, sweep->failed_count);
    if (!shrink_wants(failed))
        return;
    snprintf(command, sizeof command, "%s --seed %" PRIu64, sweep->command, failed->seed);
    sweep->told = sweep->shrunk != NULL;
    if (sweep->told)
        shrink_run(c, sweep->genesis, failed, command, sweep->shrunk);
    else if (!c->quiet && !expects_exit(c))
        shrink_run(c, sweep->genesis, failed, command, stderr);
}

void sweep_tell(FILE *json, FILE *people, const struct summary *summaries, const char *const *names,
                size_t count)
{
    if (json)
        report_json_summary(json, &summaries[0]);
    for (size_t i = 0; people && i < count; i++) {
        if (count > 1)
            fprintf(people, "%s%s: ", i ? "\n" : "", names[i]);
        report_table_summary(people, &summaries[i]);
    }
}

/* The last object of the results is the first strategy's summary: ours, where more are compared. */
bool sweep_run(struct sweep *sweep)
{
    struct summary summaries[STRATEGY_COUNT];
    const char *names[STRATEGY_COUNT];
    enum strategy strategy;
    size_t count = 0;
    sweep->first_failed.strategy = "";
    for (; sweep_strategy(sweep->config, count, &strategy); count++) {
        names[count] = strategy_name(strategy);
        if (!run_strategy(sweep, strategy, &summaries[count]))
            return false;
    }
    if (sweep->group->rank > 0)
        return true;
    mark_shard(sweep, &summaries[0]);
    sweep_tell(sweep->json, sweep->config->quiet ? NULL : sweep->people, summaries, names, count);
    tell_failed(sweep);
    return true;
}
