#include "sim/devnet_rpc.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/devnet_rpc_internal.h"

#define JSON_TYPE "application/json"
#define URI_ID (-1)               /* of every reply to the form of addresses */
#define ID_MAX 9007199254740992.0 /* of numbers with a fraction */
#define LIST_MAX 8192

static const struct rpc_route routes[] = {
    {"abci_info", rpc_abci_info, {{0}}},
    {"abci_query",
     rpc_abci_query,
     {{"path", RPC_STRING}, {"data", RPC_HEX}, {"height", RPC_INT}, {"prove", RPC_BOOL}}},
    {"block", rpc_block, {{"height", RPC_INT}}},
    {"block_by_hash", rpc_block_by_hash, {{"hash", RPC_BYTES}}},
    {"block_results", rpc_block_results, {{"height", RPC_INT}}},
    {"blockchain", rpc_blockchain, {{"minHeight", RPC_INT}, {"maxHeight", RPC_INT}}},
    {"broadcast_tx_async", rpc_broadcast_async, {{"tx", RPC_BYTES}}},
    {"broadcast_tx_commit", rpc_broadcast_commit, {{"tx", RPC_BYTES}}},
    {"broadcast_tx_sync", rpc_broadcast_sync, {{"tx", RPC_BYTES}}},
    {"check_tx", rpc_check_tx, {{"tx", RPC_BYTES}}},
    {"commit", rpc_commit, {{"height", RPC_INT}}},
    {"consensus_params", rpc_consensus_params, {{"height", RPC_INT}}},
    {"consensus_state", rpc_consensus_state, {{0}}},
    {"genesis", rpc_genesis, {{0}}},
    {"genesis_chunked", rpc_genesis_chunked, {{"chunk", RPC_INT}}},
    {"header", rpc_header, {{"height", RPC_INT}}},
    {"header_by_hash", rpc_header_by_hash, {{"hash", RPC_HEX}}},
    {"health", rpc_health, {{0}}},
    {"net_info", rpc_net_info, {{0}}},
    {"num_unconfirmed_txs", rpc_num_unconfirmed, {{0}}},
    {"status", rpc_status, {{0}}},
    {"tx", rpc_tx, {{"hash", RPC_BYTES}, {"prove", RPC_BOOL}}},
    {"unconfirmed_txs", rpc_unconfirmed, {{"limit", RPC_INT}}},
    {"validators", rpc_validators, {{"height", RPC_INT}, {"page", RPC_INT}, {"per_page", RPC_INT}}},
};

struct rpc_ticket {
    struct rpc_exchange *exchange;
    json_t *id;
    json_t *reply; /* NULL while it waits */
};

struct rpc_exchange {
    const struct devnet_rpc *rpc;
    struct devnet_exchange *http;
    bool uri;    /* the form of addresses */
    bool begun;  /* every call has been made */
    bool failed; /* a call of the form of addresses: HTTP status 500 */
    uint32_t waiting, count;
    struct rpc_ticket tickets[];
};

const struct rpc_route *rpc_routes(size_t *count)
{
    *count = sizeof routes / sizeof *routes;
    return routes;
}

static const struct rpc_route *find_route(const char *name)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (strcmp(routes[i].name, name) == 0)
            return &routes[i];
    return NULL;
}

/* --- replies --- */

static json_t *json_error(int code, const char *data)
{
    static const struct {
        int code;
        const char *message;
    } messages[] = {{RPC_PARSE_ERROR, "Parse error. Invalid JSON"},
                    {RPC_INVALID_REQUEST, "Invalid Request"},
                    {RPC_METHOD_NOT_FOUND, "Method not found"},
                    {RPC_INVALID_PARAMS, "Invalid params"},
                    {RPC_INTERNAL_ERROR, "Internal error"}};
    const char *message = "Server error";
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
        if (messages[i].code == code)
            message = messages[i].message;
    json_t *error = json_pack("{s:i,s:s}", "code", code, "message", message);
    if (error && *data)
        json_object_set_new(error, "data", rpc_json_text(data));
    return error;
}

