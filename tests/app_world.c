#include "tests/app_world.h"

#include <assert.h>
#include <inttypes.h>

#include "proto/encoding.h"

#define GENESIS_MS 1700000000000

/* --- protobuf by hand --- */

struct out {
    uint8_t bytes[1 << 17];
    size_t size;
};

static void put_byte(struct out *out, uint8_t byte)
{
    assert(out->size < sizeof out->bytes);
    out->bytes[out->size++] = byte;
}

static void put_varint(struct out *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        put_byte(out, (uint8_t)(value | 0x80));
    put_byte(out, (uint8_t)value);
}

static void put_number(struct out *out, uint32_t field, uint64_t value)
{
    if (value == 0)
        return;
    put_varint(out, field << 3);
    put_varint(out, value);
}

static void put_bytes(struct out *out, uint32_t field, const void *bytes, size_t size)
{
    put_varint(out, field << 3 | 2);
    put_varint(out, size);
    for (size_t i = 0; i < size; i++)
        put_byte(out, ((const uint8_t *)bytes)[i]);
}

static void put_text(struct out *out, uint32_t field, const char *text)
{
    if (*text)
        put_bytes(out, field, text, strlen(text));
}

static void put_out(struct out *out, uint32_t field, const struct out *inner)
{
    put_bytes(out, field, inner->bytes, inner->size);
}

static struct out *fresh(void)
{
    struct out *out = calloc(1, sizeof *out);
    assert(out);
    return out;
}

static void put_any(struct out *out, uint32_t field, const char *type_url, const void *value,
                    size_t size)
{
    struct out *any = fresh();
    put_text(any, 1, type_url);
    if (size > 0)
        put_bytes(any, 2, value, size);
    put_out(out, field, any);
    free(any);
}

/* --- keys --- */

void world_key(uint32_t number, uint8_t key[ACCOUNT_KEY_SIZE],
               uint8_t public_key[ACCOUNT_PUBLIC_SIZE], uint8_t address[ACCOUNT_ADDRESS_SIZE])
{
    memset(key, 7, ACCOUNT_KEY_SIZE);
    key[30] = (uint8_t)(number >> 8);
    key[31] = (uint8_t)(number + 1);
    bool good = account_public(key, public_key);
    assert(good);
    account_address(public_key, address);
}

void world_address(const struct app_world *w, uint32_t number, const char *kind,
                   char text[BECH32_TEXT_MAX])
{
    uint8_t key[ACCOUNT_KEY_SIZE], public_key[ACCOUNT_PUBLIC_SIZE], address[ACCOUNT_ADDRESS_SIZE];
    char prefix[32];
    world_key(number, key, public_key, address);
    snprintf(prefix, sizeof prefix, "%s%s", w->genesis.prefix, kind);
    bool fits = bech32_encode(prefix, address, sizeof address, text);
    assert(fits);
}

/* --- transactions --- */

static struct out *body_of(const struct world_tx *tx)
{
    struct out *body = fresh();
    for (uint32_t i = 0; i < tx->message_count; i++)
        put_any(body, 1, tx->messages[i].type_url, tx->messages[i].value, tx->messages[i].size);
    put_text(body, 2, tx->memo);
    put_number(body, 3, tx->timeout_height);
    return body;
}

static void put_signer(struct out *auth, const struct world_tx *tx, const uint8_t *public_key)
{
    struct out *signer = fresh(), *inner = fresh();
    if (!tx->no_key) {
        put_bytes(inner, 1, public_key, ACCOUNT_PUBLIC_SIZE);
        put_any(signer, 1, "/cosmos.crypto.secp256k1.PubKey", inner->bytes, inner->size);
    }
    put_bytes(signer, 2, "\x0a\x02\x08\x01", 4); /* single, direct */
    put_number(signer, 3, tx->sequence);
    put_out(auth, 1, signer);
    free(inner);
    free(signer);
}

static struct out *auth_of(const struct world_tx *tx, const uint8_t *public_key)
{
    struct out *auth = fresh(), *fee = fresh(), *coin = fresh();
    put_signer(auth, tx, public_key);
    if (*tx->fee_amount) {
        put_text(coin, 1, tx->fee_denom);
        put_text(coin, 2, tx->fee_amount);
        put_out(fee, 1, coin);
    }
    put_number(fee, 2, tx->gas);
    put_out(auth, 2, fee);
    free(coin);
    free(fee);
    return auth;
}

