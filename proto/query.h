/* The chain's own records, read through abci_query: requests encoded, responses decoded.
 *
 *     path, request bytes  = query_*()                     ask
 *     response bytes       = reply_query.value             CometBFT's answer
 *     value                = query_*_read(bytes)           here
 *
 * Paths are gRPC method names ("/kira.staking.Query/Validators"), so that no HTTP/2 is needed.
 * Reading is bounded: at most QUERY_SIZE_MAX bytes, memory from one allocator with a limit. Field
 * numbers and traps are those of the reference pages; KIRA's proto package names lack the version.
 *
 * A value is the chain's word as far as it can be checked alone: an address is one, with the prefix
 * that its place demands; a consensus address is that of the public key beside it; a status is one
 * of those known; a number is not negative where that makes no sense. Anything else is a fault that
 * names the field. Texts for people (names, URLs) are cut to fit, "..." at the end, and bytes that
 * a terminal should not get become '?'.
 */
#ifndef STAGGER_PROTO_QUERY_H
#define STAGGER_PROTO_QUERY_H

#include "coord/coord.h"
#include "proto/account.h"
#include "proto/header.h"

#define QUERY_REQUEST_MAX 512
#define QUERY_PAGE_MAX 512
#define QUERY_KEY_MAX 256
#define QUERY_SIZE_MAX ((size_t)8 << 20)
#define QUERY_BALLOTS_MAX 16

struct query {
    const char *path;
    uint8_t request[QUERY_REQUEST_MAX];
    size_t size;
};

/* One validator as the chain registers it. */
struct query_record {
    uint8_t account[ACCOUNT_ADDRESS_SIZE];
    uint8_t consensus[ADDRESS_SIZE];
    char moniker[80];
    enum coord_status status; /* DCL: jailed is COORD_IS_PAUSED when disabled, see by_trustees */
    bool by_trustees;         /* DCL: disabled by vote, not by its own admin */
    int64_t rank, streak;     /* KIRA */
    int64_t power;            /* DCL */
};

struct query_page {
    struct query_record *records; /* owned */
    uint32_t count;
    uint8_t next_key[QUERY_KEY_MAX];
    size_t next_key_size; /* 0: the last page */
    uint64_t total;       /* 0 when not told */
};

/* Pages of all records: key NULL for the first one. */
void query_records(enum chain_kind chain, const uint8_t *key, size_t key_size, struct query *query);
MUST_CHECK bool query_records_read(enum chain_kind chain, const uint8_t *bytes, size_t size,
                                   struct query_page *page, struct fault *fault);
void query_page_destroy(struct query_page *page);

/* One record, by the account's address ("kira1...", DCL: the "cosmosvaloper1..." of the same
 * bytes); answered by a page of at most one. Where there is none, DCL answers with code 22 and KIRA
 * with an empty page. */
void query_record(enum chain_kind chain, const char *address, struct query *query);

/* DCL: who is disabled and by whom. Reading marks the records that it names: COORD_IS_PAUSED,
 * by_trustees. Whoever is jailed and in no list of the disabled stays COORD_JAILED. */
void query_disabled_one(const char *valoper, struct query *query); /* code 22: is not disabled */
void query_disabled(const uint8_t *key, size_t key_size, struct query *query);
MUST_CHECK bool query_disabled_read(const uint8_t *bytes, size_t size, struct query_record *records,
                                    uint32_t count, uint8_t *next_key, size_t *next_key_size,
                                    struct fault *fault);

struct query_signing { /* KIRA */
    uint8_t consensus[ADDRESS_SIZE];
    int64_t inactive_until_ms; /* 0: none */
    int64_t mischance_confidence, mischance, last_present_block, missed_blocks, produced_blocks;
};
void query_signing(const char *consensus_bech32, struct query *query);
MUST_CHECK bool query_signing_read(const uint8_t *bytes, size_t size, struct query_signing *out,
                                   struct fault *fault);

