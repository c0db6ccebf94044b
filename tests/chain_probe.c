/* A small program that drives node/chain.h for the scripts beside it: one JSON object as its
 * argument says what to do, one JSON object a line on standard output says what came of it.
 *
 *     {"chain":"kira","urls":[...],"do":"ask","topics":["records","set"],"account":"40 hex","times":1}
 *     {"do":"compare"}
 *     {"do":"submit","key_file":"...","action":"pause","timeout":120,"poll_ms":20,"give_up_ms":0}
 *     {"do":"resume","bytes":"hex","since":100}
 *
 * usage: chain_probe JSON
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/chain.h"
#include "proto/encoding.h"

struct probe {
    const json_t *order;
    zloop_t *loop;
    struct rpc *rpc;
    struct chain *chain;
    struct signer *signer;
    struct tx_request request;
    uint8_t account[ACCOUNT_ADDRESS_SIZE];
    uint32_t topics;
    int64_t times;
    bool failed;
};

static const char *text_of(const struct probe *probe, const char *key)
{
    return json_string_value(json_object_get(probe->order, key));
}

static int64_t number_of(const struct probe *probe, const char *key)
{
    return json_integer_value(json_object_get(probe->order, key));
}

static void print(json_t *line)
{
    json_dumpf(line, stdout, JSON_COMPACT);
    (void)putchar('\n');
    (void)fflush(stdout);
    json_decref(line);
}

static json_t *hex(const uint8_t *bytes, size_t size)
{
    char *text = malloc(HEX_TEXT(size));
    assert(text);
    hex_encode(bytes, size, text);
    json_t *value = json_string(text);
    free(text);
    return value;
}

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

/* --- facts --- */

static json_t *stamp(const struct chain_stamp *at)
{
    return json_pack("{s:b, s:I, s:I}", "known", at->known, "height", (json_int_t)at->height,
                     "endpoint", (json_int_t)at->endpoint);
}

static json_t *record(const struct query_record *r)
{
    return json_pack("{s:o, s:o, s:s, s:i, s:b, s:I, s:I}", "account",
                     hex(r->account, sizeof r->account), "consensus",
                     hex(r->consensus, sizeof r->consensus), "moniker", r->moniker, "status",
                     (int)r->status, "by_trustees", r->by_trustees, "rank", (json_int_t)r->rank,
                     "power", (json_int_t)r->power);
}

static json_t *records(const struct chain_facts *f)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < f->record_count; i++)
        json_array_append_new(list, record(&f->records[i]));
    return json_pack("{s:o, s:o}", "at", stamp(&f->records_at), "list", list);
}

static json_t *set(const struct chain_facts *f)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < f->set_count; i++)
        json_array_append_new(list, hex(f->set[i].address, ADDRESS_SIZE));
    return json_pack("{s:o, s:b, s:o}", "at", stamp(&f->set_at), "bound", f->set_bound, "list",
                     list);
}

static json_t *ballots(const struct chain_facts *f, const uint8_t *account)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < f->ballot_count; i++) {
        const struct chain_ballot *b = &f->ballots[i];
        json_array_append_new(
            list, json_pack("{s:s, s:I, s:b, s:I, s:I, s:b, s:b}", "name", b->plan.name, "proposal",
                            (json_int_t)b->plan.proposal, "scheduled", b->scheduled, "votes",
                            (json_int_t)b->vote_count, "voters", (json_int_t)b->voter_count, "yes",
                            chain_voted_yes(b, account), "may", chain_may_vote(b, account)));
    }
    return list;
}

static json_t *self(const struct chain_facts *f)
{
    return json_pack(
        "{s:o, s:b, s:o, s:b, s:I, s:b, s:o, s:i, s:b, s:b, s:I, s:I}", "at", stamp(&f->self_at),
        "registered", f->self_registered, "record", record(&f->record), "in_set", f->self_in_set,
        "power", (json_int_t)f->self_power, "is_node", f->self_is_node, "turn_fees",
        number(f->turn_fees), "status", (int)f->self.status, "funded", f->self.funded,
        "by_trustees", f->self.by_trustees, "inactive_until", (json_int_t)f->self.inactive_until.ms,
        "mischance", (json_int_t)f->signing.mischance);
}

