/* Blocks: rounds, proposals and commits of the modelled chain, and its mempool. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "coord/digest.h"
#include "sim/world.h"

#define PROPOSE_TIMEOUT_MS                                                                         \
    3000 /* an absent proposer; 500 ms more each round, and a second to vote nil */
#define ROUND_MORE_MS 500
#define VOTE_NIL_MS 1000
#define COMMIT_MS_MAX 1000 /* from a proposal to its commit, at most a fifth of the block time */
#define JITTER_PERCENT 2   /* of the block time, up or down */
#define JOIN_MEMO_SIZE 26  /* "stagger/join/1 CLASS CHARTER" */
#define GAS 200000
#define CODE_SEQUENCE 32

static int64_t commit_ms(const struct world *w)
{
    int64_t fifth = w->config->block_time_ms / 5;
    return fifth < COMMIT_MS_MAX ? fifth : COMMIT_MS_MAX;
}

static void propose_in(struct world *w, int64_t in_ms)
{
    world_later(w, in_ms, HAPPEN_PROPOSE, 0, ++w->propose_token);
}

static uint64_t next_height(const struct world *w)
{
    return model_height(w->chain).n + 1;
}

void blocks_start(struct world *w)
{
    w->blocks_random = random_stream(w->seed, STREAM_BLOCKS, 0);
    w->mempool_random = random_stream(w->seed, STREAM_MEMPOOL, 0);
    w->committed_ms = w->now_ms;
    w->moved = true;
    propose_in(w, w->config->block_time_ms - commit_ms(w));
}

bool host_signs(const struct world *w, uint32_t v)
{
    const struct host *h = &w->hosts[v];
    return h->up && h->synced && !h->deaf && !h->mute;
}

/* The side of a partition that holds more than two thirds of the power: 0 the rest, 1 those cut off,
 * -1 neither. */
static int side_with_quorum(const struct world *w)
{
    const struct model_set *set = model_validators(w->chain);
    int64_t power[2] = {0, 0};
    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t v = set->members[i].validator;
        if (host_signs(w, v))
            power[w->hosts[v].cut > 0] += set->members[i].power;
    }
    for (int side = 0; side < 2; side++)
        if (power[side] > set->total_power / 3 * 2 + set->total_power % 3 * 2 / 3)
            return side;
    return -1;
}

static bool takes_part(const struct world *w, uint32_t v, int side)
{
    return host_signs(w, v) && (w->hosts[v].cut > 0) == side;
}

static void next_round(struct world *w)
{
    propose_in(w, PROPOSE_TIMEOUT_MS + (int64_t)w->round * ROUND_MORE_MS + VOTE_NIL_MS);
    w->round++;
}

void blocks_propose(struct world *w, uint64_t token)
{
    if (token != w->propose_token || model_dead(w->chain))
        return;
    int side = side_with_quorum(w);
    if (side < 0) {
        w->stalled = true;
        return;
    }
    if (!takes_part(w, model_proposer(w->chain, w->round), side)) {
        next_round(w);
        return;
    }
    w->proposed_ms = w->now_ms;
    w->header_ms = w->committed_ms; /* BFT time: when the last block was voted for */
    world_later(w, commit_ms(w), HAPPEN_COMMIT, 0, w->propose_token);
}

void blocks_poke(struct world *w)
{
    if (!w->stalled || side_with_quorum(w) < 0)
        return;
    w->stalled = false;
    propose_in(w, PROPOSE_TIMEOUT_MS +
                      VOTE_NIL_MS); /* the votes of the broken round are sent again first */
}

static void note_missing(struct world *w, int side)
{
    const struct model_set *set = model_validators(w->chain);
    uint32_t *swap = w->missing;
    w->missing = w->missing_next;
    w->missing_count = w->missing_next_count;
    w->missing_next = swap;
    w->missing_next_count = 0;
    for (uint32_t i = 0; i < set->count; i++)
        if (!takes_part(w, set->members[i].validator, side))
            w->missing_next[w->missing_next_count++] = set->members[i].validator;
}

/* --- transactions --- */

