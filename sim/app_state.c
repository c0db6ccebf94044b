/* Accounts and shared texts, and the journal by which changes are taken back. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/app_internal.h"

/* --- texts --- */

struct app_text *app_text_make(const void *bytes, size_t size)
{
    struct app_text *text = malloc(sizeof *text + size + 1);
    assert(text);
    text->keepers = 1;
    text->size = size;
    if (size > 0)
        memcpy(text->bytes, bytes, size);
    text->bytes[size] = '\0';
    return text;
}

struct app_text *app_text_keep(struct app_text *text)
{
    if (text)
        text->keepers++;
    return text;
}

void app_text_drop(struct app_text *text)
{
    if (text && --text->keepers == 0)
        free(text);
}

void *app_room(void *list, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room)
        return list;
    *room = *room ? *room * 2 : 16;
    list = realloc(list, *room * size);
    assert(list);
    return list;
}

void app_address_text(const struct app *app, const char *kind,
                      const uint8_t address[ACCOUNT_ADDRESS_SIZE], char text[BECH32_TEXT_MAX])
{
    char prefix[APP_PREFIX_MAX + 8];
    assert(strlen(app->genesis.prefix) + strlen(kind) < sizeof prefix);
    strcpy(prefix, app->genesis.prefix);
    strcat(prefix, kind);
    bool fits = bech32_encode(prefix, address, ACCOUNT_ADDRESS_SIZE, text);
    assert(fits);
}

/* --- accounts --- */

uint32_t app_account_find(const struct app *app, const uint8_t address[ACCOUNT_ADDRESS_SIZE])
{
    for (uint32_t i = 0; i < app->account_count; i++) {
        if (memcmp(app->accounts[i]->address, address, ACCOUNT_ADDRESS_SIZE) == 0)
            return i;
    }
    return UINT32_MAX;
}

uint32_t app_account_create(struct app *app, const uint8_t address[ACCOUNT_ADDRESS_SIZE])
{
    struct app_account *account = calloc(1, sizeof *account);
    assert(account);
    memcpy(account->address, address, ACCOUNT_ADDRESS_SIZE);
    account->number = app->account_count;
    account->validator = VALIDATOR_NONE;
    app->accounts =
        app_room(app->accounts, app->account_count, &app->account_room, sizeof *app->accounts);
    app->accounts[app->account_count] = account;
    return app->account_count++;
}

uint64_t app_account_balance(const struct app *app, uint32_t account)
{
    const struct app_account *a = app->accounts[account];
    return a->validator == VALIDATOR_NONE ? a->own.balance
                                          : model_record(app->model, a->validator)->balance;
}

uint64_t app_account_sequence(const struct app *app, uint32_t account)
{
    const struct app_account *a = app->accounts[account];
    return a->validator == VALIDATOR_NONE ? a->own.sequence
                                          : model_record(app->model, a->validator)->sequence;
}

void app_account_balance_set(struct app *app, uint32_t account, uint64_t balance)
{
    struct app_account *a = app->accounts[account];
    app_account_note(app, account);
    if (a->validator == VALIDATOR_NONE)
        a->own.balance = balance;
    else
        model_record(app->model, a->validator)->balance = balance;
}

/* --- journal --- */

struct app_change *app_journal_add(struct app *app, enum app_change_kind kind, uint32_t index)
{
    app->changes =
        app_room(app->changes, app->change_count, &app->change_room, sizeof *app->changes);
    app->changes[app->change_count] = (struct app_change){.kind = kind, .index = index};
    return &app->changes[app->change_count++];
}

void app_account_note(struct app *app, uint32_t account)
{
    struct app_change *change = app_journal_add(app, CHANGE_ACCOUNT, account);
    change->account = *app->accounts[account];
    change->balance = app_account_balance(app, account);
}

/* CheckTx's view stays: what it has seen in this block has happened. */
static void account_undo(struct app *app, const struct app_change *change)
{
    struct app_account *account = app->accounts[change->index];
    struct model_outsider own = change->account.own;
    own.stamp = account->own.stamp;
    own.checked_sequence = account->own.checked_sequence;
    own.checked_balance = account->own.checked_balance;
    *account = change->account;
    account->own = own;
    if (account->validator != VALIDATOR_NONE)
        model_record(app->model, account->validator)->balance = change->balance;
}

static void vote_undo(struct app *app, const struct app_change *change)
{
    struct app_proposal *proposal = app->proposals[change->index];
    for (uint32_t i = 0; i < proposal->vote_count; i++) {
        if (proposal->votes[i].account != change->vote.account)
            continue;
        proposal->votes[i].option = change->vote.option;
        if (change->vote.option == UINT32_MAX)
            memmove(&proposal->votes[i], &proposal->votes[i + 1],
                    (--proposal->vote_count - i) * sizeof *proposal->votes);
        return;
    }
}

static void change_undo(struct app *app, const struct app_change *change)
{
    switch (change->kind) {
    case CHANGE_ACCOUNT:
        account_undo(app, change);
        break;
    case CHANGE_CREATED:
        free(app->accounts[--app->account_count]);
        break;
    case CHANGE_PROPOSED:
        app_proposal_destroy(app->proposals[--app->proposal_count]);
        break;
    case CHANGE_VOTED:
        vote_undo(app, change);
        break;
    }
}

void app_journal_undo(struct app *app, uint32_t mark)
{
    while (app->change_count > mark)
        change_undo(app, &app->changes[--app->change_count]);
}
