/* Headers and what they bind: vectors, one block of a real network (CometBFT 0.37), a small network in which
 * every bit that a hash or signature covers is changed once, and what each check says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/encoding.h"
#include "proto/merkle.h"
#include "proto/wire.h"
#include "tests/light_world.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void from_hex(const char *text, uint8_t *bytes, size_t size)
{
    assert_true(hex_decode(text, strlen(text), bytes, size));
}

static struct hash hash_of(const char *text)
{
    struct hash hash = {0};
    from_hex(text, hash.bytes, HASH_SIZE);
    return hash;
}

static void assert_hash(const uint8_t hash[HASH_SIZE], const char *text)
{
    char shown[HEX_TEXT(HASH_SIZE)];
    hex_encode(hash, HASH_SIZE, shown);
    assert_string_equal(shown, text);
}

static void assert_says(const struct fault *fault, const char *words)
{
    if (!strstr(fault->text, words))
        fail_msg("\"%s\" is not in the fault \"%s\"", words, fault->text);
}

/* --- trees --- */

static void test_merkle(void **state)
{
    (void)state; /* the leaves and roots that implementations of RFC 6962 are tested with */
    static const char *const leaves[] = {"",
                                         "00",
                                         "10",
                                         "2021",
                                         "3031",
                                         "40414243",
                                         "5051525354555657",
                                         "606162636465666768696a6b6c6d6e6f"};
    static const char *const roots[] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    };
    for (size_t count = 0; count < COUNT(roots); count++) {
        struct merkle tree;
        uint8_t root[HASH_SIZE];
        merkle_begin(&tree);
        for (size_t i = 0; i < count; i++) {
            uint8_t leaf[16];
            from_hex(leaves[i], leaf, strlen(leaves[i]) / 2);
            merkle_leaf(&tree, leaf, strlen(leaves[i]) / 2);
        }
        merkle_root(&tree, root);
        assert_hash(root, roots[count]);
    }
}

static void assert_wire(const struct wire *wire, const char *text)
{
    char shown[HEX_TEXT(WIRE_MAX)];
    hex_encode(wire->bytes, wire->size, shown);
    assert_string_equal(shown, text);
}

static void test_wire(void **state)
{
    (void)state;
    struct wire zero = {0}, wire = {0}, message = {0};
    wire_uint(&zero, 1, 0);
    wire_int(&zero, 2, 0);
    wire_sfixed64(&zero, 3, 0);
    wire_bytes(&zero, 4, NULL, 0);
    assert_int_equal(zero.size, 0);
    wire_message(&zero, 5, &message);
    assert_wire(&zero, "2a00");
    wire_int(&wire, 1, -62135596800);
    wire_int(&wire, 2, 300);
    wire_sfixed64(&wire, 3, -2);
    wire_bytes(&wire, 16, "ab", 2);
    assert_wire(&wire, "088092b8c398feffffff0110ac0219feffffffffffffff8201026162");
    wire_int(&message, 1, 127);
    wire_message(&wire, 1, &message);
    assert_wire(&wire, "088092b8c398feffffff0110ac0219feffffffffffffff82010261620a02087f");
}

/* --- a block of a real network --- */

#define REAL_CHAIN "chain-L0dEUR"
#define REAL_HEIGHT 56
#define REAL_TIME_S 1795278482LL
#define EMPTY "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"
#define REAL_SET "FC587B8414AE09C70F3611656AD47756B7353A644B0D28E03E50052380E46E4D"
#define REAL_PARTS "1EED044A4B2E83BAD0196DAA318E64C76A997D9AA2305E60E5AC70012B09BA56"
#define REAL_HASH "02786bb5eff9f7bef12d2c4b23634bad1ad8d8a9026c841103b79225da7a8dcd"

