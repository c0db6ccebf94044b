/* Hosts: nodes that stop and start by choice or by accident, catch up, and are seen signing again. */
#include <assert.h>
#include <stdlib.h>

#include "sim/world.h"

#define SYNC_MS 1000     /* a node's start and handshake */
#define SYNC_BLOCK_MS 10 /* for each block it missed */
#define HEAL_MS 500
#define LATENCY_SIGMA 0.5
#define FORECAST_MIN_MS 1000

static int64_t draw_duration(const struct world *w, uint32_t v)
{
    const struct duration *d = &w->config->reboot;
    struct random random = random_stream(w->seed, STREAM_REBOOT, v);
    switch (d->kind) {
    case DURATION_LOGNORMAL:
        return random_lognormal_ms(&random, d->median_ms, d->sigma);
    case DURATION_LIST:
        return d->list_ms[v % d->list_count];
    default:
        return d->median_ms;
    }
}

/* What an agent believes its reboot takes: off by the forecast's relative error. */
static int64_t draw_forecast(const struct world *w, uint32_t v, int64_t reboot_ms)
{
    struct random random = random_stream(w->seed, STREAM_FORECAST, v);
    double off = 1 + w->config->forecast * random_normal(&random);
    int64_t believed = (int64_t)((double)reboot_ms * (off > 0 ? off : 0));
    return believed > FORECAST_MIN_MS ? believed : FORECAST_MIN_MS;
}

void hosts_start(struct world *w)
{
    for (uint32_t v = 0; v < w->count; v++) {
        struct random random = random_stream(w->seed, STREAM_LATENCY, v);
        struct host *h = &w->hosts[v];
        h->up = h->synced = true;
        h->latency_ms = random_lognormal_ms(&random, w->config->latency_ms, LATENCY_SIGMA);
        h->reboot_ms = draw_duration(w, v);
        w->agents[v].expected_ms = draw_forecast(w, v, h->reboot_ms);
    }
}

bool host_sees(const struct world *w, uint32_t v)
{
    const struct host *h = &w->hosts[v];
    return h->up && h->synced && !h->deaf && !h->cut;
}

static void open_bar(struct world *w, uint32_t v, enum report_bar_kind kind)
{
    uint32_t *open = &w->open_bars[2 * v + (kind != BAR_OUT)];
    if (!w->keep_history || *open)
        return;
    if (w->bar_count == w->bar_room) {
        w->bar_room = w->bar_room ? 2 * w->bar_room : 256;
        w->bars = realloc(w->bars, w->bar_room * sizeof *w->bars);
        assert(w->bars);
    }
    w->bars[w->bar_count] = (struct report_bar){v, kind, w->now_ms, INT64_MAX};
    *open = ++w->bar_count;
}

static void close_bar(struct world *w, uint32_t v, bool out)
{
    uint32_t *open = &w->open_bars[2 * v + !out];
    if (w->keep_history && *open)
        w->bars[*open - 1].to_ms = w->now_ms;
    *open = 0;
}

/* The next header tells the time of the latest commit, and who was up then counts. */
static void note_change(struct world *w, struct host *h)
{
    if (h->changed_ms <= w->committed_ms)
        h->up_before = h->up;
    h->changed_ms = w->now_ms;
}

void host_down(struct world *w, uint32_t v, bool fault)
{
    struct host *h = &w->hosts[v];
    if (!h->up)
        return;
    note_change(w, h);
    h->up = h->synced = false;
    h->fault = fault;
    h->chosen = !fault;
    h->down_height = model_height(w->chain).n;
    h->generation++;
    trace_host(w->trace, w->now_ms, v, false, fault);
    open_bar(w, v, fault ? BAR_FAULT : BAR_DOWN);
}

/* The upgrade forces a validator back into the set whose node is down: from here on it is down by need. */
void host_forced(struct world *w, uint32_t v)
{
    struct host *h = &w->hosts[v];
    if (h->up || h->fault)
        return;
    h->fault = true;
    trace_host(w->trace, w->now_ms, v, false, true);
}

