#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "node/chain_internal.h"

#define TAG(endpoint, which) ((endpoint)*3 + (which))

static void page_ask(struct compare *compare, struct compare_block *block, uint32_t tag);

static struct compare_block *block_at(struct compare *compare, uint32_t tag)
{
    return &compare->blocks[tag / 3][tag % 3];
}

void compare_blocks_destroy(struct compare *compare)
{
    for (uint32_t tag = 0; tag < RPC_ENDPOINTS_MAX * 3; tag++) {
        struct compare_block *block = block_at(compare, tag);
        if (block->has_commit)
            reply_commit_destroy(&block->commit);
        free(block->members);
        *block = (struct compare_block){0};
    }
}

static void block_over(struct compare *compare)
{
    assert(compare->left > 0);
    if (--compare->left == 0)
        compare->next(compare);
}

static void block_prove(struct compare_block *block)
{
    const struct reply_commit *c = &block->commit;
    bool good = header_check_members(&c->header, block->members, block->count, &block->why) &&
                commit_verify(&c->commit, c->header.chain_id, &c->commit.block_id, block->height,
                              block->members, block->count, &block->why);
    block->proof = good ? BLOCK_PROVEN : BLOCK_FALSE;
}

/* Of the right height on every page, and no more of them than the node says. */
static bool page_take(struct compare_block *block, const struct reply_validators *reply)
{
    if (reply->height != block->height || reply->count == 0 || reply->total > REPLY_MEMBERS_MAX ||
        (block->total && block->total != reply->total) ||
        reply->count > reply->total - block->count)
        return false;
    block->total = reply->total;
    if (!block->members)
        block->members = calloc(block->total, sizeof *block->members);
    assert(block->members);
    memcpy(block->members + block->count, reply->members, reply->count * sizeof *reply->members);
    block->count += reply->count;
    return true;
}

static void page_done(struct job *job, uint32_t tag, const struct rpc_answer *answer)
{
    struct compare *compare = (struct compare *)job;
    struct compare_block *block = block_at(compare, tag);
    struct reply_validators reply;
    if (answer->outcome != RPC_OK) {
        block->silent = answer->outcome == RPC_FAILED;
        fault_set(&block->why, "%s", answer->text);
        block_over(compare);
        return;
    }
    if (!reply_validators(answer->result, &reply, &block->why)) {
        block->proof = BLOCK_FALSE;
        block_over(compare);
        return;
    }
    bool good = page_take(block, &reply);
    reply_validators_destroy(&reply);
    if (!good) {
        fault_set(&block->why, "its set of height %" PRId64 " does not add up", block->height);
        block->proof = BLOCK_FALSE;
    } else if (block->count < block->total) {
        page_ask(compare, block, tag);
        return;
    } else {
        block_prove(block);
    }
    block_over(compare);
}

static void page_ask(struct compare *compare, struct compare_block *block, uint32_t tag)
{
    job_call(&compare->job, "validators", params_page(block->height, block->count / 100 + 1),
             block->endpoint, page_done, tag);
}

/* A header is its hash; what a node shows beside it proves nothing. */
static void commit_check(struct compare_block *block)
{
    const struct reply_commit *c = &block->commit;
    header_hash(&c->header, block->hash);
    if (c->header.height != block->height || c->commit.height != block->height ||
        c->commit.block_id.hash.none ||
        memcmp(c->commit.block_id.hash.bytes, block->hash, HASH_SIZE) != 0) {
        fault_set(&block->why, "its header of height %" PRId64 " is not the block of its commit",
                  block->height);
        block->proof = BLOCK_FALSE;
    }
}

static void commit_done(struct job *job, uint32_t tag, const struct rpc_answer *answer)
{
    struct compare *compare = (struct compare *)job;
    struct compare_block *block = block_at(compare, tag);
    if (answer->outcome != RPC_OK) {
        block->silent = answer->outcome == RPC_FAILED;
        block->refused = answer->outcome == RPC_REFUSED;
        fault_set(&block->why, "%s", answer->text);
    } else if (!reply_commit(answer->result, &block->commit, &block->why)) {
        block->proof = BLOCK_FALSE;
    } else {
        block->has_commit = true;
        commit_check(block);
    }
    if (block->has_commit && block->want_members && block->proof == BLOCK_UNPROVEN)
        page_ask(compare, block, tag);
    else
        block_over(compare);
}

void compare_block_load(struct compare *compare, uint32_t endpoint, uint32_t which)
{
    struct compare_block *block = &compare->blocks[endpoint][which];
    compare->left++;
    job_call(&compare->job, "commit", params_height(block->height), block->endpoint, commit_done,
             TAG(endpoint, which));
}

void compare_block_prove(struct compare *compare, uint32_t endpoint, uint32_t which)
{
    struct compare_block *block = &compare->blocks[endpoint][which];
    block->want_members = true;
    if (!block->has_commit && block->proof == BLOCK_UNPROVEN) {
        compare_block_load(compare, endpoint, which);
    } else if (block->proof == BLOCK_UNPROVEN) {
        compare->left++;
        page_ask(compare, block, TAG(endpoint, which));
    }
}

static bool is_in(const uint8_t address[ADDRESS_SIZE], const struct compare_block *block)
{
    for (uint32_t i = 0; i < block->count; i++) {
        if (memcmp(block->members[i].address, address, ADDRESS_SIZE) == 0)
            return block->commit.commit.sigs[i].flag == COMMIT_FOR_BLOCK;
    }
    return false;
}

bool compare_block_carried(const struct compare_block *block, const struct member *trusted,
                           uint32_t count)
{
    int64_t all = 0, signed_power = 0;
    assert(block->proof == BLOCK_PROVEN && block->commit.commit.count == block->count);
    for (uint32_t i = 0; i < count; i++) {
        all += trusted[i].power;
        signed_power += is_in(trusted[i].address, block) ? trusted[i].power : 0;
    }
    return signed_power > all / 3;
}
