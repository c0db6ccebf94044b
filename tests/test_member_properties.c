/* What holds of a member whatever happens to it, by seeded random streams of events.
 *
 * The world itself checks every step (member_world.c): PERSIST first and once, nothing sent or run without
 * it, at most one transaction in flight, every pause with timeout E + W, every memory that is stored valid.
 * A failure prints its seed; MEMBER_SEED=n runs that one alone, with its story.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/member_world.h"

#define SEEDS 500
#define BLOCKS 130

static struct member_world world, other_world;
static uint64_t running; /* the seed, while a test has not passed */

static int end(void **state)
{
    (void)state;
    if (running)
        fprintf(stderr, "repeat it with MEMBER_SEED=%llu\n", (unsigned long long)running);
    running = 0;
    world_close(&world);
    world_close(&other_world);
    return 0;
}

/* --- chance --- */

struct dice {
    uint64_t state;
};

static uint64_t roll(struct dice *d, uint64_t sides)
{
    uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % sides;
}

static bool chance(struct dice *d, uint32_t of_1000)
{
    return roll(d, 1000) < of_1000;
}

/* --- habits of a run --- */

struct habits {
    struct dice dice;
    bool repeats;  /* every event comes twice, and blocks that nobody asked for */
    bool sparse;   /* only the blocks and instants that coord_deadline() asks for */
    bool troubles; /* refusals, losses, failing steps, a node that comes and goes */
    bool stir;     /* crashes, commands, plans, pauses by hand, in any order */
};

static struct world_setup shape(struct dice *d)
{
    struct world_setup setup = world_usual();
    setup.members = 4 + (uint32_t)roll(d, 12);
    setup.chain = chance(d, 300) ? CHAIN_DCL : CHAIN_KIRA;
    setup.rare_blocks = setup.chain == CHAIN_DCL && chance(d, 600);
    setup.epoch_blocks = chance(d, 500) ? 3 : 3 + (uint32_t)roll(d, 5);
    setup.joins_max = 3 + (uint32_t)roll(d, 6);
    if (chance(d, 200))
        setup.policy.max_offline = 1 + (int64_t)roll(d, 3);
    if (chance(d, 200))
        setup.policy.own_floor = (int64_t)setup.members - 2;
    return setup;
}

/* What the others do in the next block: independent of us. */
static void others_act(struct member_world *w, struct dice *d)
{
    for (uint32_t v = 1; v < w->setup.members; v++) {
        bool in_set = w->want[v];
        if (in_set && chance(d, 60))
            world_join(w, v, 1 + (uint32_t)roll(d, 9));
        if (in_set && chance(d, 15))
            world_tx(w, v, TX_PAUSE, chance(d, 300) ? 7 : 0);
        else if (!in_set && chance(d, 150))
            world_tx(w, v, TX_UNPAUSE, 0);
        if (chance(d, 5))
            world_foreign_join(w, v);
        if (chance(d, w->silent[v] ? 200 : 5))
            w->silent[v] = !w->silent[v];
    }
}

static void make_trouble(struct member_world *w, struct dice *d)
{
    if (chance(d, 80))
        world_fate(w, 1 + (enum tx_kind)roll(d, 4), 1 + (enum world_fate)roll(d, 3),
                   1 + (uint32_t)roll(d, 3));
    if (chance(d, 40))
        world_fail_step(w, STEP_STOP + (enum coord_step_kind)roll(d, 4), (uint32_t)roll(d, 5));
    if (chance(d, 30))
        w->node.catching_up = !w->node.catching_up;
    if (chance(d, 30))
        w->node.stuck = !w->node.stuck;
}

static void command_something(struct member_world *w, struct dice *d)
{
    static const int64_t works[] = {0, 1000, WORLD_WORK_MS, 10 * MINUTE_MS};
    world_command(w, (enum coord_command)roll(d, COMMAND_COUNT), works[roll(d, 4)]);
}

