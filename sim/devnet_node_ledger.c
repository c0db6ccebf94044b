#include "sim/devnet_node_ledger.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/encoding.h"
#include "sim/devnet_block.h"

#define INDEX_ROOM 1024 /* at first; a power of two */

struct place { /* of a transaction; block 0: nothing */
    uint64_t key;
    uint32_t block; /* 1 is the log's first */
    uint32_t index;
};

struct devnet_ledger {
    char *path;
    struct app *app;
    struct store *store; /* NULL: not there yet */
    devnet_ledger_taken *taken;
    void *context;
    struct devnet_ledger_mark begin, end;
    int64_t first, head;
    bool applied;
    uint8_t app_hash[HASH_SIZE]; /* behind the last block */
    uint8_t (*addresses)[ADDRESS_SIZE];
    uint32_t validators;
    uint32_t *members, member_count; /* whose V(head) is, in its order */
    struct place *places;
    uint32_t place_count, place_room;
    uint64_t *block_keys; /* first bytes of each block's hash */
    size_t block_room;
};

/* --- the index --- */

static uint64_t key_of(const uint8_t hash[HASH_SIZE])
{
    uint64_t key;
    memcpy(&key, hash, sizeof key);
    return key;
}

static void put_place(struct place *places, uint32_t room, struct place place)
{
    uint32_t at = (uint32_t)place.key & (room - 1);
    while (places[at].block)
        at = (at + 1) & (room - 1);
    places[at] = place;
}

static bool grow_index(struct devnet_ledger *ledger)
{
    uint32_t room = ledger->place_room ? ledger->place_room * 2 : INDEX_ROOM;
    struct place *places = calloc(room, sizeof *places);
    if (!places)
        return false;
    for (uint32_t i = 0; i < ledger->place_room; i++)
        if (ledger->places[i].block)
            put_place(places, room, ledger->places[i]);
    free(ledger->places);
    ledger->places = places;
    ledger->place_room = room;
    return true;
}

static bool index_txs(struct devnet_ledger *ledger, const struct stored_block *block)
{
    for (uint32_t i = 0; i < block->tx_count; i++) {
        uint8_t hash[HASH_SIZE];
        if (ledger->place_count * 3 >= ledger->place_room * 2 && !grow_index(ledger))
            return false;
        tx_hash(block->txs[i].bytes, block->txs[i].size, hash);
        put_place(ledger->places, ledger->place_room,
                  (struct place){.key = key_of(hash),
                                 .block = (uint32_t)(block->header.height - ledger->first) + 1,
                                 .index = i});
        ledger->place_count++;
    }
    return true;
}

static bool index_block(struct devnet_ledger *ledger, const struct stored_block *block)
{
    size_t at = (size_t)(block->header.height - ledger->first);
    if (at >= ledger->block_room) {
        size_t room = at + INDEX_ROOM + at / 2;
        uint64_t *keys = realloc(ledger->block_keys, room * sizeof *keys);
        if (!keys)
            return false;
        ledger->block_keys = keys;
        ledger->block_room = room;
    }
    ledger->block_keys[at] = key_of(block->id.hash.bytes);
    return true;
}

static bool is_block(const struct devnet_ledger *ledger, int64_t height, const uint8_t *hash)
{
    struct stored_block block;
    if (!devnet_ledger_read(ledger, height, &block))
        return false;
    bool same = memcmp(block.id.hash.bytes, hash, HASH_SIZE) == 0;
    stored_block_clear(&block);
    return same;
}

int64_t devnet_ledger_find_block(const struct devnet_ledger *ledger, const uint8_t *hash,
                                 size_t size)
{
    if (size != HASH_SIZE || ledger->head == 0)
        return 0;
    for (int64_t height = ledger->head; height >= ledger->first; height--)
        if (ledger->block_keys[height - ledger->first] == key_of(hash) &&
            is_block(ledger, height, hash))
            return height;
    return 0;
}

static bool same_tx(const struct stored_block *block, uint32_t index, const uint8_t *hash)
{
    uint8_t own[HASH_SIZE];
    if (index >= block->tx_count)
        return false;
    tx_hash(block->txs[index].bytes, block->txs[index].size, own);
    return memcmp(own, hash, HASH_SIZE) == 0;
}

bool devnet_ledger_find_tx(const struct devnet_ledger *ledger, const uint8_t hash[HASH_SIZE],
                           struct stored_block *block, uint32_t *index)
{
    uint64_t key = key_of(hash);
    if (ledger->place_room == 0)
        return false;
    for (uint32_t at = (uint32_t)key & (ledger->place_room - 1); ledger->places[at].block;
         at = (at + 1) & (ledger->place_room - 1)) {
        const struct place *place = &ledger->places[at];
        if (place->key != key ||
            !devnet_ledger_read(ledger, ledger->first + place->block - 1, block))
            continue;
        *index = place->index;
        if (same_tx(block, place->index, hash))
            return true;
        stored_block_clear(block);
    }
    return false;
}

