#include "sim/merge.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/input.h"
#include "sim/merge_read.h"
#include "sim/sweep.h"

struct merge {
    const struct sim_config *config;
    struct merge_file *files;
    struct merge_rows rows;
    char *error;
};

/* --- do they belong together? --- */

static bool refuse_file(struct merge *m, const struct merge_file *file, const char *what)
{
    return input_fail(m->error, "--merge: %.200s: %s than %.120s; merge only shards of one command",
                      file->name, what, m->files[0].name);
}

static bool check_files(struct merge *m)
{
    const struct summary_shard *first = &m->files[0].shard;
    for (uint32_t i = 1; i < m->config->merge_count; i++) {
        const struct summary_shard *s = &m->files[i].shard;
        if (s->shards != first->shards)
            return refuse_file(m, &m->files[i], "its seeds are divided into other shards");
        if (s->seed_first != first->seed_first || s->seed_last != first->seed_last)
            return refuse_file(m, &m->files[i], "it is of other --seeds");
        if (strcmp(s->world, first->world) != 0)
            return refuse_file(m, &m->files[i], "it is of another world");
    }
    return true;
}

static int by_seed(const void *a, const void *b)
{
    const struct merge_row *x = a, *y = b;
    return (x->seed > y->seed) - (x->seed < y->seed);
}

/* Rows of each strategy together, by their seeds. */
static uint64_t sort_rows(const struct merge *m, enum strategy strategy, uint64_t from)
{
    struct merge_row *list = m->rows.list;
    uint64_t end = from;
    for (uint64_t i = from; i < m->rows.count; i++) {
        if (list[i].strategy != strategy)
            continue;
        struct merge_row row = list[i];
        list[i] = list[end];
        list[end++] = row;
    }
    qsort(list + from, end - from, sizeof *list, by_seed);
    return end - from;
}

static bool seed_missing(const struct merge *m, uint64_t seed, uint64_t count)
{
    const struct summary_shard *s = &m->files[0].shard;
    char shard[80] = "add the results that hold it";
    if (s->shards)
        snprintf(shard, sizeof shard, "add the file of shard %" PRIu64 "/%" PRIu32,
                 (seed - s->seed_first) % s->shards + 1, s->shards);
    return input_fail(m->error, "--merge: seed %" PRIu64 " is missing, and %" PRIu64 " more; %s",
                      seed, count - 1, shard);
}

/* Every seed from the first to the last once. */
static bool check_seeds(const struct merge *m, const struct merge_row *list, uint64_t count)
{
    const struct summary_shard *s = &m->files[0].shard;
    uint64_t first = s->shards ? s->seed_first : list[0].seed;
    uint64_t last = s->shards ? s->seed_last : list[count - 1].seed;
    for (uint64_t i = 0; i + 1 < count; i++)
        if (list[i].seed == list[i + 1].seed)
            return input_fail(m->error,
                              "--merge: seed %" PRIu64 " is in %.160s and in %.160s; name each "
                              "shard once",
                              list[i].seed, m->files[list[i].file].name,
                              m->files[list[i + 1].file].name);
    if (list[0].seed < first || list[count - 1].seed > last)
        return input_fail(m->error,
                          "--merge: %.200s: it has a seed outside of its --seeds %" PRIu64
                          "..%" PRIu64 "; run that shard again",
                          m->files[list[list[0].seed < first ? 0 : count - 1].file].name, first,
                          last);
    if (last - first == count - 1)
        return true;
    uint64_t next = first, i = 0;
    while (i < count && list[i].seed == next) {
        i++;
        next++;
    }
    return seed_missing(m, next, last - first - (count - 1));
}

/* --- what comes out --- */

static bool summarise(struct merge *m, const struct merge_row *list, uint64_t count,
                      struct summary *summary)
{
    struct report_sample *samples = calloc(count, sizeof *samples);
    if (!samples)
        return input_fail(m->error, "--merge: not enough memory for %" PRIu64 " rows; merge less",
                          count);
    for (uint64_t i = 0; i < count; i++)
        samples[i] = list[i].sample;
    *summary = report_summarise(samples, count);
    free(samples);
    return true;
}

static bool put_together(struct merge *m, FILE *json, FILE *people)
{
    struct summary summaries[STRATEGY_COUNT];
    const char *names[STRATEGY_COUNT];
    uint64_t from = 0;
    for (uint32_t i = 0; i < m->rows.strategy_count; i++) {
        const struct merge_row *list = m->rows.list + from;
        uint64_t count = sort_rows(m, m->rows.strategies[i], from);
        names[i] = strategy_name(m->rows.strategies[i]);
        if (!check_seeds(m, list, count) || !summarise(m, list, count, &summaries[i]))
            return false;
        from += count;
    }
    for (uint64_t i = 0; json && i < m->rows.count; i++) {
        fwrite(m->rows.list[i].text, 1, m->rows.list[i].length, json);
        fputc('\n', json);
    }
    sweep_tell(json, people, summaries, names, m->rows.strategy_count);
    return true;
}

static int worst(const struct merge *m)
{
    int status = RUN_WELL;
    for (uint64_t i = 0; i < m->rows.count; i++)
        status = run_worse(status, m->rows.list[i].status);
    for (uint32_t i = 0; i < m->config->merge_count; i++) /* expectations are judged there only */
        status = run_worse(status, m->files[i].shard.status);
    return status;
}

bool merge_run(const struct sim_config *config, FILE *json, FILE *people, int *status,
               char error[CONFIG_ERROR_MAX])
{
    struct merge m = {.config = config, .error = error};
    bool good = true;
    m.files = calloc(config->merge_count, sizeof *m.files);
    if (!m.files)
        return input_fail(error, "--merge: out of memory");
    for (uint32_t i = 0; good && i < config->merge_count; i++)
        good = merge_read(&m.files[i], config->merge[i], i, &m.rows, error);
    if (good && m.rows.count == 0)
        good = input_fail(error, "--merge: %.300s: no rows; name files that --seeds wrote",
                          config->merge[0]);
    good = good && check_files(&m) && put_together(&m, json, people);
    if (good)
        *status = worst(&m);
    for (uint32_t i = 0; i < config->merge_count; i++)
        merge_close(&m.files[i]);
    free(m.files);
    free(m.rows.list);
    return good;
}
