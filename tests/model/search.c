/* Depth first over the histories of small worlds; see search.h and SEARCH.md.
 *
 *     search                    every world but the deep ones
 *     search --deep             those, too
 *     search WORLD [--deep]     one world
 *     search WORLD --replay 0,3,1 [--states a1b2...,...]
 *     search WORLD --mutation NAME [--blind]    a broken variant, where those are compiled in
 */
#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/model/search.h"

#define MEMORY_MAX ((size_t)4 << 30)
#define SLOTS_MAX ((size_t)1 << 26)
#define OPTIONS_MAX 16
#define CODE_FAILED 9
#define SPREAD 250 /* drains from which on one leaf more is passed over between two */

static struct search *under_way; /* what a failed assertion of the core is reported with */

/* --- what a block may hold --- */

struct option {
    uint8_t kind;
    uint32_t code;
    bool silent;
};

struct menu {
    struct option options[MEMBERS_MAX][OPTIONS_MAX];
    uint32_t count[MEMBERS_MAX];
};

static void put(struct menu *m, uint32_t v, struct option option)
{
    m->options[v][m->count[v]++] = option;
}

static void offer_agent(const struct search *s, struct menu *m, uint32_t v, uint32_t kinds)
{
    for (uint8_t kind = TX_OTHER; kind <= TX_UNPAUSE; kind++) {
        if (!(kinds >> kind & 1))
            continue;
        put(m, v, (struct option){.kind = kind});
        if (v < s->world->failing && kind != TX_OTHER)
            put(m, v, (struct option){.kind = kind, .code = CODE_FAILED});
    }
}

static void offer_stranger(const struct search *s, struct menu *m, uint32_t v,
                           const struct link *link)
{
    put(m, v, (struct option){.kind = TX_OTHER});
    if (v >= s->world->agents + s->world->strangers)
        return;
    for (uint32_t silent = 0; silent <= s->world->falls_silent; silent++) {
        if (silent)
            put(m, v, (struct option){.silent = true});
        if (s->world->foreign_joins)
            put(m, v, (struct option){.kind = TX_JOIN, .silent = silent});
        if (s->world->by_hand)
            put(m, v,
                (struct option){.kind = link->paused >> v & 1 ? TX_UNPAUSE : TX_PAUSE,
                                .silent = silent});
    }
}

/* A join that stands in the last draw's block or later leads to no permit of an epoch that is searched. */
static bool is_too_late_to_join(const struct search *s, uint64_t height)
{
    return height >= height_before(height_at(s->world->last), s->charter.epoch_blocks).n;
}

static void make_menu(const struct search *s, const struct link *link, struct menu *m)
{
    bool late = is_too_late_to_join(s, link->height + 1);
    uint32_t kinds = late ? ~(1u << TX_JOIN) : UINT32_MAX;
    memset(m, 0, sizeof *m);
    for (uint32_t v = 0; v < s->world->count; v++) {
        if (v < s->world->agents)
            offer_agent(s, m, v,
                        kinds & ((const struct set *)s->set_pile.items)[link->sets[v]].kinds);
        else
            offer_stranger(s, m, v, link);
    }
}

/* The block that this number stands for; false when there is none. */
static bool decode(const struct search *s, const struct menu *m, uint32_t combination,
                   uint32_t picked[MEMBERS_MAX])
{
    for (uint32_t v = 0; v < s->world->count; v++) {
        picked[v] = combination % m->count[v];
        combination /= m->count[v];
    }
    return combination == 0;
}

/* Of validators that nothing tells apart the one with the smaller number takes the earlier option. */
static bool is_canonical(const struct search *s, const struct mark parts[MEMBERS_MAX],
                         const uint32_t picked[MEMBERS_MAX])
{
    for (uint32_t v = 0; v < s->world->count; v++)
        for (uint32_t w = v + 1; w < s->world->count; w++)
            if (parts[v].a == parts[w].a && parts[v].b == parts[w].b && picked[v] > picked[w])
                return false;
    return true;
}

