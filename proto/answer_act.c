#include "proto/answer_act.h"

#include "dcl.pb-c.h"
#include "kira.pb-c.h"
#include "proto/tx_internal.h"

#define DISABLE_URL "/zigbeealliance.distributedcomplianceledger.validator.Msg"

static struct tx_bytes bytes_of(ProtobufCBinaryData from)
{
    return (struct tx_bytes){from.data, from.len};
}

static bool content_read(struct arena *arena, const Cosmos__Any *content, struct answer_act *act,
                         struct fault *fault)
{
    act->kind = ACT_OTHER_PROPOSAL;
    if (!content)
        return true;
    act->type_url = bytes_of(content->type_url);
    act->content = bytes_of(content->value);
    if (tx_any_is(content, TX_URL_KIRA_CANCEL)) {
        const Kira__ProposalCancelSoftwareUpgrade *cancel =
            bounded_unpack(arena, &kira__proposal_cancel_software_upgrade__descriptor,
                           content->value.data, content->value.len, "proposal", fault);
        act->kind = ACT_CANCEL_PROPOSAL;
        act->name = cancel ? bytes_of(cancel->name) : act->name;
        return cancel != NULL;
    }
    if (!tx_any_is(content, TX_URL_KIRA_UPGRADE))
        return true;
    const Kira__ProposalSoftwareUpgrade *upgrade =
        bounded_unpack(arena, &kira__proposal_software_upgrade__descriptor, content->value.data,
                       content->value.len, "proposal", fault);
    if (!upgrade)
        return false;
    act->kind = ACT_UPGRADE_PROPOSAL;
    act->name = bytes_of(upgrade->name);
    act->upgrade_time_s = upgrade->upgrade_time;
    act->instate = upgrade->instate_upgrade;
    act->skip_handler = upgrade->skip_handler;
    return true;
}

static bool submit_read(struct arena *arena, const Cosmos__Any *any, struct answer_act *act,
                        struct fault *fault)
{
    const Kira__MsgSubmitProposal *submit =
        bounded_unpack(arena, &kira__msg_submit_proposal__descriptor, any->value.data,
                       any->value.len, "proposal", fault);
    if (!submit)
        return false;
    act->title = bytes_of(submit->title);
    act->description = bytes_of(submit->description);
    return content_read(arena, submit->content, act, fault);
}

static bool propose_read(struct arena *arena, const Cosmos__Any *any, struct answer_act *act,
                         struct fault *fault)
{
    const Dcl__MsgProposeUpgrade *propose =
        bounded_unpack(arena, &dcl__msg_propose_upgrade__descriptor, any->value.data,
                       any->value.len, "upgrade", fault);
    if (!propose)
        return false;
    act->kind = ACT_PROPOSE_UPGRADE;
    act->addresses[0] = bytes_of(propose->creator);
    act->has_creator = tx_address_read(propose->creator, false, act->creator);
    act->info = bytes_of(propose->info);
    act->time_s = propose->time;
    if (propose->plan) {
        act->name = bytes_of(propose->plan->name);
        act->height = propose->plan->height;
        act->plan_info = bytes_of(propose->plan->info);
    }
    return true;
}

/* Votes on an upgrade, and everything about disabling: creator, what it is about, info, time. */
static bool vote_read(struct arena *arena, const Cosmos__Any *any, enum answer_act_kind kind,
                      struct answer_act *act, struct fault *fault)
{
    const Dcl__MsgVoteUpgrade *vote =
        bounded_unpack(arena, &dcl__msg_vote_upgrade__descriptor, any->value.data, any->value.len,
                       "trustee's vote", fault);
    if (!vote)
        return false;
    act->kind = kind;
    act->addresses[0] = bytes_of(vote->creator);
    act->has_creator = tx_address_read(vote->creator, false, act->creator);
    act->info = bytes_of(vote->info);
    act->time_s = vote->time;
    if (kind == ACT_APPROVE_UPGRADE || kind == ACT_REJECT_UPGRADE) {
        act->name = bytes_of(vote->name);
        return true;
    }
    act->addresses[1] = bytes_of(vote->name);
    act->has_validator = tx_address_read(vote->name, true, act->validator);
    return true;
}

/* Messages whose meaning tx.h has: the addresses as they are written. */

