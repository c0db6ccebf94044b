/* Sets of local states. Each local state, each set, and what follows from them is computed once. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model/search.h"

#define JOIN_LIFE 10   /* blocks that a join or an unpause is good for, at most */
#define LEAVE_BLOCKS 3 /* as in coord/turn.c */

/* The fields that the digest below must know of. */
_Static_assert(sizeof(void *) != 8 || sizeof(struct coord_memory) == 96,
               "struct coord_memory has changed: bring digest_memory() up to date");
_Static_assert(sizeof(void *) != 8 || sizeof(struct coord) == 320,
               "struct coord has changed: bring digest_core() and settle_core() up to date");

/* --- what makes two local states the same --- */

/* Values that no step can read any more, or that all lead to the same, become one. Each line says why. */
static void settle_memory(struct coord_memory *m, uint64_t seen, uint64_t horizon)
{
    bool between = m->state == COORD_IDLE || m->state == COORD_JOINING ||
                   m->state == COORD_WAITING || m->state == COORD_DONE;
    if (m->flight.timeout.n > horizon)
        m->flight.timeout.n = horizon + JOIN_LIFE; /* no head of the search comes there */
    if (between || m->state == COORD_PAUSING)
        m->entered = HEIGHT_NONE; /* every way into SETTLING sets it anew */
    if (between && m->pause.n + LAG_MAX < seen)
        m->pause = HEIGHT_NONE; /* every later head is more than one block behind it */
}

static void settle_core(struct coord *c, const struct search *s)
{
    const struct charter *charter = &s->charter;
    uint64_t boundary = charter_boundary(charter, c->head).n;
    c->policy = NULL;      /* one for all, */
    c->self = 0;           /* and given anew to each step */
    c->told = REASON_NONE; /* keeps a sentence from being said twice */
    c->head_time.ms = 0;   /* no plan, no hours: */
    c->head_seen.ms = 0;   /* nothing compares them */
    if (!c->memory.lost)
        c->woke = HEIGHT_NONE; /* matters after a lost journal, */
    else if (c->woke.n + charter->epoch_blocks + LEAVE_BLOCKS <= c->head.n)
        c->woke = height_at(1); /* until so long ago */
    if (c->asked.n < c->head.n && c->memory.entered.n == 0)
        c->asked = HEIGHT_NONE; /* asked at this head or not, and later ones follow any `entered` */
    c->blank = HEIGHT_NONE;     /* no limits of one's own, no lottery */
    if (c->decided.n < boundary)
        c->decided = HEIGHT_NONE; /* the next look is at a later boundary */
    if (c->permit.n <= c->decided.n || c->permit.n < boundary)
        c->permit = HEIGHT_NONE; /* only one that waits matters */
    if (c->memory.state != COORD_SETTLING)
        c->signing = HEIGHT_NONE; /* below the `entered` of any settling to come */
    if (c->node.new_blocks > 1)
        c->node.new_blocks = 1;
}

static struct mark digest_memory(struct mark m, const struct coord_memory *c)
{
    m = mark_add(m, (uint64_t)c->state << 32 | (uint64_t)c->errand << 16 | (uint64_t)c->step);
    m = mark_add(m, (uint64_t)c->flight.kind << 2 | (uint64_t)c->flight.twice << 1 |
                        c->flight.refused);
    m = mark_add(m, c->flight.timeout.n);
    m = mark_add(m, c->pause.n);
    m = mark_add(m, c->membership.n);
    m = mark_add(m, c->entered.n);
    m = mark_add(m, (uint64_t)c->expected_ms);
    m = mark_add(m, (uint64_t)c->later_ms);
    m = mark_add(m, (uint64_t)c->attempts << 32 | c->pardoned);
    m = mark_flags(m, (const bool[]){c->forced, c->held, c->failed, c->lost, c->frozen}, 5);
    return mark_add(m, c->frozen_since.n);
}

static struct mark digest_heard(struct mark m, const struct coord *c)
{
    const bool flags[] = {
        c->node.known,     c->node.reachable, c->node.catching_up, c->node.key_matches,
        c->own.known,      c->own.funded,     c->own.by_trustees,  c->plan.pending,
        c->plan.voted_yes, c->peers.known,    c->peers.conflict,
    };
    m = mark_flags(m, flags, sizeof flags / sizeof *flags);
    m = mark_add(m, (uint64_t)c->own.status << 32 | c->node.new_blocks);
    m = mark_add(m, c->node.lag);
    m = mark_add(m, (uint64_t)c->own.inactive_until.ms);
    m = mark_add(m, (uint64_t)c->plan.upgrade_time.ms);
    m = mark_add(m, c->peers.head.n);
    return mark_add(m, (uint64_t)c->peers.failures << 32 | c->peers.domain_out);
}

