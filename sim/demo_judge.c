#include "sim/demo_judge.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "proto/account.h"
#include "sim/devnet_block.h"

#define HALT_BLOCKS 3 /* a pause between blocks of more than so many usual ones is a halt */

struct fate { /* of one validator */
    struct judge_turn turn;
    struct height permit_used; /* boundary */
    bool member;               /* of the set that signs next */
    int64_t out_ms, in_ms;     /* header times */
};

struct judge {
    const struct app_genesis *genesis;
    struct view *view;
    struct fate *fates;
    uint8_t (*accounts)[ACCOUNT_ADDRESS_SIZE];
    uint32_t count;

    bool begun;
    struct height begin; /* the first block that counts */
    int64_t block_ms, first_ms, head_ms, back_ms;

    uint32_t *before; /* V(h-1) by validator number, in the order of its commit */
    uint32_t before_count;
    struct view_change *changes; /* of V(h+1) against V(h) */
    uint32_t change_count;

    struct view_tx *txs;
    uint32_t tx_count, tx_room;

    struct report_point *points;
    uint32_t point_count, point_room;
    struct result result;
};

/* --- life --- */

static bool accounts_fill(struct judge *judge)
{
    for (uint32_t i = 0; i < judge->count; i++) {
        const struct app_validator *validator = &judge->genesis->validators[i];
        uint8_t address[ADDRESS_SIZE];
        account_address(validator->account_key, judge->accounts[i]);
        member_address(validator->consensus_key, address);
        if (view_enrol(judge->view, address) != i)
            return false;
    }
    return true;
}

struct judge *judge_create(const struct app_genesis *genesis, const struct charter *charter,
                           int64_t block_ms)
{
    struct judge *judge = calloc(1, sizeof *judge);
    struct view_config config = {.charter = *charter,
                                 .chain = genesis->kind,
                                 .empty_blocks = genesis->kind == CHAIN_KIRA,
                                 .capacity = genesis->count};
    if (!judge)
        return NULL;
    judge->genesis = genesis;
    judge->count = genesis->count;
    judge->block_ms = block_ms;
    judge->view = view_create(&config);
    judge->fates = calloc(judge->count, sizeof *judge->fates);
    judge->accounts = calloc(judge->count, sizeof *judge->accounts);
    judge->before = calloc(judge->count, sizeof *judge->before);
    judge->changes = calloc(judge->count, sizeof *judge->changes);
    bool good = judge->view && judge->fates && judge->accounts && judge->before && judge->changes;
    if (!good || !accounts_fill(judge))
        judge_destroy(&judge);
    return judge;
}

void judge_destroy(struct judge **judge)
{
    if (!*judge)
        return;
    view_destroy(&(*judge)->view);
    free((*judge)->fates);
    free((*judge)->accounts);
    free((*judge)->before);
    free((*judge)->changes);
    free((*judge)->txs);
    free((*judge)->points);
    free(*judge);
    *judge = NULL;
}

__attribute__((format(printf, 5, 6))) static void violate(struct judge *judge,
                                                          const char *invariant, int64_t height,
                                                          uint32_t validator, const char *format,
                                                          ...)
{
    struct result *result = &judge->result;
    if (result->violation_count < VIOLATIONS_KEPT) {
        struct violation *violation = &result->violations[result->violation_count];
        va_list arguments;
        *violation = (struct violation){
            .invariant = invariant, .height = (uint64_t)height, .validator = validator};
        va_start(arguments, format);
        vsnprintf(violation->text, sizeof violation->text, format, arguments);
        va_end(arguments);
    }
    result->violation_count++;
}

/* --- transactions --- */

static uint32_t validator_of(const struct judge *judge, const uint8_t account[ACCOUNT_ADDRESS_SIZE])
{
    for (uint32_t i = 0; i < judge->count; i++)
        if (memcmp(judge->accounts[i], account, ACCOUNT_ADDRESS_SIZE) == 0)
            return i;
    return VALIDATOR_NONE;
}

static void tx_add(struct judge *judge, const struct view_tx *tx)
{
    if (judge->tx_count == judge->tx_room) {
        judge->tx_room = judge->tx_room ? 2 * judge->tx_room : 16;
        judge->txs = realloc(judge->txs, judge->tx_room * sizeof *judge->txs);
        assert(judge->txs);
    }
    judge->txs[judge->tx_count++] = *tx;
}

