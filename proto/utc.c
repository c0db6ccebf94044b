#include "proto/utc.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

/* Without its end; returns the length. */
static size_t second_text(int64_t ms, char text[UTC_TEXT_MAX])
{
    struct tm parts;
    time_t seconds = (time_t)(ms / 1000 - (ms % 1000 < 0));
    const struct tm *known = gmtime_r(&seconds, &parts);
    assert(known);
    size_t size = strftime(text, UTC_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &parts);
    assert(size > 0);
    return size;
}

const char *utc_text(int64_t ms, char text[UTC_TEXT_MAX])
{
    size_t size = second_text(ms, text);
    (void)snprintf(text + size, UTC_TEXT_MAX - size, ".%03dZ", (int)((ms % 1000 + 1000) % 1000));
    return text;
}

const char *utc_text_whole(int64_t ms, char text[UTC_TEXT_MAX])
{
    size_t size = second_text(ms, text);
    (void)snprintf(text + size, UTC_TEXT_MAX - size, "Z");
    return text;
}
