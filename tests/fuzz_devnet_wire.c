/* Any bytes as a frame: refused, or encoded to the same bytes again (words aside, which reading makes printable). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/devnet_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_words(const struct devnet_frame *frame)
{
    return frame->kind == FRAME_TX_ANSWER || frame->kind == FRAME_FAILED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t again[DEVNET_FRAME_MAX];
    struct devnet_frame frame, back;
    struct fault fault;
    if (!devnet_frame_decode(data, size, &frame, &fault))
        return 0;
    size_t length = devnet_frame_encode(&frame, again);
    bool taken = devnet_frame_decode(again, length, &back, &fault);
    assert(taken && back.kind == frame.kind);
    assert(has_words(&frame) || (length == size && memcmp(again, data, size) == 0));
    return 0;
}
