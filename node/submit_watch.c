#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "node/submit_internal.h"

#define SEND_AGAIN_MS 15000   /* where blocks are rare, mempools may still lose what they had */
#define REFUSED_AGAIN_MS 2000 /* while nobody has it and no block comes */

static void scan_next(struct submit *submit);
static void account_ask(struct submit *submit);

/* --- the end of a look --- */

static void poll_due(struct job *job)
{
    submit_watch((struct submit *)job);
}

void submit_wait(struct submit *submit)
{
    const struct chain *chain = submit->job.chain;
    if (zclock_mono() - submit->heard_ms >= submit->order.give_up_ms) {
        submit_finish(submit, CHAIN_FAILED,
                      "nothing usable was heard for %" PRId64 " s, last: %.120s; %s",
                      submit->order.give_up_ms / 1000, submit->trouble.text,
                      submit->loose ? "whether it was included is not known, look for it later"
                                    : "it was not sent");
        return;
    }
    job_timer(&submit->job, chain->poll_ms, poll_due);
}

/* The endpoint is of no use now; another one is asked at the next poll. */
static void endpoint_leave(struct submit *submit, const char *why)
{
    fault_set(&submit->trouble, "%s", why);
    compare_doubt(submit->job.chain, submit->endpoint, why);
    submit->endpoint = RPC_ANY;
    submit->fresh = true;
    submit_wait(submit);
}

/* --- dead or alive --- */

/* No block up to there holds it. Where blocks are gone the index is believed, when it says so a
 * second time: it is written a moment after the block. */
static bool absent_up_to(const struct submit *submit, int64_t height)
{
    return submit->scanned >= height || (submit->blocks_gone && submit->absent_before >= height);
}

static void dead(struct submit *submit)
{
    char why[160];
    if (submit->resumed || submit->attempt >= SUBMIT_ATTEMPTS_MAX) {
        submit->loose = false;
        submit_finish(submit, CHAIN_REFUSED,
                      "another transaction of the account has used sequence %" PRIu64
                      ": this one can never be included; submit it anew",
                      submit->sequence);
        return;
    }
    snprintf(why, sizeof why,
             "another transaction of the account has used sequence %" PRIu64 ": signing it anew",
             submit->sequence);
    submit->expected = submit->sequence + 1;
    submit->endpoint = RPC_ANY;
    submit_prepare(submit, why);
}

static bool is_over(const struct submit *submit)
{
    return submit->timeout_height > 0 && submit->head >= 0 &&
           (uint64_t)submit->head >= submit->timeout_height;
}

static void send_again(struct submit *submit)
{
    int64_t patience_ms = submit->sent ? SEND_AGAIN_MS : REFUSED_AGAIN_MS;
    bool due = submit->fresh || submit->head > submit->sent_head ||
               zclock_mono() - submit->sent_ms >= patience_ms;
    submit->fresh = false;
    if (!due) {
        submit_wait(submit);
        return;
    }
    submit->tried = 0;
    if (submit->endpoint < RPC_ENDPOINTS_MAX && submit->sent)
        submit->tried = ~(1u << submit->endpoint); /* those who have it need not be asked twice */
    submit_send(submit);
}

/* Everything that this head can tell has been looked at, and it is in no block. */
static void not_found(struct submit *submit)
{
    int64_t timeout =
        submit->timeout_height < INT64_MAX ? (int64_t)submit->timeout_height : INT64_MAX;
    submit->looked = submit->head;
    if (submit->used_at > 0 && absent_up_to(submit, submit->used_at)) {
        dead(submit);
    } else if (is_over(submit) && absent_up_to(submit, timeout)) {
        submit->loose = false;
        submit_finish(submit, CHAIN_TIMED_OUT,
                      "in no block up to timeout height %" PRIu64 ": it will never be included",
                      submit->timeout_height);
    } else if (is_over(submit) && submit->blocks_gone && submit->index_off) {
        submit_finish(
            submit, CHAIN_FAILED,
            "the node keeps neither an index of transactions nor the blocks up to %" PRIu64
            ": whether it was included is not known; look with `stagger chain status`",
            submit->timeout_height);
    } else if (is_over(submit) || submit->used_at > 0) {
        submit_wait(submit);
    } else {
        send_again(submit);
    }
}

/* --- searching blocks --- */

/* In a block: with a sequence that another transaction had used just before, it has changed
 * nothing. */
