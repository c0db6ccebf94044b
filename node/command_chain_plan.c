/* `stagger chain plan` and `stagger chain properties`. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "node/command_chain.h"

#define MS_PER_S 1000
#define VOTE_YES 1

static bool is_kira(const struct chain_look *look)
{
    return chain_driver_of(session_chain(look->session))->kind == CHAIN_KIRA;
}

static int64_t upgrade_ms(const struct query_plan *plan)
{
    return plan->upgrade_time_s > INT64_MAX / MS_PER_S ? INT64_MAX
                                                       : plan->upgrade_time_s * MS_PER_S;
}

/* --- plans as JSON --- */

static json_t *resources_json(const struct query_plan *plan)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < plan->resource_count; i++) {
        const struct query_resource *resource = &plan->resources[i];
        json_t *object = json_object();
        json_object_set_new(object, "id", json_text(resource->id));
        json_object_set_new(object, "url", json_text(resource->url));
        json_object_set_new(object, "version", json_text(resource->version));
        json_object_set_new(object, "checksum", json_text(resource->checksum));
        json_array_append_new(list, object);
    }
    return list;
}

static void plan_kira_json(json_t *object, const struct query_plan *plan)
{
    char moment[UTC_TEXT_MAX];
    json_object_set_new(object, "upgrade_time", json_integer(plan->upgrade_time_s));
    json_object_set_new(object, "upgrade_time_utc",
                        json_string(utc_text_whole(upgrade_ms(plan), moment)));
    json_object_set_new(object, "seconds_left",
                        json_integer(plan->upgrade_time_s - now_ms() / MS_PER_S));
    json_object_set_new(object, "max_enrolment_duration", json_integer(plan->max_enrolment_s));
    json_object_set_new(object, "old_chain_id", json_text(plan->old_chain_id));
    json_object_set_new(object, "new_chain_id", json_text(plan->new_chain_id));
    json_object_set_new(object, "rollback_checksum", json_text(plan->rollback_checksum));
    json_object_set_new(object, "instate", json_boolean(plan->instate));
    json_object_set_new(object, "reboot_required", json_boolean(plan->reboot_required));
    json_object_set_new(object, "skip_handler", json_boolean(plan->skip_handler));
    json_object_set_new(object, "processed_no_vote_validators",
                        json_boolean(plan->processed_no_vote_validators));
    json_object_set_new(object, "proposal", json_integer((json_int_t)plan->proposal));
    json_object_set_new(object, "resources", resources_json(plan));
}

static json_t *plan_json(const struct chain_look *look, const struct query_plan *plan)
{
    if (!plan->present)
        return json_null();
    json_t *object = json_object();
    json_object_set_new(object, "name", json_text(plan->name));
    if (is_kira(look)) {
        plan_kira_json(object, plan);
        return object;
    }
    json_object_set_new(object, "height", json_integer(plan->height));
    json_object_set_new(
        object, "blocks_left",
        json_integer(plan->height - session_facts(look->session)->status.latest_height));
    json_object_set_new(object, "info", json_text(plan->info));
    return object;
}

/* --- votes --- */

/* Whose YES is missing: validators that may vote and have not voted so. On DCL trustees vote, who need not run
 * a validator, so nobody can be named. */
static bool is_missing(const struct chain_look *look, const struct chain_ballot *ballot,
                       const struct query_record *record)
{
    return is_kira(look) && chain_may_vote(ballot, record->account) &&
           !chain_voted_yes(ballot, record->account);
}

static uint32_t count_yes(const struct chain_ballot *ballot)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < ballot->vote_count; i++)
        count += ballot->votes[i].option == VOTE_YES;
    return count;
}

static json_t *ballot_json(const struct chain_look *look, const struct chain_ballot *ballot)
{
    const struct chain_facts *facts = session_facts(look->session);
    json_t *object = json_object(), *missing = json_array();
    for (uint32_t i = 0; i < facts->record_count; i++) {
        const struct query_record *record = &facts->records[i];
        if (!is_missing(look, ballot, record))
            continue;
        json_t *who = json_object();
        json_object_set_new(who, "moniker", json_text(record->moniker));
        json_object_set_new(who, "account", json_account(look, record->account));
        json_object_set_new(who, "status", json_string(status_text(record->status)));
        json_array_append_new(missing, who);
    }
    json_object_set_new(object, "name", json_text(ballot->plan.name));
    json_object_set_new(object, "proposal", json_integer((json_int_t)ballot->plan.proposal));
    json_object_set_new(object, "scheduled", json_boolean(ballot->scheduled));
    json_object_set_new(object, "votes", json_integer(ballot->vote_count));
    json_object_set_new(object, "yes", json_integer(count_yes(ballot)));
    json_object_set_new(object, "not_yes", missing);
    return object;
}

