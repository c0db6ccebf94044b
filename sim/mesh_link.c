/* Connections between instances of gossip, the frames on them, and when an instance gets its time. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/mesh_internal.h"

#define HURRY_MS 200 /* a deadline that is nearer is kept: news are waiting */
#define BREATH_MS 20 /* what comes at once is dealt with at once */

/* --- links --- */

static void *grown(void *array, size_t size)
{
    void *more = realloc(array, size);
    assert(more);
    return more;
}

/* A free number; true when there has to be room for more of them. */
static bool take_number(struct numbers *n, uint32_t *number)
{
    if (n->free_count > 0) {
        *number = n->free[--n->free_count];
        return false;
    }
    *number = n->count++;
    if (*number < n->room)
        return false;
    n->room = n->room ? 2 * n->room : 64;
    n->free = grown(n->free, n->room * sizeof *n->free);
    return true;
}

static void give_back(struct numbers *n, uint32_t number)
{
    n->free[n->free_count++] = number;
}

static uint32_t take_link(struct mesh *m)
{
    uint32_t number, fresh = m->link_numbers.count;
    if (take_number(&m->link_numbers, &number))
        m->links = grown(m->links, m->link_numbers.room * sizeof *m->links);
    if (number == fresh)
        m->links[number].turn = 0;
    return number;
}

/* The link of a peer and which end of it the speaker is; NULL when it is over. */
static struct link *link_of(struct mesh *m, uint32_t s, uint32_t peer, uint32_t *end)
{
    const struct route *route = &m->speakers[s].routes[peer];
    struct link *link = route->link == LINK_NONE ? NULL : &m->links[route->link];
    if (!link || link->turn != route->turn)
        return NULL;
    *end = link->ends[0] == s && link->peers[0] == peer ? 0 : 1;
    assert(link->ends[*end] == s && link->peers[*end] == peer);
    return link;
}

/* A link ends with its dialler; to the listener it is as if it had fallen silent. */
static void let_go(struct mesh *m, uint32_t s, uint32_t peer)
{
    uint32_t end;
    struct link *link = link_of(m, s, peer, &end);
    m->speakers[s].routes[peer].link = LINK_NONE;
    if (!link)
        return;
    link->peers[end] = GOSSIP_PEER_NONE;
    if (end == 1)
        return;
    link->turn++;
    give_back(&m->link_numbers, (uint32_t)(link - m->links));
}

void link_begin(struct speaker *speaker)
{
    for (uint32_t i = 0; i < GOSSIP_PEERS_DEFAULT; i++)
        speaker->routes[i].link = LINK_NONE;
}

void link_end_all(struct mesh *m, uint32_t s)
{
    for (uint32_t i = 0; i < GOSSIP_PEERS_DEFAULT; i++)
        let_go(m, s, i);
}

static uint32_t speaker_with(const struct mesh *m, const uint8_t curve[RECORD_KEY_SIZE])
{
    uint32_t s = 0;
    while (s < m->count && memcmp(m->speakers[s].binding.curve, curve, RECORD_KEY_SIZE) != 0)
        s++;
    assert(s <
           m->count); /* endpoints stand in honest records and seeds only, or in a bad one's own */
    return s;
}

static void dial(struct mesh *m, uint32_t s, const struct gossip_seed *to)
{
    struct speaker *from = &m->speakers[s];
    uint32_t peer =
        gossip_peer_up(from->gossip, to->curve, true, m->world.clock(m->world.context, s));
    if (peer == GOSSIP_PEER_NONE)
        return;
    uint32_t number = take_link(m);
    struct link *link = &m->links[number];
    link->ends[0] = s;
    link->ends[1] = speaker_with(m, to->curve);
    link->peers[0] = peer;
    link->peers[1] = GOSSIP_PEER_NONE;
    from->routes[peer] = (struct route){number, link->turn};
}

/* --- frames --- */

static uint32_t take_frame(struct mesh *m)
{
    uint32_t number;
    if (take_number(&m->frame_numbers, &number))
        m->frames = grown(m->frames, m->frame_numbers.room * sizeof *m->frames);
    return number;
}

