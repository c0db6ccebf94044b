#include <inttypes.h>

#include "sim/html.h"
#include "sim/report_words.h"

static void put_escaped(FILE *out, uint32_t point)
{
    switch (point) {
    case '&':
        fputs("&amp;", out);
        break;
    case '<':
        fputs("&lt;", out);
        break;
    case '>':
        fputs("&gt;", out);
        break;
    case '"':
        fputs("&quot;", out);
        break;
    case '\'':
        fputs("&#39;", out);
        break;
    default:
        words_put(out, point);
        break;
    }
}

void html_text(FILE *out, const char *text)
{
    if (text == NULL) {
        return;
    }
    for (uint32_t point; (point = words_next(&text)) != 0;) {
        put_escaped(out, words_clean(point));
    }
}

/* Roughly East Asian width: scripts from Hangul Jamo on and the planes of emoji and CJK. */
static uint32_t column_count(uint32_t point)
{
    return (point >= 0x1100 && point <= 0x115F) || (point >= 0x2E80 && point < WORDS_REPLACEMENT) ||
                   (point >= 0x1F000 && point <= 0x3FFFF)
               ? 2
               : 1;
}

static bool is_blank(const char *text)
{
    for (uint32_t point; (point = words_next(&text)) != 0;) {
        bool invisible = point == 0xA0 || point == 0xAD || (point >= 0x2000 && point <= 0x200D) ||
                         point == 0x3000 || point == 0x2060 || point == 0x3164 || point == 0xFEFF;
        if (words_clean(point) != ' ' && !invisible) {
            return false;
        }
    }
    return true;
}

static uint32_t text_columns(const char *text)
{
    uint32_t columns = 0;
    for (uint32_t point; (point = words_next(&text)) != 0;) {
        columns += column_count(point);
    }
    return columns;
}

void html_name(FILE *out, const struct report *report, uint32_t validator, uint32_t columns)
{
    const char *text = validator < report->record_count ? report->records[validator].moniker : "";
    if (is_blank(text)) {
        fprintf(out, "validator %" PRIu32, validator);
        return;
    }
    if (columns == 0 || text_columns(text) <= columns) {
        html_text(out, text);
        return;
    }
    uint32_t used = 1; /* the ellipsis */
    for (uint32_t point;
         (point = words_next(&text)) != 0 && used + column_count(point) <= columns;) {
        used += column_count(point);
        put_escaped(out, words_clean(point));
    }
    fputs("&#8230;", out);
}
