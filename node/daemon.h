/* A process that outlives us, and that whoever comes after us takes over. One for each lock.
 *
 *     LOCK           a file that says who it is (node/identity.h), written before it is executed; locked (flock) for as
 *                    long as it or a child of its runs: the lock belongs to a descriptor that they inherit, number 3
 *     LOG            what it prints, unless our own standard error is the journal of systemd, which it then shares
 *
 * The lock is the proof: without it nobody is started here, so there are never two, whenever we die. Who holds it is
 * told by the file; should its text be damaged, or that process be gone and a child of its be left, the holder is looked
 * for in /proc. A process that has closed the descriptor is still known by its identity.
 *
 * It has a session of its own, so nothing that ends a terminal or our group ends it, and no pipe to us.
 *
 * The end: SIGTERM to the process, SIGKILL after the grace; children that still hold the lock when it is gone get the same.
 * ended() comes when nobody holds the lock any more.
 *
 * The lock must be on a local file system: elsewhere it is not inherited.
 */
#ifndef STAGGER_NODE_DAEMON_H
#define STAGGER_NODE_DAEMON_H

#include <czmq.h>

#include "proto/fault.h"

#define DAEMON_TEXT_MAX 200

struct daemon;

struct daemon_config {
    zloop_t *loop;
    const char *lock, *log; /* paths; copied */
    int64_t grace_ms;       /* from SIGTERM to SIGKILL; 0: SIGKILL at once */
    void *owner;
    /* It is gone. text: "ended with status 1", "ended" when it was not our child. */
    void (*ended)(void *owner, const char *text);
};

/* Takes over one that runs. NULL with a fault when the lock cannot be used. */
struct daemon *daemon_create(const struct daemon_config *config, struct fault *fault);

/* It goes on running. */
void daemon_destroy(struct daemon **daemon);

bool daemon_runs(const struct daemon *daemon);
int daemon_pid(const struct daemon *daemon); /* 0: none, or not known */

struct daemon_start {
    char *const *argv;        /* argv[0]: path of the binary */
    char *const *environment; /* "NAME=value" beside our own, ends with NULL */
};

/* False with a fault when it cannot be executed, or one runs. ended() never comes from within the call. */
MUST_CHECK bool daemon_start(struct daemon *daemon, const struct daemon_start *start,
                             struct fault *fault);

/* ended() follows. Nothing happens when none runs, or when it is being stopped already. */
void daemon_stop(struct daemon *daemon);

/* The same at once, for our own end: waits, no longer than the grace and a moment, and calls nothing. */
void daemon_stop_waiting(struct daemon *daemon);

/* The last line that it has printed, "" when it is not known. */
void daemon_last_line(const struct daemon *daemon, char out[DAEMON_TEXT_MAX]);

#endif
