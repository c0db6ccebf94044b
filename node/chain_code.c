#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "node/chain.h"

#define REPORT_IT "report it with the node's log"
#define SIGNED_AGAIN                                                                               \
    "another transaction of the account came first; it is signed again with the right sequence"
#define UPDATE "update stagger or the node"

/* clang-format off */
const struct chain_advice chain_sdk_codes[] = {
    {"sdk", 2, NULL, CHAIN_MEANS_FINAL, "transaction does not parse",
     "the node cannot read the transaction: check that [chain] kind fits the network"},
    {"sdk", 3, NULL, CHAIN_MEANS_SEQUENCE, "invalid sequence", SIGNED_AGAIN},
    {"sdk", 4, "account number (0)", CHAIN_MEANS_WAIT, "refused before the node's first block",
     "right after a restart a node refuses every transaction so; wait for its next block"},
    {"sdk", 4, NULL, CHAIN_MEANS_WAIT, "signature not accepted",
     "wait for two new blocks; if it stays, check key, chain id and account number"},
    {"sdk", 5, NULL, CHAIN_MEANS_FINAL, "insufficient funds",
     "send coins to the account: it must hold the fees of join, pause, unpause and activate"},
    {"sdk", 6, NULL, CHAIN_MEANS_FINAL, "unknown request",
     "the network does not know this message: check that [chain] kind fits the network"},
    {"sdk", 7, NULL, CHAIN_MEANS_FINAL, "invalid address",
     "check [chain] prefix: the network writes addresses with another one"},
    {"sdk", 8, NULL, CHAIN_MEANS_FINAL, "invalid public key",
     "check the account's key: the chain has another one on record, or knows no such kind"},
    {"sdk", 9, NULL, CHAIN_MEANS_FINAL, "unknown address",
     "the account does not exist on this network: check the key, and fund or register the account"},
    {"sdk", 10, NULL, CHAIN_MEANS_FINAL, "invalid coins",
     "check [chain] denom: amounts must be positive and of a coin that the network has"},
    {"sdk", 11, NULL, CHAIN_MEANS_FINAL, "out of gas", "raise --gas: it must not be 0"},
    {"sdk", 12, NULL, CHAIN_MEANS_FINAL, "memo too large", "shorten the memo to 256 characters"},
    {"sdk", 13, NULL, CHAIN_MEANS_FINAL, "insufficient fee",
     "the node asks for more: raise --fee, or lower the node's minimum-gas-prices"},
    {"sdk", 14, NULL, CHAIN_MEANS_FINAL, "too many signatures", "sign with one key only"},
    {"sdk", 15, NULL, CHAIN_MEANS_FINAL, "no signatures", "sign the transaction"},
    {"sdk", 16, NULL, CHAIN_MEANS_FINAL, "JSON not written", REPORT_IT},
    {"sdk", 17, NULL, CHAIN_MEANS_FINAL, "JSON not read", REPORT_IT},
    {"sdk", 18, NULL, CHAIN_MEANS_FINAL, "invalid request",
     "the log says what is refused; check what the transaction asks for"},
    {"sdk", 19, NULL, CHAIN_MEANS_SENT, "already in the mempool",
     "nothing: the node has it already and it waits for a block"},
    {"sdk", 20, NULL, CHAIN_MEANS_WAIT, "mempool full",
     "the node is busy: the same transaction is sent again with the next block"},
    {"sdk", 21, NULL, CHAIN_MEANS_FINAL, "transaction too large", "shorten its texts"},
    {"sdk", 22, NULL, CHAIN_MEANS_FINAL, "key not found",
     "what the transaction names does not exist"},
    {"sdk", 23, NULL, CHAIN_MEANS_FINAL, "wrong password", REPORT_IT},
    {"sdk", 24, NULL, CHAIN_MEANS_FINAL, "wrong signer",
     "the message must be signed by another account: check which key is used"},
    {"sdk", 25, NULL, CHAIN_MEANS_FINAL, "invalid gas adjustment", REPORT_IT},
    {"sdk", 26, NULL, CHAIN_MEANS_FINAL, "invalid height",
     "the node does not have that height: ask one that keeps more of its history"},
    {"sdk", 27, NULL, CHAIN_MEANS_FINAL, "invalid version", UPDATE},
    {"sdk", 28, NULL, CHAIN_MEANS_FINAL, "invalid chain id",
     "check [chain] id: the node belongs to another network"},
    {"sdk", 29, NULL, CHAIN_MEANS_FINAL, "invalid type", UPDATE},
    {"sdk", 30, NULL, CHAIN_MEANS_TOO_LATE, "too late",
     "its timeout_height has passed: nothing happened and nothing was paid; submit it anew"},
    {"sdk", 31, NULL, CHAIN_MEANS_FINAL, "unknown extension options", UPDATE},
    {"sdk", 32, NULL, CHAIN_MEANS_SEQUENCE, "account sequence mismatch", SIGNED_AGAIN},
    {"sdk", 33, NULL, CHAIN_MEANS_FINAL, "message not packed", UPDATE},
    {"sdk", 34, NULL, CHAIN_MEANS_FINAL, "message not unpacked", UPDATE},
    {"sdk", 35, NULL, CHAIN_MEANS_FINAL, "internal logic error", REPORT_IT},
    {"sdk", 36, NULL, CHAIN_MEANS_FINAL, "conflict",
     "look at the state with `stagger chain status`"},
    {"sdk", 37, NULL, CHAIN_MEANS_FINAL, "not supported", "the network does not offer this"},
    {"sdk", 38, NULL, CHAIN_MEANS_FINAL, "not found", "what the transaction names does not exist"},
    {"sdk", 39, NULL, CHAIN_MEANS_FINAL, "input or output error", "check the node's disk and log"},
    {"sdk", 40, NULL, CHAIN_MEANS_FINAL, "wrong node configuration", "check the node's app.toml"},
    {"sdk", 41, NULL, CHAIN_MEANS_FINAL, "invalid gas limit", "lower --gas"},
    {"sdk", 111222, NULL, CHAIN_MEANS_FINAL, "panic in the node", REPORT_IT},
    {"undefined", 1, NULL, CHAIN_MEANS_FINAL, "internal error",
     "the log says what the chain refused; look at the state with `stagger chain status`"},
    {"undefined", 111222, NULL, CHAIN_MEANS_FINAL, "panic in the node", REPORT_IT},
};
/* clang-format on */
const uint32_t chain_sdk_code_count = sizeof chain_sdk_codes / sizeof chain_sdk_codes[0];

