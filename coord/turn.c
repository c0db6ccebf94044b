/* The states of a turn (PROTOCOL section 4). Handlers look at what is known, not at what just happened, so
 * that a restart, a repeated event or a missed one lead to the same place. */
#include <assert.h>

#include "coord/coord_internal.h"

#define JOIN_BLOCKS 10 /* a join or unpause that stands in no block by then is sent again */
#define ENTER_BLOCKS 4 /* from an unpause to the set, before we ask what is wrong */
#define LEAVE_BLOCKS 3 /* from a pause to the set without it, and one more */
#define NODE_LAG_MAX 2
#define JOINS_KEPT 2 /* of J, never spent on moving the chain */

/* Our node shows the chain as it is. Not so while it is down: then the head is old, the view may have forgotten
 * it, and only what needs no head is done. */
static bool is_current(const struct step *s)
{
    return view_pulse(s->view, s->c->head) != NULL;
}

static struct height timeout_soon(const struct step *s)
{
    return is_current(s) ? height_after(s->c->head, JOIN_BLOCKS) : HEIGHT_NEVER;
}

/* A refused transaction waits for its retry, one that may be in a mempool for its timeout. */
static bool may_send(const struct step *s)
{
    const struct coord_flight *flight = &s->c->memory.flight;
    bool rested = s->c->retry.ms == INT64_MAX || s->event->now.ms >= s->c->retry.ms;
    return flight->kind == TX_OTHER || (flight->refused && rested);
}

bool turn_in_flight(const struct step *s)
{
    return s->c->memory.flight.kind != TX_OTHER && !s->c->memory.flight.refused;
}

void turn_forget_flight(struct step *s)
{
    s->c->memory.flight = (struct coord_flight){.kind = TX_OTHER};
    s->c->retry = INSTANT_NEVER;
    s->dirty = true;
}

/* One that may be in a mempool stays in mind until a block or its timeout ends it. */
static void forget_refused(struct step *s)
{
    if (!turn_in_flight(s))
        turn_forget_flight(s);
}

/* Our latest join still asks for a turn: of the round that the next boundary counts, of our charter,
 * neither used up nor followed by a pause. A shared view may be ahead of us: what it knows from above our
 * head has not happened yet. */
static bool join_stands(const struct step *s)
{
    const struct charter *charter = view_charter(s->view);
    const struct view_validator *v = view_validator(s->view, s->c->self);
    uint64_t head = s->c->head.n;
    uint64_t next = charter_boundary(charter, s->c->head).n + charter->epoch_blocks;
    bool paused = v->pause.n <= head && view_paused_since_join(v);
    bool used_up = v->permit.n <= head && v->permit.n > v->join.n;
    return v->join.n > 0 && v->join.n >= charter_round(charter, height_at(next - 1)).n &&
           v->join_charter == charter->id && !paused && !used_up;
}

static void send_join(struct step *s)
{
    uint32_t minutes = coord_class(s->c->memory.expected_ms, view_block_ms(s->view, s->c->head));
    step_send(s, TX_JOIN, timeout_soon(s), minutes);
}

/* A blank in the lottery counts once a boundary, however many events ask for it. */
static void count_blanks(struct step *s, enum coord_reason reason)
{
    struct coord *c = s->c;
    struct height boundary = charter_boundary(view_charter(s->view), c->head);
    if (reason != REASON_WOULD_WITHHOLD || !rules_has_own_places(c, s->view))
        c->thinned = 0;
    else if (c->blank.n != boundary.n) {
        c->thinned++;
        c->blank = boundary;
    }
}

static void try_join(struct step *s)
{
    if (!may_send(s))
        return;
    enum coord_reason reason = coord_may_join(s->c, s->view);
    if (reason != REASON_NONE) {
        count_blanks(s, reason);
        if (reason == REASON_STAND_BACK && s->c->stood.n == 0)
            s->c->stood = s->c->head;
        step_refuse(s, reason);
        return;
    }
    s->c->thinned = 0;
    if (s->c->memory.state != COORD_JOINING)
        step_move(s, COORD_JOINING);
    send_join(s);
    step_say(s, LEVEL_INFO, SAY_JOINING, REASON_NONE,
             coord_class(s->c->memory.expected_ms, view_block_ms(s->view, s->c->head)), 0, 0, 0);
}

