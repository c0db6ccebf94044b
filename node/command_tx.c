#include "node/command_tx.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "node/account_open.h"
#include "proto/input.h"

static const struct tx_verb verbs[] = {
    {"join", TX_DO_JOIN, TX_ON_KIRA | TX_ON_DCL,
     "Ask for one turn in the draw. On KIRA a join is a bank send of 1 to oneself, on DCL a\n"
     "create-validator for the record that exists; what counts is the memo. It counts on DCL with\n"
     "its refusal by the chain."},
    {"pause", TX_DO_PAUSE, TX_ON_KIRA | TX_ON_DCL,
     "Take the validator out of the set by hand. This bypasses the draw: nobody else knows of it.\n"
     "It is refused where it would stop the chain or bring the live members below the floor.\n"
     "The validator has left two blocks after the pause; only then may the node stop."},
    {"unpause", TX_DO_UNPAUSE, TX_ON_KIRA | TX_ON_DCL,
     "Take the validator back into the set. The node must have caught up before."},
    {"activate", TX_DO_ACTIVATE, TX_ON_KIRA,
     "KIRA: take a validator back that has become INACTIVE by missing blocks."},
    {"disable-node", TX_DO_PAUSE, TX_ON_DCL,
     "DCL's pause: take the validator out of the set by hand. This bypasses the draw. It is refused\n"
     "where it would stop the chain or bring the live members below the floor."},
    {"enable-node", TX_DO_UNPAUSE, TX_ON_DCL,
     "DCL's unpause: take the validator back into the set. One that the trustees disabled is never\n"
     "enabled by this command."},
    {"vote", TX_DO_VOTE, TX_ON_KIRA, "KIRA: vote on a proposal."},
    {"submit-upgrade", TX_DO_SUBMIT_UPGRADE, TX_ON_KIRA | TX_ON_DCL,
     "Propose a software upgrade. On KIRA it is a proposal, on DCL a plan that trustees approve."},
    {"cancel-upgrade", TX_DO_CANCEL_UPGRADE, TX_ON_KIRA, "KIRA: propose to cancel an upgrade."},
    {"approve-upgrade", TX_DO_APPROVE_UPGRADE, TX_ON_DCL, "DCL: approve a proposed upgrade."},
    {"reject-upgrade", TX_DO_REJECT_UPGRADE, TX_ON_DCL, "DCL: reject a proposed upgrade."},
};

#define VERB_COUNT (sizeof verbs / sizeof verbs[0])

static void usage_print(void)
{
    puts("usage: stagger tx VERB [OPTIONS]\n\n"
         "Sends one transaction of your own account, or signs it offline.\n");
    for (size_t i = 0; i < VERB_COUNT; i++)
        printf("  %-16s %.*s\n", verbs[i].name, (int)strcspn(verbs[i].about, "."), verbs[i].about);
    puts(
        "\nExit statuses: 0 done (with --wait: it happened); 1 a usage, configuration or key error;\n"
        "2 a guard refused; 3 the network could not be asked; 4 refused by the chain, failed, or timed\n"
        "out. After 1, 2 and 3 nothing was sent, unless the message says that it may have been.\n\n"
        "`stagger tx VERB --help` lists the options of a verb.");
}

