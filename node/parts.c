#include "node/parts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define KEY_TEXT 64 /* hexadecimal digits of a key */
#define ZAP_PARTS 7 /* version, request, domain, address, identity, mechanism, key */

bool parts_next(void *socket, zmq_msg_t *part)
{
    zmq_msg_init(part);
    if (zmq_msg_recv(part, socket, ZMQ_DONTWAIT) >= 0)
        return true;
    zmq_msg_close(part);
    return false;
}

bool parts_event(void *monitor, struct parts_event *event)
{
    zmq_msg_t part;
    uint32_t value;
    if (!parts_next(monitor, &part))
        return false;
    assert(zmq_msg_size(&part) == sizeof event->what + sizeof value);
    memcpy(&event->what, zmq_msg_data(&part), sizeof event->what);
    memcpy(&value, (const uint8_t *)zmq_msg_data(&part) + sizeof event->what, sizeof value);
    event->value = (int)value;
    zmq_msg_close(&part);
    bool follows = parts_next(monitor, &part); /* the parts of a message come together */
    assert(follows);
    size_t size = zmq_msg_size(&part) < LINE_ENDPOINT_MAX ? zmq_msg_size(&part) : 0;
    memcpy(event->endpoint, zmq_msg_data(&part), size);
    event->endpoint[size] = '\0';
    zmq_msg_close(&part);
    return true;
}

void parts_skip(void *socket, zmq_msg_t *part)
{
    while (zmq_msg_more(part)) {
        zmq_msg_close(part);
        if (!parts_next(socket, part)) {
            zmq_msg_init(part);
            return;
        }
    }
}

static void reply(void *zap, zmq_msg_t *request, bool admitted, const uint8_t *key)
{
    char name[KEY_TEXT + 1] = "";
    const char *status = admitted ? "200" : "400";
    for (size_t i = 0; admitted && i < RECORD_KEY_SIZE; i++)
        snprintf(name + 2 * i, 3, "%02x", key[i]);
    zmq_send(zap, "1.0", 3, ZMQ_SNDMORE);
    zmq_send(zap, zmq_msg_data(request), zmq_msg_size(request), ZMQ_SNDMORE);
    zmq_send(zap, status, strlen(status), ZMQ_SNDMORE);
    zmq_send(zap, "", 0, ZMQ_SNDMORE);
    zmq_send(zap, name, strlen(name), ZMQ_SNDMORE);
    zmq_send(zap, "", 0, 0);
}

bool parts_admit(void *zap, bool (*admits)(void *owner, const uint8_t curve[RECORD_KEY_SIZE]),
                 void *owner)
{
    zmq_msg_t parts[ZAP_PARTS];
    int count = 0;
    while (count < ZAP_PARTS && parts_next(zap, &parts[count]))
        if (!zmq_msg_more(&parts[count++]))
            break;
    if (count == 0)
        return false;
    assert(count == ZAP_PARTS &&
           zmq_msg_size(&parts[6]) == RECORD_KEY_SIZE); /* CURVE is all we speak */
    const uint8_t *key = zmq_msg_data(&parts[6]);
    reply(zap, &parts[1], admits(owner, key), key);
    for (int i = 0; i < count; i++)
        zmq_msg_close(&parts[i]);
    return true;
}

bool parts_key(zmq_msg_t *frame, uint8_t curve[RECORD_KEY_SIZE])
{
    const char *text = zmq_msg_gets(frame, "User-Id");
    unsigned byte;
    if (!text || strlen(text) != KEY_TEXT)
        return false;
    for (size_t i = 0; i < RECORD_KEY_SIZE; i++) {
        if (sscanf(text + 2 * i, "%2x", &byte) != 1)
            return false;
        curve[i] = (uint8_t)byte;
    }
    return true;
}
