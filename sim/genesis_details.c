#include "sim/genesis_reader.h"

#include <string.h>

#include "proto/bech32.h"
#include "sim/genesis_value.h"

enum field {
    FIELD_IDENTITY = 1,
    FIELD_IDENTITY_ADDRESS,
    FIELD_IDENTITY_KEY,
    FIELD_IDENTITY_VALUE,
    FIELD_IDENTITY_END,
    FIELD_SIGNING,
    FIELD_SIGNING_ADDRESS,
    FIELD_MISCHANCE,
    FIELD_CONFIDENCE,
    FIELD_LAST_PRESENT,
    FIELD_INACTIVE_UNTIL,
    FIELD_MISSED,
    FIELD_PRODUCED,
    FIELD_SIGNING_END,
    FIELD_VOTE,
    FIELD_VOTE_PROPOSAL,
    FIELD_VOTE_VOTER,
    FIELD_VOTE_OPTION,
    FIELD_VOTE_END,
    FIELD_ACCOUNT,
    FIELD_ACCOUNT_ADDRESS,
    FIELD_ACCOUNT_SEQUENCE,
    FIELD_ACCOUNT_END,
    FIELD_BALANCE,
    FIELD_BALANCE_ADDRESS,
    FIELD_COIN,
    FIELD_COIN_DENOM,
    FIELD_COIN_AMOUNT,
};

#define NODES_END                                                                                  \
    {                                                                                              \
        NULL, 0, NULL                                                                              \
    }

static const struct json_node IDENTITY[] = {
    {"address", FIELD_IDENTITY_ADDRESS, NULL},
    {"key", FIELD_IDENTITY_KEY, NULL},
    {"value", FIELD_IDENTITY_VALUE, NULL},
    NODES_END,
};
static const struct json_node IDENTITIES[] = {{"[]", FIELD_IDENTITY, IDENTITY}, NODES_END};
static const struct json_node VOTE[] = {
    {"proposal_id", FIELD_VOTE_PROPOSAL, NULL},
    {"voter", FIELD_VOTE_VOTER, NULL},
    {"option", FIELD_VOTE_OPTION, NULL},
    NODES_END,
};
static const struct json_node VOTES[] = {{"[]", FIELD_VOTE, VOTE}, NODES_END};
static const struct json_node GOVERNANCE[] = {
    {"identity_records", 0, IDENTITIES},
    {"votes", 0, VOTES},
    NODES_END,
};
#define SIGNING_NODES                                                                              \
    {"address", FIELD_SIGNING_ADDRESS, NULL}, {"mischance", FIELD_MISCHANCE, NULL},                \
        {"mischance_confidence", FIELD_CONFIDENCE, NULL},                                          \
        {"last_present_block", FIELD_LAST_PRESENT, NULL},                                          \
        {"inactive_until", FIELD_INACTIVE_UNTIL, NULL},                                            \
        {"missed_blocks_counter", FIELD_MISSED, NULL},                                             \
        {"produced_blocks_counter", FIELD_PRODUCED, NULL}, NODES_END
static const struct json_node SIGNING_INNER[] = {SIGNING_NODES};
static const struct json_node SIGNING[] = {{"validator_signing_info", 0, SIGNING_INNER},
                                           SIGNING_NODES};
static const struct json_node SIGNINGS[] = {{"[]", FIELD_SIGNING, SIGNING}, NODES_END};
static const struct json_node SLASHING[] = {{"signing_infos", 0, SIGNINGS}, NODES_END};
static const struct json_node BASE_ACCOUNT[] = {
    {"address", FIELD_ACCOUNT_ADDRESS, NULL},
    {"sequence", FIELD_ACCOUNT_SEQUENCE, NULL},
    NODES_END,
};
static const struct json_node VESTING[] = {{"base_account", 0, BASE_ACCOUNT}, NODES_END};
static const struct json_node ACCOUNT[] = {
    {"address", FIELD_ACCOUNT_ADDRESS, NULL},
    {"sequence", FIELD_ACCOUNT_SEQUENCE, NULL},
    {"base_account", 0, BASE_ACCOUNT},
    {"base_vesting_account", 0, VESTING},
    NODES_END,
};
static const struct json_node ACCOUNTS[] = {{"[]", FIELD_ACCOUNT, ACCOUNT}, NODES_END};
static const struct json_node AUTH[] = {{"accounts", 0, ACCOUNTS}, NODES_END};
static const struct json_node COIN[] = {
    {"denom", FIELD_COIN_DENOM, NULL},
    {"amount", FIELD_COIN_AMOUNT, NULL},
    NODES_END,
};
static const struct json_node COINS[] = {{"[]", FIELD_COIN, COIN}, NODES_END};
static const struct json_node BALANCE[] = {
    {"address", FIELD_BALANCE_ADDRESS, NULL},
    {"coins", 0, COINS},
    NODES_END,
};
static const struct json_node BALANCES[] = {{"[]", FIELD_BALANCE, BALANCE}, NODES_END};
static const struct json_node BANK[] = {{"balances", 0, BALANCES}, NODES_END};
static const struct json_node APP[] = {
    {"auth", 0, AUTH},
    {"bank", 0, BANK},
    {"customgov", 0, GOVERNANCE},
    {"customslashing", 0, SLASHING},
    NODES_END,
};
static const struct json_node GENESIS[] = {{"app_state", 0, APP}, NODES_END};
static const struct json_node RESULT[] = {{"genesis", 0, GENESIS}, NODES_END};
static const struct json_node TOP[] = {{"app_state", 0, APP}, {"result", 0, RESULT}, NODES_END};
static const struct json_node ROOT = {"", 0, TOP};

