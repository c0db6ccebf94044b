/* Where the passphrase of a sealed key comes from: a file, a file descriptor, or the person at the terminal. Never
 * the command line or the environment, which other processes can read.
 *
 *     struct passphrase_source source = {.file = NULL, .fd = -1};      asks at the terminal
 *     struct secret SECRET_WIPED passphrase = SECRET_NONE;
 *     if (!passphrase_read(&source, PASSPHRASE_SEALS, "validator", &passphrase, fault))
 *         ...
 *
 * A passphrase is one line of 1 to PASSPHRASE_MAX bytes, without its line break, taken as it is: no character is
 * changed or left out. Of files and descriptors the first line is taken; of a descriptor no byte more, so that further
 * input can follow on it.
 */
#ifndef STAGGER_NODE_PASSPHRASE_H
#define STAGGER_NODE_PASSPHRASE_H

#include "node/secret.h"

#define PASSPHRASE_MAX 1024

struct passphrase_source {
    const char *file; /* NULL: none; must have no permission for others */
    int fd;           /* -1: none; closed after it was read unless it is standard input */
};

enum passphrase_use {
    PASSPHRASE_OPENS, /* an existing key */
    PASSPHRASE_SEALS, /* a new one: a person is asked twice */
};

/* `name` of the key for the question. */
MUST_CHECK bool passphrase_read(const struct passphrase_source *source, enum passphrase_use use,
                                const char *name, struct secret *passphrase, struct fault *fault);

#endif
