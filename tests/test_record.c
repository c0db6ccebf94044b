/* Records: the exact bytes of documents and encodings, what is refused, what signatures cover. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/encoding.h"
#include "proto/record.h"

/* Made by a program of its own in another language, from sample(): account key 1, identity seed 00 01 .. 1f. */
static const char vector[] =
    "0101e61111111111111111111111111111111111111111000000006955b9000279be667ef9dc"
    "bbac55a06295ce870b07029bfcdb2dce28d959f2815b16f8179803a107bff3ce10be1d70dd18"
    "e74bc09967e4d6309ba50d5f1ddc8664125531b8333333333333333333333333333333333333"
    "3333333333333333333333333333119de3dff99fe1982321fd82a08b4bbbbadfa6adef752afc"
    "d9c085872b126f522a2810b8b74724ccb20855bed5c5c8d4e8711ebe43ccdeebd1315d7de850"
    "6ce10000019b76daa87b0104c0ffee010201060309757067726164652d3904030493e0050776"
    "302e342e3134064201aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaa04bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb070a"
    "016469736b2066756c6c0828000000000001e240cccccccccccccccccccccccccccccccccccc"
    "cccccccccccccccccccccccccccc0930157463703a2f2f612e6578616d706c653a3236373030"
    "197463703a2f2f5b323030313a6462383a3a315d3a32363730300a067261636b2d370b01010c"
    "0301020352b9b1a7094928d236fb08f23f03cd335b395c06fc031f2b2997bb1ab493706c6e24"
    "06fb4d9c0c81c33e88354ec0f2fd3eecb64c259b6e5d20ef9a0d688c6902";

static const char document[] =
    "{\"account_number\":\"0\",\"chain_id\":\"\",\"fee\":{\"amount\":[],\"gas\":\"0\"},\"memo\":\"\","
    "\"msgs\":[{\"type\":\"sign/MsgSignData\",\"value\":{\"data\":\""
    "c3RhZ2dlci9nb3NzaXAvMQpjaGFpbiBsb2NhbG5ldC0xCnZhbGlkYXRvciAxMTExMTExMTExMTEx"
    "MTExMTExMTExMTExMTExMTExMTExMTExMTExCnNlcmlhbCAxNzY3MjI1NjAwCmlkZW50aXR5IDIy"
    "MjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIy"
    "MjIyMjIKY3VydmUgMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMz"
    "MzMzMzMzMzMzMzMzMzMzMzMzMwo=\",\"signer\":\""
    "kira1w508d6qejxtdg4y5r3zarvary0c5xw7k2ja5w4\"}}],\"sequence\":\"0\"}";

struct world {
    struct record_network network;
    uint8_t account[ACCOUNT_KEY_SIZE], seed[RECORD_KEY_SIZE];
    struct record record;
    uint8_t bytes[RECORD_MAX];
    size_t size;
};

static struct record sample(const struct record_binding *binding)
{
    struct record r = {
        .binding = *binding,
        .sequence = 1767225600123,
        .charter = 0xc0ffee01,
        .phase = COORD_OFFLINE,
        .plan = "upgrade-9",
        .expected_ms = 300000,
        .software = "v0.4.14",
        .digests = {{.kind = RECORD_DIGEST_IMAGE}, {.kind = RECORD_DIGEST_GENESIS}},
        .digest_count = 2,
        .failure = RECORD_FAILURE_REINIT,
        .failure_text = "disk full",
        .head = {123456},
        .endpoints = {"tcp://a.example:26700", "tcp://[2001:db8::1]:26700"},
        .endpoint_count = 2,
        .domain = "rack-7",
        .quiet = true,
        .verdict = {1, 2, 3},
        .verdict_size = 3,
    };
    memset(r.digests[0].hash, 0xaa, HASH_SIZE);
    memset(r.digests[1].hash, 0xbb, HASH_SIZE);
    memset(r.head_hash, 0xcc, HASH_SIZE);
    return r;
}

static int begin(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct record_binding binding = {.serial = 1767225600};
    struct fault fault;
    assert_true(record_network_set(&w->network, "localnet-1", "kira", &fault));
    w->account[31] = 1;
    for (size_t i = 0; i < sizeof w->seed; i++)
        w->seed[i] = (uint8_t)i;
    memset(binding.validator, 0x11, sizeof binding.validator);
    memset(binding.curve, 0x33, sizeof binding.curve);
    record_identity(w->seed, binding.identity);
    assert_true(record_bind(&w->network, &binding, w->account));
    w->record = sample(&binding);
    w->size = record_seal(&w->network, &w->record, w->seed, w->bytes, &fault);
    assert_true(w->size > 0);
    *state = w;
    return 0;
}

