/* The command line of one command: the settings that it understands as flags, and options of its own.
 *
 *     static const enum setting settings[] = {SETTING_CHAIN_NODE, SETTING_CHAIN_KIND};
 *     static const struct option_row own[] = {{"json", NULL, "print JSON instead of a table"}};
 *     static const struct options_spec spec = {
 *         .command = "turns", .about = "...",
 *         .settings = settings, .setting_count = 2, .own = own, .own_count = 1, .take = take};
 *
 *     status = options_parse(&spec, &mine, argc, argv, &settings);     calls take(&mine, 0, NULL, fault) for --json
 *     if (status != OPTIONS_GO)
 *         return status == OPTIONS_HELP ? COMMAND_DONE : COMMAND_USAGE;
 *
 * Names must be given in full. A value may follow as "--name value" or "--name=value"; one that begins with
 * two dashes only in the second form, so that no option is swallowed by the one before it. No option may be
 * given twice, but for those of `many`. Words that are no option are faults.
 *
 * --config FILE and --help belong to every command. Files and environment are read before the flags; with
 * `bare` they are not read at all.
 */
#ifndef STAGGER_NODE_OPTIONS_H
#define STAGGER_NODE_OPTIONS_H

#include "node/settings.h"

#define OPTIONS_OWN_MAX 48

struct option_row {
    const char *name;     /* without "--" */
    const char *argument; /* word for the help; NULL: the option takes no value */
    const char *help;     /* one line, no full stop; ranges belong here */
    bool many;            /* may be given more than once */
};

struct options_spec {
    const char *command; /* "tx pause": for messages and help */
    const char *operand; /* "NAME": for the help; NULL where there is none */
    const char *about;   /* paragraphs for the help */
    const enum setting *settings;
    uint32_t setting_count;
    const struct option_row *own;
    uint32_t own_count;
    /* One option of own[]; false with a fault when the value is wrong, "--name: " is put before it. NULL when
     * there are none. */
    bool (*take)(void *owner, uint32_t option, const char *value, struct fault *fault);
    bool bare;
};

enum options_outcome { OPTIONS_GO, OPTIONS_HELP, OPTIONS_WRONG };

/* Reads everything; *settings is the caller's then (settings_destroy). OPTIONS_HELP has printed the help,
 * OPTIONS_WRONG has printed one line to standard error; *settings is NULL after both. */
enum options_outcome options_parse(const struct options_spec *spec, void *owner, int argc,
                                   char **argv, struct settings **settings);

void options_help(const struct options_spec *spec, FILE *out);

/* "stagger COMMAND: ..." in one line of printable characters to standard error. */
__attribute__((format(printf, 2, 3))) void options_say(const char *command, const char *format,
                                                       ...);

#endif
