#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "sim/html.h"
#include "sim/report_words.h"

#define TOP 320
#define BOTTOM 3000
#define HEIGHT 3620
#define Y_TICKS 6
#define STILL_BLOCKS 3  /* as halted_s: so many block times without a block */
#define STILL_SHOWN 200 /* a chain without empty blocks may be still most of the time */

enum field { FIELD_LIVE, FIELD_FLOOR, FIELD_SET };

struct picture {
    const struct report *report;
    const struct html_axis *axis;
    struct report_point *points; /* thinned */
    uint32_t count;
    uint32_t least;          /* of report->points */
    int64_t low, high, step; /* of the y axis */
};

static uint32_t value_of(const struct report_point *point, enum field field)
{
    return field == FIELD_LIVE ? point->live : field == FIELD_FLOOR ? point->floor : point->set;
}

/* --- fewer points --- */

static int64_t margin_of(const struct report_point *point)
{
    return (int64_t)point->live - (int64_t)point->floor;
}

static uint32_t keep(const struct report_point *points, const uint32_t chosen[4],
                     struct report_point *kept)
{
    uint32_t used = 0, last = UINT32_MAX;
    for (int i = 0; i < 4;
         i++) { /* the smallest that is larger than the last: in order, each once */
        uint32_t next = UINT32_MAX;
        for (int j = 0; j < 4; j++) {
            if ((last == UINT32_MAX || chosen[j] > last) && chosen[j] < next) {
                next = chosen[j];
            }
        }
        if (next == UINT32_MAX) {
            break;
        }
        kept[used++] = points[next];
        last = next;
    }
    return used;
}

uint32_t html_thin(const struct report_point *points, uint32_t count, struct report_point *kept)
{
    if (count <= HTML_POINTS_MAX) {
        for (uint32_t i = 0; i < count; i++) {
            kept[i] = points[i];
        }
        return count;
    }
    const uint64_t stretches = HTML_POINTS_MAX / 4;
    uint32_t used = 0;
    for (uint64_t s = 0; s < stretches; s++) {
        uint32_t first = (uint32_t)(s * count / stretches);
        uint32_t last = (uint32_t)((s + 1) * count / stretches) - 1;
        uint32_t least = first, nearest = first;
        for (uint32_t i = first; i <= last; i++) {
            least = points[i].live < points[least].live ? i : least;
            nearest = margin_of(&points[i]) < margin_of(&points[nearest]) ? i : nearest;
        }
        used += keep(points, (uint32_t[4]){first, least, nearest, last}, kept + used);
    }
    assert(used <= HTML_POINTS_MAX);
    return used;
}

/* --- the y axis --- */

static int64_t nice_step(int64_t span)
{
    int64_t unit = 1;
    while (unit * 5 * Y_TICKS < span) {
        unit *= 10;
    }
    if (unit * Y_TICKS >= span) {
        return unit;
    }
    return unit * 2 * Y_TICKS >= span ? unit * 2 : unit * 5;
}

static void picture_scale(struct picture *p)
{
    int64_t least = INT64_MAX, most = 1;
    for (uint32_t i = 0; i < p->report->point_count; i++) {
        const struct report_point *point = &p->report->points[i];
        int64_t below = point->floor > 0 && point->floor < point->live ? point->floor : point->live;
        int64_t above = point->set > point->live ? point->set : point->live;
        least = below < least ? below : least;
        most = above > most ? above : most;
        p->least = point->live < p->report->points[p->least].live ? i : p->least;
    }
    int64_t low = least - (most - least) / 3 - 1;
    low = low * 4 < most ? 0 : low;
    p->step = nice_step(most - low);
    p->low = low / p->step * p->step;
    p->high = (most + p->step - 1) / p->step * p->step;
    p->high += p->high == p->low ? p->step : 0;
}

static int64_t place(const struct picture *p, int64_t value)
{
    int64_t shown = value < p->low ? p->low : value > p->high ? p->high : value;
    return BOTTOM - (shown - p->low) * (BOTTOM - TOP) / (p->high - p->low);
}

