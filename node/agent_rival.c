/* Another agent for our validator. */
#include <inttypes.h>
#include <openssl/rand.h>
#include <string.h>

#include "node/agent_peers.h"

/* --- finding out --- */

void agent_rival_notice(struct agent *agent)
{
    struct agent_peers *peers = agent->peers;
    int64_t now_ms = zclock_mono(), last_ms = peers->foreign_ms;
    if (gossip_double(agent->gossip) != GOSSIP_DOUBLE_HEARD)
        return;
    peers->foreign_ms = now_ms;
    if (last_ms > 0 && now_ms - last_ms <= RIVAL_WINDOW_MS)
        peers->copied = true;
}

/* The serial of a newer binding of our validator; 0: there is none. */
static uint64_t newer_serial(const struct agent *agent, bool *silent,
                             char where[RECORD_ENDPOINT_MAX + 1])
{
    uint32_t own = gossip_find(agent->gossip, agent->validator);
    struct record_peek peek;
    struct record record;
    struct fault unused;
    where[0] = '\0';
    if (own == VALIDATOR_NONE)
        return 0;
    struct gossip_entry entry = gossip_entry(agent->gossip, own);
    if (!entry.known || !record_peek(entry.record, entry.record_size, &peek, &unused) ||
        peek.serial <= agent->peers->key.binding.serial)
        return 0;
    *silent = entry.heard_ms > GOSSIP_FRESH_MS;
    if (gossip_record(agent->gossip, own, &record) && record.endpoint_count > 0)
        memcpy(where, record.endpoints[0], sizeof record.endpoints[0]);
    return peek.serial;
}

/* --- acting on it --- */

static void command(struct agent *agent, enum coord_command what)
{
    struct coord_event event = {.kind = EVENT_OPERATOR, .operator= {.command = what} };
    agent_event(agent, &event);
}

static void stand_back(struct agent *agent, const char *text)
{
    struct agent_peers *peers = agent->peers;
    peers->rival = true;
    snprintf(peers->told, sizeof peers->told, "%s", text);
    agent_wait_for(agent, "%s", peers->told);
    if (!agent->started || agent->core.memory.held)
        return;
    peers->holding = true;
    command(agent, COMMAND_HOLD);
}

static void go_on(struct agent *agent)
{
    struct agent_peers *peers = agent->peers;
    if (!peers->rival)
        return;
    peers->rival = false;
    agent_say(agent, LEVEL_INFO, "the other agent for this validator is gone");
    if (strcmp(agent->waiting_for, peers->told) == 0)
        agent_wait_for(agent, "%s", "");
    if (peers->holding && agent->started)
        command(agent, COMMAND_UNHOLD);
    peers->holding = false;
}

/* A copy of our directory: which of the two renews first is left to chance. */
static void stand_against_copy(struct agent *agent)
{
    struct agent_peers *peers = agent->peers;
    int64_t now_ms = zclock_mono();
    uint16_t chance = 0;
    if (peers->renew_ms == 0) {
        (void)RAND_bytes((unsigned char *)&chance, sizeof chance);
        peers->renew_ms = now_ms + RIVAL_RENEW_MS + chance % (9 * RIVAL_RENEW_MS);
    }
    stand_back(agent, "another agent runs for this validator with a copy of our " GOSSIP_KEY_NAME
                      ": stop one of them; two must not share a directory, or a backup of it");
    if (now_ms < peers->renew_ms)
        return;
    peers->renew_ms = peers->foreign_ms = 0;
    peers->copied = false;
    agent_peers_renew(agent, peers->key.binding.serial);
}

static void stand_against(struct agent *agent, uint64_t serial, bool silent, const char *where)
{
    char text[FAULT_MAX];
    agent->peers->copied = false;
    agent->peers->renew_ms = 0;
    if (silent) {
        agent_peers_renew(agent, serial);
        go_on(agent);
        return;
    }
    snprintf(text, sizeof text,
             "another agent runs for this validator%s%s, started after this one: stop one of them; "
             "nothing is begun here until it has been silent for %d minutes",
             where[0] ? ", at " : "", where, GOSSIP_FRESH_MS / 60000);
    stand_back(agent, text);
}

void agent_rival_look(struct agent *agent)
{
    char where[RECORD_ENDPOINT_MAX + 1];
    bool silent = false;
    if (!agent->gossip || agent->stepping)
        return;
    uint64_t serial = newer_serial(agent, &silent, where);
    if (serial > 0)
        stand_against(agent, serial, silent, where);
    else if (agent->peers->copied || gossip_double(agent->gossip) == GOSSIP_DOUBLE_VOID)
        stand_against_copy(agent);
    else
        go_on(agent);
}