uint8_t *world_encode(const struct world_tx *tx, size_t *size)
{
    uint8_t key[ACCOUNT_KEY_SIZE], public_key[ACCOUNT_PUBLIC_SIZE], address[ACCOUNT_ADDRESS_SIZE];
    uint8_t signature[ACCOUNT_SIGNATURE_SIZE];
    world_key(tx->key, key, public_key, address);
    struct out *body = body_of(tx), *auth = auth_of(tx, public_key), *doc = fresh(), *raw = fresh();
    put_out(doc, 1, body);
    put_out(doc, 2, auth);
    put_text(doc, 3, tx->chain_id);
    put_number(doc, 4, tx->account_number);
    bool good = account_sign(key, doc->bytes, doc->size, signature);
    assert(good);
    signature[40] ^= tx->break_signature;
    put_out(raw, 1, body);
    put_out(raw, 2, auth);
    for (uint32_t i = 0; i < tx->signatures; i++)
        put_bytes(raw, 3, signature, sizeof signature);
    uint8_t *bytes = malloc(raw->size);
    assert(bytes);
    memcpy(bytes, raw->bytes, raw->size);
    *size = raw->size;
    free(raw);
    free(doc);
    free(auth);
    free(body);
    return bytes;
}

/* The sequence that CheckTx or the next block wants: behind what is in the next block already. */
static uint64_t sequence_next(const struct app_world *w, uint32_t v)
{
    uint64_t sequence = v < w->genesis.count ? world_sequence(w, v) : 0;
    for (uint32_t i = 0; i < w->tx_count; i++) {
        struct tx_decoded decoded;
        struct fault fault;
        uint8_t key[ACCOUNT_KEY_SIZE], pub[ACCOUNT_PUBLIC_SIZE], address[ACCOUNT_ADDRESS_SIZE];
        world_key(v, key, pub, address);
        if (!tx_decode(w->txs[i], w->sizes[i], &decoded, &fault))
            continue;
        sequence += memcmp(decoded.signer, address, sizeof address) == 0;
        tx_decoded_destroy(&decoded);
    }
    return sequence;
}

struct world_tx tx_of(struct app_world *w, uint32_t v)
{
    struct world_tx tx = {.key = v,
                          .gas = 200000,
                          .sequence = sequence_next(w, v),
                          .account_number = v,
                          .signatures = 1};
    strcpy(tx.chain_id, w->genesis.chain_id);
    if (w->genesis.kind == CHAIN_KIRA) {
        strcpy(tx.fee_denom, "ukex");
        strcpy(tx.fee_amount, "100");
    }
    return tx;
}

static struct out *message_begin(void)
{
    return fresh();
}

static void message_end(struct world_tx *tx, const char *type_url, struct out *value)
{
    struct world_message *message = &tx->messages[tx->message_count++];
    assert(tx->message_count <= WORLD_MESSAGES && value->size <= sizeof message->value);
    strcpy(message->type_url, type_url);
    memcpy(message->value, value->bytes, value->size);
    message->size = value->size;
    free(value);
}

struct world_tx tx_member(struct app_world *w, uint32_t v, const char *type_url)
{
    struct world_tx tx = tx_of(w, v);
    struct out *value = message_begin();
    char valoper[BECH32_TEXT_MAX];
    world_address(w, v, "valoper", valoper);
    put_text(value, 1, valoper);
    message_end(&tx, type_url, value);
    return tx;
}

struct world_tx tx_pause(struct app_world *w, uint32_t v)
{
    return tx_member(w, v,
                     w->genesis.kind == CHAIN_KIRA
                         ? "/kira.slashing.MsgPause"
                         : "/zigbeealliance.distributedcomplianceledger.validator."
                           "MsgDisableValidator");
}

struct world_tx tx_unpause(struct app_world *w, uint32_t v)
{
    return tx_member(w, v,
                     w->genesis.kind == CHAIN_KIRA
                         ? "/kira.slashing.MsgUnpause"
                         : "/zigbeealliance.distributedcomplianceledger.validator."
                           "MsgEnableValidator");
}

