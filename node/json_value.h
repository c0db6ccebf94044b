/* Values of the JSON that commands print. Each is a new reference. */
#ifndef STAGGER_NODE_JSON_VALUE_H
#define STAGGER_NODE_JSON_VALUE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

json_t *json_text(const char *text); /* any bytes, made valid UTF-8 */
json_t *json_hex(const uint8_t *bytes,
                 size_t size); /* upper case, as CometBFT has it; at most 64 bytes */

/* What JSON libraries cannot hold, and no chain has, becomes text instead of another number. */
json_t *json_number(uint64_t number);

/* One line on standard output, in ASCII; takes the reference. */
void json_print(json_t *object);

#endif
