#include "tests/desk_world.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct member_world desk_world;
struct agent *desk_agent;
static struct probe_place place;

/* --- stand-ins --- */

struct instant agent_now(void)
{
    return desk_world.now;
}

struct instant agent_clock(const struct agent *a)
{
    (void)a;
    return desk_world.now;
}

const struct view *agent_view(const struct agent *a)
{
    (void)a;
    return desk_world.view;
}

/* The world shows its core every block. */
void agent_show_head(struct agent *a)
{
    (void)a;
}

static void keep_said(const struct coord_say *say)
{
    struct agent_said *said = &desk_agent->said[desk_agent->said_count++ % AGENT_SAID_MAX];
    *said = (struct agent_said){desk_world.now, desk_world.core.head.n, say->level, ""};
    coord_sentence(say, said->text, sizeof said->text);
}

/* What is said is heard on a copy; the world then makes the same step itself. */
void agent_event(struct agent *a, struct coord_event *event)
{
    struct coord copy = desk_world.core;
    struct coord_effects effects;
    event->now = desk_world.now;
    event->view = desk_world.view;
    coord_step(&copy, event, &effects);
    for (uint32_t i = 0; i < effects.count; i++)
        if (effects.list[i].kind == EFFECT_SAY)
            keep_said(&effects.list[i].say);
    world_event(&desk_world, *event);
    a->core = desk_world.core;
    agent_control_changed(a);
}

/* --- the world's own doings, told to the desk --- */

void desk_changed(void)
{
    desk_agent->core = desk_world.core;
    agent_control_changed(desk_agent);
}

void desk_blocks(uint32_t count)
{
    for (; count > 0; count--) {
        world_block(&desk_world);
        desk_changed();
    }
}

void desk_until(enum coord_state state)
{
    for (int i = 0; world_state(&desk_world) != state; i++) {
        assert_true(i < 200);
        desk_blocks(1);
    }
}

/* --- asking --- */

struct probe desk_probe(void)
{
    return probe_open(desk_agent->loop, place.path);
}

json_t *desk_ask(const char *request)
{
    return probe_ask(desk_agent->loop, place.path, request);
}

const char *desk_text_in(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "(none)";
}

const json_t *desk_at(const json_t *object, const char *a, const char *b)
{
    const json_t *value = json_object_get(object, a);
    return b ? json_object_get(value, b) : value;
}

int64_t desk_number(const json_t *object, const char *a, const char *b)
{
    assert_true(json_is_integer(desk_at(object, a, b)));
    return json_integer_value(desk_at(object, a, b));
}

bool desk_holds_code(const json_t *reasons, const char *code)
{
    for (size_t i = 0; i < json_array_size(reasons); i++)
        if (strcmp(desk_text_in(json_array_get(reasons, i), "code"), code) == 0)
            return true;
    return false;
}

bool desk_was_said(const json_t *object, const char *part)
{
    const json_t *said = json_object_get(object, "said");
    for (size_t i = 0; i < json_array_size(said); i++)
        if (strstr(desk_text_in(json_array_get(said, i), "text"), part))
            return true;
    return false;
}

/* Reads news until the answer comes, or as long as there is any. */
json_t *desk_hear_answer(struct probe *probe)
{
    for (;;) {
        json_t *object = probe_hear(probe);
        assert_non_null(object);
        if (!json_is_true(json_object_get(object, "more")))
            return object;
        json_decref(object);
    }
}

/* The connection has had no answer: what it was told is news. Another client is answered first, so all was written. */
void desk_expect_waiting(struct probe *probe)
{
    struct pollfd item = {.fd = probe->fd, .events = POLLIN};
    json_decref(desk_ask("{\"command\":\"turns\"}\n"));
    while (probe->used > 0 || poll(&item, 1, 0) > 0) {
        json_t *object = probe_hear(probe);
        assert_non_null(object);
        assert_true(json_is_true(json_object_get(object, "more")));
        json_decref(object);
    }
}

void desk_expect_refusal(const char *request, int status, const char *code, const char *part)
{
    json_t *object = desk_ask(request);
    assert_true(json_is_false(json_object_get(object, "ok")));
    assert_int_equal(desk_number(object, "status", NULL), status);
    assert_string_equal(desk_text_in(object, "code"), code);
    if (!strstr(desk_text_in(object, "text"), part))
        fail_msg("%s is refused with: %s\n  expected: %s", request, desk_text_in(object, "text"),
                 part);
    json_decref(object);
}

void desk_expect_answer(struct probe *probe, bool ok, const char *code)
{
    json_t *object = desk_hear_answer(probe);
    assert_string_equal(desk_text_in(object, "code"), code);
    assert_int_equal(json_is_true(json_object_get(object, "ok")), ok);
    if (!ok)
        assert_int_equal(desk_number(object, "status", NULL), COMMAND_FAILED);
    json_decref(object);
    assert_null(probe_hear(probe));
    probe_close(probe);
}

/* --- beginning and end --- */

static void start(void)
{
    struct fault fault;
    struct settings *settings = settings_create();
    probe_place_make(&place);
    assert_true(settings_read_flag(settings, SETTING_AGENT_DIR, place.dir, &fault));
    desk_agent = calloc(1, sizeof *desk_agent);
    desk_agent->settings = settings;
    desk_agent->loop = zloop_new();
    desk_agent->stage = AGENT_RUNNING;
    desk_agent->started = desk_agent->feed_ready = desk_agent->known = true;
    desk_agent->runtime_percent = -1;
    desk_agent->charter = desk_world.charter;
    desk_agent->core = desk_world.core;
    snprintf(desk_agent->chain_id, sizeof desk_agent->chain_id, "%s", "story-1");
    snprintf(desk_agent->moniker, sizeof desk_agent->moniker, "%s", "v0");
    assert_true(agent_control_start(desk_agent, &fault));
}

int desk_begin(void **state)
{
    (void)state;
    world_begin(&desk_world, NULL);
    start();
    return 0;
}

int desk_end(void **state)
{
    (void)state;
    struct settings *settings = (struct settings *)desk_agent->settings;
    agent_control_stop(desk_agent);
    zloop_destroy(&desk_agent->loop);
    free(desk_agent);
    settings_destroy(&settings);
    probe_place_remove(&place);
    world_close(&desk_world);
    return 0;
}
