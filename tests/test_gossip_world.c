/* Whole networks of gossip: how fast news spread, what a cut and a restart leave behind, what hostile members
 * achieve, and how much memory that takes. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/gossip_world.h"

#define AGENTS 100
#define LARGE 201
#define HIDDEN 5 /* every fifth agent can only dial */

/* --- memory of our own objects: the linker sends their allocations here --- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);

static size_t taken;

static void *count(void *memory)
{
    taken += memory ? malloc_usable_size(memory) : 0;
    return memory;
}

static void discount(void *memory)
{
    taken -= memory ? malloc_usable_size(memory) : 0;
}

void *__wrap_malloc(size_t size)
{
    return count(__real_malloc(size));
}

void *__wrap_calloc(size_t number, size_t size)
{
    return count(__real_calloc(number, size));
}

void *__wrap_realloc(void *memory, size_t size)
{
    discount(memory);
    return count(__real_realloc(memory, size));
}

void __wrap_free(void *memory)
{
    discount(memory);
    __real_free(memory);
}

/* What instances and records take. */
static size_t taken_by(const struct world *w)
{
    return taken - world_bytes(w);
}

/* --- spreading --- */

/* Milliseconds until all have heard a new version; `limit_ms` when they do not. */
static int64_t spread_ms(struct world *w, uint32_t node, int64_t limit_ms)
{
    w->nodes[node].fields.expected_ms++;
    uint64_t sequence = world_say(w, node);
    int64_t begun_ms = w->now_ms;
    assert_int_not_equal(sequence, 0);
    while (world_heard(w, node, sequence) < w->count && w->now_ms - begun_ms < limit_ms)
        world_run(w, 20);
    return w->now_ms - begun_ms;
}

static void settle(struct world *w, int64_t limit_ms)
{
    for (int64_t ms = 0; !world_level(w); ms += 1000) {
        assert_true(ms < limit_ms);
        world_run(w, 1000);
    }
    world_run(w, 10000); /* for the connections */
}

static void assert_nobody_barred(const struct world *w)
{
    for (uint32_t i = 0; i < w->count; i++) {
        struct gossip_stats stats = gossip_stats(w->nodes[i].gossip);
        assert_int_equal(stats.frames_bad, 0);
        assert_int_equal(stats.records_forged, 0);
    }
}

static void measure_spread(uint32_t loss_percent, uint32_t changes)
{
    struct world w;
    uint32_t slow = 0;
    world_begin(&w, AGENTS, HIDDEN, 0, 11 + loss_percent);
    w.loss_percent = loss_percent;
    settle(&w, 60000);
    for (uint32_t i = 0; i < changes; i++) {
        slow += spread_ms(&w, world_below(&w, AGENTS), 5000) >= 1000;
        world_run(&w, 500);
    }
    print_message("%u of %u changes took a second or more, %u %% lost\n", slow, changes,
                  loss_percent);
    assert_true(slow * 100 <= changes);
    assert_nobody_barred(&w);
    world_end(&w);
}

static void test_news_spread(void **state)
{
    (void)state;
    measure_spread(0, 100);
}

static void test_news_spread_with_losses(void **state)
{
    (void)state;
    measure_spread(20, 300);
}

static void test_small_mesh(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, 7, 3, 0, 3);
    settle(&w, 20000);
    for (uint32_t i = 0; i < w.count; i++) {
        struct gossip_stats stats = gossip_stats(w.nodes[i].gossip);
        assert_int_equal(stats.known, 7);
        /* the two that can only dial cannot reach each other */
        assert_int_equal(stats.bound, w.nodes[i].deaf_to_dials ? 5 : 6);
        assert_int_equal(stats.peers, stats.bound);
        assert_true(spread_ms(&w, i, 2000) < 1000);
    }
    world_end(&w);
}

