#include "sim/devnet_options.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "coord/view.h"
#include "proto/input.h"
#include "sim/devnet_dir.h"
#include "sim/flags.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define DAY_MS 86400000

static const struct flag_row rows[OPTION_COUNT] = {
    [OPTION_CHAIN] = {"chain", "kira|dcl", FLAG_CHAIN, 0, 0, "kira",
                      "which chain it is; default kira"},
    [OPTION_VALIDATORS] = {"validators", "N", FLAG_WHOLE, 1, DEVNET_NODES_MAX, "7",
                           "validators, each with a node; default 7"},
    [OPTION_CHAIN_ID] = {"chain-id", "ID", FLAG_NAME, 1, 50, NULL,
                         "default kira-devnet-1 or dcl-devnet-1"},
    [OPTION_MIN_VALIDATORS] = {"min-validators", "M", FLAG_WHOLE, 1, 16384, "1",
                               "KIRA: the chain's min_validators; DCL has none, there it is what\n"
                               "the agents keep to; default 1"},
    [OPTION_GUARD] = {"guard", NULL, FLAG_SWITCH, 0, 0, NULL,
                      "KIRA: pauses are refused by the count of ACTIVE validators, as KIP_54\n"
                      "has it, not by the count of records as sekaid does"},
    [OPTION_PROPOSAL_TIME] = {"proposal-time", "TIME", FLAG_SECONDS, 1000, DAY_MS, "5s",
                              "KIRA: how long one can vote; whole seconds; default 5s"},
    [OPTION_ENACTMENT_TIME] = {"enactment-time", "TIME", FLAG_SECONDS, 1000, DAY_MS, "2s",
                               "KIRA: from the vote's end to its effect; likewise; default 2s"},
    [OPTION_SEED] = {"seed", "S", FLAG_WHOLE, 0, UINT64_MAX, NULL,
                     "the same keys for the same number; default: random keys"},
    [OPTION_BASE_PORT] = {"base-port", "P", FLAG_WHOLE, 1024, 65535, NULL,
                          "node N serves 127.0.0.1:P+N; default: the first free hundred from\n"
                          "26600 on, and the same again later"},
    [OPTION_BLOCK_TIME] = {"block-time", "TIME", FLAG_DURATION, 100, 3600000, "1s",
                           "between blocks; default 1s"},
    [OPTION_EMPTY_BLOCKS] = {"empty-blocks", "TIME", FLAG_DURATION, 100, DAY_MS, NULL,
                             "between blocks without transactions; default: the block time on\n"
                             "KIRA, 10m on DCL"},
    [OPTION_TIMEOUT_PROPOSE] = {"timeout-propose", "TIME", FLAG_DURATION, 50, 3600000, "3s",
                                "how long a block waits for a proposer that is down; default 3s"},
    [OPTION_DIR] = {"dir", "DIR", FLAG_PATH, 0, 0, "devnet", "its directory; default ./devnet"},
    [OPTION_EXTERNAL_NODES] = {"external-nodes", NULL, FLAG_SWITCH, 0, 0, NULL,
                               "run the chain process only: nodes are started by others, with\n"
                               "`stagger devnet node run N`"},
    [OPTION_SOFTWARE] = {"software", "VERSION", FLAG_NAME, 1, 40, NULL,
                         "of `node run`: the application's version, as /abci_info shows it;\n"
                         "default v0.4.13 or 1.5.2"},
    [OPTION_DETACH] = {"detach", NULL, FLAG_SWITCH, 0, 0, NULL,
                       "return when it is up and leave it running"},
    [OPTION_HELP] = {"help", NULL, FLAG_SWITCH, 0, 0, NULL, "this text"},
};

const char *devnet_option_name(enum devnet_option option)
{
    assert(option < OPTION_COUNT);
    return rows[option].name;
}

/* --- the words --- */

static bool action_read(const char *word, struct devnet_options *options, struct fault *fault)
{
    static const struct {
        const char *word;
        enum devnet_action action;
    } actions[] = {
        {"start", DEVNET_START}, {"stop", DEVNET_END}, {"kill", DEVNET_KILL}, {"run", DEVNET_RUN}};
    char quoted[INPUT_QUOTE_MAX];
    for (uint32_t i = 0; i < COUNT(actions); i++)
        if (strcmp(word, actions[i].word) == 0) {
            options->action = actions[i].action;
            return true;
        }
    return fault_set(fault, "there is no '%s' for a process; expected start, stop, kill or run",
                     input_quote(word, quoted));
}

static bool node_read(const char *word, struct devnet_options *options, struct fault *fault)
{
    char quoted[INPUT_QUOTE_MAX];
    uint64_t node;
    if (!input_whole(word, &node) || node >= DEVNET_NODES_MAX)
        return fault_set(fault, "'%s' is no node; expected its number, 0 or more",
                         input_quote(word, quoted));
    options->process = (uint32_t)node;
    return true;
}