struct world_tx tx_activate(struct app_world *w, uint32_t v)
{
    struct world_tx tx = tx_member(w, v, "/kira.slashing.MsgActivate");
    strcpy(tx.fee_amount, "1000");
    return tx;
}

struct world_tx tx_send(struct app_world *w, uint32_t from, uint32_t to_key, const char *amount)
{
    struct world_tx tx = tx_of(w, from);
    struct out *value = message_begin(), *coin = fresh();
    char text[BECH32_TEXT_MAX];
    world_address(w, from, "", text);
    put_text(value, 1, text);
    world_address(w, to_key, "", text);
    put_text(value, 2, text);
    put_text(coin, 1, "ukex");
    put_text(coin, 2, amount);
    put_out(value, 3, coin);
    free(coin);
    message_end(&tx, "/cosmos.bank.v1beta1.MsgSend", value);
    return tx;
}

static struct world_tx tx_proposal(struct app_world *w, uint32_t v, const char *type_url,
                                   const struct out *content)
{
    struct world_tx tx = tx_of(w, v);
    struct out *value = message_begin();
    uint8_t key[ACCOUNT_KEY_SIZE], public_key[ACCOUNT_PUBLIC_SIZE], address[ACCOUNT_ADDRESS_SIZE];
    world_key(v, key, public_key, address);
    put_bytes(value, 1, address, sizeof address);
    put_text(value, 2, "title");
    put_text(value, 3, "description");
    put_any(value, 4, type_url, content->bytes, content->size);
    message_end(&tx, "/kira.gov.MsgSubmitProposal", value);
    return tx;
}

struct world_tx tx_upgrade(struct app_world *w, uint32_t v, const char *name, int64_t time_s,
                           bool instate)
{
    struct out *content = fresh(), *resource = fresh();
    put_text(content, 1, name);
    put_text(resource, 1, "sekai");
    put_text(resource, 2, "https://example.invalid/sekai");
    put_text(resource, 3, "v1");
    put_out(content, 2, resource);
    put_number(content, 3, (uint64_t)time_s);
    put_text(content, 4, "localnet-1");
    put_text(content, 5, "localnet-1");
    put_number(content, 7, 60);
    put_number(content, 9, instate);
    put_number(content, 11, instate);
    struct world_tx tx = tx_proposal(w, v, "/kira.upgrade.ProposalSoftwareUpgrade", content);
    free(resource);
    free(content);
    return tx;
}

struct world_tx tx_cancel(struct app_world *w, uint32_t v, const char *name)
{
    struct out *content = fresh();
    put_text(content, 1, name);
    struct world_tx tx = tx_proposal(w, v, "/kira.upgrade.ProposalCancelSoftwareUpgrade", content);
    free(content);
    return tx;
}

struct world_tx tx_vote(struct app_world *w, uint32_t v, uint64_t proposal, uint32_t option)
{
    struct world_tx tx = tx_of(w, v);
    struct out *value = message_begin();
    uint8_t key[ACCOUNT_KEY_SIZE], public_key[ACCOUNT_PUBLIC_SIZE], address[ACCOUNT_ADDRESS_SIZE];
    world_key(v, key, public_key, address);
    put_number(value, 1, proposal);
    put_bytes(value, 2, address, sizeof address);
    put_number(value, 3, option);
    put_text(value, 4, "0");
    message_end(&tx, "/kira.gov.MsgVoteProposal", value);
    return tx;
}

struct world_tx tx_create(struct app_world *w, uint32_t v, const char *moniker)
{
    struct world_tx tx = tx_of(w, v);
    struct out *value = message_begin(), *inner = fresh();
    char valoper[BECH32_TEXT_MAX];
    uint8_t key[ED25519_KEY_SIZE] = {9, 9};
    world_address(w, v, "valoper", valoper);
    put_text(value, 1, valoper);
    put_bytes(inner, 1, key, sizeof key);
    put_any(value, 2, "/cosmos.crypto.ed25519.PubKey", inner->bytes, inner->size);
    inner->size = 0;
    put_text(inner, 1, moniker);
    put_out(value, 3, inner);
    free(inner);
    message_end(&tx, "/zigbeealliance.distributedcomplianceledger.validator.MsgCreateValidator",
                value);
    return tx;
}

