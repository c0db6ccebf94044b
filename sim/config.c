#include "sim/config.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config_values.h"
#include "proto/input.h"

#define AT(field) offsetof(struct sim_config, field)
#define SIZE(field) sizeof(((struct sim_config *)0)->field)
#define DAY_MS 86400000
#define AMOUNT_MAX 1000000 /* of validators or power in one vote or cap */

static_assert(CONFIG_ERROR_MAX == INPUT_ERROR_MAX, "both are one error line");
static_assert(sizeof(enum strategy) == sizeof(uint32_t), "words are stored as 32 bits");
static_assert(sizeof(enum chain_kind) == sizeof(uint32_t), "words are stored as 32 bits");
static_assert(sizeof(enum draw_order) == sizeof(uint32_t), "words are stored as 32 bits");

enum kind {
    KIND_U32,
    KIND_U64,
    KIND_I64,
    KIND_DURATION,
    KIND_FRACTION,
    KIND_WORD, /* the index of one of `words` */
    KIND_TEXT,
    KIND_FLAG,
    KIND_OTHER, /* `set` reads it, `expected` says what it reads */
};

struct entry {
    struct config_key key;
    enum kind kind;
    size_t offset;
    uint64_t low, high; /* inclusive; of a text the size of its array is `high` */
    struct {
        const char *word;
        int64_t value;
    } special[2];             /* words that stand for a value outside the range */
    const char *const *words; /* NULL-terminated */
    bool (*set)(struct sim_config *config, const char *value, char error[CONFIG_ERROR_MAX]);
    const char *expected;
};

static const char *const chain_words[] = {"kira", "dcl", NULL};
static const char *const order_words[] = {"long-first", "plain", NULL};
static const char *const strategy_words[] = {
    "draw", "all-at-once", "random-delay", "one-lock", "central", "omniscient", NULL};

