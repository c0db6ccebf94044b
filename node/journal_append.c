/* Records into the buffer, the buffer onto the disk. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "node/journal_internal.h"

/* --- the buffer --- */

static bool make_room(struct journal *j, size_t size)
{
    if (j->room - j->used >= size)
        return true;
    size_t room = j->used + size > 2 * j->room ? j->used + size : 2 * j->room;
    uint8_t *buffer = realloc(j->buffer, room);
    if (!buffer) {
        j->memory_short = true;
        return false;
    }
    j->buffer = buffer;
    j->room = room;
    return true;
}

static void put_record(struct journal *j, enum record_type type, const uint8_t *bytes, size_t size)
{
    assert(size <= JOURNAL_RECORD_MAX);
    if (!make_room(j, JOURNAL_RECORD_HEAD + size))
        return;
    uint8_t *head = j->buffer + j->used;
    uint64_t offset = j->durable + j->used;
    head[0] = JOURNAL_MARKER;
    head[1] = (uint8_t)type;
    journal_put(head + 2, 2, j->run);
    journal_put(head + 4, 4, size);
    journal_put(head + 8, 8, j->previous);
    if (size > 0)
        memcpy(head + JOURNAL_RECORD_HEAD, bytes, size);
    j->previous =
        journal_check(j->digest, j->id, offset, head, 16, head + JOURNAL_RECORD_HEAD, size);
    journal_put(head + 16, 8, j->previous);
    j->used += JOURNAL_RECORD_HEAD + size;
}

void journal_fill(struct journal *j)
{
    size_t rest = (JOURNAL_BLOCK - j->used % JOURNAL_BLOCK) % JOURNAL_BLOCK;
    if (rest > 0 && make_room(j, rest)) {
        memset(j->buffer + j->used, 0, rest);
        j->used += rest;
    }
}

/* What may be dropped while the disk does not take anything. */
static bool is_history(enum record_type type)
{
    return type == RECORD_CORE || type == RECORD_EVENT || type == RECORD_NOTE ||
           type == RECORD_CONFIG || type == RECORD_BEGIN || type == RECORD_ENROL ||
           type == RECORD_BLOCK || type == RECORD_RESULTS;
}

static void begin_gap(struct journal *j)
{
    j->gap = true;
    put_record(j, RECORD_GAP, NULL, 0);
}

void journal_append(struct journal *j, enum record_type type, const uint8_t *bytes, size_t size)
{
    if (is_history(type) && !j->gap && j->used + size > JOURNAL_BUFFER_MAX)
        begin_gap(j);
    if (is_history(type) && j->gap)
        return;
    put_record(j, type, bytes, size);
    struct fault ignored; /* it stands in journal_trouble() */
    if (j->used >= JOURNAL_FLUSH && is_history(type) && !j->troubled && !journal_sync(j, &ignored))
        return;
}

void journal_append_code(struct journal *j, enum record_type type, struct code *code)
{
    if (code->bad)
        j->memory_short = true;
    else
        journal_append(j, type, code->into, code->at);
    code_end(code);
}

/* --- the disk --- */

static bool disk_fault(struct journal *j, const char *what, int64_t failed, struct fault *fault)
{
    const char *why = failed == 0 ? "nothing was written" : strerror((int)-failed);
    bool full = failed == -ENOSPC || failed == -EDQUOT;
    fault_set(fault, "the journal cannot be %s (%s): %s", what, why,
              full ? "free the disk; nothing is lost, and nothing is begun until then"
                   : "repair the disk or give another directory; nothing is begun until then");
    j->troubled = true;
    j->trouble = *fault;
    return false;
}

bool journal_write_at(struct journal *j, const uint8_t *bytes, size_t size, uint64_t offset,
                      struct fault *fault)
{
    for (size_t done = 0; done < size;) {
        int64_t put =
            j->disk.write(j->disk.owner, j->file, bytes + done, size - done, offset + done);
        if (put <= 0)
            return disk_fault(j, "written", put, fault);
        done += (size_t)put;
    }
    return true;
}

static bool write_seal(struct journal *j, uint64_t mark, struct fault *fault)
{
    uint8_t seal[16];
    uint32_t slot = 1 - j->seal_slot;
    journal_put(seal, 8, mark);
    journal_put(seal + 8, 8, journal_seal_check(j->digest, j->id, slot, mark));
    if (!journal_write_at(j, seal, sizeof seal, (slot + 1) * (uint64_t)JOURNAL_BLOCK, fault))
        return false;
    j->seal_slot = slot;
    return true;
}