static struct mark digest_core(struct mark m, const struct coord *c)
{
    m = digest_heard(digest_memory(m, &c->memory), c);
    m = mark_add(m, c->head.n);
    m = mark_add(m, c->woke.n);
    m = mark_add(m, c->decided.n);
    m = mark_add(m, c->stood.n);
    m = mark_add(m, c->permit.n);
    m = mark_add(m, c->asked.n);
    m = mark_add(m, c->nudged.n);
    m = mark_add(m, c->signing.n);
    m = mark_add(m, (uint64_t)c->retry.ms);
    m = mark_add(m, (uint64_t)c->again.ms);
    m = mark_add(m, c->blank.n);
    m = mark_flags(m, (const bool[]){c->recovering, c->store_broken}, 2);
    return mark_add(m, c->thinned);
}

static void settle(const struct search *s, struct local *l, uint64_t height, uint64_t horizon)
{
    if (l->up && l->core.head.n == 0 && l->seen + LAG_MAX < height)
        l->seen = height - LAG_MAX; /* whoever looks first now will be shown no less */
    settle_memory(&l->journal, l->seen, horizon);
    if (l->alive) {
        settle_memory(&l->core.memory, l->seen, horizon);
        settle_core(&l->core, s);
    }
    if (!l->up || l->seen > l->synced)
        l->synced = 0;
    for (uint32_t i = 0; i < POOL_KINDS; i++)
        if (l->pool[i] > horizon)
            l->pool[i] = horizon + JOIN_LIFE;
}

struct mark local_settle(const struct search *s, struct local *l, uint64_t height)
{
    struct mark m = mark_begin(1);
    settle(s, l, height,
           s->drained ? UINT64_MAX - JOIN_LIFE : s->world->last + s->charter.epoch_blocks);
    const bool flags[] = {l->alive, l->up,     l->ask_self, l->ask_node,
                          l->lost,  l->reinit, l->rebooted};
    m = mark_flags(m, flags, sizeof flags / sizeof *flags);
    m = mark_add(m, (uint64_t)l->runtime << 32 | l->inbox_count);
    m = mark_add(mark_add(m, l->seen), l->synced);
    for (uint32_t i = 0; i < POOL_KINDS; i++)
        m = mark_add(m, l->pool[i]);
    for (uint32_t i = 0; i < l->inbox_count; i++)
        m = mark_add(m,
                     l->inbox[i].height << 16 | (uint64_t)l->inbox[i].kind << 8 | l->inbox[i].code);
    m = digest_memory(m, &l->journal);
    return l->alive ? digest_core(m, &l->core) : m;
}

/* --- interning --- */

const struct local *set_local(const struct search *s, uint32_t local)
{
    return (const struct local *)s->local_pile.items + local;
}

const uint32_t *set_members(const struct search *s, uint32_t set)
{
    return (const uint32_t *)s->members.items + ((const struct set *)s->set_pile.items)[set].from;
}

static uint32_t intern(struct search *s, struct local *local, uint64_t height)
{
    bool is_new;
    struct mark mark = local_settle(s, local, height);
    uint32_t *at = table_at(&s->locals, mark, (uint32_t)s->local_pile.count, &is_new);
    if (is_new) {
        *(struct local *)pile_push(&s->local_pile, sizeof *local, 1) = *local;
        *(uint32_t *)pile_push(&s->stamps, sizeof(uint32_t), 1) = 0;
    }
    return *at;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Which transactions of these states the next block can hold. */
static uint32_t kinds_of(const struct search *s, const uint32_t *members, uint32_t count,
                         uint64_t height)
{
    uint32_t kinds = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct local *l = set_local(s, members[i]);
        if (!local_may_wait(l, height))
            continue;
        kinds |= 1u << TX_OTHER;
        kinds |= l->pool[0] ? 1u << TX_JOIN : 0;
        kinds |= l->pool[1] ? 1u << TX_PAUSE : 0;
        kinds |= l->pool[2] ? 1u << TX_UNPAUSE : 0;
    }
    return kinds;
}

/* The set of what stands in the queue. */
static uint32_t intern_set(struct search *s, uint64_t height)
{
    uint32_t *queue = s->queue.items, count = (uint32_t)s->queue.count;
    struct mark mark = mark_begin(2);
    bool is_new;
    if (!s->replaying)
        qsort(queue, count, sizeof *queue, by_number);
    for (uint32_t i = 0; i < count; i++)
        mark = mark_add(mark, queue[i]);
    uint32_t *at = table_at(&s->sets, mark, (uint32_t)s->set_pile.count, &is_new);
    if (!is_new)
        return *at;
    struct set *set = pile_push(&s->set_pile, sizeof *set, 1);
    *set = (struct set){s->members.count, count, kinds_of(s, queue, count, height)};
    memcpy(pile_push(&s->members, sizeof *queue, count), queue, count * sizeof *queue);
    return *at;
}

/* --- closing a set under everything that may happen before the next block --- */

struct taker {
    struct search *search;
    const struct scene *scene;
    uint32_t from; /* index in the queue, for the replay */
    struct action action;
};

static void enqueue(struct search *s, uint32_t local, const struct scene *scene,
                    const struct origin *origin)
{
    uint32_t *stamp = (uint32_t *)s->stamps.items + local;
    if (*stamp == s->stamp)
        return;
    *stamp = s->stamp;
    *(uint32_t *)pile_push(&s->queue, sizeof local, 1) = local;
    if (!s->replaying)
        return;
    struct pile *origins = &s->origins[scene->height - s->world->first][scene->self];
    *(struct origin *)pile_push(origins, sizeof *origin, 1) = *origin;
}

