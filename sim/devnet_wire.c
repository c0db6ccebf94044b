#include "sim/devnet_wire.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TIME_S_MIN TIME_STAMP_ZERO_S
#define TIME_S_MAX 253402300799LL /* the end of year 9999 */
#define QUEUE_MAX 20000           /* frames that wait for one peer */

/* --- writing --- */

struct pen {
    uint8_t *bytes;
    size_t size;
};

static void put(struct pen *pen, const void *bytes, size_t size)
{
    memcpy(pen->bytes + pen->size, bytes, size);
    pen->size += size;
}

static void put_number(struct pen *pen, uint64_t value, int bytes)
{
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        pen->bytes[pen->size++] = (uint8_t)(value >> shift);
}

static void put_time(struct pen *pen, const struct time_stamp *time)
{
    put_number(pen, (uint64_t)time->seconds, 8);
    put_number(pen, (uint32_t)time->nanos, 4);
}

static void put_words(struct pen *pen, const char *words)
{
    put(pen, words, strnlen(words, DEVNET_WORDS_MAX - 1));
}

static void put_answer(struct pen *pen, const struct devnet_tx_answer *answer)
{
    size_t size = strnlen(answer->codespace, APP_CODESPACE_MAX - 1);
    put_number(pen, answer->serial, 8);
    put_number(pen, answer->verdict, 1);
    put_number(pen, answer->code, 4);
    put_number(pen, size, 1);
    put(pen, answer->codespace, size);
    put_words(pen, answer->words);
}

static void put_propose(struct pen *pen, const struct devnet_propose *propose)
{
    put_number(pen, (uint64_t)propose->height, 8);
    put_number(pen, (uint32_t)propose->round, 4);
    put(pen, propose->id.hash.bytes, HASH_SIZE);
    put_number(pen, propose->id.parts_total, 4);
    put(pen, propose->id.parts_hash.bytes, HASH_SIZE);
    put_time(pen, &propose->time);
    put_number(pen, (uint64_t)propose->wall_ms, 8);
}

static void put_vote(struct pen *pen, const struct devnet_vote *vote)
{
    put_number(pen, (uint64_t)vote->height, 8);
    put_number(pen, (uint32_t)vote->round, 4);
    put_time(pen, &vote->time);
    put(pen, vote->signature, ED25519_SIGNATURE_SIZE);
}

size_t devnet_frame_encode(const struct devnet_frame *frame, uint8_t *bytes)
{
    struct pen pen = {bytes, 0};
    put_number(&pen, frame->kind, 1);
    switch (frame->kind) {
    case FRAME_HELLO:
        put_number(&pen, frame->hello.node, 4);
        put_number(&pen, (uint64_t)frame->hello.height, 8);
        put_number(&pen, frame->hello.ready, 1);
        break;
    case FRAME_TX:
        assert(frame->tx.size > 0 && frame->tx.size <= DEVNET_TX_MAX);
        put_number(&pen, frame->tx.serial, 8);
        put(&pen, frame->tx.bytes, frame->tx.size);
        break;
    case FRAME_TX_ANSWER:
        put_answer(&pen, &frame->tx_answer);
        break;
    case FRAME_PROPOSE:
        put_propose(&pen, &frame->propose);
        break;
    case FRAME_VOTE:
        put_vote(&pen, &frame->vote);
        break;
    case FRAME_COMMITTED:
        put_number(&pen, (uint64_t)frame->committed.height, 8);
        break;
    case FRAME_FAILED:
        put_number(&pen, frame->failed.by_plan, 1);
        put_words(&pen, frame->failed.words);
        break;
    }
    assert(pen.size <= DEVNET_FRAME_MAX);
    return pen.size;
}

/* --- reading --- */

/* What was read of a frame; `wrong` names the field at which it stopped being one. */
struct eye {
    const uint8_t *bytes;
    size_t size;
    const char *wrong;
};

static void take(struct eye *eye, void *to, size_t size, const char *field)
{
    if (eye->wrong || eye->size < size) {
        eye->wrong = eye->wrong ? eye->wrong : field;
        memset(to, 0, size);
        return;
    }
    memcpy(to, eye->bytes, size);
    eye->bytes += size;
    eye->size -= size;
}

static uint64_t take_number(struct eye *eye, int bytes, uint64_t max, const char *field)
{
    uint8_t digits[8];
    uint64_t value = 0;
    take(eye, digits, (size_t)bytes, field);
    for (int i = 0; i < bytes; i++)
        value = value << 8 | digits[i];
    if (value > max) {
        eye->wrong = eye->wrong ? eye->wrong : field;
        return 0;
    }
    return value;
}

