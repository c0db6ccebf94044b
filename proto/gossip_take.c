#include <assert.h>
#include <string.h>

#include "proto/gossip_internal.h"

#define FRAME_US 5000 /* of a bound peer: 200 frames a second, 400 at once */
#define FRAMES_US 2000000
#define STRANGER_FRAME_US 250000 /* of a stranger: four a second, eight at once */
#define BYTE_US 1                /* a megabyte a second, two at once */
#define BYTES_US 2000000
#define GREETINGS_MAX 10
#define HELLO_AGAIN_MS 500
#define HURRY_MS 300

/* Whether the peer stays; false: no honest agent sends this. */
typedef bool take_frame(struct gossip *g, struct peer *peer, const uint8_t *bytes, size_t size);

/* --- HELLO --- */

static bool network_known(struct gossip *g, struct peer *peer, const uint8_t *hash)
{
    if (memcmp(hash, g->network.hash, HASH_SIZE) == 0)
        return true;
    peer->refuse = true;
    peer->refusal = REFUSAL_NETWORK;
    g->stats.frames_foreign++;
    return false;
}

/* Whether the slot's record, verified long ago, carries the very same binding. */
static bool binding_seen(const struct slot *slot, const uint8_t *bytes)
{
    struct record_peek peek;
    struct fault fault;
    return slot->record && record_peek(slot->record->bytes, slot->record->size, &peek, &fault) &&
           memcmp(peek.binding, bytes, RECORD_BINDING_SIZE) == 0;
}

static bool bind_peer(struct gossip *g, struct peer *peer, const uint8_t *bytes)
{
    struct record_binding binding;
    struct fault fault;
    uint8_t account[ACCOUNT_ADDRESS_SIZE];
    if (!record_binding_decode(bytes, &binding, &fault) ||
        memcmp(binding.curve, peer->curve, RECORD_KEY_SIZE) != 0)
        return false; /* a binding that was copied from somebody else */
    uint32_t slot = gossip_find(g, binding.validator);
    if (slot == VALIDATOR_NONE)
        return true; /* perhaps a member soon: it may greet again */
    account_address(binding.account, account);
    if (memcmp(account, g->slots[slot].account, sizeof account) != 0)
        return true;
    uint64_t known = slot_rank(&g->slots[slot]).serial;
    if (binding.serial < known) { /* nobody else would tell it that it has been replaced */
        peer_owe(peer, slot);
        return true;
    }
    if (slot == g->own && binding.serial < g->binding.serial)
        return true;
    if (!binding_seen(&g->slots[slot], bytes)) {
        g->stats.verified++;
        if (!record_binding_verify(&g->network, &binding))
            return false;
    }
    peer_greeted(g, peer, slot);
    return true;
}

static bool take_hello(struct gossip *g, struct peer *peer, const uint8_t *bytes, size_t size)
{
    const uint8_t *at = bytes + FRAME_HEAD;
    if (size < HELLO_SIZE) /* what stands behind is of a later minor version */
        return false;
    if (!network_known(g, peer, at + 1))
        return true;
    if (!peer->bound && ++peer->greetings > GREETINGS_MAX) {
        peer->drop = true;
        return true;
    }
    peer->charter = (uint32_t)load_number(at + 1 + HASH_SIZE, 4);
    if (!peer->bound && !bind_peer(g, peer, at + 1 + HASH_SIZE + 4))
        return false;
    if ((at[0] & HELLO_ASK) && g->clock_ms - peer->hello_ms >= HELLO_AGAIN_MS)
        peer->hello = true;
    return true;
}

/* --- RECORDS, PROOF --- */

static bool count_merge(struct gossip *g, enum merge merge)
{
    struct gossip_stats *s = &g->stats;
    s->records_new += merge == MERGE_NEW;
    s->records_old += merge == MERGE_OLD;
    s->records_stranger += merge == MERGE_STRANGER;
    s->records_limited += merge == MERGE_LIMITED;
    s->records_forged += merge == MERGE_BAD;
    return merge != MERGE_BAD;
}