/* clang-format off */
static const struct entry table[] = {
    {.key = {"genesis", "FILE", "genesis.json", SECTION_WORLD, PAIR_NETWORK, false,
             "replay this network: an exported KIRA genesis or a plain CometBFT one; "
             "the word synthetic stands for 400 records, 263 of them active"},
     .kind = KIND_TEXT, .offset = AT(genesis), .high = SIZE(genesis)},
    {.key = {"validators", "N", "100", SECTION_WORLD, PAIR_NETWORK, false,
             "else a synthetic network of N active members (default 100)"},
     .kind = KIND_U32, .offset = AT(validators), .low = 1, .high = VIEW_VALIDATORS_MAX},
    {.key = {"chain", "kira|dcl", "kira", SECTION_WORLD, PAIR_NONE, false,
             "rules of a synthetic or plain network (default kira)"},
     .kind = KIND_WORD, .offset = AT(chain), .words = chain_words},
    {.key = {"min-validators", "M", "67", SECTION_WORLD, PAIR_NONE, false,
             "the chain's min_validators (default: as the genesis has it, else 2/3 + 1)"},
     .kind = KIND_U64, .offset = AT(min_validators), .low = 1, .high = AMOUNT_MAX,
     .special = {{"default", 0}}},
    {.key = {"floor-fraction", "2/3", "2/3", SECTION_WORLD, PAIR_NONE, false,
             "phi of the charter: the floor is at least this part of the network "
             "(default 2/3)"},
     .kind = KIND_OTHER, .set = config_set_floor_fraction,
     .expected = "a fraction of at least 2/3 and below 1, written 2/3, 0.7 or 70%, of parts up to "
                 "1000000"},
    {.key = {"block-time", "6s", "6s", SECTION_WORLD, PAIR_NONE, false,
             "time between blocks (default 6s)"},
     .kind = KIND_DURATION, .offset = AT(block_time_ms), .low = 100, .high = 600000},
    {.key = {"empty-blocks", "600s|always", "600s", SECTION_WORLD, PAIR_NONE, false,
             "make empty blocks only this often (default always)"},
     .kind = KIND_DURATION, .offset = AT(empty_block_ms), .low = 1000, .high = DAY_MS,
     .special = {{"always", 0}}},
    {.key = {"epoch-blocks", "3", "3", SECTION_WORLD, PAIR_NONE, false,
             "W of the charter: blocks of an epoch (default 3)"},
     .kind = KIND_U32, .offset = AT(epoch_blocks), .low = 2, .high = 114},
    {.key = {"live-blocks", "3", "3", SECTION_WORLD, PAIR_NONE, false,
             "k of the charter: last commits that show a member live (default 3)"},
     .kind = KIND_U32, .offset = AT(live_blocks), .low = 1, .high = 10,
     .special = {{"default", 0}}},
    {.key = {"round-blocks", "1200", "1200", SECTION_WORLD, PAIR_NONE, false,
             "L of the charter: blocks of a round (default 1200)"},
     .kind = KIND_U32, .offset = AT(round_blocks), .low = 40, .high = FOREIGN_BLOCKS - 2,
     .special = {{"default", 0}}},
    {.key = {"joins-max", "8", "8", SECTION_WORLD, PAIR_NONE, false,
             "J of the charter: joins of one validator in a round (default 8)"},
     .kind = KIND_U32, .offset = AT(joins_max), .low = 3, .high = 20, .special = {{"default", 0}}},
    {.key = {"reference-blocks", "7200", "7200", SECTION_WORLD, PAIR_NONE, false,
             "M of the charter: blocks that the reference size looks back (default "
             "7200, or those of 12 hours)"},
     .kind = KIND_U64, .offset = AT(reference_blocks), .low = 80, .high = 1000000,
     .special = {{"default", 0}}},
    {.key = {"reserve", "R", "4", SECTION_WORLD, PAIR_NONE, false,
             "sudden losses to survive in one epoch (default: a 25th of the set)"},
     .kind = KIND_I64, .offset = AT(reserve), .low = 0, .high = AMOUNT_MAX,
     .special = {{"default", RESERVE_DEFAULT}}},
    {.key = {"order", "long-first|plain", "plain", SECTION_WORLD, PAIR_NONE, false,
             "who comes first in the draw (default long-first)"},
     .kind = KIND_WORD, .offset = AT(order), .words = order_words},
    {.key = {"ramp", "A,B", "1,2", SECTION_WORLD, PAIR_NONE, false,
             "canaries: at most A out, and B more for each that is back (default off)"},
     .kind = KIND_OTHER, .set = config_set_ramp,
     .expected = "two whole numbers A,B with A from 1 and B from 0 to 16384, or off"},
    {.key = {"guard", NULL, NULL, SECTION_WORLD, PAIR_NONE, false,
             "KIRA's guard as KIP_54 words it: count active members, not records"},
     .kind = KIND_FLAG, .offset = AT(guard)},

    {.key = {"agents", "N|all", "50", SECTION_PEOPLE, PAIR_AGENTS, false,
             "members that run stagger and want a turn (default all)"},
     .kind = KIND_I64, .offset = AT(agents), .low = 0, .high = VIEW_VALIDATORS_MAX,
     .special = {{"all", -1}}},
    {.key = {"no-agent", "0.1", "0.1", SECTION_PEOPLE, PAIR_AGENTS, false,
             "fraction of the members without an agent (default 0)"},
     .kind = KIND_FRACTION, .offset = AT(no_agent)},
    {.key = {"reboot", "300s|lognormal:300s,0.4|list:300s,200s|list:@FILE",
             "lognormal:300s,0.4", SECTION_PEOPLE, PAIR_NONE, false,
             "how long a reboot takes (default 300s)"},
     .kind = KIND_OTHER, .set = config_set_reboot,
     .expected = "a duration from 1s to 7d, lognormal:MEDIAN,SIGMA with a sigma from 0 to 2, "
                 "list:D,D,... or list:@FILE"},
    {.key = {"forecast", "0.2", "0.2", SECTION_PEOPLE, PAIR_NONE, false,
             "relative error of what an agent expects of its reboot (default 0)"},
     .kind = KIND_FRACTION, .offset = AT(forecast)},
    {.key = {"fail", "0.02", "0.02", SECTION_PEOPLE, PAIR_NONE, false,
             "fraction of the reboots that fail (default 0)"},
     .kind = KIND_FRACTION, .offset = AT(fail)},
    {.key = {"hostile", "0.05", "0.05", SECTION_PEOPLE, PAIR_NONE, false,
             "fraction of the members that are hostile (default 0)"},
     .kind = KIND_FRACTION, .offset = AT(hostile)},
    {.key = {"hostile-kinds", "A,B", "pause,greedy", SECTION_PEOPLE, PAIR_NONE, false,
             "what they do: pause, charter, class, no-show, greedy, gossip, proposer "
             "or all (default all)"},
     .kind = KIND_OTHER, .set = config_set_hostile_kinds,
     .expected = "a list, with commas, of pause, charter, class, no-show, greedy, gossip, "
                 "proposer, or all"},
    {.key = {"other-charter", "0.1", "0.1", SECTION_PEOPLE, PAIR_NONE, false,
             "fraction of the agents that start with another charter (default 0)"},
     .kind = KIND_FRACTION, .offset = AT(other_charter)},
    {.key = {"freeze", "Z|off|default", "2", SECTION_PEOPLE, PAIR_NONE, false,
             "overdue members at which agents stop (default max(2, n/20))"},
     .kind = KIND_I64, .offset = AT(freeze), .low = 1, .high = VIEW_VALIDATORS_MAX,
     .special = {{"off", FREEZE_OFF}, {"default", FREEZE_DEFAULT}}},
    {.key = {"max-offline", "K|off", "10", SECTION_PEOPLE, PAIR_NONE, false,
             "each operator's own cap on members out (default off)"},
     .kind = KIND_I64, .offset = AT(max_offline), .low = 1, .high = AMOUNT_MAX,
     .special = {{"off", 0}}},
    {.key = {"own-floor", "F|off", "80", SECTION_PEOPLE, PAIR_NONE, false,
             "each operator's own stricter floor (default off)"},
     .kind = KIND_I64, .offset = AT(own_floor), .low = 1, .high = AMOUNT_MAX,
     .special = {{"off", 0}}},

    {.key = {"loss", "0.1", "0.1", SECTION_NETWORK, PAIR_NONE, false,
             "fraction of the gossip that is lost; 1: gossip is dead (default 0)"},
     .kind = KIND_FRACTION, .offset = AT(loss)},
    {.key = {"latency", "80ms", "80ms", SECTION_NETWORK, PAIR_NONE, false,
             "median one way between two hosts (default 80ms)"},
     .kind = KIND_DURATION, .offset = AT(latency_ms), .low = 0, .high = 60000},
    {.key = {"gossip", "N", "100", SECTION_NETWORK, PAIR_NONE, false,
             "agents whose gossip is carried out, frame by frame (default 8); the others hear "
             "nobody"},
     .kind = KIND_U32, .offset = AT(gossip), .low = 0, .high = GOSSIP_SPEAKERS_MAX},
    {.key = {"faults", "NAME", "mixed", SECTION_NETWORK, PAIR_NONE, false,
             "random faults of a named set, see --list-faults (default none)"},
     .kind = KIND_OTHER, .set = config_set_faults, .expected = "the name of a fault set"},

    {.key = {"scenario", "NAME|FILE", "lossy", SECTION_RUN, PAIR_NONE, true,
             "a shipped scenario, see --list-scenarios, or a file"},
     .kind = KIND_TEXT, .offset = AT(scenario), .high = SIZE(scenario)},
    {.key = {"seed", "S", "7", SECTION_RUN, PAIR_SEED, false,
             "all that is random follows from it (default 1)"},
     .kind = KIND_OTHER, .set = config_set_seed,
     .expected = "a whole number from 0 to 18446744073709551615"},
    {.key = {"seeds", "A..B", "1..50", SECTION_RUN, PAIR_SEED, true,
             "one run for each of these seeds"},
     .kind = KIND_OTHER, .set = config_set_seeds,
     .expected = "a range A..B of at most 10000000 seeds"},
    {.key = {"shard", "I/N", "1/8", SECTION_RUN, PAIR_NONE, true,
             "of these seeds every N-th from the I-th on, 1/N to N/N: one part of a sweep "
             "that --merge puts together"},
     .kind = KIND_OTHER, .set = config_set_shard,
     .expected = "a part I/N with I from 1 to N and N to 10000000"},
    {.key = {"mpi", NULL, NULL, SECTION_RUN, PAIR_NONE, true,
             "spread these seeds over the processes that mpirun starts"},
     .kind = KIND_FLAG, .offset = AT(mpi)},
    {.key = {"jobs", "J", "4", SECTION_RUN, PAIR_NONE, true,
             "runs at the same time (default: as many as there are cores)"},
     .kind = KIND_U32, .offset = AT(jobs), .low = 1, .high = 1024},
    {.key = {"merge", "FILE", "s1.json s2.json", SECTION_RUN, PAIR_NONE, true,
             "instead of a run: put the results of shards together, of this file and all "
             "that are named behind it"},
     .kind = KIND_OTHER, .set = config_set_merge, .expected = "the name of a file of results"},
    {.key = {"strategy", "NAME", "central", SECTION_RUN, PAIR_STRATEGY, false,
             "draw, all-at-once, random-delay, one-lock, central or omniscient (default "
             "draw)"},
     .kind = KIND_WORD, .offset = AT(strategy), .words = strategy_words},
    {.key = {"compare", NULL, NULL, SECTION_RUN, PAIR_STRATEGY, true,
             "run every strategy in the same world"},
     .kind = KIND_FLAG, .offset = AT(compare)},
    {.key = {"open", "TIME", "10m", SECTION_RUN, PAIR_NONE, false,
             "agents may act from here on (default: from the first block)"},
     .kind = KIND_DURATION, .offset = AT(open_ms), .low = 0, .high = 30 * (uint64_t)DAY_MS},
    {.key = {"until", "TIME|done", "2h", SECTION_RUN, PAIR_NONE, false,
             "end of the run (default: when all is done)"},
     .kind = KIND_DURATION, .offset = AT(until_ms), .low = 1000, .high = 30 * (uint64_t)DAY_MS,
     .special = {{"done", 0}}},

    {.key = {"json", "FILE", "results.json", SECTION_OUTPUT, PAIR_NONE, true,
             "write the results, one object a line; - is standard output"},
     .kind = KIND_TEXT, .offset = AT(json), .high = SIZE(json)},
    {.key = {"shrink", "FILE", "small.scn", SECTION_OUTPUT, PAIR_NONE, true,
             "of the first run that fails write a small scenario that fails the same way"},
     .kind = KIND_TEXT, .offset = AT(shrink), .high = SIZE(shrink)},
    {.key = {"trace", "FILE", "trace.jsonl", SECTION_OUTPUT, PAIR_NONE, true,
             "write all that happens, one object a line; - is standard output"},
     .kind = KIND_TEXT, .offset = AT(trace), .high = SIZE(trace)},
    {.key = {"digest", NULL, NULL, SECTION_OUTPUT, PAIR_NONE, true,
             "compute the trace's SHA-256 without writing it"},
     .kind = KIND_FLAG, .offset = AT(digest)},
    {.key = {"html", "FILE", "reboot.html", SECTION_OUTPUT, PAIR_NONE, true,
             "write one page: live count, who was down when, comparison"},
     .kind = KIND_TEXT, .offset = AT(html), .high = SIZE(html)},
    {.key = {"quiet", NULL, NULL, SECTION_OUTPUT, PAIR_NONE, true,
             "no progress bar, no table"},
     .kind = KIND_FLAG, .offset = AT(quiet)},
};
/* clang-format on */

