#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/model_rules.h"

/* --- what the rules call --- */

void model_set_status(struct model *chain, uint32_t validator, enum model_status status)
{
    struct model_record *record = &chain->records[validator];
    bool was_active = record->status == STATUS_ACTIVE;
    bool is_active = status == STATUS_ACTIVE;
    bool next = chain->flags[validator] & IN_NEXT;

    chain->registered -= record->status != STATUS_NONE;
    chain->registered += status != STATUS_NONE;
    chain->active -= was_active;
    chain->active += is_active;
    chain->active_next -= was_active && next;
    chain->active_next += is_active && next;
    record->status = status;
}

void model_touch(struct model *chain, uint32_t validator, enum model_queue queue)
{
    chain->queues[validator] = (uint8_t)queue;
    if (chain->flags[validator] & TOUCHED)
        return;
    chain->flags[validator] |= TOUCHED;
    chain->touched[chain->touched_count++] = validator;
}

void model_note(struct model *chain, uint32_t validator, const char *why)
{
    if (!(chain->flags[validator] & IN_NEXT))
        return;
    assert(chain->change_count < chain->record_count);
    chain->changes[chain->change_count++] = (struct model_change){validator, false, why};
}

/* --- blocks --- */

static void mark_missing(struct model *chain, const uint32_t *missing, uint32_t count, bool on)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t v = missing[i];

        assert(v < chain->record_count && chain->flags[v] & IN_LAST);
        chain->flags[v] = (uint8_t)((chain->flags[v] & ~MISSING) | (on ? MISSING : 0));
    }
}

uint32_t model_begin(struct model *chain, struct height height, int64_t time_ms,
                     const uint32_t *missing, uint32_t missing_count)
{
    assert(!model_dead(chain) && !chain->in_block);
    assert(height.n == chain->height.n + 1);

    chain->in_block = true;
    chain->change_count = 0;
    chain->stored_only = model_halted_by_plan(chain);
    if (chain->stored_only)
        return 0;
    chain->time_ms = time_ms;
    mark_missing(chain, missing, missing_count, true);
    chain->rules->begin(chain);
    mark_missing(chain, missing, missing_count, false);
    return chain->change_count;
}

/* What the application tells CometBFT at the end of the block. */
static uint32_t collect_updates(struct model *chain)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < chain->touched_count; i++) {
        uint32_t v = chain->touched[i];
        enum model_update update = chain->rules->update(chain, v);

        chain->flags[v] &= (uint8_t)~TOUCHED;
        chain->queues[v] = QUEUE_NONE;
        if (update == UPDATE_NONE)
            continue;
        chain->updates[count++] = (struct valset_change){
            v, chain->ranks[v], update == UPDATE_ENTER ? chain->records[v].power : 0};
    }
    chain->touched_count = 0;
    return count;
}

static void write_dead(struct model *chain, enum valset_error error, uint32_t culprit)
{
    const char *rest = "every node stops here, and again at every restart";
    uint64_t height = chain->height.n + 1;
    char address[2 * ADDRESS_SIZE + 1];

    if (error != VALSET_ABSENT) {
        (void)snprintf(
            chain->dead, sizeof(chain->dead), "block %" PRIu64 " cannot be applied: %s; %s", height,
            error == VALSET_EMPTY ? "applying the validator changes would result in empty set"
                                  : "a voting power is out of bounds",
            rest);
        return;
    }
    for (size_t i = 0; i < ADDRESS_SIZE; i++)
        (void)snprintf(&address[2 * i], 3, "%02X", chain->records[culprit].address[i]);
    (void)snprintf(chain->dead, sizeof(chain->dead),
                   "block %" PRIu64 " cannot be applied: failed to find validator %s to remove "
                   "(number %" PRIu32 ", which was out of the set already); %s",
                   height, address, culprit, rest);
}

/* Enters one update in the list of changes and in the flags, if it changes the set. */
static void write_change(struct model *chain, const struct valset_change *update)
{
    uint32_t v = update->validator;
    const struct model_member *before = valset_find(&chain->set, chain->ranks, v);
    bool active = chain->records[v].status == STATUS_ACTIVE;

    if ((before ? before->power : 0) == update->power)
        return;
    chain->next_changes[chain->next_change_count++] = (struct view_change){v, update->power};
    chain->flags[v] = (uint8_t)((chain->flags[v] & ~IN_NEXT) | (update->power > 0 ? IN_NEXT : 0));
    chain->active_next -= before && active;
    chain->active_next += update->power > 0 && active;
}

