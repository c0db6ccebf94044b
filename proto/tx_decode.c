#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "proto/tx_internal.h"

static bool memory_short(struct fault *fault)
{
    return fault_set(fault, "transaction: too much to unpack");
}

static bool messages_read(const Cosmos__TxBody *body, struct tx_decoded *tx, struct fault *fault)
{
    struct tx_message *messages = arena_alloc(&tx->memory, body->n_messages * sizeof *messages);
    if (!messages)
        return memory_short(fault);
    for (size_t i = 0; i < body->n_messages; i++)
        if (!tx_message_read(&tx->memory, body->messages[i], &messages[i], fault))
            return fault_within(fault, "transaction's message");
    tx->messages = messages;
    tx->message_count = (uint32_t)body->n_messages;
    return true;
}

static bool body_read(struct tx_decoded *tx, struct fault *fault)
{
    const Cosmos__TxBody *body = bounded_unpack(&tx->memory, &cosmos__tx_body__descriptor, tx->body,
                                                tx->body_size, "transaction's body", fault);
    if (!body || !messages_read(body, tx, fault))
        return false;
    tx->memo_size = body->memo.len;
    tx->memo = arena_text(&tx->memory, body->memo.data, body->memo.len);
    tx->timeout_height = body->timeout_height;
    return tx->memo || memory_short(fault);
}

/* Multisignatures and keys of other kinds are left unread, as the chain takes them too. */
static bool signer_read(const Cosmos__SignerInfo *signer, struct tx_decoded *tx,
                        struct fault *fault)
{
    bool broken = false;
    if (tx_any_key(&tx->memory, signer->public_key, TX_URL_SECP256K1, tx->public_key,
                   ACCOUNT_PUBLIC_SIZE, &broken, fault)) {
        tx->has_public_key = true;
        account_address(tx->public_key, tx->signer);
    }
    const Cosmos__ModeInfo *mode = signer->mode_info;
    tx->sequence = signer->sequence;
    tx->direct =
        mode && mode->single && mode->single->mode == TX_MODE_DIRECT && mode->multi.len == 0;
    return !broken;
}

static bool auth_read(struct tx_decoded *tx, struct fault *fault)
{
    const Cosmos__AuthInfo *auth =
        bounded_unpack(&tx->memory, &cosmos__auth_info__descriptor, tx->auth, tx->auth_size,
                       "transaction's auth_info", fault);
    if (!auth)
        return false;
    tx->signer_count = (uint32_t)auth->n_signer_infos;
    if (tx->signer_count > 0 && !signer_read(auth->signer_infos[0], tx, fault))
        return fault_within(fault, "transaction's signer");
    if (!auth->fee)
        return true;
    tx->gas = auth->fee->gas_limit;
    tx->fee_count = (uint32_t)auth->fee->n_amount;
    return tx_coins_read(&tx->memory, auth->fee->amount, auth->fee->n_amount, &tx->fee) ||
           memory_short(fault);
}

static bool raw_read(const uint8_t *bytes, size_t size, struct tx_decoded *tx, struct fault *fault)
{
    const Cosmos__TxRaw *raw =
        bounded_unpack(&tx->memory, &cosmos__tx_raw__descriptor, bytes, size, "transaction", fault);
    if (!raw)
        return false;
    tx->body = raw->body_bytes.data;
    tx->body_size = raw->body_bytes.len;
    tx->auth = raw->auth_info_bytes.data;
    tx->auth_size = raw->auth_info_bytes.len;
    tx->signature_count = (uint32_t)raw->n_signatures;
    tx->has_signature = raw->n_signatures > 0 && raw->signatures[0].len == ACCOUNT_SIGNATURE_SIZE;
    if (tx->has_signature)
        memcpy(tx->signature, raw->signatures[0].data, ACCOUNT_SIGNATURE_SIZE);
    return body_read(tx, fault) && auth_read(tx, fault);
}

