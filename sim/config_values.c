#include "sim/config_values.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/input.h"

#define PHI_PART_MAX 1000000  /* so that phi * N stays far from overflow */
#define LIST_FILE_MAX 1048576 /* bytes */
#define LIST_ENTRY_MAX 32     /* characters */
#define DECIMALS_MAX 15
#define FRACTION_PARTS_MAX 10000

/* Copies the text up to the first of `ends`; false when it does not fit. Returns the rest in *rest.
 * */
static bool part_read(const char *text, const char *ends, char *part, size_t room,
                      const char **rest)
{
    size_t length = strcspn(text, ends);
    if (length >= room)
        return false;
    memcpy(part, text, length);
    part[length] = '\0';
    *rest = text + length;
    return true;
}

bool config_set_floor_fraction(struct sim_config *config, const char *value,
                               char error[CONFIG_ERROR_MAX])
{
    uint64_t num, den;
    (void)error;
    if (!input_ratio(value, &num, &den) || den > PHI_PART_MAX || 3 * num < 2 * den || num == den)
        return false;
    config->phi_num = (uint32_t)num;
    config->phi_den = (uint32_t)den;
    return true;
}

bool config_set_ramp(struct sim_config *config, const char *value, char error[CONFIG_ERROR_MAX])
{
    char part[LIST_ENTRY_MAX];
    const char *rest;
    uint64_t a, b;
    (void)error;
    if (strcmp(value, "off") == 0) {
        config->ramp = false;
        config->ramp_a = config->ramp_b = 0;
        return true;
    }
    if (!part_read(value, ",", part, sizeof part, &rest) || !input_whole(part, &a) || *rest != ',')
        return false;
    if (!input_whole(rest + 1, &b) || a < 1 || a > VIEW_VALIDATORS_MAX || b > VIEW_VALIDATORS_MAX)
        return false;
    config->ramp = true;
    config->ramp_a = (uint32_t)a;
    config->ramp_b = (uint32_t)b;
    return true;
}

static bool reboot_read(const char *text, int64_t *ms)
{
    return input_duration(text, ms) && *ms >= REBOOT_MIN_MS && *ms <= REBOOT_MAX_MS;
}

static bool lognormal_read(const char *text, struct duration *out)
{
    char part[LIST_ENTRY_MAX];
    const char *rest;
    if (!part_read(text, ",", part, sizeof part, &rest) || *rest != ',')
        return false;
    out->kind = DURATION_LOGNORMAL;
    return reboot_read(part, &out->median_ms) && input_number(rest + 1, &out->sigma) &&
           out->sigma <= 2;
}

/* Reads durations between commas and blanks into an array that the caller frees. */
static bool list_read(const char *text, struct duration *out, char error[CONFIG_ERROR_MAX])
{
    static const char separators[] = ", \t\r\n";
    char part[LIST_ENTRY_MAX], quoted[INPUT_QUOTE_MAX];
    for (text += strspn(text, separators); *text; text += strspn(text, separators)) {
        const char *entry = text;
        int64_t ms;
        if (!part_read(entry, separators, part, sizeof part, &text) || !reboot_read(part, &ms))
            return input_fail(error,
                              "entry %" PRIu32
                              " of the list, at '%s', is no duration from 1s to 7d; "
                              "for example list:300s,200s",
                              out->list_count + 1, input_quote(entry, quoted));
        if (out->list_count == VIEW_VALIDATORS_MAX)
            return input_fail(error, "the list has more than %d entries; one a validator is enough",
                              VIEW_VALIDATORS_MAX);
        out->list_ms[out->list_count++] = ms;
    }
    if (out->list_count == 0)
        return input_fail(error, "the list is empty; give durations, for example list:300s,200s");
    out->kind = DURATION_LIST;
    out->median_ms = out->list_ms[0];
    return true;
}

static bool list_file_read(const char *path, struct duration *out, char error[CONFIG_ERROR_MAX])
{
    char reason[INPUT_ERROR_MAX], quoted[INPUT_QUOTE_MAX];
    char *text;
    size_t size;
    if (!input_file(path, LIST_FILE_MAX, true, &text, &size, reason))
        return input_fail(error,
                          "the list cannot be taken from file '%s': %.200s; name a text file "
                          "of durations such as 300s",
                          input_quote(path, quoted), reason);
    bool good = strlen(text) == size ? list_read(text, out, error)
                                     : input_fail(error,
                                                  "file '%s' is no text; write durations into it, "
                                                  "for example 300s",
                                                  input_quote(path, quoted));
    free(text);
    return good;
}

static bool list_begin(const char *text, struct duration *out, char error[CONFIG_ERROR_MAX])
{
    out->list_ms = calloc(VIEW_VALIDATORS_MAX, sizeof *out->list_ms);
    if (!out->list_ms)
        return input_fail(error, "out of memory");
    return *text == '@' ? list_file_read(text + 1, out, error) : list_read(text, out, error);
}

