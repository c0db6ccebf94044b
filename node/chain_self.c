#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/chain_internal.h"

static const struct query_record *record_search(const struct chain_facts *facts,
                                                const uint8_t account[ACCOUNT_ADDRESS_SIZE])
{
    for (uint32_t i = 0; i < facts->record_count; i++) {
        if (memcmp(facts->records[i].account, account, ACCOUNT_ADDRESS_SIZE) == 0)
            return &facts->records[i];
    }
    return NULL;
}

const struct query_record *chain_record_of(const struct chain_facts *facts,
                                           const uint8_t account[ACCOUNT_ADDRESS_SIZE])
{
    return record_search(facts, account);
}

static int consensus_compare(const void *key, const void *entry)
{
    const struct query_record *record = entry;
    return memcmp(key, record->consensus, ADDRESS_SIZE);
}

const struct query_record *chain_record_at(const struct chain_facts *facts,
                                           const uint8_t consensus[ADDRESS_SIZE])
{
    return facts->record_count ? bsearch(consensus, facts->records, facts->record_count,
                                         sizeof *facts->records, consensus_compare)
                               : NULL;
}

static int member_compare(const void *key, const void *entry)
{
    const struct member *member = entry;
    return memcmp(key, member->address, ADDRESS_SIZE);
}

const struct member *chain_member_at(const struct chain_facts *facts,
                                     const uint8_t consensus[ADDRESS_SIZE])
{
    return facts->set_count ? bsearch(consensus, facts->set, facts->set_count, sizeof *facts->set,
                                      member_compare)
                            : NULL;
}

static struct coord_self self_of(const struct chain_facts *facts)
{
    return (struct coord_self){
        .known = true,
        .status = facts->self_registered ? facts->record.status : COORD_UNKNOWN,
        .by_trustees = facts->record.by_trustees,
        .funded = facts->balance >= facts->turn_fees,
        .inactive_until = {facts->signing.inactive_until_ms},
    };
}

static void self_finish(struct ask *ask)
{
    struct chain_facts *facts = &ask->job.chain->facts;
    struct fault fault;
    uint64_t fees;
    if (!chain_turn_fees(ask->job.chain->driver, &facts->properties, &facts->fees, &fees, &fault)) {
        ask_topic(ask, CHAIN_SELF, &fault);
        return;
    }
    const struct member *member =
        ask->registered ? chain_member_at(facts, ask->record.consensus) : NULL;
    memcpy(facts->self_address, ask->account, sizeof facts->self_address);
    facts->self_registered = ask->registered;
    facts->record = ask->record;
    facts->signing = ask->signing;
    facts->self_in_set = member != NULL;
    facts->self_power = member ? member->power : 0;
    facts->self_is_node =
        ask->registered && memcmp(ask->status.address, ask->record.consensus, ADDRESS_SIZE) == 0;
    facts->turn_fees = fees;
    facts->self = self_of(facts);
    facts->self_at = ask_stamp(ask, ask->height);
    ask_topic(ask, CHAIN_SELF, NULL);
}

static bool signing_take(struct ask *ask, const struct reply_query *reply, struct fault *fault)
{
    if (!query_signing_read(reply->value, reply->value_size, &ask->signing, fault))
        return false;
    return memcmp(ask->signing.consensus, ask->record.consensus, ADDRESS_SIZE) == 0 ||
           fault_set(fault, "signing info: the node answered with another validator's");
}

static bool disabled_take(struct ask *ask, const struct reply_query *reply, struct fault *fault)
{
    uint8_t key[QUERY_KEY_MAX];
    size_t key_size;
    return query_disabled_read(reply->value, reply->value_size, &ask->record, 1, key, &key_size,
                               fault);
}

/* KIRA: the uptime counters; DCL: whether and by whom it is disabled. Neither need be there. */
static void detail_done(struct job *job, uint32_t tag, const struct rpc_answer *answer)
{
    (void)tag;
    struct ask *ask = (struct ask *)job;
    struct reply_query reply;
    struct fault fault;
    bool missing;
    bool kira = job->chain->driver->kind == CHAIN_KIRA;
    const char *what = kira ? "signing info" : "disabled validator";
    bool good = answer_query(answer, what, &reply, &missing, &fault);
    if (good) {
        good = missing ||
               (kira ? signing_take(ask, &reply, &fault) : disabled_take(ask, &reply, &fault));
        reply_query_destroy(&reply);
    }
    if (good) {
        self_finish(ask);
        return;
    }
    ask_topic(ask, CHAIN_SELF, &fault);
}

static void detail_ask(struct ask *ask)
{
    struct chain *chain = ask->job.chain;
    struct query query;
    char address[BECH32_TEXT_MAX];
    if (chain->driver->kind == CHAIN_KIRA) {
        chain_address(chain, ask->record.consensus, "valcons", address);
        query_signing(address, &query);
    } else {
        chain_address(chain, ask->account, "valoper", address);
        query_disabled_one(address, &query);
    }
    job_query(&ask->job, &query, 0, ask->endpoint, detail_done, 0);
}

/* Ours among what came: a node that does not know the filter answers with all it has. */
static bool record_take(struct ask *ask, const struct reply_query *reply, bool missing,
                        struct fault *fault)
{
    struct query_page page = {0};
    enum chain_kind kind = ask->job.chain->driver->kind;
    ask->height = reply->height;
    if (!missing && !query_records_read(kind, reply->value, reply->value_size, &page, fault))
        return false;
    for (uint32_t i = 0; i < page.count && !ask->registered; i++) {
        ask->record = page.records[i];
        ask->registered = memcmp(ask->record.account, ask->account, ACCOUNT_ADDRESS_SIZE) == 0;
    }
    bool good = ask->registered || page.count == 0 ||
                fault_set(fault, "own record: the node answered with others' records");
    query_page_destroy(&page);
    return good;
}

static void record_done(struct job *job, uint32_t tag, const struct rpc_answer *answer)
{
    (void)tag;
    struct ask *ask = (struct ask *)job;
    struct reply_query reply;
    struct fault fault;
    bool missing;
    bool good = answer_query(answer, "own record", &reply, &missing, &fault);
    if (good) {
        good = record_take(ask, &reply, missing, &fault);
        reply_query_destroy(&reply);
    }
    if (!good) {
        ask_topic(ask, CHAIN_SELF, &fault);
    } else if (ask->registered) {
        detail_ask(ask);
    } else {
        self_finish(ask);
    }
}

void ask_self_start(struct ask *ask)
{
    struct chain *chain = ask->job.chain;
    struct query query;
    char address[BECH32_TEXT_MAX];
    ask->registered = false;
    ask->record = (struct query_record){0};
    ask->signing = (struct query_signing){0};
    chain_address(chain, ask->account, chain->driver->kind == CHAIN_KIRA ? "" : "valoper", address);
    query_record(chain->driver->kind, address, &query);
    job_query(&ask->job, &query, 0, ask->endpoint, record_done, 0);
}
