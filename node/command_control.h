/* Commands to the running agent: what their files share. Each asks over the control socket (control.h), prints what it
 * hears, and ends with the status that the answer names; 3 when no agent can be asked.
 */
#ifndef STAGGER_NODE_COMMAND_CONTROL_H
#define STAGGER_NODE_COMMAND_CONTROL_H

#include <jansson.h>

#include "node/commands.h"
#include "node/options.h"

/* What every one of them takes: agent.dir and agent.control. */
extern const enum setting control_settings[];
#define CONTROL_SETTINGS 2

struct control_talk {
    const char *command;
    const struct settings *settings;
    bool json;          /* print what comes instead of telling it */
    int64_t timeout_ms; /* -1: as long as it takes */
    void *owner;
    void (*more)(void *owner, const json_t *object); /* news, unless json */
    void (*answer)(void *owner, const json_t *object);
};

/* Takes the request. A refusal is told on standard error, with json on standard output too. */
enum command_status control_talk(const struct control_talk *talk, json_t *request);

/* `stagger turns --agent` */
enum command_status control_turns(const char *command, const struct settings *settings, bool json);

/* --- values of an answer; what is not there is "", 0 or false --- */

const char *in_text(const json_t *object, const char *key);
int64_t in_number(const json_t *object, const char *key);
bool in_bool(const json_t *object, const char *key);

/* --- for people; texts are made harmless --- */

#define ABOUT_MAX 32
const char *about_ms(int64_t ms, char text[ABOUT_MAX]); /* "about 4 min" */

/* The sentences in "said", a line each. */
void print_said(const json_t *object);

/* "in about 4 min: ..." of an "estimate"; false when it is null. */
bool print_estimate(const char *label, const json_t *object);

/* A duration of an option; false with a fault. */
MUST_CHECK bool take_span(const char *value, int64_t max_ms, int64_t *ms, struct fault *fault);

#endif