static int end(void **state)
{
    free(*state);
    return 0;
}

/* --- bytes --- */

static void test_document(void **state)
{
    struct world *w = *state;
    struct record_binding binding = w->record.binding;
    char text[RECORD_DOCUMENT_MAX];
    memset(binding.identity, 0x22, sizeof binding.identity);
    assert_int_equal(record_document(&w->network, &binding, text), sizeof document - 1);
    assert_string_equal(text, document);
}

static void test_vector(void **state)
{
    struct world *w = *state;
    uint8_t expected[RECORD_MAX];
    assert_int_equal(w->size, (sizeof vector - 1) / 2);
    assert_true(hex_decode(vector, sizeof vector - 1, expected, w->size));
    assert_memory_equal(w->bytes, expected, w->size);
    assert_true(record_verify(&w->network, w->bytes, w->size));
    assert_true(record_binding_verify(&w->network, &w->record.binding));
}

static void test_decode(void **state)
{
    struct world *w = *state;
    struct record r;
    struct fault fault;
    assert_true(record_decode(w->bytes, w->size, &r, &fault));
    assert_memory_equal(r.binding.signature, w->record.binding.signature, ACCOUNT_SIGNATURE_SIZE);
    assert_int_equal(r.sequence, w->record.sequence);
    assert_int_equal(r.charter, 0xc0ffee01);
    assert_int_equal(r.phase, COORD_OFFLINE);
    assert_string_equal(r.plan, "upgrade-9");
    assert_int_equal(r.expected_ms, 300000);
    assert_string_equal(r.software, "v0.4.14");
    assert_int_equal(r.digest_count, 2);
    assert_int_equal(r.digests[1].kind, RECORD_DIGEST_GENESIS);
    assert_int_equal(r.failure, RECORD_FAILURE_REINIT);
    assert_string_equal(r.failure_text, "disk full");
    assert_int_equal(r.head.n, 123456);
    assert_int_equal(r.head_hash[31], 0xcc);
    assert_string_equal(r.endpoints[1], "tcp://[2001:db8::1]:26700");
    assert_string_equal(r.domain, "rack-7");
    assert_true(r.quiet);
    assert_int_equal(r.verdict_size, 3);
}

static void test_fullest_record(void **state)
{
    struct world *w = *state;
    struct record *r = &w->record;
    struct fault fault;
    memset(r->plan, 'p', RECORD_PLAN_MAX);
    memset(r->software, 's', RECORD_SOFTWARE_MAX);
    memset(r->failure_text, 'f', RECORD_FAILURE_MAX);
    memset(r->domain, 'd', RECORD_DOMAIN_MAX);
    for (uint32_t i = 0; i < RECORD_ENDPOINTS_MAX; i++) {
        memset(r->endpoints[i], 'e', RECORD_ENDPOINT_MAX);
        memcpy(r->endpoints[i], "tcp://", 6);
        memcpy(r->endpoints[i] + RECORD_ENDPOINT_MAX - 6, ":65535", 6);
    }
    r->digest_count = RECORD_DIGESTS_MAX;
    for (uint32_t i = 0; i < RECORD_DIGESTS_MAX; i++)
        r->digests[i].kind = (uint8_t)(i + 1);
    r->expected_ms = UINT64_MAX;
    r->sequence = RECORD_SEQUENCE_MAX;
    r->verdict_size = RECORD_VERDICT_MAX;
    size_t size = record_seal(&w->network, r, w->seed, w->bytes, &fault);
    assert_in_range(size, 900, RECORD_MAX);
    assert_true(record_decode(w->bytes, size, r, &fault));
}

static void test_emptiest_record(void **state)
{
    struct world *w = *state;
    struct record r = {.binding = w->record.binding, .sequence = 1}, read;
    struct fault fault;
    size_t size = record_seal(&w->network, &r, w->seed, w->bytes, &fault);
    assert_int_equal(size, 3 + RECORD_BINDING_SIZE + 8 + RECORD_SIGNATURE_SIZE);
    assert_true(record_decode(w->bytes, size, &read, &fault));
    assert_int_equal(read.phase, COORD_IDLE);
    assert_false(read.quiet);
}

/* --- signatures --- */

