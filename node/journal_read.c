/* Records out of a journal's file. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "node/journal_internal.h"

#define WINDOW 65536    /* bytes read at once */
#define RESCUE_MAX 1024 /* places behind a torn end that look like a record and are hashed */
#define RESCUE_SPAN 8388608

/* --- numbers and checks --- */

void journal_put(uint8_t *bytes, size_t size, uint64_t value)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
}

uint64_t journal_get(const uint8_t *bytes, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)bytes[i] << 8 * i;
    return value;
}

static uint64_t hash(struct digest *digest, const struct digest_piece *pieces, size_t count)
{
    uint8_t out[HASH_SIZE];
    digest_sha256(digest, pieces, count, out);
    return journal_get(out, 8);
}

uint64_t journal_check(struct digest *digest, uint64_t id, uint64_t offset, const uint8_t *head,
                       size_t head_size, const uint8_t *bytes, size_t size)
{
    uint8_t place[16];
    journal_put(place, 8, id);
    journal_put(place + 8, 8, offset);
    const struct digest_piece pieces[] = {{place, sizeof place}, {head, head_size}, {bytes, size}};
    return hash(digest, pieces, 3);
}

uint64_t journal_seal_check(struct digest *digest, uint64_t id, uint32_t slot, uint64_t mark)
{
    uint8_t text[20];
    journal_put(text, 8, id);
    journal_put(text + 8, 4, slot);
    journal_put(text + 12, 8, mark);
    const struct digest_piece pieces[] = {{"seal", 4}, {text, sizeof text}};
    return hash(digest, pieces, 2);
}

uint64_t journal_head_check(struct digest *digest, const uint8_t head[JOURNAL_BLOCK])
{
    const struct digest_piece piece = {head, JOURNAL_HEAD_CHECKED};
    return hash(digest, &piece, 1);
}

/* --- bytes --- */

static enum reader_step unreadable(struct journal_reader *r, int64_t failed)
{
    fault_set(&r->fault, "cannot be read at byte %" PRIu64 " (%s)", r->at, strerror((int)-failed));
    return failed == -EIO ? READER_DAMAGED : READER_UNREADABLE;
}

static bool make_room(struct journal_reader *r, size_t size)
{
    if (r->room >= size)
        return true;
    uint8_t *buffer = realloc(r->buffer, size);
    if (!buffer)
        return false;
    r->buffer = buffer;
    r->room = size;
    return true;
}

/* The bytes at [offset, offset + size), which lie within the file; NULL when they are not to be had: *step says why. */
static const uint8_t *bytes_at(struct journal_reader *r, uint64_t offset, size_t size,
                               enum reader_step *step)
{
    if (offset >= r->from && offset + size <= r->from + r->have)
        return r->buffer + (offset - r->from);
    size_t want = size > WINDOW ? size : WINDOW;
    if (!make_room(r, want)) {
        *step = READER_UNREADABLE;
        fault_set(&r->fault, "memory is short");
        return NULL;
    }
    r->from = offset;
    r->have = 0;
    while (r->have < size) {
        int64_t got = r->disk->read(r->disk->owner, r->file, r->buffer + r->have, want - r->have,
                                    offset + r->have);
        if (got <= 0) { /* 0: it became shorter while we read */
            *step = unreadable(r, got < 0 ? got : -EIO);
            return NULL;
        }
        r->have += (size_t)got;
    }
    return r->buffer;
}

static bool all_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i])
            return false;
    return true;
}

/* --- head and seals --- */

static enum reader_step read_head(struct journal_reader *r)
{
    enum reader_step step = READER_RECORD;
    const uint8_t *head = bytes_at(r, 0, JOURNAL_BLOCK, &step);
    if (!head)
        return step;
    uint64_t owner_size = journal_get(head + 20, 4);
    bool whole = memcmp(head, JOURNAL_MAGIC, 16) == 0 && owner_size < JOURNAL_OWNER_MAX &&
                 journal_get(head + JOURNAL_HEAD_CHECKED, 8) == journal_head_check(r->digest, head);
    if (!whole) {
        fault_set(&r->fault, "its head is wrong: no journal, or damaged");
        return READER_DAMAGED;
    }
    r->version = (uint32_t)journal_get(head + 16, 4);
    r->id = journal_get(head + 24, 8);
    memcpy(r->owner, head + 32, owner_size);
    r->owner[owner_size] = '\0';
    return READER_RECORD;
}

static enum reader_step read_seals(struct journal_reader *r)
{
    for (uint32_t slot = 0; slot < 2; slot++) {
        enum reader_step step = READER_RECORD;
        const uint8_t *seal = bytes_at(r, (slot + 1) * (uint64_t)JOURNAL_BLOCK, 16, &step);
        if (!seal)
            return step;
        uint64_t mark = journal_get(seal, 8);
        if (journal_get(seal + 8, 8) == journal_seal_check(r->digest, r->id, slot, mark) &&
            mark >= r->sealed) {
            r->sealed = mark;
            r->seal_slot = slot;
        }
    }
    return READER_RECORD;
}

static enum reader_step read_size(struct journal_reader *r)
{
    int64_t size = r->disk->size(r->disk->owner, r->file);
    if (size < 0) {
        fault_set(&r->fault, "is no plain file (%s)", strerror((int)-size));
        return READER_UNREADABLE;
    }
    r->size = (uint64_t)size;
    if (r->size < JOURNAL_RECORDS) {
        fault_set(&r->fault, "is only %" PRIu64 " bytes long: no journal, or damaged", r->size);
        return READER_DAMAGED;
    }
    return READER_RECORD;
}