static void begin_link(struct search *s, const struct menu *m, const uint32_t picked[MEMBERS_MAX],
                       uint32_t beacon)
{
    struct link *link = &s->links[s->depth];
    memset(link, 0, sizeof *link);
    link->beacon = beacon;
    for (uint32_t v = 0; v < s->world->count; v++) {
        const struct option *o = &m->options[v][picked[v]];
        link->kind[v] = o->kind;
        link->code[v] = o->code;
        link->silent |= (uint32_t)o->silent << v;
    }
}

static void fill_sets(struct search *s)
{
    struct link *link = &s->links[s->depth - 1];
    for (uint32_t v = 0; v < s->world->agents; v++) {
        struct scene scene = {s, v, link->height, s->links, link->view};
        link->sets[v] = s->depth == 1 ? set_initial(s, &scene)
                                      : set_after_block(s, &scene, link[-1].sets[v], link->kind[v],
                                                        link->code[v]);
    }
}

/* --- depth first --- */

static size_t memory_of(const struct search *s)
{
    const struct table *tables[] = {&s->locals, &s->steps, &s->sets, &s->blocks, &s->visited};
    const struct pile *piles[] = {&s->local_pile, &s->stamps, &s->set_pile, &s->members,
                                  &s->successors};
    size_t bytes = 0;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        bytes += tables[i]->slots * (sizeof(struct mark) + sizeof(uint32_t));
    for (size_t i = 0; i < sizeof piles / sizeof *piles; i++)
        bytes += piles[i]->room * piles[i]->size;
    return bytes;
}

/* Leaves come in the order of their histories, so the drains are spread, ever thinner. */
static void drain_leaf(struct search *s)
{
    const struct link *link = &s->links[s->depth - 1];
    uint32_t chosen[MEMBERS_MAX] = {0};
    s->count.leaves++;
    if (s->count.drains >= s->drains_max || s->count.leaves < s->drains_next)
        return;
    s->drains_next = s->count.leaves + 1 + s->count.drains / SPREAD;
    for (uint32_t v = 0; v < s->world->agents; v++) {
        uint32_t count = ((const struct set *)s->set_pile.items)[link->sets[v]].count;
        struct mark m = mark_add(mark_add(mark_begin(8), s->count.leaves), v);
        chosen[v] = set_members(s, link->sets[v])[m.a % count];
    }
    drain_run(s, chosen);
}

static void explore(struct search *s);

static void descend(struct search *s)
{
    struct mark parts[MEMBERS_MAX];
    bool is_new;
    s->depth++;
    s->count.transitions++;
    fill_sets(s);
    is_new = s->links[s->depth - 1].height ==
             s->world->last; /* leads nowhere: need not be known again */
    if (!is_new)
        (void)table_at(&s->visited, chain_mark(s, s->links, s->depth - 1, parts), 0, &is_new);
    if (is_new)
        explore(s);
    s->depth--;
    chain_unlink(&s->links[s->depth]);
}

/* One content of the next block, under every beacon that makes a difference. */
static void explore_block(struct search *s, const struct menu *menu,
                          const uint32_t picked[MEMBERS_MAX], uint32_t combination)
{
    uint8_t beacons[ORDERS_MAX] = {0};
    uint32_t count = 1;
    for (uint32_t i = 0; i < count; i++) {
        begin_link(s, menu, picked, beacons[i]);
        s->choices[s->depth - 1] = combination * s->order_count + beacons[i];
        s->choice_count = s->depth;
        chain_link(s, s->links, s->depth);
        if (i == 0) {
            count = s->links[s->depth].choice_count;
            memcpy(beacons, s->links[s->depth].choices, sizeof beacons);
        }
        descend(s);
    }
}

