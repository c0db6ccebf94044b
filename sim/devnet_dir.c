#define _XOPEN_SOURCE 700 /* realpath() */

#include "sim/devnet_dir.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/encoding.h"
#include "proto/input.h"
#include "sim/devnet_internal.h"

/* --- names --- */

const char *devnet_dir_file(const struct devnet_dir *dir, const char *name,
                            char path[DEVNET_PATH_MAX])
{
    int size = snprintf(path, DEVNET_PATH_MAX, "%s/%s", dir->path, name);
    assert(size > 0 && size < DEVNET_PATH_MAX);
    (void)size;
    return path;
}

const char *devnet_node_file(const struct devnet_dir *dir, uint32_t node, const char *name,
                             char path[DEVNET_PATH_MAX])
{
    int size = snprintf(path, DEVNET_PATH_MAX, "%s/node/%u/%s", dir->path, node, name);
    assert(size > 0 && size < DEVNET_PATH_MAX);
    (void)size;
    return path;
}

uint16_t devnet_node_port(const struct devnet_dir *dir, uint32_t node)
{
    assert(node < dir->genesis.count && dir->base_port + node <= UINT16_MAX);
    return (uint16_t)(dir->base_port + node);
}

/* --- settings.json --- */

static bool time_take(json_t *json, const char *name, int64_t *ms)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text && input_duration(text, ms) && *ms >= 1;
}

static bool whole_take(json_t *json, const char *name, int64_t max, int64_t *number)
{
    json_t *value = json_object_get(json, name);
    *number = json_integer_value(value);
    return json_is_integer(value) && *number >= 0 && *number <= max;
}

static bool seed_take(struct devnet_dir *dir, json_t *seed)
{
    dir->seeded = json_is_string(seed);
    return json_is_null(seed) || (dir->seeded && input_whole(json_string_value(seed), &dir->seed));
}

static bool socket_take(struct devnet_dir *dir, json_t *socket)
{
    const char *text = json_string_value(socket);
    bool own = text && text[0] != '/'; /* in DIR, which may have been moved */
    if (!text || !*text)
        return false;
    int size = snprintf(dir->socket, sizeof dir->socket, "%s%s%s", own ? dir->path : "",
                        own ? "/" : "", text);
    return size > 0 && (size_t)size < sizeof dir->socket;
}

static bool node_take(struct devnet_dir *dir, uint32_t node, json_t *json)
{
    const char *key, *id;
    size_t key_size, id_size;
    uint8_t bytes[ADDRESS_SIZE];
    struct app_validator *validator = &dir->genesis.validators[node];
    return json_unpack(json, "{s:s%,s:s%}", "account_key", &key, &key_size, "node_id", &id,
                       &id_size) == 0 &&
           hex_decode(key, key_size, validator->account_key, ACCOUNT_PUBLIC_SIZE) &&
           account_public_check(validator->account_key) &&
           hex_decode(id, id_size, bytes, sizeof bytes) &&
           snprintf(dir->node_ids[node], DEVNET_NODE_ID_TEXT, "%s", id) == 40;
}

static bool nodes_take(struct devnet_dir *dir, json_t *nodes)
{
    uint32_t count = dir->genesis.count;
    dir->node_ids = calloc(count, sizeof *dir->node_ids);
    if (!dir->node_ids || count > DEVNET_NODES_MAX || json_array_size(nodes) != count)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!node_take(dir, i, json_array_get(nodes, i)))
            return false;
    return true;
}

/* *place: what is looked at. */
static bool settings_take(struct devnet_dir *dir, json_t *json, const char **place)
{
    json_t *guard = json_object_get(json, "guard");
    int64_t version, port, min_validators, trustees;
    *place = "version (1 expected)";
    if (!whole_take(json, "version", 1, &version) || version != 1)
        return false;
    *place = "block_time, empty_blocks or timeout_propose";
    if (!time_take(json, "block_time", &dir->block_time_ms) ||
        !time_take(json, "empty_blocks", &dir->empty_blocks_ms) ||
        !time_take(json, "timeout_propose", &dir->timeout_propose_ms))
        return false;
    *place = "base_port, min_validators, guard, trustees, seed or socket";
    if (!whole_take(json, "base_port", UINT16_MAX, &port) ||
        !whole_take(json, "min_validators", INT32_MAX, &min_validators) ||
        !whole_take(json, "trustees", dir->genesis.count, &trustees) || !json_is_boolean(guard) ||
        !seed_take(dir, json_object_get(json, "seed")) ||
        !socket_take(dir, json_object_get(json, "socket")))
        return false;
    dir->base_port = (uint16_t)port;
    dir->min_validators = (uint64_t)min_validators;
    dir->genesis.trustees = (uint32_t)trustees;
    dir->genesis.properties.guard = json_is_true(guard);
    *place = "nodes";
    return nodes_take(dir, json_object_get(json, "nodes")) &&
           dir->base_port + dir->genesis.count - 1 <= UINT16_MAX;
}

static bool settings_read(struct devnet_dir *dir, struct fault *fault)
{
    char path[DEVNET_PATH_MAX];
    const char *place;
    json_t *json = devnet_read_json(devnet_dir_file(dir, "settings.json", path), fault);
    if (!json)
        return false;
    bool good = settings_take(dir, json, &place);
    json_decref(json);
    return good || fault_set(fault,
                             "%s: %s: not as a devnet has it; restore the file, or begin "
                             "anew in another directory",
                             path, place);
}

/* --- the whole --- */

bool devnet_dir_open(const char *path, struct devnet_dir *dir, struct fault *fault)
{
    char file[DEVNET_PATH_MAX];
    *dir = (struct devnet_dir){.path = realpath(path, NULL)};
    if (!dir->path)
        return fault_set(
            fault, "%s: %s; --dir names another one, `stagger devnet --dir DIR` makes a devnet",
            path, errno == ENOENT ? "there is no such directory" : strerror(errno));
    bool good = true;
    if (strlen(dir->path) > DEVNET_DIR_MAX)
        good = fault_set(fault, "%.100s...: the name is too long; at most %d bytes expected",
                         dir->path, DEVNET_DIR_MAX);
    else if (!devnet_exists(devnet_dir_file(dir, "settings.json", file)))
        good = fault_set(
            fault, "%s: there is no devnet in it; `stagger devnet --dir DIR` makes one", dir->path);
    good = good &&
           devnet_genesis_read(devnet_dir_file(dir, "genesis.json", file), &dir->genesis, fault) &&
           settings_read(dir, fault);
    if (!good)
        devnet_dir_close(dir);
    return good;
}

void devnet_dir_close(struct devnet_dir *dir)
{
    free(dir->genesis.validators);
    free(dir->node_ids);
    free(dir->path);
    *dir = (struct devnet_dir){0};
}
