/* Fuzzing the core: one member and its private view of a small chain, under any events in any order.
 *
 * The bytes are a program. A head picks the chain, the charter and the operator's policy; then every byte
 * is one thing that happens: a block with any transactions and changes of the set, an event with true or
 * with absurd values, a restart with the journal kept, lost, damaged or made up. What the core demands of its
 * shell is kept: EVENT_START first, enumerations within their range, blocks in order.
 *
 * Checked after every step are the invariants of coord/coord.h as far as one member can know them, and at
 * every boundary those of coord/view.h. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tests/fuzz_coord.h"

#define POWER_MAX (INT64_MAX / 8 / VALIDATORS_MAX) /* what CometBFT allows all of them together */
#define TXS_MAX 6
#define BLOCK_MS 6000
#define START_MS INT64_C(1700000000000)
#define SPIN_MAX 8 /* events of time at one instant */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- bytes --- */

static uint8_t take(struct feed *feed)
{
    if (feed->left == 0)
        return 0;
    feed->left--;
    return *feed->data++;
}

static uint32_t take_below(struct feed *feed, uint32_t count)
{
    return take(feed) % count;
}

static uint64_t take_raw(struct feed *feed)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | take(feed);
    return value;
}

/* Mostly near `usual`, sometimes at an end of the range, sometimes anything. */
static int64_t take_near(struct feed *feed, int64_t usual)
{
    static const int64_t ends[] = {INT64_MIN, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    uint8_t how = take(feed);
    if (how < 192)
        return (int64_t)((uint64_t)usual + how / 16);
    if (how < 224)
        return ends[how % 6];
    return (int64_t)take_raw(feed);
}

static struct height take_height(struct feed *feed, uint64_t usual)
{
    return height_at((uint64_t)take_near(feed, (int64_t)usual));
}

/* --- the world --- */

static struct coord_policy take_policy(struct feed *feed)
{
    struct coord_policy policy = coord_policy_default();
    uint8_t which = take(feed);
    if (which & 1)
        policy.own_floor = take_below(feed, VALIDATORS_MAX);
    if (which & 2)
        policy.max_offline = take_below(feed, VALIDATORS_MAX);
    if (which & 4)
        policy.freeze = (int64_t)take_below(feed, 5) - 2;
    if (which & 8)
        policy.domain_max = policy.failures_max = 1 + take_below(feed, 3);
    if (which & 16) {
        policy.hours_from_min = (int32_t)take_below(feed, 24) * 60;
        policy.hours_to_min = (int32_t)take_below(feed, 24) * 60;
    }
    if (which & 32)
        policy.attempts_max = take_below(feed, 4);
    return policy;
}

static struct charter take_charter(struct feed *feed)
{
    struct charter charter = charter_default("fuzz-1", 1 + take_below(feed, 4), BLOCK_MS);
    uint8_t which = take(feed);
    charter.epoch_blocks = 3 + (which & 3);
    charter.live_blocks = 1 + (which >> 2 & 3);
    charter.round_blocks = 20 * charter.epoch_blocks;
    charter.reference_blocks = 2 * charter.round_blocks;
    charter.order = which & 16 ? ORDER_PLAIN : ORDER_LONG_FIRST;
    charter.ramp = which & 32;
    charter.ramp_a = charter.ramp_b = 1 + (which >> 6);
    charter.joins_max = 3 + (which >> 6);
    charter_seal(&charter);
    assert(!charter_check(&charter, false));
    return charter;
}

static int64_t take_power(struct fuzz *f)
{
    if (!f->by_powers)
        return 1;
    int64_t power = take_near(&f->feed, 1) & INT64_MAX;
    return 1 + power % POWER_MAX;
}

static void begin_view(struct fuzz *f, uint64_t first)
{
    struct view_change set[VALIDATORS_MAX];
    f->view = view_create(&f->config);
    assert(f->view);
    for (uint32_t v = 0; v < f->validators; v++) {
        uint8_t address[ADDRESS_SIZE];
        memset(address, (int)(v * 37 + 1), sizeof address);
        assert(view_enrol(f->view, address) == v);
        set[v] = (struct view_change){v, take_power(f)};
        f->in_set[v] = true;
    }
    view_begin(f->view, height_at(1), height_at(first), set, f->validators);
}

static void begin(struct fuzz *f)
{
    uint8_t which = take(&f->feed);
    f->validators = 1 + take_below(&f->feed, VALIDATORS_MAX);
    f->by_powers = which & 1;
    f->config = (struct view_config){
        .charter = take_charter(&f->feed),
        .chain = which & 2 ? CHAIN_DCL : CHAIN_KIRA,
        .empty_blocks = which & 4,
        .capacity = VALIDATORS_MAX,
    };
    f->policy = take_policy(&f->feed);
    f->now = f->header = (struct instant){START_MS};
    begin_view(f, which & 8 ? 1 + (uint64_t)take(&f->feed) : 1);
}

/* The questions of `ok-to-stop`. */
static void ask(const struct fuzz *f)
{
    const struct draw *d = view_draw(f->view, charter_boundary(&f->config.charter, f->core.head));
    if (!view_pulse(f->view, f->core.head))
        return;
    enum coord_reason reason = coord_may_join(&f->core, f->view);
    assert(coord_reason_code(reason) && coord_reason_sentence(reason));
    for (uint32_t rank = 0; d && rank < d->permits; rank++)
        assert(coord_may_pause(&f->core, f->view, d, rank) < REASON_COUNT);
}

/* --- events --- */

/* What this event tells the core about the transaction on its way. */
static void hear(struct fuzz *f, const struct coord_event *e)
{
    const struct view_validator *v = view_validator(f->view, US);
    bool gone = (e->kind == EVENT_INCLUDED && e->included.tx == f->open.kind) ||
                (e->kind == EVENT_REFUSED && e->refused.tx == f->open.kind) ||
                (f->open.kind == TX_JOIN && v->join.n > 0) ||
                (f->open.kind == TX_PAUSE && v->pause.n > 0);
    if (gone)
        f->open = (struct coord_flight){.kind = TX_OTHER};
}

static void give(struct fuzz *f, struct coord_event event)
{
    struct coord_effects effects;
    bool kept = event.kind == EVENT_START && event.start.journal == JOURNAL_KEPT;
    struct coord_memory before = kept ? event.start.memory : f->core.memory;
    event.now = f->now;
    event.view = f->view;
    hear(f, &event);
    coord_step(&f->core, &event, &effects);
    fuzz_check_step(f, &before, &effects, event.kind);
    if (effects.count > 0 && effects.list[0].kind == EFFECT_PERSIST)
        f->journal = f->core.memory;
}

static struct coord_memory take_memory(struct feed *feed, uint64_t head)
{
    struct coord_memory m = {
        .state = (enum coord_state)take_below(feed, COORD_STATE_COUNT + 1),
        .errand = (enum coord_errand)take_below(feed, ERRAND_MAINTENANCE + 1),
        .step = (enum coord_step_kind)take_below(feed, STEP_RESTORE + 1),
        .flight = {.kind = (enum tx_kind)take_below(feed, TX_ACTIVATE + 1)},
    };
    uint8_t which = take(feed);
    m.flight.refused = which & 1;
    m.forced = which & 2;
    m.held = which & 4;
    m.failed = which & 8;
    m.lost = which & 16;
    m.frozen = which & 32;
    m.flight.twice = which & 64;
    m.flight.timeout = take_height(feed, head + 1);
    m.pause = take_height(feed, head);
    m.membership = take_height(feed, head);
    m.entered = take_height(feed, head);
    m.expected_ms = take_near(feed, 30000);
    m.later_ms = take_near(feed, 0);
    m.attempts = (uint32_t)take_near(feed, 0);
    m.pardoned = (uint32_t)take_near(feed, 0);
    m.frozen_since = take_height(feed, 0);
    return m;
}

static void restart(struct fuzz *f)
{
    struct coord_event event = {.kind = EVENT_START};
    uint8_t how = take(&f->feed);
    event.start.journal = (enum coord_journal)(how % 3);
    event.start.memory = f->journal;
    if (how & 128)
        event.start.memory = take_memory(&f->feed, view_head(f->view).n);
    if (!coord_memory_valid(&event.start.memory))
        event.start.journal = JOURNAL_DAMAGED;
    bool kept = event.start.journal == JOURNAL_KEPT;
    f->open = kept ? event.start.memory.flight : (struct coord_flight){.kind = TX_OTHER};
    if (f->open.refused)
        f->open.kind = TX_OTHER;
    coord_init(&f->core, &f->policy, US);
    give(f, event);
}

static void tell_plan(struct fuzz *f)
{
    struct coord_event event = {.kind = EVENT_PLAN};
    uint8_t how = take(&f->feed);
    event.plan.pending = how & 1;
    event.plan.voted_yes = how & 2;
    event.plan.upgrade_time.ms =
        take_near(&f->feed, instant_after(f->header, how * INT64_C(4000)).ms);
    give(f, event);
}

static void tell_peers(struct fuzz *f)
{
    struct coord_event event = {.kind = EVENT_PEERS};
    uint8_t how = take(&f->feed);
    event.peers.known = how & 1;
    event.peers.conflict = how & 2;
    event.peers.failures = how >> 2 & 3;
    event.peers.domain_out = how >> 4 & 3;
    event.peers.head = take_height(&f->feed, f->core.head.n);
    give(f, event);
}

static void tell_self(struct fuzz *f)
{
    struct coord_event event = {.kind = EVENT_SELF};
    uint8_t how = take(&f->feed);
    event.own.status = (enum coord_status)(how % 5);
    event.own.by_trustees = (how & 96) == 96;
    event.own.funded = !(how & 128);
    event.own.inactive_until.ms = take_near(&f->feed, f->header.ms);
    give(f, event);
}

/* A healthy node for the byte 0. */
static void tell_node(struct fuzz *f)
{
    struct coord_event event = {.kind = EVENT_NODE};
    uint8_t how = take(&f->feed);
    event.node.reachable = !(how & 1);
    event.node.catching_up = how & 2;
    event.node.key_matches = !(how & 4);
    event.node.lag = how & 8 ? take_raw(&f->feed) : 0;
    event.node.new_blocks = how & 16 ? 0 : 1;
    give(f, event);
}

static void tell_runtime(struct fuzz *f)
{
    struct coord_event event = {.kind = EVENT_RUNTIME};
    uint8_t how = take(&f->feed);
    event.runtime.step = how & 1 ? (enum coord_step_kind)(how >> 2 & 7) : f->core.memory.step;
    event.runtime.ok = !(how & 2);
    give(f, event);
}

static void tell_command(struct fuzz *f)
{
    struct coord_event event = {.kind = EVENT_OPERATOR};
    event.operator.command =(enum coord_command) take_below(&f->feed, COMMAND_COUNT);
    event.operator.expected_ms = take_near(&f->feed, 30000);
    give(f, event);
}

/* Of the transaction on its way, or of any. */
static void tell_tx(struct fuzz *f)
{
    struct coord_event event = {.kind = EVENT_INCLUDED};
    uint8_t how = take(&f->feed);
    enum tx_kind tx = how & 1 ? (enum tx_kind)(how >> 4 & 7) : f->core.memory.flight.kind;
    if (how & 2) {
        event.kind = EVENT_REFUSED;
        event.refused.tx = tx;
        event.refused.code = take(&f->feed);
    } else {
        event.included.tx = tx;
        event.included.height = take_height(&f->feed, f->core.head.n);
        event.included.code = take(&f->feed);
        event.included.happened = how & 4;
    }
    give(f, event);
}

static void tell_store(struct fuzz *f)
{
    struct coord_event event = {.kind = EVENT_STORE};
    event.store_works = take(&f->feed) & 1;
    give(f, event);
}

/* Where no clock and no header is so far off that differences between them end at the ends of a number. */
static bool is_of_this_age(const struct fuzz *f)
{
    const int64_t times_ms[] = {f->now.ms, f->core.head_time.ms, f->core.head_seen.ms,
                                f->core.plan.upgrade_time.ms};
    for (size_t i = 0; i < sizeof times_ms / sizeof *times_ms; i++)
        if (times_ms[i] < INT64_MIN / 4 || times_ms[i] > INT64_MAX / 4)
            return false;
    return true;
}

/* The clock goes on, or somewhere; or to the instant asked for, after which the core must not ask for it
 * again and again. */
static void tell_time(struct fuzz *f)
{
    uint8_t how = take(&f->feed);
    struct coord_deadline d = coord_deadline(&f->core, f->view);
    if (how >= 128 && d.at.ms != INT64_MAX && d.at.ms > f->now.ms)
        f->now = d.at;
    else if (how < 64)
        f->now.ms = take_near(&f->feed, f->header.ms);
    for (int i = 0; i < SPIN_MAX; i++) {
        give(f, (struct coord_event){.kind = EVENT_TIME});
        if (coord_deadline(&f->core, f->view).at.ms > f->now.ms)
            return;
    }
    assert(!is_of_this_age(f));
}

/* --- blocks --- */

/* Our transaction that is on its way gets in, as the chain takes it. */
static bool include_ours(struct fuzz *f, struct view_tx *tx, struct coord_event *event)
{
    const struct coord_flight *flight = &f->core.memory.flight;
    uint8_t how = take(&f->feed);
    if (flight->kind == TX_OTHER || view_head(f->view).n >= flight->timeout.n || how & 1)
        return false;
    bool dcl_join = flight->kind == TX_JOIN && f->config.chain == CHAIN_DCL;
    *tx = (struct view_tx){.validator = US, .kind = flight->kind, .index = 200};
    tx->code = (how & 14) == 14 ? 9 : dcl_join ? 4 : 0;
    tx->codespace = "staking";
    tx->class_minutes = 1 + how / 16;
    tx->charter = f->config.charter.id;
    *event = (struct coord_event){.kind = EVENT_INCLUDED};
    event->included.tx = tx->kind;
    event->included.height = height_after(view_head(f->view), 1);
    event->included.code = tx->code;
    event->included.happened = tx->code != 9;
    return true;
}

static void take_tx(struct fuzz *f, struct view_tx *tx, uint32_t index)
{
    static const uint32_t codes[] = {0, 0, 4, 30, 601};
    static const char *const spaces[] = {"", "staking", "validator"};
    struct feed *feed = &f->feed;
    *tx = (struct view_tx){.validator = take_below(feed, f->validators), .index = index};
    tx->kind = (enum tx_kind)take_below(feed, TX_ACTIVATE + 1);
    tx->code = codes[take_below(feed, 5)];
    tx->codespace = spaces[take_below(feed, 3)];
    tx->class_minutes = (uint32_t)take_near(feed, 2);
    tx->charter = take(feed) < 200 ? f->config.charter.id : 7;
}

static uint32_t take_changes(struct fuzz *f, struct view_change *changes, uint32_t any)
{
    uint32_t count = 0;
    bool us = f->in_set[US];
    us = f->leaves ? false : f->enters ? true : us;
    if (us != f->in_set[US])
        changes[count++] = (struct view_change){US, us ? take_power(f) : 0};
    f->in_set[US] = us;
    for (; any > 0; any--) {
        uint32_t v = take_below(&f->feed, f->validators);
        f->in_set[v] = !f->in_set[v];
        changes[count++] = (struct view_change){v, f->in_set[v] ? take_power(f) : 0};
    }
    return count;
}

static void commit(struct fuzz *f)
{
    struct view_tx txs[TXS_MAX + 1];
    struct view_change changes[4];
    struct coord_event news;
    uint32_t missing[VALIDATORS_MAX], missing_count = 0;
    uint8_t hash[HASH_SIZE], how = take(&f->feed);
    uint32_t mask = how & 1 ? take(&f->feed) : 0;
    bool ours = include_ours(f, &txs[0], &news);
    uint32_t tx_count = ours;
    for (uint32_t left = how >> 1 & 3; left > 0; left--, tx_count++)
        take_tx(f, &txs[tx_count], tx_count);
    for (uint32_t v = 0; v < f->validators; v++)
        if (mask >> (v % 8) & 1)
            missing[missing_count++] = v;
    memset(hash, (int)(how >> 4) + 1, sizeof hash);
    f->header = instant_after(f->header, BLOCK_MS);
    if ((how & 192) == 192)
        f->header.ms = take_near(&f->feed, f->header.ms);
    struct view_block block = {
        .height = height_after(view_head(f->view), 1),
        .time = f->header,
        .hash = hash,
        .missing = missing,
        .missing_count = missing_count,
        .txs = txs,
        .tx_count = tx_count,
        .changes = changes,
        .change_count = take_changes(f, changes, (how & 56) == 56 ? 1 + (how >> 7) : 0),
    };
    const struct draw *draw = view_block(f->view, &block);
    if (draw)
        fuzz_check_draw(f, draw);
    view_results(f->view, txs, tx_count);
    f->leaves = ours && txs[0].kind == TX_PAUSE && txs[0].code == 0;
    f->enters = ours && txs[0].kind >= TX_UNPAUSE && txs[0].code == 0;
    if (ours)
        give(f, news);
}

/* The latest block of the view, an older one, or any height at all. */
static void show(struct fuzz *f, uint8_t how)
{
    struct coord_event event = {.kind = EVENT_BLOCK};
    uint64_t head = view_head(f->view).n;
    event.block = how < 240   ? height_at(head)
                  : how < 248 ? height_before(height_at(head), how & 7)
                              : take_height(&f->feed, head);
    give(f, event);
    ask(f);
}

/* Blocks as they usually come: committed, the clock moves with them, our node shows them. */
static void go_on(struct fuzz *f, uint32_t count)
{
    while (count-- > 0) {
        commit(f);
        f->now = instant_after(f->now, BLOCK_MS);
        show(f, 0);
    }
}

static void happen(struct fuzz *f, uint8_t what)
{
    static void (*const events[])(struct fuzz *) = {
        restart,      tell_plan, tell_peers, tell_self, tell_node, tell_runtime,
        tell_command, tell_tx,   tell_store, tell_time, commit,
    };
    uint32_t count = sizeof events / sizeof *events;
    if (what < 128)
        events[what % count](f);
    else if (what < 192)
        go_on(f, 1 + (what & 3));
    else
        show(f, take(&f->feed));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz f = {.feed = {data, size}};
    begin(&f);
    restart(&f);
    while (f.feed.left > 0)
        happen(&f, take(&f.feed));
    view_destroy(&f.view);
    return 0;
}
