#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "node/chain_internal.h"
#include "proto/encoding.h"

#define PATIENCE_MS 3000 /* for the others, once one has answered */
#define CAUGHT_MS 600000 /* how long one that was caught is not used */

static void blocks_begin(struct compare *compare);

static const char *url_of(const struct compare *compare, uint32_t endpoint)
{
    return rpc_endpoint_url(compare->job.chain->rpc, endpoint);
}

/* --- the result --- */

static bool any_contradicted(const struct chain_comparison *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->witnesses[i].verdict == CHAIN_CONTRADICTED)
            return true;
    }
    return false;
}

static void best_choose(struct chain_comparison *c)
{
    c->best = RPC_ANY;
    if (any_contradicted(c))
        return;
    for (uint32_t i = c->count; i-- > 0;) {
        if (c->witnesses[i].verdict == CHAIN_WELL)
            c->best = i;
    }
}

/* Endpoints that were caught a while ago stay out where there is another. */
static void caught_apply(struct chain *chain)
{
    struct chain_comparison *c = &chain->comparison;
    for (uint32_t i = 0; i < c->count; i++) {
        struct chain_witness *w = &c->witnesses[i];
        if (chain->caught_ms[i] && zclock_mono() - chain->caught_ms[i] < CAUGHT_MS &&
            w->verdict == CHAIN_WELL && rpc_endpoint_count(chain->rpc) > 1) {
            w->verdict = CHAIN_DISPROVED;
            memcpy(w->text, chain->caught[i], sizeof w->text);
        }
    }
    best_choose(c);
}

void compare_caught(struct chain *chain, uint32_t endpoint, const char *text)
{
    if (endpoint >= RPC_ENDPOINTS_MAX)
        return;
    chain->caught_ms[endpoint] = zclock_mono();
    struct fault line;
    fault_set(&line, "%s: %s; it is not used for a while", rpc_endpoint_url(chain->rpc, endpoint),
              text);
    memcpy(chain->caught[endpoint], line.text, sizeof chain->caught[endpoint]);
    rpc_distrust(chain->rpc, endpoint);
    caught_apply(chain);
}

void compare_doubt(struct chain *chain, uint32_t endpoint, const char *text)
{
    struct chain_comparison *c = &chain->comparison;
    if (c->count < 2 || endpoint >= c->count || c->witnesses[endpoint].verdict != CHAIN_WELL)
        return;
    struct chain_witness *w = &c->witnesses[endpoint];
    struct fault line;
    const char *url = rpc_endpoint_url(chain->rpc, endpoint);
    fault_set(&line, "%s", text);
    if (!strstr(text, url))
        fault_within(&line, url);
    w->verdict = CHAIN_SILENT;
    memcpy(w->text, line.text, sizeof w->text);
    best_choose(c);
    if (c->best == RPC_ANY) /* nobody is left: perhaps one has come back */
        chain->compared_ms = INT64_MIN;
}

bool compare_due(const struct chain *chain)
{
    return !chain->compare_off && (chain->compared_ms == INT64_MIN ||
                                   zclock_mono() - chain->compared_ms >= CHAIN_COMPARE_MS);
}

bool compare_best(const struct chain *chain, uint32_t *endpoint, struct fault *fault)
{
    const struct chain_comparison *c = &chain->comparison;
    *endpoint = c->best;
    if (chain->compare_off || c->count == 0) {
        *endpoint = RPC_ANY;
        return true;
    }
    if (c->best != RPC_ANY)
        return true;
    for (uint32_t i = 0; i < c->count; i++) {
        if (any_contradicted(c) == (c->witnesses[i].verdict == CHAIN_CONTRADICTED))
            return fault_set(fault, "%s", c->witnesses[i].text);
    }
    return fault_set(fault, "no endpoint can be used");
}

const struct chain_comparison *chain_comparison(const struct chain *chain)
{
    return &chain->comparison;
}

