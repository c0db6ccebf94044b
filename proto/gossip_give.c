#include <assert.h>
#include <string.h>

#include "proto/gossip_internal.h"

#define BYTE_US 2 /* half a megabyte a second to one peer, and as much at once */
#define BYTES_US 1000000
#define WANT_MAX ((GOSSIP_FRAME_MAX - FRAME_HEAD) / ADDRESS_SIZE)

/* --- digests --- */

void entry_write(const struct slot *slot, uint8_t out[ENTRY_SIZE])
{
    const struct rank rank = slot_rank(slot);
    uint8_t *numbers = out + ADDRESS_SIZE;
    memcpy(out, slot->address, ADDRESS_SIZE);
    store_number(numbers, rank.serial, 8);
    store_number(numbers + 8, rank.sequence, 8);
    numbers[16] = rank.is_void;
    memset(numbers + 17, 0, BUCKET_HASH_SIZE); /* one proof is as good as another */
    if (slot->record && !rank.is_void)
        memcpy(numbers + 17, slot->record->digest, BUCKET_HASH_SIZE);
}

/* Each entry is hashed behind the hash so far; the empty bucket's hash is 0. */
static uint64_t bucket_compute(struct gossip *g, uint32_t bucket)
{
    uint8_t chain[HASH_SIZE + ENTRY_SIZE] = {0};
    for (uint32_t i = g->bucket_first[bucket]; i < g->bucket_first[bucket + 1]; i++) {
        if (!g->slots[i].record)
            continue;
        entry_write(&g->slots[i], chain + HASH_SIZE);
        pool_hash(g->pool, chain, sizeof chain, chain);
    }
    return load_number(chain, BUCKET_HASH_SIZE);
}

uint64_t bucket_digest(struct gossip *g, uint32_t bucket)
{
    uint64_t bit = UINT64_C(1) << bucket;
    if (g->bucket_stale & bit) {
        g->bucket_hash[bucket] = bucket_compute(g, bucket);
        g->bucket_stale &= ~bit;
    }
    return g->bucket_hash[bucket];
}

/* --- one frame each --- */

static size_t give_head(uint8_t *frame, enum frame_kind kind)
{
    frame[0] = GOSSIP_VERSION;
    frame[1] = (uint8_t)kind;
    return FRAME_HEAD;
}

static size_t give_hello(struct gossip *g, struct peer *p, uint8_t *frame)
{
    size_t at = give_head(frame, FRAME_HELLO);
    frame[at++] = p->bound ? 0 : HELLO_ASK;
    memcpy(frame + at, g->network.hash, HASH_SIZE);
    at += HASH_SIZE;
    store_number(frame + at, g->charter, 4);
    record_binding_encode(&g->binding, frame + at + 4);
    p->hello = false;
    p->hello_ms = g->clock_ms;
    assert(at + 4 + RECORD_BINDING_SIZE == HELLO_SIZE);
    return HELLO_SIZE;
}

static size_t give_refuse(struct peer *p, uint8_t *frame)
{
    size_t at = give_head(frame, FRAME_REFUSE);
    frame[at++] = p->refusal;
    frame[at++] = GOSSIP_VERSION; /* the lowest and the highest that we speak */
    frame[at++] = GOSSIP_VERSION;
    p->refuse = false;
    return at;
}

static size_t give_digest(struct gossip *g, struct peer *p, uint8_t *frame)
{
    size_t at = give_head(frame, FRAME_DIGEST);
    for (uint32_t i = 0; i < BUCKETS; i++, at += BUCKET_HASH_SIZE)
        store_number(frame + at, bucket_digest(g, i), BUCKET_HASH_SIZE);
    p->digest = false;
    return at;
}

/* The entries of one bucket, if they fit. */
static bool list_bucket(const struct gossip *g, uint32_t bucket, uint8_t *frame, size_t *size)
{
    size_t at = *size;
    for (uint32_t i = g->bucket_first[bucket]; i < g->bucket_first[bucket + 1]; i++) {
        if (!g->slots[i].record)
            continue;
        if (at + ENTRY_SIZE > GOSSIP_FRAME_MAX)
            return false;
        entry_write(&g->slots[i], frame + at);
        at += ENTRY_SIZE;
    }
    *size = at;
    return true;
}

/* Buckets go in ascending order from a random one to the last, so that each has its turn when not all fit; a
 * bucket that fits in no frame is left to the pushes. */