static json_t *facts(const struct probe *probe)
{
    const struct chain_facts *f = chain_facts(probe->chain);
    struct coord_plan plan = chain_plan(probe->chain, probe->account);
    json_t *all = json_object();
    json_object_set_new(all, "status", stamp(&f->status_at));
    json_object_set_new(all, "records", records(f));
    json_object_set_new(all, "set", set(f));
    json_object_set_new(all, "ballots", ballots(f, probe->account));
    json_object_set_new(all, "self", self(f));
    json_object_set_new(all, "min_validators", number(f->properties.min_validators));
    json_object_set_new(all, "fee_count", number(f->fees.count));
    json_object_set_new(all, "next", f->next.present ? json_string(f->next.name) : json_null());
    json_object_set_new(all, "account",
                        json_pack("{s:b, s:I, s:I, s:I}", "exists", f->account.exists, "number",
                                  (json_int_t)f->account.number, "sequence",
                                  (json_int_t)f->account.sequence, "balance",
                                  (json_int_t)f->balance));
    json_object_set_new(all, "plan",
                        json_pack("{s:b, s:b, s:I}", "pending", plan.pending, "yes", plan.voted_yes,
                                  "time", (json_int_t)plan.upgrade_time.ms));
    return all;
}

static json_t *warnings(const struct chain *chain)
{
    json_t *list = json_array();
    const char *line;
    for (uint32_t i = 0; (line = chain_warning(chain, i)) != NULL; i++)
        json_array_append_new(list, json_string(line));
    return list;
}

/* --- what is done --- */

static int stop(zloop_t *loop, int timer, void *owner)
{
    (void)loop;
    (void)timer;
    (void)owner;
    return -1;
}

static void finish(struct probe *probe)
{
    zloop_timer(probe->loop, 0, 1, stop, NULL);
}

static void ask(struct probe *probe);

static void asked(void *owner, const struct fault *fault)
{
    struct probe *probe = owner;
    probe->failed = fault != NULL;
    print(json_pack("{s:s, s:o, s:o, s:o}", "event", "asked", "fault",
                    fault ? json_string(fault->text) : json_null(), "facts", facts(probe),
                    "warnings", warnings(probe->chain)));
    if (--probe->times > 0)
        ask(probe);
    else
        finish(probe);
}

static void ask(struct probe *probe)
{
    chain_ask(probe->chain, probe->topics, probe->account, asked, probe);
}

static void compared(void *owner, const struct chain_comparison *c)
{
    struct probe *probe = owner;
    json_t *list = json_array();
    for (uint32_t i = 0; i < c->count; i++)
        json_array_append_new(list, json_pack("{s:i, s:s}", "verdict", (int)c->witnesses[i].verdict,
                                              "text", c->witnesses[i].text));
    print(json_pack("{s:s, s:I, s:I, s:o}", "event", "compared", "height", (json_int_t)c->height,
                    "best", c->best == RPC_ANY ? (json_int_t)-1 : (json_int_t)c->best, "witnesses",
                    list));
    finish(probe);
}

static bool persist(void *owner, const struct chain_sent *sent)
{
    struct probe *probe = owner;
    print(json_pack("{s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:I}", "event", "persist", "bytes",
                    hex(sent->bytes, sent->size), "hash", hex(sent->hash, HASH_SIZE), "since",
                    (json_int_t)sent->since, "timeout", (json_int_t)sent->timeout_height,
                    "sequence", (json_int_t)sent->sequence, "fee", (json_int_t)sent->fee, "attempt",
                    (json_int_t)sent->attempt));
    return !json_is_true(json_object_get(probe->order, "persist_fails"));
}

static void say(void *owner, const char *line)
{
    (void)owner;
    print(json_pack("{s:s, s:s}", "event", "say", "line", line));
}

static void done(void *owner, const struct chain_result *r)
{
    print(json_pack("{s:s, s:i, s:b, s:o, s:I, s:I, s:s, s:s, s:i, s:s, s:I, s:I}", "event", "done",
                    "outcome", (int)r->outcome, "loose", r->loose, "hash", hex(r->hash, HASH_SIZE),
                    "height", (json_int_t)r->height, "code", (json_int_t)r->code, "codespace",
                    r->codespace, "log", r->log, "meaning",
                    r->advice ? (int)r->advice->meaning : -1, "text", r->text, "sequence",
                    (json_int_t)r->sequence, "timeout", (json_int_t)r->timeout_height));
    finish(owner);
}

static enum tx_action action_of(const char *name)
{
    static const char *const names[] = {[TX_DO_JOIN] = "join",
                                        [TX_DO_PAUSE] = "pause",
                                        [TX_DO_UNPAUSE] = "unpause",
                                        [TX_DO_ACTIVATE] = "activate"};
    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0)
            return (enum tx_action)i;
    }
    abort();
}

