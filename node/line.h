/* The connections of gossip, as the kernel sees them: who came from where, how long ago, how much it has sent.
 *
 * libzmq accepts whoever comes, keeps buffers of some 50 KB for each, and offers no way to refuse or to end one. And
 * it limits frames and the number of messages that wait, but not the frames of one message: who never sends the last
 * one fills the memory. So connections are watched from beside it, by their descriptors, and ended by shutdown():
 *
 *     libzmq's monitor  -- a connection began, ended -->  lines  <-- line_watch.h: bytes arrive -- kernel
 *     ROUTER            -- its frame was delivered  -->     |
 *                                                           +-- shutdown(fd) --> libzmq sees the end of it
 *
 *   stranger    a line that came in and whose CURVE key is not known to be a member's, or that is still shaking hands
 *   neighbours  addresses of one sender: the same IPv4 address, or the same /64 of IPv6
 *
 *   L1 no more than strangers_max strangers, and of neighbours no more than neighbours_max. The next one costs the
 *      oldest of the neighbours that have most, so who comes from elsewhere gets in however many one sender opens.
 *   L2 a stranger that does not speak is ended after LINE_SILENT_MS.
 *   L3 what arrived and was not read as a whole message is at most LINE_STRANGER_BYTES or LINE_BYTES, and some
 *      milliseconds' worth; no honest peer can have as much under way. Nothing else limits it: see node/transport_zmq.h.
 *   L4 what was given to libzmq for one line and not acknowledged yet is at most LINE_UNREAD_BYTES and one frame. The
 *      frames of a reader that does not keep up are thrown away before libzmq gathers them; gossip says it again.
 *   L5 a descriptor is used only while both its ends are those that it had when its line began. A number that was
 *      given to something else in the meantime is left alone.
 */
#ifndef STAGGER_NODE_LINE_H
#define STAGGER_NODE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coord/units.h"
#include "node/line_watch.h"

#define LINE_ID_SIZE 5 /* of what libzmq calls routing id */
#define LINE_ENDPOINT_MAX 72
#define LINES_MAX 512
#define LINE_NONE UINT32_MAX
#define LINE_SILENT_MS 5000
#define LINE_STRANGER_BYTES 49152
#define LINE_BYTES 131072
#define LINE_UNREAD_BYTES 16384

struct line {
    bool used, outbound, bound;
    bool leaving;    /* it was cut, and its end has not been told yet */
    bool connecting; /* outbound: libzmq was told its endpoint */
    bool named;      /* its id is known: it has spoken, or we dialled */
    bool read;       /* a message of it, since lines_drained() */
    uint32_t peer;   /* gossip's number, GOSSIP_PEER_NONE */
    uint32_t id;     /* of the two ROUTERs each has its own */
    int64_t since_ms;
    uint64_t given;  /* bytes that were to go, as it counts what was acknowledged */
    uint8_t key[32]; /* outbound: of the server that may answer */
    struct line_socket socket;
    uint8_t neighbours[16];
    char endpoint[LINE_ENDPOINT_MAX]; /* outbound: as libzmq was told */
};

struct lines;

struct lines *lines_create(uint32_t strangers_max, uint32_t neighbours_max); /* NULL: memory */
void lines_destroy(struct lines **lines);

/* Ends strangers that are silent for too long. */
void lines_keep(struct lines *lines, int64_t now_ms);

/* A connection that came in, in this descriptor of libzmq's. It may be ended at once, or cost another its place. */
void lines_accept(struct lines *lines, int fd, int64_t now_ms);

/* A new line that we dial; NULL when there is no room. */
struct line *lines_dial(struct lines *lines, const char *endpoint, uint32_t id, uint32_t peer,
                        int64_t now_ms);
/* It has a descriptor now. */
void lines_connected(struct lines *lines, struct line *line, int fd);

struct line *lines_of_id(struct lines *lines, bool outbound, uint32_t id);
struct line *lines_of_fd(struct lines *lines, bool outbound, int fd);
struct line *lines_of_endpoint(struct lines *lines, const char *endpoint);
struct line *lines_of_peer(struct lines *lines, uint32_t peer);

/* Its key is a member's. */
void line_bind(struct lines *lines, struct line *line);

/* A message of so many bytes has been read. */
void line_delivered(struct lines *lines, struct line *line, size_t size);

/* Nothing is left to read from the lines of this direction. */
void lines_drained(struct lines *lines, bool outbound);

/* Whether a frame may go now (L4); line_given() when it went. */
bool line_takes(struct line *line);
void line_given(struct line *line, size_t size);

/* Ends the connection; the line is still there. */
void line_cut(struct line *line);

/* Forgets the line. */
void line_end(struct lines *lines, struct line *line);

uint32_t lines_count(const struct lines *lines, bool strangers);

#endif
