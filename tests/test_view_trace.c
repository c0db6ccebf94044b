/* Traces through the view: its draws against the epoch lines, and against the oracle's.
 *
 *     STAGGER_TRACE=FILE test_view_trace       one more trace, for example of `stagger sim --trace FILE`
 *
 * tests/data/turns.trace.jsonl always; the trace of a real network where $STAGGER_SHARED (by default
 * ../shared beside the tree) has it.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/oracle.h"
#include "tests/trace_read.h"

#define BLOCK_TXS_MAX 4096

/* A trace on its way through the view. now is V(h), next V(h+1), want V(h+2). */
struct replay {
    const char *path;
    struct trace trace;
    struct view *view;
    struct oracle *oracle; /* NULL where there are too many validators */
    bool *now, *next, *want;
    struct view_change *changes;
    struct view_tx txs[BLOCK_TXS_MAX];
    uint32_t tx_count, tx_at, set_at, epoch_at, compared, permits;
};

static void disagree(const struct replay *r, uint64_t epoch, const char *what, int64_t view,
                     int64_t trace)
{
    fail_msg("%s: epoch %" PRIu64 ": %s is %" PRId64 " in the view, %" PRId64 " in the trace; "
             "repeat with: STAGGER_TRACE=%s test_view_trace",
             r->path, epoch, what, view, trace, r->path);
}

static void same(const struct replay *r, uint64_t epoch, const char *what, int64_t view,
                 int64_t trace)
{
    if (view != trace)
        disagree(r, epoch, what, view, trace);
}

#define SAME(r, a, b, field) same((r), (b)->epoch.n, #field, (int64_t)(a)->field, (b)->field)

static void same_line(const struct replay *r, const struct draw *a, const struct trace_epoch *b)
{
    same(r, b->epoch.n, "epoch", (int64_t)a->epoch.n, (int64_t)b->epoch.n);
    SAME(r, a, b, members);
    SAME(r, a, b, live);
    SAME(r, a, b, candidates);
    SAME(r, a, b, used_up);
    SAME(r, a, b, foreign);
    SAME(r, a, b, reference);
    SAME(r, a, b, floor);
    SAME(r, a, b, budget);
    same(r, b->epoch.n, "the number of permits", a->permits, b->permits.count);
    for (uint32_t i = 0; i < a->permits; i++)
        same(r, b->epoch.n, "a permit", a->order[i], b->permits.items[i]);
    assert_false(a->by_power);
    assert_true(a->complete);
}

static void same_oracle(const struct replay *r, const struct draw *a)
{
    struct oracle_draw b;
    if (!r->oracle)
        return;
    oracle_draw(r->oracle, a->boundary, &b);
    same(r, a->epoch.n, "the oracle's budget (not the trace's)", a->budget, b.budget);
    same(r, a->epoch.n, "the oracle's overdue (not the trace's)", a->overdue, b.overdue);
    same(r, a->epoch.n, "the oracle's candidates (not the trace's)", a->candidates, b.candidates);
    for (uint32_t i = 0; i < a->candidates; i++)
        same(r, a->epoch.n, "the oracle's order (not the trace's)", a->order[i], b.order[i]);
    for (uint32_t v = 0; v < r->trace.validator_count; v++)
        same(r, a->epoch.n, "the oracle's reason (not the trace's)",
             view_reason(r->view, a, v, NULL), b.reason[v]);
}

/* The last boundary may lack its line: a trace can end before block E+1. */
static void compare(struct replay *r, struct height h, const struct draw *draw)
{
    const struct trace *t = &r->trace;
    if (!draw)
        return;
    same_oracle(r, draw);
    if (r->epoch_at == t->epoch_count && h.n == t->blocks[t->block_count - 1].height.n)
        return;
    if (r->epoch_at == t->epoch_count)
        disagree(r, draw->epoch.n, "whether there is a draw", true, false);
    same_line(r, draw, &t->epochs[r->epoch_at]);
    r->epoch_at++;
    r->compared++;
    r->permits += draw->permits;
}

/* --- from lines to blocks --- */

static int compare_index(const void *left, const void *right)
{
    const struct view_tx *a = left, *b = right;
    return a->index < b->index ? -1 : a->index > b->index;
}

static void gather_txs(struct replay *r, struct height h)
{
    const struct trace *t = &r->trace;
    r->tx_count = 0;
    for (; r->tx_at < t->tx_count && t->txs[r->tx_at].height.n == h.n; r->tx_at++) {
        const struct trace_tx *x = &t->txs[r->tx_at];
        assert_true(r->tx_count < BLOCK_TXS_MAX);
        r->txs[r->tx_count++] = (struct view_tx){
            .validator = x->validator,
            .kind = x->kind,
            .index = x->index,
            .code = x->code,
            .codespace = x->codespace,
            .class_minutes = x->class_minutes,
            .charter = x->charter,
        };
    }
    qsort(r->txs, r->tx_count, sizeof *r->txs, compare_index);
}