struct model_tx blocks_tx(struct world *w, uint32_t signer, enum msg_kind kind,
                          enum model_author by)
{
    return (struct model_tx){
        .signer = signer,
        .msg_count = 1,
        .msgs = {{.kind = kind, .validator = signer, .amount = kind == MSG_SEND}},
        .fee = model_fee(w->chain, kind),
        .gas = GAS,
        .by = by,
        .id = ++w->tx_ids,
    };
}

void blocks_join_memo(struct world *w, struct model_tx *tx, uint32_t class_minutes,
                      uint32_t charter)
{
    (void)w;
    tx->memo_size = JOIN_MEMO_SIZE;
    tx->join = true;
    tx->join_class = class_minutes;
    tx->join_charter = charter;
}

static void wake_chain(struct world *w)
{
    if (w->config->empty_block_ms && !w->moved && !w->stalled) {
        w->moved = true; /* a waiting chain proposes as soon as there is a transaction */
        propose_in(w, 0);
    }
}

static uint64_t waiting_of(const struct world *w, uint32_t signer)
{
    uint64_t waiting = 0;
    for (uint32_t i = 0; i < w->mempool_count; i++)
        waiting += w->mempool[i].tx.signer == signer;
    return waiting;
}

bool blocks_submit(struct world *w, uint32_t origin, struct model_tx *tx, int64_t delay_ms,
                   uint32_t *code)
{
    tx->sequence = tx->signer == VALIDATOR_NONE ? 0 : model_record(w->chain, tx->signer)->sequence;
    struct model_result result = model_check(w->chain, tx);
    if (result.code ==
        CODE_SEQUENCE) { /* another one of this account waits: a wallet counts it in */
        tx->sequence += waiting_of(w, tx->signer);
        result = model_check(w->chain, tx);
    }
    *code = result.code;
    if (result.code != 0)
        return false;
    if (w->mempool_count == w->mempool_room) {
        w->mempool_room = w->mempool_room ? 2 * w->mempool_room : 64;
        w->mempool = realloc(w->mempool, w->mempool_room * sizeof *w->mempool);
        assert(w->mempool);
    }
    w->mempool[w->mempool_count++] = (struct pending){*tx, origin, w->now_ms + delay_ms};
    wake_chain(w);
    return true;
}

static int by_arrival(const void *a, const void *b)
{
    const struct pending *x = a, *y = b;
    if (x->arrive_ms != y->arrive_ms)
        return x->arrive_ms < y->arrive_ms ? -1 : 1;
    return x->tx.id < y->tx.id ? -1 : x->tx.id > y->tx.id;
}

static enum tx_kind kind_of(const struct world *w, const struct model_tx *tx,
                            const struct model_msg *msg)
{
    enum msg_kind carrier = w->config->chain == CHAIN_KIRA ? MSG_SEND : MSG_CREATE_VALIDATOR;
    switch (msg->kind) {
    case MSG_PAUSE:
        return TX_PAUSE;
    case MSG_UNPAUSE:
        return TX_UNPAUSE;
    case MSG_ACTIVATE:
        return TX_ACTIVATE;
    default:
        return tx->join && tx->msg_count == 1 && msg->kind == carrier ? TX_JOIN : TX_OTHER;
    }
}

static void grow_block(struct world *w)
{
    if (w->block_tx_count < w->block_tx_room)
        return;
    uint32_t room = w->block_tx_room ? 2 * w->block_tx_room : 64;
    w->block_txs = realloc(w->block_txs, room * sizeof *w->block_txs);
    w->block_timeouts = realloc(w->block_timeouts, room * sizeof *w->block_timeouts);
    w->block_authors = realloc(w->block_authors, room * sizeof *w->block_authors);
    assert(w->block_txs && w->block_timeouts && w->block_authors);
    w->block_tx_room = room;
}

