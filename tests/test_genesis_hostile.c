/* Genesis files that nobody should have to read: cut off, damaged, endless, too deep. Each gives an
 * error line or a genesis, in bounded memory and without reading on for nothing. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* fopencookie: files that are made while they are read */
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/genesis_text.h"

#define ROOM 128
#define MB ((size_t)1 << 20)

/* Whatever the text: a genesis that holds, or one line about it. */
static bool read_anyhow(const struct text *text)
{
    struct genesis genesis;
    char error[GENESIS_ERROR_MAX];
    bool read = sample_read(text, &genesis, error);
    if (read) {
        assert_true(genesis.record_count >= 1 && genesis.chain_id[0] != '\0');
        assert_true(genesis.initial_height >= 1);
        genesis_clear(&genesis);
    } else {
        assert_null(genesis.records);
        assert_int_equal(strncmp(error, "g.json: ", 8), 0);
        assert_ptr_equal(strchr(error, '\n'), NULL);
        assert_true(strlen(error) > 20);
    }
    return read;
}

static void truncations_check(const struct text *whole)
{
    assert_true(read_anyhow(whole));
    for (size_t size = 0; size < whole->size; size++) {
        /* a copy of just this size, so that reading behind it shows */
        struct text cut = {malloc(size + 1), size, size + 1};
        assert_non_null(cut.data);
        memcpy(cut.data, whole->data, size);
        cut.data[size] = '\0';
        assert_false(read_anyhow(&cut));
        text_clear(&cut);
    }
}

static void test_every_truncation(void **state)
{
    struct text full = sample_full(), small = sample_small(1);
    truncations_check(&full);
    truncations_check(&small);
    text_clear(&full);
    text_clear(&small);
    (void)state;
}

static void test_every_changed_byte(void **state)
{
    struct text text = sample_small(1);
    uint32_t read = 0;
    for (size_t i = 0; i < text.size; i++) {
        char was = text.data[i];
        for (int byte = 0; byte < 256; byte++) {
            text.data[i] = (char)byte;
            read += read_anyhow(&text) ? 1 : 0;
        }
        text.data[i] = was;
    }
    /* at least the original at every place, and other digits of the rank */
    assert_true(read > text.size);
    text_clear(&text);
    (void)state;
}

/* In the full sample one change a byte and class of characters: all of them would take minutes. */
static void test_changed_bytes_of_everything(void **state)
{
    static const char OTHERS[] = "\"{}[],:0-9eE+.\\ntx\x01\x7f\x80\xc3\xff";
    struct text text = sample_full();
    for (size_t i = 0; i < text.size; i++) {
        char was = text.data[i];
        for (const char *other = OTHERS; *other != '\0'; other++) {
            text.data[i] = *other;
            read_anyhow(&text);
        }
        text.data[i] = was;
    }
    text_clear(&text);
    (void)state;
}

static void test_brackets(void **state)
{
    static const char *const BEFORE[] = {"", "{\"a\":", "{\"app_state\":{\"customstaking\":"};
    for (size_t i = 0; i < sizeof(BEFORE) / sizeof(BEFORE[0]); i++) {
        struct text text = {0};
        text_add(&text, "%s%0*d", BEFORE[i], 200000, 0);
        memset(text.data + strlen(BEFORE[i]), '[', 200000);
        assert_false(read_anyhow(&text));
        text_clear(&text);
    }
    struct text objects = {0};
    for (int i = 0; i < 2000; i++) {
        text_add(&objects, "{\"app_state\":");
    }
    assert_false(read_anyhow(&objects));
    text_clear(&objects);
    (void)state;
}

static void test_allowed_depth(void **state)
{
    char error[GENESIS_ERROR_MAX];
    struct genesis genesis;
    for (int depth = 200; depth <= 300; depth += 100) {
        struct text text = sample_small(1);
        text.size--;
        text_add(&text, ",\"deep\":%0*d", depth, 0);
        memset(text.data + text.size - depth, '[', (size_t)depth);
        text_add(&text, "%0*d}", depth, 0);
        memset(text.data + text.size - depth - 1, ']', (size_t)depth);
        assert_int_equal(sample_read(&text, &genesis, error), depth == 200);
        if (depth == 200) {
            genesis_clear(&genesis);
        } else {
            assert_non_null(strstr(error, "nested deeper than 256 levels"));
        }
        text_clear(&text);
    }
    (void)state;
}

