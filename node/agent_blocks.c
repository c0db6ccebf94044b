/* The feed: blocks into view and journal, to the core in order; the charter; the pace. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "node/agent_internal.h"

#define CLOCK_MAX_MS 300000 /* what our clock and the chain's may differ by */
#define PROGRESS_BLOCKS 1000

static struct view_config view_config_of(const struct agent *agent, const struct charter *charter)
{
    const struct chain_driver *driver = chain_driver_of(agent->chain);
    return feed_view_config(driver->kind, driver->empty_blocks, charter);
}

/* --- what the feed tells --- */

static void on_begun(void *owner, const struct view_config *config, const struct view *view,
                     struct height chain_first, struct height first, const struct view_change *set,
                     uint32_t count)
{
    struct agent *agent = owner;
    journal_append_begin(agent->journal, config, view, chain_first, first, set, count);
}

static bool is_ours(const struct agent *agent, const struct view *view, const struct view_tx *tx)
{
    return tx->kind != TX_OTHER && tx->validator != VALIDATOR_NONE &&
           memcmp(view_validator(view, tx->validator)->address, agent->validator, ADDRESS_SIZE) ==
               0;
}

static void on_taken(void *owner, const struct view *view, const struct view_block *block)
{
    struct agent *agent = owner;
    journal_append_block(agent->journal, view, block);
    for (uint32_t i = 0; i < block->tx_count; i++)
        if (is_ours(agent, view, &block->txs[i]))
            agent->own_tx = block->height;
}

/* Of whatever transaction of our validator, also when the operator has sent it by other means. */
static void tell_included(struct agent *agent, const struct view *view, const struct view_tx *tx)
{
    struct coord_event event = {.kind = EVENT_INCLUDED};
    event.included.tx = tx->kind;
    event.included.height = view_head(view);
    event.included.code = tx->code;
    event.included.happened = tx->kind == TX_JOIN
                                  ? view_join_counts(view_chain(view), tx->code, tx->codespace)
                                  : tx->code == 0;
    agent_event(agent, &event);
}

static void on_resulted(void *owner, const struct view *view, const struct view_tx *txs,
                        uint32_t count)
{
    struct agent *agent = owner;
    journal_append_results(agent->journal, view, txs, count);
    agent->own_tx = HEIGHT_NONE;
    for (uint32_t i = 0; agent->started && i < count; i++)
        if (is_ours(agent, view, &txs[i]))
            tell_included(agent, view, &txs[i]);
}

static void on_note(void *owner, const char *line)
{
    agent_say(owner, LEVEL_UNUSUAL, "%s", line);
}

static void on_progress(void *owner, const struct feed_progress *progress)
{
    struct agent *agent = owner;
    if (agent->feed_ready || progress->head.n % PROGRESS_BLOCKS != 0)
        return;
    agent_wait_for(agent, "blocks are being read: %" PRIu64 " of %" PRIu64, progress->head.n,
                   progress->top.n);
}

/* A block that has just been made shows what time it was when the one before it was signed. */
static int64_t clock_off(struct agent *agent, struct height height)
{
    int64_t now_ms = zclock_mono(), seen_ms = agent->block_seen_ms;
    int64_t off_ms = instant_since(agent_now(), view_pulse(agent_view(agent), height)->time);
    agent->block_seen_ms = now_ms;
    if (seen_ms == 0)
        return 0;
    int64_t since_ms = now_ms - seen_ms;
    return off_ms > since_ms ? off_ms - since_ms : (off_ms < 0 ? off_ms : 0);
}

static void compare_clocks(struct agent *agent, struct height height)
{
    int64_t off_ms = clock_off(agent, height);
    bool is_odd = off_ms > CLOCK_MAX_MS || off_ms < -CLOCK_MAX_MS;
    bool is_off = is_odd && agent->clock_odd, was_off = agent->clock_off_ms != 0;
    agent->clock_odd = is_odd; /* the first block after a long pause of the chain is */
    agent->clock_off_ms = is_off ? off_ms : 0;
    if (is_off && !was_off)
        agent_look_around(agent);
    else if (!is_off && was_off)
        agent_say(agent, LEVEL_INFO, "our clock agrees with the chain's again");
}

