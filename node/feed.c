#include "node/feed.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/feed_internal.h"

void *feed_room(void *memory, size_t count, size_t size)
{
    assert(count > 0 && count <= SIZE_MAX / size);
    void *room = realloc(memory, count * size);
    if (!room) {
        fputs("stagger: memory is short\n", stderr);
        abort();
    }
    return room;
}

/* --- life --- */

static bool fill(struct feed *feed)
{
    const struct feed_config *config = &feed->config;
    const struct view_config view = {
        .charter = config->charter,
        .chain = config->chain,
        .empty_blocks = config->empty_blocks,
        .capacity = VIEW_VALIDATORS_MAX,
    };
    feed->view = view_create(&view);
    feed->seen = calloc(VIEW_VALIDATORS_MAX, sizeof *feed->seen);
    feed->powers = calloc(VIEW_VALIDATORS_MAX, sizeof *feed->powers);
    feed->record_of = malloc(VIEW_VALIDATORS_MAX * sizeof *feed->record_of);
    feed->records = malloc((config->record_count + 1) * sizeof *feed->records);
    if (!feed->view || !feed->seen || !feed->powers || !feed->record_of || !feed->records)
        return false;
    for (uint32_t i = 0; i < VIEW_VALIDATORS_MAX; i++)
        feed->record_of[i] = UINT32_MAX;
    if (config->record_count > 0)
        memcpy(feed->records, config->records, config->record_count * sizeof *feed->records);
    feed->config.records = feed->records;
    feed_map_create(feed);
    return true;
}

struct feed *feed_create(const struct feed_config *config)
{
    assert(config->loop && config->rpc && config->done);
    struct feed *feed = calloc(1, sizeof *feed);
    if (!feed)
        return NULL;
    feed->config = *config;
    feed->timer = -1;
    if (feed->config.in_flight_max == 0)
        feed->config.in_flight_max = FEED_IN_FLIGHT_DEFAULT;
    if (feed->config.in_flight_max > FEED_IN_FLIGHT_MAX)
        feed->config.in_flight_max = FEED_IN_FLIGHT_MAX;
    if (feed->config.poll_ms <= 0)
        feed->config.poll_ms = FEED_POLL_MS_DEFAULT;
    if (!fill(feed))
        feed_destroy(&feed);
    return feed;
}

static void free_chain(struct feed *feed)
{
    for (uint32_t i = 0; i < FEED_WINDOW; i++)
        feed_slot_reset(&feed->slots[i]);
    feed_set_reset(&feed->first_set);
    feed_set_drop(&feed->older);
    feed_set_drop(&feed->before);
    feed_set_drop(&feed->now);
    for (uint32_t i = 0; i < FEED_SETS_KEPT; i++)
        feed_set_drop(&feed->kept[i]);
    for (size_t i = 0; i < feed->fact_count; i++)
        feed_facts_free(&feed->facts[i]);
}

void feed_destroy(struct feed **feed)
{
    struct feed *f = *feed;
    if (!f)
        return;
    feed_drop_calls(f);
    if (f->timer != -1)
        zloop_timer_end(f->config.loop, f->timer);
    free_chain(f);
    free(f->facts);
    free(f->begin_set);
    free(f->map.rows);
    free(f->records);
    free(f->record_of);
    free(f->powers);
    free(f->seen);
    free(f->txs);
    view_destroy(&f->view);
    free(f);
    *feed = NULL;
}

/* --- the end, told from the loop so that the owner may destroy the feed --- */

static int tell_end(zloop_t *loop, int timer, void *owner)
{
    struct feed *feed = owner;
    (void)loop;
    (void)timer;
    feed->timer = -1;
    feed->config.done(feed->config.owner, feed->failed ? &feed->fault : NULL);
    return 0;
}

static void set_timer(struct feed *feed, int64_t delay_ms, size_t times, zloop_timer_fn *fn)
{
    if (feed->timer != -1)
        zloop_timer_end(feed->config.loop, feed->timer);
    feed->timer = zloop_timer(feed->config.loop, (size_t)delay_ms, times, fn, feed);
    assert(feed->timer != -1);
}

void feed_fail(struct feed *feed, const struct fault *fault)
{
    if (feed->phase == FEED_STOPPED)
        return;
    feed->phase = FEED_STOPPED;
    feed->failed = true;
    feed->fault = *fault;
    feed_drop_calls(feed);
    set_timer(feed, 0, 1, tell_end);
}

void feed_note(struct feed *feed, const char *line)
{
    if (feed->config.note)
        feed->config.note(feed->config.owner, line);
}

/* --- the range --- */

