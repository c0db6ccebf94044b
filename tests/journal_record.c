#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/journal_record.h"

struct recorder recorder;

void __real_view_begin(struct view *view, struct height chain_first, struct height first,
                       const struct view_change *set, uint32_t count);
void __wrap_view_begin(struct view *view, struct height chain_first, struct height first,
                       const struct view_change *set, uint32_t count);
const struct draw *__real_view_block(struct view *view, const struct view_block *block);
const struct draw *__wrap_view_block(struct view *view, const struct view_block *block);
void __real_view_results(struct view *view, const struct view_tx *txs, uint32_t count);
void __wrap_view_results(struct view *view, const struct view_tx *txs, uint32_t count);
void __real_coord_init(struct coord *core, const struct coord_policy *policy, uint32_t self);
void __wrap_coord_init(struct coord *core, const struct coord_policy *policy, uint32_t self);
void __real_coord_step(struct coord *core, const struct coord_event *event,
                       struct coord_effects *effects);
void __wrap_coord_step(struct coord *core, const struct coord_event *event,
                       struct coord_effects *effects);

static struct view_config config_of(const struct view *view)
{
    return (struct view_config){
        .charter = *view_charter(view),
        .chain = view_chain(view),
        .empty_blocks = view_empty_blocks(view),
        .capacity = WORLD_MAX,
    };
}

void __wrap_view_begin(struct view *view, struct height chain_first, struct height first,
                       const struct view_change *set, uint32_t count)
{
    __real_view_begin(view, chain_first, first, set, count);
    if (!recorder.journal || recorder.view)
        return;
    struct view_config config = config_of(view);
    recorder.view = view;
    journal_append_begin(recorder.journal, &config, view, chain_first, first, set, count);
}

const struct draw *__wrap_view_block(struct view *view, const struct view_block *block)
{
    if (recorder.journal && recorder.view == view)
        journal_append_block(recorder.journal, view, block);
    return __real_view_block(view, block);
}

void __wrap_view_results(struct view *view, const struct view_tx *txs, uint32_t count)
{
    __real_view_results(view, txs, count);
    if (recorder.journal && recorder.view == view)
        journal_append_results(recorder.journal, view, txs, count);
}

void __wrap_coord_init(struct coord *core, const struct coord_policy *policy, uint32_t self)
{
    __real_coord_init(core, policy, self);
    if (recorder.journal)
        journal_append_core(recorder.journal, core);
}

static void falsify(struct coord_effects *effects)
{
    if (!recorder.falsify_say && effects->count == 0)
        effects->list[effects->count++] = (struct coord_effect){.kind = EFFECT_ANNOUNCE};
    else if (!recorder.falsify_say)
        effects->count--;
    for (uint32_t i = 0; recorder.falsify_say && i < effects->count; i++)
        effects->list[i].say.number[0] += effects->list[i].kind == EFFECT_SAY;
}

/* The bytes of a transaction that is no real one, as the chain driver's persist hook would hand them over. */
static void record_send(const struct coord_effect *effect, struct height head)
{
    uint8_t bytes[200];
    struct chain_sent sent = {.bytes = bytes, .size = sizeof bytes, .since = (int64_t)head.n};
    memset(bytes, (int)effect->send.tx, sizeof bytes);
    memset(sent.hash, (int)head.n & 255, HASH_SIZE);
    sent.timeout_height = effect->send.timeout.n;
    sent.attempt = 1;
    journal_append_sent(recorder.journal, effect->send.tx, &sent);
}

static void record_step(const struct coord *core, const struct coord_event *event,
                        const struct coord_effects *effects)
{
    struct coord_effects as_told = *effects;
    if (event->view != recorder.view) { /* the charter has changed */
        struct view_config config = config_of(event->view);
        recorder.view = event->view;
        journal_append_config(recorder.journal, &config);
    }
    if (++recorder.events == recorder.falsify)
        falsify(&as_told);
    journal_append_event(recorder.journal, core, event, &as_told);
    if (effects->count == 0 || effects->list[0].kind != EFFECT_PERSIST)
        return;
    struct fault fault;
    journal_append_memory(recorder.journal, coord_memory(core));
    assert_true(journal_sync(recorder.journal, &fault));
    recorder.syncs++;
    for (uint32_t i = 0; i < effects->count; i++)
        if (effects->list[i].kind == EFFECT_SEND)
            record_send(&effects->list[i], core->head);
    if (event->kind == EVENT_INCLUDED)
        journal_append_sent(recorder.journal, TX_OTHER, NULL);
    assert_true(journal_sync(recorder.journal, &fault));
}

void __wrap_coord_step(struct coord *core, const struct coord_event *event,
                       struct coord_effects *effects)
{
    enum coord_state before = coord_memory(core)->state;
    struct fault fault;
    __real_coord_step(core, event, effects);
    if (!recorder.journal)
        return;
    record_step(core, event, effects);
    if (recorder.rotate_at_turns && before != coord_memory(core)->state)
        assert_true(journal_rotate(recorder.journal, recorder.view, core, event->now, &fault));
}

void record_open(const struct journal_disk *disk, int64_t now_ms)
{
    struct fault fault = {""};
    const struct view *view = recorder.view;
    assert_null(recorder.journal);
    if (!journal_open_on(disk, RECORD_OWNER, (struct instant){now_ms}, &recorder.journal,
                         &recorder.found, &fault))
        fail_msg("%s", fault.text);
    recorder.view = recorder.found.history ? view : NULL;
}

void record_close(void)
{
    journal_close(&recorder.journal);
}

void record_turn(struct member_world *w, const struct journal_disk *disk)
{
    record_open(disk, WORLD_START_MS);
    world_open(w, NULL);
    world_second_charter(w, 2);
    world_start(w, JOURNAL_NONE);
    world_to(w, 4);
    journal_append_note(recorder.journal, w->now, NOTE_REASON, "new kernel");
    world_join(w, 3, 20);
    world_command(w, COMMAND_REBOOT, WORLD_WORK_MS);
    world_until(w, COORD_WAITING);
    world_change_charter(w);
    world_fail_step(w, STEP_REINIT, 1);
    world_until(w, COORD_OFFLINE);
    world_wait(w, 2 * w->setup.policy.retry_ms);
    world_until(w, COORD_SYNCING);
    world_kill(w);
    record_close();
    record_open(disk, w->now.ms);
    assert_int_equal(recorder.found.kind, JOURNAL_KEPT);
    assert_int_equal(recorder.found.memory.state, w->journal.state);
    assert_string_equal(recorder.found.reason, "new kernel");
    world_start(w, JOURNAL_KEPT);
    world_until(w, COORD_DONE);
    world_blocks(w, 5);
}
