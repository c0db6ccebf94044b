/* World keys and the command line: what is accepted, what is refused and how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/input.h"
#include "sim/options.h"

#define ARGUMENTS_MAX 16

struct pair {
    const char *key, *value;
};

/* Numbers as nobody should write them; no key takes any of these. */
static const char *const absurd[] = {
    "nan",
    "inf",
    "-inf",
    "1e400",
    "1e3",
    "-1",
    "99999999999999999999999",
    "0x10",
    " 5",
    "5 ",
    "5..",
    ".",
    "+1",
    "--",
    "1,",
    ",",
    "\x01",
    "\xff\xfe",
    "5/0",
    "1/",
    "1.",
    "-0",
    "1e-3s",
    "s",
    "5 s",
    "5sec",
    "5S",
    "101%",
    "9.9.",
    "1_0",
    "1/2/3",
    "NaN%",
    "1%%",
    "340282366920938463463374607431768211457",
};

static bool set(struct sim_config *config, const char *key, const char *value,
                char error[CONFIG_ERROR_MAX])
{
    error[0] = '\0';
    return config_set(config, "x.scn:7: key", key, value, error);
}

static void assert_one_line(const char *error)
{
    assert_true(*error);
    for (const char *c = error; *c; c++)
        assert_in_range((unsigned char)*c, ' ', '~');
}

static void assert_set(const char *key, const char *value)
{
    struct sim_config config;
    char error[CONFIG_ERROR_MAX];
    config_default(&config);
    if (!set(&config, key, value, error))
        fail_msg("%s %s: %s", key, value, error);
    config_clear(&config);
}

static void assert_refused(const char *key, const char *value)
{
    struct sim_config config, before;
    char error[CONFIG_ERROR_MAX];
    config_default(&config);
    before = config;
    if (set(&config, key, value, error))
        fail_msg("%s '%s' is accepted", key, value);
    assert_memory_equal(&config, &before, sizeof config);
    assert_one_line(error);
    assert_non_null(strstr(error, "x.scn:7: key: "));
    config_clear(&config);
}

static void every_example_is_accepted(void **state)
{
    const struct config_key *key;
    (void)state;
    for (uint32_t i = 0; (key = config_key(i)) != NULL; i++) {
        assert_ptr_equal(config_key_find(key->name), key);
        assert_non_null(key->about);
        assert_int_equal(key->argument == NULL, key->example == NULL);
        assert_set(key->name, key->example ? key->example : "");
    }
    assert_null(config_key_find("validatrs"));
}

static void absurd_numbers_are_refused(void **state)
{
    const struct config_key *key;
    (void)state;
    for (uint32_t i = 0; (key = config_key(i)) != NULL; i++) {
        bool text = strcmp(key->argument ? key->argument : "", "FILE") == 0;
        for (size_t j = 0; !text && j < sizeof absurd / sizeof absurd[0]; j++)
            if (strcmp(key->name, "scenario") != 0)
                assert_refused(key->name, absurd[j]);
        if (key->argument)
            assert_refused(key->name, "");
    }
}

static const struct pair in_range[] = {
    {"validators", "1"},
    {"validators", "16384"},
    {"min-validators", "1000000"},
    {"block-time", "100ms"},
    {"block-time", "10m"},
    {"epoch-blocks", "114"},
    {"live-blocks", "10"},
    {"round-blocks", "40"},
    {"joins-max", "3"},
    {"reference-blocks", "80"},
    {"reserve", "0"},
    {"loss", "0"},
    {"loss", "1"},
    {"loss", "100%"},
    {"latency", "0s"},
    {"reboot", "1s"},
    {"reboot", "7d"},
    {"floor-fraction", "0.6667"},
    {"floor-fraction", "99/100"},
    {"until", "30d"},
    {"jobs", "1024"},
    {"seeds", "0..9999999"},
    {"seeds", "7..7"},
    {"empty-blocks", "1d"},
    {"seed", "18446744073709551615"},
    {"reboot", "lognormal:7d,2"},
    {"agents", "0"},
};

