/* libFuzzer entry of the transaction decoder: any bytes as TxRaw, what they say used as the view and the
 * commands use it, and a request that is made of what was read, drafted and read again. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/tx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_coins(const struct tx_coin *coins, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        assert(coins[i].denom && coins[i].amount && coins[i].amount[0] != '\0');
}

static void assert_message(const struct tx_message *message, size_t size)
{
    assert(message->kind <= TX_MESSAGE_REJECT_UPGRADE);
    assert(strlen(message->type_url) <= size && strlen(message->name) <= size);
    assert(message->amount_count <= size);
    assert_coins(message->amount, message->amount_count);
}

static void assert_entries(enum chain_kind chain, const struct tx_decoded *tx)
{
    for (uint32_t i = 0; i < tx->message_count; i++) {
        struct tx_entry entry;
        if (!tx_entry(chain, tx, i, &entry))
            continue;
        assert(entry.kind >= TX_JOIN && entry.kind <= TX_ACTIVATE);
        assert(chain == CHAIN_KIRA || entry.kind != TX_ACTIVATE);
        if (entry.kind != TX_JOIN)
            continue;
        assert(tx->message_count == 1 && tx->signer_count == 1 && tx->has_public_key);
        assert(memcmp(entry.who, tx->signer, sizeof entry.who) == 0);
        assert(entry.class_minutes >= CLASS_MIN && entry.class_minutes <= CLASS_MAX);
        assert(!entry.foreign || (entry.class_minutes == CLASS_MIN && entry.charter == 0));
        assert(memcmp(tx->memo, "stagger/join/", 13) == 0);
    }
}

/* An action that the first byte of its signature chooses, with texts that were read. */
static void redraft(const struct tx_decoded *tx)
{
    struct tx_plan plan = {.name = tx->message_count > 0 ? tx->messages[0].name : "",
                           .upgrade_time = (int64_t)tx->gas,
                           .height = (int64_t)tx->gas,
                           .old_chain_id = "a",
                           .new_chain_id = "b",
                           .memo = tx->memo,
                           .info = tx->memo};
    struct tx_request request = {
        .chain = tx->signature[1] & 1 ? CHAIN_DCL : CHAIN_KIRA,
        .action = (enum tx_action)(tx->signature[0] % 10),
        .prefix = tx->signature[1] & 2 ? "kira" : tx->memo,
        .chain_id = tx->signature[1] & 4 ? "localnet-1" : tx->memo,
        .fee_denom = tx->fee_count > 0 ? tx->fee[0].denom : NULL,
        .fee_amount = tx->sequence,
        .account_number = tx->timeout_height,
        .sequence = tx->sequence,
        .gas = tx->gas,
        .timeout_height = tx->timeout_height,
        .memo = tx->signature[1] & 8 ? NULL : tx->memo,
        .class_minutes = tx->signature[2],
        .charter = tx->signature[3],
        .consensus_key = tx->signature,
        .moniker = plan.name,
        .proposal = tx->sequence,
        .option = tx->signature[4] % 6,
        .title = plan.name,
        .description = tx->memo,
        .plan = &plan,
    };
    struct tx_draft draft;
    struct tx_decoded again;
    struct fault fault = {""};
    uint8_t *raw;
    size_t size;
    memcpy(request.public_key, tx->public_key, sizeof request.public_key);
    if (!tx_draft(&request, &draft, &fault)) {
        assert(fault.text[0] != '\0');
        return;
    }
    bool made = tx_assemble(&draft, tx->signature, &raw, &size);
    assert(made);
    bool read = tx_decode(raw, size, &again, &fault);
    assert(read && again.sequence == request.sequence && again.gas == request.gas);
    assert(again.message_count == 1 && again.messages[0].kind != TX_MESSAGE_OTHER);
    assert(again.messages[0].has_signer &&
           memcmp(again.messages[0].signer, again.signer, sizeof again.signer) == 0);
    tx_decoded_destroy(&again);
    tx_draft_destroy(&draft);
    free(raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tx_decoded tx;
    struct fault fault = {""};
    uint8_t hash[HASH_SIZE];
    tx_hash(data, size, hash);
    if (!tx_decode(data, size, &tx, &fault)) {
        assert(fault.text[0] != '\0' && !tx.memory.newest);
        return 0;
    }
    assert(tx.memo[tx.memo_size] == '\0' && tx.memo_size <= size && tx.message_count <= size);
    for (uint32_t i = 0; i < tx.message_count; i++)
        assert_message(&tx.messages[i], size);
    assert_coins(tx.fee, tx.fee_count);
    assert_entries(CHAIN_KIRA, &tx);
    assert_entries(CHAIN_DCL, &tx);
    (void)tx_verify(&tx, "localnet-1", 3);
    redraft(&tx);
    tx_decoded_destroy(&tx);
    return 0;
}
