#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "sim/report.h"
#include "sim/report_words.h"

#define TABLE_COLUMNS 100
#define NAME_MAX_SHOWN 40

/* --- the verdict --- */

__attribute__((format(printf, 2, 3))) static void append(char text[REPORT_VERDICT_MAX],
                                                         const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, REPORT_VERDICT_MAX - used, format, arguments);
    va_end(arguments);
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

static void append_floor(char text[REPORT_VERDICT_MAX], const struct result *row)
{
    char count[WORDS_MAX];
    if (row->chain_stopped_for_good) {
        append(text, "chain stopped for good: %s",
               row->stopped_why[0] == '\0' ? "no reason given" : row->stopped_why);
    }
    if (row->blocks_below_floor > 0) {
        append(text, "%sbroke the floor in %s block%s", text[0] == '\0' ? "" : "; ",
               words_number(count, row->blocks_below_floor), plural(row->blocks_below_floor));
    } else if (!row->chain_stopped_for_good) {
        append(text, "floor held");
    }
}

const char *report_verdict(const struct result *row, char text[REPORT_VERDICT_MAX])
{
    char a[WORDS_MAX], b[WORDS_MAX];
    text[0] = '\0';
    append_floor(text, row);
    uint64_t settled = (uint64_t)row->done + row->failed;
    if (row->failed > 0) {
        append(text, "; %s lost for good", words_number(a, row->failed));
    }
    if (settled < row->agents) {
        append(text, "; %s of %s not done", words_number(a, row->agents - settled),
               words_number(b, row->agents));
    }
    if (row->left_paused > 0) {
        append(text, "; %s left paused", words_number(a, row->left_paused));
    }
    if (row->violation_count > 0) {
        append(text, "; %s violation%s of invariants", words_number(a, row->violation_count),
               plural(row->violation_count));
    }
    return text;
}

/* --- the table --- */

enum column { /* in the order of the table */
              COLUMN_STRATEGY,
              COLUMN_SEED,
              COLUMN_DONE,
              COLUMN_FLOOR,
              COLUMN_LEAST,
              COLUMN_BELOW,
              COLUMN_HALTED,
              COLUMN_MAKESPAN,
              COLUMN_RATIO,
              COLUMN_MISSED,
              COLUMN_PAUSED,
              COLUMN_COUNT,
};

static const char *const HEADS[COLUMN_COUNT][2] = {
    {"", "strategy"},  {"", "seed"},         {"done/", "agents"}, {"", "floor"},
    {"least", "live"}, {"blocks", "below"},  {"", "halted"},      {"", "makespan"},
    {"", "ratio"},     {"missed", "blocks"}, {"left", "paused"},
};

struct table {
    const struct result *rows;
    uint32_t count;
    bool seeds; /* a column of seeds: not all the same */
    int width[COLUMN_COUNT];
};

static void ratio_text(char text[NAME_MAX_SHOWN], const struct result *row,
                       const struct result *first)
{
    char fixed[WORDS_MAX];
    const char *ratio = NULL;
    if (row->makespan_s >= 0 && first->makespan_s > 0) {
        ratio = words_fixed(fixed, row->makespan_s / first->makespan_s, 2);
    }
    snprintf(text, NAME_MAX_SHOWN, "%s", ratio == NULL ? "-" : ratio);
}

static void time_text(char text[NAME_MAX_SHOWN], double seconds, bool show)
{
    char duration[WORDS_MAX];
    bool never = !show || seconds < 0;
    snprintf(text, NAME_MAX_SHOWN, "%s", words_duration(duration, never ? -1 : words_ms(seconds)));
}

static void cell_text(char text[NAME_MAX_SHOWN], const struct result *row,
                      const struct result *first, enum column column)
{
    const uint64_t counts[COLUMN_COUNT] = {
        [COLUMN_SEED] = row->seed,
        [COLUMN_FLOOR] = row->floor,
        [COLUMN_LEAST] = row->min_live,
        [COLUMN_BELOW] = row->blocks_below_floor,
        [COLUMN_MISSED] = row->missed_blocks_in_set,
        [COLUMN_PAUSED] = row->left_paused,
    };
    switch (column) {
    case COLUMN_STRATEGY:
        snprintf(text, NAME_MAX_SHOWN, "%.39s", row->strategy);
        break;
    case COLUMN_DONE:
        snprintf(text, NAME_MAX_SHOWN, "%" PRIu32 "/%" PRIu32, row->done, row->agents);
        break;
    case COLUMN_HALTED:
        time_text(text, row->halted_s, row->halted_s > 0);
        break;
    case COLUMN_MAKESPAN:
        time_text(text, row->makespan_s, true);
        break;
    case COLUMN_RATIO:
        ratio_text(text, row, first);
        break;
    default:
        snprintf(text, NAME_MAX_SHOWN, "%" PRIu64, counts[column]);
        break;
    }
}

static int larger(int a, size_t b)
{
    return (size_t)a > b ? a : (int)b;
}

static void table_measure(struct table *table)
{
    for (uint32_t i = 0; i < table->count; i++) {
        table->seeds |= table->rows[i].seed != table->rows[0].seed;
    }
    for (int c = 0; c < COLUMN_COUNT; c++) {
        table->width[c] = larger((int)strlen(HEADS[c][0]), strlen(HEADS[c][1]));
        for (uint32_t i = 0; i < table->count; i++) {
            char text[NAME_MAX_SHOWN];
            cell_text(text, &table->rows[i], &table->rows[0], (enum column)c);
            table->width[c] = larger(table->width[c], strlen(text));
        }
    }
}

