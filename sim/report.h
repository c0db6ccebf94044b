/* What a run tells people and programs: the results row, the table, the page. */
#ifndef STAGGER_SIM_REPORT_H
#define STAGGER_SIM_REPORT_H

#include <stdio.h>

#include "sim/chain.h"

#define VIOLATIONS_KEPT 20

struct violation {
    const char *invariant; /* static */
    uint64_t height;
    uint32_t validator;    /* VALIDATOR_NONE: none in particular */
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
    char trace_sha256[65]; /* empty: none */
    uint32_t violation_count; /* may exceed VIOLATIONS_KEPT */
    struct violation violations[VIOLATIONS_KEPT];
    bool undone;           /* agents could have been done and are not */
};

struct report_point { /* one a block */
    uint64_t height;
    int64_t time_ms;
    uint32_t live, floor, set; /* floor 0: none in force yet */
};

enum report_bar_kind { BAR_OUT, BAR_DOWN, BAR_FAULT }; /* out of the set; node down by choice; by accident */

struct report_bar {
    uint32_t validator;
    enum report_bar_kind kind;
    int64_t from_ms, to_ms;
};

struct report { /* everything borrowed */
    const char *chain_id;
    const char *source;         /* the genesis file's name, or what synthetic network it was */
    const char *command;        /* that repeats the run */
    const char *charter;        /* in one line */
    const struct chain_record *records;
    uint32_t record_count;
    const struct result *rows;  /* the first is the run that is drawn */
    uint32_t row_count;
    const struct report_point *points;
    uint32_t point_count;
    const struct report_bar *bars;
    uint32_t bar_count;
};

struct summary { /* of many seeds */
    uint64_t runs, violations;
    double makespan_min, makespan_median, makespan_max;
    double live_min, live_median, live_max;
    double wall_min, wall_median, wall_max;
};

/* One JSON object and a newline. */
void report_json(FILE *out, const struct result *row);
void report_json_summary(FILE *out, const struct summary *summary);

/* min, median (mean of the middle two) and max over rows; makespans below 0 do not count. */
struct summary report_summarise(const struct result *rows, uint32_t count);

/* The table for people: a line a row, the floor kept or broken in words, violations below. */
void report_table(FILE *out, const struct result *rows, uint32_t count);

/* One self-contained HTML page: live count against the floor over time, one bar a validator that was ever
 * out (who was down when), the comparison. No script, font or picture from elsewhere. */
void report_html(FILE *out, const struct report *report);

/* Writes text as a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void report_json_string(FILE *out, const char *text);

#endif
