/* The event queue: what happens next, ties in the order in which they were put in. A binary heap. */
#ifndef STAGGER_SIM_QUEUE_H
#define STAGGER_SIM_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

struct happening {
    int64_t at_ms;
    uint64_t order; /* set by queue_put(): first come, first served among equals */
    uint32_t kind;  /* the owner's */
    uint32_t who;
    uint64_t what;
};

struct queue {
    struct happening *heap;
    uint32_t count, room;
    uint64_t puts;
};

void queue_put(struct queue *queue, int64_t at_ms, uint32_t kind, uint32_t who, uint64_t what);
bool queue_take(struct queue *queue, struct happening *next); /* false: empty */
void queue_clear(struct queue *queue);

#endif
