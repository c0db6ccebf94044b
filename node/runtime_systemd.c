/* The systemd driver: the node is a unit, stopped and started over D-Bus.
 *
 * As with containers a step is a circle: look at the unit, decide, do one thing, look again when something has changed, or
 * after LOOK_MS, since a signal can be lost. What a job of systemd's may take is for the unit's own limits to say
 * (TimeoutStopSec, TimeoutStartSec); that systemd answers at all is made sure of by the looks.
 *
 *     STOP     StopUnit, until it is inactive
 *     REINIT   systemd.reinit while it is stopped; Reload when its file has changed
 *     START    ResetFailedUnit after a failure, StartUnit, until it has been active for a while
 *     RESTORE  StopUnit, then systemd.reinit with STAGGER_TURN_STEP=restore, then as START
 *
 * systemd keeps the node running between turns (Restart=). A unit that the operator stopped stays stopped: nothing is
 * started outside of a step.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/bus_unit.h"
#include "node/runtime.h"
#include "node/wake.h"

#define LOOK_MS 5000       /* in a step */
#define SOON_MS 20         /* signals come in groups */
#define WATCH_MS 30000     /* between turns */
#define SETTLE_MS 2000     /* a node is up when it has been active for this long */
#define AGAIN_MS 1000      /* until a bus that is lost is tried again, in a step */
#define AGAIN_SLOW_MS 5000 /* and otherwise */
#define LOST_MAX_MS 30000  /* then the step fails */

struct driver {
    struct runtime *runtime;
    const struct settings *settings;
    struct bus *bus;
    struct bus_unit unit;
    char name[BUS_UNIT_NAME_MAX];
    struct wake *wake;
    bool look_again; /* what is being looked at has changed meanwhile */
    enum runtime_health health;

    const struct runtime_job *job; /* NULL: none */
    bool asked;                    /* the job of this step was given to systemd, */
    bool accepted;                 /* and taken */
    bool ran, running;             /* the command of this step has ended, is running */
    bool reset, reloaded;  /* the failure of before was forgotten; the file was read again */
    uint64_t active_since; /* systemd's time of the run that is waited for, */
    int64_t active_ms;     /* and ours when it was first seen */
    int64_t lost_since_ms; /* 0: the bus is there */

    bool checking;
    char check_target[RUNTIME_TARGET_MAX];
};

static void look(struct driver *d);

/* --- what the node is --- */

static bool is(const char *word, const char *other)
{
    return strcmp(word, other) == 0;
}

static bool is_down(const struct bus_unit_state *state)
{
    return is(state->active, "inactive") || is(state->active, "failed");
}

static bool is_up(const struct bus_unit_state *state)
{
    return is(state->active, "active") || is(state->active, "reloading");
}

static void note_health(struct driver *d)
{
    const struct bus_unit_state *state = &d->unit.state;
    bool failed = is(state->active, "failed");
    /* what is being stopped is still there */
    d->health = is_up(state) || is(state->active, "deactivating") ? RUNTIME_UP
                : is(state->active, "activating")                 ? RUNTIME_STARTING
                : is_down(state)                                  ? RUNTIME_DOWN
                                                                  : RUNTIME_UNKNOWN;
    runtime_changed(d->runtime, "the unit %s is %s (%s)", d->name, state->active,
                    failed && state->result[0] != '\0' ? state->result : state->sub);
}

/* --- the end of a step and of a check --- */

static void rest(struct driver *d)
{
    if (bus_now(d->bus) == NULL)
        wake_set(d->wake, d->job != NULL ? AGAIN_MS : AGAIN_SLOW_MS);
    else
        wake_set(d->wake, d->job != NULL ? LOOK_MS : WATCH_MS);
}

static void end_step(struct driver *d, bool ok, const char *text)
{
    d->job = NULL;
    rest(d);
    runtime_ended(d->runtime, ok, "%s", text);
}

