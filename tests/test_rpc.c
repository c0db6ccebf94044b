/* The RPC client against tests/rpc_server.py, which misbehaves as it is told. */
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/rpc.h"
#include "tests/rpc_process.h"

#define REPLY_MAX ((size_t)1 << 20)
#define TEXT_MAX 1024

static struct rpc_process servers; /* two, without TLS */

/* libcurl's threads resolve names through this: it answers when the test ends. */
static int name_server[2];

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
    char byte;
    (void)node, (void)service, (void)hints, (void)result;
    ssize_t size = read(name_server[0], &byte, 1);
    return size < 0 ? EAI_SYSTEM : EAI_FAIL;
}

/* --- one client and its calls --- */

struct client {
    zloop_t *loop;
    struct rpc *rpc;
    bool calling, done;
    uint32_t left; /* calls that are to be answered */
    enum rpc_outcome outcome;
    uint32_t endpoint, answers;
    int64_t error_code;
    char data[TEXT_MAX], text[TEXT_MAX];
    json_t *result;
};

static void on_answer(void *owner, const struct rpc_answer *answer)
{
    struct client *client = owner;
    assert_false(client->calling);
    json_decref(client->result);
    client->result = json_deep_copy(answer->result);
    client->outcome = answer->outcome;
    client->endpoint = answer->endpoint;
    client->error_code = answer->error_code;
    (void)snprintf(client->data, TEXT_MAX, "%s", answer->error_data);
    (void)snprintf(client->text, TEXT_MAX, "%s", answer->text);
    assert_int_equal(answer->outcome == RPC_OK, answer->result != NULL);
    assert_int_equal(answer->outcome == RPC_OK, answer->text[0] == '\0');
    assert_int_equal(answer->outcome == RPC_FAILED, answer->endpoint == RPC_ANY);
    client->answers++;
    client->done = --client->left == 0;
}

static void client_open(struct client *client, const struct rpc_config *config)
{
    struct fault fault;
    *client = (struct client){.loop = zloop_new()};
    client->rpc = rpc_create(client->loop, config, &fault);
    if (client->rpc == NULL)
        fail_msg("%s", fault.text);
}

/* Both servers, and a time-out that a busy machine keeps. */
static void client_open_usual(struct client *client)
{
    const char *urls[] = {servers.urls[0], servers.urls[1]};
    client_open(client,
                &(struct rpc_config){
                    .urls = urls, .url_count = 2, .timeout_ms = 1500, .reply_max = REPLY_MAX});
}

static void client_close(struct client *client)
{
    json_decref(client->result);
    rpc_destroy(&client->rpc);
    assert_null(client->rpc);
    zloop_destroy(&client->loop);
}

static uint64_t start(struct client *client, const char *method, json_t *params, uint32_t endpoint)
{
    client->calling = true;
    client->left++;
    client->done = false;
    uint64_t ticket = rpc_call(client->rpc, method, params, endpoint, on_answer, client);
    client->calling = false;
    assert_true(ticket != 0);
    return ticket;
}

static void ask(struct client *client, const char *method, json_t *params, uint32_t endpoint)
{
    (void)start(client, method, params, endpoint);
    assert_true(rpc_wait(client->rpc, &client->done));
}

/* Which server says that it is. */
static int64_t who(struct client *client)
{
    ask(client, "who", NULL, RPC_ANY);
    assert_int_equal(client->outcome, RPC_OK);
    assert_int_equal(client->endpoint, json_integer_value(client->result));
    return json_integer_value(client->result);
}

static int64_t accepted(struct client *client, uint32_t endpoint)
{
    ask(client, "counts", NULL, endpoint);
    assert_int_equal(client->outcome, RPC_OK);
    return json_integer_value(json_object_get(client->result, "accepted"));
}

/* --- answers --- */

