#include "node/submit_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/encoding.h"

#define GIVE_UP_MS 600000
#define ASKS_FAILED_MAX 3

void submit_forget(struct job *job)
{
    struct submit *submit = (struct submit *)job;
    free(submit->bytes);
    free(submit);
}

void submit_say(struct submit *submit, const char *format, ...)
{
    char text[FAULT_MAX];
    struct fault line;
    va_list arguments;
    if (!submit->order.say)
        return;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fault_set(&line, "%s", text);
    if (strcmp(line.text, submit->said.text) == 0)
        return; /* once in a row */
    submit->said = line;
    submit->order.say(submit->order.owner, line.text);
}

/* --- results --- */

static void result_send(struct submit *submit, const struct chain_result *result)
{
    void (*done)(void *, const struct chain_result *) = submit->order.done;
    void *owner = submit->order.owner;
    if (submit->ask)
        chain_ask_cancel(submit->job.chain, submit->ask);
    job_end(&submit->job);
    submit_forget(&submit->job);
    done(owner, result);
}

static struct chain_result result_start(const struct submit *submit, enum chain_outcome outcome)
{
    struct chain_result result = {
        .outcome = outcome,
        .loose = outcome == CHAIN_FAILED && submit->loose,
        .sequence = submit->sequence,
        .fee = submit->fee,
        .timeout_height = submit->timeout_height,
    };
    memcpy(result.hash, submit->hash, sizeof result.hash);
    return result;
}

static void code_take(const struct submit *submit, uint32_t code, const char *codespace,
                      const char *log, struct chain_result *result)
{
    result->code = code;
    snprintf(result->codespace, sizeof result->codespace, "%s", codespace);
    snprintf(result->log, sizeof result->log, "%s", log);
    result->advice = chain_advice(submit->job.chain->driver, result->codespace, code, result->log);
}

static void text_take(struct chain_result *result, const char *text)
{
    struct fault line;
    fault_set(&line, "%s", text);
    memcpy(result->text, line.text, sizeof result->text);
}

