/* One or two instances of gossip, frame by frame: greetings, refusals, ranks, proofs, limits, our own record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/gossip_world.h"

#define MEMBERS 4
#define HELLO 1
#define RECORDS 2
#define DIGEST 3
#define LIST 4
#define WANT 5
#define PROOF 6
#define BYE 7
#define REFUSE 127

struct fixture {
    struct record_network network;
    struct world_keys keys[MEMBERS + 1]; /* the last is no member */
    struct gossip_member members[MEMBERS];
    struct gossip *g; /* of member 0 */
    int64_t now_ms;
    uint8_t frame[2 * GOSSIP_FRAME_MAX];
    size_t size;
};

static struct gossip *create(struct fixture *f, uint32_t member, uint64_t sequence)
{
    struct fault fault = {""};
    struct gossip_config config = {.network = f->network,
                                   .charter = 7,
                                   .binding = f->keys[member].binding,
                                   .sequence = sequence,
                                   .random_seed = 1};
    memcpy(config.identity, f->keys[member].identity, RECORD_KEY_SIZE);
    struct gossip *g = gossip_state_create(&config, (struct instant){f->now_ms}, &fault);
    assert_non_null(g);
    assert_true(gossip_allow(g, f->members, MEMBERS, (struct instant){f->now_ms}));
    return g;
}

static int begin(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct fault fault;
    assert_true(record_network_set(&f->network, "localnet-1", "kira", &fault));
    for (uint32_t i = 0; i <= MEMBERS; i++)
        world_keys_make(&f->network, i, WORLD_SERIAL, &f->keys[i]);
    for (uint32_t i = 0; i < MEMBERS; i++)
        f->members[i] = world_member(&f->network, i);
    f->now_ms = 1700000000000;
    f->g = create(f, 0, 0);
    *state = f;
    return 0;
}

static int end(void **state)
{
    struct fixture *f = *state;
    gossip_state_destroy(&f->g);
    free(f);
    return 0;
}

static struct instant at(const struct fixture *f)
{
    return (struct instant){f->now_ms};
}

/* --- what a peer may say --- */

static void head(struct fixture *f, uint8_t kind)
{
    f->frame[0] = GOSSIP_VERSION;
    f->frame[1] = kind;
    f->size = 2;
}

static void add(struct fixture *f, const void *bytes, size_t size)
{
    memcpy(f->frame + f->size, bytes, size);
    f->size += size;
}

static void add_number(struct fixture *f, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        f->frame[f->size++] = (uint8_t)(value >> (8 * (size - 1 - i)));
}

static size_t seal(const struct fixture *f, uint32_t who, uint64_t sequence, uint64_t expected_ms,
                   uint8_t bytes[RECORD_MAX])
{
    const struct record r = {
        .binding = f->keys[who].binding, .sequence = sequence, .expected_ms = expected_ms};
    struct fault fault;
    size_t size = record_seal(&f->network, &r, f->keys[who].identity, bytes, &fault);
    assert_true(size > 0);
    return size;
}

static void add_record(struct fixture *f, uint32_t who, uint64_t sequence, uint64_t expected_ms)
{
    uint8_t bytes[RECORD_MAX];
    add(f, bytes, seal(f, who, sequence, expected_ms, bytes));
}

static void make_hello(struct fixture *f, uint32_t who)
{
    uint8_t binding[RECORD_BINDING_SIZE];
    record_binding_encode(&f->keys[who].binding, binding);
    head(f, HELLO);
    add_number(f, 0, 1);
    add(f, f->network.hash, HASH_SIZE);
    add_number(f, 7, 4);
    add(f, binding, sizeof binding);
}

static void receive(struct fixture *f, uint32_t peer)
{
    gossip_receive(f->g, peer, f->frame, f->size, at(f));
}