static bool send_read(struct arena *arena, const Cosmos__Any *any, struct answer_act *act,
                      struct fault *fault)
{
    const Cosmos__MsgSend *send = bounded_unpack(
        arena, &cosmos__msg_send__descriptor, any->value.data, any->value.len, "bank send", fault);
    if (!send)
        return false;
    act->addresses[0] = bytes_of(send->from_address);
    act->addresses[1] = bytes_of(send->to_address);
    return true;
}

static bool kira_membership_read(struct arena *arena, const Cosmos__Any *any,
                                 struct answer_act *act, struct fault *fault)
{
    const Kira__MsgMembership *read =
        bounded_unpack(arena, &kira__msg_membership__descriptor, any->value.data, any->value.len,
                       "message", fault);
    if (read)
        act->addresses[0] = bytes_of(read->validator_addr);
    return read != NULL;
}

static bool dcl_membership_read(struct arena *arena, const Cosmos__Any *any, struct answer_act *act,
                                struct fault *fault)
{
    const Dcl__MsgMembership *read = bounded_unpack(
        arena, &dcl__msg_membership__descriptor, any->value.data, any->value.len, "message", fault);
    if (read)
        act->addresses[0] = bytes_of(read->creator);
    return read != NULL;
}

static bool create_read(struct arena *arena, const Cosmos__Any *any, struct answer_act *act,
                        struct fault *fault)
{
    const Dcl__MsgCreateValidator *create =
        bounded_unpack(arena, &dcl__msg_create_validator__descriptor, any->value.data,
                       any->value.len, "message", fault);
    if (create)
        act->addresses[0] = bytes_of(create->signer);
    return create != NULL;
}

static bool named_read(struct arena *arena, const Cosmos__Any *any, enum tx_message_kind message,
                       struct answer_act *act, struct fault *fault)
{
    switch (message) {
    case TX_MESSAGE_SEND:
        return send_read(arena, any, act, fault);
    case TX_MESSAGE_PAUSE:
    case TX_MESSAGE_UNPAUSE:
    case TX_MESSAGE_ACTIVATE:
        return kira_membership_read(arena, any, act, fault);
    case TX_MESSAGE_DISABLE_NODE:
    case TX_MESSAGE_ENABLE_NODE:
        return dcl_membership_read(arena, any, act, fault);
    case TX_MESSAGE_CREATE_VALIDATOR:
        return create_read(arena, any, act, fault);
    default:
        return true;
    }
}

static bool act_read(struct arena *arena, const Cosmos__Any *any, enum tx_message_kind message,
                     struct answer_act *act, struct fault *fault)
{
    *act = (struct answer_act){.kind = ACT_NONE};
    if (message == TX_MESSAGE_SUBMIT_PROPOSAL)
        return submit_read(arena, any, act, fault);
    if (message == TX_MESSAGE_PROPOSE_UPGRADE)
        return propose_read(arena, any, act, fault);
    if (message == TX_MESSAGE_APPROVE_UPGRADE)
        return vote_read(arena, any, ACT_APPROVE_UPGRADE, act, fault);
    if (message == TX_MESSAGE_REJECT_UPGRADE)
        return vote_read(arena, any, ACT_REJECT_UPGRADE, act, fault);
    if (tx_any_is(any, DISABLE_URL "ProposeDisableValidator"))
        return vote_read(arena, any, ACT_PROPOSE_DISABLE, act, fault);
    if (tx_any_is(any, DISABLE_URL "ApproveDisableValidator"))
        return vote_read(arena, any, ACT_APPROVE_DISABLE, act, fault);
    if (tx_any_is(any, DISABLE_URL "RejectDisableValidator"))
        return vote_read(arena, any, ACT_REJECT_DISABLE, act, fault);
    return named_read(arena, any, message, act, fault);
}

const struct answer_act *answer_acts_read(const struct tx_decoded *tx, struct arena *arena,
                                          struct fault *fault)
{
    const Cosmos__TxBody *body = bounded_unpack(arena, &cosmos__tx_body__descriptor, tx->body,
                                                tx->body_size, "transaction's body", fault);
    struct answer_act *acts =
        body ? arena_alloc(arena, (body->n_messages + 1) * sizeof *acts) : NULL;
    if (!acts) {
        fault_set(fault, "transaction: too much to unpack");
        return NULL;
    }
    for (size_t i = 0; i < body->n_messages; i++) {
        if (!act_read(arena, body->messages[i], tx->messages[i].kind, &acts[i], fault))
            return NULL;
    }
    return acts;
}