#define TABLE_COUNT (sizeof table / sizeof table[0])

void config_default(struct sim_config *config)
{
    *config = (struct sim_config){
        .chain = CHAIN_KIRA,
        .validators = 100,
        .phi_num = 2,
        .phi_den = 3,
        .block_time_ms = 6000,
        .epoch_blocks = 3,
        .reserve = RESERVE_DEFAULT,
        .order = ORDER_LONG_FIRST,
        .agents = -1,
        .reboot = {.kind = DURATION_CONSTANT, .median_ms = 300000},
        .hostile_kinds = HOSTILE_ALL,
        .freeze = FREEZE_DEFAULT,
        .latency_ms = 80,
        .gossip = GOSSIP_SPEAKERS,
        .strategy = STRATEGY_DRAW,
        .seed_first = 1,
        .seed_last = 1,
    };
}

void config_clear(struct sim_config *config)
{
    free(config->reboot.list_ms);
    free(config->faults);
    free(config->expectations);
    free(config->merge);
    *config = (struct sim_config){0};
}

const char *strategy_name(enum strategy strategy)
{
    assert(strategy < STRATEGY_COUNT);
    return strategy_words[strategy];
}

const struct config_key *config_key(uint32_t i)
{
    return i < TABLE_COUNT ? &table[i].key : NULL;
}

