/* A command of the operator's, run beside the loop: hooks, and the steps of the command driver.
 *
 *     errand_run() --> child in a process group of its own, stdin /dev/null, stdout and stderr appended to a file
 *                        |            |                |
 *                     line()       timeout: TERM, then KILL      done() once the child has ended
 *
 * Never waits. What a child of the child holds open is not waited for. The end is seen through a pidfd, so no
 * SIGCHLD handler is needed. (node/filter.h is the waiting relative, for short commands with an answer.)
 *
 * The output goes to a file, and lines are read from there, for two reasons: a command that outlives us is not ended by a
 * pipe without a reader, and neither is the node that a `start` command leaves in the background.
 *
 * The mark is a file that tells who runs. When we die in the middle of an errand, the next one with that mark first
 * waits for the one that was left behind, and ends it when it exceeds the time. So two of them never run at once.
 */
#ifndef STAGGER_NODE_ERRAND_H
#define STAGGER_NODE_ERRAND_H

#include <czmq.h>

#include "proto/fault.h"

#define ERRAND_LINE_MAX 300  /* longer lines are cut; control characters become '?' */
#define ERRAND_GRACE_MS 5000 /* from SIGTERM to SIGKILL */
#define ERRAND_TEXT_MAX 160
#define ERRAND_OUTPUT_MAX                                                                          \
    ((int64_t)4 << 20) /* of the file, before it is moved to its name and ".1" */

struct errand;

struct errand_config {
    zloop_t *loop;
    char *const *argv;        /* ends with NULL; argv[0] is looked for in PATH; copied */
    char *const *environment; /* "NAME=value" beside our own, ends with NULL; copied; may be NULL */
    int64_t timeout_ms;
    const char *output; /* path of the file; copied */
    const char *mark;   /* path; copied; NULL: none */
    void *owner;
    void (*line)(void *owner, const char *text); /* may be NULL */
    /* ok: it ended with status 0. text: "ended with status 3", "was ended by signal 9 (Killed)", "took longer than 10m". */
    void (*done)(void *owner, bool ok, const char *text);
};

/* NULL with a fault when it cannot be started. done() never comes from within the call, and the errand destroys
 * itself before it. line() may not end the errand. */
struct errand *errand_run(const struct errand_config *config, struct fault *fault);

/* Kills the group; done() is not called. */
void errand_cancel(struct errand **errand);

/* Lets it run on without us; done() is not called. */
void errand_leave(struct errand **errand);

#endif
