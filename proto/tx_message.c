/* One message of a transaction, read. */
#include <string.h>

#include <openssl/evp.h>

#include "dcl.pb-c.h"
#include "kira.pb-c.h"
#include "proto/tx_internal.h"

#define KIRA_SLASHING "/kira.slashing."
#define DCL_VALIDATOR "/zigbeealliance.distributedcomplianceledger.validator."
#define DCL_UPGRADE "/zigbeealliance.distributedcomplianceledger.dclupgrade."
#define ED25519_SIZE 32

static const char *const urls[] = {
    [TX_MESSAGE_OTHER] = "",
    [TX_MESSAGE_SEND] = "/cosmos.bank.v1beta1.MsgSend",
    [TX_MESSAGE_PAUSE] = KIRA_SLASHING "MsgPause",
    [TX_MESSAGE_UNPAUSE] = KIRA_SLASHING "MsgUnpause",
    [TX_MESSAGE_ACTIVATE] = KIRA_SLASHING "MsgActivate",
    [TX_MESSAGE_CLAIM_VALIDATOR] = "/kira.staking.MsgClaimValidator",
    [TX_MESSAGE_SUBMIT_PROPOSAL] = "/kira.gov.MsgSubmitProposal",
    [TX_MESSAGE_VOTE] = "/kira.gov.MsgVoteProposal",
    [TX_MESSAGE_DISABLE_NODE] = DCL_VALIDATOR "MsgDisableValidator",
    [TX_MESSAGE_ENABLE_NODE] = DCL_VALIDATOR "MsgEnableValidator",
    [TX_MESSAGE_CREATE_VALIDATOR] = DCL_VALIDATOR "MsgCreateValidator",
    [TX_MESSAGE_PROPOSE_UPGRADE] = DCL_UPGRADE "MsgProposeUpgrade",
    [TX_MESSAGE_APPROVE_UPGRADE] = DCL_UPGRADE "MsgApproveUpgrade",
    [TX_MESSAGE_REJECT_UPGRADE] = DCL_UPGRADE "MsgRejectUpgrade",
};
#define KINDS (sizeof urls / sizeof urls[0])

const char *tx_message_url(enum tx_message_kind kind)
{
    return urls[kind];
}

bool tx_any_is(const Cosmos__Any *any, const char *type_url)
{
    return any && any->type_url.len == strlen(type_url) &&
           memcmp(any->type_url.data, type_url, any->type_url.len) == 0;
}

static enum tx_message_kind kind_of(const Cosmos__Any *any)
{
    for (size_t kind = TX_MESSAGE_OTHER + 1; kind < KINDS; kind++)
        if (tx_any_is(any, urls[kind]))
            return (enum tx_message_kind)kind;
    return TX_MESSAGE_OTHER;
}

bool tx_address_read(ProtobufCBinaryData text, bool valoper, uint8_t out[ACCOUNT_ADDRESS_SIZE])
{
    struct bech32 decoded;
    if (text.len == 0 || bech32_decode((const char *)text.data, text.len, &decoded) != NULL ||
        decoded.size != ACCOUNT_ADDRESS_SIZE || bech32_prefix_ends(&decoded, "valoper") != valoper)
        return false;
    memcpy(out, decoded.bytes, ACCOUNT_ADDRESS_SIZE);
    return true;
}

/* An address as its bytes. */
static bool address_raw(ProtobufCBinaryData bytes, uint8_t out[ACCOUNT_ADDRESS_SIZE])
{
    if (bytes.len != ACCOUNT_ADDRESS_SIZE)
        return false;
    memcpy(out, bytes.data, ACCOUNT_ADDRESS_SIZE);
    return true;
}

/* A validator signs with the account of the same bytes. */
static void signs_itself(struct tx_message *message)
{
    message->has_signer = message->has_validator;
    memcpy(message->signer, message->validator, ACCOUNT_ADDRESS_SIZE);
}

bool tx_any_key(struct arena *memory, const Cosmos__Any *any, const char *type_url, uint8_t *key,
                size_t size, bool *broken, struct fault *fault)
{
    if (!tx_any_is(any, type_url))
        return false;
    const Cosmos__PubKey *found = bounded_unpack(
        memory, &cosmos__pub_key__descriptor, any->value.data, any->value.len, "public key", fault);
    *broken = *broken || !found;
    if (!found || found->key.len != size)
        return false;
    memcpy(key, found->key.data, size);
    return true;
}

