/* The table of states against the diagram: coord/README.md lists the moves in a fenced block between the
 * lines <!-- moves --> and <!-- /moves -->, one line a state, in the order of enum coord_state:
 *
 *     IDLE -> JOINING PAUSING SYNCING
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "coord/coord.h"

#define TEXT_MAX 65536
#define README "/coord/README.md"

static char readme[TEXT_MAX];

static void append(char *text, size_t size, const char *more)
{
    assert_true(strlen(text) + strlen(more) < size);
    strcat(text, more);
}

static void render_table(char *text, size_t size)
{
    text[0] = '\0';
    for (int from = 0; from < COORD_STATE_COUNT; from++) {
        append(text, size, coord_state_name((enum coord_state)from));
        append(text, size, " ->");
        for (int to = 0; to < COORD_STATE_COUNT; to++) {
            if (!coord_moves((enum coord_state)from, (enum coord_state)to))
                continue;
            append(text, size, " ");
            append(text, size, coord_state_name((enum coord_state)to));
        }
        append(text, size, "\n");
    }
}

static void read_readme(void)
{
    FILE *file = fopen(STAGGER_SOURCE_DIR README, "r");
    assert_non_null(file);
    size_t n = fread(readme, 1, sizeof readme - 1, file);
    assert_int_equal(fclose(file), 0);
    assert_true(n < sizeof readme - 1);
    readme[n] = '\0';
}

/* The text behind `mark`, which must stand there once; fails by name. */
static char *behind(char *text, const char *mark)
{
    char *found = strstr(text, mark);
    if (!found)
        print_error("coord/README.md: no line %s\n", mark);
    assert_non_null(found);
    return found + strlen(mark);
}

/* What stands in the fenced block between the two marks. */
static const char *listed_moves(void)
{
    read_readme();
    char *from = behind(readme, "<!-- moves -->\n");
    char *end = behind(from, "<!-- /moves -->") - strlen("<!-- /moves -->");
    *end = '\0';
    from = behind(behind(from, "```"), "\n");
    end = strstr(from, "```");
    assert_non_null(end);
    *end = '\0';
    return from;
}

static void the_diagram_lists_the_table(void **state)
{
    (void)state;
    char table[2048];
    render_table(table, sizeof table);
    const char *listed = listed_moves();
    if (strcmp(table, listed) != 0)
        print_error("the table is\n%sand coord/README.md has\n%s", table, listed);
    assert_string_equal(table, listed);
}

/* From IDLE every state can be reached, and from every state DONE. */
static void every_state_can_be_reached_and_left(void **state)
{
    (void)state;
    bool from_idle[COORD_STATE_COUNT] = {[COORD_IDLE] = true};
    bool to_done[COORD_STATE_COUNT] = {[COORD_DONE] = true};
    for (int round = 0; round < COORD_STATE_COUNT; round++)
        for (int a = 0; a < COORD_STATE_COUNT; a++)
            for (int b = 0; b < COORD_STATE_COUNT; b++) {
                bool moves = coord_moves((enum coord_state)a, (enum coord_state)b);
                from_idle[b] |= moves && from_idle[a];
                to_done[a] |= moves && to_done[b];
            }
    for (int s = 0; s < COORD_STATE_COUNT; s++) {
        assert_true(from_idle[s]);
        assert_true(to_done[s]);
    }
}

/* The node stops by way of LEFT only, and the turn is taken by way of PAUSED only. */
static void no_way_around_the_last_look(void **state)
{
    (void)state;
    for (int s = 0; s < COORD_STATE_COUNT; s++) {
        enum coord_state from = (enum coord_state)s;
        assert_false(coord_moves(from, from));
        assert_int_equal(coord_moves(from, COORD_OFFLINE), from == COORD_LEFT);
        assert_int_equal(coord_moves(from, COORD_LEFT), from == COORD_PAUSED);
        assert_int_equal(coord_moves(from, COORD_PAUSED), from == COORD_PAUSING);
        assert_int_equal(coord_moves(from, COORD_DONE), from == COORD_SETTLING);
    }
}

static void every_state_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int a = 0; a < COORD_STATE_COUNT; a++)
        for (int b = 0; b < a; b++)
            assert_string_not_equal(coord_state_name((enum coord_state)a),
                                    coord_state_name((enum coord_state)b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_diagram_lists_the_table),
        cmocka_unit_test(every_state_can_be_reached_and_left),
        cmocka_unit_test(no_way_around_the_last_look),
        cmocka_unit_test(every_state_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests_name("member_table", tests, NULL, NULL);
}
