/* Bytes that are no proper transaction: cut off, changed, padded, made by others to mislead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tx_text.h"

/* --- a small writer of protobuf, with which anything can be said --- */

struct bytes {
    uint8_t data[1 << 15];
    size_t size;
};

static void put_varint(struct bytes *out, uint64_t value)
{
    while (value > 127) {
        out->data[out->size++] = (uint8_t)(value | 128);
        value >>= 7;
    }
    out->data[out->size++] = (uint8_t)value;
    assert_true(out->size < sizeof out->data - 16);
}

static void put_number(struct bytes *out, uint32_t field, uint64_t value)
{
    put_varint(out, (uint64_t)field << 3);
    put_varint(out, value);
}

static void put_bytes(struct bytes *out, uint32_t field, const void *data, size_t size)
{
    put_varint(out, (uint64_t)field << 3 | 2);
    put_varint(out, size);
    assert_true(out->size + size < sizeof out->data - 16);
    memcpy(out->data + out->size, data, size);
    out->size += size;
}

static void put_text(struct bytes *out, uint32_t field, const char *text)
{
    put_bytes(out, field, text, strlen(text));
}

static void put_part(struct bytes *out, uint32_t field, const struct bytes *part)
{
    put_bytes(out, field, part->data, part->size);
}

static void put_any(struct bytes *out, uint32_t field, const char *type_url,
                    const struct bytes *value)
{
    struct bytes any = {.size = 0};
    put_text(&any, 1, type_url);
    put_part(&any, 2, value);
    put_part(out, field, &any);
}

/* A transaction in the making. */
struct made {
    struct bytes body, auth, raw;
    uint8_t public_key[ACCOUNT_PUBLIC_SIZE], address[ACCOUNT_ADDRESS_SIZE];
    char account[BECH32_TEXT_MAX], valoper[BECH32_TEXT_MAX];
};

static struct made *make(void)
{
    struct made *made = calloc(1, sizeof *made);
    assert_non_null(made);
    assert_true(account_public(tx_text_key, made->public_key));
    account_address(made->public_key, made->address);
    assert_true(bech32_encode("kira", made->address, sizeof made->address, made->account));
    assert_true(bech32_encode("kiravaloper", made->address, sizeof made->address, made->valoper));
    return made;
}

static void make_send(struct made *made, const char *from, const char *to, const char *amount,
                      const char *denom)
{
    struct bytes send = {.size = 0}, coin = {.size = 0};
    put_text(&coin, 1, denom);
    put_text(&coin, 2, amount);
    put_text(&send, 1, from);
    put_text(&send, 2, to);
    put_part(&send, 3, &coin);
    put_any(&made->body, 1, "/cosmos.bank.v1beta1.MsgSend", &send);
}

static void make_pause(struct made *made)
{
    struct bytes pause = {.size = 0};
    put_text(&pause, 1, made->valoper);
    put_any(&made->body, 1, "/kira.slashing.MsgPause", &pause);
}

static void make_signer(struct made *made, const char *type_url)
{
    struct bytes key = {.size = 0}, single = {.size = 0}, mode = {.size = 0}, signer = {.size = 0};
    put_bytes(&key, 1, made->public_key, sizeof made->public_key);
    put_number(&single, 1, 1);
    put_part(&mode, 1, &single);
    if (type_url)
        put_any(&signer, 1, type_url, &key);
    put_part(&signer, 2, &mode);
    put_number(&signer, 3, 9);
    put_part(&made->auth, 1, &signer);
}

static void make_fee(struct made *made, const char *denom)
{
    struct bytes fee = {.size = 0}, coin = {.size = 0};
    put_text(&coin, 1, denom);
    put_text(&coin, 2, "100");
    put_part(&fee, 1, &coin);
    put_number(&fee, 2, 200000);
    put_part(&made->auth, 2, &fee);
}

static bool finish(struct made *made, uint32_t signatures, struct tx_decoded *tx)
{
    static const uint8_t signature[ACCOUNT_SIGNATURE_SIZE] = {1};
    struct fault fault;
    made->raw.size = 0;
    put_part(&made->raw, 1, &made->body);
    put_part(&made->raw, 2, &made->auth);
    for (uint32_t i = 0; i < signatures; i++)
        put_bytes(&made->raw, 3, signature, sizeof signature);
    return tx_decode(made->raw.data, made->raw.size, tx, &fault);
}

#define SECP256K1 "/cosmos.crypto.secp256k1.PubKey"
#define MEMO "stagger/join/1 5 0123abcd"

/* How many entries it makes, and the last of them. */
static uint32_t entries(struct made *made, uint32_t signatures, struct tx_entry *last)
{
    struct tx_decoded tx;
    struct tx_entry entry;
    uint32_t count = 0;
    assert_true(finish(made, signatures, &tx));
    for (uint32_t i = 0; i < tx.message_count; i++)
        if (tx_entry(CHAIN_KIRA, &tx, i, &entry)) {
            *last = entry;
            count++;
        }
    tx_decoded_destroy(&tx);
    free(made);
    return count;
}

