#include "sim/options.h"

#include <assert.h>
#include <getopt.h>
#include <string.h>

#include "proto/input.h"

#define OPTIONS_MAX 64
#define KEY_BASE 1000 /* getopt's value of key i is KEY_BASE + i: above every character */
#define ABOUT_COLUMN 30
#define USAGE_COLUMNS 80

struct options {
    struct option list[OPTIONS_MAX + 4];
    const char *fixed[OPTIONS_MAX + 1]; /* keys given on the command line */
    uint32_t fixed_count;
};

static const struct option actions[] = {
    {"help", no_argument, NULL, 'h'},
    {"list-faults", no_argument, NULL, OPTIONS_LIST_FAULTS},
    {"list-scenarios", no_argument, NULL, OPTIONS_LIST_SCENARIOS},
};

#define ACTION_COUNT (sizeof actions / sizeof actions[0])

static void list_build(struct options *options)
{
    const struct config_key *key;
    uint32_t count = 0;
    *options = (struct options){0};
    for (; (key = config_key(count)) != NULL; count++) {
        assert(count < OPTIONS_MAX);
        options->list[count] =
            (struct option){key->name, key->argument ? required_argument : no_argument, NULL,
                            KEY_BASE + (int)count};
    }
    memcpy(options->list + count, actions, sizeof actions);
}

/* Remembers that the key was given; false when one was given that it excludes. */
static bool key_fix(struct options *options, const struct config_key *key,
                    char error[CONFIG_ERROR_MAX])
{
    for (uint32_t i = 0; i < options->fixed_count; i++) {
        const struct config_key *other = config_key_find(options->fixed[i]);
        if (other == key)
            return true;
        if (key->pair != PAIR_NONE && other->pair == key->pair)
            return input_fail(error, "--%s and --%s exclude each other; give one of them",
                              other->name, key->name);
    }
    assert(options->fixed_count < OPTIONS_MAX);
    options->fixed[options->fixed_count++] = key->name;
    return true;
}

static bool key_read(struct sim_config *config, struct options *options,
                     const struct config_key *key, const char *value, char error[CONFIG_ERROR_MAX])
{
    char where[48];
    snprintf(where, sizeof where, "--%s", key->name);
    return key_fix(options, key, error) &&
           config_set(config, where, key->name, value ? value : "", error);
}

static bool refuse_missing(const struct config_key *key, char error[CONFIG_ERROR_MAX])
{
    char expected[CONFIG_ERROR_MAX];
    config_expected(key, expected);
    return input_fail(error, "--%s: its value is missing; expected %.300s; for example '--%s %s'",
                      key->name, expected, key->name, key->example);
}

/* No value begins with two dashes: that is the next option; a file of that name can be ./--name. */
static bool refuse_swallowed(const struct config_key *key, const char *next,
                             char error[CONFIG_ERROR_MAX])
{
    char quoted[INPUT_QUOTE_MAX];
    return input_fail(error,
                      "--%s: its value is missing, the option '%s' stands behind it; "
                      "for example '--%s %s'",
                      key->name, input_quote(next, quoted), key->name, key->example);
}

static bool refuse_unknown(const struct options *options, const char *given,
                           char error[CONFIG_ERROR_MAX])
{
    char quoted[INPUT_QUOTE_MAX], bare[INPUT_QUOTE_MAX];
    input_quote(given, quoted);
    input_quote(given + strspn(given, "-"), bare);
    bare[strcspn(bare, "=")] = '\0';
    const struct config_key *key = config_key_find(bare);
    struct input_nearest nearest = {bare, NULL, 0};
    for (size_t i = 0; options->list[i].name; i++)
        input_nearest_offer(&nearest, options->list[i].name);
    if (key && !key->argument && strchr(given, '='))
        return input_fail(error, "%s: --%s takes no value", quoted, key->name);
    return input_fail(error, "unknown option '%s'%s%s%s; see stagger sim --help", quoted,
                      nearest.best ? ", did you mean '--" : "", nearest.best ? nearest.best : "",
                      nearest.best ? "'?" : "");
}

