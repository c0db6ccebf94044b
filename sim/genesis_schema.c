#include "sim/genesis_schema.h"

#define NODES_END                                                                                  \
    {                                                                                              \
        NULL, 0, NULL                                                                              \
    }

static const struct json_node KEY[] = {
    {"@type", FIELD_KEY_TYPE, NULL},
    {"type", FIELD_KEY_TYPE, NULL},
    {"type_url", FIELD_KEY_TYPE, NULL},
    {"key", FIELD_KEY_TEXT, NULL},
    {"value", FIELD_KEY_TEXT, NULL},
    {"ed25519", FIELD_KEY_TEXT, NULL},
    NODES_END,
};
static const struct json_node KIRA[] = {
    {"val_key", FIELD_VAL_KEY, NULL},
    {"pub_key", FIELD_KEY, KEY},
    {"status", FIELD_STATUS, NULL},
    {"rank", FIELD_RANK, NULL},
    {"streak", FIELD_STREAK, NULL},
    {"moniker", FIELD_NAME, NULL},
    NODES_END,
};
static const struct json_node KIRA_LIST[] = {{"[]", FIELD_KIRA, KIRA}, NODES_END};
static const struct json_node STAKING[] = {{"validators", FIELD_KIRA_LIST, KIRA_LIST}, NODES_END};
static const struct json_node PLAIN[] = {
    {"address", FIELD_ADDRESS, NULL},
    {"pub_key", FIELD_KEY, KEY},
    {"power", FIELD_POWER, NULL},
    {"name", FIELD_NAME, NULL},
    NODES_END,
};
static const struct json_node PLAIN_LIST[] = {{"[]", FIELD_PLAIN, PLAIN}, NODES_END};
static const struct json_node CONSENSUS[] = {{"validators", FIELD_PLAIN_LIST, PLAIN_LIST},
                                             NODES_END};
static const struct json_node PROPERTIES[] = {
    {"min_tx_fee", FIELD_MIN_TX_FEE, NULL},
    {"max_tx_fee", FIELD_MAX_TX_FEE, NULL},
    {"mischance_rank_decrease_amount", FIELD_RANK_DECREASE, NULL},
    {"max_mischance", FIELD_MAX_MISCHANCE, NULL},
    {"mischance_confidence", FIELD_CONFIDENCE, NULL},
    {"inactive_rank_decrease_percent", FIELD_INACTIVE_PERCENT, NULL},
    {"min_validators", FIELD_MIN_VALIDATORS, NULL},
    {"downtime_inactive_duration", FIELD_DOWNTIME, NULL},
    NODES_END,
};
static const struct json_node FEE[] = {
    {"transaction_type", FIELD_FEE_TYPE, NULL},
    {"execution_fee", FIELD_FEE_EXECUTION, NULL},
    {"failure_fee", FIELD_FEE_FAILURE, NULL},
    NODES_END,
};
static const struct json_node FEES[] = {{"[]", FIELD_FEE, FEE}, NODES_END};
static const struct json_node GOVERNANCE[] = {
    {"network_properties", 0, PROPERTIES},
    {"execution_fees", FIELD_FEES, FEES},
    {"default_denom", FIELD_DENOM, NULL},
    NODES_END,
};
static const struct json_node SLASHING_PARAMS[] = {
    {"downtime_inactive_duration", FIELD_DOWNTIME, NULL},
    NODES_END,
};
static const struct json_node SLASHING[] = {{"params", 0, SLASHING_PARAMS}, NODES_END};
static const struct json_node PLAN[] = {
    {"name", FIELD_PLAN_NAME, NULL},
    {"upgrade_time", FIELD_PLAN_TIME, NULL},
    {"instate_upgrade", FIELD_PLAN_INSTATE, NULL},
    {"processed_no_vote_validators", FIELD_PLAN_PROCESSED, NULL},
    {"proposalID", FIELD_PLAN_PROPOSAL, NULL},
    {"proposal_id", FIELD_PLAN_PROPOSAL, NULL},
    NODES_END,
};
static const struct json_node UPGRADE[] = {{"next_plan", FIELD_PLAN, PLAN}, NODES_END};
static const struct json_node APP[] = {
    {"customstaking", 0, STAKING},
    {"customgov", 0, GOVERNANCE},
    {"customslashing", 0, SLASHING},
    {"upgrade", 0, UPGRADE},
    {"dclauth", FIELD_DCL, NULL},
    {"dclgenutil", FIELD_DCL, NULL},
    NODES_END,
};
static const struct json_node TOP[9];
static const struct json_node RESULT[] = {{"genesis", 0, TOP}, NODES_END};
static const struct json_node TOP[9] = {
    {"chain_id", FIELD_CHAIN_ID, NULL},
    {"initial_height", FIELD_INITIAL_HEIGHT, NULL},
    {"genesis_time", FIELD_GENESIS_TIME, NULL},
    {"validators", FIELD_PLAIN_LIST, PLAIN_LIST},
    {"consensus", 0, CONSENSUS},
    {"app_state", 0, APP},
    {"result", 0, RESULT},
    NODES_END,
};
const struct json_node GENESIS_SCHEMA = {"", FIELD_ROOT, TOP};
