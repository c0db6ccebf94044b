/* Who gossips in this world, through which links, and what the agents make of it. The gossip is the daemon's: mesh.h.
 *
 * `gossip` agents speak, chosen by the seed, and among them their share of the hostile validators that harm gossip. To
 * the core of any other agent it is as if it heard nobody, which by the protocol decides nothing. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/mesh.h"
#include "sim/world.h"

#define QUIET_MS 240000    /* a head that is merely newer is said this often ... */
#define QUIET_LAG_MS 30000 /* ... and while somebody lags as often as by the daemon */
#define CHOICE 1           /* numbers of the random stream */
#define HARMS 2

struct talk {
    struct mesh *mesh;
    uint32_t *validators;   /* [count] of the speakers */
    uint32_t *speakers;     /* [world's count] VALIDATOR_NONE: it does not speak */
    int64_t *said_ms;       /* [count] */
    bool *said;             /* [count] anything yet */
    uint32_t count, agents; /* the first `agents` of them are; the rest are hostile */
    uint64_t
        *in_set;   /* [world's count] the latest height at which it was seen in the set, 0: never */
    bool *allowed; /* [world's count] */
    struct random random;
};

/* --- what the mesh asks --- */

static struct instant clock_of(void *context, uint32_t s)
{
    const struct world *w = context;
    return (struct instant){w->now_ms + w->hosts[w->talk->validators[s]].skew_ms};
}

static bool can_talk(const struct host *a, const struct host *b)
{
    return !a->mute && !b->deaf && (a->cut > 0) == (b->cut > 0);
}

/* Latency of both ends, longer now and then, so that frames overtake one another. */
static int64_t delay_ms(struct random *random, const struct host *a, const struct host *b)
{
    int64_t base = (a->latency_ms + b->latency_ms) / 2;
    int64_t more = random_below(random, 20) == 0 ? 10 * base : base;
    int64_t slow = (a->slow ? a->slow_ms : 0) + (b->slow ? b->slow_ms : 0);
    return base + slow + (int64_t)random_below(random, (uint64_t)more + 1);
}

static int64_t send_frame(void *context, uint32_t from, uint32_t to, size_t bytes)
{
    struct world *w = context;
    struct talk *t = w->talk;
    const struct host *a = &w->hosts[t->validators[from]], *b = &w->hosts[t->validators[to]];
    w->result->messages++;
    w->result->bytes += bytes;
    if (!can_talk(a, b) || random_unit(&t->random) < w->loss)
        return MESH_LOST;
    return delay_ms(&t->random, a, b);
}

static void carry(void *context, int64_t in_ms, uint32_t to, uint64_t frame)
{
    struct world *w = context;
    world_later(w, in_ms, HAPPEN_FRAME, w->talk->validators[to], frame);
}

static void wake(void *context, int64_t in_ms, uint32_t s, uint64_t token)
{
    struct world *w = context;
    world_later(w, in_ms, HAPPEN_TALK, w->talk->validators[s], token);
}

/* --- who speaks --- */

/* Adds up to `room` of those that `is` names, by chance. */
static void choose(struct world *w, struct random *random, uint32_t room,
                   bool (*is)(const struct world *w, uint32_t v))
{
    struct talk *t = w->talk;
    uint32_t *found = calloc((size_t)w->count + 1, sizeof *found), count = 0;
    assert(found);
    for (uint32_t v = 0; v < w->count; v++)
        if (is(w, v))
            found[count++] = v;
    for (uint32_t i = 0; i < count && i < room; i++) {
        uint32_t j = i + (uint32_t)random_below(random, count - i), chosen = found[j];
        found[j] = found[i];
        t->speakers[chosen] = t->count;
        t->validators[t->count++] = chosen;
    }
    free(found);
}

static bool is_agent(const struct world *w, uint32_t v)
{
    return w->agents[v].exists;
}

/* Of the hostile as large a part as of the agents, one at least: more than a third of those whom one hears would be
 * believed. */
