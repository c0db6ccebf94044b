#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config.h"
#include "sim/input.h"

/* The highest validator number that a `who` names, or -1 where it names none by number. */
static int64_t who_highest(const char *who)
{
    int64_t highest = -1;
    if (strspn(who, "0123456789,") != strlen(who))
        return -1;
    while (*who) {
        char *end;
        long number = strtol(who, &end, 10);
        highest = number > highest ? number : highest;
        who = *end ? end + 1 : end;
    }
    return highest;
}

static bool sizes_check(const struct sim_config *config, char error[CONFIG_ERROR_MAX])
{
    if (config->genesis[0])
        return true; /* the file says how many there are */
    if (config->min_validators > config->validators)
        return input_fail(error,
                          "min-validators: %" PRIu64 " is above the %" PRIu32 " validators of the "
                          "network, so nobody could ever go; lower it, for example to %" PRIu32,
                          config->min_validators, config->validators,
                          config->validators * 2 / 3 + 1);
    if (config->agents > (int64_t)config->validators)
        return input_fail(error,
                          "agents: %" PRId64 " is above the %" PRIu32 " validators of the network; "
                          "lower it, or say 'all'",
                          config->agents, config->validators);
    return true;
}

static bool times_check(const struct sim_config *config, char error[CONFIG_ERROR_MAX])
{
    char a[INPUT_DURATION_MAX], b[INPUT_DURATION_MAX];
    if (config->empty_block_ms && config->empty_block_ms < config->block_time_ms) {
        input_duration_text(config->empty_block_ms, a);
        input_duration_text(config->block_time_ms, b);
        return input_fail(
            error, "empty-blocks: %s is below the block-time of %s; raise it, or say 'always'", a,
            b);
    }
    if (config->until_ms && config->until_ms <= config->open_ms) {
        input_duration_text(config->until_ms, a);
        input_duration_text(config->open_ms, b);
        return input_fail(error,
                          "until: the run ends at %s, before the agents may act at %s (open); "
                          "end it later, for example '2h'",
                          a, b);
    }
    return true;
}

static bool is_kira_only(enum fault_kind kind)
{
    return kind == FAULT_MIN_VALIDATORS || kind == FAULT_UPGRADE || kind == FAULT_VOTE ||
           kind == FAULT_FATAL_PAIR;
}

static bool fault_check(const struct sim_config *config, const struct fault *fault,
                        char error[CONFIG_ERROR_MAX])
{
    uint32_t count;
    char quoted[INPUT_QUOTE_MAX];
    const char *name = fault_forms(&count)[fault->kind].name;
    const char *source = input_quote(config->scenario, quoted);
    if (config->genesis[0])
        return true;
    if (who_highest(fault->who) >= (int64_t)config->validators)
        return input_fail(error,
                          "%s:%" PRIu32 ": %s: there is no validator %" PRId64 " among %" PRIu32
                          "; they are numbered from 0",
                          source, fault->line, name, who_highest(fault->who), config->validators);
    if (config->chain == CHAIN_DCL && is_kira_only(fault->kind))
        return input_fail(error,
                          "%s:%" PRIu32 ": %s: DCL has nothing of the kind; remove the line, or "
                          "say 'chain kira'",
                          source, fault->line, name);
    if (config->chain == CHAIN_KIRA && fault->kind == FAULT_TRUSTEES)
        return input_fail(error,
                          "%s:%" PRIu32 ": %s: KIRA has no trustees; remove the line, or say "
                          "'chain dcl'",
                          source, fault->line, name);
    return true;
}

static bool outputs_check(const struct sim_config *config, char error[CONFIG_ERROR_MAX])
{
    const char *files[] = {config->json, config->trace, config->html};
    static const char *const names[] = {"json", "trace", "html"};
    char quoted[INPUT_QUOTE_MAX];
    for (size_t i = 0; i < 3; i++)
        for (size_t j = i + 1; j < 3; j++)
            if (files[i][0] && strcmp(files[i], files[j]) == 0)
                return input_fail(error, "%s and %s would both write '%s'; name two files",
                                  names[i], names[j], input_quote(files[i], quoted));
    if (config->trace[0] && config->seed_first != config->seed_last)
        return input_fail(error,
                          "trace: a trace holds one run, but seeds asks for %" PRIu64 "; use seed "
                          "for one of them, or digest",
                          config->seed_last - config->seed_first + 1);
    return true;
}

bool config_check(const struct sim_config *config, char error[CONFIG_ERROR_MAX])
{
    if (!sizes_check(config, error) || !times_check(config, error) || !outputs_check(config, error))
        return false;
    for (uint32_t i = 0; i < config->fault_count; i++)
        if (!fault_check(config, &config->faults[i], error))
            return false;
    return true;
}