static const struct {
    const char *method;
    enum rpc_outcome outcome;
    const char *words; /* in the text */
} tricks[] = {
    {"who", RPC_OK, ""},
    {"chunked", RPC_OK, ""},
    {"until_close", RPC_OK, ""},
    {"close", RPC_OK, ""},
    {"later", RPC_OK, ""},
    {"refuse", RPC_REFUSED, ": refuse: refused: Internal error (-32603): refused"},
    {"error_500", RPC_REFUSED, "Internal error (-32603): said"},
    {"error_400", RPC_REFUSED, "said"},
    {"panic", RPC_REFUSED, "said"},
    {"nothing", RPC_REFUSED, "Method not found (-32601)"},
    {"error_429", RPC_FAILED, "HTTP status 429"},
    {"result_500", RPC_FAILED, "HTTP status 500"},
    {"result_201", RPC_FAILED, "HTTP status 201"},
    {"page_404", RPC_FAILED, "HTTP status 404"},
    {"moved", RPC_FAILED, "HTTP status 302, which is not followed"},
    {"drip", RPC_FAILED, "timed out"},
    {"silent", RPC_FAILED, "timed out"},
    {"cut", RPC_FAILED, "cut off after 1000 bytes"},
    {"chunked_cut", RPC_FAILED, ""},
    {"reset", RPC_FAILED, ""},
    {"long_length", RPC_FAILED, "cut off"},
    {"short_length", RPC_FAILED, "is no JSON"},
    {"wild_length", RPC_FAILED, ""},
    {"huge", RPC_FAILED, "larger than 1048576 bytes"},
    {"huge_chunked", RPC_FAILED, "larger than 1048576 bytes"},
    {"many_headers", RPC_FAILED, "head is larger than"},
    {"not_http", RPC_FAILED, ""},
    {"deep", RPC_FAILED, "nests deeper than 32"},
    {"empty", RPC_FAILED, "is empty"},
    {"no_json", RPC_FAILED, "is no JSON"},
    {"behind", RPC_FAILED, "is no JSON"},
    {"bytes", RPC_FAILED, "is no JSON"},
    {"wrong_id", RPC_FAILED, "its id is not"},
    {"text_id", RPC_FAILED, "its id is not"},
    {"no_id", RPC_FAILED, "its id is not"},
    {"version_1", RPC_FAILED, "jsonrpc: \"1.0\" is not 2.0"},
    {"neither", RPC_FAILED, "neither result nor error"},
    {"both", RPC_FAILED, "both result and error"},
    {"twice", RPC_FAILED, "duplicate object key"},
    {"list", RPC_FAILED, "is a list, expected an object"},
    {"error_text", RPC_FAILED, "error.code: is no whole number"},
};

static void test_tricks(void **state)
{
    struct client client;
    (void)state;
    client_open_usual(&client);
    for (size_t i = 0; i < sizeof tricks / sizeof tricks[0]; i++) {
        ask(&client, tricks[i].method, NULL, 0);
        if (client.outcome != tricks[i].outcome || strstr(client.text, tricks[i].words) == NULL)
            fail_msg("%s: outcome %d, \"%s\"", tricks[i].method, (int)client.outcome, client.text);
        if (client.outcome != RPC_OK)
            assert_non_null(strstr(client.text, servers.urls[0]));
    }
    client_close(&client);
}

static void test_params(void **state)
{
    struct client client;
    (void)state;
    client_open_usual(&client);
    ask(&client, "echo", json_pack("{s:s, s:b}", "height", "9223372036854775807", "prove", 0), 1);
    assert_int_equal(client.endpoint, 1);
    assert_string_equal(json_string_value(json_object_get(client.result, "height")),
                        "9223372036854775807");
    ask(&client, "echo", NULL, RPC_ANY);
    assert_int_equal(json_object_size(client.result), 0);
    ask(&client, "refuse", json_pack("{s:s}", "data", "tx already exists in cache"), RPC_ANY);
    assert_int_equal(client.error_code, -32603);
    assert_string_equal(client.data, "tx already exists in cache");
    client_close(&client);
}

/* --- several endpoints --- */

