/* The charter: its bounds, each refused with a sentence, and the text and id that must never change. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "coord/charter.h"

static struct charter plain_charter(void)
{
    return charter_default("localnet-1", 1, 6000);
}

static void accept(const struct charter *c, bool empty_blocks)
{
    const char *wrong = charter_check(c, empty_blocks);
    if (wrong)
        fail_msg("refused: %s", wrong);
}

/* The sentence is one line, names the field and says what is expected. */
static void refuse(const struct charter *c, bool empty_blocks, const char *field)
{
    const char *wrong = charter_check(c, empty_blocks);
    if (!wrong)
        fail_msg("%s was accepted", field);
    if (strncmp(wrong, field, strlen(field)) != 0)
        fail_msg("\"%s\" does not begin with %s", wrong, field);
    assert_true(strlen(wrong) > strlen(field) + 10);
    assert_null(strchr(wrong, '\n'));
}

static void defaults_are_those_of_the_protocol(void **state)
{
    (void)state;
    struct charter c = plain_charter();
    accept(&c, true);
    accept(&c, false);
    assert_string_equal(c.chain_id, "localnet-1");
    assert_int_equal(c.min_validators, 1);
    assert_int_equal(c.epoch_blocks, 3);
    assert_int_equal(c.live_blocks, 3);
    assert_int_equal(c.round_blocks, 1200);
    assert_int_equal(c.joins_max, 8);
    assert_int_equal(c.reference_blocks, 7200);
    assert_int_equal(c.phi_num, 2);
    assert_int_equal(c.phi_den, 3);
    assert_int_equal(c.reserve, RESERVE_DEFAULT);
    assert_int_equal(c.order, ORDER_LONG_FIRST);
    assert_false(c.ramp);
    assert_int_equal(c.settle_blocks, 3);
}

static void reference_spans_half_a_day(void **state)
{
    (void)state;
    static const struct {
        int64_t block_ms;
        uint64_t blocks;
    } cases[] = {{6000, 7200},  {600000, 7200}, {5000, 8640},
                 {1000, 43200}, {7000, 7200},   {700, 61715}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct charter c = charter_default("c", 1, cases[i].block_ms);
        assert_int_equal(c.reference_blocks, cases[i].blocks);
        assert_false(charter_reference_is_short(&c, cases[i].block_ms));
        accept(&c, true);
    }
    struct charter c = plain_charter();
    assert_false(charter_reference_is_short(&c, 6000));
    assert_true(charter_reference_is_short(&c, 5000));
}

static void chain_ids_are_bounded(void **state)
{
    (void)state;
    char name[CHAIN_ID_MAX + 1];
    memset(name, 'x', sizeof name);
    name[CHAIN_ID_MAX - 1] = '\0';
    struct charter c = charter_default(name, 1, 6000);
    assert_string_equal(c.chain_id, name);
    accept(&c, true);
    name[CHAIN_ID_MAX - 1] = 'x';
    name[CHAIN_ID_MAX] = '\0';
    c = charter_default(name, 1, 6000);
    assert_string_equal(c.chain_id, "");
    refuse(&c, true, "chain_id");
    c = charter_default("", 1, 6000);
    refuse(&c, true, "chain_id");
}

static void epochs_are_bounded(void **state)
{
    (void)state;
    struct charter c = plain_charter();
    c.epoch_blocks = 2;
    accept(&c, true);
    refuse(&c, false, "epoch_blocks");
    c.epoch_blocks = 1;
    refuse(&c, true, "epoch_blocks");
    c.epoch_blocks = 0;
    refuse(&c, true, "epoch_blocks");
    c.epoch_blocks = UINT32_MAX;
    assert_non_null(charter_check(&c, true));
}

static void liveness_is_bounded(void **state)
{
    (void)state;
    struct charter c = plain_charter();
    c.live_blocks = 1;
    accept(&c, true);
    c.live_blocks = 10;
    accept(&c, true);
    c.live_blocks = 0;
    refuse(&c, true, "live_blocks");
    c.live_blocks = 11;
    refuse(&c, true, "live_blocks");
}

