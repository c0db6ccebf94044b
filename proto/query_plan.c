#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dcl.pb-c.h"
#include "kira.pb-c.h"
#include "proto/query_internal.h"

#define PROPOSAL_TYPE "/kira.upgrade.ProposalSoftwareUpgrade"
#define PROPOSALS_NEWEST 100 /* of KIRA's are looked at */
#define RESULT_PENDING 4
#define RESULT_ENACTMENT 6

void query_plan(enum chain_kind chain, bool next, struct query *query)
{
    query->size = 0;
    if (chain == CHAIN_DCL)
        query->path = "/cosmos.upgrade.v1beta1.Query/CurrentPlan";
    else
        query->path = next ? "/kira.upgrade.Query/NextPlan" : "/kira.upgrade.Query/CurrentPlan";
}

static void resources_take(Kira__Resource *const *from, size_t count, struct query_plan *to)
{
    to->resource_count = count < QUERY_RESOURCES_MAX ? (uint32_t)count : QUERY_RESOURCES_MAX;
    for (uint32_t i = 0; i < to->resource_count; i++) {
        QUERY_SAY(from[i]->id, to->resources[i].id);
        QUERY_SAY(from[i]->url, to->resources[i].url);
        QUERY_SAY(from[i]->version, to->resources[i].version);
        QUERY_SAY(from[i]->checksum, to->resources[i].checksum);
    }
}

static void plan_take_kira(const Kira__Plan *from, struct query_plan *to)
{
    to->present = true;
    to->upgrade_time_s = from->upgrade_time;
    to->max_enrolment_s = from->max_enrolment_duration;
    to->instate = from->instate_upgrade;
    to->reboot_required = from->reboot_required;
    to->skip_handler = from->skip_handler;
    to->proposal = from->proposal_id;
    to->processed_no_vote_validators = from->processed_no_vote_validators;
    QUERY_SAY(from->name, to->name);
    QUERY_SAY(from->old_chain_id, to->old_chain_id);
    QUERY_SAY(from->new_chain_id, to->new_chain_id);
    QUERY_SAY(from->rollback_checksum, to->rollback_checksum);
    resources_take(from->resources, from->n_resources, to);
}

void query_plan_dcl(const Cosmos__UpgradePlan *from, struct query_plan *to)
{
    to->present = true;
    to->height = from->height;
    QUERY_SAY(from->name, to->name);
    QUERY_SAY(from->info, to->info);
}

static bool plan_check(const struct query_plan *plan, struct fault *fault)
{
    if (plan->present && !plan->name[0])
        return fault_set(fault, "plan.name: it is empty");
    return query_not_negative(plan->height, "plan.height", fault) &&
           query_not_negative(plan->upgrade_time_s, "plan.upgrade_time", fault) &&
           query_not_negative(plan->max_enrolment_s, "plan.max_enrolment_duration", fault);
}

bool query_plan_read(enum chain_kind chain, const uint8_t *bytes, size_t size,
                     struct query_plan *out, struct fault *fault)
{
    *out = (struct query_plan){0};
    const ProtobufCMessageDescriptor *type = chain == CHAIN_DCL
                                                 ? &cosmos__query_current_plan_response__descriptor
                                                 : &kira__query_plan_response__descriptor;
    struct arena arena;
    void *reply = query_unpack(&arena, type, bytes, size, "plan", fault);
    if (!reply)
        return false;
    if (chain == CHAIN_DCL && ((Cosmos__QueryCurrentPlanResponse *)reply)->plan)
        query_plan_dcl(((Cosmos__QueryCurrentPlanResponse *)reply)->plan, out);
    else if (chain == CHAIN_KIRA && ((Kira__QueryPlanResponse *)reply)->plan)
        plan_take_kira(((Kira__QueryPlanResponse *)reply)->plan, out);
    arena_end(&arena);
    return plan_check(out, fault);
}

void query_ballots(enum chain_kind chain, struct query *query)
{
    Cosmos__PageRequest page = COSMOS__PAGE_REQUEST__INIT;
    page.limit = PROPOSALS_NEWEST;
    page.reverse = true;
    if (chain == CHAIN_KIRA) {
        Kira__QueryProposalsRequest request = KIRA__QUERY_PROPOSALS_REQUEST__INIT;
        request.pagination = &page;
        query_pack(query, "/kira.gov.Query/Proposals", &request.base);
    } else {
        Dcl__QueryPageRequest request = DCL__QUERY_PAGE_REQUEST__INIT;
        request.pagination = &page;
        query_pack(
            query,
            "/zigbeealliance.distributedcomplianceledger.dclupgrade.Query/ProposedUpgradeAll",
            &request.base);
    }
}

/* Room for one more, NULL when there are enough of them or no memory. */
static struct query_ballot *ballot_add(struct query_ballots *ballots)
{
    if (!ballots->ballots)
        ballots->ballots = calloc(QUERY_BALLOTS_MAX, sizeof *ballots->ballots);
    if (!ballots->ballots || ballots->count == QUERY_BALLOTS_MAX)
        return NULL;
    return &ballots->ballots[ballots->count++];
}