static void tx_take(struct judge *judge, const struct stored_block *block, uint32_t index)
{
    struct tx_decoded tx;
    struct tx_entry entry;
    struct fault fault;
    if (!tx_decode(block->txs[index].bytes, block->txs[index].size, &tx, &fault))
        return;
    for (uint32_t i = 0; i < tx.message_count; i++) {
        if (!tx_entry(judge->genesis->kind, &tx, i, &entry))
            continue;
        struct view_tx seen = {
            .validator = validator_of(judge, entry.who),
            .kind = entry.kind,
            .index = index,
            .code = block->applied ? block->results[index].code : 1,
            .codespace = block->applied ? block->results[index].codespace : "",
            .class_minutes = entry.class_minutes,
            .charter = entry.foreign ? ~view_charter(judge->view)->id : entry.charter,
        };
        if (seen.validator != VALIDATOR_NONE)
            tx_add(judge, &seen);
    }
    tx_decoded_destroy(&tx);
}

/* A permit of the boundary before its block, that it has not used yet. */
static void check_pause(struct judge *judge, uint32_t validator, int64_t height)
{
    struct fate *fate = &judge->fates[validator];
    struct height before = height_at((uint64_t)height - 1);
    struct height boundary = charter_boundary(view_charter(judge->view), before);
    const struct draw *draw = view_draw(judge->view, boundary);
    bool permit = draw && view_reason(judge->view, draw, validator, NULL) == VIEW_PERMIT;
    if (!permit || fate->permit_used.n == boundary.n)
        violate(judge, "pause-by-permit", height, validator, "paused %s of boundary %" PRIu64,
                permit ? "once more by the permit" : "without a permit", boundary.n);
    fate->permit_used = boundary;
}

static void note_tx(struct judge *judge, const struct view_tx *tx, int64_t height)
{
    struct fate *fate = &judge->fates[tx->validator];
    judge->result.joins +=
        tx->kind == TX_JOIN && view_join_counts(judge->genesis->kind, tx->code, tx->codespace);
    if (tx->kind != TX_PAUSE || tx->code != 0)
        return;
    judge->result.pauses++;
    fate->turn.pauses++;
    fate->turn.paused = height_at((uint64_t)height);
    fate->turn.left = fate->turn.entered = HEIGHT_NONE;
    fate->turn.back = false;
    check_pause(judge, tx->validator, height);
}

/* --- sets and signatures --- */

static uint32_t member_number(const struct judge *judge, const struct member *member)
{
    uint32_t validator = view_find(judge->view, member->address);
    assert(validator < judge->count); /* a devnet has the validators of its genesis */
    return validator;
}

/* Who of V(h-1) is missing in the last commit of block h; returns how many. */
static uint32_t missing_find(struct judge *judge, const struct stored_block *block,
                             uint32_t *missing)
{
    uint32_t count = 0;
    const struct commit *last = &block->last_commit;
    assert(judge->before_count == 0 || last->count == judge->before_count);
    for (uint32_t i = 0; i < judge->before_count; i++) {
        if (last->sigs[i].flag == COMMIT_FOR_BLOCK)
            continue;
        missing[count++] = judge->before[i];
        if (!judge->begun || (uint64_t)last->height < judge->begin.n)
            continue;
        judge->result.missed_blocks_in_set++;
        violate(judge, "no-missed-block", last->height, judge->before[i],
                "a member of the set has not signed");
    }
    return count;
}

static void member_moved(struct judge *judge, uint32_t validator, bool member,
                         const struct stored_block *block)
{
    struct fate *fate = &judge->fates[validator];
    struct height next = height_at((uint64_t)block->header.height + 1);
    int64_t now_ms = devnet_time_ms(&block->header.time);
    fate->member = member;
    if (member) {
        fate->turn.entered = next;
        fate->in_ms = now_ms;
    } else {
        fate->turn.left = next;
        fate->out_ms = now_ms;
        fate->in_ms = INT64_MAX;
    }
}

/* What the block before decided for V(h+1). */
static void moves_note(struct judge *judge, const struct stored_block *block)
{
    for (uint32_t i = 0; i < judge->change_count; i++) {
        const struct view_change *change = &judge->changes[i];
        member_moved(judge, change->validator, change->power > 0, block);
    }
}

/* Updates of block h are V(h+2): they are kept for the next block, but for those that say what is so already. Powers
 * never change on a devnet. */
