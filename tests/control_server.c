#include "tests/control_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* --- time; the server's patience runs out when the test says so --- */

int64_t server_later_ms;

int64_t __real_zclock_mono(void);
int64_t __wrap_zclock_mono(void);
int64_t __wrap_zclock_mono(void)
{
    return __real_zclock_mono() + server_later_ms;
}

/* --- a server that answers "echo" at once and keeps everybody else --- */

struct server server;

void server_ring(void)
{
    assert_int_equal(write(server.bell[1], "!", 1), 1);
}

static void on_request(void *owner, struct control_client *client, const json_t *request)
{
    const char *command = json_string_value(json_object_get(request, "command"));
    assert_ptr_equal(owner, &server);
    server.asked++;
    if (strcmp(command, "echo") == 0) {
        control_answer(client, json_pack("{s:b, s:O}", "ok", 1, "request", request));
        return;
    }
    assert_true(server.kept_count < WAITING_MAX);
    server.kept[server.kept_count++] = client;
    server_ring();
}

static void on_gone(void *owner, struct control_client *client)
{
    assert_ptr_equal(owner, &server);
    for (uint32_t i = 0; i < server.kept_count; i++)
        if (server.kept[i] == client) {
            server.kept[i] = server.kept[--server.kept_count];
            server.gone++;
            server_ring();
            return;
        }
    fail_msg("gone() for a client that did not wait");
}

void server_bell(void)
{
    char c;
    probe_turn(server.loop, server.bell[0]);
    assert_int_equal(read(server.bell[0], &c, 1), 1);
}

struct control *server_create(const char *path, struct fault *fault)
{
    const struct control_config config = {server.loop, path, &server, on_request, on_gone};
    return control_create(&config, fault);
}

int server_begin(void **state)
{
    struct fault fault;
    (void)state;
    memset(&server, 0, sizeof server);
    server_later_ms = 0;
    probe_place_make(&server.place);
    assert_int_equal(pipe(server.bell), 0);
    server.loop = zloop_new();
    server.control = server_create(server.place.path, &fault);
    assert_non_null(server.control);
    return 0;
}

int server_end(void **state)
{
    (void)state;
    control_destroy(&server.control);
    zloop_destroy(&server.loop);
    close(server.bell[0]);
    close(server.bell[1]);
    probe_place_remove(&server.place);
    return 0;
}

struct probe server_probe(void)
{
    return probe_open(server.loop, server.place.path);
}

/* Everything that was sent before has been looked at when this returns: another client came, was heard and answered. */
void server_settle(void)
{
    json_decref(probe_ask(server.loop, server.place.path, SERVER_ASK));
}

void server_expect_word(json_t *object, const char *key, const char *word)
{
    assert_non_null(object);
    assert_string_equal(json_string_value(json_object_get(object, key)), word);
}

void server_expect_end(struct probe *probe)
{
    json_t *object = probe_hear(probe);
    if (object)
        fail_msg("more came than was expected");
    probe_close(probe);
}

json_t *server_large(size_t size)
{
    char *text = malloc(size + 1);
    assert_non_null(text);
    memset(text, 'x', size);
    text[size] = '\0';
    json_t *object = json_pack("{s:b, s:s}", "ok", 1, "text", text);
    free(text);
    return object;
}
