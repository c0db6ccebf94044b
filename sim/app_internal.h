/* What the parts of the devnet's application share. Nobody else includes this.
 *
 *     app.c           replica: genesis, blocks, one transaction from bytes to result
 *     app_state.c     accounts, and the journal by which a transaction or a whole block is taken back
 *     app_ante.c      what a transaction is to the modelled chain; refusals in the chain's words
 *     app_words.c     refused messages in the chain's words
 *     app_events.c    events and log of a result
 *     app_kira.c      bank sends, proposals, votes, enactment
 *     app_dcl.c       trustees: upgrades and disabling of validators
 *     app_query*.c    answers to abci_query
 *     app_hash.c      the state's canonical encoding
 *
 * Who changes what:
 *
 *     model_deliver()   records, their accounts' sequences and balances, outsiders' likewise
 *       |-- handler     app_kira_run() or app_dcl_run(): balances, proposals, votes; each change is journalled
 *     refused message   the model takes back its part, app_journal_undo() the handler's, to the mark after the ante
 *     fatal block       app_journal_undo() to the block's begin, and the records of before it
 *
 * Memory that is short ends the process: an application that lost a part of its state is no replica.
 */
#ifndef STAGGER_SIM_APP_INTERNAL_H
#define STAGGER_SIM_APP_INTERNAL_H

#include "proto/answer.h"
#include "proto/answer_act.h"
#include "sim/app.h"

#define APP_WORDS_MAX 512
#define APP_NAME_MAX 128
#define APP_GRANTS_MAX 12 /* DCL: MaxTrusteeCount */

/* Of KIRA; the model has them as they are by default. */
#define APP_PROPOSAL_END_BLOCKS 2
#define APP_PROPOSAL_ENACTMENT_BLOCKS 1
#define APP_POOR_SEND_MAX 1000000

/* --- state --- */

/* Immutable bytes with a NUL behind them, shared between the state and its copies. */
struct app_text {
    uint32_t keepers;
    size_t size;
    char bytes[];
};

struct app_account {
    uint8_t address[ACCOUNT_ADDRESS_SIZE];
    bool has_key;
    uint8_t key[ACCOUNT_PUBLIC_SIZE];
    uint64_t number;
    uint32_t validator; /* VALIDATOR_NONE: sequence and balance stand in `own` */
    struct model_outsider own;
};

struct app_vote {
    uint32_t account; /* its index */
    uint32_t option;
};

enum app_outcome { /* kira.gov.VoteResult */
                   OUTCOME_UNKNOWN,
                   OUTCOME_PASSED,
                   OUTCOME_REJECTED,
                   OUTCOME_VETO,
                   OUTCOME_PENDING,
                   OUTCOME_NO_QUORUM,
                   OUTCOME_ENACTMENT,
};

struct app_proposal { /* KIRA */
    uint64_t id;
    struct app_text *title, *description, *type_url, *content;
    char name[APP_NAME_MAX]; /* of the plan */
    bool cancel;             /* of the next plan, instead of a new one */
    int64_t upgrade_time_s;
    bool instate, skip_handler;
    int64_t submitted_ms, voting_end_ms, enactment_end_ms;
    int64_t voting_end_height, enactment_end_height;
    enum app_outcome outcome;
    bool voting, enacting;   /* in the queues of either */
    const char *exec_result; /* static, or NULL */
    struct app_vote *votes;  /* ascending by address */
    uint32_t vote_count, vote_room;
};

struct app_grant { /* DCL */
    uint32_t account;
    int64_t time_s;
    struct app_text *info;
};

struct app_grants {
    struct app_grant list[APP_GRANTS_MAX];
    uint32_t count;
};

enum app_stage { STAGE_PROPOSED, STAGE_ACCEPTED, STAGE_REJECTED };

struct app_upgrade { /* DCL: proposed, approved or rejected */
    enum app_stage stage;
    struct app_text *name, *info;
    int64_t height;
    uint32_t creator;
    struct app_grants approvals, rejects;
};

struct
    app_disabling { /* DCL: what trustees proposed, did or rejected; did: while the record says so */
    enum app_stage stage;
    uint32_t validator, creator;
    struct app_grants approvals, rejects;
};

struct app_trust { /* DCL: copied as a whole, so that it can be taken back */
    struct app_upgrade *upgrades;
    uint32_t upgrade_count;
    struct app_disabling *disablings;
    uint32_t disabling_count;
    struct app_upgrade plan; /* scheduled, when `planned` */
    bool planned;
};

struct app_plans { /* KIRA: numbers of proposals, 0 for none */
    uint64_t next, current;
};

enum app_change_kind {
    CHANGE_ACCOUNT,  /* key, sequence, balance */
    CHANGE_CREATED,  /* the last account */
    CHANGE_PROPOSED, /* the last proposal */
    CHANGE_VOTED,    /* one vote; option UINT32_MAX: there was none before */
};

struct app_change {
    enum app_change_kind kind;
    uint32_t index; /* of the account or proposal */
    struct app_vote vote;
    struct app_account account; /* before, for CHANGE_ACCOUNT */
    uint64_t balance;           /* before, of a validator's account */
};

