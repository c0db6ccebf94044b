/* What the chain is asked: at the start everything, then now and then what may have changed. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "node/agent_internal.h"
#include "proto/bech32.h"

#define CONNECT_RETRY_MS 1000
#define PLAN_MS 30000
#define PLAN_HASTE_MS 5000
#define RECORDS_MS 60000
#define WARN_MS 10000
#define NODE_ANSWER_MS 900 /* in which a look at our node has ended, or it does not answer */
#define CONNECT_TOPICS                                                                             \
    (CHAIN_STATUS | CHAIN_RECORDS | CHAIN_SET | CHAIN_PROPERTIES | CHAIN_ACCOUNT | CHAIN_FEES |    \
     CHAIN_PLAN | CHAIN_VOTES)

/* --- the start --- */

static int on_connect_retry(zloop_t *loop, int timer, void *owner)
{
    struct agent *agent = owner;
    (void)loop;
    (void)timer;
    agent->connect_timer = -1;
    agent_chain_connect(agent);
    return 0;
}

static void connect_later(struct agent *agent)
{
    if (agent->connect_timer < 0)
        agent->connect_timer =
            zloop_timer(agent->loop, CONNECT_RETRY_MS, 1, on_connect_retry, agent);
}

static bool same_network(struct agent *agent, const struct chain_facts *facts,
                         const struct query_record *record, struct fault *fault)
{
    if (!agent->known)
        return true;
    if (strcmp(agent->chain_id, facts->status.chain_id) != 0)
        return fault_set(fault,
                         "the node is of chain %s, but %s belongs to an agent of chain %s: correct "
                         "chain.node, or give this chain an agent.dir of its own",
                         facts->status.chain_id, settings_text(agent->settings, SETTING_AGENT_DIR),
                         agent->chain_id);
    if (memcmp(agent->validator, record->consensus, ADDRESS_SIZE) != 0)
        return fault_set(fault,
                         "the account's validator has another consensus key than when this agent "
                         "began: give it a new agent.dir (%s holds the journal of the old one)",
                         settings_text(agent->settings, SETTING_AGENT_DIR));
    return true;
}

/* Whether everything is there that an agent needs; says what is not. */
static bool recognise(struct agent *agent, struct fault *fault)
{
    const struct chain_facts *facts = chain_facts(agent->chain);
    const struct query_record *record = chain_record_of(facts, agent->account);
    char account[BECH32_TEXT_MAX];
    if (!record) {
        if (!bech32_encode(chain_prefix(agent->chain), agent->account, ACCOUNT_ADDRESS_SIZE,
                           account))
            account[0] = '\0';
        return fault_set(fault,
                         "account %s has no validator on chain %s: set account.key (or key_file, "
                         "signer) to the key of the validator's account, or claim a seat first",
                         account, facts->status.chain_id);
    }
    if (!same_network(agent, facts, record, fault))
        return false;
    snprintf(agent->chain_id, sizeof agent->chain_id, "%s", facts->status.chain_id);
    snprintf(agent->moniker, sizeof agent->moniker, "%s", record->moniker);
    memcpy(agent->validator, record->consensus, ADDRESS_SIZE);
    return true;
}

static bool begin(struct agent *agent, struct fault *fault)
{
    const struct chain_facts *facts = chain_facts(agent->chain);
    uint64_t least = facts->properties_at.known ? facts->properties.min_validators : 1;
    return recognise(agent, fault) &&
           settings_charter(agent->settings, agent->chain_id, least > 0 ? least : 1,
                            &agent->charter, fault) &&
           agent_identify(agent, fault) && agent_blocks_start(agent, fault);
}

static void on_connected(void *owner, const struct fault *trouble)
{
    struct agent *agent = owner;
    struct fault fault;
    if (!trouble && begin(agent, &fault)) {
        agent->stage = AGENT_READING;
        agent->records_asked_ms = zclock_mono();
        agent_wait_for(agent, "blocks are being read");
        return;
    }
    agent_wait_for(agent, "%s", trouble ? trouble->text : fault.text);
    agent_runtime_unheard(agent);
    connect_later(agent);
}

static void on_compared(void *owner, const struct chain_comparison *comparison)
{
    struct agent *agent = owner;
    (void)comparison;
    chain_ask(agent->chain, CONNECT_TOPICS, agent->account, on_connected, agent);
}

/* Endpoints are compared anew: those that were down a moment ago may be up, our own node above all. */
void agent_chain_connect(struct agent *agent)
{
    chain_compare(agent->chain, on_compared, agent);
}

/* --- our own state --- */

static bool same_self(const struct coord_self *a, const struct coord_self *b)
{
    return a->known == b->known && a->status == b->status && a->by_trustees == b->by_trustees &&
           a->funded == b->funded && a->inactive_until.ms == b->inactive_until.ms;
}

static void on_self(void *owner, const struct fault *trouble)
{
    struct agent *agent = owner;
    agent->self_ticket = 0;
    if (trouble) {
        agent_say(agent, LEVEL_DEBUG, "our own state: %s", trouble->text);
        agent->self_again = true; /* with the next beat */
        return;
    }
    const struct chain_facts *facts = chain_facts(agent->chain);
    if (facts->self_is_node) {
        memcpy(agent->consensus_key, facts->status.public_key, ED25519_KEY_SIZE);
        agent->has_key = true;
    }
    struct coord_event event = {.kind = EVENT_SELF, .own = facts->self};
    if (agent->self_wanted || !same_self(&agent->core.own, &facts->self)) {
        agent->self_wanted = false;
        agent_event(agent, &event);
    }
}

static void look_at_self(struct agent *agent)
{
    agent->self_again = agent->self_ticket != 0;
    agent->self_asked_ms = zclock_mono();
    if (agent->self_ticket == 0)
        agent->self_ticket = chain_ask(agent->chain, CHAIN_SELF, agent->account, on_self, agent);
}

