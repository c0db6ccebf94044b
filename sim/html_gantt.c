#include <inttypes.h>
#include <stdlib.h>

#include "sim/html.h"
#include "sim/report_words.h"

#define HEAD 300       /* of a panel: the times */
#define PANEL_MAX 9000 /* height of a panel's rows, so that one fits on a printed page */
#define LABEL_MIN 85   /* a row that is lower has no label of its own */
#define TITLE_BARS 12  /* told when the pointer rests on a row */

/* One validator that was ever out; its bars lie side by side in the sorted copy. */
struct row {
    uint32_t validator, first, count;
    int64_t from_ms, away_ms; /* away: the sum of its bars, to choose by */
    bool fault;
};

struct gantt {
    const struct report *report;
    const struct html_axis *axis;
    struct report_bar *bars;
    struct row *rows;
    uint32_t count, all; /* rows drawn; validators that were out */
    int64_t height;      /* of a row */
};

/* --- rows from bars --- */

static int order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_bars(const void *a, const void *b)
{
    const struct report_bar *x = a, *y = b;
    int by = order(x->validator, y->validator);
    by = by != 0 ? by : order((int64_t)x->kind, (int64_t)y->kind); /* what is drawn over what */
    by = by != 0 ? by : order(x->from_ms, y->from_ms);
    return by != 0 ? by : order(x->to_ms, y->to_ms);
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int by = order(x->from_ms, y->from_ms);
    return by != 0 ? by : order(x->validator, y->validator);
}

static int64_t bar_end(const struct gantt *g, const struct report_bar *bar)
{
    return bar->to_ms == INT64_MAX ? g->axis->to_ms : bar->to_ms;
}

static void collect_rows(struct gantt *g)
{
    for (uint32_t i = 0; i < g->report->bar_count; i++) {
        const struct report_bar *bar = &g->bars[i];
        if (g->all == 0 || g->rows[g->all - 1].validator != bar->validator) {
            g->rows[g->all++] = (struct row){bar->validator, i, 0, bar->from_ms, 0, false};
        }
        struct row *row = &g->rows[g->all - 1];
        row->count++;
        row->from_ms = bar->from_ms < row->from_ms ? bar->from_ms : row->from_ms;
        row->away_ms += bar_end(g, bar) - bar->from_ms;
        row->fault |= bar->kind == BAR_FAULT;
    }
    qsort(g->rows, g->all, sizeof *g->rows, compare_rows);
}

static bool tells_more(const struct row *a, const struct row *b)
{
    return a->fault != b->fault ? a->fault : a->away_ms > b->away_ms;
}

/* Of each stretch of neighbours the one that tells most. */
static void choose_rows(struct gantt *g)
{
    if (g->all <= HTML_ROWS_MAX) {
        g->count = g->all;
        return;
    }
    for (uint64_t s = 0; s < HTML_ROWS_MAX; s++) {
        uint32_t first = (uint32_t)(s * g->all / HTML_ROWS_MAX);
        uint32_t end = (uint32_t)((s + 1) * g->all / HTML_ROWS_MAX);
        struct row best = g->rows[first];
        for (uint32_t i = first + 1; i < end; i++) {
            best = tells_more(&g->rows[i], &best) ? g->rows[i] : best;
        }
        g->rows[g->count++] = best; /* count <= first: nothing is overwritten that is still read */
    }
}

static int64_t row_height(uint32_t rows)
{
    return rows <= 40 ? 200 : rows <= 100 ? 140 : rows <= 180 ? 110 : rows <= 400 ? 90 : 40;
}

/* --- drawing --- */

static const char *kind_words(enum report_bar_kind kind)
{
    return kind == BAR_OUT    ? "out of the set"
           : kind == BAR_DOWN ? "down by choice"
                              : "down by accident";
}

static void put_title(FILE *out, const struct gantt *g, const struct row *row)
{
    fputs("<title>&#8296;", out); /* isolated: a moniker may run from right to left */
    html_name(out, g->report, row->validator, 0);
    fprintf(out, "&#8297; (validator %" PRIu32 ")", row->validator);
    for (uint32_t i = 0; i < row->count && i < TITLE_BARS; i++) {
        const struct report_bar *bar = &g->bars[row->first + i];
        char from[WORDS_MAX], to[WORDS_MAX], length[WORDS_MAX];
        bool open = bar->to_ms == INT64_MAX;
        fprintf(out, "\n%s %s \xE2\x80\x93 %s (%s)", kind_words(bar->kind),
                words_clock_s(from, bar->from_ms - g->axis->from_ms),
                open ? "the end" : words_clock_s(to, bar->to_ms - g->axis->from_ms),
                open ? "not back" : words_duration(length, bar->to_ms - bar->from_ms));
    }
    if (row->count > TITLE_BARS) {
        fprintf(out, "\nand %" PRIu32 " more", row->count - TITLE_BARS);
    }
    fputs("</title>", out);
}

static void put_bar(FILE *out, const struct gantt *g, const struct report_bar *bar, int64_t y)
{
    static const char *const styles[] = {"out", "down", "fault"};
    int64_t from = html_x(g->axis, bar->from_ms), to = html_x(g->axis, bar_end(g, bar));
    int64_t gap = g->height / 10; /* between rows; a node that is down lies within its time out */
    int64_t inset = bar->kind == BAR_OUT ? gap : gap + g->height / 8;
    fprintf(out,
            "<rect class=\"%s\" x=\"%" PRId64 "\" y=\"%" PRId64 "\" width=\"%" PRId64
            "\" height=\"%" PRId64 "\"/>",
            styles[bar->kind], from, y + inset, to > from + 15 ? to - from : 15,
            g->height - 2 * inset);
}

