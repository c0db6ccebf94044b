/* The validator set against CometBFT: worked numbers, every refusal, a seeded walk whose checksums
 * were taken from CometBFT 0.37.2's own ValidatorSet, and 150 heights of a running KIRA network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/valset.h"

#define SIZE 12

struct pair { /* two sets that take turns, as the chain's do */
    struct model_member members[2][SIZE];
    struct model_set sets[2];
    uint32_t now;
    uint32_t ranks[SIZE];
};

static void pair_init(struct pair *p)
{
    memset(p, 0, sizeof(*p));
    for (uint32_t i = 0; i < 2; i++)
        p->sets[i].members = p->members[i];
    for (uint32_t v = 0; v < SIZE; v++)
        p->ranks[v] = v;
}

static struct model_set *current(struct pair *p)
{
    return &p->sets[p->now];
}

static enum valset_error update(struct pair *p, struct valset_change *changes, uint32_t count,
                                uint32_t *culprit)
{
    struct model_set *to = &p->sets[1 - p->now];
    enum valset_error error;

    for (uint32_t i = 0; i < count; i++)
        changes[i].rank = p->ranks[changes[i].validator];
    error = valset_update(to, current(p), p->ranks, changes, count, culprit);
    if (!error)
        p->now = 1 - p->now;
    return error;
}

static enum valset_error change(struct pair *p, uint32_t validator, int64_t power,
                                uint32_t *culprit)
{
    struct valset_change c = {validator, 0, power};

    return update(p, &c, 1, culprit);
}

/* Members 0 .. count-1 with these powers, before any increment. */
static void found(struct pair *p, const int64_t *powers, uint32_t count)
{
    struct valset_change changes[SIZE];

    pair_init(p);
    for (uint32_t v = 0; v < count; v++)
        changes[v] = (struct valset_change){v, 0, powers[v]};
    assert_int_equal(update(p, changes, count, NULL), VALSET_OK);
}