enum reader_step reader_open(struct journal_reader *r, const struct journal_disk *disk,
                             const char *name)
{
    *r = (struct journal_reader){.disk = disk, .at = JOURNAL_RECORDS};
    r->file = disk->open(disk->owner, name);
    if (r->file < 0) {
        fault_set(&r->fault, "cannot be opened (%s)", strerror(-r->file));
        return READER_UNREADABLE;
    }
    r->digest = digest_create();
    if (!r->digest) {
        fault_set(&r->fault, "memory is short");
        return READER_UNREADABLE;
    }
    enum reader_step step = read_size(r);
    if (step == READER_RECORD)
        step = read_head(r);
    if (step == READER_RECORD)
        step = read_seals(r);
    /* what the seals cover was there before them; a file that is being written may have grown since */
    if (step == READER_RECORD)
        step = read_size(r);
    r->previous = r->id;
    return step;
}

void reader_close(struct journal_reader *r)
{
    if (r->file >= 0)
        r->disk->close(r->disk->owner, r->file);
    r->file = -1;
    digest_destroy(&r->digest);
    free(r->buffer);
    r->buffer = NULL;
    r->have = r->room = 0;
}

/* --- records --- */

/* Whether a whole record stands at `offset`, by its own check. */
static bool record_at(struct journal_reader *r, uint64_t offset, struct journal_record *record,
                      enum reader_step *step)
{
    if (r->size - offset < JOURNAL_RECORD_HEAD)
        return false;
    const uint8_t *head = bytes_at(r, offset, JOURNAL_RECORD_HEAD, step);
    if (!head)
        return false;
    uint64_t size = journal_get(head + 4, 4);
    if (head[0] != JOURNAL_MARKER || size > JOURNAL_RECORD_MAX ||
        size > r->size - offset - JOURNAL_RECORD_HEAD)
        return false;
    head = bytes_at(r, offset, JOURNAL_RECORD_HEAD + (size_t)size, step);
    if (!head)
        return false;
    *record = (struct journal_record){
        .type = (enum record_type)head[1],
        .run = (uint16_t)journal_get(head + 2, 2),
        .offset = offset,
        .bytes = head + JOURNAL_RECORD_HEAD,
        .size = (size_t)size,
        .previous = journal_get(head + 8, 8),
        .check = journal_get(head + 16, 8),
    };
    return record->check ==
           journal_check(r->digest, r->id, offset, head, 16, record->bytes, record->size);
}

static enum reader_step end_here(struct journal_reader *r)
{
    if (r->sealed > r->at) {
        fault_set(&r->fault,
                  "is damaged at byte %" PRIu64 ", behind record %" PRIu64
                  ": it was whole up to byte %" PRIu64 " once",
                  r->at, r->number, r->sealed);
        return READER_DAMAGED;
    }
    if (r->at >= r->size)
        return READER_END;
    fault_set(&r->fault, "ends within a record at byte %" PRIu64 ", behind record %" PRIu64, r->at,
              r->number);
    return READER_TORN;
}

/* Zeros up to the end of a block. False: neither that nor a record stands here. */
static bool skip_padding(struct journal_reader *r, enum reader_step *step)
{
    uint64_t rest = JOURNAL_BLOCK - r->at % JOURNAL_BLOCK;
    if (r->at >= r->size || rest == JOURNAL_BLOCK || rest > r->size - r->at)
        return true;
    const uint8_t *bytes = bytes_at(r, r->at, (size_t)rest, step);
    if (!bytes)
        return false;
    if (bytes[0] != 0)
        return true;
    if (!all_zero(bytes, (size_t)rest))
        return false;
    r->at += rest;
    return true;
}

enum reader_step reader_next(struct journal_reader *r, struct journal_record *record)
{
    enum reader_step step = READER_RECORD;
    if (!skip_padding(r, &step) || r->at >= r->size)
        return step != READER_RECORD ? step : end_here(r);
    if (!record_at(r, r->at, record, &step) || record->previous != r->previous)
        return step != READER_RECORD ? step : end_here(r);
    if (record->type == RECORD_NONE || record->type >= RECORD_TYPE_COUNT) {
        fault_set(&r->fault, "holds a record of unknown type %d at byte %" PRIu64, record->type,
                  r->at);
        return READER_DAMAGED;
    }
    record->number = ++r->number;
    r->previous = record->check;
    r->run = record->run;
    r->at += JOURNAL_RECORD_HEAD + record->size;
    return READER_RECORD;
}

bool reader_rescue(struct journal_reader *r, enum record_type type, struct journal_record *record)
{
    enum reader_step step = READER_RECORD;
    uint64_t end = r->size - r->at > RESCUE_SPAN ? r->at + RESCUE_SPAN : r->size, found = 0;
    uint32_t tries = 0;
    struct journal_record one;
    for (uint64_t at = r->at; at + JOURNAL_RECORD_HEAD <= end && tries < RESCUE_MAX; at++) {
        const uint8_t *head = bytes_at(r, at, JOURNAL_RECORD_HEAD, &step);
        if (!head)
            break;
        if (head[0] != JOURNAL_MARKER || head[1] != type || journal_get(head + 2, 2) != r->run ||
            journal_get(head + 4, 4) > JOURNAL_TX_MAX + JOURNAL_NOTE_MAX)
            continue;
        tries++;
        if (record_at(r, at, &one, &step))
            found = at;
    }
    return found > 0 && record_at(r, found, record, &step);
}
