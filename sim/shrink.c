#include "sim/shrink.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/scenario_write.h"

struct shrink {
    const struct genesis *genesis;
    int status; /* how it is to fail ... */
    char invariant[40];
    struct sim_config best; /* owns its faults only; the rest is the caller's */
    uint32_t runs, faults_at_first;
    time_t begin_s;
    char *text; /* of the best */
};

static time_t seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

bool shrink_wants(const struct result *failed)
{
    return run_status(failed) != RUN_WELL;
}

static bool may_run(const struct shrink *s)
{
    return s->runs < SHRINK_RUNS && seconds_now() - s->begin_s < SHRINK_SECONDS;
}

static bool fails_alike(const struct shrink *s, const struct result *r)
{
    if (run_status(r) != s->status)
        return false;
    for (uint32_t i = 0; i < r->violation_count && i < VIOLATIONS_KEPT; i++)
        if (strcmp(r->violations[i].invariant, s->invariant) == 0)
            return true;
    return s->status != RUN_VIOLATED;
}

/* --- one trial --- */

static char *text_of(const struct sim_config *config, size_t *size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    assert(out);
    scenario_write_world(out, config, true);
    for (uint32_t i = 0; i < config->fault_count; i++)
        scenario_write_fault(out, &config->faults[i]);
    fclose(out);
    assert(text);
    return text;
}

static bool text_fails(struct shrink *s, const char *text, size_t size)
{
    char error[CONFIG_ERROR_MAX];
    struct sim_config config;
    struct run run = {.config = &config, .genesis = s->genesis};
    config_default(&config);
    bool fails = scenario_read_text(&config, "shrunk", text, size, NULL, error) &&
                 config_check(&config, error);
    run.seed = config.seed_first;
    if (fails) {
        s->runs++;
        fails = run_one(&run) && fails_alike(s, &run.result);
    }
    config_clear(&config);
    return fails;
}

/* Takes the candidate, faults and all, for the best if it fails alike; else drops it. */
static bool try_one(struct shrink *s, struct sim_config *candidate)
{
    size_t size;
    char *text = text_of(candidate, &size);
    bool fails = text_fails(s, text, size);
    free(fails ? s->text : text);
    free(fails ? s->best.faults : candidate->faults);
    if (fails) {
        s->text = text;
        s->best = *candidate;
    }
    return fails;
}

/* The best without `count` of its faults from number `from` on. */
static struct sim_config candidate_without(const struct shrink *s, uint32_t from, uint32_t count)
{
    struct sim_config c = s->best;
    c.faults = calloc((size_t)s->best.fault_count + 1, sizeof *c.faults);
    assert(c.faults);
    c.fault_count = 0;
    for (uint32_t i = 0; i < s->best.fault_count; i++)
        if (i < from || i - from >= count)
            c.faults[c.fault_count++] = s->best.faults[i];
    return c;
}

static bool try_without(struct shrink *s, uint32_t from, uint32_t count)
{
    struct sim_config c = candidate_without(s, from, count);
    return may_run(s) ? try_one(s, &c) : (free(c.faults), false);
}

/* --- what is taken out --- */

static void drop_faults(struct shrink *s)
{
    uint32_t part = s->best.fault_count;
    bool dropped = true;
    while (part > 0 && may_run(s) && (part > 1 || dropped)) {
        dropped = false;
        for (uint32_t at = 0; at < s->best.fault_count && may_run(s);) {
            bool gone = try_without(s, at, part);
            dropped |= gone;
            at += gone ? 0 : part;
        }
        part = part > 1 ? part / 2 : 1;
    }
}

static void drop_numbers(struct shrink *s)
{
    static const size_t numbers[] = {
        offsetof(struct sim_config, hostile),       offsetof(struct sim_config, fail),
        offsetof(struct sim_config, other_charter), offsetof(struct sim_config, no_agent),
        offsetof(struct sim_config, forecast),      offsetof(struct sim_config, loss),
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && may_run(s); i++) {
        struct sim_config c = candidate_without(s, 0, 0);
        double *number = (double *)((char *)&c + numbers[i]);
        if (*number > 0) {
            *number = 0;
            try_one(s, &c);
        } else {
            free(c.faults);
        }
    }
}