static const struct chain_advice code_ok = {
    "", 0, NULL, CHAIN_MEANS_OK, "done", "nothing: it happened"};
static const struct chain_advice code_unknown = {
    "",
    UINT32_MAX,
    NULL,
    CHAIN_MEANS_FINAL,
    "refused",
    "no table of this chain has the code: read the log, and look with `stagger chain status`"};

static const struct chain_advice *table_search(const struct chain_advice *table, uint32_t count,
                                               const char *codespace, uint32_t code,
                                               const char *log)
{
    for (uint32_t i = 0; i < count; i++) {
        if (table[i].code == code && strcmp(table[i].codespace, codespace) == 0 &&
            (!table[i].log_has || strstr(log, table[i].log_has)))
            return &table[i];
    }
    return NULL;
}

const struct chain_advice *chain_advice(const struct chain_driver *driver, const char *codespace,
                                        uint32_t code, const char *log)
{
    if (code == 0)
        return &code_ok;
    const struct chain_advice *row =
        table_search(driver->advice, driver->advice_count, codespace, code, log);
    if (!row)
        row = table_search(chain_sdk_codes, chain_sdk_code_count, codespace, code, log);
    return row ? row : &code_unknown;
}

bool chain_expected_sequence(const char *log, uint64_t *expected)
{
    static const char before[] = "account sequence mismatch, expected ";
    const char *at = strstr(log, before);
    uint64_t sum = 0;
    if (!at)
        return false;
    at += sizeof before - 1;
    if (*at < '0' || *at > '9')
        return false;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *expected = sum;
    return strncmp(at, ", got ", 6) == 0;
}

static uint64_t fee_of_type(const struct query_fees *fees, const char *type)
{
    for (uint32_t i = 0; type && i < fees->count; i++) {
        const struct query_fee *fee = &fees->fees[i];
        if (strcmp(fee->type, type) == 0)
            return fee->execution > fee->failure ? fee->execution : fee->failure;
    }
    return 0;
}

bool chain_fee(const struct chain_driver *driver, enum tx_action action,
               const struct query_properties *properties, const struct query_fees *fees,
               uint64_t *amount, struct fault *fault)
{
    *amount = 0;
    if (!driver->denom)
        return true;
    uint64_t fee = fee_of_type(fees, driver->fee_types[action]);
    *amount = fee > properties->min_tx_fee ? fee : properties->min_tx_fee;
    return *amount <= properties->max_tx_fee ||
           fault_set(fault,
                     "fee of %s: the chain wants %" PRIu64 " and takes at most max_tx_fee, %" PRIu64
                     "; its network properties contradict its execution fees",
                     driver->fee_types[action] ? driver->fee_types[action] : "the action", *amount,
                     properties->max_tx_fee);
}

bool chain_turn_fees(const struct chain_driver *driver, const struct query_properties *properties,
                     const struct query_fees *fees, uint64_t *amount, struct fault *fault)
{
    static const enum tx_action turn[] = {TX_DO_JOIN, TX_DO_PAUSE, TX_DO_UNPAUSE, TX_DO_ACTIVATE};
    *amount = driver->denom ? 1 : 0;
    for (size_t i = 0; i < sizeof turn / sizeof turn[0]; i++) {
        uint64_t fee;
        if (!chain_fee(driver, turn[i], properties, fees, &fee, fault))
            return false;
        *amount = fee > UINT64_MAX - *amount ? UINT64_MAX : *amount + fee;
    }
    return true;
}
