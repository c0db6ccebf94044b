/* Calls: a queue, at most in_flight_max of them sent; who is asked, and who next. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/feed_internal.h"
#include "proto/encoding.h"

static const struct {
    const char *method, *name;
} kinds[] = {
    [CALL_STATUS] = {"status", "status at block"},
    [CALL_HEADERS] = {"blockchain", "header"},
    [CALL_BLOCK] = {"block", "block"},
    [CALL_RESULTS] = {"block_results", "results of block"},
    [CALL_SET] = {"validators", "validators of height"},
    [CALL_COMMIT] = {"commit", "commit of block"},
};

const char *feed_url(const struct feed *feed, uint32_t endpoint)
{
    return endpoint == RPC_ANY ? "nobody" : rpc_endpoint_url(feed->config.rpc, endpoint);
}

/* --- who --- */

/* By its latest status; those of others may be old while one's own node leads, so that they may have more by now. */
static bool has(const struct feed *feed, uint32_t e, enum call_kind kind, uint64_t height,
                uint32_t count, bool sure)
{
    const struct endpoint *endpoint = &feed->endpoints[e];
    uint64_t last = kind == CALL_SET ? height - 1 : height + count - 1;
    bool reaches = last <= endpoint->latest;
    return endpoint->usable && endpoint->earliest <= height &&
           (sure ? reaches : !reaches && feed->config.follow && e != feed->own);
}

/* One's own node first; then whoever leads, whose story should be one; then the others. */
uint32_t feed_pick(const struct feed *feed, enum call_kind kind, uint64_t height, uint32_t count,
                   uint32_t tried)
{
    for (int pass = 0; pass < 4; pass++)
        for (uint32_t i = 0; i < feed->endpoint_count + 2; i++) {
            uint32_t e = i == 0 ? feed->own : i == 1 ? feed->leader : i - 2;
            if (!(tried >> e & 1) && feed_is_suspect(feed, e) == (pass >= 2) &&
                has(feed, e, kind, height, count, pass % 2 == 0))
                return e;
        }
    return RPC_ANY;
}

/* --- the queue --- */

static void append(struct feed *feed, struct call *call)
{
    call->before = feed->last_call;
    call->after = NULL;
    *(feed->last_call ? &feed->last_call->after : &feed->first_call) = call;
    feed->last_call = call;
}

static void prepend(struct feed *feed, struct call *call)
{
    call->before = NULL;
    call->after = feed->first_call;
    *(feed->first_call ? &feed->first_call->before : &feed->last_call) = call;
    feed->first_call = call;
}

static void unlink_call(struct feed *feed, struct call *call)
{
    *(call->before ? &call->before->after : &feed->first_call) = call->after;
    *(call->after ? &call->after->before : &feed->last_call) = call->before;
}

static void text_of(char text[24], uint64_t number)
{
    snprintf(text, 24, "%llu", (unsigned long long)number);
}

/* 64-bit numbers are strings in CometBFT's JSON, also in parameters. */
static json_t *params_of(const struct call *call)
{
    char low[24], high[24];
    text_of(low, call->height);
    if (call->kind == CALL_STATUS)
        return NULL;
    if (call->kind == CALL_HEADERS) {
        text_of(high, call->height + call->count - 1);
        return json_pack("{s:s, s:s}", "minHeight", low, "maxHeight", high);
    }
    if (call->kind == CALL_SET) {
        text_of(high, call->page);
        return json_pack("{s:s, s:s, s:s}", "height", low, "page", high, "per_page", "100");
    }
    return json_pack("{s:s}", "height", low);
}

static void take_answer(void *owner, const struct rpc_answer *answer);

void feed_pump(struct feed *feed)
{
    for (struct call *c = feed->first_call; c && feed->phase != FEED_STOPPED; c = c->after) {
        bool counts =
            c->kind != CALL_STATUS; /* nodes that hang must not keep others from being asked */
        if (c->ticket || (counts && feed->in_flight >= feed->config.in_flight_max))
            continue;
        feed->in_flight += counts;
        feed->requests++;
        c->sent_ms = zclock_mono();
        if (c->since_ms == 0)
            c->since_ms = c->sent_ms;
        c->ticket = rpc_call(feed->config.rpc, kinds[c->kind].method, params_of(c), c->endpoint,
                             take_answer, c);
    }
}

void feed_drop_calls(struct feed *feed)
{
    while (feed->first_call) {
        struct call *call = feed->first_call;
        if (call->ticket)
            rpc_cancel(feed->config.rpc, call->ticket);
        unlink_call(feed, call);
        free(call);
    }
    feed->in_flight = 0;
    for (uint32_t e = 0; e < feed->endpoint_count; e++)
        feed->endpoints[e].asking = false;
}

