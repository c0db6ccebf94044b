#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/chain_internal.h"

#define NEEDS_ACCOUNT (CHAIN_ACCOUNT | CHAIN_SELF)
#define SELF_RESTS_ON (CHAIN_STATUS | CHAIN_SET | CHAIN_ACCOUNT | CHAIN_FEES | CHAIN_PROPERTIES)

void ballots_destroy(struct chain_ballot *ballots, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        free(ballots[i].votes);
        free(ballots[i].voters);
    }
    free(ballots);
}

void facts_destroy(struct chain_facts *facts)
{
    free(facts->records);
    free(facts->set);
    query_fees_destroy(&facts->fees);
    ballots_destroy(facts->ballots, facts->ballot_count);
    *facts = (struct chain_facts){0};
}

/* What it has read and not handed over yet. */
static void reading_destroy(struct ask *ask)
{
    free(ask->records.records);
    free(ask->set.members);
    free(ask->set.have);
    ballots_destroy(ask->votes.ballots, ask->votes.count);
    ask->records = (struct ask_records){0};
    ask->set = (struct ask_set){0};
    ask->votes = (struct ask_votes){0};
}

void ask_forget(struct ask *ask)
{
    reading_destroy(ask);
    free(ask);
}

struct chain_stamp ask_stamp(const struct ask *ask, int64_t height)
{
    return (struct chain_stamp){
        .known = true, .height = height, .read_ms = zclock_mono(), .endpoint = ask->endpoint};
}

/* --- topics of one or two calls --- */

static void status_done(struct job *job, uint32_t tag, const struct rpc_answer *answer)
{
    (void)tag;
    struct ask *ask = (struct ask *)job;
    struct fault fault;
    bool good =
        answer_good(answer, "status", &fault) && reply_status(answer->result, &ask->status, &fault);
    if (good) {
        struct chain_facts *facts = &job->chain->facts;
        if (ask->endpoint == RPC_ANY)
            ask->endpoint = answer->endpoint;
        facts->status = ask->status;
        facts->status_at = ask_stamp(ask, ask->status.latest_height);
        if (ask->left & CHAIN_SET)
            ask_set_start(ask);
    }
    if (!good)
        ask->left &= ~(uint32_t)CHAIN_SET; /* it rests on this one */
    ask_topic(ask, CHAIN_STATUS, good ? NULL : &fault);
}

/* Reads a query's answer with one of the functions below; the topic is the tag. */
typedef bool value_read(struct chain *chain, const struct reply_query *reply, struct ask *ask,
                        struct fault *fault);

static void value_done(struct job *job, uint32_t topic, const struct rpc_answer *answer,
                       const char *what, value_read *read)
{
    struct ask *ask = (struct ask *)job;
    struct reply_query reply;
    struct fault fault;
    bool good = answer_query(answer, what, &reply, NULL, &fault);
    if (good) {
        good = read(job->chain, &reply, ask, &fault);
        reply_query_destroy(&reply);
    }
    ask_topic(ask, topic, good ? NULL : &fault);
}

static bool properties_read(struct chain *chain, const struct reply_query *reply, struct ask *ask,
                            struct fault *fault)
{
    struct query_properties value;
    if (!query_properties_read(reply->value, reply->value_size, &value, fault))
        return false;
    chain->facts.properties = value;
    chain->facts.properties_at = ask_stamp(ask, reply->height);
    return true;
}

static void properties_done(struct job *job, uint32_t tag, const struct rpc_answer *answer)
{
    value_done(job, tag, answer, "network properties", properties_read);
}

static bool fees_read(struct chain *chain, const struct reply_query *reply, struct ask *ask,
                      struct fault *fault)
{
    struct query_fees value;
    if (!query_fees_read(reply->value, reply->value_size, &value, fault))
        return false;
    query_fees_destroy(&chain->facts.fees);
    chain->facts.fees = value;
    chain->facts.fees_at = ask_stamp(ask, reply->height);
    return true;
}

static void fees_done(struct job *job, uint32_t tag, const struct rpc_answer *answer)
{
    value_done(job, tag, answer, "execution fees", fees_read);
}

/* --- the plan: two calls on KIRA, one on DCL --- */

