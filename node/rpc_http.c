#include "node/rpc_http.h"

#include <assert.h>
#include <curl/curl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define CONNECT_MS 3000
#define HEADERS_MAX 65536   /* bytes of a reply's head */
#define BUFFER_FIRST 16384  /* bytes; doubled when they do not do */
#define BUFFER_KEPT 1048576 /* larger ones are not kept between transfers */
#define ERROR_MAX 320

struct rpc_transfer {
    struct rpc_http *http;
    CURL *easy;
    void *subject;
    void (*part)(void *owner, void *subject, const char *bytes, size_t size);
    char *body;
    size_t size, room, headers_size;
    bool too_large;
    char curl_error[CURL_ERROR_SIZE];
    struct rpc_transfer *previous, *next; /* in http->busy or, next only, in http->idle */
};

struct rpc_http {
    zloop_t *loop;
    struct rpc_http_config config;
    rpc_http_done *done;
    void *owner;
    CURLM *multi;
    struct curl_slist *headers;
    struct rpc_transfer *busy, *idle;
    int timer; /* a descriptor of Linux, see on_timer() */
    const bool *until;
};

/* --- what curl reads --- */

static bool make_room(struct rpc_transfer *transfer, size_t more)
{
    size_t wanted = transfer->size + more;
    if (more > transfer->http->config.reply_max || wanted > transfer->http->config.reply_max) {
        transfer->too_large = true;
        return false;
    }
    if (wanted <= transfer->room)
        return true;
    size_t room = transfer->room == 0 ? BUFFER_FIRST : transfer->room;
    while (room < wanted)
        room *= 2;
    char *grown = realloc(transfer->body, room);
    if (grown == NULL)
        return false;
    transfer->body = grown;
    transfer->room = room;
    return true;
}

static bool is_stream(const struct rpc_transfer *transfer)
{
    long status = 0;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    return transfer->part != NULL && status == 200;
}

static size_t on_body(char *bytes, size_t one, size_t size, void *argument)
{
    struct rpc_transfer *transfer = argument;
    assert(one == 1);
    if (is_stream(transfer)) {
        transfer->part(transfer->http->owner, transfer->subject, bytes, size);
        return size;
    }
    if (!make_room(transfer, size))
        return CURL_WRITEFUNC_ERROR;
    memcpy(transfer->body + transfer->size, bytes, size);
    transfer->size += size;
    return size;
}

/* Nothing in the head is needed; but it must not go on for ever. */
static size_t on_header(char *bytes, size_t one, size_t size, void *argument)
{
    struct rpc_transfer *transfer = argument;
    (void)bytes;
    transfer->headers_size += one * size;
    return transfer->headers_size <= HEADERS_MAX ? one * size : 0;
}

/* --- the end of transfers --- */

static void unlink_busy(struct rpc_http *http, struct rpc_transfer *transfer)
{
    if (transfer->previous != NULL)
        transfer->previous->next = transfer->next;
    else
        http->busy = transfer->next;
    if (transfer->next != NULL)
        transfer->next->previous = transfer->previous;
    transfer->previous = transfer->next = NULL;
}

/* Out of curl's hands; its connection is free for the next one. */
static void detach(struct rpc_http *http, struct rpc_transfer *transfer)
{
    CURLMcode code = curl_multi_remove_handle(http->multi, transfer->easy);
    assert(code == CURLM_OK);
    unlink_busy(http, transfer);
}

static void keep_idle(struct rpc_http *http, struct rpc_transfer *transfer)
{
    if (transfer->room > BUFFER_KEPT) {
        free(transfer->body);
        transfer->body = NULL;
        transfer->room = 0;
    }
    transfer->next = http->idle;
    http->idle = transfer;
}

void rpc_http_drop(struct rpc_http *http, struct rpc_transfer *transfer)
{
    detach(http, transfer);
    keep_idle(http, transfer);
}

static const char *explain(const struct rpc_transfer *transfer, CURLcode code, char text[ERROR_MAX])
{
    if (transfer->too_large || code == CURLE_FILESIZE_EXCEEDED)
        (void)snprintf(text, ERROR_MAX, "the reply is larger than %zu bytes",
                       transfer->http->config.reply_max);
    else if (transfer->headers_size > HEADERS_MAX)
        (void)snprintf(text, ERROR_MAX, "the reply's head is larger than %d bytes", HEADERS_MAX);
    else if (code ==
             CURLE_PARTIAL_FILE) /* curl_error may be of an earlier attempt on a dead connection */
        (void)snprintf(text, ERROR_MAX, "the reply was cut off after %zu bytes", transfer->size);
    else if (transfer->curl_error[0] != '\0')
        (void)snprintf(text, ERROR_MAX, "%s", transfer->curl_error);
    else
        (void)snprintf(text, ERROR_MAX, "%s", curl_easy_strerror(code));
    return text;
}