static const struct {
    const char *address, *key, *signature;
    int32_t nanos;
} real_members[] = {
    {"93447B74049C8E0948336A2100A1E2401B8A6217",
     "5C30EDCA31EDC5300E2D3249E7BDA663A20D1307580EF9A233907F91E106ED97",
     "7F1516156B93CC9BBE1DF12BB808C0A86061376DAB60A75DEFB360103A564208"
     "03BCFBF8BD27EF3DB2C9F84C1D32CEA04BC41CBE4532C770D760F6D4DE117100",
     761890165},
    {"A1636C440FB0A22F029E1DCBD409A034CA624AF2",
     "DCD93006CAF87E7CF19D17910902AA65BB06E211A133B917E2C2A4FC03C81063",
     "694212DC152F7537D9CCDCD889E4821785C14D8F1D7DDCA6C20B02F5E76945F9"
     "15D41799353B1C1C0D5B91BFD0508FF50B5026DB461B2F499277785843BAC00B",
     759147614},
    {"CE62BAB784B0581D7747D5F8D898394F066374EA",
     "3788639CFF1A361CA7B9E5E0EB65C04A923BA86C48AF55C81816C63D74E6CAF0",
     "CA55BBCD4043D7E3215626B2C04EE12CBEDD65D8AB1AEFE0994CDB28BFEE4301"
     "F0DAC53DB8CE775193D5D66D75ACE76A20CAACEA0319D73F1C233D35001ADF0F",
     758776026},
    {"FE003E5ADC8B27C98827B270F01F4A1EBB5F0984",
     "C5336A833590D4F477731470648622B75B37C1A3432EAD57202F7524132F67B0",
     "CD039E5F071F3F490505487E71C5982AAA487D2C0DFB5FF7ECF0B6622E81DE4D"
     "1D81BC61638CEB0FE4AC289A683FA3D6709008A4EF6C98A92EB52D7B24633403",
     758398129},
};

static struct header real_header(void)
{
    struct header h = {.version_block = 11, .version_app = 1, .chain_id = REAL_CHAIN};
    h.height = REAL_HEIGHT;
    h.time = (struct time_stamp){REAL_TIME_S, 138024347};
    h.last_block_id.hash =
        hash_of("FB39479F2B3F85526AB4F9B1AC7C5A40AE51690D9A7DCAB9C06D799FA911AC95");
    h.last_block_id.parts_total = 1;
    h.last_block_id.parts_hash =
        hash_of("237707B606A1365A8D2467DA00B1A13C45A786640092039D1DA4788E67D304E2");
    h.last_commit_hash =
        hash_of("94F61CB7DEB7BF6E48936ADB6FA9C3E9102E52F21AE7E7CB49A76C194EC7ED30");
    h.data_hash = hash_of("50185474256063B4D454DC302CDA42FAE4D3503301C57C6EBAB059987C11C522");
    h.validators_hash = h.next_validators_hash = hash_of(REAL_SET);
    h.consensus_hash = hash_of("048091BC7DDC283F77BFBF91D73C44DA58C3DF8A9CBC867405D8B7F3DAADA22F");
    h.app_hash_size = 8;
    h.last_results_hash = h.evidence_hash = hash_of(EMPTY);
    from_hex("FE003E5ADC8B27C98827B270F01F4A1EBB5F0984", h.proposer, ADDRESS_SIZE);
    return h;
}

static void real_commit(struct commit *commit, struct member *members)
{
    commit->height = REAL_HEIGHT;
    commit->block_id = (struct block_id){hash_of(REAL_HASH), 1, hash_of(REAL_PARTS)};
    commit->count = COUNT(real_members);
    for (size_t i = 0; i < COUNT(real_members); i++) {
        struct commit_sig *sig = &commit->sigs[i];
        sig->flag = COMMIT_FOR_BLOCK;
        sig->time = (struct time_stamp){REAL_TIME_S, real_members[i].nanos};
        sig->signature_size = ED25519_SIGNATURE_SIZE;
        from_hex(real_members[i].signature, sig->signature, ED25519_SIGNATURE_SIZE);
        from_hex(real_members[i].address, sig->address, ADDRESS_SIZE);
        from_hex(real_members[i].address, members[i].address, ADDRESS_SIZE);
        from_hex(real_members[i].key, members[i].public_key, ED25519_KEY_SIZE);
        members[i].power = 1;
    }
}

