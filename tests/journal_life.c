#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/journal_life.h"

#define NOW ((struct instant){INT64_C(1700000000000)})

struct coord_memory life_memory_of(uint64_t number)
{
    return (struct coord_memory){
        .state = number % 2 ? COORD_PAUSING : COORD_JOINING,
        .errand = ERRAND_REBOOT,
        .flight = {.kind = number % 2 ? TX_PAUSE : TX_JOIN, .timeout = {number * 3}},
        .membership = {number},
        .expected_ms = (int64_t)number,
        .held = number % 3 == 0,
    };
}

static bool same_memory(const struct coord_memory *a, const struct coord_memory *b)
{
    return a->state == b->state && a->errand == b->errand && a->flight.kind == b->flight.kind &&
           a->flight.timeout.n == b->flight.timeout.n && a->membership.n == b->membership.n &&
           a->expected_ms == b->expected_ms && a->held == b->held && a->pause.n == b->pause.n;
}

static void sent_of(uint64_t number, uint8_t bytes[300], struct chain_sent *sent)
{
    for (size_t i = 0; i < 300; i++)
        bytes[i] = (uint8_t)(number * 7 + i);
    *sent = (struct chain_sent){.bytes = bytes, .size = 100 + number % 200, .sequence = number};
    memset(sent->hash, (int)number & 255, HASH_SIZE);
    sent->since = (int64_t)number;
    sent->timeout_height = number + 3;
    sent->account_number = 12;
    sent->fee = 100;
    sent->attempt = 1;
}

void life_begin(struct life *life, struct sim *sim)
{
    *life = (struct life){.sim = sim, .disk = sim_disk(sim), .policy = coord_policy_default()};
    life->config.charter = charter_default("story-1", 1, 6000);
    life->config.charter.round_blocks = 60;
    life->config.charter.reference_blocks = 120;
    charter_seal(&life->config.charter);
    life->config.capacity = LIFE_VALIDATORS;
    life->config.empty_blocks = true;
    coord_init(&life->core, &life->policy, 0);
}

void life_end(struct life *life)
{
    journal_close(&life->journal);
    view_destroy(&life->view);
}

void life_drop(struct life *life)
{
    life->sim->dead = true;
    life_end(life);
}

/* --- checks --- */

static void check_memory(struct life *life)
{
    const struct journal_found *found = &life->found;
    if (found->kind != JOURNAL_KEPT) {
        assert_int_equal(life->synced.memory, 0);
        life->appended.memory = 0;
        return;
    }
    uint64_t number = (uint64_t)found->memory.expected_ms;
    struct coord_memory expected = life_memory_of(number);
    assert_in_range(number, life->synced.memory, life->appended.memory);
    assert_true(same_memory(&found->memory, &expected));
    life->synced.memory = life->appended.memory = number;
}

static void check_sent(struct life *life)
{
    uint8_t bytes[300];
    struct chain_sent expected;
    const struct journal_found *found = &life->found;
    if (!found->sent) { /* even numbers say that there is none */
        bool none_appended = false;
        for (uint64_t n = life->synced.sent; n <= life->appended.sent; n++)
            none_appended |= n % 2 == 0;
        assert_true(none_appended);
        life->appended.sent += life->appended.sent % 2;
        life->synced.sent = life->appended.sent;
        return;
    }
    uint64_t number = found->flight.sequence;
    sent_of(number, bytes, &expected);
    assert_in_range(number, life->synced.sent, life->appended.sent);
    assert_int_equal(found->tx, TX_PAUSE);
    assert_int_equal(found->flight.size, expected.size);
    assert_memory_equal(found->flight.bytes, bytes, expected.size);
    assert_memory_equal(found->flight.hash, expected.hash, HASH_SIZE);
    assert_int_equal(found->flight.timeout_height, expected.timeout_height);
    life->synced.sent = life->appended.sent = number;
}

static void begin_view(struct life *life)
{
    struct view_change set[LIFE_VALIDATORS];
    life->view = view_create(&life->config);
    assert_non_null(life->view);
    for (uint32_t v = 0; v < LIFE_VALIDATORS; v++) {
        uint8_t address[ADDRESS_SIZE];
        memset(address, (int)v + 1, sizeof address);
        assert_int_equal(view_enrol(life->view, address), v);
        set[v] = (struct view_change){v, 1};
    }
    view_begin(life->view, height_at(1), height_at(1), set, LIFE_VALIDATORS);
    journal_append_begin(life->journal, &life->config, life->view, height_at(1), height_at(1), set,
                         LIFE_VALIDATORS);
    life->synced.block = life->appended.block = 0;
}