const char *chain_warning(const struct chain *chain, uint32_t number)
{
    for (uint32_t i = 0; i < chain->comparison.count; i++) {
        const struct chain_witness *w = &chain->comparison.witnesses[i];
        if (w->verdict != CHAIN_WELL && number-- == 0)
            return w->text;
    }
    return NULL;
}

static void distrust_apply(struct chain *chain)
{
    const struct chain_comparison *c = &chain->comparison;
    for (uint32_t i = 0; i < c->count; i++) {
        const struct chain_witness *w = &c->witnesses[i];
        bool syncing = w->verdict == CHAIN_LAGS && w->status.catching_up;
        if (w->verdict != CHAIN_WELL && w->verdict != CHAIN_SILENT && !syncing)
            rpc_distrust(chain->rpc, i);
    }
}

/* One waiting job at a time: any of them may end, and its callback may end others. */
static struct job *waiting_next(struct chain *chain)
{
    for (struct job *job = chain->jobs; job; job = job->next) {
        if (job->waits)
            return job;
    }
    return NULL;
}

static void waiting_due(struct job *job)
{
    if (job->kind == JOB_ASK)
        ask_begin((struct ask *)job);
    else
        submit_begin(job);
}

static void waiting_wake(struct chain *chain)
{
    for (struct job *job; (job = waiting_next(chain)) != NULL;) {
        job->waits = false;
        job_timer(job, 0, waiting_due);
    }
}

static void listeners_due(struct job *job)
{
    struct chain *chain = job->chain;
    struct compare_listener *first = chain->listeners;
    if (!first) {
        job_end(job);
        free(job);
        return;
    }
    chain->listeners = first->next;
    struct compare_listener mine = *first;
    free(first);
    job_timer(job, 0, listeners_due); /* the callback may destroy the chain */
    mine.done(mine.owner, &chain->comparison);
}

static void compare_finish(struct compare *compare)
{
    struct chain *chain = compare->job.chain;
    chain->comparison = compare->result;
    chain->compared_ms = zclock_mono();
    chain->comparing = NULL;
    job_calls_cancel(&compare->job);
    compare_blocks_destroy(compare);
    caught_apply(chain);
    distrust_apply(chain);
    waiting_wake(chain);
    job_timer(&compare->job, 0, listeners_due);
}

/* --- verdicts --- */

