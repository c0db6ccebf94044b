#include "node/command_control.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "node/control.h"
#include "node/json_value.h"
#include "node/table.h"
#include "proto/input.h"

#define SHOWN_MAX 512

const enum setting control_settings[CONTROL_SETTINGS] = {SETTING_AGENT_DIR, SETTING_AGENT_CONTROL};

/* --- values --- */

const char *in_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

int64_t in_number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

bool in_bool(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

/* --- telling --- */

const char *about_ms(int64_t ms, char text[ABOUT_MAX])
{
    int64_t s = (ms + 500) / 1000;
    if (s < 1)
        snprintf(text, ABOUT_MAX, "a moment");
    else if (s < 90)
        snprintf(text, ABOUT_MAX, "about %" PRId64 " s", s);
    else if (s < 5400)
        snprintf(text, ABOUT_MAX, "about %" PRId64 " min", (s + 30) / 60);
    else if (s < 129600)
        snprintf(text, ABOUT_MAX, "about %" PRId64 " h", (s + 1800) / 3600);
    else
        snprintf(text, ABOUT_MAX, "about %" PRId64 " days", (s + 43200) / 86400);
    return text;
}

void print_said(const json_t *object)
{
    char shown[SHOWN_MAX];
    const json_t *said = json_object_get(object, "said");
    for (size_t i = 0; i < json_array_size(said); i++)
        puts(text_shown(in_text(json_array_get(said, i), "text"), shown, sizeof shown));
}

bool print_estimate(const char *label, const json_t *object)
{
    char shown[SHOWN_MAX], about[ABOUT_MAX];
    const json_t *estimate = json_object_get(object, "estimate");
    if (!json_is_object(estimate))
        return false;
    bool turn = strcmp(in_text(estimate, "what"), "turn") == 0;
    printf("%s", label);
    if (in_bool(estimate, "known"))
        printf("%s in %s (", turn ? "our turn" : "back",
               about_ms(in_number(estimate, "in_ms"), about));
    else
        printf("nobody knows when %s (", turn ? "our turn comes" : "we are back");
    printf("%s)\n", text_shown(in_text(estimate, "from"), shown, sizeof shown));
    return true;
}

bool take_span(const char *value, int64_t max_ms, int64_t *ms, struct fault *fault)
{
    char quoted[INPUT_QUOTE_MAX], most[INPUT_DURATION_MAX];
    if (input_duration(value, ms) && *ms > 0 && *ms <= max_ms)
        return true;
    input_duration_text(max_ms, most);
    return fault_set(fault,
                     "\"%s\" is not accepted; expected a duration up to %s, such as 90s or 5m",
                     input_quote(value, quoted), most);
}

/* --- the talk --- */

static enum command_status status_of(const json_t *answer)
{
    int64_t status = in_number(answer, "status");
    if (in_bool(answer, "ok"))
        return COMMAND_DONE;
    return status >= COMMAND_USAGE && status <= COMMAND_FAILED ? (enum command_status)status
                                                               : COMMAND_FAILED;
}

static void hear(const struct control_talk *talk, json_t *object, bool last)
{
    if (talk->json)
        json_print(json_incref(object));
    else if (!last)
        talk->more(talk->owner, object);
    else if (in_bool(object, "ok"))
        talk->answer(talk->owner, object);
    else if (talk->more)
        print_said(object);
    if (last && !in_bool(object, "ok"))
        options_say(talk->command, "%s", in_text(object, "text"));
    fflush(stdout);
}

static enum command_status hear_all(const struct control_talk *talk, int descriptor)
{
    int64_t until_ms = zclock_mono() + talk->timeout_ms;
    struct fault fault;
    json_t *object;
    for (;;) {
        int64_t left_ms = talk->timeout_ms < 0 ? -1 : until_ms - zclock_mono();
        enum control_heard heard = control_read(
            descriptor, talk->timeout_ms >= 0 && left_ms < 0 ? 0 : left_ms, &object, &fault);
        if (heard == CONTROL_TIMEOUT) {
            options_say(talk->command, "not within --timeout; what was asked for stands");
            return COMMAND_FAILED;
        }
        if (heard == CONTROL_ENDED) {
            options_say(talk->command, "%s", fault.text);
            return COMMAND_NO_NETWORK;
        }
        bool last = !in_bool(object, "more");
        enum command_status status = status_of(object);
        hear(talk, object, last);
        json_decref(object);
        if (ferror(stdout))
            return COMMAND_USAGE;
        if (last)
            return status;
    }
}

enum command_status control_talk(const struct control_talk *talk, json_t *request)
{
    char path[CONTROL_PATH_MAX];
    struct fault fault;
    if (!control_path(talk->settings, path, &fault)) {
        json_decref(request);
        options_say(talk->command, "%s", fault.text);
        return COMMAND_USAGE;
    }
    int descriptor = control_ask(path, request, &fault);
    if (descriptor < 0) {
        options_say(talk->command, "%s", fault.text);
        return COMMAND_NO_NETWORK;
    }
    enum command_status status = hear_all(talk, descriptor);
    close(descriptor);
    return status;
}
