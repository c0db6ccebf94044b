#include "sim/store_block.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_MAX 65536 /* entries of any list */

/* One pass for both directions: `put` says which, and a pass without a buffer only counts. */
struct tape {
    uint8_t *out;      /* written to; NULL: counted */
    const uint8_t *in; /* read from; NULL: a writing pass */
    size_t at, size;
    bool bad;
};

static void raw(struct tape *t, void *bytes, size_t size)
{
    if (t->in) {
        if (t->bad || t->size - t->at < size) {
            t->bad = true;
            memset(bytes, 0, size);
            return;
        }
        memcpy(bytes, t->in + t->at, size);
    } else if (t->out && size) {
        memcpy(t->out + t->at, bytes, size);
    }
    t->at += size;
}

static void number(struct tape *t, uint64_t *value)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(*value >> (56 - 8 * i));
    raw(t, bytes, sizeof bytes);
    if (!t->in)
        return;
    *value = 0;
    for (int i = 0; i < 8; i++)
        *value = *value << 8 | bytes[i];
}

static void signed_number(struct tape *t, int64_t *value)
{
    uint64_t bits = (uint64_t)*value;
    number(t, &bits);
    *value = (int64_t)bits;
}

static void small(struct tape *t, uint32_t *value)
{
    uint64_t wide = *value;
    number(t, &wide);
    if (wide > UINT32_MAX)
        t->bad = true;
    *value = (uint32_t)wide;
}

static void flag(struct tape *t, bool *value)
{
    uint8_t byte = *value;
    raw(t, &byte, 1);
    if (byte > 1)
        t->bad = true;
    *value = byte == 1;
}

static void amount(struct tape *t, size_t *value, size_t max)
{
    uint64_t wide = *value;
    number(t, &wide);
    if (wide > max)
        t->bad = true;
    *value = t->bad ? 0 : (size_t)wide;
}

/* A byte string that reading allocates, with a zero byte behind it. */
static void blob(struct tape *t, uint8_t **bytes, size_t *size)
{
    amount(t, size, STORE_RECORD_MAX);
    if (t->in) {
        *bytes = NULL;
        if (t->bad || t->size - t->at < *size || !(*bytes = calloc(1, *size + 1))) {
            t->bad = true;
            *size = 0;
            return;
        }
    }
    if (*bytes)
        raw(t, *bytes, *size);
}

/* A text of a fixed field. */
static void text(struct tape *t, char *chars, size_t room)
{
    size_t length = t->in ? 0 : strlen(chars);
    amount(t, &length, room - 1);
    raw(t, chars, length);
    if (t->in)
        chars[length] = '\0';
}

/* How many there are of a list; reading allocates it. */
static uint32_t list(struct tape *t, uint32_t *count, void *items, size_t item_size)
{
    small(t, count);
    if (!t->in)
        return *count;
    if (t->bad || *count > COUNT_MAX || *count > t->size - t->at) {
        t->bad = true;
        *count = 0;
    }
    void *memory = *count ? calloc(*count, item_size) : NULL;
    if (*count && !memory) {
        t->bad = true;
        *count = 0;
    }
    memcpy(items, &memory, sizeof memory);
    return *count;
}

static void put_hash(struct tape *t, struct hash *hash)
{
    flag(t, &hash->none);
    raw(t, hash->bytes, sizeof hash->bytes);
}

static void put_time(struct tape *t, struct time_stamp *time)
{
    uint32_t nanos = (uint32_t)time->nanos;
    signed_number(t, &time->seconds);
    small(t, &nanos);
    time->nanos = (int32_t)nanos;
}

static void put_id(struct tape *t, struct block_id *id)
{
    put_hash(t, &id->hash);
    small(t, &id->parts_total);
    put_hash(t, &id->parts_hash);
}

static void put_header(struct tape *t, struct header *h)
{
    number(t, &h->version_block);
    number(t, &h->version_app);
    text(t, h->chain_id, sizeof h->chain_id);
    signed_number(t, &h->height);
    put_time(t, &h->time);
    put_id(t, &h->last_block_id);
    put_hash(t, &h->last_commit_hash);
    put_hash(t, &h->data_hash);
    put_hash(t, &h->validators_hash);
    put_hash(t, &h->next_validators_hash);
    put_hash(t, &h->consensus_hash);
    amount(t, &h->app_hash_size, sizeof h->app_hash);
    raw(t, h->app_hash, h->app_hash_size);
    put_hash(t, &h->last_results_hash);
    put_hash(t, &h->evidence_hash);
    raw(t, h->proposer, sizeof h->proposer);
}

