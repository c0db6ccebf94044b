/* Replies of real nodes against proto/header.h: as captured they verify; with one byte of their text changed
 * they are refused, or mean what they meant.
 *
 *     STAGGER_STRIDE=1 test_light_fixtures      every byte of the history, not one in a hundred; ten minutes
 *
 * Data is looked for in $STAGGER_SHARED, by default ../shared beside the tree; without it, skipped.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/reply.h"
#include "node/rpc.h"

#define HEIGHTS 150
#define STRIDE 101
#define PATH_SIZE 512

static void shared_path(char path[PATH_SIZE], const char *name)
{
    const char *shared = getenv("STAGGER_SHARED");
    if (shared)
        (void)snprintf(path, PATH_SIZE, "%s/fixtures/%s", shared, name);
    else
        (void)snprintf(path, PATH_SIZE, "%s/../shared/fixtures/%s", STAGGER_SOURCE_DIR, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        skip();
    fclose(file);
}

static char *read_shared(const char *name)
{
    char path[PATH_SIZE];
    shared_path(path, name);
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 1 << 20);
    assert_true(file && text);
    assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    return text;
}

/* --- what hashes and signatures cover, in comparable form --- */

static bool same_header(const struct header *a, const struct header *b)
{
    uint8_t x[HASH_SIZE], y[HASH_SIZE];
    header_hash(a, x);
    header_hash(b, y);
    return memcmp(x, y, HASH_SIZE) == 0;
}

static bool same_commit(const struct commit *a, const struct commit *b)
{
    uint8_t x[HASH_SIZE], y[HASH_SIZE];
    commit_hash(a, x);
    commit_hash(b, y);
    return memcmp(x, y, HASH_SIZE) == 0 && a->height == b->height && a->round == b->round &&
           block_id_equal(&a->block_id, &b->block_id);
}

static bool same_members(const struct reply_validators *a, const struct reply_validators *b)
{
    bool same = a->count == b->count;
    for (uint32_t i = 0; same && i < a->count; i++)
        same = memcmp(a->members[i].address, b->members[i].address, ADDRESS_SIZE) == 0 &&
               memcmp(a->members[i].public_key, b->members[i].public_key, ED25519_KEY_SIZE) == 0 &&
               a->members[i].power == b->members[i].power;
    return same;
}

static bool same_block(const struct reply_block *a, const struct reply_block *b)
{
    bool same = block_id_equal(&a->id, &b->id) && same_header(&a->header, &b->header) &&
                same_commit(&a->last_commit, &b->last_commit) && a->tx_count == b->tx_count &&
                a->evidence_count == b->evidence_count;
    for (uint32_t i = 0; same && i < a->tx_count; i++)
        same = a->txs[i].size == b->txs[i].size &&
               memcmp(a->txs[i].bytes, b->txs[i].bytes, a->txs[i].size) == 0;
    return same;
}

static bool same_results(const struct reply_results *a, const struct reply_results *b)
{
    bool same = a->count == b->count;
    for (uint32_t i = 0; same && i < a->count; i++) {
        const struct tx_result *x = &a->results[i].bound, *y = &b->results[i].bound;
        same = x->code == y->code && x->data_size == y->data_size &&
               (!x->data_size || memcmp(x->data, y->data, x->data_size) == 0) &&
               x->gas_wanted == y->gas_wanted && x->gas_used == y->gas_used;
    }
    return same;
}

/* --- single replies: a block, its commit and its set --- */

struct capture {
    struct reply_block block;
    struct reply_commit commit;
    struct reply_validators set;
};

static void capture_destroy(struct capture *capture)
{
    reply_block_destroy(&capture->block);
    reply_commit_destroy(&capture->commit);
    reply_validators_destroy(&capture->set);
}

static const json_t *result_of(const json_t *tree, struct fault *fault)
{
    const json_t *result = json_object_get(tree, "result");
    if (!json_is_object(result))
        (void)fault_set(fault, "result: missing");
    return json_is_object(result) ? result : NULL;
}

/* Which of the three the text is: 0, 1 or 2. */
static bool read_reply(const char *text, size_t size, int which, struct capture *capture,
                       struct fault *fault)
{
    json_t *tree = rpc_parse(text, size, fault);
    const json_t *result = tree ? result_of(tree, fault) : NULL;
    bool ok = result && (which == 0   ? reply_block(result, &capture->block, fault)
                         : which == 1 ? reply_commit(result, &capture->commit, fault)
                                      : reply_validators(result, &capture->set, fault));
    json_decref(tree);
    return ok;
}

static bool check_capture(const struct capture *c, struct fault *fault)
{
    const struct header *header = &c->block.header;
    const struct member *members = c->set.members;
    if (!block_id_equal(&c->block.id, &c->commit.commit.block_id))
        return fault_set(fault, "the block id is not the commit's");
    return header_check_id(header, &c->block.id, fault) &&
           header_check_id(&c->commit.header, &c->commit.commit.block_id, fault) &&
           header_check_members(header, members, c->set.count, fault) &&
           header_check_data(header, c->block.txs, c->block.tx_count, fault) &&
           header_check_evidence(header, c->block.evidence_count, fault) &&
           header_check_commit(header, &c->block.last_commit, fault) &&
           commit_verify(&c->block.last_commit, header->chain_id, &header->last_block_id,
                         header->height - 1, members, c->set.count, fault) &&
           commit_verify(&c->commit.commit, header->chain_id, &c->block.id, header->height, members,
                         c->set.count, fault);
}

