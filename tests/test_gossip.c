/* One instance of gossip, frame by frame: greetings, refusals, ranks, proofs, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "tests/gossip_fixture.h"

/* --- greetings --- */

static void test_greeting(void **state)
{
    struct fixture *f = *state;
    struct gossip_peer about;
    uint32_t peer = fixture_connect_as(f, 1);
    assert_true(gossip_peer(f->g, peer, &about));
    assert_true(about.bound);
    assert_int_equal(about.charter, 7);
    assert_memory_equal(about.validator, f->keys[1].binding.validator, ADDRESS_SIZE);
    assert_true(fixture_said(f, peer, HELLO));
    assert_int_equal(f->size, 2 + 1 + 32 + 4 + RECORD_BINDING_SIZE);
}

static void test_stranger_is_not_heard(void **state)
{
    struct fixture *f = *state;
    struct gossip_peer about;
    uint32_t peer = gossip_peer_up(f->g, f->keys[1].binding.curve, false, fixture_at(f));
    fixture_receive_record(f, peer, 2, 5, 1);
    assert_int_equal(fixture_known(f, 2), 0);
    assert_true(gossip_peer(f->g, peer, &about) && !about.bound);
    assert_true(fixture_said(f, peer, HELLO));
    assert_int_equal(f->frame[2], 1); /* "and who are you?" */
    for (int i = 0; i < 12; i++)
        fixture_pass(f, 500);
    assert_true(fixture_dropped(f, peer));
}

static void test_copied_binding(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = gossip_peer_up(f->g, f->keys[4].binding.curve, false, fixture_at(f));
    fixture_make_hello(f, 1); /* genuine, but of another CURVE key */
    fixture_receive(f, peer);
    assert_true(fixture_dropped(f, peer));
    assert_int_equal(gossip_admits(f->g, f->keys[4].binding.curve, fixture_at(f)), GOSSIP_BARRED);
    gossip_peer_down(f->g, peer, fixture_at(f));
    assert_int_equal(gossip_peer_up(f->g, f->keys[4].binding.curve, false, fixture_at(f)),
                     GOSSIP_PEER_NONE);
    fixture_pass(f, 61000);
    assert_int_equal(gossip_admits(f->g, f->keys[4].binding.curve, fixture_at(f)), GOSSIP_STRANGER);
}

static void test_unbound_key(void **state)
{
    struct fixture *f = *state;
    struct gossip_peer about;
    f->keys[1].binding.curve[0] ^= 1; /* what the account did not sign */
    uint32_t peer = fixture_connect_as(f, 1);
    assert_true(fixture_dropped(f, peer));
    peer = fixture_connect_as(f, 4); /* signed, but by nobody's account */
    assert_true(gossip_peer(f->g, peer, &about) && !about.bound);
}

static void test_other_account(void **state)
{
    struct fixture *f = *state;
    struct gossip_peer about;
    struct world_keys *k = &f->keys[1];
    assert_true(record_bind(&f->network, &k->binding, f->keys[4].account));
    uint32_t peer = fixture_connect_as(f, 1);
    assert_true(gossip_peer(f->g, peer, &about) && !about.bound);
    peer = fixture_connect_as(f, 2);
    fixture_receive_record(f, peer, 1, 5, 1);
    assert_int_equal(fixture_known(f, 1), 0);
    assert_false(fixture_dropped(f, peer)); /* who relays it may have another set */
}

