/* Replies cut off and changed: every truncation and single-byte changes of every reply at hand.
 *
 * A text that was cut is always refused. A text with one byte changed is refused, or reads as before, or differs
 * in one value only: that of the field in which the byte stands, written as Go writes it. Where the byte is part of
 * a name, nothing may differ: a name spoilt is a field missing, never another one.
 *
 * Replies of tests/data/replies always; captured ones from $STAGGER_SHARED, by default ../shared beside the tree.
 * Nine bytes are tried at each place; STAGGER_REPLY_ALL=1 tries all 255 (minutes).
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/reply_flat.h"

#define TEXT_MAX 65536
#define FILES_MAX 64

struct sample {
    char path[512];
    const struct reply_kind *kind;
    char text[TEXT_MAX];
    size_t size;
    bool in_name[TEXT_MAX]; /* bytes of names, with their quotation marks */
    struct flat before, after;
    uint64_t tried, accepted, differing;
};

/* Reads the text as a reply to request `id`; ours is 1 in all files, others are given. */
static bool read_text(const char *text, size_t size, uint64_t id, const struct reply_kind *kind,
                      struct flat *flat)
{
    struct fault fault = {""};
    struct rpc_envelope envelope;
    json_t *tree = rpc_parse(text, size, &fault);
    bool good = tree != NULL && rpc_envelope(tree, id, &envelope, &fault);
    flat_clear(flat);
    if (good && envelope.result != NULL)
        good = kind->read(envelope.result, flat, &fault);
    else if (good)
        good = false; /* a refusal, which has no values */
    else
        assert_true(fault.text[0] != '\0' && strchr(fault.text, '\n') == NULL);
    json_decref(tree);
    return good;
}

/* --- what may differ --- */

/* The number or text around the byte, without its quotation marks. A byte that became white space has cut off
 * the first or the last digit of a number. */
static size_t token_at(const char *text, size_t size, size_t at, const char **token)
{
    static const char ends[] = "\",:[]{} \t\r\n";
    if (strchr(" \t\r\n", text[at]) != NULL && text[at] != '\0')
        at = at > 0 && text[at - 1] >= '0' && text[at - 1] <= '9' ? at - 1 : at + 1;
    size_t begin = at, end = at;
    while (begin > 0 && strchr(ends, text[begin - 1]) == NULL)
        begin--;
    while (end < size && strchr(ends, text[end]) == NULL)
        end++;
    *token = text + begin;
    return end - begin;
}

static void explain(const struct sample *s, const char *text, size_t at, const char *what)
{
    fail_msg("%s: byte %zu changed from 0x%02x to 0x%02x: %s", s->path, at,
             (unsigned char)s->text[at], (unsigned char)text[at], what);
}

static bool same_line(const struct sample *s, uint32_t i)
{
    const struct flat_line *a = &s->before.lines[i], *b = &s->after.lines[i];
    return a->end - a->name == b->end - b->name &&
           memcmp(s->before.text + a->name, s->after.text + b->name, a->end - a->name) == 0;
}

static void check_difference(struct sample *s, const char *text, size_t at, uint32_t line_index)
{
    const struct flat_line *line = &s->after.lines[line_index];
    const char *token;
    size_t length = token_at(text, s->size, at, &token);
    if (s->in_name[at])
        explain(s, text, at, "part of a name, but a value differs");
    if (line->number && (length != line->end - line->value ||
                         memcmp(token, s->after.text + line->value, length) != 0))
        explain(s, text, at, "a number reads as what is not written there");
    s->differing++;
}

static void check_change(struct sample *s, const char *text, size_t at)
{
    s->tried++;
    if (!read_text(text, s->size, 1, s->kind, &s->after))
        return;
    s->accepted++;
    if (s->before.count != s->after.count)
        explain(s, text, at, "there are more or fewer values");
    uint32_t differing = 0, last = 0;
    for (uint32_t i = 0; i < s->before.count; i++) {
        if (!same_line(s, i)) {
            differing++;
            last = i;
        }
    }
    /* the votes of another round are another round's, if the text says that it is under way */
    if (differing > 1 && strcmp(s->kind->name, "consensus_state") != 0)
        explain(s, text, at, "more than one value differs");
    if (differing == 1)
        check_difference(s, text, at, last);
}

