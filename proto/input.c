#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#include "proto/input.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NUMBER_DIGITS_MAX 15 /* so that digits and scale are exact in a double */

struct decimal {
    uint64_t digits, scale; /* digits / scale; scale a power of ten */
};

static const struct unit {
    const char *name;
    int64_t ms;
} units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

#define UNIT_COUNT (sizeof units / sizeof units[0])

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool input_whole(const char *text, uint64_t *value)
{
    uint64_t sum = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        if (!is_digit(*text))
            return false;
        uint64_t digit = (uint64_t)(*text - '0');
        if (sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return true;
}

/* Reads a decimal at the beginning of the text; returns what follows it, or NULL. */
static const char *decimal_read(const char *text, struct decimal *out)
{
    uint32_t digits = 0;
    bool point = false;
    *out = (struct decimal){0, 1};
    for (; is_digit(*text) || *text == '.'; text++) {
        if (*text == '.') {
            if (point || digits == 0 || !is_digit(text[1]))
                return NULL;
            point = true;
            continue;
        }
        if (++digits > NUMBER_DIGITS_MAX)
            return NULL;
        out->digits = out->digits * 10 + (uint64_t)(*text - '0');
        out->scale *= point ? 10 : 1;
    }
    return digits ? text : NULL;
}

bool input_number(const char *text, double *value)
{
    struct decimal d;
    const char *rest = decimal_read(text, &d);
    if (!rest || *rest)
        return false;
    *value = (double)d.digits / (double)d.scale;
    return true;
}

bool input_duration(const char *text, int64_t *ms)
{
    struct decimal d;
    const char *rest = decimal_read(text, &d);
    for (size_t i = 0; rest && i < UNIT_COUNT; i++) {
        uint64_t product;
        if (strcmp(rest, units[i].name) != 0)
            continue;
        if (__builtin_mul_overflow(d.digits, (uint64_t)units[i].ms, &product))
            return false;
        if (product % d.scale || product / d.scale > INT64_MAX)
            return false;
        *ms = (int64_t)(product / d.scale);
        return true;
    }
    return false;
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* "2/3"; false when the text is no quotient of two whole numbers. */
static bool quotient_read(const char *text, uint64_t *num, uint64_t *den)
{
    char top[INPUT_WORD_MAX];
    size_t length = strcspn(text, "/");
    if (length >= sizeof top || text[length] != '/')
        return false;
    memcpy(top, text, length);
    top[length] = '\0';
    return input_whole(top, num) && input_whole(text + length + 1, den);
}

bool input_ratio(const char *text, uint64_t *num, uint64_t *den)
{
    uint64_t a, b;
    if (!quotient_read(text, &a, &b)) {
        struct decimal d;
        const char *rest = decimal_read(text, &d);
        if (!rest || (strcmp(rest, "") != 0 && strcmp(rest, "%") != 0))
            return false;
        a = d.digits;
        b = *rest ? d.scale * 100 : d.scale;
    }
    if (b == 0 || a > b)
        return false;
    uint64_t divisor = common_divisor(a, b);
    *num = a / divisor;
    *den = b / divisor;
    return true;
}

bool input_fraction(const char *text, double *value)
{
    uint64_t num, den;
    if (!input_ratio(text, &num, &den))
        return false;
    *value = (double)num / (double)den;
    return true;
}

void input_duration_text(int64_t ms, char out[INPUT_DURATION_MAX])
{
    size_t unit = UNIT_COUNT - 1;
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (ms != 0 && ms % units[i].ms == 0) {
            unit = i;
            break;
        }
    }
    snprintf(out, INPUT_DURATION_MAX, "%" PRId64 "%s", ms / units[unit].ms, units[unit].name);
}

const char *input_quote(const char *text, char out[INPUT_QUOTE_MAX])
{
    size_t length = 0;
    for (; text[length] && length < INPUT_QUOTE_MAX - 4; length++)
        out[length] = text[length] >= ' ' && text[length] <= '~' ? text[length] : '?';
    strcpy(out + length, text[length] ? "..." : "");
    return out;
}

/* Letters to insert, drop, replace or exchange with their neighbour to get from a to b; both shorter than
 * INPUT_WORD_MAX. */
static uint32_t edit_distance(const char *a, const char *b)
{
    uint32_t rows[3][INPUT_WORD_MAX]; /* of the prefixes of a with i, i - 1 and i - 2 letters */
    uint32_t width = (uint32_t)strlen(b), i = 0;
    assert(width < INPUT_WORD_MAX);
    for (uint32_t j = 0; j <= width; j++)
        rows[0][j] = j;
    while (a[i++]) {
        uint32_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *top = rows[(i + 1) % 3];
        row[0] = i;
        for (uint32_t j = 1; j <= width; j++) {
            uint32_t best = above[j - 1] + (a[i - 1] != b[j - 1]);
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = top[j - 2] + 1 < best ? top[j - 2] + 1 : best;
            row[j] = best;
        }
    }
    return rows[(i - 1) % 3][width];
}

void input_nearest_offer(struct input_nearest *nearest, const char *word)
{
    size_t length = strlen(nearest->given);
    if (length < 2 || length >= INPUT_WORD_MAX || strlen(word) >= INPUT_WORD_MAX)
        return;
    uint32_t distance = edit_distance(nearest->given, word);
    if (length >= 3 && strncmp(word, nearest->given, length) == 0)
        distance = 1; /* the beginning of a word means it */
    if (distance > (length < 6 ? 1 : length / 3))
        return;
    if (nearest->best && distance >= nearest->distance)
        return;
    nearest->best = word;
    nearest->distance = distance;
}

bool input_fail(char error[INPUT_ERROR_MAX], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, INPUT_ERROR_MAX, format, arguments);
    va_end(arguments);
    return false;
}

static bool file_is_fit(int fd, bool plain_only, char error[INPUT_ERROR_MAX])
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return input_fail(error, "it cannot be examined: %s", strerror(errno));
    if (S_ISDIR(status.st_mode))
        return input_fail(error, "it is a directory; a file is wanted");
    if (plain_only && !S_ISREG(status.st_mode))
        return input_fail(error, "it is no regular file, which is wanted");
    return true;
}

/* Once it is open, data that a pipe's writer has yet to write is waited for. */
static bool blocking_set(int fd, char error[INPUT_ERROR_MAX])
{
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0)
        return true;
    return input_fail(error, "it cannot be read: %s", strerror(errno));
}

static bool file_read(int fd, size_t max, char *text, size_t *size, char error[INPUT_ERROR_MAX])
{
    *size = 0;
    for (;;) {
        ssize_t got = read(fd, text + *size, max + 1 - *size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return input_fail(error, "it cannot be read: %s", strerror(errno));
        *size += (size_t)got;
        if (*size > max)
            return input_fail(error, "it is larger than the %zu bytes allowed; shorten it", max);
        if (got == 0)
            break;
    }
    text[*size] = '\0';
    return true;
}

bool input_file(const char *path, size_t max, bool plain_only, char **text, size_t *size,
                char error[INPUT_ERROR_MAX])
{
    *text = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe without a writer is empty */
    if (fd < 0)
        return input_fail(error, "it cannot be opened: %s", strerror(errno));
    bool good = file_is_fit(fd, plain_only, error) && blocking_set(fd, error);
    if (good) {
        *text = malloc(max + 2);
        good = *text ? file_read(fd, max, *text, size, error) : input_fail(error, "out of memory");
    }
    close(fd);
    if (!good) {
        free(*text);
        *text = NULL;
    }
    return good;
}
