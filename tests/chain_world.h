/* A small modelled chain for tests: records 0, 1, 2 ... of one power, transactions that are right
 * unless a test spoils them, and every V(h) as a string of digits.
 *
 *     world_start(&w, CHAIN_KIRA, 4, 1);
 *     pause = world_tx(&w, 2, MSG_PAUSE);
 *     world_block(&w, &pause, 1);                 block 1; w.results[0] is its result
 *     world_run(&w, 2);                           two empty blocks
 *     assert_string_equal(w.sets[3], "013");
 */
#ifndef STAGGER_TESTS_CHAIN_WORLD_H
#define STAGGER_TESTS_CHAIN_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/model.h"

#define WORLD_RECORDS 8
#define WORLD_BLOCKS 400
#define WORLD_TXS 8
#define WORLD_BALANCE 10000000
#define BLOCK_MS 6000

struct world {
    struct model *chain;
    uint64_t height; /* of the last block */
    int64_t time_ms;
    uint32_t missing[WORLD_RECORDS],
        missing_count;                      /* who does not sign from now on, members or not */
    struct model_result results[WORLD_TXS]; /* of the last block */
    uint32_t change_count;                  /* of the last block's beginning */
    char sets[WORLD_BLOCKS + 2][WORLD_RECORDS + 1]; /* V(h) */
};

static inline void world_note_set(struct world *w, uint64_t height)
{
    const struct model_set *set = model_validators(w->chain);

    assert_true(height < WORLD_BLOCKS + 2);
    for (uint32_t i = 0; i < set->count; i++)
        w->sets[height][i] = (char)('0' + set->members[i].validator);
    w->sets[height][set->count] = '\0';
}

/* Starts with `count` records as given. */
static inline void world_create(struct world *w, enum chain_kind kind, struct model_record *records,
                                uint32_t count, uint64_t min_validators)
{
    struct model_config config = {.kind = kind,
                                  .properties = model_properties_default(min_validators),
                                  .initial_height = {1},
                                  .records = records,
                                  .record_count = count};

    memset(w, 0, sizeof(*w));
    w->chain = model_create(&config);
    assert_non_null(w->chain);
    world_note_set(w, 1);
}

static inline void world_record(struct model_record *record, uint32_t number, enum chain_kind kind)
{
    *record = (struct model_record){.address = {(uint8_t)(number + 1)},
                                    .status = STATUS_ACTIVE,
                                    .power = kind == CHAIN_KIRA ? 1 : 10,
                                    .sequence = kind == CHAIN_KIRA ? 0 : 1,
                                    .balance = WORLD_BALANCE,
                                    .can_vote = true};
}

/* Starts with `count` ACTIVE records. */
static inline void world_start(struct world *w, enum chain_kind kind, uint32_t count,
                               uint64_t min_validators)
{
    struct model_record records[WORLD_RECORDS];

    for (uint32_t v = 0; v < count; v++)
        world_record(&records[v], v, kind);
    world_create(w, kind, records, count, min_validators);
}

static inline void world_end(struct world *w)
{
    model_destroy(&w->chain);
    assert_null(w->chain);
}

/* A transaction that passes every ante rule, if its message may. */
static inline struct model_tx world_tx(struct world *w, uint32_t signer, enum msg_kind kind)
{
    struct model_tx tx = {.signer = signer,
                          .msg_count = 1,
                          .msgs = {{kind, signer, 1}},
                          .fee = model_fee(w->chain, kind),
                          .gas = 200000};

    if (signer != VALIDATOR_NONE)
        tx.sequence = model_record(w->chain, signer)->sequence;
    return tx;
}

static inline void world_begin(struct world *w)
{
    uint32_t missing[WORLD_RECORDS], count = 0;

    for (uint32_t i = 0; i < w->missing_count; i++) {
        if (w->height > 0 && strchr(w->sets[w->height], '0' + (char)w->missing[i]))
            missing[count++] = w->missing[i];
    }
    w->time_ms += BLOCK_MS;
    w->change_count = model_begin(w->chain, height_at(w->height + 1), w->time_ms, missing, count);
}

static inline bool world_close(struct world *w)
{
    bool applied = model_end(w->chain);

    w->height++;
    if (applied)
        world_note_set(w, w->height + 1);
    return applied;
}

/* One block with these transactions. Returns whether it could be applied. */
static inline bool world_block(struct world *w, const struct model_tx *txs, uint32_t count)
{
    world_begin(w);
    assert_true(count <= WORLD_TXS);
    for (uint32_t i = 0; i < count; i++)
        w->results[i] = model_deliver(w->chain, &txs[i]);
    return world_close(w);
}

static inline void world_run(struct world *w, uint32_t blocks)
{
    for (uint32_t i = 0; i < blocks; i++)
        assert_true(world_block(w, NULL, 0));
}

/* One message in a block of its own. Returns its code. */
static inline uint32_t world_do(struct world *w, uint32_t signer, enum msg_kind kind)
{
    struct model_tx tx = world_tx(w, signer, kind);

    assert_true(world_block(w, &tx, 1));
    return w->results[0].code;
}

static inline enum model_status world_status(struct world *w, uint32_t validator)
{
    return model_record(w->chain, validator)->status;
}

static inline void assert_result(struct model_result result, uint32_t code, const char *codespace)
{
    assert_int_equal(result.code, code);
    assert_string_equal(result.codespace, codespace);
}

#endif
