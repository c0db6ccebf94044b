#include "node/transport_zmq.h"

#include <assert.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <sys/timerfd.h>

#include "node/line.h"
#include "node/parts.h"
#include "node/resolve.h"

#define IN_EVENTS "inproc://in-events"
#define OUT_EVENTS "inproc://out-events"
#define ZAP "inproc://zeromq.zap.01"
#define FRAMES_PER_TURN 64
#define EVENTS_PER_TURN 4096
#define EVENTS_PER_BREATH 8
#define REQUESTS_PER_TURN 64
#define WAITING 8          /* frames that wait to go out on a connection */
#define KERNEL_BYTES 65536 /* of a connection, each way */
#define BACKLOG 4096
#define HANDSHAKE_MS 5000
#define KEEPALIVE_S 10
#define RESOLVING_MS 50
#define CURVE_OVERHEAD 64
#define CROWD 1000    /* connections after which memory is given back, */
#define TRIM_MS 60000 /* this often at most */
#define KEY_TEXT 64   /* hexadecimal digits of a key */

struct transport {
    zloop_t *loop;
    struct gossip *gossip;
    struct transport_config config;
    void *context, *in, *out, *zap, *in_events, *out_events;
    struct lines *lines;
    struct resolve *names;
    int timer;
    bool proxied;
    uint32_t dial_id;
    int64_t trim_ms;
    uint64_t trim_accepted; /* as stats.accepted was then */
    struct transport_stats stats;
    uint8_t frame[GOSSIP_FRAME_MAX];
};

static struct instant now(void)
{
    return (struct instant){zclock_time()};
}

/* --- setting up --- */

static void set_int(void *socket, int option, int value)
{
    int rc = zmq_setsockopt(socket, option, &value, sizeof value);
    assert(rc == 0);
}

static void set_bytes(void *socket, int option, const void *value, size_t size)
{
    int rc = zmq_setsockopt(socket, option, value, size);
    assert(rc == 0);
}

static void set_limits(void *socket)
{
    int64_t most = GOSSIP_FRAME_MAX + CURVE_OVERHEAD;
    set_bytes(socket, ZMQ_MAXMSGSIZE, &most, sizeof most);
    set_int(socket, ZMQ_SNDHWM, WAITING);
    set_int(socket, ZMQ_RCVHWM, 0); /* never to be full: see transport_zmq.h */
    set_int(socket, ZMQ_SNDBUF, KERNEL_BYTES);
    set_int(socket, ZMQ_RCVBUF, KERNEL_BYTES);
    set_int(socket, ZMQ_LINGER, 0);
    set_int(socket, ZMQ_BACKLOG, BACKLOG);
    set_int(socket, ZMQ_ROUTER_HANDOVER, 0);
    set_int(socket, ZMQ_ROUTER_MANDATORY, 1); /* what has no room is said to have none */
    set_int(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS);
    set_int(socket, ZMQ_CONNECT_TIMEOUT, HANDSHAKE_MS);
    set_int(socket, ZMQ_RECONNECT_IVL, -1);
    set_int(socket, ZMQ_TCP_KEEPALIVE, 1);
    set_int(socket, ZMQ_TCP_KEEPALIVE_IDLE, KEEPALIVE_S);
    set_int(socket, ZMQ_TCP_KEEPALIVE_INTVL, KEEPALIVE_S);
    set_int(socket, ZMQ_TCP_KEEPALIVE_CNT, 2);
    set_int(socket, ZMQ_TCP_MAXRT, 3 * KEEPALIVE_S * 1000);
}

static void set_server(struct transport *t)
{
    set_int(t->in, ZMQ_CURVE_SERVER, 1);
    set_bytes(t->in, ZMQ_CURVE_SECRETKEY, t->config.secret, RECORD_KEY_SIZE);
    set_bytes(t->in, ZMQ_ZAP_DOMAIN, "gossip", strlen("gossip"));
    set_int(t->in, ZMQ_IPV6, t->config.listen && strchr(t->config.listen, '['));
}

static void set_client(struct transport *t)
{
    set_bytes(t->out, ZMQ_CURVE_SECRETKEY, t->config.secret, RECORD_KEY_SIZE);
    set_bytes(t->out, ZMQ_CURVE_PUBLICKEY, t->config.curve, RECORD_KEY_SIZE);
    if (t->config.proxy)
        set_bytes(t->out, ZMQ_SOCKS_PROXY, t->config.proxy, strlen(t->config.proxy));
}

