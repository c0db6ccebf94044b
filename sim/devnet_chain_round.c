#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/encoding.h"
#include "sim/devnet_chain_internal.h"
#include "sim/devnet_chain_mark.h"

#define LATE_BLOCKS                                                                                \
    2 /* block times that a vote is waited for: a busy machine is no network's fault */

/* --- when --- */

/* The time after which the next block is wanted. */
static int64_t rest_until(const struct chain_process *p)
{
    const struct devnet_chain_config *config = p->config;
    bool first = p->state.first,
         second = p->state.last_header.height == (int64_t)config->genesis->initial_height.n;
    bool wanted = chain_pool_count(p->pool) > 0 || first || second || p->state.last_tx_count > 0;
    int64_t pause =
        wanted || config->empty_ms < config->block_ms ? config->block_ms : config->empty_ms;
    int64_t due = p->proposed_ms + pause;
    int64_t late_votes = p->committed_ms + config->block_ms / 4;
    return due > late_votes ? due : late_votes;
}

/* Whether somebody who is there and was asked has not voted for the last block. */
static bool votes_awaited(const struct chain_process *p, int64_t now)
{
    const struct chain_set *set = &p->state.last_set;
    const struct commit *commit = &p->state.last_votes.commit;
    for (uint32_t i = 0; !p->state.first && i < commit->count; i++)
        if (commit->sigs[i].flag == COMMIT_ABSENT && p->peers.list[set->validators[i]].asked &&
            chain_peers_present(&p->peers, set->validators[i], now))
            return true;
    return false;
}

static bool enough_present(const struct chain_process *p, int64_t now)
{
    const struct chain_set *set = &p->state.set;
    int64_t power = 0;
    for (uint32_t i = 0; i < set->count; i++)
        if (chain_peers_present(&p->peers, set->validators[i], now))
            power += set->members[i].power;
    return chain_set_decides(set, power);
}

static int64_t wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec > 0 ? (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 : 0;
}

/* --- proposing --- */

void chain_poll(struct chain_process *p, uint32_t validator)
{
    struct chain_peer *peer = &p->peers.list[validator];
    if (p->stage != STAGE_VOTES || peer->asked ||
        chain_set_find(&p->state.set, validator) == UINT32_MAX ||
        !chain_peers_present(&p->peers, validator, chain_now_ms()))
        return;
    struct devnet_frame frame = {
        .kind = FRAME_PROPOSE,
        .propose = {p->block.header.height, p->round, p->block.id, p->block.header.time, wall_ms()},
    };
    if (chain_tell(p, validator, &frame))
        peer->asked = true;
}

static bool keep_mark(struct chain_process *p)
{
    struct fault fault;
    struct chain_mark mark = {p->block.header.height, p->round, p->block.id};
    if (chain_mark_write(p->config->mark_path, &mark, &fault))
        return true;
    chain_say("%s", fault.text);
    p->status = 1;
    return false;
}

static void propose(struct chain_process *p, uint32_t proposer, int64_t now)
{
    chain_state_draft(&p->state, proposer, chain_pool_txs(p->pool), chain_pool_count(p->pool),
                      &p->block);
    if (!keep_mark(p))
        return;
    chain_votes_clear(&p->votes);
    chain_votes_begin(&p->votes, &p->state.set, p->block.header.height, p->round, &p->block.id,
                      &p->block.header.time);
    p->stage = STAGE_VOTES;
    p->proposed_ms = now;
    p->round_due_ms = now + p->config->propose_ms;
    for (uint32_t i = 0; i < p->peers.count; i++)
        p->peers.list[i].asked = false;
    chain_poll(p, proposer);
    if (!p->peers.list[proposer].asked) { /* it went away this moment; nobody was asked */
        p->stage = STAGE_PROPOSER;
        return;
    }
    for (uint32_t i = 0; i < p->peers.count; i++)
        chain_poll(p, i);
}

/* --- votes --- */

static const char *refusal(enum chain_vote verdict)
{
    switch (verdict) {
    case VOTE_STRANGER:
        return "the node is not in the set";
    case VOTE_DOUBLE:
        return "it has voted already";
    case VOTE_TIME:
        return "its time is not behind the block's";
    case VOTE_FORGED:
        return "its signature is wrong";
    case VOTE_TAKEN:
        break;
    }
    return NULL;
}

/* The votes that a vote belongs to: of the block that is proposed, or the last one while none is. */
static struct chain_votes *votes_for(struct chain_process *p, const struct devnet_vote *vote,
                                     const struct chain_set **set)
{
    bool proposed = p->stage == STAGE_VOTES;
    struct chain_votes *votes = proposed ? &p->votes : &p->state.last_votes;
    *set = proposed ? &p->state.set : &p->state.last_set;
    if (!proposed && (p->state.first || p->stage == STAGE_END))
        return NULL;
    return vote->height == votes->commit.height && vote->round == votes->commit.round ? votes
                                                                                      : NULL;
}

