#include "node/options.h"

#include <assert.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "node/secret.h"
#include "node/settings_internal.h"
#include "proto/input.h"

#define CODE_HELP 'h'
#define CODE_CONFIG 'c'
#define CODE_OWN 1000     /* getopt's value of own option i is CODE_OWN + i */
#define CODE_SETTING 2000 /* of setting i of the list, CODE_SETTING + i */
#define LIST_MAX (OPTIONS_OWN_MAX + SETTING_COUNT + 3)
#define SAY_MAX 512
#define ABOUT_COLUMN 30
#define HELP_COLUMNS 100
#define VALUES_MAX 256

extern char **environ;

struct given { /* one option of the command line */
    int code;
    const char *value;
};

struct options {
    const struct options_spec *spec;
    struct option list[LIST_MAX];
    uint32_t list_count;
    struct given given[VALUES_MAX];
    uint32_t given_count;
    const char *config;
    struct fault *fault;
};

void options_say(const char *command, const char *format, ...)
{
    char text[SAY_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *c = text; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    fprintf(stderr, "stagger %s: %s\n", command, text);
}

static void list_add(struct options *options, const char *name, bool argument, int code)
{
    assert(options->list_count + 1 < LIST_MAX);
    options->list[options->list_count++] =
        (struct option){name, argument ? required_argument : no_argument, NULL, code};
}

static void list_build(struct options *options)
{
    const struct options_spec *spec = options->spec;
    assert(spec->own_count <= OPTIONS_OWN_MAX);
    for (uint32_t i = 0; i < spec->own_count; i++)
        list_add(options, spec->own[i].name, spec->own[i].argument != NULL, CODE_OWN + (int)i);
    for (uint32_t i = 0; i < spec->setting_count; i++) {
        assert(setting_row(spec->settings[i])->flag);
        list_add(options, setting_row(spec->settings[i])->flag, true, CODE_SETTING + (int)i);
    }
    list_add(options, "config", true, CODE_CONFIG);
    list_add(options, "help", false, CODE_HELP);
}

static const struct option *list_find(const struct options *options, const char *name,
                                      size_t length)
{
    for (uint32_t i = 0; i < options->list_count; i++) {
        const char *known = options->list[i].name;
        if (strncmp(known, name, length) == 0 && known[length] == '\0')
            return &options->list[i];
    }
    return NULL;
}

static bool refuse_unknown(struct options *options, const char *word)
{
    char quoted[INPUT_QUOTE_MAX], name[INPUT_QUOTE_MAX];
    input_quote(word + strspn(word, "-"), name);
    name[strcspn(name, "=")] = '\0';
    const struct option *known = list_find(options, name, strlen(name));
    if (known && !known->has_arg && strchr(word, '='))
        return fault_set(options->fault, "--%s takes no value", known->name);
    struct input_nearest nearest = {name, NULL, 0};
    for (uint32_t i = 0; i < options->list_count; i++)
        input_nearest_offer(&nearest, options->list[i].name);
    char shown[INPUT_QUOTE_MAX];
    input_quote(word, shown);
    shown[strcspn(shown, "=")] = '\0'; /* the value may be a secret */
    return fault_set(options->fault, "unknown option %s%s%s%s; see stagger %s --help",
                     input_quote(shown, quoted), nearest.best ? ", did you mean --" : "",
                     nearest.best ? nearest.best : "", nearest.best ? "?" : "",
                     options->spec->command);
}

/* Names in full: a shorter one could come to mean something else in a later version. */
static bool names_check(struct options *options, int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], "--", 2) != 0)
            continue;
        size_t length = strcspn(argv[i] + 2, "=");
        if (!list_find(options, argv[i] + 2, length))
            return refuse_unknown(options, argv[i]);
    }
    return true;
}

static const char *name_of(const struct options *options, int code)
{
    for (uint32_t i = 0; i < options->list_count; i++)
        if (options->list[i].val == code)
            return options->list[i].name;
    return "?";
}

static bool may_repeat(const struct options *options, int code)
{
    return code >= CODE_OWN && code < CODE_SETTING && options->spec->own[code - CODE_OWN].many;
}

static bool given_add(struct options *options, int code, const char *value)
{
    for (uint32_t i = 0; i < options->given_count; i++)
        if (options->given[i].code == code && !may_repeat(options, code))
            return fault_set(options->fault, "--%s is given twice; keep one of them",
                             name_of(options, code));
    if (options->given_count == VALUES_MAX)
        return fault_set(options->fault, "more than %d options", VALUES_MAX);
    options->given[options->given_count++] = (struct given){code, value};
    if (code == CODE_CONFIG)
        options->config = value;
    return true;
}

