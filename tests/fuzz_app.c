/* Fuzzes the devnet's application with what a peer can send: messages of any content in transactions that are
 * signed properly, raw bytes as transactions, and queries.
 *
 *     input = chain, (what, size, payload)*      chain: even KIRA, odd DCL; size: two bytes, big-endian
 *     what  = 0 a raw transaction | 1 the block ends | 2.. a message of that type | 100.. a query of that path
 *
 * CheckTx and queries must not change the state, and two replicas have to agree.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/app_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DCL "/zigbeealliance.distributedcomplianceledger."
#define QUERIES_FROM 100

static const char *const types[] = {
    "/cosmos.bank.v1beta1.MsgSend",
    "/kira.slashing.MsgPause",
    "/kira.slashing.MsgUnpause",
    "/kira.slashing.MsgActivate",
    "/kira.gov.MsgSubmitProposal",
    "/kira.gov.MsgVoteProposal",
    DCL "validator.MsgDisableValidator",
    DCL "validator.MsgEnableValidator",
    DCL "validator.MsgCreateValidator",
    DCL "validator.MsgProposeDisableValidator",
    DCL "validator.MsgApproveDisableValidator",
    DCL "validator.MsgRejectDisableValidator",
    DCL "dclupgrade.MsgProposeUpgrade",
    DCL "dclupgrade.MsgApproveUpgrade",
    DCL "dclupgrade.MsgRejectUpgrade",
};

static const char *const paths[] = {
    "/kira.staking.Query/Validators",
    "/kira.staking.Query/ValidatorByAddress",
    "/kira.slashing.Query/SigningInfos",
    "/kira.slashing.Query/SigningInfo",
    "/kira.gov.Query/ExecutionFee",
    "/kira.gov.Query/Proposal",
    "/kira.gov.Query/Proposals",
    "/kira.gov.Query/Votes",
    "/kira.gov.Query/WhitelistedProposalVoters",
    "/kira.upgrade.Query/NextPlan",
    "/cosmos.auth.v1beta1.Query/Account",
    "/cosmos.bank.v1beta1.Query/Balance",
    DCL "validator.Query/Validator",
    DCL "validator.Query/ValidatorAll",
    DCL "validator.Query/LastValidatorPower",
    DCL "validator.Query/DisabledValidatorAll",
    DCL "validator.Query/ProposedDisableValidatorAll",
    DCL "validator.Query/RejectedDisableValidator",
    DCL "dclupgrade.Query/ProposedUpgradeAll",
    DCL "dclupgrade.Query/ApprovedUpgrade",
    DCL "dclauth.Query/Account",
};

#define TYPES (sizeof types / sizeof types[0])
#define PATHS (sizeof paths / sizeof paths[0])

static void stop(const char *why)
{
    fprintf(stderr, "fuzz_app: %s\n", why);
    abort();
}

struct pair {
    struct app_world w; /* the replica that also checks and answers */
    struct app *other;  /* the one that only executes */
};

static void same(const struct pair *pair)
{
    uint8_t a[HASH_SIZE], b[HASH_SIZE];
    app_hash(pair->w.app, a);
    app_hash(pair->other, b);
    if (memcmp(a, b, HASH_SIZE) != 0)
        stop("replicas differ");
}

static void run_tx(struct pair *pair, const uint8_t *bytes, size_t size)
{
    struct app_result checked, a, b;
    app_check(pair->w.app, bytes, size, false, &checked);
    app_deliver(pair->w.app, bytes, size, &a);
    app_deliver(pair->other, bytes, size, &b);
    if (a.code != b.code || strcmp(a.log, b.log) != 0)
        stop("results differ");
    if (strlen(a.log) >= APP_LOG_MAX || (a.code == 0) != (a.data != NULL))
        stop("a result that is none");
    app_result_clear(&checked);
    app_result_clear(&a);
    app_result_clear(&b);
}

static void run_message(struct pair *pair, size_t type, const uint8_t *payload, size_t size)
{
    static struct world_tx tx;
    size_t encoded;
    tx = tx_of(&pair->w, 0);
    if (pair->w.genesis.kind == CHAIN_KIRA)
        strcpy(tx.fee_amount, "1000");
    strcpy(tx.messages[0].type_url, types[type]);
    tx.messages[0].size = size < sizeof tx.messages[0].value ? size : sizeof tx.messages[0].value;
    if (size > 0)
        memcpy(tx.messages[0].value, payload, tx.messages[0].size);
    tx.message_count = 1;
    uint8_t *bytes = world_encode(&tx, &encoded);
    run_tx(pair, bytes, encoded);
    free(bytes);
}

static bool next_block(struct pair *pair, bool first)
{
    uint32_t count;
    if (!first) {
        bool alive = app_end(pair->w.app, pair->w.updates, &count);
        if (alive != app_end(pair->other, pair->w.updates, &count))
            stop("one replica lives, the other does not");
        same(pair);
        if (!alive)
            return false;
    }
    pair->w.height++;
    pair->w.time_ms += 1000;
    app_begin(pair->w.app, height_at(pair->w.height), pair->w.time_ms, NULL, 0);
    app_begin(pair->other, height_at(pair->w.height), pair->w.time_ms, NULL, 0);
    return true;
}

static bool run_one(struct pair *pair, uint8_t what, const uint8_t *payload, size_t size)
{
    if (what == 0)
        run_tx(pair, payload, size);
    else if (what == 1)
        return next_block(pair, false);
    else if (what < QUERIES_FROM)
        run_message(pair, (what - 2u) % TYPES, payload, size);
    else {
        struct app_answer answer;
        app_query(pair->w.app, paths[(what - QUERIES_FROM) % PATHS], payload, size, 0, &answer);
        if ((answer.code == 0) != (answer.value != NULL))
            stop("an answer that is none");
        app_answer_clear(&answer);
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pair pair;
    struct fault fault;
    if (size == 0 || size > 20000)
        return 0;
    app_world_start(&pair.w, data[0] % 2 ? CHAIN_DCL : CHAIN_KIRA, 4, 1);
    pair.other = app_create(&pair.w.genesis, &fault);
    if (!pair.other)
        stop(fault.text);
    bool alive = next_block(&pair, true);
    for (size_t at = 1; alive && at + 3 <= size;) {
        size_t length = (size_t)data[at + 1] << 8 | data[at + 2];
        length = length < size - at - 3 ? length : size - at - 3;
        alive = run_one(&pair, data[at], data + at + 3, length);
        at += 3 + length;
    }
    if (alive)
        (void)next_block(&pair, false);
    app_destroy(&pair.other);
    app_world_end(&pair.w);
    return 0;
}
