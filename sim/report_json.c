#include <inttypes.h>

#include "sim/report.h"
#include "sim/report_words.h"

void report_json_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (uint32_t point; (point = words_next(&text)) != 0;) {
        if (point == '"' || point == '\\') {
            fputc('\\', out);
            fputc((int)point, out);
        } else if (point == '\n') {
            fputs("\\n", out);
        } else if (point == '\t') {
            fputs("\\t", out);
        } else if (point < 0x20 || point == 0x7F) {
            fprintf(out, "\\u%04x", (unsigned)point);
        } else {
            words_put(out, point);
        }
    }
    fputc('"', out);
}

static void put_string(FILE *out, const char *key, const char *text)
{
    fprintf(out, ",\"%s\":", key);
    if (text[0] == '\0') {
        fputs("null", out);
    } else {
        report_json_string(out, text);
    }
}

static void put_count(FILE *out, const char *key, uint64_t value)
{
    fprintf(out, ",\"%s\":%" PRIu64, key, value);
}

static void put_bool(FILE *out, const char *key, bool value)
{
    fprintf(out, ",\"%s\":%s", key, value ? "true" : "false");
}

/* Seconds below 0 stand for "never". */
static void put_seconds(FILE *out, const char *key, double seconds, unsigned decimals)
{
    char text[WORDS_MAX];
    const char *fixed = seconds < 0 ? NULL : words_fixed(text, seconds, decimals);
    fprintf(out, ",\"%s\":%s", key, fixed == NULL ? "null" : fixed);
}

static void put_violations(FILE *out, const struct result *row)
{
    fputs(",\"violations\":[", out);
    for (uint32_t i = 0; i < row->violation_count && i < VIOLATIONS_KEPT; i++) {
        const struct violation *v = &row->violations[i];
        fputs(i > 0 ? ",{\"invariant\":" : "{\"invariant\":", out);
        report_json_string(out, v->invariant);
        put_count(out, "height", v->height);
        if (v->validator == VALIDATOR_NONE) {
            fputs(",\"validator\":null", out);
        } else {
            put_count(out, "validator", v->validator);
        }
        fputs(",\"text\":", out);
        report_json_string(out, v->text);
        fputc('}', out);
    }
    fputc(']', out);
}

static void put_network(FILE *out, const struct result *row)
{
    put_count(out, "seed", row->seed);
    put_count(out, "validators", row->validators);
    put_count(out, "members", row->members);
    put_count(out, "agents", row->agents);
    put_count(out, "floor", row->floor);
    put_count(out, "min_live", row->min_live);
    put_count(out, "blocks", row->blocks);
    put_count(out, "blocks_below_floor", row->blocks_below_floor);
    put_seconds(out, "halted_s", row->halted_s, 3);
    put_bool(out, "chain_stopped_for_good", row->chain_stopped_for_good);
}

static void put_turns(FILE *out, const struct result *row)
{
    put_count(out, "done", row->done);
    put_count(out, "failed", row->failed);
    put_count(out, "left_paused", row->left_paused);
    put_count(out, "missed_blocks_in_set", row->missed_blocks_in_set);
    put_count(out, "joins", row->joins);
    put_count(out, "permits", row->permits);
    put_count(out, "permits_unused", row->permits_unused);
    put_count(out, "pauses", row->pauses);
    put_seconds(out, "makespan_s", row->makespan_s, 3);
    put_seconds(out, "lower_bound_s", row->lower_bound_s, 3);
}

void report_json(FILE *out, const struct result *row)
{
    fputs("{\"strategy\":", out);
    report_json_string(out, row->strategy);
    put_network(out, row);
    put_turns(out, row);
    put_count(out, "messages", row->messages);
    put_count(out, "bytes", row->bytes);
    put_count(out, "steps", row->steps);
    put_count(out, "events", row->events);
    put_seconds(out, "wall_s", row->wall_s, 6);
    put_string(out, "trace_sha256", row->trace_sha256);
    put_violations(out, row);
    put_count(out, "violation_count", row->violation_count);
    put_string(out, "stopped_why", row->stopped_why);
    put_bool(out, "undone", row->undone);
    fputs("}\n", out);
}

static void put_spread(FILE *out, const char *key, double min, double median, double max,
                       unsigned decimals)
{
    const double values[] = {min, median, max};
    const char *const names[] = {"min", "median", "max"};
    fprintf(out, ",\"%s\":{", key);
    for (int i = 0; i < 3; i++) {
        char text[WORDS_MAX];
        bool whole = decimals == 1 && values[i] < 1e12 && (double)(int64_t)values[i] == values[i];
        const char *fixed =
            values[i] < 0 ? NULL : words_fixed(text, values[i], whole ? 0 : decimals);
        fprintf(out, "%s\"%s\":%s", i > 0 ? "," : "", names[i], fixed == NULL ? "null" : fixed);
    }
    fputc('}', out);
}

static void put_shard(FILE *out, const struct summary_shard *part)
{
    fputs(",\"shard\":{\"number\":", out);
    fprintf(out, "%" PRIu32, part->shard);
    put_count(out, "of", part->shards);
    put_count(out, "seed_first", part->seed_first);
    put_count(out, "seed_last", part->seed_last);
    put_string(out, "world", part->world);
    put_count(out, "exit", (uint64_t)part->status);
    fputc('}', out);
}

void report_json_summary(FILE *out, const struct summary *s)
{
    fputs("{\"summary\":true", out);
    put_count(out, "runs", s->runs);
    put_count(out, "violations", s->violations);
    put_spread(out, "makespan_s", s->makespan_min, s->makespan_median, s->makespan_max, 3);
    put_spread(out, "min_live", s->live_min, s->live_median, s->live_max, 1);
    put_spread(out, "wall_s", s->wall_min, s->wall_median, s->wall_max, 6);
    put_count(out, "finished", s->finished);
    if (s->part.shards)
        put_shard(out, &s->part);
    fputs("}\n", out);
}
