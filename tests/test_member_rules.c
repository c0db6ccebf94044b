/* Every reason for doing nothing: each is the answer in some scene, and each has a code and a sentence of
 * its own. A reason that is new in coord.h has to be added here, or the test says its name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/member_world.h"

static struct member_world world;

static int end(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

/* --- scenes: what must be so that the answer is that reason --- */

/* Block 6, a boundary whose draw gave validator 1 a permit; nothing stands against us. */
static void look_at(struct member_world *w, const struct world_setup *setup)
{
    world_begin(w, setup);
    world_join(w, 1, 5);
    world_to(w, 6);
}

static void usual(struct member_world *w)
{
    look_at(w, NULL);
}

static void held(struct member_world *w)
{
    usual(w);
    world_command(w, COMMAND_HOLD, 0);
}

static void frozen(struct member_world *w)
{
    usual(w);
    for (uint32_t v = 2; v <= 3; v++)
        world_join(w, v, 1);
    world_to(w, 7);
    for (uint32_t v = 2; v <= 3; v++)
        world_tx(w, v, TX_PAUSE, 0);
    world_to(w, 10);
    world_join(w, 1, 5);
    world_to(w, 11);
    w->block_ms = 10 * MINUTE_MS;
    world_to(w, 12);
}

static void recovering(struct member_world *w)
{
    usual(w);
    world_kill(w);
    w->manual = true;
    world_start(w, JOURNAL_KEPT);
    world_join(w, 1, 5);
    world_block(w);
    world_join(w, 1, 5);
    world_to(w, 9);
}

static void store_broken(struct member_world *w)
{
    usual(w);
    world_event(w, (struct coord_event){.kind = EVENT_STORE});
}

static void catching_up(struct member_world *w)
{
    usual(w);
    w->node.catching_up = true;
    world_tell_node(w);
}

static void other_key(struct member_world *w)
{
    usual(w);
    w->node.foreign_key = true;
    world_tell_node(w);
}

static void history_missing(struct member_world *w)
{
    world_open(w, NULL);
    world_begin_late(w, 4000);
    world_start(w, JOURNAL_KEPT);
    world_to(w, 4003);
    world_join(w, 1, 5);
    world_to(w, 4005);
}

static void not_a_member(struct member_world *w)
{
    world_begin(w, NULL);
    world_join(w, 1, 5);
    world_put(w, US, false);
    world_to(w, 6);
}

static void no_yes_vote(struct member_world *w)
{
    usual(w);
    world_plan(w, 600 * MINUTE_MS, false);
}

static void window_closed(struct member_world *w)
{
    usual(w);
    world_plan(w, MINUTE_MS, true);
}

static void outside_hours(struct member_world *w)
{
    struct world_setup setup = world_usual();
    setup.policy.hours_from_min = 600;
    setup.policy.hours_to_min = 660;
    look_at(w, &setup);
}

static void no_funds(struct member_world *w)
{
    usual(w);
    w->self.funded = false;
    world_tell_self(w);
}

static void foreign_half(struct member_world *w)
{
    world_begin(w, NULL);
    for (uint32_t v = 5; v < 10; v++)
        world_foreign_join(w, v);
    world_to(w, 6);
}

static void joins_exhausted(struct member_world *w)
{
    world_begin(w, NULL);
    for (uint32_t i = 0; i < 8; i++)
        world_join(w, US, 5);
    world_to(w, 6);
}

static void own_floor(struct member_world *w)
{
    struct world_setup setup = world_usual();
    setup.policy.own_floor = 10;
    look_at(w, &setup);
}

static void own_cap(struct member_world *w)
{
    struct world_setup setup = world_usual();
    setup.policy.max_offline = 1;
    world_begin(w, &setup);
    world_put(w, 9, false);
    world_join(w, 1, 5);
    world_to(w, 6);
}

/* Work of 61 s makes a class of which we use little; an epoch of 7 leaves time to stand back. */
static void shorter_than_its_class(struct member_world *w)
{
    struct world_setup setup = world_usual();
    setup.epoch_blocks = 7;
    world_begin(w, &setup);
    world_to(w, 7);
    w->core.memory.expected_ms = MINUTE_MS + 1000;
}

static void spacing(struct member_world *w)
{
    usual(w);
    w->core.memory.membership = w->core.head;
}

static void silent_after_the_boundary(struct member_world *w)
{
    struct world_setup setup = world_usual();
    setup.rare_blocks = true;
    look_at(w, &setup);
    for (uint32_t v = 5; v < 10; v++)
        w->silent[v] = true;
    world_to(w, 7);
}

