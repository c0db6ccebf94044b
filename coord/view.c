#include "coord/view.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "coord/view_internal.h"

static bool allocate(struct view *v)
{
    uint32_t capacity = v->config.capacity, slots = 16;
    while (slots < 2 * capacity)
        slots *= 2;
    v->slot_mask = slots - 1;
    v->slots = calloc(slots, sizeof *v->slots);
    v->validators = calloc(capacity, sizeof *v->validators);
    v->tracks = calloc(capacity, sizeof *v->tracks);
    v->entries = calloc(capacity, sizeof *v->entries);
    v->digest = digest_create();
    bool ok = v->slots && v->validators && v->tracks && v->entries && v->digest;
    for (struct draw_slot *s = v->draws; s < v->draws + DRAWS_KEPT; s++) {
        s->order = calloc(capacity, sizeof *s->order);
        s->rank = calloc(capacity, sizeof *s->rank);
        s->reason = calloc(capacity, sizeof *s->reason);
        ok = ok && s->order && s->rank && s->reason;
    }
    return ok;
}

struct view *view_create(const struct view_config *config)
{
    assert(config->capacity > 0 && config->capacity <= VIEW_VALIDATORS_MAX);
    assert(!charter_check(&config->charter, config->empty_blocks));
    struct view *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    v->config = *config;
    if (!allocate(v))
        view_destroy(&v);
    return v;
}

void view_destroy(struct view **view)
{
    struct view *v = *view;
    if (!v)
        return;
    for (struct draw_slot *s = v->draws; s < v->draws + DRAWS_KEPT; s++) {
        free(s->order);
        free(s->rank);
        free(s->reason);
    }
    digest_destroy(&v->digest);
    free(v->entries);
    free(v->tracks);
    free(v->validators);
    free(v->slots);
    free(v);
    *view = NULL;
}

/* The slot that holds the address, or the empty one where it belongs. Consensus addresses are hashes, so
 * their own bytes spread well; a crafted cluster costs time linear in its size, no more. */
static uint32_t *slot_of(const struct view *v, const uint8_t address[ADDRESS_SIZE])
{
    uint32_t at;
    memcpy(&at, address, sizeof at);
    for (;; at++) {
        uint32_t *slot = &v->slots[at & v->slot_mask];
        if (*slot == 0 || memcmp(v->validators[*slot - 1].address, address, ADDRESS_SIZE) == 0)
            return slot;
    }
}

uint32_t view_find(const struct view *view, const uint8_t address[ADDRESS_SIZE])
{
    uint32_t *slot = slot_of(view, address);
    return *slot == 0 ? VALIDATOR_NONE : *slot - 1;
}

uint32_t view_enrol(struct view *view, const uint8_t address[ADDRESS_SIZE])
{
    uint32_t *slot = slot_of(view, address);
    if (*slot == 0) {
        if (view->count == view->config.capacity)
            return VALIDATOR_NONE;
        memcpy(view->validators[view->count].address, address, ADDRESS_SIZE);
        *slot = ++view->count;
    }
    return *slot - 1;
}

void view_begin(struct view *view, struct height chain_first, struct height first,
                const struct view_change *set, uint32_t count)
{
    assert(view->head.n == 0 && first.n > 0 && chain_first.n <= first.n);
    view->chain_first = chain_first;
    view->first = first;
    view->head = height_before(first, 1);
    for (uint32_t i = 0; i < count; i++) {
        assert(set[i].validator < view->count && set[i].power > 0);
        struct track *t = &view->tracks[set[i].validator];
        view->validators[set[i].validator].power = set[i].power;
        t->member = 1;
        if (first.n == chain_first.n) { /* V(h0) belongs to the reference */
            t->seen = first;
            t->seen_power = set[i].power;
        }
    }
}

/* Moves the histories on by one block: V(h+1) as V(h) until the changes are applied, and everybody of
 * V(h-1) as having signed until the missing are taken out. */