static void test_real_block(void **state)
{
    (void)state;
    struct header header = real_header();
    struct member members[COUNT(real_members)];
    struct commit_sig sigs[COUNT(real_members)] = {0};
    struct commit commit = {.sigs = sigs};
    const char *text = "val:xTNqgzWQ1PR3cxRwZIYit1s3waNDLq1XIC91JBMvZ7A=!5";
    struct tx_bytes tx = {(const uint8_t *)text, strlen(text)};
    struct fault fault = {""};
    real_commit(&commit, members);
    bool ok = header_check_id(&header, &commit.block_id, &fault) &&
              header_check_members(&header, members, COUNT(real_members), &fault) &&
              header_check_next(&header, members, COUNT(real_members), &fault) &&
              header_check_data(&header, &tx, 1, &fault) &&
              header_check_results(&header, NULL, 0, &fault) &&
              header_check_evidence(&header, 0, &fault) &&
              commit_verify(&commit, REAL_CHAIN, &commit.block_id, REAL_HEIGHT, members,
                            COUNT(real_members), &fault);
    if (!ok)
        fail_msg("%s", fault.text);
}

/* --- a small network --- */

static struct light_world *make_world(void)
{
    static struct light_world world;
    struct fault fault = {""};
    light_world_make(&world, 5);
    if (!light_world_check(&world, &fault))
        fail_msg("%s", fault.text);
    return &world;
}

static void test_every_bit(void **state)
{
    (void)state;
    struct light_world *w = make_world();
    struct light_spot spots[LIGHT_SPOTS_MAX];
    uint32_t count = light_world_spots(w, spots), bits = 0;
    for (uint32_t i = 0; i < count; i++)
        for (size_t bit = 0; bit < spots[i].size * 8; bit++, bits++) {
            struct fault fault;
            uint8_t *byte = (uint8_t *)spots[i].bytes + bit / 8, mask = (uint8_t)(1u << bit % 8);
            *byte ^= mask;
            if (light_world_check(w, &fault))
                fail_msg("bit %zu of %s (spot %u) can be changed", bit, spots[i].name, i);
            if (!strstr(fault.text, spots[i].fault))
                fail_msg("bit %zu of %s (spot %u): \"%s\", expected \"%s\"", bit, spots[i].name, i,
                         fault.text, spots[i].fault);
            *byte ^= mask;
        }
    assert_true(bits > 20000);
    (void)make_world();
}

/* Lists: one entry less, one more, two exchanged. */
static void test_lists(void **state)
{
    (void)state;
    struct light_world *w = make_world();
    struct fault fault;
    struct tx_bytes txs[] = {w->txs[0], w->txs[1], w->txs[2], w->txs[2]};
    assert_false(header_check_data(&w->now, txs, 2, &fault));
    assert_false(header_check_data(&w->now, txs, 4, &fault));
    assert_false(header_check_data(&w->now, txs, 0, &fault));
    txs[1] = w->txs[0], txs[0] = w->txs[1];
    assert_false(header_check_data(&w->now, txs, 3, &fault));
    assert_says(&fault, "block 8: its transactions do not match data_hash (");
    struct tx_result results[] = {w->results[1], w->results[0], w->results[2]};
    assert_false(header_check_results(&w->now, results, 3, &fault));
    assert_false(header_check_results(&w->now, w->results, 2, &fault));
    assert_false(header_check_results(&w->now, NULL, 0, &fault));
    assert_false(header_check_members(&w->now, w->next_members, w->count - 1, &fault));
    assert_false(header_check_next(&w->now, w->members, 0, &fault));
    assert_false(header_check_evidence(&w->now, 1, &fault));
    assert_says(&fault, "block 8: its 1 pieces of evidence do not match evidence_hash");
}

