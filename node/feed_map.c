/* Accounts to validators, as of a place in the chain. The records are read at the head; a claim that is seen in a
 * block moves the beginning of its record there, and one of a record that is gone by now adds it. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/feed_internal.h"

static int order_rows(const void *a, const void *b)
{
    const struct map_row *x = a, *y = b;
    int order = memcmp(x->account, y->account, ACCOUNT_ADDRESS_SIZE);
    if (order != 0)
        return order;
    if (x->since != y->since)
        return x->since < y->since ? -1 : 1;
    return (x->since_index > y->since_index) - (x->since_index < y->since_index);
}

static struct map_row *add(struct map *map)
{
    if (map->count == map->room) {
        map->room = map->room ? 2 * map->room : 64;
        map->rows = feed_room(map->rows, map->room, sizeof *map->rows);
    }
    return &map->rows[map->count++];
}

static void sort(struct map *map)
{
    if (map->count > 0)
        qsort(map->rows, map->count, sizeof *map->rows, order_rows);
}

/* The first row of the account, or where it would stand. */
static uint32_t first_row(const struct map *map, const uint8_t account[ACCOUNT_ADDRESS_SIZE])
{
    uint32_t low = 0, high = map->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (memcmp(map->rows[middle].account, account, ACCOUNT_ADDRESS_SIZE) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool row_of(const struct map *map, uint32_t row, const uint8_t account[ACCOUNT_ADDRESS_SIZE])
{
    return row < map->count && memcmp(map->rows[row].account, account, ACCOUNT_ADDRESS_SIZE) == 0;
}

/* The row of this account and validator, or NULL. */
static struct map_row *find_row(struct map *map, const uint8_t account[ACCOUNT_ADDRESS_SIZE],
                                uint32_t validator)
{
    struct map_row *row = NULL;
    for (uint32_t i = first_row(map, account); row_of(map, i, account); i++)
        if (map->rows[i].validator == validator)
            row = &map->rows[i];
    return row;
}

void feed_map_refresh(struct feed *feed, struct height from)
{
    uint32_t sorted = feed->map.count;
    for (uint32_t i = 0; i < feed->config.record_count; i++) {
        const struct query_record *record = &feed->records[i];
        uint32_t validator = view_enrol(feed->view, record->consensus);
        if (validator == VALIDATOR_NONE)
            continue; /* such a validator cannot be a member either: sets would be refused */
        feed->record_of[validator] = i;
        struct map known = feed->map;
        known.count = sorted; /* what has just been added is in no order yet */
        if (find_row(&known, record->account, validator))
            continue;
        struct map_row *row = add(&feed->map);
        *row = (struct map_row){.validator = validator, .since = from.n};
        memcpy(row->account, record->account, ACCOUNT_ADDRESS_SIZE);
    }
    sort(&feed->map);
}

void feed_map_create(struct feed *feed)
{
    feed_map_refresh(feed, HEIGHT_NONE);
}

void feed_map_claim(struct feed *feed, const struct facts *facts, const struct deed *deed)
{
    /* KIRA makes the record at the end of the block, DCL within the transaction */
    bool at_once = feed->config.chain == CHAIN_DCL;
    struct map_row claimed = {
        .validator = view_enrol(feed->view, deed->consensus),
        .since = facts->height.n + !at_once,
        .since_index = at_once ? deed->index + 1 : 0,
        .claimed = true,
    };
    if (claimed.validator == VALIDATOR_NONE)
        return;
    memcpy(claimed.account, deed->who, ACCOUNT_ADDRESS_SIZE);
    struct map_row *row = find_row(&feed->map, deed->who, claimed.validator);
    if (row && row->claimed)
        return;
    *(row ? row : add(&feed->map)) = claimed;
    sort(&feed->map);
}

uint32_t feed_map_find(const struct map *map, const uint8_t account[ACCOUNT_ADDRESS_SIZE],
                       uint64_t height, uint32_t index)
{
    uint32_t found = VALIDATOR_NONE;
    for (uint32_t i = first_row(map, account); row_of(map, i, account); i++) {
        const struct map_row *row = &map->rows[i];
        if (row->since < height || (row->since == height && row->since_index <= index))
            found = row->validator;
    }
    return found;
}