static void rounds_are_bounded(void **state)
{
    (void)state;
    struct charter c = plain_charter();
    c.round_blocks = 60;
    accept(&c, true);
    c.round_blocks = 59;
    refuse(&c, true, "round_blocks");
    c.round_blocks = 0;
    refuse(&c, true, "round_blocks");
    c.round_blocks = FOREIGN_BLOCKS - 3;
    accept(&c, true);
    c.round_blocks = FOREIGN_BLOCKS - 2;
    refuse(&c, true, "round_blocks");
    c.round_blocks = UINT32_MAX;
    refuse(&c, true, "round_blocks");
    c = plain_charter();
    c.epoch_blocks = 60;
    accept(&c, true);
    c.epoch_blocks = 61;
    refuse(&c, true, "round_blocks");
}

static void joins_are_bounded(void **state)
{
    (void)state;
    struct charter c = plain_charter();
    c.joins_max = 3;
    accept(&c, true);
    c.joins_max = 20;
    accept(&c, true);
    c.joins_max = 2;
    refuse(&c, true, "joins_max");
    c.joins_max = 21;
    refuse(&c, true, "joins_max");
}

static void the_reference_is_bounded(void **state)
{
    (void)state;
    struct charter c = plain_charter();
    c.reference_blocks = 2400;
    accept(&c, true);
    c.reference_blocks = 2399;
    refuse(&c, true, "reference_blocks");
    c.reference_blocks = 0;
    refuse(&c, true, "reference_blocks");
}

static void phi_is_bounded(void **state)
{
    (void)state;
    static const struct {
        uint32_t num, den;
        bool good;
    } cases[] = {{2, 3, true},      {3, 4, true},          {67, 100, true}, {99, 100, true},
                 {66, 100, false},  {1, 2, false},         {1, 1, false},   {3, 2, false},
                 {0, 0, false},     {1, 0, false},         {0, 3, false},   {666, 999, true},
                 {665, 998, false}, {UINT32_MAX, 1, false}};
    struct charter c = plain_charter();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        c.phi_num = cases[i].num;
        c.phi_den = cases[i].den;
        if (cases[i].good)
            accept(&c, true);
        else
            refuse(&c, true, "phi");
    }
}

static void the_rest_is_bounded(void **state)
{
    (void)state;
    struct charter c = plain_charter();
    c.reserve = 0;
    accept(&c, true);
    c.reserve = 5;
    accept(&c, true);
    c.reserve = -2;
    refuse(&c, true, "reserve");
    c = plain_charter();
    c.min_validators = 0;
    refuse(&c, true, "min_validators");
    c.min_validators = 100;
    accept(&c, true);
    c = plain_charter();
    c.settle_blocks = 0;
    refuse(&c, true, "settle_blocks");
    c.settle_blocks = 1;
    accept(&c, true);
    c.settle_blocks = 100;
    accept(&c, true);
    c.settle_blocks = 101;
    refuse(&c, true, "settle_blocks");
}

/* Whoever changes this text makes every join of the networks that run foreign. */
static void text_and_id_are_golden(void **state)
{
    (void)state;
    char text[CHARTER_TEXT_MAX];
    struct charter c = plain_charter();
    size_t size = charter_text(&c, text);
    assert_string_equal(text, "stagger charter 1\n"
                              "chain_id localnet-1\n"
                              "min_validators 1\n"
                              "epoch_blocks 3\n"
                              "live_blocks 3\n"
                              "round_blocks 1200\n"
                              "joins_max 8\n"
                              "reference_blocks 7200\n"
                              "phi 2/3\n"
                              "reserve n/25\n"
                              "order long-first\n"
                              "ramp off\n"
                              "settle_blocks 3\n");
    assert_int_equal(size, strlen(text));
    assert_int_equal(c.id, 0x35fa0247);
    c = charter_default("dcl-mainnet", 4, 5000);
    c.epoch_blocks = 5;
    c.live_blocks = 4;
    c.round_blocks = 600;
    c.joins_max = 3;
    c.phi_num = 3;
    c.phi_den = 4;
    c.reserve = 2;
    c.order = ORDER_PLAIN;
    c.ramp = true;
    c.ramp_a = 1;
    c.ramp_b = 2;
    c.settle_blocks = 60;
    charter_seal(&c);
    assert_int_equal(c.id, 0xa82f27d2);
}