/* --- validators --- */

uint32_t devnet_ledger_validator(const struct devnet_ledger *ledger,
                                 const uint8_t address[ADDRESS_SIZE])
{
    for (uint32_t i = 0; i < ledger->validators; i++)
        if (memcmp(ledger->addresses[i], address, ADDRESS_SIZE) == 0)
            return i;
    return VALIDATOR_NONE;
}

static bool note_members(struct devnet_ledger *ledger, const struct stored_block *block)
{
    uint32_t *members = realloc(ledger->members, (block->member_count + 1) * sizeof *members);
    if (!members)
        return false;
    ledger->members = members;
    ledger->member_count = block->member_count;
    for (uint32_t i = 0; i < block->member_count; i++)
        members[i] = devnet_ledger_validator(ledger, block->members[i].member.address);
    return true;
}

static bool members_of_set(const struct devnet_ledger *ledger, const struct model_set *set,
                           struct stored_member **members, uint32_t *count)
{
    const struct app_genesis *genesis = app_genesis(ledger->app);
    *count = set->count;
    *members = calloc(set->count, sizeof **members);
    if (!*members)
        return false;
    for (uint32_t i = 0; i < set->count; i++) {
        const struct model_member *from = &set->members[i];
        struct stored_member *to = &(*members)[i];
        memcpy(to->member.address, ledger->addresses[from->validator], ADDRESS_SIZE);
        memcpy(to->member.public_key, genesis->validators[from->validator].consensus_key,
               ED25519_KEY_SIZE);
        to->member.power = from->power;
        to->priority = from->priority;
    }
    return true;
}

bool devnet_ledger_members(const struct devnet_ledger *ledger, int64_t height,
                           struct stored_member **members, uint32_t *count)
{
    struct stored_block block;
    struct model *model = app_model(ledger->app);
    int64_t applied = (int64_t)model_height(model).n;
    if (height == applied + 1)
        return members_of_set(ledger, model_validators(model), members, count);
    if (height == applied + 2)
        return members_of_set(ledger, model_next_validators(model), members, count);
    if (!devnet_ledger_read(ledger, height, &block))
        return false;
    *members = block.members;
    *count = block.member_count;
    block.members = NULL;
    stored_block_clear(&block);
    return true;
}

/* --- blocks into the replica --- */

/* Who of V(h - 1) is missing in the last commit. `missing` has room for all. */
static uint32_t find_missing(const struct devnet_ledger *ledger, const struct commit *commit,
                             uint32_t *missing)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < commit->count && i < ledger->member_count; i++)
        if (commit->sigs[i].flag == COMMIT_ABSENT && ledger->members[i] != VALIDATOR_NONE)
            missing[count++] = ledger->members[i];
    return count;
}

static void deliver_all(struct app *app, const struct stored_block *block)
{
    for (uint32_t i = 0; i < block->tx_count; i++) {
        struct app_result result;
        app_deliver(app, block->txs[i].bytes, block->txs[i].size, &result);
        app_result_clear(&result);
    }
}

static bool apply(struct devnet_ledger *ledger, const struct stored_block *block)
{
    uint32_t update_count = 0;
    uint32_t *missing = calloc(ledger->member_count + 1, sizeof *missing);
    struct member *updates = calloc(ledger->validators + 1, sizeof *updates);
    if (missing && updates) {
        uint32_t count = find_missing(ledger, &block->last_commit, missing);
        app_begin(ledger->app, height_at((uint64_t)block->header.height),
                  devnet_time_ms(&block->header.time), missing, count);
        deliver_all(ledger->app, block);
        ledger->applied = app_end(ledger->app, updates, &update_count);
        app_hash(ledger->app, ledger->app_hash);
    }
    bool done = missing && updates;
    free(missing);
    free(updates);
    return done;
}

/* The header says what the blocks before it came to, so a replica that went another way is found out. */
static bool agrees(const struct devnet_ledger *ledger, const struct stored_block *block,
                   struct fault *fault)
{
    const struct app_genesis *genesis = app_genesis(ledger->app);
    if (strcmp(block->header.chain_id, genesis->chain_id) != 0)
        return fault_set(fault, "%s: block %lld is of chain \"%s\", the genesis of \"%s\"",
                         ledger->path, (long long)block->header.height, block->header.chain_id,
                         genesis->chain_id);
    if (ledger->head == 0 || (block->header.app_hash_size == HASH_SIZE &&
                              memcmp(block->header.app_hash, ledger->app_hash, HASH_SIZE) == 0))
        return true;
    char own[HEX_TEXT(HASH_SIZE)];
    hex_encode_upper(ledger->app_hash, HASH_SIZE, own);
    return fault_set(fault,
                     "%s: block %lld names another application hash than this node's, %s; the log "
                     "is of another version or damaged",
                     ledger->path, (long long)block->header.height, own);
}

