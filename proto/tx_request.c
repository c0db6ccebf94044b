/* Whether a request can become a transaction: its fields, one by one. */
#include <inttypes.h>
#include <string.h>

#include "proto/tx_internal.h"

#define CHAIN_ID_LENGTH 50 /* CometBFT takes no longer ones */
#define MONIKER_LENGTH 70
#define TITLE_LENGTH 128
#define DESCRIPTION_LENGTH 1024
#define DCL_INFO_LENGTH 4096
#define OPTION_LAST 4

/* Limits of one text field. */
struct limit {
    const char *name;
    size_t least, most; /* bytes */
    bool free;          /* may hold line breaks and the like */
};

/* The size of the UTF-8 character that begins here; 0 when none does, or it is a control character that may
 * not be. */
static size_t character_size(const uint8_t *at, size_t left, bool free)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = at[0] < 0x80       ? 1
                  : at[0] >> 5 == 6  ? 2
                  : at[0] >> 4 == 14 ? 3
                  : at[0] >> 3 == 30 ? 4
                                     : 0;
    if (size == 0 || size > left)
        return 0;
    uint32_t value = size == 1 ? at[0] : at[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if (at[i] >> 6 != 2)
            return 0;
        value = value << 6 | (at[i] & 0x3f);
    }
    bool control = value < 0x20 || (value >= 0x7f && value < 0xa0);
    bool wrong = value < smallest[size] || value > 0x10ffff ||
                 (value >= 0xd800 && value <= 0xdfff) || (control && !free);
    return wrong ? 0 : size;
}

static bool text_check(const char *text, struct limit limit, struct fault *fault)
{
    size_t size = text ? strlen(text) : 0;
    if (size < limit.least || size > limit.most)
        return fault_set(fault, "%s: %zu bytes; expected %zu to %zu", limit.name, size, limit.least,
                         limit.most);
    for (size_t at = 0; at < size;) {
        size_t step = character_size((const uint8_t *)text + at, size - at, limit.free);
        if (step == 0)
            return fault_set(fault, "%s: byte %zu is no text; expected UTF-8%s", limit.name, at + 1,
                             limit.free ? "" : " without control characters");
        at += step;
    }
    return true;
}

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* As the SDK takes them: a letter, then letters, digits and / : . _ - */
static bool denom_check(const char *denom, struct fault *fault)
{
    size_t size = strlen(denom);
    bool right = size >= 3 && size <= TX_DENOM_MAX && letter(denom[0]);
    for (size_t i = 1; right && i < size; i++)
        right = letter(denom[i]) || strchr("0123456789/:._-", denom[i]) != NULL;
    return right || fault_set(fault,
                              "fee denom: \"%.130s\" is none; expected 3 to %d letters, digits and "
                              "/:._-, a letter first",
                              denom, TX_DENOM_MAX);
}

static bool join_check(const struct tx_request *request, struct fault *fault)
{
    bool has_memo = request->memo && request->memo[0];
    if (request->class_minutes > CLASS_MAX)
        return fault_set(fault, "class: %" PRIu32 " minutes; expected %d to %d",
                         request->class_minutes, CLASS_MIN, CLASS_MAX);
    if (has_memo == (request->class_minutes > 0))
        return fault_set(fault,
                         "memo: a join writes its own; give either class and charter, or a memo");
    if (request->chain == CHAIN_KIRA)
        return request->fee_denom ||
               fault_set(fault, "fee denom: missing; a join sends 1 of it to oneself");
    if (!request->consensus_key)
        return fault_set(fault, "consensus key: missing; a DCL join names one");
    return text_check(request->moniker, (struct limit){"moniker", 1, MONIKER_LENGTH, false}, fault);
}

static bool vote_check(const struct tx_request *request, struct fault *fault)
{
    if (request->proposal == 0)
        return fault_set(fault, "proposal: 0; proposals are numbered from 1");
    if (request->option < 1 || request->option > OPTION_LAST)
        return fault_set(
            fault, "option: %" PRIu32 "; expected 1 (yes), 2 (abstain), 3 (no) or 4 (no with veto)",
            request->option);
    return true;
}

static bool resource_check(const struct tx_resource *resource, struct fault *fault)
{
    return text_check(resource->id, (struct limit){"resource id", 1, 63, false}, fault) &&
           text_check(resource->url, (struct limit){"resource url", 0, 511, false}, fault) &&
           text_check(resource->version, (struct limit){"resource version", 0, 63, false}, fault) &&
           text_check(resource->checksum, (struct limit){"resource checksum", 0, 128, false},
                      fault);
}

static bool kira_plan_check(const struct tx_plan *plan, struct fault *fault)
{
    const struct limit old_id = {"plan's old chain id", 1, CHAIN_ID_LENGTH, false};
    const struct limit new_id = {"plan's new chain id", 1, CHAIN_ID_LENGTH, false};
    const struct limit checksum = {"plan's rollback checksum", 0, 128, false},
                       memo = {"plan's memo", 0, 1024, true};
    if (plan->resource_count > TX_RESOURCES_MAX)
        return fault_set(fault, "plan: %" PRIu32 " resources; at most %d", plan->resource_count,
                         TX_RESOURCES_MAX);
    for (uint32_t i = 0; i < plan->resource_count; i++)
        if (!resource_check(&plan->resources[i], fault))
            return fault_within(fault, "plan");
    if (plan->upgrade_time < 1)
        return fault_set(fault, "plan's upgrade time: %" PRId64 "; expected Unix seconds",
                         plan->upgrade_time);
    if (plan->max_enrolment_s < 0)
        return fault_set(fault, "plan's max_enrolment_duration: %" PRId64 " s; expected 0 or more",
                         plan->max_enrolment_s);
    return text_check(plan->old_chain_id, old_id, fault) &&
           text_check(plan->new_chain_id, new_id, fault) &&
           text_check(plan->rollback_checksum, checksum, fault) &&
           text_check(plan->memo, memo, fault);
}

