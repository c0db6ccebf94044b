#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "node/submit_internal.h"

#define IN_CACHE "tx already exists in cache"
#define CODE_UNAUTHORIZED 4
#define BLOCKS_AFTER_RESTART 2 /* a node that still says 4 after so many means it */

static bool endpoint_usable(const struct chain *chain, uint32_t endpoint)
{
    const struct chain_comparison *c = &chain->comparison;
    return chain->compare_off || c->count == 0 || c->witnesses[endpoint].verdict == CHAIN_WELL;
}

uint32_t submit_endpoint_next(const struct submit *submit)
{
    const struct chain *chain = submit->job.chain;
    uint32_t count = rpc_endpoint_count(chain->rpc);
    for (uint32_t i = 0; i < count; i++) {
        if (!(submit->tried & 1u << i) && endpoint_usable(chain, i))
            return i;
    }
    return RPC_ANY;
}

static void refusal_take(struct submit *submit, const struct reply_broadcast *reply)
{
    submit->code = reply->code;
    memcpy(submit->codespace, reply->codespace, sizeof submit->codespace);
    memcpy(submit->log, reply->log, sizeof submit->log);
}

/* Code 4 is what a node says before its first block after a restart, and it is also what it says
 * for good. Key, account number and chain id are those that the chain names, so it is given two
 * blocks. */
static bool unauthorized_for_good(struct submit *submit)
{
    if (strcmp(submit->codespace, "sdk") != 0 || submit->code != CODE_UNAUTHORIZED)
        return false;
    if (submit->refused_head == 0)
        submit->refused_head = submit->head > submit->since ? submit->head : submit->since;
    return submit->head > submit->refused_head + BLOCKS_AFTER_RESTART;
}

static void wrong_sequence(struct submit *submit)
{
    char why[160];
    if (submit->attempt >= SUBMIT_ATTEMPTS_MAX) {
        submit_refused(submit);
        return;
    }
    if (!chain_expected_sequence(submit->log, &submit->expected))
        submit->expected = 0;
    snprintf(why, sizeof why,
             "sequence %" PRIu64 " was refused, and no node has the transaction: signing it anew",
             submit->sequence);
    submit_prepare(submit, why);
}

/* Everybody was asked. */
static void round_over(struct submit *submit)
{
    const struct chain_advice *advice =
        chain_advice(submit->job.chain->driver, submit->codespace, submit->code, submit->log);
    if (submit->sent || submit->loose || submit->code == 0 || advice->meaning == CHAIN_MEANS_WAIT) {
        if (!submit->loose && unauthorized_for_good(submit))
            submit_refused(submit);
        else
            submit_wait(submit);
    } else if (advice->meaning == CHAIN_MEANS_SEQUENCE && !submit->resumed) {
        wrong_sequence(submit);
    } else {
        submit_refused(submit);
    }
}

/* Whether another endpoint may see it differently. */
static bool worth_another(const struct submit *submit)
{
    const struct chain_advice *advice =
        chain_advice(submit->job.chain->driver, submit->codespace, submit->code, submit->log);
    return submit->code == 0 || advice->meaning == CHAIN_MEANS_WAIT;
}

static void accepted(struct submit *submit, uint32_t endpoint, const char *how)
{
    if (!submit->sent)
        submit_say(submit, "%s %s", rpc_endpoint_url(submit->job.chain->rpc, endpoint), how);
    submit->sent = submit->loose = true;
    submit->code = 0;
    submit->endpoint = endpoint;
}

/* Reads what a node made of it; true when the round is over. */
static bool verdict_take(struct submit *submit, uint32_t endpoint,
                         const struct reply_broadcast *reply)
{
    const struct chain_advice *advice =
        chain_advice(submit->job.chain->driver, reply->codespace, reply->code, reply->log);
    if (reply->code == 0 && memcmp(reply->hash, submit->hash, HASH_SIZE) != 0) {
        submit->loose = true; /* it took something; what, remains to be seen */
        submit_say(submit, "%s took it under another hash",
                   rpc_endpoint_url(submit->job.chain->rpc, endpoint));
        return false;
    }
    if (reply->code == 0 || advice->meaning == CHAIN_MEANS_SENT) {
        accepted(submit, endpoint, "has taken it");
        return true;
    }
    refusal_take(submit, reply);
    submit_say(submit, "%s refuses it: code %" PRIu32 ", %s",
               rpc_endpoint_url(submit->job.chain->rpc, endpoint), reply->code, advice->name);
    return !worth_another(submit);
}

static void broadcast_done(struct job *job, uint32_t endpoint, const struct rpc_answer *answer)
{
    struct submit *submit = (struct submit *)job;
    struct reply_broadcast reply;
    struct fault fault;
    bool over = false;
    if (answer->outcome != RPC_FAILED)
        submit->heard_ms = zclock_mono();
    if (answer->outcome == RPC_REFUSED && strstr(answer->error_data, IN_CACHE)) {
        accepted(submit, endpoint, "has it already");
        over = true;
    } else if (answer->outcome == RPC_OK && reply_broadcast(answer->result, &reply, &fault)) {
        over = verdict_take(submit, endpoint, &reply);
    } else { /* it may have been taken and the answer lost, or cut, or altered */
        submit->loose = submit->loose || answer->outcome != RPC_REFUSED;
        submit_say(submit, "%s", answer->outcome == RPC_OK ? fault.text : answer->text);
    }
    if (over || submit_endpoint_next(submit) == RPC_ANY)
        round_over(submit);
    else
        submit_send(submit);
}

void submit_send(struct submit *submit)
{
    uint32_t endpoint = submit_endpoint_next(submit);
    if (endpoint == RPC_ANY) {
        round_over(submit);
        return;
    }
    submit->tried |= 1u << endpoint;
    submit->sent_ms = zclock_mono();
    submit->sent_head = submit->head;
    job_call(&submit->job, "broadcast_tx_sync", params_bytes("tx", submit->bytes, submit->size),
             endpoint, broadcast_done, endpoint);
}