/* Back into the set from wherever we are, as at the end of a turn. */
void turn_begin_return(struct step *s)
{
    forget_refused(s);
    s->c->memory.entered = HEIGHT_NONE;
    step_move(s, COORD_SYNCING);
}

/* After a lost journal we stay in the set longer than a forgotten pause could take: none was on its way, and a
 * pause from now on is somebody else's. */
static void note_nothing_lost(struct step *s)
{
    struct coord *c = s->c;
    uint64_t longest = (uint64_t)view_charter(s->view)->epoch_blocks + LEAVE_BLOCKS;
    if (!c->memory.lost || c->recovering || c->head.n < c->woke.n + longest)
        return;
    c->memory.lost = false;
    s->dirty = true;
}

/* What keeps us out of the set may have ended since we asked. */
static void ask_again(struct step *s)
{
    if (charter_is_boundary(view_charter(s->view), s->c->head) && s->c->asked.n < s->c->head.n)
        step_ask_self(s);
}

/* Out of the set without a turn of our own under way: ask the chain why, and come back if it is ours to do.
 * Returns whether we are out. */
static bool rescue(struct step *s)
{
    struct coord *c = s->c;
    const struct view_validator *v = view_validator(s->view, c->self);
    if (coord_in_set(c, s->view)) {
        note_nothing_lost(s);
        return false;
    }
    if (!c->own.known) {
        if (c->asked.n != c->head.n)
            step_ask_self(s);
        return true;
    }
    bool ours = c->memory.lost && v->paused_after_join;
    if (c->own.status == COORD_IS_PAUSED && !c->own.by_trustees && !ours) {
        step_refuse(s, REASON_BY_HAND);
    } else if (c->own.status == COORD_JAILED) {
        step_refuse(s, REASON_JAILED);
    } else if (c->own.by_trustees) {
        step_refuse(s, REASON_TRUSTEES);
    } else if (c->own.status != COORD_ACTIVE && c->own.status != COORD_UNKNOWN) {
        step_say(s, LEVEL_UNUSUAL, SAY_OUT_OF_SET, REASON_NONE, c->own.status, 0, 0, 0);
        turn_begin_return(s);
        return true;
    } else if (c->memory.errand != ERRAND_NONE) {
        step_refuse(s, REASON_NOT_MEMBER);
    }
    ask_again(s);
    return true;
}

static void idle(struct step *s)
{
    if (rescue(s) || s->c->memory.errand == ERRAND_NONE)
        return;
    if (join_stands(s)) /* sent before a journal was lost, or for an errand that was called off */
        step_move(s, COORD_JOINING);
    else
        try_join(s);
}

static void joining(struct step *s)
{
    const struct coord_flight *flight = &s->c->memory.flight;
    const struct view_validator *v = view_validator(s->view, s->c->self);
    if (rescue(s))
        return;
    if (s->c->memory.errand == ERRAND_NONE) {
        forget_refused(s);
        step_move(s, COORD_IDLE);
    } else if (v->join.n > s->c->head.n || (turn_in_flight(s) && flight->kind != TX_JOIN)) {
        return; /* it stands in a block that our node has not shown yet, or an unpause is on its way */
    } else if (join_stands(s)) {
        turn_forget_flight(s);
        step_move(s, COORD_WAITING);
        step_say(s, LEVEL_DEBUG, SAY_JOINED, REASON_NONE, (int64_t)v->join.n, 0, 0, 0);
    } else {
        try_join(s);
    }
}

/* One sentence for every draw we wait in: our place and what there was to have. */
static void tell_draw(struct step *s, const struct draw *d, enum view_reason reason, uint32_t rank)
{
    if (reason == VIEW_PERMIT)
        step_say(s, LEVEL_INFO, SAY_PERMIT, REASON_NONE, (int64_t)d->epoch.n, rank + 1, d->budget,
                 d->candidates);
    else if (reason == VIEW_BEYOND_BUDGET)
        step_say(s, LEVEL_DEBUG, SAY_WAITING, REASON_NONE, (int64_t)d->epoch.n, rank + 1, d->budget,
                 d->candidates);
    else
        step_say(s, LEVEL_DEBUG, SAY_NO_PLACE, REASON_NONE, (int64_t)d->epoch.n, reason, 0, 0);
}

