#include "node/rpc.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/rpc_http.h"

#define TIMEOUT_MS 10000
#define IN_FLIGHT_MAX 16
#define REPLY_MAX ((size_t)64 << 20)
#define REST_FIRST_MS 1000
#define REST_MAX_MS 60000
#define TEXT_MAX 640 /* a URL, a method and a fault */

struct endpoint {
    struct rpc_url url;
    bool distrusted;
    uint32_t running;               /* calls that are tried there */
    int64_t rest_ms, rest_until_ms; /* of the last rest; 0 when well */
};

struct call {
    uint64_t ticket;
    char *method, *body;
    size_t size;
    uint32_t wanted;   /* an endpoint or RPC_ANY */
    uint32_t endpoint; /* where it is tried */
    uint32_t tried;    /* a bit for each endpoint */
    rpc_done *done;
    void *owner;
    struct rpc_transfer *transfer; /* NULL while it waits */
    void *place;                   /* in its list */
    char error[TEXT_MAX];          /* of the last try */
};

struct rpc {
    zloop_t *loop;
    struct rpc_http *http;
    char *ca_file;
    struct endpoint endpoints[RPC_ENDPOINTS_MAX];
    uint32_t endpoint_count, in_flight_max;
    zlistx_t *waiting, *running; /* of calls */
    uint64_t last_ticket;
    bool answering; /* within an rpc_done() */
};

/* --- endpoints --- */

/* Behind its rest an endpoint gets one call; the others wait for what comes of that. */
static bool is_resting(const struct endpoint *endpoint, int64_t now_ms)
{
    return now_ms < endpoint->rest_until_ms || (endpoint->rest_ms > 0 && endpoint->running > 0);
}

/* Several calls that fail together count once. */
static void rest(struct endpoint *endpoint, int64_t now_ms)
{
    if (now_ms < endpoint->rest_until_ms)
        return;
    endpoint->rest_ms = endpoint->rest_ms == 0 ? REST_FIRST_MS : endpoint->rest_ms * 2;
    if (endpoint->rest_ms > REST_MAX_MS)
        endpoint->rest_ms = REST_MAX_MS;
    endpoint->rest_until_ms = now_ms + endpoint->rest_ms;
}

/* Whether a is to be asked before b, which stands before it in the configuration. */
static bool is_better(const struct endpoint *a, const struct endpoint *b, int64_t now_ms)
{
    if (a->distrusted != b->distrusted)
        return b->distrusted;
    if (!is_resting(a, now_ms) || !is_resting(b, now_ms))
        return !is_resting(a, now_ms) && is_resting(b, now_ms);
    return a->rest_until_ms < b->rest_until_ms;
}

/* The endpoint for the call's next try; RPC_ANY when all were tried. */
static uint32_t choose(const struct rpc *rpc, const struct call *call)
{
    int64_t now_ms = zclock_mono();
    uint32_t best = RPC_ANY;
    for (uint32_t i = 0; i < rpc->endpoint_count; i++) {
        if ((call->tried >> i & 1) != 0 || (call->wanted != RPC_ANY && call->wanted != i))
            continue;
        if (best == RPC_ANY || is_better(&rpc->endpoints[i], &rpc->endpoints[best], now_ms))
            best = i;
    }
    return best;
}

uint32_t rpc_endpoint_count(const struct rpc *rpc)
{
    return rpc->endpoint_count;
}

const char *rpc_endpoint_url(const struct rpc *rpc, uint32_t endpoint)
{
    assert(endpoint < rpc->endpoint_count);
    return rpc->endpoints[endpoint].url.text;
}

void rpc_distrust(struct rpc *rpc, uint32_t endpoint)
{
    assert(endpoint < rpc->endpoint_count);
    rpc->endpoints[endpoint].distrusted = true;
}

/* --- calls begin --- */

/* Nothing comes of it before the loop runs, so the owner of a call hears nothing from within rpc_call(). */
static void begin_calls(struct rpc *rpc)
{
    while (zlistx_size(rpc->running) < rpc->in_flight_max && zlistx_size(rpc->waiting) > 0) {
        struct call *call = zlistx_detach(rpc->waiting, NULL); /* the first */
        call->endpoint = choose(rpc, call);
        assert(call->endpoint != RPC_ANY);
        call->tried |= 1u << call->endpoint;
        rpc->endpoints[call->endpoint].running++;
        call->place = zlistx_add_end(rpc->running, call);
        struct rpc_http_request request = {
            .url = &rpc->endpoints[call->endpoint].url,
            .method = "POST",
            .body = call->body,
            .size = call->size,
        };
        call->transfer = rpc_http_send(rpc->http, &request, call);
    }
}