/* Somebody with the keys of a validator's earlier agent: it is answered with the record of the present one. */
static void test_replaced_agent_hears_of_it(void **state)
{
    struct fixture *f = *state;
    struct gossip_peer about;
    struct world_keys earlier;
    uint32_t peer = fixture_connect_as(f, 1);
    fixture_receive_record(f, peer, 1, 5, 1);
    world_keys_make(&f->network, 1, WORLD_SERIAL - 1, &earlier);
    earlier.binding.curve[0] ^= 1;
    assert_true(record_bind(&f->network, &earlier.binding, earlier.account));
    f->keys[1] = earlier;
    peer = fixture_connect_as(f, 1);
    assert_true(gossip_peer(f->g, peer, &about) && !about.bound);
    assert_true(fixture_said(f, peer, RECORDS));
    assert_int_equal(f->size, 2 + fixture_entry(f, 1).record_size);
    assert_memory_equal(f->frame + 2, fixture_entry(f, 1).record, fixture_entry(f, 1).record_size);
}

/* Two agents of one validator that meet: the earlier one hears the later one, and not the other way round. */
static void test_own_validator_elsewhere(void **state)
{
    struct fixture *f = *state;
    struct gossip_peer about;
    const uint64_t serials[2] = {WORLD_SERIAL - 1, WORLD_SERIAL + 1};
    for (uint32_t i = 0; i < 2; i++) {
        world_keys_make(&f->network, 0, serials[i], &f->keys[0]);
        f->keys[0].binding.curve[i] ^= 1;
        assert_true(record_bind(&f->network, &f->keys[0].binding, f->keys[0].account));
        uint32_t peer = fixture_connect_as(f, 0);
        assert_true(gossip_peer(f->g, peer, &about));
        assert_int_equal(about.bound, i == 1);
        fixture_receive_record(f, peer, 0, 5, 1);
        assert_int_equal(fixture_known(f, 0), i == 1 ? 5 : 0);
    }
}

static void test_versions_and_networks(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = fixture_connect_as(f, 1);
    fixture_head(f, RECORDS);
    f->frame[0] = 9;
    fixture_receive(f, peer);
    assert_true(fixture_said(f, peer, REFUSE));
    assert_memory_equal(f->frame + 2, ((uint8_t[]){1, GOSSIP_VERSION, GOSSIP_VERSION}), 3);
    assert_false(fixture_dropped(f, peer));
    fixture_make_hello(f, 2);
    f->frame[3] ^= 1;
    peer = gossip_peer_up(f->g, f->keys[2].binding.curve, false, fixture_at(f));
    fixture_receive(f, peer);
    assert_true(fixture_said(f, peer, REFUSE));
    assert_int_equal(f->frame[2], 2);
    fixture_head(f, REFUSE);
    fixture_add_number(f, 0x010101, 3);
    fixture_receive(f, peer);
    assert_true(fixture_dropped(f, peer));
}

static void test_later_minor_versions(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = fixture_connect_as(f, 1);
    fixture_head(f, 99);
    fixture_receive(f, peer);
    fixture_head(f, RECORDS); /* a record of a later version, between two of ours */
    fixture_add_record(f, 1, 5, 1);
    fixture_add(f, "\2\0\7four", 7);
    fixture_add_record(f, 2, 5, 1);
    fixture_receive(f, peer);
    assert_false(fixture_dropped(f, peer));
    assert_int_equal(fixture_known(f, 1), 5);
    assert_int_equal(fixture_known(f, 2), 5);
}

static void test_second_connection(void **state)
{
    struct fixture *f = *state;
    uint32_t first = fixture_connect_as(f, 1);
    uint32_t second = fixture_connect_as(f, 1);
    assert_true(fixture_said(f, first, BYE));
    assert_true(fixture_dropped(f, first));
    gossip_peer_down(f->g, first, fixture_at(f));
    assert_false(fixture_dropped(f, second));
    fixture_head(f, BYE);
    fixture_receive(f, second);
    assert_true(fixture_dropped(f, second));
}

