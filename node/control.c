#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* struct ucred, accept4() */
#endif
#include "node/control.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 16
#define BEAT_S 1
#define ACCEPTED_PER_TURN 8

enum stage {
    STAGE_READING,  /* its request is not complete */
    STAGE_ASKED,    /* the owner has it */
    STAGE_ANSWERED, /* what is left is to be written */
    STAGE_LOST,     /* to be dropped, with gone() if it was ASKED */
};

struct control_client {
    struct control *control;
    struct control_client *next;
    int descriptor;
    enum stage stage;
    bool asked;     /* the owner waits for it: gone() when it is lost */
    bool silent;    /* it will say nothing more, and may listen */
    short polled;   /* events, -1: not polled */
    int64_t due_ms; /* zclock_mono() at which it is dropped, 0: no hurry */
    size_t got;
    char request[CONTROL_REQUEST_MAX + 1];
    char *out; /* owned */
    size_t out_size, out_sent;
};

struct control {
    struct control_config config;
    char path[CONTROL_PATH_MAX];
    int listener, timer;
    bool deaf; /* no descriptor is left: tried again with the next beat */
    dev_t device;
    ino_t inode;
    struct control_client *clients;
    uint32_t count;
};

/* --- requests --- */

json_t *control_parse(const char *text, size_t size, struct fault *fault)
{
    json_error_t error;
    json_t *request = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (!request)
        fault_set(fault, "the request is no JSON: %s; expected one object a line", error.text);
    else if (!json_is_object(request))
        fault_set(fault, "the request is no object; expected {\"command\":...}");
    else if (!json_is_string(json_object_get(request, "command")))
        fault_set(fault, "the request has no text \"command\"");
    else
        return request;
    json_decref(request);
    return NULL;
}

static json_t *refusal(const char *code, const char *text)
{
    return json_pack("{s:b, s:i, s:s, s:s}", "ok", 0, "status", 1, "code", code, "text", text);
}

/* --- writing --- */

static void lose(struct control_client *client)
{
    client->stage = STAGE_LOST;
}

static void hurry(struct control_client *client)
{
    client->due_ms = zclock_mono() + CONTROL_PATIENCE_MS;
}

