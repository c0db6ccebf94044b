/* The options of `stagger tx`: one table, from which each verb takes those that are for it. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/command_tx.h"
#include "proto/encoding.h"
#include "proto/input.h"

/* Which verbs an option is for, by action. */
#define ACTION(action) (1u << (action))
#define EVERY (ACTION(TX_DO_REJECT_UPGRADE + 1) - 1)
#define JOIN ACTION(TX_DO_JOIN)
#define VOTE ACTION(TX_DO_VOTE)
#define SUBMIT ACTION(TX_DO_SUBMIT_UPGRADE)
#define CANCEL ACTION(TX_DO_CANCEL_UPGRADE)
#define OPINION (ACTION(TX_DO_APPROVE_UPGRADE) | ACTION(TX_DO_REJECT_UPGRADE))
#define GUARDED (JOIN | ACTION(TX_DO_PAUSE) | ACTION(TX_DO_UNPAUSE) | ACTION(TX_DO_ACTIVATE))

enum tx_option {
    OPTION_DRY_RUN,
    OPTION_WAIT,
    OPTION_OFFLINE,
    OPTION_FORCE,
    OPTION_JSON,
    OPTION_ACCOUNT_NUMBER,
    OPTION_SEQUENCE,
    OPTION_TIMEOUT_HEIGHT,
    OPTION_MEMO,
    OPTION_CLASS,
    OPTION_CHARTER,
    OPTION_CONSENSUS_KEY,
    OPTION_MONIKER,
    OPTION_PROPOSAL,
    OPTION_OPTION,
    OPTION_FILE,
    OPTION_NAME,
    OPTION_UPGRADE_TIME,
    OPTION_RESOURCE,
    OPTION_OLD_CHAIN_ID,
    OPTION_NEW_CHAIN_ID,
    OPTION_ROLLBACK_CHECKSUM,
    OPTION_MAX_ENROLMENT,
    OPTION_INSTATE,
    OPTION_REBOOT_REQUIRED,
    OPTION_SKIP_HANDLER,
    OPTION_TITLE,
    OPTION_DESCRIPTION,
    OPTION_HEIGHT,
    OPTION_INFO,
    OPTION_COUNT,
};

