/* What status, ok-to-stop, turns and explain answer, over a real socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/desk_world.h"

/* --- status --- */

static void status_of_a_member(void **state)
{
    (void)state;
    desk_blocks(6);
    json_t *s = desk_ask("{\"command\":\"status\"}\n");
    assert_true(json_is_true(json_object_get(s, "ok")));
    assert_string_equal(desk_text_in(s, "stage"), "running");
    assert_string_equal(desk_text_in(s, "state"), "IDLE");
    assert_string_equal(desk_text_in(s, "errand"), "none");
    assert_string_equal(desk_text_in(s, "chain_id"), "story-1");
    assert_true(json_is_null(json_object_get(s, "why")));
    assert_true(json_is_null(json_object_get(s, "estimate")));
    assert_true(json_is_null(json_object_get(s, "waiting_for")));
    assert_true(json_is_null(json_object_get(s, "plan")));
    assert_int_equal(desk_number(s, "head", NULL), 10);
    assert_int_equal(desk_number(s, "live", NULL), 10);
    assert_int_equal(desk_number(s, "members", NULL), 10);
    assert_int_equal(desk_number(s, "draw", "epoch"), 3);
    assert_int_equal(desk_number(s, "draw", "floor"), 7);
    assert_int_equal(desk_number(s, "draw", "budget"), 3);
    assert_int_equal(desk_number(s, "draw", "next_boundary"), 12);
    assert_true(json_is_null(desk_at(s, "draw", "rank")));
    assert_int_equal(desk_number(s, "down_count", NULL), 0);
    assert_string_equal(json_string_value(desk_at(s, "gossip", "level")), "off");
    json_decref(s);
}

static void who_is_down(void **state)
{
    (void)state;
    desk_world.silent[4] = true;
    world_join(&desk_world, 5, 3);
    desk_blocks(5); /* a boundary lies behind: 5 holds a permit */
    world_tx(&desk_world, 5, TX_PAUSE, 0);
    desk_blocks(1);
    json_t *s = desk_ask("{\"command\":\"status\"}\n");
    assert_int_equal(desk_number(s, "down_count", NULL), 2);
    const json_t *silent = json_array_get(json_object_get(s, "down"), 0);
    const json_t *going = json_array_get(json_object_get(s, "down"), 1);
    assert_string_equal(desk_text_in(silent, "why"), "silent");
    assert_true(json_is_false(json_object_get(silent, "turn")));
    assert_string_equal(desk_text_in(going, "why"), "going");
    assert_true(json_is_true(json_object_get(going, "turn")));
    json_decref(s);
    desk_blocks(2);
    s = desk_ask("{\"command\":\"status\"}\n");
    going = json_array_get(json_object_get(s, "down"), 1);
    assert_string_equal(desk_text_in(going, "why"), "paused");
    assert_int_equal(desk_number(going, "since", NULL), 10);
    assert_int_equal(desk_number(going, "class_minutes", NULL), 3);
    assert_int_equal(desk_number(s, "live", NULL), 8);
    json_decref(s);
}

/* Before the core runs there is little to tell, and a sentence with the remedy. */
static void status_before_the_core_runs(void **state)
{
    (void)state;
    desk_agent->started = desk_agent->feed_ready = false;
    desk_agent->stage = AGENT_CONNECTING;
    snprintf(desk_agent->waiting_for, sizeof desk_agent->waiting_for, "%s",
             "no node answers; start it");
    json_t *s = desk_ask("{\"command\":\"status\"}\n");
    assert_string_equal(desk_text_in(s, "stage"), "connecting");
    assert_string_equal(json_string_value(desk_at(s, "why", "sentence")),
                        "no node answers; start it");
    assert_null(json_object_get(s, "state"));
    assert_null(json_object_get(s, "draw"));
    json_decref(s);
    s = desk_ask("{\"command\":\"ok-to-stop\"}\n");
    assert_true(json_is_false(json_object_get(s, "ok_to_stop")));
    assert_true(desk_holds_code(json_object_get(s, "reasons"), "agent"));
    json_decref(s);
    desk_expect_refusal("{\"command\":\"pause\",\"reason\":\"disk\"}\n", 3, "not-ready",
                        "start it");
    desk_expect_refusal("{\"command\":\"turns\"}\n", 3, "no-draw", "start it");
    s = desk_ask("{\"command\":\"explain\"}\n");
    assert_true(json_is_true(json_object_get(s, "ok")));
    assert_true(json_is_null(json_object_get(s, "draw")));
    json_decref(s);
}

