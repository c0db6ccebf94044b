/* `stagger ok-to-stop`, `stagger explain` and `stagger turns --agent`: what the running agent says about the draw. */
#include <inttypes.h>
#include <string.h>

#include "node/command_control.h"
#include "node/json_value.h"
#include "node/table.h"
#include "proto/input.h"

#define SHOWN_MAX 512
#define EPOCH_MAX UINT64_C(999999999999999)

struct wishes {
    bool json, has_epoch;
    uint64_t epoch;
};

static const struct option_row json_option[] = {
    {"json", NULL, "print JSON", false},
};

static bool take_json(void *owner, uint32_t option, const char *value, struct fault *fault)
{
    (void)option;
    (void)value;
    (void)fault;
    ((struct wishes *)owner)->json = true;
    return true;
}

static const char *shown(const char *text, char out[SHOWN_MAX])
{
    return text_shown(text, out, SHOWN_MAX);
}

static void print_terms(const json_t *d)
{
    if (!json_is_object(d))
        return;
    const json_t *terms = json_object_get(d, "terms");
    printf("epoch %" PRId64 ", boundary block %" PRId64 ": budget %" PRId64 "%s\n",
           in_number(d, "epoch"), in_number(d, "boundary"), in_number(d, "budget"),
           in_bool(d, "complete") ? "" : "; NOT COMPLETE: blocks are missing");
    printf("  %" PRId64 " members, %" PRId64 " live, reference %" PRId64 ", floor %" PRId64
           ", reserve %" PRId64 ", foreign %" PRId64 "%s\n",
           in_number(d, "members"), in_number(d, "live"), in_number(d, "reference"),
           in_number(d, "floor"), in_number(d, "reserve"), in_number(d, "foreign"),
           in_bool(d, "by_power") ? "; sums of power" : "");
    printf("  by the floor %" PRId64 ", by two thirds %" PRId64 ", decided by the %s\n",
           in_number(terms, "floor"), in_number(terms, "two_thirds"), in_text(terms, "smallest"));
    printf("  %" PRId64 " in line, %" PRId64 " with a permit\n", in_number(d, "candidates"),
           in_number(d, "permit_count"));
}

static enum command_status ask(const char *command, const struct settings *settings, bool json,
                               json_t *request, void (*answer)(void *owner, const json_t *object),
                               void *owner)
{
    const struct control_talk talk = {
        .command = command,
        .settings = settings,
        .json = json,
        .timeout_ms = -1,
        .owner = owner,
        .answer = answer,
    };
    return control_talk(&talk, request);
}

/* --- ok-to-stop --- */

static const struct options_spec ok_spec = {
    .command = "ok-to-stop",
    .about =
        "Asks the running agent: would this validator get a permit now, so that its node could be stopped? Sends\n"
        "nothing and promises nothing: `stagger pause` does. Status 0: yes; 1: no, and why; 3: no agent\n"
        "could be asked.",
    .settings = control_settings,
    .setting_count = CONTROL_SETTINGS,
    .own = json_option,
    .own_count = 1,
    .take = take_json,
};

struct verdict {
    bool json, yes;
};

static void print_verdict(void *owner, const json_t *object)
{
    struct verdict *verdict = owner;
    char text[SHOWN_MAX];
    const json_t *reasons = json_object_get(object, "reasons");
    verdict->yes = in_bool(object, "ok_to_stop");
    if (verdict->json) {
        json_print(json_incref((json_t *)object));
        return;
    }
    printf("%s: %s\n", verdict->yes ? "yes" : "no", shown(in_text(object, "text"), text));
    for (size_t i = 0; i < json_array_size(reasons); i++) {
        const json_t *reason = json_array_get(reasons, i);
        printf("  %s: ", in_text(reason, "code"));
        printf("%s\n", shown(in_text(reason, "sentence"), text));
    }
    print_terms(json_object_get(object, "draw"));
    print_estimate("", object);
}

int command_ok_to_stop(int argc, char **argv)
{
    struct wishes wishes = {.json = false};
    struct verdict verdict = {.yes = false};
    struct settings *settings;
    enum options_outcome outcome = options_parse(&ok_spec, &wishes, argc, argv, &settings);
    if (outcome != OPTIONS_GO)
        return outcome == OPTIONS_HELP ? COMMAND_DONE : COMMAND_USAGE;
    json_t *request = json_pack("{s:s}", "command", "ok-to-stop");
    verdict.json = wishes.json;
    enum command_status status =
        ask(ok_spec.command, settings, false, request, print_verdict, &verdict);
    settings_destroy(&settings);
    return status != COMMAND_DONE ? (int)status : verdict.yes ? COMMAND_DONE : COMMAND_USAGE;
}

/* --- explain --- */

