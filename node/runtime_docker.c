/* The docker driver: the node is a container, taken through a turn over the Docker Engine's API.
 *
 * A step is a circle: look (docker_look.h), decide (docker_pair.h), do one thing, look again. A second, slower circle
 * watches the container for health() (docker_watch.h).
 *
 * The Engine keeps the node running between turns, by the container's restart policy. A container that the operator
 * stopped stays stopped: nothing is started outside of a step.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "node/docker_body.h"
#include "node/docker_look.h"
#include "node/docker_pull.h"
#include "node/docker_watch.h"
#include "node/runtime.h"
#include "node/wake.h"

#define ROUNDS_MAX 60 /* things to do in a step, waiting not counted */
#define CONFLICTS_MAX 30
#define AGAIN_MS 500        /* after a conflict: somebody else is at it */
#define WAIT_MS 1000        /* between looks at a container that starts */
#define SETTLE_MS 2000      /* a node without a health check is up when it has run this long */
#define STOP_SPARE_MS 30000 /* what the Engine may take beyond the grace */
#define CREATE_MS 180000    /* also to remove, to start */
#define EVENT_MS 50         /* from an event to a look: they come in groups */

struct driver {
    struct runtime *runtime;
    struct docker *docker;
    const char *name;
    int64_t grace_ms;

    /* the step */
    const struct runtime_job *job; /* NULL: none */
    struct docker_look look;
    struct docker_call *call;
    struct wake *wake;
    struct docker_next next;
    uint32_t rounds, conflicts;
    bool pulled;
    struct docker_pull pull;
    char running_since[40]; /* the Engine's time of the run that is being waited for, */
    int64_t running_ms;     /* and ours when it was first seen */

    /* the check */
    struct docker_look check;
    char check_target[RUNTIME_TARGET_MAX];

    struct docker_watch watch;
    enum runtime_health health;
    char installed[RUNTIME_TARGET_MAX];
};

static void look(struct driver *d);

/* --- what the node is --- */

static void note_installed(struct driver *d, const struct docker_container *node)
{
    char text[DOCKER_IMAGE_MAX + DOCKER_ID_MAX];
    bool named = strchr(node->image_name, '@') != NULL ||
                 strncmp(node->image_name, "sha256:", strlen("sha256:")) == 0;
    (void)snprintf(text, sizeof text, "%s%s%s", node->image_name, named ? "" : "@",
                   named ? "" : node->image);
    if (!runtime_target_is_valid(text))
        (void)snprintf(text, sizeof text, "%s", node->image);
    (void)snprintf(d->installed, sizeof d->installed, "%.*s", RUNTIME_TARGET_MAX - 1, text);
}

static void note_node(struct driver *d, const struct docker_container *node)
{
    static const char *const checks[] = {
        [DOCKER_NO_CHECK] = "runs",
        [DOCKER_CHECKING] = "runs, and its health is being checked",
        [DOCKER_HEALTHY] = "runs and is healthy",
        [DOCKER_UNHEALTHY] = "runs, and its health check says unhealthy",
    };
    if (!node->exists) {
        d->health = RUNTIME_DOWN;
        runtime_changed(d->runtime, "there is no container %s", d->name);
        return;
    }
    note_installed(d, node);
    d->health = node->restarting || (node->running && node->health == DOCKER_CHECKING)
                    ? RUNTIME_STARTING
                : node->running && !node->paused ? RUNTIME_UP
                                                 : RUNTIME_DOWN;
    if (node->restarting)
        runtime_changed(d->runtime,
                        "the container %s ended with status %" PRId32
                        " and is about to be restarted",
                        d->name, node->exit_code);
    else if (node->paused)
        runtime_changed(d->runtime, "the container %s is paused", d->name);
    else if (node->running)
        runtime_changed(d->runtime, "the container %s %s", d->name, checks[node->health]);
    else
        runtime_changed(d->runtime, "the container %s is stopped; its exit status is %" PRId32,
                        d->name, node->exit_code);
}

/* --- the end of a step --- */

static void end_step(struct driver *d, bool ok, const char *text)
{
    docker_cancel(&d->call);
    docker_look_end(&d->look);
    docker_pull_end(&d->pull);
    wake_stop(d->wake);
    d->job = NULL;
    docker_watch_now(&d->watch);
    runtime_ended(d->runtime, ok, "%s", text);
}

/* --- doing one thing --- */

static const struct docker_container *which(const struct driver *d)
{
    return d->next.previous ? &d->look.seen.previous : &d->look.seen.node;
}

