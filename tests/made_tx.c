/* The transactions of a made-up network, and what the chain does with them. */
#include <stdlib.h>
#include <string.h>

#include "proto/tx.h"
#include "tests/made_chain.h"

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "made_tx: %s\n", #condition);                                          \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* --- bytes --- */

static struct tx_request request_of(struct made *made, uint32_t who, enum tx_action action)
{
    struct made_validator *v = &made->validators[who];
    bool kira = made->config.chain == CHAIN_KIRA;
    struct tx_request request = {
        .chain = made->config.chain,
        .action = action,
        .prefix = kira ? "kira" : "cosmos",
        .chain_id = made->config.charter.chain_id,
        .account_number = who,
        .sequence = v->sequence++,
        .fee_denom = kira ? "ukex" : NULL,
        .fee_amount = kira ? 100 : 0,
        .gas = 200000,
        .consensus_key = v->member.public_key,
        .moniker = v->moniker,
    };
    memcpy(request.public_key, v->public_key, sizeof request.public_key);
    return request;
}

static struct tx_draft draft_of(const struct tx_request *request)
{
    struct tx_draft draft;
    struct fault fault;
    if (!tx_draft(request, &draft, &fault)) {
        fprintf(stderr, "made_tx: %s\n", fault.text);
        abort();
    }
    return draft;
}

/* The draft with this body instead of its own, assembled. Nobody but the chain checks the signature of a transaction
 * that stands in a block, so it is one of the draft's own. */
static void add_body(struct made *made, uint32_t who, struct tx_draft *draft, const uint8_t *body,
                     size_t size)
{
    struct made_tx *tx = &made->txs[made->tx_count++];
    uint8_t signature[ACCOUNT_SIGNATURE_SIZE];
    *tx = (struct made_tx){.codespace = "", .result = {.gas_wanted = 200000, .gas_used = 70000}};
    CHECK(
        account_sign(made->validators[who].key, draft->sign_doc, draft->sign_doc_size, signature));
    if (body) {
        free(draft->body);
        draft->body = malloc(size);
        CHECK(draft->body);
        memcpy(draft->body, body, size);
        draft->body_size = size;
    }
    CHECK(tx_assemble(draft, signature, &tx->bytes, &tx->size));
    tx_draft_destroy(draft);
}

static struct made_tx *add(struct made *made, uint32_t who, const struct tx_request *request)
{
    struct tx_draft draft = draft_of(request);
    add_body(made, who, &draft, NULL, 0);
    return &made->txs[made->tx_count - 1];
}

static void entry(struct made *made, uint32_t who, enum tx_kind kind, uint32_t class_minutes,
                  uint32_t charter)
{
    struct made_tx *tx = &made->txs[made->tx_count - 1];
    if (!made->validators[who].claimed)
        return; /* an account that is nobody's */
    tx->entries[tx->entry_count++] = (struct view_tx){
        .validator = who,
        .kind = kind,
        .index = made->tx_count - 1,
        .code = tx->result.code,
        .codespace = tx->codespace,
        .class_minutes = class_minutes,
        .charter = charter,
    };
}

static void refuse(struct made_tx *tx, uint32_t code, const char *codespace)
{
    tx->result.code = code;
    tx->codespace = codespace;
}

/* --- joins --- */

static void carry(struct made *made, struct made_tx *tx)
{
    if (made->config.chain == CHAIN_DCL)
        refuse(tx, 4, "staking"); /* "validator already exist" */
}

static void join(struct made *made, uint32_t who)
{
    uint32_t foreign = made_random(made, 8);
    struct tx_request request = request_of(made, who, TX_DO_JOIN);
    request.class_minutes = 1 + made_random(made, 9);
    request.charter = foreign == 0 ? UINT32_MAX : made->config.charter.id;
    uint32_t class_minutes = request.class_minutes, charter = request.charter;
    if (foreign == 1) { /* a memo of another protocol: foreign as well */
        request.class_minutes = 0;
        request.memo = "stagger/join/2 5 whatever";
        class_minutes = CLASS_MIN;
        charter = ~made->config.charter.id;
    }
    struct made_tx *tx = add(made, who, &request);
    if (made_random(made, 10) == 0)
        refuse(tx, 5, "sdk"); /* insufficient funds */
    else
        carry(made, tx);
    entry(made, who, TX_JOIN, class_minutes, charter);
}

/* The memo of a join on two messages: no join. */
static void join_with_two(struct made *made, uint32_t who)
{
    struct tx_request first = request_of(made, who, TX_DO_PAUSE);
    struct tx_request second = request_of(made, who, TX_DO_JOIN);
    second.class_minutes = 3;
    second.charter = made->config.charter.id;
    struct tx_draft a = draft_of(&first), b = draft_of(&second);
    size_t size = a.body_size + b.body_size; /* fields of one message, one behind the other */
    uint8_t *body = malloc(size);
    CHECK(body);
    memcpy(body, a.body, a.body_size);
    memcpy(body + a.body_size, b.body, b.body_size);
    tx_draft_destroy(&a);
    add_body(made, who, &b, body, size);
    free(body);
    refuse(&made->txs[made->tx_count - 1], 18, "sdk");
    entry(made, who, TX_PAUSE, 0, 0);
}