/* The seal needs no sync: the next one carries it, and until then a process that dies leaves it to the kernel. */
bool journal_write_all(struct journal *j, struct fault *fault)
{
    if (!journal_write_at(j, j->buffer, j->used, j->durable, fault))
        return false;
    int failed = j->disk.sync(j->disk.owner, j->file);
    if (failed < 0)
        return disk_fault(j, "made durable", failed, fault);
    return write_seal(j, j->durable + j->used, fault);
}

static void shrink_buffer(struct journal *j)
{
    j->used = 0;
    if (j->room <= 2 * JOURNAL_FLUSH)
        return;
    free(j->buffer);
    j->buffer = NULL;
    j->room = 0;
}

bool journal_sync(struct journal *j, struct fault *fault)
{
    if (j->names_due) {
        int failed = j->disk.sync_names(j->disk.owner);
        if (failed < 0)
            return disk_fault(j, "made durable under its name", failed, fault);
        j->names_due = false;
    }
    journal_fill(j);
    if (j->memory_short) {
        j->troubled = true;
        fault_set(&j->trouble, "memory is short: the journal misses what happened; start again");
        *fault = j->trouble;
        return false;
    }
    if (j->used > 0 && !journal_write_all(j, fault))
        return false;
    j->durable += j->used;
    shrink_buffer(j);
    j->troubled = false;
    return true;
}

static void make_head(struct journal *j, uint8_t head[JOURNAL_BLOCK])
{
    memset(head, 0, JOURNAL_BLOCK);
    memcpy(head, JOURNAL_MAGIC, 16);
    journal_put(head + 16, 4, JOURNAL_VERSION);
    journal_put(head + 20, 4, strlen(j->owner));
    journal_put(head + 24, 8, j->id);
    memcpy(head + 32, j->owner, strlen(j->owner));
    journal_put(head + JOURNAL_HEAD_CHECKED, 8, journal_head_check(j->digest, head));
}

bool journal_begin_file(struct journal *j, const char *name, struct fault *fault)
{
    uint8_t block[JOURNAL_BLOCK];
    j->id = j->disk.stamp(j->disk.owner);
    j->previous = j->id;
    j->durable = JOURNAL_RECORDS;
    j->used = 0;
    j->seal_slot = 0;
    j->file = j->disk.create(j->disk.owner, name);
    if (j->file < 0)
        return disk_fault(j, "created", j->file, fault);
    make_head(j, block);
    if (!journal_write_at(j, block, sizeof block, 0, fault))
        return false;
    memset(block, 0, sizeof block);
    return journal_write_at(j, block, sizeof block, JOURNAL_BLOCK, fault) &&
           journal_write_at(j, block, sizeof block, 2 * (uint64_t)JOURNAL_BLOCK, fault);
}

/* --- records --- */

void journal_append_open(struct journal *j, struct instant now, bool rotated)
{
    struct code code = {0};
    code_signed(&code, now.ms);
    code_flag(&code, rotated);
    code_choice(&code, j->kind, JOURNAL_DAMAGED + 1);
    journal_append_code(j, RECORD_OPEN, &code);
}

bool journal_read_opening(const struct journal_record *record, struct journal_opening *opening)
{
    struct code code = code_read(record->bytes, record->size);
    opening->now.ms = code_signed(&code, 0);
    opening->rotated = code_flag(&code, false);
    opening->kind = (enum coord_journal)code_choice(&code, 0, JOURNAL_DAMAGED + 1);
    return code_finished(&code);
}

static void put_memory(struct journal *j)
{
    for (int copy = 0; copy < 2; copy++) {
        struct code code = {0};
        code_memory(&code, &j->memory);
        journal_append_code(j, RECORD_MEMORY, &code);
    }
}

void journal_append_memory(struct journal *j, const struct coord_memory *memory)
{
    assert(coord_memory_valid(memory));
    j->memory = *memory;
    j->has_memory = true;
    put_memory(j);
}

bool journal_read_memory(const struct journal_record *record, struct coord_memory *memory)
{
    struct code code = code_read(record->bytes, record->size);
    *memory = (struct coord_memory){.state = COORD_IDLE};
    code_memory(&code, memory);
    return code_finished(&code) && coord_memory_valid(memory);
}

static void put_sent(struct journal *j)
{
    for (int copy = 0; copy < 2; copy++)
        journal_append(j, RECORD_SENT, j->sent.into, j->sent.at);
}

