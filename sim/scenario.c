#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config.h"
#include "proto/input.h"
#include "sim/scenario_fault.h"

#define KEYS_MAX 64
#define WHERE_MAX 128

struct reader {
    struct sim_config *config;
    const char *const *fixed;
    char name[96]; /* of the file, its end where it is long */
    char where[WHERE_MAX];
    uint32_t line;
    uint32_t key_lines[KEYS_MAX]; /* where each key was given; 0: not yet */
    char *error;
};

/* Results that an expectation may speak of: the numbers of the results file, and the exit status.
 * */
static const char *const results[] = {
    "exit",           "validators",
    "members",        "agents",
    "floor",          "min_live",
    "blocks",         "blocks_below_floor",
    "halted_s",       "chain_stopped_for_good",
    "done",           "failed",
    "left_paused",    "missed_blocks_in_set",
    "joins",          "permits",
    "permits_unused", "pauses",
    "makespan_s",     "lower_bound_s",
    "messages",       "bytes",
    "steps",          "events",
    "violations",
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Cuts off the comment, which begins where a word would, and the blanks at the end. */
static void comment_cut(char *line)
{
    size_t end = 0;
    for (size_t i = 0; line[i]; i++) {
        if (line[i] == '#' && (i == 0 || is_blank(line[i - 1])))
            break;
        if (!is_blank(line[i]))
            end = i + 1;
    }
    line[end] = '\0';
}

/* Cuts the next word off; returns "" at the end of the line. */
static char *word_cut(char **line)
{
    char *word = *line;
    while (is_blank(*word))
        word++;
    char *end = word;
    while (*end && !is_blank(*end))
        end++;
    *line = *end ? end + 1 : end;
    *end = '\0';
    return word;
}

static bool words_cut(struct reader *r, char *line, struct scenario_words *words)
{
    words->count = 0;
    for (char *word = word_cut(&line); *word; word = word_cut(&line)) {
        if (words->count == SCENARIO_WORDS_MAX)
            return input_fail(r->error,
                              "%s: more than %d words; one fault or expectation a line, see "
                              "sim/SCENARIOS.md",
                              r->where, SCENARIO_WORDS_MAX);
        words->at[words->count++] = word;
    }
    return true;
}

static bool fault_add(struct reader *r, struct fault fault)
{
    struct sim_config *config = r->config;
    if (!config->faults)
        config->faults = calloc(FAULTS_MAX, sizeof *config->faults);
    if (!config->faults)
        return input_fail(r->error, "out of memory");
    if (config->fault_count == FAULTS_MAX)
        return input_fail(r->error,
                          "%s: more than %d faults; repeat them less often, for example 'every 30s "
                          "... until 20m'",
                          r->where, FAULTS_MAX);
    uint32_t i = config->fault_count++;
    for (; i > 0 && config->faults[i - 1].at_ms > fault.at_ms; i--)
        config->faults[i] = config->faults[i - 1];
    fault.line = r->line;
    config->faults[i] = fault;
    return true;
}

static bool fault_line_read(struct reader *r, char *line)
{
    struct scenario_words words;
    struct scenario_fault read;
    if (!words_cut(r, line, &words) || !scenario_fault_read(&read, &words, r->where, r->error))
        return false;
    do {
        if (!fault_add(r, read.fault))
            return false;
        read.fault.at_ms += read.every_ms;
    } while (read.every_ms && read.fault.at_ms <= read.until_ms);
    return true;
}

static bool expectation_fail(const struct reader *r, const char *what, const char *given)
{
    char quoted[INPUT_QUOTE_MAX];
    return input_fail(r->error,
                      "%s: expect: %s '%s'; expected 'expect RESULT [= | <= | >=] NUMBER|all', for "
                      "example 'expect min_live >= 67'; see sim/SCENARIOS.md",
                      r->where, what, input_quote(given, quoted));
}

static bool expectation_key_read(struct reader *r, struct expectation *out, const char *word)
{
    struct input_nearest nearest = {word, NULL, 0};
    char quoted[INPUT_QUOTE_MAX];
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        if (strcmp(results[i], word) == 0) {
            snprintf(out->key, sizeof out->key, "%s", results[i]);
            return true;
        }
        input_nearest_offer(&nearest, results[i]);
    }
    if (!nearest.best)
        return expectation_fail(r, "unknown result", word);
    return input_fail(r->error,
                      "%s: expect: unknown result '%s', did you mean '%s'? for example 'expect "
                      "min_live >= 67'; see sim/SCENARIOS.md",
                      r->where, input_quote(word, quoted), nearest.best);
}