static uint32_t connect_as(struct fixture *f, uint32_t who)
{
    uint32_t peer = gossip_peer_up(f->g, f->keys[who].binding.curve, false, at(f));
    assert_int_not_equal(peer, GOSSIP_PEER_NONE);
    make_hello(f, who);
    receive(f, peer);
    return peer;
}

static void receive_record(struct fixture *f, uint32_t peer, uint32_t who, uint64_t sequence,
                           uint64_t expected_ms)
{
    head(f, RECORDS);
    add_record(f, who, sequence, expected_ms);
    receive(f, peer);
}

/* --- what is known, what is said --- */

static struct gossip_entry entry(const struct fixture *f, uint32_t who)
{
    return gossip_entry(f->g, gossip_find(f->g, f->keys[who].binding.validator));
}

static uint64_t known(const struct fixture *f, uint32_t who)
{
    struct record r;
    return gossip_record(f->g, gossip_find(f->g, f->keys[who].binding.validator), &r) ? r.sequence
                                                                                      : 0;
}

static bool dropped(struct fixture *f, uint32_t peer)
{
    uint32_t drop;
    bool found = gossip_next_drop(f->g, &drop);
    return found && drop == peer;
}

/* The next frame of this kind for the peer, other frames thrown away; false when there is none. */
static bool said(struct fixture *f, uint32_t peer, uint8_t kind)
{
    uint32_t to;
    while (gossip_next_send(f->g, &to, f->frame, &f->size))
        if (to == peer && f->frame[1] == kind)
            return true;
    return false;
}

static void pass(struct fixture *f, int64_t ms)
{
    f->now_ms += ms;
    gossip_tick(f->g, at(f));
}

/* --- greetings --- */

static void test_greeting(void **state)
{
    struct fixture *f = *state;
    struct gossip_peer about;
    uint32_t peer = connect_as(f, 1);
    assert_true(gossip_peer(f->g, peer, &about));
    assert_true(about.bound);
    assert_int_equal(about.charter, 7);
    assert_memory_equal(about.validator, f->keys[1].binding.validator, ADDRESS_SIZE);
    assert_true(said(f, peer, HELLO));
    assert_int_equal(f->size, 2 + 1 + 32 + 4 + RECORD_BINDING_SIZE);
}

static void test_stranger_is_not_heard(void **state)
{
    struct fixture *f = *state;
    struct gossip_peer about;
    uint32_t peer = gossip_peer_up(f->g, f->keys[1].binding.curve, false, at(f));
    receive_record(f, peer, 2, 5, 1);
    assert_int_equal(known(f, 2), 0);
    assert_true(gossip_peer(f->g, peer, &about) && !about.bound);
    assert_true(said(f, peer, HELLO));
    assert_int_equal(f->frame[2], 1); /* "and who are you?" */
    for (int i = 0; i < 12; i++)
        pass(f, 500);
    assert_true(dropped(f, peer));
}

static void test_copied_binding(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = gossip_peer_up(f->g, f->keys[4].binding.curve, false, at(f));
    make_hello(f, 1); /* genuine, but of another CURVE key */
    receive(f, peer);
    assert_true(dropped(f, peer));
    assert_int_equal(gossip_admits(f->g, f->keys[4].binding.curve, at(f)), GOSSIP_BARRED);
    gossip_peer_down(f->g, peer, at(f));
    assert_int_equal(gossip_peer_up(f->g, f->keys[4].binding.curve, false, at(f)),
                     GOSSIP_PEER_NONE);
    pass(f, 61000);
    assert_int_equal(gossip_admits(f->g, f->keys[4].binding.curve, at(f)), GOSSIP_STRANGER);
}

static void test_unbound_key(void **state)
{
    struct fixture *f = *state;
    struct gossip_peer about;
    f->keys[1].binding.curve[0] ^= 1; /* what the account did not sign */
    uint32_t peer = connect_as(f, 1);
    assert_true(dropped(f, peer));
    peer = connect_as(f, 4); /* signed, but by nobody's account */
    assert_true(gossip_peer(f->g, peer, &about) && !about.bound);
}

