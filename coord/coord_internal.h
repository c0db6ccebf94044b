/* What the files of the member share: member.c (events), turn.c (states), command.c,
 * wake.c, rules.c (refusals), say.c. */
#ifndef STAGGER_COORD_COORD_INTERNAL_H
#define STAGGER_COORD_COORD_INTERNAL_H

#include "coord/coord.h"
#include "coord/mutation.h"

#define EXPECTED_MS_MAX (INT64_C(365) * 86400 * 1000) /* of work that somebody waits for */

/* One step under way. */
struct step {
    struct coord *c;
    const struct coord_event *event;
    const struct view *view;
    struct coord_effects *effects;
    bool dirty; /* the memory has changed: a PERSIST comes first */
};

/* Every sentence of the narration; the texts stand in say.c. */
enum coord_line {
    SAY_STARTED,
    SAY_JOURNAL_LOST,
    SAY_JOURNAL_DAMAGED,
    SAY_JOINING,
    SAY_JOINED,
    SAY_WAITING,
    SAY_NO_PLACE,
    SAY_PERMIT,
    SAY_PERMIT_UNUSED,
    SAY_PAUSED,
    SAY_TIMED_OUT,
    SAY_TX_FAILED,
    SAY_TX_REFUSED,
    SAY_LEFT,
    SAY_FLOOR_ABORT,
    SAY_GIVEN_BACK,
    SAY_OFFLINE,
    SAY_MAINTENANCE,
    SAY_STEP,
    SAY_STEP_FAILED,
    SAY_RESTORING,
    SAY_SYNCING,
    SAY_UNPAUSING,
    SAY_FORCED_UNPAUSE,
    SAY_ACTIVATING,
    SAY_SETTLING,
    SAY_DONE,
    SAY_REJOIN,
    SAY_REFUSED,
    SAY_COMMAND,
    SAY_FROZEN,
    SAY_THAWED,
    SAY_UNPAUSED_BY_OTHERS,
    SAY_OUT_OF_SET,
    SAY_MOVE_CHAIN,
    SAY_FORCED,
    SAY_STORE_BROKEN,
    SAY_STORE_WORKS,
    SAY_LINE_COUNT,
};

void step_move(struct step *s, enum coord_state to);
void step_effect(struct step *s, struct coord_effect effect);
void step_say(struct step *s, enum coord_level level, enum coord_line line,
              enum coord_reason reason, int64_t a, int64_t b, int64_t c, int64_t d);
void step_send(struct step *s, enum tx_kind tx, struct height timeout, uint32_t class_minutes);
void step_runtime(struct step *s, enum coord_step_kind step);
void step_ask_self(struct step *s);

/* Says a refusal, once in a row for the same reason. */
void step_refuse(struct step *s, enum coord_reason reason);

/* Lets the state's handler act on what is known until nothing moves any more. */
void turn_advance(struct step *s);

/* Whether a transaction of ours may be in a mempool. */
bool turn_in_flight(const struct step *s);

/* No transaction of ours matters any more. */
void turn_forget_flight(struct step *s);

/* Back into the set from wherever we are, as at the end of a turn. */
void turn_begin_return(struct step *s);

/* Into PAUSING; a pause of an earlier turn, which a lost journal no longer tells apart, is not waited for. */
void turn_begin_pause(struct step *s, bool forced);

/* The reboot that has waited for a maintenance, when that is over or called off. */
void turn_take_later(struct coord_memory *m);

/* Our slot for moving a still chain on: members take different moments, so that one join serves all. */
struct instant wake_mover(const struct coord *c, const struct view *view);

/* The operator's command; the refusal's reason, or REASON_NONE. */
enum coord_reason command_take(struct step *s, enum coord_command command, int64_t expected_ms);

/* Header time of the chain now, by the latest header and how long ago it came: our own clock may be wrong. */
struct instant rules_chain_now(const struct coord *c, struct instant now);

/* An upgrade comes before a turn begun now would be over, or it is so close that everybody must be back. */
bool rules_window_closed(const struct coord *c, const struct view *view, struct instant chain_now);

/* A validator that is out without a YES vote would stop the chain at upgrade_time (section 7). */
bool rules_must_return(const struct coord *c, struct instant chain_now);

/* Keeps the freeze of section 2 by the draw; returns whether it changed. */
bool rules_update_freeze(struct coord *c, const struct view *view, const struct draw *draw);

/* Whether the operator's own floor or cap leaves room for another join. */
bool rules_has_own_places(const struct coord *c, const struct view *view);

/* What no force may do (section 7). */
enum coord_reason rules_fatal(const struct coord *c, const struct view *view,
                              struct instant chain_now);

static inline bool coord_in_set(const struct coord *c, const struct view *view)
{
    return view_in_set(view, c->self, height_after(c->head, 1));
}

/* The latest draw that a reader at this head may know; NULL before the first. */
static inline const struct draw *coord_latest_draw(const struct coord *c, const struct view *view)
{
    return view_draw(view, charter_boundary(view_charter(view), c->head));
}

#endif
