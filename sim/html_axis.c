#include <assert.h>
#include <inttypes.h>

#include "sim/html.h"
#include "sim/report_words.h"

#define TICKS_MAX 12

static int64_t tick_for(int64_t span_ms)
{
    static const int64_t seconds[] = {5,   10,   15,   30,   60,    120,   300,   600,
                                      900, 1800, 3600, 7200, 14400, 21600, 43200, 86400};
    int64_t tick = 0;
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        tick = seconds[i] * 1000;
        if (span_ms / tick < TICKS_MAX) {
            return tick;
        }
    }
    return tick * (span_ms / tick / TICKS_MAX + 1);
}

struct html_axis html_axis_create(const struct report *report)
{
    struct html_axis axis = {INT64_MAX, INT64_MIN, 0};
    if (report->point_count > 0) {
        axis.from_ms = report->points[0].time_ms;
        axis.to_ms = report->points[report->point_count - 1].time_ms;
    }
    for (uint32_t i = 0; i < report->bar_count; i++) {
        const struct report_bar *bar = &report->bars[i];
        int64_t end = bar->to_ms == INT64_MAX ? bar->from_ms : bar->to_ms;
        /* without blocks the bars alone say when the run began */
        axis.from_ms =
            report->point_count == 0 && bar->from_ms < axis.from_ms ? bar->from_ms : axis.from_ms;
        axis.to_ms = end > axis.to_ms ? end : axis.to_ms;
    }
    if (axis.from_ms == INT64_MAX) {
        axis.from_ms = 0;
    }
    if (axis.to_ms <= axis.from_ms) {
        axis.to_ms = axis.from_ms + 60000;
    }
    axis.tick_ms = tick_for(axis.to_ms - axis.from_ms);
    return axis;
}

int64_t html_x(const struct html_axis *axis, int64_t ms)
{
    assert(axis->from_ms < axis->to_ms);
    if (ms <= axis->from_ms) {
        return HTML_LEFT;
    }
    if (ms >= axis->to_ms) {
        return HTML_RIGHT;
    }
    return HTML_LEFT +
           (ms - axis->from_ms) * (HTML_RIGHT - HTML_LEFT) / (axis->to_ms - axis->from_ms);
}

void html_axis_grid(FILE *out, const struct html_axis *axis, int64_t top, int64_t bottom)
{
    fputs("<path class=\"grid\" d=\"", out);
    for (int64_t t = axis->from_ms; t <= axis->to_ms; t += axis->tick_ms) {
        fprintf(out, "M%" PRId64 " %" PRId64 "V%" PRId64, html_x(axis, t), top, bottom);
    }
    fputs("\"/>\n", out);
}

void html_axis_times(FILE *out, const struct html_axis *axis, int64_t y)
{
    fputs("<g class=\"tick\" text-anchor=\"middle\">", out);
    for (int64_t t = axis->from_ms; t <= axis->to_ms; t += axis->tick_ms) {
        char text[WORDS_MAX];
        fprintf(out, "<text x=\"%" PRId64 "\" y=\"%" PRId64 "\">%s</text>", html_x(axis, t), y,
                axis->tick_ms < 60000 ? words_clock_s(text, t - axis->from_ms)
                                      : words_clock(text, t - axis->from_ms));
    }
    fputs("</g>\n", out);
}