static void test_strangers_make_room(void **state)
{
    struct fixture *f = *state;
    uint32_t drop, kept = fixture_connect_as(f, 1), most = 0;
    for (uint32_t i = 0; i < 100000; i++) {
        uint8_t curve[RECORD_KEY_SIZE] = {9};
        struct gossip_stats stats = gossip_stats(f->g);
        memcpy(curve + 1, &i, sizeof i);
        (void)gossip_peer_up(f->g, curve, false, fixture_at(f));
        most = stats.peers > most ? stats.peers : most;
        while (gossip_next_drop(f->g, &drop)) {
            assert_int_not_equal(drop, kept);
            gossip_peer_down(f->g, drop, fixture_at(f));
        }
    }
    assert_in_range(most, GOSSIP_STRANGERS, GOSSIP_STRANGERS + 2);
    assert_int_not_equal(fixture_connect_as(f, 2), GOSSIP_PEER_NONE);
}

/* --- records --- */

static void test_highest_sequence(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = fixture_connect_as(f, 1);
    fixture_receive_record(f, peer, 2, 5, 1);
    fixture_receive_record(f, peer, 2, 3, 1);
    assert_int_equal(fixture_known(f, 2), 5);
    fixture_receive_record(f, peer, 2, 6, 1);
    fixture_receive_record(f, peer, 2, 5, 1); /* replayed */
    assert_int_equal(fixture_known(f, 2), 6);
    assert_false(fixture_entry(f, 2).is_void);
    fixture_receive_record(f, peer, 4, 6, 1); /* no member's */
    assert_false(fixture_dropped(f, peer));
}

static void test_forged_record(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = fixture_connect_as(f, 1);
    fixture_receive_record(f, peer, 2, 5, 1);
    fixture_head(f, RECORDS);
    fixture_add_record(f, 2, 9, 1);
    f->frame[f->size - 1] ^= 1;
    fixture_receive(f, peer);
    assert_int_equal(fixture_known(f, 2), 5);
    assert_true(fixture_dropped(f, peer));
    assert_int_equal(gossip_stats(f->g).records_forged, 1);
    assert_int_equal(gossip_peer_up(f->g, f->keys[1].binding.curve, false, fixture_at(f)),
                     GOSSIP_PEER_NONE);
}

static void test_signed_by_another(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = fixture_connect_as(f, 1);
    memcpy(f->keys[2].identity, f->keys[1].identity, RECORD_KEY_SIZE);
    fixture_receive_record(f, peer, 2, 9, 1);
    assert_int_equal(fixture_known(f, 2), 0);
    assert_true(fixture_dropped(f, peer));
}

/* Signed by its author, with a value that only a later version knows: nobody is to blame. */
static void test_signed_but_unknown(void **state)
{
    struct fixture *f = *state;
    const struct record r = {.binding = f->keys[2].binding, .sequence = 5, .phase = COORD_DONE};
    struct fault fault;
    uint8_t bytes[RECORD_MAX], message[64 + RECORD_MAX] = "stagger/record/1";
    size_t signature = RECORD_SIGNATURE_SIZE, size = record_encode(&r, bytes, &fault);
    uint32_t peer = fixture_connect_as(f, 1);
    bytes[size - 1] = 200;
    memcpy(message + 16, f->network.hash, HASH_SIZE);
    memcpy(message + 16 + HASH_SIZE, bytes, size);
    EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, f->keys[2].identity, RECORD_KEY_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(context, NULL, NULL, NULL, key), 1);
    assert_int_equal(
        EVP_DigestSign(context, bytes + size, &signature, message, 16 + HASH_SIZE + size), 1);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    fixture_head(f, RECORDS);
    fixture_add(f, bytes, size + signature);
    fixture_receive(f, peer);
    assert_int_equal(fixture_known(f, 2), 0);
    assert_false(fixture_dropped(f, peer));
    assert_int_equal(gossip_stats(f->g).records_stranger, 1);
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
        uint32_t peer = fixture_connect_as(f, 1);
        memcpy(f->frame, bad[i].bytes, bad[i].size);
        f->size = bad[i].size;
        fixture_receive(f, peer);
        assert_true(fixture_dropped(f, peer));
        gossip_peer_down(f->g, peer, fixture_at(f));
        fixture_pass(f, 61000);
    }
    uint32_t peer = fixture_connect_as(f, 1);
    memset(f->frame, 1, sizeof f->frame);
    f->size = sizeof f->frame;
    fixture_receive(f, peer);
    assert_true(fixture_dropped(f, peer));
}

