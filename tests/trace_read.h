/* Reads a trace (`stagger sim --trace FILE`) into memory: the lines world, block, tx, set, host and epoch.
 * Other lines and further keys are passed over.
 *
 * A trace comes from a file that may be damaged or of another program, so a line that does not say what it
 * should is an error with the file, the line and the field, and never an assertion. The arrays belong to
 * struct trace; trace_free() gives them back, also after an error.
 */
#ifndef STAGGER_TESTS_TRACE_READ_H
#define STAGGER_TESTS_TRACE_READ_H

#include "coord/view.h"

#define TRACE_ERROR_MAX 512
#define TRACE_TEXT_MAX 48

struct trace_list {
    uint32_t *items;
    uint32_t count;
};

struct trace_validator {
    uint8_t address[ADDRESS_SIZE];
    bool in_set, agent;
};

struct trace_block {
    struct height height;
    struct instant time;
    uint8_t hash[HASH_SIZE];
    uint32_t set, active; /* |V(h)|, active records */
    struct trace_list missing;
};

struct trace_tx {
    struct height height, timeout;
    uint32_t index, validator, code, class_minutes, charter;
    enum tx_kind kind;
    char codespace[TRACE_TEXT_MAX], by[TRACE_TEXT_MAX];
};

struct trace_set {
    struct height height;
    uint32_t validator;
    bool enters;
};

struct trace_host {
    struct instant time;
    uint32_t validator;
    bool up, fault;
};

struct trace_epoch {
    struct epoch epoch;
    int64_t members, live, candidates, used_up, foreign, reference, floor, budget;
    struct trace_list permits;
};

struct trace {
    enum chain_kind chain;
    struct charter charter; /* with the id that the trace names */
    struct trace_validator *validators;
    struct trace_block *blocks; /* heights ascending without a gap */
    struct trace_tx *txs;       /* as in the file: heights ascending */
    struct trace_set *sets;
    struct trace_host *hosts;
    struct trace_epoch *epochs;
    uint32_t validator_count, block_count, tx_count, set_count, host_count, epoch_count;
};

/* Returns whether the file was read; otherwise error says what is wrong with which line. */
bool trace_read(const char *path, struct trace *trace, char error[TRACE_ERROR_MAX])
    __attribute__((warn_unused_result));
void trace_free(struct trace *trace);

#endif