void agent_ask_self(struct agent *agent)
{
    agent->self_wanted = true;
    look_at_self(agent);
}

/* --- our node --- */

static uint64_t blocks_above(struct height low, struct height high)
{
    return high.n > low.n ? high.n - low.n : 0;
}

/* What its latest answer says. One that is older than the node's latest start is none. */
static struct coord_node judge(struct agent *agent)
{
    const struct feed_own *own = feed_own(agent->feed);
    struct coord_node node = {.known = true};
    if (!own->answers || !own->ours || own->seen_ms < agent->node_started_ms)
        return node;
    if (agent->node_since.n == 0)
        agent->node_since = own->latest;
    node.reachable = true;
    node.catching_up = own->catching_up;
    node.key_matches = memcmp(own->address, agent->validator, ADDRESS_SIZE) == 0;
    node.lag = blocks_above(own->latest, feed_head(agent->feed));
    node.new_blocks = (uint32_t)blocks_above(agent->node_since, own->latest);
    return node;
}

/* What makes no difference to the core need not be told, and journalled, again. */
static bool same_node(const struct coord_node *a, const struct coord_node *b)
{
    return a->known == b->known && a->reachable == b->reachable &&
           a->catching_up == b->catching_up && a->key_matches == b->key_matches &&
           (a->lag <= 2) == (b->lag <= 2) && (a->new_blocks > 0) == (b->new_blocks > 0);
}

void agent_tell_node(struct agent *agent)
{
    if (!agent->started)
        return;
    struct coord_event event = {.kind = EVENT_NODE, .node = judge(agent)};
    if (same_node(&agent->core.node, &event.node))
        return;
    agent->node_asked_ms = 0;
    agent_event(agent, &event);
}

/* The answer must be younger than the question: the feed tells of what changes, the beat of what has not. */
void agent_ask_node(struct agent *agent)
{
    agent->node_asked_ms = zclock_mono();
    feed_look(agent->feed);
}

void agent_node_restarted(struct agent *agent)
{
    agent->node_since = HEIGHT_NONE;
    agent->node_started_ms = zclock_mono();
    agent_ask_node(agent);
}

/* --- plan, properties, records --- */

void agent_tell_plan(struct agent *agent)
{
    struct coord_event event = {.kind = EVENT_PLAN,
                                .plan = chain_plan(agent->chain, agent->account)};
    const struct coord_plan *known = &agent->core.plan;
    if (known->pending != event.plan.pending || known->voted_yes != event.plan.voted_yes ||
        known->upgrade_time.ms != event.plan.upgrade_time.ms)
        agent_event(agent, &event);
}

static void on_plan(void *owner, const struct fault *trouble)
{
    struct agent *agent = owner;
    agent->plan_ticket = 0;
    if (trouble) {
        agent_say(agent, LEVEL_DEBUG, "the plan: %s", trouble->text);
        return;
    }
    const struct chain_facts *facts = chain_facts(agent->chain);
    agent_tell_plan(agent);
    if (facts->properties_at.known && facts->properties.min_validators > 0)
        agent_charter_changed(agent, facts->properties.min_validators);
}

void agent_ask_plan(struct agent *agent)
{
    if (agent->plan_ticket != 0)
        return;
    agent->plan_asked_ms = zclock_mono();
    agent->plan_ticket = chain_ask(agent->chain, CHAIN_PLAN | CHAIN_VOTES | CHAIN_PROPERTIES,
                                   agent->account, on_plan, agent);
}

static void on_records(void *owner, const struct fault *trouble)
{
    struct agent *agent = owner;
    agent->records_ticket = 0;
    if (trouble) {
        agent_say(agent, LEVEL_DEBUG, "the validators' records: %s", trouble->text);
        return;
    }
    agent_blocks_records(agent);
    agent_peers_allow(agent);
}

void agent_ask_records(struct agent *agent)
{
    if (agent->records_ticket != 0)
        return;
    agent->records_asked_ms = zclock_mono();
    agent->records_ticket = chain_ask(agent->chain, CHAIN_RECORDS, NULL, on_records, agent);
}

static void log_warning(void *owner, const char *line)
{
    struct agent *agent = owner;
    uint32_t gist = agent_gist(line);
    uint32_t place = gist % AGENT_WARNED_MAX;
    if (agent->warned[place] == gist)
        return;
    agent->warned[place] = gist;
    agent_say(agent, LEVEL_UNUSUAL, "%s", line);
}

void agent_look_around(struct agent *agent)
{
    agent->warned_ms = zclock_mono();
    agent_warnings(agent, log_warning, agent);
}

/* Who cannot pay is asked more often whether coins have come. */
static int64_t self_pause_ms(const struct agent *agent)
{
    return agent->core.own.known && !agent->core.own.funded ? PLAN_HASTE_MS : RECORDS_MS;
}

void agent_chain_beat(struct agent *agent)
{
    int64_t now_ms = zclock_mono();
    if (now_ms - agent->warned_ms >= WARN_MS && agent->stage != AGENT_CONNECTING)
        agent_look_around(agent);
    if (!agent->started)
        return;
    if (agent->self_again || now_ms - agent->self_asked_ms >= self_pause_ms(agent))
        look_at_self(agent);
    if (agent->node_asked_ms > 0 && now_ms - agent->node_asked_ms >= NODE_ANSWER_MS)
        agent_tell_node(agent);
    if (now_ms - agent->plan_asked_ms >= (agent->hasty ? PLAN_HASTE_MS : PLAN_MS))
        agent_ask_plan(agent);
    if (now_ms - agent->records_asked_ms >= RECORDS_MS)
        agent_ask_records(agent);
}
