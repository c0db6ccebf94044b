/* One instance of gossip: our own record, the configuration, what others say, repair frame by frame. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/gossip_fixture.h"

/* --- our own record --- */

static void test_own_pace(void **state)
{
    struct fixture *f = *state;
    struct record fields = {.phase = COORD_JOINING};
    struct fault fault;
    uint64_t sequence = 0;
    assert_int_equal(gossip_own(f->g, &fields, fixture_at(f), &sequence, &fault), GOSSIP_OWN_NEWS);
    assert_int_equal(sequence, f->now_ms);
    assert_int_equal(gossip_own(f->g, &fields, fixture_at(f), &sequence, &fault), GOSSIP_OWN_SAME);
    fields.head = height_at(9);
    assert_int_equal(gossip_own(f->g, &fields, fixture_at(f), &sequence, &fault), GOSSIP_OWN_SAME);
    f->now_ms += GOSSIP_HEAD_MS;
    assert_int_equal(gossip_own(f->g, &fields, fixture_at(f), &sequence, &fault), GOSSIP_OWN_QUIET);
    f->now_ms -= 5000; /* the clock steps back */
    fields.phase = COORD_WAITING;
    uint64_t before = sequence;
    assert_int_equal(gossip_own(f->g, &fields, fixture_at(f), &sequence, &fault), GOSSIP_OWN_NEWS);
    assert_int_equal(sequence, before + 1);
    f->now_ms += GOSSIP_REFRESH_MS;
    assert_int_equal(gossip_own(f->g, &fields, fixture_at(f), &sequence, &fault), GOSSIP_OWN_QUIET);
    fields.plan[0] = '\t';
    assert_int_equal(gossip_own(f->g, &fields, fixture_at(f), &sequence, &fault),
                     GOSSIP_OWN_FAILED);
    assert_non_null(strstr(fault.text, "plan"));
}

static void test_own_after_a_loss(void **state)
{
    struct fixture *f = *state;
    struct record fields = {.phase = COORD_JOINING};
    struct fault fault;
    uint64_t sequence = 0, ahead = (uint64_t)f->now_ms + 1000000;
    uint32_t peer = fixture_connect_as(f, 1);
    assert_int_equal(gossip_own(f->g, &fields, fixture_at(f), &sequence, &fault), GOSSIP_OWN_NEWS);
    fixture_receive_record(f, peer, 0, ahead,
                           1); /* what we said before, by a clock that was ahead */
    assert_int_equal(gossip_double(f->g), GOSSIP_DOUBLE_HEARD);
    assert_int_equal(gossip_own(f->g, &fields, fixture_at(f), &sequence, &fault), GOSSIP_OWN_NEWS);
    assert_int_equal(sequence, ahead + 1);
    assert_int_equal(gossip_double(f->g), GOSSIP_DOUBLE_NO);
    fixture_receive_record(f, peer, 0, ahead + 1, 77); /* a second agent with our key */
    assert_int_equal(gossip_double(f->g), GOSSIP_DOUBLE_VOID);
    fields.phase = COORD_WAITING;
    assert_int_equal(gossip_own(f->g, &fields, fixture_at(f), &sequence, &fault),
                     GOSSIP_OWN_FAILED);
    assert_non_null(strstr(fault.text, "new binding"));
}

static void test_own_stored_sequence(void **state)
{
    struct fixture *f = *state;
    struct record fields = {.phase = COORD_JOINING};
    struct fault fault;
    uint64_t sequence = 0, stored = (uint64_t)f->now_ms + 50;
    gossip_destroy(&f->g);
    f->g = fixture_create(f, 0, stored);
    assert_int_equal(gossip_own(f->g, &fields, fixture_at(f), &sequence, &fault), GOSSIP_OWN_NEWS);
    assert_int_equal(sequence, stored + 1);
    gossip_destroy(&f->g);
    f->g = fixture_create(f, 0, RECORD_SEQUENCE_MAX);
    assert_int_equal(gossip_own(f->g, &fields, fixture_at(f), &sequence, &fault),
                     GOSSIP_OWN_FAILED);
}

