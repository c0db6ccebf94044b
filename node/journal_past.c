/* Blocks into records, and records into a view. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "node/journal_internal.h"

#define POWER_MAX (INT64_C(1) << 48)   /* no sum that a view makes can overflow */
#define HEIGHT_MAX (UINT64_C(1) << 62) /* likewise */

/* --- writing --- */

static void write_addresses(struct code *code, const struct view *view, uint32_t from, uint32_t to)
{
    code_number(code, to - from);
    for (uint32_t i = from; i < to; i++) {
        struct view_validator v = *view_validator(view, i);
        code_bytes(code, v.address, ADDRESS_SIZE);
    }
}

static void write_changes(struct code *code, const struct view_change *changes, uint32_t count)
{
    code_number(code, count);
    for (uint32_t i = 0; i < count; i++) {
        code_number(code, changes[i].validator);
        code_signed(code, changes[i].power);
    }
}

static void append_enrolled(struct journal *j, const struct view *view)
{
    if (view_count(view) <= j->enrolled)
        return;
    struct code code = {0};
    write_addresses(&code, view, j->enrolled, view_count(view));
    j->enrolled = view_count(view);
    journal_append_code(j, RECORD_ENROL, &code);
}

void journal_append_config(struct journal *j, const struct view_config *config)
{
    struct code code = {0};
    if (j->gap)
        return;
    j->config = *config;
    j->configured = true;
    code_config(&code, &j->config);
    journal_append_code(j, RECORD_CONFIG, &code);
}

void journal_append_begin(struct journal *j, const struct view_config *config,
                          const struct view *view, struct height chain_first, struct height first,
                          const struct view_change *set, uint32_t count)
{
    struct code code = {0};
    if (j->gap)
        return;
    j->begun = false;
    journal_append_config(j, config);
    code_number(&code, chain_first.n);
    code_number(&code, first.n);
    write_addresses(&code, view, 0, view_count(view));
    write_changes(&code, set, count);
    j->chain_first = chain_first;
    j->first = first;
    j->head = height_before(first, 1);
    j->enrolled = view_count(view);
    j->begun = true;
    j->due = false;
    j->begun_at = j->durable + j->used;
    journal_append_code(j, RECORD_BEGIN, &code);
}

void journal_append_block(struct journal *j, const struct view *view,
                          const struct view_block *block)
{
    struct code code = {0};
    uint8_t hash[HASH_SIZE];
    if (j->gap)
        return;
    assert(j->begun && !j->due && block->height.n == j->head.n + 1);
    append_enrolled(j, view);
    memcpy(hash, block->hash, HASH_SIZE);
    code_number(&code, block->height.n);
    code_signed(&code, block->time.ms);
    code_bytes(&code, hash, HASH_SIZE);
    code_number(&code, block->missing_count);
    for (uint32_t i = 0; i < block->missing_count; i++)
        code_number(&code, block->missing[i]);
    write_changes(&code, block->changes, block->change_count);
    code_write_txs(&code, block->txs, block->tx_count, false);
    journal_append_code(j, RECORD_BLOCK, &code);
    if (j->gap) /* it has just begun, without this block */
        return;
    j->head = block->height;
    j->due = true;
}

void journal_append_results(struct journal *j, const struct view *view, const struct view_tx *txs,
                            uint32_t count)
{
    struct code code = {0};
    if (j->gap)
        return;
    assert(j->due);
    append_enrolled(j, view); /* a validator that was claimed in this very block */
    code_number(&code, j->head.n);
    code_write_txs(&code, txs, count, true);
    journal_append_code(j, RECORD_RESULTS, &code);
    j->due = j->gap;
}

bool journal_results_due(const struct journal *j)
{
    return j->due;
}

/* --- reading --- */

/* Room for `count` things that take at least a byte each in what is left of the record. */
static bool read_count(struct code *code, uint32_t *count)
{
    *count = code_small(code, 0);
    if (*count > code->size - code->at)
        code->bad = true;
    return !code->bad;
}

static void *grown(void *memory, uint32_t *room, uint32_t count, size_t size)
{
    if (memory && *room >= count)
        return memory;
    void *more = realloc(memory, (count + 16) * size);
    if (!more)
        return NULL;
    *room = count + 16;
    return more;
}