static const struct pair out_of_range[] = {
    {"validators", "0"},
    {"validators", "16385"},
    {"min-validators", "0"},
    {"block-time", "99ms"},
    {"block-time", "601s"},
    {"epoch-blocks", "1"},
    {"epoch-blocks", "115"},
    {"live-blocks", "11"},
    {"round-blocks", "39"},
    {"joins-max", "21"},
    {"reference-blocks", "79"},
    {"loss", "1.0000001"},
    {"loss", "3/2"},
    {"latency", "61s"},
    {"reboot", "999ms"},
    {"reboot", "8d"},
    {"floor-fraction", "0.6666"},
    {"floor-fraction", "1"},
    {"floor-fraction", "65%"},
    {"floor-fraction", "2000001/3000001"},
    {"until", "31d"},
    {"seeds", "9..1"},
    {"seeds", "0..10000000"},
    {"seed", "18446744073709551616"},
    {"reboot", "lognormal:300s,2.1"},
    {"reboot", "lognormal:300s"},
    {"ramp", "0,1"},
};

static void ranges_end_where_they_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof in_range / sizeof in_range[0]; i++)
        assert_set(in_range[i].key, in_range[i].value);
    for (size_t i = 0; i < sizeof out_of_range / sizeof out_of_range[0]; i++)
        assert_refused(out_of_range[i].key, out_of_range[i].value);
}

static void refusals_name_value_range_and_example(void **state)
{
    struct sim_config config;
    char error[CONFIG_ERROR_MAX];
    (void)state;
    config_default(&config);
    assert_false(config_set(&config, "--loss", "loss", "1.5", error));
    assert_string_equal(error,
                        "--loss: given '1.5'; expected a fraction from 0 to 1, written 0.1, 10% or "
                        "1/10; for example '0.1'");
    assert_false(config_set(&config, "--block-time", "block-time", "6", error));
    assert_string_equal(error,
                        "--block-time: given '6'; expected a duration from 100ms to 10m with its "
                        "unit (ms, s, m, h, d); for example '6s'");
    assert_false(config_set(&config, "--order", "order", "plan", error));
    assert_non_null(strstr(error, "did you mean 'plain'?"));
    assert_false(config_set(&config, "--faults", "faults", "crashs", error));
    assert_non_null(strstr(error, "did you mean 'crashes'?"));
    assert_false(config_set(&config, "--freeze", "freeze", "0", error));
    assert_non_null(strstr(error, "1 to 16384, or off, or default"));
    config_clear(&config);
}

static void values_arrive(void **state)
{
    struct sim_config c;
    char error[CONFIG_ERROR_MAX];
    static const struct pair pairs[] = {
        {"floor-fraction", "70%"},
        {"ramp", "1,2"},
        {"reserve", "default"},
        {"freeze", "off"},
        {"chain", "dcl"},
        {"order", "plain"},
        {"strategy", "central"},
        {"seeds", "3..9"},
        {"loss", "1/4"},
        {"block-time", "1.5s"},
        {"hostile-kinds", "pause,no-show"},
        {"guard", ""},
        {"agents", "5"},
        {"max-offline", "off"},
        {"empty-blocks", "10m"},
        {"min-validators", "67"},
        {"faults", "mixed"},
        {"genesis", "a b.json"},
    };
    (void)state;
    config_default(&c);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        assert_true(set(&c, pairs[i].key, pairs[i].value, error));
    assert_int_equal(c.phi_num, 7);
    assert_int_equal(c.phi_den, 10);
    assert_true(c.ramp && c.ramp_a == 1 && c.ramp_b == 2);
    assert_true(c.reserve == RESERVE_DEFAULT && c.freeze == FREEZE_OFF && c.max_offline == 0);
    assert_true(c.chain == CHAIN_DCL && c.order == ORDER_PLAIN && c.strategy == STRATEGY_CENTRAL);
    assert_true(c.seed_first == 3 && c.seed_last == 9 && c.many_seeds);
    assert_true(c.loss * 4 == 1 && c.block_time_ms == 1500 && c.empty_block_ms == 600000);
    assert_int_equal(c.hostile_kinds, HOSTILE_PAUSE | HOSTILE_NO_SHOW);
    assert_true(c.guard && c.agents == 5 && c.min_validators == 67);
    assert_string_equal(c.faults_name, "mixed");
    assert_string_equal(c.genesis, "a b.json");
    assert_true(set(&c, "seed", "4", error) && !c.many_seeds && c.seed_last == 4);
    config_clear(&c);
}

