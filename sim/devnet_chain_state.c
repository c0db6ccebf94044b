#include "sim/devnet_chain_state.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *take_memory(size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);
    assert(memory);
    return memory;
}

/* --- the beginning --- */

static void find_members(struct chain_state *state)
{
    const struct app_genesis *genesis = state->genesis;
    state->all = take_memory(genesis->count, sizeof *state->all);
    for (uint32_t i = 0; i < genesis->count; i++) {
        struct member *member = &state->all[i];
        memcpy(member->public_key, genesis->validators[i].consensus_key, ED25519_KEY_SIZE);
        member_address(member->public_key, member->address);
    }
}

static void find_sets(struct chain_state *state)
{
    struct model *model = app_model(state->app);
    chain_set_clear(&state->set);
    chain_set_clear(&state->next_set);
    chain_set_make(&state->set, model_validators(model), state->all);
    chain_set_make(&state->next_set, model_next_validators(model), state->all);
}

/* --- running a block --- */

static void begin(struct chain_state *state, const struct header *header)
{
    const struct commit *last = &state->last_votes.commit;
    uint32_t *missing = take_memory(last->count, sizeof *missing), count = 0;
    for (uint32_t i = 0; i < last->count; i++)
        if (last->sigs[i].flag == COMMIT_ABSENT)
            missing[count++] = state->last_set.validators[i];
    app_begin(state->app, height_at((uint64_t)header->height), devnet_time_ms(&header->time),
              missing, count);
    free(missing);
}

static void note_end(struct chain_state *state)
{
    const char *words = app_dead(state->app);
    state->stopped = true;
    state->by_plan = !words;
    if (!words)
        words = app_halted(state->app);
    (void)snprintf(state->words, sizeof state->words, "%s", words ? words : "the chain has halted");
}

static void hash_results(struct chain_state *state, const struct app_result *results,
                         uint32_t count)
{
    struct tx_result *bound = take_memory(count, sizeof *bound);
    for (uint32_t i = 0; i < count; i++)
        bound[i] = (struct tx_result){results[i].code, results[i].data, results[i].data_size,
                                      results[i].gas_wanted, results[i].gas_used};
    results_hash(bound, count, state->results_hash);
    free(bound);
}

/* Returns whether it was applied; updates has room for all validators. */
static bool run(struct chain_state *state, const struct header *header, const struct tx_bytes *txs,
                uint32_t tx_count, struct app_result *results, struct member *updates,
                uint32_t *update_count)
{
    *update_count = 0;
    begin(state, header);
    for (uint32_t i = 0; i < tx_count; i++)
        app_deliver(state->app, txs[i].bytes, txs[i].size, &results[i]);
    if (!app_end(state->app, updates, update_count)) {
        *update_count = 0;
        note_end(state);
        return false;
    }
    app_hash(state->app, state->app_hash);
    hash_results(state, results, tx_count);
    return true;
}

/* The block that was run and stored becomes the last one; takes the votes over. */
static void advance(struct chain_state *state, const struct header *header,
                    const struct block_id *id, uint32_t tx_count, struct chain_votes *votes)
{
    chain_votes_clear(&state->last_votes);
    state->last_votes = *votes;
    state->first = false;
    state->last_header = *header;
    state->last_id = *id;
    state->last_tx_count = tx_count;
    state->height = header->height + 1;
    chain_set_clear(&state->last_set);
    chain_set_copy(&state->last_set, &state->set);
    find_sets(state);
}

/* --- replay --- */

static bool hash_differs(const struct hash *hash, const struct chain_set *set)
{
    uint8_t expected[HASH_SIZE];
    members_hash(set->members, set->count, expected);
    return hash->none || memcmp(hash->bytes, expected, HASH_SIZE) != 0;
}

/* What in a stored header is not what this application comes to; NULL: nothing. */
static const char *header_difference(const struct chain_state *state, const struct header *header)
{
    uint8_t nothing[HASH_SIZE];
    data_hash(NULL, 0, nothing);
    const uint8_t *app = state->first ? nothing : state->app_hash;
    const uint8_t *results = state->first ? nothing : state->results_hash;
    if (strcmp(header->chain_id, state->genesis->chain_id) != 0)
        return "chain_id";
    if (header->height != state->height)
        return "height";
    if (hash_differs(&header->validators_hash, &state->set))
        return "validators_hash";
    if (hash_differs(&header->next_validators_hash, &state->next_set))
        return "next_validators_hash";
    if (header->app_hash_size != HASH_SIZE || memcmp(header->app_hash, app, HASH_SIZE) != 0)
        return "app_hash";
    if (memcmp(header->last_results_hash.bytes, results, HASH_SIZE) != 0)
        return "last_results_hash";
    return NULL;
}

