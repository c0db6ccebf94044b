#include "sim/scenario_fault.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "proto/input.h"

#define SECOND_MS 1000
#define DAY_MS 86400000
#define AT_MAX_MS (30 * (int64_t)DAY_MS)
#define FOR_MAX_MS (7 * (int64_t)DAY_MS)
#define SLOW_MAX_MS (10 * 60 * SECOND_MS)
#define LAG_BLOCKS_MAX 40 /* a view keeps VIEW_BLOCKS_KEPT */
#define VOTE_MAX 1000000
#define RESTART_MS (5 * SECOND_MS)

enum part { /* bits: what a fault is made of */
            PART_WHO = 1,
            PART_COUNT = 2,
            PART_FRACTION = 4,
            PART_FOR = 8,
            PART_BY = 16,
            PART_BLOCKS = 32,
            PART_SKEW = 64,
            PART_IN = 128,
            PART_VOTES = 256,
            PART_FROM = 512,   /* of "every" */
            PART_UNTIL = 1024, /* of "every" */
};

#define PART_PLACE                                                                                 \
    (PART_WHO | PART_COUNT | PART_FRACTION) /* known by its place, without a word before it */

/* As fault_forms() shows them. */
static const struct fault_form forms[] = {
    [FAULT_CRASH_AGENT] = {"crash-agent", "WHO [for DURATION]",
                           "every 30s crash-agent out for 5s until 20m",
                           "agents die and start again, by default 5 s later"},
    [FAULT_CRASH_HOST] = {"crash-host", "WHO for DURATION", "at 10m crash-host 3 for 2m",
                          "host and agent go down by accident and come back"},
    [FAULT_LOSE_HOST] = {"lose-host", "WHO", "at 10m lose-host 3",
                         "host and agent are lost for good"},
    [FAULT_LOSE_JOURNAL] =
        {"lose-journal", "WHO [for DURATION]", "at 5m lose-journal 10% for 10s",
         "agents die and start again without their journal, by default 5 s later"},
    [FAULT_DAMAGE_JOURNAL] =
        {"damage-journal", "WHO [for DURATION]", "at 5m damage-journal 3 for 10s",
         "agents die and start again with a damaged journal, by default 5 s later"},
    [FAULT_PARTITION] = {"partition", "WHO for DURATION", "at 120s partition 10% for 60s",
                         "these against the rest, both ways"},
    [FAULT_DEAF] = {"deaf", "WHO for DURATION", "at 2m deaf 5% for 1m",
                    "these hear nobody, but are heard"},
    [FAULT_MUTE] = {"mute", "WHO for DURATION", "at 2m mute 5% for 1m",
                    "these are heard by nobody, but hear"},
    [FAULT_SLOW] = {"slow", "WHO by DURATION for DURATION", "at 3m slow 20% by 2s for 5m",
                    "links of these take longer"},
    [FAULT_CATCH_UP] = {"catch-up", "WHO by DURATION for DURATION",
                        "at 0s catch-up 20% by 2m for 1h",
                        "the nodes of these take longer to get in step after a start"},
    [FAULT_PRUNED] = {"pruned", "WHO", "at 5m pruned 10%",
                      "the agents of these know no block and no set from before now"},
    [FAULT_LAG] = {"lag", "WHO by N blocks for DURATION", "at 2m lag 5% by 4 blocks for 3m",
                   "the RPC of these shows blocks late, by 1 to 40 blocks"},
    [FAULT_SKEW] = {"skew", "WHO by DURATION", "at 0s skew 10% by -90s",
                    "the clocks of these are wrong from now on; behind, with a minus sign"},
    [FAULT_LOSS] = {"loss", "FRACTION [for DURATION]", "at 0s loss 0.5 for 5m",
                    "gossip loses this part of its frames, by default to the end"},
    [FAULT_OPERATOR_PAUSE] = {"operator-pause", "WHO for DURATION",
                              "at 3m operator-pause 3 for 10m",
                              "operators pause by hand, and unpause later"},
    [FAULT_MAINTENANCE] = {"maintenance", "WHO for DURATION", "at 5m maintenance 3,7 for 10m",
                           "operators ask their agents for maintenance of this length"},
    [FAULT_HOLD] = {"hold", "WHO for DURATION", "at 1m hold 10% for 15m",
                    "operators hold their agents back"},
    [FAULT_UNFREEZE] = {"unfreeze", "[WHO]", "at 40m unfreeze all",
                        "operators end a freeze, by default all of them"},
    [FAULT_MIN_VALIDATORS] = {"min-validators", "N", "at 10m min-validators 80",
                              "KIRA: a vote sets min_validators"},
    [FAULT_UPGRADE] =
        {"upgrade", "in DURATION [votes FRACTION]", "at 5m upgrade in 40m votes 0.9",
         "KIRA: a soft upgrade is scheduled; this part of the voters say YES (default 1)"},
    [FAULT_VOTE] = {"vote", "WHO", "at 20m vote 3,5", "KIRA: these vote YES on it"},
    [FAULT_BAD_IMAGE] = {"bad-image", "FRACTION", "at 1m bad-image 0.5",
                         "from now on this part of the reboots never come back by themselves"},
    [FAULT_TRUSTEES] = {"trustees", "WHO", "at 5m trustees 3", "DCL: the trustees disable these"},
    [FAULT_FATAL_PAIR] =
        {"fatal-pair", "WHO", "at 10m fatal-pair 3",
         "KIRA: whoever is paused unpauses and pauses in one block; the chain dies"},
    [FAULT_AGREE] = {"agree", "", "at 20m agree", "all agents adopt the common charter"},
};