/* The numbers of those that an agent is connected with; returns how many they are. */
static uint32_t neighbours_of(const struct world *w, uint32_t node, bool *which)
{
    struct gossip_peer about;
    uint32_t found = 0;
    memset(which, 0, w->count * sizeof *which);
    for (uint32_t p = 0; p < GOSSIP_PEERS_MAX; p++) {
        if (!gossip_peer(w->nodes[node].gossip, p, &about) || !about.bound)
            continue;
        uint32_t other = 0;
        while (memcmp(w->members[other].address, about.validator, ADDRESS_SIZE) != 0)
            other++;
        found += !which[other];
        which[other] = true;
    }
    return found;
}

static void assert_partial(const struct world *w)
{
    bool which[LARGE];
    uint32_t all = 0;
    for (uint32_t i = 0; i < w->count; i++) {
        uint32_t found = w->nodes[i].cut ? GOSSIP_PARTIAL : neighbours_of(w, i, which);
        assert_in_range(found, GOSSIP_PARTIAL / 2, GOSSIP_PEERS_DEFAULT);
        assert_true(gossip_stats(w->nodes[i].gossip).peers <= GOSSIP_PEERS_DEFAULT);
        all += found;
    }
    assert_true(all < w->count * GOSSIP_MESH); /* far from everybody with everybody */
}

/* Too many for a mesh: each keeps some connections, changes them slowly, and stands the loss of every third. */
static void test_partial_view(void **state)
{
    (void)state;
    struct world w;
    bool before[LARGE], after[LARGE];
    world_begin(&w, LARGE, HIDDEN, 0, 61);
    settle(&w, 120000);
    world_run(&w, 60000);
    assert_partial(&w);
    for (uint32_t i = 0; i < LARGE; i += 17)
        assert_true(spread_ms(&w, i, 5000) < 5000);
    neighbours_of(&w, 3, before);
    world_run(&w, 600000);
    assert_partial(&w);
    neighbours_of(&w, 3, after);
    assert_memory_not_equal(before, after, sizeof before);
    for (uint32_t i = 1; i < LARGE; i += 3)
        w.nodes[i].cut = true;
    world_run(&w, 120000);
    assert_partial(&w);
    for (uint32_t i = 0; i < LARGE; i += 30) {
        w.nodes[i].fields.expected_ms++;
        uint64_t sequence = world_say(&w, i);
        world_run(&w, 3000);
        assert_int_equal(world_heard(&w, i, sequence), LARGE - LARGE / 3);
    }
    for (uint32_t i = 1; i < LARGE; i += 3)
        w.nodes[i].cut = false;
    world_run(&w, 10000);
    assert_true(world_level(&w));
    assert_nobody_barred(&w);
    world_end(&w);
}

static void test_idle_traffic(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, AGENTS, HIDDEN, 0, 5);
    settle(&w, 60000);
    world_run(&w, 30000);
    uint64_t frames = w.sent;
    world_run(&w, 60000);
    assert_true((w.sent - frames) / 60 / AGENTS <= 2); /* a second and agent */
    world_end(&w);
}

/* --- cuts --- */

static void cut_one(uint64_t seed, uint32_t node, uint32_t loss_percent)
{
    struct world w;
    world_begin(&w, AGENTS, HIDDEN, 0, seed);
    w.loss_percent = loss_percent;
    settle(&w, 60000);
    w.nodes[node].cut = true;
    for (uint32_t i = 0; i < 60; i++) {
        uint32_t who = world_below(&w, AGENTS);
        w.nodes[who].fields.expected_ms++;
        world_say(&w, who);
        world_run(&w, 1000);
    }
    w.nodes[node].fields.expected_ms++;
    world_say(&w, node);
    w.nodes[node].cut = false;
    int64_t begun_ms = w.now_ms;
    while (!world_level(&w)) {
        world_run(&w, 100);
        assert_true(w.now_ms - begun_ms < 5000);
    }
    print_message("agent %u level after %d ms, %u %% lost\n", node, (int)(w.now_ms - begun_ms),
                  loss_percent);
    world_end(&w);
}

static void test_cut_for_a_minute(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 8; i++)
        cut_one(100 + i, i * 5, i % 2 ? 20 : 0);
    cut_one(200, 7, 20);
    cut_one(201, 99, 20);
}

