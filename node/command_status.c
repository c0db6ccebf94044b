/* `stagger status`: what the running agent knows. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "node/command_control.h"
#include "node/table.h"

#define SHOWN_MAX 512
#define NEWS_KEPT 8
#define NAMED_MAX 12 /* validators of a list that are named; the others are counted */

enum option { OPTION_JSON, OPTION_WATCH };

static const struct option_row own_options[] = {
    [OPTION_JSON] = {"json", NULL, "print JSON; with --watch one object a line", false},
    [OPTION_WATCH] =
        {"watch", NULL,
         "go on: on a terminal the page is drawn again at every change, elsewhere news "
         "come line by line",
         false},
};

struct wishes {
    bool json, watch;
};

static bool take_option(void *owner, uint32_t option, const char *value, struct fault *fault)
{
    struct wishes *wishes = owner;
    (void)value;
    (void)fault;
    wishes->json |= option == OPTION_JSON;
    wishes->watch |= option == OPTION_WATCH;
    return true;
}

static const struct options_spec spec = {
    .command = "status",
    .about =
        "Asks the running agent what it is doing and why: its state, whose turn it is, budget and floor, who\n"
        "is down, when our turn or return is to be expected, its node, gossip, journal and warnings.",
    .settings = control_settings,
    .setting_count = CONTROL_SETTINGS,
    .own = own_options,
    .own_count = sizeof own_options / sizeof *own_options,
    .take = take_option,
};

/* --- lines --- */

