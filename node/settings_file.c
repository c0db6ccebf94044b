/* Files, fragments and the environment. The form of a file is libinih's; what it would pass over or cut in
 * silence is found by the reader that hands it the lines. */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "node/settings_internal.h"
#include "proto/input.h"

#define NAME_SHOWN_MAX 120 /* of a path in a fault */
#define PREFIX "STAGGER_"

struct source {
    struct settings *settings;
    const char *name;
    const char *text, *end; /* what has not been read yet */
    uint32_t line;
    bool indented;                 /* the line begins with a blank */
    bool continues;                /* a pair stands before it, which an indented line continues */
    enum setting pair;             /* the one that was read last */
    uint32_t taken[SETTING_COUNT]; /* line of each key in this file, 0: none */
    bool failed;
    struct fault *fault;
};

static bool source_fail(struct source *source, const char *text)
{
    source->failed = true;
    return fault_set(source->fault, "%.*s:%u: %s", NAME_SHOWN_MAX, source->name, source->line,
                     text);
}

/* --- lines --- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* What libinih would skip behind a section's name is a mistake. */
static bool section_is_clean(const char *line, size_t length)
{
    const char *close = memchr(line, ']', length);
    if (!close)
        return false;
    for (const char *c = close + 1; c < line + length; c++) {
        if (is_blank(c[-1]) && *c == ';')
            return true;
        if (!is_blank(*c))
            return false;
    }
    return true;
}

static bool line_check(struct source *source, const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)line[i] < ' ' && line[i] != '\t')
            return source_fail(source, "a control character stands in the line; expected text");
    source->indented = length && is_blank(line[0]);
    while (length && is_blank(*line)) {
        line++;
        length--;
    }
    if (!length || *line != '[' || (source->indented && source->continues))
        return true;
    source->continues = false;
    return section_is_clean(line, length) ||
           source_fail(source, "expected [section] and nothing else on the line");
}

/* The reader that libinih calls; NULL at the end and after a fault. */
static char *line_read(char *out, int size, void *owner)
{
    struct source *source = owner;
    char reason[96];
    if (source->failed || source->text == source->end)
        return NULL;
    const char *line = source->text;
    const char *close = memchr(line, '\n', (size_t)(source->end - line));
    size_t length = (size_t)((close ? close : source->end) - line);
    source->text = close ? close + 1 : source->end;
    source->line++;
    if (length && line[length - 1] == '\r')
        length--;
    if (length > SETTINGS_LINE_MAX || length + 2 > (size_t)size) {
        snprintf(reason, sizeof reason,
                 "the line has %zu bytes; expected at most %d; continue it on an indented line",
                 length, size - 2 < SETTINGS_LINE_MAX ? size - 2 : SETTINGS_LINE_MAX);
        source_fail(source, reason);
        return NULL;
    }
    if (!line_check(source, line, length))
        return NULL;
    memcpy(out, line, length);
    memcpy(out + length, "\n", 2);
    return out;
}

/* --- pairs --- */

static bool section_exists(const char *section)
{
    for (enum setting i = 0; i < SETTING_COUNT; i++)
        if (strcmp(setting_row(i)->section, section) == 0)
            return true;
    return false;
}

static bool refuse_section(struct source *source, const char *section)
{
    char reason[200], quoted[INPUT_QUOTE_MAX];
    struct input_nearest nearest = {section, NULL, 0};
    if (!*section)
        return source_fail(source,
                           "a key stands before every section; expected [chain] or another");
    for (enum setting i = 0; i < SETTING_COUNT; i++)
        input_nearest_offer(&nearest, setting_row(i)->section);
    snprintf(reason, sizeof reason, "there is no section [%s]%s%s%s", input_quote(section, quoted),
             nearest.best ? "; did you mean [" : "", nearest.best ? nearest.best : "",
             nearest.best ? "]?" : "");
    return source_fail(source, reason);
}

static bool refuse_key(struct source *source, const char *section, const char *key)
{
    char reason[260], quoted[INPUT_QUOTE_MAX];
    struct input_nearest nearest = {key, NULL, 0};
    const char *elsewhere = NULL;
    for (enum setting i = 0; i < SETTING_COUNT; i++) {
        if (strcmp(setting_row(i)->section, section) == 0)
            input_nearest_offer(&nearest, setting_row(i)->key);
        else if (setting_key_is(setting_row(i), key))
            elsewhere = setting_row(i)->section;
    }
    if (elsewhere)
        snprintf(reason, sizeof reason, "%s.%s: there is no such key; it belongs to [%s]", section,
                 input_quote(key, quoted), elsewhere);
    else
        snprintf(reason, sizeof reason, "%s.%s: there is no such key%s%s%s", section,
                 input_quote(key, quoted), nearest.best ? "; did you mean " : "",
                 nearest.best ? nearest.best : "", nearest.best ? "?" : "");
    return source_fail(source, reason);
}

