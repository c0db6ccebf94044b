#include "node/session.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "node/options.h"

#define NOTES_MAX (2 * RPC_ENDPOINTS_MAX)

struct session {
    const char *command;
    zloop_t *loop;
    struct rpc *rpc;
    struct chain *chain;
    bool ended; /* what the loop runs for */
    char notes[NOTES_MAX][FAULT_MAX];
    uint32_t note_count;
};

/* --- the loop --- */

static int loop_leave(zloop_t *loop, int timer, void *owner)
{
    (void)loop;
    (void)timer;
    (void)owner;
    return -1;
}

/* Called by what was waited for. */
static void session_end(struct session *session)
{
    session->ended = true;
    zloop_timer(session->loop, 1, 1, loop_leave, NULL);
}

static void session_run(struct session *session)
{
    while (!session->ended)
        zloop_start(session->loop);
    session->ended = false;
}

/* --- opening --- */

struct rpc *session_rpc(const struct settings *settings, zloop_t *loop, struct fault *fault)
{
    const char *urls[SETTINGS_LIST_MAX + 1];
    struct rpc_config config = {
        .urls = urls,
        .url_count = settings_urls(settings, urls),
        .ca_file = settings_text(settings, SETTING_CHAIN_CA_FILE),
        .timeout_ms = settings_ms(settings, SETTING_CHAIN_TIMEOUT),
        .in_flight_max = (uint32_t)settings_whole(settings, SETTING_CHAIN_IN_FLIGHT),
    };
    return rpc_create(loop, &config, fault);
}

struct chain *session_network(const struct settings *settings, zloop_t *loop, struct rpc *rpc,
                              struct fault *fault)
{
    struct chain_config config = {
        .loop = loop,
        .rpc = rpc,
        .driver = chain_driver(settings_chain_kind(settings)),
        .prefix = settings_text(settings, SETTING_CHAIN_PREFIX),
        .denom = settings_text(settings, SETTING_CHAIN_DENOM),
        .chain_id = settings_text(settings, SETTING_CHAIN_ID),
    };
    return chain_create(&config, fault);
}

struct session *session_open(const char *command, const struct settings *settings,
                             struct fault *fault)
{
    struct session *session = calloc(1, sizeof *session);
    if (!session) {
        fault_set(fault, "out of memory");
        return NULL;
    }
    zsys_handler_set(NULL); /* the terminal's signals keep their usual meaning */
    session->command = command;
    session->loop = zloop_new();
    assert(session->loop);
    session->rpc = session_rpc(settings, session->loop, fault);
    if (session->rpc)
        session->chain = session_network(settings, session->loop, session->rpc, fault);
    if (!session->chain)
        session_close(&session);
    return session;
}

void session_close(struct session **session)
{
    if (!*session)
        return;
    if ((*session)->chain)
        chain_destroy(&(*session)->chain);
    if ((*session)->rpc)
        rpc_destroy(&(*session)->rpc);
    zloop_destroy(&(*session)->loop);
    free(*session);
    *session = NULL;
}

struct chain *session_chain(struct session *session)
{
    return session->chain;
}

zloop_t *session_loop(struct session *session)
{
    return session->loop;
}

const struct chain_facts *session_facts(const struct session *session)
{
    return chain_facts(session->chain);
}

/* --- asking --- */

static bool note_is_new(struct session *session, const char *line)
{
    for (uint32_t i = 0; i < session->note_count; i++)
        if (strcmp(session->notes[i], line) == 0)
            return false;
    if (session->note_count < NOTES_MAX)
        snprintf(session->notes[session->note_count++], FAULT_MAX, "%s", line);
    return true;
}

static void notes_tell(struct session *session)
{
    const char *line;
    for (uint32_t i = 0; (line = chain_warning(session->chain, i)) != NULL; i++)
        if (note_is_new(session, line))
            options_say(session->command, "note: %s", line);
}

struct asking {
    struct session *session;
    struct fault *fault;
    bool good;
};

static void asked(void *owner, const struct fault *fault)
{
    struct asking *asking = owner;
    asking->good = fault == NULL;
    if (fault)
        *asking->fault = *fault;
    session_end(asking->session);
}

bool session_ask(struct session *session, uint32_t topics, const uint8_t *account,
                 struct fault *fault)
{
    struct asking asking = {.session = session, .fault = fault};
    chain_ask(session->chain, topics, account, asked, &asking);
    session_run(session);
    notes_tell(session);
    return asking.good;
}

static void compared(void *owner, const struct chain_comparison *comparison)
{
    (void)comparison;
    session_end(owner);
}

void session_compare(struct session *session)
{
    chain_compare(session->chain, compared, session);
    session_run(session);
}

struct calling {
    struct session *session;
    struct fault *fault;
    json_t *result;
    bool refused;
};

