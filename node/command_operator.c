/* `stagger pause`, `unpause`, `hold`, `unhold`, `unfreeze`, `reboot`, `wait`: what an operator tells the agent. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/command_control.h"
#include "node/runtime.h"
#include "node/table.h"
#include "proto/input.h"

#define EXPECTED_MAX_MS (INT64_C(30) * 86400 * 1000)
#define TIMEOUT_MAX_MS (INT64_C(365) * 86400 * 1000)
#define REASON_MAX 199 /* bytes; the agent keeps as much */

/* --- options; every command takes some of them --- */

enum option {
    OPTION_REASON,
    OPTION_TO,
    OPTION_EXPECTED,
    OPTION_WAIT,
    OPTION_FORCE,
    OPTION_FOR,
    OPTION_TIMEOUT,
    OPTION_JSON,
    OPTION_COUNT,
};

static const struct option_row rows[OPTION_COUNT] = {
    [OPTION_REASON] = {"reason", "TEXT", "why the node is taken down; kept in the journal", false},
    [OPTION_TO] =
        {"to", "TARGET",
         "what the node is to become: the name of an upgrade (process), an image (docker), a "
         "word for the commands; by default it comes back as it was",
         false},
    [OPTION_EXPECTED] = {"expected", "TIME",
                         "how long the node is away; by default the agent's agent.expected", false},
    [OPTION_WAIT] = {"wait", NULL, "tell what happens until it is so; status 4 when it fails",
                     false},
    [OPTION_FORCE] = {"force", NULL,
                      "pause without a permit, now; refused all the same where it would stop the "
                      "chain for good",
                      false},
    [OPTION_FOR] =
        {"for", "WHAT",
         "out: out of the set, the node may be stopped; back: in the set; done: nothing is "
         "open any more, and what was done succeeded; idle: nothing is open; default done",
         false},
    [OPTION_TIMEOUT] = {"timeout", "TIME", "wait no longer than this; status 4 then", false},
    [OPTION_JSON] = {"json", NULL, "print what the agent says as JSON, one object a line", false},
};

struct wishes {
    const enum option *taken; /* by place in the command's own list */
    const char *reason, *to, *what;
    int64_t expected_ms, timeout_ms; /* -1: not given */
    bool wait, force, json;
};

static bool take_reason(const char *value, struct wishes *wishes, struct fault *fault)
{
    size_t size = strlen(value);
    json_t *text = json_string(value);
    bool good = text && size > 0 && size <= REASON_MAX;
    for (const char *c = value; *c; c++)
        good &= (unsigned char)*c >= ' ' && *c != '\x7f';
    json_decref(text);
    wishes->reason = value;
    return good || fault_set(fault, "expected one line of 1 to %d bytes of text", REASON_MAX);
}

static bool take_target(const char *value, struct wishes *wishes, struct fault *fault)
{
    wishes->to = value;
    return (*value && runtime_target_is_valid(value)) ||
           fault_set(fault, "expected at most %d printable characters without blanks",
                     RUNTIME_TARGET_MAX - 1);
}

static bool take_what(const char *value, struct wishes *wishes, struct fault *fault)
{
    static const char *const words[] = {"out", "back", "done", "idle"};
    char quoted[INPUT_QUOTE_MAX];
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(value, words[i]) == 0) {
            wishes->what = value;
            return true;
        }
    return fault_set(fault, "\"%s\" is not known; expected out, back, done or idle",
                     input_quote(value, quoted));
}

static bool take_option(void *owner, uint32_t place, const char *value, struct fault *fault)
{
    struct wishes *wishes = owner;
    switch (wishes->taken[place]) {
    case OPTION_REASON:
        return take_reason(value, wishes, fault);
    case OPTION_TO:
        return take_target(value, wishes, fault);
    case OPTION_EXPECTED:
        return take_span(value, EXPECTED_MAX_MS, &wishes->expected_ms, fault);
    case OPTION_FOR:
        return take_what(value, wishes, fault);
    case OPTION_TIMEOUT:
        return take_span(value, TIMEOUT_MAX_MS, &wishes->timeout_ms, fault);
    case OPTION_WAIT:
        wishes->wait = true;
        break;
    case OPTION_FORCE:
        wishes->force = true;
        break;
    case OPTION_JSON:
        wishes->json = true;
        break;
    case OPTION_COUNT:
        assert(!(bool)"no option");
    }
    return true;
}