static bool take_records(struct gossip *g, struct peer *peer, const uint8_t *bytes, size_t size)
{
    (void)peer;
    for (size_t at = FRAME_HEAD; at < size;) {
        size_t extent = record_extent(bytes + at, size - at);
        if (extent == 0 || !count_merge(g, merge_record(g, bytes + at, extent)))
            return false;
        at += extent;
    }
    return size > FRAME_HEAD;
}

static bool take_proof(struct gossip *g, struct peer *peer, const uint8_t *bytes, size_t size)
{
    (void)peer;
    const uint8_t *a = bytes + FRAME_HEAD;
    size_t left = size - FRAME_HEAD;
    size_t a_size = record_extent(a, left);
    size_t b_size = a_size > 0 ? record_extent(a + a_size, left - a_size) : 0;
    return b_size > 0 && a_size + b_size == left &&
           count_merge(g, merge_proof(g, a, a_size, a + a_size, b_size));
}

/* --- DIGEST, LIST, WANT --- */

static bool take_digest(struct gossip *g, struct peer *peer, const uint8_t *bytes, size_t size)
{
    if (size != DIGEST_FRAME_SIZE)
        return false;
    peer->list = true;
    peer->list_mask = 0;
    for (uint32_t i = 0; i < BUCKETS; i++) {
        uint64_t theirs = load_number(bytes + FRAME_HEAD + i * BUCKET_HASH_SIZE, BUCKET_HASH_SIZE);
        if (theirs != bucket_digest(g, i))
            peer->list_mask |= UINT64_C(1) << i;
    }
    return true;
}

static bool entries_ascend(const uint8_t *entries, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (memcmp(entries + (i - 1) * ENTRY_SIZE, entries + i * ENTRY_SIZE, ADDRESS_SIZE) >= 0)
            return false;
    return true;
}

/* One entry against what we hold: who is ahead sends, two records of one rank meet in a proof. */
static void compare_entry(struct gossip *g, struct peer *peer, uint32_t index, const uint8_t *entry)
{
    uint8_t ours[ENTRY_SIZE];
    const uint8_t *numbers = entry + ADDRESS_SIZE;
    const struct slot *slot = &g->slots[index];
    const struct rank theirs = {load_number(numbers, 8), load_number(numbers + 8, 8),
                                numbers[16] != 0};
    int order = rank_compare(theirs, slot_rank(slot));
    if (order > 0) {
        peer_want(peer, index);
    } else if (order < 0) {
        peer_owe(peer, index);
    } else if (slot->record) {
        entry_write(slot, ours);
        if (memcmp(ours, entry, ENTRY_SIZE) != 0)
            peer_owe(peer, index);
    }
}

static void compare_list(struct gossip *g, struct peer *peer, uint64_t complete,
                         const uint8_t *entries, size_t count)
{
    size_t at = 0;
    for (uint32_t i = 0; i < g->count; i++) {
        const struct slot *slot = &g->slots[i];
        while (at < count && memcmp(entries + at * ENTRY_SIZE, slot->address, ADDRESS_SIZE) < 0)
            at++; /* of somebody whom we do not know */
        if (at < count && memcmp(entries + at * ENTRY_SIZE, slot->address, ADDRESS_SIZE) == 0)
            compare_entry(g, peer, i, entries + at * ENTRY_SIZE);
        else if (slot->record && (complete >> bucket_of(slot->address) & 1))
            peer_owe(peer, i);
    }
}

static bool take_list(struct gossip *g, struct peer *peer, const uint8_t *bytes, size_t size)
{
    const uint8_t *entries = bytes + FRAME_HEAD + 8;
    if (size < FRAME_HEAD + 8 || (size - FRAME_HEAD - 8) % ENTRY_SIZE != 0)
        return false;
    size_t count = (size - FRAME_HEAD - 8) / ENTRY_SIZE;
    uint64_t complete = load_number(bytes + FRAME_HEAD, 8);
    if (!entries_ascend(entries, count))
        return false;
    if (complete == 0 && count == 0) {
        g->hurry = HURRY_MAX; /* level: the next difference is a new one */
        return true;
    }
    compare_list(g, peer, complete, entries, count);
    if (g->hurry > 0 && g->digest_at > g->clock_ms + HURRY_MS) {
        g->hurry--;
        g->digest_at = g->clock_ms + HURRY_MS;
    }
    return true;
}