static bool check_stored(const struct chain_state *state, const struct stored_block *block,
                         struct fault *fault)
{
    const struct header *header = &block->header;
    const char *difference = header_difference(state, header);
    if (difference)
        return fault_set(fault,
                         "its %s is not what the application comes to; the directory belongs to "
                         "another genesis or version, choose another one",
                         difference);
    if (state->last_votes.commit.count != (state->first ? 0 : state->last_set.count) ||
        block->seen_commit.count != state->set.count)
        return fault_set(fault, "a commit of it has another number of entries than its set");
    return header_check_id(header, &block->id, fault) &&
           (state->first || header_check_next_header(&state->last_header, header, fault)) &&
           header_check_commit(header, &block->last_commit, fault) &&
           header_check_data(header, block->txs, block->tx_count, fault);
}

/* Commits are dear to verify; behind the one that is verified, the last, everything is bound by hashes. */
static bool check_last(const struct chain_state *state, const struct stored_block *block,
                       struct fault *fault)
{
    return block->header.height < store_head(state->store) ||
           commit_verify(&block->seen_commit, state->genesis->chain_id, &block->id,
                         block->header.height, state->set.members, state->set.count, fault);
}

static bool compare_results(const struct stored_block *block, const struct app_result *results,
                            struct fault *fault)
{
    for (uint32_t i = 0; i < block->tx_count; i++)
        if (block->results[i].code != results[i].code)
            return fault_set(fault,
                             "its transaction %" PRIu32 " has code %" PRIu32 " in the log, the "
                             "application says %" PRIu32,
                             i, block->results[i].code, results[i].code);
    return true;
}

static bool rerun(struct chain_state *state, const struct stored_block *block, struct fault *fault)
{
    struct app_result *results = take_memory(block->tx_count, sizeof *results);
    struct member *updates = take_memory(state->genesis->count, sizeof *updates);
    uint32_t update_count;
    bool applied =
        run(state, &block->header, block->txs, block->tx_count, results, updates, &update_count);
    bool good = true;
    if (applied != block->applied)
        good = fault_set(fault, "the application %s it, in the log it is %s",
                         applied ? "applies" : "does not apply",
                         block->applied ? "applied" : "not applied");
    else if (!applied)
        good = fault_set(fault, "is stored but cannot be applied: %s", state->words);
    else if (block->tx_count)
        good = compare_results(block, results, fault);
    for (uint32_t i = 0; i < block->tx_count; i++)
        app_result_clear(&results[i]);
    free(results);
    free(updates);
    return good;
}

/* Votes that came late stand in the next block's last commit only: those of the last block are lost. */
static void take_last_commit(struct chain_state *state, const struct commit *commit)
{
    struct chain_votes from = {.commit = *commit, .block_time = state->last_header.time}, votes;
    for (uint32_t i = 0; i < commit->count; i++)
        if (commit->sigs[i].flag != COMMIT_ABSENT)
            from.power += state->last_set.members[i].power;
    chain_votes_copy(&votes, &from);
    chain_votes_clear(&state->last_votes);
    state->last_votes = votes;
}

static bool replay_block(struct chain_state *state, const struct stored_block *block,
                         struct fault *fault)
{
    struct chain_votes votes;
    if (!state->first && block->last_commit.count == state->last_set.count)
        take_last_commit(state, &block->last_commit);
    if (!check_stored(state, block, fault) || !check_last(state, block, fault) ||
        !rerun(state, block, fault))
        return false;
    chain_votes_copy(&votes, &(struct chain_votes){.commit = block->seen_commit,
                                                   .block_time = block->header.time});
    advance(state, &block->header, &block->id, block->tx_count, &votes);
    take_last_commit(state, &block->seen_commit);
    return true;
}