static void shift_histories(struct view *v)
{
    for (struct track *t = v->tracks; t < v->tracks + v->count; t++) {
        t->member = t->member << 1 | (t->member & 1);
        t->signed_in = t->signed_in << 1 | (t->member >> 2 & 1);
    }
}

static void apply_commit(struct view *v, const struct view_block *b)
{
    for (uint32_t i = 0; i < b->missing_count; i++) {
        assert(b->missing[i] < v->count);
        v->tracks[b->missing[i]].signed_in &= ~UINT64_C(1);
    }
}

static void apply_block(struct view *v, const struct view_block *b)
{
    for (uint32_t i = 0; i < b->change_count; i++) {
        const struct view_change *c = &b->changes[i];
        assert(c->validator < v->count && c->power >= 0);
        struct track *t = &v->tracks[c->validator];
        t->member = (t->member & ~UINT64_C(1)) | (c->power > 0);
        if (c->power > 0)
            v->validators[c->validator].power = c->power;
    }
    for (uint32_t i = 0; i < b->tx_count; i++) {
        assert(b->txs[i].validator < v->count);
        if (b->txs[i].kind == TX_PAUSE)
            v->tracks[b->txs[i].validator].gone = b->height;
    }
}

static void keep_pulse(struct view *v, const struct view_block *b)
{
    struct view_pulse *p = &v->pulses[b->height.n % VIEW_BLOCKS_KEPT];
    *p = (struct view_pulse){.height = b->height, .time = b->time};
    memcpy(p->hash, b->hash, HASH_SIZE);
    for (uint32_t i = 0; i < v->count; i++) {
        if (!(v->tracks[i].member & 1))
            continue;
        bool live = track_live(v, &v->tracks[i]);
        p->members++;
        p->members_weight += v->validators[i].power;
        p->live += live;
        p->live_weight += live ? v->validators[i].power : 0;
    }
}

/* The reference size counts who stood in V(E'+1) at a boundary, from the first block on. */
static void see_members(struct view *v)
{
    for (uint32_t i = 0; i < v->count; i++) {
        struct track *t = &v->tracks[i];
        if (t->member & 1) {
            t->seen = v->head;
            t->seen_power = v->validators[i].power;
        }
    }
}

const struct draw *view_block(struct view *view, const struct view_block *block)
{
    const struct charter *c = &view->config.charter;
    assert(block->height.n == view->head.n + 1 && view->first.n > 0);
    assert(!view->results_due);
    view->head = block->height;
    view->results_due = true;
    shift_histories(view);
    apply_commit(view, block);
    /* before this block's own pauses and V(h+1): the recheck is about V(E+1) and who is gone at E */
    if (charter_is_boundary(c, height_before(view->head, 1)))
        draw_recheck(view);
    apply_block(view, block);
    keep_pulse(view, block);
    if (charter_is_boundary(c, view->head)) {
        see_members(view);
        if (view->head.n >= view->first.n + c->live_blocks)
            return draw_make(view);
    }
    return NULL;
}

bool view_join_counts(enum chain_kind chain, uint32_t code, const char *codespace)
{
    if (MUTATED(REFUSED_JOIN_COUNTS))
        return true;
    if (chain == CHAIN_KIRA)
        return code == 0;
    return (code == 4 && strcmp(codespace, "staking") == 0) ||
           (code == 601 && strcmp(codespace, "validator") == 0);
}

static void count_join(struct view_validator *v, struct height h, const struct view_tx *tx)
{
    if (MUTATED(JOIN_OVERLOOKED) && v->address[0] % 4 == 0)
        return;
    v->join = h;
    v->join_index = tx->index;
    v->join_class = tx->class_minutes;
    v->join_charter = tx->charter;
    v->joins++;
}