/* The blocks may hold a pause of an earlier turn that no journal remembers: it is not the one to wait for. */
void turn_begin_pause(struct step *s, bool forced)
{
    struct coord_memory *m = &s->c->memory;
    struct height last = view_validator(s->view, s->c->self)->pause;
    if (last.n > m->membership.n && last.n <= s->c->head.n)
        m->membership = last;
    m->pause = HEIGHT_NONE;
    m->forced = forced;
    step_move(s, COORD_PAUSING);
}

static void pause_by_permit(struct step *s, const struct draw *d, uint32_t rank)
{
    struct coord *c = s->c;
    enum coord_reason reason = coord_may_pause(c, s->view, d, rank);
    if (reason != REASON_NONE) {
        step_say(s, LEVEL_INFO, SAY_PERMIT_UNUSED, reason, (int64_t)d->epoch.n, 0, 0, 0);
        return;
    }
    turn_begin_pause(s, false);
    step_send(s, TX_PAUSE, height_after(d->boundary, view_charter(s->view)->epoch_blocks), 0);
}

/* A permit is the right to one pause. Who crashed, came back and joined again within one long epoch has had it. */
static bool permit_is_spent(const struct step *s, const struct draw *d)
{
    struct height pause = view_validator(s->view, s->c->self)->pause;
    return pause.n > d->boundary.n && pause.n <= s->c->head.n;
}

/* Looks at the draw of the epoch that the head lies in, once; with rare blocks a permit waits for E + 1. */
static void look_at_draw(struct step *s)
{
    struct coord *c = s->c;
    const struct draw *d = coord_latest_draw(c, s->view);
    uint32_t rank;
    if (!d || c->decided.n >= d->boundary.n)
        return;
    enum view_reason reason = view_reason(s->view, d, c->self, &rank);
    if (reason == VIEW_PERMIT && permit_is_spent(s, d))
        reason = VIEW_PAUSED_SINCE;
    bool wait = reason == VIEW_PERMIT && !view_empty_blocks(s->view) && c->head.n == d->boundary.n;
    if (wait && c->permit.n == d->boundary.n)
        return;
    if (c->permit.n != d->boundary.n)
        tell_draw(s, d, reason, rank);
    c->permit = reason == VIEW_PERMIT ? d->boundary : HEIGHT_NONE;
    if (wait)
        return;
    c->decided = d->boundary;
    if (reason != VIEW_PERMIT)
        return;
    turn_forget_flight(s);
    pause_by_permit(s, d, rank);
}

/* Something has changed that no draw has seen: worth a transaction where blocks are rare. */
static bool chain_is_worth_moving(const struct step *s)
{
    const struct draw *d = coord_latest_draw(s->c, s->view);
    const struct view_pulse *p = view_pulse(s->view, s->c->head);
    if (!d || s->c->permit.n == d->boundary.n)
        return true;
    enum view_reason reason = view_reason(s->view, d, s->c->self, NULL);
    if (reason != VIEW_BEYOND_BUDGET) /* our join stands, and no draw has counted it */
        return true;
    return p->members != d->member_count || p->live != d->live_count || p->live < p->members;
}

static void move_chain(struct step *s)
{
    const struct view_validator *v = view_validator(s->view, s->c->self);
    bool spare = v->joins + JOINS_KEPT < view_charter(s->view)->joins_max;
    if (view_empty_blocks(s->view) || s->event->now.ms < wake_mover(s->c, s->view).ms ||
        !may_send(s))
        return;
    s->c->nudged = s->c->head;
    if (!spare || !chain_is_worth_moving(s) || coord_may_join(s->c, s->view) != REASON_NONE)
        return;
    step_say(s, LEVEL_INFO, SAY_MOVE_CHAIN, REASON_NONE, v->joins + 1, 0, 0, 0);
    turn_forget_flight(s);
    send_join(s);
}

static void waiting(struct step *s)
{
    struct coord *c = s->c;
    if (rescue(s))
        return;
    if (c->memory.errand == ERRAND_NONE) {
        forget_refused(s);
        step_move(s, COORD_IDLE);
        return;
    }
    if (turn_in_flight(s)) /* a join that moves the chain on: its block decides */
        return;
    look_at_draw(s);
    if (c->memory.state != COORD_WAITING)
        return;
    bool has_permit = c->permit.n > c->decided.n; /* it waits for block E + 1 */
    if (has_permit || join_stands(s)) {
        move_chain(s);
        return;
    }
    step_say(s, LEVEL_DEBUG, SAY_REJOIN, REASON_NONE, 0, 0, 0, 0);
    step_move(s, COORD_JOINING);
}