static void test_other_account(void **state)
{
    struct fixture *f = *state;
    struct gossip_peer about;
    struct world_keys *k = &f->keys[1];
    assert_true(record_bind(&f->network, &k->binding, f->keys[4].account));
    uint32_t peer = connect_as(f, 1);
    assert_true(gossip_peer(f->g, peer, &about) && !about.bound);
    peer = connect_as(f, 2);
    receive_record(f, peer, 1, 5, 1);
    assert_int_equal(known(f, 1), 0);
    assert_false(dropped(f, peer)); /* who relays it may have another set */
}

static void test_versions_and_networks(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = connect_as(f, 1);
    head(f, RECORDS);
    f->frame[0] = 9;
    receive(f, peer);
    assert_true(said(f, peer, REFUSE));
    assert_memory_equal(f->frame + 2, ((uint8_t[]){1, GOSSIP_VERSION, GOSSIP_VERSION}), 3);
    assert_false(dropped(f, peer));
    make_hello(f, 2);
    f->frame[3] ^= 1;
    peer = gossip_peer_up(f->g, f->keys[2].binding.curve, false, at(f));
    receive(f, peer);
    assert_true(said(f, peer, REFUSE));
    assert_int_equal(f->frame[2], 2);
    head(f, REFUSE);
    add_number(f, 0x010101, 3);
    receive(f, peer);
    assert_true(dropped(f, peer));
}

static void test_later_minor_versions(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = connect_as(f, 1);
    head(f, 99);
    receive(f, peer);
    head(f, RECORDS); /* a record of a later version, between two of ours */
    add_record(f, 1, 5, 1);
    add(f, "\2\0\7four", 7);
    add_record(f, 2, 5, 1);
    receive(f, peer);
    assert_false(dropped(f, peer));
    assert_int_equal(known(f, 1), 5);
    assert_int_equal(known(f, 2), 5);
}

static void test_second_connection(void **state)
{
    struct fixture *f = *state;
    uint32_t first = connect_as(f, 1);
    uint32_t second = connect_as(f, 1);
    assert_true(said(f, first, BYE));
    assert_true(dropped(f, first));
    gossip_peer_down(f->g, first, at(f));
    assert_false(dropped(f, second));
    head(f, BYE);
    receive(f, second);
    assert_true(dropped(f, second));
}

static void test_strangers_make_room(void **state)
{
    struct fixture *f = *state;
    uint32_t drop, kept = connect_as(f, 1), most = 0;
    for (uint32_t i = 0; i < 100000; i++) {
        uint8_t curve[RECORD_KEY_SIZE] = {9};
        struct gossip_stats stats = gossip_stats(f->g);
        memcpy(curve + 1, &i, sizeof i);
        (void)gossip_peer_up(f->g, curve, false, at(f));
        most = stats.peers > most ? stats.peers : most;
        while (gossip_next_drop(f->g, &drop)) {
            assert_int_not_equal(drop, kept);
            gossip_peer_down(f->g, drop, at(f));
        }
    }
    assert_in_range(most, GOSSIP_STRANGERS, GOSSIP_STRANGERS + 2);
    assert_int_not_equal(connect_as(f, 2), GOSSIP_PEER_NONE);
}

/* --- records --- */

static void test_highest_sequence(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = connect_as(f, 1);
    receive_record(f, peer, 2, 5, 1);
    receive_record(f, peer, 2, 3, 1);
    assert_int_equal(known(f, 2), 5);
    receive_record(f, peer, 2, 6, 1);
    receive_record(f, peer, 2, 5, 1); /* replayed */
    assert_int_equal(known(f, 2), 6);
    assert_false(entry(f, 2).is_void);
    receive_record(f, peer, 4, 6, 1); /* no member's */
    assert_false(dropped(f, peer));
}