static void put_sig(struct tape *t, struct commit_sig *sig)
{
    uint32_t kind = sig->flag;
    small(t, &kind);
    sig->flag = (enum commit_flag)kind;
    raw(t, sig->address, sizeof sig->address);
    put_time(t, &sig->time);
    amount(t, &sig->signature_size, sizeof sig->signature);
    raw(t, sig->signature, sig->signature_size);
}

static void put_commit(struct tape *t, struct commit *commit)
{
    uint32_t round = (uint32_t)commit->round;
    signed_number(t, &commit->height);
    small(t, &round);
    commit->round = (int32_t)round;
    put_id(t, &commit->block_id);
    for (uint32_t i = 0, n = list(t, &commit->count, &commit->sigs, sizeof *commit->sigs); i < n;
         i++)
        put_sig(t, &commit->sigs[i]);
}

static void put_member(struct tape *t, struct member *member)
{
    raw(t, member->address, sizeof member->address);
    raw(t, member->public_key, sizeof member->public_key);
    signed_number(t, &member->power);
}

static void put_result(struct tape *t, struct app_result *r)
{
    size_t length = r->events ? strlen(r->events) : 0;
    uint8_t *events = (uint8_t *)r->events;
    small(t, &r->code);
    text(t, r->codespace, sizeof r->codespace);
    text(t, r->log, sizeof r->log);
    blob(t, &r->data, &r->data_size);
    signed_number(t, &r->gas_wanted);
    signed_number(t, &r->gas_used);
    blob(t, &events, &length);
    r->events = (char *)events;
}

static void put_tx(struct tape *t, struct tx_bytes *tx)
{
    uint8_t *bytes = (uint8_t *)(uintptr_t)tx->bytes; /* written from, or allocated */
    blob(t, &bytes, &tx->size);
    tx->bytes = bytes;
}

static void put_block(struct tape *t, struct stored_block *b)
{
    put_header(t, &b->header);
    put_id(t, &b->id);
    number(t, &b->size);
    flag(t, &b->applied);
    for (uint32_t i = 0, n = list(t, &b->tx_count, &b->txs, sizeof *b->txs); i < n; i++)
        put_tx(t, &b->txs[i]);
    uint32_t results = b->results ? b->tx_count : 0;
    for (uint32_t i = 0, n = list(t, &results, &b->results, sizeof *b->results); i < n; i++)
        put_result(t, &b->results[i]);
    if (results != 0 && results != b->tx_count)
        t->bad = true;
    put_commit(t, &b->last_commit);
    put_commit(t, &b->seen_commit);
    for (uint32_t i = 0, n = list(t, &b->member_count, &b->members, sizeof *b->members); i < n;
         i++) {
        put_member(t, &b->members[i].member);
        signed_number(t, &b->members[i].priority);
    }
    for (uint32_t i = 0, n = list(t, &b->update_count, &b->updates, sizeof *b->updates); i < n; i++)
        put_member(t, &b->updates[i]);
}

uint8_t *stored_block_encode(const struct stored_block *block, size_t *size)
{
    struct stored_block copy =
        *block; /* a writing pass changes nothing, but the tape has one direction's types */
    struct tape count = {.out = NULL}, tape = {.out = NULL};
    put_block(&count, &copy);
    if (count.at > STORE_RECORD_MAX || !(tape.out = malloc(count.at)))
        return NULL;
    put_block(&tape, &copy);
    assert(tape.at == count.at);
    *size = tape.at;
    return tape.out;
}

bool stored_block_decode(const uint8_t *bytes, size_t size, struct stored_block *block)
{
    struct tape tape = {.in = bytes, .size = size};
    memset(block, 0, sizeof *block);
    put_block(&tape, block);
    if (!tape.bad && tape.at == size)
        return true;
    stored_block_clear(block);
    return false;
}

void stored_block_clear(struct stored_block *block)
{
    for (uint32_t i = 0; i < block->tx_count; i++) {
        free((void *)(uintptr_t)block->txs[i].bytes);
        if (block->results)
            app_result_clear(&block->results[i]);
    }
    free(block->txs);
    free(block->results);
    free(block->last_commit.sigs);
    free(block->seen_commit.sigs);
    free(block->members);
    free(block->updates);
    memset(block, 0, sizeof *block);
}
