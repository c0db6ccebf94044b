/* Damage: every bit of a journal turned, holes, pieces cut off; told apart from what a crash leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/journal_life.h"

#define FIRST_RECORD 12288
#define SEAL_A 4096
#define SEAL_B 8192
#define NOW ((struct instant){INT64_C(1700000001000)})

struct image {
    uint8_t *bytes;
    size_t size;
    uint64_t memory, sent, block;
};

/* A journal as it lies there after a life; its latest memory has surely taken effect. */
static struct image make_image(bool rotated)
{
    struct sim *sim = calloc(1, sizeof *sim);
    struct life life;
    struct image image;
    assert_non_null(sim);
    sim_open(sim, 77);
    life_begin(&life, sim);
    assert_true(life_open(&life));
    life_memory(&life);
    for (int i = 0; i < 6; i++)
        life_block(&life);
    assert_true(life_sync(&life));
    if (rotated)
        assert_true(life_rotate(&life));
    life_sent(&life, false);
    life_block(&life);
    life_memory(&life);
    assert_true(life_sync(&life));
    life_drop(&life);
    sim_restart(sim, false);
    const struct sim_file *file = sim_find(sim, JOURNAL_NAME);
    image = (struct image){malloc(file->now_size), file->now_size, life.synced.memory,
                           life.synced.sent, life.synced.block};
    assert_non_null(image.bytes);
    memcpy(image.bytes, file->now, image.size);
    sim_close(sim);
    free(sim);
    return image;
}

/* What an agent makes of these bytes. Whatever it is, it is no memory but the latest. */
static enum coord_journal open_bytes(const struct image *image, const uint8_t *bytes, size_t size)
{
    static struct sim sim;
    struct journal *journal;
    struct journal_found found;
    struct fault fault = {""};
    sim_open(&sim, 1);
    sim_put(&sim, JOURNAL_NAME, bytes, size);
    const struct journal_disk disk = sim_disk(&sim);
    if (!journal_open_on(&disk, LIFE_OWNER, NOW, &journal, &found, &fault)) {
        assert_true(fault.text[0] != '\0');
        sim_close(&sim);
        return JOURNAL_NONE;
    }
    if (found.kind == JOURNAL_KEPT) {
        assert_int_equal(found.memory.expected_ms, image->memory);
        assert_true(found.sent);
        assert_int_equal(found.flight.sequence, image->sent);
    } else {
        assert_int_equal(found.kind, JOURNAL_DAMAGED);
        assert_non_null(strstr(found.text, "the journal "));
        assert_non_null(sim_find(&sim, "journal.damaged"));
    }
    journal_close(&journal);
    sim_close(&sim);
    return found.kind;
}

static void flip_all(struct image *image, bool seals)
{
    if (!seals) /* the latest one: the one with the higher mark */
        memset(image->bytes +
                   (image->bytes[SEAL_A + 1] > image->bytes[SEAL_B + 1] ? SEAL_A : SEAL_B),
               0, 16);
    uint64_t kept = 0, damaged = 0;
    assert_int_equal(open_bytes(image, image->bytes, image->size), JOURNAL_KEPT);
    for (size_t at = 0; at < image->size; at++) {
        /* every bit of what means something, one of the zeros between */
        int bits = image->bytes[at] != 0 || at % 64 == 0 ? 8 : 1;
        for (int bit = 0; bit < bits; bit++) {
            image->bytes[at] ^= (uint8_t)(1 << bit);
            enum coord_journal kind = open_bytes(image, image->bytes, image->size);
            kept += kind == JOURNAL_KEPT;
            damaged += kind == JOURNAL_DAMAGED;
            bool in_record = at >= FIRST_RECORD && seals;
            assert_true(!in_record || kind == JOURNAL_DAMAGED);
            image->bytes[at] ^= (uint8_t)(1 << bit);
        }
    }
    assert_true(kept > 0 && damaged > 0);
}

static void test_every_bit(void **state)
{
    (void)state;
    for (int rotated = 0; rotated < 2; rotated++) {
        struct image image = make_image(rotated);
        flip_all(&image, true);
        free(image.bytes);
    }
}

/* The power failed before the latest seal reached the disk, and a bit of the latest sync flips: the second copy of memory
 * and transaction is taken. */
static void test_every_bit_without_a_seal(void **state)
{
    (void)state;
    struct image image = make_image(false);
    flip_all(&image, false);
    free(image.bytes);
}

