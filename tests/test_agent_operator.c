/* What becomes of an operator's commands, who waits, and what ends it, over a real socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/desk_world.h"

/* --- commands --- */

static void wrong_requests(void **state)
{
    (void)state;
    desk_expect_refusal("{\"command\":\"dance\"}\n", 1, "bad-request", "dance");
    desk_expect_refusal("{\"command\":\"pause\"}\n", 1, "bad-request", "reason: it is missing");
    desk_expect_refusal("{\"command\":\"pause\",\"reason\":\"\"}\n", 1, "bad-request",
                        "1 to 199 bytes");
    desk_expect_refusal("{\"command\":\"pause\",\"reason\":\"a\\nb\"}\n", 1, "bad-request",
                        "one line");
    desk_expect_refusal("{\"command\":\"pause\",\"reason\":\"a\",\"wait\":1}\n", 1, "bad-request",
                        "wait: expected true or false");
    desk_expect_refusal("{\"command\":\"pause\",\"reason\":\"a\",\"expected_ms\":-1}\n", 1,
                        "bad-request", "expected_ms: expected a whole number");
    desk_expect_refusal("{\"command\":\"hold\",\"wait\":true}\n", 1, "bad-request", "no such key");
    desk_expect_refusal("{\"command\":\"reboot\",\"to\":\"a b\"}\n", 1, "bad-request",
                        "without blanks");
    desk_expect_refusal("{\"command\":\"wait\",\"for\":\"rain\"}\n", 1, "bad-request", "out, back");
    desk_expect_refusal("{\"command\":\"explain\",\"epoch\":0}\n", 1, "bad-request", "epoch");
    assert_int_equal(desk_agent->said_count, 0);
}

static void what_the_core_refuses(void **state)
{
    (void)state;
    desk_expect_refusal("{\"command\":\"unpause\"}\n", 2, "not-paused", "nothing to unpause");
    json_t *s = desk_ask("{\"command\":\"pause\",\"reason\":\"disk\"}\n");
    assert_true(json_is_true(json_object_get(s, "ok")));
    assert_true(desk_was_said(s, "the operator says pause"));
    json_decref(s);
    desk_until(COORD_PAUSING);
    desk_expect_refusal("{\"command\":\"pause\",\"reason\":\"again\"}\n", 2, "busy", "under way");
    assert_string_equal(desk_agent->reason, "disk");
}

/* A command that is taken and cannot be acted on yet is no refusal. */
static void taken_and_withheld(void **state)
{
    (void)state;
    json_decref(desk_ask("{\"command\":\"hold\"}\n"));
    json_t *s = desk_ask("{\"command\":\"pause\",\"reason\":\"disk\"}\n");
    assert_true(json_is_true(json_object_get(s, "ok")));
    assert_true(desk_was_said(s, "not now: the operator holds"));
    assert_string_equal(json_string_value(desk_at(s, "why", "code")), "hold");
    json_decref(s);
    s = desk_ask("{\"command\":\"status\"}\n");
    assert_string_equal(desk_text_in(s, "errand"), "maintenance");
    json_decref(s);
}

static void by_force(void **state)
{
    (void)state;
    desk_blocks(6);
    world_plan(&desk_world, 7200000, false);
    desk_changed();
    json_t *s = desk_ask("{\"command\":\"pause\",\"reason\":\"fire\",\"force\":true}\n");
    assert_true(json_is_true(json_object_get(s, "ok")));
    const char *risk = json_string_value(json_array_get(json_object_get(s, "risks"), 0));
    assert_non_null(strstr(risk, "has not voted YES"));
    assert_string_equal(desk_text_in(s, "state"), "PAUSING");
    json_decref(s);
}

/* What would stop the chain for good is refused to force as well, and says so. */
static void by_force_and_fatal(void **state)
{
    (void)state;
    desk_blocks(6);
    world_plan(&desk_world, 60000, false);
    desk_changed();
    desk_expect_refusal("{\"command\":\"pause\",\"reason\":\"fire\",\"force\":true}\n", 2,
                        "no-yes-vote", "vote first");
    world_plan(&desk_world, 60000, true);
    for (uint32_t v = 1; v < 10; v++)
        desk_world.silent[v] = true;
    desk_blocks(6);
    desk_expect_refusal("{\"command\":\"pause\",\"reason\":\"fire\",\"force\":true}\n", 2,
                        "last-member", "stop for good");
    assert_int_equal(world_sent(&desk_world, TX_PAUSE), 0);
}

