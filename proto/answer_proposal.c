/* Answers of KIRA about proposals, votes and plans. */
#include <assert.h>
#include <string.h>

#include "kira.pb-c.h"
#include "proto/answer_internal.h"

#define ROLE_SUDO 1
#define ACTOR_ACTIVE 2

static ProtobufCBinaryData borrowed(struct tx_bytes bytes)
{
    return bounded_bytes(bytes.bytes, bytes.size);
}

static Kira__Proposal *proposal_make(struct arena *arena, const struct answer_proposal *from)
{
    Kira__Proposal *to = answer_take(arena, 1, sizeof *to);
    kira__proposal__init(to);
    to->proposal_id = from->id;
    to->title = borrowed(from->title);
    to->description = borrowed(from->description);
    to->content = answer_take(arena, 1, sizeof *to->content);
    cosmos__any__init(to->content);
    to->content->type_url = borrowed(from->type_url);
    to->content->value = borrowed(from->content);
    to->submit_time = answer_time(arena, from->submitted_ms);
    to->voting_end_time = answer_time(arena, from->voting_end_ms);
    to->enactment_end_time = answer_time(arena, from->enactment_end_ms);
    to->min_voting_end_block_height = from->voting_end_height;
    to->min_enactment_end_block_height = from->enactment_end_height;
    to->result = from->outcome;
    to->exec_result = bounded_text(from->exec_result);
    return to;
}

static Kira__Vote **votes_make(struct arena *arena, const struct answer_proposal *from)
{
    Kira__Vote **list = answer_take(arena, from->vote_count, sizeof *list);
    for (uint32_t i = 0; i < from->vote_count; i++) {
        list[i] = answer_take(arena, 1, sizeof **list);
        kira__vote__init(list[i]);
        list[i]->proposal_id = from->id;
        list[i]->voter = bounded_bytes(from->votes[i].voter, ACCOUNT_ADDRESS_SIZE);
        list[i]->option = (int32_t)from->votes[i].option;
        list[i]->slash = bounded_text("0");
    }
    return list;
}

uint8_t *answer_proposal(const struct answer_proposal *proposal, size_t *size)
{
    struct arena arena;
    Kira__QueryProposalResponse reply = KIRA__QUERY_PROPOSAL_RESPONSE__INIT;
    arena_begin(&arena, ANSWER_BUDGET);
    reply.proposal = proposal_make(&arena, proposal);
    reply.votes = votes_make(&arena, proposal);
    reply.n_votes = proposal->vote_count;
    return answer_pack(&arena, &reply.base, size);
}

uint8_t *answer_proposals(const struct answer_proposal *proposals, uint32_t count,
                          const struct answer_tail *tail, size_t *size)
{
    struct arena arena;
    Kira__QueryProposalsResponse reply = KIRA__QUERY_PROPOSALS_RESPONSE__INIT;
    arena_begin(&arena, ANSWER_BUDGET);
    reply.proposals = answer_take(&arena, count, sizeof *reply.proposals);
    for (uint32_t i = 0; i < count; i++)
        reply.proposals[reply.n_proposals++] = proposal_make(&arena, &proposals[i]);
    reply.pagination = answer_tail(&arena, tail);
    return answer_pack(&arena, &reply.base, size);
}

uint8_t *answer_votes(const struct answer_proposal *proposal, size_t *size)
{
    struct arena arena;
    Kira__QueryVotesResponse reply = KIRA__QUERY_VOTES_RESPONSE__INIT;
    arena_begin(&arena, ANSWER_BUDGET);
    reply.votes = votes_make(&arena, proposal);
    reply.n_votes = proposal->vote_count;
    return answer_pack(&arena, &reply.base, size);
}

uint8_t *answer_voters(const uint8_t (*accounts)[ACCOUNT_ADDRESS_SIZE], uint32_t count,
                       size_t *size)
{
    uint64_t roles[] = {ROLE_SUDO};
    int32_t options[] = {1, 2, 3, 4};
    struct arena arena;
    Kira__Permissions none = KIRA__PERMISSIONS__INIT;
    Kira__QueryWhitelistedProposalVotersResponse reply =
        KIRA__QUERY_WHITELISTED_PROPOSAL_VOTERS_RESPONSE__INIT;
    arena_begin(&arena, ANSWER_BUDGET);
    reply.voters = answer_take(&arena, count, sizeof *reply.voters);
    for (uint32_t i = 0; i < count; i++) {
        Kira__NetworkActor *actor = answer_take(&arena, 1, sizeof *actor);
        kira__network_actor__init(actor);
        actor->address = bounded_bytes(accounts[i], ACCOUNT_ADDRESS_SIZE);
        actor->roles = roles;
        actor->n_roles = 1;
        actor->status = ACTOR_ACTIVE;
        actor->votes = options;
        actor->n_votes = sizeof options / sizeof options[0];
        actor->permissions = &none;
        actor->skin = 1;
        reply.voters[reply.n_voters++] = actor;
    }
    return answer_pack(&arena, &reply.base, size);
}

uint8_t *answer_plan(struct tx_bytes content, uint64_t proposal, bool processed, size_t *size)
{
    struct arena arena;
    struct fault fault;
    Kira__Plan plan = KIRA__PLAN__INIT;
    Kira__QueryPlanResponse reply = KIRA__QUERY_PLAN_RESPONSE__INIT;
    arena_begin(&arena, ANSWER_BUDGET);
    if (proposal == 0)
        return answer_pack(&arena, &reply.base, size);
    const Kira__ProposalSoftwareUpgrade *from =
        bounded_unpack(&arena, &kira__proposal_software_upgrade__descriptor, content.bytes,
                       content.size, "plan", &fault);
    assert(from); /* it was read when it was proposed */
    plan.name = from->name;
    plan.resources = from->resources;
    plan.n_resources = from->n_resources;
    plan.upgrade_time = from->upgrade_time;
    plan.old_chain_id = from->old_chain_id;
    plan.new_chain_id = from->new_chain_id;
    plan.rollback_checksum = from->rollback_checksum;
    plan.max_enrolment_duration = from->max_enrolment_duration;
    plan.instate_upgrade = from->instate_upgrade;
    plan.reboot_required = from->reboot_required;
    plan.skip_handler = from->skip_handler;
    plan.proposal_id = proposal;
    plan.processed_no_vote_validators = processed;
    reply.plan = &plan;
    return answer_pack(&arena, &reply.base, size);
}