static void test_flood_is_limited(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = fixture_connect_as(f, 1);
    fixture_head(f, WANT);
    fixture_add(f, f->keys[3].binding.validator, ADDRESS_SIZE);
    for (int i = 0; i < 1000; i++)
        fixture_receive(f, peer);
    assert_in_range(gossip_stats(f->g).frames_limited, 500, 700);
    assert_false(fixture_dropped(f, peer));
    f->now_ms += 3000;
    fixture_receive_record(f, peer, 2, 5, 1);
    assert_int_equal(fixture_known(f, 2), 5);
}

static void test_versions_are_limited(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = fixture_connect_as(f, 1);
    for (uint32_t i = 1; i <= 200; i++)
        fixture_receive_record(f, peer, 1, i, 1);
    assert_int_equal(fixture_known(f, 1), 32);
    uint64_t verified = gossip_stats(f->g).verified;
    f->now_ms += 10000;
    for (uint32_t i = 201; i <= 400; i++)
        fixture_receive_record(f, peer, 1, i, 1);
    assert_int_equal(gossip_stats(f->g).verified - verified, 32);
    f->now_ms += 1000;
    fixture_receive_record(f, peer, 2, 1, 1); /* of others nothing is held back */
    assert_int_equal(fixture_known(f, 2), 1);
}

/* --- equivocation --- */

static void test_equivocation(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = fixture_connect_as(f, 1), other = fixture_connect_as(f, 3);
    fixture_receive_record(f, peer, 2, 5, 1);
    fixture_receive_record(f, peer, 2, 5, 2);
    assert_true(fixture_entry(f, 2).is_void);
    assert_int_equal(fixture_known(f, 2), 0);
    assert_false(fixture_dropped(f, peer)); /* who tells is not who did it */
    fixture_receive_record(f, peer, 2, 6, 1);
    assert_true(fixture_entry(f, 2).is_void);
    fixture_pass(f, 200);
    assert_true(fixture_said(f, other, PROOF));
    struct gossip *kept = f->g;
    f->g = fixture_create(f, 3, 0);
    peer = gossip_peer_up(f->g, f->keys[1].binding.curve, false, fixture_at(f));
    uint8_t proof[GOSSIP_FRAME_MAX];
    size_t size = f->size;
    memcpy(proof, f->frame, size);
    fixture_make_hello(f, 1);
    fixture_receive(f, peer);
    gossip_receive(f->g, peer, proof, size, fixture_at(f));
    assert_true(fixture_entry(f, 2).is_void);
    gossip_destroy(&f->g);
    f->g = kept;
}

static void test_equivocation_in_the_past(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = fixture_connect_as(f, 1);
    fixture_receive_record(f, peer, 2, 5, 1);
    fixture_receive_record(f, peer, 2, 6, 1);
    fixture_receive_record(f, peer, 2, 5, 2);
    assert_true(fixture_entry(f, 2).is_void);
}

static void test_false_proofs(void **state)
{
    struct fixture *f = *state;
    static const uint64_t wrong[][4] = {
        {5, 1, 5, 1}, /* one record twice */
        {5, 1, 6, 1}, /* two versions */
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uint32_t peer = fixture_connect_as(f, 1);
        fixture_head(f, PROOF);
        fixture_add_record(f, 2, wrong[i][0], wrong[i][1]);
        fixture_add_record(f, 2, wrong[i][2], wrong[i][3]);
        fixture_receive(f, peer);
        assert_false(fixture_entry(f, 2).is_void);
        assert_true(fixture_dropped(f, peer));
        gossip_peer_down(f->g, peer, fixture_at(f));
        fixture_pass(f, 61000);
    }
    uint32_t peer = fixture_connect_as(f, 1);
    fixture_head(f, PROOF);
    fixture_add_record(f, 2, 5, 1);
    fixture_add_record(f, 2, 5, 2);
    f->frame[f->size - 1] ^= 1; /* the second is forged */
    fixture_receive(f, peer);
    assert_false(fixture_entry(f, 2).is_void);
    assert_true(fixture_dropped(f, peer));
}

