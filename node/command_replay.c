/* `stagger replay`: what an agent did and why, from its journal. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "node/commands.h"
#include "node/journal_replay.h"
#include "node/options.h"
#include "node/turns.h"
#include "proto/encoding.h"

#define PATH_LENGTH_MAX 4096
#define SENTENCE_MAX 300

enum option { OPTION_JSON, OPTION_ALL };

static const struct option_row own_options[] = {
    [OPTION_JSON] = {"json", NULL, "print one JSON object a line", false},
    [OPTION_ALL] = {"all", NULL, "every step and every sentence, not only what was decided", false},
};

struct wishes {
    bool json, all;
};

static bool take_option(void *owner, uint32_t option, const char *value, struct fault *fault)
{
    struct wishes *wishes = owner;
    (void)value;
    (void)fault;
    wishes->json |= option == OPTION_JSON;
    wishes->all |= option == OPTION_ALL;
    return true;
}

static const struct options_spec spec = {
    .command = "replay",
    .operand = "JOURNAL",
    .about =
        "stagger replay JOURNAL: runs the events of an agent's journal through the core again and\n"
        "tells what it decided, when, and why. JOURNAL is the file, or the directory that holds it; the\n"
        "agent may be running. Status 0: every step gives the same effects as in the agent; 3: one does\n"
        "not, or the journal is damaged (a line says at which record); 1: it cannot be read.",
    .own = own_options,
    .own_count = sizeof own_options / sizeof *own_options,
    .take = take_option,
    .bare = true,
};

/* --- words --- */

static const char *const event_names[EVENT_KIND_COUNT] = {
    "start",   "block",    "included", "refused", "self",  "node",
    "runtime", "operator", "plan",     "peers",   "store", "time",
};
static const char *const effect_names[] = {
    "persist", "send", "runtime", "ask-self", "ask-node", "announce", "say",
};
static const char *const tx_names[] = {"transaction", "join", "pause", "unpause", "activate"};
static const char *const step_names[] = {"nothing", "stop", "reinitialise", "start", "restore"};
static const char *const level_names[] = {"debug", "info", "unusual", "broken"};
static const char *const journal_names[] = {"none", "kept", "damaged"};
static const char *const note_names[] = {"note", "runtime", "reason"};
static const char *const verdict_names[] = {"same", "differs", "damaged", "unreadable"};

/* --- for people --- */

struct telling {
    bool all;
    FILE *out;
};

static void tell_line(const struct telling *t, struct instant now, struct height height,
                      const char *state, const char *text)
{
    char time[TURNS_TIME_MAX];
    fprintf(t->out, "%s  %8" PRIu64 "  %-9s  %s\n", turns_time(now, time), height.n, state, text);
}

static bool is_told(const struct telling *t, const struct coord_effect *effect)
{
    if (t->all || effect->kind == EFFECT_SEND || effect->kind == EFFECT_RUNTIME)
        return true;
    return effect->kind == EFFECT_SAY && effect->say.level > LEVEL_DEBUG;
}

static const char *effect_text(const struct coord_effect *effect, char text[SENTENCE_MAX])
{
    if (effect->kind == EFFECT_SAY)
        return coord_sentence(&effect->say, text, SENTENCE_MAX);
    if (effect->kind == EFFECT_SEND && effect->send.timeout.n)
        snprintf(text, SENTENCE_MAX, "> send: %s, in a block up to %" PRIu64,
                 tx_names[effect->send.tx], effect->send.timeout.n);
    else if (effect->kind == EFFECT_SEND)
        snprintf(text, SENTENCE_MAX, "> send: %s", tx_names[effect->send.tx]);
    else if (effect->kind == EFFECT_RUNTIME)
        snprintf(text, SENTENCE_MAX, "> runtime: %s", step_names[effect->step]);
    else
        snprintf(text, SENTENCE_MAX, "> %s", effect_names[effect->kind]);
    return text;
}

static void tell_step(void *owner, const struct replay_step *step)
{
    const struct telling *t = owner;
    char text[SENTENCE_MAX];
    const char *state = coord_state_name(coord_memory(step->core)->state);
    if (t->all) {
        snprintf(text, sizeof text, "* %s", event_names[step->event->kind]);
        tell_line(t, step->event->now, step->core->head, coord_state_name(step->before), text);
    }
    for (uint32_t i = 0; i < step->effects->count; i++)
        if (is_told(t, &step->effects->list[i]))
            tell_line(t, step->event->now, step->core->head, state,
                      effect_text(&step->effects->list[i], text));
}

