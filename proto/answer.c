#include "proto/answer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dcl.pb-c.h"
#include "kira.pb-c.h"
#include "proto/answer_internal.h"

#define REQUEST_BUDGET ((size_t)1 << 20)

/* --- requests --- */

static void text_take(const ProtobufCBinaryData *from, struct answer_request *to, size_t at)
{
    if (from->len >= ANSWER_TEXT_MAX || (from->len > 0 && memchr(from->data, '\0', from->len))) {
        strcpy(to->text[at], "?");
        return;
    }
    if (from->len > 0)
        memcpy(to->text[at], from->data, from->len);
    to->text[at][from->len] = '\0';
}

static void address_take(const ProtobufCBinaryData *from, struct answer_request *to)
{
    to->has_address = from->len == ACCOUNT_ADDRESS_SIZE;
    if (to->has_address)
        memcpy(to->address, from->data, ACCOUNT_ADDRESS_SIZE);
}

static bool page_take(const Cosmos__PageRequest *from, struct answer_request *to,
                      struct fault *fault)
{
    if (!from)
        return true;
    if (from->key.len > ANSWER_KEY_MAX)
        return fault_set(fault, "pagination.key: at most %d bytes were expected", ANSWER_KEY_MAX);
    to->has_page = true;
    to->page.key_size = from->key.len;
    if (from->key.len > 0)
        memcpy(to->page.key, from->key.data, from->key.len);
    to->page.offset = from->offset;
    to->page.limit = from->limit;
    to->page.count_total = from->count_total;
    to->page.reverse = from->reverse;
    return true;
}

static bool validators_take(const Kira__QueryValidatorsRequest *from, struct answer_request *to,
                            struct fault *fault)
{
    const ProtobufCBinaryData *texts[ANSWER_TEXTS] = {&from->address, &from->valkey,
                                                      &from->pubkey,  &from->moniker,
                                                      &from->status,  &from->proposer};
    for (size_t i = 0; i < ANSWER_TEXTS; i++)
        text_take(texts[i], to, i);
    return page_take(from->pagination, to, fault);
}

/* One message stands for all requests of a shape. */
static bool request_take(enum answer_shape shape, const void *from, struct answer_request *to,
                         struct fault *fault)
{
    switch (shape) {
    case ANSWER_NOTHING:
        break;
    case ANSWER_TEXT:
        text_take(&((const Cosmos__QueryBalanceRequest *)from)->address, to, 0);
        address_take(&((const Cosmos__QueryBalanceRequest *)from)->address, to);
        text_take(&((const Cosmos__QueryBalanceRequest *)from)->denom, to, 1);
        break;
    case ANSWER_SIGNING:
        text_take(&((const Kira__QuerySigningInfoRequest *)from)->cons_address, to, 0);
        to->flag = ((const Kira__QuerySigningInfoRequest *)from)->include_validator;
        break;
    case ANSWER_NUMBER:
        to->number = ((const Kira__QueryProposalRequest *)from)->proposal_id;
        break;
    case ANSWER_PAGE:
        to->flag = ((const Kira__QuerySigningInfosRequest *)from)->include_validator;
        return page_take(((const Kira__QuerySigningInfosRequest *)from)->pagination, to, fault);
    case ANSWER_VALIDATORS:
        return validators_take(from, to, fault);
    case ANSWER_PROPOSALS:
        text_take(&((const Kira__QueryProposalsRequest *)from)->voter, to, 0);
        return page_take(((const Kira__QueryProposalsRequest *)from)->pagination, to, fault);
    }
    return true;
}

bool answer_request_read(enum answer_shape shape, const uint8_t *bytes, size_t size,
                         struct answer_request *request, struct fault *fault)
{
    static const ProtobufCMessageDescriptor *const types[] = {
        [ANSWER_NOTHING] = &cosmos__query_balance_request__descriptor,
        [ANSWER_TEXT] = &cosmos__query_balance_request__descriptor,
        [ANSWER_SIGNING] = &kira__query_signing_info_request__descriptor,
        [ANSWER_NUMBER] = &kira__query_proposal_request__descriptor,
        [ANSWER_PAGE] = &kira__query_signing_infos_request__descriptor,
        [ANSWER_VALIDATORS] = &kira__query_validators_request__descriptor,
        [ANSWER_PROPOSALS] = &kira__query_proposals_request__descriptor,
    };
    *request = (struct answer_request){0};
    if (shape == ANSWER_NOTHING)
        return true;
    struct arena arena;
    arena_begin(&arena, REQUEST_BUDGET);
    const void *from = bounded_unpack(&arena, types[shape], bytes, size, "request", fault);
    bool good = from && request_take(shape, from, request, fault);
    arena_end(&arena);
    return good;
}

/* --- pieces --- */

uint8_t *answer_pack(struct arena *arena, const ProtobufCMessage *message, size_t *size)
{
    uint8_t *bytes = bounded_pack_owned(message, size);
    assert(bytes);
    arena_end(arena);
    return bytes;
}

void *answer_take(struct arena *arena, size_t count, size_t size)
{
    void *piece = arena_alloc(arena, count * size);
    assert(piece);
    memset(piece, 0, count * size);
    return piece;
}

ProtobufCBinaryData answer_copy(struct arena *arena, const void *bytes, size_t size)
{
    if (size == 0)
        return (ProtobufCBinaryData){0};
    uint8_t *copy = answer_take(arena, 1, size);
    memcpy(copy, bytes, size);
    return (ProtobufCBinaryData){.len = size, .data = copy};
}