static const struct parts {
    uint32_t needs, may;
    int64_t for_ms; /* when not given */
} parts[] = {
    [FAULT_CRASH_AGENT] = {PART_WHO, PART_FOR, RESTART_MS},
    [FAULT_CRASH_HOST] = {PART_WHO | PART_FOR, 0, 0},
    [FAULT_LOSE_HOST] = {PART_WHO, 0, 0},
    [FAULT_LOSE_JOURNAL] = {PART_WHO, PART_FOR, RESTART_MS},
    [FAULT_DAMAGE_JOURNAL] = {PART_WHO, PART_FOR, RESTART_MS},
    [FAULT_PARTITION] = {PART_WHO | PART_FOR, 0, 0},
    [FAULT_DEAF] = {PART_WHO | PART_FOR, 0, 0},
    [FAULT_MUTE] = {PART_WHO | PART_FOR, 0, 0},
    [FAULT_SLOW] = {PART_WHO | PART_BY | PART_FOR, 0, 0},
    [FAULT_CATCH_UP] = {PART_WHO | PART_BY | PART_FOR, 0, 0},
    [FAULT_PRUNED] = {PART_WHO, 0, 0},
    [FAULT_LAG] = {PART_WHO | PART_BLOCKS | PART_FOR, 0, 0},
    [FAULT_SKEW] = {PART_WHO | PART_SKEW, 0, 0},
    [FAULT_LOSS] = {PART_FRACTION, PART_FOR, 0},
    [FAULT_OPERATOR_PAUSE] = {PART_WHO | PART_FOR, 0, 0},
    [FAULT_MAINTENANCE] = {PART_WHO | PART_FOR, 0, 0},
    [FAULT_HOLD] = {PART_WHO | PART_FOR, 0, 0},
    [FAULT_UNFREEZE] = {0, PART_WHO, 0},
    [FAULT_MIN_VALIDATORS] = {PART_COUNT, 0, 0},
    [FAULT_UPGRADE] = {PART_IN, PART_VOTES, 0},
    [FAULT_VOTE] = {PART_WHO, 0, 0},
    [FAULT_BAD_IMAGE] = {PART_FRACTION, 0, 0},
    [FAULT_TRUSTEES] = {PART_WHO, 0, 0},
    [FAULT_FATAL_PAIR] = {PART_WHO, 0, 0},
    [FAULT_AGREE] = {0, 0, 0},
};

static_assert(sizeof forms / sizeof forms[0] == FAULT_KIND_COUNT, "every fault has a form");
static_assert(sizeof parts / sizeof parts[0] == FAULT_KIND_COUNT, "every fault has its parts");

struct reader {
    struct scenario_fault *out;
    const struct scenario_words *words;
    uint32_t next;
    uint32_t needs, may, seen;
    const char *where;
    char *error;
};

const struct fault_form *fault_forms(uint32_t *count)
{
    *count = FAULT_KIND_COUNT;
    return forms;
}

static const char *word_next(struct reader *r)
{
    return r->next < r->words->count ? r->words->at[r->next++] : NULL;
}

/* "file.scn:12: partition: 'for' is missing; expected 'at TIME partition WHO for DURATION'; ..." */
static bool refuse(const struct reader *r, const char *what, const char *given)
{
    const struct fault_form *form = &forms[r->out->fault.kind];
    char quoted[INPUT_QUOTE_MAX];
    return input_fail(r->error, "%.120s: %s: %s%s%s; expected '%s TIME %s%s%s%s'; for example '%s'",
                      r->where, form->name, what, given ? " " : "",
                      given ? input_quote(given, quoted) : "", r->words->at[0], form->name,
                      *form->form ? " " : "", form->form,
                      r->out->every_ms ? " [from TIME] until TIME" : "", form->example);
}

static bool time_read(const char *text, int64_t least_ms, int64_t most_ms, int64_t *ms)
{
    return input_duration(text, ms) && *ms >= least_ms && *ms <= most_ms;
}