static void tell_peers(struct member_world *w, struct coord_peers peers)
{
    struct world_setup setup = world_usual();
    setup.policy.failures_max = 1;
    setup.policy.domain_max = 1;
    look_at(w, &setup);
    world_event(w, (struct coord_event){.kind = EVENT_PEERS, .peers = peers});
}

static void peers_ahead(struct member_world *w)
{
    tell_peers(w, (struct coord_peers){.head = {12}});
}

static void peers_in_conflict(struct member_world *w)
{
    tell_peers(w, (struct coord_peers){.conflict = true});
}

static void peers_failed(struct member_world *w)
{
    tell_peers(w, (struct coord_peers){.failures = 1});
}

static void domain_out(struct member_world *w)
{
    tell_peers(w, (struct coord_peers){.domain_out = 1});
}

static void put_out(struct member_world *w, enum coord_status status)
{
    usual(w);
    w->self.status = status;
    world_put(w, US, false);
    world_to(w, 12);
}

static void jailed(struct member_world *w)
{
    put_out(w, COORD_JAILED);
}

static void paused_by_hand(struct member_world *w)
{
    put_out(w, COORD_IS_PAUSED);
}

static void disabled_by_trustees(struct member_world *w)
{
    world_open(w, NULL);
    w->self.by_trustees = true;
    world_start(w, JOURNAL_KEPT);
    world_put(w, US, false);
    world_to(w, 8);
}

static void last_member(struct member_world *w)
{
    world_begin(w, NULL);
    for (uint32_t v = 1; v < 10; v++)
        world_put(w, v, false);
    world_to(w, 8);
    world_command(w, COMMAND_FORCE, WORLD_WORK_MS);
}

static void busy(struct member_world *w)
{
    world_begin_turn(w, COORD_PAUSED);
    world_command(w, COMMAND_PAUSE, WORLD_WORK_MS);
}

static void nothing_to_unpause(struct member_world *w)
{
    usual(w);
    world_command(w, COMMAND_UNPAUSE, 0);
}

/* --- who asks, and what the answer is --- */

enum {
    JOIN = 1,  /* coord_may_join() gives the reason */
    PAUSE = 2, /* coord_may_pause() does, for the first place in the latest draw */
    SAID = 4,  /* the agent has said it */
};

static const struct {
    enum coord_reason reason;
    void (*scene)(struct member_world *w);
    unsigned ask;
} cases[] = {
    {REASON_NONE, usual, JOIN | PAUSE},
    {REASON_HOLD, held, JOIN | PAUSE},
    {REASON_FROZEN, frozen, JOIN | PAUSE},
    {REASON_RECOVERING, recovering, JOIN | PAUSE},
    {REASON_STORE, store_broken, JOIN | PAUSE},
    {REASON_CATCHING_UP, catching_up, JOIN | PAUSE},
    {REASON_CATCHING_UP, other_key, JOIN | PAUSE},
    {REASON_HISTORY, history_missing, JOIN | PAUSE},
    {REASON_NOT_MEMBER, not_a_member, JOIN | PAUSE},
    {REASON_NO_YES_VOTE, no_yes_vote, JOIN | PAUSE},
    {REASON_WINDOW, window_closed, JOIN | PAUSE},
    {REASON_HOURS, outside_hours, JOIN | PAUSE},
    {REASON_FUNDS, no_funds, JOIN},
    {REASON_FOREIGN_HALF, foreign_half, JOIN},
    {REASON_JOINS_EXHAUSTED, joins_exhausted, JOIN},
    {REASON_OWN_FLOOR, own_floor, PAUSE},
    {REASON_WOULD_WITHHOLD, own_floor, JOIN},
    {REASON_OWN_CAP, own_cap, PAUSE},
    {REASON_WOULD_WITHHOLD, own_cap, JOIN},
    {REASON_STAND_BACK, shorter_than_its_class, JOIN},
    {REASON_SPACING, spacing, PAUSE},
    {REASON_RECHECK, silent_after_the_boundary, PAUSE},
    {REASON_PEERS_AHEAD, peers_ahead, JOIN | PAUSE},
    {REASON_PEERS_CONFLICT, peers_in_conflict, JOIN | PAUSE},
    {REASON_PEERS_FAILED, peers_failed, JOIN | PAUSE},
    {REASON_DOMAIN, domain_out, JOIN | PAUSE},
    {REASON_JAILED, jailed, SAID},
    {REASON_TRUSTEES, disabled_by_trustees, SAID},
    {REASON_BY_HAND, paused_by_hand, SAID},
    {REASON_LAST_MEMBER, last_member, SAID},
    {REASON_BUSY, busy, SAID},
    {REASON_NOT_PAUSED, nothing_to_unpause, SAID},
};

static const struct {
    enum coord_reason reason;
    const char *why;
} unreached[] = {
    {REASON_NO_PERMIT, "the draw's own answer, told by view_reason(): for `ok-to-stop` to print"},
};

