/* Opening a journal: what an earlier run left, and where to go on. */
#include "node/journal.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "node/journal_internal.h"

static struct journal *create(const struct journal_disk *disk, const char *owner)
{
    struct journal *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    j->digest = digest_create();
    j->disk = *disk;
    j->lock = j->file = -1;
    j->long_at = JOURNAL_ROTATE_MIN;
    assert(strlen(owner) > 0 && strlen(owner) < sizeof j->owner);
    memcpy(j->owner, owner, strlen(owner) + 1);
    if (!j->digest) {
        free(j);
        return NULL;
    }
    return j;
}

static void destroy(struct journal **journal)
{
    struct journal *j = *journal;
    if (j->file >= 0)
        j->disk.close(j->disk.owner, j->file);
    if (j->lock >= 0)
        j->disk.close(j->disk.owner, j->lock);
    if (j->disk_owned)
        journal_disk_close(&j->disk);
    digest_destroy(&j->digest);
    code_end(&j->sent);
    free(j->buffer);
    free(j);
    *journal = NULL;
}

static bool take_lock(struct journal *j, struct fault *fault)
{
    char holder[80];
    j->lock = j->disk.lock(j->disk.owner, holder);
    if (j->lock >= 0)
        return true;
    if (j->lock == -EWOULDBLOCK)
        return fault_set(fault,
                         "another agent uses this journal (%s); there is one agent for a "
                         "validator: stop the other one, or give this one another directory",
                         holder[0] ? holder : "process unknown");
    return fault_set(fault, "the journal cannot be locked (%s); the agent must own its directory",
                     strerror(-j->lock));
}

/* --- what stands in the file --- */

static void keep_sent(struct journal *j, const struct journal_record *record)
{
    struct code code = {0};
    for (size_t i = 0; i < record->size; i++) {
        uint8_t byte = record->bytes[i];
        code_bytes(&code, &byte, 1);
    }
    j->memory_short |= code.bad;
    code_end(&j->sent);
    j->sent = code;
}

static bool take_kept(struct journal *j, const struct journal_record *record)
{
    struct journal_opening opening;
    struct journal_note_read note;
    struct chain_sent sent;
    enum tx_kind tx;
    switch (record->type) {
    case RECORD_OPEN:
        if (!journal_read_opening(record, &opening))
            return false;
        j->kind = opening.kind;
        return true;
    case RECORD_MEMORY:
        j->has_memory = true;
        return journal_read_memory(record, &j->memory);
    case RECORD_SENT:
        if (!journal_read_sent(record, &tx, &sent))
            return false;
        keep_sent(j, record);
        return true;
    case RECORD_NOTE:
        if (!journal_read_note(record, &note))
            return false;
        memcpy(j->notes[note.kind], note.text, sizeof note.text);
        return true;
    default:
        return true;
    }
}

/* Where blocks begin and end is known from the records' own numbers; their content is read by journal_view(). */
static bool take_place(struct journal *j, const struct journal_record *record)
{
    struct code code = code_read(record->bytes, record->size);
    switch (record->type) {
    case RECORD_CONFIG:
        j->configured = true;
        return journal_read_config(record, &j->config);
    case RECORD_BEGIN:
        j->chain_first = height_at(code_number(&code, 0));
        j->first = height_at(code_number(&code, 0));
        j->enrolled = code_small(&code, 0);
        j->head = height_before(j->first, 1);
        j->begun = true;
        j->due = false;
        j->begun_at = record->offset;
        return !code.bad && j->first.n > 0;
    case RECORD_ENROL:
        j->enrolled += code_small(&code, 0);
        return !code.bad;
    case RECORD_BLOCK:
        j->head = height_at(code_number(&code, 0));
        j->due = true;
        return !code.bad;
    case RECORD_RESULTS:
        j->due = false;
        return true;
    default:
        return true;
    }
}

static enum reader_step wrong_content(struct journal_reader *r, const struct journal_record *record)
{
    fault_set(&r->fault, "holds a record at byte %" PRIu64 " that says what cannot be",
              record->offset);
    return READER_DAMAGED;
}

static enum reader_step read_records(struct journal *j, struct journal_reader *r)
{
    struct journal_record record;
    enum reader_step step;
    while ((step = reader_next(r, &record)) == READER_RECORD)
        if (!take_kept(j, &record) || !take_place(j, &record))
            return wrong_content(r, &record);
    if (r->number == 0 && (step == READER_TORN || step == READER_END)) {
        /* it got its name when the first record was durable */
        fault_set(&r->fault, "is damaged: it holds nothing");
        return READER_DAMAGED;
    }
    return step;
}