/* id: not stolen; NULL where there is none, and then it is left out. */
static json_t *envelope(json_t *id, const char *name, json_t *value)
{
    json_t *reply = json_pack("{s:s}", "jsonrpc", "2.0");
    if (reply && id)
        json_object_set(reply, "id", id);
    if (!reply || json_object_set_new(reply, name, value) != 0) {
        json_decref(reply);
        return NULL;
    }
    return reply;
}

static void answer_json(struct devnet_exchange *http, unsigned status, const json_t *reply)
{
    devnet_exchange_answer(http, status, JSON_TYPE,
                           reply ? json_dumps(reply, JSON_COMPACT | JSON_ENCODE_ANY) : NULL);
}

static void answer_error(struct devnet_exchange *http, unsigned status, int code, const char *data)
{
    json_t *reply = envelope(NULL, "error", json_error(code, data));
    answer_json(http, status, reply);
    json_decref(reply);
}

/* --- exchanges --- */

static struct rpc_exchange *exchange_new(const struct devnet_rpc *rpc, struct devnet_exchange *http,
                                         uint32_t count)
{
    struct rpc_exchange *exchange =
        calloc(1, sizeof *exchange + count * sizeof exchange->tickets[0]);
    if (!exchange)
        return NULL;
    exchange->rpc = rpc;
    exchange->http = http;
    exchange->count = count;
    for (uint32_t i = 0; i < count; i++)
        exchange->tickets[i].exchange = exchange;
    return exchange;
}

static json_t *gather(struct rpc_exchange *exchange)
{
    if (exchange->count == 1) /* also of a list of one */
        return json_incref(exchange->tickets[0].reply);
    json_t *list = json_array();
    for (uint32_t i = 0; i < exchange->count && list; i++)
        json_array_append(list, exchange->tickets[i].reply);
    return list;
}

static void finish_when_done(struct rpc_exchange *exchange)
{
    if (exchange->waiting > 0 || !exchange->begun)
        return;
    if (exchange->count == 0) { /* notifications only */
        devnet_exchange_answer(exchange->http, 200, JSON_TYPE, strdup(""));
    } else {
        json_t *reply = gather(exchange);
        answer_json(exchange->http, exchange->uri && exchange->failed ? 500 : 200, reply);
        json_decref(reply);
    }
    for (uint32_t i = 0; i < exchange->count; i++) {
        json_decref(exchange->tickets[i].id);
        json_decref(exchange->tickets[i].reply);
    }
    free(exchange);
}

static void settle(struct rpc_ticket *ticket, json_t *result, int code, const char *data)
{
    struct rpc_exchange *exchange = ticket->exchange;
    assert(!ticket->reply && exchange->waiting > 0);
    if (!result)
        exchange->failed = true;
    ticket->reply = result ? envelope(ticket->id, "result", result)
                           : envelope(ticket->id, "error", json_error(code, data));
    if (!ticket->reply)
        ticket->reply = json_null(); /* memory is short */
    exchange->waiting--;
    finish_when_done(exchange);
}

void rpc_ticket_answer(struct rpc_ticket *ticket, json_t *result, const char *data)
{
    settle(ticket, result, RPC_INTERNAL_ERROR, data);
}

json_t *rpc_fail(struct rpc_call *call, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(call->data, sizeof call->data, format, args);
    va_end(args);
    call->code = RPC_INTERNAL_ERROR;
    return NULL;
}

/* --- calls --- */

static void invoke(struct rpc_call *call, const struct rpc_route *route)
{
    struct rpc_ticket *ticket = call->ticket;
    json_t *result = route->method(call);
    if (!call->later)
        settle(ticket, result, call->code ? call->code : RPC_INTERNAL_ERROR, call->data);
}