/* What lies in one field may not move into the next. */
static void test_boundaries(void **state)
{
    (void)state;
    const uint8_t bytes[] = "stagger";
    uint8_t a[HASH_SIZE], b[HASH_SIZE];
    struct tx_bytes whole[] = {{bytes, 4}, {bytes + 4, 3}}, moved[] = {{bytes, 3}, {bytes + 3, 4}};
    data_hash(whole, 2, a);
    data_hash(moved, 2, b);
    assert_memory_not_equal(a, b, HASH_SIZE);
    struct tx_result wanted = {.gas_wanted = 7}, used = {.gas_used = 7};
    results_hash(&wanted, 1, a);
    results_hash(&used, 1, b);
    assert_memory_not_equal(a, b, HASH_SIZE);
    struct tx_result as_code = {.code = 7}, as_data = {.data = bytes, .data_size = 1};
    results_hash(&as_code, 1, a);
    results_hash(&as_data, 1, b);
    assert_memory_not_equal(a, b, HASH_SIZE);
}

static void next_header_says(const struct header *before, const struct header *now,
                             const char *words)
{
    struct fault fault = {""};
    assert_false(header_check_next_header(before, now, &fault));
    assert_says(&fault, words);
}

static void test_next_header(void **state)
{
    (void)state;
    struct light_world *w = make_world();
    struct header now = w->now;
    now.height = 9;
    next_header_says(&w->before, &now, "block 7: the next header is of height 9");
    now.height = INT64_MIN;
    next_header_says(&w->before, &now, "the next header is of height -9223372036854775808");
    now = w->now;
    now.chain_id[0] = 'm';
    next_header_says(&w->before, &now, "block 8: chain_id is not that");
    now = w->now;
    now.last_block_id.hash.none = true;
    next_header_says(&w->before, &now, "block 8: last_block_id.hash is not that of the block");
    now = w->now;
    now.validators_hash.bytes[0] ^= 1;
    next_header_says(&w->before, &now, "block 8: validators_hash is not next_validators_hash");
    now = w->now;
    now.time = w->before.time;
    next_header_says(&w->before, &now, "block 8: time is not later");
    now.time.nanos--;
    next_header_says(&w->before, &now, "block 8: time is not later");
    now.time.nanos += 2;
    struct fault fault;
    assert_true(header_check_next_header(&w->before, &now, &fault));
}

/* A chain's first block: no last block, an empty last commit. */
static void test_first_block(void **state)
{
    (void)state;
    struct light_world *w = make_world();
    struct fault fault = {""};
    struct header first = w->before;
    struct commit none = {.block_id = {.hash.none = true, .parts_hash.none = true}};
    first.last_block_id = none.block_id;
    first.last_commit_hash = hash_of(EMPTY);
    assert_true(header_check_commit(&first, &none, &fault));
    none.height = first.height - 1;
    assert_false(header_check_commit(&first, &none, &fault));
    assert_says(&fault, "block 7: its last commit is of height 6");
    none = (struct commit){.block_id = first.last_block_id, .sigs = w->last_sigs, .count = 1};
    commit_hash(&none, first.last_commit_hash.bytes);
    assert_false(header_check_commit(&first, &none, &fault));
    assert_says(&fault, "it is the first and has a last commit");
    struct hash nothing = {.none = true}, zero = {0};
    assert_false(hash_equal(&nothing, &zero));
    assert_true(hash_equal(&nothing, &nothing));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merkle),      cmocka_unit_test(test_wire),
        cmocka_unit_test(test_real_block),  cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_lists),       cmocka_unit_test(test_boundaries),
        cmocka_unit_test(test_next_header), cmocka_unit_test(test_first_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