static const struct options_spec explain_spec = {
    .command = "explain",
    .operand = "[EPOCH]",
    .about =
        "The running agent's own sentences: what it decided, what it withheld and why, with the draw's terms. With\n"
        "EPOCH those of that epoch; the agent remembers the last 256 sentences and 25 draws or so, `stagger\n"
        "replay` has everything that the journal holds.",
    .settings = control_settings,
    .setting_count = CONTROL_SETTINGS,
    .own = json_option,
    .own_count = 1,
    .take = take_json,
};

static void print_explanation(void *owner, const json_t *object)
{
    char text[SHOWN_MAX], time[SHOWN_MAX];
    const json_t *said = json_object_get(object, "said"), *why = json_object_get(object, "why");
    const json_t *mine = json_object_get(object, "mine");
    (void)owner;
    print_terms(json_object_get(object, "draw"));
    if (json_is_object(mine))
        printf("  we: %s [%s]\n", shown(in_text(mine, "sentence"), text), in_text(mine, "reason"));
    for (size_t i = 0; i < json_array_size(said); i++) {
        const json_t *line = json_array_get(said, i);
        printf("%s  %8" PRId64 "  ", shown(in_text(line, "time"), time), in_number(line, "height"));
        puts(shown(in_text(line, "text"), text));
    }
    printf("now: %s\n", shown(in_text(object, "state_sentence"), text));
    if (json_is_object(why))
        printf("  %s [%s]\n", shown(in_text(why, "sentence"), text), in_text(why, "code"));
}

static bool take_operand(const char *word, struct wishes *wishes)
{
    char quoted[INPUT_QUOTE_MAX];
    wishes->has_epoch =
        input_whole(word, &wishes->epoch) && wishes->epoch >= 1 && wishes->epoch <= EPOCH_MAX;
    if (!wishes->has_epoch)
        options_say(explain_spec.command,
                    "\"%s\" is not accepted; expected an epoch, a whole number from 1 on",
                    input_quote(word, quoted));
    return wishes->has_epoch;
}

/* The epoch stands first, so that no option's value is taken for it. */
int command_explain(int argc, char **argv)
{
    struct wishes wishes = {.json = false};
    struct settings *settings;
    if (argc > 1 && argv[1][0] != '-') {
        if (!take_operand(argv[1], &wishes))
            return COMMAND_USAGE;
        argc--;
        argv++;
    }
    enum options_outcome outcome = options_parse(&explain_spec, &wishes, argc, argv, &settings);
    if (outcome != OPTIONS_GO)
        return outcome == OPTIONS_HELP ? COMMAND_DONE : COMMAND_USAGE;
    json_t *request = json_pack("{s:s}", "command", "explain");
    if (wishes.has_epoch)
        json_object_set_new(request, "epoch", json_integer((json_int_t)wishes.epoch));
    enum command_status status =
        ask(explain_spec.command, settings, wishes.json, request, print_explanation, NULL);
    settings_destroy(&settings);
    return (int)status;
}

/* --- turns --agent --- */

static void print_line(const json_t *order)
{
    struct table *table = table_create("PLACE> PERMIT MONIKER ADDRESS CLASS> TURNS> JOINED> US");
    for (size_t i = 0; i < json_array_size(order); i++) {
        const json_t *v = json_array_get(order, i);
        table_cell(table, "%" PRId64, in_number(v, "place"));
        table_cell(table, "%s", in_bool(v, "permit") ? "yes" : "-");
        table_cell(table, "%s", in_text(v, "moniker"));
        table_cell(table, "%.8s", in_text(v, "address"));
        table_cell(table, "%" PRId64 " min", in_number(v, "class_minutes"));
        table_cell(table, "%" PRId64, in_number(v, "turns"));
        table_cell(table, "%" PRId64, in_number(v, "joined"));
        table_cell(table, "%s", in_bool(v, "me") ? "<--" : "");
    }
    table_print(table, stdout);
    table_destroy(&table);
}

static void print_turns(void *owner, const json_t *object)
{
    char text[SHOWN_MAX];
    const json_t *order = json_object_get(object, "order"), *why = json_object_get(object, "why");
    (void)owner;
    printf("epoch %" PRId64 " of %s: budget %" PRId64 ", floor %" PRId64 ", %" PRId64
           " live; %" PRId64 " in line, %" PRId64 " with a permit%s\n",
           in_number(object, "epoch"), shown(in_text(object, "chain_id"), text),
           in_number(object, "budget"), in_number(object, "floor"), in_number(object, "live"),
           in_number(object, "candidates"), in_number(object, "permit_count"),
           in_bool(object, "complete") ? "" : "; NOT COMPLETE: blocks are missing");
    if (json_array_size(order) > 0)
        print_line(order);
    printf("we: %s [%s]\n", shown(in_text(object, "sentence"), text), in_text(object, "reason"));
    if (json_is_object(why))
        printf("  %s [%s]\n", shown(in_text(why, "sentence"), text), in_text(why, "code"));
    print_estimate("", object);
}

enum command_status control_turns(const char *command, const struct settings *settings, bool json)
{
    return ask(command, settings, json, json_pack("{s:s}", "command", "turns"), print_turns, NULL);
}