static void test_forged_record(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = connect_as(f, 1);
    receive_record(f, peer, 2, 5, 1);
    head(f, RECORDS);
    add_record(f, 2, 9, 1);
    f->frame[f->size - 1] ^= 1;
    receive(f, peer);
    assert_int_equal(known(f, 2), 5);
    assert_true(dropped(f, peer));
    assert_int_equal(gossip_stats(f->g).records_forged, 1);
    assert_int_equal(gossip_peer_up(f->g, f->keys[1].binding.curve, false, at(f)),
                     GOSSIP_PEER_NONE);
}

static void test_signed_by_another(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = connect_as(f, 1);
    memcpy(f->keys[2].identity, f->keys[1].identity, RECORD_KEY_SIZE);
    receive_record(f, peer, 2, 9, 1);
    assert_int_equal(known(f, 2), 0);
    assert_true(dropped(f, peer));
}

static void test_frames_no_honest_peer_sends(void **state)
{
    struct fixture *f = *state;
    static const struct {
        size_t size;
        uint8_t bytes[8];
    } bad[] = {{0, {0}},
               {1, {1}},
               {2, {1, RECORDS}},
               {4, {1, RECORDS, 1, 0}},
               {5, {1, RECORDS, 1, 0, 9}},
               {5, {1, RECORDS, 1, 0, 3}},
               {5, {1, RECORDS, 2, 0, 2}},
               {3, {1, DIGEST, 0}},
               {3, {1, LIST, 0}},
               {2, {1, WANT}},
               {3, {1, WANT, 0}},
               {8, {1, PROOF, 1, 0, 3, 1, 0, 3}},
               {3, {1, HELLO, 0}},
               {4, {1, REFUSE, 1, 1}}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint32_t peer = connect_as(f, 1);
        memcpy(f->frame, bad[i].bytes, bad[i].size);
        f->size = bad[i].size;
        receive(f, peer);
        assert_true(dropped(f, peer));
        gossip_peer_down(f->g, peer, at(f));
        pass(f, 61000);
    }
    uint32_t peer = connect_as(f, 1);
    memset(f->frame, 1, sizeof f->frame);
    f->size = sizeof f->frame;
    receive(f, peer);
    assert_true(dropped(f, peer));
}

static void test_flood_is_limited(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = connect_as(f, 1);
    head(f, WANT);
    add(f, f->keys[3].binding.validator, ADDRESS_SIZE);
    for (int i = 0; i < 1000; i++)
        receive(f, peer);
    assert_in_range(gossip_stats(f->g).frames_limited, 500, 700);
    assert_false(dropped(f, peer));
    f->now_ms += 3000;
    receive_record(f, peer, 2, 5, 1);
    assert_int_equal(known(f, 2), 5);
}

static void test_versions_are_limited(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = connect_as(f, 1);
    for (uint32_t i = 1; i <= 200; i++)
        receive_record(f, peer, 1, i, 1);
    assert_int_equal(known(f, 1), 32);
    uint64_t verified = gossip_stats(f->g).verified;
    f->now_ms += 10000;
    for (uint32_t i = 201; i <= 400; i++)
        receive_record(f, peer, 1, i, 1);
    assert_int_equal(gossip_stats(f->g).verified - verified, 32);
    f->now_ms += 1000;
    receive_record(f, peer, 2, 1, 1); /* of others nothing is held back */
    assert_int_equal(known(f, 2), 1);
}

/* --- equivocation --- */

