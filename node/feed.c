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

struct view_config feed_view_config(enum chain_kind chain, bool empty_blocks,
                                    const struct charter *charter)
{
    return (struct view_config){
        .charter = *charter,
        .chain = chain,
        .empty_blocks = empty_blocks,
        .capacity = VIEW_VALIDATORS_MAX,
    };
}

/* Of the feed's own memory: the owner's ends with the call. */
static bool copy_records(struct feed *feed, const struct query_record *records, uint32_t count)
{
    struct query_record *copy = malloc((count + 1) * sizeof *copy);
    if (!copy)
        return false;
    if (count > 0)
        memcpy(copy, records, count * sizeof *copy);
    free(feed->records);
    feed->records = copy;
    feed->config.records = copy;
    feed->config.record_count = count;
    for (uint32_t i = 0; i < VIEW_VALIDATORS_MAX; i++)
        feed->record_of[i] = UINT32_MAX;
    return true;
}

static bool fill(struct feed *feed)
{
    const struct feed_config *config = &feed->config;
    const struct view_config view =
        feed_view_config(config->chain, config->empty_blocks, &config->charter);
    feed->view = config->kept ? config->kept : view_create(&view);
    feed->seen = calloc(VIEW_VALIDATORS_MAX, sizeof *feed->seen);
    feed->powers = calloc(VIEW_VALIDATORS_MAX, sizeof *feed->powers);
    feed->record_of = malloc(VIEW_VALIDATORS_MAX * sizeof *feed->record_of);
    if (!feed->view || !feed->seen || !feed->powers || !feed->record_of ||
        !copy_records(feed, config->records, config->record_count))
        return false;
    if (config->kept)
        feed_kept_begin(feed);
    feed_map_create(feed);
    return true;
}

struct feed *feed_create(const struct feed_config *config)
{
    assert(config->loop && config->rpc && config->done);
    assert(!config->kept || config->follow);
    struct feed *feed = calloc(1, sizeof *feed);
    if (!feed) {
        struct view *kept = config->kept;
        view_destroy(&kept);
        return NULL;
    }
    feed->config = *config;
    feed->end_timer = feed->poll_timer = -1;
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
    struct set **sets[] = {&feed->older,      &feed->before,      &feed->now,
                           &feed->base.older, &feed->base.before, &feed->base.now};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        feed_set_drop(sets[i]);
    for (uint32_t i = 0; i < FEED_SETS_KEPT; i++)
        feed_set_drop(&feed->kept[i]);
    for (size_t i = 0; i < feed->fact_count; i++)
        feed_facts_free(&feed->facts[i]);
    reply_commit_destroy(&feed->seal.commit);
}

static void end_timer(struct feed *feed, int *timer)
{
    if (*timer != -1)
        zloop_timer_end(feed->config.loop, *timer);
    *timer = -1;
}

void feed_destroy(struct feed **feed)
{
    struct feed *f = *feed;
    if (!f)
        return;
    feed_drop_calls(f);
    end_timer(f, &f->end_timer);
    end_timer(f, &f->poll_timer);
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

static void set_poll_timer(struct feed *feed)
{
    end_timer(feed, &feed->poll_timer);
    feed->poll_timer =
        zloop_timer(feed->config.loop, (size_t)feed->config.poll_ms, 0, feed_tick, feed);
    assert(feed->poll_timer != -1);
}

void feed_run(struct feed *feed)
{
    assert(feed->phase == FEED_IDLE);
    feed->phase = FEED_SURVEY;
    feed->endpoint_count = rpc_endpoint_count(feed->config.rpc);
    feed->own = feed->leader = feed->config.own;
    assert(feed->own < feed->endpoint_count);
    if (feed->config.follow)
        set_poll_timer(feed);
    feed_survey(feed);
}

static bool follows(const struct feed *feed)
{
    return feed->config.follow && feed->phase != FEED_IDLE && feed->phase != FEED_STOPPED;
}

void feed_look(struct feed *feed)
{
    if (!follows(feed))
        return;
    feed_head_look(feed, true);
    feed_settle(feed);
}

void feed_pace(struct feed *feed, int64_t poll_ms)
{
    assert(poll_ms > 0);
    if (!follows(feed) || poll_ms == feed->config.poll_ms)
        return;
    feed->config.poll_ms = poll_ms;
    set_poll_timer(feed);
    if (zclock_mono() - feed->own_asked_ms >= poll_ms)
        feed_look(feed);
}

void feed_records(struct feed *feed, const struct query_record *records, uint32_t count)
{
    if (copy_records(feed, records, count)) /* otherwise the names of before are good enough */
        feed_map_refresh(feed, height_after(feed_head(feed), 1));
}

/* --- the end, told from the loop so that the owner may destroy the feed --- */

static int tell_end(zloop_t *loop, int timer, void *owner)
{
    struct feed *feed = owner;
    (void)loop;
    (void)timer;
    feed->end_timer = -1;
    feed->told = true;
    feed->config.done(feed->config.owner, feed->end > FEED_READ ? &feed->fault : NULL);
    return 0;
}

void feed_tell_read(struct feed *feed)
{
    end_timer(feed, &feed->end_timer);
    feed->end_timer = zloop_timer(feed->config.loop, 0, 1, tell_end, feed);
    assert(feed->end_timer != -1);
}

void feed_stop(struct feed *feed, enum feed_end end, const struct fault *fault)
{
    if (feed->phase == FEED_STOPPED)
        return;
    feed->phase = FEED_STOPPED;
    feed->end = end;
    if (fault)
        feed->fault = *fault;
    feed_drop_calls(feed);
    end_timer(feed, &feed->poll_timer);
    feed_tell_read(feed);
}

void feed_fail(struct feed *feed, const struct fault *fault)
{
    feed_stop(feed, FEED_FAILED, fault);
}

void feed_note(struct feed *feed, const char *line)
{
    if (feed->config.note)
        feed->config.note(feed->config.owner, line);
}

void feed_lost(struct feed *feed, const char *why)
{
    if (!feed->lost)
        feed_note(feed, why);
    feed->lost = true;
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
    return feed->config.kept ? view_first(feed->view) : feed->first;
}

enum feed_end feed_ended(const struct feed *feed)
{
    return feed->end;
}

/* Neither a word that was found wrong nor one of somebody who has not led yet counts. */
struct height feed_head(const struct feed *feed)
{
    const struct endpoint *own = &feed->endpoints[feed->own];
    uint64_t head = view_head(feed->view).n;
    bool reads = feed->phase == FEED_RANGE || feed->phase == FEED_SEAL;
    if (reads && feed->top.n > head)
        head = feed->top.n;
    if (own->usable && own->latest > head && !feed_is_suspect(feed, feed->own))
        head = own->latest;
    return height_at(head);
}

const struct feed_own *feed_own(const struct feed *feed)
{
    return &feed->shown;
}

bool feed_hash_at(const struct feed *feed, struct height height, uint8_t hash[HASH_SIZE])
{
    bool shown = feed->shown.ours && height.n > 0 && feed->shown.latest.n == height.n;
    const uint8_t *known = shown ? feed->shown.hash : feed_known_hash(feed, height.n);
    if (known)
        memcpy(hash, known, HASH_SIZE);
    return known != NULL;
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
