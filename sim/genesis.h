/* Reading a network's exported state: KIRA's genesis or a plain CometBFT one.
 *
 * The file is read as a stream, twice, so its size does not matter; what is kept is one small
 * record a validator. Sections and keys may come in any order. A record that refers to a missing
 * one is no error, and what the simulator does not need is skipped.
 *
 *     pass 1   chain_id, initial_height, genesis_time,
 *              app_state.customstaking.validators        one record each, in file order
 *              app_state.customgov.network_properties, execution_fees, default_denom
 *              app_state.customslashing.params           downtime_inactive_duration
 *              app_state.upgrade.next_plan               the pending upgrade, if any
 *              validators                                CometBFT's list, if KIRA's is empty
 *     pass 2   identity_records (monikers), signing_infos (counters), votes on the pending plan,
 *              auth.accounts (sequence), bank.balances: matched to the records, then dropped
 *
 * Also understood: the answer of a node's /genesis ({"result": {"genesis": ...}}) and the shape of
 * newer Cosmos SDKs (consensus.validators).
 *
 * Defaults: properties that the file does not name are those of model_properties_default(1);
 * execution fees that a given list does not name are 0; min_validators 0 is 1. A record without an
 * account has sequence 0, without a balance 1,000,000,000, without a moniker the name "validator
 * N". Records may vote (can_vote) while a plan is pending.
 *
 * Errors are one line "FILE: place: what is wrong; what was expected; what to do":
 *
 *     g.json: app_state.customstaking.validators[17].status: "RETIRED" is no status; ACTIVE, ...
 *     g.json: byte 1234 (app_state.auth.accounts[3]): the text ends too early; JSON expected; ...
 */
#ifndef STAGGER_SIM_GENESIS_H
#define STAGGER_SIM_GENESIS_H

#include <stddef.h>
#include <stdio.h>

#include "sim/model.h"

#define GENESIS_ERROR_MAX 512
#define GENESIS_BALANCE_DEFAULT 1000000000         /* in the fee denom */
#define GENESIS_POWER_MAX ((INT64_C(1) << 60) - 1) /* CometBFT's bound of a set: MaxInt64 / 8 */

struct genesis {
    enum chain_kind kind; /* CHAIN_DCL for a plain one with DCL's app_state, else CHAIN_KIRA */
    bool plain;           /* the records are CometBFT's own list of validators, all ACTIVE */
    char chain_id[CHAIN_ID_MAX];
    uint64_t initial_height; /* 1 where the file says 0 or nothing */
    int64_t genesis_time_ms; /* Unix; 0 where absent */
    struct model_properties properties;
    struct model_plan plan; /* of app_state.upgrade.next_plan, if any */
    char plan_name[128];
    struct model_record *records;
    uint32_t record_count; /* 1 .. VIEW_VALIDATORS_MAX */
};

/* Reads `path`, a regular file ("-" is not special). Returns true, and genesis_clear() is due; or
 * false with one line in `error`, and nothing is kept. */
bool genesis_read(const char *path, struct genesis *genesis, char error[GENESIS_ERROR_MAX]);

/* The same from an open file that can be rewound; `name` is what error lines call it. */
bool genesis_read_file(FILE *file, const char *name, struct genesis *genesis,
                       char error[GENESIS_ERROR_MAX]);

/* A synthetic network: `active` + `inactive` + `paused` + `jailed` records (1 ..
 * VIEW_VALIDATORS_MAX), shuffled, with the given chain id (1 .. 63 characters); the same for the
 * same arguments on every machine. min_validators 0 stands for two thirds of the active ones, plus
 * one. */
void genesis_synthetic(struct genesis *genesis, const char *chain_id, uint32_t active,
                       uint32_t inactive, uint32_t paused, uint32_t jailed,
                       uint64_t min_validators);

void genesis_clear(struct genesis *genesis);

#endif