static void test_every_bit_counts(void **state)
{
    struct world *w = *state;
    for (size_t bit = 0; bit < w->size * 8; bit += 5) {
        w->bytes[bit / 8] ^= (uint8_t)(1 << (bit % 8));
        assert_false(record_verify(&w->network, w->bytes, w->size));
        w->bytes[bit / 8] ^= (uint8_t)(1 << (bit % 8));
    }
}

static void test_other_chain(void **state)
{
    struct world *w = *state;
    struct record_network other;
    struct fault fault;
    assert_true(record_network_set(&other, "localnet-2", "kira", &fault));
    assert_false(record_verify(&other, w->bytes, w->size));
    assert_false(record_binding_verify(&other, &w->record.binding));
}

static void test_binding_covers_all(void **state)
{
    struct world *w = *state;
    uint8_t encoded[RECORD_BINDING_SIZE];
    struct fault fault;
    record_binding_encode(&w->record.binding, encoded);
    for (size_t i = 0; i < sizeof encoded; i++) {
        struct record_binding read;
        encoded[i] ^= 1;
        if (record_binding_decode(encoded, &read, &fault))
            assert_false(record_binding_verify(&w->network, &read));
        encoded[i] ^= 1;
    }
}

static void test_no_account_key(void **state)
{
    struct world *w = *state;
    uint8_t zero[ACCOUNT_KEY_SIZE] = {0};
    assert_false(record_bind(&w->network, &w->record.binding, zero));
}

/* --- refusals --- */

static void refuse_seal(struct world *w, const char *word)
{
    struct fault fault = {""};
    assert_int_equal(record_seal(&w->network, &w->record, w->seed, w->bytes, &fault), 0);
    assert_non_null(strstr(fault.text, word));
}

static void test_seal_refuses(void **state)
{
    struct world *w = *state;
    const struct record good = w->record;
    w->record.sequence = 0;
    refuse_seal(w, "sequence");
    w->record = good;
    w->record.sequence = RECORD_SEQUENCE_MAX + 1;
    refuse_seal(w, "sequence");
    w->record = good;
    w->record.binding.serial = 0;
    refuse_seal(w, "serial");
    w->record = good;
    w->record.phase = COORD_STATE_COUNT;
    refuse_seal(w, "phase");
    w->record = good;
    w->record.plan[3] = '\n';
    refuse_seal(w, "plan");
    w->record = good;
    memset(w->record.domain, 'x', sizeof w->record.domain); /* no terminator */
    refuse_seal(w, "domain");
    w->record = good;
    w->record.failure = RECORD_FAILURE_NONE;
    refuse_seal(w, "failure");
    w->record = good;
    w->record.digests[1].kind = w->record.digests[0].kind;
    refuse_seal(w, "digests");
    w->record = good;
    w->record.endpoints[0][0] = 'x';
    refuse_seal(w, "endpoints");
    w->record = good;
    w->record.verdict_size = RECORD_VERDICT_MAX + 1;
    refuse_seal(w, "verdict");
}