static void updates_keep(struct judge *judge, const struct stored_block *block)
{
    judge->change_count = 0;
    for (uint32_t i = 0; i < block->update_count; i++) {
        const struct member *update = &block->updates[i];
        uint32_t validator = member_number(judge, update);
        if (judge->fates[validator].member != (update->power > 0))
            judge->changes[judge->change_count++] = (struct view_change){validator, update->power};
    }
    judge->before_count = block->member_count;
    for (uint32_t i = 0; i < block->member_count; i++)
        judge->before[i] = member_number(judge, &block->members[i].member);
}

static void begin_chain(struct judge *judge, const struct stored_block *block)
{
    struct view_change *set = calloc(judge->count, sizeof *set);
    struct height first = height_at((uint64_t)block->header.height);
    assert(set && block->member_count <= judge->count);
    for (uint32_t i = 0; i < block->member_count; i++) {
        set[i] = (struct view_change){member_number(judge, &block->members[i].member),
                                      block->members[i].member.power};
        judge->fates[set[i].validator].member = true;
    }
    view_begin(judge->view, first, first, set, block->member_count);
    free(set);
}

/* --- a block --- */

static void turns_note(struct judge *judge, const struct draw *draw)
{
    for (uint32_t i = 0; i < judge->count; i++) {
        struct fate *fate = &judge->fates[i];
        struct judge_turn *turn = &fate->turn;
        const struct view_validator *seen = view_validator(judge->view, i);
        turn->out = !fate->member;
        turn->waiting = seen->join.n > 0 && !view_paused_since_join(seen);
        turn->rank = UINT32_MAX;
        enum view_reason reason =
            draw ? view_reason(judge->view, draw, i, &turn->rank) : VIEW_NO_JOIN;
        turn->permit = reason == VIEW_PERMIT && !view_paused_since_join(seen);
        if (turn->back || turn->entered.n == 0 || !view_live(judge->view, i) ||
            view_head(judge->view).n <= turn->entered.n)
            continue;
        turn->back = true;
        judge->back_ms = judge->head_ms;
    }
}

static void point_add(struct judge *judge, const struct draw *draw)
{
    const struct view_pulse *pulse = view_pulse(judge->view, view_head(judge->view));
    if (judge->point_count == judge->point_room) {
        judge->point_room = judge->point_room ? 2 * judge->point_room : 256;
        judge->points = realloc(judge->points, judge->point_room * sizeof *judge->points);
        assert(judge->points);
    }
    judge->points[judge->point_count++] = (struct report_point){
        .height = pulse->height.n,
        .time_ms = pulse->time.ms,
        .live = pulse->live,
        .floor = draw ? (uint32_t)draw->floor : 0,
        .set = pulse->members,
    };
}

static void floor_check(struct judge *judge, const struct draw *draw)
{
    const struct view_pulse *pulse = view_pulse(judge->view, view_head(judge->view));
    struct result *result = &judge->result;
    if (result->floor == 0 || (uint64_t)draw->floor < result->floor)
        result->floor = (uint64_t)draw->floor;
    if (pulse->live >= draw->floor)
        return;
    result->blocks_below_floor++;
    violate(judge, "floor", (int64_t)pulse->height.n, VALIDATOR_NONE,
            "%u live against a floor of %" PRId64, pulse->live, draw->floor);
}

/* A chain that makes no empty blocks stands still in between and has not halted. */
static void halt_note(struct judge *judge, int64_t time_ms)
{
    int64_t over_ms = time_ms - judge->head_ms - HALT_BLOCKS * judge->block_ms;
    if (over_ms > 0 && judge->genesis->kind == CHAIN_KIRA)
        judge->result.halted_s += (double)over_ms / 1000.0;
}

static void count(struct judge *judge, const struct stored_block *block, const struct draw *drawn)
{
    int64_t time_ms = devnet_time_ms(&block->header.time);
    struct height boundary = charter_boundary(view_charter(judge->view), view_head(judge->view));
    const struct draw *draw = drawn ? drawn : view_draw(judge->view, boundary);
    if (judge->begun) {
        if (judge->result.blocks++ == 0)
            judge->first_ms = time_ms;
        else
            halt_note(judge, time_ms);
        judge->result.permits += drawn ? drawn->permits : 0;
        if (judge->result.blocks == 1 || judge_live(judge) < judge->result.min_live)
            judge->result.min_live = judge_live(judge);
        point_add(judge, draw);
        if (draw)
            floor_check(judge, draw);
    }
    judge->head_ms = time_ms;
    turns_note(judge, draw);
}