/* One line of the block a message, as traces and the view want it. */
static void put_in_block(struct world *w, const struct model_tx *tx)
{
    struct model_result result = model_deliver(w->chain, tx);
    for (uint32_t i = 0; i < tx->msg_count; i++) {
        if (tx->signer == VALIDATOR_NONE)
            continue;
        grow_block(w);
        enum tx_kind kind = kind_of(w, tx, &tx->msgs[i]);
        w->block_timeouts[w->block_tx_count] = tx->timeout_height;
        w->block_authors[w->block_tx_count] = (uint8_t)tx->by;
        w->block_txs[w->block_tx_count] = (struct view_tx){
            .validator = kind == TX_JOIN || kind == TX_OTHER ? tx->signer : tx->msgs[i].validator,
            .kind = kind,
            .index = w->block_tx_count,
            .code = result.code,
            .codespace = result.codespace,
            .class_minutes = tx->join_class,
            .charter = tx->join_charter,
        };
        w->block_tx_count++;
    }
}

void blocks_forge(struct world *w, uint32_t victim, enum msg_kind kind)
{
    struct model_tx tx = blocks_tx(w, victim, kind, BY_HOSTILE);
    tx.forged = true;
    if (kind == MSG_SEND || kind == MSG_CREATE_VALIDATOR)
        blocks_join_memo(w, &tx, CLASS_MAX, w->charter.id); /* a join in the victim's name */
    tx.sequence = model_record(w->chain, victim)->sequence;
    put_in_block(w, &tx);
}

/* Everything that reached the proposer in time goes in, in the order of arrival. */
static void fill_block(struct world *w, int side)
{
    uint32_t kept = 0;
    w->block_tx_count = 0;
    if (w->mempool_count == 0)
        return;
    qsort(w->mempool, w->mempool_count, sizeof *w->mempool, by_arrival);
    for (uint32_t i = 0; i < w->mempool_count; i++) {
        struct pending *p = &w->mempool[i];
        const struct host *from = &w->hosts[p->origin];
        bool reaches = (from->cut > 0) == side && !from->mute;
        if (p->arrive_ms <= w->proposed_ms && reaches)
            put_in_block(w, &p->tx);
        else
            w->mempool[kept++] = *p;
    }
    w->mempool_count = kept;
}

/* What still waits is checked anew against the block that was just committed. */
static void recheck_mempool(struct world *w)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < w->mempool_count; i++)
        if (model_check(w->chain, &w->mempool[i].tx).code == 0)
            w->mempool[kept++] = w->mempool[i];
    w->mempool_count = kept;
}

/* --- commit --- */

static void hash_block(struct world *w, uint64_t height)
{
    uint64_t numbers[4] = {w->seed, height, w->block_tx_count, (uint64_t)w->header_ms};
    uint8_t bytes[sizeof numbers];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(numbers[i / 8] >> (8 * (i % 8)));
    const struct digest_piece pieces[] = {
        {"stagger/sim/block/1", 19}, {bytes, sizeof bytes}, {w->hash, HASH_SIZE}};
    digest_sha256(w->digest, pieces, 3, w->hash);
}

static struct view_block describe_block(const struct world *w)
{
    struct view_block b = {
        .height = model_height(w->chain),
        .time = {w->header_ms},
        .hash = w->hash,
        .missing = w->missing,
        .missing_count = w->missing_count,
        .txs = w->block_txs,
        .tx_count = w->block_tx_count,
    };
    b.change_count = model_set_changes(w->chain, &b.changes);
    return b;
}

static void trace_everything(struct world *w, const struct view_block *b, uint32_t set)
{
    const struct model_change *changes;
    uint32_t count = model_changes(w->chain, &changes);
    trace_block(w->trace, b, set, model_active_count(w->chain));
    for (uint32_t i = 0; i < b->tx_count; i++)
        trace_tx(w->trace, b->height.n, &b->txs[i], w->block_timeouts[i],
                 (enum model_author)w->block_authors[i]);
    for (uint32_t i = 0; i < count; i++)
        trace_set(w->trace, b->height.n, &changes[i]);
}

static const struct draw *feed_agents(struct world *w, const struct view_block *b)
{
    const struct draw *common = NULL;
    mutation_within(true);
    for (uint32_t i = 0; i < w->view_count; i++) {
        const struct draw *draw = view_block(w->views[i], b);
        common = i == w->charter_now ? draw : common;
    }
    mutation_within(false);
    return w->judge ? view_block(w->judge, b) : common;
}