static void included(struct submit *submit, int64_t height, const struct reply_result *r)
{
    uint64_t expected;
    bool overtaken = r->bound.code == 32 && strcmp(r->codespace, "sdk") == 0 &&
                     chain_expected_sequence(r->log, &expected) && expected > submit->sequence;
    if (overtaken && !submit->resumed)
        dead(submit);
    else
        submit_included(submit, height, r->bound.code, r->codespace, r->log);
}

static void results_done(struct job *job, uint32_t tag, const struct rpc_answer *answer)
{
    (void)tag;
    struct submit *submit = (struct submit *)job;
    struct reply_results reply;
    struct fault fault;
    if (answer->outcome != RPC_OK || !reply_results(answer->result, &reply, &fault)) {
        if (answer->outcome == RPC_REFUSED)
            submit_wait(submit); /* not there yet; the block itself is found again */
        else
            endpoint_leave(submit, answer->outcome == RPC_OK ? fault.text : answer->text);
        return;
    }
    bool good = reply.height == submit->found && submit->found_index < reply.count;
    if (!good) {
        reply_results_destroy(&reply);
        endpoint_leave(submit, "the results of a block do not fit it");
        return;
    }
    struct reply_result result = reply.results[submit->found_index];
    reply_results_destroy(&reply);
    included(submit, submit->found, &result);
}

static bool block_holds(struct submit *submit, const struct reply_block *block)
{
    for (uint32_t i = 0; i < block->tx_count; i++) {
        uint8_t hash[HASH_SIZE];
        tx_hash(block->txs[i].bytes, block->txs[i].size, hash);
        if (memcmp(hash, submit->hash, HASH_SIZE) == 0) {
            submit->found_index = i;
            return true;
        }
    }
    return false;
}

static void block_done(struct job *job, uint32_t tag, const struct rpc_answer *answer)
{
    (void)tag;
    struct submit *submit = (struct submit *)job;
    struct reply_block block;
    struct fault fault;
    int64_t height = submit->scanned + 1;
    if (answer->outcome == RPC_REFUSED) { /* the node no longer has it */
        submit->blocks_gone = true;
        account_ask(submit);
        return;
    }
    if (answer->outcome != RPC_OK || !reply_block(answer->result, &block, &fault)) {
        endpoint_leave(submit, answer->outcome == RPC_OK ? fault.text : answer->text);
        return;
    }
    bool right = block.header.height == height &&
                 header_check_data(&block.header, block.txs, block.tx_count, &fault);
    bool holds = right && block_holds(submit, &block);
    reply_block_destroy(&block);
    if (!right) {
        compare_caught(job->chain, submit->endpoint,
                       "it shows blocks that are not what they claim");
        endpoint_leave(submit, "another block than the one that was asked for");
    } else if (holds) {
        submit->found = height;
        job_call(job, "block_results", params_height(height), submit->endpoint, results_done, 0);
    } else {
        submit->scanned = height;
        scan_next(submit);
    }
}

/* Blocks are searched where there is no index, and before something is said to be in none of them.
 * */
static void scan_next(struct submit *submit)
{
    int64_t end = submit->head;
    if (submit->timeout_height > 0 && (uint64_t)end > submit->timeout_height)
        end = (int64_t)submit->timeout_height;
    bool wanted = submit->index_off || is_over(submit) || submit->used_at > 0;
    if (wanted && !submit->blocks_gone && submit->scanned < end)
        job_call(&submit->job, "block", params_height(submit->scanned + 1), submit->endpoint,
                 block_done, 0);
    else
        account_ask(submit);
}

/* --- the account: has its sequence moved past ours? --- */

static void account_done(struct job *job, uint32_t tag, const struct rpc_answer *answer)
{
    (void)tag;
    struct submit *submit = (struct submit *)job;
    struct reply_query reply;
    struct query_account account = {0};
    struct fault fault;
    bool missing;
    bool good = answer_query(answer, "account", &reply, &missing, &fault);
    if (good) {
        int64_t height = reply.height > submit->head ? reply.height : submit->head;
        good = missing || query_account_read(job->chain->driver->kind, reply.value,
                                             reply.value_size, &account, &fault);
        if (good && account.exists && account.sequence > submit->sequence && !submit->used_at)
            submit->used_at = height;
        reply_query_destroy(&reply);
    }
    if (!good && answer->outcome == RPC_FAILED)
        endpoint_leave(submit, fault.text);
    else
        not_found(submit);
}

