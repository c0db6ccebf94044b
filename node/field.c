#include "node/field.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/encoding.h"

#define PATH_MAX_SIZE 160
#define SHOWN_MAX 40 /* characters of a wrong value that are repeated in the fault */

struct field field_top(const json_t *value, const char *name, struct fault *fault)
{
    assert(value != NULL && name != NULL && fault != NULL);
    return (struct field){.value = value, .name = name, .fault = fault};
}

/* Writes the path and returns its length; what does not fit is left out. */
static size_t write_path(const struct field *at, char *path, size_t room)
{
    size_t used = at->parent == NULL ? 0 : write_path(at->parent, path, room);
    int length;
    if (at->name == NULL)
        length = snprintf(path + used, room - used, "[%zu]", at->index);
    else
        length = snprintf(path + used, room - used, "%s%s", used == 0 ? "" : ".", at->name);
    assert(length >= 0);
    return (size_t)length < room - used ? used + (size_t)length : room - 1;
}

bool field_wrong(const struct field *at, const char *format, ...)
{
    char path[PATH_MAX_SIZE], what[FAULT_MAX];
    va_list arguments;
    write_path(at, path, sizeof path);
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return fault_set(at->fault, "%s: %s", path, what);
}

static const char *type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "text";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        break;
    }
    return "null";
}

static bool wrong_type(const struct field *at, const char *expected)
{
    return field_wrong(at, "is %s, expected %s", type_name(at->value), expected);
}

static bool wrong_text(const struct field *at, const char *what)
{
    const char *text = json_string_value(at->value);
    size_t length = json_string_length(at->value);
    if (length > SHOWN_MAX)
        return field_wrong(at, "\"%.*s...\" is %s", SHOWN_MAX, text, what);
    return field_wrong(at, "\"%s\" is %s", text, what);
}

/* --- finding --- */

bool field_has(const struct field *object, const char *name)
{
    return json_object_get(object->value, name) != NULL;
}

bool field_in(const struct field *object, const char *name, struct field *out)
{
    *out = (struct field){.parent = object, .name = name, .fault = object->fault};
    if (!json_is_object(object->value))
        return wrong_type(object, "an object");
    out->value = json_object_get(object->value, name);
    return out->value != NULL || field_wrong(out, "is missing");
}

static bool is_known(const char *name, const char *const known[])
{
    for (; *known; known++)
        if (strcmp(*known, name) == 0)
            return true;
    return false;
}

bool field_optional(const struct field *object, const char *name, const char *const known[],
                    bool *present)
{
    const char *other;
    json_t *value;
    if (!json_is_object(object->value))
        return wrong_type(object, "an object");
    *present = field_has(object, name);
    if (*present)
        return true;
    json_object_foreach((json_t *)(uintptr_t)object->value, other, value)
    {
        if (!is_known(other, known))
            return field_wrong(object, "%s is missing, and \"%.*s\" is not known", name, SHOWN_MAX,
                               other);
    }
    return true;
}

bool field_list(const struct field *object, const char *name, uint32_t max, struct field *list,
                uint32_t *count)
{
    *count = 0;
    if (!field_in(object, name, list))
        return false;
    if (json_is_null(list->value))
        return true;
    if (!json_is_array(list->value))
        return wrong_type(list, "a list");
    if (json_array_size(list->value) > max)
        return field_wrong(list, "has %zu entries, at most %" PRIu32 " are expected",
                           json_array_size(list->value), max);
    *count = (uint32_t)json_array_size(list->value);
    return true;
}

struct field field_entry(const struct field *list, uint32_t index)
{
    const json_t *value = json_array_get(list->value, index);
    assert(value != NULL);
    return (struct field){.value = value, .parent = list, .index = index, .fault = list->fault};
}

/* --- text --- */

static bool find_text(const struct field *object, const char *name, struct field *out)
{
    if (!field_in(object, name, out))
        return false;
    return json_is_string(out->value) || wrong_type(out, "text");
}

/* C1 controls are two bytes in UTF-8, and terminals may obey them, too. */
static bool is_control(const char *text, size_t at, size_t length)
{
    unsigned char c = (unsigned char)text[at];
    unsigned char next = at + 1 < length ? (unsigned char)text[at + 1] : 0;
    return c < 0x20 || c == 0x7f || (c == 0xc2 && next >= 0x80 && next < 0xa0);
}

bool field_text(const struct field *object, const char *name, char *text, size_t room)
{
    struct field at;
    if (!find_text(object, name, &at))
        return false;
    const char *value = json_string_value(at.value);
    size_t length = json_string_length(at.value);
    if (length >= room)
        return field_wrong(&at, "is longer than %zu bytes", room - 1);
    for (size_t i = 0; i < length; i++)
        if (is_control(value, i, length))
            return field_wrong(&at, "has a control character");
    memcpy(text, value, length + 1);
    return true;
}