/* The record that the element belongs to, by account address. */
static struct model_record *owner(struct genesis_reader *reader)
{
    const struct genesis_roster *roster = &reader->kira;
    return reader->detail.has_address
               ? genesis_roster_find(roster, roster->accounts, reader->detail.address)
               : NULL;
}

/* Begins an element or, at its end, tells so through *ended. */
static bool element_take(struct genesis_reader *reader, struct json_stream *stream,
                         const struct json_value *value, bool *ended)
{
    *ended = value->kind == JSON_END;
    if (value->kind == JSON_OBJECT) {
        memset(&reader->detail, 0, sizeof(reader->detail));
    }
    return genesis_take_container(stream, value, JSON_OBJECT, false);
}

static bool identity_take(struct genesis_reader *reader, struct json_stream *stream,
                          const struct json_value *value)
{
    struct genesis_detail *detail = &reader->detail;
    bool ended = false;
    switch (value->field) {
    case FIELD_IDENTITY_ADDRESS:
        return genesis_take_address(stream, value, "", detail->address, &detail->has_address);
    case FIELD_IDENTITY_KEY:
        detail->chosen = genesis_value_is(value, "moniker");
        return true;
    case FIELD_IDENTITY_VALUE:
        detail->valued = value->kind == JSON_STRING;
        if (detail->valued) {
            genesis_moniker(value->text, value->length, detail->values.moniker, MODEL_MONIKER_MAX);
        }
        return true;
    default:
        if (!element_take(reader, stream, value, &ended)) {
            return false;
        }
    }
    struct model_record *record = ended && detail->chosen && detail->valued ? owner(reader) : NULL;
    if (record != NULL) {
        memcpy(record->moniker, detail->values.moniker, sizeof(record->moniker));
    }
    return true;
}

static void signing_apply(struct genesis_reader *reader)
{
    const struct model_record *values = &reader->detail.values;
    const struct genesis_roster *roster = &reader->kira;
    struct model_record *record =
        reader->detail.has_address
            ? genesis_roster_find(roster, roster->members, reader->detail.address)
            : NULL;
    if (record != NULL) {
        record->mischance = values->mischance;
        record->mischance_confidence = values->mischance_confidence;
        record->last_present = values->last_present;
        record->inactive_until_ms = values->inactive_until_ms;
        record->missed_blocks = values->missed_blocks;
        record->produced_blocks = values->produced_blocks;
    }
}

static bool signing_take(struct genesis_reader *reader, struct json_stream *stream,
                         const struct json_value *value)
{
    struct genesis_detail *detail = &reader->detail;
    bool ended = false;
    switch (value->field) {
    case FIELD_SIGNING_ADDRESS:
        return genesis_take_address(stream, value, "valcons", detail->address,
                                    &detail->has_address);
    case FIELD_MISCHANCE:
        return genesis_take_number(stream, value, &detail->values.mischance);
    case FIELD_CONFIDENCE:
        return genesis_take_number(stream, value, &detail->values.mischance_confidence);
    case FIELD_LAST_PRESENT:
        return genesis_take_number(stream, value, &detail->values.last_present);
    case FIELD_INACTIVE_UNTIL:
        return genesis_take_time(stream, value, &detail->values.inactive_until_ms);
    case FIELD_MISSED:
        return genesis_take_number(stream, value, &detail->values.missed_blocks);
    case FIELD_PRODUCED:
        return genesis_take_number(stream, value, &detail->values.produced_blocks);
    default:
        if (!element_take(reader, stream, value, &ended)) {
            return false;
        }
    }
    if (ended) {
        signing_apply(reader);
    }
    return true;
}

