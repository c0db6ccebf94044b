#include "node/docker.h"

#include <assert.h>
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "node/rpc.h"
#include "node/rpc_http.h"

#define HOST "http://docker"
#define CONNECTIONS 4
#define GROUP_MAX 4096 /* bytes of an entry in the table of groups */

struct docker_call {
    struct docker *docker;
    struct docker_request request; /* its texts are ours, the body is spent */
    char path[DOCKER_PATH_MAX], url_text[DOCKER_PATH_MAX + 32];
    struct rpc_url url;
    char *body;                    /* NULL: none */
    struct rpc_transfer *transfer; /* NULL: waits for the version */
    size_t line_size;
    bool line_skipped;
    char *line; /* DOCKER_LINE_MAX; of a stream */
    struct docker_call *next;
};

struct docker {
    const char *socket;
    struct rpc_http *http;
    struct docker_call *calls;
    struct docker_call *version_call; /* our own, under way */
    uint32_t version;                 /* 0: not known */
};

/* --- what went wrong --- */

static bool fail_at_socket(const char *socket, struct fault *fault)
{
    struct stat status;
    struct group group, *found = NULL;
    char memory[GROUP_MAX];
    if (stat(socket, &status) != 0)
        return fault_set(
            fault,
            "there is no socket %s (%s): start the Docker Engine (systemctl start docker), or "
            "set docker.socket",
            socket, strerror(errno));
    if (!S_ISSOCK(status.st_mode))
        return fault_set(
            fault, "docker.socket: %s is no socket; expected that of the Docker Engine", socket);
    if (access(socket, R_OK | W_OK) != 0) {
        (void)getgrgid_r(status.st_gid, &group, memory, sizeof memory, &found);
        if (found != NULL)
            return fault_set(
                fault,
                "no permission for %s: it belongs to the group %s; add the agent's user to "
                "it (usermod -aG %s USER) and start the agent again",
                socket, group.gr_name, group.gr_name);
        return fault_set(fault, "no permission for %s: it belongs to the group with the number %ju",
                         socket, (uintmax_t)status.st_gid);
    }
    return true;
}

/* curl does not say which of them it was, so the socket is tried. */
static bool is_refused(const char *socket_path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
    bool refused = connect(fd, (const struct sockaddr *)&address, sizeof address) != 0 &&
                   errno == ECONNREFUSED;
    close(fd);
    return refused;
}

static void explain_silence(const struct docker *docker, const char *error, struct fault *fault)
{
    if (!fail_at_socket(docker->socket, fault))
        return;
    if (is_refused(docker->socket))
        (void)fault_set(fault,
                        "nothing listens on %s: start the Docker Engine (systemctl start docker)",
                        docker->socket);
    else
        (void)fault_set(fault, "no answer from the Docker Engine on %s: %s", docker->socket, error);
}

static void explain_refusal(const struct rpc_http_answer *answer, struct fault *fault)
{
    struct fault unused;
    json_t *body = rpc_parse(answer->body, answer->size, &unused);
    const char *message = json_string_value(json_object_get(body, "message"));
    if (message != NULL)
        (void)fault_set(fault, "docker says: %s", message);
    else
        (void)fault_set(fault, "docker answers with status %ld and no reason", answer->status);
    json_decref(body);
}

/* --- the end of calls --- */

static void free_call(struct docker_call *call)
{
    free(call->body);
    free(call->line);
    free(call);
}

static void unlink_call(struct docker_call *call)
{
    struct docker_call **at = &call->docker->calls;
    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
}

static void end_call(struct docker_call *call, const struct docker_reply *reply)
{
    unlink_call(call);
    call->request.done(call->request.owner, reply);
    free_call(call);
}

void docker_cancel(struct docker_call **call_pointer)
{
    struct docker_call *call = *call_pointer;
    if (call == NULL)
        return;
    if (call->transfer != NULL)
        rpc_http_drop(call->docker->http, call->transfer);
    unlink_call(call);
    free_call(call);
    *call_pointer = NULL;
}