static void test_equivocation(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = connect_as(f, 1), other = connect_as(f, 3);
    receive_record(f, peer, 2, 5, 1);
    receive_record(f, peer, 2, 5, 2);
    assert_true(entry(f, 2).is_void);
    assert_int_equal(known(f, 2), 0);
    assert_false(dropped(f, peer)); /* who tells is not who did it */
    receive_record(f, peer, 2, 6, 1);
    assert_true(entry(f, 2).is_void);
    pass(f, 200);
    assert_true(said(f, other, PROOF));
    struct gossip *kept = f->g;
    f->g = create(f, 3, 0);
    peer = gossip_peer_up(f->g, f->keys[1].binding.curve, false, at(f));
    uint8_t proof[GOSSIP_FRAME_MAX];
    size_t size = f->size;
    memcpy(proof, f->frame, size);
    make_hello(f, 1);
    receive(f, peer);
    gossip_receive(f->g, peer, proof, size, at(f));
    assert_true(entry(f, 2).is_void);
    gossip_state_destroy(&f->g);
    f->g = kept;
}

static void test_equivocation_in_the_past(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = connect_as(f, 1);
    receive_record(f, peer, 2, 5, 1);
    receive_record(f, peer, 2, 6, 1);
    receive_record(f, peer, 2, 5, 2);
    assert_true(entry(f, 2).is_void);
}

static void test_false_proofs(void **state)
{
    struct fixture *f = *state;
    static const uint64_t wrong[][4] = {
        {5, 1, 5, 1}, /* one record twice */
        {5, 1, 6, 1}, /* two versions */
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uint32_t peer = connect_as(f, 1);
        head(f, PROOF);
        add_record(f, 2, wrong[i][0], wrong[i][1]);
        add_record(f, 2, wrong[i][2], wrong[i][3]);
        receive(f, peer);
        assert_false(entry(f, 2).is_void);
        assert_true(dropped(f, peer));
        gossip_peer_down(f->g, peer, at(f));
        pass(f, 61000);
    }
    uint32_t peer = connect_as(f, 1);
    head(f, PROOF);
    add_record(f, 2, 5, 1);
    add_record(f, 2, 5, 2);
    f->frame[f->size - 1] ^= 1; /* the second is forged */
    receive(f, peer);
    assert_false(entry(f, 2).is_void);
    assert_true(dropped(f, peer));
}

static void test_two_signatures_are_one_record(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = connect_as(f, 1);
    receive_record(f, peer, 2, 5, 1);
    head(f, RECORDS);
    add_record(f, 2, 5, 1);
    f->frame[f->size - 1] ^= 1;
    receive(f, peer);
    assert_int_equal(known(f, 2), 5);
}

static void test_new_binding_ends_the_void(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = connect_as(f, 1);
    receive_record(f, peer, 2, 5, 1);
    receive_record(f, peer, 2, 5, 2);
    world_keys_make(&f->network, 2, WORLD_SERIAL + 1, &f->keys[2]);
    receive_record(f, peer, 2, 1, 1);
    assert_false(entry(f, 2).is_void);
    assert_int_equal(known(f, 2), 1);
    world_keys_make(&f->network, 2, WORLD_SERIAL, &f->keys[2]);
    receive_record(f, peer, 2, 9, 1); /* the old key has nothing to say any more */
    assert_int_equal(known(f, 2), 1);
}

static void test_membership_forgets(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = connect_as(f, 1), gone = connect_as(f, 2);
    receive_record(f, peer, 2, 5, 1);
    receive_record(f, peer, 2, 5, 2);
    receive_record(f, peer, 3, 5, 1);
    struct gossip_member members[MEMBERS - 1] = {f->members[3], f->members[0], f->members[1]};
    assert_true(gossip_allow(f->g, members, MEMBERS - 1, at(f)));
    assert_int_equal(gossip_count(f->g), MEMBERS - 1);
    assert_true(dropped(f, gone));
    gossip_peer_down(f->g, gone, at(f));
    assert_int_equal(known(f, 3), 5);
    receive_record(f, peer, 2, 7, 1);
    assert_true(gossip_allow(f->g, f->members, MEMBERS, at(f)));
    assert_false(entry(f, 2).known);
    receive_record(f, peer, 2, 7, 1);
    assert_int_equal(known(f, 2), 7);
    f->members[2].account[0] ^= 1; /* another account owns it now */
    assert_true(gossip_allow(f->g, f->members, MEMBERS, at(f)));
    assert_false(entry(f, 2).known);
}

