/* What the parts of query_*.c share: unpacking with a limit, and turning protobuf-c's bytes into
 * values. */
#ifndef STAGGER_PROTO_QUERY_INTERNAL_H
#define STAGGER_PROTO_QUERY_INTERNAL_H

#include "cosmos.pb-c.h"
#include "proto/bounded.h"
#include "proto/query.h"

/* A reply in an arena of its own, or NULL with a fault that begins with `what`; arena_end() in
 * either case. */
void *query_unpack(struct arena *arena, const ProtobufCMessageDescriptor *type,
                   const uint8_t *bytes, size_t size, const char *what, struct fault *fault);

/* Packs a request. */
void query_pack(struct query *query, const char *path, const ProtobufCMessage *request);

/* A request whose field 1 is this text. */
void query_by_text(struct query *query, const char *path, const char *text);

/* A page request whose field 1 is the page. */
void query_by_page(struct query *query, const char *path, const Cosmos__PageRequest *page);

/* What every page of a list asks for: the total with the first one. */
void query_page_request(Cosmos__PageRequest *page, const uint8_t *key, size_t key_size);

/* Texts for people: cut to fit, made harmless. */
void query_say(const ProtobufCBinaryData *text, char *out, size_t room);
#define QUERY_SAY(field, out) query_say(&(field), (out), sizeof(out))

bool query_is(const ProtobufCBinaryData *text, const char *word);

/* 20 bytes of bech32 text whose prefix ends in `tail`. */
MUST_CHECK bool query_address(const ProtobufCBinaryData *text, const char *tail, const char *what,
                              uint8_t address[ACCOUNT_ADDRESS_SIZE], struct fault *fault);

/* 20 raw bytes. */
MUST_CHECK bool query_raw_address(const ProtobufCBinaryData *bytes, const char *what,
                                  uint8_t address[ACCOUNT_ADDRESS_SIZE], struct fault *fault);

MUST_CHECK bool query_not_negative(int64_t value, const char *what, struct fault *fault);

/* next_key of a page, of at most QUERY_KEY_MAX bytes. */
MUST_CHECK bool query_next_key(const Cosmos__PageResponse *page, uint8_t *next_key,
                               size_t *next_key_size, uint64_t *total, const char *what,
                               struct fault *fault);

/* Decimal digits of any length below `room`. */
bool query_digits(const ProtobufCBinaryData *text, char *out, size_t room);

/* Reading of a DCL plan, shared with the proposals. */
void query_plan_dcl(const Cosmos__UpgradePlan *plan, struct query_plan *out);

/* Sorts by account; false when two entries are of one account. */
bool query_votes_sort(struct query_votes *votes);
bool query_accounts_sort(uint8_t (*accounts)[ACCOUNT_ADDRESS_SIZE], uint32_t count);

#endif
