#include "node/limits.h"

#include <string.h>

#include "proto/input.h"

#define HOUR_MIN 60
#define DAY_MIN (24 * HOUR_MIN)
#define HOURS_LENGTH 11 /* "22:00-04:00" */
#define CLOCK_LENGTH 5

static bool two_digits(const char *text, int32_t *number)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
        return false;
    *number = (text[0] - '0') * 10 + (text[1] - '0');
    return true;
}

/* "22:00" in minutes of the day, at most `max`. */
static bool clock_read(const char *text, int32_t max, int32_t *minute)
{
    int32_t hours, minutes;
    if (!two_digits(text, &hours) || text[2] != ':' || !two_digits(text + 3, &minutes) ||
        minutes >= HOUR_MIN)
        return false;
    *minute = hours * HOUR_MIN + minutes;
    return *minute <= max;
}

static bool hours_take(const struct settings *settings, struct coord_policy *policy,
                       struct fault *fault)
{
    const char *text = settings_text(settings, SETTING_LIMITS_HOURS);
    char quoted[INPUT_QUOTE_MAX];
    policy->hours_from_min = policy->hours_to_min = 0;
    if (!text)
        return true;
    if (strlen(text) != HOURS_LENGTH || text[CLOCK_LENGTH] != '-' ||
        !clock_read(text, DAY_MIN - 1, &policy->hours_from_min) ||
        !clock_read(text + CLOCK_LENGTH + 1, DAY_MIN, &policy->hours_to_min))
        return settings_refuse(settings, SETTING_LIMITS_HOURS, fault,
                               "\"%s\" is not accepted; expected two times of the day in UTC, "
                               "such as 22:00-04:00",
                               input_quote(text, quoted));
    if (policy->hours_from_min == policy->hours_to_min)
        return settings_refuse(settings, SETTING_LIMITS_HOURS, fault,
                               "it ends when it begins; leave it out to allow every hour");
    return true;
}

static int64_t freeze_of(const struct settings *settings)
{
    if (!settings_given(settings, SETTING_LIMITS_FREEZE))
        return COORD_FREEZE_DEFAULT;
    uint64_t overdue = settings_whole(settings, SETTING_LIMITS_FREEZE);
    return overdue == 0 ? COORD_FREEZE_OFF : (int64_t)overdue;
}

bool limits_policy(const struct settings *settings, struct coord_policy *policy,
                   struct fault *fault)
{
    struct coord_policy made = coord_policy_default();
    made.own_floor = (int64_t)settings_whole(settings, SETTING_LIMITS_FLOOR);
    made.max_offline = (int64_t)settings_whole(settings, SETTING_LIMITS_MAX_OFFLINE);
    made.freeze = freeze_of(settings);
    made.window_margin_ms = settings_ms(settings, SETTING_LIMITS_WINDOW_MARGIN);
    made.domain_max = (uint32_t)settings_whole(settings, SETTING_LIMITS_DOMAIN_MAX);
    made.failures_max = (uint32_t)settings_whole(settings, SETTING_LIMITS_FAILURES_MAX);
    made.attempts_max = (uint32_t)settings_whole(settings, SETTING_LIMITS_ATTEMPTS);
    made.retry_ms = settings_ms(settings, SETTING_LIMITS_RETRY);
    if (!hours_take(settings, &made, fault))
        return false;
    *policy = made;
    return true;
}
