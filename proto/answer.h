/* The other side of query.h: requests of abci_query decoded, answers encoded. For the devnet, whose nodes answer
 * as the chains' own do.
 *
 *     request bytes  -- answer_request_read() -->  struct answer_request
 *     values         -- answer_*() ------------->  bytes of the response, which query_*_read() take
 *
 * Answers have every field that the chain writes, with its number and in its order; what Go keeps by value is
 * written even when it is empty. Each function gives the bytes in an allocation of the caller's (free); an answer
 * without bytes is a pointer as well, with size 0. Memory that is short ends the process, as in all of the
 * devnet's application: a replica that lacks something is worse than none.
 */
#ifndef STAGGER_PROTO_ANSWER_H
#define STAGGER_PROTO_ANSWER_H

#include "proto/account.h"
#include "proto/header.h"

#define ANSWER_TEXTS 6
#define ANSWER_ROLES 2
#define ANSWER_TEXT_MAX 160
#define ANSWER_KEY_MAX 160

/* --- requests --- */

enum answer_shape {
    ANSWER_NOTHING,    /* no fields are read */
    ANSWER_TEXT,       /* text 1, text 2 */
    ANSWER_SIGNING,    /* text 1, flag 2 */
    ANSWER_NUMBER,     /* number 1 */
    ANSWER_PAGE,       /* page 1, flag 2 */
    ANSWER_VALIDATORS, /* texts 1 to 6, page 7 */
    ANSWER_PROPOSALS,  /* text 1, page 2 */
};

struct answer_page {
    uint8_t key[ANSWER_KEY_MAX];
    size_t key_size;
    uint64_t offset, limit;
    bool count_total, reverse;
};

struct answer_request {
    char text[ANSWER_TEXTS][ANSWER_TEXT_MAX]; /* what does not fit, or holds a NUL, is "?" */
    bool has_address;                         /* text 1 is 20 bytes: */
    uint8_t address[ACCOUNT_ADDRESS_SIZE];
    uint64_t number;
    bool flag;
    bool has_page;
    struct answer_page page;
};

MUST_CHECK bool answer_request_read(enum answer_shape shape, const uint8_t *bytes, size_t size,
                                    struct answer_request *request, struct fault *fault);

/* --- answers --- */

struct answer_tail { /* of a page */
    uint8_t next_key[ANSWER_KEY_MAX];
    size_t next_key_size; /* 0: the last page */
    uint64_t total;
};

struct answer_validator {
    uint8_t account[ACCOUNT_ADDRESS_SIZE];
    uint8_t key[ED25519_KEY_SIZE];
    const char *moniker;
    int status;         /* KIRA: 1 ACTIVE, 2 INACTIVE, 3 PAUSED, 4 JAILED */
    int64_t rank;       /* KIRA */
    int64_t streak;     /* KIRA */
    uint64_t identity;  /* KIRA: number of the identity record that holds the moniker */
    int64_t since_ms;   /* KIRA: its date, Unix */
    int32_t power;      /* DCL */
    bool jailed;        /* DCL */
    const char *reason; /* DCL: of being jailed */
};

/* Addresses as text have the network's prefix. `actors`: the accounts that may claim a seat. */
uint8_t *answer_validators(const char *prefix, const struct answer_validator *validators,
                           uint32_t count, const uint8_t (*actors)[ACCOUNT_ADDRESS_SIZE],
                           uint32_t actor_count, const struct answer_tail *tail, size_t *size);
uint8_t *answer_validator(const struct answer_validator *validator, size_t *size);

struct answer_signing {
    uint8_t consensus[ADDRESS_SIZE];
    int64_t inactive_until_ms; /* 0: none */
    int64_t mischance_confidence, mischance, last_present, missed, produced;
};
/* `validators`: NULL where they were not asked for. */
uint8_t *answer_signing(const char *prefix, const struct answer_signing *signing,
                        const struct answer_validator *validator, size_t *size);
uint8_t *answer_signings(const char *prefix, const struct answer_signing *signings, uint32_t count,
                         const struct answer_validator *validators, const struct answer_tail *tail,
                         size_t *size);

struct answer_properties { /* the others have sekai's defaults */
    uint64_t min_tx_fee, max_tx_fee, min_validators;
    uint64_t minimum_proposal_end_s, proposal_enactment_s;
    uint64_t mischance_confidence, max_mischance, mischance_rank_decrease, downtime_inactive_s;
    uint64_t inactive_rank_percent;
    uint64_t min_proposal_end_blocks, min_proposal_enactment_blocks, poor_network_max_bank_send;
};
uint8_t *answer_properties(const struct answer_properties *properties, size_t *size);