/* How much of UTF-8 text fits, without half a character at its end. */
static size_t whole_characters(const char *text, size_t length, size_t room)
{
    if (length < room)
        return length;
    length = room - 1;
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    return length;
}

bool field_text_cut(const struct field *object, const char *name, char *text, size_t room)
{
    struct field at;
    if (!find_text(object, name, &at))
        return false;
    const char *value = json_string_value(at.value);
    size_t length = whole_characters(value, json_string_length(at.value), room);
    for (size_t i = 0; i < length; i++) {
        bool control = is_control(value, i, length);
        text[i] = control ? '?' : value[i];
        if (control && (unsigned char)value[i] == 0xc2)
            text[++i] = '?';
    }
    text[length] = '\0';
    return true;
}

static bool same_text(const json_t *value, const char *text)
{
    return json_string_length(value) == strlen(text) &&
           memcmp(json_string_value(value), text, strlen(text)) == 0;
}

bool field_is_text(const struct field *object, const char *name, const char *expected)
{
    struct field at;
    char what[64];
    if (!find_text(object, name, &at))
        return false;
    (void)snprintf(what, sizeof what, "not %s", expected);
    return same_text(at.value, expected) || wrong_text(&at, what);
}

/* --- numbers --- */

/* The digits' value in *number; false when they are not what Go prints or more than `max`. */
static bool parse_digits(const char *text, size_t length, uint64_t max, uint64_t *number)
{
    if (length == 0 || (text[0] == '0' && length > 1))
        return false;
    *number = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (*number > (max - digit) / 10)
            return false;
        *number = *number * 10 + digit;
    }
    return true;
}

bool field_parse_int64(const char *text, size_t length, int64_t min, int64_t max, int64_t *number)
{
    bool negative = length > 0 && text[0] == '-';
    uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0), value;
    if (!parse_digits(text + negative, length - negative, limit, &value) ||
        (negative && value == 0))
        return false;
    *number = !negative ? (int64_t)value : value == limit ? INT64_MIN : -(int64_t)value;
    return *number >= min && *number <= max;
}

bool field_int64(const struct field *object, const char *name, int64_t min, int64_t max,
                 int64_t *number)
{
    struct field at;
    if (!field_in(object, name, &at))
        return false;
    if (!json_is_string(at.value))
        return wrong_type(&at, "a whole number in quotation marks");
    const char *text = json_string_value(at.value);
    size_t length = json_string_length(at.value);
    if (field_parse_int64(text, length, min, max, number))
        return true;
    if (!field_parse_int64(text, length, INT64_MIN, INT64_MAX, number))
        return wrong_text(&at, "no whole number");
    return field_wrong(&at, "%" PRId64 " is not between %" PRId64 " and %" PRId64, *number, min,
                       max);
}

bool field_uint64(const struct field *object, const char *name, uint64_t *number)
{
    struct field at;
    if (!field_in(object, name, &at))
        return false;
    if (!json_is_string(at.value))
        return wrong_type(&at, "a whole number in quotation marks");
    return parse_digits(json_string_value(at.value), json_string_length(at.value), UINT64_MAX,
                        number) ||
           wrong_text(&at, "no whole number of 64 bits");
}

static bool find_number(const struct field *object, const char *name, int64_t min, int64_t max,
                        int64_t *number)
{
    struct field at;
    if (!field_in(object, name, &at))
        return false;
    if (!json_is_integer(at.value))
        return wrong_type(&at, "a whole number without quotation marks");
    *number = json_integer_value(at.value);
    return (*number >= min && *number <= max) ||
           field_wrong(&at, "%" PRId64 " is not between %" PRId64 " and %" PRId64, *number, min,
                       max);
}

bool field_int32(const struct field *object, const char *name, int32_t min, int32_t *number)
{
    int64_t value = 0;
    if (!find_number(object, name, min, INT32_MAX, &value))
        return false;
    *number = (int32_t)value;
    return true;
}

bool field_uint32(const struct field *object, const char *name, uint32_t *number)
{
    int64_t value = 0;
    if (!find_number(object, name, 0, UINT32_MAX, &value))
        return false;
    *number = (uint32_t)value;
    return true;
}

bool field_bool(const struct field *object, const char *name, bool *truth)
{
    struct field at;
    if (!field_in(object, name, &at))
        return false;
    if (!json_is_boolean(at.value))
        return wrong_type(&at, "true or false");
    *truth = json_is_true(at.value);
    return true;
}

