#include "node/docker_body.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SHORT_ID 12 /* characters of an id that the Engine takes for a host name */

static const char *text_in(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static void put(json_t *object, const char *name, json_t *value)
{
    int failed = json_object_set_new(object, name, value);
    assert(failed == 0);
}

/* A copy that may be changed; an empty object for what is none. */
static json_t *copy_object(const json_t *value)
{
    json_t *copy = json_is_object(value) ? json_deep_copy(value) : json_object();
    assert(copy != NULL);
    return copy;
}

/* --- without the image's defaults --- */

static bool is_empty(const json_t *value)
{
    return value == NULL || json_is_null(value) ||
           (json_is_array(value) && json_array_size(value) == 0);
}

static bool same(const json_t *one, const json_t *other)
{
    return (is_empty(one) && is_empty(other)) || json_equal(one, other);
}

static bool holds(const json_t *list, const json_t *value)
{
    size_t index;
    json_t *at;
    json_array_foreach(list, index, at) if (json_equal(at, value)) return true;
    return false;
}

static void subtract_list(json_t *mine, const json_t *defaults)
{
    for (size_t i = json_array_size(mine); i > 0; i--)
        if (holds(defaults, json_array_get(mine, i - 1)))
            (void)json_array_remove(mine, i - 1);
}

static void subtract_object(json_t *mine, json_t *defaults)
{
    const char *name;
    json_t *value;
    json_object_foreach(defaults, name, value)
    {
        if (json_equal(json_object_get(mine, name), value))
            (void)json_object_del(mine, name);
    }
}

/* The Engine takes both from the image, or Entrypoint alone; never Cmd beside an entry point of the operator's. One that
 * was emptied (--entrypoint "") has to be said. */
static void subtract_command(json_t *mine, const json_t *defaults)
{
    const json_t *entry = json_object_get(mine, "Entrypoint"),
                 *command = json_object_get(mine, "Cmd");
    const json_t *default_entry = json_object_get(defaults, "Entrypoint");
    const json_t *default_command = json_object_get(defaults, "Cmd");
    bool own_command = !same(command, default_command);
    if (!same(entry, default_entry) || (own_command && is_empty(command))) {
        if (is_empty(entry))
            put(mine, "Entrypoint", json_pack("[s]", ""));
        return;
    }
    (void)json_object_del(mine, "Entrypoint");
    if (!own_command)
        (void)json_object_del(mine, "Cmd");
}

static void subtract_defaults(json_t *config, json_t *defaults)
{
    const char *name;
    json_t *value;
    subtract_command(config, defaults);
    json_object_foreach(defaults, name, value)
    {
        json_t *mine = json_object_get(config, name);
        if (strcmp(name, "Entrypoint") == 0 || strcmp(name, "Cmd") == 0)
            continue;
        if (json_equal(mine, value))
            (void)json_object_del(config, name);
        else if (json_is_object(mine) && json_is_object(value))
            subtract_object(mine, value);
        else if (json_is_array(mine) && json_is_array(value) && strcmp(name, "Env") == 0)
            subtract_list(mine, value);
    }
}

/* --- names that were the Engine's own --- */

static bool is_of(const char *mode, const char *kind)
{
    return strncmp(mode, kind, strlen(kind)) == 0;
}

/* A host name that was made from the id would be another container's; where there is none of its own, the Engine
 * refuses one. */
static void drop_hostname(json_t *config, const json_t *old)
{
    const json_t *host = json_object_get(old, "HostConfig");
    const char *mode = text_in(host, "NetworkMode"), *name = text_in(config, "Hostname");
    if (strncmp(name, text_in(old, "Id"), SHORT_ID) == 0 || strcmp(mode, "host") == 0 ||
        is_of(mode, "container:") || strcmp(text_in(host, "UTSMode"), "host") == 0)
        (void)json_object_del(config, "Hostname");
}

static json_t *make_config(const json_t *old, const json_t *old_image, const char *image)
{
    json_t *config = copy_object(json_object_get(old, "Config"));
    drop_hostname(config, old);
    subtract_defaults(config, json_object_get(old_image, "Config"));
    put(config, "Image", json_string(image));
    return config;
}

static void put_labels(json_t *config, const char *old_id, const char *old_restart)
{
    json_t *labels = copy_object(json_object_get(config, "Labels"));
    put(labels, DOCKER_LABEL_REPLACES, json_string(old_id));
    put(labels, DOCKER_LABEL_RESTART, json_string(old_restart));
    put(config, "Labels", labels);
}

/* --- volumes --- */

/* "source:/there" or "source:/there:ro" */
static bool is_bound(const json_t *binds, const char *there)
{
    size_t index, size = strlen(there);
    json_t *at;
    json_array_foreach(binds, index, at)
    {
        const char *colon = json_is_string(at) ? strchr(json_string_value(at), ':') : NULL;
        if (colon != NULL && strncmp(colon + 1, there, size) == 0 &&
            (colon[1 + size] == '\0' || colon[1 + size] == ':'))
            return true;
    }
    return false;
}

/* The entry of --mount for this place, NULL without. */
static json_t *find_mount(const json_t *mounts, const char *there)
{
    size_t index;
    json_t *at;
    json_array_foreach(mounts, index, at) if (strcmp(text_in(at, "Target"), there) == 0) return at;
    return NULL;
}

static void keep_volume(json_t *host, const json_t *mount)
{
    const char *there = text_in(mount, "Destination"), *volume = text_in(mount, "Name");
    json_t *binds = json_object_get(host, "Binds");
    json_t *asked = find_mount(json_object_get(host, "Mounts"), there);
    if (strcmp(text_in(mount, "Type"), "volume") != 0 || *volume == '\0' || *there == '\0' ||
        is_bound(binds, there))
        return;
    if (asked != NULL) {
        if (*text_in(asked, "Source") == '\0')
            put(asked, "Source", json_string(volume));
        return;
    }
    if (!json_is_array(binds)) {
        binds = json_array();
        put(host, "Binds", binds);
    }
    const char *mode = json_is_false(json_object_get(mount, "RW")) ? ":ro" : "";
    int failed = json_array_append_new(binds, json_sprintf("%s:%s%s", volume, there, mode));
    assert(failed == 0);
}

/* "/other:/name/alias" is asked for as "/other:alias". */
static void write_links(json_t *host)
{
    json_t *links = json_object_get(host, "Links");
    for (size_t i = 0; i < json_array_size(links); i++) {
        const char *link = json_string_value(json_array_get(links, i));
        const char *colon = link == NULL ? NULL : strchr(link, ':');
        const char *alias = colon == NULL ? NULL : strrchr(colon, '/');
        if (alias != NULL)
            (void)json_array_set_new(links, i,
                                     json_sprintf("%.*s:%s", (int)(colon - link), link, alias + 1));
    }
}

static json_t *make_host(const json_t *old)
{
    json_t *host = copy_object(json_object_get(old, "HostConfig")), *at;
    size_t index;
    json_array_foreach(json_object_get(old, "Mounts"), index, at) keep_volume(host, at);
    write_links(host);
    return host;
}

/* --- networks --- */

static json_t *networks_of(const json_t *container)
{
    const char *mode = text_in(json_object_get(container, "HostConfig"), "NetworkMode");
    if (strcmp(mode, "host") == 0 || strcmp(mode, "none") == 0 || is_of(mode, "container:"))
        return NULL;
    return json_object_get(json_object_get(container, "NetworkSettings"), "Networks");
}

/* What was asked for, without what the Engine chose. */
static json_t *make_endpoint(const json_t *old, const char *network)
{
    static const char *const kept[] = {"IPAMConfig", "Links", "DriverOpts", NULL};
    const json_t *now = json_object_get(networks_of(old), network);
    json_t *endpoint = json_object(), *aliases = json_array(), *at;
    size_t index;
    for (size_t i = 0; kept[i] != NULL; i++) {
        json_t *value = json_object_get(now, kept[i]);
        if (!is_empty(value))
            put(endpoint, kept[i], json_incref(value));
    }
    json_array_foreach(json_object_get(now, "Aliases"), index, at)
    {
        const char *alias = json_string_value(at);
        if (alias != NULL && strncmp(alias, text_in(old, "Id"), SHORT_ID) != 0)
            (void)json_array_append(aliases, at);
    }
    put(endpoint, "Aliases", aliases);
    return endpoint;
}

static json_t *make_networking(const json_t *old)
{
    const char *mode = text_in(json_object_get(old, "HostConfig"), "NetworkMode");
    const char *first = strcmp(mode, "default") == 0 ? "bridge" : mode;
    json_t *endpoints = json_object();
    if (json_object_get(networks_of(old), first) != NULL)
        put(endpoints, first, make_endpoint(old, first));
    return json_pack("{s:o}", "EndpointsConfig", endpoints);
}

const char *docker_body_network(const json_t *old, const json_t *now)
{
    const char *name;
    json_t *value;
    json_object_foreach(networks_of(old), name, value)
    {
        if (json_object_get(networks_of(now), name) == NULL)
            return name;
    }
    return NULL;
}

json_t *docker_body_connect(const json_t *old, const char *network, const char *container)
{
    json_t *body = json_pack("{s:s, s:o}", "Container", container, "EndpointConfig",
                             make_endpoint(old, network));
    assert(body != NULL);
    return body;
}

/* --- the whole --- */

json_t *docker_body_create(const json_t *old, const json_t *old_image, const char *image,
                           const char *old_id, const char *old_restart)
{
    json_t *body = make_config(old, old_image, image);
    json_t *host = make_host(old), *policy = docker_body_restart(old_restart);
    put_labels(body, old_id, old_restart);
    put(host, "RestartPolicy", json_incref(json_object_get(policy, "RestartPolicy")));
    json_decref(policy);
    put(body, "HostConfig", host);
    put(body, "NetworkingConfig", make_networking(old));
    return body;
}

json_t *docker_body_restart(const char *policy)
{
    const char *colon = strchr(policy, ':');
    int length = colon == NULL ? (int)strlen(policy) : (int)(colon - policy);
    long retries = colon == NULL ? 0 : strtol(colon + 1, NULL, 10);
    json_t *body = json_pack("{s:{s:s%, s:I}}", "RestartPolicy", "Name", policy, (size_t)length,
                             "MaximumRetryCount", (json_int_t)retries);
    assert(body != NULL);
    return body;
}
