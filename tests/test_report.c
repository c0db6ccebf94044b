/* Reports: the results row and its summary, the table, the progress line, and the words that they
 * are made of. The page is in test_report_page.c. */
#define _XOPEN_SOURCE 700

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <yajl/yajl_tree.h>

#include "sim/progress.h"
#include "sim/report_words.h"
#include "tests/report_text.h"

/* --- helpers --- */

static struct text json_of(const struct result *row)
{
    struct text text;
    FILE *out = text_open(&text);
    report_json(out, row);
    text_close(out);
    return text;
}

static struct text table_of(const struct result *rows, uint32_t count)
{
    struct text text;
    FILE *out = text_open(&text);
    report_table(out, rows, count);
    text_close(out);
    return text;
}

static struct summary summarise(const struct result *rows, uint32_t count)
{
    struct report_sample samples[8];
    assert_true(count <= 8);
    for (uint32_t i = 0; i < count; i++)
        samples[i] = report_sample(&rows[i]);
    return report_summarise(samples, count);
}

/* --- words --- */

static void test_duration(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {-1, "-"},
        {0, "0s"},
        {1, "0.0s"},
        {4249, "4.2s"},
        {9949, "9.9s"},
        {9950, "10s"},
        {48000, "48s"},
        {59499, "59s"},
        {59500, "1m00s"},
        {1368000, "22m48s"},
        {3599500, "1h00m00s"},
        {3730000, "1h02m10s"},
        {359999000, "99h59m59s"},
        {432300000, "120h05m"},
        {359999500, "100h00m"},
        {431999000, "120h00m"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[WORDS_MAX];
        assert_string_equal(words_duration(text, cases[i].ms), cases[i].text);
    }
}

static void test_clock_and_number(void **state)
{
    (void)state;
    char text[WORDS_MAX];
    assert_string_equal(words_clock(text, 0), "0:00");
    assert_string_equal(words_clock(text, 3900999), "1:05");
    assert_string_equal(words_clock(text, -5), "0:00");
    assert_string_equal(words_clock_s(text, 3909999), "1:05:09");
    assert_string_equal(words_clock_s(text, 90000000), "25:00:00");
    assert_string_equal(words_number(text, 0), "0");
    assert_string_equal(words_number(text, 999), "999");
    assert_string_equal(words_number(text, 10000), "10,000");
    assert_string_equal(words_number(text, 1234567), "1,234,567");
    assert_string_equal(words_number(text, UINT64_MAX), "18,446,744,073,709,551,615");
}

static void test_fixed(void **state)
{
    (void)state;
    char text[WORDS_MAX];
    assert_string_equal(words_fixed(text, 0, 6), "0.000000");
    assert_string_equal(words_fixed(text, 0.0123456, 6), "0.012346");
    assert_string_equal(words_fixed(text, 1.999, 2), "2.00");
    assert_string_equal(words_fixed(text, 2.5, 0), "3");
    assert_string_equal(words_fixed(text, -1.25, 1), "-1.3");
    assert_string_equal(words_fixed(text, -0.001, 2), "0.00");
    assert_string_equal(words_fixed(text, 9e12, 3), "9000000000000.000");
    assert_null(words_fixed(text, 1e13, 2));
    assert_null(words_fixed(text, (double)NAN, 2));
    assert_null(words_fixed(text, (double)INFINITY, 2));
    assert_int_equal(words_ms(1.0004), 1000);
    assert_int_equal(words_ms(-1.0006), -1001);
    assert_int_equal(words_ms((double)NAN), 0);
    assert_int_equal(words_ms(1e300), INT64_C(9000000000000000));
}

