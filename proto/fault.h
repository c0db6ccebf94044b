/* Why something that came from outside was refused, in one line for the person who has to act on it:
 * which file, reply or field, what was expected, what to do.
 *
 *     struct fault fault;
 *     if (!reply_status(json, &status, &fault))
 *         say(fault.text);       "status.sync_info.latest_block_height: \"12x\" is no whole number"
 *
 * Functions that take a fault return false (or NULL) and fill it, or return true and leave it alone.
 */
#ifndef STAGGER_PROTO_FAULT_H
#define STAGGER_PROTO_FAULT_H

#include <stdbool.h>

#define FAULT_MAX 384
#define MUST_CHECK __attribute__((warn_unused_result))

struct fault {
    char text[FAULT_MAX];
};

/* Writes the line, cut to fit, with every byte that is not printable ASCII made a '?'. Returns false. */
__attribute__((format(printf, 2, 3))) bool fault_set(struct fault *fault, const char *format, ...);

/* Puts "prefix: " before the line, for a caller that knows where it happened. Returns false. */
bool fault_within(struct fault *fault, const char *prefix);

#endif