/* --- files without end --- */

/* before, then `piece` over and over up to `middle` bytes, then after. */
struct source {
    const char *before, *piece, *after;
    size_t middle, at, read;
};

static size_t source_size(const struct source *source)
{
    return strlen(source->before) + source->middle + strlen(source->after);
}

static char source_byte(const struct source *source, size_t at)
{
    size_t before = strlen(source->before);
    if (at < before) {
        return source->before[at];
    }
    at -= before;
    return at < source->middle ? source->piece[at % strlen(source->piece)]
                               : source->after[at - source->middle];
}

static ssize_t source_read(void *cookie, char *buffer, size_t size)
{
    struct source *source = cookie;
    size_t before = strlen(source->before), period = strlen(source->piece), got = 0;
    size_t end = source_size(source);
    while (got < size && source->at < end) {
        size_t left =
            source->at < before + source->middle ? before + source->middle - source->at : 0;
        size_t room = size - got, run = left < room ? left : room;
        if (source->at >= before && run >= period && (source->at - before) % period == 0) {
            memcpy(buffer + got, source->piece, period);
            got += period;
            source->at += period;
        } else {
            buffer[got++] = source_byte(source, source->at++);
        }
    }
    source->read += got;
    return (ssize_t)got;
}

static int source_seek(void *cookie, off64_t *offset, int whence)
{
    struct source *source = cookie;
    if (whence != SEEK_SET || *offset < 0 || (size_t)*offset > source_size(source)) {
        return -1;
    }
    source->at = (size_t)*offset;
    return 0;
}

static bool source_genesis(struct source *source, struct genesis *genesis,
                           char error[GENESIS_ERROR_MAX])
{
    FILE *file =
        fopencookie(source, "rb", (cookie_io_functions_t){source_read, NULL, source_seek, NULL});
    assert_non_null(file);
    bool read = genesis_read_file(file, "g.json", genesis, error);
    fclose(file);
    return read;
}

static void refused_early(struct source source, size_t most, const char *word)
{
    struct genesis genesis;
    char error[GENESIS_ERROR_MAX];
    assert_false(source_genesis(&source, &genesis, error));
    if (strstr(error, word) == NULL) {
        fail_msg("\"%s\" is not in: %s", word, error);
    }
    if (source.read > most) {
        fail_msg("read %zu bytes before: %s", source.read, error);
    }
}

static void test_noise_stops_early(void **state)
{
    static const size_t SIZE = 100 * MB, CHUNK = 65536 + 4096;
    refused_early((struct source){"", "no JSON at all ", "", SIZE, 0, 0}, CHUNK, "byte ");
    refused_early((struct source){"", "\x8f\x01\xc3", "", SIZE, 0, 0}, CHUNK, "byte ");
    refused_early((struct source){"", "[", "", SIZE, 0, 0}, CHUNK, "a list");
    refused_early((struct source){"[", "1,", "1]", SIZE, 0, 0}, CHUNK, "a list");
    refused_early((struct source){"{\"a\":[", "[", "", SIZE, 0, 0}, CHUNK, "256 levels");
    refused_early((struct source){"", " ", "{}", SIZE, 0, 0}, 18 * MB, "16 MB");
    refused_early((struct source){"{\"a\":\"", "b", "\"}", SIZE, 0, 0}, 18 * MB, "16 MB");
    refused_early((struct source){"{\"", "key", "\":1}", SIZE, 0, 0}, 18 * MB, "16 MB");
    refused_early((struct source){"{\"chain_id\":", "7", "}", SIZE, 0, 0}, 18 * MB, "16 MB");
    refused_early((struct source){"{\"chain_id\":\"", "7", "\"}", MB, 0, 0}, 2 * MB, "1 to 63");
    (void)state;
}

static size_t peak_kb(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return (size_t)usage.ru_maxrss;
}

