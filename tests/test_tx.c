/* Transactions against known answers, those that chains took, and back from what is built. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/encoding.h"
#include "tests/tx_text.h"

#define AUTH_START                                                                                 \
    "0a500a460a1f2f636f736d6f732e63727970746f2e736563703235366b312e5075624b657912230a210284bf7562" \
    "262bbd6940085748f3be6afa52ae317155181ece31b66351ccffa4b012040a020801180712"

/* The facts of one known answer, apart from the bytes in tx_text.c. */
struct answer {
    enum tx_text_known known;
    enum tx_action action;
    uint64_t fee;
    const char *body, *auth, *sign_hash, *signature, *hash;
};

static const struct answer answers[] = {
    {KNOWN_PAUSE, TX_DO_PAUSE, 100,
     "0a4f0a172f6b6972612e736c617368696e672e4d7367506175736512340a326b69726176616c6f706572317470376668"
     "6c793834716d36713468687a6d70306e68356672746475676d79736c7234636667",
     AUTH_START "110a0b0a04756b6578120331303010c09a0c",
     "c5ddc228c42848c8b7d6cc1ddfe511158f0c84cd78f5f4c84af629af4e1078eb",
     "bb9ac316dcae5de99346b309015c2bb65c1c75460176e736a2151ccbfcfce985"
     "5208f15137ff1460a5b3f47501b15c9dfc59d1c28f9fc481da36e5d088d5312e",
     "4F1FA6640465D1D718AFF30977D4C25343C483D4AA0C2722245FDE2887924008"},
    {KNOWN_UNPAUSE, TX_DO_UNPAUSE, 100,
     "0a510a192f6b6972612e736c617368696e672e4d7367556e706175736512340a326b69726176616c6f70657231747037"
     "66686c793834716d36713468687a6d70306e68356672746475676d79736c7234636667",
     AUTH_START "110a0b0a04756b6578120331303010c09a0c",
     "1e82f5f082a789da23b9b78ff1665aa60f6b49e0b179f18878a948cd7169b1d7",
     "699220ad19f65ba00bb685f4e8e8e205ae0ca615a5250306f515f4e76b6fbae2"
     "520abf572ac4b96b31dbf63e520e9a2101a62ac4787a1dbc91c05cb5e7fde7d4",
     "CDB873CA2BD39204AAF400C43A126D63DF16B5E8C4AF4C1A6257B84156005954"},
    {KNOWN_ACTIVATE, TX_DO_ACTIVATE, 1000, NULL, NULL,
     "4e53c240eaafdbb46b2d6b04420c09e95fc3dd934ab9e206358ce7acc67bafe0",
     "2c0365831321d2e0728d9943e49b9fc81c4faa0c73d63a27cca1376ba2a37cb8"
     "3a896d95b9fc914a28e90bd868b5bd07fa36ac669fce619d38075d09a0002caa",
     "710161DD30769C1DC76D7D59211C4F205132824019578311D66024867FEA01DB"},
};

static void check_answer(const struct answer *answer)
{
    struct tx_request request = tx_text_request();
    struct tx_draft draft;
    struct fault fault;
    uint8_t signature[ACCOUNT_SIGNATURE_SIZE], hash[HASH_SIZE], *raw;
    char upper[HEX_TEXT(HASH_SIZE)];
    size_t size;
    request.action = answer->action;
    request.fee_amount = answer->fee;
    assert_true(tx_draft(&request, &draft, &fault));
    if (answer->body)
        tx_text_same("body", draft.body, draft.body_size, answer->body);
    if (answer->auth)
        tx_text_same("auth", draft.auth, draft.auth_size, answer->auth);
    tx_hash(draft.sign_doc, draft.sign_doc_size, hash);
    tx_text_same("sign document's hash", hash, sizeof hash, answer->sign_hash);
    assert_true(account_sign(tx_text_key, draft.sign_doc, draft.sign_doc_size, signature));
    tx_text_same("signature", signature, sizeof signature, answer->signature);
    assert_true(tx_assemble(&draft, signature, &raw, &size));
    tx_text_same("transaction", raw, size, tx_text_known[answer->known]);
    tx_hash(raw, size, hash);
    hex_encode_upper(hash, sizeof hash, upper);
    assert_string_equal(upper, answer->hash);
    tx_draft_destroy(&draft);
    free(raw);
}