#define WORDS_MAX 3

static bool words_read(struct devnet_options *options, const char *const *words, uint32_t count,
                       struct fault *fault)
{
    char quoted[INPUT_QUOTE_MAX];
    bool node = count > 0 && strcmp(words[0], "node") == 0;
    bool chain = count > 0 && strcmp(words[0], "chain") == 0;
    if (count == 0)
        return true;
    options->process = DEVNET_CHAIN;
    if (count == 1 && strcmp(words[0], "stop") == 0) {
        options->action = DEVNET_STOP;
        return true;
    }
    if (count == 1 && strcmp(words[0], "status") == 0) {
        options->action = DEVNET_STATUS;
        return true;
    }
    if (node && count == 3)
        return action_read(words[1], options, fault) && node_read(words[2], options, fault);
    if (chain && count == 2)
        return action_read(words[1], options, fault);
    if (node || chain)
        return fault_set(fault, "expected `stagger devnet %s`",
                         node ? "node start|stop|kill N` or `stagger devnet node run N"
                              : "chain start|stop|kill");
    return fault_set(
        fault, "there is no command '%s'%s; expected node, chain, status or stop, or options only",
        input_quote(words[0], quoted), count > 1 ? " with what follows it" : "");
}

/* An option that says what an action has no use for. */
static bool uses_check(const struct devnet_options *options, struct fault *fault)
{
    bool dcl = options->number[OPTION_CHAIN] == CHAIN_DCL;
    for (uint32_t i = 0; i < OPTION_COUNT; i++) {
        bool kira_only =
            i == OPTION_GUARD || i == OPTION_PROPOSAL_TIME || i == OPTION_ENACTMENT_TIME;
        bool node_only = i == OPTION_SOFTWARE;
        bool runs_node = options->action == DEVNET_RUN && options->process != DEVNET_CHAIN;
        if (options->given[i] && node_only && !runs_node)
            return fault_set(fault, "--%s is for `stagger devnet node run N`", rows[i].name);
        if (options->given[i] && options->action != DEVNET_UP && i != OPTION_DIR && !node_only)
            return fault_set(fault, "--%s says nothing here; only --dir does", rows[i].name);
        if (options->given[i] && kira_only && dcl)
            return fault_set(fault, "--%s is for --chain kira; DCL has nothing like it",
                             rows[i].name);
    }
    return true;
}

static bool sums_check(struct devnet_options *options, struct fault *fault)
{
    uint64_t *number = options->number;
    if (!options->given[OPTION_EMPTY_BLOCKS])
        number[OPTION_EMPTY_BLOCKS] =
            number[OPTION_CHAIN] == CHAIN_DCL && number[OPTION_BLOCK_TIME] < 600000
                ? 600000
                : number[OPTION_BLOCK_TIME];
    if (options->given[OPTION_BASE_PORT] &&
        number[OPTION_BASE_PORT] + number[OPTION_VALIDATORS] - 1 > 65535)
        return fault_set(fault,
                         "--base-port: %s and the %" PRIu64
                         " nodes' ports above it pass 65535; choose a lower one",
                         options->text[OPTION_BASE_PORT], number[OPTION_VALIDATORS]);
    return true;
}

static struct flags flags_of(struct devnet_options *options)
{
    return (struct flags){"devnet",        rows,         OPTION_COUNT, OPTION_HELP, options->given,
                          options->number, options->text};
}

bool devnet_options_read(int argc, char **argv, struct devnet_options *options, struct fault *fault)
{
    const char *words[WORDS_MAX];
    uint32_t count;
    *options = (struct devnet_options){.action = DEVNET_UP};
    const struct flags flags = flags_of(options);
    if (!flags_read(&flags, argc, argv, words, WORDS_MAX, &count, fault))
        return false;
    if (options->given[OPTION_HELP]) {
        options->action = DEVNET_HELP;
        return true;
    }
    return words_read(options, words, count, fault) && uses_check(options, fault) &&
           sums_check(options, fault);
}

void devnet_usage(FILE *out)
{
    struct devnet_options none;
    const struct flags flags = flags_of(&none);
    fputs("usage: stagger devnet [OPTIONS]                      make a devnet, or continue one\n"
          "       stagger devnet stop|status [--dir DIR]\n"
          "       stagger devnet node start|stop|kill N [--dir DIR]\n"
          "       stagger devnet chain start|stop|kill [--dir DIR]\n"
          "       stagger devnet node run N [--dir DIR] [--software VERSION]\n\n"
          "A KIRA or DCL network on this machine, with an RPC for every validator.\n\n",
          out);
    flags_usage(&flags, out);
    fputs(
        "\nstop ends with SIGTERM, kill with SIGKILL. `node run` is that node, in the foreground. Ctrl-C\n"
        "stops the whole devnet; the next start goes on where it stopped. Times are such as 500ms, 2s or\n"
        "10m.\n",
        out);
}