static void test_failover(void **state)
{
    static const char *const methods[] = {"unavailable_first", "busy_first", "cut_first",
                                          "reset_first", "later_first"};
    (void)state;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        struct client client;
        client_open_usual(&client);
        ask(&client, methods[i], NULL, RPC_ANY);
        assert_int_equal(client.outcome, RPC_OK);
        assert_int_equal(client.endpoint, 1);
        assert_int_equal(json_integer_value(client.result), 1);
        assert_int_equal(who(&client), 1); /* the first one rests */
        ask(&client, "who", NULL, 0);      /* unless it is meant: a proper answer ends the rest */
        assert_int_equal(client.endpoint, 0);
        assert_int_equal(who(&client), 0);
        ask(&client, methods[i], NULL, 0);
        assert_int_equal(client.outcome, RPC_FAILED);
        client_close(&client);
    }
}

static void test_all_rest(void **state)
{
    struct client client;
    (void)state;
    client_open_usual(&client);
    ask(&client, "silent", NULL, RPC_ANY);
    assert_int_equal(client.outcome, RPC_FAILED);
    assert_int_equal(who(&client), 0); /* there is nothing better */
    client_close(&client);
}

static void test_rest_ends(void **state)
{
    struct client client;
    (void)state;
    client_open_usual(&client);
    int64_t begin_ms = zclock_mono();
    ask(&client, "unavailable_first", NULL, RPC_ANY);
    while (who(&client) == 1) /* each call waits a little, at the server */
        ask(&client, "later", json_pack("{s:s}", "ms", "50"), 1);
    assert_in_range(zclock_mono() - begin_ms, 1000, 10000);
    client_close(&client);
}

static void test_distrust(void **state)
{
    struct client client;
    (void)state;
    client_open_usual(&client);
    assert_int_equal(who(&client), 0);
    rpc_distrust(client.rpc, 0);
    assert_int_equal(who(&client), 1);
    ask(&client, "who", NULL, 0);
    assert_int_equal(who(&client), 1); /* answering does not earn trust */
    client_close(&client);
}

static void test_unreachable(void **state)
{
    const char *urls[] = {"http://127.0.0.1:1", servers.urls[1]};
    struct client client;
    (void)state;
    client_open(&client, &(struct rpc_config){.urls = urls, .url_count = 2});
    ask(&client, "who", NULL, RPC_ANY);
    assert_int_equal(client.endpoint, 1);
    ask(&client, "who", NULL, 0);
    assert_int_equal(client.outcome, RPC_FAILED);
    assert_non_null(strstr(client.text, "http://127.0.0.1:1: who: "));
    client_close(&client);
}

/* --- connections --- */

static void test_keep_alive(void **state)
{
    struct client client;
    (void)state;
    client_open_usual(&client);
    int64_t before = accepted(&client, 0);
    for (int i = 0; i < 50; i++)
        assert_int_equal(who(&client), 0);
    assert_int_equal(accepted(&client, 0), before);
    for (int i = 0; i < 5; i++) /* a connection that was closed meanwhile is noticed */
        ask(&client, "close", NULL, 0);
    assert_int_equal(client.outcome, RPC_OK);
    client_close(&client);
}

static void test_in_flight(void **state)
{
    const char *urls[] = {servers.urls[0]};
    struct client client;
    (void)state;
    client_open(&client, &(struct rpc_config){.urls = urls, .url_count = 1, .in_flight_max = 8});
    int64_t before = accepted(&client, 0), begin_ms = zclock_mono();
    for (int i = 0; i < 40; i++)
        (void)start(&client, "later", json_pack("{s:s}", "ms", "100"), RPC_ANY);
    assert_true(rpc_wait(client.rpc, &client.done));
    assert_int_equal(client.answers, 41);
    assert_in_range(zclock_mono() - begin_ms, 500, 3900); /* five rounds, not forty */
    assert_in_range(accepted(&client, 0) - before, 1, 8);
    client_close(&client);
}

/* --- cancelling, calling on, giving up --- */

static void test_cancel(void **state)
{
    const char *urls[] = {servers.urls[0]};
    struct client client;
    (void)state;
    client_open(&client, &(struct rpc_config){.urls = urls, .url_count = 1, .in_flight_max = 1});
    uint64_t running = start(&client, "silent", NULL, RPC_ANY);
    uint64_t waiting = start(&client, "silent", NULL, RPC_ANY);
    client.left = 0;
    rpc_cancel(client.rpc, waiting);
    rpc_cancel(client.rpc, waiting); /* nothing any more */
    rpc_cancel(client.rpc, running);
    rpc_cancel(client.rpc, 12345);
    assert_int_equal(who(&client), 0);
    assert_int_equal(client.answers, 1);
    client_close(&client);
}

