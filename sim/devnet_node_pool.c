#include "sim/devnet_node_pool.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODE_SEQUENCE                                                                              \
    32 /* sdk: the account's other transactions may be in another node's mempool */
#define FULL_WORDS_MAX 160
#define ASK_AGAIN_MS 1000  /* without a verdict */
#define SEND_AGAIN_MS 3000 /* with one: the chain process may have been started anew since */

struct entry {
    uint8_t hash[HASH_SIZE];
    uint8_t *bytes;
    size_t size;
    uint64_t serial;
    bool sent, judged; /* to and by the chain process */
    bool again;        /* sent a second time: it may be known there */
    bool out;          /* to be removed */
    enum devnet_wait wait;
    void *ticket;
    int64_t sent_ms, check_due_ms, block_due_ms;
    struct app_result check; /* the own one */
};

struct devnet_pool {
    struct devnet_pool_config config;
    bool up, fresh;
    uint64_t serial;
    struct entry **entries; /* in order of arrival */
    uint32_t count, room;
    size_t bytes;
    uint8_t (*cache)[HASH_SIZE]; /* a ring; all zero: free */
    uint32_t cache_count, cache_next, cache_room;
};

/* --- what was seen --- */

static uint8_t *cache_find(const struct devnet_pool *pool, const uint8_t hash[HASH_SIZE])
{
    for (uint32_t i = 0; i < pool->cache_count; i++)
        if (memcmp(pool->cache[i], hash, HASH_SIZE) == 0)
            return pool->cache[i];
    return NULL;
}

static void cache_remove(struct devnet_pool *pool, const uint8_t hash[HASH_SIZE])
{
    uint8_t *found = cache_find(pool, hash);
    if (found)
        memset(found, 0, HASH_SIZE);
}

/* Forgetting one for want of memory costs a second check of it. */
static void cache_add(struct devnet_pool *pool, const uint8_t hash[HASH_SIZE])
{
    if (cache_find(pool, hash))
        return;
    if (pool->cache_count == pool->cache_room && pool->cache_room < DEVNET_CACHE_MAX) {
        uint32_t room = pool->cache_room ? pool->cache_room * 2 : 64;
        room = room < DEVNET_CACHE_MAX ? room : DEVNET_CACHE_MAX;
        uint8_t(*cache)[HASH_SIZE] = realloc(pool->cache, (size_t)room * HASH_SIZE);
        if (!cache)
            return;
        pool->cache = cache;
        pool->cache_room = room;
    }
    uint32_t at = pool->cache_next;
    if (pool->cache_count < pool->cache_room)
        at = pool->cache_count++;
    memcpy(pool->cache[at], hash, HASH_SIZE);
    pool->cache_next = (at + 1) % DEVNET_CACHE_MAX;
}

/* --- entries --- */

static void entry_free(struct entry *entry)
{
    if (!entry)
        return;
    free(entry->bytes);
    app_result_clear(&entry->check);
    free(entry);
}

static void finish(struct devnet_pool *pool, struct entry *entry, struct devnet_outcome *outcome)
{
    if (entry->wait == WAIT_NOTHING)
        return;
    enum devnet_wait wait = entry->wait;
    entry->wait = WAIT_NOTHING;
    memcpy(outcome->hash, entry->hash, HASH_SIZE);
    pool->config.done(entry->ticket, wait, outcome);
}

static void finish_checked(struct devnet_pool *pool, struct entry *entry)
{
    finish(pool, entry, &(struct devnet_outcome){.fate = FATE_CHECKED, .check = &entry->check});
}

static void finish_refused(struct devnet_pool *pool, struct entry *entry, const char *words)
{
    finish(pool, entry, &(struct devnet_outcome){.fate = FATE_REFUSED, .words = words});
}

static bool keep(struct devnet_pool *pool, struct entry *entry)
{
    if (pool->count == pool->room) {
        uint32_t room = pool->room ? pool->room * 2 : 16;
        struct entry **entries = realloc(pool->entries, room * sizeof *entries);
        if (!entries)
            return false;
        pool->entries = entries;
        pool->room = room;
    }
    pool->entries[pool->count++] = entry;
    pool->bytes += entry->size;
    return true;
}

static void sweep(struct devnet_pool *pool)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < pool->count; i++) {
        struct entry *entry = pool->entries[i];
        if (!entry->out) {
            pool->entries[kept++] = entry;
            continue;
        }
        pool->bytes -= entry->size;
        entry_free(entry);
    }
    pool->count = kept;
}

static void send_entry(struct devnet_pool *pool, struct entry *entry, int64_t now_ms)
{
    struct devnet_frame frame = {.kind = FRAME_TX};
    entry->sent_ms = now_ms;
    frame.tx = (struct devnet_tx){entry->serial, entry->bytes, entry->size};
    entry->sent = pool->up && pool->config.send(pool->config.context, &frame);
}

/* --- submissions --- */

