#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* renameat2 */
#endif

#include "node/file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/secret.h"
#include "proto/encoding.h"

#define OTHERS (S_IRWXG | S_IRWXO)
#define DRAFT_MARK_SIZE 8 /* random bytes in the name of a file that is not complete yet */
#define DRAFT_NAME_MAX (8 + HEX_TEXT(DRAFT_MARK_SIZE))

/* --- folders --- */

static bool folder_check(const char *folder, int fd, struct fault *fault)
{
    struct stat about;
    if (fstat(fd, &about) != 0)
        return fault_set(fault, "%.200s: %s", folder, strerror(errno));
    if ((about.st_mode & OTHERS) != 0)
        return fault_set(fault,
                         "%.200s: others can look into it (mode %04o); expected 0700: "
                         "`chmod 700` it and think about who may have read the keys",
                         folder, (unsigned)about.st_mode & 07777u);
    if (about.st_uid != geteuid() && geteuid() != 0)
        return fault_set(fault, "%.200s: belongs to another user: run as that one, or chown it",
                         folder);
    return true;
}

int folder_open(const char *path, bool *missing, struct fault *fault)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *missing = fd < 0 && errno == ENOENT;
    if (fd < 0) {
        (void)fault_set(fault, "%.200s: %s", path, strerror(errno));
        return -1;
    }
    if (!folder_check(path, fd, fault)) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* So that a folder which was just made outlives a crash, as the key in it shall. */
static void parent_sync(const char *path)
{
    char parent[FILE_PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t size = slash && slash > path ? (size_t)(slash - path) : 1;
    memcpy(parent, slash ? path : ".", size);
    parent[size] = '\0';
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return; /* a folder in which we may make others but not read */
    (void)fsync(fd);
    (void)close(fd);
}

static bool one_make(const char *path, struct fault *fault)
{
    if (mkdir(path, S_IRWXU) == 0)
        parent_sync(path);
    else if (errno != EEXIST)
        return fault_set(fault, "%.200s: cannot be made: %s", path, strerror(errno));
    return true;
}

bool folder_make(const char *path, struct fault *fault)
{
    char part[FILE_PATH_MAX];
    size_t size = strlen(path);
    if (size == 0 || size >= sizeof part)
        return fault_set(fault, "the path of the directory is empty or too long");
    for (size_t i = 1; i <= size; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (!one_make(part, fault))
            return false;
    }
    return true;
}

/* --- reading --- */

static bool file_check(int fd, struct fault *fault)
{
    struct stat about;
    if (fstat(fd, &about) != 0)
        return fault_set(fault, "cannot be read: %s", strerror(errno));
    if (!S_ISREG(about.st_mode))
        return fault_set(fault, "is no file");
    if ((about.st_mode & OTHERS) != 0)
        return fault_set(fault,
                         "others can read it (mode %04o); expected 0600: `chmod 600` it and "
                         "think about who may have a copy",
                         (unsigned)about.st_mode & 07777u);
    return true;
}

static bool file_read(int fd, char *text, size_t room, size_t *size, struct fault *fault)
{
    *size = 0;
    while (*size < room) {
        ssize_t got = read(fd, text + *size, room - *size);
        if (got < 0 && errno != EINTR)
            return fault_set(fault, "cannot be read: %s", strerror(errno));
        if (got == 0)
            break;
        *size += got > 0 ? (size_t)got : 0;
    }
    return true;
}

bool file_get(int folder, const char *name, char *text, size_t room, size_t *size, bool *missing,
              struct fault *fault)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    *missing = fd < 0 && errno == ENOENT;
    if (fd < 0)
        return fault_set(fault, "cannot be opened: %s", strerror(errno));
    bool good = file_check(fd, fault) && file_read(fd, text, room, size, fault);
    (void)close(fd);
    return good;
}

/* --- writing --- */

/* Writes the text into a new file and makes it durable. */
static bool draft_write(int folder, const char *draft, const char *text, size_t size)
{
    int fd = openat(folder, draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                    S_IRUSR | S_IWUSR);
    if (fd < 0)
        return false;
    bool good = fchmod(fd, S_IRUSR | S_IWUSR) == 0 && secret_show(fd, text, size) && fsync(fd) == 0;
    int why = errno;
    good = close(fd) == 0 && good;
    if (!good) {
        (void)unlinkat(folder, draft, 0);
        errno = why;
    }
    return good;
}

/* Gives the draft its name unless that is taken, in one step of the file system. Some know only the older one of the
 * two ways. */
static bool draft_name(int folder, const char *draft, const char *file)
{
    if (renameat2(folder, draft, folder, file, RENAME_NOREPLACE) == 0)
        return true;
    if (errno == EEXIST || linkat(folder, draft, folder, file, 0) != 0)
        return false;
    return unlinkat(folder, draft, 0) == 0;
}

enum file_put file_put(int folder, const char *name, const char *text, size_t size, bool replace,
                       struct fault *fault)
{
    char draft[DRAFT_NAME_MAX] = ".draft-";
    uint8_t mark[DRAFT_MARK_SIZE];
    if (RAND_bytes(mark, sizeof mark) != 1) {
        (void)fault_set(fault, "the system gives no random numbers");
        return FILE_FAILED;
    }
    hex_encode(mark, sizeof mark, draft + strlen(draft));
    if (!draft_write(folder, draft, text, size)) {
        (void)fault_set(fault, "cannot be written: %s", strerror(errno));
        return FILE_FAILED;
    }
    if (!(replace ? renameat(folder, draft, folder, name) == 0 : draft_name(folder, draft, name))) {
        int why = errno;
        (void)unlinkat(folder, draft, 0);
        (void)fault_set(fault, "cannot be named: %s", strerror(why));
        return why == EEXIST && !replace ? FILE_TAKEN : FILE_FAILED;
    }
    if (fsync(folder) == 0)
        return FILE_PUT;
    (void)fault_set(fault, "cannot be made durable: %s", strerror(errno));
    return FILE_FAILED;
}
