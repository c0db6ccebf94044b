#include "node/line.h"

#include <assert.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 64
#define MESSAGE_OVERHEAD 35 /* of CURVE and ZMTP; long ones have some bytes more */
#define NOBODY UINT32_MAX   /* no number of gossip's */

struct lines {
    int epoll;
    uint32_t strangers_max, neighbours_max;
    uint32_t top; /* none that is used stands at or above it */
    struct line line[LINES_MAX];
};

struct lines *lines_create(uint32_t strangers_max, uint32_t neighbours_max)
{
    struct lines *lines = calloc(1, sizeof *lines);
    if (!lines)
        return NULL;
    lines->strangers_max = strangers_max;
    lines->neighbours_max = neighbours_max;
    lines->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (lines->epoll < 0) {
        free(lines);
        return NULL;
    }
    return lines;
}

void lines_destroy(struct lines **lines)
{
    if (!*lines)
        return;
    close((*lines)->epoll);
    free(*lines);
    *lines = NULL;
}

int lines_descriptor(const struct lines *lines)
{
    return lines->epoll;
}

/* --- descriptors that belong to libzmq --- */

static bool read_address(int fd, uint8_t address[16], uint16_t *port)
{
    struct sockaddr_storage at;
    socklen_t size = sizeof at;
    memset(address, 0, 16);
    if (getpeername(fd, (struct sockaddr *)&at, &size) != 0)
        return false;
    if (at.ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)&at;
        memset(address + 10, 0xff, 2);
        memcpy(address + 12, &in->sin_addr, 4);
        *port = in->sin_port;
        return true;
    }
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&at;
    memcpy(address, &in6->sin6_addr, 16);
    *port = in6->sin6_port;
    return at.ss_family == AF_INET6;
}

/* The descriptor's other end is the one that the line began with (L5). */
static bool holds(const struct line *line)
{
    uint8_t address[16];
    uint16_t port;
    return line->fd >= 0 && read_address(line->fd, address, &port) && port == line->port &&
           memcmp(address, line->address, sizeof address) == 0;
}

void line_cut(struct line *line)
{
    line->leaving = true;
    if (holds(line))
        shutdown(line->fd, SHUT_RDWR);
}

static bool ask(const struct line *line, struct tcp_info *info)
{
    socklen_t size = sizeof *info;
    memset(info, 0, sizeof *info);
    return holds(line) && getsockopt(line->fd, IPPROTO_TCP, TCP_INFO, info, &size) == 0;
}

static uint64_t arrived(const struct line *line)
{
    struct tcp_info info;
    return ask(line, &info) ? info.tcpi_bytes_received : line->delivered;
}

/* What CURVE and libzmq add is not counted, so `given` is set right whenever it falls behind. */
bool line_takes(struct line *line)
{
    struct tcp_info info;
    if (!ask(line, &info) || info.tcpi_bytes_acked == 0)
        return true; /* not connected yet, or a kernel that does not count */
    if (line->given < info.tcpi_bytes_acked)
        line->given = info.tcpi_bytes_acked;
    return line->given - info.tcpi_bytes_acked <= LINE_UNREAD_BYTES;
}

void line_given(struct line *line, size_t size)
{
    line->given += size;
}

void line_delivered(struct line *line, size_t size)
{
    line->read = true;
    line->delivered += size + MESSAGE_OVERHEAD;
}

static void watch(struct lines *lines, struct line *line, int fd)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET,
                                .data.u32 = (uint32_t)(line - lines->line)};
    static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};
    line->fd = fd;
    if (!read_address(fd, line->address, &line->port))
        return; /* gone already: its end is told next */
    memcpy(line->neighbours, line->address, sizeof line->neighbours);
    if (memcmp(line->address, v4, sizeof v4) != 0)
        memset(line->neighbours + 8, 0, 8);
    epoll_ctl(lines->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* --- the table --- */

static struct line *new_line(struct lines *lines, int64_t now_ms)
{
    uint32_t i = 0;
    while (i < LINES_MAX && lines->line[i].used)
        i++;
    if (i == LINES_MAX)
        return NULL;
    if (i >= lines->top)
        lines->top = i + 1;
    lines->line[i] = (struct line){.used = true, .fd = -1, .peer = NOBODY, .since_ms = now_ms};
    return &lines->line[i];
}

void line_end(struct lines *lines, struct line *line)
{
    assert(line->used);
    line->used = false;
    while (lines->top > 0 && !lines->line[lines->top - 1].used)
        lines->top--;
}

struct line *lines_of_id(struct lines *lines, bool outbound, uint32_t id)
{
    for (uint32_t i = 0; i < lines->top; i++) {
        struct line *line = &lines->line[i];
        if (line->used && line->named && line->outbound == outbound && line->id == id)
            return line;
    }
    return NULL;
}

struct line *lines_of_fd(struct lines *lines, bool outbound, int fd)
{
    for (uint32_t i = 0; i < lines->top; i++) {
        struct line *line = &lines->line[i];
        if (line->used && line->outbound == outbound && line->fd == fd)
            return line;
    }
    return NULL;
}

struct line *lines_of_endpoint(struct lines *lines, const char *endpoint)
{
    for (uint32_t i = 0; i < lines->top; i++) {
        struct line *line = &lines->line[i];
        if (line->used && line->connecting && strcmp(line->endpoint, endpoint) == 0)
            return line;
    }
    return NULL;
}

struct line *lines_of_peer(struct lines *lines, uint32_t peer)
{
    for (uint32_t i = 0; i < lines->top; i++)
        if (lines->line[i].used && lines->line[i].peer == peer)
            return &lines->line[i];
    return NULL;
}

static bool is_stranger(const struct line *line)
{
    return line->used && !line->outbound && !line->bound && !line->leaving;
}

uint32_t lines_count(const struct lines *lines, bool strangers)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < lines->top; i++)
        count += strangers ? is_stranger(&lines->line[i]) : lines->line[i].used;
    return count;
}

