/* The effective settings on paper, and a command line from its text. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/settings_internal.h"

#define VALUE_COLUMN 34
#define URL_SHOWN_MAX 512

static int list_write(const struct setting_row *row, const struct setting_value *value, FILE *out)
{
    char shown[URL_SHOWN_MAX];
    int used = 0;
    for (uint32_t i = 0; i < value->item_count; i++) {
        const char *item = value->items[i];
        if (row->kind == SETTING_IS_URLS)
            setting_url_shown(item, shown, sizeof shown);
        used +=
            fprintf(out, "%s%s", i ? ",\n    " : "", row->kind == SETTING_IS_URLS ? shown : item);
    }
    return used;
}

/* The program alone: its arguments may hold what nobody else should read. */
static int command_write(const char *text, FILE *out)
{
    const char *program = text + strspn(text, " \t");
    bool quoted = *program == '"' || *program == '\'';
    size_t length =
        quoted ? 1 + strcspn(program + 1, (char[]){*program, '\0'}) + 1 : strcspn(program, " \t");
    return fprintf(out, "%.*s%s", (int)length, program, program[length] ? " ..." : "");
}

static void value_write(const struct setting_row *row, const struct setting_value *value, FILE *out)
{
    char shown[URL_SHOWN_MAX];
    int used = fprintf(out, "%s = ", row->key);
    if (row->kind == SETTING_IS_URL) {
        setting_url_shown(value->text, shown, sizeof shown);
        used += fprintf(out, "%s", shown);
    } else if (setting_is_list(row)) {
        used += list_write(row, value, out);
    } else if (row->kind == SETTING_IS_COMMAND) {
        used += command_write(value->text, out);
    } else {
        used += fprintf(out, "%s", value->text);
    }
    fprintf(out, "%*s ; %s\n", used < VALUE_COLUMN ? VALUE_COLUMN - used : 0, "", value->where);
}

void settings_print(const struct settings *settings, FILE *out)
{
    const char *section = "";
    for (enum setting i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = setting_row(i);
        if (strcmp(row->section, section) != 0)
            fprintf(out, "%s[%s]\n", *section ? "\n" : "", row->section);
        section = row->section;
        if (settings->values[i].given)
            value_write(row, &settings->values[i], out);
        else
            fprintf(out, "; %s: not set\n", row->key);
    }
}

/* Copies one word to `out` without its quotes and moves both on; false at a quote that is not closed. */
static bool word_read(const char **text, char **out)
{
    char quote = '\0';
    for (; **text && (quote || (**text != ' ' && **text != '\t')); (*text)++) {
        if (!quote && (**text == '\'' || **text == '"'))
            quote = **text;
        else if (**text == quote)
            quote = '\0';
        else
            *(*out)++ = **text;
    }
    *(*out)++ = '\0';
    return !quote;
}

char **settings_words(const char *text, struct fault *fault)
{
    size_t length = strlen(text), limit = length / 2 + 2, count = 0;
    char **words = malloc(limit * sizeof *words + length + 1);
    if (!words) {
        fault_set(fault, "out of memory");
        return NULL;
    }
    char *out = (char *)(words + limit);
    for (text += strspn(text, " \t"); *text; text += strspn(text, " \t")) {
        assert(count + 1 < limit);
        words[count++] = out;
        if (!word_read(&text, &out)) {
            free(words);
            fault_set(fault, "a quotation mark is not closed");
            return NULL;
        }
    }
    words[count] = NULL;
    if (count)
        return words;
    free(words);
    fault_set(fault, "no command is named");
    return NULL;
}
