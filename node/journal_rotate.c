/* The journal anew: what is still needed into a new file, which then takes the old one's name. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "node/journal_internal.h"

#define AGAIN 1048576 /* bytes that the file grows by before a rotation that failed is due again */
#define BACK_FACTOR                                                                                \
    3 /* further back than this many times what is demanded nobody who is out is followed */

/* The first block that the draws to come need (PROTOCOL section 2, as view_complete() has it). */
static uint64_t demanded(const struct journal *j)
{
    const struct charter *c = &j->config.charter;
    struct height boundary = charter_boundary(c, j->head);
    uint64_t round = charter_round(c, height_before(boundary, 1)).n;
    uint64_t foreign = height_before(height_at(round), FOREIGN_BLOCKS).n;
    uint64_t sets = height_before(boundary, (uint64_t)c->round_blocks + c->reference_blocks).n + 1;
    uint64_t from = foreign < round ? foreign : round;
    return from < sets ? from : sets;
}

/* A validator that paused after a join and has not come back counts as overdue, whenever that was. */
static uint64_t keep_from(const struct journal *j, const struct view *view)
{
    if (j->head.n < j->first.n) /* it has begun, and no block has come yet */
        return j->first.n;
    uint64_t from = demanded(j);
    uint64_t least = height_before(j->head, BACK_FACTOR * (j->head.n - from)).n;
    for (uint32_t i = 0; i < view_count(view); i++) {
        const struct view_validator *v = view_validator(view, i);
        if (v->paused_after_join && v->join.n > 0 && v->join.n < from)
            from = v->join.n > least ? v->join.n : least;
    }
    return from > j->first.n ? from : j->first.n;
}

/* --- copying blocks --- */

struct copy {
    const struct journal *old;
    struct journal *next;
    const struct view *view;
    uint64_t from;
    int64_t *powers; /* V(h) while block h is looked at; by validator */
    struct fault *fault;
};

/* Changes of a block, or the set of a beginning, behind what stands before them in the record. */
static bool apply_changes(struct copy *copy, struct code *code)
{
    uint32_t count = code_small(code, 0);
    for (uint32_t i = 0; i < count && !code->bad; i++) {
        uint32_t validator = code_choice(code, 0, copy->old->enrolled);
        int64_t power = code_signed(code, 0);
        if (!code->bad)
            copy->powers[validator] = power;
    }
    return !code->bad;
}

static bool apply_begin(struct copy *copy, const struct journal_record *record)
{
    struct code code = code_read(record->bytes, record->size);
    uint8_t address[ADDRESS_SIZE];
    code_number(&code, 0);
    code_number(&code, 0);
    uint32_t count = code_small(&code, 0);
    for (uint32_t i = 0; i < count && !code.bad; i++)
        code_bytes(&code, address, sizeof address);
    return apply_changes(copy, &code);
}

static bool apply_block(struct copy *copy, const struct journal_record *record)
{
    struct code code = code_read(record->bytes, record->size);
    uint8_t hash[HASH_SIZE];
    code_number(&code, 0);
    code_signed(&code, 0);
    code_bytes(&code, hash, sizeof hash);
    uint32_t missing = code_small(&code, 0);
    for (uint32_t i = 0; i < missing && !code.bad; i++)
        code_small(&code, 0);
    return apply_changes(copy, &code);
}

static bool begin_copy(struct copy *copy)
{
    const struct journal *old = copy->old;
    struct view_change *set = calloc(old->enrolled + 1u, sizeof *set);
    uint32_t count = 0;
    if (!set)
        return fault_set(copy->fault, "memory is short");
    for (uint32_t i = 0; i < old->enrolled; i++)
        if (copy->powers[i] > 0)
            set[count++] = (struct view_change){i, copy->powers[i]};
    journal_append_begin(copy->next, &old->config, copy->view, old->chain_first,
                         height_at(copy->from), set, count);
    free(set);
    return true;
}

static void raw_copy(struct copy *copy, const struct journal_record *record, uint64_t height)
{
    journal_append(copy->next, record->type, record->bytes, record->size);
    copy->next->head = height_at(height);
    copy->next->due = record->type == RECORD_BLOCK;
}