static void choose_speakers(struct world *w)
{
    struct talk *t = w->talk;
    struct random random = random_stream(w->seed, STREAM_GOSSIP, CHOICE);
    uint32_t agents = 0, hostile = 0;
    for (uint32_t v = 0; v < w->count; v++) {
        agents += is_agent(w, v);
        hostile += hostile_to_gossip(w, v);
    }
    uint32_t room = w->config->gossip < agents ? w->config->gossip : agents;
    choose(w, &random, room, is_agent);
    t->agents = t->count;
    uint64_t share = agents > 0 ? ((uint64_t)hostile * room + agents - 1) / agents : 0;
    uint64_t most = w->config->gossip; /* few agents among many hostile */
    choose(w, &random, (uint32_t)(share < most ? share : most), hostile_to_gossip);
}

static bool make_mesh(struct world *w)
{
    struct talk *t = w->talk;
    uint8_t(*addresses)[ADDRESS_SIZE] = calloc((size_t)t->count + 1, sizeof *addresses);
    for (uint32_t s = 0; addresses && s < t->count; s++)
        memcpy(addresses[s], w->genesis->records[t->validators[s]].address, ADDRESS_SIZE);
    const struct mesh_config config = {
        .charter = w->charter.id,
        .seed = w->seed,
        .addresses = (const uint8_t(*)[ADDRESS_SIZE])addresses,
        .speakers = t->count,
        .world = {w, clock_of, send_frame, carry, wake},
    };
    t->mesh = addresses ? mesh_create(&config) : NULL;
    free(addresses);
    return t->mesh != NULL;
}

bool talk_create(struct world *w)
{
    struct talk *t = calloc(1, sizeof *t);
    if (!t)
        return false;
    w->talk = t;
    t->random = random_stream(w->seed, STREAM_GOSSIP, 0);
    t->validators = calloc(w->count, sizeof *t->validators);
    t->speakers = calloc(w->count, sizeof *t->speakers);
    t->said_ms = calloc(w->count, sizeof *t->said_ms);
    t->said = calloc(w->count, sizeof *t->said);
    t->in_set = calloc(w->count, sizeof *t->in_set);
    t->allowed = calloc(w->count, sizeof *t->allowed);
    if (!t->validators || !t->speakers || !t->said_ms || !t->said || !t->in_set || !t->allowed)
        return false;
    for (uint32_t v = 0; v < w->count; v++)
        t->speakers[v] = VALIDATOR_NONE;
    if (world_draws(w))
        choose_speakers(w);
    return make_mesh(w);
}

void talk_destroy(struct world *w)
{
    struct talk *t = w->talk;
    if (!t)
        return;
    mesh_destroy(&t->mesh);
    free(t->validators);
    free(t->speakers);
    free(t->said_ms);
    free(t->said);
    free(t->in_set);
    free(t->allowed);
    free(t);
    w->talk = NULL;
}

/* --- blocks --- */

/* The validators of the sets of the last M blocks; whether they are others than before. */
static bool look_at_set(struct world *w, uint32_t *count)
{
    struct talk *t = w->talk;
    uint64_t head = model_height(w->chain).n + 1; /* before the first block there is a set */
    bool changed = false;
    *count = 0;
    for (uint32_t v = 0; v < w->count; v++) {
        if (model_in_set(w->chain, v))
            t->in_set[v] = head;
        bool allowed = t->in_set[v] > 0 && head - t->in_set[v] <= w->charter.reference_blocks;
        changed |= allowed != t->allowed[v];
        t->allowed[v] = allowed;
        *count += allowed;
    }
    return changed;
}

static void allow(struct world *w)
{
    struct talk *t = w->talk;
    uint32_t count = 0, at = 0;
    if (!look_at_set(w, &count))
        return;
    uint8_t(*addresses)[ADDRESS_SIZE] = calloc((size_t)count + 1, sizeof *addresses);
    assert(addresses);
    for (uint32_t v = 0; v < w->count; v++)
        if (t->allowed[v])
            memcpy(addresses[at++], w->genesis->records[v].address, ADDRESS_SIZE);
    mesh_allow(t->mesh, (const uint8_t(*)[ADDRESS_SIZE])addresses, count);
    free(addresses);
}

