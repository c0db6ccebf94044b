#include <inttypes.h>
#include <string.h>

#include "sim/html.h"
#include "sim/report_words.h"

#define CHART_WIDTH 5300
#define CHART_LEFT 1500
#define CHART_RIGHT 3600
#define CHART_ROW 270
#define CHART_TIMES 5 /* a makespan longer than so many of the first is cut off */
#define CHART_ROWS 24 /* more rows stand in the table only */

const char *html_strategy(const char *name)
{
    static const struct {
        const char *name, *words;
    } known[] = {
        {"draw", "ours: everyone computes from the chain's blocks whose turn it is"},
        {"all-at-once", "everybody reboots at the same moment, as pools of upgrade daemons do"},
        {"random-delay",
         "everybody waits a random time, looks whether enough are active, and goes"},
        {"one-lock", "one validator at a time, in turn"},
        {"central", "an ideal coordinator with our budget: first come, first served"},
        {"omniscient",
         "the same coordinator, knowing how long everyone will take; the longest first"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].name, name) == 0) {
            return known[i].words;
        }
    }
    return NULL;
}

static bool seeds_differ(const struct report *r)
{
    for (uint32_t i = 1; i < r->row_count; i++) {
        if (r->rows[i].seed != r->rows[0].seed) {
            return true;
        }
    }
    return false;
}

static void put_name(FILE *out, const struct report *r, const struct result *row)
{
    html_text(out, row->strategy);
    if (seeds_differ(r)) {
        fprintf(out, " %" PRIu64, row->seed);
    }
}

/* --- the table --- */

static void put_number(FILE *out, uint64_t value, bool bad)
{
    char text[WORDS_MAX];
    fprintf(out, "<td%s>%s</td>", bad ? " class=\"bad\"" : "", words_number(text, value));
}

static void put_time(FILE *out, double seconds)
{
    char text[WORDS_MAX];
    fprintf(out, "<td>%s</td>", seconds < 0 ? "&#8211;" : words_duration(text, words_ms(seconds)));
}

static void put_ratio(FILE *out, const struct result *row, const struct result *first)
{
    char text[WORDS_MAX];
    const char *ratio = NULL;
    if (row->makespan_s >= 0 && first->makespan_s > 0) {
        ratio = words_fixed(text, row->makespan_s / first->makespan_s, 2);
    }
    fprintf(out, "<td>%s</td>", ratio == NULL ? "&#8211;" : ratio);
}

static bool is_bad(const struct result *row)
{
    return row->chain_stopped_for_good || row->blocks_below_floor > 0 || row->violation_count > 0;
}

static void put_row(FILE *out, const struct report *r, const struct result *row)
{
    char verdict[REPORT_VERDICT_MAX], done[WORDS_MAX], agents[WORDS_MAX];
    fprintf(out, "<tr%s><th scope=\"row\">", row == r->rows ? " class=\"ours\"" : "");
    put_name(out, r, row);
    fprintf(out, "</th><td>%s of %s</td>", words_number(done, row->done),
            words_number(agents, row->agents));
    put_number(out, row->floor, false);
    put_number(out, row->min_live, row->min_live < row->floor);
    put_number(out, row->blocks_below_floor, row->blocks_below_floor > 0);
    put_time(out, row->halted_s);
    put_time(out, row->makespan_s);
    put_ratio(out, row, r->rows);
    put_number(out, row->missed_blocks_in_set, row->missed_blocks_in_set > 0);
    put_number(out, row->left_paused, row->left_paused > 0);
    fprintf(out, "<td class=\"%s\">", is_bad(row) ? "bad" : "good");
    html_text(out, report_verdict(row, verdict));
    fputs("</td></tr>\n", out);
}

static void put_table(FILE *out, const struct report *r)
{
    fputs("<div class=\"scroll\" tabindex=\"0\"><table>\n<caption>The first row is the run drawn "
          "above.</caption>\n"
          "<thead><tr><th scope=\"col\">strategy</th><th scope=\"col\">done</th>"
          "<th scope=\"col\">floor</th><th scope=\"col\">least live</th>"
          "<th scope=\"col\">blocks below the floor</th><th scope=\"col\">halted</th>"
          "<th scope=\"col\">makespan</th><th scope=\"col\">times the first</th>"
          "<th scope=\"col\">missed blocks in the set</th><th scope=\"col\">left paused</th>"
          "<th scope=\"col\">verdict</th></tr></thead>\n<tbody>\n",
          out);
    for (uint32_t i = 0; i < r->row_count; i++) {
        put_row(out, r, &r->rows[i]);
    }
    fputs("</tbody></table></div>\n", out);
}

/* --- the two charts --- */

static uint32_t chart_rows(const struct report *r)
{
    return r->row_count < CHART_ROWS ? r->row_count : CHART_ROWS;
}

static void chart_open(FILE *out, const struct report *r, const char *title, const char *label)
{
    fprintf(out, "<div><h3>%s</h3><svg viewBox=\"0 0 %d %" PRIu32 "\" role=\"img\" aria-label=\"%s",
            title, CHART_WIDTH, chart_rows(r) * CHART_ROW + 20, label);
}

static void chart_row(FILE *out, const struct report *r, uint32_t index)
{
    fprintf(out, "<text x=\"%d\" y=\"%" PRIu32 "\" text-anchor=\"end\">", CHART_LEFT - 80,
            index * CHART_ROW + 180);
    put_name(out, r, &r->rows[index]);
    fputs("</text>", out);
}

