#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "node/chain_internal.h"

#define PAGE_SIZE 100u /* the most that CometBFT gives */
#define REFUSED_MAX 10 /* asked again while the node does not have the set yet */
#define AGAIN_MS 200

#define ROUNDS_MAX 3 /* times that the pages are asked anew when their total changes */
#define TAG(round, page) ((round) << 16 | (page))

static void page_ask(struct ask *ask, uint32_t page);
static void set_begin(struct ask *ask);

static void set_fail(struct ask *ask, const struct fault *fault)
{
    ask_topic(ask, CHAIN_SET, fault);
}

/* What the header binds was altered: this endpoint is not to be believed. */
static void set_forged(struct ask *ask, struct fault *fault)
{
    struct chain *chain = ask->job.chain;
    compare_caught(chain, ask->endpoint, fault->text);
    fault_within(fault, rpc_endpoint_url(chain->rpc, ask->endpoint));
    set_fail(ask, fault);
}

static bool members_distinct(const struct member *members, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        if (members_compare(&members[i - 1], &members[i]) == 0)
            return false;
    }
    return true;
}

static void set_hand_over(struct ask *ask)
{
    struct chain_facts *facts = &ask->job.chain->facts;
    struct ask_set *s = &ask->set;
    free(facts->set);
    facts->set = s->members;
    facts->set_count = s->total;
    facts->set_bound = s->header_known;
    facts->set_at = ask_stamp(ask, s->height);
    s->members = NULL;
    ask_topic(ask, CHAIN_SET, NULL);
}

/* Everything has arrived. The hash is over the chain's own order, so sorting comes last. */
static void set_complete(struct ask *ask)
{
    struct ask_set *s = &ask->set;
    struct fault fault;
    if (s->pages_left > 0 || !s->members || (!s->header_known && !s->header_refused))
        return;
    if (s->header_known && !header_check_next(&s->header, s->members, s->total, &fault)) {
        set_forged(ask, &fault);
        return;
    }
    qsort(s->members, s->total, sizeof *s->members, members_compare);
    if (!members_distinct(s->members, s->total)) {
        fault_set(&fault, "validators: one address stands in the set twice");
        set_forged(ask, &fault);
        return;
    }
    set_hand_over(ask);
}

/* Header h binds V(h + 1), when it is the block that the node names. */
static void header_take(struct ask *ask, const struct header *header, const struct block_id *id)
{
    struct ask_set *s = &ask->set;
    uint8_t hash[HASH_SIZE];
    struct fault fault;
    s->header = *header;
    s->header_known = true;
    header_hash(header, hash);
    if (!id->hash.none && memcmp(hash, id->hash.bytes, HASH_SIZE) == 0 &&
        header->height == s->height - 1) {
        set_complete(ask);
        return;
    }
    fault_set(&fault, "header of height %" PRId64 ": it is not the block that the node names",
              s->height - 1);
    set_forged(ask, &fault);
}

static void block_done(struct job *job, uint32_t tag, const struct rpc_answer *answer)
{
    (void)tag;
    struct ask *ask = (struct ask *)job;
    struct reply_block reply;
    struct fault fault;
    if (answer->outcome == RPC_REFUSED) { /* the node shows no headers: the set stays unbound */
        ask->set.header_refused = true;
        set_complete(ask);
    } else if (!answer_good(answer, "block", &fault) ||
               !reply_block(answer->result, &reply, &fault)) {
        set_fail(ask, &fault);
    } else {
        struct header header = reply.header;
        struct block_id id = reply.id;
        reply_block_destroy(&reply);
        header_take(ask, &header, &id);
    }
}

static void commit_done(struct job *job, uint32_t tag, const struct rpc_answer *answer)
{
    (void)tag;
    struct ask *ask = (struct ask *)job;
    struct reply_commit reply;
    struct fault fault;
    if (answer->outcome == RPC_REFUSED) {
        job_call(job, "block", params_height(ask->set.height - 1), ask->endpoint, block_done, 0);
    } else if (!answer_good(answer, "commit", &fault) ||
               !reply_commit(answer->result, &reply, &fault)) {
        set_fail(ask, &fault);
    } else {
        struct header header = reply.header;
        struct block_id id = reply.commit.block_id;
        reply_commit_destroy(&reply);
        header_take(ask, &header, &id);
    }
}

