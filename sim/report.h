/* What a run tells people and programs: the results row, the table, the page.
 *
 * One `struct result` a run is all that programs get, and the table and the page start from the
 * same rows, so the three cannot disagree:
 *
 *     result --+--> report_json()    one object a line, keys in the order of the results file
 *              +--> report_table()   a terminal of 100 columns, the verdict in words
 *              +--> report_html()    with the first run's points and bars too: a page with pictures
 *
 * Everything is written to a FILE of the caller's, who checks ferror() and fclose(). Only
 * report_html() allocates, for sorting; where memory is short the page says which picture is
 * missing. The same values give the same bytes on every machine, whatever the locale; the page
 * leaves out wall_s for that reason.
 *
 * Text from files (monikers, chain ids, reasons) is escaped for where it goes. In the table and on
 * the page control characters, bidirectional overrides and bytes that are no UTF-8 become U+FFFD,
 * so that a moniker can neither move a terminal's cursor nor turn a line around.
 */
#ifndef STAGGER_SIM_REPORT_H
#define STAGGER_SIM_REPORT_H

#include <stdio.h>

#include "sim/model.h"

#define VIOLATIONS_KEPT 20
#define REPORT_VERDICT_MAX 512

struct violation {
    const char *invariant; /* static */
    uint64_t height;
    uint32_t validator; /* VALIDATOR_NONE: none in particular */
    char text[200];
};

struct result { /* keys and units as in the results file, one row a run */
    const char *strategy;
    uint64_t seed;
    uint32_t validators, members, agents;
    uint64_t floor, min_live, blocks, blocks_below_floor;
    double halted_s;
    bool chain_stopped_for_good;
    char stopped_why[200];
    uint32_t done, failed, left_paused;
    uint64_t missed_blocks_in_set, joins, permits, permits_unused, pauses;
    double makespan_s, lower_bound_s; /* makespan < 0: nobody came back */
    uint64_t messages, bytes, steps, events;
    double wall_s;
    char trace_sha256[65];    /* empty: none */
    uint32_t violation_count; /* may exceed VIOLATIONS_KEPT */
    struct violation violations[VIOLATIONS_KEPT];
    bool undone; /* agents could have been done and are not */
};

struct report_point { /* one a block, ascending by time */
    uint64_t height;
    int64_t time_ms;
    uint32_t live, floor, set; /* floor 0: none in force yet */
};

enum report_bar_kind {
    BAR_OUT,   /* of the set */
    BAR_DOWN,  /* the node, by choice */
    BAR_FAULT, /* the node, by accident */
};

struct report_bar { /* in any order; bars of one validator may overlap */
    uint32_t validator;
    enum report_bar_kind kind;
    int64_t from_ms, to_ms; /* to INT64_MAX: still so at the end of the run */
};

struct report { /* everything borrowed */
    const char *chain_id;
    const char *source;  /* the genesis file's name, or what synthetic network it was */
    const char *command; /* that repeats the run */
    const char *charter; /* in one line */
    const struct model_record *records;
    uint32_t record_count;
    const struct result *rows; /* the first is the run that is drawn; at least one */
    uint32_t row_count;
    const struct report_point *points;
    uint32_t point_count;
    const struct report_bar *bars;
    uint32_t bar_count;
    const char
        *ran; /* the command behind a network that really ran, "stagger demo"; NULL: simulated */
};

struct summary { /* of many seeds */
    uint64_t runs, violations;
    uint64_t finished; /* runs with a makespan; 0: the three makespans are -1 */
    double makespan_min, makespan_median, makespan_max;
    double live_min, live_median, live_max;
    double wall_min, wall_median, wall_max;
    struct summary_shard { /* what --merge wants to know; shards 0: all seeds are there */
        uint32_t shard, shards;
        uint64_t seed_first, seed_last; /* of all shards together */
        int status;                     /* the exit status */
        char world[17];                 /* names the world, all but its seeds */
    } part;
};

/* One JSON object and a newline: the keys of the results file in its order, then violation_count,
 * stopped_why (null: it did not stop) and undone. Null as well: a makespan below 0, no trace hash. */
void report_json(FILE *out, const struct result *row);
void report_json_summary(FILE *out, const struct summary *summary);

/* What a summary needs of a run. */
struct report_sample {
    double makespan_s, min_live, wall_s;
    uint32_t violations;
};
struct report_sample report_sample(const struct result *row);

/* min, median (mean of the middle two) and max over runs; makespans below 0 do not count. Sorts the
 * samples. */
struct summary report_summarise(struct report_sample *samples, uint64_t count);

/* The verdict in words, without a full stop: "floor held", "broke the floor in 31 blocks",
 * "chain stopped for good: ...", then what else went wrong, each after a semicolon. Returns it. */
const char *report_verdict(const struct result *row, char text[REPORT_VERDICT_MAX]);

/* The table for people: a line a row with its numbers, then a verdict a row, then the violations of
 * each row, at most VIOLATIONS_KEPT of them. The ratio is the makespan's to the first row's. */
void report_table(FILE *out, const struct result *rows, uint32_t count);

/* The summary of many seeds in a few lines for people. */
void report_table_summary(FILE *out, const struct summary *summary);

/* One self-contained HTML page: live count against the floor over time, one bar a validator that
 * was ever out (who was down when), the comparison. No script, font or picture from elsewhere. */
void report_html(FILE *out, const struct report *report);

/* Writes text as a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void report_json_string(FILE *out, const char *text);

#endif