/* V(h) becomes the past: each flag moves down a place, and V(h+1) is what V(h+2) starts from. */
static void rotate_flags(struct model *chain)
{
    for (uint32_t v = 0; v < chain->record_count; v++)
        chain->flags[v] =
            (uint8_t)((chain->flags[v] >> 1 & (IN_LAST | IN_SET)) | (chain->flags[v] & IN_NEXT));
}

static void rotate_sets(struct model *chain, uint32_t update_count)
{
    struct model_set set = chain->set;
    struct view_change *changes = chain->set_changes;

    chain->set = chain->next;
    chain->next = set;
    chain->set_changes = chain->next_changes;
    chain->set_change_count = chain->next_change_count;
    chain->next_changes = changes;
    chain->next_change_count = 0;
    rotate_flags(chain);
    for (uint32_t i = 0; i < update_count; i++)
        write_change(chain, &chain->updates[i]);
    chain->rotation->started = false;
}

bool model_end(struct model *chain)
{
    enum valset_error error;
    uint32_t count, culprit;

    assert(chain->in_block);
    chain->in_block = false;
    if (chain->stored_only)
        return false;
    count = collect_updates(chain);
    error = valset_update(&chain->set, &chain->next, chain->ranks, chain->updates, count, &culprit);
    if (error) {
        write_dead(chain, error, culprit);
        return false;
    }
    valset_increment(&chain->set, 1);
    rotate_sets(chain, count);
    chain->update_count = count;
    chain->height = height_after(chain->height, 1);
    chain->stamp++;
    return true;
}

/* --- questions --- */

const char *model_dead(const struct model *chain)
{
    return chain->dead[0] ? chain->dead : NULL;
}

bool model_halted_by_plan(const struct model *chain)
{
    const struct model_plan *plan = &chain->plan;

    return plan->pending && plan->processed && !plan->instate;
}

uint32_t model_changes(const struct model *chain, const struct model_change **changes)
{
    *changes = chain->changes;
    return chain->change_count;
}

uint32_t model_set_changes(const struct model *chain, const struct view_change **changes)
{
    *changes = chain->set_changes;
    return chain->set_change_count;
}

uint32_t model_updates(const struct model *chain, struct view_change *updates)
{
    uint32_t count = 0;

    for (uint32_t entering = 0; entering < 2; entering++) {
        for (uint32_t i = 0; i < chain->update_count; i++) {
            const struct valset_change *update = &chain->updates[i];

            if ((update->power > 0) == entering)
                updates[count++] = (struct view_change){update->validator, update->power};
        }
    }
    return count;
}

const struct model_set *model_validators(const struct model *chain)
{
    return &chain->set;
}

const struct model_set *model_next_validators(const struct model *chain)
{
    return &chain->next;
}

uint32_t model_proposer(const struct model *chain, uint32_t round)
{
    struct model_rotation *rotation = chain->rotation;

    if (round == 0)
        return chain->set.proposer;
    if (!rotation->started || rotation->round > round) {
        (void)valset_update(&rotation->set, &chain->set, chain->ranks, NULL, 0, NULL);
        rotation->round = 0;
        rotation->started = true;
    }
    for (; rotation->round < round; rotation->round++)
        valset_increment(&rotation->set, 1);
    return rotation->set.proposer;
}

bool model_in_set(const struct model *chain, uint32_t validator)
{
    assert(validator < chain->record_count);
    return chain->flags[validator] & IN_SET;
}

bool model_in_next_set(const struct model *chain, uint32_t validator)
{
    assert(validator < chain->record_count);
    return chain->flags[validator] & IN_NEXT;
}

uint32_t model_record_count(const struct model *chain)
{
    return chain->record_count;
}

struct model_record *model_record(struct model *chain, uint32_t validator)
{
    assert(validator < chain->record_count);
    return &chain->records[validator];
}

struct model_properties *model_properties(struct model *chain)
{
    return &chain->properties;
}