struct world_tx tx_disable_act(struct app_world *w, uint32_t v, const char *what, uint32_t target)
{
    struct world_tx tx = tx_of(w, v);
    struct out *value = message_begin();
    char text[BECH32_TEXT_MAX], type_url[128];
    world_address(w, v, "", text);
    put_text(value, 1, text);
    world_address(w, target, "valoper", text);
    put_text(value, 2, text);
    put_text(value, 3, "because");
    put_number(value, 4, 1700000001);
    snprintf(type_url, sizeof type_url,
             "/zigbeealliance.distributedcomplianceledger.validator.Msg%sDisableValidator", what);
    message_end(&tx, type_url, value);
    return tx;
}

struct world_tx tx_upgrade_act(struct app_world *w, uint32_t v, const char *what, const char *name,
                               int64_t height)
{
    struct world_tx tx = tx_of(w, v);
    struct out *value = message_begin(), *plan = fresh();
    char text[BECH32_TEXT_MAX], type_url[128];
    world_address(w, v, "", text);
    put_text(value, 1, text);
    if (height) {
        put_text(plan, 1, name);
        put_number(plan, 3, (uint64_t)height);
        put_text(plan, 4, "plan info");
        put_out(value, 2, plan);
    } else {
        put_text(value, 2, name);
    }
    free(plan);
    put_text(value, 3, "because");
    put_number(value, 4, 1700000001);
    snprintf(type_url, sizeof type_url,
             "/zigbeealliance.distributedcomplianceledger.dclupgrade.Msg%sUpgrade", what);
    message_end(&tx, type_url, value);
    return tx;
}

void tx_also(struct world_tx *tx, const struct world_tx *other)
{
    for (uint32_t i = 0; i < other->message_count; i++) {
        assert(tx->message_count < WORLD_MESSAGES);
        tx->messages[tx->message_count++] = other->messages[i];
    }
}

/* --- the world --- */

static int letter_compare(const void *a, const void *b)
{
    return *(const char *)a - *(const char *)b;
}

static void note_set(struct app_world *w, uint64_t height, const struct model_set *set)
{
    assert(height < WORLD_HEIGHTS);
    for (uint32_t i = 0; i < set->count; i++)
        w->sets[height][i] = (char)('0' + set->members[i].validator);
    w->sets[height][set->count] = '\0';
    qsort(w->sets[height], set->count, 1, letter_compare);
}

void app_world_start(struct app_world *w, enum chain_kind kind, uint32_t count,
                     uint64_t min_validators)
{
    memset(w, 0, sizeof *w);
    w->genesis = (struct app_genesis){
        .kind = kind,
        .time_ms = GENESIS_MS,
        .initial_height = {1},
        .properties = model_properties_default(min_validators),
        .proposal_end_s = 5,
        .proposal_enactment_s = 2,
        .trustees = count < 3 ? count : 3,
        .validators = w->validators,
        .count = count,
    };
    strcpy(w->genesis.chain_id, "localnet-1");
    strcpy(w->genesis.prefix, kind == CHAIN_KIRA ? "kira" : "cosmos");
    strcpy(w->genesis.denom, kind == CHAIN_KIRA ? "ukex" : "");
    for (uint32_t v = 0; v < count; v++) {
        uint8_t key[ACCOUNT_KEY_SIZE], address[ACCOUNT_ADDRESS_SIZE];
        world_key(v, key, w->validators[v].account_key, address);
        snprintf(w->validators[v].moniker, MODEL_MONIKER_MAX, "v%" PRIu32, v);
        memset(w->validators[v].consensus_key, (int)v + 1, ED25519_KEY_SIZE);
        w->validators[v].power = kind == CHAIN_KIRA ? 1 : 10;
        w->validators[v].balance = WORLD_BALANCE;
    }
    app_world_begin(w);
}

void app_world_begin(struct app_world *w)
{
    struct fault fault;
    app_destroy(&w->app);
    w->app = app_create(&w->genesis, &fault);
    if (!w->app)
        fail_msg("%s", fault.text);
    w->height = w->genesis.initial_height.n - 1;
    w->time_ms = w->genesis.time_ms;
    w->step_ms = 1000;
    note_set(w, w->height + 1, model_validators(app_model(w->app)));
    note_set(w, w->height + 2, model_next_validators(app_model(w->app)));
}