static void look_plan_json(const struct chain_look *look)
{
    const struct chain_facts *facts = session_facts(look->session);
    json_t *object = json_object(), *ballots = json_array();
    for (uint32_t i = 0; i < facts->ballot_count; i++)
        json_array_append_new(ballots, ballot_json(look, &facts->ballots[i]));
    json_object_set_new(object, "chain_id", json_text(facts->status.chain_id));
    json_object_set_new(object, "height", json_integer(facts->status.latest_height));
    json_object_set_new(object, "current", plan_json(look, &facts->current));
    json_object_set_new(object, "next", plan_json(look, &facts->next));
    json_object_set_new(object, "ballots", ballots);
    json_print(object);
}

/* --- for people --- */

static void field_line(const char *label, const char *text)
{
    char shown[2100];
    if (*text)
        printf("  %-19s %s\n", label, text_shown(text, shown, sizeof shown));
}

static void plan_kira_lines(const struct query_plan *plan)
{
    char moment[UTC_TEXT_MAX], span[SPAN_TEXT_MAX];
    span_text(upgrade_ms(plan) - now_ms(), span);
    printf("  %-19s %s, %s\n", "upgrade time", utc_text_whole(upgrade_ms(plan), moment), span);
    printf("  %-19s %s\n", "kind",
           plan->instate ? "the chain goes on (soft)" : "the chain halts (hard)");
    printf("  %-19s %s\n", "reboot required", plan->reboot_required ? "yes" : "no");
    printf("  %-19s %" PRId64 " s\n", "enrolment at most", plan->max_enrolment_s);
    field_line("old chain id", plan->old_chain_id);
    field_line("new chain id", plan->new_chain_id);
    field_line("rollback checksum", plan->rollback_checksum);
    if (plan->resource_count == 0)
        return;
    struct table *table = table_create("RESOURCE VERSION CHECKSUM URL");
    for (uint32_t i = 0; i < plan->resource_count; i++) {
        table_cell(table, "%s", plan->resources[i].id);
        table_cell(table, "%s", plan->resources[i].version);
        table_cell(table, "%s", plan->resources[i].checksum);
        table_cell(table, "%s", plan->resources[i].url);
    }
    table_print(table, stdout);
    table_destroy(&table);
}

static void plan_lines(const struct chain_look *look, const char *which,
                       const struct query_plan *plan)
{
    char shown[sizeof plan->name];
    int64_t latest = session_facts(look->session)->status.latest_height;
    if (!plan->present) {
        printf("%s plan: none\n", which);
        return;
    }
    printf("%s plan: %s\n", which, text_shown(plan->name, shown, sizeof shown));
    if (is_kira(look)) {
        plan_kira_lines(plan);
        return;
    }
    printf("  %-19s %" PRId64 ", %" PRId64 " blocks %s\n", "height", plan->height,
           plan->height < latest ? latest - plan->height : plan->height - latest,
           plan->height < latest ? "ago" : "ahead");
    field_line("info", plan->info);
}

static void ballot_lines(const struct chain_look *look, const struct chain_ballot *ballot)
{
    const struct chain_facts *facts = session_facts(look->session);
    char shown[sizeof ballot->plan.name], account[BECH32_TEXT_MAX];
    uint32_t missing = 0;
    if (ballot->scheduled && !is_kira(look)) /* its votes are over, and not asked for */
        return;
    printf("\nVotes on %s (", text_shown(ballot->plan.name, shown, sizeof shown));
    if (is_kira(look)) /* what `stagger tx vote` wants to know */
        printf("proposal %" PRIu64 ", ", ballot->plan.proposal);
    printf("%s): %u, of these %u %s\n", ballot->scheduled ? "scheduled" : "proposed",
           ballot->vote_count, count_yes(ballot), is_kira(look) ? "YES" : "approve");
    struct table *table = table_create("NOT_YES ACCOUNT STATUS");
    for (uint32_t i = 0; i < facts->record_count; i++) {
        const struct query_record *record = &facts->records[i];
        if (!is_missing(look, ballot, record))
            continue;
        missing++;
        account_text(look, record->account, account);
        table_cell(table, "%s", record->moniker);
        table_cell(table, "%s", account);
        table_cell(table, "%s", status_text(record->status));
    }
    if (missing)
        table_print(table, stdout);
    else if (is_kira(look))
        puts("Every validator that may vote has voted YES.");
    table_destroy(&table);
}

