/* The runtime: what stops, reinitialises and starts one's own node. (For operators: node/RUNTIME.md.)
 *
 *     agent -- runtime_step(STOP | REINIT | START | RESTORE) --> pre hook --> driver --> post hook --> ended()
 *                                                                   |            |           |
 *                                                                   +------- progress() -----+
 *
 * Four drivers behind struct runtime_driver:
 *
 *     process   a supervised process; the tree, links and variables of cosmovisor    node/runtime_process.c
 *     docker    a container, through the Docker Engine's socket                      node/runtime_docker.c
 *     systemd   a unit, over D-Bus                                                   node/runtime_systemd.c
 *     command   whatever the operator's commands do                                  node/runtime_command.c
 *
 * and "none": the operator runs the node himself. Pauses for maintenance need no more; a reboot is refused, with a
 * sentence that says which setting is missing.
 *
 * A step may be asked for again after the agent died in the middle of it, or when all of it is done already: it then
 * does what is left. What the node is to become is the target: the name of an upgrade (process), an image (docker), a word
 * for the commands. "" is no target: the node comes back as it was (a plain reboot).
 *
 * What must be known again after a crash (target, what stood there before, whether the host was told to reboot) is one
 * line of text, which the agent keeps in its journal: config.keep() makes it durable, config.kept gives it back. What
 * stood there before, and the driver's own word, are of one turn: runtime_aim() and the step STOP forget them, REINIT
 * notes them before the driver is asked, RESTORE goes back to them.
 *
 * The node outlives the agent: an agent that dies or is stopped leaves it running, and the next one takes it over.
 * Nothing but a step ever stops the node, but for process.on_stop = stop.
 *
 * Invariants:
 *   U1 each runtime_step() ends in exactly one ended(), never from within the call.
 *   U2 one step at a time; a driver never acts but in a step, except that it starts again what ended by itself
 *      (process), and not while the node is meant to be down.
 *   U3 nothing here waits: children, sockets and timers belong to the zloop.
 *   U4 two nodes of one validator never run at once by this agent, however often it dies.
 *
 * Hooks and commands run without a shell, in a process group of their own, with our environment and these:
 *
 *     STAGGER_TURN_STEP      stop, reinit, start, restore, health
 *     STAGGER_TURN_HOOK      pre, post, or nothing for the driver's own command
 *     STAGGER_TURN_TARGET    what the node is to become, STAGGER_TURN_PREVIOUS what it was; may be empty
 *     STAGGER_TURN_ATTEMPT   1, 2, ...
 *     STAGGER_TURN_CHAIN     chain id, STAGGER_TURN_VALIDATOR consensus address (40 hex digits)
 *     STAGGER_TURN_HEIGHT    latest block that the agent has seen
 *
 * Their output goes to DIR/commands.log and is ours, line by line (progress). Status 0 is success; another status, a signal or hooks.timeout
 * fails the step, and the core decides (tries again after limits.retry, restores, gives up). A hook that must run once
 * must make sure of that itself: it may be asked for again. One that an agent left behind when it died is waited for
 * before the next one runs, so two of them never run at once.
 *
 * STOP, REINIT and START have hooks, RESTORE has none: it is the way out when they fail.
 */
#ifndef STAGGER_NODE_RUNTIME_H
#define STAGGER_NODE_RUNTIME_H

#include <czmq.h>

#include "coord/coord.h"
#include "node/settings.h"

#define RUNTIME_TARGET_MAX 200 /* with its terminator; printable ASCII without blanks */
#define RUNTIME_KEPT_MAX 500   /* with its terminator; fits JOURNAL_NOTE_MAX */
#define RUNTIME_TEXT_MAX 300   /* of a line */
#define RUNTIME_WORD_MAX 80

enum runtime_kind {
    RUNTIME_NONE,
    RUNTIME_PROCESS,
    RUNTIME_DOCKER,
    RUNTIME_SYSTEMD,
    RUNTIME_COMMAND
};

enum runtime_health {
    RUNTIME_UNKNOWN,
    RUNTIME_DOWN,
    RUNTIME_STARTING, /* started, or about to be started again */
    RUNTIME_UP,
};

/* What hooks and commands are told; the agent keeps it up to date. */
struct runtime_facts {
    char chain_id[64];
    char validator[41];
    uint64_t height;
    uint32_t attempt;
};

struct runtime_config {
    zloop_t *loop; /* borrowed, as are settings and facts */
    const struct settings
        *settings; /* [runtime], [process], [docker], [systemd], [command], [hooks] */
    const struct runtime_facts *facts;
    const char *dir;  /* the agent's own, for logs and marks; copied */
    const char *kept; /* what an earlier run kept, "" for nothing */

