#include "sim/queue.h"

#include <assert.h>
#include <stdlib.h>

static bool before(const struct happening *a, const struct happening *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void grow(struct queue *q)
{
    q->room = q->room ? 2 * q->room : 256;
    q->heap = realloc(q->heap, q->room * sizeof *q->heap);
    assert(q->heap);
}

void queue_put(struct queue *q, int64_t at_ms, uint32_t kind, uint32_t who, uint64_t what)
{
    struct happening h = {at_ms, q->puts++, kind, who, what};
    if (q->count == q->room)
        grow(q);
    uint32_t at = q->count++;
    for (; at > 0 && before(&h, &q->heap[(at - 1) / 2]); at = (at - 1) / 2)
        q->heap[at] = q->heap[(at - 1) / 2];
    q->heap[at] = h;
}

bool queue_take(struct queue *q, struct happening *next)
{
    if (q->count == 0)
        return false;
    *next = q->heap[0];
    struct happening last = q->heap[--q->count];
    uint32_t at = 0;
    for (uint32_t child; (child = 2 * at + 1) < q->count; at = child) {
        if (child + 1 < q->count && before(&q->heap[child + 1], &q->heap[child]))
            child++;
        if (!before(&q->heap[child], &last))
            break;
        q->heap[at] = q->heap[child];
    }
    if (q->count)
        q->heap[at] = last;
    return true;
}

void queue_clear(struct queue *q)
{
    free(q->heap);
    *q = (struct queue){0};
}