/* --- waiting --- */

static void pause_and_wait(void **state)
{
    (void)state;
    struct probe probe = desk_probe();
    probe_say(&probe, "{\"command\":\"pause\",\"reason\":\"disk\",\"wait\":true}\n");
    json_t *first = probe_hear(&probe);
    assert_true(json_is_true(json_object_get(first, "more")));
    assert_true(desk_was_said(first, "the operator says pause"));
    json_decref(first);
    desk_until(COORD_PAUSED);
    desk_expect_waiting(&probe);
    desk_until(COORD_OFFLINE);
    desk_expect_answer(&probe, true, "out");
}

static void a_pause_that_is_called_off(void **state)
{
    (void)state;
    struct probe probe = desk_probe();
    probe_say(&probe, "{\"command\":\"pause\",\"reason\":\"disk\",\"wait\":true}\n");
    json_decref(probe_hear(&probe));
    json_decref(desk_ask("{\"command\":\"unpause\"}\n"));
    desk_expect_answer(&probe, false, "called-off");
}

static void a_refusal_is_not_waited_for(void **state)
{
    (void)state;
    desk_expect_refusal("{\"command\":\"unpause\",\"wait\":true}\n", 2, "not-paused", "nothing");
}

static void unpause_and_wait(void **state)
{
    (void)state;
    json_decref(desk_ask("{\"command\":\"pause\",\"reason\":\"disk\"}\n"));
    desk_until(COORD_OFFLINE);
    struct probe probe = desk_probe();
    probe_say(&probe, "{\"command\":\"unpause\",\"wait\":true}\n");
    json_decref(probe_hear(&probe));
    desk_until(COORD_SETTLING);
    desk_expect_waiting(&probe);
    desk_until(COORD_DONE);
    desk_expect_answer(&probe, true, "back");
}

static void everybody_who_waits(void **state)
{
    (void)state;
    struct probe out = desk_probe(), back = desk_probe(), done = desk_probe(), idle = desk_probe();
    probe_say(&idle, "{\"command\":\"wait\",\"for\":\"idle\"}\n");
    desk_expect_answer(&idle, true, "idle");
    probe_say(&back, "{\"command\":\"wait\",\"for\":\"back\"}\n");
    desk_expect_answer(&back, true, "back");
    probe_say(&out, "{\"command\":\"wait\",\"for\":\"out\"}\n");
    json_decref(probe_hear(&out)); /* where it stands */
    json_decref(desk_ask("{\"command\":\"pause\",\"reason\":\"disk\"}\n"));
    probe_say(&done, "{\"command\":\"wait\"}\n");
    json_decref(probe_hear(&done));
    desk_until(COORD_OFFLINE);
    desk_expect_answer(&out, true, "out");
    back = desk_probe();
    probe_say(&back, "{\"command\":\"wait\",\"for\":\"back\"}\n");
    json_decref(probe_hear(&back));
    json_decref(desk_ask("{\"command\":\"unpause\"}\n"));
    desk_until(COORD_DONE);
    desk_expect_answer(&back, true, "back");
    desk_expect_answer(&done, true, "done");
}

/* The core's reboot with the desk_world's runtime, as if the desk had been able to ask for it. */
static void reboot(void)
{
    struct coord_event event = {.kind = EVENT_OPERATOR};
    event.operator.command = COMMAND_REBOOT;
    event.operator.expected_ms = WORLD_WORK_MS;
    agent_event(desk_agent, &event);
}

static void work_that_was_given_up(void **state)
{
    (void)state;
    world_fail_step(&desk_world, STEP_REINIT, 100);
    reboot();
    struct probe done = desk_probe(), idle = desk_probe();
    probe_say(&done, "{\"command\":\"wait\"}\n");
    probe_say(&idle, "{\"command\":\"wait\",\"for\":\"idle\"}\n");
    json_decref(probe_hear(&done));
    json_decref(probe_hear(&idle));
    for (int i = 0; i < 100 && world_state(&desk_world) != COORD_DONE; i++) {
        world_wait(&desk_world, 6000);
        desk_blocks(1);
    }
    desk_expect_answer(&done, false, "gave-up");
    desk_expect_answer(&idle, true, "idle");
    json_t *s = desk_ask("{\"command\":\"status\"}\n");
    assert_true(json_is_true(json_object_get(s, "gave_up")));
    json_decref(s);
}

