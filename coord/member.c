/* coord_step(): takes an event into what is known, then lets the state act on it (turn.c). */
#include <assert.h>
#include <stddef.h>

#include "coord/coord_internal.h"

#define TOO_LATE_STEPS 1000000 /* attempts beyond which a memory is no memory of ours */

static const uint16_t moves[COORD_STATE_COUNT] = {
#define TO(state) (1u << COORD_##state)
    [COORD_IDLE] = TO(JOINING) | TO(PAUSING) | TO(SYNCING),
    [COORD_JOINING] = TO(IDLE) | TO(WAITING) | TO(PAUSING) | TO(SYNCING),
    [COORD_WAITING] = TO(IDLE) | TO(JOINING) | TO(PAUSING) | TO(SYNCING),
    [COORD_PAUSING] = TO(JOINING) | TO(PAUSED),
    [COORD_PAUSED] = TO(LEFT) | TO(UNPAUSING) | TO(SETTLING),
    [COORD_LEFT] = TO(OFFLINE) | TO(UNPAUSING),
    [COORD_OFFLINE] = TO(SYNCING) | TO(UNPAUSING),
    [COORD_SYNCING] = TO(UNPAUSING) | TO(SETTLING),
    [COORD_UNPAUSING] = TO(SETTLING),
    [COORD_SETTLING] = TO(JOINING) | TO(DONE) | TO(IDLE) | TO(UNPAUSING),
    [COORD_DONE] = TO(IDLE) | TO(JOINING) | TO(PAUSING) | TO(SYNCING),
#undef TO
};

static const char *const names[COORD_STATE_COUNT] = {
    "IDLE",    "JOINING", "WAITING",   "PAUSING",  "PAUSED", "LEFT",
    "OFFLINE", "SYNCING", "UNPAUSING", "SETTLING", "DONE",
};

bool coord_moves(enum coord_state from, enum coord_state to)
{
    assert((unsigned)from < COORD_STATE_COUNT && (unsigned)to < COORD_STATE_COUNT);
    return moves[from] >> to & 1;
}

const char *coord_state_name(enum coord_state state)
{
    assert((unsigned)state < COORD_STATE_COUNT);
    return names[state];
}

/* What must hold on entering a state, whatever brought us there. */
static void check_entry(const struct step *s, enum coord_state to)
{
    const struct coord_memory *m = &s->c->memory;
    assert(to != COORD_PAUSED || m->pause.n > 0);
    assert(to != COORD_LEFT || MUTATED(OFFLINE_EARLY) ||
           (s->c->head.n > m->pause.n && !coord_in_set(s->c, s->view)));
    assert(to != COORD_OFFLINE || (m->state == COORD_LEFT && m->errand != ERRAND_NONE));
    assert(to != COORD_WAITING || m->flight.kind == TX_OTHER);
}

void step_move(struct step *s, enum coord_state to)
{
    assert(coord_moves(s->c->memory.state, to));
    check_entry(s, to);
    s->c->memory.state = to;
    s->c->told = REASON_NONE;
    s->dirty = true;
    step_effect(s, (struct coord_effect){.kind = EFFECT_ANNOUNCE});
}

/* The list's first place is kept for PERSIST. */
void step_effect(struct step *s, struct coord_effect effect)
{
    assert(s->effects->count < COORD_EFFECTS_MAX);
    s->effects->list[s->effects->count++] = effect;
}

void step_say(struct step *s, enum coord_level level, enum coord_line line,
              enum coord_reason reason, int64_t a, int64_t b, int64_t c, int64_t d)
{
    step_effect(s, (struct coord_effect){
                       .kind = EFFECT_SAY,
                       .say = {level, line, reason, {(int64_t)s->c->head.n, a, b, c, d}},
                   });
}

