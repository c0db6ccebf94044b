/* A connection to a D-Bus message bus on an event loop: libsystemd's sd-bus, its socket a poller's and its deadlines a
 * timer's; for node/runtime_systemd.c.
 *
 *     sd_bus_get_fd, _events   --> zloop_poller --+
 *     sd_bus_get_timeout       --> wake ----------+--> sd_bus_process() --> the callbacks of slots
 *     bus_connect(), bus_flush() --> wake --------+         |
 *                                                          +-- fails --> lost()
 *
 * Nothing waits. A bus that is lost is connected again by the owner, with a new sd_bus: its slots are gone.
 */
#ifndef STAGGER_NODE_BUS_H
#define STAGGER_NODE_BUS_H

#include <czmq.h>
#include <systemd/sd-bus.h>

#include "proto/fault.h"

struct bus;

struct bus_config {
    zloop_t *loop;
    const char *address; /* NULL: the system's; borrowed */
    void *owner;
    /* The connection is gone, and so is everything that was asked on it: one line why. Never from within a call. */
    void (*lost)(void *owner, const char *text);
};

struct bus *bus_create(const struct bus_config *config);
void bus_destroy(struct bus **bus);

/* The connection, NULL when there is none. */
sd_bus *bus_now(const struct bus *bus);

/* Begins a new connection; what is asked waits until it stands. Not while there is one. Failure is told by lost(). */
void bus_connect(struct bus *bus);

/* To be called after something was asked. */
void bus_flush(struct bus *bus);

const char *bus_address(const struct bus *bus);

#endif
