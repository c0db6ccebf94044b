#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/chain_internal.h"

#define TAG_VOTERS 1u /* beside the ballot's number, twice */

static void votes_finish(struct ask *ask)
{
    struct chain_facts *facts = &ask->job.chain->facts;
    struct ask_votes *v = &ask->votes;
    ballots_destroy(facts->ballots, facts->ballot_count);
    facts->ballots = v->ballots;
    facts->ballot_count = v->count;
    facts->votes_at = ask_stamp(ask, ask->height);
    *v = (struct ask_votes){0};
    ask_topic(ask, CHAIN_VOTES, NULL);
}

static void votes_fail(struct ask *ask, const struct fault *fault)
{
    ask_topic(ask, CHAIN_VOTES, fault);
}

static void votes_take(struct chain_ballot *ballot, struct query_votes *votes)
{
    ballot->votes = votes->votes;
    ballot->vote_count = votes->count;
    *votes = (struct query_votes){0};
}

/* Votes of one ballot, or who may give one. A chain that does not tell the voters is taken to have
 * all. */
static bool detail_take(struct chain_ballot *ballot, bool voters, const struct reply_query *reply,
                        struct fault *fault)
{
    struct query_votes votes;
    if (voters)
        return query_voters_read(reply->value, reply->value_size, &ballot->voters,
                                 &ballot->voter_count, fault);
    if (!query_votes_read(reply->value, reply->value_size, &votes, fault))
        return false;
    votes_take(ballot, &votes);
    return true;
}

static void detail_done(struct job *job, uint32_t tag, const struct rpc_answer *answer)
{
    struct ask *ask = (struct ask *)job;
    struct ask_votes *v = &ask->votes;
    struct reply_query reply;
    struct fault fault;
    bool voters = tag & TAG_VOTERS;
    bool good = answer_query(answer, voters ? "voters" : "votes", &reply, NULL, &fault);
    if (good) {
        good = detail_take(&v->ballots[tag / 2], voters, &reply, &fault);
        reply_query_destroy(&reply);
    } else if (voters && answer->outcome == RPC_OK) {
        good = true;
    }
    if (!good)
        votes_fail(ask, &fault);
    else if (--v->left == 0)
        votes_finish(ask);
}

static void details_ask(struct ask *ask)
{
    struct ask_votes *v = &ask->votes;
    struct query query;
    for (uint32_t i = 0; i < v->count; i++) {
        if (v->ballots[i].plan.proposal == 0)
            continue;
        query_votes(v->ballots[i].plan.proposal, &query);
        job_query(&ask->job, &query, 0, ask->endpoint, detail_done, i * 2);
        query_voters(v->ballots[i].plan.proposal, &query);
        job_query(&ask->job, &query, 0, ask->endpoint, detail_done, i * 2 + TAG_VOTERS);
        v->left += 2;
    }
}

/* The scheduled plan first; its own proposal is not listed twice. */
static bool ballots_take(struct ask *ask, struct query_ballots *from, struct fault *fault)
{
    struct ask_votes *v = &ask->votes;
    const struct query_plan *next = &ask->plans[1];
    v->ballots = calloc(from->count + 1, sizeof *v->ballots);
    if (!v->ballots)
        return fault_set(fault, "proposals: out of memory");
    if (next->present)
        v->ballots[v->count++] = (struct chain_ballot){.plan = *next, .scheduled = true};
    for (uint32_t i = 0; i < from->count; i++) {
        if (next->present && next->proposal && from->ballots[i].plan.proposal == next->proposal)
            continue;
        struct chain_ballot *to = &v->ballots[v->count++];
        to->plan = from->ballots[i].plan;
        votes_take(to, &from->ballots[i].votes);
    }
    return true;
}

static void ballots_done(struct job *job, uint32_t tag, const struct rpc_answer *answer)
{
    (void)tag;
    struct ask *ask = (struct ask *)job;
    struct reply_query reply;
    struct query_ballots ballots;
    struct fault fault;
    bool good = answer_query(answer, "proposals", &reply, NULL, &fault);
    if (good) {
        good = query_ballots_read(job->chain->driver->kind, reply.value, reply.value_size, &ballots,
                                  &fault);
        reply_query_destroy(&reply);
    }
    if (good) {
        good = ballots_take(ask, &ballots, &fault);
        query_ballots_destroy(&ballots);
    }
    if (!good) {
        votes_fail(ask, &fault);
        return;
    }
    if (job->chain->driver->kind == CHAIN_KIRA)
        details_ask(ask);
    if (ask->votes.left == 0)
        votes_finish(ask);
}

void ask_votes_start(struct ask *ask)
{
    struct query query;
    query_ballots(ask->job.chain->driver->kind, &query);
    job_query(&ask->job, &query, 0, ask->endpoint, ballots_done, 0);
}

/* --- what they say --- */

static int account_compare(const void *a, const void *b)
{
    return memcmp(a, b, ACCOUNT_ADDRESS_SIZE);
}

bool chain_voted_yes(const struct chain_ballot *ballot, const uint8_t account[ACCOUNT_ADDRESS_SIZE])
{
    const struct query_vote *vote = ballot->vote_count
                                        ? bsearch(account, ballot->votes, ballot->vote_count,
                                                  sizeof *ballot->votes, account_compare)
                                        : NULL;
    return vote && vote->option == 1;
}

bool chain_may_vote(const struct chain_ballot *ballot, const uint8_t account[ACCOUNT_ADDRESS_SIZE])
{
    return !ballot->voters ||
           (ballot->voter_count && bsearch(account, ballot->voters, ballot->voter_count,
                                           sizeof *ballot->voters, account_compare));
}

/* DCL's trustees decide about upgrades, and nobody is paused for his vote: a validator has none to
 * give. */
static bool ballot_fine(const struct chain_driver *driver, const struct chain_ballot *ballot,
                        const uint8_t account[ACCOUNT_ADDRESS_SIZE])
{
    return driver->kind == CHAIN_DCL || !chain_may_vote(ballot, account) ||
           chain_voted_yes(ballot, account);
}

/* The earliest of them. */
static void time_take(const struct query_plan *from, struct coord_plan *to)
{
    int64_t time_s = from->upgrade_time_s;
    if (time_s > 0 && time_s < INT64_MAX / 1000 && time_s * 1000 < to->upgrade_time.ms)
        to->upgrade_time.ms = time_s * 1000;
}

struct coord_plan chain_plan(const struct chain *chain, const uint8_t account[ACCOUNT_ADDRESS_SIZE])
{
    const struct chain_facts *facts = &chain->facts;
    struct coord_plan plan = {.voted_yes = true, .upgrade_time = INSTANT_NEVER};
    if (facts->next.present && facts->ballot_count == 0) { /* votes were not asked for */
        plan.pending = true;
        plan.voted_yes = chain->driver->kind == CHAIN_DCL;
        time_take(&facts->next, &plan);
    }
    for (uint32_t i = 0; i < facts->ballot_count; i++) {
        const struct chain_ballot *ballot = &facts->ballots[i];
        plan.pending = true;
        plan.voted_yes = plan.voted_yes && ballot_fine(chain->driver, ballot, account);
        time_take(&ballot->plan, &plan);
    }
    return plan;
}