/* --- telling --- */

struct teller {
    const char *command;
    bool begun;
    bool turn;            /* the command asks for one: why it does not come is worth a line */
    char last[FAULT_MAX]; /* the sentence that was told last, so that none is told twice in a row */
};

static void tell_why(struct teller *teller, const json_t *object)
{
    char shown[FAULT_MAX];
    const json_t *why = json_object_get(object, "why");
    const char *sentence = json_is_object(why) ? in_text(why, "sentence") : "";
    if (!*sentence || strcmp(sentence, teller->last) == 0)
        return;
    snprintf(teller->last, sizeof teller->last, "%s", sentence);
    printf("not yet: %s\n", text_shown(sentence, shown, sizeof shown));
    print_estimate("  ", object);
}

static void tell_more(void *owner, const json_t *object)
{
    char shown[FAULT_MAX];
    struct teller *teller = owner;
    const json_t *risks = json_object_get(object, "risks");
    for (size_t i = 0; i < json_array_size(risks); i++)
        options_say(teller->command, "warning: %s", json_string_value(json_array_get(risks, i)));
    if (*in_text(object, "note"))
        options_say(teller->command, "warning: %s", in_text(object, "note"));
    print_said(object);
    if (!teller->begun && json_array_size(json_object_get(object, "said")) == 0 &&
        *in_text(object, "state_sentence"))
        printf("now: %s\n", text_shown(in_text(object, "state_sentence"), shown, sizeof shown));
    teller->begun = true;
    if (teller->turn)
        tell_why(teller, object);
}

static void tell_answer(void *owner, const json_t *object)
{
    char shown[FAULT_MAX];
    tell_more(owner, object);
    if (*in_text(object, "text"))
        puts(text_shown(in_text(object, "text"), shown, sizeof shown));
    else
        printf("%s: %s\n", in_text(object, "state"),
               text_shown(in_text(object, "state_sentence"), shown, sizeof shown));
}

/* --- the commands --- */

struct verb {
    const char *name, *about;
    bool turn; /* it is about one */
    enum option options[OPTION_COUNT];
    uint32_t option_count;
};

#define OPTIONS(...)                                                                               \
    .options = {__VA_ARGS__},                                                                      \
    .option_count = sizeof((enum option[]){__VA_ARGS__}) / sizeof(enum option)

static void set(json_t *request, const char *key, json_t *value)
{
    int failed = json_object_set_new(request, key, value);
    assert(!failed);
}

static json_t *request_of(const struct verb *verb, const struct wishes *wishes)
{
    json_t *request = json_pack("{s:s}", "command", verb->name);
    if (wishes->reason)
        set(request, "reason", json_string(wishes->reason));
    if (wishes->to)
        set(request, "to", json_string(wishes->to));
    if (wishes->what)
        set(request, "for", json_string(wishes->what));
    if (wishes->expected_ms >= 0)
        set(request, "expected_ms", json_integer(wishes->expected_ms));
    if (wishes->wait)
        set(request, "wait", json_true());
    if (wishes->force)
        set(request, "force", json_true());
    return request;
}

static const char *missing(const struct verb *verb, const struct wishes *wishes)
{
    if (strcmp(verb->name, "pause") == 0 && !wishes->reason)
        return "--reason is missing; say in a few words why the node is taken down";
    if (wishes->timeout_ms >= 0 && !wishes->wait && strcmp(verb->name, "wait") != 0)
        return "--timeout makes sense with --wait only";
    return NULL;
}

static enum command_status say(const struct verb *verb, const struct wishes *wishes,
                               const struct settings *settings)
{
    struct teller teller = {
        .command = verb->name,
        .turn = verb->turn || wishes->wait,
    };
    const struct control_talk talk = {
        .command = verb->name,
        .settings = settings,
        .json = wishes->json,
        .timeout_ms = wishes->timeout_ms,
        .owner = &teller,
        .more = tell_more,
        .answer = tell_answer,
    };
    const char *wrong = missing(verb, wishes);
    if (!wrong)
        return control_talk(&talk, request_of(verb, wishes));
    options_say(verb->name, "%s", wrong);
    return COMMAND_USAGE;
}

