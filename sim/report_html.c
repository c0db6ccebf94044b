#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>

#include "sim/html.h"
#include "sim/report_words.h"

/* --- the verdict in a sentence --- */

static bool run_is_good(const struct result *row)
{
    return !row->chain_stopped_for_good && row->blocks_below_floor == 0 &&
           row->violation_count == 0 && !row->undone && row->left_paused == 0;
}

static void put_done(FILE *out, const struct result *row)
{
    char done[WORDS_MAX], agents[WORDS_MAX], time[WORDS_MAX];
    fprintf(out, "%s of %s validator%s rebooted", words_number(done, row->done),
            words_number(agents, row->agents), row->agents == 1 ? "" : "s");
    if (row->makespan_s >= 0) {
        fprintf(out, " in %s", words_duration(time, words_ms(row->makespan_s)));
    }
}

static void put_finding(FILE *out, bool good, const char *words)
{
    fprintf(out, "<span class=\"%s\">%s</span>", good ? "good" : "bad", words);
}

static void put_sentence(FILE *out, const struct result *row)
{
    char a[WORDS_MAX], b[WORDS_MAX], c[WORDS_MAX], d[WORDS_MAX];
    if (row->chain_stopped_for_good) {
        put_finding(out, false, "The chain stopped for good:");
        fputc(' ', out);
        html_text(out, row->stopped_why[0] == '\0' ? "no reason given" : row->stopped_why);
        fputs("; by then ", out);
        put_done(out, row);
    } else if (row->blocks_below_floor > 0) {
        put_finding(out, false, "The floor was broken:");
        fprintf(out,
                " %s of %s block%s had fewer live validators than the floor of %s "
                "demands, %s at the least; ",
                words_number(a, row->blocks_below_floor), words_number(b, row->blocks),
                row->blocks == 1 ? "" : "s", words_number(c, row->floor),
                words_number(d, row->min_live));
        put_done(out, row);
    } else {
        put_finding(out, true, "The floor held:");
        fputc(' ', out);
        put_done(out, row);
        fprintf(out, ", and never fewer than %s were live against a floor of %s",
                words_number(a, row->min_live), words_number(b, row->floor));
    }
    fputs(".", out);
}

static void put_header(FILE *out, const struct report *r)
{
    const struct result *row = r->rows;
    char verdict[REPORT_VERDICT_MAX], a[WORDS_MAX], b[WORDS_MAX], c[WORDS_MAX];
    fprintf(out, "<header>\n<p class=\"eyebrow\">%s &#183; <bdi>", r->ran ? r->ran : "stagger sim");
    html_text(out, r->chain_id);
    fputs("</bdi>", out);
    if (!r->ran) {
        fputs(" &#183; ", out);
        html_text(out, row->strategy);
        fprintf(out, " &#183; seed %" PRIu64, row->seed);
    }
    fputs("</p>\n<h1>", out);
    put_sentence(out, row);
    fputs("</h1>\n", out);
    if (!run_is_good(row)) {
        fputs("<p class=\"bad\"><b>Verdict: ", out);
        html_text(out, report_verdict(row, verdict));
        fputs(".</b></p>\n", out);
    }
    fputs("<p class=\"soft\">The network: <bdi>", out);
    html_text(out, r->source);
    fprintf(out,
            "</bdi>, with %s validator records, of which %s stand in the set at the start; %s of "
            "these run an "
            "agent and want a turn.</p>\n</header>\n",
            words_number(a, row->validators), words_number(b, row->members),
            words_number(c, row->agents));
}

/* --- key figures --- */

__attribute__((format(printf, 5, 6))) static void put_card(FILE *out, const char *name,
                                                           const char *value, bool bad,
                                                           const char *format, ...)
{
    char note[160];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(note, sizeof note, format, arguments);
    va_end(arguments);
    fprintf(out, "<div><dt>%s</dt><dd%s>%s<span class=\"note\">%s</span></dd></div>\n", name,
            bad ? " class=\"bad\"" : "", value, note);
}

static void put_pace(FILE *out, const struct result *row)
{
    char time[WORDS_MAX], bound[WORDS_MAX], fixed[WORDS_MAX];
    const char *ratio = NULL;
    if (row->makespan_s >= 0 && row->lower_bound_s > 0) {
        ratio = words_fixed(fixed, row->makespan_s / row->lower_bound_s, 2);
    }
    words_duration(time, row->makespan_s < 0 ? -1 : words_ms(row->makespan_s));
    if (ratio == NULL) {
        put_card(out, "makespan", time, row->makespan_s < 0, "first block to last return");
    } else {
        put_card(out, "makespan", time, false, "%s times the lower bound of %s", ratio,
                 words_duration(bound, words_ms(row->lower_bound_s)));
    }
}

