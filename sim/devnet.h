/* `stagger devnet`: a network on this machine that answers like a real one. DEVNET.md is its guide. */
#ifndef STAGGER_SIM_DEVNET_H
#define STAGGER_SIM_DEVNET_H

/* argv[0] is the command's own name. Exit status: 0 done, 1 an error with a line on standard error, 3 `status`
 * of a devnet that does not run. */
int devnet_main(int argc, char **argv);

#endif