static void what_is_wrong(void **state)
{
    (void)state;
    world_plan(&desk_world, 3600000, false);
    desk_changed();
    desk_agent->clock_off_ms = -3600000;
    json_t *s = desk_ask("{\"command\":\"status\"}\n");
    assert_true(json_is_false(desk_at(s, "plan", "voted_yes")));
    const char *warning = json_string_value(json_array_get(json_object_get(s, "warnings"), 0));
    assert_non_null(strstr(warning, "60 minutes behind the chain's"));
    json_decref(s);
}

/* Bytes that somebody chose as a moniker do no harm to the JSON. */
static void a_moniker_that_is_no_text(void **state)
{
    (void)state;
    memcpy(desk_agent->moniker, "\xff\xfe\n\"x", 6);
    json_t *s = desk_ask("{\"command\":\"status\"}\n");
    assert_non_null(strstr(desk_text_in(s, "moniker"), "x"));
    json_decref(s);
}

/* --- ok-to-stop --- */

static void expect_stop(bool yes, const char *code)
{
    json_t *s = desk_ask("{\"command\":\"ok-to-stop\"}\n");
    const json_t *reasons = json_object_get(s, "reasons");
    if (json_is_true(json_object_get(s, "ok_to_stop")) != yes ||
        (code && !desk_holds_code(reasons, code)) || (yes && json_array_size(reasons) > 0))
        fail_msg("ok-to-stop: %s", json_dumps(s, 0));
    assert_true(json_string_length(json_object_get(s, "text")) > 0);
    json_decref(s);
}

static void may_it_be_stopped(void **state)
{
    (void)state;
    desk_blocks(6);
    expect_stop(true, NULL);
    json_decref(desk_ask("{\"command\":\"hold\"}\n"));
    expect_stop(false, "hold");
    json_decref(desk_ask("{\"command\":\"unhold\"}\n"));
    expect_stop(true, NULL);
    world_plan(&desk_world, 3600000, false);
    desk_changed();
    expect_stop(false, "no-yes-vote");
    world_plan(&desk_world, 3600000, true);
    desk_changed();
    expect_stop(true, NULL);
    desk_world.node.catching_up = true;
    world_tell_node(&desk_world);
    desk_changed();
    expect_stop(false, "catching-up");
}

/* The budget of ten is three: when three others hold permits there is no room. */
static void no_room(void **state)
{
    (void)state;
    for (uint32_t v = 1; v <= 3; v++)
        world_join(&desk_world, v, 240);
    desk_blocks(3);
    expect_stop(false, "no-room");
    for (uint32_t v = 1; v <= 3; v++)
        world_tx(&desk_world, v, TX_PAUSE, 0);
    desk_blocks(5);
    expect_stop(false, "no-room");
}

static void within_a_turn(void **state)
{
    (void)state;
    json_decref(desk_ask("{\"command\":\"pause\",\"reason\":\"disk\"}\n"));
    desk_until(COORD_PAUSING);
    expect_stop(false, "busy");
    desk_until(COORD_OFFLINE);
    expect_stop(true, NULL);
    desk_world.node.up = false;
    world_tell_node(&desk_world);
    desk_changed();
    expect_stop(true, NULL);
    desk_world.node = (struct world_node){.up = true};
    json_decref(desk_ask("{\"command\":\"unpause\"}\n"));
    expect_stop(false, "busy");
    desk_until(COORD_DONE);
    expect_stop(true, NULL);
}

static void not_in_the_set(void **state)
{
    (void)state;
    world_tx(&desk_world, US, TX_PAUSE, 0);
    desk_world.self.status = COORD_IS_PAUSED;
    desk_blocks(4);
    assert_int_equal(world_state(&desk_world), COORD_IDLE);
    expect_stop(true, NULL);
    json_t *s = desk_ask("{\"command\":\"status\"}\n");
    assert_string_equal(json_string_value(desk_at(s, "why", "code")), "by-hand");
    json_decref(s);
}

/* --- the line --- */

static void the_line(void **state)
{
    (void)state;
    for (uint32_t v = 1; v <= 6; v++)
        world_join(&desk_world, v, 240); /* longer turns go first */
    json_t *s = desk_ask("{\"command\":\"reboot\"}\n");
    assert_string_equal(desk_text_in(s, "code"), "no-runtime");
    json_decref(s);
    json_decref(desk_ask("{\"command\":\"pause\",\"reason\":\"disk\",\"expected_ms\":60000}\n"));
    desk_until(COORD_WAITING);
    desk_blocks(3);
    assert_int_equal(world_state(&desk_world), COORD_WAITING);
    s = desk_ask("{\"command\":\"turns\"}\n");
    assert_int_equal(desk_number(s, "candidates", NULL), 7);
    assert_int_equal(desk_number(s, "permit_count", NULL), 3);
    assert_int_equal(desk_number(s, "place", NULL), 7);
    assert_string_equal(desk_text_in(s, "reason"), "beyond-budget");
    const json_t *last = json_array_get(json_object_get(s, "order"), 6);
    assert_true(json_is_true(json_object_get(last, "me")));
    assert_true(json_is_false(json_object_get(last, "permit")));
    assert_string_equal(json_string_value(desk_at(s, "why", "code")), "beyond-budget");
    /* three before us for four hours each, three at a time: four hours and the wait for a draw */
    assert_string_equal(json_string_value(desk_at(s, "estimate", "what")), "turn");
    int64_t in_ms = desk_number(s, "estimate", "in_ms");
    assert_in_range(in_ms, 240 * MINUTE_MS, 242 * MINUTE_MS);
    assert_non_null(strstr(json_string_value(desk_at(s, "estimate", "from")), "3 before us"));
    json_decref(s);
}

