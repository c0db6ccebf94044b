#include "sim/merge_read.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yajl/yajl_tree.h>

#include "proto/input.h"

#define LINE_ROOM 65536 /* a row with all its violations has less */
#define NAME_SHOWN 160  /* of a file's name in error lines */
#define SHARD_REMEDY "run that shard again"

struct reader {
    struct merge_file *file;
    struct merge_rows *rows;
    uint32_t number;
    uint64_t line;
    uint64_t counts[STRATEGY_COUNT];
    bool ended; /* by its summary */
    yajl_val value;
    char *error;
    char text[LINE_ROOM];
};

static const char *name_end(const char *name)
{
    size_t length = strlen(name);
    return length > NAME_SHOWN ? name + length - NAME_SHOWN : name;
}

static bool wrong(struct reader *r, const char *what, const char *key)
{
    return input_fail(r->error,
                      "--merge: %s:%" PRIu64 ": %s%s%s; expected a row of results as --json writes "
                      "it; " SHARD_REMEDY,
                      name_end(r->file->name), r->line, what, key ? ": " : "", key ? key : "");
}

/* --- values of a line --- */

static yajl_val value_of(struct reader *r, const char *key, yajl_type type)
{
    const char *path[] = {key, NULL};
    return yajl_tree_get(r->value, path, type);
}

static bool take_whole(struct reader *r, const char *key, uint64_t *whole)
{
    yajl_val v = value_of(r, key, yajl_t_number);
    return (v && input_whole(YAJL_GET_NUMBER(v), whole)) || wrong(r, "no whole number", key);
}

static bool take_bool(struct reader *r, const char *key, bool *flag)
{
    yajl_val v = value_of(r, key, yajl_t_any);
    *flag = v && YAJL_IS_TRUE(v);
    return (v && (YAJL_IS_TRUE(v) || YAJL_IS_FALSE(v))) || wrong(r, "neither true nor false", key);
}

/* Seconds, or null for never. */
static bool take_seconds(struct reader *r, const char *key, double *seconds)
{
    yajl_val v = value_of(r, key, yajl_t_any);
    *seconds = -1;
    if (v && YAJL_IS_NULL(v))
        return true;
    if (!v || !YAJL_IS_NUMBER(v) || !input_number(YAJL_GET_NUMBER(v), seconds))
        return wrong(r, "no seconds", key);
    return true;
}

static bool take_strategy(struct reader *r, enum strategy *strategy)
{
    yajl_val v = value_of(r, "strategy", yajl_t_string);
    const char *name = v ? v->u.string : "";
    for (uint32_t i = 0; i < STRATEGY_COUNT; i++) {
        if (strcmp(name, strategy_name((enum strategy)i)) != 0)
            continue;
        *strategy = (enum strategy)i;
        return true;
    }
    return wrong(r, "no name of a strategy", "strategy");
}

/* --- rows --- */

static struct merge_row *row_add(struct merge_rows *rows)
{
    if (rows->count == rows->room) {
        uint64_t room = rows->room ? 2 * rows->room : 1024;
        struct merge_row *list = realloc(rows->list, room * sizeof *list);
        if (!list)
            return NULL;
        rows->list = list;
        rows->room = room;
    }
    rows->list[rows->count] = (struct merge_row){0};
    return &rows->list[rows->count++];
}

static void note_strategy(struct merge_rows *rows, enum strategy strategy)
{
    for (uint32_t i = 0; i < rows->strategy_count; i++)
        if (rows->strategies[i] == strategy)
            return;
    rows->strategies[rows->strategy_count++] = strategy;
}

static bool check_world(struct reader *r)
{
    uint64_t validators, members;
    if (!take_whole(r, "validators", &validators) || !take_whole(r, "members", &members))
        return false;
    if (r->rows->count == 1) {
        r->rows->validators = validators;
        r->rows->members = members;
    }
    if (validators == r->rows->validators && members == r->rows->members)
        return true;
    return input_fail(r->error,
                      "--merge: %s:%" PRIu64 ": a network of %" PRIu64 " validators, %" PRIu64
                      " of them members; the first row has %" PRIu64 " and %" PRIu64
                      "; merge only results of one command",
                      name_end(r->file->name), r->line, validators, members, r->rows->validators,
                      r->rows->members);
}

/* As run_status() judges the run. */
static bool take_status(struct reader *r, struct merge_row *row)
{
    struct result result = {.strategy = strategy_name(row->strategy)};
    uint64_t violations;
    if (!take_whole(r, "violation_count", &violations) || !take_bool(r, "undone", &result.undone) ||
        !take_bool(r, "chain_stopped_for_good", &result.chain_stopped_for_good))
        return false;
    result.violation_count = row->sample.violations =
        violations < UINT32_MAX ? (uint32_t)violations : UINT32_MAX;
    row->status = run_status(&result);
    return true;
}

static bool take_row(struct reader *r, const char *text, size_t length)
{
    struct merge_row *row = row_add(r->rows);
    uint64_t min_live;
    if (!row)
        return input_fail(r->error, "--merge: not enough memory for %" PRIu64 " rows; merge less",
                          r->rows->count + 1);
    row->text = text;
    row->length = (uint32_t)length;
    row->file = r->number;
    if (!take_strategy(r, &row->strategy) || !take_whole(r, "seed", &row->seed) ||
        !take_whole(r, "min_live", &min_live) ||
        !take_seconds(r, "makespan_s", &row->sample.makespan_s) ||
        !take_seconds(r, "wall_s", &row->sample.wall_s) || !take_status(r, row) || !check_world(r))
        return false;
    row->sample.min_live = (double)min_live;
    r->counts[row->strategy]++;
    note_strategy(r->rows, row->strategy);
    return true;
}