void submit_finish(struct submit *submit, enum chain_outcome outcome, const char *format, ...)
{
    struct chain_result result = result_start(submit, outcome);
    char text[FAULT_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    text_take(&result, text);
    if (submit->code)
        code_take(submit, submit->code, submit->codespace, submit->log, &result);
    result_send(submit, &result);
}

void submit_included(struct submit *submit, int64_t height, uint32_t code, const char *codespace,
                     const char *log)
{
    struct chain_result result = result_start(submit, CHAIN_INCLUDED);
    char text[FAULT_MAX];
    code_take(submit, code, codespace, log, &result);
    result.height = height;
    if (code == 0)
        snprintf(text, sizeof text, "in block %" PRId64, height);
    else
        snprintf(text, sizeof text, "in block %" PRId64 " with code %" PRIu32 " (%s: %s); %s",
                 height, code, codespace[0] ? codespace : "-", result.advice->name,
                 result.advice->advice);
    text_take(&result, text);
    result_send(submit, &result);
}

void submit_refused(struct submit *submit)
{
    const struct chain_advice *advice =
        chain_advice(submit->job.chain->driver, submit->codespace, submit->code, submit->log);
    enum chain_outcome outcome =
        advice->meaning == CHAIN_MEANS_TOO_LATE ? CHAIN_TIMED_OUT : CHAIN_REFUSED;
    submit_finish(submit, outcome,
                  "refused with code %" PRIu32 " (%s: %s); %s; the node says: %.150s", submit->code,
                  submit->codespace[0] ? submit->codespace : "-", advice->name, advice->advice,
                  submit->log);
}

/* --- signing --- */

static bool request_fill(struct submit *submit, struct tx_request *request, struct fault *fault)
{
    struct chain *chain = submit->job.chain;
    const struct chain_facts *facts = &chain->facts;
    int64_t head = facts->status.latest_height;
    *request = *submit->order.request;
    request->chain = chain->driver->kind;
    request->prefix = chain->prefix;
    request->chain_id = facts->status.chain_id;
    request->account_number = facts->account.number;
    request->sequence =
        facts->account.sequence > submit->expected ? facts->account.sequence : submit->expected;
    request->fee_denom = chain_denom(chain);
    request->gas = request->gas ? request->gas : CHAIN_GAS_DEFAULT;
    memcpy(request->public_key, submit->public_key, sizeof request->public_key);
    if (request->timeout_height == 0)
        request->timeout_height = (uint64_t)head + CHAIN_TIMEOUT_BLOCKS;
    if (request->timeout_height <= (uint64_t)head)
        return fault_set(fault,
                         "timeout_height %" PRIu64 " has passed: the chain is at %" PRId64
                         "; submit it anew",
                         request->timeout_height, head);
    if (chain->chain_id[0] && strcmp(chain->chain_id, request->chain_id) != 0)
        return fault_set(fault, "the node belongs to the chain \"%s\", not to \"%s\"",
                         request->chain_id, chain->chain_id);
    return request->fee_amount > 0 || chain_fee(chain->driver, request->action, &facts->properties,
                                                &facts->fees, &request->fee_amount, fault);
}

static bool funds_check(const struct submit *submit, const struct tx_request *request,
                        struct fault *fault)
{
    const struct chain_facts *facts = &submit->job.chain->facts;
    char address[BECH32_TEXT_MAX];
    chain_address(submit->job.chain, submit->account, "", address);
    if (!facts->account.exists)
        return fault_set(fault,
                         "account %s is not known to chain \"%s\": check the key, and fund or "
                         "register the account",
                         address, facts->status.chain_id);
    if (request->fee_denom && facts->balance < request->fee_amount)
        return fault_set(fault,
                         "account %s holds %" PRIu64 "%s and the fee is %" PRIu64 ": send it coins",
                         address, facts->balance, request->fee_denom, request->fee_amount);
    return true;
}

/* The bytes take the place of earlier ones, which are dead. */
static bool transaction_sign(struct submit *submit, const struct tx_request *request,
                             struct fault *fault)
{
    struct tx_draft draft;
    uint8_t signature[ACCOUNT_SIGNATURE_SIZE];
    if (!tx_draft(request, &draft, fault))
        return false;
    free(submit->bytes);
    submit->bytes = NULL;
    bool good =
        signer_sign(submit->order.signer, draft.sign_doc, draft.sign_doc_size, signature, fault);
    if (good && !tx_assemble(&draft, signature, &submit->bytes, &submit->size))
        good = fault_set(fault, "the transaction cannot be assembled: out of memory");
    tx_draft_destroy(&draft);
    if (good)
        tx_hash(submit->bytes, submit->size, submit->hash);
    return good;
}

static bool transaction_keep(struct submit *submit, const struct tx_request *request)
{
    submit->account_number = request->account_number;
    submit->sequence = request->sequence;
    submit->fee = request->fee_amount;
    submit->timeout_height = request->timeout_height;
    submit->since = submit->scanned = submit->job.chain->facts.status.latest_height;
    submit->attempt++;
    submit->used_at = submit->found = 0;
    submit->absent_head = submit->absent_before = 0;
    struct chain_sent sent = {
        .bytes = submit->bytes,
        .size = submit->size,
        .since = submit->since,
        .timeout_height = submit->timeout_height,
        .account_number = submit->account_number,
        .sequence = submit->sequence,
        .fee = submit->fee,
        .attempt = submit->attempt,
    };
    memcpy(sent.hash, submit->hash, sizeof sent.hash);
    return !submit->order.persist || submit->order.persist(submit->order.owner, &sent);
}

/* Signs, keeps and sends what the facts ask for. */
static void attempt_start(struct submit *submit)
{
    struct tx_request request;
    struct fault why;
    bool good = request_fill(submit, &request, &why);
    if (good && submit->bytes && request.sequence == submit->sequence) {
        submit_wait(submit); /* it is the node that is behind: the same bytes, later */
        return;
    }
    if (!good || !funds_check(submit, &request, &why) ||
        !transaction_sign(submit, &request, &why)) {
        submit_finish(submit, CHAIN_FAILED, "not sent: %s", why.text);
        return;
    }
    if (!transaction_keep(submit, &request)) {
        submit_finish(submit, CHAIN_FAILED,
                      "not sent: the transaction could not be stored before sending it");
        return;
    }
    submit_say(submit, "signed with sequence %" PRIu64 ", fee %" PRIu64 ", timeout height %" PRIu64,
               submit->sequence, submit->fee, submit->timeout_height);
    submit->loose = submit->sent = false;
    submit->code = 0;
    submit->tried = 0;
    submit_send(submit);
}

static void prepare_done(void *owner, const struct fault *fault)
{
    struct submit *submit = owner;
    const struct chain_facts *facts = &submit->job.chain->facts;
    submit->ask = 0;
    if (fault && ++submit->asks_failed >= ASKS_FAILED_MAX)
        submit_finish(submit, CHAIN_FAILED, "%s", fault->text);
    else if (fault || memcmp(facts->account_address, submit->account, ACCOUNT_ADDRESS_SIZE) != 0)
        submit_prepare(submit, NULL); /* another ask may have read another account */
    else
        attempt_start(submit);
}

void submit_prepare(struct submit *submit, const char *why)
{
    const uint32_t topics = CHAIN_STATUS | CHAIN_ACCOUNT | CHAIN_FEES;
    if (why)
        submit_say(submit, "%s", why);
    job_calls_cancel(&submit->job);
    job_timer_cancel(&submit->job);
    submit->ask = chain_ask(submit->job.chain, topics, submit->account, prepare_done, submit);
}

/* --- the interface --- */

void submit_begin(struct job *job)
{
    struct submit *submit = (struct submit *)job;
    if (submit->resumed)
        submit_watch(submit);
    else if (!job->chain->driver->actions[submit->order.request->action])
        submit_finish(submit, CHAIN_FAILED, "not sent: %s knows no such action",
                      job->chain->driver->name);
    else
        submit_prepare(submit, NULL);
}

static struct submit *submit_create(struct chain *chain, const struct chain_submission *submission)
{
    assert(submission->done);
    struct submit *submit = job_create(chain, JOB_SUBMIT, sizeof *submit);
    submit->order = *submission;
    if (submit->order.give_up_ms <= 0)
        submit->order.give_up_ms = GIVE_UP_MS;
    submit->endpoint = RPC_ANY;
    submit->heard_ms = zclock_mono();
    submit->fresh = true;
    submit->job.waits = compare_due(chain);
    if (submit->job.waits)
        compare_start(chain);
    else
        job_timer(&submit->job, 0, submit_begin);
    return submit;
}

uint64_t chain_submit(struct chain *chain, const struct chain_submission *submission)
{
    assert(submission->request && submission->signer);
    struct submit *submit = submit_create(chain, submission);
    signer_public_key(submission->signer, submit->public_key);
    account_address(submit->public_key, submit->account);
    return submit->job.ticket;
}

/* Whose bytes they are: the sequence of this account tells when they can no longer be included. */
static bool account_of_bytes(struct submit *submit)
{
    struct tx_decoded tx;
    struct fault fault;
    if (!tx_decode(submit->bytes, submit->size, &tx, &fault))
        return false;
    bool good = tx.has_public_key && tx.signer_count == 1;
    memcpy(submit->account, tx.signer, sizeof submit->account);
    submit->sequence = tx.sequence;
    submit->timeout_height = tx.timeout_height;
    tx_decoded_destroy(&tx);
    return good;
}

uint64_t chain_resume(struct chain *chain, const struct chain_sent *sent,
                      const struct chain_submission *submission)
{
    struct submit *submit = submit_create(chain, submission);
    submit->resumed = submit->loose = true;
    submit->bytes = malloc(sent->size ? sent->size : 1);
    assert(submit->bytes);
    memcpy(submit->bytes, sent->bytes, sent->size);
    submit->size = sent->size;
    submit->since = submit->scanned = sent->since > 0 ? sent->since : 0;
    submit->account_number = sent->account_number;
    submit->sequence = sent->sequence;
    submit->timeout_height = sent->timeout_height;
    submit->fee = sent->fee;
    submit->attempt = sent->attempt;
    tx_hash(submit->bytes, submit->size, submit->hash);
    if (!account_of_bytes(submit)) /* never sent by us: there is nothing to go on with */
        submit->size = 0;
    return submit->job.ticket;
}

void chain_submit_cancel(struct chain *chain, uint64_t ticket)
{
    struct job *job = job_find(chain, JOB_SUBMIT, ticket);
    if (!job)
        return;
    struct submit *submit = (struct submit *)job;
    if (submit->ask)
        chain_ask_cancel(chain, submit->ask);
    job_end(job);
    submit_forget(job);
}
