#include "sim/json_stream.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#define CHUNK_SIZE 65536
#define CHUNK_LONG (1u << 20) /* within a long token: the parser looks at all of it once a chunk */
#define LEVELS_KEPT 64
#define LEVELS_MAX 256
#define TOKEN_MAX (16u << 20)
#define KEY_SHOWN_MAX 64
#define NAME_SHOWN_MAX 120

struct level {
    const struct json_node *children;
    const struct json_node *node; /* of the value being read in it; NULL: not wanted */
    uint64_t next_index;          /* of a list's next element */
    int field;                    /* of the object or list itself */
    bool list, keyed;
    char key[KEY_SHOWN_MAX];
};

struct json_stream {
    const char *name;
    const struct json_reader *reader;
    char *error;
    size_t error_size;
    bool failed;
    bool stirred; /* a token ended in this chunk */
    unsigned char *chunk;
    size_t room;     /* of the chunk */
    uint64_t offset; /* bytes given to the parser in earlier chunks */
    uint32_t depth;
    struct level levels[LEVELS_KEPT];
};

/* --- error lines --- */

size_t json_cut(const char *text, size_t length, size_t max)
{
    if (length <= max) {
        return length;
    }
    size_t cut = max;
    while (cut > 0 && max - cut < 4 && ((uint8_t)text[cut] & 0xc0) == 0x80) {
        cut--;
    }
    return cut;
}

/* A line stays one line whatever the file or its name holds. */
static void line_clean(char *line)
{
    for (; *line != '\0'; line++) {
        if ((uint8_t)*line < 0x20 || *line == 0x7f) {
            *line = '?';
        }
    }
}

__attribute__((format(printf, 5, 0))) static void line_write(char *error, size_t size,
                                                             const char *name, const char *place,
                                                             const char *format, va_list args)
{
    size_t length = strlen(name);
    bool cut = length > NAME_SHOWN_MAX;
    int used = snprintf(error, size, "%s%s: %s: ", cut ? "..." : "",
                        cut ? name + length - NAME_SHOWN_MAX : name, place);
    if (used > 0 && (size_t)used < size) {
        size_t room = size - (size_t)used;
        int wanted = vsnprintf(error + used, room, format, args);
        if (wanted > 0 && (size_t)wanted >= room) {
            error[json_cut(error, size, size - 1)] = '\0';
        }
    }
    line_clean(error);
}

bool json_error(char *error, size_t error_size, const char *name, const char *place,
                const char *format, ...)
{
    va_list args;
    va_start(args, format);
    line_write(error, error_size, name, place, format, args);
    va_end(args);
    return false;
}

static size_t place_add(char place[JSON_PLACE_MAX], size_t used, const char *format,
                        const char *key, uint64_t index)
{
    if (used >= JSON_PLACE_MAX) {
        return used;
    }
    int added = key != NULL ? snprintf(place + used, JSON_PLACE_MAX - used, format, key)
                            : snprintf(place + used, JSON_PLACE_MAX - used, "[%llu]",
                                       (unsigned long long)index);
    return added < 0 ? used : used + (size_t)added;
}

const char *json_place(const struct json_stream *stream, const char *field,
                       char place[JSON_PLACE_MAX])
{
    size_t used = 0;
    place[0] = '\0';
    for (uint32_t i = 0; i < stream->depth && i < LEVELS_KEPT; i++) {
        const struct level *level = &stream->levels[i];
        if (level->list && level->next_index > 0) {
            used = place_add(place, used, NULL, NULL, level->next_index - 1);
        } else if (!level->list && level->keyed) {
            used = place_add(place, used, used == 0 ? "%s" : ".%s", level->key, 0);
        }
    }
    used = place_add(place, used, "%s", used == 0 && field[0] == '.' ? field + 1 : field, 0);
    if (used >= JSON_PLACE_MAX) {
        place[json_cut(place, JSON_PLACE_MAX, JSON_PLACE_MAX - 1)] = '\0';
    }
    return used == 0 ? "top level" : place;
}

bool json_fail(struct json_stream *stream, const char *field, const char *format, ...)
{
    char place[JSON_PLACE_MAX];
    va_list args;
    if (!stream->failed) {
        va_start(args, format);
        line_write(stream->error, stream->error_size, stream->name,
                   json_place(stream, field, place), format, args);
        va_end(args);
    }
    stream->failed = true;
    return false;
}

