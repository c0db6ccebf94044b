#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "node/chain_internal.h"
#include "proto/encoding.h"

const struct chain_driver *chain_driver(enum chain_kind kind)
{
    return kind == CHAIN_KIRA ? &chain_kira : &chain_dcl;
}

const struct chain_driver *chain_driver_named(const char *name)
{
    if (strcmp(name, chain_kira.name) == 0)
        return &chain_kira;
    return strcmp(name, chain_dcl.name) == 0 ? &chain_dcl : NULL;
}

/* --- jobs --- */

void *job_create(struct chain *chain, enum job_kind kind, size_t size)
{
    struct job *job = calloc(1, size);
    assert(job);
    *job = (struct job){
        .chain = chain, .kind = kind, .ticket = ++chain->tickets, .timer = -1, .next = chain->jobs};
    chain->jobs = job;
    return job;
}

struct job *job_find(struct chain *chain, enum job_kind kind, uint64_t ticket)
{
    for (struct job *job = chain->jobs; job; job = job->next) {
        if (job->kind == kind && job->ticket == ticket)
            return job;
    }
    return NULL;
}

static void call_unlink(struct call *call)
{
    struct call **at = &call->job->calls;
    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
}

void job_calls_cancel(struct job *job)
{
    while (job->calls) {
        struct call *call = job->calls;
        job->calls = call->next;
        rpc_cancel(job->chain->rpc, call->ticket);
        free(call);
    }
}

void job_timer_cancel(struct job *job)
{
    if (job->timer >= 0)
        zloop_timer_end(job->chain->loop, job->timer);
    job->timer = -1;
}

void job_end(struct job *job)
{
    struct job **at = &job->chain->jobs;
    job_calls_cancel(job);
    job_timer_cancel(job);
    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
}

static int timer_due(zloop_t *loop, int timer, void *argument)
{
    (void)loop;
    struct job *job = argument;
    if (job->timer == timer) {
        job->timer = -1;
        job->due(job);
    }
    return 0;
}

void job_timer(struct job *job, int64_t ms, void (*due)(struct job *job))
{
    job_timer_cancel(job);
    job->due = due;
    job->timer = zloop_timer(job->chain->loop, ms > 0 ? (size_t)ms : 0, 1, timer_due, job);
    assert(job->timer >= 0);
}

static void call_done(void *owner, const struct rpc_answer *answer)
{
    struct call *call = owner;
    struct job *job = call->job;
    call_handler *handler = call->handler;
    uint32_t tag = call->tag;
    call_unlink(call);
    free(call);
    handler(job, tag, answer);
}

void job_call(struct job *job, const char *method, json_t *params, uint32_t endpoint,
              call_handler *handler, uint32_t tag)
{
    struct call *call = calloc(1, sizeof *call);
    assert(call);
    *call = (struct call){.job = job, .handler = handler, .tag = tag, .next = job->calls};
    job->calls = call;
    call->ticket = rpc_call(job->chain->rpc, method, params, endpoint, call_done, call);
}

void job_query(struct job *job, const struct query *query, int64_t height, uint32_t endpoint,
               call_handler *handler, uint32_t tag)
{
    char data[HEX_TEXT(QUERY_REQUEST_MAX)];
    hex_encode(query->request, query->size, data);
    json_t *params = height > 0 ? params_height(height) : json_object();
    json_object_set_new(params, "path", json_string(query->path));
    json_object_set_new(params, "data", json_string(data));
    job_call(job, "abci_query", params, endpoint, handler, tag);
}

/* --- parameters and answers --- */

json_t *params_height(int64_t height)
{
    return json_pack("{s:o}", "height", json_sprintf("%" PRId64, height));
}

json_t *params_page(int64_t height, uint32_t page)
{
    json_t *params = params_height(height);
    json_object_set_new(params, "page", json_sprintf("%" PRIu32, page));
    json_object_set_new(params, "per_page", json_string("100"));
    return params;
}

json_t *params_bytes(const char *name, const uint8_t *bytes, size_t size)
{
    char *text = malloc(BASE64_TEXT(size));
    assert(text);
    base64_encode(bytes, size, text);
    json_t *params = json_pack("{s:s}", name, text);
    free(text);
    return params;
}

bool answer_good(const struct rpc_answer *answer, const char *what, struct fault *fault)
{
    return answer->outcome == RPC_OK || fault_set(fault, "%s: %s", what, answer->text);
}

static bool is_missing(const struct reply_query *reply)
{
    return strcmp(reply->codespace, "sdk") == 0 && (reply->code == 22 || reply->code == 38);
}