void step_send(struct step *s, enum tx_kind tx, struct height timeout, uint32_t class_minutes)
{
    struct coord_memory *m = &s->c->memory;
    bool twice = m->flight.refused && m->flight.kind == tx;
    assert(m->flight.kind == TX_OTHER || m->flight.refused);
    m->flight = (struct coord_flight){.kind = tx, .twice = twice, .timeout = timeout};
    s->c->retry = INSTANT_NEVER;
    s->dirty = true;
    if (tx == TX_PAUSE && MUTATED(NO_TIMEOUT))
        timeout = HEIGHT_NONE;
    if (tx == TX_PAUSE && MUTATED(LATE_TIMEOUT))
        timeout = height_after(timeout, 1);
    if (timeout.n == UINT64_MAX)
        timeout = HEIGHT_NONE; /* on the wire, 0 stands for none */
    step_effect(s, (struct coord_effect){
                       .kind = EFFECT_SEND,
                       .send = {tx, timeout, class_minutes, view_charter(s->view)->id},
                   });
}

void step_runtime(struct step *s, enum coord_step_kind step)
{
    s->c->memory.step = step;
    s->c->again = INSTANT_NEVER;
    s->dirty = true;
    s->c->node.known = false; /* what it said before it was touched is stale */
    step_effect(s, (struct coord_effect){.kind = EFFECT_RUNTIME, .step = step});
}

void step_ask_self(struct step *s)
{
    s->c->asked = s->c->head;
    s->c->own.known = false;
    step_effect(s, (struct coord_effect){.kind = EFFECT_ASK_SELF});
}

void step_refuse(struct step *s, enum coord_reason reason)
{
    if (s->c->told == reason)
        return;
    s->c->told = reason;
    step_say(s, LEVEL_INFO, SAY_REFUSED, reason, 0, 0, 0, 0);
}

/* --- events --- */

static void on_start(struct step *s)
{
    struct coord *c = s->c;
    bool kept = s->event->start.journal == JOURNAL_KEPT;
    if (kept) {
        assert(coord_memory_valid(&s->event->start.memory));
        c->memory = s->event->start.memory;
    }
    c->memory.lost |= !kept;
    c->recovering = true;
    step_say(s, kept ? LEVEL_INFO : LEVEL_UNUSUAL,
             kept                                         ? SAY_STARTED
             : s->event->start.journal == JOURNAL_DAMAGED ? SAY_JOURNAL_DAMAGED
                                                          : SAY_JOURNAL_LOST,
             REASON_NONE, c->memory.state, 0, 0, 0);
    step_ask_self(s);
    step_effect(s, (struct coord_effect){.kind = EFFECT_ASK_NODE});
    if (c->memory.step !=
        STEP_NONE) /* a step cut short is done again: every driver's steps are idempotent */
        step_runtime(s, c->memory.step);
}

static void on_block(struct step *s)
{
    struct coord *c = s->c;
    const struct coord_flight *flight = &c->memory.flight;
    const struct view_pulse *pulse = view_pulse(s->view, s->event->block);
    if (s->event->block.n <= c->head.n || !pulse) /* no block that the view can tell about */
        return;
    if (c->head.n == 0)
        c->woke = s->event->block;
    c->head = s->event->block;
    c->head_time = pulse->time;
    c->head_seen = s->event->now;
    if (flight->kind != TX_OTHER && c->head.n >= flight->timeout.n) {
        step_say(s, LEVEL_UNUSUAL, SAY_TIMED_OUT, REASON_NONE, flight->kind,
                 (int64_t)flight->timeout.n, 0, 0);
        c->memory.flight = (struct coord_flight){.kind = TX_OTHER};
        s->dirty = true;
    }
}

/* A transaction with a code changed nothing. It does not end the flight of a pause that was sent again: the refusal
 * before may have been none, and then its twin may happen until the timeout that they share. */