static void take(void *taker, const struct local *local, uint32_t crash)
{
    struct taker *t = taker;
    struct local copy = *local;
    uint32_t next = intern(t->search, &copy, t->scene->height);
    struct origin origin = {next, t->from, t->action, crash, false};
    struct pile *successors = &t->search->successors;

    *(uint32_t *)pile_push(successors, sizeof next, 1) = next;
    enqueue(t->search, next, t->scene, &origin);
}

static void check_present(const struct scene *scene, const struct local *l)
{
    const struct link *head = &scene->links[scene->height - scene->search->world->first];
    if (!l->up && (head->next >> scene->self & 1))
        search_fail(scene->search, "no-missed-block", scene->self,
                    "its node is down by choice and it stands in the set of %" PRIu64,
                    scene->height + 1);
}

/* Queues all outcomes of all that may happen to one local state, and keeps their numbers, a count first. */
static uint32_t expand(struct search *s, const struct scene *scene, uint32_t from)
{
    struct taker taker = {.search = s, .scene = scene, .from = from};
    struct action actions[ACTIONS_MAX];
    const struct local l = *set_local(s, ((uint32_t *)s->queue.items)[from]);
    uint32_t place = (uint32_t)s->successors.count;
    pile_push(&s->successors, sizeof place, 1);
    s->stepping = scene;
    s->stepping_index = from;
    s->stepping_action = NULL;
    check_present(scene, &l);
    uint32_t count = local_actions(scene, &l, actions);
    assert(count <= ACTIONS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        taker.action = actions[i];
        s->stepping_action = &actions[i];
        local_act(scene, &l, &actions[i], true, take, &taker);
    }
    s->stepping = NULL;
    ((uint32_t *)s->successors.items)[place] = (uint32_t)s->successors.count - place - 1;
    return place;
}

static void enqueue_again(struct search *s, const struct scene *scene, uint32_t place)
{
    uint32_t count = ((uint32_t *)s->successors.items)[place];
    for (uint32_t i = 1; i <= count; i++)
        enqueue(s, ((uint32_t *)s->successors.items)[place + i], scene, NULL);
}

static uint32_t close_queue(struct search *s, const struct scene *scene)
{
    const struct link *head = &scene->links[scene->height - s->world->first];
    for (uint32_t i = 0; i < s->queue.count; i++) {
        bool is_new;
        struct mark key = mark_add(mark_begin(3), ((uint32_t *)s->queue.items)[i]);
        uint32_t *at = table_at(&s->steps, mark_join(key, head->seen[scene->self]), 0, &is_new);
        if (is_new || s->replaying || s->plain)
            *at = expand(s, scene, i); /* which does not touch this table */
        else
            enqueue_again(s, scene, *at);
    }
    return intern_set(s, scene->height);
}

static void begin_queue(struct search *s, const struct scene *scene)
{
    s->queue.count = 0;
    s->stamp++;
    if (s->replaying)
        s->origins[scene->height - s->world->first][scene->self].count = 0;
}

uint32_t set_initial(struct search *s, const struct scene *scene)
{
    struct local fresh = local_fresh(s->world->first);
    begin_queue(s, scene);
    struct origin origin = {
        .local = intern(s, &fresh, scene->height), .block = true, .parent = UINT32_MAX};
    enqueue(s, origin.local, scene, &origin);
    return close_queue(s, scene);
}

static void narrow(struct search *s, const struct scene *scene, uint32_t before, enum tx_kind kind,
                   uint32_t code)
{
    const struct set set = ((const struct set *)s->set_pile.items)[before];
    uint64_t height = scene->height;
    for (uint32_t i = 0; i < set.count; i++) {
        struct local l = *set_local(s, set_members(s, before)[i]);
        uint32_t slot = kind == TX_JOIN ? 0 : kind == TX_PAUSE ? 1 : 2;
        if (!local_may_wait(&l, height - 1) || (kind != TX_OTHER && !l.pool[slot]))
            continue;
        local_block(&l, height, kind, code);
        struct origin origin = {.local = intern(s, &l, scene->height), .parent = i, .block = true};
        enqueue(s, origin.local, scene, &origin);
    }
}

uint32_t set_after_block(struct search *s, const struct scene *scene, uint32_t before,
                         enum tx_kind kind, uint32_t code)
{
    bool is_new;
    const struct link *head = &scene->links[scene->height - s->world->first];
    struct mark key = mark_add(mark_add(mark_begin(4), before), (uint64_t)kind << 32 | code);
    uint32_t *at =
        table_at(&s->blocks, mark_join(key, head->seen[scene->self]), UINT32_MAX, &is_new);
    if (!is_new && !s->replaying)
        return *at;
    begin_queue(s, scene);
    narrow(s, scene, before, kind, code);
    *at = close_queue(s, scene); /* which does not touch this table */
    return *at;
}
