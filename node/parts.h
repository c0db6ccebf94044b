/* What libzmq itself says in messages: the events of a monitor and the requests of ZAP (RFC 27), read without waiting.
 * Both come over inproc from libzmq only, so a malformed one is a bug.
 */
#ifndef STAGGER_NODE_PARTS_H
#define STAGGER_NODE_PARTS_H

#include <zmq.h>

#include "node/line.h"
#include "proto/record.h"

/* The next part of a message; false: there is none now, and nothing to close. */
bool parts_next(void *socket, zmq_msg_t *part);

/* Up to the last part of the message that `part` is of; it is still to be closed. */
void parts_skip(void *socket, zmq_msg_t *part);

struct parts_event {
    uint16_t what;                    /* ZMQ_EVENT_... */
    int value;                        /* a descriptor, of those that we listen for */
    char endpoint[LINE_ENDPOINT_MAX]; /* "" when it is longer than any that we know */
};
bool parts_event(void *monitor, struct parts_event *event);

/* Answers one request: admits() says whether the holder of a CURVE key, which it has proven, may connect. Its key
 * then comes with each of its frames. False: there is none now. */
bool parts_admit(void *zap, bool (*admits)(void *owner, const uint8_t curve[RECORD_KEY_SIZE]),
                 void *owner);

/* The CURVE key of who sent this frame; false when it did not come through parts_admit(). */
bool parts_key(zmq_msg_t *frame, uint8_t curve[RECORD_KEY_SIZE]);

#endif