static uint32_t read_validator(struct code *code, const struct past *past)
{
    return code_choice(code, 0, view_count(past->view));
}

/* The count, or 0 with code->bad. */
static uint32_t read_changes(struct code *code, struct past *past, int64_t least)
{
    uint32_t count;
    if (!read_count(code, &count))
        return 0;
    struct view_change *changes =
        grown(past->changes, &past->change_room, count, sizeof *past->changes);
    if (!changes) {
        code->bad = true;
        return 0;
    }
    past->changes = changes;
    for (uint32_t i = 0; i < count; i++) {
        changes[i].validator = read_validator(code, past);
        changes[i].power = code_signed(code, 0);
        code->bad |= changes[i].power < least || changes[i].power > POWER_MAX;
    }
    return code->bad ? 0 : count;
}

static uint32_t read_missing(struct code *code, struct past *past)
{
    uint32_t count;
    if (!read_count(code, &count))
        return 0;
    uint32_t *missing = grown(past->missing, &past->missing_room, count, sizeof *past->missing);
    if (!missing) {
        code->bad = true;
        return 0;
    }
    past->missing = missing;
    for (uint32_t i = 0; i < count; i++)
        missing[i] = read_validator(code, past);
    return code->bad ? 0 : count;
}

static uint32_t read_txs(struct code *code, struct past *past, bool results)
{
    uint32_t count;
    if (!read_count(code, &count))
        return 0;
    struct view_tx *txs = grown(past->txs, &past->tx_room, count, sizeof *past->txs);
    if (!txs) {
        code->bad = true;
        return 0;
    }
    past->txs = txs;
    for (uint32_t i = 0; i < count; i++) {
        code_read_tx(code, &txs[i], results);
        code->bad |= txs[i].validator >= view_count(past->view);
    }
    return code->bad ? 0 : count;
}

static void read_addresses(struct code *code, struct past *past)
{
    uint32_t count;
    read_count(code, &count);
    for (uint32_t i = 0; i < count && !code->bad; i++) {
        uint8_t address[ADDRESS_SIZE];
        uint32_t next = view_count(past->view);
        code_bytes(code, address, sizeof address);
        if (code->bad || view_enrol(past->view, address) != next)
            code->bad = true; /* twice, or more than there is room for */
    }
}

bool journal_read_config(const struct journal_record *record, struct view_config *config)
{
    struct code code = code_read(record->bytes, record->size);
    *config = (struct view_config){.capacity = 0};
    code_config(&code, config);
    return code_finished(&code) && config->capacity > 0 &&
           !charter_check(&config->charter, config->empty_blocks);
}

static bool take_config(struct past *past, const struct journal_record *record)
{
    struct view_config config;
    if (!journal_read_config(record, &config))
        return false;
    if (past->fixed || past->begun)
        return true;
    past->config = config;
    past->configured = true;
    return true;
}

static bool take_begin(struct past *past, const struct journal_record *record, struct code *code)
{
    if (!past->configured)
        return false;
    view_destroy(&past->view);
    past->begun = past->due = false;
    past->view = view_create(&past->config);
    if (!past->view)
        return false;
    past->chain_first = height_at(code_number(code, 0));
    past->first = height_at(code_number(code, 0));
    read_addresses(code, past);
    uint32_t count = read_changes(code, past, 1);
    if (!code_finished(code) || past->first.n == 0 || past->first.n > HEIGHT_MAX ||
        past->chain_first.n > past->first.n)
        return false;
    view_begin(past->view, past->chain_first, past->first, past->changes, count);
    past->head = height_before(past->first, 1);
    past->begun = true;
    past->begun_at = record->offset;
    return true;
}

static bool take_block(struct past *past, struct code *code)
{
    uint8_t hash[HASH_SIZE];
    struct view_block block = {.hash = hash};
    block.height = height_at(code_number(code, 0));
    block.time.ms = code_signed(code, 0);
    code_bytes(code, hash, sizeof hash);
    if (!past->begun || past->due || block.height.n != past->head.n + 1)
        return false;
    block.missing_count = read_missing(code, past);
    block.missing = past->missing;
    block.change_count = read_changes(code, past, 0);
    block.changes = past->changes;
    block.tx_count = read_txs(code, past, false);
    block.txs = past->txs;
    if (!code_finished(code))
        return false;
    (void)view_block(past->view, &block);
    past->head = block.height;
    past->due = true;
    return true;
}