static void test_one_seal_is_enough(void **state)
{
    (void)state;
    struct image image = make_image(false);
    const size_t at = image.size - 2000; /* in the latest sync */
    for (int which = 0; which < 2; which++) {
        uint8_t kept[16];
        memcpy(kept, image.bytes + (which ? SEAL_B : SEAL_A), sizeof kept);
        memset(image.bytes + (which ? SEAL_B : SEAL_A), 0, sizeof kept);
        assert_int_equal(open_bytes(&image, image.bytes, image.size), JOURNAL_KEPT);
        image.bytes[FIRST_RECORD + 30] ^= 1; /* in an early one */
        assert_int_equal(open_bytes(&image, image.bytes, image.size), JOURNAL_DAMAGED);
        image.bytes[FIRST_RECORD + 30] ^= 1;
        memcpy(image.bytes + (which ? SEAL_B : SEAL_A), kept, sizeof kept);
    }
    image.bytes[at] ^= 16;
    assert_int_equal(open_bytes(&image, image.bytes, image.size), JOURNAL_DAMAGED);
    free(image.bytes);
}

/* What was durable and is gone is damage, however it went. */
static void test_holes_and_cuts(void **state)
{
    (void)state;
    struct image image = make_image(false);
    for (size_t size = 0; size < image.size; size += size < FIRST_RECORD ? 64 : 1)
        assert_int_equal(open_bytes(&image, image.bytes, size), JOURNAL_DAMAGED);
    for (size_t hole = FIRST_RECORD; hole < image.size; hole += 512) {
        uint8_t kept[512];
        bool empty = true;
        for (size_t i = 0; i < sizeof kept; i++)
            empty = empty && image.bytes[hole + i] == 0;
        memcpy(kept, image.bytes + hole, sizeof kept);
        memset(image.bytes + hole, 0, sizeof kept);
        assert_int_equal(open_bytes(&image, image.bytes, image.size),
                         empty ? JOURNAL_KEPT : JOURNAL_DAMAGED);
        memcpy(image.bytes + hole, kept, sizeof kept);
    }
    free(image.bytes);
}

/* What follows the latest sync may be anything. */
static void test_torn_tail_is_no_damage(void **state)
{
    (void)state;
    struct image image = make_image(false);
    uint8_t *bytes = malloc(image.size + 10000);
    assert_non_null(bytes);
    for (size_t more = 1; more < 10000; more += 371) {
        memcpy(bytes, image.bytes, image.size);
        memset(bytes + image.size, 0, more);
        assert_int_equal(open_bytes(&image, bytes, image.size + more), JOURNAL_KEPT);
        for (size_t i = 0; i < more; i++)
            bytes[image.size + i] = (uint8_t)(i * i + more);
        assert_int_equal(open_bytes(&image, bytes, image.size + more), JOURNAL_KEPT);
        /* even what once was a record elsewhere */
        memcpy(bytes + image.size, image.bytes + FIRST_RECORD,
               more < image.size - FIRST_RECORD ? more : image.size - FIRST_RECORD);
        assert_int_equal(open_bytes(&image, bytes, image.size + more), JOURNAL_KEPT);
    }
    free(bytes);
    free(image.bytes);
}

/* The chain alone decides, and goes on deciding until there is a memory anew. */
static void test_damaged_stays_damaged(void **state)
{
    (void)state;
    static struct sim sim;
    struct image image = make_image(false);
    struct life life;
    sim_open(&sim, 4);
    image.bytes[FIRST_RECORD + 30] ^= 4;
    sim_put(&sim, JOURNAL_NAME, image.bytes, image.size);
    life_begin(&life, &sim);
    assert_true(life_open_expecting(&life, JOURNAL_DAMAGED));
    assert_non_null(strstr(life.found.text, "is damaged at byte 12288"));
    life_drop(&life);
    sim_restart(&sim, true);
    assert_true(life_open_expecting(&life, JOURNAL_DAMAGED));
    life_memory(&life);
    assert_true(life_sync(&life));
    life_drop(&life);
    sim_restart(&sim, true);
    assert_true(life_open(&life));
    assert_int_equal(life.found.kind, JOURNAL_KEPT);
    life_end(&life);
    sim_close(&sim);
    free(image.bytes);
}

/* The crash comes while a damaged journal is put aside. */
static void test_crash_while_putting_aside(void **state)
{
    (void)state;
    static struct sim sim;
    struct image image = make_image(false);
    image.bytes[FIRST_RECORD + 30] ^= 4;
    for (int64_t point = 0; point < 16; point++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            struct life life;
            sim_open(&sim, seed);
            sim_put(&sim, JOURNAL_NAME, image.bytes, image.size);
            life_begin(&life, &sim);
            sim.no_links = seed % 5 == 0;
            sim.die_at = point;
            (void)life_open_expecting(&life, JOURNAL_DAMAGED);
            life_drop(&life);
            sim_restart(&sim, seed % 2);
            assert_true(life_open_expecting(&life, JOURNAL_DAMAGED));
            life_end(&life);
        }
    sim_close(&sim);
    free(image.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_every_bit_without_a_seal),
        cmocka_unit_test(test_one_seal_is_enough),
        cmocka_unit_test(test_holes_and_cuts),
        cmocka_unit_test(test_torn_tail_is_no_damage),
        cmocka_unit_test(test_damaged_stays_damaged),
        cmocka_unit_test(test_crash_while_putting_aside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