static bool copy_record(struct copy *copy, const struct journal_record *record)
{
    if (record->type == RECORD_BEGIN)
        return apply_begin(copy, record);
    if (record->type != RECORD_BLOCK && record->type != RECORD_RESULTS)
        return true;
    struct code code = code_read(record->bytes, record->size);
    uint64_t height = code_number(&code, 0);
    if (record->type == RECORD_BLOCK && height == copy->from && !begin_copy(copy))
        return false;
    if (height >= copy->from)
        raw_copy(copy, record, height);
    return record->type != RECORD_BLOCK || apply_block(copy, record);
}

static bool copy_records(struct copy *copy, struct journal_reader *reader)
{
    struct journal_record record;
    enum reader_step step;
    while ((step = reader_next(reader, &record)) == READER_RECORD) {
        if (record.offset >= copy->old->begun_at && !copy_record(copy, &record))
            return fault_set(copy->fault, "the journal's blocks cannot be read back");
        if (journal_trouble(copy->next))
            return fault_set(copy->fault, "%s", journal_trouble(copy->next));
    }
    return step == READER_END || fault_set(copy->fault, "the journal %s", reader->fault.text);
}

static bool copy_blocks(const struct journal *old, struct journal *next, const struct view *view,
                        struct fault *fault)
{
    struct journal_reader reader;
    struct copy copy = {old, next, view, keep_from(old, view), NULL, fault};
    copy.powers = calloc(old->enrolled + 1u, sizeof *copy.powers);
    enum reader_step step = reader_open(&reader, &old->disk, JOURNAL_NAME);
    bool ok = copy.powers && step == READER_RECORD;
    if (!ok)
        fault_set(fault, "the journal %s", copy.powers ? reader.fault.text : "needs more memory");
    ok = ok && copy_records(&copy, &reader);
    if (ok && old->head.n < old->first.n)
        ok = begin_copy(&copy);
    reader_close(&reader);
    free(copy.powers);
    return ok;
}

/* --- the new file --- */

static void share(const struct journal *j, struct journal *next)
{
    *next = *j;
    next->file = next->lock = -1;
    next->buffer = NULL;
    next->used = next->room = 0;
    next->begun = next->configured = next->due = false;
    next->troubled = next->names_due = false;
    next->kind = j->has_memory ? JOURNAL_KEPT : j->kind;
}

static bool write_next(const struct journal *j, struct journal *next, const struct view *view,
                       const struct coord *core, struct instant now, struct fault *fault)
{
    if (!journal_begin_file(next, NAME_NEW, fault))
        return false;
    journal_append_open(next, now, true);
    if (j->begun && !copy_blocks(j, next, view, fault))
        return false;
    if (core)
        journal_append_core(next, core);
    journal_append_kept(next);
    if (!journal_sync(next, fault))
        return false;
    /* the old one's second name is a convenience: some file systems have no links */
    (void)next->disk.link(next->disk.owner, JOURNAL_NAME, NAME_BEFORE);
    int failed = next->disk.rename(next->disk.owner, NAME_NEW, JOURNAL_NAME);
    return failed == 0 ||
           fault_set(fault, "the journal cannot be renamed (%s); the agent must own its directory",
                     strerror(-failed));
}

static void drop_next(struct journal *next)
{
    if (next->file >= 0)
        next->disk.close(next->disk.owner, next->file);
    (void)next->disk.remove(next->disk.owner, NAME_NEW);
    free(next->buffer);
}

static void take_over(struct journal *j, struct journal *next)
{
    j->disk.close(j->disk.owner, j->file);
    free(j->buffer);
    next->lock = j->lock;
    next->names_due = true;
    uint64_t size = next->durable + next->used;
    next->long_at = 2 * size > JOURNAL_ROTATE_MIN ? 2 * size : JOURNAL_ROTATE_MIN;
    *j = *next;
}

bool journal_rotate(struct journal *j, const struct view *view, const struct coord *core,
                    struct instant now, struct fault *fault)
{
    struct journal next;
    if (!journal_sync(j, fault))
        return false;
    if (j->gap)
        return fault_set(fault, "the journal has a gap: it is written anew after the next start");
    assert(!j->begun || (view && view_count(view) >= j->enrolled));
    share(j, &next);
    if (!write_next(j, &next, view, core, now, fault)) {
        drop_next(&next);
        j->long_at = j->durable + AGAIN;
        return false;
    }
    take_over(j, &next);
    return journal_sync(j, fault);
}