static void explore(struct search *s)
{
    const struct link *link = &s->links[s->depth - 1];
    struct mark parts[MEMBERS_MAX];
    uint32_t picked[MEMBERS_MAX];
    struct menu menu;
    double worlds = 1;
    for (uint32_t v = 0; v < s->world->agents; v++)
        worlds *= ((const struct set *)s->set_pile.items)[link->sets[v]].count;
    s->count.nodes++;
    s->count.worlds += worlds;
    if (memory_of(s) > MEMORY_MAX) {
        fprintf(stderr, "search: more than %zu MB are needed\n", MEMORY_MAX >> 20);
        exit(3);
    }
    if (link->height == s->world->last) {
        drain_leaf(s);
        return;
    }
    (void)chain_mark(s, s->links, s->depth - 1, parts);
    make_menu(s, link, &menu);
    for (uint32_t i = 0; decode(s, &menu, i, picked); i++)
        if (is_canonical(s, parts, picked))
            explore_block(s, &menu, picked, i);
}

/* --- one world --- */

struct options {
    const char *world; /* NULL: all of the effort */
    enum effort effort;
    bool fine, plain, blind;
    uint64_t drains;
    const char *replay, *states;
    const char *mutation; /* NULL: none */
};

static void search_open(struct search *s, const struct options *o, const struct search_world *world)
{
    memset(s, 0, sizeof *s);
    s->world = world;
    s->fine = o->fine;
    s->plain = o->plain;
    s->blind = o->blind;
    s->drains_max = o->drains;
    s->charter = search_charter(world);
    s->policy = coord_policy_default();
    for (uint32_t v = 0; v < world->count; v++)
        memset(s->address[v], (int)(v * 37 + 1), ADDRESS_SIZE);
    s->digest = digest_create();
    assert(s->digest);
    chain_beacons(s);
    table_open(&s->locals, SLOTS_MAX);
    table_open(&s->steps, SLOTS_MAX);
    table_open(&s->sets, SLOTS_MAX);
    table_open(&s->blocks, SLOTS_MAX);
    table_open(&s->visited, SLOTS_MAX);
    under_way = s;
}

static void search_close(struct search *s)
{
    struct table *tables[] = {&s->locals, &s->steps, &s->sets, &s->blocks, &s->visited};
    struct pile *piles[] = {&s->local_pile, &s->stamps,     &s->set_pile,
                            &s->members,    &s->successors, &s->queue};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        table_close(tables[i]);
    for (size_t i = 0; i < sizeof piles / sizeof *piles; i++)
        pile_close(piles[i]);
    for (uint32_t at = 0; at < LINKS_MAX; at++)
        for (uint32_t v = 0; v < MEMBERS_MAX; v++)
            pile_close(&s->origins[at][v]);
    digest_destroy(&s->digest);
    under_way = NULL;
}

static void begin_world(struct search *s)
{
    memset(&s->links[0], 0, sizeof s->links[0]);
    chain_link(s, s->links, 0);
    s->depth = 1;
    fill_sets(s);
}

/* A search that never comes far proves nothing. LEFT lasts for a moment within one step only, and a world that
 * begins right before the first draw ends before anybody can be DONE. */
static void check_reached(struct search *s)
{
    bool early = charter_is_boundary(&s->charter, height_at(s->world->first + 1));
    uint32_t reached = 1u << COORD_LEFT | (early ? 1u << COORD_DONE : 0);
    for (uint32_t i = 0; i < s->local_pile.count; i++)
        if (set_local(s, i)->alive)
            reached |= 1u << set_local(s, i)->core.memory.state;
    for (uint32_t state = 0; state < COORD_STATE_COUNT; state++)
        if (!(reached >> state & 1))
            search_fail(s, "reach", VALIDATOR_NONE, "nobody was ever in %s",
                        coord_state_name((enum coord_state)state));
}

static void print_counts(const struct search *s, double seconds)
{
    const struct search_count *c = &s->count;
    printf("%-10s %s\n", s->world->name, s->world->about);
    printf("    %" PRIu64 " histories, %" PRIu64 " blocks, %" PRIu64 " leaves, for %.2g states\n",
           c->nodes, c->transitions, c->leaves, c->worlds);
    printf("    %zu states of one agent in %zu sets, %" PRIu64 " steps, %" PRIu64 " crash points\n",
           s->local_pile.count, s->set_pile.count, c->steps, c->crash_points);
    printf("    %" PRIu64 " drained in %" PRIu64 " blocks; %zu MB, %.1f s\n", c->drains,
           c->drained_blocks, memory_of(s) >> 20, seconds);
    fflush(stdout);
}