static bool open_monitor(struct transport *t, void *of, const char *name, int events, void **socket)
{
    *socket = zmq_socket(t->context, ZMQ_PAIR);
    if (!*socket || zmq_socket_monitor(of, name, events) != 0)
        return false;
    set_int(*socket, ZMQ_LINGER, 0);
    return zmq_connect(*socket, name) == 0;
}

static bool open_sockets(struct transport *t)
{
    t->context = zmq_ctx_new();
    if (!t->context)
        return false;
    t->zap = zmq_socket(t->context, ZMQ_REP);
    t->in = zmq_socket(t->context, ZMQ_ROUTER);
    t->out = zmq_socket(t->context, ZMQ_ROUTER);
    if (!t->zap || !t->in || !t->out)
        return false;
    set_int(t->zap, ZMQ_LINGER, 0);
    set_limits(t->in);
    set_limits(t->out);
    set_server(t);
    set_client(t);
    return zmq_bind(t->zap, ZAP) == 0 &&
           open_monitor(t, t->in, IN_EVENTS, ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED,
                        &t->in_events) &&
           open_monitor(t, t->out, OUT_EVENTS,
                        ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED,
                        &t->out_events);
}

static bool open_rest(struct transport *t)
{
    uint32_t strangers = t->config.strangers_max, neighbours = t->config.neighbours_max;
    t->lines = lines_create(strangers ? strangers : TRANSPORT_STRANGERS,
                            neighbours ? neighbours : TRANSPORT_NEIGHBOURS);
    t->names = resolve_create();
    t->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    return t->lines && t->names && t->timer >= 0;
}

/* --- what libzmq tells of connections --- */

/* Gossip and the table forget it; libzmq has or will. */
static void end(struct transport *t, struct line *line)
{
    if (line->peer != GOSSIP_PEER_NONE)
        gossip_peer_down(t->gossip, line->peer, now());
    if (line->connecting)
        zmq_disconnect(t->out, line->endpoint); /* ENOENT: it knows already */
    line_end(t->lines, line);
}

static void hang_up(struct transport *t, struct line *line)
{
    line_cut(line);
    end(t, line);
}

/* libzmq frees a connection when its socket has heard of its end, which is when it is asked something. */
static void let_go(void *socket)
{
    int events;
    size_t size = sizeof events;
    zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size);
}

static void take_in_events(struct transport *t)
{
    struct parts_event event;
    for (uint32_t i = 0; i < EVENTS_PER_TURN && parts_event(t->in_events, &event); i++) {
        if (i % EVENTS_PER_BREATH == EVENTS_PER_BREATH - 1)
            let_go(t->in);
        struct line *line = lines_of_fd(t->lines, false, event.value);
        if (line)
            end(t, line);
        if (event.what == ZMQ_EVENT_ACCEPTED) {
            t->stats.accepted++;
            lines_accept(t->lines, event.value, now().ms);
        }
    }
}

static void take_out_events(struct transport *t)
{
    struct parts_event event;
    for (uint32_t i = 0; i < EVENTS_PER_TURN && parts_event(t->out_events, &event); i++) {
        struct line *line = event.what == ZMQ_EVENT_DISCONNECTED
                                ? lines_of_fd(t->lines, true, event.value)
                                : lines_of_endpoint(t->lines, event.endpoint);
        if (line && event.what == ZMQ_EVENT_CONNECTED)
            lines_connected(t->lines, line, event.value);
        else if (line && (event.what == ZMQ_EVENT_DISCONNECTED || line->socket.fd < 0))
            end(t, line);
    }
}

/* --- frames in --- */

/* The line of the first frame of a connection that came in; NULL: it has gone, or is refused. Routing ids count
 * upwards, so of two that had one descriptor the higher is alive. */
static struct line *first_frame(struct transport *t, uint32_t id, zmq_msg_t *body)
{
    uint8_t key[RECORD_KEY_SIZE];
    struct line *line = lines_of_fd(t->lines, false, zmq_msg_get(body, ZMQ_SRCFD));
    if (!line || line->leaving || (line->named && (int32_t)(id - line->id) < 0) ||
        !parts_key(body, key))
        return NULL;
    if (line->peer != GOSSIP_PEER_NONE)
        gossip_peer_down(t->gossip, line->peer, now());
    line->named = true;
    line->id = id;
    line->peer = gossip_peer_up(t->gossip, key, false, now());
    if (line->peer != GOSSIP_PEER_NONE)
        return line;
    line_cut(line);
    return NULL;
}

