/* The docker driver's decisions, in a small world of two places for containers; and the bodies from which containers are
 * created. No engine is asked: tests/test_runtime_docker.py does that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/docker.h"
#include "node/docker_body.h"
#include "node/docker_look.h"
#include "node/docker_pair.h"

/* --- a world of two places --- */

#define OLD "aa"     /* what the turn replaces */
#define NEW "bb"     /* what it makes */
#define EARLIER "cc" /* what the turn before replaced */
#define ACTIONS_MAX 40

struct world {
    struct docker_container node, previous;
    char noted[DOCKER_ID_MAX];
    const char *image; /* of the target; "": not here yet */
    bool broken;       /* what runs is unhealthy */
};

static struct docker_container made(const char *id, const char *image, const char *restart)
{
    struct docker_container out = {.exists = true, .has_data = true, .health = DOCKER_HEALTHY};
    (void)snprintf(out.id, sizeof out.id, "%s", id);
    (void)snprintf(out.image, sizeof out.image, "%s", image);
    (void)snprintf(out.restart, sizeof out.restart, "%s", restart);
    (void)snprintf(out.started_at, sizeof out.started_at, "0001-01-01T00:00:00Z");
    return out;
}

static void run(struct docker_container *one, bool runs)
{
    one->running = runs;
    (void)snprintf(one->started_at, sizeof one->started_at, "2026-11-22T02:03:44Z");
}

/* The node runs; a turn before this one has left its own, or not. */
static struct world begin(const char *restart, bool earlier)
{
    struct world w = {.node = made(OLD, "one", restart), .image = "two"};
    run(&w.node, true);
    if (earlier) {
        w.previous = made(EARLIER, "zero", "no");
        run(&w.previous, false);
        (void)snprintf(w.node.replaces, sizeof w.node.replaces, EARLIER);
        (void)snprintf(w.node.replaced_restart, sizeof w.node.replaced_restart, "%s", restart);
    }
    return w;
}

/* Whether it runs, or would once the Engine is started anew: it restarts what has run before. */
static bool may_run(const struct docker_container *one)
{
    bool ran = strncmp(one->started_at, "0001", 4) != 0;
    return one->exists && (one->running || (ran && strcmp(one->restart, "always") == 0));
}

static void apply(struct world *w, const struct docker_next *next)
{
    struct docker_container *which = next->previous ? &w->previous : &w->node;
    char restart[sizeof w->node.restart];
    switch (next->action) {
    case PAIR_STOP:
        assert_true(which->running);
        which->running = false;
        return;
    case PAIR_PULL:
        assert_string_equal(w->image, "");
        w->image = "two";
        return;
    case PAIR_NOTE:
        (void)snprintf(w->noted, sizeof w->noted, "%s", which->id);
        return;
    case PAIR_RENAME:
        assert_true(w->node.exists && !w->previous.exists && !w->node.running);
        w->previous = w->node;
        w->node = (struct docker_container){0};
        return;
    case PAIR_RENAME_BACK:
        assert_true(w->previous.exists && !w->node.exists);
        w->node = w->previous;
        w->previous = (struct docker_container){0};
        return;
    case PAIR_REMOVE:
        assert_true(which->exists && !which->running);
        assert_string_not_equal(which->id, OLD);
        *which = (struct docker_container){0};
        return;
    case PAIR_CREATE:
        assert_true(w->previous.exists && !w->node.exists);
        (void)snprintf(restart, sizeof restart, "%s", w->previous.restart);
        w->node = made(NEW, w->image, restart);
        (void)snprintf(w->node.replaces, sizeof w->node.replaces, "%s", w->previous.id);
        (void)snprintf(w->node.replaced_restart, sizeof w->node.replaced_restart, "%s", restart);
        return;
    case PAIR_RESTART:
        (void)snprintf(which->restart, sizeof which->restart, "%s", next->restart);
        return;
    case PAIR_START:
        run(&w->node, true);
        w->node.health =
            w->broken && strcmp(w->node.id, NEW) == 0 ? DOCKER_UNHEALTHY : DOCKER_HEALTHY;
        return;
    case PAIR_UNPAUSE:
    case PAIR_CONNECT:
    case PAIR_WAIT:
    case PAIR_DONE:
    case PAIR_FAILED:
        fail_msg("action %d", (int)next->action);
    }
}