static char *copy(const char *text)
{
    char *out = malloc(strlen(text) + 1);
    assert(out != NULL);
    return strcpy(out, text);
}

/* Takes the reference of params. */
static char *write_request(uint64_t ticket, const char *method, json_t *params)
{
    json_t *request =
        json_pack("{s:s, s:I, s:s, s:o}", "jsonrpc", "2.0", "id", (json_int_t)ticket, "method",
                  method, "params", params == NULL ? json_object() : params);
    assert(request != NULL);
    char *text = json_dumps(request, JSON_COMPACT);
    assert(text != NULL);
    json_decref(request);
    return text;
}

uint64_t rpc_call(struct rpc *rpc, const char *method, json_t *params, uint32_t endpoint,
                  rpc_done *done, void *owner)
{
    assert(endpoint == RPC_ANY || endpoint < rpc->endpoint_count);
    assert(done != NULL && (params == NULL || json_is_object(params)));
    struct call *call = calloc(1, sizeof *call);
    assert(call != NULL);
    call->ticket = ++rpc->last_ticket;
    call->method = copy(method);
    call->body = write_request(call->ticket, method, params);
    call->size = strlen(call->body);
    call->wanted = endpoint;
    call->done = done;
    call->owner = owner;
    call->place = zlistx_add_end(rpc->waiting, call);
    begin_calls(rpc);
    return call->ticket;
}

/* --- calls end --- */

static void free_call(struct call *call)
{
    free(call->method);
    free(call->body);
    free(call);
}

static struct call *find_call(zlistx_t *list, uint64_t ticket)
{
    struct call *call = zlistx_first(list);
    while (call != NULL && call->ticket != ticket)
        call = zlistx_next(list);
    return call;
}

static void leave_running(struct rpc *rpc, struct call *call)
{
    zlistx_detach(rpc->running, call->place);
    rpc->endpoints[call->endpoint].running--;
}

void rpc_cancel(struct rpc *rpc, uint64_t ticket)
{
    struct call *call = find_call(rpc->waiting, ticket);
    if (call != NULL) {
        zlistx_detach(rpc->waiting, call->place);
        free_call(call);
        return;
    }
    call = find_call(rpc->running, ticket);
    if (call == NULL)
        return;
    leave_running(rpc, call);
    rpc_http_drop(rpc->http, call->transfer);
    free_call(call);
    begin_calls(rpc);
}

/* Tells the owner; the call is in no list any more. */
static void answer_call(struct rpc *rpc, struct call *call, const struct rpc_answer *answer)
{
    rpc->answering = true;
    call->done(call->owner, answer);
    rpc->answering = false;
    free_call(call);
}

static void try_next(struct rpc *rpc, struct call *call)
{
    rest(&rpc->endpoints[call->endpoint], zclock_mono());
    if (choose(rpc, call) != RPC_ANY) {
        call->place = zlistx_add_start(rpc->waiting, call);
        return;
    }
    struct rpc_answer answer = {
        .outcome = RPC_FAILED, .endpoint = RPC_ANY, .error_data = "", .text = call->error};
    answer_call(rpc, call, &answer);
}

/* Statuses with which gateways speak for themselves, even when they do it in an envelope. */
static bool is_gateway_status(long status)
{
    return status == 429 || (status >= 502 && status <= 504);
}

/* The tree of a proper answer, or NULL with the fault. */
static json_t *read_answer(const struct call *call, const struct rpc_http_answer *reply,
                           struct rpc_envelope *envelope, struct fault *fault)
{
    if (reply->status == 0) {
        (void)fault_set(fault, "%s", reply->error);
        return NULL;
    }
    if (is_gateway_status(reply->status) || (reply->status >= 300 && reply->status < 400)) {
        (void)fault_set(fault, "answered with HTTP status %ld%s", reply->status,
                        reply->status < 400 ? ", which is not followed" : "");
        return NULL;
    }
    json_t *tree = rpc_parse(reply->body, reply->size, fault);
    if (tree != NULL && rpc_envelope(tree, call->ticket, envelope, fault) &&
        (envelope->result == NULL || reply->status == 200))
        return tree;
    json_decref(tree);
    if (reply->status != 200)
        (void)fault_set(fault, "answered with HTTP status %ld", reply->status);
    return NULL;
}

static void describe_refusal(const struct rpc_envelope *envelope, struct fault *fault)
{
    const char *data = envelope->error_data;
    (void)fault_set(fault, "refused: %.150s (%" PRId64 ")%s%s", envelope->error_message,
                    envelope->error_code, data[0] == '\0' ? "" : ": ", data);
}

