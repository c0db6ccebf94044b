/* The state's hash: SHA-256 over everything that a later block or answer can depend on, numbers big-endian, texts
 * and lists behind their lengths. Heights and times of blocks are left out: what did not change has the hash that
 * it had, which tells CometBFT that no further block is needed. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "sim/app_internal.h"

static void put(EVP_MD_CTX *hash, const void *bytes, size_t size)
{
    int done = EVP_DigestUpdate(hash, bytes, size);
    assert(done == 1);
}

static void put_number(EVP_MD_CTX *hash, uint64_t value)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(value >> (56 - 8 * i));
    put(hash, bytes, sizeof bytes);
}

static void put_text(EVP_MD_CTX *hash, const struct app_text *text)
{
    put_number(hash, text ? text->size : 0);
    if (text && text->size > 0)
        put(hash, text->bytes, text->size);
}

static void put_record(EVP_MD_CTX *hash, const struct model_record *r)
{
    const uint64_t numbers[] = {
        r->status,         (uint64_t)r->power,
        (uint64_t)r->rank, (uint64_t)r->streak,
        r->mischance,      r->mischance_confidence,
        r->missed_blocks,  r->produced_blocks,
        r->last_present,   (uint64_t)r->inactive_until_ms,
        r->sequence,       r->balance,
        r->voted_yes,      r->trustee_disabled,
    };
    put(hash, r->address, sizeof r->address);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        put_number(hash, numbers[i]);
}

static void put_chain(EVP_MD_CTX *hash, const struct app *app)
{
    const struct model_properties *p = model_properties(app->model);
    const struct model_plan *plan = model_plan(app->model);
    const uint64_t numbers[] = {
        p->min_validators,
        p->min_tx_fee,
        p->max_tx_fee,
        p->pause_fee,
        p->unpause_fee,
        p->activate_fee,
        p->activate_failure_fee,
        p->mischance_confidence,
        p->max_mischance,
        p->mischance_rank_decrease,
        p->inactive_rank_percent,
        p->downtime_inactive_s,
        p->guard,
        plan->pending,
        (uint64_t)plan->upgrade_time_ms,
        plan->instate,
        plan->processed,
        app->plans.next,
        app->plans.current,
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        put_number(hash, numbers[i]);
    for (uint32_t v = 0; v < app->genesis.count; v++)
        put_record(hash, model_record(app->model, v));
}

static void put_account(EVP_MD_CTX *hash, const struct app_account *account)
{
    put(hash, account->address, sizeof account->address);
    put_number(hash, account->has_key);
    put(hash, account->key, sizeof account->key);
    put_number(hash, account->validator);
    put_number(hash, account->own.sequence);
    put_number(hash, account->own.balance);
}

static void put_proposal(EVP_MD_CTX *hash, const struct app_proposal *p)
{
    put_text(hash, p->title);
    put_text(hash, p->description);
    put_text(hash, p->type_url);
    put_text(hash, p->content);
    put_number(hash, (uint64_t)p->submitted_ms);
    put_number(hash, (uint64_t)p->voting_end_height);
    put_number(hash, (uint64_t)p->enactment_end_height);
    put_number(hash, p->outcome);
    put_number(hash, (uint64_t)(p->voting * 2 + p->enacting));
    put_number(hash, p->exec_result ? strlen(p->exec_result) : 0);
    put_number(hash, p->vote_count);
    for (uint32_t i = 0; i < p->vote_count; i++) {
        put_number(hash, p->votes[i].account);
        put_number(hash, p->votes[i].option);
    }
}

static void put_grants(EVP_MD_CTX *hash, const struct app_grants *grants)
{
    put_number(hash, grants->count);
    for (uint32_t i = 0; i < grants->count; i++) {
        put_number(hash, grants->list[i].account);
        put_number(hash, (uint64_t)grants->list[i].time_s);
        put_text(hash, grants->list[i].info);
    }
}

static void put_upgrade(EVP_MD_CTX *hash, const struct app_upgrade *u)
{
    put_number(hash, u->stage);
    put_text(hash, u->name);
    put_text(hash, u->info);
    put_number(hash, (uint64_t)u->height);
    put_number(hash, u->creator);
    put_grants(hash, &u->approvals);
    put_grants(hash, &u->rejects);
}

static void put_trust(EVP_MD_CTX *hash, const struct app_trust *trust)
{
    put_number(hash, trust->upgrade_count);
    for (uint32_t i = 0; i < trust->upgrade_count; i++)
        put_upgrade(hash, &trust->upgrades[i]);
    put_number(hash, trust->disabling_count);
    for (uint32_t i = 0; i < trust->disabling_count; i++) {
        const struct app_disabling *d = &trust->disablings[i];
        put_number(hash, d->stage);
        put_number(hash, d->validator);
        put_number(hash, d->creator);
        put_grants(hash, &d->approvals);
        put_grants(hash, &d->rejects);
    }
    put_number(hash, trust->planned);
    if (trust->planned)
        put_upgrade(hash, &trust->plan);
}

void app_hash_update(struct app *app)
{
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    assert(hash);
    int done = EVP_DigestInit_ex(hash, EVP_sha256(), NULL);
    assert(done == 1);
    put_chain(hash, app);
    put_number(hash, app->account_count);
    for (uint32_t i = 0; i < app->account_count; i++)
        put_account(hash, app->accounts[i]);
    put_number(hash, app->proposal_count);
    for (uint32_t i = 0; i < app->proposal_count; i++)
        put_proposal(hash, app->proposals[i]);
    put_trust(hash, &app->trust);
    done = EVP_DigestFinal_ex(hash, app->hash, NULL);
    assert(done == 1);
    EVP_MD_CTX_free(hash);
}
