/* Times as people and programs read them: RFC 3339, always in UTC. */
#ifndef STAGGER_PROTO_UTC_H
#define STAGGER_PROTO_UTC_H

#include <stdint.h>

#define UTC_TEXT_MAX 40 /* for every int64_t */

/* Of milliseconds since 1970: "2026-11-21T19:15:18.298Z". Return `text`. */
const char *utc_text(int64_t ms, char text[UTC_TEXT_MAX]);
const char *utc_text_whole(int64_t ms, char text[UTC_TEXT_MAX]); /* "2026-11-21T19:15:18Z" */

#endif
