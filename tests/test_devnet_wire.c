/* Frames between nodes and chain process: round trips, every cut, random bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/devnet_wire.h"

static const uint8_t tx[] = {1, 2, 3, 4, 5};

static struct devnet_frame example(enum devnet_frame_kind kind)
{
    struct devnet_frame frame = {.kind = kind};
    struct time_stamp time = {-62135596800LL, 999999999};
    if (kind == FRAME_HELLO)
        frame.hello = (struct devnet_hello){7, INT64_MAX, true};
    if (kind == FRAME_TX)
        frame.tx = (struct devnet_tx){UINT64_MAX, tx, sizeof tx};
    if (kind == FRAME_TX_ANSWER)
        frame.tx_answer = (struct devnet_tx_answer){9, TX_REFUSED, 32, "sdk", "sequence"};
    if (kind == FRAME_PROPOSE)
        frame.propose = (struct devnet_propose){
            43, INT32_MAX, {{.bytes = {1}}, 3, {.bytes = {2}}}, time, 1700000000123};
    if (kind == FRAME_VOTE)
        frame.vote = (struct devnet_vote){43, 2, time, {5, 6}};
    if (kind == FRAME_COMMITTED)
        frame.committed.height = 44;
    if (kind == FRAME_FAILED)
        frame.failed = (struct devnet_failed){true, "it is over"};
    return frame;
}

static size_t encode(const struct devnet_frame *frame, uint8_t **bytes)
{
    *bytes = malloc(DEVNET_FRAME_MAX);
    assert_non_null(*bytes);
    return devnet_frame_encode(frame, *bytes);
}

/* Reads from memory of exactly this size, so that a sanitizer sees what is read behind it. */
static bool decode(const uint8_t *bytes, size_t size, struct devnet_frame *frame, uint8_t **copy)
{
    struct fault fault = {""};
    *copy = malloc(size + 1);
    assert_non_null(*copy);
    uint8_t *end = *copy + 1; /* the last byte of the allocation is the frame's */
    if (size)
        memcpy(end, bytes, size);
    bool good = devnet_frame_decode(end, size, frame, &fault);
    assert_true(good || *fault.text);
    return good;
}

static void frames_come_back(void **state)
{
    (void)state;
    for (enum devnet_frame_kind kind = FRAME_HELLO; kind <= FRAME_FAILED; kind++) {
        struct devnet_frame frame = example(kind), back;
        uint8_t *bytes, *again, *copy;
        size_t size = encode(&frame, &bytes);
        assert_true(decode(bytes, size, &back, &copy));
        if (kind == FRAME_TX) {
            assert_int_equal(back.tx.size, sizeof tx);
            assert_memory_equal(back.tx.bytes, tx, sizeof tx);
        }
        assert_int_equal(encode(&back, &again), size);
        assert_memory_equal(bytes, again, size);
        free(again);
        free(copy);
        free(bytes);
    }
}

static bool has_open_end(enum devnet_frame_kind kind)
{
    return kind == FRAME_TX || kind == FRAME_TX_ANSWER || kind == FRAME_FAILED;
}

static void frames_that_are_cut_or_longer(void **state)
{
    (void)state;
    for (enum devnet_frame_kind kind = FRAME_HELLO; kind <= FRAME_FAILED; kind++) {
        struct devnet_frame frame = example(kind), back;
        uint8_t *bytes, *copy;
        size_t size = encode(&frame, &bytes);
        bytes[size] = 'x';
        for (size_t cut = 0; cut < size; cut++) {
            bool good = decode(bytes, cut, &back, &copy);
            assert_true(!good || has_open_end(kind));
            free(copy);
        }
        assert_int_equal(decode(bytes, size + 1, &back, &copy), has_open_end(kind));
        free(copy);
        free(bytes);
    }
}

static void values_out_of_range(void **state)
{
    (void)state;
    static const struct {
        enum devnet_frame_kind kind;
        size_t at;
        uint8_t byte;
    } cases[] = {
        {FRAME_HELLO, 5, 0x80},    {FRAME_HELLO, 13, 2},       {FRAME_TX_ANSWER, 9, 4},
        {FRAME_TX_ANSWER, 14, 40}, {FRAME_PROPOSE, 1, 0x80},   {FRAME_PROPOSE, 9, 0x80},
        {FRAME_PROPOSE, 81, 0x00}, {FRAME_PROPOSE, 89, 0x7f},  {FRAME_VOTE, 9, 0xff},
        {FRAME_VOTE, 21, 0xff},    {FRAME_COMMITTED, 1, 0xff}, {FRAME_FAILED, 1, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct devnet_frame frame = example(cases[i].kind), back;
        uint8_t *bytes, *copy;
        size_t size = encode(&frame, &bytes);
        bytes[cases[i].at] = cases[i].byte;
        if (decode(bytes, size, &back, &copy))
            fail_msg("case %zu is taken", i);
        free(copy);
        free(bytes);
    }
}

static void words_are_made_printable(void **state)
{
    (void)state;
    struct devnet_frame frame = {.kind = FRAME_FAILED, .failed = {false, "a\nb\x1b[\xc3"}}, back;
    uint8_t *bytes, *copy;
    size_t size = encode(&frame, &bytes);
    assert_true(decode(bytes, size, &back, &copy));
    assert_string_equal(back.failed.words, "a?b?[?");
    free(copy);
    free(bytes);
}

static void random_bytes(void **state)
{
    (void)state;
    uint32_t random = 1, taken = 0;
    for (int i = 0; i < 300000; i++) {
        uint8_t junk[160], *copy;
        struct devnet_frame frame;
        for (size_t k = 0; k < sizeof junk; k++) {
            random = random * 1664525u + 1013904223u;
            junk[k] = (uint8_t)(random >> 24);
            if (random & 0x30000)
                junk[k] &= 3;
        }
        if (decode(junk, random >> 8 & 127, &frame, &copy))
            taken++;
        free(copy);
    }
    assert_in_range(taken, 1000, 299000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_back),    cmocka_unit_test(frames_that_are_cut_or_longer),
        cmocka_unit_test(values_out_of_range), cmocka_unit_test(words_are_made_printable),
        cmocka_unit_test(random_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