static void put_safety(FILE *out, const struct result *row, bool ran)
{
    char a[WORDS_MAX], b[WORDS_MAX], c[WORDS_MAX];
    bool broke = row->min_live < row->floor;
    uint64_t apart = broke ? row->floor - row->min_live : row->min_live - row->floor;
    put_card(out, "least live", words_number(a, row->min_live), broke, "%s %s the floor of %s",
             words_number(b, apart), broke ? "below" : "above", words_number(c, row->floor));
    put_card(out, "blocks", words_number(a, row->blocks), row->blocks_below_floor > 0,
             "%s below the floor", words_number(b, row->blocks_below_floor));
    put_card(out, "chain halted", words_duration(a, words_ms(row->halted_s)),
             row->chain_stopped_for_good, "%s",
             row->chain_stopped_for_good ? "and then stopped for good"
                                         : "beyond three block times");
    put_card(out, "missed blocks in the set", words_number(a, row->missed_blocks_in_set),
             row->missed_blocks_in_set > 0, "%s",
             ran ? "by whoever stood in it" : "by nodes that were down by choice");
}

static void put_cards(FILE *out, const struct result *row, bool ran)
{
    char a[WORDS_MAX], b[WORDS_MAX], c[WORDS_MAX];
    fputs("<dl class=\"cards\" aria-label=\"Key figures\">\n", out);
    snprintf(c, sizeof c, "%" PRIu32 "/%" PRIu32, row->done, row->agents);
    if (ran) {
        put_card(out, "done", c, row->undone, "away once and back");
    } else {
        put_card(out, "done", c, row->undone, "%s lost their host for good",
                 words_number(b, row->failed));
    }
    put_pace(out, row);
    put_safety(out, row, ran);
    put_card(out, "left paused", words_number(a, row->left_paused), row->left_paused > 0,
             "at the end");
    put_card(out, "permits", words_number(a, row->permits), false, "%s unused, %s joins",
             words_number(b, row->permits_unused), words_number(c, row->joins));
    fputs("</dl>\n", out);
}

/* --- words --- */

static void put_violations(FILE *out, const struct result *row)
{
    if (row->violation_count == 0) {
        return;
    }
    char count[WORDS_MAX];
    fprintf(out,
            "<section>\n<h2 class=\"bad\">Violations of invariants: %s</h2>\n<ul "
            "class=\"violations\">\n",
            words_number(count, row->violation_count));
    uint32_t kept = row->violation_count < VIOLATIONS_KEPT ? row->violation_count : VIOLATIONS_KEPT;
    for (uint32_t i = 0; i < kept; i++) {
        const struct violation *v = &row->violations[i];
        fputs("<li><b>", out);
        html_text(out, v->invariant);
        fprintf(out, "</b> at height %" PRIu64, v->height);
        if (v->validator != VALIDATOR_NONE) {
            fprintf(out, ", validator %" PRIu32, v->validator);
        }
        fputs(": ", out);
        html_text(out, v->text);
        fputs("</li>\n", out);
    }
    if (row->violation_count > kept) {
        fprintf(out, "<li>and %s more</li>\n", words_number(count, row->violation_count - kept));
    }
    fputs("</ul>\n</section>\n", out);
}

static void put_repeat(FILE *out, const struct report *r)
{
    fputs("<section>\n<h2>Repeat this run</h2>\n<pre tabindex=\"0\"><code>", out);
    html_text(out, r->command);
    fputs("</code></pre>\n<h3>The charter</h3>\n<pre tabindex=\"0\"><code>", out);
    html_text(out, r->charter);
    fputs("</code></pre>\n<p class=\"soft\">The charter holds the values that all who take part "
          "share.",
          out);
    if (r->rows[0].trace_sha256[0] != '\0') {
        fputs(" SHA-256 of the trace: <code>", out);
        html_text(out, r->rows[0].trace_sha256);
        fputs("</code>.", out);
    }
    fputs("</p>\n</section>\n", out);
}

