#include "sim/devnet_options.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "coord/view.h"
#include "proto/input.h"
#include "sim/devnet_dir.h"

#define EXPECTED_MAX 128
#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define DAY_MS 86400000

enum kind { IS_FLAG, IS_WHOLE, IS_DURATION, IS_SECONDS, IS_KIND, IS_NAME, IS_PATH };

struct row {
    const char *name, *argument;
    enum kind kind;
    uint64_t min, max;
    const char *fallback; /* NULL: none, or said elsewhere */
    const char *about;
};

static const struct row rows[OPTION_COUNT] = {
    [OPTION_CHAIN] = {"chain", "kira|dcl", IS_KIND, 0, 0, "kira",
                      "which chain it is; default kira"},
    [OPTION_VALIDATORS] = {"validators", "N", IS_WHOLE, 1, DEVNET_NODES_MAX, "7",
                           "validators, each with a node; default 7"},
    [OPTION_CHAIN_ID] = {"chain-id", "ID", IS_NAME, 1, 50, NULL,
                         "default kira-devnet-1 or dcl-devnet-1"},
    [OPTION_MIN_VALIDATORS] = {"min-validators", "M", IS_WHOLE, 1, 16384, "1",
                               "KIRA: the chain's min_validators; DCL has none, there it is what\n"
                               "the agents keep to; default 1"},
    [OPTION_GUARD] = {"guard", NULL, IS_FLAG, 0, 0, NULL,
                      "KIRA: pauses are refused by the count of ACTIVE validators, as KIP_54\n"
                      "has it, not by the count of records as sekaid does"},
    [OPTION_PROPOSAL_TIME] = {"proposal-time", "TIME", IS_SECONDS, 1000, DAY_MS, "5s",
                              "KIRA: how long one can vote; whole seconds; default 5s"},
    [OPTION_ENACTMENT_TIME] = {"enactment-time", "TIME", IS_SECONDS, 1000, DAY_MS, "2s",
                               "KIRA: from the vote's end to its effect; likewise; default 2s"},
    [OPTION_SEED] = {"seed", "S", IS_WHOLE, 0, UINT64_MAX, NULL,
                     "the same keys for the same number; default: random keys"},
    [OPTION_BASE_PORT] = {"base-port", "P", IS_WHOLE, 1024, 65535, NULL,
                          "node N serves 127.0.0.1:P+N; default: the first free hundred from\n"
                          "26600 on, and the same again later"},
    [OPTION_BLOCK_TIME] = {"block-time", "TIME", IS_DURATION, 100, 3600000, "1s",
                           "between blocks; default 1s"},
    [OPTION_EMPTY_BLOCKS] = {"empty-blocks", "TIME", IS_DURATION, 100, DAY_MS, NULL,
                             "between blocks without transactions; default: the block time on\n"
                             "KIRA, 10m on DCL"},
    [OPTION_TIMEOUT_PROPOSE] = {"timeout-propose", "TIME", IS_DURATION, 50, 3600000, "3s",
                                "how long a block waits for a proposer that is down; default 3s"},
    [OPTION_DIR] = {"dir", "DIR", IS_PATH, 0, 0, "devnet", "its directory; default ./devnet"},
    [OPTION_DETACH] = {"detach", NULL, IS_FLAG, 0, 0, NULL,
                       "return when it is up and leave it running"},
    [OPTION_HELP] = {"help", NULL, IS_FLAG, 0, 0, NULL, "this text"},
};

static const char *const chains[] = {[CHAIN_KIRA] = "kira", [CHAIN_DCL] = "dcl"};

const char *devnet_option_name(enum devnet_option option)
{
    static const char *const names[OPTION_COUNT] = {
        [OPTION_CHAIN] = "--chain",
        [OPTION_VALIDATORS] = "--validators",
        [OPTION_CHAIN_ID] = "--chain-id",
        [OPTION_MIN_VALIDATORS] = "--min-validators",
        [OPTION_GUARD] = "--guard",
        [OPTION_PROPOSAL_TIME] = "--proposal-time",
        [OPTION_ENACTMENT_TIME] = "--enactment-time",
        [OPTION_SEED] = "--seed",
        [OPTION_BASE_PORT] = "--base-port",
        [OPTION_BLOCK_TIME] = "--block-time",
        [OPTION_EMPTY_BLOCKS] = "--empty-blocks",
        [OPTION_TIMEOUT_PROPOSE] = "--timeout-propose",
        [OPTION_DIR] = "--dir",
        [OPTION_DETACH] = "--detach",
        [OPTION_HELP] = "--help",
    };
    assert(option < OPTION_COUNT);
    return names[option];
}

