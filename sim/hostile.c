/* Validators that break the rules. Each follows one habit, drawn from its seed. */
#include <assert.h>
#include <stdlib.h>

#include "sim/world.h"

#define HABITS 7
#define ACT_MEAN_MS (20 * 60 * 1000.0) /* between two pauses without a permit */
#define AWAY_MIN_MS (3 * 60 * 1000)
#define AWAY_MORE_MS (7 * 60 * 1000)
#define FLOOD_MS 5000
#define FORGE_ONE_IN 4
#define FORGED_MAX 3

struct habit {
    enum hostile_kind kind; /* 0: none */
    bool away;              /* paused, to come back */
};

struct hostile {
    struct habit *habits; /* [count] */
    struct random random;
};

static enum hostile_kind pick(const struct world *w, uint32_t v)
{
    struct random random = random_stream(w->seed, STREAM_HOSTILE, v + UINT64_C(1));
    uint32_t kinds = w->config->hostile_kinds & HOSTILE_ALL;
    if (!kinds)
        return (enum hostile_kind)0;
    for (;;) {
        uint32_t bit = 1u << random_below(&random, HABITS);
        if (kinds & bit)
            return (enum hostile_kind)bit;
    }
}

bool hostile_create(struct world *w)
{
    struct hostile *x = calloc(1, sizeof *x);
    if (!x)
        return false;
    w->hostile = x;
    x->random = random_stream(w->seed, STREAM_HOSTILE, 0);
    x->habits = calloc(w->count, sizeof *x->habits);
    if (!x->habits)
        return false;
    for (uint32_t v = 0; v < w->count; v++) {
        if (w->roles[v] != ROLE_HOSTILE)
            continue;
        x->habits[v].kind = pick(w, v);
        if (x->habits[v].kind == HOSTILE_PAUSE)
            world_later(w, random_exponential_ms(&x->random, ACT_MEAN_MS), HAPPEN_HOSTILE, v, 0);
        if (x->habits[v].kind == HOSTILE_GOSSIP)
            world_later(w, FLOOD_MS, HAPPEN_HOSTILE, v, 0);
    }
    return true;
}

bool hostile_to_gossip(const struct world *w, uint32_t v)
{
    return w->hostile->habits[v].kind == HOSTILE_GOSSIP;
}

void hostile_destroy(struct world *w)
{
    if (w->hostile)
        free(w->hostile->habits);
    free(w->hostile);
    w->hostile = NULL;
}

static void submit(struct world *w, uint32_t v, enum msg_kind kind, uint64_t timeout)
{
    struct model_tx tx = blocks_tx(w, v, kind, BY_HOSTILE);
    uint32_t code;
    tx.timeout_height = timeout;
    blocks_submit(w, v, &tx, w->hosts[v].latency_ms, &code);
}

static void join(struct world *w, uint32_t v, uint32_t class_minutes, uint32_t charter)
{
    enum msg_kind carrier = w->config->chain == CHAIN_KIRA ? MSG_SEND : MSG_CREATE_VALIDATOR;
    struct model_tx tx = blocks_tx(w, v, carrier, BY_HOSTILE);
    uint32_t code;
    blocks_join_memo(w, &tx, class_minutes, charter);
    blocks_submit(w, v, &tx, w->hosts[v].latency_ms, &code);
}

static void go_away(struct world *w, uint32_t v, uint64_t timeout)
{
    struct hostile *x = w->hostile;
    x->habits[v].away = true;
    submit(w, v, MSG_PAUSE, timeout);
    world_later(w, AWAY_MIN_MS + (int64_t)random_below(&x->random, AWAY_MORE_MS), HAPPEN_HOSTILE, v,
                0);
}

void hostile_act(struct world *w, uint32_t v)
{
    struct habit *habit = &w->hostile->habits[v];
    if (habit->kind == HOSTILE_GOSSIP) {
        talk_harm(w, v);
        world_later(w, FLOOD_MS, HAPPEN_HOSTILE, v, 0);
        return;
    }
    if (habit->away && model_record(w->chain, v)->status == STATUS_PAUSED) {
        submit(w, v, MSG_UNPAUSE, 0);
        world_later(w, AWAY_MIN_MS, HAPPEN_HOSTILE, v, 0); /* and looks whether that worked */
        return;
    }
    habit->away = false;
    if (habit->kind != HOSTILE_PAUSE)
        return;
    if (model_in_set(w->chain, v) && model_validators(w->chain)->count > 2)
        go_away(w, v, 0);
    else
        world_later(w, random_exponential_ms(&w->hostile->random, ACT_MEAN_MS), HAPPEN_HOSTILE, v,
                    0);
}

/* By the rules up to the permit: a false class and turn after turn need one. */
static void look_at_draw(struct world *w, uint32_t v, const struct draw *draw)
{
    const struct view *view = world_judge(w);
    enum hostile_kind kind = w->hostile->habits[v].kind;
    const struct view_validator *own = view_validator(view, v);
    enum view_reason reason = view_reason(view, draw, v, NULL);
    uint32_t charter = kind == HOSTILE_CHARTER ? ~w->charter.id : w->charter.id;
    if (reason == VIEW_PERMIT && kind != HOSTILE_NO_SHOW) {
        go_away(w, v, draw->boundary.n + w->charter.epoch_blocks);
        return;
    }
    bool stands = reason == VIEW_BEYOND_BUDGET || reason == VIEW_FOREIGN || reason == VIEW_GONE;
    if (!stands && reason != VIEW_NOT_MEMBER && own->joins < w->charter.joins_max &&
        own->join.n < draw->boundary.n)
        join(w, v, kind == HOSTILE_CLASS || kind == HOSTILE_GREEDY ? CLASS_MAX : CLASS_MIN,
             charter);
}

void hostile_block(struct world *w, const struct draw *draw)
{
    const uint32_t joiners = HOSTILE_CHARTER | HOSTILE_CLASS | HOSTILE_NO_SHOW | HOSTILE_GREEDY;
    if (!draw)
        return;
    for (uint32_t v = 0; v < w->count; v++) {
        const struct habit *habit = &w->hostile->habits[v];
        if ((habit->kind & joiners) && !habit->away && w->hosts[v].up)
            look_at_draw(w, v, draw);
    }
}

/* A hostile proposer may put anything into its block; what is not signed changes nothing but stands there. */
void hostile_propose(struct world *w, uint32_t proposer)
{
    struct hostile *x = w->hostile;
    if (x->habits[proposer].kind != HOSTILE_PROPOSER || random_below(&x->random, FORGE_ONE_IN) != 0)
        return;
    bool kira = w->config->chain == CHAIN_KIRA;
    enum msg_kind kinds[] = {MSG_PAUSE, MSG_UNPAUSE, kira ? MSG_SEND : MSG_CREATE_VALIDATOR,
                             MSG_ACTIVATE};
    enum msg_kind kind = kinds[random_below(&x->random, kira ? 4 : 3)];
    for (uint64_t left = 1 + random_below(&x->random, FORGED_MAX); left > 0; left--) {
        const struct model_set *set = model_validators(w->chain);
        blocks_forge(w, set->members[random_below(&x->random, set->count)].validator, kind);
    }
}
