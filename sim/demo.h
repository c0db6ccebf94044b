/* `stagger demo`: a whole network on this machine is rebooted into a new binary, staggered, while one looks on.
 *
 *     this process --+-- stagger devnet --external-nodes      the chain process
 *                    +-- stagger run, one a validator -----------> its node, a child of the agent's
 *                    +-- stagger reboot --to v2, one an agent
 *                    |
 *                    +-- reads the chain's block log: the table, the judge, the page
 *
 * Nothing else is needed: the nodes' binaries are small scripts in a tree as cosmovisor has it, and start this very
 * program as a node of version v1 or v2. Whether all went well is judged from the chain's own blocks (demo_judge.h) and
 * from the version that each node shows on its RPC, never from what an agent says.
 *
 * However it ends, nothing of it stays: every process is ours, also those whose parent has died (a subreaper's), and all
 * of them are gone before the directory is removed.
 */
#ifndef STAGGER_SIM_DEMO_H
#define STAGGER_SIM_DEMO_H

/* argv[0] is the command's own name. Exit status: 0 all that was promised is true; 1 an error, with a line on standard
 * error; 3 the run came to its end and something is not true; 128 + the signal that ended it. */
int demo_main(int argc, char **argv);

#endif