static struct entry *entry_new(struct devnet_pool *pool, const uint8_t *bytes, size_t size,
                               enum devnet_wait wait, void *ticket)
{
    struct entry *entry = calloc(1, sizeof *entry);
    if (!entry || !(entry->bytes = malloc(size + 1))) {
        free(entry);
        return NULL;
    }
    if (size > 0)
        memcpy(entry->bytes, bytes, size);
    entry->size = size;
    entry->serial = ++pool->serial;
    entry->wait = wait;
    entry->ticket = ticket;
    tx_hash(bytes, size, entry->hash);
    return entry;
}

/* Why it cannot even be checked; NULL when it can. The words are CometBFT's. */
static const char *unwelcome(const struct devnet_pool *pool, const struct entry *entry,
                             char words[FULL_WORDS_MAX])
{
    if (pool->count >= DEVNET_POOL_MAX || pool->bytes + entry->size > DEVNET_POOL_BYTES_MAX)
        snprintf(words, FULL_WORDS_MAX,
                 "mempool is full: number of txs %" PRIu32 " (max: %d), total txs bytes %zu "
                 "(max: %zu)",
                 pool->count, DEVNET_POOL_MAX, pool->bytes, DEVNET_POOL_BYTES_MAX);
    else if (entry->size > DEVNET_TX_MAX)
        snprintf(words, FULL_WORDS_MAX, "Tx too large. Max size is %zu, but got %zu", DEVNET_TX_MAX,
                 entry->size);
    else if (cache_find(pool, entry->hash))
        return "tx already exists in cache";
    else
        return NULL;
    return words;
}

static void refuse(struct devnet_pool *pool, struct entry *entry, const char *words)
{
    finish_refused(pool, entry, words);
    entry_free(entry);
}

/* Passed the own check, or failed it for what others may know better. */
static void enqueue(struct devnet_pool *pool, struct entry *entry, int64_t now_ms)
{
    entry->check_due_ms = now_ms + DEVNET_CHECK_MS;
    entry->block_due_ms = now_ms + DEVNET_COMMIT_MS;
    if (!keep(pool, entry)) {
        refuse(pool, entry, "the node is out of memory");
        return;
    }
    cache_add(pool, entry->hash);
    send_entry(pool, entry, now_ms);
    if (!entry->sent && entry->check.code == 0 && entry->wait == WAIT_CHECK)
        finish_checked(pool, entry);
}

void devnet_pool_submit(struct devnet_pool *pool, const uint8_t *bytes, size_t size,
                        enum devnet_wait wait, void *ticket, int64_t now_ms)
{
    char words[FULL_WORDS_MAX];
    struct entry *entry = entry_new(pool, bytes, size, wait, ticket);
    if (!entry) {
        struct devnet_outcome outcome = {.fate = FATE_REFUSED, .words = "out of memory"};
        pool->config.done(ticket, wait, &outcome);
        return;
    }
    const char *why = unwelcome(pool, entry, words);
    if (wait == WAIT_NOTHING) { /* broadcast_tx_async hears no more than this */
        struct devnet_outcome outcome = {
            .fate = why ? FATE_REFUSED : FATE_CHECKED, .words = why, .check = &entry->check};
        memcpy(outcome.hash, entry->hash, HASH_SIZE);
        pool->config.done(ticket, wait, &outcome);
    }
    if (why) {
        refuse(pool, entry, why);
        return;
    }
    app_check(pool->config.app, entry->bytes, size, pool->fresh, &entry->check);
    if (entry->check.code == 0 || (entry->check.code == CODE_SEQUENCE && pool->up)) {
        enqueue(pool, entry, now_ms);
        return;
    }
    finish_checked(pool, entry);
    entry_free(entry);
}

/* --- verdicts --- */

static void drop(struct devnet_pool *pool, struct entry *entry, bool forget)
{
    entry->out = true;
    if (forget)
        cache_remove(pool, entry->hash);
}

static void take_refusal(struct entry *entry, const struct devnet_tx_answer *answer)
{
    app_result_clear(&entry->check);
    entry->check.code = answer->code;
    snprintf(entry->check.codespace, sizeof entry->check.codespace, "%s", answer->codespace);
    snprintf(entry->check.log, sizeof entry->check.log, "%s", answer->words);
}

/* What the own replica refused for its sequence, and others took after all. */
static void take_over(struct entry *entry)
{
    if (entry->check.code == 0)
        return;
    app_result_clear(&entry->check);
    strcpy(entry->check.log, "[]");
}

static void judge(struct devnet_pool *pool, struct entry *entry,
                  const struct devnet_tx_answer *answer)
{
    entry->judged = true;
    switch (answer->verdict) {
    case TX_TAKEN:
        take_over(entry);
        if (entry->wait == WAIT_CHECK)
            finish_checked(pool, entry);
        break;
    case TX_KNOWN: /* through another node; it will be in a block all the same */
        if (entry->again)
            break;
        if (entry->wait == WAIT_CHECK || entry->wait == WAIT_BLOCK)
            finish_refused(pool, entry, "tx already exists in cache");
        drop(pool, entry, false);
        break;
    case TX_FULL:
        finish_refused(pool, entry, answer->words);
        drop(pool, entry, true);
        break;
    case TX_REFUSED:
        take_refusal(entry, answer);
        finish_checked(pool, entry);
        drop(pool, entry, true);
        break;
    }
}

