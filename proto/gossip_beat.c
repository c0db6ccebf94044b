#include <string.h>

#include "proto/gossip_internal.h"

#define KEEP_MS 1000
#define SEEK 5       /* digests go so many times as often while nobody is heard */
#define SEEK_PEERS 2 /* and to so many */
#define BLOCKED_MS 50

/* --- news --- */

/* The first of found are a random choice. */
static uint32_t choose(struct gossip *g, uint32_t *found, uint32_t count, uint32_t wanted)
{
    uint32_t chosen = count < wanted ? count : wanted;
    for (uint32_t i = 0; i < chosen; i++) {
        uint32_t other = i + random_under(g, count - i);
        uint32_t swap = found[i];
        found[i] = found[other];
        found[other] = swap;
    }
    return chosen;
}

static void owe_news(struct gossip *g, struct peer *p)
{
    for (uint32_t i = 0; i < g->count; i++)
        if (g->news[i] > 0 && (i != p->slot || g->slots[i].is_void)) /* its own it knows */
            peer_owe(p, i);
}

static void push_news(struct gossip *g)
{
    uint32_t found[GOSSIP_PEERS_MAX];
    uint32_t chosen = choose(g, found, peers_bound(g, found), GOSSIP_FANOUT);
    for (uint32_t i = 0; i < chosen; i++)
        owe_news(g, &g->peers[found[i]]);
    for (uint32_t i = 0; i < g->count; i++)
        if (g->news[i] > 0 && --g->news[i] == 0)
            g->news_count--;
    g->beat_at = g->clock_ms + jittered(g, g->beat_ms);
}

/* --- digests --- */

static uint32_t longest_silent(const struct gossip *g, const uint32_t *found, uint32_t count)
{
    uint32_t silent = found[0];
    for (uint32_t i = 1; i < count; i++)
        if (g->peers[found[i]].heard_ms < g->peers[silent].heard_ms)
            silent = found[i];
    return silent;
}

bool is_silent(const struct gossip *g)
{
    return g->clock_ms - g->heard_ms > 3 * g->digest_ms;
}

static void send_digest(struct gossip *g)
{
    uint32_t found[GOSSIP_PEERS_MAX], count = peers_bound(g, found);
    bool silent = is_silent(g);
    uint32_t chosen = choose(g, found, count, silent ? SEEK_PEERS : 1);
    if (chosen == 1 && random_under(g, 2) == 0) /* the one that may have gone without a word */
        found[0] = longest_silent(g, found, count);
    for (uint32_t i = 0; i < chosen; i++) {
        struct peer *p = &g->peers[found[i]];
        p->digest = true;
        p->unanswered += !silent; /* when nobody answers it is we who are cut off */
    }
    g->digest_at = g->clock_ms + jittered(g, silent ? g->digest_ms / SEEK : g->digest_ms);
}

void gossip_tick(struct gossip *gossip, struct instant now)
{
    struct gossip *g = gossip;
    clock_advance(g, now);
    if (g->news_count > 0 && g->clock_ms >= g->beat_at)
        push_news(g);
    if (g->clock_ms >= g->digest_at)
        send_digest(g);
    if (g->clock_ms >= g->keep_at) {
        peers_keep(g);
        g->keep_at = g->clock_ms + jittered(g, KEEP_MS);
    }
}

/* --- the next beat --- */

static bool anything_due(const struct gossip *g)
{
    for (uint32_t i = 0; i < g->peers_end; i++) {
        const struct peer *p = &g->peers[i];
        bool due = p->hello || p->refuse || p->bye ||
                   (p->bound && (p->owes || p->list || p->wants || p->digest));
        if (p->used && !p->drop && due)
            return true;
    }
    return false;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

struct instant gossip_deadline(const struct gossip *gossip)
{
    const struct gossip *g = gossip;
    int64_t at = sooner(g->digest_at, g->keep_at);
    if (g->news_count > 0)
        at = sooner(at, g->beat_at);
    if (anything_due(g)) /* after all was taken: a limit is in the way */
        at = sooner(at, g->clock_ms + BLOCKED_MS);
    return instant_after(g->now, at > g->clock_ms ? at - g->clock_ms : 0);
}
