#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config.h"
#include "proto/input.h"

#define FILE_COUNT 4 /* that a run may write */

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

/* A number that is above the validators it is about: nobody could ever take a turn. */
static bool above_fail(const char *key, uint64_t given, uint32_t count,
                       char error[CONFIG_ERROR_MAX])
{
    return input_fail(error,
                      "--%s: %" PRIu64 " is above the %" PRIu32 " validators of the network, so "
                      "nobody could ever go; lower it, for example to %" PRIu32,
                      key, given, count, count * 2 / 3 + 1);
}

static bool sizes_check(const struct sim_config *config, uint32_t members,
                        char error[CONFIG_ERROR_MAX])
{
    if (config->min_validators > members)
        return above_fail("min-validators", config->min_validators, members, error);
    if (config->own_floor > (int64_t)members)
        return above_fail("own-floor", (uint64_t)config->own_floor, members, error);
    if (config->agents > (int64_t)members)
        return input_fail(error,
                          "--agents: %" PRId64 " is above the %" PRIu32 " validators of the "
                          "network; lower it, or say 'all'",
                          config->agents, members);
    return true;
}

static bool rounds_check(const struct charter *c, char error[CONFIG_ERROR_MAX])
{
    uint32_t w = c->epoch_blocks, l = c->round_blocks;
    if (l < 20 * (uint64_t)w)
        return input_fail(error,
                          "--round-blocks: %" PRIu32
                          " is below 20 epochs of --epoch-blocks %" PRIu32
                          "; give --round-blocks %" PRIu32 " to %" PRIu32
                          ", or --epoch-blocks %" PRIu32 " or less",
                          l, w, 20 * w, FOREIGN_BLOCKS - w, l / 20);
    if ((uint64_t)l + w > FOREIGN_BLOCKS)
        return input_fail(error,
                          "--round-blocks: %" PRIu32 " and --epoch-blocks %" PRIu32
                          " are above %d blocks together; give --round-blocks %" PRIu32
                          " to %" PRIu32,
                          l, w, FOREIGN_BLOCKS, 20 * w, FOREIGN_BLOCKS - w);
    if (c->reference_blocks < 2 * (uint64_t)l)
        return input_fail(error,
                          "--reference-blocks: %" PRIu64 " is below two rounds of --round-blocks "
                          "%" PRIu32 "; give --reference-blocks %" PRIu32 " or more",
                          c->reference_blocks, l, 2 * l);
    return true;
}

/* The bounds of the charter that lie between its values, in the words of the command line. */
static bool charter_bounds_check(const struct sim_config *config, char error[CONFIG_ERROR_MAX])
{
    char interval[INPUT_DURATION_MAX];
    struct charter c = charter_default("", 1, config->block_time_ms);
    c.epoch_blocks = config->epoch_blocks;
    c.round_blocks = config->round_blocks ? config->round_blocks : c.round_blocks;
    c.reference_blocks = config->reference_blocks ? config->reference_blocks : c.reference_blocks;
    if (config->empty_block_ms && c.epoch_blocks < 3) {
        input_duration_text(config->empty_block_ms, interval);
        return input_fail(error,
                          "--epoch-blocks: %" PRIu32 " is below the 3 that a chain with "
                          "--empty-blocks %s needs; give --epoch-blocks 3 or more",
                          c.epoch_blocks, interval);
    }
    return rounds_check(&c, error);
}

static bool times_check(const struct sim_config *config, char error[CONFIG_ERROR_MAX])
{
    char a[INPUT_DURATION_MAX], b[INPUT_DURATION_MAX];
    if (config->empty_block_ms && config->empty_block_ms < config->block_time_ms) {
        input_duration_text(config->empty_block_ms, a);
        input_duration_text(config->block_time_ms, b);
        return input_fail(
            error, "--empty-blocks: %s is below the --block-time of %s; raise it, or say 'always'",
            a, b);
    }
    if (config->until_ms && config->until_ms <= config->open_ms) {
        input_duration_text(config->until_ms, a);
        input_duration_text(config->open_ms, b);
        return input_fail(error,
                          "--until: the run ends at %s, before the agents may act at %s (--open); "
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
                        uint32_t records, uint32_t members, char error[CONFIG_ERROR_MAX])
{
    uint32_t count;
    char quoted[INPUT_QUOTE_MAX];
    const char *name = fault_forms(&count)[fault->kind].name;
    const char *source = input_quote(config->scenario, quoted);
    if (who_highest(fault->who) >= (int64_t)records)
        return input_fail(error,
                          "%s:%" PRIu32 ": %s: there is no validator %" PRId64 " among %" PRIu32
                          "; they are numbered from 0",
                          source, fault->line, name, who_highest(fault->who), records);
    if (fault->kind == FAULT_MIN_VALIDATORS && fault->count > (int64_t)members)
        return input_fail(error,
                          "%s:%" PRIu32 ": %s: %" PRId64 " is above the %" PRIu32 " validators of "
                          "the network, so nobody could ever go; lower it",
                          source, fault->line, name, fault->count, members);
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
    const char *files[] = {config->json, config->trace, config->html, config->shrink};
    static const char *const names[] = {"json", "trace", "html", "shrink"};
    char quoted[INPUT_QUOTE_MAX];
    for (size_t i = 0; i < FILE_COUNT; i++)
        for (size_t j = i + 1; j < FILE_COUNT; j++)
            if (files[i][0] && strcmp(files[i], files[j]) == 0)
                return input_fail(error, "--%s and --%s would both write '%s'; name two files",
                                  names[i], names[j], input_quote(files[i], quoted));
    if (config->trace[0] && config->seed_first != config->seed_last)
        return input_fail(error,
                          "--trace: a trace holds one run, but --seeds asks for %" PRIu64
                          "; use --seed for one of them, or --digest",
                          config->seed_last - config->seed_first + 1);
    return true;
}

static bool seeds_check(const struct sim_config *config, char error[CONFIG_ERROR_MAX])
{
    uint64_t left = config->seed_last - config->seed_first;
    if (config->shards && !config->many_seeds)
        return input_fail(error,
                          "--shard: it takes a part of --seeds, which is missing; give both, "
                          "for example '--seeds 1..1000 --shard 1/8'");
    if (config->mpi && !config->many_seeds)
        return input_fail(error, "--mpi: it spreads --seeds over processes, and they are missing; "
                                 "give both, for example '--seeds 1..1000 --mpi'");
    if (config->shards && config->shard - 1 > left)
        return input_fail(error,
                          "--shard: %" PRIu32 "/%" PRIu32 " of %" PRIu64 " seeds is empty; give "
                          "at most as many shards as seeds",
                          config->shard, config->shards, left + 1);
    return true;
}

bool config_check_network(const struct sim_config *config, uint32_t records, uint32_t members,
                          char error[CONFIG_ERROR_MAX])
{
    if (!sizes_check(config, members, error))
        return false;
    for (uint32_t i = 0; i < config->fault_count; i++)
        if (!fault_check(config, &config->faults[i], records, members, error))
            return false;
    return true;
}

bool config_check(const struct sim_config *config, char error[CONFIG_ERROR_MAX])
{
    if (!charter_bounds_check(config, error) || !times_check(config, error) ||
        !outputs_check(config, error) || !seeds_check(config, error))
        return false;
    return config->genesis[0] ||
           config_check_network(config, config->validators, config->validators, error);
}