static void finish(struct rpc_http *http, CURL *easy, CURLcode code)
{
    struct rpc_transfer *transfer;
    struct rpc_http_answer answer = {0};
    char text[ERROR_MAX];
    CURLcode got = curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
    assert(got == CURLE_OK && transfer->easy == easy);
    if (code == CURLE_OK) {
        got = curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer.status);
        assert(got == CURLE_OK);
        answer.body = transfer->size == 0 ? "" : transfer->body;
        answer.size = transfer->size;
    }
    answer.error = answer.status != 0 ? "" : explain(transfer, code, text);
    detach(http, transfer);
    http->done(http->owner, transfer->subject, &answer);
    keep_idle(http, transfer);
}

static int step(struct rpc_http *http, curl_socket_t fd, int events)
{
    int running, left;
    CURLMcode code = curl_multi_socket_action(http->multi, fd, events, &running);
    assert(code == CURLM_OK);
    for (CURLMsg *message; (message = curl_multi_info_read(http->multi, &left)) != NULL;)
        if (message->msg == CURLMSG_DONE)
            finish(http, message->easy_handle, message->data.result);
    return http->until != NULL && *http->until ? -1 : 0;
}

/* --- sockets and the timer --- */

static int on_ready(zloop_t *loop, zmq_pollitem_t *item, void *argument)
{
    int events = 0;
    (void)loop;
    events |= item->revents & ZMQ_POLLIN ? CURL_CSELECT_IN : 0;
    events |= item->revents & ZMQ_POLLOUT ? CURL_CSELECT_OUT : 0;
    events |= item->revents & ZMQ_POLLERR ? CURL_CSELECT_ERR : 0;
    return step(argument, item->fd, events);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *argument, void *unused)
{
    struct rpc_http *http = argument;
    zmq_pollitem_t item = {.fd = fd, .events = ZMQ_POLLERR};
    (void)easy, (void)unused;
    zloop_poller_end(http->loop, &item);
    if (what == CURL_POLL_REMOVE)
        return 0;
    item.events |= what & CURL_POLL_IN ? ZMQ_POLLIN : 0;
    item.events |= what & CURL_POLL_OUT ? ZMQ_POLLOUT : 0;
    int rc = zloop_poller(http->loop, &item, on_ready, http);
    assert(rc == 0);
    zloop_poller_set_tolerant(http->loop,
                              &item); /* what is wrong with it is for curl to find out */
    return 0;
}

static int on_time(zloop_t *loop, zmq_pollitem_t *item, void *argument)
{
    uint64_t times;
    (void)loop;
    if (read(item->fd, &times, sizeof times) != (ssize_t)sizeof times)
        return 0; /* set anew in this very round of the loop */
    return step(argument, CURL_SOCKET_TIMEOUT, 0);
}

/* A timer of zloop's that is ended is still called when it is due in the same round, and all of them start anew
 * with each zloop_start(); a descriptor does neither. */
static int on_timer(CURLM *multi, long delay_ms, void *argument)
{
    struct rpc_http *http = argument;
    struct itimerspec when = {0}; /* off */
    (void)multi;
    if (delay_ms >= 0) {
        when.it_value.tv_sec = delay_ms / 1000;
        when.it_value.tv_nsec = delay_ms == 0 ? 1 : delay_ms % 1000 * 1000000;
    }
    int rc = timerfd_settime(http->timer, 0, &when, NULL);
    assert(rc == 0);
    return 0;
}

/* --- the beginning of transfers --- */

#define SET(easy, option, value)                                                                   \
    do {                                                                                           \
        CURLcode set_code = curl_easy_setopt(easy, option, value);                                 \
        assert(set_code == CURLE_OK);                                                              \
    } while (0)

/* What is the same for all transfers. QUICK_EXIT: a transfer that ends while its name is being resolved does
 * not wait for that thread. */
