#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dl_iterate_phdr, madvise */
#endif

#include "node/lean.h"

#include <link.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Larger pieces come from the system and go back to it, and those that are zero are not touched before they are used: that
 * holds only for what does not fit into the piece that malloc keeps in advance, so that is small. Set, so that malloc
 * does not change its mind. */
#define MMAP_BYTES (16 << 10)
#define AHEAD_BYTES (8 << 10)
#define TRIM_BYTES (64 << 10)

#define CUT_BYTES (16 << 10) /* a multiple of every usual page */
#define RANGES_MAX 500       /* three an object */

void lean_begin(void)
{
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
    (void)mallopt(M_TOP_PAD, AHEAD_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
}

struct range {
    uintptr_t from, to; /* whole pages */
};

struct ranges {
    uintptr_t page;
    size_t count;
    struct range list[RANGES_MAX];
};

static struct range range_of(const struct dl_phdr_info *object, const ElfW(Phdr) * segment,
                             uintptr_t page)
{
    uintptr_t begin = object->dlpi_addr + segment->p_vaddr;
    return (struct range){begin & ~(page - 1), (begin + segment->p_memsz + page - 1) & ~(page - 1)};
}

/* No linker puts data that is written to into a page of code; one that did would lose it here. */
static bool is_shared(const struct dl_phdr_info *object, struct range range, uintptr_t page)
{
    for (ElfW(Half) i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_W))
            continue;
        struct range written = range_of(object, segment, page);
        if (written.from < range.to && range.from < written.to)
            return true;
    }
    return false;
}

/* Reading an object's headers brings the pages around them back, so all is read before anything is let go. */
static int object_read(struct dl_phdr_info *object, size_t size, void *context)
{
    struct ranges *ranges = context;
    (void)size;
    if (strncmp(object->dlpi_name, "linux-vdso", 10) == 0) /* no file is behind it */
        return 0;
    for (ElfW(Half) i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W))
            continue;
        struct range range = range_of(object, segment, ranges->page);
        if (!is_shared(object, range, ranges->page) && ranges->count < RANGES_MAX)
            ranges->list[ranges->count++] = range;
    }
    return 0;
}

/* The system maps up to sixteen pages around one that is touched, as far as its mapping goes, and all of them count as
 * ours. What is left out of core dumps is a mapping of its own: so the code is cut into pieces of four pages. Code from a
 * file is in no core dump anyway. */
static void cut(struct range range)
{
    for (uintptr_t at = range.from + CUT_BYTES; at < range.to; at += 2 * CUT_BYTES)
        (void)madvise((void *)at, range.to - at < CUT_BYTES ? range.to - at : CUT_BYTES,
                      MADV_DONTDUMP);
}

void lean_now(void)
{
    struct ranges ranges = {.page = (uintptr_t)sysconf(_SC_PAGESIZE), .count = 0};
    (void)malloc_trim(0);
    (void)dl_iterate_phdr(object_read, &ranges);
    for (size_t i = 0; i < ranges.count; i++) {
        struct range range = ranges.list[i];
        cut(range);
        (void)madvise((void *)range.from, range.to - range.from, MADV_DONTNEED);
    }
}
