/* From a leaf on the faults stop: every transaction stands in the next block, every question is answered, every
 * agent that died starts again with its journal, nobody lags. Then everybody has to come back, and where nobody
 * plays by another charter, to have had its turn. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model/search.h"

#define DRAIN_BLOCKS 300
#define PATIENCE 60 /* steps of one agent between two blocks */

struct drain {
    struct search *search;
    struct link links[LINKS_MAX + DRAIN_BLOCKS];
    struct local locals[MEMBERS_MAX];
    struct view *view;
    uint32_t at;
};

static void keep(void *taker, const struct local *local, uint32_t crash)
{
    assert(crash == NO_CRASH);
    *(struct local *)taker = *local;
}

static bool is_fair(const struct action *a, const struct scene *scene, const struct local *l,
                    bool commanded)
{
    switch (a->kind) {
    case ACT_START_KEPT:
    case ACT_RUNTIME:
    case ACT_NODE:
    case ACT_TIME:
        return true;
    case ACT_SHOW:
    case ACT_SELF:
        return a->height == scene->height;
    case ACT_COMMAND:
        return !commanded;
    case ACT_START_LOST:
        return l->lost;
    default:
        return false;
    }
}

/* Questions and steps first, blocks and commands when there are none. */
static bool step_fairly(const struct scene *scene, struct local *local, bool *commanded)
{
    struct action actions[ACTIONS_MAX];
    uint32_t count = local_actions(scene, local, actions);
    const struct action *best = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (!is_fair(&actions[i], scene, local, *commanded))
            continue;
        bool late = best && best->kind >= ACT_COMMAND && best->kind <= ACT_SHOW;
        if (!best || (late && actions[i].kind > ACT_SHOW))
            best = &actions[i];
    }
    if (!best)
        return false;
    const struct action action = *best;
    *commanded |= best->kind == ACT_COMMAND;
    local_act(scene, local, best, false, keep, local);
    (void)local_settle(scene->search, local, scene->height);
    if (scene->search->replaying)
        replay_step(&action, NO_CRASH, local);
    return true;
}

static void step_all(struct drain *d)
{
    for (uint32_t v = 0; v < d->search->world->agents; v++) {
        struct scene scene = {d->search, v, d->links[d->at].height, d->links, d->view};
        bool commanded = false;
        if (d->search->replaying)
            printf("    validator %" PRIu32 "\n", v);
        for (uint32_t i = 0; step_fairly(&scene, &d->locals[v], &commanded); i++)
            if (i == PATIENCE)
                search_fail(d->search, "quiet", v, "it never waits for a block");
    }
}

static enum tx_kind next_tx(const struct drain *d, uint32_t v)
{
    if (v >= d->search->world->agents)
        return d->links[d->at].paused >> v & 1 ? TX_UNPAUSE : TX_OTHER;
    const uint64_t *pool = d->locals[v].pool;
    return pool[2] ? TX_UNPAUSE : pool[1] ? TX_PAUSE : pool[0] ? TX_JOIN : TX_OTHER;
}

static void next_block(struct drain *d)
{
    uint32_t at = d->at + 1;
    memset(&d->links[at], 0, sizeof d->links[at]);
    for (uint32_t v = 0; v < d->search->world->count; v++)
        d->links[at].kind[v] = (uint8_t)next_tx(d, v);
    chain_extend(d->search, d->links, at, d->view);
    for (uint32_t v = 0; v < d->search->world->agents; v++)
        local_block(&d->locals[v], d->links[at].height, d->links[at].kind[v], d->links[at].code[v]);
    d->at = at;
    if (d->search->replaying)
        replay_block(d->search, &d->links[at]);
    d->search->count.drained_blocks++;
}

/* It would not fit though everybody were live. */
static bool is_too_heavy(const struct search_world *w, uint32_t v)
{
    int64_t all = 0;
    for (uint32_t i = 0; i < w->count; i++)
        all += w->power[i];
    return w->power[v] > all - (2 * all / 3 + 1) - w->reserve;
}

static bool is_back(const struct drain *d, uint32_t v)
{
    const struct local *l = &d->locals[v];
    const struct link *head = &d->links[d->at];
    enum coord_state state = l->core.memory.state;
    bool between = state == COORD_IDLE || state == COORD_JOINING || state == COORD_WAITING ||
                   state == COORD_DONE;
    bool done = l->rebooted && l->core.memory.errand == ERRAND_NONE && state != COORD_JOINING;
    return l->alive && l->up && between && (head->next & head->wanted) >> v & 1 &&
           (done || d->search->world->foreign_joins || is_too_heavy(d->search->world, v));
}

static uint32_t count_back(const struct drain *d)
{
    uint32_t back = 0;
    for (uint32_t v = 0; v < d->search->world->agents; v++)
        back += is_back(d, v);
    return back;
}

static void fail(struct drain *d)
{
    for (uint32_t v = 0; v < d->search->world->agents; v++)
        if (!is_back(d, v))
            search_fail(d->search, "left-paused", v,
                        "not back %d blocks after the last fault: %s, %s the set", DRAIN_BLOCKS - 1,
                        coord_state_name(d->locals[v].core.memory.state),
                        d->links[d->at].next >> v & 1 ? "in" : "out of");
}

void drain_run(struct search *s, const uint32_t chosen[MEMBERS_MAX])
{
    struct drain *d = calloc(1, sizeof *d);
    assert(d);
    d->search = s;
    d->at = s->depth - 1;
    memcpy(d->links, s->links, s->depth * sizeof *d->links);
    d->view = chain_view(s, s->links, s->depth);
    s->drained = chosen;
    for (uint32_t v = 0; v < s->world->agents; v++)
        d->locals[v] = *set_local(s, chosen[v]);
    for (uint32_t i = 0; i < DRAIN_BLOCKS - 1; i++) {
        step_all(d);
        if (count_back(d) == s->world->agents && i > s->charter.epoch_blocks)
            break;
        next_block(d);
    }
    if (count_back(d) != s->world->agents)
        fail(d);
    s->drained = NULL;
    s->count.drains++;
    view_destroy(&d->view);
    free(d);
}