static void test_own_refusals(void **state)
{
    struct fixture *f = *state;
    struct record fields = {.phase = COORD_JOINING};
    struct fault fault;
    uint64_t sequence = 0;
    assert_true(gossip_allow(f->g, f->members + 1, MEMBERS - 1, fixture_at(f)));
    assert_int_equal(gossip_own(f->g, &fields, fixture_at(f), &sequence, &fault),
                     GOSSIP_OWN_FAILED);
    f->members[0].account[0] ^= 1;
    assert_true(gossip_allow(f->g, f->members, MEMBERS, fixture_at(f)));
    assert_int_equal(gossip_own(f->g, &fields, fixture_at(f), &sequence, &fault),
                     GOSSIP_OWN_FAILED);
    assert_non_null(strstr(fault.text, "account"));
}

static void refuse_config(const struct gossip_config *config, const char *word)
{
    struct fault fault = {""};
    assert_null(gossip_create(config, (struct instant){1}, &fault));
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
    fixture_head(f, RECORDS);
    fixture_add(f, bytes, record_seal(&f->network, &r, f->keys[who].identity, bytes, &fault));
    fixture_receive(f, peer);
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
    uint32_t peer = fixture_connect_as(f, 1);
    assert_false(gossip_opinion(f->g, NULL, NULL).known);
    assert_int_equal(gossip_own(f->g, &fields, fixture_at(f), &sequence, &fault), GOSSIP_OWN_NEWS);
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
    fixture_pass(f, GOSSIP_FRESH_MS + 1);
    peers = gossip_opinion(f->g, hash_is_one, NULL);
    assert_false(peers.conflict);
    assert_int_equal(peers.head.n, 0);
}

/* --- repair, frame by frame --- */

static void test_digest_list_want(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = fixture_connect_as(f, 1);
    fixture_receive_record(f, peer, 2, 5, 1);
    while (fixture_said(f, peer, RECORDS)) {
    }
    fixture_head(f, DIGEST); /* of somebody who knows nothing */
    memset(f->frame + 2, 0, 64 * 8);
    f->size += 64 * 8;
    fixture_receive(f, peer);
    assert_true(fixture_said(f, peer, LIST));
    assert_int_equal(f->size, 2 + 8 + 45);
    assert_memory_equal(f->frame + 10, f->keys[2].binding.validator, ADDRESS_SIZE);
    fixture_head(f, WANT);
    fixture_add(f, f->keys[2].binding.validator, ADDRESS_SIZE);
    fixture_add(f, f->keys[3].binding.validator, ADDRESS_SIZE);
    fixture_receive(f, peer);
    assert_true(fixture_said(f, peer, RECORDS));
    fixture_head(f, LIST); /* of somebody who knows nothing, again */
    fixture_add_number(f, UINT64_MAX, 8);
    fixture_receive(f, peer);
    assert_true(fixture_said(f, peer, RECORDS));
    fixture_head(f, LIST);
    fixture_add_number(f, 0, 8);
    fixture_add(f, f->keys[2].binding.validator, ADDRESS_SIZE);
    fixture_add_number(f, WORLD_SERIAL, 8);
    fixture_add_number(f, 6, 8);
    fixture_add_number(f, 0, 1);
    fixture_add_number(f, 0, 8);
    fixture_receive(f, peer);
    assert_true(fixture_said(f, peer, WANT));
    assert_memory_equal(f->frame + 2, f->keys[2].binding.validator, ADDRESS_SIZE);
    assert_false(fixture_dropped(f, peer));
}

static void test_level_digest(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = fixture_connect_as(f, 1);
    fixture_receive_record(f, peer, 2, 5, 1);
    fixture_pass(f, 100);
    for (int i = 0; i < 100 && !fixture_said(f, peer, DIGEST); i++)
        fixture_pass(f, 100);
    fixture_receive(f, peer); /* its own digest comes back to it */
    assert_true(fixture_said(f, peer, LIST));
    assert_int_equal(f->size, 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_own_pace),         TEST(test_own_after_a_loss), TEST(test_own_stored_sequence),
        TEST(test_own_refusals),     TEST(test_configuration),    TEST(test_opinion),
        TEST(test_digest_list_want), TEST(test_level_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