static void put_value_axis(FILE *out, const struct picture *p)
{
    fputs("<g class=\"tick\" text-anchor=\"end\">", out);
    for (int64_t v = p->low; v <= p->high; v += p->step) {
        char text[WORDS_MAX];
        fprintf(out,
                "<path class=\"grid\" d=\"M%d %" PRId64 "H%d\"/>"
                "<text x=\"%d\" y=\"%" PRId64 "\">%s</text>",
                HTML_LEFT, place(p, v), HTML_RIGHT, HTML_LEFT - 80, place(p, v) + 40,
                words_number(text, (uint64_t)v));
    }
    fputs("</g>\n", out);
    fprintf(out, "<text class=\"tick\" x=\"%d\" y=\"%d\">validators%s</text>\n", HTML_LEFT - 700,
            TOP - 170, p->low > 0 ? " (this axis does not begin at 0)" : "");
    if (p->low > 0) { /* the broken foot of the axis */
        fprintf(out, "<path class=\"frame\" d=\"M%d %dl-50 30 100 40 -50 30v40\"/>\n", HTML_LEFT,
                BOTTOM);
    }
}

/* The block that stood last at each tick. */
static void put_heights(FILE *out, const struct picture *p)
{
    const struct report *r = p->report;
    uint32_t i = 0;
    int64_t last = r->points[r->point_count - 1].time_ms;
    fputs("<g class=\"tick small\" text-anchor=\"middle\">", out);
    for (int64_t t = p->axis->from_ms; t <= last; t += p->axis->tick_ms) {
        while (i + 1 < r->point_count && r->points[i + 1].time_ms <= t) {
            i++;
        }
        fprintf(out, "<text x=\"%" PRId64 "\" y=\"%d\">block %" PRIu64 "</text>",
                html_x(p->axis, t), BOTTOM + 340, r->points[i].height);
    }
    fputs("</g>\n", out);
}

/* --- lines --- */

static void put_steps(FILE *out, const struct picture *p, enum field field, uint32_t first)
{
    int64_t y = place(p, value_of(&p->points[first], field));
    fprintf(out, "M%" PRId64 " %" PRId64, html_x(p->axis, p->points[first].time_ms), y);
    for (uint32_t i = first + 1; i < p->count; i++) {
        int64_t next = place(p, value_of(&p->points[i], field));
        if (next != y) {
            fprintf(out, "H%" PRId64 "V%" PRId64, html_x(p->axis, p->points[i].time_ms), next);
            y = next;
        }
    }
    fprintf(out, "H%" PRId64, html_x(p->axis, p->points[p->count - 1].time_ms));
}

/* The first point that the field has a value at; count when there is none. */
static uint32_t first_of(const struct picture *p, enum field field)
{
    uint32_t first = 0;
    while (field == FIELD_FLOOR && first < p->count && p->points[first].floor == 0) {
        first++;
    }
    return first;
}

static void put_line(FILE *out, const struct picture *p, enum field field, const char *style)
{
    uint32_t first = first_of(p, field);
    if (first < p->count) {
        fprintf(out, "<path class=\"%s\" d=\"", style);
        put_steps(out, p, field, first);
        fputs("\"/>\n", out);
    }
}

/* From the line down to the bottom. */
static void put_area(FILE *out, const struct picture *p, enum field field, const char *style)
{
    uint32_t first = first_of(p, field);
    if (first < p->count) {
        fprintf(out, "<path class=\"%s\" d=\"", style);
        put_steps(out, p, field, first);
        fprintf(out, "V%dH%" PRId64 "Z\"/>\n", BOTTOM, html_x(p->axis, p->points[first].time_ms));
    }
}

static void put_breaches(FILE *out, const struct picture *p)
{
    bool open = false;
    for (uint32_t i = 0; i < p->count; i++) {
        if (p->points[i].live >= p->points[i].floor) {
            continue;
        }
        int64_t from = html_x(p->axis, p->points[i].time_ms);
        int64_t to = i + 1 < p->count ? html_x(p->axis, p->points[i + 1].time_ms) : from;
        fprintf(out, "%sM%" PRId64 " %" PRId64 "H%" PRId64,
                open ? "" : "<path class=\"breach\" d=\"", from, place(p, p->points[i].live),
                to > from + 15 ? to : from + 15);
        open = true;
    }
    fputs(open ? "\"/>\n" : "", out);
}

/* --- a chain that stands still --- */