struct answer_fees {
    uint64_t pause, unpause, activate, activate_failure;
};
uint8_t *answer_fees(const struct answer_fees *fees, size_t *size);
/* The fee of one type; NULL when there is none of that name. */
uint8_t *answer_fee(const struct answer_fees *fees, const char *type, size_t *size);

uint8_t *answer_poor_messages(size_t *size);

struct answer_account {
    uint8_t address[ACCOUNT_ADDRESS_SIZE];
    bool has_key;
    uint8_t key[ACCOUNT_PUBLIC_SIZE];
    uint64_t number, sequence;
    const char *roles[ANSWER_ROLES]; /* DCL; NULL: fewer */
};
uint8_t *answer_account(const char *prefix, const struct answer_account *account, size_t *size);
uint8_t *answer_account_dcl(const char *prefix, const struct answer_account *account, size_t *size);
uint8_t *answer_balance(const char *denom, uint64_t amount, size_t *size);

/* --- KIRA: governance --- */

struct answer_vote {
    uint8_t voter[ACCOUNT_ADDRESS_SIZE];
    uint32_t option;
};

struct answer_proposal {
    uint64_t id;
    struct tx_bytes title, description, type_url, content;
    int64_t submitted_ms, voting_end_ms, enactment_end_ms;
    int64_t voting_end_height, enactment_end_height;
    int outcome;             /* kira.gov.VoteResult */
    const char *exec_result; /* NULL: none yet */
    struct answer_vote *votes;
    uint32_t vote_count;
};
uint8_t *answer_proposal(const struct answer_proposal *proposal, size_t *size);
uint8_t *answer_proposals(const struct answer_proposal *proposals, uint32_t count,
                          const struct answer_tail *tail, size_t *size);
uint8_t *answer_votes(const struct answer_proposal *proposal, size_t *size);
uint8_t *answer_voters(const uint8_t (*accounts)[ACCOUNT_ADDRESS_SIZE], uint32_t count,
                       size_t *size);

/* The plan that a ProposalSoftwareUpgrade became; no content: there is none. */
uint8_t *answer_plan(struct tx_bytes content, uint64_t proposal, bool processed, size_t *size);

/* --- DCL --- */

/* Lists, a page of each; tail NULL: what is asked for one alone has instead, with count 1. */
uint8_t *answer_dcl_validators(const char *prefix, const struct answer_validator *validators,
                               uint32_t count, const struct answer_tail *tail, size_t *size);
uint8_t *answer_dcl_powers(const char *prefix, const struct answer_validator *validators,
                           uint32_t count, const struct answer_tail *tail, size_t *size);

struct answer_grant {
    uint8_t account[ACCOUNT_ADDRESS_SIZE];
    int64_t time_s;
    struct tx_bytes info;
};

#define ANSWER_GRANTS 12
struct answer_decision { /* what trustees voted on: an upgrade, or the disabling of a validator */
    uint8_t creator[ACCOUNT_ADDRESS_SIZE];
    struct answer_grant approvals[ANSWER_GRANTS], rejects[ANSWER_GRANTS];
    uint32_t approval_count, reject_count;
    uint8_t validator[ACCOUNT_ADDRESS_SIZE]; /* disabling */
    bool by_admin;
    struct tx_bytes name, info; /* upgrade */
    int64_t height;
};
/* Likewise. Proposed and rejected ones have the same fields. */
uint8_t *answer_dcl_disabled(const char *prefix, const struct answer_decision *decisions,
                             uint32_t count, const struct answer_tail *tail, size_t *size);
uint8_t *answer_dcl_disabling(const char *prefix, const struct answer_decision *decisions,
                              uint32_t count, const struct answer_tail *tail, size_t *size);
uint8_t *answer_dcl_upgrades(const char *prefix, const struct answer_decision *decisions,
                             uint32_t count, const struct answer_tail *tail, size_t *size);
uint8_t *answer_dcl_plan(const struct answer_decision *plan, size_t *size); /* NULL: none */

/* --- results of transactions --- */

struct answer_response { /* of one message */
    const char *type_url;
    uint64_t number; /* field 1; 0: an empty response */
};
uint8_t *answer_results(const struct answer_response *responses, uint32_t count, size_t *size);

#endif
