/* The chain of a small world: blocks, results, sets; and what of a history matters. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model/search.h"

#define CODE_PAUSED 8 /* of KIRA */
#define CODE_NOT_PAUSED 7

struct charter search_charter(const struct search_world *w)
{
    struct charter c = charter_default("small-1", 1, BLOCK_MS);
    c.epoch_blocks = 3;
    c.round_blocks = 60;
    c.reference_blocks = 7200;
    c.joins_max = 20;
    c.live_blocks = w->live_blocks;
    c.reserve = w->reserve;
    charter_seal(&c);
    return c;
}

/* --- beacons --- */

static void order_by_key(const struct search *s, uint64_t boundary, const uint8_t hash[HASH_SIZE],
                         uint8_t order[MEMBERS_MAX])
{
    uint8_t keys[MEMBERS_MAX][HASH_SIZE], height[8];
    for (int b = 0; b < 8; b++)
        height[b] = (uint8_t)(boundary >> (56 - 8 * b));
    for (uint32_t v = 0; v < s->world->count; v++) {
        const struct digest_piece pieces[] = {
            {"stagger/draw/1", 14},        {s->charter.chain_id, strlen(s->charter.chain_id)},
            {height, sizeof height},       {hash, HASH_SIZE},
            {s->address[v], ADDRESS_SIZE},
        };
        digest_sha256(s->digest, pieces, 5, keys[v]);
        uint32_t at = v;
        for (; at > 0 && memcmp(keys[v], keys[order[at - 1]], HASH_SIZE) < 0; at--)
            order[at] = order[at - 1];
        order[at] = (uint8_t)v;
    }
}

static bool is_known(const struct search *s, uint32_t at, uint32_t count,
                     const uint8_t order[MEMBERS_MAX])
{
    for (uint32_t i = 0; i < count; i++)
        if (memcmp(s->orders[at][i], order, s->world->count) == 0)
            return true;
    return false;
}

static void find_beacons(struct search *s, uint32_t at)
{
    uint8_t hash[HASH_SIZE] = {0}, order[MEMBERS_MAX] = {0};
    uint32_t count = 0;
    for (uint32_t trial = 0; count < s->order_count; trial++) {
        memcpy(hash, &trial, sizeof trial);
        order_by_key(s, s->world->first + at, hash, order);
        if (is_known(s, at, count, order))
            continue;
        memcpy(s->beacons[at][count], hash, HASH_SIZE);
        memcpy(s->orders[at][count++], order, MEMBERS_MAX);
    }
}

void chain_beacons(struct search *s)
{
    s->order_count = 1;
    for (uint32_t v = 2; v <= s->world->count; v++)
        s->order_count *= v;
    for (uint32_t at = 0; at <= s->world->last - s->world->first; at++)
        if (charter_is_boundary(&s->charter, height_at(s->world->first + at)))
            find_beacons(s, at);
}

/* --- a block --- */

static uint32_t chain_code(const struct link *before, enum tx_kind kind, uint32_t v)
{
    bool paused = before && before->paused >> v & 1;
    if (kind == TX_PAUSE)
        return paused ? CODE_PAUSED : 0;
    return kind == TX_UNPAUSE && !paused ? CODE_NOT_PAUSED : 0;
}

static void settle_results(const struct search *s, struct link *link, const struct link *before)
{
    uint32_t all = (1u << s->world->count) - 1;
    link->height = before ? before->height + 1 : s->world->first;
    link->signing = before ? before->next : all;
    link->next = before ? before->wanted : all;
    link->wanted = link->next;
    link->paused = before ? before->paused : 0;
    link->ledger = before ? before->ledger : (struct ledger){0};
    for (uint32_t v = 0; v < s->world->count; v++) {
        uint32_t code = chain_code(before, link->kind[v], v);
        link->code[v] = code ? code : link->code[v];
        if (link->code[v] != 0)
            continue;
        if (link->kind[v] == TX_PAUSE)
            link->paused |= 1u << v;
        if (link->kind[v] == TX_UNPAUSE)
            link->paused &= ~(1u << v);
    }
    link->wanted = all & ~link->paused;
}