bool answer_query(const struct rpc_answer *answer, const char *what, struct reply_query *reply,
                  bool *missing, struct fault *fault)
{
    *reply = (struct reply_query){0};
    if (missing)
        *missing = false;
    if (!answer_good(answer, what, fault))
        return false;
    if (!reply_query(answer->result, reply, fault))
        return fault_within(fault, what);
    if (reply->code == 0)
        return true;
    if (missing && is_missing(reply)) {
        *missing = true;
        return true;
    }
    fault_set(fault, "%s: the node refused the query with code %" PRIu32 " of %s: %.200s%s", what,
              reply->code, reply->codespace[0] ? reply->codespace : "no codespace", reply->log,
              strstr(reply->log, "unknown query path")
                  ? "; is it a node of this kind of chain? See chain.kind"
                  : "");
    reply_query_destroy(reply);
    return false;
}

void chain_address(const struct chain *chain, const uint8_t bytes[ACCOUNT_ADDRESS_SIZE],
                   const char *tail, char text[BECH32_TEXT_MAX])
{
    char prefix[CHAIN_TEXT_MAX + 16];
    snprintf(prefix, sizeof prefix, "%s%s", chain->prefix, tail);
    bool fits = bech32_encode(prefix, bytes, ACCOUNT_ADDRESS_SIZE, text);
    assert(fits); /* chain_create() has tried the longest tail */
}

int members_compare(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    return memcmp(x->address, y->address, ADDRESS_SIZE);
}

/* --- the chain --- */

static bool text_take(char *out, size_t room, const char *text, const char *what,
                      struct fault *fault)
{
    size_t size = strlen(text);
    if (size == 0 || size >= room)
        return fault_set(fault, "%s: 1 to %zu characters were expected", what, room - 1);
    memcpy(out, text, size + 1);
    return true;
}

static bool prefix_check(const char *prefix, struct fault *fault)
{
    uint8_t nobody[ACCOUNT_ADDRESS_SIZE] = {0};
    char longest[CHAIN_TEXT_MAX + 16], text[BECH32_TEXT_MAX];
    snprintf(longest, sizeof longest, "%svaloper", prefix);
    return bech32_encode(longest, nobody, sizeof nobody, text) ||
           fault_set(fault,
                     "prefix: \"%s\" cannot stand before an address; lower-case letters as in "
                     "\"kira\" are expected",
                     prefix);
}

static bool denom_check(const char *denom, struct fault *fault)
{
    size_t size = strlen(denom);
    bool good = size >= 3 && size < TX_DENOM_MAX && denom[0] >= 'A' &&
                strspn(denom, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789/:._-") == size;
    return good ||
           fault_set(fault, "denom: \"%s\" is no coin; one like \"ukex\" is expected", denom);
}

static bool config_take(struct chain *chain, const struct chain_config *config, struct fault *fault)
{
    const struct chain_driver *driver = config->driver;
    const char *prefix = config->prefix ? config->prefix : driver->prefix;
    const char *denom = config->denom && driver->denom ? config->denom : driver->denom;
    if (!text_take(chain->prefix, sizeof chain->prefix, prefix, "prefix", fault) ||
        !prefix_check(prefix, fault))
        return false;
    if (denom && (!text_take(chain->denom, sizeof chain->denom, denom, "denom", fault) ||
                  !denom_check(denom, fault)))
        return false;
    return !config->chain_id ||
           text_take(chain->chain_id, sizeof chain->chain_id, config->chain_id, "chain id", fault);
}

struct chain *chain_create(const struct chain_config *config, struct fault *fault)
{
    assert(config->loop && config->rpc && config->driver);
    struct chain *chain = calloc(1, sizeof *chain);
    if (!chain || !config_take(chain, config, fault)) {
        if (!chain)
            fault_set(fault, "out of memory");
        free(chain);
        return NULL;
    }
    chain->loop = config->loop;
    chain->rpc = config->rpc;
    chain->driver = config->driver;
    chain->compare_off = config->compare_off;
    chain->poll_ms = config->poll_ms > 0 ? config->poll_ms : 1000;
    chain->compared_ms = INT64_MIN;
    return chain;
}

static void job_forget(struct job *job)
{
    job_end(job);
    if (job->kind == JOB_ASK)
        ask_forget((struct ask *)job);
    else if (job->kind == JOB_SUBMIT)
        submit_forget(job);
    else
        free(job);
}

void chain_destroy(struct chain **chain)
{
    struct chain *c = *chain;
    if (!c)
        return;
    while (c->jobs)
        job_forget(c->jobs);
    while (c->listeners) {
        struct compare_listener *next = c->listeners->next;
        free(c->listeners);
        c->listeners = next;
    }
    facts_destroy(&c->facts);
    free(c);
    *chain = NULL;
}

const struct chain_driver *chain_driver_of(const struct chain *chain)
{
    return chain->driver;
}

const char *chain_prefix(const struct chain *chain)
{
    return chain->prefix;
}

const char *chain_denom(const struct chain *chain)
{
    return chain->driver->denom ? chain->denom : NULL;
}

struct rpc *chain_rpc(const struct chain *chain)
{
    return chain->rpc;
}

const struct chain_facts *chain_facts(const struct chain *chain)
{
    return &chain->facts;
}
