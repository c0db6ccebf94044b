/* The trace: one JSON object a line, what happened in the order in which it happened. */
#ifndef STAGGER_SIM_TRACE_H
#define STAGGER_SIM_TRACE_H

#include <stdio.h>

#include "sim/model.h"

struct trace;

/* Writes to `out` (NULL: to nowhere) and hashes if `digest`. NULL when memory is short. */
struct trace *trace_create(FILE *out, bool digest);

/* Flushes; hash is the SHA-256 of all bytes in hex, empty without digest. Returns false when the file could
 * not be written in full. */
bool trace_destroy(struct trace **trace, char hash[65]);

/* Nanoseconds spent in writing, to be taken off a run's time. */
int64_t trace_spent_ns(const struct trace *trace);

struct trace_world {
    enum chain_kind chain;
    const struct charter *charter;
    const struct model_record *records;
    const bool *in_set, *agent; /* [count] */
    uint32_t count;
};

/* Every call takes a NULL trace and does nothing then. */
void trace_world(struct trace *trace, const struct trace_world *world);
void trace_block(struct trace *trace, const struct view_block *block, uint32_t set,
                 uint32_t active);
void trace_tx(struct trace *trace, uint64_t height, const struct view_tx *tx,
              uint64_t timeout_height, enum model_author by);
void trace_set(struct trace *trace, uint64_t height, const struct model_change *change);
void trace_epoch(struct trace *trace, const struct draw *draw);
void trace_host(struct trace *trace, int64_t time_ms, uint32_t validator, bool up, bool fault);
void trace_say(struct trace *trace, int64_t time_ms, uint32_t validator, const char *text);

#endif