static void test_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        uint32_t points[5];
    } cases[] = {
        {"a", {'a', 0}},
        {"\xC3\xA9z", {0xE9, 'z', 0}},
        {"\xE2\x82\xAC", {0x20AC, 0}},
        {"\xF0\x9F\x9A\x80", {0x1F680, 0}},
        {"\xFFz", {0xFFFD, 'z', 0}},             /* no lead byte */
        {"\x80", {0xFFFD, 0}},                   /* a follower alone */
        {"\xE2\x82", {0xFFFD, 0xFFFD, 0}},       /* cut off */
        {"\xE2\x82z", {0xFFFD, 0xFFFD, 'z', 0}}, /* ... in the middle */
        {"\xC0\xAF", {0xFFFD, 0xFFFD, 0}},       /* overlong */
        {"\xE0\x80\xAF", {0xFFFD, 0xFFFD, 0xFFFD, 0}},
        {"\xED\xA0\x80", {0xFFFD, 0xFFFD, 0xFFFD, 0}},             /* a surrogate */
        {"\xF4\x90\x80\x80", {0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD, 0}}, /* beyond the last */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *at = cases[i].bytes;
        for (size_t j = 0; j == 0 || cases[i].points[j - 1] != 0; j++) {
            assert_int_equal(words_next(&at), cases[i].points[j]);
        }
        assert_int_equal(*at, 0);
    }
}

static void test_clean(void **state)
{
    (void)state;
    static const uint32_t replaced[] = {0x01,   0x1B,   0x7F,   0x9B,   0x202E,
                                        0x2066, 0x200F, 0xFFFE, 0x1FFFF};
    for (size_t i = 0; i < sizeof replaced / sizeof *replaced; i++) {
        assert_int_equal(words_clean(replaced[i]), 0xFFFD);
    }
    assert_int_equal(words_clean('\n'), ' ');
    assert_int_equal(words_clean(0x2028), ' ');
    assert_int_equal(words_clean(0x5D0), 0x5D0);   /* Hebrew is no control */
    assert_int_equal(words_clean(0x200D), 0x200D); /* joins emoji */
    assert_int_equal(words_clean(0x1F680), 0x1F680);
}

/* --- the results row --- */

static void test_json_row(void **state)
{
    (void)state;
    struct result row = report_good_row();
    struct text text = json_of(&row);
    assert_string_equal(
        text.bytes,
        "{\"strategy\":\"draw\",\"seed\":7,\"validators\":400,\"members\":263,\"agents\":260,"
        "\"floor\":200,\"min_live\":204,\"blocks\":229,\"blocks_below_floor\":0,"
        "\"halted_s\":0.000,\"chain_stopped_for_good\":false,\"done\":260,\"failed\":0,"
        "\"left_paused\":0,\"missed_blocks_in_set\":0,\"joins\":270,\"permits\":265,"
        "\"permits_unused\":5,\"pauses\":260,\"makespan_s\":1368.000,"
        "\"lower_bound_s\":1270.500,\"messages\":1000,\"bytes\":250000,\"steps\":5000,"
        "\"events\":9000,\"wall_s\":0.012346,\"trace_sha256\":null,\"violations\":[],"
        "\"violation_count\":0,\"stopped_why\":null,\"undone\":false}\n");
    free(text.bytes);
}

static yajl_val json_parse(const struct text *text)
{
    char error[256];
    yajl_val tree = yajl_tree_parse(text->bytes, error, sizeof error);
    if (tree == NULL) {
        fail_msg("no JSON: %s\n%s", error, text->bytes);
    }
    return tree;
}

static yajl_val json_at(yajl_val tree, const char *key)
{
    return yajl_tree_get(tree, (const char *[]){key, NULL}, yajl_t_any);
}

