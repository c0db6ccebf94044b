/* What the tests of reports share: a report written to memory, questions about its text, and rows. */
#ifndef STAGGER_TESTS_REPORT_TEXT_H
#define STAGGER_TESTS_REPORT_TEXT_H

#include <stdio.h>

#include "sim/report.h"

struct text {
    char *bytes; /* to be freed by who asked for it */
    size_t size;
};

/* A file whose bytes are in *text once text_close() has been called. */
FILE *text_open(struct text *text);
void text_close(FILE *out);

/* Fail the test and show the text when the part is missing, or is there. */
void text_has(const struct text *text, const char *part);
void text_lacks(const struct text *text, const char *part);

uint32_t text_count(const struct text *text, const char *part);

/* A run of 260 agents in which all went well, without a comparison. */
struct result report_good_row(void);

/* Gives the row `count` violations, as many of them as it can keep. */
void report_violate(struct result *row, uint32_t count);

#endif
