#include "sim/scenario_write.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coord/digest.h"
#include "sim/config_values.h"
#include "proto/input.h"

/* What stands behind the name of a fault, in its order. */
enum tail {
    TAIL_COUNT = 1,
    TAIL_FRACTION = 2,
    TAIL_BY = 4,
    TAIL_BLOCKS = 8,
    TAIL_FOR = 16, /* where it is given */
    TAIL_IN = 32,
};

static uint32_t tail_of(enum fault_kind kind)
{
    switch (kind) {
    case FAULT_MIN_VALIDATORS:
        return TAIL_COUNT;
    case FAULT_BAD_IMAGE:
        return TAIL_FRACTION;
    case FAULT_LOSS:
        return TAIL_FRACTION | TAIL_FOR;
    case FAULT_UPGRADE:
        return TAIL_IN;
    case FAULT_SLOW:
    case FAULT_CATCH_UP:
        return TAIL_BY | TAIL_FOR;
    case FAULT_LAG:
        return TAIL_BLOCKS | TAIL_FOR;
    case FAULT_SKEW:
        return TAIL_BY;
    case FAULT_CRASH_AGENT:
    case FAULT_CRASH_HOST:
    case FAULT_LOSE_JOURNAL:
    case FAULT_DAMAGE_JOURNAL:
    case FAULT_PARTITION:
    case FAULT_DEAF:
    case FAULT_MUTE:
    case FAULT_OPERATOR_PAUSE:
    case FAULT_MAINTENANCE:
    case FAULT_HOLD:
        return TAIL_FOR;
    default:
        return 0;
    }
}

static void put_duration(FILE *out, const char *word, int64_t ms)
{
    char text[INPUT_DURATION_MAX];
    input_duration_text(ms < 0 ? -ms : ms, text);
    fprintf(out, " %s%s%s", word, ms < 0 ? "-" : "", text);
}

static void put_fraction(FILE *out, const char *word, double fraction)
{
    char text[CONFIG_TEXT_MAX];
    config_fraction_text(fraction, text);
    fprintf(out, " %s%s", word, text);
}

void scenario_write_fault(FILE *out, const struct fault *f)
{
    uint32_t count, tail = tail_of(f->kind);
    const struct fault_form *forms = fault_forms(&count);
    assert(f->kind < FAULT_KIND_COUNT);
    fputs("at", out);
    put_duration(out, "", f->at_ms);
    fprintf(out, " %s%s%s", forms[f->kind].name, f->who[0] ? " " : "", f->who);
    if (tail & TAIL_COUNT)
        fprintf(out, " %" PRId64, f->count);
    if (tail & TAIL_FRACTION)
        put_fraction(out, "", f->fraction);
    if (tail & TAIL_IN) {
        put_duration(out, "in ", f->for_ms);
        put_fraction(out, "votes ", f->fraction);
    }
    if (tail & TAIL_BY)
        put_duration(out, "by ", f->by_ms);
    if (tail & TAIL_BLOCKS)
        fprintf(out, " by %" PRId64 " blocks", f->count);
    if ((tail & TAIL_FOR) && f->for_ms)
        put_duration(out, "for ", f->for_ms);
    fputc('\n', out);
}

bool scenario_write_world(FILE *out, const struct sim_config *config, bool with_seed)
{
    char text[CONFIG_TEXT_MAX];
    const struct config_key *key;
    bool whole = true;
    for (uint32_t i = 0; (key = config_key(i)) != NULL; i++) {
        bool seed = strcmp(key->name, "seed") == 0;
        if (key->command_line || (seed && !with_seed))
            continue;
        if (!config_text(config, key, text)) {
            fprintf(out, "# %s: too long for a line; give it on the command line\n", key->name);
            whole = false;
        } else if (text[0] || seed) {
            fprintf(out, "%s %s\n", key->name, text[0] ? text : "1");
        }
    }
    return whole;
}

void scenario_world_name(const struct sim_config *config, char name[WORLD_NAME_MAX])
{
    uint8_t hash[HASH_SIZE];
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct digest *digest = digest_create();
    assert(out && digest);
    scenario_write_world(out, config, false);
    for (uint32_t i = 0; i < config->reboot.list_count; i++)
        fprintf(out, "%" PRId64 "\n", config->reboot.list_ms[i]);
    for (uint32_t i = 0; i < config->fault_count; i++)
        scenario_write_fault(out, &config->faults[i]);
    fclose(out);
    digest_sha256(digest, &(struct digest_piece){text, size}, 1, hash);
    for (size_t i = 0; i + 2 < WORLD_NAME_MAX; i += 2)
        snprintf(name + i, WORLD_NAME_MAX - i, "%02x", hash[i / 2]);
    digest_destroy(&digest);
    free(text);
}
