/* Quantities that must not be mixed up, one struct each.
 *
 *   height    a block's number on one chain; a chain's first block is its initial height, not 0
 *   epoch     boundary height / W, see charter.h; epoch e begins behind the boundary block e * W
 *   instant   milliseconds on one clock: Unix time in the daemon, simulated time in the simulator
 *
 * Counts of validators are plain uint32_t, durations are int64_t with their unit in the name. A validator
 * is a uint32_t index into the table of one view (view.h); its address is what two views share.
 */
#ifndef STAGGER_COORD_UNITS_H
#define STAGGER_COORD_UNITS_H

#include <stdbool.h>
#include <stdint.h>

struct height {
    uint64_t n;
};

struct epoch {
    uint64_t n;
};

struct instant {
    int64_t ms;
};

#define HEIGHT_NONE ((struct height){0})           /* before every block */
#define HEIGHT_NEVER ((struct height){UINT64_MAX}) /* behind every block */
#define INSTANT_NEVER ((struct instant){INT64_MAX})
#define VALIDATOR_NONE UINT32_MAX
#define ADDRESS_SIZE 20 /* bytes of a consensus address */
#define HASH_SIZE 32    /* bytes of a block hash */

static inline struct height height_at(uint64_t n)
{
    return (struct height){n};
}

/* The height `blocks` later; stays at HEIGHT_NEVER instead of wrapping. */
static inline struct height height_after(struct height h, uint64_t blocks)
{
    return height_at(h.n > UINT64_MAX - blocks ? UINT64_MAX : h.n + blocks);
}

/* The height `blocks` earlier; 0 instead of wrapping. */
static inline struct height height_before(struct height h, uint64_t blocks)
{
    return height_at(h.n < blocks ? 0 : h.n - blocks);
}

/* The instant `ms` (>= 0) later; stays at INSTANT_NEVER instead of wrapping. */
static inline struct instant instant_after(struct instant t, int64_t ms)
{
    return (struct instant){t.ms > INT64_MAX - ms ? INT64_MAX : t.ms + ms};
}

/* Milliseconds from `before` to `t`; clocks and headers from outside may name any instant. */
static inline int64_t instant_since(struct instant t, struct instant before)
{
    if (before.ms < 0)
        return t.ms > INT64_MAX + before.ms ? INT64_MAX : t.ms - before.ms;
    return t.ms < INT64_MIN + before.ms ? INT64_MIN : t.ms - before.ms;
}

#endif