void app_world_end(struct app_world *w)
{
    for (uint32_t i = 0; i < w->tx_count; i++)
        free(w->txs[i]);
    for (uint32_t i = 0; i < WORLD_TXS; i++)
        app_result_clear(&w->results[i]);
    app_result_clear(&w->check);
    app_destroy(&w->app);
}

static uint32_t check(struct app_world *w, const struct world_tx *tx, bool fresh)
{
    size_t size;
    uint8_t *bytes = world_encode(tx, &size);
    app_result_clear(&w->check);
    app_check(w->app, bytes, size, fresh, &w->check);
    free(bytes);
    return w->check.code;
}

uint32_t world_check(struct app_world *w, struct world_tx tx)
{
    return check(w, &tx, false);
}

uint32_t world_check_fresh(struct app_world *w, struct world_tx tx)
{
    return check(w, &tx, true);
}

void world_put(struct app_world *w, struct world_tx tx)
{
    assert(w->tx_count < WORLD_TXS);
    w->txs[w->tx_count] = world_encode(&tx, &w->sizes[w->tx_count]);
    w->tx_count++;
}

void world_add(struct app_world *w, struct world_tx tx)
{
    if (world_check(w, tx) != 0)
        fail_msg("CheckTx: %s", w->check.log);
    assert_string_equal(w->check.log, "[]");
    world_put(w, tx);
}

bool app_world_block(struct app_world *w)
{
    w->height++;
    w->time_ms += w->step_ms;
    uint32_t missing[WORLD_VALIDATORS], missing_count = 0;
    for (uint32_t i = 0; w->height > w->genesis.initial_height.n && i < w->missing_count; i++) {
        if (strchr(w->sets[w->height - 1], (char)('0' + w->missing[i])))
            missing[missing_count++] = w->missing[i];
    }
    app_begin(w->app, height_at(w->height), w->time_ms, missing, missing_count);
    for (uint32_t i = 0; i < WORLD_TXS; i++)
        app_result_clear(&w->results[i]);
    for (uint32_t i = 0; i < w->tx_count; i++) {
        app_deliver(w->app, w->txs[i], w->sizes[i], &w->results[i]);
        free(w->txs[i]);
    }
    w->tx_count = 0;
    if (!app_end(w->app, w->updates, &w->update_count)) {
        w->height--;
        return false;
    }
    note_set(w, w->height + 2, model_next_validators(app_model(w->app)));
    return true;
}

void app_world_run(struct app_world *w, uint32_t blocks)
{
    for (uint32_t i = 0; i < blocks; i++)
        assert_true(app_world_block(w));
}

uint32_t world_do(struct app_world *w, struct world_tx tx)
{
    world_add(w, tx);
    assert_true(app_world_block(w));
    return w->results[0].code;
}

uint64_t world_sequence(const struct app_world *w, uint32_t v)
{
    return model_record(app_model(w->app), v)->sequence;
}

uint64_t world_balance(const struct app_world *w, uint32_t v)
{
    return model_record(app_model(w->app), v)->balance;
}

enum model_status world_status(const struct app_world *w, uint32_t v)
{
    return model_record(app_model(w->app), v)->status;
}

void world_hash(const struct app_world *w, uint8_t hash[HASH_SIZE])
{
    app_hash(w->app, hash);
}

struct world_cost world_cost(const struct app_world *w, uint32_t v)
{
    return (struct world_cost){world_sequence(w, v), world_balance(w, v)};
}

void world_assert_cost(const struct app_world *w, uint32_t v, struct world_cost before,
                       uint64_t paid, uint64_t sequences)
{
    assert_int_equal(world_balance(w, v), before.balance - paid);
    assert_int_equal(world_sequence(w, v), before.sequence + sequences);
}

const char *world_failed(uint32_t message, const char *words)
{
    static char text[512];
    snprintf(text, sizeof text, "failed to execute message; message index: %u: %s",
             (unsigned)message, words);
    return text;
}

struct app_answer world_ask(const struct app_world *w, const char *path, const uint8_t *data,
                            size_t size)
{
    struct app_answer answer;
    app_query(w->app, path, data, size, 0, &answer);
    if (answer.code != 0)
        fail_msg("%s: %s", path, answer.log);
    return answer;
}