static bool same_capture(const struct capture *a, const struct capture *b)
{
    return same_block(&a->block, &b->block) && same_header(&a->commit.header, &b->commit.header) &&
           same_commit(&a->commit.commit, &b->commit.commit) && same_members(&a->set, &b->set);
}

/* CometBFT 0.37's set was captured after one power had changed: at the block's height all were 1. */
static int by_address(const void *a, const void *b)
{
    return memcmp(((const struct member *)a)->address, ((const struct member *)b)->address,
                  ADDRESS_SIZE);
}

static void make_equal(struct reply_validators *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        set->members[i].power = 1;
    qsort(set->members, set->count, sizeof *set->members, by_address);
}

struct counts {
    uint32_t unread, refused, same;
};

/* The text with one byte changed, in the place of the whole one. */
static void try_changed(const char *text, size_t size, int which, const struct capture *whole,
                        struct counts *counts)
{
    struct capture now = *whole, read = {0};
    struct fault fault = {""};
    if (!read_reply(text, size, which, &read, &fault)) {
        assert_true(*fault.text);
        counts->unread++;
        return;
    }
    if (which == 0)
        now.block = read.block;
    if (which == 1)
        now.commit = read.commit;
    if (which == 2)
        now.set = read.set;
    bool right = check_capture(&now, &fault);
    if (right && !same_capture(&now, whole))
        fail_msg("accepted, and it does not mean the same: %s", text);
    *(right ? &counts->same : &counts->refused) += 1;
    capture_destroy(&read);
}

static void change_all(char *text, int which, const struct capture *whole)
{
    static const char others[] = "0aF\"{,- ";
    struct counts counts = {0};
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++) {
        char before = text[i];
        for (int bit = 0; bit < 8; bit++) {
            text[i] = (char)(before ^ (1 << bit));
            try_changed(text, size, which, whole, &counts);
        }
        for (const char *other = others; *other; other++) {
            text[i] = *other;
            try_changed(text, size, which, whole, &counts);
        }
        text[i] = before;
    }
    printf("reply %d: %u texts unreadable, %u refused, %u with the same meaning\n", which,
           counts.unread, counts.refused, counts.same);
    assert_true(counts.unread + counts.refused > 1000);
}

static void test_capture(const char *folder, bool equal)
{
    static const char *const names[] = {"block", "commit", "validators"};
    char *texts[3], name[PATH_SIZE];
    struct capture whole = {0};
    struct fault fault = {""};
    for (int i = 0; i < 3; i++) {
        (void)snprintf(name, sizeof name, "%s/%s.json", folder, names[i]);
        texts[i] = read_shared(name);
        if (!read_reply(texts[i], strlen(texts[i]), i, &whole, &fault))
            fail_msg("%s: %s", name, fault.text);
    }
    if (equal)
        make_equal(&whole.set);
    if (!check_capture(&whole, &fault))
        fail_msg("%s: %s", folder, fault.text);
    for (int i = 0; i < (equal ? 2 : 3); i++)
        change_all(texts[i], i, &whole);
    for (int i = 0; i < 3; i++)
        free(texts[i]);
    capture_destroy(&whole);
}

static void test_sekai(void **state)
{
    (void)state;
    test_capture("sekai-0.4.13", false);
}

static void test_cometbft(void **state)
{
    (void)state;
    test_capture("cometbft-0.37.4", true);
}

/* --- the history --- */

struct record {
    char *text;
    struct reply_block block;
    struct reply_results results;
    struct reply_validators next; /* V(height + 1) */
};

static void record_destroy(struct record *record)
{
    reply_block_destroy(&record->block);
    reply_results_destroy(&record->results);
    reply_validators_destroy(&record->next);
}

static bool read_record(const char *text, size_t size, struct record *record, struct fault *fault)
{
    json_t *tree = rpc_parse(text, size, fault);
    const json_t *block = result_of(json_object_get(tree, "block"), fault);
    const json_t *results = result_of(json_object_get(tree, "block_results"), fault);
    const json_t *next = result_of(json_object_get(tree, "next_validators"), fault);
    bool ok = block && results && next && reply_block(block, &record->block, fault) &&
              reply_results(results, &record->results, fault) &&
              reply_validators(next, &record->next, fault);
    json_decref(tree);
    if (!ok)
        record_destroy(record);
    return ok;
}

static bool check_results(const struct record *of, const struct record *next, struct fault *fault)
{
    uint32_t count = of->results.count;
    struct tx_result *bound = calloc((size_t)count + 1, sizeof *bound);
    assert_non_null(bound);
    for (uint32_t i = 0; i < count; i++)
        bound[i] = of->results.results[i].bound;
    bool ok = header_check_results(&next->block.header, bound, count, fault);
    free(bound);
    return ok;
}

