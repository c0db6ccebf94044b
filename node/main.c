/* The command table: the one file that sees both shells, node/ and sim/. */
#include <stdio.h>
#include <string.h>

#include "node/commands.h"
#include "sim/demo.h"
#include "sim/devnet.h"
#include "sim/sim.h"

#ifdef NDEBUG
#error "assertions are part of stagger and stay on in every build; do not define NDEBUG"
#endif

struct command {
    const char *name;
    const char *about;
    int (*run)(int argc, char **argv); /* argv[0] is its own name; returns the exit status */
};

static int command_help(int argc, char **argv);
static int command_version(int argc, char **argv);

static const struct command commands[] = {
    {"chain", "look at a network: status, validators, plan, properties", command_chain},
    {"run", "the agent, beside one validator", command_run},
    {"status", "what the agent does and why", command_status},
    {"ok-to-stop", "may this node be stopped now", command_ok_to_stop},
    {"pause", "take this validator out for maintenance by hand", command_pause},
    {"unpause", "the maintenance is over", command_unpause},
    {"reboot", "reboot this node when its turn comes", command_reboot},
    {"hold", "begin no turn", command_hold},
    {"unhold", "turns may begin again", command_unhold},
    {"unfreeze", "go on though others are overdue", command_unfreeze},
    {"explain", "what the agent decided, in its own sentences", command_explain},
    {"wait", "wait for the agent to be out, back, done or idle", command_wait},
    {"gossip-key", "what others need to reach this host's agent", command_gossip_key},
    {"keys", "the store of account keys", command_keys},
    {"tx", "send one transaction, or sign it offline", command_tx},
    {"replay", "what an agent did and why, from its journal", command_replay},
    {"turns", "whose turn it is, from a node's blocks", command_turns},
    {"sim", "replay the upgrade of a whole network in simulated time", sim_main},
    {"devnet", "run a whole network on this machine", devnet_main},
    {"demo", "watch a network reboot into a new binary, on this machine", demo_main},
    {"--help", "this list", command_help},
    {"--version", "the version", command_version},
};

#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

/* Standard output may be a full disk or a closed pipe: known only after the last byte. */
static int written(void)
{
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}

static int command_help(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    puts("usage: stagger COMMAND [OPTIONS]\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-10s %s\n", commands[i].name, commands[i].about);
    puts("\n`stagger COMMAND --help` lists the options of a command.");
    return written();
}

static int command_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    puts("stagger " STAGGER_VERSION);
    return written();
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("stagger: no command given; `stagger --help` lists them\n", stderr);
        return 1;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "stagger: there is no command '%s'; `stagger --help` lists them\n", argv[1]);
    return 1;
}
