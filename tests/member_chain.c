/* The chain of a member's world: blocks, what stands in them, and what our node shows of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/member_world.h"

static struct view_tx *add_tx(struct member_world *w, uint32_t validator, enum tx_kind kind)
{
    assert_true(w->tx_count < WORLD_TXS_MAX);
    struct view_tx *tx = &w->txs[w->tx_count];
    *tx = (struct view_tx){
        .validator = validator,
        .kind = kind,
        .index = w->tx_count,
        .codespace = "",
        .class_minutes = 5,
        .charter = w->charter.id,
    };
    w->tx_count++;
    return tx;
}

/* A join on DCL counts with its refusal. */
static void settle_join(const struct member_world *w, struct view_tx *tx)
{
    if (w->setup.chain == CHAIN_DCL) {
        tx->code = 4;
        tx->codespace = "staking";
    }
}

void world_tx(struct member_world *w, uint32_t validator, enum tx_kind kind, uint32_t code)
{
    struct view_tx *tx = add_tx(w, validator, kind);
    tx->code = code;
    if (kind == TX_JOIN && code == 0)
        settle_join(w, tx);
    if (code != 0 || kind == TX_JOIN || kind == TX_OTHER)
        return;
    w->will[validator] = kind != TX_PAUSE;
    if (validator == US)
        w->self.status = kind == TX_PAUSE ? COORD_IS_PAUSED : COORD_ACTIVE;
}

void world_join(struct member_world *w, uint32_t validator, uint32_t class_minutes)
{
    world_tx(w, validator, TX_JOIN, 0);
    w->txs[w->tx_count - 1].class_minutes = class_minutes;
}

void world_foreign_join(struct member_world *w, uint32_t validator)
{
    world_tx(w, validator, TX_JOIN, 0);
    w->txs[w->tx_count - 1].charter ^= 1;
}

void world_put(struct member_world *w, uint32_t validator, bool in_set)
{
    w->will[validator] = in_set;
}

/* Code 7 for what does not fit our status, as KIRA answers; DCL lets an owner enable himself always. */
static uint32_t chain_code(const struct member_world *w, enum tx_kind kind)
{
    static const enum coord_status needed[] = {
        [TX_PAUSE] = COORD_ACTIVE, [TX_UNPAUSE] = COORD_IS_PAUSED, [TX_ACTIVATE] = COORD_INACTIVE};
    if (kind == TX_JOIN || (kind == TX_UNPAUSE && w->setup.chain == CHAIN_DCL))
        return 0;
    bool early = kind == TX_ACTIVATE && w->time.ms < w->self.inactive_until.ms;
    return w->self.status == needed[kind] && !early ? 0 : 7;
}

static void take_ours(struct member_world *w, const struct world_send *send)
{
    uint32_t code = send->at.n == 0 ? 9 : chain_code(w, send->kind);
    world_tx(w, US, send->kind, code);
    struct view_tx *tx = &w->txs[w->tx_count - 1];
    tx->class_minutes = send->class_minutes;
    tx->charter = send->charter;
    struct coord_event event = {.kind = EVENT_INCLUDED};
    event.included.tx = send->kind;
    event.included.height = height_at(w->height);
    event.included.code = tx->code;
    event.included.happened = code == 0;
    assert_true(w->news_count < WORLD_NEWS_MAX);
    if (w->alive)
        w->news[w->news_count++] = event;
}

static void take_pool(struct member_world *w)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < w->pool_count; i++) {
        const struct world_send send = w->pool[i];
        if (send.timeout.n && send.timeout.n < w->height)
            continue;
        if (send.at.n == HEIGHT_NEVER.n)
            w->pool[kept++] = send;
        else
            take_ours(w, &send);
    }
    w->pool_count = kept;
    w->forgetful &= kept > 0;
}

static void feed(struct view *view, const struct view_block *block, const struct view_tx *txs,
                 uint32_t count)
{
    (void)view_block(view, block);
    view_results(view, txs, count);
}

static uint32_t list_changes(struct member_world *w, struct view_change changes[WORLD_MAX])
{
    uint32_t count = 0;
    for (uint32_t v = 0; v < w->setup.members; v++)
        if (w->want[v] != w->next[v])
            changes[count++] = (struct view_change){v, w->want[v]};
    memcpy(w->next, w->want, sizeof w->next);
    return count;
}

static uint32_t list_missing(const struct member_world *w, uint32_t missing[WORLD_MAX])
{
    uint32_t count = 0;
    for (uint32_t v = 0; v < w->setup.members; v++)
        if (w->silent[v] || (v == US && !w->node.up))
            missing[count++] = v;
    return count;
}

void world_commit(struct member_world *w)
{
    struct view_change changes[WORLD_MAX];
    uint32_t missing[WORLD_MAX];
    uint8_t hash[HASH_SIZE];
    w->height++;
    w->time.ms += w->block_ms;
    w->now.ms = w->time.ms > w->now.ms ? w->time.ms : w->now.ms;
    for (size_t i = 0; i < sizeof hash; i++)
        hash[i] = (uint8_t)((w->height + 3) * (i * 2 + 157) >> (i % 5));
    struct view_block block = {.height = {w->height}, .time = w->time, .hash = hash};
    block.changes = changes;
    block.change_count = list_changes(w, changes); /* what the block before decided */
    block.missing = missing;
    block.missing_count = list_missing(w, missing);
    take_pool(w);
    block.txs = w->txs;
    block.tx_count = w->tx_count;
    feed(w->view, &block, w->txs, w->tx_count);
    if (w->other)
        feed(w->other, &block, w->txs, w->tx_count);
    memcpy(w->want, w->will, sizeof w->want);
    w->tx_count = 0;
}

void world_show(struct member_world *w)
{
    if (!w->node.up || w->node.stuck) {
        if (!w->manual)
            world_answer(w);
        return;
    }
    w->node.new_blocks++;
    uint32_t count = w->news_count;
    w->news_count = 0;
    for (uint32_t i = 0; i < count; i++)
        world_event(w, w->news[i]);
    struct coord_event event = {.kind = EVENT_BLOCK, .block = {w->height}};
    world_event(w, event);
}

void world_block(struct member_world *w)
{
    world_commit(w);
    world_show(w);
}

void world_blocks(struct member_world *w, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        world_block(w);
}

void world_to(struct member_world *w, uint64_t height)
{
    while (w->height < height)
        world_block(w);
}

void world_until(struct member_world *w, enum coord_state state)
{
    uint64_t limit = w->height + 200;
    while (world_state(w) != state) {
        if (w->height >= limit)
            print_error("never in %s; still in %s\n%s", coord_state_name(state),
                        coord_state_name(world_state(w)), w->story);
        assert_true(w->height < limit);
        world_block(w);
    }
}