/* What stands in one record alone. */
static bool check_one(const struct record *r, struct fault *fault)
{
    const struct header *header = &r->block.header;
    return header_check_id(header, &r->block.id, fault) &&
           header_check_data(header, r->block.txs, r->block.tx_count, fault) &&
           header_check_evidence(header, r->block.evidence_count, fault) &&
           header_check_commit(header, &r->block.last_commit, fault) &&
           header_check_next(header, r->next.members, r->next.count, fault);
}

/* What binds it to the one before; `set` is V(height) of `before`. */
static bool check_pair(const struct record *before, const struct reply_validators *set,
                       const struct record *r, struct fault *fault)
{
    const struct header *header = &r->block.header;
    if (!block_id_equal(&before->block.id, &header->last_block_id))
        return fault_set(fault, "block %" PRId64 ": last_block_id", header->height);
    return header_check_next_header(&before->block.header, header, fault) &&
           header_check_members(&before->block.header, set->members, set->count, fault) &&
           check_results(before, r, fault) &&
           commit_verify(&r->block.last_commit, header->chain_id, &before->block.id,
                         header->height - 1, set->members, set->count, fault);
}

struct history {
    struct record records[HEIGHTS + 1]; /* by height */
};

/* V(height); that of the first block is V(2). */
static const struct reply_validators *set_at(const struct history *history, uint32_t height)
{
    return &history->records[height > 1 ? height - 1 : 1].next;
}

static bool check_around(const struct history *history, uint32_t height, struct fault *fault)
{
    const struct record *r = history->records;
    uint32_t from = height > 1 ? height - 1 : 1, to = height + 2 < HEIGHTS ? height + 2 : HEIGHTS;
    if (!check_one(&r[height], fault))
        return false;
    for (uint32_t h = from; h < to; h++)
        if (!check_pair(&r[h], set_at(history, h), &r[h + 1], fault))
            return false;
    return true;
}

static void history_open(struct history *history)
{
    char path[PATH_SIZE], command[PATH_SIZE + 32];
    size_t room = 0;
    shared_path(path, "sekai-0.4.13/history.jsonl.gz");
    (void)snprintf(command, sizeof command, "gzip -dc '%s'", path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    for (uint32_t h = 1; h <= HEIGHTS; h++, room = 0) {
        struct record *r = &history->records[h];
        struct fault fault = {""};
        assert_true(getline(&r->text, &room, pipe) > 0);
        if (!read_record(r->text, strlen(r->text), r, &fault))
            fail_msg("height %u: %s", h, fault.text);
        assert_int_equal(r->block.header.height, h);
    }
    assert_int_equal(pclose(pipe), 0);
}

static void history_close(struct history *history)
{
    for (uint32_t h = 1; h <= HEIGHTS; h++) {
        record_destroy(&history->records[h]);
        free(history->records[h].text);
    }
}

static void try_record(struct history *history, uint32_t height, struct counts *counts)
{
    struct record *r = &history->records[height], whole = *r;
    struct fault fault = {""};
    *r = (struct record){.text = whole.text};
    if (!read_record(r->text, strlen(r->text), r, &fault)) {
        assert_true(*fault.text);
        counts->unread++;
        *r = whole;
        return;
    }
    bool right = check_around(history, height, &fault);
    if (right && !(same_block(&r->block, &whole.block) && same_members(&r->next, &whole.next) &&
                   (height == HEIGHTS || same_results(&r->results, &whole.results))))
        fail_msg("accepted, and it does not mean the same: %s", r->text);
    *(right ? &counts->same : &counts->refused) += 1;
    record_destroy(r);
    *r = whole;
}

static void change_history(struct history *history, size_t stride)
{
    struct counts counts = {0};
    for (uint32_t h = 1; h <= HEIGHTS; h++) {
        char *text = history->records[h].text;
        size_t size = strlen(text);
        for (size_t i = h % stride; i < size; i += stride) {
            char before = text[i];
            text[i] = (char)(before ^ (1 << (i + h) % 7));
            if (text[i])
                try_record(history, h, &counts);
            text[i] = before;
        }
    }
    printf("history: %u texts unreadable, %u refused, %u with the same meaning\n", counts.unread,
           counts.refused, counts.same);
    assert_true(counts.refused > 100 && counts.unread > 100);
}

static void test_history(void **state)
{
    (void)state;
    static struct history history;
    struct fault fault = {""};
    const char *stride = getenv("STAGGER_STRIDE");
    history_open(&history);
    for (uint32_t h = 1; h <= HEIGHTS; h++)
        if (!check_around(&history, h, &fault))
            fail_msg("height %u: %s", h, fault.text);
    change_history(&history, stride && atoi(stride) > 0 ? (size_t)atoi(stride) : STRIDE);
    history_close(&history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sekai),
        cmocka_unit_test(test_cometbft),
        cmocka_unit_test(test_history),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