static const struct entry *entry_find(const char *name)
{
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (strcmp(table[i].key.name, name) == 0)
            return &table[i];
    return NULL;
}

const struct config_key *config_key_find(const char *name)
{
    const struct entry *entry = entry_find(name);
    return entry ? &entry->key : NULL;
}

static void expected_words(const struct entry *entry, char *out, size_t room)
{
    size_t used = (size_t)snprintf(out, room, "one of ");
    for (size_t i = 0; entry->words[i]; i++) {
        assert(used < room);
        used += (size_t)snprintf(out + used, room - used, "%s%s", i ? ", " : "", entry->words[i]);
    }
}

static void expected_specials(const struct entry *entry, char *out, size_t room)
{
    for (size_t i = 0; i < 2 && entry->special[i].word; i++) {
        size_t used = strlen(out);
        snprintf(out + used, room - used, ", or %s", entry->special[i].word);
    }
}

void config_expected(const struct config_key *key, char expected[CONFIG_ERROR_MAX])
{
    const struct entry *entry = entry_find(key->name);
    const size_t room = CONFIG_ERROR_MAX;
    char low[INPUT_DURATION_MAX], high[INPUT_DURATION_MAX];
    assert(entry);
    switch (entry->kind) {
    case KIND_U32:
    case KIND_U64:
    case KIND_I64:
        snprintf(expected, room, "a whole number from %" PRIu64 " to %" PRIu64, entry->low,
                 entry->high);
        break;
    case KIND_DURATION:
        input_duration_text((int64_t)entry->low, low);
        input_duration_text((int64_t)entry->high, high);
        snprintf(expected, room, "a duration from %s to %s with its unit (ms, s, m, h, d)", low,
                 high);
        break;
    case KIND_FRACTION:
        snprintf(expected, room, "a fraction from 0 to 1, written 0.1, 10%% or 1/10");
        break;
    case KIND_WORD:
        expected_words(entry, expected, room);
        break;
    case KIND_TEXT:
        snprintf(expected, room, "a name of 1 to %" PRIu64 " characters", entry->high - 1);
        break;
    case KIND_FLAG:
        snprintf(expected, room, "nothing, on or off");
        break;
    case KIND_OTHER:
        snprintf(expected, room, "%s", entry->expected);
        break;
    }
    expected_specials(entry, expected, room);
}

