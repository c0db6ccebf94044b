#include "tests/model/search_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN ((size_t)1 << 10)

static uint64_t stir(uint64_t x, uint64_t factor)
{
    x ^= x >> 32;
    x *= factor;
    x ^= x >> 29;
    return x * factor ^ x >> 31;
}

struct mark mark_begin(uint64_t about)
{
    return mark_add((struct mark){UINT64_C(0x243f6a8885a308d3), UINT64_C(0x13198a2e03707344)},
                    about);
}

struct mark mark_add(struct mark m, uint64_t number)
{
    m.a = stir(m.a + number, UINT64_C(0xd6e8feb86659fd93));
    m.b = stir((m.b << 7 | m.b >> 57) ^ number, UINT64_C(0xa0761d6478bd642f)) + m.a;
    return m;
}

struct mark mark_flags(struct mark m, const bool *flags, uint32_t count)
{
    uint64_t number = 0;
    for (uint32_t i = 0; i < count; i++)
        number = number << 1 | flags[i];
    return mark_add(m, number);
}

struct mark mark_join(struct mark m, struct mark other)
{
    return mark_add(mark_add(m, other.a), other.b);
}

bool mark_before(struct mark x, struct mark y)
{
    return x.a != y.a ? x.a < y.a : x.b < y.b;
}

static void fail(const char *what)
{
    fprintf(stderr, "search: %s\n", what);
    exit(3);
}

static void allocate(struct table *t, size_t slots)
{
    t->slots = slots;
    t->keys = calloc(slots, sizeof *t->keys);
    t->values = calloc(slots, sizeof *t->values);
    if (!t->keys || !t->values)
        fail("memory is short");
}

void table_open(struct table *table, size_t slots_max)
{
    *table = (struct table){.slots_max = slots_max};
    allocate(table, SLOTS_MIN);
}

void table_close(struct table *table)
{
    free(table->keys);
    free(table->values);
    *table = (struct table){0};
}

static size_t slot_of(const struct table *t, struct mark key)
{
    size_t at = (size_t)key.a & (t->slots - 1);
    while ((t->keys[at].a | t->keys[at].b) && (t->keys[at].a != key.a || t->keys[at].b != key.b))
        at = (at + 1) & (t->slots - 1);
    return at;
}

static void grow(struct table *t)
{
    struct table old = *t;
    if (t->slots >= t->slots_max)
        fail("a table is full: this world is too large for the memory that the search may take");
    allocate(t, 2 * old.slots);
    for (size_t i = 0; i < old.slots; i++) {
        if (!(old.keys[i].a | old.keys[i].b))
            continue;
        size_t at = slot_of(t, old.keys[i]);
        t->keys[at] = old.keys[i];
        t->values[at] = old.values[i];
    }
    free(old.keys);
    free(old.values);
}

uint32_t *table_at(struct table *table, struct mark key, uint32_t fresh, bool *is_new)
{
    if (4 * table->used >= 3 * table->slots)
        grow(table);
    key.a += !(key.a | key.b); /* {0, 0} stands for an empty slot */
    size_t at = slot_of(table, key);
    *is_new = !(table->keys[at].a | table->keys[at].b);
    if (*is_new) {
        table->keys[at] = key;
        table->values[at] = fresh;
        table->used++;
    }
    return &table->values[at];
}

void *pile_push(struct pile *pile, size_t size, size_t count)
{
    if (pile->count + count > pile->room) {
        size_t room = pile->room ? 2 * pile->room : 1024;
        while (room < pile->count + count)
            room *= 2;
        pile->items = realloc(pile->items, room * size);
        if (!pile->items)
            fail("memory is short");
        pile->room = room;
    }
    pile->size = size;
    pile->count += count;
    return (char *)pile->items + (pile->count - count) * size;
}

void pile_close(struct pile *pile)
{
    free(pile->items);
    *pile = (struct pile){0};
}
