/* What the operator should know of though nothing waits for it: it would show itself in the middle of a turn. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "node/agent_desk.h"
#include "proto/bech32.h"
#include "proto/encoding.h"

#define STILL_MS 30000 /* without a block, */
#define STILL_BLOCKS 5 /* or so many times what one takes */
#define BEHIND_BLOCKS 10
#define ALONE_MS 60000
#define MINUTE_MS 60000

/* Whoever is told. */
struct ear {
    agent_warned *tell;
    void *owner;
};

__attribute__((format(printf, 2, 3))) static void warn(const struct ear *ear, const char *format,
                                                       ...)
{
    char line[FAULT_MAX];
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    ear->tell(ear->owner, line);
}

/* --- the clock --- */

static void warn_of_clock(const struct agent *agent, const struct ear *ear)
{
    int64_t off_ms = agent->clock_off_ms;
    if (off_ms != 0)
        warn(ear,
             "our clock is %" PRId64 " minutes %s the chain's: correct it (timedatectl set-ntp "
             "true, or chrony), or this node's votes and our time-outs are off",
             ((off_ms < 0 ? -off_ms : off_ms) + MINUTE_MS / 2) / MINUTE_MS,
             off_ms < 0 ? "behind" : "ahead of");
}

/* --- our node --- */

static const char *own_url(const struct agent *agent)
{
    return rpc_endpoint_url(agent->rpc, 0);
}

static void warn_of_key(const struct agent *agent, const struct feed_own *own,
                        const struct ear *ear)
{
    char theirs[2 * ADDRESS_SIZE + 1], ours[2 * ADDRESS_SIZE + 1];
    hex_encode_upper(own->address, ADDRESS_SIZE, theirs);
    hex_encode_upper(agent->validator, ADDRESS_SIZE, ours);
    warn(ear,
         "%s signs as validator %s, and ours is %s: name our own node in chain.node, or give the "
         "node our priv_validator_key.json; until then nothing is begun",
         own_url(agent), theirs, ours);
}

static void warn_of_node(const struct agent *agent, const struct ear *ear)
{
    const struct feed_own *own = feed_own(agent->feed);
    struct height head = feed_head(agent->feed);
    if (!own->answers || !own->ours)
        return;
    if (memcmp(own->address, agent->validator, ADDRESS_SIZE) != 0)
        warn_of_key(agent, own, ear);
    if (own->conflict)
        warn(ear,
             "%s shows another block %" PRIu64 " than the chain that others show and that was "
             "verified: it is on a fork or its data is damaged; restore it from a snapshot",
             own_url(agent), own->latest.n);
    else if (!own->catching_up && own->latest.n + BEHIND_BLOCKS < head.n)
        warn(ear,
             "%s is %" PRIu64 " blocks behind the others and does not catch up: look at its peers, "
             "its disk and its log",
             own_url(agent), head.n - own->latest.n);
}

static int64_t still_ms(const struct agent *agent)
{
    const struct view *view = agent_view(agent);
    int64_t usual_ms = STILL_BLOCKS * view_block_ms(view, view_head(view));
    return usual_ms > STILL_MS ? usual_ms : STILL_MS;
}

static void warn_of_silence(const struct agent *agent, const struct ear *ear)
{
    int64_t since_ms = zclock_mono() - agent->block_seen_ms;
    if (agent->block_seen_ms == 0 || since_ms < still_ms(agent))
        return;
    warn(ear,
         "no new block for %" PRId64 " s: the chain stands still, or %s is stuck; look at its log "
         "and peers%s",
         since_ms / 1000, own_url(agent),
         rpc_endpoint_count(agent->rpc) > 1 ? "" : ", and name other nodes in chain.others");
}

static void warn_of_runtime(const struct agent *agent, const struct ear *ear)
{
    if (agent->runtime && agent->runtime_trouble[0])
        warn(ear, "the node is down: %s", agent->runtime_trouble);
}

/* --- the account --- */

bool agent_funds_sentence(const struct agent *agent, char *text, size_t size)
{
    const struct chain_facts *facts = agent->chain ? chain_facts(agent->chain) : NULL;
    char account[BECH32_TEXT_MAX];
    if (!facts || facts->turn_fees <= facts->balance ||
        !bech32_encode(chain_prefix(agent->chain), agent->account, ACCOUNT_ADDRESS_SIZE, account))
        return false;
    snprintf(text, size,
             "account %s holds %" PRIu64 "%s, and a turn (join, pause, unpause, activate) costs "
             "%" PRIu64 ": send it %" PRIu64 "%s or more",
             account, facts->balance, chain_denom(agent->chain), facts->turn_fees,
             facts->turn_fees - facts->balance, chain_denom(agent->chain));
    return true;
}

static void warn_of_funds(const struct agent *agent, const struct ear *ear)
{
    char text[FAULT_MAX];
    if (agent->core.own.known && !agent->core.own.funded &&
        agent_funds_sentence(agent, text, sizeof text))
        warn(ear, "%s", text);
}

/* --- the others --- */

static void warn_of_charters(const struct agent *agent, const struct ear *ear)
{
    struct record record;
    uint32_t count = 0, theirs = 0;
    for (uint32_t m = 0; m < gossip_count(agent->gossip); m++)
        if (gossip_record(agent->gossip, m, &record) && record.charter != agent->charter.id &&
            count++ == 0)
            theirs = record.charter;
    if (count > 0)
        warn(ear,
             "charter %08" PRIx32 " of %u other members is not ours, which is %08" PRIx32
             ": neither counts the other's joins; agree on what stands in [charter]",
             theirs, count, agent->charter.id);
}

static void warn_of_gossip(const struct agent *agent, const struct ear *ear)
{
    const char *seeds[SETTINGS_LIST_MAX];
    const struct gossip_stats stats = gossip_stats(agent->gossip);
    warn_of_charters(agent, ear);
    if (stats.bound == 0 && stats.silent_ms > ALONE_MS &&
        settings_list(agent->settings, SETTING_GOSSIP_SEEDS, seeds) > 0)
        warn(ear, "no other agent has answered for a while: check keys and addresses in "
                  "gossip.seeds, and that gossip.listen can be reached; the chain alone decides");
}

/* --- all of it --- */

void agent_warnings(const struct agent *agent, agent_warned *tell, void *owner)
{
    const struct ear ear = {tell, owner};
    const char *line;
    for (uint32_t i = 0; agent->chain && (line = chain_warning(agent->chain, i)); i++)
        tell(owner, line);
    warn_of_runtime(agent, &ear);
    if (!agent->started)
        return;
    warn_of_clock(agent, &ear);
    warn_of_funds(agent, &ear);
    if (agent->feed && agent->feed_ready) {
        warn_of_node(agent, &ear);
        warn_of_silence(agent, &ear);
    }
    if (agent->gossip)
        warn_of_gossip(agent, &ear);
}

/* --- which of them are the same --- */

/* A height, a hash, a time; not an address. */
static bool is_number(const char *word, size_t length)
{
    return strcspn(word, "0123456789") < length && strcspn(word, "/") >= length;
}

uint32_t agent_gist(const char *text)
{
    uint32_t hash = 2166136261u;
    while (*text) {
        size_t length = strcspn(text, " "), counts = is_number(text, length) ? 0 : length;
        for (size_t i = 0; i < counts; i++)
            hash = (hash ^ (unsigned char)text[i]) * 16777619u;
        text += length + strspn(text + length, " ");
    }
    return hash;
}
