/* A command line from one table of options, read strictly: `stagger devnet` and `stagger demo`.
 *
 *     --NAME VALUE, --NAME=VALUE, --FLAG      each once, of the table; -h is --help
 *     anything else                           a word, for the caller
 *
 * A value is of its kind and within its bounds, or refused with what was expected; an option that does not exist with
 * the nearest one that does. The value of option i stands in given[i], number[i] and text[i].
 */
#ifndef STAGGER_SIM_FLAGS_H
#define STAGGER_SIM_FLAGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "proto/fault.h"

enum flag_kind {
    FLAG_SWITCH,   /* takes no value */
    FLAG_WHOLE,    /* min to max */
    FLAG_DURATION, /* min to max, in ms */
    FLAG_SECONDS,  /* likewise, whole ones */
    FLAG_CHAIN,    /* enum chain_kind */
    FLAG_NAME,     /* letters, digits, '-', '_' or '.', min to max of them */
    FLAG_PATH, /* without control characters, and without the ';' that begins a comment in a configuration */
};

struct flag_row {
    const char *name, *argument; /* "block-time", "TIME" */
    enum flag_kind kind;
    uint64_t min, max;
    const char *fallback; /* NULL: none, or said elsewhere */
    const char *about;    /* for the help; may have several lines */
};

struct flags {
    const char *command; /* "devnet", as in `stagger devnet --help` */
    const struct flag_row *rows;
    uint32_t count, help; /* help: which of the rows is -h */
    bool *given;          /* [count] each, filled by flags_read() */
    uint64_t *number;     /* of switches nothing */
    const char **text;
};

/* Reads argv[1] and what follows; words: room for words_max of those that are no options. */
MUST_CHECK bool flags_read(const struct flags *flags, int argc, char **argv, const char **words,
                           uint32_t words_max, uint32_t *word_count, struct fault *fault);

/* The options, one a line. */
void flags_usage(const struct flags *flags, FILE *out);

#endif
