#include "node/turns.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* --- numbers --- */

struct name {
    const char *moniker;
    const uint8_t *address;
    uint32_t validator;
};

static size_t digits(const char *text)
{
    size_t count = 0;
    while (isdigit((unsigned char)text[count]))
        count++;
    return count;
}

/* Two runs of digits by value, however long they are; moves both behind them. */
static int order_digits(const char **a, const char **b)
{
    while (**a == '0')
        (*a)++;
    while (**b == '0')
        (*b)++;
    size_t x = digits(*a), y = digits(*b);
    int order = x == y ? memcmp(*a, *b, x) : (x < y ? -1 : 1);
    *a += x;
    *b += y;
    return order;
}

/* As people count: runs of digits by their value. */
static int order_monikers(const char *a, const char *b)
{
    while (*a && *b) {
        int order = 0;
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            order = order_digits(&a, &b);
        } else {
            order = (unsigned char)*a - (unsigned char)*b;
            a++;
            b++;
        }
        if (order != 0)
            return order;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

static int order_names(const void *a, const void *b)
{
    const struct name *x = a, *y = b;
    if (!x->moniker != !y->moniker)
        return x->moniker ? -1 : 1;
    int order = x->moniker ? order_monikers(x->moniker, y->moniker) : 0;
    return order != 0 ? order : memcmp(x->address, y->address, ADDRESS_SIZE);
}

static void *need(void *memory)
{
    assert(memory); /* a command of its own: it has nothing to go on with */
    return memory;
}

uint32_t *turns_numbers(const struct feed *feed)
{
    const struct view *view = feed_view(feed);
    uint32_t count = view_count(view);
    struct name *names = need(calloc(count + 1, sizeof *names));
    uint32_t *numbers = need(calloc(count + 1, sizeof *numbers));
    for (uint32_t i = 0; i < count; i++) {
        const struct query_record *record = feed_validator(feed, i).record;
        names[i] =
            (struct name){record ? record->moniker : NULL, view_validator(view, i)->address, i};
    }
    qsort(names, count, sizeof *names, order_names);
    for (uint32_t i = 0; i < count; i++)
        numbers[names[i].validator] = i;
    free(names);
    return numbers;
}

/* --- a report --- */

/* A member's silence began behind its latest signature, as far back as the view remembers. */
static void find_silence(const struct view *view, uint32_t validator, struct turns_row *row)
{
    struct height h = view_head(view);
    while (view_pulse(view, h) && !view_signed(view, validator, h) &&
           view_head(view).n - h.n + 1 < VIEW_BLOCKS_KEPT)
        h = height_before(h, 1);
    const struct view_pulse *next = view_pulse(view, height_after(h, 1));
    if (!view_pulse(view, h) || !view_signed(view, validator, h) || !next)
        return;
    row->since = h; /* block h holds the signatures of h - 1: height h went unsigned */
    row->since_ms = next->time;
}

static void find_absence(const struct feed *feed, uint32_t validator, struct turns_row *row)
{
    const struct view *view = feed_view(feed);
    const struct feed_validator v = feed_validator(feed, validator);
    if (v.member && row->live)
        return;
    if (v.member && view_gone(view, validator)) {
        row->absence = TURNS_GOING;
        row->since = view_head(view);
        row->since_ms = view_pulse(view, view_head(view))->time;
    } else if (v.member) {
        row->absence = TURNS_SILENT;
        find_silence(view, validator, row);
    } else {
        bool paused = v.pause.n > 0 && v.pause.n + 2 == v.since.n;
        row->absence = paused ? TURNS_PAUSED : TURNS_LEFT;
        row->since = v.since;
        row->since_ms = paused ? v.pause_ms : v.since_ms;
    }
}

static void fill_row(const struct feed *feed, const struct draw *draw, uint32_t validator,
                     const char *prefix, struct turns_row *row)
{
    const struct view *view = feed_view(feed);
    const struct query_record *record = feed_validator(feed, validator).record;
    row->seen = *view_validator(view, validator);
    memcpy(row->address, row->seen.address, ADDRESS_SIZE);
    if (record) {
        snprintf(row->moniker, sizeof row->moniker, "%s", record->moniker);
        if (!bech32_encode(prefix, record->account, ACCOUNT_ADDRESS_SIZE, row->account))
            row->account[0] = '\0';
    }
    row->member = feed_validator(feed, validator).member;
    row->live = view_live(view, validator);
    row->power = row->seen.power;
    row->reason = view_reason(view, draw, validator, &row->rank);
    find_absence(feed, validator, row);
}

struct turns *turns_collect(const struct feed *feed, const struct draw *draw,
                            const uint32_t *numbers, const char *prefix)
{
    const struct view *view = feed_view(feed);
    struct turns *turns = need(calloc(1, sizeof *turns));
    *turns = (struct turns){
        .charter = *view_charter(view),
        .chain = view_chain(view),
        .draw = *draw,
        .count = view_count(view),
        .first = feed_first(feed, NULL),
        .complete_from = feed_complete_from(feed),
    };
    memcpy(turns->hash, view_pulse(view, draw->boundary)->hash, HASH_SIZE);
    turns->rows = need(calloc(turns->count + 1, sizeof *turns->rows));
    turns->order = need(calloc(draw->candidates + 1, sizeof *turns->order));
    for (uint32_t i = 0; i < turns->count; i++) {
        turns->rows[numbers[i]].number = numbers[i];
        fill_row(feed, draw, i, prefix, &turns->rows[numbers[i]]);
    }
    for (uint32_t r = 0; r < draw->candidates; r++)
        turns->order[r] = numbers[draw->order[r]];
    turns->draw.order = NULL;
    return turns;
}

void turns_destroy(struct turns **turns)
{
    if (!*turns)
        return;
    free((*turns)->rows);
    free((*turns)->order);
    free(*turns);
    *turns = NULL;
}

/* --- words --- */

struct turns_terms turns_terms(const struct charter *charter, const struct draw *draw)
{
    int64_t away = draw->members - draw->live + draw->reserve;
    return (struct turns_terms){
        .by_floor = draw->live - draw->floor - draw->reserve,
        .by_thirds = draw->members - 3 * away - 1,
        .ramp = charter->ramp ? charter->ramp_a + (int64_t)charter->ramp_b * draw->back - draw->out
                              : INT64_MAX,
    };
}

const char *turns_time(struct instant time, char text[TURNS_TIME_MAX])
{
    return utc_text(time.ms, text);
}

const char *turns_absence_word(enum turns_absence absence)
{
    static const char *const words[] = {"present", "paused", "left", "going", "silent"};
    assert((size_t)absence < sizeof words / sizeof *words);
    return words[absence];
}