static bool vote_take(struct genesis_reader *reader, struct json_stream *stream,
                      const struct json_value *value)
{
    struct genesis_detail *detail = &reader->detail;
    uint64_t proposal = 0;
    bool ended = false;
    switch (value->field) {
    case FIELD_VOTE_PROPOSAL:
        if (!genesis_take_number(stream, value, &proposal)) {
            return false;
        }
        detail->valued = reader->plan_numbered && proposal == reader->plan_proposal;
        return true;
    case FIELD_VOTE_VOTER:
        return genesis_take_address(stream, value, "", detail->address, &detail->has_address);
    case FIELD_VOTE_OPTION:
        detail->chosen = genesis_value_is(value, "VOTE_OPTION_YES") || genesis_value_is(value, "1");
        return true;
    default:
        if (!element_take(reader, stream, value, &ended)) {
            return false;
        }
    }
    bool counts = ended && reader->genesis->plan.pending && detail->valued;
    struct model_record *record = counts ? owner(reader) : NULL;
    if (record != NULL) {
        record->voted_yes = detail->chosen;
    }
    return true;
}

/* Accounts are not only people's: what is no bech32 address belongs to no validator. */
static void lenient_address(struct genesis_detail *detail, const struct json_value *value)
{
    struct bech32 decoded;
    detail->has_address = value->kind == JSON_STRING &&
                          bech32_decode(value->text, value->length, &decoded) == NULL &&
                          decoded.size == ADDRESS_SIZE;
    if (detail->has_address) {
        memcpy(detail->address, decoded.bytes, ADDRESS_SIZE);
    }
}

static bool account_take(struct genesis_reader *reader, struct json_stream *stream,
                         const struct json_value *value)
{
    struct genesis_detail *detail = &reader->detail;
    bool ended = false;
    switch (value->field) {
    case FIELD_ACCOUNT_ADDRESS:
        lenient_address(detail, value);
        return true;
    case FIELD_ACCOUNT_SEQUENCE:
        return genesis_take_number(stream, value, &detail->values.sequence);
    default:
        if (!element_take(reader, stream, value, &ended)) {
            return false;
        }
    }
    struct model_record *record = ended ? owner(reader) : NULL;
    if (record != NULL) {
        record->sequence = detail->values.sequence;
    }
    return true;
}

static bool amount_take(struct genesis_detail *detail, struct json_stream *stream,
                        const struct json_value *value)
{
    char shown[JSON_SHOWN_MAX];
    bool scalar = value->kind == JSON_STRING || value->kind == JSON_NUMBER;
    return (scalar && genesis_amount(value->text, value->length, &detail->amount)) ||
           json_fail(stream, "", "%s is no amount; decimal digits expected; " GENESIS_REMEDY,
                     json_shown(value, shown));
}

static bool coin_take(struct genesis_reader *reader, struct json_stream *stream,
                      const struct json_value *value)
{
    struct genesis_detail *detail = &reader->detail;
    if (value->kind == JSON_OBJECT) {
        detail->chosen = false;
        detail->amount = 0;
    } else if (value->kind == JSON_END && detail->chosen) {
        detail->values.balance = detail->amount;
    }
    return genesis_take_container(stream, value, JSON_OBJECT, false);
}

static bool balance_take(struct genesis_reader *reader, struct json_stream *stream,
                         const struct json_value *value)
{
    struct genesis_detail *detail = &reader->detail;
    bool ended = false;
    switch (value->field) {
    case FIELD_BALANCE_ADDRESS:
        lenient_address(detail, value);
        return true;
    case FIELD_COIN:
        return coin_take(reader, stream, value);
    case FIELD_COIN_DENOM:
        detail->chosen = genesis_value_is(value, reader->denom);
        return true;
    case FIELD_COIN_AMOUNT:
        return amount_take(detail, stream, value);
    default:
        if (!element_take(reader, stream, value, &ended)) {
            return false;
        }
    }
    struct model_record *record = ended ? owner(reader) : NULL;
    if (record != NULL) {
        record->balance = detail->values.balance;
    }
    return true;
}

static bool take(void *user, struct json_stream *stream, const struct json_value *value)
{
    struct genesis_reader *reader = user;
    if (value->field < FIELD_IDENTITY_END) {
        return identity_take(reader, stream, value);
    }
    if (value->field < FIELD_SIGNING_END) {
        return signing_take(reader, stream, value);
    }
    if (value->field < FIELD_VOTE_END) {
        return vote_take(reader, stream, value);
    }
    if (value->field < FIELD_ACCOUNT_END) {
        return account_take(reader, stream, value);
    }
    return balance_take(reader, stream, value);
}

struct json_reader genesis_details_reader(struct genesis_reader *reader)
{
    return (struct json_reader){&ROOT, take, reader};
}