static void known_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        check_answer(&answers[i]);
}

static struct tx_decoded decode_known(enum tx_text_known known)
{
    size_t size;
    uint8_t *raw = tx_text_bytes(tx_text_known[known], &size);
    struct tx_decoded tx;
    struct fault fault;
    if (!tx_decode(raw, size, &tx, &fault))
        fail_msg("%s", fault.text);
    free(raw);
    return tx;
}

static void known_signatures_verify(void **state)
{
    static const struct {
        const char *chain_id;
        uint64_t account_number;
    } signed_for[KNOWN_COUNT] = {
        [KNOWN_PAUSE] = {"localnet-1", 3},     [KNOWN_UNPAUSE] = {"localnet-1", 3},
        [KNOWN_ACTIVATE] = {"localnet-1", 3},  [KNOWN_WALLET] = {"testnet-9", 669},
        [KNOWN_WALLET2] = {"simd-testing", 1}, [KNOWN_DISABLE] = {"dclchain", 0},
        [KNOWN_PROPOSE] = {"dclchain", 0},
    };
    (void)state;
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        struct tx_decoded tx = decode_known((enum tx_text_known)i);
        assert_true(tx_verify(&tx, signed_for[i].chain_id, signed_for[i].account_number));
        assert_false(tx_verify(&tx, signed_for[i].chain_id, signed_for[i].account_number + 1));
        assert_false(tx_verify(&tx, "another", signed_for[i].account_number));
        tx_decoded_destroy(&tx);
    }
}

static void a_wallet_transaction_is_read(void **state)
{
    (void)state;
    struct tx_decoded tx = decode_known(KNOWN_WALLET);
    uint8_t from[ACCOUNT_ADDRESS_SIZE], to[ACCOUNT_ADDRESS_SIZE];
    struct fault fault;
    assert_true(account_parse("kira143q8vxpvuykt9pq50e6hng9s38vmy844n8k9wx", "kira", from, &fault));
    assert_true(account_parse("kira177lwmjyjds3cy7trers83r4pjn3dhv8zrqk9dl", "kira", to, &fault));
    assert_int_equal(tx.message_count, 1);
    assert_int_equal(tx.messages[0].kind, TX_MESSAGE_SEND);
    assert_true(tx.messages[0].has_signer && tx.messages[0].has_recipient);
    assert_memory_equal(tx.messages[0].signer, from, sizeof from);
    assert_memory_equal(tx.messages[0].recipient, to, sizeof to);
    assert_int_equal(tx.messages[0].amount_count, 1);
    assert_string_equal(tx.messages[0].amount[0].denom, "ukex");
    assert_string_equal(tx.messages[0].amount[0].amount, "200");
    assert_string_equal(tx.memo, "Test of MsgSend message");
    assert_memory_equal(tx.signer, from, sizeof from);
    assert_int_equal(tx.sequence, 106);
    assert_int_equal(tx.gas, 20000);
    assert_int_equal(tx.fee_count, 1);
    assert_string_equal(tx.fee[0].amount, "200");
    tx_decoded_destroy(&tx);
}

