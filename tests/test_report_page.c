/* The page of a report. What it looks like a person must judge; here it is that the page is well
 * formed, fetches nothing, lets no name out of its place and says the right numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/html.h"
#include "sim/report_words.h"
#include "tests/report_text.h"

/* --- helpers --- */

static struct text html_of(const struct report *report)
{
    struct text text;
    FILE *out = text_open(&text);
    report_html(out, report);
    text_close(out);
    return text;
}

/* --- the page --- */

static const char *const NASTY[] = {
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "</title></svg></style>",
    "' onload='x",
    "&lt;&amp;",
    "\x1B[31m\x07\n\t\x7F",
    "\xFF\xFE\xC0",
    "\xE2\x80\xAEgnp.exe",                                           /* right-to-left override */
    "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D",                              /* Hebrew */
    "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x9A\x80 \xF0\x9F\x8C\x95", /* emoji with a joiner */
    "",
    " \t \xE2\x80\x8B",
    "a-moniker-that-goes-on-and-on-for-nearly-eighty-bytes-and-then-still-a-bit-more",
};
#define NASTY_COUNT (sizeof NASTY / sizeof *NASTY)

struct world { /* a run of `count` validators that go one after another, a block apart */
    struct model_record *records;
    struct report_point *points;
    struct report_bar *bars;
    struct result rows[2];
    struct report report;
};

static void world_fill(struct world *w, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        int64_t start = 6000 * (int64_t)i;
        snprintf(w->records[i].moniker, MODEL_MONIKER_MAX, "%s", NASTY[i % NASTY_COUNT]);
        w->points[i] = (struct report_point){i + 1, 1000000 + start, 90, i < 4 ? 0 : 67, 90};
        w->bars[2 * i] = (struct report_bar){i, BAR_OUT, 1000000 + start, 1360000 + start};
        w->bars[2 * i + 1] = (struct report_bar){i, BAR_DOWN, 1012000 + start, 1312000 + start};
    }
}

static struct world *world_create(uint32_t count)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->records = calloc(count, sizeof *w->records);
    w->points = calloc(count, sizeof *w->points);
    w->bars = calloc(2 * (size_t)count, sizeof *w->bars);
    assert_true(w->records != NULL && w->points != NULL && w->bars != NULL);
    world_fill(w, count);
    w->rows[0] = w->rows[1] = report_good_row();
    w->rows[1].strategy = "all-at-once";
    w->rows[1].blocks_below_floor = 31;
    w->rows[1].min_live = 12;
    w->report = (struct report){"<chain>",
                                "a&b.json",
                                "stagger sim --seed 7 '<x>'",
                                "W 3; \"phi\" 2/3",
                                w->records,
                                count,
                                w->rows,
                                2,
                                w->points,
                                count,
                                w->bars,
                                2 * count,
                                NULL};
    return w;
}

static void world_destroy(struct world **w)
{
    free((*w)->records);
    free((*w)->points);
    free((*w)->bars);
    free(*w);
    *w = NULL;
}

#define DEPTH_MAX 32
#define TAG_MAX 16

static const char *tag_end(const char *at)
{
    char quote = '\0';
    for (; *at != '\0' && (quote != '\0' || *at != '>'); at++) {
        assert_true(*at != '<'); /* attributes hold none, escaped or not quoted */
        if (quote == '\0' && *at == '"') {
            quote = '"';
        } else if (*at == quote) {
            quote = '\0';
        }
    }
    assert_int_equal(*at, '>');
    return at;
}

