#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "node/command_tx.h"

#define MS_PER_S 1000

bool tx_is_membership(enum tx_action action)
{
    return action == TX_DO_PAUSE || action == TX_DO_UNPAUSE || action == TX_DO_ACTIVATE;
}

uint64_t tx_floor(uint64_t min_validators, uint64_t reference)
{
    uint64_t two_thirds = 2 * reference / 3 + 1;
    return min_validators > two_thirds ? min_validators : two_thirds;
}

uint64_t tx_reference(const struct chain_facts *facts)
{
    uint64_t count = facts->set_count;
    for (uint32_t i = 0; i < facts->record_count; i++)
        if (facts->records[i].status == COORD_IS_PAUSED &&
            !chain_member_at(facts, facts->records[i].consensus))
            count++;
    return count;
}

__attribute__((format(printf, 3, 4))) static bool refuse(struct tx_refusal *refusal, bool final,
                                                         const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(refusal->text, sizeof refusal->text, format, arguments);
    va_end(arguments);
    refusal->refused = true;
    refusal->final = final;
    return true;
}

static const char *status_name(enum coord_status status)
{
    static const char *const names[] = {
        [COORD_UNKNOWN] = "of no known status",
        [COORD_ACTIVE] = "ACTIVE",
        [COORD_INACTIVE] = "INACTIVE",
        [COORD_IS_PAUSED] = "paused already",
        [COORD_JAILED] = "JAILED",
    };
    return names[status];
}

/* --- each returns whether it refuses --- */

static bool refuse_stranger(const struct tx_situation *s, struct tx_refusal *refusal)
{
    return !s->facts->self_registered &&
           refuse(refusal, true,
                  "no validator record belongs to this account; is it the right key?");
}

static bool refuse_close(const struct tx_situation *s, struct tx_refusal *refusal)
{
    if (!tx_is_membership(s->action) || (!s->membership_in_latest && !s->membership_waiting))
        return false;
    return refuse(
        refusal, true,
        "%s: between two pauses, unpauses or activations of one validator there must be a "
        "committed block, or the chain can stop for good; wait for the next block",
        s->membership_waiting ? "another one of this validator waits in the mempool"
                              : "the latest block holds another one of this validator");
}

static bool refuse_last(const struct tx_situation *s, struct tx_refusal *refusal)
{
    return s->action == TX_DO_PAUSE && s->facts->self_in_set && s->facts->set_count <= 1 &&
           refuse(refusal, true,
                  "this is the last member of the set: without it the chain stops for good");
}

static bool refuse_pause_status(const struct tx_situation *s, struct tx_refusal *refusal)
{
    if (s->facts->record.status != COORD_ACTIVE)
        return refuse(refusal, true, "the validator is %s: there is nothing to pause",
                      status_name(s->facts->record.status));
    return !s->facts->self_in_set &&
           refuse(
               refusal, true,
               "the validator is ACTIVE by its record but not in the set: to take it out of a set "
               "in which it is not would stop the chain for good; wait two blocks, then ask again");
}

static bool refuse_return_status(const struct tx_situation *s, struct tx_refusal *refusal)
{
    enum coord_status status = s->facts->record.status;
    if (s->facts->record.by_trustees)
        return refuse(refusal, true,
                      "the trustees disabled this node by vote; settle it with them, this command "
                      "does not overrule them");
    if (status == COORD_JAILED)
        return refuse(refusal, true, "the validator is JAILED: only governance can help");
    if (status == COORD_INACTIVE)
        return refuse(refusal, true,
                      "the validator is INACTIVE: `stagger tx activate` is what it needs");
    return status != COORD_IS_PAUSED && refuse(refusal, true, "the validator is not paused");
}

static bool refuse_activate_status(const struct tx_situation *s, struct tx_refusal *refusal)
{
    int64_t now_ms = s->facts->status.latest_time_ms;
    int64_t until_ms = s->facts->self.inactive_until.ms;
    if (s->facts->record.status != COORD_INACTIVE)
        return refuse(refusal, true, "the validator is not INACTIVE: there is nothing to activate");
    return until_ms > now_ms &&
           refuse(refusal, true, "the validator may be activated in %" PRId64 " s, not before",
                  (until_ms - now_ms + MS_PER_S - 1) / MS_PER_S);
}