static int64_t take_height(struct eye *eye)
{
    return (int64_t)take_number(eye, 8, INT64_MAX, "height");
}

static int32_t take_round(struct eye *eye)
{
    return (int32_t)take_number(eye, 4, INT32_MAX, "round");
}

static void take_time(struct eye *eye, struct time_stamp *time)
{
    uint64_t seconds = take_number(eye, 8, UINT64_MAX, "time");
    memcpy(&time->seconds, &seconds, sizeof time->seconds);
    time->nanos = (int32_t)take_number(eye, 4, 999999999, "time");
    if (time->seconds < TIME_S_MIN || time->seconds > TIME_S_MAX)
        eye->wrong = eye->wrong ? eye->wrong : "time";
}

/* The rest as text; `room` counts the NUL. */
static void take_text(struct eye *eye, size_t size, char *text, size_t room, const char *field)
{
    if (size >= room || size > eye->size)
        eye->wrong = eye->wrong ? eye->wrong : field;
    if (eye->wrong)
        size = 0;
    take(eye, text, size, field);
    text[size] = '\0';
    for (size_t i = 0; i < size; i++)
        if (text[i] < ' ' || text[i] > '~')
            text[i] = '?';
}

static void take_tx(struct eye *eye, struct devnet_tx *tx)
{
    tx->serial = take_number(eye, 8, UINT64_MAX, "serial");
    tx->bytes = eye->bytes;
    tx->size = eye->size;
    if (tx->size == 0 || tx->size > DEVNET_TX_MAX)
        eye->wrong = eye->wrong ? eye->wrong : "transaction's size";
    eye->size = 0;
}

static void take_answer(struct eye *eye, struct devnet_tx_answer *answer)
{
    answer->serial = take_number(eye, 8, UINT64_MAX, "serial");
    answer->verdict = (enum devnet_verdict)take_number(eye, 1, TX_REFUSED, "verdict");
    answer->code = (uint32_t)take_number(eye, 4, UINT32_MAX, "code");
    size_t size = (size_t)take_number(eye, 1, APP_CODESPACE_MAX - 1, "codespace");
    take_text(eye, size, answer->codespace, sizeof answer->codespace, "codespace");
    take_text(eye, eye->size, answer->words, sizeof answer->words, "words");
}

static void take_propose(struct eye *eye, struct devnet_propose *propose)
{
    propose->height = take_height(eye);
    propose->round = take_round(eye);
    take(eye, propose->id.hash.bytes, HASH_SIZE, "block id");
    propose->id.parts_total = (uint32_t)take_number(eye, 4, UINT32_MAX, "block id");
    take(eye, propose->id.parts_hash.bytes, HASH_SIZE, "block id");
    take_time(eye, &propose->time);
    propose->wall_ms = (int64_t)take_number(eye, 8, INT64_MAX, "wall clock");
}

static void take_vote(struct eye *eye, struct devnet_vote *vote)
{
    vote->height = take_height(eye);
    vote->round = take_round(eye);
    take_time(eye, &vote->time);
    take(eye, vote->signature, ED25519_SIGNATURE_SIZE, "signature");
}

static void take_fields(struct eye *eye, struct devnet_frame *frame)
{
    switch (frame->kind) {
    case FRAME_HELLO:
        frame->hello.node = (uint32_t)take_number(eye, 4, UINT32_MAX, "node");
        frame->hello.height = take_height(eye);
        frame->hello.ready = take_number(eye, 1, 1, "ready") != 0;
        break;
    case FRAME_TX:
        take_tx(eye, &frame->tx);
        break;
    case FRAME_TX_ANSWER:
        take_answer(eye, &frame->tx_answer);
        break;
    case FRAME_PROPOSE:
        take_propose(eye, &frame->propose);
        break;
    case FRAME_VOTE:
        take_vote(eye, &frame->vote);
        break;
    case FRAME_COMMITTED:
        frame->committed.height = take_height(eye);
        break;
    case FRAME_FAILED:
        frame->failed.by_plan = take_number(eye, 1, 1, "by_plan") != 0;
        take_text(eye, eye->size, frame->failed.words, sizeof frame->failed.words, "words");
        break;
    }
}

bool devnet_frame_decode(const uint8_t *bytes, size_t size, struct devnet_frame *frame,
                         struct fault *fault)
{
    if (size == 0 || size > DEVNET_FRAME_MAX || bytes[0] < FRAME_HELLO || bytes[0] > FRAME_FAILED)
        return fault_set(fault, "a frame of %zu bytes is of no known kind", size);
    struct eye eye = {bytes + 1, size - 1, NULL};
    *frame = (struct devnet_frame){.kind = (enum devnet_frame_kind)bytes[0]};
    take_fields(&eye, frame);
    if (!eye.wrong && eye.size > 0)
        eye.wrong = "end";
    return !eye.wrong || fault_set(fault, "a frame of kind %d and %zu bytes has a wrong %s",
                                   (int)frame->kind, size, eye.wrong);
}

