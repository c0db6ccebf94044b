/* The chain process of a devnet: the one that makes blocks. What CometBFT's nodes settle among each other stands
 * here in one place; the signatures are the nodes' own.
 *
 *     REST ----------> PROPOSER ----------------> VOTES ------------> block h is run, stored, synced,
 *     until the next   whose turn the round is:   of V(h): more than  and told of; next height
 *     block is due     is it there?               two thirds?
 *                        ^  no: timeout_propose,    |
 *                        |  next round              |  no: timeout_propose, next round
 *                        +--------------------------+
 *
 *     REST ends a block time after the last proposal when there are transactions, and also behind a block with
 *     transactions and behind the first ("proof block"); otherwise after the interval of empty blocks.
 *     PROPOSER waits for as long as no more than two thirds of the power are there.
 *
 * A block's votes are taken until the next proposal, so that the next block's last commit shows also who was slow. Who
 * is there, was asked and has not voted yet is waited for a moment longer than the block time: all nodes share one machine.
 * Its time is the weighted median of that commit's times; jumps of the clock cannot bring it behind an earlier one.
 *
 * P1  A node hears COMMITTED only of what lies synced in the block log.
 * P2  For one height and round nodes are asked for one block only, restarts included (devnet_chain_mark.h).
 * P3  Nothing that comes through the socket ends the process.
 *
 * A block that stops the chain is stored unapplied; the process says CONSENSUS FAILURE!!! and the chain's words,
 * tells the nodes, and makes no more blocks. Started again it says so and ends with status 1.
 */
#ifndef STAGGER_SIM_DEVNET_CHAIN_H
#define STAGGER_SIM_DEVNET_CHAIN_H

#include "sim/app.h"

struct devnet_chain_config { /* all borrowed */
    const char *log_path;    /* blocks.log */
    const char *mark_path;   /* proposal.json */
    const char *endpoint;    /* ipc://... */
    const struct app_genesis *genesis;
    int64_t block_ms, empty_ms, propose_ms;
};

/* Runs until SIGTERM or SIGINT (0) or until it cannot go on (1, with a line on standard error). The caller holds
 * the lock of the directory. See devnet_dir.h for devnet_chain_main(), which calls this. */
int devnet_chain_run(const struct devnet_chain_config *config);

#endif