static enum reader_step rescue(struct journal *j, struct journal_reader *r)
{
    static const enum record_type types[] = {RECORD_MEMORY, RECORD_SENT};
    struct journal_record record;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (reader_rescue(r, types[i], &record) && !take_kept(j, &record))
            return wrong_content(r, &record);
    return READER_TORN;
}

/* --- going on with it --- */

/* Everything up to here is sealed: what follows is cut off and written over. */
static bool go_on_here(struct journal *j, const struct journal_reader *r, struct fault *fault)
{
    j->durable = r->sealed;
    j->file = j->disk.open_again(j->disk.owner, JOURNAL_NAME);
    int failed = j->file < 0 ? j->file : j->disk.cut(j->disk.owner, j->file, r->sealed);
    return failed == 0 ||
           fault_set(fault, "the journal cannot be written (%s); the agent must own it",
                     strerror(-failed));
}

static bool copy_piece(struct journal *j, struct journal_reader *r, uint64_t at, size_t size,
                       struct fault *fault)
{
    uint8_t piece[JOURNAL_BLOCK];
    for (size_t done = 0; done < size;) {
        int64_t got = j->disk.read(j->disk.owner, r->file, piece + done, size - done, at + done);
        if (got <= 0)
            return fault_set(fault, "the journal cannot be read (%s); repair the disk",
                             strerror(got < 0 ? (int)-got : EIO));
        done += (size_t)got;
    }
    return journal_write_at(j, piece, size, at, fault);
}

/* Records that no seal covers may have been durable and acted on, so they are not written over; nor can they be trusted
 * to be on the disk: a sync that failed in an earlier run may have left the kernel with pages that look clean and are
 * not. So all of it goes into a file of its own first. */
static bool go_on_elsewhere(struct journal *j, struct journal_reader *r, struct fault *fault)
{
    j->file = j->disk.create(j->disk.owner, NAME_NEW);
    if (j->file < 0)
        return fault_set(fault, "the journal cannot be copied (%s); free the disk",
                         strerror(-j->file));
    j->durable = (r->at + JOURNAL_BLOCK - 1) / JOURNAL_BLOCK * JOURNAL_BLOCK;
    for (uint64_t at = 0; at < r->at; at += JOURNAL_BLOCK) {
        uint64_t rest = r->at - at;
        size_t size = rest < JOURNAL_BLOCK ? (size_t)rest : JOURNAL_BLOCK;
        if (!copy_piece(j, r, at, size, fault))
            return false;
    }
    return true;
}

static bool take_name(struct journal *j, struct fault *fault)
{
    int failed = j->disk.rename(j->disk.owner, NAME_NEW, JOURNAL_NAME);
    j->names_due = true;
    if (failed < 0)
        return fault_set(fault,
                         "the journal cannot be renamed (%s); the agent must own its directory",
                         strerror(-failed));
    return journal_sync(j, fault);
}

static bool go_on(struct journal *j, struct journal_reader *r, struct instant now,
                  struct fault *fault)
{
    bool sealed = r->at <= r->sealed;
    j->id = r->id;
    j->previous = r->previous;
    j->seal_slot = r->seal_slot;
    j->run = (uint16_t)(r->run + 1);
    j->kind = j->has_memory ? JOURNAL_KEPT : j->kind;
    if (!(sealed ? go_on_here(j, r, fault) : go_on_elsewhere(j, r, fault)))
        return false;
    journal_append_open(j, now, false);
    journal_append_kept(j);
    j->names_due = sealed; /* a rename of the run before may not be durable yet */
    return journal_sync(j, fault) && (sealed || take_name(j, fault));
}

/* A new file; one that is damaged is put aside under another name, if the file system can. */
static bool begin_anew(struct journal *j, enum coord_journal kind, struct instant now,
                       struct fault *fault)
{
    j->kind = kind;
    j->run = 1;
    if (!journal_begin_file(j, NAME_NEW, fault))
        return false;
    journal_append_open(j, now, false);
    if (!journal_sync(j, fault))
        return false;
    if (kind == JOURNAL_DAMAGED)
        (void)j->disk.link(j->disk.owner, JOURNAL_NAME, NAME_DAMAGED);
    return take_name(j, fault);
}

static bool is_there(const struct journal *j, const char *name)
{
    int file = j->disk.open(j->disk.owner, name);
    if (file >= 0)
        j->disk.close(j->disk.owner, file);
    return file != -ENOENT;
}