static void on_answer(void *owner, void *subject, const struct rpc_http_answer *reply)
{
    struct rpc *rpc = owner;
    struct call *call = subject;
    struct endpoint *endpoint = &rpc->endpoints[call->endpoint];
    struct rpc_envelope envelope;
    struct fault fault = {""};
    leave_running(rpc, call);
    json_t *tree = read_answer(call, reply, &envelope, &fault);
    if (tree != NULL && envelope.result == NULL)
        describe_refusal(&envelope, &fault);
    if (fault.text[0] != '\0')
        (void)snprintf(call->error, sizeof call->error, "%s: %s: %s", endpoint->url.text,
                       call->method, fault.text);
    if (tree == NULL) {
        try_next(rpc, call);
    } else {
        endpoint->rest_ms = endpoint->rest_until_ms = 0;
        struct rpc_answer answer = {.outcome = envelope.result == NULL ? RPC_REFUSED : RPC_OK,
                                    .endpoint = call->endpoint,
                                    .result = envelope.result,
                                    .error_code = envelope.error_code,
                                    .error_data = envelope.error_data,
                                    .text = envelope.result == NULL ? call->error : ""};
        answer_call(rpc, call, &answer);
        json_decref(tree);
    }
    begin_calls(rpc);
}

bool rpc_wait(struct rpc *rpc, const bool *done)
{
    int rc = -1;
    rpc_http_until(rpc->http, done);
    while (!*done && rc == -1)
        rc = zloop_start(rpc->loop);
    rpc_http_until(rpc->http, NULL);
    return *done;
}

/* --- life --- */

static bool add_endpoint(struct rpc *rpc, const char *url, struct fault *fault)
{
    struct endpoint *endpoint = &rpc->endpoints[rpc->endpoint_count];
    if (!rpc_url_parse(url, &endpoint->url, fault))
        return false;
    rpc->endpoint_count++;
    for (uint32_t i = 0; i + 1 < rpc->endpoint_count; i++)
        if (strcmp(rpc->endpoints[i].url.text, endpoint->url.text) == 0)
            return fault_set(fault, "%s is given twice", endpoint->url.text);
    return true;
}

static bool configure(struct rpc *rpc, const struct rpc_config *config, struct fault *fault)
{
    if (config->url_count < 1 || config->url_count > RPC_ENDPOINTS_MAX)
        return fault_set(fault, "%" PRIu32 " endpoints are given, expected 1 to %d",
                         config->url_count, RPC_ENDPOINTS_MAX);
    for (uint32_t i = 0; i < config->url_count; i++)
        if (!add_endpoint(rpc, config->urls[i], fault))
            return false;
    if (config->ca_file != NULL && access(config->ca_file, R_OK) != 0)
        return fault_set(fault, "%s: cannot be read: %s", config->ca_file, strerror(errno));
    rpc->ca_file = config->ca_file == NULL ? NULL : copy(config->ca_file);
    rpc->in_flight_max = config->in_flight_max == 0 ? IN_FLIGHT_MAX : config->in_flight_max;
    struct rpc_http_config http = {
        .ca_file = rpc->ca_file,
        .timeout_ms = config->timeout_ms <= 0 ? TIMEOUT_MS : config->timeout_ms,
        .reply_max = config->reply_max == 0 ? REPLY_MAX : config->reply_max,
        .in_flight_max = rpc->in_flight_max,
    };
    rpc->http = rpc_http_create(rpc->loop, &http, on_answer, rpc);
    return true;
}

struct rpc *rpc_create(zloop_t *loop, const struct rpc_config *config, struct fault *fault)
{
    struct rpc *rpc = calloc(1, sizeof *rpc);
    assert(rpc != NULL && loop != NULL);
    rpc->loop = loop;
    rpc->waiting = zlistx_new();
    rpc->running = zlistx_new();
    if (!configure(rpc, config, fault))
        rpc_destroy(&rpc);
    return rpc;
}

static void free_calls(zlistx_t **list)
{
    for (struct call *call; (call = zlistx_detach(*list, NULL)) != NULL;)
        free_call(call);
    zlistx_destroy(list);
}

void rpc_destroy(struct rpc **rpc_pointer)
{
    struct rpc *rpc = *rpc_pointer;
    if (rpc == NULL)
        return;
    assert(!rpc->answering);
    rpc_http_destroy(&rpc->http); /* before the bodies that it sends */
    free_calls(&rpc->waiting);
    free_calls(&rpc->running);
    for (uint32_t i = 0; i < rpc->endpoint_count; i++)
        rpc_url_destroy(&rpc->endpoints[i].url);
    free(rpc->ca_file);
    free(rpc);
    *rpc_pointer = NULL;
}