static const struct {
    struct option_row row;
    uint32_t verbs;
    uint32_t chains;
} options[OPTION_COUNT] = {
#define BOTH (TX_ON_KIRA | TX_ON_DCL)
    [OPTION_DRY_RUN] = {{"dry-run", NULL, "show what would be sent, send nothing", false},
                        EVERY,
                        BOTH},
    [OPTION_WAIT] =
        {{"wait", NULL,
          "wait until it stands in a block or cannot any more; exit 0 only if it happened", false},
         EVERY,
         BOTH},
    [OPTION_OFFLINE] = {{"offline", NULL,
                         "ask no node and read no configuration: sign and print; needs --chain-id, "
                         "--account-number, --sequence, --timeout-height and, on KIRA, --fee",
                         false},
                        EVERY,
                        BOTH},
    [OPTION_FORCE] = {{"force", NULL, "send in spite of a guard that may be overruled", false},
                      GUARDED,
                      BOTH},
    [OPTION_JSON] = {{"json", NULL, "print one JSON object", false}, EVERY, BOTH},
    [OPTION_ACCOUNT_NUMBER] =
        {{"account-number", "N", "of the signer; by default read live", false}, EVERY, BOTH},
    [OPTION_SEQUENCE] = {{"sequence", "N", "of the signer; by default read live", false},
                         EVERY,
                         BOTH},
    [OPTION_TIMEOUT_HEIGHT] = {{"timeout-height", "H",
                                "the last block in which it may happen; offline 0 means none",
                                false},
                               EVERY,
                               BOTH},
    [OPTION_MEMO] =
        {{"memo", "TEXT",
          "up to 256 bytes; a join writes its own, a KIRA upgrade puts it into its plan", false},
         EVERY,
         BOTH},
    [OPTION_CLASS] = {{"class", "MINUTES", "expected time out of the set, 1 to 240", false},
                      JOIN,
                      BOTH},
    [OPTION_CHARTER] =
        {{"charter", "HEX",
          "first 8 hex digits of the charter's hash, in lower case; by default that of "
          "the settings in [charter]",
          false},
         JOIN,
         BOTH},
    [OPTION_CONSENSUS_KEY] =
        {{"consensus-key", "KEY",
          "DCL, offline: ed25519 key of the validator in base64 or 64 hex digits; "
          "otherwise the node's",
          false},
         JOIN,
         TX_ON_DCL},
    [OPTION_MONIKER] = {{"moniker", "NAME",
                         "DCL, offline: name in the carrier; otherwise the record's", false},
                        JOIN,
                        TX_ON_DCL},
    [OPTION_PROPOSAL] = {{"proposal", "N", "the proposal to vote on", false}, VOTE, BOTH},
    [OPTION_OPTION] = {{"option", "VOTE", "yes, abstain, no or veto", false}, VOTE, BOTH},
    [OPTION_FILE] =
        {{"file", "FILE",
          "JSON object with the options below as keys ('-' written '_'), resources a list of "
          "objects with id, url, version, checksum; options given as well win",
          false},
         SUBMIT,
         BOTH},
    [OPTION_NAME] = {{"name", "TEXT", "of the plan", false}, SUBMIT | CANCEL | OPINION, BOTH},
    [OPTION_UPGRADE_TIME] = {{"upgrade-time", "TIME",
                              "KIRA: Unix seconds, or such as 2026-12-24T18:00:00Z", false},
                             SUBMIT,
                             TX_ON_KIRA},
    [OPTION_RESOURCE] = {{"resource", "ID,URL,VERSION,CHECKSUM",
                          "KIRA: what the upgrade needs; may be given up to 32 times", true},
                         SUBMIT,
                         TX_ON_KIRA},
    [OPTION_OLD_CHAIN_ID] = {{"old-chain-id", "ID", "KIRA: chain id before the upgrade", false},
                             SUBMIT,
                             TX_ON_KIRA},
    [OPTION_NEW_CHAIN_ID] = {{"new-chain-id", "ID", "KIRA: chain id after it", false},
                             SUBMIT,
                             TX_ON_KIRA},
    [OPTION_ROLLBACK_CHECKSUM] = {{"rollback-checksum", "TEXT",
                                   "KIRA: checksum of the genesis to roll back to", false},
                                  SUBMIT,
                                  TX_ON_KIRA},
    [OPTION_MAX_ENROLMENT] = {{"max-enrolment-duration", "SECONDS",
                               "KIRA: how long the new chain has to begin", false},
                              SUBMIT,
                              TX_ON_KIRA},
    [OPTION_INSTATE] = {{"instate", NULL, "KIRA: the chain is not halted", false},
                        SUBMIT,
                        TX_ON_KIRA},
    [OPTION_REBOOT_REQUIRED] = {{"reboot-required", NULL, "KIRA: hosts are to be rebooted", false},
                                SUBMIT,
                                TX_ON_KIRA},
    [OPTION_SKIP_HANDLER] =
        {{"skip-handler", NULL,
          "KIRA: no upgrade handler is to run; without this, a soft upgrade stops a chain whose "
          "software has no handler of the plan's name",
          false},
         SUBMIT,
         TX_ON_KIRA},
    [OPTION_TITLE] = {{"title", "TEXT", "KIRA: of the proposal, up to 128 characters", false},
                      SUBMIT | CANCEL,
                      TX_ON_KIRA},
    [OPTION_DESCRIPTION] = {{"description", "TEXT", "KIRA: of the proposal", false},
                            SUBMIT | CANCEL,
                            TX_ON_KIRA},
    [OPTION_HEIGHT] = {{"height", "H", "DCL: height of the upgrade", false}, SUBMIT, TX_ON_DCL},
    [OPTION_INFO] = {{"info", "TEXT", "DCL: information for the plan or the vote", false},
                     SUBMIT | OPINION,
                     TX_ON_DCL},
#undef BOTH
};

