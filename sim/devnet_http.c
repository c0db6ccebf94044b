#include "sim/devnet_http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURNS_MAX 8 /* of the server, before others of the loop get theirs */
#define FLOOD_MIN (16 * DEVNET_HTTP_BODY_MAX)
#define CONNECTION_MEMORY ((size_t)96 << 10) /* bounds the address and headers; touched when used */

struct devnet_http {
    zloop_t *loop;
    struct MHD_Daemon *daemon;
    zmq_pollitem_t poll;
    int timer; /* -1: none */
    int64_t timer_ms;
    devnet_http_handler *handler;
    void *context;
    struct devnet_exchange *waiting; /* whose clients wait for a later answer */
    bool stopping;                   /* nobody is there to handle anything */
};

struct devnet_exchange {
    struct devnet_http *http;
    struct MHD_Connection *connection;
    struct devnet_exchange *next, *before; /* among those that wait */
    char *body, *path;
    size_t size, room;
    bool too_large, handled, waits;
    struct MHD_Response *response; /* given while nobody could take it */
    unsigned status;
};

static void run(struct devnet_http *http);

/* --- the loop --- */

static int on_timer(zloop_t *loop, int timer, void *context)
{
    struct devnet_http *http = context;
    (void)loop;
    (void)timer;
    http->timer = -1;
    run(http);
    return 0;
}

static int on_event(zloop_t *loop, zmq_pollitem_t *item, void *context)
{
    (void)loop;
    (void)item;
    run(context);
    return 0;
}

static void arm(struct devnet_http *http, uint64_t ms)
{
    int64_t due_ms = zclock_mono() + (int64_t)ms;
    if (http->timer >= 0) {
        if (http->timer_ms <= due_ms)
            return;
        zloop_timer_end(http->loop, http->timer);
    }
    http->timer = zloop_timer(http->loop, ms ? (size_t)ms : 1, 1, on_timer, http);
    http->timer_ms = due_ms;
}

/* Serves what is ready. What goes on longer than a few turns comes back through the timer. */
static void run(struct devnet_http *http)
{
    MHD_UNSIGNED_LONG_LONG ms = 0;
    for (int turn = 0; turn < TURNS_MAX; turn++) {
        (void)MHD_run(http->daemon);
        if (MHD_get_timeout(http->daemon, &ms) != MHD_YES)
            return;
        if (ms > 0)
            break;
    }
    arm(http, ms);
}

/* --- answers --- */

static void unlink_waiting(struct devnet_exchange *exchange)
{
    if (!exchange->waits)
        return;
    if (exchange->before)
        exchange->before->next = exchange->next;
    else
        exchange->http->waiting = exchange->next;
    if (exchange->next)
        exchange->next->before = exchange->before;
    exchange->waits = false;
}

static void wait_for_answer(struct devnet_exchange *exchange)
{
    exchange->waits = true;
    exchange->before = NULL;
    exchange->next = exchange->http->waiting;
    if (exchange->next)
        exchange->next->before = exchange;
    exchange->http->waiting = exchange;
    MHD_suspend_connection(exchange->connection);
}

static struct MHD_Response *make_response(const char *type, char *body)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_MUST_FREE);
    if (!response)
        free(body);
    else
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    return response;
}

void devnet_exchange_answer(struct devnet_exchange *exchange, unsigned status, const char *type,
                            char *body)
{
    assert(!exchange->response);
    exchange->status = body ? status : MHD_HTTP_INTERNAL_SERVER_ERROR;
    exchange->response =
        body ? make_response(type, body)
             : MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    if (!exchange->waits)
        return; /* the handler is still at work, its caller takes the answer */
    struct devnet_http *http = exchange->http;
    unlink_waiting(exchange);
    MHD_resume_connection(exchange->connection);
    arm(http, 0);
}

const char *devnet_exchange_param(struct devnet_exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND, name);
}

static enum MHD_Result send_answer(struct devnet_exchange *exchange)
{
    enum MHD_Result queued =
        MHD_queue_response(exchange->connection, exchange->status, exchange->response);
    MHD_destroy_response(exchange->response);
    exchange->response = NULL;
    return queued;
}

/* --- requests --- */

static struct devnet_exchange *exchange_new(struct devnet_http *http, const char *path,
                                            struct MHD_Connection *connection)
{
    struct devnet_exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange || !(exchange->path = strdup(path))) {
        free(exchange);
        return NULL;
    }
    exchange->http = http;
    exchange->connection = connection;
    return exchange;
}

static bool keep_body(struct devnet_exchange *exchange, const char *bytes, size_t size)
{
    if (exchange->too_large || size > DEVNET_HTTP_BODY_MAX - exchange->size) {
        exchange->too_large = true;
        return true;
    }
    if (exchange->size + size + 1 > exchange->room) {
        size_t room = (exchange->size + size + 1) * 2;
        char *body = realloc(exchange->body, room);
        if (!body)
            return false;
        exchange->body = body;
        exchange->room = room;
    }
    memcpy(exchange->body + exchange->size, bytes, size);
    exchange->size += size;
    exchange->body[exchange->size] = '\0';
    return true;
}