static void test_two_halves(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, 40, HIDDEN, 0, 9);
    settle(&w, 60000);
    for (uint32_t side = 0; side < 2; side++) { /* first one half is silent, then the other */
        for (uint32_t i = 0; i < w.count; i++) {
            w.nodes[i].cut = i % 2 == side;
            w.nodes[i].fields.expected_ms++;
        }
        for (uint32_t i = 0; i < w.count; i++)
            world_say(&w, i);
        world_run(&w, 20000);
    }
    for (uint32_t i = 0; i < w.count; i++)
        w.nodes[i].cut = false;
    world_run(&w, 10000);
    assert_true(world_level(&w));
    world_end(&w);
}

static void test_restart_without_a_journal(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, 30, HIDDEN, 0, 21);
    settle(&w, 60000);
    world_restart(&w, 4);
    world_run(&w, 5000);
    uint64_t sequence = world_say(&w, 4);
    assert_int_not_equal(sequence, 0);
    world_run(&w, 2000);
    assert_int_equal(world_heard(&w, 4, sequence), 30);
    assert_int_equal(world_voids(&w, 4), 0);
    assert_true(world_level(&w));
    world_end(&w);
}

/* --- hostile members --- */

static uint32_t peer_of(const struct world *w, uint32_t node, uint32_t other)
{
    struct gossip_peer about;
    for (uint32_t i = 0; i < GOSSIP_PEERS_MAX; i++)
        if (gossip_peer(w->nodes[node].gossip, i, &about) && about.bound &&
            memcmp(about.validator, w->members[other].address, ADDRESS_SIZE) == 0)
            return i;
    return GOSSIP_PEER_NONE;
}

static void inject(struct world *w, uint32_t node, uint32_t from, const uint8_t *bytes, size_t size)
{
    uint32_t peer = peer_of(w, node, from);
    if (peer != GOSSIP_PEER_NONE)
        gossip_receive(w->nodes[node].gossip, peer, bytes, size, (struct instant){w->now_ms});
}

static size_t variant(const struct world *w, uint32_t who, uint64_t sequence, uint64_t expected_ms,
                      uint8_t frame[2 + RECORD_MAX])
{
    const struct world_keys *keys = &w->nodes[who].keys;
    struct record r = {.binding = keys->binding, .sequence = sequence, .expected_ms = expected_ms};
    struct fault fault;
    uint8_t bytes[RECORD_MAX];
    size_t size = record_seal(&w->network, &r, keys->identity, bytes, &fault);
    frame[0] = GOSSIP_VERSION;
    frame[1] = 2;
    memcpy(frame + 2, bytes, size);
    return 2 + size;
}

static void test_equivocation_is_proven_to_all(void **state)
{
    (void)state;
    struct world w;
    uint8_t frame[2 + RECORD_MAX];
    world_begin(&w, AGENTS, HIDDEN, 0, 31);
    w.loss_percent = 20;
    settle(&w, 60000);
    uint64_t sequence = (uint64_t)w.now_ms + 1;
    for (uint32_t i = 0; i < AGENTS; i++) { /* one half hears this, the other that */
        size_t size = variant(&w, 3, sequence, 1000 + i % 2, frame);
        if (i != 3)
            inject(&w, i, 3, frame, size);
    }
    world_run(&w, 2000);
    assert_int_equal(world_voids(&w, 3), AGENTS);
    for (uint32_t i = 0; i < AGENTS; i++)
        assert_int_equal(world_voids(&w, i), i == 3 ? AGENTS : 0);
    assert_int_equal(gossip_double(w.nodes[3].gossip), GOSSIP_DOUBLE_VOID);
    assert_int_equal(world_say(&w, 3), 0);
    world_end(&w);
}