static void code_sent(struct code *code, enum tx_kind *tx, struct chain_sent *sent)
{
    *tx = (enum tx_kind)code_choice(code, *tx, TX_ACTIVATE + 1);
    code_bytes(code, sent->hash, HASH_SIZE);
    sent->since = code_signed(code, sent->since);
    sent->timeout_height = code_number(code, sent->timeout_height);
    sent->account_number = code_number(code, sent->account_number);
    sent->sequence = code_number(code, sent->sequence);
    sent->fee = code_number(code, sent->fee);
    sent->attempt = code_small(code, sent->attempt);
    sent->size = code_choice(code, (uint32_t)sent->size, JOURNAL_TX_MAX + 1);
}

void journal_append_sent(struct journal *j, enum tx_kind tx, const struct chain_sent *sent)
{
    struct code code = {0};
    if (sent) {
        struct chain_sent copy = *sent;
        assert(sent->size > 0 && sent->size <= JOURNAL_TX_MAX);
        code_sent(&code, &tx, &copy);
        for (size_t i = 0; i < sent->size; i++) {
            uint8_t byte = sent->bytes[i];
            code_bytes(&code, &byte, 1);
        }
    }
    if (code.bad) {
        j->memory_short = true;
        code_end(&code);
        return;
    }
    code_end(&j->sent);
    j->sent = code;
    put_sent(j);
}

bool journal_read_sent(const struct journal_record *record, enum tx_kind *tx,
                       struct chain_sent *sent)
{
    *sent = (struct chain_sent){.size = 0};
    *tx = TX_OTHER;
    if (record->size == 0)
        return true;
    struct code code = code_read(record->bytes, record->size);
    code_sent(&code, tx, sent);
    sent->bytes = record->bytes + code.at;
    return !code.bad && sent->size > 0 && sent->size == record->size - code.at;
}

void journal_append_core(struct journal *j, const struct coord *core)
{
    struct code code = {0};
    struct coord copy = *core;
    struct coord_policy policy = *core->policy;
    code_policy(&code, &policy);
    code_core(&code, &copy);
    journal_append_code(j, RECORD_CORE, &code);
}

void journal_append_event(struct journal *j, const struct coord *core,
                          const struct coord_event *event, const struct coord_effects *effects)
{
    struct code code = {0};
    struct coord_event copy = *event;
    code_event(&code, &copy);
    code_number(&code, effects->count);
    code_number(&code, code_digest(j->digest, effects, core));
    journal_append_code(j, RECORD_EVENT, &code);
}

static void put_note(struct journal *j, struct instant now, enum journal_note kind, char *text)
{
    struct code code = {0};
    code_signed(&code, now.ms);
    code_choice(&code, kind, NOTE_COUNT);
    code_text(&code, text, JOURNAL_NOTE_MAX);
    journal_append_code(j, RECORD_NOTE, &code);
}

void journal_append_note(struct journal *j, struct instant now, enum journal_note kind,
                         const char *text)
{
    char line[JOURNAL_NOTE_MAX];
    size_t size = strlen(text);
    size = size < sizeof line ? size : sizeof line - 1;
    memcpy(line, text, size);
    line[size] = '\0';
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)line[i] < ' ')
            line[i] = ' ';
    memcpy(j->notes[kind], line, size + 1);
    put_note(j, now, kind, line);
}

bool journal_read_note(const struct journal_record *record, struct journal_note_read *note)
{
    struct code code = code_read(record->bytes, record->size);
    note->now.ms = code_signed(&code, 0);
    note->kind = (enum journal_note)code_choice(&code, 0, NOTE_COUNT);
    code_text(&code, note->text, sizeof note->text);
    return code_finished(&code);
}

void journal_append_kept(struct journal *j)
{
    if (j->has_memory)
        put_memory(j);
    if (j->sent.at > 0)
        put_sent(j);
    for (int kind = NOTE_RUNTIME; kind < NOTE_COUNT; kind++)
        if (j->notes[kind][0])
            put_note(j, (struct instant){0}, (enum journal_note)kind, j->notes[kind]);
}

const char *journal_trouble(const struct journal *j)
{
    return j->troubled ? j->trouble.text : NULL;
}

bool journal_has_gap(const struct journal *j)
{
    return j->gap;
}

bool journal_is_long(const struct journal *j)
{
    return !j->gap && j->durable + j->used >= j->long_at;
}
