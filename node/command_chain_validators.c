/* `stagger chain validators`: every record, and how many of them really stand in the set. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "node/command_chain.h"
#include "proto/encoding.h"

struct validators {
    struct chain_look *look;
    const struct chain_facts *facts;
    struct liveness liveness;
    struct query_signing *signings; /* KIRA, by place in facts->records; owned */
    bool *has_signing;              /* owned */
    uint32_t active;                /* ACTIVE and in the set */
    uint64_t min_validators;        /* 0: the chain has none */
};

/* --- uptime counters, one query a validator --- */

static json_t *signing_params(const char *prefix, const struct query_record *record)
{
    char valcons[BECH32_TEXT_MAX], address[BECH32_TEXT_MAX];
    char data[HEX_TEXT(QUERY_REQUEST_MAX)];
    struct query query;
    snprintf(valcons, sizeof valcons, "%.60svalcons", prefix);
    if (!bech32_encode(valcons, record->consensus, ADDRESS_SIZE, address))
        address[0] = '\0';
    query_signing(address, &query);
    hex_encode(query.request, query.size, data);
    return json_pack("{s:s,s:s,s:b}", "path", query.path, "data", data, "prove", 0);
}

static bool signing_read(const json_t *result, const struct query_record *record,
                         struct query_signing *signing)
{
    struct reply_query reply;
    struct fault unused;
    if (!result || !reply_query(result, &reply, &unused))
        return false;
    bool good = reply.code == 0 &&
                query_signing_read(reply.value, reply.value_size, signing, &unused) &&
                memcmp(signing->consensus, record->consensus, ADDRESS_SIZE) == 0;
    reply_query_destroy(&reply);
    return good;
}

static void signings_ask(struct validators *v)
{
    uint32_t count = v->facts->record_count;
    const char *prefix = chain_prefix(session_chain(v->look->session));
    json_t **params = calloc(count + (size_t)1, sizeof(json_t *));
    json_t **results = calloc(count + (size_t)1, sizeof(json_t *));
    assert(params && results);
    for (uint32_t i = 0; i < count; i++)
        params[i] = signing_params(prefix, &v->facts->records[i]);
    session_call_many(v->look->session, "abci_query", params, results, count,
                      v->facts->records_at.endpoint);
    for (uint32_t i = 0; i < count; i++) {
        v->has_signing[i] = signing_read(results[i], &v->facts->records[i], &v->signings[i]);
        json_decref(results[i]);
    }
    free(params);
    free(results);
}

/* --- what is asked and counted --- */

static uint64_t min_validators(const struct validators *v)
{
    const struct settings *settings = v->look->settings;
    if (settings_given(settings, SETTING_CHARTER_MIN_VALIDATORS))
        return settings_whole(settings, SETTING_CHARTER_MIN_VALIDATORS);
    return v->facts->properties.min_validators;
}

static bool validators_ask(struct validators *v)
{
    struct chain_look *look = v->look;
    uint32_t topics = CHAIN_STATUS | CHAIN_RECORDS | CHAIN_SET | CHAIN_PROPERTIES;
    if (!session_ask(look->session, topics, NULL, &look->fault) ||
        !session_liveness(look->session, &v->liveness, &look->fault))
        return false;
    v->facts = session_facts(look->session);
    size_t count = v->facts->record_count + (size_t)1;
    v->signings = calloc(count, sizeof *v->signings);
    v->has_signing = calloc(count, sizeof *v->has_signing);
    assert(v->signings && v->has_signing);
    if (chain_driver_of(session_chain(look->session))->kind == CHAIN_KIRA)
        signings_ask(v);
    for (uint32_t i = 0; i < v->facts->record_count; i++)
        if (v->facts->records[i].status == COORD_ACTIVE &&
            chain_member_at(v->facts, v->facts->records[i].consensus))
            v->active++;
    v->min_validators = min_validators(v);
    return true;
}

/* Whether the member signed the last block; false for who is no member. */
static bool has_signed(const struct validators *v, const struct member *member)
{
    return member && v->liveness.signed_latest[member - v->facts->set];
}

/* --- output --- */

