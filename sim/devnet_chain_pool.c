#include "sim/devnet_chain_pool.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coord/digest.h"

struct seen {
    bool there;
    uint8_t hash[HASH_SIZE];
};

struct chain_pool {
    struct digest *digest;
    struct tx_bytes txs[POOL_TXS_MAX];
    uint8_t hashes[POOL_TXS_MAX][HASH_SIZE];
    uint32_t count;
    uint64_t bytes;
    struct seen cache[POOL_CACHE_MAX]; /* a ring */
    uint32_t next;
};

struct chain_pool *chain_pool_create(void)
{
    struct chain_pool *pool = calloc(1, sizeof *pool);
    assert(pool);
    pool->digest = digest_create();
    assert(pool->digest);
    return pool;
}

static void drop(struct chain_pool *pool, uint32_t index)
{
    pool->bytes -= pool->txs[index].size;
    free((void *)(uintptr_t)pool->txs[index].bytes);
}

void chain_pool_destroy(struct chain_pool **pool)
{
    if (!*pool)
        return;
    for (uint32_t i = 0; i < (*pool)->count; i++)
        drop(*pool, i);
    digest_destroy(&(*pool)->digest);
    free(*pool);
    *pool = NULL;
}

/* --- the cache --- */

static struct seen *cache_find(struct chain_pool *pool, const uint8_t hash[HASH_SIZE])
{
    for (uint32_t i = 0; i < POOL_CACHE_MAX; i++)
        if (pool->cache[i].there && memcmp(pool->cache[i].hash, hash, HASH_SIZE) == 0)
            return &pool->cache[i];
    return NULL;
}

static void cache_put(struct chain_pool *pool, const uint8_t hash[HASH_SIZE])
{
    struct seen *seen = &pool->cache[pool->next];
    pool->next = (pool->next + 1) % POOL_CACHE_MAX;
    seen->there = true;
    memcpy(seen->hash, hash, HASH_SIZE);
}

static void cache_forget(struct chain_pool *pool, const uint8_t hash[HASH_SIZE])
{
    struct seen *seen = cache_find(pool, hash);
    if (seen)
        seen->there = false;
}

/* --- coming --- */

static bool is_full(const struct chain_pool *pool, size_t size)
{
    return pool->count == POOL_TXS_MAX || pool->bytes + size > POOL_BYTES_MAX;
}

static void append(struct chain_pool *pool, const uint8_t *bytes, size_t size,
                   const uint8_t hash[HASH_SIZE])
{
    uint8_t *copy = malloc(size);
    assert(copy);
    memcpy(copy, bytes, size);
    memcpy(pool->hashes[pool->count], hash, HASH_SIZE);
    pool->txs[pool->count++] = (struct tx_bytes){copy, size};
    pool->bytes += size;
    cache_put(pool, hash);
}

static void check(struct chain_pool *pool, struct app *app, const uint8_t *bytes, size_t size,
                  const uint8_t hash[HASH_SIZE], struct devnet_tx_answer *answer)
{
    struct app_result result = {0};
    app_check(app, bytes, size, false, &result);
    answer->verdict = result.code == 0 ? TX_TAKEN : TX_REFUSED;
    answer->code = result.code;
    (void)snprintf(answer->codespace, sizeof answer->codespace, "%s", result.codespace);
    (void)snprintf(answer->words, sizeof answer->words, "%s", result.log);
    app_result_clear(&result);
    if (answer->verdict == TX_TAKEN)
        append(pool, bytes, size, hash);
}

void chain_pool_add(struct chain_pool *pool, struct app *app, const uint8_t *bytes, size_t size,
                    struct devnet_tx_answer *answer)
{
    uint8_t hash[HASH_SIZE];
    digest_sha256(pool->digest, &(struct digest_piece){bytes, size}, 1, hash);
    if (is_full(pool, size)) {
        answer->verdict = TX_FULL;
        (void)snprintf(answer->words, sizeof answer->words,
                       "mempool is full: number of txs %" PRIu32 " (max: %d), total txs bytes "
                       "%" PRIu64 " (max: %" PRIu64 ")",
                       pool->count, POOL_TXS_MAX, pool->bytes, POOL_BYTES_MAX);
    } else if (cache_find(pool, hash)) {
        answer->verdict = TX_KNOWN;
        (void)snprintf(answer->words, sizeof answer->words, "tx already exists in cache");
    } else {
        check(pool, app, bytes, size, hash, answer);
    }
}

/* --- waiting and leaving --- */

uint32_t chain_pool_count(const struct chain_pool *pool)
{
    return pool->count;
}

const struct tx_bytes *chain_pool_txs(const struct chain_pool *pool)
{
    return pool->txs;
}

static bool passes(struct app *app, const struct tx_bytes *tx)
{
    struct app_result result = {0};
    app_check(app, tx->bytes, tx->size, false, &result);
    bool good = result.code == 0;
    app_result_clear(&result);
    return good;
}

void chain_pool_commit(struct chain_pool *pool, struct app *app, const struct app_result *results,
                       uint32_t count)
{
    uint32_t kept = 0;
    assert(count <= pool->count);
    for (uint32_t i = 0; i < pool->count; i++) {
        bool in_block = i < count;
        if (!in_block && passes(app, &pool->txs[i])) {
            pool->txs[kept] = pool->txs[i];
            memmove(pool->hashes[kept++], pool->hashes[i], HASH_SIZE);
            continue;
        }
        if (!in_block || results[i].code != 0)
            cache_forget(pool, pool->hashes[i]);
        drop(pool, i);
    }
    pool->count = kept;
}