/* The blocks tell as well as the answer to our transaction does, and survive a crash of ours. */
static bool pause_happened(const struct step *s)
{
    const struct coord_memory *m = &s->c->memory;
    const struct view_validator *v = view_validator(s->view, s->c->self);
    return m->pause.n > 0 || (v->pause.n > m->membership.n && v->pause.n <= s->c->head.n);
}

static void pausing(struct step *s)
{
    struct coord_memory *m = &s->c->memory;
    if (pause_happened(s)) {
        if (!m->pause.n)
            m->pause = view_validator(s->view, s->c->self)->pause;
        if (m->pause.n > m->membership.n)
            m->membership = m->pause;
        forget_refused(s); /* it may have been a pause by hand, with ours yet to come */
        m->entered = HEIGHT_NONE;
        step_move(s, COORD_PAUSED);
        step_say(s, LEVEL_INFO, SAY_PAUSED, REASON_NONE, (int64_t)m->pause.n, 0, 0, 0);
    } else if (m->flight.kind == TX_OTHER) {
        step_move(s, COORD_JOINING);
    } else if (m->flight.refused && may_send(s) && s->c->head.n > m->membership.n) {
        step_send(s, TX_PAUSE, m->flight.timeout, 0); /* same bytes, same timeout */
    }
}

static void give_back(struct step *s, enum coord_reason reason)
{
    step_say(s, LEVEL_UNUSUAL, SAY_GIVEN_BACK, reason, 0, 0, 0, 0);
    step_move(s, COORD_UNPAUSING);
}

static bool must_return(const struct step *s)
{
    return rules_must_return(s->c, rules_chain_now(s->c, s->event->now));
}

static bool forced_return(struct step *s)
{
    if (!must_return(s))
        return false;
    step_say(s, LEVEL_BROKEN, SAY_FORCED_UNPAUSE, REASON_NO_YES_VOTE, 0, 0, 0, 0);
    step_move(s, COORD_UNPAUSING);
    return true;
}

static void paused(struct step *s)
{
    struct coord *c = s->c;
    if (MUTATED(OFFLINE_EARLY)) {
        step_move(s, COORD_LEFT);
        return;
    }
    if (!is_current(s) || c->head.n <= c->memory.pause.n) {
        forced_return(s);
        return;
    }
    struct instant chain_now = rules_chain_now(c, s->event->now);
    if (!coord_in_set(c, s->view)) {
        if (c->memory.errand == ERRAND_NONE)
            give_back(s, REASON_NONE);
        else if (rules_must_return(c, chain_now) || rules_window_closed(c, s->view, chain_now))
            give_back(s, REASON_WINDOW);
        else if (!c->store_broken)
            step_move(s, COORD_LEFT);
    } else if (c->head.n > c->memory.pause.n + 1) {
        step_say(s, LEVEL_UNUSUAL, SAY_UNPAUSED_BY_OTHERS, REASON_NONE, 0, 0, 0, 0);
        c->memory.entered = c->head;
        step_move(s, COORD_SETTLING);
    } else {
        forced_return(s);
    }
}

/* The last look before the node stops: others may have dropped out since the draw. */
static void left(struct step *s)
{
    const struct draw *d = coord_latest_draw(s->c, s->view);
    const struct view_pulse *p = view_pulse(s->view, s->c->head);
    int64_t live = d && d->by_power ? p->live_weight : p->live;
    int64_t floor = d ? d->floor : 0;
    step_say(s, LEVEL_INFO, SAY_LEFT, REASON_NONE, live, floor, 0, 0);
    if (live < floor && !s->c->memory.forced && !MUTATED(NO_CHECK_AT_LEFT)) {
        step_say(s, LEVEL_UNUSUAL, SAY_FLOOR_ABORT, REASON_NONE, live, floor, 0, 0);
        step_move(s, COORD_UNPAUSING);
        return;
    }
    step_move(s, COORD_OFFLINE);
    s->c->memory.attempts = 0;
    if (s->c->memory.errand == ERRAND_REBOOT)
        step_runtime(s, STEP_STOP);
    step_say(s, LEVEL_INFO, s->c->memory.errand == ERRAND_REBOOT ? SAY_OFFLINE : SAY_MAINTENANCE,
             REASON_NONE, s->c->memory.expected_ms / 1000, 0, 0, 0);
}

