#define _POSIX_C_SOURCE 200809L

#include "sim/progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "sim/report_words.h"

#define BAR_WIDTH 30
#define DRAW_EVERY_MS 100
#define LABEL_MAX 32
#define COLUMNS_DEFAULT 80

struct progress {
    char label[LABEL_MAX];
    uint64_t total;
    int64_t started_ms, drawn_ms;
    bool drawn;
};

static int64_t now_ms(void)
{
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static unsigned terminal_columns(void)
{
    struct winsize size;
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : COLUMNS_DEFAULT;
}

/* The done part of `whole`; done <= total, total > 0. */
static uint64_t part_of(uint64_t whole, uint64_t done, uint64_t total)
{
    return (uint64_t)((double)whole * ((double)done / (double)total));
}

static size_t put_bar(char line[PROGRESS_LINE_MAX], const struct progress_state *state,
                      uint64_t done)
{
    char bar[BAR_WIDTH + 1], elapsed[WORDS_MAX], left[WORDS_MAX];
    uint64_t full = part_of(BAR_WIDTH, done, state->total);
    for (unsigned i = 0; i < BAR_WIDTH; i++) {
        bar[i] = i < full ? '#' : '-';
    }
    bar[BAR_WIDTH] = '\0';
    int length = snprintf(line, PROGRESS_LINE_MAX, "%.31s [%s] %3u%%  %s", state->label, bar,
                          (unsigned)part_of(100, done, state->total),
                          words_duration(elapsed, state->elapsed_ms / 1000 * 1000));
    if (done > 0 && done < state->total) {
        double rest = (double)(state->total - done) / (double)done;
        int64_t left_ms = words_ms((double)state->elapsed_ms * rest / 1000);
        length += snprintf(line + length, PROGRESS_LINE_MAX - (size_t)length, ", about %s left",
                           words_duration(left, left_ms));
    }
    return (size_t)length;
}

static size_t put_text(char line[PROGRESS_LINE_MAX], size_t length, const char *text)
{
    for (int i = 0; i < 2; i++) {
        line[length++] = ' ';
    }
    for (uint32_t point; (point = words_next(&text)) != 0 && length + 1 < PROGRESS_LINE_MAX;) {
        bool plain =
            point >= 0x20 && point < 0x7F; /* one column a byte, so that cutting is simple */
        line[length++] = plain ? (char)point : '?';
    }
    line[length] = '\0';
    return length;
}

size_t progress_line(char line[PROGRESS_LINE_MAX], const struct progress_state *state)
{
    char elapsed[WORDS_MAX];
    size_t length;
    if (state->total > 0) {
        length = put_bar(line, state, state->done < state->total ? state->done : state->total);
    } else {
        length = (size_t)snprintf(line, PROGRESS_LINE_MAX, "%.31s  %s", state->label,
                                  words_duration(elapsed, state->elapsed_ms / 1000 * 1000));
    }
    if (state->text != NULL && state->text[0] != '\0') {
        length = put_text(line, length, state->text);
    }
    size_t room = state->columns > 1 ? state->columns - 1 : 1; /* the last column would wrap */
    if (length > room) {
        length = room;
        line[length] = '\0';
    }
    return length;
}

struct progress *progress_create(const char *label, uint64_t total)
{
    if (!isatty(STDERR_FILENO)) {
        return NULL;
    }
    struct progress *progress = calloc(1, sizeof *progress);
    if (progress != NULL) {
        snprintf(progress->label, sizeof progress->label, "%.31s", label);
        progress->total = total;
        progress->started_ms = now_ms();
    }
    return progress;
}

void progress_step(struct progress *progress, uint64_t done, const char *text)
{
    if (progress == NULL) {
        return;
    }
    int64_t now = now_ms();
    if (progress->drawn && now - progress->drawn_ms < DRAW_EVERY_MS) {
        return;
    }
    struct progress_state state = {.label = progress->label,
                                   .text = text,
                                   .done = done,
                                   .total = progress->total,
                                   .elapsed_ms = now - progress->started_ms,
                                   .columns = terminal_columns()};
    char line[PROGRESS_LINE_MAX];
    progress_line(line, &state);
    fprintf(stderr, "\r\033[K%s", line);
    fflush(stderr);
    progress->drawn = true;
    progress->drawn_ms = now;
}

void progress_end(struct progress **progress)
{
    if (*progress == NULL) {
        return;
    }
    if ((*progress)->drawn) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    free(*progress);
    *progress = NULL;
}