/* --- membership --- */

static bool may_move(const struct made *made, const struct made_validator *v)
{
    return v->claimed && v->moved < made->height;
}

static void move(struct made *made, uint32_t who, bool in)
{
    made->validators[who].active = in;
    made->validators[who].moved = made->height;
    made_set_put(made, &made->after, who, in);
}

static void pause(struct made *made, uint32_t who)
{
    struct made_validator *v = &made->validators[who];
    struct tx_request request = request_of(made, who, TX_DO_PAUSE);
    bool late = made_random(made, 10) == 0;
    request.timeout_height = late ? made->height - 1 : made->height + 2;
    struct made_tx *tx = add(made, who, &request);
    bool kira = made->config.chain == CHAIN_KIRA;
    if (late)
        refuse(tx, 30, "sdk");
    else if (!v->active || !may_move(made, v) || 3 * made->after.count <= 2 * made->now.count + 2)
        refuse(tx, kira ? 8 : 604, kira ? "customslashing" : "validator");
    else
        move(made, who, false);
    entry(made, who, TX_PAUSE, 0, 0);
}

static void unpause(struct made *made, uint32_t who)
{
    struct made_validator *v = &made->validators[who];
    struct tx_request request = request_of(made, who, TX_DO_UNPAUSE);
    struct made_tx *tx = add(made, who, &request);
    bool kira = made->config.chain == CHAIN_KIRA;
    if (v->active || !may_move(made, v))
        refuse(tx, kira ? 7 : 605, kira ? "customslashing" : "validator");
    else
        move(made, who, true);
    entry(made, who, TX_UNPAUSE, 0, 0);
}

/* --- claims --- */

static size_t put(uint8_t *out, uint8_t tag, const void *bytes, size_t size)
{
    CHECK(size < 256);
    size_t at = 0;
    out[at++] = tag;
    if (size >= 128)
        out[at++] = (uint8_t)((size & 127) | 128);
    out[at++] = (uint8_t)(size >= 128 ? size >> 7 : size);
    memcpy(out + at, bytes, size);
    return at + size;
}

/* TxBody of MsgClaimValidator {moniker 1, val_key 2, pub_key 3}, as the wallet of KIRA writes it. */
static size_t claim_body(const struct made_validator *v, uint8_t body[256])
{
    static const char key_url[] = "/cosmos.crypto.ed25519.PubKey";
    static const char url[] = "/kira.staking.MsgClaimValidator";
    uint8_t key[64], any_key[128], message[200], any[240];
    size_t size = put(key, 0x0a, v->member.public_key, ED25519_KEY_SIZE);
    size_t key_size = put(any_key, 0x0a, key_url, sizeof key_url - 1);
    key_size += put(any_key + key_size, 0x12, key, size);
    size = put(message, 0x0a, v->moniker, strlen(v->moniker));
    size += put(message + size, 0x12, v->account, ACCOUNT_ADDRESS_SIZE);
    size += put(message + size, 0x1a, any_key, key_size);
    size_t any_size = put(any, 0x0a, url, sizeof url - 1);
    any_size += put(any + any_size, 0x12, message, size);
    return put(body, 0x0a, any, any_size);
}

static void claim(struct made *made, uint32_t who)
{
    struct made_validator *v = &made->validators[who];
    struct tx_request request =
        request_of(made, who, made->config.chain == CHAIN_KIRA ? TX_DO_PAUSE : TX_DO_JOIN);
    request.class_minutes = made->config.chain == CHAIN_KIRA ? 0 : 2;
    request.charter = made->config.charter.id;
    struct tx_draft draft = draft_of(&request);
    uint8_t body[256];
    bool kira = made->config.chain == CHAIN_KIRA;
    add_body(made, who, &draft, kira ? body : NULL, kira ? claim_body(v, body) : 0);
    v->claimed = true;
    move(made, who, true);
}

/* --- a block's worth --- */

static void garbage(struct made *made)
{
    struct made_tx *tx = &made->txs[made->tx_count++];
    *tx = (struct made_tx){.size = 40, .bytes = malloc(40), .codespace = ""};
    CHECK(tx->bytes);
    made_bytes(made, tx->bytes, tx->size);
    refuse(tx, 2, "sdk");
}

/* Everybody has claimed its seat before the end. */
static bool overdue(const struct made *made)
{
    return made->height > made->config.first + made->config.blocks / 2;
}

static void act(struct made *made, uint32_t who)
{
    struct made_validator *v = &made->validators[who];
    uint32_t dice = made_random(made, 100);
    if (!v->claimed && (dice < 30 || overdue(made)))
        claim(made, who);
    else if (dice < 45)
        join(made, who);
    else if (dice < 50)
        join_with_two(made, who);
    else if (dice < 52)
        garbage(made);
    else if (v->claimed && (v->active || dice < 56))
        pause(made, who);
    else if (v->claimed)
        unpause(made, who);
}

void made_transactions(struct made *made)
{
    for (uint32_t i = 0; i < made->config.validators; i++) {
        bool acts = made_random(made, 100) < made->config.busy;
        acts = acts || (!made->validators[i].claimed && overdue(made));
        if (acts && made->tx_count + 1 < MADE_TXS_MAX && made->height > made->config.first)
            act(made, i);
    }
}