struct content {
    struct view_block block;
    struct view_tx txs[MEMBERS_MAX];
    struct view_change changes[MEMBERS_MAX];
    uint32_t missing[MEMBERS_MAX];
};

static void fill_txs(const struct search *s, const struct link *link, struct content *c)
{
    for (uint32_t v = 0; v < s->world->count; v++) {
        if (link->kind[v] == TX_OTHER)
            continue;
        c->txs[c->block.tx_count] = (struct view_tx){
            .validator = v,
            .kind = link->kind[v],
            .index = c->block.tx_count,
            .code = link->code[v],
            .codespace = "",
            .class_minutes = coord_class(s->world->expected_ms, BLOCK_MS),
            .charter = s->charter.id ^ (v >= s->world->agents),
        };
        c->block.tx_count++;
    }
}

/* After the last block of the search the beacons come in turn. */
static const uint8_t *hash_of(const struct search *s, const struct link *link)
{
    if (link->height <= s->world->last)
        return s->beacons[link->height - s->world->first][link->beacon];
    uint64_t boundary = charter_boundary(&s->charter, height_at(s->world->last)).n;
    return s->beacons[boundary - s->world->first][link->height * 7 % s->order_count];
}

static void fill_block(const struct search *s, const struct link *link, const struct link *before,
                       struct content *c)
{
    uint32_t missing = before ? before->signing & before->silent : 0;
    memset(c, 0, sizeof *c);
    c->block.height = height_at(link->height);
    c->block.time.ms = (int64_t)link->height * BLOCK_MS;
    c->block.hash = hash_of(s, link);
    c->block.txs = c->txs;
    c->block.changes = c->changes;
    c->block.missing = c->missing;
    fill_txs(s, link, c);
    for (uint32_t v = 0; v < s->world->count; v++) {
        if ((link->signing ^ link->next) >> v & 1)
            c->changes[c->block.change_count++] =
                (struct view_change){v, link->next >> v & 1 ? s->world->power[v] : 0};
        if (missing >> v & 1)
            c->missing[c->block.missing_count++] = v;
    }
}

static struct view *create_view(const struct search *s)
{
    struct view_change set[MEMBERS_MAX];
    struct view_config config = {.charter = s->charter, .empty_blocks = true};
    config.chain = CHAIN_KIRA;
    config.capacity = s->world->count;
    struct view *view = view_create(&config);
    assert(view);
    for (uint32_t v = 0; v < s->world->count; v++) {
        uint32_t index = view_enrol(view, s->address[v]);
        assert(index == v);
        set[v] = (struct view_change){v, s->world->power[v]};
    }
    struct height first = height_at(s->world->first);
    view_begin(view, first, first, set, s->world->count);
    return view;
}

struct view *chain_view(const struct search *s, const struct link *links, uint32_t at)
{
    struct view *view = create_view(s);
    struct content content;
    for (uint32_t i = 0; i < at; i++) {
        fill_block(s, &links[i], i ? &links[i - 1] : NULL, &content);
        (void)view_block(view, &content.block);
        view_results(view, content.txs, content.block.tx_count);
    }
    return view;
}

/* --- what of it matters --- */

/* The earliest height that every comparison still to come takes for the join's own: with the pause, with the
 * round's first block and with heads that an agent may yet be at. */
static uint64_t settled_join(const struct search *s, const struct view_validator *v, uint64_t head)
{
    uint64_t join = v->join.n, least = join ? 1 : 0;
    uint64_t round = charter_round(&s->charter, height_at(head)).n;
    if (join + LAG_MAX >= head || join == v->pause.n)
        return join;
    if (v->pause.n < join && v->pause.n + 1 > least)
        least = v->pause.n + 1;
    return round <= join && round > least ? round : least;
}

