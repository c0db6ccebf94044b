/* A model of gossip between agents: one record a validator, pushed to a few random peers while it is news and
 * reconciled by digests. It is not the daemon's gossip; it has its costs and its faults. A record's content is
 * kept once for each of its versions that matter: an agent knows only sequence numbers. */
#include <stdlib.h>
#include <string.h>

#include "sim/world.h"

#define FANOUT 3
#define PUSHES 2 /* beats for which a record is news */
#define FRAME_RECORDS 64
#define NEWS_MAX 128 /* an agent's news; the oldest give way and are left to the digests */
#define BEAT_MS 500  /* at least; grows with the network, so that traffic stays bounded */
#define BEAT_MS_PER_AGENT_1000 1200
#define DIGEST_MS 30000 /* at least; grows as the beat does */
#define DIGEST_BEATS 25
#define DIGEST_RECORDS 256 /* a window of records compared in one exchange */
#define SAMPLE 256         /* records looked at for a second opinion */
#define FRAME_BYTES 64     /* header and signature of the transport */
#define RECORD_BYTES 180
#define FLOOD_FRAMES 20

struct record { /* what everybody may know of one agent: its latest version */
    uint16_t sequence;
    uint64_t head;
    bool failed, out, false_head;
};

struct news {
    uint32_t about;
    uint16_t sequence;
    uint8_t pushes;
};

struct frame {
    uint32_t to, count;
    bool forged;
    struct news records[FRAME_RECORDS];
};

struct mind {        /* what one agent knows */
    uint16_t *known; /* [count] highest sequence number heard of each validator, 0: none */
    struct news news[NEWS_MAX];
    uint32_t news_first, news_count; /* a ring */
    bool beat_due;
};

struct gossip {
    struct record *records; /* [count] */
    uint64_t *heads;    /* head in the version before the latest, for those who have not heard it */
    struct mind *minds; /* [count] */
    uint16_t *known;    /* [count * count] */
    uint32_t *peers, peer_count;
    struct frame **frames;
    uint32_t *free_frames, free_count, frame_count, frame_room;
    struct random random;
    int64_t beat_ms, digest_ms;
};

static bool make_peers(struct world *w, struct gossip *g)
{
    for (uint32_t v = 0; v < w->count; v++)
        if (w->agents[v].exists)
            g->peers[g->peer_count++] = v;
    g->known = calloc((size_t)g->peer_count * w->count + 1, sizeof *g->known);
    for (uint32_t i = 0; g->known && i < g->peer_count; i++)
        g->minds[g->peers[i]].known = g->known + (size_t)i * w->count;
    g->beat_ms = (int64_t)g->peer_count * BEAT_MS_PER_AGENT_1000 / 1000;
    g->beat_ms = g->beat_ms > BEAT_MS ? g->beat_ms : BEAT_MS;
    g->digest_ms = g->beat_ms * DIGEST_BEATS > DIGEST_MS ? g->beat_ms * DIGEST_BEATS : DIGEST_MS;
    return g->known != NULL;
}

bool gossip_create(struct world *w)
{
    struct gossip *g = calloc(1, sizeof *g);
    if (!g)
        return false;
    w->gossip = g;
    g->records = calloc(w->count, sizeof *g->records);
    g->heads = calloc(w->count, sizeof *g->heads);
    g->minds = calloc(w->count, sizeof *g->minds);
    g->peers = calloc(w->count, sizeof *g->peers);
    g->random = random_stream(w->seed, STREAM_GOSSIP, 0);
    if (!g->records || !g->heads || !g->minds || !g->peers || !make_peers(w, g))
        return false;
    for (uint32_t i = 0; i < g->peer_count && g->peer_count > 1; i++)
        world_later(w, (int64_t)random_below(&g->random, (uint64_t)g->digest_ms), HAPPEN_DIGEST,
                    g->peers[i], 0);
    return true;
}

void gossip_destroy(struct world *w)
{
    struct gossip *g = w->gossip;
    if (!g)
        return;
    for (uint32_t i = 0; i < g->frame_count; i++)
        free(g->frames[i]);
    free(g->frames);
    free(g->free_frames);
    free(g->known);
    free(g->peers);
    free(g->minds);
    free(g->heads);
    free(g->records);
    free(g);
    w->gossip = NULL;
}