/* --- our own record --- */

static void test_own_pace(void **state)
{
    struct fixture *f = *state;
    struct record fields = {.phase = COORD_JOINING};
    struct fault fault;
    uint64_t sequence = 0;
    assert_int_equal(gossip_own(f->g, &fields, at(f), &sequence, &fault), GOSSIP_OWN_NEWS);
    assert_int_equal(sequence, f->now_ms);
    assert_int_equal(gossip_own(f->g, &fields, at(f), &sequence, &fault), GOSSIP_OWN_SAME);
    fields.head = height_at(9);
    assert_int_equal(gossip_own(f->g, &fields, at(f), &sequence, &fault), GOSSIP_OWN_SAME);
    f->now_ms += GOSSIP_HEAD_MS;
    assert_int_equal(gossip_own(f->g, &fields, at(f), &sequence, &fault), GOSSIP_OWN_QUIET);
    f->now_ms -= 5000; /* the clock steps back */
    fields.phase = COORD_WAITING;
    uint64_t before = sequence;
    assert_int_equal(gossip_own(f->g, &fields, at(f), &sequence, &fault), GOSSIP_OWN_NEWS);
    assert_int_equal(sequence, before + 1);
    f->now_ms += GOSSIP_REFRESH_MS;
    assert_int_equal(gossip_own(f->g, &fields, at(f), &sequence, &fault), GOSSIP_OWN_QUIET);
    fields.plan[0] = '\t';
    assert_int_equal(gossip_own(f->g, &fields, at(f), &sequence, &fault), GOSSIP_OWN_FAILED);
    assert_non_null(strstr(fault.text, "plan"));
}

static void test_own_after_a_loss(void **state)
{
    struct fixture *f = *state;
    struct record fields = {.phase = COORD_JOINING};
    struct fault fault;
    uint64_t sequence = 0, ahead = (uint64_t)f->now_ms + 1000000;
    uint32_t peer = connect_as(f, 1);
    assert_int_equal(gossip_own(f->g, &fields, at(f), &sequence, &fault), GOSSIP_OWN_NEWS);
    receive_record(f, peer, 0, ahead, 1); /* what we said before, by a clock that was ahead */
    assert_int_equal(gossip_double(f->g), GOSSIP_DOUBLE_HEARD);
    assert_int_equal(gossip_own(f->g, &fields, at(f), &sequence, &fault), GOSSIP_OWN_NEWS);
    assert_int_equal(sequence, ahead + 1);
    assert_int_equal(gossip_double(f->g), GOSSIP_DOUBLE_NO);
    receive_record(f, peer, 0, ahead + 1, 77); /* a second agent with our key */
    assert_int_equal(gossip_double(f->g), GOSSIP_DOUBLE_VOID);
    fields.phase = COORD_WAITING;
    assert_int_equal(gossip_own(f->g, &fields, at(f), &sequence, &fault), GOSSIP_OWN_FAILED);
    assert_non_null(strstr(fault.text, "new binding"));
}

static void test_own_stored_sequence(void **state)
{
    struct fixture *f = *state;
    struct record fields = {.phase = COORD_JOINING};
    struct fault fault;
    uint64_t sequence = 0, stored = (uint64_t)f->now_ms + 50;
    gossip_state_destroy(&f->g);
    f->g = create(f, 0, stored);
    assert_int_equal(gossip_own(f->g, &fields, at(f), &sequence, &fault), GOSSIP_OWN_NEWS);
    assert_int_equal(sequence, stored + 1);
    gossip_state_destroy(&f->g);
    f->g = create(f, 0, RECORD_SEQUENCE_MAX);
    assert_int_equal(gossip_own(f->g, &fields, at(f), &sequence, &fault), GOSSIP_OWN_FAILED);
}