static void chart_bar(FILE *out, const struct result *row, uint32_t index, int64_t width)
{
    fprintf(out,
            "<rect class=\"bar%s\" x=\"%d\" y=\"%" PRIu32 "\" width=\"%" PRId64
            "\" height=\"170\"/>",
            is_bad(row) ? " broke" : "", CHART_LEFT, index * CHART_ROW + 50, width > 0 ? width : 1);
}

static int64_t share(uint64_t value, uint64_t most)
{
    double part = (double)value / (double)most; /* both far below 2^53: the same everywhere */
    return (int64_t)(part * (CHART_RIGHT - CHART_LEFT));
}

/* The longest makespan that is drawn in full: one that dwarfs the first row's would dwarf all
 * others. */
static int64_t makespan_scale(const struct report *r)
{
    int64_t ours = words_ms(r->rows[0].makespan_s), most = 1;
    for (uint32_t i = 0; i < chart_rows(r); i++) {
        int64_t ms = words_ms(r->rows[i].makespan_s);
        bool fits = ours <= 0 || ms / CHART_TIMES <= ours;
        most = fits && ms > most ? ms : most;
    }
    return most;
}

static void put_makespan(FILE *out, const struct report *r, uint32_t index, int64_t most)
{
    const struct result *row = &r->rows[index];
    char text[WORDS_MAX];
    int64_t ms = words_ms(row->makespan_s);
    bool cut = ms > most;
    int64_t width = ms < 0 ? 0 : share((uint64_t)(cut ? most : ms), (uint64_t)most);
    int64_t end = CHART_LEFT + width;
    uint32_t y = index * CHART_ROW;
    chart_row(out, r, index);
    if (ms >= 0) {
        chart_bar(out, row, index, width);
    }
    if (cut) {
        fprintf(out, "<path class=\"cut\" d=\"M%" PRId64 " %" PRIu32 "l100 -210\"/>", end - 250,
                y + 240);
    }
    fprintf(out, "<text x=\"%" PRId64 "\" y=\"%" PRIu32 "\">%s%s", end + 60, y + 180,
            ms < 0 ? "nobody came back" : words_duration(text, ms), cut ? ", bar cut" : "");
    if (ms >= 0 && row->done < row->agents) {
        char done[WORDS_MAX], agents[WORDS_MAX];
        fprintf(out, " (%s of %s)", words_number(done, row->done),
                words_number(agents, row->agents));
    }
    fputs("</text>\n", out);
}

static void put_makespans(FILE *out, const struct report *r)
{
    int64_t most = makespan_scale(r);
    chart_open(out, r, "Makespan", "Makespans:");
    for (uint32_t i = 0; i < chart_rows(r); i++) {
        char text[WORDS_MAX];
        int64_t ms = words_ms(r->rows[i].makespan_s);
        fputs(i > 0 ? ", " : " ", out);
        put_name(out, r, &r->rows[i]);
        fprintf(out, " %s", ms < 0 ? "none" : words_duration(text, ms));
    }
    fputs("\">\n", out);
    for (uint32_t i = 0; i < chart_rows(r); i++) {
        put_makespan(out, r, i, most);
    }
    fputs("</svg></div>\n", out);
}

static void put_least(FILE *out, const struct report *r, uint32_t index, uint64_t most)
{
    const struct result *row = &r->rows[index];
    char live[WORDS_MAX], floor[WORDS_MAX];
    int64_t need = CHART_LEFT + share(row->floor, most),
            end = CHART_LEFT + share(row->min_live, most);
    uint32_t y = index * CHART_ROW;
    chart_row(out, r, index);
    chart_bar(out, row, index, end - CHART_LEFT);
    fprintf(out, "<path class=\"need\" d=\"M%" PRId64 " %" PRIu32 "v250\"/>", need, y + 10);
    fprintf(out, "<text x=\"%" PRId64 "\" y=\"%" PRIu32 "\">%s, floor %s</text>\n",
            (end > need ? end : need) + 60, y + 180, words_number(live, row->min_live),
            words_number(floor, row->floor));
}

static void put_leasts(FILE *out, const struct report *r)
{
    uint64_t most = 1;
    chart_open(out, r, "Least live validators, and the floor", "Least live validators:");
    for (uint32_t i = 0; i < chart_rows(r); i++) {
        const struct result *row = &r->rows[i];
        most = row->min_live > most ? row->min_live : most;
        most = row->floor > most ? row->floor : most;
        fputs(i > 0 ? ", " : " ", out);
        put_name(out, r, row);
        fprintf(out, " %" PRIu64 " with a floor of %" PRIu64, row->min_live, row->floor);
    }
    fputs("\">\n", out);
    for (uint32_t i = 0; i < chart_rows(r); i++) {
        put_least(out, r, i, most);
    }
    fputs("</svg></div>\n", out);
}

static bool any_bad(const struct report *r)
{
    for (uint32_t i = 0; i < r->row_count; i++) {
        if (is_bad(&r->rows[i])) {
            return true;
        }
    }
    return false;
}

void html_compare(FILE *out, const struct report *report)
{
    put_table(out, report);
    if (report->row_count < 2) {
        fputs("<p class=\"soft\">Run with <code>--compare</code> to see other strategies in the "
              "same world "
              "beside it.</p>\n",
              out);
        return;
    }
    fputs("<div class=\"pair\">\n", out);
    put_makespans(out, report);
    put_leasts(out, report);
    fputs("</div>\n", out);
    if (any_bad(report)) {
        fputs("<p class=\"soft\">Hatched bars: the floor was broken, the chain stopped or an "
              "invariant was "
              "violated.</p>\n",
              out);
    }
    if (report->row_count > CHART_ROWS) {
        fprintf(out, "<p class=\"soft\">The charts show the first %d rows.</p>\n", CHART_ROWS);
    }
}