/* --- what is changed --- */

static void mark_names(struct sample *s)
{
    bool inside = false;
    size_t begin = 0;
    for (size_t i = 0; i < s->size; i++) {
        if (s->text[i] == '\\' && inside) {
            i++;
        } else if (s->text[i] == '"' && !inside) {
            inside = true;
            begin = i;
        } else if (s->text[i] == '"') {
            inside = false;
            for (size_t at = begin; at <= i; at++)
                s->in_name[at] = i + 1 < s->size && s->text[i + 1] == ':';
        }
    }
}

static void change_byte(struct sample *s, char *text, size_t at, bool all)
{
    unsigned char was = (unsigned char)text[at];
    const unsigned char some[] = {(unsigned char)(was ^ 1),
                                  (unsigned char)(was ^ 0x20),
                                  (unsigned char)(was ^ 0x80),
                                  was == '9' ? '8' : (unsigned char)(was + 1),
                                  '0',
                                  '-',
                                  '"',
                                  '\\',
                                  '\0'};
    for (size_t i = 0; i < (all ? 256 : sizeof some); i++) {
        unsigned char byte = all ? (unsigned char)i : some[i];
        if (byte == was)
            continue;
        text[at] = (char)byte;
        check_change(s, text, at);
    }
    text[at] = (char)was;
}

/* The file's own id becomes 1, which is what read_text() asks for. */
static void set_id(struct sample *s)
{
    static const char *const ids[] = {"\"id\":-1,", "\"id\":7,", "\"id\":2,", "\"id\": 1,"};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        char *at = strstr(s->text, ids[i]);
        if (at == NULL)
            continue;
        size_t length = strlen(ids[i]);
        char text[16];
        (void)snprintf(text, sizeof text, "\"id\":%*s", (int)length - 5, "1,");
        memcpy(at, text, length);
    }
}

static void load(struct sample *s)
{
    FILE *file = fopen(s->path, "rb");
    if (file == NULL)
        fail_msg("%s: %s", s->path, strerror(errno));
    s->size = fread(s->text, 1, TEXT_MAX - 1, file);
    assert_true(s->size > 0 && s->size < TEXT_MAX - 1);
    (void)fclose(file);
    s->text[s->size] = '\0';
    set_id(s);
    mark_names(s);
}

/* Where white space ends the text, cutting that off changes nothing. */
static size_t last_byte(const struct sample *s)
{
    size_t size = s->size;
    while (size > 0 && strchr(" \n", s->text[size - 1]) != NULL)
        size--;
    return size;
}

static void check_sample(const char *path, const struct reply_kind *kind)
{
    struct sample *s = calloc(1, sizeof *s);
    bool all = getenv("STAGGER_REPLY_ALL") != NULL;
    assert_non_null(s);
    (void)snprintf(s->path, sizeof s->path, "%s", path);
    s->kind = kind;
    load(s);
    if (!read_text(s->text, s->size, 1, kind, &s->before))
        fail_msg("%s: is not read", path);
    for (size_t size = 0; size < last_byte(s); size++)
        assert_false(read_text(s->text, size, 1, kind, &s->after));
    char *text = malloc(s->size + 1);
    assert_non_null(text);
    memcpy(text, s->text, s->size + 1);
    for (size_t at = 0; at < s->size; at++)
        change_byte(s, text, at, all);
    assert_true(s->differing > 0 || s->before.count == 4); /* an empty abci_info has nothing */
    print_message("%s: %" PRIu64 " changes, %" PRIu64 " read, %" PRIu64 " with another value\n",
                  strrchr(path, '/') + 1, s->tried, s->accepted, s->differing);
    free(text);
    flat_free(&s->before);
    flat_free(&s->after);
    free(s);
}

/* --- the files --- */