struct model_plan *model_plan(struct model *chain)
{
    return &chain->plan;
}

uint32_t model_active_count(const struct model *chain)
{
    return chain->active;
}

struct height model_height(const struct model *chain)
{
    return chain->height;
}

uint64_t model_fee(const struct model *chain, enum msg_kind kind)
{
    return chain->rules->fee(chain, kind);
}

/* --- lifecycle --- */

static bool reserve(struct model *chain, uint32_t n)
{
    chain->records = calloc(n, sizeof(*chain->records));
    chain->flags = calloc(n, sizeof(*chain->flags));
    chain->queues = calloc(n, sizeof(*chain->queues));
    chain->touched = calloc(n, sizeof(*chain->touched));
    chain->ranks = calloc(n, sizeof(*chain->ranks));
    chain->set.members = calloc(n, sizeof(*chain->set.members));
    chain->next.members = calloc(n, sizeof(*chain->next.members));
    chain->updates = calloc(n, sizeof(*chain->updates));
    chain->set_changes = calloc(n, sizeof(*chain->set_changes));
    chain->next_changes = calloc(n, sizeof(*chain->next_changes));
    chain->changes = calloc(n, sizeof(*chain->changes));
    chain->accounts = calloc(n, sizeof(*chain->accounts));
    chain->rotation = calloc(1, sizeof(*chain->rotation));
    if (!chain->rotation)
        return false;
    chain->rotation->set.members = calloc(n, sizeof(*chain->rotation->set.members));
    return chain->records && chain->flags && chain->queues && chain->touched && chain->ranks &&
           chain->set.members && chain->next.members && chain->updates && chain->set_changes &&
           chain->next_changes && chain->changes && chain->accounts && chain->rotation->set.members;
}

static uint32_t count_records(struct model *chain)
{
    uint32_t members = 0;

    for (uint32_t v = 0; v < chain->record_count; v++) {
        const struct model_record *record = &chain->records[v];

        assert(record->power > 0 || record->status == STATUS_NONE);
        chain->registered += record->status != STATUS_NONE;
        if (record->status != STATUS_ACTIVE)
            continue;
        chain->active++;
        chain->flags[v] = IN_SET | IN_NEXT;
        chain->updates[members++] = (struct valset_change){v, chain->ranks[v], record->power};
    }
    chain->active_next = members;
    return members;
}

/* V(h0) and V(h0 + 1), as CometBFT makes them of a genesis. */
static void found_sets(struct model *chain)
{
    const struct model_set nobody = {0};
    uint32_t members = count_records(chain);
    enum valset_error error;

    assert(members > 0);
    error = valset_update(&chain->set, &nobody, chain->ranks, chain->updates, members, NULL);
    assert(!error);
    valset_increment(&chain->set, 1);
    error = valset_update(&chain->next, &chain->set, chain->ranks, NULL, 0, NULL);
    assert(!error);
    valset_increment(&chain->next, 1);
}

struct model *model_create(const struct model_config *config)
{
    struct model *chain = calloc(1, sizeof(*chain));

    assert(config->record_count > 0 && config->initial_height.n > 0);
    if (!chain || !reserve(chain, config->record_count) ||
        !valset_rank(config->records, config->record_count, chain->ranks)) {
        model_destroy(&chain);
        return NULL;
    }
    chain->rules = config->kind == CHAIN_KIRA ? &model_rules_kira : &model_rules_dcl;
    chain->properties = config->properties;
    chain->record_count = config->record_count;
    memcpy(chain->records, config->records, config->record_count * sizeof(*config->records));
    chain->height = height_before(config->initial_height, 1);
    chain->time_ms = config->genesis_time_ms;
    chain->stamp = 1;
    found_sets(chain);
    return chain;
}

void model_destroy(struct model **chain)
{
    struct model *c = *chain;

    if (!c)
        return;
    if (c->rotation)
        free(c->rotation->set.members);
    free(c->rotation);
    free(c->accounts);
    free(c->changes);
    free(c->next_changes);
    free(c->set_changes);
    free(c->updates);
    free(c->next.members);
    free(c->set.members);
    free(c->ranks);
    free(c->touched);
    free(c->queues);
    free(c->flags);
    free(c->records);
    free(c);
    *chain = NULL;
}