void judge_block(struct judge *judge, const struct stored_block *block)
{
    uint32_t *missing = calloc((size_t)judge->count + 1, sizeof *missing);
    assert(missing);
    if (judge_head(judge) == 0)
        begin_chain(judge, block);
    judge->tx_count = 0;
    for (uint32_t i = 0; i < block->tx_count; i++)
        tx_take(judge, block, i);
    const struct view_block seen = {
        .height = height_at((uint64_t)block->header.height),
        .time = {devnet_time_ms(&block->header.time)},
        .hash = block->id.hash.bytes,
        .missing = missing,
        .missing_count = missing_find(judge, block, missing),
        .txs = judge->txs,
        .tx_count = judge->tx_count,
        .changes = judge->changes,
        .change_count = judge->change_count,
    };
    const struct draw *draw = view_block(judge->view, &seen);
    moves_note(judge, block);
    count(judge, block, draw);
    view_results(judge->view, judge->txs, judge->tx_count);
    for (uint32_t i = 0; judge->begun && i < judge->tx_count; i++)
        note_tx(judge, &judge->txs[i], block->header.height);
    updates_keep(judge, block);
    free(missing);
}

void judge_begin(struct judge *judge)
{
    struct height boundary = charter_boundary(view_charter(judge->view), view_head(judge->view));
    judge->begun = true;
    if (judge_head(judge) > 0)
        point_add(judge, view_draw(judge->view, boundary));
    judge->begin = height_at((uint64_t)judge_head(judge) + 1);
}

bool judge_begun(const struct judge *judge)
{
    return judge->begun;
}

/* --- questions --- */

const struct view *judge_view(const struct judge *judge)
{
    return judge->view;
}

int64_t judge_head(const struct judge *judge)
{
    return (int64_t)view_head(judge->view).n;
}

int64_t judge_time_ms(const struct judge *judge)
{
    return judge->head_ms;
}

uint32_t judge_live(const struct judge *judge)
{
    const struct view_pulse *pulse = view_pulse(judge->view, view_head(judge->view));
    return pulse ? pulse->live : 0;
}

uint32_t judge_floor(const struct judge *judge)
{
    struct height boundary = charter_boundary(view_charter(judge->view), view_head(judge->view));
    const struct draw *draw = view_draw(judge->view, boundary);
    return draw ? (uint32_t)draw->floor : 0;
}

bool judge_all_live(const struct judge *judge)
{
    return judge_head(judge) > 0 && judge_live(judge) == judge->count;
}

struct judge_turn judge_turn(const struct judge *judge, uint32_t validator)
{
    assert(validator < judge->count);
    return judge->fates[validator].turn;
}

uint32_t judge_back(const struct judge *judge)
{
    uint32_t back = 0;
    for (uint32_t i = 0; i < judge->count; i++)
        back += judge->fates[i].turn.back;
    return back;
}

/* --- results --- */

void judge_result(const struct judge *judge, struct result *result)
{
    const struct result *seen = &judge->result;
    struct result whole = *seen;
    whole.strategy = result->strategy;
    whole.seed = result->seed;
    whole.wall_s = result->wall_s;
    whole.messages = result->messages;
    whole.bytes = result->bytes;
    whole.steps = result->steps;
    whole.events = result->events;
    whole.validators = whole.members = whole.agents = judge->count;
    whole.done = judge_back(judge);
    whole.undone = whole.done < judge->count;
    whole.permits_unused = whole.permits > whole.pauses ? whole.permits - whole.pauses : 0;
    whole.makespan_s = whole.undone ? -1 : (double)(judge->back_ms - judge->first_ms) / 1000.0;
    for (uint32_t i = 0; i < judge->count; i++)
        whole.left_paused += !judge->fates[i].member;
    *result = whole;
}

const struct report_point *judge_points(const struct judge *judge, uint32_t *count)
{
    *count = judge->point_count;
    return judge->points;
}

uint32_t judge_bars(const struct judge *judge, struct report_bar **bars)
{
    uint32_t used = 0;
    *bars = calloc((size_t)judge->count + 1, sizeof **bars);
    assert(*bars);
    for (uint32_t i = 0; i < judge->count; i++) {
        const struct fate *fate = &judge->fates[i];
        if (fate->turn.left.n > 0)
            (*bars)[used++] = (struct report_bar){i, BAR_OUT, fate->out_ms, fate->in_ms};
    }
    return used;
}