static void test_own(void **state)
{
    const char *folder = STAGGER_SOURCE_DIR "/tests/data/replies";
    DIR *directory = opendir(folder);
    uint32_t count = 0;
    (void)state;
    assert_non_null(directory);
    for (struct dirent *file; (file = readdir(directory)) != NULL;) {
        const struct reply_kind *kind = reply_kind_of(file->d_name);
        char path[512];
        if (kind == NULL)
            continue;
        (void)snprintf(path, sizeof path, "%s/%.200s", folder, file->d_name);
        check_sample(path, kind);
        count++;
    }
    (void)closedir(directory);
    assert_true(count >= 24);
}

static const struct {
    const char *file, *kind;
} captured[] = {
    {"cometbft-0.37.4/abci_info.json", "abci_info"},
    {"cometbft-0.37.4/abci_query.json", "abci_query"},
    {"cometbft-0.37.4/block.json", "block"},
    {"cometbft-0.37.4/block_results.json", "block_results"},
    {"cometbft-0.37.4/broadcast_tx_sync.json", "broadcast_tx_sync"},
    {"cometbft-0.37.4/commit.json", "commit"},
    {"cometbft-0.37.4/consensus_state.json", "consensus_state"},
    {"cometbft-0.37.4/status.json", "status"},
    {"cometbft-0.37.4/tx.json", "tx"},
    {"cometbft-0.37.4/validators.json", "validators"},
    {"dcl-1.5.2/abci_query_current_plan.json", "abci_query"},
    {"dcl-1.5.2/abci_query_disabled.json", "abci_query"},
    {"dcl-1.5.2/abci_query_validators.json", "abci_query"},
    {"dcl-1.5.2/block_results_disable.json", "block_results"},
    {"dcl-1.5.2/disable_node_tx.json", "tx"},
    {"dcl-1.5.2/propose_upgrade_tx.json", "tx"},
    {"sekai-0.4.13/abci_query_account.json", "abci_query"},
    {"sekai-0.4.13/abci_query_all_execution_fees.json", "abci_query"},
    {"sekai-0.4.13/abci_query_balance.json", "abci_query"},
    {"sekai-0.4.13/abci_query_current_plan_none.json", "abci_query"},
    {"sekai-0.4.13/abci_query_network_properties.json", "abci_query"},
    {"sekai-0.4.13/abci_query_next_plan_none.json", "abci_query"},
    {"sekai-0.4.13/abci_query_poor_network_messages.json", "abci_query"},
    {"sekai-0.4.13/abci_query_signing_infos.json", "abci_query"},
    {"sekai-0.4.13/abci_query_unknown_path.json", "abci_query"},
    {"sekai-0.4.13/abci_query_validators.json", "abci_query"},
    {"sekai-0.4.13/block.json", "block"},
    {"sekai-0.4.13/block_results_pause.json", "block_results"},
    {"sekai-0.4.13/broadcast_tx_sync_bad_sequence.json", "broadcast_tx_sync"},
    {"sekai-0.4.13/broadcast_tx_sync_ok.json", "broadcast_tx_sync"},
    {"sekai-0.4.13/commit.json", "commit"},
    {"sekai-0.4.13/consensus_state.json", "consensus_state"},
    {"sekai-0.4.13/status.json", "status"},
    {"sekai-0.4.13/tx_pause.json", "tx"},
    {"sekai-0.4.13/validators.json", "validators"},
};

static void test_captured(void **state)
{
    const char *shared = getenv("STAGGER_SHARED");
    char path[512];
    (void)state;
    (void)snprintf(path, sizeof path, "%s/fixtures",
                   shared != NULL ? shared : STAGGER_SOURCE_DIR "/../shared");
    DIR *folder = opendir(path);
    if (folder == NULL)
        skip();
    (void)closedir(folder);
    for (size_t i = 0; i < sizeof captured / sizeof captured[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/fixtures/%s",
                       shared != NULL ? shared : STAGGER_SOURCE_DIR "/../shared", captured[i].file);
        check_sample(path, reply_kind_of(captured[i].kind));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own),
        cmocka_unit_test(test_captured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
