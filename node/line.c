#include "node/line.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define NOBODY UINT32_MAX /* no number of gossip's */

struct lines {
    struct line_watch *watch;
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
    lines->watch = line_watch_create(LINES_MAX);
    if (!lines->watch)
        lines_destroy(&lines);
    return lines;
}

void lines_destroy(struct lines **lines)
{
    if (!*lines)
        return;
    line_watch_destroy(&(*lines)->watch);
    free(*lines);
    *lines = NULL;
}

/* --- one line --- */

static uint32_t place_of(const struct lines *lines, const struct line *line)
{
    return (uint32_t)(line - lines->line);
}

static uint64_t most_of(const struct line *line)
{
    return line->bound || line->outbound ? LINE_BYTES : LINE_STRANGER_BYTES;
}

void line_cut(struct line *line)
{
    line->leaving = true;
    line_socket_cut(&line->socket);
}

/* What CURVE and libzmq add is not counted, so `given` is set right whenever it falls behind. */
bool line_takes(struct line *line)
{
    struct line_count count;
    if (!line_socket_count(&line->socket, &count) || count.acknowledged == 0)
        return true; /* not connected yet, or a kernel that does not count */
    if (line->given < count.acknowledged)
        line->given = count.acknowledged;
    return line->given - count.acknowledged <= LINE_UNREAD_BYTES;
}

void line_given(struct line *line, size_t size)
{
    line->given += size;
}

void line_bind(struct lines *lines, struct line *line)
{
    line->bound = true;
    line_watch_limit(lines->watch, place_of(lines, line), most_of(line));
}

void line_delivered(struct lines *lines, struct line *line, size_t size)
{
    line->read = true;
    line_watch_read(lines->watch, place_of(lines, line), size);
}

static void watch(struct lines *lines, struct line *line, int fd)
{
    static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};
    if (!line_socket_of(fd, &line->socket))
        return; /* gone already: its end is told next */
    memcpy(line->neighbours, line->socket.address, sizeof line->neighbours);
    if (memcmp(line->socket.address, v4, sizeof v4) != 0)
        memset(line->neighbours + 8, 0, 8);
    line_watch_begin(lines->watch, place_of(lines, line), &line->socket, most_of(line));
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
    lines->line[i] =
        (struct line){.used = true, .socket.fd = -1, .peer = NOBODY, .since_ms = now_ms};
    return &lines->line[i];
}

void line_end(struct lines *lines, struct line *line)
{
    assert(line->used);
    line->used = false;
    line_watch_end(lines->watch, place_of(lines, line));
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
        if (line->used && line->outbound == outbound && line->socket.fd == fd)
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

void lines_drained(struct lines *lines, bool outbound)
{
    for (uint32_t i = 0; i < lines->top; i++) {
        struct line *line = &lines->line[i];
        if (line->used && line->outbound == outbound && line->read) {
            line->read = false;
            line_watch_drained(lines->watch, i);
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
