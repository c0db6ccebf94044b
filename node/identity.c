#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pidfd_open */
#endif

#include "node/identity.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define STAT_MAX 1024
#define STAT_START 20 /* fields between the name in brackets and the time of the start */

/* The beginning of a small file; false when there is none. */
static bool file_text(const char *path, char *text, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t got = fd < 0 ? -1 : read(fd, text, room - 1);
    if (fd >= 0)
        (void)close(fd);
    text[got > 0 ? got : 0] = '\0';
    return got > 0;
}

void boot_id_read(char boot[BOOT_ID_MAX])
{
    const char *path = getenv("STAGGER_BOOT_ID_FILE");
    (void)file_text(path && *path ? path : "/proc/sys/kernel/random/boot_id", boot, BOOT_ID_MAX);
    boot[strspn(boot, "0123456789abcdef-")] = '\0';
}

/* The name may hold blanks and brackets: what counts is behind the last one. */
static bool start_parse(const char *stat, uint64_t *start)
{
    const char *at = strrchr(stat, ')');
    for (int i = 0; at && i < STAT_START; i++)
        at = strchr(at + 1, ' ');
    return at && sscanf(at, " %" SCNu64, start) == 1;
}

bool identity_of(pid_t pid, struct identity *identity)
{
    char path[64], stat[STAT_MAX];
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    *identity = (struct identity){.pid = pid};
    if (pid <= 0 || !file_text(path, stat, sizeof stat) || !start_parse(stat, &identity->start))
        return false;
    boot_id_read(identity->boot);
    return true;
}

static bool has_ended(int process)
{
    struct pollfd item = {process, POLLIN, 0};
    return poll(&item, 1, 0) > 0;
}

int identity_open(const struct identity *identity)
{
    struct identity present;
    int process = identity->pid > 0 ? pidfd_open(identity->pid, 0) : -1;
    if (process < 0)
        return -1;
    if (!identity_of(identity->pid, &present) || present.start != identity->start ||
        strcmp(present.boot, identity->boot) != 0 || has_ended(process)) {
        (void)close(process);
        return -1;
    }
    return process;
}

static int line_make(const struct identity *identity, int fd, char out[IDENTITY_TEXT_MAX])
{
    struct stat about;
    if (fstat(fd, &about) != 0)
        return -1;
    return snprintf(out, IDENTITY_TEXT_MAX, "pid %ld start %" PRIu64 " file %ju boot %s\n",
                    (long)identity->pid, identity->start, (uintmax_t)about.st_ino, identity->boot);
}

bool identity_write(const struct identity *identity, int fd)
{
    char text[IDENTITY_TEXT_MAX];
    int length = line_make(identity, fd, text);
    return length > 0 && ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)length, 0) == length;
}

/* What is not exactly as it would be written is no line of ours. */
bool identity_read(struct identity *identity, int fd)
{
    char text[IDENTITY_TEXT_MAX], again[IDENTITY_TEXT_MAX];
    long pid = 0;
    ssize_t got = pread(fd, text, sizeof text - 1, 0);
    *identity = (struct identity){0};
    text[got > 0 ? got : 0] = '\0';
    if (sscanf(text, "pid %9ld start %" SCNu64 " file %*u boot %39[0-9a-f-]", &pid,
               &identity->start, identity->boot) != 3)
        return false;
    identity->pid = (pid_t)pid;
    return line_make(identity, fd, again) > 0 && strcmp(text, again) == 0;
}
