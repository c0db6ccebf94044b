/* Every broken variant of the rules is noticed by the checks of the simulator within 200 seeds, and by none
 * of them when nothing is broken. Prints the seed that shows each.
 *
 *     test_mutations              all of them
 *     test_mutations NAME SEED    one, with everything that was violated
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/options.h"
#include "sim/run.h"
#include "tests/mutations/mutation.h"

#define SEEDS 200
#define WORDS_MAX 32
#define SOUND_SEEDS 5 /* of each world, unmutated */

/* A world in which the variant can show itself. */
struct trial {
    enum mutation mutation;
    const char *name, *options;
};

#define TRIAL(name, options)                                                                       \
    {                                                                                              \
        MUTATION_##name, #name, options                                                            \
    }
static const struct trial trials[] = {
    TRIAL(NO_TIMEOUT, "--validators 21"),
    TRIAL(LATE_TIMEOUT, "--validators 21"),
    TRIAL(GONE_NOT_COUNTED, "--validators 40 --faults mixed --latency 3s --epoch-blocks 2"),
    TRIAL(OTHER_SET, "--validators 100 --reboot lognormal:300s,0.4 --faults people"),
    TRIAL(JOIN_OVERLOOKED, "--validators 21"),
    TRIAL(FAILED_PAUSE_HAPPENED, "--validators 40 --hostile 0.2 --hostile-kinds proposer"),
    TRIAL(DRAW_WITHOUT_BLOCKS, "--scenario pruned-nodes --until 1h"),
    TRIAL(FOREIGN_IGNORED, "--validators 40 --hostile 0.1 --hostile-kinds charter"),
    TRIAL(USED_UP_WITHOUT, "--validators 40 --reboot lognormal:300s,0.4 --latency 2s"),
    TRIAL(NEVER_USED_UP, "--validators 40 --faults mixed"),
    TRIAL(
        ROUND_FORGETS,
        "--validators 40 --faults crashes --latency 3s --epoch-blocks 2 --round-blocks 60 --reboot lognormal:300s,0.4"),
    TRIAL(BUDGET_PLUS_ONE, "--validators 21"),
    TRIAL(REGISTERED_COUNTED, "--validators 21"),
    TRIAL(MEMBERS_ARE_LIVE, "--validators 40 --faults hosts"),
    TRIAL(OFFLINE_EARLY, "--validators 21"),
    TRIAL(NO_CHECK_AT_LEFT, "--validators 21 --faults hosts --reserve 0"),
    TRIAL(PAUSE_WITH_UNPAUSE, "--validators 21"),
    TRIAL(UNPAUSE_EARLY, "--validators 21 --reboot 60s"),
    TRIAL(REFERENCE_RATCHETS, "--validators 21 --min-validators 1"),
    TRIAL(WINDOW_STAYS_OPEN, "--scenario votes-and-stragglers"),
    TRIAL(REFUSED_JOIN_COUNTS, "--validators 40 --hostile 0.2 --hostile-kinds proposer"),
};
#define TRIAL_COUNT (sizeof trials / sizeof *trials)

struct setting {
    struct sim_config config;
    struct genesis genesis;
    char words[512];
};

static bool set_up(struct setting *s, const char *options)
{
    char *argv[WORDS_MAX] = {(char[]){"sim"}}, error[CONFIG_ERROR_MAX];
    int argc = 1;
    enum options_action action;
    snprintf(s->words, sizeof s->words, "%s", options);
    for (char *word = strtok(s->words, " "); word && argc < WORDS_MAX; word = strtok(NULL, " "))
        argv[argc++] = word;
    if (!options_read(&s->config, argc, argv, &action, error)) {
        printf("%s: %s\n", options, error);
        return false;
    }
    genesis_synthetic(&s->genesis, "mutations-1", s->config.validators, 0, 0, 0,
                      s->config.min_validators);
    return true;
}

static void tear_down(struct setting *s)
{
    genesis_clear(&s->genesis);
    config_clear(&s->config);
}

