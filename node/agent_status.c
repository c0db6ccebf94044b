/* What `status` answers. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "node/agent_desk.h"
#include "node/json_value.h"
#include "node/turns.h"
#include "proto/bech32.h"

#define LISTED_MAX 100 /* entries of a list; how many there are is told beside it */

static void set(json_t *object, const char *key, json_t *value)
{
    int failed = json_object_set_new(object, key, value);
    assert(!failed);
}

static json_t *time_json(struct instant time)
{
    char text[TURNS_TIME_MAX];
    return json_string(turns_time(time, text));
}

static json_t *text_or_null(const char *text)
{
    return text && text[0] ? json_text(text) : json_null();
}

/* --- what the other parts ask --- */

bool agent_is_ready(const struct agent *agent)
{
    const struct view *view = agent_view(agent);
    return agent->started && agent->feed_ready && view && view_pulse(view, view_head(view)) != NULL;
}

const struct draw *agent_draw(const struct agent *agent)
{
    const struct view *view = agent_view(agent);
    return view_draw(view, charter_boundary(view_charter(view), view_head(view)));
}

bool agent_in_set(const struct agent *agent)
{
    const struct view *view = agent_view(agent);
    return view_in_set(view, agent->core.self, height_after(view_head(view), 1));
}

struct instant agent_chain_time(const struct agent *agent)
{
    int64_t since_ms = instant_since(agent_clock(agent), agent->core.head_seen);
    return instant_after(agent->core.head_time, since_ms > 0 ? since_ms : 0);
}

bool agent_wants_turn(const struct agent *agent)
{
    return agent->core.memory.errand != ERRAND_NONE;
}

static struct feed_validator seen_by_feed(const struct agent *agent, uint32_t validator)
{
    const struct view *view = agent_view(agent);
    if (agent->feed)
        return feed_validator(agent->feed, validator);
    return (struct feed_validator){
        .member = view_in_set(view, validator, height_after(view_head(view), 1)),
        .pause = view_validator(view, validator)->pause,
    };
}

json_t *agent_validator_json(const struct agent *agent, uint32_t validator)
{
    const struct feed_validator seen = seen_by_feed(agent, validator);
    json_t *object = json_object();
    set(object, "moniker", json_text(seen.record ? seen.record->moniker : ""));
    set(object, "address",
        json_hex(view_validator(agent_view(agent), validator)->address, ADDRESS_SIZE));
    return object;
}

json_t *agent_said_since(const struct agent *agent, uint64_t count, enum coord_level least)
{
    static const char *const levels[] = {"debug", "info", "unusual", "broken"};
    json_t *list = json_array();
    uint64_t oldest = agent->said_count > AGENT_SAID_MAX ? agent->said_count - AGENT_SAID_MAX : 0;
    for (uint64_t i = count > oldest ? count : oldest; i < agent->said_count; i++) {
        const struct agent_said *said = &agent->said[i % AGENT_SAID_MAX];
        if (said->level < least)
            continue;
        json_t *line = json_object();
        set(line, "time", time_json(said->at));
        set(line, "height", json_number(said->height));
        set(line, "level", json_string(levels[said->level]));
        set(line, "text", json_text(said->text));
        json_array_append_new(list, line);
    }
    return list;
}

const char *agent_state_sentence(const struct agent *agent)
{
    static const char *const sentences[COORD_STATE_COUNT] = {
        [COORD_IDLE] = "no turn is under way",
        [COORD_JOINING] = "asking for a place in the line",
        [COORD_WAITING] = "standing in line for a turn",
        [COORD_PAUSING] = "the pause is on its way into a block",
        [COORD_PAUSED] = "the pause has happened; two blocks later the set is without us",
        [COORD_LEFT] = "out of the set; the last look before the node stops",
        [COORD_OFFLINE] = "out of the set; the node is being worked on",
        [COORD_SYNCING] = "waiting until the node is in step with the chain",
        [COORD_UNPAUSING] = "asking back into the set",
        [COORD_SETTLING] = "in the set again, waiting to be seen signing",
        [COORD_DONE] = "the turn is over; in the set and signing",
    };
    const struct coord_memory *m = &agent->core.memory;
    if (!agent->started)
        return agent->stage == AGENT_READING ? "starting: reading blocks"
                                             : "starting: asking the chain";
    if (m->state == COORD_OFFLINE && m->errand == ERRAND_MAINTENANCE)
        return "out of the set; the node may be stopped by hand, `stagger unpause` ends it";
    if ((m->state == COORD_IDLE || m->state == COORD_DONE) && m->errand != ERRAND_NONE)
        return "a turn is wanted and not yet asked for";
    return sentences[m->state];
}

