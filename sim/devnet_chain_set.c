#include "sim/devnet_chain_set.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void *take_memory(size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);
    assert(memory);
    return memory;
}

/* --- sets --- */

struct entry { /* member first: devnet_member_compare() */
    struct member member;
    uint32_t validator;
    int64_t priority;
};

static void set_fill(struct chain_set *set, const struct entry *entries, uint32_t count)
{
    *set = (struct chain_set){
        .members = take_memory(count, sizeof *set->members),
        .validators = take_memory(count, sizeof *set->validators),
        .priorities = take_memory(count, sizeof *set->priorities),
        .count = count,
    };
    for (uint32_t i = 0; i < count; i++) {
        set->members[i] = entries[i].member;
        set->validators[i] = entries[i].validator;
        set->priorities[i] = entries[i].priority;
        set->power += entries[i].member.power;
    }
}

void chain_set_make(struct chain_set *set, const struct model_set *from, const struct member *all)
{
    struct entry *entries = take_memory(from->count, sizeof *entries);
    for (uint32_t i = 0; i < from->count; i++) {
        const struct model_member *m = &from->members[i];
        entries[i] = (struct entry){all[m->validator], m->validator, m->priority};
        entries[i].member.power = m->power;
    }
    qsort(entries, from->count, sizeof *entries, devnet_member_compare);
    set_fill(set, entries, from->count);
    free(entries);
}

void chain_set_copy(struct chain_set *set, const struct chain_set *from)
{
    *set = *from;
    set->members = take_memory(from->count, sizeof *set->members);
    set->validators = take_memory(from->count, sizeof *set->validators);
    set->priorities = take_memory(from->count, sizeof *set->priorities);
    memcpy(set->members, from->members, from->count * sizeof *set->members);
    memcpy(set->validators, from->validators, from->count * sizeof *set->validators);
    memcpy(set->priorities, from->priorities, from->count * sizeof *set->priorities);
}

void chain_set_clear(struct chain_set *set)
{
    free(set->members);
    free(set->validators);
    free(set->priorities);
    *set = (struct chain_set){0};
}

uint32_t chain_set_find(const struct chain_set *set, uint32_t validator)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (set->validators[i] == validator)
            return i;
    return UINT32_MAX;
}

bool chain_set_decides(const struct chain_set *set, int64_t power)
{
    return power * 3 > set->power * 2;
}

/* --- votes --- */

void chain_votes_begin(struct chain_votes *votes, const struct chain_set *set, int64_t height,
                       int32_t round, const struct block_id *id, const struct time_stamp *time)
{
    *votes = (struct chain_votes){
        .commit = {.height = height, .round = round, .block_id = *id, .count = set->count},
        .block_time = *time,
    };
    votes->commit.sigs = take_memory(set->count, sizeof *votes->commit.sigs);
    for (uint32_t i = 0; i < set->count; i++)
        votes->commit.sigs[i] =
            (struct commit_sig){.flag = COMMIT_ABSENT, .time = {.seconds = TIME_STAMP_ZERO_S}};
}

void chain_votes_copy(struct chain_votes *votes, const struct chain_votes *from)
{
    *votes = *from;
    votes->commit.sigs = take_memory(from->commit.count, sizeof *votes->commit.sigs);
    if (from->commit.count)
        memcpy(votes->commit.sigs, from->commit.sigs,
               from->commit.count * sizeof *votes->commit.sigs);
}

void chain_votes_clear(struct chain_votes *votes)
{
    free(votes->commit.sigs);
    *votes = (struct chain_votes){0};
}

enum chain_vote chain_votes_take(struct chain_votes *votes, const struct chain_set *set,
                                 const char *chain_id, uint32_t validator,
                                 const struct devnet_vote *vote)
{
    uint32_t place = chain_set_find(set, validator);
    assert(votes->commit.count == set->count);
    if (place == UINT32_MAX)
        return VOTE_STRANGER;
    struct commit_sig *sig = &votes->commit.sigs[place];
    if (sig->flag != COMMIT_ABSENT)
        return VOTE_DOUBLE;
    if (devnet_time_compare(&vote->time, &votes->block_time) <= 0)
        return VOTE_TIME;
    struct devnet_ballot ballot = {chain_id, vote->height, vote->round, votes->commit.block_id,
                                   vote->time};
    if (!devnet_vote_check(&ballot, set->members[place].public_key, vote->signature))
        return VOTE_FORGED;
    *sig = (struct commit_sig){
        .flag = COMMIT_FOR_BLOCK, .time = vote->time, .signature_size = ED25519_SIGNATURE_SIZE};
    memcpy(sig->address, set->members[place].address, ADDRESS_SIZE);
    memcpy(sig->signature, vote->signature, ED25519_SIGNATURE_SIZE);
    votes->power += set->members[place].power;
    return VOTE_TAKEN;
}
