#include "sim/devnet_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/input.h"
#include "sim/devnet_dir.h"

#define FILE_MAX ((size_t)16 << 20)

bool devnet_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool devnet_make_folder(const char *path, struct fault *fault)
{
    struct stat state;
    if (mkdir(path, 0700) == 0)
        return true;
    if (errno != EEXIST)
        return fault_set(fault, "%s: %s; a directory that can be made expected; choose another",
                         path, strerror(errno));
    if (stat(path, &state) == 0 && S_ISDIR(state.st_mode))
        return true;
    return fault_set(fault, "%s: it is no directory; choose another name", path);
}

static bool text_put(int descriptor, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t put = write(descriptor, text, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        text += put;
        size -= (size_t)put;
    }
    return fsync(descriptor) == 0;
}

static bool write_beside(const char *part, const char *path, mode_t mode, const char *text,
                         struct fault *fault)
{
    (void)unlink(part);
    int descriptor = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    bool good = descriptor >= 0 && text_put(descriptor, text, strlen(text));
    int reason = errno;
    if (descriptor >= 0)
        close(descriptor);
    if (good && rename(part, path) == 0)
        return true;
    reason = good ? errno : reason;
    (void)unlink(part);
    return fault_set(fault, "%s: cannot be written: %s; free the disk or choose another directory",
                     path, strerror(reason));
}

bool devnet_write(const char *path, mode_t mode, const char *text, struct fault *fault)
{
    char part[DEVNET_PATH_MAX];
    (void)snprintf(part, sizeof part, "%.4000s.%ld.part", path, (long)getpid());
    return write_beside(part, path, mode, text, fault);
}

bool devnet_write_alone(const char *path, mode_t mode, const char *text, struct fault *fault)
{
    char part[DEVNET_PATH_MAX];
    (void)snprintf(part, sizeof part, "%.4000s.part", path);
    return write_beside(part, path, mode, text, fault);
}

bool devnet_write_json(const char *path, mode_t mode, const json_t *json, struct fault *fault)
{
    char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;
    if (!text)
        return fault_set(fault, "%s: memory is short", path);
    bool good = devnet_write(path, mode, text, fault);
    free(text);
    return good;
}

json_t *devnet_read_json(const char *path, struct fault *fault)
{
    char error[INPUT_ERROR_MAX], *text;
    json_error_t wrong;
    size_t size;
    if (!input_file(path, FILE_MAX, true, &text, &size, error)) {
        (void)fault_set(fault, "%s: %s", path, error);
        return NULL;
    }
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &wrong);
    if (!json)
        (void)fault_set(fault, "%s:%d: no JSON: %s", path, wrong.line, wrong.text);
    free(text);
    return json;
}

/* Ours alone, and no link that somebody else laid. */
static bool folder_is_ours(const char *path)
{
    struct stat state;
    return lstat(path, &state) == 0 && S_ISDIR(state.st_mode) && state.st_uid == geteuid() &&
           (state.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

bool devnet_runtime_folder(char path[DEVNET_RUNTIME_MAX], struct fault *fault)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    bool plain = runtime && runtime[0] == '/' && strlen(runtime) < DEVNET_RUNTIME_MAX - 16;
    for (const char *at = runtime; plain && *at; at++)
        plain = *at > ' ' && *at < 127;
    if (plain && folder_is_ours(runtime)) {
        (void)snprintf(path, DEVNET_RUNTIME_MAX, "%.40s/stagger", runtime);
        if (devnet_make_folder(path, fault) && folder_is_ours(path))
            return true;
    }
    (void)snprintf(path, DEVNET_RUNTIME_MAX, "/tmp/stagger-%lu", (unsigned long)geteuid());
    if (devnet_make_folder(path, fault) && folder_is_ours(path))
        return true;
    return fault_set(
        fault, "%s: a directory of yours with mode 0700 expected; remove what is there", path);
}