static void plan_done(struct job *job, uint32_t next, const struct rpc_answer *answer)
{
    struct ask *ask = (struct ask *)job;
    struct chain *chain = job->chain;
    struct reply_query reply;
    struct fault fault;
    bool good = answer_query(answer, "upgrade plan", &reply, NULL, &fault);
    if (good) {
        good = query_plan_read(chain->driver->kind, reply.value, reply.value_size,
                               &ask->plans[next], &fault);
        ask->height = ask->height && ask->height < reply.height ? ask->height : reply.height;
        reply_query_destroy(&reply);
    }
    ask->plans_left--;
    if (good && ask->plans_left > 0)
        return;
    if (!(ask->left & CHAIN_PLAN)) /* the other call has failed */
        return;
    if (good) {
        chain->facts.current = ask->plans[0];
        chain->facts.next = ask->plans[1];
        chain->facts.plan_at = ask_stamp(ask, ask->height);
    }
    if (!good)
        ask->left &= ~(uint32_t)CHAIN_VOTES;
    else if (ask->left & CHAIN_VOTES)
        ask_votes_start(ask);
    ask_topic(ask, CHAIN_PLAN, good ? NULL : &fault);
}

static void plan_start(struct ask *ask)
{
    struct query query;
    enum chain_kind kind = ask->job.chain->driver->kind;
    ask->plans_left = kind == CHAIN_KIRA ? 2 : 1;
    for (uint32_t next = kind == CHAIN_KIRA ? 0 : 1; next < 2; next++) {
        query_plan(kind, next == 1, &query);
        job_query(&ask->job, &query, 0, ask->endpoint, plan_done, next);
    }
}

/* --- the account: itself and its balance --- */

static bool account_read(struct ask *ask, uint32_t balance, const struct reply_query *reply,
                         bool missing, struct fault *fault)
{
    struct chain *chain = ask->job.chain;
    if (balance)
        return query_balance_read(reply->value, reply->value_size, chain->denom, &ask->balance,
                                  fault);
    if (missing)
        return true;
    if (!query_account_read(chain->driver->kind, reply->value, reply->value_size,
                            &ask->account_value, fault))
        return false;
    ask->height = reply->height;
    bool same = !ask->account_value.exists ||
                memcmp(ask->account_value.address, ask->account, ACCOUNT_ADDRESS_SIZE) == 0;
    return same || fault_set(fault, "account: the node answered with another account");
}

static void account_done(struct job *job, uint32_t balance, const struct rpc_answer *answer)
{
    struct ask *ask = (struct ask *)job;
    struct chain_facts *facts = &job->chain->facts;
    struct reply_query reply;
    struct fault fault;
    bool missing = false;
    bool good = answer_query(answer, balance ? "balance" : "account", &reply,
                             balance ? NULL : &missing, &fault);
    if (good) {
        good = account_read(ask, balance, &reply, missing, &fault);
        reply_query_destroy(&reply);
    }
    ask->account_left--;
    if ((good && ask->account_left > 0) || !(ask->left & CHAIN_ACCOUNT))
        return;
    if (good) {
        memcpy(facts->account_address, ask->account, sizeof facts->account_address);
        facts->account = ask->account_value;
        facts->balance = ask->balance;
        facts->account_at = ask_stamp(ask, ask->height);
    }
    ask_topic(ask, CHAIN_ACCOUNT, good ? NULL : &fault);
}

static void account_start(struct ask *ask)
{
    struct chain *chain = ask->job.chain;
    struct query query;
    char address[BECH32_TEXT_MAX];
    chain_address(chain, ask->account, "", address);
    ask->account_left = chain->driver->denom ? 2 : 1;
    query_account(chain->driver->kind, address, &query);
    job_query(&ask->job, &query, 0, ask->endpoint, account_done, 0);
    if (chain->driver->denom) {
        query_balance(address, chain->denom, &query);
        job_query(&ask->job, &query, 0, ask->endpoint, account_done, 1);
    }
}

/* --- the ask as a whole --- */

static void ask_finish(struct ask *ask)
{
    chain_asked *done = ask->done;
    void *owner = ask->owner;
    struct fault fault = ask->fault;
    bool failed = ask->failed != 0;
    job_end(&ask->job);
    ask_forget(ask);
    done(owner, failed ? &fault : NULL);
}

static void ask_due(struct job *job)
{
    ask_begin((struct ask *)job);
}

/* Begins as soon as the endpoints are compared, in no case at once: callers do not expect that. */
static void ask_wait(struct ask *ask)
{
    struct chain *chain = ask->job.chain;
    ask->job.waits = compare_due(chain);
    if (ask->job.waits)
        compare_start(chain);
    else
        job_timer(&ask->job, 0, ask_due);
}

