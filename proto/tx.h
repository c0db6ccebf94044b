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
 * bytes, and sending them again is idempotent.
 *
 * Decoding is lenient where the chain has judged already: other clients write fields in another order, fields
 * that stagger does not know, addresses of other lengths. It is strict in structure: lengths and wire types
 * must be right, down to the messages that are known. It is bounded: at most TX_SIZE_MAX bytes, memory from one
 * arena whose budget follows from the size (proto/arena.h). What does not decode is refused with a reason and
 * is "no join" (PROTOCOL section 5).
 */
#ifndef STAGGER_PROTO_TX_H
#define STAGGER_PROTO_TX_H

#include "coord/view.h"
#include "proto/account.h"
#include "proto/arena.h"

#define TX_SIZE_MAX ((size_t)4 << 20) /* mempools take a quarter of it */
#define TX_MEMO_MAX 256               /* bytes, as the chains count them */
#define TX_DENOM_MAX 128              /* characters */

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

struct tx_coin { /* what a sender wrote, not only what is valid; a NUL in it reads as '?' */
    const char *denom;
    const char *amount; /* decimal digits; "0" when left out */
};

/* --- reading --- */

struct tx_message {
    enum tx_message_kind kind;
    const char *type_url;
    bool has_validator; /* of pause, unpause, activate, disable, enable, create, claim: */
    uint8_t validator[ACCOUNT_ADDRESS_SIZE]; /* whom it names (bytes of its valoper address) */
    bool has_consensus;                      /* of claim and create-validator: the ed25519 key's */
    uint8_t consensus[ADDRESS_SIZE];
    bool has_signer; /* whom the message wants to be signed by */
    uint8_t signer[ACCOUNT_ADDRESS_SIZE];
    bool has_recipient; /* of a send */
    uint8_t recipient[ACCOUNT_ADDRESS_SIZE];
    const struct tx_coin *amount;
    uint32_t amount_count;
    uint64_t proposal; /* of a vote */
    uint32_t option;
    const char *name; /* plan of an upgrade message; moniker of claim and create-validator; or "" */
};

/* What TxRaw says. All pointers go into `memory`; destroy it after use. */
struct tx_decoded {
    struct arena memory;
    const struct tx_message *messages;
    uint32_t message_count;
    const char *memo; /* ends with a NUL, but may hold others: see memo_size */
    size_t memo_size;
    uint64_t timeout_height;
    uint32_t signer_count;
    bool has_public_key; /* of the first signer; secp256k1 */
    uint8_t public_key[ACCOUNT_PUBLIC_SIZE];
    uint8_t signer[ACCOUNT_ADDRESS_SIZE]; /* address of that key */
    uint64_t sequence;
    bool direct; /* SIGN_MODE_DIRECT */
    const struct tx_coin *fee;
    uint32_t fee_count;
    uint64_t gas;
    uint32_t signature_count;
    bool has_signature; /* the first one, when it has 64 bytes */
    uint8_t signature[ACCOUNT_SIGNATURE_SIZE];
    const uint8_t *body, *auth; /* the bytes that are signed, as they stand in TxRaw */
    size_t body_size, auth_size;
};

/* Decodes TxRaw. False leaves nothing to destroy. */
MUST_CHECK bool tx_decode(const uint8_t *bytes, size_t size, struct tx_decoded *tx,
                          struct fault *fault);
void tx_decoded_destroy(struct tx_decoded *tx);

/* Whether it has one signer with one signature, in SIGN_MODE_DIRECT, and that is right under this chain id
 * and account number. */
bool tx_verify(const struct tx_decoded *tx, const char *chain_id, uint64_t account_number);

/* The transaction's hash, printed in upper case everywhere. */
void tx_hash(const uint8_t *bytes, size_t size, uint8_t hash[HASH_SIZE]);

/* What a message is to the view (PROTOCOL section 1). */
struct tx_entry {
    enum tx_kind kind;                 /* TX_JOIN, TX_PAUSE, TX_UNPAUSE or TX_ACTIVATE */
    uint8_t who[ACCOUNT_ADDRESS_SIZE]; /* account to be matched with a validator record */
    uint32_t class_minutes, charter;   /* of a join */
    bool
        foreign; /* of a join: a memo of no charter that we know how to read; `charter` says nothing */
};