/* At a byte of the file, for text that is no JSON. */
static bool byte_fail(struct json_stream *stream, uint64_t offset, const char *what)
{
    char path[JSON_PLACE_MAX], place[JSON_PLACE_MAX + 32];
    snprintf(place, sizeof(place), "byte %llu (%s)", (unsigned long long)offset,
             json_place(stream, "", path));
    stream->failed = true;
    return json_error(stream->error, stream->error_size, stream->name, place,
                      "%s; JSON expected; copy or export the file again", what);
}

const char *json_shown(const struct json_value *value, char shown[JSON_SHOWN_MAX])
{
    static const char *const NAMES[] = {"null", "", "", "", "an object", "a list", "an end"};
    bool quoted = value->kind == JSON_STRING;
    if (!quoted && value->kind != JSON_NUMBER && value->kind != JSON_BOOLEAN) {
        snprintf(shown, JSON_SHOWN_MAX, "%s", NAMES[value->kind]);
        return shown;
    }
    size_t cut = json_cut(value->text, value->length, JSON_SHOWN_MAX - 8);
    const char *quote = quoted ? "\"" : "";
    int precision = (int)cut;
    snprintf(shown, JSON_SHOWN_MAX, "%s%.*s%s%s", quote, precision, value->text,
             cut < value->length ? "..." : "", quote);
    return shown;
}

/* --- the path and what of it is wanted --- */

static struct level *level_top(struct json_stream *stream)
{
    return stream->depth == 0 || stream->depth > LEVELS_KEPT ? NULL
                                                             : &stream->levels[stream->depth - 1];
}

static const struct json_node *child_find(const struct json_node *children, const char *name,
                                          size_t length)
{
    for (const struct json_node *node = children; node != NULL && node->name != NULL; node++) {
        if (strncmp(node->name, name, length) == 0 && node->name[length] == '\0') {
            return node;
        }
    }
    return NULL;
}

/* Every value passes here first: it moves a list on and finds the value's node. */
static const struct json_node *value_begin(struct json_stream *stream)
{
    stream->stirred = true;
    if (stream->depth == 0) {
        return stream->reader->root;
    }
    struct level *level = level_top(stream);
    if (level == NULL) {
        return NULL;
    }
    if (level->list) {
        level->next_index++;
    }
    return level->node;
}

static bool value_give(struct json_stream *stream, int field, enum json_kind kind, const char *text,
                       size_t length)
{
    if (field == 0) {
        return true;
    }
    struct json_value value = {kind, field, text, length};
    bool taken = stream->reader->take(stream->reader->user, stream, &value);
    assert(taken != stream->failed);
    return taken;
}

static bool level_open(struct json_stream *stream, bool list)
{
    const struct json_node *node = value_begin(stream);
    int field = node == NULL ? 0 : node->field;
    if (!value_give(stream, field, list ? JSON_LIST : JSON_OBJECT, "", 0)) {
        return false;
    }
    if (stream->depth == LEVELS_MAX) {
        return json_fail(stream, "",
                         "nested deeper than %d levels; a genesis file expected; check the file",
                         LEVELS_MAX);
    }
    stream->depth++;
    struct level *level = level_top(stream);
    if (level != NULL) {
        level->children = node == NULL ? NULL : node->children;
        level->node = list ? child_find(level->children, "[]", 2) : NULL;
        level->next_index = 0;
        level->field = field;
        level->list = list;
        level->keyed = false;
    }
    return true;
}

static bool level_close(struct json_stream *stream)
{
    assert(stream->depth > 0);
    const struct level *level = level_top(stream);
    int field = level == NULL ? 0 : level->field;
    stream->stirred = true;
    stream->depth--;
    return value_give(stream, field, JSON_END, "", 0);
}

/* --- the parser's callbacks: ints by its contract --- */

static int scalar(void *user, enum json_kind kind, const char *text, size_t length)
{
    struct json_stream *stream = user;
    const struct json_node *node = value_begin(stream);
    return node == NULL || value_give(stream, node->field, kind, text, length);
}

static int on_null(void *user)
{
    return scalar(user, JSON_NULL, "", 0);
}

static int on_boolean(void *user, int value)
{
    return scalar(user, JSON_BOOLEAN, value ? "true" : "false", value ? 4 : 5);
}

static int on_number(void *user, const char *text, size_t length)
{
    return scalar(user, JSON_NUMBER, text, length);
}

static int on_string(void *user, const unsigned char *text, size_t length)
{
    return scalar(user, JSON_STRING, (const char *)text, length);
}