__attribute__((format(printf, 3, 4))) static void end_with(struct driver *d, bool ok,
                                                           const char *format, ...)
{
    char text[RUNTIME_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    end_step(d, ok, text);
}

/* Whether the unit is one that can be taken through a turn. */
static bool is_usable(const struct driver *d, struct fault *fault)
{
    const char *load = d->unit.state.load;
    if (is(load, "not-found"))
        return fault_set(
            fault, "there is no unit %s: install it, or set systemd.unit (systemctl list-units)",
            d->name);
    if (is(load, "masked"))
        return fault_set(fault, "the unit %s is masked: systemctl unmask %s", d->name, d->name);
    if (!is(load, "loaded"))
        return fault_set(fault, "the unit %s cannot be loaded (%s): systemctl status %s", d->name,
                         load, d->name);
    return true;
}

static void end_check(struct driver *d, bool ok, const char *text)
{
    struct fault fault;
    const char *target = d->check_target;
    bool given = settings_given(d->settings, SETTING_SYSTEMD_REINIT);
    if (!d->checking)
        return;
    d->checking = false;
    if (!ok)
        runtime_checked(d->runtime, false, "%s", text);
    else if (!is_usable(d, &fault))
        runtime_checked(d->runtime, false, "%s", fault.text);
    else if (target[0] != '\0' && !given)
        runtime_checked(d->runtime, false,
                        "nothing installs %s: set systemd.reinit to the command that does", target);
    else
        runtime_checked(d->runtime, true,
                        "the unit %s is %s; what systemd.reinit finds shows when it runs", d->name,
                        d->unit.state.active);
}

/* --- doing one thing --- */

static void ask(struct driver *d, enum bus_unit_demand demand)
{
    d->asked |= demand == BUS_UNIT_START || demand == BUS_UNIT_STOP;
    d->accepted = false;
    bus_unit_ask(&d->unit, demand);
}

static void stop(struct driver *d)
{
    const struct bus_unit_state *state = &d->unit.state;
    if (state->has_job || is(state->active, "deactivating")) {
        if (d->asked) {
            rest(d);
            return;
        }
    } else if (d->accepted) {
        end_with(d, false, "the unit %s was not stopped (%s), and is %s; see journalctl -u %s",
                 d->name, state->job_result[0] == '\0' ? "the job is gone" : state->job_result,
                 state->active, d->name);
        return;
    }
    runtime_progress(d->runtime, -1, "stopping the unit %s", d->name);
    ask(d, BUS_UNIT_STOP); /* also instead of a job of somebody else's */
}

/* --- start --- */

static void fail_start(struct driver *d)
{
    const struct bus_unit_state *state = &d->unit.state;
    const char *why = state->result[0] != '\0' && !is(state->result, "success") ? state->result
                      : state->job_result[0] != '\0' && !is(state->job_result, "done")
                          ? state->job_result
                          : state->sub;
    end_with(d, false, "the unit %s did not come up: it is %s (%s); see journalctl -u %s", d->name,
             state->active, why, d->name);
}

static void settle(struct driver *d)
{
    int64_t left_ms = d->active_ms + SETTLE_MS - zclock_mono();
    if (left_ms <= 0)
        end_with(d, true, "the unit %s is %s (%s)", d->name, d->unit.state.active,
                 d->unit.state.sub);
    else
        wake_set(d->wake, left_ms);
}

static void start(struct driver *d)
{
    const struct bus_unit_state *state = &d->unit.state;
    struct fault fault;
    bool dead = is_down(state) && !state->has_job;
    if (!is_usable(d, &fault)) {
        end_step(d, false, fault.text);
    } else if (is(state->sub, "auto-restart") || (dead && d->accepted)) {
        fail_start(d);
    } else if (is_up(state) && !state->has_job) {
        settle(d);
    } else if (dead && is(state->active, "failed") && !d->reset) {
        d->reset = true;
        ask(d, BUS_UNIT_RESET);
    } else if (dead || (is_down(state) && !d->asked)) {
        runtime_progress(d->runtime, -1, "starting the unit %s", d->name);
        ask(d, BUS_UNIT_START);
    } else {
        rest(d);
    }
}

/* --- reinit and restore --- */

static void on_ran(void *driver, bool ok, const char *text)
{
    struct driver *d = driver;
    d->running = false;
    d->ran = true;
    d->asked = d->accepted = false; /* what was asked for was to stop */
    if (!ok)
        end_step(d, false, text);
    else
        look(d);
}

/* The unit is stopped: what is left is the command, and to tell systemd. */
static void install(struct driver *d)
{
    if (d->running)
        return;
    if (!d->ran && settings_given(d->settings, SETTING_SYSTEMD_REINIT)) {
        d->running = true;
        runtime_run(d->runtime, SETTING_SYSTEMD_REINIT, d->job, on_ran, d);
    } else if (d->unit.state.needs_reload && !d->reloaded) {
        d->reloaded = true;
        ask(d, BUS_UNIT_RELOAD);
    } else {
        end_with(d, true,
                 d->ran ? "systemd.reinit is done, and %s is stopped"
                        : "nothing to do: systemd.reinit is not set, and %s is stopped",
                 d->name);
    }
}

/* --- the circle --- */

static void decide(struct driver *d)
{
    const struct bus_unit_state *state = &d->unit.state;
    struct fault fault;
    if (d->unit.demand != NULL || d->running)
        return;
    bool given = settings_given(d->settings, SETTING_SYSTEMD_REINIT);
    bool last = d->job->step == STEP_START || (d->job->step == STEP_RESTORE && !given);
    if (last || (d->ran && d->job->step == STEP_RESTORE && (d->reloaded || !state->needs_reload)))
        start(d);
    else if (!is_down(state))
        stop(d);
    else if (state->has_job && d->asked)
        rest(d);
    else if (is(state->load, "not-found") && !is_usable(d, &fault))
        end_step(d, false, fault.text);
    else if (d->job->step == STEP_STOP)
        end_with(d, true, "the unit %s is stopped", d->name);
    else
        install(d);
}

static void on_looked(void *owner, bool ok, const char *text)
{
    struct driver *d = owner;
    if (d->look_again) {
        d->look_again = false;
        bus_unit_look(&d->unit);
        return;
    }
    rest(d);
    end_check(d, ok, text);
    if (!ok) {
        d->health = RUNTIME_UNKNOWN;
        runtime_changed(d->runtime, "%s", text);
        if (d->job != NULL && !d->running)
            end_step(d, false, text);
        return;
    }
    d->lost_since_ms = 0;
    if (!is_up(&d->unit.state) || d->active_since != d->unit.state.active_since)
        d->active_ms = zclock_mono();
    d->active_since = d->unit.state.active_since;
    note_health(d);
    if (d->job != NULL)
        decide(d);
}

static void on_asked(void *owner, bool ok, const char *text)
{
    struct driver *d = owner;
    bool optional = d->job != NULL && d->job->step != STEP_REINIT && !d->asked;
    if (d->job == NULL)
        return;
    if (!ok &&
        !optional) { /* to forget a failure needs a right of its own, and is not needed each time */
        end_step(d, false, text);
        return;
    }
    d->accepted = d->asked;
    look(d);
}

static void on_stirred(void *owner)
{
    struct driver *d = owner;
    wake_set(d->wake, SOON_MS);
}

static void look(struct driver *d)
{
    if (bus_now(d->bus) == NULL)
        wake_set(d->wake, 0);
    else if (d->unit.look != NULL)
        d->look_again = true;
    else
        bus_unit_look(&d->unit);
}

/* --- the bus --- */

static void on_lost(void *owner, const char *text)
{
    struct driver *d = owner;
    bus_unit_end(&d->unit);
    d->look_again = false;
    d->health = RUNTIME_UNKNOWN;
    if (d->lost_since_ms == 0)
        d->lost_since_ms = zclock_mono();
    rest(d);
    end_check(d, false, text);
    runtime_changed(d->runtime, "%s", text);
    if (d->job != NULL && !d->running && zclock_mono() - d->lost_since_ms >= LOST_MAX_MS)
        end_step(d, false, text);
    else if (d->job != NULL)
        runtime_progress(d->runtime, -1, "%s", text);
}

static void on_wake(void *owner)
{
    struct driver *d = owner;
    if (bus_now(d->bus) == NULL) {
        bus_connect(d->bus);
        bus_unit_begin(&d->unit);
        if (bus_now(d->bus) == NULL)
            return; /* on_lost() follows */
    }
    look(d);
}

/* --- the driver --- */

static void step(void *driver, const struct runtime_job *job)
{
    struct driver *d = driver;
    assert(d->job == NULL);
    d->job = job;
    d->asked = d->accepted = d->ran = d->running = d->reset = d->reloaded = false;
    d->lost_since_ms = 0;
    d->active_ms = zclock_mono();
    look(d);
}

static void check(void *driver, const char *target)
{
    struct driver *d = driver;
    d->checking = true;
    (void)snprintf(d->check_target, sizeof d->check_target, "%s", target);
    look(d);
}

static void supervise(void *driver)
{
    look(driver);
}

static enum runtime_health health(void *driver)
{
    return ((const struct driver *)driver)->health;
}

static const char *installed(void *driver)
{
    (void)driver;
    return "";
}

static void destroy(void *driver, bool stop_node)
{
    struct driver *d = driver;
    (void)stop_node;
    bus_unit_end(&d->unit);
    bus_destroy(&d->bus);
    wake_destroy(&d->wake);
    free(d);
}

static bool read_settings(const struct settings *settings, char name[BUS_UNIT_NAME_MAX],
                          struct fault *fault)
{
    const char *text = settings_text(settings, SETTING_SYSTEMD_UNIT);
    if (text == NULL)
        return fault_set(fault, "systemd.unit is not set: expected the name of the node's unit");
    if (!bus_unit_name(text, name))
        return fault_set(
            fault, "systemd.unit: \"%.60s\" is no unit's name; expected one like node.service",
            text);
    const char *address = settings_text(settings, SETTING_SYSTEMD_BUS);
    if (address != NULL && (strchr(address, ':') == NULL || strchr(address, '=') == NULL))
        return fault_set(fault,
                         "systemd.bus: \"%.60s\" is no address; expected one like "
                         "unix:path=/run/dbus/system_bus_socket",
                         address);
    return runtime_run_check(settings, SETTING_SYSTEMD_REINIT, fault);
}

static void *create(struct runtime *runtime, const struct runtime_config *config,
                    struct fault *fault)
{
    char name[BUS_UNIT_NAME_MAX];
    if (!read_settings(config->settings, name, fault))
        return NULL;
    struct driver *d = calloc(1, sizeof *d);
    assert(d != NULL);
    memcpy(d->name, name, sizeof name);
    d->runtime = runtime;
    d->settings = config->settings;
    d->bus = bus_create(
        &(struct bus_config){.loop = config->loop,
                             .address = settings_text(config->settings, SETTING_SYSTEMD_BUS),
                             .owner = d,
                             .lost = on_lost});
    d->unit = (struct bus_unit){.bus = d->bus,
                                .name = d->name,
                                .owner = d,
                                .looked = on_looked,
                                .asked = on_asked,
                                .stirred = on_stirred};
    d->wake = wake_create(config->loop, on_wake, d);
    assert(d->wake != NULL);
    wake_set(d->wake, 0);
    return d;
}

const struct runtime_driver runtime_systemd = {
    .kind = RUNTIME_SYSTEMD,
    .name = "systemd",
    .create = create,
    .destroy = destroy,
    .supervise = supervise,
    .check = check,
    .step = step,
    .health = health,
    .installed = installed,
};
