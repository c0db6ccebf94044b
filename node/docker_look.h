/* One look at what the Docker Engine has: the node's container, the one whose place it took, and an image.
 *
 *     GET /containers/NAME/json, GET /containers/NAME.stagger-previous/json, GET /images/IMAGE/json --> done()
 *
 * For node/runtime_docker.c; what is seen is decided upon in node/docker_pair.h.
 */
#ifndef STAGGER_NODE_DOCKER_LOOK_H
#define STAGGER_NODE_DOCKER_LOOK_H

#include "node/docker.h"
#include "node/docker_pair.h"

struct docker_look {
    /* the caller's, before the first look */
    struct docker *docker;
    const char *name; /* docker.container */
    bool with_image;
    const char *target; /* what image; "": the one that is installed */
    void *owner;
    /* The look is over; not ok: text is one line. May begin the next one. */
    void (*done)(void *owner, bool ok, const char *text);

    struct docker_call *call;
    json_t *node, *previous;   /* as inspected, NULL: there is none */
    char image[DOCKER_ID_MAX]; /* "": not here */
    struct docker_seen seen;   /* node, previous, name, image, networks_missing */
};

void docker_look(struct docker_look *look);
/* Ends one that is under way, and frees what was seen. */
void docker_look_end(struct docker_look *look);

/* What the image of the look is called: the target, or what the installed container was made from. */
const char *docker_look_image(const struct docker_look *look);

/* Whether a name may be asked for: of a container, of an image ("node", "a.org:5000/b/node:v2", "node@sha256:..."). */
bool docker_name_is_valid(const char *name);
bool docker_image_is_valid(const char *image);

/* Whether this is the container NAME + suffix, as inspected. What has the name in an id of its own is another one. */
bool docker_has_name(const json_t *body, const char *name, const char *suffix);

#endif
