#include "node/runtime.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/errand.h"
#include "node/wake.h"

#define NOTHING "-" /* in the kept line */
#define VARIABLE_MAX 280
#define PATH_ROOM 4096

enum phase { PHASE_IDLE, PHASE_PRE, PHASE_DRIVER, PHASE_POST, PHASE_ENDED };
enum variable {
    VARIABLE_STEP,
    VARIABLE_HOOK,
    VARIABLE_TARGET,
    VARIABLE_PREVIOUS,
    VARIABLE_ATTEMPT,
    VARIABLE_CHAIN,
    VARIABLE_VALIDATOR,
    VARIABLE_HEIGHT,
    VARIABLE_COUNT,
};

/* One command at a time for the step, one for health. */
struct run {
    struct runtime *runtime;
    struct errand *errand;
    enum setting setting;
    runtime_run_done *done;
    void *driver;
    bool due, ok; /* ended already, to be told in the next round */
    char text[RUNTIME_TEXT_MAX];
};

struct runtime {
    struct runtime_config config;
    char *dir;
    const struct runtime_driver *driver;
    void *state;
    struct wake *wake;
    char target[RUNTIME_TARGET_MAX], previous[RUNTIME_TARGET_MAX], word[RUNTIME_WORD_MAX];

    enum phase phase;
    struct runtime_job job;
    bool ended_ok;
    char ended_text[RUNTIME_TEXT_MAX];

    void (*checked)(void *owner, bool ok, const char *text);
    bool checked_due, checked_ok;
    char checked_text[RUNTIME_TEXT_MAX];

    struct run runs[2]; /* of the step, of health */
    enum runtime_health told;
    char told_text[RUNTIME_TEXT_MAX];
};

static const struct runtime_driver *const drivers[] = {
    [RUNTIME_NONE] = &runtime_none,       [RUNTIME_PROCESS] = &runtime_process,
    [RUNTIME_DOCKER] = &runtime_docker,   [RUNTIME_SYSTEMD] = &runtime_systemd,
    [RUNTIME_COMMAND] = &runtime_command,
};

static const struct {
    const char *name;
    enum setting pre, post;
} steps[] = {
    [STEP_NONE] = {"health", SETTING_COUNT, SETTING_COUNT},
    [STEP_STOP] = {"stop", SETTING_HOOKS_PRE_STOP, SETTING_HOOKS_POST_STOP},
    [STEP_REINIT] = {"reinit", SETTING_HOOKS_PRE_REINIT, SETTING_HOOKS_POST_REINIT},
    [STEP_START] = {"start", SETTING_HOOKS_PRE_START, SETTING_HOOKS_POST_START},
    [STEP_RESTORE] = {"restore", SETTING_COUNT, SETTING_COUNT},
};

/* --- what is kept --- */

bool runtime_target_is_valid(const char *target)
{
    size_t length = strlen(target);
    for (const char *at = target; *at; at++)
        if (*at <= ' ' || *at > '~')
            return false;
    return length < RUNTIME_TARGET_MAX && strcmp(target, NOTHING) != 0;
}

static const char *or_nothing(const char *word)
{
    return *word ? word : NOTHING;
}

static bool keep(struct runtime *runtime, const char *target, const char *previous,
                 const char *word)
{
    char line[RUNTIME_KEPT_MAX];
    int length = snprintf(line, sizeof line, "%s %s %s %s", runtime->driver->name,
                          or_nothing(target), or_nothing(previous), or_nothing(word));
    assert(length < (int)sizeof line);
    if (!runtime->config.keep(runtime->config.owner, line))
        return false;
    memmove(runtime->target, target, strlen(target) + 1);
    memmove(runtime->previous, previous, strlen(previous) + 1);
    memmove(runtime->word, word, strlen(word) + 1);
    return true;
}

/* The next word of the line, "" for none. */
static const char *kept_word(const char *line, char *out, size_t room)
{
    size_t length = strcspn(line, " ");
    bool some =
        length < room && !(length == strlen(NOTHING) && strncmp(line, NOTHING, length) == 0);
    snprintf(out, room, "%.*s", some ? (int)length : 0, line);
    return line + length + (line[length] == ' ');
}

/* What another driver kept says nothing about this one's installation, but the target remains what was wished. */
static void kept_read(struct runtime *runtime, const char *line)
{
    char name[16];
    line = kept_word(line, name, sizeof name);
    line = kept_word(line, runtime->target, sizeof runtime->target);
    if (!runtime_target_is_valid(runtime->target))
        runtime->target[0] = '\0';
    if (strcmp(name, runtime->driver->name) != 0)
        return;
    line = kept_word(line, runtime->previous, sizeof runtime->previous);
    (void)kept_word(line, runtime->word, sizeof runtime->word);
}