ProtobufCBinaryData answer_address(struct arena *arena, const char *prefix, const char *kind,
                                   const uint8_t address[ACCOUNT_ADDRESS_SIZE])
{
    char whole[BECH32_TEXT_MAX], text[BECH32_TEXT_MAX];
    int length = snprintf(whole, sizeof whole, "%s%s", prefix, kind);
    assert(length > 0 && (size_t)length < sizeof whole);
    bool fits = bech32_encode(whole, address, ACCOUNT_ADDRESS_SIZE, text);
    assert(fits);
    return answer_copy(arena, text, strlen(text));
}

ProtobufCBinaryData answer_inner(struct arena *arena, const ProtobufCMessage *message)
{
    ProtobufCBinaryData packed = bounded_pack(arena, message);
    assert(packed.data || protobuf_c_message_get_packed_size(message) == 0);
    return packed;
}

Cosmos__Any *answer_key(struct arena *arena, const char *type_url, const uint8_t *key, size_t size)
{
    Cosmos__PubKey inner = COSMOS__PUB_KEY__INIT;
    Cosmos__Any *any = answer_take(arena, 1, sizeof *any);
    cosmos__any__init(any);
    inner.key = bounded_bytes(key, size);
    any->type_url = bounded_text(type_url);
    any->value = answer_inner(arena, &inner.base);
    return any;
}

Cosmos__Timestamp *answer_time(struct arena *arena, int64_t ms)
{
    Cosmos__Timestamp *time = answer_take(arena, 1, sizeof *time);
    assert(ms >= 0);
    cosmos__timestamp__init(time);
    time->seconds = ms / 1000;
    time->nanos = (int32_t)(ms % 1000 * 1000000);
    return time;
}

Cosmos__PageResponse *answer_tail(struct arena *arena, const struct answer_tail *tail)
{
    if (!tail)
        return NULL;
    Cosmos__PageResponse *page = answer_take(arena, 1, sizeof *page);
    cosmos__page_response__init(page);
    page->next_key = bounded_bytes(tail->next_key, tail->next_key_size);
    page->total = tail->total;
    return page;
}

/* --- accounts and results, which both chains have --- */

static void account_fill(struct arena *arena, const char *prefix,
                         const struct answer_account *account, Cosmos__BaseAccount *base)
{
    cosmos__base_account__init(base);
    base->address = answer_address(arena, prefix, "", account->address);
    base->account_number = account->number;
    base->sequence = account->sequence;
    if (account->has_key)
        base->pub_key = answer_key(arena, ANSWER_SECP256K1, account->key, ACCOUNT_PUBLIC_SIZE);
}

uint8_t *answer_account(const char *prefix, const struct answer_account *account, size_t *size)
{
    struct arena arena;
    Cosmos__BaseAccount base;
    Cosmos__Any any = COSMOS__ANY__INIT;
    Cosmos__QueryAccountResponse reply = COSMOS__QUERY_ACCOUNT_RESPONSE__INIT;
    arena_begin(&arena, ANSWER_BUDGET);
    account_fill(&arena, prefix, account, &base);
    any.type_url = bounded_text("/cosmos.auth.v1beta1.BaseAccount");
    any.value = answer_inner(&arena, &base.base);
    reply.account = &any;
    return answer_pack(&arena, &reply.base, size);
}

uint8_t *answer_account_dcl(const char *prefix, const struct answer_account *account, size_t *size)
{
    struct arena arena;
    Cosmos__BaseAccount base;
    ProtobufCBinaryData roles[ANSWER_ROLES];
    Dcl__Account inner = DCL__ACCOUNT__INIT;
    Dcl__QueryGetAccountResponse reply = DCL__QUERY_GET_ACCOUNT_RESPONSE__INIT;
    arena_begin(&arena, ANSWER_BUDGET);
    account_fill(&arena, prefix, account, &base);
    inner.base_account = &base;
    inner.roles = roles;
    while (inner.n_roles < ANSWER_ROLES && account->roles[inner.n_roles]) {
        roles[inner.n_roles] = bounded_text(account->roles[inner.n_roles]);
        inner.n_roles++;
    }
    reply.account = &inner;
    return answer_pack(&arena, &reply.base, size);
}

uint8_t *answer_balance(const char *denom, uint64_t amount, size_t *size)
{
    struct arena arena;
    char digits[24];
    Cosmos__Coin coin = COSMOS__COIN__INIT;
    Cosmos__QueryBalanceResponse reply = COSMOS__QUERY_BALANCE_RESPONSE__INIT;
    arena_begin(&arena, ANSWER_BUDGET);
    snprintf(digits, sizeof digits, "%" PRIu64, amount);
    coin.denom = bounded_text(denom);
    coin.amount = bounded_text(digits);
    reply.balance = &coin;
    return answer_pack(&arena, &reply.base, size);
}

/* cosmos.base.abci.v1beta1.TxMsgData: field 2, an Any for each message. */
uint8_t *answer_results(const struct answer_response *responses, uint32_t count, size_t *size)
{
    struct arena arena;
    Cosmos__TxMsgData data = COSMOS__TX_MSG_DATA__INIT;
    arena_begin(&arena, ANSWER_BUDGET);
    data.msg_responses = answer_take(&arena, count, sizeof *data.msg_responses);
    for (uint32_t i = 0; i < count; i++) {
        Kira__MsgSubmitProposalResponse inner = KIRA__MSG_SUBMIT_PROPOSAL_RESPONSE__INIT;
        Cosmos__Any *any = answer_take(&arena, 1, sizeof *any);
        cosmos__any__init(any);
        inner.proposal_id = responses[i].number;
        any->type_url = bounded_text(responses[i].type_url);
        any->value = answer_inner(&arena, &inner.base);
        data.msg_responses[data.n_msg_responses++] = any;
    }
    return answer_pack(&arena, &data.base, size);
}
