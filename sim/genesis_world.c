#include "sim/genesis_reader.h"

#include <string.h>

#include "sim/genesis_schema.h"
#include "sim/genesis_value.h"

/* --- the head --- */

static bool root_take(struct json_stream *stream, const struct json_value *value)
{
    char shown[JSON_SHOWN_MAX];
    if (value->kind == JSON_OBJECT || value->kind == JSON_END) {
        return true;
    }
    return json_fail(
        stream, "",
        "the file is %s; a genesis object {\"chain_id\": ...} expected; " GENESIS_REMEDY,
        json_shown(value, shown));
}

static bool printable(const struct json_value *value, size_t size)
{
    for (size_t i = 0; i < value->length; i++) {
        if (value->text[i] < 0x20 || value->text[i] > 0x7e) {
            return false;
        }
    }
    return value->kind == JSON_STRING && value->length > 0 && value->length < size;
}

/* A name that must be 1 to size - 1 printable ASCII characters. */
static bool name_take(struct json_stream *stream, const struct json_value *value, char *name,
                      size_t size)
{
    char shown[JSON_SHOWN_MAX];
    if (value->kind == JSON_NULL) {
        return true;
    }
    if (!printable(value, size)) {
        return json_fail(stream, "",
                         "%s is no name; 1 to %zu printable characters expected; " GENESIS_REMEDY,
                         json_shown(value, shown), size - 1);
    }
    memcpy(name, value->text, value->length);
    name[value->length] = '\0';
    return true;
}

static bool head_take(struct genesis_reader *reader, struct json_stream *stream,
                      const struct json_value *value)
{
    struct genesis *genesis = reader->genesis;
    switch (value->field) {
    case FIELD_ROOT:
        return root_take(stream, value);
    case FIELD_CHAIN_ID:
        return name_take(stream, value, genesis->chain_id, sizeof(genesis->chain_id));
    case FIELD_INITIAL_HEIGHT:
        return genesis_take_number(stream, value, &genesis->initial_height);
    case FIELD_GENESIS_TIME:
        return genesis_take_time(stream, value, &genesis->genesis_time_ms);
    case FIELD_DENOM:
        return name_take(stream, value, reader->denom, sizeof(reader->denom));
    default:
        reader->dcl = true;
        return true;
    }
}

/* --- properties and execution fees --- */

static bool shaped_take(struct json_stream *stream, const struct json_value *value,
                        bool (*read)(const char *text, size_t length, uint64_t *number),
                        const char *expected, uint64_t *number)
{
    char shown[JSON_SHOWN_MAX];
    bool scalar = value->kind == JSON_STRING || value->kind == JSON_NUMBER;
    if (value->kind == JSON_NULL || (scalar && read(value->text, value->length, number))) {
        return true;
    }
    return json_fail(stream, "", "%s was not understood; %s expected; " GENESIS_REMEDY,
                     json_shown(value, shown), expected);
}

static bool property_take(struct model_properties *properties, struct json_stream *stream,
                          const struct json_value *value)
{
    switch (value->field) {
    case FIELD_MIN_TX_FEE:
        return genesis_take_number(stream, value, &properties->min_tx_fee);
    case FIELD_MAX_TX_FEE:
        return genesis_take_number(stream, value, &properties->max_tx_fee);
    case FIELD_RANK_DECREASE:
        return genesis_take_number(stream, value, &properties->mischance_rank_decrease);
    case FIELD_MAX_MISCHANCE:
        return genesis_take_number(stream, value, &properties->max_mischance);
    case FIELD_CONFIDENCE:
        return genesis_take_number(stream, value, &properties->mischance_confidence);
    case FIELD_INACTIVE_PERCENT:
        return shaped_take(stream, value, genesis_percent, "0 to 100, or 0.0 to 1.0 with a point,",
                           &properties->inactive_rank_percent);
    case FIELD_MIN_VALIDATORS:
        return genesis_take_number(stream, value, &properties->min_validators);
    default:
        return shaped_take(stream, value, genesis_seconds, "seconds such as \"600\" or \"600s\"",
                           &properties->downtime_inactive_s);
    }
}

/* The list is the chain's whole table: what it does not name costs nothing. */
static void fees_clear(struct model_properties *properties)
{
    properties->pause_fee = properties->unpause_fee = 0;
    properties->activate_fee = properties->activate_failure_fee = 0;
}

static void fee_apply(struct model_properties *properties, const struct genesis_fee *fee)
{
    if (strcmp(fee->type, "pause") == 0) {
        properties->pause_fee = fee->fee;
    } else if (strcmp(fee->type, "unpause") == 0) {
        properties->unpause_fee = fee->fee;
    } else if (strcmp(fee->type, "activate") == 0) {
        properties->activate_fee = fee->fee;
        properties->activate_failure_fee = fee->failure;
    }
}

