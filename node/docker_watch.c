#include "node/docker_watch.h"

#include <assert.h>
#include <string.h>

#include "node/docker_look.h"

#define EVENT_MS 50   /* events come in groups */
#define LOOK_MS 30000 /* without an event */
#define LOST_MS 5000  /* until an Engine that did not answer is asked again */
#define FILTER                                                                                     \
    "{\"type\":[\"container\"],\"container\":[\"%s\"],\"event\":[\"create\",\"destroy\",\"die\","  \
    "\"health_status\",\"pause\",\"rename\",\"restart\",\"start\",\"unpause\"]}"

/* Only so long until the next look as there are events. */
static void rest(struct docker_watch *watch)
{
    wake_set(watch->wake, watch->events == NULL ? LOST_MS : LOOK_MS);
}

static void on_look(void *owner, const struct docker_reply *reply)
{
    struct docker_watch *watch = owner;
    struct docker_container container = {0};
    struct fault fault;
    watch->call = NULL;
    if (!reply->ok && reply->status != 404) {
        wake_set(watch->wake, LOST_MS);
        watch->lost(watch->owner, reply->text);
    } else if (reply->ok && docker_has_name(reply->body, watch->name, "") &&
               !docker_container_read(reply->body, &container, &fault)) {
        wake_set(watch->wake, LOST_MS);
        watch->lost(watch->owner, fault.text);
    } else {
        rest(watch);
        watch->seen(watch->owner, &container);
    }
}

static void look(struct docker_watch *watch)
{
    char path[DOCKER_PATH_MAX];
    if (watch->call != NULL)
        return;
    (void)snprintf(path, sizeof path, "/containers/%s/json", watch->name);
    struct docker_request request = {
        .method = "GET", .path = path, .owner = watch, .done = on_look};
    watch->call = docker_send(watch->docker, &request);
}

/* --- events --- */

static void on_event(void *owner, const json_t *object)
{
    struct docker_watch *watch = owner;
    (void)object;
    wake_set(watch->wake, EVENT_MS);
    watch->event(watch->owner);
}

static void on_events_end(void *owner, const struct docker_reply *reply)
{
    struct docker_watch *watch = owner;
    (void)reply;
    watch->events = NULL;
    wake_set(watch->wake, LOST_MS);
    look(watch);
}

static void open_events(struct docker_watch *watch)
{
    char filter[sizeof FILTER + DOCKER_NAME_MAX], escaped[DOCKER_PATH_MAX - 64];
    char path[DOCKER_PATH_MAX];
    (void)snprintf(filter, sizeof filter, FILTER, watch->name);
    bool fits = docker_escape(filter, escaped, sizeof escaped);
    assert(fits);
    (void)snprintf(path, sizeof path, "/events?filters=%s", escaped);
    struct docker_request request = {
        .method = "GET", .path = path, .line = on_event, .owner = watch, .done = on_events_end};
    watch->events = docker_send(watch->docker, &request);
}

/* Events first, so that none is lost between the two. */
static void on_wake(void *owner)
{
    struct docker_watch *watch = owner;
    if (watch->events == NULL)
        open_events(watch);
    look(watch);
}

void docker_watch_now(struct docker_watch *watch)
{
    docker_cancel(&watch->call);
    wake_set(watch->wake, 0);
}

void docker_watch_begin(struct docker_watch *watch, zloop_t *loop)
{
    watch->wake = wake_create(loop, on_wake, watch);
    assert(watch->wake != NULL);
    wake_set(watch->wake, 0);
}

void docker_watch_end(struct docker_watch *watch)
{
    docker_cancel(&watch->events);
    docker_cancel(&watch->call);
    wake_destroy(&watch->wake);
}
