/* What a container is created from that takes another's place: the body of POST /containers/create.
 *
 *     GET /containers/OLD/json    Config - what was its image's own default     -->  Config, with the new image
 *     GET /images/ITS IMAGE/json           (Env, Cmd, Entrypoint, Labels, ...)       HostConfig
 *                                 HostConfig + volumes that only Mounts names        NetworkingConfig: its first network
 *                                 NetworkSettings.Networks                           the others: docker_body_connect()
 *
 * A container's Config is its image's with the operator's options on top, merged. A default of the old image must not
 * hide one of the new image, so whatever is the same in both is left out; the Engine takes it from the new image.
 *
 * Volumes without a name of the operator's (VOLUME in the image, -v /data) are mounted again by the name that the
 * Engine gave them: a node's data stays with it.
 *
 * The new container has two labels more. They tell, should the agent's journal be lost, what it stands for:
 *
 *     stagger.replaces=ID        the container whose place it takes
 *     stagger.restart=always     that one's restart policy, which is switched off while it is kept
 */
#ifndef STAGGER_NODE_DOCKER_BODY_H
#define STAGGER_NODE_DOCKER_BODY_H

#include <jansson.h>

#define DOCKER_LABEL_REPLACES "stagger.replaces"
#define DOCKER_LABEL_RESTART "stagger.restart"

/* old: as inspected; old_image: likewise, NULL when it is gone. A new reference. */
json_t *docker_body_create(const json_t *old, const json_t *old_image, const char *image,
                           const char *old_id, const char *old_restart);

/* The name of a network that `old` is in and `now` is not; NULL: none. Borrows `old`. */
const char *docker_body_network(const json_t *old, const json_t *now);

/* The body of POST /networks/NETWORK/connect. A new reference. */
json_t *docker_body_connect(const json_t *old, const char *network, const char *container);

/* The body of POST /containers/ID/update for a policy as text: "no", "unless-stopped", "on-failure:3". */
json_t *docker_body_restart(const char *policy);

#endif
