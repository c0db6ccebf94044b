#include "node/journal_replay.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "node/journal_internal.h"

#define MINUTES_OF_DAY (24 * 60)

struct replay {
    const struct journal_disk *disk;
    const char *name;
    const struct replay_listener *listener;
    struct replay_result *result;
    struct digest *digest;
    struct past past;
    struct coord_policy policy;
    struct coord core;
    bool known;   /* the core is as it was in the agent */
    bool started; /* it has been given EVENT_START */
    bool either;  /* or not: the run began in an earlier file, and no step has followed yet */
};

static struct replay_place place_of(const struct journal_record *record)
{
    return (struct replay_place){record->number, record->offset};
}

static bool end_with(struct replay *r, enum replay_verdict verdict,
                     const struct journal_record *record, const char *what)
{
    r->result->verdict = verdict;
    return fault_set(&r->result->fault, "record %" PRIu64 " at byte %" PRIu64 ": %s",
                     record->number, record->offset, what);
}

static bool impossible(struct replay *r, const struct journal_record *record)
{
    return end_with(r, REPLAY_DAMAGED, record, "it says what cannot be");
}

/* --- record by record --- */

static bool take_open(struct replay *r, const struct journal_record *record)
{
    struct journal_opening opening;
    if (!journal_read_opening(record, &opening))
        return impossible(r, record);
    r->known = false;
    r->started = r->either = opening.rotated;
    r->result->runs++;
    const struct replay_opening told = {place_of(record), opening.now, opening.rotated,
                                        opening.kind};
    if (r->listener->opened)
        r->listener->opened(r->listener->owner, &told);
    return true;
}

static bool same_core(const struct coord *a, const struct coord *b)
{
    struct code one = {0}, other = {0};
    struct coord copy_a = *a, copy_b = *b;
    code_core(&one, &copy_a);
    code_core(&other, &copy_b);
    bool same =
        !one.bad && !other.bad && one.at == other.at && memcmp(one.into, other.into, one.at) == 0;
    code_end(&one);
    code_end(&other);
    return same;
}

static bool is_duration(int64_t ms)
{
    return ms >= 0 && ms < INT64_C(1) << 50;
}

/* What the settings let an operator give. */
static bool policy_is_possible(const struct coord_policy *p)
{
    return p->own_floor >= 0 && p->max_offline >= 0 && p->freeze >= COORD_FREEZE_OFF &&
           is_duration(p->window_margin_ms) && is_duration(p->retry_ms) &&
           is_duration(p->still_ms) && p->hours_from_min >= 0 &&
           p->hours_from_min <= MINUTES_OF_DAY && p->hours_to_min >= 0 &&
           p->hours_to_min <= MINUTES_OF_DAY;
}

static bool take_core(struct replay *r, const struct journal_record *record)
{
    struct code code = code_read(record->bytes, record->size);
    struct coord_policy policy = {0};
    struct coord core = {0};
    code_policy(&code, &policy);
    code_core(&code, &core);
    core.policy = &r->policy;
    if (!code_finished(&code) || !coord_memory_valid(&core.memory) || !policy_is_possible(&policy))
        return impossible(r, record);
    if (r->known && r->started && !same_core(&r->core, &core))
        return end_with(r, REPLAY_DIFFERS, record,
                        "the core stands otherwise than the steps before it leave it");
    r->policy = policy;
    r->core = core;
    r->known = true;
    return true;
}

/* What coord_step() demands of whoever calls it. */
static bool step_is_possible(const struct replay *r, const struct coord_event *event)
{
    bool start = event->kind == EVENT_START;
    bool memory = start && event->start.journal == JOURNAL_KEPT;
    return r->known && (r->either || r->started != start) && r->past.begun &&
           r->core.self < view_count(r->past.view) && r->core.head.n <= r->past.head.n &&
           (!memory || coord_memory_valid(&event->start.memory));
}

static void tell_difference(struct replay *r, const struct journal_record *record,
                            const struct coord_effects *effects, uint64_t count)
{
    char what[120];
    if (effects->count != count)
        snprintf(what, sizeof what,
                 "the step had %" PRIu64 " effects in the agent, and has %" PRIu32 " here", count,
                 effects->count);
    else
        snprintf(what, sizeof what,
                 "the step had other effects in the agent than the %" PRIu32 " that it has here",
                 effects->count);
    (void)end_with(r, REPLAY_DIFFERS, record, what);
}

