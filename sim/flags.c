#include "sim/flags.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "coord/view.h"
#include "proto/input.h"

#define EXPECTED_MAX 128

/* --- one value --- */

static void expected_text(const struct flag_row *row, char text[EXPECTED_MAX])
{
    char from[INPUT_DURATION_MAX], to[INPUT_DURATION_MAX];
    text[0] = '\0';
    if (row->kind == FLAG_WHOLE)
        snprintf(text, EXPECTED_MAX, "a whole number from %" PRIu64 " to %" PRIu64, row->min,
                 row->max);
    if (row->kind == FLAG_DURATION || row->kind == FLAG_SECONDS) {
        input_duration_text((int64_t)row->min, from);
        input_duration_text((int64_t)row->max, to);
        snprintf(text, EXPECTED_MAX, "a duration from %s to %s%s", from, to,
                 row->kind == FLAG_SECONDS ? " in whole seconds" : "");
    }
    if (row->kind == FLAG_CHAIN)
        snprintf(text, EXPECTED_MAX, "kira or dcl");
    if (row->kind == FLAG_NAME)
        snprintf(text, EXPECTED_MAX, "%" PRIu64 " to %" PRIu64 " letters, digits, '-', '_' or '.'",
                 row->min, row->max);
    if (row->kind == FLAG_PATH)
        snprintf(text, EXPECTED_MAX, "a path without control characters or ';'");
}

static bool name_is_good(const struct flag_row *row, const char *text)
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

static bool path_is_good(const char *text)
{
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 127 || *at == ';')
            return false;
    return *text != '\0';
}

static bool duration_is_good(const struct flag_row *row, const char *text, uint64_t *number)
{
    int64_t ms;
    if (!input_duration(text, &ms) || (row->kind == FLAG_SECONDS && ms % 1000 != 0))
        return false;
    *number = (uint64_t)ms;
    return *number >= row->min && *number <= row->max;
}

static bool chain_is_good(const char *text, uint64_t *number)
{
    *number = strcmp(text, "dcl") == 0 ? CHAIN_DCL : CHAIN_KIRA;
    return strcmp(text, "dcl") == 0 || strcmp(text, "kira") == 0;
}

static bool value_read(const struct flag_row *row, const char *text, uint64_t *number)
{
    switch (row->kind) {
    case FLAG_WHOLE:
        return input_whole(text, number) && *number >= row->min && *number <= row->max;
    case FLAG_DURATION:
    case FLAG_SECONDS:
        return duration_is_good(row, text, number);
    case FLAG_CHAIN:
        return chain_is_good(text, number);
    case FLAG_NAME:
        return name_is_good(row, text);
    case FLAG_PATH:
        return path_is_good(text);
    case FLAG_SWITCH:
        break;
    }
    return false;
}

static bool value_take(const struct flags *flags, uint32_t option, const char *text,
                       struct fault *fault)
{
    char quoted[INPUT_QUOTE_MAX], expected[EXPECTED_MAX];
    const struct flag_row *row = &flags->rows[option];
    if (flags->given[option])
        return fault_set(fault, "--%s is given twice; give it once", row->name);
    flags->given[option] = true;
    flags->text[option] = text;
    if (row->kind == FLAG_SWITCH || value_read(row, text, &flags->number[option]))
        return true;
    expected_text(row, expected);
    return fault_set(fault, "--%s: '%s' is not accepted; expected %s", row->name,
                     input_quote(text, quoted), expected);
}

static void defaults_set(const struct flags *flags)
{
    for (uint32_t i = 0; i < flags->count; i++) {
        const struct flag_row *row = &flags->rows[i];
        flags->given[i] = false;
        flags->number[i] = 0;
        flags->text[i] = row->fallback;
        bool good = !row->fallback || value_read(row, row->fallback, &flags->number[i]);
        assert(good);
        (void)good;
    }
}

/* --- the words --- */

static bool refuse_unknown(const struct flags *flags, const char *word, struct fault *fault)
{
    char quoted[INPUT_QUOTE_MAX], bare[INPUT_QUOTE_MAX];
    input_quote(word, quoted);
    input_quote(word + strspn(word, "-"), bare);
    bare[strcspn(bare, "=")] = '\0';
    struct input_nearest nearest = {bare, NULL, 0};
    for (uint32_t i = 0; i < flags->count; i++)
        input_nearest_offer(&nearest, flags->rows[i].name);
    return fault_set(fault, "unknown option '%s'%s%s%s; see stagger %s --help", quoted,
                     nearest.best ? ", did you mean '--" : "", nearest.best ? nearest.best : "",
                     nearest.best ? "'?" : "", flags->command);
}

/* `word` begins with a dash. Moves *at on when the value is the next word. */
static bool option_take(const struct flags *flags, int argc, char **argv, int *at,
                        struct fault *fault)
{
    const char *word = argv[*at], *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    if (strcmp(word, "-h") == 0)
        return value_take(flags, flags->help, NULL, fault);
    for (uint32_t i = 0; i < flags->count; i++) {
        const struct flag_row *row = &flags->rows[i];
        if (length < 3 || strncmp(word, "--", 2) != 0 || strlen(row->name) != length - 2 ||
            strncmp(word + 2, row->name, length - 2) != 0)
            continue;
        if (row->kind == FLAG_SWITCH)
            return equals ? fault_set(fault, "--%s takes no value", row->name)
                          : value_take(flags, i, NULL, fault);
        if (!equals && (*at + 1 >= argc || strncmp(argv[*at + 1], "--", 2) == 0))
            return fault_set(fault, "--%s: its value is missing; give --%s %s", row->name,
                             row->name, row->argument);
        return value_take(flags, i, equals ? equals + 1 : argv[++*at], fault);
    }
    return refuse_unknown(flags, word, fault);
}

bool flags_read(const struct flags *flags, int argc, char **argv, const char **words,
                uint32_t words_max, uint32_t *word_count, struct fault *fault)
{
    char quoted[INPUT_QUOTE_MAX];
    defaults_set(flags);
    *word_count = 0;
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            if (!option_take(flags, argc, argv, &i, fault))
                return false;
        } else if (*word_count < words_max) {
            words[(*word_count)++] = argv[i];
        } else {
            return fault_set(fault, "one word too many: '%s'; see stagger %s --help",
                             input_quote(argv[i], quoted), flags->command);
        }
    }
    return true;
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

void flags_usage(const struct flags *flags, FILE *out)
{
    for (uint32_t i = 0; i < flags->count; i++) {
        const struct flag_row *row = &flags->rows[i];
        char words[40];
        snprintf(words, sizeof words, "--%s%s%s", row->name, row->argument ? " " : "",
                 row->argument ? row->argument : "");
        fprintf(out, "  %-24s", words);
        about_print(row->about, out);
    }
}
