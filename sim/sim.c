#include "sim/sim.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/options.h"
#include "sim/run.h"

#define RUNS_PER_JOB 64 /* seeds between two writes of rows */
#define SYNTHETIC "synthetic"
#define COMMAND_MAX 2000

/* One invocation. */
struct job {
    struct sim_config config;
    struct genesis genesis;
    FILE *json, *trace, *html;
    struct world *drawn; /* the run that the page shows */
    struct result rows[STRATEGY_COUNT];
    uint32_t row_count;
    int status;
    char command[COMMAND_MAX];
    char error[CONFIG_ERROR_MAX];
};

static const enum strategy compared[STRATEGY_COUNT] = {
    STRATEGY_DRAW,     STRATEGY_CENTRAL,      STRATEGY_OMNISCIENT,
    STRATEGY_ONE_LOCK, STRATEGY_RANDOM_DELAY, STRATEGY_ALL_AT_ONCE,
};

static int fail(const char *error)
{
    fprintf(stderr, "stagger sim: %s\n", error);
    return RUN_INPUT;
}

/* --- one seed --- */

static bool run_row(struct job *job, enum strategy strategy)
{
    struct sim_config config = job->config; /* borrows what the job's owns */
    bool first = job->row_count == 0;
    config.strategy = strategy;
    struct run run = {.config = &config, .genesis = &job->genesis, .seed = config.seed_first};
    run.trace = first ? job->trace : NULL;
    run.keep = first && job->html;
    run.progress = config.quiet ? NULL : progress_create(strategy_name(strategy), 1000);
    bool ok = run_one(&run);
    progress_end(&run.progress);
    if (first && run.world) {
        run.world->config = &job->config;
        job->drawn = run.world;
    }
    if (!ok) {
        memcpy(job->error, run.error, sizeof job->error);
        return false;
    }
    int status = run_status(&run.result);
    if (strategy == STRATEGY_DRAW && run_judge(&config, &run.result, status) > 0)
        status = run_worse(status, RUN_VIOLATED);
    job->status = run_worse(job->status, status);
    job->rows[job->row_count++] = run.result;
    if (job->json)
        report_json(job->json, &run.result);
    return true;
}

static bool run_rows(struct job *job)
{
    if (!job->config.compare)
        return run_row(job, job->config.strategy);
    for (size_t i = 0; i < STRATEGY_COUNT; i++)
        if (!run_row(job, compared[i]))
            return false;
    return true;
}

/* --- many seeds --- */

static uint32_t thread_count(const struct sim_config *config)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return config->jobs ? config->jobs : cores > 0 ? (uint32_t)cores : 1;
}

/* Rows of one batch of seeds: written, judged, and reduced to what the summary needs. */
static void take_rows(struct job *job, struct result *rows, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        int status = run_status(&rows[i]);
        if (run_judge(&job->config, &rows[i], status) > 0)
            status = run_worse(status, RUN_VIOLATED);
        job->status = run_worse(job->status, status);
        if (job->json)
            report_json(job->json, &rows[i]);
        if (status != RUN_WELL && !job->config.quiet)
            fprintf(stderr,
                    "seed %" PRIu64 ": exit status %d; repeat it with: %s --seed %" PRIu64 "\n",
                    rows[i].seed, status, job->command, rows[i].seed);
    }
}

static bool run_seeds(struct job *job)
{
    const struct sim_config *c = &job->config;
    uint64_t total = c->seed_last - c->seed_first + 1;
    uint32_t threads = thread_count(c), room = threads * RUNS_PER_JOB;
    struct result *batch = calloc(room, sizeof *batch);
    struct report_sample *samples = calloc(total, sizeof *samples);
    struct progress *progress = c->quiet ? NULL : progress_create("seeds", total);
    bool ok = batch && samples;
    for (uint64_t done = 0; ok && done < total;) {
        uint32_t count = total - done < room ? (uint32_t)(total - done) : room;
        ok = run_many(c, &job->genesis, c->seed_first + done, count, threads, batch, job->error);
        for (uint32_t i = 0; ok && i < count; i++)
            samples[done + i] = report_sample(&batch[i]);
        if (ok)
            take_rows(job, batch, count);
        done += count;
        progress_step(progress, done, NULL);
    }
    progress_end(&progress);
    if (ok) {
        struct summary summary = report_summarise(samples, total);
        if (job->json)
            report_json_summary(job->json, &summary);
        if (!c->quiet)
            report_table_summary(stdout, &summary);
    } else if (job->error[0] == '\0') {
        snprintf(job->error, sizeof job->error,
                 "--seeds: not enough memory for %" PRIu64 " rows; give a shorter range", total);
    }
    free(samples);
    free(batch);
    return ok;
}

/* --- the network and the files --- */

static bool read_network(struct job *job)
{
    struct sim_config *c = &job->config;
    if (c->genesis[0] == '\0') {
        genesis_synthetic(&job->genesis, c->chain == CHAIN_KIRA ? "synthetic-1" : "synthetic-dcl",
                          c->validators, 0, 0, 0, c->min_validators);
    } else if (strcmp(c->genesis, SYNTHETIC) == 0) {
        genesis_synthetic(&job->genesis, "testnet-synthetic", 263, 119, 12, 6, 1);
    } else {
        if (!genesis_read(c->genesis, &job->genesis, job->error))
            return false;
        if (job->genesis.kind == CHAIN_DCL)
            c->chain = CHAIN_DCL;
        if (job->genesis.plain && !c->min_validators)
            job->genesis.properties.min_validators =
                2 * (uint64_t)job->genesis.record_count / 3 + 1;
    }
    return true;
}