static void add_counts(struct search_count *sum, const struct search_count *c)
{
    sum->nodes += c->nodes;
    sum->transitions += c->transitions;
    sum->leaves += c->leaves;
    sum->drains += c->drains;
    sum->steps += c->steps;
    sum->crash_points += c->crash_points;
    sum->worlds += c->worlds;
}

static void run_world(struct search *s, const struct options *o, const struct search_world *world,
                      struct search_count *sum)
{
    clock_t start = clock();
    search_open(s, o, world);
    begin_world(s);
    explore(s);
    check_reached(s);
    print_counts(s, (double)(clock() - start) / CLOCKS_PER_SEC);
    add_counts(sum, &s->count);
    chain_unlink(&s->links[0]);
    search_close(s);
}

/* --- violations and their replay --- */

static void print_repeat(const struct search *s)
{
    fprintf(stderr, "repeat: search %s --replay ", s->world->name);
    for (uint32_t i = 0; i < s->choice_count; i++)
        fprintf(stderr, "%s%" PRIu32, i ? "," : "", s->choices[i]);
    for (uint32_t v = 0; s->drained && v < s->world->agents; v++) {
        struct local local = *set_local(s, s->drained[v]);
        fprintf(stderr, "%s%016" PRIx64, v ? "," : " --states ",
                local_settle(s, &local, s->world->last).a);
    }
    fprintf(stderr, "\n");
}

/* In a replay, what led there; in the search, how to have it told. */
static void print_circumstances(const struct search *s)
{
    if (!s->replaying) {
        print_repeat(s);
        return;
    }
    if (!s->stepping)
        return;
    uint32_t depth = (uint32_t)(s->stepping->height - s->world->first);
    replay_block(s, &s->links[depth]);
    replay_agent(s, s->stepping->self, depth, s->stepping_index);
    replay_last(s->stepping_action);
}

void search_fail(struct search *s, const char *invariant, uint32_t validator, const char *format,
                 ...)
{
    va_list arguments;
    fprintf(stderr, "VIOLATION of %s in world %s, validator %d: ", invariant, s->world->name,
            validator == VALIDATOR_NONE ? -1 : (int)validator);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
    print_circumstances(s);
    exit(1);
}

static void on_abort(int signal_number)
{
    (void)signal_number;
    if (under_way)
        print_circumstances(under_way);
}

static void replay_choice(struct search *s, uint32_t choice)
{
    const struct link *link = &s->links[s->depth - 1];
    uint32_t picked[MEMBERS_MAX];
    struct menu menu;
    make_menu(s, link, &menu);
    if (!decode(s, &menu, choice / s->order_count, picked)) {
        fprintf(stderr, "search: choice %" PRIu32 " does not exist at block %" PRIu64 "\n", choice,
                link->height + 1);
        exit(2);
    }
    begin_link(s, &menu, picked, choice % s->order_count);
    chain_link(s, s->links, s->depth);
    s->depth++;
    fill_sets(s);
    replay_block(s, &s->links[s->depth - 1]);
}

/* The local state that this digest names, told how it came about. */
static uint32_t find_state(struct search *s, uint32_t v, uint64_t name)
{
    uint32_t depth = s->depth - 1, set = s->links[depth].sets[v];
    uint32_t count = ((const struct set *)s->set_pile.items)[set].count;
    for (uint32_t i = 0; i < count; i++) {
        struct local local = *set_local(s, set_members(s, set)[i]);
        if (local_settle(s, &local, s->links[depth].height).a != name)
            continue;
        replay_agent(s, v, depth, i);
        return set_members(s, set)[i];
    }
    fprintf(stderr, "search: validator %" PRIu32 " has no state %016" PRIx64 "\n", v, name);
    exit(2);
}

