/* One line on standard error that tells how far a long work has come, while somebody looks.
 *
 *     replay [##########--------------------]   34%  12s, about 23s left  block 77
 *
 * It is drawn only when standard error is a terminal, at most ten times a second by a monotonic
 * clock, and wiped by progress_end(), so that it never mixes with results. Nothing depends on it:
 * progress_create() returns NULL where there is nobody to see it or memory is short, and the other
 * calls take that NULL.
 *
 * One thread uses a progress line at a time.
 */
#ifndef STAGGER_SIM_PROGRESS_H
#define STAGGER_SIM_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

#define PROGRESS_LINE_MAX 256

struct progress; /* opaque */

/* label is copied (at most 31 bytes). total: how much work there is; 0: not known. */
struct progress *progress_create(const char *label, uint64_t total);

/* done of the total is behind us; more than the total counts as all. text, which may be NULL, says
 * at what it works; it is cut where the line is full. */
void progress_step(struct progress *progress, uint64_t done, const char *text);

/* Wipes the line and frees it. */
void progress_end(struct progress **progress);

struct progress_state { /* what a line shows */
    const char *label, *text;
    uint64_t done, total;
    int64_t elapsed_ms;
    unsigned columns; /* of the terminal */
};

/* The line itself, without control characters and shorter than `columns`. Returns its length. */
size_t progress_line(char line[PROGRESS_LINE_MAX], const struct progress_state *state);

#endif
