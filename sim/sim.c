#include "sim/sim.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/input.h"
#include "sim/merge.h"
#include "sim/options.h"
#include "sim/shrink.h"
#include "sim/sweep.h"

#define SYNTHETIC "synthetic"
#define COMMAND_MAX 2000
#define UNWRITTEN_REMEDY "free the disk or write elsewhere"
#define PATH_ROOM sizeof(((struct sim_config *)0)->json)

enum output_kind { OUTPUT_JSON, OUTPUT_TRACE, OUTPUT_HTML, OUTPUT_SHRINK, OUTPUT_COUNT };

/* A file that is written as FILE.part and renamed when it is complete, so that what bears the name
 * is whole. What is no regular file (a pipe, a device, a link) is written in place. */
struct output {
    FILE *file; /* NULL: none is wanted */
    const char *option, *path;
    bool unused;              /* nothing was to be written: leave no file */
    char part[PATH_ROOM + 8]; /* empty: in place */
};

/* One invocation. */
struct job {
    struct sim_config config;
    struct genesis genesis;
    struct mpi_group group; /* alone, or one of many processes: then rank 0 speaks */
    struct output outputs[OUTPUT_COUNT];
    struct world *drawn; /* the run that the page shows */
    struct result rows[STRATEGY_COUNT];
    uint32_t row_count;
    int status;
    char command[COMMAND_MAX];
    char error[CONFIG_ERROR_MAX];
};

/* One line, whatever names of files it quotes. */
static int fail(const struct job *job)
{
    const char *error = job->error;
    if (job->group.rank > 0)
        return RUN_WELL;
    fputs("stagger sim: ", stderr);
    for (; *error; error++)
        putc((unsigned char)*error < ' ' || *error == 0x7f ? '?' : *error, stderr);
    putc('\n', stderr);
    return RUN_INPUT;
}

/* Where the table goes: beside files that go to standard output. */
static FILE *people_stream(const struct job *job)
{
    for (size_t i = 0; i < OUTPUT_COUNT; i++)
        if (strcmp(job->outputs[i].path, "-") == 0)
            return stderr;
    return stdout;
}

/* --- one seed --- */

static bool run_row(struct job *job, enum strategy strategy)
{
    struct sim_config config = job->config; /* borrows what the job's owns */
    bool first = job->row_count == 0;
    config.strategy = strategy;
    struct run run = {.config = &config, .genesis = &job->genesis};
    run.seed = run_seeds(&config).first;
    run.trace = first ? job->outputs[OUTPUT_TRACE].file : NULL;
    run.keep = first && job->outputs[OUTPUT_HTML].file;
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
    job->rows[job->row_count++] = run.result;
    job->status =
        run_worse(job->status, sweep_judge(&config, &run.result, job->outputs[OUTPUT_JSON].file));
    return true;
}

static bool run_rows(struct job *job)
{
    enum strategy strategy;
    for (size_t i = 0; sweep_strategy(&job->config, i, &strategy); i++)
        if (!run_row(job, strategy))
            return false;
    return true;
}

/* A scenario is written when it was asked for and the run failed. */
static bool run_single(struct job *job)
{
    struct output *shrunk = &job->outputs[OUTPUT_SHRINK];
    if (!run_rows(job))
        return false;
    shrunk->unused = !shrink_wants(&job->rows[0]);
    if (shrunk->file && !shrunk->unused)
        shrink_run(&job->config, &job->genesis, &job->rows[0], job->command, shrunk->file);
    return true;
}

/* --- many seeds --- */

/* The page shows the first seed's run, which is run once more for it. */
static bool draw_first(struct job *job)
{
    struct output json = job->outputs[OUTPUT_JSON];
    size_t used = strlen(job->command);
    snprintf(job->command + used, COMMAND_MAX - used, " --seed %" PRIu64,
             run_seeds(&job->config).first);
    job->outputs[OUTPUT_JSON].file = NULL; /* its row is there already */
    bool ok = run_rows(job);
    job->outputs[OUTPUT_JSON] = json;
    return ok;
}