static void forget(struct journal *j)
{
    j->has_memory = j->configured = j->begun = j->due = false;
    j->enrolled = 0;
    code_end(&j->sent);
    j->sent = (struct code){0};
    memset(j->notes, 0, sizeof j->notes);
}

static bool resume(struct journal *j, struct journal_reader *r, enum reader_step step,
                   struct instant now, struct journal_found *found, struct fault *fault)
{
    if (step == READER_TORN) {
        step = rescue(j, r);
        found->torn = r->size - r->at;
    }
    if (step == READER_UNREADABLE)
        return fault_set(fault, "the journal %s", r->fault.text);
    if (step != READER_DAMAGED)
        return go_on(j, r, now, fault);
    forget(j);
    fault_set(fault, "the journal %s", r->fault.text);
    memcpy(found->text, fault->text, sizeof found->text);
    found->torn = 0;
    return begin_anew(j, JOURNAL_DAMAGED, now, fault);
}

static bool check_owner(const struct journal *j, const struct journal_reader *r,
                        struct fault *fault)
{
    if (r->version != JOURNAL_VERSION)
        return fault_set(fault,
                         "the journal has format %u, and this program knows format %d: use the "
                         "program that wrote it, or move the journal away",
                         r->version, JOURNAL_VERSION);
    if (strcmp(r->owner, j->owner) != 0)
        return fault_set(fault,
                         "the journal belongs to \"%s\", not to \"%s\": give another directory, or "
                         "move the journal away",
                         r->owner, j->owner);
    return true;
}

static bool open_found(struct journal *j, struct instant now, struct journal_found *found,
                       struct fault *fault)
{
    struct journal_reader reader;
    enum reader_step step = reader_open(&reader, &j->disk, JOURNAL_NAME);
    bool ok = step != READER_RECORD || check_owner(j, &reader, fault);
    if (ok && step == READER_RECORD)
        step = read_records(j, &reader);
    ok = ok && resume(j, &reader, step, now, found, fault);
    reader_close(&reader);
    return ok;
}

static bool open_missing(struct journal *j, struct instant now, struct journal_found *found,
                         struct fault *fault)
{
    enum coord_journal kind = is_there(j, NAME_DAMAGED) ? JOURNAL_DAMAGED : JOURNAL_NONE;
    if (kind == JOURNAL_DAMAGED) {
        fault_set(fault, "the journal is missing, and a damaged one was put aside");
        memcpy(found->text, fault->text, sizeof found->text);
    }
    return begin_anew(j, kind, now, fault);
}

/* --- what was found --- */

static void tell_found(struct journal *j, struct journal_found *found)
{
    found->kind = j->kind;
    found->memory = j->memory;
    struct journal_record sent = {.bytes = j->sent.into, .size = j->sent.at};
    if (j->sent.at > 0)
        found->sent = journal_read_sent(&sent, &found->tx, &found->flight);
    memcpy(found->runtime, j->notes[NOTE_RUNTIME], sizeof found->runtime);
    memcpy(found->reason, j->notes[NOTE_REASON], sizeof found->reason);
    found->history = j->begun;
    found->first = j->first;
    found->head = j->head;
    j->gap = false;
}

bool journal_open_on(const struct journal_disk *disk, const char *owner, struct instant now,
                     struct journal **journal, struct journal_found *found, struct fault *fault)
{
    *journal = NULL;
    *found = (struct journal_found){.kind = JOURNAL_NONE};
    struct journal *j = create(disk, owner);
    if (!j)
        return fault_set(fault, "memory is short");
    bool ok = take_lock(j, fault);
    if (ok)
        ok = is_there(j, JOURNAL_NAME) ? open_found(j, now, found, fault)
                                       : open_missing(j, now, found, fault);
    if (!ok) {
        destroy(&j);
        return false;
    }
    tell_found(j, found);
    *journal = j;
    return true;
}

bool journal_open(const char *dir, const char *owner, struct instant now, struct journal **journal,
                  struct journal_found *found, struct fault *fault)
{
    struct journal_disk disk;
    *journal = NULL;
    if (!journal_disk_open(dir, &disk, fault))
        return false;
    if (!journal_open_on(&disk, owner, now, journal, found, fault)) {
        journal_disk_close(&disk);
        return fault_within(fault, dir);
    }
    (*journal)->disk_owned = true;
    return true;
}

void journal_close(struct journal **journal)
{
    struct fault fault;
    if (!*journal)
        return;
    if (!journal_sync(*journal, &fault))
        (*journal)->used = 0; /* said before, and lost as by a crash */
    destroy(journal);
}