static void account_ask(struct submit *submit)
{
    struct chain *chain = submit->job.chain;
    struct query query;
    char address[BECH32_TEXT_MAX];
    if (submit->used_at > 0 || is_over(submit)) {
        not_found(submit);
        return;
    }
    chain_address(chain, submit->account, "", address);
    query_account(chain->driver->kind, address, &query);
    job_query(&submit->job, &query, 0, submit->endpoint, account_done, 0);
}

/* --- asking the index --- */

static void tx_done(struct job *job, uint32_t tag, const struct rpc_answer *answer)
{
    (void)tag;
    struct submit *submit = (struct submit *)job;
    struct reply_tx tx;
    struct fault fault;
    if (answer->outcome == RPC_REFUSED) {
        submit->index_off = !strstr(answer->error_data, "not found");
        if (!submit->index_off) {
            submit->absent_before = submit->absent_head;
            submit->absent_head = submit->head;
        }
        scan_next(submit);
        return;
    }
    if (answer->outcome != RPC_OK || !reply_tx(answer->result, &tx, &fault)) {
        endpoint_leave(submit, answer->outcome == RPC_OK ? fault.text : answer->text);
        return;
    }
    uint8_t hash[HASH_SIZE];
    tx_hash(tx.bytes, tx.size, hash);
    if (memcmp(hash, submit->hash, HASH_SIZE) == 0 && tx.height > 0) {
        struct reply_result result = tx.result;
        int64_t height = tx.height;
        reply_tx_destroy(&tx);
        included(submit, height, &result);
        return;
    }
    reply_tx_destroy(&tx);
    submit_say(submit, "%s answers with another transaction than it was asked for",
               rpc_endpoint_url(job->chain->rpc, submit->endpoint));
    compare_caught(job->chain, submit->endpoint, "it answers with wrong transactions");
    endpoint_leave(submit, "wrong transaction");
}

/* --- the head --- */

static void status_done(struct job *job, uint32_t tag, const struct rpc_answer *answer)
{
    (void)tag;
    struct submit *submit = (struct submit *)job;
    struct reply_status status;
    struct fault fault;
    if (answer->outcome != RPC_OK || !reply_status(answer->result, &status, &fault)) {
        endpoint_leave(submit, answer->outcome == RPC_OK ? fault.text : answer->text);
        return;
    }
    submit->heard_ms = zclock_mono();
    submit->endpoint = answer->endpoint;
    if (job->chain->chain_id[0] && strcmp(status.chain_id, job->chain->chain_id) != 0) {
        endpoint_leave(submit, "the node belongs to another chain");
        return;
    }
    submit->head = status.latest_height;
    if (!status.tx_index)
        submit->index_off = true;
    bool stale =
        submit->head <= submit->looked && !submit->fresh && !is_over(submit) && !submit->used_at;
    if (stale)
        send_again(submit);
    else if (submit->index_off)
        scan_next(submit);
    else
        job_call(job, "tx", params_bytes("hash", submit->hash, HASH_SIZE), submit->endpoint,
                 tx_done, 0);
}

/* Whoever holds it, unless the comparison says that somebody else is better. */
static bool endpoint_choose(struct submit *submit)
{
    struct chain *chain = submit->job.chain;
    struct fault fault;
    uint32_t best;
    if (compare_due(chain))
        compare_start(chain);
    if (!compare_best(chain, &best, &fault)) {
        submit->trouble = fault;
        submit_say(submit, "%s", fault.text);
        return false;
    }
    bool well =
        chain->compare_off || (submit->endpoint < chain->comparison.count &&
                               chain->comparison.witnesses[submit->endpoint].verdict == CHAIN_WELL);
    if (submit->endpoint == RPC_ANY || !well) {
        submit->endpoint = best;
        submit->fresh = true;
        submit->index_off = submit->blocks_gone = false;
        submit->absent_head = submit->absent_before = 0;
    }
    return true;
}

void submit_watch(struct submit *submit)
{
    if (submit->size == 0)
        submit_finish(submit, CHAIN_FAILED, "what was kept is no transaction: nothing was sent");
    else if (endpoint_choose(submit))
        job_call(&submit->job, "status", NULL, submit->endpoint, status_done, 0);
    else
        submit_wait(submit);
}