static void tell_opening(void *owner, const struct replay_opening *opening)
{
    char time[TURNS_TIME_MAX];
    fprintf(((const struct telling *)owner)->out, "%s  --- %s, journal: %s\n",
            turns_time(opening->now, time),
            opening->rotated ? "the journal was written anew" : "the agent starts",
            journal_names[opening->kind]);
}

static void tell_note(void *owner, const struct replay_note *note)
{
    char time[TURNS_TIME_MAX];
    fprintf(((const struct telling *)owner)->out, "%s  %s: %s\n", turns_time(note->now, time),
            note_names[note->kind], note->text);
}

static void tell_sent(void *owner, const struct replay_sent *sent)
{
    const struct telling *t = owner;
    char hash[HEX_TEXT(HASH_SIZE)];
    if (!sent->sent || !t->all)
        return;
    hex_encode_upper(sent->sent->hash, HASH_SIZE, hash);
    fprintf(t->out, "# kept before it is sent: %s %s\n", tx_names[sent->tx], hash);
}

static void tell_gap(void *owner, const struct replay_place *place)
{
    (void)place;
    fputs("--- the disk was full: what happened up to the next start is not known\n",
          ((const struct telling *)owner)->out);
}

/* --- for programs --- */

static void print_json(FILE *out, json_t *value)
{
    json_dumpf(value, out, JSON_COMPACT | JSON_PRESERVE_ORDER);
    fputc('\n', out);
    json_decref(value);
}

static json_t *begin_json(const char *what, const struct replay_place *place, struct instant now)
{
    char time[TURNS_TIME_MAX];
    return json_pack("{s:s, s:I, s:s, s:I}", "kind", what, "record", (json_int_t)place->record,
                     "time", turns_time(now, time), "time_ms", (json_int_t)now.ms);
}

static json_t *effect_json(const struct coord_effect *effect)
{
    char text[SENTENCE_MAX];
    json_t *value = json_pack("{s:s}", "effect", effect_names[effect->kind]);
    if (effect->kind == EFFECT_SAY) {
        coord_sentence(&effect->say, text, sizeof text);
        json_object_set_new(value, "level", json_string(level_names[effect->say.level]));
        json_object_set_new(value, "reason", json_string(coord_reason_code(effect->say.reason)));
        json_object_set_new(value, "sentence", json_string(text));
    } else if (effect->kind == EFFECT_SEND) {
        json_object_set_new(value, "tx", json_string(tx_names[effect->send.tx]));
        json_object_set_new(value, "timeout_height",
                            json_integer((json_int_t)effect->send.timeout.n));
    } else if (effect->kind == EFFECT_RUNTIME) {
        json_object_set_new(value, "step", json_string(step_names[effect->step]));
    }
    return value;
}

static void json_step(void *owner, const struct replay_step *step)
{
    const struct telling *t = owner;
    if (step->effects->count == 0 && step->same && !t->all)
        return;
    json_t *value = begin_json("step", &step->place, step->event->now);
    json_t *effects = json_array();
    for (uint32_t i = 0; i < step->effects->count; i++)
        json_array_append_new(effects, effect_json(&step->effects->list[i]));
    json_object_set_new(value, "height", json_integer((json_int_t)step->core->head.n));
    json_object_set_new(value, "event", json_string(event_names[step->event->kind]));
    json_object_set_new(value, "before", json_string(coord_state_name(step->before)));
    json_object_set_new(value, "state",
                        json_string(coord_state_name(coord_memory(step->core)->state)));
    json_object_set_new(value, "same", json_boolean(step->same));
    json_object_set_new(value, "effects", effects);
    print_json(t->out, value);
}

static void json_opening(void *owner, const struct replay_opening *opening)
{
    json_t *value =
        begin_json(opening->rotated ? "rotated" : "start", &opening->place, opening->now);
    json_object_set_new(value, "journal", json_string(journal_names[opening->kind]));
    print_json(((const struct telling *)owner)->out, value);
}

static void json_note(void *owner, const struct replay_note *note)
{
    json_t *value = begin_json("note", &note->place, note->now);
    json_object_set_new(value, "about", json_string(note_names[note->kind]));
    json_t *text = json_string(note->text);
    json_object_set_new(value, "text", text ? text : json_string("?"));
    print_json(((const struct telling *)owner)->out, value);
}

static void json_sent(void *owner, const struct replay_sent *sent)
{
    char hash[HEX_TEXT(HASH_SIZE)] = "";
    if (sent->sent)
        hex_encode_upper(sent->sent->hash, HASH_SIZE, hash);
    print_json(((const struct telling *)owner)->out,
               json_pack("{s:s, s:I, s:s, s:s}", "kind", "sent", "record",
                         (json_int_t)sent->place.record, "tx",
                         sent->sent ? tx_names[sent->tx] : "none", "hash", hash));
}

