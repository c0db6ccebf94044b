#include "dcl.pb-c.h"
#include "proto/query_internal.h"

#define BASE_ACCOUNT_TYPE "/cosmos.auth.v1beta1.BaseAccount"
#define DCL_ACCOUNT_PATH "/zigbeealliance.distributedcomplianceledger.dclauth.Query/Account"

void query_account(enum chain_kind chain, const char *address, struct query *query)
{
    query_by_text(query,
                  chain == CHAIN_KIRA ? "/cosmos.auth.v1beta1.Query/Account" : DCL_ACCOUNT_PATH,
                  address);
}

static bool base_take(const Cosmos__BaseAccount *from, struct query_account *out,
                      struct fault *fault)
{
    if (!query_address(&from->address, "", "account.address", out->address, fault))
        return false;
    out->exists = true;
    out->number = from->account_number;
    out->sequence = from->sequence;
    return true;
}

/* Accounts of other kinds (modules, vesting) sign no transactions of ours. */
static bool account_take_kira(struct arena *arena, const Cosmos__QueryAccountResponse *reply,
                              struct query_account *out, struct fault *fault)
{
    if (!reply || !reply->account)
        return reply != NULL;
    if (!query_is(&reply->account->type_url, BASE_ACCOUNT_TYPE))
        return fault_set(fault, "account: one of type BaseAccount was expected");
    Cosmos__BaseAccount *base =
        bounded_unpack(arena, &cosmos__base_account__descriptor, reply->account->value.data,
                       reply->account->value.len, "account.value", fault);
    return base && base_take(base, out, fault);
}

static bool account_take_dcl(const Dcl__QueryGetAccountResponse *reply, struct query_account *out,
                             struct fault *fault)
{
    if (!reply || !reply->account)
        return reply != NULL;
    if (!reply->account->base_account)
        return fault_set(fault, "account.base_account: it is missing from the reply");
    return base_take(reply->account->base_account, out, fault);
}

bool query_account_read(enum chain_kind chain, const uint8_t *bytes, size_t size,
                        struct query_account *out, struct fault *fault)
{
    *out = (struct query_account){0};
    struct arena arena;
    bool kira = chain == CHAIN_KIRA;
    void *reply = query_unpack(&arena,
                               kira ? &cosmos__query_account_response__descriptor
                                    : &dcl__query_get_account_response__descriptor,
                               bytes, size, "account", fault);
    bool good =
        kira ? account_take_kira(&arena, reply, out, fault) : account_take_dcl(reply, out, fault);
    arena_end(&arena);
    return good;
}

void query_balance(const char *address, const char *denom, struct query *query)
{
    Cosmos__QueryBalanceRequest request = COSMOS__QUERY_BALANCE_REQUEST__INIT;
    request.address = bounded_text(address);
    request.denom = bounded_text(denom);
    query_pack(query, "/cosmos.bank.v1beta1.Query/Balance", &request.base);
}

static uint64_t amount_value(const char *digits)
{
    uint64_t sum = 0;
    for (; *digits; digits++) {
        uint64_t digit = (uint64_t)(*digits - '0');
        if (sum > (UINT64_MAX - digit) / 10)
            return UINT64_MAX;
        sum = sum * 10 + digit;
    }
    return sum;
}

bool query_balance_read(const uint8_t *bytes, size_t size, const char *denom, uint64_t *amount,
                        struct fault *fault)
{
    char digits[80];
    *amount = 0;
    struct arena arena;
    Cosmos__QueryBalanceResponse *reply = query_unpack(
        &arena, &cosmos__query_balance_response__descriptor, bytes, size, "balance", fault);
    bool good =
        reply && (reply->balance || fault_set(fault, "balance: it is missing from the reply"));
    if (good && !query_is(&reply->balance->denom, denom))
        good = fault_set(fault, "balance.denom: \"%s\" was asked for", denom);
    if (good && !query_digits(&reply->balance->amount, digits, sizeof digits))
        good = fault_set(fault, "balance.amount: a whole number was expected");
    if (good)
        *amount = amount_value(digits);
    arena_end(&arena);
    return good;
}
