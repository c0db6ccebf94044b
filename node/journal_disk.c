/* The journal's file layer on a real file system. */
#include "node/journal_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_NAME "journal.lock"

struct folder {
    int fd;
};

static int folder_of(void *owner)
{
    return ((const struct folder *)owner)->fd;
}

static int outcome(int result)
{
    return result < 0 ? -errno : result;
}

static int posix_open(void *owner, const char *name)
{
    return outcome(openat(folder_of(owner), name, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

static int posix_open_again(void *owner, const char *name)
{
    return outcome(openat(folder_of(owner), name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
}

static int posix_create(void *owner, const char *name)
{
    int flags = O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    return outcome(openat(folder_of(owner), name, flags, 0600));
}

static int64_t posix_size(void *owner, int file)
{
    (void)owner;
    struct stat about;
    if (fstat(file, &about) < 0)
        return -errno;
    return S_ISREG(about.st_mode) ? (int64_t)about.st_size
                                  : -(S_ISDIR(about.st_mode) ? EISDIR : EINVAL);
}

static int64_t posix_read(void *owner, int file, void *bytes, size_t size, uint64_t offset)
{
    (void)owner;
    ssize_t got;
    do
        got = pread(file, bytes, size, (off_t)offset);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

static int64_t posix_write(void *owner, int file, const void *bytes, size_t size, uint64_t offset)
{
    (void)owner;
    ssize_t put;
    do
        put = pwrite(file, bytes, size, (off_t)offset);
    while (put < 0 && errno == EINTR);
    return put < 0 ? -errno : put;
}

static int posix_cut(void *owner, int file, uint64_t size)
{
    (void)owner;
    return outcome(ftruncate(file, (off_t)size));
}

static int posix_sync(void *owner, int file)
{
    (void)owner;
    return outcome(fdatasync(file));
}

static void posix_close(void *owner, int file)
{
    (void)owner;
    close(file);
}

static int posix_rename(void *owner, const char *from, const char *to)
{
    return outcome(renameat(folder_of(owner), from, folder_of(owner), to));
}

static int posix_remove(void *owner, const char *name)
{
    return outcome(unlinkat(folder_of(owner), name, 0));
}

static int posix_link(void *owner, const char *from, const char *to)
{
    int removed = posix_remove(owner, to);
    if (removed < 0 && removed != -ENOENT)
        return removed;
    return outcome(linkat(folder_of(owner), from, folder_of(owner), to, 0));
}

static int posix_sync_names(void *owner)
{
    return outcome(fsync(folder_of(owner)));
}

/* The lock lies in a file of its own, since the journal's is replaced at a rotation. */
static int posix_lock(void *owner, char holder[80])
{
    int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
    int file = openat(folder_of(owner), LOCK_NAME, flags, 0600);
    holder[0] = '\0';
    if (file < 0)
        return -errno;
    if (flock(file, LOCK_EX | LOCK_NB) < 0) {
        int failed = -errno;
        ssize_t got = pread(file, holder, 79, 0);
        holder[got > 0 ? got : 0] = '\0';
        holder[strcspn(holder, "\n")] = '\0';
        close(file);
        return failed;
    }
    /* whose it is serves people only: a full disk is no reason to stop here */
    char text[80];
    int size = snprintf(text, sizeof text, "process %ld\n", (long)getpid());
    if (ftruncate(file, 0) < 0 || pwrite(file, text, (size_t)size, 0) < 0)
        return file;
    return file;
}

static uint64_t posix_stamp(void *owner)
{
    (void)owner;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static bool posix_begin(struct journal_disk *disk, int fd, struct fault *fault)
{
    struct folder *folder = malloc(sizeof *folder);
    if (!folder) {
        if (fd >= 0)
            close(fd);
        return fault_set(fault, "memory is short");
    }
    folder->fd = fd;
    *disk = (struct journal_disk){
        .owner = folder,
        .open = posix_open,
        .open_again = posix_open_again,
        .create = posix_create,
        .size = posix_size,
        .read = posix_read,
        .write = posix_write,
        .cut = posix_cut,
        .sync = posix_sync,
        .close = posix_close,
        .rename = posix_rename,
        .link = posix_link,
        .remove = posix_remove,
        .sync_names = posix_sync_names,
        .lock = posix_lock,
        .stamp = posix_stamp,
    };
    return true;
}

bool journal_disk_open(const char *dir, struct journal_disk *disk, struct fault *fault)
{
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return fault_set(fault, "%s: cannot be created (%s); create it for the user of the agent",
                         dir, strerror(errno));
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fault_set(fault,
                         "%s: cannot be opened (%s); expected a directory of the agent's own", dir,
                         strerror(errno));
    return posix_begin(disk, fd, fault);
}

bool journal_disk_here(struct journal_disk *disk, struct fault *fault)
{
    return posix_begin(disk, AT_FDCWD, fault);
}

void journal_disk_close(struct journal_disk *disk)
{
    if (!disk->owner)
        return;
    if (folder_of(disk->owner) >= 0)
        close(folder_of(disk->owner));
    free(disk->owner);
    disk->owner = NULL;
}