static void set_common(const struct rpc_http *http, struct rpc_transfer *transfer)
{
    CURL *easy = transfer->easy;
    SET(easy, CURLOPT_PRIVATE, transfer);
    SET(easy, CURLOPT_ERRORBUFFER, transfer->curl_error);
    SET(easy, CURLOPT_WRITEFUNCTION, on_body);
    SET(easy, CURLOPT_WRITEDATA, transfer);
    SET(easy, CURLOPT_HEADERFUNCTION, on_header);
    SET(easy, CURLOPT_HEADERDATA, transfer);
    SET(easy, CURLOPT_HTTPHEADER, http->headers);
    SET(easy, CURLOPT_USERAGENT, "stagger");
    SET(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    SET(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    SET(easy, CURLOPT_PROXY, "");
    SET(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (http->config.ca_file != NULL)
        SET(easy, CURLOPT_CAINFO, http->config.ca_file);
    SET(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    SET(easy, CURLOPT_QUICK_EXIT, 1L);
    if (http->config.unix_socket != NULL)
        SET(easy, CURLOPT_UNIX_SOCKET_PATH, http->config.unix_socket);
    SET(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)http->config.reply_max);
}

static struct rpc_transfer *take_transfer(struct rpc_http *http)
{
    struct rpc_transfer *transfer = http->idle;
    if (transfer != NULL) {
        http->idle = transfer->next;
    } else {
        transfer = calloc(1, sizeof *transfer);
        assert(transfer != NULL);
        transfer->http = http;
        transfer->easy = curl_easy_init();
        assert(transfer->easy != NULL);
        set_common(http, transfer);
    }
    transfer->size = transfer->headers_size = 0;
    transfer->too_large = false;
    transfer->curl_error[0] = '\0';
    transfer->next = http->busy;
    transfer->previous = NULL;
    if (http->busy != NULL)
        http->busy->previous = transfer;
    http->busy = transfer;
    return transfer;
}

static void set_timeouts(CURL *easy, const struct rpc_http_request *request, int64_t fallback_ms)
{
    long timeout_ms = (long)(request->timeout_ms != 0 ? request->timeout_ms : fallback_ms);
    bool stream = request->part != NULL;
    SET(easy, CURLOPT_TIMEOUT_MS, stream ? 0L : timeout_ms);
    SET(easy, CURLOPT_LOW_SPEED_LIMIT, stream && request->timeout_ms != 0 ? 1L : 0L);
    SET(easy, CURLOPT_LOW_SPEED_TIME, stream ? (long)(request->timeout_ms / 1000) : 0L);
    SET(easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms < CONNECT_MS ? timeout_ms : CONNECT_MS);
}

/* An easy handle remembers the method of the transfer before. */
static void set_method(CURL *easy, const struct rpc_http_request *request)
{
    bool post = strcmp(request->method, "POST") == 0;
    SET(easy, CURLOPT_CUSTOMREQUEST, NULL);
    SET(easy, post ? CURLOPT_POST : CURLOPT_HTTPGET, 1L);
    if (post) {
        SET(easy, CURLOPT_POSTFIELDS, request->body);
        SET(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->size);
    } else if (strcmp(request->method, "GET") != 0) {
        SET(easy, CURLOPT_CUSTOMREQUEST, request->method);
    }
}

struct rpc_transfer *rpc_http_send(struct rpc_http *http, const struct rpc_http_request *request,
                                   void *subject)
{
    struct rpc_transfer *transfer = take_transfer(http);
    CURL *easy = transfer->easy;
    transfer->subject = subject;
    transfer->part = request->part;
    SET(easy, CURLOPT_URL, request->url->text);
    SET(easy, CURLOPT_USERNAME, request->url->user);
    SET(easy, CURLOPT_PASSWORD, request->url->password);
    set_timeouts(easy, request, http->config.timeout_ms);
    set_method(easy, request);
    CURLMcode code = curl_multi_add_handle(http->multi, easy);
    assert(code == CURLM_OK);
    return transfer;
}

void rpc_http_until(struct rpc_http *http, const bool *until)
{
    http->until = until;
}

/* --- life --- */

static struct curl_slist *make_headers(void)
{
    static const char *const lines[] = {"Content-Type: application/json",
                                        "Accept: application/json", "Expect:"};
    struct curl_slist *list = NULL;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        list = curl_slist_append(list, lines[i]);
        assert(list != NULL);
    }
    return list;
}

static void set_multi(struct rpc_http *http)
{
    CURLM *multi = http->multi;
    (void)curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void)curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, http);
    (void)curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    (void)curl_multi_setopt(multi, CURLMOPT_TIMERDATA, http);
    (void)curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    (void)curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)http->config.in_flight_max * 2);
}

struct rpc_http *rpc_http_create(zloop_t *loop, const struct rpc_http_config *config,
                                 rpc_http_done *done, void *owner)
{
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    assert(code == CURLE_OK);
    struct rpc_http *http = calloc(1, sizeof *http);
    assert(http != NULL);
    *http = (struct rpc_http){.loop = loop,
                              .config = *config,
                              .done = done,
                              .owner = owner,
                              .multi = curl_multi_init(),
                              .headers = make_headers(),
                              .timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)};
    assert(http->multi != NULL && http->timer >= 0);
    zmq_pollitem_t item = {.fd = http->timer, .events = ZMQ_POLLIN};
    int rc = zloop_poller(loop, &item, on_time, http);
    assert(rc == 0);
    set_multi(http);
    return http;
}

void rpc_http_destroy(struct rpc_http **http_pointer)
{
    struct rpc_http *http = *http_pointer;
    if (http == NULL)
        return;
    while (http->busy != NULL)
        rpc_http_drop(http, http->busy);
    for (struct rpc_transfer *next, *at = http->idle; at != NULL; at = next) {
        next = at->next;
        curl_easy_cleanup(at->easy);
        free(at->body);
        free(at);
    }
    CURLMcode code = curl_multi_cleanup(http->multi);
    assert(code == CURLM_OK);
    zmq_pollitem_t item = {.fd = http->timer};
    zloop_poller_end(http->loop, &item);
    close(http->timer);
    curl_slist_free_all(http->headers);
    free(http);
    *http_pointer = NULL;
    curl_global_cleanup();
}
