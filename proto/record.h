/* Signed records: what one validator's agent tells all others (PROTOCOL section 6).
 *
 * Each validator owns one record that only it can write. The newest version is the one with the highest
 * rank; old versions, losses and repetitions therefore do no harm.
 *
 *     account key --ADR-036--> binding { validator, serial, identity key, CURVE key }
 *                                             |
 *                                       identity key --ed25519--> record { binding, sequence, fields }
 *
 * Three keys, each for what it is good at. The account key is the only one that the chain knows; it signs
 * once, by hand if it lies in a wallet, and never a record. The identity key (ed25519: small, fast to verify,
 * no nonces) signs every record, so a record can be carried by anybody. The CURVE key (x25519) encrypts the
 * connection and cannot sign. One account signature binds the two others to the validator, so a connection
 * with that CURVE key is known to be the validator's own.
 *
 * The binding's serial is when it was made, in Unix seconds. A newer binding outranks all that was signed
 * under older ones: that is how a lost or stolen identity key is replaced, and how a validator that two
 * agents ran by mistake is heard again.
 *
 *     rank = (serial, sequence)         two different records with one rank: equivocation
 *
 * What the account signs is the document that wallets sign for arbitrary data (ADR-036): an amino-JSON
 * document with the message sign/MsgSignData, an empty chain id, no fee and account number 0. No chain has an
 * empty id and none routes that message, so it can never be a transaction. Its data is a text for people:
 *
 *     stagger/gossip/1
 *     chain localnet-1
 *     validator 5f1e...  (40 hex digits)
 *     serial 1767225600
 *     identity 9c0a...   (64 hex digits)
 *     curve 77ab...      (64 hex digits)
 *
 * Encoding (grammar in proto/PROTOCOL.md): one value has one byte string. Fields stand in ascending order of
 * their tags, a field with its zero value is not written, numbers have no leading zero byte. Unknown tags are
 * skipped, kept and covered by the signature, so that later versions can say more.
 *
 *   R1 record_decode() accepts nothing that record_seal() could not have written, unknown tags aside.
 *   R2 no record is longer than RECORD_MAX, whatever its fields hold.
 *
 * Memory: plain values; nothing here allocates beyond OpenSSL's own.
 */
#ifndef STAGGER_PROTO_RECORD_H
#define STAGGER_PROTO_RECORD_H

#include "coord/charter.h"
#include "coord/coord.h"
#include "proto/account.h"
#include "proto/fault.h"

#define RECORD_VERSION 1
#define RECORD_MAX 1000    /* bytes of a record, less than 1 KB */
#define RECORD_KEY_SIZE 32 /* ed25519 seed or public key, x25519 public key */
#define RECORD_SIGNATURE_SIZE 64
#define RECORD_BINDING_SIZE 189             /* bytes of an encoded binding */
#define RECORD_SERIAL_MAX (UINT64_MAX >> 2) /* above it nothing could follow */
#define RECORD_SEQUENCE_MAX (UINT64_MAX >> 2)

#define RECORD_PLAN_MAX 64 /* characters of a text, without its terminator */
#define RECORD_SOFTWARE_MAX 32
#define RECORD_FAILURE_MAX 80
#define RECORD_ENDPOINT_MAX 64
#define RECORD_DOMAIN_MAX 32
#define RECORD_DIGESTS_MAX 4
#define RECORD_ENDPOINTS_MAX 2
#define RECORD_VERDICT_MAX 112
#define RECORD_DOCUMENT_MAX 1024 /* of record_document() with its terminator */
#define RECORD_PREFIX_MAX 32     /* of bech32 addresses, with its terminator */

/* The chain that records belong to: signatures cover it, though records do not repeat it. */
struct record_network {
    char chain_id[CHAIN_ID_MAX];
    char prefix[RECORD_PREFIX_MAX]; /* of account addresses: "kira" */
    uint8_t hash[HASH_SIZE];        /* SHA-256("stagger/network/1" || chain id) */
};

struct record_binding {
    uint8_t validator[ADDRESS_SIZE]; /* consensus address */
    uint64_t serial;                 /* Unix seconds, 1 to RECORD_SERIAL_MAX */
    uint8_t account[ACCOUNT_PUBLIC_SIZE];
    uint8_t identity[RECORD_KEY_SIZE]; /* ed25519 public key */
    uint8_t curve[RECORD_KEY_SIZE];    /* x25519 public key */
    uint8_t signature[ACCOUNT_SIGNATURE_SIZE];
};

/* What a digest is of. The list may grow; a reader passes over kinds that it does not know. */
enum record_digest_kind {
    RECORD_DIGEST_IMAGE = 1, /* container image */
    RECORD_DIGEST_BINARY,
    RECORD_DIGEST_CONFIG,
    RECORD_DIGEST_GENESIS, /* of the next chain (section 9) */
};

