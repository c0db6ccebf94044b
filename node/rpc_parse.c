#include <inttypes.h>
#include <string.h>

#include "node/field.h"
#include "node/rpc.h"

/* --- limits, before a tree is built --- */

struct scan {
    const char *at, *end;
    uint32_t depth, values, containers;
    struct fault *fault;
};

/* Behind the string that begins here; the end of the text when it does not end. */
static const char *behind_string(const char *at, const char *end)
{
    for (at++; at < end; at++) {
        const char *quote = memchr(at, '"', (size_t)(end - at));
        if (quote == NULL)
            return end;
        size_t escapes = 0;
        while (quote - escapes > at && quote[-1 - (ptrdiff_t)escapes] == '\\')
            escapes++;
        at = quote;
        if (escapes % 2 == 0)
            return quote + 1;
    }
    return end;
}

static bool scan_open(struct scan *scan)
{
    if (++scan->depth > RPC_DEPTH_MAX)
        return fault_set(scan->fault, "reply: nests deeper than %d", RPC_DEPTH_MAX);
    if (++scan->containers > RPC_CONTAINERS_MAX)
        return fault_set(scan->fault, "reply: has more than %d lists and objects",
                         RPC_CONTAINERS_MAX);
    return true;
}

static bool scan_number(struct scan *scan)
{
    if (scan->end - scan->at >= 2 && scan->at[1] == '0' &&
        !(scan->end - scan->at >= 3 && strchr(".eE", scan->at[2]) != NULL && scan->at[2] != '\0'))
        return fault_set(scan->fault, "reply: has the number -0");
    return true;
}

/* One character outside of strings. jansson takes -0 for 0, so that is found here. */
static bool scan_character(struct scan *scan)
{
    switch (*scan->at) {
    case '[':
    case '{':
        return scan_open(scan);
    case ']':
    case '}':
        scan->depth -= scan->depth > 0 ? 1 : 0; /* what does not match is for the parser */
        return true;
    case ',':
        return ++scan->values <= RPC_VALUES_MAX ||
               fault_set(scan->fault, "reply: has more than %d values", RPC_VALUES_MAX);
    case '-':
        return scan_number(scan);
    default:
        return true;
    }
}

static bool within_limits(const char *text, size_t size, struct fault *fault)
{
    struct scan scan = {.at = text, .end = text + size, .fault = fault};
    while (scan.at < scan.end) {
        if (*scan.at == '"') {
            scan.at = behind_string(scan.at, scan.end);
            continue;
        }
        if (!scan_character(&scan))
            return false;
        scan.at++;
    }
    return true;
}

json_t *rpc_parse(const char *text, size_t size, struct fault *fault)
{
    json_error_t error;
    if (size == 0) {
        (void)fault_set(fault, "reply: is empty");
        return NULL;
    }
    if (!within_limits(text, size, fault))
        return NULL;
    /* NUL is allowed in texts, since applications may put it into logs; every reader minds lengths. */
    json_t *tree = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (tree == NULL)
        (void)fault_set(fault, "reply: is no JSON at byte %d: %.120s", error.position, error.text);
    return tree;
}

/* --- the envelope --- */

static bool is_our_id(const json_t *id, uint64_t ours)
{
    return json_is_integer(id) && json_integer_value(id) >= 0 &&
           (uint64_t)json_integer_value(id) == ours;
}

/* A node that could not read the request or failed inside does not know its id. */
static bool is_no_id(const json_t *id)
{
    return id == NULL || json_is_null(id) || (json_is_integer(id) && json_integer_value(id) == -1);
}

static bool read_error(const struct field *top, struct rpc_envelope *out)
{
    static const char *const known[] = {"code", "message", "data", NULL};
    struct field at, code, message, data;
    bool has_data;
    if (!field_in(top, "error", &at) || !field_in(&at, "code", &code) ||
        !field_in(&at, "message", &message) || !field_optional(&at, "data", known, &has_data))
        return false;
    if (!json_is_integer(code.value))
        return field_wrong(&code, "is no whole number");
    if (!json_is_string(message.value))
        return field_wrong(&message, "is no text");
    if (has_data && (!field_in(&at, "data", &data) || !json_is_string(data.value)))
        return field_wrong(&data, "is no text");
    out->error_code = json_integer_value(code.value);
    out->error_message = json_string_value(message.value);
    out->error_data = has_data ? json_string_value(data.value) : "";
    return true;
}

bool rpc_envelope(const json_t *reply, uint64_t id, struct rpc_envelope *out, struct fault *fault)
{
    struct field top = field_top(reply, "reply", fault);
    const json_t *their_id = json_object_get(reply, "id");
    *out = (struct rpc_envelope){.error_message = "", .error_data = ""};
    if (!field_is_text(&top, "jsonrpc", "2.0"))
        return false;
    if (field_has(&top, "result") == field_has(&top, "error"))
        return field_wrong(&top, "has %s",
                           field_has(&top, "result") ? "both result and error"
                                                     : "neither result nor error");
    if (!is_our_id(their_id, id) && !(field_has(&top, "error") && is_no_id(their_id)))
        return field_wrong(&top, "its id is not %" PRIu64 ", the request's", id);
    if (field_has(&top, "error"))
        return read_error(&top, out);
    out->result = json_object_get(reply, "result");
    return true;
}
