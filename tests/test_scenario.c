/* The scenario language: every line that is good, every way to get one wrong, and the shipped
 * files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/config.h"
#include "proto/input.h"

#ifndef STAGGER_SOURCE_DIR
#define STAGGER_SOURCE_DIR "."
#endif

static struct sim_config config;
static char error[CONFIG_ERROR_MAX];

static bool read_text(const char *text)
{
    config_clear(&config);
    config_default(&config);
    error[0] = '\0';
    return scenario_read_text(&config, "file.scn", text, strlen(text), NULL, error);
}

static void assert_read(const char *text)
{
    if (!read_text(text))
        fail_msg("%s: %s", text, error);
}

static void assert_refused(const char *text, const char *part)
{
    if (read_text(text))
        fail_msg("accepted: %s", text);
    if (!strstr(error, part))
        fail_msg("%s: %s", text, error);
    for (const char *c = error; *c; c++)
        assert_in_range((unsigned char)*c, ' ', '~');
}

static const struct fault *one_fault(const char *line)
{
    assert_read(line);
    assert_int_equal(config.fault_count, 1);
    return &config.faults[0];
}

static int teardown(void **state)
{
    (void)state;
    config_clear(&config);
    return 0;
}

static void world_lines_set_keys(void **state)
{
    (void)state;
    assert_read(
        "# about\r\n\tvalidators   40 # forty\r\n\n  guard\nchain\tdcl\nreboot lognormal:300s,0.4\n"
        "seed 5");
    assert_int_equal(config.chain, CHAIN_DCL);
    assert_int_equal(config.validators, 40);
    assert_true(config.guard && config.seed_last == 5);
    assert_int_equal(config.reboot.kind, DURATION_LOGNORMAL);
}

static void a_file_name_may_hold_blanks_and_hashes(void **state)
{
    (void)state;
    assert_read("genesis my file#1.json # comment\n");
    assert_string_equal(config.genesis, "my file#1.json");
}

static void fault_lines_are_read(void **state)
{
    (void)state;
    const struct fault *f = one_fault("# x\nat 120s partition 10% for 60s\n");
    assert_true(f->kind == FAULT_PARTITION && f->at_ms == 120000 && f->for_ms == 60000 &&
                f->line == 2);
    assert_string_equal(f->who, "10%");
    f = one_fault("at 2m lag 5% by 4 blocks for 3m");
    assert_true(f->kind == FAULT_LAG && f->count == 4 && f->for_ms == 180000);
    f = one_fault("at 3m slow 3,5,7 for 5m by 2s");
    assert_true(f->kind == FAULT_SLOW && f->by_ms == 2000 && f->for_ms == 300000);
    assert_string_equal(f->who, "3,5,7");
    f = one_fault("at 0s skew half by -90s");
    assert_true(f->kind == FAULT_SKEW && f->by_ms == -90000 && f->at_ms == 0);
    f = one_fault("at 10m min-validators 80");
    assert_true(f->kind == FAULT_MIN_VALIDATORS && f->count == 80);
    f = one_fault("at 5m upgrade in 40m votes 0.5");
    assert_true(f->kind == FAULT_UPGRADE && f->for_ms == 2400000 && f->fraction * 2 == 1);
    f = one_fault("at 0s loss 1 for 5m");
    assert_true(f->kind == FAULT_LOSS && f->fraction >= 1 && f->for_ms == 300000);
}

static void what_is_left_out_has_a_default(void **state)
{
    (void)state;
    assert_int_equal(one_fault("at 1m crash-agent all")->for_ms, 5000);
    assert_int_equal(one_fault("at 1m lose-journal 3")->for_ms, 5000);
    assert_int_equal(one_fault("at 1m loss 0.5")->for_ms, 0);
    assert_true(one_fault("at 1m upgrade in 1h")->fraction >= 1);
    assert_string_equal(one_fault("at 1m unfreeze")->who, "all");
    assert_string_equal(one_fault("at 1m unfreeze 3")->who, "3");
}

static void every_repeats(void **state)
{
    (void)state;
    assert_read("every 30s crash-agent out for 5s until 20m");
    assert_int_equal(config.fault_count, 40);
    assert_int_equal(config.faults[0].at_ms, 30000);
    assert_int_equal(config.faults[39].at_ms, 1200000);
    assert_int_equal(config.faults[39].for_ms, 5000);
    assert_read("every 10s agree from 0s until 25s");
    assert_int_equal(config.fault_count, 3);
    assert_read("every 1m unfreeze from 10m until 10m");
    assert_int_equal(config.fault_count, 1);
}

static void faults_come_in_the_order_of_time(void **state)
{
    (void)state;
    assert_read("at 5m agree\nevery 2m vote 1 until 6m\nat 5m unfreeze\nat 0s agree\n");
    assert_int_equal(config.fault_count, 6);
    static const uint32_t lines[] = {4, 2, 2, 1, 3, 2}; /* of one time: as they stand in the file */
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(config.faults[i].line, lines[i]);
}

