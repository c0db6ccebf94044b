#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proto/encoding.h"
#include "sim/devnet_rpc_internal.h"

#define WORD_MAX 64 /* of a refused value, in an error */

static bool give_bytes(struct rpc_arg *arg, const void *bytes, size_t size, struct fault *fault)
{
    arg->bytes = malloc(size + 1);
    if (!arg->bytes)
        return fault_set(fault, "out of memory");
    if (size > 0)
        memcpy(arg->bytes, bytes, size);
    arg->bytes[size] = '\0';
    arg->size = size;
    arg->given = true;
    return true;
}

static bool give_number(struct rpc_arg *arg, const char *text, struct fault *fault)
{
    char *end;
    errno = 0;
    arg->number = strtoll(text, &end, 10);
    if (*text == '\0' || isspace((unsigned char)*text) || *text == '+' || *end != '\0' ||
        errno != 0)
        return fault_set(fault, "json: cannot unmarshal number %.*s into Go value of type int64",
                         WORD_MAX, text);
    arg->given = true;
    return true;
}

static bool give_hex(struct rpc_arg *arg, const char *text, struct fault *fault)
{
    size_t length = strlen(text);
    arg->bytes = calloc(1, length / 2 + 1);
    if (!arg->bytes)
        return fault_set(fault, "out of memory");
    if (length % 2 != 0)
        return fault_set(fault, "encoding/hex: odd length hex string");
    if (!hex_decode(text, length, arg->bytes, length / 2))
        return fault_set(fault, "encoding/hex: invalid byte in hex string");
    arg->size = length / 2;
    arg->given = true;
    return true;
}

static bool give_base64(struct rpc_arg *arg, const char *text, struct fault *fault)
{
    size_t length = strlen(text), room = BASE64_BYTES(length);
    arg->bytes = calloc(1, room + 1);
    if (!arg->bytes)
        return fault_set(fault, "out of memory");
    if (!base64_decode(text, length, arg->bytes, room, &arg->size))
        return fault_set(fault, "illegal base64 data in \"%.*s\"", WORD_MAX, text);
    arg->given = true;
    return true;
}

static const char *kind_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "array";
    case JSON_STRING:
        return "string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "number";
    default:
        return "bool";
    }
}

static bool misfit(const json_t *value, const char *wanted, struct fault *fault)
{
    return fault_set(fault, "json: cannot unmarshal %s into Go value of type %s", kind_of(value),
                     wanted);
}

static bool number_from_json(const json_t *value, struct rpc_arg *arg, struct fault *fault)
{
    if (json_is_integer(value))
        return fault_set(fault, "invalid 64-bit integer encoding \"%lld\", expected string",
                         (long long)json_integer_value(value));
    if (!json_is_string(value))
        return fault_set(fault, "invalid 64-bit integer encoding of a JSON %s, expected string",
                         kind_of(value));
    return give_number(arg, json_string_value(value), fault);
}

bool rpc_arg_from_json(enum rpc_type type, const json_t *value, struct rpc_arg *arg,
                       struct fault *fault)
{
    if (!value || json_is_null(value))
        return true;
    if (type == RPC_INT)
        return number_from_json(value, arg, fault);
    if (type == RPC_BOOL) {
        arg->number = json_is_true(value);
        arg->given = true;
        return json_is_boolean(value) || misfit(value, "bool", fault);
    }
    if (!json_is_string(value))
        return misfit(value, type == RPC_STRING ? "string" : "[]uint8", fault);
    const char *text = json_string_value(value);
    switch (type) {
    case RPC_BYTES:
        return give_base64(arg, text, fault);
    case RPC_HEX:
        return give_hex(arg, text, fault);
    default:
        return give_bytes(arg, text, json_string_length(value), fault);
    }
}

/* --- the form of addresses --- */

static bool is_number(const char *text)
{
    size_t at = *text == '-';
    return text[at] != '\0' && strspn(text + at, "0123456789") == strlen(text + at);
}

static bool from_json_text(enum rpc_type type, const char *text, struct rpc_arg *arg,
                           struct fault *fault)
{
    json_error_t error;
    json_t *value = json_loads(text, JSON_DECODE_ANY, &error);
    if (!value)
        return fault_set(fault, "invalid value \"%.*s\": %s", WORD_MAX, text, error.text);
    bool good;
    if (json_is_string(value) && (type == RPC_BYTES || type == RPC_HEX)) /* its text, as it is */
        good = give_bytes(arg, json_string_value(value), json_string_length(value), fault);
    else
        good = rpc_arg_from_json(type, value, arg, fault);
    json_decref(value);
    return good;
}

bool rpc_arg_from_text(enum rpc_type type, const char *text, struct rpc_arg *arg,
                       struct fault *fault)
{
    if (*text == '\0')
        return true;
    if (type == RPC_INT && is_number(text))
        return give_number(arg, text, fault);
    if (strncasecmp(text, "0x", 2) == 0) {
        if (type == RPC_INT || type == RPC_BOOL)
            return fault_set(fault, "got a hex string arg, but expected '%s'",
                             type == RPC_INT ? "int64" : "bool");
        return give_hex(arg, text + 2, fault);
    }
    return from_json_text(type, text, arg, fault);
}

void rpc_args_clear(struct rpc_arg args[RPC_ARGS_MAX])
{
    for (int i = 0; i < RPC_ARGS_MAX; i++) {
        free(args[i].bytes);
        args[i] = (struct rpc_arg){0};
    }
}