/* The consensus address of an ed25519 key. False when the key is broken; any other key is left alone. */
static bool consensus_read(struct arena *memory, const Cosmos__Any *any, struct tx_message *message,
                           struct fault *fault)
{
    uint8_t key[ED25519_SIZE], hash[HASH_SIZE];
    bool broken = false;
    if (!tx_any_key(memory, any, TX_URL_ED25519, key, sizeof key, &broken, fault))
        return !broken;
    message->has_consensus = EVP_Digest(key, sizeof key, hash, NULL, EVP_sha256(), NULL) == 1;
    memcpy(message->consensus, hash, ADDRESS_SIZE);
    return true;
}

/* Text that is not cut where it holds a NUL: that becomes a '?', so that it equals nothing proper. */
static char *text_read(struct arena *memory, ProtobufCBinaryData bytes)
{
    char *text = arena_text(memory, bytes.data, bytes.len);
    for (size_t i = 0; text && i < bytes.len; i++)
        text[i] = text[i] ? text[i] : '?';
    return text;
}

static bool name_read(struct arena *memory, ProtobufCBinaryData text, struct tx_message *message,
                      struct fault *fault)
{
    message->name = text_read(memory, text);
    return message->name || fault_set(fault, "message: too much to unpack");
}

bool tx_coins_read(struct arena *memory, Cosmos__Coin **coins, size_t count,
                   const struct tx_coin **out)
{
    struct tx_coin *list = arena_alloc(memory, count * sizeof *list);
    *out = list;
    for (size_t i = 0; list && i < count; i++) {
        ProtobufCBinaryData amount = coins[i]->amount;
        list[i].denom = text_read(memory, coins[i]->denom);
        list[i].amount = amount.len > 0 ? text_read(memory, amount) : "0";
        if (!list[i].denom || !list[i].amount)
            return false;
    }
    return list != NULL;
}

static bool send_read(struct arena *memory, const void *unpacked, struct tx_message *message,
                      struct fault *fault)
{
    const Cosmos__MsgSend *send = unpacked;
    message->has_signer = tx_address_read(send->from_address, false, message->signer);
    message->has_recipient = tx_address_read(send->to_address, false, message->recipient);
    message->amount_count = (uint32_t)send->n_amount;
    return tx_coins_read(memory, send->amount, send->n_amount, &message->amount) ||
           fault_set(fault, "bank send: too much to unpack");
}

static bool kira_membership_read(struct arena *memory, const void *unpacked,
                                 struct tx_message *message, struct fault *fault)
{
    const Kira__MsgMembership *read = unpacked;
    (void)memory;
    (void)fault;
    message->has_validator = tx_address_read(read->validator_addr, true, message->validator);
    signs_itself(message);
    return true;
}

static bool claim_read(struct arena *memory, const void *unpacked, struct tx_message *message,
                       struct fault *fault)
{
    const Kira__MsgClaimValidator *claim = unpacked;
    message->has_validator = address_raw(claim->val_key, message->validator);
    signs_itself(message);
    return name_read(memory, claim->moniker, message, fault) &&
           consensus_read(memory, claim->pub_key, message, fault);
}

static bool submit_read(struct arena *memory, const void *unpacked, struct tx_message *message,
                        struct fault *fault)
{
    const Kira__MsgSubmitProposal *submit = unpacked;
    message->has_signer = address_raw(submit->proposer, message->signer);
    if (tx_any_is(submit->content, TX_URL_KIRA_UPGRADE)) {
        const Kira__ProposalSoftwareUpgrade *upgrade = bounded_unpack(
            memory, &kira__proposal_software_upgrade__descriptor, submit->content->value.data,
            submit->content->value.len, "proposal", fault);
        return upgrade && name_read(memory, upgrade->name, message, fault);
    }
    if (tx_any_is(submit->content, TX_URL_KIRA_CANCEL)) {
        const Kira__ProposalCancelSoftwareUpgrade *cancel = bounded_unpack(
            memory, &kira__proposal_cancel_software_upgrade__descriptor,
            submit->content->value.data, submit->content->value.len, "proposal", fault);
        return cancel && name_read(memory, cancel->name, message, fault);
    }
    return true;
}

