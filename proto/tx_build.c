/* The message of a request, encoded. */
#include <assert.h>
#include <string.h>

#include "dcl.pb-c.h"
#include "kira.pb-c.h"
#include "proto/tx_internal.h"

/* What Go writes for a time that was never set: 0001-01-01. */
#define GO_ZERO_SECONDS (-62135596800)

static char *address_text(struct arena *memory, const struct tx_request *request, const char *tail)
{
    char prefix[BECH32_TEXT_MAX], text[BECH32_TEXT_MAX];
    uint8_t address[ACCOUNT_ADDRESS_SIZE];
    size_t size = strlen(request->prefix);
    assert(size + strlen(tail) < sizeof prefix);
    memcpy(prefix, request->prefix, size);
    memcpy(prefix + size, tail, strlen(tail) + 1);
    account_address(request->public_key, address);
    bool fits = bech32_encode(prefix, address, sizeof address, text);
    assert(fits);
    return arena_text(memory, (const uint8_t *)text, strlen(text));
}

static ProtobufCBinaryData account_of(struct arena *memory, const struct tx_request *request)
{
    return bounded_text(address_text(memory, request, ""));
}

static ProtobufCBinaryData validator_of(struct arena *memory, const struct tx_request *request)
{
    return bounded_text(address_text(memory, request, "valoper"));
}

static ProtobufCBinaryData account_bytes(struct arena *memory, const struct tx_request *request)
{
    uint8_t *address = arena_alloc(memory, ACCOUNT_ADDRESS_SIZE);
    if (address)
        account_address(request->public_key, address);
    return bounded_bytes(address, address ? ACCOUNT_ADDRESS_SIZE : 0);
}

static Cosmos__Any any_of(struct arena *memory, const char *type_url,
                          const ProtobufCMessage *message)
{
    Cosmos__Any any = COSMOS__ANY__INIT;
    any.type_url = bounded_text(type_url);
    any.value = bounded_pack(memory, message);
    return any;
}

static Cosmos__Any send_build(struct arena *memory, const struct tx_request *request)
{
    Cosmos__MsgSend send = COSMOS__MSG_SEND__INIT;
    Cosmos__Coin coin = COSMOS__COIN__INIT, *coins[] = {&coin};
    send.from_address = send.to_address = account_of(memory, request);
    coin.denom = bounded_text(request->fee_denom);
    coin.amount = bounded_text("1");
    send.n_amount = 1;
    send.amount = coins;
    return any_of(memory, tx_message_url(TX_MESSAGE_SEND), &send.base);
}

static Cosmos__Any create_build(struct arena *memory, const struct tx_request *request)
{
    Dcl__MsgCreateValidator create = DCL__MSG_CREATE_VALIDATOR__INIT;
    Dcl__Description description = DCL__DESCRIPTION__INIT;
    Cosmos__PubKey key = COSMOS__PUB_KEY__INIT;
    key.key = bounded_bytes(request->consensus_key, 32);
    Cosmos__Any key_any = any_of(memory, TX_URL_ED25519, &key.base);
    description.moniker = bounded_text(request->moniker);
    create.signer = validator_of(memory, request);
    create.pub_key = &key_any;
    create.description = &description;
    return any_of(memory, tx_message_url(TX_MESSAGE_CREATE_VALIDATOR), &create.base);
}

static Cosmos__Any membership_build(struct arena *memory, const struct tx_request *request)
{
    bool dcl = request->chain == CHAIN_DCL;
    enum tx_message_kind kind = TX_MESSAGE_ACTIVATE;
    if (request->action == TX_DO_PAUSE)
        kind = dcl ? TX_MESSAGE_DISABLE_NODE : TX_MESSAGE_PAUSE;
    else if (request->action == TX_DO_UNPAUSE)
        kind = dcl ? TX_MESSAGE_ENABLE_NODE : TX_MESSAGE_UNPAUSE;
    /* field 1 is the validator on both chains */
    Kira__MsgMembership message = KIRA__MSG_MEMBERSHIP__INIT;
    message.validator_addr = validator_of(memory, request);
    return any_of(memory, tx_message_url(kind), &message.base);
}

static Cosmos__Any vote_build(struct arena *memory, const struct tx_request *request)
{
    Kira__MsgVoteProposal vote = KIRA__MSG_VOTE_PROPOSAL__INIT;
    vote.proposal_id = request->proposal;
    vote.voter = account_bytes(memory, request);
    vote.option = (int32_t)request->option;
    /* Go writes this decimal even when it is zero; it counts in votes on slashing only */
    vote.slash = bounded_text("0");
    return any_of(memory, tx_message_url(TX_MESSAGE_VOTE), &vote.base);
}

/* Resources as messages, in the arena. False when memory is short. */
static bool resources_build(struct arena *memory, const struct tx_plan *plan, Kira__Resource ***out)
{
    Kira__Resource **list = arena_alloc(memory, plan->resource_count * sizeof *list);
    *out = list;
    for (uint32_t i = 0; list && i < plan->resource_count; i++) {
        const struct tx_resource *from = &plan->resources[i];
        Kira__Resource *to = list[i] = arena_alloc(memory, sizeof *to);
        if (!to)
            return false;
        kira__resource__init(to);
        to->id = bounded_text(from->id);
        to->url = bounded_text(from->url);
        to->version = bounded_text(from->version);
        to->checksum = bounded_text(from->checksum);
    }
    return list != NULL;
}

