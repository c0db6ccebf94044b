/* `stagger tx VERB`: what the files of the command share.
 *
 *     command_tx.c            the verbs, and which way a command goes
 *     command_tx_options.c    command line -> struct tx_wish
 *     command_tx_plan.c       an upgrade's file and values -> struct tx_wish
 *     command_tx_request.c    wish, settings and signer -> struct tx_request; signing without a network
 *     command_tx_guard.c      what is refused before anything is sent: pure, on facts
 *     command_tx_online.c     facts, guards, sending, waiting
 *     command_tx_show.c       results and drafts for people and programs
 */
#ifndef STAGGER_NODE_COMMAND_TX_H
#define STAGGER_NODE_COMMAND_TX_H

#include "node/chain.h"
#include "node/commands.h"
#include "node/options.h"
#include "node/session.h"
#include "node/signer.h"
#include "proto/tx.h"

#define TX_ON_KIRA 1u
#define TX_ON_DCL 2u

/* A word behind `stagger tx`. Two words can stand for one action: pause and disable-node. */
struct tx_verb {
    const char *name;
    enum tx_action action;
    uint32_t chains; /* TX_ON_... */
    const char *about;
};

/* What the command line asks for. Texts point into it, or into `file`. */
struct tx_wish {
    const struct tx_verb *verb;
    char command[32]; /* "tx pause" */
    bool dry_run, wait, offline, force, json;
    bool has_account_number, has_sequence, has_timeout, has_class, has_charter;
    bool has_consensus_key, has_proposal, has_upgrade_time;
    uint64_t account_number, sequence, timeout_height;
    uint32_t class_minutes, charter;
    uint8_t consensus_key[ED25519_KEY_SIZE];
    const char *memo, *moniker; /* NULL: not given */
    uint64_t proposal;
    uint32_t option; /* 0: not given */
    const char *title, *description;
    struct tx_plan plan; /* its texts are NULL until given */
    struct tx_resource resources[TX_RESOURCES_MAX];
    uint32_t resource_count;
    char *texts[TX_RESOURCES_MAX]; /* what the resources point into; owned */
    uint32_t text_count;
    const char *plan_file;
    json_t *file; /* owned */
};

void tx_wish_destroy(struct tx_wish *wish);

/* The options of a verb, for options_parse(); `spec` points into `rows`, which stays with the caller. */
struct tx_option_rows {
    struct option_row rows[OPTIONS_OWN_MAX];
    struct options_spec spec;
};
void tx_options_make(const struct tx_wish *wish, struct tx_option_rows *rows);

/* --- command_tx_plan.c --- */

/* "ID,URL,VERSION,CHECKSUM" */
MUST_CHECK bool tx_resource_take(struct tx_wish *wish, const char *text, struct fault *fault);
/* Unix seconds, or RFC 3339: 2026-12-24T18:00:00Z, with another offset instead of the Z, no fractions. */
MUST_CHECK bool tx_time_read(const char *text, int64_t *seconds, struct fault *fault);
/* The plan's file; what the command line gave already stays. */
MUST_CHECK bool tx_plan_read(struct tx_wish *wish, struct fault *fault);

/* --- command_tx_request.c --- */

/* The chain that the settings and the verb name; a fault when they exclude each other. */
MUST_CHECK bool tx_chain_choose(const struct tx_wish *wish, struct settings *settings,
                                struct fault *fault);

/* What is known without a network; account number, sequence, fee, timeout and chain id are added by the caller. */
MUST_CHECK bool tx_request_make(struct tx_wish *wish, const struct settings *settings,
                                const struct signer *signer, struct tx_request *request,
                                struct fault *fault);

/* A transaction, and with a signer its signature; without one the signature is zero. */
struct tx_made {
    uint8_t *bytes; /* owned */
    size_t size;
    uint8_t hash[HASH_SIZE];
};
MUST_CHECK bool tx_make(const struct tx_request *request, struct signer *signer,
                        struct tx_made *made, struct fault *fault);
void tx_made_destroy(struct tx_made *made);

/* "kira1..." of the request's signer. */
void tx_request_address(const struct tx_request *request, char text[BECH32_TEXT_MAX]);

/* --- command_tx_guard.c --- */

struct tx_situation {
    const char *denom; /* of fees; NULL: the chain takes none */
    enum tx_action action;
    const struct chain_facts *facts;
    const struct liveness *liveness; /* of a pause */
    struct coord_plan plan;
    uint64_t min_validators; /* the charter's */
    bool
        membership_in_latest; /* the latest block holds a membership transaction of this validator */
    bool membership_waiting;  /* a mempool holds one */
};

struct tx_refusal {
    bool refused, final; /* final: --force changes nothing */
    char text[FAULT_MAX];
};

/* The first hazard of PROTOCOL section 7 that applies, the final ones first. */
void tx_guard(const struct tx_situation *situation, struct tx_refusal *refusal);

/* max(min_validators, floor(2/3 * reference) + 1) */
uint64_t tx_floor(uint64_t min_validators, uint64_t reference);

/* Members of the set, and who is paused and may come back. */
uint64_t tx_reference(const struct chain_facts *facts);

/* Pause, unpause, activate: what changes the set. */
bool tx_is_membership(enum tx_action action);

/* --- command_tx_online.c --- */

/* Everything but --offline. */
enum command_status tx_online(const struct tx_wish *wish, const struct settings *settings,
                              struct signer *signer, struct tx_request *request);

/* --- command_tx_show.c --- */

void tx_show_made(const struct tx_wish *wish, const struct tx_request *request,
                  const struct tx_made *made);
/* What would be sent, read back from its bytes. */
void tx_show_draft(const struct tx_wish *wish, const struct tx_request *request,
                   const struct tx_made *made);
void tx_show_sent(const struct tx_wish *wish, const struct tx_request *request,
                  const uint8_t hash[HASH_SIZE]);
void tx_show_result(const struct tx_wish *wish, const struct tx_request *request,
                    const struct chain_result *result, bool happened);

#endif
