/* Answers of KIRA about what governance has set. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kira.pb-c.h"
#include "proto/answer_internal.h"

/* Decimals as the wire has them, scaled by 10^18. */
#define THOUSANDTH "000000000000000"
#define PERCENT "0000000000000000"

/* What nothing here depends on: sekai v0.4.13 starts with these. */
static Kira__NetworkProperties properties_default(void)
{
    Kira__NetworkProperties p = KIRA__NETWORK_PROPERTIES__INIT;
    p.vote_quorum = bounded_text("33" PERCENT);
    p.enable_foreign_fee_payments = true;
    p.unjail_max_time = 600;
    p.enable_token_blacklist = true;
    p.min_identity_approval_tip = 200;
    p.unique_identity_keys = bounded_text("moniker,username");
    p.ubi_hardcap = 6000000;
    p.validators_fee_share = bounded_text("50" PERCENT);
    p.inflation_rate = bounded_text("18" PERCENT);
    p.inflation_period = 31557600;
    p.unstaking_period = 2629800;
    p.max_delegators = 100;
    p.min_delegation_pushout = 10;
    p.slashing_period = 2629800;
    p.max_jailed_percentage = bounded_text("25" PERCENT);
    p.max_slashing_percentage = bounded_text("5" THOUSANDTH);
    p.min_custody_reward = 200;
    p.max_custody_buffer_size = 10;
    p.max_custody_tx_size = 8192;
    p.abstention_rank_decrease_amount = 1;
    p.max_abstention = 2;
    p.min_collective_bond = 100000;
    p.min_collective_bonding_time = 86400;
    p.max_collective_outputs = 10;
    p.min_collective_claim_period = 14400;
    p.validator_recovery_bond = 300000;
    p.max_annual_inflation = bounded_text("35" PERCENT);
    return p;
}

static void properties_default_more(Kira__NetworkProperties *p)
{
    p->max_proposal_title_size = 128;
    p->max_proposal_description_size = 1024;
    p->max_proposal_poll_option_size = 64;
    p->max_proposal_poll_option_count = 128;
    p->max_proposal_reference_size = 512;
    p->max_proposal_checksum_size = 128;
    p->min_dapp_bond = 1000000;
    p->max_dapp_bond = 10000000;
    p->dapp_liquidation_threshold = 100000000000;
    p->dapp_liquidation_period = 2419200;
    p->dapp_bond_duration = 604800;
    p->dapp_verifier_bond = bounded_text("1" THOUSANDTH);
    p->dapp_auto_denounce_time = 60;
    p->dapp_mischance_rank_decrease_amount = 1;
    p->dapp_max_mischance = 10;
    p->dapp_inactive_rank_decrease_percent = bounded_text("10" PERCENT);
    p->dapp_pool_slippage_default = bounded_text("10" PERCENT);
    p->minting_ft_fee = 100000000000000;
    p->minting_nft_fee = 100000000000000;
    p->veto_threshold = bounded_text("334" THOUSANDTH);
    p->autocompound_interval_num_blocks = 17280;
    p->bridge_address = bounded_text("test");
}

uint8_t *answer_properties(const struct answer_properties *properties, size_t *size)
{
    struct arena arena;
    char percent[48];
    Kira__NetworkProperties p = properties_default();
    Kira__QueryNetworkPropertiesResponse reply = KIRA__QUERY_NETWORK_PROPERTIES_RESPONSE__INIT;
    arena_begin(&arena, ANSWER_BUDGET);
    properties_default_more(&p);
    snprintf(percent, sizeof percent, "%" PRIu64 "%s", properties->inactive_rank_percent,
             properties->inactive_rank_percent ? PERCENT : "");
    p.min_tx_fee = properties->min_tx_fee;
    p.max_tx_fee = properties->max_tx_fee;
    p.minimum_proposal_end_time = properties->minimum_proposal_end_s;
    p.proposal_enactment_time = properties->proposal_enactment_s;
    p.min_proposal_end_blocks = properties->min_proposal_end_blocks;
    p.min_proposal_enactment_blocks = properties->min_proposal_enactment_blocks;
    p.mischance_rank_decrease_amount = properties->mischance_rank_decrease;
    p.max_mischance = properties->max_mischance;
    p.mischance_confidence = properties->mischance_confidence;
    p.inactive_rank_decrease_percent = bounded_text(percent);
    p.min_validators = properties->min_validators;
    p.poor_network_max_bank_send = properties->poor_network_max_bank_send;
    p.downtime_inactive_duration = properties->downtime_inactive_s;
    reply.properties = &p;
    return answer_pack(&arena, &reply.base, size);
}

/* --- execution fees --- */

#define FEES 9
#define FEE_TIMEOUT 10

static void fee_fill(Kira__ExecutionFee *fee, const char *type, uint64_t execution,
                     uint64_t failure)
{
    kira__execution_fee__init(fee);
    fee->transaction_type = bounded_text(type);
    fee->execution_fee = execution;
    fee->failure_fee = failure;
    fee->timeout = FEE_TIMEOUT;
}

