/* One command's conversation with a network, for commands that ask one thing after the other.
 *
 * The parts below (rpc.h, chain.h) never block; a command has nothing else to do while it waits. So each call here
 * starts one of theirs and lets the event loop run until it has ended:
 *
 *     struct session *session = session_open("chain", settings, &fault);
 *     if (session_ask(session, CHAIN_STATUS | CHAIN_SET, NULL, &fault))
 *         use(session_facts(session));
 *     session_close(&session);
 *
 * Endpoints that are not well are told to standard error as notes, each once.
 */
#ifndef STAGGER_NODE_SESSION_H
#define STAGGER_NODE_SESSION_H

#include "node/chain.h"
#include "node/settings.h"

#define SESSION_COMMITS 3 /* last commits that tell who is live, as in the default charter */

struct session;

/* NULL with a fault when a setting cannot be right. The settings are borrowed. `command` is for notes. */
struct session *session_open(const char *command, const struct settings *settings,
                             struct fault *fault);
void session_close(struct session **session);

/* The two halves of session_open(), for a caller with a loop of its own. NULL with a fault. */
struct rpc *session_rpc(const struct settings *settings, zloop_t *loop, struct fault *fault);
struct chain *session_network(const struct settings *settings, zloop_t *loop, struct rpc *rpc,
                              struct fault *fault);

struct chain *session_chain(struct session *session);
zloop_t *session_loop(struct session *session); /* for parts that have callbacks of their own */
const struct chain_facts *session_facts(const struct session *session);

/* --- each returns when it has ended --- */

MUST_CHECK bool session_ask(struct session *session, uint32_t topics, const uint8_t *account,
                            struct fault *fault);

void session_compare(struct session *session);

/* The result of one RPC call, owned by the caller (json_decref), or NULL with a fault. A JSON-RPC error is a fault
 * too; *refused, which may be NULL, tells whether it was one. */
json_t *session_call(struct session *session, const char *method, json_t *params, uint32_t endpoint,
                     bool *refused, struct fault *fault);

/* Many calls of one method at once: params[i], which are taken, give results[i], owned by the caller, NULL where
 * there is no proper answer. */
void session_call_many(struct session *session, const char *method, json_t *const params[],
                       json_t *results[], uint32_t count, uint32_t endpoint);

/* done and owner of the submission are set here. */
void session_submit(struct session *session, struct chain_submission *submission,
                    struct chain_result *result);

/* Whose signatures stand in the commits of the latest SESSION_COMMITS heights. */
struct liveness {
    int64_t height;                      /* latest */
    uint32_t blocks;                     /* commits read */
    uint8_t *signed_latest, *signed_any; /* by place in facts->set; one allocation each, owned */
    uint32_t live;                       /* members with signed_any */
};

/* Needs CHAIN_STATUS and CHAIN_SET. */
MUST_CHECK bool session_liveness(struct session *session, struct liveness *liveness,
                                 struct fault *fault);
void liveness_destroy(struct liveness *liveness);

#endif