/* --- one value --- */

static void expected_text(const struct row *row, char text[EXPECTED_MAX])
{
    char from[INPUT_DURATION_MAX], to[INPUT_DURATION_MAX];
    text[0] = '\0';
    if (row->kind == IS_WHOLE)
        snprintf(text, EXPECTED_MAX, "a whole number from %" PRIu64 " to %" PRIu64, row->min,
                 row->max);
    if (row->kind == IS_DURATION || row->kind == IS_SECONDS) {
        input_duration_text((int64_t)row->min, from);
        input_duration_text((int64_t)row->max, to);
        snprintf(text, EXPECTED_MAX, "a duration from %s to %s%s", from, to,
                 row->kind == IS_SECONDS ? " in whole seconds" : "");
    }
    if (row->kind == IS_KIND)
        snprintf(text, EXPECTED_MAX, "kira or dcl");
    if (row->kind == IS_NAME)
        snprintf(text, EXPECTED_MAX, "%" PRIu64 " to %" PRIu64 " letters, digits, '-', '_' or '.'",
                 row->min, row->max);
    if (row->kind == IS_PATH)
        snprintf(text, EXPECTED_MAX, "the name of a directory without control characters or ';'");
}

static bool name_is_good(const struct row *row, const char *text)
{
    size_t length = strlen(text);
    for (const char *at = text; *at; at++) {
        char lower = (char)(*at | 0x20);
        bool word = (lower >= 'a' && lower <= 'z') || (*at >= '0' && *at <= '9');
        if (!word && (at == text || !strchr("-_.", *at)))
            return false;
    }
    return length >= row->min && length <= row->max;
}

/* ';' begins a comment in the agents' configurations. */
static bool path_is_good(const char *text)
{
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 127 || *at == ';')
            return false;
    return *text != '\0';
}

static bool duration_is_good(const struct row *row, const char *text, uint64_t *number)
{
    int64_t ms;
    if (!input_duration(text, &ms) || (row->kind == IS_SECONDS && ms % 1000 != 0))
        return false;
    *number = (uint64_t)ms;
    return *number >= row->min && *number <= row->max;
}

static bool value_read(const struct row *row, const char *text, uint64_t *number)
{
    switch (row->kind) {
    case IS_WHOLE:
        return input_whole(text, number) && *number >= row->min && *number <= row->max;
    case IS_DURATION:
    case IS_SECONDS:
        return duration_is_good(row, text, number);
    case IS_KIND:
        for (uint32_t i = 0; i < COUNT(chains); i++) {
            *number = i;
            if (strcmp(text, chains[i]) == 0)
                return true;
        }
        return false;
    case IS_NAME:
        return name_is_good(row, text);
    case IS_PATH:
        return path_is_good(text);
    case IS_FLAG:
        break;
    }
    return false;
}

static bool value_take(struct devnet_options *options, uint32_t option, const char *text,
                       struct fault *fault)
{
    char quoted[INPUT_QUOTE_MAX], expected[EXPECTED_MAX];
    const struct row *row = &rows[option];
    if (options->given[option])
        return fault_set(fault, "--%s is given twice; give it once", row->name);
    options->given[option] = true;
    options->text[option] = text;
    if (row->kind == IS_FLAG || value_read(row, text, &options->number[option]))
        return true;
    expected_text(row, expected);
    return fault_set(fault, "--%s: '%s' is not accepted; expected %s", row->name,
                     input_quote(text, quoted), expected);
}

static void defaults_set(struct devnet_options *options)
{
    *options = (struct devnet_options){.action = DEVNET_UP};
    for (uint32_t i = 0; i < OPTION_COUNT; i++) {
        options->text[i] = rows[i].fallback;
        bool good =
            !rows[i].fallback || value_read(&rows[i], rows[i].fallback, &options->number[i]);
        assert(good);
        (void)good;
    }
}