static int on_key(void *user, const unsigned char *key, size_t length)
{
    struct json_stream *stream = user;
    struct level *level = level_top(stream);
    stream->stirred = true;
    if (level == NULL) {
        return 1;
    }
    const char *text = (const char *)key;
    size_t kept = json_cut(text, length, KEY_SHOWN_MAX - 1);
    memcpy(level->key, text, kept);
    level->key[kept] = '\0';
    level->keyed = true;
    /* a key that is literally "[]" names no element */
    bool element = length > 0 && text[0] == '[';
    level->node = element ? NULL : child_find(level->children, text, length);
    return 1;
}

static int on_object(void *user)
{
    return level_open(user, false);
}

static int on_list(void *user)
{
    return level_open(user, true);
}

static int on_close(void *user)
{
    return level_close(user);
}

static const yajl_callbacks CALLBACKS = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_object,
    .yajl_map_key = on_key,
    .yajl_end_map = on_close,
    .yajl_start_array = on_list,
    .yajl_end_array = on_close,
};

/* --- reading --- */

static bool syntax_fail(struct json_stream *stream, yajl_handle parser, uint64_t offset)
{
    char what[96];
    unsigned char *text = yajl_get_error(parser, 0, NULL, 0);
    snprintf(what, sizeof(what), "%s", text == NULL ? "out of memory" : (const char *)text);
    if (text != NULL) {
        yajl_free_error(parser, text);
    }
    /* its sentences end in a full stop and a line break, ours go on */
    size_t length = strcspn(what, "\n");
    what[length > 0 && what[length - 1] == '.' ? length - 1 : length] = '\0';
    return byte_fail(stream, offset, what);
}

static bool chunk_parse(struct json_stream *stream, yajl_handle parser, const unsigned char *chunk,
                        size_t size)
{
    yajl_status status = yajl_parse(parser, chunk, size);
    if (status == yajl_status_ok) {
        stream->offset += size;
        return true;
    }
    if (!stream->failed) {
        return syntax_fail(stream, parser, stream->offset + yajl_get_bytes_consumed(parser));
    }
    return false;
}

static bool end_check(struct json_stream *stream, yajl_handle parser, FILE *file)
{
    if (ferror(file)) {
        return json_error(stream->error, stream->error_size, stream->name, "reading",
                          "%s; a readable file expected; copy it to a sound disk", strerror(errno));
    }
    if (stream->offset == 0) {
        return json_error(stream->error, stream->error_size, stream->name, "byte 0",
                          "the file is empty; JSON expected; copy or export the file again");
    }
    if (yajl_complete_parse(parser) == yajl_status_ok) {
        return true;
    }
    return stream->failed ? false : byte_fail(stream, stream->offset, "the text ends too early");
}

/* Within a long token the chunks are longer. Short of memory the old size serves as well. */
static void chunk_lengthen(struct json_stream *stream)
{
    unsigned char *longer = stream->room == CHUNK_LONG ? NULL : realloc(stream->chunk, CHUNK_LONG);
    if (longer != NULL) {
        stream->chunk = longer;
        stream->room = CHUNK_LONG;
    }
}

static bool chunks_read(struct json_stream *stream, yajl_handle parser, FILE *file)
{
    size_t quiet = 0;
    size_t size = fread(stream->chunk, 1, CHUNK_SIZE, file);
    while (size > 0) {
        stream->stirred = false;
        if (!chunk_parse(stream, parser, stream->chunk, size)) {
            return false;
        }
        quiet = stream->stirred ? 0 : quiet + size;
        if (quiet > TOKEN_MAX) {
            return byte_fail(stream, stream->offset, "no value ends within 16 MB");
        }
        if (quiet > 0) {
            chunk_lengthen(stream);
        }
        size = fread(stream->chunk, 1, quiet > 0 ? stream->room : CHUNK_SIZE, file);
    }
    return end_check(stream, parser, file);
}

bool json_stream_read(FILE *file, const char *name, const struct json_reader *reader, char *error,
                      size_t error_size)
{
    struct json_stream *stream = calloc(1, sizeof(*stream));
    yajl_handle parser = stream == NULL ? NULL : yajl_alloc(&CALLBACKS, NULL, stream);
    bool read = false;
    if (parser != NULL) {
        *stream = (struct json_stream){.name = name, .reader = reader, .error = error};
        stream->error_size = error_size;
        stream->room = CHUNK_SIZE;
        stream->chunk = malloc(CHUNK_SIZE);
    }
    if (parser == NULL || stream->chunk == NULL) {
        json_error(error, error_size, name, "reading", "out of memory; 1 MB expected; free some");
    } else {
        error[0] = '\0';
        read = chunks_read(stream, parser, file);
    }
    if (parser != NULL) {
        yajl_free(parser);
        free(stream->chunk);
    }
    free(stream);
    return read;
}