static bool store_number(void *field, const struct entry *entry, uint64_t value)
{
    uint32_t narrow = (uint32_t)value;
    if (entry->kind == KIND_U32)
        memcpy(field, &narrow, sizeof narrow);
    else
        memcpy(field, &value, sizeof value);
    return true;
}

static bool set_number(void *field, const struct entry *entry, const char *value)
{
    uint64_t number;
    int64_t ms;
    for (size_t i = 0; i < 2 && entry->special[i].word; i++)
        if (strcmp(value, entry->special[i].word) == 0)
            return store_number(field, entry, (uint64_t)entry->special[i].value);
    if (entry->kind == KIND_DURATION) {
        if (!input_duration(value, &ms))
            return false;
        number = (uint64_t)ms;
    } else if (!input_whole(value, &number)) {
        return false;
    }
    if (number < entry->low || number > entry->high)
        return false;
    return store_number(field, entry, number);
}

static bool set_fraction(void *field, const char *value)
{
    double fraction;
    if (!input_fraction(value, &fraction))
        return false;
    memcpy(field, &fraction, sizeof fraction);
    return true;
}

static bool set_word(void *field, const struct entry *entry, const char *value)
{
    for (uint32_t i = 0; entry->words[i]; i++) {
        if (strcmp(entry->words[i], value) == 0) {
            memcpy(field, &i, sizeof i);
            return true;
        }
    }
    return false;
}

static bool set_text(char *field, const struct entry *entry, const char *value)
{
    size_t length = strlen(value);
    if (length == 0 || length >= entry->high)
        return false;
    memcpy(field, value, length + 1);
    return true;
}

static bool set_flag(void *field, const char *value)
{
    bool on = strcmp(value, "off") != 0;
    if (on && *value && strcmp(value, "on") != 0)
        return false;
    memcpy(field, &on, sizeof on);
    return true;
}

static bool entry_set(struct sim_config *config, const struct entry *entry, const char *value,
                      char error[CONFIG_ERROR_MAX])
{
    char *field = (char *)config + entry->offset;
    switch (entry->kind) {
    case KIND_U32:
    case KIND_U64:
    case KIND_I64:
    case KIND_DURATION:
        return set_number(field, entry, value);
    case KIND_FRACTION:
        return set_fraction(field, value);
    case KIND_WORD:
        return set_word(field, entry, value);
    case KIND_TEXT:
        return set_text(field, entry, value);
    case KIND_FLAG:
        return set_flag(field, value);
    case KIND_OTHER:
        return entry->set(config, value, error);
    }
    assert(false); /* every kind of key is handled */
    return false;
}