static void want_beat(struct world *w, uint32_t v)
{
    struct gossip *g = w->gossip;
    struct mind *m = &g->minds[v];
    if (m->beat_due || m->news_count == 0)
        return;
    m->beat_due = true;
    int64_t half = g->beat_ms / 2;
    world_later(w, half + (int64_t)random_below(&g->random, (uint64_t)half + 1), HAPPEN_BEAT, v, 0);
}

static void remember(struct world *w, uint32_t v, uint32_t about, uint16_t sequence)
{
    struct mind *m = &w->gossip->minds[v];
    if (!m->known || m->known[about] >= sequence)
        return;
    m->known[about] = sequence;
    if (m->news_count == NEWS_MAX) {
        m->news_first++;
        m->news_count--;
    }
    m->news[(m->news_first + m->news_count++) % NEWS_MAX] = (struct news){about, sequence, PUSHES};
    want_beat(w, v);
}

/* Our own record has changed: the state of our turn, and the head we see. */
void gossip_news(struct world *w, uint32_t v)
{
    struct gossip *g = w->gossip;
    struct record *r = &g->records[v];
    const struct coord *core = &w->agents[v].core;
    enum coord_state state = core->memory.state;
    g->heads[v] = r->head;
    r->sequence++;
    r->head = core->head.n;
    r->failed = core->memory.failed;
    r->out = state >= COORD_PAUSED && state <= COORD_UNPAUSING;
    remember(w, v, v, r->sequence);
}

static struct frame *take_frame(struct gossip *g, uint32_t *number)
{
    if (g->free_count == 0) {
        if (g->frame_count == g->frame_room) {
            g->frame_room = g->frame_room ? 2 * g->frame_room : 256;
            g->frames = realloc(g->frames, g->frame_room * sizeof *g->frames);
            g->free_frames = realloc(g->free_frames, g->frame_room * sizeof *g->free_frames);
        }
        if (!g->frames || !g->free_frames)
            abort();
        g->frames[g->frame_count] = malloc(sizeof **g->frames);
        if (!g->frames[g->frame_count])
            abort();
        g->free_frames[g->free_count++] = g->frame_count++;
    }
    *number = g->free_frames[--g->free_count];
    return g->frames[*number];
}

static bool can_talk(const struct world *w, uint32_t from, uint32_t to)
{
    const struct host *a = &w->hosts[from], *b = &w->hosts[to];
    return !a->mute && !b->deaf && (a->cut > 0) == (b->cut > 0);
}

/* Latency of both ends, longer now and then, so that frames overtake one another. */
static int64_t delay_ms(const struct world *w, uint32_t from, uint32_t to)
{
    const struct host *a = &w->hosts[from], *b = &w->hosts[to];
    struct random *random = &w->gossip->random;
    int64_t base = (a->latency_ms + b->latency_ms) / 2;
    int64_t more = random_below(random, 20) == 0 ? 10 * base : base;
    int64_t slow = (a->slow ? a->slow_ms : 0) + (b->slow ? b->slow_ms : 0);
    return base + slow + (int64_t)random_below(random, (uint64_t)more + 1);
}

static void send_frame(struct world *w, uint32_t from, uint32_t to, const struct news *news,
                       uint32_t count, bool forged)
{
    struct gossip *g = w->gossip;
    w->result->messages++;
    w->result->bytes += FRAME_BYTES + (uint64_t)count * RECORD_BYTES;
    if (!can_talk(w, from, to) || random_unit(&g->random) < w->loss)
        return;
    uint32_t copies = random_below(&g->random, 200) == 0 ? 2 : 1; /* some frames arrive twice */
    while (copies-- > 0) {
        uint32_t number;
        struct frame *f = take_frame(g, &number);
        f->to = to;
        f->count = count;
        f->forged = forged;
        memcpy(f->records, news, count * sizeof *news);
        world_later(w, delay_ms(w, from, to), HAPPEN_FRAME, to, number);
    }
}

static uint32_t random_peer(struct gossip *g, uint32_t but)
{
    uint32_t peer;
    do
        peer = g->peers[random_below(&g->random, g->peer_count)];
    while (peer == but);
    return peer;
}

void gossip_beat(struct world *w, uint32_t v)
{
    struct gossip *g = w->gossip;
    struct mind *m = &g->minds[v];
    m->beat_due = false;
    if (g->peer_count < 2 || !w->agents[v].alive) {
        m->news_count = 0;
        return;
    }
    uint32_t count = m->news_count < FRAME_RECORDS ? m->news_count : FRAME_RECORDS;
    struct news latest[FRAME_RECORDS];
    uint32_t from = m->news_first + m->news_count - count;
    for (uint32_t i = 0; i < count; i++)
        latest[i] = m->news[(from + i) % NEWS_MAX];
    for (int i = 0; i < FANOUT; i++)
        send_frame(w, v, random_peer(g, v), latest, count, false);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < m->news_count; i++) {
        struct news *n = &m->news[(m->news_first + i) % NEWS_MAX];
        if (i < m->news_count - count || --n->pushes > 0)
            m->news[(m->news_first + kept++) % NEWS_MAX] = *n;
    }
    m->news_count = kept;
    want_beat(w, v);
}

