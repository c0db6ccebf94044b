#include "node/bus_unit.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define SYSTEMD "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER SYSTEMD ".Manager"
#define UNIT SYSTEMD ".Unit"
#define SERVICE SYSTEMD ".Service"
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define ANSWER_US 25000000
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* --- what went wrong --- */

static const char *explain(const struct bus_unit *unit, const sd_bus_error *error,
                           struct fault *fault)
{
    static const struct {
        const char *name, *text;
    } known[] = {
        {SYSTEMD ".NoSuchUnit", "there is no unit %s: set systemd.unit (systemctl list-units)"},
        {SYSTEMD ".UnitMasked", "the unit %s is masked: systemctl unmask it"},
        {"org.freedesktop.DBus.Error.AccessDenied",
         "systemd does not let this user control %s: run the agent as root, or allow "
         "org.freedesktop.systemd1.manage-units for its user in a polkit rule"},
        {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
         "systemd would ask for a password to control %s: run the agent as root, or allow "
         "org.freedesktop.systemd1.manage-units for its user in a polkit rule"},
        {"org.freedesktop.DBus.Error.ServiceUnknown",
         "systemd is not on this bus, so %s cannot be controlled: where it is not process 1, use "
         "runtime.driver = process or command"},
        {"org.freedesktop.DBus.Error.NoReply",
         "systemd did not answer about %s; see systemctl status"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (sd_bus_error_has_name(error, known[i].name)) {
            char text[FAULT_MAX];
            const char *at = strstr(known[i].text, "%s");
            (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - known[i].text), known[i].text,
                           unit->name, at + 2);
            (void)fault_set(fault, "%s", text);
            return fault->text;
        }
    (void)fault_set(fault, "systemd says about %s: %s", unit->name,
                    error->message == NULL ? error->name : error->message);
    return fault->text;
}

/* When a connection ends, sd-bus answers everything on it with an error. The owner hears of the end itself, so that is
 * passed over. */
static bool is_late(const struct bus_unit *unit, sd_bus_message *answer)
{
    return sd_bus_message_get_error(answer) != NULL && sd_bus_is_open(bus_now(unit->bus)) <= 0;
}

/* An answer that is an error ends what it was for. */
static bool is_error(const struct bus_unit *unit, sd_bus_message *answer, struct fault *fault)
{
    const sd_bus_error *error = sd_bus_message_get_error(answer);
    if (error == NULL)
        return false;
    (void)explain(unit, error, fault);
    return true;
}

/* --- a look --- */

static void end_look(struct bus_unit *unit, bool ok, const char *text)
{
    unit->look = sd_bus_slot_unref(unit->look);
    unit->looked(unit->owner, ok, text);
}

static void end_garbled(struct bus_unit *unit)
{
    end_look(unit, false,
             "systemd's answer is not what was expected: is it systemd that listens at "
             "systemd.bus?");
}

static void copy_word(char out[BUS_UNIT_WORD_MAX], const char *word)
{
    size_t length = strspn(word, LETTERS "-_");
    (void)snprintf(out, BUS_UNIT_WORD_MAX, "%.*s", length > 1000 ? 1000 : (int)length, word);
}

/* Everything that is asked goes through here, so that nothing is asked of a connection that is gone. */
static void call(struct bus_unit *unit, sd_bus_slot **slot, sd_bus_message *message,
                 sd_bus_message_handler_t done)
{
    int result = sd_bus_call_async(bus_now(unit->bus), slot, message, done, unit, ANSWER_US);
    sd_bus_message_unref(message);
    (void)result; /* the connection is found out to be gone when it is processed next */
    bus_flush(unit->bus);
}

static sd_bus_message *message_to(struct bus_unit *unit, const char *path, const char *interface,
                                  const char *member)
{
    sd_bus_message *message = NULL;
    int result = sd_bus_message_new_method_call(bus_now(unit->bus), &message, SYSTEMD, path,
                                                interface, member);
    assert(result >= 0);
    return message;
}

static int on_result(sd_bus_message *answer, void *argument, sd_bus_error *unused)
{
    struct bus_unit *unit = argument;
    const char *word;
    (void)unused;
    if (is_late(unit, answer))
        return 0;
    if (sd_bus_message_get_error(answer) == NULL &&
        sd_bus_message_read(answer, "v", "s", &word) >= 0)
        copy_word(unit->state.result, word);
    end_look(unit, true, "");
    return 0;
}

/* Units of other kinds than services have no such thing, or another one. */
static void ask_result(struct bus_unit *unit)
{
    sd_bus_message *message = message_to(unit, unit->path, PROPERTIES, "Get");
    int result = sd_bus_message_append(message, "ss", SERVICE, "Result");
    assert(result >= 0);
    unit->look = sd_bus_slot_unref(unit->look);
    call(unit, &unit->look, message, on_result);
}

static int read_text(sd_bus_message *answer, char out[BUS_UNIT_WORD_MAX])
{
    const char *word;
    int result = sd_bus_message_read(answer, "v", "s", &word);
    if (result >= 0)
        copy_word(out, word);
    return result;
}

static int read_property(struct bus_unit *unit, sd_bus_message *answer, const char *name)
{
    struct bus_unit_state *state = &unit->state;
    if (strcmp(name, "LoadState") == 0)
        return read_text(answer, state->load);
    if (strcmp(name, "ActiveState") == 0)
        return read_text(answer, state->active);
    if (strcmp(name, "SubState") == 0)
        return read_text(answer, state->sub);
    if (strcmp(name, "ActiveEnterTimestampMonotonic") == 0)
        return sd_bus_message_read(answer, "v", "t", &state->active_since);
    if (strcmp(name, "NeedDaemonReload") == 0) {
        int needed = 0;
        int result = sd_bus_message_read(answer, "v", "b", &needed);
        state->needs_reload = needed != 0;
        return result;
    }
    if (strcmp(name, "Job") == 0) {
        uint32_t id = 0;
        const char *path;
        int result = sd_bus_message_read(answer, "v", "(uo)", &id, &path);
        state->has_job = id != 0;
        return result;
    }
    return sd_bus_message_skip(answer, "v");
}

static int read_properties(struct bus_unit *unit, sd_bus_message *answer)
{
    const char *name;
    int result = sd_bus_message_enter_container(answer, 'a', "{sv}");
    while (result >= 0 && (result = sd_bus_message_enter_container(answer, 'e', "sv")) > 0) {
        if ((result = sd_bus_message_read(answer, "s", &name)) >= 0 &&
            (result = read_property(unit, answer, name)) >= 0)
            result = sd_bus_message_exit_container(answer);
    }
    return result;
}

static int on_properties(sd_bus_message *answer, void *argument, sd_bus_error *unused)
{
    struct bus_unit *unit = argument;
    struct bus_unit_state *state = &unit->state;
    struct fault fault;
    (void)unused;
    if (is_late(unit, answer))
        return 0;
    if (is_error(unit, answer, &fault)) {
        end_look(unit, false, fault.text);
        return 0;
    }
    state->load[0] = state->active[0] = state->sub[0] = state->result[0] = '\0';
    state->has_job = state->needs_reload = false;
    state->active_since = 0;
    if (read_properties(unit, answer) < 0 || state->load[0] == '\0' || state->active[0] == '\0')
        end_garbled(unit);
    else
        ask_result(unit);
    return 0;
}

static int on_change(sd_bus_message *signal, void *argument, sd_bus_error *unused)
{
    struct bus_unit *unit = argument;
    (void)signal, (void)unused;
    unit->stirred(unit->owner);
    return 0;
}

static int on_loaded(sd_bus_message *answer, void *argument, sd_bus_error *unused)
{
    struct bus_unit *unit = argument;
    const char *path = NULL;
    struct fault fault;
    (void)unused;
    if (is_late(unit, answer))
        return 0;
    if (is_error(unit, answer, &fault)) {
        end_look(unit, false, fault.text);
        return 0;
    }
    if (sd_bus_message_read(answer, "o", &path) < 0 || strlen(path) >= sizeof unit->path) {
        end_garbled(unit);
        return 0;
    }
    if (strcmp(unit->path, path) != 0 || unit->changes == NULL) {
        (void)snprintf(unit->path, sizeof unit->path, "%s", path);
        unit->changes = sd_bus_slot_unref(unit->changes);
        (void)sd_bus_match_signal_async(bus_now(unit->bus), &unit->changes, SYSTEMD, path,
                                        PROPERTIES, "PropertiesChanged", on_change, NULL, unit);
    }
    sd_bus_message *message = message_to(unit, unit->path, PROPERTIES, "GetAll");
    int result = sd_bus_message_append(message, "s", UNIT);
    assert(result >= 0);
    unit->look = sd_bus_slot_unref(unit->look);
    call(unit, &unit->look, message, on_properties);
    return 0;
}

void bus_unit_look(struct bus_unit *unit)
{
    assert(unit->look == NULL);
    sd_bus_message *message = message_to(unit, MANAGER_PATH, MANAGER, "LoadUnit");
    int result = sd_bus_message_append(message, "s", unit->name);
    assert(result >= 0);
    call(unit, &unit->look, message, on_loaded);
}

/* --- demands --- */

static int on_asked(sd_bus_message *answer, void *argument, sd_bus_error *unused)
{
    struct bus_unit *unit = argument;
    struct fault fault = {""};
    (void)unused;
    if (is_late(unit, answer))
        return 0;
    bool ok = !is_error(unit, answer, &fault);
    unit->demand = sd_bus_slot_unref(unit->demand);
    unit->asked(unit->owner, ok, fault.text);
    return 0;
}

void bus_unit_ask(struct bus_unit *unit, enum bus_unit_demand demand)
{
    static const char *const members[] = {
        [BUS_UNIT_START] = "StartUnit",
        [BUS_UNIT_STOP] = "StopUnit",
        [BUS_UNIT_RESET] = "ResetFailedUnit",
        [BUS_UNIT_RELOAD] = "Reload",
    };
    assert(unit->demand == NULL);
    sd_bus_message *message = message_to(unit, MANAGER_PATH, MANAGER, members[demand]);
    int result = 0;
    if (demand == BUS_UNIT_START || demand == BUS_UNIT_STOP) {
        unit->state.job_result[0] = '\0';
        result = sd_bus_message_append(message, "ss", unit->name, "replace");
    } else if (demand == BUS_UNIT_RESET) {
        result = sd_bus_message_append(message, "s", unit->name);
    }
    assert(result >= 0);
    call(unit, &unit->demand, message, on_asked);
}

/* --- signals --- */

static int on_job_removed(sd_bus_message *signal, void *argument, sd_bus_error *unused)
{
    struct bus_unit *unit = argument;
    uint32_t id;
    const char *job, *name, *result;
    (void)unused;
    if (sd_bus_message_read(signal, "uoss", &id, &job, &name, &result) < 0 ||
        strcmp(name, unit->name) != 0)
        return 0;
    copy_word(unit->state.job_result, result);
    unit->stirred(unit->owner);
    return 0;
}

static int on_subscribed(sd_bus_message *answer, void *argument, sd_bus_error *unused)
{
    (void)answer, (void)argument, (void)unused;
    return 0; /* a refusal shows in the next look too */
}

void bus_unit_begin(struct bus_unit *unit)
{
    sd_bus *bus = bus_now(unit->bus);
    if (bus == NULL)
        return;
    (void)sd_bus_match_signal_async(bus, &unit->jobs, SYSTEMD, MANAGER_PATH, MANAGER, "JobRemoved",
                                    on_job_removed, NULL, unit);
    (void)sd_bus_call_method_async(bus, NULL, SYSTEMD, MANAGER_PATH, MANAGER, "Subscribe",
                                   on_subscribed, unit, NULL);
    bus_flush(unit->bus);
}

void bus_unit_end(struct bus_unit *unit)
{
    unit->look = sd_bus_slot_unref(unit->look);
    unit->demand = sd_bus_slot_unref(unit->demand);
    unit->jobs = sd_bus_slot_unref(unit->jobs);
    unit->changes = sd_bus_slot_unref(unit->changes);
}

bool bus_unit_name(const char *text, char out[BUS_UNIT_NAME_MAX])
{
    size_t length = strlen(text);
    if (length == 0 || strspn(text, LETTERS ":-_.\\@") != length || text[0] == '.' ||
        length + sizeof ".service" > BUS_UNIT_NAME_MAX)
        return false;
    (void)snprintf(out, BUS_UNIT_NAME_MAX, "%s%s", text,
                   strchr(text, '.') == NULL ? ".service" : "");
    return true;
}
