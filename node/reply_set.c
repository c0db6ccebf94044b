#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "node/reply_parts.h"

bool reply_key(const struct field *object, const char *name, uint8_t key[ED25519_KEY_SIZE],
               uint8_t address[ADDRESS_SIZE])
{
    struct field at, address_at;
    uint8_t computed[ADDRESS_SIZE];
    if (!field_in(object, name, &at) || !field_is_text(&at, "type", REPLY_KEY_TYPE) ||
        !field_base64(&at, "value", key, ED25519_KEY_SIZE) ||
        !field_hex(object, "address", address, ADDRESS_SIZE) ||
        !field_in(object, "address", &address_at))
        return false;
    member_address(key, computed);
    return memcmp(computed, address, ADDRESS_SIZE) == 0 ||
           field_wrong(&address_at, "is not the address of the key beside it");
}

/* --- status --- */

static bool read_node(const struct field *top, struct reply_status *out)
{
    struct field at, other, index;
    if (!field_in(top, "node_info", &at) ||
        !field_text(&at, "id", out->node_id, sizeof out->node_id) ||
        !field_text(&at, "network", out->chain_id, sizeof out->chain_id) ||
        !field_text_cut(&at, "version", out->version, sizeof out->version) ||
        !field_text_cut(&at, "moniker", out->moniker, sizeof out->moniker) ||
        !field_in(&at, "other", &other) || !field_in(&other, "tx_index", &index))
        return false;
    out->tx_index =
        json_is_string(index.value) && strcmp(json_string_value(index.value), "on") == 0;
    return out->tx_index || field_is_text(&other, "tx_index", "off");
}

/* What a block's time is in milliseconds, rounded down. */
static int64_t milliseconds(const struct time_stamp *time)
{
    return time->seconds * 1000 + time->nanos / 1000000;
}

static bool read_sync(const struct field *top, struct reply_status *out)
{
    struct field at;
    struct hash hash;
    struct time_stamp time;
    if (!field_in(top, "sync_info", &at) || !field_hash(&at, "latest_block_hash", &hash) ||
        !field_int64(&at, "latest_block_height", 0, INT64_MAX, &out->latest_height) ||
        !field_time(&at, "latest_block_time", &time) ||
        !field_int64(&at, "earliest_block_height", 0, INT64_MAX, &out->earliest_height) ||
        !field_bool(&at, "catching_up", &out->catching_up))
        return false;
    memcpy(out->latest_hash, hash.bytes, sizeof out->latest_hash);
    out->latest_time_ms = milliseconds(&time);
    return true;
}

static bool read_self(const struct field *top, struct reply_status *out)
{
    struct field at;
    return field_in(top, "validator_info", &at) &&
           reply_key(&at, "pub_key", out->public_key, out->address) &&
           field_int64(&at, "voting_power", 0, REPLY_POWER_MAX, &out->voting_power);
}

bool reply_status(const json_t *result, struct reply_status *out, struct fault *fault)
{
    struct field top = field_top(result, "status", fault);
    *out = (struct reply_status){0};
    if (read_node(&top, out) && read_sync(&top, out) && read_self(&top, out))
        return true;
    *out = (struct reply_status){0};
    return false;
}

/* --- validators --- */

static bool read_member(const struct field *at, struct member *out)
{
    return reply_key(at, "pub_key", out->public_key, out->address) &&
           field_int64(at, "voting_power", 1, REPLY_POWER_MAX, &out->power);
}

static bool read_members(const struct field *list, uint32_t count, struct reply_validators *out)
{
    int64_t power = 0;
    out->members = reply_allocate(count, sizeof *out->members);
    for (; out->count < count; out->count++) {
        struct field at = field_entry(list, out->count);
        struct member *member = &out->members[out->count];
        if (!read_member(&at, member))
            return false;
        if (member->power > REPLY_POWER_MAX - power)
            return field_wrong(list, "have more voting power together than can be");
        power += member->power;
    }
    return true;
}

