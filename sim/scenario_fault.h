/* Fault lines of a scenario: "at TIME FAULT ..." and "every TIME FAULT ... until TIME". */
#ifndef STAGGER_SIM_SCENARIO_FAULT_H
#define STAGGER_SIM_SCENARIO_FAULT_H

#include "sim/config.h"

#define SCENARIO_WORDS_MAX 24 /* of one line; no line needs as many */

struct scenario_words { /* of one line, borrowed from it */
    const char *at[SCENARIO_WORDS_MAX];
    uint32_t count;
};

struct scenario_fault {
    struct fault fault; /* at_ms: of its first time */
    int64_t every_ms;   /* 0: once */
    int64_t until_ms;   /* of a repeated one: its last time is at or before this */
};

/* Reads the words of one line, the first of which is "at" or "every". `where` begins error lines:
 * "file.scn:12". Returns false with one line in `error`. */
bool scenario_fault_read(struct scenario_fault *out, const struct scenario_words *words,
                         const char *where, char error[CONFIG_ERROR_MAX]);

#endif