static int compare_times(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The usual time between two blocks; 0: not known. */
static int64_t block_ms(const struct report *r)
{
    if (r->point_count < 2) {
        return 0;
    }
    uint32_t count = r->point_count - 1;
    int64_t *gaps = calloc(count, sizeof *gaps);
    if (gaps == NULL) {
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        gaps[i] = r->points[i + 1].time_ms - r->points[i].time_ms;
    }
    qsort(gaps, count, sizeof *gaps, compare_times);
    int64_t median = gaps[count / 2];
    free(gaps);
    return median;
}

static void put_still(FILE *out, const struct picture *p, int64_t from_ms, int64_t to_ms,
                      bool for_good)
{
    char at[WORDS_MAX], length[WORDS_MAX];
    int64_t from = html_x(p->axis, from_ms), to = html_x(p->axis, to_ms);
    fprintf(out,
            "<rect class=\"still\" x=\"%" PRId64 "\" y=\"%d\" width=\"%" PRId64 "\" height=\"%d\">"
            "<title>no block from %s on%s%s</title></rect>\n",
            from, TOP, to > from + 10 ? to - from : 10, BOTTOM - TOP,
            words_clock_s(at, from_ms - p->axis->from_ms), for_good ? "" : ", for ",
            for_good ? ", for good" : words_duration(length, to_ms - from_ms));
}

/* Whether the picture holds any. */
static bool put_stills(FILE *out, const struct picture *p)
{
    const struct report *r = p->report;
    int64_t usual = block_ms(r);
    uint32_t shown = 0;
    for (uint32_t i = 0; usual > 0 && i + 1 < r->point_count && shown < STILL_SHOWN; i++) {
        if (r->points[i + 1].time_ms - r->points[i].time_ms > STILL_BLOCKS * usual) {
            put_still(out, p, r->points[i].time_ms + usual, r->points[i + 1].time_ms, false);
            shown++;
        }
    }
    int64_t last = r->points[r->point_count - 1].time_ms;
    if (r->rows[0].chain_stopped_for_good) {
        put_still(out, p, last, p->axis->to_ms, true);
        fprintf(out, "<path class=\"dead\" d=\"M%" PRId64 " %dV%d\"/>\n", html_x(p->axis, last),
                TOP, BOTTOM);
        shown++;
    }
    return shown > 0;
}

/* --- words in the picture --- */

/* Where the words about the least count can be read: below its dot and clear of the floor's line.
 */
static int64_t least_baseline(const struct picture *p, const struct report_point *point)
{
    int64_t y = place(p, point->live), floor = place(p, point->floor);
    int64_t baseline = y + 250;
    if (point->floor > 0 && baseline > floor - 60 && baseline < floor + 180) {
        baseline = floor + 200;
    }
    return baseline < BOTTOM - 40 ? baseline : y - 120;
}

static void put_least(FILE *out, const struct picture *p)
{
    const struct report_point *point = &p->report->points[p->least];
    char live[WORDS_MAX], margin[WORDS_MAX], at[WORDS_MAX];
    int64_t x = html_x(p->axis, point->time_ms), y = place(p, point->live);
    int64_t above = margin_of(point), baseline = least_baseline(p, point);
    bool right = x > (HTML_LEFT + HTML_RIGHT) / 2;
    fprintf(out, "<circle class=\"dot\" cx=\"%" PRId64 "\" cy=\"%" PRId64 "\" r=\"38\"/>", x, y);
    fprintf(out, "<text x=\"%" PRId64 "\" y=\"%" PRId64 "\" text-anchor=\"%s\">least: %s live",
            right ? x + 40 : x + 60, baseline, right ? "end" : "start",
            words_number(live, point->live));
    if (point->floor > 0) {
        fprintf(out, ", %s %s the floor",
                above == 0 ? "just" : words_number(margin, (uint64_t)(above < 0 ? -above : above)),
                above == 0  ? "at"
                : above < 0 ? "below"
                            : "above");
    }
    fprintf(out, ", at %s (block %" PRIu64 ")</text>\n",
            words_clock_s(at, point->time_ms - p->axis->from_ms), point->height);
}

static void put_ends(FILE *out, const struct picture *p)
{
    const struct report_point *end = &p->report->points[p->report->point_count - 1];
    char number[WORDS_MAX];
    int64_t live = place(p, end->live) + 40, floor = place(p, end->floor) + 40;
    if (end->floor > 0 && live > floor - 150 && live < floor + 150) { /* too near to read both */
        int64_t apart = end->live >= end->floor ? -150 : 150;
        live = floor + apart;
    }
    fprintf(out, "<text class=\"live\" x=\"%d\" y=\"%" PRId64 "\">%s live</text>", HTML_RIGHT + 70,
            live, words_number(number, end->live));
    if (end->floor > 0) {
        fprintf(out, "<text class=\"floor\" x=\"%d\" y=\"%" PRId64 "\">%s floor</text>",
                HTML_RIGHT + 70, floor, words_number(number, end->floor));
    }
    fputc('\n', out);
}

static bool set_differs(const struct report *r)
{
    for (uint32_t i = 0; i < r->point_count; i++) {
        if (r->points[i].set != r->points[i].live) {
            return true;
        }
    }
    return false;
}

static void put_legend(FILE *out, bool set, bool still)
{
    fputs("<ul class=\"legend\">"
          "<li><svg viewBox=\"0 0 340 140\" aria-hidden=\"true\"><path class=\"liveline\" "
          "d=\"M0 70H340\"/></svg>live validators</li>"
          "<li><svg viewBox=\"0 0 340 140\" aria-hidden=\"true\"><path class=\"floorline\" "
          "d=\"M0 70H340\"/></svg>floor</li>"
          "<li><svg viewBox=\"0 0 340 140\" aria-hidden=\"true\"><path class=\"band\" "
          "d=\"M0 0H340V140H0Z\"/></svg>below the floor</li>",
          out);
    if (set) {
        fputs("<li><svg viewBox=\"0 0 340 140\" aria-hidden=\"true\"><path class=\"setline\" "
              "d=\"M0 70H340\"/></svg>validators in the set</li>",
              out);
    }
    if (still) {
        fputs("<li><svg viewBox=\"0 0 340 140\" aria-hidden=\"true\"><path class=\"still\" "
              "d=\"M0 0H340V140H0Z\"/></svg>no block for more than three block times</li>",
              out);
    }
    fputs("</ul>\n", out);
}

static void put_label(FILE *out, const struct picture *p)
{
    const struct report_point *first = &p->report->points[0];
    const struct report_point *last = &p->report->points[p->report->point_count - 1];
    const struct report_point *least = &p->report->points[p->least];
    char length[WORDS_MAX];
    fprintf(out,
            "<div class=\"scroll\" tabindex=\"0\"><svg class=\"wide\" viewBox=\"0 0 %d %d\" "
            "role=\"img\" "
            "aria-label=\"Live validators over %s, from block %" PRIu64 " to block %" PRIu64
            ": %" PRIu32 " at the start, %" PRIu32 " at the least, %" PRIu32
            " at the end; the floor is %" PRIu32 " at the end.\">\n",
            HTML_WIDTH, HEIGHT, words_duration(length, last->time_ms - first->time_ms),
            first->height, last->height, first->live, least->live, last->live, last->floor);
}

static void put_picture(FILE *out, const struct picture *p)
{
    bool set = set_differs(p->report);
    put_label(out, p);
    put_area(out, p, FIELD_LIVE, "room");
    put_area(out, p, FIELD_FLOOR, "band");
    html_axis_grid(out, p->axis, TOP, BOTTOM);
    put_value_axis(out, p);
    html_axis_times(out, p->axis, BOTTOM + 190);
    put_heights(out, p);
    fprintf(out,
            "<text class=\"tick\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">hours%s since "
            "the first block, and the block then</text>\n",
            (HTML_LEFT + HTML_RIGHT) / 2, BOTTOM + 530,
            p->axis->tick_ms < 60000 ? ", minutes and seconds" : " and minutes");
    bool still = put_stills(out, p);
    if (set) {
        put_line(out, p, FIELD_SET, "setline");
    }
    put_line(out, p, FIELD_FLOOR, "floorline");
    put_line(out, p, FIELD_LIVE, "liveline");
    put_breaches(out, p);
    put_ends(out, p);
    put_least(out, p);
    fputs("</svg></div>\n", out);
    put_legend(out, set, still);
    if (p->count < p->report->point_count) {
        char shown[WORDS_MAX], all[WORDS_MAX];
        fprintf(out,
                "<p class=\"soft\">Drawn from %s of %s blocks; of each stretch the lowest is "
                "kept.</p>\n",
                words_number(shown, p->count), words_number(all, p->report->point_count));
    }
}

void html_live(FILE *out, const struct report *report, const struct html_axis *axis)
{
    if (report->point_count == 0) {
        fputs("<p>No block was made, so there is nothing to draw.</p>\n", out);
        return;
    }
    uint32_t room = report->point_count < HTML_POINTS_MAX ? report->point_count : HTML_POINTS_MAX;
    struct picture p = {.report = report, .axis = axis, .points = calloc(room, sizeof *p.points)};
    if (p.points == NULL) {
        fputs("<p>Not drawn: memory was short.</p>\n", out);
        return;
    }
    p.count = html_thin(report->points, report->point_count, p.points);
    picture_scale(&p);
    put_picture(out, &p);
    free(p.points);
}