/* At most so many actions of a step; how many it took, and whether it has ended well. */
static uint32_t act(struct world *w, enum coord_step_kind step, uint32_t most, bool *ended,
                    bool *ok)
{
    struct fault fault;
    for (uint32_t i = 0;; i++) {
        struct docker_seen seen = {.node = w->node,
                                   .previous = w->previous,
                                   .name = "node",
                                   .replaced = w->noted,
                                   .image = w->image,
                                   .settled = true};
        struct docker_next next = docker_next(step, &seen, &fault);
        *ended = next.action == PAIR_DONE || next.action == PAIR_FAILED;
        *ok = next.action == PAIR_DONE;
        if (*ended || i == most)
            return i;
        assert_true(i < ACTIONS_MAX);
        apply(w, &next);
        assert_false(may_run(&w->node) && may_run(&w->previous));
    }
}

static void ends(struct world *w, enum coord_step_kind step, bool expected)
{
    bool ended, ok;
    act(w, step, ACTIONS_MAX, &ended, &ok);
    assert_true(ended);
    assert_int_equal(ok, expected);
}

/* The engine is started anew: what has a restart policy runs. */
static void restart_engine(struct world *w)
{
    w->node.running = may_run(&w->node);
    w->previous.running = may_run(&w->previous);
}

static void check_new(const struct world *w, const char *restart)
{
    assert_string_equal(w->node.id, NEW);
    assert_true(w->node.running && !w->previous.running);
    assert_string_equal(w->node.restart, restart);
    assert_string_equal(w->previous.id, OLD);
    assert_string_equal(w->previous.restart, "no");
}

static const char *const policies[] = {"no", "always", "unless-stopped"};

/* At each action of REINIT: the agent dies and does it again, its journal is lost, the engine starts anew. */
static void turns_cut_anywhere(void **unused)
{
    (void)unused;
    bool ended = false, ok;
    for (uint32_t cut = 0; !ended; cut++)
        for (uint32_t i = 0; i < 24; i++) {
            const char *restart = policies[i % 3];
            struct world w = begin(restart, i / 3 % 2 != 0);
            w.image = i / 6 % 2 != 0 ? "" : "two";
            ends(&w, STEP_STOP, true);
            act(&w, STEP_REINIT, cut, &ended, &ok);
            if (i >= 12) {
                restart_engine(&w);
                w.noted[0] = '\0';
            }
            ends(&w, STEP_REINIT, true);
            assert_false(w.node.running || w.previous.running);
            assert_string_equal(w.previous.restart, "no");
            ends(&w, STEP_START, true);
            check_new(&w, restart);
        }
}

/* At each action of REINIT it is given up; at each action of RESTORE the agent dies. */
static void restores_from_anywhere(void **unused)
{
    (void)unused;
    bool reinit_ended = false, restore_ended = false, ok;
    for (uint32_t cut = 0; !reinit_ended; cut++, restore_ended = false)
        for (uint32_t again = 0; !restore_ended; again++)
            for (uint32_t i = 0; i < 12; i++) {
                const char *restart = policies[i % 3];
                struct world w = begin(restart, i / 3 % 2 != 0);
                w.broken = true;
                ends(&w, STEP_STOP, true);
                act(&w, STEP_REINIT, cut, &reinit_ended, &ok);
                if (reinit_ended && i >= 6)
                    ends(&w, STEP_START, false);
                act(&w, STEP_RESTORE, again, &restore_ended, &ok);
                ends(&w, STEP_RESTORE, true);
                assert_true(w.node.running && !w.previous.running);
                ends(&w, STEP_START, true);
                assert_string_equal(w.node.id, OLD);
                assert_string_equal(w.node.restart, restart);
            }
}

/* A REINIT that never got as far as a note is no reason to go back to the container of the turn before. */
static void a_restore_without_a_reinit(void **unused)
{
    (void)unused;
    struct world w = begin("always", true);
    ends(&w, STEP_STOP, true);
    ends(&w, STEP_RESTORE, true);
    assert_string_equal(w.node.id, OLD);
    assert_string_equal(w.previous.id, EARLIER);
}

/* Whoever started the previous one, or gave it a restart policy. */
static void a_start_is_alone(void **unused)
{
    (void)unused;
    struct world w = begin("no", true);
    ends(&w, STEP_STOP, true);
    (void)snprintf(w.previous.restart, sizeof w.previous.restart, "always");
    w.previous.running = true;
    ends(&w, STEP_START, true);
    assert_true(w.node.running && !w.previous.running);
    assert_string_equal(w.previous.restart, "no");
}

static void a_target_that_changes(void **unused)
{
    (void)unused;
    struct world w = begin("always", false);
    ends(&w, STEP_STOP, true);
    ends(&w, STEP_REINIT, true);
    w.image = "three";
    ends(&w, STEP_REINIT, true);
    assert_string_equal(w.node.image, "three");
    assert_string_equal(w.previous.id, OLD);
}

/* --- bodies --- */

static json_t *parse(const char *text)
{
    json_t *tree = json_loads(text, 0, NULL);
    assert_non_null(tree);
    return tree;
}

