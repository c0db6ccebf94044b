/* Gossip: who may be heard, our record, and what the others say. */
#include "node/agent_peers.h"

#include <assert.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "proto/encoding.h"

#define SOON_MS 1000     /* from the first frame to a look at what they say */
#define REFRESH_MS 10000 /* without frames or blocks */
#define IMAGE_MARK "sha256:"

static void on_beat(void *owner);

/* --- who may be heard --- */

/* The account that owns the validator, by the chain's records; they are in no order that the view knows. */
static bool may_be_heard(const struct agent *agent, const struct view *view,
                         const struct query_record *record)
{
    if (memcmp(record->consensus, agent->validator, ADDRESS_SIZE) == 0)
        return true;
    uint32_t index = view_find(view, record->consensus);
    return index != VALIDATOR_NONE && view_recent(view, index);
}

static uint32_t members_list(const struct agent *agent, const struct view *view,
                             struct gossip_member *members)
{
    const struct chain_facts *facts = chain_facts(agent->chain);
    uint32_t count = 0;
    for (uint32_t i = 0; i < facts->record_count; i++) {
        const struct query_record *record = &facts->records[i];
        if (!may_be_heard(agent, view, record))
            continue;
        memcpy(members[count].address, record->consensus, ADDRESS_SIZE);
        memcpy(members[count].account, record->account, ACCOUNT_ADDRESS_SIZE);
        count++;
    }
    return count;
}

void agent_peers_allow(struct agent *agent)
{
    const struct view *view = agent_view(agent);
    const struct chain_facts *facts = chain_facts(agent->chain);
    if (!agent->gossip || !view || view_head(view).n == 0 || !facts->records_at.known)
        return;
    struct gossip_member *members = calloc(facts->record_count + 1, sizeof *members);
    uint32_t count = members ? members_list(agent, view, members) : 0;
    bool good = members && gossip_allow(agent->gossip, members, count, agent_now());
    free(members);
    if (!good && !agent->peers->short_of_memory)
        agent_say(agent, LEVEL_UNUSUAL, "memory is short for what other agents say");
    agent->peers->short_of_memory = !good;
    transport_pump(agent->transport);
}

/* --- our record --- */