/* The latest block for the core: what is decided is decided by what the chain shows now, not by what it showed. A block
 * with a transaction of ours waits for its result, which the block behind it binds: until then the core would take a
 * pause in the last block that may hold it for one that never happened. */
void agent_show_head(struct agent *agent)
{
    struct height head = view_head(agent_view(agent));
    if (!agent->started || head.n <= agent->core.head.n || agent->own_tx.n == head.n)
        return;
    struct coord_event event = {.kind = EVENT_BLOCK, .block = head};
    agent_event(agent, &event);
}

static void on_block(void *owner, const struct feed *feed, struct height height)
{
    struct agent *agent = owner;
    if (!agent->started || height.n < feed_head(feed).n)
        return;
    agent->facts.height = height.n;
    agent_runtime_block(agent);
    compare_clocks(agent, height);
    agent_peers_tell(agent);
    if (height.n >= coord_deadline(&agent->core, agent_view(agent)).block.n)
        agent_show_head(agent);
    agent_changed(agent);
}

static void on_own_changed(void *owner, const struct feed *feed)
{
    (void)feed;
    agent_tell_node(owner);
}

/* --- its life --- */

static void on_done(void *owner, const struct fault *fault);

static bool start_feed(struct agent *agent, struct view *kept, struct fault *fault)
{
    const struct chain_driver *driver = chain_driver_of(agent->chain);
    const struct chain_facts *facts = chain_facts(agent->chain);
    struct feed_config config = {
        .loop = agent->loop,
        .rpc = agent->rpc,
        .own = 0,
        .chain = driver->kind,
        .empty_blocks = driver->empty_blocks,
        .charter = agent->charter,
        .records = facts->records,
        .record_count = facts->record_count,
        .follow = true,
        .kept = kept,
        .kept_results_due = kept && journal_results_due(agent->journal),
        .poll_ms = agent->hasty ? AGENT_TURN_POLL_MS : AGENT_IDLE_POLL_MS,
        .owner = agent,
        .progress = on_progress,
        .note = on_note,
        .block = on_block,
        .done = on_done,
        .begun = on_begun,
        .taken = on_taken,
        .resulted = on_resulted,
        .own_changed = on_own_changed,
    };
    agent->feed_ready = false;
    agent->own_tx = config.kept_results_due ? view_head(kept) : HEIGHT_NONE; /* perhaps ours */
    agent->feed = feed_create(&config);
    if (!agent->feed)
        return fault_set(fault, "out of memory for the chain's blocks");
    feed_run(agent->feed);
    return true;
}

/* The kept blocks lack some that the draw needs, and somebody has them by now: all are read anew. */
static bool has_more(const struct agent *agent, const struct view *kept)
{
    const struct chain_comparison *others = chain_comparison(agent->chain);
    if (view_complete(kept, height_after(view_head(kept), 1)))
        return false;
    for (uint32_t i = 0; i < others->count; i++) {
        const struct chain_witness *w = &others->witnesses[i];
        if (w->verdict == CHAIN_WELL && w->answered && w->status.earliest_height > 0 &&
            (uint64_t)w->status.earliest_height < view_first(kept).n)
            return true;
    }
    return false;
}

bool agent_blocks_start(struct agent *agent, struct fault *fault)
{
    struct view_config config = view_config_of(agent, &agent->charter);
    struct view *kept = NULL;
    agent_blocks_stop(agent);
    if (agent->has_history) {
        kept = journal_view(agent->journal, &config, fault);
        if (!kept)
            return false;
        if (has_more(agent, kept)) {
            agent_say(agent, LEVEL_INFO, "blocks that were missing can be had: all are read anew");
            view_destroy(&kept);
        }
    }
    return start_feed(agent, kept, fault);
}

