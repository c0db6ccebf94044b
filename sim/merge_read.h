/* One file of results for --merge: its rows and its summary. */
#ifndef STAGGER_SIM_MERGE_READ_H
#define STAGGER_SIM_MERGE_READ_H

#include "sim/run.h"

struct merge_row {
    const char *text; /* in the file's mapping, without the end of the line */
    uint32_t length;
    uint32_t file;
    enum strategy strategy;
    int status;
    uint64_t seed;
    struct report_sample sample;
};

struct merge_file {
    const char *name;
    char *map; /* NULL: not open */
    size_t size;
    uint64_t rows; /* of the first strategy in it */
    struct summary_shard shard;
};

struct merge_rows { /* of all files */
    struct merge_row *list;
    uint64_t count, room;
    enum strategy strategies[STRATEGY_COUNT]; /* in their order in the files */
    uint32_t strategy_count;
    uint64_t validators, members; /* of the first row; the same in all of one world */
};

/* Appends the rows of the file `name`, number `number`. Returns false with one line in `error`; in
 * either case merge_close() is due. */
bool merge_read(struct merge_file *file, const char *name, uint32_t number, struct merge_rows *rows,
                char error[CONFIG_ERROR_MAX]);
void merge_close(struct merge_file *file);

#endif