enum command_status chain_look_plan(struct chain_look *look)
{
    uint32_t topics = CHAIN_STATUS | CHAIN_RECORDS | CHAIN_PLAN | CHAIN_VOTES;
    if (!session_ask(look->session, topics, NULL, &look->fault))
        return chain_look_fail(look, COMMAND_NO_NETWORK);
    if (look->json) {
        look_plan_json(look);
        return COMMAND_DONE;
    }
    const struct chain_facts *facts = session_facts(look->session);
    if (is_kira(look))
        plan_lines(look, "Current", &facts->current);
    plan_lines(look, is_kira(look) ? "Next" : "Scheduled", &facts->next);
    for (uint32_t i = 0; i < facts->ballot_count; i++)
        ballot_lines(look, &facts->ballots[i]);
    return COMMAND_DONE;
}

/* --- properties --- */

struct property {
    const char *name;
    uint64_t value;
};

#define PROPERTY_COUNT 9

static void properties_list(const struct query_properties *p, struct property out[PROPERTY_COUNT])
{
    const struct property list[PROPERTY_COUNT] = {
        {"min_tx_fee", p->min_tx_fee},
        {"max_tx_fee", p->max_tx_fee},
        {"min_validators", p->min_validators},
        {"minimum_proposal_end_time", p->minimum_proposal_end_time_s},
        {"proposal_enactment_time", p->proposal_enactment_time_s},
        {"mischance_confidence", p->mischance_confidence},
        {"max_mischance", p->max_mischance},
        {"unjail_max_time", p->unjail_max_time_s},
        {"downtime_inactive_duration", p->downtime_inactive_duration_s},
    };
    memcpy(out, list, sizeof list);
}

static void properties_json(const struct chain_facts *facts)
{
    struct property list[PROPERTY_COUNT];
    json_t *object = json_object(), *properties = json_object(), *fees = json_array();
    properties_list(&facts->properties, list);
    for (uint32_t i = 0; i < PROPERTY_COUNT; i++)
        json_object_set_new(properties, list[i].name, json_number(list[i].value));
    json_object_set_new(properties, "vote_quorum", json_text(facts->properties.vote_quorum));
    for (uint32_t i = 0; i < facts->fees.count; i++) {
        const struct query_fee *fee = &facts->fees.fees[i];
        json_t *entry = json_object();
        json_object_set_new(entry, "transaction_type", json_text(fee->type));
        json_object_set_new(entry, "execution_fee", json_number(fee->execution));
        json_object_set_new(entry, "failure_fee", json_number(fee->failure));
        json_array_append_new(fees, entry);
    }
    json_object_set_new(object, "properties", properties);
    json_object_set_new(object, "fees", fees);
    json_print(object);
}

static void properties_tables(const struct chain_facts *facts)
{
    struct property list[PROPERTY_COUNT];
    struct table *table = table_create("PROPERTY VALUE>");
    properties_list(&facts->properties, list);
    for (uint32_t i = 0; i < PROPERTY_COUNT; i++) {
        table_cell(table, "%s", list[i].name);
        table_cell(table, "%" PRIu64, list[i].value);
    }
    table_cell(table, "vote_quorum");
    table_cell(table, "%s", facts->properties.vote_quorum);
    table_print(table, stdout);
    table_destroy(&table);
    putchar('\n');
    table = table_create("TRANSACTION EXECUTION_FEE> FAILURE_FEE>");
    for (uint32_t i = 0; i < facts->fees.count; i++) {
        table_cell(table, "%s", facts->fees.fees[i].type);
        table_cell(table, "%" PRIu64, facts->fees.fees[i].execution);
        table_cell(table, "%" PRIu64, facts->fees.fees[i].failure);
    }
    table_print(table, stdout);
    table_destroy(&table);
}

enum command_status chain_look_properties(struct chain_look *look)
{
    if (!is_kira(look)) {
        fault_set(&look->fault, "DCL has no network properties; they are KIRA's");
        return chain_look_fail(look, COMMAND_USAGE);
    }
    if (!session_ask(look->session, CHAIN_PROPERTIES | CHAIN_FEES, NULL, &look->fault))
        return chain_look_fail(look, COMMAND_NO_NETWORK);
    const struct chain_facts *facts = session_facts(look->session);
    if (look->json)
        properties_json(facts);
    else
        properties_tables(facts);
    return COMMAND_DONE;
}