static void tell_something(struct member_world *w, struct dice *d)
{
    struct coord_event event = {.kind = EVENT_PEERS};
    switch (roll(d, 6)) {
    case 0:
        event.peers = (struct coord_peers){.conflict = chance(d, 300), .head = {w->height}};
        world_event(w, event);
        return;
    case 1:
        world_event(w, (struct coord_event){.kind = EVENT_STORE, .store_works = chance(d, 700)});
        return;
    case 2:
        world_plan(w, (int64_t)roll(d, 20) * MINUTE_MS, chance(d, 500));
        return;
    case 3:
        world_event(w, (struct coord_event){.kind = EVENT_PLAN});
        return;
    case 4:
        event.kind = EVENT_RUNTIME;
        event.runtime.step = (enum coord_step_kind)roll(d, STEP_RESTORE + 1);
        event.runtime.ok = chance(d, 500);
        world_event(w, event);
        return;
    default:
        world_event(w, (struct coord_event){.kind = EVENT_TIME});
    }
}

/* The agent dies or lives again, the chain or somebody's hand moves us, in any order. */
static void stir(struct member_world *w, struct dice *d)
{
    if (w->alive && chance(d, 20))
        world_kill(w);
    else if (!w->alive && chance(d, 400))
        world_start(w, w->written && chance(d, 600) ? JOURNAL_KEPT
                       : chance(d, 500)             ? JOURNAL_NONE
                                                    : JOURNAL_DAMAGED);
    if (chance(d, 60))
        command_something(w, d);
    if (chance(d, 100))
        tell_something(w, d);
    if (chance(d, 10) && w->self.status == COORD_ACTIVE)
        world_tx(w, US, TX_PAUSE, 0);
    else if (chance(d, 10) && w->self.status == COORD_IS_PAUSED)
        world_tx(w, US, TX_UNPAUSE, 0);
    if (chance(d, 5) && w->self.status == COORD_ACTIVE && w->want[US]) {
        w->self.status = chance(d, 300) ? COORD_JAILED : COORD_INACTIVE;
        world_put(w, US, false);
    } else if (chance(d, 20) && w->self.status == COORD_JAILED) {
        w->self.status = COORD_INACTIVE;
    }
    w->manual = chance(d, 100);
}

/* --- a run --- */

static void show_block(struct member_world *w, const struct habits *h)
{
    bool due = w->height >= coord_deadline(&w->core, w->view).block.n;
    if (!h->sparse || due || w->news_count)
        world_show(w);
    else if (w->node.up)
        w->node.new_blocks++;
}

static void run(struct member_world *w, uint64_t seed, struct habits h)
{
    h.dice.state = seed;
    struct world_setup setup = shape(&h.dice);
    world_open(w, &setup);
    w->twice = h.repeats;
    w->tale = getenv("MEMBER_SEED") ? TALE_PLAIN : TALE_NONE;
    world_start(w, JOURNAL_KEPT);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        if (i % 25 == 5) {
            world_show(w); /* whoever hears the operator looks up the head first */
            world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
        }
        if (h.troubles)
            make_trouble(w, &h.dice);
        if (h.stir)
            stir(w, &h.dice);
        if (w->tx_count + WORLD_MAX < WORLD_TXS_MAX)
            others_act(w, &h.dice);
        world_commit(w);
        show_block(w, &h);
        if (!w->manual)
            world_wait(w, setup.rare_blocks && chance(&h.dice, 200) ? 90000 : WORLD_BLOCK_MS - 1);
    }
}

/* --- comparing two runs --- */

static void print_sends(const struct member_world *w)
{
    for (uint32_t i = 0; i < w->send_count; i++)
        fprintf(stderr, " %d@%llu/%llu", (int)w->sends[i].kind,
                (unsigned long long)w->sends[i].at.n, (unsigned long long)w->sends[i].timeout.n);
    fprintf(stderr, "\n");
}

static bool same_send(const struct world_send *a, const struct world_send *b)
{
    return a->kind == b->kind && a->at.n == b->at.n && a->timeout.n == b->timeout.n &&
           a->class_minutes == b->class_minutes && a->charter == b->charter;
}