void chain_vote(struct chain_process *p, uint32_t validator, const struct devnet_vote *vote)
{
    const struct chain_set *set;
    struct chain_votes *votes = votes_for(p, vote, &set);
    const char *why = "it is late, or for nothing that was proposed";
    if (votes)
        why = refusal(chain_votes_take(votes, set, p->config->genesis->chain_id, validator, vote));
    if (why)
        chain_say_some(p,
                       "a vote of node %" PRIu32 " for block %" PRId64 ", round %" PRId32
                       ", is dropped: %s",
                       validator, vote->height, vote->round, why);
}

/* --- a block --- */

static void tell_block(struct chain_process *p, const struct chain_block *block)
{
    char hash[HEX_TEXT(HASH_SIZE)];
    struct devnet_frame frame = {.kind = FRAME_COMMITTED,
                                 .committed = {store_head(p->state.store)}};
    hex_encode_upper(block->id.hash.bytes, HASH_SIZE, hash);
    chain_say("block %" PRId64 " %.12s round %" PRId32 " transactions %" PRIu32 " power %" PRId64
              " of %" PRId64,
              block->header.height, hash, p->votes.commit.round, block->tx_count, p->votes.power,
              p->state.stopped ? p->state.set.power : p->state.last_set.power);
    chain_tell_all(p, &frame);
}

static void stop(struct chain_process *p)
{
    p->stage = STAGE_END;
    chain_say("CONSENSUS FAILURE!!! %s", p->state.words);
    for (uint32_t i = 0; i < p->peers.count; i++)
        chain_tell_failed(p, i);
}

static void rest(struct chain_process *p, int64_t now)
{
    p->stage = STAGE_REST;
    p->committed_ms = now;
    p->first_round = p->round = 0;
    p->round_due_ms = 0;
}

static void commit(struct chain_process *p)
{
    struct fault fault;
    uint32_t count = p->block.tx_count;
    struct app_result *results = calloc((size_t)count + 1, sizeof *results);
    assert(results);
    bool stored = chain_state_commit(&p->state, &p->block, chain_pool_txs(p->pool), &p->votes,
                                     results, &fault);
    if (!stored) {
        chain_say("%s", fault.text);
        p->status = 1;
    } else {
        tell_block(p, &p->block);
        if (p->state.stopped)
            stop(p);
        else
            chain_pool_commit(p->pool, p->state.app, results, count);
    }
    for (uint32_t i = 0; i < count; i++)
        app_result_clear(&results[i]);
    free(results);
    if (stored && !p->state.stopped)
        rest(p, chain_now_ms());
}

/* --- the stages: each returns when it wants to go on, 0 for at once --- */

static void next_round(struct chain_process *p, const char *why)
{
    chain_say("block %" PRId64 ": round %" PRId32 " ends without one, %s", p->state.height,
              p->round, why);
    p->round = p->round < INT32_MAX - 1 ? p->round + 1 : p->round;
    p->round_due_ms = 0;
    p->stage = STAGE_PROPOSER;
}

static int64_t step_rest(struct chain_process *p, int64_t now)
{
    int64_t due = rest_until(p), patience = p->committed_ms + LATE_BLOCKS * p->config->block_ms;
    if (now < due)
        return due;
    if (now < patience && votes_awaited(p, now))
        return patience;
    p->stage = STAGE_PROPOSER;
    p->round = p->first_round;
    p->round_due_ms = 0;
    return 0;
}

static int64_t step_proposer(struct chain_process *p, int64_t now)
{
    if (!enough_present(p, now)) {
        p->round_due_ms = 0;
        return CHAIN_NEVER;
    }
    uint32_t proposer = model_proposer(app_model(p->state.app), (uint32_t)p->round);
    if (chain_peers_present(&p->peers, proposer, now)) {
        propose(p, proposer, now);
        return 0;
    }
    if (p->round_due_ms == 0)
        p->round_due_ms = now + p->config->propose_ms;
    if (now < p->round_due_ms)
        return p->round_due_ms;
    next_round(p, "its proposer is absent");
    return 0;
}

/* A proposer that hangs has told nobody of its block, whatever the others have said to us. */
static bool proposer_voted(const struct chain_process *p)
{
    const struct commit *commit = &p->votes.commit;
    for (uint32_t i = 0; i < commit->count; i++)
        if (memcmp(p->state.set.members[i].address, p->block.header.proposer, ADDRESS_SIZE) == 0)
            return commit->sigs[i].flag == COMMIT_FOR_BLOCK;
    return false;
}

static int64_t step_votes(struct chain_process *p, int64_t now)
{
    if (proposer_voted(p) && chain_set_decides(&p->state.set, p->votes.power)) {
        commit(p);
        return 0;
    }
    if (now < p->round_due_ms)
        return p->round_due_ms;
    next_round(p, "votes are missing");
    return 0;
}

int64_t chain_step(struct chain_process *p)
{
    int64_t due = 0;
    while (due == 0 && p->status < 0 && p->stage != STAGE_END) {
        int64_t now = chain_now_ms();
        if (p->stage == STAGE_REST)
            due = step_rest(p, now);
        else if (p->stage == STAGE_PROPOSER)
            due = step_proposer(p, now);
        else
            due = step_votes(p, now);
    }
    return due == 0 ? CHAIN_NEVER : due;
}