static void on_answer(void *owner, void *subject, const struct rpc_http_answer *answer)
{
    struct docker *docker = owner;
    struct docker_call *call = subject;
    struct docker_reply reply = {.status = answer->status, .text = ""};
    struct fault fault;
    json_t *body = NULL;
    call->transfer = NULL;
    reply.ok = (answer->status >= 200 && answer->status < 300) || answer->status == 304;
    if (answer->status == 0) {
        explain_silence(docker, answer->error, &fault);
    } else if (!reply.ok) {
        explain_refusal(answer, &fault);
    } else if (answer->size > 0 && answer->status != 304 && call->request.line == NULL) {
        reply.body = body = rpc_parse(answer->body, answer->size, &fault);
        reply.ok = body != NULL;
        if (!reply.ok)
            (void)fault_within(&fault, "the Docker Engine's answer cannot be read");
    }
    if (!reply.ok) {
        reply.text = fault.text;
        if (answer->status == 0 || answer->status == 400) /* 400 is also "too new", "too old" */
            docker->version = 0;
    }
    end_call(call, &reply);
    json_decref(body);
}

/* --- streams --- */

static void end_line(struct docker_call *call)
{
    struct fault unused;
    json_t *object = NULL;
    if (!call->line_skipped && call->line_size > 0)
        object = rpc_parse(call->line, call->line_size, &unused);
    if (json_is_object(object))
        call->request.line(call->request.owner, object);
    json_decref(object);
    call->line_size = 0;
    call->line_skipped = false;
}

static void on_part(void *owner, void *subject, const char *bytes, size_t size)
{
    struct docker_call *call = subject;
    (void)owner;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n')
            end_line(call);
        else if (call->line_size < DOCKER_LINE_MAX)
            call->line[call->line_size++] = bytes[i];
        else
            call->line_skipped = true;
    }
}

/* --- the beginning of calls --- */

static void begin(struct docker_call *call, const char *prefix)
{
    (void)snprintf(call->url_text, sizeof call->url_text, HOST "%s%s", prefix, call->path);
    call->url = (struct rpc_url){.text = call->url_text};
    struct rpc_http_request request = {
        .url = &call->url,
        .method = call->request.method,
        .body = call->body == NULL ? "" : call->body,
        .size = call->body == NULL ? 0 : strlen(call->body),
        .timeout_ms = call->request.timeout_ms,
        .part = call->request.line == NULL ? NULL : on_part,
    };
    call->transfer = rpc_http_send(call->docker->http, &request, call);
}

static struct docker_call *add_call(struct docker *docker, const struct docker_request *request)
{
    struct docker_call *call = calloc(1, sizeof *call);
    assert(call != NULL && strlen(request->path) < DOCKER_PATH_MAX);
    call->docker = docker;
    call->request = *request;
    memcpy(call->path, request->path, strlen(request->path) + 1);
    call->request.path = call->path;
    if (request->body != NULL) {
        call->body = json_dumps(request->body, JSON_COMPACT);
        assert(call->body != NULL);
        json_decref(request->body);
        call->request.body = NULL;
    }
    if (request->line != NULL) {
        call->line = malloc(DOCKER_LINE_MAX);
        assert(call->line != NULL);
    }
    call->next = docker->calls;
    docker->calls = call;
    return call;
}

/* --- the API's version --- */

/* "1.41" is 41; 0 for what is none. */
static uint32_t read_version(const json_t *body, const char *name)
{
    const char *text = json_string_value(json_object_get(body, name));
    char *end;
    if (text == NULL || strncmp(text, "1.", 2) != 0 || strspn(text + 2, "0123456789") > 3)
        return 0;
    unsigned long number = strtoul(text + 2, &end, 10);
    return *end == '\0' ? (uint32_t)number : 0;
}