struct query_properties { /* KIRA */
    uint64_t min_tx_fee, max_tx_fee, min_validators;
    uint64_t minimum_proposal_end_time_s, proposal_enactment_time_s;
    uint64_t mischance_confidence, max_mischance, unjail_max_time_s, downtime_inactive_duration_s;
    char vote_quorum[40]; /* decimal, as the chain's JSON prints it: "0.330000000000000000" */
};
void query_properties(struct query *query);
MUST_CHECK bool query_properties_read(const uint8_t *bytes, size_t size,
                                      struct query_properties *out, struct fault *fault);

struct query_fee {
    char type[64]; /* "pause", "activate" ... */
    uint64_t execution, failure;
};
struct query_fees {
    struct query_fee *fees; /* owned */
    uint32_t count;
};
void query_fees(struct query *query);
MUST_CHECK bool query_fees_read(const uint8_t *bytes, size_t size, struct query_fees *out,
                                struct fault *fault);
void query_fees_destroy(struct query_fees *fees);

/* A plan that is scheduled, or that a proposal asks for. */
struct query_resource {
    char id[64], url[512], version[64], checksum[160];
};
#define QUERY_RESOURCES_MAX 32
struct query_plan {
    bool present;
    char name[128];
    /* KIRA */
    int64_t upgrade_time_s, max_enrolment_s;
    char old_chain_id[64], new_chain_id[64], rollback_checksum[160];
    bool instate, reboot_required, skip_handler, processed_no_vote_validators;
    uint64_t proposal;
    struct query_resource resources[QUERY_RESOURCES_MAX];
    uint32_t resource_count;
    /* DCL */
    int64_t height;
    char info[2048];
};
void query_plan(enum chain_kind chain, bool next,
                struct query *query); /* DCL has one plan: next is ignored */
MUST_CHECK bool query_plan_read(enum chain_kind chain, const uint8_t *bytes, size_t size,
                                struct query_plan *out, struct fault *fault);

/* Whose vote counts for what: by account, ascending, one entry each. */
struct query_vote {
    uint8_t account[ACCOUNT_ADDRESS_SIZE];
    uint32_t option; /* 1 YES, 2 ABSTAIN, 3 NO, 4 NO_WITH_VETO; DCL: 1 approves, 3 rejects */
};
struct query_votes {
    struct query_vote *votes; /* owned */
    uint32_t count;
};
void query_votes(uint64_t proposal, struct query *query); /* KIRA; of one proposal */
MUST_CHECK bool query_votes_read(const uint8_t *bytes, size_t size, struct query_votes *out,
                                 struct fault *fault);
void query_votes_destroy(struct query_votes *votes);

/* KIRA: who may vote on a proposal. Accounts, ascending; *voters is owned by the caller (free). */
void query_voters(uint64_t proposal, struct query *query);
MUST_CHECK bool query_voters_read(const uint8_t *bytes, size_t size,
                                  uint8_t (**voters)[ACCOUNT_ADDRESS_SIZE], uint32_t *count,
                                  struct fault *fault);

/* Upgrades that are being voted upon, or accepted and not yet enacted. KIRA: those among the newest
 * hundred proposals; their votes are asked for by plan.proposal. DCL: all that are proposed, with
 * their votes. */
struct query_ballot {
    struct query_plan plan;
    struct query_votes votes; /* DCL */
};
struct query_ballots {
    struct query_ballot *ballots; /* owned */
    uint32_t count;               /* at most QUERY_BALLOTS_MAX, the newest ones */
};
void query_ballots(enum chain_kind chain, struct query *query);
MUST_CHECK bool query_ballots_read(enum chain_kind chain, const uint8_t *bytes, size_t size,
                                   struct query_ballots *out, struct fault *fault);
void query_ballots_destroy(struct query_ballots *ballots);

struct query_account {
    bool exists; /* false: the chain has never heard of it */
    uint8_t address[ACCOUNT_ADDRESS_SIZE];
    uint64_t number, sequence;
};
void query_account(enum chain_kind chain, const char *address, struct query *query);
MUST_CHECK bool query_account_read(enum chain_kind chain, const uint8_t *bytes, size_t size,
                                   struct query_account *out, struct fault *fault);

void query_balance(const char *address, const char *denom, struct query *query); /* KIRA */
MUST_CHECK bool query_balance_read(const uint8_t *bytes, size_t size, const char *denom,
                                   uint64_t *amount,
                                   struct fault *fault); /* UINT64_MAX when it is more */

#endif