static void offline(struct step *s)
{
    if (s->c->memory.errand == ERRAND_NONE && s->c->memory.step == STEP_NONE) {
        step_move(s, COORD_SYNCING);
        step_ask_self(s); /* what was heard before we left is stale */
        if (s->c->node.known) {
            s->c->node.known = false; /* and what the node said before it was worked on by hand */
            step_effect(s, (struct coord_effect){.kind = EFFECT_ASK_NODE});
        }
        step_say(s, LEVEL_INFO, SAY_SYNCING, REASON_NONE, 0, 0, 0, 0);
    } else {
        forced_return(s);
    }
}

static bool node_in_step(const struct coord_node *n)
{
    if (MUTATED(UNPAUSE_EARLY))
        return n->known;
    return n->known && n->reachable && !n->catching_up && n->key_matches &&
           n->lag <= NODE_LAG_MAX && n->new_blocks >= 1;
}

static void syncing(struct step *s)
{
    struct coord *c = s->c;
    bool current = is_current(s);
    if (current && c->head.n <= c->memory.pause.n) {
        forced_return(s); /* our node shows a chain from before our pause */
        return;
    }
    if (current && coord_in_set(c, s->view)) {
        c->memory.entered = c->head;
        step_move(s, COORD_SETTLING);
    } else if (current && node_in_step(&c->node)) {
        step_move(s, COORD_UNPAUSING);
    } else if (!forced_return(s) && c->node.known && !c->node.reachable &&
               c->memory.step == STEP_NONE) {
        step_runtime(s, STEP_START); /* whoever stopped it, it has to run before we can return */
    }
}

/* With the node down our head is old. What has been committed since is known to the view, if others feed it,
 * or guessed from the time that has passed; a timeout that lies behind would be no transaction at all. */
static struct height height_by_now(const struct step *s)
{
    struct height known = view_head(s->view);
    const struct view_pulse *p = view_pulse(s->view, known);
    int64_t block_ms = view_block_ms(s->view, known);
    if (!must_return(s) || !p || block_ms <= 0)
        return s->c->head;
    int64_t since_ms = instant_since(rules_chain_now(s->c, s->event->now), p->time);
    return height_after(known, since_ms > 0 ? (uint64_t)(since_ms / block_ms) : 0);
}

/* May the transaction that asks back into the set be sent? One of before that died unseen does not stand in its
 * way; but a pause must be known to be dead, since behind an unpause it would stop the chain for good. */
static bool may_send_return(const struct step *s)
{
    const struct coord_flight *flight = &s->c->memory.flight;
    bool dead = view_head(s->view).n >= flight->timeout.n ||
                (flight->kind != TX_PAUSE && height_by_now(s).n > flight->timeout.n);
    return may_send(s) || (must_return(s) && dead);
}

static struct height timeout_of_return(const struct step *s)
{
    return must_return(s) ? height_after(height_by_now(s), JOIN_BLOCKS) : timeout_soon(s);
}

static void send_return(struct step *s)
{
    struct coord *c = s->c;
    bool inactive = c->own.known && c->own.status == COORD_INACTIVE;
    if (inactive && (!node_in_step(&c->node) ||
                     rules_chain_now(c, s->event->now).ms < c->own.inactive_until.ms))
        return;
    turn_forget_flight(s);
    step_send(s, inactive ? TX_ACTIVATE : TX_UNPAUSE, timeout_of_return(s), 0);
    if (MUTATED(PAUSE_WITH_UNPAUSE)) {
        turn_forget_flight(s);
        step_send(s, TX_PAUSE, timeout_soon(s), 0);
    }
    step_say(s, LEVEL_INFO, inactive ? SAY_ACTIVATING : SAY_UNPAUSING, REASON_NONE, 0, 0, 0, 0);
}

/* Out by the decision of others: asking back would be wrong or in vain. */
static bool barred(const struct coord *c)
{
    return c->own.known && (c->own.status == COORD_JAILED || c->own.by_trustees);
}

