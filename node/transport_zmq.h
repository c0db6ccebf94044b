/* The sockets of gossip: frames of proto/gossip.h over ZeroMQ with CURVE, on a zloop. The one file that owns them.
 *
 *     others' ROUTER  <-- CURVE --  out: ROUTER, client  --+                     +--> gossip_receive()
 *                                                          +--> zloop --> pump --+--> gossip_next_send/_dial/_drop
 *     others' out     -- CURVE -->  in: ROUTER, server   --+       ^             +--> config.heard()
 *                                        | ZAP, in-process         |
 *                                        +--> gossip_admits()      +-- timerfd at gossip_deadline()
 *
 * Two sockets, however many peers: a ROUTER can dial as well as listen, and one that dials costs 50 KB less a
 * peer than a DEALER with its monitor. One frame is one message of one part. Who stands at the other end:
 *
 *   in    the CURVE key that ZAP has seen proven comes with every frame as its User-Id, in hexadecimal
 *   out   the server key that we dialled with: nobody else can answer
 *
 * gossip compares either with the key in the HELLO. What a stranger may do before that is bounded by node/line.h.
 *
 * Settings that matter: frames above GOSSIP_FRAME_MAX end the connection unread; a handful of frames wait to go out,
 * then frames to a slow reader are thrown away; no handover of routing ids; a backlog of 4096, since all come
 * at once after a restart; no reconnecting, which is gossip's to decide; nothing lingers. Names are resolved beside
 * libzmq (node/resolve.h), through a SOCKS5 proxy not at all: the proxy does.
 *
 * No queue of frames that came is ever full. In libzmq 4.3.4 a ping that is due, or one of the other end's that is
 * read, on a connection which ended while its queue was full fails an assertion (libzmq's issue 4364), so anybody
 * could end the process. So ZMQ_RCVHWM is off, and who sends more than is read is cut off by node/line.h instead; and
 * dead connections are ended by TCP's keepalive and by gossip, not by ZMQ_HEARTBEAT.
 *
 * T1 nothing here waits; each turn of the loop reads a bounded number of frames.
 * T2 whatever arrives, memory stays bounded: lines by L1 to L4, frames by their sizes and numbers above.
 */
#ifndef STAGGER_NODE_TRANSPORT_ZMQ_H
#define STAGGER_NODE_TRANSPORT_ZMQ_H

#include <czmq.h>

#include "proto/gossip.h"

#define TRANSPORT_STRANGERS 32 /* connections of nobody known, or still shaking hands */
#define TRANSPORT_NEIGHBOURS 8 /* of them from one address, or one /64 of IPv6 */

struct transport;

struct transport_config {
    const char *listen; /* "tcp://0.0.0.0:26670", "tcp://[::]:26670"; NULL: nobody can dial us */
    const char *proxy;  /* "host:port" of a SOCKS5 proxy for what we dial, NULL: none */
    uint8_t secret[RECORD_KEY_SIZE];        /* x25519 */
    uint8_t curve[RECORD_KEY_SIZE];         /* its public half, as in our binding */
    uint32_t strangers_max, neighbours_max; /* 0: the defaults above */
    void (*heard)(void *owner); /* frames came or time has passed: gossip may know more; or NULL */
    bool (*lose)(void *owner);  /* for tests: true loses the frame that just came; or NULL */
    void *owner;
};

/* NULL with a fault when it cannot listen there, the keys do not belong together, or memory is short. Loop and gossip
 * are borrowed; the configuration is copied. */
struct transport *transport_create(zloop_t *loop, struct gossip *gossip,
                                   const struct transport_config *config, struct fault *fault);
void transport_destroy(struct transport **transport); /* before gossip and loop */

/* Does what gossip wants done: to be called after gossip_own() and gossip_allow(). Not from heard(), which is
 * followed by it. */
void transport_pump(struct transport *transport);

/* The public half of a secret key, as a binding names it. */
bool transport_public(const uint8_t secret[RECORD_KEY_SIZE], uint8_t curve[RECORD_KEY_SIZE]);

struct transport_stats {
    uint32_t lines, strangers;  /* connections now, and how many of nobody known */
    uint64_t accepted, dialled; /* since the start */
    uint64_t unsent;            /* frames that could not be sent at once */
};
struct transport_stats transport_stats(const struct transport *transport);

#endif
