/* The parts of the HTML page; report_html() puts them together.
 *
 *     report_html.c    the page: verdict, key figures, words
 *     html_live.c      live count against the floor
 *     html_gantt.c     who was down when
 *     html_compare.c   strategies beside each other
 *     html_axis.c      the time axis that both pictures share
 *     html_text.c      escaping, names
 *     html_style.c     the style sheet
 *
 * Pictures are inline SVG. Their user unit is a tenth of a CSS pixel, so every coordinate is an
 * integer and no floating point is printed. Both pictures share one time axis, so that a moment
 * stands at the same place in either:
 *
 *     0          HTML_LEFT                              HTML_RIGHT   HTML_WIDTH
 *     |  labels  |  from_ms ........................ to_ms  |  labels  |
 *
 * Colours are CSS variables, one set for paper and bright screens and one for dark screens.
 */
#ifndef STAGGER_SIM_HTML_H
#define STAGGER_SIM_HTML_H

#include "sim/report.h"

#define HTML_WIDTH 10800
#define HTML_LEFT 1560
#define HTML_RIGHT 9900
#define HTML_POINTS_MAX 4000 /* of the step line; a multiple of 4 */
#define HTML_ROWS_MAX 1000   /* bars of validators */
#define HTML_NAME_COLUMNS 20

struct html_axis { /* from_ms < to_ms; times are shown since from_ms */
    int64_t from_ms, to_ms, tick_ms;
};

/* Spans all points and bars. */
struct html_axis html_axis_create(const struct report *report);

/* The place of a time, cut off at both ends of the axis. */
int64_t html_x(const struct html_axis *axis, int64_t ms);

/* A vertical line at every tick. */
void html_axis_grid(FILE *out, const struct html_axis *axis, int64_t top, int64_t bottom);

/* The ticks' times as h:mm, or h:mm:ss where they are close, centred on their lines, with their baseline at y. */
void html_axis_times(FILE *out, const struct html_axis *axis, int64_t y);

/* Escaped for elements and for quoted attributes, cleaned by words_clean(). NULL is nothing. */
void html_text(FILE *out, const char *text);

/* The validator's moniker, or "validator 17" where it is blank; cut to `columns` with an ellipsis
 * (0: not cut). Wide characters count as two columns. */
void html_name(FILE *out, const struct report *report, uint32_t validator, uint32_t columns);

void html_style(FILE *out);
void html_live(FILE *out, const struct report *report, const struct html_axis *axis);
void html_gantt(FILE *out, const struct report *report, const struct html_axis *axis);
void html_compare(FILE *out, const struct report *report);

/* What the strategy of this name does, in one sentence; NULL for one that is not known. */
const char *html_strategy(const char *name);

/* At most HTML_POINTS_MAX of the points, in order: of each stretch the first, the last, the one
 * with the least live validators and the one that is nearest to the floor (or deepest below it).
 * Returns how many; kept has room for the smaller of count and HTML_POINTS_MAX. */
uint32_t html_thin(const struct report_point *points, uint32_t count, struct report_point *kept);

#endif
