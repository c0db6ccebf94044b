/* Ends connections that send more than is read, from a thread of its own: however long the loop is busy, what has come
 * and was not read stays bounded (L3 of node/line.h).
 *
 *     kernel: bytes arrive             -- epoll -->  the thread: more than `most` unread?  -->  shutdown()
 *     loop:   begin, read, limit, end  -- lock -->   places
 *
 * The descriptors belong to libzmq, which may close one at any moment, and the kernel then gives its number to
 * something else. So a descriptor is remembered with the other end that it had, and used only while it has it.
 *
 *   W1 the thread looks at a place under the lock only, and takes no memory.
 *   W2 what is unread is counted in bytes of the kernel: more than `most` of them end the connection, after some
 *      microseconds.
 */
#ifndef STAGGER_NODE_LINE_WATCH_H
#define STAGGER_NODE_LINE_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct line_socket {     /* of a connection */
    int fd;              /* -1: not yet */
    uint8_t address[16]; /* of the other end; IPv4 as ::ffff:a.b.c.d */
    uint16_t port;
};

/* The descriptor and its other end. False when that is gone already. */
bool line_socket_of(int fd, struct line_socket *socket);

struct line_count { /* bytes since the connection began */
    uint64_t arrived, acknowledged;
};
/* False when the connection is no more. */
bool line_socket_count(const struct line_socket *socket, struct line_count *count);

/* Ends the connection, both ways. */
void line_socket_cut(const struct line_socket *socket);

struct line_watch;

struct line_watch *line_watch_create(
    uint32_t places); /* NULL: memory is short, or no thread to be had */
void line_watch_destroy(struct line_watch **watch);

/* Watches a connection in this place, which is free, until line_watch_end(). */
void line_watch_begin(struct line_watch *watch, uint32_t place, const struct line_socket *socket,
                      uint64_t most);
void line_watch_end(struct line_watch *watch, uint32_t place);

void line_watch_limit(struct line_watch *watch, uint32_t place, uint64_t most);

/* A message of so many bytes has been read. */
void line_watch_read(struct line_watch *watch, uint32_t place, size_t size);

/* Nothing is left to read: what is no message, greetings and commands, is counted as read. */
void line_watch_drained(struct line_watch *watch, uint32_t place);

#endif