/* The same request gives the same bytes as the network's own client made: body and auth_info. */
static void check_remade(enum tx_text_known known, struct tx_request *request)
{
    struct tx_decoded tx = decode_known(known);
    struct tx_draft draft;
    struct fault fault;
    request->chain = CHAIN_DCL;
    request->prefix = "cosmos";
    request->chain_id = "dclchain";
    request->gas = tx.gas;
    request->sequence = tx.sequence;
    memcpy(request->public_key, tx.public_key, ACCOUNT_PUBLIC_SIZE);
    if (!tx_draft(request, &draft, &fault))
        fail_msg("%s", fault.text);
    assert_int_equal(draft.body_size, tx.body_size);
    assert_memory_equal(draft.body, tx.body, tx.body_size);
    assert_int_equal(draft.auth_size, tx.auth_size);
    assert_memory_equal(draft.auth, tx.auth, tx.auth_size);
    assert_true(account_verify(tx.public_key, draft.sign_doc, draft.sign_doc_size, tx.signature));
    tx_draft_destroy(&draft);
    tx_decoded_destroy(&tx);
}

static void captured_dcl_transactions_are_remade(void **state)
{
    (void)state;
    struct tx_request disable = {.action = TX_DO_PAUSE};
    check_remade(KNOWN_DISABLE, &disable);
    struct tx_plan plan = {.name = "v1.6.0", .height = 66};
    struct tx_request propose = {
        .action = TX_DO_SUBMIT_UPGRADE, .plan = &plan, .time_s = 1795278971};
    check_remade(KNOWN_PROPOSE, &propose);
}

static void captured_dcl_transactions_are_read(void **state)
{
    (void)state;
    struct tx_decoded tx = decode_known(KNOWN_DISABLE);
    struct tx_entry entry;
    assert_int_equal(tx.messages[0].kind, TX_MESSAGE_DISABLE_NODE);
    assert_true(tx_entry(CHAIN_DCL, &tx, 0, &entry));
    assert_int_equal(entry.kind, TX_PAUSE);
    assert_memory_equal(entry.who, tx.signer, ACCOUNT_ADDRESS_SIZE);
    assert_false(tx_entry(CHAIN_KIRA, &tx, 0, &entry));
    tx_decoded_destroy(&tx);
    tx = decode_known(KNOWN_PROPOSE);
    assert_int_equal(tx.messages[0].kind, TX_MESSAGE_PROPOSE_UPGRADE);
    assert_string_equal(tx.messages[0].name, "v1.6.0");
    assert_false(tx_entry(CHAIN_DCL, &tx, 0, &entry));
    tx_decoded_destroy(&tx);
}

/* The captured file still holds the bytes that tx_text.c has. */
static void check_captured(const char *file, enum tx_text_known known)
{
    const char *shared = getenv("STAGGER_SHARED");
    char path[4096], text[8192], base64[BASE64_TEXT(1024)], want[sizeof base64 + 16];
    snprintf(path, sizeof path, "%s/fixtures/dcl-1.5.2/%s",
             shared ? shared : STAGGER_SOURCE_DIR "/../shared", file);
    FILE *open = fopen(path, "rb");
    if (!open)
        skip();
    size_t size = fread(text, 1, sizeof text - 1, open);
    text[size] = '\0';
    fclose(open);
    uint8_t *raw = tx_text_bytes(tx_text_known[known], &size);
    base64_encode(raw, size, base64);
    snprintf(want, sizeof want, "\"tx\":\"%s\"", base64);
    assert_non_null(strstr(text, want));
    free(raw);
}

static void captured_files_are_those(void **state)
{
    (void)state;
    check_captured("disable_node_tx.json", KNOWN_DISABLE);
    check_captured("propose_upgrade_tx.json", KNOWN_PROPOSE);
}

/* --- build, then read --- */