static bool setting_find(const char *section, const char *key, enum setting *found)
{
    for (enum setting i = 0; i < SETTING_COUNT; i++) {
        if (strcmp(setting_row(i)->section, section) != 0 || !setting_key_is(setting_row(i), key))
            continue;
        *found = i;
        return true;
    }
    return false;
}

static bool pair_set(struct source *source, enum setting setting, const char *value)
{
    size_t size = strlen(source->name) + 16;
    char *where = malloc(size);
    if (!where)
        return source_fail(source, "out of memory");
    snprintf(where, size, "%s:%u", source->name, source->line);
    source->failed =
        !setting_take(source->settings, setting, value, SETTING_FROM_FILE, where, source->fault);
    free(where);
    return !source->failed;
}

/* Bytes of an indented line before its comment: some versions of libinih leave that in. */
static size_t more_length(const char *more)
{
    size_t length = 0;
    while (more[length] && !(more[length] == ';' && (length == 0 || is_blank(more[length - 1]))))
        length++;
    while (length && is_blank(more[length - 1]))
        length--;
    return length;
}

/* An indented line: more of a list, or more words of a command. */
static bool pair_continue(struct source *source, const char *more)
{
    const struct setting_row *row = setting_row(source->pair);
    const char *so_far = source->settings->values[source->pair].text;
    bool list = setting_is_list(row);
    if (!list && row->kind != SETTING_IS_COMMAND)
        return source_fail(source, "the line begins with a blank, so it would continue the one "
                                   "before; begin it in the first column");
    size_t length = strlen(so_far), added = more_length(more), size = length + added + 3;
    bool comma = list && so_far[length - 1] != ',' && *more != ',';
    char *whole = malloc(size);
    if (!whole)
        return source_fail(source, "out of memory");
    snprintf(whole, size, "%s%s %.*s", so_far, comma ? "," : "", (int)added, more);
    bool good = pair_set(source, source->pair, whole);
    free(whole);
    return good;
}

static bool pair_take(struct source *source, const char *section, const char *key,
                      const char *value)
{
    char reason[120];
    enum setting setting;
    if (!section_exists(section))
        return refuse_section(source, section);
    if (!setting_find(section, key, &setting))
        return refuse_key(source, section, key);
    if (source->taken[setting]) {
        snprintf(reason, sizeof reason, "%s.%s: it stands in line %u already; keep one of them",
                 section, setting_row(setting)->key, source->taken[setting]);
        return source_fail(source, reason);
    }
    source->taken[setting] = source->line;
    source->pair = setting;
    return pair_set(source, setting, value);
}

/* The handler that libinih calls; 1: go on. */
static int pair_handle(void *owner, const char *section, const char *key, const char *value)
{
    struct source *source = owner;
    if (source->failed)
        return 1;
    bool more = source->indented && source->continues;
    source->continues = true;
    bool good = more ? pair_continue(source, value ? value : "")
                     : pair_take(source, section, key ? key : "", value ? value : "");
    return good ? 1 : 0;
}

bool settings_read_text(struct settings *settings, const char *name, const char *text, size_t size,
                        struct fault *fault)
{
    struct source source = {
        .settings = settings, .name = name, .text = text, .end = text + size, .fault = fault};
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        source.text += 3; /* an editor's mark of UTF-8 */
    int line = ini_parse_stream(line_read, &source, pair_handle, &source);
    if (source.failed)
        return false;
    if (line == 0)
        return true;
    if (line < 0)
        return source_fail(&source, "out of memory");
    source.line = (uint32_t)line;
    return source_fail(&source, "expected [section] or key = value");
}

/* --- files --- */

static bool file_read(struct settings *settings, const char *path, struct fault *fault)
{
    char error[INPUT_ERROR_MAX], *text = NULL;
    size_t size;
    if (!input_file(path, SETTINGS_FILE_MAX, false, &text, &size, error))
        return fault_set(fault, "%.*s: %.200s", NAME_SHOWN_MAX, path, error);
    bool good = settings_read_text(settings, path, text, size, fault);
    free(text);
    return good;
}

static bool is_fragment(const char *name)
{
    size_t length = strlen(name);
    return name[0] != '.' && length > 5 && strcmp(name + length - 5, ".conf") == 0;
}

static int name_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
    char *list[SETTINGS_FRAGMENTS_MAX];
    uint32_t count;
};

static bool names_read(DIR *directory, const char *path, struct names *names, struct fault *fault)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (!entry && errno)
            return fault_set(fault, "%.*s: %s", NAME_SHOWN_MAX, path, strerror(errno));
        if (!entry)
            break;
        if (!is_fragment(entry->d_name))
            continue;
        if (names->count == SETTINGS_FRAGMENTS_MAX)
            return fault_set(fault, "%.*s: more than %d files; put some together", NAME_SHOWN_MAX,
                             path, SETTINGS_FRAGMENTS_MAX);
        names->list[names->count] = strdup(entry->d_name);
        if (!names->list[names->count])
            return fault_set(fault, "out of memory");
        names->count++;
    }
    qsort(names->list, names->count, sizeof names->list[0], name_compare);
    return true;
}