void link_send(struct mesh *m, uint32_t s, uint32_t peer, const uint8_t *bytes, size_t size)
{
    uint32_t end;
    const struct link *link = link_of(m, s, peer, &end);
    if (!link)
        return;
    uint32_t to = link->ends[1 - end];
    int64_t in_ms = m->world.send(m->world.context, s, to, size);
    if (in_ms == MESH_LOST)
        return;
    uint32_t number = take_frame(m);
    struct frame *f = &m->frames[number];
    *f = (struct frame){.link = (uint32_t)(link - m->links),
                        .turn = link->turn,
                        .to = (uint8_t)(1 - end),
                        .size = size,
                        .bytes = malloc(size)};
    assert(f->bytes);
    memcpy(f->bytes, bytes, size);
    m->world.carry(m->world.context, in_ms, to, number);
}

/* The listener learns of a link with its first frame, and of its dialler by the key that has dialled. */
static bool listen(struct mesh *m, struct link *link)
{
    struct speaker *to = &m->speakers[link->ends[1]];
    link->peers[1] = gossip_peer_up(to->gossip, m->speakers[link->ends[0]].binding.curve, false,
                                    m->world.clock(m->world.context, link->ends[1]));
    if (link->peers[1] == GOSSIP_PEER_NONE)
        return false;
    to->routes[link->peers[1]] = (struct route){(uint32_t)(link - m->links), link->turn};
    return true;
}

static void take_in(struct mesh *m, const struct frame *f)
{
    struct link *link = &m->links[f->link];
    uint32_t s = link->ends[f->to];
    struct gossip *g = m->speakers[s].gossip;
    if (link->turn != f->turn || !g)
        return;
    if (link->peers[f->to] == GOSSIP_PEER_NONE && !listen(m, link))
        return;
    gossip_receive(g, link->peers[f->to], f->bytes, f->size, m->world.clock(m->world.context, s));
    link_follow(m, s);
}

void mesh_arrive(struct mesh *m, uint64_t number)
{
    assert(number < m->frame_numbers.count);
    const struct frame f = m->frames[number];
    take_in(m, &f);
    free(f.bytes);
    m->frames[number].bytes = NULL;
    give_back(&m->frame_numbers, (uint32_t)number);
}

void link_clear(struct mesh *m)
{
    for (uint32_t i = 0; i < m->frame_numbers.count; i++)
        free(m->frames[i].bytes);
    free(m->frames);
    free(m->frame_numbers.free);
    free(m->links);
    free(m->link_numbers.free);
}

/* --- time --- */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* When it gets its time next, unless that is due sooner already. */
static void arrange(struct mesh *m, uint32_t s)
{
    struct speaker *speaker = &m->speakers[s];
    struct instant now = m->world.clock(m->world.context, s);
    int64_t in_ms = instant_since(gossip_deadline(speaker->gossip), now);
    in_ms = in_ms <= HURRY_MS ? larger(in_ms, BREATH_MS) : larger(in_ms, MESH_IDLE_MS);
    struct instant at = instant_after(now, in_ms);
    if (instant_since(speaker->wake, at) <= 0)
        return;
    speaker->wake = at;
    m->world.wake(m->world.context, in_ms, s, ++speaker->token);
}

void link_follow(struct mesh *m, uint32_t s)
{
    struct gossip *g = m->speakers[s].gossip;
    struct gossip_seed to;
    uint32_t peer;
    size_t size;
    while (gossip_next_drop(g, &peer)) {
        gossip_peer_down(g, peer, m->world.clock(m->world.context, s));
        let_go(m, s, peer);
    }
    while (gossip_next_dial(g, &to))
        dial(m, s, &to);
    while (gossip_next_send(g, &peer, m->scratch, &size))
        link_send(m, s, peer, m->scratch, size);
    arrange(m, s);
}

void mesh_wake(struct mesh *m, uint32_t s, uint64_t token)
{
    struct speaker *speaker = &m->speakers[s];
    if (!speaker->gossip || speaker->token != token)
        return;
    speaker->wake = (struct instant){INT64_MAX};
    gossip_tick(speaker->gossip, m->world.clock(m->world.context, s));
    link_follow(m, s);
}
