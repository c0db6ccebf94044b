/* The end of a demo: what is true, in a terminal and as a page. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/input.h"
#include "sim/demo_internal.h"
#include "sim/report_words.h"

#define COMMAND_MAX 200
#define CHARTER_MAX 400

/* --- the summary --- */

static uint32_t versions_new(const struct demo *demo)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < demo->count; i++)
        count += strcmp(demo->nodes[i].version, DEMO_VERSION_NEW) == 0;
    return count;
}

static void finding(bool good, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void finding(bool good, const char *name, const char *format, ...)
{
    va_list arguments;
    printf("  %s  %-12s ", good ? "ok" : "NO", name);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

static uint32_t violations_of(const struct result *row, const char *invariant)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < row->violation_count && i < VIOLATIONS_KEPT; i++)
        count += strcmp(row->violations[i].invariant, invariant) == 0;
    return count;
}

static void undone_print(const struct demo *demo)
{
    char doing[DEMO_DOING_MAX], line[DEVNET_LINE_MAX];
    for (uint32_t i = 0; i < demo->count; i++) {
        if (judge_turn(demo->judge, i).back)
            continue;
        demo_doing(demo, i, doing);
        devnet_log_tail(demo->nodes[i].agent.log, line);
        printf("      validator %u: %s; its agent said last: %s\n", i,
               doing[0] ? doing : "has had no turn", line[0] ? line : "nothing");
    }
}

static void findings_print(const struct demo *demo, const struct result *row)
{
    char time[WORDS_MAX];
    uint32_t upgraded = versions_new(demo), unpermitted = violations_of(row, "pause-by-permit");
    words_duration(time, row->makespan_s < 0 ? -1 : words_ms(row->makespan_s));
    finding(upgraded == demo->count, "upgraded", "%u of %u nodes show %s on their RPC", upgraded,
            demo->count, DEMO_VERSION_NEW);
    finding(!row->undone, "turns", "%u of %u validators went and came back%s%s", row->done,
            demo->count, row->undone ? "" : ", in ", row->undone ? "" : time);
    if (row->undone)
        undone_print(demo);
    finding(row->blocks_below_floor == 0, "floor",
            "never fewer than %" PRIu64 " live against a floor of %" PRIu64 ", %" PRIu64
            " of %" PRIu64 " blocks below it",
            row->min_live, row->floor, row->blocks_below_floor, row->blocks);
    finding(row->missed_blocks_in_set == 0, "signatures",
            "%" PRIu64 " blocks missed by a member of the set", row->missed_blocks_in_set);
    finding(unpermitted == 0, "permits", "%" PRIu64 " pauses, %u of them without a permit",
            row->pauses, unpermitted);
    finding(row->left_paused == 0, "left paused", "%u validators", row->left_paused);
}

static void violations_print(const struct result *row)
{
    for (uint32_t i = 0; i < row->violation_count && i < VIOLATIONS_KEPT; i++) {
        const struct violation *violation = &row->violations[i];
        printf("      %s at block %" PRIu64, violation->invariant, violation->height);
        if (violation->validator != VALIDATOR_NONE)
            printf(", validator %u", violation->validator);
        printf(": %s\n", violation->text);
    }
}

/* --- the page --- */

static uint32_t bars_all(const struct demo *demo, struct report_bar **bars)
{
    uint32_t count = judge_bars(demo->judge, bars);
    struct report_bar *all =
        realloc(*bars, ((size_t)count + demo->count + demo->down_count + 1) * sizeof *all);
    if (!all)
        return count;
    *bars = all;
    for (uint32_t i = 0; i < demo->down_count; i++)
        all[count++] = demo->downs[i];
    for (uint32_t i = 0; i < demo->count; i++)
        if (demo->nodes[i].pid == 0 && demo->nodes[i].down_ms > 0)
            all[count++] = (struct report_bar){i, BAR_DOWN, demo->nodes[i].down_ms, INT64_MAX};
    return count;
}

static struct model_record *records_make(const struct demo *demo)
{
    struct model_record *records = calloc(demo->count, sizeof *records);
    for (uint32_t i = 0; records && i < demo->count; i++)
        memcpy(records[i].moniker, demo->net.genesis.validators[i].moniker, MODEL_MONIKER_MAX);
    return records;
}

static void texts_fill(const struct demo *demo, char command[COMMAND_MAX],
                       char charter[CHARTER_MAX])
{
    char block[INPUT_DURATION_MAX], reboot[INPUT_DURATION_MAX], text[CHARTER_TEXT_MAX];
    input_duration_text((int64_t)demo->options.number[DEMO_BLOCK_TIME], block);
    input_duration_text((int64_t)demo->options.number[DEMO_REBOOT], reboot);
    (void)snprintf(
        command, COMMAND_MAX, "stagger demo --chain %s --validators %u --block-time %s --reboot %s",
        demo->options.number[DEMO_CHAIN] == CHAIN_DCL ? "dcl" : "kira", demo->count, block, reboot);
    (void)charter_text(&demo->charter, text);
    (void)snprintf(charter, CHARTER_MAX, "%.399s", text);
}

static bool page_write(const struct demo *demo, const struct result *row, struct fault *fault)
{
    char command[COMMAND_MAX], charter[CHARTER_MAX];
    const char *path = demo->options.text[DEMO_HTML];
    struct report_bar *bars;
    struct model_record *records = records_make(demo);
    FILE *out = fopen(path, "we");
    texts_fill(demo, command, charter);
    struct report report = {
        .chain_id = demo->charter.chain_id,
        .source = "a network of real processes on one machine",
        .command = command,
        .charter = charter,
        .records = records,
        .record_count = records ? demo->count : 0,
        .rows = row,
        .row_count = 1,
        .bar_count = bars_all(demo, &bars),
        .ran = "stagger demo",
    };
    report.bars = bars;
    report.points = judge_points(demo->judge, &report.point_count);
    int reason = errno;
    if (out) {
        report_html(out, &report);
        bool whole = !ferror(out);
        reason = fclose(out) == 0 && whole ? 0 : errno;
    }
    free(records);
    free(bars);
    return (out && reason == 0) ||
           fault_set(fault, "%s: the page cannot be written: %s; name another file with --html",
                     path, strerror(reason));
}

bool demo_end(struct demo *demo)
{
    struct result row = {.strategy = "draw"};
    struct fault fault;
    bool upgraded = demo_versions_new(demo);
    judge_result(demo->judge, &row);
    bool good = upgraded && !row.undone && row.violation_count == 0 && row.left_paused == 0;
    printf("\n%s\n", good ? "All of it is true, judged from the chain's own blocks:"
                          : "Not all of it is true, judged from the chain's own blocks:");
    findings_print(demo, &row);
    violations_print(&row);
    if (page_write(demo, &row, &fault))
        printf("\nThe page: %s\n", demo->options.text[DEMO_HTML]);
    else
        fprintf(stderr, "stagger demo: %s\n", fault.text);
    if (!demo->remove)
        printf("Everything else: %s\n", demo->dir);
    fflush(stdout);
    return good;
}
