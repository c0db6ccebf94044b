/* The judges of fuzz_coord.c. */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "tests/fuzz_coord.h"

#define SOON_MAX 16 /* blocks that a join or unpause may be on its way */

static bool same_flight(const struct coord_flight *a, const struct coord_flight *b)
{
    return a->kind == b->kind && a->refused == b->refused && a->twice == b->twice &&
           a->timeout.n == b->timeout.n;
}

static bool same_memory(const struct coord_memory *a, const struct coord_memory *b)
{
    return a->state == b->state && a->errand == b->errand && a->step == b->step &&
           same_flight(&a->flight, &b->flight) && a->pause.n == b->pause.n &&
           a->membership.n == b->membership.n && a->entered.n == b->entered.n &&
           a->expected_ms == b->expected_ms && a->later_ms == b->later_ms &&
           a->attempts == b->attempts && a->forced == b->forced && a->held == b->held &&
           a->failed == b->failed && a->lost == b->lost && a->frozen == b->frozen &&
           a->pardoned == b->pardoned && a->frozen_since.n == b->frozen_since.n;
}

/* M3, and a permit for whoever begins a pause in this step. */
static void check_pause(const struct fuzz *f, const struct coord_memory *before,
                        struct height timeout)
{
    const struct charter *charter = &f->config.charter;
    /* a forced one is of the epoch of the next block */
    struct height boundary =
        charter_boundary(charter, height_after(f->core.head, f->core.memory.forced ? 1 : 0));
    if (before->state == COORD_PAUSING) { /* the same once more */
        assert(timeout.n == before->flight.timeout.n);
        return;
    }
    assert(timeout.n == height_after(boundary, charter->epoch_blocks).n);
    if (f->core.memory.forced)
        return;
    const struct draw *draw = view_draw(f->view, boundary);
    uint32_t rank;
    assert(draw && draw->complete);
    assert(view_reason(f->view, draw, US, &rank) == VIEW_PERMIT && rank < draw->permits);
}

/* M7: as the block to come will count them. */
static void check_join(const struct fuzz *f, const struct coord_effect *e)
{
    const struct charter *charter = &f->config.charter;
    struct height next = height_after(view_head(f->view), 1);
    bool new_round = charter_round(charter, next).n == next.n;
    assert(e->send.class_minutes >= CLASS_MIN && e->send.class_minutes <= CLASS_MAX);
    assert(e->send.charter == charter->id);
    if (f->core.head.n == view_head(f->view).n && !new_round)
        assert(view_validator(f->view, US)->joins < charter->joins_max);
}

/* None only for a return whose head the view has forgotten. */
static void check_timeout(const struct fuzz *f, const struct coord_effect *e)
{
    struct height soon = height_after(f->core.head, SOON_MAX);
    if (e->send.timeout.n > 0)
        assert(f->core.memory.flight.timeout.n == e->send.timeout.n);
    else
        assert(e->send.tx >= TX_UNPAUSE && !view_pulse(f->view, f->core.head));
    assert(e->send.tx == TX_PAUSE || e->send.timeout.n <= soon.n);
}

/* M2, M6: nothing else of ours is on its way, and a block lies between two membership transactions; less is
 * known when the return is forced and the node down. */
static void check_send(struct fuzz *f, const struct coord_memory *before,
                       const struct coord_effect *e)
{
    const struct coord_memory *m = &f->core.memory;
    uint64_t head = f->core.head.n;
    bool late = f->core.plan.pending && !f->core.plan.voted_yes && e->send.tx >= TX_UNPAUSE;
    bool headless = late && !view_pulse(f->view, f->core.head);
    bool open = f->open.kind != TX_OTHER && f->open.timeout.n > view_head(f->view).n;
    assert(!open || f->open.timeout.n <= head || (late && f->open.kind != TX_PAUSE));
    assert(e->send.tx > TX_OTHER && e->send.tx <= TX_ACTIVATE);
    assert(m->flight.kind == e->send.tx && !m->flight.refused && m->flight.timeout.n > head);
    if (!late)
        check_timeout(f, e);
    assert(e->send.tx == TX_JOIN || m->membership.n < head || headless);
    if (e->send.tx == TX_PAUSE)
        check_pause(f, before, e->send.timeout);
    if (e->send.tx == TX_JOIN)
        check_join(f, e);
    f->open = m->flight;
}