/* Every element is closed in its order, and every "<" begins a tag that we know. */
static void assert_well_formed(const struct text *text)
{
    static const char *const known[] = {
        "html",    "head", "meta",   "title",  "style", "body",  "svg",     "defs",
        "pattern", "path", "main",   "header", "p",     "bdi",   "h1",      "h2",
        "h3",      "span", "dl",     "div",    "dt",    "dd",    "section", "g",
        "text",    "rect", "circle", "ul",     "li",    "table", "caption", "thead",
        "tbody",   "tr",   "th",     "td",     "pre",   "code",  "b"};
    char open[DEPTH_MAX][TAG_MAX];
    int depth = 0;
    const char *at = text->bytes;
    assert_int_equal(strncmp(at, "<!DOCTYPE html>\n", 16), 0);
    for (at += 16; (at = strchr(at, '<')) != NULL;) {
        bool closes = at[1] == '/';
        char name[TAG_MAX] = "";
        size_t length = strcspn(at + 1 + closes, " />");
        assert_true(length < TAG_MAX);
        memcpy(name, at + 1 + closes, length);
        bool is_known = false;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
            is_known |= strcmp(known[i], name) == 0;
        }
        if (!is_known) {
            fail_msg("unknown element: %.60s", at);
        }
        const char *end = tag_end(at + 1);
        if (closes) {
            assert_true(depth > 0);
            assert_string_equal(open[--depth], name);
        } else if (end[-1] != '/' && strcmp(name, "meta") != 0) {
            assert_true(depth < DEPTH_MAX);
            memcpy(open[depth++], name, TAG_MAX);
        }
        at = end;
    }
    assert_int_equal(depth, 0);
}

/* Names may say what they like between tags, where nothing is done with it. */
static void assert_tag_is_inert(const char *tag, const char *end)
{
    static const char *const forbidden[] = {
        " src=", " href=", " onload=", " onerror=", "<script", "<link", "<img"};
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
        const char *at = strstr(tag, forbidden[i]);
        if (at != NULL && at < end) {
            fail_msg("\"%s\" stands in a tag: %.80s", forbidden[i], tag);
        }
    }
}

static void assert_self_contained(const struct text *text)
{
    for (const char *at = text->bytes; (at = strchr(at, '<')) != NULL; at++) {
        assert_tag_is_inert(at, tag_end(at + 1));
    }
    text_lacks(text, "//");
    text_lacks(text, "@import");
    assert_int_equal(text_count(text, "url("), text_count(text, "url(#"));
}

static void assert_clean_bytes(const struct text *text)
{
    assert_int_equal(strlen(text->bytes), text->size);
    const char *at = text->bytes;
    for (uint32_t point; (point = words_next(&at)) != 0;) {
        assert_true(point == '\n' || words_clean(point) == point);
    }
}

static void assert_sound(const struct text *text)
{
    assert_well_formed(text);
    assert_self_contained(text);
    assert_clean_bytes(text);
}

static void test_page(void **state)
{
    (void)state;
    struct world *w = world_create(263);
    struct text text = html_of(&w->report);
    assert_sound(&text);
    text_has(&text,
             "<h1><span class=\"good\">The floor held:</span> 260 of 260 validators rebooted in "
             "22m48s, and never fewer than 204 were live against a floor of 200.</h1>");
    text_has(&text, "1.08 times the lower bound of 21m11s"); /* 21m10.5s */
    text_has(&text, "this axis does not begin at 0");
    text_has(&text, "stagger sim --seed 7 &#39;&lt;x&gt;&#39;");
    text_has(&text, "W 3; &quot;phi&quot; 2/3");
    text_has(&text, "broke the floor in 31 blocks");
    text_has(&text, "prefers-color-scheme:dark");
    text_has(&text, "@media print");
    text_has(&text, "263 validators were out at some time, in the order");
    assert_int_equal(text_count(&text, "<g class=\"v\">"), 263);
    assert_int_equal(text_count(&text, "<rect class=\"down\""), 263);
    text_lacks(&text, "0.0123"); /* wall_s differs from run to run */
    struct text again = html_of(&w->report);
    assert_string_equal(text.bytes, again.bytes);
    free(again.bytes);
    free(text.bytes);
    world_destroy(&w);
}

static void test_page_names(void **state)
{
    (void)state;
    struct world *w = world_create(NASTY_COUNT);
    struct text text = html_of(&w->report);
    assert_sound(&text);
    text_has(&text, "&lt;script&gt;alert(1)&lt;/s&#8230;");   /* cut, in the label */
    text_has(&text, "&lt;script&gt;alert(1)&lt;/script&gt;"); /* whole, when pointed at */
    text_has(&text, "&amp;lt;&amp;amp;");
    text_has(&text, "\xEF\xBF\xBDgnp.exe");
    text_has(&text, "&#8296;\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D&#8297;");
    text_has(&text, ">validator 10</text>");
    text_has(&text, ">validator 11</text>");
    text_has(&text, ">a-moniker-that-goes&#8230;</text>");
    text_has(&text, "<bdi>&lt;chain&gt;</bdi>");
    free(text.bytes);
    world_destroy(&w);
}