/* Ascending by type, as the chain stores them. */
static void fees_fill(const struct answer_fees *from, Kira__ExecutionFee fees[FEES])
{
    fee_fill(&fees[0], "activate", from->activate, from->activate_failure);
    fee_fill(&fees[1], "claim-proposal-type-x", 100, 1);
    fee_fill(&fees[2], "claim_councilor", 100, 1);
    fee_fill(&fees[3], "claim_validator", 100, 1);
    fee_fill(&fees[4], "pause", from->pause, from->pause);
    fee_fill(&fees[5], "submit-proposal-type-x", 10, 1);
    fee_fill(&fees[6], "unpause", from->unpause, from->unpause);
    fee_fill(&fees[7], "veto-proposal-type-x", 100, 1);
    fee_fill(&fees[8], "vote-proposal-type-x", 100, 1);
}

/* All that the chain knows, in no order: it reads them from a map. */
static const char *const tx_types[] = {
    "activate",
    "add_to_custody_custodians",
    "add_to_custody_whitelist",
    "approve_custody_transaction",
    "assign_role",
    "blacklist_permissions",
    "blacklist_role_permission",
    "cancel_identity_records_verify_request",
    "claim_councilor",
    "claim_rewards",
    "claim_spending_pool",
    "claim_undelegation",
    "claim_validator",
    "create_custody",
    "create_role",
    "create_spending_pool",
    "decline_custody_transaction",
    "delegate",
    "delete_identity_records",
    "deposit_spending_pool",
    "drop_custody_custodians",
    "drop_custody_whitelist",
    "ethereum_tx",
    "handle_identity_records_verify_request",
    "multisend",
    "pause",
    "register_delegator",
    "register_identity_records",
    "register_spending_pool_beneficiary",
    "remove_blacklist_role_permission",
    "remove_from_custody_custodians",
    "remove_from_custody_whitelist",
    "remove_whitelist_role_permission",
    "request_identity_records_verify",
    "send",
    "set_compound_info",
    "set_execution_fee",
    "set_network_properties",
    "submit_evidence",
    "submit_proposal",
    "unassign_role",
    "undelegate",
    "unpause",
    "upsert_staking_pool",
    "upsert_token_info",
    "vote_proposal",
    "whitelist_permissions",
    "whitelist_role_permission",
};

#define TX_TYPES (sizeof tx_types / sizeof tx_types[0])

uint8_t *answer_fees(const struct answer_fees *fees, size_t *size)
{
    struct arena arena;
    Kira__ExecutionFee list[FEES], *pointers[FEES];
    ProtobufCBinaryData types[TX_TYPES];
    Kira__QueryAllExecutionFeesResponse reply = KIRA__QUERY_ALL_EXECUTION_FEES_RESPONSE__INIT;
    arena_begin(&arena, ANSWER_BUDGET);
    fees_fill(fees, list);
    for (size_t i = 0; i < FEES; i++)
        pointers[i] = &list[i];
    for (size_t i = 0; i < TX_TYPES; i++)
        types[i] = bounded_text(tx_types[i]);
    reply.fees = pointers;
    reply.n_fees = FEES;
    reply.tx_types = types;
    reply.n_tx_types = TX_TYPES;
    return answer_pack(&arena, &reply.base, size);
}

uint8_t *answer_fee(const struct answer_fees *fees, const char *type, size_t *size)
{
    Kira__ExecutionFee list[FEES];
    Kira__QueryExecutionFeeResponse reply = KIRA__QUERY_EXECUTION_FEE_RESPONSE__INIT;
    fees_fill(fees, list);
    for (size_t i = 0; i < FEES; i++) {
        struct arena arena;
        if (strlen(type) != list[i].transaction_type.len ||
            memcmp(type, list[i].transaction_type.data, list[i].transaction_type.len) != 0)
            continue;
        arena_begin(&arena, ANSWER_BUDGET);
        reply.fee = &list[i];
        return answer_pack(&arena, &reply.base, size);
    }
    return NULL;
}

uint8_t *answer_poor_messages(size_t *size)
{
    static const char *const allowed[] = {
        "submit_proposal",
        "set_network_properties",
        "vote_proposal",
        "claim_councilor",
        "whitelist_permissions",
        "blacklist_permissions",
        "create_role",
        "assign_role",
        "unassign_role",
        "whitelist_role_permission",
        "blacklist_role_permission",
        "remove_whitelist_role_permission",
        "remove_blacklist_role_permission",
        "claim_validator",
        "activate",
        "pause",
        "unpause",
        "register_identity_records",
        "delete_identity_records",
        "request_identity_records_verify",
        "handle_identity_records_verify_request",
        "cancel_identity_records_verify_request",
    };
    struct arena arena;
    ProtobufCBinaryData list[sizeof allowed / sizeof allowed[0]];
    Kira__QueryPoorNetworkMessagesResponse reply = KIRA__QUERY_POOR_NETWORK_MESSAGES_RESPONSE__INIT;
    arena_begin(&arena, ANSWER_BUDGET);
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        list[reply.n_messages++] = bounded_text(allowed[i]);
    reply.messages = list;
    return answer_pack(&arena, &reply.base, size);
}
