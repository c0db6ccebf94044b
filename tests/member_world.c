/* The shell of a member's world: it carries out effects, answers, and keeps the story. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/member_world.h"

/* --- the story --- */

static void tell(struct member_world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void tell(struct member_world *w, const char *format, ...)
{
    va_list arguments;
    if (w->tale == TALE_NONE)
        return;
    va_start(arguments, format);
    int n = vsnprintf(w->story + w->story_used, sizeof w->story - w->story_used, format, arguments);
    va_end(arguments);
    assert_true(n >= 0 && (size_t)n < sizeof w->story - w->story_used);
    w->story_used += (size_t)n;
}

void world_forget(struct member_world *w)
{
    w->story_used = 0;
    w->story[0] = '\0';
}

void world_story(struct member_world *w, const char *expected)
{
    bool same = strcmp(w->story, expected) == 0;
    if (!same) /* cmocka's own messages end after 1,024 bytes */
        fprintf(stderr, "--- expected\n%s--- but it was\n%s---\n", expected, w->story);
    assert_true(same);
    world_forget(w);
}

uint32_t world_told_times(const struct member_world *w, const char *text)
{
    uint32_t count = 0;
    for (const char *p = w->story; (p = strstr(p, text)); p++)
        count++;
    return count;
}

bool world_told(const struct member_world *w, const char *text)
{
    return world_told_times(w, text) > 0;
}

static const char *const tx_names[] = {"other", "join", "pause", "unpause", "activate"};
static const char *const step_names[] = {"none", "stop", "reinitialise", "start", "restore"};
static const char *const event_names[EVENT_KIND_COUNT] = {
    "start",   "block",    "included", "refused", "self",  "node",
    "runtime", "operator", "plan",     "peers",   "store", "time",
};

static void tell_send(struct member_world *w, const struct coord_effect *e)
{
    tell(w, "%ssend %s until %" PRIu64, w->tale == TALE_WHOLE ? "  " : "", tx_names[e->send.tx],
         e->send.timeout.n);
    if (e->send.tx == TX_JOIN)
        tell(w, ", %" PRIu32 " minutes", e->send.class_minutes);
    tell(w, "\n");
}

static void tell_say(struct member_world *w, const struct coord_say *say)
{
    char text[300];
    w->given[say->reason] = true;
    if (w->tale == TALE_WHOLE || say->level > LEVEL_DEBUG)
        tell(w, "%s%s%s\n", w->tale == TALE_WHOLE ? "  " : "",
             say->level == LEVEL_BROKEN ? "BROKEN: " : "", coord_sentence(say, text, sizeof text));
}

static void tell_effect(struct member_world *w, const struct coord_effect *e)
{
    bool whole = w->tale == TALE_WHOLE;
    if (e->kind == EFFECT_SEND)
        tell_send(w, e);
    else if (e->kind == EFFECT_SAY)
        tell_say(w, &e->say);
    else if (e->kind == EFFECT_RUNTIME)
        tell(w, "%srun %s\n", whole ? "  " : "", step_names[e->step]);
    else if (whole && e->kind == EFFECT_PERSIST)
        tell(w, "  persist %s\n", coord_state_name(world_state(w)));
    else if (whole)
        tell(w, "  %s\n",
             e->kind == EFFECT_ASK_SELF   ? "ask self"
             : e->kind == EFFECT_ASK_NODE ? "ask node"
                                          : "announce");
}

/* --- opening and closing --- */

struct world_setup world_usual(void)
{
    return (struct world_setup){
        .members = 10,
        .chain = CHAIN_KIRA,
        .joins_max = 8,
        .epoch_blocks = 3,
        .policy = coord_policy_default(),
    };
}

static struct view *create_view(const struct member_world *w, const struct charter *charter)
{
    struct view_change set[WORLD_MAX];
    struct view_config config = {
        .charter = *charter,
        .chain = w->setup.chain,
        .empty_blocks = !w->setup.rare_blocks,
        .capacity = WORLD_MAX,
    };
    struct view *view = view_create(&config);
    assert_non_null(view);
    for (uint32_t v = 0; v < w->setup.members; v++) {
        uint8_t address[ADDRESS_SIZE];
        memset(address, (int)(v * 37 + 1) & 255, sizeof address);
        assert_int_equal(view_enrol(view, address), v);
        set[v] = (struct view_change){v, 1};
    }
    view_begin(view, height_at(1), height_at(w->height + 1), set, w->setup.members);
    return view;
}

void world_open(struct member_world *w, const struct world_setup *setup)
{
    world_close(w);
    memset(w, 0, sizeof *w);
    w->setup = setup ? *setup : world_usual();
    w->charter = charter_default("story-1", 1, WORLD_BLOCK_MS);
    w->charter.epoch_blocks = w->setup.epoch_blocks;
    w->charter.round_blocks = 20 * w->setup.epoch_blocks;
    w->charter.reference_blocks = 7 * w->charter.round_blocks;
    w->charter.joins_max = w->setup.joins_max;
    charter_seal(&w->charter);
    for (uint32_t v = 0; v < w->setup.members; v++)
        w->next[v] = w->want[v] = w->will[v] = true;
    w->view = create_view(w, &w->charter);
    w->time = w->now = (struct instant){WORLD_START_MS};
    w->block_ms = WORLD_BLOCK_MS;
    w->node = (struct world_node){.up = true, .new_blocks = 1};
    w->self = (struct coord_self){.status = COORD_ACTIVE, .funded = true};
    w->crash_after = -1;
}

void world_close(struct member_world *w)
{
    view_destroy(&w->view);
    view_destroy(&w->other);
}

void world_begin_late(struct member_world *w, uint64_t height)
{
    view_destroy(&w->view);
    w->height = height - 1;
    w->view = create_view(w, &w->charter);
}

void world_second_charter(struct member_world *w, uint64_t min_validators)
{
    struct charter charter = w->charter;
    charter.min_validators = min_validators;
    charter_seal(&charter);
    w->other = create_view(w, &charter);
}

void world_change_charter(struct member_world *w)
{
    struct view *old = w->view;
    w->view = w->other;
    w->other = old;
    world_event(w, (struct coord_event){.kind = EVENT_TIME});
}

/* --- carrying out --- */

static enum world_fate draw_fate(struct member_world *w, enum tx_kind kind)
{
    if (w->fate_left[kind] == 0)
        return FATE_TAKEN;
    w->fate_left[kind]--;
    return w->fate[kind];
}

/* Without a YES vote an unpause is sent again when the one before it must have died by the clock. */
static bool is_urgent(const struct member_world *w, enum tx_kind kind)
{
    return w->core.plan.pending && !w->core.plan.voted_yes &&
           (kind == TX_UNPAUSE || kind == TX_ACTIVATE);
}

/* Nothing of ours may still reach a block when we send; a pause least of all. */
static void check_flight(const struct member_world *w, const struct world_send *send)
{
    for (uint32_t i = 0; i < w->pool_count && !w->forgetful; i++) {
        const struct world_send *before = &w->pool[i];
        bool dead = before->timeout.n && before->timeout.n <= w->height;
        assert_true(dead || before->urgent || (send->urgent && before->kind != TX_PAUSE));
    }
    struct height head = w->core.head, limit = height_after(head, w->core.memory.forced ? 1 : 0);
    uint64_t latest = charter_boundary(&w->charter, limit).n + w->charter.epoch_blocks;
    if (send->kind == TX_PAUSE &&
        w->core.memory.forced) /* of the next block's epoch when it was first sent */
        assert_true(charter_is_boundary(&w->charter, send->timeout) && send->timeout.n > head.n &&
                    send->timeout.n <= latest);
    else if (send->kind == TX_PAUSE)
        assert_int_equal(send->timeout.n, latest);
}

static void carry_send(struct member_world *w, const struct coord_effect *e)
{
    struct world_send send = {.kind = e->send.tx,
                              .at = w->core.head,
                              .timeout = e->send.timeout,
                              .class_minutes = e->send.class_minutes,
                              .charter = e->send.charter,
                              .urgent = is_urgent(w, e->send.tx)};
    assert_true(w->send_count < WORLD_SENDS_MAX && w->pool_count < WORLD_SENDS_MAX);
    check_flight(w, &send);
    w->sends[w->send_count++] = send;
    w->refused = TX_OTHER; /* what became of an earlier one is no news any more */
    enum world_fate fate = draw_fate(w, send.kind);
    if (fate == FATE_REFUSED || (send.timeout.n && send.timeout.n <= w->height)) {
        w->refused = send.kind;
        w->refused_code = fate == FATE_REFUSED ? 4 : 30;
        return;
    }
    send.at = fate == FATE_LOST ? HEIGHT_NEVER : fate == FATE_FAILED ? HEIGHT_NONE : send.at;
    w->pool[w->pool_count++] = send;
}

static void carry_step(struct member_world *w, enum coord_step_kind step)
{
    bool fails = w->failing == step && w->failing_left > 0;
    w->ended = step;
    w->ended_ok = !fails;
    w->failing_left -= fails;
    if (fails)
        return;
    w->reinits += step == STEP_REINIT;
    w->restores += step == STEP_RESTORE;
    if (step == STEP_STOP)
        w->node.up = false;
    if (step == STEP_START || step == STEP_RESTORE)
        w->node = (struct world_node){.up = true};
}

static void carry_out(struct member_world *w, const struct coord_effect *e)
{
    tell_effect(w, e);
    w->effects++;
    if (e->kind == EFFECT_PERSIST) {
        w->journal = *coord_memory(&w->core);
        assert_true(coord_memory_valid(&w->journal));
        w->written = true;
    } else if (e->kind == EFFECT_SEND) {
        carry_send(w, e);
    } else if (e->kind == EFFECT_RUNTIME) {
        carry_step(w, e->step);
    }
    w->ask_self |= e->kind == EFFECT_ASK_SELF;
    w->ask_node |= e->kind == EFFECT_ASK_NODE;
}

/* What holds of every step, whatever the story. */
static void check_effects(const struct member_world *w, const struct coord_memory *before,
                          const struct coord_effects *effects, bool started)
{
    const struct coord_memory *after = coord_memory(&w->core);
    uint32_t sends = 0;
    for (uint32_t i = 0; i < effects->count; i++) {
        const struct coord_effect *e = &effects->list[i];
        assert_true(i == 0 || e->kind != EFFECT_PERSIST);
        sends += e->kind == EFFECT_SEND;
        if (e->kind == EFFECT_SEND || e->kind == EFFECT_RUNTIME)
            assert_int_equal(effects->list[0].kind, EFFECT_PERSIST);
        if (e->kind == EFFECT_SEND)
            assert_int_equal(after->flight.kind, e->send.tx);
    }
    assert_true(sends <= 1);
    if (before->state != after->state && !started)
        assert_int_equal(effects->list[0].kind, EFFECT_PERSIST);
}

static void give_once(struct member_world *w, struct coord_event *event)
{
    struct coord_effects effects;
    struct coord_memory before = *coord_memory(&w->core);
    if (!w->alive)
        return;
    event->now = w->now;
    event->view = w->view;
    coord_step(&w->core, event, &effects);
    check_effects(w, &before, &effects, event->kind == EVENT_START);
    if (w->tale == TALE_WHOLE && effects.count)
        tell(w, "%s\n", event_names[event->kind]);
    for (uint32_t i = 0; i < effects.count && w->alive; i++) {
        if (w->crash_after == 0) {
            world_kill(w);
            return;
        }
        w->crash_after -= w->crash_after > 0;
        carry_out(w, &effects.list[i]);
    }
    if (before.state != world_state(w))
        tell(w, "%s-> %s\n", w->tale == TALE_WHOLE ? "  " : "", coord_state_name(world_state(w)));
}

/* A start, a command and a failure of a step count each time; the rest only tells what is. */
static bool may_repeat(const struct coord_event *event)
{
    return event->kind != EVENT_START && event->kind != EVENT_OPERATOR &&
           event->kind != EVENT_RUNTIME;
}

static void give(struct member_world *w, struct coord_event *event)
{
    give_once(w, event);
    if (w->twice && may_repeat(event))
        give_once(w, event);
}

void world_event(struct member_world *w, struct coord_event event)
{
    give(w, &event);
    if (!w->manual)
        world_answer(w);
}

/* --- what the agent is told --- */

void world_tell_self(struct member_world *w)
{
    struct coord_event event = {.kind = EVENT_SELF, .own = w->self};
    w->ask_self = false;
    give(w, &event);
}

void world_tell_node(struct member_world *w)
{
    struct coord_event event = {.kind = EVENT_NODE};
    w->ask_node = false;
    w->told = w->node;
    event.node.reachable = w->node.up;
    event.node.catching_up = w->node.catching_up;
    event.node.key_matches = !w->node.foreign_key;
    event.node.lag = w->node.lag;
    event.node.new_blocks = w->node.new_blocks;
    give(w, &event);
}

static void tell_step(struct member_world *w)
{
    struct coord_event event = {.kind = EVENT_RUNTIME};
    event.runtime.step = w->ended;
    event.runtime.ok = w->ended_ok;
    w->ended = STEP_NONE;
    give(w, &event);
}

static void tell_refusal(struct member_world *w)
{
    struct coord_event event = {.kind = EVENT_REFUSED};
    event.refused.tx = w->refused;
    event.refused.code = w->refused_code;
    w->refused = TX_OTHER;
    give(w, &event);
}

static bool node_changed(const struct member_world *w)
{
    return w->node.up != w->told.up || w->node.catching_up != w->told.catching_up ||
           w->node.foreign_key != w->told.foreign_key || w->node.lag != w->told.lag ||
           (world_state(w) == COORD_SYNCING && w->node.new_blocks != w->told.new_blocks);
}

void world_answer(struct member_world *w)
{
    for (uint32_t round = 0; w->alive; round++) {
        assert_true(round < 1000);
        if (w->ended != STEP_NONE)
            tell_step(w);
        else if (w->ask_self)
            world_tell_self(w);
        else if (w->ask_node || node_changed(w))
            world_tell_node(w);
        else if (w->refused != TX_OTHER)
            tell_refusal(w);
        else
            break;
    }
}

void world_start(struct member_world *w, enum coord_journal journal)
{
    coord_init(&w->core, &w->setup.policy, US);
    w->alive = true;
    w->forgetful |= journal != JOURNAL_KEPT;
    w->news_count = 0;
    w->refused = TX_OTHER;
    w->ended = STEP_NONE;
    struct coord_event event = {.kind = EVENT_START};
    event.start.journal = journal;
    if (journal == JOURNAL_KEPT)
        event.start.memory = w->journal;
    world_event(w, event);
}

void world_kill(struct member_world *w)
{
    w->alive = false;
    w->ask_self = w->ask_node = false;
    w->crash_after = -1;
    tell(w, "KILLED\n");
}

void world_command(struct member_world *w, enum coord_command command, int64_t expected_ms)
{
    struct coord_event event = {.kind = EVENT_OPERATOR};
    event.operator.command = command;
    event.operator.expected_ms = expected_ms;
    world_event(w, event);
}

void world_plan(struct member_world *w, int64_t upgrade_in_ms, bool voted_yes)
{
    struct coord_event event = {.kind = EVENT_PLAN};
    event.plan.pending = true;
    event.plan.voted_yes = voted_yes;
    event.plan.upgrade_time = instant_after(w->time, upgrade_in_ms);
    world_event(w, event);
}

void world_wait(struct member_world *w, int64_t ms)
{
    struct instant end = instant_after(w->now, ms);
    for (uint32_t i = 0; w->alive; i++) {
        struct coord_deadline d = coord_deadline(&w->core, w->view);
        if (d.at.ms > end.ms)
            break;
        assert_true(i < 1000);
        w->now.ms = d.at.ms > w->now.ms ? d.at.ms : w->now.ms;
        world_event(w, (struct coord_event){.kind = EVENT_TIME});
    }
    w->now = end;
}

void world_fate(struct member_world *w, enum tx_kind kind, enum world_fate fate, uint32_t times)
{
    w->fate[kind] = fate;
    w->fate_left[kind] = times;
}

void world_fail_step(struct member_world *w, enum coord_step_kind step, uint32_t times)
{
    w->failing = step;
    w->failing_left = times;
}

/* --- looking --- */

enum coord_state world_state(const struct member_world *w)
{
    return coord_memory(&w->core)->state;
}

bool world_in_set(const struct member_world *w, uint32_t validator)
{
    return w->next[validator];
}

uint32_t world_sent(const struct member_world *w, enum tx_kind kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < w->send_count; i++)
        count += w->sends[i].kind == kind;
    return count;
}

const struct world_send *world_last_send(const struct member_world *w, enum tx_kind kind)
{
    for (uint32_t i = w->send_count; i-- > 0;)
        if (w->sends[i].kind == kind)
            return &w->sends[i];
    fail_msg("no %s was sent", tx_names[kind]);
    return NULL;
}

/* --- beginnings --- */

struct member_world *world_begin(struct member_world *w, const struct world_setup *setup)
{
    world_open(w, setup);
    world_start(w, JOURNAL_KEPT);
    world_to(w, 4);
    world_forget(w);
    return w;
}

struct member_world *world_begin_turn(struct member_world *w, enum coord_state state)
{
    world_begin(w, NULL);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_until(w, state);
    world_forget(w);
    return w;
}

struct member_world *world_begin_offline(struct member_world *w)
{
    world_begin_turn(w, COORD_PAUSED);
    w->manual = true;
    world_block(w);
    assert_int_equal(world_state(w), COORD_OFFLINE);
    world_forget(w);
    return w;
}

void world_come_back(struct member_world *w)
{
    w->manual = false;
    world_answer(w);
}