static bool vote_read(struct arena *memory, const void *unpacked, struct tx_message *message,
                      struct fault *fault)
{
    const Kira__MsgVoteProposal *vote = unpacked;
    (void)memory;
    (void)fault;
    message->has_signer = address_raw(vote->voter, message->signer);
    message->proposal = vote->proposal_id;
    message->option = (uint32_t)vote->option;
    return true;
}

static bool dcl_membership_read(struct arena *memory, const void *unpacked,
                                struct tx_message *message, struct fault *fault)
{
    const Dcl__MsgMembership *read = unpacked;
    (void)memory;
    (void)fault;
    message->has_validator = tx_address_read(read->creator, true, message->validator);
    signs_itself(message);
    return true;
}

static bool create_read(struct arena *memory, const void *unpacked, struct tx_message *message,
                        struct fault *fault)
{
    const Dcl__MsgCreateValidator *create = unpacked;
    ProtobufCBinaryData moniker = {0};
    if (create->description)
        moniker = create->description->moniker;
    message->has_validator = tx_address_read(create->signer, true, message->validator);
    signs_itself(message);
    return name_read(memory, moniker, message, fault) &&
           consensus_read(memory, create->pub_key, message, fault);
}

static bool propose_read(struct arena *memory, const void *unpacked, struct tx_message *message,
                         struct fault *fault)
{
    const Dcl__MsgProposeUpgrade *propose = unpacked;
    ProtobufCBinaryData name = {0};
    if (propose->plan)
        name = propose->plan->name;
    message->has_signer = tx_address_read(propose->creator, false, message->signer);
    return name_read(memory, name, message, fault);
}

static bool vote_upgrade_read(struct arena *memory, const void *unpacked,
                              struct tx_message *message, struct fault *fault)
{
    const Dcl__MsgVoteUpgrade *vote = unpacked;
    message->has_signer = tx_address_read(vote->creator, false, message->signer);
    return name_read(memory, vote->name, message, fault);
}

struct reader {
    const ProtobufCMessageDescriptor *descriptor;
    bool (*read)(struct arena *memory, const void *unpacked, struct tx_message *message,
                 struct fault *fault);
};

static const struct reader readers[KINDS] = {
    [TX_MESSAGE_SEND] = {&cosmos__msg_send__descriptor, send_read},
    [TX_MESSAGE_PAUSE] = {&kira__msg_membership__descriptor, kira_membership_read},
    [TX_MESSAGE_UNPAUSE] = {&kira__msg_membership__descriptor, kira_membership_read},
    [TX_MESSAGE_ACTIVATE] = {&kira__msg_membership__descriptor, kira_membership_read},
    [TX_MESSAGE_CLAIM_VALIDATOR] = {&kira__msg_claim_validator__descriptor, claim_read},
    [TX_MESSAGE_SUBMIT_PROPOSAL] = {&kira__msg_submit_proposal__descriptor, submit_read},
    [TX_MESSAGE_VOTE] = {&kira__msg_vote_proposal__descriptor, vote_read},
    [TX_MESSAGE_DISABLE_NODE] = {&dcl__msg_membership__descriptor, dcl_membership_read},
    [TX_MESSAGE_ENABLE_NODE] = {&dcl__msg_membership__descriptor, dcl_membership_read},
    [TX_MESSAGE_CREATE_VALIDATOR] = {&dcl__msg_create_validator__descriptor, create_read},
    [TX_MESSAGE_PROPOSE_UPGRADE] = {&dcl__msg_propose_upgrade__descriptor, propose_read},
    [TX_MESSAGE_APPROVE_UPGRADE] = {&dcl__msg_vote_upgrade__descriptor, vote_upgrade_read},
    [TX_MESSAGE_REJECT_UPGRADE] = {&dcl__msg_vote_upgrade__descriptor, vote_upgrade_read},
};

bool tx_message_read(struct arena *memory, const Cosmos__Any *any, struct tx_message *message,
                     struct fault *fault)
{
    *message = (struct tx_message){.kind = kind_of(any), .name = ""};
    message->type_url = text_read(memory, any->type_url);
    if (!message->type_url)
        return fault_set(fault, "message: too much to unpack");
    const struct reader *reader = &readers[message->kind];
    if (!reader->read)
        return true;
    const void *unpacked = bounded_unpack(memory, reader->descriptor, any->value.data,
                                          any->value.len, message->type_url, fault);
    return unpacked && reader->read(memory, unpacked, message, fault);
}
