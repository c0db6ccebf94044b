/* Serves a history from memory as fast as a loop can, so that a benchmark measures who asks and not who answers:
 *
 *     history_server HISTORY EXTRA
 *
 * HISTORY is a file of make_history, one line a height. EXTRA has one answer a line, `METHOD MATCH RESULT`, for calls
 * whose body has the text MATCH in it ("-": always): status, abci_query, commit of the last height. block,
 * block_results, validators (one page) and blockchain come from the history. Prints its URL, and the number of
 * requests when standard input ends; HTTP/1.1 with POST only, as node/rpc asks.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX 8192
#define EXTRA_MAX 64
#define HEADERS 20

struct piece {
    const char *text;
    size_t size;
};

struct line {
    struct piece block, results, set, id, header;
};

struct extra {
    const char *method, *match;
    struct piece result;
};

struct server {
    struct line *lines;
    uint64_t first, count, requests;
    struct extra extras[EXTRA_MAX];
    uint32_t extra_count;
    int epoll;
};

struct connection {
    int fd;
    size_t size;
    char request[REQUEST_MAX];
};

static void die(const char *why)
{
    fprintf(stderr, "history_server: %s\n", why);
    exit(1);
}

/* --- loading --- */

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        die(path);
    long size = ftell(file);
    char *text = malloc((size_t)size + 1);
    rewind(file);
    if (!text || fread(text, 1, (size_t)size, file) != (size_t)size)
        die(path);
    text[size] = '\0';
    fclose(file);
    return text;
}

/* What stands between two marks; `at` moves to the second. */
static struct piece between(char **at, const char *from, const char *to)
{
    char *start = strstr(*at, from);
    if (!start)
        die("a line of the history lacks a part");
    start += strlen(from);
    char *end = strstr(start, to);
    if (!end)
        die("a line of the history lacks a part");
    *at = end;
    return (struct piece){start, (size_t)(end - start)};
}

static void load_line(struct server *server, char *text)
{
    struct line *line = &server->lines[server->count++];
    char *at = text, *inner;
    line->block = between(&at, "\"block\":", ",\"block_results\":");
    line->results = between(&at, ",\"block_results\":", ",\"next_validators\":");
    line->set = between(&at, ",\"next_validators\":", "}\n");
    inner = text;
    line->id = between(&inner, "{\"block_id\":", ",\"block\":");
    line->header = between(&inner, "\"header\":", ",\"data\":");
}

static void load_history(struct server *server, const char *path)
{
    char *text = read_file(path);
    size_t lines = 0;
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    server->lines = calloc(lines + 1, sizeof *server->lines);
    if (!server->lines || sscanf(text, "{\"height\":%" SCNu64, &server->first) != 1)
        die("no history");
    for (char *at = text, *end; (end = strchr(at, '\n')) != NULL; at = end + 1)
        load_line(server, at);
}

static void load_extras(struct server *server, const char *path)
{
    for (char *at = read_file(path), *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        char *match = strchr(at, ' '), *result = match ? strchr(match + 1, ' ') : NULL;
        if (!result || result > end || server->extra_count == EXTRA_MAX)
            die("a wrong line in the extra answers");
        *match = *result = '\0';
        server->extras[server->extra_count++] =
            (struct extra){at, match + 1, {result + 1, (size_t)(end - result - 1)}};
    }
}

/* --- answering --- */

static uint64_t number_of(const char *body, const char *key)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *at = strstr(body, quoted);
    if (!at)
        return 0;
    at += strlen(quoted);
    return strtoull(*at == '"' ? at + 1 : at, NULL, 10);
}

static const struct line *line_at(const struct server *server, uint64_t height)
{
    bool known = height >= server->first && height - server->first < server->count;
    return known ? &server->lines[height - server->first] : NULL;
}

static void write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = send(fd, bytes, size, MSG_NOSIGNAL);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return; /* the other side has gone; its socket is closed when that is read */
        bytes += written;
        size -= (size_t)written;
    }
}

static void answer(const struct connection *connection, const char *body, struct piece result)
{
    char head[256], tail[] = "}";
    char envelope[96];
    int size =
        snprintf(envelope, sizeof envelope,
                 "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"result\":", number_of(body, "id"));
    int head_size = snprintf(head, sizeof head,
                             "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                             "Content-Length: %zu\r\n\r\n%s",
                             (size_t)size + result.size + 1, envelope);
    static char out[1 << 20];
    size_t total = (size_t)head_size + result.size + 1;
    assert(total < sizeof out);
    memcpy(out, head, (size_t)head_size);
    memcpy(out + head_size, result.text, result.size);
    memcpy(out + total - 1, tail, 1);
    write_all(connection->fd, out, total);
}

