/* The node's container and the one whose place it took: what they are, and what is to be done next about them.
 *
 *     NAME                    the node
 *     NAME.stagger-previous   what was the node before the last reinitialisation; never running, never restarted
 *
 * Nothing is remembered but the id of the container that the turn replaces (docker_seen.replaced); everything else is
 * seen. A step looks at both containers, does the one thing that docker_next() names, and looks again, until it says
 * PAIR_DONE or PAIR_FAILED. So it does not matter at which point an agent died, or who else had a hand in it.
 *
 *     REINIT  NAME is the one to be replaced   stop it; remove the previous one of the turn before; note its id; rename it
 *             NAME is missing                  create it from the previous one
 *             NAME is new                      connect its other networks; switch the previous one's restarts off
 *     START   stop the previous one, if it runs; start NAME; wait until it is up
 *     RESTORE NAME is new                      stop it, switch its restarts off; give the previous one its restart policy
 *                                              back; remove NAME; rename the previous one back
 *             NAME is the one of before        start it
 *
 * Invariants:
 *   P1 docker_next() starts nothing while the other one runs, or could be started by the Engine itself.
 *   P2 a container is removed only when it is new and to be restored from, or is the previous one of the turn before, or
 *      the previous one after a successful start where Docker Compose would start both.
 *   P3 it names each action until what it is for is seen.
 */
#ifndef STAGGER_NODE_DOCKER_PAIR_H
#define STAGGER_NODE_DOCKER_PAIR_H

#include <jansson.h>

#include "coord/coord.h"
#include "proto/fault.h"

#define DOCKER_PREVIOUS ".stagger-previous"
#define DOCKER_ID_MAX 80 /* "sha256:" and 64 digits, with the terminator */
#define DOCKER_IMAGE_MAX 256
#define DOCKER_NAME_MAX 160

enum docker_health { DOCKER_NO_CHECK, DOCKER_CHECKING, DOCKER_HEALTHY, DOCKER_UNHEALTHY };

struct docker_container {
    bool exists;
    bool running; /* also when paused or restarting */
    bool paused, restarting;
    enum docker_health health;
    bool auto_remove;  /* --rm: gone once it is stopped */
    bool swarm;        /* a service's: others decide about it */
    bool compose;      /* Docker Compose's */
    bool has_data;     /* has a volume or a directory of the host */
    int32_t exit_code; /* of its last run */
    int32_t restarts;  /* by the Engine */
    char id[DOCKER_ID_MAX], image[DOCKER_ID_MAX];
    char image_name[DOCKER_IMAGE_MAX]; /* as it was asked for */
    char started_at[40];               /* when it last was; year 1: never */
    char restart[32];                  /* "no", "always", "unless-stopped", "on-failure:3" */
    char error[120];                   /* why it could not be started, "" */
    char replaces[DOCKER_ID_MAX], replaced_restart[32]; /* labels, "" */
};

/* What GET /containers/ID/json says. False: it is not what the Engine says. */
MUST_CHECK bool docker_container_read(const json_t *body, struct docker_container *out,
                                      struct fault *fault);

struct docker_seen {
    struct docker_container node, previous;
    const char *name;
    const char *replaced;  /* id of the container that this turn replaces, "": not known */
    const char *image;     /* id of what REINIT installs; "": not here; NULL: what is installed */
    bool networks_missing; /* the node is not in all networks that the previous one was in */
    bool started;          /* this step has started it */
    bool settled;          /* and it has run without a break for a while */
};

enum docker_action {
    PAIR_DONE,
    PAIR_FAILED,  /* `fault` says why */
    PAIR_WAIT,    /* look again later */
    PAIR_STOP,    /* `which` */
    PAIR_UNPAUSE, /* the node */
    PAIR_PULL,    /* the image */
    PAIR_NOTE,    /* that `which` is replaced */
    PAIR_RENAME,  /* the node to previous */
    PAIR_RENAME_BACK,
    PAIR_REMOVE, /* `which` */
    PAIR_CREATE, /* the node from the previous one */
    PAIR_CONNECT,
    PAIR_RESTART, /* give `which` the policy `restart` */
    PAIR_START,   /* the node */
};

struct docker_next {
    enum docker_action action;
    bool previous;       /* which: the previous one, else the node */
    const char *restart; /* borrowed from what was seen */
};

/* fault: filled with PAIR_FAILED, and with PAIR_DONE (what was done). */
struct docker_next docker_next(enum coord_step_kind step, const struct docker_seen *seen,
                               struct fault *fault);

/* Whether the container can be taken through a turn at all. */
MUST_CHECK bool docker_check(const struct docker_seen *seen, struct fault *fault);

#endif