static bool was_told(const struct report *r, uint32_t row)
{
    for (uint32_t i = 0; i < row; i++) {
        if (html_strategy(r->rows[i].strategy) == html_strategy(r->rows[row].strategy)) {
            return true;
        }
    }
    return html_strategy(r->rows[row].strategy) == NULL;
}

static void put_glossary_strategies(FILE *out, const struct report *r)
{
    fputs("<dt>lower bound</dt><dd>What no schedule can beat: the longest turn, or all turns "
          "divided by the budget with perfect handover.</dd>\n",
          out);
    for (uint32_t i = 0; i < r->row_count; i++) {
        if (!was_told(r, i)) {
            fputs("<dt>", out);
            html_text(out, r->rows[i].strategy);
            fprintf(out, "</dt><dd>A strategy &#8211; %s.</dd>\n",
                    html_strategy(r->rows[i].strategy));
        }
    }
}

static void put_glossary(FILE *out, const struct report *r)
{
    fprintf(
        out,
        "<section>\n<h2>Words</h2>\n<dl class=\"glossary\">\n"
        "<dt>live</dt><dd>A validator of the set that can sign the next block: it is in the set "
        "and %s.</dd>\n",
        r->ran ? "has signed one of the latest blocks" : "its node is up");
    fputs("<dt>floor</dt><dd>The number of live validators that a run must never go below: at "
          "least the "
          "chain&#8217;s min_validators, and more than two thirds of the whole network unless the "
          "charter "
          "asks for more.</dd>\n"
          "<dt>budget</dt><dd>How many may leave in an epoch of a few blocks: what is live, less "
          "the floor "
          "and a reserve for sudden losses.</dd>\n"
          "<dt>permit</dt><dd>The right to leave the set in this epoch. The first candidates in "
          "the draw "
          "get one each, as many as the budget allows; everybody computes the same names.</dd>\n"
          "<dt>join</dt><dd>A transaction that asks for one turn. One join, one permit at "
          "most.</dd>\n"
          "<dt>out of the set</dt><dd>Paused (disabled): the validator need not sign, so its node "
          "may stop "
          "without a missed block.</dd>\n"
          "<dt>makespan</dt><dd>From the first block at which agents may act to the block that "
          "first shows "
          "the last returned validator signing.</dd>\n",
          out);
    if (!r->ran) {
        put_glossary_strategies(out, r);
    }
    fputs("</dl>\n</section>\n", out);
}

/* --- the page --- */

static void put_head(FILE *out, const struct report *r)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          /* should a name slip through unescaped, it still runs and fetches nothing */
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
          "style-src 'unsafe-inline'\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
          out);
    html_text(out, r->chain_id);
    if (!r->ran) {
        fputs(", ", out);
        html_text(out, r->rows[0].strategy);
        fprintf(out, ", seed %" PRIu64, r->rows[0].seed);
    }
    fprintf(out, " &#8211; %s</title>\n", r->ran ? r->ran : "stagger sim");
    html_style(out);
    fputs("</head>\n<body>\n"
          "<svg class=\"defs\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs>"
          "<pattern id=\"fault\" width=\"70\" height=\"70\" patternUnits=\"userSpaceOnUse\" "
          "patternTransform=\"rotate(45)\"><path class=\"hatch\" d=\"M20 0V70\"/></pattern>"
          "<pattern id=\"still\" width=\"90\" height=\"90\" patternUnits=\"userSpaceOnUse\" "
          "patternTransform=\"rotate(-45)\"><path class=\"stillline\" d=\"M20 0V90\"/></pattern>"
          "</defs></svg>\n<main>\n",
          out);
}

void report_html(FILE *out, const struct report *report)
{
    assert(report->row_count > 0);
    const struct result *row = report->rows;
    struct html_axis axis = html_axis_create(report);
    put_head(out, report);
    put_header(out, report);
    put_cards(out, row, report->ran != NULL);
    put_violations(out, row);
    fputs("<section>\n<h2>Live validators against the floor</h2>\n", out);
    html_live(out, report, &axis);
    if (!report->ran) {
        fputs("</section>\n<section>\n<h2>The strategies side by side</h2>\n", out);
        html_compare(out, report);
    }
    fputs("</section>\n<section>\n<h2>Who was out when</h2>\n", out);
    html_gantt(out, report, &axis);
    fputs("</section>\n", out);
    put_repeat(out, report);
    put_glossary(out, report);
    fputs("</main>\n</body>\n</html>\n", out);
}
