/* A stand-in for systemd on a private bus: org.freedesktop.systemd1 with one unit, node.service. It is no systemd: it
 * knows only what node/bus_unit.c asks, and moves its unit as it is told.
 *
 *     systemd_standin ADDRESS
 *
 *     in                              out
 *     state ACTIVE SUB RESULT         ready
 *     load WORD                       called MEMBER [ARGUMENT]
 *     mood WORD                       state ACTIVE SUB RESULT
 *
 * Moods: good; stuck (a job stays until "finish RESULT"); denied, password, nounit, odd (errors); silent (no answer);
 * deaf (no signals); crash (a start ends in "failed"); loop (a start ends in auto-restart); stale (the unit's file has
 * changed); garbled (LoadUnit answers with the path of something else).
 */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <time.h>

#define SYSTEMD "org.freedesktop.systemd1"
#define ROOT "/org/freedesktop/systemd1"
#define UNIT_PATH ROOT "/unit/node_2eservice"
#define WORD 64

struct standin {
    sd_bus *bus;
    char load[WORD], active[WORD], sub[WORD], result[WORD], mood[WORD];
    uint32_t job; /* 0: none */
    bool starting;
    uint64_t since;
};

static void must(int result)
{
    if (result < 0) {
        fprintf(stderr, "systemd_standin: %s\n", strerror(-result));
        exit(1);
    }
}

static bool is(const struct standin *s, const char *mood)
{
    return strcmp(s->mood, mood) == 0;
}

/* --- the unit --- */

static void move(struct standin *s, const char *active, const char *sub, const char *result)
{
    struct timespec now;
    if (strcmp(active, "active") == 0) {
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        s->since = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    }
    (void)snprintf(s->active, WORD, "%s", active);
    (void)snprintf(s->sub, WORD, "%s", sub);
    (void)snprintf(s->result, WORD, "%s", result);
    printf("state %s %s %s\n", active, sub, result);
    if (!is(s, "deaf"))
        must(sd_bus_emit_properties_changed(s->bus, UNIT_PATH, SYSTEMD ".Unit", "ActiveState",
                                            "SubState", NULL));
}

static void finish(struct standin *s, const char *result)
{
    char path[WORD];
    bool done = strcmp(result, "done") == 0;
    uint32_t job = s->job;
    if (job == 0)
        return;
    s->job = 0;
    if (!done)
        move(s, s->starting ? "failed" : "active", s->starting ? "failed" : "running", result);
    else if (!s->starting)
        move(s, "inactive", "dead", "success");
    else if (is(s, "crash"))
        move(s, "failed", "failed", "exit-code");
    else if (is(s, "loop"))
        move(s, "activating", "auto-restart", "exit-code");
    else
        move(s, "active", "running", "success");
    (void)snprintf(path, sizeof path, ROOT "/job/%u", job);
    if (!is(s, "deaf"))
        must(sd_bus_emit_signal(s->bus, ROOT, SYSTEMD ".Manager", "JobRemoved", "uoss", job, path,
                                "node.service", result));
}

/* --- methods --- */

/* 1: answered already, or never to be. */
static int refuse(const struct standin *s, sd_bus_message *call)
{
    static const struct {
        const char *mood, *name;
    } refusals[] = {
        {"denied", "org.freedesktop.DBus.Error.AccessDenied"},
        {"password", "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"},
        {"nounit", SYSTEMD ".NoSuchUnit"},
        {"odd", "org.example.Odd"},
    };
    const char *member = sd_bus_message_get_member(call);
    printf("called %s\n", member);
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        if (is(s, refusals[i].mood) && strcmp(member, "LoadUnit") != 0)
            return sd_bus_reply_method_errorf(call, refusals[i].name, "it is \001 refused");
    return is(s, "silent") ? 1 : 0;
}

static int on_load(sd_bus_message *call, void *argument, sd_bus_error *error)
{
    const struct standin *s = argument;
    int refused = refuse(s, call);
    (void)error;
    if (refused != 0)
        return refused;
    return sd_bus_reply_method_return(call, "o", is(s, "garbled") ? "/elsewhere" : UNIT_PATH);
}

static int on_job(sd_bus_message *call, void *argument, sd_bus_error *error)
{
    static uint32_t jobs;
    struct standin *s = argument;
    char path[WORD];
    int refused = refuse(s, call);
    (void)error;
    if (refused != 0)
        return refused;
    s->job = ++jobs;
    s->starting = strcmp(sd_bus_message_get_member(call), "StartUnit") == 0;
    (void)snprintf(path, sizeof path, ROOT "/job/%u", s->job);
    must(sd_bus_reply_method_return(call, "o", path));
    move(s, s->starting ? "activating" : "deactivating", s->starting ? "start" : "stop-sigterm",
         "success");
    if (!is(s, "stuck"))
        finish(s, "done");
    return 1;
}

static int on_reset(sd_bus_message *call, void *argument, sd_bus_error *error)
{
    struct standin *s = argument;
    int refused = refuse(s, call);
    (void)error;
    if (refused != 0)
        return refused;
    must(sd_bus_reply_method_return(call, ""));
    move(s, "inactive", "dead", "success");
    return 1;
}