static void feed_results(struct world *w, const struct view_block *b)
{
    mutation_within(true);
    for (uint32_t i = 0; i < w->view_count; i++)
        view_results(w->views[i], b->txs, b->tx_count);
    mutation_within(false);
    if (w->judge)
        view_results(w->judge, b->txs, b->tx_count);
}

/* The results of a block belong to the views only after its draw, and the checks want both. */
static const struct draw *feed_views(struct world *w, const struct view_block *b)
{
    for (uint32_t i = 0; i < b->tx_count; i++)
        checks_tx(w, &b->txs[i], w->block_timeouts[i], (enum model_author)w->block_authors[i]);
    const struct draw *common = feed_agents(w, b);
    if (common)
        trace_epoch(w->trace, common);
    checks_block(w, common);
    feed_results(w, b);
    return common;
}

static void tell_authors(struct world *w, const struct view_block *b)
{
    for (uint32_t i = 0; i < b->tx_count; i++) {
        const struct view_tx *tx = &b->txs[i];
        enum model_author by = (enum model_author)w->block_authors[i];
        bool happened = tx->kind == TX_JOIN
                            ? view_join_counts(w->config->chain, tx->code, tx->codespace)
                            : tx->code == 0;
        if (by == BY_AGENT && tx->kind != TX_OTHER)
            agents_included(w, tx->validator, tx->kind, tx->code, happened);
    }
}

static void count_halt(struct world *w)
{
    int64_t usual_ms =
        w->config->empty_block_ms ? w->config->empty_block_ms : w->config->block_time_ms;
    int64_t gap_ms = w->now_ms - w->committed_ms;
    if (gap_ms > 3 * usual_ms)
        w->result->halted_s += (double)(gap_ms - 3 * usual_ms) / 1000;
    w->committed_ms = w->now_ms;
}

static void schedule_next(struct world *w)
{
    int64_t usual_ms = w->config->block_time_ms;
    int64_t jitter = usual_ms * JITTER_PERCENT / 100;
    usual_ms += (int64_t)random_below(&w->blocks_random, (uint64_t)(2 * jitter + 1)) - jitter;
    bool waits = w->config->empty_block_ms && !w->moved && w->mempool_count == 0;
    w->moved = !waits;
    propose_in(w, (waits ? w->config->empty_block_ms : usual_ms) - commit_ms(w));
}

/* The block is stored, nobody can apply it: a fatal combination, or a halt that was planned. */
static void last_block(struct world *w)
{
    const char *why = model_dead(w->chain);
    w->result->chain_stopped_for_good = why != NULL;
    snprintf(w->result->stopped_why, sizeof w->result->stopped_why, "%s",
             why ? why : "halted by plan");
    if (why)
        checks_dead(w);
    w->over = true;
}

/* The mempool is checked anew before anybody can send: a transaction checked twice would have its sequence used. */
static void after_block(struct world *w, const struct draw *draw)
{
    const struct model_change *changes;
    uint32_t count = model_changes(w->chain, &changes);
    recheck_mempool(w);
    faults_plan_done(w, changes, count);
    hostile_block(w, draw);
    count_halt(w);
    hosts_seen_signing(w, w->header_ms);
    w->moved = w->block_tx_count > 0;
    agents_block(w);
    plain_block(w);
    schedule_next(w);
}

void blocks_commit(struct world *w, uint64_t token)
{
    int side = side_with_quorum(w);
    if (token != w->propose_token)
        return;
    if (side < 0) {
        w->stalled = true;
        return;
    }
    uint64_t height = next_height(w);
    uint32_t set = model_validators(w->chain)->count;
    uint32_t proposer = model_proposer(w->chain, w->round);
    note_missing(w, side);
    model_begin(w->chain, height_at(height), w->header_ms, w->missing, w->missing_count);
    fill_block(w, side);
    hostile_propose(w, proposer);
    w->round = 0;
    bool alive = model_end(w->chain);
    hash_block(w, height);
    w->result->blocks++;
    if (!alive) {
        last_block(w);
        return;
    }
    struct view_block block = describe_block(w);
    trace_everything(w, &block, set);
    const struct draw *draw = feed_views(w, &block);
    tell_authors(w, &block);
    after_block(w, draw);
}
