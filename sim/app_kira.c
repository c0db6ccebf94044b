/* KIRA: sends between accounts, proposals and votes, and what governance makes of them. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/app_internal.h"

#define GOV "customgov"

enum {
    GOV_PERMISSION = 5,
    GOV_NO_PROPOSAL = 21,
    GOV_NO_ACTOR = 22,
    GOV_ENDED = 28,
    GOV_CONTENT = 39,
    UPGRADE_TIME = 1,
};

#define VOTE_YES 1
#define VOTE_VETO 4

/* --- bank --- */

static uint32_t recipient_of(struct app *app, const struct tx_message *message)
{
    uint32_t to = app_account_find(app, message->recipient);
    if (to < app->account_count)
        return to;
    to = app_account_create(app, message->recipient);
    (void)app_journal_add(app, CHANGE_CREATED, to);
    return to;
}

static struct model_result no_funds(struct app_tx *tx, const struct tx_coin *coin, uint64_t balance)
{
    char text[BECH32_TEXT_MAX];
    (void)snprintf(tx->words, sizeof tx->words,
                   "spendable balance %s is smaller than %.80s%.80s: insufficient funds",
                   app_coin(tx->app, balance, text), coin->amount, coin->denom);
    return app_no(SDK_FUNDS, "sdk");
}

/* Coins of other denoms: nobody has any. */
static struct model_result send(struct app_tx *tx, uint32_t i)
{
    struct app *app = tx->app;
    const struct tx_message *message = &tx->decoded.messages[i];
    for (uint32_t c = 0; c < message->amount_count; c++) {
        const struct tx_coin *coin = &message->amount[c];
        if (strcmp(coin->denom, app->genesis.denom) != 0)
            return no_funds(tx, coin, 0);
        if (app_account_balance(app, tx->account_index) < tx->messages[i].amount)
            return no_funds(tx, coin, app_account_balance(app, tx->account_index));
    }
    uint32_t to = recipient_of(app, message);
    uint64_t amount = tx->messages[i].amount;
    app_account_balance_set(app, tx->account_index,
                            app_account_balance(app, tx->account_index) - amount);
    app_account_balance_set(app, to, app_account_balance(app, to) + amount);
    return app_ok();
}

/* --- proposals --- */

const struct app_proposal *app_proposal(const struct app *app, uint64_t id)
{
    return id >= 1 && id <= app->proposal_count ? app->proposals[id - 1] : NULL;
}

void app_proposal_destroy(struct app_proposal *proposal)
{
    app_text_drop(proposal->title);
    app_text_drop(proposal->description);
    app_text_drop(proposal->type_url);
    app_text_drop(proposal->content);
    free(proposal->votes);
    free(proposal);
}

static struct app_text *text_of(struct tx_bytes bytes)
{
    return app_text_make(bytes.bytes, bytes.size);
}

static struct app_proposal *proposal_make(const struct app *app, const struct answer_act *act)
{
    struct app_proposal *p = calloc(1, sizeof *p);
    assert(p);
    p->id = app->proposal_count + 1;
    p->title = text_of(act->title);
    p->description = text_of(act->description);
    p->type_url = text_of(act->type_url);
    p->content = text_of(act->content);
    (void)snprintf(p->name, sizeof p->name, "%.*s", (int)act->name.size,
                   act->name.size ? (const char *)act->name.bytes : "");
    p->cancel = act->kind == ACT_CANCEL_PROPOSAL;
    p->upgrade_time_s = act->upgrade_time_s;
    p->instate = act->instate;
    p->skip_handler = act->skip_handler;
    p->submitted_ms = app->time_ms;
    p->voting_end_ms = app->time_ms + app->genesis.proposal_end_s * 1000;
    p->enactment_end_ms = p->voting_end_ms + app->genesis.proposal_enactment_s * 1000;
    p->voting_end_height = (int64_t)app->height.n + APP_PROPOSAL_END_BLOCKS;
    p->enactment_end_height = p->voting_end_height + APP_PROPOSAL_ENACTMENT_BLOCKS;
    p->outcome = OUTCOME_PENDING;
    p->voting = true;
    return p;
}

/* Applied once at once, on a copy of the state: what cannot be now is refused. */
static bool is_applicable(const struct app *app, bool cancel, int64_t upgrade_time_s)
{
    return cancel || upgrade_time_s > app->time_ms / 1000;
}

static struct model_result submit(struct app_tx *tx, uint32_t i)
{
    struct app *app = tx->app;
    const struct answer_act *act = &tx->acts[i];
    if (act->kind == ACT_OTHER_PROPOSAL || act->name.size >= APP_NAME_MAX) {
        strcpy(tx->words, "no such proposal here: invalid proposal content");
        return app_no(GOV_CONTENT, GOV);
    }
    if (tx->model.signer == VALIDATOR_NONE) {
        strcpy(tx->words, "PERMISSION_CREATE_SOFTWARE_UPGRADE_PROPOSAL: not enough permissions");
        return app_no(GOV_PERMISSION, GOV);
    }
    if (!is_applicable(app, act->kind == ACT_CANCEL_PROPOSAL, act->upgrade_time_s)) {
        strcpy(tx->words, "invalid upgrade time");
        return app_no(UPGRADE_TIME, "upgrade");
    }
    app->proposals =
        app_room(app->proposals, app->proposal_count, &app->proposal_room, sizeof *app->proposals);
    app->proposals[app->proposal_count] = proposal_make(app, act);
    (void)app_journal_add(app, CHANGE_PROPOSED, app->proposal_count);
    tx->numbers[i] = ++app->proposal_count;
    return app_ok();
}

/* --- votes --- */

