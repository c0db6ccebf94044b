/* The key of the draw order against values that Python's hashlib gave:
 *
 *     sha256(b"stagger/draw/1" + chain_id + E.to_bytes(8, "big") + R(E) + address)
 *
 * first the oracle's, which all other tests of the order rest on, then the order that a view makes of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/oracle.h"

#define CAST 8

static void same_key(const char *chain_id, uint64_t boundary, const uint8_t hash[HASH_SIZE],
                     const uint8_t address[ADDRESS_SIZE], const char *expected)
{
    char hex[2 * HASH_SIZE + 1];
    uint8_t key[HASH_SIZE];
    struct charter charter = charter_default(chain_id, 1, 6000);
    oracle_key(&charter, height_at(boundary), hash, address, key);
    for (size_t i = 0; i < HASH_SIZE; i++)
        snprintf(hex + 2 * i, 3, "%02x", key[i]);
    assert_string_equal(hex, expected);
}

static void keys_are_as_hashlib_says(void **state)
{
    (void)state;
    uint8_t hash[HASH_SIZE], address[ADDRESS_SIZE];
    for (size_t i = 0; i < HASH_SIZE; i++)
        hash[i] = (uint8_t)i;
    for (size_t i = 0; i < ADDRESS_SIZE; i++)
        address[i] = (uint8_t)(100 + i);
    same_key("localnet-1", 6, hash, address,
             "ab09383a9441292f3e1b7da1fd9059c684597c77d729cf4fd4d9b18dd4d0397e");
    memset(hash, 0xff, sizeof hash);
    memset(address, 0, sizeof address);
    same_key("a", UINT64_C(0x0102030405060708), hash, address,
             "878e3fa277e5bd09fc20ccd1ae292370bc1ad3cf0c45905c24e342b6f8da241a");
}

static struct view *begin(uint64_t first)
{
    struct view_change set[CAST];
    struct view_config config = {.chain = CHAIN_KIRA, .empty_blocks = true, .capacity = CAST};
    config.charter = charter_default("order-1", 1, 6000);
    config.charter.order = ORDER_PLAIN;
    charter_seal(&config.charter);
    struct view *view = view_create(&config);
    assert_non_null(view);
    for (uint32_t v = 0; v < CAST; v++) {
        uint8_t address[ADDRESS_SIZE];
        for (size_t i = 0; i < ADDRESS_SIZE; i++)
            address[i] = (uint8_t)(v * 37 + i * 11);
        assert_int_equal(view_enrol(view, address), v);
        set[v] = (struct view_change){v, 1};
    }
    view_begin(view, height_at(first), height_at(first), set, CAST);
    return view;
}

/* Everybody joins in the block before the boundary, with classes that the plain order must not heed. */
static const struct draw *draw_at(struct view *view, uint64_t first, uint64_t boundary)
{
    const struct draw *draw = NULL;
    for (uint64_t h = first; h <= boundary; h++) {
        uint8_t hash[HASH_SIZE];
        struct view_tx txs[CAST];
        uint32_t count = h + 1 == boundary ? CAST : 0;
        for (size_t i = 0; i < HASH_SIZE; i++)
            hash[i] = (uint8_t)(h * 7 + i);
        for (uint32_t v = 0; v < count; v++)
            txs[v] = (struct view_tx){.validator = v,
                                      .kind = TX_JOIN,
                                      .index = v,
                                      .codespace = "",
                                      .class_minutes = 1 + v,
                                      .charter = view_charter(view)->id};
        struct view_block block = {.height = height_at(h),
                                   .time = {(int64_t)(h - first) * 6000},
                                   .hash = hash,
                                   .txs = txs,
                                   .tx_count = count};
        draw = view_block(view, &block);
        view_results(view, txs, count);
    }
    return draw;
}

static void the_view_orders_by_key(void **state)
{
    (void)state;
    static const struct {
        uint64_t first, boundary;
        uint32_t order[CAST];
    } cases[] = {
        {1, 6, {2, 0, 5, 1, 4, 3, 7, 6}},
        {UINT64_C(1099511627775), UINT64_C(1099511627781), {0, 6, 7, 5, 3, 2, 1, 4}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct view *view = begin(cases[i].first);
        const struct draw *draw = draw_at(view, cases[i].first, cases[i].boundary);
        assert_non_null(draw);
        assert_int_equal(draw->candidates, CAST);
        assert_int_equal(draw->permits, 2);
        assert_memory_equal(draw->order, cases[i].order, sizeof cases[i].order);
        view_destroy(&view);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_as_hashlib_says),
        cmocka_unit_test(the_view_orders_by_key),
    };
    return cmocka_run_group_tests_name("draw_key", tests, NULL, NULL);
}