static void put_row(FILE *out, const struct gantt *g, uint32_t index, int64_t y)
{
    const struct row *row = &g->rows[index];
    uint32_t every = g->height >= LABEL_MIN ? 1 : (uint32_t)(LABEL_MIN / g->height + 1);
    fputs("<g class=\"v\">", out);
    put_title(out, g, row);
    fprintf(out,
            "<rect class=\"hit\" x=\"0\" y=\"%" PRId64 "\" width=\"%d\" height=\"%" PRId64 "\"/>",
            y, HTML_WIDTH, g->height);
    if (index % every == 0) {
        fprintf(out, "<text x=\"%d\" y=\"%" PRId64 "\">", HTML_LEFT - 80,
                y + g->height / 2 + (g->height >= LABEL_MIN ? 35 : 30));
        html_name(out, g->report, row->validator, HTML_NAME_COLUMNS);
        fputs("</text>", out);
    }
    for (uint32_t i = 0; i < row->count; i++) {
        put_bar(out, g, &g->bars[row->first + i], y);
    }
    fputs("</g>\n", out);
}

static int font_size(const struct gantt *g)
{
    return g->height >= 140 ? 115 : g->height >= 110 ? 98 : 84;
}

static void put_panel(FILE *out, const struct gantt *g, uint32_t first, uint32_t end)
{
    int64_t bottom = HEAD + (int64_t)(end - first) * g->height;
    fprintf(out,
            "<svg class=\"wide\" viewBox=\"0 0 %d %" PRId64
            "\" role=\"img\" aria-label=\"Validators %" PRIu32 " to %" PRIu32 " of %" PRIu32
            " in the order in which they went, a bar for the time of each\">\n",
            HTML_WIDTH, bottom + 60, first + 1, end, g->count);
    html_axis_times(out, g->axis, HEAD - 90);
    fprintf(out, "<g class=\"rows\" text-anchor=\"end\" font-size=\"%d\">\n", font_size(g));
    html_axis_grid(out, g->axis, HEAD - 40, bottom);
    for (uint32_t i = first; i < end; i++) {
        put_row(out, g, i, HEAD + (int64_t)(i - first) * g->height);
    }
    fputs("</g></svg>\n", out);
}

static void put_legend(FILE *out, bool fault)
{
    fputs("<ul class=\"legend\">"
          "<li><svg viewBox=\"0 0 340 140\" aria-hidden=\"true\"><path class=\"out\" "
          "d=\"M0 0H340V140H0Z\"/></svg>out of the set, node still up</li>"
          "<li><svg viewBox=\"0 0 340 140\" aria-hidden=\"true\"><path class=\"down\" "
          "d=\"M0 20H340V120H0Z\"/></svg>node down by choice</li>",
          out);
    if (fault) {
        fputs("<li><svg viewBox=\"0 0 340 140\" aria-hidden=\"true\"><path class=\"fault\" "
              "d=\"M5 20H335V120H5Z\"/></svg>node down by accident</li>",
              out);
    }
    fputs("</ul>\n", out);
}

static void put_words(FILE *out, const struct gantt *g)
{
    char shown[WORDS_MAX], all[WORDS_MAX];
    if (g->count < g->all) {
        fprintf(
            out,
            "<p>%s validators were out at some time; %s of them are drawn, in the order in which "
            "they "
            "went. Of each group of neighbours it is the one with an accident, otherwise the one "
            "that was away longest.</p>\n",
            words_number(all, g->all), words_number(shown, g->count));
    } else {
        fprintf(out,
                "<p>%s validator%s out at some time, in the order in which they went. Rest the "
                "pointer on a "
                "bar for its times.</p>\n",
                words_number(all, g->all), g->all == 1 ? " was" : "s were");
    }
}

static bool any_fault(const struct gantt *g)
{
    for (uint32_t i = 0; i < g->count; i++) {
        if (g->rows[i].fault) {
            return true;
        }
    }
    return false;
}

static void put_gantt(FILE *out, struct gantt *g)
{
    for (uint32_t i = 0; i < g->report->bar_count; i++) {
        g->bars[i] = g->report->bars[i];
    }
    qsort(g->bars, g->report->bar_count, sizeof *g->bars, compare_bars);
    collect_rows(g);
    choose_rows(g);
    g->height = row_height(g->count);
    put_words(out, g);
    put_legend(out, any_fault(g));
    fputs("<div class=\"scroll\" tabindex=\"0\">\n", out);
    uint32_t panel = (uint32_t)(PANEL_MAX / g->height);
    for (uint32_t first = 0; first < g->count; first += panel) {
        put_panel(out, g, first, first + panel < g->count ? first + panel : g->count);
    }
    fputs("</div>\n", out);
}

void html_gantt(FILE *out, const struct report *report, const struct html_axis *axis)
{
    if (report->bar_count == 0) {
        fputs("<p>Nobody was out at any time.</p>\n", out);
        return;
    }
    struct gantt g = {.report = report,
                      .axis = axis,
                      .bars = calloc(report->bar_count, sizeof *g.bars),
                      .rows = calloc(report->bar_count, sizeof *g.rows)};
    if (g.bars != NULL && g.rows != NULL) {
        put_gantt(out, &g);
    } else {
        fputs("<p>Not drawn: memory was short.</p>\n", out);
    }
    free(g.bars);
    free(g.rows);
}