/* Once more with another endpoint, as long as there are others that are well. */
static bool ask_again(struct ask *ask)
{
    struct chain *chain = ask->job.chain;
    if (!ask->failed || ask->restarts + 1 >= rpc_endpoint_count(chain->rpc))
        return false;
    compare_doubt(chain, ask->endpoint, ask->fault.text);
    ask->restarts++;
    job_calls_cancel(&ask->job);
    job_timer_cancel(&ask->job);
    reading_destroy(ask);
    ask_wait(ask);
    return true;
}

void ask_topic(struct ask *ask, uint32_t topic, const struct fault *fault)
{
    if (!(ask->left & topic))
        return;
    ask->left &= ~topic;
    if (fault) {
        if (!ask->failed)
            ask->fault = *fault;
        ask->failed |= topic;
    }
    if (ask->left == CHAIN_SELF && !ask->self_read) {
        if (!(ask->failed & SELF_RESTS_ON)) {
            ask->self_read = true;
            ask_self_start(ask);
            return;
        }
        ask->left = 0;
    }
    if (ask->left == 0 && !ask_again(ask))
        ask_finish(ask);
}

/* What the chain does not have is known at once. */
static void facts_without(struct ask *ask, uint32_t topics)
{
    struct chain_facts *facts = &ask->job.chain->facts;
    if (topics & CHAIN_PROPERTIES)
        facts->properties_at = ask_stamp(ask, 0);
    if (topics & CHAIN_FEES)
        facts->fees_at = ask_stamp(ask, 0);
}

static void topics_start(struct ask *ask)
{
    struct query query;
    uint32_t left = ask->left;
    if (left & CHAIN_STATUS)
        job_call(&ask->job, "status", NULL, ask->endpoint, status_done, 0);
    if (left & CHAIN_RECORDS)
        ask_records_start(ask);
    if (left & CHAIN_PROPERTIES) {
        query_properties(&query);
        job_query(&ask->job, &query, 0, ask->endpoint, properties_done, CHAIN_PROPERTIES);
    }
    if (left & CHAIN_FEES) {
        query_fees(&query);
        job_query(&ask->job, &query, 0, ask->endpoint, fees_done, CHAIN_FEES);
    }
    if (left & CHAIN_PLAN)
        plan_start(ask);
    if (left & CHAIN_ACCOUNT)
        account_start(ask);
}

static void ask_nothing_left(struct job *job)
{
    ask_finish((struct ask *)job);
}

void ask_begin(struct ask *ask)
{
    struct chain *chain = ask->job.chain;
    uint32_t lacking = ask->wanted & ~chain->driver->topics;
    ask->job.waits = false;
    ask->self_read = false;
    ask->failed = 0;
    ask->height = 0;
    if (!compare_best(chain, &ask->endpoint, &ask->fault)) {
        ask->failed = ask->wanted;
        ask_finish(ask);
        return;
    }
    facts_without(ask, lacking);
    ask->left = ask->wanted & ~lacking;
    topics_start(ask);
    if (ask->left == 0)
        job_timer(&ask->job, 0, ask_nothing_left);
}

/* With everything that a topic rests on. */
static uint32_t topics_complete(uint32_t topics)
{
    if (topics & CHAIN_SELF)
        topics |= SELF_RESTS_ON;
    if (topics & CHAIN_FEES)
        topics |= CHAIN_PROPERTIES;
    if (topics & CHAIN_VOTES)
        topics |= CHAIN_PLAN;
    if (topics & CHAIN_SET)
        topics |= CHAIN_STATUS;
    return topics;
}

uint64_t chain_ask(struct chain *chain, uint32_t topics, const uint8_t *account, chain_asked *done,
                   void *owner)
{
    assert((topics & ~(uint32_t)CHAIN_EVERYTHING) == 0 && (account || !(topics & NEEDS_ACCOUNT)));
    struct ask *ask = job_create(chain, JOB_ASK, sizeof *ask);
    uint64_t ticket = ask->job.ticket;
    ask->wanted = topics_complete(topics);
    ask->done = done;
    ask->owner = owner;
    if (account)
        memcpy(ask->account, account, sizeof ask->account);
    ask_wait(ask);
    return ticket;
}

void chain_ask_cancel(struct chain *chain, uint64_t ticket)
{
    struct job *job = job_find(chain, JOB_ASK, ticket);
    if (job) {
        job_end(job);
        ask_forget((struct ask *)job);
    }
}