static bool take_results(struct past *past, struct code *code)
{
    if (!past->begun || !past->due || code_number(code, 0) != past->head.n)
        return false;
    uint32_t count = read_txs(code, past, true);
    if (!code_finished(code))
        return false;
    view_results(past->view, past->txs, count);
    past->due = false;
    return true;
}

static bool take(struct past *past, const struct journal_record *record)
{
    struct code code = code_read(record->bytes, record->size);
    switch (record->type) {
    case RECORD_CONFIG:
        return take_config(past, record);
    case RECORD_BEGIN:
        return take_begin(past, record, &code);
    case RECORD_ENROL:
        if (past->begun)
            read_addresses(&code, past);
        return past->begun && code_finished(&code);
    case RECORD_BLOCK:
        return take_block(past, &code);
    case RECORD_RESULTS:
        return take_results(past, &code);
    default:
        return true;
    }
}

bool past_take(struct past *past, const struct journal_record *record, struct fault *fault)
{
    return take(past, record) ||
           fault_set(fault, "record %" PRIu64 " at byte %" PRIu64 " says what cannot be",
                     record->number, record->offset);
}

void past_end(struct past *past)
{
    view_destroy(&past->view);
    free(past->txs);
    free(past->missing);
    free(past->changes);
    *past = (struct past){.view = NULL};
}

static bool read_up_to(struct past *past, struct journal_reader *reader, uint64_t begin,
                       uint64_t end, struct fault *fault)
{
    struct journal_record record;
    enum reader_step step;
    while ((step = reader_next(reader, &record)) == READER_RECORD && record.offset < end)
        if (record.offset >= begin && !past_take(past, &record, fault))
            return false;
    if (step == READER_UNREADABLE || step == READER_DAMAGED)
        *fault = reader->fault;
    return step != READER_UNREADABLE && step != READER_DAMAGED;
}

/* Everything of `name` from the latest beginning on. */
static bool read_past(struct past *past, const struct journal_disk *disk, const char *name,
                      uint64_t begin, uint64_t end, struct fault *fault)
{
    struct journal_reader reader;
    enum reader_step step = reader_open(&reader, disk, name);
    bool ok = step == READER_RECORD;
    if (ok)
        ok = read_up_to(past, &reader, begin, end, fault);
    else
        *fault = reader.fault;
    reader_close(&reader);
    return ok;
}

bool past_turn(struct past *past, const struct journal_disk *disk, const char *name, uint64_t end,
               const struct view_config *config, struct fault *fault)
{
    struct past turned = {.fixed = true, .configured = true, .config = *config};
    if (!read_past(&turned, disk, name, past->begun_at, end, fault)) {
        past_end(&turned);
        return false;
    }
    turned.fixed = past->fixed;
    past_end(past);
    *past = turned;
    return true;
}

static bool same_config(const struct view_config *a, const struct view_config *b)
{
    struct code one = {0}, other = {0};
    struct view_config copy_a = *a, copy_b = *b;
    code_config(&one, &copy_a);
    code_config(&other, &copy_b);
    bool same =
        !one.bad && !other.bad && one.at == other.at && memcmp(one.into, other.into, one.at) == 0;
    code_end(&one);
    code_end(&other);
    return same;
}

struct view *journal_view(struct journal *j, const struct view_config *config, struct fault *fault)
{
    struct past past = {.fixed = true, .configured = true, .config = *config};
    if (!j->begun) {
        fault_set(fault, "the journal knows of no blocks");
        return NULL;
    }
    if (!journal_sync(j, fault) ||
        !read_past(&past, &j->disk, JOURNAL_NAME, j->begun_at, UINT64_MAX, fault)) {
        past_end(&past);
        return NULL;
    }
    if (past.head.n != j->head.n || past.due != j->due || view_count(past.view) != j->enrolled) {
        fault_set(fault, "the journal's blocks cannot be read back");
        past_end(&past);
        return NULL;
    }
    struct view *view = past.view;
    past.view = NULL;
    past_end(&past);
    if (!j->configured || !same_config(&j->config, config))
        journal_append_config(j, config);
    return view;
}
