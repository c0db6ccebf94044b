/* What an operator may tell a member, and what it answers. */
#include <assert.h>

#include "coord/coord_internal.h"

static bool between_turns(enum coord_state state)
{
    return state == COORD_IDLE || state == COORD_JOINING || state == COORD_WAITING ||
           state == COORD_DONE;
}

static enum coord_reason take_errand(struct step *s, enum coord_errand errand, int64_t expected_ms)
{
    struct coord_memory *m = &s->c->memory;
    if (!between_turns(m->state) && m->state != COORD_SETTLING)
        return REASON_BUSY;
    if (errand == ERRAND_MAINTENANCE && m->errand == ERRAND_REBOOT)
        m->later_ms = m->expected_ms + 1; /* the reboot comes after it */
    m->errand = errand;
    expected_ms = expected_ms > 0 ? expected_ms : 0;
    m->expected_ms = expected_ms < EXPECTED_MS_MAX ? expected_ms : EXPECTED_MS_MAX;
    s->c->told = REASON_NONE;
    s->dirty = true;
    return REASON_NONE;
}

static enum coord_reason pause_by_force(struct step *s, int64_t expected_ms)
{
    struct coord *c = s->c;
    if (!between_turns(c->memory.state) || c->head.n == 0 || turn_in_flight(s))
        return REASON_BUSY;
    enum coord_reason reason = rules_fatal(c, s->view, rules_chain_now(c, s->event->now));
    if (reason != REASON_NONE)
        return reason;
    take_errand(s, ERRAND_MAINTENANCE, expected_ms);
    const struct charter *charter = view_charter(s->view);
    turn_forget_flight(s);
    turn_begin_pause(s, true);
    /* of the epoch of the next block: this one's last block alone would mostly come too soon */
    struct height boundary = charter_boundary(charter, height_after(c->head, 1));
    step_send(s, TX_PAUSE, height_after(boundary, charter->epoch_blocks), 0);
    step_say(s, LEVEL_UNUSUAL, SAY_FORCED, REASON_NONE, 0, 0, 0, 0);
    return REASON_NONE;
}

static enum coord_reason end_errand(struct step *s)
{
    struct coord *c = s->c;
    enum coord_state state = c->memory.state;
    bool known = view_pulse(s->view, c->head) != NULL;
    if (c->memory.step != STEP_NONE)
        return REASON_BUSY;
    if (between_turns(state) && known && !coord_in_set(c, s->view)) {
        turn_begin_return(s); /* paused by hand, and now unpaused by hand through us */
        return REASON_NONE;
    }
    bool reboot = c->memory.errand == ERRAND_REBOOT;
    if (c->memory.errand == ERRAND_NONE || (reboot && between_turns(state)))
        return REASON_NOT_PAUSED; /* said once too often, it must not call an upgrade off */
    if (reboot && (state == COORD_SYNCING || state == COORD_UNPAUSING || state == COORD_SETTLING))
        return REASON_BUSY;
    c->memory.errand = ERRAND_NONE;
    if (between_turns(state))
        turn_take_later(&c->memory);
    s->dirty = true;
    return REASON_NONE;
}

enum coord_reason command_take(struct step *s, enum coord_command command, int64_t expected_ms)
{
    struct coord_memory *m = &s->c->memory;
    switch (command) {
    case COMMAND_REBOOT:
        return take_errand(s, ERRAND_REBOOT, expected_ms);
    case COMMAND_PAUSE:
        return take_errand(s, ERRAND_MAINTENANCE, expected_ms);
    case COMMAND_FORCE:
        return pause_by_force(s, expected_ms);
    case COMMAND_UNPAUSE:
        return end_errand(s);
    case COMMAND_HOLD:
    case COMMAND_UNHOLD:
        m->held = command == COMMAND_HOLD;
        s->dirty = true;
        return REASON_NONE;
    case COMMAND_UNFREEZE:
        m->frozen = false;
        m->pardoned = UINT32_MAX; /* the next draw lowers it to who is overdue now */
        s->dirty = true;
        return REASON_NONE;
    case COMMAND_COUNT:
        break;
    }
    assert(!(bool)"a command that coord.h does not name");
    return REASON_NONE;
}