static bool fee_take(struct genesis_reader *reader, struct json_stream *stream,
                     const struct json_value *value)
{
    struct genesis_fee *fee = &reader->fee;
    switch (value->field) {
    case FIELD_FEES:
        if (value->kind == JSON_LIST) {
            fees_clear(&reader->genesis->properties);
        }
        return genesis_take_container(stream, value, JSON_LIST, true);
    case FIELD_FEE:
        if (value->kind == JSON_OBJECT) {
            memset(fee, 0, sizeof(*fee));
        } else if (value->kind == JSON_END) {
            fee_apply(&reader->genesis->properties, fee);
        }
        return genesis_take_container(stream, value, JSON_OBJECT, false);
    case FIELD_FEE_TYPE:
        fee->type[0] = '\0';
        if (value->kind == JSON_STRING && value->length < sizeof(fee->type)) {
            memcpy(fee->type, value->text, value->length);
            fee->type[value->length] = '\0';
        }
        return true;
    default:
        return genesis_take_number(stream, value,
                                   value->field == FIELD_FEE_EXECUTION ? &fee->fee : &fee->failure);
    }
}

/* --- the plan --- */

static bool plan_end(struct genesis_reader *reader, struct json_stream *stream)
{
    if (reader->plan_named && !reader->plan_timed) {
        return json_fail(stream, ".upgrade_time",
                         "missing; Unix seconds expected; " GENESIS_REMEDY);
    }
    /* what a chain writes for "none" may be an empty plan at the time 0 */
    reader->genesis->plan.pending =
        reader->plan_timed && (reader->plan_named || reader->genesis->plan.upgrade_time_ms > 0);
    return true;
}

static bool plan_time_take(struct genesis_reader *reader, struct json_stream *stream,
                           const struct json_value *value)
{
    char shown[JSON_SHOWN_MAX];
    uint64_t seconds = 0;
    if (value->kind == JSON_NULL) {
        return true;
    }
    if (!genesis_take_number(stream, value, &seconds)) {
        return false;
    }
    if (seconds > (uint64_t)GENESIS_TIME_MAX_MS / 1000) {
        return json_fail(stream, "",
                         "%s lies behind the year 9999; Unix seconds expected; " GENESIS_REMEDY,
                         json_shown(value, shown));
    }
    reader->plan_timed = true;
    reader->genesis->plan.upgrade_time_ms = (int64_t)seconds * 1000;
    return true;
}

static bool plan_take(struct genesis_reader *reader, struct json_stream *stream,
                      const struct json_value *value)
{
    struct genesis *genesis = reader->genesis;
    switch (value->field) {
    case FIELD_PLAN:
        if (value->kind == JSON_END) {
            return plan_end(reader, stream);
        }
        reader->plan_named = reader->plan_timed = reader->plan_numbered = false;
        memset(&genesis->plan, 0, sizeof(genesis->plan));
        return genesis_take_container(stream, value, JSON_OBJECT, true);
    case FIELD_PLAN_NAME:
        if (value->kind == JSON_STRING) {
            reader->plan_named = value->length > 0;
            genesis_moniker(value->text, value->length, genesis->plan_name,
                            sizeof(genesis->plan_name));
        }
        return true;
    case FIELD_PLAN_TIME:
        return plan_time_take(reader, stream, value);
    case FIELD_PLAN_INSTATE:
        return genesis_take_boolean(stream, value, &genesis->plan.instate);
    case FIELD_PLAN_PROCESSED:
        return genesis_take_boolean(stream, value, &genesis->plan.processed);
    default:
        reader->plan_numbered = value->kind != JSON_NULL;
        return genesis_take_number(stream, value, &reader->plan_proposal);
    }
}

/* --- the pass --- */

static bool take(void *user, struct json_stream *stream, const struct json_value *value)
{
    struct genesis_reader *reader = user;
    if (value->field < FIELD_HEAD_END) {
        return head_take(reader, stream, value);
    }
    if (value->field < FIELD_RECORD_END) {
        return genesis_record_take(reader, stream, value);
    }
    if (value->field < FIELD_PROPERTY_END) {
        return property_take(&reader->genesis->properties, stream, value);
    }
    return value->field < FIELD_FEE_END ? fee_take(reader, stream, value)
                                        : plan_take(reader, stream, value);
}

struct json_reader genesis_world_reader(struct genesis_reader *reader)
{
    return (struct json_reader){&GENESIS_SCHEMA, take, reader};
}