bool runtime_aim(struct runtime *runtime, const char *target, struct fault *fault)
{
    if (!runtime_target_is_valid(target))
        return fault_set(fault,
                         "\"%.40s\" is no target; expected the name of an upgrade or an image: at "
                         "most %d printable characters without blanks",
                         target, RUNTIME_TARGET_MAX - 1);
    if (!keep(runtime, target, "", ""))
        return fault_set(fault, "the target cannot be kept: the journal cannot be written");
    return true;
}

const char *runtime_target(const struct runtime *runtime)
{
    return runtime->target;
}

bool runtime_keep(struct runtime *runtime, const char *word)
{
    assert(strlen(word) < RUNTIME_WORD_MAX && !strpbrk(word, " \n") && strcmp(word, NOTHING) != 0);
    return strcmp(word, runtime->word) == 0 ||
           keep(runtime, runtime->target, runtime->previous, word);
}

const char *runtime_kept(const struct runtime *runtime)
{
    return runtime->word;
}

/* --- commands --- */

static void on_run_line(void *owner, const char *text)
{
    const struct run *run = owner;
    const struct setting_row *row = setting_row(run->setting);
    runtime_progress(run->runtime, -1, "%s.%s: %s", row->section, row->key, text);
}

static void run_end(struct run *run, bool ok, const char *text)
{
    const struct setting_row *row = setting_row(run->setting);
    run->errand = NULL;
    run->ok = ok;
    snprintf(run->text, sizeof run->text, "%s.%s: %s", row->section, row->key, text);
}

/* done() may begin the next one in the same place. */
static void run_tell(struct run *run)
{
    char text[RUNTIME_TEXT_MAX];
    runtime_run_done *done = run->done;
    memcpy(text, run->text, sizeof text);
    run->due = false;
    run->done = NULL;
    done(run->driver, run->ok, text);
}

static void on_run_done(void *owner, bool ok, const char *text)
{
    run_end(owner, ok, text);
    run_tell(owner);
}

static void run_variables(const struct runtime *runtime, const struct run *run,
                          const struct runtime_job *job,
                          char variables[VARIABLE_COUNT][VARIABLE_MAX])
{
    const struct runtime_facts *facts = runtime->config.facts;
    enum coord_step_kind step = job ? job->step : STEP_NONE;
    const char *hook = run->setting == steps[step].pre    ? "pre"
                       : run->setting == steps[step].post ? "post"
                                                          : "";
    snprintf(variables[VARIABLE_STEP], VARIABLE_MAX, "STAGGER_TURN_STEP=%s", steps[step].name);
    snprintf(variables[VARIABLE_HOOK], VARIABLE_MAX, "STAGGER_TURN_HOOK=%s", hook);
    snprintf(variables[VARIABLE_TARGET], VARIABLE_MAX, "STAGGER_TURN_TARGET=%s", runtime->target);
    snprintf(variables[VARIABLE_PREVIOUS], VARIABLE_MAX, "STAGGER_TURN_PREVIOUS=%s",
             runtime->previous);
    snprintf(variables[VARIABLE_ATTEMPT], VARIABLE_MAX, "STAGGER_TURN_ATTEMPT=%" PRIu32,
             facts->attempt);
    snprintf(variables[VARIABLE_CHAIN], VARIABLE_MAX, "STAGGER_TURN_CHAIN=%.63s", facts->chain_id);
    snprintf(variables[VARIABLE_VALIDATOR], VARIABLE_MAX, "STAGGER_TURN_VALIDATOR=%.40s",
             facts->validator);
    snprintf(variables[VARIABLE_HEIGHT], VARIABLE_MAX, "STAGGER_TURN_HEIGHT=%" PRIu64,
             facts->height);
}

static struct errand *run_begin(struct run *run, char **words, const struct runtime_job *job,
                                struct fault *fault)
{
    const struct runtime *runtime = run->runtime;
    char variables[VARIABLE_COUNT][VARIABLE_MAX];
    char *environment[VARIABLE_COUNT + 1] = {0}, output[PATH_ROOM], mark[PATH_ROOM];
    run_variables(runtime, run, job, variables);
    for (size_t i = 0; i < VARIABLE_COUNT; i++)
        environment[i] = variables[i];
    snprintf(output, sizeof output, "%s/commands.log", runtime->dir);
    snprintf(mark, sizeof mark, "%s/command.pid", runtime->dir);
    struct errand_config config = {
        .loop = runtime->config.loop,
        .argv = words,
        .environment = environment,
        .timeout_ms = settings_ms(runtime->config.settings, SETTING_HOOKS_TIMEOUT),
        .output = output,
        .mark = job ? mark : NULL,
        .owner = run,
        .line = job ? on_run_line : NULL,
        .done = on_run_done,
    };
    return errand_run(&config, fault);
}

