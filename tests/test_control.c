/* The control socket over real connections: whole and broken requests, slow and impatient clients. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/control_server.h"

/* The request is refused without the owner seeing it. */
static void refused(const char *bytes, size_t size, const char *part)
{
    uint32_t asked = server.asked;
    struct probe probe = server_probe();
    probe_say_bytes(&probe, bytes, size);
    json_t *object = probe_hear(&probe);
    server_expect_word(object, "code", "bad-request");
    assert_true(json_is_false(json_object_get(object, "ok")));
    assert_int_equal(json_integer_value(json_object_get(object, "status")), 1);
    if (!strstr(json_string_value(json_object_get(object, "text")), part))
        fail_msg("\"%s\" does not hold \"%s\"", json_string_value(json_object_get(object, "text")),
                 part);
    json_decref(object);
    server_expect_end(&probe);
    assert_int_equal(server.asked, asked);
}

static void refused_text(const char *text, const char *part)
{
    refused(text, strlen(text), part);
}

/* --- requests --- */

static void one_request_one_answer(void **state)
{
    (void)state;
    struct probe probe = server_probe();
    probe_say(&probe, SERVER_ASK);
    json_t *object = probe_hear(&probe);
    assert_true(json_is_true(json_object_get(object, "ok")));
    server_expect_word(json_object_get(object, "request"), "command", "echo");
    json_decref(object);
    server_expect_end(&probe);
}

static void a_line_in_pieces(void **state)
{
    (void)state;
    struct probe probe = server_probe();
    for (const char *c = SERVER_ASK; *c; c++) {
        uint32_t asked = server.asked;
        server_settle();
        assert_int_equal(server.asked, asked + 1); /* the other one only */
        probe_say_bytes(&probe, c, 1);
    }
    json_t *object = probe_hear(&probe);
    assert_true(json_is_true(json_object_get(object, "ok")));
    json_decref(object);
    server_expect_end(&probe);
}

static void as_long_as_allowed_and_longer(void **state)
{
    static char line[CONTROL_REQUEST_MAX + 2];
    (void)state;
    memset(line, ' ', sizeof line);
    memcpy(line, SERVER_ASK, strlen(SERVER_ASK) - 1);
    line[CONTROL_REQUEST_MAX] = '\n';
    struct probe probe = server_probe();
    probe_say_bytes(&probe, line, CONTROL_REQUEST_MAX + 1);
    json_t *object = probe_hear(&probe);
    assert_true(json_is_true(json_object_get(object, "ok")));
    json_decref(object);
    server_expect_end(&probe);
    line[CONTROL_REQUEST_MAX] = ' ';
    refused(line, CONTROL_REQUEST_MAX + 1, "longer than 4096");
    line[CONTROL_REQUEST_MAX + 1] = '\n';
    refused(line, CONTROL_REQUEST_MAX + 2, "longer than 4096");
}

static void garbage(void **state)
{
    char deep[2002];
    (void)state;
    refused_text("\n", "no JSON");
    refused_text("hello\n", "no JSON");
    refused_text("{\"command\":\"echo\"\n", "no JSON");
    refused_text("{\"command\":\"echo\"} {}\n", "no JSON");
    refused_text("{\"command\":\"echo\",\"command\":\"keep\"}\n", "no JSON");
    refused_text("{\"command\":\"\xff\xfe\"}\n", "no JSON");
    refused_text("{\"command\":\"a\\u0000b\"}\n", "no JSON");
    refused_text("[]\n", "no object");
    refused_text("{}\n", "no text \"command\"");
    refused_text("{\"command\":7}\n", "no text \"command\"");
    refused("{\"command\":\"echo\0\"}\n", 20, "no JSON");
    memset(deep, '[', sizeof deep);
    deep[sizeof deep - 1] = '\n';
    refused(deep, sizeof deep, "no JSON");
}

static void more_behind_the_request(void **state)
{
    (void)state;
    refused_text(SERVER_ASK SERVER_ASK, "more follows");
    struct probe probe = server_probe();
    probe_say(&probe, SERVER_KEEP);
    server_bell();
    probe_say(&probe, "x");
    server_bell();
    assert_int_equal(server.gone, 1);
    server_expect_end(&probe);
}

static void a_sending_side_that_is_shut(void **state)
{
    (void)state;
    struct probe probe = server_probe();
    probe_say_bytes(&probe, SERVER_KEEP, strlen(SERVER_KEEP) - 1); /* and no newline */
    shutdown(probe.fd, SHUT_WR);
    server_bell();
    server_settle();
    assert_int_equal(server.gone, 0);
    control_more(server.kept[0], json_pack("{s:b}", "more", 1));
    control_answer(server.kept[0], json_pack("{s:b}", "ok", 1));
    json_t *more = probe_hear(&probe), *answer = probe_hear(&probe);
    assert_true(json_is_true(json_object_get(more, "more")));
    assert_true(json_is_true(json_object_get(answer, "ok")));
    json_decref(more);
    json_decref(answer);
    server_expect_end(&probe);
    assert_int_equal(server.gone, 0);
}