struct chain_of_calls {
    struct client *client;
    uint32_t left;
    uint64_t victim;
};

static void call_again(void *owner, const struct rpc_answer *answer)
{
    struct chain_of_calls *chain = owner;
    assert_int_equal(answer->outcome, RPC_OK);
    if (chain->victim != 0)
        rpc_cancel(chain->client->rpc, chain->victim);
    chain->victim = 0;
    if (--chain->left == 0)
        chain->client->done = true;
    else
        (void)rpc_call(chain->client->rpc, "who", NULL, RPC_ANY, call_again, chain);
}

static void test_calls_from_done(void **state)
{
    struct client client;
    (void)state;
    client_open_usual(&client);
    struct chain_of_calls chain = {.client = &client, .left = 20};
    chain.victim = start(&client, "silent", NULL, RPC_ANY);
    (void)rpc_call(client.rpc, "who", NULL, RPC_ANY, call_again, &chain);
    assert_true(rpc_wait(client.rpc, &client.done));
    assert_int_equal(client.answers, 0);
    client_close(&client);
}

static void test_destroy(void **state)
{
    struct client client;
    (void)state;
    client_open_usual(&client); /* before the loop has ever run */
    for (int i = 0; i < 40; i++)
        (void)start(&client, "who", NULL, RPC_ANY);
    client_close(&client);
    assert_int_equal(client.answers, 0);
    client_open_usual(&client); /* and with calls on their way */
    for (int i = 0; i < 10; i++)
        (void)start(&client, "silent", NULL, RPC_ANY);
    client.left = 0;
    ask(&client, "who", NULL, RPC_ANY);
    client_close(&client);
    assert_int_equal(client.answers, 1);
}

/* --- the loop goes on --- */

static int on_tick(zloop_t *loop, int timer, void *argument)
{
    (void)loop, (void)timer;
    ++*(uint32_t *)argument;
    return 0;
}

/* A name that is not resolved holds up neither the loop nor the end; else this would not end. */
static void test_slow_name(void **state)
{
    const char *urls[] = {"http://slow.invalid:26657", servers.urls[1]};
    struct client client;
    uint32_t ticks = 0;
    (void)state;
    client_open(&client, &(struct rpc_config){.urls = urls, .url_count = 2, .timeout_ms = 600});
    int timer = zloop_timer(client.loop, 10, 0, on_tick, &ticks);
    ask(&client, "who", NULL, RPC_ANY);
    assert_int_equal(client.endpoint, 1);
    assert_true(ticks >= 10);
    (void)start(&client, "who", NULL, 0);
    ask(&client, "who", NULL, 1);
    zloop_timer_end(client.loop, timer);
    client_close(&client);
}

/* --- URLs and TLS --- */

static const struct {
    const char *url, *words;
} wrong_urls[] = {
    {"localhost:26657", "is no URL such as http://localhost:26657"},
    {"", "is no URL"},
    {"ftp://localhost", "begins with none of http://, https://, tcp://"},
    {"file:///etc/passwd", "begins with none of"},
    {"unix:///run/node.sock", "is no URL"},
    {"http://", "is no URL"},
    {"http://local host", "is no URL"},
    {"http://localhost:99999", "is no URL"},
    {"http://localhost:26657/?a=b", "behind its path"},
    {"http://localhost:26657/#a", "behind its path"},
    {"http://u:secret@local host", "\"the URL with a user\" is no URL"},
};