/* What a hostile member sends to everybody it is connected with: one kind of frame a step. */
static size_t hostile_frame(struct world *w, uint32_t step, uint32_t hostile, uint8_t *frame,
                            size_t room)
{
    uint32_t victim = world_below(w, AGENTS);
    size_t size;
    switch (step % 6) {
    case 0: /* a forged record of another's */
        size = variant(w, victim, (uint64_t)w->now_ms * 2, 5, frame);
        frame[size - 1] ^= 1;
        return size;
    case 1: /* versions of its own, as fast as it can */
        return variant(w, hostile, (uint64_t)w->now_ms + step, step, frame);
    case 2: /* a megabyte */
        memset(frame, 1, room);
        return room;
    case 3: /* a replay of an old record */
        return variant(w, victim, 1, 5, frame);
    case 4: /* garbage in every kind of frame */
        size = 2 + world_below(w, 2000);
        for (size_t i = 0; i < size; i++)
            frame[i] = (uint8_t)world_below(w, 256);
        frame[0] = GOSSIP_VERSION;
        frame[1] = (uint8_t)(1 + world_below(w, 7));
        return size;
    default: /* asks for everything */
        frame[0] = GOSSIP_VERSION;
        frame[1] = 5;
        for (uint32_t i = 0; i < AGENTS; i++)
            memcpy(frame + 2 + (size_t)i * ADDRESS_SIZE, w->members[i].address, ADDRESS_SIZE);
        return 2 + AGENTS * ADDRESS_SIZE;
    }
}

static void test_hostile_members(void **state)
{
    (void)state;
    struct world w;
    const size_t room = 1 << 20;
    uint8_t *frame = malloc(room);
    world_begin(&w, AGENTS, HIDDEN, 0, 41);
    settle(&w, 60000);
    size_t before = taken_by(&w);
    for (uint32_t step = 0; step < 3000; step++) {
        uint32_t hostile = 90 + step % 10;
        size_t size = hostile_frame(&w, step, hostile, frame, room);
        for (uint32_t i = 0; i < 90; i += 7)
            inject(&w, i, hostile, frame, size);
        if (step % 10 == 0)
            world_run(&w, 50);
        assert_true(taken_by(&w) < before + before / 10);
    }
    for (uint32_t i = 0; i < 90; i++)
        assert_int_equal(world_voids(&w, i), 0);
    w.count = 90; /* of the honest ones everything is heard, as before */
    world_run(&w, 5000);
    for (uint32_t i = 0; i < w.count; i++) {
        struct record r;
        uint32_t member = gossip_find(w.nodes[i].gossip, w.members[i].address);
        assert_true(gossip_record(w.nodes[i].gossip, member, &r));
        assert_int_equal(world_heard(&w, i, r.sequence), w.count);
    }
    for (uint32_t i = 0; i < 5; i++)
        assert_true(spread_ms(&w, i * 17, 3000) < 1000);
    w.count = AGENTS;
    free(frame);
    world_end(&w);
}

static void test_memory_bound(void **state)
{
    (void)state;
    struct world w;
    size_t start = taken;
    world_begin(&w, AGENTS, HIDDEN, 0, 51);
    size_t empty = taken_by(&w) - start;
    settle(&w, 60000);
    for (uint32_t i = 0; i < 200; i++) {
        w.nodes[i % AGENTS].fields.expected_ms++;
        world_say(&w, i % AGENTS);
        world_run(&w, 100);
    }
    const size_t bound = AGENTS * 2 * (RECORD_MAX + 200) + 65536; /* one copy for all */
    size_t records = taken_by(&w) - start - empty;
    print_message("%zu bytes an agent, %zu of records for all\n", empty / AGENTS, records);
    assert_true(records < bound);
    assert_true(empty / AGENTS < 16384 + AGENTS * 160 + GOSSIP_PEERS_DEFAULT * (256 + AGENTS / 4));
    assert_true(gossip_pool_records(w.pool) <= 3 * AGENTS);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_news_spread),
        cmocka_unit_test(test_news_spread_with_losses),
        cmocka_unit_test(test_small_mesh),
        cmocka_unit_test(test_partial_view),
        cmocka_unit_test(test_idle_traffic),
        cmocka_unit_test(test_cut_for_a_minute),
        cmocka_unit_test(test_two_halves),
        cmocka_unit_test(test_restart_without_a_journal),
        cmocka_unit_test(test_equivocation_is_proven_to_all),
        cmocka_unit_test(test_hostile_members),
        cmocka_unit_test(test_memory_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