static int run(const struct verb *verb, int argc, char **argv)
{
    struct option_row own[OPTION_COUNT];
    struct wishes wishes = {.taken = verb->options, .expected_ms = -1, .timeout_ms = -1};
    struct settings *settings;
    for (uint32_t i = 0; i < verb->option_count; i++)
        own[i] = rows[verb->options[i]];
    const struct options_spec spec = {
        .command = verb->name,
        .about = verb->about,
        .settings = control_settings,
        .setting_count = CONTROL_SETTINGS,
        .own = own,
        .own_count = verb->option_count,
        .take = take_option,
    };
    enum options_outcome outcome = options_parse(&spec, &wishes, argc, argv, &settings);
    if (outcome != OPTIONS_GO)
        return outcome == OPTIONS_HELP ? COMMAND_DONE : COMMAND_USAGE;
    enum command_status status = say(verb, &wishes, settings);
    settings_destroy(&settings);
    return (int)status;
}

int command_pause(int argc, char **argv)
{
    static const struct verb verb = {
        .name = "pause",
        .turn = true,
        .about =
            "Asks the running agent to take this validator out of the set for maintenance by hand: it\n"
            "joins the line, pauses with a permit, and says when the node may be stopped. It stays out\n"
            "until `stagger unpause`. Status 2: refused.",
        OPTIONS(OPTION_REASON, OPTION_EXPECTED, OPTION_WAIT, OPTION_FORCE, OPTION_TIMEOUT,
                OPTION_JSON),
    };
    return run(&verb, argc, argv);
}

int command_unpause(int argc, char **argv)
{
    static const struct verb verb = {
        .name = "unpause",
        .about =
            "Says that maintenance by hand is over: the agent waits until the node is in step with the\n"
            "chain and brings the validator back into the set. Before the pause it calls it off.",
        OPTIONS(OPTION_WAIT, OPTION_TIMEOUT, OPTION_JSON),
    };
    return run(&verb, argc, argv);
}

int command_hold(int argc, char **argv)
{
    static const struct verb verb = {
        .name = "hold",
        .about = "Begins no turn until `stagger unhold`; a turn that is under way is finished.",
        OPTIONS(OPTION_JSON),
    };
    return run(&verb, argc, argv);
}

int command_unhold(int argc, char **argv)
{
    static const struct verb verb = {
        .name = "unhold",
        .about = "Ends `stagger hold`.",
        OPTIONS(OPTION_JSON),
    };
    return run(&verb, argc, argv);
}

int command_unfreeze(int argc, char **argv)
{
    static const struct verb verb = {
        .name = "unfreeze",
        .about =
            "Lets this agent go on though too many validators are overdue: those that are overdue now are\n"
            "accepted as lost. Help them back first if you can.",
        OPTIONS(OPTION_JSON),
    };
    return run(&verb, argc, argv);
}

int command_reboot(int argc, char **argv)
{
    static const struct verb verb = {
        .name = "reboot",
        .turn = true,
        .about =
            "Asks the running agent for a staggered reboot: when this validator's turn comes, the runtime stops\n"
            "the node, makes it what --to says, starts it, and the agent brings it back. The target is\n"
            "looked at first. Status 2: refused.",
        OPTIONS(OPTION_TO, OPTION_EXPECTED, OPTION_WAIT, OPTION_TIMEOUT, OPTION_JSON),
    };
    return run(&verb, argc, argv);
}

int command_wait(int argc, char **argv)
{
    static const struct verb verb = {
        .name = "wait",
        .turn = true,
        .about =
            "Waits for something to be so, telling what happens meanwhile; for a unit's ExecStop, or ansible.\n"
            "Status 0: it is so; 4: it cannot become so any more, or not in time; 3: no agent.",
        OPTIONS(OPTION_FOR, OPTION_TIMEOUT, OPTION_JSON),
    };
    return run(&verb, argc, argv);
}
