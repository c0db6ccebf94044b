/* Answers of abci_query of our own making, and every reader behind one signature: what the test and
 * the fuzzer of proto/query.h share. A reader that takes the bytes checks that what it says can be
 * true, whatever they were. */
#ifndef STAGGER_TESTS_QUERY_TEXT_H
#define STAGGER_TESTS_QUERY_TEXT_H

#include "proto/query.h"

struct query_reader {
    const char *name;
    const char *own; /* base64: one that is right */
    bool (*read)(const uint8_t *bytes, size_t size, struct fault *fault);
};

extern const struct query_reader query_readers[];
extern const size_t query_reader_count;

const struct query_reader *query_reader(const char *name);

/* Bytes of base64; the caller frees them. */
uint8_t *query_bytes(const char *text, size_t *size);

#endif
