/* The commands of node/ for the table in main.c. argv[0] is the command's own name.
 *
 * Exit statuses, the same for all of them:
 *
 *     0  done
 *     1  a usage, configuration or key error; nothing was sent
 *     2  a guard refused: what was asked would have endangered the network; nothing was sent
 *     3  the network could not be asked, or answered with what cannot be true
 *     4  a transaction was sent and failed, or did not happen before its time-out
 *
 * Errors are one line on standard error, "stagger COMMAND: ...".
 */
#ifndef STAGGER_NODE_COMMANDS_H
#define STAGGER_NODE_COMMANDS_H

enum command_status {
    COMMAND_DONE = 0,
    COMMAND_USAGE = 1,
    COMMAND_REFUSED = 2,
    COMMAND_NO_NETWORK = 3,
    COMMAND_FAILED = 4,
};

int command_chain(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_gossip_key(int argc, char **argv);
int command_hold(int argc, char **argv);
int command_keys(int argc, char **argv);
int command_ok_to_stop(int argc, char **argv);
int command_pause(int argc, char **argv);
int command_reboot(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_run(int argc, char **argv);
int command_status(int argc, char **argv);
int command_turns(int argc, char **argv);
int command_tx(int argc, char **argv);
int command_unfreeze(int argc, char **argv);
int command_unhold(int argc, char **argv);
int command_unpause(int argc, char **argv);
int command_wait(int argc, char **argv);

#endif
