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
        free(block->commit.sigs);
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
    bool good = header_check_members(&block->header, block->members, block->count, &block->why) &&
                commit_verify(&block->commit, block->header.chain_id, &block->id, block->height,
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
static void header_take(struct compare_block *block, const struct header *header,
                        const struct block_id *id)
{
    block->header = *header;
    block->id = *id;
    block->has_header = true;
    header_hash(header, block->hash);
    if (header->height != block->height || id->hash.none ||
        memcmp(id->hash.bytes, block->hash, HASH_SIZE) != 0) {
        fault_set(&block->why, "its header of height %" PRId64 " is not the block that it names",
                  block->height);
        block->proof = BLOCK_FALSE;
    }
}

static void answer_bad(struct compare_block *block, const struct rpc_answer *answer)
{
    block->silent = answer->outcome == RPC_FAILED;
    fault_set(&block->why, "%s", answer->text);
}

/* --- a commit that the node does not give stands in the block behind it --- */

static void commit_take(struct compare_block *block, struct commit *commit)
{
    block->commit = *commit;
    commit->sigs = NULL;
    block->has_commit = true;
    if (commit->height != block->height ||
        memcmp(commit->block_id.hash.bytes, block->hash, HASH_SIZE) != 0) {
        fault_set(&block->why, "its block behind height %" PRId64 " commits to another one",
                  block->height);
        block->proof = BLOCK_FALSE;
    }
}

static void behind_done(struct job *job, uint32_t tag, const struct rpc_answer *answer)
{
    struct compare *compare = (struct compare *)job;
    struct compare_block *block = block_at(compare, tag);
    struct reply_block reply;
    if (answer->outcome != RPC_OK) {
        answer_bad(block, answer);
        block_over(compare);
        return;
    }
    if (!reply_block(answer->result, &reply, &block->why)) {
        block->proof = BLOCK_FALSE;
        block_over(compare);
        return;
    }
    commit_take(block, &reply.last_commit);
    reply_block_destroy(&reply);
    if (block->proof == BLOCK_UNPROVEN)
        page_ask(compare, block, tag);
    else
        block_over(compare);
}

/* With a header that is right so far: its commit and its set, where they are wanted. */
static void block_go_on(struct compare *compare, struct compare_block *block, uint32_t tag)
{
    if (!block->want_members || !block->has_header || block->proof != BLOCK_UNPROVEN)
        block_over(compare);
    else if (block->has_commit)
        page_ask(compare, block, tag);
    else
        job_call(&compare->job, "block", params_height(block->height + 1), block->endpoint,
                 behind_done, tag);
}

/* --- the header, from the commit or else from the block --- */

static void block_done(struct job *job, uint32_t tag, const struct rpc_answer *answer)
{
    struct compare *compare = (struct compare *)job;
    struct compare_block *block = block_at(compare, tag);
    struct reply_block reply;
    if (answer->outcome != RPC_OK) {
        answer_bad(block, answer);
        block->refused = answer->outcome == RPC_REFUSED;
    } else if (!reply_block(answer->result, &reply, &block->why)) {
        block->proof = BLOCK_FALSE;
    } else {
        header_take(block, &reply.header, &reply.id);
        reply_block_destroy(&reply);
    }
    block_go_on(compare, block, tag);
}

static void commit_done(struct job *job, uint32_t tag, const struct rpc_answer *answer)
{
    struct compare *compare = (struct compare *)job;
    struct compare_block *block = block_at(compare, tag);
    struct reply_commit reply;
    if (answer->outcome == RPC_REFUSED) {
        job_call(job, "block", params_height(block->height), block->endpoint, block_done, tag);
        return;
    }
    if (answer->outcome != RPC_OK) {
        answer_bad(block, answer);
    } else if (!reply_commit(answer->result, &reply, &block->why)) {
        block->proof = BLOCK_FALSE;
    } else {
        header_take(block, &reply.header, &reply.commit.block_id);
        commit_take(block, &reply.commit);
        reply_commit_destroy(&reply);
    }
    block_go_on(compare, block, tag);
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
    if (!block->has_header && block->proof == BLOCK_UNPROVEN) {
        compare_block_load(compare, endpoint, which);
    } else if (block->proof == BLOCK_UNPROVEN) {
        compare->left++;
        block_go_on(compare, block, TAG(endpoint, which));
    }
}

static bool is_in(const uint8_t address[ADDRESS_SIZE], const struct compare_block *block)
{
    for (uint32_t i = 0; i < block->count; i++) {
        if (memcmp(block->members[i].address, address, ADDRESS_SIZE) == 0)
            return block->commit.sigs[i].flag == COMMIT_FOR_BLOCK;
    }
    return false;
}

bool compare_block_carried(const struct compare_block *block, const struct member *trusted,
                           uint32_t count)
{
    int64_t all = 0, signed_power = 0;
    assert(block->proof == BLOCK_PROVEN && block->commit.count == block->count);
    for (uint32_t i = 0; i < count; i++) {
        all += trusted[i].power;
        signed_power += is_in(trusted[i].address, block) ? trusted[i].power : 0;
    }
    return signed_power > all / 3;
}