/* Where the account's vote stands, or would. */
static uint32_t vote_place(const struct app *app, const struct app_proposal *proposal,
                           uint32_t account)
{
    uint32_t at = 0;
    while (at < proposal->vote_count &&
           memcmp(app->accounts[proposal->votes[at].account]->address,
                  app->accounts[account]->address, ACCOUNT_ADDRESS_SIZE) < 0)
        at++;
    return at;
}

static void vote_save(struct app *app, struct app_proposal *proposal, struct app_vote vote)
{
    uint32_t at = vote_place(app, proposal, vote.account);
    struct app_change *change = app_journal_add(app, CHANGE_VOTED, (uint32_t)(proposal->id - 1));
    change->vote = (struct app_vote){vote.account, UINT32_MAX};
    if (at < proposal->vote_count && proposal->votes[at].account == vote.account) {
        change->vote.option = proposal->votes[at].option;
    } else {
        proposal->votes = app_room(proposal->votes, proposal->vote_count, &proposal->vote_room,
                                   sizeof *proposal->votes);
        memmove(&proposal->votes[at + 1], &proposal->votes[at],
                (proposal->vote_count++ - at) * sizeof *proposal->votes);
    }
    proposal->votes[at] = vote;
}

static struct model_result vote(struct app_tx *tx, uint32_t i)
{
    struct app *app = tx->app;
    const struct tx_message *message = &tx->decoded.messages[i];
    if (tx->model.signer == VALIDATOR_NONE) {
        strcpy(tx->words, "actor is not active");
        return app_no(GOV_NO_ACTOR, GOV);
    }
    if (!app_proposal(app, message->proposal)) {
        strcpy(tx->words, "proposal does not exist");
        return app_no(GOV_NO_PROPOSAL, GOV);
    }
    struct app_proposal *proposal = app->proposals[message->proposal - 1];
    if (proposal->voting_end_ms < app->time_ms) {
        strcpy(tx->words, "voting time has ended");
        return app_no(GOV_ENDED, GOV);
    }
    vote_save(app, proposal, (struct app_vote){tx->account_index, message->option});
    return app_ok();
}

struct model_result app_kira_run(void *context, uint32_t message, struct model_msg *then)
{
    struct app_tx *tx = context;
    (void)then;
    switch (tx->decoded.messages[message].kind) {
    case TX_MESSAGE_SEND:
        return send(tx, message);
    case TX_MESSAGE_SUBMIT_PROPOSAL:
        return submit(tx, message);
    default:
        return vote(tx, message);
    }
}

/* --- governance --- */

/* Every validator has the permission to vote, and to veto: quorum is 33 % of them. */
static enum app_outcome count_votes(const struct app *app, const struct app_proposal *proposal)
{
    uint64_t yes = 0, veto = 0, all = proposal->vote_count, voters = app->genesis.count;
    for (uint32_t i = 0; i < proposal->vote_count; i++) {
        yes += proposal->votes[i].option == VOTE_YES;
        veto += proposal->votes[i].option == VOTE_VETO;
    }
    if (all * 100 < voters * 33)
        return OUTCOME_NO_QUORUM;
    if (veto * 2 >= voters)
        return OUTCOME_VETO;
    return yes * 2 > all ? OUTCOME_ENACTMENT : OUTCOME_REJECTED;
}

/* The plan is the model's from now on, with the votes that count at its time. */
static void plan_set(struct app *app, const struct app_proposal *proposal)
{
    app->plans.next = proposal->id;
    *model_plan(app->model) = (struct model_plan){
        .pending = true,
        .upgrade_time_ms = proposal->upgrade_time_s * 1000,
        .instate = proposal->instate && proposal->skip_handler,
    };
    for (uint32_t v = 0; v < app->genesis.count; v++)
        model_record(app->model, v)->voted_yes = false;
    for (uint32_t i = 0; i < proposal->vote_count; i++) {
        uint32_t v = app->accounts[proposal->votes[i].account]->validator;
        model_record(app->model, v)->voted_yes = proposal->votes[i].option == VOTE_YES;
    }
}

static void plan_clear(struct app *app)
{
    app->plans.next = 0;
    *model_plan(app->model) = (struct model_plan){0};
    for (uint32_t v = 0; v < app->genesis.count; v++)
        model_record(app->model, v)->voted_yes = false;
}

static void enact(struct app *app, struct app_proposal *proposal)
{
    proposal->enacting = false;
    if (proposal->outcome != OUTCOME_ENACTMENT)
        return;
    proposal->outcome = OUTCOME_PASSED;
    if (!is_applicable(app, proposal->cancel, proposal->upgrade_time_s)) {
        proposal->exec_result = "execution failed";
        return;
    }
    proposal->exec_result = "executed successfully";
    if (proposal->cancel)
        plan_clear(app);
    else
        plan_set(app, proposal);
}

/* The upgrade module has run: a plan that the model dropped is the current one. */
void app_kira_begin(struct app *app)
{
    if (app->plans.next && !model_plan(app->model)->pending) {
        app->plans.current = app->plans.next;
        app->plans.next = 0;
    }
}

void app_kira_end(struct app *app)
{
    int64_t height = (int64_t)app->height.n;
    for (uint32_t i = 0; i < app->proposal_count; i++) {
        struct app_proposal *p = app->proposals[i];
        if (p->enacting && p->enactment_end_ms <= app->time_ms && p->enactment_end_height <= height)
            enact(app, p);
    }
    for (uint32_t i = 0; i < app->proposal_count; i++) {
        struct app_proposal *p = app->proposals[i];
        if (!p->voting || p->voting_end_ms > app->time_ms || p->voting_end_height > height)
            continue;
        p->voting = false;
        p->enacting = true;
        p->outcome = count_votes(app, p);
        p->enactment_end_height = height + APP_PROPOSAL_ENACTMENT_BLOCKS;
    }
}