static json_t *record_json(const struct validators *v, uint32_t i)
{
    const struct query_record *record = &v->facts->records[i];
    const struct member *member = chain_member_at(v->facts, record->consensus);
    bool kira = chain_driver_of(session_chain(v->look->session))->kind == CHAIN_KIRA;
    json_t *object = json_object();
    json_object_set_new(object, "moniker", json_text(record->moniker));
    json_object_set_new(object, "account", json_account(v->look, record->account));
    json_object_set_new(object, "address", json_hex(record->consensus, ADDRESS_SIZE));
    json_object_set_new(object, "status", json_string(status_text(record->status)));
    json_object_set_new(object, "by_trustees", json_boolean(record->by_trustees));
    json_object_set_new(object, "in_set", json_boolean(member != NULL));
    json_object_set_new(object, "power", json_integer(member ? member->power : 0));
    json_object_set_new(object, "signed_last", json_boolean(has_signed(v, member)));
    json_object_set_new(object, "rank", kira ? json_integer(record->rank) : json_null());
    json_object_set_new(object, "streak", kira ? json_integer(record->streak) : json_null());
    json_object_set_new(object, "mischance",
                        v->has_signing[i] ? json_integer(v->signings[i].mischance) : json_null());
    json_object_set_new(object, "mischance_confidence",
                        v->has_signing[i] ? json_integer(v->signings[i].mischance_confidence)
                                          : json_null());
    return object;
}

static void validators_json(const struct validators *v)
{
    json_t *list = json_array(), *object = json_object();
    for (uint32_t i = 0; i < v->facts->record_count; i++)
        json_array_append_new(list, record_json(v, i));
    json_object_set_new(object, "chain_id", json_text(v->facts->status.chain_id));
    json_object_set_new(object, "height", json_integer(v->facts->status.latest_height));
    json_object_set_new(object, "records", json_integer(v->facts->record_count));
    json_object_set_new(object, "set", json_integer(v->facts->set_count));
    json_object_set_new(object, "active_in_set", json_integer(v->active));
    json_object_set_new(object, "live", json_integer(v->liveness.live));
    json_object_set_new(object, "min_validators",
                        v->min_validators ? json_integer((json_int_t)v->min_validators)
                                          : json_null());
    json_object_set_new(object, "validators", list);
    json_print(object);
}

static void record_row(struct table *table, const struct validators *v, uint32_t i)
{
    const struct query_record *record = &v->facts->records[i];
    const struct member *member = chain_member_at(v->facts, record->consensus);
    char account[BECH32_TEXT_MAX];
    account_text(v->look, record->account, account);
    table_cell(table, "%s", record->moniker);
    table_cell(table, "%s", account);
    table_cell(table, "%s%s", status_text(record->status),
               record->by_trustees ? " (trustees)" : "");
    table_cell(table, "%s", member ? "yes" : "no");
    table_cell(table, "%" PRId64, member ? member->power : 0);
    table_cell(table, "%s", !member ? "-" : has_signed(v, member) ? "yes" : "no");
    if (chain_driver_of(session_chain(v->look->session))->kind == CHAIN_KIRA)
        table_cell(table, "%" PRId64, record->rank);
    else
        table_cell(table, "-");
    if (v->has_signing[i])
        table_cell(table, "%" PRId64, v->signings[i].mischance);
    else
        table_cell(table, "-");
}

static void margin_line(const struct validators *v)
{
    if (v->min_validators == 0) {
        puts("This chain has no min_validators: nothing on it protects the set.");
        return;
    }
    int64_t above = (int64_t)v->active - (int64_t)v->min_validators;
    printf("min_validators is %" PRIu64 ": %" PRId64 " %s it.\n", v->min_validators,
           above < 0 ? -above : above, above < 0 ? "below" : "above");
}

static void validators_table(const struct validators *v)
{
    char shown[HEADER_CHAIN_ID_MAX];
    struct table *table =
        table_create("MONIKER ACCOUNT STATUS IN_SET POWER> SIGNED RANK> MISCHANCE>");
    for (uint32_t i = 0; i < v->facts->record_count; i++)
        record_row(table, v, i);
    table_print(table, stdout);
    table_destroy(&table);
    printf("\n%s, block %" PRId64
           ": %u records, %u in the set, %u ACTIVE and in the set, %u of the set "
           "signed in the last %u block%s.\n",
           text_shown(v->facts->status.chain_id, shown, sizeof shown),
           v->facts->status.latest_height, v->facts->record_count, v->facts->set_count, v->active,
           v->liveness.live, v->liveness.blocks, v->liveness.blocks == 1 ? "" : "s");
    margin_line(v);
}

enum command_status chain_look_validators(struct chain_look *look)
{
    struct validators v = {.look = look};
    bool good = validators_ask(&v);
    if (good && look->json)
        validators_json(&v);
    else if (good)
        validators_table(&v);
    liveness_destroy(&v.liveness);
    free(v.signings);
    free(v.has_signing);
    return good ? COMMAND_DONE : chain_look_fail(look, COMMAND_NO_NETWORK);
}
