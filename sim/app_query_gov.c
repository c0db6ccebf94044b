/* Queries of KIRA about proposals and plans. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/app_query.h"

/* Its votes are an allocation: free(to->votes). */
static void proposal_fill(const struct app *app, const struct app_proposal *from,
                          struct answer_proposal *to)
{
    *to = (struct answer_proposal){
        .id = from->id,
        .title = app_ask_bytes(from->title),
        .description = app_ask_bytes(from->description),
        .type_url = app_ask_bytes(from->type_url),
        .content = app_ask_bytes(from->content),
        .submitted_ms = from->submitted_ms,
        .voting_end_ms = from->voting_end_ms,
        .enactment_end_ms = from->enactment_end_ms,
        .voting_end_height = from->voting_end_height,
        .enactment_end_height = from->enactment_end_height,
        .outcome = (int)from->outcome,
        .exec_result = from->exec_result,
        .vote_count = from->vote_count,
    };
    to->votes = calloc(from->vote_count + 1, sizeof *to->votes);
    assert(to->votes);
    for (uint32_t i = 0; i < from->vote_count; i++) {
        memcpy(to->votes[i].voter, app->accounts[from->votes[i].account]->address,
               ACCOUNT_ADDRESS_SIZE);
        to->votes[i].option = from->votes[i].option;
    }
}

static const struct app_proposal *find(const struct app *app, const struct answer_request *request,
                                       struct app_answer *answer)
{
    const struct app_proposal *found = app_proposal(app, request->number);
    if (!found)
        app_ask_refuse(answer, SDK_INVALID, "sdk",
                       "proposal does not exist for %" PRIu64
                       ": error getting proposals: invalid request",
                       request->number);
    return found;
}

void app_ask_proposal(const struct app *app, const struct answer_request *request,
                      struct app_answer *answer)
{
    struct answer_proposal proposal;
    const struct app_proposal *found = find(app, request, answer);
    if (!found)
        return;
    proposal_fill(app, found, &proposal);
    answer->value = answer_proposal(&proposal, &answer->size);
    free(proposal.votes);
}

void app_ask_proposal_votes(const struct app *app, const struct answer_request *request,
                            struct app_answer *answer)
{
    struct answer_proposal proposal = {0};
    const struct app_proposal *found = app_proposal(app, request->number);
    if (found)
        proposal_fill(app, found, &proposal);
    answer->value = answer_votes(&proposal, &answer->size); /* of none there are none */
    free(proposal.votes);
}

void app_ask_proposal_voters(const struct app *app, const struct answer_request *request,
                             struct app_answer *answer)
{
    if (!find(app, request, answer))
        return;
    uint8_t(*voters)[ACCOUNT_ADDRESS_SIZE] = calloc(app->genesis.count, sizeof *voters);
    assert(voters);
    for (uint32_t i = 0; i < app->genesis.count; i++)
        memcpy(voters[i], app->accounts[app->by_account[i]]->address, ACCOUNT_ADDRESS_SIZE);
    answer->value = answer_voters((const uint8_t(*)[ACCOUNT_ADDRESS_SIZE])voters,
                                  app->genesis.count, &answer->size);
    free(voters);
}

/* --- lists --- */

static size_t proposal_key(const struct app_ask_list *list, uint32_t item,
                           uint8_t key[ANSWER_KEY_MAX])
{
    uint64_t id = list->app->proposals[item]->id;
    for (size_t i = 0; i < sizeof id; i++)
        key[i] = (uint8_t)(id >> (56 - 8 * i));
    return sizeof id;
}

static bool voted_on(const struct app_ask_list *list, uint32_t item)
{
    const struct app_proposal *proposal = list->app->proposals[item];
    const uint32_t *voter = list->items;
    bool found = !voter;
    for (uint32_t i = 0; !found && i < proposal->vote_count; i++)
        found = proposal->votes[i].account == *voter;
    return found;
}

void app_ask_proposals(const struct app *app, const struct answer_request *request,
                       struct app_answer *answer)
{
    uint8_t address[ACCOUNT_ADDRESS_SIZE];
    uint32_t voter;
    struct app_ask_list list = {.app = app,
                                .request = request,
                                .count = app->proposal_count,
                                .key = proposal_key,
                                .matches = voted_on};
    if (*request->text[0]) {
        if (!app_ask_address_read(app, "", request->text[0], address, answer))
            return;
        voter = app_account_find(app, address);
        list.items = &voter;
    }
    if (!app_ask_page_run(&list, request, answer))
        return;
    struct answer_proposal *found = calloc(list.hit_count + 1, sizeof *found);
    assert(found);
    for (uint32_t i = 0; i < list.hit_count; i++)
        proposal_fill(app, app->proposals[list.hits[i]], &found[i]);
    answer->value = answer_proposals(found, list.hit_count, &list.tail, &answer->size);
    for (uint32_t i = 0; i < list.hit_count; i++)
        free(found[i].votes);
    free(found);
    free(list.hits);
}

/* --- plans --- */

static void plan(const struct app *app, uint64_t id, bool processed, struct app_answer *answer)
{
    const struct app_proposal *proposal = app_proposal(app, id);
    struct tx_bytes content = {NULL, 0};
    if (proposal)
        content = app_ask_bytes(proposal->content);
    answer->value = answer_plan(content, id, processed, &answer->size);
}

void app_ask_plan_current(const struct app *app, const struct answer_request *request,
                          struct app_answer *answer)
{
    (void)request;
    plan(app, app->plans.current, true, answer);
}

void app_ask_plan_next(const struct app *app, const struct answer_request *request,
                       struct app_answer *answer)
{
    (void)request;
    plan(app, app->plans.next, model_plan(app->model)->processed, answer);
}
