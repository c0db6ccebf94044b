#include "sim/devnet_chain_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/encoding.h"
#include "sim/devnet_file.h"

#define TEXT_MAX 256

/* --- reading --- */

static bool read_height(const char *text, int64_t *height)
{
    char *end;
    errno = 0;
    long long value = text && *text >= '0' && *text <= '9' ? strtoll(text, &end, 10) : -1;
    if (value < 1 || errno || *end)
        return false;
    *height = value;
    return true;
}

static bool take_mark(const json_t *tree, struct chain_mark *mark)
{
    json_int_t round = json_integer_value(json_object_get(tree, "round"));
    if (!json_is_integer(json_object_get(tree, "round")) || round < 0 || round >= INT32_MAX)
        return false;
    mark->round = (int32_t)round;
    return read_height(json_string_value(json_object_get(tree, "height")), &mark->height);
}

bool chain_mark_read(const char *path, struct chain_mark *mark, struct fault *fault)
{
    *mark = (struct chain_mark){0};
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return true;
    json_error_t error;
    json_t *tree = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    bool good = tree && take_mark(tree, mark);
    json_decref(tree);
    return good || fault_set(fault,
                             "%s: is no {\"height\":\"43\",\"round\":0,...}; it says which round "
                             "was signed last, choose another directory when it is lost",
                             path);
}

/* --- writing --- */

static bool sync_folder(const char *path)
{
    char copy[PATH_MAX];
    (void)snprintf(copy, sizeof copy, "%s", path);
    int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = folder >= 0 && fsync(folder) == 0;
    if (folder >= 0)
        (void)close(folder);
    return good;
}

bool chain_mark_write(const char *path, const struct chain_mark *mark, struct fault *fault)
{
    char text[TEXT_MAX], hash[HEX_TEXT(HASH_SIZE)];
    hex_encode_upper(mark->id.hash.bytes, HASH_SIZE, hash);
    (void)snprintf(text, sizeof text,
                   "{\"height\":\"%" PRId64 "\",\"round\":%" PRId32 ",\"block_id\":\"%s\"}\n",
                   mark->height, mark->round, hash);
    if (!devnet_write_alone(path, 0600, text, fault))
        return false;
    return sync_folder(path) ||
           fault_set(fault, "%s: its folder cannot be made durable: %s", path, strerror(errno));
}