static bool refuse_params(struct rpc_call *call, const char *form, const struct fault *fault)
{
    call->code = RPC_INVALID_PARAMS;
    snprintf(call->data, sizeof call->data, "error converting %s params to arguments: %s", form,
             fault->text);
    return false;
}

static uint32_t param_count(const struct rpc_route *route)
{
    uint32_t count = 0;
    while (route->params[count].name)
        count++;
    return count;
}

static bool json_params(struct rpc_call *call, const struct rpc_route *route, const json_t *params)
{
    struct fault fault;
    uint32_t count = param_count(route);
    if (!params || json_is_null(params))
        return true;
    if (!json_is_object(params) && !json_is_array(params)) {
        fault_set(&fault, "unknown type for JSON params. Expected map or array");
        return refuse_params(call, "json", &fault);
    }
    if (json_is_array(params) && json_array_size(params) != count) {
        fault_set(&fault, "expected %u parameters, got %zu", (unsigned)count,
                  json_array_size(params));
        return refuse_params(call, "json", &fault);
    }
    for (uint32_t i = 0; i < count; i++) {
        const json_t *value = json_is_array(params)
                                  ? json_array_get(params, i)
                                  : json_object_get(params, route->params[i].name);
        if (!rpc_arg_from_json(route->params[i].type, value, &call->args[i], &fault))
            return refuse_params(call, "json", &fault);
    }
    return true;
}

static void call_json(struct rpc_exchange *exchange, struct rpc_ticket *ticket,
                      const json_t *request)
{
    const char *method = json_string_value(json_object_get(request, "method"));
    const struct rpc_route *route = method ? find_route(method) : NULL;
    struct rpc_call call = {.rpc = exchange->rpc, .ticket = ticket};
    exchange->waiting++;
    if (!route)
        settle(ticket, NULL, RPC_METHOD_NOT_FOUND, "");
    else if (!json_params(&call, route, json_object_get(request, "params")))
        settle(ticket, NULL, call.code, call.data);
    else
        invoke(&call, route);
    rpc_args_clear(call.args);
}

/* --- POST --- */

/* CometBFT's ids: texts, or numbers, of which it keeps the whole part. A request without one is a notification, and
 * gets no reply. False: it is no request. */
static bool read_id(const json_t *request, json_t **id)
{
    json_t *given = json_object_get(request, "id");
    *id = NULL;
    if (!json_is_object(request))
        return false;
    if (json_is_real(given) && json_real_value(given) > -ID_MAX && json_real_value(given) < ID_MAX)
        *id = json_integer((json_int_t)json_real_value(given));
    else if (json_is_string(given) || json_is_integer(given))
        *id = json_incref(given);
    else
        return !given || json_is_null(given);
    return *id != NULL;
}

static bool is_request(const json_t *request, bool *answered)
{
    const json_t *method = json_object_get(request, "method");
    json_t *id;
    bool good = read_id(request, &id) && (!method || json_is_string(method));
    *answered = id != NULL;
    json_decref(id);
    return good;
}

/* How many replies a list wants; false when one of it is no request. */
static bool count_requests(const json_t *list, uint32_t *count)
{
    *count = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        bool answered;
        if (!is_request(json_array_get(list, i), &answered))
            return false;
        *count += answered;
    }
    return true;
}

static void call_all(const struct devnet_rpc *rpc, struct devnet_exchange *http, const json_t *list,
                     uint32_t count)
{
    struct rpc_exchange *exchange = exchange_new(rpc, http, count);
    if (!exchange) {
        devnet_exchange_answer(http, 500, JSON_TYPE, NULL);
        return;
    }
    for (size_t i = 0, at = 0; i < json_array_size(list); i++) {
        json_t *id = NULL;
        const json_t *request = json_array_get(list, i);
        if (!read_id(request, &id) || !id)
            continue;
        exchange->tickets[at].id = id;
        call_json(exchange, &exchange->tickets[at++], request);
    }
    exchange->begun = true;
    finish_when_done(exchange);
}