static void on_included(struct step *s)
{
    struct coord_memory *m = &s->c->memory;
    enum tx_kind tx = s->event->included.tx;
    struct height h = s->event->included.height;
    bool happened = s->event->included.happened;
    if (m->flight.kind == tx && (happened || tx != TX_PAUSE || !m->flight.twice)) {
        m->flight = (struct coord_flight){.kind = TX_OTHER};
        s->c->retry = INSTANT_NEVER;
        s->dirty = true;
    }
    if (tx != TX_JOIN && happened && h.n > m->membership.n) {
        m->membership = h;
        s->dirty = true;
    }
    if (!happened) {
        step_say(s, LEVEL_UNUSUAL, SAY_TX_FAILED, REASON_NONE, tx, s->event->included.code,
                 (int64_t)h.n, 0);
        if (tx != TX_JOIN)
            step_ask_self(s);
    } else if (tx == TX_PAUSE && m->state == COORD_PAUSING) {
        m->pause = h;
        s->dirty = true;
    } else if (tx == TX_UNPAUSE || tx == TX_ACTIVATE) {
        m->entered = h;
        s->dirty = true;
    }
}

static void on_refused(struct step *s)
{
    struct coord_flight *flight = &s->c->memory.flight;
    if (flight->kind != s->event->refused.tx)
        return;
    flight->refused = true;
    s->dirty = true;
    s->c->retry = instant_after(s->event->now, s->c->policy->retry_ms);
    step_say(s, LEVEL_UNUSUAL, SAY_TX_REFUSED, REASON_NONE, flight->kind, s->event->refused.code, 0,
             0);
}

static void step_failed(struct step *s)
{
    struct coord *c = s->c;
    c->memory.attempts++;
    s->dirty = true;
    step_say(s, LEVEL_BROKEN, SAY_STEP_FAILED, REASON_NONE, c->memory.step, c->memory.attempts, 0,
             0);
    if (c->memory.attempts >= c->policy->attempts_max &&
        (c->memory.step == STEP_REINIT || c->memory.step == STEP_START)) {
        c->memory.failed = true;
        c->memory.errand = ERRAND_NONE;
        c->memory.attempts = 0;
        step_say(s, LEVEL_BROKEN, SAY_RESTORING, REASON_NONE, 0, 0, 0, 0);
        step_runtime(s, STEP_RESTORE);
        return;
    }
    c->again =
        instant_after(s->event->now, c->policy->retry_ms); /* the deadline does the step again */
}

static void on_runtime(struct step *s)
{
    static const enum coord_step_kind next[] = {
        [STEP_STOP] = STEP_REINIT,
        [STEP_REINIT] = STEP_START,
        [STEP_START] = STEP_NONE,
        [STEP_RESTORE] = STEP_NONE,
    };
    struct coord_memory *m = &s->c->memory;
    if (m->step == STEP_NONE || s->event->runtime.step != m->step)
        return;
    if (!s->event->runtime.ok) {
        step_failed(s);
        return;
    }
    m->attempts = 0;
    step_say(s, LEVEL_INFO, SAY_STEP, REASON_NONE, m->step, 0, 0, 0);
    if (m->step == STEP_REINIT) {
        m->errand = ERRAND_NONE; /* what the turn was for is through */
        m->failed = false;
    }
    if (next[m->step] != STEP_NONE) {
        step_runtime(s, next[m->step]);
        return;
    }
    m->step = STEP_NONE;
    s->dirty = true;
    step_effect(s, (struct coord_effect){.kind = EFFECT_ASK_NODE});
}

static void on_time(struct step *s)
{
    struct coord *c = s->c;
    if (s->event->now.ms >= c->retry.ms)
        c->retry = INSTANT_NEVER;
    if (s->event->now.ms < c->again.ms)
        return;
    c->again = INSTANT_NEVER;
    if (c->memory.step != STEP_NONE)
        step_runtime(s, c->memory.step);
}

static void on_operator(struct step *s)
{
    enum coord_command command = s->event->operator.command;
    step_say(s, LEVEL_INFO, SAY_COMMAND, REASON_NONE, command, 0, 0, 0);
    enum coord_reason reason = command_take(s, command, s->event->operator.expected_ms);
    if (reason != REASON_NONE)
        step_say(s, LEVEL_INFO, SAY_REFUSED, reason, 0, 0, 0, 0);
}