static void test_wrong_urls(void **state)
{
    zloop_t *loop = zloop_new();
    (void)state;
    for (size_t i = 0; i < sizeof wrong_urls / sizeof wrong_urls[0]; i++) {
        struct fault fault;
        struct rpc_config config = {.urls = &wrong_urls[i].url, .url_count = 1};
        assert_null(rpc_create(loop, &config, &fault));
        if (strstr(fault.text, wrong_urls[i].words) == NULL || strstr(fault.text, "secret"))
            fail_msg("%s: \"%s\"", wrong_urls[i].url, fault.text);
    }
    const char *twice[] = {"http://localhost:1", "tcp://localhost:1/"};
    struct fault fault;
    assert_null(rpc_create(loop, &(struct rpc_config){.urls = twice, .url_count = 2}, &fault));
    assert_string_equal(fault.text, "http://localhost:1 is given twice");
    assert_null(rpc_create(
        loop, &(struct rpc_config){.urls = twice, .url_count = 1, .ca_file = "/nowhere/ca.pem"},
        &fault));
    assert_non_null(strstr(fault.text, "/nowhere/ca.pem: cannot be read"));
    assert_null(rpc_create(loop, &(struct rpc_config){.urls = twice}, &fault));
    zloop_destroy(&loop);
}

/* The user goes to the endpoint, and nowhere else. */
static void test_user(void **state)
{
    char url[128];
    const char *urls[] = {url};
    struct client client;
    (void)state;
    (void)snprintf(url, sizeof url, "tcp://anna:s%%40cret@%.60s/",
                   servers.urls[0] + strlen("http://"));
    client_open(&client, &(struct rpc_config){.urls = urls, .url_count = 1});
    assert_string_equal(rpc_endpoint_url(client.rpc, 0), servers.urls[0]);
    assert_int_equal(rpc_endpoint_count(client.rpc), 1);
    ask(&client, "head", NULL, RPC_ANY);
    char *head = json_dumps(client.result, 0);
    assert_non_null(strstr(head, "Authorization: Basic YW5uYTpzQGNyZXQ=")); /* anna:s@cret */
    free(head);
    ask(&client, "no_json", NULL, RPC_ANY);
    assert_null(strstr(client.text, "cret"));
    client_close(&client);
}

static void test_tls(void **state)
{
    struct rpc_process secure;
    struct client client;
    char plain[80];
    (void)state;
    rpc_process_start(&secure, 1, true);
    const char *urls[] = {secure.urls[0], plain};
    (void)snprintf(plain, sizeof plain, "http://%.60s", secure.urls[0] + strlen("https://"));
    client_open(&client,
                &(struct rpc_config){.urls = urls, .url_count = 2, .ca_file = secure.ca_file});
    ask(&client, "who", NULL, 0);
    assert_int_equal(client.outcome, RPC_OK);
    ask(&client, "reset", NULL, 0); /* and nobody sends a signal */
    assert_int_equal(client.outcome, RPC_FAILED);
    for (int i = 0; i < 5; i++)
        ask(&client, "close", NULL, 0);
    assert_int_equal(client.outcome, RPC_OK);
    ask(&client, "who", NULL, 1);
    assert_int_equal(client.outcome, RPC_FAILED);
    client_close(&client);
    client_open(&client, &(struct rpc_config){.urls = urls, .url_count = 1}); /* the system's CAs */
    ask(&client, "who", NULL, RPC_ANY);
    assert_int_equal(client.outcome, RPC_FAILED);
    assert_non_null(strstr(client.text, "certificate"));
    client_close(&client);
    rpc_process_stop(&secure);
}

static int start_servers(void **state)
{
    (void)state;
    (void)setenv("http_proxy", "http://127.0.0.1:1", 1); /* is not used */
    assert_int_equal(pipe(name_server), 0);
    rpc_process_start(&servers, 2, false);
    return 0;
}

static int stop_servers(void **state)
{
    (void)state;
    close(name_server[1]);
    rpc_process_stop(&servers);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tricks),
        cmocka_unit_test(test_params),
        cmocka_unit_test(test_failover),
        cmocka_unit_test(test_all_rest),
        cmocka_unit_test(test_rest_ends),
        cmocka_unit_test(test_distrust),
        cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_keep_alive),
        cmocka_unit_test(test_in_flight),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_calls_from_done),
        cmocka_unit_test(test_destroy),
        cmocka_unit_test(test_slow_name),
        cmocka_unit_test(test_wrong_urls),
        cmocka_unit_test(test_user),
        cmocka_unit_test(test_tls),
    };
    zsys_handler_set(NULL);
    return cmocka_run_group_tests(tests, start_servers, stop_servers);
}