static void test_own_refusals(void **state)
{
    struct fixture *f = *state;
    struct record fields = {.phase = COORD_JOINING};
    struct fault fault;
    uint64_t sequence = 0;
    assert_true(gossip_allow(f->g, f->members + 1, MEMBERS - 1, at(f)));
    assert_int_equal(gossip_own(f->g, &fields, at(f), &sequence, &fault), GOSSIP_OWN_FAILED);
    f->members[0].account[0] ^= 1;
    assert_true(gossip_allow(f->g, f->members, MEMBERS, at(f)));
    assert_int_equal(gossip_own(f->g, &fields, at(f), &sequence, &fault), GOSSIP_OWN_FAILED);
    assert_non_null(strstr(fault.text, "account"));
}

static void refuse_config(const struct gossip_config *config, const char *word)
{
    struct fault fault = {""};
    assert_null(gossip_state_create(config, (struct instant){1}, &fault));
    assert_non_null(strstr(fault.text, word));
}

static void test_configuration(void **state)
{
    struct fixture *f = *state;
    struct gossip_seed seed = {.endpoint = "tcp://a"};
    struct gossip_config good = {.network = f->network, .binding = f->keys[0].binding}, c;
    memcpy(good.identity, f->keys[0].identity, RECORD_KEY_SIZE);
    c = good;
    c.identity[0] ^= 1;
    refuse_config(&c, "identity");
    c = good;
    c.binding.curve[0] ^= 1;
    refuse_config(&c, "signature");
    c = good;
    c.seeds = &seed;
    c.seed_count = 1;
    refuse_config(&c, "seed 1");
    c.seed_count = GOSSIP_SEEDS_MAX + 1;
    refuse_config(&c, "seeds");
    c = good;
    c.peers_max = GOSSIP_PEERS_MAX + 1;
    refuse_config(&c, "peers");
}

/* --- opinions --- */

static void receive_opinion(struct fixture *f, uint32_t peer, uint32_t who, uint64_t height,
                            uint8_t hash, enum coord_state phase)
{
    struct record r = {.binding = f->keys[who].binding,
                       .sequence = (uint64_t)f->now_ms,
                       .phase = phase,
                       .head = {height},
                       .domain = "rack"};
    uint8_t bytes[RECORD_MAX];
    struct fault fault;
    memset(r.head_hash, hash, HASH_SIZE);
    r.failure = phase == COORD_OFFLINE ? RECORD_FAILURE_NODE : RECORD_FAILURE_NONE;
    head(f, RECORDS);
    add(f, bytes, record_seal(&f->network, &r, f->keys[who].identity, bytes, &fault));
    receive(f, peer);
}

static bool hash_is_one(void *context, struct height height, uint8_t hash[HASH_SIZE])
{
    (void)context;
    memset(hash, 1, HASH_SIZE);
    return height.n <= 100;
}

static void test_opinion(void **state)
{
    struct fixture *f = *state;
    struct record fields = {.domain = "rack", .head = {900}};
    struct fault fault;
    uint64_t sequence;
    uint32_t peer = connect_as(f, 1);
    assert_false(gossip_opinion(f->g, NULL, NULL).known);
    assert_int_equal(gossip_own(f->g, &fields, at(f), &sequence, &fault), GOSSIP_OWN_NEWS);
    receive_opinion(f, peer, 1, 1000, 2, COORD_IDLE);
    receive_opinion(f, peer, 2, 100, 1, COORD_OFFLINE);
    receive_opinion(f, peer, 3, 90, 1, COORD_UNPAUSING);
    struct coord_peers peers = gossip_opinion(f->g, hash_is_one, NULL);
    assert_true(peers.known);
    assert_false(peers.conflict);        /* of 1,000 we have no hash */
    assert_int_equal(peers.head.n, 100); /* one of three is no more than a third */
    assert_int_equal(peers.failures, 1);
    assert_int_equal(peers.domain_out, 2);
    f->now_ms++;
    receive_opinion(f, peer, 2, 100, 2, COORD_IDLE);
    assert_false(gossip_opinion(f->g, hash_is_one, NULL).conflict);
    receive_opinion(f, peer, 3, 90, 2, COORD_IDLE);
    peers = gossip_opinion(f->g, hash_is_one, NULL);
    assert_true(peers.conflict);
    assert_int_equal(peers.failures, 0);
    pass(f, GOSSIP_FRESH_MS + 1);
    peers = gossip_opinion(f->g, hash_is_one, NULL);
    assert_false(peers.conflict);
    assert_int_equal(peers.head.n, 0);
}

