#include "tests/history.h"

#include <assert.h>
#include <string.h>

static uint64_t draw_random(uint64_t *state)
{
    /* splitmix64 */
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t history_pick(struct history *history, uint64_t low, uint64_t high)
{
    assert(low <= high);
    return low + draw_random(&history->random) % (high - low + 1);
}

static uint32_t pick(struct history *h, uint32_t low, uint32_t high)
{
    return (uint32_t)history_pick(h, low, high);
}

static bool chance(struct history *h, uint32_t of_1000)
{
    return pick(h, 0, 999) < of_1000;
}

/* --- the shape of a world --- */

static void shape_rule(struct history *h, struct charter *c)
{
    static const struct {
        uint32_t num, den;
    } phis[] = {{2, 3}, {2, 3}, {3, 4}, {7, 10}, {9, 10}, {67, 100}, {5, 7}, {999, 1000}};
    uint32_t phi = pick(h, 0, 7);
    c->phi_num = phis[phi].num;
    c->phi_den = phis[phi].den;
    c->min_validators = chance(h, 600) ? 1 : pick(h, 1, h->shape.members);
    c->reserve = chance(h, 600) ? RESERVE_DEFAULT : (int64_t)pick(h, 0, 3);
    c->order = chance(h, 700) ? ORDER_LONG_FIRST : ORDER_PLAIN;
    c->ramp = chance(h, 250);
    c->ramp_a = c->ramp ? pick(h, 0, 4) : 0;
    c->ramp_b = c->ramp ? pick(h, 0, 3) : 0;
}

static void shape_charter(struct history *h)
{
    struct charter *c = &h->shape.charter;
    *c = charter_default(chance(h, 500) ? "localnet-1" : "a", 1, 6000);
    shape_rule(h, c);
    c->epoch_blocks = chance(h, 500) ? 3 : pick(h, h->shape.empty_blocks ? 2 : 3, 6);
    c->live_blocks = chance(h, 500) ? 3 : pick(h, 1, 10);
    c->round_blocks = 20 * c->epoch_blocks + (chance(h, 500) ? 0 : pick(h, 0, 40));
    c->joins_max = pick(h, 3, 6);
    c->reference_blocks = 2 * c->round_blocks + (chance(h, 500) ? 0 : pick(h, 0, 100));
    charter_seal(c);
}

/* From calm to wild: each world has its own habits. */
static void shape_habits(struct history *h)
{
    struct history_shape *s = &h->shape;
    s->join = chance(h, 500) ? pick(h, 5, 40) : pick(h, 40, 200);
    s->foreign = chance(h, 600) ? 0 : pick(h, 1, 300);
    s->use = pick(h, 100, 900);
    s->stray_pause = chance(h, 500) ? 0 : pick(h, 1, 20);
    s->refusal = 250;
    if (chance(h, 150)) { /* pauses that only fill blocks */
        s->stray_pause = pick(h, 50, 400);
        s->refusal = 970;
    }
    s->unpause = pick(h, 5, 200);
    s->silence = chance(h, 500) ? 0 : pick(h, 1, 10);
    s->wake = pick(h, 20, 200);
    s->miss = chance(h, 500) ? 0 : pick(h, 1, 300);
    s->by_chain = chance(h, 500) ? 0 : pick(h, 1, chance(h, 200) ? 60 : 8);
    s->step_ms = chance(h, 600) ? 8000 : (int64_t)pick(h, 20000, 200000);
}

struct history_shape history_shape(uint64_t seed)
{
    static const uint64_t firsts[] = {1, 1, 1, 2, 3, 60, 61, 1000003, UINT64_C(1) << 40};
    struct history scratch = {.random = seed ^ UINT64_C(0x5eed)};
    struct history *h = &scratch;
    struct history_shape *s = &h->shape;
    s->chain = chance(h, 600) ? CHAIN_KIRA : CHAIN_DCL;
    s->empty_blocks = chance(h, s->chain == CHAIN_KIRA ? 800 : 100);
    s->first = height_at(firsts[pick(h, 0, 8)]);
    s->blocks = pick(h, 100, 400);
    s->members = pick(h, 1, chance(h, 300) ? 7 : 40);
    s->validators = chance(h, 500) ? s->members : pick(h, s->members, 40);
    s->power = chance(h, 600) ? POWER_ONE : (enum history_power)pick(h, 0, POWER_CHANGING);
    shape_charter(h);
    shape_habits(h);
    return *s;
}

/* --- the blocks --- */

static int64_t pick_power(struct history *h, uint32_t v)
{
    switch (h->shape.power) {
    case POWER_ONE:
        return 1;
    case POWER_EQUAL:
        return 10;
    case POWER_SMALL:
    case POWER_CHANGING:
        return pick(h, 1, 9);
    case POWER_LARGE:
        return (int64_t)history_pick(h, 1, UINT64_C(1000000000000));
    case POWER_ONE_ODD:
        return v + 1 == h->shape.validators ? 7 : 1;
    }
    return 1;
}

void history_begin(struct history *history, uint64_t seed, const struct history_shape *shape)
{
    struct history *h = history;
    assert(shape->members >= 1 && shape->members <= shape->validators);
    assert(shape->validators <= HISTORY_VALIDATORS_MAX);
    memset(h, 0, sizeof *h);
    h->seed = h->random = seed;
    h->shape = *shape;
    for (uint32_t v = 0; v < shape->validators; v++) {
        for (size_t i = 0; i < ADDRESS_SIZE; i++)
            h->address[v][i] = (uint8_t)pick(h, 0, 255);
        h->power[v] = pick_power(h, v);
    }
    for (uint32_t v = 0; v < shape->members; v++) {
        h->now[v] = h->next[v] = h->want[v] = h->power[v];
        h->set[h->set_count++] = (struct view_change){v, h->power[v]};
    }
    h->known = shape->members;
    h->height = height_at(shape->first.n - 1);
    h->block.time.ms = (int64_t)UINT64_C(1700000000000);
}

void history_permit(struct history *history, uint32_t validator, struct height until)
{
    history->permit[validator] = until.n;
}

static uint32_t count_wanted(const struct history *h)
{
    uint32_t count = 0;
    for (uint32_t v = 0; v < h->shape.validators; v++)
        count += h->want[v] > 0;
    return count;
}

static void leave(struct history *h, uint32_t v)
{
    if (count_wanted(h) > 1)
        h->want[v] = 0;
}

static struct view_tx *add_tx(struct history *h, uint32_t v, enum tx_kind kind)
{
    assert(h->tx_count < HISTORY_TXS_MAX);
    uint32_t before = h->tx_count ? h->txs[h->tx_count - 1].index + 1 : 0;
    struct view_tx *tx = &h->txs[h->tx_count++];
    *tx = (struct view_tx){.validator = v, .kind = kind, .codespace = ""};
    tx->index = before + (chance(h, 200) ? pick(h, 0, 3) : 0);
    return tx;
}

static void settle_join(struct history *h, struct view_tx *tx)
{
    if (h->shape.chain == CHAIN_KIRA) {
        tx->code = chance(h, 100) ? pick(h, 1, 40) : 0;
        tx->codespace = tx->code ? "sdk" : "";
        return;
    }
    static const struct {
        uint32_t code;
        const char *codespace;
    } ends[] = {{4, "staking"}, {601, "validator"}, {4, "sdk"}, {601, "staking"}, {4, "validator"},
                {0, ""},        {601, "validators"}};
    uint32_t end = chance(h, 850) ? pick(h, 0, 1) : pick(h, 2, 6);
    tx->code = ends[end].code;
    tx->codespace = ends[end].codespace;
}

static void act_join(struct history *h, uint32_t v)
{
    static const uint32_t classes[] = {1, 2, 3, 4, 5, 5, 10, 60, 239, 240};
    struct view_tx *tx = add_tx(h, v, TX_JOIN);
    tx->class_minutes = classes[pick(h, 0, 9)];
    tx->charter = h->shape.charter.id;
    if (chance(h, h->shape.foreign))
        tx->charter ^= chance(h, 500) ? 1 : 0xffffffff;
    settle_join(h, tx);
}

static void act_pause(struct history *h, uint32_t v)
{
    struct view_tx *tx = add_tx(h, v, TX_PAUSE);
    tx->code = !chance(h, h->shape.refusal) ? 0 : chance(h, 500) ? 30 : 7;
    tx->codespace = tx->code == 30 ? "sdk" : tx->code ? "customslashing" : "";
    if (tx->code == 0)
        leave(h, v);
}

static void act_unpause(struct history *h, uint32_t v)
{
    struct view_tx *tx = add_tx(h, v, chance(h, 700) ? TX_UNPAUSE : TX_ACTIVATE);
    tx->code = chance(h, 900) ? 0 : 7;
    tx->codespace = tx->code ? "customslashing" : "";
    if (tx->code == 0)
        h->want[v] = h->power[v];
}

/* What one validator sends in this block, at most a few transactions in any order. */
static void act(struct history *h, uint32_t v)
{
    const struct history_shape *s = &h->shape;
    if (chance(h, s->join))
        act_join(h, v);
    if (h->permit[v] >= h->height.n && h->want[v] && chance(h, s->use))
        act_pause(h, v);
    else if (chance(h, s->stray_pause))
        act_pause(h, v);
    if (!h->want[v] && chance(h, s->unpause))
        act_unpause(h, v);
    if (chance(h, s->join / 8))
        act_join(h, v);
    if (chance(h, 5))
        add_tx(h, v, TX_OTHER)->code = pick(h, 0, 1);
}

/* The chain throws out, lets in, and changes powers by itself. */
static void decide_by_chain(struct history *h)
{
    for (uint32_t v = 0; v < h->known; v++) {
        if (!chance(h, h->shape.by_chain))
            continue;
        if (h->shape.power == POWER_CHANGING)
            h->power[v] = pick_power(h, v);
        if (h->want[v] && chance(h, 500))
            leave(h, v);
        else
            h->want[v] = h->power[v];
    }
    if (h->known < h->shape.validators && chance(h, 50)) {
        h->known++;
        if (chance(h, 700))
            h->want[h->known - 1] = h->power[h->known - 1];
    }
}

static void list_changes(struct history *h)
{
    uint32_t count = 0;
    for (uint32_t v = 0; v < h->shape.validators; v++) {
        if (h->want[v] != h->next[v])
            h->changes[count++] = (struct view_change){v, h->want[v]};
        h->next[v] = h->want[v];
    }
    h->block.changes = h->changes;
    h->block.change_count = count;
}

static void list_missing(struct history *h)
{
    uint32_t count = 0;
    for (uint32_t v = 0; v < h->shape.validators; v++) {
        if (chance(h, h->silent[v] ? h->shape.wake : h->shape.silence))
            h->silent[v] = !h->silent[v];
        if (h->past[v] && (h->silent[v] || chance(h, h->shape.miss)))
            h->missing[count++] = v;
    }
    h->block.missing = h->missing;
    h->block.missing_count = count;
}

static void list_txs(struct history *h)
{
    h->tx_count = 0;
    uint32_t from = pick(h, 0, h->known - 1);
    for (uint32_t i = 0; i < h->known; i++)
        act(h, (from + i) % h->known);
    memcpy(h->blind, h->txs, sizeof h->txs);
    for (uint32_t i = 0; i < h->tx_count; i++) {
        h->blind[i].code = pick(h, 0, 2) * 15;
        h->blind[i].codespace = "";
    }
    h->block.txs = h->blind;
    h->block.tx_count = h->tx_count;
}

void history_next(struct history *history)
{
    struct history *h = history;
    bool is_first = h->height.n + 1 == h->shape.first.n;
    h->height = height_at(h->height.n + 1);
    h->block.height = h->height;
    if (!is_first) {
        memcpy(h->past, h->now, sizeof h->now);
        memcpy(h->now, h->next, sizeof h->next);
        h->block.time.ms += (int64_t)history_pick(h, 1, (uint64_t)h->shape.step_ms);
    }
    for (size_t i = 0; i < HASH_SIZE; i++)
        h->hash[i] = (uint8_t)pick(h, 0, 255);
    h->block.hash = h->hash;
    /* what the block before decided becomes V(h+1), then this block decides for V(h+2) */
    list_changes(h);
    list_missing(h);
    list_txs(h);
    decide_by_chain(h);
}
