#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kira.pb-c.h"
#include "proto/query_internal.h"

#define GOV "/kira.gov.Query/"
#define ENTRIES_MAX 16384 /* of a list that has no pages */
#define DECIMAL_PLACES 18

static void ask_nothing(const char *path, struct query *query)
{
    query->path = path;
    query->size = 0;
}

static void ask_proposal(const char *path, uint64_t proposal, struct query *query)
{
    Kira__QueryProposalRequest request = KIRA__QUERY_PROPOSAL_REQUEST__INIT;
    request.proposal_id = proposal;
    query_pack(query, path, &request.base);
}

static bool count_check(size_t count, const char *what, struct fault *fault)
{
    return count <= ENTRIES_MAX ||
           fault_set(fault, "%s: at most %d entries can be true, here are %zu", what, ENTRIES_MAX,
                     count);
}

void query_properties(struct query *query)
{
    ask_nothing(GOV "NetworkProperties", query);
}

/* "330000000000000000" is "0.330000000000000000". */
static bool decimal_read(const ProtobufCBinaryData *text, char *out, size_t room)
{
    char digits[DECIMAL_PLACES * 2];
    if (!query_digits(text, digits, sizeof digits))
        return false;
    size_t count = strlen(digits);
    size_t whole = count > DECIMAL_PLACES ? count - DECIMAL_PLACES : 0;
    int zeros = count < DECIMAL_PLACES ? (int)(DECIMAL_PLACES - count) : 0;
    int size = snprintf(out, room, "%.*s.%.*s%s", whole ? (int)whole : 1, whole ? digits : "0",
                        zeros, "000000000000000000", digits + whole);
    return size > 0 && (size_t)size < room;
}

static bool properties_take(const Kira__NetworkProperties *from, struct query_properties *to,
                            struct fault *fault)
{
    *to = (struct query_properties){
        .min_tx_fee = from->min_tx_fee,
        .max_tx_fee = from->max_tx_fee,
        .min_validators = from->min_validators,
        .minimum_proposal_end_time_s = from->minimum_proposal_end_time,
        .proposal_enactment_time_s = from->proposal_enactment_time,
        .mischance_confidence = from->mischance_confidence,
        .max_mischance = from->max_mischance,
        .unjail_max_time_s = from->unjail_max_time,
        .downtime_inactive_duration_s = from->downtime_inactive_duration,
    };
    if (!decimal_read(&from->vote_quorum, to->vote_quorum, sizeof to->vote_quorum))
        return fault_set(fault, "properties.vote_quorum: a decimal scaled by 10^18 was expected");
    if (from->min_validators == 0)
        return fault_set(fault, "properties.min_validators: 0 is no value that the chain takes");
    if (from->max_tx_fee < from->min_tx_fee)
        return fault_set(fault, "properties.max_tx_fee: it is below min_tx_fee");
    return true;
}

bool query_properties_read(const uint8_t *bytes, size_t size, struct query_properties *out,
                           struct fault *fault)
{
    *out = (struct query_properties){0};
    struct arena arena;
    Kira__QueryNetworkPropertiesResponse *reply =
        query_unpack(&arena, &kira__query_network_properties_response__descriptor, bytes, size,
                     "properties", fault);
    bool good =
        reply && (reply->properties || fault_set(fault, "properties: missing from the reply"));
    good = good && properties_take(reply->properties, out, fault);
    arena_end(&arena);
    return good;
}

void query_fees(struct query *query)
{
    ask_nothing(GOV "AllExecutionFees", query);
}