struct app {
    struct app_genesis genesis; /* owns its validators */
    struct model *model;
    struct height height; /* of the block that is being executed, else of the last one */
    int64_t time_ms;      /* likewise */
    bool stored_only;     /* the block cannot be applied, the chain halts by plan */
    char halted[APP_WORDS_MAX];

    struct app_account **accounts; /* by number of creation */
    uint32_t account_count, account_room;
    struct app_proposal **proposals; /* ascending by id, from 1 */
    uint32_t proposal_count, proposal_room;
    struct app_plans plans;
    struct app_trust trust;

    struct app_change *changes; /* the journal of this block */
    uint32_t change_count, change_room;
    struct model_record *before; /* records, plans, trust when the block began */
    struct model_plan plan_before;
    struct app_plans plans_before;
    struct app_trust trust_before;

    uint32_t *by_account, *by_consensus; /* validators, ascending by either address */
    uint8_t hash[HASH_SIZE];
};

/* --- one transaction --- */

struct app_tx {
    struct app *app;
    struct tx_decoded decoded;
    struct arena memory;
    const struct answer_act *acts;        /* of each message */
    uint8_t signer[ACCOUNT_ADDRESS_SIZE]; /* who has to sign, by its messages */
    struct app_account *account;          /* NULL: the chain does not know it */
    uint32_t account_index;
    bool fresh;       /* the node has seen no block since it started */
    bool foreign_fee; /* a coin that no fee is taken in */
    struct model_tx model;
    struct model_msg messages[MODEL_MANY_MAX];
    uint64_t numbers[MODEL_MANY_MAX]; /* what the messages' responses hold */
    struct model_handler handler;
    struct app_trust trust;    /* DCL: before its messages */
    char words[APP_WORDS_MAX]; /* of a handler that refuses */
};

/* app_state.c */
struct app_text *app_text_make(const void *bytes, size_t size);
struct app_text *app_text_keep(struct app_text *text);
void app_text_drop(struct app_text *text); /* NULL is none */

uint32_t app_account_find(const struct app *app, const uint8_t address[ACCOUNT_ADDRESS_SIZE]);
uint32_t app_account_create(struct app *app, const uint8_t address[ACCOUNT_ADDRESS_SIZE]);
uint64_t app_account_balance(const struct app *app, uint32_t account);
uint64_t app_account_sequence(const struct app *app, uint32_t account);
void app_account_balance_set(struct app *app, uint32_t account, uint64_t balance);
void app_account_note(struct app *app, uint32_t account); /* before it changes */

struct app_change *app_journal_add(struct app *app, enum app_change_kind kind, uint32_t index);
void app_journal_undo(struct app *app, uint32_t mark);
void *app_room(void *list, uint32_t count, uint32_t *room, size_t size); /* for one more */

void app_address_text(const struct app *app, const char *kind,
                      const uint8_t address[ACCOUNT_ADDRESS_SIZE], char text[BECH32_TEXT_MAX]);

/* app_ante.c: false: refused, and the result says so. */
MUST_CHECK bool app_ante_read(struct app_tx *tx, const uint8_t *bytes, size_t size, bool fresh,
                              struct app_result *result);
void app_ante_refuse(const struct app_tx *tx, const struct model_result *refused,
                     struct height height, struct app_result *result);
const char *app_coin(const struct app *app, uint64_t amount, char text[BECH32_TEXT_MAX]);
void app_refuse(struct app_result *result, uint32_t code, const char *codespace, const char *format,
                ...) __attribute__((format(printf, 4, 5)));

/* app_words.c */
void app_words_refuse(const struct app_tx *tx, const struct model_result *refused,
                      struct app_result *result);

/* app_events.c */
void app_events_write(const struct app_tx *tx, bool messages, struct app_result *result);

/* app_kira.c */
struct model_result app_kira_run(void *context, uint32_t message, struct model_msg *then);
void app_kira_begin(struct app *app); /* after the model's */
void app_kira_end(struct app *app);
const struct app_proposal *app_proposal(const struct app *app, uint64_t id); /* NULL: none */
void app_proposal_destroy(struct app_proposal *proposal);

/* app_dcl.c */
struct model_result app_dcl_run(void *context, uint32_t message, struct model_msg *then);
bool app_dcl_due(const struct app *app); /* the block that is being executed is the plan's */
void app_trust_copy(struct app_trust *to, const struct app_trust *from);
void app_trust_clear(struct app_trust *trust);
bool app_is_trustee(const struct app *app, uint32_t account);

/* app_query*.c */
void app_query_kira(const struct app *app, const char *path, const uint8_t *data, size_t size,
                    struct app_answer *answer, bool *known);
void app_query_dcl(const struct app *app, const char *path, const uint8_t *data, size_t size,
                   struct app_answer *answer, bool *known);

/* app_hash.c */
void app_hash_update(struct app *app);

static inline struct model_result app_ok(void)
{
    return (struct model_result){.codespace = ""};
}

static inline struct model_result app_no(uint32_t code, const char *codespace)
{
    return (struct model_result){.code = code, .codespace = codespace};
}

#endif