/* --- the words --- */

static bool refuse_unknown(const char *word, struct fault *fault)
{
    char quoted[INPUT_QUOTE_MAX], bare[INPUT_QUOTE_MAX];
    input_quote(word, quoted);
    input_quote(word + strspn(word, "-"), bare);
    bare[strcspn(bare, "=")] = '\0';
    struct input_nearest nearest = {bare, NULL, 0};
    for (uint32_t i = 0; i < OPTION_COUNT; i++)
        input_nearest_offer(&nearest, rows[i].name);
    return fault_set(fault, "unknown option '%s'%s%s%s; see stagger devnet --help", quoted,
                     nearest.best ? ", did you mean '--" : "", nearest.best ? nearest.best : "",
                     nearest.best ? "'?" : "");
}

/* `word` begins with a dash. Moves *at on when the value is the next word. */
static bool option_take(struct devnet_options *options, int argc, char **argv, int *at,
                        struct fault *fault)
{
    const char *word = argv[*at], *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    if (strcmp(word, "-h") == 0)
        return value_take(options, OPTION_HELP, NULL, fault);
    for (uint32_t i = 0; i < OPTION_COUNT; i++) {
        const struct row *row = &rows[i];
        if (length < 3 || strncmp(word, "--", 2) != 0 || strlen(row->name) != length - 2 ||
            strncmp(word + 2, row->name, length - 2) != 0)
            continue;
        if (row->kind == IS_FLAG)
            return equals ? fault_set(fault, "--%s takes no value", row->name)
                          : value_take(options, i, NULL, fault);
        if (!equals && (*at + 1 >= argc || strncmp(argv[*at + 1], "--", 2) == 0))
            return fault_set(fault, "--%s: its value is missing; give --%s %s", row->name,
                             row->name, row->argument);
        return value_take(options, i, equals ? equals + 1 : argv[++*at], fault);
    }
    return refuse_unknown(word, fault);
}

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
    return fault_set(fault, "there is no '%s' for a process; expected start, stop or kill",
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
                         node ? "node start|stop|kill N" : "chain start|stop|kill");
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
        if (options->given[i] && options->action != DEVNET_UP && i != OPTION_DIR)
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

bool devnet_options_read(int argc, char **argv, struct devnet_options *options, struct fault *fault)
{
    const char *words[WORDS_MAX];
    uint32_t count = 0;
    char quoted[INPUT_QUOTE_MAX];
    defaults_set(options);
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            if (!option_take(options, argc, argv, &i, fault))
                return false;
        } else if (count < WORDS_MAX) {
            words[count++] = argv[i];
        } else {
            return fault_set(fault, "one word too many: '%s'; see stagger devnet --help",
                             input_quote(argv[i], quoted));
        }
    }
    if (options->given[OPTION_HELP]) {
        options->action = DEVNET_HELP;
        return true;
    }
    return words_read(options, words, count, fault) && uses_check(options, fault) &&
           sums_check(options, fault);
}

/* --- the help --- */

static void about_print(const char *about, FILE *out)
{
    for (; *about; about++) {
        putc(*about, out);
        if (*about == '\n')
            fputs("                          ", out);
    }
    putc('\n', out);
}

void devnet_usage(FILE *out)
{
    fputs("usage: stagger devnet [OPTIONS]                      make a devnet, or continue one\n"
          "       stagger devnet stop|status [--dir DIR]\n"
          "       stagger devnet node start|stop|kill N [--dir DIR]\n"
          "       stagger devnet chain start|stop|kill [--dir DIR]\n\n"
          "A KIRA or DCL network on this machine, with an RPC for every validator.\n\n",
          out);
    for (uint32_t i = 0; i < OPTION_COUNT; i++) {
        char words[40];
        snprintf(words, sizeof words, "--%s%s%s", rows[i].name, rows[i].argument ? " " : "",
                 rows[i].argument ? rows[i].argument : "");
        fprintf(out, "  %-24s", words);
        about_print(rows[i].about, out);
    }
    fputs(
        "\nstop ends with SIGTERM, kill with SIGKILL. Ctrl-C stops the whole devnet; the next start\n"
        "goes on where it stopped. Times are such as 500ms, 2s or 10m.\n",
        out);
}
