/* Transactions of KIRA and DCL: built, signed and read back (cosmos-sdk 0.47, SIGN_MODE_DIRECT).
 *
 *     TxRaw { body_bytes, auth_info_bytes, signatures }
 *               |            |
 *               |            +-- one SignerInfo {public key, DIRECT, sequence}, Fee {coins, gas limit}
 *               +-- messages (Any), memo, timeout_height
 *     signature = account_sign(SignDoc {body_bytes, auth_info_bytes, chain_id, account_number})
 *     hash      = SHA-256(TxRaw), printed in upper case
 *
 * Encoding is canonical: fields ascending, zero values left out; so the same request always gives the same
 * bytes, and sending them again is idempotent. Decoding is bounded: at most TX_SIZE_MAX bytes, memory from
 * one arena of a fixed size; what cannot be decoded is refused with a reason, as the chain would refuse it
 * or, where the chain is laxer, as "no join" (PROTOCOL section 5).
 */
#ifndef STAGGER_PROTO_TX_H
#define STAGGER_PROTO_TX_H

#include "coord/view.h"
#include "proto/account.h"

#define TX_SIZE_MAX ((size_t)1 << 20)
#define TX_MESSAGES_MAX 64 /* kept; more are counted */
#define TX_MEMO_MAX 256    /* characters the chains take */
#define TX_TEXT_MAX 1024   /* of one text field that we send */
#define TX_DENOM_MAX 129
#define TX_COINS_MAX 8

enum tx_message_kind {
    TX_MESSAGE_OTHER, /* decoded no further than its type URL */
    TX_MESSAGE_SEND,
    TX_MESSAGE_PAUSE,
    TX_MESSAGE_UNPAUSE,
    TX_MESSAGE_ACTIVATE,
    TX_MESSAGE_CLAIM_VALIDATOR, /* KIRA: makes a validator record */
    TX_MESSAGE_SUBMIT_PROPOSAL,
    TX_MESSAGE_VOTE,
    TX_MESSAGE_DISABLE_NODE,
    TX_MESSAGE_ENABLE_NODE,
    TX_MESSAGE_CREATE_VALIDATOR,
    TX_MESSAGE_PROPOSE_UPGRADE,
    TX_MESSAGE_APPROVE_UPGRADE,
    TX_MESSAGE_REJECT_UPGRADE,
};

struct tx_coin {
    char denom[TX_DENOM_MAX];
    char amount[80]; /* decimal digits; "0" for none */
};

/* --- reading --- */

struct tx_message {
    enum tx_message_kind kind;
    char type_url[128]; /* cut when longer; `kind` is then OTHER */
    bool has_validator; /* of pause, unpause, activate, disable, enable, create, claim: */
    uint8_t
        validator[ACCOUNT_ADDRESS_SIZE]; /* whom the message names (bytes of its valoper address) */
    bool has_consensus;                  /* of claim and create-validator: the ed25519 key's */
    uint8_t consensus[ADDRESS_SIZE];
    bool has_signer; /* whom the message wants to be signed by */
    uint8_t signer[ACCOUNT_ADDRESS_SIZE];
    /* of a send */
    uint8_t recipient[ACCOUNT_ADDRESS_SIZE];
    struct tx_coin amount[TX_COINS_MAX];
    uint32_t amount_count;
    /* of votes and proposals */
    uint64_t proposal;
    uint32_t option;
    char name[128]; /* plan of a DCL upgrade message */
};

struct tx_decoded {
    uint32_t message_count; /* all; the first TX_MESSAGES_MAX are in messages[] */
    struct tx_message messages[TX_MESSAGES_MAX];
    char memo[TX_MEMO_MAX + 1]; /* "" and memo_long when longer */
    bool memo_long;
    uint64_t timeout_height;
    uint32_t signer_count;
    bool has_public_key; /* of the first signer; secp256k1 */
    uint8_t public_key[ACCOUNT_PUBLIC_SIZE];
    uint8_t signer[ACCOUNT_ADDRESS_SIZE]; /* address of that key */
    uint64_t sequence;
    bool direct;
    struct tx_coin fee[TX_COINS_MAX];
    uint32_t fee_count;
    uint64_t gas;
    uint32_t signature_count;
    uint8_t signature[ACCOUNT_SIGNATURE_SIZE]; /* the first; zero unless of 64 bytes */
};

/* Decodes TxRaw. The struct is large: keep one and use it again. */
MUST_CHECK bool tx_decode(const uint8_t *bytes, size_t size, struct tx_decoded *tx,
                          struct fault *fault);