static bool pages_begin(struct ask *ask, uint32_t total, struct fault *fault)
{
    struct ask_set *s = &ask->set;
    if (total == 0 || total > REPLY_MEMBERS_MAX)
        return fault_set(fault, "validators.total: 1 to %d were expected, here are %" PRIu32,
                         REPLY_MEMBERS_MAX, total);
    s->total = total;
    s->pages = (total + PAGE_SIZE - 1) / PAGE_SIZE;
    s->pages_left = s->pages;
    s->members = calloc(total, sizeof *s->members);
    s->have = calloc(s->pages, sizeof *s->have);
    if (!s->members || !s->have)
        return fault_set(fault, "validators: out of memory");
    for (uint32_t page = 2; page <= s->pages; page++)
        page_ask(ask, page);
    return true;
}

static bool page_take(struct ask *ask, uint32_t page, const struct reply_validators *reply,
                      struct fault *fault)
{
    struct ask_set *s = &ask->set;
    if (reply->height != s->height)
        return fault_set(fault,
                         "validators: the set of height %" PRId64
                         " was asked for, here is that of %" PRId64,
                         s->height, reply->height);
    if (!s->members && !pages_begin(ask, reply->total, fault))
        return false;
    uint32_t first = (page - 1) * PAGE_SIZE;
    uint32_t expected = s->total - first < PAGE_SIZE ? s->total - first : PAGE_SIZE;
    if (reply->count != expected)
        return fault_set(fault,
                         "validators: page %" PRIu32 " has %" PRIu32 " of %" PRIu32
                         ", where %" PRIu32 " were expected",
                         page, reply->count, reply->total, expected);
    memcpy(s->members + first, reply->members, reply->count * sizeof *reply->members);
    s->pages_left -= !s->have[page - 1];
    s->have[page - 1] = true;
    return true;
}

static void page_again(struct job *job)
{
    page_ask((struct ask *)job, 1);
}

/* The block is there a moment before the set that follows it is. */
static bool page_waits(struct ask *ask, uint32_t page, const struct rpc_answer *answer)
{
    if (answer->outcome != RPC_REFUSED || page != 1 || ++ask->set.refused > REFUSED_MAX)
        return false;
    job_timer(&ask->job, AGAIN_MS, page_again);
    return true;
}

/* Another total than on the first page: one of the two is wrong, so all pages are asked once more.
 * */
static bool set_again(struct ask *ask, const struct reply_validators *reply)
{
    struct ask_set *s = &ask->set;
    if (!s->members || reply->total == s->total || s->round + 1 >= ROUNDS_MAX)
        return false;
    s->round++;
    set_begin(ask);
    return true;
}

static void page_done(struct job *job, uint32_t tag, const struct rpc_answer *answer)
{
    struct ask *ask = (struct ask *)job;
    struct reply_validators reply;
    struct fault fault;
    uint32_t page = tag & 0xffff;
    if (tag >> 16 != ask->set.round)
        return;
    if (page_waits(ask, page, answer))
        return;
    if (!answer_good(answer, "validators", &fault)) {
        if (ask->status.catching_up)
            fault_within(&fault, "the node is catching up and may not know the next set yet");
        set_fail(ask, &fault);
        return;
    }
    if (!reply_validators(answer->result, &reply, &fault)) {
        set_fail(ask, &fault);
        return;
    }
    bool again = set_again(ask, &reply);
    bool good = again || page_take(ask, page, &reply, &fault);
    reply_validators_destroy(&reply);
    if (!good)
        set_fail(ask, &fault);
    else if (!again)
        set_complete(ask);
}

static void page_ask(struct ask *ask, uint32_t page)
{
    job_call(&ask->job, "validators", params_page(ask->set.height, page), ask->endpoint, page_done,
             TAG(ask->set.round, page));
}

static void set_begin(struct ask *ask)
{
    struct ask_set *s = &ask->set;
    free(s->members);
    free(s->have);
    s->members = NULL;
    s->have = NULL;
    s->total = s->pages = s->pages_left = 0;
    page_ask(ask, 1);
}

void ask_set_start(struct ask *ask)
{
    struct ask_set *s = &ask->set;
    int64_t latest = ask->status.latest_height;
    s->height = latest + 1;
    set_begin(ask);
    if (latest > 0)
        job_call(&ask->job, "commit", params_height(latest), ask->endpoint, commit_done, 0);
    else
        s->header_refused = true; /* before the first block there is no header */
}