void gossip_frame(struct world *w, uint64_t number)
{
    struct gossip *g = w->gossip;
    const struct frame *f = g->frames[number];
    const uint16_t *known = g->minds[f->to].known;
    for (uint32_t i = 0; known && i < f->count;
         i++) /* one miss of the cache a record, all at once */
        __builtin_prefetch(&known[f->records[i].about]);
    bool heard = known && w->agents[f->to].alive && !f->forged; /* unsigned records are dropped */
    for (uint32_t i = 0; heard && i < f->count; i++)
        if (known[f->records[i].about] < f->records[i].sequence)
            remember(w, f->to, f->records[i].about, f->records[i].sequence);
    g->free_frames[g->free_count++] = (uint32_t)number;
}

/* Two agents compare a window of sequence numbers; each learns what the other knows better. */
void gossip_digest(struct world *w, uint32_t v)
{
    struct gossip *g = w->gossip;
    world_later(w, g->digest_ms, HAPPEN_DIGEST, v, 0);
    uint32_t peer = random_peer(g, v);
    w->result->messages += 2;
    w->result->bytes += 2 * FRAME_BYTES;
    bool lost = random_unit(&g->random) < w->loss;
    if (lost || !w->agents[v].alive || !w->agents[peer].alive || !can_talk(w, v, peer) ||
        !can_talk(w, peer, v))
        return;
    uint32_t window = w->count < DIGEST_RECORDS ? w->count : DIGEST_RECORDS;
    uint32_t first = (uint32_t)random_below(&g->random, w->count);
    for (uint32_t i = 0; i < window; i++) {
        uint32_t about = (first + i) % w->count;
        remember(w, v, about, g->minds[peer].known[about]);
        remember(w, peer, about, g->minds[v].known[about]);
    }
}

/* A hostile agent: records in others' names, a head that nobody has, and more frames than anyone wants. */
void gossip_forge(struct world *w, uint32_t v)
{
    struct gossip *g = w->gossip;
    if (g->peer_count < 1)
        return;
    for (int i = 0; i < FLOOD_FRAMES; i++) {
        struct news forged = {random_peer(g, v), UINT16_MAX, 1};
        send_frame(w, v, random_peer(g, v), &forged, 1, true);
    }
    struct record *r = &g->records[v];
    r->false_head = true;
    r->sequence++;
    for (int i = 0; i < FANOUT; i++) {
        struct news own = {v, r->sequence, 1};
        send_frame(w, v, random_peer(g, v), &own, 1, false);
    }
}

/* The height that more than a third of a sample have reached, found by halving the range. */
static uint64_t common_head(const struct world *w, const struct mind *m, uint32_t step)
{
    const struct gossip *g = w->gossip;
    uint64_t low = 0, high = model_height(w->chain).n + 1000;
    while (low < high) {
        uint64_t middle = low + (high - low + 1) / 2;
        uint32_t heard = 0, reached = 0;
        for (uint32_t v = 0; v < w->count; v += step) {
            if (!m->known[v])
                continue;
            bool newest = m->known[v] == g->records[v].sequence;
            uint64_t head = g->records[v].false_head ? UINT64_MAX
                            : newest                 ? g->records[v].head
                                                     : g->heads[v];
            heard++;
            reached += head >= middle;
        }
        if (3 * reached > heard)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

struct coord_peers gossip_peers(const struct world *w, uint32_t v)
{
    const struct gossip *g = w->gossip;
    const struct mind *m = &g->minds[v];
    struct coord_peers peers = {.known = true};
    if (!m->known)
        return peers;
    uint32_t step = w->count / SAMPLE + 1;
    for (uint32_t i = 0; i < w->count; i += step)
        peers.failures += m->known[i] == g->records[i].sequence && g->records[i].failed;
    bool lags =
        w->hosts[v].lag > 0; /* otherwise nobody can be far ahead of us, and the look is saved */
    peers.head = height_at(lags ? common_head(w, m, step) : 0);
    return peers;
}
