#include "node/docker_pair.h"

#include <assert.h>
#include <string.h>

#include "node/docker_body.h"
#include "node/field.h"

#define OFF "no"

/* --- reading --- */

static bool read_health(const struct field *state, enum docker_health *health)
{
    static const char *const words[] = {
        [DOCKER_NO_CHECK] = "none",
        [DOCKER_CHECKING] = "starting",
        [DOCKER_HEALTHY] = "healthy",
        [DOCKER_UNHEALTHY] = "unhealthy",
    };
    struct field at;
    char word[16];
    *health = DOCKER_NO_CHECK;
    if (!field_has(state, "Health") || json_is_null(json_object_get(state->value, "Health")))
        return true;
    if (!field_in(state, "Health", &at) || !field_text_cut(&at, "Status", word, sizeof word))
        return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(word, words[i]) == 0)
            *health = (enum docker_health)i;
    return true;
}

static bool read_state(const struct field *top, struct docker_container *out)
{
    struct field state;
    bool running;
    if (!field_in(top, "State", &state) || !field_bool(&state, "Running", &running) ||
        !field_bool(&state, "Paused", &out->paused) ||
        !field_bool(&state, "Restarting", &out->restarting) ||
        !field_int32(&state, "ExitCode", INT32_MIN, &out->exit_code) ||
        !field_text_cut(&state, "Error", out->error, sizeof out->error) ||
        !field_text(&state, "StartedAt", out->started_at, sizeof out->started_at) ||
        !read_health(&state, &out->health))
        return false;
    out->running = running || out->paused || out->restarting;
    return true;
}

static bool read_restart(const struct field *host, char *out, size_t room)
{
    struct field policy;
    char name[20];
    int32_t retries;
    if (!field_in(host, "RestartPolicy", &policy) ||
        !field_text(&policy, "Name", name, sizeof name) ||
        !field_int32(&policy, "MaximumRetryCount", 0, &retries))
        return false;
    if (strcmp(name, "on-failure") == 0)
        (void)snprintf(out, room, "%s:%d", name, (int)retries);
    else
        (void)snprintf(out, room, "%s", name[0] == '\0' ? OFF : name);
    return true;
}

static bool is_data(const json_t *mount)
{
    const char *type = json_string_value(json_object_get(mount, "Type"));
    return type != NULL && (strcmp(type, "volume") == 0 || strcmp(type, "bind") == 0);
}

static bool read_host(const struct field *top, struct docker_container *out)
{
    struct field host;
    size_t index;
    json_t *at;
    if (!field_in(top, "HostConfig", &host) || !field_bool(&host, "AutoRemove", &out->auto_remove))
        return false;
    json_array_foreach(json_object_get(top->value, "Mounts"), index, at) out->has_data |=
        is_data(at);
    return read_restart(&host, out->restart, sizeof out->restart);
}

/* One that is not there is "". */
static bool read_label(const struct field *labels, const char *name, char *out, size_t room)
{
    out[0] = '\0';
    return !field_has(labels, name) || field_text(labels, name, out, room);
}

static bool read_config(const struct field *top, struct docker_container *out)
{
    struct field config, labels;
    if (!field_in(top, "Config", &config) ||
        !field_text(&config, "Image", out->image_name, sizeof out->image_name))
        return false;
    if (!json_is_object(json_object_get(config.value, "Labels")))
        return true;
    if (!field_in(&config, "Labels", &labels))
        return false;
    out->swarm = field_has(&labels, "com.docker.swarm.service.name");
    out->compose = field_has(&labels, "com.docker.compose.project");
    return read_label(&labels, DOCKER_LABEL_REPLACES, out->replaces, sizeof out->replaces) &&
           read_label(&labels, DOCKER_LABEL_RESTART, out->replaced_restart,
                      sizeof out->replaced_restart);
}

/* An id becomes part of paths and of the kept line. */
static bool read_id(const struct field *top, const char *name, const char *prefix, char *out)
{
    size_t length = strlen(prefix);
    if (!field_text(top, name, out, DOCKER_ID_MAX))
        return false;
    if (strncmp(out, prefix, length) != 0 || out[length] == '\0' ||
        out[length + strspn(out + length, "0123456789abcdef")] != '\0')
        return field_wrong(top, "%s is no id", name);
    return true;
}