static bool refuse_status(const struct tx_situation *s, struct tx_refusal *refusal)
{
    switch (s->action) {
    case TX_DO_PAUSE:
        return refuse_pause_status(s, refusal);
    case TX_DO_UNPAUSE:
        return refuse_return_status(s, refusal);
    case TX_DO_ACTIVATE:
        return refuse_activate_status(s, refusal);
    case TX_DO_JOIN:
        return !s->facts->self_in_set &&
               refuse(refusal, false, "the validator is not in the set: a join of it gets no turn");
    default:
        return false;
    }
}

static bool refuse_vote(const struct tx_situation *s, struct tx_refusal *refusal)
{
    if (s->action != TX_DO_PAUSE && s->action != TX_DO_JOIN)
        return false;
    if (!s->plan.pending || s->plan.voted_yes)
        return false;
    return refuse(
        refusal, false,
        "an upgrade is pending or scheduled and this account has not voted YES: a validator "
        "that is still paused at upgrade_time without its YES stops the chain for good");
}

static bool refuse_funds(const struct tx_situation *s, struct tx_refusal *refusal)
{
    if ((s->action != TX_DO_PAUSE && s->action != TX_DO_JOIN) || !s->denom)
        return false;
    return s->facts->balance < s->facts->turn_fees &&
           refuse(refusal, false,
                  "the account holds %" PRIu64
                  "%.40s, but join, pause, unpause and activate may cost "
                  "%" PRIu64 "%.40s together: it could fail to come back",
                  s->facts->balance, s->denom, s->facts->turn_fees, s->denom);
}

/* Members that sign and will go on doing so without this one: a member that is no longer ACTIVE leaves two blocks
 * after its pause. */
static uint64_t staying(const struct tx_situation *s)
{
    const struct chain_facts *f = s->facts;
    uint64_t count = 0;
    for (uint32_t i = 0; i < f->set_count; i++) {
        const struct query_record *record = chain_record_at(f, f->set[i].address);
        bool going = record && record->status != COORD_ACTIVE;
        bool own = memcmp(f->set[i].address, f->record.consensus, ADDRESS_SIZE) == 0;
        count += s->liveness->signed_any[i] && !going && !own;
    }
    return count;
}

/* A pause by hand must leave what the draw would have left. */
static bool refuse_floor(const struct tx_situation *s, struct tx_refusal *refusal)
{
    if (s->action != TX_DO_PAUSE)
        return false;
    assert(s->liveness);
    uint64_t reference = tx_reference(s->facts), floor = tx_floor(s->min_validators, reference);
    uint64_t live = staying(s);
    return live < floor &&
           refuse(refusal, false,
                  "%" PRIu64
                  " live members would remain of %u in the set, below the floor of %" PRIu64
                  " (min_validators %" PRIu64 "; more than two thirds of %" PRIu64
                  ", who is paused counted)",
                  live, s->facts->set_count, floor, s->min_validators, reference);
}

static bool refuse_behind(const struct tx_situation *s, struct tx_refusal *refusal)
{
    return (s->action == TX_DO_UNPAUSE || s->action == TX_DO_ACTIVATE) && s->facts->self_is_node &&
           s->facts->status.catching_up &&
           refuse(refusal, false,
                  "the node is still catching up: in the set it would miss blocks from the start");
}

void tx_guard(const struct tx_situation *situation, struct tx_refusal *refusal)
{
    static bool (*const guards[])(const struct tx_situation *, struct tx_refusal *) = {
        refuse_stranger, refuse_last,  refuse_close, refuse_status,
        refuse_vote,     refuse_funds, refuse_floor, refuse_behind,
    };
    *refusal = (struct tx_refusal){.refused = false};
    for (size_t i = 0; i < sizeof guards / sizeof guards[0]; i++)
        if (guards[i](situation, refusal))
            return;
}