/* --- who is down --- */

/* Why it cannot be counted on; NULL when it can, or has never had to do with the set as far as is known. */
static const char *absence(const struct agent *agent, const struct feed_validator *seen,
                           uint32_t validator)
{
    const struct view *view = agent_view(agent);
    const struct view_validator *v = view_validator(view, validator);
    if (seen->member && view_live(view, validator))
        return NULL;
    if (seen->member)
        return turns_absence_word(view_gone(view, validator) ? TURNS_GOING : TURNS_SILENT);
    bool paused = seen->pause.n > 0 && (!agent->feed || seen->pause.n + 2 == seen->since.n);
    if (!paused && seen->since.n == 0 && v->join.n == 0 && v->pause.n == 0)
        return NULL;
    return turns_absence_word(paused ? TURNS_PAUSED : TURNS_LEFT);
}

static json_t *absent_json(const struct agent *agent, const struct feed_validator *seen,
                           uint32_t validator, const char *why)
{
    const struct view_validator *v = view_validator(agent_view(agent), validator);
    bool paused = strcmp(why, "paused") == 0;
    bool turn = (paused || strcmp(why, "going") == 0) && v->join.n > 0 &&
                (!paused || view_paused_since_join(v));
    struct height since = paused ? seen->pause : seen->since;
    struct instant time = paused ? seen->pause_ms : seen->since_ms;
    json_t *object = agent_validator_json(agent, validator);
    set(object, "why", json_string(why));
    set(object, "since", since.n > 0 ? json_number(since.n) : json_null());
    set(object, "since_time", time.ms > 0 ? time_json(time) : json_null());
    set(object, "turn", json_boolean(turn));
    set(object, "class_minutes", turn ? json_number(v->join_class) : json_null());
    set(object, "me", json_boolean(validator == agent->core.self));
    return object;
}

static void set_down(const struct agent *agent, json_t *object)
{
    const struct view *view = agent_view(agent);
    json_t *list = json_array();
    uint64_t count = 0;
    for (uint32_t v = 0; v < view_count(view); v++) {
        const struct feed_validator seen = seen_by_feed(agent, v);
        const char *why = absence(agent, &seen, v);
        if (why && count++ < LISTED_MAX)
            json_array_append_new(list, absent_json(agent, &seen, v, why));
    }
    set(object, "down", list);
    set(object, "down_count", json_number(count));
}

/* --- the chain and whose turn it is --- */

