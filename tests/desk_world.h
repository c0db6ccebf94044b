/* The agent's desk over a member's world: a struct agent made by hand, asked over a real socket. What agent.c and
 * agent_step.c give the desk is replaced by stand-ins, which let the world make the step.
 */
#ifndef STAGGER_TESTS_DESK_WORLD_H
#define STAGGER_TESTS_DESK_WORLD_H

#include "node/agent_desk.h"
#include "tests/control_probe.h"
#include "tests/member_world.h"

extern struct member_world desk_world;
extern struct agent *desk_agent;

/* Ten members at block 4, of which we are the first; the desk's socket in a directory of its own. */
int desk_begin(void **state);
int desk_end(void **state);

/* --- what happens; the desk is told each time --- */

void desk_changed(void);
void desk_blocks(uint32_t count);
void desk_until(enum coord_state state);

/* --- asking --- */

struct probe desk_probe(void);
json_t *desk_ask(const char *request);

/* Reads news until the answer comes. */
json_t *desk_hear_answer(struct probe *probe);

/* The client has had news only, all of which is read. */
void desk_expect_waiting(struct probe *probe);

/* It is answered so, and the connection ends; a failure has status 4. */
void desk_expect_answer(struct probe *probe, bool ok, const char *code);

/* The request is refused at once, in a sentence that holds this part. */
void desk_expect_refusal(const char *request, int status, const char *code, const char *part);

/* --- answers --- */

const char *desk_text_in(const json_t *object, const char *key);           /* "(none)" */
const json_t *desk_at(const json_t *object, const char *a, const char *b); /* b may be NULL */
int64_t desk_number(const json_t *object, const char *a, const char *b);   /* likewise */
bool desk_holds_code(const json_t *reasons, const char *code);
bool desk_was_said(const json_t *object, const char *part);

#endif