static void post(const struct devnet_rpc *rpc, const struct devnet_request *request,
                 struct devnet_exchange *http)
{
    json_error_t error;
    uint32_t count;
    json_t *root =
        json_loadb(request->body, request->size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    json_t *list = json_is_array(root) ? json_incref(root) : json_array();
    if (root && !json_is_array(root))
        json_array_append(list, root);
    char words[RPC_ERROR_MAX] = "error unmarshalling request: expected JSON-RPC requests";
    if (!root)
        snprintf(words, sizeof words, "error unmarshalling request: %s", error.text);
    if (!root || !count_requests(list, &count))
        answer_error(http, 500, RPC_PARSE_ERROR, words);
    else if (json_array_size(list) > RPC_BATCH_MAX)
        answer_error(http, 400, RPC_INVALID_REQUEST, "too many requests at once");
    else
        call_all(rpc, http, list, count);
    json_decref(list);
    json_decref(root);
}

/* --- GET --- */

static bool uri_params(struct rpc_call *call, const struct rpc_route *route,
                       struct devnet_exchange *http)
{
    struct fault fault;
    for (uint32_t i = 0; route->params[i].name; i++) {
        const char *text = devnet_exchange_param(http, route->params[i].name);
        if (text && !rpc_arg_from_text(route->params[i].type, text, &call->args[i], &fault))
            return refuse_params(call, "http", &fault);
    }
    return true;
}

static void call_uri(const struct devnet_rpc *rpc, const struct rpc_route *route,
                     struct devnet_exchange *http)
{
    struct rpc_exchange *exchange = exchange_new(rpc, http, 1);
    if (!exchange) {
        devnet_exchange_answer(http, 500, JSON_TYPE, NULL);
        return;
    }
    struct rpc_ticket *ticket = &exchange->tickets[0];
    struct rpc_call call = {.rpc = rpc, .ticket = ticket};
    exchange->uri = exchange->begun = true;
    exchange->waiting = 1;
    ticket->id = json_integer(URI_ID);
    if (uri_params(&call, route, http))
        invoke(&call, route);
    else
        settle(ticket, NULL, call.code, call.data);
    rpc_args_clear(call.args);
}

static void list_routes(struct devnet_exchange *http)
{
    char *text = malloc(LIST_MAX);
    size_t at = 0;
    if (text)
        at += (size_t)snprintf(text, LIST_MAX, "<html><body><br>Available endpoints:<br>\n");
    for (size_t i = 0; i < sizeof routes / sizeof *routes && text; i++) {
        at += (size_t)snprintf(text + at, LIST_MAX - at, "<a href=\"/%s\">/%s", routes[i].name,
                               routes[i].name);
        for (uint32_t p = 0; routes[i].params[p].name; p++)
            at += (size_t)snprintf(text + at, LIST_MAX - at, "%s%s=_", p ? "&amp;" : "?",
                                   routes[i].params[p].name);
        at += (size_t)snprintf(text + at, LIST_MAX - at, "</a><br>\n");
    }
    if (text)
        snprintf(text + at, LIST_MAX - at, "</body></html>\n");
    devnet_exchange_answer(http, 200, "text/html", text);
}

void devnet_rpc_handle(void *context, const struct devnet_request *request,
                       struct devnet_exchange *exchange)
{
    const struct devnet_rpc *rpc = context;
    const char *name = request->path + strspn(request->path, "/");
    const struct rpc_route *route = find_route(name);
    if (request->too_large)
        answer_error(exchange, 400, RPC_INVALID_REQUEST,
                     "error reading request body: http: request body too large");
    else if (route)
        call_uri(rpc, route, exchange);
    else if (*name)
        devnet_exchange_answer(exchange, 404, "text/plain; charset=utf-8",
                               strdup("404 page not found\n"));
    else if (request->size == 0)
        list_routes(exchange);
    else
        post(rpc, request, exchange);
}
