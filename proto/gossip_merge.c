#include <assert.h>
#include <string.h>

#include "proto/gossip_internal.h"

#define VERSION_US 250000             /* new versions of one record: four a second ... */
#define VERSIONS_US (32 * VERSION_US) /* ... and 32 at once */
#define DIAL_TURN_MS 5000

struct rank slot_rank(const struct slot *slot)
{
    if (!slot->record)
        return (struct rank){0};
    const struct gist *gist = &slot->record->gist;
    return (struct rank){gist->serial, slot->is_void ? 0 : gist->sequence, slot->is_void};
}

int rank_compare(struct rank a, struct rank b)
{
    if (a.serial != b.serial)
        return a.serial < b.serial ? -1 : 1;
    if (a.is_void != b.is_void)
        return a.is_void ? 1 : -1;
    return a.sequence < b.sequence ? -1 : a.sequence > b.sequence;
}

void slot_clear(struct gossip *g, struct slot *slot)
{
    pool_drop(g->pool, &slot->record);
    pool_drop(g->pool, &slot->other);
    slot->is_void = false;
}

void slot_changed(struct gossip *g, uint32_t index, uint8_t rounds)
{
    struct slot *slot = &g->slots[index];
    g->bucket_stale |= UINT64_C(1) << bucket_of(slot->address);
    slot->asked = false;
    if (g->news[index] >= rounds)
        return;
    if (g->news_count == 0)
        g->beat_at = g->clock_ms + random_under(g, 20); /* what else comes with it goes along */
    g->news_count += g->news[index] == 0;
    g->news[index] = rounds;
}

/* --- records --- */

static bool version_allowed(struct gossip *g, struct slot *slot)
{
    return limit_take(&slot->limit_us, g->clock_ms, VERSION_US, VERSIONS_US);
}

/* What became of it. Only what its author has signed is charged to the member that it names. */
static enum merge outcome(struct slot *slot, enum verdict verdict)
{
    if (verdict == VERDICT_FORGED || verdict == VERDICT_ALIEN)
        slot->limit_us -= VERSION_US;
    switch (verdict) {
    case VERDICT_GOOD:
        return MERGE_NEW;
    case VERDICT_FORGED:
        return MERGE_BAD;
    case VERDICT_ALIEN: /* sets may differ by a block, and accounts change */
    case VERDICT_UNREAD:
        return MERGE_STRANGER;
    default:
        return MERGE_LIMITED; /* memory is short: as if it had been lost */
    }
}

static bool same_record(const struct kept *kept, const uint8_t *bytes, size_t signed_size)
{
    return kept->signed_size == signed_size && memcmp(kept->bytes, bytes, signed_size) == 0;
}

/* The record of the slot that the peeked one contradicts if it is genuine; NULL when it contradicts none. */
static struct kept *contradicted(const struct slot *slot, const uint8_t *bytes,
                                 const struct record_peek *peek)
{
    struct kept *const held[2] = {slot->record, slot->other};
    for (int i = 0; !slot->is_void && i < 2; i++)
        if (held[i] && held[i]->gist.serial == peek->serial &&
            held[i]->gist.sequence == peek->sequence)
            return same_record(held[i], bytes, peek->signed_size) ? NULL : held[i];
    return NULL;
}

/* A version of ours that we do not know: our next one has to stand above it. */
static void heard_of_us(struct gossip *g, const struct kept *record)
{
    const struct gist *gist = &record->gist;
    if (gist->serial != g->binding.serial || gist->sequence <= g->own_sequence)
        return;
    g->own_sequence = gist->sequence;
    g->own_foreign = true;
}

static void put_record(struct gossip *g, uint32_t index, struct kept *record)
{
    struct slot *slot = &g->slots[index];
    uint8_t rounds = record->gist.quiet ? 0 : slot->asked ? 1 : GOSSIP_ROUNDS;
    bool succeeds =
        slot->record && !slot->is_void && slot->record->gist.serial == record->gist.serial;
    if (!slot->record && memcmp(g->binding.validator, slot->address, ADDRESS_SIZE) > 0)
        slot->dial_ms = g->clock_ms + DIAL_TURN_MS; /* the lower address dials first */
    if (succeeds) {
        pool_drop(g->pool, &slot->other);
        slot->other = slot->record;
    } else {
        slot_clear(g, slot);
    }
    slot->record = record;
    slot->is_void = false;
    slot->heard_ms = g->clock_ms;
    slot_changed(g, index, rounds);
}