static void examples_are_good_and_all_kinds_have_one(void **state)
{
    uint32_t count;
    const struct fault_form *forms = fault_forms(&count);
    (void)state;
    assert_int_equal(count, FAULT_KIND_COUNT);
    for (uint32_t i = 0; i < count; i++) {
        assert_read(forms[i].example);
        assert_int_equal(config.faults[0].kind, i);
    }
}

static void expectations_are_read(void **state)
{
    (void)state;
    assert_read(
        "expect done all\nexpect min_live >= 67\nexpect makespan_s <= 1234.5\nexpect exit = 4\n");
    assert_int_equal(config.expectation_count, 4);
    const struct expectation *e = config.expectations;
    assert_true(e[0].all && e[0].op == EXPECT_EQ && e[0].line == 1);
    assert_string_equal(e[0].key, "done");
    assert_true(e[1].op == EXPECT_GE && !(e[1].value < 67) && !(e[1].value > 67));
    assert_true(e[2].op == EXPECT_LE && e[2].value > 1234.4 && e[2].value < 1234.6);
    assert_true(e[3].op == EXPECT_EQ && e[3].value > 3.9 && e[3].line == 4);
}

static const char *const bad_lines[][2] = {
    {"\n\nvalidatrs 5", "file.scn:3: unknown word 'validatrs', did you mean 'validators'?"},
    {"evry 5s agree until 1m", "did you mean 'every'?"},
    {"trace x", "file.scn:1: trace belongs on the command line, as --trace"},
    {"loss 1.5", "file.scn:1: loss: given '1.5'; expected a fraction"},
    {"loss", "file.scn:1: loss: given ''"},
    {"seed 1\nseed 2", "file.scn:2: seed: line 1 says 'seed' already"},
    {"agents 5\nno-agent 0.1", "no-agent: line 1 says 'agents' already"},
    {"genesis g\nvalidators 5", "validators: line 1 says 'genesis' already"},
    {"at", "at: given ''; expected a time from 0s to 30d"},
    {"at 5 agree", "at: given '5'"},
    {"at 31d agree", "at: given '31d'"},
    {"every 500ms agree until 1m", "expected a time from 1s to 30d"},
    {"at 5s", "at: unknown fault ''"},
    {"at 5s partion 10% for 1m",
     "unknown fault 'partion', did you mean 'partition'?; expected one of"},
    {"at 5s frobnicate", "see --list-faults"},
    {"at 5s partition", "partition: WHO is missing; expected 'at TIME partition WHO for DURATION'"},
    {"at 5s partition 10%", "'for DURATION' is missing"},
    {"at 5s partition 10% for", "nothing stands behind for"},
    {"at 5s partition 10% for 1m for 2m", "given twice: for"},
    {"at 5s partition 10% by 1m", "it cannot be followed by by"},
    {"at 5s partition 10% for 8d", "'for' is 1ms to 7d, not 8d"},
    {"at 5s partition 101% for 1m", "not 101%"},
    {"at 5s partition 0% for 1m", "not 0%"},
    {"at 5s partition 3,,5 for 1m", "not 3,,5"},
    {"at 5s partition 16384 for 1m", "not 16384"},
    {"at 5s partition some for 1m", "not some"},
    {"at 5s vote 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "up to 16 numbers"},
    {"at 5s agree 3", "it cannot be followed by 3"},
    {"at 5s agree until 9s", "it cannot be followed by until"},
    {"at 5s lag 3 by 4 for 1m", "the word 'blocks' is missing"},
    {"at 5s lag 3 by 41 blocks for 1m", "N is 1 to 40 blocks, not 41"},
    {"at 5s lag 3 by 4s for 1m", "not 4s"},
    {"at 5s skew 3 by 0s", "not 0s"},
    {"at 5s skew 3", "'by' and how much is missing"},
    {"at 5s loss 2", "FRACTION is 0 to 1, not 2"},
    {"at 5s loss", "its number is missing"},
    {"at 5s min-validators 0", "N is a whole number from 1"},
    {"at 5s upgrade votes 0.5", "'in DURATION' is missing"},
    {"at 5s upgrade in 1h votes nan", "'votes' is 0 to 1, not nan"},
    {"every 30s agree", "'until TIME' is missing"},
    {"every 30s agree until 10s", "it would never happen"},
    {"every 30s unfreeze until", "nothing stands behind until"},
    {"every 1s agree until 30d", "more than 1000 faults"},
    {"expect", "a result and a number are wanted"},
    {"expect done", "a result and a number are wanted"},
    {"expect done >= 5 6", "not '6'"},
    {"expect min_liv >= 5", "unknown result 'min_liv', did you mean 'min_live'?"},
    {"expect colour 5", "unknown result 'colour'"},
    {"expect done > 5", "unknown comparison '>'"},
    {"expect done nan", "no number: 'nan'"},
    {"expect exit 2", "exit is 0, 1, 3, 4 or 5, not '2'"},
};

static void bad_lines_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_lines / sizeof bad_lines[0]; i++)
        assert_refused(bad_lines[i][0], bad_lines[i][1]);
}