static void a_decimal_is_what_the_compiler_makes_of_it(void **state)
{
    double value;
    (void)state;
    assert_true(input_fraction("0.1", &value) && !(value < 0.1) && !(value > 0.1));
    assert_true(input_fraction("0.0123", &value) && !(value < 0.0123) && !(value > 0.0123));
    assert_true(input_fraction("10%", &value) && !(value < 0.1) && !(value > 0.1));
    assert_true(input_number("123456.789", &value) && !(value < 123456.789) &&
                !(value > 123456.789));
}

static void durations_are_whole_milliseconds(void **state)
{
    int64_t ms;
    char text[INPUT_DURATION_MAX];
    (void)state;
    assert_true(input_duration("1.5h", &ms) && ms == 5400000);
    assert_true(input_duration("0.25s", &ms) && ms == 250);
    assert_false(input_duration("0.5ms", &ms));
    assert_false(input_duration("300", &ms));
    assert_false(input_duration("999999999999999d", &ms));
    input_duration_text(90000, text);
    assert_string_equal(text, "90s");
    input_duration_text(172800000, text);
    assert_string_equal(text, "2d");
    input_duration_text(0, text);
    assert_string_equal(text, "0ms");
}

static void reboot_lists_are_read(void **state)
{
    struct sim_config c;
    char error[CONFIG_ERROR_MAX], path[] = "/tmp/stagger-list-XXXXXX", value[64];
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0 && write(fd, "300s\n200s, 1m\n", 14) == 14);
    close(fd);
    snprintf(value, sizeof value, "list:@%s", path);
    config_default(&c);
    assert_true(set(&c, "reboot", value, error));
    assert_int_equal(c.reboot.kind, DURATION_LIST);
    assert_int_equal(c.reboot.list_count, 3);
    assert_int_equal(c.reboot.list_ms[2], 60000);
    assert_true(set(&c, "reboot", "list:10s", error));
    assert_int_equal(c.reboot.list_count, 1);
    assert_false(set(&c, "reboot", "list:10s,x", error));
    assert_non_null(strstr(error, "entry 2 of the list, at 'x'"));
    assert_int_equal(c.reboot.list_count, 1);
    assert_true(set(&c, "reboot", "5m", error));
    assert_null(c.reboot.list_ms);
    config_clear(&c);
    unlink(path);
}

static void bad_reboot_lists_are_refused(void **state)
{
    (void)state;
    assert_refused("reboot", "list:");
    assert_refused("reboot", "list:@");
    assert_refused("reboot", "list:@/nowhere/at/all");
    assert_refused("reboot", "list:@/tmp");
    assert_refused("reboot", "list:@/dev/zero");
    assert_refused("reboot", "list:0s");
    assert_refused("reboot", "lists:10s");
}

static bool check(const struct pair *pairs, size_t count, char error[CONFIG_ERROR_MAX])
{
    struct sim_config c;
    config_default(&c);
    for (size_t i = 0; i < count; i++)
        assert_true(set(&c, pairs[i].key, pairs[i].value, error));
    bool good = config_check(&c, error);
    config_clear(&c);
    return good;
}