/* ProposalSoftwareUpgrade has a field more than the plan that it becomes (its memo) and so other
 * numbers. */
static bool content_take(struct arena *arena, const Kira__Proposal *proposal, struct query_plan *to,
                         struct fault *fault)
{
    Kira__ProposalSoftwareUpgrade *from = bounded_unpack(
        arena, &kira__proposal_software_upgrade__descriptor, proposal->content->value.data,
        proposal->content->value.len, "proposals.content", fault);
    if (!from)
        return false;
    to->present = true;
    to->proposal = proposal->proposal_id;
    to->upgrade_time_s = from->upgrade_time;
    to->max_enrolment_s = from->max_enrolment_duration;
    to->instate = from->instate_upgrade;
    to->reboot_required = from->reboot_required;
    to->skip_handler = from->skip_handler;
    QUERY_SAY(from->name, to->name);
    QUERY_SAY(from->old_chain_id, to->old_chain_id);
    QUERY_SAY(from->new_chain_id, to->new_chain_id);
    QUERY_SAY(from->rollback_checksum, to->rollback_checksum);
    resources_take(from->resources, from->n_resources, to);
    return plan_check(to, fault);
}

static bool is_open_upgrade(const Kira__Proposal *proposal)
{
    return (proposal->result == RESULT_PENDING || proposal->result == RESULT_ENACTMENT) &&
           proposal->content && query_is(&proposal->content->type_url, PROPOSAL_TYPE);
}

static bool ballots_take_kira(struct arena *arena, const Kira__QueryProposalsResponse *reply,
                              struct query_ballots *out, struct fault *fault)
{
    bool good = reply != NULL;
    for (size_t i = 0; good && i < reply->n_proposals; i++) {
        if (!is_open_upgrade(reply->proposals[i]))
            continue;
        struct query_ballot *ballot = ballot_add(out);
        if (!ballot)
            break;
        good = content_take(arena, reply->proposals[i], &ballot->plan, fault);
    }
    return good;
}

/* Adds a trustee's vote; DCL keeps each in one of the two lists. */
static bool grants_take(Dcl__Grant *const *grants, size_t count, uint32_t option,
                        struct query_votes *votes, struct fault *fault)
{
    for (size_t i = 0; i < count; i++) {
        struct query_vote *vote = &votes->votes[votes->count++];
        vote->option = option;
        if (!query_address(&grants[i]->address, "", "proposedUpgrade.grant", vote->account, fault))
            return false;
    }
    return true;
}

static bool upgrade_take(const Dcl__Upgrade *from, struct query_ballot *to, struct fault *fault)
{
    if (!from->plan)
        return fault_set(fault, "proposedUpgrade.plan: it is missing from the reply");
    query_plan_dcl(from->plan, &to->plan);
    to->votes.votes = calloc(from->n_approvals + from->n_rejects + 1, sizeof *to->votes.votes);
    if (!to->votes.votes)
        return fault_set(fault, "proposedUpgrade: out of memory");
    return plan_check(&to->plan, fault) &&
           grants_take(from->approvals, from->n_approvals, 1, &to->votes, fault) &&
           grants_take(from->rejects, from->n_rejects, 3, &to->votes, fault) &&
           (query_votes_sort(&to->votes) ||
            fault_set(fault, "proposedUpgrade: one trustee has two votes"));
}

static bool ballots_take_dcl(const Dcl__QueryAllUpgradeResponse *reply, struct query_ballots *out,
                             struct fault *fault)
{
    bool good = reply != NULL;
    for (size_t i = 0; good && i < reply->n_upgrade; i++) {
        struct query_ballot *ballot = ballot_add(out);
        if (!ballot)
            break;
        good = upgrade_take(reply->upgrade[i], ballot, fault);
    }
    return good;
}

bool query_ballots_read(enum chain_kind chain, const uint8_t *bytes, size_t size,
                        struct query_ballots *out, struct fault *fault)
{
    *out = (struct query_ballots){0};
    struct arena arena;
    bool kira = chain == CHAIN_KIRA;
    void *reply = query_unpack(&arena,
                               kira ? &kira__query_proposals_response__descriptor
                                    : &dcl__query_all_upgrade_response__descriptor,
                               bytes, size, kira ? "proposals" : "proposedUpgrade", fault);
    bool good =
        kira ? ballots_take_kira(&arena, reply, out, fault) : ballots_take_dcl(reply, out, fault);
    arena_end(&arena);
    if (!good)
        query_ballots_destroy(out);
    return good;
}

void query_ballots_destroy(struct query_ballots *ballots)
{
    for (uint32_t i = 0; i < ballots->count; i++)
        query_votes_destroy(&ballots->ballots[i].votes);
    free(ballots->ballots);
    *ballots = (struct query_ballots){0};
}
