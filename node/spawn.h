/* The start of a process that goes on without us.
 *
 *     we:     fork --> write down who it is (named) --> "go" ---------------> executed, or errno
 *     child:   own session or group, descriptors  --> waits for "go" --> exec      |
 *                                                     (we died: it ends)           |
 *
 * So no process is ever executed that nobody knows of, whenever we die. It has the standard input /dev/null, one
 * file as output (never a pipe: it shall not end with its reader), default signals, and of our descriptors none but `held`,
 * as its number 3. It returns when the program is executed, as posix_spawn(3) does.
 */
#ifndef STAGGER_NODE_SPAWN_H
#define STAGGER_NODE_SPAWN_H

#include "node/identity.h"
#include "proto/fault.h"

struct spawn {
    char *const *argv;        /* argv[0] is looked for in PATH unless it has a '/' */
    char *const *environment; /* all of it: spawn_environment() */
    const char *dir;          /* working directory; NULL: ours */
    int output;               /* stdout and stderr */
    int held;                 /* -1: none */
    bool session;             /* leader of a session; otherwise of a process group */
    /* Written down before it is executed; false: errno says why, and it is not executed. May be NULL. */
    bool (*named)(void *owner, const struct identity *identity);
    void *owner;
};

/* Returns a descriptor that becomes readable when it has ended (pidfd), or -1 with errno. */
int spawn_run(const struct spawn *spawn, struct identity *identity);

/* Our environment with these "NAME=value" in place of their namesakes, without what systemd meant for us alone
 * (NOTIFY_SOCKET and its like). One allocation (free) that points into both; NULL: memory. */
char **spawn_environment(char *const *extra);

/* A file that takes what a process prints: appended to; moved to PATH.1 first when it has grown beyond max_bytes. -1 with
 * a fault. */
int spawn_output(const char *path, int64_t max_bytes, struct fault *fault);

/* The number of the status, or of the signal as -signal; INT_MIN: it is not our child, or was not told. Does not wait. */
int spawn_status(pid_t pid);

/* "ended with status 3", "was ended by signal 9 (Killed)", "ended" */
void spawn_status_text(int status, char *out, size_t size);

#endif