static struct tx_decoded round_trip(const struct tx_request *request)
{
    size_t size;
    uint8_t *raw = tx_text_build(request, &size);
    struct tx_decoded tx;
    struct fault fault;
    if (!tx_decode(raw, size, &tx, &fault))
        fail_msg("%s", fault.text);
    free(raw);
    assert_int_equal(tx.message_count, 1);
    assert_true(tx.signer_count == 1 && tx.signature_count == 1 && tx.has_public_key && tx.direct);
    assert_memory_equal(tx.public_key, request->public_key, ACCOUNT_PUBLIC_SIZE);
    assert_true(tx.sequence == request->sequence && tx.gas == request->gas);
    assert_true(tx.timeout_height == request->timeout_height);
    assert_true(tx_verify(&tx, request->chain_id, request->account_number));
    assert_true(tx.messages[0].has_signer);
    assert_memory_equal(tx.messages[0].signer, tx.signer, ACCOUNT_ADDRESS_SIZE);
    return tx;
}

static void a_kira_join_comes_back(void **state)
{
    (void)state;
    struct tx_request request = tx_text_request();
    struct tx_entry entry;
    request.action = TX_DO_JOIN;
    request.class_minutes = 17;
    request.charter = 0x0012ab9f;
    request.timeout_height = UINT64_MAX;
    struct tx_decoded tx = round_trip(&request);
    assert_string_equal(tx.memo, "stagger/join/1 17 0012ab9f");
    assert_int_equal(tx.messages[0].kind, TX_MESSAGE_SEND);
    assert_true(tx_entry(CHAIN_KIRA, &tx, 0, &entry));
    assert_int_equal(entry.kind, TX_JOIN);
    assert_int_equal(entry.class_minutes, 17);
    assert_int_equal(entry.charter, 0x0012ab9f);
    assert_false(entry.foreign);
    assert_memory_equal(entry.who, tx.signer, ACCOUNT_ADDRESS_SIZE);
    assert_false(tx_entry(CHAIN_DCL, &tx, 0, &entry));
    tx_decoded_destroy(&tx);
}

static void a_dcl_join_comes_back(void **state)
{
    (void)state;
    struct tx_request request = tx_text_request();
    struct tx_entry entry;
    uint8_t key[32] = {0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe,
                       0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6,
                       0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};
    request.chain = CHAIN_DCL;
    request.prefix = "cosmos";
    request.fee_denom = NULL;
    request.action = TX_DO_JOIN;
    request.class_minutes = 240;
    request.charter = 0xffffffff;
    request.consensus_key = key;
    request.moniker = "node-\xc3\xa4";
    struct tx_decoded tx = round_trip(&request);
    assert_int_equal(tx.fee_count, 0);
    assert_true(tx.messages[0].has_consensus);
    /* the first 20 bytes of the key's SHA-256 */
    tx_text_same("consensus address", tx.messages[0].consensus, ADDRESS_SIZE,
                 "21fe31dfa154a261626bf854046fd2271b7bed4b");
    assert_string_equal(tx.messages[0].name, "node-\xc3\xa4");
    assert_true(tx_entry(CHAIN_DCL, &tx, 0, &entry));
    assert_true(entry.kind == TX_JOIN && entry.class_minutes == 240 && entry.charter == UINT32_MAX);
    assert_false(tx_entry(CHAIN_KIRA, &tx, 0, &entry));
    tx_decoded_destroy(&tx);
}