static bool choose_version(struct docker *docker, const struct docker_reply *reply,
                           struct fault *fault)
{
    uint32_t newest = read_version(reply->body, "ApiVersion");
    uint32_t oldest = read_version(reply->body, "MinAPIVersion");
    if (!reply->ok)
        return fault_set(fault, "%s", reply->text);
    if (newest == 0)
        return fault_set(fault,
                         "what listens on %s does not say its API's version: is it the Docker "
                         "Engine? Set docker.socket",
                         docker->socket);
    if (newest < DOCKER_API_OLDEST)
        return fault_set(fault,
                         "the Docker Engine is too old: it has the API 1.%" PRIu32
                         ", and 1.%d is needed; upgrade it",
                         newest, DOCKER_API_OLDEST);
    docker->version = newest < DOCKER_API_KNOWN ? newest : DOCKER_API_KNOWN;
    if (oldest > docker->version)
        docker->version = oldest;
    return true;
}

/* A call that ends may cancel others, or send one that asks for the version anew, for which the rest waits then; so the
 * list is looked through from its beginning each time. */
static struct docker_call *first_waiting(const struct docker *docker)
{
    struct docker_call *call = docker->version_call == NULL ? docker->calls : NULL;
    while (call != NULL && call->transfer != NULL)
        call = call->next;
    return call;
}

static void on_version(void *owner, const struct docker_reply *reply)
{
    struct docker *docker = owner;
    struct docker_reply failed = {.status = reply->status};
    struct fault fault;
    char prefix[16];
    bool chosen = choose_version(docker, reply, &fault);
    docker->version_call = NULL;
    (void)snprintf(prefix, sizeof prefix, "/v1.%" PRIu32, docker->version % 1000);
    failed.text = fault.text;
    for (struct docker_call *call; (call = first_waiting(docker)) != NULL;) {
        if (chosen) {
            begin(call, prefix);
        } else {
            unlink_call(call);
            call->request.done(call->request.owner, &failed);
            free_call(call);
        }
    }
}

static void ask_version(struct docker *docker)
{
    struct docker_request request = {
        .method = "GET", .path = "/version", .owner = docker, .done = on_version};
    docker->version_call = add_call(docker, &request);
    begin(docker->version_call, "");
}

struct docker_call *docker_send(struct docker *docker, const struct docker_request *request)
{
    char prefix[16];
    struct docker_call *call = add_call(docker, request);
    if (docker->version != 0) {
        (void)snprintf(prefix, sizeof prefix, "/v1.%" PRIu32, docker->version % 1000);
        begin(call, prefix);
    } else if (docker->version_call == NULL) {
        ask_version(docker);
    }
    return call;
}

/* --- life --- */

struct docker *docker_create(zloop_t *loop, const char *socket, struct fault *fault)
{
    if (strlen(socket) >= DOCKER_SOCKET_MAX) {
        (void)fault_set(fault,
                        "docker.socket: is longer than %d bytes, which a socket's path can have",
                        DOCKER_SOCKET_MAX - 1);
        return NULL;
    }
    struct docker *docker = calloc(1, sizeof *docker);
    assert(docker != NULL);
    struct rpc_http_config config = {
        .unix_socket = socket,
        .timeout_ms = DOCKER_TIMEOUT_MS,
        .reply_max = DOCKER_REPLY_MAX,
        .in_flight_max = CONNECTIONS,
    };
    docker->socket = socket;
    docker->http = rpc_http_create(loop, &config, on_answer, docker);
    return docker;
}

void docker_destroy(struct docker **docker_pointer)
{
    struct docker *docker = *docker_pointer;
    if (docker == NULL)
        return;
    rpc_http_destroy(&docker->http); /* before the texts that it sends */
    while (docker->calls != NULL) {
        struct docker_call *call = docker->calls;
        unlink_call(call);
        free_call(call);
    }
    free(docker);
    *docker_pointer = NULL;
}

bool docker_escape(const char *text, char *out, size_t room)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t at = 0;
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                     (byte >= 'a' && byte <= 'z') || strchr("-_.~/:@", byte) != NULL;
        if (at + (plain ? 1 : 3) >= room)
            return false;
        if (!plain)
            out[at++] = '%';
        out[at++] = plain ? (char)byte : hex[byte >> 4];
        if (!plain)
            out[at++] = hex[byte & 15];
    }
    if (room == 0)
        return false;
    out[at] = '\0';
    return true;
}
