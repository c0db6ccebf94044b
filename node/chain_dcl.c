#include "node/chain.h"

/* reference pages, DCL 1.1 to 1.3 */
/* clang-format off */
static const struct chain_advice codes[] = {
    {"staking", 4, NULL, CHAIN_MEANS_JOINED, "the validator exists already",
     "nothing: a join is meant to be refused so, and counts"},
    {"validator", 601, NULL, CHAIN_MEANS_JOINED, "the pool is full",
     "nothing: a join is meant to be refused so, and counts"},
    {"validator", 602, NULL, CHAIN_MEANS_FINAL, "proposal to disable exists",
     "the trustees vote on disabling this validator already"},
    {"validator", 603, NULL, CHAIN_MEANS_FINAL, "no proposal to disable",
     "there is no such proposal; look with `stagger chain validators`"},
    {"validator", 604, NULL, CHAIN_MEANS_DONE_BEFORE, "already disabled",
     "nothing: it is disabled; look with `stagger chain status` by whom"},
    {"validator", 605, NULL, CHAIN_MEANS_DONE_BEFORE, "not disabled",
     "nothing: there is nothing to enable; look with `stagger chain status`"},
    {"dclupgrade", 801, NULL, CHAIN_MEANS_DONE_BEFORE, "upgrade already proposed",
     "approve the proposal that exists, or choose another name"},
    {"dclupgrade", 802, NULL, CHAIN_MEANS_FINAL, "no such proposed upgrade",
     "it was approved, rejected or withdrawn meanwhile; look with `stagger chain plan`"},
    {"dclupgrade", 803, NULL, CHAIN_MEANS_FINAL, "upgrade of this name was approved",
     "a name that was once approved cannot be proposed again: choose another one"},
    {"sdk", 4, "role", CHAIN_MEANS_FINAL, "the account lacks the role",
     "have the trustees give the account the role that the log names: NodeAdmin or Trustee"},
    {"sdk", 4, "already", CHAIN_MEANS_DONE_BEFORE, "already voted",
     "nothing: this trustee's vote is counted; look with `stagger chain plan`"},
    {"sdk", 18, "in the past", CHAIN_MEANS_FINAL, "plan height has passed",
     "the plan's height is behind the chain: propose another with a later height"},
    {"sdk", 18, "already been completed", CHAIN_MEANS_FINAL, "upgrade was completed",
     "an upgrade of this name is done: choose another name"},
};
/* clang-format on */

const struct chain_driver chain_dcl = {
    .kind = CHAIN_DCL,
    .name = "dcl",
    .prefix = "cosmos",
    .denom = NULL,
    .empty_blocks = false,
    .actions = {[TX_DO_JOIN] = true,
                [TX_DO_PAUSE] = true,
                [TX_DO_UNPAUSE] = true,
                [TX_DO_SUBMIT_UPGRADE] = true,
                [TX_DO_APPROVE_UPGRADE] = true,
                [TX_DO_REJECT_UPGRADE] = true},
    .topics = CHAIN_EVERYTHING & ~(uint32_t)(CHAIN_PROPERTIES | CHAIN_FEES),
    .advice = codes,
    .advice_count = sizeof codes / sizeof codes[0],
};
