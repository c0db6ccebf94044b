/* When the next step can matter: what a shell may leave out. */
#include "coord/coord_internal.h"

#define MOVERS 16 /* slots in which waiting members move a still chain on */
#define MOVER_SLOT_MS 5000
#define WATCH_BLOCKS 60 /* how often a member without work looks at its place in the set */

struct instant wake_mover(const struct coord *c, const struct view *view)
{
    uint32_t slot =
        (view_pulse(view, c->head)->hash[0] ^ view_validator(view, c->self)->address[0]) % MOVERS;
    return instant_after(c->head_seen, c->policy->still_ms + (int64_t)slot * MOVER_SLOT_MS);
}

static struct height next_boundary(const struct coord *c, const struct charter *charter)
{
    return height_after(charter_boundary(charter, c->head), charter->epoch_blocks);
}

/* A boundary, since that is where a member without work asks what has become of it. */
static struct height watch_block(const struct coord *c, const struct charter *charter)
{
    struct height watch = charter_boundary(charter, height_after(c->head, WATCH_BLOCKS));
    return watch.n > c->head.n ? watch : next_boundary(c, charter);
}

/* Refusals that an event or a draw lifts, and no block between them. */
static bool lasts_for_an_epoch(const struct coord *c)
{
    enum coord_reason reason = c->told;
    return (reason == REASON_STAND_BACK && c->head.n >= c->stood.n + 2) || reason == REASON_HOLD ||
           reason == REASON_FROZEN || reason == REASON_STORE || reason == REASON_NO_YES_VOTE ||
           reason == REASON_FUNDS || reason == REASON_FOREIGN_HALF ||
           reason == REASON_WOULD_WITHHOLD;
}

static struct height next_block(const struct coord *c, const struct charter *charter)
{
    struct height next = height_after(c->head, 1);
    if (c->head.n == 0)
        return next;
    bool resting = c->memory.errand == ERRAND_NONE && !c->recovering && c->own.known &&
                   c->own.status == COORD_ACTIVE;
    switch (c->memory.state) {
    case COORD_IDLE:
    case COORD_DONE:
        if (resting)
            return watch_block(c, charter);
        return c->memory.errand == ERRAND_NONE || lasts_for_an_epoch(c) ? next_boundary(c, charter)
                                                                        : next;
    case COORD_WAITING:
        return c->permit.n > c->decided.n || c->memory.flight.kind != TX_OTHER
                   ? next
                   : next_boundary(c, charter);
    case COORD_OFFLINE:
        return HEIGHT_NEVER;
    default:
        return next;
    }
}

/* Out without a YES vote: when the unpause must be sent even if the node is not back. */
static struct instant forced_return_at(const struct coord *c)
{
    int64_t left_ms = instant_since(c->plan.upgrade_time, c->head_time);
    int64_t margin_ms = c->policy->window_margin_ms;
    struct instant last =
        instant_after(c->head_seen, left_ms > margin_ms ? left_ms - margin_ms : 0);
    return instant_after(last, 1);
}

/* Whether a waiting member may have to move a still chain on since its head came. */
static bool may_move_chain(const struct coord *c, const struct view *view)
{
    return c->memory.state == COORD_WAITING && !view_empty_blocks(view) &&
           c->nudged.n < c->head.n && c->memory.flight.kind == TX_OTHER &&
           view_pulse(view, c->head) && coord_in_set(c, view);
}

struct coord_deadline coord_deadline(const struct coord *c, const struct view *view)
{
    struct coord_deadline d = {c->retry, next_block(c, view_charter(view))};
    struct instant more = INSTANT_NEVER;
    if (c->memory.state == COORD_WAITING && !view_empty_blocks(view))
        d.block =
            height_after(c->head, 1); /* a block that we do not see makes the chain look still */
    bool away = c->memory.state >= COORD_PAUSED && c->memory.state <= COORD_SYNCING;
    if (away && c->plan.pending && !c->plan.voted_yes)
        more = forced_return_at(c);
    else if (may_move_chain(c, view))
        more = wake_mover(c, view);
    more = c->again.ms < more.ms ? c->again : more;
    d.at = more.ms < d.at.ms ? more : d.at;
    return d;
}