static void same_sends(void)
{
    bool same = world.send_count == other_world.send_count;
    for (uint32_t i = 0; same && i < world.send_count; i++)
        same = same_send(&world.sends[i], &other_world.sends[i]);
    if (!same) {
        print_sends(&world);
        print_sends(&other_world);
    }
    if (!same && getenv("MEMBER_SEED"))
        fprintf(stderr, "%s\n--- the other\n%s\n", world.story, other_world.story);
    assert_true(same);
}

/* Calls `test` for the seeds 1 to `count`, or for the one that the environment names. */
static void for_seeds(uint64_t count, void (*test)(uint64_t seed))
{
    const char *wanted = getenv("MEMBER_SEED");
    uint64_t first = wanted ? strtoull(wanted, NULL, 10) : 1;
    for (uint64_t seed = first; seed <= (wanted ? first : count); seed++) {
        running = seed;
        test(seed);
    }
    running = 0;
}

static void compare(uint64_t seed, struct habits plain, struct habits changed)
{
    run(&world, seed, plain);
    run(&other_world, seed, changed);
    same_sends();
}

static void compare_repeats(uint64_t seed)
{
    compare(seed, (struct habits){0}, (struct habits){.repeats = true});
}

static void events_may_come_twice(void **state)
{
    (void)state;
    for_seeds(SEEDS, compare_repeats);
}

static void compare_repeats_in_trouble(uint64_t seed)
{
    compare(seed, (struct habits){.troubles = true},
            (struct habits){.troubles = true, .repeats = true});
}

static void events_may_come_twice_in_trouble(void **state)
{
    (void)state;
    for_seeds(SEEDS, compare_repeats_in_trouble);
}

static void compare_sparse(uint64_t seed)
{
    compare(seed, (struct habits){0}, (struct habits){.sparse = true});
}

/* Whoever delivers only what coord_deadline() asks for sees the same sends at the same heights. */
static void the_deadline_is_honest(void **state)
{
    (void)state;
    for_seeds(SEEDS, compare_sparse);
}

static void stir_it(uint64_t seed)
{
    run(&world, seed, (struct habits){.troubles = true, .stir = true});
}

static void nothing_is_ever_broken(void **state)
{
    (void)state;
    for_seeds(3 * SEEDS, stir_it);
}

static bool is_back(const struct member_world *w)
{
    return world_in_set(w, US) && w->node.up;
}

static void leave_alone(uint64_t seed)
{
    struct member_world *w = &world;
    run(w, seed, (struct habits){.troubles = true});
    world_fail_step(w, STEP_NONE, 0);
    memset(w->fate_left, 0, sizeof w->fate_left);
    w->node.stuck = w->node.catching_up = false;
    for (uint32_t i = 0; i < 60 || (i < 100 && !is_back(w)); i++) {
        world_wait(w, WORLD_BLOCK_MS - 1);
        world_block(w);
    }
    if (!is_back(w))
        fprintf(stderr, "left in %s\n%s", coord_state_name(world_state(w)), w->story);
    assert_true(is_back(w));
}

/* Once the troubles are over, the member is in the set and its node runs. */
static void it_comes_to_rest(void **state)
{
    (void)state;
    for_seeds(SEEDS, leave_alone);
}

/* The runs above are worth something: turns are taken in most of them. */
static void the_runs_are_no_idle_talk(void **state)
{
    (void)state;
    uint32_t reinits = 0, pauses = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        run(&world, seed, (struct habits){0});
        reinits += world.reinits;
        pauses += world_sent(&world, TX_PAUSE);
    }
    assert_true(reinits >= 20);
    assert_true(pauses >= reinits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(events_may_come_twice, end),
        cmocka_unit_test_teardown(events_may_come_twice_in_trouble, end),
        cmocka_unit_test_teardown(the_deadline_is_honest, end),
        cmocka_unit_test_teardown(nothing_is_ever_broken, end),
        cmocka_unit_test_teardown(it_comes_to_rest, end),
        cmocka_unit_test_teardown(the_runs_are_no_idle_talk, end),
    };
    return cmocka_run_group_tests_name("member_properties", tests, NULL, NULL);
}