static struct made *make_join(const char *memo, size_t size)
{
    struct made *made = make();
    make_send(made, made->account, made->account, "1", "ukex");
    put_bytes(&made->body, 2, memo, size);
    make_signer(made, SECP256K1);
    make_fee(made, "ukex");
    return made;
}

static void a_join_made_by_hand_is_one(void **state)
{
    (void)state;
    struct tx_entry entry;
    assert_int_equal(entries(make_join(MEMO, strlen(MEMO)), 1, &entry), 1);
    assert_true(entry.kind == TX_JOIN && !entry.foreign && entry.class_minutes == 5);
    assert_int_equal(entry.charter, 0x0123abcd);
}

static void an_embedded_nul_makes_it_foreign(void **state)
{
    (void)state;
    struct tx_entry entry;
    assert_int_equal(entries(make_join(MEMO "\0x", sizeof MEMO + 1), 1, &entry), 1);
    assert_true(entry.kind == TX_JOIN && entry.foreign && entry.class_minutes == CLASS_MIN);
    assert_int_equal(entries(make_join(MEMO "\0", sizeof MEMO), 1, &entry), 1);
    assert_true(entry.foreign);
    assert_int_equal(entries(make_join("stagger\0/join/1 5 0123abcd", 26), 1, &entry), 0);
}

static void only_the_carrier_is_a_join(void **state)
{
    (void)state;
    struct tx_entry entry;
    struct made *made = make_join(MEMO, strlen(MEMO)); /* two messages */
    make_send(made, made->account, made->account, "1", "ukex");
    assert_int_equal(entries(made, 1, &entry), 0);
    made = make_join(MEMO, strlen(MEMO)); /* two signers */
    make_signer(made, SECP256K1);
    assert_int_equal(entries(made, 2, &entry), 0);
    assert_int_equal(entries(make_join(MEMO, strlen(MEMO)), 2, &entry), 0);
    assert_int_equal(entries(make_join(MEMO, strlen(MEMO)), 0, &entry), 0);
    made = make(); /* no message */
    put_text(&made->body, 2, MEMO);
    make_signer(made, SECP256K1);
    assert_int_equal(entries(made, 1, &entry), 0);
}

/* A send with everything right but what the arguments say. */
static uint32_t send_entries(const char *from, const char *to, const char *amount,
                             const char *denom, const char *fee, const char *key_url)
{
    struct tx_entry entry;
    struct made *made = make();
    make_send(made, from ? from : made->account, to ? to : made->account, amount, denom);
    put_text(&made->body, 2, MEMO);
    make_signer(made, key_url);
    if (fee)
        make_fee(made, fee);
    return entries(made, 1, &entry);
}

static void only_one_of_the_fee_to_oneself_is_a_join(void **state)
{
    (void)state;
    const char *other = "kira143q8vxpvuykt9pq50e6hng9s38vmy844n8k9wx";
    assert_int_equal(send_entries(NULL, NULL, "1", "ukex", "ukex", SECP256K1), 1);
    assert_int_equal(send_entries(NULL, NULL, "1", "samolean", "samolean", SECP256K1), 1);
    assert_int_equal(send_entries(NULL, NULL, "1", "samolean", "ukex", SECP256K1), 0);
    assert_int_equal(send_entries(NULL, NULL, "1", "ukex", NULL, SECP256K1), 1);
    assert_int_equal(send_entries(NULL, NULL, "2", "ukex", "ukex", SECP256K1), 0);
    assert_int_equal(send_entries(NULL, NULL, "", "ukex", "ukex", SECP256K1), 0);
    assert_int_equal(send_entries(NULL, other, "1", "ukex", "ukex", SECP256K1), 0);
    assert_int_equal(send_entries(other, NULL, "1", "ukex", "ukex", SECP256K1), 0);
    assert_int_equal(send_entries(other, other, "1", "ukex", "ukex", SECP256K1), 0);
    assert_int_equal(send_entries(NULL, NULL, "1", "ukex", "ukex", NULL), 0);
    assert_int_equal(
        send_entries(NULL, NULL, "1", "ukex", "ukex", "/cosmos.crypto.secp256r1.PubKey"), 0);
}

/* An amount that a C string would cut to "1". */
static void a_nul_in_an_amount_is_not_cut(void **state)
{
    (void)state;
    struct tx_entry entry;
    struct made *made = make();
    struct bytes send = {.size = 0}, coin = {.size = 0};
    put_text(&coin, 1, "ukex");
    put_bytes(&coin, 2,
              "1\0"
              "5",
              3);
    put_text(&send, 1, made->account);
    put_text(&send, 2, made->account);
    put_part(&send, 3, &coin);
    put_any(&made->body, 1, "/cosmos.bank.v1beta1.MsgSend", &send);
    put_text(&made->body, 2, MEMO);
    make_signer(made, SECP256K1);
    assert_int_equal(entries(made, 1, &entry), 0);
}