static void test_two_signatures_are_one_record(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = fixture_connect_as(f, 1);
    fixture_receive_record(f, peer, 2, 5, 1);
    fixture_head(f, RECORDS);
    fixture_add_record(f, 2, 5, 1);
    f->frame[f->size - 1] ^= 1;
    fixture_receive(f, peer);
    assert_int_equal(fixture_known(f, 2), 5);
}

static void test_new_binding_ends_the_void(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = fixture_connect_as(f, 1);
    fixture_receive_record(f, peer, 2, 5, 1);
    fixture_receive_record(f, peer, 2, 5, 2);
    world_keys_make(&f->network, 2, WORLD_SERIAL + 1, &f->keys[2]);
    fixture_receive_record(f, peer, 2, 1, 1);
    assert_false(fixture_entry(f, 2).is_void);
    assert_int_equal(fixture_known(f, 2), 1);
    world_keys_make(&f->network, 2, WORLD_SERIAL, &f->keys[2]);
    fixture_receive_record(f, peer, 2, 9, 1); /* the old key has nothing to say any more */
    assert_int_equal(fixture_known(f, 2), 1);
}

static void test_membership_forgets(void **state)
{
    struct fixture *f = *state;
    uint32_t peer = fixture_connect_as(f, 1), gone = fixture_connect_as(f, 2);
    fixture_receive_record(f, peer, 2, 5, 1);
    fixture_receive_record(f, peer, 2, 5, 2);
    fixture_receive_record(f, peer, 3, 5, 1);
    struct gossip_member members[MEMBERS - 1] = {f->members[3], f->members[0], f->members[1]};
    assert_true(gossip_allow(f->g, members, MEMBERS - 1, fixture_at(f)));
    assert_int_equal(gossip_count(f->g), MEMBERS - 1);
    assert_true(fixture_dropped(f, gone));
    gossip_peer_down(f->g, gone, fixture_at(f));
    assert_int_equal(fixture_known(f, 3), 5);
    fixture_receive_record(f, peer, 2, 7, 1);
    assert_true(gossip_allow(f->g, f->members, MEMBERS, fixture_at(f)));
    assert_false(fixture_entry(f, 2).known);
    fixture_receive_record(f, peer, 2, 7, 1);
    assert_int_equal(fixture_known(f, 2), 7);
    f->members[2].account[0] ^= 1; /* another account owns it now */
    assert_true(gossip_allow(f->g, f->members, MEMBERS, fixture_at(f)));
    assert_false(fixture_entry(f, 2).known);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_greeting),
        TEST(test_stranger_is_not_heard),
        TEST(test_copied_binding),
        TEST(test_unbound_key),
        TEST(test_other_account),
        TEST(test_replaced_agent_hears_of_it),
        TEST(test_own_validator_elsewhere),
        TEST(test_versions_and_networks),
        TEST(test_later_minor_versions),
        TEST(test_second_connection),
        TEST(test_strangers_make_room),
        TEST(test_highest_sequence),
        TEST(test_forged_record),
        TEST(test_signed_by_another),
        TEST(test_signed_but_unknown),
        TEST(test_frames_no_honest_peer_sends),
        TEST(test_flood_is_limited),
        TEST(test_versions_are_limited),
        TEST(test_equivocation),
        TEST(test_equivocation_in_the_past),
        TEST(test_false_proofs),
        TEST(test_two_signatures_are_one_record),
        TEST(test_new_binding_ends_the_void),
        TEST(test_membership_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