void agent_blocks_stop(struct agent *agent)
{
    if (agent->feed)
        feed_destroy(&agent->feed);
    agent->feed_ready = false;
}

static int on_begin_anew(zloop_t *loop, int timer, void *owner)
{
    struct agent *agent = owner;
    struct fault fault;
    (void)loop;
    (void)timer;
    if (!agent_blocks_start(agent, &fault))
        agent_wait_for(agent, "%s", fault.text);
    return 0;
}

/* The range has been read: the core can start, or go on. */
static void on_ready(struct agent *agent)
{
    agent->feed_ready = agent->has_history = true;
    if (view_find(agent_view(agent), agent->validator) == VALIDATOR_NONE) {
        agent_wait_for(agent, "our validator is not among those that the blocks name");
        return;
    }
    agent_wait_for(agent, "%s", "");
    agent->stage = AGENT_RUNNING;
    agent->facts.height = view_head(agent_view(agent)).n;
    if (!agent->started) {
        agent_start_core(agent);
        agent_tell_plan(agent); /* before anything is done that it could forbid */
    }
    agent_peers_allow(agent);
    agent_peers_announce(agent);
    agent_ask_plan(agent);
    agent_ask_node(agent);
    agent_show_head(agent);
}

/* Without blocks there is no core: it starts again, as after a crash, when they are there. */
static void suspend(struct agent *agent)
{
    if (!agent->started)
        return;
    agent->started = false;
    agent->found = (struct journal_found){.kind = JOURNAL_KEPT, .memory = agent->core.memory};
    agent->stage = AGENT_READING;
}

static void on_done(void *owner, const struct fault *fault)
{
    struct agent *agent = owner;
    if (!fault) {
        on_ready(agent);
        return;
    }
    agent->feed_ready = false;
    agent_wait_for(agent, "%s", fault->text);
    suspend(agent);
    if (feed_ended(agent->feed) == FEED_FORK)
        return; /* the operator decides */
    if (feed_ended(agent->feed) == FEED_GAP)
        agent->has_history = false;
    zloop_timer(agent->loop, AGENT_BEGIN_ANEW_MS, 1, on_begin_anew, agent);
}

void agent_blocks_records(struct agent *agent)
{
    const struct chain_facts *facts = chain_facts(agent->chain);
    if (agent->feed)
        feed_records(agent->feed, facts->records, facts->record_count);
}

/* --- pace --- */

void agent_pace(struct agent *agent, bool haste)
{
    if (agent->hasty == haste)
        return;
    agent->hasty = haste;
    if (agent->feed)
        feed_pace(agent->feed, haste ? AGENT_TURN_POLL_MS : AGENT_IDLE_POLL_MS);
}

/* --- the charter --- */

void agent_charter_changed(struct agent *agent, uint64_t min_validators)
{
    struct charter charter;
    struct fault fault;
    if (!agent->feed_ready || agent->stepping)
        return;
    if (!settings_charter(agent->settings, agent->chain_id, min_validators, &charter, &fault)) {
        agent_wait_for(agent, "%s", fault.text);
        return;
    }
    if (charter.id == agent->charter.id)
        return;
    struct view_config config = view_config_of(agent, &charter);
    struct view *view = journal_view(agent->journal, &config, &fault);
    if (!view) {
        agent_say(agent, LEVEL_BROKEN, "%s", fault.text);
        return;
    }
    agent_say(agent, LEVEL_UNUSUAL,
              "min_validators is %" PRIu64 " now: our charter is %08" PRIx32 ", it was %08" PRIx32,
              min_validators, charter.id, agent->charter.id);
    agent->charter = charter;
    agent_blocks_stop(agent);
    if (!start_feed(agent, view, &fault))
        agent_wait_for(agent, "%s", fault.text);
}
