/* Digests of 128 bits and an open table keyed by them: what the search has seen before.
 *
 * Two different states that share a digest would be taken for one. With 2^24 states the chance of one such
 * pair is below 2^-80. The mixing is not cryptographic and needs not be: nobody chooses the states.
 */
#ifndef STAGGER_TESTS_MODEL_SEARCH_TABLE_H
#define STAGGER_TESTS_MODEL_SEARCH_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mark {
    uint64_t a, b;
};

/* A fresh digest; one more number taken into it, up to 64 flags, a whole digest. Order counts. */
struct mark mark_begin(uint64_t about);
struct mark mark_add(struct mark m, uint64_t number);
struct mark mark_flags(struct mark m, const bool *flags, uint32_t count);
struct mark mark_join(struct mark m, struct mark other);
bool mark_before(struct mark x, struct mark y);

struct table {
    struct mark *keys; /* {0, 0}: empty */
    uint32_t *values;
    size_t slots, used, slots_max;
};

/* Grows by doubling up to `slots_max`, a power of two; ends the program when that is three quarters full. */
void table_open(struct table *table, size_t slots_max);
void table_close(struct table *table);

/* The value kept under the key; a new key is entered with the value `fresh`, and *is_new tells. */
uint32_t *table_at(struct table *table, struct mark key, uint32_t fresh, bool *is_new);

/* Memory that only grows, in one piece: `size` bytes an item. Ends the program when memory is short. */
struct pile {
    void *items;
    size_t size, count, room;
};
void *pile_push(struct pile *pile, size_t size, size_t count);
void pile_close(struct pile *pile);

#endif