static void same_reason(enum coord_reason is, enum coord_reason wanted, const char *what)
{
    if (is != wanted)
        print_error("%s: %s, not %s\n", what, coord_reason_code(is), coord_reason_code(wanted));
    assert_int_equal(is, wanted);
}

static void every_scene_gives_its_reason(void **state)
{
    (void)state;
    struct member_world *w = &world;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum coord_reason reason = cases[i].reason;
        cases[i].scene(w);
        if (w->core.memory.expected_ms == 0)
            w->core.memory.expected_ms = WORLD_WORK_MS;
        const struct draw *d = view_draw(w->view, charter_boundary(&w->charter, w->core.head));
        if (cases[i].ask & JOIN)
            same_reason(coord_may_join(&w->core, w->view), reason, "may_join");
        if ((cases[i].ask & PAUSE) && !(d && d->permits > 0))
            print_error("no permit to ask about: %s\n", coord_reason_code(reason));
        assert_true(!(cases[i].ask & PAUSE) || (d && d->permits > 0));
        if (cases[i].ask & PAUSE)
            same_reason(coord_may_pause(&w->core, w->view, d, 0), reason, "may_pause");
        if ((cases[i].ask & SAID) && !w->given[reason])
            print_error("never said: %s\n", coord_reason_code(reason));
        assert_true(!(cases[i].ask & SAID) || w->given[reason]);
    }
}

static void every_reason_is_reached_or_excused(void **state)
{
    (void)state;
    bool covered[REASON_COUNT] = {false};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        covered[cases[i].reason] = true;
    for (size_t i = 0; i < sizeof unreached / sizeof *unreached; i++) {
        assert_false(covered[unreached[i].reason]);
        assert_true(strlen(unreached[i].why) > 0);
        covered[unreached[i].reason] = true;
    }
    for (int r = 0; r < REASON_COUNT; r++) {
        if (!covered[r])
            print_error("no scene for %s\n", coord_reason_code((enum coord_reason)r));
        assert_true(covered[r]);
    }
}

static void every_reason_has_words_of_its_own(void **state)
{
    (void)state;
    for (int r = 0; r < REASON_COUNT; r++) {
        const char *code = coord_reason_code((enum coord_reason)r);
        const char *sentence = coord_reason_sentence((enum coord_reason)r);
        assert_non_null(code);
        assert_non_null(sentence);
        assert_true(strlen(code) > 0 && strlen(sentence) > 15);
        assert_int_equal(strspn(code, "abcdefghijklmnopqrstuvwxyz-"), strlen(code));
        for (int other = 0; other < r; other++) {
            assert_string_not_equal(code, coord_reason_code((enum coord_reason)other));
            assert_string_not_equal(sentence, coord_reason_sentence((enum coord_reason)other));
        }
    }
}

/* Whoever asks for a refusal gets the one that only others can lift before those that time lifts. */
static void the_operators_word_comes_first(void **state)
{
    (void)state;
    struct member_world *w = &world;
    no_yes_vote(w);
    same_reason(coord_may_join(&w->core, w->view), REASON_NO_YES_VOTE, "may_join");
    world_event(w, (struct coord_event){.kind = EVENT_STORE});
    same_reason(coord_may_join(&w->core, w->view), REASON_STORE, "may_join");
    world_command(w, COMMAND_HOLD, 0);
    same_reason(coord_may_join(&w->core, w->view), REASON_HOLD, "may_join");
}

/* A class is whole minutes, rounded up, from 1 to 240, and grows with the work. */
static void classes(void **state)
{
    (void)state;
    assert_int_equal(coord_class(0, WORLD_BLOCK_MS), 1);
    assert_int_equal(coord_class(WORLD_WORK_MS, WORLD_BLOCK_MS), 1);
    assert_int_equal(coord_class(INT64_C(86400000), WORLD_BLOCK_MS), 240);
    uint32_t last = 0;
    for (int64_t ms = 0; ms < 300 * MINUTE_MS; ms += 7000) {
        uint32_t minutes = coord_class(ms, WORLD_BLOCK_MS);
        assert_in_range(minutes, 1, 240);
        assert_true(minutes >= last);
        assert_true(minutes == 240 || minutes * MINUTE_MS > ms);
        last = minutes;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_scene_gives_its_reason, end),
        cmocka_unit_test_teardown(every_reason_is_reached_or_excused, end),
        cmocka_unit_test_teardown(every_reason_has_words_of_its_own, end),
        cmocka_unit_test_teardown(the_operators_word_comes_first, end),
        cmocka_unit_test_teardown(classes, end),
    };
    return cmocka_run_group_tests_name("member_rules", tests, NULL, NULL);
}
