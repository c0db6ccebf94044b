/* What the files of tx_*.c share. */
#ifndef STAGGER_PROTO_TX_INTERNAL_H
#define STAGGER_PROTO_TX_INTERNAL_H

#include "cosmos.pb-c.h"
#include "proto/bounded.h"
#include "proto/tx.h"

#define TX_MODE_DIRECT 1
#define TX_URL_SECP256K1 "/cosmos.crypto.secp256k1.PubKey"
#define TX_URL_ED25519 "/cosmos.crypto.ed25519.PubKey"
#define TX_URL_KIRA_UPGRADE "/kira.upgrade.ProposalSoftwareUpgrade"
#define TX_URL_KIRA_CANCEL "/kira.upgrade.ProposalCancelSoftwareUpgrade"

/* The type URL of a kind of message; "" for TX_MESSAGE_OTHER. */
const char *tx_message_url(enum tx_message_kind kind);

/* Whether an Any is of this type. */
bool tx_any_is(const Cosmos__Any *any, const char *type_url);

/* An address as bech32 text: of an account, or of a validator where `valoper` is set. What a network calls
 * its prefix is not known here. */
bool tx_address_read(ProtobufCBinaryData text, bool valoper, uint8_t out[ACCOUNT_ADDRESS_SIZE]);

/* The key in an Any of this type: true when it is there and has `size` bytes. Another type or size is no
 * fault and gives false; bytes that are no PubKey at all are a fault, *broken is set. */
bool tx_any_key(struct arena *memory, const Cosmos__Any *any, const char *type_url, uint8_t *key,
                size_t size, bool *broken, struct fault *fault);

/* Coins as text, in the arena. False when memory is short. */
bool tx_coins_read(struct arena *memory, Cosmos__Coin **coins, size_t count,
                   const struct tx_coin **out);

/* Decodes one message of a transaction. */
bool tx_message_read(struct arena *memory, const Cosmos__Any *any, struct tx_message *message,
                     struct fault *fault);

/* Whether the request can become a transaction: every field that its action uses. */
bool tx_request_check(const struct tx_request *request, struct fault *fault);

/* The message of a checked request, in the arena; its value is NULL when memory is short. */
Cosmos__Any tx_message_build(struct arena *memory, const struct tx_request *request);

/* SignDoc in an allocation of the caller's; NULL when memory is short. */
uint8_t *tx_sign_doc(ProtobufCBinaryData body, ProtobufCBinaryData auth, const char *chain_id,
                     uint64_t account_number, size_t *size);

#endif
