#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/chain_internal.h"

#define TRIES_MAX 5 /* times that a list which changes while it is read is begun anew */

static void page_ask(struct ask *ask);
static void disabled_ask(struct ask *ask);

static void reading_reset(struct ask_records *r)
{
    free(r->records);
    *r = (struct ask_records){.tries = r->tries, .unpinned = r->unpinned};
}

void ask_records_start(struct ask *ask)
{
    reading_reset(&ask->records);
    page_ask(ask);
}

static void records_fail(struct ask *ask, const struct fault *fault)
{
    ask_topic(ask, CHAIN_RECORDS, fault);
}

/* The list has changed between two pages, or its height is gone. */
static void records_again(struct ask *ask, const char *why)
{
    struct fault fault;
    if (++ask->records.tries < TRIES_MAX) {
        ask_records_start(ask);
        return;
    }
    fault_set(&fault,
              "validators: %s, %d times in a row; ask again, or ask a node that is less busy", why,
              TRIES_MAX);
    records_fail(ask, &fault);
}

static int records_compare(const void *a, const void *b)
{
    const struct query_record *x = a, *y = b;
    return memcmp(x->consensus, y->consensus, ADDRESS_SIZE);
}

static bool records_append(struct ask_records *r, const struct query_page *page,
                           struct fault *fault)
{
    if (page->count > VIEW_VALIDATORS_MAX - r->count)
        return fault_set(fault, "validators: more than %d of them", VIEW_VALIDATORS_MAX);
    if (r->count + page->count > r->room) {
        uint32_t room = (r->count + page->count) * 2;
        struct query_record *grown = realloc(r->records, room * sizeof *grown);
        if (!grown)
            return fault_set(fault, "validators: out of memory");
        r->records = grown;
        r->room = room;
    }
    if (page->count)
        memcpy(r->records + r->count, page->records, page->count * sizeof *page->records);
    r->count += page->count;
    return true;
}

/* Sorted; false when two records share an account or a consensus address. */
static bool records_distinct(struct ask_records *r)
{
    if (r->count)
        qsort(r->records, r->count, sizeof *r->records, records_compare);
    for (uint32_t i = 1; i < r->count; i++) {
        if (records_compare(&r->records[i - 1], &r->records[i]) == 0)
            return false;
    }
    return true;
}

static void records_hand_over(struct ask *ask)
{
    struct chain_facts *facts = &ask->job.chain->facts;
    struct ask_records *r = &ask->records;
    free(facts->records);
    facts->records = r->records;
    facts->record_count = r->count;
    facts->records_at = ask_stamp(ask, r->lowest);
    r->records = NULL;
    ask_topic(ask, CHAIN_RECORDS, NULL);
}

static void records_complete(struct ask *ask)
{
    struct ask_records *r = &ask->records;
    if (r->total && r->total != r->count) {
        records_again(ask, "the pages do not add up to the total that the node told");
    } else if (!records_distinct(r)) {
        records_again(ask, "one of them stands on two pages");
    } else if (ask->job.chain->driver->kind == CHAIN_DCL) {
        r->key_size = 0;
        disabled_ask(ask);
    } else {
        records_hand_over(ask);
    }
}

/* Nodes that prune soon forget the height of the first page. */
static bool height_gone(const struct ask *ask, const struct rpc_answer *answer)
{
    struct reply_query reply;
    struct fault fault;
    if (ask->records.height == 0)
        return false;
    if (answer->outcome != RPC_OK)
        return answer->outcome == RPC_REFUSED;
    if (!reply_query(answer->result, &reply, &fault))
        return false;
    bool refused = reply.code != 0;
    reply_query_destroy(&reply);
    return refused;
}

/* True when the caller has to go on with the reply. */
static bool page_good(struct ask *ask, const struct rpc_answer *answer, const char *what,
                      struct reply_query *reply)
{
    struct fault fault;
    if (height_gone(ask, answer)) {
        ask->records.unpinned = true;
        records_again(ask, "the node does not keep their height long enough");
        return false;
    }
    if (answer_query(answer, what, reply, NULL, &fault))
        return true;
    records_fail(ask, &fault);
    return false;
}

static void page_height(struct ask_records *r, int64_t height)
{
    r->lowest = r->lowest && r->lowest < height ? r->lowest : height;
    if (r->height == 0 && !r->unpinned)
        r->height = height;
}

/* Whether another page is to follow: its key has changed, else the node turns in a circle. */
static bool key_take(struct ask_records *r, const uint8_t *key, size_t size, struct fault *fault)
{
    if (size && size == r->key_size && memcmp(key, r->key, size) == 0)
        return fault_set(fault, "validators: two pages have the same next_key");
    if (size)
        memcpy(r->key, key, size);
    r->key_size = size;
    return true;
}

static void page_done(struct job *job, uint32_t first, const struct rpc_answer *answer)
{
    struct ask *ask = (struct ask *)job;
    struct ask_records *r = &ask->records;
    struct reply_query reply;
    struct query_page page;
    struct fault fault;
    if (!page_good(ask, answer, "validators", &reply))
        return;
    bool good =
        query_records_read(job->chain->driver->kind, reply.value, reply.value_size, &page, &fault);
    page_height(r, reply.height);
    reply_query_destroy(&reply);
    if (!good) {
        records_fail(ask, &fault);
        return;
    }
    bool changed = !first && page.total && r->total && page.total != r->total;
    r->total = page.total ? page.total : r->total;
    good = records_append(r, &page, &fault) &&
           (page.count > 0 || page.next_key_size == 0 ||
            fault_set(&fault, "validators: an empty page names another one")) &&
           key_take(r, page.next_key, page.next_key_size, &fault);
    query_page_destroy(&page);
    if (!good)
        records_fail(ask, &fault);
    else if (changed)
        records_again(ask, "their number changed while they were read");
    else if (r->key_size)
        page_ask(ask);
    else
        records_complete(ask);
}

static void page_ask(struct ask *ask)
{
    struct ask_records *r = &ask->records;
    struct query query;
    query_records(ask->job.chain->driver->kind, r->key, r->key_size, &query);
    job_query(&ask->job, &query, r->height, ask->endpoint, page_done, r->key_size == 0);
}

/* --- DCL: who of them is disabled, and by whom --- */

static void disabled_done(struct job *job, uint32_t tag, const struct rpc_answer *answer)
{
    (void)tag;
    struct ask *ask = (struct ask *)job;
    struct ask_records *r = &ask->records;
    struct reply_query reply;
    struct fault fault;
    uint8_t key[QUERY_KEY_MAX];
    size_t key_size;
    if (!page_good(ask, answer, "disabled validators", &reply))
        return;
    bool good = query_disabled_read(reply.value, reply.value_size, r->records, r->count, key,
                                    &key_size, &fault) &&
                key_take(r, key, key_size, &fault);
    page_height(r, reply.height);
    reply_query_destroy(&reply);
    if (!good)
        records_fail(ask, &fault);
    else if (r->key_size)
        disabled_ask(ask);
    else
        records_hand_over(ask);
}

static void disabled_ask(struct ask *ask)
{
    struct ask_records *r = &ask->records;
    struct query query;
    query_disabled(r->key, r->key_size, &query);
    job_query(&ask->job, &query, r->height, ask->endpoint, disabled_done, 0);
}