void talk_start(struct world *w)
{
    struct talk *t = w->talk;
    if (t->count == 0)
        return;
    allow(w);
    for (uint32_t s = t->agents; s < t->count; s++)
        mesh_start(t->mesh, s, true);
}

static bool anybody_lags(const struct world *w)
{
    bool lags = false;
    for (uint32_t s = 0; s < w->talk->agents; s++)
        lags |= w->hosts[w->talk->validators[s]].lag > 0;
    return lags;
}

void talk_block(struct world *w)
{
    struct talk *t = w->talk;
    if (t->count == 0)
        return;
    allow(w);
    int64_t quiet_ms = anybody_lags(w) ? QUIET_LAG_MS : QUIET_MS;
    for (uint32_t s = 0; s < t->count; s++)
        if (!t->said[s] || (s < t->agents && w->now_ms - t->said_ms[s] >= quiet_ms))
            talk_news(w, t->validators[s]);
}

/* --- agents --- */

void talk_up(struct world *w, uint32_t v)
{
    struct talk *t = w->talk;
    if (t->speakers[v] != VALIDATOR_NONE)
        mesh_start(t->mesh, t->speakers[v], w->agents[v].journal_state == JOURNAL_KEPT);
}

void talk_down(struct world *w, uint32_t v)
{
    struct talk *t = w->talk;
    if (t->speakers[v] != VALIDATOR_NONE)
        mesh_stop(t->mesh, t->speakers[v]);
}

struct onlooker { /* whose view tells what stands at a height */
    const struct view *view;
};

static bool hash_at(void *context, struct height height, uint8_t hash[HASH_SIZE])
{
    const struct onlooker *onlooker = context;
    const struct view_pulse *pulse = view_pulse(onlooker->view, height);
    if (pulse)
        memcpy(hash, pulse->hash, HASH_SIZE);
    return pulse != NULL;
}

/* Our own record: the state of our turn, and the head that our node shows. */
void talk_news(struct world *w, uint32_t v)
{
    struct talk *t = w->talk;
    const struct agent *a = &w->agents[v];
    struct onlooker onlooker = {w->views[a->view]};
    uint32_t s = t->speakers[v];
    if (s == VALIDATOR_NONE)
        return;
    struct mesh_news news = {
        .charter = view_charter(onlooker.view)->id,
        .phase = a->core.memory.state,
        .failed = a->core.memory.failed,
        .expected_ms = a->expected_ms,
        .head = agent_head(w, v),
    };
    if (!hash_at(&onlooker, news.head, news.hash))
        news.head = HEIGHT_NONE;
    if (!t->said[s] && news.head.n == 0)
        return; /* the daemon's first record has a head, too */
    t->said[s] = true;
    t->said_ms[s] = w->now_ms;
    mesh_say(t->mesh, s, &news);
}

bool talk_opinion(const struct world *w, uint32_t v, struct coord_peers *peers)
{
    const struct talk *t = w->talk;
    struct onlooker onlooker = {w->views[w->agents[v].view]};
    if (t->speakers[v] == VALIDATOR_NONE)
        return false;
    *peers = mesh_opinion(t->mesh, t->speakers[v], hash_at, &onlooker);
    return peers->known;
}

/* --- the queue --- */

void talk_happen(struct world *w, const struct happening *h)
{
    struct talk *t = w->talk;
    if (h->kind == HAPPEN_FRAME)
        mesh_arrive(t->mesh, h->what);
    else
        mesh_wake(t->mesh, t->speakers[h->who], h->what);
}

/* --- the hostile, and what they must not bring about --- */

void talk_harm(struct world *w, uint32_t v)
{
    struct talk *t = w->talk;
    struct random random = random_stream(w->seed, STREAM_GOSSIP, HARMS + (uint64_t)v);
    if (t->speakers[v] != VALIDATOR_NONE)
        mesh_harm(t->mesh, t->speakers[v], (enum mesh_harm)random_below(&random, MESH_HARMS));
}

bool talk_sound(const struct world *w, uint32_t *holder, uint32_t *about)
{
    const struct talk *t = w->talk;
    if (mesh_sound(t->mesh, holder, about))
        return true;
    *holder = t->validators[*holder];
    *about = t->validators[*about];
    return false;
}