static void test_endpoints(void **state)
{
    (void)state;
    static const char *const good[] = {"tcp://a:1", "tcp://10.0.0.1:65535", "tcp://[::1]:26700",
                                       "tcp://my-host_2.example.org:80"};
    static const char *const bad[] = {"",
                                      "tcp://",
                                      "tcp://a",
                                      "tcp://a:",
                                      "tcp://a:0",
                                      "tcp://a:01",
                                      "tcp://a:65536",
                                      "tcp://a:1/",
                                      "tcp://:1",
                                      "tcp://[]:1",
                                      "tcp://[::1:1",
                                      "tcp://a b:1",
                                      "tcp://a:1 ",
                                      "tcp://*:1",
                                      "ipc://a:1",
                                      "tcp://a;b:1",
                                      "tcp://a:99999999999"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(record_endpoint_check(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(record_endpoint_check(bad[i]));
}

static void test_network_refuses(void **state)
{
    (void)state;
    struct record_network network;
    struct fault fault;
    char longest[CHAIN_ID_MAX + 1];
    memset(longest, 'c', CHAIN_ID_MAX);
    longest[CHAIN_ID_MAX] = '\0';
    assert_false(record_network_set(&network, "", "kira", &fault));
    assert_false(record_network_set(&network, longest, "kira", &fault));
    assert_false(record_network_set(&network, "a\nb", "kira", &fault));
    assert_false(record_network_set(&network, "a", "KIRA", &fault));
    assert_false(record_network_set(&network, "a", "", &fault));
}

/* A record whose fields are the given bytes; unsigned, which the decoder does not mind. */
static bool decodes(const struct world *w, const uint8_t *fields, size_t size)
{
    uint8_t bytes[RECORD_MAX + 64] = {0};
    struct record r;
    struct fault fault = {""};
    size_t all = 3 + RECORD_BINDING_SIZE + 8 + size + RECORD_SIGNATURE_SIZE;
    memcpy(bytes, w->bytes, 3 + RECORD_BINDING_SIZE + 8);
    memcpy(bytes + 3 + RECORD_BINDING_SIZE + 8, fields, size);
    bytes[1] = (uint8_t)(all >> 8);
    bytes[2] = (uint8_t)all;
    bool good = record_decode(bytes, all, &r, &fault);
    assert_true(good || fault.text[0] != '\0');
    return good;
}

#define DECODES(w, ...) decodes(w, (const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))

static void test_fields_refused(void **state)
{
    const struct world *w = *state;
    assert_true(DECODES(w, 1, 1, 9));
    assert_false(DECODES(w, 1, 0)); /* an empty field */
    assert_false(DECODES(w, 1));    /* cut off */
    assert_false(DECODES(w, 1, 1));
    assert_false(DECODES(w, 1, 2, 9));             /* beyond the end */
    assert_false(DECODES(w, 1, 2, 0, 9));          /* a leading zero */
    assert_false(DECODES(w, 1, 5, 1, 0, 0, 0, 0)); /* beyond 32 bits */
    assert_false(DECODES(w, 1, 1, 9, 1, 1, 9));    /* twice */
    assert_false(DECODES(w, 2, 1, 3, 1, 1, 9));    /* out of order */
    assert_false(DECODES(w, 2, 1, COORD_STATE_COUNT));
    assert_false(DECODES(w, 3, 1, '\n'));
    assert_false(DECODES(w, 3, 1, 0));
    assert_false(DECODES(w, 4, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9));
    assert_false(DECODES(w, 6, 1, 1));
    assert_false(DECODES(w, 7, 1, 0));
    assert_true(DECODES(w, 7, 1, 200)); /* a failure that a later version may name */
    assert_false(DECODES(w, 8, 1, 1));
    assert_false(DECODES(w, 9, 1, 0));
    assert_false(DECODES(w, 9, 3, 9, 'a', 'b'));
    assert_false(DECODES(w, 11, 1, 2));
    assert_false(DECODES(w, 11, 1, 0));
    assert_false(DECODES(w, 0, 1, 1)); /* there is no tag 0 */
}

static void test_unknown_tags_are_kept(void **state)
{
    const struct world *w = *state;
    assert_true(DECODES(w, 1, 1, 9, 13, 2, 0, 0, 255, 1, 7));
    assert_false(DECODES(w, 255, 1, 7, 13, 1, 1));
}

static void test_sizes(void **state)
{
    struct world *w = *state;
    struct record r;
    struct fault fault;
    uint8_t longer[RECORD_MAX + 1] = {0};
    memcpy(longer, w->bytes, w->size);
    for (size_t size = 0; size <= sizeof longer; size++)
        assert_true(record_decode(longer, size, &r, &fault) == (size == w->size));
    assert_int_equal(record_extent(longer, sizeof longer), w->size);
    assert_int_equal(record_extent(longer, w->size - 1), 0);
    longer[0] = 2; /* of a later version: its extent is known, its content is not */
    assert_int_equal(record_extent(longer, sizeof longer), w->size);
    assert_false(record_decode(longer, w->size, &r, &fault));
    assert_non_null(strstr(fault.text, "version 2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_document, begin, end),
        cmocka_unit_test_setup_teardown(test_vector, begin, end),
        cmocka_unit_test_setup_teardown(test_decode, begin, end),
        cmocka_unit_test_setup_teardown(test_fullest_record, begin, end),
        cmocka_unit_test_setup_teardown(test_emptiest_record, begin, end),
        cmocka_unit_test_setup_teardown(test_every_bit_counts, begin, end),
        cmocka_unit_test_setup_teardown(test_other_chain, begin, end),
        cmocka_unit_test_setup_teardown(test_binding_covers_all, begin, end),
        cmocka_unit_test_setup_teardown(test_no_account_key, begin, end),
        cmocka_unit_test_setup_teardown(test_seal_refuses, begin, end),
        cmocka_unit_test(test_endpoints),
        cmocka_unit_test(test_network_refuses),
        cmocka_unit_test_setup_teardown(test_fields_refused, begin, end),
        cmocka_unit_test_setup_teardown(test_unknown_tags_are_kept, begin, end),
        cmocka_unit_test_setup_teardown(test_sizes, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
