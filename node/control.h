/* The control socket: how commands of this machine reach the running agent.
 *
 *     stagger status --> connect DIR/control (0600) --> {"command":"status"}\n
 *                                                   <-- {"ok":true,...}\n              one answer
 *     stagger wait   --> {"command":"wait",...}\n   <-- {"more":true,...}\n ... {"ok":true,...}\n   until it is over
 *
 * One JSON object a line, both ways; one request a connection. What stands in requests and answers is COMMANDS.md's to
 * say. A request that is none is answered at once: {"ok":false,"status":1,"code":"bad-request","text":...}. A client
 * that shuts its sending side down is answered all the same (`echo '{"command":"status"}' | nc -U DIR/control`).
 *
 * Whoever may open the socket may do what the operator may: it lies in the agent's directory (0700), is 0600 from its
 * first moment, and SO_PEERCRED must name our user or root. A socket that an agent before us left is replaced; one
 * that answers is another agent's: a fault. Its file is removed in the end only if it is still ours.
 *
 *   C1 nothing here waits: who does not read costs memory up to CONTROL_BACKLOG_MAX, and is dropped when ten seconds pass
 *      without a byte taken; who does not finish its request in ten seconds is dropped too.
 *   C2 requests are at most CONTROL_REQUEST_MAX bytes, CONTROL_CLIENTS_MAX clients at once; the next one is told so.
 *   C3 for each request() there is one control_answer() or one gone(), never both, unless the control is destroyed.
 *   C4 a client is destroyed only from the loop, never from within a call of ours: pointers hold until gone() or the
 *      answer.
 */
#ifndef STAGGER_NODE_CONTROL_H
#define STAGGER_NODE_CONTROL_H

#include <czmq.h>
#include <jansson.h>

#include "node/settings.h"

#define CONTROL_REQUEST_MAX 4096
#define CONTROL_CLIENTS_MAX 32
#define CONTROL_BACKLOG_MAX ((size_t)1 << 20) /* bytes of news that a client has not read */
#define CONTROL_PATIENCE_MS 10000
#define CONTROL_PATH_MAX 108 /* with its terminator: what the kernel takes */

struct control;
struct control_client; /* one request and its answer */

struct control_config {
    zloop_t *loop;    /* borrowed */
    const char *path; /* copied */
    void *owner;
    /* A request; `request` is borrowed, an object with a text "command". The answer is given now or later
     * with control_answer(), news before it with control_more(). */
    void (*request)(void *owner, struct control_client *client, const json_t *request);
    /* The client has gone; nothing may be sent to it any more. Not called after control_answer(). */
    void (*gone)(void *owner, struct control_client *client);
};

/* NULL with a fault: the path cannot be one, another agent answers there, or it cannot be made. */
struct control *control_create(const struct control_config *config, struct fault *fault);

/* Removes the socket and drops who waits, without gone(). Not from within request() or gone(). */
void control_destroy(struct control **control);

/* Both take the object. control_answer() ends the connection once it is written. */
void control_more(struct control_client *client, json_t *object);
void control_answer(struct control_client *client, json_t *object);

/* A line as a request: an object with a text "command", no name twice. NULL with a fault. */
json_t *control_parse(const char *text, size_t size, struct fault *fault);

/* agent.control, or "control" in agent.dir. False with a fault when it is too long. */
MUST_CHECK bool control_path(const struct settings *settings, char path[CONTROL_PATH_MAX],
                             struct fault *fault);

/* --- the other side, for commands; these wait --- */

/* Connects and sends; takes the request. Returns a descriptor or -1 with a fault that says what to do when nobody
 * answers. */
int control_ask(const char *path, json_t *request, struct fault *fault);

enum control_heard { CONTROL_HEARD, CONTROL_ENDED, CONTROL_TIMEOUT };

/* The next object of the answer (json_decref); *object is NULL with a fault unless it is CONTROL_HEARD. timeout_ms -1:
 * as long as it takes. */
MUST_CHECK enum control_heard control_read(int descriptor, int64_t timeout_ms, json_t **object,
                                           struct fault *fault);

#endif
