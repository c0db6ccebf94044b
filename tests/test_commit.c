/* Commits: who may be missing, whose signature must be right, and what a refused one is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "tests/light_world.h"

#define MEMBERS 6

/* The last commit of a small network; powers are 100 but for entries 1 (absent) and 2 (nil), 1 each. */
static struct light_world *make_world(void)
{
    static struct light_world world;
    light_world_make(&world, MEMBERS);
    return &world;
}

static bool verify(const struct light_world *w, struct fault *fault)
{
    return commit_verify(&w->last_commit, w->before.chain_id, &w->before_id, w->before.height,
                         w->members, w->count, fault);
}

static void assert_verifies(const struct light_world *w)
{
    struct fault fault = {""};
    if (!verify(w, &fault))
        fail_msg("%s", fault.text);
}

static void assert_refused(const struct light_world *w, const char *words)
{
    struct fault fault = {""};
    if (verify(w, &fault))
        fail_msg("verified, though \"%s\"", words);
    if (!strstr(fault.text, words))
        fail_msg("\"%s\" is not in the fault \"%s\"", words, fault.text);
    assert_int_equal(ERR_peek_error(), 0);
}

static void sign(struct light_world *w, uint32_t i)
{
    light_world_sign(&w->last_commit, w->before.chain_id, w->members, i);
}

/* Entry i becomes absent, nil or for the block, properly. */
static void vote(struct light_world *w, uint32_t i, enum commit_flag flag)
{
    struct commit_sig *sig = &w->last_sigs[i];
    *sig = (struct commit_sig){.flag = flag, .time.seconds = TIME_STAMP_ZERO_S};
    if (flag == COMMIT_ABSENT)
        return;
    sig->time.seconds = 1700000000;
    memcpy(sig->address, w->members[i].address, ADDRESS_SIZE);
    sign(w, i);
}

static void test_two_thirds(void **state)
{
    (void)state;
    struct light_world *w = make_world();
    assert_verifies(w);
    for (uint32_t i = 0; i < MEMBERS; i++) {
        w->members[i].power = 1;
        vote(w, i, COMMIT_FOR_BLOCK);
    }
    assert_verifies(w);
    vote(w, 0, COMMIT_ABSENT);
    assert_verifies(w);
    vote(w, 1, COMMIT_NIL); /* 4 of 6 is not more than two thirds */
    assert_refused(w, "commit of block 7: power 4 of 6 has signed it, more than two thirds are");
    w->members[2].power = 2;
    assert_verifies(w);
    for (uint32_t i = 0; i < MEMBERS; i++)
        vote(w, i, COMMIT_NIL);
    assert_refused(w, "power 0 of 7");
    for (uint32_t i = 0; i < MEMBERS; i++)
        vote(w, i, COMMIT_ABSENT);
    assert_refused(w, "power 0 of 7");
}

static void test_power(void **state)
{
    (void)state;
    struct light_world *w = make_world();
    for (uint32_t i = 0; i < MEMBERS; i++) {
        w->members[i].power = 1;
        vote(w, i, COMMIT_FOR_BLOCK);
    }
    w->members[5].power = COMMIT_POWER_MAX - 5; /* the most there may be together */
    assert_verifies(w);
    vote(w, 0, COMMIT_ABSENT);
    vote(w, 1, COMMIT_ABSENT);
    assert_verifies(w);
    vote(w, 5, COMMIT_ABSENT);
    assert_refused(w, "power 3 of 1152921504606846975");
    const int64_t impossible[] = {COMMIT_POWER_MAX - 4, INT64_MAX, 0, -1, INT64_MIN};
    for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++) {
        w->members[5].power = impossible[i];
        assert_refused(w, "has an impossible voting power");
    }
}

static void test_members(void **state)
{
    (void)state;
    struct light_world *w = make_world();
    struct member whole = w->members[4];
    w->members[4] = w->members[0];
    w->last_sigs[4] = w->last_sigs[0]; /* one vote must not count twice */
    assert_refused(w, "is in the set twice");
    w->members[4] = whole;
    w->members[4].address[19] ^= 1;
    w->last_sigs[4].address[19] ^= 1;
    assert_refused(w, "has an address that is not its key's");
    w = make_world();
    memcpy(w->last_sigs[4].address, w->members[0].address, ADDRESS_SIZE);
    assert_refused(w, "has the entry of another validator_address");
    w = make_world();
    struct commit_sig swapped = w->last_sigs[4];
    w->last_sigs[4] = w->last_sigs[5];
    w->last_sigs[5] = swapped;
    assert_refused(w, "commit of block 7: validator 5, ");
}