/* --- who gets in --- */

static bool are_neighbours(const struct line *a, const struct line *b)
{
    return memcmp(a->neighbours, b->neighbours, sizeof a->neighbours) == 0;
}

static uint32_t count_neighbours(const struct lines *lines, const struct line *of)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < lines->top; i++)
        count += is_stranger(&lines->line[i]) && are_neighbours(&lines->line[i], of);
    return count;
}

/* The oldest of the newcomer's neighbours, or of those who are most. */
static struct line *who_leaves(struct lines *lines, const struct line *newcomer, bool neighbour)
{
    struct line *leaves = NULL;
    uint32_t most = 0;
    for (uint32_t i = 0; i < lines->top; i++) {
        struct line *line = &lines->line[i];
        if (!is_stranger(line) || line == newcomer ||
            (neighbour && !are_neighbours(line, newcomer)))
            continue;
        uint32_t count = neighbour ? 1 : count_neighbours(lines, line);
        if (count > most || (count == most && line->since_ms < leaves->since_ms)) {
            most = count;
            leaves = line;
        }
    }
    return leaves;
}

static void make_room(struct lines *lines, struct line *newcomer)
{
    bool neighbour = count_neighbours(lines, newcomer) > lines->neighbours_max;
    if (!neighbour && lines_count(lines, true) <= lines->strangers_max)
        return;
    struct line *leaves = who_leaves(lines, newcomer, neighbour);
    if (!leaves)
        return;
    line_cut(leaves);
    if (leaves->peer == NOBODY)
        line_end(lines, leaves); /* nobody else knows of it */
}

void lines_accept(struct lines *lines, int fd, int64_t now_ms)
{
    struct line *line = new_line(lines, now_ms);
    if (!line) {
        shutdown(fd, SHUT_RDWR);
        return;
    }
    watch(lines, line, fd);
    make_room(lines, line);
}

struct line *lines_dial(struct lines *lines, const char *endpoint, uint32_t id, uint32_t peer,
                        int64_t now_ms)
{
    struct line *line = strlen(endpoint) < LINE_ENDPOINT_MAX ? new_line(lines, now_ms) : NULL;
    if (!line)
        return NULL;
    line->outbound = line->named = true;
    line->id = id;
    line->peer = peer;
    memcpy(line->endpoint, endpoint, strlen(endpoint) + 1);
    return line;
}

void lines_connected(struct lines *lines, struct line *line, int fd)
{
    watch(lines, line, fd);
}

/* --- who has to leave --- */

void lines_look(struct lines *lines)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(lines->epoll, events, EVENTS, 0);
    for (int i = 0; i < count; i++) {
        struct line *line = &lines->line[events[i].data.u32];
        uint64_t most = line->bound || line->outbound ? LINE_BYTES : LINE_STRANGER_BYTES;
        if (line->used && arrived(line) > line->delivered + most)
            line_cut(line);
    }
}

/* What is no message, greetings and commands, is counted as read here. */
void lines_drained(struct lines *lines, bool outbound)
{
    for (uint32_t i = 0; i < lines->top; i++) {
        struct line *line = &lines->line[i];
        if (line->used && line->outbound == outbound && line->read) {
            line->read = false;
            line->delivered = arrived(line);
        }
    }
}

void lines_keep(struct lines *lines, int64_t now_ms)
{
    for (uint32_t i = 0; i < lines->top; i++) {
        struct line *line = &lines->line[i];
        if (is_stranger(line) && !line->named && now_ms - line->since_ms > LINE_SILENT_MS)
            line_cut(line);
    }
}