static bool take_event(struct replay *r, const struct journal_record *record)
{
    struct code code = code_read(record->bytes, record->size);
    struct coord_event event = {.view = r->past.view};
    struct coord_effects effects;
    code_event(&code, &event);
    uint64_t count = code_number(&code, 0), digest = code_number(&code, 0);
    if (!code_finished(&code) || !step_is_possible(r, &event))
        return impossible(r, record);
    struct replay_step step = {.place = place_of(record), .event = &event, .core = &r->core};
    step.before = coord_memory(&r->core)->state;
    step.effects = &effects;
    coord_step(&r->core, &event, &effects);
    r->started = true;
    r->either = false;
    r->result->steps++;
    step.same = effects.count == count && code_digest(r->digest, &effects, &r->core) == digest;
    if (r->listener->stepped)
        r->listener->stepped(r->listener->owner, &step);
    if (!step.same)
        tell_difference(r, record, &effects, count);
    return step.same;
}

static bool take_note(struct replay *r, const struct journal_record *record)
{
    struct journal_note_read note;
    if (!journal_read_note(record, &note))
        return impossible(r, record);
    const struct replay_note told = {place_of(record), note.now, note.kind, note.text};
    if (r->listener->noted && note.now.ms != 0) /* 0: said before, kept over a restart */
        r->listener->noted(r->listener->owner, &told);
    return true;
}

static bool take_sent(struct replay *r, const struct journal_record *record)
{
    struct chain_sent sent;
    struct replay_sent told = {.place = place_of(record)};
    if (!journal_read_sent(record, &told.tx, &sent))
        return impossible(r, record);
    told.sent = record->size > 0 ? &sent : NULL;
    if (r->listener->sent)
        r->listener->sent(r->listener->owner, &told);
    return true;
}

/* The core sees the same blocks under another charter from here on. */
static bool take_config(struct replay *r, const struct journal_record *record)
{
    struct view_config config;
    if (!past_take(&r->past, record, &r->result->fault) || !journal_read_config(record, &config))
        return impossible(r, record);
    if (!r->past.begun)
        return true;
    if (past_turn(&r->past, r->disk, r->name, record->offset, &config, &r->result->fault))
        return true;
    r->result->verdict = REPLAY_DAMAGED;
    return false;
}

static bool take_past(struct replay *r, const struct journal_record *record)
{
    r->result->blocks += record->type == RECORD_BLOCK;
    if (past_take(&r->past, record, &r->result->fault))
        return true;
    r->result->verdict = REPLAY_DAMAGED;
    return false;
}

static bool take_gap(struct replay *r, const struct journal_record *record)
{
    const struct replay_place place = place_of(record);
    r->known = false;
    if (r->listener->gap)
        r->listener->gap(r->listener->owner, &place);
    return true;
}

static bool take(struct replay *r, const struct journal_record *record)
{
    r->result->records++;
    switch (record->type) {
    case RECORD_OPEN:
        return take_open(r, record);
    case RECORD_CORE:
        return take_core(r, record);
    case RECORD_EVENT:
        return take_event(r, record);
    case RECORD_NOTE:
        return take_note(r, record);
    case RECORD_SENT:
        return take_sent(r, record);
    case RECORD_CONFIG:
        return take_config(r, record);
    case RECORD_GAP:
        return take_gap(r, record);
    default:
        return take_past(r, record);
    }
}

static void end_of_file(struct replay *r, enum reader_step step,
                        const struct journal_reader *reader)
{
    if (step == READER_END)
        return;
    if (step == READER_TORN) {
        r->result->torn = reader->size - reader->at;
        return;
    }
    r->result->verdict = step == READER_DAMAGED ? REPLAY_DAMAGED : REPLAY_UNREADABLE;
    r->result->fault = reader->fault;
}

static enum reader_step check_version(struct journal_reader *reader)
{
    if (reader->version == JOURNAL_VERSION)
        return READER_RECORD;
    fault_set(&reader->fault, "has format %" PRIu32 ", and this program knows format %d",
              reader->version, JOURNAL_VERSION);
    return READER_UNREADABLE;
}

void journal_replay(const struct journal_disk *disk, const char *name,
                    const struct replay_listener *listener, struct replay_result *result)
{
    struct replay r = {.disk = disk, .name = name, .listener = listener, .result = result};
    struct journal_reader reader;
    struct journal_record record;
    *result = (struct replay_result){.verdict = REPLAY_SAME};
    r.digest = digest_create();
    enum reader_step step = reader_open(&reader, disk, name);
    if (step == READER_RECORD)
        step = check_version(&reader);
    memcpy(result->owner, reader.owner, sizeof result->owner);
    if (!r.digest) {
        fault_set(&reader.fault, "memory is short");
        step = READER_UNREADABLE;
    }
    bool going = true;
    while (step == READER_RECORD && going &&
           (step = reader_next(&reader, &record)) == READER_RECORD)
        going = take(&r, &record);
    if (going)
        end_of_file(&r, step, &reader);
    reader_close(&reader);
    digest_destroy(&r.digest);
    past_end(&r.past);
}
