/* A unit of systemd's: its state, and what can be asked of it over D-Bus; for node/runtime_systemd.c.
 *
 *     LoadUnit(NAME) --> its path --> GetAll(Unit) --> Get(Service.Result) --> looked()
 *     StartUnit, StopUnit, ... ----------------------------------------------> asked()
 *     JobRemoved, PropertiesChanged of the unit -----------------------------> stirred()
 *
 * One look and one demand at a time. What goes wrong is a sentence with its remedy.
 */
#ifndef STAGGER_NODE_BUS_UNIT_H
#define STAGGER_NODE_BUS_UNIT_H

#include "node/bus.h"

#define BUS_UNIT_NAME_MAX 256
#define BUS_UNIT_WORD_MAX 40

struct bus_unit_state {
    char load[BUS_UNIT_WORD_MAX]; /* "loaded", "not-found", "masked", "bad-setting", "error" */
    char active
        [BUS_UNIT_WORD_MAX]; /* "active", "activating", "deactivating", "inactive", "failed", "reloading" */
    char sub[BUS_UNIT_WORD_MAX]; /* "running", "auto-restart", ... */
    char result
        [BUS_UNIT_WORD_MAX]; /* of a service: "success", "exit-code", "signal", "timeout", ...; "" */
    char job_result
        [BUS_UNIT_WORD_MAX]; /* of the latest job that ended: "done", "timeout", "canceled", ...; "" */
    uint64_t active_since; /* its time in us when it last became active */
    bool has_job;          /* something is under way */
    bool needs_reload;     /* its file has changed */
};

struct bus_unit {
    /* the caller's */
    struct bus *bus;
    const char *name; /* with its suffix */
    void *owner;
    void (*looked)(void *owner, bool ok, const char *text); /* state is what it is now */
    void (*asked)(void *owner, bool ok, const char *text);
    void (*stirred)(void *owner); /* something has changed: look */

    struct bus_unit_state state;
    char path[BUS_UNIT_NAME_MAX * 3 + 64];
    sd_bus_slot *look, *demand, *jobs, *changes;
};

enum bus_unit_demand { BUS_UNIT_START, BUS_UNIT_STOP, BUS_UNIT_RESET, BUS_UNIT_RELOAD };

/* On a connection that has just begun: asks for signals. */
void bus_unit_begin(struct bus_unit *unit);
/* The connection is gone. */
void bus_unit_end(struct bus_unit *unit);

void bus_unit_look(struct bus_unit *unit);
void bus_unit_ask(struct bus_unit *unit, enum bus_unit_demand demand);

/* Writes the name with its suffix ("node" is "node.service"). False: it is none. */
MUST_CHECK bool bus_unit_name(const char *text, char out[BUS_UNIT_NAME_MAX]);

#endif