static Cosmos__Any upgrade_build(struct arena *memory, const struct tx_plan *plan)
{
    Kira__ProposalSoftwareUpgrade upgrade = KIRA__PROPOSAL_SOFTWARE_UPGRADE__INIT;
    if (!resources_build(memory, plan, &upgrade.resources))
        return (Cosmos__Any)COSMOS__ANY__INIT;
    upgrade.n_resources = plan->resource_count;
    upgrade.name = bounded_text(plan->name);
    upgrade.upgrade_time = plan->upgrade_time;
    upgrade.old_chain_id = bounded_text(plan->old_chain_id);
    upgrade.new_chain_id = bounded_text(plan->new_chain_id);
    upgrade.rollback_checksum = bounded_text(plan->rollback_checksum);
    upgrade.max_enrolment_duration = plan->max_enrolment_s;
    upgrade.memo = bounded_text(plan->memo);
    upgrade.instate_upgrade = plan->instate;
    upgrade.reboot_required = plan->reboot_required;
    upgrade.skip_handler = plan->skip_handler;
    return any_of(memory, TX_URL_KIRA_UPGRADE, &upgrade.base);
}

static Cosmos__Any cancel_build(struct arena *memory, const struct tx_plan *plan)
{
    Kira__ProposalCancelSoftwareUpgrade cancel = KIRA__PROPOSAL_CANCEL_SOFTWARE_UPGRADE__INIT;
    cancel.name = bounded_text(plan->name);
    return any_of(memory, TX_URL_KIRA_CANCEL, &cancel.base);
}

static Cosmos__Any submit_build(struct arena *memory, const struct tx_request *request)
{
    Kira__MsgSubmitProposal submit = KIRA__MSG_SUBMIT_PROPOSAL__INIT;
    Cosmos__Any content = request->action == TX_DO_SUBMIT_UPGRADE
                              ? upgrade_build(memory, request->plan)
                              : cancel_build(memory, request->plan);
    if (!content.value.data)
        return content;
    submit.proposer = account_bytes(memory, request);
    submit.title = bounded_text(request->title);
    submit.description = bounded_text(request->description);
    submit.content = &content;
    return any_of(memory, tx_message_url(TX_MESSAGE_SUBMIT_PROPOSAL), &submit.base);
}

static Cosmos__Any propose_build(struct arena *memory, const struct tx_request *request)
{
    Dcl__MsgProposeUpgrade propose = DCL__MSG_PROPOSE_UPGRADE__INIT;
    Cosmos__UpgradePlan plan = COSMOS__UPGRADE_PLAN__INIT;
    Cosmos__Timestamp time = COSMOS__TIMESTAMP__INIT;
    time.seconds = GO_ZERO_SECONDS;
    plan.name = bounded_text(request->plan->name);
    plan.time = &time;
    plan.height = request->plan->height;
    plan.info = bounded_text(request->plan->info);
    propose.creator = account_of(memory, request);
    propose.plan = &plan;
    propose.info = bounded_text(request->description);
    propose.time = request->time_s;
    return any_of(memory, tx_message_url(TX_MESSAGE_PROPOSE_UPGRADE), &propose.base);
}

static Cosmos__Any vote_upgrade_build(struct arena *memory, const struct tx_request *request)
{
    bool approves = request->action == TX_DO_APPROVE_UPGRADE;
    Dcl__MsgVoteUpgrade vote = DCL__MSG_VOTE_UPGRADE__INIT;
    vote.creator = account_of(memory, request);
    vote.name = bounded_text(request->plan->name);
    vote.info = bounded_text(request->description);
    vote.time = request->time_s;
    return any_of(memory,
                  tx_message_url(approves ? TX_MESSAGE_APPROVE_UPGRADE : TX_MESSAGE_REJECT_UPGRADE),
                  &vote.base);
}

Cosmos__Any tx_message_build(struct arena *memory, const struct tx_request *request)
{
    bool dcl = request->chain == CHAIN_DCL;
    switch (request->action) {
    case TX_DO_JOIN:
        return dcl ? create_build(memory, request) : send_build(memory, request);
    case TX_DO_PAUSE:
    case TX_DO_UNPAUSE:
    case TX_DO_ACTIVATE:
        return membership_build(memory, request);
    case TX_DO_VOTE:
        return vote_build(memory, request);
    case TX_DO_SUBMIT_UPGRADE:
        return dcl ? propose_build(memory, request) : submit_build(memory, request);
    case TX_DO_CANCEL_UPGRADE:
        return submit_build(memory, request);
    case TX_DO_APPROVE_UPGRADE:
    case TX_DO_REJECT_UPGRADE:
        return vote_upgrade_build(memory, request);
    }
    assert(false && "an action that was checked");
    return (Cosmos__Any)COSMOS__ANY__INIT;
}