static bool expectation_value_read(struct reader *r, struct expectation *out, const char *word)
{
    bool exit = strcmp(out->key, "exit") == 0;
    if (!exit && strcmp(word, "all") == 0) {
        out->all = true;
        return true;
    }
    if (exit && (strlen(word) != 1 || !strchr("01345", *word)))
        return expectation_fail(r, "exit is 0, 1, 3, 4 or 5, not", word);
    if (!input_number(word, &out->value))
        return expectation_fail(r, "no number:", word);
    return true;
}

static bool operator_read(const char *word, enum expect_op *op)
{
    bool known = strcmp(word, "=") == 0 || strcmp(word, "<=") == 0 || strcmp(word, ">=") == 0;
    *op = *word == '<' ? EXPECT_LE : *word == '>' ? EXPECT_GE : EXPECT_EQ;
    return known;
}

static bool expectation_line_read(struct reader *r, char *line)
{
    struct sim_config *config = r->config;
    struct expectation read = {.line = r->line};
    struct scenario_words words;
    if (!words_cut(r, line, &words))
        return false;
    if (words.count < 3 || words.count > 4)
        return expectation_fail(r, "a result and a number are wanted, not",
                                words.count > 4 ? words.at[4] : "");
    if (!expectation_key_read(r, &read, words.at[1]))
        return false;
    if (words.count == 4 && !operator_read(words.at[2], &read.op))
        return expectation_fail(r, "unknown comparison", words.at[2]);
    if (!expectation_value_read(r, &read, words.at[words.count - 1]))
        return false;
    if (!config->expectations)
        config->expectations = calloc(EXPECTATIONS_MAX, sizeof *config->expectations);
    if (!config->expectations)
        return input_fail(r->error, "out of memory");
    if (config->expectation_count == EXPECTATIONS_MAX)
        return input_fail(r->error, "%s: more than %d expectations; drop some", r->where,
                          EXPECTATIONS_MAX);
    config->expectations[config->expectation_count++] = read;
    return true;
}

static bool is_fixed(const struct reader *r, const struct config_key *key)
{
    for (size_t i = 0; r->fixed && r->fixed[i]; i++) {
        const struct config_key *other = config_key_find(r->fixed[i]);
        if (other == key || (other && key->pair != PAIR_NONE && other->pair == key->pair))
            return true;
    }
    return false;
}

/* What is overruled by the command line must be right all the same. */
static bool value_check(struct reader *r, const char *where, const char *key, const char *value)
{
    struct sim_config unused;
    config_default(&unused);
    bool good = config_set(&unused, where, key, value, r->error);
    config_clear(&unused);
    return good;
}

static bool key_once(struct reader *r, const struct config_key *key)
{
    const struct config_key *other;
    for (uint32_t i = 0; (other = config_key(i)) != NULL; i++) {
        assert(i < KEYS_MAX);
        if (r->key_lines[i] &&
            (other == key || (key->pair != PAIR_NONE && key->pair == other->pair)))
            return input_fail(r->error,
                              "%s: %s: line %" PRIu32 " says '%s' already; keep one of them",
                              r->where, key->name, r->key_lines[i], other->name);
        if (other == key)
            r->key_lines[i] = r->line;
    }
    return true;
}

static bool key_unknown(const struct reader *r, const char *word)
{
    struct input_nearest nearest = {word, NULL, 0};
    char quoted[INPUT_QUOTE_MAX];
    const struct config_key *key;
    for (uint32_t i = 0; (key = config_key(i)) != NULL; i++)
        if (!key->command_line)
            input_nearest_offer(&nearest, key->name);
    input_nearest_offer(&nearest, "expect");
    input_nearest_offer(&nearest, "every");
    return input_fail(
        r->error,
        "%s: unknown word '%s'%s%s%s; a line begins with at, every, expect or a world "
        "key such as validators; see sim/SCENARIOS.md",
        r->where, input_quote(word, quoted), nearest.best ? ", did you mean '" : "",
        nearest.best ? nearest.best : "", nearest.best ? "'?" : "");
}

static bool world_line_read(struct reader *r, char *line)
{
    char where[WHERE_MAX + 32];
    const char *word = word_cut(&line);
    const struct config_key *key = config_key_find(word);
    while (is_blank(*line))
        line++;
    if (!key)
        return key_unknown(r, word);
    if (key->command_line)
        return input_fail(r->error, "%s: %s belongs on the command line, as --%s; remove the line",
                          r->where, key->name, key->name);
    if (!key_once(r, key))
        return false;
    snprintf(where, sizeof where, "%s: %s", r->where, key->name);
    if (is_fixed(r, key))
        return value_check(r, where, key->name, line);
    return config_set(r->config, where, key->name, line, r->error);
}

