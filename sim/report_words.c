#include "sim/report_words.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>

#define VALUE_MAX 9e12

static bool in_range(double value)
{
    return value >= -VALUE_MAX && value <= VALUE_MAX; /* false for NaN too */
}

int64_t words_ms(double seconds)
{
    if (!in_range(seconds)) {
        return seconds > 0   ? (int64_t)VALUE_MAX * 1000
               : seconds < 0 ? -(int64_t)VALUE_MAX * 1000
                             : 0;
    }
    return (int64_t)(seconds * 1000 + (seconds < 0 ? -0.5 : 0.5));
}

const char *words_duration(char text[WORDS_MAX], int64_t ms)
{
    if (ms < 0) {
        snprintf(text, WORDS_MAX, "-");
        return text;
    }
    if (ms > 0 && ms < 9950) {
        int64_t tenths = ms / 100 + (ms % 100 >= 50);
        snprintf(text, WORDS_MAX, "%" PRId64 ".%" PRId64 "s", tenths / 10, tenths % 10);
        return text;
    }
    int64_t s = ms / 1000 + (ms % 1000 >= 500);
    int64_t h = s / 3600, min = s / 60 % 60;
    if (h >= 100) {
        int64_t whole = s / 60 + (s % 60 >= 30);
        snprintf(text, WORDS_MAX, "%" PRId64 "h%02" PRId64 "m", whole / 60, whole % 60);
    } else if (h > 0) {
        snprintf(text, WORDS_MAX, "%" PRId64 "h%02" PRId64 "m%02" PRId64 "s", h, min, s % 60);
    } else if (min > 0) {
        snprintf(text, WORDS_MAX, "%" PRId64 "m%02" PRId64 "s", min, s % 60);
    } else {
        snprintf(text, WORDS_MAX, "%" PRId64 "s", s);
    }
    return text;
}

const char *words_clock(char text[WORDS_MAX], int64_t ms)
{
    int64_t min = ms < 0 ? 0 : ms / 60000;
    snprintf(text, WORDS_MAX, "%" PRId64 ":%02" PRId64, min / 60, min % 60);
    return text;
}

const char *words_clock_s(char text[WORDS_MAX], int64_t ms)
{
    int64_t s = ms < 0 ? 0 : ms / 1000;
    snprintf(text, WORDS_MAX, "%" PRId64 ":%02" PRId64 ":%02" PRId64, s / 3600, s / 60 % 60,
             s % 60);
    return text;
}

const char *words_number(char text[WORDS_MAX], uint64_t n)
{
    char digits[WORDS_MAX];
    int count = snprintf(digits, sizeof digits, "%" PRIu64, n);
    int used = 0;
    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0) {
            text[used++] = ',';
        }
        text[used++] = digits[i];
    }
    assert(used < WORDS_MAX);
    text[used] = '\0';
    return text;
}

const char *words_fixed(char text[WORDS_MAX], double value, unsigned decimals)
{
    assert(decimals <= 6);
    if (!in_range(value)) {
        return NULL;
    }
    uint64_t unit = 1;
    for (unsigned i = 0; i < decimals; i++) {
        unit *= 10;
    }
    double size = value < 0 ? -value : value;
    uint64_t whole = (uint64_t)size;
    uint64_t part = (uint64_t)((size - (double)whole) * (double)unit + 0.5);
    if (part >= unit) {
        whole++;
        part -= unit;
    }
    const char *sign = value < 0 && (whole > 0 || part > 0) ? "-" : "";
    if (decimals == 0) {
        snprintf(text, WORDS_MAX, "%s%" PRIu64, sign, whole);
    } else {
        snprintf(text, WORDS_MAX, "%s%" PRIu64 ".%0*" PRIu64, sign, whole, (int)decimals, part);
    }
    return text;
}

/* How many bytes follow a lead byte, and the bits that it carries; -1 for no lead byte. */
static int follow_count(uint8_t lead, uint32_t *bits)
{
    if (lead >= 0xC2 && lead <= 0xDF) {
        *bits = lead & 0x1Fu;
        return 1;
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
        *bits = lead & 0x0Fu;
        return 2;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        *bits = lead & 0x07u;
        return 3;
    }
    return -1;
}

uint32_t words_next(const char **text)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000}; /* below it the form is overlong */
    const uint8_t *at = (const uint8_t *)*text;
    if (*at == 0) {
        return 0;
    }
    *text += 1;
    if (*at < 0x80) {
        return *at;
    }
    uint32_t point = 0;
    int follow = follow_count(*at, &point);
    if (follow < 0) {
        return WORDS_REPLACEMENT;
    }
    for (int i = 1; i <= follow; i++) {
        if ((at[i] & 0xC0u) != 0x80) {
            return WORDS_REPLACEMENT; /* the terminator stops here as well */
        }
        point = point << 6 | (at[i] & 0x3Fu);
    }
    if (point < least[follow] || (point >= 0xD800 && point <= 0xDFFF) || point > 0x10FFFF) {
        return WORDS_REPLACEMENT;
    }
    *text += follow;
    return point;
}

static bool is_bidi_control(uint32_t point)
{
    return (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069) ||
           point == 0x200E || point == 0x200F || point == 0x061C;
}

uint32_t words_clean(uint32_t point)
{
    if (point == '\t' || point == '\n' || point == '\r' || point == 0x2028 || point == 0x2029) {
        return ' ';
    }
    bool control = point < 0x20 || (point >= 0x7F && point <= 0x9F);
    bool nonchar = (point & 0xFFFEu) == 0xFFFEu || (point >= 0xFDD0 && point <= 0xFDEF);
    return control || nonchar || is_bidi_control(point) ? WORDS_REPLACEMENT : point;
}

void words_put(FILE *out, uint32_t point)
{
    if (point < 0x80) {
        fputc((int)point, out);
        return;
    }
    if (point < 0x800) {
        fputc((int)(0xC0 | point >> 6), out);
    } else if (point < 0x10000) {
        fputc((int)(0xE0 | point >> 12), out);
        fputc((int)(0x80 | (point >> 6 & 0x3F)), out);
    } else {
        fputc((int)(0xF0 | point >> 18), out);
        fputc((int)(0x80 | (point >> 12 & 0x3F)), out);
        fputc((int)(0x80 | (point >> 6 & 0x3F)), out);
    }
    fputc((int)(0x80 | (point & 0x3F)), out);
}

void words_plain(FILE *out, const char *text)
{
    for (uint32_t point; (point = words_next(&text)) != 0;) {
        words_put(out, words_clean(point));
    }
}
