#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/report_text.h"

FILE *text_open(struct text *text)
{
    FILE *out = open_memstream(&text->bytes, &text->size);
    assert_non_null(out);
    return out;
}

void text_close(FILE *out)
{
    assert_int_equal(fclose(out), 0);
}

void text_has(const struct text *text, const char *part)
{
    if (strstr(text->bytes, part) == NULL) {
        fail_msg("\"%s\" is missing in:\n%.4000s", part, text->bytes);
    }
}

void text_lacks(const struct text *text, const char *part)
{
    const char *at = strstr(text->bytes, part);
    if (at != NULL) {
        fail_msg("\"%s\" stands in: %.200s", part, at);
    }
}

uint32_t text_count(const struct text *text, const char *part)
{
    uint32_t count = 0;
    for (const char *at = text->bytes; (at = strstr(at, part)) != NULL; at += strlen(part)) {
        count++;
    }
    return count;
}

struct result report_good_row(void)
{
    return (struct result){.strategy = "draw",
                           .seed = 7,
                           .validators = 400,
                           .members = 263,
                           .agents = 260,
                           .floor = 200,
                           .min_live = 204,
                           .blocks = 229,
                           .done = 260,
                           .joins = 270,
                           .permits = 265,
                           .permits_unused = 5,
                           .pauses = 260,
                           .makespan_s = 1368,
                           .lower_bound_s = 1270.5,
                           .messages = 1000,
                           .bytes = 250000,
                           .steps = 5000,
                           .events = 9000,
                           .wall_s = 0.0123456};
}

void report_violate(struct result *row, uint32_t count)
{
    row->violation_count = count;
    for (uint32_t i = 0; i < count && i < VIOLATIONS_KEPT; i++) {
        row->violations[i] = (struct violation){"I1", 100 + i, i % 2 == 0 ? i : VALIDATOR_NONE, ""};
        snprintf(row->violations[i].text, sizeof row->violations[i].text, "live %u < floor", i);
    }
}