static bool run_seeds_of(struct job *job)
{
    struct output *outputs = job->outputs;
    struct sweep sweep = {.config = &job->config,
                          .genesis = &job->genesis,
                          .group = &job->group,
                          .command = job->command,
                          .json = outputs[OUTPUT_JSON].file,
                          .people = people_stream(job),
                          .shrunk = outputs[OUTPUT_SHRINK].file};
    bool ok = sweep_run(&sweep);
    outputs[OUTPUT_SHRINK].unused = !sweep.told;
    job->status = sweep.status;
    if (!ok)
        memcpy(job->error, sweep.error, sizeof job->error);
    return ok && (!outputs[OUTPUT_HTML].file || draw_first(job));
}

/* --- the network and the files --- */

static uint32_t count_active(const struct genesis *genesis)
{
    uint32_t active = 0;
    for (uint32_t v = 0; v < genesis->record_count; v++)
        active += genesis->records[v].status == STATUS_ACTIVE;
    return active;
}

/* What the configuration asks of the network that a file holds. */
static bool check_network(struct job *job)
{
    const struct sim_config *c = &job->config;
    const struct genesis *g = &job->genesis;
    uint32_t active = count_active(g);
    if (c->chain == CHAIN_DCL && g->kind == CHAIN_KIRA && !g->plain)
        return input_fail(job->error, "--chain: %.300s is a KIRA genesis; say kira or nothing",
                          c->genesis);
    if (!c->min_validators && g->properties.min_validators > active)
        return input_fail(job->error,
                          "%.300s: min_validators is %" PRIu64 ", above its %" PRIu32
                          " active validators, so nobody could ever go; override it, for example "
                          "with --min-validators %" PRIu32,
                          c->genesis, g->properties.min_validators, active, active * 2 / 3 + 1);
    return config_check_network(c, g->record_count, active, job->error);
}