/* Records of people who are no validators, before and behind those who are. */
static void test_large_file_in_little_memory(void **state)
{
    char address[PIECE_MAX];
    struct text before = {0}, piece = {0}, after = sample_small(2);
    text_add(&before, "{\"app_state\":{\"customgov\":{\"identity_records\":[");
    text_add(&piece,
             "{\"id\":\"7\",\"address\":\"%s\",\"key\":\"moniker\",\"value\":\"nobody at all\"},",
             sample_account("kira", 77, address));
    struct text behind =
        text_replaced(&after, "{\"chain_id\":\"small-1\",\"app_state\":{", "{}]},");
    behind.size -= 2;
    text_add(&behind, "},\"chain_id\":\"large-1\"}");
    size_t middle = 96 * MB / piece.size * piece.size, peak = peak_kb();
    struct source source = {before.data, piece.data, behind.data, middle, 0, 0};
    struct genesis genesis;
    char error[GENESIS_ERROR_MAX];
    if (!source_genesis(&source, &genesis, error)) {
        fail_msg("%s", error);
    }
    assert_int_equal(genesis.record_count, 2);
    assert_string_equal(genesis.chain_id, "large-1");
    genesis_clear(&genesis);
    assert_true(peak_kb() - peak < 32 * 1024);
    text_clear(&before);
    text_clear(&piece);
    text_clear(&behind);
    text_clear(&after);
    (void)state;
}

static int seek_refuse(void *cookie, off64_t *offset, int whence)
{
    (void)cookie;
    (void)offset;
    (void)whence;
    return -1;
}

static void test_file_that_cannot_be_rewound(void **state)
{
    struct text text = sample_small(1);
    struct source source = {text.data, " ", "", 0, 0, 0};
    struct genesis genesis;
    char error[GENESIS_ERROR_MAX];
    FILE *file =
        fopencookie(&source, "rb", (cookie_io_functions_t){source_read, NULL, seek_refuse, NULL});
    assert_non_null(file);
    assert_false(genesis_read_file(file, "g.json", &genesis, error));
    assert_non_null(strstr(error, "read twice"));
    fclose(file);
    text_clear(&text);
    (void)state;
}

/* --- files --- */

static void path_refused(const char *path, const char *word)
{
    struct genesis genesis;
    char error[GENESIS_ERROR_MAX];
    assert_false(genesis_read(path, &genesis, error));
    assert_null(genesis.records);
    assert_ptr_equal(strchr(error, '\n'), NULL);
    assert_int_equal(strncmp(error, path, strlen(path)), 0);
    assert_non_null(strstr(error, word));
}

static void test_no_files(void **state)
{
    char folder[] = "/tmp/test_genesis.XXXXXX", path[ROOM];
    assert_non_null(mkdtemp(folder));
    path_refused(folder, "a directory");
    snprintf(path, sizeof(path), "%s/file", folder);
    path_refused(path, "No such file");
    assert_int_equal(mkfifo(path, 0600), 0);
    path_refused(path, "no regular file");
    assert_int_equal(unlink(path), 0);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fclose(file);
    path_refused(path, "empty");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    path_refused("/dev/null", "no regular file");
    (void)state;
}

static void test_strange_file_name(void **state)
{
    struct genesis genesis;
    char error[GENESIS_ERROR_MAX], name[700];
    memset(name, 'n', sizeof(name));
    strcpy(name + sizeof(name) - 10, "end\n.json");
    struct text text = sample_full();
    text.size -= 1;
    FILE *file = fmemopen(text.data, text.size, "rb");
    assert_non_null(file);
    assert_false(genesis_read_file(file, name, &genesis, error));
    fclose(file);
    assert_int_equal(strncmp(error, "...nnn", 6), 0);
    assert_non_null(strstr(error, "end?.json: byte "));
    assert_non_null(strstr(error, "export the file again"));
    text_clear(&text);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_every_changed_byte),
        cmocka_unit_test(test_changed_bytes_of_everything),
        cmocka_unit_test(test_brackets),
        cmocka_unit_test(test_allowed_depth),
        cmocka_unit_test(test_noise_stops_early),
        cmocka_unit_test(test_large_file_in_little_memory),
        cmocka_unit_test(test_file_that_cannot_be_rewound),
        cmocka_unit_test(test_no_files),
        cmocka_unit_test(test_strange_file_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
