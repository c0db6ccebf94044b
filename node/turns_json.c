/* Draws for programs. Keys are promises: FORMATS section 1 has those of world and epoch lines. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/table.h"
#include "node/turns.h"
#include "proto/encoding.h"

#define TEXT_MAX 256

/* --- values --- */

static json_t *number(uint64_t value)
{
    return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *text(const char *value)
{
    char out[TEXT_MAX];
    return json_string(text_utf8(value, out, sizeof out));
}

static json_t *hex(const uint8_t *bytes, size_t size)
{
    char out[HEX_TEXT(HASH_SIZE)];
    assert(size <= HASH_SIZE);
    hex_encode(bytes, size, out);
    return json_string(out);
}

static json_t *charter_id(uint32_t id)
{
    char out[16];
    snprintf(out, sizeof out, "%08x", (unsigned)id);
    return json_string(out);
}

static json_t *height_or_null(struct height height)
{
    return height.n == 0 || height.n == HEIGHT_NEVER.n ? json_null() : number(height.n);
}

static json_t *time_or_null(struct instant time)
{
    char out[TURNS_TIME_MAX];
    return time.ms == 0 ? json_null() : json_string(turns_time(time, out));
}

static void set(json_t *object, const char *key, json_t *value)
{
    int failed = json_object_set_new(object, key, value);
    assert(!failed);
}

/* --- the world --- */

static json_t *charter_json(const struct charter *c)
{
    char phi[32];
    snprintf(phi, sizeof phi, "%u/%u", c->phi_num, c->phi_den);
    json_t *object = json_object();
    set(object, "hash", charter_id(c->id));
    set(object, "min_validators", number(c->min_validators));
    set(object, "epoch_blocks", number(c->epoch_blocks));
    set(object, "live_blocks", number(c->live_blocks));
    set(object, "round_blocks", number(c->round_blocks));
    set(object, "joins_max", number(c->joins_max));
    set(object, "reference_blocks", number(c->reference_blocks));
    set(object, "phi", json_string(phi));
    set(object, "reserve",
        c->reserve == RESERVE_DEFAULT ? json_null() : number((uint64_t)c->reserve));
    set(object, "order", json_string(c->order == ORDER_LONG_FIRST ? "long-first" : "plain"));
    set(object, "ramp",
        c->ramp ? json_pack("[I, I]", (json_int_t)c->ramp_a, (json_int_t)c->ramp_b) : json_null());
    return object;
}

static json_t *chain_name(enum chain_kind chain)
{
    return json_string(chain == CHAIN_KIRA ? "kira" : "dcl");
}

static json_t *world_validator(const struct feed *feed, uint32_t validator, uint32_t at,
                               const char *prefix)
{
    const struct feed_validator known = feed_validator(feed, validator);
    const struct view_validator *v = view_validator(feed_view(feed), validator);
    char account[BECH32_TEXT_MAX] = "";
    if (known.record &&
        !bech32_encode(prefix, known.record->account, ACCOUNT_ADDRESS_SIZE, account))
        account[0] = '\0';
    json_t *object = json_object();
    set(object, "validator", number(at));
    set(object, "address", hex(v->address, ADDRESS_SIZE));
    set(object, "account", account[0] ? json_string(account) : json_null());
    set(object, "moniker", text(known.record ? known.record->moniker : ""));
    set(object, "in_set", json_boolean(known.first_member));
    set(object, "agent",
        json_boolean(v->join.n > 0)); /* it has joined: somebody runs it by the rules */
    return object;
}

json_t *turns_world_json(const struct feed *feed, const uint32_t *numbers, const char *prefix)
{
    const struct view *view = feed_view(feed);
    uint32_t count = view_count(view);
    json_t *world = json_object(), *validators = json_array();
    set(world, "type", json_string("world"));
    set(world, "chain", chain_name(view_chain(view)));
    set(world, "chain_id", text(view_charter(view)->chain_id));
    set(world, "charter", charter_json(view_charter(view)));
    for (uint32_t at = 0; at < count; at++)
        json_array_append_new(validators, json_null());
    for (uint32_t i = 0; i < count; i++)
        json_array_set_new(validators, numbers[i], world_validator(feed, i, numbers[i], prefix));
    set(world, "validators", validators);
    return world;
}

/* --- one epoch --- */

json_t *turns_epoch_json(const struct draw *draw, const uint32_t *numbers)
{
    json_t *object = json_object(), *permits = json_array();
    set(object, "type", json_string("epoch"));
    set(object, "epoch", number(draw->epoch.n));
    set(object, "members", json_integer(draw->members));
    set(object, "live", json_integer(draw->live));
    set(object, "candidates", number(draw->candidates));
    set(object, "used_up", number(draw->used_up));
    set(object, "foreign", json_integer(draw->foreign));
    set(object, "reference", json_integer(draw->reference));
    set(object, "floor", json_integer(draw->floor));
    set(object, "budget", json_integer(draw->budget));
    for (uint32_t r = 0; r < draw->permits; r++)
        json_array_append_new(permits, number(numbers[draw->order[r]]));
    set(object, "permits", permits);
    return object;
}

static json_t *terms_json(const struct turns *turns)
{
    static const char *const names[] = {"floor", "two-thirds", "ramp"};
    const struct draw *d = &turns->draw;
    struct turns_terms terms = turns_terms(&turns->charter, d);
    json_t *object = json_object();
    set(object, "floor", json_integer(terms.by_floor));
    set(object, "two_thirds", json_integer(terms.by_thirds));
    set(object, "ramp", terms.ramp == INT64_MAX ? json_null() : json_integer(terms.ramp));
    set(object, "smallest", json_string(names[d->term]));
    set(object, "reserve", json_integer(d->reserve));
    set(object, "away", json_integer(d->members - d->live));
    set(object, "out_this_round", number(d->out));
    set(object, "back_this_round", number(d->back));
    return object;
}

static json_t *row_json(const struct turns_row *row)
{
    bool joined = row->seen.join.n > 0;
    json_t *object = json_object();
    set(object, "validator", number(row->number));
    set(object, "address", hex(row->address, ADDRESS_SIZE));
    set(object, "account", row->account[0] ? json_string(row->account) : json_null());
    set(object, "moniker", text(row->moniker));
    set(object, "member", json_boolean(row->member));
    set(object, "live", json_boolean(row->live));
    set(object, "power", json_integer(row->power));
    set(object, "permit", json_boolean(row->reason == VIEW_PERMIT));
    set(object, "rank", row->rank == UINT32_MAX ? json_null() : number(row->rank));
    set(object, "reason", json_string(view_reason_code(row->reason)));
    set(object, "sentence", json_string(view_reason_sentence(row->reason)));
    set(object, "joined", height_or_null(row->seen.join));
    set(object, "class", joined ? number(row->seen.join_class) : json_null());
    set(object, "charter", joined ? charter_id(row->seen.join_charter) : json_null());
    set(object, "joins", number(row->seen.joins));
    set(object, "turns", number(row->seen.turns));
    set(object, "paused", height_or_null(row->seen.pause));
    return object;
}

static json_t *out_json(const struct turns_row *row)
{
    json_t *object = json_object();
    set(object, "validator", number(row->number));
    set(object, "why", json_string(turns_absence_word(row->absence)));
    set(object, "since", height_or_null(row->since));
    set(object, "since_time", time_or_null(row->since_ms));
    set(object, "paused", height_or_null(row->seen.pause));
    set(object, "address", hex(row->address, ADDRESS_SIZE));
    set(object, "moniker", text(row->moniker));
    return object;
}

static void set_lists(json_t *object, const struct turns *turns)
{
    json_t *order = json_array(), *permits = json_array(), *out = json_array();
    json_t *validators = json_array();
    for (uint32_t r = 0; r < turns->draw.candidates; r++)
        json_array_append_new(order, number(turns->order[r]));
    for (uint32_t r = 0; r < turns->draw.permits; r++)
        json_array_append_new(permits, number(turns->order[r]));
    for (uint32_t i = 0; i < turns->count; i++) {
        json_array_append_new(validators, row_json(&turns->rows[i]));
        if (turns->rows[i].absence != TURNS_PRESENT)
            json_array_append_new(out, out_json(&turns->rows[i]));
    }
    set(object, "permits", permits);
    set(object, "order", order);
    set(object, "out", out);
    set(object, "validators", validators);
}

static json_t *heading_json(const struct turns *turns)
{
    const struct draw *d = &turns->draw;
    json_t *object = json_object();
    set(object, "type", json_string("epoch"));
    set(object, "chain", chain_name(turns->chain));
    set(object, "chain_id", text(turns->charter.chain_id));
    set(object, "charter", charter_json(&turns->charter));
    set(object, "epoch", number(d->epoch.n));
    set(object, "boundary", number(d->boundary.n));
    set(object, "time", time_or_null(d->time));
    set(object, "hash", hex(turns->hash, HASH_SIZE));
    set(object, "complete", json_boolean(d->complete));
    set(object, "complete_from", number(turns->complete_from.n));
    set(object, "first_block", number(turns->first.n));
    set(object, "by_power", json_boolean(d->by_power));
    return object;
}

json_t *turns_json(const struct turns *turns)
{
    const struct draw *d = &turns->draw;
    json_t *object = heading_json(turns);
    set(object, "members", json_integer(d->members));
    set(object, "live", json_integer(d->live));
    set(object, "candidates", number(d->candidates));
    set(object, "used_up", number(d->used_up));
    set(object, "foreign", json_integer(d->foreign));
    set(object, "reference", json_integer(d->reference));
    set(object, "floor", json_integer(d->floor));
    set(object, "budget", json_integer(d->budget));
    set(object, "budget_count", number(d->budget_count));
    set(object, "terms", terms_json(turns));
    set(object, "overdue", number(d->overdue));
    set(object, "overdue_since", height_or_null(d->overdue_since));
    set_lists(object, turns);
    return object;
}
