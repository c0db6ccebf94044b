/* What one sees while it runs: a table that is drawn anew in a terminal, otherwise a line for each thing that happens. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sim/demo_internal.h"
#include "sim/report_words.h"

#define COLUMNS_MAX 200
#define COLUMNS_FALLBACK 80

static const char *phase_words(const struct demo *demo)
{
    static const char *const words[] = {
        [DEMO_NETWORK] = "the chain process starts",
        [DEMO_AGENTS] = "agents start their nodes",
        [DEMO_ASKING] = "every agent is told to reboot its node into " DEMO_VERSION_NEW,
        [DEMO_TURNS] = "they go in turns",
        [DEMO_OVER] = "over",
    };
    return words[demo->phase];
}

static const char *elapsed_text(const struct demo *demo, char text[WORDS_MAX])
{
    int64_t s = (demo_now_ms() - demo->start_ms) / 1000;
    (void)snprintf(text, WORDS_MAX, "%" PRId64 ":%02" PRId64, s / 60, s % 60);
    return text;
}

/* --- lines --- */

__attribute__((format(printf, 2, 3))) static void line(const struct demo *demo, const char *format,
                                                       ...)
{
    char elapsed[WORDS_MAX];
    va_list arguments;
    printf("%5s  ", elapsed_text(demo, elapsed));
    if (demo->judge && judge_head(demo->judge) > 0)
        printf("block %-4" PRId64 " live %u/%u floor %u  ", judge_head(demo->judge),
               judge_live(demo->judge), demo->count, judge_floor(demo->judge));
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

/* Who waits is told once, not at every draw. */
static bool is_news(const char *doing, const char *said)
{
    static const char waits[] = "waits";
    bool waits_on =
        strncmp(doing, waits, strlen(waits)) == 0 && strncmp(said, waits, strlen(waits)) == 0;
    return strcmp(doing, said) != 0 && !waits_on;
}

static void lines_put(struct demo *demo)
{
    char doing[DEMO_DOING_MAX];
    for (uint32_t i = 0; demo->judge && i < demo->count; i++) {
        struct demo_node *node = &demo->nodes[i];
        demo_doing(demo, i, doing);
        if (!is_news(doing, node->said))
            continue;
        memcpy(node->said, doing, sizeof node->said);
        if (doing[0])
            line(demo, "validator %u: %s", i, doing);
    }
    if (demo->phase != demo->phase_said)
        line(demo, "%s", phase_words(demo));
    demo->phase_said = demo->phase;
    fflush(stdout);
}

/* --- the table --- */

static uint32_t columns(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20)
        return COLUMNS_FALLBACK;
    return size.ws_col < COLUMNS_MAX ? size.ws_col : COLUMNS_MAX;
}

/* A row of the table, cut where the terminal ends: a line that is broken cannot be drawn over. */
__attribute__((format(printf, 2, 3))) static void row(struct demo *demo, const char *format, ...)
{
    char text[COLUMNS_MAX + 1];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    printf("\033[K%.*s\n", (int)columns() - 1, text);
    demo->lines++;
}

static void head_put(struct demo *demo)
{
    char elapsed[WORDS_MAX], bar[DEMO_VALIDATORS_MAX + 1];
    uint32_t live = demo->judge ? judge_live(demo->judge) : 0;
    uint32_t floor = demo->judge ? judge_floor(demo->judge) : 0;
    for (uint32_t i = 0; i < demo->count; i++)
        bar[i] = i < live ? '#' : i < floor ? '!' : '-';
    bar[demo->count] = '\0';
    row(demo, "stagger demo  %s  %s  block %" PRId64 "  %s", elapsed_text(demo, elapsed),
        demo->charter.chain_id, demo->judge ? judge_head(demo->judge) : 0, phase_words(demo));
    row(demo, "live %u of %u  [%s]  floor %u", live, demo->count, bar, floor);
    row(demo, "%s", "");
    row(demo, "%-9s  %-4s %-8s %-7s  %s", "validator", "set", "version", "height", "");
}

static void validator_put(struct demo *demo, uint32_t validator)
{
    const struct demo_node *node = &demo->nodes[validator];
    char doing[DEMO_DOING_MAX] = "", height[24] = "-";
    struct judge_turn turn = {.out = true};
    if (demo->judge) {
        demo_doing(demo, validator, doing);
        turn = judge_turn(demo->judge, validator);
    }
    if (node->height > 0)
        (void)snprintf(height, sizeof height, "%" PRId64, node->height);
    row(demo, "%-9u  %-4s %-8.8s %-7s  %s", validator, turn.out ? "out" : "in",
        node->pid == 0     ? "down"
        : node->version[0] ? node->version
                           : "starts",
        height, doing);
}

void demo_table(struct demo *demo)
{
    if (!demo->terminal) {
        lines_put(demo);
        return;
    }
    if (demo->lines > 0)
        printf("\033[%uA", demo->lines);
    demo->lines = 0;
    head_put(demo);
    for (uint32_t i = 0; i < demo->count; i++)
        validator_put(demo, i);
    printf("\033[J");
    fflush(stdout);
}

void demo_table_clear(struct demo *demo)
{
    if (demo->terminal && demo->lines > 0)
        putchar('\n');
    demo->lines = 0;
    fflush(stdout);
}