static void unpausing(struct step *s)
{
    struct coord *c = s->c;
    struct coord_memory *m = &c->memory;
    bool spaced = c->head.n > m->membership.n;
    bool ready = is_current(s) ? spaced && !c->recovering : must_return(s);
    bool back = is_current(s) && spaced && c->head.n > m->pause.n + 1 && coord_in_set(c, s->view);
    if (is_current(s) && (m->entered.n > 0 || back)) {
        m->entered = m->entered.n > 0 ? m->entered : c->head;
        forget_refused(s);
        step_move(s, COORD_SETTLING);
        step_say(s, LEVEL_INFO, SAY_SETTLING, REASON_NONE, (int64_t)m->entered.n, 0, 0, 0);
        return;
    }
    if (barred(c)) {
        step_refuse(s, c->own.by_trustees ? REASON_TRUSTEES : REASON_JAILED);
        ask_again(s);
    } else if (!c->own.known && !must_return(s)) {
        if (c->asked.n != c->head.n)
            step_ask_self(s);
    } else if (ready && may_send_return(s)) {
        send_return(s);
    }
}

static bool settled(const struct step *s)
{
    struct coord *c = s->c;
    if (c->signing.n <= c->memory.entered.n && view_signed(s->view, c->self, c->head))
        c->signing = c->head;
    uint64_t m = view_charter(s->view)->settle_blocks;
    return c->signing.n > c->memory.entered.n && c->head.n + 1 >= c->signing.n + m;
}

void turn_take_later(struct coord_memory *m)
{
    if (m->errand != ERRAND_NONE || m->later_ms == 0)
        return;
    m->errand = ERRAND_REBOOT;
    m->expected_ms = m->later_ms - 1;
    m->later_ms = 0;
}

static void finish_turn(struct step *s)
{
    struct coord_memory *m = &s->c->memory;
    m->lost = false;
    m->forced = false;
    s->c->own.status = COORD_ACTIVE; /* seen signing: as good as an answer */
    turn_take_later(m);
    if (m->errand != ERRAND_NONE) {
        step_move(s, COORD_JOINING);
        return;
    }
    step_move(s, COORD_DONE);
    step_say(s, LEVEL_INFO, SAY_DONE, REASON_NONE, (int64_t)s->c->signing.n, 0, 0, 0);
}

static void settling(struct step *s)
{
    struct coord *c = s->c;
    if (coord_in_set(c, s->view)) {
        if (settled(s))
            finish_turn(s);
        return;
    }
    if (c->head.n < c->memory.entered.n + ENTER_BLOCKS)
        return;
    if (c->asked.n < c->memory.entered.n + ENTER_BLOCKS) {
        step_ask_self(s); /* what was heard before is stale */
    } else if (c->own.known && c->own.status == COORD_INACTIVE) {
        c->memory.entered = HEIGHT_NONE;
        step_move(s, COORD_UNPAUSING);
    } else if (c->own.known && c->own.status == COORD_IS_PAUSED) {
        step_move(s, COORD_IDLE);
    } else if (c->asked.n < c->head.n) {
        step_ask_self(s);
    }
}

static void done(struct step *s)
{
    if (!rescue(s) && s->c->memory.errand != ERRAND_NONE)
        step_move(s, COORD_JOINING);
}

static void (*const states[COORD_STATE_COUNT])(struct step *) = {
    [COORD_IDLE] = idle,         [COORD_JOINING] = joining, [COORD_WAITING] = waiting,
    [COORD_PAUSING] = pausing,   [COORD_PAUSED] = paused,   [COORD_LEFT] = left,
    [COORD_OFFLINE] = offline,   [COORD_SYNCING] = syncing, [COORD_UNPAUSING] = unpausing,
    [COORD_SETTLING] = settling, [COORD_DONE] = done,
};

static void keep_freeze(struct step *s)
{
    const struct draw *d = coord_latest_draw(s->c, s->view);
    bool was = s->c->memory.frozen;
    if (!d || !rules_update_freeze(s->c, s->view, d))
        return;
    s->dirty = true;
    if (was != s->c->memory.frozen)
        step_say(s, was ? LEVEL_INFO : LEVEL_BROKEN, was ? SAY_THAWED : SAY_FROZEN, REASON_NONE,
                 d->overdue, 0, 0, 0);
}

void turn_advance(struct step *s)
{
    const uint32_t headless =
        1u << COORD_PAUSED | 1u << COORD_OFFLINE | 1u << COORD_SYNCING | 1u << COORD_UNPAUSING;
    enum coord_state before;
    if (s->event->kind == EVENT_BLOCK)
        keep_freeze(s);
    do {
        before = s->c->memory.state;
        if (is_current(s) || (headless >> before & 1))
            states[before](s);
    } while (s->c->memory.state != before);
}