static void assert_priorities(const struct model_set *set, const int64_t *wanted, uint32_t count)
{
    assert_int_equal(set->count, count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(set->members[i].priority, wanted[i]);
}

static void test_worked_example(void **state)
{
    static const int64_t ones[] = {1, 1, 1};
    static const int64_t turns[4][3] = {{0, 0, 0}, {-2, 1, 1}, {-1, -1, 2}, {0, 0, 0}};
    struct pair p;

    (void)state;
    found(&p, ones, 3);
    for (uint32_t turn = 0; turn < 4; turn++) {
        if (turn > 0) {
            valset_increment(current(&p), 1);
            assert_int_equal(current(&p)->proposer, turn - 1);
        }
        assert_priorities(current(&p), turns[turn], 3);
    }
    assert_int_equal(change(&p, 3, 1, NULL), VALSET_OK);
    assert_priorities(current(&p), (const int64_t[]){1, 1, 1, -3}, 4);
    assert_int_equal(current(&p)->total_power, 4);
}

static void test_order_by_address(void **state)
{
    struct model_record records[3] = {{.address = {2}}, {.address = {0, 9}}, {.address = {1}}};
    uint32_t ranks[3];

    (void)state;
    assert_true(valset_rank(records, 3, ranks));
    assert_int_equal(ranks[0], 2);
    assert_int_equal(ranks[1], 0);
    assert_int_equal(ranks[2], 1);
}

static void test_tie_goes_to_lower_address(void **state)
{
    static const int64_t ones[] = {1, 1, 1};
    struct pair p;
    struct valset_change changes[3];

    (void)state;
    pair_init(&p);
    for (uint32_t v = 0; v < 3; v++) {
        p.ranks[v] = 2 - v;
        changes[v] = (struct valset_change){v, 0, ones[v]};
    }
    assert_int_equal(update(&p, changes, 3, NULL), VALSET_OK);
    for (uint32_t turn = 0; turn < 6; turn++) {
        valset_increment(current(&p), 1);
        assert_int_equal(current(&p)->proposer, 2 - turn % 3);
    }
}

static void test_several_turns_at_once(void **state)
{
    static const int64_t powers[] = {1, 2, 7};
    struct pair p;
    uint32_t turns[3] = {0};

    (void)state;
    found(&p, powers, 3);
    for (uint32_t i = 0; i < 10; i++) {
        valset_increment(current(&p), 1);
        turns[current(&p)->proposer]++;
    }
    assert_int_equal(turns[0], 1);
    assert_int_equal(turns[1], 2);
    assert_int_equal(turns[2], 7);
    assert_priorities(current(&p), (const int64_t[]){0, 0, 0}, 3);
    valset_increment(current(&p), 10);
    assert_priorities(current(&p), (const int64_t[]){0, 0, 0}, 3);
}

static void test_scale_truncates_centre_rounds_down(void **state)
{
    static const int64_t ones[] = {1, 1, 1};
    struct pair p;

    (void)state;
    found(&p, ones, 3);
    current(&p)->members[0].priority = -8;
    current(&p)->members[1].priority = 5;
    current(&p)->members[2].priority = 7;
    /* 15 over a window of 6: divided by 3 to -2, 1, 2; average 1/3 is 0; then one turn */
    valset_increment(current(&p), 1);
    assert_priorities(current(&p), (const int64_t[]){-1, 2, 0}, 3);

    current(&p)->members[0].priority = -3;
    current(&p)->members[1].priority = -1;
    current(&p)->members[2].priority = 0;
    /* average -4/3 is -2 */
    valset_increment(current(&p), 1);
    assert_priorities(current(&p), (const int64_t[]){0, 2, 0}, 3);
}

static void test_powers_change_priorities_stay(void **state)
{
    static const int64_t ones[] = {1, 1};
    struct pair p;

    (void)state;
    found(&p, ones, 2);
    valset_increment(current(&p), 1);
    assert_int_equal(change(&p, 1, 5, NULL), VALSET_OK);
    assert_priorities(current(&p), (const int64_t[]){-1, 1}, 2);
    assert_int_equal(current(&p)->total_power, 6);
    assert_int_equal(valset_find(current(&p), p.ranks, 1)->power, 5);
    assert_null(valset_find(current(&p), p.ranks, 2));
}

static void test_enormous_powers(void **state)
{
    static const int64_t one[] = {1};
    struct pair p;

    (void)state;
    found(&p, one, 1);
    assert_int_equal(change(&p, 1, VALSET_POWER_MAX - 1, NULL), VALSET_OK);
    for (uint32_t i = 0; i < 20; i++) {
        valset_increment(current(&p), 3);
        assert_int_equal(current(&p)->proposer, 1);
    }
}

static void test_refusals(void **state)
{
    static const int64_t ones[] = {1, 1};
    struct valset_change twice[] = {{1, 0, 1}, {0, 0, 1}, {1, 0, 0}};
    struct valset_change both[] = {{0, 0, 0}, {1, 0, 0}};
    struct valset_change stranger[] = {{0, 0, 0}, {2, 0, 0}};
    struct valset_change swap[] = {{0, 0, 0}, {1, 0, 0}, {2, 0, 1}};
    uint32_t who = 99;
    struct pair p;

    (void)state;
    found(&p, ones, 2);
    assert_int_equal(update(&p, twice, 3, &who), VALSET_DUPLICATE);
    assert_int_equal(who, 1);
    assert_int_equal(change(&p, 1, -1, &who), VALSET_POWER);
    assert_int_equal(change(&p, 1, VALSET_POWER_MAX + 1, &who), VALSET_POWER);
    assert_int_equal(who, 1);
    assert_int_equal(update(&p, both, 2, &who), VALSET_EMPTY);
    assert_int_equal(who, VALIDATOR_NONE);
    assert_int_equal(update(&p, stranger, 2, NULL), VALSET_EMPTY); /* as CometBFT: it only counts */
    assert_int_equal(change(&p, 2, 0, &who), VALSET_ABSENT);
    assert_int_equal(who, 2);
    assert_int_equal(change(&p, 1, VALSET_POWER_MAX, NULL), VALSET_OVERFLOW);
    assert_int_equal(current(&p)->count, 2);
    assert_priorities(current(&p), (const int64_t[]){0, 0}, 2);
    assert_int_equal(update(&p, swap, 3, NULL), VALSET_OK);
    assert_priorities(current(&p), (const int64_t[]){0}, 1);
}

static void test_copy(void **state)
{
    static const int64_t powers[] = {3, 1};
    struct pair p;

    (void)state;
    found(&p, powers, 2);
    valset_increment(current(&p), 1);
    assert_int_equal(update(&p, NULL, 0, NULL), VALSET_OK);
    assert_int_equal(current(&p)->total_power, 4);
    assert_int_equal(current(&p)->proposer, 0);
    assert_memory_equal(p.members[0], p.members[1], 2 * sizeof(struct model_member));
}

/* --- a walk that CometBFT made too --- */

struct walk {
    struct pair pair;
    uint64_t seed, sum;
};

static uint64_t draw(struct walk *w)
{
    w->seed = w->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return w->seed >> 33;
}

static void mix(struct walk *w, uint64_t value)
{
    for (uint32_t i = 0; i < 8; i++) {
        w->sum ^= value >> (8 * i) & 255;
        w->sum *= UINT64_C(1099511628211);
    }
}

static int64_t draw_power(struct walk *w)
{
    uint64_t kind = draw(w) % 16;

    if (kind < 7)
        return 0;
    if (kind < 13)
        return (int64_t)(1 + draw(w) % 1000);
    if (kind < 14)
        return (int64_t)(1 + (draw(w) << 18));
    return kind < 15 ? (int64_t)(draw(w) << 29) : 1;
}

static void walk_step(struct walk *w)
{
    struct valset_change changes[3];
    uint32_t count = (uint32_t)(draw(w) % 4);
    const struct model_set *set;

    for (uint32_t i = 0; i < count; i++) {
        changes[i].validator = (uint32_t)(draw(w) % SIZE);
        changes[i].power = draw_power(w);
    }
    mix(w, (uint64_t)update(&w->pair, changes, count, NULL));
    valset_increment(current(&w->pair), (uint32_t)(1 + draw(w) % 3));
    set = current(&w->pair);
    for (uint32_t i = 0; i < set->count; i++) {
        mix(w, set->members[i].validator);
        mix(w, (uint64_t)set->members[i].power);
        mix(w, (uint64_t)set->members[i].priority);
    }
    mix(w, (uint64_t)set->total_power);
    mix(w, set->proposer);
}

static void test_walk_as_cometbft(void **state)
{
    static const struct {
        uint32_t step;
        uint64_t sum;
    } wanted[] = {{100, UINT64_C(0x579f2bd0fdad8baa)},
                  {1000, UINT64_C(0xd7b6fe1026ef04cb)},
                  {5000, UINT64_C(0xe5a5bd5014917a98)}};
    struct walk w = {.seed = 1, .sum = UINT64_C(14695981039346656037)};
    struct valset_change changes[SIZE / 2];
    uint32_t step = 0;

    (void)state;
    pair_init(&w.pair);
    for (uint32_t v = 0; v < SIZE; v++)
        w.pair.ranks[v] = (v * 7 + 3) % SIZE;
    for (uint32_t i = 0; i < SIZE / 2; i++)
        changes[i] = (struct valset_change){2 * i, 0, 2 * i + 1};
    assert_int_equal(update(&w.pair, changes, SIZE / 2, NULL), VALSET_OK);
    valset_increment(current(&w.pair), 1);
    for (uint32_t i = 0; i < 3; i++) {
        for (; step < wanted[i].step; step++)
            walk_step(&w);
        assert_true(w.sum == wanted[i].sum);
    }
}

/* --- a running network --- */

/* A network of five under sekai v0.4.13: V(2), V(3) ... V(151). A letter is a member's priority, k
 * for 0, l for 1, j for -1; a dot stands for who is out. Below them the proposers of blocks 1 to
 * 150, by place in address order. */
static const char history[] =
    "hhmmm iiinn jjjjo kkkkk gllll hhmmm iiinn jjjjo kkkkk gllll hhmmm iiinn jjjjo kkkkk gllll "
    "hhmmm iiinn jjjjo kkkkk gllll hhmmm iiinn jjjjo kkkkk gllll ij.nn jk.ko kl.ll li.mm mj.jn "
    "nk.kk kl.ll li.mm nkhjo olikk kmjll likmm mjlj. jkmk. kljl. likm. mjlj. jkmk. kljl. likm. "
    "nkmjh jlnki kmjlj likmk jkm.m klj.n lmk.k mjl.l jkm.m klj.n lmk.k mjl.l jlnhn kmjio lnkjk "
    "mjlkl i.lkl j.ilm k.jmj l.kjk i.lkl j.ilm k.jmj l.kjk ihmlm jiimn kjjnj lkkjk hllkl ihmlm "
    "jiimn kjjnj lkkjk hllkl ihmlm jiimn kjjnj lkkjk hllkl ihmlm jiimn kjjnj lkkjk hllkl ihmlm "
    "jiimn kjjnj lkkjk hllkl jj.mn kk.nk ll.kl im.lm jj.mn kk.nk ll.kl im.lm kjhno lkiok mljkl "
    "imklm jjlm. kkmj. lljk. imkl. jjlm. kkmj. lljk. imkl. kjmnh lknji mljkj imklk jjl.l kki.m "
    "llj.j imk.k jjl.l kki.m llj.j imk.k kjmhm lkiin mljjj imkkk jilll kjhmm lkiin mljjj imkkk "
    "jilll kjhmm lkiin mljjj imkkk jilll kjhmm lkiin mljjj imkkk jilll kjhmm lkiin mljjj imkkk ";
static const char history_proposers[] =
    "012340123401234012340123401341340134013021302130210241024102410243024302430124301243012430"
    "124301430143014301320132013201240124012401234012340123401234";
#define HISTORY_FIRST 2
#define HISTORY_COUNT 150
#define HISTORY_SIZE 5

static uint32_t history_changes(const struct model_set *set, const uint32_t *ranks, const char *row,
                                struct valset_change *changes)
{
    uint32_t count = 0;

    for (uint32_t v = 0; v < HISTORY_SIZE; v++) {
        bool was = valset_find(set, ranks, v) != NULL;
        bool is = row[v] != '.';

        if (was != is)
            changes[count++] = (struct valset_change){v, 0, is};
    }
    return count;
}

static void test_running_network(void **state)
{
    static const int64_t ones[] = {1, 1, 1, 1, 1};
    struct valset_change changes[HISTORY_SIZE];
    struct pair p;

    (void)state;
    assert_int_equal(strlen(history), HISTORY_COUNT * (HISTORY_SIZE + 1));
    assert_int_equal(strlen(history_proposers), HISTORY_COUNT);
    found(&p, ones, HISTORY_SIZE);
    valset_increment(current(&p), 1);
    assert_int_equal(current(&p)->proposer, history_proposers[0] - '0');
    for (uint32_t i = 0; i < HISTORY_COUNT; i++) {
        const char *row = &history[i * (HISTORY_SIZE + 1)];
        uint32_t height = HISTORY_FIRST + i;
        uint32_t count = history_changes(current(&p), p.ranks, row, changes);

        assert_int_equal(update(&p, changes, count, NULL), VALSET_OK);
        valset_increment(current(&p), 1);
        for (uint32_t m = 0; m < current(&p)->count; m++) {
            const struct model_member *member = &current(&p)->members[m];

            assert_int_equal(member->priority, row[member->validator] - 'k');
        }
        if (height <= HISTORY_COUNT)
            assert_int_equal(current(&p)->proposer, history_proposers[height - 1] - '0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worked_example),
        cmocka_unit_test(test_order_by_address),
        cmocka_unit_test(test_tie_goes_to_lower_address),
        cmocka_unit_test(test_several_turns_at_once),
        cmocka_unit_test(test_scale_truncates_centre_rounds_down),
        cmocka_unit_test(test_powers_change_priorities_stay),
        cmocka_unit_test(test_enormous_powers),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_walk_as_cometbft),
        cmocka_unit_test(test_running_network),
    };

    return cmocka_run_group_tests_name("valset", tests, NULL, NULL);
}