static void test_entries(void **state)
{
    (void)state;
    struct light_world *w = make_world();
    struct commit_sig *sig = &w->last_sigs[0];
    const size_t sizes[] = {0, 1, 63};
    for (size_t i = 0; i < 3; i++) {
        sig->signature_size = sizes[i];
        assert_refused(w, "has a wrong signature");
    }
    sig->signature_size = ED25519_SIGNATURE_SIZE;
    sig->flag = COMMIT_NIL; /* signed for the block, shown as nil, and the other way round */
    assert_refused(w, "has a wrong signature");
    sig->flag = (enum commit_flag)0;
    assert_refused(w, "has an unknown block_id_flag");
    sig->flag = (enum commit_flag)4;
    assert_refused(w, "has an unknown block_id_flag");
    sig->flag = COMMIT_ABSENT;
    assert_refused(w, "is absent but has a signature");
    w = make_world();
    w->last_sigs[2].flag = COMMIT_FOR_BLOCK;
    assert_refused(w, "has a wrong signature");
    w->last_sigs[2].flag = COMMIT_NIL;
    w->last_sigs[2].signature[3] ^= 4; /* a vote for nil that nobody needs is still verified */
    assert_refused(w, "commit of block 7: validator 3, ");
}

/* s + the group's order is another text of the same signature, which must not pass. */
static void test_malleable(void **state)
{
    (void)state;
    static const uint8_t order[] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                    0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                    0,    0,    0,    0,    0,    0,    0,    0,
                                    0,    0,    0,    0,    0,    0,    0,    0x10};
    struct light_world *w = make_world();
    unsigned carry = 0;
    for (size_t i = 0; i < 32; i++) {
        carry += w->last_sigs[0].signature[32 + i] + (unsigned)order[i];
        w->last_sigs[0].signature[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_refused(w, "has a wrong signature");
}

static void test_shape(void **state)
{
    (void)state;
    struct light_world *w = make_world();
    struct fault fault;
    w->last_commit.round = -1;
    assert_refused(w, "its round is negative");
    w->last_commit.round = 2; /* the round is not in any hash: only the signatures bind it */
    assert_refused(w, "has a wrong signature");
    assert_true(header_check_commit(&w->now, &w->last_commit, &fault));
    w->last_commit.round = 1;
    w->last_commit.height = 8;
    assert_refused(w, "commit of block 7: its height is 8");
    w->last_commit.height = 7;
    w->last_commit.count--;
    assert_refused(w, "it has 5 signatures, the set has 6 validators");
    w->last_commit.count++;
    w->count--;
    assert_refused(w, "it has 6 signatures, the set has 5 validators");
    w->count = w->last_commit.count = 0;
    assert_refused(w, "power 0 of 0");
    w = make_world();
    w->last_commit.block_id.parts_total++;
    assert_refused(w, "its block_id.parts are not the block's");
    w->last_commit.block_id.hash.none = w->before_id.hash.none = true; /* nobody commits nothing */
    assert_refused(w, "its block_id.hash is not the block's");
}

static void test_chain_id(void **state)
{
    (void)state;
    struct light_world *w = make_world();
    w->before.chain_id[0] = 'm';
    assert_refused(w, "has a wrong signature");
    memset(w->before.chain_id, 'x', HEADER_CHAIN_ID_MAX - 1); /* the longest fits */
    w->last_commit.height = w->before.height = INT64_MAX;
    w->last_commit.round = INT32_MAX;
    w->last_commit.block_id.parts_total = w->before_id.parts_total = UINT32_MAX;
    for (uint32_t i = 0; i < MEMBERS; i++) {
        w->last_sigs[i].time.nanos = 999999999;
        vote(w, i, COMMIT_FOR_BLOCK);
    }
    assert_verifies(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_thirds), cmocka_unit_test(test_power),
        cmocka_unit_test(test_members),    cmocka_unit_test(test_entries),
        cmocka_unit_test(test_malleable),  cmocka_unit_test(test_shape),
        cmocka_unit_test(test_chain_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