bool tx_decode(const uint8_t *bytes, size_t size, struct tx_decoded *tx, struct fault *fault)
{
    *tx = (struct tx_decoded){0};
    if (size == 0 || size > TX_SIZE_MAX)
        return fault_set(fault, "transaction: %zu bytes; expected 1 to %zu", size, TX_SIZE_MAX);
    arena_begin(&tx->memory, ARENA_BUDGET(size));
    if (!raw_read(bytes, size, tx, fault)) {
        tx_decoded_destroy(tx);
        return false;
    }
    return true;
}

void tx_decoded_destroy(struct tx_decoded *tx)
{
    arena_end(&tx->memory);
    *tx = (struct tx_decoded){0};
}

void tx_hash(const uint8_t *bytes, size_t size, uint8_t hash[HASH_SIZE])
{
    bool done = EVP_Digest(bytes, size, hash, NULL, EVP_sha256(), NULL) == 1;
    assert(done);
}

bool tx_verify(const struct tx_decoded *tx, const char *chain_id, uint64_t account_number)
{
    if (tx->signer_count != 1 || tx->signature_count != 1 || !tx->has_public_key || !tx->direct ||
        !tx->has_signature)
        return false;
    size_t size;
    uint8_t *document =
        tx_sign_doc(bounded_bytes(tx->body, tx->body_size), bounded_bytes(tx->auth, tx->auth_size),
                    chain_id, account_number, &size);
    bool right = document && account_verify(tx->public_key, document, size, tx->signature);
    free(document);
    return right;
}

/* What the message of a join has to be: something that changes nothing, by the account of the key. */
static bool join_carrier(enum chain_kind chain, const struct tx_decoded *tx)
{
    const struct tx_message *message = &tx->messages[0];
    if (!message->has_signer || memcmp(message->signer, tx->signer, ACCOUNT_ADDRESS_SIZE) != 0)
        return false;
    if (chain == CHAIN_DCL)
        return message->kind == TX_MESSAGE_CREATE_VALIDATOR;
    return message->kind == TX_MESSAGE_SEND && message->has_recipient &&
           memcmp(message->recipient, tx->signer, ACCOUNT_ADDRESS_SIZE) == 0 &&
           message->amount_count == 1 && strcmp(message->amount[0].amount, "1") == 0 &&
           (tx->fee_count == 0 || strcmp(message->amount[0].denom, tx->fee[0].denom) == 0);
}

static bool join_entry(enum chain_kind chain, const struct tx_decoded *tx, struct tx_entry *entry)
{
    if (tx->message_count != 1 || tx->signer_count != 1 || tx->signature_count != 1 ||
        !tx->has_public_key || !join_carrier(chain, tx) ||
        !tx_join_memo(tx->memo, tx->memo_size, &entry->class_minutes, &entry->charter,
                      &entry->foreign))
        return false;
    entry->kind = TX_JOIN;
    memcpy(entry->who, tx->signer, ACCOUNT_ADDRESS_SIZE);
    return true;
}

static enum tx_kind membership_kind(enum chain_kind chain, enum tx_message_kind kind)
{
    if (chain == CHAIN_DCL)
        return kind == TX_MESSAGE_DISABLE_NODE  ? TX_PAUSE
               : kind == TX_MESSAGE_ENABLE_NODE ? TX_UNPAUSE
                                                : TX_OTHER;
    return kind == TX_MESSAGE_PAUSE      ? TX_PAUSE
           : kind == TX_MESSAGE_UNPAUSE  ? TX_UNPAUSE
           : kind == TX_MESSAGE_ACTIVATE ? TX_ACTIVATE
                                         : TX_OTHER;
}

bool tx_entry(enum chain_kind chain, const struct tx_decoded *tx, uint32_t message,
              struct tx_entry *entry)
{
    assert(message < tx->message_count);
    const struct tx_message *read = &tx->messages[message];
    *entry = (struct tx_entry){.kind = membership_kind(chain, read->kind)};
    if (entry->kind == TX_OTHER)
        return join_entry(chain, tx, entry);
    memcpy(entry->who, read->validator, ACCOUNT_ADDRESS_SIZE);
    return read->has_validator;
}
