/* Transactions: what the core wants sent is built, kept, and sent until a block holds it or none can. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "node/agent_internal.h"

/* --- what has become of it --- */

static void refused(struct agent *agent, uint32_t code)
{
    struct coord_event event = {.kind = EVENT_REFUSED};
    event.refused.tx = agent->send_kind;
    event.refused.code = code;
    agent_event(agent, &event);
    agent_ask_self(agent); /* perhaps it cannot pay any more, or is not what the core believes */
}

static void resume(struct agent *agent);

static void done(void *owner, const struct chain_result *result)
{
    struct agent *agent = owner;
    agent->send_ticket = 0;
    bool ok = result->outcome == CHAIN_INCLUDED &&
              (result->code == 0 || result->advice->meaning == CHAIN_MEANS_JOINED);
    snprintf(agent->send_trouble, sizeof agent->send_trouble, "%s", ok ? "" : result->text);
    agent_say(agent, ok ? LEVEL_DEBUG : LEVEL_UNUSUAL, "%s", result->text);
    switch (result->outcome) {
    case CHAIN_INCLUDED: /* the core hears of it by the block's results, which a header binds */
        journal_append_sent(agent->journal, agent->send_kind, NULL);
        return;
    case CHAIN_REFUSED:
        journal_append_sent(agent->journal, agent->send_kind, NULL);
        refused(agent, result->code);
        return;
    case CHAIN_TIMED_OUT: /* the core knows by the height, if it was told one */
        journal_append_sent(agent->journal, agent->send_kind, NULL);
        if (agent->send_timeout.n == 0)
            refused(agent, 0);
        return;
    case CHAIN_FAILED:
        if (result->loose)
            resume(agent);
        else
            refused(agent, result->code);
        return;
    }
}

/* --- sending --- */

static void hold_flight(struct agent *agent, const struct chain_sent *sent)
{
    agent->flight_size = sent->size <= sizeof agent->flight_bytes ? sent->size : 0;
    memcpy(agent->flight_bytes, sent->bytes, agent->flight_size);
    agent->flight = *sent;
    agent->flight.bytes = agent->flight_bytes;
}

static bool keep(void *owner, const struct chain_sent *sent)
{
    struct agent *agent = owner;
    journal_append_sent(agent->journal, agent->send_kind, sent);
    hold_flight(agent, sent);
    return agent_sync(agent);
}

static void progress(void *owner, const char *line)
{
    agent_say(owner, LEVEL_DEBUG, "%s", line);
}

static struct chain_submission submission(struct agent *agent)
{
    return (struct chain_submission){
        .request = &agent->send_request,
        .signer = agent->signer,
        .persist = keep,
        .say = progress,
        .done = done,
        .owner = agent,
    };
}

/* Bytes that nobody knows the fate of: the same ones, until a block or their time-out tells. */
static void resume(struct agent *agent)
{
    if (agent->flight_size == 0)
        return;
    struct chain_submission s = submission(agent);
    agent->send_ticket = chain_resume(agent->chain, &agent->flight, &s);
}

void agent_send_found(struct agent *agent)
{
    const struct chain_sent *sent = &agent->found.flight;
    agent->flight_size = 0;
    if (!agent->found.sent || sent->size > sizeof agent->flight_bytes)
        return;
    agent->send_kind = agent->found.tx;
    agent->send_timeout = height_at(sent->timeout_height);
    hold_flight(agent, sent);
}

void agent_send_resume(struct agent *agent)
{
    if (agent->send_ticket == 0 && agent->flight_size > 0 && agent->found.sent)
        resume(agent);
    agent->found.sent = false;
}

static enum tx_action action_of(enum tx_kind kind)
{
    switch (kind) {
    case TX_JOIN:
        return TX_DO_JOIN;
    case TX_PAUSE:
        return TX_DO_PAUSE;
    case TX_UNPAUSE:
        return TX_DO_UNPAUSE;
    case TX_ACTIVATE:
        return TX_DO_ACTIVATE;
    case TX_OTHER:
        break;
    }
    assert(!(bool)"the core sends nothing else");
    return TX_DO_JOIN;
}

void agent_send(struct agent *agent, const struct coord_effect *effect)
{
    /* One that the core no longer waits for: its time-out has passed, or it was refused. */
    if (agent->send_ticket != 0)
        chain_submit_cancel(agent->chain, agent->send_ticket);
    agent->send_kind = effect->send.tx;
    agent->send_timeout = effect->send.timeout;
    agent->send_request = (struct tx_request){
        .action = action_of(effect->send.tx),
        .gas = settings_whole(agent->settings, SETTING_TX_GAS),
        .timeout_height = effect->send.timeout.n,
        .class_minutes = effect->send.class_minutes,
        .charter = effect->send.charter,
    };
    if (effect->send.tx == TX_JOIN && chain_driver_of(agent->chain)->kind == CHAIN_DCL) {
        agent->send_request.consensus_key = agent->has_key ? agent->consensus_key : NULL;
        agent->send_request.moniker = agent->moniker;
    }
    struct chain_submission s = submission(agent);
    agent->send_ticket = chain_submit(agent->chain, &s);
}