static void flush_out(struct control_client *client)
{
    while (client->out_sent < client->out_size) {
        ssize_t n = send(client->descriptor, client->out + client->out_sent,
                         client->out_size - client->out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (n < 0) {
            lose(client);
            return;
        }
        client->out_sent += (size_t)n;
        hurry(client);
    }
    free(client->out);
    client->out = NULL;
    client->out_size = client->out_sent = 0;
    client->due_ms = 0;
}

/* Whoever waits for the end of the connection sees it; the loop sees it too and drops the client. */
static void finish(struct control_client *client)
{
    if (client->stage == STAGE_ANSWERED && client->out_size == 0)
        shutdown(client->descriptor, SHUT_RDWR);
}

static void append(struct control_client *client, const char *line)
{
    size_t length = strlen(line), left = client->out_size - client->out_sent;
    char *out = malloc(left + length + 1);
    if (!out) {
        lose(client);
        return;
    }
    if (left > 0)
        memcpy(out, client->out + client->out_sent, left);
    memcpy(out + left, line, length);
    out[left + length] = '\n';
    free(client->out);
    client->out = out;
    client->out_size = left + length + 1;
    client->out_sent = 0;
    if (left == 0)
        hurry(client);
}

static void poll_client(struct control_client *client);

static void write_object(struct control_client *client, json_t *object)
{
    char *line = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (client->stage == STAGE_LOST) {
        free(line);
        return;
    }
    if (line)
        append(client, line);
    else
        lose(client);
    free(line);
    flush_out(client);
    finish(client);
    poll_client(client);
}

void control_more(struct control_client *client, json_t *object)
{
    assert(client->asked);
    if (client->out_size - client->out_sent > CONTROL_BACKLOG_MAX) {
        lose(client); /* it does not read; the next beat drops it */
        json_decref(object);
        return;
    }
    write_object(client, object);
}

void control_answer(struct control_client *client, json_t *object)
{
    assert(client->asked);
    client->asked = false;
    if (client->stage == STAGE_ASKED)
        client->stage = STAGE_ANSWERED;
    write_object(client, object);
}

/* --- reading --- */

static void take_request(struct control_client *client, size_t size)
{
    struct control *control = client->control;
    struct fault fault;
    json_t *request = control_parse(client->request, size, &fault);
    client->stage = STAGE_ASKED;
    client->asked = true;
    client->due_ms = 0;
    if (request)
        control->config.request(control->config.owner, client, request);
    else
        control_answer(client, refusal("bad-request", fault.text));
    json_decref(request);
}

static void refuse_request(struct control_client *client, const char *text)
{
    client->stage = STAGE_ANSWERED;
    write_object(client, refusal("bad-request", text));
}

static void look_for_line(struct control_client *client)
{
    const char *end = memchr(client->request, '\n', client->got);
    size_t size = end ? (size_t)(end - client->request) : client->got;
    if (size > CONTROL_REQUEST_MAX || (!end && client->got > CONTROL_REQUEST_MAX))
        refuse_request(client, "the request is longer than 4096 bytes");
    else if (end && size + 1 < client->got)
        refuse_request(client, "more follows behind the request; expected one a connection");
    else if (end || (client->silent && size > 0))
        take_request(client, size);
    else if (client->silent)
        lose(client);
}

static void read_client(struct control_client *client)
{
    bool reading = client->stage == STAGE_READING;
    char rest[64]; /* behind its request nothing may come but the end */
    char *into = reading ? client->request + client->got : rest;
    size_t room = reading ? sizeof client->request - client->got : sizeof rest;
    ssize_t n = recv(client->descriptor, into, room, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (n < 0 || (n > 0 && !reading)) {
        lose(client);
        return;
    }
    client->silent = n == 0;
    if (!reading)
        return;
    client->got += (size_t)n;
    look_for_line(client);
}

/* --- clients --- */

static void destroy_client(struct control_client *client)
{
    struct control *control = client->control;
    zmq_pollitem_t item = {.fd = client->descriptor};
    struct control_client **at = &control->clients;
    while (*at != client)
        at = &(*at)->next;
    *at = client->next;
    control->count--;
    if (client->polled >= 0)
        zloop_poller_end(control->config.loop, &item);
    close(client->descriptor);
    free(client->out);
    free(client);
}

/* Drops it if there is nothing left to do for it. */
static void settle(struct control_client *client)
{
    struct control *control = client->control;
    bool written = client->stage == STAGE_ANSWERED && client->out_size == 0;
    if (client->stage != STAGE_LOST && !written) {
        poll_client(client);
        return;
    }
    if (client->asked)
        control->config.gone(control->config.owner, client);
    destroy_client(client);
}

/* An end that was only of its sending side comes without ZMQ_POLLERR. */
static int on_client(zloop_t *loop, zmq_pollitem_t *item, void *argument)
{
    struct control_client *client = argument;
    (void)loop;
    if (client->stage != STAGE_LOST && !client->silent)
        read_client(client);
    if (item->revents & ZMQ_POLLERR)
        lose(client);
    else if (client->out_size > 0)
        flush_out(client);
    settle(client);
    return 0;
}

static void poll_client(struct control_client *client)
{
    zloop_t *loop = client->control->config.loop;
    int in = client->silent ? 0 : ZMQ_POLLIN, out = client->out_size > 0 ? ZMQ_POLLOUT : 0;
    zmq_pollitem_t item = {.fd = client->descriptor, .events = (short)(in | out | ZMQ_POLLERR)};
    if (client->polled == item.events)
        return;
    if (client->polled >= 0)
        zloop_poller_end(loop, &item);
    client->polled = item.events;
    if (zloop_poller(loop, &item, on_client, client) != 0) {
        client->polled = -1;
        lose(client);
        return;
    }
    zloop_poller_set_tolerant(loop, &item);
}

static void set_beat(struct control *control, bool on)
{
    struct itimerspec when = {.it_interval.tv_sec = on ? BEAT_S : 0,
                              .it_value.tv_sec = on ? BEAT_S : 0};
    int rc = timerfd_settime(control->timer, 0, &when, NULL);
    assert(rc == 0);
}

static void add_client(struct control *control, int descriptor)
{
    struct control_client *client = calloc(1, sizeof *client);
    if (!client) {
        close(descriptor);
        return;
    }
    client->control = control;
    client->descriptor = descriptor;
    client->polled = -1;
    hurry(client);
    client->next = control->clients;
    control->clients = client;
    if (control->count++ == 0)
        set_beat(control, true);
    poll_client(client);
}

/* --- the door --- */

/* In one try: what does not fit into a fresh socket's buffer is not worth keeping. */
static void turn_away(int descriptor, const char *code, const char *text)
{
    json_t *object = refusal(code, text);
    char *line = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (line) {
        struct iovec parts[] = {{line, strlen(line)}, {(char[]){'\n'}, 1}};
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
        (void)!sendmsg(descriptor, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    free(line);
    close(descriptor);
}

static bool is_operator(int descriptor)
{
    struct ucred who;
    socklen_t size = sizeof who;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
        return false;
    return who.uid == 0 || who.uid == geteuid();
}

static int on_listener(zloop_t *loop, zmq_pollitem_t *item, void *argument);

static void listen_again(struct control *control)
{
    zmq_pollitem_t item = {.fd = control->listener, .events = ZMQ_POLLIN};
    control->deaf = zloop_poller(control->config.loop, &item, on_listener, control) != 0;
    if (!control->deaf)
        zloop_poller_set_tolerant(control->config.loop, &item);
}

/* No descriptor or memory is left: the connection goes on waiting, and the loop would turn for nothing. */
static void rest(struct control *control)
{
    zmq_pollitem_t item = {.fd = control->listener};
    zloop_poller_end(control->config.loop, &item);
    control->deaf = true;
    set_beat(control, true);
}

static int on_listener(zloop_t *loop, zmq_pollitem_t *item, void *argument)
{
    struct control *control = argument;
    (void)loop;
    for (int i = 0; i < ACCEPTED_PER_TURN; i++) {
        int descriptor = accept4(item->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                rest(control);
            return 0;
        }
        if (!is_operator(descriptor))
            turn_away(descriptor, "not-allowed", "the agent answers only its own user and root");
        else if (control->count >= CONTROL_CLIENTS_MAX)
            turn_away(descriptor, "too-many", "32 commands wait for the agent already; end some");
        else
            add_client(control, descriptor);
    }
    return 0;
}

static int on_beat(zloop_t *loop, zmq_pollitem_t *item, void *argument)
{
    struct control *control = argument;
    uint64_t times;
    (void)loop;
    if (read(item->fd, &times, sizeof times) != (ssize_t)sizeof times)
        return 0; /* set anew in this very round of the loop */
    int64_t now = zclock_mono();
    for (struct control_client *client = control->clients, *next; client; client = next) {
        next = client->next;
        if (client->due_ms > 0 && now >= client->due_ms)
            lose(client);
        settle(client);
    }
    if (control->deaf)
        listen_again(control);
    if (control->count == 0 && !control->deaf)
        set_beat(control, false);
    return 0;
}

/* --- life --- */

/* What stands at the path: nothing, a socket that nobody listens to any more, or what must stay. */
static bool make_way(const struct sockaddr_un *address, struct fault *fault)
{
    const char *path = address->sun_path;
    struct stat about;
    if (lstat(path, &about) != 0)
        return errno == ENOENT || fault_set(fault, "%s: %s", path, strerror(errno));
    if (!S_ISSOCK(about.st_mode))
        return fault_set(fault, "%s is no socket; remove it or give agent.control another path",
                         path);
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe < 0)
        return fault_set(fault, "%s: no socket can be made: %s", path, strerror(errno));
    int rc = connect(probe, (const struct sockaddr *)address, sizeof *address);
    int why = rc == 0 ? 0 : errno;
    close(probe);
    if (why == 0 || why == EAGAIN)
        return fault_set(fault,
                         "another agent answers at %s; stop it, or give this one another agent.dir",
                         path);
    if (why != ECONNREFUSED && why != ENOENT)
        return fault_set(fault, "%s: %s; remove it if no agent runs", path, strerror(why));
    if (unlink(path) != 0 && errno != ENOENT)
        return fault_set(fault, "%s: the old socket cannot be removed: %s", path, strerror(errno));
    return true;
}

/* The mode of a socket before bind() is the mode of its file. */
static bool bind_listener(struct control *control, struct fault *fault)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat about;
    memcpy(address.sun_path, control->path, strlen(control->path));
    if (!make_way(&address, fault))
        return false;
    control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (control->listener < 0 || fchmod(control->listener, 0600) != 0)
        return fault_set(fault, "%s: no socket can be made: %s", control->path, strerror(errno));
    if (bind(control->listener, (const struct sockaddr *)&address, sizeof address) != 0)
        return fault_set(fault, "%s: %s; expected a directory that the agent may write to",
                         control->path, strerror(errno));
    if (lstat(control->path, &about) != 0 || listen(control->listener, BACKLOG) != 0)
        return fault_set(fault, "%s: %s", control->path, strerror(errno));
    control->device = about.st_dev;
    control->inode = about.st_ino;
    return true;
}

static bool start_beat(struct control *control, struct fault *fault)
{
    control->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    zmq_pollitem_t item = {.fd = control->timer, .events = ZMQ_POLLIN};
    if (control->timer < 0 || zloop_poller(control->config.loop, &item, on_beat, control) != 0)
        return fault_set(fault, "the control socket's clock cannot be made");
    return true;
}

struct control *control_create(const struct control_config *config, struct fault *fault)
{
    struct control *control = calloc(1, sizeof *control);
    size_t length = strlen(config->path);
    if (!control) {
        fault_set(fault, "memory is short");
        return NULL;
    }
    control->config = *config;
    control->config.path = control->path;
    control->listener = control->timer = -1;
    if (length == 0 || length >= CONTROL_PATH_MAX)
        fault_set(fault, "%s: expected a path of 1 to %d bytes; give agent.control a shorter one",
                  config->path, CONTROL_PATH_MAX - 1);
    else {
        memcpy(control->path, config->path, length);
        if (bind_listener(control, fault) && start_beat(control, fault)) {
            listen_again(control);
            return control;
        }
    }
    control_destroy(&control);
    return NULL;
}

static void end_descriptor(struct control *control, int descriptor)
{
    zmq_pollitem_t item = {.fd = descriptor};
    if (descriptor < 0)
        return;
    zloop_poller_end(control->config.loop, &item);
    close(descriptor);
}

void control_destroy(struct control **control)
{
    struct control *c = *control;
    struct stat about;
    if (!c)
        return;
    while (c->clients)
        destroy_client(c->clients);
    if (c->inode != 0 && lstat(c->path, &about) == 0 && about.st_dev == c->device &&
        about.st_ino == c->inode)
        unlink(c->path);
    end_descriptor(c, c->listener);
    end_descriptor(c, c->timer);
    free(c);
    *control = NULL;
}