static void nothing_said_at_all(void **state)
{
    (void)state;
    struct probe probe = server_probe();
    server_settle();
    shutdown(probe.fd, SHUT_WR);
    server_expect_end(&probe);
    probe = server_probe();
    probe_close(&probe);
    server_settle();
    assert_int_equal(server.gone, 0);
}

/* --- clients that go, wait, sleep --- */

static void gone_before_the_answer(void **state)
{
    (void)state;
    struct probe probe = server_probe();
    probe_say(&probe, SERVER_KEEP);
    server_bell();
    assert_int_equal(server.kept_count, 1);
    probe_close(&probe);
    server_bell();
    assert_int_equal(server.gone, 1);
    assert_int_equal(server.kept_count, 0);
}

/* It hangs up with its request still unread: it is heard, and then it is gone. */
static void said_and_gone(void **state)
{
    (void)state;
    struct probe probe = server_probe();
    probe_say(&probe, SERVER_KEEP);
    probe_close(&probe);
    server_bell();
    while (server.gone == 0)
        server_bell();
    assert_int_equal(server.kept_count, 0);
}

static void news_and_then_the_answer(void **state)
{
    (void)state;
    struct probe probe = server_probe();
    probe_say(&probe, SERVER_KEEP);
    server_bell();
    for (int i = 0; i < 100; i++)
        control_more(server.kept[0], json_pack("{s:b, s:i}", "more", 1, "n", i));
    control_answer(server.kept[0], json_pack("{s:b, s:i}", "ok", 1, "n", 100));
    for (int i = 0; i <= 100; i++) {
        json_t *object = probe_hear(&probe);
        assert_int_equal(json_integer_value(json_object_get(object, "n")), i);
        json_decref(object);
    }
    server_expect_end(&probe);
    assert_int_equal(server.gone, 0);
}

static void as_many_as_allowed(void **state)
{
    struct probe probes[CONTROL_CLIENTS_MAX];
    (void)state;
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        probes[i] = server_probe();
        probe_say(&probes[i], SERVER_KEEP);
        server_bell();
    }
    struct probe next = server_probe();
    json_t *object = probe_hear(&next);
    server_expect_word(object, "code", "too-many");
    json_decref(object);
    server_expect_end(&next);
    probe_close(&probes[7]);
    server_bell();
    server_settle();
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
        probe_close(&probes[i]);
    while (server.gone < CONTROL_CLIENTS_MAX)
        server_bell();
    server_settle();
}

/* What it does not read is kept up to a limit; then it is dropped, and the others do not notice. */
static void who_does_not_read(void **state)
{
    (void)state;
    struct probe probe = server_probe();
    probe_say(&probe, SERVER_KEEP);
    server_bell();
    for (int i = 0; i < 40; i++)
        control_more(server.kept[0], server_large(100000));
    server_settle();
    server_bell(); /* with the next beat */
    assert_int_equal(server.gone, 1);
    probe_close(&probe);
}

/* Below the limit patience ends it. */
static void who_stops_reading(void **state)
{
    (void)state;
    struct probe probe = server_probe();
    probe_say(&probe, SERVER_KEEP);
    server_bell();
    control_more(server.kept[0], server_large(900000));
    server_settle();
    assert_int_equal(server.gone, 0);
    server_later_ms += CONTROL_PATIENCE_MS;
    server_bell();
    assert_int_equal(server.gone, 1);
    probe_close(&probe);
}

/* Whoever waits for news may wait for long; whoever does not finish its request may not, however often it sends. */
static void who_does_not_finish(void **state)
{
    (void)state;
    struct probe patient = server_probe(), slow = server_probe();
    probe_say(&patient, SERVER_KEEP);
    server_bell();
    probe_say(&slow, "{");
    server_settle();
    server_later_ms += CONTROL_PATIENCE_MS - 2000;
    probe_say(&slow, " ");
    server_settle();
    server_later_ms += 2000;
    server_expect_end(&slow);
    assert_int_equal(server.gone, 0);
    control_answer(server.kept[0], json_pack("{s:b}", "ok", 1));
    json_decref(probe_hear(&patient));
    server_expect_end(&patient);
}

static void no_descriptor_left(void **state)
{
    struct rlimit old, low;
    (void)state;
    struct probe probe = server_probe(), other = server_probe();
    probe_say(&probe, SERVER_ASK);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    low = old;
    low.rlim_cur = (rlim_t)other.fd + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    server_ring();
    server_bell(); /* the listener was looked at in this turn or the next */
    server_ring();
    server_bell();
    assert_int_equal(server.asked, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    json_t *object = probe_hear(&probe);
    assert_true(json_is_true(json_object_get(object, "ok")));
    json_decref(object);
    probe_close(&probe);
    probe_close(&other);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, server_begin, server_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_request_one_answer),
        TEST(a_line_in_pieces),
        TEST(as_long_as_allowed_and_longer),
        TEST(garbage),
        TEST(more_behind_the_request),
        TEST(a_sending_side_that_is_shut),
        TEST(nothing_said_at_all),
        TEST(gone_before_the_answer),
        TEST(said_and_gone),
        TEST(news_and_then_the_answer),
        TEST(as_many_as_allowed),
        TEST(who_does_not_read),
        TEST(who_stops_reading),
        TEST(who_does_not_finish),
        TEST(no_descriptor_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