void devnet_pool_answer(struct devnet_pool *pool, const struct devnet_tx_answer *answer)
{
    for (uint32_t i = 0; i < pool->count; i++)
        if (pool->entries[i]->serial == answer->serial && !pool->entries[i]->judged)
            judge(pool, pool->entries[i], answer);
    sweep(pool);
}

void devnet_pool_link(struct devnet_pool *pool, bool up)
{
    pool->up = up;
    for (uint32_t i = 0; i < pool->count && !up; i++) {
        struct entry *entry = pool->entries[i];
        if (entry->wait == WAIT_CHECK)
            finish_checked(pool, entry);
        if (entry->check.code != 0)
            drop(pool, entry, true);
    }
    sweep(pool);
}

static void overdue(struct devnet_pool *pool, struct entry *entry, int64_t now_ms)
{
    if (!entry->judged && now_ms >= entry->check_due_ms) {
        if (entry->wait == WAIT_CHECK || entry->check.code != 0)
            finish_checked(pool, entry);
        if (entry->check.code != 0)
            drop(pool, entry, true);
    }
    if (entry->wait == WAIT_BLOCK && now_ms >= entry->block_due_ms)
        finish_refused(pool, entry, "timed out waiting for tx to be included in a block");
}

/* What a chain process has taken is gone when it is; the one that comes next gets it again. */
static void send_again(struct devnet_pool *pool, struct entry *entry, int64_t now_ms)
{
    if (entry->out || !pool->up ||
        now_ms - entry->sent_ms < (entry->judged ? SEND_AGAIN_MS : ASK_AGAIN_MS))
        return;
    entry->again = true;
    entry->judged = false;
    send_entry(pool, entry, now_ms);
}

void devnet_pool_tick(struct devnet_pool *pool, int64_t now_ms)
{
    for (uint32_t i = 0; i < pool->count; i++) {
        overdue(pool, pool->entries[i], now_ms);
        send_again(pool, pool->entries[i], now_ms);
    }
    sweep(pool);
}

/* --- blocks --- */

static void include(struct devnet_pool *pool, const struct stored_block *block, uint32_t index,
                    const uint8_t hash[HASH_SIZE])
{
    for (uint32_t i = 0; i < pool->count; i++) {
        struct entry *entry = pool->entries[i];
        if (entry->out || memcmp(entry->hash, hash, HASH_SIZE) != 0)
            continue;
        take_over(entry);
        if (entry->wait == WAIT_CHECK)
            finish_checked(pool, entry);
        finish(pool, entry,
               &(struct devnet_outcome){
                   .fate = FATE_INCLUDED, .check = &entry->check, .block = block, .index = index});
        drop(pool, entry, false);
    }
}

static void recheck(struct devnet_pool *pool)
{
    for (uint32_t i = 0; i < pool->count; i++) {
        struct entry *entry = pool->entries[i];
        struct app_result result;
        app_check(pool->config.app, entry->bytes, entry->size, false, &result);
        uint32_t code = result.code;
        app_result_clear(&result);
        if (code == 0 || (code == CODE_SEQUENCE && entry->sent && !entry->judged))
            continue;
        if (entry->wait == WAIT_CHECK)
            finish_checked(pool, entry);
        if (entry->wait == WAIT_NOTHING)
            drop(pool, entry, true);
    }
    sweep(pool);
}

void devnet_pool_block(struct devnet_pool *pool, const struct stored_block *block)
{
    for (uint32_t i = 0; i < block->tx_count; i++) {
        uint8_t hash[HASH_SIZE];
        tx_hash(block->txs[i].bytes, block->txs[i].size, hash);
        include(pool, block, i, hash);
        if (block->results && block->results[i].code == 0)
            cache_add(pool, hash);
        else
            cache_remove(pool, hash);
    }
    pool->fresh = false;
    sweep(pool);
    recheck(pool);
}

/* --- the rest --- */

uint32_t devnet_pool_count(const struct devnet_pool *pool)
{
    return pool->count;
}

size_t devnet_pool_bytes(const struct devnet_pool *pool)
{
    return pool->bytes;
}

struct tx_bytes devnet_pool_tx(const struct devnet_pool *pool, uint32_t index)
{
    assert(index < pool->count);
    return (struct tx_bytes){pool->entries[index]->bytes, pool->entries[index]->size};
}

struct devnet_pool *devnet_pool_create(const struct devnet_pool_config *config)
{
    struct devnet_pool *pool = calloc(1, sizeof *pool);
    if (pool) {
        pool->config = *config;
        pool->fresh = true;
    }
    return pool;
}

void devnet_pool_unfresh(struct devnet_pool *pool)
{
    pool->fresh = false;
}

void devnet_pool_destroy(struct devnet_pool **slot)
{
    struct devnet_pool *pool = *slot;
    if (!pool)
        return;
    for (uint32_t i = 0; i < pool->count; i++) {
        finish_refused(pool, pool->entries[i], "the node is being stopped");
        entry_free(pool->entries[i]);
    }
    free(pool->entries);
    free(pool->cache);
    free(pool);
    *slot = NULL;
}