void runtime_run(struct runtime *runtime, enum setting setting, const struct runtime_job *job,
                 runtime_run_done *done, void *driver)
{
    struct run *run = &runtime->runs[job ? 0 : 1];
    struct fault fault = {""};
    const char *text = settings_text(runtime->config.settings, setting);
    assert(!run->done);
    *run = (struct run){.runtime = runtime, .setting = setting, .done = done, .driver = driver};
    char **words = text ? settings_words(text, &fault) : NULL;
    run->errand = words ? run_begin(run, words, job, &fault) : NULL;
    free(words);
    if (run->errand)
        return;
    run_end(run, !text, text ? fault.text : "nothing to do");
    run->due = true;
    wake_set(runtime->wake, 0);
}

bool runtime_run_check(const struct settings *settings, enum setting setting, struct fault *fault)
{
    const char *text = settings_text(settings, setting);
    const struct setting_row *row = setting_row(setting);
    char **words = text ? settings_words(text, fault) : NULL;
    char place[64];
    snprintf(place, sizeof place, "%s.%s", row->section, row->key);
    bool good = !text || words;
    free(words);
    return good || fault_within(fault, place);
}

/* --- steps --- */

static void step_end(struct runtime *runtime, bool ok, const char *text)
{
    runtime->phase = PHASE_ENDED;
    runtime->ended_ok = ok;
    if (text != runtime->ended_text)
        snprintf(runtime->ended_text, sizeof runtime->ended_text, "%s", text);
    wake_set(runtime->wake, 0);
}

static void on_post(void *owner, bool ok, const char *text)
{
    struct runtime *runtime = owner;
    assert(runtime->phase == PHASE_POST);
    step_end(runtime, ok, ok ? runtime->ended_text : text);
}

static bool is_given(const struct runtime *runtime, enum setting setting)
{
    return setting != SETTING_COUNT && settings_given(runtime->config.settings, setting);
}

void runtime_ended(struct runtime *runtime, bool ok, const char *format, ...)
{
    va_list arguments;
    char text[RUNTIME_TEXT_MAX];
    enum setting post = steps[runtime->job.step].post;
    assert(runtime->phase == PHASE_DRIVER);
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (!ok || !is_given(runtime, post)) {
        step_end(runtime, ok, text);
        return;
    }
    memcpy(runtime->ended_text, text, sizeof text);
    runtime->phase = PHASE_POST;
    runtime_run(runtime, post, &runtime->job, on_post, runtime);
}

/* Before anything is touched, by a hook or the driver, it is noted what there is. */
static bool step_note(struct runtime *runtime)
{
    if (runtime->job.step == STEP_STOP && (*runtime->previous || *runtime->word))
        return keep(runtime, runtime->target, "", "");
    const char *installed = runtime_installed(runtime);
    if (runtime->job.step == STEP_REINIT && !*runtime->previous && *installed)
        return keep(runtime, runtime->target, installed, runtime->word);
    return true;
}

static void step_drive(struct runtime *runtime)
{
    runtime->phase = PHASE_DRIVER;
    runtime->driver->step(runtime->state, &runtime->job);
}

static void on_pre(void *owner, bool ok, const char *text)
{
    struct runtime *runtime = owner;
    assert(runtime->phase == PHASE_PRE);
    if (ok)
        step_drive(runtime);
    else
        step_end(runtime, false, text);
}

void runtime_step(struct runtime *runtime, enum coord_step_kind step)
{
    assert(runtime->phase == PHASE_IDLE);
    if (step == STEP_NONE)
        return;
    runtime->job = (struct runtime_job){step, runtime->target, runtime->previous};
    if (!step_note(runtime)) {
        step_end(runtime, false,
                 "nothing was done: what stands there now cannot be noted, because the journal "
                 "cannot be written");
        return;
    }
    if (!is_given(runtime, steps[step].pre)) {
        step_drive(runtime);
        return;
    }
    runtime->phase = PHASE_PRE;
    runtime_run(runtime, steps[step].pre, &runtime->job, on_pre, runtime);
}

/* --- checks --- */

void runtime_check(struct runtime *runtime, const char *target,
                   void (*checked)(void *owner, bool ok, const char *text))
{
    runtime->checked = checked;
    runtime->checked_due = false;
    if (!runtime_target_is_valid(target))
        runtime_checked(runtime, false, "\"%.40s\" is no target", target);
    else
        runtime->driver->check(runtime->state, target);
}

void runtime_checked(struct runtime *runtime, bool ok, const char *format, ...)
{
    va_list arguments;
    assert(runtime->checked);
    va_start(arguments, format);
    (void)vsnprintf(runtime->checked_text, sizeof runtime->checked_text, format, arguments);
    va_end(arguments);
    runtime->checked_due = true;
    runtime->checked_ok = ok;
    wake_set(runtime->wake, 0);
}