bool query_fees_read(const uint8_t *bytes, size_t size, struct query_fees *out, struct fault *fault)
{
    *out = (struct query_fees){0};
    struct arena arena;
    Kira__QueryAllExecutionFeesResponse *reply = query_unpack(
        &arena, &kira__query_all_execution_fees_response__descriptor, bytes, size, "fees", fault);
    bool good = reply && count_check(reply->n_fees, "fees", fault);
    if (good) {
        out->fees = calloc(reply->n_fees ? reply->n_fees : 1, sizeof *out->fees);
        good = out->fees || fault_set(fault, "fees: out of memory");
    }
    for (size_t i = 0; good && i < reply->n_fees; i++) {
        struct query_fee *fee = &out->fees[out->count++];
        QUERY_SAY(reply->fees[i]->transaction_type, fee->type);
        fee->execution = reply->fees[i]->execution_fee;
        fee->failure = reply->fees[i]->failure_fee;
    }
    arena_end(&arena);
    return good;
}

void query_fees_destroy(struct query_fees *fees)
{
    free(fees->fees);
    *fees = (struct query_fees){0};
}

void query_votes(uint64_t proposal, struct query *query)
{
    ask_proposal(GOV "Votes", proposal, query);
}

static bool votes_take(const Kira__QueryVotesResponse *reply, struct query_votes *out,
                       struct fault *fault)
{
    out->votes = calloc(reply->n_votes ? reply->n_votes : 1, sizeof *out->votes);
    if (!out->votes)
        return fault_set(fault, "votes: out of memory");
    for (size_t i = 0; i < reply->n_votes; i++) {
        const Kira__Vote *from = reply->votes[i];
        struct query_vote *to = &out->votes[out->count++];
        if (!query_raw_address(&from->voter, "votes.voter", to->account, fault))
            return false;
        if (from->option < 1 || from->option > 4)
            return fault_set(fault, "votes.option: 1 to 4 was expected, here is %d", from->option);
        to->option = (uint32_t)from->option;
    }
    return query_votes_sort(out) || fault_set(fault, "votes: one account has two of them");
}

bool query_votes_read(const uint8_t *bytes, size_t size, struct query_votes *out,
                      struct fault *fault)
{
    *out = (struct query_votes){0};
    struct arena arena;
    Kira__QueryVotesResponse *reply =
        query_unpack(&arena, &kira__query_votes_response__descriptor, bytes, size, "votes", fault);
    bool good =
        reply && count_check(reply->n_votes, "votes", fault) && votes_take(reply, out, fault);
    arena_end(&arena);
    if (!good)
        query_votes_destroy(out);
    return good;
}

void query_votes_destroy(struct query_votes *votes)
{
    free(votes->votes);
    *votes = (struct query_votes){0};
}

void query_voters(uint64_t proposal, struct query *query)
{
    ask_proposal(GOV "WhitelistedProposalVoters", proposal, query);
}

static bool voters_take(const Kira__QueryWhitelistedProposalVotersResponse *reply,
                        uint8_t (*voters)[ACCOUNT_ADDRESS_SIZE], struct fault *fault)
{
    for (size_t i = 0; i < reply->n_voters; i++) {
        if (!query_raw_address(&reply->voters[i]->address, "voters.address", voters[i], fault))
            return false;
    }
    return query_accounts_sort(voters, (uint32_t)reply->n_voters) ||
           fault_set(fault, "voters: one account stands in it twice");
}

bool query_voters_read(const uint8_t *bytes, size_t size, uint8_t (**voters)[ACCOUNT_ADDRESS_SIZE],
                       uint32_t *count, struct fault *fault)
{
    *voters = NULL;
    *count = 0;
    struct arena arena;
    Kira__QueryWhitelistedProposalVotersResponse *reply =
        query_unpack(&arena, &kira__query_whitelisted_proposal_voters_response__descriptor, bytes,
                     size, "voters", fault);
    bool good = reply && count_check(reply->n_voters, "voters", fault);
    if (good) {
        *voters = calloc(reply->n_voters ? reply->n_voters : 1, sizeof **voters);
        good = *voters ? voters_take(reply, *voters, fault)
                       : fault_set(fault, "voters: out of memory");
        *count = good ? (uint32_t)reply->n_voters : 0;
    }
    arena_end(&arena);
    if (!good) {
        free(*voters);
        *voters = NULL;
    }
    return good;
}