static void count_pause(struct view_validator *v, struct track *t, const struct view_pulse *pulse,
                        uint32_t index)
{
    v->paused_after_join = v->join.n && !view_paused_since_join(v);
    v->pause = pulse->height;
    v->pause_index = index;
    v->turns++;
    t->pause_time = pulse->time;
    t->pause_class = v->join_class;
}

/* Only now: the draw of a boundary that begins a round still belongs to the round before. */
static void begin_round(struct view *v)
{
    for (uint32_t i = 0; i < v->count; i++)
        v->validators[i].joins = v->validators[i].turns = 0;
}

void view_results(struct view *view, const struct view_tx *txs, uint32_t count)
{
    assert(view->results_due);
    view->results_due = false;
    if (charter_round(&view->config.charter, view->head).n == view->head.n)
        begin_round(view);
    const struct view_pulse *pulse = &view->pulses[view->head.n % VIEW_BLOCKS_KEPT];
    for (uint32_t i = 0; i < count; i++) {
        const struct view_tx *tx = &txs[i];
        struct view_validator *v = &view->validators[tx->validator];
        struct track *t = &view->tracks[tx->validator];
        if (tx->kind == TX_JOIN && view_join_counts(view->config.chain, tx->code, tx->codespace))
            count_join(v, view->head, tx);
        if (tx->kind == TX_PAUSE && (tx->code == 0 || MUTATED(FAILED_PAUSE_HAPPENED)))
            count_pause(v, t, pulse, tx->index);
    }
}

const struct charter *view_charter(const struct view *view)
{
    return &view->config.charter;
}

enum chain_kind view_chain(const struct view *view)
{
    return view->config.chain;
}

bool view_empty_blocks(const struct view *view)
{
    return view->config.empty_blocks;
}

uint32_t view_count(const struct view *view)
{
    return view->count;
}

struct height view_head(const struct view *view)
{
    return view->head;
}

struct height view_first(const struct view *view)
{
    return view->first;
}

const struct view_validator *view_validator(const struct view *view, uint32_t validator)
{
    assert(validator < view->count);
    return &view->validators[validator];
}

const struct view_pulse *view_pulse(const struct view *view, struct height h)
{
    const struct view_pulse *p = &view->pulses[h.n % VIEW_BLOCKS_KEPT];
    return h.n > 0 && p->height.n == h.n ? p : NULL;
}

bool view_in_set(const struct view *view, uint32_t validator, struct height h)
{
    assert(validator < view->count);
    uint64_t back = view->head.n + 1 - h.n;
    assert(h.n <= view->head.n + 1 && back < VIEW_BLOCKS_KEPT);
    return view->tracks[validator].member >> back & 1;
}

bool view_recent(const struct view *view, uint32_t validator)
{
    assert(validator < view->count);
    const struct track *t = &view->tracks[validator];
    uint64_t back = view->config.charter.reference_blocks;
    return t->member != 0 || (t->seen.n > 0 && t->seen.n + back > view->head.n);
}

bool view_live(const struct view *view, uint32_t validator)
{
    assert(validator < view->count);
    return track_live(view, &view->tracks[validator]);
}

bool view_gone(const struct view *view, uint32_t validator)
{
    assert(validator < view->count);
    return track_gone(view, &view->tracks[validator]);
}

bool view_signed(const struct view *view, uint32_t validator, struct height h)
{
    assert(validator < view->count);
    uint64_t back = view->head.n - h.n;
    assert(h.n <= view->head.n && back < VIEW_BLOCKS_KEPT);
    return view->tracks[validator].signed_in >> back & 1;
}

int64_t view_block_ms(const struct view *view, struct height h)
{
    const struct view_pulse *last = view_pulse(view, h);
    for (uint64_t back = VIEW_BLOCKS_KEPT - 1; last && back > 0; back--) {
        const struct view_pulse *p = h.n > back ? view_pulse(view, height_before(h, back)) : NULL;
        if (p)
            return instant_since(last->time, p->time) / (int64_t)back;
    }
    return 0;
}