/* --- bytes --- */

bool field_hex_any(const struct field *object, const char *name, uint8_t *bytes, size_t room,
                   size_t *size)
{
    struct field at;
    if (!find_text(object, name, &at))
        return false;
    size_t length = json_string_length(at.value);
    if (length / 2 > room)
        return field_wrong(&at, "is longer than %zu bytes", room);
    *size = length / 2;
    return (length % 2 == 0 && hex_decode(json_string_value(at.value), length, bytes, *size)) ||
           wrong_text(&at, "no hex");
}

bool field_hex(const struct field *object, const char *name, uint8_t *bytes, size_t size)
{
    struct field at;
    if (!find_text(object, name, &at))
        return false;
    if (hex_decode(json_string_value(at.value), json_string_length(at.value), bytes, size))
        return true;
    char what[32];
    (void)snprintf(what, sizeof what, "no hex of %zu bytes", size);
    return wrong_text(&at, what);
}

bool field_hash(const struct field *object, const char *name, struct hash *hash)
{
    struct field at;
    *hash = (struct hash){.none = true};
    if (!find_text(object, name, &at))
        return false;
    hash->none = json_string_length(at.value) == 0;
    return hash->none || field_hex(object, name, hash->bytes, sizeof hash->bytes);
}

size_t field_base64_room(const struct field *at)
{
    return BASE64_BYTES(json_string_length(at->value)); /* 0 when it is no text */
}

bool field_base64_any(const struct field *at, uint8_t *bytes, size_t room, size_t *size)
{
    *size = 0;
    if (json_is_null(at->value))
        return true;
    if (!json_is_string(at->value))
        return wrong_type(at, "base64");
    return base64_decode(json_string_value(at->value), json_string_length(at->value), bytes, room,
                         size) ||
           wrong_text(at, "no base64");
}

bool field_base64(const struct field *object, const char *name, uint8_t *bytes, size_t size)
{
    struct field at;
    size_t decoded;
    char what[32];
    if (!find_text(object, name, &at))
        return false;
    (void)snprintf(what, sizeof what, "no base64 of %zu bytes", size);
    return (base64_decode(json_string_value(at.value), json_string_length(at.value), bytes, size,
                          &decoded) &&
            decoded == size) ||
           wrong_text(&at, what);
}

/* --- time --- */

/* Days since 1970-01-01 in the Gregorian calendar. Years are counted from March, so that the leap day is
 * their last one. */
static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
    int64_t shifted = month > 2 ? month - 3 : month + 9, y = month > 2 ? year : year - 1;
    int64_t day_of_year = (153 * shifted + 2) / 5 + day - 1;
    return 365 * y + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* Digits where the pattern has '0', its own characters elsewhere. */
static bool matches(const char *text, const char *pattern, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (pattern[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != pattern[i])
            return false;
    return true;
}

static int64_t digits_at(const char *text, size_t count)
{
    int64_t value = 0;
    for (size_t i = 0; i < count; i++)
        value = value * 10 + (text[i] - '0');
    return value;
}

/* ".138024347Z" or "Z" */
static bool parse_decimals(const char *text, size_t length, int32_t *nanos)
{
    *nanos = 0;
    if (length == 1)
        return text[0] == 'Z';
    if (length < 3 || length > 11 || text[0] != '.' || text[length - 1] != 'Z' ||
        !matches(text + 1, "000000000", length - 2))
        return false;
    *nanos = (int32_t)digits_at(text + 1, length - 2);
    for (size_t i = length - 2; i < 9; i++)
        *nanos *= 10;
    return true;
}

bool field_parse_time(const char *text, size_t length, struct time_stamp *time)
{
    static const char pattern[] = "0000-00-00T00:00:00";
    const size_t fixed = sizeof pattern - 1;
    if (length <= fixed || !matches(text, pattern, fixed) ||
        !parse_decimals(text + fixed, length - fixed, &time->nanos))
        return false;
    int64_t year = digits_at(text, 4), month = digits_at(text + 5, 2), day = digits_at(text + 8, 2);
    int64_t hour = digits_at(text + 11, 2), minute = digits_at(text + 14, 2);
    int64_t second = digits_at(text + 17, 2);
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) ||
        hour > 23 || minute > 59 || second > 59)
        return false;
    time->seconds = days_since_1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    return true;
}

bool field_time(const struct field *object, const char *name, struct time_stamp *time)
{
    struct field at;
    if (!find_text(object, name, &at))
        return false;
    return field_parse_time(json_string_value(at.value), json_string_length(at.value), time) ||
           wrong_text(&at, "no time such as 2026-11-21T16:28:02.138Z");
}
