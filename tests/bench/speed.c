/* How fast the simulator is: whole upgrades of three networks, with and without
 * the trace's digest.
 *
 *     build/release/tests/bench/speed [--runs R] [VALIDATORS...]
 *
 * Every row is measured in a child process of its own, so that its peak memory
 * is its own, and in this order: R runs of one seed, of which the median
 * counts, then the bare event queue with as many puts and takes as one run has,
 * about as many waiting as in the simulator, and a handler that does nothing.
 * What a run costs above the baseline is what the model and the core cost.
 *
 * Exit status: 0, 1 for a bad argument or a run that failed, 2 when a limit
 * below was missed. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim/run.h"

#define RUNS_MAX 99
#define SIZES_MAX 32
#define SEED 1
#define REBOOT "lognormal:300s,0.4"
#define MIN_PERCENT 67         /* min_validators, of the set */
#define WAITING_PER_MEMBER 2   /* in the queue: its timer and the next block it is shown */
#define BASELINE_DELAY_MS 8192 /* a power of two */
#define PATIENCE                                                                                   \
    5000 /* runs times validators, by default, within RUNS_LEAST and RUNS_MOST   \
        */
#define RUNS_LEAST 3
#define RUNS_MOST 25

struct order { /* what to measure */
    uint32_t validators, runs;
    bool digest;
};

struct row { /* what came out */
    bool ok;
    double wall_s, cpu_s; /* of one run, medians */
    double simulated_s, queue_s, peak_mb;
    uint64_t steps, events;
};

struct limit {
    uint32_t validators;
    double least_faster, most_wall_s, most_mb; /* 0: none */
};

static const struct limit limits[] = {
    {.validators = 100, .least_faster = 20000},
    {.validators = 10000, .most_wall_s = 60, .most_mb = 1024},
};

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int ascending(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double median(double *values, uint32_t count)
{
    qsort(values, count, sizeof *values, ascending);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

/* --- the baseline --- */

static void handle_nothing(const struct happening *h)
{
    (void)h;
}

/* Through a volatile pointer, so that the call stays. */
static void (*volatile const handler)(const struct happening *) = handle_nothing;

static int64_t delay(struct random *random)
{
    return (int64_t)(random_next(random) % BASELINE_DELAY_MS);
}

/* Seconds for `events` puts and as many takes. */
static double drive_queue(uint64_t events, uint32_t waiting)
{
    struct queue queue = {0};
    struct random random = random_stream(SEED, 0, 0);
    struct happening next;
    double begin = seconds_of(CLOCK_MONOTONIC);
    while (queue.puts < waiting && queue.puts < events)
        queue_put(&queue, delay(&random), 0, 0, 0);
    while (queue_take(&queue, &next)) {
        handler(&next);
        if (queue.puts < events)
            queue_put(&queue, next.at_ms + delay(&random), 0, 0, 0);
    }
    double spent_s = seconds_of(CLOCK_MONOTONIC) - begin;
    queue_clear(&queue);
    return spent_s;
}

/* --- the runs, in a child --- */

static bool configure(struct sim_config *config, const struct order *order,
                      char error[CONFIG_ERROR_MAX])
{
    config_default(config);
    config->validators = order->validators;
    config->min_validators = (uint64_t)order->validators * MIN_PERCENT / 100;
    config->digest = order->digest;
    return config_set(config, "speed: reboot", "reboot", REBOOT, error);
}

static bool run_all(struct run *run, uint32_t runs, struct row *row)
{
    double wall_s[RUNS_MAX], cpu_s[RUNS_MAX];
    for (uint32_t i = 0; i < runs; i++) {
        double wall = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
        if (!run_one(run))
            return false;
        wall_s[i] = seconds_of(CLOCK_MONOTONIC) - wall;
        cpu_s[i] = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    }
    row->wall_s = median(wall_s, runs);
    row->cpu_s = median(cpu_s, runs);
    return true;
}

static double peak_mb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

static struct row measure(const struct order *order)
{
    struct row row = {0};
    struct sim_config config;
    struct genesis genesis;
    struct run run = {.config = &config, .genesis = &genesis, .seed = SEED};
    bool ok = configure(&config, order, run.error);
    genesis_synthetic(&genesis, "synthetic-1", config.validators, 0, 0, 0, config.min_validators);
    ok = ok && run_all(&run, order->runs, &row);
    if (ok) {
        const struct result *r = &run.result;
        row.ok = run_status(r) == RUN_WELL && r->done == r->agents;
        row.simulated_s = r->makespan_s;
        row.steps = r->steps;
        row.events = r->events;
        row.peak_mb = peak_mb();
        row.queue_s = drive_queue(r->events, WAITING_PER_MEMBER * order->validators);
    } else {
        fprintf(stderr, "speed: %s\n", run.error);
    }
    genesis_clear(&genesis);
    config_clear(&config);
    return row;
}

static bool read_row(int from, struct row *row)
{
    char *to = (char *)row;
    size_t got = 0;
    for (ssize_t n = 1; got < sizeof *row && n > 0; got += n > 0 ? (size_t)n : 0)
        n = read(from, to + got, sizeof *row - got);
    return got == sizeof *row && row->ok;
}

static bool measure_apart(const struct order *order, struct row *row)
{
    int ends[2];
    if (pipe(ends) != 0)
        return false;
    pid_t child = fork();
    if (child == 0) {
        *row = measure(order);
        _exit(write(ends[1], row, sizeof *row) == (ssize_t)sizeof *row ? 0 : 1);
    }
    close(ends[1]);
    bool ok = child > 0 && read_row(ends[0], row);
    close(ends[0]);
    if (child > 0)
        waitpid(child, NULL, 0);
    return ok;
}

/* --- what people see --- */

static void print_head(void)
{
    printf("reboots %s, 6 s blocks, min_validators %d %% of the set; medians of "
           "`runs`\n\n",
           REBOOT, MIN_PERCENT);
    printf("%10s %6s %4s %9s %9s %8s %9s %9s %8s %8s %8s %7s\n", "", "", "", "", "", "times", "",
           "", "ns per", "ns per", "queue ns", "peak");
    printf("%10s %6s %4s %9s %9s %8s %9s %9s %8s %8s %8s %7s\n", "validators", "digest", "runs",
           "wall s", "cpu s", "faster", "steps/s", "events/s", "step", "event", "an event", "MB");
}

static void print_row(const struct order *o, const struct row *r)
{
    double steps = (double)r->steps, events = (double)r->events;
    printf("%10" PRIu32 " %6s %4" PRIu32 " %9.4f %9.4f %8.0f %9.0f %9.0f %8.0f %8.0f %8.0f %7.1f\n",
           o->validators, o->digest ? "yes" : "no", o->runs, r->wall_s, r->cpu_s,
           r->simulated_s / r->wall_s, steps / r->wall_s, events / r->wall_s,
           r->wall_s * 1e9 / steps, r->wall_s * 1e9 / events, r->queue_s * 1e9 / events,
           r->peak_mb);
    fflush(stdout);
}

static bool judge_one(uint32_t validators, const char *what, double is, double want, bool most)
{
    bool met = want == 0 || (most ? is <= want : is >= want);
    if (want > 0)
        printf("%" PRIu32 " validators, %s: %.1f, %s %.0f: %s\n", validators, what, is,
               most ? "at most" : "at least", want, met ? "met" : "MISSED");
    return met;
}

static bool judge(const struct order *o, const struct row *r)
{
    bool met = true;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        const struct limit *l = &limits[i];
        if (l->validators != o->validators || o->digest)
            continue;
        double faster = r->simulated_s / r->wall_s;
        met &= judge_one(l->validators, "times faster than real time", faster, l->least_faster, 0);
        met &= judge_one(l->validators, "seconds of wall time", r->wall_s, l->most_wall_s, 1);
        met &= judge_one(l->validators, "MB of memory", r->peak_mb, l->most_mb, 1);
    }
    return met;
}

/* --- arguments --- */

static bool read_number(const char *text, uint32_t low, uint32_t high, uint32_t *number)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno || end == text || *end || text[0] == '-' || value < low || value > high) {
        fprintf(stderr, "speed: %s: a whole number from %" PRIu32 " to %" PRIu32 " was expected\n",
                text, low, high);
        return false;
    }
    *number = (uint32_t)value;
    return true;
}