/* What a record can carry: printable, cut to fit. */
static void text_put(char *out, size_t size, const char *text)
{
    size_t i = 0;
    for (; text[i] && i + 1 < size; i++)
        out[i] = (char)(text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
    out[i] = '\0';
}

static void software_put(const struct agent *agent, struct record *record)
{
    const char *installed = agent->runtime ? runtime_installed(agent->runtime) : "";
    const char *digits = installed + sizeof IMAGE_MARK - 1;
    struct record_digest *digest = &record->digests[0];
    text_put(record->software, sizeof record->software, installed);
    if (strncmp(installed, IMAGE_MARK, sizeof IMAGE_MARK - 1) != 0 ||
        !hex_decode(digits, strlen(digits), digest->hash, sizeof digest->hash))
        return;
    digest->kind = RECORD_DIGEST_IMAGE;
    record->digest_count = 1;
}

/* What our own node shows, or while it is away the chain as we follow it; not the core's head, which sleeps for many
 * blocks. How often that is news is for gossip_own() to say. */
static void head_put(const struct agent *agent, struct record *record)
{
    if (!agent->feed)
        return;
    const struct feed_own *own = feed_own(agent->feed);
    struct height head = own->answers && own->ours ? own->latest : view_head(agent_view(agent));
    if (head.n > 0 && feed_hash_at(agent->feed, head, record->head_hash))
        record->head = head;
}

static void endpoints_put(const struct agent *agent, struct record *record)
{
    const char *items[SETTINGS_LIST_MAX];
    const char *domain = settings_text(agent->settings, SETTING_GOSSIP_DOMAIN);
    record->endpoint_count = settings_list(agent->settings, SETTING_GOSSIP_ADVERTISE, items);
    assert(record->endpoint_count <= RECORD_ENDPOINTS_MAX);
    for (uint32_t i = 0; i < record->endpoint_count; i++)
        text_put(record->endpoints[i], sizeof record->endpoints[i], items[i]);
    text_put(record->domain, sizeof record->domain, domain ? domain : "");
}

static void record_put(const struct agent *agent, struct record *record)
{
    const struct coord_memory *memory = &agent->core.memory;
    const struct chain_facts *facts = chain_facts(agent->chain);
    *record = (struct record){.charter = agent->charter.id};
    endpoints_put(agent, record);
    software_put(agent, record);
    if (facts->plan_at.known && facts->next.present)
        text_put(record->plan, sizeof record->plan, facts->next.name);
    if (!agent->started)
        return;
    record->phase = memory->state;
    record->expected_ms = memory->expected_ms > 0 ? (uint64_t)memory->expected_ms : 0;
    if (memory->failed) {
        record->failure = RECORD_FAILURE_REINIT;
        text_put(record->failure_text, sizeof record->failure_text, agent->failure);
    }
    head_put(agent, record);
}

void agent_peers_announce(struct agent *agent)
{
    struct record record;
    struct fault fault;
    uint64_t sequence;
    if (!agent->gossip || gossip_count(agent->gossip) == 0)
        return;
    agent_rival_notice(agent);
    record_put(agent, &record);
    bool failed =
        gossip_own(agent->gossip, &record, agent_now(), &sequence, &fault) == GOSSIP_OWN_FAILED;
    snprintf(agent->peers->failed, sizeof agent->peers->failed, "%s", failed ? fault.text : "");
    transport_pump(agent->transport);
}

/* Once, and not when the rival has been told of, which is why. */
static void say_mute(struct agent *agent)
{
    struct agent_peers *peers = agent->peers;
    bool failed = peers->failed[0] != '\0';
    if (failed && !peers->mute && !peers->rival)
        agent_say(agent, LEVEL_UNUSUAL, "%s", peers->failed);
    peers->mute = failed;
}

/* --- what they say --- */

static bool hash_at(void *context, struct height height, uint8_t hash[HASH_SIZE])
{
    const struct agent *agent = context;
    return feed_hash_at(agent->feed, height, hash);
}

/* A head that our node has too is nothing new, unless the core believes that it has not. */
static bool is_news(const struct coord_peers *now, const struct coord_peers *before, uint64_t head)
{
    bool ahead = now->head.n > head || before->head.n > head;
    return now->known != before->known || now->conflict != before->conflict ||
           now->failures != before->failures || now->domain_out != before->domain_out ||
           (ahead && now->head.n != before->head.n);
}

void agent_peers_tell(struct agent *agent)
{
    if (!agent->gossip || !agent->feed)
        return;
    agent_peers_announce(agent);
    agent_rival_look(agent);
    say_mute(agent);
    if (!agent->started || !agent->gossip)
        return;
    struct coord_event event = {.kind = EVENT_PEERS};
    event.peers = gossip_opinion(agent->gossip, hash_at, agent);
    if (is_news(&event.peers, &agent->core.peers, agent->core.head.n))
        agent_event(agent, &event);
}

/* Frames have come. What they change is looked at once for many of them, and outside of the transport's work. */
static void on_heard(void *owner)
{
    struct agent *agent = owner;
    if (agent->peers->soon)
        return;
    agent->peers->soon = true;
    wake_set(agent->peers->beat, SOON_MS);
}

static void on_beat(void *owner)
{
    struct agent *agent = owner;
    agent->peers->soon = false;
    wake_set(agent->peers->beat, REFRESH_MS);
    agent_peers_tell(agent);
}

/* --- life --- */

static uint32_t seeds_read(const struct settings *settings,
                           struct gossip_seed seeds[SETTINGS_LIST_MAX])
{
    const char *items[SETTINGS_LIST_MAX];
    uint32_t count = settings_list(settings, SETTING_GOSSIP_SEEDS, items);
    for (uint32_t i = 0; i < count; i++) {
        const char *at = strchr(items[i], '@');
        bool good = at && hex_decode(items[i], (size_t)(at - items[i]), seeds[i].curve,
                                     sizeof seeds[i].curve);
        assert(good); /* as the settings have checked */
        text_put(seeds[i].endpoint, sizeof seeds[i].endpoint, at + 1);
    }
    return count;
}

static struct gossip_key_owner owner_of(const struct agent *agent)
{
    return (struct gossip_key_owner){.folder = settings_text(agent->settings, SETTING_AGENT_DIR),
                                     .network = &agent->peers->network,
                                     .validator = agent->validator,
                                     .signer = agent->signer};
}

static bool open_key(struct agent *agent, struct fault *fault)
{
    struct agent_peers *peers = agent->peers;
    struct gossip_key_owner owner = owner_of(agent);
    return record_network_set(&peers->network, agent->chain_id, chain_prefix(agent->chain),
                              fault) &&
           gossip_key_open(owner.folder, &peers->key, fault) &&
           gossip_key_bind(&owner, agent_now().ms / 1000, &peers->key, fault);
}

static bool open_state(struct agent *agent, struct fault *fault)
{
    const struct agent_peers *peers = agent->peers;
    struct gossip_seed seeds[SETTINGS_LIST_MAX];
    struct gossip_config config = {.network = peers->network,
                                   .charter = agent->charter.id,
                                   .binding = peers->key.binding,
                                   .seeds = seeds,
                                   .seed_count = seeds_read(agent->settings, seeds)};
    memcpy(config.identity, peers->key.identity, sizeof config.identity);
    if (RAND_bytes((unsigned char *)&config.random_seed, sizeof config.random_seed) != 1)
        return fault_set(fault, "the system gives no random numbers");
    agent->gossip = gossip_create(&config, agent_now(), fault);
    return agent->gossip != NULL;
}

static bool open_sockets(struct agent *agent, struct fault *fault)
{
    const struct agent_peers *peers = agent->peers;
    struct transport_config config = {
        .listen = settings_text(agent->settings, SETTING_GOSSIP_LISTEN),
        .proxy = settings_text(agent->settings, SETTING_GOSSIP_PROXY),
        .heard = on_heard,
        .owner = agent,
    };
    memcpy(config.secret, peers->key.secret, sizeof config.secret);
    memcpy(config.curve, peers->key.curve, sizeof config.curve);
    agent->transport = transport_create(agent->loop, agent->gossip, &config, fault);
    return agent->transport != NULL;
}

static bool open_gossip(struct agent *agent, struct fault *fault)
{
    if (!open_state(agent, fault) || !open_sockets(agent, fault))
        return false;
    wake_set(agent->peers->beat, REFRESH_MS);
    agent_peers_allow(agent);
    agent_peers_announce(agent);
    return true;
}

static void close_gossip(struct agent *agent)
{
    if (agent->transport)
        transport_destroy(&agent->transport);
    if (agent->gossip)
        gossip_destroy(&agent->gossip);
}

bool agent_peers_start(struct agent *agent, struct fault *fault)
{
    assert(agent->known && !agent->gossip);
    if (settings_bool(agent->settings, SETTING_GOSSIP_OFF))
        return true;
    if (!agent->peers) {
        agent->peers = calloc(1, sizeof *agent->peers);
        if (agent->peers)
            agent->peers->beat = wake_create(agent->loop, on_beat, agent);
        if (!agent->peers || !agent->peers->beat) {
            agent_peers_stop(agent);
            return fault_set(fault, "out of memory for gossip");
        }
    }
    if (open_key(agent, fault) && open_gossip(agent, fault))
        return true;
    close_gossip(agent);
    return false;
}

void agent_peers_stop(struct agent *agent)
{
    close_gossip(agent);
    if (!agent->peers)
        return;
    if (agent->peers->beat)
        wake_destroy(&agent->peers->beat);
    gossip_key_wipe(&agent->peers->key);
    free(agent->peers);
    agent->peers = NULL;
}

void agent_peers_renew(struct agent *agent, uint64_t above)
{
    struct agent_peers *peers = agent->peers;
    struct gossip_key_owner owner = owner_of(agent);
    struct fault fault;
    int64_t now_s = agent_now().ms / 1000;
    if (above >= (uint64_t)now_s)
        now_s = (int64_t)above + 1;
    close_gossip(agent);
    if (!gossip_key_renew(&owner, now_s, &peers->key, &fault) || !open_gossip(agent, &fault)) {
        close_gossip(agent);
        agent_say(agent, LEVEL_UNUSUAL, "gossip is off until the next start: %s", fault.text);
    }
}