/* Somebody else is at the container, or it went away meanwhile: the next look tells. */
static bool is_passing(const struct driver *d, const struct docker_reply *reply)
{
    return reply->status == 409 || (reply->status == 404 && d->next.action != PAIR_CREATE);
}

static void on_done(void *owner, const struct docker_reply *reply)
{
    struct driver *d = owner;
    d->call = NULL;
    if (reply->ok) {
        look(d);
    } else if (is_passing(d, reply) && d->conflicts < CONFLICTS_MAX) {
        d->conflicts++;
        wake_set(d->wake, AGAIN_MS);
    } else {
        end_step(d, false, reply->text);
    }
}

/* Takes the body. */
static void act(struct driver *d, const char *method, const char *path, json_t *body,
                int64_t timeout_ms)
{
    struct docker_request request = {.method = method,
                                     .path = path,
                                     .body = body,
                                     .timeout_ms = timeout_ms,
                                     .owner = d,
                                     .done = on_done};
    d->call = docker_send(d->docker, &request);
}

static void act_on(struct driver *d, const char *method, const char *what, json_t *body,
                   int64_t timeout_ms)
{
    char path[DOCKER_PATH_MAX];
    (void)snprintf(path, sizeof path, "/containers/%s%s", which(d)->id, what);
    act(d, method, path, body, timeout_ms);
}

static void stop(struct driver *d)
{
    char what[32];
    int64_t grace_s = (d->grace_ms + 999) / 1000;
    (void)snprintf(what, sizeof what, "/stop?t=%" PRId64, grace_s);
    runtime_progress(d->runtime, -1,
                     "stopping the container %s%s; it is killed after %" PRId64 " s", d->name,
                     d->next.previous ? DOCKER_PREVIOUS : "", grace_s);
    act_on(d, "POST", what, NULL, d->grace_ms + STOP_SPARE_MS);
}

static void remove_one(struct driver *d)
{
    runtime_progress(d->runtime, -1, "removing the container %s%s; its volumes stay", d->name,
                     d->next.previous ? DOCKER_PREVIOUS : "");
    act_on(d, "DELETE", "", NULL, CREATE_MS);
}

static void rename_one(struct driver *d, bool back)
{
    char path[DOCKER_PATH_MAX];
    const struct docker_container *from = back ? &d->look.seen.previous : &d->look.seen.node;
    runtime_progress(d->runtime, -1, back ? "renaming %s" DOCKER_PREVIOUS " back" : "renaming %s",
                     d->name);
    (void)snprintf(path, sizeof path, "/containers/%s/rename?name=%s%s", from->id, d->name,
                   back ? "" : DOCKER_PREVIOUS);
    act(d, "POST", path, NULL, 0);
}

/* What was only the old image's default needs that image; it may be gone. */
static void create_from(struct driver *d, const json_t *old_image)
{
    char path[DOCKER_PATH_MAX];
    const struct docker_container *old = &d->look.seen.previous;
    (void)snprintf(path, sizeof path, "/containers/create?name=%s", d->name);
    act(d, "POST", path,
        docker_body_create(d->look.previous, old_image, docker_look_image(&d->look), old->id,
                           old->restart),
        CREATE_MS);
}

static void on_old_image(void *owner, const struct docker_reply *reply)
{
    struct driver *d = owner;
    d->call = NULL;
    if (!reply->ok && reply->status != 404) {
        end_step(d, false, reply->text);
        return;
    }
    if (!reply->ok)
        runtime_progress(
            d->runtime, -1,
            "the old image is gone, so its defaults cannot be told from the container's "
            "own options: all are kept");
    create_from(d, reply->body);
}

static void create_one(struct driver *d)
{
    char path[DOCKER_PATH_MAX];
    const struct docker_container *old = &d->look.seen.previous;
    runtime_progress(d->runtime, -1, "creating the container %s from %s", d->name,
                     docker_look_image(&d->look));
    if (!old->has_data)
        runtime_progress(
            d->runtime, -1,
            "the container %s has neither a volume nor a directory of the host: what it "
            "wrote stays in %s" DOCKER_PREVIOUS,
            d->name, d->name);
    (void)snprintf(path, sizeof path, "/images/%s/json", old->image);
    struct docker_request request = {
        .method = "GET", .path = path, .owner = d, .done = on_old_image};
    d->call = docker_send(d->docker, &request);
}