static void put_cell(FILE *out, const struct table *table, enum column column, const char *text)
{
    if (column == COLUMN_SEED && !table->seeds) {
        return;
    }
    if (column == COLUMN_STRATEGY) {
        fprintf(out, "%-*s", table->width[column], text);
    } else {
        fprintf(out, "  %*s", table->width[column], text);
    }
}

static void put_numbers(FILE *out, const struct table *table)
{
    for (int line = 0; line < 2; line++) {
        for (int c = 0; c < COLUMN_COUNT; c++) {
            put_cell(out, table, (enum column)c, HEADS[c][line]);
        }
        fputc('\n', out);
    }
    for (uint32_t i = 0; i < table->count; i++) {
        for (int c = 0; c < COLUMN_COUNT; c++) {
            char text[NAME_MAX_SHOWN];
            cell_text(text, &table->rows[i], &table->rows[0], (enum column)c);
            put_cell(out, table, (enum column)c, text);
        }
        fputc('\n', out);
    }
}

/* --- sentences below the table --- */

static int word_width(const char *text)
{
    int width = 0;
    for (uint32_t point; (point = words_next(&text)) != 0 && point != ' ';) {
        width++;
    }
    return width;
}

/* Writes text from column `at` on, breaks lines between words and indents the next ones. */
static void put_wrapped(FILE *out, const char *text, int at, int indent)
{
    while (*text != '\0') {
        int width = word_width(text);
        if (at > indent && at + width > TABLE_COLUMNS) {
            fprintf(out, "\n%*s", indent, "");
            at = indent;
        }
        uint32_t point;
        while ((point = words_next(&text)) != 0 && point != ' ') {
            words_put(out, words_clean(point));
        }
        at += width;
        if (point == ' ' && at < TABLE_COLUMNS && at + 1 + word_width(text) <= TABLE_COLUMNS) {
            fputc(' ', out);
            at++;
        } else if (point == ' ' && *text != '\0') {
            fprintf(out, "\n%*s", indent, "");
            at = indent;
        }
    }
    fputc('\n', out);
}

static int put_name(FILE *out, const struct table *table, const struct result *row)
{
    int at = fprintf(out, "%-*.39s", table->width[COLUMN_STRATEGY], row->strategy);
    if (table->seeds) {
        at += fprintf(out, "  %*" PRIu64, table->width[COLUMN_SEED], row->seed);
    }
    return at + fprintf(out, "  ");
}

static void put_violations(FILE *out, const struct table *table, const struct result *row)
{
    if (row->violation_count == 0) {
        return;
    }
    fprintf(out, "\n%.39s", row->strategy);
    if (table->seeds) {
        fprintf(out, ", seed %" PRIu64, row->seed);
    }
    fprintf(out, ": %" PRIu32 " violation%s of invariants\n", row->violation_count,
            plural(row->violation_count));
    uint32_t kept = row->violation_count < VIOLATIONS_KEPT ? row->violation_count : VIOLATIONS_KEPT;
    for (uint32_t i = 0; i < kept; i++) {
        const struct violation *v = &row->violations[i];
        fprintf(out, "  %s at height %" PRIu64, v->invariant, v->height);
        if (v->validator != VALIDATOR_NONE) {
            fprintf(out, ", validator %" PRIu32, v->validator);
        }
        fputs(": ", out);
        words_plain(out, v->text);
        fputc('\n', out);
    }
    if (row->violation_count > kept) {
        fprintf(out, "  and %" PRIu32 " more\n", row->violation_count - kept);
    }
}

void report_table(FILE *out, const struct result *rows, uint32_t count)
{
    if (count == 0) {
        return;
    }
    struct table table = {.rows = rows, .count = count};
    table_measure(&table);
    put_numbers(out, &table);
    fputc('\n', out);
    for (uint32_t i = 0; i < count; i++) {
        char verdict[REPORT_VERDICT_MAX];
        int at = put_name(out, &table, &rows[i]);
        put_wrapped(out, report_verdict(&rows[i], verdict), at, at);
    }
    for (uint32_t i = 0; i < count; i++) {
        put_violations(out, &table, &rows[i]);
    }
}

static const char *live_text(char text[WORDS_MAX], double live)
{
    bool half = live >= 0 && live < 1e12 && live > (double)(int64_t)live;
    return live < 0 ? "-" : words_fixed(text, live, half ? 1 : 0);
}

void report_table_summary(FILE *out, const struct summary *s)
{
    char a[WORDS_MAX], b[WORDS_MAX], c[WORDS_MAX];
    fprintf(out,
            "%" PRIu64 " run%s, %" PRIu64 " with a makespan, %" PRIu64
            " violation%s of invariants\n",
            s->runs, plural(s->runs), s->finished, s->violations, plural(s->violations));
    fprintf(out, "              min    median       max\n");
    fprintf(out, "makespan %8s  %8s  %8s\n",
            words_duration(a, s->finished > 0 ? words_ms(s->makespan_min) : -1),
            words_duration(b, s->finished > 0 ? words_ms(s->makespan_median) : -1),
            words_duration(c, s->finished > 0 ? words_ms(s->makespan_max) : -1));
    fprintf(out, "min live %8s  %8s  %8s\n", live_text(a, s->live_min),
            live_text(b, s->live_median), live_text(c, s->live_max));
}