/* " (did you mean 'plain'?)" for a key that takes words. */
static void word_hint(const struct entry *entry, const char *value, char hint[64])
{
    struct input_nearest nearest = {value, NULL, 0};
    hint[0] = '\0';
    for (uint32_t i = 0; entry->words && entry->words[i]; i++)
        input_nearest_offer(&nearest, entry->words[i]);
    for (uint32_t i = 0; i < 2 && entry->special[i].word; i++)
        input_nearest_offer(&nearest, entry->special[i].word);
    if (nearest.best)
        snprintf(hint, 64, "; did you mean '%.32s'?", nearest.best);
}

bool config_set(struct sim_config *config, const char *where, const char *key, const char *value,
                char error[CONFIG_ERROR_MAX])
{
    const struct entry *entry = entry_find(key);
    char quoted[INPUT_QUOTE_MAX], expected[CONFIG_ERROR_MAX], own[CONFIG_ERROR_MAX] = "", hint[64];
    assert(entry); /* callers look the key up first, to say where it stands */
    if (entry_set(config, entry, value, own))
        return true;
    if (own[0])
        return input_fail(error, "%.160s: %.340s", where, own);
    config_expected(&entry->key, expected);
    word_hint(entry, value, hint);
    return input_fail(error, "%.160s: given '%s'%s; expected %s; for example '%s'", where,
                      input_quote(value, quoted), hint, expected,
                      entry->key.example ? entry->key.example : "on");
}

/* --- and back --- */

static uint64_t number_of(const struct sim_config *config, const struct entry *entry)
{
    const char *field = (const char *)config + entry->offset;
    uint32_t narrow;
    uint64_t wide;
    memcpy(&narrow, field, sizeof narrow);
    if (entry->kind == KIND_U32 || entry->kind == KIND_WORD)
        return narrow;
    memcpy(&wide, field, sizeof wide);
    return wide;
}

static void number_text(const struct entry *entry, uint64_t value, char text[CONFIG_TEXT_MAX])
{
    char duration[INPUT_DURATION_MAX];
    for (size_t i = 0; i < 2 && entry->special[i].word; i++) {
        if (value == (uint64_t)entry->special[i].value) {
            snprintf(text, CONFIG_TEXT_MAX, "%s", entry->special[i].word);
            return;
        }
    }
    if (entry->kind != KIND_DURATION) {
        snprintf(text, CONFIG_TEXT_MAX, "%" PRIu64, value);
        return;
    }
    input_duration_text((int64_t)value, duration);
    snprintf(text, CONFIG_TEXT_MAX, "%s", duration);
}

static bool entry_text(const struct sim_config *config, const struct entry *entry,
                       char text[CONFIG_TEXT_MAX])
{
    const char *field = (const char *)config + entry->offset;
    double fraction;
    bool flag;
    switch (entry->kind) {
    case KIND_U32:
    case KIND_U64:
    case KIND_I64:
    case KIND_DURATION:
        number_text(entry, number_of(config, entry), text);
        return true;
    case KIND_FRACTION:
        memcpy(&fraction, field, sizeof fraction);
        config_fraction_text(fraction, text);
        return true;
    case KIND_WORD:
        snprintf(text, CONFIG_TEXT_MAX, "%s", entry->words[number_of(config, entry)]);
        return true;
    case KIND_TEXT:
        snprintf(text, CONFIG_TEXT_MAX, "%s", field);
        return true;
    case KIND_FLAG:
        memcpy(&flag, field, sizeof flag);
        snprintf(text, CONFIG_TEXT_MAX, "%s", flag ? "on" : "off");
        return true;
    case KIND_OTHER:
        return config_value_text(config, entry->key.name, text);
    }
    assert(false); /* every kind of key is handled */
    return false;
}

/* Of two keys that exclude each other the one that was not given says nothing. */
static bool is_spoken_for(const struct sim_config *config, const char *key)
{
    return (config->genesis[0] && strcmp(key, "validators") == 0) ||
           (config->agents >= 0 && strcmp(key, "no-agent") == 0);
}

bool config_text(const struct sim_config *config, const struct config_key *key,
                 char text[CONFIG_TEXT_MAX])
{
    const struct entry *entry = entry_find(key->name);
    char by_default[CONFIG_TEXT_MAX];
    struct sim_config unset;
    assert(entry && !key->command_line);
    text[0] = '\0';
    if (is_spoken_for(config, key->name))
        return true;
    config_default(&unset);
    if (!entry_text(config, entry, text) || !entry_text(&unset, entry, by_default))
        return false;
    if (strcmp(text, by_default) == 0)
        text[0] = '\0';
    return true;
}