static void connect_one(struct driver *d)
{
    char escaped[DOCKER_PATH_MAX - 64], path[DOCKER_PATH_MAX];
    const char *network = docker_body_network(d->look.previous, d->look.node);
    assert(network != NULL);
    if (!docker_escape(network, escaped, sizeof escaped)) {
        end_step(d, false, "the name of one of the container's networks is too long");
        return;
    }
    (void)snprintf(path, sizeof path, "/networks/%s/connect", escaped);
    act(d, "POST", path, docker_body_connect(d->look.previous, network, d->look.seen.node.id), 0);
}

static void on_pull_say(void *owner, int percent, const char *text)
{
    struct driver *d = owner;
    runtime_progress(d->runtime, percent, "%s", text);
}

static void on_pulled(void *owner, bool ok, const char *text)
{
    struct driver *d = owner;
    if (ok)
        look(d);
    else
        end_step(d, false, text);
}

static void pull_one(struct driver *d)
{
    if (d->pulled) {
        end_step(d, false, "the image was fetched, and is not there");
        return;
    }
    d->pulled = true;
    runtime_progress(d->runtime, -1, "the image %s is not on this host: pulling it",
                     d->job->target);
    d->pull = (struct docker_pull){.docker = d->docker,
                                   .image = d->job->target,
                                   .owner = d,
                                   .say = on_pull_say,
                                   .done = on_pulled};
    docker_pull(&d->pull);
}

/* --- the circle --- */

static void note(struct driver *d)
{
    if (runtime_keep(d->runtime, which(d)->id))
        look(d);
    else
        end_step(d, false,
                 "which container is replaced cannot be noted: the journal cannot be "
                 "written; nothing was changed");
}

static void start(struct driver *d)
{
    runtime_progress(d->runtime, -1, "starting the container %s", d->name);
    d->look.seen.started = true;
    act_on(d, "POST", "/start", NULL, CREATE_MS);
}

static void carry_out(struct driver *d, const struct fault *fault)
{
    switch (d->next.action) {
    case PAIR_DONE:
    case PAIR_FAILED:
        end_step(d, d->next.action == PAIR_DONE, fault->text);
        return;
    case PAIR_WAIT:
        wake_set(d->wake, WAIT_MS);
        return;
    case PAIR_STOP:
        stop(d);
        return;
    case PAIR_UNPAUSE:
        act_on(d, "POST", "/unpause", NULL, 0);
        return;
    case PAIR_PULL:
        pull_one(d);
        return;
    case PAIR_NOTE:
        note(d);
        return;
    case PAIR_RENAME:
    case PAIR_RENAME_BACK:
        rename_one(d, d->next.action == PAIR_RENAME_BACK);
        return;
    case PAIR_REMOVE:
        remove_one(d);
        return;
    case PAIR_CREATE:
        create_one(d);
        return;
    case PAIR_CONNECT:
        connect_one(d);
        return;
    case PAIR_RESTART:
        act_on(d, "POST", "/update", docker_body_restart(d->next.restart), 0);
        return;
    case PAIR_START:
        start(d);
        return;
    }
}

static bool has_settled(struct driver *d)
{
    const struct docker_container *node = &d->look.seen.node;
    if (!node->running || strcmp(d->running_since, node->started_at) != 0) {
        memcpy(d->running_since, node->started_at, sizeof d->running_since);
        d->running_ms = zclock_mono();
        return false;
    }
    return zclock_mono() - d->running_ms >= SETTLE_MS;
}

static void on_look(void *owner, bool ok, const char *text)
{
    struct driver *d = owner;
    struct fault fault = {""};
    assert(d->job != NULL);
    if (!ok) {
        end_step(d, false, text);
        return;
    }
    note_node(d, &d->look.seen.node);
    d->look.seen.replaced = runtime_kept(d->runtime);
    d->look.seen.settled = has_settled(d);
    d->next = docker_next(d->job->step, &d->look.seen, &fault);
    if (d->next.action != PAIR_WAIT && d->rounds++ > ROUNDS_MAX)
        end_step(d, false, "the containers change without end: is somebody else at work on them?");
    else
        carry_out(d, &fault);
}

static void look(struct driver *d)
{
    docker_look(&d->look);
}

static void on_wake(void *owner)
{
    look(owner);
}

static void step(void *driver, const struct runtime_job *job)
{
    struct driver *d = driver;
    assert(d->job == NULL && d->call == NULL);
    d->job = job;
    d->rounds = d->conflicts = 0;
    d->pulled = false;
    d->running_since[0] = '\0';
    d->look = (struct docker_look){
        .docker = d->docker,
        .name = d->name,
        .with_image = job->step == STEP_REINIT,
        .target = job->target,
        .owner = d,
        .done = on_look,
    };
    look(d);
}