static bool fragments_read(struct settings *settings, const char *path, DIR *directory,
                           struct fault *fault)
{
    struct names names = {.count = 0};
    bool good = names_read(directory, path, &names, fault);
    for (uint32_t i = 0; i < names.count; i++) {
        size_t size = strlen(path) + strlen(names.list[i]) + 2;
        char *file = good ? malloc(size) : NULL;
        if (file) {
            snprintf(file, size, "%s/%s", path, names.list[i]);
            good = file_read(settings, file, fault);
        } else if (good) {
            good = fault_set(fault, "out of memory");
        }
        free(file);
        free(names.list[i]);
    }
    return good;
}

/* "DIRECTORY/conf.d" beside the file; owned by the caller. */
static char *fragments_path(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) + 1 : 0;
    char *out = malloc(length + sizeof "conf.d");
    if (out) {
        memcpy(out, path, length);
        memcpy(out + length, "conf.d", sizeof "conf.d");
    }
    return out;
}

bool settings_read_file(struct settings *settings, const char *path, struct fault *fault)
{
    if (!file_read(settings, path, fault))
        return false;
    char *beside = fragments_path(path);
    if (!beside)
        return fault_set(fault, "out of memory");
    bool good = true;
    DIR *directory = opendir(beside);
    if (directory) {
        good = fragments_read(settings, beside, directory, fault);
        closedir(directory);
    } else if (errno != ENOENT && errno != ENOTDIR) {
        good = fault_set(fault, "%.*s: %s", NAME_SHOWN_MAX, beside, strerror(errno));
    }
    free(beside);
    return good;
}

/* --- the environment --- */

static bool name_matches(const char *name, size_t length, const char *section, const char *key)
{
    char wanted[80];
    int size = snprintf(wanted, sizeof wanted, PREFIX "%s_%s", section, key);
    assert(size > 0 && (size_t)size < sizeof wanted);
    for (char *c = wanted; *c; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    return (size_t)size == length && memcmp(name, wanted, length) == 0;
}

/* The section that the variable names, though none of its keys; NULL when it is not ours. */
static const char *name_section(const char *name, size_t length)
{
    for (enum setting i = 0; i < SETTING_COUNT; i++) {
        const char *section = setting_row(i)->section;
        size_t size = sizeof PREFIX - 1 + strlen(section) + 1;
        if (length > size && name[size - 1] == '_' && name_matches(name, size, section, ""))
            return section;
    }
    return NULL;
}

static bool refuse_variable(const char *name, size_t length, const char *section,
                            struct fault *fault)
{
    char key[INPUT_WORD_MAX], quoted[INPUT_QUOTE_MAX], whole[80];
    size_t from = sizeof PREFIX - 1 + strlen(section) + 1, used = 0;
    for (; from + used < length && used + 1 < sizeof key; used++) {
        char c = name[from + used];
        key[used] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    key[used] = '\0';
    struct input_nearest nearest = {key, NULL, 0};
    for (enum setting i = 0; i < SETTING_COUNT; i++)
        if (strcmp(setting_row(i)->section, section) == 0)
            input_nearest_offer(&nearest, setting_row(i)->key);
    snprintf(whole, sizeof whole, "%.*s", (int)(length < 79 ? length : 79), name);
    return fault_set(fault, "the environment's %s: there is no key %s.%s%s%s%s",
                     input_quote(whole, quoted), section, key,
                     nearest.best ? "; did you mean " : "", nearest.best ? nearest.best : "",
                     nearest.best ? "?" : "");
}

static bool variable_read(struct settings *settings, const char *variable, struct fault *fault)
{
    const char *equals = strchr(variable, '=');
    if (!equals || !equals[1] || strncmp(variable, PREFIX, sizeof PREFIX - 1) != 0)
        return true;
    size_t length = (size_t)(equals - variable);
    for (enum setting i = 0; i < SETTING_COUNT; i++) {
        char where[80];
        if (!name_matches(variable, length, setting_row(i)->section, setting_row(i)->key))
            continue;
        snprintf(where, sizeof where, "%.*s", (int)length, variable);
        return setting_take(settings, i, equals + 1, SETTING_FROM_ENVIRONMENT, where, fault);
    }
    const char *section = name_section(variable, length);
    return !section || refuse_variable(variable, length, section, fault);
}

bool settings_read_environment(struct settings *settings, char *const *environment,
                               struct fault *fault)
{
    for (; *environment; environment++)
        if (!variable_read(settings, *environment, fault))
            return false;
    return true;
}
