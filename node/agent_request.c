/* Requests, strictly: every key is known, of its type, within its bounds and fits the command. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "node/agent_desk.h"
#include "proto/input.h"

#define EXPECTED_MAX_MS (INT64_C(30) * 86400 * 1000)
#define EPOCH_MAX INT64_C(999999999999999)

enum key { KEY_WATCH, KEY_WAIT, KEY_FORCE, KEY_EPOCH, KEY_EXPECTED, KEY_REASON, KEY_TO, KEY_FOR };

static const char *const key_names[] = {
    [KEY_WATCH] = "watch",          [KEY_WAIT] = "wait",     [KEY_FORCE] = "force",
    [KEY_EPOCH] = "epoch",          [KEY_REASON] = "reason", [KEY_TO] = "to",
    [KEY_EXPECTED] = "expected_ms", [KEY_FOR] = "for",
};
#define KEY_COUNT (sizeof key_names / sizeof *key_names)
#define KEY(name) (1u << KEY_##name)

static const struct {
    const char *name;
    uint32_t keys;
} commands[] = {
    [ASK_STATUS] = {"status", KEY(WATCH)},
    [ASK_OK_TO_STOP] = {"ok-to-stop", 0},
    [ASK_TURNS] = {"turns", 0},
    [ASK_EXPLAIN] = {"explain", KEY(EPOCH)},
    [ASK_WAIT] = {"wait", KEY(FOR)},
    [ASK_PAUSE] = {"pause", KEY(REASON) | KEY(EXPECTED) | KEY(WAIT) | KEY(FORCE)},
    [ASK_UNPAUSE] = {"unpause", KEY(WAIT)},
    [ASK_HOLD] = {"hold", 0},
    [ASK_UNHOLD] = {"unhold", 0},
    [ASK_UNFREEZE] = {"unfreeze", 0},
    [ASK_REBOOT] = {"reboot", KEY(TO) | KEY(EXPECTED) | KEY(WAIT)},
};
#define COMMANDS (sizeof commands / sizeof *commands)

static const char *const goals[] = {
    [GOAL_OUT] = "out",
    [GOAL_BACK] = "back",
    [GOAL_DONE] = "done",
    [GOAL_IDLE] = "idle",
};

static bool take_command(const json_t *object, struct agent_request *request, struct fault *fault)
{
    char quoted[INPUT_QUOTE_MAX];
    const char *name = json_string_value(json_object_get(object, "command"));
    if (!name)
        return fault_set(fault, "command: expected a text");
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(name, commands[i].name) == 0) {
            request->question = (enum agent_question)i;
            return true;
        }
    return fault_set(fault, "command: \"%s\" is not known; is the agent of this version?",
                     input_quote(name, quoted));
}

static bool take_bool(const json_t *value, const char *key, bool *out, struct fault *fault)
{
    *out = json_is_true(value);
    return json_is_boolean(value) || fault_set(fault, "%s: expected true or false", key);
}

static bool take_whole(const json_t *value, const char *key, int64_t min, int64_t max, int64_t *out,
                       struct fault *fault)
{
    *out = json_integer_value(value);
    return (json_is_integer(value) && *out >= min && *out <= max) ||
           fault_set(fault, "%s: expected a whole number from %" PRId64 " to %" PRId64, key, min,
                     max);
}

static bool take_text(const json_t *value, const char *key, char *out, size_t room,
                      struct fault *fault)
{
    const char *text = json_string_value(value);
    size_t size = json_string_length(value);
    if (!text || size == 0 || size >= room)
        return fault_set(fault, "%s: expected a text of 1 to %zu bytes", key, room - 1);
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == '\x7f')
            return fault_set(fault, "%s: expected one line without control characters", key);
    memcpy(out, text, size + 1);
    return true;
}

static bool take_goal(const json_t *value, struct agent_request *request, struct fault *fault)
{
    const char *text = json_string_value(value);
    for (enum agent_goal g = GOAL_OUT; text && g <= GOAL_IDLE; g++)
        if (strcmp(text, goals[g]) == 0) {
            request->goal = g;
            return true;
        }
    return fault_set(fault, "for: expected out, back, done or idle");
}

static bool take_target(const json_t *value, struct agent_request *request, struct fault *fault)
{
    if (!take_text(value, "to", request->target, sizeof request->target, fault))
        return false;
    return runtime_target_is_valid(request->target) ||
           fault_set(fault, "to: expected printable characters without blanks");
}

static bool take_epoch(const json_t *value, struct agent_request *request, struct fault *fault)
{
    int64_t epoch;
    request->has_epoch = take_whole(value, "epoch", 1, EPOCH_MAX, &epoch, fault);
    request->epoch = request->has_epoch ? (uint64_t)epoch : 0;
    return request->has_epoch;
}

static bool take_key(const json_t *value, enum key key, struct agent_request *r,
                     struct fault *fault)
{
    const char *name = key_names[key];
    switch (key) {
    case KEY_WATCH:
        return take_bool(value, name, &r->watch, fault);
    case KEY_WAIT:
        return take_bool(value, name, &r->wait, fault);
    case KEY_FORCE:
        return take_bool(value, name, &r->force, fault);
    case KEY_EPOCH:
        return take_epoch(value, r, fault);
    case KEY_EXPECTED:
        return take_whole(value, name, 0, EXPECTED_MAX_MS, &r->expected_ms, fault);
    case KEY_REASON:
        return take_text(value, name, r->reason, sizeof r->reason, fault);
    case KEY_TO:
        return take_target(value, r, fault);
    case KEY_FOR:
        return take_goal(value, r, fault);
    }
    assert(!(bool)"a key without a reader");
    return false;
}

static bool take_named(const char *name, const json_t *value, struct agent_request *request,
                       struct fault *fault)
{
    char quoted[INPUT_QUOTE_MAX];
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (strcmp(name, key_names[i]) == 0 && (commands[request->question].keys >> i & 1))
            return take_key(value, (enum key)i, request, fault);
    return fault_set(fault, "%s: this command has no such key", input_quote(name, quoted));
}

bool agent_request_read(const json_t *object, struct agent_request *request, struct fault *fault)
{
    const char *name;
    json_t *value;
    *request = (struct agent_request){.expected_ms = EXPECTED_UNSAID, .goal = GOAL_DONE};
    if (!take_command(object, request, fault))
        return false;
    json_object_foreach((json_t *)object, name, value)
    {
        if (strcmp(name, "command") != 0 && !take_named(name, value, request, fault))
            return false;
    }
    if (request->question == ASK_PAUSE && !request->reason[0])
        return fault_set(fault, "reason: it is missing; say why the node is taken down");
    return true;
}
