/* What a devnet's nodes and its chain process say to each other: frames over ZeroMQ on a Unix socket, the chain
 * process a ROUTER, every node a DEALER.
 *
 *     node                                          chain process
 *       | -- HELLO {node 2, height 41, ready} ---------> |   at the start and every DEVNET_HELLO_MS
 *       | <---------------------- COMMITTED {height 42} - |   the answer to each, and after every block
 *       | -- TX {serial 7, bytes} ---------------------> |
 *       | <------ TX_ANSWER {serial 7, taken, code, ..} - |
 *       | <-- PROPOSE {43, round 0, id, time, wall} ----- |   to who is ready and in V(43)
 *       | -- VOTE {43, round 0, time, signature} ------> |
 *       | <---------------------- COMMITTED {height 43} - |   its record lies in the block log
 *       | <--------------------------- FAILED {words} --- |   no block will follow, see below
 *
 * HELLO is the sign of life: who has been silent for DEVNET_SILENT_MS, or whose connection is gone, is absent; it
 * is neither asked for votes nor a proposer. Of two that name the same node the latest counts. A node that hears
 * no COMMITTED for so long knows that the chain process is away; ZeroMQ connects again by itself, and the next
 * HELLO gives the node its place back. What was asked before it came is asked again.
 *
 * ready: the node would sign. A node that is still catching up says so; it gets COMMITTED all the same. A node
 * must not wait for a new block before it is ready: where all of them have just started there will be none.
 *
 * VOTE: the signature is a precommit's, over devnet_vote_bytes() (devnet_block.h); its time is the node's clock,
 * but at least 1 ms behind the block's time, as CometBFT has it. A node answers only what is above its
 * priv_validator_state.json (height, then round), which it has written and synced before. Asked again for the
 * very vote that it signed last it answers with the same time and signature. For each height and round the chain
 * process asks for one block only, across its own restarts too.
 *
 * A vote that is late, of another height, round or block, double or forged is dropped, with a line in the log.
 * Until the next block is proposed the signatures of those who were slow are still taken.
 *
 * FAILED is said once when it happens, and behind the answer to every HELLO then: the last block lies in the log
 * unapplied. by_plan: a hard upgrade's halt; otherwise it is the end of the chain.
 *
 * A frame is one message of one part: a byte for its kind, then the fields in the order of the struct, integers
 * big-endian, times as seconds (8) and nanoseconds (4), block ids as hash, total, hash, and at most one field of
 * any length, the last. Anything else is refused. Reading never fails in another way: who is at the other end of
 * a socket may be anybody who can open it.
 */
#ifndef STAGGER_SIM_DEVNET_WIRE_H
#define STAGGER_SIM_DEVNET_WIRE_H

#include <czmq.h>

#include "proto/header.h"
#include "sim/app.h"

#define DEVNET_HELLO_MS 1000
#define DEVNET_SILENT_MS 3500
#define DEVNET_TX_MAX                                                                              \
    ((size_t)1 << 20) /* CometBFT's max_tx_bytes: larger ones are the node's to refuse */
#define DEVNET_WORDS_MAX APP_LOG_MAX
#define DEVNET_FRAME_MAX (DEVNET_TX_MAX + 256)
#define DEVNET_PEER_MAX 255

enum devnet_frame_kind {
    FRAME_HELLO = 1,
    FRAME_TX,
    FRAME_TX_ANSWER,
    FRAME_PROPOSE,
    FRAME_VOTE,
    FRAME_COMMITTED,
    FRAME_FAILED,
};

enum devnet_verdict {
    TX_TAKEN = 0, /* it waits for a block */
    TX_KNOWN,     /* JSON-RPC error -32603, "tx already exists in cache" */
    TX_FULL,      /* the mempool is; words say so as CometBFT does */
    TX_REFUSED,   /* CheckTx of the chain process: code, codespace, words (its log) */
};

struct devnet_hello {
    uint32_t node;  /* which validator's, as in the genesis */
    int64_t height; /* the last block that it has applied; 0: none */
    bool ready;
};

struct devnet_tx {
    uint64_t serial; /* the node's own; comes back in the answer */
    const uint8_t *bytes;
    size_t size; /* 1 .. DEVNET_TX_MAX */
};

struct devnet_tx_answer {
    uint64_t serial;
    enum devnet_verdict verdict;
    uint32_t code;
    char codespace[APP_CODESPACE_MAX]; /* written as one byte of length and its bytes */
    char words[DEVNET_WORDS_MAX];      /* cut to fit */
};

struct devnet_propose {
    int64_t height;
    int32_t round;
    struct block_id id;
    struct time_stamp time; /* of the block's header */
    int64_t wall_ms;        /* the chain process's clock, Unix */
};

struct devnet_vote {
    int64_t height;
    int32_t round;
    struct time_stamp time;
    uint8_t signature[ED25519_SIGNATURE_SIZE];
};

struct devnet_committed {
    int64_t height; /* the log's head; 0 while it is empty */
};

struct devnet_failed {
    bool by_plan;
    char words[DEVNET_WORDS_MAX];
};

struct devnet_frame {
    enum devnet_frame_kind kind;
    union {
        struct devnet_hello hello;
        struct devnet_tx tx;
        struct devnet_tx_answer tx_answer;
        struct devnet_propose propose;
        struct devnet_vote vote;
        struct devnet_committed committed;
        struct devnet_failed failed;
    };
};

/* Returns the frame's size, at most DEVNET_FRAME_MAX; bytes has room for so many. */
size_t devnet_frame_encode(const struct devnet_frame *frame, uint8_t *bytes);

/* The transaction's bytes in `frame` point into `bytes`. Heights and rounds come out not negative, times as they
 * may stand in a header, words with a '?' for each byte that is not printable ASCII. */
MUST_CHECK bool devnet_frame_decode(const uint8_t *bytes, size_t size, struct devnet_frame *frame,
                                    struct fault *fault);

/* --- sockets --- */

/* Who sent a message to the ROUTER: ZeroMQ's routing id. It is another one after each new connection. */
struct devnet_peer {
    size_t size; /* 0: nobody */
    uint8_t bytes[DEVNET_PEER_MAX];
};

/* Endpoints are "ipc://PATH". NULL with a fault. Connecting succeeds also while nobody listens yet. The listener
 * takes away the socket file of one that was killed: its caller holds the lock of the chain's directory. */
zsock_t *devnet_wire_listen(const char *endpoint, struct fault *fault);
zsock_t *devnet_wire_connect(const char *endpoint, struct fault *fault);

/* Never waits. False: the other end is gone or takes nothing any more, the frame is lost. peer: of a ROUTER; NULL
 * of a DEALER. */
bool devnet_wire_send(zsock_t *socket, const struct devnet_peer *peer,
                      const struct devnet_frame *frame);

/* One message that was received; owns the bytes that its frame points to. */
struct devnet_mail {
    struct devnet_peer peer; /* of a ROUTER */
    struct devnet_frame frame;
    zmsg_t *message;
};

enum devnet_got {
    GOT_NOTHING, /* no more for now */
    GOT_FRAME,   /* to be cleared */
    GOT_REFUSE,  /* fault says why; mail->peer who; nothing to clear */
};

/* Never waits. In a zloop handler: call it until it says GOT_NOTHING, or a bounded number of times. */
enum devnet_got devnet_wire_receive(zsock_t *socket, bool router, struct devnet_mail *mail,
                                    struct fault *fault);
void devnet_mail_clear(struct devnet_mail *mail);

#endif