static void memberships_come_back(void **state)
{
    static const struct {
        enum chain_kind chain;
        enum tx_action action;
        enum tx_message_kind message;
        enum tx_kind kind;
    } cases[] = {
        {CHAIN_KIRA, TX_DO_PAUSE, TX_MESSAGE_PAUSE, TX_PAUSE},
        {CHAIN_KIRA, TX_DO_UNPAUSE, TX_MESSAGE_UNPAUSE, TX_UNPAUSE},
        {CHAIN_KIRA, TX_DO_ACTIVATE, TX_MESSAGE_ACTIVATE, TX_ACTIVATE},
        {CHAIN_DCL, TX_DO_PAUSE, TX_MESSAGE_DISABLE_NODE, TX_PAUSE},
        {CHAIN_DCL, TX_DO_UNPAUSE, TX_MESSAGE_ENABLE_NODE, TX_UNPAUSE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tx_request request = tx_text_request();
        struct tx_entry entry;
        request.chain = cases[i].chain;
        request.action = cases[i].action;
        request.memo = "stagger/join/1 5 0123abcd"; /* on a pause it says nothing */
        struct tx_decoded tx = round_trip(&request);
        assert_int_equal(tx.messages[0].kind, cases[i].message);
        assert_true(tx.messages[0].has_validator);
        assert_true(tx_entry(request.chain, &tx, 0, &entry));
        assert_int_equal(entry.kind, cases[i].kind);
        assert_memory_equal(entry.who, tx.signer, ACCOUNT_ADDRESS_SIZE);
        tx_decoded_destroy(&tx);
    }
}

static void votes_and_proposals_come_back(void **state)
{
    (void)state;
    struct tx_resource resource = {"sekai", "https://example.org/sekai.deb", "v0.5.0", "sha256:00"};
    struct tx_plan plan = {.name = "up1",
                           .resources = &resource,
                           .resource_count = 1,
                           .upgrade_time = 1800000000,
                           .old_chain_id = "a-1",
                           .new_chain_id = "a-2",
                           .max_enrolment_s = 60,
                           .height = 9};
    struct tx_request request = tx_text_request();
    request.proposal = UINT64_MAX;
    request.option = 4;
    request.action = TX_DO_VOTE;
    struct tx_decoded tx = round_trip(&request);
    assert_int_equal(tx.messages[0].kind, TX_MESSAGE_VOTE);
    assert_true(tx.messages[0].proposal == UINT64_MAX && tx.messages[0].option == 4);
    tx_decoded_destroy(&tx);
    request.title = "a title";
    request.description = "lines\nof text";
    request.plan = &plan;
    for (int cancel = 0; cancel < 2; cancel++) {
        request.action = cancel ? TX_DO_CANCEL_UPGRADE : TX_DO_SUBMIT_UPGRADE;
        tx = round_trip(&request);
        assert_int_equal(tx.messages[0].kind, TX_MESSAGE_SUBMIT_PROPOSAL);
        assert_string_equal(tx.messages[0].name, "up1");
        tx_decoded_destroy(&tx);
    }
}

static void dcl_upgrades_come_back(void **state)
{
    static const enum tx_action actions[] = {TX_DO_SUBMIT_UPGRADE, TX_DO_APPROVE_UPGRADE,
                                             TX_DO_REJECT_UPGRADE};
    static const enum tx_message_kind kinds[] = {
        TX_MESSAGE_PROPOSE_UPGRADE, TX_MESSAGE_APPROVE_UPGRADE, TX_MESSAGE_REJECT_UPGRADE};
    (void)state;
    struct tx_plan plan = {.name = "v1.7.0", .height = INT64_MAX, .info = "{}"};
    struct tx_request request = tx_text_request();
    request.chain = CHAIN_DCL;
    request.prefix = "cosmos";
    request.plan = &plan;
    request.time_s = 1790035067;
    for (size_t i = 0; i < 3; i++) {
        request.action = actions[i];
        struct tx_decoded tx = round_trip(&request);
        assert_int_equal(tx.messages[0].kind, kinds[i]);
        assert_string_equal(tx.messages[0].name, "v1.7.0");
        tx_decoded_destroy(&tx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(known_signatures_verify),
        cmocka_unit_test(a_wallet_transaction_is_read),
        cmocka_unit_test(captured_dcl_transactions_are_remade),
        cmocka_unit_test(captured_dcl_transactions_are_read),
        cmocka_unit_test(captured_files_are_those),
        cmocka_unit_test(a_kira_join_comes_back),
        cmocka_unit_test(a_dcl_join_comes_back),
        cmocka_unit_test(memberships_come_back),
        cmocka_unit_test(votes_and_proposals_come_back),
        cmocka_unit_test(dcl_upgrades_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