static struct call *make_call(struct feed *feed, enum call_kind kind, uint64_t height,
                              uint32_t endpoint)
{
    struct call *call = feed_room(NULL, 1, sizeof *call);
    *call = (struct call){
        .feed = feed, .kind = kind, .height = height, .count = 1, .endpoint = endpoint};
    return call;
}

void feed_ask_status(struct feed *feed, uint32_t endpoint)
{
    append(feed, make_call(feed, CALL_STATUS, 0, endpoint));
    feed_pump(feed);
}

bool feed_ask(struct feed *feed, enum call_kind kind, uint64_t height, uint32_t count,
              uint32_t tried)
{
    uint32_t endpoint = feed_pick(feed, kind, height, count, tried);
    if (endpoint == RPC_ANY)
        return false;
    struct call *call = make_call(feed, kind, height, endpoint);
    call->count = count;
    call->tried = tried;
    if (tried)
        prepend(feed, call); /* the heights behind it wait */
    else
        append(feed, call);
    feed_pump(feed);
    return true;
}

bool feed_ask_page(struct feed *feed, struct set_ask *into, uint32_t page, uint32_t endpoint)
{
    if (endpoint == RPC_ANY)
        endpoint = feed_pick(feed, CALL_SET, into->height, 1, into->tried);
    if (endpoint == RPC_ANY)
        return false;
    struct call *call = make_call(feed, CALL_SET, into->height, endpoint);
    call->page = page;
    call->into = into;
    call->attempt = into->attempt;
    prepend(feed, call);
    feed_pump(feed);
    return true;
}

/* --- what comes back --- */

void feed_blame(const struct feed *feed, enum call_kind kind, uint64_t height, uint32_t endpoint,
                const struct fault *why, struct fault *whole)
{
    char begin[64];
    int size =
        snprintf(begin, sizeof begin, "%s %llu: ", kinds[kind].name, (unsigned long long)height);
    const char *text = why->text; /* a check may have said already what it is about */
    if (strncmp(text, begin, (size_t)size) == 0)
        text += size;
    fault_set(whole, "%s %llu from %s: %s", kinds[kind].name, (unsigned long long)height,
              feed_url(feed, endpoint), text);
}

/* Nobody is left who could answer. One's own node without others is not asked again: it would say the same. */
static void disproved(struct feed *feed, uint64_t height, uint32_t tried, const struct fault *fault)
{
    bool kept = feed->config.kept && !feed->live && height == feed->first.n;
    uint32_t all = (UINT32_C(1) << feed->endpoint_count) - 1;
    if (!feed->config.follow || (tried & all) == all)
        feed_stop(feed, kept ? FEED_FORK : FEED_FAILED, fault);
    else
        feed_stand_back(feed, fault->text, true);
}

bool feed_contradicted(struct feed *feed, enum call_kind kind, uint64_t height, uint32_t endpoint,
                       uint32_t *tried, const struct fault *fault)
{
    struct fault whole;
    feed_blame(feed, kind, height, endpoint, fault, &whole);
    *tried |= UINT32_C(1) << endpoint;
    bool other = feed_pick(feed, kind, height, 1, *tried) != RPC_ANY;
    if (other || feed->config.follow)
        feed_suspect(feed, endpoint);
    if (feed->config.follow && endpoint == feed->leader && endpoint != feed->own) {
        feed_stand_back(feed, whole.text,
                        true); /* what else it has said of this round is no better */
        return false;
    }
    if (!other) {
        disproved(feed, height, *tried, &whole);
        return false;
    }
    feed_note(feed, whole.text);
    if (!feed->config.follow || endpoint != feed->own)
        rpc_distrust(feed->config.rpc, endpoint);
    return true;
}

/* The same call once more, of somebody else. False when there is nobody. */
static bool ask_another(struct feed *feed, struct call *call)
{
    uint32_t *tried = call->into ? &call->into->tried : &call->tried;
    *tried |= UINT32_C(1) << call->endpoint;
    if (call->into) { /* pages of one set come from one endpoint */
        struct set_ask *into = call->into;
        uint32_t had = *tried;
        uint64_t height = into->height;
        if (feed_pick(feed, CALL_SET, height, 1, had) == RPC_ANY)
            return false;
        feed_set_reset(into);
        into->height = height;
        into->tried = had;
        return feed_ask_page(feed, into, 1, RPC_ANY);
    }
    return feed_ask(feed, call->kind, call->height, call->count, call->tried);
}

