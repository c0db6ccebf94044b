#include "sim/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coord/digest.h"
#include "sim/store_block.h"

#define TITLE "stagger blocks 1\n"
#define TITLE_SIZE (sizeof TITLE - 1)
#define HEAD_SIZE 12 /* size and digest of a record */

struct store {
    int file;
    bool writer;
    char path[512];
    struct digest *digest;
    int64_t first;
    uint32_t count, room;
    uint64_t *offsets; /* of each record's payload */
    uint32_t *sizes;
    uint64_t end; /* of the last whole record */
};

static bool file_fault(const struct store *store, const char *what, struct fault *fault)
{
    return fault_set(fault, "%s: %s: %s", store->path, what, strerror(errno));
}

static bool read_whole(int file, void *bytes, size_t size, uint64_t at)
{
    uint8_t *to = bytes;
    while (size > 0) {
        ssize_t got = pread(file, to, size, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        to += got;
        at += (uint64_t)got;
        size -= (size_t)got;
    }
    return true;
}

static bool write_whole(int file, const void *bytes, size_t size, uint64_t at)
{
    const uint8_t *from = bytes;
    while (size > 0) {
        ssize_t put = pwrite(file, from, size, (off_t)at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        from += put;
        at += (uint64_t)put;
        size -= (size_t)put;
    }
    return true;
}

static void put_head(struct store *store, const uint8_t *payload, size_t size,
                     uint8_t head[HEAD_SIZE])
{
    uint8_t hash[HASH_SIZE];
    digest_sha256(store->digest, &(struct digest_piece){payload, size}, 1, hash);
    for (int i = 0; i < 4; i++)
        head[i] = (uint8_t)(size >> (24 - 8 * i));
    memcpy(head + 4, hash, HEAD_SIZE - 4);
}

/* The payload of the record at `at`, owned by the caller; NULL when no whole record lies there. */
static uint8_t *read_payload(struct store *store, uint64_t at, size_t *size)
{
    uint8_t head[HEAD_SIZE], expected[HEAD_SIZE];
    if (!read_whole(store->file, head, sizeof head, at))
        return NULL;
    *size = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    uint8_t *payload = *size <= STORE_RECORD_MAX ? malloc(*size + 1) : NULL;
    if (!payload)
        return NULL;
    if (read_whole(store->file, payload, *size, at + HEAD_SIZE)) {
        put_head(store, payload, *size, expected);
        if (memcmp(head, expected, HEAD_SIZE) == 0)
            return payload;
    }
    free(payload);
    return NULL;
}

static bool note_record(struct store *store, size_t size)
{
    if (store->count == store->room) {
        uint32_t room = store->room ? store->room * 2 : 1024;
        uint64_t *offsets = realloc(store->offsets, room * sizeof *offsets);
        if (offsets)
            store->offsets = offsets;
        uint32_t *sizes = realloc(store->sizes, room * sizeof *sizes);
        if (sizes)
            store->sizes = sizes;
        if (!offsets || !sizes)
            return false;
        store->room = room;
    }
    store->offsets[store->count] = store->end + HEAD_SIZE;
    store->sizes[store->count++] = (uint32_t)size;
    store->end += HEAD_SIZE + size;
    return true;
}

/* Takes in the next record, if a whole one that follows the last lies there. */
static bool take_record(struct store *store)
{
    struct stored_block block;
    size_t size;
    uint8_t *payload = read_payload(store, store->end, &size);
    bool taken = payload && stored_block_decode(payload, size, &block);
    free(payload);
    if (!taken)
        return false;
    int64_t height = block.header.height;
    stored_block_clear(&block);
    if (store->count == 0)
        store->first = height;
    return height == store->first + store->count && note_record(store, size);
}

bool store_refresh(struct store *store)
{
    uint32_t before = store->count;
    while (take_record(store))
        continue;
    return store->count > before;
}

static bool begin_file(struct store *store, struct fault *fault)
{
    char title[TITLE_SIZE];
    struct stat stat;
    if (fstat(store->file, &stat) != 0)
        return file_fault(store, "cannot be looked at", fault);
    if (store->writer && stat.st_size == 0 &&
        (!write_whole(store->file, TITLE, TITLE_SIZE, 0) || fdatasync(store->file) != 0))
        return file_fault(store, "cannot be written", fault);
    if (!read_whole(store->file, title, TITLE_SIZE, 0) || memcmp(title, TITLE, TITLE_SIZE) != 0)
        return fault_set(fault, "%s: is no block log of this version; choose another directory",
                         store->path);
    store->end = TITLE_SIZE;
    (void)store_refresh(store);
    if (store->writer && ftruncate(store->file, (off_t)store->end) != 0)
        return file_fault(store, "its torn tail cannot be cut off", fault);
    return true;
}

struct store *store_open(const char *path, bool writer, struct fault *fault)
{
    struct store *store = calloc(1, sizeof *store);
    if (!store || strlen(path) >= sizeof store->path || !(store->digest = digest_create())) {
        free(store);
        fault_set(fault, "%s: no memory for a block log, or the path is too long", path);
        return NULL;
    }
    strcpy(store->path, path);
    store->writer = writer;
    store->file = open(path, (writer ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC, 0644);
    if (store->file < 0)
        file_fault(store, "cannot be opened", fault);
    if (store->file < 0 || !begin_file(store, fault))
        store_close(&store);
    return store;
}

void store_close(struct store **store)
{
    if (!*store)
        return;
    if ((*store)->file >= 0)
        (void)close((*store)->file);
    digest_destroy(&(*store)->digest);
    free((*store)->offsets);
    free((*store)->sizes);
    free(*store);
    *store = NULL;
}

static bool append_payload(struct store *store, const uint8_t *payload, size_t size)
{
    uint8_t head[HEAD_SIZE];
    put_head(store, payload, size, head);
    return write_whole(store->file, head, sizeof head, store->end) &&
           write_whole(store->file, payload, size, store->end + HEAD_SIZE) &&
           fdatasync(store->file) == 0;
}

bool store_append(struct store *store, const struct stored_block *block, struct fault *fault)
{
    size_t size = 0;
    assert(store->writer);
    assert(store->count == 0 || block->header.height == store_head(store) + 1);
    uint8_t *payload = stored_block_encode(block, &size);
    if (!payload)
        return fault_set(fault, "%s: no memory for block %lld", store->path,
                         (long long)block->header.height);
    bool written = append_payload(store, payload, size);
    free(payload);
    if (!written) {
        file_fault(store, "a block cannot be written", fault);
        (void)ftruncate(store->file, (off_t)store->end);
        return false;
    }
    if (store->count == 0)
        store->first = block->header.height;
    if (!note_record(store, size))
        return fault_set(fault, "%s: no memory for its index", store->path);
    return true;
}

int64_t store_first(const struct store *store)
{
    return store->count ? store->first : 0;
}

int64_t store_head(const struct store *store)
{
    return store->count ? store->first + store->count - 1 : 0;
}

bool store_read(const struct store *store, int64_t height, struct stored_block *block,
                struct fault *fault)
{
    if (store->count == 0 || height < store->first || height > store_head(store))
        return fault_set(fault, "%s: holds no block %lld", store->path, (long long)height);
    uint32_t at = (uint32_t)(height - store->first);
    uint8_t *payload = malloc((size_t)store->sizes[at] + 1);
    bool taken = payload &&
                 read_whole(store->file, payload, store->sizes[at], store->offsets[at]) &&
                 stored_block_decode(payload, store->sizes[at], block);
    free(payload);
    return taken ||
           fault_set(fault, "%s: block %lld cannot be read", store->path, (long long)height);
}
