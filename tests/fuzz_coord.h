/* What fuzz_coord.c, which makes things happen, and fuzz_checks.c, which judges them, share. */
#ifndef STAGGER_TESTS_FUZZ_COORD_H
#define STAGGER_TESTS_FUZZ_COORD_H

#include "coord/coord.h"

#define US 0
#define VALIDATORS_MAX 12

struct feed {
    const uint8_t *data;
    size_t left;
};

struct fuzz {
    struct feed feed;
    struct view *view;
    struct view_config config;
    struct coord_policy policy;
    struct coord core;
    struct coord_memory journal; /* as of the last PERSIST */
    struct coord_flight open;    /* ours, and nothing has told us yet that it can reach no block */
    uint32_t validators;
    bool in_set[VALIDATORS_MAX], by_powers;
    bool leaves, enters; /* what our transaction of the block before does to V(h+1) */
    struct instant now, header;
};

/* The invariants of coord/coord.h after a step, as far as one member can know them. `before` is the memory
 * that the step began with. */
void fuzz_check_step(struct fuzz *f, const struct coord_memory *before,
                     const struct coord_effects *effects, enum coord_event_kind kind);

/* The invariants of coord/view.h, and why the floor holds (PROTOCOL section 3). */
void fuzz_check_draw(const struct fuzz *f, const struct draw *draw);

#endif