static void long_words_keep_errors_to_one_line(void **state)
{
    char text[900] = "at 5s ";
    (void)state;
    memset(text + 6, 'x', 800);
    assert_refused(text, "unknown fault 'xxx");
    memcpy(text, "loss  ", 6);
    assert_refused(text, "given 'xxx");
    memset(text, 'y', 800);
    assert_refused(text, "unknown word 'yyy");
}

static void size_and_shape_are_bounded(void **state)
{
    char *text = malloc(SCENARIO_SIZE_MAX + 2);
    (void)state;
    memset(text, ' ', SCENARIO_SIZE_MAX + 1);
    text[SCENARIO_SIZE_MAX + 1] = '\0';
    assert_refused(text, "larger than the 1048576 bytes");
    text[SCENARIO_LINE_MAX + 1] = '\0';
    assert_refused(text, "more than 1000 characters");
    text[SCENARIO_LINE_MAX] = '\0';
    assert_read(text);
    memset(text, '\n', SCENARIO_LINES_MAX + 1);
    text[SCENARIO_LINES_MAX + 1] = '\0';
    assert_refused(text, "file.scn:10001: more than 10000 lines");
    text[0] = '\0';
    for (size_t i = 0; i < EXPECTATIONS_MAX + 1; i++)
        strcat(text, "expect exit 0\n");
    assert_refused(text, "file.scn:201: more than 200 expectations");
    strcpy(text, "at 1s partition a a a a a a a a a a a a a a a a a a a a a a a a a a");
    assert_refused(text, "more than 24 words");
    free(text);
}

static void noise_is_refused(void **state)
{
    static const char noise[] = "\x7f"
                                "ELF\x02\x01\x01\0\0\0";
    (void)state;
    config_clear(&config);
    config_default(&config);
    assert_false(scenario_read_text(&config, "file.scn", noise, sizeof noise - 1, NULL, error));
    assert_string_equal(
        error, "file.scn:1: byte 0x7f in column 1 is no text; a scenario is a text file, see "
               "sim/SCENARIOS.md");
    assert_false(scenario_read_text(&config, "file.scn", "seed\0 5", 7, NULL, error));
    assert_non_null(strstr(error, "byte 0x00 in column 5"));
    assert_refused("\xff\xfe\xa0\xb0", "unknown word '\?\?\?\?'");
}

static void fixed_keys_stay_but_must_be_right(void **state)
{
    static const char *const fixed[] = {"seeds", "loss", "agents", NULL};
    static const char good[] = "seed 5\nloss 0.3\nno-agent 0.4\nvalidators 7\n";
    static const char bad[] = "seed 5\nloss 3\n";
    (void)state;
    config_clear(&config);
    config_default(&config);
    assert_true(scenario_read_text(&config, "f", good, sizeof good - 1, fixed, error));
    assert_true(config.seed_first == 1 && config.loss <= 0 && config.no_agent <= 0);
    assert_int_equal(config.validators, 7);
    assert_false(scenario_read_text(&config, "f", bad, sizeof bad - 1, fixed, error));
    assert_non_null(strstr(error, "f:2: loss: given '3'"));
}

static void reading_twice_replaces(void **state)
{
    static const char text[] = "at 1s agree\nexpect exit 0\n";
    (void)state;
    config_clear(&config);
    config_default(&config);
    for (int i = 0; i < 2; i++)
        assert_true(scenario_read_text(&config, "f", text, sizeof text - 1, NULL, error));
    assert_int_equal(config.fault_count, 1);
    assert_int_equal(config.expectation_count, 1);
}

static void faults_of_another_chain_are_found(void **state)
{
    (void)state;
    assert_read("chain dcl\nat 1m upgrade in 1h\n");
    assert_false(config_check(&config, error));
    assert_non_null(strstr(error, "upgrade: DCL has nothing of the kind"));
    assert_read("at 1m trustees 3\n");
    assert_false(config_check(&config, error));
    assert_non_null(strstr(error, "trustees: KIRA has no trustees"));
    assert_read("validators 10\nat 1m vote 9,10\n");
    assert_false(config_check(&config, error));
    assert_non_null(strstr(error, ":2: vote: there is no validator 10 among 10"));
}