static uint64_t earliest_of_all(const struct feed *feed)
{
    uint64_t earliest = UINT64_MAX;
    for (uint32_t e = 0; e < feed->endpoint_count; e++)
        if (feed->endpoints[e].usable && feed->endpoints[e].earliest < earliest)
            earliest = feed->endpoints[e].earliest;
    return earliest;
}

/* What section 2 demands for a draw at the boundary: blocks from Z before its round on, sets of the reference. */
static void demand(const struct charter *c, struct height boundary, uint64_t *blocks,
                   uint64_t *sets)
{
    *blocks = height_before(charter_round(c, height_before(boundary, 1)), FOREIGN_BLOCKS).n;
    *sets = height_before(boundary, (uint64_t)c->round_blocks + c->reference_blocks).n + 1;
    if (*sets > *blocks)
        *sets = *blocks;
}

static uint64_t at_least(uint64_t value, uint64_t least)
{
    return value > least ? value : least;
}

static void set_range(struct feed *feed, struct height boundary)
{
    const struct feed_config *config = &feed->config;
    uint64_t earliest = earliest_of_all(feed), blocks = 0, sets = 0;
    if (!config->everything)
        demand(&config->charter, boundary, &blocks, &sets);
    feed->first = height_at(at_least(sets, earliest));
    feed->full_from = height_at(at_least(blocks, feed->first.n));
    feed->top = feed->head;
    if (!config->follow && !config->everything && boundary.n + 1 < feed->head.n)
        feed->top = height_at(boundary.n + 1);
    if (feed->first.n > feed->top.n)
        feed->first = feed->full_from = feed->top;
    uint64_t count = feed->top.n - feed->first.n + 1;
    feed->thorough = config->thorough || count <= config->thorough_below;
    if (feed->thorough)
        feed->full_from = feed->first;
    feed->next = feed->first.n;
    feed->asked = feed->first.n - 1;
}

static void start_range(struct feed *feed)
{
    const struct charter *c = &feed->config.charter;
    struct height boundary = feed->config.boundary;
    struct fault fault;
    if (feed->head.n == 0 || boundary.n > feed->head.n) {
        fault_set(&fault, "the boundary is block %llu, but the head of %s is %llu",
                  (unsigned long long)boundary.n, feed_url(feed, feed->own),
                  (unsigned long long)feed->head.n);
        if (feed->head.n == 0)
            fault_set(&fault, "%s has no block yet", feed_url(feed, feed->own));
        feed_fail(feed, &fault);
        return;
    }
    if (boundary.n == 0)
        boundary = charter_boundary(c, feed->head);
    feed->phase = FEED_RANGE;
    set_range(feed, boundary);
    feed_schedule(feed);
}

/* --- the survey: who has what --- */

static void choose_own(struct feed *feed)
{
    struct fault fault;
    feed->own = feed->config.own;
    if (feed->endpoints[feed->own].usable) {
        feed->head = height_at(feed->endpoints[feed->own].latest);
        start_range(feed);
        return;
    }
    fault_set(&fault, "%s", feed->survey_text);
    feed_fail(feed, &fault);
}

static const char *unusable(const struct feed *feed, uint32_t endpoint,
                            const struct reply_status *status, struct fault *fault)
{
    const char *expected = feed->config.charter.chain_id;
    if (strcmp(status->chain_id, expected) != 0) {
        fault_set(fault, "%s belongs to chain \"%s\", expected \"%s\"", feed_url(feed, endpoint),
                  status->chain_id, expected);
        return fault->text;
    }
    if (status->latest_height < 0 || status->earliest_height < 0 ||
        status->earliest_height > (status->latest_height > 1 ? status->latest_height : 1)) {
        fault_set(fault, "%s: its blocks are from %lld to %lld", feed_url(feed, endpoint),
                  (long long)status->earliest_height, (long long)status->latest_height);
        return fault->text;
    }
    return NULL;
}

static void keep_status(struct feed *feed, uint32_t endpoint, const struct reply_status *status)
{
    struct endpoint *e = &feed->endpoints[endpoint];
    e->latest = (uint64_t)status->latest_height;
    e->earliest = at_least((uint64_t)status->earliest_height, 1);
    memcpy(e->latest_hash, status->latest_hash, HASH_SIZE);
    e->usable = true;
}

void feed_stand_back(struct feed *feed, const char *why)
{
    assert(feed->phase == FEED_LIVE);
    feed_drop_calls(feed);
    for (uint64_t height = feed->next; height <= feed->asked; height++)
        feed_slot_reset(feed_slot(feed, height));
    feed->top = height_at(feed->next - 1);
    feed->asked = feed->next - 1;
    struct slot *top = feed_slot(feed, feed->top.n);
    top->results_wanted = top->results_here;
    feed->looking = false;
    if (!feed->head_lost)
        feed_note(feed, why);
    feed->head_lost = true;
}