static uint64_t settled_permit(const struct view_validator *v, uint64_t head)
{
    return v->permit.n + LAG_MAX >= head ? v->permit.n : v->permit.n > v->join.n;
}

static struct mark digest_validator(const struct search *s, const struct view *view, uint32_t v,
                                    struct mark m)
{
    const struct view_validator *x = view_validator(view, v);
    uint64_t head = view_head(view).n, left = s->world->last - head;
    m = mark_add(m, (uint64_t)x->power);
    m = mark_add(m, settled_join(s, x, head));
    m = mark_add(m, settled_permit(x, head));
    m = mark_add(m, x->pause.n);
    m = mark_add(m, x->join.n == x->pause.n && view_paused_since_join(x));
    m = mark_add(m, x->join.n ? (uint64_t)x->join_class << 32 | x->join_charter : 0);
    m = mark_add(m, x->joins + left > s->charter.joins_max ? x->joins : 0);
    m = mark_add(m, (uint64_t)x->turns << 1 | x->paused_after_join);
    uint64_t member = 0, signed_in = 0;
    for (uint64_t h = s->world->first; h <= head + 1; h++)
        member = member << 1 | view_in_set(view, v, height_at(h));
    for (uint64_t h = head; h + 4 > head && h >= s->world->first; h--)
        signed_in = signed_in << 1 | view_signed(view, v, height_at(h));
    return mark_add(mark_add(m, member), signed_in);
}

/* Everything that a draw says but the names. */
static struct mark digest_numbers(const struct draw *d, struct mark m)
{
    m = mark_add(m, (uint64_t)d->budget << 32 | d->budget_count);
    m = mark_add(m, (uint64_t)d->members << 32 | (uint64_t)d->live);
    m = mark_add(m, (uint64_t)d->foreign << 32 | (uint64_t)d->reference);
    m = mark_add(m, (uint64_t)d->floor << 32 | (uint64_t)d->reserve);
    m = mark_add(m, (uint64_t)d->member_count << 32 | d->live_count);
    m = mark_add(m, (uint64_t)d->foreign_count << 32 | d->reference_count);
    m = mark_add(m, (uint64_t)d->candidates << 32 | d->used_up);
    m = mark_add(m, (uint64_t)d->permits << 32 | d->overdue);
    return mark_add(m, (uint64_t)d->out << 32 | d->back);
}

/* What a step can read of the draw and of the block: its own place, whether half are foreign, whether the live
 * ones are fewer than the floor, the freeze. With --fine, and where members stand back, all of it. */
static struct mark digest_draw(const struct search *s, const struct view *view,
                               const struct draw *d, uint32_t v, struct mark m)
{
    const struct view_pulse *p = view_pulse(view, view_head(view));
    bool half_foreign = 2 * d->foreign >= d->members;
    bool low = (d->by_power ? p->live_weight : p->live) < d->floor;
    m = mark_add(m, (uint64_t)view_reason(view, d, v, NULL));
    m = mark_flags(m, (const bool[]){d->complete, d->by_power, half_foreign, low}, 4);
    m = mark_add(m, (uint64_t)d->overdue << 32 | (uint64_t)(d->member_count + 19) / 20);
    m = mark_add(m, d->overdue_since.n);
    return s->fine ? digest_numbers(d, m) : m;
}

/* What may happen to it at all: validators of different kinds share no set, and cannot change places. */
static uint32_t character_of(const struct search_world *w, uint32_t v)
{
    return (uint32_t)(v < w->agents) | (uint32_t)(v < w->lossy) << 1 |
           (uint32_t)(v < w->refused) << 2 | (uint32_t)(v < w->failing) << 3 |
           (uint32_t)(v < w->ahead) << 4 | (uint32_t)(v < w->agents + w->strangers) << 5;
}