static bool take_want(struct gossip *g, struct peer *peer, const uint8_t *bytes, size_t size)
{
    if (size == FRAME_HEAD || (size - FRAME_HEAD) % ADDRESS_SIZE != 0)
        return false;
    for (size_t at = FRAME_HEAD; at < size; at += ADDRESS_SIZE) {
        uint32_t index = gossip_find(g, bytes + at);
        if (index != VALIDATOR_NONE && g->slots[index].record)
            peer_owe(peer, index);
    }
    return true;
}

/* --- frames --- */

static bool take_refuse(struct gossip *g, struct peer *peer, const uint8_t *bytes, size_t size)
{
    (void)bytes;
    if (size < REFUSE_SIZE)
        return false;
    g->stats.frames_foreign++;
    peer->drop = true; /* it is asked again, ever later */
    return true;
}

static bool take_bye(struct gossip *g, struct peer *peer, const uint8_t *bytes, size_t size)
{
    (void)g;
    (void)bytes;
    (void)size;
    peer->drop = true;
    return true;
}

static take_frame *taker_of(uint8_t kind)
{
    switch (kind) {
    case FRAME_HELLO:
        return take_hello;
    case FRAME_RECORDS:
        return take_records;
    case FRAME_DIGEST:
        return take_digest;
    case FRAME_LIST:
        return take_list;
    case FRAME_WANT:
        return take_want;
    case FRAME_PROOF:
        return take_proof;
    case FRAME_BYE:
        return take_bye;
    case FRAME_REFUSE:
        return take_refuse;
    default:
        return NULL;
    }
}

static bool within_limits(struct gossip *g, struct peer *peer, size_t size)
{
    int64_t frame_us = peer->bound ? FRAME_US : STRANGER_FRAME_US;
    if (limit_take(&peer->frames_us, g->clock_ms, frame_us, FRAMES_US) &&
        limit_take(&peer->bytes_us, g->clock_ms, BYTE_US * (int64_t)size, BYTES_US))
        return true;
    g->stats.frames_limited++;
    return false;
}

/* A frame of somebody who has not greeted: it may not know that we have forgotten it. */
static void ask_greeting(struct gossip *g, struct peer *peer)
{
    if (g->clock_ms - peer->hello_ms >= HELLO_AGAIN_MS)
        peer->hello = true;
}

static void take_foreign(struct gossip *g, struct peer *peer)
{
    peer->refuse = true;
    peer->refusal = REFUSAL_VERSION;
    g->stats.frames_foreign++;
}

static void take_known(struct gossip *g, struct peer *peer, const uint8_t *bytes, size_t size)
{
    take_frame *take = taker_of(bytes[1]);
    if (!take)
        return; /* of a later minor version */
    if (!peer->bound && take != take_hello && take != take_refuse) {
        ask_greeting(g, peer);
        return;
    }
    if (!take(g, peer, bytes, size))
        peer_bar(g, peer);
    if (peer->bound && !peer->drop)
        g->heard_ms = g->clock_ms;
}

void gossip_receive(struct gossip *gossip, uint32_t peer, const uint8_t *bytes, size_t size,
                    struct instant now)
{
    struct gossip *g = gossip;
    assert(peer < g->peers_max && g->peers[peer].used);
    struct peer *p = &g->peers[peer];
    clock_advance(g, now);
    g->stats.frames_in++;
    g->stats.bytes_in += size;
    if (p->drop)
        return;
    if (size > GOSSIP_FRAME_MAX || size < FRAME_HEAD) {
        peer_bar(g, p);
        return;
    }
    if (!within_limits(g, p, size))
        return;
    p->heard_ms = g->clock_ms;
    p->unanswered = 0;
    if (bytes[0] != GOSSIP_VERSION && bytes[1] != FRAME_REFUSE)
        take_foreign(g, p);
    else
        take_known(g, p, bytes, size);
}