bool docker_container_read(const json_t *body, struct docker_container *out, struct fault *fault)
{
    struct field top = field_top(body, "container", fault);
    *out = (struct docker_container){.exists = true};
    return read_id(&top, "Id", "", out->id) && read_id(&top, "Image", "sha256:", out->image) &&
           field_int32(&top, "RestartCount", 0, &out->restarts) && read_state(&top, out) &&
           read_host(&top, out) && read_config(&top, out);
}

/* --- deciding --- */

static const struct docker_next done = {.action = PAIR_DONE}, failed = {.action = PAIR_FAILED};

static struct docker_next node(enum docker_action action)
{
    return (struct docker_next){.action = action};
}

static struct docker_next previous(enum docker_action action)
{
    return (struct docker_next){.action = action, .previous = true};
}

static struct docker_next restart(bool of_previous, const char *policy)
{
    return (struct docker_next){.action = PAIR_RESTART, .previous = of_previous, .restart = policy};
}

static bool is_off(const struct docker_container *container)
{
    return strcmp(container->restart, OFF) == 0;
}

static bool is(const struct docker_container *container, const char *id)
{
    return container->exists && id[0] != '\0' && strcmp(container->id, id) == 0;
}

bool docker_check(const struct docker_seen *seen, struct fault *fault)
{
    const struct docker_container *node_now = &seen->node;
    if (!node_now->exists && !seen->previous.exists)
        return fault_set(
            fault,
            "there is no container \"%s\": create it, or set docker.container to the name "
            "of the node's container (docker ps -a)",
            seen->name);
    if (node_now->auto_remove)
        return fault_set(fault,
                         "the container %s is removed when it is stopped (--rm): create it again "
                         "without --rm",
                         seen->name);
    if (node_now->swarm)
        return fault_set(
            fault,
            "the container %s belongs to a swarm's service, which would replace it: use "
            "runtime.driver = command with docker service",
            seen->name);
    return true;
}

static struct docker_next next_stop(const struct docker_seen *seen, struct fault *fault)
{
    if (!docker_check(seen, fault))
        return failed;
    if (seen->node.running)
        return node(PAIR_STOP);
    if (seen->previous.running)
        return previous(PAIR_STOP);
    (void)fault_set(fault, "the container %s is stopped", seen->name);
    return done;
}

/* Which container the turn replaces. Without a note it is what the node's label says, as long as the node never ran: then
 * it was made in this turn. */
static const char *replaced(const struct docker_seen *seen)
{
    const struct docker_container *now = &seen->node, *before = &seen->previous;
    if (is(now, seen->replaced) || is(before, seen->replaced))
        return seen->replaced;
    if (!now->exists)
        return before->id;
    if (is(before, now->replaces) && strncmp(now->started_at, "0001-", 5) == 0)
        return before->id;
    return now->id;
}

/* The node is the old one. The image is there before anything is removed. */
static struct docker_next next_away(const struct docker_seen *seen)
{
    if (seen->image != NULL && seen->image[0] == '\0')
        return node(PAIR_PULL);
    if (seen->previous.running)
        return previous(PAIR_STOP);
    if (seen->previous.exists)
        return previous(PAIR_REMOVE);
    return node(PAIR_RENAME);
}

/* The node is there, or not, and the previous one is what it replaces. */
static struct docker_next next_create(const struct docker_seen *seen, struct fault *fault)
{
    const struct docker_container *now = &seen->node, *before = &seen->previous;
    const char *wanted = seen->image == NULL ? before->image : seen->image;
    if (wanted[0] == '\0')
        return node(PAIR_PULL);
    if (!now->exists)
        return node(PAIR_CREATE);
    if (strcmp(now->image, wanted) != 0)
        return node(PAIR_REMOVE); /* the target was changed */
    if (seen->networks_missing)
        return node(PAIR_CONNECT);
    if (!is_off(before))
        return restart(true, OFF);
    (void)fault_set(fault,
                    "the container %s was created anew from %s; the old one is %s" DOCKER_PREVIOUS,
                    seen->name, now->image_name, seen->name);
    return done;
}

static struct docker_next next_reinit(const struct docker_seen *seen, struct fault *fault)
{
    const char *old = replaced(seen);
    if (!docker_check(seen, fault))
        return failed;
    if (seen->node.running)
        return node(PAIR_STOP);
    if (seen->previous.running)
        return previous(PAIR_STOP);
    if (strcmp(old, seen->replaced) != 0)
        return is(&seen->node, old) ? node(PAIR_NOTE) : previous(PAIR_NOTE);
    return is(&seen->node, old) ? next_away(seen) : next_create(seen, fault);
}