__attribute__((format(printf, 4, 5))) static void judge(struct compare *compare, uint32_t endpoint,
                                                        enum chain_verdict verdict,
                                                        const char *format, ...)
{
    struct chain_witness *w = &compare->result.witnesses[endpoint];
    char text[FAULT_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    w->verdict = verdict;
    struct fault fault;
    const char *url = url_of(compare, endpoint);
    fault_set(&fault, "%s", text);
    if (strncmp(text, url, strlen(url)) != 0) /* what a call says of its failure names it already */
        fault_within(&fault, url);
    memcpy(w->text, fault.text, sizeof w->text);
}

static void judge_contradiction(struct compare *compare, uint32_t one, uint32_t other)
{
    const struct compare_block *blocks = compare->blocks[one];
    char mine[HEX_TEXT(6)], theirs[HEX_TEXT(6)];
    hex_encode_upper(blocks[COMPARE_OWN].hash, 6, mine);
    hex_encode_upper(blocks[COMPARE_BEST].hash, 6, theirs);
    judge(compare, one, CHAIN_CONTRADICTED,
          "its block %" PRId64 " is %s..., that of %s is %s..., and nothing proves either: one of "
          "them lies or the chain has split; find out and remove the wrong one",
          blocks[COMPARE_OWN].height, mine, url_of(compare, other), theirs);
    judge(compare, other, CHAIN_CONTRADICTED,
          "its block %" PRId64 " is %s..., that of %s is %s..., and nothing proves either: one of "
          "them lies or the chain has split; find out and remove the wrong one",
          blocks[COMPARE_OWN].height, theirs, url_of(compare, one), mine);
}

static void judge_false(struct compare *compare, uint32_t endpoint,
                        const struct compare_block *block)
{
    judge(compare, endpoint, CHAIN_DISPROVED,
          "its block %" PRId64 " is not what the validators have signed: %.200s; do not use it",
          block->height, block->why.text);
}

static bool is_candidate(const struct compare *compare, uint32_t endpoint)
{
    const struct chain_witness *w = &compare->result.witnesses[endpoint];
    return w->answered && w->verdict == CHAIN_WELL;
}

static bool is_behind(const struct compare *compare, uint32_t endpoint)
{
    const struct reply_status *own = &compare->result.witnesses[endpoint].status;
    const struct reply_status *best = &compare->result.witnesses[compare->best].status;
    return best->latest_height - own->latest_height > CHAIN_LAG_BLOCKS &&
           best->latest_time_ms - own->latest_time_ms > CHAIN_LAG_MS;
}

static bool differ(const struct compare_block *blocks)
{
    return blocks[COMPARE_OWN].has_header && blocks[COMPARE_BEST].has_header &&
           memcmp(blocks[COMPARE_OWN].hash, blocks[COMPARE_BEST].hash, HASH_SIZE) != 0;
}

static void judge_lag(struct compare *compare, uint32_t endpoint)
{
    const struct reply_status *own = &compare->result.witnesses[endpoint].status;
    const struct reply_status *best = &compare->result.witnesses[compare->best].status;
    judge(compare, endpoint, CHAIN_LAGS,
          "at height %" PRId64 " it is %" PRId64 " blocks and %" PRId64
          " s behind %s%s; it is not used until it has caught up",
          own->latest_height, best->latest_height - own->latest_height,
          (best->latest_time_ms - own->latest_time_ms) / 1000, url_of(compare, compare->best),
          own->catching_up ? " and catching up" : "");
}

/* The best one says that it is far ahead. That counts when those whom the other knows have signed
 * its head. */
static void settle_lag(struct compare *compare, uint32_t endpoint)
{
    const struct compare_block *own = &compare->blocks[endpoint][COMPARE_OWN];
    const struct compare_block *head = &compare->blocks[endpoint][COMPARE_HEAD];
    if (compare->result.witnesses[endpoint].status.catching_up ||
        (own->proof == BLOCK_PROVEN && head->proof == BLOCK_PROVEN &&
         compare_block_carried(head, own->members, own->count))) {
        judge_lag(compare, endpoint);
    } else if (head->proof == BLOCK_FALSE) {
        judge_false(compare, compare->best, head);
    } else {
        judge_contradiction(compare, endpoint, compare->best);
    }
}

/* Whoever is caught contradicting himself is out, whether or not the other can prove his block. */
static bool settle_false(struct compare *compare, uint32_t endpoint)
{
    const struct compare_block *own = &compare->blocks[endpoint][COMPARE_OWN];
    const struct compare_block *best = &compare->blocks[endpoint][COMPARE_BEST];
    if (own->proof == BLOCK_FALSE)
        judge_false(compare, endpoint, own);
    if (best->proof == BLOCK_FALSE)
        judge_false(compare, compare->best, best);
    return own->proof == BLOCK_FALSE || best->proof == BLOCK_FALSE;
}

/* Its latest block is the one that its status names. */
static bool status_fits(struct compare *compare, uint32_t endpoint)
{
    const struct compare_block *own = &compare->blocks[endpoint][COMPARE_OWN];
    struct chain_witness *w = &compare->result.witnesses[endpoint];
    if (!own->has_header)
        return own->proof != BLOCK_FALSE;
    memcpy(w->hash, own->hash, HASH_SIZE);
    w->has_hash = true;
    if (memcmp(own->hash, w->status.latest_hash, HASH_SIZE) == 0)
        return own->proof != BLOCK_FALSE;
    judge(compare, endpoint, CHAIN_DISPROVED,
          "its status names another block %" PRId64 " than it shows; do not use it", own->height);
    return false;
}

static void settle_one(struct compare *compare, uint32_t endpoint)
{
    const struct compare_block *own = &compare->blocks[endpoint][COMPARE_OWN];
    const struct compare_block *best = &compare->blocks[endpoint][COMPARE_BEST];
    if (own->silent || own->refused)
        judge(compare, endpoint, CHAIN_SILENT, "it does not give its own latest block: %.200s",
              own->why.text);
    else if (best->silent)
        judge(compare, compare->best, CHAIN_SILENT, "it does not give block %" PRId64 ": %.200s",
              best->height, best->why.text);
    else if (settle_false(compare, endpoint))
        return;
    else if (differ(compare->blocks[endpoint]))
        judge_contradiction(compare, endpoint, compare->best);
    else if (is_behind(compare, endpoint))
        settle_lag(compare, endpoint);
}

/* When the best one itself has fallen, the others are compared anew among themselves. */
static void settle(struct compare *compare)
{
    uint32_t best = compare->best;
    const struct compare_block *head = &compare->blocks[best][COMPARE_OWN];
    for (uint32_t i = 0; i < compare->result.count; i++) {
        if (is_candidate(compare, i) && !status_fits(compare, i) && is_candidate(compare, i))
            judge_false(compare, i, &compare->blocks[i][COMPARE_OWN]);
    }
    if (head->silent && is_candidate(compare, best))
        judge(compare, best, CHAIN_SILENT, "%.250s", head->why.text);
    for (uint32_t i = 0; i < compare->result.count; i++) {
        if (i != best && is_candidate(compare, i) && is_candidate(compare, best))
            settle_one(compare, i);
    }
    enum chain_verdict verdict = compare->result.witnesses[best].verdict;
    compare_blocks_destroy(compare);
    if (verdict == CHAIN_DISPROVED || verdict == CHAIN_SILENT)
        blocks_begin(compare);
    else
        compare_finish(compare);
}

/* --- reading --- */

static void proofs_begin(struct compare *compare)
{
    compare->next = settle;
    compare->left = 1; /* so that it does not end before all have begun */
    for (uint32_t i = 0; i < compare->result.count; i++) {
        struct compare_block *blocks = compare->blocks[i];
        if (i == compare->best || !is_candidate(compare, i) || !blocks[COMPARE_OWN].has_header)
            continue;
        bool behind = is_behind(compare, i) && !compare->result.witnesses[i].status.catching_up;
        if (differ(blocks) || behind)
            compare_block_prove(compare, i, COMPARE_OWN);
        if (differ(blocks)) {
            compare_block_prove(compare, i, COMPARE_BEST);
        } else if (behind) {
            blocks[COMPARE_HEAD].endpoint = compare->best;
            blocks[COMPARE_HEAD].height =
                compare->result.witnesses[compare->best].status.latest_height;
            compare_block_prove(compare, i, COMPARE_HEAD);
        }
    }
    if (--compare->left == 0)
        settle(compare);
}

static bool best_find(struct compare *compare)
{
    const struct chain_witness *w = compare->result.witnesses;
    compare->best = RPC_ANY;
    for (uint32_t i = 0; i < compare->result.count; i++) {
        if (is_candidate(compare, i) &&
            (compare->best == RPC_ANY ||
             w[i].status.latest_height > w[compare->best].status.latest_height))
            compare->best = i;
    }
    return compare->best != RPC_ANY;
}

static void block_load(struct compare *compare, uint32_t of, uint32_t which, uint32_t from,
                       int64_t height)
{
    compare->blocks[of][which].endpoint = from;
    compare->blocks[of][which].height = height;
    compare_block_load(compare, of, which);
}

/* Each shows its own latest block, and the best one shows the same height. */
static void blocks_begin(struct compare *compare)
{
    compare->next = proofs_begin;
    compare->left = 1;
    bool found = best_find(compare);
    compare->result.height = found ? INT64_MAX : 0;
    for (uint32_t i = 0; found && i < compare->result.count; i++) {
        int64_t height = compare->result.witnesses[i].status.latest_height;
        if (!is_candidate(compare, i) || height <= 0)
            continue;
        if (height < compare->result.height)
            compare->result.height = height;
        if (rpc_endpoint_count(compare->job.chain->rpc) > 1)
            block_load(compare, i, COMPARE_OWN, i, height);
        if (i != compare->best)
            block_load(compare, i, COMPARE_BEST, compare->best, height);
    }
    if (compare->result.height == INT64_MAX)
        compare->result.height = 0;
    if (--compare->left > 0)
        return;
    compare_finish(compare);
}

/* The chain id that all must name: the configured one, otherwise that of the first that answers. */
static void chain_ids_check(struct compare *compare)
{
    struct chain *chain = compare->job.chain;
    for (uint32_t i = 0; i < compare->result.count; i++) {
        const struct chain_witness *w = &compare->result.witnesses[i];
        if (!w->answered)
            continue;
        if (!chain->chain_id[0])
            snprintf(chain->chain_id, sizeof chain->chain_id, "%s", w->status.chain_id);
        if (strcmp(chain->chain_id, w->status.chain_id) != 0)
            judge(compare, i, CHAIN_FOREIGN,
                  "it belongs to the chain \"%.60s\", not to \"%.60s\"; remove it, or correct "
                  "[chain] id",
                  w->status.chain_id, chain->chain_id);
    }
}

static void statuses_over(struct compare *compare)
{
    job_timer_cancel(&compare->job);
    job_calls_cancel(&compare->job); /* of those who are too slow */
    for (uint32_t i = 0; i < compare->result.count; i++) {
        struct chain_witness *w = &compare->result.witnesses[i];
        if (!w->answered && w->verdict == CHAIN_WELL)
            judge(compare, i, CHAIN_SILENT, "it has not answered within %d s of the others",
                  PATIENCE_MS / 1000);
    }
    chain_ids_check(compare);
    blocks_begin(compare);
}

static void patience_over(struct job *job)
{
    statuses_over((struct compare *)job);
}

static void status_done(struct job *job, uint32_t endpoint, const struct rpc_answer *answer)
{
    struct compare *compare = (struct compare *)job;
    struct chain_witness *w = &compare->result.witnesses[endpoint];
    struct fault fault;
    if (answer->outcome != RPC_OK)
        judge(compare, endpoint, CHAIN_SILENT, "%.200s; start it, or correct its address",
              answer->text);
    else if (!reply_status(answer->result, &w->status, &fault))
        judge(compare, endpoint, CHAIN_SILENT, "%s", fault.text);
    else
        w->answered = true;
    if (--compare->left == 0) {
        statuses_over(compare);
    } else if (w->answered && !compare->patient) {
        compare->patient = true;
        job_timer(job, PATIENCE_MS, patience_over);
    }
}

void compare_start(struct chain *chain)
{
    if (chain->comparing)
        return;
    struct compare *compare = job_create(chain, JOB_COMPARE, sizeof *compare);
    chain->comparing = &compare->job;
    compare->result.count = rpc_endpoint_count(chain->rpc);
    compare->result.best = RPC_ANY;
    compare->left = compare->result.count;
    for (uint32_t i = 0; i < compare->result.count; i++)
        job_call(&compare->job, "status", NULL, i, status_done, i);
}

uint64_t chain_compare(struct chain *chain, chain_compared *done, void *owner)
{
    struct compare_listener *listener = calloc(1, sizeof *listener), **last = &chain->listeners;
    assert(listener);
    *listener = (struct compare_listener){.ticket = ++chain->tickets, .done = done, .owner = owner};
    while (*last)
        last = &(*last)->next;
    *last = listener;
    compare_start(chain);
    return listener->ticket;
}

void chain_compare_cancel(struct chain *chain, uint64_t ticket)
{
    for (struct compare_listener **at = &chain->listeners; *at; at = &(*at)->next) {
        if ((*at)->ticket == ticket) {
            struct compare_listener *gone = *at;
            *at = gone->next;
            free(gone);
            return;
        }
    }
}