static json_t *permits_json(const struct agent *agent, const struct draw *d)
{
    const struct view *view = agent_view(agent);
    json_t *list = json_array();
    for (uint32_t r = 0; r < d->permits && r < LISTED_MAX; r++) {
        const struct view_validator *v = view_validator(view, d->order[r]);
        json_t *object = agent_validator_json(agent, d->order[r]);
        set(object, "class_minutes", json_number(v->join_class));
        set(object, "used", json_boolean(v->pause.n > d->boundary.n));
        set(object, "me", json_boolean(d->order[r] == agent->core.self));
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *draw_json(const struct agent *agent)
{
    const struct draw *d = agent_draw(agent);
    uint32_t rank = UINT32_MAX;
    if (!d)
        return json_null();
    view_reason(agent_view(agent), d, agent->core.self, &rank);
    json_t *object = json_object();
    set(object, "epoch", json_number(d->epoch.n));
    set(object, "boundary", json_number(d->boundary.n));
    set(object, "next_boundary",
        json_number(d->boundary.n + view_charter(agent_view(agent))->epoch_blocks));
    set(object, "complete", json_boolean(d->complete));
    set(object, "by_power", json_boolean(d->by_power));
    set(object, "members", json_integer(d->members));
    set(object, "live", json_integer(d->live));
    set(object, "floor", json_integer(d->floor));
    set(object, "reserve", json_integer(d->reserve));
    set(object, "budget", json_integer(d->budget));
    set(object, "candidates", json_number(d->candidates));
    set(object, "permit_count", json_number(d->permits));
    set(object, "permits", permits_json(agent, d));
    set(object, "rank", rank == UINT32_MAX ? json_null() : json_number(rank + UINT64_C(1)));
    set(object, "overdue", json_number(d->overdue));
    return object;
}

static void set_chain(const struct agent *agent, json_t *object)
{
    const struct view *view = agent_view(agent);
    struct height head = view_head(view);
    const struct view_pulse *pulse = view_pulse(view, head);
    set(object, "head", json_number(head.n));
    set(object, "head_time", pulse ? time_json(pulse->time) : json_null());
    set(object, "block_ms", json_integer(view_block_ms(view, head)));
    set(object, "members", pulse ? json_number(pulse->members) : json_null());
    set(object, "live", pulse ? json_number(pulse->live) : json_null());
    set(object, "in_set", json_boolean(agent_in_set(agent)));
    set(object, "draw", draw_json(agent));
    set_down(agent, object);
}

static json_t *plan_json(const struct agent *agent)
{
    const struct coord_plan *plan = &agent->core.plan;
    if (!plan->pending)
        return json_null();
    json_t *object = json_object();
    set(object, "voted_yes", json_boolean(plan->voted_yes));
    set(object, "upgrade_time", time_json(plan->upgrade_time));
    return object;
}

/* --- our turn --- */

static void set_turn(const struct agent *agent, json_t *object)
{
    static const char *const errands[] = {"none", "reboot", "maintenance"};
    static const char *const txs[] = {"transaction", "join", "pause", "unpause", "activate"};
    const struct coord_memory *m = &agent->core.memory;
    bool away = m->state >= COORD_PAUSING && m->state <= COORD_SETTLING;
    bool by_hand = m->errand == ERRAND_MAINTENANCE || away;
    set(object, "state", json_string(coord_state_name(m->state)));
    set(object, "errand", json_string(errands[m->errand]));
    set(object, "expected_ms", json_integer(m->expected_ms));
    set(object, "reboot_later", json_boolean(m->later_ms > 0));
    set(object, "operator_reason", by_hand ? text_or_null(agent->reason) : json_null());
    set(object, "forced", json_boolean(m->forced));
    set(object, "held", json_boolean(m->held));
    set(object, "frozen", json_boolean(m->frozen));
    set(object, "frozen_since", m->frozen ? json_number(m->frozen_since.n) : json_null());
    set(object, "gave_up", json_boolean(m->failed));
    set(object, "in_flight",
        m->flight.kind == TX_OTHER || m->flight.refused ? json_null()
                                                        : json_string(txs[m->flight.kind]));
    set(object, "funded",
        agent->core.own.known ? json_boolean(agent->core.own.funded) : json_null());
    set(object, "plan", plan_json(agent));
}

/* --- our node --- */

static const char *health_word(enum runtime_health health)
{
    static const char *const words[] = {"unknown", "down", "starting", "up"};
    assert((size_t)health < sizeof words / sizeof *words);
    return words[health];
}

static json_t *runtime_json(const struct agent *agent)
{
    static const char *const steps[] = {"none", "stop", "reinitialise", "start", "restore"};
    const struct runtime *runtime = agent->runtime;
    if (!runtime)
        return json_null();
    json_t *object = json_object();
    set(object, "driver", json_string(runtime_name(runtime)));
    set(object, "health", json_string(health_word(runtime_health(runtime))));
    set(object, "installed", text_or_null(runtime_installed(runtime)));
    set(object, "target", text_or_null(runtime_target(runtime)));
    set(object, "step", json_string(steps[agent->core.memory.step]));
    set(object, "attempts", json_number(agent->core.memory.attempts));
    set(object, "percent",
        agent->runtime_percent < 0 ? json_null() : json_integer(agent->runtime_percent));
    set(object, "text", text_or_null(agent->runtime_text));
    return object;
}

static json_t *node_json(const struct agent *agent)
{
    if (!agent->feed)
        return json_null();
    const struct feed_own *own = feed_own(agent->feed);
    json_t *object = json_object();
    set(object, "answers", json_boolean(own->answers));
    set(object, "head", own->ours ? json_number(own->latest.n) : json_null());
    set(object, "catching_up", json_boolean(own->ours && own->catching_up));
    set(object, "conflict", json_boolean(own->ours && own->conflict));
    set(object, "text", text_or_null(own->why));
    return object;
}

/* --- gossip --- */

static json_t *gossip_member_json(const struct agent *agent, const uint8_t *address)
{
    uint32_t validator = view_find(agent_view(agent), address);
    if (validator != VALIDATOR_NONE)
        return agent_validator_json(agent, validator);
    json_t *object = json_object();
    set(object, "moniker", json_string(""));
    set(object, "address", json_hex(address, ADDRESS_SIZE));
    return object;
}

static void set_members(const struct agent *agent, json_t *object)
{
    json_t *equivocators = json_array(), *others = json_array();
    struct record record;
    for (uint32_t m = 0; m < gossip_count(agent->gossip); m++) {
        const struct gossip_entry entry = gossip_entry(agent->gossip, m);
        if (entry.is_void && json_array_size(equivocators) < LISTED_MAX)
            json_array_append_new(equivocators, gossip_member_json(agent, entry.address));
        if (!entry.known || !gossip_record(agent->gossip, m, &record) ||
            record.charter == agent->charter.id || json_array_size(others) >= LISTED_MAX)
            continue;
        char charter[16];
        snprintf(charter, sizeof charter, "%08x", (unsigned)record.charter);
        json_t *other = gossip_member_json(agent, entry.address);
        set(other, "charter", json_string(charter));
        json_array_append_new(others, other);
    }
    set(object, "equivocators", equivocators);
    set(object, "other_charters", others);
}

static json_t *gossip_json(const struct agent *agent)
{
    static const char *const doubles[] = {"no", "heard", "void"};
    json_t *object = json_object();
    if (!agent->gossip || !agent_view(agent)) {
        set(object, "level", json_string("off"));
        return object;
    }
    const struct gossip_stats stats = gossip_stats(agent->gossip);
    set(object, "level", json_string(stats.bound > 0 ? "connected" : "alone"));
    set(object, "peers", json_number(stats.peers));
    set(object, "bound", json_number(stats.bound));
    set(object, "members", json_number(stats.members));
    set(object, "heard", json_number(stats.known));
    set(object, "silent_ms", json_integer(stats.silent_ms));
    set(object, "double", json_string(doubles[gossip_double(agent->gossip)]));
    set_members(agent, object);
    return object;
}

/* --- what is wrong --- */

static json_t *journal_json(const struct agent *agent)
{
    static const char *const kinds[] = {"none", "kept", "damaged"};
    if (!agent->journal)
        return json_null();
    json_t *object = json_object();
    set(object, "trouble", text_or_null(journal_trouble(agent->journal)));
    set(object, "gap", json_boolean(journal_has_gap(agent->journal)));
    set(object, "found", json_string(kinds[agent->found.kind]));
    set(object, "text", text_or_null(agent->found.text));
    return object;
}

static void add_warning(void *owner, const char *line)
{
    json_array_append_new(owner, json_text(line));
}

static json_t *warnings_json(const struct agent *agent)
{
    json_t *list = json_array();
    agent_warnings(agent, add_warning, list);
    return list;
}

static json_t *account_json(const struct agent *agent)
{
    char text[BECH32_TEXT_MAX];
    if (!agent->chain ||
        !bech32_encode(chain_prefix(agent->chain), agent->account, ACCOUNT_ADDRESS_SIZE, text))
        return json_null();
    return json_string(text);
}

json_t *agent_status(const struct agent *agent)
{
    static const char *const stages[] = {"connecting", "reading", "running", "stopping"};
    json_t *object = json_object();
    set(object, "ok", json_true());
    set(object, "time", time_json(agent_now()));
    set(object, "stage", json_string(stages[agent->stage]));
    set(object, "waiting_for", text_or_null(agent->waiting_for));
    set(object, "chain_id", text_or_null(agent->chain_id));
    set(object, "moniker", text_or_null(agent->moniker));
    set(object, "address", agent->known ? json_hex(agent->validator, ADDRESS_SIZE) : json_null());
    set(object, "account", account_json(agent));
    set(object, "state_sentence", json_string(agent_state_sentence(agent)));
    if (agent->started)
        set_turn(agent, object);
    set(object, "why", agent_why_json(agent));
    set(object, "estimate", agent_estimate_json(agent));
    if (agent_is_ready(agent))
        set_chain(agent, object);
    set(object, "runtime", runtime_json(agent));
    set(object, "node", node_json(agent));
    set(object, "gossip", gossip_json(agent));
    set(object, "journal", journal_json(agent));
    set(object, "warnings", warnings_json(agent));
    return object;
}