static enum options_action action_of(int code)
{
    if (code == 'h')
        return OPTIONS_HELP;
    return code == OPTIONS_LIST_FAULTS || code == OPTIONS_LIST_SCENARIOS ? (enum options_action)code
                                                                         : OPTIONS_RUN;
}

/* --merge takes every word that is no option. Moves optind on; false when the word is not for it. */
static bool merge_take(struct sim_config *config, int argc, char **argv, bool *good,
                       char error[CONFIG_ERROR_MAX])
{
    bool rest = optind > 1 && strcmp(argv[optind - 1], "--") == 0;
    if (optind >= argc || !config->merge_count)
        return false;
    do
        *good = config_set(config, "--merge", "merge", argv[optind++], error);
    while (*good && rest && optind < argc);
    return *good && !rest;
}

/* Reads up to the end or the first action. */
static bool words_read(struct sim_config *config, struct options *options, int argc, char **argv,
                       enum options_action *action, char error[CONFIG_ERROR_MAX])
{
    char quoted[INPUT_QUOTE_MAX];
    bool good = true;
    int code;
    optind = 0; /* begin anew, whoever used getopt before */
    opterr = 0;
    for (;;) {
        const char *word = argv[optind ? optind : 1];
        code = getopt_long(argc, argv, "+:h", options->list, NULL);
        if (code == -1 && merge_take(config, argc, argv, &good, error))
            continue;
        if (code == -1)
            break;
        *action = action_of(code);
        if (*action != OPTIONS_RUN)
            return true;
        if (code == ':')
            return refuse_missing(config_key((uint32_t)(optopt - KEY_BASE)), error);
        if (code == '?')
            return refuse_unknown(options, word, error);
        const struct config_key *key = config_key((uint32_t)(code - KEY_BASE));
        if (optarg && optarg == argv[optind - 1] && strncmp(optarg, "--", 2) == 0)
            return refuse_swallowed(key, optarg, error);
        if (!key_read(config, options, key, optarg, error))
            return false;
    }
    if (good && optind < argc)
        return input_fail(
            error,
            "unexpected word '%s'; every setting is an option, such as --validators 100; "
            "see stagger sim --help",
            input_quote(argv[optind], quoted));
    return good;
}

/* Putting results together takes nothing that is about a run. */
static bool merge_check(const struct options *options, char error[CONFIG_ERROR_MAX])
{
    for (uint32_t i = 0; i < options->fixed_count; i++) {
        const char *name = options->fixed[i];
        if (strcmp(name, "merge") != 0 && strcmp(name, "json") != 0 && strcmp(name, "quiet") != 0)
            return input_fail(error,
                              "--merge and --%s exclude each other: results are put together as "
                              "they are; give only files, --json and --quiet beside --merge",
                              name);
    }
    return true;
}

/* A contradiction may lie between the command line and the scenario: names both. */
static bool whole_check(const struct sim_config *config, char error[CONFIG_ERROR_MAX])
{
    char wrong[CONFIG_ERROR_MAX], quoted[INPUT_QUOTE_MAX];
    if (config_check(config, wrong))
        return true;
    if (config->scenario[0] && strncmp(wrong, "--", 2) == 0)
        return input_fail(error, "scenario '%s': %.440s", input_quote(config->scenario, quoted),
                          wrong);
    return input_fail(error, "%s", wrong);
}

bool options_read(struct sim_config *config, int argc, char **argv, enum options_action *action,
                  char error[CONFIG_ERROR_MAX])
{
    struct options options;
    char scenario[sizeof config->scenario];
    list_build(&options);
    config_default(config);
    *action = OPTIONS_RUN;
    if (!words_read(config, &options, argc, argv, action, error))
        return false;
    if (*action != OPTIONS_RUN)
        return true;
    if (config->merge_count)
        return merge_check(&options, error);
    memcpy(scenario, config->scenario, sizeof scenario);
    if (scenario[0] && !scenario_read(config, scenario, options.fixed, error))
        return false;
    return whole_check(config, error);
}