static bool read_network(struct job *job)
{
    struct sim_config *c = &job->config;
    if (c->genesis[0] == '\0') {
        genesis_synthetic(&job->genesis, c->chain == CHAIN_KIRA ? "synthetic-1" : "synthetic-dcl",
                          c->validators, 0, 0, 0, c->min_validators);
        return true;
    }
    if (strcmp(c->genesis, SYNTHETIC) == 0) {
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
    return check_network(job);
}

/* Whether both names lead to one file or pipe. */
static bool same_file(const char *a, const char *b)
{
    struct stat first, second;
    return a[0] && b[0] && stat(a, &first) == 0 && stat(b, &second) == 0 &&
           first.st_dev == second.st_dev && first.st_ino == second.st_ino &&
           !S_ISCHR(first.st_mode);
}

/* What was read is not written over. */
static bool refuse_input(struct job *job, const struct output *output)
{
    const struct sim_config *c = &job->config;
    for (uint32_t i = 0; i < c->merge_count + 2; i++)
        if (same_file(output->path, i == 0 ? c->genesis : i == 1 ? c->scenario : c->merge[i - 2]))
            return input_fail(job->error,
                              "--%s: %.200s is what the run is read from; name another file",
                              output->option, output->path);
    return true;
}

/* An existing file that may not be written is not replaced either. */
static bool is_written_beside(const char *path)
{
    struct stat status;
    if (lstat(path, &status) != 0)
        return errno == ENOENT;
    return S_ISREG(status.st_mode) && access(path, W_OK) == 0;
}

static bool open_output(struct job *job, struct output *output)
{
    if (output->path[0] == '\0')
        return true;
    if (strcmp(output->path, "-") == 0) {
        output->file = stdout;
        return true;
    }
    if (!refuse_input(job, output))
        return false;
    if (is_written_beside(output->path)) {
        snprintf(output->part, sizeof output->part, "%s.part", output->path);
        output->file = fopen(output->part, "w");
    }
    if (!output->file) {
        output->part[0] = '\0';
        output->file = fopen(output->path, "w");
    }
    return output->file ||
           input_fail(job->error,
                      "--%s: %.200s: cannot be written: %s; name a file that can be written",
                      output->option, output->path, strerror(errno));
}

/* Ends the file; it is kept when it was written in full and `complete` says that this is all. */
static bool close_output(struct job *job, struct output *output, bool complete)
{
    if (!output->file)
        return true;
    bool ok = !ferror(output->file);
    errno = 0;
    ok = (output->file == stdout ? fflush(stdout) : fclose(output->file)) == 0 && ok;
    output->file = NULL;
    complete = complete && !output->unused;
    if (ok && complete && output->part[0])
        ok = rename(output->part, output->path) == 0;
    if (output->part[0] && !(ok && complete))
        unlink(output->part);
    return ok || !complete ||
           input_fail(
               job->error, "--%s: %.200s: could not be written in full%s%s; " UNWRITTEN_REMEDY,
               output->option, output->path, errno ? ": " : "", errno ? strerror(errno) : "");
}

static bool open_outputs(struct job *job)
{
    const struct sim_config *c = &job->config;
    struct output *o = job->outputs;
    o[OUTPUT_JSON] = (struct output){.option = "json", .path = c->json};
    o[OUTPUT_TRACE] = (struct output){.option = "trace", .path = c->trace};
    o[OUTPUT_HTML] = (struct output){.option = "html", .path = c->html};
    o[OUTPUT_SHRINK] = (struct output){.option = "shrink", .path = c->shrink};
    for (size_t i = 0; i < OUTPUT_COUNT; i++) {
        if (!open_output(job, &o[i]))
            return false;
        for (size_t j = 0; j < i; j++)
            if (same_file(o[i].path, o[j].path) || same_file(o[i].part, o[j].part))
                return input_fail(job->error,
                                  "--%s and --%s would both write '%.200s'; name two files",
                                  o[j].option, o[i].option, o[i].path);
    }
    return true;
}

static bool close_outputs(struct job *job, bool complete)
{
    bool ok = true;
    for (size_t i = 0; i < OUTPUT_COUNT; i++)
        ok = close_output(job, &job->outputs[i], complete) && ok;
    return ok;
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
    report_html(job->outputs[OUTPUT_HTML].file, &report);
}

static void tell(const struct job *job)
{
    FILE *out = people_stream(job);
    if (job->config.quiet || job->row_count == 0)
        return;
    if (!job->config.many_seeds)
        report_table(out, job->rows, job->row_count);
    if (job->rows[0].agents > 0 && job->rows[0].permits == 0 && job->rows[0].done == 0 &&
        !job->rows[0].undone)
        fprintf(out,
                "Nobody can take a turn: the floor leaves no room among %" PRIu32
                " members. The rule needs 4 or more; lower the floor or add validators.\n",
                job->rows[0].members);
    if (job->config.html[0] && strcmp(job->config.html, "-") != 0)
        fprintf(out, "The page with the picture%s: %s\n",
                job->config.many_seeds ? " of the first seed" : "", job->config.html);
}

/* Writes a word as a shell takes it; returns how much was used, which may be all of the room. */
static size_t word_write(char *out, size_t room, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_./:,=%+@";
    bool quoted = *word == '\0' || strspn(word, plain) != strlen(word);
    size_t used = (size_t)snprintf(out, room, quoted ? " '" : " ");
    for (; *word && used < room; word++)
        used += (size_t)snprintf(out + used, room - used, *word == '\'' ? "'\\''" : "%c", *word);
    if (quoted && used < room)
        used += (size_t)snprintf(out + used, room - used, "'");
    return used;
}

static bool is_key(const char *name, size_t length)
{
    const struct config_key *key;
    for (uint32_t i = 0; (key = config_key(i)) != NULL; i++)
        if (strlen(key->name) == length && strncmp(key->name, name, length) == 0)
            return true;
    return false;
}

/* Whether the word is this option, which may be shortened; it is one of ours, so it is the only one
 * that begins so. */
static bool is_option(const char *word, const char *name)
{
    size_t length = strcspn(word, "=");
    return length > 2 && strncmp(word, "--", 2) == 0 && strncmp(word + 2, name, length - 2) == 0 &&
           (strlen(name) == length - 2 || !is_key(word + 2, length - 2));
}

/* How many words to leave out of the command that repeats a run: of an option that is about many
 * seeds, or would write over their results. */
static int words_left_out(const struct sim_config *config, char **words)
{
    static const char *const always[] = {"seeds", "shard", "shrink", "jobs"};
    static const char *const of_many[] = {"json"};
    if (is_option(words[0], "mpi") || (config->many_seeds && is_option(words[0], "quiet")))
        return 1;
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (is_option(words[0], always[i]))
            return strchr(words[0], '=') ? 1 : 2;
    for (size_t i = 0; config->many_seeds && i < sizeof of_many / sizeof *of_many; i++)
        if (is_option(words[0], of_many[i]))
            return strchr(words[0], '=') ? 1 : 2;
    return 0;
}

/* The command that repeats this run, without its seeds. */
static void keep_command(struct job *job, int argc, char **argv)
{
    size_t used = (size_t)snprintf(job->command, COMMAND_MAX, "stagger");
    for (int i = 0; i < argc && used < COMMAND_MAX; i++) {
        int left_out = words_left_out(&job->config, argv + i);
        if (left_out)
            i += left_out - 1;
        else
            used += word_write(job->command + used, COMMAND_MAX - used, argv[i]);
    }
}

static bool run_job(struct job *job)
{
    bool ready = read_network(job) && open_outputs(job);
    if (!mpi_group_agree(&job->group, ready, job->error))
        return false;
    bool ok = job->config.many_seeds ? run_seeds_of(job) : run_single(job);
    if (ok && job->outputs[OUTPUT_HTML].file && job->drawn)
        write_page(job);
    return ok;
}

static bool merge_job(struct job *job)
{
    return open_outputs(job) &&
           merge_run(&job->config, job->outputs[OUTPUT_JSON].file,
                     job->config.quiet ? NULL : people_stream(job), &job->status, job->error);
}

/* A descriptor that is closed would be given to the next file that is opened, and what is meant for
 * people would end up in there. Writing to what stands in for it fails as it should. */
static void hold_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0)
            return;
}