static void test_page_many(void **state)
{
    (void)state;
    struct world *w = world_create(10000);
    w->bars[2 * 5005].kind = BAR_FAULT;
    struct text text = html_of(&w->report);
    assert_sound(&text);
    text_has(&text, "10,000 validators were out at some time; 1,000 of them are drawn");
    text_has(&text, "(validator 5005)"); /* an accident is never left out for a neighbour */
    assert_int_equal(text_count(&text, "<g class=\"v\">"), HTML_ROWS_MAX);
    text_has(&text, "of 10,000 blocks; of each stretch the lowest is kept");
    assert_true(text.size < 1000000);
    free(text.bytes);
    world_destroy(&w);
}

static void test_page_bad_run(void **state)
{
    (void)state;
    struct world *w = world_create(40);
    struct result *row = &w->rows[0];
    row->blocks_below_floor = 3;
    row->min_live = 190;
    row->undone = true;
    report_violate(row, 21);
    strcpy(row->violations[0].text, "<b>&</b>");
    w->points[20].live = 50;
    w->points[30].time_ms += 100000;
    w->bars[7].to_ms = INT64_MAX;
    struct text text = html_of(&w->report);
    assert_sound(&text);
    text_has(
        &text,
        "The floor was broken:</span> 3 of 229 blocks had fewer live validators than the floor "
        "of 200 demands, 190 at the least");
    text_has(&text, "least: 50 live, 17 below the floor, at 0:02:00 (block 21)");
    text_has(&text, "class=\"breach\"");
    text_has(&text, "no block for more than three block times");
    text_has(&text, "&lt;b&gt;&amp;&lt;/b&gt;");
    text_has(&text, "<li>and 1 more</li>");
    text_has(&text, "the end (not back)");
    free(text.bytes);
    row->chain_stopped_for_good = true;
    strcpy(row->stopped_why, "nobody was <left>");
    text = html_of(&w->report);
    assert_sound(&text);
    text_has(&text,
             "The chain stopped for good:</span> nobody was &lt;left&gt;; by then 260 of 260");
    text_has(&text, ", for good");
    free(text.bytes);
    world_destroy(&w);
}

static void test_page_of_nothing(void **state)
{
    (void)state;
    struct world *w = world_create(1);
    w->report.point_count = w->report.bar_count = w->report.record_count = 0;
    w->report.row_count = 1;
    w->rows[0] = (struct result){.strategy = "unheard-of", .makespan_s = -1};
    struct text text = html_of(&w->report);
    assert_sound(&text);
    text_has(&text, "No block was made");
    text_has(&text, "Nobody was out");
    text_has(&text, "--compare");
    free(text.bytes);
    w->report.point_count = 1; /* one block, and bars of validators without a record */
    w->report.bar_count = 2;
    text = html_of(&w->report);
    assert_sound(&text);
    text_has(&text, "validator 0");
    text_has(&text, "1 validator was out");
    free(text.bytes);
    world_destroy(&w);
}

/* A network that ran: no strategies beside it, no seed, and seconds on its axis. */
static void test_page_of_a_real_run(void **state)
{
    (void)state;
    struct world *w = world_create(7);
    w->report.ran = "stagger demo";
    w->report.row_count = 1;
    w->report.point_count = 5;
    w->report.bar_count = 0;
    w->rows[0].seed = 987654321;
    struct text text = html_of(&w->report);
    assert_sound(&text);
    text_has(&text, "<p class=\"eyebrow\">stagger demo &#183;");
    text_has(&text, "by whoever stood in it");
    text_has(&text, "away once and back");
    text_has(&text, "has signed one of the latest blocks");
    text_has(&text, "hours, minutes and seconds since");
    text_has(&text, ">0:00:05</text>");
    text_lacks(&text, "stagger sim &#183;");
    text_lacks(&text, "strategies");
    text_lacks(&text, "A strategy");
    text_lacks(&text, "987654321");
    text_lacks(&text, "lower bound</dt>");
    free(text.bytes);
    world_destroy(&w);
}

