/* JSON files of any size, read as a stream: the reader says which values it wants, the rest is
 * skipped.
 *
 * What is wanted is a tree of names, written as static tables. A node with a field number is
 * reported, a node without one only leads to others:
 *
 *     static const struct json_node PERSON[] = {{"name", FIELD_NAME, NULL}, {0}};
 *     static const struct json_node PEOPLE[] = {{"[]", FIELD_PERSON, PERSON}, {0}};
 *     static const struct json_node TOP[] = {{"people", 0, PEOPLE}, {0}};
 *     static const struct json_node FILE_ROOT = {"", FIELD_ROOT, TOP};
 *
 * {"people": [{"age": 3, "name": "Ada"}]} then gives: FIELD_ROOT JSON_OBJECT, FIELD_PERSON
 * JSON_OBJECT, FIELD_NAME JSON_STRING "Ada", FIELD_PERSON JSON_END, FIELD_ROOT JSON_END. "[]"
 * stands for every element of a list.
 *
 * Bounds, whatever the file holds: 64 levels are known by name, 256 are allowed; one token (or run
 * of blanks) may have 16 MB; 64 KB are read at a time, 1 MB within a long token. Nothing
 * else is kept.
 *
 * Every error is one line "FILE: place: what is wrong; what was expected; what to do". The place is
 * the path of the value, "people[17].name", with the byte's number where the text is no JSON.
 */
#ifndef STAGGER_SIM_JSON_STREAM_H
#define STAGGER_SIM_JSON_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define JSON_SHOWN_MAX 48  /* bytes of json_shown() */
#define JSON_PLACE_MAX 200 /* bytes of json_place() */

enum json_kind {
    JSON_NULL,
    JSON_BOOLEAN, /* text is "true" or "false" */
    JSON_NUMBER,  /* text as in the file, never rounded */
    JSON_STRING,  /* text decoded, valid UTF-8 */
    JSON_OBJECT,  /* begins */
    JSON_LIST,    /* begins */
    JSON_END,     /* of the object or list with this field */
};

struct json_node {
    const char *name; /* NULL ends the table */
    int field;        /* 0: not reported */
    const struct json_node *children;
};

struct json_value {
    enum json_kind kind;
    int field;
    const char *text; /* not terminated, valid during the call */
    size_t length;
};

struct json_stream;

struct json_reader {
    const struct json_node *root;
    /* Takes one wanted value. Returns false, after json_fail(), to stop. */
    bool (*take)(void *user, struct json_stream *stream, const struct json_value *value);
    void *user;
};

/* Reads from the file's position to its end. `name` is what error lines call the file. Returns
 * true, or false with one line in `error`. */
bool json_stream_read(FILE *file, const char *name, const struct json_reader *reader, char *error,
                      size_t error_size);

/* Notes an error at the current value, or at `field` beneath it (".pub_key"; "" for none). Returns
 * false. */
bool json_fail(struct json_stream *stream, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same without a stream. Returns false. */
bool json_error(char *error, size_t error_size, const char *name, const char *place,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Writes the current path with `field` behind it: "people[17].name"; "top level" where it is empty.
 * Returns `place`, or that constant. */
const char *json_place(const struct json_stream *stream, const char *field,
                       char place[JSON_PLACE_MAX]);

/* A value as it is shown in error lines: shortened, a string in quotes. Returns `shown`. */
const char *json_shown(const struct json_value *value, char shown[JSON_SHOWN_MAX]);

/* The largest length <= max that does not cut a UTF-8 character of text[0 .. length) in two. */
size_t json_cut(const char *text, size_t length, size_t max);

#endif