static size_t give_list(struct gossip *g, struct peer *p, uint8_t *frame)
{
    size_t at = give_head(frame, FRAME_LIST) + 8;
    uint64_t complete = 0;
    bool all = (size_t)g->count * ENTRY_SIZE < GOSSIP_FRAME_MAX - at;
    uint32_t from = all ? 0 : random_under(g, BUCKETS);
    for (uint32_t i = from; i < BUCKETS; i++)
        if ((p->list_mask >> i & 1) && list_bucket(g, i, frame, &at))
            complete |= UINT64_C(1) << i;
    if (complete == 0 &&
        p->list_mask != 0) { /* nothing that differs lies behind: from the first on */
        for (uint32_t i = 0; i < from; i++)
            if ((p->list_mask >> i & 1) && list_bucket(g, i, frame, &at))
                complete |= UINT64_C(1) << i;
    }
    store_number(frame + FRAME_HEAD, complete, 8);
    p->list = false;
    return at;
}

static size_t give_want(struct gossip *g, struct peer *p, uint8_t *frame)
{
    size_t at = give_head(frame, FRAME_WANT);
    uint32_t i = 0, given = 0;
    for (; i < g->count && given < WANT_MAX; i++) {
        if (!bit_get(p->want, i))
            continue;
        bit_clear(p->want, i);
        g->slots[i].asked = true;
        memcpy(frame + at, g->slots[i].address, ADDRESS_SIZE);
        at += ADDRESS_SIZE;
        given++;
    }
    p->wants = i < g->count;
    return at > FRAME_HEAD ? at : 0;
}

static size_t put_kept(uint8_t *frame, size_t at, const struct kept *kept)
{
    memcpy(frame + at, kept->bytes, kept->size);
    return at + kept->size;
}

static size_t give_proof(struct gossip *g, struct peer *p, uint32_t index, uint8_t *frame)
{
    const struct slot *slot = &g->slots[index];
    bit_clear(p->owe, index);
    return put_kept(frame, put_kept(frame, give_head(frame, FRAME_PROOF), slot->record),
                    slot->other);
}

/* As many records as go into a frame, from where the last one ended; or one proof. */
static size_t give_owed(struct gossip *g, struct peer *p, uint8_t *frame)
{
    size_t at = give_head(frame, FRAME_RECORDS);
    for (uint32_t i = 0; i < g->count; i++, p->place++) {
        uint32_t index = p->place % g->count;
        const struct slot *slot = &g->slots[index];
        if (!bit_get(p->owe, index))
            continue;
        bool first = at == FRAME_HEAD;
        if (slot->is_void && first)
            return give_proof(g, p, index, frame);
        if (slot->is_void || (slot->record && at + slot->record->size > RECORDS_BYTES))
            return at; /* goes next */
        bit_clear(p->owe, index);
        if (slot->record)
            at = put_kept(frame, at, slot->record);
    }
    p->owes = false;
    return at > FRAME_HEAD ? at : 0;
}

static size_t give_bye(struct peer *p, uint8_t *frame)
{
    p->bye = false;
    p->drop = true;
    return give_head(frame, FRAME_BYE);
}

static size_t give(struct gossip *g, struct peer *p, uint8_t *frame)
{
    size_t size = 0;
    if (p->bye)
        return give_bye(p, frame);
    if (p->refuse)
        return give_refuse(p, frame);
    if (p->hello)
        return give_hello(g, p, frame);
    if (!p->bound)
        return p->owes ? give_owed(g, p, frame) : 0;
    if (p->owes)
        size = give_owed(g, p, frame);
    if (size == 0 && p->list)
        size = give_list(g, p, frame);
    if (size == 0 && p->wants)
        size = give_want(g, p, frame);
    if (size == 0 && p->digest)
        size = give_digest(g, p, frame);
    return size;
}

bool gossip_next_send(struct gossip *gossip, uint32_t *peer, uint8_t frame[GOSSIP_FRAME_MAX],
                      size_t *size)
{
    struct gossip *g = gossip;
    for (uint32_t i = 0; i < g->peers_end; i++) {
        uint32_t index = (g->peer_next + i) % g->peers_end;
        struct peer *p = &g->peers[index];
        if (!p->used || p->drop || p->out_us > (g->clock_ms * 1000) + BYTES_US)
            continue;
        *size = give(g, p, frame);
        if (*size == 0)
            continue;
        int64_t clock_us = g->clock_ms * 1000;
        p->out_us = (p->out_us > clock_us ? p->out_us : clock_us) + BYTE_US * (int64_t)*size;
        g->peer_next = (index + 1) % g->peers_end;
        g->stats.frames_out++;
        g->stats.bytes_out += *size;
        *peer = index;
        return true;
    }
    return false;
}