static bool run_seed(const struct setting *s, uint64_t seed, struct result *result)
{
    struct run *run = calloc(1, sizeof *run);
    run->config = &s->config;
    run->genesis = &s->genesis;
    run->seed = seed;
    bool ok = run_one(run);
    if (!ok)
        printf("%s\n", run->error);
    *result = run->result;
    free(run);
    return ok;
}

static void tell(const struct result *r, uint32_t most)
{
    for (uint32_t i = 0; i < r->violation_count && i < most && i < VIOLATIONS_KEPT; i++)
        printf("    %s at height %" PRIu64 ": %s\n", r->violations[i].invariant,
               r->violations[i].height, r->violations[i].text);
}

/* One line with every invariant that was violated, the first one first. */
static void tell_caught(const struct trial *t, const struct result *r)
{
    printf("caught   %-22s seed %-3" PRIu64 " ", t->name, r->seed);
    for (uint32_t i = 0; i < r->violation_count && i < VIOLATIONS_KEPT; i++) {
        bool told = false;
        for (uint32_t j = 0; j < i; j++)
            told = told || strcmp(r->violations[i].invariant, r->violations[j].invariant) == 0;
        if (!told)
            printf(i ? ",%s" : "%s", r->violations[i].invariant);
    }
    printf(": %s\n", t->options);
}

/* Whether the variant is caught, and its place reached at all. */
static bool try_mutation(const struct trial *t)
{
    struct setting s;
    struct result r;
    uint64_t seed = 1;
    if (!set_up(&s, t->options))
        return false;
    mutation_choose(t->mutation);
    for (; seed <= SEEDS; seed++)
        if (!run_seed(&s, seed, &r) || r.violation_count > 0)
            break;
    bool caught = seed <= SEEDS && r.violation_count > 0;
    if (caught)
        tell_caught(t, &r);
    else
        printf("%s %-22s after %d seeds of: %s\n", mutation_reached() ? "SURVIVED" : "NOT REACHED",
               t->name, SEEDS, t->options);
    tear_down(&s);
    return caught;
}

/* The same worlds with nothing broken. */
static bool try_sound(const struct trial *t)
{
    struct setting s;
    struct result r;
    bool sound = set_up(&s, t->options);
    mutation_choose(MUTATION_NONE);
    for (uint64_t seed = 1; sound && seed <= SOUND_SEEDS; seed++) {
        sound = run_seed(&s, seed, &r) && r.violation_count == 0;
        if (!sound) {
            printf("FALSE ALARM, seed %" PRIu64 " of: %s\n", seed, t->options);
            tell(&r, 3);
        }
    }
    tear_down(&s);
    return sound;
}

static int show_one(const char *name, uint64_t seed)
{
    for (size_t i = 0; i < TRIAL_COUNT; i++) {
        struct setting s;
        struct result r;
        if (strcmp(trials[i].name, name) != 0 || !set_up(&s, trials[i].options))
            continue;
        mutation_choose(trials[i].mutation);
        run_seed(&s, seed, &r);
        printf("%s, seed %" PRIu64 ": %u violations, reached %" PRIu64 " times\n", name, seed,
               r.violation_count, mutation_reached());
        tell(&r, VIOLATIONS_KEPT);
        tear_down(&s);
        return 0;
    }
    printf("there is no variant %s\n", name);
    return 1;
}

int main(int argc, char **argv)
{
    size_t failed = 0;
    if (argc == 3)
        return show_one(argv[1], strtoull(argv[2], NULL, 10));
    for (size_t i = 0; i < TRIAL_COUNT; i++)
        failed += (size_t)!try_mutation(&trials[i]) + (size_t)!try_sound(&trials[i]);
    bool complete = TRIAL_COUNT == MUTATION_COUNT - 1;
    printf("%zu variants, %zu failures%s\n", TRIAL_COUNT, failed,
           complete ? "" : ", and some variant of coord/mutation.h is not tried");
    return failed || !complete;
}