static void submit(struct probe *probe)
{
    struct fault fault;
    probe->signer = signer_from_file(text_of(probe, "key_file"), &fault);
    if (!probe->signer) {
        (void)fprintf(stderr, "%s\n", fault.text);
        abort();
    }
    probe->request = (struct tx_request){.action = action_of(text_of(probe, "action")),
                                         .timeout_height = (uint64_t)number_of(probe, "timeout"),
                                         .fee_amount = (uint64_t)number_of(probe, "fee"),
                                         .class_minutes = 5,
                                         .charter = 0x12345678};
    struct chain_submission submission = {.request = &probe->request,
                                          .signer = probe->signer,
                                          .give_up_ms = number_of(probe, "give_up_ms"),
                                          .persist = persist,
                                          .say = say,
                                          .done = done,
                                          .owner = probe};
    chain_submit(probe->chain, &submission);
}

static void resume(struct probe *probe)
{
    const char *text = text_of(probe, "bytes");
    size_t size = strlen(text) / 2;
    uint8_t *bytes = malloc(size + 1);
    if (!bytes || !hex_decode(text, size * 2, bytes, size))
        abort();
    struct chain_sent sent = {.bytes = bytes, .size = size, .since = number_of(probe, "since")};
    struct chain_submission submission = {
        .give_up_ms = number_of(probe, "give_up_ms"), .say = say, .done = done, .owner = probe};
    chain_resume(probe->chain, &sent, &submission);
    free(bytes);
}

/* --- setting up --- */

static uint32_t topics_of(const struct probe *probe)
{
    static const char *const names[] = {"status", "records", "set",     "properties", "fees",
                                        "plan",   "votes",   "account", "self"};
    uint32_t topics = 0;
    size_t at;
    json_t *value;
    json_array_foreach(json_object_get(probe->order, "topics"), at, value)
    {
        for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++)
            topics |= strcmp(json_string_value(value), names[i]) == 0 ? 1u << i : 0;
    }
    return topics;
}

static void begin(struct probe *probe)
{
    const char *what = text_of(probe, "do");
    const char *account = text_of(probe, "account");
    if (account && !hex_decode(account, strlen(account), probe->account, sizeof probe->account))
        abort();
    probe->times = number_of(probe, "times");
    probe->topics = topics_of(probe);
    if (strcmp(what, "ask") == 0)
        ask(probe);
    else if (strcmp(what, "compare") == 0)
        chain_compare(probe->chain, compared, probe);
    else if (strcmp(what, "submit") == 0)
        submit(probe);
    else
        resume(probe);
}

static void open_chain(struct probe *probe)
{
    const char *urls[RPC_ENDPOINTS_MAX];
    const json_t *list = json_object_get(probe->order, "urls");
    struct fault fault;
    for (size_t i = 0; i < json_array_size(list); i++)
        urls[i] = json_string_value(json_array_get(list, i));
    struct rpc_config rpc = {.urls = urls,
                             .url_count = (uint32_t)json_array_size(list),
                             .timeout_ms = number_of(probe, "timeout_ms")};
    probe->rpc = rpc_create(probe->loop, &rpc, &fault);
    struct chain_config config = {.loop = probe->loop,
                                  .rpc = probe->rpc,
                                  .driver = chain_driver_named(text_of(probe, "chain")),
                                  .chain_id = text_of(probe, "chain_id"),
                                  .poll_ms = number_of(probe, "poll_ms")};
    probe->chain = probe->rpc ? chain_create(&config, &fault) : NULL;
    if (!probe->chain) {
        (void)fprintf(stderr, "%s\n", fault.text);
        abort();
    }
}

int main(int argc, char **argv)
{
    json_error_t error;
    json_t *order = argc == 2 ? json_loads(argv[1], 0, &error) : NULL;
    if (!order) {
        (void)fprintf(stderr, "usage: chain_probe JSON\n");
        return 2;
    }
    (void)zsys_handler_set(NULL);
    struct probe probe = {.order = order, .loop = zloop_new()};
    open_chain(&probe);
    begin(&probe);
    zloop_start(probe.loop);
    chain_destroy(&probe.chain);
    rpc_destroy(&probe.rpc);
    signer_destroy(&probe.signer);
    zloop_destroy(&probe.loop);
    json_decref(order);
    return probe.failed ? 1 : 0;
}
