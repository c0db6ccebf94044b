#include "node/chain.h"

#define SLASHING "customslashing"
#define FIND_OUT "; look with `stagger chain status`"

/* reference pages, KIRA 2.3 and 8 */
/* clang-format off */
static const struct chain_advice codes[] = {
    {SLASHING, 2, NULL, CHAIN_MEANS_FINAL, "no validator of this account",
     "claim a validator seat with this account first, or use the key of the account that has one"},
    {SLASHING, 3, NULL, CHAIN_MEANS_FINAL, "empty validator address",
     "check [chain] prefix and the key: the message names nobody"},
    {SLASHING, 4, NULL, CHAIN_MEANS_FINAL, "validator is jailed",
     "only a governance proposal (unjail validator) helps, then activate"},
    {SLASHING, 5, "jail time remaining", CHAIN_MEANS_WAIT, "inactive, time not over",
     "activate again when the seconds that the log names have passed"},
    {SLASHING, 5, NULL, CHAIN_MEANS_FINAL, "validator is inactive",
     "an inactive validator is out of the set already: activate instead"},
    {SLASHING, 6, NULL, CHAIN_MEANS_DONE_BEFORE, "not inactive",
     "there is nothing to activate; when it is paused, unpause" FIND_OUT},
    {SLASHING, 7, NULL, CHAIN_MEANS_DONE_BEFORE, "not paused",
     "there is nothing to unpause; when it is inactive, activate" FIND_OUT},
    {SLASHING, 8, NULL, CHAIN_MEANS_DONE_BEFORE, "already paused",
     "nothing: it is paused" FIND_OUT},
    {SLASHING, 11, NULL, CHAIN_MEANS_FINAL, "too few validator records",
     "the network has no more records than min_validators: nobody can pause until others join"},
    {"sdk", 18, "poor network", CHAIN_MEANS_FINAL, "not allowed on a poor network",
     "fewer validators than min_validators: sends are limited by poor_network_max_bank_send"},
    {"sdk", 18, "out of range", CHAIN_MEANS_FINAL, "fee out of range",
     "give a fee as `stagger chain properties` shows the limits, or leave --fee out"},
    {"sdk", 18, "max execution fee", CHAIN_MEANS_FINAL, "fee below the execution fee",
     "give the fee that the log names, or leave --fee out"},
};
/* clang-format on */

const struct chain_driver chain_kira = {
    .kind = CHAIN_KIRA,
    .name = "kira",
    .prefix = "kira",
    .denom = "ukex",
    .empty_blocks = true,
    .actions = {[TX_DO_JOIN] = true,
                [TX_DO_PAUSE] = true,
                [TX_DO_UNPAUSE] = true,
                [TX_DO_ACTIVATE] = true,
                [TX_DO_VOTE] = true,
                [TX_DO_SUBMIT_UPGRADE] = true,
                [TX_DO_CANCEL_UPGRADE] = true},
    .fee_types = {[TX_DO_JOIN] = "send",
                  [TX_DO_PAUSE] = "pause",
                  [TX_DO_UNPAUSE] = "unpause",
                  [TX_DO_ACTIVATE] = "activate",
                  [TX_DO_VOTE] = "vote_proposal",
                  [TX_DO_SUBMIT_UPGRADE] = "submit_proposal",
                  [TX_DO_CANCEL_UPGRADE] = "submit_proposal"},
    .topics = CHAIN_EVERYTHING,
    .advice = codes,
    .advice_count = sizeof codes / sizeof codes[0],
};