static uint32_t usual_runs(uint32_t validators)
{
    uint32_t runs = PATIENCE / validators;
    return runs < RUNS_LEAST ? RUNS_LEAST : runs > RUNS_MOST ? RUNS_MOST : runs;
}

static bool read_arguments(int argc, char **argv, uint32_t *sizes, uint32_t *count, uint32_t *runs)
{
    static const uint32_t usual[] = {100, 1000, 10000};
    int i = 1;
    *runs = *count = 0;
    if (argc > 2 && strcmp(argv[1], "--runs") == 0) {
        if (!read_number(argv[2], 1, RUNS_MAX, runs))
            return false;
        i = 3;
    }
    if (argc - i > SIZES_MAX) {
        fprintf(stderr, "speed: more than %d networks; give fewer\n", SIZES_MAX);
        return false;
    }
    for (; i < argc; i++)
        if (!read_number(argv[i], 4, VIEW_VALIDATORS_MAX, &sizes[(*count)++]))
            return false;
    for (size_t u = 0; *count == 0 && u < sizeof usual / sizeof *usual; u++)
        sizes[u] = usual[u];
    *count = *count ? *count : sizeof usual / sizeof *usual;
    return true;
}

int main(int argc, char **argv)
{
    uint32_t sizes[SIZES_MAX], count, runs;
    struct order orders[2 * SIZES_MAX];
    struct row rows[2 * SIZES_MAX];
    if (!read_arguments(argc, argv, sizes, &count, &runs))
        return 1;
    print_head();
    for (uint32_t i = 0; i < 2 * count; i++) {
        uint32_t validators = sizes[i / 2];
        orders[i] = (struct order){validators, runs ? runs : usual_runs(validators), i % 2 == 1};
        fflush(stdout);
        if (!measure_apart(&orders[i], &rows[i])) {
            fprintf(stderr, "speed: the upgrade of %" PRIu32 " validators failed\n", validators);
            return 1;
        }
        print_row(&orders[i], &rows[i]);
    }
    putchar('\n');
    bool met = true;
    for (uint32_t i = 0; i < 2 * count; i++)
        met &= judge(&orders[i], &rows[i]);
    return met ? 0 : 2;
}