static void json_gap(void *owner, const struct replay_place *place)
{
    print_json(((const struct telling *)owner)->out,
               json_pack("{s:s, s:I}", "kind", "gap", "record", (json_int_t)place->record));
}

static void json_verdict(FILE *out, const struct replay_result *result)
{
    print_json(out,
               json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:s}", "kind", "verdict",
                         "verdict", verdict_names[result->verdict], "owner", result->owner,
                         "records", (json_int_t)result->records, "steps", (json_int_t)result->steps,
                         "runs", (json_int_t)result->runs, "blocks", (json_int_t)result->blocks,
                         "torn_bytes", (json_int_t)result->torn, "text", result->fault.text));
}

/* --- the command --- */

static enum command_status say_verdict(const char *path, const struct replay_result *result,
                                       const struct wishes *wishes)
{
    if (result->verdict != REPLAY_SAME)
        options_say(spec.command, "%s: %s%s", path, result->fault.text,
                    result->verdict == REPLAY_DIFFERS
                        ? "; replay with the program that wrote it, or report this"
                        : "");
    else if (result->torn > 0)
        options_say(spec.command,
                    "note: the last %" PRIu64 " bytes are not complete: a crash, or an agent that "
                    "is writing",
                    result->torn);
    if (wishes->json && result->verdict != REPLAY_UNREADABLE)
        json_verdict(stdout, result);
    else if (result->verdict == REPLAY_SAME)
        printf("%" PRIu64 " steps in %" PRIu64 " runs of \"%s\": the same effects in every one\n",
               result->steps, result->runs, result->owner);
    if (fflush(stdout) != 0 || ferror(stdout) || result->verdict == REPLAY_UNREADABLE)
        return COMMAND_USAGE;
    return result->verdict == REPLAY_SAME ? COMMAND_DONE : COMMAND_NO_NETWORK;
}

static enum command_status run(const char *given, const struct wishes *wishes)
{
    char path[PATH_LENGTH_MAX];
    struct stat about;
    struct fault fault;
    struct journal_disk disk;
    bool folder = stat(given, &about) == 0 && S_ISDIR(about.st_mode);
    int size = snprintf(path, sizeof path, "%s%s", given, folder ? "/" JOURNAL_NAME : "");
    if (size < 0 || (size_t)size >= sizeof path || !journal_disk_here(&disk, &fault)) {
        options_say(spec.command, "the path is too long");
        return COMMAND_USAGE;
    }
    struct telling telling = {wishes->all, stdout};
    const struct replay_listener people = {&telling,  tell_opening, tell_step,
                                           tell_note, tell_sent,    tell_gap};
    const struct replay_listener programs = {&telling,  json_opening, json_step,
                                             json_note, json_sent,    json_gap};
    struct replay_result result;
    journal_replay(&disk, path, wishes->json ? &programs : &people, &result);
    journal_disk_close(&disk);
    return say_verdict(path, &result, wishes);
}

/* The one word that is no option. False when there are several. */
static bool take_word(int *argc, char **argv, char **words, const char **word)
{
    int kept = 0;
    *word = NULL;
    for (int i = 0; i < *argc; i++) {
        bool free_word = i > 0 && argv[i][0] != '-';
        if (!free_word)
            words[kept++] = argv[i];
        else if (*word)
            return false;
        else
            *word = argv[i];
    }
    words[kept] = NULL;
    *argc = kept;
    return true;
}

int command_replay(int argc, char **argv)
{
    struct wishes wishes = {.json = false};
    struct settings *settings = NULL;
    const char *journal;
    char **words = calloc((size_t)argc + 1, sizeof *words);
    if (!words || !take_word(&argc, argv, words, &journal)) {
        options_say(spec.command, words ? "expected one journal" : "memory is short");
        free(words);
        return COMMAND_USAGE;
    }
    enum options_outcome outcome = options_parse(&spec, &wishes, argc, words, &settings);
    free(words);
    if (outcome != OPTIONS_GO)
        return outcome == OPTIONS_HELP ? COMMAND_DONE : COMMAND_USAGE;
    enum command_status status = COMMAND_USAGE;
    if (journal)
        status = run(journal, &wishes);
    else
        options_say(spec.command,
                    "expected the path of a journal, or of the directory that holds it");
    settings_destroy(&settings);
    return (int)status;
}