static void on_store(struct step *s)
{
    bool broken = !s->event->store_works;
    if (broken == s->c->store_broken)
        return;
    s->c->store_broken = broken;
    step_say(s, broken ? LEVEL_BROKEN : LEVEL_INFO, broken ? SAY_STORE_BROKEN : SAY_STORE_WORKS,
             REASON_NONE, 0, 0, 0, 0);
    s->dirty = true; /* what could not be stored is tried again */
}

static void on_self(struct step *s)
{
    s->c->own = s->event->own;
    s->c->own.known = true;
}

/* Without a journal nobody else remembers that we stopped the node; and without it we see no chain. */
static void on_node(struct step *s)
{
    const struct coord_memory *m = &s->c->memory;
    s->c->node = s->event->node;
    s->c->node.known = true;
    if (m->lost && m->state == COORD_IDLE && m->step == STEP_NONE && !s->c->node.reachable)
        step_runtime(s, STEP_START);
}

static void on_plan(struct step *s)
{
    s->c->plan = s->event->plan;
}

static void on_peers(struct step *s)
{
    s->c->peers = s->event->peers;
    s->c->peers.known = true;
}

static void (*const handlers[EVENT_KIND_COUNT])(struct step *) = {
    [EVENT_START] = on_start,     [EVENT_BLOCK] = on_block,       [EVENT_INCLUDED] = on_included,
    [EVENT_REFUSED] = on_refused, [EVENT_SELF] = on_self,         [EVENT_NODE] = on_node,
    [EVENT_RUNTIME] = on_runtime, [EVENT_OPERATOR] = on_operator, [EVENT_PLAN] = on_plan,
    [EVENT_PEERS] = on_peers,     [EVENT_STORE] = on_store,       [EVENT_TIME] = on_time,
};

static bool anything_between(uint64_t value, uint64_t count)
{
    return value < count;
}

bool coord_memory_valid(const struct coord_memory *m)
{
    return anything_between(m->state, COORD_STATE_COUNT) && m->state != COORD_LEFT &&
           anything_between(m->errand, ERRAND_MAINTENANCE + 1) &&
           anything_between(m->step, STEP_RESTORE + 1) &&
           anything_between(m->flight.kind, TX_ACTIVATE + 1) && m->expected_ms >= 0 &&
           m->expected_ms <= EXPECTED_MS_MAX && m->later_ms >= 0 &&
           m->later_ms <= EXPECTED_MS_MAX + 1 && m->attempts < TOO_LATE_STEPS &&
           (m->state != COORD_PAUSED || m->pause.n > 0) &&
           (m->state != COORD_PAUSING || m->flight.kind == TX_OTHER ||
            m->flight.kind == TX_PAUSE) &&
           (m->state != COORD_WAITING || m->flight.kind <= TX_JOIN);
}

void coord_init(struct coord *core, const struct coord_policy *policy, uint32_t self)
{
    *core = (struct coord){.policy = policy,
                           .self = self,
                           .retry = INSTANT_NEVER,
                           .again = INSTANT_NEVER,
                           .recovering = true};
}

void coord_step(struct coord *core, const struct coord_event *event, struct coord_effects *effects)
{
    struct step s = {.c = core, .event = event, .view = event->view, .effects = effects};
    assert((unsigned)event->kind < EVENT_KIND_COUNT && event->view);
    effects->count = 1;
    handlers[event->kind](&s);
    if (core->recovering && core->own.known && core->node.known && core->head.n > 0)
        core->recovering = false;
    if (event->kind != EVENT_INCLUDED)
        turn_advance(&s);
    effects->list[0] = (struct coord_effect){.kind = EFFECT_PERSIST};
    if (s.dirty)
        return;
    effects->count--;
    for (uint32_t i = 0; i < effects->count; i++)
        effects->list[i] = effects->list[i + 1];
}

const struct coord_memory *coord_memory(const struct coord *core)
{
    return &core->memory;
}
