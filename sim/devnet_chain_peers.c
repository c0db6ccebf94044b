#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/devnet_chain_internal.h"

void chain_peers_begin(struct chain_peers *peers, uint32_t count)
{
    peers->list = calloc((size_t)count + 1, sizeof *peers->list);
    peers->count = count;
    assert(peers->list);
}

void chain_peers_clear(struct chain_peers *peers)
{
    free(peers->list);
    *peers = (struct chain_peers){0};
}

static bool same_peer(const struct devnet_peer *a, const struct devnet_peer *b)
{
    return a->size > 0 && a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

uint32_t chain_peers_find(const struct chain_peers *peers, const struct devnet_peer *peer)
{
    for (uint32_t i = 0; i < peers->count; i++)
        if (same_peer(&peers->list[i].peer, peer))
            return i;
    return UINT32_MAX;
}

bool chain_peers_hello(struct chain_peers *peers, const struct devnet_peer *peer,
                       const struct devnet_hello *hello, int64_t now_ms)
{
    assert(hello->node < peers->count);
    struct chain_peer *place = &peers->list[hello->node];
    uint32_t before = chain_peers_find(peers, peer);
    bool another = before != hello->node;
    if (before != UINT32_MAX && another)
        peers->list[before] = (struct chain_peer){0}; /* one connection is one node */
    if (another)
        *place = (struct chain_peer){.peer = *peer};
    place->heard_ms = now_ms;
    place->ready = hello->ready;
    return another;
}

bool chain_peers_present(const struct chain_peers *peers, uint32_t validator, int64_t now_ms)
{
    const struct chain_peer *place = &peers->list[validator];
    return place->peer.size > 0 && place->ready && now_ms - place->heard_ms < DEVNET_SILENT_MS;
}