static bool open_file(struct job *job, const char *option, const char *path, FILE **file)
{
    if (path[0] == '\0')
        return true;
    *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    if (*file)
        return true;
    snprintf(job->error, sizeof job->error,
             "--%s: %.200s: cannot be written: %s; name a file in a folder that exists", option,
             path, strerror(errno));
    return false;
}

static bool close_file(struct job *job, const char *option, const char *path, FILE **file)
{
    if (!*file)
        return true;
    bool ok = !ferror(*file) && (*file == stdout ? fflush(*file) : fclose(*file)) == 0;
    *file = NULL;
    if (!ok)
        snprintf(job->error, sizeof job->error,
                 "--%s: %.200s: could not be written in full; free the disk", option, path);
    return ok;
}

static bool open_files(struct job *job)
{
    const struct sim_config *c = &job->config;
    return open_file(job, "json", c->json, &job->json) &&
           open_file(job, "trace", c->trace, &job->trace) &&
           open_file(job, "html", c->html, &job->html);
}

static bool close_files(struct job *job)
{
    const struct sim_config *c = &job->config;
    bool json = close_file(job, "json", c->json, &job->json);
    bool trace = close_file(job, "trace", c->trace, &job->trace);
    return close_file(job, "html", c->html, &job->html) && json && trace;
}

/* --- what people see --- */

static void write_page(struct job *job)
{
    const struct world *w = job->drawn;
    char charter[CHARTER_TEXT_MAX], source[600];
    size_t size = charter_text(&w->charter, charter);
    for (size_t i = 0; i + 1 < size; i++)
        charter[i] = charter[i] == '\n' ? ';' : charter[i];
    charter[size - 1] = '\0';
    if (job->config.genesis[0])
        snprintf(source, sizeof source, "%s", job->config.genesis);
    else
        snprintf(source, sizeof source, "a synthetic network of %" PRIu32 " validators", w->count);
    struct report report = {
        .chain_id = job->genesis.chain_id,
        .source = source,
        .command = job->command,
        .charter = charter,
        .records = job->genesis.records,
        .record_count = job->genesis.record_count,
        .rows = job->rows,
        .row_count = job->row_count,
        .points = w->points,
        .point_count = w->point_count,
        .bars = w->bars,
        .bar_count = w->bar_count,
    };
    report_html(job->html, &report);
}

static void tell(const struct job *job)
{
    FILE *out =
        job->json == stdout || job->trace == stdout || job->html == stdout ? stderr : stdout;
    if (job->config.quiet || job->row_count == 0)
        return;
    report_table(out, job->rows, job->row_count);
    if (job->rows[0].agents > 0 && job->rows[0].permits == 0 && job->rows[0].done == 0 &&
        !job->rows[0].undone)
        fprintf(out,
                "Nobody can take a turn: the floor leaves no room among %" PRIu32
                " members. The rule needs 4 or more; lower the floor or add validators.\n",
                job->rows[0].members);
    if (job->config.html[0] && strcmp(job->config.html, "-") != 0)
        fprintf(out, "The page with the picture: %s\n", job->config.html);
}

/* The command that repeats this run, with quotes where a shell wants them. */
static void keep_command(struct job *job, int argc, char **argv)
{
    size_t used = (size_t)snprintf(job->command, COMMAND_MAX, "stagger");
    for (int i = 0; i < argc && used < COMMAND_MAX; i++) {
        bool plain =
            strspn(argv[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                            "-_./:,=%+@") == strlen(argv[i]);
        bool seeds = strcmp(argv[i], "--seeds") == 0;
        if (seeds && i + 1 < argc)
            i++;
        else
            used += (size_t)snprintf(job->command + used, COMMAND_MAX - used,
                                     plain ? " %s" : " '%s'", argv[i]);
    }
}

static bool run_job(struct job *job)
{
    if (!read_network(job) || !open_files(job))
        return false;
    bool ok = job->config.many_seeds ? run_seeds(job) : run_rows(job);
    if (ok && job->html && job->drawn)
        write_page(job);
    return ok;
}

static void clear_job(struct job *job)
{
    world_destroy(&job->drawn);
    genesis_clear(&job->genesis);
    config_clear(&job->config);
    free(job);
}

int sim_main(int argc, char **argv)
{
    enum options_action action;
    struct job *job = calloc(1, sizeof *job);
    assert(job);
    int status = RUN_WELL;
    keep_command(job, argc, argv);
    if (!options_read(&job->config, argc, argv, &action, job->error)) {
        status = fail(job->error);
    } else if (action == OPTIONS_HELP) {
        options_usage(stdout);
    } else if (action == OPTIONS_LIST_FAULTS) {
        options_list_faults(stdout);
    } else if (action == OPTIONS_LIST_SCENARIOS) {
        options_list_scenarios(stdout);
    } else {
        bool ran = run_job(job);
        if (ran)
            tell(job);
        bool closed = close_files(job);
        status = ran && closed ? job->status : fail(job->error);
    }
    clear_job(job);
    return status;
}