/* Config, HostConfig and NetworkingConfig as far as expected names them; null: it is left out. */
static void check_body(const char *old_text, const char *image_text, const char *expected_text)
{
    json_t *old = parse(old_text), *image = image_text == NULL ? NULL : parse(image_text),
           *expected = parse(expected_text);
    json_t *body = docker_body_create(old, image, "new:1", OLD, "always"), *labels;
    const char *name;
    json_t *value;
    labels = json_object_get(body, "Labels");
    assert_string_equal(json_string_value(json_object_get(labels, DOCKER_LABEL_REPLACES)), OLD);
    assert_string_equal(json_string_value(json_object_get(labels, DOCKER_LABEL_RESTART)), "always");
    (void)json_object_del(labels, DOCKER_LABEL_REPLACES);
    (void)json_object_del(labels, DOCKER_LABEL_RESTART);
    json_object_foreach(expected, name, value)
    {
        json_t *got = json_object_get(body, name);
        char *got_text =
            got == NULL ? NULL : json_dumps(got, JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_COMPACT);
        char *want_text = json_dumps(value, JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_COMPACT);
        if (json_is_null(value))
            assert_null(got);
        else
            assert_string_equal(got_text == NULL ? "" : got_text, want_text);
        free(got_text);
        free(want_text);
    }
    json_decref(body);
    json_decref(expected);
    json_decref(image);
    json_decref(old);
}

#define IMAGE                                                                                                \
    "{\"Config\":{\"Env\":[\"PATH=/bin\",\"A=1\"],\"Cmd\":[\"run\"],\"Entrypoint\":[\"/e\"],\"User\":\"u\"," \
    "\"Labels\":{\"v\":\"1\",\"w\":\"2\"},\"Volumes\":{\"/d\":{}},\"Healthcheck\":{\"Test\":[\"CMD\"],\"Retries\":3}}}"

static void defaults_of_the_old_image_do_not_stay(void **unused)
{
    (void)unused;
    check_body(
        "{\"Id\":\"x\",\"Config\":{\"Env\":[\"B=2\",\"PATH=/bin\",\"A=1\"],\"Cmd\":[\"run\"],\"Entrypoint\":[\"/e\"],"
        "\"User\":\"u\",\"Labels\":{\"v\":\"1\",\"mine\":\"x\"},\"Volumes\":{\"/d\":{},\"/mine\":{}},"
        "\"Healthcheck\":{\"Test\":[\"CMD\"],\"Retries\":5}}}",
        IMAGE,
        "{\"Image\":\"new:1\",\"Env\":[\"B=2\"],\"Cmd\":null,\"Entrypoint\":null,\"User\":null,"
        "\"Labels\":{\"mine\":\"x\"},\"Volumes\":{\"/mine\":{}},\"Healthcheck\":{\"Retries\":5}}");
    check_body(
        "{\"Id\":\"x\",\"Config\":{\"Env\":[\"A=2\",\"PATH=/bin\"],\"Cmd\":[\"mine\"],\"Entrypoint\":[\"/e\"]}}",
        IMAGE, "{\"Env\":[\"A=2\"],\"Cmd\":[\"mine\"],\"Entrypoint\":null}");
    check_body("{\"Id\":\"x\",\"Config\":{\"Env\":[\"A=1\"],\"Cmd\":[\"run\"]}}", NULL,
               "{\"Env\":[\"A=1\"],\"Cmd\":[\"run\"]}");
}

/* The Engine takes the image's Cmd only beside the image's Entrypoint. */
static void entry_points(void **unused)
{
    (void)unused;
    check_body("{\"Id\":\"x\",\"Config\":{\"Cmd\":[\"run\"],\"Entrypoint\":[\"/mine\"]}}", IMAGE,
               "{\"Cmd\":[\"run\"],\"Entrypoint\":[\"/mine\"]}");
    check_body("{\"Id\":\"x\",\"Config\":{\"Cmd\":[\"run\"],\"Entrypoint\":null}}", IMAGE,
               "{\"Cmd\":[\"run\"],\"Entrypoint\":[\"\"]}");
    check_body("{\"Id\":\"x\",\"Config\":{\"Cmd\":null,\"Entrypoint\":[\"/e\"]}}", IMAGE,
               "{\"Entrypoint\":[\"/e\"]}");
}