/* --- repair, frame by frame --- */

static void test_digest_list_want(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = connect_as(f, 1);
    receive_record(f, peer, 2, 5, 1);
    while (said(f, peer, RECORDS)) {
    }
    head(f, DIGEST); /* of somebody who knows nothing */
    memset(f->frame + 2, 0, 64 * 8);
    f->size += 64 * 8;
    receive(f, peer);
    assert_true(said(f, peer, LIST));
    assert_int_equal(f->size, 2 + 8 + 45);
    assert_memory_equal(f->frame + 10, f->keys[2].binding.validator, ADDRESS_SIZE);
    head(f, WANT);
    add(f, f->keys[2].binding.validator, ADDRESS_SIZE);
    add(f, f->keys[3].binding.validator, ADDRESS_SIZE);
    receive(f, peer);
    assert_true(said(f, peer, RECORDS));
    head(f, LIST); /* of somebody who knows nothing, again */
    add_number(f, UINT64_MAX, 8);
    receive(f, peer);
    assert_true(said(f, peer, RECORDS));
    head(f, LIST);
    add_number(f, 0, 8);
    add(f, f->keys[2].binding.validator, ADDRESS_SIZE);
    add_number(f, WORLD_SERIAL, 8);
    add_number(f, 6, 8);
    add_number(f, 0, 1);
    add_number(f, 0, 8);
    receive(f, peer);
    assert_true(said(f, peer, WANT));
    assert_memory_equal(f->frame + 2, f->keys[2].binding.validator, ADDRESS_SIZE);
    assert_false(dropped(f, peer));
}

static void test_level_digest(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = connect_as(f, 1);
    receive_record(f, peer, 2, 5, 1);
    pass(f, 100);
    for (int i = 0; i < 100 && !said(f, peer, DIGEST); i++)
        pass(f, 100);
    receive(f, peer); /* its own digest comes back to it */
    assert_true(said(f, peer, LIST));
    assert_int_equal(f->size, 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_greeting),
        TEST(test_stranger_is_not_heard),
        TEST(test_copied_binding),
        TEST(test_unbound_key),
        TEST(test_other_account),
        TEST(test_versions_and_networks),
        TEST(test_later_minor_versions),
        TEST(test_second_connection),
        TEST(test_strangers_make_room),
        TEST(test_highest_sequence),
        TEST(test_forged_record),
        TEST(test_signed_by_another),
        TEST(test_frames_no_honest_peer_sends),
        TEST(test_flood_is_limited),
        TEST(test_versions_are_limited),
        TEST(test_equivocation),
        TEST(test_equivocation_in_the_past),
        TEST(test_false_proofs),
        TEST(test_two_signatures_are_one_record),
        TEST(test_new_binding_ends_the_void),
        TEST(test_membership_forgets),
        TEST(test_own_pace),
        TEST(test_own_after_a_loss),
        TEST(test_own_stored_sequence),
        TEST(test_own_refusals),
        TEST(test_configuration),
        TEST(test_opinion),
        TEST(test_digest_list_want),
        TEST(test_level_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