/* Options that every verb takes from the settings. */
static const enum setting flags[] = {
    SETTING_CHAIN_KIND,
    SETTING_CHAIN_ID,
    SETTING_CHAIN_NODE,
    SETTING_CHAIN_OTHERS,
    SETTING_CHAIN_CA_FILE,
    SETTING_CHAIN_PREFIX,
    SETTING_CHAIN_DENOM,
    SETTING_CHAIN_TIMEOUT,
    SETTING_ACCOUNT_KEY,
    SETTING_ACCOUNT_KEYS_DIR,
    SETTING_ACCOUNT_KEY_FILE,
    SETTING_ACCOUNT_SIGNER,
    SETTING_ACCOUNT_SIGNER_TIMEOUT,
    SETTING_ACCOUNT_PASSPHRASE_FILE,
    SETTING_ACCOUNT_PASSPHRASE_FD,
    SETTING_TX_GAS,
    SETTING_TX_FEE,
    SETTING_TX_TIMEOUT_BLOCKS,
    SETTING_TX_WAIT_MAX,
};

static bool option_is_for(uint32_t option, const struct tx_verb *verb)
{
    return (options[option].verbs & ACTION(verb->action)) != 0 &&
           (options[option].chains & verb->chains) != 0;
}

/* --- values --- */

static bool number_take(const char *value, uint64_t max, bool *given, uint64_t *number,
                        struct fault *fault)
{
    char quoted[INPUT_QUOTE_MAX];
    *given = true;
    if (input_whole(value, number) && *number <= max)
        return true;
    return fault_set(fault, "\"%s\" is not accepted; expected a whole number from 0 to %llu",
                     input_quote(value, quoted), (unsigned long long)max);
}

static bool class_take(struct tx_wish *wish, const char *value, struct fault *fault)
{
    uint64_t minutes;
    char quoted[INPUT_QUOTE_MAX];
    if (!input_whole(value, &minutes) || minutes < CLASS_MIN || minutes > CLASS_MAX)
        return fault_set(fault, "\"%s\" is not accepted; expected whole minutes from %d to %d",
                         input_quote(value, quoted), CLASS_MIN, CLASS_MAX);
    wish->class_minutes = (uint32_t)minutes;
    wish->has_class = true;
    return true;
}