/* The entry that message number `message` makes; false when it makes none.
 *
 * Pause, unpause and activate (DCL: disable-node, enable-node) make one each, for the validator that they
 * name, alone or among others, whatever else the transaction holds.
 *
 * A join is the one message of a transaction with one signer, one signature and a secp256k1 key, when the memo
 * begins with `stagger/join/` and the message is the chain's carrier, by the account of that key:
 *   KIRA  a bank send of the signer to itself, of one coin with amount 1, in the denom of the
 *         transaction's fee (any denom where there is no fee)
 *   DCL   a create-validator of the signer, whatever key and moniker it names
 * Whether its result makes it count is view_join_counts(). */
bool tx_entry(enum chain_kind chain, const struct tx_decoded *tx, uint32_t message,
              struct tx_entry *entry);

/* Reads a memo. `stagger/join/1 CLASS CHARTER`, to the byte, is a join: true, with both values. Any other
 * memo that begins with `stagger/join/` is a join of a foreign charter: true, *foreign set, class CLASS_MIN,
 * charter 0. Otherwise false: no join. */
bool tx_join_memo(const char *memo, size_t size, uint32_t *class_minutes, uint32_t *charter,
                  bool *foreign);
#define TX_JOIN_MEMO_MAX 32
void tx_join_memo_text(uint32_t class_minutes, uint32_t charter, char memo[TX_JOIN_MEMO_MAX]);

/* --- writing --- */

struct tx_resource {                           /* KIRA: what an upgrade needs */
    const char *id, *url, *version, *checksum; /* 1 to 63, at most 511, 63, 128 */
};
#define TX_RESOURCES_MAX 32

struct tx_plan {      /* KIRA ProposalSoftwareUpgrade, or a DCL plan (name, height, info) */
    const char *name; /* 1 to 127 */
    const struct tx_resource *resources;
    uint32_t resource_count;                 /* at most TX_RESOURCES_MAX */
    int64_t upgrade_time;                    /* Unix seconds, 1 or more */
    const char *old_chain_id, *new_chain_id; /* 1 to 50 */
    const char *rollback_checksum;           /* NULL or at most 128 */
    int64_t max_enrolment_s;                 /* 0 or more */
    const char *memo;                        /* NULL or at most 1024 */
    bool instate, reboot_required, skip_handler;
    int64_t height;   /* DCL: 1 or more */
    const char *info; /* DCL: NULL or at most 2047 */
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

/* What tx_draft() checks is said at each member. Text is UTF-8, lengths are in bytes; control characters may
 * stand in memos, descriptions and infos only. Members that an action does not name are not read. */
struct tx_request {
    enum chain_kind chain;
    enum tx_action action;
    const char *prefix;   /* bech32 prefix of accounts, "kira" or "cosmos" */
    const char *chain_id; /* 1 to 50 */
    uint64_t account_number, sequence;
    const char *fee_denom;                   /* NULL: no fee; KIRA's join needs it */
    uint64_t fee_amount;                     /* 0: no fee */
    uint64_t gas;                            /* 1 to INT64_MAX */
    uint64_t timeout_height;                 /* 0: none */
    const char *memo;                        /* NULL or at most TX_MEMO_MAX */
    uint8_t public_key[ACCOUNT_PUBLIC_SIZE]; /* who signs */

    /* of a join: it writes its own memo, unless class_minutes is 0: then it is its carrier with `memo` */
    uint32_t class_minutes, charter;
    const uint8_t *consensus_key; /* DCL join, create-validator: 32 bytes, ed25519 */
    const char *moniker;          /* likewise, 1 to 70 */

    /* of votes and proposals */
    uint64_t proposal;       /* 1 or more */
    uint32_t option;         /* 1 YES, 2 ABSTAIN, 3 NO, 4 NO_WITH_VETO */
    const char *title;       /* KIRA: 1 to 128, what networks allow by default */
    const char *description; /* KIRA: at most 1024; DCL: its info, at most 4096 */
    const struct tx_plan
        *plan;      /* of everything about upgrades; cancel, approve, reject: the name */
    int64_t time_s; /* DCL: the sender's time, Unix seconds */
};

struct tx_draft {                    /* what is to be signed */
    uint8_t *body, *auth, *sign_doc; /* one allocation each, owned */
    size_t body_size, auth_size, sign_doc_size;
};

/* What the chain would refuse is refused here with the field's name. False leaves nothing to destroy. */
MUST_CHECK bool tx_draft(const struct tx_request *request, struct tx_draft *draft,
                         struct fault *fault);
void tx_draft_destroy(struct tx_draft *draft);

/* TxRaw of a draft and its signature; *bytes is owned by the caller (free). False when memory is short. */
MUST_CHECK bool tx_assemble(const struct tx_draft *draft,
                            const uint8_t signature[ACCOUNT_SIGNATURE_SIZE], uint8_t **bytes,
                            size_t *size);

#endif