/* What block h decides for V(h+2). */
static void decide_set(struct replay *r, struct height h)
{
    const struct trace *t = &r->trace;
    for (uint32_t i = 0; i < r->tx_count; i++) {
        const struct view_tx *x = &r->txs[i];
        if (x->code == 0 && (x->kind == TX_UNPAUSE || x->kind == TX_ACTIVATE))
            r->want[x->validator] = true;
        if (x->code == 0 && x->kind == TX_PAUSE)
            r->want[x->validator] = false;
    }
    for (; r->set_at < t->set_count && t->sets[r->set_at].height.n == h.n; r->set_at++)
        r->want[t->sets[r->set_at].validator] = t->sets[r->set_at].enters;
}

/* V(h+1) against V(h): what the block before decided. Returns |V(h)|. */
static uint32_t move_sets(struct replay *r, uint32_t *changed)
{
    uint32_t members = 0;
    *changed = 0;
    for (uint32_t v = 0; v < r->trace.validator_count; v++) {
        r->now[v] = r->next[v];
        members += r->now[v];
        if (r->want[v] != r->next[v])
            r->changes[(*changed)++] = (struct view_change){v, r->want[v]};
        r->next[v] = r->want[v];
    }
    return members;
}

static void feed(struct replay *r, const struct trace_block *b)
{
    uint32_t changed;
    uint32_t members = move_sets(r, &changed);
    assert_int_equal(members, b->set);
    gather_txs(r, b->height);
    struct view_block block = {
        .height = b->height,
        .time = b->time,
        .hash = b->hash,
        .missing = b->missing.items,
        .missing_count = b->missing.count,
        .txs = r->txs,
        .tx_count = r->tx_count,
        .changes = r->changes,
        .change_count = changed,
    };
    const struct draw *draw = view_block(r->view, &block);
    if (r->oracle)
        oracle_block(r->oracle, &block);
    compare(r, b->height, draw);
    view_results(r->view, r->txs, r->tx_count);
    if (r->oracle)
        oracle_results(r->oracle, r->txs, r->tx_count);
    decide_set(r, b->height);
}

static void replay_begin(struct replay *r)
{
    struct trace *t = &r->trace;
    uint32_t n = t->validator_count, count = 0;
    struct height first = t->blocks[0].height;
    struct view_config config = {
        .charter = t->charter, .chain = t->chain, .empty_blocks = true, .capacity = n};
    r->now = calloc(n, sizeof *r->now);
    r->next = calloc(n, sizeof *r->next);
    r->want = calloc(n, sizeof *r->want);
    r->changes = calloc(n, sizeof *r->changes);
    assert_null(charter_check(&t->charter, true));
    r->view = view_create(&config);
    assert_true(r->view && r->now && r->next && r->want && r->changes);
    for (uint32_t v = 0; v < n; v++) {
        assert_int_equal(view_enrol(r->view, t->validators[v].address), v);
        r->next[v] = r->want[v] = t->validators[v].in_set;
        if (t->validators[v].in_set)
            r->changes[count++] = (struct view_change){v, 1};
    }
    view_begin(r->view, first, first, r->changes, count);
    if (n <= ORACLE_VALIDATORS_MAX)
        r->oracle = oracle_create(&t->charter, t->chain, first, r->changes, count);
    for (uint32_t v = 0; r->oracle && v < n; v++)
        oracle_enrol(r->oracle, v, t->validators[v].address);
}

static void replay_end(struct replay *r)
{
    view_destroy(&r->view);
    oracle_destroy(&r->oracle);
    free(r->now);
    free(r->next);
    free(r->want);
    free(r->changes);
    trace_free(&r->trace);
}

static void replay(const char *path, uint32_t least_epochs, uint32_t least_permits)
{
    char error[TRACE_ERROR_MAX];
    struct replay *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->path = path;
    if (!trace_read(path, &r->trace, error))
        fail_msg("%s", error);
    replay_begin(r);
    for (uint32_t i = 0; i < r->trace.block_count; i++)
        feed(r, &r->trace.blocks[i]);
    if (r->epoch_at != r->trace.epoch_count)
        disagree(r, r->trace.epochs[r->epoch_at].epoch.n, "whether there is a draw", false, true);
    print_message("%s: %u epochs, %u permits\n", path, r->compared, r->permits);
    assert_true(r->compared >= least_epochs && r->permits >= least_permits);
    replay_end(r);
    free(r);
}

static void own_trace(void **state)
{
    (void)state;
    replay(STAGGER_SOURCE_DIR "/tests/data/turns.trace.jsonl", 30, 10);
}

static bool is_readable(const char *path)
{
    FILE *file = fopen(path, "r");
    if (file)
        fclose(file);
    return file != NULL;
}

