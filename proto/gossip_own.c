#include <assert.h>
#include <string.h>

#include "proto/gossip_internal.h"

/* The fields as they are compared: without what every version changes. */
static size_t plain_bytes(const struct gossip *g, const struct record *fields, bool head,
                          uint8_t bytes[RECORD_MAX], struct fault *fault)
{
    struct record r = *fields;
    r.binding = g->binding;
    r.sequence = 1;
    r.quiet = false;
    if (!head) {
        r.head = HEIGHT_NONE;
        memset(r.head_hash, 0, sizeof r.head_hash);
    }
    return record_encode(&r, bytes, fault);
}

static bool differs(const struct gossip *g, const struct record *a, const struct record *b,
                    bool head)
{
    uint8_t of_a[RECORD_MAX], of_b[RECORD_MAX];
    struct fault fault;
    size_t a_size = plain_bytes(g, a, head, of_a, &fault);
    size_t b_size = plain_bytes(g, b, head, of_b, &fault);
    return a_size != b_size || memcmp(of_a, of_b, a_size) != 0;
}

/* What is to be said: a change at once, a new head or nothing new after a while. */
static enum gossip_own weigh(const struct gossip *g, const struct record *fields)
{
    if (!g->own_said || g->own_foreign || differs(g, fields, &g->own_fields, false))
        return GOSSIP_OWN_NEWS;
    int64_t since_ms = g->clock_ms - g->own_ms;
    bool head = since_ms >= GOSSIP_HEAD_MS && differs(g, fields, &g->own_fields, true);
    return head || since_ms >= GOSSIP_REFRESH_MS ? GOSSIP_OWN_QUIET : GOSSIP_OWN_SAME;
}

static bool may_speak(const struct gossip *g, struct fault *fault)
{
    if (g->own == VALIDATOR_NONE)
        return fault_set(fault, "gossip: our validator is in none of the recent sets, so nobody "
                                "would hear it");
    const struct slot *slot = &g->slots[g->own];
    struct rank rank = slot_rank(slot);
    if (rank.serial > g->binding.serial)
        return fault_set(fault, "gossip: our account has signed a newer binding; use its keys");
    if (rank.serial == g->binding.serial && rank.is_void)
        return fault_set(fault, "gossip: two agents sign with our identity key, our record is "
                                "void; stop one and sign a new binding");
    if (g->own_sequence >= RECORD_SEQUENCE_MAX)
        return fault_set(fault, "gossip: our sequence numbers are used up; sign a new binding");
    return true;
}

static bool put_own(struct gossip *g, const struct record *r, struct fault *fault)
{
    struct slot *slot = &g->slots[g->own];
    uint8_t bytes[RECORD_MAX];
    size_t size = record_seal(&g->network, r, g->identity, bytes, fault);
    if (size == 0)
        return false;
    slot->limit_us = 0; /* our own pace is ours to choose */
    slot->asked = false;
    switch (merge_own(g, bytes, size)) {
    case MERGE_NEW:
        return true;
    case MERGE_STRANGER:
        return fault_set(fault, "gossip: the account in our binding is not the one that owns our "
                                "validator; sign a new binding");
    default:
        return fault_set(fault, "gossip: memory is short");
    }
}

static enum gossip_own fail(struct fault *fault, const struct fault *because)
{
    *fault = *because;
    return GOSSIP_OWN_FAILED;
}

enum gossip_own gossip_own(struct gossip *gossip, const struct record *fields, struct instant now,
                           uint64_t *sequence, struct fault *fault)
{
    struct gossip *g = gossip;
    struct record r = *fields;
    uint8_t bytes[RECORD_MAX];
    struct fault because;
    clock_advance(g, now);
    if (plain_bytes(g, fields, true, bytes, &because) == 0 || !may_speak(g, &because))
        return fail(fault, &because);
    enum gossip_own due = weigh(g, fields);
    if (due == GOSSIP_OWN_SAME)
        return due;
    uint64_t timely = now.ms > 0 ? (uint64_t)now.ms : 1;
    r.binding = g->binding;
    r.sequence = timely > g->own_sequence ? timely : g->own_sequence + 1;
    r.quiet = due == GOSSIP_OWN_QUIET;
    if (!put_own(g, &r, &because))
        return fail(fault, &because);
    assert(g->own_sequence == r.sequence); /* heard_of_us() has seen it */
    g->own_fields = *fields;
    g->own_ms = g->clock_ms;
    g->own_said = true;
    g->own_foreign = false;
    *sequence = r.sequence;
    return due;
}

enum gossip_double gossip_double(const struct gossip *gossip)
{
    if (gossip->own == VALIDATOR_NONE)
        return GOSSIP_DOUBLE_NO;
    const struct slot *slot = &gossip->slots[gossip->own];
    if (slot->is_void && slot_rank(slot).serial == gossip->binding.serial)
        return GOSSIP_DOUBLE_VOID;
    return gossip->own_foreign ? GOSSIP_DOUBLE_HEARD : GOSSIP_DOUBLE_NO;
}