static bool take(struct devnet_ledger *ledger, const struct stored_block *block,
                 struct fault *fault)
{
    if (!ledger->applied)
        return fault_set(fault, "%s: block %lld follows one that could not be applied",
                         ledger->path, (long long)block->header.height);
    if (!agrees(ledger, block, fault))
        return false;
    if (ledger->head == 0) {
        ledger->first = block->header.height;
        ledger->begin = (struct devnet_ledger_mark){block->header, block->id};
    }
    if (!apply(ledger, block) || !index_txs(ledger, block) || !index_block(ledger, block) ||
        !note_members(ledger, block))
        return fault_set(fault, "%s: no memory for block %lld", ledger->path,
                         (long long)block->header.height);
    ledger->head = block->header.height;
    ledger->end = (struct devnet_ledger_mark){block->header, block->id};
    if (ledger->taken)
        ledger->taken(ledger->context, block);
    return true;
}

bool devnet_ledger_behind(const struct devnet_ledger *ledger)
{
    return ledger->store && store_head(ledger->store) > ledger->head;
}

bool devnet_ledger_follow(struct devnet_ledger *ledger, uint32_t limit, struct fault *fault)
{
    if (!ledger->store) {
        struct fault missing;
        if (access(ledger->path, F_OK) != 0)
            return true;
        ledger->store = store_open(ledger->path, false, &missing);
        if (!ledger->store) /* its writer may be about to begin it */
            return true;
    }
    if (!devnet_ledger_behind(ledger))
        (void)store_refresh(ledger->store);
    for (uint32_t i = 0; i < limit && devnet_ledger_behind(ledger); i++) {
        struct stored_block block;
        int64_t next = ledger->head ? ledger->head + 1 : store_first(ledger->store);
        if (!store_read(ledger->store, next, &block, fault))
            return false;
        bool taken = take(ledger, &block, fault);
        stored_block_clear(&block);
        if (!taken)
            return false;
    }
    return true;
}

/* --- reading --- */

int64_t devnet_ledger_first(const struct devnet_ledger *ledger)
{
    return ledger->first;
}

int64_t devnet_ledger_head(const struct devnet_ledger *ledger)
{
    return ledger->head;
}

const struct devnet_ledger_mark *devnet_ledger_begin(const struct devnet_ledger *ledger)
{
    return ledger->head ? &ledger->begin : NULL;
}

const struct devnet_ledger_mark *devnet_ledger_end(const struct devnet_ledger *ledger)
{
    return ledger->head ? &ledger->end : NULL;
}

bool devnet_ledger_applied(const struct devnet_ledger *ledger)
{
    return ledger->applied;
}

struct app *devnet_ledger_app(const struct devnet_ledger *ledger)
{
    return ledger->app;
}

bool devnet_ledger_read(const struct devnet_ledger *ledger, int64_t height,
                        struct stored_block *block)
{
    struct fault fault;
    return ledger->store && height <= ledger->head &&
           store_read(ledger->store, height, block, &fault);
}

/* --- its life --- */

static bool note_addresses(struct devnet_ledger *ledger)
{
    const struct app_genesis *genesis = app_genesis(ledger->app);
    ledger->validators = genesis->count;
    ledger->addresses = calloc(genesis->count + 1, ADDRESS_SIZE);
    if (!ledger->addresses)
        return false;
    for (uint32_t i = 0; i < genesis->count; i++)
        member_address(genesis->validators[i].consensus_key, ledger->addresses[i]);
    return true;
}

struct devnet_ledger *devnet_ledger_create(const char *path, struct app *app,
                                           devnet_ledger_taken *taken, void *context)
{
    struct devnet_ledger *ledger = calloc(1, sizeof *ledger);
    if (!ledger) {
        app_destroy(&app);
        return NULL;
    }
    ledger->app = app;
    ledger->taken = taken;
    ledger->context = context;
    ledger->applied = true;
    ledger->path = strdup(path);
    if (!ledger->path || !note_addresses(ledger))
        devnet_ledger_destroy(&ledger);
    return ledger;
}

void devnet_ledger_destroy(struct devnet_ledger **slot)
{
    struct devnet_ledger *ledger = *slot;
    if (!ledger)
        return;
    app_destroy(&ledger->app);
    store_close(&ledger->store);
    free(ledger->path);
    free(ledger->addresses);
    free(ledger->members);
    free(ledger->places);
    free(ledger->block_keys);
    free(ledger);
    *slot = NULL;
}