static void trace_of_a_network(void **state)
{
    (void)state;
    char path[4096];
    const char *shared = getenv("STAGGER_SHARED");
    snprintf(path, sizeof path, "%s/fixtures/sekai-0.4.13/history.trace.jsonl",
             shared && *shared ? shared : STAGGER_SOURCE_DIR "/../shared");
    if (!is_readable(path))
        skip();
    replay(path, 49, 7);
}

static void trace_of_the_caller(void **state)
{
    (void)state;
    const char *path = getenv("STAGGER_TRACE");
    if (!path || !*path)
        skip();
    replay(path, 0, 0);
}

/* --- damaged traces --- */

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

#define WORLD(reserve)                                                                             \
    "{\"type\":\"world\",\"chain\":\"dcl\",\"chain_id\":\"c\",\"charter\":{\"hash\":\"000000ff\"," \
    "\"min_validators\":1,\"epoch_blocks\":3,\"live_blocks\":3,\"round_blocks\":60,"               \
    "\"joins_max\":8,\"reference_blocks\":600,\"phi\":\"3/4\",\"reserve\":" reserve                \
    ",\"order\":\"plain\",\"ramp\":[1,2]},\"validators\":[{\"validator\":0,"                       \
    "\"address\":\"00112233445566778899aabbccddeeff00112233\",\"in_set\":true,\"agent\":true}]}\n"
#define HASH "\"4cef2645ed374120bc9b13b583d550957fd08c1cfe27673f2c204449a3872325\""
#define BLOCK(height, missing)                                                                     \
    "{\"type\":\"block\",\"height\":" height ",\"time_ms\":5,\"hash\":" HASH                       \
    ",\"set\":1,\"missing\":[" missing "],\"active\":1}\n"

static void damaged_traces_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wrong;
    } cases[] = {
        {"", "file: expected a world"},
        {WORLD("null"), "file: expected a world and at least one block"},
        {"nonsense\n", "damaged.jsonl:1: line: expected a JSON object"},
        {BLOCK("1", ""), ":1: type: expected the world in the first line"},
        {WORLD("-1") BLOCK("1", ""), ":1: reserve: expected a whole number from 0"},
        {WORLD("null") BLOCK("\"1\"", ""), ":2: height: expected a whole number"},
        {WORLD("null") BLOCK("1", "1"), ":2: missing: expected validators that"},
        {WORLD("null") BLOCK("1", "") BLOCK("3", ""), ":3: height: expected the height after"},
        {WORLD("null") BLOCK("1", "") WORLD("null"), ":3: type: expected the world in the first"},
        {WORLD("null")
             BLOCK("1", "") "{\"type\":\"set\",\"height\":1,\"validator\":0,\"change\":\"x\"}\n",
         ":3: change: expected leave or enter"},
    };
    char error[TRACE_ERROR_MAX];
    struct trace trace;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_file("damaged.jsonl", cases[i].text);
        assert_false(trace_read("damaged.jsonl", &trace, error));
        if (!strstr(error, cases[i].wrong))
            fail_msg("case %zu: \"%s\" does not say \"%s\"", i, error, cases[i].wrong);
        trace_free(&trace);
    }
    assert_false(trace_read("missing.jsonl", &trace, error));
    assert_non_null(strstr(error, "missing.jsonl: cannot be opened"));
    remove("damaged.jsonl");
}

static void fields_are_read(void **state)
{
    (void)state;
    char error[TRACE_ERROR_MAX];
    struct trace t;
    write_file(
        "fields.jsonl",
        WORLD("2") BLOCK(
            "7",
            "0") "{\"type\":\"say\",\"text\":\"\"}\n"
                 "{\"type\":\"host\",\"time_ms\":9,\"validator\":0,\"state\":\"up\",\"fault\":true}\n");
    if (!trace_read("fields.jsonl", &t, error))
        fail_msg("%s", error);
    assert_int_equal(t.chain, CHAIN_DCL);
    assert_int_equal(t.charter.id, 255);
    assert_int_equal(t.charter.reserve, 2);
    assert_int_equal(t.charter.phi_num, 3);
    assert_int_equal(t.charter.order, ORDER_PLAIN);
    assert_true(t.charter.ramp && t.charter.ramp_a == 1 && t.charter.ramp_b == 2);
    assert_int_equal(t.blocks[0].height.n, 7);
    assert_int_equal(t.blocks[0].hash[1], 0xef);
    assert_int_equal(t.blocks[0].missing.count, 1);
    assert_int_equal(t.validators[0].address[19], 0x33);
    assert_int_equal(t.host_count, 1);
    assert_true(t.hosts[0].up && t.hosts[0].fault && t.hosts[0].time.ms == 9);
    trace_free(&t);
    remove("fields.jsonl");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_trace),           cmocka_unit_test(trace_of_a_network),
        cmocka_unit_test(trace_of_the_caller), cmocka_unit_test(damaged_traces_are_refused),
        cmocka_unit_test(fields_are_read),
    };
    return cmocka_run_group_tests_name("view_trace", tests, NULL, NULL);
}