static bool charter_take(struct tx_wish *wish, const char *value, struct fault *fault)
{
    uint8_t bytes[4];
    char quoted[INPUT_QUOTE_MAX];
    size_t length = strlen(value);
    if (strspn(value, "0123456789abcdef") != length ||
        !hex_decode(value, length, bytes, sizeof bytes))
        return fault_set(fault, "\"%s\" is not accepted; expected 8 hex digits in lower case",
                         input_quote(value, quoted));
    wish->charter =
        (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    wish->has_charter = true;
    return true;
}

/* Its text is not repeated: it could be a private key. */
static bool consensus_take(struct tx_wish *wish, const char *value, struct fault *fault)
{
    size_t length = strlen(value), size = 0;
    uint8_t bytes[BASE64_BYTES(64)];
    wish->has_consensus_key = true;
    if (hex_decode(value, length, wish->consensus_key, sizeof wish->consensus_key))
        return true;
    if (length <= 64 && base64_decode(value, length, bytes, sizeof bytes, &size) &&
        size == sizeof wish->consensus_key) {
        memcpy(wish->consensus_key, bytes, size);
        return true;
    }
    return fault_set(fault, "expected an ed25519 public key, 32 bytes in base64 or 64 hex digits");
}

static bool vote_take(struct tx_wish *wish, const char *value, struct fault *fault)
{
    static const char *const words[] = {"yes", "abstain", "no", "veto"};
    char quoted[INPUT_QUOTE_MAX];
    for (uint32_t i = 0; i < 4; i++)
        if (strcmp(value, words[i]) == 0)
            wish->option = i + 1;
    return wish->option ||
           fault_set(fault, "\"%s\" is not accepted; expected yes, abstain, no or veto",
                     input_quote(value, quoted));
}

static bool seconds_take(const char *value, int64_t *seconds, struct fault *fault)
{
    bool given;
    uint64_t number;
    if (!number_take(value, INT64_MAX, &given, &number, fault))
        return false;
    *seconds = (int64_t)number;
    return true;
}

static bool switch_take(struct tx_wish *wish, enum tx_option option)
{
    bool *const switches[OPTION_COUNT] = {
        [OPTION_DRY_RUN] = &wish->dry_run,
        [OPTION_WAIT] = &wish->wait,
        [OPTION_OFFLINE] = &wish->offline,
        [OPTION_FORCE] = &wish->force,
        [OPTION_JSON] = &wish->json,
        [OPTION_INSTATE] = &wish->plan.instate,
        [OPTION_REBOOT_REQUIRED] = &wish->plan.reboot_required,
        [OPTION_SKIP_HANDLER] = &wish->plan.skip_handler,
    };
    assert(switches[option]);
    *switches[option] = true;
    return true;
}

static bool text_take(struct tx_wish *wish, enum tx_option option, const char *value)
{
    const char **const texts[OPTION_COUNT] = {
        [OPTION_MEMO] = &wish->memo,
        [OPTION_MONIKER] = &wish->moniker,
        [OPTION_FILE] = &wish->plan_file,
        [OPTION_NAME] = &wish->plan.name,
        [OPTION_OLD_CHAIN_ID] = &wish->plan.old_chain_id,
        [OPTION_NEW_CHAIN_ID] = &wish->plan.new_chain_id,
        [OPTION_ROLLBACK_CHECKSUM] = &wish->plan.rollback_checksum,
        [OPTION_TITLE] = &wish->title,
        [OPTION_DESCRIPTION] = &wish->description,
        [OPTION_INFO] = &wish->plan.info,
    };
    assert(texts[option]);
    *texts[option] = value; /* proto/tx.h knows what the chains take */
    return true;
}

static bool option_take(void *owner, uint32_t index, const char *value, struct fault *fault)
{
    struct tx_wish *wish = owner;
    enum tx_option option = 0;
    for (uint32_t i = 0; i < OPTION_COUNT; i++) /* the index counts those of the verb */
        if (option_is_for(i, wish->verb) && index-- == 0)
            option = i;
    if (!options[option].row.argument)
        return switch_take(wish, option);
    switch (option) {
    case OPTION_ACCOUNT_NUMBER:
        return number_take(value, UINT64_MAX, &wish->has_account_number, &wish->account_number,
                           fault);
    case OPTION_SEQUENCE:
        return number_take(value, UINT64_MAX, &wish->has_sequence, &wish->sequence, fault);
    case OPTION_TIMEOUT_HEIGHT:
        return number_take(value, UINT64_MAX, &wish->has_timeout, &wish->timeout_height, fault);
    case OPTION_PROPOSAL:
        return number_take(value, UINT64_MAX, &wish->has_proposal, &wish->proposal, fault);
    case OPTION_CLASS:
        return class_take(wish, value, fault);
    case OPTION_CHARTER:
        return charter_take(wish, value, fault);
    case OPTION_CONSENSUS_KEY:
        return consensus_take(wish, value, fault);
    case OPTION_OPTION:
        return vote_take(wish, value, fault);
    case OPTION_UPGRADE_TIME:
        wish->has_upgrade_time = true;
        return tx_time_read(value, &wish->plan.upgrade_time, fault);
    case OPTION_RESOURCE:
        return tx_resource_take(wish, value, fault);
    case OPTION_MAX_ENROLMENT:
        return seconds_take(value, &wish->plan.max_enrolment_s, fault);
    case OPTION_HEIGHT:
        return seconds_take(value, &wish->plan.height, fault);
    default:
        return text_take(wish, option, value);
    }
}

void tx_options_make(const struct tx_wish *wish, struct tx_option_rows *rows)
{
    *rows = (struct tx_option_rows){.spec = {.command = wish->command,
                                             .about = wish->verb->about,
                                             .settings = flags,
                                             .setting_count = sizeof flags / sizeof flags[0],
                                             .own = rows->rows,
                                             .take = option_take}};
    for (uint32_t i = 0; i < OPTION_COUNT; i++)
        if (option_is_for(i, wish->verb))
            rows->rows[rows->spec.own_count++] = options[i].row;
}

void tx_wish_destroy(struct tx_wish *wish)
{
    for (uint32_t i = 0; i < wish->text_count; i++)
        free(wish->texts[i]);
    json_decref(wish->file);
    *wish = (struct tx_wish){0};
}