/* A number in ten bytes, as Go reads it: continued with zeros. */
static void put_long(struct bytes *out, uint64_t value)
{
    for (int i = 0; i < 9; i++, value >>= 7)
        out->data[out->size++] = (uint8_t)(value | 128);
    out->data[out->size++] = (uint8_t)value;
}

static void put_long_bytes(struct bytes *out, uint32_t field, const void *data, size_t size)
{
    put_long(out, (uint64_t)field << 3 | 2);
    put_long(out, size);
    memcpy(out->data + out->size, data, size);
    out->size += size;
}

static void long_numbers_hide_no_pause(void **state)
{
    (void)state;
    struct made *made = make();
    struct bytes pause = {.size = 0}, any = {.size = 0};
    struct tx_entry entry;
    uint8_t address[ACCOUNT_ADDRESS_SIZE];
    memcpy(address, made->address, sizeof address);
    put_long_bytes(&pause, 1, made->valoper, strlen(made->valoper));
    put_long_bytes(&any, 1, "/kira.slashing.MsgPause", 23);
    put_long_bytes(&any, 2, pause.data, pause.size);
    put_long_bytes(&made->body, 1, any.data, any.size);
    make_signer(made, SECP256K1);
    make_fee(made, "ukex");
    assert_int_equal(entries(made, 1, &entry), 1);
    assert_int_equal(entry.kind, TX_PAUSE);
    assert_memory_equal(entry.who, address, sizeof entry.who);
}

static void every_pause_of_many_counts(void **state)
{
    (void)state;
    struct tx_entry entry;
    struct made *made = make();
    for (int i = 0; i < 200; i++)
        make_pause(made);
    assert_int_equal(entries(made, 0, &entry), 200);
    assert_int_equal(entry.kind, TX_PAUSE);
    made = make(); /* beside a message that stagger does not know */
    struct bytes other = {.size = 0};
    put_number(&other, 7, 1);
    put_any(&made->body, 1, "/kira.custody.MsgCreateCustody", &other);
    make_pause(made);
    assert_int_equal(entries(made, 3, &entry), 1);
    assert_int_equal(entry.kind, TX_PAUSE);
}

static void a_pause_of_nobody_is_none(void **state)
{
    static const char *const names[] = {"", "kira1tp7fhly84qm6q4hhzmp0nh5frtdugmysv9fm3y",
                                        "kiravaloper1tp7fhly84qm6q4hhzmp0nh5frtdugmyslr4cfh"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct tx_entry entry;
        struct made *made = make();
        struct bytes pause = {.size = 0};
        put_text(&pause, 1, names[i]);
        put_any(&made->body, 1, "/kira.slashing.MsgPause", &pause);
        assert_int_equal(entries(made, 1, &entry), 0);
    }
}

static void other_writers_are_read(void **state)
{
    (void)state;
    struct made *made = make();
    struct tx_decoded tx;
    /* fields out of order, unknown ones, one said twice, zero values written out */
    put_number(&made->body, 3, 12);
    put_number(&made->body, 1023, 5);
    put_text(&made->body, 2, "first");
    make_pause(made);
    put_text(&made->body, 2, "");
    put_text(&made->body, 2, "last");
    make_fee(made, "ukex");
    make_signer(made, SECP256K1);
    assert_true(finish(made, 1, &tx));
    assert_string_equal(tx.memo, "last");
    assert_true(tx.timeout_height == 12 && tx.message_count == 1 && tx.sequence == 9);
    assert_string_equal(tx.fee[0].amount, "100");
    assert_true(tx.has_public_key && tx.direct);
    tx_decoded_destroy(&tx);
    free(made);
}

static void a_broken_known_message_breaks_all(void **state)
{
    (void)state;
    static const char *const urls[] = {"/kira.slashing.MsgPause", "/cosmos.bank.v1beta1.MsgSend",
                                       "/kira.gov.MsgSubmitProposal"};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct made *made = make();
        struct bytes broken = {.data = {0x0a, 0x05, 'x'}, .size = 3};
        struct tx_decoded tx;
        put_any(&made->body, 1, urls[i], &broken);
        assert_false(finish(made, 1, &tx));
        assert_null(tx.memory.newest);
        free(made);
    }
}