struct record_digest {
    uint8_t kind; /* enum record_digest_kind, 1 to 255 */
    uint8_t hash[HASH_SIZE];
};

/* A failure report; 0 is none. */
enum record_failure {
    RECORD_FAILURE_NONE,
    RECORD_FAILURE_REINIT, /* the reinitialisation was given up */
    RECORD_FAILURE_NODE,   /* the node does not come back, or signs nothing */
    RECORD_FAILURE_CHAIN,  /* an upgrade failed */
    RECORD_FAILURE_OTHER,  /* the text says what; also what a later version may add */
};

/* A record as its author means it. Texts are printable ASCII; "" is none. */
struct record {
    struct record_binding binding;
    uint64_t sequence; /* 1 to RECORD_SEQUENCE_MAX */
    uint32_t charter;  /* struct charter's id */
    enum coord_state phase;
    char plan[RECORD_PLAN_MAX + 1];
    uint64_t expected_ms;                             /* how long the work takes */
    char software[RECORD_SOFTWARE_MAX + 1];           /* version that it is ready with */
    struct record_digest digests[RECORD_DIGESTS_MAX]; /* kinds ascending */
    uint32_t digest_count;
    enum record_failure failure;
    char failure_text[RECORD_FAILURE_MAX + 1]; /* only with a failure */
    struct height head;                        /* 0: none */
    uint8_t head_hash[HASH_SIZE];
    char endpoints[RECORD_ENDPOINTS_MAX][RECORD_ENDPOINT_MAX + 1]; /* "tcp://host:port" */
    uint32_t endpoint_count;
    char domain[RECORD_DOMAIN_MAX + 1]; /* failure domain: whoever shares it fails together */
    bool quiet; /* only the head or the sequence has changed: not worth a push */
    uint8_t verdict[RECORD_VERDICT_MAX]; /* section 9; kept as it came */
    uint32_t verdict_size;
};

/* What ranks a record, read without decoding the rest. */
struct record_peek {
    const uint8_t *validator; /* into the bytes */
    uint64_t serial, sequence;
    const uint8_t *binding; /* RECORD_BINDING_SIZE bytes, into the bytes */
    size_t signed_size;     /* of the part that the signature covers */
};

/* False when the chain id is empty or does not fit, or the prefix does not. */
MUST_CHECK bool record_network_set(struct record_network *network, const char *chain_id,
                                   const char *prefix, struct fault *fault);

/* --- keys and bindings --- */

/* The public half of an ed25519 seed. */
void record_identity(const uint8_t seed[RECORD_KEY_SIZE], uint8_t identity[RECORD_KEY_SIZE]);

/* The exact bytes that the account signs, for a wallet or an offline signer; returns their number. Uses all of
 * the binding but the signature. */
size_t record_document(const struct record_network *network, const struct record_binding *binding,
                       char text[RECORD_DOCUMENT_MAX]);

/* Fills account and signature of a binding whose other members are set. False when the key is none. */
MUST_CHECK bool record_bind(const struct record_network *network, struct record_binding *binding,
                            const uint8_t account_key[ACCOUNT_KEY_SIZE]);

/* Whether the account's signature covers the binding. Whose account it is the caller must know. */
bool record_binding_verify(const struct record_network *network,
                           const struct record_binding *binding);

void record_binding_encode(const struct record_binding *binding, uint8_t out[RECORD_BINDING_SIZE]);
MUST_CHECK bool record_binding_decode(const uint8_t bytes[RECORD_BINDING_SIZE],
                                      struct record_binding *binding, struct fault *fault);

/* --- records --- */

/* Encodes and signs. Returns the size, or 0 with a fault when a field lies outside its bounds. */
size_t record_seal(const struct record_network *network, const struct record *record,
                   const uint8_t seed[RECORD_KEY_SIZE], uint8_t bytes[RECORD_MAX],
                   struct fault *fault);

/* The part that the signature covers, not signed; 0 as record_seal(). */
size_t record_encode(const struct record *record, uint8_t bytes[RECORD_MAX], struct fault *fault);

/* The size of the record that stands at the beginning of `bytes`, of any version; 0 when there is none. */
size_t record_extent(const uint8_t *bytes, size_t size);

/* The version in the first byte. */
uint8_t record_version(const uint8_t *bytes);

/* False when the bytes are no record of RECORD_VERSION. They must be exactly one record. */
MUST_CHECK bool record_peek(const uint8_t *bytes, size_t size, struct record_peek *peek,
                            struct fault *fault);

/* Reads everything, strictly; verifies no signature. */
MUST_CHECK bool record_decode(const uint8_t *bytes, size_t size, struct record *record,
                              struct fault *fault);

/* Whether the identity key in its binding has signed the record. */
bool record_verify(const struct record_network *network, const uint8_t *bytes, size_t size);

/* Whether the text is "tcp://HOST:PORT" with a name, an IPv4 address or an IPv6 address in brackets. */
bool record_endpoint_check(const char *text);

#endif