static void answered(void *owner, const struct rpc_answer *answer)
{
    struct calling *calling = owner;
    if (answer->outcome == RPC_OK)
        calling->result = json_deep_copy(answer->result);
    else
        fault_set(calling->fault, "%s", answer->text);
    calling->refused = answer->outcome == RPC_REFUSED;
    session_end(calling->session);
}

json_t *session_call(struct session *session, const char *method, json_t *params, uint32_t endpoint,
                     bool *refused, struct fault *fault)
{
    struct calling calling = {.session = session, .fault = fault};
    rpc_call(session->rpc, method, params, endpoint, answered, &calling);
    session_run(session);
    if (refused)
        *refused = calling.refused;
    return calling.result;
}

struct many;

struct one_of_many {
    struct many *many;
    json_t **result;
};

struct many {
    struct session *session;
    uint32_t left;
};

static void answered_one(void *owner, const struct rpc_answer *answer)
{
    struct one_of_many *one = owner;
    if (answer->outcome == RPC_OK)
        *one->result = json_deep_copy(answer->result);
    if (--one->many->left == 0)
        session_end(one->many->session);
}

void session_call_many(struct session *session, const char *method, json_t *const params[],
                       json_t *results[], uint32_t count, uint32_t endpoint)
{
    struct many many = {.session = session, .left = count};
    struct one_of_many *ones = calloc(count + (size_t)1, sizeof *ones);
    assert(ones);
    for (uint32_t i = 0; i < count; i++) {
        ones[i] = (struct one_of_many){&many, &results[i]};
        results[i] = NULL;
        rpc_call(session->rpc, method, params[i], endpoint, answered_one, &ones[i]);
    }
    if (count)
        session_run(session);
    free(ones);
}

struct submitting {
    struct session *session;
    struct chain_result *result;
};

static void submitted(void *owner, const struct chain_result *result)
{
    struct submitting *submitting = owner;
    *submitting->result = *result;
    session_end(submitting->session);
}

void session_submit(struct session *session, struct chain_submission *submission,
                    struct chain_result *result)
{
    struct submitting submitting = {.session = session, .result = result};
    submission->done = submitted;
    submission->owner = &submitting;
    chain_submit(session->chain, submission);
    session_run(session);
    notes_tell(session);
}

/* --- liveness --- */

static bool commit_read(struct session *session, int64_t height, uint32_t endpoint,
                        struct reply_commit *commit, struct fault *fault)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, height);
    json_t *result =
        session_call(session, "commit", json_pack("{s:s}", "height", text), endpoint, NULL, fault);
    if (!result)
        return false;
    bool good = reply_commit(result, commit, fault);
    json_decref(result);
    if (good && commit->commit.height != height) {
        reply_commit_destroy(commit);
        good =
            fault_set(fault, "commit: height %" PRId64 " was asked for, the answer is of %" PRId64,
                      height, commit->commit.height);
    }
    return good;
}

static void commit_count(const struct chain_facts *facts, const struct commit *commit, bool latest,
                         struct liveness *liveness)
{
    for (uint32_t i = 0; i < commit->count; i++) {
        const struct commit_sig *sig = &commit->sigs[i];
        if (sig->flag != COMMIT_FOR_BLOCK)
            continue;
        const struct member *member = chain_member_at(facts, sig->address);
        if (!member)
            continue;
        size_t place = (size_t)(member - facts->set);
        liveness->signed_any[place] = 1;
        if (latest)
            liveness->signed_latest[place] = 1;
    }
}

bool session_liveness(struct session *session, struct liveness *liveness, struct fault *fault)
{
    const struct chain_facts *facts = session_facts(session);
    assert(facts->status_at.known && facts->set_at.known);
    int64_t top = facts->status.latest_height, first = facts->status.earliest_height;
    *liveness = (struct liveness){.height = top,
                                  .signed_latest = calloc(facts->set_count + 1, 1),
                                  .signed_any = calloc(facts->set_count + 1, 1)};
    assert(liveness->signed_latest && liveness->signed_any);
    uint32_t endpoint = facts->status_at.endpoint;
    for (int64_t h = top; h > top - SESSION_COMMITS && h >= first && h > 0; h--) {
        struct reply_commit commit;
        if (!commit_read(session, h, endpoint, &commit, fault)) {
            liveness_destroy(liveness);
            return false;
        }
        commit_count(facts, &commit.commit, h == top, liveness);
        reply_commit_destroy(&commit);
        liveness->blocks++;
    }
    for (uint32_t i = 0; i < facts->set_count; i++)
        liveness->live += liveness->signed_any[i];
    return true;
}

void liveness_destroy(struct liveness *liveness)
{
    free(liveness->signed_latest);
    free(liveness->signed_any);
    *liveness = (struct liveness){0};
}
