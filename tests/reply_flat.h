/* A reply as lines of text, one value each, for tests that compare what two texts read as.
 *
 *     latest_height=60
 *     sigs[0].flag=2
 *
 * All readers of node/reply.h stand in one table here, by the name of their call.
 */
#ifndef STAGGER_TESTS_REPLY_FLAT_H
#define STAGGER_TESTS_REPLY_FLAT_H

#include "node/reply.h"
#include "node/rpc.h"

struct flat_line {
    size_t name, value, end; /* where they begin and end in the text */
    bool number;             /* a decimal, alone between its quotation marks or commas */
};

struct flat {
    char *text; /* lines end with a line break */
    size_t used, room;
    struct flat_line *lines;
    uint32_t count, lines_room;
};

/* Asserts what every reader promises: all zero and a fault of one line when it fails. */
typedef bool reply_reader(const json_t *result, struct flat *flat, struct fault *fault);

struct reply_kind {
    const char *name; /* "block_results" */
    reply_reader *read;
};

#define REPLY_KINDS 12
extern const struct reply_kind reply_kinds[REPLY_KINDS];

/* The kind of "block_results-0.34.json": the longest name with which it begins. NULL for none. */
const struct reply_kind *reply_kind_of(const char *file_name);

void flat_clear(struct flat *flat); /* keeps the memory */
void flat_free(struct flat *flat);

/* The value of the line with this name; fails the program when there is none. Borrowed until the next call. */
const char *flat_value(struct flat *flat, const char *name);

#endif