static void replay_states(struct search *s, const char *names)
{
    uint32_t chosen[MEMBERS_MAX] = {0};
    for (uint32_t v = 0; v < s->world->agents; v++) {
        char *end;
        chosen[v] = find_state(s, v, strtoull(names, &end, 16));
        names = *end ? end + 1 : end;
    }
    drain_run(s, chosen);
}

static void replay(struct search *s, const struct options *o, const struct search_world *world)
{
    const char *choices = o->replay;
    search_open(s, o, world);
    s->replaying = true;
    begin_world(s);
    replay_block(s, &s->links[0]);
    while (*choices) {
        char *end;
        replay_choice(s, (uint32_t)strtoul(choices, &end, 10));
        choices = *end ? end + 1 : end;
    }
    if (o->states)
        replay_states(s, o->states);
    while (s->depth > 0)
        chain_unlink(&s->links[--s->depth]);
    search_close(s);
}

/* --- the command line --- */

static int usage(void)
{
    fprintf(stderr, "usage: search [WORLD] [--quick | --deep] [--fine] [--plain] [--drains N]\n"
                    "              [--blind] [--mutation NAME]\n"
                    "       search WORLD --replay CHOICE,... [--states STATE,...]\nworlds:\n");
    for (uint32_t i = 0; i < search_world_count; i++)
        fprintf(stderr, "    %-12s %s%s\n", search_worlds[i].name, search_worlds[i].about,
                search_worlds[i].effort == EFFORT_DEEP ? " (--deep)" : "");
    return 2;
}

static bool parse(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--quick") == 0)
            o->effort = EFFORT_QUICK;
        else if (strcmp(argv[i], "--deep") == 0)
            o->effort = EFFORT_DEEP;
        else if (strcmp(argv[i], "--fine") == 0)
            o->fine = true;
        else if (strcmp(argv[i], "--plain") == 0)
            o->plain = true;
        else if (strcmp(argv[i], "--drains") == 0 && value)
            o->drains = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--replay") == 0 && value)
            o->replay = argv[++i];
        else if (strcmp(argv[i], "--states") == 0 && value)
            o->states = argv[++i];
        else if (strcmp(argv[i], "--blind") == 0)
            o->blind = true;
        else if (strcmp(argv[i], "--mutation") == 0 && value)
            o->mutation = argv[++i];
        else if (argv[i][0] != '-' && !o->world)
            o->world = argv[i];
        else
            return false;
    }
    return o->world || !o->replay;
}

static bool is_wanted(const struct options *o, const struct search_world *world)
{
    return o->world ? strcmp(o->world, world->name) == 0 : world->effort <= o->effort;
}

static void print_sum(const struct search_count *c)
{
    printf("all        %" PRIu64 " histories, %" PRIu64 " blocks, %" PRIu64
           " leaves, for %.2g states; %" PRIu64 " steps, %" PRIu64 " crash points, %" PRIu64
           " drained: no violation\n",
           c->nodes, c->transitions, c->leaves, c->worlds, c->steps, c->crash_points, c->drains);
}

int main(int argc, char **argv)
{
    struct options options = {.effort = EFFORT_USUAL, .drains = 10000};
    struct search_count sum = {0};
    uint32_t worlds = 0;
    if (!parse(&options, argc, argv) || (options.mutation && !broken_choose(options.mutation)))
        return usage();
    struct search *s = calloc(1, sizeof *s);
    if (!s)
        return 3;
    (void)signal(SIGABRT, on_abort);
    for (uint32_t i = 0; i < search_world_count; i++) {
        if (!is_wanted(&options, &search_worlds[i]))
            continue;
        worlds++;
        if (options.replay)
            replay(s, &options, &search_worlds[i]);
        else
            run_world(s, &options, &search_worlds[i], &sum);
    }
    free(s);
    if (worlds == 0)
        return usage();
    if (!options.replay)
        print_sum(&sum);
    return 0;
}
