/* Names of hosts to addresses, without waiting: the C library's own threads ask (getaddrinfo_a()). libzmq would ask
 * in the one thread that serves all its connections, so one name server that keeps silent would stop all of gossip.
 *
 *     resolve_begin(tag, "agent.example")  ...  resolve_next(&tag, address)    "192.0.2.7", "[2001:db8::7]" or ""
 *
 * At most RESOLVE_MAX names are asked for at once. There is no event: ask resolve_next() now and then while
 * resolve_pending().
 */
#ifndef STAGGER_NODE_RESOLVE_H
#define STAGGER_NODE_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESOLVE_MAX 4
#define RESOLVE_ADDRESS_MAX 48

struct resolve;

struct resolve *resolve_create(void); /* NULL: memory */
/* A question that the C library is in the middle of is left to it, with its few bytes. */
void resolve_destroy(struct resolve **resolve);

/* False: RESOLVE_MAX names are asked for already, the name is too long, or memory is short. */
bool resolve_begin(struct resolve *resolve, uint32_t tag, const char *host);
bool resolve_pending(const struct resolve *resolve);

/* The next one that has ended, with its address, "" when it has none. */
bool resolve_next(struct resolve *resolve, uint32_t *tag, char address[RESOLVE_ADDRESS_MAX]);

#endif
