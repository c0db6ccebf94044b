#include "node/docker_pull.h"

#include <assert.h>
#include <string.h>

#define SILENT_MS 300000
#define SAY_MS 2000

static void say(struct docker_pull *pull, const json_t *object)
{
    const char *status = json_string_value(json_object_get(object, "status"));
    const json_t *detail = json_object_get(object, "progressDetail");
    json_int_t current = json_integer_value(json_object_get(detail, "current"));
    json_int_t total = json_integer_value(json_object_get(detail, "total"));
    bool known = total > 0 && current >= 0 && current <= total;
    struct fault text;
    if (status == NULL || zclock_mono() < pull->said_ms + SAY_MS)
        return;
    pull->said_ms = zclock_mono();
    (void)fault_set(&text, "pulling %s: %.100s", pull->image, status);
    pull->say(pull->owner, known ? (int)((double)current / (double)total * 100) : -1, text.text);
}

/* Failures come as a line of a reply that began well. */
static void on_line(void *owner, const json_t *object)
{
    struct docker_pull *pull = owner;
    const char *error = json_string_value(json_object_get(object, "error"));
    if (error != NULL)
        (void)snprintf(pull->error, sizeof pull->error, "%s", error);
    else
        say(pull, object);
}

static void on_end(void *owner, const struct docker_reply *reply)
{
    struct docker_pull *pull = owner;
    struct fault fault = {""};
    pull->call = NULL;
    bool good = reply->ok && pull->error[0] == '\0';
    if (!good)
        (void)fault_set(&fault, "the image %s could not be fetched: docker pull %s (%.150s)",
                        pull->image, pull->image, reply->ok ? pull->error : reply->text);
    pull->done(pull->owner, good, fault.text);
}

void docker_pull(struct docker_pull *pull)
{
    char path[DOCKER_PATH_MAX], escaped[DOCKER_PATH_MAX - 64];
    const char *slash = strrchr(pull->image, '/');
    const char *last = slash == NULL ? pull->image : slash;
    bool tagged = strchr(last, ':') != NULL || strchr(last, '@') != NULL;
    bool fits = docker_escape(pull->image, escaped, sizeof escaped);
    assert(fits && pull->call == NULL);
    /* without a tag the Engine would fetch all of them */
    (void)snprintf(path, sizeof path, "/images/create?fromImage=%s%s", escaped,
                   tagged ? "" : ":latest");
    pull->error[0] = '\0';
    pull->said_ms = 0;
    struct docker_request request = {.method = "POST",
                                     .path = path,
                                     .timeout_ms = SILENT_MS,
                                     .line = on_line,
                                     .owner = pull,
                                     .done = on_end};
    pull->call = docker_send(pull->docker, &request);
}

void docker_pull_end(struct docker_pull *pull)
{
    docker_cancel(&pull->call);
}
