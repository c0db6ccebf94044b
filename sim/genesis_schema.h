/* What pass 1 over a genesis file looks for, and where it stands; for sim/genesis*.c only. */
#ifndef STAGGER_SIM_GENESIS_SCHEMA_H
#define STAGGER_SIM_GENESIS_SCHEMA_H

#include "sim/json_stream.h"

enum genesis_field {
    /* the file's head */
    FIELD_ROOT = 1,
    FIELD_CHAIN_ID,
    FIELD_INITIAL_HEIGHT,
    FIELD_GENESIS_TIME,
    FIELD_DENOM,
    FIELD_DCL,
    FIELD_HEAD_END,
    /* a record of either list */
    FIELD_KIRA_LIST,
    FIELD_KIRA,
    FIELD_PLAIN_LIST,
    FIELD_PLAIN,
    FIELD_VAL_KEY,
    FIELD_STATUS,
    FIELD_RANK,
    FIELD_STREAK,
    FIELD_NAME,
    FIELD_ADDRESS,
    FIELD_POWER,
    FIELD_KEY,
    FIELD_KEY_TYPE,
    FIELD_KEY_TEXT,
    FIELD_RECORD_END,
    /* properties */
    FIELD_MIN_TX_FEE,
    FIELD_MAX_TX_FEE,
    FIELD_RANK_DECREASE,
    FIELD_MAX_MISCHANCE,
    FIELD_CONFIDENCE,
    FIELD_INACTIVE_PERCENT,
    FIELD_MIN_VALIDATORS,
    FIELD_DOWNTIME,
    FIELD_PROPERTY_END,
    /* execution fees */
    FIELD_FEES,
    FIELD_FEE,
    FIELD_FEE_TYPE,
    FIELD_FEE_EXECUTION,
    FIELD_FEE_FAILURE,
    FIELD_FEE_END,
    /* the pending plan */
    FIELD_PLAN,
    FIELD_PLAN_NAME,
    FIELD_PLAN_TIME,
    FIELD_PLAN_INSTATE,
    FIELD_PLAN_PROCESSED,
    FIELD_PLAN_PROPOSAL,
};

extern const struct json_node GENESIS_SCHEMA;

#endif
