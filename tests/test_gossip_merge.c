/* Merging: whatever the order, the repetitions and the way by which records come, the same is known in the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/gossip_world.h"

#define MEMBERS 6
#define VERSIONS 6
#define ITEMS_MAX 128
#define ROUNDS 300

struct item { /* a frame that says one thing */
    uint8_t bytes[2 + 2 * RECORD_MAX];
    size_t size;
    uint32_t author;
    uint64_t serial, sequence;
    bool proof;
};

struct lab {
    struct record_network network;
    struct world_keys keys[MEMBERS], newer[MEMBERS]; /* of a second binding */
    struct gossip_member members[MEMBERS];
    struct gossip_pool *pool;
    struct item items[ITEMS_MAX];
    uint32_t item_count;
    uint64_t random;
};

static uint32_t below(struct lab *lab, uint32_t bound)
{
    lab->random = lab->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((lab->random >> 33) % bound);
}

static int begin(void **state)
{
    struct lab *lab = calloc(1, sizeof *lab);
    struct fault fault;
    assert_true(record_network_set(&lab->network, "localnet-1", "kira", &fault));
    for (uint32_t i = 0; i < MEMBERS; i++) {
        world_keys_make(&lab->network, i, WORLD_SERIAL, &lab->keys[i]);
        world_keys_make(&lab->network, i, WORLD_SERIAL + 1, &lab->newer[i]);
        lab->members[i] = world_member(&lab->network, i);
    }
    lab->pool = gossip_pool_create(&lab->network);
    lab->random = 7;
    *state = lab;
    return 0;
}

static int end(void **state)
{
    struct lab *lab = *state;
    gossip_pool_destroy(&lab->pool);
    free(lab);
    return 0;
}

static size_t seal(const struct lab *lab, const struct world_keys *keys, uint64_t sequence,
                   uint64_t variant, uint8_t *bytes)
{
    uint8_t record[RECORD_MAX];
    struct fault fault;
    const struct record r = {
        .binding = keys->binding, .sequence = sequence, .expected_ms = variant};
    size_t size = record_seal(&lab->network, &r, keys->identity, record, &fault);
    assert_true(size > 0);
    memcpy(bytes, record, size);
    return size;
}

static struct item *add(struct lab *lab, const struct world_keys *keys, uint32_t author,
                        uint64_t sequence, bool proof)
{
    assert_true(lab->item_count < ITEMS_MAX);
    struct item *item = &lab->items[lab->item_count++];
    *item = (struct item){
        .author = author, .serial = keys->binding.serial, .sequence = sequence, .proof = proof};
    item->bytes[0] = GOSSIP_VERSION;
    item->bytes[1] = proof ? 6 : 2;
    item->size = 2 + seal(lab, keys, sequence, 1, item->bytes + 2);
    if (proof)
        item->size += seal(lab, keys, sequence, 2, item->bytes + item->size);
    return item;
}

/* Honest versions of all; one that equivocates, with its proof; one with two bindings. */
static void write_items(struct lab *lab)
{
    for (uint32_t author = 0; author < MEMBERS; author++)
        for (uint64_t sequence = 1; sequence <= VERSIONS; sequence++)
            add(lab, &lab->keys[author], author, sequence, false);
    add(lab, &lab->keys[1], 1, 3, true);
    add(lab, &lab->keys[1], 1, 5, true);
    add(lab, &lab->newer[2], 2, 2, false);
    add(lab, &lab->keys[3], 3, 2, true);
    add(lab, &lab->newer[3], 3, 1, false); /* a new binding after the proof */
}

/* --- one instance --- */

struct subject {
    struct gossip *g;
    uint32_t peer;
    int64_t now_ms;
};

static struct subject subject_begin(struct lab *lab, uint32_t who)
{
    struct subject s = {.now_ms = 1700000000000};
    struct gossip_config config = {
        .network = lab->network, .binding = lab->keys[who].binding, .pool = lab->pool};
    struct fault fault;
    memcpy(config.identity, lab->keys[who].identity, RECORD_KEY_SIZE);
    s.g = gossip_create(&config, (struct instant){s.now_ms}, &fault);
    assert_non_null(s.g);
    assert_true(gossip_allow(s.g, lab->members, MEMBERS, (struct instant){s.now_ms}));
    return s;
}

static void greet(struct lab *lab, struct subject *s, uint32_t as)
{
    uint8_t hello[2 + 1 + HASH_SIZE + 4 + RECORD_BINDING_SIZE] = {GOSSIP_VERSION, 1};
    const struct record_binding *binding = &lab->keys[as].binding;
    memcpy(hello + 3, lab->network.hash, HASH_SIZE);
    record_binding_encode(binding, hello + 3 + HASH_SIZE + 4);
    s->peer = gossip_peer_up(s->g, binding->curve, false, (struct instant){s->now_ms});
    gossip_receive(s->g, s->peer, hello, sizeof hello, (struct instant){s->now_ms});
}

static void tell(struct subject *s, const struct item *item)
{
    uint32_t drop;
    s->now_ms += 300; /* slower than the limit of versions */
    gossip_receive(s->g, s->peer, item->bytes, item->size, (struct instant){s->now_ms});
    assert_false(gossip_next_drop(s->g, &drop));
}

static void assert_same(const struct subject *a, const struct subject *b)
{
    for (uint32_t i = 0; i < MEMBERS; i++) {
        struct gossip_entry x = gossip_entry(a->g, i), y = gossip_entry(b->g, i);
        assert_int_equal(x.is_void, y.is_void);
        assert_int_equal(x.known, y.known);
        if (!x.known || x.is_void)
            continue;
        assert_int_equal(x.record_size, y.record_size);
        assert_memory_equal(x.record, y.record, x.record_size);
    }
}