__attribute__((format(printf, 2, 3))) static void line(const char *label, const char *format, ...)
{
    char text[SHOWN_MAX], shown[SHOWN_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    printf("%-10s %s\n", label, text_shown(text, shown, sizeof shown));
}

static void line_if(const char *label, const json_t *object, const char *key)
{
    if (*in_text(object, key))
        line(label, "%s", in_text(object, key));
}

static const char *name_of(const json_t *validator, char text[16])
{
    const char *moniker = in_text(validator, "moniker");
    snprintf(text, 16, "%.8s", in_text(validator, "address"));
    return *moniker ? moniker : text;
}

/* Of an instant "2026-11-21T19:15:18.298Z" the time of day. */
static const char *clock_of(const char *time, char text[16])
{
    snprintf(text, 16, "%.8s", strlen(time) > 19 ? time + 11 : "");
    return text;
}

/* --- the page --- */

static void print_self(const json_t *s)
{
    const char *errand = in_text(s, "errand");
    bool wanted = *errand && strcmp(errand, "none") != 0;
    const json_t *why = json_object_get(s, "why");
    if (*in_text(s, "address"))
        line("validator", "%s (%.8s) on %s", in_text(s, "moniker"), in_text(s, "address"),
             in_text(s, "chain_id"));
    line("state", "%s%s%s%s%s%s", in_text(s, "state"), *in_text(s, "state") ? ": " : "",
         in_text(s, "state_sentence"), wanted ? " [" : "", wanted ? errand : "", wanted ? "]" : "");
    line_if("reason", s, "operator_reason");
    if (json_is_object(why))
        line("why", "%s [%s]", in_text(why, "sentence"), in_text(why, "code"));
    print_estimate("when       ", s);
    if (in_bool(s, "held"))
        line("hold", "the operator holds this agent: no turn begins until `stagger unhold`");
    if (in_bool(s, "frozen"))
        line("frozen",
             "too many are overdue since a pause in block %" PRId64
             ": help them back, or `stagger unfreeze`",
             in_number(s, "frozen_since"));
    if (in_bool(s, "gave_up"))
        line("gave up", "the last reinitialisation failed and the version before was restored");
    if (in_bool(s, "forced"))
        line("forced", "this turn was taken without a permit");
}

static void print_names(const char *label, const json_t *list, int64_t count,
                        void (*say)(const json_t *validator, char *text, size_t size))
{
    char text[SHOWN_MAX] = "";
    size_t used = 0, shown = 0;
    for (; shown < json_array_size(list) && shown < NAMED_MAX; shown++) {
        char one[160];
        say(json_array_get(list, shown), one, sizeof one);
        if (used + strlen(one) + 40 > sizeof text)
            break;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", shown ? ", " : "", one);
    }
    if (count > (int64_t)shown)
        snprintf(text + used, sizeof text - used, " and %" PRId64 " more", count - (int64_t)shown);
    line(label, "%s", count > 0 ? text : "nobody");
}

static void say_permit(const json_t *v, char *text, size_t size)
{
    char address[16];
    snprintf(text, size, "%s%s%s", name_of(v, address), in_bool(v, "me") ? " (we)" : "",
             in_bool(v, "used") ? " (paused)" : "");
}

static void say_down(const json_t *v, char *text, size_t size)
{
    char address[16], clock[16], since[48] = "";
    if (json_is_integer(json_object_get(v, "since")))
        snprintf(since, sizeof since, " since block %" PRId64 "%s%s", in_number(v, "since"),
                 *in_text(v, "since_time") ? " " : "", clock_of(in_text(v, "since_time"), clock));
    snprintf(text, size, "%s%s %s%s%s", name_of(v, address), in_bool(v, "me") ? " (we)" : "",
             in_text(v, "why"), since, in_bool(v, "turn") ? " on a turn" : "");
}

static void print_draw(const json_t *d)
{
    if (!json_is_object(d)) {
        line("draw", "none yet");
        return;
    }
    line("draw",
         "epoch %" PRId64 " (blocks %" PRId64 " to %" PRId64 "): budget %" PRId64 ", floor %" PRId64
         ", reserve %" PRId64 "; %" PRId64 " in line, %" PRId64 " with a permit%s%s",
         in_number(d, "epoch"), in_number(d, "boundary") + 1, in_number(d, "next_boundary"),
         in_number(d, "budget"), in_number(d, "floor"), in_number(d, "reserve"),
         in_number(d, "candidates"), in_number(d, "permit_count"),
         in_bool(d, "by_power") ? "; by power" : "",
         in_bool(d, "complete") ? "" : "; NOT COMPLETE: blocks are missing");
    print_names("turn of", json_object_get(d, "permits"), in_number(d, "permit_count"), say_permit);
}

static void print_chain(const json_t *s)
{
    char clock[16];
    const json_t *plan = json_object_get(s, "plan");
    if (!json_is_integer(json_object_get(s, "head")))
        return;
    line("chain",
         "block %" PRId64 " of %s, a block every %.1f s; %" PRId64 " of %" PRId64
         " members are live%s",
         in_number(s, "head"), clock_of(in_text(s, "head_time"), clock),
         (double)in_number(s, "block_ms") / 1000, in_number(s, "live"), in_number(s, "members"),
         in_bool(s, "in_set") ? "" : "; we are not in the set");
    print_draw(json_object_get(s, "draw"));
    print_names("down", json_object_get(s, "down"), in_number(s, "down_count"), say_down);
    if (json_is_object(plan))
        line("upgrade", "pending, at %s; %s", in_text(plan, "upgrade_time"),
             in_bool(plan, "voted_yes")
                 ? "voted YES"
                 : "this validator has NOT voted YES: vote, or it cannot pause");
    if (json_is_false(json_object_get(s, "funded")))
        line("funds", "the account cannot pay the fees of a turn: send it funds");
}

static void print_runtime(const json_t *r, const json_t *node)
{
    char percent[16] = "";
    bool step = strcmp(in_text(r, "step"), "none") != 0;
    if (!json_is_object(r))
        return;
    line("node", "%s, %s%s%s%s%s", in_text(r, "driver"), in_text(r, "health"),
         *in_text(r, "installed") ? ", installed " : "", in_text(r, "installed"),
         *in_text(r, "target") ? ", to become " : "", in_text(r, "target"));
    if (json_is_integer(json_object_get(r, "percent")))
        snprintf(percent, sizeof percent, " %" PRId64 " %%", in_number(r, "percent"));
    if (step)
        line("step", "%s%s%s%s, attempt %" PRId64, in_text(r, "step"), percent,
             *in_text(r, "text") ? ": " : "", in_text(r, "text"), in_number(r, "attempts") + 1);
    line_if("rpc", node, "text");
}

static void say_validator(const json_t *v, char *text, size_t size)
{
    char address[16];
    snprintf(text, size, "%s", name_of(v, address));
}

static void print_gossip(const json_t *g)
{
    const json_t *void_ones = json_object_get(g, "equivocators");
    const json_t *others = json_object_get(g, "other_charters");
    if (strcmp(in_text(g, "level"), "off") == 0) {
        line("gossip", "off");
        return;
    }
    line("gossip", "%s: %" PRId64 " peers, %" PRId64 " of %" PRId64 " members heard",
         in_text(g, "level"), in_number(g, "bound"), in_number(g, "heard"),
         in_number(g, "members"));
    if (json_array_size(void_ones) > 0)
        print_names("two faces", void_ones, (int64_t)json_array_size(void_ones), say_validator);
    if (json_array_size(others) > 0)
        print_names("charters", others, (int64_t)json_array_size(others), say_validator);
    if (strcmp(in_text(g, "double"), "void") == 0)
        line("double", "another agent speaks with our gossip key: end it, then make a new key");
}

static void print_troubles(const json_t *s)
{
    const json_t *journal = json_object_get(s, "journal"), *list = json_object_get(s, "warnings");
    line_if("journal", journal, "trouble");
    line_if("journal", journal, "text");
    if (in_bool(journal, "gap"))
        line("journal", "the disk was full: events up to the next start are not kept");
    for (size_t i = 0; i < json_array_size(list); i++)
        line("warning", "%s", json_string_value(json_array_get(list, i)));
}

static void print_page(const json_t *s)
{
    print_self(s);
    print_chain(s);
    print_runtime(json_object_get(s, "runtime"), json_object_get(s, "node"));
    print_gossip(json_object_get(s, "gossip"));
    print_troubles(s);
}

/* --- watching --- */

struct watch {
    bool terminal, begun;
    char news[NEWS_KEPT][SHOWN_MAX]; /* a ring */
    uint32_t count;
    char last[SHOWN_MAX];
};

static void keep_news(struct watch *watch, const json_t *said)
{
    char clock[16], shown[SHOWN_MAX];
    for (size_t i = 0; i < json_array_size(said); i++) {
        const json_t *entry = json_array_get(said, i);
        char *text = watch->news[watch->count++ % NEWS_KEPT];
        snprintf(text, SHOWN_MAX, "%s %s", clock_of(in_text(entry, "time"), clock),
                 in_text(entry, "text"));
        if (!watch->terminal)
            puts(text_shown(text, shown, sizeof shown));
    }
}

static void draw_page(struct watch *watch, const json_t *object)
{
    char shown[SHOWN_MAX];
    fputs("\033[H\033[2J", stdout);
    print_page(object);
    putchar('\n');
    uint32_t from = watch->count > NEWS_KEPT ? watch->count - NEWS_KEPT : 0;
    for (uint32_t i = from; i < watch->count; i++)
        puts(text_shown(watch->news[i % NEWS_KEPT], shown, sizeof shown));
}

static void print_change(struct watch *watch, const json_t *object)
{
    char text[SHOWN_MAX];
    const json_t *why = json_object_get(object, "why");
    snprintf(text, sizeof text, "%s: %s%s%s", in_text(object, "state"),
             in_text(object, "state_sentence"), json_is_object(why) ? "; " : "",
             in_text(why, "sentence"));
    if (strcmp(text, watch->last) == 0)
        return;
    snprintf(watch->last, sizeof watch->last, "%s", text);
    line("now", "%s", text);
}

static void watch_more(void *owner, const json_t *object)
{
    struct watch *watch = owner;
    keep_news(watch, json_object_get(object, "said"));
    if (watch->terminal)
        draw_page(watch, object);
    else if (!watch->begun)
        print_page(object);
    else
        print_change(watch, object);
    watch->begun = true;
}

static void show_answer(void *owner, const json_t *object)
{
    (void)owner;
    print_page(object);
}

int command_status(int argc, char **argv)
{
    struct wishes wishes = {.json = false};
    struct watch watch = {.terminal = isatty(STDOUT_FILENO)};
    struct settings *settings;
    enum options_outcome outcome = options_parse(&spec, &wishes, argc, argv, &settings);
    if (outcome != OPTIONS_GO)
        return outcome == OPTIONS_HELP ? COMMAND_DONE : COMMAND_USAGE;
    const struct control_talk talk = {
        .command = spec.command,
        .settings = settings,
        .json = wishes.json,
        .timeout_ms = -1,
        .owner = &watch,
        .more = watch_more,
        .answer = show_answer,
    };
    json_t *request = json_pack("{s:s}", "command", "status");
    if (wishes.watch)
        json_object_set_new(request, "watch", json_true());
    enum command_status status = control_talk(&talk, request);
    settings_destroy(&settings);
    return (int)status;
}