/* While following: the head has moved, or has not. */
static void look(struct feed *feed, uint32_t endpoint, const struct reply_status *status,
                 const char *why)
{
    feed->looking = false;
    if (!status) {
        if (!feed->head_lost)
            feed_note(feed, why);
        feed->head_lost = true;
        return;
    }
    keep_status(feed, endpoint, status);
    if (feed->endpoints[endpoint].latest <= feed->top.n)
        return;
    struct slot *top = feed_slot(feed, feed->top.n);
    feed->head = feed->top = height_at(feed->endpoints[endpoint].latest);
    if (top->here && !top->results_wanted && top->full && top->block.tx_count > 0)
        feed_want_results(feed, top, 0);
    feed_schedule(feed);
}

void feed_survey(struct feed *feed, uint32_t endpoint, const struct reply_status *status,
                 const char *why)
{
    struct fault fault;
    const char *wrong = status ? unusable(feed, endpoint, status, &fault) : why;
    if (feed->phase == FEED_LIVE) {
        look(feed, endpoint, wrong ? NULL : status, wrong);
        return;
    }
    assert(feed->phase == FEED_SURVEY);
    if (!wrong)
        keep_status(feed, endpoint, status);
    else if (endpoint == feed->config.own)
        snprintf(feed->survey_text, sizeof feed->survey_text, "%s", wrong);
    if (++feed->surveyed == feed->endpoint_count)
        choose_own(feed);
}

void feed_run(struct feed *feed)
{
    assert(feed->phase == FEED_IDLE);
    feed->phase = FEED_SURVEY;
    feed->endpoint_count = rpc_endpoint_count(feed->config.rpc);
    assert(feed->config.own < feed->endpoint_count);
    for (uint32_t e = 0; e < feed->endpoint_count; e++)
        feed_ask_status(feed, e);
}

/* --- from the range to the head --- */

static int look_again(zloop_t *loop, int timer, void *owner)
{
    struct feed *feed = owner;
    (void)loop;
    (void)timer;
    if (!feed->looking && feed->next > feed->top.n) {
        feed->looking = true;
        feed_ask_status(feed, feed->own);
    }
    return 0;
}

static int tell_live(zloop_t *loop, int timer, void *owner)
{
    struct feed *feed = owner;
    (void)loop;
    (void)timer;
    feed->timer = -1;
    set_timer(feed, feed->config.poll_ms, 0, look_again);
    feed->config.done(feed->config.owner, NULL);
    return 0;
}

void feed_range_read(struct feed *feed)
{
    struct fault fault;
    if (feed->phase == FEED_LIVE) {
        feed->head_lost = false;
        feed_replay(feed);
        return;
    }
    feed->phase = FEED_SEAL;
    if (!feed_ask(feed, CALL_COMMIT, feed->top.n, 1, 0)) {
        fault_set(&fault, "commit of block %llu: nobody to ask", (unsigned long long)feed->top.n);
        feed_fail(feed, &fault);
    }
}

void feed_sealed(struct feed *feed)
{
    assert(feed->phase == FEED_SEAL);
    feed_replay(feed);
    feed->phase = feed->config.follow ? FEED_LIVE : FEED_STOPPED;
    set_timer(feed, 0, 1, feed->config.follow ? tell_live : tell_end);
}

/* --- questions --- */

const struct view *feed_view(const struct feed *feed)
{
    return feed->view;
}

struct feed_validator feed_validator(const struct feed *feed, uint32_t validator)
{
    const struct seen *seen = &feed->seen[validator];
    const struct view_validator *v = view_validator(feed->view, validator);
    uint32_t record = feed->record_of[validator];
    return (struct feed_validator){
        .record = record == UINT32_MAX ? NULL : &feed->records[record],
        .first_member = seen->first_member,
        .member = seen->member,
        .since = seen->since,
        .since_ms = seen->since_ms,
        .pause = v->pause,
        .pause_ms = seen->pause_ms,
    };
}

struct height feed_first(const struct feed *feed, bool *is_chain_first)
{
    if (is_chain_first)
        *is_chain_first = feed->chain_begins;
    return feed->first;
}

bool feed_thorough(const struct feed *feed)
{
    return feed->thorough;
}

struct height feed_complete_from(const struct feed *feed)
{
    const struct charter *c = &feed->config.charter;
    uint64_t low = 0, high = 1; /* epochs: low is not complete, high is */
    while (!view_complete(feed->view, height_at(high * c->epoch_blocks)) &&
           high < UINT64_MAX / 4096)
        high *= 2;
    while (low + 1 < high) {
        uint64_t middle = low + (high - low) / 2;
        if (view_complete(feed->view, height_at(middle * c->epoch_blocks)))
            high = middle;
        else
            low = middle;
    }
    return height_at(high * c->epoch_blocks);
}