/* Collects the options; *help is set as soon as it is asked for. */
static bool words_read(struct options *options, int argc, char **argv, bool *help)
{
    char quoted[INPUT_QUOTE_MAX];
    int code;
    optind = 0; /* begin anew, whoever used getopt before */
    opterr = 0;
    for (;;) {
        const char *word = argv[optind ? optind : 1];
        code = getopt_long(argc, argv, "+:h", options->list, NULL);
        if (code == -1)
            break;
        *help = code == CODE_HELP;
        if (*help)
            return true;
        if (code == ':')
            return fault_set(options->fault, "--%s: its value is missing",
                             name_of(options, optopt));
        if (code == '?')
            return refuse_unknown(options, word);
        if (optarg && optarg == argv[optind - 1] && strncmp(optarg, "--", 2) == 0)
            return fault_set(options->fault,
                             "--%s: its value is missing, %s stands behind it; a value that begins "
                             "with two dashes is given as --%s=VALUE",
                             name_of(options, code), input_quote(optarg, quoted),
                             name_of(options, code));
        if (!given_add(options, code, optarg))
            return false;
    }
    if (optind >= argc)
        return true;
    if (secret_suspected(argv[optind]))
        return fault_set(options->fault,
                         "an unexpected word that could be a key; a key does not belong on the "
                         "command line, where others can see it and the shell keeps it");
    return fault_set(options->fault, "unexpected word \"%s\"; see stagger %s --help",
                     input_quote(argv[optind], quoted), options->spec->command);
}

static bool sources_read(const struct options *options, struct settings *settings)
{
    const char *usual = getenv("STAGGER_CONFIG");
    const char *config = options->config ? options->config : usual && *usual ? usual : NULL;
    if (options->spec->bare)
        return true;
    if (options->config && !*options->config)
        return fault_set(options->fault, "--config: it is empty; expected the path of a file");
    if (config && !settings_read_file(settings, config, options->fault))
        return false;
    return settings_read_environment(settings, environ, options->fault);
}

static bool given_take(const struct options *options, void *owner, struct settings *settings)
{
    const struct options_spec *spec = options->spec;
    char place[64];
    for (uint32_t i = 0; i < options->given_count; i++) {
        int code = options->given[i].code;
        const char *value = options->given[i].value;
        if (code >= CODE_SETTING) {
            if (!settings_read_flag(settings, spec->settings[code - CODE_SETTING], value,
                                    options->fault))
                return false;
        } else if (code >= CODE_OWN) {
            snprintf(place, sizeof place, "--%s", name_of(options, code));
            if (!spec->take(owner, (uint32_t)(code - CODE_OWN), value, options->fault))
                return fault_within(options->fault, place);
        }
    }
    return true;
}

enum options_outcome options_parse(const struct options_spec *spec, void *owner, int argc,
                                   char **argv, struct settings **settings)
{
    struct fault fault;
    struct options options = {.spec = spec, .fault = &fault};
    bool help = false, good;
    *settings = settings_create();
    list_build(&options);
    if (!*settings)
        good = fault_set(&fault, "out of memory");
    else
        good = names_check(&options, argc, argv) && words_read(&options, argc, argv, &help);
    if (good && !help)
        good = sources_read(&options, *settings) && given_take(&options, owner, *settings);
    if (good && !help)
        return OPTIONS_GO;
    settings_destroy(settings);
    if (good)
        options_help(spec, stdout);
    else
        options_say(spec->command, "%s", fault.text);
    return good ? OPTIONS_HELP : OPTIONS_WRONG;
}

/* --- help --- */

/* Words from column `column` on, broken before HELP_COLUMNS. `at` is the present column. */
static void words_write(FILE *out, const char *text, int at, int column)
{
    if (at >= column) {
        fputc('\n', out);
        at = 0;
    }
    fprintf(out, "%*s", column - at, "");
    at = column;
    while (*text) {
        int length = (int)strcspn(text, " ");
        if (at > column && at + 1 + length > HELP_COLUMNS) {
            fprintf(out, "\n%*s", column, "");
            at = column;
        } else if (at > column) {
            fputc(' ', out);
            at++;
        }
        fprintf(out, "%.*s", length, text);
        at += length;
        text += length + (text[length] == ' ');
    }
    fputc('\n', out);
}

static void row_write(FILE *out, const char *name, const char *argument, const char *help)
{
    int at = fprintf(out, "  --%s%s%s", name, argument ? " " : "", argument ? argument : "");
    words_write(out, help, at, ABOUT_COLUMN);
}

static void setting_write(FILE *out, const struct setting_row *row)
{
    char expected[SETTING_EXPECTED_MAX], help[600];
    setting_expected(row, expected);
    snprintf(help, sizeof help, "%s: %s%s%s [%s.%s]", row->help, expected,
             row->fallback ? ", default " : "", row->fallback ? row->fallback : "", row->section,
             row->key);
    row_write(out, row->flag, row->argument, help);
}

void options_help(const struct options_spec *spec, FILE *out)
{
    fprintf(out, "usage: stagger %s%s%s [OPTIONS]\n\n%s\n\n", spec->command,
            spec->operand ? " " : "", spec->operand ? spec->operand : "", spec->about);
    for (uint32_t i = 0; i < spec->own_count; i++)
        row_write(out, spec->own[i].name, spec->own[i].argument, spec->own[i].help);
    row_write(out, "help", NULL, "this text");
    if (spec->bare && spec->setting_count == 0)
        return;
    fputs("\nSettings; each may stand in the configuration file as [section.key] says, or in the "
          "environment\nas STAGGER_SECTION_KEY:\n",
          out);
    for (uint32_t i = 0; i < spec->setting_count; i++)
        setting_write(out, setting_row(spec->settings[i]));
    row_write(out, "config", "FILE", "the configuration file; by default $STAGGER_CONFIG, if set");
}
