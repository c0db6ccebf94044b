/* `stagger sim`: the command. */
#ifndef STAGGER_SIM_SIM_H
#define STAGGER_SIM_SIM_H

/* argv[0] is the command's own name. Returns the exit status: 0 all well, 1 a usage or input error, 3 an
 * invariant was violated, 4 agents are undone that could have been done, 5 the chain stopped for good. */
int sim_main(int argc, char **argv);

#endif