/* Whether its first signature is one of these bytes under this chain id and account number. */
bool tx_verify(const uint8_t *bytes, size_t size, const char *chain_id, uint64_t account_number);

void tx_hash(const uint8_t *bytes, size_t size, uint8_t hash[HASH_SIZE]);

/* What a decoded transaction is to the view (PROTOCOL section 1): every pause, unpause and activate message
 * gives one entry, a join one. `validator` of the entries is not set; `who[i]` is the account (20 bytes) to
 * be matched with a validator record. Returns the number of entries, at most TX_MESSAGES_MAX + 1. */
struct tx_entry {
    enum tx_kind kind;
    uint8_t who[ACCOUNT_ADDRESS_SIZE];
    uint32_t class_minutes, charter;
};
uint32_t tx_entries(enum chain_kind chain, const struct tx_decoded *tx,
                    struct tx_entry entries[TX_MESSAGES_MAX + 1]);

/* The memo `stagger/join/1 CLASS CHARTER`. A memo that merely begins with `stagger/join/` is a join of a
 * foreign charter: true, class CLASS_MIN and *foreign set. Otherwise false: no join. */
bool tx_join_memo(const char *memo, uint32_t *class_minutes, uint32_t *charter, bool *foreign);
#define TX_JOIN_MEMO_MAX 64
void tx_join_memo_text(uint32_t class_minutes, uint32_t charter, char memo[TX_JOIN_MEMO_MAX]);

/* --- writing --- */

struct tx_resource { /* KIRA: what an upgrade needs */
    const char *id, *url, *version, *checksum;
};

struct tx_plan { /* KIRA ProposalSoftwareUpgrade, or a DCL plan (name, height, info) */
    const char *name;
    const struct tx_resource *resources;
    uint32_t resource_count;
    int64_t upgrade_time; /* Unix seconds */
    const char *old_chain_id, *new_chain_id, *rollback_checksum;
    int64_t max_enrolment_s;
    const char *memo;
    bool instate, reboot_required, skip_handler;
    int64_t height;   /* DCL */
    const char *info; /* DCL */
};

enum tx_action {
    TX_DO_JOIN,
    TX_DO_PAUSE,           /* KIRA pause, DCL disable-node */
    TX_DO_UNPAUSE,         /* KIRA unpause, DCL enable-node */
    TX_DO_ACTIVATE,        /* KIRA */
    TX_DO_VOTE,            /* KIRA: option on a proposal */
    TX_DO_SUBMIT_UPGRADE,  /* KIRA submit-proposal; DCL propose-upgrade */
    TX_DO_CANCEL_UPGRADE,  /* KIRA */
    TX_DO_APPROVE_UPGRADE, /* DCL */
    TX_DO_REJECT_UPGRADE,  /* DCL */
};

struct tx_request {
    enum chain_kind chain;
    enum tx_action action;
    const char *prefix; /* bech32 prefix of accounts, "kira" or "cosmos" */
    const char *chain_id;
    uint64_t account_number, sequence;
    const char *fee_denom; /* NULL: no fee */
    uint64_t fee_amount;
    uint64_t gas;
    uint64_t timeout_height;                 /* 0: none */
    const char *memo;                        /* NULL or ""; a join writes its own */
    uint8_t public_key[ACCOUNT_PUBLIC_SIZE]; /* who signs */
    /* of a join */
    uint32_t class_minutes, charter;
    const uint8_t *consensus_key; /* DCL join, create-validator: 32 bytes, ed25519 */
    const char *moniker;          /* likewise */
    /* of votes and proposals */
    uint64_t proposal;
    uint32_t option; /* 1 YES, 2 ABSTAIN, 3 NO, 4 NO_WITH_VETO */
    const char *title, *description;
    const struct tx_plan *plan;
    int64_t time_s; /* DCL votes carry the sender's time, Unix seconds */
};

struct tx_draft {                    /* what is to be signed */
    uint8_t *body, *auth, *sign_doc; /* one allocation each, owned */
    size_t body_size, auth_size, sign_doc_size;
};

/* What the chain would refuse is refused here with the field's name. */
MUST_CHECK bool tx_draft(const struct tx_request *request, struct tx_draft *draft,
                         struct fault *fault);
void tx_draft_destroy(struct tx_draft *draft);

/* TxRaw of a draft and its signature; *bytes is owned by the caller (free). */
MUST_CHECK bool tx_assemble(const struct tx_draft *draft,
                            const uint8_t signature[ACCOUNT_SIGNATURE_SIZE], uint8_t **bytes,
                            size_t *size);

#endif
