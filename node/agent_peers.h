/* What the agent keeps for gossip beside its state and sockets: agent_peers.c (records, opinions) and agent_rival.c
 * (another agent for our validator).
 *
 * Rivals. Two agents for one validator would each take the other's transactions for their own. Gossip tells:
 *
 *     heard of our validator                      means                               done
 *     -------------------------------------------------------------------------------------------------------
 *     a record under a newer binding              another agent, with keys of its     hold, until it has been silent
 *                                                 own, started after us               for GOSSIP_FRESH_MS; then a new
 *                                                                                     binding, so that we are heard
 *     our binding, a version that we never        a copy of our directory runs;       hold; after some seconds, by
 *     made, twice within RIVAL_WINDOW_MS, or      (once: we have lost count, as       chance, a new binding: now the
 *     one that contradicts ours (void)            after a clock that stepped back)    copy hears what we heard above
 *
 * So of two agents the one whose binding is newer goes on and the other one stands back, whichever it was that should not
 * be there: the operator is told on the host of the one that stands back, and stops one of them.
 *
 * To hold is COMMAND_HOLD, which neither joins nor pauses, but brings back a validator that is out. It is given once
 * more when the operator takes it away too early, and taken back when the rival is gone, unless the agent was held
 * before, or has been started anew since: then `stagger unhold` ends it.
 */
#ifndef STAGGER_NODE_AGENT_PEERS_H
#define STAGGER_NODE_AGENT_PEERS_H

#include "node/agent_internal.h"
#include "node/gossip_key.h"
#include "node/wake.h"

#define RIVAL_WINDOW_MS (3 * GOSSIP_REFRESH_MS)
#define RIVAL_RENEW_MS 5000 /* at least until a new binding, and up to ten times as long */

struct agent_peers {
    struct record_network network;
    struct gossip_key key;
    struct wake *beat;
    bool soon;                  /* the beat is due within a second */
    bool short_of_memory, mute; /* said once */
    char failed[FAULT_MAX];     /* why our record was not made, "" when it was */

    int64_t foreign_ms; /* when a version of ours was last heard that we never made, 0: never */
    bool copied;        /* the second line of the table, until the new binding */
    int64_t renew_ms;   /* when a new binding is due, 0: not */
    bool rival;         /* there is one */
    bool holding;       /* the agent is held by us */
    char told[FAULT_MAX];
};

/* Looks for a rival and acts on it. Not from within a step. */
void agent_rival_look(struct agent *agent);

/* To be called before gossip_own(), which forgets it: a version of ours was heard that we never made. */
void agent_rival_notice(struct agent *agent);

/* Stops gossip and begins it again under a new binding, above this serial. */
void agent_peers_renew(struct agent *agent, uint64_t above);

#endif
