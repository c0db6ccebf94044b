#include <string.h>

#include "coord/view.h"
#include "sim/demo_internal.h"
#include "sim/flags.h"

static const struct flag_row rows[DEMO_OPTION_COUNT] = {
    [DEMO_CHAIN] = {"chain", "kira|dcl", FLAG_CHAIN, 0, 0, "kira",
                    "which chain it is; default kira"},
    [DEMO_VALIDATORS] = {"validators", "N", FLAG_WHOLE, DEMO_VALIDATORS_MIN, DEMO_VALIDATORS_MAX,
                         "7", "validators, each with a node and an agent; default 7"},
    [DEMO_BLOCK_TIME] = {"block-time", "TIME", FLAG_DURATION, 250, 10000, "1s",
                         "between blocks; default 1s"},
    [DEMO_REBOOT] = {"reboot", "TIME", FLAG_DURATION, 100, 600000, "10s",
                     "how long the work on a node that is down takes; default 10s"},
    [DEMO_DIR] = {"dir", "DIR", FLAG_PATH, 0, 0, NULL,
                  "a new or empty directory for everything, which stays;\n"
                  "default: a temporary one, removed at the end"},
    [DEMO_KEEP] = {"keep", NULL, FLAG_SWITCH, 0, 0, NULL, "leave the temporary directory"},
    [DEMO_HTML] = {"html", "FILE", FLAG_PATH, 0, 0, "stagger-demo.html",
                   "the page; default ./stagger-demo.html"},
    [DEMO_HELP] = {"help", NULL, FLAG_SWITCH, 0, 0, NULL, "this text"},
};

static struct flags flags_of(struct demo_options *options)
{
    return (struct flags){
        "demo", rows, DEMO_OPTION_COUNT, DEMO_HELP, options->given, options->number, options->text};
}

bool demo_options_read(int argc, char **argv, struct demo_options *options, struct fault *fault)
{
    const char *word;
    uint32_t count;
    const struct flags flags = flags_of(options);
    return flags_read(&flags, argc, argv, &word, 0, &count, fault);
}

void demo_usage(FILE *out)
{
    struct demo_options none;
    const struct flags flags = flags_of(&none);
    fputs(
        "usage: stagger demo [OPTIONS]\n\n"
        "A network on this machine is rebooted into a new binary, one agent beside each validator, with\n"
        "a live table, a summary that is judged from the chain's own blocks, and a page. About two\n"
        "minutes; Ctrl-C ends it and leaves nothing behind.\n\n",
        out);
    flags_usage(&flags, out);
    fputs(
        "\nTimes are such as 500ms, 2s or 1m. Exit status 0: everybody was upgraded, the floor held, no\n"
        "member of the set missed a block, nobody was left paused; 3: something of that is not so.\n",
        out);
}
