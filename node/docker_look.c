#include "node/docker_look.h"

#include <assert.h>
#include <string.h>

#include "node/docker_body.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

bool docker_name_is_valid(const char *name)
{
    size_t length = strlen(name);
    return length >= 2 && length + sizeof DOCKER_PREVIOUS <= DOCKER_NAME_MAX &&
           strspn(name, LETTERS) > 0 && strspn(name, LETTERS "_.-") == length;
}

/* It becomes part of a path, which must not lead elsewhere. */
bool docker_image_is_valid(const char *image)
{
    size_t length = strlen(image);
    return length > 0 && length < DOCKER_IMAGE_MAX && strspn(image, LETTERS) > 0 &&
           strspn(image, LETTERS "_.-/:@") == length && strstr(image, "..") == NULL &&
           strstr(image, "//") == NULL;
}

static void end_with(struct docker_look *look, bool ok, const char *text)
{
    look->done(look->owner, ok, text);
}

static void ask(struct docker_look *look, const char *path,
                void (*done)(void *owner, const struct docker_reply *reply))
{
    struct docker_request request = {.method = "GET", .path = path, .owner = look, .done = done};
    look->call = docker_send(look->docker, &request);
}

/* --- the image --- */

static const struct docker_container *installed(const struct docker_look *look)
{
    const struct docker_container *before = &look->seen.previous;
    bool is_new = before->exists && strcmp(look->seen.node.replaces, before->id) == 0;
    return is_new || !look->seen.node.exists ? before : &look->seen.node;
}

const char *docker_look_image(const struct docker_look *look)
{
    if (look->target[0] != '\0')
        return look->target;
    const struct docker_container *from = installed(look);
    return strcmp(look->image, from->image) == 0 ? from->image_name : from->image;
}

static void on_image(void *owner, const struct docker_reply *reply)
{
    struct docker_look *look = owner;
    look->call = NULL;
    const char *id = json_string_value(json_object_get(reply->body, "Id"));
    if (!reply->ok && reply->status != 404) {
        end_with(look, false, reply->text);
        return;
    }
    if (reply->ok && (id == NULL || strlen(id) >= sizeof look->image)) {
        end_with(look, false, "the Docker Engine's answer about an image has no Id");
        return;
    }
    (void)snprintf(look->image, sizeof look->image, "%s", reply->ok ? id : "");
    look->seen.image = look->target[0] == '\0' ? NULL : look->image;
    end_with(look, true, "");
}

static void ask_image(struct docker_look *look)
{
    char escaped[3 * DOCKER_IMAGE_MAX], path[DOCKER_PATH_MAX];
    const char *image = look->target[0] == '\0' ? installed(look)->image_name : look->target;
    if (!docker_image_is_valid(image) || !docker_escape(image, escaped, sizeof escaped)) {
        struct fault fault;
        (void)fault_set(&fault, "\"%.60s\" is no image; expected NAME:TAG or NAME@sha256:DIGEST",
                        image);
        end_with(look, false, fault.text);
        return;
    }
    (void)snprintf(path, sizeof path, "/images/%s/json", escaped);
    ask(look, path, on_image);
}

/* --- containers --- */

bool docker_has_name(const json_t *body, const char *name, const char *suffix)
{
    char expected[DOCKER_NAME_MAX + 1];
    const char *text = json_string_value(json_object_get(body, "Name"));
    (void)snprintf(expected, sizeof expected, "/%s%s", name, suffix);
    return text != NULL && strcmp(text, expected) == 0;
}

/* False: the look has ended. */
static bool take(struct docker_look *look, const struct docker_reply *reply, const char *suffix,
                 json_t **body, struct docker_container *container)
{
    struct fault fault;
    look->call = NULL;
    *container = (struct docker_container){0};
    json_decref(*body);
    *body = NULL;
    if (!reply->ok && reply->status != 404) {
        end_with(look, false, reply->text);
        return false;
    }
    if (!reply->ok || !docker_has_name(reply->body, look->name, suffix))
        return true;
    if (!docker_container_read(reply->body, container, &fault)) {
        (void)fault_within(&fault, "the Docker Engine's answer");
        end_with(look, false, fault.text);
        return false;
    }
    *body = json_incref(reply->body);
    return true;
}

static void on_previous(void *owner, const struct docker_reply *reply)
{
    struct docker_look *look = owner;
    if (!take(look, reply, DOCKER_PREVIOUS, &look->previous, &look->seen.previous))
        return;
    look->seen.networks_missing = look->node != NULL && look->previous != NULL &&
                                  docker_body_network(look->previous, look->node) != NULL;
    if (look->with_image && (look->seen.node.exists || look->seen.previous.exists))
        ask_image(look);
    else
        end_with(look, true, "");
}

static void on_node(void *owner, const struct docker_reply *reply)
{
    struct docker_look *look = owner;
    char path[DOCKER_PATH_MAX];
    if (!take(look, reply, "", &look->node, &look->seen.node))
        return;
    (void)snprintf(path, sizeof path, "/containers/%s" DOCKER_PREVIOUS "/json", look->name);
    ask(look, path, on_previous);
}

void docker_look(struct docker_look *look)
{
    char path[DOCKER_PATH_MAX];
    assert(look->call == NULL);
    look->seen.name = look->name;
    (void)snprintf(path, sizeof path, "/containers/%s/json", look->name);
    ask(look, path, on_node);
}

void docker_look_end(struct docker_look *look)
{
    docker_cancel(&look->call);
    json_decref(look->node);
    json_decref(look->previous);
    look->node = look->previous = NULL;
}