static void the_id_is_the_head_of_the_hash(void **state)
{
    (void)state;
    char text[CHARTER_TEXT_MAX], head[9], id[9];
    uint8_t hash[SHA256_DIGEST_LENGTH];
    struct charter c = charter_default("localnet-2", 7, 6000);
    SHA256((const uint8_t *)text, charter_text(&c, text), hash);
    snprintf(head, sizeof head, "%02x%02x%02x%02x", hash[0], hash[1], hash[2], hash[3]);
    snprintf(id, sizeof id, "%08" PRIx32, c.id);
    assert_string_equal(id, head);
}

static void reseal_differs(struct charter c, uint32_t id, const char *field)
{
    charter_seal(&c);
    if (c.id == id)
        fail_msg("the id does not depend on %s", field);
}

#define CHANGED(field, value)                                                                      \
    do {                                                                                           \
        struct charter changed = charter;                                                          \
        changed.field = (value);                                                                   \
        reseal_differs(changed, charter.id, #field);                                               \
    } while (0)

static void every_field_changes_the_id(void **state)
{
    (void)state;
    struct charter charter = plain_charter();
    CHANGED(min_validators, 2);
    CHANGED(epoch_blocks, 4);
    CHANGED(live_blocks, 4);
    CHANGED(round_blocks, 1201);
    CHANGED(joins_max, 9);
    CHANGED(reference_blocks, 7201);
    CHANGED(phi_num, 1);
    CHANGED(phi_den, 4);
    CHANGED(reserve, 0);
    CHANGED(order, ORDER_PLAIN);
    CHANGED(ramp, true);
    CHANGED(settle_blocks, 4);
    CHANGED(chain_id[0], 'L');
    charter.ramp = true;
    charter_seal(&charter);
    CHANGED(ramp_a, 1);
    CHANGED(ramp_b, 1);
    uint32_t before = charter.id;
    charter_seal(&charter);
    assert_int_equal(charter.id, before);
}

static void the_longest_text_fits(void **state)
{
    (void)state;
    char name[CHAIN_ID_MAX], text[CHARTER_TEXT_MAX];
    memset(name, 'x', sizeof name);
    name[CHAIN_ID_MAX - 1] = '\0';
    struct charter c = charter_default(name, UINT64_MAX, 6000);
    c.epoch_blocks = c.live_blocks = c.round_blocks = c.joins_max = UINT32_MAX;
    c.phi_num = c.phi_den = c.settle_blocks = c.ramp_a = c.ramp_b = UINT32_MAX;
    c.reference_blocks = UINT64_MAX;
    c.reserve = INT64_MIN;
    c.ramp = true;
    assert_true(charter_text(&c, text) < CHARTER_TEXT_MAX);
}

static void heights_round_down(void **state)
{
    (void)state;
    struct charter c = plain_charter();
    assert_true(charter_is_boundary(&c, height_at(1200)));
    assert_false(charter_is_boundary(&c, height_at(1201)));
    assert_int_equal(charter_boundary(&c, height_at(1202)).n, 1200);
    assert_int_equal(charter_round(&c, height_at(1199)).n, 0);
    assert_int_equal(charter_round(&c, height_at(2399)).n, 1200);
    assert_int_equal(height_before(height_at(2), 3).n, 0);
    assert_int_equal(height_after(HEIGHT_NEVER, 1).n, UINT64_MAX);
    assert_int_equal(instant_after(INSTANT_NEVER, 1).ms, INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_protocol),
        cmocka_unit_test(reference_spans_half_a_day),
        cmocka_unit_test(chain_ids_are_bounded),
        cmocka_unit_test(epochs_are_bounded),
        cmocka_unit_test(liveness_is_bounded),
        cmocka_unit_test(rounds_are_bounded),
        cmocka_unit_test(joins_are_bounded),
        cmocka_unit_test(the_reference_is_bounded),
        cmocka_unit_test(phi_is_bounded),
        cmocka_unit_test(the_rest_is_bounded),
        cmocka_unit_test(text_and_id_are_golden),
        cmocka_unit_test(the_id_is_the_head_of_the_hash),
        cmocka_unit_test(every_field_changes_the_id),
        cmocka_unit_test(the_longest_text_fits),
        cmocka_unit_test(heights_round_down),
    };
    return cmocka_run_group_tests_name("charter", tests, NULL, NULL);
}