static void contradictions_are_found(void **state)
{
    static const struct pair cases[][2] = {
        {{"validators", "50"}, {"min-validators", "51"}},
        {{"validators", "50"}, {"agents", "51"}},
        {{"block-time", "6s"}, {"empty-blocks", "5s"}},
        {{"until", "10m"}, {"open", "10m"}},
        {{"json", "-"}, {"trace", "-"}},
        {{"seeds", "1..2"}, {"trace", "x"}},
    };
    char error[CONFIG_ERROR_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(check(cases[i], 2, error));
        assert_one_line(error);
        assert_true(check(cases[i], 1, error));
    }
    assert_true(check((struct pair[]){{"seeds", "5..5"}, {"trace", "x"}}, 2, error));
    assert_true(check((struct pair[]){{"genesis", "g"}, {"min-validators", "200"}}, 2, error));
}

/* Splits the words and reads them; the config stays for the caller to look at. */
static bool command(struct sim_config *config, const char *words, enum options_action *action,
                    char error[CONFIG_ERROR_MAX])
{
    static char copy[256];
    char *argv[ARGUMENTS_MAX + 1] = {NULL}, *rest = copy;
    int argc = 0;
    snprintf(copy, sizeof copy, "sim %s", words);
    for (char *word = strtok_r(rest, " ", &rest); word; word = strtok_r(rest, " ", &rest))
        argv[argc++] = word;
    error[0] = '\0';
    return options_read(config, argc, argv, action, error);
}

static void options_fill_the_config(void **state)
{
    struct sim_config c;
    enum options_action action;
    char error[CONFIG_ERROR_MAX];
    (void)state;
    assert_true(command(&c, "--validators 40 --loss=0.5 --compare --seeds 1..3 --json - --jobs 2",
                        &action, error));
    assert_true(action == OPTIONS_RUN && c.validators == 40 && c.compare && c.seed_last == 3);
    assert_string_equal(c.json, "-");
    config_clear(&c);
    assert_true(command(&c, "", &action, error));
    assert_true(action == OPTIONS_RUN && c.validators == 100 && c.seed_first == 1);
    config_clear(&c);
}

static void options_win_over_the_scenario(void **state)
{
    struct sim_config c;
    enum options_action action;
    char error[CONFIG_ERROR_MAX];
    (void)state;
    assert_true(command(&c, "--seed 99 --scenario lossy --loss 0.1", &action, error));
    assert_true(c.seed_first == 99 && c.validators == 100 && c.loss < 0.2 &&
                c.expectation_count > 0);
    assert_string_equal(c.scenario, "lossy");
    config_clear(&c);
    assert_true(command(&c, "--scenario lossy --seeds 1..5", &action, error));
    assert_true(c.many_seeds && c.seed_first == 1 && c.seed_last == 5);
    config_clear(&c);
    assert_true(command(&c, "--scenario half-without-agents --agents 5", &action, error));
    assert_true(c.agents == 5 && c.no_agent <= 0);
    config_clear(&c);
}

static const struct pair bad_commands[] = {
    {"--validatrs 5", "unknown option '--validatrs', did you mean '--validators'?"},
    {"--min_validators 5", "did you mean '--min-validators'?"},
    {"--seed", "--seed: its value is missing; expected a whole number"},
    {"-x", "unknown option '-x'"},
    {"lossy", "unexpected word 'lossy'"},
    {"--seed 1 --seeds 1..2", "--seed and --seeds exclude each other"},
    {"--genesis g --validators 5", "--genesis and --validators exclude each other"},
    {"--compare --strategy draw", "exclude each other"},
    {"--compare=yes", "--compare takes no value"},
    {"--scenario losy", "did you mean 'lossy'?"},
    {"--scenario /nowhere", "as a file it cannot be opened: No such file"},
    {"--scenario /tmp", "it is a directory"},
    {"--validators 4 --min-validators 5", "min-validators: 5 is above the 4 validators"},
    {"--validators 3 --scenario operators-by-hand", "there is no validator 50 among 3"},
};

