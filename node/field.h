/* Strict reading of JSON that came from outside: each value is asked for by name and type, and what does not
 * fit is a fault that names the whole path to it.
 *
 *     struct field top = field_top(result, "status", fault), sync;
 *     return field_in(&top, "sync_info", &sync) &&
 *            field_int64(&sync, "latest_block_height", 0, INT64_MAX, &height);
 *
 *     "status.sync_info.latest_block_height: \"12x\" is no whole number"
 *
 * Go writes 64-bit integers as decimal strings and shorter ones as JSON numbers; neither is taken for the other.
 * A list that is nil in Go is written as null and reads as empty here; any other null is a fault.
 *
 * I1 A name that is not there is never replaced by another one or by a default, except where Go leaves out what
 *    is zero: then the object may hold known names only (field_optional()), so that a name spoilt on the way
 *    is noticed.
 * I2 Numbers are written as Go writes them: no '+', no blanks, no leading zeros, no "-0".
 * I3 Text that is kept holds no control characters: it may be printed.
 *
 * A struct field borrows the tree, its parent and its name; it lives on the stack of the reader.
 */
#ifndef STAGGER_NODE_FIELD_H
#define STAGGER_NODE_FIELD_H

#include <jansson.h>
#include <stdint.h>

#include "proto/fault.h"
#include "proto/header.h"

struct field {
    const json_t *value; /* never NULL */
    const struct field *parent;
    const char *name; /* NULL: an entry of a list */
    size_t index;     /* of that entry */
    struct fault *fault;
};

struct field field_top(const json_t *value, const char *name, struct fault *fault);

/* Writes "path: what is wrong" as the fault. Returns false. */
__attribute__((format(printf, 2, 3))) bool field_wrong(const struct field *at, const char *format,
                                                       ...);

/* --- finding --- */

/* The value at `name`, which has to be there. */
MUST_CHECK bool field_in(const struct field *object, const char *name, struct field *out);

/* Whether it is there, where it may be missing: then every name in the object is one of `known`
 * (ends with NULL). */
MUST_CHECK bool field_optional(const struct field *object, const char *name,
                               const char *const known[], bool *present);

bool field_has(const struct field *object, const char *name);

/* A list of at most `max` entries; null is an empty one. */
MUST_CHECK bool field_list(const struct field *object, const char *name, uint32_t max,
                           struct field *list, uint32_t *count);
struct field field_entry(const struct field *list, uint32_t index);

/* --- values of an object's fields --- */

/* All of it has to fit, with the terminator. */
MUST_CHECK bool field_text(const struct field *object, const char *name, char *text, size_t room);
/* Free text: cut to fit, control characters made '?'. */
MUST_CHECK bool field_text_cut(const struct field *object, const char *name, char *text,
                               size_t room);
/* Exactly this text. */
MUST_CHECK bool field_is_text(const struct field *object, const char *name, const char *expected);

/* Decimal strings. */
MUST_CHECK bool field_int64(const struct field *object, const char *name, int64_t min, int64_t max,
                            int64_t *number);
MUST_CHECK bool field_uint64(const struct field *object, const char *name, uint64_t *number);
/* JSON numbers, which are integers. */
MUST_CHECK bool field_int32(const struct field *object, const char *name, int32_t min,
                            int32_t *number);
MUST_CHECK bool field_uint32(const struct field *object, const char *name, uint32_t *number);

MUST_CHECK bool field_bool(const struct field *object, const char *name, bool *truth);

/* Hex of either case, exactly `size` bytes. */
MUST_CHECK bool field_hex(const struct field *object, const char *name, uint8_t *bytes,
                          size_t size);
MUST_CHECK bool field_hash(const struct field *object, const char *name,
                           struct hash *hash); /* "": none */
/* Hex of any length up to `room` bytes. */
MUST_CHECK bool field_hex_any(const struct field *object, const char *name, uint8_t *bytes,
                              size_t room, size_t *size);

/* Base64, exactly `size` bytes. */
MUST_CHECK bool field_base64(const struct field *object, const char *name, uint8_t *bytes,
                             size_t size);
/* Base64 of any length; null is none. The room it needs is at most field_base64_room(). */
MUST_CHECK bool field_base64_any(const struct field *at, uint8_t *bytes, size_t room, size_t *size);
size_t field_base64_room(const struct field *at);

/* RFC 3339 in UTC with up to nine decimals: "2026-11-21T16:28:02.138024347Z". */
MUST_CHECK bool field_time(const struct field *object, const char *name, struct time_stamp *time);

/* --- texts by themselves --- */

/* Whether the text is a whole number as Go writes it, within the limits. */
MUST_CHECK bool field_parse_int64(const char *text, size_t length, int64_t min, int64_t max,
                                  int64_t *number);
MUST_CHECK bool field_parse_time(const char *text, size_t length, struct time_stamp *time);

#endif