static void volumes_and_links(void **unused)
{
    (void)unused;
    check_body(
        "{\"Id\":\"x\",\"Config\":{},\"HostConfig\":{\"Binds\":[\"/h:/b:ro\",\"n:/named\"],\"NetworkMode\":\"host\","
        "\"Links\":[\"/db:/node/data\"],\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/m\"},{\"Type\":\"volume\","
        "\"Target\":\"/s\",\"Source\":\"given\"}]},\"Mounts\":["
        "{\"Type\":\"bind\",\"Source\":\"/h\",\"Destination\":\"/b\"},"
        "{\"Type\":\"volume\",\"Name\":\"n\",\"Destination\":\"/named\",\"RW\":true},"
        "{\"Type\":\"volume\",\"Name\":\"v1\",\"Destination\":\"/m\",\"RW\":true},"
        "{\"Type\":\"volume\",\"Name\":\"given\",\"Destination\":\"/s\",\"RW\":true},"
        "{\"Type\":\"volume\",\"Name\":\"v2\",\"Destination\":\"/nam\",\"RW\":false}]}",
        NULL,
        "{\"HostConfig\":{\"Binds\":[\"/h:/b:ro\",\"n:/named\",\"v2:/nam:ro\"],\"NetworkMode\":\"host\","
        "\"Links\":[\"/db:data\"],\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/m\",\"Source\":\"v1\"},"
        "{\"Type\":\"volume\",\"Target\":\"/s\",\"Source\":\"given\"}],"
        "\"RestartPolicy\":{\"Name\":\"always\",\"MaximumRetryCount\":0}},"
        "\"NetworkingConfig\":{\"EndpointsConfig\":{}}}");
}

#define NETWORKED                                                                                                         \
    "{\"Id\":\"0123456789abcdef\",\"Config\":{\"Hostname\":\"0123456789ab\"},\"HostConfig\":{\"NetworkMode\":\"one\"},"   \
    "\"NetworkSettings\":{\"Networks\":{\"one\":{\"Aliases\":[\"0123456789ab\",\"web\"],\"IPAMConfig\":{\"IPv4Address\":" \
    "\"10.0.0.9\"},\"IPAddress\":\"10.0.0.9\"},\"two\":{\"Aliases\":null,\"IPAMConfig\":null}}}}"

static void networks(void **unused)
{
    (void)unused;
    check_body(
        NETWORKED, NULL,
        "{\"Hostname\":null,\"NetworkingConfig\":{\"EndpointsConfig\":{\"one\":{\"Aliases\":[\"web\"],\"IPAMConfig\":"
        "{\"IPv4Address\":\"10.0.0.9\"}}}}}");
    json_t *old = parse(NETWORKED);
    json_t *now = parse(
        "{\"HostConfig\":{\"NetworkMode\":\"one\"},\"NetworkSettings\":{\"Networks\":{\"one\":{}}}}");
    assert_string_equal(docker_body_network(old, now), "two");
    assert_null(docker_body_network(now, old));
    json_t *body = docker_body_connect(old, "two", NEW);
    assert_string_equal(json_string_value(json_object_get(body, "Container")), NEW);
    json_decref(body);
    json_decref(now);
    json_decref(old);
}

static void policies_as_text(void **unused)
{
    (void)unused;
    json_t *body = docker_body_restart("on-failure:3");
    char *text = json_dumps(body, JSON_SORT_KEYS | JSON_COMPACT);
    assert_string_equal(text,
                        "{\"RestartPolicy\":{\"MaximumRetryCount\":3,\"Name\":\"on-failure\"}}");
    free(text);
    json_decref(body);
}

/* --- names --- */

static void names(void **unused)
{
    (void)unused;
    static const char *const images[] = {"node", "node:v2", "a.org:5000/b/node:v2",
                                         "node@sha256:00ff"};
    static const char *const no_images[] = {"",    "/node", "-x",   "a//b", "a/../b",
                                            "a b", "a?b",   "a%2e", "a\n"};
    char out[16];
    for (size_t i = 0; i < sizeof images / sizeof images[0]; i++)
        assert_true(docker_image_is_valid(images[i]));
    for (size_t i = 0; i < sizeof no_images / sizeof no_images[0]; i++)
        assert_false(docker_image_is_valid(no_images[i]));
    assert_true(docker_name_is_valid("node_1.a-b"));
    assert_false(docker_name_is_valid("n"));
    assert_false(docker_name_is_valid("a/b"));
    assert_true(docker_escape("a b\"", out, sizeof out));
    assert_string_equal(out, "a%20b%22");
    assert_false(docker_escape("0123456789abcdef", out, sizeof out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_cut_anywhere),
        cmocka_unit_test(restores_from_anywhere),
        cmocka_unit_test(a_restore_without_a_reinit),
        cmocka_unit_test(a_start_is_alone),
        cmocka_unit_test(a_target_that_changes),
        cmocka_unit_test(defaults_of_the_old_image_do_not_stay),
        cmocka_unit_test(entry_points),
        cmocka_unit_test(volumes_and_links),
        cmocka_unit_test(networks),
        cmocka_unit_test(policies_as_text),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