bool config_set_reboot(struct sim_config *config, const char *value, char error[CONFIG_ERROR_MAX])
{
    struct duration reboot = {.kind = DURATION_CONSTANT};
    bool good;
    if (strncmp(value, "lognormal:", 10) == 0)
        good = lognormal_read(value + 10, &reboot);
    else if (strncmp(value, "list:", 5) == 0)
        good = list_begin(value + 5, &reboot, error);
    else
        good = reboot_read(value, &reboot.median_ms);
    free(good ? config->reboot.list_ms : reboot.list_ms);
    if (good)
        config->reboot = reboot;
    return good;
}

static const struct {
    const char *name;
    uint32_t bits;
} hostile_kinds[] = {
    {"pause", HOSTILE_PAUSE},       {"charter", HOSTILE_CHARTER}, {"class", HOSTILE_CLASS},
    {"no-show", HOSTILE_NO_SHOW},   {"greedy", HOSTILE_GREEDY},   {"gossip", HOSTILE_GOSSIP},
    {"proposer", HOSTILE_PROPOSER},
};

#define HOSTILE_KIND_COUNT (sizeof hostile_kinds / sizeof hostile_kinds[0])

static uint32_t hostile_bit(const char *name)
{
    for (size_t i = 0; i < HOSTILE_KIND_COUNT; i++)
        if (strcmp(name, hostile_kinds[i].name) == 0)
            return hostile_kinds[i].bits;
    return strcmp(name, "all") == 0 ? HOSTILE_ALL : 0;
}

bool config_set_hostile_kinds(struct sim_config *config, const char *value,
                              char error[CONFIG_ERROR_MAX])
{
    char part[LIST_ENTRY_MAX];
    uint32_t bits = 0;
    (void)error;
    for (;;) {
        if (!part_read(value, ",", part, sizeof part, &value) || !hostile_bit(part))
            return false;
        bits |= hostile_bit(part);
        if (!*value)
            break;
        value++;
    }
    config->hostile_kinds = bits;
    return true;
}

bool config_set_seed(struct sim_config *config, const char *value, char error[CONFIG_ERROR_MAX])
{
    uint64_t seed;
    (void)error;
    if (!input_whole(value, &seed))
        return false;
    config->seed_first = config->seed_last = seed;
    config->many_seeds = false;
    return true;
}

bool config_set_seeds(struct sim_config *config, const char *value, char error[CONFIG_ERROR_MAX])
{
    char part[LIST_ENTRY_MAX];
    const char *rest;
    uint64_t first, last;
    if (!part_read(value, ".", part, sizeof part, &rest) || strncmp(rest, "..", 2) != 0)
        return false;
    if (!input_whole(part, &first) || !input_whole(rest + 2, &last))
        return false;
    if (first > last)
        return input_fail(error,
                          "the first seed %" PRIu64 " is above the last %" PRIu64
                          "; write the smaller first, for example 1..50",
                          first, last);
    if (last - first >= SEEDS_MAX)
        return input_fail(error,
                          "%" PRIu64 "..%" PRIu64 " is more than %d seeds; run them in parts, "
                          "for example 1..50",
                          first, last, SEEDS_MAX);
    config->seed_first = first;
    config->seed_last = last;
    config->many_seeds = true;
    return true;
}

bool config_set_faults(struct sim_config *config, const char *value, char error[CONFIG_ERROR_MAX])
{
    struct input_nearest nearest = {value, NULL, 0};
    char quoted[INPUT_QUOTE_MAX];
    uint32_t count;
    const struct fault_set *sets = fault_sets(&count);
    const struct fault_set *set = fault_set_find(value);
    if (set) {
        snprintf(config->faults_name, sizeof config->faults_name, "%s", set->name);
        return true;
    }
    for (uint32_t i = 0; i < count; i++)
        input_nearest_offer(&nearest, sets[i].name);
    return input_fail(
        error,
        "unknown fault set '%s'%s%s%s; expected one of none, crashes, network, hosts, "
        "people, mixed; see --list-faults",
        input_quote(value, quoted), nearest.best ? ", did you mean '" : "",
        nearest.best ? nearest.best : "", nearest.best ? "'?" : "");
}

bool config_set_shard(struct sim_config *config, const char *value, char error[CONFIG_ERROR_MAX])
{
    char part[LIST_ENTRY_MAX];
    const char *rest;
    uint64_t shard, shards;
    (void)error;
    if (!part_read(value, "/", part, sizeof part, &rest) || *rest != '/')
        return false;
    if (!input_whole(part, &shard) || !input_whole(rest + 1, &shards))
        return false;
    if (shard < 1 || shard > shards || shards > SEEDS_MAX)
        return false;
    config->shard = (uint32_t)shard;
    config->shards = (uint32_t)shards;
    return true;
}