static void test_json_worst_row(void **state)
{
    (void)state;
    struct result row = report_good_row();
    row.makespan_s = -1;
    row.wall_s = (double)NAN;
    row.seed = UINT64_MAX;
    row.chain_stopped_for_good = row.undone = true;
    strcpy(row.stopped_why, "the \"last\"\tmember\n\xFF\x1B");
    memset(row.trace_sha256, 'a', 64);
    report_violate(&row, 23);
    struct text text = json_of(&row);
    yajl_val tree = json_parse(&text);
    assert_true(YAJL_IS_NULL(json_at(tree, "makespan_s")));
    assert_true(YAJL_IS_NULL(json_at(tree, "wall_s")));
    assert_true(YAJL_IS_TRUE(json_at(tree, "chain_stopped_for_good")));
    assert_true(YAJL_IS_TRUE(json_at(tree, "undone")));
    assert_string_equal(YAJL_GET_NUMBER(json_at(tree, "seed")), "18446744073709551615");
    assert_string_equal(YAJL_GET_STRING(json_at(tree, "stopped_why")),
                        "the \"last\"\tmember\n\xEF\xBF\xBD\x1B");
    assert_string_equal(YAJL_GET_STRING(json_at(tree, "trace_sha256")), row.trace_sha256);
    assert_int_equal(YAJL_GET_INTEGER(json_at(tree, "violation_count")), 23);
    yajl_val violations = json_at(tree, "violations");
    assert_int_equal(YAJL_GET_ARRAY(violations)->len, VIOLATIONS_KEPT);
    yajl_val first = YAJL_GET_ARRAY(violations)->values[0],
             second = YAJL_GET_ARRAY(violations)->values[1];
    assert_string_equal(YAJL_GET_STRING(json_at(first, "invariant")), "I1");
    assert_int_equal(YAJL_GET_INTEGER(json_at(first, "height")), 100);
    assert_int_equal(YAJL_GET_INTEGER(json_at(first, "validator")), 0);
    assert_true(YAJL_IS_NULL(json_at(second, "validator")));
    assert_string_equal(YAJL_GET_STRING(json_at(second, "text")), "live 1 < floor");
    yajl_tree_free(tree);
    free(text.bytes);
}

static void test_json_string(void **state)
{
    (void)state;
    struct text text;
    FILE *out = text_open(&text);
    report_json_string(out, "a\"b\\c\n\t\x01\x7F/\xC3\xA9\xC3");
    text_close(out);
    assert_string_equal(text.bytes, "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f/\xC3\xA9\xEF\xBF\xBD\"");
    free(text.bytes);
}

static void test_summary(void **state)
{
    (void)state;
    struct result rows[5];
    static const double makespans[5] = {1400, -1, 1200, 1300, 1500};
    for (uint32_t i = 0; i < 5; i++) {
        rows[i] = report_good_row();
        rows[i].makespan_s = makespans[i];
        rows[i].min_live = 200 + i;
        rows[i].wall_s = 0.5;
        report_violate(&rows[i], i == 3 ? 25 : 0);
    }
    struct summary s = summarise(rows, 5);
    struct text text;
    FILE *out = text_open(&text);
    report_json_summary(out, &s);
    report_table_summary(out, &s);
    text_close(out);
    text_has(&text, "{\"summary\":true,\"runs\":5,\"violations\":25,"
                    "\"makespan_s\":{\"min\":1200.000,\"median\":1350.000,\"max\":1500.000},"
                    "\"min_live\":{\"min\":200,\"median\":202,\"max\":204},"
                    "\"wall_s\":{\"min\":0.500000,\"median\":0.500000,\"max\":0.500000},"
                    "\"finished\":4}\n");
    text_has(&text, "5 runs, 4 with a makespan, 25 violations of invariants\n");
    text_has(&text, "makespan   20m00s    22m30s    25m00s\n");
    free(text.bytes);
}

static void test_summary_of_nothing(void **state)
{
    (void)state;
    struct result row = report_good_row();
    row.makespan_s = -1;
    struct summary s = summarise(&row, 1);
    assert_int_equal(s.finished, 0);
    struct text text;
    FILE *out = text_open(&text);
    report_json_summary(out, &s);
    report_table_summary(out, &s);
    text_close(out);
    text_has(&text, "\"makespan_s\":{\"min\":null,\"median\":null,\"max\":null}");
    text_has(&text, "\"min_live\":{\"min\":204,\"median\":204,\"max\":204}");
    text_has(&text, "1 run, 0 with a makespan, 0 violations");
    free(text.bytes);
    s = summarise(NULL, 0);
    assert_int_equal(s.runs, 0);
    assert_true(s.live_median < 0);
}