static void hear(struct transport *t, struct line *line, zmq_msg_t *body)
{
    struct gossip_peer about;
    bool more = zmq_msg_more(body); /* no honest peer sends more than one part */
    line_delivered(t->lines, line, zmq_msg_size(body));
    if (t->config.lose && t->config.lose(t->config.owner))
        return;
    gossip_receive(t->gossip, line->peer, zmq_msg_data(body), more ? 0 : zmq_msg_size(body), now());
    if (!line->bound && gossip_peer(t->gossip, line->peer, &about) && about.bound)
        line_bind(t->lines, line);
}

static bool read_id(zmq_msg_t *part, bool outbound, uint32_t *id)
{
    const uint8_t *bytes = zmq_msg_data(part);
    if (zmq_msg_size(part) != LINE_ID_SIZE || bytes[0] != (outbound ? 'd' : 0))
        return false; /* it has chosen its own, which no honest peer does */
    *id = (uint32_t)bytes[1] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 8 | bytes[4];
    return true;
}

static void write_id(uint32_t id, uint8_t bytes[LINE_ID_SIZE], bool outbound)
{
    bytes[0] = outbound ? 'd' : 0;
    for (int i = 0; i < 4; i++)
        bytes[1 + i] = (uint8_t)(id >> (24 - 8 * i));
}

static void take_frame(struct transport *t, bool outbound, zmq_msg_t *route, zmq_msg_t *body)
{
    uint32_t id;
    if (!read_id(route, outbound, &id))
        return;
    struct line *line = lines_of_id(t->lines, outbound, id);
    if (!line && !outbound)
        line = first_frame(t, id, body);
    if (line && !line->leaving)
        hear(t, line, body);
}

static void take_frames(struct transport *t, bool outbound)
{
    void *socket = outbound ? t->out : t->in;
    zmq_msg_t route, body;
    uint32_t i = 0;
    for (; i < FRAMES_PER_TURN && parts_next(socket, &route); i++) {
        if (zmq_msg_more(&route) && parts_next(socket, &body)) {
            take_frame(t, outbound, &route, &body);
            parts_skip(socket, &body);
            zmq_msg_close(&body);
        }
        zmq_msg_close(&route);
    }
    if (i < FRAMES_PER_TURN)
        lines_drained(t->lines, outbound);
}

/* --- dialling --- */

/* The options of the socket count for what it dials next. */
static void connect_line(struct transport *t, struct line *line)
{
    uint8_t id[LINE_ID_SIZE];
    write_id(line->id, id, true);
    set_bytes(t->out, ZMQ_CONNECT_ROUTING_ID, id, sizeof id);
    set_bytes(t->out, ZMQ_CURVE_SERVERKEY, line->key, RECORD_KEY_SIZE);
    set_int(t->out, ZMQ_IPV6, strchr(line->endpoint, '[') != NULL);
    line->connecting = zmq_connect(t->out, line->endpoint) == 0;
    if (!line->connecting)
        end(t, line);
}

/* Length of HOST in "tcp://HOST:PORT" when it is a name, else 0. */
static size_t name_length(const char *endpoint)
{
    const char *host = endpoint + strlen("tcp://"), *colon = strrchr(host, ':');
    size_t length = colon ? (size_t)(colon - host) : 0;
    return host[0] == '[' || strspn(host, "0123456789.") >= length ? 0 : length;
}

static void dial(struct transport *t, const struct gossip_seed *to)
{
    char host[LINE_ENDPOINT_MAX] = "";
    if (lines_of_endpoint(t->lines, to->endpoint))
        return; /* two cannot share one endpoint; the other's turn comes again */
    uint32_t peer = gossip_peer_up(t->gossip, to->curve, true, now());
    if (peer == GOSSIP_PEER_NONE)
        return;
    struct line *line = lines_dial(t->lines, to->endpoint, ++t->dial_id, peer, now().ms);
    if (!line) {
        gossip_peer_down(t->gossip, peer, now());
        return;
    }
    t->stats.dialled++;
    memcpy(line->key, to->curve, RECORD_KEY_SIZE);
    size_t length = t->proxied ? 0 : name_length(to->endpoint);
    memcpy(host, to->endpoint + strlen("tcp://"), length);
    if (length == 0)
        connect_line(t, line);
    else if (!resolve_begin(t->names, line->id, host))
        end(t, line);
}

