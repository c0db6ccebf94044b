/* One draw as an onlooker sees it: who stands in line, who holds a permit, why the budget is what it is, who is out.
 *
 *     feed (feed.h) --> draw of boundary E --> turns_collect() --> turns_print(), turns_json()
 *
 * A report is a copy of all that is said about one epoch, taken at the very moment of the draw; the view goes on
 * afterwards. Validators have numbers here, as in a trace (FORMATS section 1): by moniker as people count ("v2" before
 * "v10"), then by address; they say nothing beyond one output. Worked example, five members and nobody else:
 *
 *     budget 1 = min(5 - 4 - 0, 5 - 3 * (0 + 0) - 1) - 0
 *                    l   F   r  n        f   r         x
 */
#ifndef STAGGER_NODE_TURNS_H
#define STAGGER_NODE_TURNS_H

#include <jansson.h>
#include <stdio.h>

#include "node/feed.h"
#include "proto/utc.h"

/* Why somebody cannot be counted on at the moment. */
enum turns_absence {
    TURNS_PRESENT,
    TURNS_PAUSED, /* out of the set by a pause of its own */
    TURNS_LEFT,   /* out of the set for another reason: inactive, jailed, not yet claimed */
    TURNS_GOING,  /* a pause of it stands in the boundary block */
    TURNS_SILENT, /* in the set, no signature in the last k commits */
};

struct turns_row {
    uint32_t number;
    char moniker[80];
    char account[BECH32_TEXT_MAX]; /* "" when it has no record */
    uint8_t address[ADDRESS_SIZE];
    bool member, live;
    int64_t power;
    enum view_reason reason;
    uint32_t rank; /* among the candidates; UINT32_MAX: none */
    struct view_validator seen;
    enum turns_absence absence;
    struct height
        since; /* of the absence: the first height of it; HEIGHT_NONE: longer than looked back */
    struct instant since_ms;
};

struct turns {
    struct charter charter;
    enum chain_kind chain;
    struct draw draw; /* its `order` is not used */
    uint8_t hash[HASH_SIZE];
    struct turns_row *rows; /* by number; owned */
    uint32_t *order;        /* candidates in draw order, as numbers; owned */
    uint32_t count;
    struct height first;         /* of the blocks that were read */
    struct height complete_from; /* boundary */
};

/* Numbers of the view's validators; to be freed. */
uint32_t *turns_numbers(const struct feed *feed);

struct turns *turns_collect(const struct feed *feed, const struct draw *draw,
                            const uint32_t *numbers, const char *prefix);
void turns_destroy(struct turns **turns);

/* What the budget's terms come to: l - F - r, n - 3 (f + r) - 1, the ramp (INT64_MAX: off). */
struct turns_terms {
    int64_t by_floor, by_thirds, ramp;
};
struct turns_terms turns_terms(const struct charter *charter, const struct draw *draw);

/* "2026-11-21T19:15:18.298Z" */
#define TURNS_TIME_MAX UTC_TEXT_MAX
const char *turns_time(struct instant time, char text[TURNS_TIME_MAX]);

const char *turns_absence_word(enum turns_absence absence); /* "paused" */

/* --- for programs; every value is a new reference --- */

/* The keys of a trace's world line; `members` are those of V(first), numbers of the view. */
json_t *turns_world_json(const struct feed *feed, const uint32_t *numbers, const char *prefix);
/* The keys of a trace's epoch line, and no others. */
json_t *turns_epoch_json(const struct draw *draw, const uint32_t *numbers);
/* Those, and everything else in the report. */
json_t *turns_json(const struct turns *turns);

/* --- for people --- */

void turns_print(const struct turns *turns, FILE *out);

/* One line of a list of epochs; NULL: its heading. */
void turns_print_short(const struct draw *draw, FILE *out);

#endif
