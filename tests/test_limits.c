/* The operator's limits: every setting reaches the core, and what cannot be meant is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "node/limits.h"

static struct settings *settings_of(const char *text)
{
    struct settings *settings = settings_create();
    struct fault fault;
    assert_non_null(settings);
    if (!settings_read_text(settings, "a.conf", text, strlen(text), &fault))
        fail_msg("%s\n  is refused: %s", text, fault.text);
    return settings;
}

static struct coord_policy policy_of(const char *text)
{
    struct settings *settings = settings_of(text);
    struct coord_policy policy;
    struct fault fault;
    if (!limits_policy(settings, &policy, &fault))
        fail_msg("%s\n  is refused: %s", text, fault.text);
    settings_destroy(&settings);
    return policy;
}

static void hours_refused(const char *hours, const char *part)
{
    char text[80];
    struct coord_policy policy = {.own_floor = 7}, before = policy;
    struct fault fault;
    snprintf(text, sizeof text, "[limits]\nfloor = 3\nhours = %s\n", hours);
    struct settings *settings = settings_of(text);
    if (limits_policy(settings, &policy, &fault))
        fail_msg("accepted: %s", hours);
    if (strncmp(fault.text, "a.conf:3: limits.hours: ", 24) != 0 || !strstr(fault.text, part))
        fail_msg("%s\n  is refused with: %s", hours, fault.text);
    assert_memory_equal(&policy, &before, sizeof policy);
    settings_destroy(&settings);
}

static void defaults(void **state)
{
    (void)state;
    struct coord_policy policy = policy_of("");
    assert_int_equal(policy.own_floor, 0);
    assert_int_equal(policy.max_offline, 0);
    assert_int_equal(policy.freeze, COORD_FREEZE_DEFAULT);
    assert_int_equal(policy.window_margin_ms, 600000);
    assert_int_equal(policy.hours_from_min, policy.hours_to_min);
    assert_int_equal(policy.attempts_max, 3);
    assert_int_equal(policy.still_ms, coord_policy_default().still_ms);
}

static void every_setting_arrives(void **state)
{
    (void)state;
    struct coord_policy policy = policy_of("[limits]\nfloor = 20\nmax_offline = 5\nfreeze = 4\n"
                                           "window_margin = 90s\ndomain_max = 2\nfailures_max = 6\n"
                                           "hours = 22:30-04:05\nattempts = 7\nretry = 8s\n");
    assert_int_equal(policy.own_floor, 20);
    assert_int_equal(policy.max_offline, 5);
    assert_int_equal(policy.freeze, 4);
    assert_int_equal(policy.window_margin_ms, 90000);
    assert_int_equal(policy.domain_max, 2);
    assert_int_equal(policy.failures_max, 6);
    assert_int_equal(policy.hours_from_min, 22 * 60 + 30);
    assert_int_equal(policy.hours_to_min, 4 * 60 + 5);
    assert_int_equal(policy.attempts_max, 7);
    assert_int_equal(policy.retry_ms, 8000);
}

static void freeze_can_be_off(void **state)
{
    (void)state;
    assert_int_equal(policy_of("[limits]\nfreeze = 0\n").freeze, COORD_FREEZE_OFF);
    assert_int_equal(policy_of("[limits]\nfreeze = 1\n").freeze, 1);
}

static void hours_at_the_ends_of_the_day(void **state)
{
    (void)state;
    struct coord_policy policy = policy_of("[limits]\nhours = 00:00-24:00\n");
    assert_int_equal(policy.hours_from_min, 0);
    assert_int_equal(policy.hours_to_min, 1440);
    policy = policy_of("[limits]\nhours = 23:59-00:00\n");
    assert_int_equal(policy.hours_from_min, 1439);
    assert_int_equal(policy.hours_to_min, 0);
}

static void hours_that_cannot_be(void **state)
{
    (void)state;
    static const char *const wrong[] = {"24:00-04:00", "22:00-24:01", "22:60-04:00", "22:00-04:60",
                                        "22.00-04:00", "22:00 04:00", "2a:00-04:00", "22:00-0a:00",
                                        "-2:00-04:00", "22:00-+4:00", "22:00-04;00", "99:99-99:99"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        hours_refused(wrong[i], "such as 22:00-04:00");
    hours_refused("22:00-22:00", "leave it out");
    hours_refused("00:00-00:00", "leave it out");
}

static void a_flag_is_named_as_one(void **state)
{
    (void)state;
    struct settings *settings = settings_create();
    struct coord_policy policy;
    struct fault fault;
    assert_true(settings_read_flag(settings, SETTING_LIMITS_HOURS, "22:00_04:00", &fault));
    assert_false(limits_policy(settings, &policy, &fault));
    assert_int_equal(strncmp(fault.text, "--hours: ", 9), 0);
    settings_destroy(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(every_setting_arrives),
        cmocka_unit_test(freeze_can_be_off),
        cmocka_unit_test(hours_at_the_ends_of_the_day),
        cmocka_unit_test(hours_that_cannot_be),
        cmocka_unit_test(a_flag_is_named_as_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