static struct piece headers_of(const struct server *server, const char *body, char *out,
                               size_t room)
{
    uint64_t low = number_of(body, "minHeight"), high = number_of(body, "maxHeight");
    size_t size = (size_t)snprintf(out, room, "{\"last_height\":\"%" PRIu64 "\",\"block_metas\":[",
                                   server->first + server->count - 1);
    for (uint64_t h = high; h >= low && h > 0 && h + HEADERS > high; h--) {
        const struct line *line = line_at(server, h);
        if (!line)
            die("headers that are not there");
        size += (size_t)snprintf(
            out + size, room - size,
            "%s{\"block_id\":%.*s,\"block_size\":\"1000\",\"header\":%.*s,\"num_txs\":\"0\"}",
            h < high ? "," : "", (int)line->id.size, line->id.text, (int)line->header.size,
            line->header.text);
    }
    size += (size_t)snprintf(out + size, room - size, "]}");
    return (struct piece){out, size};
}

static void serve(struct server *server, const struct connection *connection, const char *body)
{
    static char room[1 << 18];
    uint64_t height = number_of(body, "height");
    const struct line *line = line_at(server, height), *before = line_at(server, height - 1);
    server->requests++;
    for (uint32_t i = 0; i < server->extra_count; i++) {
        const struct extra *e = &server->extras[i];
        char method[64];
        snprintf(method, sizeof method, "\"method\":\"%s\"", e->method);
        if (strstr(body, method) && (strcmp(e->match, "-") == 0 || strstr(body, e->match))) {
            answer(connection, body, e->result);
            return;
        }
    }
    if (strstr(body, "\"method\":\"block\"") && line)
        answer(connection, body, line->block);
    else if (strstr(body, "\"method\":\"block_results\"") && line)
        answer(connection, body, line->results);
    else if (strstr(body, "\"method\":\"validators\"") && before)
        answer(connection, body, before->set);
    else if (strstr(body, "\"method\":\"blockchain\""))
        answer(connection, body, headers_of(server, body, room, sizeof room));
    else
        fprintf(stderr, "history_server: no answer to %s\n", body);
}

/* --- connections --- */

static void watch(const struct server *server, int fd, void *owner)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = owner};
    if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        die("epoll");
}

static void accept_one(struct server *server, int listener)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection)
        die("memory");
    connection->fd = accept(listener, NULL, NULL);
    if (connection->fd < 0)
        die("accept");
    watch(server, connection->fd, connection);
}

/* Whole requests in the buffer are answered, the rest of it waits for more. */
static void take_requests(struct server *server, struct connection *c)
{
    char *end;
    while ((end = strstr(c->request, "\r\n\r\n")) != NULL) {
        const char *length = strstr(c->request, "Content-Length:");
        size_t body = length ? strtoul(length + 15, NULL, 10) : 0;
        size_t whole = (size_t)(end - c->request) + 4 + body;
        if (whole > c->size)
            return;
        char kept = c->request[whole];
        c->request[whole] = '\0';
        serve(server, c, end + 4);
        c->request[whole] = kept;
        memmove(c->request, c->request + whole, c->size - whole + 1);
        c->size -= whole;
    }
}

static void receive(struct server *server, struct connection *c)
{
    ssize_t got = recv(c->fd, c->request + c->size, REQUEST_MAX - 1 - c->size, 0);
    if (got <= 0) {
        close(c->fd);
        free(c);
        return;
    }
    c->size += (size_t)got;
    c->request[c->size] = '\0';
    take_requests(server, c);
}

static int listen_anywhere(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 128) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        die("no socket");
    printf("http://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    static struct server server;
    if (argc != 3)
        die("usage: history_server HISTORY EXTRA");
    load_history(&server, argv[1]);
    load_extras(&server, argv[2]);
    server.epoll = epoll_create1(0);
    int listener = listen_anywhere(), input = STDIN_FILENO;
    watch(&server, listener, &listener);
    watch(&server, input, &input);
    for (;;) {
        struct epoll_event events[64];
        int count = epoll_wait(server.epoll, events, 64, -1);
        for (int i = 0; i < count; i++) {
            char byte;
            if (events[i].data.ptr == &listener)
                accept_one(&server, listener);
            else if (events[i].data.ptr != &input)
                receive(&server, events[i].data.ptr);
            else if (read(input, &byte, 1) <= 0) {
                printf("%" PRIu64 "\n", server.requests);
                return 0;
            }
        }
    }
}