/* --- the summary --- */

static bool shard_whole(struct reader *r, const char *key, uint64_t most, uint64_t *whole)
{
    const char *path[] = {"shard", key, NULL};
    yajl_val v = yajl_tree_get(r->value, path, yajl_t_number);
    return (v && input_whole(YAJL_GET_NUMBER(v), whole) && *whole <= most) ||
           wrong(r, "the summary's shard lacks a number", key);
}

static bool take_shard(struct reader *r)
{
    const char *path[] = {"shard", "world", NULL};
    struct summary_shard *shard = &r->file->shard;
    yajl_val world = yajl_tree_get(r->value, path, yajl_t_string);
    uint64_t number, of, status;
    if (!value_of(r, "shard", yajl_t_object))
        return true;
    if (!world || strlen(world->u.string) >= sizeof shard->world)
        return wrong(r, "the summary's shard lacks its name", "world");
    strcpy(shard->world, world->u.string);
    if (!shard_whole(r, "number", UINT32_MAX, &number) || !shard_whole(r, "of", UINT32_MAX, &of) ||
        !shard_whole(r, "exit", RUN_STOPPED, &status) ||
        !shard_whole(r, "seed_first", UINT64_MAX, &shard->seed_first) ||
        !shard_whole(r, "seed_last", UINT64_MAX, &shard->seed_last))
        return false;
    if (number < 1 || number > of || shard->seed_first > shard->seed_last)
        return wrong(r, "the summary's shard is none", NULL);
    shard->shard = (uint32_t)number;
    shard->shards = (uint32_t)of;
    shard->status = (int)status;
    return true;
}

static bool take_summary(struct reader *r)
{
    uint64_t runs;
    r->ended = true;
    if (!take_whole(r, "runs", &runs) || !take_shard(r))
        return false;
    for (uint32_t i = 0; i < STRATEGY_COUNT; i++)
        if (r->counts[i] && r->counts[i] != runs)
            return input_fail(r->error,
                              "--merge: %s: %" PRIu64 " rows of %s, but its summary speaks of "
                              "%" PRIu64 " runs; lines are missing or doubled; " SHARD_REMEDY,
                              name_end(r->file->name), r->counts[i],
                              strategy_name((enum strategy)i), runs);
    r->file->rows = runs;
    return true;
}

/* --- lines --- */

static bool take_line(struct reader *r, const char *text, size_t length)
{
    char reason[120];
    r->line++;
    if (r->ended)
        return wrong(r, "a line behind the summary, which ends a file", NULL);
    if (length >= LINE_ROOM)
        return wrong(r, "the line is too long", NULL);
    memcpy(r->text, text, length);
    r->text[length] = '\0';
    r->value = strlen(r->text) == length ? yajl_tree_parse(r->text, reason, sizeof reason) : NULL;
    if (!r->value || !YAJL_IS_OBJECT(r->value))
        return wrong(r, "the line is no JSON object, or broken off", NULL);
    return value_of(r, "summary", yajl_t_true) ? take_summary(r) : take_row(r, text, length);
}

static bool take_lines(struct reader *r)
{
    const char *text = r->file->map, *end = text + r->file->size;
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;
        bool good = take_line(r, text, (size_t)(stop - text));
        yajl_tree_free(r->value);
        r->value = NULL;
        if (!good)
            return false;
        text = stop + 1;
    }
    if (r->ended)
        return true;
    return input_fail(r->error,
                      "--merge: %s: it ends without a summary, so its run was cut short or was not "
                      "one of --seeds; " SHARD_REMEDY,
                      name_end(r->file->name));
}

static bool open_map(struct merge_file *file, char error[CONFIG_ERROR_MAX])
{
    struct stat status;
    int fd = open(file->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const char *reason = fd < 0 || fstat(fd, &status) != 0 ? strerror(errno)
                         : !S_ISREG(status.st_mode)        ? "it is no regular file"
                         : status.st_size == 0             ? "it is empty"
                                                           : NULL;
    if (!reason) {
        file->size = (size_t)status.st_size;
        file->map = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, fd, 0);
        reason = file->map == MAP_FAILED ? strerror(errno) : NULL;
        file->map = reason ? NULL : file->map;
    }
    if (fd >= 0)
        close(fd);
    return !reason ||
           input_fail(error, "--merge: %s: cannot be read: %s; name files that --json wrote",
                      name_end(file->name), reason);
}

bool merge_read(struct merge_file *file, const char *name, uint32_t number, struct merge_rows *rows,
                char error[CONFIG_ERROR_MAX])
{
    *file = (struct merge_file){.name = name};
    if (!open_map(file, error))
        return false;
    struct reader *r = calloc(1, sizeof *r);
    if (!r)
        return input_fail(error, "--merge: out of memory");
    r->file = file;
    r->rows = rows;
    r->number = number;
    r->error = error;
    bool good = take_lines(r);
    free(r);
    return good;
}

void merge_close(struct merge_file *file)
{
    if (file->map)
        munmap(file->map, file->size);
    file->map = NULL;
}