static void files_are_read(void **state)
{
    char path[] = "/tmp/stagger-scn-XXXXXX";
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0 && write(fd, "# a\nvalidators 9\nloss x\n", 24) == 24);
    close(fd);
    config_clear(&config);
    config_default(&config);
    assert_false(scenario_read(&config, path, NULL, error));
    assert_non_null(strstr(error, ":3: loss: given 'x'"));
    assert_int_equal(truncate(path, 17), 0);
    assert_true(scenario_read(&config, path, NULL, error));
    assert_int_equal(config.validators, 9);
    assert_string_equal(config.scenario, path);
    unlink(path);
    assert_false(scenario_read(&config, path, NULL, error));
    assert_non_null(strstr(error, "it cannot be opened"));
    assert_false(scenario_read(&config, "/dev/zero", NULL, error));
    assert_non_null(strstr(error, "larger than"));
}

static void shipped_scenarios_are_good(void **state)
{
    uint32_t count;
    const struct scenario *list = scenarios(&count);
    (void)state;
    assert_in_range(count, 25, 100);
    for (uint32_t i = 0; i < count; i++) {
        config_clear(&config);
        config_default(&config);
        if (!scenario_read(&config, list[i].name, NULL, error) || !config_check(&config, error))
            fail_msg("%s", error);
        assert_true(config.expectation_count > 0 && !config.many_seeds);
        assert_true(strlen(list[i].about) > 20 && strncmp(list[i].text, "# ", 2) == 0);
        assert_memory_equal(list[i].text + 2, list[i].about, strlen(list[i].about));
        for (uint32_t j = 0; j < i; j++)
            assert_string_not_equal(list[j].name, list[i].name);
    }
}

static void shipped_scenarios_show_every_fault(void **state)
{
    uint32_t count;
    const struct scenario *list = scenarios(&count);
    bool seen[FAULT_KIND_COUNT] = {false};
    (void)state;
    for (uint32_t i = 0; i < count; i++) {
        assert_read(list[i].text);
        for (uint32_t j = 0; j < config.fault_count; j++)
            seen[config.faults[j].kind] = true;
    }
    const struct fault_form *forms = fault_forms(&count);
    for (uint32_t i = 0; i < count; i++)
        if (!seen[i] && i != FAULT_LOSS &&
            i != FAULT_MIN_VALIDATORS) /* tests/data has one of the latter */
            fail_msg("no shipped scenario has the fault %s", forms[i].name);
}

static void the_document_names_everything(void **state)
{
    char *text, word[80];
    size_t size;
    uint32_t count;
    const struct config_key *key;
    (void)state;
    if (!input_file(STAGGER_SOURCE_DIR "/sim/SCENARIOS.md", 100000, true, &text, &size, error))
        fail_msg("sim/SCENARIOS.md: %s", error);
    for (uint32_t i = 0; (key = config_key(i)) != NULL; i++) {
        snprintf(word, sizeof word, key->command_line ? "%s" : "\n| `%s` |", key->name);
        if (!key->command_line || strcmp(key->name, "seeds") == 0)
            assert_non_null(strstr(text, word));
    }
    const struct fault_form *forms = fault_forms(&count);
    for (uint32_t i = 0; i < count; i++) {
        snprintf(word, sizeof word, "\n| `%s%s%s` |", forms[i].name, *forms[i].form ? " " : "",
                 forms[i].form);
        if (!strstr(text, word))
            fail_msg("sim/SCENARIOS.md does not have %s", word + 1);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(world_lines_set_keys),
        cmocka_unit_test(a_file_name_may_hold_blanks_and_hashes),
        cmocka_unit_test(fault_lines_are_read),
        cmocka_unit_test(what_is_left_out_has_a_default),
        cmocka_unit_test(every_repeats),
        cmocka_unit_test(faults_come_in_the_order_of_time),
        cmocka_unit_test(examples_are_good_and_all_kinds_have_one),
        cmocka_unit_test(expectations_are_read),
        cmocka_unit_test(bad_lines_are_refused),
        cmocka_unit_test(long_words_keep_errors_to_one_line),
        cmocka_unit_test(size_and_shape_are_bounded),
        cmocka_unit_test(noise_is_refused),
        cmocka_unit_test(fixed_keys_stay_but_must_be_right),
        cmocka_unit_test(reading_twice_replaces),
        cmocka_unit_test(faults_of_another_chain_are_found),
        cmocka_unit_test(files_are_read),
        cmocka_unit_test(shipped_scenarios_are_good),
        cmocka_unit_test(shipped_scenarios_show_every_fault),
        cmocka_unit_test(the_document_names_everything),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