static bool dcl_plan_check(const struct tx_plan *plan, struct fault *fault)
{
    if (plan->height < 1)
        return fault_set(fault, "plan's height: %" PRId64 "; expected 1 or more", plan->height);
    return text_check(plan->info, (struct limit){"plan's info", 0, 2047, true}, fault);
}

/* Proposals, and DCL's votes on them. */
static bool upgrade_check(const struct tx_request *request, struct fault *fault)
{
    const struct tx_plan *plan = request->plan;
    const struct limit title = {"title", 1, TITLE_LENGTH, false};
    const struct limit kira = {"description", 0, DESCRIPTION_LENGTH, true},
                       dcl = {"info", 0, DCL_INFO_LENGTH, true};
    bool submits = request->action == TX_DO_SUBMIT_UPGRADE;
    if (!plan)
        return fault_set(fault, "plan: missing; an upgrade has a name at least");
    if (!text_check(plan->name, (struct limit){"plan's name", 1, 127, false}, fault))
        return false;
    if (request->chain == CHAIN_DCL)
        return text_check(request->description, dcl, fault) &&
               (!submits || dcl_plan_check(plan, fault));
    return text_check(request->title, title, fault) &&
           text_check(request->description, kira, fault) &&
           (!submits || kira_plan_check(plan, fault));
}

static bool action_known(const struct tx_request *request)
{
    switch (request->action) {
    case TX_DO_JOIN:
    case TX_DO_PAUSE:
    case TX_DO_UNPAUSE:
    case TX_DO_SUBMIT_UPGRADE:
        return true;
    case TX_DO_ACTIVATE:
    case TX_DO_VOTE:
    case TX_DO_CANCEL_UPGRADE:
        return request->chain == CHAIN_KIRA;
    case TX_DO_APPROVE_UPGRADE:
    case TX_DO_REJECT_UPGRADE:
        return request->chain == CHAIN_DCL;
    }
    return false;
}

static bool action_check(const struct tx_request *request, struct fault *fault)
{
    if (!action_known(request))
        return fault_set(fault, "action: %s has none like it",
                         request->chain == CHAIN_DCL ? "DCL" : "KIRA");
    switch (request->action) {
    case TX_DO_JOIN:
        return join_check(request, fault);
    case TX_DO_VOTE:
        return vote_check(request, fault);
    case TX_DO_SUBMIT_UPGRADE:
    case TX_DO_CANCEL_UPGRADE:
    case TX_DO_APPROVE_UPGRADE:
    case TX_DO_REJECT_UPGRADE:
        return upgrade_check(request, fault);
    case TX_DO_PAUSE:
    case TX_DO_UNPAUSE:
    case TX_DO_ACTIVATE:
        break;
    }
    return true;
}

static bool ends_in(const char *text, const char *tail)
{
    size_t size = strlen(text), want = strlen(tail);
    return size >= want && memcmp(text + size - want, tail, want) == 0;
}

static bool prefix_check(const char *prefix, struct fault *fault)
{
    static const uint8_t zero[ACCOUNT_ADDRESS_SIZE];
    char text[BECH32_TEXT_MAX], valoper[BECH32_TEXT_MAX];
    size_t size = prefix ? strlen(prefix) : 0;
    bool fits = size > 0 && size < sizeof valoper - sizeof "valoper";
    if (fits) {
        memcpy(valoper, prefix, size);
        memcpy(valoper + size, "valoper", sizeof "valoper");
    }
    if (!fits || !bech32_encode(valoper, zero, sizeof zero, text))
        return fault_set(fault,
                         "prefix: \"%.100s\" cannot begin an address; expected something like "
                         "\"kira\" or \"cosmos\"",
                         prefix ? prefix : "");
    if (ends_in(prefix, "valoper") || ends_in(prefix, "valcons"))
        return fault_set(fault, "prefix: \"%.100s\" is of validators; expected that of accounts",
                         prefix);
    return true;
}

bool tx_request_check(const struct tx_request *request, struct fault *fault)
{
    if (request->gas < 1 || request->gas > INT64_MAX)
        return fault_set(fault, "gas: %" PRIu64 "; expected 1 to %" PRId64, request->gas,
                         INT64_MAX);
    if (!account_public_check(request->public_key))
        return fault_set(fault, "public key: the 33 bytes are no point of secp256k1");
    return prefix_check(request->prefix, fault) &&
           text_check(request->chain_id, (struct limit){"chain id", 1, CHAIN_ID_LENGTH, false},
                      fault) &&
           text_check(request->memo, (struct limit){"memo", 0, TX_MEMO_MAX, true}, fault) &&
           (!request->fee_denom || denom_check(request->fee_denom, fault)) &&
           action_check(request, fault);
}