static bool who_number(const char *text, size_t length)
{
    char digits[8];
    uint64_t number;
    if (length >= sizeof digits)
        return false;
    memcpy(digits, text, length);
    digits[length] = '\0';
    return input_whole(digits, &number) && number < VIEW_VALIDATORS_MAX;
}

static bool who_percent(const char *text, size_t length)
{
    return length >= 2 && length <= 4 && text[length - 1] == '%' && text[0] != '0' &&
           strspn(text, "0123456789") == length - 1 && (length < 4 || strcmp(text, "100%") == 0);
}

/* Whether it is one of the forms of struct fault's `who`. */
static bool who_is_good(const char *who)
{
    uint32_t count = 0;
    if (strcmp(who, "all") == 0 || strcmp(who, "out") == 0 || strcmp(who, "half") == 0)
        return true;
    if (strlen(who) >= sizeof((struct fault *)0)->who)
        return false;
    if (who_percent(who, strlen(who)))
        return true;
    for (;;) {
        size_t length = strcspn(who, ",");
        if (!who_number(who, length) || ++count > FAULT_WHO_MAX)
            return false;
        if (!who[length])
            return true;
        who += length + 1;
    }
}

/* The part of a fault that stands behind its name: who, how many or which part. */
static bool place_read(struct reader *r)
{
    struct fault *fault = &r->out->fault;
    uint32_t part = (r->needs | r->may) & PART_PLACE;
    uint64_t count;
    if (r->next == r->words->count || !part)
        return true;
    const char *word = r->words->at[r->next];
    if ((r->may & part) && (strcmp(word, "from") == 0 || strcmp(word, "until") == 0))
        return true;
    r->next++;
    r->seen |= part;
    if (part == PART_WHO) {
        if (!who_is_good(word))
            return refuse(
                r, "WHO is 3, up to 16 numbers such as 3,5,7, or 10%, half, out, all, not", word);
        memcpy(fault->who, word, strlen(word) + 1);
        return true;
    }
    if (part == PART_FRACTION)
        return input_fraction(word, &fault->fraction) || refuse(r, "FRACTION is 0 to 1, not", word);
    if (!input_whole(word, &count) || count < 1 || count > VOTE_MAX)
        return refuse(r, "N is a whole number from 1 to 1000000, not", word);
    fault->count = (int64_t)count;
    return true;
}

static bool blocks_read(struct reader *r, const char *word)
{
    uint64_t count;
    if (!input_whole(word, &count) || count < 1 || count > LAG_BLOCKS_MAX)
        return refuse(r, "N is 1 to 40 blocks, not", word);
    r->out->fault.count = (int64_t)count;
    const char *unit = word_next(r);
    if (!unit || (strcmp(unit, "blocks") != 0 && strcmp(unit, "block") != 0))
        return refuse(r, "the word 'blocks' is missing", NULL);
    return true;
}

static bool skew_read(struct reader *r, const char *word)
{
    int64_t *by_ms = &r->out->fault.by_ms;
    bool behind = *word == '-';
    if (!time_read(word + behind, 1, DAY_MS, by_ms))
        return refuse(r, "'by' is 1ms to 1d, or -1ms to -1d, not", word);
    if (behind)
        *by_ms = -*by_ms;
    return true;
}

static bool part_read(struct reader *r, enum part part, const char *word)
{
    struct fault *fault = &r->out->fault;
    switch ((uint32_t)part) {
    case PART_FOR:
        return time_read(word, 1, FOR_MAX_MS, &fault->for_ms) ||
               refuse(r, "'for' is 1ms to 7d, not", word);
    case PART_IN:
        return time_read(word, SECOND_MS, AT_MAX_MS, &fault->for_ms) ||
               refuse(r, "'in' is 1s to 30d, not", word);
    case PART_BY:
        return time_read(word, 1, SLOW_MAX_MS, &fault->by_ms) ||
               refuse(r, "'by' is 1ms to 10m, not", word);
    case PART_VOTES:
        return input_fraction(word, &fault->fraction) || refuse(r, "'votes' is 0 to 1, not", word);
    case PART_FROM:
        return time_read(word, 0, AT_MAX_MS, &fault->at_ms) ||
               refuse(r, "'from' is 0s to 30d, not", word);
    case PART_UNTIL:
        return time_read(word, 0, AT_MAX_MS, &r->out->until_ms) ||
               refuse(r, "'until' is 0s to 30d, not", word);
    case PART_BLOCKS:
        return blocks_read(r, word);
    case PART_SKEW:
        return skew_read(r, word);
    default:
        break;
    }
    assert(false); /* every part with a word before it is handled */
    return false;
}