static const struct tx_verb *verb_find(const char *name)
{
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static enum command_status refuse_verb(const char *name)
{
    char quoted[INPUT_QUOTE_MAX];
    struct input_nearest nearest = {name, NULL, 0};
    for (size_t i = 0; i < VERB_COUNT; i++)
        input_nearest_offer(&nearest, verbs[i].name);
    options_say("tx", "there is no verb \"%s\"%s%s%s; `stagger tx --help` lists them",
                input_quote(name, quoted), nearest.best ? ", did you mean " : "",
                nearest.best ? nearest.best : "", nearest.best ? "?" : "");
    return COMMAND_USAGE;
}

static enum command_status fail(const struct tx_wish *wish, const struct fault *fault)
{
    options_say(wish->command, "%s", fault->text);
    return COMMAND_USAGE;
}

/* What a node would have told. */
static bool offline_check(const struct tx_wish *wish, const struct tx_request *request,
                          struct fault *fault)
{
    const char *missing = NULL;
    if (!request->chain_id)
        missing = "--chain-id";
    else if (!wish->has_account_number)
        missing = "--account-number";
    else if (!wish->has_sequence)
        missing = "--sequence";
    else if (!wish->has_timeout)
        missing = "--timeout-height (0: none)";
    else if (request->chain == CHAIN_KIRA && request->fee_amount == 0)
        missing = "--fee";
    else if (wish->has_class && !wish->has_charter)
        missing = "--charter";
    else if (wish->wait || wish->force)
        return fault_set(fault, "--offline excludes --wait and --force: no node is asked");
    else if (request->action == TX_DO_JOIN && request->chain == CHAIN_DCL &&
             (!request->consensus_key || !request->moniker))
        missing = "--consensus-key or --moniker";
    return !missing || fault_set(fault, "--offline: %s is missing", missing);
}

static enum command_status offline(const struct tx_wish *wish, struct signer *signer,
                                   const struct tx_request *request)
{
    struct fault fault;
    struct tx_made made = {0};
    bool good = offline_check(wish, request, &fault) &&
                tx_make(request, wish->dry_run ? NULL : signer, &made, &fault);
    if (good && wish->dry_run)
        tx_show_draft(wish, request, &made);
    else if (good)
        tx_show_made(wish, request, &made);
    tx_made_destroy(&made);
    return good ? COMMAND_DONE : fail(wish, &fault);
}

static enum command_status signed_run(struct tx_wish *wish, const struct settings *settings,
                                      struct signer *signer)
{
    struct fault fault;
    struct tx_request request;
    if (!tx_request_make(wish, settings, signer, &request, &fault))
        return fail(wish, &fault);
    return wish->offline ? offline(wish, signer, &request)
                         : tx_online(wish, settings, signer, &request);
}

static enum command_status verb_run(struct tx_wish *wish, struct settings *settings)
{
    struct fault fault;
    if (!tx_chain_choose(wish, settings, &fault) || !tx_plan_read(wish, &fault))
        return fail(wish, &fault);
    struct signer *signer = signer_from_settings(settings, &fault);
    if (!signer)
        return fail(wish, &fault);
    enum command_status status = signed_run(wish, settings, signer);
    signer_destroy(&signer);
    return status;
}

static bool has_word(int argc, char **argv, const char *word)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], word) == 0)
            return true;
    return false;
}

int command_tx(int argc, char **argv)
{
    struct tx_option_rows rows;
    struct settings *settings;
    if (argc < 2) {
        options_say("tx", "no verb is given; `stagger tx --help` lists them");
        return COMMAND_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        usage_print();
        return fflush(stdout) == 0 ? COMMAND_DONE : COMMAND_USAGE;
    }
    struct tx_wish wish = {.verb = verb_find(argv[1])};
    if (!wish.verb)
        return (int)refuse_verb(argv[1]);
    snprintf(wish.command, sizeof wish.command, "tx %s", wish.verb->name);
    tx_options_make(&wish, &rows);
    rows.spec.bare = has_word(argc, argv, "--offline");
    enum options_outcome outcome = options_parse(&rows.spec, &wish, argc - 1, argv + 1, &settings);
    int status = outcome == OPTIONS_HELP ? COMMAND_DONE : COMMAND_USAGE;
    if (outcome == OPTIONS_GO)
        status = (int)verb_run(&wish, settings);
    settings_destroy(&settings);
    tx_wish_destroy(&wish);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        options_say("tx", "standard output could not be written");
        status = status == COMMAND_DONE ? COMMAND_USAGE : status;
    }
    return status;
}
