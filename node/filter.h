/* A command as a filter: text in, text out, with limits on time and size.
 *
 *     our loop  --input-->  stdin  [ COMMAND ]  stdout  --output-->  our loop
 *                                    stderr: ours
 *
 * The command is run without a shell, in a process group of its own, with no descriptor but these three. It has
 * done well when it ends with status 0 within the time and with all of its output within the room; it need not read
 * its input. In every other case its whole group is killed. Once it has ended, what a child of its holds open is not
 * waited for.
 */
#ifndef STAGGER_NODE_FILTER_H
#define STAGGER_NODE_FILTER_H

#include <stddef.h>
#include <stdint.h>

#include "proto/fault.h"

struct filter {
    char *const *argv; /* ends with NULL; argv[0] is looked for in PATH */
    const char *input;
    size_t input_size;
    int64_t timeout_ms;
    char *output; /* `room` bytes, no terminator */
    size_t room;
    size_t output_size; /* comes back */
};

/* Waits for the command. A fault names argv[0] and what went wrong, and nothing of input and output. */
MUST_CHECK bool filter_run(struct filter *filter, struct fault *fault);

#endif