static void put_proof(struct gossip *g, uint32_t index, struct kept *a, struct kept *b)
{
    struct slot *slot = &g->slots[index];
    assert(a != b && a->gist.serial == b->gist.serial && a->gist.sequence == b->gist.sequence);
    slot_clear(g, slot);
    slot->record = a;
    slot->other = b;
    slot->is_void = true;
    slot->heard_ms = g->clock_ms;
    slot_changed(g, index, GOSSIP_ROUNDS);
    g->stats.proofs++;
}

static enum merge contradict(struct gossip *g, uint32_t index, struct kept *held,
                             const uint8_t *bytes, size_t size)
{
    struct slot *slot = &g->slots[index];
    struct kept *second = NULL;
    const struct claim claim = {bytes, size, slot->account, held, false};
    enum verdict verdict = pool_take(g->pool, &claim, &second, &g->stats.verified);
    if (verdict != VERDICT_GOOD)
        return outcome(slot, verdict);
    held->users++; /* put_proof() lets go of the slot's own */
    put_proof(g, index, held, second);
    return MERGE_NEW;
}

static enum merge merge(struct gossip *g, const uint8_t *bytes, size_t size, bool own)
{
    struct record_peek peek;
    struct fault fault;
    if (record_version(bytes) != RECORD_VERSION)
        return MERGE_STRANGER;
    if (!record_peek(bytes, size, &peek, &fault))
        return MERGE_BAD;
    uint32_t index = gossip_find(g, peek.validator);
    if (index == VALIDATOR_NONE)
        return MERGE_STRANGER;
    struct slot *slot = &g->slots[index];
    struct kept *held = contradicted(slot, bytes, &peek);
    const struct rank rank = {peek.serial, peek.sequence, false};
    if (!held && rank_compare(rank, slot_rank(slot)) <= 0)
        return MERGE_OLD;
    if (!version_allowed(g, slot))
        return MERGE_LIMITED;
    if (held)
        return contradict(g, index, held, bytes, size);
    struct kept *record = NULL;
    const struct claim claim = {bytes, size, slot->account, slot->record, own};
    enum verdict verdict = pool_take(g->pool, &claim, &record, &g->stats.verified);
    if (verdict != VERDICT_GOOD)
        return outcome(slot, verdict);
    put_record(g, index, record);
    if (index == g->own)
        heard_of_us(g, record);
    return MERGE_NEW;
}

enum merge merge_record(struct gossip *g, const uint8_t *bytes, size_t size)
{
    return merge(g, bytes, size, false);
}

enum merge merge_own(struct gossip *g, const uint8_t *bytes, size_t size)
{
    return merge(g, bytes, size, true);
}

/* --- proofs --- */

static bool contradictory(const uint8_t *a, const struct record_peek *of_a, const uint8_t *b,
                          const struct record_peek *of_b)
{
    bool one_rank = memcmp(of_a->validator, of_b->validator, ADDRESS_SIZE) == 0 &&
                    of_a->serial == of_b->serial && of_a->sequence == of_b->sequence;
    return one_rank &&
           (of_a->signed_size != of_b->signed_size || memcmp(a, b, of_a->signed_size) != 0);
}

enum merge merge_proof(struct gossip *g, const uint8_t *a, size_t a_size, const uint8_t *b,
                       size_t b_size)
{
    struct record_peek of_a, of_b;
    struct fault fault;
    if (record_version(a) != RECORD_VERSION || record_version(b) != RECORD_VERSION)
        return MERGE_STRANGER;
    if (!record_peek(a, a_size, &of_a, &fault) || !record_peek(b, b_size, &of_b, &fault) ||
        !contradictory(a, &of_a, b, &of_b))
        return MERGE_BAD;
    uint32_t index = gossip_find(g, of_a.validator);
    if (index == VALIDATOR_NONE)
        return MERGE_STRANGER;
    struct slot *slot = &g->slots[index];
    const struct rank rank = slot_rank(slot);
    if (rank_compare((struct rank){of_a.serial, 0, true}, rank) <= 0)
        return MERGE_OLD;
    /* against the present binding there is only one, and no flood of versions may hold it up */
    if (!version_allowed(g, slot) && of_a.serial != rank.serial)
        return MERGE_LIMITED;
    struct kept *first = NULL, *second = NULL;
    const struct claim claim_a = {a, a_size, slot->account, slot->record, false};
    enum verdict verdict = pool_take(g->pool, &claim_a, &first, &g->stats.verified);
    const struct claim claim_b = {b, b_size, slot->account, first, false};
    if (verdict == VERDICT_GOOD)
        verdict = pool_take(g->pool, &claim_b, &second, &g->stats.verified);
    if (verdict == VERDICT_GOOD)
        put_proof(g, index, first, second);
    else
        pool_drop(g->pool, &first);
    return outcome(slot, verdict);
}