static void tell_in_any_order(struct lab *lab, struct subject *s, const bool *chosen)
{
    uint32_t order[3 * ITEMS_MAX], count = 0;
    for (uint32_t i = 0; i < lab->item_count; i++)
        for (uint32_t copies = chosen[i] ? 1 + below(lab, 3) : 0; copies > 0; copies--)
            order[count++] = i;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t other = i + below(lab, count - i);
        uint32_t swap = order[i];
        order[i] = order[other];
        order[other] = swap;
        tell(s, &lab->items[order[i]]);
    }
}

/* --- the properties --- */

/* What the specification says is known after some items, by looking at all of them at once. */
static void assert_as_specified(const struct lab *lab, const struct subject *s, const bool *chosen)
{
    for (uint32_t author = 0; author < MEMBERS; author++) {
        const struct item *best = NULL;
        for (uint32_t i = 0; i < lab->item_count; i++) {
            const struct item *x = &lab->items[i];
            if (!chosen[i] || x->author != author)
                continue;
            bool better = !best || x->serial > best->serial ||
                          (x->serial == best->serial && x->proof > best->proof) ||
                          (x->serial == best->serial && x->proof == best->proof &&
                           x->sequence > best->sequence);
            best = better ? x : best;
        }
        uint32_t member = gossip_find(s->g, lab->members[author].address);
        struct gossip_entry entry = gossip_entry(s->g, member);
        assert_int_equal(entry.known, best != NULL);
        if (!best)
            continue;
        assert_int_equal(entry.is_void, best->proof);
        if (!best->proof)
            assert_memory_equal(entry.record, best->bytes + 2, best->size - 2);
    }
}

/* Any order, any repetition: the same, and what the specification says. */
static void test_order_does_not_matter(void **state)
{
    struct lab *lab = *state;
    lab->item_count = 0;
    write_items(lab);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        bool chosen[ITEMS_MAX] = {false};
        struct subject a = subject_begin(lab, 0), b = subject_begin(lab, 0);
        greet(lab, &a, 4);
        greet(lab, &b, 5);
        for (uint32_t i = 0; i < lab->item_count; i++)
            chosen[i] = below(lab, 3) > 0;
        tell_in_any_order(lab, &a, chosen);
        tell_in_any_order(lab, &b, chosen);
        assert_same(&a, &b);
        assert_as_specified(lab, &a, chosen);
        tell_in_any_order(lab, &a, chosen); /* idempotent */
        assert_same(&a, &b);
        gossip_destroy(&a.g);
        gossip_destroy(&b.g);
    }
    assert_int_equal(gossip_pool_records(lab->pool), 0);
}

/* Carries frames between two until neither has anything to say. */
static void converse(struct subject *a, struct subject *b, uint32_t steps)
{
    uint8_t frame[GOSSIP_FRAME_MAX];
    for (uint32_t i = 0; i < steps; i++) {
        uint32_t peer;
        size_t size;
        a->now_ms = b->now_ms = (a->now_ms > b->now_ms ? a->now_ms : b->now_ms) + 100;
        gossip_tick(a->g, (struct instant){a->now_ms});
        gossip_tick(b->g, (struct instant){b->now_ms});
        while (gossip_next_send(a->g, &peer, frame, &size))
            gossip_receive(b->g, b->peer, frame, size, (struct instant){b->now_ms});
        while (gossip_next_send(b->g, &peer, frame, &size))
            gossip_receive(a->g, a->peer, frame, size, (struct instant){a->now_ms});
    }
}

/* Two that have heard different things know, once they have talked, what one that heard all of it knows. */
static void test_talking_is_a_union(void **state)
{
    struct lab *lab = *state;
    lab->item_count = 0;
    write_items(lab);
    for (uint32_t round = 0; round < ROUNDS / 3; round++) {
        bool to_a[ITEMS_MAX] = {false}, to_b[ITEMS_MAX] = {false}, both[ITEMS_MAX] = {false};
        struct subject a = subject_begin(lab, 4), b = subject_begin(lab, 5);
        greet(lab, &a, 5);
        greet(lab, &b, 4);
        for (uint32_t i = 0; i < lab->item_count; i++) {
            to_a[i] = below(lab, 2) == 0;
            to_b[i] = below(lab, 2) == 0;
            both[i] = to_a[i] || to_b[i];
        }
        tell_in_any_order(lab, &a, to_a);
        tell_in_any_order(lab, &b, to_b);
        converse(&a, &b, 120);
        assert_same(&a, &b);
        assert_as_specified(lab, &a, both);
        gossip_destroy(&a.g);
        gossip_destroy(&b.g);
    }
}

/* Two that hold contradicting records prove it to each other. */
static void test_contradictions_meet(void **state)
{
    struct lab *lab = *state;
    struct subject a = subject_begin(lab, 4), b = subject_begin(lab, 5);
    lab->item_count = 0;
    struct item *one = add(lab, &lab->keys[1], 1, 9, false);
    struct item *two = add(lab, &lab->keys[1], 1, 9, false);
    two->size = 2 + seal(lab, &lab->keys[1], 9, 2, two->bytes + 2);
    greet(lab, &a, 5);
    greet(lab, &b, 4);
    tell(&a, one);
    tell(&b, two);
    converse(&a, &b, 60);
    assert_same(&a, &b);
    uint32_t member = gossip_find(a.g, lab->members[1].address);
    assert_true(gossip_entry(a.g, member).is_void);
    gossip_destroy(&a.g);
    gossip_destroy(&b.g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_does_not_matter),
        cmocka_unit_test(test_talking_is_a_union),
        cmocka_unit_test(test_contradictions_meet),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
