#include "sim/run.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#define THREADS_MAX 64

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run_world(struct run *run, struct trace *trace)
{
    double begin = seconds_now();
    struct world *world =
        world_create(run->config, run->genesis, run->seed, trace, &run->result, run->error);
    if (!world)
        return;
    world->keep_history = run->keep;
    world->progress = run->progress;
    world_run(world);
    run->result.wall_s = seconds_now() - begin - (double)trace_spent_ns(trace) / 1e9;
    world->trace = NULL;
    world->progress = NULL;
    if (run->keep)
        run->world = world;
    else
        world_destroy(&world);
}

bool run_one(struct run *run)
{
    bool traced = run->trace || run->config->digest;
    char hash[65] = "";
    struct trace *trace = traced ? trace_create(run->trace, true) : NULL;
    run->error[0] = '\0';
    run->world = NULL;
    run_world(run, trace);
    bool written = trace_destroy(&trace, hash);
    memcpy(run->result.trace_sha256, hash, sizeof hash);
    if (run->error[0] == '\0' && !written)
        snprintf(run->error, sizeof run->error,
                 "--trace: %.300s: cannot be written: %s; free the disk or name another file",
                 run->config->trace, strerror(errno));
    return run->error[0] == '\0';
}

/* --- many seeds --- */

struct batch {
    const struct sim_config *config;
    const struct genesis *genesis;
    struct run_seeds seeds;
    uint64_t next;
    struct result *results;
    pthread_mutex_t lock;
    char *error;
};

static bool take(struct batch *b, uint64_t *number)
{
    pthread_mutex_lock(&b->lock);
    *number = b->next++;
    pthread_mutex_unlock(&b->lock);
    return *number < b->seeds.count;
}

static void *work(void *argument)
{
    struct batch *b = argument;
    struct run run = {.config = b->config, .genesis = b->genesis};
    for (uint64_t i; take(b, &i);) {
        run.seed = b->seeds.first + i * b->seeds.step;
        bool ok = run_one(&run);
        b->results[i] = run.result;
        if (ok)
            continue;
        pthread_mutex_lock(&b->lock);
        memcpy(b->error, run.error, CONFIG_ERROR_MAX);
        pthread_mutex_unlock(&b->lock);
    }
    return NULL;
}

struct run_seeds run_seeds(const struct sim_config *c)
{
    uint64_t total = c->seed_last - c->seed_first + 1;
    if (!c->shards)
        return (struct run_seeds){c->seed_first, 1, total};
    return (struct run_seeds){c->seed_first + c->shard - 1, c->shards,
                              (total - c->shard) / c->shards + 1};
}

bool run_many(const struct sim_config *config, const struct genesis *genesis,
              const struct run_seeds *seeds, uint32_t jobs, struct result *results,
              char error[CONFIG_ERROR_MAX])
{
    pthread_t threads[THREADS_MAX];
    uint32_t started = 0;
    struct batch batch = {config, genesis, *seeds, 0, results, PTHREAD_MUTEX_INITIALIZER, error};
    error[0] = '\0';
    while (started + 1 < jobs && started < THREADS_MAX &&
           pthread_create(&threads[started], NULL, work, &batch) == 0)
        started++;
    work(&batch);
    while (started > 0)
        pthread_join(threads[--started], NULL);
    return error[0] == '\0';
}

/* --- judgement --- */

int run_status(const struct result *r)
{
    if (strcmp(r->strategy, strategy_name(STRATEGY_DRAW)) != 0)
        return RUN_WELL;
    if (r->violation_count)
        return RUN_VIOLATED;
    if (r->chain_stopped_for_good)
        return RUN_STOPPED;
    return r->undone ? RUN_UNDONE : RUN_WELL;
}

int run_worse(int a, int b)
{
    static const int worst_first[] = {RUN_INPUT, RUN_VIOLATED, RUN_STOPPED, RUN_UNDONE};
    for (size_t i = 0; i < sizeof worst_first / sizeof *worst_first; i++)
        if (a == worst_first[i] || b == worst_first[i])
            return worst_first[i];
    return RUN_WELL;
}

static double value_of(const struct result *r, const char *key, int status)
{
    const struct {
        const char *key;
        double value;
    } values[] = {
        {"exit", status},
        {"validators", r->validators},
        {"members", r->members},
        {"agents", r->agents},
        {"floor", (double)r->floor},
        {"min_live", (double)r->min_live},
        {"blocks", (double)r->blocks},
        {"blocks_below_floor", (double)r->blocks_below_floor},
        {"halted_s", r->halted_s},
        {"chain_stopped_for_good", r->chain_stopped_for_good},
        {"done", r->done},
        {"failed", r->failed},
        {"left_paused", r->left_paused},
        {"missed_blocks_in_set", (double)r->missed_blocks_in_set},
        {"joins", (double)r->joins},
        {"permits", (double)r->permits},
        {"permits_unused", (double)r->permits_unused},
        {"pauses", (double)r->pauses},
        {"makespan_s", r->makespan_s},
        {"lower_bound_s", r->lower_bound_s},
        {"messages", (double)r->messages},
        {"bytes", (double)r->bytes},
        {"steps", (double)r->steps},
        {"events", (double)r->events},
        {"violations", r->violation_count},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (strcmp(values[i].key, key) == 0)
            return values[i].value;
    return -1;
}

uint32_t run_judge(const struct sim_config *config, const struct result *r, int status)
{
    static const char *const operators[] = {"=", "<=", ">="};
    uint32_t failed = 0;
    for (uint32_t i = 0; i < config->expectation_count; i++) {
        const struct expectation *e = &config->expectations[i];
        double is = value_of(r, e->key, status), want = e->all ? r->agents : e->value;
        bool met = e->op == EXPECT_EQ ? is == want : e->op == EXPECT_LE ? is <= want : is >= want;
        if (met)
            continue;
        failed++;
        fprintf(stderr,
                "stagger sim: %s:%" PRIu32 ": expected %s %s %g, it is %g (seed %" PRIu64 ")\n",
                config->scenario, e->line, e->key, operators[e->op], want, is, r->seed);
    }
    return failed;
}