/* --- sockets --- */

static zsock_t *open_socket(int type, const char *endpoint, struct fault *fault)
{
    zsock_t *socket = zsock_new(type);
    if (!socket) {
        fault_set(fault, "%s: no ZeroMQ socket can be made: %s", endpoint, strerror(errno));
        return NULL;
    }
    zsock_set_linger(socket, 0);
    zsock_set_sndhwm(socket, QUEUE_MAX);
    zsock_set_rcvhwm(socket, QUEUE_MAX);
    zsock_set_sndtimeo(socket, 0);
    zsock_set_rcvtimeo(socket, 0);
    zsock_set_maxmsgsize(socket, (int)DEVNET_FRAME_MAX);
    if (type == ZMQ_ROUTER)
        zsock_set_router_mandatory(socket, 1);
    int rc = type == ZMQ_ROUTER ? zsock_bind(socket, "%s", endpoint)
                                : zsock_connect(socket, "%s", endpoint);
    if (rc < 0) {
        fault_set(fault, "%s: %s: %s", endpoint,
                  type == ZMQ_ROUTER ? "cannot be listened at" : "cannot be connected to",
                  strerror(errno));
        zsock_destroy(&socket);
    }
    return socket;
}

zsock_t *devnet_wire_listen(const char *endpoint, struct fault *fault)
{
    return open_socket(ZMQ_ROUTER, endpoint, fault);
}

zsock_t *devnet_wire_connect(const char *endpoint, struct fault *fault)
{
    return open_socket(ZMQ_DEALER, endpoint, fault);
}

static size_t frame_room(const struct devnet_frame *frame)
{
    switch (frame->kind) {
    case FRAME_TX:
        return frame->tx.size + 256;
    case FRAME_TX_ANSWER:
    case FRAME_FAILED:
        return DEVNET_WORDS_MAX + 256;
    default:
        return 256;
    }
}

/* A part of a message, without waiting; takes the frame. */
static bool send_part(zsock_t *socket, zframe_t *part, int flags)
{
    bool sent = part && zframe_send(&part, socket, flags | ZFRAME_DONTWAIT) == 0;
    zframe_destroy(&part);
    return sent;
}

bool devnet_wire_send(zsock_t *socket, const struct devnet_peer *peer,
                      const struct devnet_frame *frame)
{
    uint8_t *bytes = malloc(frame_room(frame));
    zframe_t *body = bytes ? zframe_new(bytes, devnet_frame_encode(frame, bytes)) : NULL;
    free(bytes);
    if (!body)
        return false;
    if (peer &&
        (peer->size == 0 || !send_part(socket, zframe_new(peer->bytes, peer->size), ZFRAME_MORE))) {
        zframe_destroy(&body);
        return false;
    }
    return send_part(socket, body, 0);
}

/* The message's first part is the sender of a ROUTER's. */
static bool take_peer(zmsg_t *message, struct devnet_peer *peer)
{
    zframe_t *id = zmsg_pop(message);
    bool taken = id && zframe_size(id) <= DEVNET_PEER_MAX;
    if (taken) {
        peer->size = zframe_size(id);
        memcpy(peer->bytes, zframe_data(id), peer->size);
    }
    zframe_destroy(&id);
    return taken;
}

enum devnet_got devnet_wire_receive(zsock_t *socket, bool router, struct devnet_mail *mail,
                                    struct fault *fault)
{
    memset(&mail->peer, 0, sizeof mail->peer);
    if (!(zsock_events(socket) & ZMQ_POLLIN) || !(mail->message = zmsg_recv(socket)))
        return GOT_NOTHING;
    bool taken = !router || take_peer(mail->message, &mail->peer);
    if (taken && zmsg_size(mail->message) == 1) {
        zframe_t *body = zmsg_first(mail->message);
        if (devnet_frame_decode(zframe_data(body), zframe_size(body), &mail->frame, fault))
            return GOT_FRAME;
    } else {
        fault_set(fault, "a message of %zu parts is no frame", zmsg_size(mail->message));
    }
    zmsg_destroy(&mail->message);
    return GOT_REFUSE;
}

void devnet_mail_clear(struct devnet_mail *mail)
{
    zmsg_destroy(&mail->message);
}
