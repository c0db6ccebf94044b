/* Reading a network's exported state: KIRA's genesis (app_state.customstaking) or a plain CometBFT one.
 *
 * The file is read as a stream, so its size does not matter; what is kept is one small record a validator.
 * A record that refers to a missing one is no error, and what the simulator does not need is skipped.
 */
#ifndef STAGGER_SIM_GENESIS_H
#define STAGGER_SIM_GENESIS_H

#include <stddef.h>

#include "sim/chain.h"

#define GENESIS_ERROR_MAX 512

struct genesis {
    enum chain_kind kind;      /* CHAIN_KIRA, or CHAIN_DCL for one with DCL's app_state; plain ones are KIRA */
    bool plain;                /* no app_state that we know: validators of CometBFT's own list */
    char chain_id[CHAIN_ID_MAX];
    uint64_t initial_height;   /* 1 where the file says 0 or nothing */
    int64_t genesis_time_ms;   /* Unix; 0 where absent */
    struct chain_properties properties;
    struct chain_plan plan;    /* of app_state.upgrade.next_plan, if any */
    char plan_name[128];
    struct chain_record *records;
    uint32_t record_count;
};

/* Reads `path` ("-" is not special). Returns true, or false with one line in `error` that names the file,
 * the place (byte offset or the field's path) and the remedy. */
bool genesis_read(const char *path, struct genesis *genesis, char error[GENESIS_ERROR_MAX]);

/* A synthetic network: `active` + `inactive` + `paused` + `jailed` records, shuffled, with the given chain
 * id; the same for the same numbers on every machine. */
void genesis_synthetic(struct genesis *genesis, const char *chain_id, uint32_t active, uint32_t inactive,
                       uint32_t paused, uint32_t jailed, uint64_t min_validators);

void genesis_clear(struct genesis *genesis);

#endif