/* --- the check --- */

static void on_checked(void *owner, bool ok, const char *text)
{
    struct driver *d = owner;
    const struct docker_seen *seen = &d->check.seen;
    struct fault fault = {""};
    bool good = ok && docker_check(seen, &fault);
    if (!ok)
        (void)fault_set(&fault, "%s", text);
    docker_look_end(&d->check);
    if (!good)
        runtime_checked(d->runtime, false, "%s", fault.text);
    else if (seen->image != NULL && seen->image[0] == '\0')
        runtime_checked(d->runtime, false, "the image %s is not on this host: docker pull %s",
                        d->check_target, d->check_target);
    else if (seen->image != NULL)
        runtime_checked(d->runtime, true, "the image %s is here: %s", d->check_target, seen->image);
    else
        runtime_checked(d->runtime, true, "the container %s can be created anew", d->name);
}

static void check(void *driver, const char *target)
{
    struct driver *d = driver;
    docker_look_end(&d->check);
    (void)snprintf(d->check_target, sizeof d->check_target, "%s", target);
    d->check = (struct docker_look){
        .docker = d->docker,
        .name = d->name,
        .with_image = true,
        .target = d->check_target,
        .owner = d,
        .done = on_checked,
    };
    docker_look(&d->check);
}

/* --- the watch --- */

static void on_event(void *owner)
{
    struct driver *d = owner;
    if (d->job != NULL && d->next.action == PAIR_WAIT && d->look.call == NULL && d->call == NULL)
        wake_set(d->wake, EVENT_MS);
}

static void on_seen(void *owner, const struct docker_container *node)
{
    struct driver *d = owner;
    if (d->job == NULL) /* a step sees more */
        note_node(d, node);
}

static void on_lost(void *owner, const char *text)
{
    struct driver *d = owner;
    d->health = RUNTIME_UNKNOWN;
    runtime_changed(d->runtime, "%s", text);
}

/* Its restart policy keeps it up; see above. */
static void supervise(void *driver)
{
    struct driver *d = driver;
    docker_watch_now(&d->watch);
}

static enum runtime_health health(void *driver)
{
    return ((const struct driver *)driver)->health;
}

static const char *installed(void *driver)
{
    return ((const struct driver *)driver)->installed;
}

/* --- life --- */

static void destroy(void *driver, bool stop_node)
{
    struct driver *d = driver;
    (void)stop_node;
    docker_look_end(&d->look);
    docker_look_end(&d->check);
    docker_pull_end(&d->pull);
    docker_watch_end(&d->watch);
    docker_destroy(&d->docker);
    wake_destroy(&d->wake);
    free(d);
}

static const char *read_name(const struct settings *settings, struct fault *fault)
{
    const char *name = settings_text(settings, SETTING_DOCKER_CONTAINER);
    if (name == NULL)
        (void)fault_set(fault,
                        "docker.container is not set: expected the name of the node's container");
    else if (!docker_name_is_valid(name))
        (void)fault_set(
            fault,
            "docker.container: \"%.60s\" is no container's name; expected 2 to %d letters, "
            "digits, '_', '.' and '-'",
            name, DOCKER_NAME_MAX - (int)sizeof DOCKER_PREVIOUS);
    else
        return name;
    return NULL;
}

static void *create(struct runtime *runtime, const struct runtime_config *config,
                    struct fault *fault)
{
    const struct settings *settings = config->settings;
    const char *name = read_name(settings, fault);
    struct docker *docker =
        name == NULL
            ? NULL
            : docker_create(config->loop, settings_text(settings, SETTING_DOCKER_SOCKET), fault);
    if (docker == NULL)
        return NULL;
    struct driver *d = calloc(1, sizeof *d);
    assert(d != NULL);
    d->runtime = runtime;
    d->docker = docker;
    d->name = name;
    d->grace_ms = settings_ms(settings, SETTING_DOCKER_GRACE);
    d->wake = wake_create(config->loop, on_wake, d);
    assert(d->wake != NULL);
    d->watch = (struct docker_watch){.docker = docker,
                                     .name = name,
                                     .owner = d,
                                     .event = on_event,
                                     .seen = on_seen,
                                     .lost = on_lost};
    docker_watch_begin(&d->watch, config->loop);
    return d;
}

const struct runtime_driver runtime_docker = {
    .kind = RUNTIME_DOCKER,
    .name = "docker",
    .create = create,
    .destroy = destroy,
    .supervise = supervise,
    .check = check,
    .step = step,
    .health = health,
    .installed = installed,
};