bool config_set_merge(struct sim_config *config, const char *value, char error[CONFIG_ERROR_MAX])
{
    if (*value == '\0')
        return false;
    const char **grown =
        realloc(config->merge, (config->merge_count + (size_t)1) * sizeof *config->merge);
    if (!grown)
        return input_fail(error, "out of memory");
    config->merge = grown;
    config->merge[config->merge_count++] = value;
    return true;
}

/* --- and back --- */

static bool same(double a, double b)
{
    return a <= b && a >= b;
}

/* The shortest decimal that `read` takes for this number; false where there is none. */
static bool decimal_text(bool (*read)(const char *text, double *value), double value,
                         char text[CONFIG_TEXT_MAX])
{
    double back;
    for (int digits = 0; digits < DECIMALS_MAX; digits++) {
        snprintf(text, CONFIG_TEXT_MAX, "%.*f", digits, value);
        if (read(text, &back) && same(back, value))
            return true;
    }
    return false;
}

void config_fraction_text(double value, char text[CONFIG_TEXT_MAX])
{
    double back;
    if (decimal_text(input_fraction, value, text))
        return;
    for (uint32_t part = 3; part <= FRACTION_PARTS_MAX; part++) {
        snprintf(text, CONFIG_TEXT_MAX, "%.0f/%" PRIu32, value * part, part);
        if (input_fraction(text, &back) && same(back, value))
            return;
    }
    snprintf(text, CONFIG_TEXT_MAX, "%.*f", DECIMALS_MAX - 1, value);
}

static bool reboot_list_text(const struct duration *reboot, char text[CONFIG_TEXT_MAX])
{
    char entry[INPUT_DURATION_MAX];
    size_t used = (size_t)snprintf(text, CONFIG_TEXT_MAX, "list:");
    for (uint32_t i = 0; i < reboot->list_count; i++) {
        input_duration_text(reboot->list_ms[i], entry);
        if (used + strlen(entry) + 2 > CONFIG_TEXT_MAX)
            return false;
        used += (size_t)snprintf(text + used, CONFIG_TEXT_MAX - used, "%s%s", i ? "," : "", entry);
    }
    return true;
}

static bool reboot_text(const struct duration *reboot, char text[CONFIG_TEXT_MAX])
{
    char median[INPUT_DURATION_MAX], sigma[CONFIG_TEXT_MAX];
    if (reboot->kind == DURATION_LIST)
        return reboot_list_text(reboot, text);
    input_duration_text(reboot->median_ms, median);
    if (reboot->kind == DURATION_CONSTANT)
        snprintf(text, CONFIG_TEXT_MAX, "%s", median);
    else if (decimal_text(input_number, reboot->sigma, sigma))
        snprintf(text, CONFIG_TEXT_MAX, "lognormal:%s,%.20s", median, sigma);
    else
        return false;
    return true;
}

static void hostile_kinds_text(uint32_t bits, char text[CONFIG_TEXT_MAX])
{
    size_t used = 0;
    snprintf(text, CONFIG_TEXT_MAX, "%s", "all");
    if (bits == HOSTILE_ALL)
        return;
    for (size_t i = 0; i < HOSTILE_KIND_COUNT; i++)
        if (bits & hostile_kinds[i].bits)
            used += (size_t)snprintf(text + used, CONFIG_TEXT_MAX - used, "%s%s", used ? "," : "",
                                     hostile_kinds[i].name);
}

bool config_value_text(const struct sim_config *config, const char *key, char text[CONFIG_TEXT_MAX])
{
    if (strcmp(key, "reboot") == 0)
        return reboot_text(&config->reboot, text);
    if (strcmp(key, "floor-fraction") == 0)
        snprintf(text, CONFIG_TEXT_MAX, "%" PRIu32 "/%" PRIu32, config->phi_num, config->phi_den);
    else if (strcmp(key, "ramp") == 0 && config->ramp)
        snprintf(text, CONFIG_TEXT_MAX, "%" PRIu32 ",%" PRIu32, config->ramp_a, config->ramp_b);
    else if (strcmp(key, "ramp") == 0)
        snprintf(text, CONFIG_TEXT_MAX, "off");
    else if (strcmp(key, "hostile-kinds") == 0)
        hostile_kinds_text(config->hostile_kinds, text);
    else if (strcmp(key, "faults") == 0)
        snprintf(text, CONFIG_TEXT_MAX, "%s",
                 config->faults_name[0] ? config->faults_name : "none");
    else if (strcmp(key, "seed") == 0)
        snprintf(text, CONFIG_TEXT_MAX, "%" PRIu64, config->seed_first);
    else
        return false;
    return true;
}