static void check_view(struct life *life)
{
    struct fault fault;
    if (!life->found.history) {
        assert_int_equal(life->synced.block, 0);
        begin_view(life);
        return;
    }
    assert_in_range(life->found.head.n, life->synced.block, life->appended.block);
    bool due = journal_results_due(life->journal);
    life->view = journal_view(life->journal, &life->config, &fault);
    assert_non_null(life->view);
    assert_int_equal(view_head(life->view).n, life->found.head.n);
    if (due) {
        view_results(life->view, NULL, 0);
        journal_append_results(life->journal, life->view, NULL, 0);
    }
    life->synced.block = life->appended.block = life->found.head.n;
}

bool life_open_expecting(struct life *life, enum coord_journal kind)
{
    struct fault fault = {""};
    if (!journal_open_on(&life->disk, LIFE_OWNER, NOW, &life->journal, &life->found, &fault)) {
        assert_true(fault.text[0] != '\0');
        return false;
    }
    if (kind == JOURNAL_DAMAGED) {
        assert_int_equal(life->found.kind, JOURNAL_DAMAGED);
        assert_false(life->found.sent || life->found.history);
        life->synced = life->appended = (struct life_marks){0};
    } else {
        if (life->found.kind == JOURNAL_DAMAGED)
            fail_msg("%s", life->found.text);
        check_memory(life);
        check_sent(life);
    }
    check_view(life);
    journal_append_core(life->journal, &life->core);
    return true;
}

bool life_open(struct life *life)
{
    return life_open_expecting(life, JOURNAL_KEPT);
}

/* --- steps --- */

void life_memory(struct life *life)
{
    struct coord_memory memory = life_memory_of(++life->appended.memory);
    journal_append_memory(life->journal, &memory);
}

void life_sent(struct life *life, bool none)
{
    uint8_t bytes[300];
    struct chain_sent sent;
    do
        life->appended.sent++;
    while (life->appended.sent % 2 == (none ? 1 : 0));
    sent_of(life->appended.sent, bytes, &sent);
    journal_append_sent(life->journal, TX_PAUSE, none ? NULL : &sent);
}

void life_block(struct life *life)
{
    uint8_t hash[HASH_SIZE];
    uint64_t height = view_head(life->view).n + 1;
    uint32_t missing = (uint32_t)(height % LIFE_VALIDATORS);
    struct view_tx tx = {.validator = missing, .kind = TX_JOIN, .class_minutes = 5};
    tx.charter = life->config.charter.id;
    tx.codespace = "";
    memset(hash, (int)height & 255, sizeof hash);
    struct view_block block = {.height = {height}, .hash = hash, .missing = &missing};
    block.time.ms = NOW.ms + (int64_t)height * 6000;
    block.missing_count = height % 3 == 0;
    block.txs = &tx;
    block.tx_count = height % 7 == 0;
    (void)view_block(life->view, &block);
    journal_append_block(life->journal, life->view, &block);
    view_results(life->view, &tx, block.tx_count);
    journal_append_results(life->journal, life->view, &tx, block.tx_count);
    life->appended.block = height;
}

bool life_sync(struct life *life)
{
    struct fault fault;
    if (!journal_sync(life->journal, &fault))
        return false;
    life->synced = life->appended;
    return true;
}

bool life_rotate(struct life *life)
{
    struct fault fault;
    struct life_marks all = life->appended;
    if (!journal_rotate(life->journal, life->view, &life->core, NOW, &fault))
        return false;
    life->synced = all;
    return true;
}

bool life_steps(struct life *life)
{
    for (int i = 0; i < 20; i++) {
        if (i % 5 == 1)
            life_memory(life);
        if (i % 5 == 2)
            life_sent(life, i % 2 == 0);
        life_block(life);
        if (i % 7 == 3)
            journal_append_note(life->journal, NOW, NOTE_REASON, "because of a new kernel");
        bool done = i % 3 == 0 ? life_sync(life) : i % 6 == 5 ? life_rotate(life) : true;
        if (!done)
            return false;
    }
    return true;
}