static int on_reload(sd_bus_message *call, void *argument, sd_bus_error *error)
{
    struct standin *s = argument;
    int refused = refuse(s, call);
    (void)error;
    if (refused != 0)
        return refused;
    (void)snprintf(s->mood, WORD, "good");
    return sd_bus_reply_method_return(call, "");
}

static int on_subscribe(sd_bus_message *call, void *argument, sd_bus_error *error)
{
    (void)argument, (void)error;
    return sd_bus_reply_method_return(call, "");
}

/* --- properties --- */

static int get_text(sd_bus *bus, const char *path, const char *interface, const char *property,
                    sd_bus_message *reply, void *argument, sd_bus_error *error)
{
    const struct standin *s = argument;
    (void)bus, (void)path, (void)interface, (void)error;
    return sd_bus_message_append(reply, "s",
                                 strcmp(property, "LoadState") == 0     ? s->load
                                 : strcmp(property, "ActiveState") == 0 ? s->active
                                 : strcmp(property, "SubState") == 0    ? s->sub
                                                                        : s->result);
}

static int get_other(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *reply, void *argument, sd_bus_error *error)
{
    const struct standin *s = argument;
    (void)bus, (void)path, (void)interface, (void)error;
    if (strcmp(property, "Job") == 0)
        return sd_bus_message_append(reply, "(uo)", s->job, s->job == 0 ? "/" : ROOT "/job/1");
    if (strcmp(property, "NeedDaemonReload") == 0)
        return sd_bus_message_append(reply, "b", is(s, "stale"));
    if (strcmp(property, "Conditions") == 0)
        return sd_bus_message_append(reply, "a(sbbsi)", 1, "ConditionPathExists", 0, 0, "/x", 1);
    return sd_bus_message_append(reply, "t", s->since);
}

static const sd_bus_vtable manager[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("LoadUnit", "s", "o", on_load, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("StartUnit", "ss", "o", on_job, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("StopUnit", "ss", "o", on_job, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("ResetFailedUnit", "s", "", on_reset, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Reload", "", "", on_reload, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Subscribe", "", "", on_subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_SIGNAL("JobRemoved", "uoss", 0),
    SD_BUS_VTABLE_END,
};

static const sd_bus_vtable unit[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Conditions", "a(sbbsi)", get_other, 0, 0),
    SD_BUS_PROPERTY("LoadState", "s", get_text, 0, 0),
    SD_BUS_PROPERTY("ActiveState", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("SubState", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Job", "(uo)", get_other, 0, 0),
    SD_BUS_PROPERTY("NeedDaemonReload", "b", get_other, 0, 0),
    SD_BUS_PROPERTY("ActiveEnterTimestampMonotonic", "t", get_other, 0, 0),
    SD_BUS_VTABLE_END,
};

static const sd_bus_vtable service[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Result", "s", get_text, 0, 0),
    SD_BUS_VTABLE_END,
};

/* --- what it is told --- */

static void take_line(struct standin *s, const char *line)
{
    char what[WORD], one[WORD] = "", two[WORD] = "", three[WORD] = "";
    if (sscanf(line, "%63s %63s %63s %63s", what, one, two, three) < 2)
        return;
    if (strcmp(what, "state") == 0)
        move(s, one, two, three);
    else if (strcmp(what, "load") == 0)
        (void)snprintf(s->load, WORD, "%s", one);
    else if (strcmp(what, "mood") == 0)
        (void)snprintf(s->mood, WORD, "%s", one);
    else if (strcmp(what, "finish") == 0)
        finish(s, one);
    printf("took %s", line);
}

static int on_input(sd_event_source *source, int fd, uint32_t events, void *argument)
{
    char line[4 * WORD];
    (void)fd, (void)events;
    if (fgets(line, sizeof line, stdin) == NULL)
        return sd_event_exit(sd_event_source_get_event(source), 0);
    take_line(argument, line);
    return 0;
}

int main(int argc, char **argv)
{
    struct standin s = {.load = "loaded",
                        .active = "active",
                        .sub = "running",
                        .result = "success",
                        .mood = "good"};
    sd_event *event = NULL;
    assert(argc == 2);
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    (void)setvbuf(stdin, NULL, _IONBF, 0);
    must(sd_event_default(&event));
    must(sd_bus_new(&s.bus));
    must(sd_bus_set_address(s.bus, argv[1]));
    must(sd_bus_set_bus_client(s.bus, 1));
    must(sd_bus_start(s.bus));
    must(sd_bus_add_object_vtable(s.bus, NULL, ROOT, SYSTEMD ".Manager", manager, &s));
    must(sd_bus_add_object_vtable(s.bus, NULL, UNIT_PATH, SYSTEMD ".Unit", unit, &s));
    must(sd_bus_add_object_vtable(s.bus, NULL, UNIT_PATH, SYSTEMD ".Service", service, &s));
    must(sd_bus_request_name(s.bus, SYSTEMD, 0));
    must(sd_bus_attach_event(s.bus, event, 0));
    must(sd_event_add_io(event, NULL, 0, 1 /* EPOLLIN */, on_input, &s));
    puts("ready");
    int status = sd_event_loop(event);
    sd_bus_flush_close_unref(s.bus);
    sd_event_unref(event);
    return status < 0 ? 1 : 0;
}
