/* What bad speakers send: real frames (proto/PROTOCOL.md) with forged, contradicting or too many contents. */
#include <assert.h>
#include <string.h>

#include "proto/record_internal.h"
#include "sim/mesh_internal.h"

#define FRAME_RECORDS 2 /* kinds of frames */
#define FRAME_UNKNOWN 99
#define SEQUENCE_AT (3 + RECORD_BINDING_SIZE) /* in a record */
#define FLOOD_FRAMES 500
#define FALSE_HEAD (UINT64_C(1) << 60)

static size_t begin(uint8_t *frame, uint8_t kind)
{
    frame[0] = GOSSIP_VERSION;
    frame[1] = kind;
    return 2;
}

/* Somebody else of whom something is known, by chance; GOSSIP_PEER_NONE when there is nobody. */
static uint32_t known_other(struct mesh *m, const struct gossip *g, uint32_t s)
{
    uint32_t count = gossip_count(g), own = gossip_find(g, m->speakers[s].binding.validator);
    uint32_t from = count > 0 ? (uint32_t)random_below(&m->random, count) : 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t member = (from + i) % count;
        if (member != own && gossip_entry(g, member).known)
            return member;
    }
    return VALIDATOR_NONE;
}

static uint32_t bound_peers(const struct gossip *g, uint32_t peers[GOSSIP_PEERS_DEFAULT])
{
    struct gossip_peer about;
    uint32_t count = 0;
    for (uint32_t i = 0; i < GOSSIP_PEERS_DEFAULT; i++)
        if (gossip_peer(g, i, &about) && about.bound)
            peers[count++] = i;
    return count;
}

/* Another's record, as it was signed. */
static size_t add_other(struct mesh *m, uint32_t s, uint8_t *frame)
{
    const struct gossip *g = m->speakers[s].gossip;
    uint32_t member = known_other(m, g, s);
    size_t at = begin(frame, FRAME_RECORDS);
    if (member == VALIDATOR_NONE)
        return 0;
    struct gossip_entry entry = gossip_entry(g, member);
    memcpy(frame + at, entry.record, entry.record_size);
    return at + entry.record_size;
}

static void forge(struct mesh *m, uint32_t s, const uint32_t *peers, uint32_t count)
{
    uint8_t frame[2 + RECORD_MAX];
    size_t size = add_other(m, s, frame);
    uint8_t *sequence = frame + 2 + SEQUENCE_AT;
    if (size == 0)
        return;
    store_number(sequence, load_number(sequence, 8) + 1 + random_below(&m->random, 1000), 8);
    for (uint32_t i = 0; i < count; i++)
        link_send(m, s, peers[i], frame, size);
}

static size_t seal_own(const struct mesh *m, const struct speaker *bad, uint64_t expected_ms,
                       uint8_t *frame)
{
    struct fault fault;
    const struct record r = {.binding = bad->binding,
                             .charter = m->charter,
                             .sequence = bad->said + 1,
                             .expected_ms = expected_ms};
    size_t at = begin(frame, FRAME_RECORDS);
    size_t size = record_seal(&m->network, &r, bad->identity, frame + at, &fault);
    assert(size > 0);
    return at + size;
}

/* Once its record is void there is nothing more to say under this binding. */
static void contradict(struct mesh *m, uint32_t s, const uint32_t *peers, uint32_t count)
{
    const struct speaker *bad = &m->speakers[s];
    uint8_t frames[2][2 + RECORD_MAX];
    if (count < 2 || gossip_double(bad->gossip) == GOSSIP_DOUBLE_VOID)
        return;
    size_t sizes[2] = {seal_own(m, bad, 1, frames[0]), seal_own(m, bad, 2, frames[1])};
    for (uint32_t i = 0; i < count; i++)
        link_send(m, s, peers[i], frames[i % 2], sizes[i % 2]);
}

static void flood(struct mesh *m, uint32_t s, const uint32_t *peers, uint32_t count)
{
    uint8_t frame[2 + RECORD_MAX];
    size_t size = add_other(m, s, frame);
    uint32_t whom = (uint32_t)random_below(&m->random, count);
    for (int i = 0; i < FLOOD_FRAMES && size > 0; i++)
        link_send(m, s, peers[whom], frame, size);
    size = begin(frame, FRAME_UNKNOWN);
    link_send(m, s, peers[(whom + 1) % count], frame, size);
    link_send(m, s, peers[(whom + 1) % count], frame, 1);
}

static void lie(struct mesh *m, uint32_t s)
{
    struct mesh_news news = {
        .charter = m->charter, .phase = COORD_IDLE, .head = height_at(FALSE_HEAD)};
    memset(news.hash, 0xee, sizeof news.hash);
    mesh_say(m, s, &news);
}

void mesh_harm(struct mesh *m, uint32_t s, enum mesh_harm harm)
{
    struct speaker *bad = &m->speakers[s];
    uint32_t peers[GOSSIP_PEERS_DEFAULT];
    bad->bad = true;
    uint32_t count = bad->gossip ? bound_peers(bad->gossip, peers) : 0;
    if (count == 0)
        return;
    switch (harm) {
    case MESH_FORGE:
        forge(m, s, peers, count);
        return;
    case MESH_LIE:
        lie(m, s);
        return;
    case MESH_CONTRADICT:
        contradict(m, s, peers, count);
        return;
    default:
        flood(m, s, peers, count);
    }
}
