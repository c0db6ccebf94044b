/* Fields that a chain does not know make it refuse a transaction: somebody may have meant something by them. In the
 * body, those whose number has the bit 1024 may be left unread. */
#include <inttypes.h>

#include "dcl.pb-c.h"
#include "kira.pb-c.h"
#include "proto/answer_act.h"
#include "proto/tx_internal.h"

#define NOT_CRITICAL 1024u

static bool fields_known(const ProtobufCMessage *message, bool body, struct fault *fault);

static bool field_known(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                        bool body, struct fault *fault)
{
    const char *base = (const char *)message;
    const void *member = base + field->offset;
    if (field->type != PROTOBUF_C_TYPE_MESSAGE)
        return true;
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        const ProtobufCMessage *const *inner = member;
        return !*inner || fields_known(*inner, body, fault);
    }
    const ProtobufCMessage *const *const *list = member;
    const size_t *count = (const void *)(base + field->quantifier_offset);
    for (size_t i = 0; i < *count; i++) {
        if (!fields_known((*list)[i], body, fault))
            return false;
    }
    return true;
}

/* Recursion ends where the .proto files do: none of their messages contains itself. */
static bool fields_known(const ProtobufCMessage *message, bool body, struct fault *fault)
{
    for (unsigned i = 0; i < message->n_unknown_fields; i++) {
        uint32_t number = message->unknown_fields[i].tag;
        if (!body || !(number & NOT_CRITICAL))
            return fault_set(fault, "errUnknownField \"%s\": {TagNum: %" PRIu32 "}",
                             message->descriptor->short_name, number);
    }
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        if (!field_known(message, &message->descriptor->fields[i], body, fault))
            return false;
    }
    return true;
}

static bool bytes_known(struct arena *arena, const ProtobufCMessageDescriptor *type,
                        const uint8_t *bytes, size_t size, bool body, struct fault *fault)
{
    const ProtobufCMessage *message = bounded_unpack(arena, type, bytes, size, "field", fault);
    return message && fields_known(message, body, fault);
}

static const ProtobufCMessageDescriptor *message_type(enum tx_message_kind kind)
{
    switch (kind) {
    case TX_MESSAGE_SEND:
        return &cosmos__msg_send__descriptor;
    case TX_MESSAGE_PAUSE:
    case TX_MESSAGE_UNPAUSE:
    case TX_MESSAGE_ACTIVATE:
    case TX_MESSAGE_DISABLE_NODE:
    case TX_MESSAGE_ENABLE_NODE:
        return &kira__msg_membership__descriptor;
    case TX_MESSAGE_SUBMIT_PROPOSAL:
        return &kira__msg_submit_proposal__descriptor;
    case TX_MESSAGE_VOTE:
        return &kira__msg_vote_proposal__descriptor;
    case TX_MESSAGE_CREATE_VALIDATOR:
        return &dcl__msg_create_validator__descriptor;
    case TX_MESSAGE_PROPOSE_UPGRADE:
        return &dcl__msg_propose_upgrade__descriptor;
    case TX_MESSAGE_APPROVE_UPGRADE:
    case TX_MESSAGE_REJECT_UPGRADE:
        return &dcl__msg_vote_upgrade__descriptor;
    case TX_MESSAGE_CLAIM_VALIDATOR:
    case TX_MESSAGE_OTHER:
        break;
    }
    return NULL;
}

bool answer_fields_known(const struct tx_decoded *tx, const uint8_t *bytes, size_t size,
                         struct arena *arena, struct fault *fault)
{
    if (!bytes_known(arena, &cosmos__tx_raw__descriptor, bytes, size, false, fault) ||
        !bytes_known(arena, &cosmos__auth_info__descriptor, tx->auth, tx->auth_size, false, fault))
        return false;
    const Cosmos__TxBody *body = bounded_unpack(arena, &cosmos__tx_body__descriptor, tx->body,
                                                tx->body_size, "transaction's body", fault);
    if (!body || !fields_known(&body->base, true, fault))
        return false;
    for (size_t i = 0; i < body->n_messages; i++) {
        const ProtobufCMessageDescriptor *type = message_type(tx->messages[i].kind);
        ProtobufCBinaryData value = body->messages[i]->value;
        if (type && !bytes_known(arena, type, value.data, value.len, true, fault))
            return false;
    }
    return true;
}
