/* The text of replies before anyone reads values: limits, JSON and the envelope. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/rpc.h"

#define HEAD "{\"jsonrpc\":\"2.0\",\"id\":7,"

/* --- limits and JSON --- */

static bool is_parsed(const char *text, size_t size, const char *words)
{
    struct fault fault = {""};
    json_t *tree = rpc_parse(text, size, &fault);
    bool good = tree != NULL;
    json_decref(tree);
    if (!good && strstr(fault.text, words) == NULL)
        fail_msg("\"%s\" has no \"%s\"", fault.text, words);
    return good;
}

static void test_limits(void **state)
{
    static const char *const quoted[] = {
        "[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]",
        "[\"\\\\\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\\\",-1]",
        "[-0.5,\"-0\"]",
    };
    char text[RPC_DEPTH_MAX * 2 + 3];
    (void)state;
    memset(text, '[', RPC_DEPTH_MAX + 1);
    memset(text + RPC_DEPTH_MAX + 1, ']', RPC_DEPTH_MAX + 1);
    assert_true(is_parsed(text + 1, RPC_DEPTH_MAX * 2, ""));
    assert_false(is_parsed(text, RPC_DEPTH_MAX * 2 + 2, "nests deeper than 32"));
    for (size_t i = 0; i < sizeof quoted / sizeof quoted[0]; i++)
        assert_true(is_parsed(quoted[i], strlen(quoted[i]), ""));
    assert_false(is_parsed("[-0]", 4, "the number -0"));
    assert_false(is_parsed("[\"-0", 4, "is no JSON"));
    size_t size = ((size_t)RPC_CONTAINERS_MAX + 2) * 3;
    char *many = malloc(size);
    assert_non_null(many);
    many[0] = '[';
    for (size_t i = 1; i + 2 < size; i += 3)
        memcpy(many + i, "[],", 3);
    assert_false(is_parsed(many, size, "more than 1048576 lists and objects"));
    free(many);
    size = ((size_t)RPC_VALUES_MAX + 2) * 2;
    many = malloc(size);
    assert_non_null(many);
    many[0] = '[';
    for (size_t i = 1; i < size; i++)
        many[i] = i % 2 == 0 ? ',' : '0';
    assert_false(is_parsed(many, size, "more than 8388608 values"));
    free(many);
}

static void test_json(void **state)
{
    static const struct {
        const char *text, *words;
    } wrong[] = {
        {"", "is empty"},
        {" ", "is no JSON"},
        {"1", "is no JSON"},
        {"{}x", "is no JSON at byte 3"},
        {"{} {}", "is no JSON"},
        {"{\"a\":1,\"a\":1}", "duplicate object key"},
        {"{\"a\":1,\"\\u0061\":1}", "duplicate object key"},
        {"{\"a\":01}", "is no JSON"},
        {"{\"a\":+1}", "is no JSON"},
        {"{\"a\":.5}", "is no JSON"},
        {"{\"a\":1e999}", "is no JSON"},
        {"{\"a\":99999999999999999999}", "is no JSON"},
        {"{\"a\":NaN}", "is no JSON"},
        {"{'a':1}", "is no JSON"},
        {"{\"a\":1,}", "is no JSON"},
        {"{\"a\":\"\xff\"}", "is no JSON"},
        {"{\"a\":\"\xc0\x80\"}", "is no JSON"},
        {"{\"a\":\"\\ud800\"}", "is no JSON"},
        {"{\"a\":\"\n\"}", "is no JSON"},
        {"{\"a\\u0000\":1}", "is no JSON"},
        {"\xef\xbb\xbf{}", "is no JSON"},
        {"{\"a\":1/**/}", "is no JSON"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (is_parsed(wrong[i].text, strlen(wrong[i].text), wrong[i].words))
            fail_msg("%s is parsed", wrong[i].text);
    assert_false(is_parsed("{}\0", 3, "is no JSON"));
    assert_true(is_parsed("{\"a\":\"\\u0000\"}", 14, ""));
}

/* --- the envelope --- */

/* "result", "code message data", or the fault */
static void read_envelope(const char *text, char words[FAULT_MAX])
{
    struct rpc_envelope envelope;
    struct fault fault = {""};
    json_t *tree = rpc_parse(text, strlen(text), &fault);
    assert_non_null(tree);
    if (!rpc_envelope(tree, 7, &envelope, &fault))
        (void)snprintf(words, FAULT_MAX, "%s", fault.text);
    else if (envelope.result != NULL)
        (void)snprintf(words, FAULT_MAX, "result");
    else
        (void)snprintf(words, FAULT_MAX, "%d %s %s", (int)envelope.error_code,
                       envelope.error_message, envelope.error_data);
    json_decref(tree);
}

static void test_envelope(void **state)
{
    static const struct {
        const char *text, *words;
    } replies[] = {
        {HEAD "\"result\":{}}", "result"},
        {HEAD "\"result\":null}", "result"},
        {HEAD "\"error\":{\"code\":-1,\"message\":\"m\",\"data\":\"d\"}}", "-1 m d"},
        {HEAD "\"error\":{\"code\":-1,\"message\":\"m\"}}", "-1 m "},
        {HEAD "\"error\":{\"code\":-1,\"message\":\"m\",\"dats\":\"d\"}}",
         "reply.error: data is missing, and \"dats\" is not known"},
        {HEAD "\"error\":{\"code\":-1,\"message\":\"m\",\"data\":5}}",
         "reply.error.data: is no text"},
        {HEAD "\"error\":{\"code\":-1.5,\"message\":\"m\"}}",
         "reply.error.code: is no whole number"},
        {HEAD "\"error\":{\"code\":-1,\"message\":null}}", "reply.error.message: is no text"},
        {HEAD "\"error\":{\"message\":\"m\"}}", "reply.error.code: is missing"},
        {HEAD "\"error\":{\"code\":1}}", "reply.error.message: is missing"},
        {HEAD "\"error\":null}", "reply.error: is null, expected an object"},
        {HEAD "\"error\":{},\"result\":{}}", "reply: has both result and error"},
        {HEAD "\"resalt\":{}}", "reply: has neither result nor error"},
        {"{\"jsonrpc\":\"2.0\",\"id\":8,\"result\":{}}", "reply: its id is not 7, the request's"},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"7\",\"result\":{}}",
         "reply: its id is not 7, the request's"},
        {"{\"jsonrpc\":\"2.0\",\"id\":-1,\"result\":{}}", "reply: its id is not 7, the request's"},
        {"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":1,\"message\":\"m\"}}", "1 m "},
        {"{\"jsonrpc\":\"2.0\",\"id\":8,\"error\":{\"code\":1,\"message\":\"m\"}}",
         "reply: its id is not 7, the request's"},
        {"{\"id\":7,\"result\":{}}", "reply.jsonrpc: is missing"},
        {"{\"jsonrpc\":2.0,\"id\":7,\"result\":{}}", "reply.jsonrpc: is a number, expected text"},
        {"[]", "reply: is a list, expected an object"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        char words[FAULT_MAX];
        read_envelope(replies[i].text, words);
        if (strcmp(words, replies[i].words) != 0)
            fail_msg("%s: \"%s\"", replies[i].text, words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_envelope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
