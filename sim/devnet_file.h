/* Files of a devnet, and folders. A file is there whole or not at all: it is written beside its place, made
 * durable, and then takes its name. True, or false with a line.
 */
#ifndef STAGGER_SIM_DEVNET_FILE_H
#define STAGGER_SIM_DEVNET_FILE_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "proto/fault.h"

MUST_CHECK bool devnet_write(const char *path, mode_t mode, const char *text, struct fault *fault);
MUST_CHECK bool devnet_write_json(const char *path, mode_t mode, const json_t *json,
                                  struct fault *fault);

/* A file that nobody but this process writes, again and again. Kills leave one PATH.part behind at the most. */
MUST_CHECK bool devnet_write_alone(const char *path, mode_t mode, const char *text,
                                   struct fault *fault);

json_t *devnet_read_json(const char *path, struct fault *fault);           /* NULL with a line */
MUST_CHECK bool devnet_make_folder(const char *path, struct fault *fault); /* 0700; may exist */
bool devnet_exists(const char *path);

/* A folder of this user's own with a short name, for sockets and ports' marks: $XDG_RUNTIME_DIR/stagger, or
 * /tmp/stagger-UID. */
#define DEVNET_RUNTIME_MAX 64
MUST_CHECK bool devnet_runtime_folder(char path[DEVNET_RUNTIME_MAX], struct fault *fault);

#endif
