/* `stagger keys`, shared by its files: what was asked for, and the commands that make keys. */
#ifndef STAGGER_NODE_COMMAND_KEYS_H
#define STAGGER_NODE_COMMAND_KEYS_H

#include "node/hd.h"
#include "node/keys.h"
#include "node/settings.h"

#define KEYS_STDIN "-" /* as a file: standard input */

struct keys_call {
    const char *command; /* "keys add", for messages */
    const char *name;    /* checked; NULL for `keys list` */
    const struct settings *settings;
    const char *directory, *prefix;
    const char *file; /* NULL: none given */
    struct hd_path path;
    bool path_given;
    uint32_t words;
    bool json, yes;
};

/* Each returns false with a fault when it was not done. */
bool keys_add(const struct keys_call *call, struct fault *fault);
bool keys_import(const struct keys_call *call, struct fault *fault);

/* The public half, as text or JSON, to standard output. */
MUST_CHECK bool keys_print(const struct keys_call *call, const struct sealed_key *sealed,
                           struct fault *fault);

#endif