    void *owner; /* of all that follow */
    /* A step ended; text: one line, what was done or what went wrong and what to do. */
    void (*ended)(void *owner, enum coord_step_kind step, bool ok, const char *text);
    /* Something to see meanwhile; percent -1: unknown. */
    void (*progress)(void *owner, int percent, const char *text);
    /* The node's state has changed; also without a step. */
    void (*changed)(void *owner, enum runtime_health health, const char *text);
    /* Makes the line durable; false: it could not, and nothing may be done that rests on it. */
    bool (*keep)(void *owner, const char *kept);
};

struct runtime;

/* NULL with a fault when a setting is wrong: which, what was expected, what to do. Nothing is started. */
struct runtime *runtime_create(const struct runtime_config *config, struct fault *fault);

/* The node goes on running, unless `stop_node` and the driver says so (process.on_stop). Calls no callback. */
void runtime_destroy(struct runtime **runtime, bool stop_node);

enum runtime_kind runtime_kind(const struct runtime *runtime);
const char *runtime_name(const struct runtime *runtime); /* "process" */

/* Between turns: the node is meant to be up. Starts it if it is down, takes over one that runs. No step, no hooks. */
void runtime_supervise(struct runtime *runtime);

/* The operator works on the node by hand (a maintenance): what ends is left as it is, until runtime_supervise() or
 * a START. */
void runtime_rest(struct runtime *runtime);

/* Whether the target can be installed: its directory and binary, its image, are there. checked() once, never from within
 * the call. A second call replaces the first. */
void runtime_check(struct runtime *runtime, const char *target,
                   void (*checked)(void *owner, bool ok, const char *text));

/* From now on REINIT installs this; kept. False with a fault when it is no target or cannot be kept. Once for each
 * errand, and not after a crash in the middle of it: what stood there before the turn is forgotten. */
MUST_CHECK bool runtime_aim(struct runtime *runtime, const char *target, struct fault *fault);
const char *runtime_target(const struct runtime *runtime);
bool runtime_target_is_valid(const char *target);

/* Carries out a step; STEP_NONE is none. A step under way must have ended. */
void runtime_step(struct runtime *runtime, enum coord_step_kind step);

enum runtime_health runtime_health(const struct runtime *runtime);

/* What is installed: "v2", "sha256:...", "" when the driver cannot know. Borrowed. */
const char *runtime_installed(const struct runtime *runtime);

/* --- for drivers --- */

struct runtime_job {
    enum coord_step_kind step;
    const char *target, *previous; /* "" for none */
};

struct runtime_driver {
    enum runtime_kind kind;
    const char *name;
    void *(*create)(struct runtime *runtime, const struct runtime_config *config,
                    struct fault *fault);
    void (*destroy)(void *driver, bool stop_node);
    void (*supervise)(void *driver);
    void (*rest)(void *driver); /* may be NULL */
    /* Ends in runtime_checked(), also from within the call; a second check replaces the first. */
    void (*check)(void *driver, const char *target);
    /* Ends in runtime_ended(), also from within the call; the job is valid until then. */
    void (*step)(void *driver, const struct runtime_job *job);
    enum runtime_health (*health)(void *driver);
    const char *(*installed)(void *driver);
};

extern const struct runtime_driver runtime_none, runtime_process, runtime_docker, runtime_systemd,
    runtime_command;

__attribute__((format(printf, 3, 4))) void runtime_ended(struct runtime *runtime, bool ok,
                                                         const char *format, ...);
__attribute__((format(printf, 3, 4))) void runtime_checked(struct runtime *runtime, bool ok,
                                                           const char *format, ...);
__attribute__((format(printf, 3, 4))) void runtime_progress(struct runtime *runtime, int percent,
                                                            const char *format, ...);
/* The driver's health() is now what it says there; a repetition is not told again. */
__attribute__((format(printf, 2, 3))) void runtime_changed(struct runtime *runtime,
                                                           const char *format, ...);

/* Runs the command that a setting holds, as described above; nothing to do when it is not given. Lines are progress.
 * done() once, never from within the call; text is a sentence that names the setting: "hooks.pre_stop: ended with
 * status 3". One at a time for steps, and one for STEP_NONE, which is "health". `job` may be NULL. */
typedef void runtime_run_done(void *driver, bool ok, const char *text);
void runtime_run(struct runtime *runtime, enum setting setting, const struct runtime_job *job,
                 runtime_run_done *done, void *driver);
/* False with a fault when the setting's words cannot be taken apart; for create(). */
MUST_CHECK bool runtime_run_check(const struct settings *settings, enum setting setting,
                                  struct fault *fault);

/* One word of the driver's own that is kept with the target ("" for none), until the next STOP or target; false: not
 * durable, and nothing may be done that rests on it. RUNTIME_WORD_MAX with its terminator, no blanks. */
MUST_CHECK bool runtime_keep(struct runtime *runtime, const char *word);
const char *runtime_kept(const struct runtime *runtime);

#endif
