/* The thin layer below the journal: the few things that it asks of a file system, so that a test can put a disk
 * of its own in their place (one that loses, reorders and tears what was not made durable, or is full).
 *
 *     names are relative to one directory; a file is a small number >= 0
 *     what fails returns -errno, never -1 with errno
 *     data is durable after sync(file), a name (create, rename, link, remove) after sync_names()
 */
#ifndef STAGGER_NODE_JOURNAL_DISK_H
#define STAGGER_NODE_JOURNAL_DISK_H

#include <stddef.h>
#include <stdint.h>

#include "proto/fault.h"

struct journal_disk {
    void *owner;
    int (*open)(void *owner, const char *name);       /* to read */
    int (*open_again)(void *owner, const char *name); /* to read and write what is there */
    int (*create)(void *owner, const char *name);     /* empty, mode 0600, whatever was there */
    int64_t (*size)(void *owner, int file);
    int64_t (*read)(void *owner, int file, void *bytes, size_t size, uint64_t offset);
    int64_t (*write)(void *owner, int file, const void *bytes, size_t size, uint64_t offset);
    int (*cut)(void *owner, int file, uint64_t size);
    int (*sync)(void *owner, int file); /* fdatasync(2) */
    void (*close)(void *owner, int file);
    int (*rename)(void *owner, const char *from, const char *to);
    int (*link)(void *owner, const char *from, const char *to); /* replaces `to` */
    int (*remove)(void *owner, const char *name);
    int (*sync_names)(void *owner);
    /* One process at a time: a file that is locked until it is closed, -EWOULDBLOCK when somebody has it. The text
     * of at most 80 bytes tells who. */
    int (*lock)(void *owner, char holder[80]);
    uint64_t (*stamp)(void *owner); /* a number that no other file has: the clock's, in ns */
};

/* A directory of the file system, created with mode 0700 where it is missing. False with a fault; *disk is the
 * caller's (journal_disk_close). */
MUST_CHECK bool journal_disk_open(const char *dir, struct journal_disk *disk, struct fault *fault);

/* Paths as they are, relative to the working directory; to be read only. */
MUST_CHECK bool journal_disk_here(struct journal_disk *disk, struct fault *fault);
void journal_disk_close(struct journal_disk *disk);

#endif