static void sizes_are_limited(void **state)
{
    (void)state;
    struct tx_decoded tx;
    struct fault fault;
    uint8_t *large = calloc(1, TX_SIZE_MAX + 1);
    assert_non_null(large);
    assert_false(tx_decode(large, 0, &tx, &fault));
    assert_false(tx_decode(large, TX_SIZE_MAX + 1, &tx, &fault));
    /* the worst input: as many unknown fields as fit, in the largest transaction */
    for (size_t at = 0; at < TX_SIZE_MAX; at += 2)
        large[at] = 0x78;
    assert_true(tx_decode(large, TX_SIZE_MAX, &tx, &fault));
    assert_true(tx.message_count == 0 && tx.signer_count == 0);
    tx_decoded_destroy(&tx);
    free(large);
}

/* --- every truncation and every change of one byte --- */

/* What it says has to hang together, whatever it is. */
static void check_value(const struct tx_decoded *tx)
{
    struct tx_entry entry;
    assert_non_null(tx->memo);
    assert_int_equal(tx->memo[tx->memo_size], '\0');
    for (uint32_t i = 0; i < tx->message_count; i++) {
        assert_non_null(tx->messages[i].name);
        assert_true(strlen(tx->messages[i].type_url) < TX_SIZE_MAX);
        for (uint32_t c = 0; c < tx->messages[i].amount_count; c++)
            assert_non_null(tx->messages[i].amount[c].denom);
        (void)tx_entry(CHAIN_KIRA, tx, i, &entry);
        (void)tx_entry(CHAIN_DCL, tx, i, &entry);
    }
}

/* Decodes from an allocation of exactly this size, so that sanitizers see the first byte too many. */
static bool attempt(const uint8_t *bytes, size_t size, const char *chain_id, uint64_t number,
                    bool *verified)
{
    struct tx_decoded tx;
    struct fault fault = {""};
    uint8_t *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    if (size > 0)
        memcpy(copy, bytes, size);
    bool decoded = tx_decode(copy, size, &tx, &fault);
    free(copy);
    *verified = decoded && chain_id && tx_verify(&tx, chain_id, number);
    if (!decoded) {
        assert_true(fault.text[0] != '\0');
        return false;
    }
    check_value(&tx);
    tx_decoded_destroy(&tx);
    return true;
}

static void every_truncation(void **state)
{
    (void)state;
    for (size_t known = 0; known < KNOWN_COUNT; known++) {
        size_t size;
        uint8_t *raw = tx_text_bytes(tx_text_known[known], &size);
        for (size_t cut = 0; cut < size; cut++) {
            bool verified;
            (void)attempt(raw, cut, "localnet-1", 3, &verified);
            assert_false(verified);
        }
        free(raw);
    }
}

/* No byte of a transaction can be changed without breaking its signature. */
static void every_single_byte(void **state)
{
    size_t size, decoded = 0;
    uint8_t *raw = tx_text_bytes(tx_text_known[KNOWN_PAUSE], &size);
    (void)state;
    for (size_t at = 0; at < size; at++)
        for (unsigned change = 1; change < 256; change++) {
            bool verified;
            raw[at] = (uint8_t)(raw[at] ^ change);
            decoded += attempt(raw, size, "localnet-1", 3, &verified);
            if (verified)
                fail_msg("byte %zu changed by %02x still verifies", at, change);
            raw[at] = (uint8_t)(raw[at] ^ change);
        }
    print_message("%zu changed transactions of %zu decode\n", decoded, size * 255);
    free(raw);
}

static void every_single_byte_of_others(void **state)
{
    static const uint8_t changes[] = {1, 2, 4, 8, 16, 32, 64, 128, 255, 0x7f};
    (void)state;
    for (size_t known = KNOWN_WALLET; known < KNOWN_COUNT; known++) {
        size_t size;
        uint8_t *raw = tx_text_bytes(tx_text_known[known], &size);
        for (size_t at = 0; at < size; at++)
            for (size_t i = 0; i < sizeof changes; i++) {
                bool verified;
                raw[at] = (uint8_t)(raw[at] ^ changes[i]);
                (void)attempt(raw, size, NULL, 0, &verified);
                raw[at] = (uint8_t)(raw[at] ^ changes[i]);
            }
        free(raw);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_join_made_by_hand_is_one),
        cmocka_unit_test(an_embedded_nul_makes_it_foreign),
        cmocka_unit_test(only_the_carrier_is_a_join),
        cmocka_unit_test(only_one_of_the_fee_to_oneself_is_a_join),
        cmocka_unit_test(a_nul_in_an_amount_is_not_cut),
        cmocka_unit_test(long_numbers_hide_no_pause),
        cmocka_unit_test(every_pause_of_many_counts),
        cmocka_unit_test(a_pause_of_nobody_is_none),
        cmocka_unit_test(other_writers_are_read),
        cmocka_unit_test(a_broken_known_message_breaks_all),
        cmocka_unit_test(sizes_are_limited),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(every_single_byte),
        cmocka_unit_test(every_single_byte_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
