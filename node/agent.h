/* The agent: `stagger run`, beside one validator.
 *
 *                      settings
 *                          |
 *     own node --RPC--> feed --> view --+                    +--> journal (durable first)
 *     other nodes --RPC--^              v                    +--> chain_submit() --> transactions
 *     gossip <--ZeroMQ--> peers --> [ coord_step() ] --effects--> runtime --> the node stops, changes, starts
 *     operator --socket--> commands ----^                    +--> gossip record, log, sd_notify
 *
 * One event loop, no threads of its own, no waiting call: everything below belongs to the zloop. What decides is
 * coord/; this is its shell, and holds to the order that coord.h asks for: PERSIST before anything else, and nothing
 * that follows while the journal cannot be written.
 *
 * A start: settings; agent.json (who we are, kept since the first start) opens the journal before the chain answers;
 * the node is taken over or started, unless the journal says that a turn has it down; the chain is asked until it
 * answers; blocks are read from where the journal ends; the core starts with what the journal found; a transaction
 * that was on its way is looked for. Every reason to wait is a sentence with a remedy in `status` and in the log.
 *
 * A stop (SIGTERM, SIGINT) is the end at any moment: what the journal holds is enough. When a turn is under way the agent
 * says so; the next start finishes it. SIGHUP reads the settings again: limits and log level change at once, what
 * cannot change while it runs is said.
 *
 *   A1 an effect behind PERSIST is carried out only when journal_sync() has returned true.
 *   A2 events reach the core in the order in which the journal has them.
 *   A3 nothing that a peer, an endpoint, a file or an operator says ends the agent.
 */
#ifndef STAGGER_NODE_AGENT_H
#define STAGGER_NODE_AGENT_H

#include <czmq.h>

#include "coord/coord.h"
#include "node/settings.h"

struct agent;

struct agent_config {
    zloop_t *loop;                   /* borrowed */
    const struct settings *settings; /* borrowed */
    /* What systemd and the like are told: "READY=1", "STATUS=..."; may be NULL. */
    void (*notify)(void *owner, const char *state);
    /* A line of the log, of at least the level that agent.log asks for; may be NULL. */
    void (*say)(void *owner, enum coord_level level, const char *text);
    void *owner;
};

/* NULL with a fault: a setting that cannot be right, a key that cannot be read, a directory that another agent has. */
struct agent *agent_create(const struct agent_config *config, struct fault *fault);
void agent_destroy(struct agent **agent);

/* Reads the limits anew from these settings, which replace the ones given before. */
MUST_CHECK bool agent_reload(struct agent *agent, const struct settings *settings,
                             struct fault *fault);

#endif