/* --- the table --- */

static void test_verdict(void **state)
{
    (void)state;
    char text[REPORT_VERDICT_MAX];
    struct result row = report_good_row();
    assert_string_equal(report_verdict(&row, text), "floor held");
    row.blocks_below_floor = 1;
    assert_string_equal(report_verdict(&row, text), "broke the floor in 1 block");
    row.blocks_below_floor = 31;
    row.done = 200;
    row.failed = 2;
    row.left_paused = 58;
    row.violation_count = 1;
    assert_string_equal(report_verdict(&row, text),
                        "broke the floor in 31 blocks; 2 lost for good; 58 of 260 not done; "
                        "58 left paused; 1 violation of invariants");
    row = report_good_row();
    row.chain_stopped_for_good = true;
    assert_string_equal(report_verdict(&row, text), "chain stopped for good: no reason given");
    memset(row.stopped_why, 'x', sizeof row.stopped_why - 1);
    row.blocks_below_floor = UINT64_MAX;
    assert_true(strlen(report_verdict(&row, text)) < REPORT_VERDICT_MAX);
    assert_non_null(strstr(text, "; broke the floor in 18,446"));
}

static size_t longest_line(const struct text *text)
{
    size_t longest = 0, length = 0;
    for (const char *at = text->bytes; *at != '\0'; at++) {
        length = *at == '\n' ? 0 : length + ((uint8_t)*at >> 6 != 2);
        longest = length > longest ? length : longest;
    }
    return longest;
}

static void test_table(void **state)
{
    (void)state;
    struct result rows[3] = {report_good_row(), report_good_row(), report_good_row()};
    rows[1].strategy = "all-at-once";
    rows[1].chain_stopped_for_good = true;
    strcpy(rows[1].stopped_why,
           "validator 12 was still paused at upgrade_time and had not voted YES, so the "
           "upgrade module stopped every node of the network \x1B[31m");
    rows[1].makespan_s = -1;
    rows[1].halted_s = 412;
    rows[1].done = 0;
    rows[2].strategy = "random-delay";
    rows[2].blocks_below_floor = 31;
    rows[2].makespan_s = 684;
    struct text text = table_of(rows, 3);
    text_has(
        &text,
        "strategy       agents  floor   live   below  halted  makespan  ratio  blocks  paused\n");
    text_has(
        &text,
        "draw          260/260    200    204       0       -    22m48s   1.00       0       0\n");
    text_has(
        &text,
        "all-at-once     0/260    200    204       0   6m52s         -      -       0       0\n");
    text_has(
        &text,
        "random-delay  260/260    200    204      31       -    11m24s   0.50       0       0\n");
    text_has(&text, "\ndraw          floor held\n");
    text_has(&text, "\nall-at-once   chain stopped for good: validator 12 was still paused");
    text_has(&text, "\nrandom-delay  broke the floor in 31 blocks\n");
    text_lacks(&text, "\x1B");
    text_lacks(&text, "seed");
    assert_true(longest_line(&text) <= 100);
    free(text.bytes);
}

static void test_table_of_seeds(void **state)
{
    (void)state;
    struct result rows[2] = {report_good_row(), report_good_row()};
    rows[0].agents = rows[0].done = 10000;
    rows[0].makespan_s = 4.2e5;
    rows[1].seed = 100000;
    rows[1].makespan_s = 0;
    struct text text = table_of(rows, 2);
    text_has(&text, "seed");
    text_has(&text, "\ndraw           7  floor held\n");
    text_has(&text, "\ndraw      100000  floor held\n");
    assert_true(longest_line(&text) <= 100);
    free(text.bytes);
    text = table_of(rows, 0);
    assert_string_equal(text.bytes, "");
    free(text.bytes);
}