/* --- start --- */

static struct docker_next fail_start(const struct docker_seen *seen, const char *what,
                                     struct fault *fault)
{
    (void)fault_set(fault, "the container %s %s (exit status %d)%s%s; see docker logs %s",
                    seen->name, what, (int)seen->node.exit_code,
                    seen->node.error[0] == '\0' ? "" : ": ", seen->node.error, seen->name);
    return failed;
}

static struct docker_next next_up(const struct docker_seen *seen, struct fault *fault)
{
    const struct docker_container *now = &seen->node;
    if (now->health == DOCKER_UNHEALTHY) {
        (void)fault_set(
            fault,
            "the container %s runs, and its health check says unhealthy; see docker inspect "
            "%s and docker logs %s",
            seen->name, seen->name, seen->name);
        return failed;
    }
    if (now->health == DOCKER_CHECKING || (now->health == DOCKER_NO_CHECK && !seen->settled))
        return node(PAIR_WAIT);
    if (seen->previous.exists && seen->previous.compose)
        return previous(PAIR_REMOVE);
    (void)fault_set(fault, "the container %s runs%s", seen->name,
                    now->health == DOCKER_HEALTHY ? " and is healthy" : "");
    return done;
}

static struct docker_next next_start(const struct docker_seen *seen, struct fault *fault)
{
    const struct docker_container *now = &seen->node, *before = &seen->previous;
    if (!docker_check(seen, fault))
        return failed;
    if (!now->exists) {
        (void)fault_set(
            fault,
            "there is no container %s, but its predecessor: docker rename %s" DOCKER_PREVIOUS " %s",
            seen->name, seen->name, seen->name);
        return failed;
    }
    if (before->running)
        return previous(PAIR_STOP);
    if (before->exists && !is_off(before))
        return restart(true, OFF);
    if (now->paused)
        return node(PAIR_UNPAUSE);
    if (now->restarting)
        return fail_start(seen, "ends again and again", fault);
    if (now->running)
        return next_up(seen, fault);
    if (seen->started)
        return fail_start(seen, "ended as soon as it was started", fault);
    return node(PAIR_START);
}

/* --- restore --- */

/* The node is new. It must not run, nor come back by itself, before the old one may. */
static struct docker_next next_undo(const struct docker_seen *seen)
{
    const struct docker_container *now = &seen->node, *before = &seen->previous;
    const char *policy = now->replaced_restart;
    if (now->running)
        return node(PAIR_STOP);
    if (!is_off(now))
        return restart(false, OFF);
    if (policy[0] != '\0' && strcmp(before->restart, policy) != 0)
        return restart(true, policy);
    return node(PAIR_REMOVE);
}

/* The old one is back. It counts as up without its health check, which may take as long as it likes: there is nothing
 * left to go back to. */
static struct docker_next next_back(const struct docker_seen *seen, struct fault *fault)
{
    const struct docker_container *now = &seen->node;
    if (!now->running || now->paused || now->restarting || seen->previous.running)
        return next_start(seen, fault);
    if (!seen->settled)
        return node(PAIR_WAIT);
    (void)fault_set(fault, "the container %s is the one of before the turn, and runs", seen->name);
    return done;
}

static struct docker_next next_restore(const struct docker_seen *seen, struct fault *fault)
{
    const struct docker_container *now = &seen->node, *before = &seen->previous;
    if (!docker_check(seen, fault))
        return failed;
    if (before->running)
        return previous(PAIR_STOP);
    if (now->exists && is(before, replaced(seen)))
        return next_undo(seen);
    return now->exists ? next_back(seen, fault) : node(PAIR_RENAME_BACK);
}

struct docker_next docker_next(enum coord_step_kind step, const struct docker_seen *seen,
                               struct fault *fault)
{
    switch (step) {
    case STEP_STOP:
        return next_stop(seen, fault);
    case STEP_REINIT:
        return next_reinit(seen, fault);
    case STEP_START:
        return next_start(seen, fault);
    case STEP_RESTORE:
        return next_restore(seen, fault);
    case STEP_NONE:
        break;
    }
    assert(false);
    return failed;
}