static void drop_hostile(struct shrink *s)
{
    bool single = false;
    for (uint32_t kind = 1; s->best.hostile > 0 && kind <= HOSTILE_ALL && !single; kind <<= 1) {
        struct sim_config c = candidate_without(s, 0, 0);
        c.hostile_kinds = kind;
        bool less = (s->best.hostile_kinds & kind) && s->best.hostile_kinds != kind;
        single = less && may_run(s) ? try_one(s, &c) : (free(c.faults), false);
    }
    for (bool fewer = s->best.hostile > 0; fewer && may_run(s);) {
        struct sim_config c = candidate_without(s, 0, 0);
        c.hostile = c.hostile / 2;
        fewer =
            c.hostile * s->genesis->record_count >= 0.5 ? try_one(s, &c) : (free(c.faults), false);
    }
}

/* --- the faults that the seed drew --- */

static int by_time(const void *a, const void *b)
{
    const struct fault *first = a, *second = b;
    if (first->at_ms != second->at_ms)
        return first->at_ms < second->at_ms ? -1 : 1;
    return first->line < second->line ? -1 : first->line > second->line;
}

/* The candidate with what the seed drew for its fault set as faults of its own. */
static bool spell_out(const struct shrink *s, struct sim_config *c)
{
    struct result unused;
    char error[CONFIG_ERROR_MAX];
    struct world *w = world_create(&s->best, s->genesis, s->best.seed_first, NULL, &unused, error);
    if (!w)
        return false;
    *c = s->best;
    c->faults_name[0] = '\0';
    c->loss = w->loss;
    c->faults = calloc((size_t)w->fault_count + 1, sizeof *c->faults);
    assert(c->faults);
    c->fault_count = 0;
    for (uint32_t i = 0; i < w->fault_count; i++) {
        const struct fault *f = &w->faults[i];
        if (f->kind == FAULT_SKEW && f->by_ms == 0)
            continue; /* right by chance */
        c->faults[c->fault_count] = *f;
        c->faults[c->fault_count++].line = i; /* their order where times are equal */
    }
    qsort(c->faults, c->fault_count, sizeof *c->faults, by_time);
    world_destroy(&w);
    return true;
}

static bool begin(struct shrink *s, const struct sim_config *config, const struct result *failed)
{
    struct sim_config c;
    s->status = run_status(failed);
    s->begin_s = seconds_now();
    if (failed->violation_count)
        snprintf(s->invariant, sizeof s->invariant, "%s", failed->violations[0].invariant);
    s->best = *config;
    s->best.seed_first = s->best.seed_last = failed->seed;
    s->best.strategy = STRATEGY_DRAW;
    s->best.faults = NULL;
    s->best.fault_count = 0;
    struct sim_config whole = s->best;
    whole.faults = calloc((size_t)config->fault_count + 1, sizeof *whole.faults);
    assert(whole.faults);
    whole.fault_count = config->fault_count;
    if (config->fault_count)
        memcpy(whole.faults, config->faults, config->fault_count * sizeof *whole.faults);
    if (!try_one(s, &whole))
        return false;
    if (s->best.faults_name[0] && spell_out(s, &c))
        try_one(s, &c);
    s->faults_at_first = s->best.fault_count;
    return true;
}

/* --- what is written --- */

static void put_head(const struct shrink *s, const struct result *failed, const char *command,
                     FILE *out)
{
    fprintf(out, "# Seed %" PRIu64 " ", failed->seed);
    if (s->status == RUN_VIOLATED)
        fprintf(out, "violates %s", s->invariant);
    else
        fputs(s->status == RUN_STOPPED ? "stops the chain for good" : "leaves agents undone", out);
    fprintf(out,
            " (exit status %d): %" PRIu32 " of %" PRIu32 " faults are left after %" PRIu32
            " runs%s.\n",
            s->status, s->best.fault_count, s->faults_at_first, s->runs,
            may_run(s) ? "" : ", when their number or time was up");
    fprintf(out, "# Found by: %s\n", command);
    fprintf(out, "# It fails by itself: stagger sim --scenario FILE --seed %" PRIu64 "\n",
            failed->seed);
}

bool shrink_run(const struct sim_config *config, const struct genesis *genesis,
                const struct result *failed, const char *command, FILE *out)
{
    struct shrink s = {.genesis = genesis};
    assert(shrink_wants(failed));
    bool told = begin(&s, config, failed);
    if (told) {
        drop_numbers(&s);
        drop_faults(&s);
        drop_numbers(&s);
        drop_hostile(&s);
        put_head(&s, failed, command, out);
        fputs(s.text, out);
    } else {
        fprintf(out,
                "# Seed %" PRIu64 " fails with exit status %d, but not as the text of a scenario "
                "does; repeat it with: %s\n",
                failed->seed, s.status, command);
    }
    free(s.best.faults);
    free(s.text);
    return told;
}