static int sim_run(struct job *job)
{
    bool ran = job->config.merge_count ? merge_job(job) : run_job(job);
    bool closed = close_outputs(job, ran);
    if (!ran || !closed)
        return fail(job);
    tell(job);
    return job->status;
}

/* Standard output may be a full disk or a closed pipe: known only after the last byte. */
static int stdout_end(struct job *job, int status)
{
    bool good = fflush(stdout) == 0 && !ferror(stdout);
    if (good || status == RUN_INPUT)
        return status;
    snprintf(job->error, sizeof job->error,
             "standard output: could not be written in full; " UNWRITTEN_REMEDY);
    return fail(job);
}

static void clear_job(struct job *job)
{
    world_destroy(&job->drawn);
    genesis_clear(&job->genesis);
    config_clear(&job->config);
    free(job);
}

/* --- processes that mpirun starts --- */

static bool wants_mpi(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--mpi") == 0)
            return true;
    return false;
}

/* The other ranks run seeds and are silent. */
static void be_silent(struct sim_config *config)
{
    config->quiet = true;
    config->json[0] = config->trace[0] = config->html[0] = config->shrink[0] = '\0';
}

static bool check_mpi(struct job *job)
{
#ifndef STAGGER_MPI
    if (job->config.mpi)
        return input_fail(job->error,
                          "--mpi: this stagger was built without MPI; install libopenmpi-dev and "
                          "openmpi-bin and build it with -DSTAGGER_MPI=ON, or divide the seeds "
                          "with --shard");
#endif
    if (job->config.mpi && !job->group.begun)
        return input_fail(job->error, "--mpi: it must be written in full");
    if (job->group.rank > 0)
        be_silent(&job->config);
    return true;
}

static int sim_act(struct job *job, int argc, char **argv)
{
    enum options_action action;
    bool good = options_read(&job->config, argc, argv, &action, job->error) && check_mpi(job);
    if (!mpi_group_agree(&job->group, good, job->error))
        return fail(job);
    keep_command(job, argc, argv);
    if (action == OPTIONS_RUN)
        return sim_run(job);
    if (job->group.rank > 0)
        return RUN_WELL;
    if (action == OPTIONS_HELP)
        options_usage(stdout);
    else if (action == OPTIONS_LIST_FAULTS)
        options_list_faults(stdout);
    else
        options_list_scenarios(stdout);
    return RUN_WELL;
}

int sim_main(int argc, char **argv)
{
    struct job *job = calloc(1, sizeof *job);
    assert(job);
    hold_descriptors();
    job->group = wants_mpi(argc, argv) ? mpi_group_begin() : MPI_GROUP_ALONE;
    int status = stdout_end(job, sim_act(job, argc, argv));
    mpi_group_end(&job->group);
    clear_job(job);
    return status;
}