static void bad_command_lines_are_refused(void **state)
{
    struct sim_config c;
    enum options_action action;
    char error[CONFIG_ERROR_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof bad_commands / sizeof bad_commands[0]; i++) {
        assert_false(command(&c, bad_commands[i].key, &action, error));
        assert_one_line(error);
        if (!strstr(error, bad_commands[i].value))
            fail_msg("%s: %s", bad_commands[i].key, error);
        config_clear(&c);
    }
}

static void actions_are_returned(void **state)
{
    static const struct {
        const char *words;
        enum options_action action;
    } cases[] = {
        {"--help", OPTIONS_HELP},
        {"-h --nonsense", OPTIONS_HELP},
        {"--list-faults", OPTIONS_LIST_FAULTS},
        {"--validators 5 --list-scenarios", OPTIONS_LIST_SCENARIOS},
    };
    struct sim_config c;
    enum options_action action;
    char error[CONFIG_ERROR_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(command(&c, cases[i].words, &action, error));
        assert_int_equal(action, cases[i].action);
        config_clear(&c);
    }
}

/* What the function prints, in memory that the caller frees. */
static char *printed(void (*print)(FILE *out))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    print(out);
    fclose(out);
    return text;
}

static void help_names_every_option(void **state)
{
    char *text = printed(options_usage), option[64];
    const struct config_key *key;
    (void)state;
    for (uint32_t i = 0; (key = config_key(i)) != NULL; i++) {
        snprintf(option, sizeof option, "  --%s%s", key->name, key->argument ? " " : "");
        assert_non_null(strstr(text, option));
    }
    for (const char *line = text; *line; line = strchr(line, '\n') + 1)
        assert_in_range(strcspn(line, "\n"), 0, 120);
    free(text);
}

static void lists_name_everything(void **state)
{
    uint32_t count;
    (void)state;
    char *text = printed(options_list_faults);
    const struct fault_set *sets = fault_sets(&count);
    for (uint32_t i = 0; i < count; i++) {
        assert_non_null(strstr(text, sets[i].about));
        assert_ptr_equal(fault_set_find(sets[i].name), &sets[i]);
    }
    const struct fault_form *forms = fault_forms(&count);
    for (uint32_t i = 0; i < count; i++)
        assert_non_null(strstr(text, forms[i].about));
    free(text);
    text = printed(options_list_scenarios);
    const struct scenario *list = scenarios(&count);
    for (uint32_t i = 0; i < count; i++)
        assert_non_null(strstr(text, list[i].about));
    free(text);
}

static void strategies_have_names(void **state)
{
    (void)state;
    assert_string_equal(strategy_name(STRATEGY_DRAW), "draw");
    assert_string_equal(strategy_name(STRATEGY_ALL_AT_ONCE), "all-at-once");
    assert_string_equal(strategy_name(STRATEGY_OMNISCIENT), "omniscient");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_is_accepted),
        cmocka_unit_test(absurd_numbers_are_refused),
        cmocka_unit_test(ranges_end_where_they_say),
        cmocka_unit_test(refusals_name_value_range_and_example),
        cmocka_unit_test(values_arrive),
        cmocka_unit_test(a_decimal_is_what_the_compiler_makes_of_it),
        cmocka_unit_test(durations_are_whole_milliseconds),
        cmocka_unit_test(reboot_lists_are_read),
        cmocka_unit_test(bad_reboot_lists_are_refused),
        cmocka_unit_test(contradictions_are_found),
        cmocka_unit_test(options_fill_the_config),
        cmocka_unit_test(options_win_over_the_scenario),
        cmocka_unit_test(bad_command_lines_are_refused),
        cmocka_unit_test(actions_are_returned),
        cmocka_unit_test(help_names_every_option),
        cmocka_unit_test(lists_name_everything),
        cmocka_unit_test(strategies_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
