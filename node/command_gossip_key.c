/* `stagger gossip-key`: what others put into their seeds to reach this host's agent. */
#include <stdio.h>

#include "node/commands.h"
#include "node/gossip_key.h"
#include "node/options.h"
#include "node/secret.h"
#include "proto/encoding.h"

#define COMMAND "gossip-key"

static const enum setting settings_used[] = {SETTING_AGENT_DIR, SETTING_GOSSIP_ADVERTISE};

static const struct options_spec spec = {
    .command = COMMAND,
    .about =
        "Print KEY@tcp://host:port for each endpoint of gossip.advertise: what the agents of "
        "other\nhosts name in gossip.seeds. Without endpoints the key alone is printed.\n\n"
        "The keys are made in agent.dir if they are not there yet, so this can be done on every "
        "host\nbefore the first agent starts.",
    .settings = settings_used,
    .setting_count = sizeof settings_used / sizeof *settings_used,
};

static bool print(const struct settings *settings, struct fault *fault)
{
    struct gossip_key GOSSIP_KEY_WIPED key;
    const char *items[SETTINGS_LIST_MAX];
    char hex[HEX_TEXT(RECORD_KEY_SIZE)];
    if (!gossip_key_open(settings_text(settings, SETTING_AGENT_DIR), &key, fault))
        return false;
    uint32_t count = settings_list(settings, SETTING_GOSSIP_ADVERTISE, items);
    hex_encode(key.curve, sizeof key.curve, hex);
    if (count == 0)
        puts(hex);
    for (uint32_t i = 0; i < count; i++)
        printf("%s@%s\n", hex, items[i]);
    return (fflush(stdout) == 0 && !ferror(stdout)) ||
           fault_set(fault, "standard output could not be written");
}

int command_gossip_key(int argc, char **argv)
{
    struct settings *settings;
    struct fault fault;
    enum options_outcome outcome = options_parse(&spec, NULL, argc, argv, &settings);
    if (outcome != OPTIONS_GO)
        return outcome == OPTIONS_HELP ? COMMAND_DONE : COMMAND_USAGE;
    secret_guard();
    bool good = print(settings, &fault);
    if (!good)
        options_say(COMMAND, "%s", fault.text);
    settings_destroy(&settings);
    return good ? COMMAND_DONE : COMMAND_USAGE;
}