static struct mark glance(const struct search *s, const struct link *link, uint32_t v)
{
    const struct view *view = link->view;
    const struct view_pulse *p = view_pulse(view, height_at(link->height));
    const struct draw *d = view_draw(view, charter_boundary(&s->charter, height_at(link->height)));
    struct mark m = mark_add(mark_begin(character_of(s->world, v)), link->height);
    m = mark_add(m, (link->paused >> v & 1) << 1 | (link->wanted >> v & 1));
    if (s->fine) {
        m = mark_add(m, (uint64_t)p->members << 32 | p->live);
        m = mark_add(m, (uint64_t)p->members_weight << 32 | (uint64_t)p->live_weight);
        m = mark_add(m, view_in_line(view, NULL, coord_class(s->world->expected_ms, BLOCK_MS)));
    }
    m = digest_validator(s, view, v, m);
    return d ? digest_draw(s, view, d, v, m) : m;
}

static void look(const struct search *s, struct link *links, uint32_t at)
{
    struct link *link = &links[at];
    for (uint32_t v = 0; v < s->world->count; v++) {
        link->glance[v] = glance(s, link, v);
        link->seen[v] = link->glance[v];
        for (uint32_t lag = 1; lag <= LAG_MAX && lag <= at; lag++)
            link->seen[v] = mark_join(link->seen[v], links[at - lag].glance[v]);
    }
}

struct mark chain_mark(const struct search *s, const struct link *links, uint32_t at,
                       struct mark parts[MEMBERS_MAX])
{
    const struct link *link = &links[at];
    struct mark sorted[MEMBERS_MAX], m = mark_add(mark_begin(6), link->height);
    for (uint32_t v = 0; v < s->world->count; v++) {
        const struct ledger *l = &link->ledger;
        struct mark part = mark_add(mark_begin(7), v < s->world->agents ? link->sets[v] : 0);
        part = mark_join(part, link->glance[v]);
        part = at ? mark_join(part, links[at - 1].glance[v]) : part;
        part = mark_add(part, (l->live >> v & 1) | (l->foreign >> v & 1) << 1 |
                                  (l->permits >> v & 1) << 2 | (l->used >> v & 1) << 3 |
                                  (link->silent >> v & 1) << 4 |
                                  (uint32_t)(l->membership[v] == link->height) << 5 |
                                  (uint32_t)judge_asks(s, link, v) << 6);
        parts[v] = part;
        uint32_t place = v;
        for (; place > 0 && mark_before(part, sorted[place - 1]); place--)
            sorted[place] = sorted[place - 1];
        sorted[place] = part;
    }
    for (uint32_t v = 0; v < s->world->count; v++)
        m = mark_join(m, sorted[v]);
    return m;
}

/* --- one more block --- */

static void draw_by_hand(struct search *s, struct link *links, uint32_t at, const struct view *view,
                         const struct draw *draw)
{
    uint64_t height = links[at].height;
    uint8_t order[MEMBERS_MAX] = {0};
    if (height <= s->world->last) {
        judge_draw(s, links, at, s->orders[at][links[at].beacon], view, draw);
        return;
    }
    order_by_key(s, height, hash_of(s, &links[at]), order);
    judge_draw(s, links, at, order, view, draw);
}

static void take_block(struct search *s, struct link *links, uint32_t at, struct view *view)
{
    struct link *link = &links[at];
    struct content content;
    fill_block(s, link, at ? &links[at - 1] : NULL, &content);
    judge_block(s, link);
    link->choice_count = 1;
    link->choices[0] = 0;
    const struct draw *draw = view_block(view, &content.block);
    if (draw)
        draw_by_hand(s, links, at, view, draw);
    view_results(view, content.txs, content.block.tx_count);
    judge_results(s, links, at);
    link->view = view;
}

void chain_link(struct search *s, struct link *links, uint32_t at)
{
    settle_results(s, &links[at], at ? &links[at - 1] : NULL);
    take_block(s, links, at, chain_view(s, links, at));
    look(s, links, at);
}

void chain_extend(struct search *s, struct link *links, uint32_t at, struct view *view)
{
    settle_results(s, &links[at], &links[at - 1]);
    take_block(s, links, at, view);
}

void chain_unlink(struct link *link)
{
    view_destroy(&link->view);
}
