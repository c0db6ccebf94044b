/* What view.c (taking blocks in) and draw.c (the rule) share. */
#ifndef STAGGER_COORD_VIEW_INTERNAL_H
#define STAGGER_COORD_VIEW_INTERNAL_H

#include "coord/digest.h"
#include "coord/mutation.h"
#include "coord/view.h"

/* W >= 2, so this many draws span VIEW_BLOCKS_KEPT blocks. */
#define DRAWS_KEPT (VIEW_BLOCKS_KEPT / 2 + 1)

/* Counting of one validator, beside the answers in struct view_validator. Bit 0 of `member` stands for
 * V(head + 1), bit i for V(head + 1 - i); bit 0 of `signed_in` for the last commit of the head. */
struct track {
    uint64_t member, signed_in;
    struct height gone; /* latest block with a pause of it, whatever its result */
    struct height seen; /* latest boundary E' with the validator in V(E'+1); 0: none */
    int64_t seen_power;
    struct instant pause_time; /* of its latest happened pause */
    uint32_t pause_class;      /* of the join before that pause */
};

/* One candidate while it is being sorted. */
struct entry {
    uint8_t key[HASH_SIZE];
    uint32_t turns, class_minutes, validator;
};

struct draw_slot {
    struct draw draw;
    uint32_t *order;                 /* [capacity] */
    uint32_t *rank;                  /* [capacity] by validator */
    uint8_t *reason;                 /* [capacity] by validator: enum view_reason */
    uint32_t in_line[CLASS_MAX + 1]; /* candidates by CLASS, of this one or longer */
    uint32_t covered;                /* validators known when it was made */
};

struct view {
    struct view_config config;
    struct view_validator *validators; /* [capacity] */
    struct track *tracks;              /* [capacity] */
    uint32_t count;
    uint32_t *slots; /* address index: open addressing, validator + 1, 0 empty */
    uint32_t slot_mask;
    struct height chain_first, first, head;
    bool results_due; /* the head's results have not been given */
    struct view_pulse pulses[VIEW_BLOCKS_KEPT];
    struct draw_slot draws[DRAWS_KEPT];
    struct entry *entries; /* [capacity] scratch of the sort */
    struct digest *digest;
};

static inline bool track_member(const struct track *t)
{
    return t->member >> MUTATED(OTHER_SET) & 1;
}

static inline bool track_gone(const struct view *view, const struct track *t)
{
    return t->gone.n == view->head.n && !MUTATED(GONE_NOT_COUNTED);
}

static inline bool track_live(const struct view *view, const struct track *t)
{
    uint64_t recent = (UINT64_C(1) << view->config.charter.live_blocks) - 1;
    if (MUTATED(REGISTERED_COUNTED))
        return true;
    return track_member(t) && !track_gone(view, t) &&
           ((t->signed_in & recent) || MUTATED(MEMBERS_ARE_LIVE));
}

/* Makes the draw of boundary `head`; the block has been taken in, its results have not. */
const struct draw *draw_make(struct view *view);

/* Judges the permits of the latest boundary again by the last commit of block E+1, which is the head. */
void draw_recheck(struct view *view);

#endif
