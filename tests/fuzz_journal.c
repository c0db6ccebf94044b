/* Fuzzing what reads a journal: opening it, its blocks as a view, writing it anew, replay.
 *
 * The first byte says what the rest is: 'f' a file as it is; 'r' records, whose places and checks are made right here,
 * so that their content is reached:
 *
 *     type, size (two bytes, little-endian), content ...
 *
 * Whatever is read, no agent is told a memory that the core would not take, and once opened it can be opened again with
 * the same memory. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/journal_internal.h"
#include "node/journal_replay.h"
#include "tests/journal_sim.h"

#define OWNER "fuzz"
#define FILE_MAX 262144

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sim sim;
static uint8_t file[FILE_MAX];

static void make_head(struct digest *digest)
{
    memset(file, 0, JOURNAL_RECORDS);
    memcpy(file, JOURNAL_MAGIC, 16);
    journal_put(file + 16, 4, JOURNAL_VERSION);
    journal_put(file + 20, 4, strlen(OWNER));
    journal_put(file + 24, 8, 1);
    memcpy(file + 32, OWNER, strlen(OWNER));
    journal_put(file + JOURNAL_HEAD_CHECKED, 8, journal_head_check(digest, file));
}

static size_t make_records(struct digest *digest, const uint8_t *data, size_t size)
{
    size_t at = JOURNAL_RECORDS;
    uint64_t previous = 1;
    while (size >= 3) {
        size_t length = journal_get(data + 1, 2);
        length = length < size - 3 ? length : size - 3;
        uint8_t *head = file + at;
        if (at + JOURNAL_RECORD_HEAD + length > FILE_MAX)
            break;
        head[0] = JOURNAL_MARKER;
        head[1] = data[0];
        journal_put(head + 2, 2, 1);
        journal_put(head + 4, 4, length);
        journal_put(head + 8, 8, previous);
        memcpy(head + JOURNAL_RECORD_HEAD, data + 3, length);
        previous = journal_check(digest, 1, at, head, 16, head + JOURNAL_RECORD_HEAD, length);
        journal_put(head + 16, 8, previous);
        at += JOURNAL_RECORD_HEAD + length;
        data += 3 + length;
        size -= 3 + length;
    }
    return at;
}

static size_t make_file(const uint8_t *data, size_t size)
{
    struct digest *digest = digest_create();
    assert(digest);
    make_head(digest);
    size_t end = make_records(digest, data, size);
    digest_destroy(&digest);
    return end;
}

static struct journal *open_journal(const struct journal_disk *disk, struct journal_found *found)
{
    struct journal *journal;
    struct fault fault = {""};
    if (!journal_open_on(disk, OWNER, (struct instant){1}, &journal, found, &fault)) {
        assert(fault.text[0] != '\0');
        return NULL;
    }
    assert(found->kind != JOURNAL_KEPT || coord_memory_valid(&found->memory));
    assert(found->kind != JOURNAL_DAMAGED || !found->sent);
    return journal;
}

static void use(struct journal *journal, const struct journal_found *found)
{
    struct fault fault = {""};
    struct coord_policy policy = coord_policy_default();
    struct coord core;
    coord_init(&core, &policy, 0);
    if (!found->history)
        return;
    struct view *view =
        journal->configured ? journal_view(journal, &journal->config, &fault) : NULL;
    if (view)
        assert(view_head(view).n == found->head.n);
    if (view && !journal_rotate(journal, view, &core, (struct instant){2}, &fault))
        assert(fault.text[0] != '\0');
    view_destroy(&view);
}

static void open_twice(const struct journal_disk *disk)
{
    struct journal_found first, second;
    struct journal *journal = open_journal(disk, &first);
    if (!journal)
        return;
    struct coord_memory memory = first.memory;
    bool sent = first.sent;
    use(journal, &first);
    journal_close(&journal);
    journal = open_journal(disk, &second);
    assert(journal && second.kind == first.kind && second.sent == sent);
    if (first.kind == JOURNAL_KEPT)
        assert(second.memory.state == memory.state &&
               second.memory.expected_ms == memory.expected_ms);
    journal_close(&journal);
}

static void ignore_step(void *owner, const struct replay_step *step)
{
    char text[300];
    (void)owner;
    for (uint32_t i = 0; i < step->effects->count; i++)
        if (step->effects->list[i].kind == EFFECT_SAY)
            assert(coord_sentence(&step->effects->list[i].say, text, sizeof text)[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    sim_open(&sim, 1);
    if (data[0] == 'r') {
        size_t end = make_file(data + 1, size - 1);
        sim_put(&sim, JOURNAL_NAME, file, end);
    } else {
        sim_put(&sim, JOURNAL_NAME, data + 1, size - 1);
    }
    const struct journal_disk disk = sim_disk(&sim);
    struct replay_result result;
    const struct replay_listener listener = {.stepped = ignore_step};
    journal_replay(&disk, JOURNAL_NAME, &listener, &result);
    assert(result.verdict == REPLAY_SAME || result.fault.text[0] != '\0');
    open_twice(&disk);
    sim_close(&sim);
    return 0;
}