static void take_names(struct transport *t)
{
    char address[RESOLVE_ADDRESS_MAX], endpoint[LINE_ENDPOINT_MAX];
    uint32_t id;
    while (resolve_next(t->names, &id, address)) {
        struct line *line = lines_of_id(t->lines, true, id);
        if (!line)
            continue;
        snprintf(endpoint, sizeof endpoint, "tcp://%s%s", address, strrchr(line->endpoint, ':'));
        if (address[0] == '\0' || lines_of_endpoint(t->lines, endpoint)) {
            end(t, line);
            continue;
        }
        memcpy(line->endpoint, endpoint, sizeof endpoint);
        connect_line(t, line);
    }
}

/* --- doing what gossip wants --- */

static void send_frame(struct transport *t, uint32_t peer, size_t size)
{
    uint8_t id[LINE_ID_SIZE];
    struct line *line = lines_of_peer(t->lines, peer);
    assert(line);
    void *socket = line->outbound ? t->out : t->in;
    write_id(line->id, id, line->outbound);
    if (!line->leaving && line_takes(line) &&
        zmq_send(socket, id, sizeof id, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0 &&
        zmq_send(socket, t->frame, size, ZMQ_DONTWAIT) >= 0)
        line_given(line, size);
    else
        t->stats.unsent++;
}

static void set_timer(struct transport *t)
{
    int64_t wait_ms = instant_since(gossip_deadline(t->gossip), now());
    if (resolve_pending(t->names) && wait_ms > RESOLVING_MS)
        wait_ms = RESOLVING_MS;
    if (wait_ms < 1)
        wait_ms = 1;
    struct itimerspec when = {.it_value = {wait_ms / 1000, wait_ms % 1000 * 1000000}};
    int rc = timerfd_settime(t->timer, 0, &when, NULL);
    assert(rc == 0);
}

void transport_pump(struct transport *transport)
{
    struct transport *t = transport;
    struct gossip_seed to;
    uint32_t peer;
    size_t size;
    while (gossip_next_dial(t->gossip, &to))
        dial(t, &to);
    while (gossip_next_send(t->gossip, &peer, t->frame, &size))
        send_frame(t, peer, size);
    while (gossip_next_drop(t->gossip, &peer))
        hang_up(t, lines_of_peer(t->lines, peer));
    set_timer(t);
}

static void finish_turn(struct transport *t)
{
    if (t->config.heard)
        t->config.heard(t->config.owner);
    transport_pump(t);
}

/* --- turns of the loop --- */

/* Whose frame it is has to be known before it is read. */
static int on_frames(zloop_t *loop, zmq_pollitem_t *item, void *owner)
{
    struct transport *t = owner;
    (void)loop;
    take_in_events(t);
    take_out_events(t);
    take_frames(t, item->socket == t->out);
    finish_turn(t);
    return 0;
}

static int on_events(zloop_t *loop, zmq_pollitem_t *item, void *owner)
{
    (void)loop, (void)item;
    take_in_events(owner);
    take_out_events(owner);
    return 0;
}

static bool admits(void *owner, const uint8_t curve[RECORD_KEY_SIZE])
{
    struct transport *t = owner;
    return gossip_admits(t->gossip, curve, now()) != GOSSIP_BARRED;
}

static int on_requests(zloop_t *loop, zmq_pollitem_t *item, void *owner)
{
    struct transport *t = owner;
    (void)loop, (void)item;
    take_in_events(t); /* who is let in is watched before */
    for (uint32_t i = 0; i < REQUESTS_PER_TURN && parts_admit(t->zap, admits, t); i++)
        ;
    return 0;
}

/* The buffers of a crowd that has gone lie about in the allocator. */
static void tidy(struct transport *t)
{
    int64_t at_ms = now().ms;
    if (t->stats.accepted - t->trim_accepted < CROWD || llabs(at_ms - t->trim_ms) < TRIM_MS)
        return;
    t->trim_accepted = t->stats.accepted;
    t->trim_ms = at_ms;
    malloc_trim(0);
}

static int on_time(zloop_t *loop, zmq_pollitem_t *item, void *owner)
{
    struct transport *t = owner;
    uint64_t times;
    (void)loop;
    if (read(item->fd, &times, sizeof times) != (ssize_t)sizeof times)
        return 0; /* set anew in this very turn */
    take_names(t);
    lines_keep(t->lines, now().ms);
    tidy(t);
    gossip_tick(t->gossip, now());
    finish_turn(t);
    return 0;
}

/* --- life --- */

static bool poll_socket(struct transport *t, void *socket, zloop_fn *fn)
{
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    return zloop_poller(t->loop, &item, fn, t) == 0;
}

static bool poll_descriptor(struct transport *t, int fd, zloop_fn *fn)
{
    zmq_pollitem_t item = {.fd = fd, .events = ZMQ_POLLIN};
    return zloop_poller(t->loop, &item, fn, t) == 0;
}

static bool enter_loop(struct transport *t)
{
    return poll_socket(t, t->in, on_frames) && poll_socket(t, t->out, on_frames) &&
           poll_socket(t, t->zap, on_requests) && poll_socket(t, t->in_events, on_events) &&
           poll_socket(t, t->out_events, on_events) && poll_descriptor(t, t->timer, on_time);
}

static const char *bind_remedy(int why)
{
    if (why == EADDRINUSE)
        return "another process has the port, perhaps another agent: find it with `ss -ltnp`, or "
               "take another port in gossip.listen and gossip.advertise";
    if (why == EACCES)
        return "take a port above 1023 in gossip.listen and gossip.advertise";
    return "expected an address of this machine in gossip.listen, such as tcp://0.0.0.0:26670";
}

static bool start(struct transport *t, struct fault *fault)
{
    uint8_t curve[RECORD_KEY_SIZE];
    if (!transport_public(t->config.secret, curve) ||
        memcmp(curve, t->config.curve, sizeof curve) != 0)
        return fault_set(fault, "gossip: the secret CURVE key is not that of the public one in our "
                                "binding");
    if (!open_sockets(t) || !open_rest(t) || !enter_loop(t))
        return fault_set(fault, "gossip sockets: %s", zmq_strerror(zmq_errno()));
    if (t->config.listen && zmq_bind(t->in, t->config.listen) != 0)
        return fault_set(fault, "gossip listen %s: %s; %s", t->config.listen,
                         zmq_strerror(zmq_errno()), bind_remedy(zmq_errno()));
    return true;
}

struct transport *transport_create(zloop_t *loop, struct gossip *gossip,
                                   const struct transport_config *config, struct fault *fault)
{
    struct transport *t = calloc(1, sizeof *t);
    if (!t) {
        fault_set(fault, "gossip: memory is short");
        return NULL;
    }
    t->loop = loop;
    t->gossip = gossip;
    t->config = *config;
    t->timer = -1;
    bool started = start(t, fault);
    OPENSSL_cleanse(t->config.secret, sizeof t->config.secret); /* the sockets have their copies */
    if (!started) {
        transport_destroy(&t);
        return NULL;
    }
    t->proxied = config->proxy != NULL;
    t->config.listen = t->config.proxy = NULL; /* borrowed until here */
    transport_pump(t);
    return t;
}

static void leave(struct transport *t, void *socket, int fd)
{
    zmq_pollitem_t item = {.socket = socket, .fd = fd};
    if (socket || fd >= 0)
        zloop_poller_end(t->loop, &item);
    if (socket)
        zmq_close(socket);
    else if (fd >= 0)
        close(fd);
}

/* The context is shut down first: its thread may be waiting to tell an event that nobody reads any more. */
void transport_destroy(struct transport **transport)
{
    struct transport *t = *transport;
    if (!t)
        return;
    if (t->context)
        zmq_ctx_shutdown(t->context);
    void *const sockets[] = {t->in_events, t->out_events, t->zap, t->in, t->out};
    for (size_t i = 0; i < sizeof sockets / sizeof *sockets; i++)
        if (sockets[i])
            leave(t, sockets[i], -1);
    leave(t, NULL, t->timer);
    if (t->context)
        zmq_ctx_term(t->context);
    lines_destroy(&t->lines);
    if (t->names)
        resolve_destroy(&t->names);
    free(t);
    *transport = NULL;
}

bool transport_public(const uint8_t secret[RECORD_KEY_SIZE], uint8_t curve[RECORD_KEY_SIZE])
{
    char secret_text[41], text[41];
    return zmq_z85_encode(secret_text, secret, RECORD_KEY_SIZE) &&
           zmq_curve_public(text, secret_text) == 0 && zmq_z85_decode(curve, text);
}

struct transport_stats transport_stats(const struct transport *transport)
{
    struct transport_stats stats = transport->stats;
    stats.lines = lines_count(transport->lines, false);
    stats.strangers = lines_count(transport->lines, true);
    return stats;
}