static void barred_from_coming_back(void **state)
{
    (void)state;
    json_decref(desk_ask("{\"command\":\"pause\",\"reason\":\"disk\"}\n"));
    desk_until(COORD_OFFLINE);
    desk_world.self.status = COORD_JAILED;
    struct probe probe = desk_probe();
    probe_say(&probe, "{\"command\":\"unpause\",\"wait\":true}\n");
    json_decref(probe_hear(&probe));
    desk_blocks(6);
    desk_expect_answer(&probe, false, "barred");
}

static void the_agent_stops(void **state)
{
    (void)state;
    struct probe probe = desk_probe(), watch = desk_probe();
    probe_say(&probe, "{\"command\":\"wait\",\"for\":\"out\"}\n");
    probe_say(&watch, "{\"command\":\"status\",\"watch\":true}\n");
    json_decref(probe_hear(&probe));
    json_decref(probe_hear(&watch));
    agent_control_stop(desk_agent);
    desk_expect_answer(&probe, false, "stopping");
    desk_expect_answer(&watch, false, "stopping");
}

static void who_waits_and_goes(void **state)
{
    (void)state;
    struct probe probe = desk_probe();
    probe_say(&probe, "{\"command\":\"wait\",\"for\":\"out\"}\n");
    json_decref(probe_hear(&probe));
    probe_close(&probe);
    json_decref(desk_ask("{\"command\":\"turns\"}\n"));
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
        assert_null(desk_agent->desk->waiters[i].client);
    json_decref(desk_ask("{\"command\":\"pause\",\"reason\":\"disk\"}\n"));
    desk_until(COORD_OFFLINE);
}

/* --- watching --- */

static void watching(void **state)
{
    (void)state;
    struct probe probe = desk_probe();
    probe_say(&probe, "{\"command\":\"status\",\"watch\":true}\n");
    json_t *s = probe_hear(&probe);
    assert_int_equal(desk_number(s, "head", NULL), 4);
    assert_int_equal(json_array_size(json_object_get(s, "said")), 0);
    json_decref(s);
    agent_control_changed(desk_agent); /* nothing new: nothing is told */
    desk_blocks(1);
    s = probe_hear(&probe);
    assert_int_equal(desk_number(s, "head", NULL), 5);
    json_decref(s);
    json_decref(desk_ask("{\"command\":\"hold\"}\n"));
    s = probe_hear(&probe);
    assert_true(desk_was_said(s, "the operator says hold"));
    assert_true(json_is_true(json_object_get(s, "held")));
    assert_true(json_is_true(json_object_get(s, "more")));
    json_decref(s);
    desk_agent->runtime_percent = 40;
    agent_control_changed(desk_agent);
    json_decref(probe_hear(&probe));
    probe_close(&probe);
}

/* More sentences than the ring holds, and more than a watcher has read. */
static void a_ring_that_has_turned(void **state)
{
    (void)state;
    struct probe probe = desk_probe();
    probe_say(&probe, "{\"command\":\"status\",\"watch\":true}\n");
    json_decref(probe_hear(&probe));
    for (uint32_t i = 0; i < 2 * AGENT_SAID_MAX + 3; i++) {
        struct agent_said *said = &desk_agent->said[desk_agent->said_count++ % AGENT_SAID_MAX];
        said->level = LEVEL_INFO;
        snprintf(said->text, sizeof said->text, "sentence %u", i);
    }
    agent_control_changed(desk_agent);
    json_t *s = probe_hear(&probe);
    assert_int_equal(json_array_size(json_object_get(s, "said")), AGENT_SAID_MAX);
    assert_true(desk_was_said(s, "sentence 514"));
    assert_false(desk_was_said(s, "sentence 258"));
    json_decref(s);
    probe_close(&probe);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, desk_begin, desk_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(wrong_requests),
        TEST(what_the_core_refuses),
        TEST(taken_and_withheld),
        TEST(by_force),
        TEST(by_force_and_fatal),
        TEST(pause_and_wait),
        TEST(a_pause_that_is_called_off),
        TEST(a_refusal_is_not_waited_for),
        TEST(unpause_and_wait),
        TEST(everybody_who_waits),
        TEST(work_that_was_given_up),
        TEST(barred_from_coming_back),
        TEST(the_agent_stops),
        TEST(who_waits_and_goes),
        TEST(watching),
        TEST(a_ring_that_has_turned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