static void test_page_same_names(void **state)
{
    (void)state;
    struct world *w = world_create(30);
    struct result *rows = calloc(50, sizeof *rows);
    assert_non_null(rows);
    for (uint32_t i = 0; i < 50; i++) {
        rows[i] = report_good_row();
        rows[i].seed = i;
        rows[i].makespan_s = i == 1 ? 1e6 : 1368;
    }
    w->report.rows = rows;
    w->report.row_count = 50;
    struct text text = html_of(&w->report);
    assert_sound(&text);
    text_has(&text, "<th scope=\"row\">draw 49</th>");
    text_has(&text, "The charts show the first 24 rows.");
    text_has(&text, "277h47m, bar cut");
    assert_int_equal(text_count(&text, "<dt>draw</dt>"), 1);
    free(text.bytes);
    free(rows);
    world_destroy(&w);
}

/* --- parts of the page --- */

static void test_thin(void **state)
{
    (void)state;
    const uint32_t count = 50000;
    struct report_point *points = calloc(count, sizeof *points);
    struct report_point *kept = calloc(HTML_POINTS_MAX, sizeof *kept);
    assert_true(points != NULL && kept != NULL);
    for (uint32_t i = 0; i < count; i++) {
        points[i] = (struct report_point){i, i, 90 + i * 7919 % 10, 67, 100};
    }
    points[12345].live = 3;
    points[33333].floor = 95; /* deep below this floor, though many are live */
    uint32_t used = html_thin(points, count, kept);
    assert_true(used <= HTML_POINTS_MAX && used > HTML_POINTS_MAX / 4);
    bool least = false, deepest = false;
    for (uint32_t i = 0; i < used; i++) {
        least |= kept[i].height == 12345 && kept[i].live == 3;
        deepest |= kept[i].height == 33333 && kept[i].floor == 95;
        assert_true(i == 0 || kept[i].height > kept[i - 1].height);
    }
    assert_true(least && deepest);
    assert_int_equal(kept[0].height, 0);
    assert_int_equal(kept[used - 1].height, count - 1);
    assert_int_equal(html_thin(points, HTML_POINTS_MAX, kept), HTML_POINTS_MAX);
    assert_int_equal(kept[1].height, 1);
    assert_true(html_thin(points, HTML_POINTS_MAX + 1, kept) <= HTML_POINTS_MAX);
    free(points);
    free(kept);
}

static void test_axis(void **state)
{
    (void)state;
    static const int64_t spans[] = {1,
                                    6000,
                                    90000,
                                    120000,
                                    720000,
                                    3600000,
                                    86400000,
                                    30 * INT64_C(86400000),
                                    INT64_C(10000000000000)};
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        struct report_point points[2] = {{1, 5000, 4, 3, 4}, {2, 5000 + spans[i], 4, 3, 4}};
        struct report report = {.points = points, .point_count = 2};
        struct html_axis axis = html_axis_create(&report);
        assert_int_equal(axis.from_ms, 5000);
        assert_int_equal(axis.to_ms, 5000 + spans[i]);
        assert_int_equal(axis.tick_ms % (spans[i] < 360000 ? 5000 : 60000), 0);
        assert_true(spans[i] / axis.tick_ms <= 12);
        assert_int_equal(html_x(&axis, INT64_MIN), HTML_LEFT);
        assert_int_equal(html_x(&axis, 5000), HTML_LEFT);
        assert_int_equal(html_x(&axis, axis.to_ms), HTML_RIGHT);
        assert_int_equal(html_x(&axis, INT64_MAX), HTML_RIGHT);
    }
    struct report empty = {.point_count = 0};
    struct html_axis axis = html_axis_create(&empty);
    assert_true(axis.from_ms < axis.to_ms);
}

static void test_strategies_are_known(void **state)
{
    (void)state;
    static const char *const names[] = {"draw",     "all-at-once", "random-delay",
                                        "one-lock", "central",     "omniscient"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_non_null(html_strategy(names[i]));
    }
    assert_null(html_strategy("best"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_page_names),
        cmocka_unit_test(test_page_many),
        cmocka_unit_test(test_page_bad_run),
        cmocka_unit_test(test_page_of_nothing),
        cmocka_unit_test(test_page_of_a_real_run),
        cmocka_unit_test(test_page_same_names),
        cmocka_unit_test(test_thin),
        cmocka_unit_test(test_axis),
        cmocka_unit_test(test_strategies_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
