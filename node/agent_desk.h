/* The agent's desk: what operators may ask over the control socket, and who waits for what.
 *
 *     control.h --> agent_request_read() --> status, ok-to-stop, turns, explain    one answer           agent_status*.c
 *                                       |--> pause, reboot, unpause, hold ...      EVENT_OPERATOR       agent_operator.c
 *                                       +--> wait, or --wait behind one of them    a waiter, judged     agent_wait.c
 *                                                                                  at every change
 *
 * A command is rehearsed before it is given: coord_step() is a pure function, so a copy of the core tells whether it
 * would be refused and why; the real step then says the same. Nothing else outside agent_step.c calls it.
 *
 * An answer is {"ok":true,...} or {"ok":false,"status":S,"code":C,"text":T}, S being the exit status of the command that
 * asked (commands.h). News before it hold "more":true. The keys are promises: COMMANDS.md.
 */
#ifndef STAGGER_NODE_AGENT_DESK_H
#define STAGGER_NODE_AGENT_DESK_H

#include "node/agent_internal.h"
#include "node/commands.h"

enum agent_question {
    ASK_STATUS,
    ASK_OK_TO_STOP,
    ASK_TURNS,
    ASK_EXPLAIN,
    ASK_WAIT,
    ASK_PAUSE,
    ASK_UNPAUSE,
    ASK_HOLD,
    ASK_UNHOLD,
    ASK_UNFREEZE,
    ASK_REBOOT,
};

/* What somebody waits for. */
enum agent_goal {
    GOAL_NONE,
    GOAL_OUT,  /* out of the set, the node may be or is being worked on */
    GOAL_BACK, /* in the set and between turns */
    GOAL_DONE, /* nothing is wanted or under way; it fails when the last work was given up */
    GOAL_IDLE, /* the same, whatever became of it */
};

#define EXPECTED_UNSAID (-1)

struct agent_request {
    enum agent_question question;
    bool watch, wait, force, has_epoch;
    uint64_t epoch;
    int64_t expected_ms; /* EXPECTED_UNSAID: the settings' */
    char reason[200];    /* of a pause */
    char target[RUNTIME_TARGET_MAX];
    enum agent_goal goal;
};

/* False with a fault that names the key, what was expected and what to do. */
MUST_CHECK bool agent_request_read(const json_t *object, struct agent_request *request,
                                   struct fault *fault);

/* What a watcher has been told; it hears again when one of these has changed. */
struct agent_shown {
    uint64_t said_count, head;
    enum agent_stage stage;
    enum coord_state state;
    enum coord_step_kind step;
    int percent;
    uint32_t why; /* a hash of the sentence */
};

struct agent_waiter {
    struct control_client *client; /* NULL: nobody */
    bool watch;                    /* the whole status at every change */
    enum agent_goal goal;
    bool commanded;         /* behind a command of its own, */
    enum coord_command own; /* this one */
    bool installed;         /* a reinitialisation has succeeded since */
    struct agent_shown shown;
};

struct agent_desk {
    struct agent_waiter waiters[CONTROL_CLIENTS_MAX];
    /* a reboot whose target is being looked at */
    struct control_client *checking; /* NULL: none, or it has gone */
    bool check_open;
    struct agent_request reboot;
};

/* --- agent_control.c --- */

json_t *agent_refusal(enum command_status status, const char *code, const char *text);

/* --- agent_operator.c --- */

/* Each answers the client, or keeps it as a waiter. */
void agent_operator(struct agent *agent, struct control_client *client,
                    const struct agent_request *request);
void agent_operator_gone(struct agent *agent, const struct control_client *client);

/* --- agent_wait.c --- */

void agent_wait(struct agent *agent, struct agent_waiter waiter);
void agent_wait_look(struct agent *agent); /* whose time has come, and who is to be told news */
void agent_wait_gone(struct agent *agent, const struct control_client *client);
void agent_wait_end(struct agent *agent); /* the agent stops: everybody is told */

/* --- agent_status*.c; all of them new references --- */

/* The core runs, and the view knows the core's head. */
bool agent_is_ready(const struct agent *agent);
const struct draw *agent_draw(const struct agent *agent); /* the present one; NULL: none */
bool agent_in_set(const struct agent *agent);             /* V(head + 1); needs agent_is_ready() */
struct instant agent_chain_time(const struct agent *agent); /* the chain's clock, now */
bool agent_wants_turn(const struct agent *agent);

json_t *agent_said_since(const struct agent *agent, uint64_t count, enum coord_level least);
json_t *agent_validator_json(const struct agent *agent, uint32_t validator);
const char *agent_state_sentence(const struct agent *agent);

/* Why nothing happens: code and sentence; *code is NULL when nothing stands in the way. */
struct agent_reason {
    const char *code; /* of coord.h, view.h, or "agent", "node" */
    char sentence[FAULT_MAX];
};
struct agent_reason agent_why(const struct agent *agent);
json_t *agent_why_json(const struct agent *agent); /* null without one */
/* Why the draw gave us nothing, with our place. */
void agent_no_place(const struct draw *draw, enum view_reason reason, uint32_t rank, char *text,
                    size_t size);

/* How long until our turn, or until we are back; rough, and says from what. */
struct agent_estimate {
    bool known;
    const char *what; /* "turn", "return"; NULL: nothing to be estimated */
    int64_t in_ms;
    char from[240];
};
struct agent_estimate agent_estimate(const struct agent *agent);
json_t *agent_estimate_json(const struct agent *agent);

json_t *agent_ok_to_stop(const struct agent *agent);
json_t *agent_turns(const struct agent *agent);
json_t *agent_explain(const struct agent *agent, bool has_epoch, uint64_t epoch);

#endif