/* M4: of a stop that this step decides on, not of one that is done again. */
static void check_stop(const struct fuzz *f, const struct coord_memory *before)
{
    if (before->step == STEP_STOP)
        return;
    assert(f->core.head.n > f->core.memory.pause.n);
    assert(!view_in_set(f->view, US, height_after(f->core.head, 1)));
}

static void check_sentence(const struct coord_say *say)
{
    char text[320];
    for (size_t size = 1; size < sizeof text; size += size < 8 ? 1 : 78) {
        memset(text, '!', sizeof text);
        assert(coord_sentence(say, text, size) == text);
        assert(memchr(text, '\0', size) && text[size] == '!');
    }
}

static void check_effects(struct fuzz *f, const struct coord_memory *before,
                          const struct coord_effects *effects, enum coord_event_kind kind)
{
    bool durable = effects->count > 0 && effects->list[0].kind == EFFECT_PERSIST;
    uint32_t sends = 0;
    assert(effects->count <= COORD_EFFECTS_MAX);
    assert(durable || kind == EVENT_START || same_memory(before, &f->core.memory));
    for (uint32_t i = 0; i < effects->count; i++) {
        const struct coord_effect *e = &effects->list[i];
        assert(e->kind <= EFFECT_SAY && (i == 0 || e->kind != EFFECT_PERSIST));
        if (e->kind == EFFECT_SEND || e->kind == EFFECT_RUNTIME)
            assert(durable);
        if (e->kind == EFFECT_SEND)
            check_send(f, before, e);
        if (e->kind == EFFECT_RUNTIME && e->step == STEP_STOP)
            check_stop(f, before);
        if (e->kind == EFFECT_SAY)
            check_sentence(&e->say);
        sends += e->kind == EFFECT_SEND;
    }
    assert(sends <= 1);
}

/* M5, and what the deadline promises: blocks that are still to come. */
static void check_member(const struct fuzz *f, const struct coord_memory *before)
{
    const struct coord *c = &f->core;
    const struct coord_node *n = &c->node;
    bool in_step = n->known && n->reachable && !n->catching_up && n->key_matches && n->lag <= 2 &&
                   n->new_blocks > 0;
    assert(coord_memory_valid(&c->memory) && coord_memory(c) == &c->memory);
    if (before->state == COORD_SYNCING && c->memory.state == COORD_UNPAUSING)
        assert(in_step || (c->plan.pending && !c->plan.voted_yes));
    struct coord_deadline d = coord_deadline(c, f->view);
    assert(d.block.n > c->head.n || d.block.n == HEIGHT_NEVER.n);
}

void fuzz_check_step(struct fuzz *f, const struct coord_memory *before,
                     const struct coord_effects *effects, enum coord_event_kind kind)
{
    check_effects(f, before, effects, kind);
    check_member(f, before);
}

void fuzz_check_draw(const struct fuzz *f, const struct draw *d)
{
    uint32_t permits = 0, candidates = 0, rank;
    int64_t weight = 0;
    for (uint32_t v = 0; v < f->validators; v++) {
        enum view_reason reason = view_reason(f->view, d, v, &rank);
        assert(view_reason_code(reason) && view_reason_sentence(reason));
        assert((rank != UINT32_MAX) == (reason == VIEW_PERMIT || reason == VIEW_BEYOND_BUDGET));
        candidates += rank != UINT32_MAX;
        if (rank == UINT32_MAX)
            continue;
        assert(d->order[rank] == v && view_live(f->view, v) && f->in_set[v]);
        if (reason != VIEW_PERMIT)
            continue;
        permits++;
        weight += d->by_power ? view_validator(f->view, v)->power : 1;
    }
    assert(permits == d->permits && candidates == d->candidates);
    assert(weight <= d->budget && permits <= d->budget_count && d->recheck <= permits);
    assert(permits == 0 || d->live - weight >= d->floor + d->reserve);
    assert(permits == 0 || d->members > 3 * (d->members - d->live + d->reserve + weight));
    assert(d->live <= d->members && d->live_count <= d->member_count);
    assert(d->member_count <= d->reference_count && view_budget(f->view) >= 0);
}