static void test_table_violations(void **state)
{
    (void)state;
    struct result row = report_good_row();
    report_violate(&row, 23);
    struct text text = table_of(&row, 1);
    text_has(&text, "\ndraw: 23 violations of invariants\n");
    text_has(&text, "\n  I1 at height 100, validator 0: live 0 < floor\n");
    text_has(&text, "\n  I1 at height 101: live 1 < floor\n");
    text_has(&text, "\n  and 3 more\n");
    assert_int_equal(text_count(&text, "\n  I1 at"), VIOLATIONS_KEPT);
    free(text.bytes);
    report_violate(&row, 1);
    text = table_of(&row, 1);
    text_has(&text, "\ndraw: 1 violation of invariants\n");
    text_lacks(&text, "more");
    free(text.bytes);
}

/* --- the progress line --- */

static void test_progress_line(void **state)
{
    (void)state;
    char line[PROGRESS_LINE_MAX];
    struct progress_state s = {"replay", "block 77", 50, 200, 12345, 100};
    progress_line(line, &s);
    assert_string_equal(
        line, "replay [#######-----------------------]  25%  12s, about 37s left  block 77");
    s.columns = 20;
    assert_int_equal(progress_line(line, &s), 19);
    assert_string_equal(line, "replay [#######----");
    s = (struct progress_state){"x", "a\n\x1B\xC3\xA9", 900, 200, 0, 80};
    progress_line(line, &s);
    assert_string_equal(line, "x [##############################] 100%  0s  a???");
    s = (struct progress_state){"reading", NULL, 7, 0, 61000, 80};
    progress_line(line, &s);
    assert_string_equal(line, "reading  1m01s");
    char text[1000];
    memset(text, 'y', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    s = (struct progress_state){text, text, UINT64_MAX / 2, UINT64_MAX, INT64_MAX / 2, 10000};
    assert_int_equal(progress_line(line, &s), PROGRESS_LINE_MAX - 1);
}

/* Lets standard error be another file; returns what it was. */
static int stderr_to(int file)
{
    fflush(stderr);
    int before = dup(STDERR_FILENO);
    assert_true(before >= 0 && file >= 0);
    assert_true(dup2(file, STDERR_FILENO) >= 0);
    return before;
}

static void stderr_back(int before)
{
    fflush(stderr);
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    close(before);
}

static void test_progress_unseen(void **state)
{
    (void)state;
    int null = open("/dev/null", O_WRONLY);
    int before = stderr_to(null);
    struct progress *progress = progress_create("x", 10);
    stderr_back(before);
    close(null);
    assert_null(progress);
    progress_step(progress, 5, "nothing");
    progress_end(&progress);
    assert_null(progress);
}

static void test_progress_on_terminal(void **state)
{
    (void)state;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
        skip();
    }
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    int before = stderr_to(terminal);
    struct progress *progress = progress_create("replay", 1000);
    bool made = progress != NULL;
    for (uint64_t i = 0; i < 1000; i++) {
        progress_step(progress, i, "work");
    }
    progress_end(&progress);
    stderr_back(before);
    assert_true(made);
    assert_null(progress);
    close(terminal); /* so that reading ends */
    char shown[4096];
    size_t size = 0;
    for (ssize_t got; (got = read(master, shown + size, sizeof shown - 1 - size)) > 0;) {
        size += (size_t)got;
    }
    assert_true(size > 4);
    shown[size] = '\0';
    struct text text = {shown, size};
    text_has(&text, "\r\033[Kreplay [---");
    assert_true(text_count(&text, "replay") <= 3); /* a thousand steps take far less than 0.3 s */
    assert_string_equal(shown + size - 4, "\r\033[K");
    close(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_duration),
        cmocka_unit_test(test_clock_and_number),
        cmocka_unit_test(test_fixed),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_json_row),
        cmocka_unit_test(test_json_worst_row),
        cmocka_unit_test(test_json_string),
        cmocka_unit_test(test_summary),
        cmocka_unit_test(test_summary_of_nothing),
        cmocka_unit_test(test_verdict),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_table_of_seeds),
        cmocka_unit_test(test_table_violations),
        cmocka_unit_test(test_progress_line),
        cmocka_unit_test(test_progress_unseen),
        cmocka_unit_test(test_progress_on_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