/* When nothing can hand on a place, nobody claims to know. */
static void a_line_that_does_not_move(void **state)
{
    (void)state;
    for (uint32_t v = 1; v <= 3; v++)
        desk_world.silent[v] = true;
    desk_blocks(6);
    json_decref(desk_ask("{\"command\":\"pause\",\"reason\":\"disk\"}\n"));
    desk_blocks(6);
    json_t *s = desk_ask("{\"command\":\"status\"}\n");
    assert_int_equal(desk_number(s, "draw", "budget"), 0);
    assert_string_equal(json_string_value(desk_at(s, "estimate", "what")), "turn");
    assert_true(json_is_false(desk_at(s, "estimate", "known")));
    assert_true(json_is_null(desk_at(s, "estimate", "in_ms")));
    json_decref(s);
}

static void the_way_back(void **state)
{
    (void)state;
    json_decref(
        desk_ask("{\"command\":\"pause\",\"reason\":\"a new disk\",\"expected_ms\":120000}\n"));
    desk_until(COORD_OFFLINE);
    json_t *s = desk_ask("{\"command\":\"status\"}\n");
    assert_string_equal(desk_text_in(s, "operator_reason"), "a new disk");
    assert_string_equal(json_string_value(desk_at(s, "estimate", "what")), "return");
    int64_t in_ms = desk_number(s, "estimate", "in_ms");
    assert_in_range(in_ms, 120000, 120000 + 10 * WORLD_BLOCK_MS);
    json_decref(s);
    desk_blocks(30); /* longer than was said */
    s = desk_ask("{\"command\":\"status\"}\n");
    assert_true(desk_number(s, "estimate", "in_ms") <= 10 * WORLD_BLOCK_MS);
    assert_non_null(strstr(json_string_value(desk_at(s, "estimate", "from")), "is over"));
    json_decref(s);
}

/* --- explain --- */

static void the_cores_own_sentences(void **state)
{
    (void)state;
    desk_blocks(6);
    json_decref(desk_ask("{\"command\":\"hold\"}\n"));
    json_t *s = desk_ask("{\"command\":\"explain\"}\n");
    assert_true(desk_was_said(s, "the operator says hold"));
    assert_int_equal(desk_number(s, "epoch", NULL), 3);
    assert_int_equal(desk_number(s, "draw", "budget"), 3);
    assert_string_equal(json_string_value(json_object_get(desk_at(s, "draw", "terms"), "smallest")),
                        "floor");
    assert_string_equal(json_string_value(desk_at(s, "mine", "reason")), "no-join");
    assert_string_equal(json_string_value(desk_at(s, "why", "code")), "hold");
    json_decref(s);
    s = desk_ask("{\"command\":\"explain\",\"epoch\":2}\n");
    assert_int_equal(desk_number(s, "draw", "boundary"), 6);
    assert_false(desk_was_said(s, "hold"));
    assert_true(json_is_null(json_object_get(s, "why")));
    json_decref(s);
    desk_expect_refusal("{\"command\":\"explain\",\"epoch\":4}\n", 3, "no-draw", "has not begun");
    desk_blocks(120);
    desk_expect_refusal("{\"command\":\"explain\",\"epoch\":2}\n", 3, "no-draw",
                        "does not remember");
    s = desk_ask("{\"command\":\"explain\",\"epoch\":3}\n"); /* the sentence is still there */
    assert_true(desk_was_said(s, "the operator says hold"));
    assert_true(json_is_null(json_object_get(s, "draw")));
    json_decref(s);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, desk_begin, desk_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(status_of_a_member),
        TEST(who_is_down),
        TEST(status_before_the_core_runs),
        TEST(what_is_wrong),
        TEST(a_moniker_that_is_no_text),
        TEST(may_it_be_stopped),
        TEST(no_room),
        TEST(within_a_turn),
        TEST(not_in_the_set),
        TEST(the_line),
        TEST(a_line_that_does_not_move),
        TEST(the_way_back),
        TEST(the_cores_own_sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