static bool line_read(struct reader *r, char *line)
{
    comment_cut(line);
    while (is_blank(*line))
        line++;
    size_t first = strcspn(line, " \t\r");
    if (*line == '\0')
        return true;
    if ((first == 2 && strncmp(line, "at", 2) == 0) ||
        (first == 5 && strncmp(line, "every", 5) == 0))
        return fault_line_read(r, line);
    if (first == 6 && strncmp(line, "expect", 6) == 0)
        return expectation_line_read(r, line);
    return world_line_read(r, line);
}

/* Text has no control characters but tabs and ends of lines: the rest is a file of another kind. */
static bool text_check(const struct reader *r, const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)line[i];
        if ((c < ' ' && c != '\t' && c != '\r') || c == 0x7f)
            return input_fail(
                r->error,
                "%s: byte 0x%02x in column %zu is no text; a scenario is a text file, "
                "see sim/SCENARIOS.md",
                r->where, c, i + 1);
    }
    return true;
}

static bool lines_read(struct reader *r, const char *text, size_t size)
{
    char line[SCENARIO_LINE_MAX + 1];
    for (const char *end = text + size; text < end;) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((newline ? newline : end) - text);
        snprintf(r->where, sizeof r->where, "%s:%" PRIu32, r->name, ++r->line);
        if (r->line > SCENARIO_LINES_MAX)
            return input_fail(r->error, "%s: more than %d lines; shorten it", r->where,
                              SCENARIO_LINES_MAX);
        if (!text_check(r, text, length < SCENARIO_LINE_MAX ? length : SCENARIO_LINE_MAX))
            return false;
        if (length > SCENARIO_LINE_MAX)
            return input_fail(r->error, "%s: the line has more than %d characters; shorten it",
                              r->where, SCENARIO_LINE_MAX);
        memcpy(line, text, length);
        line[length] = '\0';
        if (!line_read(r, line))
            return false;
        text += length + (newline != NULL);
    }
    return true;
}

/* A name that is safe in an error line; of a long path its end. */
static void name_show(struct reader *r, const char *name)
{
    const size_t room = sizeof r->name - 4; /* "..." and the zero byte */
    size_t length = strlen(name);
    snprintf(r->name, sizeof r->name, "%s%s", length > room ? "..." : "",
             length > room ? name + length - room : name);
    for (char *c = r->name; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
}

bool scenario_read_text(struct sim_config *config, const char *name, const char *text, size_t size,
                        const char *const *fixed, char error[CONFIG_ERROR_MAX])
{
    struct reader r = {.config = config, .fixed = fixed, .error = error};
    name_show(&r, name);
    free(config->faults);
    free(config->expectations);
    config->faults = NULL;
    config->expectations = NULL;
    config->fault_count = config->expectation_count = 0;
    if (size > SCENARIO_SIZE_MAX)
        return input_fail(error, "%s: it is larger than the %d bytes allowed; shorten it", r.name,
                          SCENARIO_SIZE_MAX);
    return lines_read(&r, text, size);
}

static bool file_scenario_read(struct sim_config *config, const char *path,
                               const char *const *fixed, char error[CONFIG_ERROR_MAX])
{
    struct input_nearest nearest = {path, NULL, 0};
    struct reader shown;
    char reason[INPUT_ERROR_MAX], *text;
    size_t size;
    uint32_t count;
    const struct scenario *shipped = scenarios(&count);
    name_show(&shown, path);
    for (uint32_t i = 0; i < count; i++)
        input_nearest_offer(&nearest, shipped[i].name);
    if (!input_file(path, SCENARIO_SIZE_MAX, false, &text, &size, reason))
        return input_fail(error,
                          "%s: no shipped scenario has this name, and as a file %.200s%s%s%s; see "
                          "--list-scenarios",
                          shown.name, reason, nearest.best ? "; did you mean '" : "",
                          nearest.best ? nearest.best : "", nearest.best ? "'?" : "");
    bool good = size > 0 ? scenario_read_text(config, path, text, size, fixed, error)
                         : input_fail(error,
                                      "%s: the file is empty; lines such as 'validators 100' "
                                      "expected, see sim/SCENARIOS.md",
                                      shown.name);
    free(text);
    return good;
}

bool scenario_read(struct sim_config *config, const char *name_or_path, const char *const *fixed,
                   char error[CONFIG_ERROR_MAX])
{
    uint32_t count;
    char name[INPUT_WORD_MAX];
    const struct scenario *shipped = scenarios(&count);
    snprintf(config->scenario, sizeof config->scenario, "%s", name_or_path);
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(shipped[i].name, name_or_path) != 0)
            continue;
        snprintf(name, sizeof name, "%s.scn", shipped[i].name);
        return scenario_read_text(config, name, shipped[i].text, strlen(shipped[i].text), fixed,
                                  error);
    }
    return file_scenario_read(config, name_or_path, fixed, error);
}
