#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/tx_internal.h"

#define DRAFT_BUDGET ((size_t)256 << 10) /* far more than the longest texts that are let through */

uint8_t *tx_sign_doc(ProtobufCBinaryData body, ProtobufCBinaryData auth, const char *chain_id,
                     uint64_t account_number, size_t *size)
{
    Cosmos__SignDoc document = COSMOS__SIGN_DOC__INIT;
    document.body_bytes = body;
    document.auth_info_bytes = auth;
    document.chain_id = bounded_text(chain_id);
    document.account_number = account_number;
    return bounded_pack_owned(&document.base, size);
}

static uint8_t *body_build(struct arena *memory, const struct tx_request *request, size_t *size)
{
    Cosmos__TxBody body = COSMOS__TX_BODY__INIT;
    Cosmos__Any message = tx_message_build(memory, request), *messages[] = {&message};
    char memo[TX_JOIN_MEMO_MAX];
    if (!message.value.data)
        return NULL;
    body.n_messages = 1;
    body.messages = messages;
    body.memo = bounded_text(request->memo);
    if (request->action == TX_DO_JOIN && request->class_minutes > 0) {
        tx_join_memo_text(request->class_minutes, request->charter, memo);
        body.memo = bounded_text(memo);
    }
    body.timeout_height = request->timeout_height;
    return bounded_pack_owned(&body.base, size);
}

static uint8_t *auth_pack(Cosmos__SignerInfo *signer, const struct tx_request *request,
                          size_t *size)
{
    char amount[24];
    snprintf(amount, sizeof amount, "%" PRIu64, request->fee_amount);
    Cosmos__Coin coin = COSMOS__COIN__INIT, *coins[] = {&coin};
    coin.denom = bounded_text(request->fee_denom);
    coin.amount = bounded_text(amount);
    Cosmos__Fee fee = COSMOS__FEE__INIT;
    fee.n_amount = request->fee_denom && request->fee_amount > 0 ? 1 : 0;
    fee.amount = coins;
    fee.gas_limit = request->gas;
    Cosmos__AuthInfo auth = COSMOS__AUTH_INFO__INIT;
    auth.n_signer_infos = 1;
    auth.signer_infos = &signer;
    auth.fee = &fee;
    return bounded_pack_owned(&auth.base, size);
}

static uint8_t *auth_build(struct arena *memory, const struct tx_request *request, size_t *size)
{
    Cosmos__PubKey key = COSMOS__PUB_KEY__INIT;
    key.key = bounded_bytes(request->public_key, ACCOUNT_PUBLIC_SIZE);
    Cosmos__Any key_any = COSMOS__ANY__INIT;
    key_any.type_url = bounded_text(TX_URL_SECP256K1);
    key_any.value = bounded_pack(memory, &key.base);
    if (!key_any.value.data)
        return NULL;
    Cosmos__ModeInfo__Single single = COSMOS__MODE_INFO__SINGLE__INIT;
    single.mode = TX_MODE_DIRECT;
    Cosmos__ModeInfo mode = COSMOS__MODE_INFO__INIT;
    mode.single = &single;
    Cosmos__SignerInfo signer = COSMOS__SIGNER_INFO__INIT;
    signer.public_key = &key_any;
    signer.mode_info = &mode;
    signer.sequence = request->sequence;
    return auth_pack(&signer, request, size);
}

bool tx_draft(const struct tx_request *request, struct tx_draft *draft, struct fault *fault)
{
    struct arena memory;
    *draft = (struct tx_draft){0};
    if (!tx_request_check(request, fault))
        return false;
    arena_begin(&memory, DRAFT_BUDGET);
    draft->body = body_build(&memory, request, &draft->body_size);
    draft->auth = auth_build(&memory, request, &draft->auth_size);
    arena_end(&memory);
    if (draft->body && draft->auth)
        draft->sign_doc =
            tx_sign_doc(bounded_bytes(draft->body, draft->body_size),
                        bounded_bytes(draft->auth, draft->auth_size), request->chain_id,
                        request->account_number, &draft->sign_doc_size);
    if (draft->sign_doc)
        return true;
    tx_draft_destroy(draft);
    return fault_set(fault, "transaction: not enough memory to build it");
}

void tx_draft_destroy(struct tx_draft *draft)
{
    free(draft->body);
    free(draft->auth);
    free(draft->sign_doc);
    *draft = (struct tx_draft){0};
}

bool tx_assemble(const struct tx_draft *draft, const uint8_t signature[ACCOUNT_SIGNATURE_SIZE],
                 uint8_t **bytes, size_t *size)
{
    ProtobufCBinaryData signatures[] = {bounded_bytes(signature, ACCOUNT_SIGNATURE_SIZE)};
    Cosmos__TxRaw raw = COSMOS__TX_RAW__INIT;
    raw.body_bytes = bounded_bytes(draft->body, draft->body_size);
    raw.auth_info_bytes = bounded_bytes(draft->auth, draft->auth_size);
    raw.n_signatures = 1;
    raw.signatures = signatures;
    *bytes = bounded_pack_owned(&raw.base, size);
    return *bytes != NULL;
}
