/* What the two passes over a genesis file share; for sim/genesis*.c only.
 *
 * genesis.c opens, runs the passes and settles what they found. Pass 1 is genesis_world.c for the
 * chain's own values and genesis_records.c for the lists of validators; genesis_schema.c says where
 * they stand. Pass 2 is genesis_details.c: what belongs to a validator but stands elsewhere.
 */
#ifndef STAGGER_SIM_GENESIS_READER_H
#define STAGGER_SIM_GENESIS_READER_H

#include "sim/genesis.h"
#include "sim/json_stream.h"

#define GENESIS_REMEDY "export the file again with `sekaid export`"
#define GENESIS_DENOM_MAX 132 /* Cosmos allows 128 characters */

struct genesis_key { /* for finding a record by one of its addresses */
    uint8_t address[ADDRESS_SIZE];
    uint32_t record;
};

/* Records in the file's order. accounts[i] is of record i until genesis_roster_sort(), then
 * ascending. */
struct genesis_roster {
    struct model_record *records;
    struct genesis_key *accounts; /* by account address; KIRA only */
    struct genesis_key *members;  /* by consensus address */
    uint32_t count, capacity;
    bool listed;                /* its list has begun */
    char place[JSON_PLACE_MAX]; /* of the list */
};

struct genesis_draft { /* of a record that is being read */
    struct model_record record;
    uint8_t account[ADDRESS_SIZE];
    bool has_account, has_address, has_key, has_power;
    uint8_t key_address[ADDRESS_SIZE];
};

struct genesis_fee { /* of an execution fee that is being read */
    char type[32];
    uint64_t fee, failure;
};

struct genesis_detail { /* of an element of pass 2 that is being read */
    uint8_t address[ADDRESS_SIZE];
    bool has_address;
    struct model_record values; /* what the element says; merged by the element's kind */
    bool chosen;                /* moniker: the key says so; vote: a YES; balance: the denom */
    bool valued;                /* moniker: a value was given; vote: the plan's proposal */
    uint64_t amount;            /* of the coin being read */
};

struct genesis_reader {
    struct genesis *genesis;
    struct genesis_roster kira, plain;
    struct genesis_draft draft;
    struct genesis_fee fee;
    struct genesis_detail detail;
    char denom[GENESIS_DENOM_MAX];
    bool dcl;
    bool plan_named, plan_timed, plan_numbered;
    uint64_t plan_proposal;
};

/* Pass 1 and pass 2: what json_stream_read() needs. */
struct json_reader genesis_world_reader(struct genesis_reader *reader);
struct json_reader genesis_details_reader(struct genesis_reader *reader);

/* Takes what belongs to one of the lists of validators. */
bool genesis_record_take(struct genesis_reader *reader, struct json_stream *stream,
                         const struct json_value *value);

/* Sorts the roster's keys. */
void genesis_roster_sort(struct genesis_roster *roster);

/* The record with this key, NULL if there is none. The keys must be sorted. */
struct model_record *genesis_roster_find(const struct genesis_roster *roster,
                                         const struct genesis_key *keys,
                                         const uint8_t address[ADDRESS_SIZE]);

/* Takers of one value: what is not understood fails with a line at the value's place; null leaves
 * the target alone. All return whether reading goes on. */
bool genesis_take_number(struct json_stream *stream, const struct json_value *value,
                         uint64_t *number);
bool genesis_take_int(struct json_stream *stream, const struct json_value *value, int64_t *number);
bool genesis_take_boolean(struct json_stream *stream, const struct json_value *value, bool *yes);
bool genesis_take_time(struct json_stream *stream, const struct json_value *value,
                       int64_t *time_ms);

/* A bech32 address of 20 bytes whose prefix ends in `tail`; with the tail "" other sizes are no
 * error, but leave *has alone as null does. */
bool genesis_take_address(struct json_stream *stream, const struct json_value *value,
                          const char *tail, uint8_t address[ADDRESS_SIZE], bool *has);

/* Refuses what is neither `kind` nor the end of one; null only where `nullable`. */
bool genesis_take_container(struct json_stream *stream, const struct json_value *value,
                            enum json_kind kind, bool nullable);

/* Whether a string value is exactly `text`. */
bool genesis_value_is(const struct json_value *value, const char *text);

#endif
