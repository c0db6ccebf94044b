#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/gossip_internal.h"

#define ROOM_FIRST 64

struct gossip_pool *gossip_pool_create(const struct record_network *network)
{
    struct gossip_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->network = *network;
    pool->room = ROOM_FIRST;
    pool->sha256 = digest_create();
    pool->table = calloc(pool->room, sizeof *pool->table);
    if (!pool->sha256 || !pool->table)
        gossip_pool_destroy(&pool);
    return pool;
}

void gossip_pool_destroy(struct gossip_pool **pool)
{
    if (!*pool)
        return;
    assert((*pool)->instances == 0 && (*pool)->used == 0);
    digest_destroy(&(*pool)->sha256);
    free((*pool)->table);
    free(*pool);
    *pool = NULL;
}

uint32_t gossip_pool_records(const struct gossip_pool *pool)
{
    return pool->used;
}

void pool_hash(struct gossip_pool *pool, const void *bytes, size_t size, uint8_t hash[HASH_SIZE])
{
    const struct digest_piece piece = {bytes, size};
    digest_sha256(pool->sha256, &piece, 1, hash);
}

/* --- the table --- */

static uint32_t home_of(const struct gossip_pool *pool, const uint8_t digest[HASH_SIZE])
{
    return (uint32_t)load_number(digest, 4) & (pool->room - 1);
}

/* Where the record stands, or the free place for it. */
static uint32_t place_of(const struct gossip_pool *pool, const uint8_t digest[HASH_SIZE])
{
    uint32_t at = home_of(pool, digest);
    while (pool->table[at] && memcmp(pool->table[at]->digest, digest, HASH_SIZE) != 0)
        at = (at + 1) & (pool->room - 1);
    return at;
}

static bool grow(struct gossip_pool *pool)
{
    if (pool->used < pool->room / 2)
        return true;
    struct kept **old = pool->table;
    uint32_t old_room = pool->room;
    struct kept **table = calloc((size_t)old_room * 2, sizeof(struct kept *));
    if (!table)
        return false;
    pool->table = table;
    pool->room = old_room * 2;
    for (uint32_t i = 0; i < old_room; i++)
        if (old[i])
            table[place_of(pool, old[i]->digest)] = old[i];
    free(old);
    return true;
}

/* Closes the gap, so that whatever was pushed on past it is still found. */
static void take_out(struct gossip_pool *pool, uint32_t gap)
{
    uint32_t mask = pool->room - 1;
    pool->table[gap] = NULL;
    pool->used--;
    for (uint32_t at = (gap + 1) & mask; pool->table[at]; at = (at + 1) & mask) {
        uint32_t home = home_of(pool, pool->table[at]->digest);
        if (((at - home) & mask) < ((at - gap) & mask))
            continue;
        pool->table[gap] = pool->table[at];
        pool->table[at] = NULL;
        gap = at;
    }
}

void pool_drop(struct gossip_pool *pool, struct kept **kept)
{
    struct kept *k = *kept;
    *kept = NULL;
    if (!k || --k->users > 0)
        return;
    uint32_t at = place_of(pool, k->digest);
    assert(pool->table[at] == k);
    take_out(pool, at);
    free(k);
}

/* --- verifying --- */

static uint64_t name_hash(struct gossip_pool *pool, const char *name)
{
    uint8_t hash[HASH_SIZE];
    if (name[0] == '\0')
        return 0;
    pool_hash(pool, name, strlen(name), hash);
    return load_number(hash, 8);
}

static struct gist gist_of(struct gossip_pool *pool, const struct record *r)
{
    struct gist gist = {
        .serial = r->binding.serial,
        .sequence = r->sequence,
        .head = r->head,
        .phase = r->phase,
        .domain = name_hash(pool, r->domain),
        .failed = r->failure != RECORD_FAILURE_NONE,
        .quiet = r->quiet,
        .reachable = r->endpoint_count > 0,
    };
    memcpy(gist.head_hash, r->head_hash, HASH_SIZE);
    return gist;
}

static struct kept *keep(struct gossip_pool *pool, const uint8_t *bytes, size_t size,
                         const struct record *r, const uint8_t digest[HASH_SIZE])
{
    struct kept *kept = grow(pool) ? calloc(1, sizeof *kept + size) : NULL;
    if (!kept)
        return NULL;
    kept->users = 1;
    kept->size = (uint16_t)size;
    kept->signed_size = (uint16_t)(size - RECORD_SIGNATURE_SIZE);
    kept->gist = gist_of(pool, r);
    account_address(r->binding.account, kept->account);
    memcpy(kept->digest, digest, HASH_SIZE);
    memcpy(kept->bytes, bytes, size);
    pool->table[place_of(pool, digest)] = kept;
    pool->used++;
    return kept;
}

static bool binding_known(const struct kept *bound, const uint8_t binding[RECORD_BINDING_SIZE])
{
    struct record_peek peek;
    struct fault fault;
    return bound && record_peek(bound->bytes, bound->size, &peek, &fault) &&
           memcmp(peek.binding, binding, RECORD_BINDING_SIZE) == 0;
}

static enum verdict verify(struct gossip_pool *pool, const struct claim *claim, uint64_t *verified)
{
    uint8_t address[ACCOUNT_ADDRESS_SIZE];
    struct record_peek peek;
    struct record_binding binding;
    struct fault fault;
    if (!record_peek(claim->bytes, claim->size, &peek, &fault) ||
        !record_binding_decode(peek.binding, &binding, &fault))
        return VERDICT_FORGED;
    account_address(binding.account, address);
    if (memcmp(address, claim->account, sizeof address) != 0)
        return VERDICT_ALIEN;
    if (claim->own)
        return VERDICT_GOOD;
    if (!binding_known(claim->bound, peek.binding)) {
        ++*verified;
        if (!record_binding_verify(&pool->network, &binding))
            return VERDICT_FORGED;
    }
    ++*verified;
    return record_verify(&pool->network, claim->bytes, claim->size) ? VERDICT_GOOD : VERDICT_FORGED;
}

enum verdict pool_take(struct gossip_pool *pool, const struct claim *claim, struct kept **kept,
                       uint64_t *verified)
{
    uint8_t digest[HASH_SIZE];
    struct record r;
    struct fault fault;
    assert(claim->size > RECORD_SIGNATURE_SIZE && claim->size <= RECORD_MAX);
    pool_hash(pool, claim->bytes, claim->size - RECORD_SIGNATURE_SIZE, digest);
    struct kept *found = pool->table[place_of(pool, digest)];
    if (found && memcmp(found->account, claim->account, ACCOUNT_ADDRESS_SIZE) != 0)
        return VERDICT_ALIEN;
    if (found) {
        found->users++;
        *kept = found;
        return VERDICT_GOOD;
    }
    enum verdict verdict = verify(pool, claim, verified);
    if (verdict != VERDICT_GOOD)
        return verdict;
    if (!record_decode(claim->bytes, claim->size, &r, &fault))
        return VERDICT_UNREAD;
    *kept = keep(pool, claim->bytes, claim->size, &r, digest);
    return *kept ? VERDICT_GOOD : VERDICT_SHORT;
}