/* A line may end before each blank but the one within "(default 3)". */
static bool breaks(const char *text, size_t at)
{
    static const char inside[] = "(default";
    const size_t length = sizeof inside - 1;
    return text[at] == ' ' && (at < length || memcmp(text + at - length, inside, length) != 0);
}

/* Writes text that begins in ABOUT_COLUMN, in lines of USAGE_COLUMNS. */
static void about_write(FILE *out, const char *about)
{
    const size_t room = USAGE_COLUMNS - ABOUT_COLUMN;
    while (strlen(about) > room) {
        size_t cut = room;
        while (cut > 0 && !breaks(about, cut))
            cut--;
        assert(cut > 0); /* the texts are ours, and no word is that long */
        fprintf(out, "%.*s\n%*s", (int)cut, about, ABOUT_COLUMN, "");
        about += cut + 1;
    }
    fprintf(out, "%s\n", about);
}

static void usage_line(FILE *out, const char *name, const char *argument, const char *about)
{
    int width = fprintf(out, "  --%s%s%s", name, argument ? " " : "", argument ? argument : "");
    bool full = width > ABOUT_COLUMN - 2;
    fprintf(out, "%s%*s", full ? "\n" : "", full ? ABOUT_COLUMN : ABOUT_COLUMN - width, "");
    about_write(out, about);
}

void options_usage(FILE *out)
{
    static const char *const headings[SECTION_COUNT] = {"The network and its charter",
                                                        "People and hosts", "Gossip and faults",
                                                        "The run", "What is written"};
    const struct config_key *key;
    fputs("Usage: stagger sim [OPTION]...\n"
          "Replays the reboot of a whole network in simulated time, validator by validator.\n",
          out);
    for (int section = 0; section < SECTION_COUNT; section++) {
        fprintf(out, "\n%s:\n", headings[section]);
        for (uint32_t i = 0; (key = config_key(i)) != NULL; i++)
            if ((int)key->section == section)
                usage_line(out, key->name, key->argument, key->about);
    }
    fputs("\nInstead of a run:\n", out);
    usage_line(out, "list-faults", NULL, "fault sets, and the faults of scenario files");
    usage_line(out, "list-scenarios", NULL, "the scenarios that come with stagger");
    usage_line(out, "help", NULL, "this text");
    fputs("\nDurations are written 250ms, 300s, 5m, 2h or 7d, fractions 0.1, 10% or 2/3.\n"
          "Of an option given twice the last counts; options win over scenario files.\n"
          "A file that is written bears the name FILE.part until it is complete.\n"
          "Exit status: 0 all well; 1 bad usage or input; 3 an invariant was violated;\n"
          "4 agents are undone that could have been done; 5 the modelled chain stopped\n"
          "for good.\n",
          out);
}

void options_list_faults(FILE *out)
{
    uint32_t count;
    const struct fault_set *sets = fault_sets(&count);
    fputs("Fault sets, drawn at random from the seed (--faults NAME):\n", out);
    for (uint32_t i = 0; i < count; i++)
        fprintf(out, "  %-16s %s\n", sets[i].name, sets[i].about);
    const struct fault_form *forms = fault_forms(&count);
    fputs("\nFaults of scenario files (at TIME FAULT ..., every TIME FAULT ... until TIME):\n",
          out);
    for (uint32_t i = 0; i < count; i++)
        fprintf(out, "  %s%s%s\n%19s%s\n", forms[i].name, *forms[i].form ? " " : "", forms[i].form,
                "", forms[i].about);
    fputs("\nWHO is 3, 3,5,7, 10%, half, out (whoever is out at the time) or all.\n", out);
}

void options_list_scenarios(FILE *out)
{
    uint32_t count;
    const struct scenario *list = scenarios(&count);
    for (uint32_t i = 0; i < count; i++)
        fprintf(out, "%-20s %s\n", list[i].name, list[i].about);
}