/* --- what is told --- */

void runtime_progress(struct runtime *runtime, int percent, const char *format, ...)
{
    va_list arguments;
    char text[RUNTIME_TEXT_MAX];
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    runtime->config.progress(runtime->config.owner, percent, text);
}

void runtime_changed(struct runtime *runtime, const char *format, ...)
{
    va_list arguments;
    char text[RUNTIME_TEXT_MAX];
    enum runtime_health health = runtime_health(runtime);
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (health == runtime->told && strcmp(text, runtime->told_text) == 0)
        return;
    runtime->told = health;
    memcpy(runtime->told_text, text, sizeof text);
    runtime->config.changed(runtime->config.owner, health, text);
}

static void tell_ended(struct runtime *runtime)
{
    char text[RUNTIME_TEXT_MAX];
    enum coord_step_kind step = runtime->job.step;
    memcpy(text, runtime->ended_text, sizeof text);
    runtime->phase = PHASE_IDLE;
    runtime->config.ended(runtime->config.owner, step, runtime->ended_ok, text);
}

static void tell_checked(struct runtime *runtime)
{
    char text[RUNTIME_TEXT_MAX];
    void (*checked)(void *owner, bool ok, const char *text) = runtime->checked;
    memcpy(text, runtime->checked_text, sizeof text);
    runtime->checked_due = false;
    runtime->checked = NULL;
    checked(runtime->config.owner, runtime->checked_ok, text);
}

/* What ended within a call that came from the owner. */
static void on_wake(void *owner)
{
    struct runtime *runtime = owner;
    bool ended = runtime->phase == PHASE_ENDED, checked = runtime->checked_due;
    for (size_t i = 0; i < 2; i++)
        if (runtime->runs[i].due)
            run_tell(&runtime->runs[i]);
    if (checked)
        tell_checked(runtime);
    if (ended)
        tell_ended(runtime);
}

/* --- life --- */

static bool hooks_check(const struct settings *settings, struct fault *fault)
{
    for (enum coord_step_kind step = STEP_STOP; step <= STEP_START; step++)
        if (!runtime_run_check(settings, steps[step].pre, fault) ||
            !runtime_run_check(settings, steps[step].post, fault))
            return false;
    return true;
}

static const struct runtime_driver *driver_find(const struct settings *settings,
                                                struct fault *fault)
{
    uint32_t kind = settings_choice(settings, SETTING_RUNTIME_DRIVER);
    if (kind < sizeof drivers / sizeof drivers[0] && drivers[kind])
        return drivers[kind];
    (void)fault_set(fault, "runtime.driver: this one is not part of this program");
    return NULL;
}

struct runtime *runtime_create(const struct runtime_config *config, struct fault *fault)
{
    const struct runtime_driver *driver = driver_find(config->settings, fault);
    if (!driver || !hooks_check(config->settings, fault))
        return NULL;
    struct runtime *runtime = calloc(1, sizeof *runtime);
    assert(runtime);
    runtime->config = *config;
    runtime->driver = driver;
    runtime->dir = strdup(config->dir);
    runtime->wake = wake_create(config->loop, on_wake, runtime);
    assert(runtime->dir);
    runtime->config.dir = runtime->dir;
    kept_read(runtime, config->kept);
    if (!runtime->wake)
        (void)fault_set(fault, "the runtime cannot be begun: no more descriptors");
    else
        runtime->state = driver->create(runtime, &runtime->config, fault);
    if (!runtime->state)
        runtime_destroy(&runtime, false);
    return runtime;
}

void runtime_destroy(struct runtime **pointer, bool stop_node)
{
    struct runtime *runtime = *pointer;
    if (!runtime)
        return;
    if (runtime->state)
        runtime->driver->destroy(runtime->state, stop_node);
    errand_leave(&runtime->runs[0].errand);
    errand_cancel(&runtime->runs[1].errand);
    wake_destroy(&runtime->wake);
    free(runtime->dir);
    free(runtime);
    *pointer = NULL;
}

enum runtime_kind runtime_kind(const struct runtime *runtime)
{
    return runtime->driver->kind;
}

const char *runtime_name(const struct runtime *runtime)
{
    return runtime->driver->name;
}

void runtime_supervise(struct runtime *runtime)
{
    runtime->driver->supervise(runtime->state);
}

void runtime_rest(struct runtime *runtime)
{
    if (runtime->driver->rest)
        runtime->driver->rest(runtime->state);
}

enum runtime_health runtime_health(const struct runtime *runtime)
{
    return runtime->driver->health(runtime->state);
}

const char *runtime_installed(const struct runtime *runtime)
{
    return runtime->driver->installed(runtime->state);
}