static bool replay(struct chain_state *state, struct fault *fault)
{
    for (int64_t h = store_first(state->store); h > 0 && h <= store_head(state->store); h++) {
        struct stored_block block;
        char where[64];
        if (!store_read(state->store, h, &block, fault))
            return false;
        bool good = replay_block(state, &block, fault);
        stored_block_clear(&block);
        (void)snprintf(where, sizeof where, "block %" PRId64, h);
        if (!good)
            return fault_within(fault, where) || fault_within(fault, state->log_path);
    }
    return true;
}

bool chain_state_open(struct chain_state *state, const char *log_path,
                      const struct app_genesis *genesis, struct fault *fault)
{
    *state = (struct chain_state){.genesis = genesis, .log_path = log_path, .first = true};
    state->height = (int64_t)genesis->initial_height.n;
    state->app = app_create(genesis, fault);
    if (!state->app)
        return false;
    find_members(state);
    find_sets(state);
    state->store = store_open(log_path, true, fault);
    return state->store && replay(state, fault);
}

void chain_state_close(struct chain_state *state)
{
    store_close(&state->store);
    app_destroy(&state->app);
    chain_votes_clear(&state->last_votes);
    chain_set_clear(&state->last_set);
    chain_set_clear(&state->set);
    chain_set_clear(&state->next_set);
    free(state->all);
    state->all = NULL;
}

/* --- the next block --- */

void chain_state_draft(const struct chain_state *state, uint32_t proposer,
                       const struct tx_bytes *txs, uint32_t tx_count, struct chain_block *block)
{
    struct devnet_draft draft = {
        .chain_id = state->genesis->chain_id,
        .height = state->height,
        .first = state->first,
        .time = devnet_time_of_ms(state->genesis->time_ms),
        .last_commit = &state->last_votes.commit,
        .members = state->set.members,
        .next_members = state->next_set.members,
        .member_count = state->set.count,
        .next_count = state->next_set.count,
        .proposer = state->all[proposer].address,
        .txs = txs,
        .tx_count = devnet_block_fit(txs, tx_count, state->last_set.count),
    };
    if (!state->first)
        draft.time =
            devnet_block_time(draft.last_commit, state->last_set.members, &state->last_header.time);
    memcpy(draft.app_hash, state->app_hash, HASH_SIZE);
    memcpy(draft.last_results_hash, state->results_hash, HASH_SIZE);
    block->tx_count = draft.tx_count;
    bool made = devnet_block_make(&draft, &block->header, &block->id, &block->size);
    assert(made); /* memory is short */
}

static bool store_block(struct chain_state *state, const struct stored_block *block,
                        struct fault *fault)
{
    struct stored_block record = *block;
    struct stored_member *members = take_memory(state->set.count, sizeof *members);
    for (uint32_t i = 0; i < state->set.count; i++)
        members[i] = (struct stored_member){state->set.members[i], state->set.priorities[i]};
    record.members = members;
    record.member_count = state->set.count;
    record.last_commit = state->last_votes.commit;
    if (state->first)
        record.last_commit =
            (struct commit){.block_id = {.hash.none = true, .parts_hash.none = true}};
    bool stored = store_append(state->store, &record, fault);
    free(members);
    return stored;
}

bool chain_state_commit(struct chain_state *state, const struct chain_block *block,
                        const struct tx_bytes *txs, const struct chain_votes *votes,
                        struct app_result *results, struct fault *fault)
{
    assert(!state->stopped && block->header.height == state->height);
    struct member *updates = take_memory(state->genesis->count, sizeof *updates);
    struct stored_block record = {
        .header = block->header,
        .id = block->id,
        .size = block->size,
        .tx_count = block->tx_count,
        .seen_commit = votes->commit,
        .updates = updates,
    };
    record.txs = take_memory(block->tx_count, sizeof *record.txs);
    if (block->tx_count)
        memcpy(record.txs, txs, block->tx_count * sizeof *txs);
    record.applied =
        run(state, &block->header, txs, block->tx_count, results, updates, &record.update_count);
    record.results =
        app_dead(state->app) || record.applied ? results : NULL; /* a halt by plan delivers none */
    bool stored = store_block(state, &record, fault);
    if (stored && record.applied) {
        struct chain_votes kept;
        chain_votes_copy(&kept, votes);
        advance(state, &block->header, &block->id, block->tx_count, &kept);
    }
    free(record.txs);
    free(updates);
    return stored;
}