static void refuse(struct devnet_exchange *exchange)
{
    devnet_exchange_answer(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "text/plain",
                           strdup("the node is being stopped\n"));
}

static enum MHD_Result handle(struct devnet_exchange *exchange)
{
    struct devnet_request request = {
        .path = exchange->path,
        .body = exchange->body && !exchange->too_large ? exchange->body : "",
        .size = exchange->too_large ? 0 : exchange->size,
        .too_large = exchange->too_large,
    };
    exchange->handled = true;
    if (exchange->http->stopping)
        refuse(exchange);
    else
        exchange->http->handler(exchange->http->context, &request, exchange);
    free(exchange->body);
    exchange->body = NULL;
    if (exchange->response)
        return send_answer(exchange);
    wait_for_answer(exchange);
    return MHD_YES;
}

/* A client that is still sending misses its answer when the connection is closed on it, so what is too large is read
 * to its end; but not when it is far too large. */
static bool announces_flood(struct MHD_Connection *connection)
{
    const char *length =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return length && strtoull(length, NULL, 10) > FLOOD_MIN;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *bytes, size_t *size, void **slot)
{
    struct devnet_exchange *exchange = *slot;
    (void)method;
    (void)version;
    if (!exchange) {
        *slot = exchange = exchange_new(context, path, connection);
        if (!exchange)
            return MHD_NO;
        exchange->too_large = announces_flood(connection);
        return exchange->too_large ? handle(exchange) : MHD_YES;
    }
    if (exchange->handled) /* it waited for its answer */
        return exchange->response ? send_answer(exchange) : MHD_NO;
    if (*size > 0) {
        bool kept = keep_body(exchange, bytes, *size);
        *size = 0;
        return kept ? MHD_YES : MHD_NO;
    }
    return handle(exchange);
}

static void on_end(void *context, struct MHD_Connection *connection, void **slot,
                   enum MHD_RequestTerminationCode code)
{
    struct devnet_exchange *exchange = *slot;
    (void)context;
    (void)connection;
    (void)code;
    if (!exchange)
        return;
    unlink_waiting(exchange);
    if (exchange->response)
        MHD_destroy_response(exchange->response);
    free(exchange->body);
    free(exchange->path);
    free(exchange);
    *slot = NULL;
}

/* --- start and stop --- */

static int listen_on(uint16_t port, bool *port_taken, struct fault *fault)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1, file = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (file >= 0 && setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(file, (struct sockaddr *)&address, sizeof address) == 0 && listen(file, 128) == 0)
        return file;
    *port_taken = errno == EADDRINUSE;
    if (*port_taken)
        fault_set(fault,
                  "port %u of 127.0.0.1 is taken by another program; stop that, or choose "
                  "other ports with --base-port",
                  port);
    else
        fault_set(fault, "port %u of 127.0.0.1 cannot be listened on: %s", port, strerror(errno));
    if (file >= 0)
        (void)close(file);
    return -1;
}

static struct MHD_Daemon *start_daemon(struct devnet_http *http, int file)
{
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request,
                            http, MHD_OPTION_LISTEN_SOCKET, file, MHD_OPTION_NOTIFY_COMPLETED,
                            on_end, http, MHD_OPTION_CONNECTION_LIMIT,
                            (unsigned)DEVNET_HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
                            (unsigned)DEVNET_HTTP_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                            CONNECTION_MEMORY, MHD_OPTION_END);
}

struct devnet_http *devnet_http_start(zloop_t *loop, uint16_t port, devnet_http_handler *handler,
                                      void *context, bool *port_taken, struct fault *fault)
{
    *port_taken = false;
    int file = listen_on(port, port_taken, fault);
    struct devnet_http *http = file >= 0 ? calloc(1, sizeof *http) : NULL;
    if (!http) {
        if (file >= 0) {
            (void)close(file);
            fault_set(fault, "no memory for a server on port %u", port);
        }
        return NULL;
    }
    http->loop = loop;
    http->timer = -1;
    http->handler = handler;
    http->context = context;
    http->daemon = start_daemon(http, file);
    if (!http->daemon) {
        (void)close(file);
        free(http);
        fault_set(fault, "the HTTP server of port %u does not start", port);
        return NULL;
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    http->poll = (zmq_pollitem_t){.fd = info->epoll_fd, .events = ZMQ_POLLIN};
    (void)zloop_poller(loop, &http->poll, on_event, http);
    return http;
}

void devnet_http_stop(struct devnet_http **slot)
{
    struct devnet_http *http = *slot;
    if (!http)
        return;
    http->stopping = true;
    while (http->waiting)
        refuse(http->waiting);
    (void)MHD_run(http->daemon);
    zloop_poller_end(http->loop, &http->poll);
    if (http->timer >= 0)
        zloop_timer_end(http->loop, http->timer);
    MHD_stop_daemon(http->daemon);
    free(http);
    *slot = NULL;
}