static const struct clause {
    enum part part;
    const char *word;
} clauses[] = {
    {PART_FOR, "for"}, {PART_BY, "by"},       {PART_BLOCKS, "by"}, {PART_SKEW, "by"},
    {PART_IN, "in"},   {PART_VOTES, "votes"}, {PART_FROM, "from"}, {PART_UNTIL, "until"},
};

#define CLAUSE_COUNT (sizeof clauses / sizeof clauses[0])

static bool clause_read(struct reader *r, const char *word)
{
    for (size_t i = 0; i < CLAUSE_COUNT; i++) {
        uint32_t part = clauses[i].part;
        if (strcmp(word, clauses[i].word) != 0 || !((r->needs | r->may) & part))
            continue;
        if (r->seen & part)
            return refuse(r, "given twice:", word);
        r->seen |= part;
        const char *value = word_next(r);
        return value ? part_read(r, clauses[i].part, value)
                     : refuse(r, "nothing stands behind", clauses[i].word);
    }
    return refuse(r, "it cannot be followed by", word);
}

static const char *part_missing(uint32_t missing)
{
    if (missing & PART_PLACE)
        return missing & PART_WHO ? "WHO is missing" : "its number is missing";
    for (size_t i = 0; i < CLAUSE_COUNT; i++)
        if (missing & (uint32_t)clauses[i].part)
            return clauses[i].part == PART_FOR     ? "'for DURATION' is missing"
                   : clauses[i].part == PART_UNTIL ? "'until TIME' is missing"
                   : clauses[i].part == PART_IN    ? "'in DURATION' is missing"
                                                   : "'by' and how much is missing";
    return NULL;
}

/* at TIME | every TIME */
static bool time_head_read(struct reader *r)
{
    char quoted[INPUT_QUOTE_MAX];
    struct scenario_fault *out = r->out;
    const char *head = word_next(r);
    const char *time = word_next(r);
    bool repeated = strcmp(head, "every") == 0;
    int64_t ms;
    if (!time || !time_read(time, repeated ? SECOND_MS : 0, AT_MAX_MS, &ms))
        return input_fail(r->error,
                          "%.120s: %s: given '%s'; expected a time from %s to 30d with its unit; "
                          "for example '%s'",
                          r->where, head, input_quote(time ? time : "", quoted),
                          repeated ? "1s" : "0s",
                          forms[repeated ? FAULT_CRASH_AGENT : FAULT_PARTITION].example);
    out->fault.at_ms = ms;
    out->every_ms = repeated ? ms : 0;
    r->needs = repeated ? PART_UNTIL : 0;
    r->may = repeated ? PART_FROM : 0;
    return true;
}

static bool kind_unknown(const struct reader *r, const char *word)
{
    struct input_nearest nearest = {word ? word : "", NULL, 0};
    char quoted[INPUT_QUOTE_MAX], names[320] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < FAULT_KIND_COUNT; i++) {
        input_nearest_offer(&nearest, forms[i].name);
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "",
                                 forms[i].name);
        assert(used < sizeof names);
    }
    return input_fail(r->error,
                      "%.60s: %s: unknown fault '%s'%s%s%s; expected one of %s; see --list-faults",
                      r->where, r->words->at[0], input_quote(nearest.given, quoted),
                      nearest.best ? ", did you mean '" : "", nearest.best ? nearest.best : "",
                      nearest.best ? "'?" : "", names);
}

static bool kind_read(struct reader *r)
{
    struct fault *fault = &r->out->fault;
    const char *word = word_next(r);
    for (uint32_t i = 0; word && i < FAULT_KIND_COUNT; i++) {
        if (strcmp(word, forms[i].name) != 0)
            continue;
        fault->kind = (enum fault_kind)i;
        fault->for_ms = parts[i].for_ms;
        fault->fraction = i == FAULT_UPGRADE ? 1 : 0;
        strcpy(fault->who, i == FAULT_UNFREEZE ? "all" : "");
        r->needs |= parts[i].needs;
        r->may |= parts[i].may;
        return true;
    }
    return kind_unknown(r, word);
}

bool scenario_fault_read(struct scenario_fault *out, const struct scenario_words *words,
                         const char *where, char error[CONFIG_ERROR_MAX])
{
    struct reader r = {.out = out, .words = words, .where = where, .error = error};
    const char *word;
    *out = (struct scenario_fault){0};
    assert(words->count > 0);
    if (!time_head_read(&r) || !kind_read(&r) || !place_read(&r))
        return false;
    while ((word = word_next(&r)) != NULL)
        if (!clause_read(&r, word))
            return false;
    if (r.needs & ~r.seen)
        return refuse(&r, part_missing(r.needs & ~r.seen), NULL);
    if (out->every_ms && out->until_ms < out->fault.at_ms)
        return refuse(&r, "it would never happen, since 'until' is before its first time", NULL);
    return true;
}