void host_up(struct world *w, uint32_t v)
{
    struct host *h = &w->hosts[v];
    if (h->up || h->lost)
        return;
    uint64_t head = model_height(w->chain).n;
    uint64_t missed = head > h->down_height ? head - h->down_height : 0;
    note_change(w, h);
    h->up = true;
    h->rebooted |= h->chosen;
    trace_host(w->trace, w->now_ms, v, true, !h->chosen);
    close_bar(w, v, false);
    world_later(w, SYNC_MS + h->catch_up_ms + (int64_t)missed * SYNC_BLOCK_MS, HAPPEN_SYNCED, v,
                h->generation);
}

void host_synced(struct world *w, uint32_t v, uint32_t generation)
{
    struct host *h = &w->hosts[v];
    if (!h->up || h->generation != generation)
        return;
    h->synced = true;
    h->synced_height = model_height(w->chain).n;
    agents_tell_node(w, v);
    blocks_poke(w);
}

void host_heard_again(struct world *w, uint32_t v)
{
    if (w->hosts[v].up)
        world_later(w, HEAL_MS, HAPPEN_SYNCED, v, w->hosts[v].generation);
}

static void end_step(struct world *w, uint32_t v, enum coord_step_kind step, int64_t in_ms, bool ok)
{
    uint64_t generation = w->hosts[v].generation;
    world_later(w, in_ms, HAPPEN_STEP, v, generation << 8 | (uint64_t)step << 1 | ok);
}

/* What a reinitialisation comes to: --fail, and a bad image. One that is under way already, for an agent that
 * has crashed since, goes on and ends when it would have. */
static void reinitialise(struct world *w, uint32_t v)
{
    struct host *h = &w->hosts[v];
    if (h->hung || h->busy_ms > w->now_ms)
        return;
    struct random random = random_stream(w->seed, STREAM_FAIL, (uint64_t)v << 32 | h->tries++);
    h->hung = random_unit(&random) < w->bad_image;
    bool fails = random_unit(&random) < w->config->fail;
    bool for_good = random_below(&random, 2) == 0;
    h->busy_ms = w->now_ms + h->reboot_ms;
    if (h->hung)
        return;
    if (fails && for_good)
        host_lose(w, v);
    else
        end_step(w, v, STEP_REINIT, h->reboot_ms, !fails);
}

/* It never comes back, and nor does its agent. */
void host_lose(struct world *w, uint32_t v)
{
    struct host *h = &w->hosts[v];
    bool counts = w->agents[v].wants && !h->returned && !h->lost;
    h->lost = true;
    w->undone -= counts;
    w->result->failed += counts;
    agents_die(w, v, 0);
}

/* The runtime does one thing after the other: a start waits for the reinitialisation before it. */
void host_step(struct world *w, uint32_t v, enum coord_step_kind step)
{
    struct host *h = &w->hosts[v];
    bool starts = step == STEP_START || step == STEP_RESTORE;
    int64_t wait_ms = starts && h->busy_ms > w->now_ms ? h->busy_ms - w->now_ms : 0;
    if (step == STEP_STOP)
        host_down(w, v, false);
    if (step == STEP_REINIT)
        reinitialise(w, v);
    else if (!(starts && h->hung))
        end_step(w, v, step, wait_ms, true);
}

static void note_returned(struct world *w, uint32_t v, int64_t time_ms)
{
    struct host *h = &w->hosts[v];
    h->returned = true;
    if (!w->agents[v].wants)
        return;
    w->undone--;
    w->result->done++;
    w->result->makespan_s = (double)(time_ms - w->first_block_ms) / 1000;
}

/* A member of V(h-1) whose signature stands in block h's last commit has been seen signing. */
void hosts_seen_signing(struct world *w, int64_t time_ms)
{
    uint64_t head = model_height(w->chain).n;
    const struct view *view = w->views[0];
    for (uint32_t v = 0; v < w->count; v++) {
        struct host *h = &w->hosts[v];
        bool in = model_in_set(w->chain, v);
        if (!in)
            h->enter_height = 0;
        else if (h->enter_height == 0)
            h->enter_height = head + 1;
        if (in)
            close_bar(w, v, true);
        else if (w->agents[v].wants)
            open_bar(w, v, BAR_OUT);
        if (h->rebooted && !h->returned && h->up && in && head > h->down_height + 1 &&
            view_signed(view, v, height_at(head)))
            note_returned(w, v, time_ms);
    }
}