static bool read_page(const struct field *top, struct reply_validators *out)
{
    struct field list, at;
    uint32_t entries;
    int64_t count, total;
    if (!field_int64(top, "block_height", 1, INT64_MAX, &out->height) ||
        !field_list(top, "validators", REPLY_MEMBERS_MAX, &list, &entries) ||
        !field_int64(top, "total", 1, REPLY_MEMBERS_MAX, &total) ||
        !field_int64(top, "count", 1, total, &count) || !field_in(top, "count", &at))
        return false;
    if (count != entries)
        return field_wrong(&at, "is %" PRId64 ", but there are %" PRIu32 " validators", count,
                           entries);
    out->total = (uint32_t)total;
    return read_members(&list, entries, out);
}

bool reply_validators(const json_t *result, struct reply_validators *out, struct fault *fault)
{
    struct field top = field_top(result, "validators", fault);
    *out = (struct reply_validators){0};
    if (read_page(&top, out))
        return true;
    reply_validators_destroy(out);
    return false;
}

void reply_validators_destroy(struct reply_validators *reply)
{
    free(reply->members);
    *reply = (struct reply_validators){0};
}

/* --- consensus_state --- */

/* "BA{4:xx_x} 3/4 = 0.75": what stands behind the brace is voting power. */
static bool read_bits(const struct field *round, const char *name, uint32_t *have, uint32_t *of)
{
    static const char head[] = "BA{";
    struct field at;
    int64_t bits;
    if (!field_in(round, name, &at))
        return false;
    const char *text = json_string_value(at.value);
    const char *colon = text == NULL ? NULL : strchr(text, ':');
    if (colon == NULL || strncmp(text, head, strlen(head)) != 0 ||
        !field_parse_int64(text + strlen(head), (size_t)(colon - text) - strlen(head), 0,
                           REPLY_MEMBERS_MAX, &bits) ||
        strspn(colon + 1, "x_") != (size_t)bits || colon[1 + bits] != '}')
        return field_wrong(&at, "is no list of votes such as \"BA{4:xx_x} 3/4 = 0.75\"");
    *of = (uint32_t)bits;
    *have = 0;
    for (int64_t i = 0; i < bits; i++)
        *have += colon[1 + i] == 'x' ? 1 : 0;
    return true;
}

/* The round under way among those that are listed. */
static bool read_votes(const struct field *state, struct reply_consensus *out)
{
    struct field list;
    uint32_t count;
    if (!field_list(state, "height_vote_set", UINT32_MAX, &list, &count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        struct field at = field_entry(&list, i);
        int32_t round;
        if (!field_int32(&at, "round", 0, &round))
            return false;
        if (round == out->round)
            return read_bits(&at, "prevotes_bit_array", &out->prevotes_have, &out->prevotes_of) &&
                   read_bits(&at, "precommits_bit_array", &out->precommits_have,
                             &out->precommits_of);
    }
    return field_wrong(&list, "has no votes of round %" PRId32, out->round);
}

/* "61/0/1" */
static bool read_position(const struct field *state, struct reply_consensus *out)
{
    struct field at;
    int64_t round, step;
    if (!field_in(state, "height/round/step", &at))
        return false;
    const char *text = json_string_value(at.value);
    const char *first = text == NULL ? NULL : strchr(text, '/');
    const char *second = first == NULL ? NULL : strchr(first + 1, '/');
    if (second == NULL ||
        !field_parse_int64(text, (size_t)(first - text), 0, INT64_MAX, &out->height) ||
        !field_parse_int64(first + 1, (size_t)(second - first) - 1, 0, INT32_MAX, &round) ||
        !field_parse_int64(second + 1, json_string_length(at.value) - (size_t)(second + 1 - text),
                           1, 8, &step))
        return field_wrong(&at, "is not such as \"61/0/1\"");
    out->round = (int32_t)round;
    out->step = (int32_t)step;
    return true;
}

bool reply_consensus(const json_t *result, struct reply_consensus *out, struct fault *fault)
{
    struct field top = field_top(result, "consensus_state", fault), state;
    *out = (struct reply_consensus){0};
    if (field_in(&top, "round_state", &state) && read_position(&state, out) &&
        read_votes(&state, out))
        return true;
    *out = (struct reply_consensus){0};
    return false;
}