static void give_up(struct feed *feed, const struct call *call, const char *why)
{
    struct fault fault;
    if (call->kind == CALL_STATUS)
        feed_take_status(feed, call->endpoint, NULL, why);
    else if (call->kind == CALL_COMMIT)
        feed_without_commit(feed, why);
    else if (call->into != &feed->first_set || !feed_first_set_elsewhere(feed)) {
        fault_set(&fault, "%s %llu: %s", kinds[call->kind].name, (unsigned long long)call->height,
                  why);
        feed_trouble(feed, &fault);
    }
}

/* Connections break; an answer that is merely refused would be refused again. */
static bool is_worth_repeating(const struct call *call, const struct rpc_answer *answer)
{
    return answer->outcome == RPC_FAILED && call->kind != CALL_STATUS &&
           call->tries + 1 < FEED_TRIES && zclock_mono() - call->since_ms < FEED_TRIES_MS;
}

static void try_again(struct feed *feed, struct call *call, const struct rpc_answer *answer)
{
    if (call->into && call->attempt != call->into->attempt)
        return;
    if (is_worth_repeating(call, answer)) {
        struct call *again = make_call(feed, call->kind, call->height, call->endpoint);
        *again = *call;
        again->tries++;
        again->ticket = 0;
        prepend(feed, again);
        return;
    }
    if (call->kind != CALL_STATUS && ask_another(feed, call))
        return;
    give_up(feed, call, answer->text);
}

/* An answer that is no reply of its kind at all. */
static void refuse(struct feed *feed, struct call *call, const struct fault *fault)
{
    uint32_t *tried = call->into ? &call->into->tried : &call->tried;
    struct fault whole;
    if (call->into && call->attempt != call->into->attempt)
        return;
    if (call->kind == CALL_STATUS) {
        fault_set(&whole, "status from %s: %s", feed_url(feed, call->endpoint), fault->text);
        feed_take_status(feed, call->endpoint, NULL, whole.text);
    } else if (feed_contradicted(feed, call->kind, call->height, call->endpoint, tried, fault)) {
        ask_another(feed, call);
    }
}

#define TAKE(type, take)                                                                           \
    do {                                                                                           \
        struct type reply;                                                                         \
        if (!type(result, &reply, &fault)) {                                                       \
            refuse(feed, call, &fault);                                                            \
            return;                                                                                \
        }                                                                                          \
        take(feed, call, &reply);                                                                  \
        type##_destroy(&reply);                                                                    \
    } while (0)

static void take_status(struct feed *feed, struct call *call, const json_t *result)
{
    struct reply_status status;
    struct fault fault;
    if (reply_status(result, &status, &fault))
        feed_take_status(feed, call->endpoint, &status, NULL);
    else
        refuse(feed, call, &fault);
}

static void take_result(struct feed *feed, struct call *call, const json_t *result)
{
    struct fault fault;
    switch (call->kind) {
    case CALL_STATUS:
        take_status(feed, call, result);
        break;
    case CALL_HEADERS:
        TAKE(reply_headers, feed_take_headers);
        break;
    case CALL_BLOCK:
        TAKE(reply_block, feed_take_block);
        break;
    case CALL_RESULTS:
        TAKE(reply_results, feed_take_results);
        break;
    case CALL_SET:
        TAKE(reply_validators, feed_set_take);
        break;
    case CALL_COMMIT:
        TAKE(reply_commit, feed_take_commit);
        break;
    }
}

static void take_answer(void *owner, const struct rpc_answer *answer)
{
    struct call *call = owner;
    struct feed *feed = call->feed;
    if (call->kind != CALL_STATUS) {
        assert(feed->in_flight > 0);
        feed->in_flight--;
    }
    unlink_call(feed, call);
    if (answer->outcome == RPC_OK)
        take_result(feed, call, answer->result);
    else
        try_again(feed, call, answer);
    free(call);
    feed_settle(feed);
    feed_pump(feed);
}

/* --- answers that take long --- */

static bool is_late(const struct feed *feed, const struct call *call, int64_t now)
{
    if (call->kind == CALL_STATUS || !call->ticket || now - call->sent_ms < FEED_LATE_MS ||
        (call->into && call->attempt != call->into->attempt))
        return false;
    uint32_t tried = (call->into ? call->into->tried : call->tried) | UINT32_C(1) << call->endpoint;
    return feed_pick(feed, call->kind, call->height, call->count, tried) != RPC_ANY;
}

void feed_hedge(struct feed *feed)
{
    int64_t now = zclock_mono();
    struct call *call = feed->first_call;
    while (call && (feed->phase == FEED_RANGE || feed->phase == FEED_SEAL)) {
        struct call *after = call->after;
        if (is_late(feed, call, now)) {
            rpc_cancel(feed->config.rpc, call->ticket);
            feed->in_flight--;
            unlink_call(feed, call);
            if (!ask_another(feed, call))
                give_up(feed, call, "no answer");
            free(call);
        }
        call = after;
    }
    feed_pump(feed);
}
