#include "node/bus.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "node/wake.h"

#define SYSTEM_BUS "unix:path=/run/dbus/system_bus_socket"

struct bus {
    struct bus_config config;
    const char *address;
    sd_bus *now;
    int fd, failure; /* of the poller, -1: none; of a connection that is to be given up, 0: none */
    short events;
    struct wake *wake;
};

static int on_ready(zloop_t *loop, zmq_pollitem_t *item, void *argument);

/* --- the poller and the timer --- */

static void unwatch(struct bus *bus)
{
    zmq_pollitem_t item = {.fd = bus->fd};
    if (bus->fd >= 0)
        zloop_poller_end(bus->config.loop, &item);
    bus->fd = -1;
}

static void watch(struct bus *bus, int fd, short events)
{
    zmq_pollitem_t item = {.fd = fd, .events = ZMQ_POLLERR};
    if (fd == bus->fd && events == bus->events)
        return;
    unwatch(bus);
    item.events |= events & POLLIN ? ZMQ_POLLIN : 0;
    item.events |= events & POLLOUT ? ZMQ_POLLOUT : 0;
    int failed = zloop_poller(bus->config.loop, &item, on_ready, bus);
    assert(failed == 0);
    zloop_poller_set_tolerant(bus->config.loop, &item); /* sd-bus finds out what is wrong */
    bus->fd = fd;
    bus->events = events;
}

static uint64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void set_deadline(struct bus *bus)
{
    uint64_t at_us = UINT64_MAX, now = now_us();
    if (sd_bus_get_timeout(bus->now, &at_us) <= 0 || at_us == UINT64_MAX)
        wake_stop(bus->wake);
    else
        wake_set(bus->wake, at_us <= now ? 0 : (int64_t)((at_us - now) / 1000 + 1));
}

/* --- the connection --- */

static void close_now(struct bus *bus)
{
    unwatch(bus);
    wake_stop(bus->wake);
    bus->now = sd_bus_close_unref(bus->now);
}

static void give_up(struct bus *bus)
{
    struct fault fault;
    int error = -bus->failure;
    bus->failure = 0;
    close_now(bus);
    if (error == ENOENT || error == ECONNREFUSED)
        (void)fault_set(&fault,
                        "there is no D-Bus at %s (%s): is systemd process 1 here, and does dbus "
                        "run? Set systemd.bus",
                        bus->address, strerror(error));
    else if (error == EINVAL)
        (void)fault_set(&fault, "systemd.bus: \"%s\" is no address; expected one like " SYSTEM_BUS,
                        bus->address);
    else
        (void)fault_set(&fault, "the connection to D-Bus at %s is lost: %s", bus->address,
                        strerror(error));
    bus->config.lost(bus->config.owner, fault.text);
}

/* Slots' callbacks run in here; none of them may end the bus. */
static void process(struct bus *bus)
{
    int more = bus->failure;
    while (more == 0 && (more = sd_bus_process(bus->now, NULL)) > 0)
        more = 0;
    int fd = more < 0 ? more : sd_bus_get_fd(bus->now);
    int events = fd < 0 ? fd : sd_bus_get_events(bus->now);
    if (events < 0) {
        bus->failure = events;
        give_up(bus);
        return;
    }
    watch(bus, fd, (short)events);
    set_deadline(bus);
}

static int on_ready(zloop_t *loop, zmq_pollitem_t *item, void *argument)
{
    struct bus *bus = argument;
    (void)loop, (void)item;
    if (bus->now != NULL)
        process(bus);
    return 0;
}

static void on_wake(void *owner)
{
    struct bus *bus = owner;
    if (bus->now != NULL)
        process(bus);
}

void bus_flush(struct bus *bus)
{
    wake_set(bus->wake, 0);
}

void bus_connect(struct bus *bus)
{
    assert(bus->now == NULL);
    int result = sd_bus_new(&bus->now);
    assert(result >= 0);
    if ((result = sd_bus_set_address(bus->now, bus->address)) >= 0 &&
        (result = sd_bus_set_bus_client(bus->now, 1)) >= 0)
        result = sd_bus_start(bus->now);
    bus->failure = result < 0 ? result : 0;
    bus_flush(bus);
}

sd_bus *bus_now(const struct bus *bus)
{
    return bus->failure == 0 ? bus->now : NULL;
}

const char *bus_address(const struct bus *bus)
{
    return bus->address;
}

/* --- life --- */

struct bus *bus_create(const struct bus_config *config)
{
    struct bus *bus = calloc(1, sizeof *bus);
    const char *usual = getenv("DBUS_SYSTEM_BUS_ADDRESS");
    assert(bus != NULL);
    bus->config = *config;
    bus->address = config->address != NULL             ? config->address
                   : usual != NULL && usual[0] != '\0' ? usual
                                                       : SYSTEM_BUS;
    bus->fd = -1;
    bus->wake = wake_create(config->loop, on_wake, bus);
    assert(bus->wake != NULL);
    return bus;
}

void bus_destroy(struct bus **bus)
{
    if (*bus == NULL)
        return;
    close_now(*bus);
    wake_destroy(&(*bus)->wake);
    free(*bus);
    *bus = NULL;
}
